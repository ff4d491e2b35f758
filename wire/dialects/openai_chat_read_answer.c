/* SPDX-License-Identifier: Apache-2.0 */
/* A whole chat completion of any compatible server into the hub (openai.md 4; openai-compatible.md 3, 4). Its
 * first choice alone: more were asked for of nobody (translation.md 6). */
#include "wire/dialects/openai_chat.h"

#include "base/must.h"
#include "base/sip.h"
#include "wire/json_value.h"
#include "wire/json_walk.h"

static struct span filled(struct span value)
{
    return json_is_string(value) && value.len > 2 ? value : span_make(NULL, 0);
}

struct span openai_chat_filled(struct span object, const char *name)
{
    return filled(json_walk_find(object, name));
}

static const char *const message_names[] = {
    [OPENAI_CHAT_CONTENT] = "content",
    [OPENAI_CHAT_REFUSAL] = "refusal",
    [OPENAI_CHAT_REASONING] = "reasoning_content",
    [OPENAI_CHAT_REASONING_TOO] = "reasoning",
    [OPENAI_CHAT_TOOL_CALLS] = "tool_calls",
    [OPENAI_CHAT_FUNCTION_CALL] = "function_call",
};

void openai_chat_pick_message(struct span message, struct span values[OPENAI_CHAT_MESSAGE])
{
    json_walk_pick(message, message_names, OPENAI_CHAT_MESSAGE, values);
    values[OPENAI_CHAT_REFUSAL] = filled(values[OPENAI_CHAT_REFUSAL]);
    values[OPENAI_CHAT_REASONING] = filled(values[OPENAI_CHAT_REASONING]);
    if (values[OPENAI_CHAT_REASONING].len == 0) { /* some send the same text under both names: it is told once */
        values[OPENAI_CHAT_REASONING] = filled(values[OPENAI_CHAT_REASONING_TOO]);
    }
}

/* In one pass over each: the choice is most of the document, and the message most of the choice. */
void openai_chat_pick_document(struct span document, const char *said, struct openai_chat_said *got)
{
    static const char *const root_names[] = {"id", "model", "choices"};
    const char *const choice_names[] = {"index", "finish_reason", said};
    struct span root[ARRAY_LENGTH(root_names)];
    struct span choice[ARRAY_LENGTH(choice_names)];
    struct json_walk walk;
    int64_t index = 0;

    json_walk_pick(document, root_names, ARRAY_LENGTH(root_names), root);
    *got = (struct openai_chat_said){.id = filled(root[0]), .model = filled(root[1])};
    walk = json_walk_of(root[2]);
    while (json_walk_pick_next(&walk, choice_names, ARRAY_LENGTH(choice_names), choice)) {
        bool is_said = choice[0].len > 0 || choice[1].len > 0 || choice[2].len > 0;

        if (is_said && (json_integer(choice[0], &index) != ERR_NONE || index == 0)) {
            got->finish = choice[1];
            got->said = choice[2];
            return;
        }
    }
}

/* The words of all servers whose wire is known (openai-compatible.md 3; translation.md 10). Those of a fault are no
 * end: nothing here may turn them into one. */
static const struct {
    const char *word;
    enum chat_finish finish;
} finishes[] = {
    {"stop", CHAT_FINISH_STOP},
    {"eos", CHAT_FINISH_STOP},
    {"length", CHAT_FINISH_LENGTH},
    {"model_length", CHAT_FINISH_LENGTH},
    {"tool_calls", CHAT_FINISH_CALLS},
    {"function_call", CHAT_FINISH_CALLS},
    {"content_filter", CHAT_FINISH_FILTERED},
    {"error", CHAT_FINISH_FAULT},
    {"abort", CHAT_FINISH_FAULT},
    {"insufficient_system_resource", CHAT_FINISH_FAULT},
    {"timeout", CHAT_FINISH_FAULT},
    {"ERROR", CHAT_FINISH_FAULT},
    {"TIMEOUT", CHAT_FINISH_FAULT},
};

enum chat_finish openai_chat_finish(struct span word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(finishes); i++) {
        if (json_is_text(word, finishes[i].word)) {
            return finishes[i].finish;
        }
    }
    return json_is_string(word) && word.len > 2 ? CHAT_FINISH_UNKNOWN : CHAT_FINISH_NONE;
}

/* ---- text ---- */

/* The texts of a `thinking` part, which lie one list deeper (Mistral). */
static void add_thoughts(struct chat *chat, struct chat_words *thoughts, struct span list)
{
    struct json_walk walk = json_walk_of(list);
    struct span item;

    while (json_walk_item(&walk, &item)) {
        struct span text = openai_chat_filled(item, "text");

        if (text.len > 0) {
            chat_add_word(chat, thoughts, text);
        }
    }
}

