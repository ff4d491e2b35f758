/* SPDX-License-Identifier: Apache-2.0 */
/* wire/http1_inner.h: what the files of the scanner share: classes of bytes, and the meaning of
 * fields. Included by wire/http1*.c alone. */
#ifndef WIRE_HTTP1_INNER_H
#define WIRE_HTTP1_INNER_H

#include <stdbool.h>

#include "wire/http1.h"

/* Classes of bytes, as bits. */
enum http1_class {
    HTTP1_TOKEN = 1,     /* tchar of RFC 9110, 5.6.2: methods and field names */
    HTTP1_TARGET = 2,    /* of a request target, save '%', which begins an escape */
    HTTP1_VALUE = 4,     /* of a field value: printable, blank, tab, and all from 0x80 on */
    HTTP1_HOST = 8,      /* of a host name */
    HTTP1_AUTHORITY = 16 /* of a host name, an address in brackets, and the colon of a port */
};

extern const unsigned char http1_classes[256];

static inline bool http1_is(char c, enum http1_class class)
{
    return (http1_classes[(unsigned char)c] & class) != 0;
}

/* Where the run of bytes of this class ends that begins at `at`. */
size_t http1_run_end(struct span in, size_t at, enum http1_class class);
/* The same for HTTP1_TOKEN and HTTP1_VALUE, sixteen bytes at a time: most of a head is these two. */
size_t http1_name_end(struct span in, size_t at);
size_t http1_value_end(struct span in, size_t at);

/* What has passed in a head: bits of head->scan.seen. */
enum http1_seen {
    HTTP1_SEEN_AUTHORITY = 1, /* in the target */
    HTTP1_SEEN_HOST = 2,
    HTTP1_SEEN_LENGTH = 4,
    HTTP1_SEEN_CODING = 8,
    HTTP1_SEEN_CLOSE = 16,
    HTTP1_SEEN_KEEP_ALIVE = 32
};

/* host or host:port as RFC 9110, 7.2 wants it, but never empty, and the port a number. */
bool http1_host_is_valid(struct span host);
/* The length and the first letter of the fields that mean something to the scanner tell them from
 * nearly all others, before anything else is done. */
enum http1_shape {
    HTTP1_SHAPE_HOST = 4 << 8 | 'h',
    HTTP1_SHAPE_EXPECT = 6 << 8 | 'e',
    HTTP1_SHAPE_UPGRADE = 7 << 8 | 'u',
    HTTP1_SHAPE_CONNECTION = 10 << 8 | 'c',
    HTTP1_SHAPE_LENGTH = 14 << 8 | 'c',
    HTTP1_SHAPE_CODING = 17 << 8 | 't'
};

static inline size_t http1_shape(struct span name)
{
    return name.len << 8 | ((unsigned char)name.at[0] | 0x20U);
}

static inline bool http1_is_judged(struct span name)
{
    switch (http1_shape(name)) {
    case HTTP1_SHAPE_HOST:
    case HTTP1_SHAPE_EXPECT:
    case HTTP1_SHAPE_UPGRADE:
    case HTTP1_SHAPE_CONNECTION:
    case HTTP1_SHAPE_LENGTH:
    case HTTP1_SHAPE_CODING: return true;
    default: return false;
    }
}

/* Reads the meaning of the i-th field into the head; the fault that it proves, or none. */
enum http1_fault http1_judge_field(struct http1_head *head, const char *base, size_t i);
/* At the blank line: what is missing, where the body ends, whether the connection stays. */
enum http1_fault http1_judge_head(struct http1_head *head);

#endif
