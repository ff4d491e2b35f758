/* SPDX-License-Identifier: Apache-2.0 */
/* A ratio is tokens * 2^16 / bytes, averaged so that the latest answers count most, and beside it
 * how far answers were off on average, which is what the error is told from. The first answers
 * weigh as much as there are of them: the default is forgotten with the first one. */
#include "pricing/guess.h"

#include "base/mem.h"
#include "base/sip.h"

enum {
    SETS = 256, /* of WAYS places each: 1,024 models in all */
    WAYS = 4,
    MEMORY = 32, /* answers: the weight of the past never grows beyond this */
    RATIO_ONE = 1 << 16,
    ERROR_FACTOR = 3, /* of the average distance: covers about 19 of 20 */
    ERROR_MIN = 20,
    ERROR_DEFAULT = 1000,
    LEARNED_MIN = 3 /* answers before an error is told */
};
/* Larger ones are no request and no answer; products stay far below 2^63. */
#define BYTES_MAX  ((uint64_t)1 << 36)
#define TOKENS_MAX ((int64_t)1 << 31)

_Static_assert((int)GUESS_ONE_ANSWER == (int)RATIO_ONE, "a length is a ratio to one answer");

struct ratio {
    uint32_t value;    /* tokens * 2^16 / bytes */
    uint32_t distance; /* how far answers were from it, in the same measure */
    uint16_t seen;     /* up to MEMORY */
};

struct place {
    uint64_t key; /* of provider and model; 0: empty */
    uint64_t used;
    struct ratio ratios[GUESS_KINDS];
};

struct guesses {
    uint64_t seed;
    uint64_t turn;
    struct place places[SETS][WAYS];
};

struct guesses *guesses_new(uint64_t seed)
{
    struct guesses *guesses = mem_take_zero(sizeof *guesses);

    if (guesses != NULL) {
        guesses->seed = seed;
    }
    return guesses;
}

void guesses_free(struct guesses *guesses)
{
    mem_give(guesses, sizeof *guesses);
}

uint64_t guesses_key(const struct guesses *guesses, struct span provider, struct span model)
{
    const uint64_t outer[2] = {guesses->seed, 0};
    const uint64_t inner[2] = {guesses->seed, sip_hash(outer, provider)};
    uint64_t key = sip_hash(inner, model);

    return key == 0 ? 1 : key;
}

static const struct place *find(const struct guesses *guesses, uint64_t key)
{
    const struct place *set = guesses->places[key % SETS];

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            return &set[i];
        }
    }
    return NULL;
}

static struct place *take(struct guesses *guesses, uint64_t key)
{
    struct place *set = guesses->places[key % SETS];
    struct place *oldest = &set[0];

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            return &set[i];
        }
        if (set[i].used < oldest->used) {
            oldest = &set[i];
        }
    }
    *oldest = (struct place){.key = key};
    return oldest;
}

static uint32_t distance_of(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

/* Moves `mean` by one part in `weight` towards `to`. */
static uint32_t moved(uint32_t mean, uint32_t to, uint32_t weight)
{
    return to > mean ? mean + (to - mean) / weight : mean - (mean - to) / weight;
}

static void ratio_learn(struct ratio *ratio, uint32_t value)
{
    uint32_t weight = ratio->seen < MEMORY ? ratio->seen + 1u : MEMORY;
    uint32_t distance = distance_of(value, ratio->value);

    if (ratio->seen > 0) { /* the first one has nothing to be far from */
        uint32_t others = weight > 1 ? weight - 1 : 1;
        ratio->distance = moved(ratio->distance, distance, others);
    }
    ratio->value = ratio->seen == 0 ? value : moved(ratio->value, value, weight);
    if (ratio->seen < MEMORY) {
        ratio->seen++;
    }
}

void guesses_learn(struct guesses *guesses, uint64_t key, enum guess_kind kind, uint64_t bytes,
                   int64_t tokens)
{
    struct place *place = NULL;
    uint64_t value = 0;

    if (bytes == 0 || bytes > BYTES_MAX || tokens <= 0 || tokens > TOKENS_MAX) {
        return;
    }
    value = (uint64_t)tokens * RATIO_ONE / bytes;
    if (value == 0 || value > (uint64_t)64 * RATIO_ONE) {
        return; /* no text has so many tokens in a byte: a prompt kept elsewhere, hidden reasoning
                 */
    }
    place = take(guesses, key);
    place->used = ++guesses->turn;
    ratio_learn(&place->ratios[kind], (uint32_t)value);
}

/* Before anything is known: four bytes a token in requests (wire/estimate.c says why), and in
 * answers what their wrapping leaves of that. */
static uint32_t default_ratio(enum guess_kind kind)
{
    switch (kind) {
    case GUESS_INPUT: return RATIO_ONE / 4;
    case GUESS_STREAM: return RATIO_ONE / 160;
    case GUESS_WHOLE: return RATIO_ONE / 6;
    case GUESS_LENGTH: return 1024; /* as wire/estimate.c has it */
    case GUESS_KINDS: break;
    }
    return 0;
}

static uint32_t error_of(const struct ratio *ratio)
{
    uint64_t error = (uint64_t)ratio->distance * ERROR_FACTOR * 1000 / ratio->value;

    if (ratio->seen < LEARNED_MIN) {
        return ERROR_DEFAULT;
    }
    return error < ERROR_MIN ? ERROR_MIN : error > ERROR_DEFAULT ? ERROR_DEFAULT : (uint32_t)error;
}

struct guess guesses_tokens(const struct guesses *guesses, uint64_t key, enum guess_kind kind,
                            uint64_t bytes)
{
    const struct place *place = find(guesses, key);
    struct guess guess = {.error_permille = ERROR_DEFAULT};
    uint32_t value = default_ratio(kind);

    if (place != NULL && place->ratios[kind].seen > 0) {
        value = place->ratios[kind].value;
        guess.error_permille = error_of(&place->ratios[kind]);
        guess.is_learned = place->ratios[kind].seen >= LEARNED_MIN;
    }
    if (bytes > BYTES_MAX) {
        bytes = BYTES_MAX;
    }
    guess.tokens = (int64_t)((bytes * value + RATIO_ONE - 1) / RATIO_ONE);
    return guess;
}
