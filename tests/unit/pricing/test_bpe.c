/* SPDX-License-Identifier: Apache-2.0 */
/* Counts with the real vocabularies: the vectors on which three independent implementations agree,
 * what has no vector there, and that no text takes long. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <time.h>

#include "base/mem.h"
#include "tests/lib/vocabulary.h"

enum { IDS_MAX = 32, LONG = 1024 * 1024 };

static struct bpe *cl100k;
static struct bpe *o200k;
static struct bpe_room *room;

struct vector {
    const char *text;
    const char *cl100k; /* the ids, NULL: not known */
    const char *o200k;
};

static const struct vector vectors[] = {
    {"hello world", "15339 1917", "24912 2375"},
    {"Hello, world!", "9906 11 1917 0", "13225 11 2375 0"},
    {" leading space", "6522 3634", "8117 4918"},
    {"tabs\tand\nnewlines\r\n\r\nend", "32093 53577 198 943 8128 881 408",
     "68999 128995 198 1389 10105 1414 419"},
    {"don't WON'T they'll", "15357 956 98467 17773 814 3358", "91418 147667 51532 57956"},
    {"1234567890", "4513 10961 16474 15", "7633 19354 29338 15"},
    {"na\u00efve caf\u00e9", "3458 38672 588 53050", "1503 9954 737 30469"},
    {"\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8",
     "9080 22656 45918 252 16144 57933 62903 71634", "9048 40909 3385 16056 18368 38236"},
    {"\U0001f469\u200d\U0001f4bb\U0001f680", "9468 239 102 378 235 93273 119 9468 248 222",
     "28823 102 2524 31446 119 112927 222"},
    {"{\"a\": [1, 2.5, null]}", "5018 64 794 510 16 11 220 17 13 20 11 854 14316",
     "10848 64 1243 723 16 11 220 17 13 20 11 1256 28000"},
    {"def f(x):\n    return x+1\n", "755 282 2120 997 262 471 865 10 16 198",
     "1314 285 4061 1883 271 622 1215 10 16 198"},
    {"   trailing   ", "256 28848 262", "256 57985 271"},
    {"aaaaaaaaaaaaaaaaaaaa", "70540 70540 29558", "117525 117525 45037"},
    {"\u00c0\u00c9\u00ce\u00f5\u00fc \u00df\u0153", "73053 27887 72907 11399 2448 1717 253 52822",
     "18724 5859 15774 1178 572 1474 253 15335"},
    {"https://api.openai.com/v1/chat/completions",
     "2485 1129 2113 5949 2192 916 5574 16 72435 26149 11053 919",
     "4172 1684 3094 9702 1361 1136 10315 16 150293 58037 24884 756"},
    {"<|endoftext|>", "27 91 8862 728 428 91 29", "27 91 419 1440 919 91 29"},
    {"                                                  "
     "                                                  ",
     NULL, "9344 22731"},
    {"  x", NULL, "220 1215"},
    {"A B  C   D", NULL, "32 418 220 363 256 415"},
    {"!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!", NULL,
     "132688 132688 132688 132688"},
    {"x\u00b2y", NULL, "87 13848 88"},
    {"\u0663\u0664\u0665\u0666", NULL, "81473 98713 97336 122513"},
    {"CamelCaseString", NULL, "137910 6187 916"},
    {"ALLCAPS", NULL, "7011 56928 50"},
    {"don\u2019t", NULL, "22130 1573"},
    {"\r\n\r\n", NULL, "1414"},
    {"//\n/*", NULL, "22704 14 9"},
    {"\u00a0\u00a0x", NULL, "5310 5310 87"},
    {"a\u0301bc", NULL, "64 13430 16715"},
    /* White space in Unicode but not in JavaScript, and the other way round. */
    {"\xc2\x85\xc2\x85x", "126 227 126 227 87", "126 227 126 227 87"},
    {"\ufeff\ufeffx", "3305 3305 87", "135153 87"},
    {"", "", ""},
};

static void ids_of(const struct bpe *bpe, struct span text, char *out, size_t size)
{
    uint32_t ids[IDS_MAX];
    uint64_t count = bpe_encode(bpe, room, text, ids, IDS_MAX);
    size_t len = 0;

    assert_true(count <= IDS_MAX);
    assert_int_equal(bpe_count(bpe, room, text), count);
    out[0] = '\0';
    for (uint64_t i = 0; i < count; i++) {
        len += (size_t)snprintf(out + len, size - len, "%s%u", i == 0 ? "" : " ", (unsigned)ids[i]);
    }
}

