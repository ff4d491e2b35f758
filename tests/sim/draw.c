/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/draw.h"

#include <inttypes.h>
#include <stdio.h>

#include "wire/hint.h"

enum { CALLS_MOST = 24, SILENT_FROM_MS = 4000, CROWD = 50 };

static struct rng *chance;

static uint32_t below(uint32_t n)
{
    return (uint32_t)rng_below(chance, n);
}

static bool one_in(uint32_t n)
{
    return below(n) == 0;
}

/* Mostly short, sometimes long: times of all sizes, zero too. */
static uint32_t some_ms(uint32_t most)
{
    return one_in(8) ? 0 : below(1 + (one_in(4) ? most : most / 20 + 1));
}

/* ---- targets ---- */

static enum outcome some_failure(void)
{
    for (;;) {
        enum outcome outcome = (enum outcome)(OUTCOME_DNS + below(OUTCOME_STREAM_ERROR));

        /* These are told by our own clock: a target that hangs is what brings them. */
        if (outcome <= OUTCOME_STREAM_ERROR && outcome != OUTCOME_HEAD_TIMEOUT &&
            outcome != OUTCOME_FIRST_CONTENT_TIMEOUT && outcome != OUTCOME_IDLE &&
            outcome != OUTCOME_SILENT) {
            return outcome;
        }
    }
}

static void some_times(struct manner *manner)
{
    manner->connect_ms = some_ms(3000);
    manner->head_ms = some_ms(8000);
    manner->content_ms = some_ms(8000);
    manner->gap_ms = some_ms(2000);
    manner->pieces = (uint8_t)below(6);
}

static int64_t some_hint(void)
{
    switch (below(4)) {
    case 0: return HINT_NONE;
    case 1: return 1 + (int64_t)below(1500);
    case 2: return 1 + (int64_t)below(20000);
    default: return 1 + (int64_t)below(400000);
    }
}

static struct manner some_manner(void)
{
    struct manner manner = manner_of(one_in(5) ? OUTCOME_OK : some_failure());

    if (one_in(3)) {
        some_times(&manner);
    }
    if (manner.outcome != OUTCOME_OK && manner.outcome != OUTCOME_LOCAL && one_in(6)) {
        manner.stage = (enum stage)below(STAGE_STREAM + 1);
    }
    if (one_in(6)) { /* a connection that never stands is ended by the shell's own clock */
        manner.hangs = true;
        manner.stage = (enum stage)(STAGE_HEAD + below(3));
    }
    manner.never_ends = one_in(12);
    manner.floods = one_in(10);
    if (manner.stage >= STAGE_BODY) { /* a head and a body tell more */
        manner.hint_ms = one_in(3) ? some_hint() : HINT_NONE;
        manner.should_retry = one_in(6) ? (int8_t)below(2) : (int8_t)-1;
        manner.quota_ms = manner.outcome == OUTCOME_QUOTA && one_in(2) ? 1 + below(600000) : 0;
    }
    return manner;
}

/* Targets of other dialects, at which some calls cannot be told. Without a draw: the other worlds stay the same. */
static void some_untold(struct world *world, size_t targets, uint64_t number)
{
    for (size_t i = 0; i < targets; i++) {
        world->scripts[i].untold_percent = (uint8_t)(number * (2 * i + 1) % 5 * 25);
    }
}

static void some_spells(struct script *script, uint32_t span_ms)
{
    uint32_t spells = below(4);

    for (uint32_t i = 0; i < spells; i++) {
        struct manner manner = some_manner();
        mono_ms from = one_in(2) ? 0 : below(span_ms);
        mono_ms until = one_in(3) ? MONO_NEVER : from + 1 + below(span_ms);
        struct spell *spell = script_add(script, from, until, &manner);

        spell->percent = one_in(2) ? 100 : 1 + below(100);
        if (one_in(4)) {
            spell->period_ms = 1 + below(20000);
            spell->on_ms = spell->period_ms / 2;
        }
    }
}

static void some_script(struct script *script, uint32_t span_ms)
{
    script_init(script);
    if (one_in(4)) {
        some_times(&script->usual);
    }
    script->reuse_percent = one_in(2) ? (uint8_t)below(101) : 0;
    some_spells(script, span_ms);
    if (one_in(6)) {
        script->quota = (struct quota){.count = 1 + below(5),
                                       .window_ms = 1000 + below(30000),
                                       .offset_ms = below(30000),
                                       .tells_hint = one_in(2),
                                       .tells_left = one_in(3)};
    }
}

