/* SPDX-License-Identifier: Apache-2.0 */
/* conf/failover_fields.h: routes.<name>.strategy, .retry, .commit and .hedge: in which order
 * targets are asked, how often, until when another may still take over, and when two are asked at
 * once. */
#ifndef CONF_FAILOVER_FIELDS_H
#define CONF_FAILOVER_FIELDS_H

#include "conf/reader.h"

/* What a route has without these keys. */
void failover_defaults(struct route *route);

/* Field readers; the object is a struct route. */
void strategy_read(struct reader *reader, const struct node *node, void *object);
void retry_read(struct reader *reader, const struct node *node, void *object);
void commit_read(struct reader *reader, const struct node *node, void *object);
void hedge_read(struct reader *reader, const struct node *node, void *object);

#endif
