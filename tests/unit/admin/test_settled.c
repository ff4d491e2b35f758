/* SPDX-License-Identifier: Apache-2.0 */
/* What records say that budgets have settled: the same as the ledger, whatever counts; and its text. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "admin/settled.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/rng.h"
#include "enforcement/ledger_memory.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)
/* 2026-11-29T12:00:00Z */
#define NOON INT64_C(1795953600000)

static const uint64_t seed[2] = {1, 2};

static const struct budget day = {.name = SPAN("day"),
                                  .scope = {.kind = SCOPE_TEAM},
                                  .limit = 1000000,
                                  .window = {.kind = WINDOW_DAY}};
static const struct budgets one_day = {.list = &day, .count = 1};

static struct settled *make(const struct budgets *budgets)
{
    struct settled *settled = settled_new(seed);

    assert_non_null(settled);
    settled_budgets(settled, budgets, 0);
    return settled;
}

static void end(struct settled *settled)
{
    settled_free(settled);
    assert_int_equal(mem_held(), 0);
}

static void fill(struct record *record, int64_t charged, wall_ms held_at)
{
    record_init(record);
    record->texts[RECORD_SOURCE] = SPAN_OF("headgate");
    record->texts[RECORD_TEAM] = SPAN_OF("growth");
    record->texts[RECORD_PHASE] = SPAN_OF("complete");
    record->numbers[RECORD_CHARGED] = charged;
    record->numbers[RECORD_HELD] = 150;
    record->numbers[RECORD_HELD_AT] = held_at;
    record->tokens[TOKENS_INPUT] = charged / 2;
    record->tokens[TOKENS_CACHE_READ] = 3;
    record->tokens[TOKENS_OUTPUT] = 4;
}

static bool count(struct settled *settled, const struct record *record)
{
    bool has_changed = false;

    assert_int_equal(settled_add(settled, record, &has_changed), ERR_NONE);
    return has_changed;
}

static void spend(struct settled *settled, int64_t charged, wall_ms held_at)
{
    struct record record;

    fill(&record, charged, held_at);
    (void)count(settled, &record);
}

static size_t sums_count(const struct settled *settled)
{
    size_t count = 0;

    for (struct link *at = settled->all.next; at != &settled->all; at = at->next) {
        count++;
    }
    return count;
}

/* Of all windows. */
static int64_t sum_of(const struct settled *settled, const char *budget, const char *value)
{
    int64_t sum = 0;

    for (struct link *at = settled->all.next; at != &settled->all; at = at->next) {
        const struct settled_sum *each = LIST_OWNER(at, struct settled_sum, link);

        if (span_equal(each->budget, span_of(budget)) && span_equal(each->value, span_of(value))) {
            sum += each->settled;
        }
    }
    return sum;
}

/* ---- what counts ---- */

static void settled__held_attempts_of_ours_count_in_the_window_of_their_hold(void **state)
{
    struct settled *settled = make(&one_day);
    struct record record;

    (void)state;
    spend(settled, 100, NOON);
    spend(settled, 200, NOON + 11 * HOUR_MS);
    spend(settled, 50, NOON + 12 * HOUR_MS);
    assert_int_equal(sum_of(settled, "day", "growth"), 350);
    assert_int_equal(sums_count(settled), 2);
    assert_int_equal(LIST_OWNER(settled->all.next, struct settled_sum, link)->overrun, 50);
    spend(settled, 7, NOON); /* that took until the next day */
    assert_int_equal(LIST_OWNER(settled->all.next, struct settled_sum, link)->settled, 307);

    fill(&record, 100, -1); /* nothing was held */
    assert_false(count(settled, &record));
    fill(&record, 100, NOON); /* an app's own word */
    record.texts[RECORD_SOURCE] = SPAN_OF("batch");
    assert_false(count(settled, &record));
    fill(&record, -1, NOON); /* nobody knows what it cost */
    assert_true(count(settled, &record));
    assert_int_equal(sum_of(settled, "day", "growth"), 357);
    fill(&record, 100, NOON);
    record.texts[RECORD_TEAM] = SPAN_OF("");
    assert_true(count(settled, &record));
    assert_int_equal(sum_of(settled, "day", "default"), 100);
    end(settled);
}

