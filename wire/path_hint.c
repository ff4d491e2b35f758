/* SPDX-License-Identifier: Apache-2.0 */
/* Guesses at wrong paths: each row is a mistake that people make, the first that fits is told. */
#include "wire/path_hint.h"

#include <stddef.h>

#include "base/must.h"

const char path_served[] =
    "Served are POST /v1/chat/completions, /v1/responses, /v1/completions, /v1/embeddings, "
    "/v1/messages, /v1/messages/count_tokens, /v1beta/models/{model}:generateContent, "
    ":streamGenerateContent, :countTokens, :embedContent and GET /v1/models";

bool path_calls_gemini(struct span path)
{
    static const struct span verbs[] = {
        SPAN("generateContent"),      SPAN("streamGenerateContent"), SPAN("countTokens"),
        SPAN("embedContent"),         SPAN("batchEmbedContents"),    SPAN("batchGenerateContent"),
        SPAN("asyncBatchEmbedContent"), SPAN("predict"),             SPAN("predictLongRunning")};
    struct span verb = path;

    if (!span_starts(path, SPAN_OF("/models/")) && !span_starts(path, SPAN_OF("/tunedModels/"))) {
        return false;
    }
    for (size_t i = path.len; i > 0 && path.at[i - 1] != ':'; i--) {
        verb = span_from(path, i - 1);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++) {
        if (verb.len < path.len && span_equal(verb, verbs[i])) {
            return true;
        }
    }
    return false;
}

static bool has_segment(struct span path, const char *segment)
{
    struct span rest = path;

    while (rest.at != NULL) {
        if (span_equal_nocase(span_cut(&rest, '/'), span_of(segment))) {
            return true;
        }
    }
    return false;
}

static bool has_upper(struct span path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] >= 'A' && path.at[i] <= 'Z') {
            return true;
        }
    }
    return false;
}

static bool is_base(struct span path)
{
    return span_equal(path, SPAN_OF("/")) || span_equal(path, SPAN_OF("/v1")) ||
           span_equal(path, SPAN_OF("/v1/")) || span_equal(path, SPAN_OF("/openai")) ||
           span_equal(path, SPAN_OF("/anthropic")) || span_equal(path, SPAN_OF("/gemini")) ||
           span_equal(path, SPAN_OF("/v1beta"));
}

/* Mistakes in the bytes of the path, whatever it leads to. */
static const char *spelling_hint(struct span path)
{
    if (is_base(path)) {
        return "This is only a base URL: the client adds the path";
    }
    if (span_find(path, SPAN_OF("//")) != NULL) {
        return "Remove the doubled slash: the base URL should not end in one";
    }
    if (memchr(path.at, '%', path.len) != NULL) {
        return "Write the path without percent escapes";
    }
    if (has_segment(path, ".") || has_segment(path, "..")) {
        return "Write the path without . and .. segments";
    }
    if (memchr(path.at, ';', path.len) != NULL) {
        return "Write the path without a semicolon";
    }
    if (span_ends(path, SPAN_OF("/"))) {
        return "Remove the slash at its end";
    }
    if (span_starts(path, SPAN_OF("/v1/v1/v1/"))) {
        return "The base URL has /v1 too often";
    }
    return NULL;
}

/* Paths of other programs and APIs. */
static const char *foreign_hint(struct span path)
{
    if (span_starts(path, SPAN_OF("/api/"))) {
        return "The Ollama API is not served; its OpenAI form is: the base URL should end in /v1";
    }
    if (has_segment(path, "deployments")) {
        return "Azure paths are not served: use the plain OpenAI client, its base URL ending in "
               "/v1";
    }
    if (has_segment(path, "realtime") || has_segment(path, "live")) {
        return "Realtime sessions are not served";
    }
    if (span_ends(path, SPAN_OF("/v1/complete")) || span_equal(path, SPAN_OF("/complete"))) {
        return "The old text completions of Anthropic are not served: use /v1/messages";
    }
    if (span_starts(path, SPAN_OF("/v1beta/openai/")) || span_starts(path, SPAN_OF("/v1/openai/"))) {
        return "Google's OpenAI form is served without its path: the base URL should end in /v1";
    }
    if (span_starts(path, SPAN_OF("/upload/"))) {
        return "Uploads to the Gemini API are not served: send files to the provider itself";
    }
    if (span_starts(path, SPAN_OF("/v1beta1/")) || has_segment(path, "publishers")) {
        return "The Vertex API is not served yet";
    }
    if (span_starts(path, SPAN_OF("/model/"))) {
        return "The Bedrock API is not served yet";
    }
    return NULL;
}

static const char *near_hint(struct span path)
{
    static const char *const words[] = {"chat",     "completions", "responses", "embeddings",
                                        "messages", "models"};

    if (span_starts(path, SPAN_OF("/openai/")) || span_starts(path, SPAN_OF("/anthropic/")) ||
        span_starts(path, SPAN_OF("/gemini/"))) {
        return "The prefix chooses the dialect, which does not have this path";
    }
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (has_segment(path, words[i])) {
            return has_upper(path) ? "Paths are written in lower case"
                                   : "The base URL should end in /v1, or in host and port for "
                                     "Anthropic and Google clients";
        }
    }
    return NULL;
}

const char *path_hint(struct span path)
{
    const char *hint = spelling_hint(path);

    if (hint == NULL) {
        hint = foreign_hint(path);
    }
    return hint == NULL ? near_hint(path) : hint;
}
