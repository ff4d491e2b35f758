/* SPDX-License-Identifier: Apache-2.0 */
/* What an app's head says to us, and which of its lines may go on. */
#include "proxy/call_parts.h"

#include "base/text.h"
#include "enforcement/idempotency.h"
#include "wire/head.h"

enum { PATIENCE_MAX_S = 86400, ID_MAX = 128, TAG_MAX = 64, TAGS_MAX = 16 };

struct span call_head_span(const struct call_head *head, struct http1_part part)
{
    return part.len == 0 ? span_make("", 0) : span_make(head->text.at + part.at, part.len);
}

struct http1_part call_head_keep(struct call_head *head, struct span bytes)
{
    struct http1_part part = {.at = (uint32_t)head->text.len, .len = (uint32_t)bytes.len};

    buf_put(&head->text, bytes);
    return part;
}

static bool is_name(struct span value, size_t max)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        bool is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
        if (!is_good) {
            return false;
        }
    }
    return value.len > 0 && value.len <= max;
}

static bool is_id(struct span value)
{
    return is_name(value, ID_MAX);
}

/* Where the fields of one head stand that are not simply passed on. */
struct seen {
    int authorization;
    int key;
    int content_type;
    int request_id;
    int traceparent;
    int trace;
    int tags;
    int timeout;
    int task;
    int route;
    int session; /* the operator's own name for it wins over what agents send */
    int no_failover;
    int idempotency;
    bool is_twice; /* two Content-Type that differ */
    bool has_two_authorizations;
    bool has_encoding;
};

static struct refusal no(enum refusal_kind kind, const char *param)
{
    return (struct refusal){.kind = kind, .param = param};
}

static void read_patience(struct call_head *out, struct span value)
{
    uint64_t seconds = 0;

    /* "600" or "600.0"; what is not understood does not bound us. */
    if (text_read_u64(span_cut(&value, '.'), &seconds) == ERR_NONE && seconds > 0 &&
        seconds <= PATIENCE_MAX_S) {
        out->patience_ms = (uint32_t)seconds * 1000;
    }
}

static void see_content_type(struct seen *seen, const struct http1_head *head, const char *base,
                             int i)
{
    if (seen->content_type >= 0 &&
        !span_equal_nocase(http1_value(head, base, (size_t)seen->content_type),
                           http1_value(head, base, (size_t)i))) {
        seen->is_twice = true;
    }
    seen->content_type = i;
}

/* Of several the first counts, but x-headgate-session before all others. */
static void see_session(struct seen *seen, const struct http1_head *head, const char *base, int i)
{
    if (http1_value(head, base, (size_t)i).len > 0 &&
        (seen->session < 0 ||
         span_equal_nocase(http1_name(head, base, (size_t)i), SPAN_OF("x-headgate-session")))) {
        seen->session = i;
    }
}

static enum head_use see(struct call *call, const struct http1_head *head, const char *base, int i,
                         struct seen *seen)
{
    enum head_use use = head_use(http1_name(head, base, (size_t)i));
    struct span value = http1_value(head, base, (size_t)i);

    switch (use) {
    case HEAD_AUTHORIZATION:
        seen->has_two_authorizations = seen->authorization >= 0;
        seen->authorization = i;
        break;
    case HEAD_KEY:
        if (value.len > 0) {
            seen->key = i;
        }
        break;
    case HEAD_CONTENT_TYPE: see_content_type(seen, head, base, i); break;
    case HEAD_CONTENT_ENCODING:
        seen->has_encoding = seen->has_encoding || !span_equal_nocase(value, SPAN_OF("identity"));
        break;
    case HEAD_REQUEST_ID: seen->request_id = i; break;
    case HEAD_TRACEPARENT: seen->traceparent = i; break;
    case HEAD_TRACE: seen->trace = i; break;
    case HEAD_TAGS: seen->tags = i; break;
    case HEAD_TIMEOUT: seen->timeout = i; break;
    case HEAD_TASK: seen->task = i; break;
    case HEAD_ROUTE: seen->route = i; break;
    case HEAD_SESSION: see_session(seen, head, base, i); break;
    case HEAD_NO_FAILOVER: seen->no_failover = i; break;
    case HEAD_IDEMPOTENCY: seen->idempotency = i; break;
    case HEAD_PATIENCE: read_patience(&call->head, value); break;
    case HEAD_STAYS:
    case HEAD_PASSES:
    case HEAD_SCOPE: break;
    }
    return use;
}

