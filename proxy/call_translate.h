/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/call_translate.h: what a call has for a target of another dialect: its request as that target reads it, and
 * the answer on its way back (wire/translate.h does the work). A call whose targets all speak its own dialect has
 * nothing of this. Seen only by the files that are the call. */
#ifndef PROXY_CALL_TRANSLATE_H
#define PROXY_CALL_TRANSLATE_H

#include "proxy/call_parts.h"
#include "router/quote.h"
#include "wire/translate.h"

/* One target of the plan that was, or may be, asked in its own dialect. */
struct call_translation {
    struct call_translation *next;
    struct translation *translation;
    const struct operation *operation; /* of the target */
    struct request request;            /* as that reads it; borrows from the translation */
    struct quote_request quoted;       /* the same for its bound */
    uint64_t bytes;                    /* of the request */
    uint8_t place;
    bool is_refused;                   /* it cannot be told there */
};

/* Before an attempt at this place is paid for: whether its target can be told what is asked. OUTCOME_OK (also where
 * nothing is to be translated), UNTRANSLATABLE, LOCAL without memory. */
enum outcome call_translate(struct call *call, uint8_t place);
/* NULL: the target is asked in the app's own words. */
struct call_translation *call_translation_at(const struct call *call, uint8_t place);
/* What the target at this place is asked. */
struct asked {
    const struct operation *operation;
    const struct request *request;
    struct span body;
};
struct asked call_asked(const struct call *call, uint8_t place);
/* How long that is. */
uint64_t call_asked_bytes(const struct call *call, uint8_t place);

/* The attempt in view begins. False: no memory. */
bool call_translate_begin(struct call *call);
/* The answer of the attempt in view, all in the app's dialect and put at the end of `out`. False: the provider failed
 * in its own words, or no memory. */
bool call_translate_event(struct call *call, const struct sse_event *event, struct buf *out);
bool call_translate_end(struct call *call, struct buf *out);
bool call_translate_whole(struct call *call, struct span body, struct buf *out);
/* Whether the app has been told all of it. */
bool call_translate_has_ended(const struct call *call);
/* What an error of the provider in a stream that has begun is in our words. */
enum refusal_kind call_translate_kind(const struct call *call, const struct provider_error *error);
/* What the app has been told of its stream (translation_tell_stream). */
void call_translate_tell_stream(const struct call *call, struct stream *stream);
/* The provider's own error, in our words. */
struct refusal call_translate_error(struct call *call, enum outcome outcome);
/* Why no target could be told; fills in what the app did not know to be wrong. */
void call_translate_refusal(const struct call *call, struct refusal *refusal);
/* x-headgate-dropped and x-headgate-finish, of the target in view, as far as they are known. */
void call_translate_put_fields(struct buf *out, const struct call *call);
/* The same for the log; and the member for which a target could not be told, if there was one. */
void call_translate_log(struct log *log, const struct call *call);
/* No other target will be asked. */
void call_translate_forget_request(struct call *call);
void call_translate_free(struct call *call);

/* call_estimate.c */
/* Whether a count of tokens, which no target of the call takes, can be estimated here. */
bool call_can_estimate(const struct call *call);
/* As the call's answer. */
void call_estimate(struct call *call);

#endif
