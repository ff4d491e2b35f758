/* SPDX-License-Identifier: Apache-2.0 */
/* The live state of rates: tables, and any calls at any times against a model with arithmetic of its
 * own. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "enforcement/roster.h"

enum { MINUTE = 60000 };

static const uint64_t seed[2] = {3, 5};

static struct rate rate_of(const char *scope, enum rate_unit unit, uint64_t limit, uint64_t period,
                           uint64_t burst)
{
    struct rate rate = {.name = span_of(scope), .unit = unit, .limit = limit};

    assert_int_equal(scope_read(span_of(scope), &rate.scope), ERR_NONE);
    if (unit != RATE_CONCURRENT) {
        gcra_rule_make(&rate.rule, limit, period, burst);
    }
    return rate;
}

struct world {
    struct roster *roster;
    struct rate list[RATES_MAX];
    struct rates rates;
    struct subject subject;
};

static void begin(struct world *world, const struct rate *list, size_t count)
{
    *world = (struct world){.roster = roster_new(seed)};
    assert_non_null(world->roster);
    for (size_t i = 0; i < count; i++) {
        world->list[i] = list[i];
        world->list[i].index = (uint16_t)i;
    }
    world->rates = (struct rates){.list = world->list, .count = count};
    world->subject.values[SCOPE_TEAM] = SPAN_OF("default");
}

static void end(struct world *world)
{
    assert_int_equal(roster_passes(world->roster), 0);
    roster_free(world->roster);
    assert_int_equal(mem_held(), 0);
}

static enum roster_verdict ask(struct world *world, uint64_t tokens, mono_ms now,
                               struct roster_pass **pass)
{
    struct roster_ask ask = {
        .rates = &world->rates, .subject = &world->subject, .tokens = tokens, .now = now};

    return roster_ask(world->roster, &ask, pass);
}

/* A call that takes no time. 0: it was let in; else the wait. */
static uint64_t call(struct world *world, uint64_t tokens, uint64_t used, mono_ms now)
{
    struct roster_pass *pass = NULL;
    enum roster_verdict verdict = ask(world, tokens, now, &pass);
    uint64_t wait = 0;

    assert_true(verdict == ROSTER_PASSED || verdict == ROSTER_DENIED);
    wait = roster_wait_ms(pass);
    assert_true((wait == 0) == (verdict == ROSTER_PASSED));
    assert_true((roster_denied(pass) == NULL) == (verdict == ROSTER_PASSED));
    roster_used(pass, used);
    roster_leave(world->roster, pass, now);
    return wait;
}

/* ---- tables ---- */

static void roster__lets_in_a_burst_and_then_one_at_a_time(void **state)
{
    const struct rate list[] = {rate_of("team", RATE_REQUESTS, 60, MINUTE, 3)};
    struct world world;

    (void)state;
    begin(&world, list, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(call(&world, 0, 0, 5000), 0);
    }
    assert_int_equal(call(&world, 0, 0, 5000), 1000);
    assert_int_equal(call(&world, 0, 0, 5999), 1);
    assert_int_equal(call(&world, 0, 0, 6000), 0);
    assert_int_equal(call(&world, 0, 0, 6000), 1000);
    end(&world);
}

static void roster__takes_from_all_or_from_none(void **state)
{
    const struct rate list[] = {rate_of("global", RATE_REQUESTS, 60, MINUTE, 60),
                                rate_of("team", RATE_TOKENS, 6000, MINUTE, 100),
                                rate_of("team", RATE_CONCURRENT, 1, 0, 0)};
    struct rate_figures figures;
    struct roster_pass *first = NULL;
    struct roster_pass *second = NULL;
    struct world world;

    (void)state;
    begin(&world, list, 3);
    assert_int_equal(ask(&world, 10, 0, &first), ROSTER_PASSED);
    assert_int_equal(ask(&world, 10, 0, &second), ROSTER_DENIED);
    assert_ptr_equal(roster_denied(second), &world.list[2]);
    assert_int_equal(roster_wait_ms(second), ROSTER_WAIT_CONCURRENT_MS);
    assert_true(roster_figures(second, RATE_REQUESTS, 0, &figures));
    assert_int_equal(figures.remaining, 59);
    assert_true(roster_figures(second, RATE_TOKENS, 0, &figures));
    assert_int_equal(figures.remaining, 90);
    roster_used(second, 1000); /* of a call that was not let in */
    roster_leave(world.roster, second, 0);
    assert_int_equal(ask(&world, 10, 0, &second), ROSTER_DENIED);
    roster_leave(world.roster, second, 0);
    roster_leave(world.roster, first, 0);
    assert_int_equal(ask(&world, 10, 0, &first), ROSTER_PASSED);
    assert_true(roster_figures(first, RATE_TOKENS, 0, &figures));
    assert_int_equal(figures.remaining, 90); /* nothing was used by the one before */
    roster_leave(world.roster, first, 0);
    end(&world);
}

