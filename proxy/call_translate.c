/* SPDX-License-Identifier: Apache-2.0 */
/* A call at a target of another dialect. Its request is translated when the target's turn comes and no sooner, so
 * that calls which their first target serves pay nothing for those behind it. */
#include "proxy/call_translate.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "proxy/log.h"
#include "router/foreign.h"
#include "router/inner_error.h"
#include "wire/blame.h"
#include "wire/estimate.h"
#include "wire/head.h"
#include "wire/json_walk.h"

/* ---- the request ---- */

struct call_translation *call_translation_at(const struct call *call, uint8_t place)
{
    struct call_translation *one = call->translations;

    while (one != NULL && one->place != place) {
        one = one->next;
    }
    return one;
}

struct asked call_asked(const struct call *call, uint8_t place)
{
    const struct call_translation *own = call_translation_at(call, place);

    if (own == NULL) {
        return (struct asked){.operation = call->match.operation,
                              .request = &call->request,
                              .body = buf_span(&call->body)};
    }
    return (struct asked){.operation = own->operation,
                          .request = &own->request,
                          .body = translation_body(own->translation)};
}

uint64_t call_asked_bytes(const struct call *call, uint8_t place)
{
    const struct call_translation *own = call_translation_at(call, place);

    return own != NULL ? own->bytes : call->facts.bytes_in;
}

static struct translate_ask ask_of(struct call *call, const struct target *target)
{
    struct env *env = call->env;
    struct translate_ask ask = {
        .from = call->match.operation,
        .scan = env->scratch->scan,
        .app_model = buf_span(&call->model),
        .body = json_walk_document(buf_span(&call->body)),
        .default_cap = call->plan.rules->default_max_output,
        .input_estimate = (int64_t)estimate_input(call->body.len),
        .now_s = (int64_t)(loop_wall(env->loop) / 1000),
        .seed = call->id ^ env->scratch->seed,
        .is_stream = call->request.is_stream,
        .is_strict = call->plan.rules->translate == TRANSLATE_STRICT,
    };

    foreign_fill(&ask, target);
    return ask;
}

static enum outcome judge(struct call_translation *own, const struct translate_ask *ask, const struct target *target)
{
    own->bytes = translation_body(own->translation).len;
    own->is_refused = translation_refused(own->translation)->param != NULL ||
                      !foreign_read(ask, target, own->translation, &own->request, &own->quoted);
    if (own->is_refused) {
        translation_forget_body(own->translation);
    }
    return own->is_refused ? OUTCOME_UNTRANSLATABLE : OUTCOME_OK;
}

enum outcome call_translate(struct call *call, uint8_t place)
{
    const struct target *target = plan_target(&call->plan, place);
    struct call_translation *own = call_translation_at(call, place);
    struct translate_ask ask;

    if (own != NULL) {
        return own->is_refused ? OUTCOME_UNTRANSLATABLE : OUTCOME_OK;
    }
    if (foreign_is_own(target, call->plan.rules, call->match.dialect, call->match.operation)) {
        return OUTCOME_OK;
    }
    ask = ask_of(call, target);
    if (ask.to == NULL || ask.to == ask.from) {
        return ask.to == NULL ? OUTCOME_UNTRANSLATABLE : OUTCOME_OK;
    }
    own = mem_take_zero(sizeof *own);
    if (own == NULL) {
        return OUTCOME_LOCAL;
    }
    own->translation = translation_new(&ask);
    if (own->translation == NULL) {
        mem_give(own, sizeof *own);
        return OUTCOME_LOCAL;
    }
    own->place = place;
    own->operation = ask.to;
    own->next = call->translations;
    call->translations = own;
    return judge(own, &ask, target);
}

void call_translate_forget_request(struct call *call)
{
    for (struct call_translation *one = call->translations; one != NULL; one = one->next) {
        translation_forget_body(one->translation);
    }
}

void call_translate_free(struct call *call)
{
    while (call->translations != NULL) {
        struct call_translation *first = call->translations;

        call->translations = first->next;
        translation_free(first->translation);
        mem_give(first, sizeof *first);
    }
}

/* ---- the answer ---- */

bool call_translate_begin(struct call *call)
{
    struct call_translation *own = call_translation_at(call, call->place);

    call->relay.translation = own;
    if (own == NULL) {
        return true;
    }
    stream_init(&call->relay.stream, own->operation, false);
    return translation_begin(own->translation);
}

static struct translation *in_view(const struct call *call)
{
    return call->relay.translation->translation;
}

static struct usage told_so_far(const struct call *call)
{
    const struct relay *relay = &call->relay;
    struct usage usage;

    meter_usage(&relay->stream.meter, relay->stream.operation->input_holds_cache, &usage);
    return usage;
}

bool call_translate_event(struct call *call, const struct sse_event *event, struct buf *out)
{
    struct usage usage = told_so_far(call);

    return translation_event(in_view(call), event, &usage, out) == TRANSLATE_OK;
}

bool call_translate_end(struct call *call, struct buf *out)
{
    struct usage usage = told_so_far(call);

    return translation_has_ended(in_view(call)) ||
           translation_end(in_view(call), &usage, out) == TRANSLATE_OK;
}

