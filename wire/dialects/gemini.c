/* SPDX-License-Identifier: Apache-2.0 */
/* The Gemini dialect: its operations, which stand in the path behind the model's name, and its way to
 * say no (gemini.md 2, 9; conventions.md 1.5, 1.6). Its streams have neither named events nor a
 * terminal one: the body ends. */
#include "wire/dialects/gemini.h"
#include "wire/dialects/gemini_generate.h"

#include "wire/json_out.h"
#include "wire/json_walk.h"

enum { MESSAGE_MAX = 4096 };

static void write_count(struct buf *out, int64_t tokens)
{
    struct json_out json;

    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "totalTokens");
    json_i64(&json, tokens);
    json_close_object(&json);
}

static const struct operation operations[] = {
    {.name = "generate_content",
     .path = SPAN(":generateContent"),
     .kind = OPERATION_CALL,
     .input_holds_cache = true,
     .read_request = gemini_generate_request,
     .cap = "maxOutputTokens",
     .cap_home = "generationConfig",
     .edits = gemini_model_edits,
     .read_answer = gemini_generate_answer,
     .read_event = gemini_generate_event,
     .translator = &gemini_generate_translator},
    {.name = "generate_content",
     .path = SPAN(":streamGenerateContent"),
     .kind = OPERATION_CALL,
     .is_stream = true,
     .query = SPAN("alt=sse"),
     .query_hint = "Streams are served as events: add ?alt=sse to the path, as the SDKs do, or call "
                   ":generateContent for a whole answer",
     .input_holds_cache = true,
     .read_request = gemini_generate_request,
     .cap = "maxOutputTokens",
     .cap_home = "generationConfig",
     .edits = gemini_model_edits,
     .read_answer = gemini_generate_answer,
     .unfold = gemini_generate_unfold,
     .read_event = gemini_generate_event,
     .translator = &gemini_generate_translator},
    {.name = "count_tokens",
     .path = SPAN(":countTokens"),
     .write_count = write_count,
     .kind = OPERATION_COUNT,
     .read_request = gemini_count_request,
     .edits = gemini_model_edits,
     .read_answer = gemini_count_answer},
    {.name = "embed_content",
     .path = SPAN(":embedContent"),
     .kind = OPERATION_CALL,
     .input_holds_cache = true,
     .read_request = gemini_embed_request,
     .edits = gemini_model_edits,
     .read_answer = gemini_embed_answer},
    {.name = "embed_content",
     .path = SPAN(":batchEmbedContents"),
     .kind = OPERATION_CALL,
     .input_holds_cache = true,
     .read_request = gemini_batch_embed_request,
     .edits = gemini_batch_edits,
     .read_answer = gemini_embed_answer},
    /* One page with all of them: ours has no further pages. */
    {.name = "models",
     .path = SPAN("/models"),
     .kind = OPERATION_MODELS,
     .query = SPAN("pageSize=1000")},
    {.name = NULL},
};

/* ---- errors of ours ---- */

/* Google's word for a status (google.rpc.Code). */
static const char *word_of(unsigned status)
{
    switch (status) {
    case 401: return "UNAUTHENTICATED";
    case 403: return "PERMISSION_DENIED";
    case 404: return "NOT_FOUND";
    case 402:
    case 429: return "RESOURCE_EXHAUSTED";
    case 408:
    case 504: return "DEADLINE_EXCEEDED";
    case 409: return "ABORTED";
    case 500: return "INTERNAL";
    case 501: return "UNIMPLEMENTED";
    default: return status >= 500 ? "UNAVAILABLE" : "INVALID_ARGUMENT";
    }
}

/* {"error":{"code","message","status","details"}}; the reason is the code that all dialects share. */
static void write_error(struct buf *out, const struct refusal *refusal, struct span id)
{
    const struct refusal_row *row = refusal_row(refusal->kind);
    unsigned status = refusal->status != 0 ? refusal->status : row->status;
    struct json_out json;
    struct buf message;

    (void)id; /* told in a header alone */
    buf_init(&message, MESSAGE_MAX);
    refusal_message(refusal, &message);
    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "error");
    json_open_object(&json);
    json_key(&json, "code");
    json_i64(&json, status);
    json_key(&json, "message");
    json_string(&json, buf_span(&message));
    json_key(&json, "status");
    json_text(&json, word_of(status));
    json_key(&json, "details");
    json_raw(&json, SPAN_OF("[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\""));
    json_escape(out, span_of(row->code));
    buf_put_text(out, "\",\"domain\":\"headgate\"}]");
    json_close_object(&json);
    json_close_object(&json);
    out->failed |= message.failed;
    buf_fini(&message);
}

static void write_stream_error(struct buf *out, const struct stream *stream,
                               const struct refusal *refusal)
{
    (void)stream;
    buf_put_text(out, "data: ");
    write_error(out, refusal, span_make(NULL, 0));
    buf_put_text(out, "\r\n\r\n");
}

static void write_stream_end(struct buf *out, const struct stream *stream)
{
    (void)out; /* the end of the body is the end */
    (void)stream;
}

