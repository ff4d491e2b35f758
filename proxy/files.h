/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/files.h: reading a file whole, and the world that the settings' ${VAR} and ${file:} see. */
#ifndef PROXY_FILES_H
#define PROXY_FILES_H

#include <stdbool.h>

#include "conf/load.h"

/* The file's bytes at the end of `out`; a regular file only (a FIFO or device would hang), at
 * most out->max. ERR_MISSING, ERR_PERMISSION, ERR_CEILING, ERR_SYSTEM with `why`. */
MUST_CHECK enum err files_read(struct span path, struct buf *out, struct why *why);

enum { FILES_PATH_MAX = 4096 };
/* "folder/name", ended by a zero byte. False: too long. */
MUST_CHECK bool files_path(char path[FILES_PATH_MAX], struct span folder, const char *name);
/* All of the text to a descriptor. False: errno tells. */
bool files_write(int file, struct span text);
/* The file `path` becomes `text`, by way of `other` in the same folder, so that it is always the old one
 * or the new one, wholly. False: errno tells. */
bool files_replace(const char *path, const char *other, struct span text);

/* Environment and disk for conf_load. */
struct conf_world files_world(void);

#endif
