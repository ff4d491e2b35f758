/* SPDX-License-Identifier: Apache-2.0 */
/* Answers, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "usage/answer.h"
#include "usage/unit.h"

#define HOUR INT64_C(3600000)

static void expect(struct buf *out, const char *text)
{
    if (!span_equal(buf_span(out), span_of(text))) {
        fail_msg("%.*s", SPAN_ARGS(buf_span(out)));
    }
    buf_clear(out);
}

static struct answer_group group_of(const char *name)
{
    return (struct answer_group){.begin = 0,
                                 .end = 24 * HOUR,
                                 .names = {span_of(name)},
                                 .sums = {.of = {[SUM_RECORDS] = 3,
                                                 [SUM_CALLS] = 2,
                                                 [SUM_ATTEMPTS] = 3,
                                                 [SUM_FAILED_ATTEMPTS] = 1,
                                                 [SUM_UNPRICED] = 1,
                                                 [SUM_CHARGED] = 1500000000,
                                                 [SUM_TOKENS_INPUT] = 10,
                                                 [SUM_TOKENS_CACHE_READ] = 5,
                                                 [SUM_TOKENS_OUTPUT] = 7,
                                                 [SUM_COST_USD] = 1,
                                                 [SUM_COST_PICO] = 499999999999}},
                                 .provenances = {2, 0, 0, 1}};
}

static void rows__are_json_csv_and_a_table(void **state)
{
    struct query query;
    struct zone zone;
    struct answer_group group = group_of("ci");
    struct answer_rows rows = {
        .query = &query, .zone = &zone, .total = &group, .groups = &group, .count = 1};
    struct buf out;

    (void)state;
    zone_init(&zone);
    buf_init(&out, 1 << 16);
    query_init(&query, QUERY_DAILY);
    query.by[0] = DIMENSION_KEY;
    query.by_count = 1;
    query.to = 24 * HOUR;
    answer_put(&out, &rows);
#define FIGURES                                                                                    \
    "\"records\":3,\"calls\":2,\"attempts\":3,\"failed_attempts\":1,\"unpriced\":1,\"estimated\":" \
    "0,\"reasoning\":0,\"charged_nusd\":1500000000,\"exposed_nusd\":0,\"bytes_in\":0,\"bytes_out"  \
    "\":0,\"duration_us\":0,\"charged_usd\":\"1.5\",\"cost_usd\":\"1.499999999999\",\"tokens\":{"  \
    "\"input\":10,\"cache_read\":5,\"cache_write_5m\":0,\"cache_write_30m\":0,\"cache_write_1h\":" \
    "0,\"cache_write_12h\":0,\"audio_input\":0,\"image_input\":0,\"output\":7,\"audio_output\":0}" \
    ",\"fees\":{\"web_search\":0},\"provenance\":{\"provider\":2,\"estimated\":0,\"partial\":0,"   \
    "\"unpriced\":1,\"reported\":0}}"
    expect(&out,
           "{\"kind\":\"daily\",\"from\":\"1970-01-01T00:00:00.000Z\",\"to\":"
           "\"1970-01-02T00:00:00.000Z\",\"zone\":\"UTC\",\"by\":[\"key\"],\"total\":{" FIGURES
           ",\"days\":[{\"day\":\"1970-01-01\",\"from\":\"1970-01-01T00:00:00.000Z\",\"to\":"
           "\"1970-01-02T00:00:00.000Z\",\"key\":\"ci\"," FIGURES "],\"left_out\":0}\n");
    query.format = QUERY_CSV;
    answer_put(&out, &rows);
    expect(&out,
           "day,from,to,key,records,calls,attempts,failed_attempts,unpriced,estimated,reasoning,"
           "charged_nusd,exposed_nusd,bytes_in,bytes_out,duration_us,input,cache_read,"
           "cache_write_5m,cache_write_30m,cache_write_1h,cache_write_12h,audio_input,image_input,"
           "output,audio_output,web_search,provenance_provider,provenance_estimated,"
           "provenance_partial,provenance_unpriced,provenance_reported,charged_usd,cost_usd\n"
           "1970-01-01,1970-01-01T00:00:00.000Z,1970-01-02T00:00:00.000Z,ci,3,2,3,1,1,0,0,"
           "1500000000,0,0,0,0,10,5,0,0,0,0,0,0,7,0,0,2,0,0,1,0,1.5,1.499999999999\n");
    query.format = QUERY_TABLE;
    answer_put(&out, &rows);
    assert_non_null(span_find(buf_span(&out), SPAN_OF("\n1970-01-01  ci ")));
    assert_non_null(span_find(buf_span(&out), SPAN_OF(" 1.499999999999  1 unpriced\n")));
    buf_fini(&out);
}

/* A name that an app has chosen is no formula in a spreadsheet, and no control of a terminal. */
static void hostile_names__stay_text(void **state)
{
    struct query query;
    struct zone zone;
    struct answer_group group = group_of("=cmd()\",\n\x1b[2J");
    struct answer_rows rows = {
        .query = &query, .zone = &zone, .total = &group, .groups = &group, .count = 1};
    struct buf out;

    (void)state;
    zone_init(&zone);
    buf_init(&out, 1 << 16);
    query_init(&query, QUERY_SUMMARY);
    query.by[0] = DIMENSION_USER;
    query.by_count = 1;
    query.format = QUERY_CSV;
    answer_put(&out, &rows);
    assert_non_null(span_find(buf_span(&out), SPAN_OF("\n\"'=cmd()\"\",\n\x1b[2J\",3,")));
    buf_clear(&out);
    query.format = QUERY_TABLE;
    answer_put(&out, &rows);
    assert_null(span_find(buf_span(&out), SPAN_OF("\x1b")));
    buf_clear(&out);
    query.format = QUERY_JSON;
    answer_put(&out, &rows);
    assert_non_null(span_find(buf_span(&out), SPAN_OF("\"user\":\"=cmd()\\\",\\n\\u001b[2J\"")));
    buf_fini(&out);
}

