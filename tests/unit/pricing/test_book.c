/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pricing/pack.h"
#include "pricing/price_text.h"

static const struct price_case column = {
    0, 0, false, PRICE_ANY_PROMPT, {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, PRICE_ABSENT}};
static const struct span aliases[] = {SPAN("nick"), SPAN("b")};

#define ROW(list_name, model_name, first, last)                                                    \
    {                                                                                              \
        .list = SPAN(list_name), .model = SPAN(model_name), .from = first, .until = last,          \
        .context = -1, .output_max = -1, .fees = {-1}, .cases = &column, .counts = {               \
            .cases = 1                                                                             \
        }                                                                                          \
    }

static struct book book_of(struct arena *arena, const struct price *const *rows, size_t count)
{
    struct book book;

    arena_init(arena, 1024 * 1024);
    book_init(&book, arena);
    for (size_t i = 0; i < count; i++) {
        book_add(&book, rows[i]);
    }
    assert_true(book_close(&book));
    return book;
}

static const struct price *find(const struct book *book, const char *model, wall_ms at)
{
    return book_find(book, SPAN_OF("l"), span_of(model), at);
}

static void the_latest_valid_row_holds(void **state)
{
    static const struct price always = ROW("l", "a", INT64_MIN, INT64_MAX);
    static const struct price later = ROW("l", "a", 100, INT64_MAX);
    static const struct price brief = ROW("l", "a", 50, 60);
    static const struct price *const rows[] = {&later, &always, &brief};
    struct arena arena;
    struct book book = book_of(&arena, rows, ARRAY_LENGTH(rows));

    (void)state;
    assert_ptr_equal(find(&book, "a", -1), &always);
    assert_ptr_equal(find(&book, "a", 50), &brief);
    assert_ptr_equal(find(&book, "a", 59), &brief);
    assert_ptr_equal(find(&book, "a", 60), &always);
    assert_ptr_equal(find(&book, "a", 99), &always);
    assert_ptr_equal(find(&book, "a", 100), &later);
    assert_null(book_find(&book, SPAN_OF("m"), SPAN_OF("a"), 100));
    assert_null(book_find(&book, span_make(NULL, 0), SPAN_OF("a"), 100));
    assert_null(find(&book, "", 100));
    arena_fini(&arena);
}

static void a_later_row_of_the_same_day_replaces(void **state)
{
    static const struct price first = {.list = SPAN("l"),
                                       .model = SPAN("a"),
                                       .from = 7,
                                       .until = INT64_MAX,
                                       .aliases = aliases,
                                       .aliases_count = 1,
                                       .cases = &column,
                                       .counts = {.cases = 1}};
    static const struct price second = ROW("l", "a", 7, INT64_MAX);
    static const struct price *const rows[] = {&first, &second};
    struct arena arena;
    struct book book = book_of(&arena, rows, ARRAY_LENGTH(rows));

    (void)state;
    assert_ptr_equal(find(&book, "a", 7), &second);
    assert_int_equal(book.rows_count, 1);
    assert_null(find(&book, "nick", 7)); /* went with the row that had it */
    arena_fini(&arena);
}

static void exact_names_stand_above_aliases_and_dates(void **state)
{
    static const struct price a = {.list = SPAN("l"),
                                   .model = SPAN("a"),
                                   .from = 500,
                                   .until = INT64_MAX,
                                   .aliases = aliases,
                                   .aliases_count = 2,
                                   .cases = &column,
                                   .counts = {.cases = 1}};
    static const struct price b = ROW("l", "b", INT64_MIN, INT64_MAX);
    static const struct price dated = ROW("l", "a-2026-03-05", INT64_MIN, INT64_MAX);
    static const struct price *const rows[] = {&a, &b, &dated};
    struct arena arena;
    struct book book = book_of(&arena, rows, ARRAY_LENGTH(rows));

    (void)state;
    assert_ptr_equal(find(&book, "nick", 500), &a);
    assert_ptr_equal(find(&book, "nick-20260305", 500), &a);
    assert_ptr_equal(find(&book, "b", 500), &b);
    assert_ptr_equal(find(&book, "a-2026-03-05", 500), &dated);
    assert_ptr_equal(find(&book, "a-2026-03-06", 500), &a);
    assert_ptr_equal(find(&book, "a@20260306", 500), &a);
    assert_null(find(&book, "a-2026-03-06", 499));
    assert_null(find(&book, "a-mini", 500));
    assert_null(find(&book, "A", 500));
    assert_ptr_equal(book_find_either(&book, SPAN_OF("l"), SPAN_OF("x"), SPAN_OF("b"), 1), &b);
    assert_ptr_equal(book_find_either(&book, SPAN_OF("l"), SPAN_OF("a"), SPAN_OF("b"), 500), &a);
    arena_fini(&arena);
}

