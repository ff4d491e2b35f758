/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about budgets and orders to them out of request lines, and names that mean harm. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "admin/budget_ask.h"
#include "admin/budget_rows.h"
#include "base/mem.h"

#define BASE "/admin/v1/budgets"

struct reading {
    struct budget_ask ask;
    struct buf texts;
    struct why why;
    enum err err;
};

static enum budget_ask_kind read_target(const char *target, struct reading *reading)
{
    struct span query = span_of(target);
    struct span path = span_cut(&query, '?');
    enum budget_ask_kind kind = budget_ask_path(path, &reading->ask);

    buf_init(&reading->texts, 8192);
    reading->err = ERR_NONE;
    if (kind != BUDGET_ASK_NONE) {
        reading->err = budget_ask_read(&reading->ask, query, &reading->texts, &reading->why);
    }
    return kind;
}

static void assert_span(struct span is, const char *text)
{
    if (!span_equal(is, span_of(text))) {
        fail_msg("<%.*s> is not <%s>", SPAN_ARGS(is), text);
    }
}

static void budget_ask__reads_what_is_ordered(void **state)
{
    static const struct {
        const char *target;
        enum ledger_order_kind order;
        const char *name;  /* NULL: of all */
        const char *value; /* NULL: none */
    } rows[] = {
        {BASE "/day/reset", ORDER_RESET, "day", NULL},
        {BASE "/day/reset?of=growth", ORDER_RESET, "day", "growth"},
        {BASE "/day/reset?of=", ORDER_RESET, "day", ""},
        {BASE "/day/reset?of=a%26b%3Dc+d", ORDER_RESET, "day", "a&b=c d"},
        {BASE "/day/reset?of=caf%C3%A9", ORDER_RESET, "day", "caf\xc3\xa9"},
        {BASE "/%64ay/reset?", ORDER_RESET, "day", NULL},
        {BASE "/day/rebuild", ORDER_REBUILD, "day", NULL},
        {BASE "/rebuild", ORDER_REBUILD, NULL, NULL},
        {BASE "/rebuild/rebuild", ORDER_REBUILD, "rebuild", NULL},
        {BASE "/void/reset", ORDER_RESET, "void", NULL},
        {BASE "/void?proxy=gone-1", ORDER_VOID, NULL, "gone-1"},
        /* Nothing of these is a path of ours: names that no budget has. */
        {BASE "/../reset", ORDER_RESET, "..", NULL},
        {BASE "/..%2f..%2fetc/reset", ORDER_RESET, "../../etc", NULL},
        {BASE "/'%3B--/reset", ORDER_RESET, "';--", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct reading reading;

        assert_int_equal(read_target(rows[i].target, &reading), BUDGET_ASK_ORDER);
        assert_int_equal(reading.err, ERR_NONE);
        assert_int_equal(reading.ask.order, rows[i].order);
        assert_int_equal(reading.ask.has_name, rows[i].name != NULL);
        assert_int_equal(reading.ask.has_value, rows[i].value != NULL);
        if (rows[i].name != NULL) {
            assert_span(reading.ask.name, rows[i].name);
        }
        if (rows[i].value != NULL) {
            assert_span(reading.ask.value, rows[i].value);
        }
        buf_fini(&reading.texts);
    }
    assert_int_equal(mem_held(), 0);
}

static void budget_ask__reads_what_is_asked(void **state)
{
    struct reading reading;

    (void)state;
    assert_int_equal(read_target(BASE, &reading), BUDGET_ASK_LIST);
    assert_int_equal(reading.ask.limit, BUDGET_ROWS_MAX);
    assert_false(reading.ask.has_budget || reading.ask.has_value);
    buf_fini(&reading.texts);
    assert_int_equal(read_target(BASE ".txt?budget=d%61y&&of=&limit=1", &reading), BUDGET_ASK_TABLE);
    assert_int_equal(reading.err, ERR_NONE);
    assert_span(reading.ask.budget, "day");
    assert_true(reading.ask.has_budget && reading.ask.has_value);
    assert_int_equal(reading.ask.value.len, 0);
    assert_int_equal(reading.ask.limit, 1);
    buf_fini(&reading.texts);
    assert_int_equal(read_target("/admin/v1/limits/ci", &reading), BUDGET_ASK_LIMITS);
    assert_span(reading.ask.name, "ci");
    buf_fini(&reading.texts);
    assert_int_equal(read_target("/admin/v1/usage/ci/current", &reading), BUDGET_ASK_LIMITS);
    assert_span(reading.ask.name, "ci");
    buf_fini(&reading.texts);
    assert_int_equal(read_target("/admin/v1/limits/a/..%2Fb", &reading), BUDGET_ASK_LIMITS);
    assert_span(reading.ask.name, "a/../b");
    buf_fini(&reading.texts);
}

static void budget_ask__other_paths_are_none(void **state)
{
    static const char *const targets[] = {
        "", "/", "/admin/v1/budget", BASE "/", BASE "s", BASE ".txt/", BASE "/day", BASE "/day/",
        BASE "/day/kill", BASE "/day/void", BASE "/reset", BASE "/a/b/reset", BASE "/day/reset/",
        BASE "/day/RESET", BASE "%2Fday/reset", "/admin/v1/limits", "/admin/v1/usage/current",
        "/admin/v1/usage//curren", "/admin/v1/usage/ci/current/", "/headgate/v1/limits"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        struct reading reading;

        if (read_target(targets[i], &reading) != BUDGET_ASK_NONE) {
            fail_msg("%s is something", targets[i]);
        }
    }
}

static void budget_ask__what_cannot_be_meant_is_told(void **state)
{
    static const char *const targets[] = {
        BASE "?limit=0", BASE "?limit=1001", BASE "?limit=-1", BASE "?limit=1000000000",
        BASE "?limit=99999999999999999999", BASE "?limit=", BASE "?cursor=1", BASE "?Budget=day",
        BASE "?of=%", BASE "?of=%0", BASE "?of=%zz", BASE "?of=%00", BASE "?of=%7f",
        BASE "?of=a%0d%0ab", BASE "?%00=a", BASE "?of=a&of=a", BASE "?proxy=a",
        BASE "/%00/reset", BASE "/a%/reset", BASE "/%1b%5b2J/reset", BASE "/day/reset?proxy=a",
        BASE "/day/rebuild?of=a", BASE "/rebuild?of=a", BASE "/void", BASE "/void?proxy=",
        BASE "/void?proxy", BASE "/void?of=a", BASE "/void?proxy=a&proxy=b",
        "/admin/v1/limits/a%00b", "/admin/v1/limits/a?of=b", "/admin/v1/usage/%/current"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        struct reading reading = {.err = ERR_NONE};

        assert_int_not_equal(read_target(targets[i], &reading), BUDGET_ASK_NONE);
        if (reading.err != ERR_FORMAT || reading.why.text[0] == '\0') {
            fail_msg("%s: %d", targets[i], (int)reading.err);
        }
        buf_fini(&reading.texts);
    }
}

static void budget_ask__long_ones_are_told(void **state)
{
    struct reading reading;
    char target[600] = BASE "?of=";
    size_t len = strlen(target);

    (void)state;
    memset(target + len, 'x', SCOPE_VALUE_MAX);
    assert_int_equal(read_target(target, &reading), BUDGET_ASK_LIST);
    assert_int_equal(reading.err, ERR_NONE);
    buf_fini(&reading.texts);
    target[len + SCOPE_VALUE_MAX] = 'x';
    (void)read_target(target, &reading);
    assert_int_equal(reading.err, ERR_FORMAT);
    buf_fini(&reading.texts);
    assert_int_equal(budget_ask_path(SPAN_OF(BASE), &reading.ask), BUDGET_ASK_LIST);
    buf_init(&reading.texts, 4);
    assert_int_equal(budget_ask_read(&reading.ask, SPAN_OF("limit=1"), &reading.texts, &reading.why), ERR_MEMORY);
    buf_fini(&reading.texts);
    assert_int_equal(mem_held(), 0);
}

static void budget_ask__tells_what_was_done(void **state)
{
    struct reading reading;
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    (void)read_target(BASE "/day/reset?of=a%22b", &reading);
    budget_put_done(&out, &reading.ask, 3);
    buf_fini(&reading.texts);
    (void)read_target(BASE "/rebuild", &reading);
    budget_put_done(&out, &reading.ask, 0);
    buf_fini(&reading.texts);
    (void)read_target(BASE "/void?proxy=gone", &reading);
    budget_put_done(&out, &reading.ask, UINT64_MAX);
    buf_fini(&reading.texts);
    assert_span(buf_span(&out),
                "{\"order\":\"reset\",\"budget\":\"day\",\"of\":\"a\\\"b\",\"count\":3}\n"
                "{\"order\":\"rebuild\",\"budget\":null,\"of\":null,\"count\":0}\n"
                "{\"order\":\"void\",\"budget\":null,\"proxy\":\"gone\",\"count\":9223372036854775807}\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budget_ask__reads_what_is_ordered),
        cmocka_unit_test(budget_ask__reads_what_is_asked),
        cmocka_unit_test(budget_ask__other_paths_are_none),
        cmocka_unit_test(budget_ask__what_cannot_be_meant_is_told),
        cmocka_unit_test(budget_ask__long_ones_are_told),
        cmocka_unit_test(budget_ask__tells_what_was_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
