/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of records: written and read back, cut, damaged, written by others. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/crc32c.h"
#include "base/rng.h"
#include "usage/record.h"

static struct json_scan *scan;

static int set_up(void **state)
{
    (void)state;
    scan = json_scan_new();
    return scan == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    json_scan_free(scan);
    return 0;
}

/* One of these letters needs escaping, one is of two bytes. */
static const char *const letters[] = {"a",  "Z",  "7",  "-",    ".",        "/",
                                      "\"", "\\", "\n", "\x01", "\xc3\xa9", " "};

static struct span some_text(struct rng *rng, struct buf *texts, size_t most)
{
    size_t from = texts->len;
    size_t count = rng_below(rng, most);

    for (size_t i = 0; i < count; i++) {
        size_t kinds = rng_below(rng, 8) == 0 ? sizeof letters / sizeof *letters : 6;
        buf_put_text(texts, letters[rng_below(rng, kinds)]);
    }
    return span_make(texts->at + from, texts->len - from);
}

static int64_t some_number(struct rng *rng)
{
    switch (rng_below(rng, 4)) {
    case 0: return -1;
    case 1: return 0;
    case 2: return (int64_t)rng_below(rng, 100000);
    default: return (int64_t)(rng_u64(rng) >> 1);
    }
}

static void some_record(struct rng *rng, struct buf *texts, struct record *record)
{
    record_init(record);
    for (size_t i = 0; i < RECORD_TEXTS; i++) {
        if (i != RECORD_TAGS && rng_below(rng, 2) == 0) {
            record->texts[i] = some_text(rng, texts, 40);
        }
    }
    record->texts[RECORD_TAGS] = rng_below(rng, 2) == 0 ? SPAN_OF("a,bc,d.e") : SPAN_OF("");
    for (size_t i = 0; i < RECORD_NUMBERS; i++) {
        record->numbers[i] = some_number(rng);
    }
    record->numbers[RECORD_AT] = 1795000000000 + (int64_t)rng_below(rng, 1000000000);
    record->numbers[RECORD_HELD_AT] =
        rng_below(rng, 2) == 0 ? -1 : 1795000000000 + (int64_t)rng_below(rng, 1000000000);
    record->numbers[RECORD_STREAM] = (int64_t)rng_below(rng, 3) - 1;
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        record->tokens[i] = some_number(rng);
    }
    record->fees[FEE_WEB_SEARCH] = some_number(rng);
    record->flags = (uint32_t)rng_u64(rng) & ((1u << RECORD_FLAGS) - 1);
    record->raw = rng_below(rng, 2) == 0 ? SPAN_OF("{\"prompt_tokens\":9,\"d\":[1,{\"x\":\"}\"}]}")
                                         : SPAN_OF("");
}

static void assert_same(const struct record *a, const struct record *b)
{
    for (size_t i = 0; i < RECORD_TEXTS; i++) {
        assert_true(span_equal(a->texts[i], b->texts[i]));
    }
    assert_memory_equal(a->numbers, b->numbers, sizeof a->numbers);
    assert_memory_equal(a->tokens, b->tokens, sizeof a->tokens);
    assert_memory_equal(a->fees, b->fees, sizeof a->fees);
    assert_int_equal(a->flags, b->flags);
    assert_true(span_equal(a->raw, b->raw));
}

static struct span line_of(struct buf *out)
{
    assert_true(out->len > 0 && out->at[out->len - 1] == '\n');
    assert_null(memchr(out->at, '\n', out->len - 1));
    return span_make(out->at, out->len - 1);
}

static void record__comes_back_as_it_was_written(void **state)
{
    struct rng rng;
    struct buf texts, line, read_texts;
    struct record record, read;

    (void)state;
    rng_init(&rng, 4, 0);
    buf_init(&texts, 1 << 20);
    buf_init(&line, RECORD_LINE_MAX);
    buf_init(&read_texts, 1 << 20);
    for (size_t i = 0; i < 5000; i++) {
        buf_clear(&texts);
        assert_int_equal(buf_reserve(&texts, 1 << 16),
                         ERR_NONE); /* so that the texts do not move */
        some_record(&rng, &texts, &record);
        buf_clear(&line);
        record_put_line(&line, &record);
        assert_false(line.failed);
        buf_clear(&read_texts);
        assert_int_equal(record_read_line(scan, line_of(&line), &read_texts, &read), ERR_NONE);
        assert_same(&record, &read);
    }
    buf_fini(&texts);
    buf_fini(&line);
    buf_fini(&read_texts);
}

