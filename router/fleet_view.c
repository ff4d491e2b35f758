/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see and order. Deployments stand in one array, those of the settings first: its
 * order is the order of the view. */
#include "router/fleet_parts.h"

/* A provider's own place, without a model, is shown as long as nothing else of it is known. */
static bool is_shown(const struct fleet *fleet, size_t i)
{
    const struct live_deployment *live = fleet->deployments[i];

    return live->model.len > 0 || live->started > 0 || live->models == 0;
}

size_t fleet_view_count(const struct fleet *fleet)
{
    size_t count = 0;

    for (size_t i = 0; i < fleet->deployments_count; i++) {
        count += is_shown(fleet, i) ? 1 : 0;
    }
    return count;
}

static struct breaker_view see_breaker(const struct breaker *breaker, mono_ms now)
{
    return (struct breaker_view){
        .state = breaker->state,
        .reopen_ms =
            breaker->state == BREAKER_OPEN ? mono_until(now, breaker->reopen_at) : (uint64_t)0,
        .trips = breaker->trips,
    };
}

static struct park_view see_park(const struct park *park, mono_ms now)
{
    bool is_out = park_is_out(park, now);

    return (struct park_view){.reason = is_out ? park->reason : PARK_NONE,
                              .left_ms = is_out ? mono_until(now, park->until) : 0};
}

static void see(const struct fleet *fleet, const struct live_deployment *live, mono_ms now,
                struct target_view *view)
{
    static const struct estimate nothing = {0, 0};
    struct member member = {.endpoint = fleet_endpoint_index(fleet, live->provider),
                            .credential = live->provider->credential_index,
                            .deployment = live->index};
    struct figures figures = {.weight = 1};
    struct standing standing = fleet_standing(fleet, member, &nothing, now);

    fleet_figures(fleet, member, 0, now, &figures);
    *view = (struct target_view){
        .provider = live->provider->name,
        .model = live->model,
        .is_eligible = standing.what == ELIGIBLE || standing.what == ELIGIBLE_PROBE,
        .is_held = live->is_held,
        .endpoint = see_breaker(&fleet_endpoint(fleet, member)->breaker, now),
        .deployment = see_breaker(&live->breaker, now),
        .credential = see_park(&fleet_credential(fleet, member)->park, now),
        .target = see_park(&live->park, now),
        .cooldown = see_park(&live->cooldown, now),
        .score_permille = figures.score_permille == 0 ? 1000 : figures.score_permille,
        .ramp_permille = figures.ramp_permille,
        .in_flight = live->in_flight,
        .ttfc_ms = figures.ttfc_ms,
    };
    headroom_view(&live->headroom, now, &view->requests, &view->tokens);
}

void fleet_view_at(const struct fleet *fleet, size_t i, mono_ms now, struct target_view *view)
{
    for (size_t at = 0; at < fleet->deployments_count; at++) {
        if (!is_shown(fleet, at)) {
            continue;
        }
        if (i == 0) {
            see(fleet, fleet->deployments[at], now, view);
            return;
        }
        i--;
    }
    UNREACHABLE();
}

/* ---- orders ---- */

static bool is_meant(const struct live_deployment *live, struct span name)
{
    struct span rest = name;
    struct span provider = span_cut(&rest, '/');
    bool has_model = provider.len < name.len;

    return span_equal(name, SPAN_OF("*")) || (span_equal(provider, live->provider->name) &&
                                              (!has_model || span_equal(rest, live->model)));
}

static void obey(struct fleet *fleet, struct live_deployment *live, enum fleet_order order,
                 mono_ms now)
{
    struct live_endpoint *endpoint = &fleet->endpoints[fleet_endpoint_index(fleet, live->provider)];

    if (order == FLEET_PARK) {
        live->is_held = true;
        return;
    }
    live->is_held = false;
    park_clear(&live->park);
    park_clear(&live->cooldown);
    park_clear(&fleet->credentials[live->provider->credential_index].park);
    if (order == FLEET_RESET) {
        breaker_reset(&live->breaker, &live->provider->breaker);
        (void)silence_heard(&live->silence, now);
        breaker_reset(&endpoint->breaker, &endpoint->provider->breaker);
        headroom_init(&live->headroom);
        score_init(&live->score);
    }
}

size_t fleet_obey(struct fleet *fleet, struct span name, enum fleet_order order, mono_ms now)
{
    size_t count = 0;

    for (size_t i = 0; i < fleet->deployments_count; i++) {
        if (is_meant(fleet->deployments[i], name)) {
            obey(fleet, fleet->deployments[i], order, now);
            count += is_shown(fleet, i) ? 1 : 0;
        }
    }
    return count;
}
