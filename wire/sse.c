/* SPDX-License-Identifier: Apache-2.0 */
/* wire/sse.c: mostly an event lies whole in the bytes fed and its lines end in LF: then one pass
 * reads it, and nothing is copied (take_plain). All others take two passes. The first finds the
 * event's end, byte order mark and line ends included, and may stop at any byte (find_end). The
 * second takes the fields out of the whole event (interpret). */
#include "wire/sse.h"

#include "base/must.h"

/* A buffer that an exceptional event has made larger than this is given back behind it. */
enum { KEPT_MAX = 64 * 1024 };

void sse_init(struct sse *sse, size_t held_max, size_t event_max)
{
    *sse = (struct sse){
        .held_max = held_max < event_max ? held_max : event_max,
        .event_max = event_max,
        .is_first = true,
        .ends_crlf = true,
    };
    buf_init(&sse->tail, sse->held_max);
    buf_init(&sse->joined, sse->held_max);
    buf_init(&sse->end, 2 * SSE_END_MAX);
}

void sse_fini(struct sse *sse)
{
    buf_fini(&sse->tail);
    buf_fini(&sse->joined);
    buf_fini(&sse->end);
}

static void empty_buf(struct buf *buf)
{
    if (buf->cap > KEPT_MAX) {
        buf_fini(buf);
    } else {
        buf_clear(buf);
    }
}

/* The first LF or CR, or `end`. The C library looks for one byte faster than we for two. */
static const char *find_line_end(const char *p, const char *end)
{
    const char *lf = memchr(p, '\n', (size_t)(end - p));
    const char *stop = lf == NULL ? end : lf;
    const char *cr = memchr(p, '\r', (size_t)(stop - p));

    return cr == NULL ? stop : cr;
}

/* A line ends at the byte `c` in front of which it is blank. True: so does the event. */
static bool end_blank_line(struct sse *sse, char c)
{
    if (c == '\r' && sse->ends_crlf) {
        sse->place = SSE_PLACE_BLANK_CR;
        return false;
    }
    sse->place = c == '\r' ? SSE_PLACE_CR : SSE_PLACE_LINE;
    sse->ends_crlf = false;
    return true;
}

/* At the begin of a line, with its first byte. */
static bool begin_line(struct sse *sse, const char **p)
{
    if (**p == '\n' || **p == '\r') {
        *p += 1;
        return end_blank_line(sse, (*p)[-1]);
    }
    sse->place = SSE_PLACE_TEXT;
    return false;
}

/* A byte where the byte order mark may stand: it leaves its line blank. */
static void read_mark(struct sse *sse, const char **p)
{
    unsigned char c = (unsigned char)**p;

    if (sse->place == SSE_PLACE_FIRST) {
        sse->place = c == 0xef ? SSE_PLACE_BOM_1 : SSE_PLACE_LINE;
        *p += c == 0xef;
    } else if (sse->place == SSE_PLACE_BOM_1) {
        sse->place = c == 0xbb ? SSE_PLACE_BOM_2 : SSE_PLACE_TEXT;
        *p += c == 0xbb;
    } else {
        sse->place = c == 0xbf ? SSE_PLACE_LINE : SSE_PLACE_TEXT;
        *p += c == 0xbf;
    }
}

static void end_line(struct sse *sse, const char **p, const char *end)
{
    const char *q = find_line_end(*p, end);

    if (q < end) {
        sse->place = *q == '\r' ? SSE_PLACE_CR : SSE_PLACE_LINE;
        sse->ends_crlf = false;
        q++;
    }
    *p = q;
}

/* One step of the machine. True: the event ends at `p`. */
static bool advance(struct sse *sse, const char **p, const char *end)
{
    bool is_lf = **p == '\n';

    switch (sse->place) {
    case SSE_PLACE_FIRST:
    case SSE_PLACE_BOM_1:
    case SSE_PLACE_BOM_2: read_mark(sse, p); return false;
    case SSE_PLACE_LINE: return begin_line(sse, p);
    case SSE_PLACE_TEXT: end_line(sse, p, end); return false;
    case SSE_PLACE_CR:
    case SSE_PLACE_BLANK_CR: {
        bool is_blank = sse->place == SSE_PLACE_BLANK_CR;

        *p += is_lf;
        sse->ends_crlf = is_lf;
        sse->place = SSE_PLACE_LINE;
        return is_blank;
    }
    }
    UNREACHABLE();
}

