/* SPDX-License-Identifier: Apache-2.0 */
#include "pricing/merge.h"

#include <string.h>

#include "base/must.h"

enum { PLACE_BITS = 16 };

/* ---- short pieces ---- */

/* The parts of a short piece: where each begins, and the rank of it joined with its follower. */
struct parts {
    uint8_t from[MERGE_SHORT_MAX + 1]; /* one more: the end */
    uint32_t rank[MERGE_SHORT_MAX];
    uint32_t count;
};

static uint32_t lowest(const struct parts *parts)
{
    uint32_t at = 0;

    for (uint32_t i = 1; i < parts->count; i++) {
        if (parts->rank[i] < parts->rank[at]) {
            at = i;
        }
    }
    return at;
}

/* The rank of part i and its follower as one; RANK_NONE for the last part. */
static uint32_t joined(const struct ranks *ranks, struct span piece, const struct parts *parts,
                       uint32_t i)
{
    uint32_t from = parts->from[i];

    if (i + 2 > parts->count) {
        return RANK_NONE;
    }
    return ranks_find(ranks, piece.at + from, (size_t)(parts->from[i + 2] - from));
}

static uint32_t merge_short(const struct ranks *ranks, struct span piece, struct merge_room *room)
{
    struct parts parts = {.count = (uint32_t)piece.len};

    for (uint32_t i = 0; i <= parts.count; i++) {
        parts.from[i] = (uint8_t)i;
    }
    for (uint32_t i = 0; i < parts.count; i++) {
        parts.rank[i] = joined(ranks, piece, &parts, i);
    }
    for (uint32_t i = lowest(&parts); parts.rank[i] != RANK_NONE; i = lowest(&parts)) {
        uint32_t behind = parts.count - i - 2;

        memmove(parts.from + i + 1, parts.from + i + 2, behind + 1);
        memmove(parts.rank + i + 1, parts.rank + i + 2, behind * sizeof parts.rank[0]);
        parts.count--;
        parts.rank[i] = joined(ranks, piece, &parts, i);
        if (i > 0) {
            parts.rank[i - 1] = joined(ranks, piece, &parts, i - 1);
        }
    }
    for (uint32_t i = 0; i < parts.count; i++) {
        room->next[parts.from[i]] = parts.from[i + 1];
    }
    return parts.count;
}

/* ---- long pieces: a linked list of parts, and a heap of their pairs ----
 *
 * An entry of the heap is rank and place in one number, so the lowest one is the leftmost of the
 * lowest rank. Entries are not taken out when a merge makes them stale: at one place a rank never
 * comes back (the pair only grows), so an entry is stale exactly if its rank is not the place's. */

static void heap_sink(struct merge_room *room, uint32_t i)
{
    uint64_t entry = room->heap[i];

    for (uint32_t child = 2 * i + 1; child < room->heap_count; child = 2 * i + 1) {
        if (child + 1 < room->heap_count && room->heap[child + 1] < room->heap[child]) {
            child++;
        }
        if (entry <= room->heap[child]) {
            break;
        }
        room->heap[i] = room->heap[child];
        i = child;
    }
    room->heap[i] = entry;
}

static uint64_t heap_pop(struct merge_room *room)
{
    uint64_t top = room->heap[0];

    room->heap_count--;
    if (room->heap_count > 0) {
        room->heap[0] = room->heap[room->heap_count];
        heap_sink(room, 0);
    }
    return top;
}

static void heap_push(struct merge_room *room, uint64_t entry)
{
    uint32_t i = room->heap_count++;

    must(i < ARRAY_LENGTH(room->heap));
    while (i > 0 && entry < room->heap[(i - 1) / 2]) {
        room->heap[i] = room->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    room->heap[i] = entry;
}

static uint64_t heap_entry(uint32_t rank, uint32_t place)
{
    return (uint64_t)rank << PLACE_BITS | place;
}

/* The rank of the part at `from` with its follower; RANK_NONE for the last part. */
static uint32_t joined_at(const struct ranks *ranks, struct span piece,
                          const struct merge_room *room, uint32_t from)
{
    uint32_t middle = room->next[from];

    if (middle == piece.len) {
        return RANK_NONE;
    }
    return ranks_find(ranks, piece.at + from, (size_t)(room->next[middle] - from));
}

static void begin(const struct ranks *ranks, struct span piece, struct merge_room *room)
{
    uint32_t len = (uint32_t)piece.len;

    room->heap_count = 0;
    for (uint32_t i = 0; i < len; i++) {
        room->next[i] = (uint16_t)(i + 1);
        room->before[i + 1] = (uint16_t)i;
    }
    for (uint32_t i = 0; i < len; i++) {
        room->rank[i] = joined_at(ranks, piece, room, i);
        if (room->rank[i] != RANK_NONE) {
            room->heap[room->heap_count++] = heap_entry(room->rank[i], i);
        }
    }
    for (uint32_t i = room->heap_count / 2; i > 0; i--) {
        heap_sink(room, i - 1);
    }
}

static void look_again(const struct ranks *ranks, struct span piece, struct merge_room *room,
                       uint32_t from)
{
    room->rank[from] = joined_at(ranks, piece, room, from);
    if (room->rank[from] != RANK_NONE) {
        heap_push(room, heap_entry(room->rank[from], from));
    }
}

static uint32_t merge_long(const struct ranks *ranks, struct span piece, struct merge_room *room)
{
    uint32_t count = (uint32_t)piece.len;

    begin(ranks, piece, room);
    while (room->heap_count > 0) {
        uint64_t entry = heap_pop(room);
        uint32_t from = (uint32_t)(entry & ((UINT64_C(1) << PLACE_BITS) - 1));
        uint32_t gone = room->next[from];

        if (room->rank[from] != entry >> PLACE_BITS) {
            continue;
        }
        room->next[from] = room->next[gone];
        room->before[room->next[gone]] = (uint16_t)from;
        room->rank[gone] = RANK_NONE;
        count--;
        look_again(ranks, piece, room, from);
        if (from > 0) {
            look_again(ranks, piece, room, room->before[from]);
        }
    }
    return count;
}

uint32_t merge_piece(const struct ranks *ranks, struct span piece, struct merge_room *room)
{
    must(piece.len > 0 && piece.len <= MERGE_LONG_MAX);
    return piece.len <= MERGE_SHORT_MAX ? merge_short(ranks, piece, room)
                                        : merge_long(ranks, piece, room);
}
