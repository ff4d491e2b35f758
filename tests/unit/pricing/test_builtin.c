/* SPDX-License-Identifier: Apache-2.0 */
/* The program's own prices: what must hold of each row, and costs that were reckoned by hand from
 * the vendors' tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/money.h"
#include "base/text.h"
#include "pricing/pack.h"
#include "pricing/price_text.h"

/* ---- golden costs ---- */

static struct arena arena;
static struct book book;
static struct price_table ours;

/* "2026-11-29" or "2026-11-24 03:00". */
static wall_ms time_of(const char *text)
{
    wall_ms at = 0;
    uint64_t hour = 0;
    uint64_t minute = 0;

    assert_int_equal(text_read_day(span_make(text, 10), &at), ERR_NONE);
    if (strlen(text) > 10) {
        assert_int_equal(text_read_u64(span_make(text + 11, 2), &hour), ERR_NONE);
        assert_int_equal(text_read_u64(span_make(text + 14, 2), &minute), ERR_NONE);
    }
    return at + (wall_ms)(hour * 3600000 + minute * 60000);
}

struct golden {
    const char *list;
    const char *model;
    const char *at;
    const char *tier;
    const char *region;
    int64_t tokens[TOKEN_CLASSES];
    int64_t searches;
    const char *usd; /* NULL: not priced */
    bool tier_unpriced;
    bool class_unpriced;
};

#define IN   [TOKENS_INPUT]
#define READ [TOKENS_CACHE_READ]
#define W5   [TOKENS_CACHE_WRITE_5M]
#define W30  [TOKENS_CACHE_WRITE_30M]
#define W1   [TOKENS_CACHE_WRITE_1H]
#define W12  [TOKENS_CACHE_WRITE_12H]
#define HEAR [TOKENS_AUDIO_INPUT]
#define OUT  [TOKENS_OUTPUT]
#define SAY  [TOKENS_AUDIO_OUTPUT]
#define DAY  "2026-11-29"

