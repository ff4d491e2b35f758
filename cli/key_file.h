/* SPDX-License-Identifier: Apache-2.0 */
/* cli/key_file.h: the file of keys on the disk, locked while it is changed, replaced whole. */
#ifndef CLI_KEY_FILE_H
#define CLI_KEY_FILE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct key_file {
    struct buf path;  /* of the file itself, behind links; ends in NUL (not counted) */
    struct buf text;  /* empty: there is no file yet */
    bool is_there;
    mode_t mode;
    uid_t owner;
    gid_t group;
    int lock;         /* the folder, where others wait who change it, too; -1: none */
};

/* Reads it; wants_lock: nobody else changes it until key_file_close, waited for for some seconds. A file
 * that is missing is an empty one. ERR_PERMISSION: also when anyone may write to it. */
MUST_CHECK enum err key_file_open(struct key_file *file, struct span path, bool wants_lock,
                                  struct why *why);
/* The new text in place of the old one: all of it or nothing, with the file's owner and mode. */
MUST_CHECK enum err key_file_replace(const struct key_file *file, struct span text,
                                     struct why *why);
/* Safe on one that could not be opened. */
void key_file_close(struct key_file *file);

#endif
