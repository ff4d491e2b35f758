/* SPDX-License-Identifier: Apache-2.0 */
/* Questions: what is understood, what stretch of time is meant, and what is said to the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "usage/query.h"

#define NOW      INT64_C(1795187045123) /* 2026-11-20T15:04:05.123Z, a Friday */
#define DAY      INT64_C(86400000)
#define MIDNIGHT INT64_C(1795132800000) /* of that day, UTC */

static struct zone utc;
static char held[4096];

static enum err read_url(struct query *query, enum query_kind kind, const char *url,
                         struct why *why)
{
    struct buf decoded;
    enum err err = ERR_NONE;

    buf_init(&decoded, sizeof held);
    query_init(query, kind);
    err = query_read_url(query, span_of(url), &decoded, why);
    buf_fini(&decoded);
    return err;
}

static void url__is_read_whole(void **state)
{
    struct query query;
    struct buf decoded;
    struct why why;

    (void)state;
    buf_init(&decoded, 4096);
    query_init(&query, QUERY_SUMMARY);
    assert_int_equal(
        query_read_url(&query,
                       SPAN_OF("key=ci&key=a%20b&by=model,tag&by=key&zone=Europe%2FBerlin"
                               "&tag=&user=x%3dy+z&limit=5&format=csv&"),
                       &decoded, &why),
        ERR_NONE);
    assert_int_equal(query.filters_count, 4);
    assert_true(span_equal(query.filters[1].value, SPAN_OF("a b")));
    assert_int_equal(query.filters[2].dimension, DIMENSION_TAG);
    assert_int_equal(query.filters[2].value.len, 0);
    assert_true(span_equal(query.filters[3].value, SPAN_OF("x=y z")));
    assert_int_equal(query.by_count, 3);
    assert_int_equal(query.by[2], DIMENSION_KEY);
    assert_true(span_equal(query.zone, SPAN_OF("Europe/Berlin")));
    assert_int_equal(query.limit, 5);
    assert_int_equal(query.format, QUERY_CSV);
    buf_fini(&decoded);
}

static void complaints__name_the_parameter_and_the_way_out(void **state)
{
    static const struct {
        enum query_kind kind;
        const char *url;
        const char *said;
    } cases[] = {
        {QUERY_SUMMARY, "kex=1", "kex: there is no such parameter of summary; there are from, to,"},
        {QUERY_SUMMARY, "cursor=1-2", "cursor: there is no such parameter of summary"},
        {QUERY_CALLS, "by=key", "by: there is no such parameter of calls"},
        {QUERY_TRACE, "key=a", "key: there is no such parameter of trace; there are id, format"},
        {QUERY_SUMMARY, "by=colour", "by: takes up to four of key, team"},
        {QUERY_SUMMARY, "by=", "by: takes up to four of key, team"},
        {QUERY_SUMMARY, "by=key,team,user,tag,model", "by: too many"},
        {QUERY_DAILY, "zone=../etc/passwd", "zone: takes the name of a time zone"},
        {QUERY_DAILY, "limit=0", "limit: takes a number from 1 to 10000"},
        {QUERY_DAILY, "limit=10001", "limit: takes a number"},
        {QUERY_CALLS, "cursor=7", "cursor: takes what `next` of an answer said"},
        {QUERY_CALLS, "format=xml", "format: takes json, csv or table"},
        {QUERY_CALLS, "key=%4", "% must be followed by two hexadecimal digits"},
        {QUERY_CALLS, "key=%zz", "% must be followed by two hexadecimal digits"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct query query;
        struct why why = {.text = ""};

        assert_int_equal(read_url(&query, cases[i].kind, cases[i].url, &why), ERR_FORMAT);
        if (strncmp(why.text, cases[i].said, strlen(cases[i].said)) != 0) {
            fail_msg("%s: %s", cases[i].url, why.text);
        }
    }
}

static void too_many_filters__are_told(void **state)
{
    struct query query;
    struct why why;

    (void)state;
    query_init(&query, QUERY_SUMMARY);
    for (int i = 0; i < QUERY_FILTERS_MAX; i++) {
        assert_int_equal(query_set(&query, SPAN_OF("key"), SPAN_OF("a"), &why), ERR_NONE);
    }
    assert_int_equal(query_set(&query, SPAN_OF("key"), SPAN_OF("a"), &why), ERR_FORMAT);
    assert_string_equal(why.text, "key: too many; ask in two questions");
}

static enum err resolve(struct query *query, enum query_kind kind, const char *from, const char *to)
{
    struct why why;

    query_init(query, kind);
    query->from_text = span_of(from);
    query->to_text = span_of(to);
    return query_resolve(query, &utc, NOW, &why);
}

static void times__are_stretches_or_points(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        int64_t begin;
        int64_t end;
    } cases[] = {
        {"today", "today", MIDNIGHT, MIDNIGHT + DAY},
        {"yesterday", "yesterday", MIDNIGHT - DAY, MIDNIGHT},
        {"2026-11-01", "2026-11-20", MIDNIGHT - 19 * DAY, MIDNIGHT + DAY},
        {"this_month", "this_month", MIDNIGHT - 19 * DAY, MIDNIGHT + 11 * DAY},
        {"24h", "", NOW - DAY, NOW + 1},
        {"7d", "24h", NOW - 7 * DAY, NOW - DAY},
        {"2026-11-20T15:00:00Z", "2026-11-20T16:03:00+01:00", NOW - 245123, NOW - 65123},
    };
    struct query query;

    (void)state;
    zone_init(&utc);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(resolve(&query, QUERY_CALLS, cases[i].from, cases[i].to), ERR_NONE);
        assert_int_equal(query.from, cases[i].begin);
        assert_int_equal(query.to, cases[i].end);
    }
    assert_int_equal(resolve(&query, QUERY_CALLS, "tomorrow", ""), ERR_FORMAT);
    assert_int_equal(resolve(&query, QUERY_CALLS, "today", "yesterday"), ERR_FORMAT);
    assert_int_equal(resolve(&query, QUERY_CALLS, "2026-02-30", ""), ERR_FORMAT);
    assert_int_equal(resolve(&query, QUERY_CALLS, "99999999999d", ""), ERR_FORMAT);
}