bool call_translate_has_ended(const struct call *call)
{
    return translation_has_ended(in_view(call));
}

bool call_translate_whole(struct call *call, struct span body, struct buf *out)
{
    return translation_whole(in_view(call), body, &call->relay.usage, out) == TRANSLATE_OK;
}

/* ---- words ---- */

static enum refusal_kind kind_of(enum outcome outcome, unsigned status, const struct provider_error *error)
{
    switch (outcome) {
    case OUTCOME_CONTEXT: return REFUSAL_UPSTREAM_CONTEXT;
    case OUTCOME_MODEL: return REFUSAL_MODEL_UNAVAILABLE;
    case OUTCOME_THROTTLED: return REFUSAL_UPSTREAM_THROTTLED;
    case OUTCOME_REQUEST:
        return blame_of(status, error) == BLAME_CONTENT ? REFUSAL_UPSTREAM_POLICY
               : status == 413                          ? REFUSAL_UPSTREAM_TOO_LONG
               : status < 500                           ? REFUSAL_UPSTREAM_REQUEST
                                                        : REFUSAL_UPSTREAM_ERROR;
    default: return REFUSAL_UPSTREAM_ERROR;
    }
}

enum refusal_kind call_translate_kind(const struct call *call, const struct provider_error *error)
{
    unsigned status = inner_error_status(error);
    enum outcome outcome = outcome_of_status(
        status, error, call_target(call)->provider->credential_mode == CREDENTIAL_SECRET);
    enum refusal_kind kind = outcome_refusal(outcome);

    return kind != REFUSAL_NONE ? kind : kind_of(outcome, status, error);
}

void call_translate_tell_stream(const struct call *call, struct stream *stream)
{
    translation_tell_stream(in_view(call), stream);
}

/* The provider's sentence, without secrets; behind the words by which SDKs know a prompt that is too long. */
struct refusal call_translate_error(struct call *call, enum outcome outcome)
{
    struct relay *relay = &call->relay;
    struct refusal refusal = {.kind = kind_of(outcome, relay->status, &relay->answer.error)};
    struct span message = relay->answer.error.message;
    struct buf *raw = &call->env->scratch->text;
    struct buf *text = &call->wire_head;

    if (refusal.kind == REFUSAL_UPSTREAM_TOO_LONG) {
        refusal.status = call->match.dialect->too_large_status;
    }
    if (message.len == 0 || message.len > LIMIT_ERROR_MESSAGE) {
        return refusal;
    }
    buf_clear(raw);
    buf_put_char(raw, '"');
    buf_put(raw, message);
    buf_put_char(raw, '"');
    buf_clear(text);
    if (refusal.kind == REFUSAL_UPSTREAM_CONTEXT) {
        buf_put_text(text, call->match.dialect->context_words);
        buf_put(text, SPAN_OF(": "));
    }
    json_string_decode(buf_span(raw), text);
    reply_cover(call, text);
    refusal.said = buf_span(text);
    return refusal;
}

/* Of the targets that cannot be told, the first in the order of the plan: the one the route wanted most. NULL: there
 * is none. */
static const struct chat_refused *first_refused(const struct call *call)
{
    for (uint8_t i = 0; i < call->plan.count; i++) {
        const struct call_translation *own = call_translation_at(call, call->plan.order[i]);

        if (own != NULL && translation_refused(own->translation)->param != NULL) {
            return translation_refused(own->translation);
        }
    }
    return NULL;
}

void call_translate_refusal(const struct call *call, struct refusal *refusal)
{
    const struct chat_refused *refused = refusal->kind == REFUSAL_UNTRANSLATABLE ? first_refused(call) : NULL;

    if (refused != NULL) {
        refusal->param = refused->param;
        refusal->detail = span_of(refused->param);
        refusal->which = refused->which;
        refusal->hint = refused->why;
        refusal->served = "Change it, leave it out, or give the route a target of the app's own dialect";
    }
}

void call_translate_log(struct log *log, const struct call *call)
{
    const struct chat_refused *refused = first_refused(call);

    if (refused != NULL) {
        log_field(log, "param", span_of(refused->param));
    }
    if (call->relay.translation != NULL) {
        log_field(log, "dropped", translation_dropped(in_view(call)));
        log_field(log, "finish", translation_unknown_finish(in_view(call)));
    }
}

/* The provider chose the word: never raw into a header; and nothing of it may be left. */
static void put_finish(struct buf *out, struct span word)
{
    size_t from = out->len;
    size_t text = 0;

    buf_put(out, SPAN_OF("x-headgate-finish: "));
    text = out->len;
    text_put_printable(out, word, word.len);
    if (span_trim(span_from(buf_span(out), text)).len > 0) {
        buf_put(out, SPAN_OF("\r\n"));
    } else {
        buf_truncate(out, from);
    }
}

void call_translate_put_fields(struct buf *out, const struct call *call)
{
    struct span dropped;
    struct span finish;

    if (call->relay.translation == NULL) {
        return;
    }
    dropped = translation_dropped(in_view(call));
    finish = translation_unknown_finish(in_view(call));
    if (dropped.len > 0) {
        head_put(out, SPAN_OF("x-headgate-dropped"), dropped);
    }
    if (finish.len > 0) {
        put_finish(out, finish);
    }
}
