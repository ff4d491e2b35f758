/* SPDX-License-Identifier: Apache-2.0 */
/* Who is asked next: at the beginning, when nothing is eligible, and after a failure. The plan says
 * who may be asked, retry.c whether and when. */
#include "router/dispatch_parts.h"

#include "base/must.h"
#include "wire/hint.h"

enum {
    /* With nothing eligible a call waits so long at most for the first to come back. */
    STUCK_MAX_MS = 2000,
    STUCK_JITTER_MS = 100,
    /* Past the longest regular wait for a head: then a probe's slot is free again. */
    LEASE_EXTRA_MS = 5000,
    /* While another target could help, one attempt may use so much of what is left. */
    ATTEMPT_SHARE_PERCENT = 60
};

bool dispatch_is_out(struct standing standing)
{
    return standing.what != ELIGIBLE && standing.what != ELIGIBLE_PROBE;
}

/* ---- attempts ---- */

void dispatch_hold(struct dispatch *d, uint8_t place, struct actions *actions)
{
    d->numbers++;
    d->next_place = place;
    dispatch_act(actions, ACTION_HOLD, d->numbers, OUTCOME_OK)->place = place;
}

static void hold_first(struct dispatch *d, uint8_t place, struct actions *actions)
{
    dispatch_hold(d, place, actions);
    d->state = DISPATCH_HOLDING;
    d->stuck_at = MONO_NEVER;
}

static void pause_until(struct dispatch *d, mono_ms at, uint8_t place)
{
    d->state = DISPATCH_PAUSING;
    d->resume_at = at;
    d->next_place = place;
}

static uint8_t pick(const struct dispatch *d, uint8_t tries_max, uint8_t but, mono_ms now)
{
    struct plan_wish wish = {.tries_max = tries_max,
                             .but = but,
                             .continues = d->is_committed,
                             .other_credential_than = PLAN_NONE};

    return plan_pick(d->plan, d->fleet, &wish, now);
}

/* A target that hangs must leave time for another one, as long as there is one. */
static uint32_t gate_of(const struct dispatch *d, uint8_t place, mono_ms now)
{
    uint32_t gate = d->is_stream ? d->timeouts->first_content_ms : d->timeouts->head_ms;
    uint64_t share = dispatch_left_ms(d, now) * ATTEMPT_SHARE_PERCENT / 100;

    if (share < gate && d->attempts < d->plan->rules->retry.attempts &&
        pick(d, 1, place, now) != PLAN_NONE) {
        return (uint32_t)share;
    }
    return gate;
}

void dispatch_begin_flight(struct dispatch *d, struct flight *f, mono_ms now,
                           struct actions *actions)
{
    uint8_t place = d->next_place;
    const struct target *target = plan_target(d->plan, place);
    struct action *action = NULL;

    *f = (struct flight){.number = d->numbers,
                         .place = place,
                         .started_at = now,
                         .overdue_at = MONO_NEVER,
                         .commit_at = MONO_NEVER};
    f->gate_ms = gate_of(d, place, now);
    fleet_enter(d->fleet, &f->entry, target, plan_member(d->plan, d->fleet, place),
                &d->plan->estimate, d->attempts > 0, d->next_is_panic, f->gate_ms + LEASE_EXTRA_MS,
                now);
    if (d->next_is_panic) {
        fleet_tell_panic(d->fleet, target, f->entry.member);
    }
    d->attempts++;
    d->plan->tries[place]++;
    dispatch_note_start(d, f);
    action = dispatch_act(actions, ACTION_ATTEMPT, f->number, OUTCOME_OK);
    action->place = place;
    action->is_fresh = d->next_is_fresh;
    action->is_resume = d->is_committed;
    d->is_paused = false; /* a provider held back before was another one */
    d->next_is_fresh = false;
    d->next_is_panic = false;
}

/* ---- nothing eligible ---- */

static enum outcome outcome_of_park(enum park_reason reason)
{
    switch (reason) {
    case PARK_AUTH:
    case PARK_PERMISSION: return OUTCOME_ALL_AUTH;
    case PARK_BILLING:
    case PARK_QUOTA: return OUTCOME_ALL_QUOTA;
    case PARK_MODEL: return OUTCOME_ALL_MODEL;
    case PARK_EGRESS: return OUTCOME_ALL_EGRESS;
    case PARK_NONE:
    case PARK_THROTTLED:
    case PARK_OVERLOADED: break;
    }
    return OUTCOME_NO_TARGET;
}

/* The wait is short enough to sit out, this time and those before it together. */
static bool may_sit_out(struct dispatch *d, const struct outlook *outlook, mono_ms now)
{
    mono_ms since = d->stuck_at == MONO_NEVER ? now : d->stuck_at;

    return outlook->soonest != PLAN_NONE && outlook->at < mono_add(since, STUCK_MAX_MS) &&
           mono_add(outlook->at, STUCK_JITTER_MS + RETRY_ATTEMPT_MIN_MS) < dispatch_end(d);
}

