/* SPDX-License-Identifier: Apache-2.0 */
/* base/buf.h: growing bytes with a ceiling given at birth. A put that fails (no memory, ceiling)
 * leaves the bytes as they were and sets `failed`, which sticks until buf_clear: put many things,
 * check once. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/must.h"
#include "base/span.h"

enum { BUF_DIGITS_MAX = 20 };

struct buf {
    char *at;
    size_t len;
    size_t cap;
    size_t max;
    bool failed;
};

/* Takes no memory yet. max: the most bytes it will ever hold. */
void buf_init(struct buf *buf, size_t max);
/* Gives the memory back; the buffer is as after buf_init. Safe on a zeroed one, and twice. */
void buf_fini(struct buf *buf);
/* Forgets the bytes and the failure, keeps the memory. */
void buf_clear(struct buf *buf);
/* Room for `more` further bytes, exactly when the buffer is empty, else at least doubled. */
MUST_CHECK enum err buf_reserve(struct buf *buf, size_t more);
/* The same as a wish: what cannot be had now is asked for again when bytes come. */
void buf_hint(struct buf *buf, size_t more);
/* Where buf_put finds no room: grows, or fails. */
void buf_put_growing(struct buf *buf, struct span bytes);
/* The copies never overlap the buffer's own bytes. */
static inline void buf_put(struct buf *buf, struct span bytes)
{
    if (UNLIKELY(bytes.len > buf->cap - buf->len || buf->failed)) {
        buf_put_growing(buf, bytes);
    } else if (bytes.len > 0) {
        memcpy(buf->at + buf->len, bytes.at, bytes.len);
        buf->len += bytes.len;
    }
}
static inline void buf_put_char(struct buf *buf, char c)
{
    buf_put(buf, span_make(&c, 1));
}
void buf_put_text(struct buf *buf, const char *text);
void buf_put_u64(struct buf *buf, unsigned long long number);
/* The digits of a number to `at`, which has room for BUF_DIGITS_MAX; returns the place behind them. */
char *buf_digits(char *at, unsigned long long number);
void buf_put_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* Takes `count` bytes off the front; count <= len. */
void buf_drop_front(struct buf *buf, size_t count);
/* Forgets the bytes from `len` on; len <= buf->len. */
void buf_truncate(struct buf *buf, size_t len);
struct span buf_span(const struct buf *buf);

#endif
