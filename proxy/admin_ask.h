/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/admin_ask.h: what questions and orders share that are not answered where they are asked: the store
 * thread does it, or the ledger. The call waits meanwhile, and the loop goes on; the question outlives its
 * call, since whoever asked may have left by the time the answer is there. */
#ifndef PROXY_ADMIN_ASK_H
#define PROXY_ADMIN_ASK_H

#include "proxy/store.h"
#include "wire/refusal.h"

struct call;
struct env;
struct admin_ask;

struct admin_ask_ops {
    bool takes_body; /* up to body.max of the call */
    enum refusal_kind too_large; /* of a body that is longer; REFUSAL_NONE: as of any call */
    /* The request is whole; NULL: nothing to do. REFUSAL_NONE: it is asked now. */
    struct refusal (*begin)(struct admin_ask *ask, struct call *call);
    /* On the store thread. */
    void (*run)(struct admin_ask *ask, struct journal_place end);
    /* In place of `run`, on the loop: asks somebody else. admin_ask_answered follows, later or from inside. */
    void (*start)(struct admin_ask *ask);
    /* On the loop again; `call` is NULL when nobody waits for the answer any more. */
    void (*answer)(struct admin_ask *ask, struct call *call);
    void (*free)(struct admin_ask *ask);
};

/* First in its owner. */
struct admin_ask {
    struct store_question question; /* first, so that it leads here */
    const struct admin_ask_ops *ops;
    struct env *env;
    uint64_t call_id; /* in calls */
};

/* The call has a question from here on. */
void admin_ask_open(struct admin_ask *ask, const struct admin_ask_ops *ops, struct call *call);
/* The request is whole. */
void admin_ask_go(struct call *call);
/* What `start` asked for is there. */
void admin_ask_answered(struct admin_ask *ask);
/* The call is gone: a question that was never asked goes with it. */
void admin_ask_forget(struct call *call);
/* The answer is this one, and the call ends. */
void admin_ask_refuse(struct call *call, const struct refusal *refusal);

#endif
