/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/house.h"

#include "base/must.h"

static const struct span names[HOUSE_TARGETS_MAX] = {
    SPAN("p0"),  SPAN("p1"),  SPAN("p2"),  SPAN("p3"),  SPAN("p4"),  SPAN("p5"),  SPAN("p6"),
    SPAN("p7"),  SPAN("p8"),  SPAN("p9"),  SPAN("p10"), SPAN("p11"), SPAN("p12"), SPAN("p13"),
    SPAN("p14"), SPAN("p15"), SPAN("p16"), SPAN("p17"), SPAN("p18"), SPAN("p19"), SPAN("p20"),
    SPAN("p21"), SPAN("p22"), SPAN("p23"), SPAN("p24"), SPAN("p25"), SPAN("p26"), SPAN("p27"),
    SPAN("p28"), SPAN("p29"), SPAN("p30"), SPAN("p31")};

static const struct timeouts timeouts = {
    .connect_ms = 5000,
    .write_ms = 30000,
    .head_ms = 300000,
    .first_content_ms = 60000,
    .idle_ms = 90000,
    .content_idle_ms = 300000,
    .total_ms = 600000,
    .stream_total_ms = 3600000,
    .early_head_ms = 120000,
};

static void init_provider(struct house *house, size_t i)
{
    house->providers[i] = (struct provider){
        .name = names[i],
        .kind = &provider_openai,
        .dialect = &dialect_openai,
        .endpoint = {.index = (uint16_t)i, .host = names[i]},
        .credential_mode = CREDENTIAL_SECRET,
        .breaker = {.failures = 5,
                    .ratio_percent = 50,
                    .window_ms = 30000,
                    .open_ms = 5000,
                    .silence_ms = 10000},
        .index = (uint16_t)i,
        .credential_index = (uint16_t)i,
    };
    house->targets[i] = (struct target){
        .provider = &house->providers[i],
        .model = SPAN_OF("m"),
        .tier = 1,
        .weight = 1,
        .share_percent = 100,
        .is_enabled = true,
        .number = (uint16_t)i,
    };
}

void house_init(struct house *house, size_t targets)
{
    must(targets <= HOUSE_TARGETS_MAX);
    *house = (struct house){.fleet = NULL};
    for (size_t i = 0; i < targets; i++) {
        init_provider(house, i);
    }
    house->route = (struct route){
        .name = SPAN_OF("r"),
        .strategy = &strategy_priority,
        .targets = house->targets,
        .targets_count = targets,
        .retry = {.attempts = 3,
                  .attempts_per_target = 2,
                  .base_ms = 250,
                  .cap_ms = 8000,
                  .ambiguous = AMBIGUOUS_ONCE},
        .timeouts = timeouts,
        .is_sticky = true,
        .panics = true,
    };
    house->routing = (struct routing){
        .providers = house->providers,
        .providers_count = targets,
        .routes = &house->route,
        .routes_count = 1,
        .targets_count = targets,
        .defaults = {.strategy = &strategy_priority, .index = 1},
    };
}

void house_open(struct house *house, uint64_t seed)
{
    house->fleet = fleet_new(&house->routing, seed);
    must(house->fleet != NULL);
}

void house_close(struct house *house)
{
    fleet_free(house->fleet);
    house->fleet = NULL;
}

void house_plan(struct house *house, struct plan *plan, mono_ms now)
{
    struct way way = {.route = &house->route, .rules = &house->route};
    struct plan_ask ask = {.dialect = &dialect_openai,
                           .model = SPAN_OF("m"),
                           .estimate = {.input_tokens = 100, .output_tokens = 100}};

    plan_make(plan, house->fleet, &way, &ask, now);
}
