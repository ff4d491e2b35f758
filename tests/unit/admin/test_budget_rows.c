/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a ledger's report, in which order, and its bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "admin/budget_out.h"
#include "base/mem.h"
#include "base/rng.h"

/* 2026-11-29T12:00:00Z */
#define NOON INT64_C(1795953600000)
#define DAY_MS INT64_C(86400000)
#define USD INT64_C(1000000000)

static const struct budget list[] = {
    {.name = SPAN("all"), .scope = {.kind = SCOPE_GLOBAL}, .limit = 10 * USD, .window = {.kind = WINDOW_MONTH}},
    {.name = SPAN("day"), .scope = {.kind = SCOPE_TEAM}, .limit = 25 * USD, .window = {.kind = WINDOW_DAY}},
    {.name = SPAN("soft"),
     .scope = {.kind = SCOPE_TAG},
     .unit = UNIT_TOKENS,
     .limit = 1000,
     .mode = BUDGET_WARN,
     .window = {.kind = WINDOW_ROLLING, .length_ms = DAY_MS}},
    {.name = SPAN("dark"), .scope = {.kind = SCOPE_TEAM}, .limit = 1, .mode = BUDGET_SHADOW},
    {.name = SPAN("guard"), .scope = {.kind = SCOPE_CALL}, .limit = USD / 2},
    {.name = SPAN("ops"), .scope = {.kind = SCOPE_TEAM, .value = SPAN("ops")}, .unit = UNIT_REQUESTS, .limit = 7},
};
static const struct budgets budgets = {.list = list, .count = sizeof list / sizeof list[0]};
static const struct budget_filter no_filter;

static struct budget_rows *begin(const struct budget_filter *filter, size_t max)
{
    struct budget_rows *rows = mem_take_zero(sizeof *rows);

    assert_non_null(rows);
    budget_rows_init(rows, &budgets, filter, max);
    return rows;
}

static void end(struct budget_rows *rows)
{
    budget_rows_fini(rows);
    mem_give(rows, sizeof *rows);
    assert_int_equal(mem_held(), 0);
}

static void add(struct budget_rows *rows, const struct budget *budget, const char *value, int64_t settled)
{
    char kept[64]; /* what the ledger lends is gone afterwards */
    struct ledger_row row = {.budget = budget->name,
                             .scope = budget->scope.kind,
                             .unit = budget->unit,
                             .settled = settled,
                             .limit = budget->limit};

    (void)snprintf(kept, sizeof kept, "%s", value);
    row.value = span_of(kept);
    window_at(&budget->window, NOON, &row.window);
    budget_rows_add(rows, &row);
    memset(kept, '?', sizeof kept);
}

static void assert_text(const struct buf *out, const char *text)
{
    if (out->failed || !span_equal(buf_span(out), span_of(text))) {
        fail_msg("%.*s\nis not\n%s", SPAN_ARGS(buf_span(out)), text);
    }
}

static void budget_rows__keeps_the_fullest_in_their_order(void **state)
{
    struct rng rng;
    int64_t last = INT64_MAX;

    (void)state;
    rng_init(&rng, 7, 1);
    for (size_t max = 1; max <= BUDGET_ROWS_MAX; max = max * 3 + 1) {
        struct budget_rows *rows = begin(&no_filter, max);
        char name[16];

        for (int i = 0; i < 2000; i++) {
            (void)snprintf(name, sizeof name, "t%04d", i);
            add(rows, &list[1], name, (int64_t)rng_below(&rng, 50) * USD / 2);
        }
        add(rows, &list[1], "over", 900 * USD);
        budget_rows_close(rows, NULL, NOON);
        assert_int_equal(rows->count, max);
        assert_int_equal(rows->total, 2001);
        assert_int_equal(rows->list[0]->permille, 36000);
        last = INT64_MAX;
        for (size_t i = 0; i < rows->count; i++) {
            assert_true(rows->list[i]->is.settled <= last);
            last = rows->list[i]->is.settled;
        }
        if (max > 1) { /* of 2,000 with 50 sums the 39 next ones have the highest or the second */
            assert_true(rows->list[1]->is.settled == 49 * USD / 2);
        }
        end(rows);
    }
}

static void budget_rows__names_make_the_order_where_nothing_else_does(void **state)
{
    struct budget_rows *rows = begin(&no_filter, 10);

    (void)state;
    add(rows, &list[1], "b", 0);
    add(rows, &list[1], "a", 0);
    add(rows, &list[1], "aa", 0);
    add(rows, &list[0], "", 0);
    budget_rows_close(rows, NULL, NOON);
    assert_int_equal(rows->count, 5); /* ops counts for one by name */
    assert_true(span_equal(rows->list[0]->is.budget, SPAN_OF("all")));
    assert_true(span_equal(rows->list[1]->is.value, SPAN_OF("a")));
    assert_true(span_equal(rows->list[2]->is.value, SPAN_OF("aa")));
    assert_true(span_equal(rows->list[3]->is.value, SPAN_OF("b")));
    assert_true(span_equal(rows->list[4]->is.budget, SPAN_OF("ops")) && rows->list[4]->is_idle);
    end(rows);
}

