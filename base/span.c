/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool span_equal_nocase(struct span a, struct span b)
{
    if (a.len != b.len) {
        return false;
    }
    if (a.len == 0 || memcmp(a.at, b.at, a.len) == 0) {
        return true; /* SDKs write names in lower case */
    }
    for (size_t i = 0; i < a.len; i++) {
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
