/* SPDX-License-Identifier: Apache-2.0 */
/* A credential is never compared with anything: its digest is looked up, and nobody who does not know
 * the secret can choose what that will be. */
#include "enforcement/keyring.h"

#include "base/mem.h"
#include "base/secret.h"
#include "base/sip.h"
#include "enforcement/key_text.h"

/* More of a credential is not read: no key is that long. */
enum { CREDENTIAL_MAX = 1024 };

/* ---- the ring ---- */

struct keyring *keyring_new(void)
{
    static const uint64_t seed[2] = {0, 0}; /* digests are chance already */
    struct keyring *keyring = mem_take_zero(sizeof *keyring);

    if (keyring != NULL) {
        keyring->references = 1;
        arena_init(&keyring->arena, KEYRING_ARENA_MAX);
        map_init(&keyring->by_digest, 2 * (size_t)KEYS_MAX, seed);
    }
    return keyring;
}

static struct span digest_span(const struct digest *digest)
{
    return span_make((const char *)digest->bytes, sizeof digest->bytes);
}

static enum err add(struct keyring *keyring, const struct key_entry *entry, bool is_previous)
{
    struct span digest = digest_span(is_previous ? &entry->previous : &entry->digest);
    struct key_place *place = NULL;

    if (map_find(&keyring->by_digest, digest) != NULL) {
        return ERR_RANGE;
    }
    place = arena_take(&keyring->arena, sizeof *place);
    if (place == NULL) {
        return ERR_MEMORY;
    }
    place->entry = entry;
    place->is_previous = is_previous;
    return map_add(&keyring->by_digest, &place->in_map, digest);
}

enum err keyring_close(struct keyring *keyring, struct span secret, const struct key_entry **twice)
{
    digest_key_init(&keyring->secret, secret);
    for (size_t i = 0; i < keyring->count; i++) {
        const struct key_entry *entry = &keyring->keys[i];
        enum err err = add(keyring, entry, false);

        if (err == ERR_NONE && entry->previous_until != 0) {
            err = add(keyring, entry, true);
        }
        if (err != ERR_NONE) {
            *twice = entry;
            return err == ERR_RANGE ? ERR_RANGE : ERR_MEMORY;
        }
    }
    return ERR_NONE;
}

struct keyring *keyring_take(struct keyring *keyring)
{
    must(keyring->references > 0 && keyring->references < UINT32_MAX);
    keyring->references++;
    return keyring;
}

void keyring_give(struct keyring *keyring)
{
    if (keyring == NULL) {
        return;
    }
    must(keyring->references > 0);
    keyring->references--;
    if (keyring->references > 0) {
        return;
    }
    map_fini(&keyring->by_digest);
    arena_wipe(&keyring->arena);
    arena_fini(&keyring->arena);
    secret_wipe(&keyring->secret, sizeof keyring->secret);
    mem_give(keyring, sizeof *keyring);
}

/* ---- judging ---- */

const char *key_verdict_word(enum key_verdict verdict)
{
    switch (verdict) {
    case KEY_GOOD: return "good";
    case KEY_UNKNOWN: return "unknown";
    case KEY_MISTYPED: return "mistyped";
    case KEY_REVOKED: return "revoked";
    case KEY_EARLY: return "not_yet_valid";
    case KEY_EXPIRED: return "expired";
    }
    UNREACHABLE();
}

enum key_verdict key_entry_verdict(const struct key_entry *entry, wall_ms now)
{
    if (entry->is_revoked) {
        return KEY_REVOKED;
    }
    if (now < entry->not_before) {
        return KEY_EARLY;
    }
    return entry->expires != 0 && now >= entry->expires ? KEY_EXPIRED : KEY_GOOD;
}

static enum key_verdict judge(const struct key_place *place, wall_ms now)
{
    enum key_verdict verdict = key_entry_verdict(place->entry, now);
    bool is_over = place->is_previous && now >= place->entry->previous_until;

    return verdict == KEY_GOOD && is_over ? KEY_EXPIRED : verdict;
}

static const struct key_place *look_up(const struct keyring *keyring, struct span credential)
{
    struct digest digest;
    bool is_whole = credential.len <= CREDENTIAL_MAX;
    struct map_entry *found = NULL;

    digest_hmac(&keyring->secret,
                span_make(credential.at, is_whole ? credential.len : CREDENTIAL_MAX), &digest);
    found = map_find(&keyring->by_digest, digest_span(&digest));
    return is_whole ? (const struct key_place *)(void *)found : NULL;
}

_Static_assert(offsetof(struct key_place, in_map) == 0, "look_up goes from one to the other");

/* The shape is looked at whatever was found: a revoked key takes as long to refuse as an unknown one. */
static enum key_verdict verdict_of(const struct key_place *place, struct span credential,
                                   wall_ms now, const struct key_entry **entry)
{
    bool is_mistyped = key_text_shape(credential) == KEY_SHAPE_MISTYPED;

    *entry = place == NULL ? NULL : place->entry;
    if (place == NULL) {
        return is_mistyped ? KEY_MISTYPED : KEY_UNKNOWN;
    }
    return judge(place, now);
}

enum key_verdict keyring_find(const struct keyring *keyring, struct span credential, wall_ms now,
                              const struct key_entry **entry)
{
    return verdict_of(look_up(keyring, credential), credential, now, entry);
}

/* ---- the cache ---- */

void key_cache_use(struct key_cache *cache, struct keyring *keyring)
{
    keyring_give(cache->keyring);
    cache->keyring = keyring;
    memset(cache->places, 0, sizeof cache->places);
}

enum key_verdict key_cache_find(struct key_cache *cache, struct span credential, wall_ms now,
                                const struct key_entry **entry)
{
    struct key_cached *cached = NULL;
    enum key_verdict verdict = KEY_GOOD;
    const struct key_place *place = NULL;
    uint64_t hash[2];

    sip_hash_wide(cache->seed, credential, hash);
    cached = &cache->places[hash[0] % KEY_CACHE_PLACES];
    if (cached->place != NULL && cached->hash[0] == hash[0] && cached->hash[1] == hash[1]) {
        verdict = judge(cached->place, now);
        if (verdict == KEY_GOOD) {
            *entry = cached->place->entry;
            return KEY_GOOD;
        }
        cached->place = NULL;
    }
    place = look_up(cache->keyring, credential);
    verdict = verdict_of(place, credential, now, entry);
    if (verdict == KEY_GOOD) {
        *cached = (struct key_cached){.hash = {hash[0], hash[1]}, .place = place};
    }
    return verdict;
}
