/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/key.h"

#include "base/text.h"
#include "wire/json_out.h"

enum { COLUMNS = 6, GAP = 2 };

/* The key before it still holds. */
static bool is_rotating(const struct key_entry *entry, wall_ms now)
{
    return key_entry_verdict(entry, now) == KEY_GOOD && now < entry->previous_until;
}

/* For people. */
static const char *state_of(const struct key_entry *entry, wall_ms now)
{
    enum key_verdict verdict = key_entry_verdict(entry, now);

    if (verdict != KEY_GOOD) {
        return verdict == KEY_EARLY ? "not yet valid" : key_verdict_word(verdict);
    }
    if (entry->caller.team_is_disabled) {
        return "team disabled";
    }
    return is_rotating(entry, now) ? "valid, rotating" : "valid";
}

static void put_moment(struct buf *out, wall_ms at)
{
    if (at % (24 * 60 * 60 * 1000) == 0) {
        text_put_day(out, at);
    } else {
        text_put_rfc3339(out, at);
    }
}

static void put_cell(struct buf *out, const struct key_entry *entry, int column, wall_ms now)
{
    switch (column) {
    case 0: buf_put(out, entry->caller.name); break;
    case 1: buf_put_text(out, entry->id.len > 0 ? "hg_" : "-"); buf_put(out, entry->id); break;
    case 2: buf_put(out, entry->caller.team); break;
    case 3:
        buf_put(out, entry->caller.user_is_from_request ? SPAN_OF("from_request")
                                                        : entry->caller.user);
        break;
    case 4:
        if (entry->expires != 0) {
            put_moment(out, entry->expires);
        }
        break;
    default: buf_put_text(out, state_of(entry, now));
    }
}

static void put_table(const struct keyring *ring, wall_ms now, struct buf *out)
{
    static const char *const heads[COLUMNS] = {"NAME", "PREFIX", "TEAM", "USER", "EXPIRES",
                                               "STATE"};
    size_t widths[COLUMNS];

    for (int c = 0; c < COLUMNS; c++) {
        widths[c] = strlen(heads[c]);
        for (size_t i = 0; i < ring->count; i++) {
            size_t from = out->len;

            put_cell(out, &ring->keys[i], c, now);
            widths[c] = out->len - from > widths[c] ? out->len - from : widths[c];
            buf_truncate(out, from);
        }
    }
    for (size_t i = 0; i <= ring->count; i++) {
        for (int c = 0; c < COLUMNS; c++) {
            size_t from = out->len;

            if (i == 0) {
                buf_put_text(out, heads[c]);
            } else {
                put_cell(out, &ring->keys[i - 1], c, now);
            }
            while (c < COLUMNS - 1 && out->len < from + widths[c] + GAP && !out->failed) {
                buf_put_char(out, ' ');
            }
        }
        buf_put_char(out, '\n');
    }
}

static void put_time(struct json_out *json, const char *name, wall_ms at, struct buf *text)
{
    if (at != 0) {
        buf_clear(text);
        text_put_rfc3339(text, at);
        json_key(json, name);
        json_string(json, buf_span(text));
    }
}

static void put_list(struct json_out *json, const char *name, const struct caller_list *list)
{
    if (list->count == 0) {
        return;
    }
    json_key(json, name);
    json_open_array(json);
    for (size_t i = 0; i < list->count; i++) {
        json_string(json, list->list[i]);
    }
    json_close_array(json);
}

static void put_object(struct json_out *json, const struct key_entry *entry, wall_ms now,
                       struct buf *text)
{
    const struct caller *caller = &entry->caller;

    json_open_object(json);
    json_key(json, "name");
    json_string(json, caller->name);
    json_key(json, "id");
    json_string(json, entry->id);
    json_key(json, "team");
    json_string(json, caller->team);
    json_key(json, "user");
    json_string(json, caller->user_is_from_request ? SPAN_OF("from_request") : caller->user);
    json_key(json, "tags");
    json_open_array(json);
    for (struct span rest = caller->tags; rest.len > 0;) {
        json_string(json, span_cut(&rest, ','));
    }
    json_close_array(json);
    put_list(json, "routes", &caller->routes);
    put_list(json, "models", &caller->models);
    put_list(json, "operations", &caller->operations);
    put_list(json, "tiers", &caller->tiers);
    put_time(json, "not_before", entry->not_before, text);
    put_time(json, "expires", entry->expires, text);
    put_time(json, "previous_until", entry->previous_until, text);
    json_key(json, "state");
    json_text(json, key_verdict_word(key_entry_verdict(entry, now)));
    json_key(json, "rotating");
    json_bool(json, is_rotating(entry, now));
    json_key(json, "team_disabled");
    json_bool(json, caller->team_is_disabled);
    json_close_object(json);
}

void key_list_put(const struct keyring *ring, wall_ms now, bool wants_json, struct buf *out)
{
    struct json_out json;
    struct buf text;

    if (!wants_json) {
        put_table(ring, now, out);
        return;
    }
    buf_init(&text, 64);
    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "keys");
    json_open_array(&json);
    for (size_t i = 0; i < ring->count; i++) {
        put_object(&json, &ring->keys[i], now, &text);
    }
    json_close_array(&json);
    json_close_object(&json);
    buf_put_char(out, '\n');
    buf_fini(&text);
}
