/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/admin_ask.h"

#include "proxy/call_parts.h"

void admin_ask_refuse(struct call *call, const struct refusal *refusal)
{
    const struct dialect *dialect = call->match.dialect;

    conn_refusing(call->conn);
    reply_refusal(call, dialect != NULL ? dialect : dialect_at(0), refusal, NULL);
    call_leave(call);
    call_close(call, true);
}

void admin_ask_open(struct admin_ask *ask, const struct admin_ask_ops *ops, struct call *call)
{
    ask->ops = ops;
    ask->env = call->env;
    ask->call_id = call->id;
    call->ask = ask;
}

static void run(struct store_question *question, struct journal_place end)
{
    struct admin_ask *ask = (struct admin_ask *)question;

    ask->ops->run(ask, end);
}

void admin_ask_answered(struct admin_ask *ask)
{
    struct call *call = slots_find(&ask->env->calls->slots, ask->call_id);

    if (call == NULL || call->is_closed || call->conn == NULL) {
        call = NULL;
    } else {
        call->ask = NULL;
    }
    ask->ops->answer(ask, call);
    ask->ops->free(ask);
}

static void done(struct store_question *question)
{
    admin_ask_answered((struct admin_ask *)question);
}

void admin_ask_go(struct call *call)
{
    struct admin_ask *ask = call->ask;
    struct refusal refusal = {.kind = REFUSAL_NONE};

    if (ask->ops->begin != NULL) {
        refusal = ask->ops->begin(ask, call);
    }
    if (refusal.kind == REFUSAL_NONE && ask->ops->start != NULL) {
        call->has_asked = true;
        ask->ops->start(ask);
        return;
    }
    ask->question = (struct store_question){.run = run, .done = done};
    if (refusal.kind == REFUSAL_NONE && !store_ask(call->env->ports->store, &ask->question)) {
        refusal.kind = REFUSAL_OVERLOADED;
    }
    if (refusal.kind == REFUSAL_NONE) {
        call->has_asked = true;
        return;
    }
    admin_ask_refuse(call, &refusal); /* which may show what belongs to the question */
}

void admin_ask_forget(struct call *call)
{
    if (call->ask != NULL && !call->has_asked) {
        call->ask->ops->free(call->ask);
    }
    call->ask = NULL;
}
