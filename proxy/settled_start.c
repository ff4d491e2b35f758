/* SPDX-License-Identifier: Apache-2.0 */
/* The start: which file is believed, from where on lines are counted, and what the ledger gets. */
#include <stdio.h>

#include "base/mem.h"
#include "enforcement/ledger_memory.h"
#include "proxy/settled_parts.h"

bool settled_begin(const struct settled_follow *follow, struct journal_place *place, wall_ms *from,
                   struct why *why)
{
    return journal_since(follow->journal, settled_needed(follow->sums, loop_wall(follow->options.loop)),
                         place, from, why);
}

/* The journal that the file was made of is not there any more. */
static bool is_beyond(const struct settled_follow *follow, struct journal_place place,
                      struct why *why)
{
    struct segments segments = {.list = NULL};
    const struct segment *last = NULL;
    bool is = false;

    if (segments_list(follow->journal, &segments, why)) {
        last = segments.count > 0 ? &segments.list[segments.count - 1] : NULL;
        is = last == NULL ? place.segment > 0
                          : place.segment > last->number ||
                                (place.segment == last->number && place.offset > last->size);
    }
    segments_fini(&segments);
    return is;
}

/* ERR_FORMAT: what is there is no such file. */
static enum err read_file(struct settled_follow *follow, struct why *why)
{
    uint64_t place[2] = {0, 0};
    struct buf text;
    enum err err = ERR_NONE;

    buf_init(&text, SETTLED_TEXT_MAX);
    err = files_read(span_of(follow->path), &text, why);
    if (err == ERR_NONE) {
        err = settled_take(follow->sums, buf_span(&text), place);
        why_set(why, "%s is damaged, or of another version", follow->path);
    }
    buf_fini(&text);
    follow->reading.at = (struct journal_place){place[0], place[1]};
    follow->is_known = err == ERR_NONE;
    return err == ERR_CEILING ? ERR_FORMAT : err;
}

static enum err set_aside(struct settled_follow *follow, const struct why *why)
{
    (void)rename(follow->path, follow->aside);
    settled_free(follow->sums);
    follow->sums = settled_new(follow->options.seed);
    settled_tell(follow, LOG_ERROR,
         "what budgets have settled is counted again from the journal: windows that began before its "
         "first line count less than was spent; the file was set aside as budgets.aside",
         why->text);
    return follow->sums == NULL ? ERR_MEMORY : ERR_NONE;
}

/* From where on lines are read, and what is known of before. */
static enum err begin(struct settled_follow *follow, struct why *why)
{
    enum err err = read_file(follow, why);
    wall_ms from = 0;

    if (err == ERR_FORMAT) {
        err = set_aside(follow, why);
    } else if (err == ERR_MISSING) {
        err = ERR_NONE;
    }
    if (err != ERR_NONE) {
        return err;
    }
    settled_clock(follow->sums, follow->began);
    settled_budgets(follow->sums, follow->options.budgets, follow->is_known ? follow->began : 0);
    follow->written = follow->reading.at;
    if (follow->is_known && is_beyond(follow, follow->reading.at, why)) {
        follow->reading.at = (struct journal_place){0, 0};
        settled_tell(follow, LOG_ERROR,
             "the journal is not the one that what budgets have settled was counted from: all of "
             "its records are counted on top",
             follow->path);
    } else if (!follow->is_known &&
               !settled_begin(follow, &follow->reading.at, &from, why)) {
        return ERR_SYSTEM;
    }
    return ERR_NONE;
}

static enum err read_all(struct settled_follow *follow, struct why *why)
{
    size_t most = SIZE_MAX;

    journal_reader_seek(follow->reading.reader, follow->reading.at);
    if (!settled_read(follow, &follow->reading, follow->sums, settled_far, &most, why)) {
        return ERR_SYSTEM;
    }
    settled_clock(follow->sums, follow->began);
    if (follow->is_dirty || !follow->is_known) {
        (void)settled_follow_save(follow, &follow->trouble); /* the first step plans another try */
    }
    return ERR_NONE;
}

static bool set_paths(struct settled_follow *follow)
{
    struct span folder = follow->options.folder;

    return files_path(follow->path, folder, "budgets") &&
           files_path(follow->other, folder, "budgets.new") &&
           files_path(follow->aside, folder, "budgets.aside") &&
           files_path(follow->folder, folder, ".") &&
           files_path(follow->journal, folder, "journal");
}

enum err settled_follow_new(const struct settled_options *options, struct settled_follow **made,
                            struct why *why)
{
    struct settled_follow *follow = mem_take_zero(sizeof *follow);
    enum err err = ERR_MEMORY;

    *made = NULL;
    why_set(why, "out of memory");
    if (follow == NULL) {
        return err;
    }
    follow->options = *options;
    follow->began = loop_wall(options->loop);
    follow->due = MONO_NEVER;
    loop_timer_init(&follow->save, options->loop, settled_save_fire);
    follow->sums = settled_new(options->seed);
    if (follow->sums != NULL && set_paths(follow) &&
        settled_reading_init(&follow->reading, span_of(follow->journal))) {
        err = begin(follow, why);
    }
    if (err == ERR_NONE) {
        err = read_all(follow, why);
    }
    if (err != ERR_NONE) {
        settled_follower(follow).ops->free(follow);
        return err;
    }
    *made = follow;
    return ERR_NONE;
}

bool settled_follow_load(const struct settled_follow *follow, struct ledger *ledger)
{
    const struct settled *sums = follow->sums;

    (void)ledger_memory_turn(ledger, follow->began);
    for (size_t i = 0; i < sums->budgets->count; i++) {
        const struct budget *budget = &sums->budgets->list[i];

        ledger_memory_first_seen(ledger, budget->name, settled_seen(sums, budget->name)->first_seen);
    }
    for (struct link *at = sums->all.next; at != &sums->all; at = at->next) {
        const struct settled_sum *sum = LIST_OWNER(at, struct settled_sum, link);
        struct ledger_sum given = {.budget = settled_open(sums, sum, follow->began),
                                   .value = sum->value,
                                   .window = sum->window,
                                   .settled = sum->settled,
                                   .overrun = sum->overrun,
                                   .reset_at = INT64_MIN};

        if (given.budget != NULL && !ledger_memory_load(ledger, &given, follow->began)) {
            return false;
        }
    }
    return true;
}
