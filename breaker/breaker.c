/* SPDX-License-Identifier: Apache-2.0 */
/* breaker/breaker.c: who counts is decided first (is_counted), then the count is taken, then the
 * state says what follows from it.
 *
 *   CLOSED --- trip_is_due, or the owner's word ------> OPEN
 *   OPEN ----- a probe enters, a panic pass succeeds,
 *              or an invitation ----------------------> HALF_OPEN
 *   HALF_OPEN  a failure -----------------------------> OPEN
 *              successes in a row --------------------> CLOSED */
#include "breaker/breaker.h"

#include "base/must.h"

/* What is reported, together with when. */
struct report {
    enum signal signal;
    uint32_t hint_ms;
    mono_ms now;
};

void breaker_init(struct breaker *breaker, const struct trip_rule *rule)
{
    *breaker = (struct breaker){.state = BREAKER_CLOSED};
    tally_init(&breaker->tally, rule->window_ms);
}

void breaker_reset(struct breaker *breaker, const struct trip_rule *rule)
{
    uint32_t lease = breaker->lease;

    breaker_init(breaker, rule);
    /* Probes from before may still report: their numbers must not come again. */
    breaker->lease = lease;
}

/* ---- letting through ---- */

static bool probe_is_out(const struct breaker *breaker, mono_ms now)
{
    return now < breaker->lease_until;
}

enum admission breaker_ask(const struct breaker *breaker, mono_ms now)
{
    switch (breaker->state) {
    case BREAKER_CLOSED: return ADMISSION_YES;
    case BREAKER_OPEN: return now < breaker->reopen_at ? ADMISSION_NO : ADMISSION_PROBE;
    case BREAKER_HALF_OPEN:
        if (probe_is_out(breaker, now) || now < breaker->probe_after) {
            return ADMISSION_NO;
        }
        return ADMISSION_PROBE;
    }
    UNREACHABLE();
}

static enum breaker_change half_open(struct breaker *breaker, uint32_t probes_good, mono_ms now)
{
    must(breaker->state == BREAKER_OPEN && breaker->lease_until == 0);
    breaker->state = BREAKER_HALF_OPEN;
    breaker->probes_good = probes_good;
    breaker->reopen_at = mono_min(breaker->reopen_at, now);
    return BREAKER_HALF_OPENED;
}

struct pass breaker_enter(struct breaker *breaker, enum admission how, uint32_t lease_ms,
                          mono_ms now, enum breaker_change *change)
{
    *change = BREAKER_STAYS;
    /* Panic asks nobody. Every other way is the one that was told for this moment: an older word
     * could let a second probe out. */
    must(how == ADMISSION_PANIC || (how != ADMISSION_NO && how == breaker_ask(breaker, now)));
    if (how != ADMISSION_PROBE) {
        return (struct pass){.how = how};
    }
    if (breaker->state == BREAKER_OPEN) {
        *change = half_open(breaker, 0, now);
    }
    breaker->lease++;
    breaker->lease_until = mono_add(now, lease_ms);
    breaker->probe_after = mono_add(now, BREAKER_PROBE_GAP_MS);
    return (struct pass){.how = how, .lease = breaker->lease};
}

/* ---- reports ---- */

static bool is_failure(enum signal signal)
{
    return signal == SIGNAL_FAILURE || signal == SIGNAL_CONNECT;
}

static bool is_latest_probe(const struct breaker *breaker, struct pass pass)
{
    return pass.how == ADMISSION_PROBE && pass.lease == breaker->lease;
}

/* A probe's success counts once, while its lease runs. Its failure counts as long as no other probe
 * was let out: a stream may break after its first content. */
static bool is_counted(const struct breaker *breaker, struct pass pass, const struct report *report)
{
    switch (breaker->state) {
    case BREAKER_CLOSED: return true;
    case BREAKER_OPEN: return pass.how == ADMISSION_PANIC;
    case BREAKER_HALF_OPEN:
        return is_latest_probe(breaker, pass) &&
               (is_failure(report->signal) || probe_is_out(breaker, report->now));
    }
    UNREACHABLE();
}

static void count(struct breaker *breaker, const struct report *report)
{
    if (!is_failure(report->signal)) {
        tally_success(&breaker->tally, report->now, report->signal == SIGNAL_SLOW);
        breaker->failures_in_row = 0;
        breaker->connects_in_row = 0;
        return;
    }
    tally_failure(&breaker->tally, report->now);
    breaker->failures_in_row++;
    if (report->signal == SIGNAL_CONNECT) {
        breaker->connects_in_row++;
    } else {
        breaker->connects_in_row = 0;
    }
}

