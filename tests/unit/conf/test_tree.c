/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to a tree: places, strictness, and every ceiling. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "conf/tree.h"

struct reading {
    struct arena arena;
    struct complaints complaints;
    struct tree tree;
    enum err err;
};

static void read_bytes(struct reading *reading, struct span text)
{
    arena_init(&reading->arena, TREE_ARENA_MAX);
    complaints_init(&reading->complaints);
    reading->err = tree_read(text, &reading->arena, &reading->complaints, &reading->tree);
}

static void read_text(struct reading *reading, const char *text)
{
    read_bytes(reading, span_of(text));
}

static void finish(struct reading *reading)
{
    arena_fini(&reading->arena);
    assert_int_equal(mem_held(), 0);
}

static const struct node *child(const struct node *node, const char *key)
{
    const struct node *found = node_child(node, span_of(key));

    assert_non_null(found);
    return found;
}

static void assert_text(const struct node *node, const char *text)
{
    assert_int_equal(node->kind, NODE_TEXT);
    assert_true(span_equal(node->text, span_of(text)));
}

static void tree__keeps_places_of_keys_and_values(void **state)
{
    struct reading reading;
    const struct node *list = NULL;

    (void)state;
    read_text(&reading, "a: one\nbcd:\n  - x\n  - { e: \"two words\" }\n");
    assert_int_equal(reading.err, ERR_NONE);
    assert_text(child(reading.tree.root, "a"), "one");
    assert_int_equal(child(reading.tree.root, "a")->place.line, 1);
    assert_int_equal(child(reading.tree.root, "a")->place.column, 4);
    assert_int_equal(child(reading.tree.root, "a")->place.width, 3);
    list = child(reading.tree.root, "bcd");
    assert_int_equal(list->kind, NODE_LIST);
    assert_int_equal(list->count, 2);
    assert_int_equal(list->key_place.line, 2);
    assert_int_equal(list->key_place.width, 3);
    assert_text(list->first, "x");
    assert_text(child(list->first->next, "e"), "two words");
    assert_int_equal(child(list->first->next, "e")->place.line, 4);
    assert_int_equal(child(list->first->next, "e")->place.column, 10);
    assert_int_equal(child(list->first->next, "e")->place.width, 11);
    assert_null(node_child(reading.tree.root, SPAN_OF("b")));
    finish(&reading);
}

static void tree__takes_json_bom_and_crlf(void **state)
{
    struct reading reading;

    (void)state;
    read_text(&reading, "\xef\xbb\xbf{\"a\": [1, true],\r\n \"b\": \"x\"}\r\n");
    assert_int_equal(reading.err, ERR_NONE);
    assert_int_equal(reading.complaints.count, 0);
    assert_text(child(reading.tree.root, "a")->first, "1");
    assert_int_equal(child(reading.tree.root, "a")->key_place.column, 2);
    assert_int_equal(child(reading.tree.root, "b")->key_place.line, 2);
    assert_int_equal(child(reading.tree.root, "b")->key_place.column, 2);
    finish(&reading);
}

static void tree__counts_columns_in_characters(void **state)
{
    struct reading reading;

    (void)state;
    read_text(&reading, "{\xc3\xa4\xe2\x82\xac: \xf0\x9f\x98\x80, b: c}\n");
    assert_int_equal(reading.err, ERR_NONE);
    assert_int_equal(child(reading.tree.root, "b")->key_place.column, 9);
    finish(&reading);
}

static void tree__keeps_aliases_as_references(void **state)
{
    struct reading reading;
    const struct node *alias = NULL;

    (void)state;
    read_text(&reading, "x-a: &a { k: v }\nb: *a\nc: [*a, *a]\n");
    assert_int_equal(reading.err, ERR_NONE);
    alias = child(reading.tree.root, "b");
    assert_text(child(alias, "k"), "v");
    assert_ptr_equal(alias->first, child(reading.tree.root, "x-a")->first);
    assert_int_equal(alias->place.line, 2);
    assert_int_equal(alias->extent.line, 1);
    assert_int_equal(child(reading.tree.root, "c")->count, 2);
    finish(&reading);
}

