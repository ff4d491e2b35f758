/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of a chat completion of any compatible server as events (openai.md 5; translation.md 12, reader O).
 *
 *   a chunk with a delta -> START (once), REASON, TEXT, REFUSAL, CALL and ARGUMENTS
 *   finish_reason        -> remembered: the first one counts
 *   [DONE] or the end of the body, behind a finish_reason -> CALL_END for each call, FINISH, END
 *   [DONE] without one   -> FAIL: no server is known that leaves it out, so something was cut
 *
 * Servers differ in how they number calls (openai-compatible.md 3, 4): the index may be missing, or be 0 for all;
 * the id may come once or with every fragment, late, never, or be the same for all; the name may come with every
 * fragment. So a call is told by all three. */
#include "wire/dialects/openai_chat.h"

#include "base/must.h"
#include "base/sip.h"
#include "wire/json_value.h"
#include "wire/json_walk.h"

static void tell(struct chat_pipe *pipe, enum chat_event_kind kind, struct span text)
{
    chat_tell(pipe, &(struct chat_event){.kind = kind, .text = text});
}

static void tell_filled(struct chat_pipe *pipe, enum chat_event_kind kind, struct span string)
{
    struct span text = chat_inside(string);

    if (text.len > 0) {
        tell(pipe, kind, text);
    }
}

/* ---- text ---- */

static void read_thoughts(struct span list, struct chat_pipe *pipe)
{
    struct json_walk walk = json_walk_of(list);
    struct span item;

    while (json_walk_item(&walk, &item)) {
        tell_filled(pipe, CHAT_EVENT_REASON, openai_chat_filled(item, "text"));
    }
}

/* A string, or with Mistral a list of parts. */
static void read_content(struct span content, struct chat_pipe *pipe)
{
    struct json_walk walk = json_walk_of(content);
    struct span item;

    tell_filled(pipe, CHAT_EVENT_TEXT, content);
    while (json_is_array(content) && json_walk_item(&walk, &item)) {
        if (json_is_text(json_walk_find(item, "type"), "thinking")) {
            read_thoughts(json_walk_find(item, "thinking"), pipe);
        } else {
            tell_filled(pipe, CHAT_EVENT_TEXT, openai_chat_filled(item, "text"));
        }
    }
}

/* ---- calls ---- */

/* A fragment of a call, as it came. */
struct fragment {
    struct span id;
    struct span name;
    struct span arguments; /* string or object */
    int32_t index;         /* -1: none */
    uint32_t id_hash;      /* 0: no id */
    uint32_t name_hash;    /* 0: no name */
};

static uint32_t hash_of(struct span text)
{
    static const uint64_t seed[2] = {0, 0};

    return text.len > 0 ? (uint32_t)sip_hash(seed, text) | 1 : 0;
}

static struct fragment fragment_of(struct span item, struct span function)
{
    struct fragment fragment = {.id = openai_chat_filled(item, "id"),
                                .name = openai_chat_filled(function, "name"),
                                .arguments = json_walk_find(function, "arguments"),
                                .index = -1};
    int64_t index = -1;

    if (json_integer(json_walk_find(item, "index"), &index) == ERR_NONE && index >= 0 && index <= INT32_MAX) {
        fragment.index = (int32_t)index;
    }
    fragment.id_hash = hash_of(fragment.id);
    fragment.name_hash = hash_of(fragment.name);
    return fragment;
}

static bool begins_object(struct span arguments)
{
    return json_is_object(arguments) || span_starts(arguments, SPAN_OF("\"{"));
}

static bool is_of_call(const struct openai_chat_call *call, const struct fragment *fragment)
{
    bool is_named_again = fragment->name_hash != 0 && call->name_hash != 0;
    bool is_elsewhere = fragment->index >= 0 && fragment->index != call->index;

    if (is_named_again && fragment->name_hash != call->name_hash) {
        return false;
    }
    if (fragment->id_hash != 0 && fragment->id_hash == call->id_hash) {
        return !is_named_again || !is_elsewhere;
    }
    if (is_elsewhere || (is_named_again && fragment->index < 0)) {
        return false;
    }
    /* In what one call is given no object follows another without a comma: they are of two that have one name. */
    if (is_named_again && call->ends_object && begins_object(fragment->arguments)) {
        return false;
    }
    /* Another id begins a new call, unless it comes without a name: some servers make up an id for each fragment. */
    return fragment->id_hash == 0 || call->id_hash == 0 || fragment->name_hash == 0;
}

