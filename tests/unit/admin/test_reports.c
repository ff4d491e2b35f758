/* SPDX-License-Identifier: Apache-2.0 */
/* Reported records: what each field takes and refuses, what becomes of a body, and what a record
 * costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "admin/reports.h"
#include "base/mem.h"

#define NOW   INT64_C(1795187045123) /* 2026-11-20T15:04:05.123Z */
#define NAME  "\"source\":\"night-job\",\"call_id\":\"c-1\","
#define AT    "\"at\":\"2026-11-20T15:00:00Z\","
#define MODEL "\"provider\":\"mine\",\"model\":\"m\""
#define HEAD  NAME AT MODEL
#define GOOD  "{" HEAD ",\"input\":1000,\"output\":10}"

static struct arena arena;
static struct snapshot snapshot;
static struct json_scan *reader;
static const char *known; /* the record_id that was reported before */

/* What came of a body. */
static struct {
    struct buf lines;
    struct buf answer;
    struct buf text;
    struct reports_sum sum;
    struct record record; /* of the first line */
} got;

static bool is_known(void *to, struct span source, struct span id)
{
    (void)to;
    assert_true(source.len > 0);
    return known != NULL && span_equal(id, span_of(known));
}

static void forget(void)
{
    buf_fini(&got.lines);
    buf_fini(&got.answer);
    buf_fini(&got.text);
}

static void read_body(const char *body, bool is_lines)
{
    struct reports_terms terms = {.snapshot = &snapshot,
                                  .now = NOW,
                                  .seed = {7, 11},
                                  .is_lines = is_lines,
                                  .is_known = is_known};
    struct span line;

    forget();
    buf_init(&got.lines, REPORTS_LINES_MAX);
    buf_init(&got.answer, REPORTS_ANSWER_MAX);
    buf_init(&got.text, REPORTS_BODY_MAX);
    reports_read(&terms, span_of(body), &got.lines, &got.answer, &got.sum);
    if (got.lines.len > 0) {
        struct span rest = buf_span(&got.lines);

        line = span_cut(&rest, '\n');
        assert_int_equal(record_read_line(reader, line, &got.text, &got.record), ERR_NONE);
    }
}

static bool says(const char *text)
{
    return span_find(buf_span(&got.answer), span_of(text)) != NULL;
}

static void want_text(enum record_text which, const char *text)
{
    if (!span_equal(got.record.texts[which], span_of(text))) {
        fail_msg("<%.*s>, not <%s>", SPAN_ARGS(got.record.texts[which]), text);
    }
}

/* ---- fields ---- */

#define LONG64  "abcdefghijklmnopqrstuvwxyz012345abcdefghijklmnopqrstuvwxyz012345"
#define LONG128 LONG64 LONG64
#define LONG256 LONG128 LONG128

