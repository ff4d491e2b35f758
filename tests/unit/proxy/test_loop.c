/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: when the clock is read, when timers fire, in which order tasks run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "proxy/loop.h"

/* A world whose clock stands still until it is told, and counts who asks. */
struct still {
    mono_ms now;
    unsigned reads;
};

static mono_ms still_mono(void *to)
{
    struct still *still = to;
    still->reads++;
    return still->now;
}

static wall_ms still_wall(void *to)
{
    (void)to;
    return 1700000000000;
}

static void still_entropy(void *to, void *bytes, size_t count)
{
    (void)to;
    memset(bytes, 7, count);
}

static struct loop *still_loop(struct still *still)
{
    struct loop_world world = {
        .mono = still_mono, .wall = still_wall, .entropy = still_entropy, .to = still};
    struct loop *loop = loop_new(&world);
    assert_non_null(loop);
    return loop;
}

struct noted {
    struct loop_task task;
    struct loop *loop;
    char *log;
    char letter;
    struct noted *queues; /* another one that it queues */
    bool again;           /* queues itself for the next turn, once */
};

static void noted_run(struct loop_task *task)
{
    struct noted *noted = LIST_OWNER(task, struct noted, task);
    size_t len = strlen(noted->log);
    noted->log[len] = noted->letter;
    noted->log[len + 1] = '\0';
    if (noted->queues != NULL) {
        loop_task_queue(noted->loop, &noted->queues->task);
    }
    if (noted->again) {
        noted->again = false;
        loop_task_queue_later(noted->loop, task);
    }
}

static struct noted noted_make(struct loop *loop, char *log, char letter)
{
    return (struct noted){.loop = loop, .log = log, .letter = letter};
}

static void loop__reads_the_clock_once_a_turn(void **state)
{
    (void)state;
    struct still still = {.now = 50};
    struct loop *loop = still_loop(&still);
    assert_true(loop_turn(loop, 0));
    assert_int_equal(loop_now(loop), 50);
    still.now = 60;
    assert_int_equal(loop_now(loop), 50);
    assert_int_equal(still.reads, 1);
    assert_true(loop_turn(loop, 0));
    assert_int_equal(loop_now(loop), 60);
    assert_int_equal(loop_micros(loop), 60000);
    assert_int_equal(loop_wall(loop), 1700000000000);
    loop_free(loop);
}

static void loop__time_is_fresh_after_waiting(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    mono_ms before = loop_now(loop);
    assert_true(loop_turn(loop, 30));
    mono_ms after = loop_now(loop);
    assert_true(after >= before + 20);
    assert_true(after < before + 5000);
    loop_free(loop);
}

static void loop__runs_tasks_in_the_order_they_were_queued(void **state)
{
    (void)state;
    char log[16] = "";
    struct loop *loop = loop_new(NULL);
    struct noted a = noted_make(loop, log, 'a');
    struct noted b = noted_make(loop, log, 'b');
    struct noted c = noted_make(loop, log, 'c');
    struct noted *all[] = {&a, &b, &c};
    for (size_t i = 0; i < 3; i++) {
        loop_task_init(&all[i]->task, noted_run);
        loop_task_queue(loop, &all[i]->task);
    }
    loop_task_queue(loop, &a.task); /* twice does nothing */
    assert_true(loop_turn(loop, 10000));
    assert_string_equal(log, "abc");
    loop_free(loop);
}

static void loop__task_may_queue_another_of_the_same_turn(void **state)
{
    (void)state;
    char log[16] = "";
    struct loop *loop = loop_new(NULL);
    struct noted a = noted_make(loop, log, 'a');
    struct noted b = noted_make(loop, log, 'b');
    loop_task_init(&a.task, noted_run);
    loop_task_init(&b.task, noted_run);
    a.queues = &b;
    loop_task_queue(loop, &a.task);
    assert_true(loop_turn(loop, 10000));
    assert_string_equal(log, "ab");
    loop_free(loop);
}

static void loop__task_for_later_waits_for_the_next_turn(void **state)
{
    (void)state;
    char log[16] = "";
    struct loop *loop = loop_new(NULL);
    struct noted a = noted_make(loop, log, 'a');
    loop_task_init(&a.task, noted_run);
    a.again = true;
    loop_task_queue(loop, &a.task);
    assert_true(loop_turn(loop, 10000));
    assert_string_equal(log, "a");
    assert_true(loop_turn(loop, 10000));
    assert_string_equal(log, "aa");
    loop_free(loop);
}

static void loop__task_that_queues_itself_for_ever_does_not_stop_the_turn(void **state)
{
    (void)state;
    char log[64] = "";
    struct loop *loop = loop_new(NULL);
    struct noted a = noted_make(loop, log, 'a');
    loop_task_init(&a.task, noted_run);
    a.queues = &a;
    loop_task_queue(loop, &a.task);
    assert_true(loop_turn(loop, 10000));
    size_t first = strlen(log);
    assert_in_range(first, 1, 20);
    assert_true(loop_turn(loop, 10000));
    assert_true(strlen(log) > first);
    loop_task_cancel(&a.task);
    loop_free(loop);
}

