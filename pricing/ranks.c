/* SPDX-License-Identifier: Apache-2.0 */
#include "pricing/ranks.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"

enum {
    RANKS_BITS = 18, /* of a rank plus one, in a slot */
    PAIRS = 256 * 256
};

_Static_assert(RANKS_MAX < (1 << RANKS_BITS), "a rank fits beside its tag");

static uint64_t load(const char *at, size_t len)
{
    uint64_t word = 0;

    memcpy(&word, at, len);
    return word;
}

/* Eight bytes at a time; the last word overlaps, so that nothing is read past the end. Tables are
 * fixed and texts only look things up, so no seed is needed: RANKS_PROBES_MAX bounds the search. */
static inline uint64_t hash_of(const char *at, size_t len)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = len * odd;

    if (len >= 8) {
        for (size_t i = 0; i + 8 < len; i += 8) {
            hash = (hash ^ load(at + i, 8)) * odd;
            hash ^= hash >> 29;
        }
        hash ^= load(at + len - 8, 8);
    } else if (len >= 4) {
        hash ^= load(at, 4) | load(at + len - 4, 4) << 32;
    } else {
        hash ^= (uint64_t)(unsigned char)at[0] | (uint64_t)(unsigned char)at[len / 2] << 8 |
                (uint64_t)(unsigned char)at[len - 1] << 16;
    }
    hash *= UINT64_C(0xd6e8feb86659fd93);
    hash ^= hash >> 32;
    hash *= odd;
    return hash ^ hash >> 29;
}

uint64_t ranks_hash(struct span bytes)
{
    return hash_of(bytes.at, bytes.len);
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32) & ~((UINT32_C(1) << RANKS_BITS) - 1);
}

static struct span token(const struct ranks *ranks, uint32_t rank)
{
    uint32_t from = rank == 0 ? 0 : ranks->ends[rank - 1];

    return span_make(ranks->bytes + from, ranks->ends[rank] - from);
}

/* Looks until these bytes or an empty slot are found; says where it stopped. */
static uint32_t search(const struct ranks *ranks, struct span bytes, uint64_t hash, size_t *at)
{
    size_t mask = ranks->slots_count - 1;
    size_t i = (size_t)hash & mask;
    uint32_t tag = tag_of(hash);

    for (; ranks->slots[i] != 0; i = (i + 1) & mask) {
        uint32_t slot = ranks->slots[i];

        if ((slot ^ tag) >> RANKS_BITS == 0) {
            uint32_t rank = (slot & ((UINT32_C(1) << RANKS_BITS) - 1)) - 1;

            if (span_equal(token(ranks, rank), bytes)) {
                *at = i;
                return rank;
            }
        }
    }
    *at = i;
    return RANK_NONE;
}

uint32_t ranks_find(const struct ranks *ranks, const char *at, size_t len)
{
    size_t place = 0;

    if (len == 1) {
        return ranks->single[(unsigned char)*at];
    }
    if (len == 2) {
        return ranks->pairs[(unsigned char)at[0] << 8 | (unsigned char)at[1]];
    }
    if (len > ranks->longest) {
        return RANK_NONE;
    }
    return search(ranks, span_make(at, len), hash_of(at, len), &place);
}

void ranks_fini(struct ranks *ranks)
{
    mem_give(ranks->bytes, ranks->bytes_size);
    mem_give(ranks->ends, ranks->count * sizeof *ranks->ends);
    mem_give(ranks->slots, ranks->slots_count * sizeof *ranks->slots);
    mem_give(ranks->pairs, PAIRS * sizeof *ranks->pairs);
    memset(ranks, 0, sizeof *ranks);
}

/* ---- the file ---- */

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+') {
        return 62;
    }
    return c == '/' ? 63 : -1;
}

/* Decodes `text` to `out`, which has room for three bytes out of four. 0: not base64, or padded in
 * another way than the one right one. */
static size_t base64_read(struct span text, char *out)
{
    size_t pad = span_ends(text, SPAN_OF("==")) ? 2 : (span_ends(text, SPAN_OF("=")) ? 1 : 0);
    size_t len = 0;
    uint32_t bits = 0;

    if (text.len == 0 || text.len % 4 != 0) {
        return 0;
    }
    for (size_t i = 0; i < text.len - pad; i++) {
        int digit = base64_digit(text.at[i]);

        if (digit < 0) {
            return 0;
        }
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0) {
            out[len++] = (char)(unsigned char)(bits >> (6 - 2 * (i % 4)));
        }
    }
    /* What the padding cuts off must be zero. */
    return pad > 0 && (bits & ((UINT32_C(1) << (2 * pad)) - 1)) != 0 ? 0 : len;
}

/* Enters the token whose bytes stand at the end of all others. */
static enum err enter(struct ranks *ranks, uint32_t rank, struct span bytes, struct why *why)
{
    size_t place = 0;
    uint64_t hash = hash_of(bytes.at, bytes.len);
    size_t home = (size_t)hash & (ranks->slots_count - 1);

