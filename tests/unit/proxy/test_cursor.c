/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors: what was written is read, what is damaged is told, and nothing is ever half there. */
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "proxy/cursor.h"

static char folder[64];
static struct loop *loop;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/headgate-cursor-XXXXXX");
    loop = loop_new(NULL);
    return mkdtemp(folder) == NULL || rmdir(folder) != 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    loop_free(loop);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void open_at(struct cursor *cursor, const char *name, struct why *why)
{
    assert_int_equal(cursor_open(cursor, span_of(folder), span_of(name), loop, why), ERR_NONE);
}

static void cursor__is_read_as_it_was_written(void **state)
{
    struct cursor cursor;
    struct why why;
    char id[CURSOR_ID_LENGTH + 1];

    (void)state;
    open_at(&cursor, "file ./usage.jsonl", &why);
    assert_string_equal(why.text, "");
    assert_int_equal(cursor.place.segment, 0);
    assert_int_equal(strlen(cursor.id), CURSOR_ID_LENGTH);
    memcpy(id, cursor.id, sizeof id);
    cursor.place = (struct journal_place){7, UINT64_MAX};
    assert_true(cursor_write(&cursor, &why));
    cursor_close(&cursor);
    open_at(&cursor, "file ./usage.jsonl", &why);
    assert_string_equal(why.text, "");
    assert_string_equal(cursor.id, id);
    assert_int_equal(cursor.place.segment, 7);
    assert_true(cursor.place.offset == UINT64_MAX);
    cursor_close(&cursor);
    /* Another sink has another. */
    open_at(&cursor, "stdout", &why);
    assert_int_equal(cursor.place.segment, 0);
    assert_string_not_equal(cursor.id, id);
    cursor_close(&cursor);
    cursor_close(&cursor);
}

static void cursor__that_is_damaged_begins_anew(void **state)
{
    static const char *const texts[] = {
        "",
        "headgate cursor 1\n",
        "headgate cursor 2\nsink x\nid 0123456789abcdef\nplace 1 2\n",
        "headgate cursor 1\nsink x\nid 0123456789abcde\nplace 1 2\n",
        "headgate cursor 1\nsink x\nid 0123456789abcdeg\nplace 1 2\n",
        "headgate cursor 1\nsink x\nid 0123456789abcdef\nplace 1\n",
        "headgate cursor 1\nsink x\nid 0123456789abcdef\nplace 1 x\n",
        "headgate cursor 1\nsink x\nid 0123456789abcdef\nplace 1 18446744073709551616\n",
        "headgate cursor 1\nsink x\nid 0123456789abcdef\nplace 1 2\nmore\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cursor cursor;
        struct why why;
        int file = -1;

        open_at(&cursor, "x", &why);
        file = open(cursor.path.at, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_int_equal(write(file, texts[i], strlen(texts[i])), strlen(texts[i]));
        (void)close(file);
        cursor_close(&cursor);
        open_at(&cursor, "x", &why);
        if (strstr(why.text, "is damaged") == NULL || cursor.place.segment != 0) {
            fail_msg("taken: %s", texts[i]);
        }
        assert_true(cursor_write(&cursor, &why));
        cursor_close(&cursor);
        open_at(&cursor, "x", &why);
        assert_string_equal(why.text, "");
        cursor_close(&cursor);
    }
}

static void cursor__that_cannot_be_written_stays_as_it_was(void **state)
{
    struct cursor cursor;
    struct why why;

    (void)state;
    open_at(&cursor, "y", &why);
    cursor.place = (struct journal_place){1, 1};
    assert_true(cursor_write(&cursor, &why));
    cursor.place = (struct journal_place){1, 2};
    assert_int_equal(mkdir(cursor.other.at, 0700), 0);
    assert_false(cursor_write(&cursor, &why));
    assert_non_null(strstr(why.text, cursor.path.at));
    assert_int_equal(cursor.written.offset, 1);
    assert_int_equal(rmdir(cursor.other.at), 0);
    cursor_close(&cursor);
    open_at(&cursor, "y", &why);
    assert_int_equal(cursor.place.offset, 1);
    cursor_close(&cursor);
    assert_int_equal(cursor_open(&cursor, SPAN_OF("/nonexistent/a/b"), SPAN_OF("y"), loop, &why),
                     ERR_SYSTEM);
    cursor_close(&cursor);
}

static void cursor__that_begins_anew_has_another_id(void **state)
{
    struct cursor cursor;
    struct why why;
    char id[CURSOR_ID_LENGTH + 1];

    (void)state;
    open_at(&cursor, "z", &why);
    memcpy(id, cursor.id, sizeof id);
    assert_true(cursor_write(&cursor, &why));
    cursor_restart(&cursor, (struct journal_place){0, 0}, loop);
    assert_string_not_equal(cursor.id, id);
    memcpy(id, cursor.id, sizeof id);
    assert_true(cursor_write(&cursor, &why));
    cursor_close(&cursor);
    open_at(&cursor, "z", &why);
    assert_string_equal(cursor.id, id);
    cursor_close(&cursor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor__is_read_as_it_was_written),
        cmocka_unit_test(cursor__that_is_damaged_begins_anew),
        cmocka_unit_test(cursor__that_cannot_be_written_stays_as_it_was),
        cmocka_unit_test(cursor__that_begins_anew_has_another_id),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