static void roster__a_look_takes_nothing(void **state)
{
    const struct rate list[] = {rate_of("team", RATE_REQUESTS, 60, MINUTE, 1),
                                rate_of("team", RATE_CONCURRENT, 1, 0, 0)};
    struct world world;
    struct roster_ask look = {.rates = &world.rates, .subject = &world.subject, .is_trial = true};
    struct roster_pass *looked = NULL;
    struct roster_pass *pass = NULL;

    (void)state;
    begin(&world, list, 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(roster_ask(world.roster, &look, &looked), ROSTER_PASSED);
        assert_null(looked);
    }
    assert_int_equal(ask(&world, 0, 0, &pass), ROSTER_PASSED);
    assert_int_equal(roster_ask(world.roster, &look, &looked), ROSTER_DENIED);
    assert_int_equal(roster_wait_ms(looked), 1000);
    roster_leave(world.roster, looked, 0);
    roster_leave(world.roster, pass, 0);
    look.now = 1000;
    assert_int_equal(roster_ask(world.roster, &look, &looked), ROSTER_PASSED);
    assert_int_equal(call(&world, 0, 0, 1000), 0);
    end(&world);
}

static void roster__shows_what_is_left_and_makes_no_seats(void **state)
{
    const struct rate list[] = {rate_of("team", RATE_REQUESTS, 60, MINUTE, 3),
                                rate_of("team", RATE_CONCURRENT, 2, 0, 0),
                                rate_of("tag", RATE_TOKENS, 600, MINUTE, 600),
                                rate_of("user", RATE_REQUESTS, 1, MINUTE, 1)};
    struct rate_sight sights[ROSTER_CLAIMS_MAX];
    struct roster_pass *pass = NULL;
    struct world world;

    (void)state;
    begin(&world, list, 4);
    world.subject.values[SCOPE_TAG] = SPAN_OF("a,b");
    assert_int_equal(roster_look(world.roster, &world.rates, &world.subject, 0, sights), 4);
    assert_int_equal(roster_seats(world.roster), 0);
    assert_int_equal(sights[0].figures.remaining, 3);
    assert_int_equal(sights[0].figures.reset_ms, 0);
    assert_int_equal(sights[1].figures.remaining, 2);
    world.subject.values[SCOPE_TAG] = SPAN_OF("b");
    assert_int_equal(ask(&world, 100, 0, &pass), ROSTER_PASSED);
    world.subject.values[SCOPE_TAG] = SPAN_OF("a,b");
    assert_int_equal(roster_look(world.roster, &world.rates, &world.subject, 500, sights), 4);
    assert_int_equal(roster_seats(world.roster), 3);
    assert_int_equal(sights[0].figures.limit, 60);
    assert_int_equal(sights[0].figures.remaining, 2);
    assert_int_equal(sights[0].figures.reset_ms, 500);
    assert_int_equal(sights[1].figures.remaining, 1);
    assert_true(span_equal(sights[2].value, SPAN_OF("a")));
    assert_int_equal(sights[2].figures.remaining, 600);
    assert_true(span_equal(sights[3].value, SPAN_OF("b")));
    assert_int_equal(sights[3].figures.remaining, 505);
    roster_leave(world.roster, pass, 500);
    world.subject.values[SCOPE_TEAM] = SPAN_OF("other");
    world.subject.values[SCOPE_TAG] = SPAN_OF("");
    assert_int_equal(roster_look(world.roster, &world.rates, &world.subject, 500, sights), 2);
    assert_int_equal(sights[0].figures.remaining, 3);
    end(&world);
}

