/* SPDX-License-Identifier: Apache-2.0 */
/* base/span.h: borrowed bytes, a pointer and a length. Owns nothing, is never freed, need not end
 * in NUL. Every text that comes from outside is handled as a span. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char *at;
    size_t len;
};

/* A span over a string literal, usable in constant tables. */
#define SPAN(literal) {"" literal, sizeof(literal) - 1}
#define SPAN_OF(literal) ((struct span){"" literal, sizeof(literal) - 1})
/* For "%.*s": a span as the two arguments that printf wants. */
#define SPAN_ARGS(s) (int)(s).len, (s).at

static inline struct span span_make(const char *at, size_t len)
{
    return (struct span){at, len};
}

static inline struct span span_of(const char *text)
{
    return (struct span){text, text == NULL ? 0 : strlen(text)};
}

static inline bool span_is_empty(struct span s)
{
    return s.len == 0;
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* ASCII only; never looks at the locale. */
bool span_equal_nocase(struct span a, struct span b);
bool span_starts(struct span s, struct span prefix);
bool span_starts_nocase(struct span s, struct span prefix);
bool span_ends(struct span s, struct span suffix);
/* Without blanks and tabs at both ends (optional white space of RFC 9110, 5.6.3). */
struct span span_trim(struct span s);
/* Where `needle` first stands in `s`, or NULL. An empty needle is found at once. */
const char *span_find(struct span s, struct span needle);
/* Whether `s` fits a pattern in which '*' stands for any run of characters, also none. Linear in the
 * length of `s` for each star. */
bool span_fits(struct span s, struct span pattern);
/* Takes the bytes before the first `separator` off the front of `rest`, and the separator with
 * them; without one it takes all. `rest->at` is NULL when nothing is left to cut. */
struct span span_cut(struct span *rest, char separator);
/* The bytes from `from` to the end; `from` beyond the end gives an empty span. */
struct span span_from(struct span s, size_t from);

#endif
