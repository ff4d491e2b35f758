/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of operators over a real store: a reset holds after a restart, counting again says what is so, also
 * while records come, while the disk fails and while everything ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/money.h"
#include "enforcement/ledger_memory.h"
#include "proxy/budgets.h"
#include "proxy/call_parts.h"
#include "proxy/files.h"
#include "proxy/settled_follow.h"
#include "proxy/store.h"
#include "tests/contract/folder.h"

static const struct budget list[] = {
    {.name = SPAN("day"),
     .scope = {.kind = SCOPE_TEAM},
     .limit = 1000000000,
     .window = {.kind = WINDOW_YEAR}},
    {.name = SPAN("all"),
     .scope = {.kind = SCOPE_GLOBAL},
     .unit = UNIT_REQUESTS,
     .limit = 1000000000,
     .window = {.kind = WINDOW_TOTAL},
     .index = 1},
};
static const struct budgets budgets = {.list = list, .count = ARRAY_LENGTH(list)};

struct world {
    struct env env;
    struct ports ports;
    struct scratch scratch;
    struct calls calls;
    uint64_t numbered;
};

static void tell(void *to, const struct log_news *news)
{
    store_tell(to, news);
}

static size_t make_followers(void *to, struct store *store, struct loop *loop,
                             struct follower *followers)
{
    struct world *world = to;
    struct settled_options options = {.folder = span_of(folder),
                                      .loop = loop,
                                      .budgets = &budgets,
                                      .seed = {3, 4},
                                      .tell = tell,
                                      .to = store};
    struct why why;

    assert_int_equal(settled_follow_new(&options, &world->ports.settled, &why), ERR_NONE);
    followers[0] = settled_follower(world->ports.settled);
    return 1;
}

static void begin(struct world *world)
{
    static const uint64_t seed[2] = {1, 2};
    struct ledger_ears ears = {.to = NULL};
    struct store_options options = {.state_dir = span_of(folder),
                                    .calls = 100,
                                    .seed = 5,
                                    .make_followers = make_followers,
                                    .to = world,
                                    .journal = {.retention_ms = 3600000}};
    struct why why;
    uint64_t numbered = world->numbered;

    memset(world, 0, sizeof *world);
    world->numbered = numbered;
    world->env.loop = loop_new(NULL);
    world->env.log = log_new(world->env.loop, STDERR_FILENO, LOG_ERROR, LOG_TEXT);
    world->env.ports = &world->ports;
    world->env.scratch = &world->scratch;
    world->env.calls = &world->calls;
    buf_init(&world->scratch.text, 4096);
    world->ports.ledger_ops = &ledger_memory_ops;
    world->ports.ledger = ledger_memory_new(&ears, seed);
    options.loop = world->env.loop;
    options.log = world->env.log;
    assert_int_equal(store_new(&options, &world->ports.store, &why), ERR_NONE);
    assert_true(settled_follow_load(world->ports.settled, world->ports.ledger));
}

static void end(struct world *world)
{
    world->ports.settled = NULL;
    store_free(world->ports.store, 5000);
    ledger_memory_free(world->ports.ledger);
    buf_fini(&world->scratch.text);
    log_free(world->env.log);
    loop_free(world->env.loop);
    assert_int_equal(mem_held(), 0);
}

/* ---- attempts ---- */

struct attempt {
    uint64_t ticket;
    struct record record;
};

static void hold(struct world *world, struct attempt *attempt, int64_t nano)
{
    struct subject subject = {.values = {[SCOPE_TEAM] = SPAN_OF("growth")}};
    struct chain chain;
    struct hold_request request = {.record_id = SPAN_OF("x"),
                                   .chain = &chain,
                                   .amounts = {{nano, 0, 1}},
                                   .now = loop_wall(world->env.loop)};
    struct hold_answer answer;

    chain_make(&budgets, &subject, &chain);
    assert_true(ledger_memory_ops.hold(world->ports.ledger, &request, &attempt->ticket, &answer));
    assert_int_equal(answer.verdict, HOLD_GRANTED);
    record_init(&attempt->record);
    attempt->record.texts[RECORD_SOURCE] = SPAN_OF("headgate");
    attempt->record.texts[RECORD_TEAM] = SPAN_OF("growth");
    attempt->record.texts[RECORD_PHASE] = SPAN_OF("complete");
    attempt->record.numbers[RECORD_AT] = answer.held_at;
    attempt->record.numbers[RECORD_HELD_AT] = answer.held_at;
    attempt->record.numbers[RECORD_HELD] = nano;
    attempt->record.numbers[RECORD_CHARGED] = nano;
}

