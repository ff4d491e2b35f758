/* SPDX-License-Identifier: Apache-2.0 */
/* conf/failover_fields.h: routes.<name>.strategy, .retry and .commit: in which order targets are
 * asked, how often, and until when another may still take over. */
#ifndef CONF_FAILOVER_FIELDS_H
#define CONF_FAILOVER_FIELDS_H

#include "conf/reader.h"

/* What a route has without these keys. */
void failover_defaults(struct route *route);

/* Field readers; the object is a struct route. */
void strategy_read(struct reader *reader, const struct node *node, void *object);
void retry_read(struct reader *reader, const struct node *node, void *object);
void commit_read(struct reader *reader, const struct node *node, void *object);

#endif
