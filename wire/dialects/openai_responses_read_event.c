/* SPDX-License-Identifier: Apache-2.0 */
/* A provider's stream of POST /responses, read for an app of another dialect (openai.md 8):
 *   created -> items: added, deltas, done -> completed | incomplete, with the whole response once more
 * What comes in no deltas is told from the item that is done, or at last from the whole response. */
#include "wire/dialects/openai_responses.h"

#include "base/must.h"
#include "wire/json_value.h"
#include "wire/json_walk.h"

enum { NO_ITEM = -1, TEXT_PLACED = 2 /* text_item is that much above an output_index */ };

struct reading {
    struct openai_responses_reader *reader;
    struct chat_pipe *pipe;
    struct span data;
};

/* output_index of an event. */
static int64_t item_of(struct span data)
{
    int64_t index = 0;
    bool is_good = json_integer(json_walk_find(data, "output_index"), &index) == ERR_NONE;

    return is_good && index >= 0 && index < INT32_MAX ? index : NO_ITEM;
}

static void tell_text(struct reading *reading, enum chat_event_kind kind, struct span string)
{
    struct span text = chat_inside(string);

    if (text.len > 0) {
        reading->reader->has_told = true;
        chat_tell(reading->pipe, &(struct chat_event){.kind = kind, .text = text});
    }
}

static void fail(struct reading *reading)
{
    chat_tell(reading->pipe, &(struct chat_event){.kind = CHAT_EVENT_FAIL});
}

/* ---- calls ---- */

/* The latest call of this item; the latest of all when a server does not say which. */
static struct openai_responses_call *find_call(struct openai_responses_reader *reader, int64_t item)
{
    for (uint32_t i = reader->count; i > 0; i--) {
        if (item == NO_ITEM || reader->calls[i - 1].item == item) {
            return &reader->calls[i - 1];
        }
    }
    return NULL;
}

static uint32_t number_of(const struct reading *reading, const struct openai_responses_call *call)
{
    return (uint32_t)(call - reading->reader->calls);
}

static struct openai_responses_call *begin_call(struct reading *reading, int64_t index, struct span item)
{
    struct openai_responses_reader *reader = reading->reader;
    struct span id = openai_responses_call_id(item);
    struct span name = json_walk_find(item, "name");
    struct openai_responses_call *call = find_call(reader, index);

    if (call != NULL && index != NO_ITEM) {
        return call;
    }
    if (reader->count == CHAT_CALLS_MAX || chat_inside(id).len == 0 || chat_inside(name).len == 0) {
        fail(reading); /* a call that nobody can answer */
        return NULL;
    }
    call = &reader->calls[reader->count++];
    *call = (struct openai_responses_call){.item = index};
    reader->has_told = true;
    chat_tell(reading->pipe, &(struct chat_event){.kind = CHAT_EVENT_CALL,
                                                  .call = number_of(reading, call),
                                                  .id = id,
                                                  .name = name});
    return call;
}

static void tell_arguments(struct reading *reading, struct openai_responses_call *call, struct span text)
{
    if (text.len > 0 && !call->is_over) {
        call->has_arguments = true;
        chat_tell(reading->pipe, &(struct chat_event){.kind = CHAT_EVENT_ARGUMENTS,
                                                      .call = number_of(reading, call),
                                                      .text = text});
    }
}

static void end_call(struct reading *reading, struct openai_responses_call *call)
{
    if (call->is_over) {
        return;
    }
    if (!call->has_arguments) {
        tell_arguments(reading, call, SPAN_OF("{}"));
    }
    call->is_over = true;
    chat_tell(reading->pipe,
              &(struct chat_event){.kind = CHAT_EVENT_CALL_END, .call = number_of(reading, call)});
}

/* ---- items that are told whole ---- */

static void tell_parts(struct reading *reading, struct span list)
{
    struct json_walk walk = json_walk_of(list);
    struct span part;

    while (json_walk_item(&walk, &part)) {
        struct span type = json_is_object(part) ? json_walk_find(part, "type") : span_make(NULL, 0);

        if (json_is_text(type, "output_text")) {
            tell_text(reading, CHAT_EVENT_TEXT, json_walk_find(part, "text"));
        } else if (json_is_text(type, "refusal")) {
            reading->reader->has_refused = true;
            tell_text(reading, CHAT_EVENT_REFUSAL, json_walk_find(part, "refusal"));
        } else if (json_is_text(type, "summary_text")) {
            tell_text(reading, CHAT_EVENT_REASON, json_walk_find(part, "text"));
        }
    }
}

/* An item that is done: whatever its deltas have not told. */
static void tell_item(struct reading *reading, int64_t index, struct span item)
{
    struct span type = json_is_object(item) ? json_walk_find(item, "type") : span_make(NULL, 0);
    struct openai_responses_call *call = NULL;

    if (json_is_text(type, "message") && reading->reader->text_item != index + TEXT_PLACED) {
        tell_parts(reading, json_walk_find(item, "content"));
    } else if (json_is_text(type, "reasoning") && !reading->reader->has_thought) {
        tell_parts(reading, json_walk_find(item, "summary"));
    } else if (json_is_text(type, "function_call") && (call = begin_call(reading, index, item)) != NULL) {
        if (!call->has_arguments) {
            tell_arguments(reading, call, chat_inside(json_walk_find(item, "arguments")));
        }
        end_call(reading, call);
    }
}