static void settle(struct world *world, struct attempt *attempt)
{
    struct amounts actual = {{attempt->record.numbers[RECORD_CHARGED], 0, 1}};
    char id[32];

    (void)snprintf(id, sizeof id, "call%llu-1", (unsigned long long)world->numbered++);
    attempt->record.texts[RECORD_ID] = span_of(id);
    ledger_memory_ops.settle(world->ports.ledger, attempt->ticket, &actual);
    store_put(world->ports.store, &attempt->record);
}

static void spend(struct world *world, int64_t nano)
{
    struct attempt attempt;

    hold(world, &attempt, nano);
    settle(world, &attempt);
}

static void wait_written(struct world *world)
{
    while (store_state(world->ports.store).waiting > 0) {
        (void)loop_turn(world->env.loop, 10);
    }
}

/* As the ledger has it. */
struct reading {
    struct ledger_report report;
    int64_t day;
    int64_t all;
};

static void hear_row(struct ledger_report *report, const struct ledger_row *row)
{
    struct reading *reading = (struct reading *)report;

    if (span_equal(row->budget, SPAN_OF("day"))) {
        reading->day = row->settled;
    } else {
        reading->all = row->settled;
    }
}

static void hear_done(struct ledger_report *report, bool is_whole)
{
    (void)report;
    assert_true(is_whole);
}

static struct reading read_ledger(struct world *world)
{
    struct reading reading = {.report = {.budgets = &budgets,
                                         .now = loop_wall(world->env.loop),
                                         .row = hear_row,
                                         .done = hear_done},
                              .day = -1,
                              .all = -1};

    ledger_memory_ops.report(world->ports.ledger, &reading.report);
    return reading;
}

/* ---- orders ---- */

struct ordered {
    struct ledger_order order;
    unsigned done;
    bool is_good;
    char why[512];
};

static void on_order(struct ledger_order *order, bool is_done, const char *why)
{
    struct ordered *ordered = (struct ordered *)order;

    ordered->done++;
    ordered->is_good = is_done;
    (void)snprintf(ordered->why, sizeof ordered->why, "%s", why == NULL ? "" : why);
}

static void give_order(struct world *world, struct ordered *ordered, enum ledger_order_kind kind,
                       const char *budget, const char *value)
{
    *ordered = (struct ordered){.order = {.kind = kind,
                                          .budget = span_of(budget),
                                          .value = span_of(value == NULL ? "" : value),
                                          .has_value = value != NULL,
                                          .now = loop_wall(world->env.loop),
                                          .done = on_order}};
    budgets_order(&world->env, &ordered->order);
}

static void await(struct world *world, const struct ordered *ordered)
{
    while (ordered->done == 0) {
        (void)loop_turn(world->env.loop, 10);
    }
    assert_int_equal(ordered->done, 1);
}

static void order(struct world *world, struct ordered *ordered, enum ledger_order_kind kind,
                  const char *budget, const char *value)
{
    give_order(world, ordered, kind, budget, value);
    await(world, ordered);
    assert_string_equal(ordered->why, "");
    assert_true(ordered->is_good);
}

