/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of request bodies that all dialects share (bad-input.md, BJ and BS rows). */
#include "wire/request.h"

#include "base/must.h"
#include "wire/answer.h"
#include "base/text.h"

enum { CHOICES_MAX = 128, METADATA_MAX = 16 * 1024 };

/* What one check looks at. */
struct member {
    const struct request_row *row;
    struct json_hit hit;
    struct span body;
};

static struct refusal no_refusal(void)
{
    return (struct refusal){.kind = REFUSAL_NONE};
}

static struct refusal refuse(const struct member *member, enum refusal_kind kind)
{
    return (struct refusal){.kind = kind, .param = member->row->param, .hint = member->row->hint};
}

static struct refusal refuse_value(const struct member *member, const char *hint)
{
    return (struct refusal){
        .kind = REFUSAL_INVALID_VALUE, .param = member->row->param, .hint = hint};
}

/* null is how several SDKs spell "not given". */
static bool is_given(const struct json_hit *hit)
{
    return hit->kind != JSON_ABSENT && hit->kind != JSON_NULL;
}

/* One character of a JSON string's text, taken off the front of `text`; -1 for a control character,
 * which no model name holds, '?' for each byte or escape beyond ASCII. */
static int take_printable(struct span *text)
{
    int c = (unsigned char)text->at[0];
    size_t used = 1;

    if (c == '\\' && text->len >= 2) {
        used = 2;
        c = text->at[1];
        if (c == 'u' && text->len >= 6) {
            used = 6;
            c = 0;
            for (size_t i = 2; i < 6; i++) {
                c = c * 16 + text_hex_digit(text->at[i]);
            }
        } else if (c != '"' && c != '\\' && c != '/') {
            return -1;
        }
    }
    *text = span_from(*text, used);
    if (c >= 0x80) {
        return c >= 0xa0 || used == 1 ? '?' : -1;
    }
    return c >= 0x20 && c < 0x7f ? c : -1;
}

/* A name with ".." as a path segment is an attempt to climb somewhere. */
static bool climbs(struct span name)
{
    size_t begin = 0;

    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && name.at[i] != '/' && name.at[i] != '\\') {
            continue;
        }
        if (span_equal(span_make(name.at + begin, i - begin), SPAN_OF(".."))) {
            return true;
        }
        begin = i + 1;
    }
    return false;
}

static struct refusal check_model(const struct member *member, struct request *request)
{
    struct span raw = json_hit_span(&member->hit, member->body);
    struct span text = {0};
    char name[LIMIT_MODEL_NAME];
    size_t len = 0;

    if (member->hit.kind != JSON_STRING || raw.len <= 2) {
        return refuse(member, REFUSAL_INVALID_MODEL);
    }
    text = span_make(raw.at + 1, raw.len - 2);
    while (text.len > 0) {
        int c = take_printable(&text);
        if (c < 0 || len == sizeof name) {
            return refuse(member, REFUSAL_INVALID_MODEL);
        }
        name[len++] = (char)c;
    }
    if (climbs(span_make(name, len))) {
        return refuse(member, REFUSAL_INVALID_MODEL);
    }
    request->model_raw = raw;
    return no_refusal();
}

static struct refusal check_model_again(const struct member *member, struct request *request)
{
    if (!is_given(&member->hit)) {
        return no_refusal();
    }
    return check_model(member, request);
}

static struct refusal check_cap_home(const struct member *member, struct request *request)
{
    if (is_given(&member->hit) && member->hit.kind != JSON_OBJECT) {
        return refuse_value(member, "it must be an object");
    }
    if (member->hit.kind != JSON_ABSENT && request->cap_home.kind != JSON_OBJECT) {
        request->cap_home = member->hit;
    }
    return no_refusal();
}

static struct refusal check_messages(const struct member *member)
{
    if (member->hit.kind != JSON_ARRAY || member->hit.count == 0 ||
        member->hit.count > LIMIT_MESSAGES) {
        return refuse(member, REFUSAL_INVALID_MESSAGES);
    }
    return no_refusal();
}

static struct refusal check_stream(const struct member *member, struct request *request)
{
    if (is_given(&member->hit) && member->hit.kind != JSON_TRUE && member->hit.kind != JSON_FALSE) {
        return refuse_value(member, "stream must be true or false");
    }
    request->is_stream = member->hit.kind == JSON_TRUE;
    return no_refusal();
}

static struct refusal check_stream_options(const struct member *member, struct request *request)
{
    if (is_given(&member->hit) && !request->is_stream) {
        return refuse_value(member, "stream_options is only allowed beside stream: true");
    }
    if (is_given(&member->hit) && member->hit.kind != JSON_OBJECT) {
        return refuse_value(member, "stream_options must be an object");
    }
    request->stream_options = member->hit;
    return no_refusal();
}