static void only_real_dates_are_left_out(void **state)
{
    static const struct {
        const char *name;
        const char *undated;
    } rows[] = {
        {"gpt-5.4-2026-03-05", "gpt-5.4"}, {"claude-x-20251001", "claude-x"},
        {"claude-x@20251001", "claude-x"}, {"gpt-4-0613", "gpt-4-0613"},
        {"m-20261301", "m-20261301"},      {"m-20260132", "m-20260132"},
        {"m-19991231", "m-19991231"},      {"m-2026-13-01", "m-2026-13-01"},
        {"m-2026-1-01", "m-2026-1-01"},    {"-20260101", "-20260101"},
        {"m20260101", "m20260101"},        {"m-20260101-x", "m-20260101-x"},
        {"m-2026010a", "m-2026010a"},      {"m@2026-01-01", "m@2026-01-01"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_true(span_equal(book_undated(span_of(rows[i].name)), span_of(rows[i].undated)));
    }
}

static void a_provider_finds_its_list(void **state)
{
    struct price_table table;
    struct arena arena;
    struct book book;
    static const struct {
        const char *name;
        const char *kind;
        const char *host;
        const char *list;
        const char *region;
    } rows[] = {
        {"openai", "compatible", "127.0.0.1", "openai", ""},
        {"mine", "openai", "api.openai.com", "openai", ""},
        {"mine", "openai", "EU.api.openai.com", "openai", "eu"},
        {"openai", "openai", "us.api.openai.com", "openai", "us"},
        {"fast", "compatible", "api.groq.com", "groq", ""},
        {"groq", "compatible", "api.mistral.ai", "groq", ""},
        {"c", "compatible", "api.cohere.ai", "cohere", ""},
        {"x", "anthropic", "gateway.internal", "anthropic", ""},
        {"x", "gemini", "gateway.internal", "google", ""},
        {"x", "compatible", "gateway.internal", "", ""},
        {"x", "fixtures", "", "", ""},
    };

    (void)state;
    arena_init(&arena, 1024 * 1024);
    book_init(&book, &arena);
    assert_true(price_unpack(&price_builtin, &arena, &table));
    book_add_table(&book, &table);
    assert_true(book_close(&book));
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct price_place place =
            book_place(&book, span_of(rows[i].name), span_of(rows[i].kind), span_of(rows[i].host));

        assert_true(span_equal(place.list, span_of(rows[i].list)));
        assert_true(span_equal(place.region, span_of(rows[i].region)));
    }
    arena_fini(&arena);
}

static void the_version_tells_rows_apart(void **state)
{
    static const struct price a = ROW("l", "a", 7, INT64_MAX);
    static const struct price b = ROW("l", "a", 86400000, INT64_MAX);
    struct price c = a;
    const struct price *rows[1] = {&a};
    struct arena arenas[4];
    struct book books[4];
    struct price_case dearer = column;

    (void)state;
    dearer.rates.token[0]++;
    c.cases = &dearer;
    books[0] = book_of(&arenas[0], rows, 1);
    books[1] = book_of(&arenas[1], rows, 1);
    rows[0] = &b;
    books[2] = book_of(&arenas[2], rows, 1);
    rows[0] = &c;
    books[3] = book_of(&arenas[3], rows, 1);
    assert_true(span_equal(book_version(&books[0]), book_version(&books[1])));
    assert_false(span_equal(book_version(&books[0]), book_version(&books[2])));
    assert_false(span_equal(book_version(&books[0]), book_version(&books[3])));
    assert_int_equal(book_version(&books[0]).len, 12);
    for (size_t i = 0; i < 4; i++) {
        arena_fini(&arenas[i]);
    }
}

static void want_of_memory_is_told(void **state)
{
    static const struct price a = ROW("l", "a", 7, INT64_MAX);
    struct arena arena;
    struct book book;

    (void)state;
    arena_init(&arena, 64);
    book_init(&book, &arena);
    book_add(&book, &a);
    assert_false(book_close(&book));
    assert_null(find(&book, "a", 7));
    arena_fini(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_valid_row_holds),
        cmocka_unit_test(a_later_row_of_the_same_day_replaces),
        cmocka_unit_test(exact_names_stand_above_aliases_and_dates),
        cmocka_unit_test(only_real_dates_are_left_out),
        cmocka_unit_test(a_provider_finds_its_list),
        cmocka_unit_test(the_version_tells_rows_apart),
        cmocka_unit_test(want_of_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
