/* SPDX-License-Identifier: Apache-2.0 */
/* Tier after tier the strategy orders; then a session's own target comes first, and a target in slow
 * start lets some calls pass. */
#include "router/plan.h"

#include "breaker/ramp.h"
#include "router/share.h"

/* ---- who is there ---- */

bool plan_speaks(const struct route *route, const struct dialect *dialect)
{
    for (size_t i = 0; i < route->targets_count; i++) {
        if (route->targets[i].is_enabled && route->targets[i].provider->dialect == dialect) {
            return true;
        }
    }
    return false;
}

const struct target *plan_target(const struct plan *plan, uint8_t place)
{
    return &plan->targets[place];
}

struct member plan_member(const struct plan *plan, struct fleet *fleet, uint8_t place)
{
    return fleet_member(fleet, &plan->targets[place], plan->model);
}

struct standing plan_standing(const struct plan *plan, struct fleet *fleet, uint8_t place,
                              mono_ms now)
{
    return fleet_standing(fleet, plan_member(plan, fleet, place), &plan->estimate, now);
}

static bool is_out(enum eligibility what)
{
    return what != ELIGIBLE && what != ELIGIBLE_PROBE;
}

/* ---- the order ---- */

/* One tier on its way through the strategy. */
struct tier {
    struct figures figures[TARGETS_MAX];
    uint8_t count;
};

/* What is not known yet is taken to be like the middle of the others. */
static void fill_unknown(struct tier *tier)
{
    uint32_t known[TARGETS_MAX];
    size_t count = 0;
    uint32_t median = 1000;

    for (uint8_t i = 0; i < tier->count; i++) {
        uint32_t score = tier->figures[i].score_permille;
        size_t at = count;

        if (score == 0) {
            continue;
        }
        for (; at > 0 && known[at - 1] > score; at--) {
            known[at] = known[at - 1];
        }
        known[at] = score;
        count++;
    }
    if (count > 0) {
        median = known[count / 2];
    }
    for (uint8_t i = 0; i < tier->count; i++) {
        if (tier->figures[i].score_permille == 0) {
            tier->figures[i].score_permille = median;
        }
    }
}

static void gather(const struct plan *plan, struct fleet *fleet, struct tier *tier, mono_ms now)
{
    uint32_t best = 0;

    for (int pass = 0; pass < 2; pass++) { /* the scores compare with the fastest, found first */
        for (uint8_t i = 0; i < tier->count; i++) {
            struct figures *figures = &tier->figures[i];

            fleet_figures(fleet, plan_member(plan, fleet, figures->place), best, now, figures);
            if (pass == 0 && figures->ttfc_ms > 0 && (best == 0 || figures->ttfc_ms < best)) {
                best = figures->ttfc_ms;
            }
        }
    }
    fill_unknown(tier);
}

static void order_tier(struct plan *plan, struct fleet *fleet, struct tier *tier, mono_ms now)
{
    const struct strategy *strategy = plan->rules->strategy;
    uint8_t order[TARGETS_MAX];

    if (tier->count > 1) {
        gather(plan, fleet, tier, now);
        strategy->order(tier->figures, tier->count, fleet_memory(fleet, plan->rules),
                        fleet_rng(fleet), order);
    } else {
        order[0] = 0;
    }
    for (uint8_t i = 0; i < tier->count; i++) {
        plan->order[plan->count++] = tier->figures[order[i]].place;
    }
}


static bool takes(const struct target *target, const struct plan_ask *ask, uint64_t who)
{
    return target->is_enabled && target->provider->dialect == ask->dialect &&
           (target->share_percent >= 100 || share_takes(who, target->number, target->share_percent));
}

static void order_route(struct plan *plan, struct fleet *fleet, const struct plan_ask *ask,
                        mono_ms now)
{
    const struct route *route = plan->route;
    struct span key = ask->session.len > 0 ? ask->session : ask->caller;
    uint64_t who = sticky_hash(fleet_sticky(fleet), route->name, key);
    uint32_t tier_at = 0;

    for (;;) {
        struct tier tier = {.count = 0};
        uint32_t next = UINT32_MAX;

        for (uint8_t i = 0; i < route->targets_count; i++) {
            if (route->targets[i].tier > tier_at && route->targets[i].tier < next) {
                next = route->targets[i].tier;
            }
        }
        if (next == UINT32_MAX) {
            return;
        }
        tier_at = next;
        for (uint8_t i = 0; i < route->targets_count; i++) {
            if (route->targets[i].tier == tier_at && takes(&route->targets[i], ask, who)) {
                tier.figures[tier.count++] =
                    (struct figures){.place = i, .weight = route->targets[i].weight};
            }
        }
        if (tier.count > 0) {
            order_tier(plan, fleet, &tier, now);
        }
    }
}