static void loop__cancelled_task_does_not_run(void **state)
{
    (void)state;
    char log[16] = "";
    struct loop *loop = loop_new(NULL);
    struct noted a = noted_make(loop, log, 'a');
    struct noted b = noted_make(loop, log, 'b');
    loop_task_init(&a.task, noted_run);
    loop_task_init(&b.task, noted_run);
    loop_task_queue(loop, &a.task);
    loop_task_queue(loop, &b.task);
    loop_task_cancel(&a.task);
    loop_task_cancel(&a.task);
    assert_true(loop_turn(loop, 0));
    assert_string_equal(log, "b");
    loop_free(loop);
}

struct alarm {
    struct loop_timer timer;
    unsigned fired;
    mono_ms at;
};

static void alarm_fire(struct loop_timer *timer, mono_ms now)
{
    struct alarm *alarm = LIST_OWNER(timer, struct alarm, timer);
    alarm->fired++;
    alarm->at = now;
}

static void run_for(struct loop *loop, uint32_t ms)
{
    mono_ms end = loop_now(loop) + ms;
    while (loop_turn(loop, 5) && loop_now(loop) < end) {
    }
}

static void timer__fires_once_and_not_before_its_time(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    struct alarm alarm = {0};
    loop_timer_init(&alarm.timer, loop, alarm_fire);
    mono_ms wanted = loop_now(loop) + 30;
    loop_timer_set(&alarm.timer, wanted);
    run_for(loop, 100);
    assert_int_equal(alarm.fired, 1);
    assert_true(alarm.at >= wanted);
    loop_timer_fini(&alarm.timer);
    loop_free(loop);
}

static void timer__moved_later_fires_at_the_later_time_only(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    struct alarm alarm = {0};
    loop_timer_init(&alarm.timer, loop, alarm_fire);
    mono_ms now = loop_now(loop);
    loop_timer_set(&alarm.timer, now + 10);
    loop_timer_set(&alarm.timer, now + 60);
    assert_int_equal(alarm.timer.armed, now + 10); /* moving it later was free */
    run_for(loop, 120);
    assert_int_equal(alarm.fired, 1);
    assert_true(alarm.at >= now + 60);
    loop_timer_fini(&alarm.timer);
    loop_free(loop);
}

static void timer__moved_earlier_fires_at_the_earlier_time(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    struct alarm alarm = {0};
    loop_timer_init(&alarm.timer, loop, alarm_fire);
    mono_ms now = loop_now(loop);
    loop_timer_set(&alarm.timer, now + 100000);
    loop_timer_set(&alarm.timer, now + 10);
    run_for(loop, 60);
    assert_int_equal(alarm.fired, 1);
    loop_timer_fini(&alarm.timer);
    loop_free(loop);
}

static void timer__switched_off_does_not_fire_and_can_be_set_again(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    struct alarm alarm = {0};
    loop_timer_init(&alarm.timer, loop, alarm_fire);
    loop_timer_set(&alarm.timer, loop_now(loop) + 10);
    loop_timer_set(&alarm.timer, MONO_NEVER);
    run_for(loop, 40);
    assert_int_equal(alarm.fired, 0);
    loop_timer_set(&alarm.timer, loop_now(loop) + 10);
    run_for(loop, 40);
    assert_int_equal(alarm.fired, 1);
    loop_timer_fini(&alarm.timer);
    loop_timer_fini(&alarm.timer);
    loop_free(loop);
}

/* A socket that has something to say and whose callback does not listen. */
struct talker {
    struct event event;
    struct loop *loop;
    int ends[2];
    unsigned calls;
};

static void talker_cb(evutil_socket_t fd, short what, void *to)
{
    (void)fd;
    (void)what;
    struct talker *talker = to;
    talker->calls++;
    if (talker->calls > 100) {
        loop_stop(talker->loop); /* else a fault here would never end */
    }
}

/* Else what is to be done in this turn would wait for as long as any socket has something to say. */
static void loop__looks_at_sockets_once_a_turn(void **state)
{
    (void)state;
    char log[16] = "";
    struct loop *loop = loop_new(NULL);
    struct noted a = noted_make(loop, log, 'a');
    struct talker talker = {.loop = loop};
    assert_int_equal(pipe(talker.ends), 0);
    assert_int_equal(write(talker.ends[1], "x", 1), 1);
    assert_int_equal(event_assign(&talker.event, loop_base(loop), talker.ends[0],
                                  EV_READ | EV_PERSIST, talker_cb, &talker),
                     0);
    assert_int_equal(event_add(&talker.event, NULL), 0);
    loop_task_init(&a.task, noted_run);
    loop_task_queue_later(loop, &a.task);
    assert_true(loop_turn(loop, 1000));
    assert_int_equal(talker.calls, 1);
    assert_string_equal(log, "a");
    assert_true(loop_turn(loop, 0));
    assert_int_equal(talker.calls, 2);
    event_del(&talker.event);
    (void)close(talker.ends[0]);
    (void)close(talker.ends[1]);
    loop_free(loop);
}

