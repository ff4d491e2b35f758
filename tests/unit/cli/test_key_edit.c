/* SPDX-License-Identifier: Apache-2.0 */
/* Editing of files of keys: what comes out of every style, and that nothing else is touched. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"
#include "cli/key_edit.h"

static void expect(enum err err, struct buf *out, enum err wanted, const char *text)
{
    assert_int_equal(err, wanted);
    if (wanted == ERR_NONE && !span_equal(buf_span(out), span_of(text))) {
        fail_msg("got:\n%.*s\nwanted:\n%s", SPAN_ARGS(buf_span(out)), text);
    }
    buf_fini(out);
    assert_int_equal(mem_held(), 0);
}

static void key_edit__adds_in_front(void **state)
{
    static const struct {
        const char *text;
        const char *result; /* NULL: no file of keys */
    } table[] = {
        {"", "# Callers' keys: headgate key --help\nversion: 1\nkeys:\n  - { new }\n"},
        {"version: 1\nkeys: []\n", "version: 1\nkeys: \n  - { new }\n"},
        {"keys:\n- { a: b }\n", "keys:\n- { new }\n- { a: b }\n"},
        {"keys:\n    # one\n    - a: b\n      c: d\n", "keys:\n    # one\n    - { new }\n    - a: b\n      c: d\n"},
        {"keys: [ { a: b } ]\n", "keys: [ { new }, { a: b } ]\n"},
        {"{\"keys\":[{\"a\":1}],\"version\":1}", "{\"keys\":[ { new },{\"a\":1}],\"version\":1}"},
        {"x: \"\xc3\xa9\xe6\x97\xa5\" # \xc3\xa9\nkeys: [ x ]", "x: \"\xc3\xa9\xe6\x97\xa5\" # \xc3\xa9\nkeys: [ { new }, x ]"},
        {"version: 1\n", NULL},
        {"keys: 5\n", NULL},
        {"- keys\n", NULL},
        {"keys: [\n", NULL},
        {"\xff", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        struct buf out;

        buf_init(&out, 4096);
        expect(key_edit_add(span_of(table[i].text), SPAN_OF("{ new }"), &out), &out,
               table[i].result == NULL ? ERR_FORMAT : ERR_NONE, table[i].result);
    }
}

static void key_edit__sets_members_where_they_stand(void **state)
{
    static const struct key_member members[] = {{"digest", SPAN("NEW")}, {"id", SPAN("I")}};
    static const struct key_member previous[] = {{"digest", SPAN("OLD")}, {"until", SPAN("U")}};
    static const struct {
        const char *text;
        const char *result; /* NULL: there is no such key */
    } table[] = {
        {"keys:\n- { name: a, digest: x } # one\n",
         "keys:\n- { id: I, previous: { digest: OLD, until: U }, name: a, digest: NEW } # one\n"},
        {"keys:\n  - name: b\n    digest: y\n  - digest: \"x\" # its\n    name: a\n    id: z\n",
         "keys:\n  - name: b\n    digest: y\n  - previous: { digest: OLD, until: U }\n    digest: NEW # its\n    name: a\n    id: I\n"},
        {"keys: [{name: a, previous: {until: 1, digest: 2}, id: 3, digest: 4}]",
         "keys: [{name: a, previous: {until: U, digest: OLD}, id: I, digest: NEW}]"},
        {"keys:\n- name: a\n  previous:\n    # kept\n    until: 1\n    digest: 2\n  digest: 4\n",
         "keys:\n- id: I\n  name: a\n  previous:\n    # kept\n    until: U\n    digest: OLD\n  digest: NEW\n"},
        {"keys: [ { name: \"b\" } ]", NULL},
        {"keys: []", NULL},
        {"keys: [ a ]", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        struct buf out;

        buf_init(&out, 4096);
        expect(key_edit_set(span_of(table[i].text), SPAN_OF("a"), members, 2, previous, &out), &out,
               table[i].result == NULL ? ERR_MISSING : ERR_NONE, table[i].result);
    }
}

static void key_edit__quotes_whatever_it_is(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 256);
    key_edit_quote(&out, SPAN_OF("a\"b\\c\n\t\xc3\xa9"));
    expect(ERR_NONE, &out, ERR_NONE, "\"a\\\"b\\\\c\\x0a\\x09\xc3\xa9\"");
}

static void key_edit__survives_every_lack_of_memory(void **state)
{
    static const struct key_member members[] = {{"digest", SPAN("NEW")}};
    enum err err = ERR_MEMORY;

    (void)state;
    for (uint64_t n = 1; err == ERR_MEMORY; n++) {
        struct buf out;

        buf_init(&out, 4096);
        mem_fail_at(n);
        err = key_edit_set(SPAN_OF("keys: [ { name: a } ]"), SPAN_OF("a"), members, 1, NULL, &out);
        mem_fail_at(0);
        buf_fini(&out);
        assert_int_equal(mem_held(), 0);
    }
    assert_int_equal(err, ERR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_edit__adds_in_front),
        cmocka_unit_test(key_edit__sets_members_where_they_stand),
        cmocka_unit_test(key_edit__quotes_whatever_it_is),
        cmocka_unit_test(key_edit__survives_every_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
