/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox: what waits leaves once, whole, in order, at the end of the turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "proxy/outbox.h"

struct sender {
    struct outbox_place place;
    char name;
};

/* What left: the sender's name, then its bytes. */
static char left[256];

static void leave(struct outbox_place *place, struct span bytes)
{
    const struct sender *sender = LIST_OWNER(place, struct sender, place);
    size_t len = strlen(left);
    left[len] = sender->name;
    memcpy(left + len + 1, bytes.at, bytes.len);
    left[len + 1 + bytes.len] = '\0';
}

struct fixture {
    struct loop *loop;
    struct outbox *outbox;
    struct sender a;
    struct sender b;
    struct sender c;
};

static void begin(struct fixture *fixture)
{
    left[0] = '\0';
    fixture->loop = loop_new(NULL);
    fixture->outbox = outbox_new(fixture->loop, leave);
    assert_non_null(fixture->outbox);
    outbox_place_init(&fixture->a.place);
    outbox_place_init(&fixture->b.place);
    outbox_place_init(&fixture->c.place);
    fixture->a.name = 'A';
    fixture->b.name = 'B';
    fixture->c.name = 'C';
}

static void end(struct fixture *fixture)
{
    outbox_free(fixture->outbox);
    loop_free(fixture->loop);
}

static bool put(struct fixture *fixture, struct sender *sender, const char *text)
{
    struct span piece = span_of(text);
    return outbox_put(fixture->outbox, &sender->place, &piece, 1);
}

static void outbox__what_waits_leaves_with_the_turn_in_order(void **state)
{
    (void)state;
    struct fixture fixture;
    struct span pieces[] = {SPAN("1"), {NULL, 0}, SPAN("23"), SPAN("")};
    begin(&fixture);
    assert_true(put(&fixture, &fixture.b, "x"));
    assert_true(outbox_put(fixture.outbox, &fixture.a.place, pieces, 4));
    assert_true(put(&fixture, &fixture.a, "4"));
    assert_true(put(&fixture, &fixture.c, ""));
    assert_string_equal(left, "");
    assert_true(loop_turn(fixture.loop, 0));
    assert_string_equal(left, "BxA1234");
    assert_true(loop_turn(fixture.loop, 0));
    assert_string_equal(left, "BxA1234");
    end(&fixture);
}

static void outbox__what_is_taken_does_not_leave(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    assert_true(put(&fixture, &fixture.a, "mine"));
    assert_true(put(&fixture, &fixture.b, "stays"));
    assert_true(span_equal(outbox_take(fixture.outbox, &fixture.a.place), SPAN_OF("mine")));
    assert_int_equal(outbox_take(fixture.outbox, &fixture.a.place).len, 0);
    assert_true(loop_turn(fixture.loop, 0));
    assert_string_equal(left, "Bstays");
    end(&fixture);
}

/* Its bytes would not be one run. */
static void outbox__place_that_others_stand_behind_takes_no_more(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    assert_true(put(&fixture, &fixture.a, "1"));
    assert_true(put(&fixture, &fixture.b, "2"));
    assert_false(put(&fixture, &fixture.a, "3"));
    assert_true(span_equal(outbox_take(fixture.outbox, &fixture.a.place), SPAN_OF("1")));
    assert_true(put(&fixture, &fixture.a, "3"));
    assert_true(loop_turn(fixture.loop, 0));
    assert_string_equal(left, "B2A3");
    end(&fixture);
}

static void outbox__full_says_so_and_has_room_again_when_all_is_gone(void **state)
{
    (void)state;
    static char much[LIMIT_OUTBOX];
    struct fixture fixture;
    struct span piece = span_make(much, sizeof much);
    begin(&fixture);
    assert_true(put(&fixture, &fixture.a, "1"));
    assert_false(outbox_put(fixture.outbox, &fixture.b.place, &piece, 1));
    assert_int_equal(fixture.b.place.len, 0);
    (void)outbox_take(fixture.outbox, &fixture.a.place);
    assert_true(outbox_put(fixture.outbox, &fixture.b.place, &piece, 1));
    assert_int_equal(outbox_take(fixture.outbox, &fixture.b.place).len, sizeof much);
    end(&fixture);
}

static void outbox__without_memory_there_is_none(void **state)
{
    (void)state;
    size_t before = mem_held();
    struct loop *loop = loop_new(NULL);
    mem_fail_at(1);
    assert_null(outbox_new(loop, leave));
    mem_fail_at(0);
    outbox_free(NULL);
    loop_free(loop);
    assert_int_equal(mem_held(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outbox__what_waits_leaves_with_the_turn_in_order),
        cmocka_unit_test(outbox__what_is_taken_does_not_leave),
        cmocka_unit_test(outbox__place_that_others_stand_behind_takes_no_more),
        cmocka_unit_test(outbox__full_says_so_and_has_room_again_when_all_is_gone),
        cmocka_unit_test(outbox__without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