static void roster__tells_the_longest_wait(void **state)
{
    const struct rate list[] = {rate_of("team", RATE_REQUESTS, 60, MINUTE, 1),
                                rate_of("team", RATE_REQUESTS, 2, MINUTE, 1),
                                rate_of("team", RATE_REQUESTS, 60, MINUTE, 60)};
    struct roster_pass *pass = NULL;
    struct world world;

    (void)state;
    begin(&world, list, 3);
    assert_int_equal(call(&world, 0, 0, 0), 0);
    assert_int_equal(ask(&world, 0, 400, &pass), ROSTER_DENIED);
    assert_int_equal(roster_wait_ms(pass), 29600);
    assert_ptr_equal(roster_denied(pass), &world.list[1]);
    roster_leave(world.roster, pass, 400);
    assert_int_equal(call(&world, 0, 0, 30000), 0);
    end(&world);
}

static void roster__corrects_the_estimate_of_tokens(void **state)
{
    static const struct {
        uint64_t estimate, used, next, wait;
    } rows[] = {
        {1000, 0, 1000, 0},       /* not sent: all of it comes back */
        {1000, 1000, 1, 60},      /* 1,000 a minute: one in 60 ms */
        {1000, 400, 600, 0},
        {1000, 400, 601, 60},
        {100, 1000, 1, 60},       /* more than was estimated */
        {100, 3000, 1, 120060},   /* and more than there was */
        {0, 500, 500, 0},
        {5000, 5000, 1, 240060},  /* more than may ever come at once: let in when all is free */
        {5000, 200, 800, 0},
        {0, 0, 50000, 0},
    };
    const struct rate list[] = {rate_of("team", RATE_TOKENS, 1000, MINUTE, 1000)};
    struct world world;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        begin(&world, list, 1);
        assert_int_equal(call(&world, rows[i].estimate, rows[i].used, 7), 0);
        assert_int_equal(call(&world, rows[i].next, 0, 7), rows[i].wait);
        end(&world);
    }
}

static void roster__adds_up_the_attempts_of_a_call(void **state)
{
    const struct rate list[] = {rate_of("team", RATE_TOKENS, 1000, MINUTE, 1000)};
    struct roster_pass *pass = NULL;
    struct rate_figures figures;
    struct world world;

    (void)state;
    begin(&world, list, 1);
    assert_int_equal(ask(&world, 500, 0, &pass), ROSTER_PASSED);
    roster_used(pass, 100);
    roster_used(pass, 250);
    assert_true(roster_figures(pass, RATE_TOKENS, 0, &figures));
    assert_int_equal(figures.remaining, 500); /* corrected once, at the end */
    roster_leave(world.roster, pass, 0);
    assert_int_equal(ask(&world, 0, 0, &pass), ROSTER_PASSED);
    assert_true(roster_figures(pass, RATE_TOKENS, 0, &figures));
    assert_int_equal(figures.remaining, 650);
    assert_int_equal(figures.limit, 1000);
    assert_int_equal(figures.reset_ms, 350 * 60);
    roster_leave(world.roster, pass, 0);
    end(&world);
}

static void roster__believes_no_figure_beyond_its_ceiling(void **state)
{
    const struct rate list[] = {rate_of("team", RATE_TOKENS, ROSTER_TOKENS_MAX, MINUTE, 1)};
    struct roster_pass *pass = NULL;
    struct world world;

    (void)state;
    begin(&world, list, 1);
    assert_int_equal(ask(&world, 0, 0, &pass), ROSTER_PASSED);
    for (int i = 0; i < 9; i++) {
        roster_used(pass, UINT64_MAX);
    }
    roster_leave(world.roster, pass, 0);
    assert_true(call(&world, 1, 0, 0) <= 2 * MINUTE);
    end(&world);
}