/* The call that it goes on with, or the number of the next one. The last calls are looked at first: of those with the
 * same index the last one is meant. */
static uint32_t number_of(const struct openai_chat_reader *reader, const struct fragment *fragment)
{
    for (uint32_t i = reader->count; i > 0; i--) {
        const struct openai_chat_call *call = &reader->calls[i - 1];

        if (is_of_call(call, fragment)) {
            return i - 1;
        }
        if (fragment->id_hash == 0 && (fragment->index < 0 || fragment->index == call->index)) {
            break; /* nothing says that one before is meant: it is a new one */
        }
    }
    return reader->count;
}

/* The id as the server gave it, or "call_<seed>_<number>". */
static struct span id_of(const struct openai_chat_reader *reader, uint32_t number, const struct chat_pipe *pipe,
                         char room[OPENAI_CHAT_CALL_ID])
{
    char *at = room;

    if (reader->id_len > 0) {
        return span_make(reader->id, reader->id_len);
    }
    memcpy(at, "\"call_", 6);
    at = buf_digits(at + 6, pipe->terms->seed);
    *at++ = '_';
    at = buf_digits(at, number);
    *at++ = '"';
    return span_make(room, (size_t)(at - room));
}

/* An app tells by the ids which results are whose. */
static bool is_taken(const struct openai_chat_reader *reader, uint32_t number, uint32_t id_hash)
{
    uint32_t i = 0;

    while (i < number && reader->calls[i].id_hash != id_hash) {
        i++;
    }
    return i < number;
}

/* A call is told as soon as its name is known. An id that comes before is kept; one too long for that, or that
 * another call has, is made anew. */
static void begin_call(struct openai_chat_reader *reader, uint32_t number, const struct fragment *fragment,
                       struct chat_pipe *pipe)
{
    char room[OPENAI_CHAT_CALL_ID];
    struct chat_event event = {.kind = CHAT_EVENT_CALL, .call = number, .name = fragment->name};

    if (fragment->name_hash == 0) {
        if (fragment->id.len > 0 && fragment->id.len <= sizeof reader->id) {
            memcpy(reader->id, fragment->id.at, fragment->id.len);
            reader->id_len = (uint8_t)fragment->id.len;
        }
        return;
    }
    event.id = fragment->id_hash != 0 && !is_taken(reader, number, fragment->id_hash)
                   ? fragment->id
                   : id_of(reader, number, pipe, room);
    chat_tell(pipe, &event);
    reader->calls[number].name_hash = fragment->name_hash;
    reader->id_len = 0;
}

static void read_arguments(struct openai_chat_call *call, uint32_t number, struct span arguments, struct chat_pipe *pipe)
{
    struct chat_event event = {.kind = CHAT_EVENT_ARGUMENTS, .call = number, .text = chat_inside(arguments)};

    if (json_is_object(arguments)) {
        buf_clear(pipe->scratch);
        json_escape(pipe->scratch, arguments);
        event.text = buf_span(pipe->scratch);
    }
    if (event.text.len > 0) {
        call->has_arguments = true;
        call->ends_object = event.text.at[event.text.len - 1] == '}';
        chat_tell(pipe, &event);
    }
}

static bool has_text(struct span arguments)
{
    return json_is_object(arguments) || chat_inside(arguments).len > 0;
}

static void read_fragment(struct openai_chat_reader *reader, const struct fragment *fragment, struct chat_pipe *pipe)
{
    uint32_t number = number_of(reader, fragment);
    struct openai_chat_call *call = NULL;

    if (number == OPENAI_CHAT_CALLS) {
        tell(pipe, CHAT_EVENT_FAIL, span_make(NULL, 0));
        return;
    }
    call = &reader->calls[number];
    if (number == reader->count) {
        reader->count++;
        call->index = fragment->index;
        reader->id_len = 0;
    }
    call->id_hash = call->id_hash == 0 ? fragment->id_hash : call->id_hash;
    if (call->name_hash == 0) {
        begin_call(reader, number, fragment, pipe);
    }
    /* Nobody can do anything with what is said to a tool that has no name. */
    if (call->name_hash == 0 && has_text(fragment->arguments)) {
        tell(pipe, CHAT_EVENT_FAIL, span_make(NULL, 0));
        return;
    }
    read_arguments(call, number, fragment->arguments, pipe);
}

