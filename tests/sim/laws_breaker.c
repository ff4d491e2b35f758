/* SPDX-License-Identifier: Apache-2.0 */
/* Doors: what somebody who sees all ends of all attempts knows of a breaker. Every failure and
 * success that counts is kept with its time until it is too old; of the length of a stay only the
 * bounds are known. Where chance or panic leave more than one possibility, the door is
 * UNSURE from then on and no longer judged: with panics off that is rare. */
#include "tests/sim/laws.h"

#include "base/mem.h"

enum { SAMPLES_MIN = 10, CONNECTS = 3, OPEN_MAX_MS = 120000, STAY_MAX_MS = 300000 };
enum { FORGIVE_MS = 60000, GAP_MS = 1000, GOOD = 2, BUCKETS = 10, LEASE_EXTRA_MS = 5000 };
enum { SHARE_PERCENT = 60, PANIC_GAP_MS = 1000, OVERDUE_LEAST = 10 };

enum passed { PASSED_FREELY, PASSED_PROBE, PASSED_PANIC };

void door_init(struct door *door, const struct trip_rule *rule)
{
    *door = (struct door){.state = DOOR_CLOSED, .rule = *rule};
}

void door_fini(struct door *door)
{
    mem_give(door->ticks, door->ticks_room * sizeof *door->ticks);
    door->ticks = NULL;
    door->ticks_room = 0;
}

/* ---- counting ---- */

static struct tick *tick_at(const struct door *door, size_t i)
{
    return &door->ticks[(door->ticks_first + i) % door->ticks_room];
}

static void keep(struct door *door, mono_ms now, bool is_failure)
{
    if (door->ticks_count == door->ticks_room) {
        size_t room = door->ticks_room == 0 ? 32 : door->ticks_room * 2;
        struct tick *ticks = mem_take(room * sizeof *ticks);

        must(ticks != NULL && room <= TICKS_MAX);
        for (size_t i = 0; i < door->ticks_count; i++) {
            ticks[i] = *tick_at(door, i);
        }
        mem_give(door->ticks, door->ticks_room * sizeof *ticks);
        door->ticks = ticks;
        door->ticks_room = room;
        door->ticks_first = 0;
    }
    door->ticks_count++;
    door->ticks_failed += is_failure ? 1 : 0;
    *tick_at(door, door->ticks_count - 1) = (struct tick){.at = now, .is_failure = is_failure};
}

static void forget_old(struct door *door, mono_ms now)
{
    uint32_t bucket_ms = door->rule.window_ms / BUCKETS;
    uint64_t number = now / bucket_ms;
    uint64_t oldest = number >= BUCKETS ? number - BUCKETS + 1 : 0;

    while (door->ticks_count > 0 && tick_at(door, 0)->at / bucket_ms < oldest) {
        door->ticks_failed -= tick_at(door, 0)->is_failure ? 1 : 0;
        door->ticks_first = (door->ticks_first + 1) % door->ticks_room;
        door->ticks_count--;
    }
}

static bool is_due(struct door *door, mono_ms now)
{
    if (door->failures_in_row >= door->rule.failures || door->connects_in_row >= CONNECTS) {
        return true;
    }
    forget_old(door, now);
    return door->ticks_count >= SAMPLES_MIN &&
           door->ticks_failed * 100 >= door->ticks_count * door->rule.ratio_percent;
}

static void count(struct door *door, enum signal signal, mono_ms now)
{
    bool is_failure = signal == SIGNAL_FAILURE || signal == SIGNAL_CONNECT;

    keep(door, now, is_failure);
    door->failures_in_row = is_failure ? door->failures_in_row + 1 : 0;
    door->connects_in_row = signal == SIGNAL_CONNECT ? door->connects_in_row + 1 : 0;
}

/* ---- states ---- */

static mono_ms later(mono_ms a, mono_ms b)
{
    return a > b ? a : b;
}

