/* SPDX-License-Identifier: Apache-2.0 */
/* conf/target_fields.h: routes.<name>.targets, who serves a route. */
#ifndef CONF_TARGET_FIELDS_H
#define CONF_TARGET_FIELDS_H

#include "conf/reader.h"

/* The list into a struct route; numbers its targets on over the whole snapshot. Providers have been
 * read before. A field_reader. */
void targets_read(struct reader *reader, const struct node *node, void *object);

#endif