static void roster__counts_whoever_the_scope_says_apart(void **state)
{
    const struct rate list[] = {rate_of("team", RATE_CONCURRENT, 1, 0, 0),
                                rate_of("tag", RATE_REQUESTS, 1, MINUTE, 1),
                                rate_of("team:b", RATE_REQUESTS, 1, MINUTE, 1)};
    struct world world;

    (void)state;
    begin(&world, list, 3);
    world.subject.values[SCOPE_TEAM] = SPAN_OF("a");
    assert_int_equal(call(&world, 0, 0, 0), 0);
    assert_int_equal(call(&world, 0, 0, 0), 0);
    world.subject.values[SCOPE_TAG] = SPAN_OF("x,y");
    assert_int_equal(call(&world, 0, 0, 0), 0);
    world.subject.values[SCOPE_TAG] = SPAN_OF("z,y"); /* z is not taken from for nothing */
    assert_int_equal(call(&world, 0, 0, 0), MINUTE);
    world.subject.values[SCOPE_TAG] = SPAN_OF("z");
    assert_int_equal(call(&world, 0, 0, 0), 0);
    world.subject.values[SCOPE_TAG] = span_make(NULL, 0);
    world.subject.values[SCOPE_TEAM] = SPAN_OF("b");
    assert_int_equal(call(&world, 0, 0, 0), 0);
    assert_int_equal(call(&world, 0, 0, 0), MINUTE);
    end(&world);
}

static void roster__says_nothing_where_no_rate_counts(void **state)
{
    const struct rate list[] = {rate_of("team:growth", RATE_REQUESTS, 1, MINUTE, 1),
                                rate_of("key", RATE_CONCURRENT, 1, 0, 0)};
    struct roster_pass *pass = NULL;
    struct world world;

    (void)state;
    begin(&world, list, 2);
    assert_int_equal(ask(&world, 0, 0, &pass), ROSTER_FREE);
    assert_null(pass);
    assert_int_equal(roster_seats(world.roster), 0);
    end(&world);
}

static void figures__are_of_the_tightest_and_of_nobody_else(void **state)
{
    const struct rate list[] = {rate_of("global", RATE_REQUESTS, 100, MINUTE, 2),
                                rate_of("key", RATE_REQUESTS, 60, MINUTE, 10),
                                rate_of("key", RATE_REQUESTS, 600, MINUTE, 600),
                                rate_of("route", RATE_TOKENS, 60, MINUTE, 60)};
    struct roster_pass *pass = NULL;
    struct rate_figures figures;
    struct world world;

    (void)state;
    begin(&world, list, 4);
    world.subject.values[SCOPE_ROUTE] = SPAN_OF("r");
    assert_int_equal(ask(&world, 1, 0, &pass), ROSTER_PASSED);
    assert_true(roster_figures(pass, RATE_REQUESTS, 0, &figures)); /* nobody has a key */
    assert_int_equal(figures.limit, 100);
    assert_int_equal(figures.remaining, 1);
    assert_int_equal(figures.reset_ms, 600);
    assert_true(roster_figures(pass, RATE_TOKENS, 0, &figures));
    assert_int_equal(figures.remaining, 59);
    roster_leave(world.roster, pass, 0);
    world.subject.values[SCOPE_KEY] = SPAN_OF("ci");
    assert_int_equal(ask(&world, 1, 0, &pass), ROSTER_PASSED);
    assert_true(roster_figures(pass, RATE_REQUESTS, 250, &figures));
    assert_int_equal(figures.limit, 60);
    assert_int_equal(figures.remaining, 9);
    assert_int_equal(figures.reset_ms, 750);
    assert_false(roster_figures(pass, RATE_TOKENS, 0, &figures));
    roster_leave(world.roster, pass, 0);
    end(&world);
}

/* ---- ceilings ---- */