static const struct {
    const char *field; /* as JSON */
    const char *good[4];
    const char *bad[9];
} fields[] = {
    {"\"source\"",
     {"\"x\"", "\"A.b_c-9\"", "\"" LONG64 "\"", "\"app\""},
     {"\"\"", "\"a b\"", "\"a/b\"", "\"headgate\"", "\"HeadGate\"", "\"" LONG64 "x\"", "1", "[]"}},
    {"\"call_id\"",
     {"\"x\"", "\"a/b \\\"c\\\"\"", "\"\\u00e9\"", "\"" LONG128 "\""},
     {"\"\"", "\"a\\nb\"", "\"\\u007f\"", "\"" LONG128 "x\"", "7", "{}", "true"}},
    {"\"at\"",
     {"\"2026-11-20T15:00:00Z\"", "\"2026-11-21T16:00:00+01:00\"", "\"2025-10-21T00:00:00Z\"",
      "\"2026-11-20T15:00:00.123456789-07:00\""},
     {"\"2026-11-21T15:05:00Z\"", "\"2025-10-20T00:00:00Z\"", "\"2026-02-30T00:00:00Z\"",
      "\"2026-11-20\"", "\"2026-11-20T15:00:00\"", "1795187045", "\"now\"", "\"\""}},
    {"\"provider\"", {"\"openai\""}, {"\"a b\"", "\"\"", "{}"}},
    {"\"model\"", {"\"org/m:free\"", "\"" LONG256 "\""}, {"\"" LONG256 "x\"", "\"\"", "\"a\\tb\""}},
    {"\"tags\"",
     {"[]", "[\"a\"]", "[ \"a\" , \"b.c\" ]", "null"},
     {"\"a\"", "[\"a,b\"]", "[\"\"]", "[1]", "[[\"a\"]]", "{}",
      "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\","
      "\"15\",\"16\",\"17\"]"}},
    {"\"trace\"", {"\"order-4711\""}, {"\"a b\"", "\"" LONG128 "x\""}},
    {"\"user\"", {"\"J. \\u00d6zg\\u00fcr\""}, {"\"\"", "\"" LONG128 "x\"", "5"}},
    {"\"stream\"", {"true", "false", "null"}, {"0", "\"true\"", "[]"}},
    {"\"status\"", {"200", "100", "399"}, {"99", "600", "\"200\"", "2e2", "200.0", "-200"}},
    {"\"outcome\"",
     {"\"ok\"", "\"throttled\"", "\"app_gone\""},
     {"\"OK\"", "\"fine\"", "\"\"", "0"}},
    {"\"provenance\"",
     {"\"provider\"", "\"estimated\"", "\"partial\""},
     {"\"reported\"", "\"unpriced\"", "\"\"", "1"}},
    {"\"cost_usd\"",
     {"\"0\"", "\"0.000000000001\"", "\"1000000\"", "\"12.50\""},
     {"0.5", "1", "\"\"", "\"-1\"", "\"1e-3\"", "\"0.0000000000001\"", "\"1000000.01\"", "\"$1\"",
      "\"1,5\""}},
    {"\"cache_read\"",
     {"0", "1099511627776"},
     {"1099511627777", "9007199254740993", "-1", "1.0", "1e3", "\"5\"", "99999999999999999999"}},
    {"\"web_search\"", {"3"}, {"-3", "\"3\""}},
    {"\"reasoning\"", {"10", "0"}, {"11"}},
    {"\"tier\"", {"\"flex\""}, {"\"fifteen-letters\""}},
};

static void field_case(const char *field, const char *value, bool is_good)
{
    static char body[4096];
    const char *names[] = {"\"source\"", "\"call_id\"", "\"at\"", "\"provider\"", "\"model\""};
    const char *values[] = {"\"s\"", "\"c\"", "\"2026-11-20T15:00:00Z\"", "\"mine\"", "\"m\""};
    int len = snprintf(body, sizeof body, "{\"output\":10");
    char named[64];

    for (size_t i = 0; i < 5; i++) {
        if (strcmp(field, names[i]) != 0) {
            len += snprintf(body + len, sizeof body - (size_t)len, ",%s:%s", names[i], values[i]);
        }
    }
    (void)snprintf(body + len, sizeof body - (size_t)len, ", %s : %s }", field, value);
    (void)snprintf(named, sizeof named, "\"record\":0,\"field\":%s,", field);
    read_body(body, false);
    if (got.sum.refusal != (is_good ? REFUSAL_NONE : REFUSAL_INVALID_REPORT) ||
        got.sum.faults != (is_good ? 0 : 1) || (!is_good && !says(named))) {
        fail_msg("%s: %s: %.*s", field, value, SPAN_ARGS(buf_span(&got.answer)));
    }
}

static void fields__take_and_refuse(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        for (size_t k = 0; k < 4 && fields[i].good[k] != NULL; k++) {
            field_case(fields[i].field, fields[i].good[k], true);
        }
        for (size_t k = 0; k < 9 && fields[i].bad[k] != NULL; k++) {
            field_case(fields[i].field, fields[i].bad[k], false);
        }
    }
}

static void fields__needed_ones_are_named(void **state)
{
    (void)state;
    read_body("{\"source\":null}", false);
    assert_int_equal(got.sum.faults, 6);
    assert_true(
        says("{\"record\":0,\"field\":\"source\",\"message\":\"is missing, and is needed\"}"));
    assert_true(says("\"field\":\"at\",") && says("\"field\":\"model\",") &&
                says("\"field\":\"input\","));
    read_body("{" HEAD ",\"output\":1,\"outptu\":1}", false);
    assert_true(says("there is no such field; did you mean output?"));
    read_body("{" HEAD ",\"status\":500}", false);
    assert_true(
        says("\"field\":\"outcome\",\"message\":\"is needed beside a status of 400 or more\""));
    read_body("{" HEAD ",\"output\":1,\"cost_usd\":\"1\",\"provenance\":\"partial\"}", false);
    assert_true(says("\"field\":\"provenance\","));
    read_body("{" HEAD ",\"status\":429,\"outcome\":\"throttled\"}", false);
    assert_int_equal(got.sum.accepted, 1);
}

