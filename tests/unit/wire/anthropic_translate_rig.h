/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/anthropic_translate_rig.h: what the tests of translated messages share. In their texts ' stands for
 * ", so that JSON can be read. */
#ifndef TESTS_UNIT_WIRE_ANTHROPIC_TRANSLATE_RIG_H
#define TESTS_UNIT_WIRE_ANTHROPIC_TRANSLATE_RIG_H

#include "data.h"

#include <string.h>

#include "wire/chat.h"
#include "wire/dialects/anthropic.h"
#include "wire/json_walk.h"
#include "wire/models.h"

struct rig {
    struct json_scan *scan;
    struct arena arena;
    struct chat chat;
    struct buf in;
    struct buf out;
};

static inline void rig_begin(struct rig *rig, bool is_strict)
{
    rig->scan = json_scan_new();
    arena_init(&rig->arena, (size_t)1 << 26);
    buf_init(&rig->in, (size_t)1 << 24);
    buf_init(&rig->out, (size_t)1 << 24);
    chat_init(&rig->chat, &rig->arena, rig->scan, is_strict);
}

static inline void rig_end(struct rig *rig)
{
    buf_fini(&rig->in);
    buf_fini(&rig->out);
    arena_fini(&rig->arena);
    json_scan_free(rig->scan);
}

static inline bool rig_accepts(struct rig *rig, struct span json)
{
    struct json_scan_options options = {.allow_duplicates = true};

    return json_scan_whole(rig->scan, &options, json, NULL);
}

/* `text` with its ' as ", behind what `buf` has. */
static inline struct span rig_quote(struct buf *buf, const char *text)
{
    size_t from = buf->len;

    for (; *text != '\0'; text++) {
        buf_put_char(buf, *text == '\'' ? '"' : *text);
    }
    assert_false(buf->failed);
    return span_from(buf_span(buf), from);
}

static inline void rig_same(struct span text, const char *expected)
{
    struct buf buf;

    buf_init(&buf, (size_t)1 << 20);
    struct span wanted = rig_quote(&buf, expected);
    if (!span_equal(text, wanted)) {
        fail_msg("\n%.*s\n  instead of\n%.*s", SPAN_ARGS(text), SPAN_ARGS(wanted));
    }
    buf_fini(&buf);
}

/* Each value inside `document` in turn is replaced by each of many of other types. */
typedef void rig_visit_fn(struct span document, void *context);

static inline void rig_replace(struct span document, struct span value, rig_visit_fn *visit, void *context)
{
    static const char *const others[] = {"null", "7", "-1", "1.5e300", "true", "false", "\"\"", "\"x\"", "\" \\n\"",
                                         "[]", "{}", "[[]]", "[{}]", "[null,1,\"\"]", "{\"type\":\"text\"}",
                                         "\"\\\"\\\\\\u0000\""};
    struct buf buf;

    buf_init(&buf, (size_t)1 << 22);
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        buf_clear(&buf);
        buf_put(&buf, span_make(document.at, (size_t)(value.at - document.at)));
        buf_put_text(&buf, others[i]);
        buf_put(&buf, span_from(document, (size_t)(value.at - document.at) + value.len));
        visit(buf_span(&buf), context);
    }
    buf_fini(&buf);
}

static inline void rig_each_mutation(struct span document, rig_visit_fn *visit, void *context)
{
    struct span open[4096];
    size_t count = 1;

    open[0] = document;
    while (count > 0) {
        struct span value = open[--count];
        struct json_walk walk = json_walk_of(value);
        struct span name;
        struct span item;

        rig_replace(document, value, visit, context);
        while (json_is_object(value) ? json_walk_member(&walk, &name, &item) : json_walk_item(&walk, &item)) {
            assert_true(count < ARRAY_LENGTH(open));
            open[count++] = item;
        }
    }
}

#endif
