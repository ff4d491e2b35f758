/* SPDX-License-Identifier: Apache-2.0 */
/* Google's answers into the hub (gemini.md 4 and 6; translation.md 9, 10 and 12, "Reader G"). A whole answer
 * and each chunk of a stream have the same form; all parts of the first candidate are walked. What no other
 * dialect can tell (images, code that Google ran) is passed over: nothing that was asked for is lost, since
 * requests that ask for it are refused. */
#include "wire/dialects/gemini_generate.h"

#include "base/buf.h"
#include "base/must.h"
#include "base/sip.h"

/* ---- reasons for the end ---- */

/* CONTINUATION: Google has more to say on another request with a token (gemini.md 7). Apps of other dialects
 * cannot ask for that, and the proxy does not: to them the answer is cut off. */
static const struct {
    struct span word;
    enum chat_finish finish;
} finishes[] = {
    {SPAN("STOP"), CHAT_FINISH_STOP},
    {SPAN("MAX_TOKENS"), CHAT_FINISH_LENGTH},
    {SPAN("CONTINUATION"), CHAT_FINISH_LENGTH},
    {SPAN("SAFETY"), CHAT_FINISH_FILTERED},
    {SPAN("RECITATION"), CHAT_FINISH_FILTERED},
    {SPAN("LANGUAGE"), CHAT_FINISH_FILTERED},
    {SPAN("BLOCKLIST"), CHAT_FINISH_FILTERED},
    {SPAN("PROHIBITED_CONTENT"), CHAT_FINISH_FILTERED},
    {SPAN("SPII"), CHAT_FINISH_FILTERED},
    {SPAN("IMAGE_SAFETY"), CHAT_FINISH_FILTERED},
    {SPAN("IMAGE_PROHIBITED_CONTENT"), CHAT_FINISH_FILTERED},
    {SPAN("IMAGE_RECITATION"), CHAT_FINISH_FILTERED},
    {SPAN("IMAGE_OTHER"), CHAT_FINISH_FILTERED},
    {SPAN("NO_IMAGE"), CHAT_FINISH_FILTERED},
    {SPAN("MALFORMED_FUNCTION_CALL"), CHAT_FINISH_FAULT},
    {SPAN("MALFORMED_RESPONSE"), CHAT_FINISH_FAULT},
    {SPAN("UNEXPECTED_TOOL_CALL"), CHAT_FINISH_FAULT},
    {SPAN("TOO_MANY_TOOL_CALLS"), CHAT_FINISH_FAULT},
    {SPAN("OTHER"), CHAT_FINISH_FAULT},
    {SPAN("FINISH_REASON_UNSPECIFIED"), CHAT_FINISH_FAULT},
};

static enum chat_finish finish_of(struct span word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(finishes); i++) {
        if (span_equal(finishes[i].word, word)) {
            return finishes[i].finish;
        }
    }
    return CHAT_FINISH_UNKNOWN;
}

/* ---- one response ---- */

struct response {
    struct span id;
    struct span model;
    struct span parts;  /* of the first candidate */
    struct span finish; /* inside of a string; empty: not told */
    struct span blocked; /* the same, of the prompt */
    bool has_candidate;
};

static struct response response_of(struct span body)
{
    static const char *const candidate_names[] = {"content", "finishReason"};
    static const char *const names[] = {"responseId", "modelVersion", "candidates",
                                        "promptFeedback"};
    struct span values[ARRAY_LENGTH(names)];
    struct response response = {0};
    struct span candidate[ARRAY_LENGTH(candidate_names)];
    struct json_walk walk;
    char first = 0;

    json_walk_pick(json_walk_document(body), names, ARRAY_LENGTH(names), values);
    response.id = json_is_string(values[0]) ? values[0] : SPAN_OF("");
    response.model = json_is_string(values[1]) ? values[1] : SPAN_OF("");
    response.blocked = chat_inside(json_walk_find(values[3], "blockReason"));
    walk = json_walk_of(values[2]);
    response.has_candidate = json_is_array(values[2]) && json_walk_stop(&walk, NULL, &first) && first == '{';
    if (response.has_candidate &&
        json_walk_pick_next(&walk, candidate_names, ARRAY_LENGTH(candidate_names), candidate)) {
        response.parts = json_walk_find(candidate[0], "parts");
        response.finish = chat_inside(candidate[1]);
    }
    return response;
}