static const struct golden goldens[] = {
    /* plain, cached, written */
    {"openai", "gpt-5.4", DAY, "", "", {IN = 1000, OUT = 500}, 0, "0.01", 0, 0},
    {"openai",
     "gpt-5.4",
     DAY,
     "default",
     "global",
     {IN = 1000, READ = 9000, OUT = 500},
     0,
     "0.01225",
     0,
     0},
    {"openai", "gpt-5.4-2026-03-05", DAY, "", "", {IN = 1000, OUT = 500}, 0, "0.01", 0, 0},
    {"openai", "gpt-5.4", DAY, "", "", {IN = 1000, W30 = 1000, OUT = 0}, 0, "0.005", 0, 0},
    {"openai", "gpt-6-sol", DAY, "", "", {IN = 100, W30 = 2000, OUT = 10}, 0, "0.0053", 0, 0},
    {"openai", "gpt-6.1-terra", DAY, "", "", {W12 = 2000, OUT = 10}, 0, "0.00505", 0, 0},
    {"openai", "gpt-6.1-sol", DAY, "", "", {READ = 100000, OUT = 1}, 0, "0.01001", 0, 0},
    {"openai", "gpt-5-nano", DAY, "", "", {IN = 1, OUT = 0}, 0, "0.00000005", 0, 0},
    /* long prompts: more than, the whole request, cached and written tokens counted */
    {"openai", "gpt-5.4", DAY, "", "", {IN = 272000, OUT = 1000}, 0, "0.695", 0, 0},
    {"openai", "gpt-5.4", DAY, "", "", {IN = 272001, OUT = 1000}, 0, "1.382505", 0, 0},
    {"openai", "gpt-5.4", DAY, "", "", {IN = 1, READ = 272000, OUT = 0}, 0, "0.136005", 0, 0},
    {"openai", "gpt-6-astra", DAY, "", "", {W30 = 300000, OUT = 100}, 0, "7.5075", 0, 0},
    {"anthropic", "claude-haiku-5-5", DAY, "", "", {IN = 100000, OUT = 100}, 0, "0.01005", 0, 0},
    {"anthropic", "claude-haiku-5-5", DAY, "", "", {IN = 100001, OUT = 100}, 0, "0.0502505", 0, 0},
    {"google", "gemini-2.5-pro", DAY, "", "", {IN = 200001, OUT = 100}, 0, "0.5015025", 0, 0},
    {"google", "gemini-4-argon", DAY, "", "", {IN = 500000, OUT = 100}, 0, "1.001", 0, 0},
    {"xai", "grok-4.3", DAY, "", "", {IN = 200001, OUT = 1000}, 0, "0.5050025", 0, 0},
    {"anthropic",
     "claude-sonnet-4-5-20250929",
     DAY,
     "",
     "",
     {IN = 200001, OUT = 1000},
     0,
     "1.222506",
     0,
     0},
    /* tiers */
    {"openai",
     "gpt-5.4",
     DAY,
     "flex",
     "",
     {IN = 1000, READ = 1000, OUT = 1000},
     0,
     "0.008875",
     0,
     0},
    {"openai", "gpt-5.5", DAY, "priority", "", {IN = 1000, OUT = 1000}, 0, "0.0875", 0, 0},
    {"openai", "gpt-5.5", DAY, "fast", "", {IN = 1000, OUT = 1000}, 0, "0.0875", 0, 0},
    {"openai", "gpt-5.5", DAY, "priority", "", {IN = 300000, OUT = 1000}, 0, "7.6125", 0, 0},
    {"openai", "gpt-4o", DAY, "priority", "", {IN = 1000, OUT = 1000}, 0, "0.02125", 0, 0},
    {"openai", "gpt-5-nano", DAY, "priority", "", {IN = 1000, OUT = 1000}, 0, "0.00045", 1, 0},
    {"openai", "gpt-5.6-sol", DAY, "ultrafast", "", {IN = 1000, OUT = 1000}, 0, "0.035", 1, 0},
    {"openai", "gpt-5.4", DAY, "batch", "", {IN = 1000, OUT = 1000}, 0, "0.00875", 0, 0},
    {"anthropic",
     "claude-opus-5-5",
     DAY,
     "fast",
     "",
     {IN = 1000, READ = 1000, OUT = 1000},
     0,
     "0.0484",
     0,
     0},
    {"anthropic", "claude-opus-4-7", DAY, "fast", "", {IN = 1000, OUT = 1000}, 0, "0.18", 0, 0},
    {"anthropic", "claude-sonnet-5-5", DAY, "batch", "", {IN = 1000, OUT = 1000}, 0, "0.006", 0, 0},
    {"google", "gemini-3.5-flash", DAY, "priority", "", {IN = 1000, OUT = 1000}, 0, "0.0189", 0, 0},
    {"groq",
     "openai/gpt-oss-120b",
     DAY,
     "on_demand",
     "",
     {IN = 1000, OUT = 1000},
     0,
     "0.00075",
     0,
     0},
    /* regions */
    {"openai", "gpt-5.4", DAY, "", "eu", {IN = 1000, OUT = 1000}, 0, "0.01925", 0, 0},
    {"openai", "gpt-5.4", DAY, "priority", "us", {IN = 300000, OUT = 0}, 0, "3.3", 0, 0},
    {"openai", "gpt-5.4", DAY, "", "mars", {IN = 1000, OUT = 1000}, 0, "0.0175", 1, 0},
    {"openai", "gpt-4o", DAY, "", "eu", {IN = 1000, OUT = 1000}, 0, "0.0125", 0, 0},
    {"anthropic",
     "claude-opus-5",
     DAY,
     "standard",
     "us",
     {IN = 1000, W1 = 1000, OUT = 1000},
     0,
     "0.044",
     0,
     0},
    {"anthropic",
     "claude-opus-5",
     DAY,
     "standard",
     "not_available",
     {IN = 1000, OUT = 1000},
     0,
     "0.03",
     0,
     0},
    /* fees */
    {"anthropic",
     "claude-haiku-4-5-20251001",
     DAY,
     "",
     "",
     {IN = 1000, OUT = 1000},
     3,
     "0.036",
     0,
     0},
    {"google", "gemini-2.5-flash", DAY, "", "", {IN = 1000, OUT = 1000}, 1, "0.0378", 0, 0},
    {"groq", "llama-3.1-8b-instant", DAY, "", "", {IN = 1000, OUT = 1000}, 1, "0.00013", 0, 1},
    /* classes */
    {"openai",
     "gpt-audio",
     DAY,
     "",
     "",
     {IN = 1000, HEAR = 1000, OUT = 1000, SAY = 1000},
     0,
     "0.1085",
     0,
     0},
    {"openai", "gpt-4o", DAY, "", "", {HEAR = 1000, OUT = 0}, 0, "0.0025", 0, 1},
    {"anthropic", "claude-opus-5", DAY, "", "", {W12 = 1000, OUT = 0}, 0, "0.01", 0, 1},
    {"cohere", "embed-v4.0", DAY, "", "", {IN = 1000000}, 0, "0.12", 0, 0},
    /* days */
    {"openai", "gpt-5.6-sol", "2026-08-20", "", "", {IN = 1000, OUT = 1000}, 0, "0.035", 0, 0},
    {"openai", "gpt-5.6-sol", "2026-08-21", "", "", {IN = 1000, OUT = 1000}, 0, "0.024", 0, 0},
    {"openai",
     "gpt-5.6-sol",
     "2026-11-21 23:59",
     "",
     "",
     {IN = 1000, OUT = 1000},
     0,
     "0.024",
     0,
     0},
    {"openai", "gpt-5.6-sol", "2026-11-22", "", "", {IN = 1000, OUT = 1000}, 0, "0.035", 0, 0},
    {"openai", "gpt-5.6-terra", "2026-07-29", "", "", {IN = 1000, OUT = 1000}, 0, "0.0175", 0, 0},
    {"openai", "gpt-5.6-terra", "2026-07-30", "", "", {IN = 1000, OUT = 1000}, 0, "0.014", 0, 0},
    {"openai", "gpt-5.6-luna", "2026-07-29", "", "", {IN = 1000, OUT = 1000}, 0, "0.007", 0, 0},
    {"google",
     "gemini-4-argon",
     "2026-11-30 23:59",
     "",
     "",
     {IN = 1000, OUT = 1000},
     0,
     "0.012",
     0,
     0},
    {"google", "gemini-4-argon", "2026-12-01", "", "", {IN = 1000, OUT = 1000}, 0, "0.024", 0, 0},
    {"google", "gemini-3.7-flash", "2027-01-01", "", "", {IN = 1000, OUT = 1000}, 0, "0.009", 0, 0},
    {"anthropic",
     "claude-sonnet-5-5",
     "2026-10-06",
     "",
     "",
     {READ = 10000, OUT = 0},
     0,
     "0.002",
     0,
     0},
    {"anthropic",
     "claude-sonnet-5-5",
     "2026-10-07",
     "",
     "",
     {READ = 10000, OUT = 0},
     0,
     "0.001",
     0,
     0},
    {"anthropic",
     "claude-opus-4-6",
     "2026-03-12",
     "",
     "",
     {IN = 200001, OUT = 0},
     0,
     "2.00001",
     0,
     0},
    {"anthropic",
     "claude-opus-4-6",
     "2026-03-13",
     "",
     "",
     {IN = 200001, OUT = 0},
     0,
     "1.000005",
     0,
     0},
    {"openai", "gpt-6-astra", "2026-09-02", "", "", {IN = 1}, 0, NULL, 0, 0},
    /* hours: 2026-11-27 is a Friday */
    {"deepseek",
     "deepseek-v4-pro",
     "2026-08-16 02:00",
     "",
     "",
     {IN = 1000, OUT = 1000},
     0,
     "0.001305",
     0,
     0},
    {"deepseek",
     "deepseek-v4-pro",
     "2026-11-27 00:59",
     "",
     "",
     {IN = 1000, OUT = 1000},
     0,
     "0.00264",
     0,
     0},
    {"deepseek",
     "deepseek-v4-pro",
     "2026-11-27 01:00",
     "",
     "",
     {IN = 1000, OUT = 1000},
     0,
     "0.00528",
     0,
     0},
    {"deepseek",
     "deepseek-v4-pro",
     "2026-11-27 04:00",
     "",
     "",
     {IN = 1000, OUT = 1000},
     0,
     "0.00264",
     0,
     0},
    {"deepseek",
     "deepseek-v4-flash",
     "2026-11-27 09:59",
     "",
     "",
     {READ = 1000, OUT = 0},
     0,
     "0.000014",
     0,
     0},
    {"deepseek",
     "deepseek-v4-pro",
     "2026-11-28 02:00",
     "",
     "",
     {IN = 1000, OUT = 1000},
     0,
     "0.00264",
     0,
     0},
    {"deepseek",
     "deepseek-v4-pro",
     "2026-08-22 02:00",
     "",
     "",
     {IN = 1000, OUT = 1000},
     0,
     "0.00528",
     0,
     0},
    {"deepseek",
     "deepseek-v4-pro",
     "2026-08-23 02:00",
     "",
     "",
     {IN = 1000, OUT = 1000},
     0,
     "0.00264",
     0,
     0},
    /* not priced */
    {"anthropic", "claude-fable-5-2", DAY, "", "", {IN = 1}, 0, NULL, 0, 0},
    {"openai", "gpt-5.4-turbo", DAY, "", "", {IN = 1}, 0, NULL, 0, 0},
    {"openai", "ft:gpt-4o-2024-08-06:us:x", DAY, "", "", {IN = 1}, 0, NULL, 0, 0},
    {"nobody", "gpt-5.4", DAY, "", "", {IN = 1}, 0, NULL, 0, 0},
    /* names */
    {"openai", "gpt-4o-2024-08-06", DAY, "", "", {IN = 1000, OUT = 0}, 0, "0.0025", 0, 0},
    {"openai", "gpt-4o-2024-05-13", DAY, "", "", {IN = 1000, OUT = 0}, 0, "0.005", 0, 0},
    {"mistral", "mistral-large-latest", DAY, "", "", {IN = 1000, OUT = 1000}, 0, "0.002", 0, 0},
};

