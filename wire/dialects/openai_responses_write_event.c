/* SPDX-License-Identifier: Apache-2.0 */
/* An answer from elsewhere as the stream of a response (openai.md 8; translation.md 14):
 *   response.created, .in_progress
 *   a text: output_item.added, content_part.added, deltas, their .done, content_part.done, output_item.done
 *   a call: output_item.added, function_call_arguments deltas, .done, output_item.done
 *   response.completed or .incomplete with the whole output and usage
 * Texts follow one another; calls may grow side by side, as events name their item. What is over is
 * closed only when something follows: until then the cap may have cut it. */
#include "wire/dialects/openai_responses.h"

#include <string.h>

#include "base/mem.h"
#include "wire/dialect.h"

enum {
    ITEMS_MAX = 512,              /* CHAT_CALLS_MAX and texts between them */
    ITEMS_FIRST = 4,
    BYTES_MAX = 32 * 1024 * 1024, /* said again at the end: one event at most, as of a provider */
    NAMES_MAX = 4 * 1024          /* of a call's id and name; of a response's id and model */
};

struct openai_responses_held {
    enum response_kind kind;
    uint32_t call;
    bool is_over;
    bool is_closed;
    struct buf text;  /* inside of a string */
    struct buf names; /* CALL: id and name, strings */
    size_t id_len;
};

struct writing {
    struct openai_responses_writer *writer;
    struct chat_pipe *pipe;
    struct json_out json;
};

/* ---- what is held ---- */

/* The end can no longer be told. */
static void give_up(struct writing *writing)
{
    writing->pipe->out->failed = true;
}

static void hold(struct writing *writing, struct buf *buf, struct span bytes)
{
    struct openai_responses_writer *writer = writing->writer;

    if (bytes.len > BYTES_MAX - writer->bytes) {
        give_up(writing);
        return;
    }
    buf_put(buf, bytes);
    if (buf->failed) {
        give_up(writing);
        return;
    }
    writer->bytes += bytes.len;
}

static bool make_room(struct openai_responses_writer *writer)
{
    uint32_t room = writer->room == 0 ? ITEMS_FIRST : writer->room * 2;
    struct openai_responses_held *items = NULL;

    if (writer->count < writer->room) {
        return true;
    }
    if (room > ITEMS_MAX) {
        return false;
    }
    items = mem_resize(writer->items, writer->room * sizeof *items, room * sizeof *items);
    if (items == NULL) {
        return false;
    }
    writer->items = items;
    writer->room = room;
    return true;
}

static struct response_item item_of(const struct writing *writing, uint32_t index, enum response_stage stage)
{
    const struct openai_responses_held *held = &writing->writer->items[index];
    struct span names = buf_span(&held->names);

    return (struct response_item){.kind = held->kind,
                                  .stage = stage,
                                  .index = index,
                                  .inside = buf_span(&held->text),
                                  .call_id = span_make(names.at, held->id_len),
                                  .name = span_from(names, held->id_len)};
}

/* ---- events ---- */

static void open_event(struct writing *writing, const char *type)
{
    struct buf *out = writing->pipe->out;

    buf_put_text(out, "event: ");
    buf_put_text(out, type);
    buf_put_text(out, "\ndata: ");
    json_out_init(&writing->json, out);
    json_open_object(&writing->json);
    responses_put_word(&writing->json, "type", type);
    json_key(&writing->json, "sequence_number");
    json_i64(&writing->json, writing->writer->sequence++);
}

static void close_event(struct writing *writing)
{
    json_close_object(&writing->json);
    buf_put_text(writing->pipe->out, "\n\n");
}

static void tell_item(struct writing *writing, const char *type, const struct response_item *item)
{
    open_event(writing, type);
    json_key(&writing->json, "output_index");
    json_i64(&writing->json, item->index);
    json_key(&writing->json, "item");
    response_put_item(&writing->json, writing->pipe->terms, item);
    close_event(writing);
}

/* Opens an event about the inside of an item. */
static void open_inner(struct writing *writing, const char *type, const struct response_item *item)
{
    const char *place = response_row(item->kind)->place;

    open_event(writing, type);
    json_key(&writing->json, "item_id");
    response_put_item_id(&writing->json, writing->pipe->terms, item);
    json_key(&writing->json, "output_index");
    json_i64(&writing->json, item->index);
    if (place != NULL) {
        json_key(&writing->json, place);
        json_i64(&writing->json, 0);
    }
}