/* How many of these bytes belong to the present event; has_end: it ends with them. */
static size_t find_end(struct sse *sse, struct span bytes, bool *has_end)
{
    const char *p = bytes.at;
    const char *end = bytes.at + bytes.len;

    *has_end = false;
    while (p < end && !*has_end) {
        *has_end = advance(sse, &p, end);
    }
    return (size_t)(p - bytes.at);
}

/* One more data line. The first one stays where it is; only a second one makes a copy needed. */
static bool add_data(struct sse *sse, struct sse_event *event, struct span line)
{
    if (!event->has_data) {
        event->has_data = true;
        event->data = line;
        return true;
    }
    if (sse->joined.len == 0) {
        buf_put(&sse->joined, event->data);
    }
    buf_put_char(&sse->joined, '\n');
    buf_put(&sse->joined, line);
    event->data = buf_span(&sse->joined);
    return !sse->joined.failed;
}

/* "name: value": without a colon the whole line is the name; one space behind it is no value. */
static bool read_field(struct sse *sse, struct sse_event *event, struct span line)
{
    struct span rest = line;
    struct span name = span_cut(&rest, ':');
    struct span value = rest.at == NULL ? span_make(line.at + line.len, 0) : rest;

    if (value.len > 0 && value.at[0] == ' ') {
        value = span_from(value, 1);
    }
    if (span_equal(name, SPAN_OF("data"))) {
        return add_data(sse, event, value);
    }
    if (span_equal(name, SPAN_OF("event"))) {
        event->name = value;
    }
    return true;
}

static struct span without_mark(struct span raw)
{
    return raw.len >= 3 && memcmp(raw.at, "\xef\xbb\xbf", 3) == 0 ? span_from(raw, 3) : raw;
}

/* False: no memory to join data lines. */
static bool interpret(struct sse *sse, struct sse_event *event, struct span raw)
{
    struct span rest = sse->is_first ? without_mark(raw) : raw;
    const char *p = rest.at;
    const char *end = rest.at + rest.len;

    *event = (struct sse_event){.raw = raw};
    sse->is_first = false;
    while (p < end) {
        const char *q = find_line_end(p, end);

        /* The LF of a CR LF looks like one more blank line, which says nothing here. */
        if (q > p && !read_field(sse, event, span_make(p, (size_t)(q - p)))) {
            return false;
        }
        p = q < end ? q + 1 : end;
    }
    return true;
}

static void drop_given(struct sse *sse)
{
    if (sse->is_given) {
        empty_buf(&sse->tail);
        sse->is_given = false;
    }
    if (sse->joined.len > 0 || sse->joined.failed) {
        empty_buf(&sse->joined);
    }
    if (sse->passed == 0 && (sse->end.cap > 0 || sse->end.failed)) {
        buf_fini(&sse->end);
    }
}

static void take(struct span *in, size_t count)
{
    *in = span_make(in->at + count, in->len - count);
}

static struct span last_bytes(struct span bytes)
{
    return bytes.len > SSE_END_MAX ? span_from(bytes, bytes.len - SSE_END_MAX) : bytes;
}

/* More of an oversized event: what usage it told stands near its end. */
static void keep_end(struct sse *sse, struct span piece)
{
    struct span more = last_bytes(piece);

    if (sse->end.len + more.len > 2 * SSE_END_MAX) {
        struct span kept = last_bytes(buf_span(&sse->end));

        memmove(sse->end.at, kept.at, kept.len);
        sse->end.len = kept.len;
    }
    buf_put(&sse->end, more);
}

/* The event is longer than held_max: bytes go on as they come, first those held so far. */
static enum sse_step pass_piece(struct sse *sse, struct span *in, size_t count, bool has_end,
                                struct sse_event *event)
{
    *event = (struct sse_event){
        .raw = span_make(in->at, count),
        .is_piece = true,
        .is_last_piece = has_end,
    };
    keep_end(sse, event->raw);
    if (has_end && !sse->end.failed) {
        event->end = last_bytes(buf_span(&sse->end));
    }
    sse->passed = has_end ? 0 : sse->passed + count;
    sse->is_first = false;
    take(in, count);
    return SSE_EVENT;
}

