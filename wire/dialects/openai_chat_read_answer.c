/* SPDX-License-Identifier: Apache-2.0 */
/* A whole chat completion of any compatible server into the hub (openai.md 4; openai-compatible.md 3, 4). Its
 * first choice alone: more were asked for of nobody (translation.md 6). */
#include "wire/dialects/openai_chat.h"

#include "base/must.h"
#include "base/sip.h"
#include "wire/json_value.h"
#include "wire/json_walk.h"

struct span openai_chat_filled(struct span object, const char *name)
{
    struct span value = json_walk_find(object, name);

    return json_is_string(value) && value.len > 2 ? value : span_make(NULL, 0);
}

struct span openai_chat_reasoning(struct span message)
{
    struct span reasoning = openai_chat_filled(message, "reasoning_content");

    /* Some send the same text under both names: it is told once. */
    return reasoning.len > 0 ? reasoning : openai_chat_filled(message, "reasoning");
}

struct span openai_chat_choice(struct span document)
{
    struct json_walk walk = json_walk_of(json_walk_find(document, "choices"));
    struct span item;
    int64_t index = 0;

    while (json_walk_item(&walk, &item)) {
        struct span told = json_walk_find(item, "index");

        if (json_is_object(item) && (json_integer(told, &index) != ERR_NONE || index == 0)) {
            return item;
        }
    }
    return span_make(NULL, 0);
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
    struct json_walk walk = json_walk_of(content);
    struct chat_words thoughts = {0};
    struct span item;

    if (json_is_string(content)) {
        chat_add_text(chat, &answer->turn, content);
        return;
    }
    while (json_is_array(content) && json_walk_item(&walk, &item)) {
        if (json_is_text(json_walk_find(item, "type"), "thinking")) {
            add_thoughts(chat, &thoughts, json_walk_find(item, "thinking"));
        } else {
            chat_add_text(chat, &answer->turn, openai_chat_filled(item, "text"));
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
    struct span name = openai_chat_filled(function, "name");
    struct span arguments = json_walk_find(function, "arguments");
    struct chat_part *part = name.len > 0 ? chat_add_part(chat, &answer->turn, CHAT_CALL) : NULL;
    bool is_good = true;

    if (part == NULL) {
        return;
    }
    part->id = id;
    part->name = name;
    part->input = json_is_object(arguments) ? arguments : chat_arguments(chat, arguments, &is_good);
}

static void read_calls(struct chat *chat, struct chat_answer *answer, struct span message, struct span body)
{
    static const uint64_t seed[2] = {0, 0};
    struct json_walk walk = json_walk_of(json_walk_find(message, "tool_calls"));
    struct span legacy = json_walk_find(message, "function_call");
    struct span item;
    uint64_t hash = 0; /* once, however many calls have no id */

    while (json_walk_item(&walk, &item)) {
        struct span id = openai_chat_filled(item, "id");

        hash = id.len > 0 || hash != 0 ? hash : sip_hash(seed, body);
        read_call(chat, answer, json_walk_find(item, "function"), id.len > 0 ? id : make_id(chat, answer, hash));
    }
    if (json_is_object(legacy)) {
        read_call(chat, answer, legacy, make_id(chat, answer, sip_hash(seed, body)));
    }
}

/* A refusal has the finish `stop`: elsewhere it is a finish of its own (translation.md 9, 10). */
static void read_finish(struct chat_answer *answer, struct span choice)
{
    struct span word = json_walk_find(choice, "finish_reason");

    answer->finish = openai_chat_finish(word);
    answer->finish_word = chat_inside(word);
    if (answer->refusal.len > 0 && (answer->finish == CHAT_FINISH_STOP || answer->finish == CHAT_FINISH_NONE)) {
        answer->finish = CHAT_FINISH_FILTERED;
    }
}

bool openai_chat_take_answer(struct chat *chat, struct chat_answer *answer, struct span body)
{
    struct span choice = openai_chat_choice(body);
    struct span message = json_walk_find(choice, "message");

    if (!json_is_object(message)) {
        return false;
    }
    answer->id = openai_chat_filled(body, "id");
    answer->model = openai_chat_filled(body, "model");
    answer->reasoning = openai_chat_reasoning(message);
    answer->refusal = openai_chat_filled(message, "refusal");
    read_content(chat, answer, json_walk_find(message, "content"));
    read_calls(chat, answer, message, body);
    read_finish(answer, choice);
    return answer->finish != CHAT_FINISH_FAULT;
}
