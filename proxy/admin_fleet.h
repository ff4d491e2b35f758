/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/admin_fleet.h: the fleet as the operators' side needs it: looked at and ordered about. The
 * one place where that side touches it. */
#ifndef PROXY_ADMIN_FLEET_H
#define PROXY_ADMIN_FLEET_H

#include "proxy/env.h"
#include "router/fleet_view.h"

size_t admin_fleet_count(const struct env *env);
/* The first `count` of them, as they are now; borrowed until the fleet's next change. */
void admin_fleet_fill(const struct env *env, struct target_view *targets, size_t count);
/* How many targets the name meant. */
size_t admin_fleet_obey(struct env *env, struct span name, enum fleet_order what);

#endif
