/* SPDX-License-Identifier: Apache-2.0 */
/* router/dispatch.h: the decisions for one call, from its first event to its last. Pure: an event
 * with the time goes in, a bounded list of actions and one wake-up time come out. Owns nothing;
 * knows no socket. The shell (proxy/call.c) obeys after the step has returned.
 *
 *   HOLDING    waits for the ledger
 *   TRYING     waits for the provider; nothing has gone to the app
 *   STREAMING  waits for the provider; bytes have gone to the app
 *   CLOSED     waits for nothing; an event here is our bug
 */
#ifndef ROUTER_DISPATCH_H
#define ROUTER_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"
#include "router/outcome.h"
#include "router/target.h"

enum dispatch_state { DISPATCH_HOLDING, DISPATCH_TRYING, DISPATCH_STREAMING, DISPATCH_CLOSED };

enum event_kind {
    EVENT_START,    /* the request is whole and a target is known */
    EVENT_HELD,     /* the ledger set money aside */
    EVENT_DENIED,   /* the ledger said no */
    EVENT_WRITTEN,  /* the request is fully written */
    EVENT_HEAD,     /* the provider's head is here and good so far */
    EVENT_CONTENT,  /* the first real content (or whatever may be shown at once) */
    EVENT_TERMINAL, /* the last event of the dialect; only the framing's end is missing */
    EVENT_ENDED,    /* the attempt is over: outcome */
    EVENT_WAKE,     /* the time asked for has come */
    EVENT_APP_GONE, /* nobody listens any more */
    EVENT_SHUTDOWN  /* the drain's time is over */
};

struct event_in {
    enum event_kind kind;
    uint8_t attempt;      /* whose event; events of an attempt that is over are ignored */
    enum outcome outcome; /* ENDED */
    mono_ms now;
};

enum action_kind {
    ACTION_HOLD,       /* ask the ledger for the attempt's money */
    ACTION_ATTEMPT,    /* start the attempt */
    ACTION_ABANDON,    /* cancel the attempt */
    ACTION_COMMIT,     /* open the gate: head and held bytes go to the app */
    ACTION_EARLY_HEAD, /* the 200 head of a stream goes out, the gate stays shut */
    ACTION_KEEP_ALIVE, /* a comment between two events */
    ACTION_FINISH,     /* end the app's message well */
    ACTION_CUT,        /* end the app's begun message with the dialect's error */
    ACTION_FAIL,       /* answer with an error */
    ACTION_SETTLE,     /* give the hold back, book what was used */
    ACTION_CLOSE       /* the call is over */
};

struct action {
    enum action_kind kind;
    uint8_t attempt;
    enum outcome outcome; /* ABANDON, CUT, FAIL, SETTLE: why */
};

enum { ACTIONS_MAX = 6 };

struct actions {
    struct action list[ACTIONS_MAX];
    uint8_t count;
    mono_ms wake_at; /* EVENT_WAKE is wanted then; MONO_NEVER: not */
};

/* What the call allows itself, all relative, in ms. */
struct dispatch_rules {
    const struct timeouts *timeouts;
    uint32_t patience_ms; /* how long the app waits for our head; 0: unknown */
    uint32_t deadline_ms; /* the app's own limit for the whole call; 0: none */
    bool is_stream;
};

struct dispatch {
    enum dispatch_state state;
    uint8_t attempt; /* the one in flight, from 1 */
    bool is_stream;
    bool has_head;    /* of this attempt */
    bool head_is_out; /* the app has its 200 (commit or early head) */
    bool is_written;
    bool is_paused;        /* the provider is held back by us: its silence is not its own */
    mono_ms deadline;      /* of the call */
    mono_ms head_deadline; /* the app's patience; only while no head is out */
    mono_ms written_at;
    mono_ms bytes_at;    /* last byte of the provider */
    mono_ms content_at;  /* last content */
    mono_ms sent_at;     /* last byte towards the app, once head_is_out */
    mono_ms terminal_at; /* MONO_NEVER until the terminal event */
    const struct timeouts *timeouts;
    mono_ms begun_at;
};

void dispatch_init(struct dispatch *dispatch, const struct dispatch_rules *rules, mono_ms now);

/* One event. Fills `actions`. Every (state, event) pair that cannot happen is asserted. */
void dispatch_step(struct dispatch *dispatch, const struct event_in *event,
                   struct actions *actions);

/* Bytes came from the provider (is_content: some of them were content). Only stamps the time: the
 * road of the bytes makes no decision. */
void dispatch_saw_bytes(struct dispatch *dispatch, mono_ms now, bool is_content);
/* The provider is held back because the app reads slowly (or no longer): its idle times do not run
 * meanwhile; that the app reads at all is watched by whoever writes to it. */
void dispatch_paused(struct dispatch *dispatch, bool is_paused, mono_ms now);
/* Bytes went to the app. */
void dispatch_saw_sent(struct dispatch *dispatch, mono_ms now);

#endif
