/* SPDX-License-Identifier: Apache-2.0 */
/* conf/beside.h: files that the settings name, beside them: where they are, what is in them, and how what
 * is wrong in them is told in the settings. */
#ifndef CONF_BESIDE_H
#define CONF_BESIDE_H

#include "conf/reader.h"

enum { BESIDE_PATH_MAX = 192 * 1024 };

/* Names are relative to the settings, not to where headgate was started. */
void beside_path(const struct reader *reader, struct span name, struct buf *path);
/* The file's bytes into `text`. False after a complaint at the node, with `help`, or without memory. */
bool beside_read(struct reader *reader, const struct node *node, const struct buf *path,
                 const char *help, struct buf *text);
/* What is wrong in the file is told at its name, the first fault alone: its lines are not ours.
 * `command` and what follows it shows all of it. */
void beside_complain(struct reader *reader, const struct node *node,
                     const struct complaints *complaints, const char *command, struct span what);

#endif
