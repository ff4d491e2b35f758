/* SPDX-License-Identifier: Apache-2.0 */
/* The file of keys is replaced whole or not at all, and what hinders it is told. */
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"
#include "cli/key_file.h"
#include "tests/contract/folder.h"

static void path_of(struct buf *path, const char *name)
{
    buf_init(path, 128);
    buf_put_text(path, folder);
    buf_put_text(path, name);
}

static void key_file__is_replaced_or_left_by_every_lack_of_memory(void **state)
{
    enum err err = ERR_MEMORY;
    struct key_file file;
    struct buf path;
    struct why why;

    (void)state;
    path_of(&path, "/keys.yaml");
    assert_int_equal(key_file_open(&file, buf_span(&path), true, &why), ERR_NONE);
    assert_int_equal(key_file_replace(&file, SPAN_OF("old"), &why), ERR_NONE);
    key_file_close(&file);
    for (uint64_t n = 1; err == ERR_MEMORY; n++) {
        size_t held = 0;

        assert_int_equal(key_file_open(&file, buf_span(&path), true, &why), ERR_NONE);
        assert_true(span_equal(buf_span(&file.text), SPAN_OF("old")));
        held = mem_held();
        why.text[0] = '\0';
        mem_fail_at(n);
        err = key_file_replace(&file, SPAN_OF("new"), &why);
        mem_fail_at(0);
        assert_string_equal(why.text, err == ERR_NONE ? "" : "out of memory");
        assert_int_equal(mem_held(), held);
        key_file_close(&file);
    }
    assert_int_equal(err, ERR_NONE);
    assert_int_equal(key_file_open(&file, buf_span(&path), false, &why), ERR_NONE);
    assert_true(span_equal(buf_span(&file.text), SPAN_OF("new")));
    key_file_close(&file);
    buf_fini(&path);
    assert_int_equal(mem_held(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(key_file__is_replaced_or_left_by_every_lack_of_memory,
                                        folder_set_up, folder_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