static void seats__go_as_early_as_what_they_count_is_free(void **state)
{
    const struct rate list[] = {rate_of("team", RATE_TOKENS, 1000, MINUTE, 1000)};
    struct roster_pass *pass = NULL;
    struct world world;

    (void)state;
    begin(&world, list, 1);
    assert_int_equal(call(&world, 1000, 10, 0), 0);
    world.subject.values[SCOPE_TEAM] = span_make(NULL, 0);
    assert_int_equal(ask(&world, 0, 599, &pass), ROSTER_FREE);
    assert_int_equal(ask(&world, 0, 599, &pass), ROSTER_FREE);
    assert_int_equal(roster_seats(world.roster), 1);
    assert_int_equal(ask(&world, 0, 600, &pass), ROSTER_FREE);
    assert_int_equal(ask(&world, 0, 600, &pass), ROSTER_FREE);
    assert_int_equal(roster_seats(world.roster), 0);
    end(&world);
}

static void seats__go_when_everything_is_free_again(void **state)
{
    const struct rate list[] = {rate_of("trace", RATE_REQUESTS, 1, MINUTE, 1),
                                rate_of("trace", RATE_CONCURRENT, 1, 0, 0)};
    struct roster_pass *kept = NULL;
    struct world world;
    char name[16];

    (void)state;
    begin(&world, list, 2);
    world.subject.values[SCOPE_TRACE] = SPAN_OF("kept");
    assert_int_equal(ask(&world, 0, 0, &kept), ROSTER_PASSED);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        world.subject.values[SCOPE_TRACE] = span_of(name);
        assert_int_equal(call(&world, 0, 0, 10), 0);
    }
    assert_true(roster_seats(world.roster) >= 1001); /* nothing of the rates was forgotten */
    for (int i = 0; i < 2000; i++) {
        world.subject.values[SCOPE_TRACE] = SPAN_OF("other");
        (void)call(&world, 0, 0, 10 + MINUTE);
    }
    assert_int_equal(roster_seats(world.roster), 4);
    world.subject.values[SCOPE_TRACE] = SPAN_OF("kept");
    assert_int_equal(call(&world, 0, 0, 10 + MINUTE), ROSTER_WAIT_CONCURRENT_MS);
    roster_leave(world.roster, kept, 10 + MINUTE);
    assert_int_equal(call(&world, 0, 0, 10 + MINUTE), 0);
    end(&world);
}

static void roster__is_full_at_its_ceiling_and_then_has_room_again(void **state)
{
    const struct rate list[] = {rate_of("trace", RATE_REQUESTS, 1, MINUTE, 1)};
    struct roster_pass *pass = NULL;
    struct world world;
    char name[16];

    (void)state;
    begin(&world, list, 1);
    world.subject.values[SCOPE_TRACE] = span_of(name);
    for (int i = 0; i < ROSTER_MAX; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        world.subject.values[SCOPE_TRACE].len = strlen(name);
        assert_int_equal(call(&world, 0, 0, 10), 0);
    }
    world.subject.values[SCOPE_TRACE] = SPAN_OF("one more");
    assert_int_equal(ask(&world, 0, 10, &pass), ROSTER_FULL);
    assert_null(pass);
    assert_int_equal(roster_seats(world.roster), ROSTER_MAX);
    assert_int_equal(call(&world, 0, 0, 10 + MINUTE), 0);
    end(&world);
}

static void claims__have_a_ceiling(void **state)
{
    struct rate list[RATES_MAX];
    struct roster_pass *pass = NULL;
    struct world world;

    (void)state;
    for (size_t i = 0; i < RATES_MAX; i++) {
        list[i] = rate_of("tag", RATE_CONCURRENT, 1, 0, 0);
    }
    begin(&world, list, RATES_MAX);
    world.subject.values[SCOPE_TAG] = SPAN_OF("a,b,c");
    assert_int_equal(ask(&world, 0, 0, &pass), ROSTER_FULL);
    assert_null(pass);
    world.subject.values[SCOPE_TAG] = SPAN_OF("a,b");
    assert_int_equal(ask(&world, 0, 0, &pass), ROSTER_PASSED);
    roster_leave(world.roster, pass, 0);
    end(&world);
}