static void record__is_its_line_with_money_as_text(void **state)
{
    struct query query;
    struct record record;
    struct buf line;
    struct buf out;
    struct query_cursor next = {7, 4096};

    (void)state;
    buf_init(&line, 1 << 16);
    buf_init(&out, 1 << 16);
    query_init(&query, QUERY_CALLS);
    record_init(&record);
    record.texts[RECORD_ID] = SPAN_OF("c-1");
    record.numbers[RECORD_COST] = 2500;
    record.numbers[RECORD_CHARGED] = 3;
    record_put_line(&line, &record);
    answer_calls_begin(&out, &query);
    answer_record(&out, &query, span_make(line.at, line.len - 1), &record, true);
    record.numbers[RECORD_COST] = -1;
    record.numbers[RECORD_CHARGED] = -1;
    buf_clear(&line);
    record_put_line(&line, &record);
    answer_record(&out, &query, span_make(line.at, line.len - 1), &record, false);
    answer_calls_end(&out, &query, &next);
    expect(&out, "{\"kind\":\"calls\",\"calls\":[\n{\"record_id\":\"c-1\",\"cost_pusd\":\"2500\","
                 "\"charged_nusd\":3,\"cost_usd\":\"0.0000000025\",\"charged_usd\":\"0.000000003\"}"
                 ",\n{\"record_id\":\"c-1\",\"cost_usd\":null,\"charged_usd\":null}],\"next\":"
                 "\"7-4096\"}\n");
    /* A line that holds nothing but its sum. */
    record_init(&record);
    buf_clear(&line);
    record_put_line(&line, &record);
    answer_record(&out, &query, span_make(line.at, line.len - 1), &record, true);
    expect(&out, "\n{\"cost_usd\":null,\"charged_usd\":null}");
    buf_fini(&line);
    buf_fini(&out);
}

static void unit__tells_what_is_unpriced(void **state)
{
    struct query query;
    struct record record;
    struct unit unit;
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 16);
    query_init(&query, QUERY_TRACE);
    query.trace = SPAN_OF("u\"1");
    unit_init(&unit);
    record_init(&record);
    record.texts[RECORD_TASK] = SPAN_OF("draft");
    record.texts[RECORD_SOURCE] = SPAN_OF("headgate");
    record.texts[RECORD_PROVIDER] = SPAN_OF("openai");
    record.texts[RECORD_MODEL] = SPAN_OF("m");
    record.texts[RECORD_OUTCOME] = SPAN_OF("ok");
    record.numbers[RECORD_ATTEMPT] = 1;
    unit_add(&unit, &record);
    record.numbers[RECORD_COST] = 5000;
    record.numbers[RECORD_CHARGED] = 5;
    unit_add(&unit, &record);
    unit_put_begin(&out, &query);
    unit_put_end(&out, &query, &unit);
    expect(&out,
           "{\"kind\":\"trace\",\"trace\":\"u\\\"1\",\"calls\":[],\"unit\":{\"records\":2,"
           "\"draft_source\":\"openai\",\"draft_model\":\"m\",\"draft_cost_usd\":\"0.000000005\","
           "\"draft_charged_nusd\":5,\"draft_unpriced\":1,\"repair_source\":null,\"repair_model\":"
           "null,\"repair_cost_usd\":null,\"repair_charged_nusd\":null,\"repair_unpriced\":0,"
           "\"cost_usd\":\"0.000000005\",\"charged_nusd\":5,\"unpriced\":1,\"estimated\":0,"
           "\"mixed_providers\":false,\"prompt_cache_hit\":false}}\n");
    query.format = QUERY_TABLE;
    unit_put_end(&out, &query, &unit);
    expect(&out, "\ndraft  0.000000005 USD, and 1 unpriced  openai/m\nrepair none\n"
                 "total  0.000000005 USD, and 1 unpriced\n"
                 "mixed providers: no, prompt cache hit: no\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows__are_json_csv_and_a_table),
        cmocka_unit_test(hostile_names__stay_text),
        cmocka_unit_test(record__is_its_line_with_money_as_text),
        cmocka_unit_test(unit__tells_what_is_unpriced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