/* A timer that is due, and a socket whose bytes are taken up in a task of the same turn. */
struct race {
    struct loop_timer timer;
    struct loop_task task;
    struct event event;
    struct loop *loop;
    mono_ms moved_to; /* by the task; 0: it does not move the timer */
    char log[16];
};

static void race_fire(struct loop_timer *timer, mono_ms now)
{
    (void)now;
    strcat(LIST_OWNER(timer, struct race, timer)->log, "t");
}

static void race_run(struct loop_task *task)
{
    struct race *race = LIST_OWNER(task, struct race, task);
    strcat(race->log, "b");
    if (race->moved_to != 0) {
        loop_timer_set(&race->timer, race->moved_to);
    }
}

static void race_cb(evutil_socket_t fd, short what, void *to)
{
    (void)fd;
    (void)what;
    struct race *race = to;
    loop_task_queue(race->loop, &race->task);
}

static void run_race(struct race *race, mono_ms later)
{
    int ends[2];
    race->loop = loop_new(NULL);
    race->moved_to = later == 0 ? 0 : loop_now(race->loop) + later;
    loop_timer_init(&race->timer, race->loop, race_fire);
    loop_task_init(&race->task, race_run);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(
        event_assign(&race->event, loop_base(race->loop), ends[0], EV_READ, race_cb, race), 0);
    assert_int_equal(event_add(&race->event, NULL), 0);
    loop_timer_set(&race->timer, loop_now(race->loop));
    assert_true(loop_turn(race->loop, 1000));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void timer__fires_behind_what_sockets_brought(void **state)
{
    (void)state;
    struct race race = {0};
    run_race(&race, 0);
    assert_string_equal(race.log, "bt");
    loop_timer_fini(&race.timer);
    loop_free(race.loop);
}

static void timer__moved_by_what_sockets_brought_does_not_fire(void **state)
{
    (void)state;
    struct race race = {0};
    run_race(&race, 30);
    assert_string_equal(race.log, "b");
    run_for(race.loop, 60);
    assert_string_equal(race.log, "bt");
    loop_timer_fini(&race.timer);
    loop_free(race.loop);
}

/* Its owner goes while it is due. */
static void timer__ended_when_due_does_not_fire(void **state)
{
    (void)state;
    struct race race = {0};
    run_race(&race, 0);
    loop_timer_set(&race.timer, loop_now(race.loop));
    loop_timer_fini(&race.timer);
    assert_true(loop_turn(race.loop, 10));
    assert_string_equal(race.log, "bt");
    loop_free(race.loop);
}

static void loop__stops_when_told(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    loop_stop(loop);
    loop_run(loop);
    assert_false(loop_turn(loop, 1000));
    loop_free(loop);
}

static void loop__gives_entropy_of_any_length(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    uint8_t first[1000] = {0};
    uint8_t second[1000] = {0};
    loop_entropy(loop, first, sizeof first);
    loop_entropy(loop, second, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    uint8_t none[100] = {0};
    assert_memory_not_equal(first + 900, none, sizeof none);
    loop_free(loop);
}

static void loop__receive_buffer_can_be_filled(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    memset(loop_recv_buffer(loop), 1, LIMIT_RECV);
    loop_free(loop);
}

static void loop__gives_all_memory_back(void **state)
{
    (void)state;
    size_t before = mem_held();
    struct loop *loop = loop_new(NULL);
    loop_free(loop);
    loop_free(NULL);
    assert_int_equal(mem_held(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loop__reads_the_clock_once_a_turn),
        cmocka_unit_test(loop__time_is_fresh_after_waiting),
        cmocka_unit_test(loop__runs_tasks_in_the_order_they_were_queued),
        cmocka_unit_test(loop__task_may_queue_another_of_the_same_turn),
        cmocka_unit_test(loop__task_for_later_waits_for_the_next_turn),
        cmocka_unit_test(loop__task_that_queues_itself_for_ever_does_not_stop_the_turn),
        cmocka_unit_test(loop__cancelled_task_does_not_run),
        cmocka_unit_test(timer__fires_once_and_not_before_its_time),
        cmocka_unit_test(timer__moved_later_fires_at_the_later_time_only),
        cmocka_unit_test(timer__moved_earlier_fires_at_the_earlier_time),
        cmocka_unit_test(timer__switched_off_does_not_fire_and_can_be_set_again),
        cmocka_unit_test(loop__looks_at_sockets_once_a_turn),
        cmocka_unit_test(timer__fires_behind_what_sockets_brought),
        cmocka_unit_test(timer__moved_by_what_sockets_brought_does_not_fire),
        cmocka_unit_test(timer__ended_when_due_does_not_fire),
        cmocka_unit_test(loop__stops_when_told),
        cmocka_unit_test(loop__gives_entropy_of_any_length),
        cmocka_unit_test(loop__receive_buffer_can_be_filled),
        cmocka_unit_test(loop__gives_all_memory_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
