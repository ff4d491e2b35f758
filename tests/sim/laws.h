/* SPDX-License-Identifier: Apache-2.0 */
/* tests/sim/laws.h: what must hold in every world, told from what went in and what came out. The
 * world reports each event, step and action; the first law that does not hold is kept in words.
 *
 *   laws.c          a call: its money, its attempts
 *   laws_app.c      its app: its ends, its times
 *   laws_places.c   targets: cooldowns, parks, limits, storms; who is turned away without need
 *   laws_breaker.c  doors: a naive recount of what was seen says when nobody may pass */
#ifndef TESTS_SIM_LAWS_H
#define TESTS_SIM_LAWS_H

#include "router/dispatch.h"
#include "tests/lib/house.h"
#include "tests/sim/sight.h"

/* Times within the last minute, oldest first. */
struct moments {
    mono_ms *list;
    size_t room;
    size_t first;
    size_t count;
};

/* One report to a door, as far as it counts: when and what. */
struct tick {
    mono_ms at;
    bool is_failure;
};
enum { TICKS_MAX = 65536, PANICS_KEPT = 8 };

enum door_state { DOOR_CLOSED, DOOR_OPEN, DOOR_HALF, DOOR_UNSURE };

/* A breaker as somebody in the street would know it. */
struct door {
    enum door_state state;
    struct trip_rule rule;
    uint32_t failures_in_row;
    uint32_t connects_in_row;
    uint32_t overdue;   /* attempts, since it was last heard of, */
    mono_ms heard_at;   /* which was then */
    bool is_silent;     /* that is why it is open */
    struct tick *ticks; /* a ring: those that may still count, */
    size_t ticks_first;
    size_t ticks_count;
    size_t ticks_room;
    size_t ticks_failed; /* and of them, failures */
    uint32_t trips;
    uint32_t good;         /* probes in a row */
    uint64_t probe;        /* the latest, counted from 1 */
    bool is_probe_out;
    mono_ms probe_at;      /* when it entered, */
    mono_ms lease_min;     /* and until when its slot is taken at least */
    mono_ms earliest;      /* OPEN: it may be tried again, with the smallest chance */
    mono_ms latest;        /* and the largest */
    mono_ms forgiven_at;
    uint32_t opened;       /* how often, for figures */
};

/* Out at least until, and at most. */
struct stay {
    mono_ms least;
    mono_ms most;
};

struct place_facts {
    uint16_t endpoint;
    uint16_t credential;
    uint16_t deployment;
};

struct laws {
    const struct house *house;
    struct place_facts of[TARGETS_MAX];
    struct door endpoints[TARGETS_MAX];
    struct door deployments[TARGETS_MAX];
    struct moments calls[TARGETS_MAX];   /* by endpoint: that could come there */
    struct moments retries[TARGETS_MAX]; /* by endpoint: that went there */
    uint32_t in_flight[TARGETS_MAX];     /* by deployment */
    uint32_t attempts[TARGETS_MAX];      /* by endpoint, in flight */
    struct stay cooling[TARGETS_MAX];    /* by deployment: it asked to be left alone */
    struct stay parked[TARGETS_MAX];     /* by credential: refused */
    struct stay shut[TARGETS_MAX];       /* by deployment: refused */
    mono_ms used_up_until[TARGETS_MAX];  /* by deployment: it said that nothing is left */
    mono_ms panicked_at[PANICS_KEPT];    /* when money was asked for calls into shut doors */
    size_t panics;
    bool tells_left;                     /* some target reports its limits */
    uint64_t broken_call;
    mono_ms broken_at;
    const char *broken;                  /* NULL: none */
};

void laws_init(struct laws *laws, const struct house *house);
void laws_fini(struct laws *laws);
/* Notes the first. */
void laws_break(struct laws *laws, const struct sight *sight, mono_ms now, const char *words);

/* A call begins with this plan. */
void laws_call(struct laws *laws, struct sight *sight, const struct ask *ask,
               const struct plan *plan, mono_ms now);
/* An event is about to be stepped. */
void laws_event(struct laws *laws, struct sight *sight, const struct event_in *event);
/* The fleet said so, in the course of the step that is about to be told. */
void laws_notice(struct laws *laws, const struct sight *sight, const struct notice *notice,
                 mono_ms now);
/* A head told of its limits. */
void laws_reported(struct laws *laws, const struct sight *sight, uint8_t number,
                   const struct reported *reported, mono_ms now);
/* The step said so, in this order. */
void laws_action(struct laws *laws, struct sight *sight, const struct event_in *event,
                 const struct action *action);
/* The step is over. */
void laws_stepped(struct laws *laws, struct sight *sight, const struct actions *actions,
                  mono_ms now);
/* Nothing is left to come. */
void laws_end(struct laws *laws, struct fleet *fleet, mono_ms now);

/* ---- between the files of the laws ---- */

/* laws_table.c: what each end means, written down a second time from the reference: how the doors
 * count it, and what may follow. */
enum follow { FOLLOW_NOTHING, FOLLOW_OTHER, FOLLOW_ANY, FOLLOW_LARGER };
enum out_of { OUT_OF_NOTHING, OUT_OF_COOL, OUT_OF_COOL_HINT, OUT_OF_CREDENTIAL, OUT_OF_TARGET };
struct meaning {
    enum signal endpoint;
    enum signal deployment;
    enum follow follow;
    enum out_of out_of;
    uint32_t least_ms; /* of the stay */
    uint32_t most_ms;
};
struct meaning meaning_of(enum outcome outcome);
/* What the doors hear of the end of an attempt that came so far. */
struct meaning meaning_at_end(const struct seen_attempt *attempt);

/* laws_app.c */
void laws_app_action(struct laws *laws, struct sight *sight, const struct action *action,
                     mono_ms now);
void laws_app_close(struct laws *laws, struct sight *sight, mono_ms now);

/* laws_breaker.c */
void door_init(struct door *door, const struct trip_rule *rule);
void door_fini(struct door *door);
void laws_doors_enter(struct laws *laws, struct sight *sight, struct seen_attempt *attempt,
                      mono_ms now);
void laws_doors_content(struct laws *laws, struct sight *sight, struct seen_attempt *attempt,
                        mono_ms now);
/* A call wakes: whatever it waits for may have been due for long. */
void laws_doors_wake(struct laws *laws, struct sight *sight, mono_ms now);
/* Somebody answers. */
void laws_doors_heard(struct laws *laws, const struct seen_attempt *attempt, mono_ms now);
void laws_doors_ended(struct laws *laws, struct sight *sight, struct seen_attempt *attempt,
                      mono_ms now);
/* Nobody can doubt that its doors let the next one in. */
bool laws_lets_in(const struct laws *laws, uint8_t place, mono_ms now);

/* laws_places.c */
void laws_places_call(struct laws *laws, const struct sight *sight, mono_ms now);
void laws_places_start(struct laws *laws, struct sight *sight, struct seen_attempt *attempt,
                       mono_ms now);
void laws_places_ended(struct laws *laws, struct sight *sight, struct seen_attempt *attempt,
                       uint64_t quota_ms, mono_ms now);
/* The call ends without an answer: was there really nobody left? */
void laws_places_given_up(struct laws *laws, const struct sight *sight, enum outcome outcome,
                          mono_ms now);

#endif
