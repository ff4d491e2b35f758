/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/gcra.c: a unit takes period / limit milliseconds. As ticks that is period / divisor,
 * with limit / divisor of them to a millisecond, where the divisor is the greatest common one: whole
 * numbers both, so no rounding adds up over many calls. */
#include "enforcement/gcra.h"

#include "base/must.h"

/* A millisecond has at most so many ticks: times GCRA_NOW_MAX it stays in 64 bits. */
static const uint64_t scale_max = UINT64_C(1) << 22;

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b > 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

void gcra_rule_make(struct gcra_rule *rule, uint64_t limit, uint64_t period_ms, uint64_t burst)
{
    uint64_t divisor = common_divisor(limit, period_ms);

    must(limit >= 1 && limit <= GCRA_LIMIT_MAX && burst >= 1 && burst <= limit);
    must(period_ms >= 1 && period_ms <= GCRA_PERIOD_MAX_MS &&
         limit / period_ms <= GCRA_LIMIT_MAX_MS);
    *rule = (struct gcra_rule){
        .limit = limit, .burst = burst, .scale = limit / divisor, .step = period_ms / divisor};
    if (rule->scale > scale_max) {
        /* The nearest pair below, by less than a tick of the 3,000,000 that a millisecond has then. */
        rule->step = scale_max * period_ms / limit;
        rule->scale = limit * rule->step / period_ms;
    }
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

static uint64_t ticks_of(const struct gcra_rule *rule, uint64_t units)
{
    return units > UINT64_MAX / rule->step ? UINT64_MAX : units * rule->step;
}

/* What is taken and not free again yet. */
static uint64_t backlog(const struct gcra *gcra, const struct gcra_rule *rule, mono_ms now)
{
    must(now <= GCRA_NOW_MAX);
    return gcra->tat > now * rule->scale ? gcra->tat - now * rule->scale : 0;
}

static uint64_t ms_of(const struct gcra_rule *rule, uint64_t ticks)
{
    return ticks / rule->scale + (ticks % rule->scale > 0 ? 1 : 0);
}

uint64_t gcra_ask(const struct gcra *gcra, const struct gcra_rule *rule, mono_ms now, uint64_t cost)
{
    uint64_t wanted = add(backlog(gcra, rule, now), ticks_of(rule, cost));
    uint64_t room = ticks_of(rule, rule->burst);

    if (cost > rule->burst) {
        return GCRA_NEVER;
    }
    return wanted <= room ? 0 : ms_of(rule, wanted - room);
}

void gcra_take(struct gcra *gcra, const struct gcra_rule *rule, mono_ms now, uint64_t cost)
{
    gcra->tat = add(now * rule->scale, add(backlog(gcra, rule, now), ticks_of(rule, cost)));
}

void gcra_refund(struct gcra *gcra, const struct gcra_rule *rule, mono_ms now, uint64_t amount)
{
    uint64_t taken = backlog(gcra, rule, now);
    uint64_t back = ticks_of(rule, amount);

    gcra->tat -= back < taken ? back : taken;
}

uint64_t gcra_remaining(const struct gcra *gcra, const struct gcra_rule *rule, mono_ms now)
{
    uint64_t taken = backlog(gcra, rule, now);
    uint64_t room = ticks_of(rule, rule->burst);

    return taken >= room ? 0 : (room - taken) / rule->step;
}

uint64_t gcra_reset_ms(const struct gcra *gcra, const struct gcra_rule *rule, mono_ms now)
{
    return ms_of(rule, backlog(gcra, rule, now));
}

void gcra_move(struct gcra *gcra, const struct gcra_rule *from, const struct gcra_rule *to)
{
    uint64_t at = ms_of(from, gcra->tat);

    gcra->tat = at > UINT64_MAX / to->scale ? UINT64_MAX : at * to->scale;
}