static void settled__a_changed_budget_begins_with_its_change(void **state)
{
    struct budget changed = day;
    struct budgets budgets = {.list = &changed, .count = 1};
    struct settled *settled = make(&one_day);

    (void)state;
    spend(settled, 100, NOON);
    changed.limit = 5; /* that is no other budget */
    changed.mode = BUDGET_WARN;
    settled_budgets(settled, &budgets, NOON + 10);
    spend(settled, 100, NOON + 5);
    assert_int_equal(sum_of(settled, "day", "growth"), 200);
    changed.unit = UNIT_TOKENS;
    settled_budgets(settled, &budgets, NOON + 20);
    spend(settled, 100, NOON + 19); /* that call began before it */
    assert_int_equal(sum_of(settled, "day", "growth"), 200);
    spend(settled, 100, NOON + 20);
    assert_int_equal(sum_of(settled, "day", "growth"), 200 + 57);
    assert_int_equal(settled_seen(settled, SPAN_OF("day"))->first_seen, NOON);
    assert_null(settled_seen(settled, SPAN_OF("night")));
    end(settled);
}

static void settled__a_reset_begins_at_zero(void **state)
{
    struct settled *settled = make(&one_day);
    struct record record;

    (void)state;
    spend(settled, 100, NOON);
    fill(&record, 70, NOON);
    record.texts[RECORD_TEAM] = SPAN_OF("other");
    assert_true(count(settled, &record));
    assert_int_equal(settled_reset(settled, day.name, SPAN_OF("growth"), NOON + 10), ERR_NONE);
    spend(settled, 100, NOON + 9);
    spend(settled, 30, NOON + 10);
    assert_int_equal(sum_of(settled, "day", "growth"), 30);
    assert_int_equal(sum_of(settled, "day", "other"), 70);
    assert_int_equal(settled_reset(settled, day.name, span_make(NULL, 0), NOON + 20), ERR_NONE);
    assert_int_equal(settled->resets_count, 1); /* what it is part of is forgotten */
    assert_false(count(settled, &record));
    assert_int_equal(sum_of(settled, "day", "other"), 0);
    settled_tidy(settled, NOON + 2 * DAY_MS);
    assert_int_equal(settled->resets_count, 1);
    settled_tidy(settled, NOON + 5 * DAY_MS);
    assert_int_equal(settled->resets_count, 0);
    end(settled);
}

static void settled__resets_are_bounded(void **state)
{
    struct settled *settled = make(&one_day);
    char value[2] = "aa";

    (void)state;
    for (int i = 0; i < SETTLED_RESETS_MAX; i++) {
        value[0] = (char)('a' + i / 26);
        value[1] = (char)('a' + i % 26);
        assert_int_equal(settled_reset(settled, day.name, span_make(value, 2), NOON), ERR_NONE);
    }
    assert_int_equal(settled_reset(settled, day.name, SPAN_OF("more"), NOON), ERR_CEILING);
    assert_int_equal(settled_reset(settled, day.name, span_make(NULL, 0), NOON), ERR_NONE);
    assert_int_equal(settled->resets_count, 1);
    end(settled);
}

static void settled__what_is_open_fits_the_settings(void **state)
{
    struct budget other = day;
    struct budgets budgets = {.list = &other, .count = 1};
    struct settled *settled = make(&one_day);
    const struct settled_sum *sum = NULL;

    (void)state;
    spend(settled, 100, NOON);
    sum = LIST_OWNER(settled->all.next, struct settled_sum, link);
    assert_ptr_equal(settled_open(settled, sum, NOON), &day);
    assert_null(settled_open(settled, sum, NOON + 12 * HOUR_MS));
    assert_ptr_equal(settled_open(settled, sum, NOON + 12 * HOUR_MS - 1), &day);
    assert_ptr_equal(settled_open(settled, sum, NOON - DAY_MS), &day); /* the clock was set back */
    assert_null(settled_open(settled, sum, NOON - 30 * DAY_MS)); /* or had been wrong */
    other.window.kind = WINDOW_WEEK;
    settled_budgets(settled, &budgets, NOON);
    assert_null(settled_open(settled, sum, NOON));
    other = day;
    other.unit = UNIT_REQUESTS;
    settled_budgets(settled, &budgets, NOON);
    assert_null(settled_open(settled, sum, NOON));
    settled_tidy(settled, NOON + 12 * HOUR_MS + SETTLED_KEEP_MS);
    assert_int_equal(sums_count(settled), 1);
    settled_tidy(settled, NOON + 12 * HOUR_MS + SETTLED_KEEP_MS + 1);
    assert_int_equal(sums_count(settled), 0);
    end(settled);
}

