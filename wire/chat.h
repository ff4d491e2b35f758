/* SPDX-License-Identifier: Apache-2.0 */
/* wire/chat.h: the hub form of a conversation, used only to translate between dialects. A request is
 * read into it by the grammar of the app, fitted to the target (wire/fit.h) and written by the grammar
 * of the target; answers and the events of streams go the other way.
 *
 * Values are JSON as it stands in the source: a text is a whole JSON string, quotes and escapes included,
 * a number the digits that were sent. So nothing is decoded, rounded or respelled on the way. Spans borrow
 * from the source document or lie in the arena. Lists are linked, in the order of the source; everything
 * dies with the arena. An empty span: not said. A null is as good as not said, everywhere. */
#ifndef WIRE_CHAT_H
#define WIRE_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "wire/json_out.h"
#include "wire/usage.h"

struct json_scan;
struct json_walk;
struct operation;
struct stream; /* wire/dialect.h */

/* ---- what becomes of a member that the hub has no place for, or the target no word ---- */

enum chat_mark {
    CHAT_CARRIED, /* the hub has it: the target's grammar decides */
    CHAT_QUIET,   /* without effect on the meaning: left out, not told */
    CHAT_NAMED,   /* left out or changed, and named in x-headgate-dropped; under `strict` refused */
    CHAT_REFUSED  /* the answer would not be what was asked for: the target is not eligible */
};

/* A member of an object of a request. Rows come from the grammar's .def file. */
struct chat_field {
    const char *name;
    uint8_t len;
    uint8_t mark; /* enum chat_mark */
};
struct chat_fields {
    const char *where; /* what stands in front of the name when it is told: "", "messages[]." */
    const struct chat_field *list;
    size_t count;
};
#define CHAT_FIELD(name, mark) {(name), sizeof(name) - 1, CHAT_##mark}

/* ---- conversation ---- */

enum chat_role { CHAT_SYSTEM, CHAT_USER, CHAT_MODEL };
enum chat_cache { CHAT_CACHE_NONE, CHAT_CACHE_SHORT, CHAT_CACHE_LONG }; /* 5 minutes; longer */

enum chat_part_kind {
    CHAT_TEXT,
    CHAT_IMAGE,
    CHAT_DOCUMENT, /* PDF and the like */
    CHAT_AUDIO,
    CHAT_CALL,     /* the model wants a tool */
    CHAT_RESULT    /* what the tool said */
};

struct chat_part {
    enum chat_part_kind kind;
    enum chat_cache cache;  /* a prompt cache ends behind it */
    struct span text;       /* TEXT: string. Never empty text between the quotes in a TEXT (readers leave
                             * such parts out). CALL of an answer: the string its provider told its arguments in */
    struct span id;         /* CALL, RESULT: string, of the call. Readers give every call one */
    struct span name;       /* CALL, RESULT: string, the tool (of a RESULT: as its call said; empty when no
                             * call is there). DOCUMENT: string, title or file name */
    struct span input;      /* CALL: the arguments, an object */
    struct span media;      /* IMAGE, DOCUMENT, AUDIO: media type without quotes ("image/png"); empty with
                             * a url whose type nobody told */
    struct span data;       /* the same: base64, without quotes; or */
    struct span url;        /* the same: string, http or https */
    bool is_error;          /* RESULT */
    bool is_json;           /* RESULT: `text` of its only part is told to be an object (Gemini) */
    struct chat_part *inner; /* RESULT: TEXT, IMAGE, DOCUMENT */
    struct chat_part *inner_last;
    struct chat_part *next;
};

struct chat_turn {
    enum chat_role role;
    struct chat_part *parts; /* at least one, once chat_finish was called */
    struct chat_part *last;
    uint32_t calls;          /* CALL parts among them */
    struct chat_turn *next;
};

