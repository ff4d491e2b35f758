/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_watch.h: the watched paths of a document under way. Paths are bits of a mask: a
 * container has the bits of the paths that lead to it and go on inside; a key or an item selects
 * some of them for the value that follows. Used by json_scan alone. */
#ifndef WIRE_JSON_WATCH_H
#define WIRE_JSON_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "wire/json_scan.h"

enum { JSON_WATCH_SORTED = 2 }; /* steps, from the root */

/* A name that paths have as their step so and so: mostly several have it. */
struct json_plan_name {
    uint32_t paths;
    uint8_t path; /* one of them */
    uint8_t next; /* with the same hash: its number in `names`, from 1; 0: none */
};

/* What is worked out of paths before a document is looked at. */
struct json_plan {
    const struct json_path *paths;
    size_t count;
    uint32_t ends[JSON_PATH_STEPS + 1];   /* paths of so many steps */
    uint8_t first[JSON_WATCH_SORTED][16]; /* names of such a step by their hash, like `next` */
    uint8_t names_count;
    struct json_plan_name names[JSON_WATCH_SORTED * JSON_PATHS_MAX];
};
void json_plan_make(struct json_plan *plan, const struct json_path *paths, size_t count);

struct json_watch {
    const struct json_plan *plan; /* lives as long as the watch */
    struct json_hit *hits;
};

/* A number below 16: length and first byte tell most names apart. */
static inline size_t json_watch_hash(struct span name)
{
    return name.len == 0 ? 0 : (name.len + 5 * (size_t)(unsigned char)name.at[0]) % 16;
}

/* Clears the hits; returns the paths that lead to the root: all. */
uint32_t json_watch_begin(struct json_watch *watch, const struct json_plan *plan,
                          struct json_hit *hits);
/* Of the paths `through` a container, behind `step` steps: those that go on with its items, ... */
uint32_t json_watch_items(const struct json_watch *watch, uint32_t through, size_t step);
/* ... with its member of this name, ... */
uint32_t json_watch_select(const struct json_watch *watch, uint32_t candidates, size_t step,
                           struct span name);
static inline uint32_t json_watch_name(const struct json_watch *watch, uint32_t through,
                                       size_t step, struct span name)
{
    const struct json_plan *plan = watch->plan;
    uint8_t number = 0;

    if (step >= JSON_WATCH_SORTED) {
        return json_watch_select(watch, through, step, name);
    }
    for (number = plan->first[step][json_watch_hash(name)]; number != 0;) {
        const struct json_plan_name *entry = &plan->names[number - 1];
        struct span wanted = json_path_step(&plan->paths[entry->path], step);

        if ((entry->paths & through) != 0 && span_equal(wanted, name)) {
            return entry->paths & through;
        }
        number = entry->next;
    }
    return 0;
}
/* ... and of the paths that lead to a value behind `steps` steps: those that end there. */
static inline uint32_t json_watch_ends(const struct json_watch *watch, uint32_t match, size_t steps)
{
    return match == 0 ? 0 : match & watch->plan->ends[steps];
}
void json_watch_record(struct json_watch *watch, uint32_t paths, struct json_hit hit);

#endif
