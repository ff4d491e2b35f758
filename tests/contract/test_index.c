/* SPDX-License-Identifier: Apache-2.0 */
/* The index of a real journal on a real disk: what it answers is what a list of all records says,
 * read record by record; what is deleted, damaged or killed comes back the same. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/rng.h"
#include "proxy/index.h"
#include "proxy/loop.h"
#include "tests/lib/usage_seed.h"
#include "usage/answer.h"

enum { RECORDS = 6000, STEP_MS = 60000, OUT_MAX = 64 << 20 };

#define NOW (SEED_T0 + INT64_C(6000) * STEP_MS)

static char folder[64];
static char journal_folder[96];
static const struct journal_rules rules = {.retention_ms = INT64_C(400) * 86400000};
static struct seeded *all; /* RECORDS of them */

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/headgate-index-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    (void)snprintf(journal_folder, sizeof journal_folder, "%s/journal", folder);
    all = calloc(RECORDS, sizeof *all);
    for (uint64_t i = 0; i < RECORDS; i++) {
        seed_record(&all[i], i, STEP_MS);
    }
    return 0;
}

/* The state folder is $D. */
static void shell(const char *command)
{
    (void)setenv("D", folder, 1);
    assert_int_equal(system(command), 0);
}

static int tear_down(void **state)
{
    (void)state;
    shell("rm -rf \"$D\"");
    free(all);
    return 0;
}

static void append(uint64_t first, uint64_t count)
{
    struct journal *journal = NULL;
    struct journal_place at;
    struct why why;
    struct buf lines;

    buf_init(&lines, 64 << 20);
    assert_int_equal(journal_open(span_of(journal_folder), &rules, NULL, &journal, &why), ERR_NONE);
    for (uint64_t i = first; i < first + count; i++) {
        record_put_line(&lines, &all[i].record);
        if (lines.len > 100000 || i + 1 == first + count) {
            assert_true(journal_append(journal, buf_span(&lines), SEED_T0, &at, &why));
            buf_clear(&lines);
        }
    }
    journal_close(journal);
    buf_fini(&lines);
}

static struct index *open_index(struct why *why)
{
    struct index_options options = {
        .folder = span_of(folder), .journal = span_of(journal_folder), .seed = {1, 2}};
    struct index *index = NULL;
    enum err err = index_open(&options, &index, why);

    if (err != ERR_NONE) {
        fail_msg("%s", why->text);
    }
    return index;
}

static void catch_up(struct index *index)
{
    struct why why;

    while (index_step(index, (struct journal_place){UINT64_MAX, UINT64_MAX})) {
    }
    if (index_trouble(index, &why)) {
        fail_msg("%s", why.text);
    }
}

static struct index *followed(void)
{
    struct why why;
    struct index *index = open_index(&why);

    assert_string_equal(why.text, "");
    catch_up(index);
    return index;
}

static enum err ask(struct index *index, enum query_kind kind, const char *url, struct buf *out,
                    struct why *why)
{
    struct query query;
    struct buf decoded;
    enum err err = ERR_NONE;

    buf_init(&decoded, 4096);
    query_init(&query, kind);
    err = query_read_url(&query, span_of(url), &decoded, why);
    if (err == ERR_NONE) {
        err = usage_answer(index, &query, NOW, out, why);
    }
    buf_fini(&decoded);
    return err;
}

/* ---- the naive model: one pass over all records for each answer ---- */

struct row {
    char label[256]; /* day, from, to and names, as in CSV */
    long long figures[64];
    long long provenances[5];
    unsigned long long usd;
    unsigned long long pico;
};

struct model {
    struct row rows[4000];
    size_t count;
};

static void count_record(struct row *row, const struct record *r)
{
    static const char *const words[] = {"provider", "estimated", "partial", "unpriced",
                                        "reported"};
    bool app = !span_equal(r->texts[RECORD_SOURCE], SPAN_OF("headgate"));
    bool tried = r->numbers[RECORD_ATTEMPT] != 0;
    long long *f = row->figures;
    size_t n = 0;
    static const enum record_number plain[] = {RECORD_REASONING, RECORD_CHARGED,   RECORD_EXPOSED,
                                               RECORD_BYTES_IN,  RECORD_BYTES_OUT, RECORD_TOTAL_US};

    f[n++] += 1;
    f[n++] += r->numbers[RECORD_STATUS] >= 0 || !tried || app;
    f[n++] += tried;
    f[n++] += tried && r->texts[RECORD_OUTCOME].len > 0 &&
              !span_equal(r->texts[RECORD_OUTCOME], SPAN_OF("ok"));
    f[n++] += tried && r->numbers[RECORD_COST] < 0;
    f[n++] += record_has(r, RECORD_FLAG_ESTIMATED);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        f[n++] += r->numbers[plain[i]] < 0 ? 0 : r->numbers[plain[i]];
    }
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        f[n++] += r->tokens[i] < 0 ? 0 : r->tokens[i];
    }
    n++; /* web searches: none */
    for (size_t i = 0; i < 5; i++) {
        row->provenances[i] += span_equal(r->texts[RECORD_PROVENANCE], span_of(words[i]));
    }
    if (r->numbers[RECORD_COST] > 0) {
        row->pico += (unsigned long long)r->numbers[RECORD_COST];
        row->usd += row->pico / 1000000000000;
        row->pico %= 1000000000000;
    }
}

