/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/translate_rig.h: translations as the shell makes them, for the tests that hold them against
 * expectations: by the names of operations and models alone. */
#ifndef TESTS_UNIT_WIRE_TRANSLATE_RIG_H
#define TESTS_UNIT_WIRE_TRANSLATE_RIG_H

#include "data.h"

#include <string.h>

#include "wire/events.h"
#include "wire/habits.h"
#include "wire/json_walk.h"
#include "wire/models.h"
#include "wire/translate.h"

/* An operation that translates, with whom it is usually asked. Converse is told to, and told by, providers alone. */
struct rig_side {
    const char *name;
    const struct dialect *dialect;
    const struct operation *operation;
    const char *kind;
    const char *model;
};

static inline struct rig_side rig_side_of(const char *name)
{
    static const struct {
        const char *name, *dialect, *operation, *kind, *model;
    } rows[] = {
        {"chat", "openai", "chat", "openai", "gpt-4.1"},
        {"responses", "openai", "responses", "openai", "gpt-5-pro"},
        {"messages", "anthropic", "messages", "anthropic", "claude-sonnet-4-5"},
        {"generate", "gemini", "generate_content", "gemini", "gemini-4-argon"},
        {"converse", "bedrock", "converse", "bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            const struct dialect *dialect = strcmp(rows[i].dialect, "bedrock") == 0
                                                ? &dialect_bedrock
                                                : dialect_by_name(span_of(rows[i].dialect));

            assert_non_null(dialect);
            return (struct rig_side){rows[i].name, dialect, operation_named(dialect, rows[i].operation), rows[i].kind,
                                     rows[i].model};
        }
    }
    fail_msg("no operation is called %s", name);
    return (struct rig_side){0};
}

/* Whether the grammar of this side takes the body from an app. */
static inline bool rig_accepts(const struct rig_side *side, struct json_scan *scan, struct span body)
{
    struct request request = {.output_cap = -1};
    struct refusal refusal = side->operation->read_request(scan, 1, body, &request);

    return refusal.kind == REFUSAL_NONE;
}

static inline struct translation *rig_translate(const struct rig_side *from, const struct rig_side *to,
                                                const char *model, const char *address, bool is_strict,
                                                struct json_scan *scan, struct span body)
{
    struct translate_ask ask = {.from = from->operation,
                                .to = to->operation,
                                .scan = scan,
                                .model = span_of(model),
                                .app_model = SPAN_OF("app-model"),
                                .body = body,
                                .facts = model_facts_of(to->dialect->name, span_of(model)),
                                .habits = habits_of(address == NULL ? to->kind : "compatible",
                                                    span_of(address == NULL ? to->kind : address), span_of(model)),
                                .input_estimate = 7,
                                .now_s = 1800000000,
                                .seed = 42,
                                .is_stream = span_equal(json_walk_find(body, "stream"), SPAN_OF("true")),
                                .is_strict = is_strict};
    struct translation *translation = translation_new(&ask);

    assert_non_null(translation);
    return translation;
}

/* A provider's stream, cut where the caller wants, as the app gets it. False: it failed on the way. `is_over`: the body
 * ended, and well. */
struct rig_stream {
    const struct rig_side *to;
    struct translation *translation;
    struct json_scan *scan;
    struct stream stream;
    struct events events;
    bool has_failed;
};

static inline void rig_stream_begin(struct rig_stream *rig, const struct rig_side *to, struct translation *translation,
                                    struct json_scan *scan)
{
    *rig = (struct rig_stream){.to = to, .translation = translation, .scan = scan};
    stream_init(&rig->stream, to->operation, false);
    events_init(&rig->events, to->dialect == &dialect_bedrock, (size_t)1 << 20, (size_t)1 << 22);
    assert_true(translation_begin(translation));
}

static inline void rig_stream_event(struct rig_stream *rig, const struct sse_event *event, struct buf *out)
{
    struct event_view view = {0};
    struct usage usage;

    if (rig->has_failed) {
        return;
    }
    rig->stream.operation->read_event(&rig->stream, rig->scan, event, &view);
    meter_usage(&rig->stream.meter, rig->to->operation->input_holds_cache, &usage);
    rig->has_failed = view.is_error ||
                      translation_event(rig->translation, event, &usage, out) != TRANSLATE_OK;
}

static inline void rig_stream_feed(struct rig_stream *rig, struct span bytes, struct buf *out)
{
    struct sse_event event;
    enum sse_step step = SSE_MORE;

    while ((step = events_feed(&rig->events, &bytes, &event)) == SSE_EVENT) {
        rig_stream_event(rig, &event, out);
    }
    rig->has_failed = rig->has_failed || step != SSE_MORE;
}

static inline void rig_stream_end(struct rig_stream *rig, struct buf *out)
{
    struct sse_event event;
    struct usage usage;

    if (events_finish(&rig->events, &event)) {
        rig_stream_event(rig, &event, out);
    }
    events_fini(&rig->events);
    meter_usage(&rig->stream.meter, rig->to->operation->input_holds_cache, &usage);
    if (!rig->has_failed && (rig->stream.saw_finish || rig->stream.saw_terminal) &&
        !translation_has_ended(rig->translation)) {
        rig->has_failed = translation_end(rig->translation, &usage, out) != TRANSLATE_OK;
    }
}

/* One whole run of a stream over one way to split it. */
static inline void rig_stream_all(const struct rig_side *to, struct translation *translation, struct json_scan *scan,
                                  const struct span *pieces, size_t count, struct buf *out)
{
    struct rig_stream rig;

    rig_stream_begin(&rig, to, translation, scan);
    for (size_t i = 0; i < count; i++) {
        rig_stream_feed(&rig, pieces[i], out);
    }
    rig_stream_end(&rig, out);
    if (rig.has_failed || !translation_has_ended(translation)) {
        buf_put_text(out, rig.has_failed ? "(failed)\n" : "(broken off)\n");
    }
}

#endif