static struct refusal check_include_usage(const struct member *member, struct request *request)
{
    if (is_given(&member->hit) && member->hit.kind != JSON_TRUE && member->hit.kind != JSON_FALSE) {
        return refuse_value(member, "include_usage must be true or false");
    }
    request->stream_options_usage = member->hit;
    request->app_wants_usage = member->hit.kind == JSON_TRUE;
    return no_refusal();
}

/* A whole number written in plain digits; 1e3 and 1.0 are refused, because two readers could take
 * them for different things. */
static bool reads_as_integer(const struct member *member, int64_t least, int64_t most,
                             int64_t *number)
{
    return member->hit.kind == JSON_NUMBER &&
           json_integer(json_hit_span(&member->hit, member->body), number) == ERR_NONE &&
           *number >= least && *number <= most;
}

static struct refusal check_choices(const struct member *member, struct request *request)
{
    int64_t number = 0;

    if (is_given(&member->hit) && !reads_as_integer(member, 1, CHOICES_MAX, &number)) {
        return refuse_value(member, "it must be a whole number from 1 to 128");
    }
    if (is_given(&member->hit)) {
        request->answers = (uint8_t)number;
    }
    return no_refusal();
}

static struct refusal check_cap(const struct member *member, int64_t least, struct request *request)
{
    int64_t number = 0;

    if (member->hit.kind != JSON_ABSENT && request->caps_count < REQUEST_CAPS_MAX) {
        request->caps[request->caps_count++] = member->hit;
    }
    if (!is_given(&member->hit)) {
        return no_refusal();
    }
    if (!reads_as_integer(member, least, INT64_MAX, &number)) {
        return refuse_value(member, "it must be a positive whole number in plain digits");
    }
    /* Two caps in one body: the larger one bounds what the answer can cost (BS07). */
    if (number > request->output_cap) {
        request->output_cap = number;
    }
    return no_refusal();
}

/* Whatever else it is, is the provider's business. */
static void note_session(const struct member *member, struct request *request)
{
    struct span raw = json_hit_span(&member->hit, member->body);

    if (member->hit.kind == JSON_STRING && raw.len > 2) {
        request->session = span_make(raw.at + 1, raw.len - 2);
    }
}

static void note_user(const struct member *member, struct request *request)
{
    struct span raw = json_hit_span(&member->hit, member->body);

    if (member->hit.kind == JSON_STRING && raw.len > 2) {
        request->user = raw;
    }
}

static struct refusal check_member(const struct member *member, bool has_main,
                                   struct request *request)
{
    bool given = is_given(&member->hit);

    switch (member->row->rule) {
    case RULE_FOREIGN: return given ? refuse(member, REFUSAL_DIALECT_MISMATCH) : no_refusal();
    case RULE_FOREIGN_INSTEAD:
        return given && !has_main ? refuse(member, REFUSAL_DIALECT_MISMATCH) : no_refusal();
    case RULE_MODEL: return check_model(member, request);
    case RULE_MODEL_AGAIN: return check_model_again(member, request);
    case RULE_MESSAGES: return check_messages(member);
    case RULE_REQUIRED: return given ? no_refusal() : refuse_value(member, "it is required");
    case RULE_STREAM: return check_stream(member, request);
    case RULE_STREAM_OPTIONS: return check_stream_options(member, request);
    case RULE_INCLUDE_USAGE: return check_include_usage(member, request);
    case RULE_CHOICES: return check_choices(member, request);
    case RULE_CAP: return check_cap(member, 1, request);
    case RULE_CAP_HOME: return check_cap_home(member, request);
    case RULE_CAP_OR_NONE: return check_cap(member, 0, request);
    case RULE_METADATA:
        return member->hit.len > METADATA_MAX ? refuse_value(member, "it is larger than 16 KiB")
                                              : no_refusal();
    case RULE_SESSION: note_session(member, request); return no_refusal();
    case RULE_USER: note_user(member, request); return no_refusal();
    case RULE_BOUND: request->is_bound = request->is_bound || given; return no_refusal();
    case RULE_UNUSUAL: request->is_plain = request->is_plain && !given; return no_refusal();
    case RULE_NOTED: return no_refusal();
    }
    UNREACHABLE();
}

/* The listed member whose second spelling was the fault: its closing quote is the byte that proved
 * it or the one before. NULL for other keys: what the app wrote is never repeated. */
static const char *duplicate_param(const struct request_table *table, struct span body,
                                   uint64_t offset)
{
    for (size_t i = 0; i < table->count; i++) {
        struct span key = json_path_step(&table->paths[i], 0);
        for (size_t back = 0; table->paths[i].steps == 1 && back < 3; back++) {
            uint64_t end = offset + 1 - back; /* of the quoted key */
            if (end > body.len || end < key.len + 2 || end > offset + 1) {
                continue;
            }
            const char *quote = body.at + (end - key.len - 2);
            if (quote[0] == '"' && quote[key.len + 1] == '"' &&
                span_equal(span_make(quote + 1, key.len), key)) {
                return table->rows[i].param;
            }
        }
    }
    return NULL;
}