static void tell_part(struct writing *writing, const char *type, const struct response_item *item)
{
    if (type == NULL) {
        return; /* calls have none */
    }
    open_inner(writing, type, item);
    json_key(&writing->json, "part");
    response_put_part(&writing->json, item);
    close_event(writing);
}

/* A piece of the text, or all of it. */
static void tell_text(struct writing *writing, const char *type, const char *key, const struct response_item *item)
{
    open_inner(writing, type, item);
    if (item->kind == RESPONSE_MESSAGE) {
        responses_put_said(&writing->json, "logprobs", SPAN_OF("[]"));
    }
    if (item->kind == RESPONSE_CALL && item->stage != RESPONSE_BEGUN) {
        responses_put_said(&writing->json, "name", item->name);
    }
    json_key(&writing->json, key);
    response_put_text(&writing->json, item);
    close_event(writing);
}

static void tell_response(struct writing *writing, const char *type, enum response_stage stage)
{
    struct openai_responses_writer *writer = writing->writer;
    struct response_frame frame = {
        .terms = writing->pipe->terms,
        .id = span_make(writer->names.at, writer->id_len),
        .model = span_from(buf_span(&writer->names), writer->id_len),
        .stage = stage,
        .finish = writer->finish,
        .usage = stage == RESPONSE_BEGUN ? NULL : &writing->pipe->usage,
    };

    open_event(writing, type);
    json_key(&writing->json, "response");
    response_open(&writing->json, &frame);
    for (uint32_t i = 0; i < writer->count; i++) {
        struct response_item item =
            item_of(writing, i, i + 1 == writer->count ? stage : RESPONSE_DONE);

        response_put_item(&writing->json, writing->pipe->terms, &item);
    }
    response_close(&writing->json, &frame);
    close_event(writing);
}

/* ---- items ---- */

static struct openai_responses_held *begin_item(struct writing *writing, enum response_kind kind,
                                                const struct chat_event *event)
{
    struct openai_responses_writer *writer = writing->writer;
    struct openai_responses_held *held = NULL;
    struct response_item item;

    if (!make_room(writer)) {
        give_up(writing);
        return NULL;
    }
    held = &writer->items[writer->count++];
    *held = (struct openai_responses_held){.kind = kind, .call = event->call};
    buf_init(&held->text, BYTES_MAX);
    buf_init(&held->names, NAMES_MAX);
    if (kind == RESPONSE_CALL) {
        hold(writing, &held->names, event->id);
        held->id_len = held->names.len;
        hold(writing, &held->names, event->name);
    }
    item = item_of(writing, writer->count - 1, RESPONSE_BEGUN);
    tell_item(writing, "response.output_item.added", &item);
    tell_part(writing, response_row(kind)->part_added, &item);
    return held;
}

static void grow_item(struct writing *writing, uint32_t index, struct span text)
{
    struct response_item item = item_of(writing, index, RESPONSE_BEGUN);

    item.inside = text;
    hold(writing, &writing->writer->items[index].text, text);
    tell_text(writing, response_row(item.kind)->delta, "delta", &item);
}

static void close_item(struct writing *writing, uint32_t index, enum response_stage stage)
{
    struct response_item item = item_of(writing, index, stage);
    const struct response_row *row = response_row(item.kind);

    writing->writer->items[index].is_closed = true;
    tell_text(writing, row->done, row->text, &item);
    tell_part(writing, row->part_done, &item);
    tell_item(writing, "response.output_item.done", &item);
}

/* What is over is closed; at the end all is over, and the last item may have been cut. */
static void close_items(struct writing *writing, bool is_end)
{
    struct openai_responses_writer *writer = writing->writer;
    enum response_stage last = is_end ? response_stage_of(writer->finish) : RESPONSE_DONE;

    for (uint32_t i = writer->closed; i < writer->count; i++) {
        struct openai_responses_held *held = &writer->items[i];

        if ((held->is_over || is_end) && !held->is_closed) {
            close_item(writing, i, i + 1 == writer->count ? last : RESPONSE_DONE);
        }
        if (held->is_closed && i == writer->closed) {
            writer->closed++;
        }
    }
}

/* The text that was coming is over, if it is of another kind. */
static void end_text(struct openai_responses_writer *writer)
{
    if (writer->open > 0) {
        writer->items[writer->open - 1].is_over = true;
        writer->open = 0;
    }
}