enum said { SAID_NOTHING, SAID_TEXT, SAID_REASON, SAID_CALL, SAID_BAD };
struct speech {
    enum said said;
    struct span text; /* string, not empty */
    struct span id;
    struct span name;
    struct span args;
};

/* Of the next part in the list; false: there is none. */
static bool next_speech(struct json_walk *walk, struct speech *next)
{
    static const char *const names[] = {"text", "thought", "functionCall"};
    static const char *const inner[] = {"id", "name", "args"};
    struct span values[ARRAY_LENGTH(names)];
    struct span call[ARRAY_LENGTH(inner)];
    struct speech speech = {.said = SAID_NOTHING};
    bool is_thought = false;

    if (!json_walk_pick_next(walk, names, ARRAY_LENGTH(names), values)) {
        return false;
    }
    is_thought = span_equal(values[1], SPAN_OF("true"));
    if (chat_inside(values[0]).len > 0) {
        speech.said = is_thought ? SAID_REASON : SAID_TEXT;
        speech.text = values[0];
    } else if (json_is_object(values[2])) {
        json_walk_pick(values[2], inner, ARRAY_LENGTH(inner), call);
        speech.said = chat_inside(call[1]).len > 0 ? SAID_CALL : SAID_BAD;
        speech.id = chat_inside(call[0]).len > 0 ? call[0] : SPAN_OF("");
        speech.name = call[1];
        speech.args = json_is_object(call[2]) ? call[2] : SPAN_OF("{}");
    }
    *next = speech;
    return true;
}

/* An id for a call that came without one. Later answers of the conversation must not have the same, so it holds
 * a number that is this answer's own. */
enum { MADE_ID_MAX = 32 + BUF_DIGITS_MAX };
static struct span made_id(char room[MADE_ID_MAX], uint64_t seed, uint32_t number)
{
    static const char digits[] = "0123456789abcdef";
    static const struct span head = SPAN("\"call_");
    char *at = room + head.len;

    memcpy(room, head.at, head.len);
    for (unsigned shift = 64; shift > 0; shift -= 4) {
        *at++ = digits[seed >> (shift - 4) & 15];
    }
    *at++ = '_';
    at = buf_digits(at, number);
    *at++ = '"';
    return span_make(room, (size_t)(at - room));
}

/* ---- a whole answer ---- */

struct whole {
    struct chat *chat;
    struct chat_answer *answer;
    struct buf reasoning; /* a string without its last quote */
    uint64_t seed;
    uint32_t calls;
    bool is_bad;
};

static void keep_call(struct whole *whole, const struct speech *speech)
{
    struct chat_part *part = chat_add_part(whole->chat, &whole->answer->turn, CHAT_CALL);
    char room[MADE_ID_MAX];

    if (part == NULL) {
        return;
    }
    part->id = speech->id;
    if (part->id.len == 0) {
        part->id = arena_copy(whole->chat->arena, made_id(room, whole->seed, whole->calls));
    }
    part->name = speech->name;
    part->input = speech->args;
    whole->calls++;
}

static void keep_part(struct whole *whole, const struct speech *speech)
{
    switch (speech->said) {
    case SAID_NOTHING: return;
    case SAID_TEXT: chat_add_text(whole->chat, &whole->answer->turn, speech->text); return;
    case SAID_REASON:
        if (whole->reasoning.len == 0) {
            buf_put_char(&whole->reasoning, '"');
        }
        buf_put(&whole->reasoning, chat_inside(speech->text));
        return;
    case SAID_CALL: keep_call(whole, speech); return;
    case SAID_BAD: whole->is_bad = true; return;
    }
}

static void keep_reasoning(struct whole *whole)
{
    if (whole->reasoning.len > 0) {
        buf_put_char(&whole->reasoning, '"');
    }
    if (whole->reasoning.failed) {
        whole->chat->arena->failed = true;
    } else if (whole->reasoning.len > 0) {
        whole->answer->reasoning = arena_copy(whole->chat->arena, buf_span(&whole->reasoning));
    }
    buf_fini(&whole->reasoning);
}

/* A whole answer that gives no reason is complete all the same. */
static void keep_finish(struct chat_answer *answer, const struct response *response, bool has_calls)
{
    answer->finish = CHAT_FINISH_STOP;
    answer->finish_word = response->finish;
    if (!response->has_candidate) {
        answer->finish = CHAT_FINISH_FILTERED;
        answer->finish_word = response->blocked;
    } else if (response->finish.len > 0) {
        answer->finish = finish_of(response->finish);
    }
    if (has_calls &&
        (answer->finish == CHAT_FINISH_STOP || answer->finish == CHAT_FINISH_UNKNOWN)) {
        answer->finish = CHAT_FINISH_CALLS;
    }
}

