/* SPDX-License-Identifier: Apache-2.0 */
/* wire/http1_body.c: takes the framing off a body. Chunked framing (RFC 9112, 7.1) is a machine
 * over single bytes; the data between is handed out in one piece.
 *
 *   SIZE SIZE_MORE [EXTENSION [QUOTED [ESCAPED]]] SIZE_LF DATA DATA_CR DATA_LF  and again, or
 *   after size 0: (TRAILER TRAILER_NAME TRAILER_VALUE TRAILER_LF)... TRAILER END_LF ENDED */
#include "base/must.h"
#include "wire/http1_inner.h"

enum state {
    SIZE,
    SIZE_MORE,
    EXTENSION,
    QUOTED,
    ESCAPED,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    ENDED,
    BROKEN
};

void http1_body_init(struct http1_body *body, enum http1_framing framing, uint64_t length)
{
    *body = (struct http1_body){
        .framing = framing,
        .left = framing == HTTP1_BODY_LENGTH ? length : 0,
        .state = framing == HTTP1_BODY_CHUNKED ? SIZE : DATA,
    };
}

/* The next state when the byte is the one that must come. */
static enum http1_fault expect(struct http1_body *body, char c, char wanted, enum state next)
{
    body->state = (uint8_t)next;
    return c == wanted ? HTTP1_FAULT_NONE : HTTP1_FAULT_CHUNK;
}

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum http1_fault count_extension(struct http1_body *body)
{
    body->extension++;
    body->overhead++;
    return body->extension > LIMIT_CHUNK_EXTENSION || body->overhead > LIMIT_CHUNK_OVERHEAD
               ? HTTP1_FAULT_CHUNK_OVERHEAD
               : HTTP1_FAULT_NONE;
}

/* No blank is allowed around the size: readers differ on what it ends. */
static enum http1_fault take_size(struct http1_body *body, char c)
{
    int value = hex_value(c);

    if (value >= 0) {
        body->digits++;
        body->left = body->left << 4 | (unsigned)value;
        body->state = SIZE_MORE;
        return body->digits > LIMIT_CHUNK_DIGITS ? HTTP1_FAULT_CHUNK : HTTP1_FAULT_NONE;
    }
    if (c == ';' && body->state == SIZE_MORE) {
        body->state = EXTENSION;
        return count_extension(body);
    }
    return body->state == SIZE_MORE ? expect(body, c, '\r', SIZE_LF) : HTTP1_FAULT_CHUNK;
}

/* Extensions are read only to know where they end; quotes must be closed before the line is. */
static enum http1_fault take_extension(struct http1_body *body, char c)
{
    bool is_quoted = body->state != EXTENSION;

    if (c == '\r' && !is_quoted) {
        body->state = SIZE_LF;
        return HTTP1_FAULT_NONE;
    }
    if (!http1_is(c, HTTP1_VALUE) || (!is_quoted && (unsigned char)c >= 0x80)) {
        return HTTP1_FAULT_CHUNK;
    }
    if (body->state == ESCAPED) {
        body->state = QUOTED;
    } else if (c == '"') {
        body->state = is_quoted ? EXTENSION : QUOTED;
    } else if (c == '\\' && is_quoted) {
        body->state = ESCAPED;
    }
    return count_extension(body);
}

static enum http1_fault end_size(struct http1_body *body, char c)
{
    if (body->left > UINT64_MAX - body->payload) {
        return HTTP1_FAULT_CHUNK;
    }
    return expect(body, c, '\n', body->left == 0 ? TRAILER : DATA);
}

static enum http1_fault end_data(struct http1_body *body, char c)
{
    body->digits = 0;
    body->extension = 0;
    return expect(body, c, '\n', SIZE);
}

static enum http1_fault take_trailer_value(struct http1_body *body, char c)
{
    if (c == '\r') {
        body->state = TRAILER_LF;
        return HTTP1_FAULT_NONE;
    }
    if (c == '\n') {
        return HTTP1_FAULT_LINE_END;
    }
    return http1_is(c, HTTP1_VALUE) ? HTTP1_FAULT_NONE : HTTP1_FAULT_FIELD;
}

