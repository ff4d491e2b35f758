/* SPDX-License-Identifier: Apache-2.0 */
/* decide [calls]: what the decisions of one call cost, without sockets: plan, dispatch and fleet of
 * a call that goes well, of one that fails once, the classifier, and the rates of one of many callers. ns of the processor's time per
 * call; the clock is read around a batch of calls, and the best of many batches counts, so that
 * neighbours on the machine disturb little. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "enforcement/roster.h"
#include "router/dispatch.h"
#include "tests/lib/house.h"
#include "wire/hint.h"

enum { BATCHES = 50, CALLS_DEFAULT = 5000 };

enum { CALLERS = 1000, CALLER_TEXT = 8 };

struct bench {
    struct house house;
    mono_ms now;
    uint64_t sink; /* what is computed must be used */
    struct roster *roster;
    char callers[CALLERS][CALLER_TEXT];
};

typedef void bench_fn(struct bench *bench);

static void step(struct dispatch *dispatch, struct actions *actions, const struct bench *bench,
                 enum event_kind kind, enum outcome outcome)
{
    struct event_in event = {.kind = kind,
                             .attempt = dispatch->numbers,
                             .now = bench->now,
                             .outcome = outcome,
                             .should_retry = -1,
                             .hint_ms = HINT_NONE};

    dispatch_step(dispatch, &event, actions);
}

static void attempt(struct dispatch *dispatch, struct actions *actions, const struct bench *bench)
{
    step(dispatch, actions, bench, EVENT_HELD, OUTCOME_OK);
    if (dispatch->state != DISPATCH_TRYING) { /* too many were repeated meanwhile */
        return;
    }
    step(dispatch, actions, bench, EVENT_CONNECTED, OUTCOME_OK);
    step(dispatch, actions, bench, EVENT_WRITTEN, OUTCOME_OK);
    step(dispatch, actions, bench, EVENT_HEAD, OUTCOME_OK);
}

static void call(struct bench *bench, bool fails)
{
    struct dispatch_rules rules = {.is_stream = true};
    struct dispatch dispatch;
    struct actions actions;
    struct plan plan;
    struct notice notice;

    bench->now += 3;
    house_plan(&bench->house, &plan, bench->now);
    dispatch_init(&dispatch, &plan, bench->house.fleet, &rules, bench->now);
    step(&dispatch, &actions, bench, EVENT_START, OUTCOME_OK);
    attempt(&dispatch, &actions, bench);
    if (fails) {
        step(&dispatch, &actions, bench, EVENT_ENDED, OUTCOME_CONFLICT);
        if (dispatch.state == DISPATCH_PAUSING) {
            bench->now = actions.wake_at;
            step(&dispatch, &actions, bench, EVENT_WAKE, OUTCOME_OK);
        }
        if (dispatch.state == DISPATCH_HOLDING) {
            attempt(&dispatch, &actions, bench);
        }
    }
    if (dispatch.state == DISPATCH_TRYING) {
        step(&dispatch, &actions, bench, EVENT_CONTENT, OUTCOME_OK);
        step(&dispatch, &actions, bench, EVENT_TERMINAL, OUTCOME_OK);
        step(&dispatch, &actions, bench, EVENT_ENDED, OUTCOME_OK);
    }
    while (fleet_next_notice(bench->house.fleet, &notice)) {
        bench->sink++;
    }
    bench->sink += actions.count;
}

static void call_good(struct bench *bench)
{
    call(bench, false);
}

static void call_bad(struct bench *bench)
{
    call(bench, true);
}

static void plan_only(struct bench *bench)
{
    struct plan plan;

    bench->now += 3;
    house_plan(&bench->house, &plan, bench->now);
    bench->sink += plan.order[0];
}

static void classify(struct bench *bench)
{
    struct provider_error error = {.is_present = true,
                                   .type = SPAN_OF("tokens"),
                                   .code = SPAN_OF("rate_limit_exceeded"),
                                   .message = SPAN_OF("Rate limit reached for gpt-5.4 in org-1")};

    bench->sink += (uint64_t)outcome_of_status(429, &error, true);
}

/* Requests, tokens and calls at a time, all of one team. */
static void rates_of_a_call(struct bench *bench)
{
    static struct rate list[] = {{.unit = RATE_REQUESTS, .limit = 1000000, .index = 0},
                                 {.unit = RATE_TOKENS, .limit = 1000000000, .index = 1},
                                 {.unit = RATE_CONCURRENT, .limit = 8, .index = 2}};
    static const struct rates rates = {list, sizeof list / sizeof *list};
    struct subject subject = {.values[SCOPE_TEAM] =
                                  span_make(bench->callers[bench->now % CALLERS], CALLER_TEXT)};
    struct roster_ask ask = {
        .rates = &rates, .subject = &subject, .tokens = 1100, .now = bench->now};
    struct roster_pass *pass = NULL;

    if (list[0].rule.limit == 0) {
        for (size_t i = 0; i < rates.count; i++) {
            list[i].scope.kind = SCOPE_TEAM;
            gcra_rule_make(&list[i].rule, list[i].limit, 60000, list[i].limit);
        }
    }
    bench->now += 1;
    bench->sink += roster_ask(bench->roster, &ask, &pass) == ROSTER_PASSED;
    roster_used(pass, 300);
    roster_leave(bench->roster, pass, bench->now);
}

static void open_roster(struct bench *bench)
{
    static const uint64_t seed[2] = {1, 2};

    bench->roster = roster_new(seed);
    if (bench->roster == NULL) {
        exit(1);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        (void)snprintf(bench->callers[i], CALLER_TEXT, "team%03zu", i);
    }
}

static uint64_t clock_ns(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static uint64_t measure(struct bench *bench, bench_fn *run, uint64_t calls)
{
    uint64_t best = UINT64_MAX;

    for (int batch = 0; batch < BATCHES; batch++) {
        uint64_t from = clock_ns();

        for (uint64_t i = 0; i < calls; i++) {
            run(bench);
        }
        from = clock_ns() - from;
        best = from < best ? from : best;
    }
    return best / calls;
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {1, 2, 8};
    uint64_t calls = argc > 1 ? strtoull(argv[1], NULL, 10) : CALLS_DEFAULT;
    struct bench bench = {.now = 1};

    if (calls == 0) {
        return 2;
    }
    printf("ns per call      targets      plan      call  failover\n");
    for (size_t row = 0; strategy_at(row) != NULL; row++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            uint64_t ns[3];

            house_init(&bench.house, sizes[i]);
            bench.house.route.strategy = strategy_at(row);
            house_open(&bench.house, 1);
            ns[0] = measure(&bench, plan_only, calls);
            ns[1] = measure(&bench, call_good, calls);
            ns[2] = measure(&bench, call_bad, calls / 4 + 1);
            house_close(&bench.house);
            printf("%-16.*s %7zu %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n",
                   (int)strategy_at(row)->name.len, strategy_at(row)->name.at, sizes[i], ns[0],
                   ns[1], ns[2]);
        }
    }
    printf("classifier %31" PRIu64 "\n", measure(&bench, classify, calls));
    open_roster(&bench);
    printf("rates, three of one caller %15" PRIu64 "\n", measure(&bench, rates_of_a_call, calls));
    roster_free(bench.roster);
    return bench.sink == 0 ? 1 : 0;
}
