/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what providers answer. Spellings of errors (openai.md 10, anthropic.md 7,
 * openai-compatible.md 3):
 *   {"error":{"message","type","param","code"}}      OpenAI and most others; code may be a number
 *   {"type":"error","error":{"type","message","details":{"error_code"}}}              Anthropic
 *   {"error":{"code":429,"status":"...","message"}}     Google style
 *   {"error":"text"}, {"code":"...","error":"text"}     xAI, small servers
 *   {"object":"error","message","type","code"}          Mistral, older vLLM
 *   {"detail":"text"}                                   FastAPI servers */
#include "wire/answer.h"

#include "base/must.h"
#include "wire/json_word.h"

enum place {
    PLACE_ERROR = ANSWER_ERROR_PLACE,
    PLACE_ERROR_TYPE,
    PLACE_ERROR_CODE,
    PLACE_ERROR_MESSAGE,
    PLACE_ERROR_STATUS,
    PLACE_DETAIL_CODE,
    PLACE_METADATA_TYPE,
    PLACE_TYPE = ANSWER_TYPE_PLACE,
    PLACE_CODE = ANSWER_CODE_PLACE,
    PLACE_MESSAGE = ANSWER_MESSAGE_PLACE,
    PLACE_DETAIL
};

struct span answer_text(const struct json_hit *hit, struct span document)
{
    struct span raw = json_hit_span(hit, document);

    if (hit->kind == JSON_STRING && raw.len >= 2) {
        return span_make(raw.at + 1, raw.len - 2);
    }
    return hit->kind == JSON_NUMBER ? raw : span_make(NULL, 0);
}

struct span answer_name(const struct json_hit *hit, struct span document, char *room, size_t size)
{
    struct span text = answer_text(hit, document);
    struct buf name = {.at = room, .cap = size, .max = size};

    if (hit->kind != JSON_STRING || text.len == 0 || memchr(text.at, '\\', text.len) == NULL) {
        return text;
    }
    json_string_decode(json_hit_span(hit, document), &name);
    return name.failed ? text : buf_span(&name);
}

struct span answer_object(const struct json_hit *hit, struct span document)
{
    return hit->kind == JSON_OBJECT ? json_hit_span(hit, document) : span_make(NULL, 0);
}

bool answer_is_filled(const struct json_hit *hit)
{
    switch (hit->kind) {
    case JSON_STRING: return hit->len > 2;
    case JSON_ARRAY:
    case JSON_OBJECT: return hit->count > 0;
    case JSON_ABSENT:
    case JSON_NULL:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NUMBER: return false;
    }
    return false;
}

bool answer_has_number(const struct json_hit *hits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hits[i].kind == JSON_NUMBER) {
            return true;
        }
    }
    return false;
}

/* A status of HTTP, written as a number or as its digits; 0 for anything else. */
static int64_t status_of(struct span text)
{
    int64_t status = 0;

    if (text.len != 3 || json_integer(text, &status) != ERR_NONE || status < 400 || status > 599) {
        return 0;
    }
    return status;
}

static struct span first_text(const struct json_hit *hits, struct span document,
                              const enum place *places, size_t count)
{
    struct span text = {0};

    for (size_t i = 0; i < count && text.len == 0; i++) {
        text = answer_text(&hits[places[i]], document);
    }
    return text;
}

static bool is_bare_error(const struct json_hit *hits, struct span document, bool has_result)
{
    if (has_result) {
        return false;
    }
    return hits[PLACE_MESSAGE].kind == JSON_STRING || answer_is_filled(&hits[PLACE_DETAIL]) ||
           span_equal(answer_text(&hits[PLACE_TYPE], document), SPAN_OF("error"));
}

void answer_read_error(const struct json_hit *hits, struct span document, bool has_result,
                       struct provider_error *error)
{
    static const enum place wrapped_type[] = {PLACE_ERROR_TYPE, PLACE_METADATA_TYPE,
                                              PLACE_ERROR_STATUS};
    static const enum place wrapped_code[] = {PLACE_ERROR_CODE, PLACE_DETAIL_CODE};
    static const enum place wrapped_message[] = {PLACE_ERROR_MESSAGE, PLACE_MESSAGE};
    static const enum place bare_type[] = {PLACE_TYPE};
    static const enum place bare_code[] = {PLACE_CODE};
    static const enum place bare_message[] = {PLACE_ERROR, PLACE_MESSAGE, PLACE_DETAIL};