static bool is_wanted_by_provider(const struct snapshot *snapshot, struct span name)
{
    for (size_t i = 0; i < snapshot->routing.providers_count; i++) {
        const struct provider *provider = &snapshot->routing.providers[i];
        for (size_t k = 0; k < provider->forward_headers_count; k++) {
            if (span_equal_nocase(provider->forward_headers[k], name)) {
                return true;
            }
        }
    }
    return false;
}

/* A coded body that is not looked into goes on with the word that says so. */
static bool passes(const struct call *call, enum head_use use)
{
    return use == HEAD_PASSES || use == HEAD_CONTENT_TYPE || use == HEAD_PATIENCE ||
           use == HEAD_TRACEPARENT ||
           (use == HEAD_CONTENT_ENCODING && call->match.operation->kind == OPERATION_PASS);
}

/* The field's line as it came, CRLF included. */
static struct span line_of(const struct http1_head *head, const char *base, int i)
{
    uint32_t from = head->fields[i].name_at;
    uint32_t to = i + 1 < head->count ? head->fields[i + 1].name_at : head->size - 2;

    return span_make(base + from, to - from);
}

/* The first Connection field that may name others, or -1: nearly every one says keep-alive alone.
 */
static int first_nominating(const struct http1_head *head, const char *base)
{
    int i = http1_find(head, base, SPAN_OF("connection"), 0);

    while (i >= 0 && span_equal_nocase(http1_value(head, base, (size_t)i), SPAN_OF("keep-alive"))) {
        i = http1_find(head, base, SPAN_OF("connection"), (size_t)i + 1);
    }
    return i;
}

/* Whether one of the Connection fields, of which `first` is the first (-1: there is none), names
 * it. */
static bool is_nominated(const struct http1_head *head, const char *base, int first,
                         struct span name)
{
    while (first >= 0) {
        if (head_nominates(http1_value(head, base, (size_t)first), name)) {
            return true;
        }
        first = http1_find(head, base, SPAN_OF("connection"), (size_t)first + 1);
    }
    return false;
}

/* The lines that go to every provider first, then those that go to some. */
static void capture_lines(struct call *call, const struct http1_head *head, const char *base,
                          struct seen *seen)
{
    struct call_head *out = &call->head;
    int nominating = first_nominating(head, base);
    bool is_optional[LIMIT_RESPONSE_FIELDS] = {false};
    bool has_optional = false;

    out->passes.at = (uint32_t)out->text.len;
    for (int i = 0; i < head->count; i++) {
        struct span name = http1_name(head, base, (size_t)i);
        struct span value = http1_value(head, base, (size_t)i);
        enum head_use use = see(call, head, base, i, seen);

        is_optional[i] =
            use == HEAD_SCOPE || ((use == HEAD_STAYS || use == HEAD_IDEMPOTENCY) &&
                                  is_wanted_by_provider(call->snapshot, name));
        has_optional = has_optional || is_optional[i];
        if (passes(call, use) && head_value_is_plain(value) &&
            !is_nominated(head, base, nominating, name)) {
            buf_put(&out->text, line_of(head, base, i));
        }
    }
    out->passes.len = (uint32_t)out->text.len - out->passes.at;
    out->optional.at = (uint32_t)out->text.len;
    for (int i = 0; has_optional && i < head->count; i++) {
        struct span name = http1_name(head, base, (size_t)i);
        struct span value = http1_value(head, base, (size_t)i);

        if (is_optional[i] && head_value_is_plain(value) &&
            !is_nominated(head, base, nominating, name)) {
            head_put(&out->text, name, value);
        }
    }
    out->optional.len = (uint32_t)out->text.len - out->optional.at;
}

/* "key", be it percent-encoded: its reader would decode it, so ours must not pass it by. */
static bool is_key_name(struct span name)
{
    char text[4] = "";
    size_t len = 0;

    while (name.len > 0 && len < sizeof text) {
        size_t used = name.at[0] == '%' && name.len >= 3 ? 3 : 1;
        text[len++] = used == 3
                          ? (char)(text_hex_digit(name.at[1]) * 16 + text_hex_digit(name.at[2]))
                          : name.at[0];
        name = span_from(name, used);
    }
    return name.len == 0 && span_equal(span_make(text, len), SPAN_OF("key"));
}