static void settled__times_are_never_ahead_of_the_clock(void **state)
{
    struct settled *settled = settled_new(seed);

    (void)state;
    assert_non_null(settled);
    settled_budgets(settled, &one_day, NOON + DAY_MS);
    settled_clock(settled, NOON);
    spend(settled, 100, NOON);
    assert_int_equal(sum_of(settled, "day", "growth"), 100);
    end(settled);
}

/* ---- counted again ---- */

static void settled__counted_again_it_says_what_the_records_say(void **state)
{
    static const struct budget list[] = {
        {.name = SPAN("day"), .scope = {.kind = SCOPE_TEAM}, .window = {.kind = WINDOW_DAY}},
        {.name = SPAN("all"), .scope = {.kind = SCOPE_GLOBAL}, .window = {.kind = WINDOW_TOTAL}}};
    static const struct budgets both = {.list = list, .count = 2};
    struct settled *settled = make(&both);
    struct settled *fresh = NULL;
    unsigned seen = 0;

    (void)state;
    spend(settled, 1000, NOON - 40 * DAY_MS); /* the journal has it no more */
    spend(settled, 100, NOON);
    spend(settled, 100, NOON + 1);
    assert_int_equal(settled_reset(settled, SPAN_OF("day"), span_make(NULL, 0), NOON + 1), ERR_NONE);
    spend(settled, 100, NOON + 2);
    fresh = settled_again(settled);
    assert_non_null(fresh);
    spend(fresh, 100, NOON);
    spend(fresh, 100, NOON + 1);
    spend(fresh, 100, NOON + 2);
    spend(fresh, 11, NOON + 3); /* that was missing */
    assert_int_equal(settled_correct(settled, fresh, SPAN_OF("all"), NOON - DAY_MS), ERR_NONE);
    assert_int_equal(sum_of(settled, "day", "growth"), 200 - 100);
    settled_free(fresh);
    fresh = settled_again(settled);
    assert_non_null(fresh);
    for (int i = 0; i < 3; i++) {
        spend(fresh, 100, NOON + i);
    }
    spend(fresh, 11, NOON + 3);
    assert_int_equal(settled_correct(settled, fresh, SPAN_OF(""), NOON - DAY_MS), ERR_NONE);
    assert_int_equal(sum_of(settled, "day", "growth"), 211);
    assert_int_equal(sum_of(settled, "all", ""), 1300); /* not less: a part of it is out of sight */
    for (struct link *at = fresh->all.next; at != &fresh->all; at = at->next) {
        const struct settled_sum *sum = LIST_OWNER(at, struct settled_sum, link);

        if (sum->settled != sum->before) {
            seen++;
            assert_true(span_equal(sum->budget, SPAN_OF("day")));
            assert_int_equal(sum->before, 100);
        }
    }
    assert_int_equal(seen, 1);
    settled_free(fresh);
    end(settled);
}

/* ---- as the ledger ---- */

enum { TRIALS = 200, STEPS = 150, BUDGETS = 12 };

static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
static const char *const values[] = {"", "x", "y", "long:name with blanks %/\xc3\xbc"};
static const char *const tags[] = {"", "t1", "t1,t2", "t2,t1,t2"};

static struct span value_of(struct rng *rng)
{
    return span_of(values[rng_below(rng, 4)]);
}

