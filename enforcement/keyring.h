/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/keyring.h: the keys that callers may have, known by keyed digests alone: a credential ->
 * whose it is, and whether it holds now. Immutable once closed and counted: a running call keeps the
 * one it began with. Written by conf/keys.c only. Beside it the cache that spares known
 * credentials the digest; it belongs to one loop. Pure: time comes in. */
#ifndef ENFORCEMENT_KEYRING_H
#define ENFORCEMENT_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/map.h"
#include "enforcement/caller.h"

struct key_entry {
    struct caller caller;
    struct span id;         /* the part of the key that may be shown; empty: not known */
    struct digest digest;
    struct digest previous; /* of the key before, which holds until then; */
    wall_ms previous_until; /* 0: there is none */
    wall_ms not_before;     /* 0: always */
    wall_ms expires;        /* 0: never */
    bool is_revoked;
};

enum { KEYS_MAX = 10000, KEYRING_ARENA_MAX = 64 * 1024 * 1024 };

/* A digest and the entry that it leads to. */
struct key_place {
    struct map_entry in_map;
    const struct key_entry *entry;
    bool is_previous;
};

struct keyring {
    struct arena arena;      /* owns the entries and their texts */
    uint32_t references;
    struct digest_key secret;
    struct key_entry *keys;
    size_t count;
    struct map by_digest;    /* of key_place */
};

/* An empty one with one reference, to be filled and closed. NULL: no memory. */
struct keyring *keyring_new(void);
/* Nothing is added any more; `secret` keys the digests. ERR_MEMORY. ERR_RANGE: the digest of
 * *twice stands there a second time. */
MUST_CHECK enum err keyring_close(struct keyring *keyring, struct span secret,
                                  const struct key_entry **twice);
struct keyring *keyring_take(struct keyring *keyring);
/* NULL is allowed. */
void keyring_give(struct keyring *keyring);

/* What a credential is worth. Apps are told GOOD or not; the rest is for operators. */
enum key_verdict {
    KEY_GOOD,
    KEY_UNKNOWN,
    KEY_MISTYPED, /* written like one of ours, with a letter wrong */
    KEY_REVOKED,
    KEY_EARLY,
    KEY_EXPIRED
};
const char *key_verdict_word(enum key_verdict verdict); /* "unknown" */

/* Of the key that the entry has now; the one before it also ends with previous_until. */
enum key_verdict key_entry_verdict(const struct key_entry *entry, wall_ms now);

/* *entry: whose it is, or NULL; also with a verdict that is not good. The work is the same whatever
 * the verdict. */
enum key_verdict keyring_find(const struct keyring *keyring, struct span credential, wall_ms now,
                              const struct key_entry **entry);

enum { KEY_CACHE_PLACES = 1024 };

/* Credentials that were found, by a wide hash under a seed that nobody knows; the oldest give way. */
struct key_cache {
    uint64_t seed[2];
    struct keyring *keyring; /* a reference; NULL: there are no keys */
    struct key_cached {
        uint64_t hash[2];
        const struct key_place *place; /* NULL: free */
    } places[KEY_CACHE_PLACES];
};

/* What was known of another keyring is forgotten; the reference is taken over. NULL: none. */
void key_cache_use(struct key_cache *cache, struct keyring *keyring);
/* As keyring_find. There must be a keyring. */
enum key_verdict key_cache_find(struct key_cache *cache, struct span credential, wall_ms now,
                                const struct key_entry **entry);

#endif