static void on_text(struct writing *writing, enum response_kind kind, const struct chat_event *event)
{
    struct openai_responses_writer *writer = writing->writer;

    if (event->text.len == 0) {
        return;
    }
    if (writer->open == 0 || writer->items[writer->open - 1].kind != kind) {
        end_text(writer);
        close_items(writing, false);
        if (begin_item(writing, kind, event) == NULL) {
            return;
        }
        writer->open = writer->count;
    }
    grow_item(writing, writer->open - 1, event->text);
}

static void on_call(struct writing *writing, const struct chat_event *event)
{
    end_text(writing->writer);
    close_items(writing, false);
    (void)begin_item(writing, RESPONSE_CALL, event);
}

/* The place of a call, and 1; 0: it was never begun, or is over. */
static uint32_t find_call(const struct openai_responses_writer *writer, uint32_t call)
{
    for (uint32_t i = writer->count; i > writer->closed; i--) {
        const struct openai_responses_held *held = &writer->items[i - 1];

        if (held->kind == RESPONSE_CALL && held->call == call && !held->is_over) {
            return i;
        }
    }
    return 0;
}

static void on_arguments(struct writing *writing, const struct chat_event *event)
{
    uint32_t place = find_call(writing->writer, event->call);

    if (place > 0 && event->text.len > 0) {
        grow_item(writing, place - 1, event->text);
    }
}

static void on_call_end(struct writing *writing, const struct chat_event *event)
{
    uint32_t place = find_call(writing->writer, event->call);

    if (place > 0) {
        writing->writer->items[place - 1].is_over = true;
    }
}

static void on_start(struct writing *writing, const struct chat_event *event)
{
    struct openai_responses_writer *writer = writing->writer;

    buf_init(&writer->names, NAMES_MAX);
    if (event->id.len + event->name.len <= NAMES_MAX) {
        hold(writing, &writer->names, event->id);
        writer->id_len = writer->names.len;
        hold(writing, &writer->names, event->name);
    }
    tell_response(writing, "response.created", RESPONSE_BEGUN);
    tell_response(writing, "response.in_progress", RESPONSE_BEGUN);
}

static void on_end(struct writing *writing)
{
    enum response_stage stage = response_stage_of(writing->writer->finish);

    close_items(writing, true);
    tell_response(writing, stage == RESPONSE_CUT ? "response.incomplete" : "response.completed", stage);
}

void openai_responses_write_stream(void *writer, const struct chat_event *event, struct chat_pipe *pipe)
{
    struct writing writing = {.writer = writer, .pipe = pipe};

    switch (event->kind) {
    case CHAT_EVENT_START: on_start(&writing, event); break;
    case CHAT_EVENT_TEXT: on_text(&writing, RESPONSE_MESSAGE, event); break;
    case CHAT_EVENT_REFUSAL: on_text(&writing, RESPONSE_REFUSAL, event); break;
    case CHAT_EVENT_REASON:
        if (pipe->terms->shows_thinking) {
            on_text(&writing, RESPONSE_REASONING, event);
        }
        break;
    case CHAT_EVENT_CALL: on_call(&writing, event); break;
    case CHAT_EVENT_ARGUMENTS: on_arguments(&writing, event); break;
    case CHAT_EVENT_CALL_END: on_call_end(&writing, event); break;
    case CHAT_EVENT_FINISH: writing.writer->finish = event->finish; break;
    case CHAT_EVENT_END: on_end(&writing); break;
    case CHAT_EVENT_FAIL: break; /* never comes here */
    }
}

/* The response as it was begun, and the number of the event that is next. */
void openai_responses_tell_stream(const void *writer, const struct chat_terms *terms, struct stream *stream)
{
    const struct openai_responses_writer *told = writer;
    struct response_frame frame = {.terms = terms, .id = span_make(told->names.at, told->id_len)};
    struct buf id;

    _Static_assert(sizeof stream->id >= RESPONSE_ID_MAX, "an id fits");
    buf_init(&id, RESPONSE_ID_MAX);
    response_put_id(&id, &frame);
    if (!id.failed) {
        memcpy(stream->id, id.at, id.len);
        stream->id_len = (uint8_t)id.len;
    }
    stream->sequence = told->sequence;
    buf_fini(&id);
}

void openai_responses_end_writer(void *writer)
{
    struct openai_responses_writer *held = writer;

    for (uint32_t i = 0; i < held->count; i++) {
        buf_fini(&held->items[i].text);
        buf_fini(&held->items[i].names);
    }
    mem_give(held->items, held->room * sizeof *held->items);
    buf_fini(&held->names);
    *held = (struct openai_responses_writer){0};
}