static void open_up(struct door *door, uint64_t hint_ms, mono_ms now)
{
    uint64_t base = door->rule.open_ms;
    mono_ms most = mono_add(now, STAY_MAX_MS);

    door->trips++;
    door->opened++;
    for (uint32_t i = 1; i < door->trips && base < OPEN_MAX_MS; i++) {
        base *= 2;
    }
    base = base < OPEN_MAX_MS ? base : OPEN_MAX_MS;
    door->state = DOOR_OPEN;
    door->probe++;
    door->is_probe_out = false;
    door->earliest = mono_min(later(now + base * 8 / 10, now + hint_ms), most);
    door->latest = mono_min(later(now + base * 12 / 10 + 1, now + hint_ms), most);
    if (door->probe_at != 0) {
        door->earliest = later(door->earliest, door->probe_at + GAP_MS);
        door->latest = later(door->latest, door->probe_at + GAP_MS);
    }
}

static void let_probe(struct door *door, struct seen_attempt *attempt, int scope, uint64_t lease_ms,
                      mono_ms now)
{
    door->state = DOOR_HALF;
    door->probe++;
    door->is_probe_out = true;
    door->probe_at = now;
    door->lease_min = now + lease_ms;
    attempt->pass[scope] = PASSED_PROBE;
    attempt->probe[scope] = door->probe;
}

/* True: only panic can have let it through. */
static bool enter(struct door *door, struct seen_attempt *attempt, int scope, uint64_t lease_ms,
                  bool panics, mono_ms now)
{
    attempt->pass[scope] = PASSED_FREELY;
    switch (door->state) {
    case DOOR_CLOSED:
    case DOOR_UNSURE: return false;
    case DOOR_OPEN:
        if (now < door->earliest) {
            attempt->pass[scope] = PASSED_PANIC;
            return true;
        }
        if (panics && now < door->latest) {
            door->state = DOOR_UNSURE;
            return false;
        }
        door->good = 0;
        let_probe(door, attempt, scope, lease_ms, now);
        return false;
    case DOOR_HALF:
        if ((door->is_probe_out && now < door->lease_min) ||
            (door->probe_at != 0 && now < door->probe_at + GAP_MS)) {
            attempt->pass[scope] = PASSED_PANIC;
            return true;
        }
        if (door->is_probe_out && panics) {
            door->state = DOOR_UNSURE;
            return false;
        }
        let_probe(door, attempt, scope, lease_ms, now);
        return false;
    }
    UNREACHABLE();
}

static void report_closed(struct door *door, enum signal signal, uint64_t hint_ms, mono_ms now)
{
    uint64_t due = mono_until(door->forgiven_at, now) / FORGIVE_MS;

    count(door, signal, now);
    door->trips -= due < door->trips ? (uint32_t)due : door->trips;
    door->forgiven_at += due * FORGIVE_MS;
    if (is_due(door, now)) {
        open_up(door, hint_ms, now);
    }
}

static void report_open(struct door *door, bool is_failure, uint64_t hint_ms, mono_ms now)
{
    if (!is_failure) {
        door->state = DOOR_HALF;
        door->good = 1;
        door->failures_in_row = 0;
        door->connects_in_row = 0;
    } else if (hint_ms > 0) {
        door->earliest = later(door->earliest, now + hint_ms);
        door->latest = later(door->latest, now + hint_ms);
    }
}

static void report_half(struct door *door, enum signal signal, uint64_t hint_ms, mono_ms now)
{
    if (signal == SIGNAL_FAILURE || signal == SIGNAL_CONNECT) {
        count(door, signal, now);
        open_up(door, hint_ms, now);
        return;
    }
    if (!door->is_probe_out) {
        return;
    }
    if (now >= door->lease_min) {
        door->state = DOOR_UNSURE;
        return;
    }
    door->is_probe_out = false;
    door->failures_in_row = 0;
    door->connects_in_row = 0;
    if (++door->good >= GOOD) {
        door->state = DOOR_CLOSED;
        door->ticks_count = 0;
        door->ticks_failed = 0;
        door->forgiven_at = now;
    }
}

static void report(struct door *door, const struct seen_attempt *attempt, int scope,
                   enum signal signal, uint64_t hint_ms, mono_ms now)
{
    bool is_probe = attempt->pass[scope] == PASSED_PROBE && attempt->probe[scope] == door->probe;
    bool is_failure = signal == SIGNAL_FAILURE || signal == SIGNAL_CONNECT;

