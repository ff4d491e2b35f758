/* SPDX-License-Identifier: Apache-2.0 */
/* tests/sim/sight.h: what an onlooker saw of one call. Written by the laws from what went into the
 * dispatch and what came out of it; nothing in it is read from the state under test. */
#ifndef TESTS_SIM_SIGHT_H
#define TESTS_SIM_SIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/tick.h"
#include "router/outcome.h"
#include "router/plan.h"

/* What an app asks for. */
struct ask {
    mono_ms at;
    bool is_stream;
    bool no_failover;
    bool is_short;
    bool runs_once;       /* not to be sent again once it was sent whole */
    uint32_t patience_ms; /* for our head; 0: not told */
    uint32_t deadline_ms; /* 0: none of its own */
    uint32_t leaves_ms;   /* after so long it goes away; 0: it stays */
    struct span session;  /* empty: none; lives as long as the world */
    uint32_t tag;         /* whatever the asker wants to find again */
};

enum { SIGHT_ATTEMPTS_MAX = 96 };

/* One hold and, if it came to that, the attempt made with it. */
struct seen_attempt {
    uint8_t place;
    bool is_asked;
    bool is_granted;
    bool is_answered;
    bool is_given_back; /* settled or released */
    bool is_started;
    bool is_running;
    bool is_retry;      /* not the call's first */
    bool is_reused;
    bool is_written;
    bool has_head;
    bool has_content;
    bool is_told;       /* its end was told by the target */
    bool is_ambiguous;
    bool is_overdue;    /* waited in vain for longer than its target may be silent */
    enum outcome outcome; /* as the target ended it, or why it was given up */
    int64_t hint_ms;
    int8_t should_retry;
    mono_ms asked_at;
    mono_ms started_at;
    mono_ms written_at;
    mono_ms content_at;
    mono_ms ended_at;
    uint8_t pass[2];    /* laws_breaker.c: how it passed endpoint and deployment */
    uint64_t probe[2];  /* and as which probe */
};

enum ended { ENDED_NOT, ENDED_FINISH, ENDED_FAIL, ENDED_CUT, ENDED_LEFT };

struct sight {
    uint64_t serial;
    struct ask ask;
    mono_ms deadline;   /* for everything */
    mono_ms end;        /* the same, and while no head is out also the app's patience for one */
    uint8_t count;      /* of the plan */
    uint8_t order[TARGETS_MAX];
    uint8_t tries[TARGETS_MAX];
    uint8_t spent[TARGETS_MAX]; /* 1: nothing may come here again */
    bool untold[TARGETS_MAX];   /* it cannot be told what this call asks */
    uint8_t numbers;    /* holds asked for */
    uint8_t started;    /* attempts */
    uint8_t in_flight;
    uint8_t ambiguous;
    uint8_t last_number; /* of the attempt that ended last */
    bool is_done;       /* CLOSE was seen */
    bool is_shut_down;
    bool wants_drain;   /* its app left, and what runs is to be read on */
    bool is_draining;
    bool has_early_head;
    bool has_committed;
    uint8_t committed;  /* attempt */
    mono_ms committed_at;
    mono_ms ended_at;
    enum ended ended;
    enum outcome outcome; /* told with FAIL or CUT */
    uint64_t wait_ms;     /* told with FAIL */
    struct seen_attempt attempts[SIGHT_ATTEMPTS_MAX]; /* by number */
};

/* By its number; one that cannot be is number 0, which no attempt has. */
static inline struct seen_attempt *sight_attempt(struct sight *sight, uint8_t number)
{
    return number < SIGHT_ATTEMPTS_MAX ? &sight->attempts[number] : &sight->attempts[0];
}

#endif
