/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/inflight_map.h: the in-flight table on a file, mapped into memory. What is stored there outlives
 * the process without a system call. */
#ifndef PROXY_INFLIGHT_MAP_H
#define PROXY_INFLIGHT_MAP_H

#include "base/err.h"
#include "base/must.h"
#include "usage/inflight.h"

struct inflight_map {
    char *memory; /* NULL: not mapped */
    size_t size;
    uint32_t count;
};

/* Maps the table that an earlier process left, for reading it. `memory` stays NULL when there is none
 * of ours; one of another version is put aside under another name then, and *is_foreign set. */
MUST_CHECK enum err inflight_map_old(const char *path, struct inflight_map *map, bool *is_foreign,
                                     struct why *why);
/* A new, empty table in place of whatever is there: its blocks are on the disk before it is used, so
 * that a full disk is told here and not by a signal later. */
MUST_CHECK enum err inflight_map_new(const char *path, uint32_t count, struct inflight_map *map,
                                     struct why *why);
void inflight_map_close(struct inflight_map *map);

/* The table in this folder holds nothing: without it the next start has nothing to read. */
void inflight_map_remove(const char *folder);

#endif