/* The number of the sum of `day` in the file becomes another one, under a sum that fits. */
static void forge(const char *from, const char *to)
{
    char path[FILES_PATH_MAX];
    char other[FILES_PATH_MAX];
    struct buf text;
    struct buf forged;
    struct span rest;
    struct why why;
    const char *at = NULL;

    assert_true(files_path(path, span_of(folder), "budgets"));
    assert_true(files_path(other, span_of(folder), "budgets.new"));
    buf_init(&text, 1 << 16);
    buf_init(&forged, 1 << 16);
    assert_int_equal(files_read(span_of(path), &text, &why), ERR_NONE);
    rest = buf_span(&text);
    rest.len -= sizeof "crc 00000000\n" - 1;
    at = span_find(rest, span_of(from));
    assert_non_null(at);
    buf_put(&forged, span_make(rest.at, (size_t)(at - rest.at)));
    buf_put_text(&forged, to);
    buf_put(&forged, span_from(rest, (size_t)(at - rest.at) + strlen(from)));
    buf_put_format(&forged, "crc %08lx\n", (unsigned long)crc32c(buf_span(&forged)));
    assert_true(files_replace(path, other, buf_span(&forged)));
    buf_fini(&text);
    buf_fini(&forged);
}

/* ---- stories ---- */

static void settled__is_there_after_a_restart(void **state)
{
    struct world world = {.numbered = 0};

    (void)state;
    begin(&world);
    spend(&world, 100);
    spend(&world, 23);
    end(&world);
    for (int i = 0; i < 3; i++) {
        begin(&world);
        assert_int_equal(read_ledger(&world).day, 123);
        assert_int_equal(read_ledger(&world).all, 2);
        end(&world);
    }
}

static void settled__a_reset_holds_after_a_restart(void **state)
{
    struct world world = {.numbered = 0};
    struct attempt open;
    struct ordered ordered;

    (void)state;
    begin(&world);
    spend(&world, 100);
    hold(&world, &open, 1000);
    order(&world, &ordered, ORDER_RESET, "day", NULL);
    assert_int_equal(ordered.order.touched, 1);
    settle(&world, &open); /* that was before */
    spend(&world, 30);
    assert_int_equal(read_ledger(&world).day, 30);
    assert_int_equal(read_ledger(&world).all, 3);
    end(&world);
    begin(&world);
    assert_int_equal(read_ledger(&world).day, 30);
    assert_int_equal(read_ledger(&world).all, 3);
    order(&world, &ordered, ORDER_REBUILD, "", NULL);
    assert_int_equal(ordered.order.touched, 0);
    order(&world, &ordered, ORDER_RESET, "day", "somebody");
    assert_int_equal(read_ledger(&world).day, 30);
    order(&world, &ordered, ORDER_RESET, "day", "growth");
    assert_int_equal(read_ledger(&world).day, 0);
    end(&world);
    begin(&world);
    assert_in_range(read_ledger(&world).day + 1, 0, 1); /* nothing, or no such counter */
    end(&world);
}

/* Records come on another way than the order, before and behind it. */
static void settled__a_reset_under_load_takes_what_was_before(void **state)
{
    struct world world = {.numbered = 0};
    struct ordered ordered;
    int64_t day = 0;

    (void)state;
    begin(&world);
    for (int i = 0; i < 60; i++) {
        struct attempt open[3];

        for (size_t j = 0; j < ARRAY_LENGTH(open); j++) {
            hold(&world, &open[j], 1000);
        }
        give_order(&world, &ordered, ORDER_RESET, "day", NULL);
        for (size_t turn = 0; ordered.done == 0 || turn < ARRAY_LENGTH(open); turn++) {
            for (int j = 0; j < 600; j++) { /* the store thread is woken at once */
                spend(&world, 1);
            }
            if (turn < ARRAY_LENGTH(open)) {
                settle(&world, &open[turn]);
            }
            (void)loop_turn(world.env.loop, 1);
            wait_written(&world);
        }
        assert_string_equal(ordered.why, "");
    }
    wait_written(&world);
    day = read_ledger(&world).day;
    end(&world);
    begin(&world);
    assert_int_equal(read_ledger(&world).day, day);
    order(&world, &ordered, ORDER_REBUILD, "", NULL);
    assert_int_equal(ordered.order.touched, 0);
    assert_int_equal(read_ledger(&world).all, world.numbered);
    end(&world);
}

