/* SPDX-License-Identifier: Apache-2.0 */
/* cli/key_edit.h: changes one key in the text of a file of keys and leaves every other byte as it is. The
 * result is for the caller to read again: a file that is written in a way that is not foreseen here comes
 * out wrong, and must not be kept. */
#ifndef CLI_KEY_EDIT_H
#define CLI_KEY_EDIT_H

#include "base/buf.h"
#include "base/err.h"

/* A member that a key gets: its value is YAML already. */
struct key_member {
    const char *name;
    struct span value;
};

/* `entry` ("{ name: ..., ... }") as the first of the keys; of an empty text a whole file. ERR_FORMAT: the text is
 * no file of keys. */
MUST_CHECK enum err key_edit_add(struct span text, struct span entry, struct buf *out);
/* The members of the key of this name; those that it has are replaced, the others put in front. Those of
 * `previous`, a mapping in it, are two, or NULL: it stays as it is. ERR_MISSING: no key has the name. */
MUST_CHECK enum err key_edit_set(struct span text, struct span name,
                                 const struct key_member *members, size_t count,
                                 const struct key_member *previous, struct buf *out);
/* Any text as YAML. */
void key_edit_quote(struct buf *out, struct span text);

#endif
