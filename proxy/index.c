/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the index: which file is believed, and which is set aside and built again. */
#include "proxy/index_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { NAMES_ROOM_FIRST = 256, LOOP_PATIENCE_MS = 20 };

/* ---- names ---- */

uint32_t index_name_find(const struct index *index, struct span text)
{
    struct map_entry *entry = text.len > 0 ? map_find(&index->names.map, text) : NULL;

    /* The entry is the name's first member. */
    return entry == NULL ? 0 : ((struct index_name *)(void *)entry)->id;
}

struct span index_name(const struct index *index, uint32_t id)
{
    const struct index_name *name = NULL;

    if (id == 0 || id > index->names.count) {
        return span_make("", 0);
    }
    name = index->names.list[id - 1];
    return span_make(name->text, name->len);
}

static bool make_room(struct index_names *names)
{
    size_t room = names->room == 0 ? NAMES_ROOM_FIRST : names->room * 2;
    void *list = NULL;

    if (names->count < names->room) {
        return true;
    }
    list = mem_resize(names->list, names->room * sizeof(struct index_name *),
                      room * sizeof(struct index_name *));
    if (list == NULL) {
        return false;
    }
    names->list = list;
    names->room = room;
    return true;
}

bool index_name_add(struct index *index, struct span text, uint32_t *id)
{
    struct index_names *names = &index->names;
    struct index_name *name = NULL;

    *id = index_name_find(index, text);
    if (*id != 0 || text.len == 0) {
        return true;
    }
    /* More names than anybody reads: the rest goes together. */
    if (names->count >= INDEX_NAMES_MAX - 1 && !span_equal(text, SPAN_OF("(others)"))) {
        return index_name_add(index, SPAN_OF("(others)"), id);
    }
    name = make_room(names) ? mem_take(sizeof *name + text.len) : NULL;
    if (name == NULL) {
        return false;
    }
    name->id = (uint32_t)names->count + 1;
    name->len = (uint32_t)text.len;
    memcpy(name->text, text.at, text.len);
    if (map_add(&names->map, &name->entry, span_make(name->text, name->len)) != ERR_NONE) {
        mem_give(name, sizeof *name + text.len);
        return false;
    }
    names->list[names->count++] = name;
    *id = name->id;
    return true;
}

static void drop_names(struct index *index, size_t count)
{
    struct index_names *names = &index->names;

    while (names->count > count) {
        struct index_name *name = names->list[--names->count];

        map_remove(&names->map, &name->entry);
        mem_give(name, sizeof *name + name->len);
    }
    memset(index->last, 0, sizeof index->last);
}

void index_names_rewind(struct index *index)
{
    drop_names(index, index->names.saved);
}

static bool take_name(void *to, uint32_t id, struct span text)
{
    struct index *index = to;
    uint32_t given = 0;

    return index_name_add(index, text, &given) && given == id;
}

/* ---- the file ---- */

static void set_aside(struct index *index)
{
    char aside[JOURNAL_PATH_MAX + 16];

    index_db_close(index->db);
    index->db = NULL;
    (void)snprintf(aside, sizeof aside, "%s.aside", index->path);
    (void)rename(index->path, aside);
    (void)snprintf(aside, sizeof aside, "%s-wal", index->path);
    (void)unlink(aside);
    (void)snprintf(aside, sizeof aside, "%s-shm", index->path);
    (void)unlink(aside);
}

/* Lines that the index has counted and the journal no longer knows would be written, and counted,
 * again under the same places. */
static bool is_ahead(struct index *index, struct why *why)
{
    struct journal_place cursor = index->state.cursor;
    struct segments segments = {.list = NULL};
    const struct segment *last = NULL;
    bool is = false;

    if (cursor.segment > 0 && segments_list(index->journal, &segments, why)) {
        last = segments.count > 0 ? &segments.list[segments.count - 1] : NULL;
        is = last == NULL || cursor.segment > last->number ||
             (cursor.segment == last->number && cursor.offset > last->size);
        if (is) {
            why_set(why, "usage.sqlite has read more than the journal has");
        }
    }
    segments_fini(&segments);
    return is;
}

static enum err from_trouble(enum index_trouble trouble, bool is_read_only)
{
    switch (trouble) {
    case INDEX_FINE: return ERR_NONE;
    case INDEX_NEWER: return ERR_FORMAT;
    case INDEX_BROKEN: return is_read_only ? ERR_FORMAT : ERR_NONE;
    case INDEX_FAILED: break;
    }
    return ERR_SYSTEM;
}

/* What the file knows. INDEX_BROKEN: it contradicts itself or the journal. */
static enum index_trouble load(struct index *index, struct why *why)
{
    enum index_trouble trouble = index_db_open(index->path, index->is_read_only, &index->db, why);

    if (trouble != INDEX_FINE) {
        return trouble;
    }
    if (index->loop != NULL) {
        index_db_patience(index->db, LOOP_PATIENCE_MS);
    }
    drop_names(index, 0);
    if (!index_db_state(index->db, &index->state, why) ||
        !index_db_names(index->db, take_name, index, why)) {
        why_prefix(why, "usage.sqlite cannot be read");
        return INDEX_BROKEN;
    }
    index->names.saved = index->names.count;
    if (index->is_damaged) {
        why_set(why, "usage.sqlite is damaged");
        return INDEX_BROKEN;
    }
    why->text[0] = '\0';
    if (!index->is_read_only && is_ahead(index, why)) {
        return INDEX_BROKEN;
    }
    return INDEX_FINE;
}

enum err index_reopen(struct index *index, struct why *why)
{
    enum index_trouble trouble = INDEX_FINE;
    struct why reason;