struct chat_tool {
    struct span name;        /* string */
    struct span description; /* string; empty: none */
    struct span schema;      /* object (JSON Schema); empty: takes nothing */
    int8_t strict;           /* 1, 0; -1: not said */
    enum chat_cache cache;
    struct chat_tool *next;
};

struct chat_word {
    struct span text; /* string */
    struct chat_word *next;
};
struct chat_words {
    struct chat_word *first;
    struct chat_word *last;
    size_t count;
};

enum chat_choice {
    CHAT_CHOICE_UNSAID,
    CHAT_CHOICE_AUTO,
    CHAT_CHOICE_NONE,
    CHAT_CHOICE_ANY, /* must call one */
    CHAT_CHOICE_ONE  /* must call choice_name */
};

enum chat_effort {
    CHAT_EFFORT_UNSAID,
    CHAT_EFFORT_NONE,
    CHAT_EFFORT_MINIMAL,
    CHAT_EFFORT_LOW,
    CHAT_EFFORT_MEDIUM,
    CHAT_EFFORT_HIGH,
    CHAT_EFFORT_XHIGH,
    CHAT_EFFORT_MAX
};

enum chat_format { CHAT_FORMAT_TEXT, CHAT_FORMAT_JSON, CHAT_FORMAT_SCHEMA };

/* How long an answer may be, how it is drawn, and what else goes with the request. Numbers are JSON numbers as
 * sent. */
struct chat_params {
    int64_t cap;              /* of output tokens, thinking included; -1: not said */
    bool is_old_cap;          /* OpenAI's max_tokens, by which name it is told */
    uint32_t answers;         /* 1 */
    struct span temperature;
    struct span top_p;
    struct span top_k;
    struct span seed;
    struct span frequency_penalty;
    struct span presence_penalty;
    struct span logit_bias;   /* object, not empty */
    struct span top_logprobs; /* number; "0": the chosen ones alone */
    struct chat_words stop;
    enum chat_effort effort;
    int64_t thinking_budget;  /* tokens; -1: not said. Readers set `effort` from it too */
    bool is_thinking_adaptive; /* Anthropic: {type: adaptive}; without effort */
    bool shows_thinking;      /* summaries of the reasoning are wanted in the answer */
    enum chat_format format;
    struct span format_name;  /* string; empty */
    struct span format_description; /* string; empty */
    struct span format_schema; /* object, for CHAT_FORMAT_SCHEMA */
    int8_t format_strict;     /* 1, 0; -1 */
    struct span verbosity;    /* string */
    struct span user;         /* string: whom it serves */
    struct span metadata;     /* object of the app's own */
    struct span cache_key;    /* string: OpenAI's prompt_cache_key */
    struct span tier;         /* string: service tier, as the app's dialect calls it */
    struct span store;        /* true, false */
    struct span safety;       /* Gemini's safetySettings, an array */
    bool wants_cache;         /* Anthropic: cache_control of the whole request */
    bool is_stream;
    bool wants_usage;         /* of a stream, where it must be asked for */
    bool is_legacy;           /* OpenAI's functions and function_call: answered in that form */
};

enum {
    CHAT_DROPPED_MAX = 32, /* names that are told */
    CHAT_CALLS_MAX = 128,  /* of one turn */
    CHAT_STRING_MAX = 64 * 1024 * 1024 /* of a string that is respelled: twice the largest request */
};
struct chat_dropped {
    struct span name;       /* as the app's dialect spells it: printable, short */
    bool is_changed;        /* said otherwise, not left out */
    struct chat_dropped *next;
};

/* Why the target is not eligible. */
struct chat_refused {
    const char *param;      /* as the app's dialect spells it; NULL: nothing was refused */
    const char *why;        /* one sentence, fixed; NULL */
    struct span which;      /* of many of its kind, by a name, a type or an id of the app's: short; may be empty */
};

