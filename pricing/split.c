/* SPDX-License-Identifier: Apache-2.0 */
/* The patterns, as published with both encodings (tokenizers.md 3), one alternative a line:
 *
 *   cl100k  (?i:'s|'t|'re|'ve|'m|'ll|'d)                                          contraction
 *           [^\r\n\p{L}\p{N}]?\p{L}+                                              word
 *           \p{N}{1,3}                                                            number
 *            ?[^\s\p{L}\p{N}]+[\r\n]*                                             signs
 *           \s*[\r\n]+|\s+(?!\S)|\s+                                              blanks
 *   o200k
 * [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(contraction)?
 *           [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(contraction)?
 *           \p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
 */
#include "pricing/split.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/must.h"
#include "pricing/unicode_table.h"

enum {
    LETTER = UNICODE_UPPER | UNICODE_LOWER | UNICODE_CASELESS,
    BOTH =
        UNICODE_CASELESS | UNICODE_MARK, /* o200k: in the first and in the second set of a word */
    HEAD = UNICODE_UPPER | BOTH,
    TAIL = UNICODE_LOWER | BOTH,
    BLANK = UNICODE_SPACE | UNICODE_BREAK,
    NO_LEAD = UNICODE_BREAK | LETTER | UNICODE_NUMBER, /* what may not stand in front of a word */
    NO_SIGN = BLANK | LETTER | UNICODE_NUMBER,
    NUMBER_RUN = 3
};

/* One code point: its class, and how many bytes it has. */
struct point {
    unsigned class;
    unsigned len;
};

static bool is_trail(const char *p)
{
    return ((unsigned char)*p & 0xc0) == 0x80;
}

/* Whether `lead` may be followed by `second`: no overlong form, no surrogate, none past U+10FFFF.
 */
static bool is_pair(unsigned lead, unsigned second)
{
    switch (lead) {
    case 0xe0: return second >= 0xa0;
    case 0xed: return second < 0xa0;
    case 0xf0: return second >= 0x90;
    case 0xf4: return second < 0x90;
    default: return true;
    }
}

static struct point point_wide(const char *p, const char *end)
{
    const struct point broken = {UNICODE_OTHER, 1};
    unsigned lead = (unsigned char)*p;
    unsigned len = lead < 0xe0 ? 2 : (lead < 0xf0 ? 3 : 4);
    uint32_t code = lead & (0x7fU >> len);

    if (lead < 0xc2 || lead > 0xf4 || end - p < (ptrdiff_t)len ||
        !is_pair(lead, (unsigned char)p[1])) {
        return broken;
    }
    for (unsigned i = 1; i < len; i++) {
        if (!is_trail(p + i)) {
            return broken;
        }
        code = code << 6 | ((unsigned char)p[i] & 0x3f);
    }
    return (struct point){unicode_class_of(code), len};
}

/* At the end of the text: no class and no bytes, which is in no set and ends every run. */
static inline struct point point_at(const char *p, const char *end)
{
    if (UNLIKELY(p == end)) {
        return (struct point){UNICODE_OTHER, 0};
    }
    if (LIKELY((unsigned char)*p < 0x80)) {
        return (struct point){unicode_ascii[(unsigned char)*p], 1};
    }
    return point_wide(p, end);
}