static void count_under(struct model *model, const char *label, const struct record *r)
{
    size_t i = 0;

    while (i < model->count && strcmp(model->rows[i].label, label) != 0) {
        i++;
    }
    if (i == model->count) {
        assert_true(model->count < 4000);
        memset(&model->rows[i], 0, sizeof model->rows[i]);
        (void)snprintf(model->rows[i].label, sizeof model->rows[i].label, "%s", label);
        model->count++;
    }
    count_record(&model->rows[i], r);
}

static void print_row(char *out, size_t size, const struct row *row)
{
    size_t len = (size_t)snprintf(out, size, "%s", row->label);
    char money[64];
    long long charged = row->figures[7];

    for (size_t i = 0; i < 12 + TOKEN_CLASSES + FEE_KINDS; i++) {
        len += (size_t)snprintf(out + len, size - len, "%lld,", row->figures[i]);
    }
    for (size_t i = 0; i < 5; i++) {
        len += (size_t)snprintf(out + len, size - len, "%lld,", row->provenances[i]);
    }
    for (int i = 0; i < 2; i++) {
        if (i == 0) {
            (void)snprintf(money, sizeof money, "%lld.%09lld", charged / 1000000000,
                           charged % 1000000000);
        } else {
            (void)snprintf(money, sizeof money, "%llu.%012llu", row->usd, row->pico);
        }
        while (money[strlen(money) - 1] == '0') {
            money[strlen(money) - 1] = '\0';
        }
        if (money[strlen(money) - 1] == '.') {
            money[strlen(money) - 1] = '\0';
        }
        len += (size_t)snprintf(out + len, size - len, "%s%s", money, i == 0 ? "," : "");
    }
}

/* Every line of the CSV is a row of the model and the other way round. */
static void compare(struct model *model, struct span csv, const char *what)
{
    struct span rest = csv;
    size_t lines = 0;
    char expected[1024];

    (void)span_cut(&rest, '\n');
    while (rest.len > 0) {
        struct span line = span_cut(&rest, '\n');
        size_t i = 0;

        for (; i < model->count; i++) {
            print_row(expected, sizeof expected, &model->rows[i]);
            if (span_equal(line, span_of(expected))) {
                break;
            }
        }
        if (i == model->count) {
            print_row(expected, sizeof expected, &model->rows[0]);
            fail_msg("%s: not in the model: %.*s\nfor example %s", what, SPAN_ARGS(line), expected);
        }
        lines++;
    }
    if (lines != model->count) {
        fail_msg("%s: %zu lines, %zu rows", what, lines, model->count);
    }
}

static bool has_tag(const struct record *r, const char *tag)
{
    struct span rest = r->texts[RECORD_TAGS];

    while (rest.at != NULL && rest.len > 0) {
        if (span_equal(span_cut(&rest, ','), span_of(tag))) {
            return true;
        }
    }
    return false;
}

/* ---- stories ---- */

