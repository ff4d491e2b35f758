/* SPDX-License-Identifier: Apache-2.0 */
/* conf/cloud_fields.h: what only providers in the clouds have under providers.<name>: api_version and
 * deployments, region, and the addresses that follow from them. */
#ifndef CONF_CLOUD_FIELDS_H
#define CONF_CLOUD_FIELDS_H

#include "conf/reader.h"

/* Whether the kind takes a setting (is_taken: it does), which is one of kind `kind` alone: else a complaint. Nothing is
 * said while the kind is not known. */
bool cloud_is_of_kind(struct reader *reader, const struct node *node, const struct provider *provider, bool is_taken,
                      const char *kind);

/* Field readers; the object is the provider, whose kind has been read. */
void cloud_read_version(struct reader *reader, const struct node *node, void *object);
void cloud_read_deployments(struct reader *reader, const struct node *node, void *object);
void cloud_read_region(struct reader *reader, const struct node *node, void *object);

/* The endpoint's path as the kind wants it for the path that base_url has. */
void cloud_settle_path(struct reader *reader, struct provider *provider, struct span path);
/* The kind's own address, with the region in its place. False after a complaint about `node`. */
bool cloud_base_url(struct reader *reader, const struct node *node, const struct provider *provider,
                    struct span *url);
/* With a base_url no other setting may seem to say where it is. */
void cloud_check_base_url(struct reader *reader, const struct node *node,
                          const struct provider *provider);

#endif