/* Behind the run of code points whose class is in `set`. */
static inline const char *skip(const char *p, const char *end, unsigned set)
{
    for (struct point at = point_at(p, end); (at.class & set) != 0; at = point_at(p, end)) {
        p += at.len;
    }
    return p;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The two letters of a long contraction, or the long s (U+017F), which is an s when case does not
 * matter. */
static bool is_ending(const char *p)
{
    char second = lower(p[1]);

    switch (lower(*p)) {
    case 'r':
    case 'v': return second == 'e';
    case 'l': return second == 'l';
    default: return *p == '\xc5' && p[1] == '\xbf';
    }
}

/* Behind a contraction at `p`, or `p`. */
static const char *skip_contraction(const char *p, const char *end)
{
    if (LIKELY(end - p < 2 || *p != '\'')) {
        return p;
    }
    switch (lower(p[1])) {
    case 's':
    case 't':
    case 'm':
    case 'd': return p + 2;
    default: return end - p > 2 && is_ending(p + 1) ? p + 3 : p;
    }
}

/* The two word alternatives of o200k from behind the lead. First: HEAD* TAIL+. HEAD* takes all it
 * can; if no lower letter follows, it gives back until TAIL+ has one code point that is in both
 * sets, so the match ends behind the last such one. Second: HEAD+ TAIL*, which is asked only when
 * the first found none, when TAIL* can have none either. NULL: no match. */
struct word {
    const char *first;
    const char *second;
};

static struct word word_at(const char *p, const char *end)
{
    struct word word = {NULL, NULL};
    const char *head = p;
    struct point at = point_at(p, end);

    for (; (at.class & HEAD) != 0; at = point_at(head, end)) {
        head += at.len;
        if ((at.class & BOTH) != 0) {
            word.first = head;
        }
    }
    if (at.class == UNICODE_LOWER) {
        word.first = skip(head, end, TAIL);
    }
    if (head != p) {
        word.second = head;
    }
    return word;
}

/* Behind the word, or `p`. The order: first alternative with a lead and without, then the second.
 * Only a mark can be the lead as well as part of the word. */
static const char *skip_word_o200k(const char *p, const char *end)
{
    struct point lead = point_at(p, end);
    struct word word = {NULL, NULL};
    const char *to = NULL;

    if ((lead.class & (UNICODE_NUMBER | UNICODE_BREAK)) != 0) {
        return p;
    }
    word = word_at((lead.class & LETTER) != 0 ? p : p + lead.len, end);
    to = word.first;
    if (to == NULL && lead.class == UNICODE_MARK) {
        to = p + lead.len; /* all that follows is upper case, so TAIL+ is the mark itself */
    }
    if (to == NULL) {
        to = word.second;
    }
    return to == NULL ? p : skip_contraction(to, end);
}

static const char *skip_word_cl100k(const char *p, const char *end)
{
    struct point lead = point_at(p, end);
    const char *letters = (lead.class & NO_LEAD) != 0 ? p : p + lead.len;
    const char *to = skip(letters, end, LETTER);

    return to == letters ? p : to;
}

static const char *skip_number(const char *p, const char *end)
{
    for (int i = 0; i < NUMBER_RUN; i++) {
        struct point at = point_at(p, end);

        if (at.class != UNICODE_NUMBER) {
            break;
        }
        p += at.len;
    }
    return p;
}

static const char *skip_signs(const char *p, const char *end, bool takes_slash)
{
    const char *signs = *p == ' ' ? p + 1 : p;
    const char *to = signs;
    struct point at = point_at(to, end);

    for (; at.len > 0 && (at.class & NO_SIGN) == 0; at = point_at(to, end)) {
        to += at.len;
    }
    if (to == signs) {
        return p;
    }
    while (to != end && (*to == '\r' || *to == '\n' || (takes_slash && *to == '/'))) {
        to++;
    }
    return to;
}

/* Behind the last line break of the run; without one, the run but for its last blank when something
 * follows; a single blank in any case. */
static const char *skip_blanks(const char *p, const char *end)
{
    const char *last = p; /* where the last code point of the run begins */
    const char *behind_break = NULL;
    const char *to = p;

    for (struct point at = point_at(to, end); (at.class & BLANK) != 0; at = point_at(to, end)) {
        last = to;
        to += at.len;
        if (at.class == UNICODE_BREAK) {
            behind_break = to;
        }
    }
    if (behind_break != NULL) {
        return behind_break;
    }
    return to == end || last == p ? to : last;
}

size_t split_next(enum split_pattern pattern, const char *p, const char *end)
{
    const char *to = p;
    bool is_o200k = pattern == SPLIT_O200K;

    must(p < end);
    if (!is_o200k) {
        to = skip_contraction(p, end);
    }
    if (to == p) {
        to = is_o200k ? skip_word_o200k(p, end) : skip_word_cl100k(p, end);
    }
    if (to == p) {
        to = skip_number(p, end);
    }
    if (to == p) {
        to = skip_signs(p, end, is_o200k);
    }
    if (to == p) {
        to = skip_blanks(p, end);
    }
    must(to > p);
    return (size_t)(to - p);
}