static void summary__says_what_the_records_say(void **state)
{
    static const struct {
        const char *url;
        enum record_text by;
        const char *key; /* filter, or NULL */
        const char *provider;
        const char *tag;
    } cases[] = {
        {"from=2026-01-01&by=key&format=csv", RECORD_KEY, NULL, NULL, NULL},
        {"from=2026-01-01&by=model&key=key-3&format=csv", RECORD_MODEL, "key-3", NULL, NULL},
        {"from=2026-01-01&by=provenance&format=csv", RECORD_PROVENANCE, NULL, NULL, NULL},
        {"from=2026-01-01&by=user&provider=local&key=key-1&format=csv", RECORD_USER, "key-1",
         "local", NULL},
        {"from=2026-01-01&by=team&tag=batch&format=csv", RECORD_TEAM, NULL, NULL, "batch"},
        {"from=2026-01-01&by=source&tag=night&key=key-2&format=csv", RECORD_SOURCE, "key-2", NULL,
         "night"},
        {"from=2026-01-01&by=task&key=nobody&format=csv", RECORD_TASK, "nobody", NULL, NULL},
    };
    static struct model model;
    struct index *index = NULL;
    struct buf out;
    struct why why;

    (void)state;
    append(0, RECORDS);
    index = followed();
    buf_init(&out, OUT_MAX);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        model.count = 0;
        for (size_t i = 0; i < RECORDS; i++) {
            const struct record *r = &all[i].record;
            char label[80];

            if ((cases[c].key != NULL &&
                 !span_equal(r->texts[RECORD_KEY], span_of(cases[c].key))) ||
                (cases[c].provider != NULL &&
                 !span_equal(r->texts[RECORD_PROVIDER], span_of(cases[c].provider))) ||
                (cases[c].tag != NULL && !has_tag(r, cases[c].tag))) {
                continue;
            }
            (void)snprintf(label, sizeof label, "%.*s,", SPAN_ARGS(r->texts[cases[c].by]));
            count_under(&model, label, r);
        }
        buf_clear(&out);
        assert_int_equal(ask(index, QUERY_SUMMARY, cases[c].url, &out, &why), ERR_NONE);
        compare(&model, buf_span(&out), cases[c].url);
    }
    buf_fini(&out);
    index_free(index);
}

static void tags__count_under_each_and_once_in_the_total(void **state)
{
    static const char *const tags[] = {"batch", "night", "web"};
    static struct model model;
    struct index *index = NULL;
    struct buf out;
    struct why why;

    (void)state;
    append(0, RECORDS);
    index = followed();
    buf_init(&out, OUT_MAX);
    model.count = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        const struct record *r = &all[i].record;

        if (r->texts[RECORD_TAGS].len == 0) {
            count_under(&model, ",", r);
        }
        for (size_t t = 0; t < 3; t++) {
            char label[16];

            (void)snprintf(label, sizeof label, "%s,", tags[t]);
            if (has_tag(r, tags[t])) {
                count_under(&model, label, r);
            }
        }
    }
    assert_int_equal(ask(index, QUERY_SUMMARY, "from=2026-01-01&by=tag&format=csv", &out, &why),
                     ERR_NONE);
    compare(&model, buf_span(&out), "by tag");
    /* Any of two tags: records with both count once. */
    model.count = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        if (has_tag(&all[i].record, "batch") || has_tag(&all[i].record, "night")) {
            count_under(&model, "", &all[i].record);
        }
    }
    buf_clear(&out);
    assert_int_equal(
        ask(index, QUERY_SUMMARY, "from=2026-01-01&tag=batch&tag=night&format=csv", &out, &why),
        ERR_NONE);
    compare(&model, buf_span(&out), "two tags");
    /* Those without a tag. */
    model.count = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        if (all[i].record.texts[RECORD_TAGS].len == 0) {
            count_under(&model, "", &all[i].record);
        }
    }
    buf_clear(&out);
    assert_int_equal(ask(index, QUERY_SUMMARY, "from=2026-01-01&tag=&format=csv", &out, &why),
                     ERR_NONE);
    compare(&model, buf_span(&out), "no tag");
    buf_fini(&out);
    index_free(index);
}

static void put_time(char *out, size_t size, int64_t ms)
{
    time_t at = (time_t)(ms / 1000);
    struct tm tm;

    (void)gmtime_r(&at, &tm);
    (void)strftime(out, size, "%Y-%m-%dT%H:%M:%S.000Z", &tm);
}

