/* SPDX-License-Identifier: Apache-2.0 */
/* What Converse answers, into the hub: a whole message, and the events of a stream (bedrock.md 4, 6). Events are told
 * apart by their members, which no two kinds of them share. Blocks of other kinds are left out. */
#include "wire/dialects/bedrock_converse.h"

#include "base/must.h"
#include "wire/json_value.h"
#include "wire/json_walk.h"

enum { CALL_ID_ROOM = 40 };

/* An id for a call that came without one (a string): `room` holds it. */
static struct span made_id(uint32_t number, char room[CALL_ID_ROOM])
{
    static const char head[] = "\"call_";
    char *end = room + sizeof head - 1;

    memcpy(room, head, sizeof head - 1);
    end = buf_digits(end, number);
    *end++ = '"';
    return span_make(room, (size_t)(end - room));
}

static enum chat_finish finish_of(struct span word)
{
    static const struct {
        struct span word;
        enum chat_finish finish;
    } known[] = {
        {SPAN("end_turn"), CHAT_FINISH_STOP},
        {SPAN("stop_sequence"), CHAT_FINISH_STOP_TEXT},
        {SPAN("max_tokens"), CHAT_FINISH_LENGTH},
        {SPAN("tool_use"), CHAT_FINISH_CALLS},
        {SPAN("guardrail_intervened"), CHAT_FINISH_FILTERED},
        {SPAN("content_filtered"), CHAT_FINISH_FILTERED},
        {SPAN("model_context_window_exceeded"), CHAT_FINISH_WINDOW},
        {SPAN("malformed_model_output"), CHAT_FINISH_FAULT},
        {SPAN("malformed_tool_use"), CHAT_FINISH_FAULT},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(known); i++) {
        if (span_equal(word, known[i].word)) {
            return known[i].finish;
        }
    }
    return word.len == 0 ? CHAT_FINISH_NONE : CHAT_FINISH_UNKNOWN;
}

/* ---- the whole message ---- */

static void read_call(struct chat *chat, struct chat_answer *answer, struct span call)
{
    enum { ID, NAME, INPUT, PLACES };
    static const char *const names[PLACES] = {"toolUseId", "name", "input"};
    struct span got[PLACES];
    struct chat_part *part = NULL;
    char room[CALL_ID_ROOM];

    json_walk_pick(call, names, PLACES, got);
    /* Nobody can call what has no name. */
    part = chat_inside(got[NAME]).len > 0 ? chat_add_part(chat, &answer->turn, CHAT_CALL) : NULL;
    if (part == NULL) {
        return;
    }
    part->id = chat_inside(got[ID]).len > 0
                   ? got[ID]
                   : arena_copy(chat->arena, made_id(answer->turn.calls - 1, room));
    part->name = got[NAME];
    part->input = json_is_object(got[INPUT]) ? got[INPUT] : SPAN_OF("{}");
}

/* Text that rests on sources, which no other dialect has a place for. */
static void read_cited(struct chat *chat, struct chat_answer *answer, struct span cited)
{
    struct json_walk walk = json_walk_of(json_walk_find(cited, "content"));
    struct span item;

    while (json_walk_item(&walk, &item)) {
        struct span text = json_walk_find(item, "text");

        if (json_is_string(text)) {
            chat_add_text(chat, &answer->turn, text);
        }
    }
}

static void read_block(struct chat *chat, struct chat_answer *answer, struct span block, struct chat_words *thoughts)
{
    enum { TEXT, CALL, REASON, CITED, PLACES };
    static const char *const names[PLACES] = {"text", "toolUse", "reasoningContent", "citationsContent"};
    struct span got[PLACES];
    struct span thought;

    json_walk_pick(block, names, PLACES, got);
    thought = json_walk_find(json_walk_find(got[REASON], "reasoningText"), "text");
    if (json_is_string(got[TEXT])) {
        chat_add_text(chat, &answer->turn, got[TEXT]);
    }
    if (json_is_object(got[CALL])) {
        read_call(chat, answer, got[CALL]);
    }
    if (chat_inside(thought).len > 0) {
        chat_add_word(chat, thoughts, thought);
    }
    read_cited(chat, answer, got[CITED]);
}

static struct span joined(struct chat *chat, const struct chat_words *words)
{
    struct span *list = words->count > 0 ? arena_take(chat->arena, words->count * sizeof *list) : NULL;
    size_t count = 0;

    for (const struct chat_word *word = words->first; list != NULL && word != NULL; word = word->next) {
        list[count++] = word->text;
    }
    return count > 0 ? chat_join(chat, list, count) : span_make("", 0);
}

bool converse_read_answer(struct chat *chat, struct chat_answer *answer, struct span body)
{
    struct span document = json_walk_document(body);
    struct span content = json_walk_find(json_walk_find(json_walk_find(document, "output"), "message"), "content");
    struct json_walk walk = json_walk_of(content);
    struct chat_words thoughts = {0};
    struct span block;

    if (!json_is_array(content)) {
        return false;
    }
    while (json_walk_item(&walk, &block)) {
        read_block(chat, answer, block, &thoughts);
    }
    answer->reasoning = joined(chat, &thoughts);
    answer->finish_word = chat_inside(json_walk_find(document, "stopReason"));
    answer->finish = finish_of(answer->finish_word);
    return true;
}

