/* SPDX-License-Identifier: Apache-2.0 */
/* First what forbids any further attempt, then which of the two ways is open and allowed by its
 * endpoint's budgets. A way that is closed leaves the other one (docs/decisions/0010). */
#include "router/retry.h"

#include "base/must.h"
#include "wire/hint.h"

enum { THROTTLE_BASE_MS = 1000, THROTTLE_CAP_MS = 20000, HINT_EXTRA_MAX_MS = 1000 };

static const char *const words[] = {
#define RETRY_WHY(name, word) word,
#include "router/retry_whys.def"
#undef RETRY_WHY
};

const char *retry_why_word(enum retry_why why)
{
    must((size_t)why < ARRAY_LENGTH(words));
    return words[why];
}

/* ---- pauses ---- */

static uint32_t doubled(uint32_t base, uint32_t k, uint32_t cap)
{
    uint64_t ms = base;

    for (uint32_t i = 1; i < k && ms < cap; i++) {
        ms *= 2;
    }
    return (uint32_t)(ms < cap ? ms : cap);
}

uint32_t retry_pause_ms(const struct retry_rule *rule, uint32_t k, uint32_t last_ms,
                        bool is_throttled, struct rng *rng)
{
    uint32_t base = is_throttled ? THROTTLE_BASE_MS : rule->base_ms;
    uint32_t cap = is_throttled ? THROTTLE_CAP_MS : rule->cap_ms;

    if (rule->jitter == JITTER_FULL) {
        return (uint32_t)rng_below(rng, (uint64_t)doubled(base, k, cap) + 1);
    }
    uint64_t most = 3 * (uint64_t)(last_ms < base ? base : last_ms);
    uint64_t ms = base + rng_below(rng, most - base + 1);
    return (uint32_t)(ms < cap ? ms : cap);
}

uint32_t retry_hint_ms(int64_t hint_ms, struct rng *rng)
{
    uint64_t extra = 0;

    must(hint_ms >= 0);
    extra = (uint64_t)hint_ms / 10;
    extra = extra < HINT_EXTRA_MAX_MS ? extra : HINT_EXTRA_MAX_MS;
    return (uint32_t)((uint64_t)hint_ms + rng_below(rng, extra + 1));
}

uint32_t retry_hint_max_ms(const struct retry_rule *rule, enum outcome outcome)
{
    bool is_routes = outcome == OUTCOME_THROTTLED && rule->wait_ms > RETRY_HINT_MAX_MS;

    return is_routes ? rule->wait_ms : RETRY_HINT_MAX_MS;
}

/* ---- the decision ---- */

static struct retry_decision stop(enum retry_why why)
{
    return (struct retry_decision){.choice = RETRY_STOP, .why = why};
}

static struct retry_decision go(enum retry_choice choice, enum retry_why why, uint32_t wait_ms)
{
    return (struct retry_decision){.choice = choice, .why = why, .wait_ms = wait_ms};
}

static bool fits(const struct retry_facts *f, uint64_t wait_ms)
{
    return f->left_ms >= wait_ms + RETRY_ATTEMPT_MIN_MS;
}

/* What holds for every further attempt. RETRY_DONE: nothing forbids it. */
static enum retry_why forbidden(const struct retry_facts *f)
{
    if (f->attempts >= f->attempts_max) {
        return f->attempts_max < f->rule->attempts ? RETRY_APP_SAYS_NO : RETRY_ATTEMPTS;
    }
    if (!fits(f, 0)) {
        return RETRY_NO_TIME;
    }
    if (f->is_ambiguous && (f->rule->ambiguous == AMBIGUOUS_NEVER ||
                            (f->rule->ambiguous == AMBIGUOUS_ONCE && f->ambiguous > 0))) {
        return RETRY_AMBIGUOUS;
    }
    if (f->is_ambiguous && f->is_money_out) {
        return RETRY_STORM_MONEY;
    }
    return RETRY_DONE;
}

static enum retry_why why_of(enum storm_no no)
{
    return no == STORM_TOKENS ? RETRY_STORM_TOKENS : RETRY_STORM_CONCURRENCY;
}

/* Too many retries at once pass by themselves; a used up budget does not. */
enum { CROWD_PAUSE_MS = 200 };
/* All our ports to one address are taken: another address has its own, but who is that busy waits a
 * little. */
enum { PORTS_PAUSE_MS = 100 };

static bool is_throttled(const struct retry_facts *f)
{
    return f->outcome == OUTCOME_THROTTLED || f->outcome == OUTCOME_OVERLOADED;
}

static struct retry_decision to_next(const struct retry_facts *f, struct rng *rng)
{
    enum retry_why why = f->outcome == OUTCOME_CONTEXT ? RETRY_LARGER_TARGET : RETRY_OTHER_TARGET;
    uint32_t wait_ms = 0;