/* Days by the C library, in the zones that it has. */
static void days_and_hours__are_those_of_the_zone(void **state)
{
    static const char *const zones[] = {"UTC", "Europe/Berlin", "Asia/Kathmandu",
                                        "America/St_Johns"};
    static struct model model;
    struct index *index = NULL;
    struct buf out;
    struct why why;

    (void)state;
    append(0, RECORDS);
    index = followed();
    buf_init(&out, OUT_MAX);
    for (size_t z = 0; z < 4; z++) {
        char url[160];
        char path[96];

        (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zones[z]);
        if (access(path, F_OK) != 0 && z > 0) {
            continue;
        }
        (void)setenv("TZ", zones[z], 1);
        tzset();
        for (int daily = 0; daily < 2; daily++) {
            model.count = 0;
            for (size_t i = 0; i < RECORDS; i++) {
                time_t at = (time_t)(all[i].record.numbers[RECORD_AT] / 1000);
                struct tm tm;
                char label[128], day[24], from[40], to[40];

                (void)localtime_r(&at, &tm);
                tm.tm_sec = tm.tm_min = 0;
                tm.tm_hour = daily ? 0 : tm.tm_hour;
                put_time(from, sizeof from, (int64_t)mktime(&tm) * 1000);
                (void)strftime(day, sizeof day, "%Y-%m-%d,", &tm);
                tm.tm_mday += daily ? 1 : 0;
                tm.tm_hour += daily ? 0 : 1;
                tm.tm_isdst = daily ? -1 : tm.tm_isdst;
                put_time(to, sizeof to, (int64_t)mktime(&tm) * 1000);
                (void)snprintf(label, sizeof label, "%s%s,%s,", daily ? day : "", from, to);
                count_under(&model, label, &all[i].record);
            }
            (void)snprintf(url, sizeof url, "from=2026-11-01&zone=%s&format=csv", zones[z]);
            buf_clear(&out);
            assert_int_equal(ask(index, daily ? QUERY_DAILY : QUERY_HISTORY, url, &out, &why),
                             ERR_NONE);
            compare(&model, buf_span(&out), url);
        }
    }
    (void)setenv("TZ", "UTC", 1);
    tzset();
    buf_fini(&out);
    index_free(index);
}

/* Pages of calls hold every record that fits, the last one in the journal first. */
static void calls__come_newest_first_and_in_pages(void **state)
{
    struct index *index = NULL;
    struct buf out;
    struct why why;
    char url[200] = "key=key-2&model=qwen3&limit=7&from=2026-11-19";
    size_t next_record = RECORDS;
    size_t found = 0;

    (void)state;
    append(0, RECORDS);
    index = followed();
    buf_init(&out, OUT_MAX);
    for (bool has_more = true; has_more;) {
        struct span rest;
        const char *next = NULL;

        buf_clear(&out);
        assert_int_equal(ask(index, QUERY_CALLS, url, &out, &why), ERR_NONE);
        rest = buf_span(&out);
        (void)span_cut(&rest, '\n');
        while (span_starts(rest, SPAN_OF("{"))) {
            struct span line = span_cut(&rest, '\n');
            char id[40];

            do {
                assert_true(next_record-- > 0);
            } while (!span_equal(all[next_record].record.texts[RECORD_KEY], SPAN_OF("key-2")) ||
                     !span_equal(all[next_record].record.texts[RECORD_MODEL], SPAN_OF("qwen3")));
            (void)snprintf(id, sizeof id, "{\"record_id\":\"0197-%zu-1\",", next_record);
            if (!span_starts(line, span_of(id))) {
                fail_msg("%s but %.*s", id, SPAN_ARGS(line));
            }
            assert_null(span_find(line, SPAN_OF("\"crc\"")));
            assert_non_null(span_find(line, SPAN_OF("\"cost_usd\":")));
            found++;
        }
        next = span_find(buf_span(&out), SPAN_OF("\"next\":\""));
        has_more = next != NULL;
        if (has_more) {
            (void)snprintf(url, sizeof url,
                           "key=key-2&model=qwen3&limit=7&from=2026-11-19&cursor=%.*s",
                           (int)strcspn(next + 8, "\""), next + 8);
        }
    }
    assert_true(found > 200);
    while (next_record-- > 0) { /* those that are left are before `from` */
        const struct record *r = &all[next_record].record;

        assert_false(span_equal(r->texts[RECORD_KEY], SPAN_OF("key-2")) &&
                     span_equal(r->texts[RECORD_MODEL], SPAN_OF("qwen3")) &&
                     r->numbers[RECORD_AT] >= INT64_C(1795046400000));
    }
    buf_fini(&out);
    index_free(index);
}

static bool contains(struct buf *out, const char *text)
{
    return span_find(buf_span(out), span_of(text)) != NULL;
}

static void put_unit_record(struct record *record, const char *id, const char *task)
{
    record_init(record);
    record->texts[RECORD_ID] = span_of(id);
    record->texts[RECORD_SOURCE] = SPAN_OF("headgate");
    record->texts[RECORD_TRACE] = SPAN_OF("unit/1");
    record->texts[RECORD_TASK] = span_of(task);
    record->numbers[RECORD_AT] = SEED_T0;
    record->numbers[RECORD_ATTEMPT] = 1;
}

