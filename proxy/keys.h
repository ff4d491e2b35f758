/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/keys.h: the keys in force, and who follows their file: a changed one is taken up within two
 * seconds, a bad one leaves the old keys as they are and is told of once. One per loop; calls keep the
 * ring that they began with. */
#ifndef PROXY_KEYS_H
#define PROXY_KEYS_H

#include "enforcement/keyring.h"
#include "enforcement/silent.h"
#include "proxy/env.h"

struct keys;

/* Those of env->snapshot. NULL: no memory. */
struct keys *keys_new(struct env *env);
/* NULL is allowed. */
void keys_free(struct keys *keys);
/* Whether callers need one; NULL: not. */
bool keys_are_wanted(const struct keys *keys);
/* SIGHUP: the keys of these settings from now on. With keys on one side alone nothing changes, and that is
 * told: whether callers need one is decided at the start. NULL is allowed. */
void keys_adopt(struct keys *keys, struct snapshot *snapshot);

/* Wanted keys only: */
/* The ring in force, borrowed. */
struct keyring *keys_ring(const struct keys *keys);
enum key_verdict keys_find(struct keys *keys, struct span credential,
                           const struct key_entry **entry);
/* Another credential from there that is none. How long its next ones are put off; 0: not. */
uint64_t keys_wrong(struct keys *keys, const struct silent_name *peer);
/* Whether the next alarm may be told: now and then, not each time. */
bool keys_may_alarm(struct keys *keys);

#endif
