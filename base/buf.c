/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { BUF_FIRST = 64 };

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_fini(struct buf *buf)
{
    mem_give(buf->at, buf->cap);
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

/* The capacity to ask for: what is needed when empty, else at least twice the old one. */
static size_t grown(const struct buf *buf, size_t need)
{
    size_t cap = need;

    if (buf->cap > 0 && cap < buf->cap * 2) {
        cap = buf->cap * 2;
    }
    if (buf->len > 0 && cap < BUF_FIRST) {
        cap = BUF_FIRST;
    }
    return cap > buf->max ? buf->max : cap;
}

enum err buf_reserve(struct buf *buf, size_t more)
{
    size_t cap = 0;
    char *at = NULL;

    if (more <= buf->cap - buf->len) {
        return ERR_NONE;
    }
    if (more > buf->max - buf->len) {
        buf->failed = true;
        return ERR_CEILING;
    }
    cap = grown(buf, buf->len + more);
    at = mem_resize(buf->at, buf->cap, cap);
    if (at == NULL) {
        buf->failed = true;
        return ERR_MEMORY;
    }
    buf->at = at;
    buf->cap = cap;
    return ERR_NONE;
}

void buf_hint(struct buf *buf, size_t more)
{
    bool had_failed = buf->failed;

    if (buf_reserve(buf, more) != ERR_NONE) {
        buf->failed = had_failed;
    }
}

void buf_put_growing(struct buf *buf, struct span bytes)
{
    if (!buf->failed && buf_reserve(buf, bytes.len) == ERR_NONE) {
        buf_put(buf, bytes);
    }
}

void buf_put_text(struct buf *buf, const char *text)
{
    buf_put(buf, span_of(text));
}

static size_t count_digits(unsigned long long number)
{
    size_t count = 1;

    while (number >= 1000) {
        number /= 1000;
        count += 3;
    }
    return count + (number >= 10) + (number >= 100);
}

char *buf_digits(char *at, unsigned long long number)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "6869707172737475767778798081828384858687888990919293949596979899";
    char *end = at + count_digits(number);
    char *first = end;

    while (number >= 100) { /* by a constant: the compiler multiplies */
        first -= 2;
        memcpy(first, pairs + number % 100 * 2, 2);
        number /= 100;
    }
    if (number >= 10) {
        memcpy(at, pairs + number * 2, 2);
    } else {
        *at = (char)('0' + number);
    }
    return end;
}

void buf_put_u64(struct buf *buf, unsigned long long number)
{
    char digits[BUF_DIGITS_MAX];

    if (LIKELY(buf->cap - buf->len >= sizeof digits && !buf->failed)) {
        buf->len = (size_t)(buf_digits(buf->at + buf->len, number) - buf->at);
    } else {
        buf_put(buf, span_make(digits, (size_t)(buf_digits(digits, number) - digits)));
    }
}

void buf_put_format(struct buf *buf, const char *format, ...)
{
    char small[256];
    va_list args;
    int length = 0;

    va_start(args, format);
    length = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (length < 0 || buf->failed) {
        buf->failed = true;
        return;
    }
    if ((size_t)length < sizeof small) {
        buf_put(buf, span_make(small, (size_t)length));
        return;
    }
    if (buf_reserve(buf, (size_t)length + 1) != ERR_NONE) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(buf->at + buf->len, (size_t)length + 1, format, args);
    va_end(args);
    buf->len += (size_t)length;
}

void buf_drop_front(struct buf *buf, size_t count)
{
    must(count <= buf->len);
    buf->len -= count;
    if (buf->len > 0) {
        memmove(buf->at, buf->at + count, buf->len);
    }
}

void buf_truncate(struct buf *buf, size_t len)
{
    must(len <= buf->len);
    buf->len = len;
}

struct span buf_span(const struct buf *buf)
{
    return span_make(buf->at, buf->len);
}