static void sit_out(struct dispatch *d, const struct outlook *outlook, mono_ms now)
{
    if (d->stuck_at == MONO_NEVER) {
        d->stuck_at = now;
    }
    pause_until(d, mono_add(outlook->at, 1 + rng_below(fleet_rng(d->fleet), STUCK_JITTER_MS)),
                PLAN_NONE);
}

/* What an attempt that was told to wait leaves to the app: until the first candidate comes back,
 * which need not be the one that was asked last. 0: nothing is known, or one may be asked now. */
static uint64_t wait_after(struct dispatch *d, enum outcome outcome, mono_ms now)
{
    enum mark mark = outcome_row(outcome)->mark;
    mono_ms at = MONO_NEVER;

    if (mark != MARK_COOL && mark != MARK_COOL_HINT && mark != MARK_BILLING && mark != MARK_QUOTA) {
        return 0;
    }
    for (uint8_t i = 0; i < d->plan->count; i++) {
        struct standing standing = plan_standing(d->plan, d->fleet, d->plan->order[i], now);

        if (!dispatch_is_out(standing)) {
            return 0;
        }
        at = mono_min(at, standing.until);
    }
    return at == MONO_NEVER ? 0 : mono_until(now, at);
}

/* Whether the hold that was denied is the answer: for want of money in any case; that nobody can be told what is
 * asked only where that goes for all of them, and none was asked. */
static bool is_denied(const struct dispatch *d)
{
    bool is_for_all = d->attempts == 0;

    for (uint8_t i = 0; i < d->plan->count; i++) {
        is_for_all = is_for_all && d->plan->tries[d->plan->order[i]] == UINT8_MAX;
    }
    return d->denied != OUTCOME_OK && (d->denied != OUTCOME_UNTRANSLATABLE || is_for_all);
}

/* resilience.md, 7.6. */
static void none_eligible(struct dispatch *d, const struct event_in *event, uint8_t tries_max,
                          struct actions *actions)
{
    struct outlook outlook = plan_outlook(d->plan, d->fleet, tries_max, event->now);
    enum outcome outcome = OUTCOME_NO_TARGET;

    if (is_denied(d)) {
        dispatch_give_up(d, actions, 0, d->denied, 0);
        return;
    }
    if (may_sit_out(d, &outlook, event->now)) {
        sit_out(d, &outlook, event->now);
        return;
    }
    if (d->attempts > 0) { /* what the last attempt met is the better answer */
        dispatch_give_up(d, actions, dispatch_latest(d), d->last,
                         wait_after(d, d->last, event->now));
        return;
    }
    if (!outlook.is_all_cooling && outlook.soonest_open != PLAN_NONE &&
        fleet_may_panic(d->fleet, d->plan->rules, event->now)) {
        d->next_is_panic = true;
        hold_first(d, outlook.soonest_open, actions);
        return;
    }
    if (outlook.is_all_parked) {
        outcome = outcome_of_park(outlook.reason);
    } else if (outlook.is_all_cooling) {
        outcome = OUTCOME_ALL_THROTTLED;
    }
    dispatch_give_up(d, actions, 0, outcome,
                     outlook.at_any == MONO_NEVER ? 0 : mono_until(event->now, outlook.at_any));
}

/* The next attempt, wherever it may be made; of targets that were tried too often, none. */
void dispatch_go_on(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    uint8_t tries_max = d->attempts == 0 ? 1 : (uint8_t)d->plan->rules->retry.attempts_per_target;
    uint8_t place = d->next_place;
    bool is_there = place != PLAN_NONE && d->plan->tries[place] < tries_max;

    if (is_there) {
        struct standing standing = plan_standing(d->plan, d->fleet, place, event->now);
        is_there = !dispatch_is_out(standing);
    }
    if (!is_there) {
        place = pick(d, tries_max, PLAN_NONE, event->now);
    }
    if (place == PLAN_NONE) {
        none_eligible(d, event, tries_max, actions);
    } else {
        hold_first(d, place, actions);
    }
}

/* ---- too late ---- */

/* Time and budget were looked at when the attempt was decided on. Many may have decided at once,
 * each for itself, and waited since for their pauses and their money; so both are looked at again
 * where the attempt is counted. */
