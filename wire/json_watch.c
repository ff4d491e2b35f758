/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_watch.c: no path has more than JSON_PATH_STEPS steps, so a container deeper than that
 * has no bit set, and an empty mask is looked at before any table: depths need no check of their
 * own. Beginning must be cheap, since every event of a stream is a document: only the first two
 * steps are sorted by a hash, as few paths are candidates below. */
#include "wire/json_watch.h"

#include "base/must.h"

static bool is_items(struct span step)
{
    return step.len == 2 && step.at[0] == '[' && step.at[1] == ']';
}

/* The path has a step of this name. Items have no name. */
static void add_name(struct json_plan *plan, size_t path, size_t step)
{
    struct span name = json_path_step(&plan->paths[path], step);
    uint8_t *first = &plan->first[step][json_watch_hash(name)];
    uint8_t number = *first;

    if (is_items(name)) {
        return;
    }
    while (number != 0) {
        struct json_plan_name *entry = &plan->names[number - 1];

        if (span_equal(json_path_step(&plan->paths[entry->path], step), name)) {
            entry->paths |= UINT32_C(1) << path;
            return;
        }
        number = entry->next;
    }
    plan->names[plan->names_count++] = (struct json_plan_name){
        .paths = UINT32_C(1) << path, .path = (uint8_t)path, .next = *first};
    *first = plan->names_count;
}

void json_plan_make(struct json_plan *plan, const struct json_path *paths, size_t count)
{
    must(count <= JSON_PATHS_MAX);
    *plan = (struct json_plan){.paths = paths, .count = count};
    for (size_t i = 0; i < count; i++) {
        const struct json_path *path = &paths[i];

        must(path->steps <= JSON_PATH_STEPS);
        plan->ends[path->steps] |= UINT32_C(1) << i;
        for (size_t step = 0; step < JSON_WATCH_SORTED && step < path->steps; step++) {
            add_name(plan, i, step);
        }
    }
}

uint32_t json_watch_begin(struct json_watch *watch, const struct json_plan *plan,
                          struct json_hit *hits)
{
    *watch = (struct json_watch){.plan = plan, .hits = hits};
    if (plan->count > 0) {
        memset(hits, 0, plan->count * sizeof *hits); /* JSON_ABSENT is zero */
    }
    return (uint32_t)((UINT64_C(1) << plan->count) - 1);
}

uint32_t json_watch_items(const struct json_watch *watch, uint32_t through, size_t step)
{
    uint32_t found = 0;

    for (uint32_t left = through; left != 0; left &= left - 1) {
        int i = __builtin_ctz(left);

        if (is_items(json_path_step(&watch->plan->paths[i], step))) {
            found |= UINT32_C(1) << i;
        }
    }
    return found;
}

uint32_t json_watch_select(const struct json_watch *watch, uint32_t candidates, size_t step,
                           struct span name)
{
    uint32_t left = candidates;
    const char *same = NULL; /* compared already: paths mostly share the spelling of a step */
    uint32_t found = 0;

    if (is_items(name)) {
        return 0;
    }
    for (; left != 0; left &= left - 1) {
        int i = __builtin_ctz(left);
        struct span wanted = json_path_step(&watch->plan->paths[i], step);

        if (wanted.len == name.len && (wanted.at == same || span_equal(wanted, name))) {
            found |= UINT32_C(1) << i;
            same = wanted.at;
        }
    }
    return found;
}

void json_watch_record(struct json_watch *watch, uint32_t paths, struct json_hit hit)
{
    for (uint32_t left = paths; left != 0; left &= left - 1) {
        watch->hits[__builtin_ctz(left)] = hit;
    }
}