static struct span join_thoughts(struct chat *chat, const struct chat_words *thoughts)
{
    struct span *strings = arena_take(chat->arena, (thoughts->count + 1) * sizeof *strings);
    size_t count = 0;

    for (const struct chat_word *word = thoughts->first; strings != NULL && word != NULL; word = word->next) {
        strings[count++] = word->text;
    }
    return strings == NULL ? span_make(NULL, 0) : chat_join(chat, strings, count);
}

static void read_content(struct chat *chat, struct chat_answer *answer, struct span content)
{
    static const char *const names[] = {"type", "text", "thinking"};
    struct json_walk walk = json_walk_of(content);
    struct chat_words thoughts = {0};
    struct span part[ARRAY_LENGTH(names)];

    if (json_is_string(content)) {
        chat_add_text(chat, &answer->turn, content);
        return;
    }
    while (json_is_array(content) && json_walk_pick_next(&walk, names, ARRAY_LENGTH(names), part)) {
        if (json_is_text(part[0], "thinking")) {
            add_thoughts(chat, &thoughts, part[2]);
        } else {
            chat_add_text(chat, &answer->turn, filled(part[1]));
        }
    }
    if (thoughts.count > 0) {
        answer->reasoning = join_thoughts(chat, &thoughts);
    }
}

/* ---- calls ---- */

/* "call_1234567890_0": no other answer has it, since no other has this body, whose `hash` is told. */
static struct span make_id(struct chat *chat, const struct chat_answer *answer, uint64_t hash)
{
    struct buf text;
    struct span id;

    buf_init(&text, 64);
    buf_put_text(&text, "call_");
    buf_put_u64(&text, hash);
    buf_put_char(&text, '_');
    buf_put_u64(&text, answer->turn.calls);
    id = chat_string(chat, buf_span(&text));
    chat->arena->failed |= text.failed;
    buf_fini(&text);
    return id;
}

static void read_call(struct chat *chat, struct chat_answer *answer, struct span function, struct span id)
{
    static const char *const names[] = {"name", "arguments"};
    struct span got[ARRAY_LENGTH(names)];
    struct span name;
    struct span arguments;
    struct chat_part *part = NULL;

    json_walk_pick(function, names, ARRAY_LENGTH(names), got);
    name = filled(got[0]);
    arguments = got[1];
    part = name.len > 0 ? chat_add_part(chat, &answer->turn, CHAT_CALL) : NULL;
    if (part == NULL) {
        return;
    }
    part->id = id;
    part->name = name;
    chat_tell_arguments(chat, part, arguments);
    if (json_is_object(arguments)) {
        part->input = arguments;
    }
}

static void read_calls(struct chat *chat, struct chat_answer *answer, const struct span *message, struct span body)
{
    static const uint64_t seed[2] = {0, 0};
    static const char *const names[] = {"id", "function"};
    struct json_walk walk = json_walk_of(message[OPENAI_CHAT_TOOL_CALLS]);
    struct span legacy = message[OPENAI_CHAT_FUNCTION_CALL];
    struct span call[ARRAY_LENGTH(names)];
    uint64_t hash = 0; /* once, however many calls have no id */

    while (json_walk_pick_next(&walk, names, ARRAY_LENGTH(names), call)) {
        struct span id = filled(call[0]);

        hash = id.len > 0 || hash != 0 ? hash : sip_hash(seed, body);
        read_call(chat, answer, call[1], id.len > 0 ? id : make_id(chat, answer, hash));
    }
    if (json_is_object(legacy)) {
        read_call(chat, answer, legacy, make_id(chat, answer, sip_hash(seed, body)));
    }
}

/* A refusal has the finish `stop`: elsewhere it is a finish of its own (translation.md 9, 10). */
static void read_finish(struct chat_answer *answer, struct span word)
{
    answer->finish = openai_chat_finish(word);
    answer->finish_word = chat_inside(word);
    if (answer->refusal.len > 0 && (answer->finish == CHAT_FINISH_STOP || answer->finish == CHAT_FINISH_NONE)) {
        answer->finish = CHAT_FINISH_FILTERED;
    }
}

bool openai_chat_take_answer(struct chat *chat, struct chat_answer *answer, struct span body)
{
    struct openai_chat_said got;
    struct span message[OPENAI_CHAT_MESSAGE];

    openai_chat_pick_document(body, "message", &got);
    if (!json_is_object(got.said)) {
        return false;
    }
    openai_chat_pick_message(got.said, message);
    answer->id = got.id;
    answer->model = got.model;
    answer->reasoning = message[OPENAI_CHAT_REASONING];
    answer->refusal = message[OPENAI_CHAT_REFUSAL];
    read_content(chat, answer, message[OPENAI_CHAT_CONTENT]);
    read_calls(chat, answer, message, body);
    read_finish(answer, got.finish);
    return answer->finish != CHAT_FINISH_FAULT;
}
