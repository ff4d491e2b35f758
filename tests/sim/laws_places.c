/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/laws.h"

#include "base/mem.h"
#include "wire/hint.h"

enum { MINUTE_MS = 60000, BUCKET_MS = 6000, FLOOR = 10, PERCENT = 20 };
enum { COOL_MAX_MS = 300000, DAY_MS = 86400000 };
/* An attempt needs 2 s, and a crowd of retries or of connections may put it off a little. */
enum { ATTEMPT_MIN_MS = 2000 + 300 };

/* ---- moments ---- */

static mono_ms moment(const struct moments *moments, size_t i)
{
    return moments->list[(moments->first + i) % moments->room];
}

static void moments_add(struct moments *moments, mono_ms now)
{
    while (moments->count > 0 && moment(moments, 0) + MINUTE_MS + BUCKET_MS <= now) {
        moments->first = (moments->first + 1) % moments->room;
        moments->count--;
    }
    if (moments->count == moments->room) {
        size_t room = moments->room == 0 ? 32 : moments->room * 2;
        mono_ms *list = mem_take(room * sizeof *list);

        must(list != NULL);
        for (size_t i = 0; i < moments->count; i++) {
            list[i] = moment(moments, i);
        }
        mem_give(moments->list, moments->room * sizeof *list);
        moments->list = list;
        moments->room = room;
        moments->first = 0;
    }
    moments->list[(moments->first + moments->count++) % moments->room] = now;
}

/* Those later than `ms` ago. */
static uint64_t moments_within(const struct moments *moments, uint64_t ms, mono_ms now)
{
    size_t low = 0;
    size_t high = moments->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (moment(moments, middle) + ms > now) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return moments->count - low;
}

/* ---- storms ---- */

void laws_places_call(struct laws *laws, const struct sight *sight, mono_ms now)
{
    for (uint8_t i = 0; i < sight->count; i++) {
        uint16_t endpoint = laws->of[sight->order[i]].endpoint;
        bool is_counted = false;

        for (uint8_t k = 0; k < i; k++) {
            is_counted = is_counted || laws->of[sight->order[k]].endpoint == endpoint;
        }
        if (!is_counted) {
            moments_add(&laws->calls[endpoint], now);
        }
    }
}

static void storm(struct laws *laws, const struct sight *sight, uint16_t endpoint, mono_ms now)
{
    uint64_t retries = moments_within(&laws->retries[endpoint], MINUTE_MS, now);
    uint64_t calls = moments_within(&laws->calls[endpoint], MINUTE_MS, now);

    if (retries > FLOOR + calls * PERCENT / 100) {
        laws_break(laws, sight, now, "more retries at an endpoint than its minute allows");
    }
}

static bool storm_surely_allows(const struct laws *laws, uint8_t place, mono_ms now)
{
    uint16_t endpoint = laws->of[place].endpoint;
    /* The code counts in buckets, and errs on the side of no. */
    uint64_t retries = moments_within(&laws->retries[endpoint], MINUTE_MS + BUCKET_MS, now);
    uint64_t calls = moments_within(&laws->calls[endpoint], MINUTE_MS - BUCKET_MS, now);

    return retries < FLOOR + calls * PERCENT / 100;
}

/* ---- attempts ---- */

static void is_welcome(struct laws *laws, const struct sight *sight, uint8_t place, mono_ms now)
{
    const struct place_facts *of = &laws->of[place];

    if (now < laws->cooling[of->deployment].least) {
        laws_break(laws, sight, now, "an attempt into a cooldown that was told");
    }
    if (now < laws->parked[of->credential].least) {
        laws_break(laws, sight, now, "an attempt with a credential that was refused");
    }
    if (now < laws->shut[of->deployment].least) {
        laws_break(laws, sight, now, "an attempt at a target that refused");
    }
    if (now < laws->used_up_until[of->deployment]) {
        laws_break(laws, sight, now, "an attempt where nothing is left of the limit");
    }
}

void laws_places_start(struct laws *laws, struct sight *sight, struct seen_attempt *attempt,
                       mono_ms now)
{
    const struct place_facts *of = &laws->of[attempt->place];
    const struct seen_attempt *last = &sight->attempts[sight->last_number];
    bool is_fresh =
        sight->last_number != 0 && last->outcome == OUTCOME_STALE && last->place == attempt->place;

    is_welcome(laws, sight, attempt->place, now);
    if (attempt->is_retry) {
        moments_add(&laws->retries[of->endpoint], now);
        if (!is_fresh) { /* a stale connection's end is repeated whatever the budgets say */
            storm(laws, sight, of->endpoint, now);
        }
    }
    laws->attempts[of->endpoint]++;
    laws->in_flight[of->deployment]++;
}

