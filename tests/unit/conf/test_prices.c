/* SPDX-License-Identifier: Apache-2.0 */
/* Price files: what is read, every fault with its place, and the section of the settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/load.h"
#include "conf/prices.h"
#include "pricing/pack.h"
#include "pricing/price_text.h"

#define HEAD "version: 1\nprices:\n"
#define ROW  HEAD "  - { provider: p, model: m, input: 2.50, output: 10"

static struct complaints complaints;

static enum err read(const char *text, struct arena *arena, struct price_table *table)
{
    arena_init(arena, PRICES_ARENA_MAX);
    return prices_read(span_of(text), arena, &complaints, table);
}

static const char full[] = "version: 1\n"
                           "date: 2026-11-20\n"
                           "x-note: [anything]\n"
                           "hosts: { a.example: p, eu.a.example: { provider: p, region: eu } }\n"
                           "prices:\n"
                           "  - provider: p\n"
                           "    model: \"qwen3:8b\"\n"
                           "    aliases: [q, \"qwen/latest\"]\n"
                           "    valid_from: 2026-09-23\n"
                           "    valid_until: 2027-01-01\n"
                           "    input: 2.50\n"
                           "    cache_read: 0.25\n"
                           "    output: 15\n"
                           "    reasoning: 20\n"
                           "    long_context:\n"
                           "      - { over: 1000, input: 3, cache_read: 0.3, output: 16 }\n"
                           "      - { over: 2000, input: 4, output: 17 }\n"
                           "    tiers: { flex: { input: 1.25, output: 7.50, long_context: { over: "
                           "1000, input: 2, output: 8 } } }\n"
                           "    batch: { input: 1, output: 6 }\n"
                           "    regions:\n"
                           "      us: &r { input: 2.75, output: 16.5, tiers: { flex: { input: "
                           "1.375, output: 8.25 } }, batch: { input: 1.1, output: 6.6 } }\n"
                           "      eu: *r\n"
                           "    hours: { at: [\"01:00-04:00\", \"23:30-24:00\"], weekdays: "
                           "\"-05:30\", input: 5, output: 30 }\n"
                           "    tools: { web_search: 10.00 }\n"
                           "    context: 1000000\n"
                           "    max_output: 4096\n"
                           "    source: \"a page, \\\"quoted\\\"\"\n"
                           "    as_of: 2026-09-23\n";

static void a_row_holds_what_is_written(void **state)
{
    struct price_table table;
    struct arena arena;
    const struct price *price = NULL;

    (void)state;
    assert_int_equal(read(full, &arena, &table), ERR_NONE);
    assert_int_equal(table.prices_count, 1);
    assert_int_equal(table.hosts_count, 2);
    assert_true(span_equal(table.hosts[1].list, SPAN_OF("p")));
    assert_true(span_equal(usage_word_span(&table.hosts[1].region), SPAN_OF("eu")));
    price = &table.prices[0];
    assert_int_equal(price->counts.cases, 13);
    assert_int_equal(price->counts.regions, 2);
    assert_int_equal(price->counts.tiers, 2);
    assert_int_equal(price->cases[0].rates.token[TOKENS_INPUT], 2500000);
    assert_int_equal(price->cases[0].rates.reasoning, 20000000);
    assert_int_equal(price->cases[0].rates.token[TOKENS_AUDIO_INPUT], PRICE_ABSENT);
    assert_int_equal(price->fees[FEE_WEB_SEARCH], INT64_C(10000000000));
    assert_int_equal(price->hours.ranges, 2);
    assert_int_equal(price->hours.range[1].from, 1410);
    assert_int_equal(price->hours.range[1].until, 1440);
    assert_int_equal(price->hours.weekdays_offset, -330);
    assert_int_equal(price->aliases_count, 2);
    arena_fini(&arena);
}

/* Printed, read, printed: the same; so the version of a book is that of its rows. */
static void what_is_printed_reads_back(void **state)
{
    struct price_table table;
    struct price_table again;
    struct price_table ours;
    struct arena arena;
    struct arena other;
    struct buf out;
    struct buf twice;

    (void)state;
    assert_int_equal(read(full, &arena, &table), ERR_NONE);
    assert_true(price_unpack(&price_builtin, &arena, &ours));
    buf_init(&out, 1024 * 1024);
    buf_init(&twice, 1024 * 1024);
    buf_put_text(&out, HEAD);
    price_put_row(&out, &table.prices[0]);
    for (size_t i = 0; i < ours.prices_count; i++) {
        price_put_row(&out, &ours.prices[i]);
    }
    buf_put_char(&out, '\0');
    assert_false(out.failed);
    if (read(out.at, &other, &again) != ERR_NONE) {
        fail_msg("line %u: %s", complaints.list[0].line, complaints.list[0].text);
    }
    assert_int_equal(again.prices_count, ours.prices_count + 1);
    buf_put_text(&twice, HEAD);
    for (size_t i = 0; i < again.prices_count; i++) {
        price_put_row(&twice, &again.prices[i]);
    }
    buf_put_char(&twice, '\0');
    assert_string_equal(out.at, twice.at);
    for (size_t i = 0; i < ours.prices_count; i++) {
        assert_int_equal(price_hash(&again.prices[i + 1], 5),
                         price_hash(&ours.prices[i], 5));
    }
    buf_fini(&out);
    buf_fini(&twice);
    arena_fini(&arena);
    arena_fini(&other);
}

