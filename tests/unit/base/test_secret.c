/* SPDX-License-Identifier: Apache-2.0 */
/* What may be done with key material. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

static void secret__equal_compares_all_bytes(void **state)
{
    (void)state;
    assert_true(secret_equal(SPAN_OF("abc"), SPAN_OF("abc")));
    assert_true(secret_equal(SPAN_OF(""), SPAN_OF("")));
    assert_false(secret_equal(SPAN_OF("abc"), SPAN_OF("abd")));
    assert_false(secret_equal(SPAN_OF("xbc"), SPAN_OF("abc")));
    assert_false(secret_equal(SPAN_OF("abc"), SPAN_OF("ab")));
    assert_false(secret_equal(SPAN_OF("ab"), SPAN_OF("abc")));
    assert_false(secret_equal(SPAN_OF("\0a"), SPAN_OF("\0b")));
    assert_false(secret_equal(SPAN_OF(""), SPAN_OF("a")));
}

static void secret__wipe_zeroes(void **state)
{
    char bytes[8] = "abcdefg";
    static const char zero[7];

    (void)state;
    secret_wipe(bytes, 7);
    assert_memory_equal(bytes, zero, 7);
    secret_wipe(NULL, 0);
}

static void secret__buf_gives_its_memory_back(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 100);
    buf_put_text(&buf, "sk-test-1");
    secret_buf_fini(&buf);
    assert_int_equal(buf.len, 0);
    secret_buf_fini(&buf);
    assert_int_equal(mem_held(), 0);
}

static void secret__shows_at_most_four_characters(void **state)
{
    static const struct {
        const char *secret;
        const char *shown;
    } rows[] = {
        {"", "****"},
        {"short", "****"},
        {"123456789012345", "****"},
        {"1234567890123456", "****3456"},
        {"sk-test-abcdefghijklmnop", "****mnop"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buf out;

        buf_init(&out, 100);
        secret_put_shown(&out, span_of(rows[i].secret));
        assert_true(span_equal(buf_span(&out), span_of(rows[i].shown)));
        buf_fini(&out);
    }
}

static void secret__judges_what_fits_a_header(void **state)
{
    static char longest[SECRET_MAX + 1];
    static const struct {
        struct span secret;
        enum secret_fault fault;
    } rows[] = {
        {SPAN("a"), SECRET_GOOD},      {SPAN("sk-test-1~!"), SECRET_GOOD},
        {SPAN(""), SECRET_EMPTY},      {SPAN(" a"), SECRET_ENDS},
        {SPAN("a "), SECRET_ENDS},     {SPAN("a\n"), SECRET_ENDS},
        {SPAN("\ra"), SECRET_ENDS},    {SPAN("a\0"), SECRET_ENDS},
        {SPAN("a\x7f"), SECRET_ENDS},  {SPAN("\xc3\xa4"), SECRET_ENDS},
        {SPAN("a b"), SECRET_INSIDE},  {SPAN("a\nb"), SECRET_INSIDE},
        {SPAN("a\0b"), SECRET_INSIDE}, {SPAN("a\xc3\xa4z"), SECRET_INSIDE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(secret_judge(rows[i].secret), rows[i].fault);
        assert_true(strlen(secret_fault_text(rows[i].fault)) > 0);
    }
    memset(longest, 'x', sizeof longest);
    assert_int_equal(secret_judge(span_make(longest, SECRET_MAX)), SECRET_GOOD);
    assert_int_equal(secret_judge(span_make(longest, SECRET_MAX + 1)), SECRET_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret__equal_compares_all_bytes),
        cmocka_unit_test(secret__wipe_zeroes),
        cmocka_unit_test(secret__buf_gives_its_memory_back),
        cmocka_unit_test(secret__shows_at_most_four_characters),
        cmocka_unit_test(secret__judges_what_fits_a_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
