/* SPDX-License-Identifier: Apache-2.0 */
/* wire/resume.h: a stream of text that broke off goes on with another provider, and the app sees one
 * stream. Three parts: the stream is followed while it passes (what text is out, is there anything
 * but text?), the request is asked again with that text as a begun turn of the assistant, and the
 * events of the continuing stream are made to follow on those the app has.
 *
 *   resume_begin   -> resume_event ... -> resume_leave -> resume_edits -> resume_event ...
 *   (the request)     (first stream)      (it is over)    (to the next)   (second stream) -> ...
 *
 * Pure; owns three buffers, takes memory only for calls that may be continued. What it asks of an
 * operation is a row (struct resume_row); an operation without one cannot be continued. */
#ifndef WIRE_RESUME_H
#define WIRE_RESUME_H

#include "wire/dialect.h"
#include "wire/prefill.h"

enum { RESUME_ID, RESUME_CREATED, RESUME_MODEL, RESUME_NAMES };

/* What changes with each event, and is set back when an attempt ends before anything of it was
 * shown. */
struct resume_state {
    bool is_possible;    /* nothing but text has begun */
    bool is_joined;      /* the continuing stream has begun to follow on */
    bool block_is_open;  /* Anthropic: of the app's message */
    uint32_t blocks;     /* Anthropic: begun in the app's message */
    int64_t shift;       /* Anthropic: from an index of this stream to that of the app's */
    size_t text_len;
    size_t blank_at;     /* white space that the app has and the begun turn had not: compared ... */
    size_t blank_end;    /* ... with what the continuation begins with */
};

struct resume {
    const struct resume_row *row; /* NULL: not wanted, or not possible from the start */
    bool is_continuing;
    bool has_late_usage; /* this stream told figures after text */
    bool past_is_anomalous;     /* the figures of a stream before this one were odd, ... */
    bool past_has_other_models; /* ... or not all of them its model's */
    struct resume_state now;
    struct resume_state kept; /* at the beginning of this stream */
    int64_t past[USAGE_FIGURES]; /* used by the streams before this one; -1: not told */
    struct span names[RESUME_NAMES]; /* raw values of the first stream's chunks; in `names_text` */
    struct buf text;       /* what the app has of the answer: a JSON string without its quotes, in
                            * the providers' own spelling */
    struct buf names_text;
    struct buf turn;       /* what resume_edits puts in; lives until the next one */
};

/* An event on its way to the app. */
enum resume_step {
    RESUME_PASS,  /* as it came */
    RESUME_DROP,  /* not at all; it is no content either */
    RESUME_PUT,   /* what was written instead */
    RESUME_BROKEN /* it cannot be made to follow on: the attempt has failed */
};

/* Places of the request that are looked at; a row's paths begin with RESUME_REQUEST_PATHS. */
enum resume_place {
    RESUME_MESSAGES,
    RESUME_LAST, /* message */
    RESUME_CAP,
    RESUME_CAP_NEW,
    RESUME_CONTINUES,
    RESUME_GENERATES,
    RESUME_PLACES
};
#define RESUME_REQUEST_PATHS                                                                       \
    JSON_PATH1("messages"), JSON_PATH2("messages", "[]"), JSON_PATH1("max_tokens"),                \
        JSON_PATH1("max_completion_tokens"), JSON_PATH1("continue_final_message"),                 \
        JSON_PATH1("add_generation_prompt")

struct resume_look;
struct resume_row {
    const struct json_path *paths; /* of the request */
    size_t paths_count;
    /* Whether the answer to this request can be continued at all. */
    bool (*may)(const struct json_hit *hits, struct span body);
    /* See resume_event. */
    enum resume_step (*event)(struct resume *resume, const struct resume_look *look);
};

/* A call whose route asks for it begins; its answer is a stream. Takes no memory. */
void resume_begin(struct resume *resume, struct json_scan *scan, const struct request *request);
/* Gives everything back. Safe on a zeroed one, and twice. */
void resume_fini(struct resume *resume);

/* One event, after the operation's read_event (which has filled `view` and `stream`); never one that
 * tells of an error or is hidden. RESUME_PUT: the bytes stand at the end of `out`. */
struct resume_look {
    const struct sse_event *event;
    const struct event_view *view;
    const struct stream *stream;
    struct json_scan *scan;
    struct buf *out;
};
enum resume_step resume_event(struct resume *resume, const struct resume_look *look);
/* Whether a stream that broke off here can be continued. */
bool resume_can(const struct resume *resume, const struct stream *stream);

/* The attempt is over and another one is to continue. was_shown: something of it is out; else what
 * it brought is forgotten. */
void resume_leave(struct resume *resume, const struct stream *stream, bool was_shown);
/* How another provider is asked. */
struct resume_ask {
    struct json_scan *scan;
    const struct request *request;
    const struct prefill_way *way;
    const struct json_edit *own; /* the operation's edits for it, two at most */
    size_t own_count;
};
/* The edits that ask a provider of the same dialect to continue: the operation's own, the begun turn,
 * and the output cap less what was used of it. Sorted. False: this request cannot be asked that way,
 * or no memory. */
MUST_CHECK bool resume_edits(struct resume *resume, const struct resume_ask *ask,
                             struct json_edit edits[JSON_EDITS_MAX], size_t *count);
/* What all streams of the call used together, as far as told: `stream` is the last one. The output
 * of one that broke off untold is estimated from its text. */
void resume_usage(const struct resume *resume, const struct stream *stream, struct meter *sum);

#endif
