/* SPDX-License-Identifier: Apache-2.0 */
/* dialects/gemini_generate.h: how the conversations of generateContent are told in other dialects and
 * theirs in it (gemini.md 3 to 6; translation.md). Owns nothing; the only heap is what the writer of
 * streams keeps of open calls. Only the dialect's row calls it; the files of the grammar share the rest. */
#ifndef WIRE_DIALECTS_GEMINI_GENERATE_H
#define WIRE_DIALECTS_GEMINI_GENERATE_H

#include "wire/chat.h"
#include "wire/json_walk.h"

/* The model is in the path and so is whether it is a stream: read_request sets neither of them, and
 * write_request puts neither into the body. */
extern const struct translator gemini_generate_translator;

/* ---- requests ---- */

/* Two rows for each member, one per spelling: values[2 * row] and the next one. */
#define GENERATE_BOTH(NAME, camel, snake, mark, why)                                               \
    CHAT_FIELD(camel, mark), CHAT_FIELD(snake, mark),

static inline struct span gemini_generate_said(const struct span *values, size_t row)
{
    return values[2 * row].len > 0 ? values[2 * row] : values[2 * row + 1];
}

/* chat_take, but of a member that stands there in both spellings one counts, and the other is named. */
void gemini_generate_take(struct chat *chat, const struct chat_fields *fields, struct span object, struct span *values);
/* chat_expect, with rows counted as those of the .def file. */
void gemini_generate_expect(struct chat *chat, const struct chat_fields *fields, struct span *values,
                            const struct chat_expected *expected, size_t count);

/* A list, or the one object that stands for a list of one: Google reads both, and its own examples have
 * {"parts": {"text": "..."}}. */
struct gemini_generate_items {
    struct json_walk walk;
    struct span lone;
    bool is_odd; /* the item that was taken last is no object */
};
struct gemini_generate_items gemini_generate_items_of(struct span value);
bool gemini_generate_next(struct gemini_generate_items *items, struct span *item);
/* The members of the next one, by the rows of `fields`. False: there is none. */
bool gemini_generate_take_next(struct chat *chat, struct gemini_generate_items *items, const struct chat_fields *fields,
                               struct span *values);

void gemini_generate_read_request(struct chat *chat, struct span body);
/* The turns; the system text. */
void gemini_generate_read_contents(struct chat *chat, struct span contents);
void gemini_generate_read_system(struct chat *chat, struct span instruction);
/* Where media go: into a turn, or into the result of a tool; and what is named when they cannot. */
struct gemini_generate_place {
    struct chat_turn *turn;
    struct chat_part *result;
    const char *param;
};
void gemini_generate_read_blob(struct chat *chat, const struct gemini_generate_place *place,
                               struct span blob);
void gemini_generate_read_file(struct chat *chat, const struct gemini_generate_place *place,
                               struct span file);

void gemini_generate_write_request(struct chat *chat, struct json_out *out);
/* The turns but those of the system, which are the instruction. */
void gemini_generate_write_contents(struct chat *chat, struct json_out *out);

/* ---- schemas ---- */

/* OpenAPI's subset (`parameters`, `responseSchema`) as JSON Schema, in the arena. */
struct span gemini_generate_schema_read(struct chat *chat, struct span schema);
/* JSON Schema for parametersJsonSchema and responseJsonSchema. */
void gemini_generate_schema_write(struct json_out *out, struct span schema);
/* Whether it describes no argument at all: such a one is left out (gemini.md 3). */
bool gemini_generate_schema_is_empty(struct span schema);

/* ---- answers ---- */

struct gemini_generate_reader {
    enum chat_finish finish; /* the last one told; NONE: none yet */
    uint8_t word_len;
    char word[32];           /* as told, inside of a string */
};
bool gemini_generate_read_answer(struct chat *chat, struct chat_answer *answer, struct span body);
void gemini_generate_read_event(void *reader, struct span data, struct chat_pipe *pipe);
void gemini_generate_read_end(void *reader, struct chat_pipe *pipe);

struct gemini_generate_call; /* one that is not over yet */
enum { GENERATE_ID_MAX = 128 };
struct gemini_generate_writer {
    struct gemini_generate_call *calls;
    size_t calls_count;
    size_t held;             /* bytes of their arguments, together */
    uint16_t id_len;
    uint16_t model_len;
    char id[GENERATE_ID_MAX];    /* strings, as every chunk has them; empty: made up, the app's */
    char model[GENERATE_ID_MAX];
};
void gemini_generate_write_answer(const struct chat_answer *answer, const struct chat_terms *terms,
                           struct json_out *out);
void gemini_generate_write_event(void *writer, const struct chat_event *event, struct chat_pipe *pipe);
void gemini_generate_end_writer(void *writer);

#endif