bool dispatch_is_too_late(struct dispatch *d, mono_ms now, struct actions *actions)
{
    uint8_t latest = dispatch_latest(d);
    enum retry_why why = RETRY_DONE;

    if (dispatch_left_ms(d, now) < RETRY_ATTEMPT_MIN_MS) {
        why = RETRY_NO_TIME;
    } else if (!d->next_is_fresh && dispatch_storm_at(d, d->next_place, now) == STORM_TOKENS) {
        why = RETRY_STORM_TOKENS;
    }
    if (why == RETRY_DONE) {
        return false;
    }
    dispatch_act(actions, ACTION_RELEASE, d->numbers, OUTCOME_NO_TARGET);
    dispatch_note(d, latest)->why = (uint8_t)why;
    dispatch_give_up(d, actions, latest, d->last, wait_after(d, d->last, now));
    return true;
}

/* ---- after a failure ---- */

uint8_t dispatch_attempts_allowed(const struct dispatch *d)
{
    return d->rules.no_failover ? 1 : (uint8_t)d->plan->rules->retry.attempts;
}

enum storm_no dispatch_storm_at(const struct dispatch *d, uint8_t place, mono_ms now)
{
    return place == PLAN_NONE ? STORM_ALLOWS
                              : fleet_storm(d->fleet, plan_member(d->plan, d->fleet, place), now);
}

/* Whom to ask instead: one that was not tried yet, else one that may be tried again. */
static uint8_t next_of(const struct dispatch *d, const struct flight *f, mono_ms now,
                       bool *is_again)
{
    uint8_t next = pick(d, 1, f->place, now);

    *is_again = next == PLAN_NONE;
    return *is_again ? pick(d, (uint8_t)d->plan->rules->retry.attempts_per_target, f->place, now)
                     : next;
}

static void look_at_same(struct retry_facts *facts, const struct dispatch *d,
                         const struct flight *f, mono_ms now)
{
    struct standing standing = plan_standing(d->plan, d->fleet, f->place, now);
    uint32_t wait_max_ms = retry_hint_max_ms(facts->rule, facts->outcome);

    if (d->is_committed && plan_prefill(d->plan, f->place) == NULL) {
        return;
    }
    facts->may_same = !dispatch_is_out(standing);
    if (standing.what == OUT_COOLING && standing.until <= mono_add(now, wait_max_ms)) {
        facts->may_same = true;
        facts->same_ready_ms = (uint32_t)mono_until(now, standing.until);
    }
}

static struct retry_facts facts_of(const struct dispatch *d, const struct flight *f,
                                   const struct event_in *event, enum outcome outcome, uint8_t next,
                                   bool is_again)
{
    struct retry_facts facts = {
        .outcome = outcome,
        .rule = &d->plan->rules->retry,
        .attempts = d->attempts,
        .attempts_max = dispatch_attempts_allowed(d),
        .attempts_here = d->plan->tries[f->place],
        .fresh = d->fresh,
        .ambiguous = d->ambiguous,
        .is_ambiguous = dispatch_is_ambiguous(f, outcome),
        .is_money_out = event->is_money_out,
        .has_next = next != PLAN_NONE,
        .is_next_again = is_again,
        .same_storm = dispatch_storm_at(d, f->place, event->now),
        .next_storm = dispatch_storm_at(d, next, event->now),
        .hint_ms = event->kind == EVENT_ENDED ? event->hint_ms : HINT_NONE,
        .should_retry = event->kind == EVENT_ENDED ? event->should_retry : (int8_t)-1,
        .waits = d->waits,
        .last_wait_ms = d->last_wait_ms,
        .left_ms = dispatch_left_ms(d, event->now),
        .is_resume = d->is_committed,
    };

    look_at_same(&facts, d, f, event->now);
    return facts;
}

/* ---- who is out of the question ---- */

static bool reads_more(const struct target *target, const struct target *than)
{
    /* Of whom it is not known, nothing is expected; all others may read more than he. */
    return target->context > (than->context > 0 ? than->context : 1);
}

/* Whoever is not to be asked by this call any more counts as tried as often as can be, so that it
 * does not come up as the only one left when others fail or go away meanwhile. */
static void rule_out(struct dispatch *d, uint8_t place, enum outcome outcome)
{
    enum remedy remedy = retry_remedy(outcome, d->is_committed);
    const struct target *target = plan_target(d->plan, place);

    if (remedy == REMEDY_NEXT) {
        d->plan->tries[place] = UINT8_MAX;
    }
    for (uint8_t i = 0; i < d->plan->count; i++) {
        uint8_t other = d->plan->order[i];

        if ((remedy == REMEDY_LARGER && !reads_more(plan_target(d->plan, other), target)) ||
            (remedy == REMEDY_SURFACE && other != place)) {
            d->plan->tries[other] = UINT8_MAX;
        }
    }
}