/* ---- errors of providers ---- */

struct span gemini_unwrap(struct json_scan *scan, struct span body)
{
    struct json_scan_options options = {.allow_duplicates = true};
    struct span document = json_walk_document(body);
    struct json_walk walk;
    struct span first;

    if (document.len == 0 || document.at[0] != '[' ||
        !json_scan_whole(scan, &options, document, NULL)) {
        return body;
    }
    walk = json_walk_of(document);
    return json_walk_item(&walk, &first) && json_is_object(first) ? first : body;
}

static struct span text_of(struct span value)
{
    return json_is_string(value) ? span_make(value.at + 1, value.len - 2) : span_make(NULL, 0);
}

void gemini_error_details(struct json_scan *scan, struct span document,
                          struct provider_error *error)
{
    enum { DETAILS_MAX = 16 };
    static const struct json_path paths[] = {JSON_PATH2("error", "details")};
    struct json_hit hit;
    struct json_walk walk;
    struct span item;

    if (!error->is_present || !answer_scan(scan, paths, 1, document, &hit) ||
        hit.kind != JSON_ARRAY) {
        return;
    }
    walk = json_walk_of(json_hit_span(&hit, document));
    for (size_t i = 0; i < DETAILS_MAX && json_walk_item(&walk, &item); i++) {
        struct span reason = text_of(json_walk_find(item, "reason"));
        struct span delay = text_of(json_walk_find(item, "retryDelay"));

        if (reason.len > 0) {
            error->code = reason; /* narrower than the status as a number */
        }
        if (delay.len > 0) {
            error->retry_delay = delay;
        }
    }
}

/* ---- models ---- */

static void write_models(struct buf *out, const struct span *routes, size_t count,
                         struct span listed)
{
    struct json_out json;

    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "models");
    json_open_array(&json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(&json);
        json_key(&json, "name");
        json_raw(&json, SPAN_OF("\"models/"));
        json_escape(out, routes[i]);
        buf_put_char(out, '"');
        json_key(&json, "displayName");
        json_string(&json, routes[i]);
        json_key(&json, "supportedGenerationMethods");
        json_raw(&json, SPAN_OF("[\"generateContent\",\"countTokens\"]"));
        json_close_object(&json);
    }
    if (listed.len > 0) {
        json_raw(&json, listed);
    }
    json_close_array(&json);
    json_close_object(&json);
}

/* ---- the model in bodies ---- */

/* `named` and `put`: JSON strings. False: they call the same model. */
static bool edit_name(const struct request *request, struct span named, struct span put,
                      struct json_edit *edit)
{
    struct span collection = SPAN_OF("models/");

    /* Without the quotes; the collection stays where both or neither have one. */
    named = span_make(named.at + 1, named.len - 2);
    put = span_make(put.at + 1, put.len - 2);
    if (span_starts(named, collection) && memchr(put.at, '/', put.len) == NULL) {
        named = span_from(named, collection.len);
    }
    *edit = (struct json_edit){
        .at = (uint64_t)(named.at - request->body.at), .cut = named.len, .put = put};
    return !span_equal(named, put);
}

size_t gemini_model_edits(const struct request *request, struct span model_json, bool asks_usage,
                          struct json_edit edits[JSON_EDITS_MAX])
{
    (void)asks_usage;
    if (model_json.len < 2 || request->model_raw.len < 2) {
        return 0;
    }
    return edit_name(request, request->model_raw, model_json, &edits[0]) ? 1 : 0;
}

size_t gemini_batch_edits(const struct request *request, struct span model_json, bool asks_usage,
                          struct json_edit edits[JSON_EDITS_MAX])
{
    struct json_walk walk =
        json_walk_of(json_walk_find(json_walk_document(request->body), "requests"));
    struct span one;
    size_t count = 0;

    (void)asks_usage;
    while (model_json.len >= 2 && count < JSON_EDITS_MAX && json_walk_item(&walk, &one)) {
        struct span named = json_walk_find(one, "model");

        count += json_is_string(named) && edit_name(request, named, model_json, &edits[count]);
    }
    return count;
}

const struct dialect dialect_gemini = {
    .name = "gemini",
    .operations = operations,
    .pass = {.name = "pass", .kind = OPERATION_PASS},
    .pass_paths = {SPAN("/models"), SPAN("/tunedModels"), SPAN("/files"), SPAN("/cachedContents"),
                   SPAN("/fileSearchStores"), SPAN("/batches"), SPAN("/operations"),
                   SPAN("/interactions")},
    .version = SPAN("/v1beta"),
    .context_words = "The input token count exceeds the maximum number of tokens allowed",
    .calls_methods = true,
    .write_error = write_error,
    .write_stream_error = write_stream_error,
    .write_stream_end = write_stream_end,
    .overloaded_status = 503,
    .too_large_status = 400,
    .keep_alive = SPAN(": keep-alive\n\n"),
    .models_member = "models",
    .model_member = "name",
    .write_models = write_models,
    .request_id_header = NULL,
};
