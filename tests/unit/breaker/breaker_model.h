/* SPDX-License-Identifier: Apache-2.0 */
/* A naive breaker and a random world around it. The model remembers every event and every attempt,
 * recounts from the start each time, and is written from resilience.md, 7, not from breaker.c. It
 * reads one thing from the breaker, how long chance made a stay, and checks its bounds. B1..B8 are
 * those of 7.7: B1 to B4 and B6 at every event, B5 at the end of a world, B7 by the recount. */
#ifndef TESTS_UNIT_BREAKER_BREAKER_MODEL_H
#define TESTS_UNIT_BREAKER_BREAKER_MODEL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "breaker/breaker.h"

/* Enough for the events of one world. */
enum { MODEL_MOST = 1000 };

struct model_event {
    mono_ms at;
    enum signal signal;
};

/* An attempt, as the world remembers it. */
struct model_attempt {
    struct pass pass;
    uint32_t stay;    /* of a probe: in which half-open stay it was let out */
    mono_ms lease_until;
    bool has_slot;    /* a probe that has neither reported nor been given back */
    bool is_over;
};

struct model {
    struct breaker breaker; /* under test */
    struct trip_rule rule;
    struct rng rng;         /* of the world */
    struct rng chance;      /* of the breaker */
    uint64_t seed;
    mono_ms now;

    enum breaker_state state;
    uint32_t trips;
    uint32_t stay;          /* counts the half-open stays */
    uint32_t good;
    mono_ms reopen_at;
    mono_ms closed_at;
    bool has_probed;
    mono_ms probed_at;
    struct model_event events[MODEL_MOST]; /* counted ones since the last closing */
    size_t events_count;
    struct model_event row[MODEL_MOST];    /* counted ones since the last reset */
    size_t row_count;
    struct model_attempt attempts[MODEL_MOST];
    size_t attempts_count;
    size_t latest;          /* the probe let out last; attempts_count when none */
};

static void model_expect(const struct model *model, bool claim, const char *what)
{
    if (!claim) {
        fail_msg("SEED=%llu at %llu ms: %s", (unsigned long long)model->seed,
                 (unsigned long long)model->now, what);
    }
}

/* ---- what the world knows ---- */

static bool model_is_bad(enum signal signal)
{
    return signal == SIGNAL_FAILURE || signal == SIGNAL_CONNECT;
}

static struct tally_counts model_recount(const struct model *model)
{
    uint64_t bucket_ms = model->rule.window_ms / 10;
    struct tally_counts sum = {0};

    for (size_t i = 0; i < model->events_count; i++) {
        const struct model_event *event = &model->events[i];
        if (model->now / bucket_ms - event->at / bucket_ms >= 10) {
            continue;
        }
        sum.failures += model_is_bad(event->signal);
        sum.successes += !model_is_bad(event->signal);
        sum.slow += event->signal == SIGNAL_SLOW;
    }
    return sum;
}

static uint32_t model_row_of(const struct model *model, bool connects_only)
{
    uint32_t length = 0;

    for (size_t i = model->row_count; i > 0; i--) {
        enum signal signal = model->row[i - 1].signal;
        if (!(signal == SIGNAL_CONNECT || (!connects_only && signal == SIGNAL_FAILURE))) {
            break;
        }
        length++;
    }
    return length;
}

static size_t model_slots_taken(const struct model *model)
{
    size_t taken = 0;

    for (size_t i = 0; i < model->attempts_count; i++) {
        const struct model_attempt *attempt = &model->attempts[i];
        taken += attempt->has_slot && attempt->stay == model->stay &&
                 attempt->lease_until > model->now;
    }
    return taken;
}

static enum admission model_ask(const struct model *model)
{
    bool is_gap = model->has_probed && model->now - model->probed_at < 1000;

    if (model->state == BREAKER_CLOSED) {
        return ADMISSION_YES;
    }
    if (model->state == BREAKER_OPEN) {
        return model->now >= model->reopen_at ? ADMISSION_PROBE : ADMISSION_NO;
    }
    return is_gap || model_slots_taken(model) > 0 ? ADMISSION_NO : ADMISSION_PROBE;
}

