/* SPDX-License-Identifier: Apache-2.0 */
/* Where a path leads. All dialects are served from one base, told apart by the path; the forgiving
 * forms of it (conventions.md 1.1) are cut off the front, byte for byte, and the rest must be
 * exactly what a row of a dialect says:
 *   [/openai | /anthropic | /gemini] [/v1 [/v1]] <operation>     nothing is decoded or normalised
 * Of Gemini's versions, which providers tell apart, the one that stands last counts. */
#include "wire/dialect.h"

#include "base/must.h"
#include "wire/path_hint.h"
#include "wire/path_model.h"

static const struct dialect *const dialects[] = {
#define DIALECT(name) &dialect_##name,
#define DIALECT_OUTBOUND(name)
#include "wire/dialects.def"
#undef DIALECT
#undef DIALECT_OUTBOUND
};

const struct dialect *dialect_at(size_t i)
{
    return i < ARRAY_LENGTH(dialects) ? dialects[i] : NULL;
}

const struct dialect *dialect_by_name(struct span name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(dialects); i++) {
        if (span_equal(name, span_of(dialects[i]->name))) {
            return dialects[i];
        }
    }
    return NULL;
}

void stream_init(struct stream *stream, const struct operation *operation, bool hides_usage)
{
    *stream = (struct stream){.operation = operation, .hides_usage = hides_usage};
    meter_init(&stream->meter);
}

struct span stream_model(const struct stream *stream)
{
    return span_make(stream->model, stream->model_len);
}

uint32_t stream_events_untold(const struct stream *stream)
{
    return stream->content_events - stream->told_events;
}

uint64_t stream_bytes_untold(const struct stream *stream)
{
    return stream->content_bytes - stream->told_bytes;
}

/* Cuts "/word" off the front when another segment follows it. */
static bool cut_segment(struct span *path, struct span word)
{
    if (path->len <= word.len + 1 || path->at[0] != '/' || path->at[word.len + 1] != '/' ||
        memcmp(path->at + 1, word.at, word.len) != 0) {
        return false;
    }
    *path = span_from(*path, word.len + 1);
    return true;
}

/* The dialect that the path names in front of all else, cut off; NULL without such a prefix. */
static const struct dialect *cut_dialect(struct span *path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(dialects); i++) {
        if (cut_segment(path, span_of(dialects[i]->name))) {
            return dialects[i];
        }
    }
    return NULL;
}

/* Gemini's versions are its providers' to tell apart; /v1 alone is anybody's. */
static const struct {
    struct span name;
    bool is_of_gemini;
} versions[] = {{SPAN("v1"), false}, {SPAN("v1beta"), true}, {SPAN("v1alpha"), true}};

bool dialect_has_version(struct span path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(versions); i++) {
        struct span name = versions[i].name;

        if (path.len > name.len && span_ends(path, name) &&
            path.at[path.len - name.len - 1] == '/') {
            return true;
        }
    }
    return false;
}

/* Cuts one version off the front, which is given back with its slash; empty: none stands there. */
static struct span cut_version(struct span *path, bool *is_of_gemini)
{
    struct span before = *path;

    for (size_t i = 0; i < ARRAY_LENGTH(versions); i++) {
        if (cut_segment(path, versions[i].name)) {
            *is_of_gemini = *is_of_gemini || versions[i].is_of_gemini;
            return span_make(before.at, versions[i].name.len + 1);
        }
    }
    return span_make(NULL, 0);
}

/* Two of them are a base URL that ends in one: the last is what the client itself wrote. */
static struct span cut_versions(struct span *path, bool *is_of_gemini)
{
    struct span first = cut_version(path, is_of_gemini);
    struct span second =
        first.len > 0 ? cut_version(path, is_of_gemini) : span_make(NULL, 0);

    return second.len > 0 ? second : first;
}

/* Whether a pass path goes up in one reading exactly where its bytes say: no empty or dot segment,
 * and no escape that another reader could decode into one. */
static bool is_clean(struct span path)
{
    struct span rest = span_from(path, 1);

    while (rest.at != NULL) {
        struct span segment = span_cut(&rest, '/');
        if (segment.len == 0 || span_equal(segment, SPAN_OF(".")) ||
            span_equal(segment, SPAN_OF(".."))) {
            return false;
        }
    }
    for (size_t i = 0; i < path.len; i++) {
        static const struct span forbidden[] = {SPAN("%2f"), SPAN("%2e"), SPAN("%5c"),
                                                SPAN("%25"), SPAN("%00"), SPAN(";"), SPAN("\\")};
        for (size_t f = 0; f < ARRAY_LENGTH(forbidden); f++) {
            if (span_starts_nocase(span_from(path, i), forbidden[f])) {
                return false;
            }
        }
    }
    return true;
}

/* Whether no reader of the path finds a method in it that is served as an operation. */
static bool calls_nothing(const struct dialect *dialect, struct span path)
{
    for (const struct operation *o = dialect->operations; o->name != NULL; o++) {
        if (path_model_is_method(o->path) && span_ends(path, o->path)) {
            return false;
        }
    }
    return memchr(path.at, '%', path.len) == NULL;
}

static bool is_pass_path(const struct dialect *dialect, struct span path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(dialect->pass_paths); i++) {
        struct span prefix = dialect->pass_paths[i];
        if (prefix.len > 0 && span_starts(path, prefix) &&
            (path.len == prefix.len || path.at[prefix.len] == '/')) {
            return is_clean(path) && (!dialect->calls_methods || calls_nothing(dialect, path));
        }
    }
    return false;
}

