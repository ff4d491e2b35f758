/* SPDX-License-Identifier: Apache-2.0 */
/* wire/dialect.h: a grammar of requests and responses on the wire. A dialect ("openai",
 * "anthropic", "gemini") is a row with a table of operations ("chat", "messages", ...). Everything here is
 * pure; adding a dialect is a file in dialects/ and a row in dialects.def, adding an operation a
 * file and a row in its dialect's table. A dialect that is outbound is told to providers alone: no path
 * leads to it, it refuses nothing and has no list of models. */
#ifndef WIRE_DIALECT_H
#define WIRE_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/http1.h"
#include "wire/json_scan.h"
#include "wire/json_splice.h"
#include "wire/meter.h"
#include "wire/refusal.h"
#include "wire/sse.h"

struct dialect;
struct operation;
struct resume_row; /* wire/resume.h */
struct translator; /* wire/chat.h */

/* ---- the request ---- */

enum operation_kind {
    OPERATION_CALL,   /* a metered JSON call: chat, responses, completions, embeddings, messages */
    OPERATION_COUNT,  /* JSON in, JSON out, costs nothing: count_tokens */
    OPERATION_MODELS, /* GET /v1/models, and what else a caller may ask about itself */
    OPERATION_PASS    /* another path of the provider's API: passed through, not read */
};

enum { REQUEST_CAPS_MAX = 4 };

/* What a call wants, seen without provider detail. Spans borrow from the body. */
struct request {
    const struct dialect *dialect;
    const struct operation *operation;
    struct span body;
    struct span model_raw;        /* the value's bytes, quotes included; empty when there is none. Where
                                   * the path names the model, that one counts (struct path_match) */
    bool is_stream;
    bool app_wants_usage;         /* OpenAI stream: the app asked for the usage chunk itself */
    int64_t output_cap;           /* as asked; -1 when absent */
    uint8_t answers;              /* how many are asked for (n); 1 when absent */
    bool is_bound;                /* goes on with what one provider alone knows: nobody else can */
    bool is_plain;                /* text alone, at the usual terms: no member that says more than that */
    struct json_hit caps[REQUEST_CAPS_MAX]; /* the members that name one, null ones too */
    uint8_t caps_count;
    struct json_hit cap_home;     /* where they stand, when that is an object of its own; absent: it is
                                   * not there */
    struct span session;          /* what the body says of its conversation (a prompt cache key),
                                   * raw text without quotes; empty when there is none */
    struct span user;             /* whom the body says it serves, with its quotes; empty: nobody */
    struct json_hit stream_options;          /* where that member's value stands */
    struct json_hit stream_options_usage;    /* and its include_usage */
};

/* Where a path leads. */
struct path_match {
    const struct dialect *dialect;
    const struct operation *operation;
    struct span version;         /* in front of the upstream path: "/v1beta", as the app wrote it or the
                                  * dialect's usual one; empty where base URLs hold it */
    struct span upstream_path;   /* under the provider's base: "/chat/completions" (borrows) */
    struct span model;           /* that the path names (borrows); empty: the body names it */
    struct span query;           /* without '?', as it came (borrows); key= is taken out later */
    bool method_is_wrong;        /* the path is served, the method is not */
    bool query_is_wrong;         /* the operation is served in another form: its row has a hint */
    const char *allow;           /* then: the Allow header's value */
    const char *hint;            /* nothing found: the guessed mistake, or NULL */
};

/* The dialect that a request's headers speak for (conventions.md 1.1); NULL: for none. */
const struct dialect *dialect_spoken(const struct http1_head *head, const char *base);
/* Tells dialect and operation from method, target (path and query, as sent), and the dialect that the
 * headers speak for, which may be NULL. False: 404. Paths are compared as they are: nothing is decoded
 * or normalised (bad-input BL23..BL26). */
bool dialect_match(struct span method, struct span target, const struct dialect *spoken,
                   struct path_match *match);