/* Some share an endpoint, some a credential too, with another model. */
static void some_neighbours(struct house *house, size_t targets)
{
    for (size_t i = 1; i < targets; i++) {
        size_t with = below((uint32_t)i);

        if (one_in(4)) {
            house->providers[i].endpoint.index = house->providers[with].endpoint.index;
        } else if (one_in(5)) {
            house->targets[i].provider = house->targets[with].provider;
            house->targets[i].model = one_in(3) ? SPAN_OF("m") : SPAN_OF("other");
        }
    }
}

/* ---- the route ---- */

static void some_timeouts(struct timeouts *timeouts)
{
    if (one_in(3)) {
        return;
    }
    timeouts->head_ms = 500 + below(10000);
    timeouts->first_content_ms = 500 + below(10000);
    timeouts->idle_ms = 500 + below(5000);
    timeouts->content_idle_ms = 500 + below(10000);
    timeouts->total_ms = 1000 + below(60000);
    timeouts->stream_total_ms = 1000 + below(120000);
    timeouts->early_head_ms = one_in(2) ? 0 : 100 + below(5000);
}

static const struct strategy *some_strategy(void)
{
    size_t count = 0;

    while (strategy_at(count) != NULL) {
        count++;
    }
    return strategy_at(below((uint32_t)count));
}

static void some_route(struct route *route, uint64_t seed)
{
    route->strategy = some_strategy();
    route->retry.attempts = 1 + below(5);
    route->retry.attempts_per_target = 1 + below(3);
    route->retry.ambiguous = (enum ambiguous_rule)below(3);
    route->retry.jitter = (enum jitter)below(2);
    route->retry.wait_ms = one_in(2) ? 0 : below(5000);
    route->commit.mode = one_in(2) ? COMMIT_FIRST_CONTENT : (enum commit_mode)below(4);
    route->commit.value = route->commit.mode == COMMIT_AFTER ? below(3000) : 1 + below(4);
    route->panics = seed % 4 == 0;
    route->hedge_after_ms = one_in(4) ? 1 + below(3000) : 0;
    some_timeouts(&route->timeouts);
}

static void some_targets(struct world *world, size_t targets, uint32_t span_ms)
{
    struct house *house = &world->house;

    for (size_t i = 0; i < targets; i++) {
        house->targets[i].tier = 1 + (one_in(4) ? below(3) : 0);
        house->targets[i].weight = 1 + below(5);
        house->targets[i].context = one_in(2) ? 0 : 1000 * (1 + below(4));
        house->targets[i].is_enabled = !one_in(20);
        house->providers[i].breaker.open_ms = one_in(3) ? 5000 : 500 + below(20000);
        house->providers[i].breaker.failures = 1 + below(6);
        house->providers[i].drains = one_in(3);
        some_script(&world->scripts[i], span_ms);
    }
    some_neighbours(house, targets);
}

/* A sick target that also asks for time, and a slow ledger: what was decided in panic is old by the
 * time it is done. */
static void rough_weather(struct world *world)
{
    struct manner throttled = manner_of(OUTCOME_THROTTLED);
    struct manner broken = manner_of(some_failure());
    struct script *script = &world->scripts[0];

    script_init(script);
    throttled.hint_ms = 1 + below(5000);
    script_add(script, 0, MONO_NEVER, &throttled)->percent = 20;
    script_add(script, 0, MONO_NEVER, &broken)->percent = 70;
    world->house.route.panics = true;
    world->ledger.late_percent = 100;
    world->ledger.late_ms = 3000;
}

/* Hedges whose money comes when the first attempt has ended the matter: what is wrong everywhere,
 * or was broken off, and yet goes on. */
static void late_hedges(struct world *world)
{
    struct manner final = manner_of(OUTCOME_REQUEST);
    struct manner slow = manner_of(OUTCOME_OK);

    slow.head_ms = 400;
    final.head_ms = 200;
    final.should_retry = 1;
    script_init(&world->scripts[0]);
    script_add(&world->scripts[0], 250, MONO_NEVER, &final)->percent = 50;
    script_add(&world->scripts[0], 250, MONO_NEVER, &slow);
    world->house.route.strategy = &strategy_priority;
    world->house.route.hedge_after_ms = 1 + below(150);
    world->ledger.late_percent = 50;
    world->ledger.late_ms = 500;
}