static void sums__go_by_whole_quarters(void **state)
{
    struct query query;

    (void)state;
    zone_init(&utc);
    assert_int_equal(resolve(&query, QUERY_SUMMARY, "2026-11-20T15:01:00Z", "2026-11-20T15:16:00Z"),
                     ERR_NONE);
    assert_int_equal(query.from, MIDNIGHT + 15 * 3600000);
    assert_int_equal(query.to, MIDNIGHT + 15 * 3600000 + 30 * 60000);
    assert_int_equal(resolve(&query, QUERY_DAILY, "", ""), ERR_NONE);
    assert_int_equal(query.from, MIDNIGHT - 29 * DAY);
    assert_int_equal(resolve(&query, QUERY_SUMMARY, "", ""), ERR_NONE);
    assert_int_equal(query.from, MIDNIGHT - 19 * DAY);
}

static void sums__survive_packing(void **state)
{
    unsigned char bytes[SUMS_PACKED_MAX];
    struct sums sums;
    struct sums back;

    (void)state;
    for (size_t round = 0; round < 64; round++) {
        size_t len = 0;

        for (size_t i = 0; i < SUMS; i++) {
            sums.of[i] = (i + round) % 3 == 0 ? 0 : (INT64_MAX >> round) - (int64_t)i % 2;
            sums.of[i] = sums.of[i] < 0 ? 0 : sums.of[i];
        }
        len = sums_pack(bytes, &sums);
        assert_true(sums_unpack(span_make((const char *)bytes, len), &back));
        assert_memory_equal(&sums, &back, sizeof sums);
        assert_false(sums_unpack(span_make((const char *)bytes, len - 1), &back));
    }
    assert_false(sums_unpack(SPAN_OF("\xff\xff\xff\xff"), &back));
}

static void money__is_carried_and_printed_whole(void **state)
{
    struct sums sums = {.of = {[SUM_COST_USD] = 3, [SUM_COST_PICO] = PICO_PER_USD - 1}};
    struct sums more = {.of = {[SUM_COST_PICO] = 1}};
    struct buf text;

    (void)state;
    buf_init(&text, 64);
    sums_put_cost(&text, &sums);
    assert_true(span_equal(buf_span(&text), SPAN_OF("3.999999999999")));
    sums_add(&sums, &more);
    buf_clear(&text);
    sums_put_cost(&text, &sums);
    assert_true(span_equal(buf_span(&text), SPAN_OF("4")));
    sums_take(&sums, &more);
    assert_int_equal(sums.of[SUM_COST_USD], 3);
    assert_int_equal(sums.of[SUM_COST_PICO], PICO_PER_USD - 1);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url__is_read_whole),
        cmocka_unit_test(complaints__name_the_parameter_and_the_way_out),
        cmocka_unit_test(too_many_filters__are_told),
        cmocka_unit_test(times__are_stretches_or_points),
        cmocka_unit_test(sums__go_by_whole_quarters),
        cmocka_unit_test(sums__survive_packing),
        cmocka_unit_test(money__is_carried_and_printed_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