    *error = (struct provider_error){0};
    if (hits[PLACE_ERROR].kind == JSON_OBJECT) {
        error->is_present = true;
        error->type = first_text(hits, document, wrapped_type, ARRAY_LENGTH(wrapped_type));
        error->code = first_text(hits, document, wrapped_code, ARRAY_LENGTH(wrapped_code));
        error->message = first_text(hits, document, wrapped_message, ARRAY_LENGTH(wrapped_message));
    } else if (answer_is_filled(&hits[PLACE_ERROR]) || hits[PLACE_ERROR].kind == JSON_TRUE ||
               is_bare_error(hits, document, has_result)) {
        error->is_present = true;
        error->type = first_text(hits, document, bare_type, ARRAY_LENGTH(bare_type));
        error->code = first_text(hits, document, bare_code, ARRAY_LENGTH(bare_code));
        error->message = first_text(hits, document, bare_message, ARRAY_LENGTH(bare_message));
    } else {
        return;
    }
    error->status = status_of(error->code);
    if (error->status == 0) {
        error->status = status_of(answer_text(&hits[PLACE_ERROR_STATUS], document));
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Whether the member whose colon stands at `colon` has a value other than null. */
static bool has_value(struct span document, size_t colon)
{
    size_t at = colon + 1;

    while (at < document.len && is_blank(document.at[at])) {
        at++;
    }
    return at < document.len && document.at[at] != 'n';
}

/* The first colon at or after `p`, or `end`. They stand close together: a call of the C library for
 * each costs more than it finds. */
static const char *find_colon(const char *p, const char *end)
{
    for (; end - p >= 8; p += 8) {
        uint64_t other = json_word_load(p) ^ JSON_WORD_ONES * ':';
        uint64_t marks = (other - JSON_WORD_ONES) & ~other & JSON_WORD_HIGH;

        if (marks != 0) {
            return p + json_word_first(marks);
        }
    }
    while (p < end && *p != ':') {
        p++;
    }
    return p;
}

/* Tells most names apart by the low bits of their last byte: bits of those that one of `names` may have, which
 * the escape of its last letter may end instead. */
static uint32_t last_bytes(const struct span *names, size_t count)
{
    uint32_t lasts = 0;

    for (size_t n = 0; n < count; n++) {
        unsigned last = (unsigned char)names[n].at[names[n].len - 1];

        lasts |= 1u << (last & 31) | 1u << ("0123456789abcdef"[last & 15] & 31);
    }
    return lasts;
}

/* The name of the member whose colon stands at `colon`, as it is spelled; empty: it ends like none of ours, or
 * the colon is one of a text, where quotes have a backslash before them. */
static struct span name_before(struct span document, size_t colon, uint32_t lasts)
{
    size_t end = colon;
    size_t from = 0;

    while (end > 0 && is_blank(document.at[end - 1])) {
        end--;
    }
    if (end < 3 || document.at[end - 1] != '"' || (lasts >> (document.at[end - 2] & 31) & 1) == 0) {
        return span_make(NULL, 0);
    }
    for (from = end - 1; from > 0 && document.at[from - 1] != '"';) {
        from--;
    }
    return from == 0 ? span_make(NULL, 0) : span_make(document.at + from, end - 1 - from);
}

static unsigned number_of(struct span name, const struct span *names, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        if (span_equal(name, names[n])) {
            return 1u << n;
        }
    }
    return memchr(name.at, '\\', name.len) != NULL ? ANSWER_ESCAPED : 0;
}

/* Looks at colons, of which a chunk has few. */
unsigned answer_members(struct span document, const struct span *names, size_t count)
{
    uint32_t lasts = last_bytes(names, count);
    const char *end = document.at + document.len;
    unsigned found = 0;

    if (document.len == 0) {
        return 0;
    }
    for (const char *at = find_colon(document.at, end); at < end; at = find_colon(at + 1, end)) {
        size_t colon = (size_t)(at - document.at);
        struct span name = name_before(document, colon, lasts);

        if (name.len > 0 && has_value(document, colon)) {
            found |= number_of(name, names, count);
        }
    }
    return found;
}

bool answer_is_object(struct span document)
{
    for (size_t i = 0; i < document.len; i++) {
        char c = document.at[i];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            return c == '{';
        }
    }
    return false;
}