/* The lines after the last chunk have the form of header fields, and mean nothing to anybody. */
static enum http1_fault take_trailer(struct http1_body *body, char c)
{
    enum state state = (enum state)body->state;

    if (++body->trailers > LIMIT_TRAILERS) {
        return HTTP1_FAULT_TRAILERS_LONG;
    }
    if (state == TRAILER_VALUE) {
        return take_trailer_value(body, c);
    }
    if (state == TRAILER_LF || state == END_LF) {
        body->state = state == END_LF ? ENDED : TRAILER;
        return c == '\n' ? HTTP1_FAULT_NONE : HTTP1_FAULT_LINE_END;
    }
    if (state == TRAILER && c == '\r') {
        body->state = END_LF;
        return HTTP1_FAULT_NONE;
    }
    if (state == TRAILER_NAME && c == ':') {
        body->state = TRAILER_VALUE;
        return HTTP1_FAULT_NONE;
    }
    body->state = TRAILER_NAME;
    return http1_is(c, HTTP1_TOKEN) ? HTTP1_FAULT_NONE : HTTP1_FAULT_FIELD;
}

static enum http1_fault take_framing(struct http1_body *body, char c)
{
    switch ((enum state)body->state) {
    case SIZE:
    case SIZE_MORE: return take_size(body, c);
    case EXTENSION:
    case QUOTED:
    case ESCAPED: return take_extension(body, c);
    case SIZE_LF: return end_size(body, c);
    case DATA_CR: return expect(body, c, '\r', DATA_LF);
    case DATA_LF: return end_data(body, c);
    case TRAILER:
    case TRAILER_NAME:
    case TRAILER_VALUE:
    case TRAILER_LF:
    case END_LF: return take_trailer(body, c);
    case DATA:
    case ENDED:
    case BROKEN: break;
    }
    UNREACHABLE();
}

/* Hands out what is there of `left` bytes. */
static void take_data(struct http1_body *body, struct span *in, struct span *out)
{
    size_t length = body->left < in->len ? (size_t)body->left : in->len;

    *out = span_make(in->at, length);
    *in = span_from(*in, length);
    body->left -= length;
    body->payload += length;
}

/* Reads on through the framing behind a piece, so that the last piece mostly brings the end with
 * it; stops before the next piece. A fault behind a piece waits for the next call: the state tells
 * it, and the byte stays in `in`. */
static enum http1_step feed_chunked(struct http1_body *body, struct span *in, struct span *out)
{
    while (in->len > 0 && body->state != ENDED && body->state != BROKEN) {
        if (body->state != DATA) {
            body->fault = take_framing(body, in->at[0]);
            if (body->fault != HTTP1_FAULT_NONE) {
                body->state = BROKEN;
                break;
            }
            *in = span_from(*in, 1);
        } else if (out->len == 0) {
            take_data(body, in, out);
            body->state = body->left == 0 ? DATA_CR : DATA;
        } else {
            return HTTP1_MORE;
        }
    }
    if (body->state == BROKEN) {
        return out->len > 0 ? HTTP1_MORE : HTTP1_BAD;
    }
    return body->state == ENDED ? HTTP1_DONE : HTTP1_MORE;
}

enum http1_step http1_body_feed(struct http1_body *body, struct span *in, struct span *out)
{
    *out = span_make(in->at, 0);
    switch (body->framing) {
    case HTTP1_BODY_NONE: return HTTP1_DONE;
    case HTTP1_BODY_LENGTH:
        take_data(body, in, out);
        return body->left == 0 ? HTTP1_DONE : HTTP1_MORE;
    case HTTP1_BODY_CHUNKED: return feed_chunked(body, in, out);
    case HTTP1_BODY_UNTIL_CLOSE:
        body->left = UINT64_MAX;
        take_data(body, in, out);
        return HTTP1_MORE;
    }
    UNREACHABLE();
}
