/* SPDX-License-Identifier: Apache-2.0 */
/* Questions that somebody on the loop answers, at once or later: each is answered and given back once, also
 * when whoever asked has left meanwhile. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "proxy/admin_ask.h"
#include "proxy/call_parts.h"

struct question {
    struct admin_ask ask; /* first, so that it leads here */
    struct refusal begins;
    bool is_quick;
    unsigned started;
    unsigned answered;
    unsigned freed;
    const struct call *heard; /* of the last answer */
};

static struct refusal begin(struct admin_ask *ask, struct call *call)
{
    (void)call;
    return ((struct question *)ask)->begins;
}

static void start(struct admin_ask *ask)
{
    struct question *question = (struct question *)ask;

    question->started++;
    if (question->is_quick) {
        admin_ask_answered(ask);
    }
}

static void answer(struct admin_ask *ask, struct call *call)
{
    struct question *question = (struct question *)ask;

    assert_int_equal(question->freed, 0);
    question->answered++;
    question->heard = call;
}

static void give(struct admin_ask *ask)
{
    ((struct question *)ask)->freed++;
}

static const struct admin_ask_ops ops = {
    .begin = begin, .start = start, .answer = answer, .free = give};

struct world {
    struct env env;
    struct calls *calls;
    struct call *call;
    struct question question;
};

static void begin_world(struct world *world, bool is_quick)
{
    static char conn;

    *world = (struct world){.calls = mem_take_zero(sizeof *world->calls),
                            .call = mem_take_zero(sizeof *world->call)};
    assert_true(world->calls != NULL && world->call != NULL);
    world->env.calls = world->calls;
    world->question.is_quick = is_quick;
    slots_init(&world->calls->slots, 4);
    assert_int_equal(slots_add(&world->calls->slots, world->call, &world->call->id), ERR_NONE);
    world->call->env = &world->env;
    world->call->conn = (struct conn *)(void *)&conn; /* somebody waits */
    admin_ask_open(&world->question.ask, &ops, world->call);
    assert_ptr_equal(world->call->ask, &world->question.ask);
}

static void end_world(struct world *world)
{
    assert_int_equal(world->question.freed, 1);
    slots_fini(&world->calls->slots);
    mem_give(world->calls, sizeof *world->calls);
    mem_give(world->call, sizeof *world->call);
    assert_int_equal(mem_held(), 0);
}

static void admin_ask__may_be_answered_from_inside(void **state)
{
    struct world world;

    (void)state;
    begin_world(&world, true);
    admin_ask_go(world.call);
    assert_int_equal(world.question.started, 1);
    assert_int_equal(world.question.answered, 1);
    assert_ptr_equal(world.question.heard, world.call);
    assert_null(world.call->ask);
    admin_ask_forget(world.call);
    end_world(&world);
}

static void admin_ask__may_be_answered_later(void **state)
{
    struct world world;

    (void)state;
    begin_world(&world, false);
    admin_ask_go(world.call);
    assert_int_equal(world.question.started, 1);
    assert_int_equal(world.question.answered + world.question.freed, 0);
    admin_ask_answered(&world.question.ask);
    assert_ptr_equal(world.question.heard, world.call);
    admin_ask_forget(world.call);
    end_world(&world);
}

static void admin_ask__outlives_who_asked(void **state)
{
    struct world world;

    (void)state;
    begin_world(&world, false);
    admin_ask_go(world.call);
    (void)slots_remove(&world.calls->slots, world.call->id);
    admin_ask_forget(world.call);
    assert_int_equal(world.question.freed, 0);
    memset(world.call, 0xa5, sizeof *world.call); /* it is another's now */
    admin_ask_answered(&world.question.ask);
    assert_int_equal(world.question.answered, 1);
    assert_null(world.question.heard);
    end_world(&world);
}

static void admin_ask__hears_nobody_who_cannot_be_told(void **state)
{
    struct world world;

    (void)state;
    begin_world(&world, false);
    admin_ask_go(world.call);
    world.call->conn = NULL;
    admin_ask_answered(&world.question.ask);
    assert_null(world.question.heard);
    admin_ask_forget(world.call);
    end_world(&world);
}

static void admin_ask__goes_with_a_call_that_never_asked(void **state)
{
    struct world world;

    (void)state;
    begin_world(&world, false);
    admin_ask_forget(world.call);
    assert_int_equal(world.question.started + world.question.answered, 0);
    end_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admin_ask__may_be_answered_from_inside),
        cmocka_unit_test(admin_ask__may_be_answered_later),
        cmocka_unit_test(admin_ask__outlives_who_asked),
        cmocka_unit_test(admin_ask__hears_nobody_who_cannot_be_told),
        cmocka_unit_test(admin_ask__goes_with_a_call_that_never_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