struct fault {
    const char *text;
    uint32_t line;
    const char *words; /* in the complaint, or its help */
};

static const struct fault faults[] = {
    {"prices: []\n", 1, "\"version\" is missing"},
    {"version: 2\nprices: []\n", 1, "version must be 1"},
    {"version: 1\nprice: []\n", 2, "did you mean \"prices\"?"},
    {"version: 1\nprices: {}\n", 2, "must be a list"},
    {"version: 1\ndate: today\n", 2, "must be a day"},
    {"version: 1\nhosts: { a.example: { region: eu } }\n", 2, "\"provider\" is missing"},
    {HEAD "  - 5\n", 3, "must be a mapping"},
    {HEAD "  - { model: m, input: 1 }\n", 3, "\"provider\" is missing"},
    {HEAD "  - { provider: p, input: 1 }\n", 3, "\"model\" is missing"},
    {HEAD "  - { provider: p, model: m, output: 1 }\n", 3, "has no price for input"},
    {HEAD "  - { provider: P, model: m, input: 1 }\n", 3, "must be 1 to 64 of a-z"},
    {HEAD "  - { provider: p, model: \"a b\", input: 1 }\n", 3, "printable"},
    {ROW ", inptu: 1 }\n", 3, "did you mean \"input\"?"},
    {ROW ", cache_read: 2.5e-06 }\n", 3, "at most six decimals"},
    {ROW ", cache_read: 0.0000001 }\n", 3, "at most six decimals"},
    {ROW ", cache_read: -1 }\n", 3, "at most six decimals"},
    {ROW ", cache_read: $1 }\n", 3, "written like 2.50"},
    {ROW ", cache_read: 4000.000001 }\n", 3, "over 4000 USD"},
    {ROW ", cache_read: }\n", 3, "at most six decimals"},
    {ROW ", cache_read: [1] }\n", 3, "must be text"},
    {ROW ", valid_from: 2026-02-30 }\n", 3, "must be a day"},
    {ROW ", valid_from: 2026-02-03, valid_until: 2026-02-03 }\n", 3, "behind valid_from"},
    {ROW ", long_context: { input: 1 } }\n", 3, "\"over\" is missing"},
    {ROW ", long_context: { over: 1k, input: 1 } }\n", 3, "whole number of tokens"},
    {ROW ", long_context: { over: 1 } }\n", 3, "has no price for input"},
    {ROW ", tiers: { flex: { output: 5 } } }\n", 3, "has no price for input"},
    {ROW ", tiers: { flex: 0.5 } }\n", 3, "must be a mapping"},
    {ROW ", tiers: { Flex: { input: 2 } } }\n", 3, "must be a word"},
    {ROW ", tiers: { default: { input: 2 } } }\n", 3, "those of the row"},
    {ROW ", tiers: { batch: { input: 2 } } }\n", 3, "stands beside tiers"},
    {ROW ", tiers: { priority: { input: 10.000001, output: 10 } } }\n", 3, "more than four times"},
    {ROW ", tiers: { flex: { input: 0.624999, output: 10 } } }\n", 3, "unusual: true"},
    {ROW ", batch: { input: 2.5, output: 125 } }\n", 3, "tier batch: output"},
    {ROW ", regions: { us: { input: 2, tiers: { flex: { input: 9 } } } } }\n", 3, "more than four"},
    {ROW ", regions: { global: { input: 2 } } }\n", 3, "those of the row"},
    {ROW ", hours: { input: 2 } }\n", 3, "\"at\" is missing"},
    {ROW ", hours: { at: [\"22:00-03:00\"], input: 2 } }\n", 3, "two ranges"},
    {ROW ", hours: { at: [\"1:00-03:00\"], input: 2 } }\n", 3, "hours of one day"},
    {ROW ", hours: { at: [\"01:00-24:01\"], input: 2 } }\n", 3, "hours of one day"},
    {ROW ", hours: { at: [\"01:00-02:00\"], weekdays: true, input: 2 } }\n", 3,
     "distance from UTC"},
    {ROW ", tools: { web_serach: 10 } }\n", 3, "did you mean \"web_search\"?"},
    {ROW ", tools: { web_search: free } }\n", 3, "USD per thousand uses"},
    {ROW ", context: 1M }\n", 3, "whole number of tokens"},
    {ROW ", unusual: yes }\n", 3, "true or false"},
    {ROW ", aliases: [\"a b\"] }\n", 3, "printable"},
    {ROW ", input: 1 }\n", 3, "duplicate key"},
    {"", 0, "empty"},
    {"version: 1\nprices: [\n", 3, "not well-formed"},
};