/* ---- the record ---- */

static void record__is_what_was_told_and_no_more(void **state)
{
    (void)state;
    read_body("{" HEAD ",\"cost_usd\":\"0.0000000015\",\"tags\":[\"a\",\"b\"],\"stream\":true,"
              "\"cache_read\":0,\"total_us\":1500}",
              false);
    assert_int_equal(got.sum.accepted, 1);
    assert_ptr_equal(span_find(buf_span(&got.answer), SPAN_OF("{")),
                     got.answer.at); /* nothing before it */
    assert_true(says("{\"accepted\":1,\"duplicates\":0}\n"));
    want_text(RECORD_ID, "night-job/c-1");
    want_text(RECORD_CALL, "c-1");
    want_text(RECORD_SOURCE, "night-job");
    want_text(RECORD_TAGS, "a,b");
    want_text(RECORD_OUTCOME, "ok");
    want_text(RECORD_CHARGE, "reported");
    want_text(RECORD_PROVENANCE, "reported");
    want_text(RECORD_PRICE, "");
    assert_int_equal(got.record.numbers[RECORD_AT], NOW - 245123);
    assert_int_equal(got.record.numbers[RECORD_COST], 1500);
    assert_int_equal(got.record.numbers[RECORD_CHARGED], 2);
    assert_int_equal(got.record.numbers[RECORD_ATTEMPT], 1);
    assert_int_equal(got.record.numbers[RECORD_TOTAL_US], 1500);
    assert_int_equal(got.record.numbers[RECORD_STATUS], -1);
    assert_int_equal(got.record.tokens[TOKENS_CACHE_READ], 0);
    assert_int_equal(got.record.tokens[TOKENS_INPUT], -1);
    assert_int_equal(got.record.flags, 0);
}

static void record__costs_what_the_book_says(void **state)
{
    (void)state;
    read_body("{" NAME AT "\"provider\":\"toys\",\"model\":\"m\",\"input\":1000,\"output\":10,"
              "\"reasoning\":4}",
              false);
    want_text(RECORD_PROVENANCE, "provider");
    want_text(RECORD_PRICE, "toys/m@");
    assert_int_equal(got.record.numbers[RECORD_COST], 1000 * 2000000 + 10 * 7000000);
    assert_int_equal(got.record.numbers[RECORD_CHARGED], 2070000);
    /* By the name of the settings, which has the prices of another list. */
    read_body("{" NAME AT "\"provider\":\"mine\",\"model\":\"m\",\"output\":1,"
              "\"provenance\":\"partial\",\"tier\":\"flex\"}",
              false);
    want_text(RECORD_PROVENANCE, "partial");
    assert_int_equal(got.record.numbers[RECORD_COST], 7000000);
    assert_true(record_has(&got.record, RECORD_FLAG_ESTIMATED));
    assert_true(record_has(&got.record, RECORD_FLAG_TIER_UNPRICED));
    read_body("{" NAME AT "\"provider\":\"toys\",\"model\":\"other\",\"output\":1}", false);
    want_text(RECORD_PROVENANCE, "unpriced");
    assert_int_equal(got.record.numbers[RECORD_COST], -1);
    assert_int_equal(got.record.numbers[RECORD_CHARGED], -1);
}

