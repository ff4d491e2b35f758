/* SPDX-License-Identifier: Apache-2.0 */
/* conf/key_fields.h: what is said of callers' keys and of teams, the same in the settings and in a file of
 * its own. */
#ifndef CONF_KEY_FIELDS_H
#define CONF_KEY_FIELDS_H

#include "conf/reader.h"

/* Of one key (struct key_entry), for the manual. */
extern const struct field_table key_fields;

/* The list into the ring, which is not closed afterwards. Routes are looked for where there is a
 * snapshot. */
void keys_read_list(struct reader *reader, const struct node *node, struct keyring *ring);
/* A mapping of teams' names into the reader's arena. */
void teams_read(struct reader *reader, const struct node *node, struct teams *teams);
/* Tells the keys of disabled teams so. */
void keys_disable(struct keyring *ring, const struct teams *teams);

#endif