static bool model_trips(const struct model *model)
{
    struct tally_counts sum = model_recount(model);
    uint64_t all = sum.successes + sum.failures;

    return model_row_of(model, false) >= model->rule.failures || model_row_of(model, true) >= 3 ||
           (all >= 10 && sum.failures * UINT64_C(100) >= all * model->rule.ratio_percent) ||
           (all >= 10 && sum.slow * UINT64_C(10) >= all * 8);
}

/* ---- the moves of the model ---- */

static void model_half_open(struct model *model, uint32_t good)
{
    model->state = BREAKER_HALF_OPEN;
    model->stay++;
    model->good = good;
    model->latest = MODEL_MOST;
}

static void model_open(struct model *model, uint32_t hint_ms)
{
    uint64_t minutes = (model->now - model->closed_at) / 60000;
    uint64_t base = model->rule.open_ms;
    uint64_t least = 0;
    uint64_t most = 0;
    uint64_t stay_ms = model->breaker.reopen_at - model->now;

    if (model->state == BREAKER_CLOSED) {
        model->trips = minutes < model->trips ? model->trips - (uint32_t)minutes : 0;
    }
    model->trips++;
    for (uint32_t i = 1; i < model->trips && base < 120000; i++) {
        base *= 2;
    }
    base = base < 120000 ? base : 120000;
    least = base * 8 / 10;
    most = base * 12 / 10;
    if (hint_ms > 300000) {
        hint_ms = 300000;
    }
    least = hint_ms > least ? hint_ms : least;
    most = hint_ms > most ? hint_ms : most;
    if (model->has_probed && model->probed_at + 1000 > model->now + most) {
        most = model->probed_at + 1000 - model->now; /* the gap to the next probe */
    }
    model_expect(model, model->breaker.reopen_at >= model->now, "it reopened before it opened");
    model_expect(model, stay_ms >= least && stay_ms <= most, "the length of the stay");
    model_expect(model, !model->has_probed || model->breaker.reopen_at >= model->probed_at + 1000,
                 "the stay is over before the gap");
    model_expect(model, model->breaker.trips == model->trips, "the trips");
    model->state = BREAKER_OPEN;
    model->reopen_at = model->breaker.reopen_at;
}

static void model_close(struct model *model)
{
    model->state = BREAKER_CLOSED;
    model->closed_at = model->now;
    model->events_count = 0;
}

static bool model_counts(const struct model *model, size_t which, enum signal signal)
{
    const struct model_attempt *attempt = &model->attempts[which];

    if (model->state == BREAKER_CLOSED) {
        return true;
    }
    if (model->state == BREAKER_OPEN) {
        return attempt->pass.how == ADMISSION_PANIC;
    }
    if (which != model->latest || attempt->stay != model->stay) {
        return false;
    }
    return model_is_bad(signal) || (attempt->has_slot && attempt->lease_until > model->now);
}

static enum breaker_change model_step(struct model *model, enum signal signal, uint32_t hint_ms)
{
    if (model->state == BREAKER_OPEN) {
        if (!model_is_bad(signal)) {
            model_half_open(model, 1);
            return BREAKER_HALF_OPENED;
        }
        hint_ms = hint_ms < 300000 ? hint_ms : 300000;
        if (hint_ms > 0 && model->now + hint_ms > model->reopen_at) {
            model->reopen_at = model->now + hint_ms;
        }
        return BREAKER_STAYS;
    }
    if (model->state == BREAKER_HALF_OPEN && !model_is_bad(signal)) {
        model->good++;
        if (model->good < 2) {
            return BREAKER_STAYS;
        }
        model_close(model);
        model_expect(model, model->breaker.closed_at == model->now, "when it closed");
        return BREAKER_CLOSES;
    }
    if (model->state == BREAKER_CLOSED && !model_trips(model)) {
        return BREAKER_STAYS;
    }
    model_open(model, hint_ms);
    return BREAKER_OPENED;
}

/* ---- what happens in the world ---- */

