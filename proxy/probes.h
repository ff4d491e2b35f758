/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/probes.h: free questions to endpoints whose breaker is open: the provider's model list, never
 * a completion. An answer of any kind below 500 shows that it can be reached again, and real calls
 * may try it sooner (router/fleet.h: fleet_probed). Lives on one loop. */
#ifndef PROXY_PROBES_H
#define PROXY_PROBES_H

#include "proxy/env.h"

struct probes;

/* NULL without memory. `env` outlives it. */
struct probes *probes_new(struct env *env);
/* Drops those that are out. */
void probes_free(struct probes *probes);

#endif
