/* SPDX-License-Identifier: Apache-2.0 */
/* What attempts tell: outcomes.def says what each outcome means for each scope; here it is carried
 * out, and every change of state becomes a notice. */
#include "router/fleet_parts.h"

#include "base/must.h"
#include "wire/hint.h"

enum { PANIC_GAP_MS = 1000, COOL_MAX_MS = 300000, HEDGE_PERCENT = 5 };

/* ---- notices ---- */

void fleet_say(struct fleet *fleet, const struct notice *notice)
{
    if (fleet->notices.count == NOTICES_MAX) {
        fleet->notices.dropped++;
        return;
    }
    fleet->notices.list[(fleet->notices.first + fleet->notices.count) % NOTICES_MAX] = *notice;
    fleet->notices.count++;
}

bool fleet_next_notice(struct fleet *fleet, struct notice *notice)
{
    if (fleet->notices.count == 0) {
        return false;
    }
    *notice = fleet->notices.list[fleet->notices.first];
    fleet->notices.first = (fleet->notices.first + 1) % NOTICES_MAX;
    fleet->notices.count--;
    return true;
}

uint64_t fleet_dropped_notices(const struct fleet *fleet)
{
    return fleet->notices.dropped;
}

void fleet_say_breaker(struct fleet *fleet, struct member member, bool is_endpoint,
                       enum breaker_change change, enum outcome outcome, mono_ms now)
{
    static const char *const states[] = {"closed", "open", "half_open"};
    const struct live_deployment *live = fleet_deployment(fleet, member);
    const struct breaker *breaker =
        is_endpoint ? &fleet_endpoint(fleet, member)->breaker : &live->breaker;
    struct notice notice = {
        .provider = live->provider->name,
        .model = is_endpoint ? span_make("", 0) : live->model,
        .scope = is_endpoint ? "endpoint" : "deployment",
        .new_state = states[breaker->state],
        .outcome = outcome,
    };

    switch (change) {
    case BREAKER_STAYS: return;
    case BREAKER_OPENED:
        notice.kind = NOTICE_BREAKER_OPENED;
        notice.old_state = breaker->trips > 1 ? NULL : states[BREAKER_CLOSED];
        notice.ms = mono_until(now, breaker->reopen_at);
        break;
    case BREAKER_HALF_OPENED:
        notice.kind = NOTICE_BREAKER_HALF_OPENED;
        notice.old_state = states[BREAKER_OPEN];
        break;
    case BREAKER_CLOSES:
        notice.kind = NOTICE_BREAKER_CLOSED;
        notice.old_state = states[BREAKER_HALF_OPEN];
        break;
    }
    fleet_say(fleet, &notice);
}

static void say_park(struct fleet *fleet, struct member member, enum notice_kind kind,
                     const struct park *park, enum outcome outcome, mono_ms now)
{
    const struct live_deployment *live = fleet_deployment(fleet, member);
    bool is_credential = kind == NOTICE_CREDENTIAL_PARKED;
    struct notice notice = {
        .kind = kind,
        .provider = live->provider->name,
        .model = is_credential ? span_make("", 0) : live->model,
        .scope = is_credential ? "credential" : "target",
        .outcome = outcome,
        .reason = park->reason,
        .ms = mono_until(now, park->until),
    };

    fleet_say(fleet, &notice);
}

/* ---- an attempt ---- */

void fleet_enter(struct fleet *fleet, struct entry *entry, const struct target *target,
                 struct member member, const struct estimate *estimate, bool is_retry,
                 bool is_panic, uint32_t lease_ms, mono_ms now)
{
    struct live_endpoint *endpoint = fleet_endpoint(fleet, member);
    struct live_deployment *live = fleet_deployment(fleet, member);
    enum admission of_endpoint = breaker_ask(&endpoint->breaker, now);
    enum admission of_live = breaker_ask(&live->breaker, now);
    enum breaker_change change = BREAKER_STAYS;

    *entry = (struct entry){
        .member = member,
        .is_entered = true,
        .is_retry = is_retry,
        .is_passthrough = target->provider->credential_mode == CREDENTIAL_PASSTHROUGH,
    };
    fleet->now = now;
    must(is_panic || (of_endpoint != ADMISSION_NO && of_live != ADMISSION_NO));
    entry->endpoint_pass = breaker_enter(
        &endpoint->breaker, of_endpoint == ADMISSION_NO ? ADMISSION_PANIC : of_endpoint, lease_ms,
        now, &change);
    fleet_say_breaker(fleet, member, true, change, OUTCOME_OK, now);
    change = BREAKER_STAYS;
    entry->deployment_pass =
        breaker_enter(&live->breaker, of_live == ADMISSION_NO ? ADMISSION_PANIC : of_live, lease_ms,
                      now, &change);
    fleet_say_breaker(fleet, member, false, change, OUTCOME_OK, now);
    headroom_start(&live->headroom, estimate->input_tokens, estimate->output_tokens, now);
    live->in_flight++;
    live->started++;
    endpoint->attempts++;
    if (is_retry) {
        endpoint->retries++;
        storm_retry(&endpoint->storm, now);
    }
}