static void put_usual(struct buf *out)
{
    struct record record;

    record_init(&record);
    record.texts[RECORD_ID] = SPAN_OF("01kb5v2y0k3m5n7p9q1r3s5t7v-1");
    record.texts[RECORD_CALL] = SPAN_OF("01kb5v2y0k3m5n7p9q1r3s5t7v");
    record.texts[RECORD_PROVIDER] = SPAN_OF("openai");
    record.texts[RECORD_TAGS] = SPAN_OF("nightly,batch");
    record.numbers[RECORD_AT] = 1795000000123;
    record.numbers[RECORD_STREAM] = 1;
    record.numbers[RECORD_COST] = 123456789;
    record.numbers[RECORD_CHARGED] = 123457;
    record.tokens[TOKENS_INPUT] = 9;
    record.tokens[TOKENS_OUTPUT] = 0;
    record_flag(&record, RECORD_FLAG_ESTIMATED);
    record_flag(&record, RECORD_FLAG_USAGE_MISSING);
    record_put_line(out, &record);
}

/* The form that programs of others read. */
static void record__has_this_form(void **state)
{
    struct buf out;
    struct span line;

    (void)state;
    buf_init(&out, RECORD_LINE_MAX);
    put_usual(&out);
    line = line_of(&out);
    line.len -= sizeof ",\"crc\":\"00000000\"}" - 1;
    print_message("%.*s\n", SPAN_ARGS(line));
    assert_true(span_equal(
        line,
        SPAN_OF("{\"record_id\":\"01kb5v2y0k3m5n7p9q1r3s5t7v-1\","
                "\"call_id\":\"01kb5v2y0k3m5n7p9q1r3s5t7v\",\"at\":\"2026-11-18T11:06:40.123Z\","
                "\"tags\":[\"nightly\",\"batch\"],\"provider\":\"openai\",\"stream\":true,"
                "\"cost_pusd\":\"123456789\",\"charged_nusd\":123457,\"input\":9,\"output\":0,"
                "\"flags\":[\"estimated\",\"usage_missing\"]")));
    buf_fini(&out);
}

static void record__that_is_cut_or_damaged_is_refused(void **state)
{
    struct buf out, text;
    struct span line;
    struct record record;

    (void)state;
    buf_init(&out, RECORD_LINE_MAX);
    buf_init(&text, RECORD_LINE_MAX * 2);
    put_usual(&out);
    line = line_of(&out);
    for (size_t len = 0; len < line.len; len++) {
        assert_int_equal(record_read_line(scan, span_make(line.at, len), &text, &record),
                         ERR_FORMAT);
    }
    for (size_t i = 0; i < line.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            out.at[i] = (char)(out.at[i] ^ (1 << bit));
            buf_clear(&text);
            assert_int_equal(record_read_line(scan, line, &text, &record), ERR_FORMAT);
            out.at[i] = (char)(out.at[i] ^ (1 << bit));
        }
    }
    buf_clear(&text);
    assert_int_equal(record_read_line(scan, line, &text, &record), ERR_NONE);
    buf_fini(&out);
    buf_fini(&text);
}

/* With a good sum. */
static enum err read_body(const char *body, struct buf *text, struct record *record)
{
    struct buf line;
    enum err err = ERR_NONE;

    buf_init(&line, RECORD_LINE_MAX);
    buf_put_text(&line, body);
    buf_put_format(&line, ",\"crc\":\"%08x\"}", (unsigned)crc32c(span_of(body)));
    err = record_read_line(scan, buf_span(&line), text, record);
    buf_fini(&line);
    return err;
}

static void record__keeps_empty_members_of_a_list(void **state)
{
    static const char *const lists[] = {",b", "a,,b", "a,", ","};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        struct record record, again;
        struct buf line, text;

        buf_init(&line, RECORD_LINE_MAX);
        buf_init(&text, RECORD_LINE_MAX);
        record_init(&record);
        record.texts[RECORD_TAGS] = span_of(lists[i]);
        record_put_line(&line, &record);
        assert_int_equal(record_read_line(scan, span_make(line.at, line.len - 1), &text, &again),
                         ERR_NONE);
        assert_true(span_equal(again.texts[RECORD_TAGS], span_of(lists[i])));
        buf_fini(&line);
        buf_fini(&text);
    }
}

static void record__of_a_later_version_is_read(void **state)
{
    struct buf text;
    struct record record;

    (void)state;
    buf_init(&text, RECORD_LINE_MAX * 2);
    assert_int_equal(
        read_body("{\"new\":{\"a\":[1,\"]\"]},\"provider\":\"p\",\"more\":null,\"input\":5,"
                  "\"flags\":[\"of_tomorrow\",\"cut\"]",
                  &text, &record),
        ERR_NONE);
    assert_true(span_equal(record.texts[RECORD_PROVIDER], SPAN_OF("p")));
    assert_int_equal(record.tokens[TOKENS_INPUT], 5);
    assert_int_equal(record.flags, 1u << RECORD_FLAG_CUT);
    buf_fini(&text);
}

