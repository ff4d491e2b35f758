/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/openai_chat_rig.h: chat completions through the hub form and back. JSON in tests has ' where the
 * wire has ", so that it can be read. */
#ifndef TESTS_UNIT_WIRE_OPENAI_CHAT_RIG_H
#define TESTS_UNIT_WIRE_OPENAI_CHAT_RIG_H

#include "data.h"

#include "wire/chat.h"
#include "wire/dialects/openai.h"
#include "wire/habits.h"
#include "wire/models.h"

struct rig {
    struct arena arena;
    struct json_scan *scan;
    struct chat chat;
    struct buf out;
    struct buf dropped;
};

static inline void rig_init(struct rig *rig)
{
    arena_init(&rig->arena, (size_t)1 << 26);
    rig->scan = json_scan_new();
    chat_init(&rig->chat, &rig->arena, rig->scan, false);
    buf_init(&rig->out, (size_t)1 << 26);
    buf_init(&rig->dropped, 4096);
}

static inline void rig_fini(struct rig *rig)
{
    assert_false(rig->arena.failed);
    assert_false(rig->out.failed);
    arena_fini(&rig->arena);
    json_scan_free(rig->scan);
    buf_fini(&rig->out);
    buf_fini(&rig->dropped);
}

static inline struct span json(struct rig *rig, const char *text)
{
    struct span copy = arena_copy(&rig->arena, span_of(text));

    for (size_t i = 0; i < copy.len; i++) {
        if (copy.at[i] == '\'') {
            ((char *)copy.at)[i] = '"';
        }
    }
    return copy;
}

/* The same, as readers get it: accepted. */
static inline struct span accepted(struct rig *rig, const char *text)
{
    struct json_scan_options options = {.allow_duplicates = true};
    struct span document = json(rig, text);

    if (!json_scan_whole(rig->scan, &options, document, NULL)) {
        fail_msg("no JSON: %.*s", SPAN_ARGS(document));
    }
    return document;
}

#define assert_json(rig, span, text) assert_json_at(rig, span, text, __FILE__, __LINE__)
static inline void assert_json_at(struct rig *rig, struct span span, const char *text, const char *file, int line)
{
    struct span expected = json(rig, text);

    if (!span_equal(span, expected)) {
        print_error("got      %.*s\nexpected %.*s\n", SPAN_ARGS(span), SPAN_ARGS(expected));
        _fail(file, line);
    }
}

static inline void read_request(struct rig *rig, const char *text)
{
    openai_chat_translator.read_request(&rig->chat, accepted(rig, text));
    chat_finish(&rig->chat);
}

static inline struct span write_request(struct rig *rig, unsigned habits, bool wants_developer)
{
    const struct model_facts facts = {.wants_developer = wants_developer};
    const struct chat_target target = {.model = &facts, .habits = habits};
    struct json_scan_options options = {0};
    struct json_out out;

    buf_clear(&rig->out);
    json_out_init(&out, &rig->out);
    rig->chat.target = &target;
    openai_chat_translator.write_request(&rig->chat, &out);
    rig->chat.target = NULL;
    assert_true(json_scan_whole(rig->scan, &options, buf_span(&rig->out), NULL));
    return buf_span(&rig->out);
}

/* What was lost: "seed, temperature=changed". */
static inline struct span dropped(struct rig *rig)
{
    buf_clear(&rig->dropped);
    for (const struct chat_dropped *one = rig->chat.dropped; one != NULL; one = one->next) {
        buf_put_text(&rig->dropped, rig->dropped.len > 0 ? ", " : "");
        buf_put(&rig->dropped, one->name);
        buf_put_text(&rig->dropped, one->is_changed ? "=changed" : "");
    }
    return buf_span(&rig->dropped);
}

#endif