static void budget_rows__adds_what_the_settings_name(void **state)
{
    struct budget_rows *rows = begin(&no_filter, 10);

    (void)state;
    add(rows, &list[5], "ops", 1);
    budget_rows_close(rows, NULL, NOON);
    assert_int_equal(rows->count, 2);
    assert_true(span_equal(rows->list[0]->is.budget, SPAN_OF("ops")) && !rows->list[0]->is_idle);
    assert_true(span_equal(rows->list[1]->is.budget, SPAN_OF("all")) && rows->list[1]->is_idle);
    assert_true(rows->list[1]->is.window.begin < NOON && rows->list[1]->is.window.end > NOON);
    end(rows);
}

static void budget_rows__of_an_app_all_that_counts_for_it_without_others_figures(void **state)
{
    static const struct budget_filter filter = {.is_for_app = true};
    static const struct subject subject = {
        .values = {[SCOPE_TEAM] = SPAN("growth"), [SCOPE_TAG] = SPAN("a,b"), [SCOPE_CALL] = SPAN("1")}};
    struct budget_rows *rows = begin(&filter, 10);

    (void)state;
    add(rows, &list[0], "", 9 * USD);
    add(rows, &list[1], "growth", USD);
    add(rows, &list[2], "b", 999);
    add(rows, &list[3], "growth", 1);
    budget_rows_close(rows, &subject, NOON);
    assert_int_equal(rows->count, 5);
    for (size_t i = 0; i < rows->count; i++) {
        const struct budget_row *row = rows->list[i];
        bool is_shared = row->is.scope == SCOPE_GLOBAL || row->is.scope == SCOPE_TAG;

        assert_int_equal(row->is_hidden, is_shared);
        assert_int_equal(budget_row_used(row), span_equal(row->is.budget, SPAN_OF("day")) ? USD : 0);
        assert_int_equal(row->permille, budget_row_used(row) > 0 ? 40 : 0);
    }
    assert_int_equal(rows->list[3]->is.window.begin, NOON - DAY_MS);
    end(rows);
}

static void budget_rows__sums_at_their_ends_do_not_overflow(void **state)
{
    struct budget_rows *rows = begin(&no_filter, 10);
    struct ledger_row row = {.budget = SPAN_OF("gone"), .limit = -1, .settled = INT64_MAX, .held = INT64_MAX};

    (void)state;
    budget_rows_add(rows, &row);
    row.budget = list[3].name;
    row.limit = 1;
    budget_rows_add(rows, &row);
    row.limit = BUDGET_MONEY_MAX;
    row.settled = BUDGET_MONEY_MAX - 1;
    row.held = 0;
    budget_rows_add(rows, &row);
    assert_int_equal(rows->count, 3);
    budget_rows_close(rows, NULL, NOON);
    assert_int_equal(rows->list[0]->permille, 1000000);
    assert_int_equal(budget_row_used(rows->list[0]), INT64_MAX);
    assert_int_equal(budget_row_left(rows->list[0]), 0);
    assert_int_equal(rows->list[1]->permille, 999);
    assert_int_equal(budget_row_left(rows->list[1]), 1);
    end(rows);
}

static void budget_rows__says_when_there_is_no_memory(void **state)
{
    struct budget_rows *rows = begin(&no_filter, 10);

    (void)state;
    mem_fail_at(1);
    add(rows, &list[1], "growth", 1);
    mem_fail_at(0);
    assert_true(rows->failed);
    assert_int_equal(rows->count, 0);
    end(rows);
}

/* ---- bytes ---- */

static struct budget_rows *sample(const struct budget_filter *filter)
{
    struct budget_rows *rows = begin(filter, 10);
    struct ledger_row row = {.budget = list[1].name,
                             .value = SPAN_OF("gr\"ow\x1bth"),
                             .scope = SCOPE_TEAM,
                             .window = {NOON, NOON + DAY_MS},
                             .generation = 2,
                             .settled = 2500000001,
                             .held = 3,
                             .presumed = USD,
                             .overrun = 1,
                             .limit = 25 * USD};

    budget_rows_add(rows, &row);
    row = (struct ledger_row){.budget = SPAN_OF("gone"),
                              .scope = SCOPE_GLOBAL,
                              .unit = UNIT_REQUESTS,
                              .window = {0, INT64_MAX},
                              .settled = 12,
                              .limit = -1};
    budget_rows_add(rows, &row);
    return rows;
}