/* The query without the app's credential; key= as a carrier is Google's way. */
static void capture_query(struct call *call, struct span query, bool has_key)
{
    struct call_head *out = &call->head;
    struct span rest = query;
    struct span key = span_make("", 0);

    out->query.at = (uint32_t)out->text.len;
    while (rest.len > 0) {
        struct span pair = span_cut(&rest, '&');
        struct span value = pair;
        if (is_key_name(span_cut(&value, '='))) {
            key = value.at == NULL ? key : value;
            continue;
        }
        if (out->text.len > out->query.at) {
            buf_put_char(&out->text, '&');
        }
        buf_put(&out->text, pair);
    }
    out->query.len = (uint32_t)out->text.len - out->query.at;
    if (!has_key && key.len > 0) {
        out->key = call_head_keep(out, key);
    }
}

static struct span without_scheme(struct span value)
{
    if (span_starts_nocase(value, SPAN_OF("bearer "))) {
        return span_trim(span_from(value, 7));
    }
    return value;
}

static void capture_key(struct call *call, const struct http1_head *head, const char *base,
                        const struct seen *seen)
{
    struct call_head *out = &call->head;
    struct span bearer = span_make("", 0);

    if (seen->authorization >= 0) {
        bearer = http1_value(head, base, (size_t)seen->authorization);
    }
    /* An empty Authorization is what some agents send beside the real key. */
    if (without_scheme(bearer).len > 0 && !span_equal_nocase(bearer, SPAN_OF("bearer"))) {
        out->bearer = call_head_keep(out, bearer);
        out->key = call_head_keep(out, without_scheme(bearer));
        out->has_two_keys = seen->key >= 0;
    } else if (seen->key >= 0) {
        out->key = call_head_keep(out, http1_value(head, base, (size_t)seen->key));
    }
}

static bool is_json_type(struct span value)
{
    struct span rest = value;
    struct span type = span_trim(span_cut(&rest, ';'));

    if (!span_equal_nocase(type, SPAN_OF("application/json")) &&
        !(span_starts_nocase(type, SPAN_OF("application/")) && span_ends(type, SPAN_OF("+json")))) {
        return false;
    }
    while (rest.len > 0) {
        struct span parameter = span_trim(span_cut(&rest, ';'));
        if (span_starts_nocase(parameter, SPAN_OF("charset=")) &&
            !span_equal_nocase(span_from(parameter, 8), SPAN_OF("utf-8")) &&
            !span_equal_nocase(span_from(parameter, 8), SPAN_OF("\"utf-8\""))) {
            return false;
        }
    }
    return true;
}

static struct refusal judge_body_fields(const struct call *call, const struct http1_head *head,
                                        const char *base, const struct seen *seen)
{
    enum operation_kind kind = call->match.operation->kind;

    if (seen->is_twice) {
        return no(REFUSAL_MEDIA_TYPE_TWICE, "content-type");
    }
    if (kind != OPERATION_CALL && kind != OPERATION_COUNT) {
        return no(REFUSAL_NONE, NULL);
    }
    if (head->framing == HTTP1_BODY_NONE) {
        return no(REFUSAL_BODY_REQUIRED, NULL);
    }
    if (seen->has_encoding) {
        return no(REFUSAL_ENCODING, "content-encoding");
    }
    if (seen->content_type < 0 ||
        !is_json_type(http1_value(head, base, (size_t)seen->content_type))) {
        return no(REFUSAL_MEDIA_TYPE, "content-type");
    }
    return no(REFUSAL_NONE, NULL);
}

/* "a, b" is kept as "a,b". False: no list of names. */
static bool capture_tags(struct call_head *out, struct span value)
{
    size_t count = 0;

    while (value.len > 0) {
        struct span tag = span_trim(span_cut(&value, ','));
        struct http1_part part;

        if (!is_name(tag, TAG_MAX) || ++count > TAGS_MAX) {
            return false;
        }
        part = call_head_keep(out, count == 1 ? tag : SPAN_OF(","));
        if (count == 1) {
            out->tags = part;
            continue;
        }
        (void)call_head_keep(out, tag);
        out->tags.len = out->tags.len + (uint32_t)tag.len + 1;
    }
    return true;
}