bool gemini_generate_read_answer(struct chat *chat, struct chat_answer *answer, struct span body)
{
    static const uint64_t no_seed[2] = {0, 0};
    struct response response = response_of(body);
    struct whole whole = {.chat = chat, .answer = answer};
    struct json_walk walk = json_walk_of(response.parts);
    struct speech speech;

    if (!response.has_candidate && response.blocked.len == 0) {
        return false;
    }
    whole.seed = sip_hash(no_seed, chat_inside(response.id).len > 0 ? response.id : body);
    buf_init(&whole.reasoning, CHAT_STRING_MAX);
    answer->id = response.id;
    answer->model = response.model;
    answer->turn.role = CHAT_MODEL;
    while (json_is_array(response.parts) && next_speech(&walk, &speech)) {
        keep_part(&whole, &speech);
    }
    keep_reasoning(&whole);
    keep_finish(answer, &response, whole.calls > 0);
    return !whole.is_bad && answer->finish != CHAT_FINISH_FAULT;
}

/* ---- a stream ---- */

/* A call is in one part, whole (gemini.md 6): it begins and ends at once. */
static void tell_call(const struct speech *speech, struct chat_pipe *pipe)
{
    struct chat_event event = {.kind = CHAT_EVENT_CALL, .call = pipe->calls};
    char room[MADE_ID_MAX];

    event.id = speech->id.len > 0 ? speech->id : made_id(room, pipe->terms->seed, pipe->calls);
    event.name = speech->name;
    chat_tell(pipe, &event);
    buf_clear(pipe->scratch);
    json_escape(pipe->scratch, speech->args);
    if (pipe->scratch->failed) {
        chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_FAIL});
        return;
    }
    event = (struct chat_event){.kind = CHAT_EVENT_ARGUMENTS, .call = event.call};
    event.text = buf_span(pipe->scratch);
    chat_tell(pipe, &event);
    event = (struct chat_event){.kind = CHAT_EVENT_CALL_END, .call = event.call};
    chat_tell(pipe, &event);
}

static void tell_part(const struct speech *speech, struct chat_pipe *pipe)
{
    struct chat_event event = {.text = chat_inside(speech->text)};

    switch (speech->said) {
    case SAID_NOTHING: return;
    case SAID_TEXT: event.kind = CHAT_EVENT_TEXT; break;
    case SAID_REASON: event.kind = CHAT_EVENT_REASON; break;
    case SAID_CALL: tell_call(speech, pipe); return;
    case SAID_BAD: event.kind = CHAT_EVENT_FAIL; break;
    }
    chat_tell(pipe, &event);
}

/* The last one counts: some servers say STOP in every chunk. A fault counts at once. */
static void note_finish(struct gemini_generate_reader *reader, enum chat_finish finish, struct span word,
                        struct chat_pipe *pipe)
{
    reader->finish = finish;
    reader->word_len = (uint8_t)(word.len < sizeof reader->word ? word.len : sizeof reader->word);
    memcpy(reader->word, word.at, reader->word_len);
    if (finish == CHAT_FINISH_FAULT) {
        chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_FAIL});
    }
}

void gemini_generate_read_event(void *memory, struct span data, struct chat_pipe *pipe)
{
    struct response response = response_of(data);
    struct json_walk walk = json_walk_of(response.parts);
    struct speech speech;

    chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_START,
                                         .id = response.id,
                                         .name = response.model});
    while (json_is_array(response.parts) && next_speech(&walk, &speech)) {
        tell_part(&speech, pipe);
    }
    if (response.finish.len > 0) {
        note_finish(memory, finish_of(response.finish), response.finish, pipe);
    } else if (!response.has_candidate && response.blocked.len > 0) {
        note_finish(memory, CHAT_FINISH_FILTERED, response.blocked, pipe);
    }
}

void gemini_generate_read_end(void *memory, struct chat_pipe *pipe)
{
    const struct gemini_generate_reader *reader = memory;
    struct chat_event event = {.kind = CHAT_EVENT_FINISH, .finish = reader->finish};

    if (reader->finish == CHAT_FINISH_NONE) {
        return; /* it broke off: no end is told */
    }
    event.text = span_make(reader->word, reader->word_len);
    chat_tell(pipe, &event);
    chat_tell(pipe, &(struct chat_event){.kind = CHAT_EVENT_END});
}