static void budget_out__tells_operators_everything_exactly(void **state)
{
    static const struct budget_filter filter = {.has_budget = true, .budget = SPAN("day")};
    struct budget_rows *rows = sample(&filter);
    struct json_out json;
    struct buf out;

    (void)state;
    buf_init(&out, 8192);
    json_out_init(&json, &out);
    json_open_object(&json);
    budget_put_counters(&json, rows);
    json_close_object(&json);
    assert_text(&out,
                "{\"budgets\":[{\"budget\":\"day\",\"scope\":\"team\",\"of\":\"gr\\\"ow\\u001bth\","
                "\"mode\":\"enforce\",\"unit\":\"USD\",\"window_begin\":\"2026-11-29T12:00:00.000Z\","
                "\"window_end\":\"2026-11-30T12:00:00.000Z\",\"generation\":2,"
                "\"limit_usd\":\"25\",\"limit_nusd\":25000000000,"
                "\"settled_usd\":\"2.500000001\",\"settled_nusd\":2500000001,"
                "\"held_usd\":\"0.000000003\",\"held_nusd\":3,"
                "\"presumed_usd\":\"1\",\"presumed_nusd\":1000000000,"
                "\"overrun_usd\":\"0.000000001\",\"overrun_nusd\":1,"
                "\"remaining_usd\":\"21.499999996\",\"remaining_nusd\":21499999996,"
                "\"used_permille\":140}],\"counters\":1,\"truncated\":false}");
    buf_fini(&out);
    end(rows);
}

static void budget_out__what_is_not_known_is_null(void **state)
{
    static const struct budget_filter filter = {.has_budget = true, .budget = SPAN("gone")};
    struct budget_rows *rows = sample(&filter);
    struct json_out json;
    struct buf out;

    (void)state;
    buf_init(&out, 8192);
    json_out_init(&json, &out);
    json_open_object(&json);
    budget_put_counters(&json, rows);
    json_close_object(&json);
    assert_text(&out,
                "{\"budgets\":[{\"budget\":\"gone\",\"scope\":\"global\",\"of\":null,\"mode\":null,"
                "\"unit\":\"requests\",\"window_begin\":null,\"window_end\":null,\"generation\":0,"
                "\"limit\":null,\"settled\":12,\"held\":0,\"presumed\":0,\"overrun\":0,"
                "\"remaining\":null,\"used_permille\":null}],\"counters\":1,\"truncated\":false}");
    buf_fini(&out);
    end(rows);
}

static void budget_out__tells_an_app_what_is_its_own(void **state)
{
    static const struct budget_filter filter = {.is_for_app = true};
    static const struct subject subject = {.values = {[SCOPE_TASK] = SPAN("draft"), [SCOPE_CALL] = SPAN("1")}};
    struct budget_rows *rows = sample(&filter);
    struct json_out json;
    struct buf out;

    (void)state;
    budget_rows_close(rows, &subject, NOON);
    buf_init(&out, 8192);
    json_out_init(&json, &out);
    json_open_object(&json);
    budget_put_limits(&json, rows);
    json_close_object(&json);
    assert_text(&out,
                "{\"budgets\":[{\"budget\":\"day\",\"scope\":\"team\",\"of\":\"gr\\\"ow\\u001bth\","
                "\"mode\":\"enforce\",\"unit\":\"USD\",\"window_begin\":\"2026-11-29T12:00:00.000Z\","
                "\"window_end\":\"2026-11-30T12:00:00.000Z\","
                "\"limit_usd\":\"25\",\"limit_nusd\":25000000000,"
                "\"used_usd\":\"3.500000004\",\"used_nusd\":3500000004,"
                "\"remaining_usd\":\"21.499999996\",\"remaining_nusd\":21499999996},"
                "{\"budget\":\"all\",\"scope\":\"global\",\"of\":null,\"mode\":\"enforce\","
                "\"unit\":\"USD\",\"window_begin\":\"2026-11-01T00:00:00.000Z\","
                "\"window_end\":\"2026-12-01T00:00:00.000Z\",\"limit_usd\":null,\"limit_nusd\":null,"
                "\"used_usd\":null,\"used_nusd\":null,\"remaining_usd\":null,\"remaining_nusd\":null},"
                "{\"budget\":\"guard\",\"scope\":\"call\",\"of\":null,\"mode\":\"enforce\","
                "\"unit\":\"USD\",\"window_begin\":null,\"window_end\":null,"
                "\"limit_usd\":\"0.5\",\"limit_nusd\":500000000,\"used_usd\":\"0\",\"used_nusd\":0,"
                "\"remaining_usd\":\"0.5\",\"remaining_nusd\":500000000}]}");
    buf_fini(&out);
    end(rows);
}

