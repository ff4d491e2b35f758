/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/settled_follow.h: follows the journal and keeps what budgets have settled (admin/settled.h) in the
 * file `budgets` of the state folder, so that it survives restarts: written whole under another name,
 * synced and renamed, with the place up to which records are counted; what came after that place is read
 * again at the next start. Lives on the store thread; what is for the main loop says so. */
#ifndef PROXY_SETTLED_FOLLOW_H
#define PROXY_SETTLED_FOLLOW_H

#include <stdatomic.h>

#include "admin/settled.h"
#include "enforcement/ledger.h"
#include "proxy/follower.h"
#include "proxy/log.h"
#include "proxy/loop.h"

struct settled_options {
    struct span folder;  /* the state folder, which has the journal's in it; outlives it */
    struct loop *loop;   /* the store thread's */
    const struct budgets *budgets; /* until others are announced and in force */
    uint64_t seed[2];
    void (*tell)(void *to, const struct log_news *news);
    void *to;
};

struct settled_follow;
/* Reads the file, and the journal to its end. ERR_MEMORY, ERR_SYSTEM, ERR_PERMISSION: `why` tells. */
MUST_CHECK enum err settled_follow_new(const struct settled_options *options,
                                       struct settled_follow **made, struct why *why);
/* Frees it with its own function. */
struct follower settled_follower(struct settled_follow *follow);

/* On the main loop, before the first call, when nothing is written to the journal yet: what is open
 * goes into the ledger. False: no memory. */
MUST_CHECK bool settled_follow_load(const struct settled_follow *follow, struct ledger *ledger);

/* Something that changes with a moment of the ledger's clock. It is announced first; then the main loop
 * sets `from` before anything is held at that moment or later; so whichever record comes first that
 * it matters for, finds it. Its owner keeps it until it was applied. */
struct settled_change {
    struct settled_change *next;
    _Atomic int64_t from;          /* INT64_MAX: not known yet */
    const struct budgets *budgets; /* that hold then, NULL: a reset */
    struct span budget;            /* of this one, */
    struct span value;             /* and only of that one; at NULL: of all */
};
/* False: no more resets can be remembered. */
bool settled_follow_announce(struct settled_follow *follow, struct settled_change *change);
/* Applies what has its `from`, in the order in which it was announced; a negative one: it does not happen
 * after all. */
void settled_follow_apply(struct settled_follow *follow);
/* Writes the file now. False: `why` tells. */
bool settled_follow_save(struct settled_follow *follow, struct why *why);

/* All records are counted again, a few thousand at a time. */
enum settled_again { AGAIN_MORE, AGAIN_DONE, AGAIN_FAILED };
struct settled_counting {
    const void *by;           /* who asks: one at a time */
    struct span budget;       /* empty: all */
    struct journal_place end; /* of the journal now */
    struct settled *fresh;    /* AGAIN_DONE: as after settled_correct */
};
/* AGAIN_MORE: ask once more. AGAIN_DONE: all records up to `end` are counted, and the main loop may look
 * at `fresh` until settled_follow_again_end. AGAIN_FAILED: `why` tells. */
enum settled_again settled_follow_again(struct settled_follow *follow,
                                        struct settled_counting *counting, struct why *why);
void settled_follow_again_end(struct settled_follow *follow);

#endif
