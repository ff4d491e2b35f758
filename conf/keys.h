/* SPDX-License-Identifier: Apache-2.0 */
/* conf/keys.h: the file that keys: { file: ... } names (docs/keys.md) -> a keyring, or every complaint about
 * it. Read like the settings, but nothing in it is expanded. */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include "base/err.h"
#include "conf/complaint.h"
#include "conf/snapshot.h"

enum { KEYS_FILE_MAX = 4 * 1024 * 1024 };

/* `complaints` is begun anew. ERR_CONFIG: it is not empty. ERR_MEMORY. On success the ring is closed,
 * with the secret and the teams of the settings besides its own, and the caller's. */
MUST_CHECK enum err keys_read(struct span text, const struct settings_keys *settings,
                              struct complaints *complaints, struct keyring **ring);

/* The same into a ring that is not closed, for the settings that name the file. */
MUST_CHECK enum err keys_read_into(struct span text, struct complaints *complaints,
                                   struct keyring *ring);

#endif