static void settled__a_reset_is_written_before_it_is_told(void **state)
{
    struct world world = {.numbered = 0};
    struct ordered ordered;
    char path[FILES_PATH_MAX];
    struct buf text;
    struct why why;

    (void)state;
    begin(&world);
    spend(&world, 100);
    order(&world, &ordered, ORDER_RESET, "day", NULL);
    buf_init(&text, 1 << 16);
    assert_true(files_path(path, span_of(folder), "budgets"));
    assert_int_equal(files_read(span_of(path), &text, &why), ERR_NONE);
    assert_non_null(span_find(buf_span(&text), SPAN_OF("\nreset day ")));
    buf_fini(&text);
    end(&world);
}

static void settled__a_reset_that_cannot_be_written_says_so(void **state)
{
    struct world world = {.numbered = 0};
    struct ordered ordered;
    char path[FILES_PATH_MAX];

    (void)state;
    begin(&world);
    spend(&world, 100);
    assert_true(files_path(path, span_of(folder), "budgets.new"));
    assert_int_equal(mkdir(path, 0700), 0);
    give_order(&world, &ordered, ORDER_RESET, "day", NULL);
    await(&world, &ordered);
    assert_false(ordered.is_good);
    assert_non_null(strstr(ordered.why, "could not be written"));
    assert_int_equal(read_ledger(&world).day, 0);
    assert_int_equal(rmdir(path), 0);
    end(&world); /* where it is written after all */
    begin(&world);
    assert_in_range(read_ledger(&world).day + 1, 0, 1);
    end(&world);
}

static void settled__counted_again_says_the_same_under_load(void **state)
{
    struct world world = {.numbered = 0};
    struct ordered ordered;

    (void)state;
    begin(&world);
    for (int i = 0; i < 20000; i++) {
        spend(&world, 1);
        if (i % 1000 == 0) {
            wait_written(&world);
        }
    }
    world.calls.budgets_out = 1; /* never at rest */
    for (int i = 0; i < 5; i++) {
        give_order(&world, &ordered, ORDER_REBUILD, "", NULL);
        while (ordered.done == 0) {
            spend(&world, 1);
            (void)loop_turn(world.env.loop, 1);
        }
        assert_string_equal(ordered.why, "");
        assert_int_equal(ordered.order.touched, 0);
    }
    wait_written(&world);
    assert_int_equal(read_ledger(&world).day, world.numbered);
    end(&world);
    begin(&world);
    assert_int_equal(read_ledger(&world).day, world.numbered);
    end(&world);
}

static void settled__counted_again_puts_right_what_is_wrong(void **state)
{
    struct world world = {.numbered = 0};
    struct ordered ordered;
    int64_t *sum = NULL;

    (void)state;
    begin(&world);
    spend(&world, 100);
    spend(&world, 23);
    wait_written(&world);
    sum = ledger_memory_sum(world.ports.ledger, SPAN_OF("all"), SPAN_OF(""), 0);
    assert_non_null(sum);
    *sum = 77; /* the ledger alone */
    order(&world, &ordered, ORDER_REBUILD, "", NULL);
    assert_int_equal(ordered.order.touched, 1);
    assert_int_equal(read_ledger(&world).all, 2);
    end(&world);
    for (int i = 0; i < 2; i++) { /* the file, and so both */
        forge(" 123 0 =growth", i == 0 ? " 999 0 =growth" : " 7 0 =growth");
        begin(&world);
        assert_int_equal(read_ledger(&world).day, i == 0 ? 999 : 7);
        world.calls.budgets_out = (unsigned)i; /* at rest, or not */
        order(&world, &ordered, ORDER_REBUILD, "", NULL);
        assert_int_equal(ordered.order.touched, 1);
        assert_int_equal(read_ledger(&world).day, 123);
        end(&world);
    }
    begin(&world);
    assert_int_equal(read_ledger(&world).day, 123);
    end(&world);
}

