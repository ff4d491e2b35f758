/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of typed settings. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/field.h"
#include "base/mem.h"

enum color { COLOR_RED, COLOR_GREEN, COLOR_BLUE };
static const struct span colors[] = {SPAN("red"), SPAN("green"), SPAN("blue")};
static const struct span doors[] = {SPAN("shut"), SPAN("ajar")};

struct inside {
    uint32_t wait_ms;
};

struct thing {
    bool is_on;
    uint32_t count;
    uint64_t seed;
    uint32_t wait_ms;
    uint64_t size;
    uint32_t share;
    enum color color;
    bool is_ajar;
    struct span text;
    struct inside inside;
};

static const struct field inner_rows[] = {
    {.name = "wait",
     .type = FIELD_DURATION,
     .place = offsetof(struct inside, wait_ms),
     .initial = "3s",
     .min = "1s",
     .max = "1m"},
};
static const struct field_table inner = FIELD_TABLE(inner_rows);

static const struct field rows[] = {
    {.name = "on", .type = FIELD_BOOL, .place = offsetof(struct thing, is_on), .initial = "true"},
    {.name = "count",
     .type = FIELD_U32,
     .place = offsetof(struct thing, count),
     .initial = "5",
     .min = "2",
     .max = "4294967295"},
    {.name = "seed",
     .type = FIELD_U64,
     .place = offsetof(struct thing, seed),
     .min = "0",
     .max = "18446744073709551615"},
    {.name = "wait",
     .type = FIELD_DURATION,
     .place = offsetof(struct thing, wait_ms),
     .initial = "250ms",
     .min = "10ms",
     .max = "1h",
     .may_be_off = true},
    {.name = "size",
     .type = FIELD_SIZE,
     .place = offsetof(struct thing, size),
     .initial = "64KiB",
     .min = "1KiB",
     .max = "1GiB"},
    {.name = "color",
     .type = FIELD_WORD,
     .place = offsetof(struct thing, color),
     .initial = "green",
     .words = colors,
     .words_count = 3},
    {.name = "share",
     .type = FIELD_PERCENT,
     .place = offsetof(struct thing, share),
     .initial = "50%",
     .min = "1%",
     .max = "99%"},
    {.name = "door",
     .type = FIELD_SWITCH,
     .place = offsetof(struct thing, is_ajar),
     .initial = "ajar",
     .words = doors,
     .words_count = 2},
    {.name = "text", .type = FIELD_TEXT, .place = offsetof(struct thing, text), .initial = "hello"},
    {.name = "secret",
     .type = FIELD_TEXT,
     .place = offsetof(struct thing, text),
     .is_secret = true},
    {.name = "inside", .type = FIELD_MAP, .place = offsetof(struct thing, inside), .inner = &inner},
};
static const struct field_table table = FIELD_TABLE(rows);

static const struct field *row(const char *name)
{
    const struct field *field = field_find(&table, span_of(name));

    assert_non_null(field);
    return field;
}

static void field__finds_rows_and_near_names(void **state)
{
    (void)state;
    assert_ptr_equal(row("count"), &rows[1]);
    assert_null(field_find(&table, SPAN_OF("counts")));
    assert_null(field_find(&table, SPAN_OF("")));
    assert_ptr_equal(field_nearest(&table, SPAN_OF("colour")), row("color"));
    assert_null(field_nearest(&table, SPAN_OF("elephant")));
}

static void field__lists_names(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 200);
    field_list(&table, &out);
    assert_true(span_equal(buf_span(&out),
                           SPAN_OF("on, count, seed, wait, size, color, share, door, text, secret, "
                                   "inside")));
    buf_fini(&out);
}

static void field__sets_defaults_inside_too(void **state)
{
    struct thing thing = {.seed = 9};

    (void)state;
    field_defaults(&table, &thing);
    assert_true(thing.is_on);
    assert_int_equal(thing.count, 5);
    assert_int_equal(thing.seed, 9);
    assert_int_equal(thing.wait_ms, 250);
    assert_int_equal(thing.size, 65536);
    assert_int_equal(thing.color, COLOR_GREEN);
    assert_int_equal(thing.share, 50);
    assert_true(thing.is_ajar);
    assert_true(span_equal(thing.text, SPAN_OF("hello")));
    assert_int_equal(thing.inside.wait_ms, 3000);
}