static void model_enter(struct model *model, enum admission how, uint32_t lease_ms)
{
    struct model_attempt *attempt = &model->attempts[model->attempts_count];
    enum breaker_change change = BREAKER_CLOSES;
    bool was_open = model->state == BREAKER_OPEN;

    attempt->pass = breaker_enter(&model->breaker, how, lease_ms, model->now, &change);
    model_expect(model, attempt->pass.how == how, "how it entered");
    if (how == ADMISSION_PROBE) {
        if (was_open) {
            model_half_open(model, 0);
        }
        model_expect(model, model_slots_taken(model) == 0, "B2: two probes at once");
        model_expect(model, !model->has_probed || model->now - model->probed_at >= 1000,
                     "two probes in one second");
        attempt->has_slot = true;
        attempt->stay = model->stay;
        attempt->lease_until = model->now + lease_ms;
        model->latest = model->attempts_count;
        model->has_probed = true;
        model->probed_at = model->now;
    }
    model_expect(model,
                 change == (how == ADMISSION_PROBE && was_open ? BREAKER_HALF_OPENED
                                                               : BREAKER_STAYS),
                 "the change at entering");
    model->attempts_count++;
}

static void model_report(struct model *model, size_t which, enum signal signal, uint32_t hint_ms)
{
    struct model_attempt *attempt = &model->attempts[which];
    enum breaker_change wanted = BREAKER_STAYS;
    enum breaker_change change = BREAKER_STAYS;
    struct breaker before;

    memcpy(&before, &model->breaker, sizeof before);
    change = breaker_report(&model->breaker, &model->rule, attempt->pass, signal, hint_ms,
                            model->now, &model->chance);
    if (signal == SIGNAL_NEUTRAL) {
        before.lease_until = model->breaker.lease_until;
        model_expect(model, memcmp(&before, &model->breaker, sizeof before) == 0,
                     "B6: a neutral end changed something");
    } else if (model_counts(model, which, signal)) {
        struct model_event event = {.at = model->now, .signal = signal};
        model->events[model->events_count++] = event;
        model->row[model->row_count++] = event;
        wanted = model_step(model, signal, hint_ms);
    } else {
        model_expect(model, memcmp(&before, &model->breaker, sizeof before) == 0,
                     "a report that does not count changed something");
    }
    attempt->has_slot = false;
    model_expect(model, change == wanted, "the change told by the report");
}

static void model_reset(struct model *model)
{
    breaker_reset(&model->breaker, &model->rule);
    model_close(model);
    model->trips = 0;
    model->row_count = 0;
    model->has_probed = false;
    model->stay++; /* no earlier probe belongs to a later stay */
}

static void model_invite(struct model *model)
{
    enum breaker_change change = breaker_invite(&model->breaker, model->now);

    model_expect(model,
                 change == (model->state == BREAKER_OPEN ? BREAKER_HALF_OPENED : BREAKER_STAYS),
                 "the change by an invitation");
    if (model->state == BREAKER_OPEN) {
        model_half_open(model, 0);
    }
}

static void model_owner(struct model *model)
{
    bool is_closed = model->state == BREAKER_CLOSED;
    enum breaker_change change =
        breaker_open(&model->breaker, &model->rule, model->now, &model->chance);

    model_expect(model, change == (is_closed ? BREAKER_OPENED : BREAKER_STAYS),
                 "the change by the owner's word");
    if (is_closed) {
        model_open(model, 0);
    }
}

static void model_check(const struct model *model)
{
    const struct breaker *breaker = &model->breaker;
    struct tally_counts is = tally_sum(&breaker->tally, model->now);
    struct tally_counts wanted = model_recount(model);

    model_expect(model, breaker->state == model->state, "B1: the state");
    model_expect(model, breaker_ask(breaker, model->now) == model_ask(model),
                 "B2, B3: what it answers");
    model_expect(model, model_slots_taken(model) <= 1, "B2: two probes at once");
    model_expect(model,
                 model->state != BREAKER_OPEN || (breaker->reopen_at == model->reopen_at &&
                                                  breaker->reopen_at <= model->now + 300000),
                 "B4: when it reopens");
    model_expect(model, model->state == BREAKER_OPEN || breaker->reopen_at <= model->now,
                 "it reopens although it is not open");
    model_expect(model, memcmp(&is, &wanted, sizeof is) == 0, "B7: the window");
    model_expect(model, breaker->failures_in_row == model_row_of(model, false), "the row");
    model_expect(model, breaker->connects_in_row == model_row_of(model, true),
                 "the row of connects");
}

