/* SPDX-License-Identifier: Apache-2.0 */
/* conf/load.h: bytes of a settings file -> snapshot, or every complaint about it. Pure: variables
 * and files that the text names come through `conf_world`. */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include "base/err.h"
#include "conf/complaint.h"
#include "conf/snapshot.h"

/* How ${VAR} and ${file:path} are answered. */
struct conf_world {
    /* The variable's value, or at == NULL when it is not set. Borrowed until the load is over. */
    struct span (*variable)(void *to, struct span name);
    /* The file's bytes put into `out` (ceiling set by the caller); why is filled on error. */
    enum err (*file)(void *to, struct span path, struct buf *out, struct why *why);
    void *to;
    bool edits_keys; /* who asks reads the file of keys itself: it may be missing, or broken */
};

/* `complaints` is begun anew. ERR_CONFIG: it is not empty and *snapshot is NULL. ERR_MEMORY. On
 * success the caller owns one reference. `name` is the file's name, for complaints_print. What the
 * environment sets (conf/override.h) stands above the text. */
MUST_CHECK enum err conf_load(struct span name, struct span text, const struct conf_world *world,
                              struct complaints *complaints, struct snapshot **snapshot);

/* The settings of a start without a file: providers openai, anthropic and gemini with the key
 * from the environment, else passthrough. Complaints (about variables) stand at line 0. */
MUST_CHECK enum err conf_default(const struct conf_world *world, struct complaints *complaints,
                                 struct snapshot **snapshot);

/* The settings of `headgate demo` and scripts/start: for each dialect a fixtures provider of its name
 * that fails by a script and a healthy one, and one route for all models over them. */
MUST_CHECK enum err conf_demo(const struct conf_world *world, struct complaints *complaints,
                              struct snapshot **snapshot);

#endif