/* Whether a base URL's path ends in a version ("/v1beta"), which then stands for the app's. */
bool dialect_has_version(struct span path);

/* The dialect in which an error on this target is told (OpenAI when nothing speaks for another). */
const struct dialect *dialect_for_error(struct span target, const struct dialect *spoken);
/* By name ("openai"), or NULL; of those that apps speak, as all of the registry. */
const struct dialect *dialect_by_name(struct span name);
/* i-th dialect of the registry, NULL past the end. */
const struct dialect *dialect_at(size_t i);

/* ---- the answer ---- */

/* An error as a provider spells it; spans borrow from the document. */
struct provider_error {
    bool is_present;
    struct span type;      /* raw text without quotes, may hold escapes */
    struct span code;
    struct span message;   /* raw, without quotes */
    int64_t status;        /* when the body names one; 0 otherwise */
    struct span retry_delay; /* how long to wait, as Google tells it ("17s"); empty: not told */
};

/* What a whole answer turned out to be. */
struct answer {
    bool is_json;          /* a valid JSON object */
    bool has_result;       /* choices, content, output, data: what was asked for is there */
    bool is_failed;        /* Responses: status "failed" */
    struct provider_error error;
    struct span model;     /* in the body, or unescaped in `model_room` */
    char model_room[64];
    struct span usage;     /* the usage object as it stands in the body; empty when it has none */
};

/* What one event of a stream means. */
struct event_view {
    bool is_content;   /* opens the gate */
    bool is_finish;    /* says why generation ended: the text is complete */
    bool is_terminal;  /* the last event of the dialect ([DONE], message_stop, ...) */
    bool is_error;     /* the provider tells of a failure; `error` is filled */
    bool is_odd;       /* in a form that SDKs of the dialect take for no error */
    bool hide;         /* the usage chunk that only we asked for: not for the app */
    bool is_usage;     /* brought figures */
    struct provider_error error;
    struct span usage; /* the usage object that brought them, in the event's data */
};

/* A stream's memory between events. A value machine. */
struct stream {
    const struct operation *operation;
    bool hides_usage;
    bool saw_content;
    bool saw_finish;
    bool saw_terminal;
    bool is_in_pieces;   /* Responses: an event too large to be held is passing */
    bool ends_in_pieces; /* and it is the terminal one */
    uint8_t id_len;
    uint8_t model_len;
    /* What was streamed, for an estimate when no figures come: events that brought content, and the
     * bytes of their data; both also as they stood when the output was told last. */
    uint32_t content_events;
    uint32_t told_events;
    uint64_t content_bytes;
    uint64_t told_bytes;
    struct meter meter;
    char id[80];       /* Responses: the response id in use, for an honest response.failed */
    uint32_t sequence; /* Responses: the next sequence_number */
    char model[64];    /* that answers, as told first */
};

/* ---- the rows ---- */