static void stay(struct stay *stay, uint64_t least_ms, uint64_t most_ms, mono_ms now)
{
    mono_ms least = mono_add(now, least_ms);
    mono_ms most = mono_add(now, most_ms);

    stay->least = least > stay->least ? least : stay->least;
    stay->most = most > stay->most ? most : stay->most;
}

static void mark(struct laws *laws, const struct seen_attempt *attempt, uint64_t quota_ms,
                 mono_ms now)
{
    const struct place_facts *of = &laws->of[attempt->place];
    struct meaning meaning = meaning_of(attempt->outcome);
    bool is_out = false;
    bool has_hint = attempt->hint_ms != HINT_NONE;
    uint64_t hint = has_hint ? (uint64_t)attempt->hint_ms : 0;

    hint = hint < COOL_MAX_MS ? hint : COOL_MAX_MS;
    switch (meaning.out_of) {
    case OUT_OF_NOTHING: return;
    case OUT_OF_COOL:
        /* Out already, perhaps: then nothing is added. */
        is_out = !has_hint && now < laws->cooling[of->deployment].most;
        stay(&laws->cooling[of->deployment],
             has_hint ? hint
             : is_out ? 0
                      : meaning.least_ms,
             has_hint ? hint : meaning.most_ms, now);
        return;
    case OUT_OF_COOL_HINT: stay(&laws->cooling[of->deployment], hint, hint, now); return;
    case OUT_OF_CREDENTIAL:
        if (now >= laws->parked[of->credential].most) {
            stay(&laws->parked[of->credential],
                 quota_ms > 0 && quota_ms < DAY_MS ? quota_ms : meaning.least_ms,
                 quota_ms > 0 ? quota_ms : meaning.most_ms, now);
        }
        return;
    case OUT_OF_TARGET:
        if (now >= laws->shut[of->deployment].most) {
            stay(&laws->shut[of->deployment], meaning.least_ms, meaning.most_ms, now);
        }
        return;
    }
}

void laws_places_ended(struct laws *laws, struct sight *sight, struct seen_attempt *attempt,
                       uint64_t quota_ms, mono_ms now)
{
    const struct place_facts *of = &laws->of[attempt->place];

    (void)sight;
    laws->attempts[of->endpoint]--;
    laws->in_flight[of->deployment]--;
    mark(laws, attempt, quota_ms, now);
}

void laws_reported(struct laws *laws, const struct sight *sight, uint8_t number,
                   const struct reported *reported, mono_ms now)
{
    uint16_t deployment = laws->of[sight->attempts[number].place].deployment;

    laws->tells_left = true;
    laws->used_up_until[deployment] = reported->requests.remaining == 0
                                          ? mono_add(now, (uint64_t)reported->requests.reset_ms)
                                          : 0;
}

/* ---- was there really nobody left? ---- */

static bool is_surely_eligible(const struct laws *laws, uint8_t place, mono_ms now)
{
    const struct place_facts *of = &laws->of[place];

    return laws_lets_in(laws, place, now) && !laws->tells_left &&
           now >= laws->cooling[of->deployment].most && now >= laws->parked[of->credential].most &&
           now >= laws->shut[of->deployment].most;
}

static bool may_follow(const struct laws *laws, const struct sight *sight, enum outcome outcome)
{
    enum follow follow = meaning_of(outcome).follow;
    const struct route *route = &laws->house->route;

    if (sight->ask.no_failover || sight->started >= route->retry.attempts ||
        (follow != FOLLOW_OTHER && follow != FOLLOW_ANY)) {
        return false;
    }
    if (sight->ask.runs_once && sight->attempts[sight->last_number].is_written) {
        return false;
    }
    return sight->ambiguous == 0 || route->retry.ambiguous == AMBIGUOUS_ALWAYS ||
           (sight->ambiguous == 1 && route->retry.ambiguous == AMBIGUOUS_ONCE);
}

void laws_places_given_up(struct laws *laws, const struct sight *sight, enum outcome outcome,
                          mono_ms now)
{
    if (sight->is_shut_down || sight->in_flight > 0 || outcome == OUTCOME_LOCAL ||
        outcome == OUTCOME_DEADLINE || mono_until(now, sight->end) < ATTEMPT_MIN_MS) {
        return;
    }
    if (sight->started > 0 && !may_follow(laws, sight, outcome)) {
        return;
    }
    for (uint8_t i = 0; i < sight->count; i++) { /* the budget of one of them may have ended it */
        if (sight->started > 0 && !storm_surely_allows(laws, sight->order[i], now)) {
            return;
        }
    }
    for (uint8_t i = 0; i < sight->count; i++) {
        uint8_t place = sight->order[i];

        if (sight->tries[place] == 0 && !sight->spent[place] && !sight->untold[place] &&
            is_surely_eligible(laws, place, now)) {
            laws_break(laws, sight, now, "given up although another target stood open");
            return;
        }
    }
}