struct chat {
    struct arena *arena;
    struct json_scan *scan;  /* scratch, for JSON that stands inside a string */
    struct span model;       /* string: for writers, the target's model */
    struct chat_turn *turns; /* no two neighbours of one role */
    struct chat_turn *last;
    struct chat_turn *before_last;
    /* The calls of a turn, for those who read results: a turn may have any number of parts between them. */
    const struct chat_part *calls[CHAT_CALLS_MAX];
    const struct chat_turn *calls_turn;
    struct chat_tool *tools;
    struct chat_tool *tools_last;
    enum chat_choice choice;
    struct span choice_name;     /* string */
    struct chat_words choice_of; /* AUTO, ANY: of these alone; none: of all */
    int8_t parallel;             /* 0: one call at a time; 1; -1: not said */
    struct chat_params params;
    const struct chat_target *target; /* for writers */
    struct chat_dropped *dropped;
    bool dropped_more;           /* than CHAT_DROPPED_MAX */
    struct chat_refused refused;
    bool is_strict;              /* whatever would be named is refused */
};

/* Whom it is written for. */
struct chat_target {
    const struct operation *operation; /* the grammar it is written in */
    const struct model_facts *model;   /* wire/models.h; never NULL */
    unsigned habits;                   /* of the provider: enum habit of wire/habits.h */
};

void chat_init(struct chat *chat, struct arena *arena, struct json_scan *scan, bool is_strict);
/* An object's members by the rows of `fields`: values[i] is that of row i if it is CARRIED and said. All
 * others are judged by their mark; one without a row is NAMED. `values` has fields->count elements. */
void chat_take(struct chat *chat, const struct chat_fields *fields, struct span object, struct span *values);
/* The same of the next item of a list, without a pass of its own to its end: of one that is no object nothing was said.
 * False: there is no item. */
bool chat_take_next(struct chat *chat, const struct chat_fields *fields, struct json_walk *walk, struct span *values);
/* Members that chat_take gave and that an object of this type has no use for (bit 1 << i of `used` is not set): named. */
void chat_spare(struct chat *chat, const struct chat_fields *fields, const struct span *values, uint32_t used);
/* Values of another type than one reads: named, and as good as not said. */
enum chat_type {
    CHAT_IS_STRING = 1,
    CHAT_IS_NUMBER = 2,
    CHAT_IS_BOOL = 4,
    CHAT_IS_OBJECT = 8,
    CHAT_IS_ARRAY = 16
};
struct chat_expected {
    unsigned char row;   /* of the fields */
    unsigned char types; /* bits of enum chat_type */
};
void chat_expect(struct chat *chat, const struct chat_fields *fields, struct span *values,
                 const struct chat_expected *expected, size_t count);
/* A member is left out, or said otherwise: named once, however often it comes. Under strict it is refused. */
void chat_drop(struct chat *chat, const char *param);
void chat_change(struct chat *chat, const char *param);
/* The first one counts. `param` and `why` are fixed texts (or lie in the arena). */
void chat_refuse(struct chat *chat, const char *param, const char *why);
/* The same of one among many: the string by which the app knows it. Of anything that is no string nothing is told. */
void chat_refuse_one(struct chat *chat, const char *param, const char *why, struct span which);
bool chat_is_refused(const struct chat *chat);

/* The turn that what follows belongs to: the last one if it has that role, else a new one, which is kept only
 * if it gets a part. NULL without memory (arena->failed). */
struct chat_turn *chat_turn(struct chat *chat, enum chat_role role);
/* A zeroed part at the end of the turn (NULL is fine), of a RESULT's inner list (NULL is fine). NULL without memory.
 * Calls beyond CHAT_CALLS_MAX are counted, and found by nobody (fit_history refuses them). */
