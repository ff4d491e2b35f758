/* SPDX-License-Identifier: Apache-2.0 */
/* An index that is handed records as their lines are appended answers what one answers that has
 * read the lines: whatever it is not handed, whenever it commits, wherever segments and processes
 * end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rng.h"
#include "proxy/index.h"
#include "tests/lib/usage_seed.h"
#include "usage/answer.h"

enum { RECORDS = 4000, STEP_MS = 60000, OUT_MAX = 64 << 20 };

static char folder[64];
static char journal_folder[96];
static const struct journal_rules rules = {.retention_ms = INT64_C(400) * 86400000,
                                           .segment_bytes = 200000};

static const struct journal_place everything = {UINT64_MAX, UINT64_MAX};

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/headgate-take-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    (void)snprintf(journal_folder, sizeof journal_folder, "%s/journal", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)setenv("D", folder, 1);
    return system("rm -rf \"$D\"") == 0 ? 0 : 1;
}

static struct index *open_index(void)
{
    struct index_options options = {
        .folder = span_of(folder), .journal = span_of(journal_folder), .seed = {1, 2}};
    struct index *index = NULL;
    struct why why;

    if (index_open(&options, &index, &why) != ERR_NONE) {
        fail_msg("%s", why.text);
    }
    return index;
}

static void check(struct index *index)
{
    struct why why;

    if (index_trouble(index, &why)) {
        fail_msg("%s", why.text);
    }
}

static void ask(struct index *index, enum query_kind kind, const char *url, struct buf *out)
{
    struct query query;
    struct buf decoded;
    struct why why;

    buf_init(&decoded, 4096);
    query_init(&query, kind);
    assert_int_equal(query_read_url(&query, span_of(url), &decoded, &why), ERR_NONE);
    if (usage_answer(index, &query, SEED_T0 + INT64_C(6000) * STEP_MS, out, &why) != ERR_NONE) {
        fail_msg("%s: %s", url, why.text);
    }
    buf_fini(&decoded);
}

/* Everything that is asked for, one after the other. */
static void ask_all(struct index *index, struct buf *out)
{
    for (size_t i = 0; i < DIMENSIONS; i++) {
        char url[128];

        (void)snprintf(url, sizeof url, "from=2026-01-01&by=%.*s&format=csv",
                       SPAN_ARGS(dimension_names[i]));
        ask(index, QUERY_SUMMARY, url, out);
    }
    ask(index, QUERY_DAILY, "from=2026-01-01&by=model&format=csv", out);
    ask(index, QUERY_CALLS, "from=2026-01-01&limit=500&format=csv", out);
    ask(index, QUERY_CALLS, "from=2026-01-01&limit=500&key=key-3&format=csv", out);
}

struct writer {
    struct journal *journal;
    struct buf line;
    struct rng rng;
    uint64_t handed;
    uint64_t taken;
};

/* One record's line, and the record itself to the index; but for some. */
static void put(struct writer *writer, struct index *index, const struct record *record)
{
    struct follower_news news = {.record = record, .before = journal_end(writer->journal)};
    struct why why;
    bool is_plain = false;

    buf_clear(&writer->line);
    is_plain = record_put_line(&writer->line, record);
    assert_true(journal_append(writer->journal, buf_span(&writer->line), SEED_T0, &news.at, &why));
    news.next = journal_end(writer->journal);
    news.line = span_make(writer->line.at, writer->line.len - 1);
    if (is_plain && rng_below(&writer->rng, 40) != 0) {
        writer->handed++;
        writer->taken += index_take(index, &news);
    }
}

static void what_is_handed_over__counts_as_what_is_read(void **state)
{
    struct writer writer = {.journal = NULL};
    struct index *index = NULL;
    struct seeded seeded;
    struct buf taken;
    struct buf read;
    struct why why;

    (void)state;
    rng_init(&writer.rng, 7, 0);
    buf_init(&writer.line, RECORD_LINE_MAX);
    buf_init(&taken, OUT_MAX);
    buf_init(&read, OUT_MAX);
    assert_int_equal(journal_open(span_of(journal_folder), &rules, NULL, &writer.journal, &why),
                     ERR_NONE);
    index = open_index();
    for (uint64_t i = 0; i < RECORDS; i++) {
        uint64_t what = rng_below(&writer.rng, 100);

        seed_record(&seeded, i, STEP_MS);
        put(&writer, index, &seeded.record);
        if (what < 8) {
            while (index_step(index, journal_end(writer.journal))) {
            }
        } else if (what == 8) { /* as after a crash: what is pending is read again */
            index_free(index);
            index = open_index();
        } else if (what == 9) {
            assert_true(index_commit(index, &why));
        }
        check(index);
    }
    while (index_step(index, everything)) {
    }
    check(index);
    ask_all(index, &taken);
    index_free(index);
    journal_close(writer.journal);
    /* Most were handed over and taken, and some were not. */
    print_message("%llu of %d handed over, %llu taken\n", (unsigned long long)writer.handed,
                  RECORDS, (unsigned long long)writer.taken);
    assert_true(writer.taken > RECORDS / 4 && writer.taken < writer.handed);

    assert_int_equal(setenv("D", folder, 1), 0);
    assert_int_equal(system("rm \"$D\"/usage.sqlite*"), 0);
    index = open_index();
    while (index_step(index, everything)) {
    }
    check(index);
    ask_all(index, &read);
    index_free(index);
    assert_true(read.len > 10000);
    assert_true(span_equal(buf_span(&taken), buf_span(&read)));
    buf_fini(&taken);
    buf_fini(&read);
    buf_fini(&writer.line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_handed_over__counts_as_what_is_read, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
