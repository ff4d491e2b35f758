/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/resume_rig.h: a call whose stream breaks off and goes on, without sockets: streams
 * go in as bytes, what the app would get is gathered in `app`. */
#ifndef TESTS_UNIT_WIRE_RESUME_RIG_H
#define TESTS_UNIT_WIRE_RESUME_RIG_H

#include "base/limits.h"
#include "data.h"
#include "tests/lib/bytes.h"
#include "wire/resume.h"

struct rig {
    struct json_scan *scan;
    struct request request;
    struct resume resume;
    struct stream stream;
    struct buf app;
    struct buf body; /* of the continuing request */
    bool is_broken;
};

static inline void rig_begin(struct rig *rig, const struct operation *operation, const char *body)
{
    struct refusal refusal;

    *rig = (struct rig){.scan = json_scan_new()};
    assert_non_null(rig->scan);
    rig->request.operation = operation;
    refusal = operation->read_request(rig->scan, 7, span_of(body), &rig->request);
    assert_int_equal(refusal.kind, REFUSAL_NONE);
    rig->request.operation = operation;
    buf_init(&rig->app, (size_t)1 << 22);
    buf_init(&rig->body, (size_t)1 << 22);
    stream_init(&rig->stream, operation, false);
    resume_begin(&rig->resume, rig->scan, &rig->request);
}

static inline void rig_end(struct rig *rig)
{
    resume_fini(&rig->resume);
    buf_fini(&rig->app);
    buf_fini(&rig->body);
    json_scan_free(rig->scan);
}

static inline void rig_event(struct rig *rig, const struct sse_event *event)
{
    struct event_view view = {0};
    struct buf out;
    struct resume_look look = {.event = event,
                               .view = &view,
                               .stream = &rig->stream,
                               .scan = rig->scan,
                               .out = &out};

    buf_init(&out, (size_t)1 << 20);
    rig->stream.operation->read_event(&rig->stream, rig->scan, event, &view);
    assert_false(view.is_error);
    switch (resume_event(&rig->resume, &look)) {
    case RESUME_PASS: buf_put(&rig->app, event->raw); break;
    case RESUME_DROP: break;
    case RESUME_PUT: buf_put(&rig->app, buf_span(&out)); break;
    case RESUME_BROKEN: rig->is_broken = true; break;
    }
    buf_fini(&out);
}

/* The bytes of a stream, in pieces that end at `ends`; what is unfinished at the end is lost. */
static inline void rig_stream(struct rig *rig, const struct bytes_split *split)
{
    struct sse sse;

    sse_init(&sse, LIMIT_EVENT_HELD, LIMIT_EVENT);
    for (size_t i = 0; i < split->count; i++) {
        struct span owned = bytes_own(bytes_piece(split, i));
        struct span in = owned;
        struct sse_event event;

        while (!rig->is_broken && sse_feed(&sse, &in, &event) == SSE_EVENT) {
            rig_event(rig, &event);
        }
        bytes_give(owned);
    }
    sse_fini(&sse);
}

static inline void rig_whole(struct rig *rig, const char *bytes)
{
    size_t end = strlen(bytes);
    struct bytes_split split = {.whole = span_of(bytes), .ends = &end, .count = 1};

    rig_stream(rig, &split);
}

/* The stream is over; another one is asked, in `body`. False: it cannot be. */
static inline bool rig_next(struct rig *rig, const struct prefill_way *way, bool was_shown)
{
    struct json_edit own[JSON_EDITS_MAX];
    struct json_edit edits[JSON_EDITS_MAX];
    struct span pieces[JSON_PIECES_MAX];
    size_t count = rig->request.operation->edits(&rig->request, SPAN_OF("\"m2\""), false, own);
    struct resume_ask ask = {
        .scan = rig->scan, .request = &rig->request, .way = way, .own = own, .own_count = count};

    resume_leave(&rig->resume, &rig->stream, was_shown);
    if (!resume_edits(&rig->resume, &ask, edits, &count)) {
        return false;
    }
    count = json_splice(rig->request.body, edits, count, pieces);
    buf_clear(&rig->body);
    for (size_t i = 0; i < count; i++) {
        buf_put(&rig->body, pieces[i]);
    }
    stream_init(&rig->stream, rig->request.operation, false);
    return true;
}

#endif