static void check_golden(const struct golden *golden)
{
    const struct price *price =
        book_find(&book, span_of(golden->list), span_of(golden->model), time_of(golden->at));
    struct price_terms terms;
    struct usage usage;
    struct cost cost;
    struct buf text;

    if (golden->usd == NULL) {
        assert_null(price);
        return;
    }
    assert_non_null(price);
    usage_init(&usage);
    memcpy(usage.tokens, golden->tokens, sizeof usage.tokens);
    usage.fees[FEE_WEB_SEARCH] = golden->searches;
    usage_word_set(&usage.tier, span_of(golden->tier));
    terms = price_terms_of(&usage, span_of(golden->region), time_of(golden->at));
    price_cost(price, &usage, &terms, &cost);
    buf_init(&text, 64);
    money_put_pico(&text, cost.pico);
    buf_put_char(&text, '\0');
    if (strcmp(text.at, golden->usd) != 0) {
        fail_msg("%s at %s, tier \"%s\": %s, not %s", golden->model, golden->at, golden->tier,
                 text.at, golden->usd);
    }
    if (cost.tier_unpriced != golden->tier_unpriced ||
        cost.class_unpriced != golden->class_unpriced) {
        fail_msg("%s at %s, tier \"%s\": flags differ", golden->model, golden->at, golden->tier);
    }
    buf_fini(&text);
}

