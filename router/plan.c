/* SPDX-License-Identifier: Apache-2.0 */
/* Tier after tier the strategy orders; then a session's own target comes first, and a target in
 * slow start lets some calls pass. */
#include "router/plan.h"

#include "router/cost.h"

#include "breaker/ramp.h"
#include "router/score.h"
#include "router/share.h"

/* ---- who is there ---- */

static bool translates(const struct dialect *dialect)
{
    for (const struct operation *one = dialect->operations; one->name != NULL; one++) {
        if (one->translator != NULL) {
            return true;
        }
    }
    return false;
}

bool plan_serves(const struct target *target, const struct route *rules, const struct dialect *dialect,
                 const struct operation *operation)
{
    const struct provider *provider = target->provider;

    if (!target->is_enabled || provider->dialect == dialect) {
        return target->is_enabled;
    }
    return rules->translate != TRANSLATE_OFF && operation != NULL && operation->translator != NULL &&
           provider->credential_mode != CREDENTIAL_PASSTHROUGH && translates(provider->dialect);
}

bool plan_speaks(const struct route *route, const struct dialect *dialect)
{
    const struct operation *operation = dialect->operations;

    while (operation->name != NULL && operation->translator == NULL) {
        operation++;
    }
    for (size_t i = 0; i < route->targets_count; i++) {
        if (plan_serves(&route->targets[i], route, dialect, operation)) {
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
    const struct target *target = &plan->targets[place];

    return plan->is_preview ? fleet_look_up(fleet, target, plan->model)
                            : fleet_member(fleet, target, plan->model);
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

/* One tier on its way through the strategy. Not cleared, being large: filled as far as count. */
struct tier {
    struct figures figures[TARGETS_MAX];
    uint8_t count;
};

/* What is seen of the candidates while the plan is made, by place: asked once. */
struct scene {
    struct fleet *fleet;
    struct strategy_memory *memory;
    struct rng *rng;
    const struct plan_ask *ask;
    mono_ms now;
    bool is_out[TARGETS_MAX];
    uint16_t endpoint[TARGETS_MAX];
};

static void look_at(struct scene *scene, const struct plan *plan, uint8_t place)
{
    struct member member = plan_member(plan, scene->fleet, place);

    scene->endpoint[place] = member.endpoint;
    scene->is_out[place] =
        is_out(fleet_standing(scene->fleet, member, &plan->estimate, scene->now).what);
}

static void figures_of(const struct scene *scene, const struct plan *plan, uint8_t place,
                       struct figures *figures)
{
    fleet_figures(scene->fleet, plan_member(plan, scene->fleet, place), 0, scene->now, figures);
}

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

static void fill_costs(const struct plan *plan, const struct scene *scene, struct tier *tier)
{
    const struct plan_ask *ask = scene->ask;
    int64_t input = (int64_t)ask->estimate.input_tokens;
    int64_t output = ask->length > 0 ? ask->length : (int64_t)ask->estimate.output_tokens;

    for (uint8_t i = 0; i < tier->count; i++) {
        struct figures *figures = &tier->figures[i];

        figures->cost_pico = cost_likely(ask->prices, plan_target(plan, figures->place), ask->model,
                                         input, output, ask->at);
    }
}

static void gather(const struct plan *plan, const struct scene *scene, struct tier *tier)
{
    uint32_t best = 0;

    for (uint8_t i = 0; i < tier->count; i++) {
        struct figures *figures = &tier->figures[i];

        figures_of(scene, plan, figures->place, figures);
        if (figures->ttfc_ms > 0 && (best == 0 || figures->ttfc_ms < best)) {
            best = figures->ttfc_ms;
        }
    }
    for (uint8_t i = 0; i < tier->count; i++) { /* beside the fastest, which is known by now */
        struct figures *figures = &tier->figures[i];

        if (figures->score_permille != 0) {
            figures->score_permille = score_beside(figures->score_permille, figures->ttfc_ms, best);
        }
    }
    fill_unknown(tier);
}

/* Those that are out now come last, in the order of the list: were they ordered with the others,
 * the turns that fall on them would all go to their neighbours. Priority knows no turns. */
static void order_tier(struct plan *plan, const struct scene *scene, struct tier *tier)
{
    const struct strategy *strategy = plan->rules->strategy;
    uint8_t order[TARGETS_MAX];
    uint8_t out[TARGETS_MAX];
    uint8_t out_count = 0;
    uint8_t count = tier->count;

    tier->count = 0;
    for (uint8_t i = 0; i < count; i++) {
        if (strategy != &strategy_priority && scene->is_out[tier->figures[i].place]) {
            out[out_count++] = tier->figures[i].place;
        } else {
            tier->figures[tier->count++] = tier->figures[i];
        }
    }
    order[0] = 0;
    if (tier->count > 1) {
        if (!strategy->is_blind) {
            gather(plan, scene, tier);
        }
        if (strategy->uses_costs) {
            fill_costs(plan, scene, tier);
        }
        strategy->order(tier->figures, tier->count, scene->memory, scene->rng, order);
    }
    for (uint8_t i = 0; i < tier->count; i++) {
        plan->order[plan->count++] = tier->figures[order[i]].place;
    }
    for (uint8_t i = 0; i < out_count; i++) {
        plan->order[plan->count++] = out[i];
    }
}

/* Whom a share goes by: the session where there is one, else the caller. Most routes have none. */
static bool takes(const struct plan *plan, const struct scene *scene, const struct target *target,
                  const struct plan_ask *ask)
{
    struct span key = ask->session.len > 0 ? ask->session : ask->caller;

    if (!plan_serves(target, plan->rules, ask->dialect, ask->operation)) {
        return false;
    }
    return target->share_percent >= 100 ||
           share_takes(sticky_hash(fleet_sticky(scene->fleet), plan->route->name, key),
                       target->number, target->share_percent);
}

static void order_route(struct plan *plan, struct scene *scene, const struct plan_ask *ask)
{
    const struct route *route = plan->route;
    uint32_t tier_at = 0;
    struct tier tier;

    for (;;) {
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
        tier.count = 0;
        for (uint8_t i = 0; i < route->targets_count; i++) {
            if (route->targets[i].tier == tier_at && takes(plan, scene, &route->targets[i], ask)) {
                look_at(scene, plan, i);
                tier.figures[tier.count].place = i;
                tier.figures[tier.count++].weight = route->targets[i].weight;
            }
        }
        if (tier.count > 0) {
            order_tier(plan, scene, &tier);
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

static uint64_t load_of(const struct plan *plan, const struct scene *scene, uint8_t place)
{
    struct figures figures = {.place = place, .weight = plan->targets[place].weight};

    figures_of(scene, plan, place, &figures);
    return ((uint64_t)figures.in_flight + 1) * 1000 / figures.weight;
}

/* The first eligible candidate of the order, PLAN_NONE when there is none. */
static uint8_t first_eligible(const struct plan *plan, const struct scene *scene, uint8_t from)
{
    for (uint8_t i = from; i < plan->count; i++) {
        if (!scene->is_out[plan->order[i]]) {
            return i;
        }
    }
    return PLAN_NONE;
}

/* The provider that served this session keeps its prompts warm: it comes first while it is eligible
 * and not much busier than the best of the same tier. Under priority the list decides. */
static void prefer_session(struct plan *plan, const struct scene *scene, const struct plan_ask *ask)
{
    const struct route *route = plan->route;
    struct sticky *sticky = fleet_sticky(scene->fleet);
    uint8_t at = PLAN_NONE;
    uint8_t best = PLAN_NONE;

    if (ask->session.len == 0 || !route->is_sticky || route->strategy == &strategy_priority) {
        return;
    }
    plan->session = sticky_hash(sticky, route->name, ask->session);
    plan->session += plan->session == 0 ? 1 : 0;
    at = index_of(plan, sticky_find(sticky, plan->session, scene->now));
    best = first_eligible(plan, scene, 0);
    if (at == PLAN_NONE || best == PLAN_NONE ||
        plan->targets[plan->order[at]].tier != plan->targets[plan->order[best]].tier ||
        scene->is_out[plan->order[at]]) {
        return;
    }
    if (load_of(plan, scene, plan->order[at]) <= 2 * load_of(plan, scene, plan->order[best])) {
        to_front(plan, at);
    }
}

/* A target whose breaker has just closed gets a growing share of what would come to it, as long as
 * another one can take the rest. Strategies with weights see to it themselves. */
static void start_slowly(struct plan *plan, const struct scene *scene)
{
    uint8_t first = first_eligible(plan, scene, 0);
    uint8_t second = PLAN_NONE;
    struct figures figures;

    if (first == PLAN_NONE || plan->rules->strategy->uses_weights) {
        return;
    }
    figures_of(scene, plan, plan->order[first], &figures);
    if (figures.ramp_permille >= RAMP_FULL_PERMILLE ||
        rng_below(scene->rng, RAMP_FULL_PERMILLE) < figures.ramp_permille) {
        return;
    }
    second = first_eligible(plan, scene, (uint8_t)(first + 1));
    if (second != PLAN_NONE) {
        to_front(plan, second);
    }
}

/* Each endpoint that the call could come to, once. */
static void count_call(const struct plan *plan, const struct scene *scene)
{
    for (uint8_t i = 0; i < plan->count; i++) {
        struct member member = {.endpoint = scene->endpoint[plan->order[i]]};
        bool is_counted = false;

        for (uint8_t k = 0; k < i && !is_counted; k++) {
            is_counted = member.endpoint == scene->endpoint[plan->order[k]];
        }
        if (!is_counted) {
            fleet_call_began(scene->fleet, member, scene->now);
        }
    }
}

void plan_make(struct plan *plan, struct fleet *fleet, const struct way *way,
               const struct plan_ask *ask, mono_ms now)
{
    struct strategy_memory memory;
    struct rng rng;
    struct scene scene;

    scene.fleet = fleet;
    scene.ask = ask;
    scene.now = now;
    scene.memory = fleet_memory(fleet, way->rules);
    scene.rng = fleet_rng(fleet);
    if (ask->is_preview) { /* the turns and the dice that the next call will have, as copies */
        memory = *scene.memory;
        rng = *scene.rng;
        scene.memory = &memory;
        scene.rng = &rng;
    }
    *plan = (struct plan){.route = way->route,
                          .rules = way->rules,
                          .dialect = ask->dialect,
                          .model = ask->model,
                          .estimate = ask->estimate,
                          .is_preview = ask->is_preview};
    if (way->route == NULL) {
        plan->direct = way->direct;
        plan->targets = &plan->direct;
        plan->count = plan_serves(&plan->direct, plan->rules, ask->dialect, ask->operation) ? 1 : 0;
        if (plan->count > 0) {
            look_at(&scene, plan, 0);
        }
    } else {
        plan->targets = way->route->targets;
        order_route(plan, &scene, ask);
        prefer_session(plan, &scene, ask);
    }
    if (plan->count > 1) {
        start_slowly(plan, &scene);
    }
    if (!plan->is_preview) {
        count_call(plan, &scene);
        fleet_route_called(fleet, plan->rules, now);
    }
}

void plan_served(const struct plan *plan, struct fleet *fleet, uint8_t place, mono_ms now)
{
    if (plan->session != 0) {
        sticky_note(fleet_sticky(fleet), plan->session, place, now);
    }
}

/* ---- the next attempt ---- */

static bool is_starting(const struct plan *plan, struct fleet *fleet, uint8_t place, mono_ms now)
{
    struct figures figures = {.place = place};

    fleet_figures(fleet, plan_member(plan, fleet, place), 0, now, &figures);
    return figures.ramp_permille < RAMP_FULL_PERMILLE;
}

const struct prefill_way *plan_prefill(const struct plan *plan, uint8_t place)
{
    const struct target *target = &plan->targets[place];
    const struct provider *provider = target->provider;
    struct prefill_ask ask = {.kind = span_of(provider->kind->name),
                              .host = provider->endpoint.authority,
                              .path = provider->endpoint.path,
                              .model = target->model.len > 0 ? target->model : plan->model};

    return provider->dialect == plan->dialect ? prefill_taken(&ask) : NULL;
}

static bool fits(const struct plan *plan, struct fleet *fleet, const struct plan_wish *wish,
                 uint8_t place, mono_ms now)
{
    const struct target *target = &plan->targets[place];
    struct standing standing;

    if (place == wish->but || plan->tries[place] >= wish->tries_max) {
        return false;
    }
    if (wish->other_credential_than != PLAN_NONE &&
        target->provider->credential_index ==
            plan->targets[wish->other_credential_than].provider->credential_index) {
        return false;
    }
    if (wish->continues && plan_prefill(plan, place) == NULL) {
        return false;
    }
    standing = plan_standing(plan, fleet, place, now);
    if (wish->is_certain) {
        return standing.what == ELIGIBLE && !is_starting(plan, fleet, place, now);
    }
    return !is_out(standing.what);
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
    uint8_t seen = 0;

    for (uint8_t i = 0; i < plan->count; i++) {
        uint8_t place = plan->order[i];
        struct standing standing = plan_standing(plan, fleet, place, now);

        if (plan->tries[place] == UINT8_MAX && !is_out(standing.what)) {
            continue; /* it is the call that is not for it */
        }
        look(&outlook, &standing);
        if (seen++ == 0) {
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
    outlook.is_all_cooling = outlook.is_all_cooling && seen > 0;
    outlook.is_all_parked = outlook.is_all_parked && seen > 0;
    return outlook;
}