/* ---- sessions and slow start ---- */

static uint8_t index_of(const struct plan *plan, int place)
{
    for (uint8_t i = 0; i < plan->count; i++) {
        if (plan->order[i] == place) {
            return i;
        }
    }
    return PLAN_NONE;
}

static void to_front(struct plan *plan, uint8_t index)
{
    uint8_t place = plan->order[index];

    for (uint8_t i = index; i > 0; i--) {
        plan->order[i] = plan->order[i - 1];
    }
    plan->order[0] = place;
}

static uint64_t load_of(const struct plan *plan, struct fleet *fleet, uint8_t place, mono_ms now)
{
    struct figures figures = {.place = place, .weight = plan->targets[place].weight};

    fleet_figures(fleet, plan_member(plan, fleet, place), 0, now, &figures);
    return ((uint64_t)figures.in_flight + 1) * 1000 / figures.weight;
}

/* The first eligible candidate of the order, PLAN_NONE when there is none. */
static uint8_t first_eligible(const struct plan *plan, struct fleet *fleet, uint8_t from,
                              mono_ms now)
{
    for (uint8_t i = from; i < plan->count; i++) {
        if (!is_out(plan_standing(plan, fleet, plan->order[i], now).what)) {
            return i;
        }
    }
    return PLAN_NONE;
}

/* The provider that served this session keeps its prompts warm: it comes first while it is eligible
 * and not much busier than the best of the same tier. Under priority the list decides. */
static void prefer_session(struct plan *plan, struct fleet *fleet, const struct plan_ask *ask,
                           mono_ms now)
{
    const struct route *route = plan->route;
    uint8_t at = PLAN_NONE;
    uint8_t best = PLAN_NONE;

    if (ask->session.len == 0 || !route->is_sticky || route->strategy == &strategy_priority) {
        return;
    }
    plan->session = sticky_hash(fleet_sticky(fleet), route->name, ask->session) | 1;
    at = index_of(plan, sticky_find(fleet_sticky(fleet), plan->session, now));
    best = first_eligible(plan, fleet, 0, now);
    if (at == PLAN_NONE || best == PLAN_NONE ||
        plan->targets[plan->order[at]].tier != plan->targets[plan->order[best]].tier ||
        is_out(plan_standing(plan, fleet, plan->order[at], now).what)) {
        return;
    }
    if (load_of(plan, fleet, plan->order[at], now) <=
        2 * load_of(plan, fleet, plan->order[best], now)) {
        to_front(plan, at);
    }
}

/* A target whose breaker has just closed gets a growing share of what would come to it, as long as
 * another one can take the rest. Strategies with weights see to it themselves. */
static void start_slowly(struct plan *plan, struct fleet *fleet, mono_ms now)
{
    uint8_t first = first_eligible(plan, fleet, 0, now);
    uint8_t second = PLAN_NONE;
    struct figures figures = {.weight = 1};

    if (first == PLAN_NONE || plan->rules->strategy->uses_weights) {
        return;
    }
    fleet_figures(fleet, plan_member(plan, fleet, plan->order[first]), 0, now, &figures);
    if (figures.ramp_permille >= RAMP_FULL_PERMILLE ||
        rng_below(fleet_rng(fleet), RAMP_FULL_PERMILLE) < figures.ramp_permille) {
        return;
    }
    second = first_eligible(plan, fleet, (uint8_t)(first + 1), now);
    if (second != PLAN_NONE) {
        to_front(plan, second);
    }
}