static void golden_costs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(goldens); i++) {
        check_golden(&goldens[i]);
    }
}

/* ---- what holds of every row ---- */

static void check_rates(const struct price *price, const struct price_rates *rates)
{
    uint32_t input = rates->token[TOKENS_INPUT];
    uint32_t output = rates->token[TOKENS_OUTPUT];

    assert_true(input != PRICE_ABSENT && input > 0 && input <= PRICE_MAX);
    assert_true(rates->token[TOKENS_CACHE_READ] == PRICE_ABSENT ||
                rates->token[TOKENS_CACHE_READ] <= input);
    for (size_t i = TOKENS_CACHE_WRITE_5M; i <= TOKENS_CACHE_WRITE_12H; i++) {
        assert_true(rates->token[i] == PRICE_ABSENT || rates->token[i] >= input);
    }
    assert_true(output == PRICE_ABSENT || output >= input);
    /* A column names the classes that the standard one names, and no others. */
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        assert_int_equal(rates->token[i] == PRICE_ABSENT,
                         price->cases[0].rates.token[i] == PRICE_ABSENT);
    }
}

static void rows_are_sane(void **state)
{
    (void)state;
    for (size_t i = 0; i < ours.prices_count; i++) {
        const struct price *price = &ours.prices[i];

        assert_true(price->source.len > 0 && price->as_of.len == 10);
        assert_true(price->from < price->until);
        assert_int_equal(price->cases[0].over, PRICE_ANY_PROMPT);
        assert_true(price->cases[0].tier == 0 && price->cases[0].region == 0);
        for (size_t j = 0; j < price->counts.cases; j++) {
            check_rates(price, &price->cases[j].rates);
        }
        /* No two columns for the same. */
        for (size_t j = 0; j < price->counts.cases; j++) {
            for (size_t k = 0; k < j; k++) {
                assert_false(price->cases[j].tier == price->cases[k].tier &&
                             price->cases[j].region == price->cases[k].region &&
                             price->cases[j].at_hours == price->cases[k].at_hours &&
                             price->cases[j].over == price->cases[k].over);
            }
        }
        if (price->output_max > 0 && price->context > 0) {
            assert_true(price->output_max <= price->context);
        }
    }
}

