/* SPDX-License-Identifier: Apache-2.0 */
/* wire/translate.h: one call of an app at a target of another dialect: its request as that target reads it, and
 * the answer back. One translation per target that is asked; it owns all it writes. Pure.
 *
 *   translation_new -> body, dropped | refused
 *   translation_begin (an attempt) -> translation_event ... -> translation_end     a stream
 *                                  -> translation_whole                            a whole answer */
#ifndef WIRE_TRANSLATE_H
#define WIRE_TRANSLATE_H

#include "base/buf.h"
#include "wire/chat.h"
#include "wire/dialect.h"
#include "wire/sse.h"

struct translate_choice {
    const struct dialect *to;
    const struct operation *from;
    unsigned habits;         /* of the provider */
    const struct model_facts *model;
    bool is_stream;          /* some have an operation of its own for that */
};
/* The operation by which a provider of dialect `to` serves what the app asked by `from`: the same one where the
 * dialect is the same, else the one that conversations are translated to. NULL: none does. */
const struct operation *translate_operation(const struct translate_choice *choice);

struct translate_ask {
    const struct operation *from;
    const struct operation *to;
    const struct model_facts *facts; /* of the target's model */
    unsigned habits;         /* of its provider */
    struct json_scan *scan;  /* scratch; borrowed as long as the translation lives */
    struct span model;       /* as the target's provider has it, plain */
    struct span app_model;   /* as the app named it, plain */
    struct span body;        /* accepted by from->read_request; borrowed only in translation_new */
    int64_t default_cap;     /* where the target needs one and the app names none; 0: the model's most */
    int64_t input_estimate;  /* tokens */
    int64_t now_s;           /* since 1970 */
    uint64_t seed;
    bool is_stream;          /* not every request says so itself */
    bool is_strict;
};

struct translation;

/* `app_model` is copied. NULL: no memory. */
struct translation *translation_new(const struct translate_ask *ask);
/* NULL is fine. */
void translation_free(struct translation *translation);
/* Why the target cannot be asked; param NULL: it can. Lives as long as the translation. */
const struct chat_refused *translation_refused(const struct translation *translation);
/* The request for the target. */
struct span translation_body(const struct translation *translation);
/* What was left out or changed: "seed, temperature=changed"; may be empty. */
struct span translation_dropped(const struct translation *translation);

/* It is not sent again: its memory is given back. */
void translation_forget_body(struct translation *translation);

/* An attempt begins, or begins anew. False: no memory. */
MUST_CHECK bool translation_begin(struct translation *translation);
enum translate_step { TRANSLATE_OK, TRANSLATE_FAILED /* the provider failed, or no memory */ };
/* One whole event of the provider's stream, which tells of no error. `usage`: told so far. What the app is to get is
 * put at the end of `out`: nothing for one that only keeps the connection alive. */
enum translate_step translation_event(struct translation *translation, const struct sse_event *event,
                                      const struct usage *usage, struct buf *out);
/* The stream is over and was complete: whatever is still to be told. */
enum translate_step translation_end(struct translation *translation, const struct usage *usage, struct buf *out);
/* What an error that ends the stream says again of it: is filled into `stream`. */
void translation_tell_stream(const struct translation *translation, struct stream *stream);
/* Whether the app has been told the end. */
bool translation_has_ended(const struct translation *translation);
/* A whole good answer. */
enum translate_step translation_whole(struct translation *translation, struct span body, const struct usage *usage,
                                      struct buf *out);
/* Where the app was told the end: a reason for it that no dialect knows, as the provider put it; may be empty. */
struct span translation_unknown_finish(const struct translation *translation);

#endif