struct chat_part *chat_add_part(struct chat *chat, struct chat_turn *turn, enum chat_part_kind kind);
struct chat_part *chat_add_inner(struct chat *chat, struct chat_part *result, enum chat_part_kind kind);
/* A text part, unless the string is empty. */
void chat_add_text(struct chat *chat, struct chat_turn *turn, struct span text);
struct chat_tool *chat_add_tool(struct chat *chat);
void chat_add_word(struct chat *chat, struct chat_words *list, struct span text);
/* Whoever reads a request calls this at its end: a last turn without parts is taken away. */
void chat_finish(struct chat *chat);
/* Results come first in their turns, whatever order the source had: other dialects ask for it (translation.md 3). */
void chat_put_results_first(struct chat *chat);
/* The call that this id (a string) names, in the last turn of the model; NULL: none there has it. */
const struct chat_part *chat_call_of(const struct chat *chat, struct span id);
/* Whether any turn holds a part of this kind. */
bool chat_has(const struct chat *chat, enum chat_part_kind kind);

/* ---- small things about JSON strings ---- */

/* The bytes between the quotes; of anything that is no string nothing. */
struct span chat_inside(struct span string);
/* A string made of plain text (escaped), or of strings put together; in the arena. */
struct span chat_string(struct chat *chat, struct span plain);
struct span chat_join(struct chat *chat, const struct span *strings, size_t count);
/* Whether a string is empty; or blank: nothing but white space, escapes of it included. */
bool chat_is_blank(struct span string);
/* The text of a string, decoded, in the arena. */
struct span chat_plain(struct chat *chat, struct span string);
/* "data:image/png;base64,AAAA" (a string) apart. False: it is no such URL. */
bool chat_data_url(struct chat *chat, struct span string, struct span *media, struct span *data);
/* A JSON value as the inside of a JSON string, and the other way round; in the arena. */
struct span chat_escaped(struct chat *chat, struct span json);
/* Whether a text (decoded, any bytes) is a JSON object. */
bool chat_is_json_object(struct chat *chat, struct span text);
/* Arguments as OpenAI has them (a string that holds JSON) as an object; "" and "null" are {}. What is no JSON object
 * becomes {"arguments": <the string>} and is_good is false. */
struct span chat_arguments(struct chat *chat, struct span string, bool *is_good);
/* The same of a call in an answer: an app that is told a string is told it as it came, good or not. */
void chat_tell_arguments(struct chat *chat, struct chat_part *call, struct span string);

/* ---- answers ---- */

enum chat_finish {
    CHAT_FINISH_NONE,
    CHAT_FINISH_STOP,
    CHAT_FINISH_STOP_TEXT, /* one of the stop strings */
    CHAT_FINISH_LENGTH,
    CHAT_FINISH_WINDOW,    /* the context is full */
    CHAT_FINISH_CALLS,
    CHAT_FINISH_FILTERED,
    CHAT_FINISH_PAUSED,    /* Anthropic's pause_turn, compaction: not an end, told as length elsewhere */
    CHAT_FINISH_UNKNOWN,   /* told as STOP, with the raw word in a header */
    CHAT_FINISH_FAULT      /* the provider failed: no answer at all */
};

/* What a stream tells, one after the other. Readers produce, writers consume; a reader ends in END or FAIL
 * exactly once. Calls are numbered from 0 and one is over before END; their fragments may interleave. */
enum chat_event_kind {
    CHAT_EVENT_START,  /* id, name (the model): strings, each may be empty */
    CHAT_EVENT_TEXT,   /* text: inside of a string */
    CHAT_EVENT_REFUSAL,/* text: the model's words of refusal */
    CHAT_EVENT_REASON, /* text: reasoning */
    CHAT_EVENT_CALL,   /* call, id, name: strings */
    CHAT_EVENT_ARGUMENTS, /* call, text: a fragment of the arguments' JSON, inside of a string */
    CHAT_EVENT_CALL_END,  /* call. One without arguments has had the fragment {} */
    CHAT_EVENT_FINISH, /* finish, text (the raw word, inside of a string) */
    CHAT_EVENT_END,    /* usage is complete; writers write what they held back */
    CHAT_EVENT_FAIL    /* the provider failed in a way that only this grammar shows */
};
struct chat_event {
    enum chat_event_kind kind;
    enum chat_finish finish;
    uint32_t call;
    struct span text;
    struct span id;
    struct span name;
};

