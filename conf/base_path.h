/* SPDX-License-Identifier: Apache-2.0 */
/* conf/base_path.h: addresses that say more than where a provider is. What comes behind one is put there by its
 * dialect, so that each call would be for a path that nobody serves. */
#ifndef CONF_BASE_PATH_H
#define CONF_BASE_PATH_H

#include "conf/reader.h"

/* Complains of `node`, a provider's base_url, when its path (without a slash at the end) goes too far. Nothing is said
 * while the provider's kind is not known. */
void base_path_check(struct reader *reader, const struct node *node, const struct provider *provider,
                     struct span path);

#endif