static void trace__tells_what_a_unit_cost(void **state)
{
    struct record *r[4] = {&all[0].record, &all[1].record, &all[2].record, &all[3].record};
    struct index *index = NULL;
    struct buf out;
    struct why why;

    (void)state;
    put_unit_record(r[0], "a-1", "draft");
    r[0]->texts[RECORD_PROVIDER] = SPAN_OF("openai");
    r[0]->texts[RECORD_MODEL] = SPAN_OF("gpt-5.4");
    r[0]->texts[RECORD_OUTCOME] = SPAN_OF("reset");
    r[0]->numbers[RECORD_COST] = 1000;
    r[0]->numbers[RECORD_CHARGED] = 1;
    put_unit_record(r[1], "a-2", "draft");
    r[1]->texts[RECORD_PROVIDER] = SPAN_OF("local");
    r[1]->texts[RECORD_MODEL] = SPAN_OF("qwen3");
    r[1]->texts[RECORD_OUTCOME] = SPAN_OF("ok");
    r[1]->numbers[RECORD_COST] = 2500000000;
    r[1]->numbers[RECORD_CHARGED] = 2500000;
    put_unit_record(r[2], "b-1", "repair");
    r[2]->texts[RECORD_PROVIDER] = SPAN_OF("anthropic");
    r[2]->texts[RECORD_MODEL] = SPAN_OF("claude-sonnet-4-5");
    r[2]->texts[RECORD_OUTCOME] = SPAN_OF("ok");
    r[2]->tokens[TOKENS_CACHE_READ] = 5;
    append(0, 3);
    index = followed();
    buf_init(&out, OUT_MAX);
    assert_int_equal(ask(index, QUERY_TRACE, "id=unit%2f1", &out, &why), ERR_NONE);
    assert_true(contains(&out, "\"draft_source\":\"local\",\"draft_model\":\"qwen3\","
                               "\"draft_cost_usd\":\"0.002500001\",\"draft_charged_nusd\":2500001,"
                               "\"draft_unpriced\":0"));
    assert_true(contains(&out, "\"repair_source\":\"anthropic\",\"repair_model\":"
                               "\"claude-sonnet-4-5\",\"repair_cost_usd\":null,"
                               "\"repair_charged_nusd\":null,\"repair_unpriced\":1"));
    assert_true(contains(&out, "\"cost_usd\":\"0.002500001\",\"charged_nusd\":2500001,"
                               "\"unpriced\":1"));
    assert_true(contains(&out, "\"mixed_providers\":true,\"prompt_cache_hit\":true"));
    assert_true(contains(&out, "{\"record_id\":\"a-1\""));
    assert_int_equal(ask(index, QUERY_TRACE, "id=unit-x", &out, &why), ERR_MISSING);
    buf_fini(&out);
    index_free(index);
    seed_record(&all[0], 0, STEP_MS);
}

/* ---- what happens to the file ---- */

static void dump_table(sqlite3 *base, const char *table, struct buf *out)
{
    char sql[128];
    sqlite3_stmt *statement = NULL;

    (void)snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1,2,3,4,5,6", table);
    if (strcmp(table, "names") == 0) {
        (void)snprintf(sql, sizeof sql, "SELECT * FROM names ORDER BY 1");
    }
    if (strcmp(table, "rollups") == 0) {
        (void)snprintf(sql, sizeof sql, "SELECT hex(\"key\"),hex(sums) FROM rollups ORDER BY 1");
    }
    if (strcmp(table, "units") == 0 || strcmp(table, "reported") == 0) {
        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1,2", table);
    }
    if (strcmp(table, "state") == 0) {
        (void)snprintf(sql, sizeof sql, "SELECT * FROM state");
    }
    assert_int_equal(sqlite3_prepare_v2(base, sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        buf_put_text(out, table);
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            buf_put_char(out, ' ');
            buf_put_text(out, (const char *)sqlite3_column_text(statement, i));
        }
        buf_put_char(out, '\n');
    }
    (void)sqlite3_finalize(statement);
}

static void dump(struct buf *out)
{
    static const char *const tables[] = {"names",    "rollups", "units",
                                         "reported", "batches", "state"};
    char path[128];
    sqlite3 *base = NULL;

    (void)snprintf(path, sizeof path, "%s/usage.sqlite", folder);
    buf_init(out, 256 << 20);
    assert_int_equal(sqlite3_open(path, &base), SQLITE_OK);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        size_t before = out->len;

        dump_table(base, tables[i], out);
        assert_true(out->len > before);
    }
    assert_int_equal(sqlite3_close(base), SQLITE_OK);
}

static void expect_same(struct buf *a, struct buf *b)
{
    assert_false(a->failed || b->failed);
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->at, b->at, a->len);
}

