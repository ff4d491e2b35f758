/* SPDX-License-Identifier: Apache-2.0 */
/* wire/dialects/openai_chat.h: what the files of translation to and from chat completions share. Only the
 * files openai_chat_*.c include this. */
#ifndef WIRE_DIALECTS_OPENAI_CHAT_H
#define WIRE_DIALECTS_OPENAI_CHAT_H

#include "wire/chat.h"

/* ---- requests ---- */

void openai_chat_take_request(struct chat *chat, struct span body);
/* The member `messages`: an array, or it is refused. */
void openai_chat_take_messages(struct chat *chat, struct span messages);
void openai_chat_take_tools(struct chat *chat, struct span tools, struct span functions);
void openai_chat_take_choice(struct chat *chat, struct span choice);
/* Where the parts of a content go, and which kinds may stand there. */
struct openai_chat_place {
    struct chat *chat;
    struct chat_turn *turn;
    struct chat_part *result; /* NULL: the turn itself */
    unsigned kinds;           /* bits of 1 << enum chat_part_kind */
};
enum {
    OPENAI_CHAT_TEXTS = 1 << CHAT_TEXT,
    OPENAI_CHAT_BY_TOOL = OPENAI_CHAT_TEXTS | 1 << CHAT_IMAGE | 1 << CHAT_DOCUMENT,
    OPENAI_CHAT_BY_USER = OPENAI_CHAT_BY_TOOL | 1 << CHAT_AUDIO,
    OPENAI_CHAT_BY_MODEL = OPENAI_CHAT_TEXTS | 1 << CHAT_CALL
};
/* A message's content, if it has one. */
void openai_chat_take_content(const struct openai_chat_place *place, struct span content);

void openai_chat_write_request(struct chat *chat, struct json_out *out);
/* The member `messages`. */
void openai_chat_write_messages(const struct chat *chat, struct json_out *out);

/* An explicit mark of a prompt cache: OpenAI's prompt_cache_breakpoint or Anthropic's cache_control; either may be
 * absent. */
enum chat_cache openai_chat_cache(struct span breakpoint, struct span control);
/* The words of reasoning_effort: that of CHAT_EFFORT_NONE + i. */
enum { OPENAI_EFFORTS = CHAT_EFFORT_MAX };
extern const char *const openai_chat_efforts[OPENAI_EFFORTS];

/* ---- answers ---- */

bool openai_chat_take_answer(struct chat *chat, struct chat_answer *answer, struct span body);
/* A whole answer or a chunk of a stream. */
struct openai_chat_said {
    struct span id;     /* strings that are not empty, or nothing */
    struct span model;
    /* Of choices[0], the one with that index, or without any: */
    struct span finish;
    struct span said;
};
/* `said`: "message" or "delta". */
void openai_chat_pick_document(struct span document, const char *said, struct openai_chat_said *got);
/* What either of them holds; the texts are strings that are not empty, or nothing. The content may be of any kind. */
enum {
    OPENAI_CHAT_CONTENT,
    OPENAI_CHAT_REFUSAL,
    OPENAI_CHAT_REASONING,     /* by whichever name the server has for it (translation.md 7) */
    OPENAI_CHAT_REASONING_TOO,
    OPENAI_CHAT_TOOL_CALLS,
    OPENAI_CHAT_FUNCTION_CALL,
    OPENAI_CHAT_MESSAGE
};
void openai_chat_pick_message(struct span message, struct span values[OPENAI_CHAT_MESSAGE]);
/* What a finish_reason means; NONE for what is no word. `word`: the value. */
enum chat_finish openai_chat_finish(struct span word);
/* An object's value of that name if it is a string with something in it, else empty. */
struct span openai_chat_filled(struct span object, const char *name);

void openai_chat_write_answer(const struct chat_answer *answer, const struct chat_terms *terms,
                              struct json_out *out);
/* "chatcmpl-" and the provider's id (a string) as far as its characters may stand in one of ours, or without any
 * the seed. Room for OPENAI_CHAT_ID_MAX; returns the length. */
enum { OPENAI_CHAT_ID_MAX = 80 };
size_t openai_chat_make_id(char room[OPENAI_CHAT_ID_MAX], struct span id, uint64_t seed);
/* The word for the app. */
const char *openai_chat_finish_word(enum chat_finish finish, bool is_legacy);

/* ---- streams ---- */

/* Calls of one answer that are told apart. Those of the measured servers are a handful; OpenAI names 128 as
 * the most functions of a request. */
enum { OPENAI_CHAT_CALLS = 128, OPENAI_CHAT_CALL_ID = 80 };
struct openai_chat_call {
    uint32_t id_hash;   /* 0: it came without an id */
    uint32_t name_hash; /* 0: it has not been told on, what it is called is not known */
    int32_t index;      /* as told; -1: none was */
    bool has_arguments;
    bool ends_object;   /* the last byte of its arguments so far closes one */
};
struct openai_chat_reader {
    struct openai_chat_call calls[OPENAI_CHAT_CALLS];
    uint32_t count;
    enum chat_finish finish;
    bool has_begun;
    bool has_refused;
    bool has_ended;
    char word[32];       /* the finish reason, as told */
    uint8_t word_len;
    char id[OPENAI_CHAT_CALL_ID]; /* of the last call, with quotes, while its name is awaited */
    uint8_t id_len;
};
void openai_chat_take_event(void *reader, struct span data, struct chat_pipe *pipe);
void openai_chat_take_end(void *reader, struct chat_pipe *pipe);

struct openai_chat_writer {
    char id[OPENAI_CHAT_ID_MAX];
    char model[256];     /* with quotes; empty: the name that the app used */
    uint16_t id_len;
    uint16_t model_len;
};
void openai_chat_write_event(void *writer, const struct chat_event *event, struct chat_pipe *pipe);

#endif