/* Lazily, at every report while closed: one trip less for each full TRIP_FORGIVE_MS. */
static void forgive(struct breaker *breaker, mono_ms now)
{
    uint64_t due = mono_until(breaker->forgiven_at, now) / TRIP_FORGIVE_MS;

    breaker->trips -= due < breaker->trips ? (uint32_t)due : breaker->trips;
    breaker->forgiven_at += due * TRIP_FORGIVE_MS;
}

static enum breaker_change open_up(struct breaker *breaker, const struct trip_rule *rule,
                                   const struct report *report, struct rng *rng)
{
    mono_ms until = 0;

    breaker->trips++;
    until = mono_add(report->now, trip_open_ms(rule, breaker->trips, report->hint_ms, rng));
    breaker->state = BREAKER_OPEN;
    /* A stay shorter than the gap would else let the next probe out too early. */
    breaker->reopen_at = until > breaker->probe_after ? until : breaker->probe_after;
    breaker->lease_until = 0;
    breaker->lease++; /* the probes of this stay are strangers to the next */
    must(mono_until(report->now, breaker->reopen_at) <= TRIP_HINT_MAX_MS);
    return BREAKER_OPENED;
}

static enum breaker_change close_again(struct breaker *breaker, const struct trip_rule *rule,
                                       mono_ms now)
{
    breaker->state = BREAKER_CLOSED;
    breaker->probes_good = 0;
    breaker->closed_at = now;
    breaker->forgiven_at = now;
    tally_init(&breaker->tally, rule->window_ms);
    return BREAKER_CLOSES;
}

static enum breaker_change step_closed(struct breaker *breaker, const struct trip_rule *rule,
                                       const struct report *report, struct rng *rng)
{
    struct trip_facts facts = {
        .window = tally_sum(&breaker->tally, report->now),
        .failures_in_row = breaker->failures_in_row,
        .connects_in_row = breaker->connects_in_row,
    };

    forgive(breaker, report->now);
    return trip_is_due(rule, &facts) ? open_up(breaker, rule, report, rng) : BREAKER_STAYS;
}

/* A panic pass that fails was let through against better knowledge: it is no new trip, or calls in
 * need would keep the breaker open. The provider's word is heeded all the same. */
static enum breaker_change step_open(struct breaker *breaker, const struct report *report)
{
    uint32_t hint_ms = report->hint_ms < TRIP_HINT_MAX_MS ? report->hint_ms : TRIP_HINT_MAX_MS;
    mono_ms until = mono_add(report->now, hint_ms);

    if (!is_failure(report->signal)) {
        return half_open(breaker, 1, report->now);
    }
    if (hint_ms > 0 && until > breaker->reopen_at) {
        breaker->reopen_at = until;
    }
    return BREAKER_STAYS;
}

static enum breaker_change step_half_open(struct breaker *breaker, const struct trip_rule *rule,
                                          const struct report *report, struct rng *rng)
{
    breaker->lease_until = 0;
    if (is_failure(report->signal)) {
        return open_up(breaker, rule, report, rng);
    }
    breaker->probes_good++;
    if (breaker->probes_good < BREAKER_PROBES_GOOD) {
        return BREAKER_STAYS;
    }
    return close_again(breaker, rule, report->now);
}

enum breaker_change breaker_report(struct breaker *breaker, const struct trip_rule *rule,
                                   struct pass pass, enum signal signal, uint32_t hint_ms,
                                   mono_ms now, struct rng *rng)
{
    struct report report = {.signal = signal, .hint_ms = hint_ms, .now = now};

    if (signal == SIGNAL_NEUTRAL) {
        breaker_forgo(breaker, pass);
        return BREAKER_STAYS;
    }
    if (!is_counted(breaker, pass, &report)) {
        return BREAKER_STAYS;
    }
    tally_fit(&breaker->tally, rule->window_ms);
    count(breaker, &report);
    switch (breaker->state) {
    case BREAKER_CLOSED: return step_closed(breaker, rule, &report, rng);
    case BREAKER_OPEN: return step_open(breaker, &report);
    case BREAKER_HALF_OPEN: return step_half_open(breaker, rule, &report, rng);
    }
    UNREACHABLE();
}

void breaker_forgo(struct breaker *breaker, struct pass pass)
{
    if (is_latest_probe(breaker, pass)) {
        breaker->lease_until = 0;
    }
}

enum breaker_change breaker_open(struct breaker *breaker, const struct trip_rule *rule, mono_ms now,
                                 struct rng *rng)
{
    struct report report = {.signal = SIGNAL_FAILURE, .now = now};

    if (breaker->state != BREAKER_CLOSED) {
        return BREAKER_STAYS;
    }
    forgive(breaker, now);
    return open_up(breaker, rule, &report, rng);
}

enum breaker_change breaker_invite(struct breaker *breaker, mono_ms now)
{
    return breaker->state == BREAKER_OPEN ? half_open(breaker, 0, now) : BREAKER_STAYS;
}