/* A target that is known for answering says nothing any more, for a while or for good; to nobody,
 * or to nearly nobody. Or it only takes its time. */
static void fallen_silent(struct world *world)
{
    struct manner silent = manner_of(OUTCOME_OK);
    uint32_t silence_ms = 100 + below(3000);
    mono_ms until = one_in(2) ? MONO_NEVER : SILENT_FROM_MS + below(20000);
    struct script *script = &world->scripts[0];

    silent.hangs = !one_in(3);
    silent.head_ms = silence_ms + below(5000);
    silent.stage = one_in(2) ? STAGE_HEAD : STAGE_BODY;
    script_init(script);
    script_add(script, SILENT_FROM_MS, until, &silent)->percent = one_in(3) ? 90 : 100;
    world->house.route.strategy = &strategy_priority;
    world->house.providers[0].breaker.silence_ms = silence_ms;
}

/* ---- apps ---- */

/* To the next full step, where the ledger takes such steps too. */
static uint32_t rounded(const struct world *world, uint32_t ms)
{
    uint32_t step = world->ledger.step_ms;

    return step == 0 ? ms : (ms / step + 1) * step;
}

static void some_calls(struct world *world, uint32_t span_ms)
{
    static const struct span sessions[] = {SPAN("anna"), SPAN("bert"), SPAN("")};
    uint32_t calls = 1 + below(CALLS_MOST);
    bool is_rush = one_in(3);

    for (uint32_t i = 0; i < calls; i++) {
        struct ask ask = {.at = below(is_rush ? 50 : span_ms), .tag = i};

        ask.is_stream = one_in(2);
        ask.is_short = one_in(3);
        ask.no_failover = one_in(12);
        ask.runs_once = one_in(12);
        ask.patience_ms = one_in(3) ? rounded(world, 100 + some_ms(30000)) : 0;
        ask.deadline_ms = one_in(3) ? rounded(world, 100 + some_ms(60000)) : 0;
        ask.leaves_ms = one_in(5) ? 1 + some_ms(20000) : 0;
        ask.session = sessions[below(3)];
        world_ask(world, &ask);
    }
}

/* Calls enough that one of twenty may be hedged. */
static void some_past(struct world *world)
{
    for (uint32_t i = 0; i < 20; i++) {
        struct ask ask = {.at = below(100)};

        world_ask(world, &ask);
    }
}

/* Many before it falls silent, and many after. */
static void some_crowd(struct world *world)
{
    for (uint32_t i = 0; i < 2 * CROWD; i++) {
        struct ask ask = {.at = i * (SILENT_FROM_MS / CROWD), .is_stream = one_in(2), .tag = i};

        world_ask(world, &ask);
    }
}

/* ---- telling ---- */

static void tell_step(void *to, const struct sight *sight, const struct event_in *event,
                      const struct actions *actions)
{
    static const char *const events[] = {"start", "held",     "denied",  "connected", "written",
                                         "head",  "content",  "ready",   "terminal",  "ended",
                                         "wake",  "app gone", "shutdown"};
    static const char *const names[] = {"hold",       "release",    "attempt", "abandon", "commit",
                                        "early head", "keep alive", "drain",   "finish",  "cut",
                                        "fail",       "settle",     "close"};

    (void)to;
    printf("%8" PRIu64 " call %" PRIu64 " %s", event->now, sight->serial, events[event->kind]);
    if (event->kind == EVENT_ENDED) {
        printf(" %u %s", event->attempt, outcome_word(event->outcome));
    }
    printf(" ->");
    for (uint8_t i = 0; i < actions->count; i++) {
        const struct action *action = &actions->list[i];

        printf(" %s(%u", names[action->kind], action->attempt);
        if (action->kind == ACTION_HOLD || action->kind == ACTION_ATTEMPT) {
            printf(" at %u", action->place);
        }
        printf("%s%s)", action->outcome == OUTCOME_OK ? "" : " ",
               action->outcome == OUTCOME_OK ? "" : outcome_word(action->outcome));
    }
    printf(actions->wake_at == MONO_NEVER ? "\n" : " wake %" PRIu64 "\n", actions->wake_at);
    fflush(stdout);
}