/* Each endpoint that the call could come to, once. */
static void count_call(const struct plan *plan, struct fleet *fleet, mono_ms now)
{
    for (uint8_t i = 0; i < plan->count; i++) {
        struct member member = plan_member(plan, fleet, plan->order[i]);
        bool is_counted = false;

        for (uint8_t k = 0; k < i && !is_counted; k++) {
            is_counted =
                fleet_is_same_endpoint(member, plan_member(plan, fleet, plan->order[k]));
        }
        if (!is_counted) {
            fleet_call_began(fleet, member, now);
        }
    }
}

void plan_make(struct plan *plan, struct fleet *fleet, const struct way *way,
               const struct plan_ask *ask, mono_ms now)
{
    *plan = (struct plan){
        .route = way->route, .rules = way->rules, .model = ask->model, .estimate = ask->estimate};
    if (way->route == NULL) {
        plan->direct = way->direct;
        plan->targets = &plan->direct;
        plan->count = way->direct.provider->dialect == ask->dialect ? 1 : 0;
    } else {
        plan->targets = way->route->targets;
        order_route(plan, fleet, ask, now);
        prefer_session(plan, fleet, ask, now);
    }
    if (plan->count > 1) {
        start_slowly(plan, fleet, now);
    }
    count_call(plan, fleet, now);
    fleet_route_called(fleet, plan->rules, now);
}

void plan_served(const struct plan *plan, struct fleet *fleet, uint8_t place, mono_ms now)
{
    if (plan->session != 0) {
        sticky_note(fleet_sticky(fleet), plan->session, place, now);
    }
}

/* ---- the next attempt ---- */

static bool fits(const struct plan *plan, struct fleet *fleet, const struct plan_wish *wish,
                 uint8_t place, mono_ms now)
{
    const struct target *target = &plan->targets[place];
    struct standing standing;

    if (place == wish->but || plan->tries[place] >= wish->tries_max ||
        (wish->context_above > 0 && target->context <= wish->context_above)) {
        return false;
    }
    if (wish->other_credential_than != PLAN_NONE &&
        target->provider->credential_index ==
            plan->targets[wish->other_credential_than].provider->credential_index) {
        return false;
    }
    standing = plan_standing(plan, fleet, place, now);
    return standing.what == ELIGIBLE || (standing.what == ELIGIBLE_PROBE && !wish->is_certain);
}

uint8_t plan_pick(const struct plan *plan, struct fleet *fleet, const struct plan_wish *wish,
                  mono_ms now)
{
    uint8_t best = PLAN_NONE;

    for (uint8_t i = 0; i < plan->count; i++) {
        uint8_t place = plan->order[i];

        if ((best == PLAN_NONE || plan->tries[place] < plan->tries[best]) &&
            fits(plan, fleet, wish, place, now)) {
            best = place;
            if (plan->tries[place] == 0) {
                break;
            }
        }
    }
    return best;
}

/* What keeps them out, gathered over all candidates. */
static void look(struct outlook *outlook, const struct standing *standing)
{
    outlook->is_all_parked = outlook->is_all_parked && standing->what == OUT_PARKED;
    outlook->is_all_cooling = outlook->is_all_cooling && standing->what == OUT_COOLING;
    if (is_out(standing->what)) {
        outlook->at_any = mono_min(outlook->at_any, standing->until);
    }
}

struct outlook plan_outlook(const struct plan *plan, struct fleet *fleet, uint8_t tries_max,
                            mono_ms now)
{
    struct outlook outlook = {.soonest = PLAN_NONE,
                              .at = MONO_NEVER,
                              .soonest_open = PLAN_NONE,
                              .at_any = MONO_NEVER,
                              .is_all_cooling = true,
                              .is_all_parked = true};
    mono_ms open_at = MONO_NEVER;

    for (uint8_t i = 0; i < plan->count; i++) {
        uint8_t place = plan->order[i];
        struct standing standing = plan_standing(plan, fleet, place, now);

        look(&outlook, &standing);
        if (i == 0) {
            outlook.reason = standing.reason;
        }
        if (plan->tries[place] >= tries_max || !is_out(standing.what)) {
            continue; /* its return would not help, or it is there and was asked often enough */
        }
        if (standing.what != OUT_PARKED && standing.until < outlook.at) {
            outlook.soonest = place;
            outlook.at = standing.until;
        }
        if (standing.what == OUT_OPEN && standing.until < open_at) {
            outlook.soonest_open = place;
            open_at = standing.until;
        }
    }
    return outlook;
}
