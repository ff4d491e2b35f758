/* SPDX-License-Identifier: Apache-2.0 */
/* conf/expand.h: ${VAR}, ${VAR:-default} and ${file:path} inside one value. After parsing, so that
 * no variable can change the structure of the file; once, so that no variable can name another. */
#ifndef CONF_EXPAND_H
#define CONF_EXPAND_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "conf/load.h"

enum { EXPAND_MAX = 64 * 1024 }; /* bytes of one value; a secret has at most 8 KiB */

/* Appends the value to `out`. `$${` gives `${`; any other `$` stands for itself. A file loses one
 * line end behind its last line. ERR_CONFIG: `why` tells, and names the variable or file, never
 * what is in it; `help` is filled or left as it is. ERR_MEMORY. */
MUST_CHECK enum err expand_value(struct span raw, const struct conf_world *world, struct buf *out,
                                 struct why *why, struct why *help);
/* The file's content without its last line end. */
MUST_CHECK enum err expand_file(struct span path, const struct conf_world *world, struct buf *out,
                                struct why *why);
/* True for a value that is nothing but one reference without a default: it may be shown. */
bool expand_is_reference(struct span raw);
/* True for "$NAME", which is what it says, and hardly what was meant. */
bool expand_lacks_braces(struct span raw);

#endif
