/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_sse.c: the first byte says how to cut the rest and how small the limits are. The
 * stream is fed whole and in pieces: the events must be equal, and the raw bytes of all events must
 * be the stream. */
#include <stdint.h>
#include <stdlib.h>

#include "base/must.h"
#include "wire/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a run showed. Pieces of one oversized event count as one. */
struct run {
    struct buf text;
    struct buf raw;
    bool in_pieces;
    bool gave_up;
};

static void put_part(struct buf *text, char tag, struct span bytes)
{
    buf_put_char(text, tag);
    buf_put_u64(text, bytes.len);
    buf_put_char(text, ':');
    buf_put(text, bytes);
}

static void take_event(struct run *run, const struct sse_event *event)
{
    buf_put(&run->raw, event->raw);
    if (event->is_piece) {
        must(!event->has_data && event->name.len == 0);
        run->in_pieces = !event->is_last_piece;
        buf_put_text(&run->text, event->is_last_piece ? "pieces." : "");
        buf_put(&run->text, event->end);
        return;
    }
    must(!run->in_pieces && event->raw.len > 0);
    must(event->has_data || event->data.len == 0);
    put_part(&run->text, 'r', event->raw);
    put_part(&run->text, 'n', event->name);
    put_part(&run->text, event->has_data ? 'd' : '-', event->data);
}

static void feed(struct run *run, struct sse *sse, struct span in)
{
    for (;;) {
        struct sse_event event;

        switch (sse_feed(sse, &in, &event)) {
        case SSE_MORE: must(in.len == 0); return;
        case SSE_EVENT: take_event(run, &event); break;
        case SSE_TOO_LONG: run->gave_up = true; return;
        case SSE_BROKEN: /* of frames alone */
        case SSE_NO_MEMORY: must(false); return;
        }
    }
}

static void run_stream(struct run *run, struct span stream, uint8_t how, size_t stride)
{
    static const size_t held[] = {1024 * 1024, 16, 24, 40};
    static const size_t most[] = {32 * 1024 * 1024, 64, 24, 1000};
    uint32_t chance = how * 2654435761U + 1;
    struct sse sse;
    struct sse_event event;

    *run = (struct run){.gave_up = false};
    buf_init(&run->text, SIZE_MAX / 4);
    buf_init(&run->raw, SIZE_MAX / 4);
    sse_init(&sse, held[how % 4], most[how % 4]);
    while (stream.len > 0 && !run->gave_up) {
        size_t count = stride > 0 ? stride : 1 + (chance >> 24) % 8;
        char *copy = NULL;

        chance = chance * 1664525U + 1013904223U;
        count = count > stream.len ? stream.len : count;
        copy = malloc(count);
        must(copy != NULL);
        memcpy(copy, stream.at, count);
        feed(run, &sse, span_make(copy, count));
        free(copy);
        stream = span_from(stream, count);
    }
    if (!run->gave_up && sse_finish(&sse, &event)) {
        buf_put_text(&run->text, "end.");
        take_event(run, &event);
    }
    must(!run->text.failed && !run->raw.failed);
    sse_fini(&sse);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole;
    struct run split;
    struct span stream = {"", 0};
    uint8_t how = 0;

    if (size > 0) {
        how = data[0];
        stream = span_make((const char *)data + 1, size - 1);
    }
    run_stream(&whole, stream, how, size + 1);
    run_stream(&split, stream, how, how >= 128 ? how / 4 : 0);
    must(whole.gave_up == split.gave_up && whole.in_pieces == split.in_pieces);
    must(span_equal(buf_span(&whole.text), buf_span(&split.text)));
    must(span_equal(buf_span(&whole.raw), buf_span(&split.raw)));
    must(whole.gave_up || span_equal(buf_span(&whole.raw), stream));
    buf_fini(&whole.text);
    buf_fini(&whole.raw);
    buf_fini(&split.text);
    buf_fini(&split.raw);
    return 0;
}
