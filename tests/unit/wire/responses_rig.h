/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/responses_rig.h: the translation of POST /responses, driven without the rest of it: a
 * request in and out again, an answer in and out again, and a writer that only notes what it is told. In
 * the texts of these tests ' stands for ", so that they can be read. */
#ifndef TESTS_UNIT_WIRE_RESPONSES_RIG_H
#define TESTS_UNIT_WIRE_RESPONSES_RIG_H

#include "data.h"

#include <string.h>

#include "wire/chat.h"
#include "wire/json_scan.h"
#include "wire/models.h"

enum { RIG_ARENA = 1 << 20, RIG_TEXT = 1 << 22 };

struct rig {
    struct arena arena;
    struct json_scan *scan;
    struct buf in;
    struct buf out;
    struct chat chat;
};

static inline const struct translator *rig_translator(void)
{
    return operation_named(&dialect_openai, "responses")->translator;
}

static inline void rig_begin(struct rig *rig, const char *text, size_t arena_max, bool is_strict)
{
    *rig = (struct rig){.scan = json_scan_new()};
    assert_non_null(rig->scan);
    arena_init(&rig->arena, arena_max);
    buf_init(&rig->in, RIG_TEXT);
    buf_init(&rig->out, RIG_TEXT);
    buf_put_text(&rig->in, text);
    for (size_t i = 0; i < rig->in.len; i++) {
        rig->in.at[i] = rig->in.at[i] == '\'' ? '"' : rig->in.at[i];
    }
    chat_init(&rig->chat, &rig->arena, rig->scan, is_strict);
}

static inline void rig_end(struct rig *rig)
{
    arena_fini(&rig->arena);
    json_scan_free(rig->scan);
    buf_fini(&rig->in);
    buf_fini(&rig->out);
}

static inline bool rig_is_json(struct rig *rig, struct span text)
{
    struct json_scan_options options = {.allow_duplicates = true};

    return json_scan_whole(rig->scan, &options, text, NULL);
}

static inline void rig_read(struct rig *rig)
{
    if (!rig_is_json(rig, buf_span(&rig->in))) {
        fail_msg("no JSON: %.*s", SPAN_ARGS(buf_span(&rig->in)));
    }
    rig_translator()->read_request(&rig->chat, buf_span(&rig->in));
}

/* As if it had been fitted already. */
static inline void rig_write(struct rig *rig, const char *model)
{
    static const struct model_facts facts = {.output_max = 1000, .wants_developer = true};
    struct chat_target target = {.operation = operation_named(&dialect_openai, "responses"), .model = &facts};
    struct json_out json;

    rig->chat.model = span_of(model);
    rig->chat.target = &target;
    buf_clear(&rig->out);
    json_out_init(&json, &rig->out);
    rig_translator()->write_request(&rig->chat, &json);
    if (!rig->out.failed && !rig_is_json(rig, buf_span(&rig->out))) {
        fail_msg("no JSON: %.*s", SPAN_ARGS(buf_span(&rig->out)));
    }
}

/* `expected` with ' for ". */
static inline void rig_assert_text(struct span text, const char *expected)
{
    struct buf wanted;

    buf_init(&wanted, RIG_TEXT);
    buf_put_text(&wanted, expected);
    for (size_t i = 0; i < wanted.len; i++) {
        wanted.at[i] = wanted.at[i] == '\'' ? '"' : wanted.at[i];
    }
    if (!span_equal(text, buf_span(&wanted))) {
        fail_msg("\n  is     %.*s\n  not    %.*s", SPAN_ARGS(text), SPAN_ARGS(buf_span(&wanted)));
    }
    buf_fini(&wanted);
}