static enum sse_step pass_tail(struct sse *sse, struct sse_event *event)
{
    *event = (struct sse_event){.raw = buf_span(&sse->tail), .is_piece = true};
    keep_end(sse, event->raw);
    sse->passed = sse->tail.len;
    sse->is_given = true;
    sse->is_first = false;
    return SSE_EVENT;
}

static enum sse_step hold(struct sse *sse, struct span *in, size_t count)
{
    buf_put(&sse->tail, span_make(in->at, count));
    take(in, count);
    return sse->tail.failed ? SSE_NO_MEMORY : SSE_MORE;
}

static enum sse_step pass_event(struct sse *sse, struct span *in, size_t count,
                                struct sse_event *event)
{
    struct span raw = span_make(in->at, count);

    if (sse->tail.len > 0) {
        buf_put(&sse->tail, raw);
        if (sse->tail.failed) {
            return SSE_NO_MEMORY;
        }
        raw = buf_span(&sse->tail);
        sse->is_given = true;
    }
    take(in, count);
    return interpret(sse, event, raw) ? SSE_EVENT : SSE_NO_MEMORY;
}

/* False: the event is none of the usual ones, and nothing has changed. */
static bool take_plain(struct sse *sse, struct span *in, struct sse_event *event)
{
    const char *p = in->at;
    const char *end = p + (in->len < sse->held_max ? in->len : sse->held_max);
    struct sse_event found = {0};

    while (p < end && *p != '\n') {
        const char *lf = memchr(p, '\n', (size_t)(end - p));

        if (lf == NULL || found.has_data) { /* not whole, or data to be joined, or a last field */
            return false;
        }
        (void)read_field(sse, &found, span_make(p, (size_t)(lf - p)));
        p = lf + 1;
    }
    if (p == end || memchr(in->at, '\r', (size_t)(p - in->at)) != NULL) {
        return false;
    }
    found.raw = span_make(in->at, (size_t)(p + 1 - in->at));
    sse->ends_crlf = false;
    take(in, found.raw.len);
    *event = found;
    return true;
}

static enum sse_step feed_once(struct sse *sse, struct span *in, struct sse_event *event)
{
    if (sse->place == SSE_PLACE_LINE && sse->tail.len == 0 && sse->passed == 0 && !sse->is_first &&
        take_plain(sse, in, event)) {
        return SSE_EVENT;
    }
    size_t room = sse->event_max - sse->passed - sse->tail.len;
    enum sse_place place = sse->place;
    bool ends_crlf = sse->ends_crlf;
    bool has_end = false;
    size_t count = 0;

    if (room == 0 && (place != SSE_PLACE_BLANK_CR || in->at[0] == '\n')) {
        return SSE_TOO_LONG;
    }
    /* Without room one byte is looked at, which only shows that the event has ended before it. */
    count =
        find_end(sse, span_make(in->at, room == 0 || in->len < room ? in->len : room), &has_end);
    if (sse->passed == 0 && sse->tail.len + count <= sse->held_max) {
        return has_end ? pass_event(sse, in, count, event) : hold(sse, in, count);
    }
    if (sse->tail.len > 0) {
        /* These bytes are searched once more when the held ones are gone. */
        sse->place = place;
        sse->ends_crlf = ends_crlf;
        return pass_tail(sse, event);
    }
    return pass_piece(sse, in, count, has_end, event);
}

enum sse_step sse_feed(struct sse *sse, struct span *in, struct sse_event *event)
{
    enum sse_step step = SSE_MORE;

    drop_given(sse);
    /* At most two rounds: a second one only when event_max is reached with bytes left. */
    while (step == SSE_MORE && in->len > 0) {
        step = feed_once(sse, in, event);
    }
    return step;
}

bool sse_finish(struct sse *sse, struct sse_event *event)
{
    drop_given(sse);
    sse->passed = 0;
    if (sse->tail.len == 0) {
        return false;
    }
    if (!interpret(sse, event, buf_span(&sse->tail))) {
        *event = (struct sse_event){.raw = buf_span(&sse->tail)};
    }
    sse->is_given = true;
    return true;
}