/* ---- the stream ---- */

static void tell_text(struct chat_pipe *pipe, enum chat_event_kind kind, struct span string)
{
    struct span text = chat_inside(string);

    if (text.len > 0) {
        chat_tell(pipe, &(struct chat_event){.kind = kind, .text = text});
    }
}

static void tell_arguments(struct converse_reader *reader, struct chat_pipe *pipe, struct span inside)
{
    if (inside.len > 0) {
        reader->has_arguments = true;
        chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_ARGUMENTS, .call = reader->call, .text = inside});
    }
}

static void close_call(struct converse_reader *reader, struct chat_pipe *pipe)
{
    if (!reader->is_open) {
        return;
    }
    if (!reader->has_arguments) {
        tell_arguments(reader, pipe, SPAN_OF("{}"));
    }
    chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_CALL_END, .call = reader->call});
    reader->is_open = false;
}

static int64_t index_of(struct span value)
{
    int64_t index = -1;

    return value.len > 0 && json_integer(value, &index) == ERR_NONE ? index : -1;
}

static void read_start(struct converse_reader *reader, struct chat_pipe *pipe, struct span start, int64_t index)
{
    enum { ID, NAME, PLACES };
    static const char *const names[PLACES] = {"toolUseId", "name"};
    struct span got[PLACES];
    char room[CALL_ID_ROOM];

    json_walk_pick(json_walk_find(start, "toolUse"), names, PLACES, got);
    close_call(reader, pipe);
    if (chat_inside(got[NAME]).len == 0) {
        return; /* another kind of block, or a call that nobody can make */
    }
    *reader = (struct converse_reader){.index = index, .call = pipe->calls, .is_open = true};
    chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_CALL,
                                         .call = reader->call,
                                         .id = chat_inside(got[ID]).len > 0 ? got[ID] : made_id(reader->call, room),
                                         .name = got[NAME]});
}

/* Arguments of a call that is over, or of none, would be those of another one: no answer is better. */
static void read_fragment(struct converse_reader *reader, struct chat_pipe *pipe, struct span fragment, int64_t index)
{
    if (fragment.len == 0) {
        return;
    }
    if (!reader->is_open || index != reader->index) {
        chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_FAIL});
        return;
    }
    tell_arguments(reader, pipe, fragment);
}

static void read_delta(struct converse_reader *reader, struct chat_pipe *pipe, struct span delta, int64_t index)
{
    enum { TEXT, CALL, REASON, PLACES };
    static const char *const names[PLACES] = {"text", "toolUse", "reasoningContent"};
    struct span got[PLACES];

    json_walk_pick(delta, names, PLACES, got);
    tell_text(pipe, CHAT_EVENT_TEXT, got[TEXT]);
    tell_text(pipe, CHAT_EVENT_REASON, json_walk_find(got[REASON], "text"));
    read_fragment(reader, pipe, chat_inside(json_walk_find(got[CALL], "input")), index);
}

static void read_stop(struct converse_reader *reader, struct chat_pipe *pipe, struct span word)
{
    close_call(reader, pipe);
    chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_FINISH, .finish = finish_of(word), .text = word});
}

static void end(struct converse_reader *reader, struct chat_pipe *pipe)
{
    close_call(reader, pipe);
    if (pipe->finish == CHAT_FINISH_NONE) {
        chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_FINISH, .finish = CHAT_FINISH_STOP});
    }
    chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_END});
}

void converse_read_end(void *state, struct chat_pipe *pipe)
{
    if (pipe->finish != CHAT_FINISH_NONE) {
        end(state, pipe); /* the figures are missing */
    }
}

void converse_read_event(void *state, struct span data, struct chat_pipe *pipe)
{
    enum { ROLE, INDEX, START, DELTA, STOP, USAGE, METRICS, PLACES };
    static const char *const names[PLACES] = {"role",       "contentBlockIndex", "start",  "delta",
                                              "stopReason", "usage",             "metrics"};
    struct converse_reader *reader = state;
    struct span got[PLACES];
    int64_t index = -1;

    json_walk_pick(json_walk_document(data), names, PLACES, got);
    index = index_of(got[INDEX]);
    if (got[ROLE].len > 0) {
        chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_START});
    } else if (got[START].len > 0) {
        read_start(reader, pipe, got[START], index);
    } else if (got[DELTA].len > 0) {
        read_delta(reader, pipe, got[DELTA], index);
    } else if (json_is_string(got[STOP])) {
        read_stop(reader, pipe, chat_inside(got[STOP]));
    } else if (got[USAGE].len > 0 || got[METRICS].len > 0) {
        end(reader, pipe);
    } else if (got[INDEX].len > 0 && reader->is_open && index == reader->index) {
        close_call(reader, pipe); /* the block is over */
    }
}

const struct translator bedrock_converse_translator = {
    .write_request = converse_write_request,
    .read_answer = converse_read_answer,
    .reader_size = sizeof(struct converse_reader),
    .read_event = converse_read_event,
    .read_end = converse_read_end,
};