static void no_longer_retry(struct fleet *fleet, struct entry *entry)
{
    if (entry->is_retry) {
        struct live_endpoint *endpoint = fleet_endpoint(fleet, entry->member);
        must(endpoint->retries > 0);
        endpoint->retries--;
        entry->is_retry = false;
    }
}

static void leave(struct fleet *fleet, struct entry *entry)
{
    struct live_endpoint *endpoint = fleet_endpoint(fleet, entry->member);
    struct live_deployment *live = fleet_deployment(fleet, entry->member);

    must(live->in_flight > 0 && endpoint->attempts > 0);
    no_longer_retry(fleet, entry);
    breaker_forgo(&endpoint->breaker, entry->endpoint_pass);
    breaker_forgo(&live->breaker, entry->deployment_pass);
    live->in_flight--;
    endpoint->attempts--;
    entry->is_entered = false;
}

static void tell_breakers(struct fleet *fleet, const struct entry *entry, enum signal endpoint,
                          enum signal deployment, uint32_t hint_ms, enum outcome outcome,
                          mono_ms now)
{
    struct live_endpoint *place = fleet_endpoint(fleet, entry->member);
    struct live_deployment *live = fleet_deployment(fleet, entry->member);
    enum breaker_change change = BREAKER_STAYS;

    change = breaker_report(&place->breaker, &place->provider->breaker, entry->endpoint_pass,
                            endpoint, hint_ms, now, &fleet->rng);
    if (change == BREAKER_OPENED) {
        place->probe_at = mono_add(now, place->provider->breaker.open_ms);
    }
    fleet_say_breaker(fleet, entry->member, true, change, outcome, now);
    change = breaker_report(&live->breaker, &live->provider->breaker, entry->deployment_pass,
                            deployment, hint_ms, now, &fleet->rng);
    fleet_say_breaker(fleet, entry->member, false, change, outcome, now);
}

void fleet_content(struct fleet *fleet, struct entry *entry, uint32_t ttfc_ms, bool is_slow,
                   mono_ms now)
{
    struct live_deployment *live = fleet_deployment(fleet, entry->member);

    no_longer_retry(fleet, entry);
    fleet_heard(fleet, entry, now);
    score_first_content(&live->score, ttfc_ms, now);
    score_ended(&live->score, true, now);
    tell_breakers(fleet, entry, SIGNAL_SUCCESS, is_slow ? SIGNAL_SLOW : SIGNAL_SUCCESS, 0,
                  OUTCOME_OK, now);
}

void fleet_reported(struct fleet *fleet, const struct entry *entry, const struct reported *reported,
                    mono_ms now)
{
    if (reported->is_any && !entry->is_passthrough) {
        headroom_report(&fleet_deployment(fleet, entry->member)->headroom, reported, now);
    }
}

/* ---- marks ---- */

static void park_credential(struct fleet *fleet, struct entry *entry, enum park_reason reason,
                            const struct ending *ending, mono_ms now)
{
    struct park *park = &fleet_credential(fleet, entry->member)->park;

    if (park_is_out(park, now)) {
        return; /* attempts that were under way tell the same again */
    }
    if (ending->quota_ms > 0) {
        park_for(park, reason, ending->quota_ms, now);
    } else {
        (void)park_back_off(park, reason, now);
    }
    say_park(fleet, entry->member, NOTICE_CREDENTIAL_PARKED, park, ending->outcome, now);
}

static void park_target(struct fleet *fleet, struct entry *entry, enum park_reason reason,
                        const struct ending *ending, mono_ms now)
{
    struct park *park = &fleet_deployment(fleet, entry->member)->park;

    if (!park_is_out(park, now)) {
        (void)park_back_off(park, reason, now);
        say_park(fleet, entry->member, NOTICE_TARGET_PARKED, park, ending->outcome, now);
    }
}

static void cool(struct fleet *fleet, struct entry *entry, const struct ending *ending,
                 enum park_reason reason, mono_ms now)
{
    struct park *park = &fleet_deployment(fleet, entry->member)->cooldown;
    bool was_out = park_is_out(park, now);