struct operation {
    const char *name;            /* "chat": log, metrics */
    struct span path;            /* "/chat/completions"; ":generateContent": the method behind a model's
                                  * name, "/models/<model>:generateContent" */
    enum operation_kind kind;
    bool is_stream;              /* every answer of it is a stream: its body does not say so */
    struct span query;           /* MODELS: asked for in place of the app's own query. Else what the
                                  * app's query must hold; empty: nothing */
    const char *query_hint;      /* and what is told to an app whose query does not */
    bool input_holds_cache;      /* see meter.h */
    bool sends_done;             /* its streams end with data: [DONE] */
    bool is_framed;              /* its streams are AWS event streams, and not server-sent events */
    /* Reads and judges the body (already known to be wanted as JSON). kind NONE when good; fills
     * every member of `request` but dialect and operation. `scan` is scratch. Never allocates. */
    struct refusal (*read_request)(struct json_scan *scan, uint64_t seed, struct span body,
                                   struct request *request);
    const char *cap;           /* the member that caps the output; NULL: there is none */
    const char *cap_home;      /* the object that holds it; NULL: the request itself */
    const char *cap_elsewhere; /* at providers that are only compatible; NULL: the same */
    /* The edits that carry this request to a provider of the same dialect: the model (when
     * `model_json` is not empty: the new value, quotes included) and, with asks_usage, the usage
     * option. Sorted by place. Returns their number. */
    size_t (*edits)(const struct request *request, struct span model_json, bool asks_usage,
                    struct json_edit edits[JSON_EDITS_MAX]);
    /* A whole 2xx (or error) body. */
    void (*read_answer)(struct json_scan *scan, struct span body, struct answer *answer,
                        struct meter *meter);
    /* A whole good answer as the events of the stream that was asked for, put at the end of `out`.
     * False: it has parts that cannot be told so. NULL: never can. */
    bool (*unfold)(struct json_scan *scan, struct span body, struct buf *out);
    /* One event of a stream; NULL for an operation that never streams. */
    void (*read_event)(struct stream *stream, struct json_scan *scan, const struct sse_event *event,
                       struct event_view *view);
    /* OPERATION_COUNT: the answer with so many input tokens; NULL: nobody but the provider writes it. */
    void (*write_count)(struct buf *out, int64_t tokens);
    /* How a stream that broke off is continued; NULL: not at all. */
    const struct resume_row *resume;
    /* How its conversations are told in other dialects (wire/chat.h); NULL: they are not. */
    const struct translator *translator;
};

struct dialect {
    const char *name;
    const struct operation *operations; /* ends with a zero row */
    struct operation pass;              /* for OPERATION_PASS */
    struct span pass_paths[24];         /* first path segments that pass: "/files" */
    struct span version;                /* of paths that come without one: "/v1beta"; empty: it stands in
                                         * base URLs */
    bool calls_methods;                 /* what stands behind a colon in its paths acts: no byte of one
                                         * may be written in a way that another reader decodes */
    /* The error body for a refusal; `id` is the request id where the dialect's body has one. */
    void (*write_error)(struct buf *out, const struct refusal *refusal, struct span id);
    /* The same failure inside a stream that has begun, in the dialect's own form (conventions.md
     * 1.5). */
    void (*write_stream_error)(struct buf *out, const struct stream *stream,
                               const struct refusal *refusal);
    /* The terminal event a provider forgot although the text was complete (faults D11). */
    void (*write_stream_end)(struct buf *out, const struct stream *stream);
    /* A keep-alive between two events. */
    struct span keep_alive;
    const char *models_member; /* where a list of models stands: "data" */
    const char *model_member;  /* and the name of one in its item: "id" */
    /* The model list: `routes` names first, then the items of `listed` (raw JSON array content of
     * the provider's own list, possibly empty). */
    void (*write_models)(struct buf *out, const struct span *routes, size_t count,
                         struct span listed);
    struct span headers;           /* lines that translated requests carry ("anthropic-version: ...\r\n") */
    const char *context_words;     /* by which its clients know that a prompt is too long */
    unsigned overloaded_status;    /* what its clients know for "overloaded": 529 or 503 */
    unsigned too_large_status;     /* and for a request that is too large: 413 or 400 */
    const char *request_id_header; /* besides x-request-id: "request-id" for Anthropic, or NULL */
};

void stream_init(struct stream *stream, const struct operation *operation, bool hides_usage);
/* The model that answers; empty when it was not told, or with a name too long to be kept. */
struct span stream_model(const struct stream *stream);
/* Content since the output was told last, or since the beginning: events and bytes of their data. */
uint32_t stream_events_untold(const struct stream *stream);
uint64_t stream_bytes_untold(const struct stream *stream);

#define DIALECT(name) extern const struct dialect dialect_##name;
#define DIALECT_OUTBOUND(name) extern const struct dialect dialect_##name;
#include "wire/dialects.def"
#undef DIALECT
#undef DIALECT_OUTBOUND

#endif