static void memory__that_is_not_there_refuses_and_leaves_nothing(void **state)
{
    const struct rate list[] = {rate_of("team", RATE_REQUESTS, 1, MINUTE, 1),
                                rate_of("tag", RATE_CONCURRENT, 1, 0, 0)};
    struct roster_pass *pass = NULL;
    struct world world;
    int refused = 0;

    (void)state;
    begin(&world, list, 2);
    world.subject.values[SCOPE_TAG] = SPAN_OF("a,b");
    for (uint64_t n = 1; pass == NULL; n++) {
        enum roster_verdict verdict;

        mem_fail_at(n);
        verdict = ask(&world, 0, 0, &pass);
        mem_fail_at(0);
        refused += verdict == ROSTER_FULL;
        assert_true(verdict == ROSTER_PASSED || pass == NULL);
    }
    assert_true(refused >= 4); /* two kinds of it, at least, and three seats */
    roster_leave(world.roster, pass, 0);
    mem_fail_at(1);
    assert_null(roster_new(seed));
    mem_fail_at(0);
    end(&world);
}

/* ---- against a model ---- */

enum { SEEDS = 300, EVENTS = 400, TEAMS = 3, OPEN_MAX = 12, MODEL_RATES = 5 };

/* Counts parts of a unit of which a millisecond gives back `limit`: no fractions either, but other
 * numbers than those under test. */
struct model_seat {
    uint64_t taken;
    mono_ms at;
    uint64_t inside;
};

struct model_rate {
    uint64_t period;
    uint64_t burst;
    struct model_seat seats[TEAMS];
};

struct open_call {
    struct roster_pass *pass;
    size_t team;
    uint64_t charged;
    uint64_t used;
};

static void drain(struct model_seat *seat, uint64_t limit, mono_ms now)
{
    uint64_t back = limit * (now - seat->at);

    seat->taken = seat->taken > back ? seat->taken - back : 0;
    seat->at = now;
}

static uint64_t model_wait(const struct world *world, struct model_rate *models, size_t i,
                           size_t team, uint64_t tokens, mono_ms now)
{
    const struct rate *rate = &world->list[i];
    struct model_rate *model = &models[i];
    struct model_seat *seat = &model->seats[rate->scope.kind == SCOPE_GLOBAL ? 0 : team];
    uint64_t cost = rate->unit == RATE_REQUESTS ? 1 : tokens < model->burst ? tokens : model->burst;

    if (rate->unit == RATE_CONCURRENT) {
        return seat->inside < rate->limit ? 0 : 1000;
    }
    drain(seat, rate->limit, now);
    if (seat->taken + cost * model->period <= model->burst * model->period) {
        return 0;
    }
    return (seat->taken + cost * model->period - model->burst * model->period + rate->limit - 1) /
           rate->limit;
}

static void model_move(const struct world *world, struct model_rate *models, size_t team,
                       const struct open_call *over, uint64_t tokens, mono_ms now)
{
    for (size_t i = 0; i < world->rates.count; i++) {
        const struct rate *rate = &world->list[i];
        struct model_seat *seat = &models[i].seats[rate->scope.kind == SCOPE_GLOBAL ? 0 : team];
        uint64_t more = rate->unit == RATE_REQUESTS ? 1 : tokens;
        uint64_t less = 0;

        seat->inside += over == NULL ? 1 : 0;
        seat->inside -= over == NULL ? 0 : 1;
        if (over != NULL) {
            bool is_more = over->used > over->charged;

            if (rate->unit != RATE_TOKENS) {
                continue;
            }
            more = is_more ? over->used - over->charged : 0;
            less = is_more ? 0 : over->charged - over->used;
        }
        if (rate->unit != RATE_CONCURRENT) {
            drain(seat, rate->limit, now);
            seat->taken += more * models[i].period;
            less *= models[i].period;
            seat->taken -= less < seat->taken ? less : seat->taken;
        }
    }
}