static void draw_budgets(struct rng *rng, struct budget list[BUDGETS])
{
    for (uint16_t i = 0; i < BUDGETS; i++) {
        list[i] = (struct budget){.name = span_of(names[i]),
                                  .scope = {.kind = (enum scope_kind)rng_below(rng, SCOPE_CALL)},
                                  .unit = (enum budget_unit)rng_below(rng, BUDGET_UNITS),
                                  .limit = 1000000000,
                                  .mode = BUDGET_WARN,
                                  .window = {.kind = (enum window_kind)rng_below(rng, 8)},
                                  .index = i};
        if (list[i].scope.kind == SCOPE_TRACE) {
            list[i].window.kind = WINDOW_TOTAL; /* as conf has it */
        }
        if (list[i].window.kind == WINDOW_ROLLING) {
            list[i].window.length_ms = WINDOW_PARTS * 60000U * (1 + rng_below(rng, 60));
        }
    }
}

static void draw_record(struct rng *rng, struct record *record)
{
    static const enum record_text which[] = {RECORD_TEAM,  RECORD_USER, RECORD_KEY,  RECORD_MODEL,
                                             RECORD_PROVIDER, RECORD_ROUTE, RECORD_TASK, RECORD_TRACE};

    record_init(record);
    record->texts[RECORD_SOURCE] = SPAN_OF("headgate");
    for (size_t i = 0; i < ARRAY_LENGTH(which); i++) {
        record->texts[which[i]] = value_of(rng);
    }
    record->texts[RECORD_TAGS] = span_of(tags[rng_below(rng, 4)]);
    record->texts[RECORD_PHASE] = rng_below(rng, 4) == 0 ? SPAN_OF("unsent") : SPAN_OF("sent");
    record->numbers[RECORD_CHARGED] = (int64_t)rng_below(rng, 1000) - 1;
    record->numbers[RECORD_HELD] = (int64_t)rng_below(rng, 1000);
    record->tokens[TOKENS_INPUT] = (int64_t)rng_below(rng, 1000) - 1;
    record->tokens[TOKENS_AUDIO_OUTPUT] = (int64_t)rng_below(rng, 1000) - 1;
}

static void subject_of(const struct record *record, struct subject *subject)
{
    *subject = (struct subject){
        .values = {[SCOPE_TEAM] = record->texts[RECORD_TEAM].len > 0 ? record->texts[RECORD_TEAM]
                                                                     : SPAN_OF("default"),
                   [SCOPE_USER] = record->texts[RECORD_USER],
                   [SCOPE_KEY] = record->texts[RECORD_KEY],
                   [SCOPE_TAG] = record->texts[RECORD_TAGS],
                   [SCOPE_MODEL] = record->texts[RECORD_MODEL],
                   [SCOPE_PROVIDER] = record->texts[RECORD_PROVIDER],
                   [SCOPE_ROUTE] = record->texts[RECORD_ROUTE],
                   [SCOPE_TASK] = record->texts[RECORD_TASK],
                   [SCOPE_TRACE] = record->texts[RECORD_TRACE]}};
}

/* The same through the ledger: what call_subject and call_record_booked say of such a call. */
static void book(struct ledger *ledger, const struct budgets *budgets, struct record *record,
                 wall_ms now)
{
    struct subject subject;
    struct chain chain;
    struct hold_request request = {.record_id = SPAN_OF("1-1"), .chain = &chain, .now = now};
    struct hold_answer answer;
    struct amounts actual;
    uint64_t ticket = 0;

    subject_of(record, &subject);
    chain_make(budgets, &subject, &chain);
    if (chain.count == 0) {
        return; /* its record has no moment of a hold */
    }
    request.amounts.of[UNIT_MONEY] = record->numbers[RECORD_HELD];
    assert_true(ledger_memory_ops.hold(ledger, &request, &ticket, &answer));
    assert_int_equal(answer.verdict, HOLD_GRANTED);
    record->numbers[RECORD_HELD_AT] = answer.held_at;
    actual.of[UNIT_MONEY] =
        record->numbers[RECORD_CHARGED] > 0 ? record->numbers[RECORD_CHARGED] : 0;
    actual.of[UNIT_TOKENS] =
        (record->tokens[TOKENS_INPUT] > 0 ? record->tokens[TOKENS_INPUT] : 0) +
        (record->tokens[TOKENS_AUDIO_OUTPUT] > 0 ? record->tokens[TOKENS_AUDIO_OUTPUT] : 0);
    actual.of[UNIT_REQUESTS] = !span_equal(record->texts[RECORD_PHASE], SPAN_OF("unsent"));
    ledger_memory_ops.settle(ledger, ticket, &actual);
}