static void field__reads_and_prints_the_same(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *printed;
    } good[] = {
        {"on", "false", "false"},
        {"count", "2", "2"},
        {"count", "4294967295", "4294967295"},
        {"seed", "18446744073709551615", "18446744073709551615"},
        {"wait", "10ms", "10ms"},
        {"wait", "60m", "1h"},
        {"wait", "off", "off"},
        {"size", "1024B", "1KiB"},
        {"size", "1GiB", "1GiB"},
        {"color", "blue", "blue"},
        {"share", "1%", "1%"},
        {"share", "99%", "99%"},
        {"door", "shut", "shut"},
        {"door", "ajar", "ajar"},
        {"text", "any thing", "any thing"},
        {"secret", "any thing", "(hidden)"},
        {"secret", "", "(none)"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        struct thing thing = {.count = 0};
        struct why why = {""};
        struct buf out;

        buf_init(&out, 200);
        if (field_read(row(good[i].name), span_of(good[i].text), &thing, &why) != ERR_NONE) {
            fail_msg("%s: %s", good[i].text, why.text);
        }
        field_print(row(good[i].name), &thing, &out);
        if (!span_equal(buf_span(&out), span_of(good[i].printed))) {
            fail_msg("%s printed %.*s", good[i].text, (int)out.len, out.at);
        }
        buf_fini(&out);
    }
    assert_int_equal(mem_held(), 0);
}

static void field__refuses_and_leaves_the_object_alone(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        enum err err;
        const char *why;
    } bad[] = {
        {"on", "yes", ERR_FORMAT, "must be true or false"},
        {"on", "", ERR_FORMAT, "must be true or false"},
        {"count", "1", ERR_RANGE, "must be 2 to 4294967295"},
        {"count", "4294967296", ERR_RANGE, "must be 2 to 4294967295"},
        {"count", "99999999999999999999", ERR_RANGE, "must be 2 to 4294967295"},
        {"count", "x", ERR_FORMAT, "must be a whole number"},
        {"count", "off", ERR_FORMAT, "must be a whole number"},
        {"wait", "9ms", ERR_RANGE, "must be 10ms to 1h, or off"},
        {"wait", "61m", ERR_RANGE, "must be 10ms to 1h, or off"},
        {"wait", "10", ERR_FORMAT, "must be a duration or off"},
        {"size", "1023B", ERR_RANGE, "must be 1KiB to 1GiB"},
        {"size", "2GiB", ERR_RANGE, "must be 1KiB to 1GiB"},
        {"size", "5", ERR_FORMAT, "must be a size"},
        {"color", "pink", ERR_FORMAT, "must be one of red, green, blue"},
        {"color", "Red", ERR_FORMAT, "must be one of red, green, blue"},
        {"share", "0%", ERR_RANGE, "must be 1% to 99%"},
        {"share", "100%", ERR_RANGE, "must be 1% to 99%"},
        {"share", "101%", ERR_RANGE, "must be 1% to 99%"},
        {"share", "50", ERR_FORMAT, "must be a percentage"},
        {"share", "1.5%", ERR_FORMAT, "must be a percentage"},
        {"share", "-1%", ERR_FORMAT, "must be a percentage"},
        {"share", "%", ERR_FORMAT, "must be a percentage"},
        {"door", "open", ERR_FORMAT, "must be one of shut, ajar"},
        {"door", "true", ERR_FORMAT, "must be one of shut, ajar"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct thing thing;
        struct thing before;
        struct why why = {""};

        memset(&thing, 0x5a, sizeof thing);
        memcpy(&before, &thing, sizeof thing);
        assert_int_equal(field_read(row(bad[i].name), span_of(bad[i].text), &thing, &why),
                         bad[i].err);
        assert_string_equal(why.text, bad[i].why);
        assert_memory_equal(&thing, &before, sizeof thing);
    }
}

static void field__prints_a_default_that_depends_on_the_place(void **state)
{
    struct thing thing = {.count = 0};
    uint32_t past = 3;
    struct buf out;

    (void)state;
    memcpy(&thing.color, &past, sizeof past);
    buf_init(&out, 200);
    field_print(row("color"), &thing, &out);
    assert_true(span_equal(buf_span(&out), SPAN_OF("(default)")));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(field__finds_rows_and_near_names),
        cmocka_unit_test(field__lists_names),
        cmocka_unit_test(field__sets_defaults_inside_too),
        cmocka_unit_test(field__reads_and_prints_the_same),
        cmocka_unit_test(field__refuses_and_leaves_the_object_alone),
        cmocka_unit_test(field__prints_a_default_that_depends_on_the_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
