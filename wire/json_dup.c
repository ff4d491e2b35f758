/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_dup.c: the hash multiplies two words, each hidden by a key that only we know, and folds
 * the 128-bit product: who does not know the seed can neither aim at one slot nor make two names
 * look equal. Equal hashes are taken for equal names: with 63 bits that is wrong about once in
 * 10^7 documents of a million names, and then refuses a document.
 *
 * Names leave the table in the reverse order of their coming. Linear probing needs no tombstones
 * then: freeing the slot taken last restores exactly the table of before. Growing keeps this true
 * because the table is built anew in the order of the stack. */
#include "wire/json_dup.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/must.h"

enum { SLOTS_FIRST = 64 };

#define TABLED UINT64_C(1)

static uint64_t spread(uint64_t x)
{
    x ^= x >> 31;
    x *= UINT64_C(0xa0761d6478bd642f);
    x ^= x >> 29;
    x *= UINT64_C(0xe7037ed1a0b428db);
    return x ^ x >> 32;
}

void json_dup_begin(struct json_dup *dup, uint64_t seed)
{
    json_dup_fini(dup);
    dup->key[0] = spread(seed + UINT64_C(0x9e3779b97f4a7c15));
    dup->key[1] = spread(seed ^ UINT64_C(0x8ebc6af09c88c6e3));
    dup->key[2] = spread(dup->key[0] + UINT64_C(0x589965cc75374cc3)) | 1;
}

void json_dup_fini(struct json_dup *dup)
{
    if (dup->names != dup->fixed) {
        mem_give(dup->names, dup->names_cap * sizeof *dup->names);
    }
    mem_give(dup->slots, dup->slots_cap * sizeof *dup->slots);
    dup->names = dup->fixed;
    dup->names_count = 0;
    dup->names_cap = JSON_DUP_FIXED;
    dup->slots = NULL;
    dup->slots_cap = 0;
    dup->slots_used = 0;
}

static uint64_t load64(const char *p)
{
    uint64_t word = 0;

    memcpy(&word, p, sizeof word);
    return word;
}

static uint32_t load32(const char *p)
{
    uint32_t word = 0;

    memcpy(&word, p, sizeof word);
    return word;
}

/* Up to seven bytes as one word; different texts of one length give different words. */
static uint64_t load_short(struct span s)
{
    if (s.len >= 4) {
        return (uint64_t)load32(s.at) << 32 | load32(s.at + s.len - 4);
    }
    if (s.len == 0) {
        return 0;
    }
    return (uint64_t)(unsigned char)s.at[0] << 16 | (uint64_t)(unsigned char)s.at[s.len / 2] << 8 |
           (unsigned char)s.at[s.len - 1];
}

/* Both halves of the 128-bit product, folded. In halves, as C17 has no such type. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
    uint64_t middle = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
    uint64_t other = (a & UINT32_MAX) * (b >> 32) + (middle & UINT32_MAX);
    uint64_t high = (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32);

    return high ^ (other << 32 | (low & UINT32_MAX));
}

static uint64_t hash_name(const struct json_dup *dup, size_t depth, struct span name)
{
    uint64_t chain = dup->key[0] + name.len * dup->key[2];
    uint64_t first = 0;
    uint64_t last = 0;
    struct span rest = name;

    while (rest.len > 16) {
        chain = fold(load64(rest.at) ^ dup->key[1], load64(rest.at + 8) ^ chain);
        rest = span_from(rest, 16);
    }
    if (name.len >= 16) {
        first = load64(name.at + name.len - 16);
        last = load64(name.at + name.len - 8);
    } else if (name.len >= 8) {
        first = load64(name.at);
        last = load64(name.at + name.len - 8);
    } else {
        first = load_short(name);
    }
    return (fold(first ^ dup->key[1], last ^ chain) ^ depth * dup->key[2]) & ~TABLED;
}

static bool grow_names(struct json_dup *dup)
{
    size_t size = dup->names_cap * sizeof *dup->names;
    uint64_t *names = NULL;

    if (dup->names == dup->fixed) {
        names = mem_take(2 * size);
        if (names != NULL) {
            memcpy(names, dup->fixed, size);
        }
    } else {
        names = mem_resize(dup->names, size, 2 * size);
    }
    if (names == NULL) {
        return false;
    }
    dup->names = names;
    dup->names_cap *= 2;
    return true;
}

/* The slot of this hash, or the free one where it belongs. At least half of the slots are free. */
static uint64_t *slot_of(const struct json_dup *dup, uint64_t hash)
{
    size_t mask = dup->slots_cap - 1;
    size_t at = (size_t)(hash >> 1) & mask;

    while (dup->slots[at] != 0 && dup->slots[at] != (hash | TABLED)) {
        at = (at + 1) & mask;
    }
    return &dup->slots[at];
}

