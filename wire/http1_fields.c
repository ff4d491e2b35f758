/* SPDX-License-Identifier: Apache-2.0 */
/* wire/http1_fields.c: what the fields of a head mean for its framing and its connection. Here
 * stand the rules against request smuggling (RFC 9112, 6 and 11.2): a length that two readers could
 * understand differently is refused, never repaired. */
#include "wire/http1_inner.h"

#include "base/must.h"
#include "base/text.h"

/* A length of 20 digits is the longest that fits 64 bits; more are padding with a purpose. */
enum { LENGTH_DIGITS_MAX = 20 };

unsigned http1_fault_status(enum http1_fault fault)
{
    switch (fault) {
    case HTTP1_FAULT_NONE: return 200;
#define HTTP1_FAULT(name, status, code)                                                            \
    case HTTP1_FAULT_##name:                                                                       \
        return status;
#include "wire/http1_faults.def"
#undef HTTP1_FAULT
    }
    UNREACHABLE();
}

const char *http1_fault_code(enum http1_fault fault)
{
    switch (fault) {
    case HTTP1_FAULT_NONE: return "none";
#define HTTP1_FAULT(name, status, code)                                                            \
    case HTTP1_FAULT_##name:                                                                       \
        return code;
#include "wire/http1_faults.def"
#undef HTTP1_FAULT
    }
    UNREACHABLE();
}

struct span http1_part_span(struct http1_part part, const char *base)
{
    return span_make(base + part.at, part.len);
}

struct span http1_name(const struct http1_head *head, const char *base, size_t i)
{
    return span_make(base + head->fields[i].name_at, head->fields[i].name_len);
}

struct span http1_value(const struct http1_head *head, const char *base, size_t i)
{
    return span_make(base + head->fields[i].value_at, head->fields[i].value_len);
}

int http1_find(const struct http1_head *head, const char *base, struct span name, size_t from)
{
    for (size_t i = from; i < head->count; i++) {
        if (head->fields[i].name_len == name.len &&
            span_equal_nocase(http1_name(head, base, i), name)) {
            return (int)i;
        }
    }
    return -1;
}

static bool is_seen(const struct http1_head *head, enum http1_seen bit)
{
    return (head->scan.seen & bit) != 0;
}

static void set_seen(struct http1_head *head, enum http1_seen bit)
{
    head->scan.seen = (uint8_t)(head->scan.seen | bit);
}

static enum http1_fault judge_host(struct http1_head *head, const char *base, size_t i)
{
    struct span host = http1_value(head, base, i);

    if (is_seen(head, HTTP1_SEEN_HOST) || !http1_host_is_valid(host)) {
        return HTTP1_FAULT_HOST;
    }
    if (is_seen(head, HTTP1_SEEN_AUTHORITY) &&
        !span_equal_nocase(host, http1_part_span(head->host, base))) {
        return HTTP1_FAULT_HOST_MISMATCH;
    }
    set_seen(head, HTTP1_SEEN_HOST);
    head->host = (struct http1_part){head->fields[i].value_at, head->fields[i].value_len};
    return HTTP1_FAULT_NONE;
}

static enum http1_fault judge_length(struct http1_head *head, struct span value)
{
    if (is_seen(head, HTTP1_SEEN_LENGTH) || is_seen(head, HTTP1_SEEN_CODING) ||
        value.len > LENGTH_DIGITS_MAX || text_read_u64(value, &head->length) != ERR_NONE) {
        return HTTP1_FAULT_FRAMING;
    }
    set_seen(head, HTTP1_SEEN_LENGTH);
    head->framing = HTTP1_BODY_LENGTH;
    return HTTP1_FAULT_NONE;
}

static bool is_token(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!http1_is(text.at[i], HTTP1_TOKEN)) {
            return false;
        }
    }
    return text.len > 0;
}

/* A well-formed list of codings that ends in its only `chunked`: understood, but not done here. All
 * else leaves it open where the body ends. */
static bool ends_chunked(struct span value)
{
    struct span coding = {0};
    bool is_chunked = false;

    do {
        coding = span_trim(span_cut(&value, ','));
        if (is_chunked || !is_token(coding)) {
            return false;
        }
        is_chunked = span_equal_nocase(coding, SPAN_OF("chunked"));
    } while (value.at != NULL);
    return is_chunked;
}

static enum http1_fault judge_coding(struct http1_head *head, struct span value)
{
    if (is_seen(head, HTTP1_SEEN_LENGTH) || is_seen(head, HTTP1_SEEN_CODING) || head->minor == 0) {
        return HTTP1_FAULT_FRAMING;
    }
    if (!span_equal_nocase(value, SPAN_OF("chunked"))) {
        return head->kind == HTTP1_REQUEST && ends_chunked(value) ? HTTP1_FAULT_CODING
                                                                  : HTTP1_FAULT_FRAMING;
    }
    set_seen(head, HTTP1_SEEN_CODING);
    head->framing = HTTP1_BODY_CHUNKED;
    return HTTP1_FAULT_NONE;
}

