/* SPDX-License-Identifier: Apache-2.0 */
/* One key: its digest, whose it is, how long (what it may: key_rights.c). */
#include "conf/key_fields.h"

#include "base/date.h"
#include "base/text.h"
#include "conf/key_rights.h"
#include "conf/names.h"
#include "conf/section.h"
#include "enforcement/key_text.h"
#include "enforcement/scope.h"

enum { TAG_MAX = 64, TAGS_MAX = 16, TAGS_ROOM = TAGS_MAX * (TAG_MAX + 1) };

/* ---- names ---- */

static void read_plain(struct reader *reader, const struct node *node, struct span *text)
{
    if (reader_text(reader, node, text) && !name_is_plain(*text)) {
        complaint_help(reader_complain(reader, node->place, "is no name"), "%s", name_plain_rule);
    }
}

static void read_name(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    read_plain(reader, node, &entry->caller.name);
}

static void read_team(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    read_plain(reader, node, &entry->caller.team);
}

static void read_user(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;
    struct span user = {NULL, 0};

    if (!reader_text(reader, node, &user)) {
        return;
    }
    if (span_equal(user, SPAN_OF("from_request"))) {
        entry->caller.user_is_from_request = true;
    } else if (user.len > SCOPE_VALUE_MAX) {
        reader_complain(reader, node->place, "is longer than 256 bytes");
    } else {
        entry->caller.user = user;
    }
}

static void read_id(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    if (reader_text(reader, node, &entry->id) && entry->id.len > KEY_ID_LENGTH) {
        reader_complain(reader, node->place, "has more than the 8 letters of a key that may be "
                                             "shown");
        reader_hide(reader, node);
    }
}

/* ---- digests ---- */