struct rows {
    struct ledger_report report;
    size_t count;
    int64_t settled[CHAIN_MAX];
    int64_t overrun[CHAIN_MAX];
};

static void hear_row(struct ledger_report *report, const struct ledger_row *row)
{
    struct rows *rows = (struct rows *)report;

    rows->settled[rows->count] = row->settled;
    rows->overrun[rows->count] = row->unit == UNIT_MONEY ? row->overrun : 0;
    rows->count++;
}

static void hear_done(struct ledger_report *report, bool is_whole)
{
    (void)report;
    assert_true(is_whole);
}

static void read_rows(struct ledger *ledger, const struct budgets *budgets,
                      const struct subject *subject, wall_ms now, struct rows *rows)
{
    *rows = (struct rows){.report = {.subject = subject,
                                     .budgets = budgets,
                                     .now = now,
                                     .row = hear_row,
                                     .done = hear_done}};
    ledger_memory_ops.report(ledger, &rows->report);
}

/* Whoever asks, of one as of the other. */
static uint64_t compare(struct rng *rng, struct ledger *one, struct ledger *other,
                        const struct budgets *budgets, wall_ms now)
{
    struct record record;
    struct subject subject;
    struct rows live;
    struct rows loaded;
    uint64_t seen = 0;

    draw_record(rng, &record);
    subject_of(&record, &subject);
    read_rows(one, budgets, &subject, now, &live);
    read_rows(other, budgets, &subject, now, &loaded);
    assert_int_equal(live.count, loaded.count);
    for (size_t i = 0; i < live.count; i++) {
        assert_int_equal(live.settled[i], loaded.settled[i]);
        assert_int_equal(live.overrun[i], loaded.overrun[i]);
        seen += live.settled[i] > 0;
    }
    return seen;
}

/* Every open sum goes into a new ledger, as at a start. */
static void load(const struct settled *settled, struct ledger *ledger, wall_ms now)
{
    for (struct link *at = settled->all.next; at != &settled->all; at = at->next) {
        const struct settled_sum *sum = LIST_OWNER(at, struct settled_sum, link);
        struct ledger_sum given = {.budget = settled_open(settled, sum, now),
                                   .value = sum->value,
                                   .window = sum->window,
                                   .settled = sum->settled,
                                   .overrun = sum->overrun,
                                   .reset_at = INT64_MIN};

        if (given.budget != NULL) {
            assert_true(ledger_memory_load(ledger, &given, now));
        }
    }
}

static void hear_order(struct ledger_order *order, bool is_done, const char *why)
{
    (void)order;
    (void)why;
    assert_true(is_done);
}

static void reset_both(struct rng *rng, struct ledger *ledger, struct settled *settled, wall_ms now)
{
    struct ledger_order order = {.kind = ORDER_RESET,
                                 .budget = span_of(names[rng_below(rng, BUDGETS)]),
                                 .value = value_of(rng),
                                 .has_value = rng_below(rng, 2) == 0,
                                 .now = now,
                                 .done = hear_order};

    ledger_memory_ops.order(ledger, &order);
    assert_int_equal(settled_reset(settled, order.budget,
                                   order.has_value ? order.value : span_make(NULL, 0), order.now),
                     ERR_NONE);
}

static void same_text(const struct settled *settled, struct settled **again,
                      const struct budgets *budgets)
{
    const uint64_t place[2] = {7, 4711};
    uint64_t read[2] = {0, 0};
    struct buf text;
    struct buf second;

    buf_init(&text, SETTLED_TEXT_MAX);
    buf_init(&second, SETTLED_TEXT_MAX);
    settled_put(settled, place, &text);
    *again = settled_new(seed);
    assert_int_equal(settled_take(*again, buf_span(&text), read), ERR_NONE);
    assert_int_equal(read[0], 7);
    assert_int_equal(read[1], 4711);
    settled_budgets(*again, budgets, NOON * 2);
    settled_put(*again, place, &second);
    assert_true(span_equal(buf_span(&text), buf_span(&second)));
    buf_fini(&text);
    buf_fini(&second);
}

