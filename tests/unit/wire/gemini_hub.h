/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/gemini_hub.h: what the tests of the generateContent grammar share: a conversation that was
 * read, told as text that a reader of the test can follow, and documents with one value changed. */
#ifndef TESTS_UNIT_WIRE_GEMINI_HUB_H
#define TESTS_UNIT_WIRE_GEMINI_HUB_H

#include "data.h"

#include "base/arena.h"
#include "base/mem.h"
#include "wire/chat.h"
#include "wire/dialects/gemini_generate.h"
#include "wire/json_scan.h"
#include "wire/models.h"

struct hub {
    struct json_scan *scan;
    struct arena arena;
    struct chat chat;
    struct buf text;
    size_t held; /* by the test before */
};

static inline void hub_init(struct hub *hub)
{
    hub->held = mem_held();
    hub->scan = json_scan_new();
    assert_non_null(hub->scan);
    arena_init(&hub->arena, (size_t)1 << 26);
    chat_init(&hub->chat, &hub->arena, hub->scan, false);
    buf_init(&hub->text, (size_t)1 << 26);
}

static inline void hub_fini(struct hub *hub)
{
    buf_fini(&hub->text);
    arena_fini(&hub->arena);
    json_scan_free(hub->scan);
    assert_int_equal(mem_held(), hub->held);
}

/* Whether it is one valid JSON document without members of the same name. */
static inline bool hub_accepts(struct hub *hub, struct span document)
{
    struct json_scan_options options = {.seed = 7};

    return json_scan_whole(hub->scan, &options, document, NULL);
}

static inline void hub_must_accept(struct hub *hub, struct span document)
{
    if (!hub_accepts(hub, document)) {
        fail_msg("no JSON: %.*s", SPAN_ARGS(document));
    }
}

static inline void hub_put(struct buf *out, const char *name, struct span value)
{
    if (value.len > 0) {
        buf_put_char(out, ' ');
        buf_put_text(out, name);
        buf_put_char(out, '=');
        buf_put(out, value);
    }
}

static inline void hub_put_part(struct buf *out, const struct chat_part *part)
{
    static const char *const kinds[] = {"text", "image", "document", "audio", "call", "result"};

    buf_put_text(out, kinds[part->kind]);
    hub_put(out, "text", part->text);
    hub_put(out, "id", part->id);
    hub_put(out, "name", part->name);
    hub_put(out, "input", part->input);
    hub_put(out, "media", part->media);
    hub_put(out, "data", part->data);
    hub_put(out, "url", part->url);
    buf_put_text(out, part->is_error ? " error" : "");
    buf_put_text(out, part->is_json ? " json" : "");
    for (const struct chat_part *inner = part->inner; inner != NULL; inner = inner->next) {
        buf_put_text(out, inner == part->inner ? " [" : ", ");
        buf_put_text(out, kinds[inner->kind]);
        hub_put(out, "text", inner->text);
        hub_put(out, "media", inner->media);
        hub_put(out, "data", inner->data);
        hub_put(out, "url", inner->url);
        buf_put_text(out, inner->next == NULL ? "]" : "");
    }
    buf_put_char(out, '\n');
}

static inline void hub_put_turns(struct buf *out, const struct chat_turn *turn)
{
    static const char *const roles[] = {"system: ", "user: ", "model: "};

    for (; turn != NULL; turn = turn->next) {
        assert_non_null(turn->parts);
        for (const struct chat_part *part = turn->parts; part != NULL; part = part->next) {
            buf_put_text(out, roles[turn->role]);
            hub_put_part(out, part);
        }
    }
}

/* "refused: param", or a line per part, and one with the names of what was lost. */
static inline void hub_tell(struct hub *hub)
{
    struct buf *out = &hub->text;
    const struct chat *chat = &hub->chat;

    buf_clear(out);
    if (chat_is_refused(chat)) {
        buf_put_text(out, "refused: ");
        buf_put_text(out, chat->refused.param);
        return;
    }
    hub_put_turns(out, chat->turns);
    for (const struct chat_dropped *lost = chat->dropped; lost != NULL; lost = lost->next) {
        buf_put_text(out, lost == chat->dropped ? "lost: " : ", ");
        buf_put(out, lost->name);
        buf_put_text(out, lost->is_changed ? "=changed" : "");
        buf_put_text(out, lost->next == NULL ? "\n" : "");
    }
}

static inline void hub_read(struct hub *hub, struct span request)
{
    hub_must_accept(hub, request);
    gemini_generate_translator.read_request(&hub->chat, request);
    assert_false(hub->arena.failed);
}

/* The hub's conversation as a request for Google. */
static inline void hub_write(struct hub *hub)
{
    struct json_out out;

    buf_clear(&hub->text);
    json_out_init(&out, &hub->text);
    gemini_generate_translator.write_request(&hub->chat, &out);
    assert_false(hub->text.failed);
    hub_must_accept(hub, buf_span(&hub->text));
}

/* ---- one value changed ---- */

typedef void hub_visit_fn(struct span document, void *context);

static inline void hub_replace(struct span document, struct span value, hub_visit_fn *visit,
                               void *context)
{
    static const char *const others[] = {
        "1",  "-1.5e3", "\"x\"",    "\"\"", "true",         "null",          "{}",
        "[]", "[[]]",   "[{},1,null]", "{\"\":1}", "{\"x\":[{}]}", "\"\\ud800\\u0000\""};

    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        struct buf changed;
        size_t before = (size_t)(value.at - document.at);

        buf_init(&changed, (size_t)1 << 20);
        buf_put(&changed, span_make(document.at, before));
        buf_put_text(&changed, others[i]);
        buf_put(&changed, span_from(document, before + value.len));
        visit(buf_span(&changed), context);
        buf_fini(&changed);
    }
}

/* Calls `visit` with the document after each of its values was replaced by values of each other type. */
static inline void hub_each_change(struct span document, struct span value, hub_visit_fn *visit,
                                   void *context)
{
    struct json_walk walk = json_walk_of(value);
    struct span name;
    struct span inner;

    hub_replace(document, value, visit, context);
    while (json_is_object(value) ? json_walk_member(&walk, &name, &inner)
                                 : json_walk_item(&walk, &inner)) {
        hub_each_change(document, inner, visit, context);
    }
}

#endif
