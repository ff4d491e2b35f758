/* SPDX-License-Identifier: Apache-2.0 */
/* Where text is cut, alternative by alternative. Pieces are shown with '|' between them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "pricing/split.h"

struct row {
    const char *cl100k;
    const char *o200k; /* NULL: as the other */
};

static const struct row rows[] = {
    {"hello| world", NULL},
    {"Hello|,| world|!", NULL},
    /* Contractions: an alternative of its own, or the end of a word. */
    {"don|'t", "don't"},
    {"WON|'T| they|'ll", "WON'T| they'll"},
    {"it|'s", "it's"},
    {"it|'\u017f", "it'\u017f"},
    {"'s|he", "'she"},
    {"'re|st", "'rest"},
    {"a|'x", NULL},
    {"a|'l", NULL},
    {"I|'m|'d|'ve", "I'm|'d've"},
    {"don|\u2019t", NULL},
    /* The lead: one code point of anything but letters, numbers and line breaks. */
    {"\"quoted|\"", NULL},
    {"((|x", NULL},
    {"\tx", NULL},
    {"\n|x", NULL},
    {"\u00a0|\u00a0x", NULL},
    /* Numbers in groups of three code points. */
    {"123|456|7", NULL},
    {"x|\u00b2|y", NULL},
    {"\u0663\u0664\u0665|\u0666", NULL},
    {" |123", NULL},
    /* Signs, with what may follow them. */
    {" !!\n\n|x", NULL},
    {"//\n|/*", "//\n/|*"},
    {"!\r\n|/", "!\r\n/"},
    {"  | \u20ac", NULL},
    /* Blanks: up to the last line break, else all but the last before something. */
    {"a|  | b", NULL},
    {"a|   ", NULL},
    {"a| \n \n|  | b", NULL},
    {"\r\n\r\n", NULL},
    {"\xc2\x85|\xc2\x85x", NULL},
    {"\xc2\x85|.", NULL},
    {"\ufeff\ufeff|x", NULL},
    {" \ufeff", NULL},
    {"\u2003 |\u3000x", NULL},
    /* o200k: words by case. */
    {"CamelCaseString", "Camel|Case|String"},
    {"ALLCAPS", NULL},
    {"HTMLElement", NULL},
    {"parseHTML", "parse|HTML"},
    {"\u01c5x", NULL},
    {"ab\u65e5Cd", "ab\u65e5|Cd"},
    {"AB\u65e5CD", "AB\u65e5|CD"},
    {"\u65e5\u672cAb", NULL},
    /* Marks: in o200k part of a word, or its lead. */
    {"a|\u0301bc", "a\u0301bc"},
    {"A|\u0301BC", "A\u0301|BC"},
    {"\u0301A", "\u0301|A"},
    {"\u0301\u0301|a", "\u0301\u0301a"},
    {" \u0301", NULL},
};

/* The text of a row is what stands between its bars; an empty first piece is not one. */
static void check(enum split_pattern pattern, const char *shown)
{
    char text[128];
    size_t len = 0;
    const char *p = text;
    const char *at = shown;

    for (const char *c = shown; *c != '\0'; c++) {
        if (*c != '|') {
            text[len++] = *c;
        }
    }
    while (p < text + len) {
        size_t want = 0;
        size_t has = split_next(pattern, p, text + len);

        at += *at == '|';
        want = strcspn(at, "|");
        if (has != want) {
            print_error("pattern %d, \"%s\": at %zu a piece of %zu bytes, not %zu\n", (int)pattern,
                        shown, (size_t)(p - text), has, want);
        }
        assert_int_equal(has, want);
        p += has;
        at += want;
    }
    assert_int_equal(*at, '\0');
}

static void split__cuts_as_the_patterns_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check(SPLIT_CL100K, rows[i].cl100k);
        check(SPLIT_O200K, rows[i].o200k == NULL ? rows[i].cl100k : rows[i].o200k);
    }
}

/* Also broken UTF-8: each piece has a byte, none goes past the end, and what follows a whole text
 * cannot be seen. */
static void split__covers_any_bytes(void **state)
{
    static const char parts[] =
        "aZ1 '\n\r\t/s\xc3\xa9\xe3\x81\x82\xf0\x9f\x98\x80\xcc\x81\xff\xed\xa0\x80";
    struct rng rng;

    (void)state;
    rng_init(&rng, 11, 0);
    for (int turn = 0; turn < 20000; turn++) {
        char text[24];
        size_t len = 1 + (size_t)rng_below(&rng, sizeof text);

        for (size_t i = 0; i < len; i++) {
            text[i] = parts[rng_below(&rng, sizeof parts - 1)];
        }
        for (int pattern = SPLIT_CL100K; pattern <= SPLIT_O200K; pattern++) {
            for (const char *p = text; p < text + len;) {
                size_t has = split_next((enum split_pattern)pattern, p, text + len);

                assert_in_range(has, 1, (size_t)(text + len - p));
                p += has;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split__cuts_as_the_patterns_say),
        cmocka_unit_test(split__covers_any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