static bool grow_slots(struct json_dup *dup)
{
    size_t cap = dup->slots_cap == 0 ? SLOTS_FIRST : 2 * dup->slots_cap;
    uint64_t *slots = mem_take_zero(cap * sizeof *slots);

    if (slots == NULL) {
        return false;
    }
    mem_give(dup->slots, dup->slots_cap * sizeof *dup->slots);
    dup->slots = slots;
    dup->slots_cap = cap;
    for (size_t i = 0; i < dup->names_count; i++) {
        if ((dup->names[i] & TABLED) != 0) {
            *slot_of(dup, dup->names[i]) = dup->names[i];
        }
    }
    return true;
}

static enum json_dup_answer add_to_table(struct json_dup *dup, uint64_t hash)
{
    uint64_t *slot = NULL;

    if (2 * (dup->slots_used + 1) > dup->slots_cap && !grow_slots(dup)) {
        return JSON_DUP_NO_MEMORY;
    }
    slot = slot_of(dup, hash);
    if (*slot != 0) {
        return JSON_DUP_SEEN;
    }
    *slot = hash | TABLED;
    dup->slots_used++;
    return JSON_DUP_NEW;
}

static bool has_name(const struct json_dup *dup, const struct json_dup_object *object,
                     uint64_t hash)
{
    for (size_t i = object->first; i < dup->names_count; i++) {
        if (dup->names[i] == hash) {
            return true;
        }
    }
    return false;
}

/* The object has become large: its names go to the table. They are known to differ, so the answer
 * can only be that memory is lacking. */
static bool move_to_table(struct json_dup *dup, struct json_dup_object *object)
{
    object->is_tabled = true;
    for (size_t i = object->first; i < dup->names_count; i++) {
        if (add_to_table(dup, dup->names[i]) == JSON_DUP_NO_MEMORY) {
            return false;
        }
        dup->names[i] |= TABLED;
    }
    return true;
}

enum json_dup_answer json_dup_add(struct json_dup *dup, struct json_dup_object *object,
                                  size_t depth, struct span name)
{
    uint64_t hash = hash_name(dup, depth, name);
    enum json_dup_answer answer = JSON_DUP_NEW;

    if (!object->is_tabled) {
        if (has_name(dup, object, hash)) {
            return JSON_DUP_SEEN;
        }
        if (dup->names_count - object->first == JSON_DUP_LINEAR && !move_to_table(dup, object)) {
            return JSON_DUP_NO_MEMORY;
        }
    }
    if (object->is_tabled) {
        answer = add_to_table(dup, hash);
        hash |= TABLED;
    }
    if (answer != JSON_DUP_NEW) {
        return answer;
    }
    if (dup->names_count == dup->names_cap && !grow_names(dup)) {
        return JSON_DUP_NO_MEMORY;
    }
    dup->names[dup->names_count++] = hash;
    return JSON_DUP_NEW;
}

void json_dup_close(struct json_dup *dup, const struct json_dup_object *object)
{
    if (object->is_tabled) {
        for (size_t i = dup->names_count; i > object->first; i--) {
            *slot_of(dup, dup->names[i - 1]) = 0;
        }
        dup->slots_used -= dup->names_count - object->first;
    }
    dup->names_count = object->first;
}
