/* SPDX-License-Identifier: Apache-2.0 */
/* router/fleet_view.h: one target as an operator sees it, and what an operator may order. Plain
 * data, filled by fleet.c for one moment; spans borrow from the fleet until its next change. */
#ifndef ROUTER_FLEET_VIEW_H
#define ROUTER_FLEET_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "breaker/breaker.h"
#include "breaker/park.h"

/* A breaker: what state, and the ms until it may be tried again (0 unless open). */
struct breaker_view {
    enum breaker_state state;
    uint64_t reopen_ms;
    uint32_t trips;
};

/* Out for a reason, and the ms that are left; PARK_NONE: not out. */
struct park_view {
    enum park_reason reason;
    uint64_t left_ms;
};

/* What the provider last reported of one of its limits; -1: it did not. */
struct limit_view {
    int64_t limit;
    int64_t left;     /* reported, less what has been started since */
    int64_t reset_ms;
};

struct target_view {
    struct span provider;
    struct span model; /* empty: no call has named one yet */
    bool is_eligible;
    bool is_held;      /* parked by an operator */
    struct breaker_view endpoint;   /* shared by all targets at the same host */
    struct breaker_view deployment;
    struct park_view credential;    /* shared by all targets with the same credential */
    struct park_view target;
    struct park_view cooldown;
    uint32_t score_permille;
    uint32_t ramp_permille; /* slow start: 1000 when it has its full share */
    uint32_t in_flight;     /* attempts */
    uint32_t ttfc_ms;       /* usual time to first content; 0: unknown */
    struct limit_view requests;
    struct limit_view tokens;
};

enum fleet_order {
    FLEET_PARK,   /* out until unpark or reset; attempts that run go on */
    FLEET_UNPARK, /* back, also from the provider's parks and cooldowns */
    FLEET_RESET   /* the same, and its breakers closed and forgotten */
};

struct fleet;
/* Targets that are known now: those of the settings, then those that calls named. */
size_t fleet_view_count(const struct fleet *fleet);
/* The i-th, in a fixed order. */
void fleet_view_at(const struct fleet *fleet, size_t i, mono_ms now, struct target_view *view);
/* `name` is "provider/model", "provider" for all of its targets (a model that is named for the first
 * time while its provider is parked is parked too), or "*". Returns how many targets
 * it meant; 0: none is called so. */
size_t fleet_obey(struct fleet *fleet, struct span name, enum fleet_order order, mono_ms now);

#endif