bool answer_scan(struct json_scan *scan, const struct json_path *paths, size_t count,
                 struct span document, struct json_hit *hits)
{
    struct json_scan_options options = {
        .paths = paths, .paths_count = count, .paths_stay = true, .allow_duplicates = true};

    return json_scan_whole(scan, &options, document, hits) && answer_is_object(document);
}

bool answer_figures(const uint8_t *rows, size_t count, const struct json_hit *hits,
                    struct json_hit *figures)
{
    bool is_any = false;

    memset(figures, 0, USAGE_PLACES * sizeof *figures); /* JSON_ABSENT is zero */
    for (size_t i = 0; i < count; i++) {
        struct json_hit *figure = &figures[rows[i]];

        if (hits[i].kind == JSON_ABSENT || hits[i].kind == JSON_NULL) {
            continue;
        }
        is_any = true;
        if (figure->kind == JSON_ABSENT ||
            (figure->kind != JSON_NUMBER && hits[i].kind == JSON_NUMBER)) {
            *figure = hits[i];
        }
    }
    return is_any;
}

void answer_note_model(struct stream *stream, const struct json_hit *hit, struct span data)
{
    char room[sizeof stream->model];
    struct span model = {0};

    if (stream->model_len > 0 || hit->kind != JSON_STRING) {
        return;
    }
    model = answer_name(hit, data, room, sizeof room);
    if (model.len <= sizeof stream->model) {
        memcpy(stream->model, model.at, model.len);
        stream->model_len = (uint8_t)model.len;
    }
}

/* What stands behind the last `"name":` of `end`; texts cannot pretend to be one, their quotes are
 * escaped. */
static struct span behind_name(struct span end, struct span quoted)
{
    for (size_t at = end.len; at >= quoted.len; at--) {
        struct span rest = span_from(end, at);

        if (memcmp(rest.at - quoted.len, quoted.at, quoted.len) != 0) {
            continue;
        }
        while (rest.len > 0 && is_blank(*rest.at)) {
            rest = span_from(rest, 1);
        }
        if (rest.len == 0 || *rest.at != ':') {
            continue;
        }
        do {
            rest = span_from(rest, 1);
        } while (rest.len > 0 && is_blank(*rest.at));
        return rest;
    }
    return span_make(NULL, 0);
}

/* The value that `text` begins with, when it is of this kind and ends there. */
static struct json_hit first_value(struct json_scan *scan, struct span text, struct span document,
                                   enum json_kind kind)
{
    struct json_scan_options options = {.allow_duplicates = true};
    struct json_hit hit = {.kind = JSON_ABSENT};
    size_t len = 0;

    if (text.len == 0 || *text.at != (kind == JSON_OBJECT ? '{' : '"')) {
        return hit;
    }
    json_scan_begin(scan, &options, NULL);
    while (len < text.len && json_scan_feed(scan, span_make(text.at + len, 1))) {
        len++;
        if (json_scan_is_complete(scan)) {
            hit = (struct json_hit){
                .kind = kind, .at = (uint64_t)(text.at - document.at), .len = len, .count = 1};
            break;
        }
    }
    return hit;
}

struct json_hit answer_last_value(struct json_scan *scan, struct span end, struct span quoted,
                                  enum json_kind kind)
{
    return first_value(scan, behind_name(end, quoted), end, kind);
}

void answer_put_line(struct buf *out, struct span json)
{
    size_t from = out->len;

    buf_put(out, json);
    for (size_t i = from; i < out->len; i++) {
        if (out->at[i] == '\n' || out->at[i] == '\r') {
            out->at[i] = ' ';
        }
    }
}
