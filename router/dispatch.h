/* SPDX-License-Identifier: Apache-2.0 */
/* router/dispatch.h: the decisions for one call, from its first event to its last. Pure: an event
 * with the time goes in, a bounded list of actions and one wake-up time come out. Owns nothing;
 * knows the plan and the fleet, no socket. The shell (proxy/call.c) obeys after the step has
 * returned.
 *
 *   HOLDING    waits for the ledger
 *   TRYING     waits for a provider (two, with a hedge); nothing of their answers has gone out
 *   PAUSING    waits for its own clock before the next attempt
 *   STREAMING  waits for the provider; bytes have gone to the app. From here only a route's resume
 *              leads back to HOLDING, to an attempt that goes on where the stream broke off
 *   DRAINING   waits for the usage that the provider tells at its end; nobody listens any more
 *   CLOSED     waits for nothing; an event here is our bug
 */
#ifndef ROUTER_DISPATCH_H
#define ROUTER_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"
#include "router/fleet.h"
#include "router/outcome.h"
#include "router/plan.h"
#include "router/retry.h"

enum dispatch_state {
    DISPATCH_HOLDING,
    DISPATCH_TRYING,
    DISPATCH_PAUSING,
    DISPATCH_STREAMING,
    DISPATCH_DRAINING,
    DISPATCH_CLOSED
};

enum event_kind {
    EVENT_START,     /* the request is whole and there is a plan */
    EVENT_HELD,      /* the ledger set money aside */
    EVENT_DENIED,    /* the ledger said no */
    EVENT_CONNECTED, /* a connection stands: is_reused */
    EVENT_WRITTEN,   /* the request is fully written */
    EVENT_HEAD,      /* the provider's head is here and good so far */
    EVENT_CONTENT,   /* the first real content of a stream */
    EVENT_READY,     /* what came may be shown: passed through unread, or held for long enough */
    EVENT_TERMINAL,  /* the last event of the dialect; only the framing's end is missing */
    EVENT_ENDED,     /* the attempt is over: outcome */
    EVENT_WAKE,      /* the time asked for has come */
    EVENT_APP_GONE,  /* nobody listens any more */
    EVENT_SHUTDOWN   /* the drain's time is over */
};

struct event_in {
    enum event_kind kind;
    uint8_t attempt;      /* whose event; events of an attempt that is over are ignored */
    mono_ms now;
    enum outcome outcome; /* ENDED; DENIED: why */
    bool is_reused;       /* CONNECTED */
    int8_t should_retry;  /* ENDED: what the provider said, 1 or 0; -1: nothing */
    int64_t hint_ms;      /* ENDED: how long it asked to wait; HINT_NONE */
    uint64_t quota_ms;    /* ENDED: when its quota comes back; 0: not known */
    bool can_resume;      /* ENDED, WAKE: what is out of this stream can be continued elsewhere */
    bool is_money_out;    /* ENDED, WAKE: no more may be sent that may be paid for twice */
    bool may_elsewhere;   /* DENIED: at another target the call may fit */
    bool can_drain;       /* APP_GONE: there is room to read one more to its end */
};

enum action_kind {
    ACTION_HOLD,       /* ask the ledger for the attempt's money */
    ACTION_RELEASE,    /* give it back: no attempt was made with it */
    ACTION_ATTEMPT,    /* start the attempt at `place` of the plan */
    ACTION_ABANDON,    /* cancel the attempt */
    ACTION_COMMIT,     /* open the gate: head and held bytes of this attempt go to the app */
    ACTION_EARLY_HEAD, /* the 200 head of a stream goes out, the gate stays shut */
    ACTION_KEEP_ALIVE, /* a comment between two events */
    ACTION_DRAIN,      /* read the attempt on without the app, for its usage */
    ACTION_FINISH,     /* end the app's message well */
    ACTION_CUT,        /* end the app's begun message with the dialect's error */
    ACTION_FAIL,       /* answer with an error */
    ACTION_SETTLE,     /* give the hold back, book what was used */
    ACTION_CLOSE       /* the call is over */
};

/* How far an attempt came. */
enum attempt_phase {
    ATTEMPT_UNSENT,  /* not connected, or the request not fully written */
    ATTEMPT_SENT,    /* fully written, nothing came back */
    ATTEMPT_HEADED,  /* the provider's head came */
    ATTEMPT_CONTENT  /* and content of a stream */
};

struct action {
    enum action_kind kind;
    uint8_t attempt;
    uint8_t place;        /* HOLD, ATTEMPT: of the plan */
    bool is_fresh;        /* ATTEMPT: on a new connection */
    bool is_resume;       /* ATTEMPT: to continue the answer that is out */
    enum outcome outcome; /* ABANDON, CUT, FAIL, SETTLE: why */
    enum attempt_phase phase; /* SETTLE */
    uint64_t wait_ms;     /* FAIL: until something may be asked again; 0: unknown */
};

enum { ACTIONS_MAX = 8 };

struct actions {
    struct action list[ACTIONS_MAX];
    uint8_t count;
    mono_ms wake_at; /* EVENT_WAKE is wanted then; MONO_NEVER: not */
};