static const struct operation *find_operation(const struct dialect *dialect, struct span path,
                                              struct span *model)
{
    *model = span_make(NULL, 0);
    for (const struct operation *o = dialect->operations; o->name != NULL; o++) {
        if (span_equal(path, o->path) ||
            (path_model_is_method(o->path) && path_model_find(path, o->path, model) &&
             is_clean(path))) {
            return o;
        }
    }
    *model = span_make(NULL, 0);
    return NULL;
}

static bool is_one_of(struct span method, const struct span *methods, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal(method, methods[i])) {
            return true;
        }
    }
    return false;
}

static void judge_method(struct span method, struct path_match *match)
{
    static const struct span pass[] = {SPAN("GET"), SPAN("POST"), SPAN("DELETE"), SPAN("PUT"),
                                       SPAN("PATCH")};

    switch (match->operation->kind) {
    case OPERATION_CALL:
    case OPERATION_COUNT:
        match->allow = "POST";
        match->method_is_wrong = !span_equal(method, SPAN_OF("POST"));
        return;
    case OPERATION_MODELS:
        match->allow = "GET";
        match->method_is_wrong = !span_equal(method, SPAN_OF("GET"));
        return;
    case OPERATION_PASS:
        match->allow = "GET, POST, DELETE, PUT, PATCH";
        match->method_is_wrong = !is_one_of(method, pass, ARRAY_LENGTH(pass));
        return;
    }
}

static bool try_dialect(const struct dialect *dialect, struct span path, bool passes,
                        struct path_match *match)
{
    const struct operation *operation = find_operation(dialect, path, &match->model);

    if (operation == NULL && passes && is_pass_path(dialect, path)) {
        operation = &dialect->pass;
    }
    match->dialect = dialect;
    match->operation = operation;
    return operation != NULL;
}

/* With a prefix only that dialect counts. Without one an exact operation of any dialect comes
 * before a path that merely passes; the dialect that the headers speak for is asked first. */
static bool find(const struct dialect *named, struct span path, const struct dialect *spoken,
                 struct path_match *match)
{
    const struct dialect *first = spoken != NULL ? spoken : dialects[0];

    if (named != NULL) {
        return try_dialect(named, path, true, match);
    }
    for (int passes = 0; passes < 2; passes++) {
        if (try_dialect(first, path, passes == 1, match)) {
            return true;
        }
        for (size_t i = 0; i < ARRAY_LENGTH(dialects); i++) {
            if (try_dialect(dialects[i], path, passes == 1, match)) {
                return true;
            }
        }
    }
    return false;
}

/* Cuts prefix and versions off. The dialect that they name; NULL: none. False: they contradict. */
static bool cut_front(struct span *path, struct span *version, const struct dialect **named)
{
    bool is_of_gemini = false;

    *named = cut_dialect(path);
    *version = cut_versions(path, &is_of_gemini);
    if (*named == NULL && (is_of_gemini || path_calls_gemini(*path))) {
        *named = &dialect_gemini;
    }
    return !is_of_gemini || *named == &dialect_gemini;
}

static bool has_pair(struct span query, struct span wanted)
{
    while (query.len > 0) {
        if (span_equal(span_cut(&query, '&'), wanted)) {
            return true;
        }
    }
    return wanted.len == 0;
}

static void judge_query(struct path_match *match)
{
    const struct operation *operation = match->operation;

    if (operation->query_hint != NULL && !has_pair(match->query, operation->query)) {
        match->query_is_wrong = true;
        match->hint = operation->query_hint;
    }
}

bool dialect_match(struct span method, struct span target, const struct dialect *spoken,
                   struct path_match *match)
{
    struct span query = target;
    struct span whole = span_cut(&query, '?');
    struct span path = whole;
    struct span version;
    const struct dialect *named = NULL;
    bool is_plain = cut_front(&path, &version, &named);

    *match = (struct path_match){.query = query.at == NULL ? span_make(NULL, 0) : query};
    if (is_plain && path.len > 0 && path.at[0] == '/' && find(named, path, spoken, match)) {
        match->upstream_path = path;
        if (match->dialect->version.len > 0) {
            match->version = version.len > 0 ? version : match->dialect->version;
        }
        judge_method(method, match);
        judge_query(match);
        return true;
    }
    match->dialect = dialect_for_error(target, spoken);
    match->operation = NULL;
    match->model = span_make(NULL, 0);
    match->hint = path_hint(whole);
    return false;
}

const struct dialect *dialect_spoken(const struct http1_head *head, const char *base)
{
    if (http1_find(head, base, SPAN_OF("anthropic-version"), 0) >= 0) {
        return &dialect_anthropic;
    }
    if (http1_find(head, base, SPAN_OF("x-goog-api-key"), 0) >= 0 ||
        http1_find(head, base, SPAN_OF("x-goog-api-client"), 0) >= 0) {
        return &dialect_gemini;
    }
    return NULL;
}

const struct dialect *dialect_for_error(struct span target, const struct dialect *spoken)
{
    struct span rest = target;
    struct span path = span_cut(&rest, '?');
    struct span version;
    const struct dialect *named = NULL;

    (void)cut_front(&path, &version, &named);
    if (named != NULL) {
        return named;
    }
    if (spoken != NULL) {
        return spoken;
    }
    return span_starts(path, SPAN_OF("/messages")) ? &dialect_anthropic : dialects[0];
}
