/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "admin/sinks_out.h"

#include "base/mem.h"

static const struct sink_view views[] = {
    {.name = SPAN("file ./usage.jsonl"), .kind = SPAN("file"), .delivered = 12345678901},
    {.name = SPAN("books"),
     .kind = SPAN("http"),
     .delivered = 7,
     .failures = 3,
     .damaged = 1,
     .waiting_bytes = 1025,
     .is_down = true,
     .down_ms = 61001,
     .reason = SPAN("it answers \"401\"")},
};

static void assert_text(const struct buf *out, const char *text)
{
    assert_false(out->failed);
    assert_int_equal(out->len, strlen(text));
    assert_memory_equal(out->at, text, out->len);
}

static void sinks_out__tells_people_the_state_and_why(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    sinks_put_table(&out, views, 2);
    assert_text(&out, "STATE   DELIVERED  WAITING KiB  SINK\n"
                      "ok     12345678901            0  file ./usage.jsonl\n"
                      "down            7            2  books, for 62s: it answers \"401\"\n");
    buf_fini(&out);
}

static void sinks_out__tells_programs_all_members_always(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    sinks_put_json(&out, views + 1, 1);
    assert_text(&out, "{\"sinks\":[{\"sink\":\"books\",\"kind\":\"http\",\"state\":\"down\","
                      "\"why\":\"it answers \\\"401\\\"\",\"down_s\":62,\"delivered\":7,"
                      "\"waiting_bytes\":1025,\"failures\":3,\"damaged\":1}]}\n");
    buf_fini(&out);
}

static void sinks_out__is_empty_without_sinks(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    sinks_put_table(&out, views, 0);
    assert_int_equal(out.len, 0);
    sinks_put_json(&out, views, 0);
    assert_text(&out, "{\"sinks\":[]}\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sinks_out__tells_people_the_state_and_why),
        cmocka_unit_test(sinks_out__tells_programs_all_members_always),
        cmocka_unit_test(sinks_out__is_empty_without_sinks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