static void bpe__gives_the_published_ids(void **state)
{
    char ids[512];

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        ids_of(o200k, span_of(vectors[i].text), ids, sizeof ids);
        assert_string_equal(ids, vectors[i].o200k);
        if (vectors[i].cl100k != NULL) {
            ids_of(cl100k, span_of(vectors[i].text), ids, sizeof ids);
            assert_string_equal(ids, vectors[i].cl100k);
        }
    }
}

static void bpe__writes_no_more_ids_than_there_is_room_for(void **state)
{
    uint32_t ids[4] = {7, 7, 7, 7};

    (void)state;
    assert_int_equal(bpe_encode(o200k, room, span_make(NULL, 0), NULL, 0), 0);
    assert_int_equal(bpe_encode(o200k, room, SPAN_OF("don't WON'T they'll"), ids, 3), 4);
    assert_int_equal(ids[0], 91418);
    assert_int_equal(ids[2], 51532);
    assert_int_equal(ids[3], 7);
    /* A piece of several tokens across the end. */
    ids[1] = 7;
    assert_int_equal(bpe_encode(o200k, room, SPAN_OF("aaaaaaaaaaaaaaaaaaaa"), ids, 1), 3);
    assert_int_equal(ids[0], 117525);
    assert_int_equal(ids[1], 7);
}

/* Bytes that are no UTF-8 are bytes: nothing is unknown, nothing is read past the end. */
static void bpe__counts_any_bytes(void **state)
{
    char bytes[256 * 3];
    char *exact = NULL;
    uint64_t before = mem_taken();

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(unsigned char)(i * 167 + i / 256);
    }
    for (size_t len = 0; len <= sizeof bytes; len++) {
        exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact + 1, bytes, len);
        assert_in_range(bpe_count(cl100k, room, span_make(exact + 1, len)), len == 0 ? 0 : 1,
                        len == 0 ? 0 : len);
        assert_in_range(bpe_count(o200k, room, span_make(exact + 1, len)), len == 0 ? 0 : 1,
                        len == 0 ? 0 : len);
        free(exact);
    }
    assert_int_equal(mem_taken(), before); /* counting takes no memory */
}

static double seconds_of(const struct bpe *bpe, struct span text, uint64_t *count)
{
    struct timespec from;
    struct timespec to;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    *count = bpe_count(bpe, room, text);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* A megabyte of one letter is one piece; merged pair by pair it would take hours. */
static void bpe__is_not_quadratic_in_a_run(void **state)
{
    static const char letters[] = {'a', 'Z', '!', '\n', ' ', '7'};
    char *text = malloc(LONG);
    uint64_t cuts = bpe_room_cuts(room);
    uint64_t count = 0;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof letters; i++) {
        size_t len = i == 0 ? LONG : LONG / 8;

        memset(text, letters[i], len);
        assert_true(seconds_of(o200k, span_make(text, len), &count) < 10);
        assert_in_range(count, len / 128, len);
        assert_true(seconds_of(cl100k, span_make(text, len), &count) < 10);
    }
    assert_true(bpe_room_cuts(room) > cuts);
    free(text);
}

static void bpe__tells_a_table_that_is_not_the_published_one(void **state)
{
    struct span file = vocabulary_file(HEADGATE_TEST_RANKS "/cl100k_base.tiktoken");
    struct why why = {""};
    struct bpe *other = NULL;

    (void)state;
    assert_true(file.len > 0);
    /* Without its last line it is still a whole table, but not the one. */
    while (file.at[file.len - 2] != '\n') {
        file.len--;
    }
    file.len--;
    other = bpe_new(file, BPE_CL100K, &why);
    assert_non_null(other);
    assert_false(bpe_is_published(other));
    bpe_free(other);
    free((void *)(uintptr_t)file.at);
    assert_true(bpe_is_published(cl100k) && bpe_is_published(o200k));
    assert_null(bpe_new(SPAN_OF("IQ== 1\n"), BPE_O200K, &why));
    assert_string_not_equal(why.text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bpe__gives_the_published_ids),
        cmocka_unit_test(bpe__writes_no_more_ids_than_there_is_room_for),
        cmocka_unit_test(bpe__counts_any_bytes),
        cmocka_unit_test(bpe__is_not_quadratic_in_a_run),
        cmocka_unit_test(bpe__tells_a_table_that_is_not_the_published_one),
    };
    int failed = 0;

    cl100k = vocabulary(HEADGATE_TEST_RANKS, BPE_CL100K);
    o200k = vocabulary(HEADGATE_TEST_RANKS, BPE_O200K);
    room = bpe_room_new();
    failed = room == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    bpe_room_free(room);
    bpe_free(cl100k);
    bpe_free(o200k);
    return failed != 0 || mem_held() != 0;
}
