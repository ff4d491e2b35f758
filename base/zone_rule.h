/* SPDX-License-Identifier: Apache-2.0 */
/* base/zone_rule.h: the rule at the end of a zone's file, for the time after its table. A part of
 * zone.c, and used by nobody else. */
#ifndef BASE_ZONE_RULE_H
#define BASE_ZONE_RULE_H

#include "base/zone.h"

/* "CET-1CEST,M3.5.0,M10.5.0/3". False: not well formed; the zone may be changed. */
bool zone_rule_read(struct zone *zone, struct span text);
/* For zones with has_rule. */
struct zone_stretch zone_rule_at(const struct zone *zone, int64_t at);

#endif
