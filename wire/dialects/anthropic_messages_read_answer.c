/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider of this dialect answers, into the hub: a whole message, and the events of a stream
 * (anthropic.md 5, 6; translation.md 10, 12). Blocks of the vendor's own tools are left out. */
#include "wire/dialects/anthropic_messages.h"

#include "base/must.h"
#include "wire/json_value.h"
#include "wire/json_walk.h"

enum { CALL_ID_ROOM = 40 };

/* An id for a call that came without one (a string): `room` holds it. */
static struct span made_id(uint32_t number, char room[CALL_ID_ROOM])
{
    static const char head[] = "\"toolu_";
    char *end = room + sizeof head - 1;

    memcpy(room, head, sizeof head - 1);
    end = buf_digits(end, number);
    *end++ = '"';
    return span_make(room, (size_t)(end - room));
}

/* ---- the whole message ---- */

enum { BLOCK_TYPE, BLOCK_TEXT, BLOCK_THINKING, BLOCK_ID, BLOCK_NAME, BLOCK_INPUT, BLOCK_PLACES };
static const char *const block_names[BLOCK_PLACES] = {"type", "text", "thinking", "id", "name", "input"};

static void read_call(struct chat *chat, struct chat_answer *answer, const struct span *got)
{
    struct chat_part *part = NULL;
    char room[CALL_ID_ROOM];

    /* Nobody can call what has no name. */
    part = chat_inside(got[BLOCK_NAME]).len > 0 ? chat_add_part(chat, &answer->turn, CHAT_CALL) : NULL;
    if (part == NULL) {
        return;
    }
    part->id = chat_inside(got[BLOCK_ID]).len > 0
                   ? got[BLOCK_ID]
                   : arena_copy(chat->arena, made_id(answer->turn.calls - 1, room));
    part->name = got[BLOCK_NAME];
    part->input = json_is_object(got[BLOCK_INPUT]) ? got[BLOCK_INPUT] : SPAN_OF("{}");
}

static void read_block(struct chat *chat, struct chat_answer *answer, struct chat_words *thoughts, const struct span *got)
{
    if (json_is_text(got[BLOCK_TYPE], "text")) {
        chat_add_text(chat, &answer->turn, got[BLOCK_TEXT]);
    } else if (json_is_text(got[BLOCK_TYPE], "tool_use")) {
        read_call(chat, answer, got);
    } else if (json_is_text(got[BLOCK_TYPE], "thinking") && chat_inside(got[BLOCK_THINKING]).len > 0) {
        chat_add_word(chat, thoughts, got[BLOCK_THINKING]);
    }
}

/* The thoughts of all blocks as one string. */
static struct span joined(struct chat *chat, const struct chat_words *thoughts)
{
    struct span *list = thoughts->count > 0 ? arena_take(chat->arena, thoughts->count * sizeof *list) : NULL;
    size_t count = 0;

    for (const struct chat_word *word = thoughts->first; list != NULL && word != NULL; word = word->next) {
        list[count++] = word->text;
    }
    return count > 0 ? chat_join(chat, list, count) : span_make("", 0);
}

