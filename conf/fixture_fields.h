/* SPDX-License-Identifier: Apache-2.0 */
/* conf/fixture_fields.h: providers.<name>.fixtures, what the built-in provider plays. */
#ifndef CONF_FIXTURE_FIELDS_H
#define CONF_FIXTURE_FIELDS_H

#include "conf/reader.h"

/* A provider of kind fixtures without the mapping: dialect openai, every default. */
void fixtures_init(struct reader *reader, struct provider *provider);
/* The provider with what the mapping says. A field_reader. */
void fixtures_read(struct reader *reader, const struct node *node, void *object);

#endif
