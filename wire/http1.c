/* SPDX-License-Identifier: Apache-2.0 */
/* wire/http1.c: the scanner of heads. It walks through the states below, each of which reads one
 * element and remembers in scan.at how far it has come, so that no byte is looked at twice and a
 * split between any two bytes changes nothing. A field whose line is all there is read at once
 * instead. A limit counts before the byte that stands there.
 *
 *   request    START [START_LF] METHOD TARGET_FIRST [SCHEME AUTHORITY] TARGET VERSION LINE_LF
 *   response   STATUS [REASON] LINE_LF
 *   then       (FIELD NAME VALUE VALUE_LF)... FIELD END_LF, and DONE; or BAD from anywhere */
#include "wire/http1.h"

#include "base/must.h"
#include "wire/http1_inner.h"

enum state {
    START,
    START_LF,
    METHOD,
    TARGET_FIRST,
    SCHEME,
    AUTHORITY,
    TARGET,
    VERSION,
    STATUS,
    REASON,
    LINE_LF,
    FIELD,
    NAME,
    VALUE,
    VALUE_LF,
    END_LF,
    DONE,
    BAD
};

void http1_head_init(struct http1_head *head, enum http1_kind kind)
{
    memset(head, 0, offsetof(struct http1_head, fields));
    head->kind = kind;
    head->scan.state = kind == HTTP1_REQUEST ? START : STATUS;
}

/* The steps return whether there is more to read: not at the end of the bytes, and not after a
 * fault. */

static bool refuse(struct http1_head *head, enum http1_fault fault)
{
    head->fault = fault;
    head->scan.state = BAD;
    return false;
}

static bool enter(struct http1_head *head, enum state state, size_t at)
{
    head->scan.at = (uint32_t)at;
    head->scan.state = (uint8_t)state;
    return true;
}

static bool wait_at(struct http1_head *head, size_t at)
{
    head->scan.at = (uint32_t)at;
    return false;
}

/* Before the request line: LIMIT_EMPTY_LINES empty ones are forgiven. */
static bool step_start(struct http1_head *head, struct span in)
{
    size_t at = head->scan.at;

    if (in.at[at] != '\r') {
        head->scan.line = (uint32_t)at;
        return enter(head, METHOD, at);
    }
    if (head->scan.lines == LIMIT_EMPTY_LINES) {
        return refuse(head, HTTP1_FAULT_REQUEST_LINE);
    }
    head->scan.lines++;
    return enter(head, START_LF, at + 1);
}

static bool step_start_lf(struct http1_head *head, struct span in)
{
    if (in.at[head->scan.at] != '\n') {
        return refuse(head, HTTP1_FAULT_REQUEST_LINE);
    }
    return enter(head, START, head->scan.at + 1);
}

static bool step_method(struct http1_head *head, struct span in)
{
    size_t at = http1_run_end(in, head->scan.at, HTTP1_TOKEN);
    size_t length = at - head->scan.line;
    struct span method = span_make(in.at + head->scan.line, length);

    if (length > LIMIT_REQUEST_LINE) {
        return refuse(head, HTTP1_FAULT_REQUEST_LINE);
    }
    if (at == in.len) {
        return wait_at(head, at);
    }
    if (length == 0 || in.at[at] != ' ') {
        return refuse(head, HTTP1_FAULT_REQUEST_LINE);
    }
    if (span_equal(method, SPAN_OF("CONNECT")) || span_equal(method, SPAN_OF("TRACE"))) {
        return refuse(head, HTTP1_FAULT_METHOD);
    }
    head->method = (struct http1_part){head->scan.line, (uint32_t)length};
    return enter(head, TARGET_FIRST, at + 1);
}

/* The asterisk goes on to the version only in the preface of HTTP/2, which deserves its own
 * answer. A letter begins the absolute form or is refused there. */
static bool step_target_first(struct http1_head *head, struct span in)
{
    size_t at = head->scan.at;
    char c = in.at[at];

    head->target.at = (uint32_t)at;
    if (c == '/') {
        return enter(head, TARGET, at);
    }
    if (c == '*' && span_equal(http1_part_span(head->method, in.at), SPAN_OF("PRI"))) {
        return enter(head, TARGET, at);
    }
    if (c == 'h' || c == 'H') {
        return enter(head, SCHEME, at);
    }
    return refuse(head, c == ' ' || c == '\t' || c == '\r' || c == '\n' ? HTTP1_FAULT_REQUEST_LINE
                                                                        : HTTP1_FAULT_TARGET);
}

