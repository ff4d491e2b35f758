/* SPDX-License-Identifier: Apache-2.0 */
/* keys [tries]: how long a key that does not hold takes to refuse, by what is wrong with it: whoever
 * measures it must not learn how near a guess was. The kinds take turns, a batch each; of each its mean in
 * ns, what it differs from a key that nobody has, and by how much chance alone would let it differ
 * (three standard errors). */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "base/rng.h"
#include "enforcement/key_text.h"
#include "enforcement/keyring.h"

enum { KEYS = 1000, BATCH = 50, TRIES_DEFAULT = 1000000, NOW = 1000000 };
#define SECRET SPAN_OF("a secret of this bench")

enum kind { UNKNOWN, LAST_LETTER, FIRST_LETTER, OTHER_SHAPE, REVOKED, EXPIRED, EARLY, KINDS };

static const char *const names[KINDS] = {
    "nobody's",       "its last letter wrong", "its first letter of chance wrong", "not of our shape",
    "revoked",        "expired",               "not yet valid"};

static const enum key_verdict verdicts[KINDS] = {KEY_UNKNOWN, KEY_MISTYPED, KEY_MISTYPED, KEY_UNKNOWN,
                                                 KEY_REVOKED, KEY_EXPIRED,  KEY_EARLY};

struct sum {
    double mean;
    double squares; /* of the distances from it (Welford) */
    uint64_t count;
};

static char texts[KEYS][KEY_TEXT_LENGTH];
static char strangers[KEYS][KEY_TEXT_LENGTH];
static struct key_cache cache;
static struct sum sums[KINDS];

static void spell(struct rng *rng, char text[KEY_TEXT_LENGTH])
{
    unsigned char chance[KEY_CHANCE_BYTES];

    do {
        for (size_t i = 0; i < sizeof chance; i++) {
            chance[i] = (unsigned char)rng_u64(rng);
        }
    } while (!key_text_make(chance, text));
}

/* By the remainder of its number a key is revoked, expired, early or good. */
static struct key_entry entry_of(size_t i, const struct digest_key *secret)
{
    struct key_entry entry = {.caller = {.name = SPAN("k")}};

    digest_hmac(secret, span_make(texts[i], KEY_TEXT_LENGTH), &entry.digest);
    entry.is_revoked = i % 4 == 0;
    entry.expires = i % 4 == 1 ? NOW : 0;
    entry.not_before = i % 4 == 2 ? NOW + 1 : 0;
    return entry;
}

static void prepare(struct rng *rng)
{
    struct keyring *ring = keyring_new();
    const struct key_entry *twice = NULL;
    struct digest_key secret;
    struct key_entry *list = NULL;

    must(ring != NULL);
    list = arena_take(&ring->arena, KEYS * sizeof *list);
    must(list != NULL);
    digest_key_init(&secret, SECRET);
    for (size_t i = 0; i < KEYS; i++) {
        spell(rng, texts[i]);
        spell(rng, strangers[i]);
        list[i] = entry_of(i, &secret);
    }
    ring->keys = list;
    ring->count = KEYS;
    must(keyring_close(ring, SECRET, &twice) == ERR_NONE);
    key_cache_use(&cache, ring);
}

/* A key of this kind. */
static void pick(enum kind kind, struct rng *rng, char text[KEY_TEXT_LENGTH])
{
    size_t four = rng_below(rng, KEYS / 4) * 4;
    const char *from = kind == UNKNOWN || kind == OTHER_SHAPE ? strangers[four]
                       : kind == REVOKED                      ? texts[four]
                       : kind == EXPIRED                      ? texts[four + 1]
                       : kind == EARLY                        ? texts[four + 2]
                                                              : texts[four + 3];
    size_t wrong = kind == LAST_LETTER    ? KEY_TEXT_LENGTH - 1
                   : kind == FIRST_LETTER ? KEY_ID_AT + KEY_ID_LENGTH + 1
                                          : KEY_TEXT_LENGTH;

    memcpy(text, from, KEY_TEXT_LENGTH);
    if (wrong < KEY_TEXT_LENGTH) {
        text[wrong] = text[wrong] == 'a' ? 'b' : 'a';
    }
    if (kind == OTHER_SHAPE) {
        memcpy(text, "sk-", 3);
    }
}

static double now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void batch(enum kind kind, struct rng *rng)
{
    char list[BATCH][KEY_TEXT_LENGTH];
    const struct key_entry *entry = NULL;
    struct sum *sum = &sums[kind];
    double took = 0;

    for (size_t i = 0; i < BATCH; i++) {
        pick(kind, rng, list[i]);
    }
    took = now_ns();
    for (size_t i = 0; i < BATCH; i++) {
        must(key_cache_find(&cache, span_make(list[i], KEY_TEXT_LENGTH), NOW, &entry) == verdicts[kind]);
    }
    took = (now_ns() - took) / BATCH;
    if (took < 10000) { /* else somebody else had the processor */
        double before = took - sum->mean;

        sum->count++;
        sum->mean += before / (double)sum->count;
        sum->squares += before * (took - sum->mean);
    }
}

static double error_of(const struct sum *sum)
{
    return sqrt(sum->squares / (double)(sum->count - 1) / (double)sum->count);
}

int main(int argc, char **argv)
{
    long tries = argc > 1 ? strtol(argv[1], NULL, 10) : TRIES_DEFAULT;
    struct rng rng;

    if (tries < BATCH * 10) {
        (void)fprintf(stderr, "usage: keys [tries], at least %d of each kind\n", BATCH * 10);
        return 64;
    }
    rng_init(&rng, 1, 1);
    prepare(&rng);
    for (long i = 0; i < tries / BATCH; i++) {
        for (size_t kind = 0; kind < KINDS; kind++) {
            batch((enum kind)((kind + (size_t)i) % KINDS), &rng);
        }
    }
    (void)printf("%-34s %10s %8s %12s %8s\n", "a key that is", "tries", "ns", "differs by", "chance");
    for (size_t kind = 0; kind < KINDS; kind++) {
        const struct sum *sum = &sums[kind];

        must(sum->count > 1);
        (void)printf("%-34s %10llu %8.1f %12.1f %8.1f\n", names[kind], (unsigned long long)sum->count * BATCH, sum->mean, sum->mean - sums[UNKNOWN].mean,
                     3 * hypot(error_of(sum), error_of(&sums[UNKNOWN])));
    }
    key_cache_use(&cache, NULL);
    return 0;
}
