/* SPDX-License-Identifier: Apache-2.0 */
/* tests/sim/world.h: a world in virtual time, with nothing real in it but the decisions: targets
 * play their scripts, apps ask and leave, a ledger grants late or denies, and each call is driven
 * by the loop of proxy/call.c in small (same names). Pure, of one thread; the seed decides
 * everything that is left to chance. Laws watch each step (laws.h). */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "router/notice.h"
#include "tests/sim/agenda.h"
#include "tests/sim/laws.h"
#include "tests/sim/script.h"

struct ledger_script {
    uint8_t deny_percent;
    uint8_t late_percent; /* answers later than at once, */
    uint32_t late_ms;     /* by up to so much, */
    uint32_t step_ms;     /* in steps of so much: round times meet others more often; 0: 1 ms */
};

/* What happened, for whoever wants figures or a story. Any may be NULL. */
struct watch {
    void *to;
    void (*on_done)(void *to, const struct sight *sight);
    void (*on_attempt)(void *to, const struct sight *sight, const struct seen_attempt *attempt);
    void (*on_notice)(void *to, const struct notice *notice, mono_ms now);
    void (*on_step)(void *to, const struct sight *sight, const struct event_in *event,
                    const struct actions *actions);
};

struct world_call;

struct world {
    struct house house;
    struct script scripts[HOUSE_TARGETS_MAX]; /* by place */
    struct ledger_script ledger;
    struct watch watch;
    /* The rest is the world's own. */
    struct meter_of_quota quotas[HOUSE_TARGETS_MAX];
    struct agenda agenda;
    struct rng rng;
    struct laws laws;
    struct world_call **calls; /* by slot */
    size_t calls_count;
    size_t calls_room;
    uint32_t free_slot;
    uint64_t serial;
    uint64_t open;      /* calls */
    uint64_t sights;    /* a digest of all actions: the same seed gives the same */
    uint64_t steps;
    mono_ms now;
    bool is_shut_down;
};

/* `targets` healthy ones; house, scripts and ledger may be changed before world_open. */
void world_init(struct world *world, size_t targets, uint64_t seed);
void world_open(struct world *world);
void world_close(struct world *world);

/* An app will call. */
void world_ask(struct world *world, const struct ask *ask);
/* No more calls from then on; those that run are told that their time is over. */
void world_shut_down_at(struct world *world, mono_ms at);
/* Everything that is due before `until`; true while no law is broken. */
bool world_run(struct world *world, mono_ms until);
/* Everything; then the laws of the end. */
bool world_run_out(struct world *world);
/* What law was broken, by which call and when; NULL: none. */
const char *world_broken(const struct world *world);

#endif
