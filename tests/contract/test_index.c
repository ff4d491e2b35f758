/* SPDX-License-Identifier: Apache-2.0 */
/* The index of a real journal on a real disk: what it answers is what a list of all records says,
 * read record by record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/contract/index_world.h"

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
    static const char *const words[] = {"provider", "estimated", "partial", "unpriced", "reported"};
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
        {"from=0001-01-01&by=key&format=csv", RECORD_KEY, NULL, NULL, NULL},
        {"from=1970-01-01&zone=Europe/Berlin&by=key&format=csv", RECORD_KEY, NULL, NULL, NULL},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(summary__says_what_the_records_say),
        STORY(tags__count_under_each_and_once_in_the_total),
        STORY(days_and_hours__are_those_of_the_zone),
        STORY(calls__come_newest_first_and_in_pages),
        STORY(trace__tells_what_a_unit_cost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