static bool step_scheme(struct http1_head *head, struct span in)
{
    static const struct span schemes[] = {SPAN("http://"), SPAN("https://")};
    struct span rest = span_from(in, head->target.at);

    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
        if (span_starts_nocase(rest, schemes[i])) {
            head->host.at = (uint32_t)(head->target.at + schemes[i].len);
            return enter(head, AUTHORITY, head->host.at);
        }
        if (span_starts_nocase(schemes[i], rest)) {
            return wait_at(head, in.len);
        }
    }
    return refuse(head, HTTP1_FAULT_TARGET);
}

/* Which limit the target has passed, if any. Of the two, the one that is reached first counts. */
static enum http1_fault target_excess(const struct http1_head *head, size_t at)
{
    size_t from = head->method.at + head->method.len + 1;

    if (from - head->scan.line > LIMIT_REQUEST_LINE - LIMIT_TARGET) {
        return at - head->scan.line > LIMIT_REQUEST_LINE ? HTTP1_FAULT_REQUEST_LINE
                                                         : HTTP1_FAULT_NONE;
    }
    return at - from > LIMIT_TARGET ? HTTP1_FAULT_TARGET_LONG : HTTP1_FAULT_NONE;
}

/* A path must follow: what stands before it is no target for anything here. */
static bool step_authority(struct http1_head *head, struct span in)
{
    size_t at = http1_run_end(in, head->scan.at, HTTP1_AUTHORITY);
    size_t length = at - head->host.at;
    enum http1_fault excess = target_excess(head, at);

    if (excess != HTTP1_FAULT_NONE) {
        return refuse(head, excess);
    }
    if (at == in.len) {
        return wait_at(head, at);
    }
    if (in.at[at] != '/' || !http1_host_is_valid(span_make(in.at + head->host.at, length))) {
        return refuse(head, HTTP1_FAULT_TARGET);
    }
    head->host.len = (uint32_t)length;
    head->scan.seen |= HTTP1_SEEN_AUTHORITY;
    head->target.at = (uint32_t)at;
    return enter(head, TARGET, at);
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The escape that begins the bytes: its length, 0 when its end is not there yet, -1 when it is
 * malformed or stands for NUL. */
static int escape_length(struct span bytes)
{
    if (bytes.len >= 2 && !is_hex(bytes.at[1])) {
        return -1;
    }
    if (bytes.len < 3) {
        return 0;
    }
    return is_hex(bytes.at[2]) && (bytes.at[1] != '0' || bytes.at[2] != '0') ? 3 : -1;
}

static bool step_target(struct http1_head *head, struct span in)
{
    size_t at = http1_run_end(in, head->scan.at, HTTP1_TARGET);
    enum http1_fault excess = target_excess(head, at);
    int escape = 0;

    if (excess != HTTP1_FAULT_NONE) {
        return refuse(head, excess);
    }
    if (at == in.len) {
        return wait_at(head, at);
    }
    switch (in.at[at]) {
    case ' ':
        head->target.len = (uint32_t)(at - head->target.at);
        return enter(head, VERSION, at + 1);
    case '%':
        escape = escape_length(span_from(in, at));
        if (escape == 0) {
            return wait_at(head, at);
        }
        return escape < 0 ? refuse(head, HTTP1_FAULT_TARGET)
                          : enter(head, TARGET, at + (size_t)escape);
    case '\r':
    case '\n': return refuse(head, HTTP1_FAULT_REQUEST_LINE); /* no version: HTTP/0.9 */
    default: return refuse(head, HTTP1_FAULT_TARGET);
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A version is exactly HTTP/, a digit, a point, a digit (RFC 9112, 2.3). Where something else
 * begins that could be part of a target, the blank before it stood inside the target. */
static bool step_version(struct http1_head *head, struct span in)
{
    static const struct span form = SPAN("HTTP/1.1");
    size_t from = head->target.at + head->target.len + 1;
    size_t at = head->scan.at;

    for (; at < in.len && at - from < form.len; at++) {
        char c = in.at[at];
        char wanted = form.at[at - from];

        if (wanted == '1' ? !is_digit(c) : c != wanted) {
            bool is_target = at == from && c != 'h' && (c == '%' || http1_is(c, HTTP1_TARGET));

            return refuse(head, is_target ? HTTP1_FAULT_TARGET : HTTP1_FAULT_REQUEST_LINE);
        }
    }
    if (at - head->scan.line > LIMIT_REQUEST_LINE) {
        return refuse(head, HTTP1_FAULT_REQUEST_LINE);
    }
    if (at == in.len) {
        return wait_at(head, at);
    }
    return in.at[at] == '\r' ? enter(head, LINE_LF, at + 1)
                             : refuse(head, HTTP1_FAULT_REQUEST_LINE);
}

/* HTTP/1.0 or HTTP/1.1, a blank, three digits of which the first is not 0. The reason may be
 * missing with its blank: some servers leave both out. */
static bool step_status(struct http1_head *head, struct span in)
{
    static const struct span least = SPAN("HTTP/1.0 100");
    static const struct span most = SPAN("HTTP/1.1 999");
    size_t at = head->scan.at;

    for (; at < in.len && at < least.len; at++) {
        if (in.at[at] < least.at[at] || in.at[at] > most.at[at]) {
            return refuse(head, HTTP1_FAULT_STATUS_LINE);
        }
    }
    if (at == in.len) {
        return wait_at(head, at);
    }
    switch (in.at[at]) {
    case ' ': return enter(head, REASON, at + 1);
    case '\r': return enter(head, LINE_LF, at + 1);
    default: return refuse(head, HTTP1_FAULT_STATUS_LINE);
    }
}

static bool step_reason(struct http1_head *head, struct span in)
{
    size_t at = http1_value_end(in, head->scan.at);

    if (at == in.len) {
        return wait_at(head, at);
    }
    return in.at[at] == '\r' ? enter(head, LINE_LF, at + 1) : refuse(head, HTTP1_FAULT_STATUS_LINE);
}

static unsigned digit(char c)
{
    return (unsigned)(c - '0');
}

static bool end_request_line(struct http1_head *head, struct span in, size_t end)
{
    struct span version = span_make(in.at + end - 8, 8);

    head->minor = version.at[7] == '1';
    if (!span_equal(version, SPAN_OF("HTTP/1.1")) && !span_equal(version, SPAN_OF("HTTP/1.0"))) {
        return refuse(head, HTTP1_FAULT_VERSION);
    }
    if (in.at[head->target.at] == '*') {
        return refuse(head, HTTP1_FAULT_TARGET);
    }
    return true;
}

/* The line feed after the first line, whose carriage return stands just before. */
static bool step_line_lf(struct http1_head *head, struct span in)
{
    size_t at = head->scan.at;
    bool is_request = head->kind == HTTP1_REQUEST;

    if (in.at[at] != '\n') {
        return refuse(head, is_request ? HTTP1_FAULT_REQUEST_LINE : HTTP1_FAULT_STATUS_LINE);
    }
    if (is_request && !end_request_line(head, in, at - 1)) {
        return false;
    }
    if (!is_request) {
        head->minor = in.at[7] == '1';
        head->status = (uint16_t)(digit(in.at[9]) * 100 + digit(in.at[10]) * 10 + digit(in.at[11]));
    }
    return enter(head, FIELD, at + 1);
}


/* No blank is allowed before the name (a folded line) or after it (RFC 9112, 5.1 and 5.2). */
static bool step_name(struct http1_head *head, struct span in)
{
    size_t at = http1_name_end(in, head->scan.at);
    size_t length = at - head->scan.line;

    if (head->kind == HTTP1_REQUEST && length > LIMIT_REQUEST_NAME) {
        return refuse(head, HTTP1_FAULT_HEAD_LONG);
    }
    if (at == in.len) {
        return wait_at(head, at);
    }
    if (length == 0 || in.at[at] != ':') {
        return refuse(head, HTTP1_FAULT_FIELD);
    }
    head->fields[head->count].name_at = head->scan.line;
    head->fields[head->count].name_len = (uint16_t)length;
    return enter(head, VALUE, at + 1);
}

static bool step_value(struct http1_head *head, struct span in)
{
    size_t at = http1_value_end(in, head->scan.at);

    if (head->kind == HTTP1_REQUEST && at - head->scan.line > LIMIT_REQUEST_FIELD) {
        return refuse(head, HTTP1_FAULT_HEAD_LONG);
    }
    if (at == in.len) {
        return wait_at(head, at);
    }
    switch (in.at[at]) {
    case '\r': return enter(head, VALUE_LF, at + 1);
    case '\n': return refuse(head, HTTP1_FAULT_LINE_END);
    default: return refuse(head, HTTP1_FAULT_FIELD);
    }
}

static bool step_value_lf(struct http1_head *head, struct span in)
{
    struct http1_field *field = &head->fields[head->count];
    size_t from = field->name_at + field->name_len + (size_t)1;
    size_t at = head->scan.at;
    struct span value = span_trim(span_make(in.at + from, at - 1 - from));
    enum http1_fault fault = HTTP1_FAULT_NONE;

    if (in.at[at] != '\n') {
        return refuse(head, HTTP1_FAULT_LINE_END);
    }
    field->value_at = (uint32_t)(value.at - in.at);
    field->value_len = (uint16_t)value.len;
    if (http1_is_judged(span_make(in.at + field->name_at, field->name_len))) {
        fault = http1_judge_field(head, in.at, head->count);
    }
    if (fault != HTTP1_FAULT_NONE) {
        return refuse(head, fault);
    }
    head->count++;
    return enter(head, FIELD, at + 1);
}

/* A short cut for the line that is all there: where its line feed stands. 0 when something is
 * missing or odd: then NAME and VALUE read it anew, so that faults have one source. */
static size_t whole_line(struct http1_head *head, struct span in, size_t at)
{
    size_t name_end = http1_name_end(in, at);
    size_t end = 0;

    if (name_end == at || name_end == in.len || in.at[name_end] != ':') {
        return 0;
    }
    end = http1_value_end(in, name_end + 1);
    if (in.len - end < 2 || in.at[end] != '\r' || in.at[end + 1] != '\n') {
        return 0;
    }
    if (head->kind == HTTP1_REQUEST &&
        (name_end - at > LIMIT_REQUEST_NAME || end - at > LIMIT_REQUEST_FIELD)) {
        return 0;
    }
    head->fields[head->count].name_at = (uint32_t)at;
    head->fields[head->count].name_len = (uint16_t)(name_end - at);
    return end + 1;
}

/* The first byte of a line: the end of the head, or a field if one more is allowed. */
static bool step_field(struct http1_head *head, struct span in)
{
    size_t at = head->scan.at;
    unsigned max = head->kind == HTTP1_REQUEST ? LIMIT_REQUEST_FIELDS : LIMIT_RESPONSE_FIELDS;
    size_t end = 0;

    if (in.at[at] == '\r') {
        return enter(head, END_LF, at + 1);
    }
    if (head->count == max) {
        return refuse(head, HTTP1_FAULT_HEAD_LONG);
    }
    head->scan.line = (uint32_t)at;
    end = whole_line(head, in, at);
    return end > 0 ? enter(head, VALUE_LF, end) : enter(head, NAME, at);
}

static bool step_end_lf(struct http1_head *head, struct span in)
{
    size_t at = head->scan.at;
    enum http1_fault fault = HTTP1_FAULT_LINE_END;

    if (in.at[at] == '\n') {
        fault = http1_judge_head(head);
    }
    if (fault != HTTP1_FAULT_NONE) {
        return refuse(head, fault);
    }
    head->size = (uint32_t)at + 1;
    return enter(head, DONE, at + 1) && false;
}

/* One element; there is at least one byte to read. */
static bool step(struct http1_head *head, struct span in)
{
    switch ((enum state)head->scan.state) {
    case START: return step_start(head, in);
    case START_LF: return step_start_lf(head, in);
    case METHOD: return step_method(head, in);
    case TARGET_FIRST: return step_target_first(head, in);
    case SCHEME: return step_scheme(head, in);
    case AUTHORITY: return step_authority(head, in);
    case TARGET: return step_target(head, in);
    case VERSION: return step_version(head, in);
    case STATUS: return step_status(head, in);
    case REASON: return step_reason(head, in);
    case LINE_LF: return step_line_lf(head, in);
    case FIELD: return step_field(head, in);
    case NAME: return step_name(head, in);
    case VALUE: return step_value(head, in);
    case VALUE_LF: return step_value_lf(head, in);
    case END_LF: return step_end_lf(head, in);
    case DONE:
    case BAD: return false;
    }
    UNREACHABLE();
}

enum http1_step http1_head_feed(struct http1_head *head, struct span bytes)
{
    size_t max = head->kind == HTTP1_REQUEST ? LIMIT_REQUEST_HEAD : LIMIT_RESPONSE_HEAD;
    struct span in = span_make(bytes.at, bytes.len < max ? bytes.len : max);

    must(in.len >= head->scan.at);
    while (head->scan.at < in.len && step(head, in)) {
    }
    if (head->scan.state == DONE) {
        return HTTP1_DONE;
    }
    if (head->fault == HTTP1_FAULT_NONE && in.len == max) {
        (void)refuse(head, HTTP1_FAULT_HEAD_LONG);
    }
    return head->fault == HTTP1_FAULT_NONE ? HTTP1_MORE : HTTP1_BAD;
}