/* What the call allows itself, all relative, in ms. */
struct dispatch_rules {
    uint32_t patience_ms; /* how long the app waits for our head; 0: unknown */
    uint32_t deadline_ms; /* the app's own limit for the whole call; 0: none */
    bool is_stream;
    bool no_failover;     /* the app asked for one attempt and no more */
    bool is_short;        /* a whole answer that cannot be long: may be hedged like a stream */
    bool runs_once;       /* not known to be repeatable: never sent again once it was sent whole */
};

/* One attempt in flight. */
struct flight {
    uint8_t number;   /* of the attempt, from 1; 0: no flight */
    uint8_t place;    /* in the plan */
    bool is_reused;
    bool is_written;
    bool has_head;
    bool has_content;
    struct entry entry;
    uint32_t gate_ms; /* from written to head (whole) or first content (stream) */
    mono_ms started_at;
    mono_ms written_at;
    mono_ms bytes_at;   /* last byte of the provider */
    mono_ms content_at; /* last content */
    mono_ms overdue_at; /* its silence says something of its deployment then; MONO_NEVER */
    mono_ms commit_at;  /* commit: { after }, so long after its first content; MONO_NEVER */
};

/* What the call's log line tells of each attempt. */
struct attempt_note {
    uint8_t place;
    uint8_t number;
    uint8_t outcome;      /* enum outcome */
    uint8_t why;          /* enum retry_why: what followed */
    bool is_ambiguous;
    bool is_over;
    uint32_t took_ms;
    uint32_t wait_ms;     /* the pause that followed */
};
enum { ATTEMPT_NOTES_MAX = 5 }; /* as many as a call may have, hedges included */

struct dispatch {
    /* What every event of a stream touches comes first. */
    enum dispatch_state state;
    bool is_stream;
    bool head_is_out;      /* the app has its 200 (commit or early head) */
    bool is_committed;
    bool is_paused;        /* the provider is held back by us: its silence is not its own */
    mono_ms sent_at;       /* last byte towards the app, once head_is_out */
    struct flight flights[2]; /* the second one is a hedge; after the commit the first alone */
    mono_ms deadline;      /* of the call */
    mono_ms terminal_at;   /* MONO_NEVER until the terminal event */
    mono_ms drain_until;   /* DRAINING */
    const struct timeouts *timeouts;
    /* The rest is for decisions. */
    struct plan *plan;
    struct fleet *fleet;
    struct dispatch_rules rules;
    uint8_t numbers;       /* holds asked for so far: the next one is one more */
    uint8_t attempts;      /* begun so far */
    uint8_t ambiguous;     /* of them: may have run, though no answer came */
    uint8_t fresh;         /* of them: repeated on a new connection */
    uint8_t waits;
    uint8_t next_place;    /* HOLDING, PAUSING: where to; PLAN_NONE: to be picked */
    bool next_is_fresh;
    bool next_is_panic;
    bool is_hedging;       /* HOLD for a hedge is out, beside a flight */
    bool has_hedged;
    uint32_t last_wait_ms;
    enum outcome last;     /* of the latest failed attempt */
    enum outcome denied;   /* why the latest hold was denied, for want of money rather than words; OUTCOME_OK: it was not */
    mono_ms resume_at;     /* PAUSING */
    mono_ms stuck_at;      /* since when nothing is eligible; MONO_NEVER: something is */
    mono_ms head_deadline; /* the app's patience; only while no head is out */
    mono_ms begun_at;
    struct attempt_note notes[ATTEMPT_NOTES_MAX];
    uint8_t notes_count;
};

/* `plan` and `fleet` outlive the dispatch. */
void dispatch_init(struct dispatch *dispatch, struct plan *plan, struct fleet *fleet,
                   const struct dispatch_rules *rules, mono_ms now);

/* One event. Fills `actions`. Every (state, event) pair that cannot happen is asserted. */
void dispatch_step(struct dispatch *dispatch, const struct event_in *event,
                   struct actions *actions);

/* Whether this attempt is in flight: one that is over tells nothing more. */
bool dispatch_has_flight(const struct dispatch *dispatch, uint8_t attempt);

/* Bytes came from the provider (is_content: some of them were content). Only stamps the time: the
 * road of the bytes makes no decision. */
void dispatch_saw_bytes(struct dispatch *dispatch, uint8_t attempt, mono_ms now, bool is_content);
/* The provider is held back because the app reads slowly (or no longer): its idle times do not run
 * meanwhile; that the app reads at all is watched by whoever writes to it. */
void dispatch_paused(struct dispatch *dispatch, bool is_paused, mono_ms now);
/* Bytes went to the app. */
void dispatch_saw_sent(struct dispatch *dispatch, mono_ms now);

/* What the provider's head told of its limits. */
void dispatch_reported(struct dispatch *dispatch, uint8_t attempt, const struct reported *reported,
                       mono_ms now);
/* The reason of the last switch to another target, OUTCOME_OK when there was none. */
enum outcome dispatch_switched(const struct dispatch *dispatch);

#endif