/* B5: with only successes offered it closes within its time and three probes, and stays closed. */
static void model_heal(struct model *model)
{
    mono_ms last = model->now + 300000 + 3 * 1000;
    unsigned probes = 0;

    while (breaker_ask(&model->breaker, model->now) != ADMISSION_YES) {
        model_expect(model, model->now <= last, "B5: it does not close in time");
        if (breaker_ask(&model->breaker, model->now) == ADMISSION_PROBE) {
            probes++;
            model_enter(model, ADMISSION_PROBE, 100);
            model_report(model, model->attempts_count - 1, SIGNAL_SUCCESS, 0);
            model_check(model);
        }
        model->now += 50;
    }
    model_expect(model, probes <= 3, "B5: it takes too many probes");
}

/* ---- one world ---- */

static void model_init(struct model *model, uint64_t seed)
{
    static const uint32_t windows[] = {10, 1000, 30000, 30000, 120000};

    memset(model, 0, sizeof *model);
    model->seed = seed;
    model->latest = MODEL_MOST;
    rng_init(&model->rng, seed, 0);
    rng_init(&model->chance, seed, 1);
    model->rule = (struct trip_rule){
        .failures = 1 + (uint32_t)rng_below(&model->rng, 8),
        .ratio_percent = 20 + (uint32_t)rng_below(&model->rng, 81),
        .window_ms = windows[rng_below(&model->rng, 5)],
        .open_ms = (uint32_t)rng_below(&model->rng, UINT64_C(1) << rng_below(&model->rng, 18)),
    };
    breaker_init(&model->breaker, &model->rule);
}

/* Mostly an attempt of late; sometimes one that everybody has forgotten. */
static size_t model_pick(struct model *model)
{
    uint64_t back = rng_below(&model->rng, rng_below(&model->rng, 8) == 0 ? 60 : 4);

    return back < model->attempts_count ? model->attempts_count - 1 - (size_t)back : 0;
}

static enum signal model_signal(struct model *model, uint64_t health)
{
    static const enum signal bad[] = {SIGNAL_FAILURE, SIGNAL_FAILURE, SIGNAL_CONNECT};
    static const enum signal good[] = {SIGNAL_SUCCESS, SIGNAL_SUCCESS, SIGNAL_SLOW};

    if (rng_below(&model->rng, 8) == 0) {
        return SIGNAL_NEUTRAL;
    }
    return rng_below(&model->rng, 100) < health ? good[rng_below(&model->rng, 3)]
                                                : bad[rng_below(&model->rng, 3)];
}

static void model_event(struct model *model, uint64_t health)
{
    uint64_t what = rng_below(&model->rng, 100);
    enum admission how = model_ask(model);
    uint32_t hint_ms = 0;

    if (what < 40 || model->attempts_count == 0) {
        how = rng_below(&model->rng, 12) == 0 ? ADMISSION_PANIC : how;
        if (how != ADMISSION_NO) {
            model_enter(model, how, (uint32_t)rng_below(&model->rng, 6000));
        }
    } else if (what < 92) {
        if (rng_below(&model->rng, 20) == 0) {
            hint_ms = (uint32_t)rng_below(&model->rng, 600000);
        }
        model_report(model, model_pick(model), model_signal(model, health), hint_ms);
    } else if (what < 97) {
        size_t which = model_pick(model);
        breaker_forgo(&model->breaker, model->attempts[which].pass);
        model->attempts[which].has_slot = false;
    } else if (what < 99) {
        model_invite(model);
    } else if (rng_below(&model->rng, 4) == 0) {
        model_reset(model);
    } else if (rng_below(&model->rng, 4) == 0) {
        model_owner(model);
    }
}

/* Times of 0 and long waits both occur; when it is open, often just what is needed passes. */
static void model_wait(struct model *model)
{
    uint64_t kind = rng_below(&model->rng, 40);

    if (kind == 0) {
        model->now += rng_below(&model->rng, 200000);
    } else if (kind < 4 && model->state == BREAKER_OPEN) {
        model->now += mono_until(model->now, model->reopen_at);
    } else if (kind < 20) {
        model->now += rng_below(&model->rng, 1200);
    }
}

static void model_world(uint64_t seed, size_t events)
{
    static struct model model;
    uint64_t health = 0;

    model_init(&model, seed);
    for (size_t i = 0; i < events; i++) {
        if (i % 50 == 0) {
            health = rng_below(&model.rng, 101);
        }
        model_wait(&model);
        model_check(&model);
        model_event(&model, health);
        model_check(&model);
    }
    model_heal(&model);
}

#endif