bool messages_read_answer(struct chat *chat, struct chat_answer *answer, struct span body)
{
    enum { ID, MODEL, CONTENT, STOP, DETAILS, PLACES };
    static const char *const names[PLACES] = {"id", "model", "content", "stop_reason", "stop_details"};
    struct span got[PLACES];
    struct span block[BLOCK_PLACES];
    struct chat_words thoughts = {0};
    struct json_walk walk;

    json_walk_pick(json_walk_document(body), names, PLACES, got);
    if (!json_is_array(got[CONTENT])) {
        return false;
    }
    answer->id = json_is_string(got[ID]) ? got[ID] : span_make("", 0);
    answer->model = json_is_string(got[MODEL]) ? got[MODEL] : span_make("", 0);
    walk = json_walk_of(got[CONTENT]);
    while (json_walk_pick_next(&walk, block_names, BLOCK_PLACES, block)) {
        read_block(chat, answer, &thoughts, block);
    }
    answer->reasoning = joined(chat, &thoughts);
    answer->finish_word = chat_inside(got[STOP]);
    answer->finish = answer->finish_word.len == 0 ? CHAT_FINISH_NONE : messages_finish_of(answer->finish_word);
    if (answer->finish == CHAT_FINISH_FILTERED) {
        struct span words = json_walk_find(got[DETAILS], "explanation");

        answer->refusal = chat_inside(words).len > 0 ? words : span_make("", 0);
    }
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

static void tell_arguments(struct messages_reader *reader, struct chat_pipe *pipe, struct span inside)
{
    if (inside.len > 0) {
        reader->has_arguments = true;
        chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_ARGUMENTS, .call = reader->call, .text = inside});
    }
}

static void close_block(struct messages_reader *reader, struct chat_pipe *pipe)
{
    if (reader->open == MESSAGES_OPEN_CALL) {
        if (!reader->has_arguments) {
            tell_arguments(reader, pipe, pipe->scratch->len > 0 ? buf_span(pipe->scratch) : SPAN_OF("{}"));
        }
        chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_CALL_END, .call = reader->call});
    }
    reader->open = MESSAGES_OPEN_NONE;
}

static int64_t index_of(struct span value)
{
    int64_t index = -1;

    return value.len > 0 && json_integer(value, &index) == ERR_NONE && index >= 0 ? index : -1;
}

static bool is_of_open(const struct messages_reader *reader, int64_t index)
{
    return index < 0 || reader->index < 0 || index == reader->index;
}

/* Some servers give the arguments whole, with the beginning of the block: they are told at its end, since some give
 * them in fragments all the same. */
static void keep_input(struct chat_pipe *pipe, struct span input)
{
    buf_clear(pipe->scratch);
    if (json_is_object(input)) {
        json_escape(pipe->scratch, input);
    }
}

static void open_call(struct messages_reader *reader, struct chat_pipe *pipe, struct span block)
{
    static const char *const names[] = {"id", "name", "input"};
    struct span got[ARRAY_LENGTH(names)];
    char room[CALL_ID_ROOM];

    json_walk_pick(block, names, ARRAY_LENGTH(names), got);
    if (chat_inside(got[1]).len == 0) {
        return; /* nobody can call what has no name */
    }
    reader->open = MESSAGES_OPEN_CALL;
    reader->call = pipe->calls;
    reader->has_arguments = false;
    chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_CALL,
                                         .call = reader->call,
                                         .id = chat_inside(got[0]).len > 0 ? got[0] : made_id(reader->call, room),
                                         .name = got[1]});
    keep_input(pipe, got[2]);
}

static void read_block_start(struct messages_reader *reader, struct span data, struct chat_pipe *pipe)
{
    struct span block = json_walk_find(data, "content_block");
    struct span type = json_walk_find(block, "type");

    close_block(reader, pipe);
    reader->open = MESSAGES_OPEN_OTHER;
    reader->index = index_of(json_walk_find(data, "index"));
    if (json_is_text(type, "text")) {
        tell_text(pipe, CHAT_EVENT_TEXT, json_walk_find(block, "text"));
    } else if (json_is_text(type, "thinking")) {
        tell_text(pipe, CHAT_EVENT_REASON, json_walk_find(block, "thinking"));
    } else if (json_is_text(type, "tool_use")) {
        open_call(reader, pipe, block);
    }
}

/* Arguments of a call that is over, or of none, would be those of another one: no answer is better. */
static void read_fragment(struct messages_reader *reader, struct chat_pipe *pipe, int64_t index, struct span fragment)
{
    if (fragment.len == 0) {
        return;
    }
    if (reader->open == MESSAGES_OPEN_NONE || !is_of_open(reader, index)) {
        chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_FAIL});
    } else if (reader->open == MESSAGES_OPEN_CALL) {
        tell_arguments(reader, pipe, fragment);
    }
}