/* What a writer of answers needs to know of the request: copied, since the request is gone by then. */
struct chat_terms {
    struct span model;       /* string: as the app named it */
    int64_t created;         /* seconds since 1970 */
    uint64_t seed;           /* for ids that nobody gave */
    int64_t input_estimate;  /* tokens */
    bool wants_usage;
    bool is_legacy;
    bool shows_thinking;
    struct span tools;       /* Responses tell the request's tools again: array, or empty */
};

/* Between a reader and a writer. `usage` is what the provider has told so far (the meter's, normalised). */
struct chat_pipe {
    const struct translator *writer_row;
    void *writer;
    const struct chat_terms *terms;
    struct usage usage;
    struct buf *out;         /* what the writer writes: whole events of the app's dialect */
    struct buf *scratch;     /* the reader's, for what it must respell or keep until later: cleared before use */
    uint32_t calls;          /* begun */
    enum chat_finish finish; /* as told */
    struct span unknown;     /* of CHAT_FINISH_UNKNOWN: the raw word; kept in `unknown_room` */
    char unknown_room[32];
    bool has_started;
    bool has_ended;
    bool has_failed;
};
/* Puts an event through to the writer: START only once, and by itself if a reader forgets it; FINISH (the first one)
 * right before END and not earlier, as CALLS where there were calls; nothing behind END; FAIL never. */
void chat_tell(struct chat_pipe *pipe, const struct chat_event *event);
/* Why the answer ended, for the app. With calls in it the reason is them, whatever the server says: some say "stop"
 * (translation.md 10). */
enum chat_finish chat_settle_finish(enum chat_finish told, bool has_calls);
/* A word that nobody knows is told as a normal end, and kept as it is for the proxy to tell besides. */
void chat_note_unknown(struct chat_pipe *pipe, struct span word);

/* A whole answer: the same parts of speech. */
struct chat_answer {
    struct arena *arena;
    struct span id;
    struct span model;
    struct chat_turn turn;    /* role MODEL: TEXT and CALL parts, in order; may have none */
    struct span reasoning;    /* string */
    struct span refusal;      /* string */
    enum chat_finish finish;
    struct span finish_word;  /* inside of a string, as told */
    struct usage usage;
};

/* What an operation can do for translation; struct operation has a pointer to it. */
struct translator {
    /* The app's request into the hub. `body` has been accepted by the operation's read_request. */
    void (*read_request)(struct chat *chat, struct span body);
    /* The request for chat->target, fitted before (wire/fit.h). */
    void (*write_request)(struct chat *chat, struct json_out *out);
    /* A provider's whole good answer. False: it is not one. Usage is filled in by the caller. */
    bool (*read_answer)(struct chat *chat, struct chat_answer *answer, struct span body);
    void (*write_answer)(const struct chat_answer *answer, const struct chat_terms *terms, struct json_out *out);
    /* A provider's stream: one event (has data, is no error); `reader` is reader_size zeroed bytes. */
    size_t reader_size;
    void (*read_event)(void *reader, struct span data, struct chat_pipe *pipe);
    /* The body is over. Sends END if the stream was complete without its last event. */
    void (*read_end)(void *reader, struct chat_pipe *pipe);
    /* The app's stream; `writer` is writer_size zeroed bytes. */
    size_t writer_size;
    void (*write_event)(void *writer, const struct chat_event *event, struct chat_pipe *pipe);
    void (*end_writer)(void *writer); /* gives its memory back; NULL: it has none */
    /* What the app has been told of its stream, for the event that ends one that broke off; NULL: nothing of it
     * is said again there. */
    void (*tell_stream)(const void *writer, const struct chat_terms *terms, struct stream *stream);
};

#endif
