/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_resume.c: the first byte picks the dialect (1), how the begun turn is written
 * (2), whether the first stream was shown (4) and how the bytes are cut; then two or three streams,
 * a line
 * "=" between them. Whole and in pieces the app must get the same; what is written anew and what is
 * asked must be JSON. */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/must.h"
#include "wire/resume.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LAST "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"so\"}]}"

static const struct span bodies[] = {
    SPAN("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
         "\"stream\":true}"),
    SPAN("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}"
         "," LAST "],\"stream\":true}")};
static const struct prefill_way ways[] = {
    {SPAN(""), SPAN(""), PREFILL_MARK_ROLE, true},
    {SPAN(",\"prefix\":true"), SPAN(""), PREFILL_MARK_PREFIX, false}};

struct run {
    uint8_t how;
    struct json_scan *scan;
    struct request request;
    struct resume resume;
    struct stream stream;
    struct buf app;
    bool is_broken;
};

static bool is_json(struct run *run, struct span text)
{
    struct json_scan_options options = {.allow_duplicates = true};

    return json_scan_whole(run->scan, &options, text, NULL);
}

/* The event's data, read back as an app reads it. */
static void check_written(struct run *run, struct span text)
{
    struct sse sse;
    struct sse_event event;

    sse_init(&sse, LIMIT_EVENT_HELD, LIMIT_EVENT);
    while (sse_feed(&sse, &text, &event) == SSE_EVENT) {
        must(event.has_data && is_json(run, event.data));
    }
    must(sse.tail.len == 0);
    sse_fini(&sse);
}

static void take(struct run *run, const struct sse_event *event)
{
    struct event_view view = {0};
    struct buf out;
    struct resume_look look = {
        .event = event, .view = &view, .stream = &run->stream, .scan = run->scan, .out = &out};

    run->stream.operation->read_event(&run->stream, run->scan, event, &view);
    if (view.is_error) {
        run->is_broken = true;
        return;
    }
    buf_init(&out, LIMIT_EVENT);
    switch (resume_event(&run->resume, &look)) {
    case RESUME_PASS: buf_put(&run->app, event->raw); break;
    case RESUME_DROP: break;
    case RESUME_PUT:
        check_written(run, buf_span(&out));
        buf_put(&run->app, buf_span(&out));
        break;
    case RESUME_BROKEN: run->is_broken = true; break;
    }
    buf_fini(&out);
}

static void feed(struct run *run, struct span stream, size_t stride)
{
    struct sse sse;
    struct sse_event event;

    sse_init(&sse, LIMIT_EVENT_HELD, LIMIT_EVENT);
    while (stream.len > 0 && !run->is_broken) {
        size_t count = stride > stream.len ? stream.len : stride;
        char *copy = malloc(count);
        struct span in = {copy, count};

        must(copy != NULL);
        memcpy(copy, stream.at, count);
        while (!run->is_broken && sse_feed(&sse, &in, &event) == SSE_EVENT) {
            take(run, &event);
        }
        free(copy);
        stream = span_from(stream, count);
    }
    sse_fini(&sse);
}

static bool ask(struct run *run, bool was_shown)
{
    struct json_edit own[JSON_EDITS_MAX];
    struct json_edit edits[JSON_EDITS_MAX];
    struct span pieces[JSON_PIECES_MAX];
    struct buf body;
    size_t count = run->request.operation->edits(&run->request, SPAN_OF("\"n\""), true, own);
    struct resume_ask ask = {.scan = run->scan,
                             .request = &run->request,
                             .way = &ways[run->how >> 1 & 1],
                             .own = own,
                             .own_count = count};

    resume_leave(&run->resume, &run->stream, was_shown);
    if (!resume_edits(&run->resume, &ask, edits, &count)) {
        return false;
    }
    buf_init(&body, LIMIT_EVENT);
    count = json_splice(run->request.body, edits, count, pieces);
    for (size_t i = 0; i < count; i++) {
        buf_put(&body, pieces[i]);
    }
    must(is_json(run, buf_span(&body)));
    buf_put(&run->app, buf_span(&body));
    buf_fini(&body);
    stream_init(&run->stream, run->request.operation, false);
    return true;
}

static void run_call(struct run *run, struct span streams, uint8_t how, size_t stride)
{
    const struct dialect *dialect = (how & 1) != 0 ? &dialect_anthropic : &dialect_openai;
    struct refusal refusal;

    *run = (struct run){.how = how, .scan = json_scan_new()};
    must(run->scan != NULL);
    refusal =
        dialect->operations[0].read_request(run->scan, 7, bodies[how >> 3 & 1], &run->request);
    must(refusal.kind == REFUSAL_NONE);
    run->request.operation = &dialect->operations[0];
    buf_init(&run->app, SIZE_MAX / 4);
    stream_init(&run->stream, run->request.operation, false);
    resume_begin(&run->resume, run->scan, &run->request);
    for (int i = 0; i < 3 && streams.len > 0 && !run->is_broken; i++) {
        const char *line = span_find(streams, SPAN_OF("\n=\n"));
        size_t end = line == NULL ? streams.len : (size_t)(line - streams.at) + 1;

        feed(run, span_make(streams.at, end), stride);
        streams = span_from(streams, line == NULL ? end : end + 2);
        if (!resume_can(&run->resume, &run->stream) || !ask(run, i == 0 || (how & 4) != 0)) {
            break;
        }
    }
    must(!run->app.failed);
    resume_fini(&run->resume);
    json_scan_free(run->scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole;
    struct run split;
    struct span streams = {"", 0};
    uint8_t how = 0;

    if (size > 0) {
        how = data[0];
        streams = span_make((const char *)data + 1, size - 1);
    }
    run_call(&whole, streams, how, size + 1);
    run_call(&split, streams, how, 1 + how / 16);
    must(whole.is_broken == split.is_broken);
    must(span_equal(buf_span(&whole.app), buf_span(&split.app)));
    buf_fini(&whole.app);
    buf_fini(&split.app);
    return 0;
}