    if (signal == SIGNAL_NEUTRAL) {
        door->is_probe_out = door->is_probe_out && !is_probe;
        return;
    }
    switch (door->state) {
    case DOOR_UNSURE: return;
    case DOOR_CLOSED: report_closed(door, signal, hint_ms, now); return;
    case DOOR_OPEN:
        if (attempt->pass[scope] == PASSED_PANIC) {
            report_open(door, is_failure, hint_ms, now);
        }
        return;
    case DOOR_HALF:
        if (is_probe) {
            report_half(door, signal, hint_ms, now);
        }
        return;
    }
}

/* ---- attempts ---- */

static bool is_bad(enum signal signal)
{
    return signal == SIGNAL_FAILURE || signal == SIGNAL_CONNECT;
}

static struct door *door_of(struct laws *laws, const struct seen_attempt *attempt, int scope)
{
    const struct place_facts *of = &laws->of[attempt->place];

    return scope == 0 ? &laws->endpoints[of->endpoint] : &laws->deployments[of->deployment];
}

/* A probe's slot is taken at least so long: the time for a head or first content, of which the
 * dispatch may cut off what another target would need, and what is added to it. */
static uint64_t lease_of(const struct laws *laws, const struct sight *sight, mono_ms now)
{
    const struct timeouts *timeouts = &laws->house->route.timeouts;
    uint64_t gate = sight->ask.is_stream ? timeouts->first_content_ms : timeouts->head_ms;
    uint64_t share = mono_until(now, sight->end) * SHARE_PERCENT / 100;

    return (share < gate ? share : gate) + LEASE_EXTRA_MS;
}

/* They are counted when money is asked for them, which may come in another order. */
static void one_panic_a_second(struct laws *laws, const struct sight *sight, mono_ms asked_at,
                               mono_ms now)
{
    for (size_t i = 0; i < PANICS_KEPT && i < laws->panics; i++) {
        mono_ms other = laws->panicked_at[i];

        if (asked_at < other + PANIC_GAP_MS && other < asked_at + PANIC_GAP_MS) {
            laws_break(laws, sight, now, "more than one panic a second");
        }
    }
    laws->panicked_at[laws->panics++ % PANICS_KEPT] = asked_at;
}

void laws_doors_enter(struct laws *laws, struct sight *sight, struct seen_attempt *attempt,
                      mono_ms now)
{
    bool panics = laws->house->route.panics;
    uint64_t lease_ms = lease_of(laws, sight, now);
    bool is_panic = false;

    for (int scope = 0; scope < 2; scope++) {
        if (enter(door_of(laws, attempt, scope), attempt, scope, lease_ms, panics, now)) {
            is_panic = true;
        }
    }
    if (!is_panic) {
        return;
    }
    if (!panics) {
        laws_break(laws, sight, now, "an attempt passed a door that had to be shut");
    } else if (sight->started > 1) {
        laws_break(laws, sight, now, "a call that had its attempt went on in panic");
    }
    one_panic_a_second(laws, sight, attempt->asked_at, now);
}

/* ---- silence ---- */

/* When exactly an attempt is overdue depends on how quick its target was before, and whether it
 * counts on where else it could go. But none is before silence_ms, and it takes ten, none of which
 * was sent before the target was last heard of. */
void laws_doors_wake(struct laws *laws, struct sight *sight, mono_ms now)
{
    for (uint8_t i = 1; i <= sight->numbers; i++) {
        struct seen_attempt *attempt = &sight->attempts[i];
        struct door *door = door_of(laws, attempt, 1);
        bool is_heard = sight->ask.is_stream ? attempt->has_content : attempt->has_head;

        if (attempt->is_running && attempt->is_written && !is_heard && !attempt->is_overdue &&
            now >= mono_add(attempt->written_at, door->rule.silence_ms)) {
            attempt->is_overdue = true;
            door->overdue += attempt->written_at >= door->heard_at ? 1 : 0;
        }
    }
}

