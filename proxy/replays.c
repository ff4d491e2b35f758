/* SPDX-License-Identifier: Apache-2.0 */
/* Calls with an Idempotency-Key: which of them runs, and what the others get. What may be kept is an
 * answer that is whole, good, and no stream: of a failed call nothing, since the app repeats it in the
 * hope of a better one. */
#include "proxy/replays.h"

#include "base/limits.h"
#include "base/mem.h"
#include "enforcement/idempotency.h"
#include "proxy/call_parts.h"

struct replays {
    struct idempotency book;
    struct loop_timer timer; /* nothing is kept longer than it is good for */
};

static void fire(struct loop_timer *timer, mono_ms now)
{
    struct replays *replays = LIST_OWNER(timer, struct replays, timer);

    loop_timer_set(timer, idempotency_sweep(&replays->book, now));
}

struct replays *replays_new(struct env *env)
{
    struct replays *replays = mem_take_zero(sizeof *replays);
    uint64_t share = env->snapshot->limits.memory / LIMIT_REPLAY_SHARE;
    uint64_t secret[4];

    if (replays != NULL) {
        loop_entropy(env->loop, secret, sizeof secret);
        idempotency_init(&replays->book, secret,
                         share < LIMIT_REPLAY_BYTES ? (size_t)share : LIMIT_REPLAY_BYTES);
        loop_timer_init(&replays->timer, env->loop, fire);
    }
    return replays;
}

void replays_free(struct replays *replays)
{
    if (replays != NULL) {
        loop_timer_fini(&replays->timer);
        idempotency_fini(&replays->book);
        mem_give(replays, sizeof *replays);
    }
}

/* ---- one call ---- */

/* The caller and its key. Where there are no keys whoever sends the same credential is one caller: with
 * `passthrough` these are accounts of different people. */
static struct idempotency_digest who_of(const struct idempotency *book, const struct call *call)
{
    struct subject subject;

    call_subject(call, &subject);
    bool has_key = subject.values[SCOPE_KEY].len > 0;
    struct span parts[] = {
        subject.values[SCOPE_KEY], subject.values[SCOPE_TEAM],
        has_key ? span_make("", 0) : call_head_span(&call->head, call->head.key),
        call_head_span(&call->head, call->head.idempotency)};

    return idempotency_digest(book, parts, ARRAY_LENGTH(parts));
}

static struct idempotency_digest what_of(const struct idempotency *book, const struct call *call)
{
    struct span parts[] = {span_of(call->match.dialect->name),
                           call_head_span(&call->head, call->head.method),
                           call_head_span(&call->head, call->head.path),
                           call_head_span(&call->head, call->head.query), buf_span(&call->body)};

    return idempotency_digest(book, parts, ARRAY_LENGTH(parts));
}

static void replay(struct call *call, const struct idempotency_answer *answer)
{
    call->facts.is_replayed = true;
    call->facts.is_cost_final = true;
    if (call->env->ports->is_power) { /* the record of the first one may be on its way */
        call_wait_for_record(call, OUTCOME_OK);
    }
    reply_whole(call, answer->status, answer->type, answer->body);
    call_close(call, true);
}

bool call_replay(struct call *call, struct refusal *refusal)
{
    struct idempotency *book = &call->env->ports->replays->book;
    struct idempotency_digest who = who_of(book, call);
    struct idempotency_digest what = what_of(book, call);
    struct idempotency_entry *entry = NULL;

    switch (idempotency_ask(book, &who, &what, loop_now(call->env->loop), &entry)) {
    case IDEMPOTENCY_RUN: call->repeats = entry; break;
    case IDEMPOTENCY_BUSY: refusal->kind = REFUSAL_IDEMPOTENCY_BUSY; break;
    case IDEMPOTENCY_MISMATCH: refusal->kind = REFUSAL_IDEMPOTENCY_MISMATCH; break;
    case IDEMPOTENCY_FULL: refusal->kind = REFUSAL_OVERLOADED; break;
    case IDEMPOTENCY_REPLAY: replay(call, &entry->answer); return true;
    }
    return false;
}

/* Whether the attempt that ends so brought the app's answer whole; also to nobody, read on without it. */
static bool is_good(const struct call *call, enum outcome outcome)
{
    const struct relay *relay = &call->relay;

    if (relay->mode != RELAY_WHOLE) {
        return relay->is_copied && !relay->held.failed && outcome == OUTCOME_OK;
    }
    return outcome == OUTCOME_OK ||
           (outcome == OUTCOME_APP_GONE && relay->answer.is_json && relay->answer.has_result &&
            relay->status < 300); /* else a failure told in a good answer's place */
}

bool call_replay_copies(struct call *call, struct span type)
{
    if (!idempotency_note_type(call->repeats, type)) {
        return false;
    }
    call->relay.held.max = LIMIT_REPLAY;
    return true;
}

void call_replay_keep(struct call *call, enum outcome outcome)
{
    struct replays *replays = call->env->ports->replays;
    mono_ms now = loop_now(call->env->loop);

    if (!is_good(call, outcome)) {
        return;
    }
    if (!call->relay.is_copied) {
        must(idempotency_note_type(call->repeats, SPAN_OF("application/json")));
    }
    idempotency_keep(&replays->book, call->repeats, call->relay.status,
                     buf_span(&call->relay.held), now);
    call->repeats = NULL;
    loop_timer_set(&replays->timer, idempotency_sweep(&replays->book, now));
}

void call_replay_end(struct call *call)
{
    idempotency_forget(&call->env->ports->replays->book, call->repeats);
    call->repeats = NULL;
}
