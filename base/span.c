/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

#include <stdint.h>

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Eight bytes at once. The sums set the high bit of bytes from 'A' on and of bytes beyond 'Z'; the
 * bit that tells the cases apart is two below. */
static uint64_t lower_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low = word & ones * 0x7f;
    uint64_t upper = (low + ones * (0x80 - 'A')) & ~(low + ones * (0x7f - 'Z')) & ~word;

    return word | (upper & ones * 0x80) >> 2;
}

static bool words_equal_nocase(const char *a, const char *b)
{
    uint64_t x = 0;
    uint64_t y = 0;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x == y || lower_word(x) == lower_word(y);
}

bool span_equal_nocase(struct span a, struct span b)
{
    size_t i = 0;

    if (a.len != b.len) {
        return false;
    }
    for (; i + sizeof(uint64_t) <= a.len; i += sizeof(uint64_t)) {
        if (!words_equal_nocase(a.at + i, b.at + i)) {
            return false;
        }
    }
    if (i > 0) {
        /* The rest together with bytes that are known to be equal. */
        i = a.len - sizeof(uint64_t);
        return words_equal_nocase(a.at + i, b.at + i);
    }
    for (; i < a.len; i++) {
        if (a.at[i] != b.at[i] && lower(a.at[i]) != lower(b.at[i])) {
            return false;
        }
    }
    return true;
}

bool span_starts(struct span s, struct span prefix)
{
    return s.len >= prefix.len && span_equal(span_make(s.at, prefix.len), prefix);
}

bool span_starts_nocase(struct span s, struct span prefix)
{
    return s.len >= prefix.len && span_equal_nocase(span_make(s.at, prefix.len), prefix);
}

bool span_ends(struct span s, struct span suffix)
{
    return s.len >= suffix.len &&
           span_equal(span_make(s.at + (s.len - suffix.len), suffix.len), suffix);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct span span_trim(struct span s)
{
    while (s.len > 0 && is_blank(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.at[s.len - 1])) {
        s.len--;
    }
    return s;
}

const char *span_find(struct span s, struct span needle)
{
    const char *at = s.at;

    if (needle.len == 0) {
        return s.at;
    }
    while (s.len >= needle.len) {
        at = memchr(s.at, needle.at[0], s.len - needle.len + 1);
        if (at == NULL) {
            return NULL;
        }
        if (memcmp(at, needle.at, needle.len) == 0) {
            return at;
        }
        s = span_from(s, (size_t)(at - s.at) + 1);
    }
    return NULL;
}

bool span_fits(struct span s, struct span pattern)
{
    size_t p = 0;
    size_t n = 0;
    size_t star = pattern.len; /* where the last '*' stands, and what it had swallowed by then */
    size_t mark = 0;

    while (n < s.len) {
        if (p < pattern.len && pattern.at[p] == '*') {
            star = p++;
            mark = n;
        } else if (p < pattern.len && pattern.at[p] == s.at[n]) {
            p++;
            n++;
        } else if (star < pattern.len) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.at[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

struct span span_cut(struct span *rest, char separator)
{
    struct span head = *rest;
    const char *at = rest->len == 0 ? NULL : memchr(rest->at, separator, rest->len);

    if (at == NULL) {
        *rest = span_make(NULL, 0);
        return head;
    }
    head.len = (size_t)(at - rest->at);
    *rest = span_make(at + 1, rest->len - head.len - 1);
    return head;
}

struct span span_from(struct span s, size_t from)
{
    if (from >= s.len) {
        return span_make(s.at == NULL ? NULL : s.at + s.len, 0);
    }
    return span_make(s.at + from, s.len - from);
}
