/* SPDX-License-Identifier: Apache-2.0 */
/* router/fleet.h: what we know right now of endpoints, deployments and credentials: three scopes,
 * never merged (resilience.md, 2). The only shared mutable state of the core; one per loop. Asks no
 * clock; all judgement of attempts comes through fleet_report. Called by plan.c and dispatch.c, by
 * the shell for notices, and by operators' pages (fleet_view.h).
 *
 *   endpoint    scheme, host, port: a breaker, the budgets against retry storms
 *   credential  its park
 *   deployment  credential and model at an endpoint: a breaker, cooldown, park, score, headroom */
#ifndef ROUTER_FLEET_H
#define ROUTER_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "router/fleet_view.h"
#include "router/notice.h"
#include "router/sticky.h"
#include "router/storm.h"
#include "router/strategy.h"
#include "router/target.h"
#include "wire/reported.h"

/* The models that apps name beside those of the settings: bounded, since apps choose them. */
enum { FLEET_DEPLOYMENTS_MAX = 4096 };

struct fleet;

/* Borrows `routing`. NULL without memory. */
struct fleet *fleet_new(const struct routing *routing, uint64_t seed);
void fleet_free(struct fleet *fleet);

/* Where a target lives: indices, good until the next fleet_member that makes room. */
struct member {
    uint16_t endpoint;
    uint16_t credential;
    uint32_t deployment;
};

/* `model`: what the app sent, used where the target names none. */
struct member fleet_member(struct fleet *fleet, const struct target *target, struct span model);
/* The same for whoever only asks what would be: a model that was never called is not remembered, and
 * the member is then that of its provider. */
struct member fleet_look_up(struct fleet *fleet, const struct target *target, struct span model);

/* What an attempt is expected to take; for rate-limit-aware routing. */
struct estimate {
    uint64_t input_tokens;
    uint64_t output_tokens;
};

enum eligibility {
    ELIGIBLE,
    ELIGIBLE_PROBE,  /* as the probe of a half-open breaker */
    OUT_OPEN,        /* a breaker is open, or its probe is out */
    OUT_COOLING,     /* the provider asked for time, or reported that nothing is left */
    OUT_PARKED,      /* refused, or parked by an operator */
};

struct standing {
    enum eligibility what;
    mono_ms until;           /* of OUT_*: when it may be asked again; MONO_NEVER: by an operator */
    enum park_reason reason; /* of OUT_PARKED; NONE: by an operator */
};

struct standing fleet_standing(const struct fleet *fleet, struct member member,
                               const struct estimate *estimate, mono_ms now);
/* The figures a strategy orders by; `place` and `weight` are the caller's. score_permille is 0 when
 * nothing is known yet; best_ttfc_ms: of the tier, 0 unknown. */
void fleet_figures(const struct fleet *fleet, struct member member, uint32_t best_ttfc_ms,
                   mono_ms now, struct figures *figures);

/* ---- attempts ---- */

/* An attempt as the fleet counts it; kept by the dispatch from enter to leave. */
struct entry {
    struct member member;
    struct pass endpoint_pass;
    struct pass deployment_pass;
    bool is_entered;
    bool is_retry;      /* still counted as a retry in flight */
    bool is_overdue;    /* it has been told so */
    mono_ms sent_at;    /* of its request, the last byte */
    bool is_passthrough; /* with the app's own credential: nothing is marked */
};

/* An attempt begins. is_panic: whatever the breakers say. lease_ms: how long a probe may take. */
void fleet_enter(struct fleet *fleet, struct entry *entry, const struct target *target,
                 struct member member, const struct estimate *estimate, bool is_retry,
                 bool is_panic, uint32_t lease_ms, mono_ms now);
/* Its request was fully sent. Returns when it is overdue: when it says something of its deployment that
 * no content of the stream, no head of the whole answer has come; MONO_NEVER: never. */
mono_ms fleet_sent(struct fleet *fleet, struct entry *entry, bool is_stream, mono_ms now);
/* It is overdue. Many of them that could go elsewhere, and nothing heard in all that time, and their
 * deployment is found silent: its breaker opens, until anything is heard of it. True: this one had
 * better go, since it is silent, or since this is a probe and has found out enough. May be asked
 * again; what counts is the first time. */
bool fleet_overdue(struct fleet *fleet, struct entry *entry, bool can_leave, mono_ms now);
/* Its first content came, ttfc_ms after its request was sent: a success as far as streams go. */
void fleet_content(struct fleet *fleet, struct entry *entry, uint32_t ttfc_ms, bool is_slow,
                   mono_ms now);
/* The head of a whole answer came, head_ms after its request was sent. */
void fleet_head(struct fleet *fleet, struct entry *entry, uint32_t head_ms, mono_ms now);
/* What the provider's head told of its limits. */
void fleet_reported(struct fleet *fleet, const struct entry *entry,
                    const struct reported *reported, mono_ms now);

struct ending {
    enum outcome outcome;
    bool had_head;    /* of an answer */
    bool had_content; /* fleet_content was told */
    int64_t hint_ms;  /* HINT_NONE: none */
    uint64_t quota_ms; /* of a used up quota: when it comes back; 0: not known */
};
/* It is over: breakers, parks, cooldowns and score hear of it, and it leaves. */
void fleet_report(struct fleet *fleet, struct entry *entry, const struct ending *ending,
                  mono_ms now);


/* ---- what the dispatch and the plan ask besides ---- */

/* A call began that could come to this member: its endpoint may afford a fifth of a retry more. */
void fleet_call_began(struct fleet *fleet, struct member member, mono_ms now);
enum storm_no fleet_storm(const struct fleet *fleet, struct member member, mono_ms now);
/* One in a second per route may go where the breakers forbid it. True: this one. */
bool fleet_may_panic(struct fleet *fleet, const struct route *route, mono_ms now);
/* One call in twenty of a route may be sent twice (resilience.md, 11). True: this one. */
bool fleet_may_hedge(struct fleet *fleet, const struct route *route, mono_ms now);
/* A call of this route began. */
void fleet_route_called(struct fleet *fleet, const struct route *route, mono_ms now);
void fleet_tell_panic(struct fleet *fleet, const struct target *target, struct member member);
/* 95 of 100 first contents (streams) or heads (whole answers) come within so many ms; 0: not known. */
uint32_t fleet_p95_ms(const struct fleet *fleet, struct member member, bool is_stream);
struct strategy_memory *fleet_memory(struct fleet *fleet, const struct route *route);
struct sticky *fleet_sticky(struct fleet *fleet);
struct rng *fleet_rng(struct fleet *fleet);

/* The oldest notice, or false. At most NOTICES_MAX wait; more are dropped and counted. */
bool fleet_next_notice(struct fleet *fleet, struct notice *notice);
uint64_t fleet_dropped_notices(const struct fleet *fleet);

/* ---- active probes ---- */

/* An endpoint whose breaker is open and whose time for a free probe has come: a provider to ask, or
 * NULL. Marks it as asked until fleet_probed. */
const struct provider *fleet_wants_probe(struct fleet *fleet, mono_ms now);
/* The endpoint answered (is_alive), or did not. */
void fleet_probed(struct fleet *fleet, const struct provider *provider, bool is_alive, mono_ms now);

#endif