    if (ending->hint_ms != HINT_NONE) {
        park_for(park, reason,
                 ending->hint_ms < COOL_MAX_MS ? (uint64_t)ending->hint_ms : COOL_MAX_MS, now);
    } else if (!was_out) {
        (void)park_back_off(park, reason, now);
    }
    if (!was_out) {
        say_park(fleet, entry->member, NOTICE_TARGET_COOLING, park, ending->outcome, now);
    }
}

static void forgive(struct fleet *fleet, const struct entry *entry)
{
    struct live_deployment *live = fleet_deployment(fleet, entry->member);

    park_forgive(&fleet_credential(fleet, entry->member)->park);
    park_forgive(&live->park);
    park_forgive(&live->cooldown);
}

static void mark(struct fleet *fleet, struct entry *entry, const struct ending *ending, mono_ms now)
{
    switch (outcome_row(ending->outcome)->mark) {
    case MARK_NONE: return;
    case MARK_FORGIVE: forgive(fleet, entry); return;
    case MARK_COOL: cool(fleet, entry, ending, PARK_THROTTLED, now); return;
    case MARK_COOL_HINT:
        if (ending->hint_ms != HINT_NONE) {
            cool(fleet, entry, ending, PARK_OVERLOADED, now);
        }
        return;
    case MARK_AUTH: park_credential(fleet, entry, PARK_AUTH, ending, now); return;
    case MARK_BILLING: park_credential(fleet, entry, PARK_BILLING, ending, now); return;
    case MARK_QUOTA: park_credential(fleet, entry, PARK_QUOTA, ending, now); return;
    case MARK_PERMISSION: park_target(fleet, entry, PARK_PERMISSION, ending, now); return;
    case MARK_MODEL:
        /* The provider's own place stands for every model that found no place of its own. */
        if (fleet_deployment(fleet, entry->member)->model.len > 0) {
            park_target(fleet, entry, PARK_MODEL, ending, now);
        }
        return;
    case MARK_EGRESS: park_target(fleet, entry, PARK_EGRESS, ending, now); return;
    }
}

static void say_alarm(struct fleet *fleet, const struct entry *entry, enum outcome outcome)
{
    static const struct {
        enum outcome outcome;
        enum notice_kind kind;
    } alarms[] = {
        {OUTCOME_TLS_VERIFY, NOTICE_CERTIFICATE},
        {OUTCOME_TLS_VERSION, NOTICE_TLS},
        {OUTCOME_TLS_UNFIT, NOTICE_TLS},
        {OUTCOME_EGRESS_PROXY, NOTICE_ALARM},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(alarms); i++) {
        if (alarms[i].outcome == outcome) {
            struct notice notice = {
                .kind = alarms[i].kind,
                .provider = fleet_deployment(fleet, entry->member)->provider->name,
                .scope = "endpoint",
                .outcome = outcome,
            };
            fleet_say(fleet, &notice);
        }
    }
}

static bool is_bad(enum signal signal)
{
    return signal == SIGNAL_FAILURE || signal == SIGNAL_CONNECT;
}

struct signals {
    enum signal endpoint;
    enum signal deployment;
};

/* The score goes by what either breaker goes by; a stream told its success at its first content. */
static void tell_score(struct fleet *fleet, const struct entry *entry, const struct ending *ending,
                       const struct signals *signals, mono_ms now)
{
    struct score *score = &fleet_deployment(fleet, entry->member)->score;

    if (is_bad(signals->endpoint) || is_bad(signals->deployment)) {
        score_ended(score, false, now);
    } else if (ending->outcome == OUTCOME_OK && !ending->had_content) {
        score_ended(score, true, now);
    }
}

/* The row's, but for what an answer that has begun changes: whoever sent a head can be reached, so
 * what breaks then is the deployment's; and a stream told its success at its first content. Broken
 * framing in the middle is the fault of both (faults.md, D36). */
static struct signals signals_of(const struct ending *ending)
{
    const struct outcome_row *row = outcome_row(ending->outcome);
    struct signals signals = {row->endpoint, row->deployment};
    bool is_cut = ending->outcome == OUTCOME_RESET || ending->outcome == OUTCOME_CLOSED;

    if (ending->outcome == OUTCOME_OK) {
        return ending->had_content ? (struct signals){SIGNAL_NEUTRAL, SIGNAL_NEUTRAL} : signals;
    }
    if (is_cut && ending->had_head) {
        signals = (struct signals){SIGNAL_NEUTRAL, SIGNAL_FAILURE};
    } else if (ending->had_content && ending->outcome == OUTCOME_FRAMING) {
        signals.deployment = SIGNAL_FAILURE;
    } else if (ending->had_content && is_bad(signals.endpoint)) {
        signals = (struct signals){SIGNAL_NEUTRAL, SIGNAL_FAILURE};
    } else if (ending->had_content && signals.endpoint == SIGNAL_SUCCESS) {
        signals.endpoint = SIGNAL_NEUTRAL;
    }
    return signals;
}

