/* SPDX-License-Identifier: Apache-2.0 */
/* wire/dialects/anthropic_messages.h: what the readers and writers of translated messages share: the members
 * of a request (anthropic_messages_fields.def) and the words of the grammar. Only the files
 * anthropic_messages*.c include this. */
#ifndef WIRE_DIALECTS_ANTHROPIC_MESSAGES_H
#define WIRE_DIALECTS_ANTHROPIC_MESSAGES_H

#include "wire/chat.h"

/* The objects of a request. */
enum messages_object {
#define FIELDS(GROUP, where) MESSAGES_##GROUP,
#define FIELDS_END(GROUP)
#define FIELD(GROUP, NAME, name, MARK, why)
#include "wire/dialects/anthropic_messages_fields.def"
#undef FIELD
#undef FIELDS_END
#undef FIELDS
};

/* The places of their members, counted anew for each object, and how many there are: TEXT_FIELDS. */
enum {
#define FIELDS(GROUP, where) GROUP##_BEFORE = -1,
#define FIELDS_END(GROUP) GROUP##_FIELDS,
#define FIELD(GROUP, NAME, name, MARK, why) GROUP##_##NAME,
#include "wire/dialects/anthropic_messages_fields.def"
#undef FIELD
#undef FIELDS_END
#undef FIELDS
};

/* chat_take by the rows of that object; `values` has its ..._FIELDS elements. */
void messages_take(struct chat *chat, enum messages_object object, struct span json, struct span *values);
/* The same of a list's next item, which is there. */
void messages_take_next(struct chat *chat, enum messages_object object, struct json_walk *walk, struct span *values);

/* chat_expect and chat_spare by the same rows. */
void messages_expect(struct chat *chat, enum messages_object object, struct span *values,
                     const struct chat_expected *expected, size_t count);
void messages_spare(struct chat *chat, enum messages_object object, const struct span *values, uint32_t used);

/* output_config.effort: UNSAID for a word that is none; a word that is there for any effort but NONE and
 * UNSAID, for which it is empty. */
enum chat_effort messages_effort_of(struct span string);
struct span messages_effort_word(enum chat_effort effort);
/* stop_reason (inside of a string). */
enum chat_finish messages_finish_of(struct span word);
struct span messages_finish_word(enum chat_finish finish);

/* anthropic_messages_read_turns.c: the conversation. */
void messages_read_system(struct chat *chat, struct span value);
void messages_read_turns(struct chat *chat, struct span value);
/* anthropic_messages_read_parts.c: the list's next block of content, of this type, into `result` (where there is one),
 * else into the turn. One whose kind no other dialect knows is lost, or refused. */
struct messages_place {
    struct chat *chat;
    struct chat_turn *turn;
    struct chat_part *result;
    bool is_last; /* of the list's messages */
};
void messages_read_part(const struct messages_place *place, struct span type, struct json_walk *walk);
enum chat_cache messages_cache(struct chat *chat, struct span control);

/* ---- the translator's functions ---- */

void messages_read_request(struct chat *chat, struct span body);
void messages_write_request(struct chat *chat, struct json_out *out);
bool messages_read_answer(struct chat *chat, struct chat_answer *answer, struct span body);
void messages_write_answer(const struct chat_answer *answer, const struct chat_terms *terms, struct json_out *out);

enum messages_open { MESSAGES_OPEN_NONE, MESSAGES_OPEN_TEXT, MESSAGES_OPEN_CALL, MESSAGES_OPEN_OTHER };

/* Blocks do not interleave (anthropic.md 6): one alone is open. */
struct messages_reader {
    enum messages_open open;
    int64_t index;        /* of the open block; -1: not told */
    uint32_t call;        /* that is open */
    bool has_arguments;   /* it had a fragment */
};
void messages_read_event(void *state, struct span data, struct chat_pipe *pipe);
void messages_read_end(void *state, struct chat_pipe *pipe);

struct messages_writer {
    enum messages_open open;
    uint32_t blocks;      /* begun; the last one is the open one */
    uint32_t calls;       /* told of */
    uint32_t begun;       /* of them, whose blocks have begun */
    bool has_arguments;   /* the open call had a fragment */
    bool has_refused;
    enum chat_finish finish;
    struct buf waiting;   /* a struct held_call of each call */
    struct buf pieces;    /* what calls that wait have had */
    struct buf texts;     /* what was said while a call was open */
};
void messages_write_event(void *state, const struct chat_event *event, struct chat_pipe *pipe);
void messages_end_writer(void *state);

/* Shared by whole answers and streams. */
void messages_put_id(struct json_out *out, struct span id, const struct chat_terms *terms);
void messages_put_call_id(struct json_out *out, struct span id, uint32_t number, const struct chat_terms *terms);
void messages_put_usage(struct json_out *out, const struct usage *usage, const struct chat_terms *terms);

#endif
