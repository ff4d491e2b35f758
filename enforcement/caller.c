/* SPDX-License-Identifier: Apache-2.0 */
#include "enforcement/caller.h"

const struct caller caller_anyone = {.team = SPAN("default")};

static bool lists(const struct caller_list *list, struct span name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (span_equal(list->list[i], name)) {
            return true;
        }
    }
    return false;
}

static bool fits(const struct caller_list *list, struct span model)
{
    for (size_t i = 0; i < list->count; i++) {
        if (span_fits(model, list->list[i])) {
            return true;
        }
    }
    return list->count == 0;
}

bool caller_may_call(const struct caller *caller, struct span route, struct span model)
{
    bool is_listed = route.len > 0 && lists(&caller->routes, route);

    if (caller->routes.count > 0 && !is_listed) {
        return false;
    }
    return (is_listed && span_equal(route, model)) || fits(&caller->models, model);
}

bool caller_may_do(const struct caller *caller, struct span operation)
{
    return caller->operations.count == 0 || lists(&caller->operations, operation);
}

bool caller_may_name_tier(const struct caller *caller, struct span tier)
{
    static const struct span usual[] = {SPAN("auto"), SPAN("default"), SPAN("standard"),
                                        SPAN("standard_only")};
    const struct caller_list always = {usual, sizeof usual / sizeof *usual};

    return caller->tiers.count == 0 || lists(&caller->tiers, tier) || lists(&always, tier);
}

bool caller_may_be_at(const struct caller *caller, const struct egress_address *address)
{
    return caller->addresses_count == 0 ||
           egress_in_ranges(address, caller->addresses, caller->addresses_count);
}

bool caller_may_name_all(const struct caller *caller)
{
    return caller->routes.count == 0 && caller->models.count == 0;
}

bool caller_may_pass(const struct caller *caller)
{
    return caller_may_name_all(caller) && caller->tiers.count == 0;
}
