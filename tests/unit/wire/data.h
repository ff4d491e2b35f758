/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/data.h: files of tests/data, and what the tests of the dialects share. */
#ifndef TESTS_UNIT_WIRE_DATA_H
#define TESTS_UNIT_WIRE_DATA_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/span.h"
#include "wire/dialect.h"
#include "wire/sse.h"

/* The whole file of tests/data; give the buffer back with buf_fini. */
static inline struct buf data_read(const char *name)
{
    char path[256];
    char piece[4096];
    struct buf text;
    size_t got = 0;

    buf_init(&text, (size_t)1 << 20);
    (void)snprintf(path, sizeof path, "tests/data/%s", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("%s is missing", path);
    }
    while ((got = fread(piece, 1, sizeof piece, file)) > 0) {
        buf_put(&text, span_make(piece, got));
    }
    (void)fclose(file);
    assert_false(text.failed);
    return text;
}

static inline void assert_text(struct span text, const char *expected)
{
    if (!span_equal(text, span_of(expected))) {
        fail_msg("'%.*s' instead of '%s'", SPAN_ARGS(text), expected);
    }
}

/* What a stream amounted to, read event by event as the relay does. */
struct walk {
    size_t events;
    size_t contents;
    size_t opened_by;  /* number of the event (from 0) that brought the first content */
    size_t hidden;
    size_t errors;
    bool is_terminal_last;
    struct usage usage;
    char error_type[64];
};

static inline struct walk walk_stream(struct stream *stream, struct json_scan *scan,
                                      struct span text)
{
    struct walk walk = {.opened_by = SIZE_MAX};
    struct sse sse;
    struct sse_event event;
    struct event_view view;

    sse_init(&sse, (size_t)1 << 20, (size_t)1 << 22);
    while (sse_feed(&sse, &text, &event) == SSE_EVENT) {
        stream->operation->read_event(stream, scan, &event, &view);
        if (view.is_content && walk.contents == 0) {
            walk.opened_by = walk.events;
        }
        walk.contents += view.is_content;
        walk.hidden += view.hide;
        walk.errors += view.is_error;
        if (view.is_error) {
            (void)snprintf(walk.error_type, sizeof walk.error_type, "%.*s",
                           SPAN_ARGS(view.error.type));
        }
        walk.is_terminal_last = view.is_terminal;
        walk.events++;
    }
    sse_fini(&sse);
    meter_usage(&stream->meter, stream->operation->input_holds_cache, &walk.usage);
    return walk;
}

static inline struct walk walk_file(const char *name, const struct operation *operation,
                                    bool hides_usage, struct stream *stream)
{
    struct json_scan *scan = json_scan_new();
    struct buf text = data_read(name);

    stream_init(stream, operation, hides_usage);
    struct walk walk = walk_stream(stream, scan, buf_span(&text));
    buf_fini(&text);
    json_scan_free(scan);
    return walk;
}

/* One event, as a server would have sent it. */
static inline struct event_view view_of(struct stream *stream, const char *name, const char *data)
{
    struct json_scan *scan = json_scan_new();
    struct sse_event event = {
        .name = span_of(name), .data = span_of(data), .has_data = data != NULL};
    struct event_view view;

    stream->operation->read_event(stream, scan, &event, &view);
    json_scan_free(scan);
    return view;
}

static inline const struct operation *operation_named(const struct dialect *dialect,
                                                      const char *name)
{
    for (const struct operation *o = dialect->operations; o->name != NULL; o++) {
        if (span_equal(span_of(o->name), span_of(name))) {
            return o;
        }
    }
    fail_msg("no operation %s", name);
    UNREACHABLE();
}

/* A body judged by an operation. */
static inline struct refusal judge(const struct operation *operation, struct span body,
                                   struct request *request)
{
    struct json_scan *scan = json_scan_new();

    *request = (struct request){.operation = operation};
    struct refusal refusal = operation->read_request(scan, 7, body, request);
    json_scan_free(scan);
    return refusal;
}

static inline struct answer answer_of(const struct operation *operation, struct span body,
                                      struct usage *usage)
{
    struct json_scan *scan = json_scan_new();
    struct answer answer;
    struct meter meter;

    meter_init(&meter);
    operation->read_answer(scan, body, &answer, &meter);
    meter_usage(&meter, operation->input_holds_cache, usage);
    json_scan_free(scan);
    return answer;
}

/* The body after the edits for a provider of the same dialect. */
static inline struct buf edited(const struct request *request, struct span model_json,
                                bool asks_usage)
{
    struct json_edit edits[JSON_EDITS_MAX];
    struct span pieces[JSON_PIECES_MAX];
    struct buf text;
    size_t count = request->operation->edits(request, model_json, asks_usage, edits);
    size_t pieces_count = json_splice(request->body, edits, count, pieces);

    buf_init(&text, (size_t)1 << 20);
    for (size_t i = 0; i < pieces_count; i++) {
        buf_put(&text, pieces[i]);
    }
    return text;
}

#endif