static void read_block_delta(struct messages_reader *reader, struct span data, struct chat_pipe *pipe)
{
    struct span delta = json_walk_find(data, "delta");
    struct span type = json_walk_find(delta, "type");

    if (json_is_text(type, "text_delta")) {
        tell_text(pipe, CHAT_EVENT_TEXT, json_walk_find(delta, "text"));
    } else if (json_is_text(type, "thinking_delta")) {
        tell_text(pipe, CHAT_EVENT_REASON, json_walk_find(delta, "thinking"));
    } else if (json_is_text(type, "input_json_delta")) {
        read_fragment(reader, pipe, index_of(json_walk_find(data, "index")),
                      chat_inside(json_walk_find(delta, "partial_json")));
    }
}

static void read_block_stop(struct messages_reader *reader, struct span data, struct chat_pipe *pipe)
{
    if (is_of_open(reader, index_of(json_walk_find(data, "index")))) {
        close_block(reader, pipe);
    }
}

static void read_start(struct messages_reader *reader, struct span data, struct chat_pipe *pipe)
{
    static const char *const names[] = {"id", "model"};
    struct span got[ARRAY_LENGTH(names)];

    (void)reader;
    json_walk_pick(json_walk_find(data, "message"), names, ARRAY_LENGTH(names), got);
    chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_START,
                                         .id = json_is_string(got[0]) ? got[0] : span_make("", 0),
                                         .name = json_is_string(got[1]) ? got[1] : span_make("", 0)});
}

static void read_delta(struct messages_reader *reader, struct span data, struct chat_pipe *pipe)
{
    struct span delta = json_walk_find(data, "delta");
    struct span word = chat_inside(json_walk_find(delta, "stop_reason"));
    enum chat_finish finish = messages_finish_of(word);

    if (word.len == 0) {
        return;
    }
    close_block(reader, pipe);
    if (finish == CHAT_FINISH_FILTERED) {
        tell_text(pipe, CHAT_EVENT_REFUSAL, json_walk_find(json_walk_find(delta, "stop_details"), "explanation"));
    }
    chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_FINISH, .finish = finish, .text = word});
}

static void read_stop(struct messages_reader *reader, struct span data, struct chat_pipe *pipe)
{
    (void)data;
    close_block(reader, pipe);
    if (pipe->finish == CHAT_FINISH_NONE) {
        chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_FINISH, .finish = CHAT_FINISH_STOP});
    }
    chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_END});
}

static void read_error(struct messages_reader *reader, struct span data, struct chat_pipe *pipe)
{
    (void)reader;
    (void)data;
    chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_FAIL});
}

/* The type in the data says what it is: the name of the event may be missing (translation.md 12). Others (ping) tell
 * nothing. */
void messages_read_event(void *state, struct span data, struct chat_pipe *pipe)
{
    static const struct {
        const char *type;
        void (*read)(struct messages_reader *reader, struct span data, struct chat_pipe *pipe);
    } known[] = {
        {"content_block_delta", read_block_delta}, {"content_block_start", read_block_start},
        {"content_block_stop", read_block_stop},   {"message_start", read_start},
        {"message_delta", read_delta},             {"message_stop", read_stop},
        {"error", read_error},
    };
    struct span document = json_walk_document(data);
    struct span type = json_walk_find(document, "type");

    for (size_t i = 0; i < ARRAY_LENGTH(known); i++) {
        if (json_is_text(type, known[i].type)) {
            known[i].read(state, document, pipe);
            return;
        }
    }
}

void messages_read_end(void *state, struct chat_pipe *pipe)
{
    if (pipe->finish != CHAT_FINISH_NONE) {
        read_stop(state, span_make("", 0), pipe);
    }
}