static void budget_out__tells_rates_and_hides_what_others_share(void **state)
{
    static const struct rate rates[] = {
        {.name = SPAN("calls"), .scope = {.kind = SCOPE_KEY}, .limit = 60, .per = SPAN("minute"), .rule = {.burst = 10}},
        {.name = SPAN("at once"), .scope = {.kind = SCOPE_TEAM}, .unit = RATE_CONCURRENT, .limit = 8},
        {.name = SPAN("tokens"), .scope = {.kind = SCOPE_GLOBAL}, .unit = RATE_TOKENS, .limit = 600, .per = SPAN("hour"), .rule = {.burst = 600}},
    };
    const struct rate_sight sights[] = {
        {&rates[0], SPAN("ci"), {60, 7, 2500}}, {&rates[1], SPAN("growth"), {8, 0, 0}}, {&rates[2], SPAN(""), {600, 1, 9}}};
    struct json_out json;
    struct buf out;

    (void)state;
    buf_init(&out, 8192);
    json_out_init(&json, &out);
    json_open_object(&json);
    rates_put_limits(&json, sights, 3, true, NOON);
    json_close_object(&json);
    assert_text(&out,
                "{\"rates\":[{\"rate\":\"calls\",\"scope\":\"key\",\"of\":\"ci\",\"unit\":\"requests\",\"per\":\"minute\","
                "\"limit\":60,\"burst\":10,\"used\":3,\"remaining\":7,\"all_free_at\":\"2026-11-29T12:00:02.500Z\"},"
                "{\"rate\":\"at once\",\"scope\":\"team\",\"of\":\"growth\",\"unit\":\"concurrent\",\"per\":null,"
                "\"limit\":8,\"burst\":null,\"used\":8,\"remaining\":0,\"all_free_at\":null},"
                "{\"rate\":\"tokens\",\"scope\":\"global\",\"of\":null,\"unit\":\"tokens\",\"per\":\"hour\","
                "\"limit\":null,\"burst\":null,\"used\":null,\"remaining\":null,\"all_free_at\":null}]}");
    buf_clear(&out);
    json_out_init(&json, &out);
    rates_put_limits(&json, &sights[2], 1, false, NOON);
    assert_non_null(span_find(buf_span(&out), SPAN_OF("\"limit\":600,\"burst\":600,\"used\":599,\"remaining\":1,")));
    buf_fini(&out);
}

static void budget_out__tells_people_in_columns(void **state)
{
    struct budget_rows *rows = sample(&no_filter);
    struct buf out;

    (void)state;
    budget_rows_close(rows, NULL, NOON);
    buf_init(&out, 8192);
    budget_put_table(&out, rows);
    assert_text(&out,
                "BUDGET  OF       NEXT EDGE                           LIMIT      SETTLED         HELD  PRESUMED     REMAINING   USED\n"
                "day     gr\"owth  2026-11-30T12:00:00Z               25 USD  2.500000001  0.000000003         1  21.499999996  14.0%\n"
                "all     -        2026-12-01T00:00:00Z               10 USD            0            0         0            10   0.0%\n"
                "gone    -        never                 not in the settings           12            0         0             -      -\n"
                "ops     ops      never                          7 requests            0            0         0             7   0.0%\n");
    rows->total = 9;
    buf_clear(&out);
    budget_put_table(&out, rows);
    assert_true(span_ends(buf_span(&out), SPAN_OF("\nand 5 more, of which less is used\n")));
    buf_fini(&out);
    end(rows);
}

static void budget_out__says_nothing_of_nothing(void **state)
{
    static const struct budget_filter filter = {.has_value = true, .value = SPAN("nobody")};
    struct budget_rows *rows = sample(&filter);
    struct buf out;

    (void)state;
    budget_rows_close(rows, NULL, NOON);
    buf_init(&out, 64);
    budget_put_table(&out, rows);
    assert_int_equal(out.len, 0);
    buf_fini(&out);
    end(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budget_rows__keeps_the_fullest_in_their_order),
        cmocka_unit_test(budget_rows__names_make_the_order_where_nothing_else_does),
        cmocka_unit_test(budget_rows__adds_what_the_settings_name),
        cmocka_unit_test(budget_rows__of_an_app_all_that_counts_for_it_without_others_figures),
        cmocka_unit_test(budget_rows__sums_at_their_ends_do_not_overflow),
        cmocka_unit_test(budget_rows__says_when_there_is_no_memory),
        cmocka_unit_test(budget_out__tells_operators_everything_exactly),
        cmocka_unit_test(budget_out__what_is_not_known_is_null),
        cmocka_unit_test(budget_out__tells_an_app_what_is_its_own),
        cmocka_unit_test(budget_out__tells_rates_and_hides_what_others_share),
        cmocka_unit_test(budget_out__tells_people_in_columns),
        cmocka_unit_test(budget_out__says_nothing_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