/* Lines that have to be read come later to who counts them than others. */
static void settled__counted_again_waits_for_what_is_not_counted_yet(void **state)
{
    struct world world = {.numbered = 0};
    struct ordered ordered;
    struct attempt pending;

    (void)state;
    begin(&world);
    for (int i = 0; i < 6000; i++) {
        struct attempt attempt;

        hold(&world, &attempt, 1);
        attempt.record.texts[RECORD_REQUEST] = SPAN_OF("a \"quoted\" one");
        settle(&world, &attempt);
    }
    wait_written(&world);
    order(&world, &ordered, ORDER_REBUILD, "", NULL);
    assert_int_equal(ordered.order.touched, 0);
    /* Booked, and its record is not written yet: its call is not over. */
    world.calls.budgets_out = 1;
    hold(&world, &pending, 5);
    ledger_memory_ops.settle(world.ports.ledger, pending.ticket, &(struct amounts){{5, 0, 1}});
    order(&world, &ordered, ORDER_REBUILD, "", NULL);
    assert_int_equal(ordered.order.touched, 0);
    assert_int_equal(read_ledger(&world).day, 6005);
    end(&world);
}

static void settled__is_counted_again_by_one_at_a_time(void **state)
{
    struct world world = {.numbered = 0};
    struct ordered first;
    struct ordered second;

    (void)state;
    begin(&world);
    for (int i = 0; i < 8000; i++) { /* more than one turn */
        spend(&world, 1);
        if (i % 1000 == 0) {
            wait_written(&world);
        }
    }
    wait_written(&world);
    give_order(&world, &first, ORDER_REBUILD, "", NULL);
    give_order(&world, &second, ORDER_REBUILD, "", NULL);
    await(&world, &first);
    await(&world, &second);
    assert_true(first.is_good);
    assert_false(second.is_good);
    assert_string_equal(second.why, "budgets are being rebuilt already");
    order(&world, &second, ORDER_REBUILD, "", NULL);
    give_order(&world, &first, ORDER_REBUILD, "", NULL); /* with a reset on its way */
    order(&world, &second, ORDER_RESET, "day", NULL);
    await(&world, &first);
    assert_true(first.is_good);
    assert_int_equal(read_ledger(&world).day, 0);
    assert_int_equal(read_ledger(&world).all, 8000);
    end(&world);
}

static void settled__orders_end_with_the_process(void **state)
{
    struct world world = {.numbered = 0};
    struct ordered ordered[20];

    (void)state;
    begin(&world);
    for (int i = 0; i < 5000; i++) {
        spend(&world, 1);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(ordered); i++) {
        give_order(&world, &ordered[i], i % 2 == 0 ? ORDER_RESET : ORDER_REBUILD, "day", NULL);
    }
    end(&world);
    for (size_t i = 0; i < ARRAY_LENGTH(ordered); i++) {
        assert_int_equal(ordered[i].done, 1);
    }
}

static void settled__too_many_orders_are_refused(void **state)
{
    struct world world = {.numbered = 0};
    struct ordered ordered[QUESTIONS_MAX + 1];

    (void)state;
    begin(&world);
    for (size_t i = 0; i < ARRAY_LENGTH(ordered); i++) {
        give_order(&world, &ordered[i], ORDER_RESET, "day", "growth");
    }
    assert_int_equal(ordered[QUESTIONS_MAX].done, 1);
    assert_false(ordered[QUESTIONS_MAX].is_good);
    for (size_t i = 0; i < QUESTIONS_MAX; i++) {
        await(&world, &ordered[i]);
        assert_true(ordered[i].is_good);
    }
    end(&world);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)
    const struct CMUnitTest tests[] = {
        STORY(settled__is_there_after_a_restart),
        STORY(settled__a_reset_holds_after_a_restart),
        STORY(settled__a_reset_under_load_takes_what_was_before),
        STORY(settled__a_reset_is_written_before_it_is_told),
        STORY(settled__a_reset_that_cannot_be_written_says_so),
        STORY(settled__counted_again_says_the_same_under_load),
        STORY(settled__counted_again_puts_right_what_is_wrong),
        STORY(settled__counted_again_waits_for_what_is_not_counted_yet),
        STORY(settled__is_counted_again_by_one_at_a_time),
        STORY(settled__orders_end_with_the_process),
        STORY(settled__too_many_orders_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