static void record__with_a_member_of_another_type_is_refused(void **state)
{
    static const char *const bodies[] = {
        "{\"provider\":5",
        "{\"input\":\"5\"",
        "{\"input\":-5",
        "{\"input\":1.5",
        "{\"cost_pusd\":5",
        "{\"cost_pusd\":\"x\"",
        "{\"at\":\"yesterday\"",
        "{\"stream\":1",
        "{\"tags\":\"a\"",
        "{\"tags\":[1]",
        "{\"flags\":\"cut\"",
        "{\"provider\":null",
        "[1",
        "{\"input\":9223372036854775808",
    };
    struct buf text;
    struct record record;

    (void)state;
    buf_init(&text, RECORD_LINE_MAX * 2);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        print_message("%s\n", bodies[i]);
        assert_int_equal(read_body(bodies[i], &text, &record), ERR_FORMAT);
    }
    buf_fini(&text);
}

/* The provider may have written its usage over several lines, of any length. */
static void record__keeps_raw_usage_on_one_line(void **state)
{
    struct buf out, text;

    (void)state;
    buf_init(&out, RECORD_LINE_MAX);
    buf_init(&text, RECORD_LINE_MAX * 2);
    for (size_t blanks = 0; blanks < 40; blanks++) {
        char raw[48] = "{";
        char expected[48] = "{";
        struct record record, read;

        memset(expected + 1, ' ', blanks);
        for (size_t i = 1; i <= blanks; i++) {
            raw[i] = "\n\r\t "[i % 4];
        }
        raw[blanks + 1] = expected[blanks + 1] = '}';
        record_init(&record);
        record.raw = span_make(raw, blanks + 2);
        buf_clear(&out);
        buf_clear(&text);
        assert_true(record_put_line(&out, &record));
        assert_int_equal(record_read_line(scan, line_of(&out), &text, &read), ERR_NONE);
        assert_true(span_equal(read.raw, span_make(expected, blanks + 2)));
    }
    buf_fini(&out);
    buf_fini(&text);
}

/* Whatever apps and providers are called, the line has an end. */
static void record__never_becomes_longer_than_its_limit(void **state)
{
    char wild[4096];
    struct buf out, text;
    struct record record, read;

    (void)state;
    memset(wild, 1, sizeof wild);
    buf_init(&out, RECORD_LINE_MAX);
    buf_init(&text, RECORD_LINE_MAX * 2);
    record_init(&record);
    for (size_t i = 0; i < RECORD_TEXTS; i++) {
        record.texts[i] = span_make(wild, sizeof wild);
    }
    record.raw = span_make(wild, sizeof wild); /* too long: left out */
    assert_false(record_put_line(&out, &record));
    assert_false(out.failed);
    assert_true(out.len <= RECORD_LINE_MAX);
    assert_int_equal(record_read_line(scan, line_of(&out), &text, &read), ERR_NONE);
    assert_int_equal(read.raw.len, 0);
    assert_true(read.texts[RECORD_ID].len == RECORD_TEXT_MAX);
    buf_fini(&out);
    buf_fini(&text);
}

static void record__tells_a_line_that_says_less_or_otherwise(void **state)
{
    static const struct {
        const char *model;
        bool is_plain;
    } rows[] = {{"gpt-5", true}, {"m\303\266del", false}, {"a \"b\"", false},
                {"a\\b", false}, {"a\tb", false},         {"a\377b", false}};
    struct record record;
    struct buf line;

    (void)state;
    buf_init(&line, RECORD_LINE_MAX);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        record_init(&record);
        record.texts[RECORD_MODEL] = span_of(rows[i].model);
        print_message("%s\n", rows[i].model);
        buf_clear(&line);
        assert_int_equal(record_put_line(&line, &record), rows[i].is_plain);
    }
    buf_fini(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record__comes_back_as_it_was_written),
        cmocka_unit_test(record__tells_a_line_that_says_less_or_otherwise),
        cmocka_unit_test(record__has_this_form),
        cmocka_unit_test(record__that_is_cut_or_damaged_is_refused),
        cmocka_unit_test(record__keeps_empty_members_of_a_list),
        cmocka_unit_test(record__of_a_later_version_is_read),
        cmocka_unit_test(record__with_a_member_of_another_type_is_refused),
        cmocka_unit_test(record__keeps_raw_usage_on_one_line),
        cmocka_unit_test(record__never_becomes_longer_than_its_limit),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