static uint64_t one_trial(uint64_t number)
{
    struct ledger_ears ears = {.to = NULL};
    struct ledger *ledger = ledger_memory_new(&ears, seed);
    struct ledger *other = ledger_memory_new(&ears, seed);
    struct budget list[BUDGETS];
    struct budgets budgets = {.list = list, .count = BUDGETS};
    struct settled *settled = NULL;
    struct settled *again = NULL;
    struct rng rng;
    wall_ms now = NOON;
    uint64_t seen = 0;

    rng_init(&rng, 4711, number);
    draw_budgets(&rng, list);
    settled = make(&budgets);
    for (int i = 0; i < STEPS; i++) {
        struct record record;

        now += (wall_ms)(rng_below(&rng, 30) == 0 ? rng_below(&rng, 7200000) : rng_below(&rng, 60000));
        draw_record(&rng, &record);
        book(ledger, &budgets, &record, now);
        (void)count(settled, &record);
        if (rng_below(&rng, 60) == 0) {
            reset_both(&rng, ledger, settled, now);
        }
    }
    settled_tidy(settled, now);
    same_text(settled, &again, &budgets);
    load(again, other, now);
    for (int i = 0; i < 40; i++) {
        seen += compare(&rng, ledger, other, &budgets, now);
    }
    settled_free(again);
    settled_free(settled);
    ledger_memory_free(ledger);
    ledger_memory_free(other);
    assert_int_equal(mem_held(), 0);
    return seen;
}

static void settled__says_what_the_ledger_says(void **state)
{
    uint64_t seen = 0;

    (void)state;
    for (uint64_t i = 0; i < TRIALS; i++) {
        seen += one_trial(i);
    }
    assert_true(seen > TRIALS * 40);
}

/* ---- the text ---- */

static void settled__a_damaged_text_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "headgate budgets 2\njournal 1 2\n",
        "headgate budgets 1\n",
        "headgate budgets 1\njournal 1\n",
        "headgate budgets 1\njournal 1 2 3\n",
        "headgate budgets 1\njournal 1 2\nbudget a 1 2\n",
        "headgate budgets 1\njournal 1 2\nbudget a 4294967296 2 3\n",
        "headgate budgets 1\njournal 1 2\nbudget a 1 2 3\nbudget a 1 2 3\n",
        "headgate budgets 1\njournal 1 2\nreset a 1\n",
        "headgate budgets 1\njournal 1 2\nreset a 1 =%zz\n",
        "headgate budgets 1\njournal 1 2\nreset a 1 all more\n",
        "headgate budgets 1\njournal 1 2\nsum a USD team 1 2 2 1 5 6 =x\n",
        "headgate budgets 1\njournal 1 2\nsum a EUR team 1 2 2 1 6 5 =x\n",
        "headgate budgets 1\njournal 1 2\nsum a USD crowd 1 2 2 1 6 5 =x\n",
        "headgate budgets 1\njournal 1 2\nsum a USD team 2 2 2 1 6 5 =x\n",
        "headgate budgets 1\njournal 1 2\nsum a USD team 1 2 1 1 6 5 =x\n",
        "headgate budgets 1\njournal 1 2\nsum a USD team 1 2 2 1 -6 5 =x\n",
        "headgate budgets 1\njournal 1 2\nsum a USD team 1 2 2 1 6 5 x\n",
        "headgate budgets 1\njournal 1 2\nwhat\n",
        "headgate budgets 1\njournal 1 2\nsum a USD team 1 2 2 1 9223372036854775808 5 =x\n",
    };
    char large[700];

    (void)state;
    memset(large, 'n', sizeof large);
    for (size_t i = 0; i <= ARRAY_LENGTH(bad); i++) {
        struct settled *settled = settled_new(seed);
        uint64_t place[2];
        struct buf text;

        buf_init(&text, 4096);
        if (i < ARRAY_LENGTH(bad)) {
            buf_put_text(&text, bad[i]);
        } else {
            buf_put_text(&text, "headgate budgets 1\njournal 1 2\nsum ");
            buf_put(&text, span_make(large, sizeof large));
            buf_put_text(&text, " USD team 1 2 2 1 6 5 =x\n");
        }
        buf_put_format(&text, "crc %08lx\n", (unsigned long)crc32c(buf_span(&text)));
        assert_int_equal(settled_take(settled, buf_span(&text), place), ERR_FORMAT);
        buf_fini(&text);
        end(settled);
    }
}

