/* SPDX-License-Identifier: Apache-2.0 */
/* conf/key_rights.h: what one key may call, do and ask for, and from where. Readers of members of struct key_entry. */
#ifndef CONF_KEY_RIGHTS_H
#define CONF_KEY_RIGHTS_H

#include "conf/reader.h"

/* `object` is the struct key_entry; lists are the reader's arena's. What cannot be read is complained of. */
void key_rights_routes(struct reader *reader, const struct node *node, void *object);
void key_rights_models(struct reader *reader, const struct node *node, void *object);
void key_rights_operations(struct reader *reader, const struct node *node, void *object);
void key_rights_tiers(struct reader *reader, const struct node *node, void *object);
void key_rights_addresses(struct reader *reader, const struct node *node, void *object);

#endif
