/* SPDX-License-Identifier: Apache-2.0 */
/* router/fleet_parts.h: what the fleet is made of; seen by its own files only: fleet.c (who is
 * there), fleet_report.c (what attempts tell), fleet_silence.c (by saying nothing), fleet_view.c (what operators see and order). */
#ifndef ROUTER_FLEET_PARTS_H
#define ROUTER_FLEET_PARTS_H

#include "base/list.h"
#include "base/map.h"
#include "breaker/ramp.h"
#include "breaker/silence.h"
#include "router/fleet.h"
#include "router/headroom.h"
#include "router/score.h"

enum { NOTICES_MAX = 64 };

struct live_endpoint {
    const struct provider *provider; /* the first one there: its figures count */
    struct breaker breaker;
    struct storm storm;
    uint32_t attempts; /* in flight */
    uint32_t retries;  /* of them: repeated or failed over, and without content yet */
    mono_ms probe_at;  /* not before this the next free probe */
    bool is_probed;    /* one is out */
};

struct live_credential {
    const struct provider *provider;
    struct park park;
};

struct live_deployment {
    struct map_entry entry; /* by key */
    const struct provider *provider;
    struct span model;      /* a part of the key */
    uint32_t index;
    struct breaker breaker;
    struct silence silence;
    struct park cooldown;
    struct park park;
    struct score score;
    struct headroom headroom;
    uint32_t in_flight;
    uint64_t started;
    bool is_held;           /* by an operator */
    uint32_t models;        /* of a provider's own place: its deployments that have a model */
    bool is_configured;     /* the settings name it: it never makes room for another */
    uint16_t key_len;
    char key[];             /* provider index, '/', model */
};

struct live_route {
    struct strategy_memory memory;
    struct tally calls;     /* successes: calls; failures: hedges */
    mono_ms panicked_at;
    bool has_panicked;
};

struct fleet {
    const struct routing *routing;
    struct rng rng;
    mono_ms now;                          /* of the latest call or attempt */
    struct live_endpoint *endpoints;
    size_t endpoints_count;
    struct live_credential *credentials;
    size_t credentials_count;
    struct live_deployment **deployments; /* by index; as many as deployments_room */
    size_t deployments_count;
    size_t deployments_room;
    size_t hand;                          /* where the search for room goes on */
    struct map by_key;
    struct live_deployment *last;         /* found by its key; NULL: none yet */
    uint32_t *by_target;                  /* of targets that name a model: their deployment */
    struct live_route *routes;            /* routes_count + 1: the last is the defaults' */
    struct sticky *sticky;
    struct {
        struct notice list[NOTICES_MAX];
        size_t first;
        size_t count;
        uint64_t dropped;
    } notices;
};

struct live_endpoint *fleet_endpoint(const struct fleet *fleet, struct member member);
struct live_credential *fleet_credential(const struct fleet *fleet, struct member member);
struct live_deployment *fleet_deployment(const struct fleet *fleet, struct member member);
/* Built-in providers have no address; each is a place of its own. */
uint16_t fleet_endpoint_index(const struct fleet *fleet, const struct provider *provider);

void fleet_say(struct fleet *fleet, const struct notice *notice);
void fleet_say_breaker(struct fleet *fleet, struct member member, bool is_endpoint,
                       enum breaker_change change, enum outcome outcome, mono_ms now);
/* A sign of life: whoever had been found silent may be tried again. */
void fleet_heard(struct fleet *fleet, const struct entry *entry, mono_ms now);

#endif