/* Whatever the texts, nothing of them is cut off in the line. */
static void record__longest_texts_stay_whole(void **state)
{
    static const char *const names[] = {"task", "key", "team", "user", "route"};
    static char body[64 * 1024];
    static char quotes[1024];
    int len = snprintf(body, sizeof body, "{\"source\":\"%s\",%s\"provider\":\"%s\",\"tags\":[",
                       LONG64, AT, LONG64);

    (void)state;
    for (size_t i = 0; i < 15; i++) {
        len +=
            snprintf(body + len, sizeof body - (size_t)len, "%s\"%s\"", i > 0 ? "," : "", LONG64);
    }
    for (size_t i = 0; i < 256; i++) {
        memcpy(quotes + 2 * i, "\\\"", 2);
    }
    len += snprintf(body + len, sizeof body - (size_t)len,
                    "],\"request_id\":\"%s\",\"trace\":\"%s\",\"operation\":\"%s\",\"output\":1,"
                    "\"model\":\"%.512s\",\"model_answered\":\"%.512s\",\"call_id\":\"%.256s\"",
                    LONG128, LONG128, LONG64, quotes, quotes, quotes);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        len +=
            snprintf(body + len, sizeof body - (size_t)len, ",\"%s\":\"%.256s\"", names[i], quotes);
    }
    (void)snprintf(body + len, sizeof body - (size_t)len, "}");
    read_body(body, false);
    assert_int_equal(got.sum.accepted, 1);
    assert_int_equal(got.record.texts[RECORD_ID].len, 64 + 1 + 128);
    assert_int_equal(got.record.texts[RECORD_MODEL].len, 256);
    assert_int_equal(got.record.texts[RECORD_USER].len, 128);
    assert_int_equal(got.record.texts[RECORD_TAGS].len, 15 * 65 - 1);
}

/* ---- bodies ---- */

static const struct {
    const char *body;
    bool is_lines;
    size_t accepted;
    size_t duplicates;
    const char *fault; /* NULL: none */
} bodies[] = {
    {GOOD, false, 1, 0, NULL},
    {" \r\n\t" GOOD "\n ", false, 1, 0, NULL},
    {"{\"records\":[" GOOD "]}", false, 1, 0, NULL},
    {"{ \"records\" : [ " GOOD " , " GOOD " ] }", false, 1, 1, NULL},
    {GOOD "\n", true, 1, 0, NULL},
    {"\n" GOOD "\r\n\r\n \t\n" GOOD, true, 1, 1, NULL},
    {"{\"records\":[]}", false, 0, 0,
     "\"record\":null,\"field\":\"\",\"message\":\"there is no record"},
    {"{\"records\":{}}", false, 0, 0, "\"field\":\"records\",\"message\":\"there is no such field"},
    {"{\"records\":[" GOOD "],\"x\":1}", false, 0, 0, "\"record\":null,\"field\":\"x\""},
    {"[" GOOD "]", false, 0, 0, "a record is an object of JSON"},
    {"{\"records\":[[]," GOOD "]}", false, 0, 0,
     "\"record\":0,\"field\":\"\",\"message\":\"a record"},
    {"", false, 0, 0, "\"record\":null,\"field\":\"\",\"message\":\"invalid_json, at byte 0\""},
    {"", true, 0, 0, "there is no record in the body"},
    {"{\"a\":1,\"a\":2}", false, 0, 0, "duplicate_key"},
    {GOOD GOOD, false, 0, 0, "invalid_json"},
    {GOOD "\n{\"a\":\xff}\n", true, 0, 0, "\"record\":1,\"field\":\"\",\"message\":\"invalid_"},
    {GOOD "\nx\n" GOOD "\n5\n", true, 0, 0,
     "\"record\":3,\"field\":\"\",\"message\":\"a record is"},
};

static void bodies__are_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        size_t lines = 0;

        read_body(bodies[i].body, bodies[i].is_lines);
        for (size_t k = 0; k < got.lines.len; k++) {
            lines += got.lines.at[k] == '\n';
        }
        if (lines != bodies[i].accepted ||
            (bodies[i].fault == NULL
                 ? got.sum.accepted != bodies[i].accepted ||
                       got.sum.duplicates != bodies[i].duplicates || got.sum.faults > 0
                 : got.sum.refusal != REFUSAL_INVALID_REPORT || !says(bodies[i].fault))) {
            fail_msg("%s: %.*s", bodies[i].body, SPAN_ARGS(buf_span(&got.answer)));
        }
    }
}

static void bodies__known_records_are_duplicates(void **state)
{
    (void)state;
    known = "night-job/c-1";
    read_body(GOOD, false);
    known = NULL;
    assert_int_equal(got.sum.duplicates, 1);
    assert_int_equal(got.lines.len, 0);
    assert_true(says("{\"accepted\":0,\"duplicates\":1}"));
}