static bool read_digest_into(struct reader *reader, const struct node *node, struct digest *digest)
{
    struct span text = {NULL, 0};
    struct span hex = {NULL, 0};

    if (!reader_text(reader, node, &text)) {
        return false;
    }
    hex = span_from(text, sizeof "hmac-sha256:" - 1);
    if (!span_starts(text, SPAN_OF("hmac-sha256:")) || hex.len != 2 * (size_t)DIGEST_BYTES) {
        complaint_help(reader_complain(reader, node->place, "is no digest of a key"),
                       "digests are hmac-sha256: and 64 hexadecimal digits; headgate key create "
                       "writes them");
        reader_hide(reader, node); /* perhaps the key itself */
        return false;
    }
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        int high = text_hex_digit(hex.at[2 * i]);
        int low = text_hex_digit(hex.at[2 * i + 1]);

        if (high < 0 || low < 0) {
            reader_complain(reader, node->place, "has more than hexadecimal digits in it");
            return false;
        }
        digest->bytes[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

static void read_digest(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    (void)read_digest_into(reader, node, &entry->digest);
}

static void read_previous_digest(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    (void)read_digest_into(reader, node, &entry->previous);
}

/* ---- times ---- */

static void read_moment(struct reader *reader, const struct node *node, wall_ms *at)
{
    struct span text = {NULL, 0};

    if (!reader_text(reader, node, &text)) {
        return;
    }
    if ((text_read_day(text, at) != ERR_NONE && date_read_time(text, at) != ERR_NONE) || *at <= 0) {
        complaint_help(reader_complain(reader, node->place, "must be a day or a moment after 1970"),
                       "like 2027-01-31, which begins at midnight UTC, or 2027-01-31T18:00:00Z");
        *at = 0;
    }
}

static void read_expires(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    read_moment(reader, node, &entry->expires);
}

static void read_not_before(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    read_moment(reader, node, &entry->not_before);
}

static void read_until(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    read_moment(reader, node, &entry->previous_until);
}

/* ---- tags ---- */

static bool read_tag(struct reader *reader, const struct node *node, struct span text, void *item)
{
    struct span *tag = item;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';

        if (!is_good || text.len > TAG_MAX) {
            complaint_help(reader_complain(reader, node->place, "is no tag"),
                           "1 to 64 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"");
            return false;
        }
    }
    *tag = text;
    return true;
}

static void read_tags(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;
    void *items = NULL;
    const struct span *tags = NULL;
    size_t count = 0;
    struct buf text;

    if (node->kind == NODE_LIST && node->count > TAGS_MAX) {
        reader_complain(reader, node->place, "must have at most 16 tags");
        return;
    }
    reader_items(reader, node, read_tag, sizeof(struct span), &items, &count);
    tags = items;
    buf_init(&text, TAGS_ROOM);
    for (size_t i = 0; i < count; i++) {
        buf_put_text(&text, i == 0 ? "" : ",");
        buf_put(&text, tags[i]);
    }
    entry->caller.tags = arena_copy(reader->arena, buf_span(&text));
    reader->has_no_memory = reader->has_no_memory || text.failed;
    buf_fini(&text);
}

/* ---- one key ---- */

static const struct field previous_rows[] = {
    {.name = "digest",
     .type = FIELD_CUSTOM,
     .read = read_previous_digest,
     .is_required = true,
     .help = "of the key before"},
    {.name = "until",
     .type = FIELD_CUSTOM,
     .read = read_until,
     .is_required = true,
     .help = "the moment from which on it holds no more"},
};
static const struct field_table previous_fields = FIELD_TABLE(previous_rows);

static const struct field key_rows[] = {
    {.name = "name",
     .type = FIELD_CUSTOM,
     .read = read_name,
     .is_required = true,
     .help = "how logs, records and budgets call it"},
    {.name = "digest",
     .type = FIELD_CUSTOM,
     .read = read_digest,
     .is_required = true,
     .help = "hmac-sha256: and the HMAC-SHA-256 of the whole key under key_secret, hexadecimal"},
    {.name = "id",
     .type = FIELD_CUSTOM,
     .read = read_id,
     .help = "the 8 letters of the key that may be shown"},
    {.name = "previous",
     .type = FIELD_MAP,
     .inner = &previous_fields,
     .help = "the key before a rotation, which holds a while longer: { digest: ..., until: ... }"},
    {.name = "team",
     .type = FIELD_CUSTOM,
     .read = read_team,
     .initial = "default",
     .help = "whose key it is"},
    {.name = "user",
     .type = FIELD_CUSTOM,
     .read = read_user,
     .help = "who uses it; from_request: whom the body names as user or metadata.user_id"},
    {.name = "tags",
     .type = FIELD_CUSTOM,
     .read = read_tags,
     .help = "of all of its calls, beside those of x-headgate-tags"},
    {.name = "routes",
     .type = FIELD_CUSTOM,
     .read = key_rights_routes,
     .help = "it may call through these alone; without: all"},
    {.name = "models",
     .type = FIELD_CUSTOM,
     .read = key_rights_models,
     .help = "and name these models alone, \"*\" for any run of characters; without: all"},
    {.name = "operations",
     .type = FIELD_CUSTOM,
     .read = key_rights_operations,
     .help = "and do this alone: chat, responses, completions, embeddings, messages, "
             "count_tokens, pass; without: all"},
    {.name = "tiers",
     .type = FIELD_CUSTOM,
     .read = key_rights_tiers,
     .help = "and ask for these service tiers (or speeds) alone: priority, flex, ...; [default]: for none but "
             "the usual one; without: all"},
    {.name = "addresses",
     .type = FIELD_CUSTOM,
     .read = key_rights_addresses,
     .help = "and call from these ranges alone; without: from everywhere"},
    {.name = "not_before",
     .type = FIELD_CUSTOM,
     .read = read_not_before,
     .help = "a day (UTC) or a moment from which on it holds"},
    {.name = "expires",
     .type = FIELD_CUSTOM,
     .read = read_expires,
     .help = "a day (UTC) or a moment from which on it holds no more"},
    {.name = "revoked",
     .type = FIELD_BOOL,
     .place = offsetof(struct key_entry, is_revoked),
     .initial = "false",
     .help = "true: it holds no more"},
};

const struct field_table key_fields = FIELD_TABLE(key_rows);

/* ---- all of them ---- */

/* Names, and digests, that have been seen. False: there already, or no memory. */
static bool is_new(struct reader *reader, struct map *seen, struct span text)
{
    struct map_entry *entry = NULL;

    if (text.len == 0 || map_find(seen, text) != NULL) {
        return text.len == 0;
    }
    entry = reader_take(reader, sizeof *entry);
    reader->has_no_memory =
        entry == NULL || map_add(seen, entry, text) != ERR_NONE || reader->has_no_memory;
    return true;
}

static struct span digest_span(const struct digest *digest)
{
    return span_make((const char *)digest->bytes, sizeof digest->bytes);
}

static void read_key(struct reader *reader, const struct node *node, struct map *seen,
                     struct key_entry *entry)
{
    size_t before = reader->complaints->count + reader->complaints->more;
    char quoted[QUOTE_SIZE];

    entry->caller.team = SPAN_OF("default");
    reader_map(reader, node, &key_fields, entry);
    if (reader->complaints->count + reader->complaints->more > before) {
        return;
    }
    if (!is_new(reader, seen, entry->caller.name)) {
        reader_complain(reader, node->place, "has the name of an earlier key: \"%s\"",
                        complaint_quote(entry->caller.name, quoted));
    }
    if (!is_new(reader, seen, digest_span(&entry->digest)) ||
        (entry->previous_until != 0 && !is_new(reader, seen, digest_span(&entry->previous)))) {
        reader_complain(reader, node->place, "has the digest of another key");
    }
}

void keys_read_list(struct reader *reader, const struct node *node, struct keyring *ring)
{
    static const uint64_t seed[2] = {0, 0}; /* nobody's enemy writes the settings */
    struct map seen;

    if (!reader_expects(reader, node, NODE_LIST) || node->count == 0) {
        return;
    }
    if (node->count > KEYS_MAX) {
        reader_complain(reader, node->place, "must have at most 10000 keys");
        return;
    }
    ring->keys = reader_take(reader, node->count * sizeof *ring->keys);
    map_init(&seen, 3 * (size_t)KEYS_MAX, seed);
    for (const struct node *child = node->first; ring->keys != NULL && child != NULL;
         child = child->next) {
        struct path path;

        reader_enter(reader, &path, span_make(NULL, 0), ring->count);
        read_key(reader, child, &seen, &ring->keys[ring->count++]);
        reader_leave(reader);
    }
    map_fini(&seen);
}

/* ---- teams ---- */

static const struct field team_rows[] = {
    {.name = "disabled",
     .type = FIELD_BOOL,
     .place = offsetof(struct team, is_disabled),
     .initial = "false",
     .help = "true: none of its keys may call"},
};
static const struct field_table team_fields = FIELD_TABLE(team_rows);

void teams_read(struct reader *reader, const struct node *node, struct teams *teams)
{
    struct team *list = NULL;

    if (!reader_expects(reader, node, NODE_MAP) || node->count == 0) {
        return;
    }
    list = reader_take(reader, node->count * sizeof *list);
    teams->list = list;
    for (const struct node *child = node->first; list != NULL && child != NULL;
         child = child->next) {
        struct path path;

        reader_enter(reader, &path, child->key, 0);
        if (!name_is_plain(child->key)) {
            complaint_help(reader_complain(reader, child->key_place, "is no name"), "%s",
                           name_plain_rule);
        }
        list[teams->count].name = arena_copy(reader->arena, child->key);
        reader_map(reader, child, &team_fields, &list[teams->count++]);
        reader_leave(reader);
    }
}

void keys_disable(struct keyring *ring, const struct teams *teams)
{
    for (size_t i = 0; i < ring->count; i++) {
        struct caller *caller = &ring->keys[i].caller;

        for (size_t k = 0; k < teams->count; k++) {
            caller->team_is_disabled =
                caller->team_is_disabled || (teams->list[k].is_disabled &&
                                             span_equal(teams->list[k].name, caller->team));
        }
    }
}