/* i: of the last one, -1: there is none. Of two nobody knows which one counts. */
static struct refusal capture_idempotency(struct call_head *out, const struct http1_head *head,
                                          const char *base, int i)
{
    struct span name = SPAN_OF("idempotency-key");

    if (i < 0) {
        return no(REFUSAL_NONE, NULL);
    }
    if (http1_find(head, base, name, 0) != i ||
        !idempotency_key_is_good(http1_value(head, base, (size_t)i))) {
        return no(REFUSAL_BAD_IDEMPOTENCY_KEY, "idempotency-key");
    }
    out->idempotency = call_head_keep(out, http1_value(head, base, (size_t)i));
    return no(REFUSAL_NONE, NULL);
}

static struct refusal capture_own(struct call *call, const struct http1_head *head,
                                  const char *base, const struct seen *seen)
{
    struct call_head *out = &call->head;
    struct span value;
    uint64_t ms = 0;

    if (seen->request_id >= 0) {
        value = http1_value(head, base, (size_t)seen->request_id);
        if (is_id(value)) {
            out->request_id = call_head_keep(out, value);
        }
    }
    if (seen->traceparent >= 0) {
        /* version-traceid-parentid-flags (W3C Trace Context); read for the log only. */
        value = http1_value(head, base, (size_t)seen->traceparent);
        if (value.len >= 55 && value.at[2] == '-' && value.at[35] == '-' &&
            is_id(span_make(value.at + 3, 32))) {
            out->trace_id = call_head_keep(out, span_make(value.at + 3, 32));
        }
    }
    if (seen->trace >= 0) {
        value = http1_value(head, base, (size_t)seen->trace);
        if (!is_id(value)) {
            return no(REFUSAL_BAD_TRACE, "x-headgate-trace");
        }
        out->trace = call_head_keep(out, value);
    }
    if (seen->tags >= 0 && !capture_tags(out, http1_value(head, base, (size_t)seen->tags))) {
        out->tags.len = 0;
        return no(REFUSAL_BAD_TAGS, "x-headgate-tags");
    }
    if (seen->timeout >= 0) {
        value = http1_value(head, base, (size_t)seen->timeout);
        if (text_read_u64(value, &ms) != ERR_NONE || ms == 0 || ms > UINT32_MAX) {
            return no(REFUSAL_BAD_TIMEOUT, "x-headgate-timeout-ms");
        }
        out->deadline_ms = (uint32_t)ms;
    }
    return capture_idempotency(out, head, base, seen->idempotency);
}

/* What the app says about where its call is to go. */
static void capture_way(struct call *call, const struct http1_head *head, const char *base,
                        const struct seen *seen)
{
    struct call_head *out = &call->head;
    struct span value;

    if (seen->task >= 0) {
        out->task = call_head_keep(out, http1_value(head, base, (size_t)seen->task));
    }
    if (seen->route >= 0) {
        out->route = call_head_keep(out, http1_value(head, base, (size_t)seen->route));
    }
    if (seen->session >= 0) {
        out->session = call_head_keep(out, http1_value(head, base, (size_t)seen->session));
    }
    if (seen->no_failover >= 0) {
        value = http1_value(head, base, (size_t)seen->no_failover);
        out->no_failover = !span_equal_nocase(value, SPAN_OF("false"));
    }
}

struct refusal call_head_capture(struct call *call, const struct http1_head *head, const char *base)
{
    struct call_head *out = &call->head;
    struct seen seen = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, false, false, false};
    struct refusal refusal;

    buf_hint(&out->text, head->size + 64);
    capture_lines(call, head, base, &seen);
    if (seen.has_two_authorizations) {
        return no(REFUSAL_AUTHORIZATION_TWICE, "authorization");
    }
    capture_key(call, head, base, &seen);
    capture_query(call, call->match.query, out->key.len > 0);
    out->version = call_head_keep(out, call->match.version);
    out->path = call_head_keep(out, call->match.upstream_path);
    buf_put(&call->model, call->match.model);
    out->method = call_head_keep(out, http1_part_span(head->method, base));
    out->has_body = head->framing != HTTP1_BODY_NONE;
    capture_way(call, head, base, &seen);
    refusal = capture_own(call, head, base, &seen);
    if (refusal.kind == REFUSAL_NONE) {
        refusal = judge_body_fields(call, head, base, &seen);
    }
    if (out->text.failed) {
        return no(REFUSAL_OVERLOADED, NULL);
    }
    return refusal;
}