static void put_many(struct buf *body, size_t count, const char *rest)
{
    buf_clear(body);
    for (size_t i = 0; i < count; i++) {
        buf_put_format(body, "{\"source\":\"s\",\"call_id\":\"%zu\"," AT MODEL "%s}\n", i, rest);
    }
    buf_put_char(body, '\0');
    assert_false(body->failed);
}

static void bodies__have_a_thousand_records_at_most(void **state)
{
    struct buf body;

    (void)state;
    buf_init(&body, REPORTS_BODY_MAX);
    put_many(&body, 1000, ",\"output\":1");
    read_body(body.at, true);
    assert_int_equal(got.sum.accepted, 1000);
    put_many(&body, 1001, ",\"output\":1");
    read_body(body.at, true);
    assert_int_equal(got.sum.refusal, REFUSAL_REPORT_LARGE);
    assert_int_equal(got.lines.len, 0);
    /* Faults are counted beyond those that are named. */
    put_many(&body, 1000, ",\"input\":-1,\"x\":2");
    read_body(body.at, true);
    assert_int_equal(got.sum.faults, 2000);
    assert_true(says("\"left_out\":1000}"));
    assert_true(says("first fault is: record 0: input: takes"));
    buf_fini(&body);
}

static void bodies__without_memory_nothing_is_taken(void **state)
{
    size_t held = 0;

    (void)state;
    forget();
    held = mem_held();
    for (uint64_t n = 1;; n++) {
        struct reports_terms terms = {.snapshot = &snapshot, .now = NOW, .is_known = is_known};
        struct buf lines;
        struct buf answer;
        struct reports_sum sum;
        bool has_failed = false;

        buf_init(&lines, REPORTS_LINES_MAX);
        buf_init(&answer, REPORTS_ANSWER_MAX);
        mem_fail_at(n);
        reports_read(&terms, SPAN_OF("{\"records\":[" GOOD ",{}]}"), &lines, &answer, &sum);
        has_failed = mem_taken() >= n;
        mem_fail_at(0);
        assert_true(has_failed ? sum.refusal == REFUSAL_OVERLOADED
                               : sum.refusal == REFUSAL_INVALID_REPORT);
        assert_int_equal(lines.len, 0);
        buf_fini(&lines);
        buf_fini(&answer);
        assert_int_equal(mem_held(), held);
        if (!has_failed) {
            return;
        }
    }
}

/* ---- the group ---- */

static int set_up(void **state)
{
    static const struct price_case cases[] = {{.over = PRICE_ANY_PROMPT}};
    static struct price_case own[1];
    static struct price price = {.list = SPAN("toys"),
                                 .model = SPAN("m"),
                                 .from = INT64_MIN,
                                 .until = INT64_MAX,
                                 .context = -1,
                                 .output_max = -1,
                                 .cases = own,
                                 .counts = {.cases = 1}};
    static struct provider provider = {.name = SPAN("mine"), .prices = {.list = SPAN("toys")}};

    (void)state;
    own[0] = cases[0];
    memset(&own[0].rates, 0xff, sizeof own[0].rates); /* PRICE_ABSENT */
    own[0].rates.token[TOKENS_INPUT] = 2000000;
    own[0].rates.token[TOKENS_OUTPUT] = 7000000;
    for (size_t i = 0; i < FEE_KINDS; i++) {
        price.fees[i] = -1;
    }
    arena_init(&arena, 1024 * 1024);
    book_init(&snapshot.prices, &arena);
    book_add(&snapshot.prices, &price);
    assert_true(book_close(&snapshot.prices));
    snapshot.routing.providers = &provider;
    snapshot.routing.providers_count = 1;
    reader = json_scan_new();
    return reader == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    forget();
    json_scan_free(reader);
    arena_fini(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields__take_and_refuse),
        cmocka_unit_test(fields__needed_ones_are_named),
        cmocka_unit_test(record__is_what_was_told_and_no_more),
        cmocka_unit_test(record__costs_what_the_book_says),
        cmocka_unit_test(record__longest_texts_stay_whole),
        cmocka_unit_test(bodies__are_taken_whole_or_not_at_all),
        cmocka_unit_test(bodies__known_records_are_duplicates),
        cmocka_unit_test(bodies__have_a_thousand_records_at_most),
        cmocka_unit_test(bodies__without_memory_nothing_is_taken),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