static bool says(const struct fault *fault)
{
    for (size_t i = 0; i < complaints.count; i++) {
        const struct complaint *complaint = &complaints.list[i];

        if ((complaint->line == fault->line || fault->line == 3) &&
            (strstr(complaint->text, fault->words) != NULL ||
             strstr(complaint->help, fault->words) != NULL)) {
            return true;
        }
    }
    return false;
}

static void each_fault_is_told_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(faults); i++) {
        struct price_table table;
        struct arena arena;
        enum err err = read(faults[i].text, &arena, &table);

        if (err != ERR_CONFIG || !says(&faults[i])) {
            fail_msg("%s: %u: %s (%s)", faults[i].text, complaints.list[0].line,
                     complaints.count == 0 ? "nothing" : complaints.list[0].text,
                     complaints.list[0].help);
        }
        assert_int_equal(table.prices_count, 0);
        arena_fini(&arena);
    }
}

static void unusual_tiers_may_be_meant(void **state)
{
    static const char *const good[] = {
        ROW ", tiers: { fast: { input: 15, output: 60 } }, unusual: true }\n",
        ROW ", tiers: { fast: { input: 10, output: 40 }, flex: { input: 0.625, output: 2.5 } } }\n",
        ROW ", long_context: { over: 100000, input: 12.5, output: 50 } }\n",
        ROW
        ", long_context: { over: 9, input: 20, output: 80 }, tiers: { f: { input: 5, output: 20, "
        "long_context: { over: 9, input: 40, output: 160 } } } }\n",
        HEAD "  - { provider: local, model: \"qwen3:8b\", input: 0, output: 0 }\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        struct price_table table;
        struct arena arena;

        if (read(good[i], &arena, &table) != ERR_NONE) {
            fail_msg("%s: %s", good[i], complaints.list[0].text);
        }
        arena_fini(&arena);
    }
}

static void large_files_are_read_and_larger_ones_refused(void **state)
{
    struct price_table table;
    struct arena arena;
    struct buf text;

    (void)state;
    buf_init(&text, 16 * 1024 * 1024);
    buf_put_text(&text, HEAD);
    for (unsigned i = 0; i < 20000; i++) {
        buf_put_format(&text, "  - { provider: p, model: m%u, input: 1, output: 2 }\n", i);
    }
    arena_init(&arena, PRICES_ARENA_MAX);
    assert_int_equal(prices_read(buf_span(&text), &arena, &complaints, &table), ERR_NONE);
    assert_int_equal(table.prices_count, 20000);
    arena_fini(&arena);
    for (unsigned i = 0; i < 5000; i++) {
        buf_put_text(&text, "  - { provider: p, model: m, input: 1, output: 2 }\n");
    }
    arena_init(&arena, PRICES_ARENA_MAX);
    assert_int_equal(prices_read(buf_span(&text), &arena, &complaints, &table), ERR_CONFIG);
    assert_non_null(strstr(complaints.list[complaints.count - 1].text, "200000 values"));
    arena_fini(&arena);
    buf_put_format(&text, "# %*s\n", 4 * 1024 * 1024, "");
    arena_init(&arena, PRICES_ARENA_MAX);
    assert_int_equal(prices_read(buf_span(&text), &arena, &complaints, &table), ERR_CONFIG);
    assert_non_null(strstr(complaints.list[0].text, "larger than 4MiB"));
    arena_fini(&arena);
    buf_fini(&text);
}

/* ---- the section ---- */

struct world {
    const char *path; /* the file that is there */
    const char *text;
};

static struct span variable(void *to, struct span name)
{
    (void)to;
    (void)name;
    return span_make(NULL, 0);
}

static enum err file(void *to, struct span path, struct buf *out, struct why *why)
{
    const struct world *world = to;