static void read_calls(struct openai_chat_reader *reader, const struct span *message, struct chat_pipe *pipe)
{
    struct json_walk walk = json_walk_of(message[OPENAI_CHAT_TOOL_CALLS]);
    struct span legacy = message[OPENAI_CHAT_FUNCTION_CALL];
    struct span item;

    while (json_walk_item(&walk, &item) && !pipe->has_failed) {
        struct fragment fragment = fragment_of(item, json_walk_find(item, "function"));

        if (json_is_object(item)) {
            read_fragment(reader, &fragment, pipe);
        }
    }
    if (json_is_object(legacy)) {
        struct fragment fragment = fragment_of(span_make(NULL, 0), legacy);

        fragment.index = 0; /* there is but one */
        read_fragment(reader, &fragment, pipe);
    }
}

/* ---- chunks ---- */

static void note_finish(struct openai_chat_reader *reader, struct span word, struct chat_pipe *pipe)
{
    struct span text = chat_inside(word);
    enum chat_finish finish = openai_chat_finish(word);

    if (reader->finish != CHAT_FINISH_NONE || finish == CHAT_FINISH_NONE) {
        return;
    }
    reader->finish = finish;
    reader->word_len = (uint8_t)(text.len < sizeof reader->word ? text.len : sizeof reader->word);
    memcpy(reader->word, text.at, reader->word_len);
    if (finish == CHAT_FINISH_FAULT) {
        tell(pipe, CHAT_EVENT_FAIL, span_make(NULL, 0));
    }
}

static void end(struct openai_chat_reader *reader, struct chat_pipe *pipe)
{
    struct chat_event finish = {.kind = CHAT_EVENT_FINISH,
                                .finish = reader->finish,
                                .text = span_make(reader->word, reader->word_len)};

    if (reader->finish == CHAT_FINISH_NONE) {
        tell(pipe, CHAT_EVENT_FAIL, span_make(NULL, 0));
        return;
    }
    for (uint32_t i = 0; i < reader->count; i++) {
        if (reader->calls[i].name_hash == 0) {
            tell(pipe, CHAT_EVENT_FAIL, span_make(NULL, 0));
            return;
        }
        if (!reader->calls[i].has_arguments) {
            chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_ARGUMENTS, .call = i, .text = SPAN_OF("{}")});
        }
        chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_CALL_END, .call = i});
    }
    if (finish.finish == CHAT_FINISH_STOP && reader->has_refused) {
        finish.finish = CHAT_FINISH_FILTERED;
    }
    chat_tell(pipe, &finish);
    tell(pipe, CHAT_EVENT_END, span_make(NULL, 0));
    reader->has_ended = true;
}

/* Azure's first chunk tells of its filters alone, without id and model: it begins nothing (azure-openai.md). */
static void begin(struct openai_chat_reader *reader, const struct openai_chat_said *got, struct chat_pipe *pipe)
{
    if (!reader->has_begun) {
        reader->has_begun = true;
        chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_START,
                                             .id = got->id,
                                             .name = got->model});
    }
}

static void read_delta(struct openai_chat_reader *reader, struct span delta, struct chat_pipe *pipe)
{
    struct span message[OPENAI_CHAT_MESSAGE];

    openai_chat_pick_message(delta, message);
    tell_filled(pipe, CHAT_EVENT_REASON, message[OPENAI_CHAT_REASONING]);
    read_content(message[OPENAI_CHAT_CONTENT], pipe);
    tell_filled(pipe, CHAT_EVENT_REFUSAL, message[OPENAI_CHAT_REFUSAL]);
    reader->has_refused |= message[OPENAI_CHAT_REFUSAL].len > 0;
    read_calls(reader, message, pipe);
}

void openai_chat_take_event(void *memory, struct span data, struct chat_pipe *pipe)
{
    struct openai_chat_reader *reader = memory;
    struct openai_chat_said got;

    if (reader->has_ended || pipe->has_failed) {
        return;
    }
    if (span_equal(span_trim(data), SPAN_OF("[DONE]"))) {
        end(reader, pipe);
        return;
    }
    openai_chat_pick_document(data, "delta", &got);
    if (json_is_object(got.said)) {
        begin(reader, &got, pipe);
        read_delta(reader, got.said, pipe);
    }
    note_finish(reader, got.finish, pipe);
}

void openai_chat_take_end(void *memory, struct chat_pipe *pipe)
{
    struct openai_chat_reader *reader = memory;

    /* Without a reason for its end the answer is a cut one: others judge that. */
    if (!reader->has_ended && !pipe->has_failed && reader->finish != CHAT_FINISH_NONE) {
        end(reader, pipe);
    }
}
