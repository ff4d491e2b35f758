/* SPDX-License-Identifier: Apache-2.0 */
/* admin/health.h: the one word that says how the house is, out of its targets. Pure.
 *
 *   ok        every target takes calls (or none is known yet, and there are providers)
 *   degraded  some do: calls are served, with fewer ways to go
 *   down      none does, or there is no provider: calls would be refused
 *   draining  the process is about to end: new calls should go elsewhere */
#ifndef ADMIN_HEALTH_H
#define ADMIN_HEALTH_H

#include "admin/page.h"
#include "wire/json_out.h"

enum health_state { HEALTH_OK, HEALTH_DEGRADED, HEALTH_DOWN, HEALTH_DRAINING };

struct health {
    enum health_state state;
    size_t total;    /* targets */
    size_t eligible; /* of them */
};

struct health health_of(const struct view *view);
const char *health_word(enum health_state state);
/* 200, or 503 when down or draining: load balancers read nothing else. */
unsigned health_status(enum health_state state);
/* A sentence without a full stop: "1 of 3 targets takes calls". */
void health_put_text(struct buf *out, const struct health *health);
/* The members "status", "message" and "targets" of the object that is open. */
void health_put_members(struct json_out *out, const struct health *health);

#endif