static void index__built_again_is_the_same(void **state)
{
    struct buf before, after;
    struct index *index = NULL;

    (void)state;
    /* In pieces, each with its own batches. */
    for (uint64_t i = 0; i < RECORDS; i += 500) {
        append(i, 500);
        index = followed();
        index_free(index);
    }
    dump(&before);
    shell("rm \"$D\"/usage.sqlite*");
    index_free(followed());
    dump(&after);
    expect_same(&before, &after);
    buf_fini(&before);
    buf_fini(&after);
}

static void damaged_index__is_set_aside_and_built_again(void **state)
{
    static const char *const damages[] = {
        "echo this is no database, however long one looks at it > \"$D/usage.sqlite\"",
        "printf 'xxxxxxxxxxxx' | dd of=\"$D/usage.sqlite\" bs=1 seek=10 conv=notrunc 2>/dev/null",
        "head -c 20000 /dev/urandom | dd of=\"$D/usage.sqlite\" bs=4096 seek=0 conv=notrunc "
        "2>/dev/null",
        "rm \"$D\"/journal/*", /* the index is ahead then */
    };
    struct buf before, after;
    struct why why;

    (void)state;
    append(0, 3000);
    index_free(followed());
    dump(&before);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        struct index *index = NULL;
        char aside[128];

        shell(damages[i]);
        if (i == 3) {
            append(0, 10);
        }
        index = open_index(&why);
        assert_string_not_equal(why.text, "");
        catch_up(index);
        index_free(index);
        (void)snprintf(aside, sizeof aside, "%s/usage.sqlite.aside", folder);
        assert_int_equal(access(aside, F_OK), 0);
        if (i < 3) {
            dump(&after);
            expect_same(&before, &after);
            buf_fini(&after);
        }
    }
    buf_fini(&before);
}

/* What lies in the middle of the file is only found when it is needed. */
static void damage_inside__is_found_and_built_again(void **state)
{
    struct buf before, after, out;
    struct index *index = NULL;
    struct why why;

    (void)state;
    append(0, 3000);
    index_free(followed());
    dump(&before);
    shell("head -c 400000 /dev/urandom | dd of=\"$D/usage.sqlite\" bs=4096 seek=8 conv=notrunc "
          "2>/dev/null");
    index = open_index(&why);
    buf_init(&out, OUT_MAX);
    assert_int_equal(ask(index, QUERY_SUMMARY, "from=2026-01-01", &out, &why), ERR_SYSTEM);
    while (index_step(index, (struct journal_place){UINT64_MAX, UINT64_MAX})) {
    }
    assert_true(index_trouble(index, &why)); /* that it was set aside */
    index_free(index);
    dump(&after);
    expect_same(&before, &after);
    buf_fini(&before);
    buf_fini(&after);
    buf_fini(&out);
}

/* ---- on a loop ---- */

static struct index *on_loop(struct loop *loop)
{
    struct index_options options = {.folder = span_of(folder),
                                    .journal = span_of(journal_folder),
                                    .loop = loop,
                                    .seed = {1, 2}};
    struct index *index = NULL;
    struct why why;

    assert_int_equal(index_open(&options, &index, &why), ERR_NONE);
    /* It is opened a little later, so that the process begins sooner. */
    for (int i = 0; i < 500 && !index_is_open(index); i++) {
        (void)index_step(index, (struct journal_place){1, 0});
        (void)loop_turn(loop, 5);
    }
    assert_true(index_is_open(index));
    return index;
}

static bool has_committed(struct loop *loop, struct follower *follower)
{
    for (int i = 0; i < 500; i++) {
        if (follower->ops->cursor(follower->to).segment > 0) {
            return true;
        }
        (void)loop_turn(loop, 20);
    }
    return false;
}

static const struct journal_place everything = {UINT64_MAX, UINT64_MAX};

static void batch__waits_for_more_and_not_for_ever(void **state)
{
    struct loop *loop = loop_new(NULL);
    struct follower follower;

    (void)state;
    append(0, 100);
    follower = index_follower(on_loop(loop));
    assert_false(follower.ops->step(follower.to, everything));
    assert_int_equal(follower.ops->cursor(follower.to).segment, 0);
    assert_true(has_committed(loop, &follower));
    append(100, 5000); /* more than a batch: the first one does not wait */
    while (follower.ops->step(follower.to, everything)) {
    }
    assert_true(follower.ops->cursor(follower.to).offset > 1000000);
    follower.ops->finish(follower.to, 100);
    assert_int_equal(
        journal_place_compare(follower.ops->cursor(follower.to), index_place(follower.to)), 0);
    follower.ops->free(follower.to);
    loop_free(loop);
}