static void tree__tells_what_is_wrong_and_where(void **state)
{
    static const struct {
        const char *text;
        uint32_t line;
        uint32_t column;
        const char *words;
        const char *help;
    } rows[] = {
        {"", 0, 0, "the file is empty", ""},
        {"# nothing\n", 0, 0, "the file is empty", ""},
        {"a: 1\n\tb: 2\n", 2, 1, "a tab", "indent and separate with blanks"},
        {"a:\t1\n", 1, 3, "a tab", "indent and separate with blanks"},
        {"a: 1\n# c\n  \tb: 2\n", 3, 3, "a tab", "indent and separate with blanks"},
        {"a: 1\rb: 2\n", 1, 5, "a carriage return", "plain line ends"},
        {"a: \x01\n", 1, 4, "a control character", ""},
        {"a: \x7f\n", 1, 4, "a control character", ""},
        {"a: \xc2\x85\n", 1, 4, "a line break that is no line feed", ""},
        {"a: \xe2\x80\xa8\n", 1, 4, "a line break that is no line feed", ""},
        {"a: \xff\n", 1, 4, "not UTF-8", "save the file as UTF-8"},
        {"a: \xc3", 1, 4, "not UTF-8", ""},
        {"a: \xc0\x80\n", 1, 4, "not UTF-8", ""},
        {"a: \xe0\x80\x80\n", 1, 4, "not UTF-8", ""},
        {"a: \xed\xa0\x80\n", 1, 4, "not UTF-8", ""},
        {"a: \xf4\x90\x80\x80\n", 1, 4, "not UTF-8", ""},
        {"a: 1\nb: 2\na: 3\n", 3, 1, "duplicate key \"a\"", "line 1, column 1"},
        {"x:\n  {a: 1, \"a\": 2}\n", 2, 10, "duplicate key \"a\"", "line 2, column 4"},
        {"a: 1\n---\nb: 2\n", 2, 1, "a second document", ""},
        {"a: !!str 1\n", 1, 4, "tags like !!str", "the key says"},
        {"a: !x [1]\n", 1, 4, "tags like !!str", ""},
        {"x: &a {k: v}\nb:\n  <<: *a\n", 3, 3, "merge keys", "alias for the whole value"},
        {"a: *b\n", 1, 4, "no anchor \"b\"", ""},
        {"a: &a [*a]\n", 1, 8, "stands inside what it names", ""},
        {"a: &a {k: *a}\n", 1, 11, "stands inside what it names", ""},
        {"x: &a b\n*a : c\n", 2, 1, "a key must be plain text", ""},
        {"[a]: b\n", 1, 1, "a key must be plain text", ""},
        {"? {a: b}\n: c\n", 1, 3, "a key must be plain text", ""},
        {"&k a: b\n", 1, 1, "a key cannot have an anchor", ""},
        {"a: [1, 2\nb: 3\n", 1, 4, "this list is not closed", "noticed in line 2"},
        {"a: {b: 1\n", 1, 4, "this mapping is not closed", ""},
        {"a: \"b\nc: d\n", 1, 4, "this quote is not closed", ""},
        {"a: 'b\n", 1, 4, "this quote is not closed", ""},
        {"a: 1\nb\n", 2, 1, "a key without \":\"", "noticed in line 3"},
        {"a: b: c\n", 1, 5, "a \":\" that belongs to no key", "quotes"},
        {"a: 1\n  b: 2\n", 2, 4, "a \":\" that belongs to no key", "indentation"},
        {"a:\n  - 1\n b: 2\n", 3, 2, "this does not fit", ""},
        {"a: @b\n", 1, 4, "a value cannot begin with this", "quotes"},
        {"a: \"\\q\"\n", 1, 5, "no such escape", "single quotes"},
        {"a: - b\n", 1, 4, "a list item cannot stand here", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct reading reading;
        const struct complaint *first = &reading.complaints.list[0];

        read_text(&reading, rows[i].text);
        if (reading.complaints.count == 0) {
            fail_msg("nothing said: %s", rows[i].text);
        }
        if (strstr(first->text, rows[i].words) == NULL ||
            strstr(first->help, rows[i].help) == NULL || first->line != rows[i].line ||
            first->column != rows[i].column) {
            fail_msg("%s\nsaid %u:%u %s (%s)", rows[i].text, (unsigned)first->line,
                     (unsigned)first->column, first->text, first->help);
        }
        finish(&reading);
    }
}

static void tree__keeps_the_first_of_duplicate_keys(void **state)
{
    struct reading reading;

    (void)state;
    read_text(&reading, "a: 1\na: { b: [2] }\nc: 3\n");
    assert_int_equal(reading.err, ERR_NONE);
    assert_int_equal(reading.complaints.count, 1);
    assert_text(child(reading.tree.root, "a"), "1");
    assert_text(child(reading.tree.root, "c"), "3");
    finish(&reading);
}

/* `unit` so many times, with something in front. */
static struct span repeat(char *out, size_t size, const char *front, const char *unit, size_t count)
{
    size_t len = strlen(front);
    size_t step = strlen(unit);

    memcpy(out, front, len);
    for (size_t i = 0; i < count; i++) {
        assert_true(len + step <= size);
        memcpy(out + len, unit, step);
        len += step;
    }
    return span_make(out, len);
}

static char space[TREE_BYTES_MAX + 1];

static void refuse(struct span text, const char *words)
{
    struct reading reading;

    read_bytes(&reading, text);
    assert_int_equal(reading.err, ERR_CONFIG);
    assert_true(reading.complaints.count > 0);
    if (strstr(reading.complaints.list[0].text, words) == NULL) {
        fail_msg("said: %s", reading.complaints.list[0].text);
    }
    finish(&reading);
}

static void tree__stops_depth_bombs(void **state)
{
    (void)state;
    refuse(repeat(space, sizeof space, "a: ", "[", 500000), "deeper than 32");
    refuse(repeat(space, sizeof space, "a: ", "{a: ", 200000), "deeper than 32");
    refuse(repeat(space, sizeof space, "", "- ", 500000), "deeper than 32");
    refuse(repeat(space, sizeof space, "", "? ", 500000), "plain text");
}

static void tree__allows_exactly_32_levels(void **state)
{
    struct reading reading;
    char text[80];

    (void)state;
    memset(text, '[', 32);
    memset(text + 32, ']', 32);
    read_bytes(&reading, span_make(text, 64));
    assert_int_equal(reading.err, ERR_NONE);
    finish(&reading);
    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    refuse(span_make(text, 66), "deeper than 32");
}

static void tree__stops_alias_bombs(void **state)
{
    (void)state;
    refuse(SPAN_OF("a: &a [1,1,1,1,1,1,1,1,1,1]\n"
                   "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                   "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                   "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"),
           "more than 10000 values");
}

static void tree__stops_at_10000_nodes(void **state)
{
    struct reading reading;
    struct span text = repeat(space, sizeof space, "[", "a,", TREE_NODES_MAX - 1);

    (void)state;
    space[text.len] = ']';
    read_bytes(&reading, span_make(space, text.len + 1));
    assert_int_equal(reading.err, ERR_NONE);
    finish(&reading);
    text = repeat(space, sizeof space, "[", "a,", TREE_NODES_MAX);
    space[text.len] = ']';
    refuse(span_make(space, text.len + 1), "more than 10000 values");
}

static void tree__stops_at_1_mib(void **state)
{
    struct reading reading;
    struct span text = repeat(space, sizeof space, "a: b #", "c", TREE_BYTES_MAX - 6);

    (void)state;
    assert_int_equal(text.len, TREE_BYTES_MAX);
    read_bytes(&reading, text);
    assert_int_equal(reading.err, ERR_NONE);
    finish(&reading);
    refuse(repeat(space, sizeof space, "a: b #", "c", TREE_BYTES_MAX - 5), "larger than 1MiB");
}

static void tree__tells_of_tabs_once_a_line(void **state)
{
    struct reading reading;

    (void)state;
    read_text(&reading, "a:\n\t\tb:\t1\n\tc: 2\n");
    assert_int_equal(reading.err, ERR_CONFIG);
    assert_int_equal(reading.complaints.count, 2);
    assert_int_equal(reading.complaints.list[1].line, 3);
    finish(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree__keeps_places_of_keys_and_values),
        cmocka_unit_test(tree__takes_json_bom_and_crlf),
        cmocka_unit_test(tree__counts_columns_in_characters),
        cmocka_unit_test(tree__keeps_aliases_as_references),
        cmocka_unit_test(tree__tells_what_is_wrong_and_where),
        cmocka_unit_test(tree__keeps_the_first_of_duplicate_keys),
        cmocka_unit_test(tree__stops_depth_bombs),
        cmocka_unit_test(tree__allows_exactly_32_levels),
        cmocka_unit_test(tree__stops_alias_bombs),
        cmocka_unit_test(tree__stops_at_10000_nodes),
        cmocka_unit_test(tree__stops_at_1_mib),
        cmocka_unit_test(tree__tells_of_tabs_once_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