    if (!span_equal(path, span_of(world->path))) {
        why_set(why, "%.*s: no such file", SPAN_ARGS(path));
        return ERR_MISSING;
    }
    buf_put_text(out, world->text);
    return out->failed ? ERR_MEMORY : ERR_NONE;
}

#define SETTINGS "version: 1\nproviders: { openai: { kind: openai, credential: none } }\n"

static enum err load(const char *name, const char *text, struct world *world,
                     struct snapshot **snapshot)
{
    const struct conf_world outside = {.variable = variable, .file = file, .to = world};

    return conf_load(span_of(name), span_of(text), &outside, &complaints, snapshot);
}

static void files_stand_above_our_rows(void **state)
{
    struct world world = {"/etc/hg/own.yaml",
                          HEAD "  - { provider: openai, model: gpt-5.4, input: 9, output: 9 }\n"
                               "  - { provider: local, model: mine, input: 0, output: 0 }\n"};
    struct snapshot *plain = NULL;
    struct snapshot *own = NULL;
    const struct price *price = NULL;

    (void)state;
    assert_int_equal(load("/etc/hg/headgate.yaml", SETTINGS, &world, &plain), ERR_NONE);
    assert_int_equal(load("/etc/hg/headgate.yaml",
                          SETTINGS "prices: { files: [own.yaml], unpriced: allow }\n", &world,
                          &own),
                     ERR_NONE);
    assert_int_equal(plain->unpriced, UNPRICED_REFUSE);
    assert_int_equal(own->unpriced, UNPRICED_ALLOW);
    price = book_find(&own->prices, SPAN_OF("openai"), SPAN_OF("gpt-5.4"), 0);
    assert_int_equal(price->cases[0].rates.token[TOKENS_INPUT], 9000000);
    assert_non_null(book_find(&own->prices, SPAN_OF("local"), SPAN_OF("mine"), 0));
    assert_null(book_find(&plain->prices, SPAN_OF("local"), SPAN_OF("mine"), 0));
    assert_false(span_equal(book_version(&plain->prices), book_version(&own->prices)));
    assert_int_equal(book_version(&plain->prices).len, 23);
    snapshot_give(plain);
    snapshot_give(own);
}

static void faults_of_files_are_told_at_their_name(void **state)
{
    struct world world = {"own.yaml",
                          HEAD "  - { provider: p, model: m, input: one, output: two }\n"};
    struct snapshot *snapshot = NULL;

    (void)state;
    assert_int_equal(
        load("headgate.yaml", SETTINGS "prices: { files: [own.yaml] }\n", &world, &snapshot),
        ERR_CONFIG);
    assert_int_equal(complaints.count, 1);
    assert_int_equal(complaints.list[0].line, 3);
    assert_non_null(strstr(complaints.list[0].text, "line 3, column 37: prices[0].input must be"));
    assert_non_null(strstr(complaints.list[0].text, "(and 1 more)"));
    assert_non_null(strstr(complaints.list[0].help, "headgate prices check own.yaml"));
    assert_int_equal(
        load("headgate.yaml", SETTINGS "prices: { files: [gone.yaml] }\n", &world, &snapshot),
        ERR_CONFIG);
    assert_non_null(strstr(complaints.list[0].text, "cannot be read: gone.yaml: no such file"));
    assert_int_equal(
        load("headgate.yaml", SETTINGS "prices: { unpriced: maybe }\n", &world, &snapshot),
        ERR_CONFIG);
    assert_non_null(strstr(complaints.list[0].text, "refuse, allow"));
}

/* Every allocation fails once: told, and nothing is left behind. */
static void want_of_memory_is_told(void **state)
{
    struct world world = {"own.yaml", full};
    enum err err = ERR_MEMORY;
    size_t held = mem_held();

    (void)state;
    for (uint64_t nth = 1; err != ERR_NONE; nth++) {
        struct snapshot *snapshot = NULL;

        assert_true(nth < 1000);
        mem_fail_at(nth);
        err = load("headgate.yaml", SETTINGS "prices: { files: [own.yaml] }\n", &world, &snapshot);
        mem_fail_at(0);
        assert_true(err == ERR_NONE || err == ERR_MEMORY);
        snapshot_give(snapshot);
        assert_int_equal(mem_held(), held);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_holds_what_is_written),
        cmocka_unit_test(what_is_printed_reads_back),
        cmocka_unit_test(each_fault_is_told_with_its_place),
        cmocka_unit_test(unusual_tiers_may_be_meant),
        cmocka_unit_test(large_files_are_read_and_larger_ones_refused),
        cmocka_unit_test(files_stand_above_our_rows),
        cmocka_unit_test(faults_of_files_are_told_at_their_name),
        cmocka_unit_test(want_of_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
