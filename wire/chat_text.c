/* SPDX-License-Identifier: Apache-2.0 */
/* What translators do with JSON strings: put together, taken apart, one inside another (wire/chat.h). */
#include "wire/chat.h"

#include "wire/json_scan.h"
#include "wire/json_text.h"
#include "wire/json_walk.h"

struct span chat_inside(struct span string)
{
    return json_is_string(string) ? span_make(string.at + 1, string.len - 2) : span_make("", 0);
}

/* What `write` puts into a buffer, moved to the arena. */
static struct span keep(struct chat *chat, struct buf *buf)
{
    struct span kept = span_make("", 0);

    if (buf->failed) {
        chat->arena->failed = true;
    } else {
        kept = arena_copy(chat->arena, buf_span(buf));
    }
    buf_fini(buf);
    return kept;
}

static void start(struct buf *buf)
{
    buf_init(buf, CHAT_STRING_MAX);
}

struct span chat_string(struct chat *chat, struct span plain)
{
    struct json_out json;
    struct buf buf;

    start(&buf);
    json_out_init(&json, &buf);
    json_string(&json, plain);
    return keep(chat, &buf);
}

struct span chat_join(struct chat *chat, const struct span *strings, size_t count)
{
    size_t len = 2;
    char *at = NULL;

    for (size_t i = 0; i < count; i++) {
        len += chat_inside(strings[i]).len;
    }
    at = arena_take(chat->arena, len);
    if (at == NULL) {
        return SPAN_OF("\"\"");
    }
    at[0] = '"';
    len = 1;
    for (size_t i = 0; i < count; i++) {
        struct span inside = chat_inside(strings[i]);

        if (inside.len > 0) {
            memcpy(at + len, inside.at, inside.len);
            len += inside.len;
        }
    }
    at[len++] = '"';
    return span_make(at, len);
}

bool chat_is_blank(struct span string)
{
    struct span rest = chat_inside(string);

    while (rest.len > 0) {
        char out[4] = {*rest.at};
        size_t len = 1;

        if (*rest.at == '\\') {
            len = json_text_unescape(&rest, out);
        } else {
            rest = span_from(rest, 1);
        }
        if (len != 1 || (out[0] != ' ' && out[0] != '\t' && out[0] != '\n' && out[0] != '\r')) {
            return false;
        }
    }
    return true;
}

struct span chat_plain(struct chat *chat, struct span string)
{
    struct buf buf = {.max = 0};

    if (!json_is_string(string)) {
        return span_make("", 0);
    }
    if (json_string_is_plain(string)) {
        return chat_inside(string);
    }
    /* It becomes shorter: the room never grows, so the arena may own it. */
    buf.at = arena_take(chat->arena, string.len);
    buf.cap = buf.at == NULL ? 0 : string.len;
    buf.max = buf.cap;
    json_string_decode(string, &buf);
    return buf.at == NULL ? span_make("", 0) : buf_span(&buf);
}

static struct span quoted(struct chat *chat, struct span inside)
{
    char *at = arena_take(chat->arena, inside.len + 2);

    if (at == NULL) {
        return SPAN_OF("\"\"");
    }
    at[0] = '"';
    memcpy(at + 1, inside.at, inside.len);
    at[inside.len + 1] = '"';
    return span_make(at, inside.len + 2);
}

/* RFC 2397. A slash may be escaped in JSON, and parameters may stand behind the type. */
bool chat_data_url(struct chat *chat, struct span string, struct span *media, struct span *data)
{
    struct span inside = chat_inside(string);
    const char *comma = inside.len > 0 ? memchr(inside.at, ',', inside.len) : NULL;
    struct span head;

    if (!span_starts_nocase(inside, SPAN_OF("data:")) || comma == NULL) {
        return false;
    }
    head = chat_plain(chat, quoted(chat, span_make(inside.at, (size_t)(comma - inside.at))));
    if (!span_ends(head, SPAN_OF(";base64"))) {
        return false;
    }
    head = span_from(head, sizeof "data:" - 1);
    *media = span_cut(&head, ';');
    *data = span_from(inside, (size_t)(comma - inside.at) + 1);
    return media->len > 0;
}

struct span chat_escaped(struct chat *chat, struct span json)
{
    struct buf buf;

    start(&buf);
    json_escape(&buf, json);
    return keep(chat, &buf);
}

bool chat_is_json_object(struct chat *chat, struct span text)
{
    struct json_scan_options options = {.allow_duplicates = true};

    return chat->scan != NULL && json_is_object(json_walk_document(text)) &&
           json_scan_whole(chat->scan, &options, text, NULL);
}

/* {"arguments": "what the model wrote"}: the tool can say what is wrong with it. */
static struct span wrapped(struct chat *chat, struct span string)
{
    static const struct span parts[] = {SPAN("{\"arguments\":"), SPAN("}")};
    size_t len = parts[0].len + string.len + parts[1].len;
    char *at = arena_take(chat->arena, len);

    if (at == NULL) {
        return SPAN_OF("{}");
    }
    memcpy(at, parts[0].at, parts[0].len);
    memcpy(at + parts[0].len, string.at, string.len);
    memcpy(at + parts[0].len + string.len, parts[1].at, parts[1].len);
    return span_make(at, len);
}

struct span chat_arguments(struct chat *chat, struct span string, bool *is_good)
{
    struct span plain = json_walk_document(chat_plain(chat, string));

    if (plain.len == 0 || span_equal(plain, SPAN_OF("null"))) {
        plain = SPAN_OF("{}");
    }
    *is_good = chat_is_json_object(chat, plain);
    return *is_good ? plain : wrapped(chat, string);
}

void chat_tell_arguments(struct chat *chat, struct chat_part *call, struct span string)
{
    bool is_good = false;

    call->text = chat_inside(string).len > 0 ? string : span_make(NULL, 0);
    call->input = chat_arguments(chat, string, &is_good);
}