static void there_are_enough_and_none_twice(void **state)
{
    static const char *const lists[] = {"openai",   "anthropic", "google", "mistral",
                                        "deepseek", "groq",      "xai",    "cohere"};
    size_t models = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        assert_true(book_has_list(&book, span_of(lists[i])));
    }
    for (size_t i = 0; i < ours.prices_count; i++) {
        bool is_first = true;

        for (size_t j = 0; j < i; j++) {
            const struct price *a = &ours.prices[i];
            const struct price *b = &ours.prices[j];
            bool is_same = span_equal(a->list, b->list) && span_equal(a->model, b->model);

            assert_false(is_same && a->from == b->from);
            is_first = is_first && !is_same;
        }
        models += is_first ? 1 : 0;
    }
    assert_true(models >= 100);
    assert_int_equal(book.rows_count, ours.prices_count);
}

/* However little memory there is: no, or the whole. */
static void no_memory_is_told(void **state)
{
    struct price_table table;
    struct arena small;

    (void)state;
    for (size_t max = 0;; max += 64) {
        bool is_whole = false;

        arena_init(&small, max);
        is_whole = price_unpack(&price_builtin, &small, &table);
        assert_true(is_whole == !small.failed);
        arena_fini(&small);
        if (is_whole) {
            return;
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_costs),
        cmocka_unit_test(rows_are_sane),
        cmocka_unit_test(there_are_enough_and_none_twice),
        cmocka_unit_test(no_memory_is_told),
    };
    int failed = 1;

    arena_init(&arena, 1024 * 1024);
    book_init(&book, &arena);
    if (!price_unpack(&price_builtin, &arena, &ours)) {
        return 1;
    }
    book_add_table(&book, &ours);
    if (book_close(&book)) {
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    }
    arena_fini(&arena);
    return failed;
}
