/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/admin_fleet.h"

size_t admin_fleet_count(const struct env *env)
{
    return fleet_view_count(env->fleet);
}

void admin_fleet_fill(const struct env *env, struct target_view *targets, size_t count)
{
    mono_ms now = loop_now(env->loop);

    for (size_t i = 0; i < count; i++) {
        fleet_view_at(env->fleet, i, now, &targets[i]);
    }
}

size_t admin_fleet_obey(struct env *env, struct span name, enum fleet_order what)
{
    return fleet_obey(env->fleet, name, what, loop_now(env->loop));
}