    if (!f->has_next) {
        return stop(RETRY_NO_TARGET);
    }
    if (f->next_storm == STORM_TOKENS) {
        return stop(RETRY_STORM_TOKENS);
    }
    if (f->is_next_again) {
        wait_ms = retry_pause_ms(f->rule, f->waits + 1U, f->last_wait_ms, is_throttled(f), rng);
    }
    if (f->outcome == OUTCOME_PORTS) {
        wait_ms += PORTS_PAUSE_MS;
    }
    if (f->next_storm == STORM_CONCURRENCY) {
        wait_ms += 1 + (uint32_t)rng_below(rng, CROWD_PAUSE_MS);
    }
    return fits(f, wait_ms) ? go(RETRY_NEXT, why, wait_ms) : stop(RETRY_NO_TIME);
}

static struct retry_decision to_same(const struct retry_facts *f, struct rng *rng)
{
    bool is_fresh = f->outcome == OUTCOME_STALE;
    uint64_t wait_ms = 0;

    if (f->attempts_here >= f->rule->attempts_per_target) {
        return stop(RETRY_ATTEMPTS);
    }
    if (!f->may_same) {
        return stop(RETRY_NO_TARGET);
    }
    if (f->should_retry == 0) {
        return stop(RETRY_PROVIDER_SAYS_NO);
    }
    if (f->same_storm != STORM_ALLOWS && !is_fresh) {
        return stop(why_of(f->same_storm));
    }
    if (is_fresh) {
        return go(RETRY_SAME, RETRY_FRESH_CONNECTION, 0);
    }
    if (f->hint_ms != HINT_NONE && f->hint_ms > retry_hint_max_ms(f->rule, f->outcome)) {
        return stop(RETRY_HINT_LONG);
    }
    wait_ms = f->hint_ms != HINT_NONE
                  ? retry_hint_ms(f->hint_ms, rng)
                  : retry_pause_ms(f->rule, f->waits + 1U, f->last_wait_ms, is_throttled(f), rng);
    if (wait_ms < f->same_ready_ms) {
        wait_ms = f->same_ready_ms;
    }
    if (!fits(f, wait_ms)) {
        return stop(RETRY_NO_TIME);
    }
    return go(RETRY_SAME, f->hint_ms != HINT_NONE ? RETRY_WAITED_HINT : RETRY_SAME_TARGET,
              (uint32_t)wait_ms);
}

/* The one way, and if it is closed the other; told is why the first one is. */
static struct retry_decision either(struct retry_decision first, struct retry_decision second)
{
    if (first.choice != RETRY_STOP) {
        return first;
    }
    return second.choice != RETRY_STOP || first.why == RETRY_NO_TARGET ? second : first;
}

static struct retry_decision after_throttle(const struct retry_facts *f, struct rng *rng)
{
    struct retry_decision same = to_same(f, rng);
    struct retry_decision next = to_next(f, rng);
    bool is_short = f->hint_ms != HINT_NONE && f->hint_ms <= (int64_t)f->rule->wait_ms;

    return is_short ? either(same, next) : either(next, same);
}

/* A provider that will not have the request may well not have the begun answer that we put into it:
 * the app's own request was taken before. */
enum remedy retry_remedy(enum outcome outcome, bool is_resume)
{
    return is_resume && outcome == OUTCOME_REQUEST ? REMEDY_NEXT : outcome_row(outcome)->remedy;
}

struct retry_decision retry_decide(const struct retry_facts *f, struct rng *rng)
{
    enum retry_why why = forbidden(f);
    enum remedy remedy = retry_remedy(f->outcome, f->is_resume);

    if (remedy == REMEDY_NONE || (remedy == REMEDY_SURFACE && f->should_retry != 1)) {
        return stop(RETRY_FINAL);
    }
    if (why != RETRY_DONE) {
        return stop(why);
    }
    switch (remedy) {
    case REMEDY_NONE: break;
    case REMEDY_SURFACE: return to_same(f, rng); /* the provider itself asks for it */
    case REMEDY_NEXT:
    case REMEDY_LARGER: return to_next(f, rng);
    case REMEDY_NEXT_SAME: return either(to_next(f, rng), to_same(f, rng));
    case REMEDY_SAME_NEXT:
        return f->attempts_here > 1 || f->should_retry == 0
                   ? either(to_next(f, rng), to_same(f, rng))
                   : either(to_same(f, rng), to_next(f, rng));
    case REMEDY_FRESH:
        return f->fresh > 0 ? either(to_next(f, rng), to_same(f, rng))
                            : either(to_same(f, rng), to_next(f, rng));
    case REMEDY_THROTTLE: return after_throttle(f, rng);
    }
    UNREACHABLE();
}