static void settled__no_part_of_a_text_is_believed(void **state)
{
    const uint64_t place[2] = {1, 2};
    struct settled *settled = make(&one_day);
    struct buf text;
    uint64_t read[2];

    (void)state;
    spend(settled, 100, NOON);
    assert_int_equal(settled_reset(settled, day.name, SPAN_OF("x y"), NOON), ERR_NONE);
    buf_init(&text, 4096);
    settled_put(settled, place, &text);
    settled_free(settled);
    for (size_t len = 0; len < text.len; len++) {
        char *copy = mem_take(len + 1);

        memcpy(copy, text.at, len);
        settled = settled_new(seed);
        assert_int_equal(settled_take(settled, span_make(copy, len), read), ERR_FORMAT);
        settled_free(settled);
        mem_give(copy, len + 1);
        text.at[len] ^= 4;
        settled = settled_new(seed);
        assert_int_equal(settled_take(settled, buf_span(&text), read), ERR_FORMAT);
        settled_free(settled);
        text.at[len] ^= 4;
    }
    buf_fini(&text);
    assert_int_equal(mem_held(), 0);
}

static void settled__without_memory_nothing_is_half_counted(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct settled *settled = make(&one_day);
        struct record record;
        bool has_changed = false;
        enum err err = ERR_NONE;

        fill(&record, 100, NOON);
        mem_fail_at(n);
        err = settled_add(settled, &record, &has_changed);
        mem_fail_at(0);
        assert_int_equal(sum_of(settled, "day", "growth"), err == ERR_NONE ? 100 : 0);
        assert_int_equal(has_changed, err == ERR_NONE);
        if (err != ERR_NONE) {
            assert_true(count(settled, &record));
            assert_int_equal(sum_of(settled, "day", "growth"), 100);
        }
        end(settled);
        if (err == ERR_NONE) {
            assert_true(n > 2);
            return;
        }
    }
}

static void settled__more_names_than_are_remembered(void **state)
{
    struct settled *settled = settled_new(seed);
    char name[] = "b000";
    struct budget list[BUDGETS_MAX];
    struct budgets budgets = {.list = list, .count = BUDGETS_MAX};

    (void)state;
    for (int round = 0; round < 5; round++) {
        char texts[BUDGETS_MAX][sizeof name];

        for (int i = 0; i < BUDGETS_MAX; i++) {
            int number = round * BUDGETS_MAX + i;

            memcpy(texts[i], name, sizeof name);
            texts[i][1] = (char)('0' + number / 100);
            texts[i][2] = (char)('0' + number / 10 % 10);
            texts[i][3] = (char)('0' + number % 10);
            list[i] = day;
            list[i].name = span_of(texts[i]);
        }
        settled_budgets(settled, &budgets, NOON + round);
        spend(settled, 100, NOON + round);
        assert_int_equal(sum_of(settled, texts[BUDGETS_MAX - 1], "growth"), 0); /* CHAIN_MAX before */
        assert_int_equal(sum_of(settled, texts[0], "growth"), 100);
        for (int i = 0; i < BUDGETS_MAX; i++) {
            assert_non_null(settled_seen(settled, list[i].name));
        }
    }
    assert_int_equal(settled->seen_count, SETTLED_BUDGETS_MAX);
    end(settled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settled__held_attempts_of_ours_count_in_the_window_of_their_hold),
        cmocka_unit_test(settled__a_changed_budget_begins_with_its_change),
        cmocka_unit_test(settled__a_reset_begins_at_zero),
        cmocka_unit_test(settled__resets_are_bounded),
        cmocka_unit_test(settled__what_is_open_fits_the_settings),
        cmocka_unit_test(settled__times_are_never_ahead_of_the_clock),
        cmocka_unit_test(settled__counted_again_it_says_what_the_records_say),
        cmocka_unit_test(settled__says_what_the_ledger_says),
        cmocka_unit_test(settled__a_damaged_text_is_refused),
        cmocka_unit_test(settled__no_part_of_a_text_is_believed),
        cmocka_unit_test(settled__without_memory_nothing_is_half_counted),
        cmocka_unit_test(settled__more_names_than_are_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