/* A sender that nominates Transfer-Encoding wants the next reader to see another framing. */
static enum http1_fault judge_connection(struct http1_head *head, struct span value)
{
    do {
        struct span option = span_trim(span_cut(&value, ','));

        if (span_equal_nocase(option, SPAN_OF("close"))) {
            set_seen(head, HTTP1_SEEN_CLOSE);
        } else if (span_equal_nocase(option, SPAN_OF("keep-alive"))) {
            set_seen(head, HTTP1_SEEN_KEEP_ALIVE);
        } else if (span_equal_nocase(option, SPAN_OF("transfer-encoding"))) {
            return HTTP1_FAULT_FRAMING;
        }
    } while (value.at != NULL);
    return HTTP1_FAULT_NONE;
}

/* HTTP/1.0 knows no expectations: they are ignored there (RFC 9110, 10.1.1). */
static enum http1_fault judge_expect(struct http1_head *head, struct span value)
{
    if (head->minor == 0) {
        return HTTP1_FAULT_NONE;
    }
    head->expects_continue = span_equal_nocase(value, SPAN_OF("100-continue"));
    return head->expects_continue ? HTTP1_FAULT_NONE : HTTP1_FAULT_EXPECT;
}

enum http1_fault http1_judge_field(struct http1_head *head, const char *base, size_t i)
{
    struct span name = http1_name(head, base, i);
    bool is_request = head->kind == HTTP1_REQUEST;

    switch (http1_shape(name)) {
    case HTTP1_SHAPE_HOST:
        return is_request && span_equal_nocase(name, SPAN_OF("host")) ? judge_host(head, base, i)
                                                                      : HTTP1_FAULT_NONE;
    case HTTP1_SHAPE_EXPECT:
        return is_request && span_equal_nocase(name, SPAN_OF("expect"))
                   ? judge_expect(head, http1_value(head, base, i))
                   : HTTP1_FAULT_NONE;
    case HTTP1_SHAPE_UPGRADE:
        head->has_upgrade = head->has_upgrade || span_equal_nocase(name, SPAN_OF("upgrade"));
        return HTTP1_FAULT_NONE;
    case HTTP1_SHAPE_CONNECTION:
        return span_equal_nocase(name, SPAN_OF("connection"))
                   ? judge_connection(head, http1_value(head, base, i))
                   : HTTP1_FAULT_NONE;
    case HTTP1_SHAPE_LENGTH:
        return span_equal_nocase(name, SPAN_OF("content-length"))
                   ? judge_length(head, http1_value(head, base, i))
                   : HTTP1_FAULT_NONE;
    case HTTP1_SHAPE_CODING:
        return span_equal_nocase(name, SPAN_OF("transfer-encoding"))
                   ? judge_coding(head, http1_value(head, base, i))
                   : HTTP1_FAULT_NONE;
    default: return HTTP1_FAULT_NONE;
    }
}

/* Of two contradicting options, close wins. */
static bool is_kept(const struct http1_head *head)
{
    return !is_seen(head, HTTP1_SEEN_CLOSE) &&
           (head->minor > 0 || is_seen(head, HTTP1_SEEN_KEEP_ALIVE));
}

void http1_head_no_body(struct http1_head *head)
{
    head->framing = HTTP1_BODY_NONE;
    head->length = 0;
    head->keep_alive = is_kept(head);
}

static void judge_response(struct http1_head *head)
{
    bool promises = head->framing == HTTP1_BODY_CHUNKED || head->length > 0;

    head->keep_alive = is_kept(head);
    if (head->status < 200 || head->status == 204 || head->status == 304) {
        /* Who promises a body that cannot come may send it all the same, and it would be taken for
         * the next response. A 304 may tell the length of what it stands for. */
        bool is_odd = promises && (head->status != 304 || head->framing == HTTP1_BODY_CHUNKED);

        http1_head_no_body(head);
        head->keep_alive = head->keep_alive && !is_odd;
    } else if (head->framing == HTTP1_BODY_NONE) {
        head->framing = HTTP1_BODY_UNTIL_CLOSE;
        head->keep_alive = false;
    }
}

enum http1_fault http1_judge_head(struct http1_head *head)
{
    if (head->kind == HTTP1_RESPONSE) {
        judge_response(head);
        return HTTP1_FAULT_NONE;
    }
    head->keep_alive = is_kept(head);
    return head->minor > 0 && !is_seen(head, HTTP1_SEEN_HOST) ? HTTP1_FAULT_HOST : HTTP1_FAULT_NONE;
}