static void tell_notice(void *to, const struct notice *notice, mono_ms now)
{
    (void)to;
    printf("%8" PRIu64 " notice %s %.*s %s %s\n", now, notice_row(notice->kind)->event,
           (int)notice->provider.len, notice->provider.at, notice->scope,
           notice->new_state == NULL ? "" : notice->new_state);
}

static void tell_world(const struct world *world)
{
    const struct route *route = &world->house.route;

    printf("%.*s, %u attempts, hedge %u, panics %d, deadline %u\n", (int)route->strategy->name.len,
           route->strategy->name.at, route->retry.attempts, route->hedge_after_ms, route->panics,
           route->timeouts.total_ms);
    for (size_t i = 0; i < route->targets_count; i++) {
        const struct place_facts *of = &world->laws.of[i];
        const struct script *script = &world->scripts[i];

        printf("target %zu: endpoint %u credential %u deployment %u; trips after %u for %u ms;", i,
               of->endpoint, of->credential, of->deployment,
               route->targets[i].provider->breaker.failures,
               route->targets[i].provider->breaker.open_ms);
        for (uint8_t k = 0; k < script->spells_count; k++) {
            const struct spell *spell = &script->spells[k];

            printf(" %s%s %u%% from %" PRIu64 ";", outcome_word(spell->manner.outcome),
                   spell->manner.hangs ? " hangs" : "", spell->percent, spell->from);
        }
        printf("\n");
    }
}

/* ---- the world ---- */

void draw_world(struct world *world, uint64_t seed, bool is_verbose)
{
    struct rng rng;
    size_t targets = 0;
    uint32_t span_ms = 0;

    rng_init(&rng, seed, 10);
    chance = &rng;
    targets = 1 + below(one_in(4) ? HOUSE_TARGETS_MAX : 3);
    span_ms = one_in(3) ? 3000 : one_in(2) ? 60000 : 600000;
    world_init(world, targets, seed);
    if (seed % 10 != 9) {
        some_route(&world->house.route, seed);
        some_targets(world, targets, span_ms);
        world->ledger.deny_percent = one_in(5) ? (uint8_t)below(30) : 0;
        world->ledger.late_percent = one_in(2) ? (uint8_t)below(101) : 0;
        world->ledger.late_ms = some_ms(3000);
        world->ledger.step_ms = one_in(4) ? 100 : 0;
        if (seed % 7 == 5) {
            some_untold(world, targets, seed / 7);
        }
        if (seed % 16 == 8) {
            rough_weather(world);
        } else if (seed % 16 == 13) {
            late_hedges(world);
        } else if (seed % 16 == 3) {
            fallen_silent(world);
        }
    }
    if (is_verbose) {
        world->watch.on_step = tell_step;
        world->watch.on_notice = tell_notice;
    }
    world_open(world);
    if (is_verbose) {
        tell_world(world);
    }
    if (world->house.route.hedge_after_ms != 0) {
        some_past(world);
    }
    if (seed % 16 == 3) {
        some_crowd(world);
    }
    some_calls(world, span_ms);
    if (one_in(5)) {
        world_shut_down_at(world, below(span_ms));
    }
}

void draw_count(const struct world *world, struct tally_of_worlds *tally)
{
    tally->worlds++;
    tally->steps += world->steps;
    tally->calls += world->serial;
    for (size_t i = 0; i < TARGETS_MAX; i++) {
        tally->opened += world->laws.endpoints[i].opened + world->laws.deployments[i].opened;
        tally->unsure += (world->laws.endpoints[i].state == DOOR_UNSURE ? 1U : 0U) +
                         (world->laws.deployments[i].state == DOOR_UNSURE ? 1U : 0U);
    }
}

void draw_tell(const struct tally_of_worlds *tally)
{
    printf("%" PRIu64 " worlds, %" PRIu64 " calls, %" PRIu64 " steps; doors opened %" PRIu64
           " times, %" PRIu64 " were past judging: all laws held\n",
           tally->worlds, tally->calls, tally->steps, tally->opened, tally->unsure);
}
