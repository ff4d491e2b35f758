/* SPDX-License-Identifier: Apache-2.0 */
/* router/share.h: the part of the callers (or sessions) that a target with `share` takes at all: a
 * canary. Chosen by hash, never call by call, so that one caller always meets the same targets. */
#ifndef ROUTER_SHARE_H
#define ROUTER_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this target takes this caller. The answer depends on the arguments alone. A larger
 * percent only adds callers; 0 takes nobody, 100 and above everybody. Targets choose independently
 * of each other. target_number: over all targets of all routes. */
bool share_takes(uint64_t caller_hash, uint16_t target_number, uint32_t percent);

#endif