    index_db_close(index->db);
    index->db = NULL;
    trouble = load(index, why);
    if (trouble == INDEX_BROKEN && !index->is_read_only) {
        reason = *why;
        set_aside(index);
        index->is_damaged = false;
        trouble = load(index, why);
        if (trouble == INDEX_FINE) {
            why_set(why, "%s; it was set aside and is built again", reason.text);
        }
    }
    if (trouble == INDEX_FINE) {
        index->read = index->state;
        journal_reader_seek(index->reader, index->state.cursor);
        return ERR_NONE;
    }
    index_db_close(index->db);
    index->db = NULL;
    return trouble == INDEX_BROKEN ? ERR_FORMAT : from_trouble(trouble, index->is_read_only);
}

static bool set_paths(struct index *index, const struct index_options *options)
{
    int len =
        snprintf(index->path, sizeof index->path, "%.*s/usage.sqlite", SPAN_ARGS(options->folder));
    int journal_len =
        snprintf(index->journal, sizeof index->journal, "%.*s", SPAN_ARGS(options->journal));

    return len > 0 && (size_t)len < sizeof index->path && journal_len > 0 &&
           (size_t)journal_len < sizeof index->journal;
}

static void timer_cb(struct loop_timer *timer, mono_ms now)
{
    struct index *index = (struct index *)(void *)((char *)timer - offsetof(struct index, timer));

    if (index->pending.lines > 0) {
        (void)index_commit(index, &index->trouble);
    } else if (now >= index->retry_at && index_step(index, index->end)) {
        loop_timer_set(timer, now);
    }
}

static enum err open_first(struct index *index, struct why *why)
{
    if (index->loop == NULL) {
        return index_reopen(index, why);
    }
    why->text[0] = '\0';
    index->retry_at = mono_add(loop_now(index->loop), INDEX_OPEN_MS);
    loop_timer_set(&index->timer, index->retry_at);
    return ERR_NONE;
}

enum err index_open(const struct index_options *options, struct index **made, struct why *why)
{
    struct index *index = mem_take_zero(sizeof *index);
    enum err err = ERR_MEMORY;

    why_set(why, "out of memory");
    if (index == NULL) {
        return ERR_MEMORY;
    }
    index->is_read_only = options->is_read_only;
    index->loop = options->loop;
    index->reader = journal_reader_new(options->journal);
    index->scan = json_scan_new();
    buf_init(&index->text, 2 * RECORD_LINE_MAX + 64 * 1024);
    map_init(&index->names.map, INDEX_NAMES_MAX, options->seed);
    map_init(&index->pending.map, INDEX_ROLLUPS_MAX, options->seed);
    if (index->loop != NULL) {
        loop_timer_init(&index->timer, index->loop, timer_cb);
    }
    if (index->reader != NULL && index->scan != NULL) {
        err = ERR_SYSTEM;
        why_set(why, "the path of the state folder is too long");
    }
    if (err == ERR_SYSTEM && set_paths(index, options)) {
        err = options->is_read_only && access(index->path, F_OK) != 0 ? ERR_MISSING : ERR_NONE;
        why_set(why, "%s: not there yet: no call has been recorded in this folder", index->path);
    }
    if (err == ERR_NONE) {
        err = open_first(index, why);
    }
    if (err != ERR_NONE) {
        index_free(index);
        return err;
    }
    *made = index;
    return ERR_NONE;
}

void index_free(struct index *index)
{
    if (index == NULL) {
        return;
    }
    if (index->loop != NULL) {
        loop_timer_fini(&index->timer);
    }
    index_rewind(index);
    index_db_close(index->db);
    drop_names(index, 0);
    mem_give(index->names.list, index->names.room * sizeof(struct index_name *));
    map_fini(&index->names.map);
    map_fini(&index->pending.map);
    journal_reader_free(index->reader);
    json_scan_free(index->scan);
    buf_fini(&index->text);
    mem_give(index, sizeof *index);
}

/* ---- what others ask ---- */

bool index_is_open(const struct index *index)
{
    return index->db != NULL;
}

bool index_trouble(struct index *index, struct why *why)
{
    *why = index->trouble;
    index->trouble.text[0] = '\0';
    return why->text[0] != '\0';
}

struct journal_place index_place(const struct index *index)
{
    return index->read.cursor;
}

uint64_t index_broken(const struct index *index, struct journal_place *last)
{
    *last = index->broken_at;
    return index->read.broken;
}

enum { CATCH_UP_STEPS = 64 };

bool index_catch_up(struct index *index, struct journal_place end)
{
    struct why told = index->trouble; /* not heard yet, and nothing that fails now */
    bool is_there = false;
    size_t steps = 0;

    if (index->db == NULL) {
        if (index_reopen(index, &told) != ERR_NONE) {
            return false;
        }
        index->retry_at = 0;
    }
    index->trouble.text[0] = '\0';
    while (index_step(index, end)) {
        if (++steps == CATCH_UP_STEPS) {
            return false;
        }
    }
    /* A step also ends where the file or the journal fails: then it is to be tried again later. */
    is_there = index->db != NULL &&
               (index->loop == NULL || loop_now(index->loop) >= index->retry_at) &&
               index->trouble.text[0] == '\0';
    if (is_there) {
        index->trouble = told;
    }
    return is_there;
}

bool index_has_reported(struct index *index, struct span source, struct span id)
{
    uint32_t name = index_name_find(index, source);

    /* What is read and not committed is in the open transaction, which this sees. */
    return name != 0 && index->db != NULL && index_db_has_reported(index->db, name, id);
}