static struct refusal refuse_json(const struct request_table *table, const struct json_scan *scan,
                                  struct span body)
{
    enum json_fault fault = json_scan_fault(scan);
    uint64_t offset = json_scan_offset(scan);

    return (struct refusal){
        .kind = refusal_of_json(fault),
        .param = fault == JSON_FAULT_DUPLICATE ? duplicate_param(table, body, offset) : NULL,
        .offset = offset,
        .has_offset = fault != JSON_FAULT_MEMORY};
}

struct refusal request_read(const struct request_table *table, struct json_scan *scan,
                            uint64_t seed, struct span body, struct request *request)
{
    struct json_hit hits[JSON_PATHS_MAX];
    struct json_scan_options options = {
        .paths = table->paths, .paths_count = table->count, .paths_stay = true, .seed = seed};

    request->body = body;
    request->model_raw = span_make(NULL, 0);
    request->is_stream = false;
    request->app_wants_usage = false;
    request->output_cap = -1;
    request->caps_count = 0;
    request->cap_home = (struct json_hit){0};
    request->answers = 1;
    request->is_bound = false;
    request->is_plain = true;
    request->session = span_make("", 0);
    request->user = span_make("", 0);
    request->stream_options = (struct json_hit){0};
    request->stream_options_usage = (struct json_hit){0};
    if (!json_scan_whole(scan, &options, body, hits)) {
        return refuse_json(table, scan, body);
    }
    if (!answer_is_object(body)) {
        return (struct refusal){.kind = REFUSAL_NOT_OBJECT};
    }
    for (size_t i = 0; i < table->count; i++) {
        struct member member = {.row = &table->rows[i], .hit = hits[i], .body = body};
        struct refusal refusal = check_member(&member, is_given(&hits[table->main]), request);
        if (refusal.kind != REFUSAL_NONE) {
            return refusal;
        }
    }
    return no_refusal();
}

size_t request_edit_model(const struct request *request, struct span model_json,
                          struct json_edit *edit)
{
    if (model_json.len == 0 || request->model_raw.len == 0 ||
        span_equal(model_json, request->model_raw)) {
        return 0;
    }
    *edit = (struct json_edit){.at = (uint64_t)(request->model_raw.at - request->body.at),
                               .cut = request->model_raw.len,
                               .put = model_json};
    return 1;
}

/* A new member in front of the first one of an object. */
static struct json_edit first_member(uint64_t brace, bool is_only, struct buf *text, size_t from)
{
    if (!is_only) {
        buf_put_char(text, ',');
    }
    return (struct json_edit){.at = brace + 1, .put = span_make(text->at + from, text->len - from)};
}

/* Where no cap stands. `from`: where `"member":cap` begins in the text. */
static struct json_edit write_cap(const struct request *request, const char *home, struct buf *text,
                                  size_t from)
{
    const struct json_hit *place = &request->cap_home;
    const char *brace = memchr(request->body.at, '{', request->body.len);
    size_t begin = text->len;
    size_t len = text->len - from;

    must(brace != NULL);
    if (home == NULL) { /* a request is never empty */
        return first_member((uint64_t)(brace - request->body.at), false, text, from);
    }
    if (place->kind == JSON_OBJECT) {
        return first_member(place->at, place->count == 0, text, from);
    }
    if (place->kind == JSON_ABSENT) {
        buf_put_char(text, '"');
        buf_put_text(text, home);
        buf_put_text(text, "\":");
    }
    buf_put_char(text, '{');
    buf_put(text, span_make(text->at + from, len));
    buf_put_char(text, '}');
    if (place->kind == JSON_ABSENT) {
        return first_member((uint64_t)(brace - request->body.at), false, text, begin);
    }
    return (struct json_edit){.at = place->at,
                              .cut = place->len,
                              .put = span_make(text->at + begin, text->len - begin)};
}

size_t request_edit_cap(const struct request *request, struct span member, const char *home,
                        int64_t cap, struct buf *text, struct json_edit edits[REQUEST_CAPS_MAX])
{
    size_t from = text->len;
    size_t digits = 0;
    size_t end = 0;
    size_t count = 0;

    buf_put_char(text, '"');
    buf_put(text, member);
    buf_put(text, SPAN_OF("\":"));
    digits = text->len;
    buf_put_u64(text, (uint64_t)cap);
    end = text->len;
    for (uint8_t i = 0; i < request->caps_count; i++) {
        const struct json_hit *hit = &request->caps[i];
        int64_t asked = INT64_MAX;

        if (hit->kind == JSON_NUMBER &&
            json_integer(json_hit_span(hit, request->body), &asked) == ERR_NONE && asked <= cap) {
            continue;
        }
        edits[count++] = (struct json_edit){.at = hit->at,
                                            .cut = hit->len,
                                            .put = span_make(text->at + digits, end - digits)};
    }
    if (request->caps_count == 0) {
        edits[count++] = write_cap(request, home, text, from);
    }
    return count;
}
