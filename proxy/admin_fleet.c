/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/admin_fleet.h"

/* There is no fleet to look at: nothing is known of targets, and no name means one. */

size_t admin_fleet_count(const struct env *env)
{
    (void)env;
    return 0;
}

void admin_fleet_fill(const struct env *env, struct target_view *targets, size_t count)
{
    (void)env;
    (void)targets;
    (void)count;
}

size_t admin_fleet_obey(struct env *env, struct span name, enum fleet_order what)
{
    (void)env;
    (void)name;
    (void)what;
    return 0;
}
