/* SPDX-License-Identifier: Apache-2.0 */
/* router/sticky.h: which target a session was served by last, so that the next call finds the
 * provider's prompt cache warm. A table of fixed size: a session may be forgotten early when
 * another falls on its entry, never mistaken for another. What it says is a wish: the caller checks
 * that the target is eligible. One per snapshot of the settings, since places mean nothing in
 * another. */
#ifndef ROUTER_STICKY_H
#define ROUTER_STICKY_H

#include <stdint.h>

#include "base/must.h"
#include "base/span.h"
#include "base/tick.h"

enum { STICKY_ENTRIES = 4096, STICKY_IDLE_MS = 300000 };

struct sticky;

/* seed: two words that nobody outside knows. NULL: no memory. */
MUST_CHECK struct sticky *sticky_new(const uint64_t seed[2]);
/* NULL is allowed. */
void sticky_free(struct sticky *sticky);
/* What a session of a route is known by in this table. */
uint64_t sticky_hash(const struct sticky *sticky, struct span route, struct span session);
/* The place in its route of the target that served the session last; -1: not known, or idle for
 * STICKY_IDLE_MS. */
int sticky_find(const struct sticky *sticky, uint64_t hash, mono_ms now);
/* The session is served by the target at `place`. Its time of idleness begins anew. */
void sticky_note(struct sticky *sticky, uint64_t hash, uint8_t place, mono_ms now);

#endif