/* Nobody else's lock costs a line or a long wait. */
static void commit_that_fails__is_made_again(void **state)
{
    struct loop *loop = loop_new(NULL);
    struct follower follower;
    struct buf before, after;
    sqlite3 *base = NULL;
    struct why why;
    char path[128];

    (void)state;
    append(0, 4500);
    follower = index_follower(on_loop(loop));
    (void)snprintf(path, sizeof path, "%s/usage.sqlite", folder);
    assert_int_equal(sqlite3_open(path, &base), SQLITE_OK);
    assert_int_equal(sqlite3_exec(base, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    while (follower.ops->step(follower.to, everything)) {
    }
    assert_int_equal(follower.ops->cursor(follower.to).segment, 0);
    assert_true(index_trouble(follower.to, &why));
    assert_non_null(strstr(why.text, "locked"));
    assert_int_equal(sqlite3_close(base), SQLITE_OK);
    assert_true(has_committed(loop, &follower));
    follower.ops->finish(follower.to, 100);
    follower.ops->free(follower.to);
    loop_free(loop);
    index_free(followed());
    dump(&before);
    shell("rm \"$D\"/usage.sqlite*");
    index_free(followed());
    dump(&after);
    expect_same(&before, &after);
    buf_fini(&before);
    buf_fini(&after);
}

static wall_ms wall_later;
static mono_ms mono_later;

static mono_ms mono_of(void *to)
{
    (void)to;
    return mono_later += 10;
}

static wall_ms wall_of(void *to)
{
    (void)to;
    return wall_later;
}

static void entropy_none(void *to, void *bytes, size_t count)
{
    (void)to;
    memset(bytes, 7, count);
}

static void old_rows__are_deleted(void **state)
{
    static const struct {
        int days;
        bool has_unit;
        bool has_sums;
    } cases[] = {{80, true, true}, {100, false, true}, {410, false, false}};
    const struct loop_world world = {mono_of, wall_of, entropy_none, NULL};
    struct buf out;
    struct why why;

    (void)state;
    append(0, 500);
    buf_init(&out, OUT_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loop *loop = NULL;
        struct index *index = NULL;

        wall_later = SEED_T0 + INT64_C(86400000) * cases[i].days;
        loop = loop_new(&world);
        index = on_loop(loop);
        while (index_step(index, everything)) {
        }
        assert_true(index_commit(index, &why));
        buf_clear(&out);
        assert_int_equal(ask(index, QUERY_TRACE, "id=unit-1", &out, &why),
                         cases[i].has_unit ? ERR_NONE : ERR_MISSING);
        assert_int_equal(ask(index, QUERY_SUMMARY, "from=2026-01-01", &out, &why), ERR_NONE);
        assert_int_equal(contains(&out, "\"total\":{\"records\":500,"), cases[i].has_sums);
        assert_int_equal(contains(&out, "\"total\":{\"records\":0,"), !cases[i].has_sums);
        index_free(index);
        loop_free(loop);
        shell("rm \"$D\"/usage.sqlite*");
    }
    buf_fini(&out);
}

/* Two that follow at once do not count twice. */
static void two_followers__count_once(void **state)
{
    struct buf before, after;
    struct index *one = NULL;
    struct index *other = NULL;
    struct why why;

    (void)state;
    append(0, 50);
    one = followed();
    other = followed();
    append(50, 5000);
    catch_up(one);
    while (index_step(other, (struct journal_place){UINT64_MAX, UINT64_MAX})) {
    }
    assert_true(index_trouble(other, &why));
    catch_up(other);
    append(5050, 900);
    catch_up(other);
    index_free(one);
    index_free(other);
    dump(&before);
    shell("rm \"$D\"/usage.sqlite*");
    index_free(followed());
    dump(&after);
    expect_same(&before, &after);
    buf_fini(&before);
    buf_fini(&after);
}

static void bad_lines__are_counted_and_passed_over(void **state)
{
    struct journal_place last;
    struct index *index = NULL;
    struct buf out;
    struct why why;

    (void)state;
    append(0, 5);
    shell("for f in \"$D\"/journal/*; do sed -i '3s/key-/kex-/' $f; "
          "echo '{\"half\":' >> $f; done");
    append(5, 5);
    index = followed();
    assert_true(index_broken(index, &last) >= 1);
    buf_init(&out, OUT_MAX);
    assert_int_equal(ask(index, QUERY_SUMMARY, "from=2026-01-01", &out, &why), ERR_NONE);
    assert_true(contains(&out, "\"total\":{\"records\":9,"));
    buf_fini(&out);
    index_free(index);
}

static void reported_records__count_once(void **state)
{
    struct index *index = NULL;
    struct buf out;
    struct why why;

    (void)state;
    all[0].record.texts[RECORD_SOURCE] = SPAN_OF("night-job");
    all[0].record.texts[RECORD_ID] = SPAN_OF("job-1");
    append(0, 1);
    append(0, 1);
    index = followed();
    append(0, 1);
    assert_true(index_catch_up(index, (struct journal_place){UINT64_MAX, UINT64_MAX}));
    assert_true(index_has_reported(index, SPAN_OF("night-job"), SPAN_OF("job-1")));
    assert_false(index_has_reported(index, SPAN_OF("night-job"), SPAN_OF("job-2")));
    assert_false(index_has_reported(index, SPAN_OF("other"), SPAN_OF("job-1")));
    buf_init(&out, OUT_MAX);
    assert_int_equal(ask(index, QUERY_SUMMARY, "from=2026-01-01", &out, &why), ERR_NONE);
    assert_true(contains(&out, "\"total\":{\"records\":1,"));
    buf_fini(&out);
    index_free(index);
    seed_record(&all[0], 0, STEP_MS);
}

/* A process that follows all there is. */
static pid_t follow_apart(void)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        index_free(followed());
        _exit(0);
    }
    return child;
}

