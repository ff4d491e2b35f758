/* SPDX-License-Identifier: Apache-2.0 */
/* wire/http1.h: strict, incremental scanner of HTTP/1.1 heads and bodies (RFC 9110, 9112), for
 * requests of apps and responses of providers. Refuses whatever two readers could understand
 * differently. Never allocates, never copies: places are offsets into the caller's bytes, so the
 * bytes may move between two feeds. */
#ifndef WIRE_HTTP1_H
#define WIRE_HTTP1_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/span.h"

enum http1_kind { HTTP1_REQUEST, HTTP1_RESPONSE };

/* Why a head or a body was refused: rows of http1_faults.def. */
enum http1_fault {
    HTTP1_FAULT_NONE = 0,
#define HTTP1_FAULT(name, status, code) HTTP1_FAULT_##name,
#include "wire/http1_faults.def"
#undef HTTP1_FAULT
};

/* The status (400, 414, 431, ...) and the stable code ("bad_framing", ...) an app is told. */
unsigned http1_fault_status(enum http1_fault fault);
const char *http1_fault_code(enum http1_fault fault);

/* A piece of the head by place. */
struct http1_part {
    uint32_t at;
    uint32_t len;
};

struct http1_field {
    uint32_t name_at;
    uint32_t value_at; /* blanks at both ends already taken off */
    uint16_t name_len;
    uint16_t value_len;
};

enum http1_framing {
    HTTP1_BODY_NONE,       /* no body follows */
    HTTP1_BODY_LENGTH,     /* `length` bytes follow (may be 0) */
    HTTP1_BODY_CHUNKED,
    HTTP1_BODY_UNTIL_CLOSE /* responses only */
};

struct http1_head {
    enum http1_kind kind;
    enum http1_fault fault;
    enum http1_framing framing;
    uint16_t status;          /* response: 100..999 */
    uint16_t count;           /* of fields */
    uint8_t minor;            /* HTTP/1.<minor>: 0 or 1 */
    bool keep_alive;          /* by version and Connection */
    bool expects_continue;    /* request: Expect: 100-continue */
    bool has_upgrade;         /* an Upgrade field stands there */
    uint32_t size;            /* of the whole head with its blank line; valid when done */
    uint64_t length;          /* Content-Length, when framing is LENGTH */
    struct http1_part method; /* request */
    struct http1_part target; /* request: as sent; for absolute form the part from the path on */
    struct http1_part host;   /* request: the one Host value (or the absolute form's authority) */
    struct http1_scan {       /* the scanner's own place; nobody else looks */
        uint32_t at;
        uint32_t line;
        uint32_t lines;
        uint8_t state;
        uint8_t seen; /* which fields have passed */
    } scan;
    struct http1_field fields[LIMIT_RESPONSE_FIELDS];
};

enum http1_step { HTTP1_MORE, HTTP1_DONE, HTTP1_BAD };

/* Clears everything but the field table. */
void http1_head_init(struct http1_head *head, enum http1_kind kind);

/* Reads on in `bytes`, which holds the message from its first byte (each call the same bytes and
 * perhaps more, perhaps elsewhere in memory). HTTP1_DONE: head->size bytes are the head, the rest is
 * body or the next message. HTTP1_BAD: head->fault says why, at the first byte that proves it; the
 * connection must be closed. Any split of the same bytes gives the same result. Linear in all. */
enum http1_step http1_head_feed(struct http1_head *head, struct span bytes);

/* Response to a HEAD request, and 1xx, 204, 304: call after DONE to say that no body follows. The
 * scanner itself does so for 1xx, 204 and 304. */
void http1_head_no_body(struct http1_head *head);

/* The i-th field's name and value. `base` is where the message begins now. */
struct span http1_name(const struct http1_head *head, const char *base, size_t i);
struct span http1_value(const struct http1_head *head, const char *base, size_t i);
struct span http1_part_span(struct http1_part part, const char *base);
/* The index of the first field of this name (any case) at or after `from`, or -1. */
int http1_find(const struct http1_head *head, const char *base, struct span name, size_t from);

/* The body's framing, taken off piece by piece. A value machine. */
struct http1_body {
    enum http1_framing framing;
    enum http1_fault fault;
    uint8_t state;
    uint8_t digits;
    uint16_t extension;
    uint32_t overhead; /* bytes of extensions, all chunks */
    uint32_t trailers; /* bytes */
    uint64_t left;     /* of the body (LENGTH) or of this chunk */
    uint64_t payload;  /* bytes handed out so far */
};

void http1_body_init(struct http1_body *body, enum http1_framing framing, uint64_t length);

/* Takes bytes off the front of `in` and gives the next piece of payload in `out` (a view into `in`,
 * empty when this step brought none). MORE: call again with more bytes if `in` is now empty, else
 * at once. DONE: the body is complete, what is left in `in` is not part of it; the last piece may
 * come together with DONE. BAD: body->fault; never with a piece. UNTIL_CLOSE never says DONE, NONE
 * and a length of 0 say it at once. Trailers are checked and thrown away. */
enum http1_step http1_body_feed(struct http1_body *body, struct span *in, struct span *out);

#endif
