/* SPDX-License-Identifier: Apache-2.0 */
/* wire/dialects/openai_responses.h: how conversations of POST /responses are told in other dialects
 * (translation.md 14): the functions behind openai_responses_translator, and what its writers of
 * answers share. Only the files openai_responses*.c include this. */
#ifndef WIRE_DIALECTS_OPENAI_RESPONSES_H
#define WIRE_DIALECTS_OPENAI_RESPONSES_H

#include "wire/chat.h"

/* ---- requests ---- */

/* Why items and members are refused that have what they say elsewhere. */
#define OPENAI_RESPONSES_KEPT "It stands for what one provider keeps; send the whole conversation (store: false)"

void openai_responses_read_chat(struct chat *chat, struct span body);
/* The values of its members, as far as they are said. */
void openai_responses_read_tools(struct chat *chat, struct span tools, struct span choice);
/* The value of `input`: a text or items. */
void openai_responses_read_input(struct chat *chat, struct span input);
void openai_responses_write_chat(struct chat *chat, struct json_out *out);
/* The members `instructions` and `input`. */
void openai_responses_write_input(const struct chat *chat, struct json_out *out);
/* A member with a word of ours; one with a JSON value, if there is one. */
void responses_put_word(struct json_out *out, const char *key, const char *text);
void responses_put_said(struct json_out *out, const char *key, struct span value);

/* ---- answers of a provider ---- */

bool openai_responses_read_whole(struct chat *chat, struct chat_answer *answer, struct span body);

struct openai_responses_call {
    int64_t item;       /* its output_index; -1: not told */
    bool has_arguments; /* a fragment was told */
    bool is_over;
};

struct openai_responses_reader {
    struct openai_responses_call calls[CHAT_CALLS_MAX];
    uint32_t count;     /* of calls */
    int64_t text_item;  /* of the last message with deltas: its output_index, and 2; 0: none */
    bool has_told;      /* any content */
    bool has_thought;
    bool has_refused;
};

void openai_responses_read_stream(void *reader, struct span data, struct chat_pipe *pipe);
void openai_responses_read_end(void *reader, struct chat_pipe *pipe);
/* Why it ended, as a response tells. */
struct chat_event openai_responses_finish(struct span response, bool has_refused);

/* A member that must be a string; anything else is as good as not said. */
struct span openai_responses_string(struct span object, const char *name);
/* What the result of a function_call cites; a server may only know the item's own id. */
struct span openai_responses_call_id(struct span item);

/* ---- answers to an app ---- */

enum response_kind { RESPONSE_MESSAGE, RESPONSE_REFUSAL, RESPONSE_REASONING, RESPONSE_CALL };
enum response_stage { RESPONSE_BEGUN, RESPONSE_DONE, RESPONSE_CUT /* by the cap or a filter */ };

/* How items of a kind are told. */
struct response_row {
    const char *id;       /* how their ids begin */
    const char *part;     /* type of the part inside; NULL: there is none */
    const char *text;     /* the member that has the text: "text", "refusal", "arguments" */
    const char *place;    /* where the part stands: "content_index"; NULL */
    const char *part_added;
    const char *delta;
    const char *done;
    const char *part_done;
};
const struct response_row *response_row(enum response_kind kind);

/* An item of the output. Its text is `inside` or, of a whole answer, a run of text parts or an
 * object. */
struct response_item {
    enum response_kind kind;
    enum response_stage stage;
    uint32_t index;                 /* output_index */
    struct span inside;             /* of a string */
    const struct chat_part *texts;  /* MESSAGE: this TEXT part and those right behind it */
    struct span object;             /* CALL: its arguments */
    struct span call_id;            /* CALL: strings */
    struct span name;
};

/* What stands around the output. */
struct response_frame {
    const struct chat_terms *terms;
    struct span id;            /* the provider's; a string, or empty */
    struct span model;         /* the same */
    enum response_stage stage;
    enum chat_finish finish;
    const struct usage *usage; /* NULL: not yet */
};

enum response_stage response_stage_of(enum chat_finish finish);
const char *response_status(enum response_stage stage);
void response_put_hex(struct buf *buf, uint64_t number);
/* Its id, without quotes: RESPONSE_ID_MAX bytes at most. */
enum { RESPONSE_ID_MAX = 72 };
void response_put_id(struct buf *out, const struct response_frame *frame);
/* The response up to the first item of its output; and the rest. */
void response_open(struct json_out *out, const struct response_frame *frame);
void response_close(struct json_out *out, const struct response_frame *frame);
void response_put_item(struct json_out *out, const struct chat_terms *terms, const struct response_item *item);
/* The id of an item, a value. */
void response_put_item_id(struct json_out *out, const struct chat_terms *terms, const struct response_item *item);
/* The part inside an item, with its text. */
void response_put_part(struct json_out *out, const struct response_item *item);
/* The text of an item, a value. */
void response_put_text(struct json_out *out, const struct response_item *item);

void openai_responses_write_whole(const struct chat_answer *answer, const struct chat_terms *terms,
                                  struct json_out *out);

struct openai_responses_held; /* an item as it grows */

struct openai_responses_writer {
    struct openai_responses_held *items;
    uint32_t count;
    uint32_t room;
    uint32_t open;     /* the item that has the text that is coming, and 1; 0: none */
    uint32_t closed;   /* all items before this one are closed */
    uint32_t sequence;
    size_t bytes;      /* of text and names, of all items */
    struct buf names;  /* the provider's id and model, strings */
    size_t id_len;
    enum chat_finish finish;
};

void openai_responses_write_stream(void *writer, const struct chat_event *event, struct chat_pipe *pipe);
void openai_responses_end_writer(void *writer);
void openai_responses_tell_stream(const void *writer, const struct chat_terms *terms, struct stream *stream);

#endif