static long now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)(now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

/* Where no line was ever written there is no file either, until somebody asks. */
static void no_line__no_file(void **state)
{
    struct loop *loop = loop_new(NULL);
    struct index_options options = {.folder = span_of(folder),
                                    .journal = span_of(journal_folder),
                                    .loop = loop,
                                    .seed = {1, 2}};
    struct query query;
    struct index *index = NULL;
    struct buf out;
    struct why why;

    (void)state;
    assert_int_equal(index_open(&options, &index, &why), ERR_NONE);
    for (mono_ms until = mono_add(loop_now(loop), 3 * INDEX_OPEN_MS); loop_now(loop) < until;) {
        assert_false(index_step(index, (struct journal_place){0, 0}));
        (void)loop_turn(loop, 5);
    }
    assert_false(index_is_open(index));
    query_init(&query, QUERY_SUMMARY);
    buf_init(&out, 1 << 20);
    assert_int_equal(usage_answer(index, &query, 0, &out, &why), ERR_NONE);
    assert_true(index_is_open(index));
    buf_fini(&out);
    index_free(index);
    loop_free(loop);
}

/* A follower that is killed wherever it stands, again and again, counts each line once. How long it
 * takes differs from machine to machine and from minute to minute, so the wait seeks itself:
 * shorter after one that came too late, a little longer after one that hit. */
static void killed_follower__loses_and_doubles_nothing(void **state)
{
    struct buf before, after;
    struct rng rng;
    long whole = 0;
    int killed = 0;

    (void)state;
    rng_init(&rng, (uint64_t)getpid(), 1);
    for (uint64_t i = 0; i < 200; i++) {
        long began = 0;
        int status = 0;
        pid_t child = 0;

        append(i * 30, 30);
        began = now_us();
        child = follow_apart();
        if (i >= 5) { /* the first ones tell how long it takes */
            long wait = (long)rng_below(&rng, (uint64_t)whole * 1000 + 1);
            const struct timespec pause = {wait / 1000000000, wait % 1000000000};

            (void)nanosleep(&pause, NULL);
            (void)kill(child, SIGKILL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        killed += WIFSIGNALED(status);
        whole = i < 5 ? now_us() - began : whole + (WIFSIGNALED(status) ? whole / 16 : -whole / 8);
    }
    assert_true(killed > 40);
    index_free(followed());
    dump(&before);
    shell("rm \"$D\"/usage.sqlite*");
    index_free(followed());
    dump(&after);
    expect_same(&before, &after);
    buf_fini(&before);
    buf_fini(&after);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(summary__says_what_the_records_say),
        STORY(tags__count_under_each_and_once_in_the_total),
        STORY(days_and_hours__are_those_of_the_zone),
        STORY(calls__come_newest_first_and_in_pages),
        STORY(trace__tells_what_a_unit_cost),
        STORY(index__built_again_is_the_same),
        STORY(damaged_index__is_set_aside_and_built_again),
        STORY(damage_inside__is_found_and_built_again),
        STORY(batch__waits_for_more_and_not_for_ever),
        STORY(commit_that_fails__is_made_again),
        STORY(old_rows__are_deleted),
        STORY(two_followers__count_once),
        STORY(bad_lines__are_counted_and_passed_over),
        STORY(reported_records__count_once),
        STORY(no_line__no_file),
        STORY(killed_follower__loses_and_doubles_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