void laws_doors_heard(struct laws *laws, const struct seen_attempt *attempt, mono_ms now)
{
    struct door *door = door_of(laws, attempt, 1);

    door->overdue = 0;
    door->heard_at = now;
    if (door->is_silent && door->state == DOOR_OPEN) {
        door->state = DOOR_HALF;
        door->good = 0;
    }
    door->is_silent = false;
}

/* A probe that waited for long enough ends as a failure like any other: no finding of many. */
static bool is_a_probes_end(const struct sight *sight)
{
    for (uint8_t i = 1; i <= sight->numbers; i++) {
        const struct seen_attempt *attempt = &sight->attempts[i];

        if (attempt->is_running &&
            (attempt->pass[0] == PASSED_PROBE || attempt->pass[1] == PASSED_PROBE)) {
            return true;
        }
    }
    return false;
}

void laws_notice(struct laws *laws, const struct sight *sight, const struct notice *notice,
                 mono_ms now)
{
    struct door *door = NULL;

    if (notice->kind != NOTICE_BREAKER_OPENED || notice->outcome != OUTCOME_SILENT ||
        notice->old_state == NULL || is_a_probes_end(sight)) {
        return;
    }
    for (size_t i = 0; i < laws->house->routing.targets_count; i++) {
        const struct target *target = &laws->house->targets[i];

        if (span_equal(target->provider->name, notice->provider) &&
            span_equal(target->model, notice->model)) {
            door = &laws->deployments[laws->of[i].deployment];
        }
    }
    must(door != NULL);
    if (door->rule.silence_ms == 0 || door->overdue < OVERDUE_LEAST) {
        laws_break(laws, sight, now, "found silent although few waited, or it was heard of");
    }
    if (door->state == DOOR_CLOSED) {
        uint64_t due = mono_until(door->forgiven_at, now) / FORGIVE_MS;

        door->trips -= due < door->trips ? (uint32_t)due : door->trips;
        door->forgiven_at += due * FORGIVE_MS;
        open_up(door, 0, now);
        door->is_silent = true;
    }
}

/* ---- reports ---- */

void laws_doors_content(struct laws *laws, struct sight *sight, struct seen_attempt *attempt,
                        mono_ms now)
{
    (void)sight;
    laws_doors_heard(laws, attempt, now);
    for (int scope = 0; scope < 2; scope++) {
        report(door_of(laws, attempt, scope), attempt, scope, SIGNAL_SUCCESS, 0, now);
    }
}

void laws_doors_ended(struct laws *laws, struct sight *sight, struct seen_attempt *attempt,
                      mono_ms now)
{
    struct meaning meaning = meaning_at_end(attempt);
    bool is_failure = is_bad(meaning.endpoint) || is_bad(meaning.deployment);
    uint64_t hint_ms = is_failure && attempt->hint_ms > 0 ? (uint64_t)attempt->hint_ms : 0;

    (void)sight;
    if (meaning_of(attempt->outcome).endpoint == SIGNAL_SUCCESS) { /* an answer, be it a no */
        laws_doors_heard(laws, attempt, now);
    }
    report(door_of(laws, attempt, 0), attempt, 0, meaning.endpoint, hint_ms, now);
    report(door_of(laws, attempt, 1), attempt, 1, meaning.deployment, hint_ms, now);
    for (int scope = 0; scope < 2; scope++) { /* whatever it said, it is gone */
        report(door_of(laws, attempt, scope), attempt, scope, SIGNAL_NEUTRAL, 0, now);
    }
}

/* Whoever asks is let in, be it as the next probe. */
static bool lets_in(const struct door *door, mono_ms now)
{
    switch (door->state) {
    case DOOR_CLOSED: return true;
    case DOOR_OPEN: return now >= door->latest;
    case DOOR_HALF:
        return !door->is_probe_out && (door->probe_at == 0 || now >= door->probe_at + GAP_MS);
    case DOOR_UNSURE: return false;
    }
    UNREACHABLE();
}

bool laws_lets_in(const struct laws *laws, uint8_t place, mono_ms now)
{
    const struct place_facts *of = &laws->of[place];

    return lets_in(&laws->endpoints[of->endpoint], now) &&
           lets_in(&laws->deployments[of->deployment], now);
}