void fleet_report(struct fleet *fleet, struct entry *entry, const struct ending *ending,
                  mono_ms now)
{
    const struct outcome_row *row = outcome_row(ending->outcome);
    struct signals signals = signals_of(ending);
    uint32_t hint_ms = 0;

    must(entry->is_entered);
    fleet->now = now;
    if (ending->hint_ms != HINT_NONE && (is_bad(signals.endpoint) || is_bad(signals.deployment))) {
        hint_ms = (uint32_t)(ending->hint_ms < COOL_MAX_MS ? ending->hint_ms : COOL_MAX_MS);
    }
    if (row->endpoint == SIGNAL_SUCCESS) { /* whatever it said, it said something */
        fleet_heard(fleet, entry, now);
    }
    tell_breakers(fleet, entry, signals.endpoint, signals.deployment, hint_ms, ending->outcome,
                  now);
    tell_score(fleet, entry, ending, &signals, now);
    if (!entry->is_passthrough || row->mark == MARK_EGRESS) {
        mark(fleet, entry, ending, now);
    }
    say_alarm(fleet, entry, ending->outcome);
    leave(fleet, entry);
}

/* ---- budgets, panic, probes ---- */

void fleet_call_began(struct fleet *fleet, struct member member, mono_ms now)
{
    storm_call(&fleet_endpoint(fleet, member)->storm, now);
}

enum storm_no fleet_storm(const struct fleet *fleet, struct member member, mono_ms now)
{
    const struct live_endpoint *endpoint = fleet_endpoint(fleet, member);

    return storm_ask(&endpoint->storm, endpoint->retries, endpoint->attempts, now);
}

bool fleet_may_panic(struct fleet *fleet, const struct route *route, mono_ms now)
{
    struct live_route *live = &fleet->routes[route->index];

    must(route->index <= fleet->routing->routes_count);
    if (!route->panics || (live->has_panicked && now < mono_add(live->panicked_at, PANIC_GAP_MS))) {
        return false;
    }
    live->has_panicked = true;
    live->panicked_at = now;
    return true;
}

void fleet_route_called(struct fleet *fleet, const struct route *route, mono_ms now)
{
    fleet->now = now;
    tally_success(&fleet->routes[route->index].calls, now, false);
}

bool fleet_may_hedge(struct fleet *fleet, const struct route *route, mono_ms now)
{
    struct tally *calls = &fleet->routes[route->index].calls;
    struct tally_counts counts = tally_sum(calls, now);

    if ((uint64_t)(counts.failures + 1) * 100 > (uint64_t)counts.successes * HEDGE_PERCENT) {
        return false;
    }
    tally_failure(calls, now);
    return true;
}

void fleet_tell_panic(struct fleet *fleet, const struct target *target, struct member member)
{
    struct notice notice = {
        .kind = NOTICE_PANIC,
        .provider = target->provider->name,
        .model = fleet_deployment(fleet, member)->model,
        .scope = "target",
    };

    fleet_say(fleet, &notice);
}

const struct provider *fleet_wants_probe(struct fleet *fleet, mono_ms now)
{
    for (size_t i = 0; i < fleet->endpoints_count; i++) {
        struct live_endpoint *endpoint = &fleet->endpoints[i];

        if (endpoint->provider != NULL && !endpoint->provider->kind->is_builtin &&
            endpoint->breaker.state == BREAKER_OPEN && !endpoint->is_probed &&
            now >= endpoint->probe_at) {
            endpoint->is_probed = true;
            return endpoint->provider;
        }
    }
    return NULL;
}

void fleet_probed(struct fleet *fleet, const struct provider *provider, bool is_alive, mono_ms now)
{
    struct live_endpoint *endpoint = &fleet->endpoints[fleet_endpoint_index(fleet, provider)];
    struct member member = {.endpoint = fleet_endpoint_index(fleet, provider),
                            .credential = provider->credential_index,
                            .deployment = provider->index};

    endpoint->is_probed = false;
    endpoint->probe_at = mono_add(now, provider->breaker.open_ms);
    if (is_alive) {
        fleet_say_breaker(fleet, member, true, breaker_invite(&endpoint->breaker, now), OUTCOME_OK,
                          now);
    }
}