static void play(uint64_t number)
{
    static const uint64_t periods[] = {1000, MINUTE, 3600000};
    static const char *const scopes[] = {"team", "global"};
    static const char *const teams[TEAMS] = {"a", "b", "c"};
    struct rate list[MODEL_RATES];
    struct model_rate models[MODEL_RATES];
    struct open_call open[OPEN_MAX] = {{NULL, 0, 0, 0}};
    struct world world;
    struct rng rng;
    mono_ms now = number * 31;
    uint64_t step = 0;

    rng_init(&rng, number, 1);
    memset(models, 0, sizeof models);
    for (size_t i = 0; i < MODEL_RATES; i++) {
        enum rate_unit unit = (enum rate_unit)rng_below(&rng, RATE_UNITS);
        uint64_t limit = 1 + rng_below(&rng, unit == RATE_TOKENS ? 100000 : 8);

        models[i].period = periods[rng_below(&rng, ARRAY_LENGTH(periods))];
        models[i].burst = 1 + rng_below(&rng, limit);
        list[i] = rate_of(scopes[rng_below(&rng, 2)], unit, limit, models[i].period,
                          models[i].burst);
        step += models[i].period / limit / 4;
    }
    begin(&world, list, MODEL_RATES);
    for (int event = 0; event < EVENTS; event++) {
        struct open_call *at = &open[rng_below(&rng, OPEN_MAX)];
        uint64_t wait = 0;

        now += rng_below(&rng, 3) == 0 ? 0 : rng_below(&rng, step + 2);
        if (at->pass != NULL) {
            uint64_t used = rng_below(&rng, 3000);

            at->used += used;
            roster_used(at->pass, used);
            if (rng_below(&rng, 2) == 0) {
                model_move(&world, models, at->team, at, 0, now);
                roster_leave(world.roster, at->pass, now);
                at->pass = NULL;
            }
            continue;
        }
        *at = (struct open_call){.team = (size_t)rng_below(&rng, TEAMS),
                                 .charged = rng_below(&rng, 4000)};
        world.subject.values[SCOPE_TEAM] = span_of(teams[at->team]);
        for (size_t i = 0; i < MODEL_RATES; i++) {
            uint64_t one = model_wait(&world, models, i, at->team, at->charged, now);

            wait = one > wait ? one : wait;
        }
        (void)ask(&world, at->charged, now, &at->pass);
        if (roster_wait_ms(at->pass) != wait) {
            fail_msg("seed %u, event %d: %llu instead of %llu", (unsigned)number, event,
                     (unsigned long long)roster_wait_ms(at->pass), (unsigned long long)wait);
        }
        if (wait == 0) {
            model_move(&world, models, at->team, NULL, at->charged, now);
        } else {
            roster_leave(world.roster, at->pass, now);
            at->pass = NULL;
        }
    }
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (open[i].pass != NULL) {
            roster_leave(world.roster, open[i].pass, now);
        }
    }
    for (int i = 0; i < 100; i++) { /* whatever it was: in the end nothing is left of it */
        world.rates.count = 0;
        (void)ask(&world, 0, now + UINT64_C(864000000000), &open[0].pass);
    }
    assert_int_equal(roster_seats(world.roster), 0);
    end(&world);
}

static void roster__answers_as_its_model_whatever_comes(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < SEEDS; number++) {
        play(number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roster__lets_in_a_burst_and_then_one_at_a_time),
        cmocka_unit_test(roster__takes_from_all_or_from_none),
        cmocka_unit_test(roster__a_look_takes_nothing),
        cmocka_unit_test(roster__shows_what_is_left_and_makes_no_seats),
        cmocka_unit_test(roster__tells_the_longest_wait),
        cmocka_unit_test(roster__corrects_the_estimate_of_tokens),
        cmocka_unit_test(roster__adds_up_the_attempts_of_a_call),
        cmocka_unit_test(roster__believes_no_figure_beyond_its_ceiling),
        cmocka_unit_test(roster__counts_whoever_the_scope_says_apart),
        cmocka_unit_test(roster__says_nothing_where_no_rate_counts),
        cmocka_unit_test(figures__are_of_the_tightest_and_of_nobody_else),
        cmocka_unit_test(seats__go_as_early_as_what_they_count_is_free),
        cmocka_unit_test(seats__go_when_everything_is_free_again),
        cmocka_unit_test(roster__is_full_at_its_ceiling_and_then_has_room_again),
        cmocka_unit_test(claims__have_a_ceiling),
        cmocka_unit_test(memory__that_is_not_there_refuses_and_leaves_nothing),
        cmocka_unit_test(roster__answers_as_its_model_whatever_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