    if (search(ranks, bytes, hash, &place) != RANK_NONE) {
        why_set(why, "rank %u: its token is there twice", (unsigned)rank);
        return ERR_FORMAT;
    }
    if (((place - home) & (ranks->slots_count - 1)) > RANKS_PROBES_MAX) {
        why_set(why, "rank %u: too many tokens with one hash", (unsigned)rank);
        return ERR_CEILING;
    }
    ranks->slots[place] = tag_of(hash) | (rank + 1);
    if (bytes.len == 1) {
        ranks->single[(unsigned char)bytes.at[0]] = rank;
    }
    if (bytes.len == 2) {
        ranks->pairs[(unsigned char)bytes.at[0] << 8 | (unsigned char)bytes.at[1]] = rank;
    }
    ranks->longest = bytes.len > ranks->longest ? (uint32_t)bytes.len : ranks->longest;
    return ERR_NONE;
}

/* One line without its end: token and rank. `used` grows by the token's bytes. */
static enum err read_line(struct ranks *ranks, uint32_t rank, struct span line, size_t *used,
                          struct why *why)
{
    struct span code = span_cut(&line, ' ');
    uint64_t number = 0;
    size_t len = 0;

    if (code.len > (RANKS_TOKEN_MAX + 2) / 3 * 4) {
        why_set(why, "rank %u: a token of more than %d bytes", (unsigned)rank, RANKS_TOKEN_MAX);
        return ERR_CEILING;
    }
    len = base64_read(code, ranks->bytes + *used);
    if (len == 0 || line.at == NULL || text_read_u64(line, &number) != ERR_NONE) {
        why_set(why, "line %u is not \"base64 rank\"", (unsigned)rank + 1);
        return ERR_FORMAT;
    }
    if (len > RANKS_TOKEN_MAX) {
        why_set(why, "rank %u: a token of more than %d bytes", (unsigned)rank, RANKS_TOKEN_MAX);
        return ERR_CEILING;
    }
    if (number != rank) {
        why_set(why, "line %u does not have rank %u", (unsigned)rank + 1, (unsigned)rank);
        return ERR_FORMAT;
    }
    *used += len;
    ranks->ends[rank] = (uint32_t)*used;
    return enter(ranks, rank, span_make(ranks->bytes + *used - len, len), why);
}

static uint32_t count_lines(struct span file)
{
    uint32_t count = 0;
    struct span rest = file;

    while (rest.len > 0) {
        (void)span_cut(&rest, '\n');
        count++;
    }
    return count;
}

static enum err take_memory(struct ranks *ranks, struct span file)
{
    ranks->slots_count = 1024;
    while (ranks->slots_count < 2 * (size_t)ranks->count) {
        ranks->slots_count *= 2;
    }
    /* Base64 is longer than what it stands for; the rest of the block is given back at the end. */
    ranks->bytes_size = file.len;
    ranks->bytes = mem_take(ranks->bytes_size);
    ranks->ends = mem_take(ranks->count * sizeof *ranks->ends);
    ranks->slots = mem_take_zero(ranks->slots_count * sizeof *ranks->slots);
    ranks->pairs = mem_take(PAIRS * sizeof *ranks->pairs);
    if (ranks->bytes == NULL || ranks->ends == NULL || ranks->slots == NULL ||
        ranks->pairs == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < PAIRS; i++) {
        ranks->pairs[i] = RANK_NONE;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(ranks->single); i++) {
        ranks->single[i] = RANK_NONE;
    }
    return ERR_NONE;
}

/* Every byte is a token, and the bytes are in a block of their size. */
static enum err finish(struct ranks *ranks, size_t used, struct why *why)
{
    char *bytes = NULL;

    for (size_t i = 0; i < ARRAY_LENGTH(ranks->single); i++) {
        if (ranks->single[i] == RANK_NONE) {
            why_set(why, "the byte %zu is no token", i);
            return ERR_FORMAT;
        }
    }
    bytes = mem_resize(ranks->bytes, ranks->bytes_size, used);
    if (bytes == NULL) {
        return ERR_MEMORY;
    }
    ranks->bytes = bytes;
    ranks->bytes_size = used;
    return ERR_NONE;
}

enum err ranks_read(struct ranks *ranks, struct span file, struct why *why)
{
    enum err err = ERR_NONE;
    struct span rest = file;
    size_t used = 0;

    memset(ranks, 0, sizeof *ranks);
    why_set(why, "%s", err_text(ERR_MEMORY));
    if (file.len > RANKS_FILE_MAX) {
        why_set(why, "more than %d bytes", RANKS_FILE_MAX);
        return ERR_CEILING;
    }
    ranks->count = count_lines(file);
    if (ranks->count == 0 || ranks->count > RANKS_MAX) {
        why_set(why, "%u tokens (1 to %d)", (unsigned)ranks->count, RANKS_MAX);
        err = ranks->count == 0 ? ERR_FORMAT : ERR_CEILING;
        memset(ranks, 0, sizeof *ranks);
        return err;
    }
    err = take_memory(ranks, file);
    for (uint32_t rank = 0; err == ERR_NONE && rank < ranks->count; rank++) {
        err = read_line(ranks, rank, span_cut(&rest, '\n'), &used, why);
    }
    if (err == ERR_NONE) {
        err = finish(ranks, used, why);
    }
    if (err != ERR_NONE) {
        ranks_fini(ranks);
    }
    return err;
}
