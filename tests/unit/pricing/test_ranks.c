/* SPDX-License-Identifier: Apache-2.0 */
/* Rank files: whole ones are read, all others refused, and nothing is held after that. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "pricing/ranks.h"
#include "tests/lib/toy_ranks.h"

static struct toy toy;
static struct buf file;

static int set_up(void **state)
{
    (void)state;
    toy_init(&toy, 3);
    toy_join(&toy, 0, 1);
    toy_join(&toy, 256, 2);
    toy_join(&toy, 257, 257);
    buf_init(&file, 64 * 1024 * 1024);
    toy_write(&toy, &file);
    return file.failed ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_fini(&file);
    return mem_held() == 0 ? 0 : -1;
}

static void ranks__find_each_token(void **state)
{
    struct ranks ranks;
    char longer[TOY_TOKEN_MAX + 1] = "";

    (void)state;
    assert_int_equal(ranks_read(&ranks, buf_span(&file), NULL), ERR_NONE);
    assert_int_equal(ranks.count, toy.count);
    for (uint32_t i = 0; i < toy.count; i++) {
        assert_int_equal(ranks_find(&ranks, toy.bytes[i], toy.len[i]), i);
    }
    assert_int_equal(ranks_find(&ranks, "??", 2), RANK_NONE);
    assert_int_equal(ranks_find(&ranks, "????", 4), RANK_NONE);
    assert_int_equal(ranks_find(&ranks, longer, sizeof longer), RANK_NONE);
    ranks_fini(&ranks);
    ranks_fini(&ranks);
    /* The last line break may be missing. */
    assert_int_equal(ranks_read(&ranks, span_make(file.at, file.len - 1), NULL), ERR_NONE);
    ranks_fini(&ranks);
}

struct hostile {
    const char *more; /* behind the good lines; their number is 259 */
    enum err err;
};

static const struct hostile hostiles[] = {
    {"\n", ERR_FORMAT},
    {"YWJj\n", ERR_FORMAT},
    {"YWJj 258\n", ERR_FORMAT},
    {"YWJj 260\n", ERR_FORMAT},
    {"YWJj -1\n", ERR_FORMAT},
    {"YWJj 259 \n", ERR_FORMAT},
    {"YWJj  259\n", ERR_FORMAT},
    {"YWJj 259\r\n", ERR_FORMAT},
    {" 259\n", ERR_FORMAT},
    {"YWJ 259\n", ERR_FORMAT},
    {"YW*j 259\n", ERR_FORMAT},
    {"YWJ= 259\n", ERR_FORMAT}, /* bits that the padding cuts off */
    {"YR== 259\n", ERR_FORMAT},
    {"==== 259\n", ERR_FORMAT},
    {"Y=== 259\n", ERR_FORMAT},
    {"YQ== 259\n", ERR_FORMAT}, /* "a" is there already */
    {"YWJj 259\nYWJj 260\n", ERR_FORMAT},
    {"YWJj 18446744073709551875\n", ERR_FORMAT},
    {"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
     "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB "
     "259\n",
     ERR_CEILING},
};

static void ranks__refuse_a_file_that_is_not_one_whole_table(void **state)
{
    size_t good = file.len;

    (void)state;
    for (size_t i = 0; i < sizeof hostiles / sizeof *hostiles; i++) {
        struct ranks ranks;
        struct why why = {""};

        buf_put_text(&file, hostiles[i].more);
        if (ranks_read(&ranks, buf_span(&file), &why) != hostiles[i].err) {
            fail_msg("accepted, or for another reason: %s (%s)", hostiles[i].more, why.text);
        }
        assert_string_not_equal(why.text, "");
        assert_null(ranks.bytes);
        buf_truncate(&file, good);
    }
}

/* One of the 256 bytes is missing: some text could not be said. */
static void ranks__need_each_byte(void **state)
{
    struct ranks ranks;
    struct why why = {""};

    (void)state;
    toy.count = 255;
    buf_clear(&file);
    toy_write(&toy, &file);
    assert_int_equal(ranks_read(&ranks, buf_span(&file), &why), ERR_FORMAT);
    assert_int_equal(ranks_read(&ranks, SPAN_OF(""), &why), ERR_FORMAT);
}

static void ranks__have_ceilings(void **state)
{
    struct ranks ranks;

    (void)state;
    buf_clear(&file);
    for (uint32_t i = 0; i <= RANKS_MAX; i++) {
        buf_put_text(&file, "\n");
    }
    assert_int_equal(ranks_read(&ranks, buf_span(&file), NULL), ERR_CEILING);
    while (file.len <= RANKS_FILE_MAX) {
        buf_put_text(&file,
                     "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo");
    }
    assert_int_equal(ranks_read(&ranks, buf_span(&file), NULL), ERR_CEILING);
}

/* Tokens of three bytes that all want one place of the hash table: each look would take as long as
 * there are of them, so that so many are refused. 800 tokens have 2,048 places. */
static void ranks__refuse_tokens_of_one_hash(void **state)
{
    enum { PLACES = 2048, TOKENS = 800 };
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct ranks ranks;
    struct why why = {""};
    uint32_t count = 256;

    (void)state;
    toy.count = 256;
    buf_clear(&file);
    toy_write(&toy, &file);
    for (uint32_t code = 0; count < TOKENS; code++) {
        char token[3] = {(char)(unsigned char)(code >> 16), (char)(unsigned char)(code >> 8),
                         (char)(unsigned char)code};

        if ((ranks_hash(span_make(token, 3)) & (PLACES - 1)) == 7) {
            buf_put_format(&file, "%c%c%c%c %u\n", digits[code >> 18 & 63], digits[code >> 12 & 63],
                           digits[code >> 6 & 63], digits[code & 63], (unsigned)count++);
        }
    }
    assert_int_equal(ranks_read(&ranks, buf_span(&file), &why), ERR_CEILING);
    assert_non_null(strstr(why.text, "hash"));
}

static void ranks__stand_each_failing_allocation(void **state)
{
    struct ranks ranks;
    size_t held = mem_held();
    uint64_t nth = 1;

    (void)state;
    for (;; nth++) {
        enum err err = ERR_NONE;

        mem_fail_at(nth);
        err = ranks_read(&ranks, buf_span(&file), NULL);
        mem_fail_at(0);
        if (err == ERR_NONE) {
            break;
        }
        assert_int_equal(err, ERR_MEMORY);
        assert_int_equal(mem_held(), held);
    }
    assert_in_range(nth, 4, 10);
    ranks_fini(&ranks);
    assert_int_equal(mem_held(), held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ranks__find_each_token, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ranks__refuse_a_file_that_is_not_one_whole_table, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(ranks__need_each_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ranks__have_ceilings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ranks__refuse_tokens_of_one_hash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ranks__stand_each_failing_allocation, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