/* ---- events ---- */

static void on_begin(struct reading *reading)
{
    struct span response = json_walk_find(reading->data, "response");
    struct chat_event event = {.kind = CHAT_EVENT_START};

    if (json_is_object(response)) {
        event.id = openai_responses_string(response, "id");
        event.name = openai_responses_string(response, "model");
    }
    chat_tell(reading->pipe, &event);
}

static void on_item_added(struct reading *reading)
{
    struct span item = json_walk_find(reading->data, "item");

    if (json_is_object(item) && json_is_text(json_walk_find(item, "type"), "function_call")) {
        (void)begin_call(reading, item_of(reading->data), item);
    }
}

static void on_item_done(struct reading *reading)
{
    tell_item(reading, item_of(reading->data), json_walk_find(reading->data, "item"));
}

static void on_text(struct reading *reading)
{
    reading->reader->text_item = item_of(reading->data) + TEXT_PLACED;
    tell_text(reading, CHAT_EVENT_TEXT, json_walk_find(reading->data, "delta"));
}

static void on_refusal(struct reading *reading)
{
    reading->reader->has_refused = true;
    reading->reader->text_item = item_of(reading->data) + TEXT_PLACED;
    tell_text(reading, CHAT_EVENT_REFUSAL, json_walk_find(reading->data, "delta"));
}

static void on_reasoning(struct reading *reading)
{
    reading->reader->has_thought = true;
    tell_text(reading, CHAT_EVENT_REASON, json_walk_find(reading->data, "delta"));
}

/* Parts of a summary stand apart. */
static void on_summary_part(struct reading *reading)
{
    if (reading->reader->has_thought) {
        tell_text(reading, CHAT_EVENT_REASON, SPAN_OF("\"\\n\\n\""));
    }
}

static void on_arguments(struct reading *reading)
{
    struct openai_responses_call *call = find_call(reading->reader, item_of(reading->data));

    if (call != NULL) {
        tell_arguments(reading, call, chat_inside(json_walk_find(reading->data, "delta")));
    }
}

static void on_arguments_done(struct reading *reading)
{
    struct openai_responses_call *call = find_call(reading->reader, item_of(reading->data));

    if (call != NULL && !call->has_arguments) {
        tell_arguments(reading, call, chat_inside(json_walk_find(reading->data, "arguments")));
    }
}

static void tell_items(struct reading *reading, struct span output)
{
    struct json_walk walk = json_walk_of(output);
    struct span item;

    for (int64_t i = 0; json_walk_item(&walk, &item); i++) {
        tell_item(reading, i, item);
    }
}

static void on_end(struct reading *reading)
{
    struct span response = json_walk_find(reading->data, "response");
    struct openai_responses_reader *reader = reading->reader;
    struct chat_event finish;

    if (json_is_text(json_walk_find(response, "status"), "failed")) {
        fail(reading);
    }
    on_begin(reading);
    if (!reader->has_told) {
        tell_items(reading, json_walk_find(response, "output"));
    }
    for (uint32_t i = 0; i < reader->count; i++) {
        end_call(reading, &reader->calls[i]);
    }
    finish = openai_responses_finish(response, reader->has_refused);
    chat_tell(reading->pipe, &finish);
    chat_tell(reading->pipe, &(struct chat_event){.kind = CHAT_EVENT_END});
}

void openai_responses_read_stream(void *reader, struct span data, struct chat_pipe *pipe)
{
    static const struct {
        const char *type;
        void (*read)(struct reading *reading);
    } rows[] = {
        {"response.output_text.delta", on_text},
        {"response.function_call_arguments.delta", on_arguments},
        {"response.reasoning_summary_text.delta", on_reasoning},
        {"response.reasoning_text.delta", on_reasoning},
        {"response.refusal.delta", on_refusal},
        {"response.created", on_begin},
        {"response.in_progress", on_begin},
        {"response.output_item.added", on_item_added},
        {"response.output_item.done", on_item_done},
        {"response.reasoning_summary_part.added", on_summary_part},
        {"response.function_call_arguments.done", on_arguments_done},
        {"response.completed", on_end},
        {"response.incomplete", on_end},
        {"response.failed", fail},
        {"error", fail},
    };
    struct reading reading = {reader, pipe, json_walk_document(data)};
    struct span type = json_walk_find(reading.data, "type");

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (json_is_text(type, rows[i].type)) {
            rows[i].read(&reading);
            return;
        }
    }
}

void openai_responses_read_end(void *reader, struct chat_pipe *pipe)
{
    (void)reader; /* only the last event tells that the answer is whole */
    (void)pipe;
}