/* Another one is asked since this one said no, or later; a cooldown remembers that by itself. */
static void rule_out_by_word(struct dispatch *d, uint8_t place, const struct retry_facts *facts)
{
    enum mark mark = outcome_row(facts->outcome)->mark;

    if (facts->should_retry == 0 ||
        (facts->hint_ms != HINT_NONE && mark != MARK_COOL && mark != MARK_COOL_HINT)) {
        d->plan->tries[place] = UINT8_MAX;
    }
}

/* ---- the decision ---- */

static void obey_decision(struct dispatch *d, const struct retry_decision *decision, uint8_t place,
                          const struct event_in *event, struct actions *actions)
{
    d->next_is_fresh = decision->why == RETRY_FRESH_CONNECTION;
    if (d->next_is_fresh) {
        d->fresh++;
    }
    if (decision->wait_ms > 0) {
        d->waits++;
        d->last_wait_ms = decision->wait_ms;
        pause_until(d, mono_add(event->now, decision->wait_ms), place);
        return;
    }
    hold_first(d, place, actions);
}

/* The reasons to end a call lie in this order: the app's own, then what retry.c says. */
static struct retry_decision decide(const struct dispatch *d, const struct flight *gone,
                                    const struct retry_facts *facts)
{
    if (d->rules.runs_once && gone->is_written) {
        return (struct retry_decision){.choice = RETRY_STOP, .why = RETRY_AMBIGUOUS};
    }
    return retry_decide(facts, fleet_rng(d->fleet));
}

bool dispatch_could_leave(const struct dispatch *d, const struct flight *f,
                          const struct event_in *event, enum outcome outcome)
{
    bool is_again = false;
    uint8_t next = next_of(d, f, event->now, &is_again);
    struct retry_facts facts = facts_of(d, f, event, outcome, next, is_again);
    struct retry_decision decision = decide(d, f, &facts);

    return !is_again && decision.choice == RETRY_NEXT && decision.wait_ms == 0 &&
           plan_member(d->plan, d->fleet, next).deployment != f->entry.member.deployment;
}

static void after_failure(struct dispatch *d, const struct flight *gone,
                          const struct event_in *event, enum outcome outcome,
                          struct actions *actions)
{
    bool is_again = false;
    uint8_t next = next_of(d, gone, event->now, &is_again);
    struct retry_facts facts = facts_of(d, gone, event, outcome, next, is_again);
    struct retry_decision decision = decide(d, gone, &facts);
    struct attempt_note *note = dispatch_note(d, gone->number);

    if (facts.is_ambiguous) {
        d->ambiguous++;
    }
    note->why = (uint8_t)decision.why;
    note->wait_ms = decision.wait_ms;
    switch (decision.choice) {
    case RETRY_STOP:
        dispatch_give_up(d, actions, gone->number, outcome, wait_after(d, outcome, event->now));
        return;
    case RETRY_SAME: obey_decision(d, &decision, gone->place, event, actions); return;
    case RETRY_NEXT:
        rule_out_by_word(d, gone->place, &facts);
        obey_decision(d, &decision, next, event, actions);
        return;
    }
}

/* An attempt failed before anything of it was shown. */
void dispatch_failed(struct dispatch *d, struct flight *f, const struct event_in *event,
                     enum outcome outcome, struct actions *actions)
{
    struct flight gone = *f;
    struct flight *other = dispatch_other_flight(d, f);
    bool is_final = outcome_row(outcome)->remedy == REMEDY_SURFACE;

    dispatch_land(d, f, event, outcome, actions);
    rule_out(d, gone.place, outcome);
    if (other != NULL && !is_final) { /* the other one runs on */
        if (dispatch_is_ambiguous(&gone, outcome)) {
            d->ambiguous++;
        }
        dispatch_note(d, gone.number)->why = RETRY_OTHER_TARGET;
        if (other == &d->flights[1]) {
            d->flights[0] = *other;
            *other = (struct flight){.number = 0};
        }
        return;
    }
    if (d->is_hedging && !is_final) { /* the hedge's hold becomes the next attempt's */
        d->is_hedging = false;
        d->state = DISPATCH_HOLDING;
        dispatch_note(d, gone.number)->why = RETRY_OTHER_TARGET;
        return;
    }
    if (is_final) {
        dispatch_drop_all(d, event, OUTCOME_HEDGE_LOST, actions);
    }
    after_failure(d, &gone, event, outcome, actions);
}

void dispatch_resume(struct dispatch *d, const struct event_in *event, enum outcome outcome,
                     struct actions *actions)
{
    struct flight gone = d->flights[0];

    dispatch_land(d, &d->flights[0], event, outcome, actions);
    rule_out(d, gone.place, outcome);
    after_failure(d, &gone, event, outcome, actions);
    if (d->state != DISPATCH_CLOSED) {
        dispatch_note(d, gone.number)->why = RETRY_RESUMED;
    }
}