/* "seed, temperature=changed" */
static inline void rig_assert_dropped(const struct chat *chat, const char *expected)
{
    struct buf names;

    buf_init(&names, RIG_TEXT);
    for (const struct chat_dropped *dropped = chat->dropped; dropped != NULL; dropped = dropped->next) {
        buf_put_text(&names, names.len == 0 ? "" : ", ");
        buf_put(&names, dropped->name);
        buf_put_text(&names, dropped->is_changed ? "=changed" : "");
    }
    rig_assert_text(buf_span(&names), expected);
    buf_fini(&names);
}

/* ---- answers ---- */

/* What it is told, a line each. */
static inline void rig_note(void *writer, const struct chat_event *event, struct chat_pipe *pipe)
{
    static const char *const names[] = {"start", "text", "refusal", "reason", "call",
                                        "arguments", "call_end", "finish", "end", "fail"};
    struct buf *out = pipe->out;

    (void)writer;
    buf_put_text(out, names[event->kind]);
    if (event->kind == CHAT_EVENT_CALL || event->kind == CHAT_EVENT_ARGUMENTS ||
        event->kind == CHAT_EVENT_CALL_END) {
        buf_put_format(out, " %u", (unsigned)event->call);
    }
    if (event->kind == CHAT_EVENT_FINISH) {
        buf_put_format(out, " %d", (int)event->finish);
    }
    for (int i = 0; i < 3; i++) {
        struct span value = i == 0 ? event->text : i == 1 ? event->id : event->name;

        if (value.len > 0) {
            buf_put_text(out, " ");
            buf_put(out, value);
        }
    }
    buf_put_text(out, "\n");
}

static const struct translator rig_noting = {.write_event = rig_note};

static inline struct chat_terms rig_terms(bool shows_thinking)
{
    return (struct chat_terms){.model = SPAN_OF("\"smart\""),
                               .created = 1700000000,
                               .seed = UINT64_C(0x0123456789abcdef),
                               .input_estimate = 7,
                               .shows_thinking = shows_thinking,
                               .tools = SPAN_OF("[{\"type\":\"function\",\n\"name\":\"f\"}]")};
}

/* Between reader and writer; gives everything back in rig_pipe_end. */
struct rig_pipe {
    struct chat_pipe pipe;
    struct chat_terms terms;
    struct buf out;
    struct buf scratch;
    void *reader;
    void *writer;
    uint64_t reader_room[512];
    uint64_t writer_room[64];
};

static inline void rig_pipe_begin(struct rig_pipe *rig, const struct translator *writer, bool shows_thinking)
{
    memset(rig, 0, sizeof *rig);
    assert_true(rig_translator()->reader_size <= sizeof rig->reader_room);
    assert_true(writer->writer_size <= sizeof rig->writer_room);
    rig->terms = rig_terms(shows_thinking);
    buf_init(&rig->out, RIG_TEXT);
    buf_init(&rig->scratch, RIG_TEXT);
    rig->reader = rig->reader_room;
    rig->writer = rig->writer_room;
    rig->pipe = (struct chat_pipe){.writer_row = writer,
                                   .writer = rig->writer,
                                   .terms = &rig->terms,
                                   .out = &rig->out,
                                   .scratch = &rig->scratch};
    usage_init(&rig->pipe.usage);
}

static inline void rig_pipe_end(struct rig_pipe *rig)
{
    if (rig->pipe.writer_row->end_writer != NULL) {
        rig->pipe.writer_row->end_writer(rig->writer);
    }
    buf_fini(&rig->out);
    buf_fini(&rig->scratch);
}

static inline void rig_feed(struct rig_pipe *rig, struct span data)
{
    rig_translator()->read_event(rig->reader, data, &rig->pipe);
}

/* A stream of /responses, cut into pieces or not: its events one by one to the reader. */
static inline void rig_feed_sse(struct rig_pipe *rig, struct sse *sse, struct span piece)
{
    struct sse_event event;

    while (sse_feed(sse, &piece, &event) == SSE_EVENT) {
        if (event.has_data) {
            rig_feed(rig, event.data);
        }
    }
}

#endif
