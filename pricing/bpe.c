/* SPDX-License-Identifier: Apache-2.0 */
#include "pricing/bpe.h"

#include <string.h>

#include "base/mem.h"
#include "pricing/merge.h"
#include "pricing/ranks.h"
#include "pricing/split.h"

struct bpe {
    struct ranks ranks;
    enum bpe_family family;
};

struct bpe_room {
    struct merge_room merge;
    uint64_t cuts;
};

/* Where ids go; none are wanted when `max` is 0. */
struct ids {
    uint32_t *at;
    size_t max;
};

static const struct {
    const char *name;
    enum split_pattern pattern;
    uint32_t count;
} families[] = {
    [BPE_CL100K] = {"cl100k_base", SPLIT_CL100K, 100256},
    [BPE_O200K] = {"o200k_base", SPLIT_O200K, 199998},
};

struct bpe *bpe_new(struct span ranks, enum bpe_family family, struct why *why)
{
    struct bpe *bpe = mem_take_zero(sizeof *bpe);

    if (bpe == NULL) {
        why_set(why, "%s", err_text(ERR_MEMORY));
        return NULL;
    }
    bpe->family = family;
    if (ranks_read(&bpe->ranks, ranks, why) != ERR_NONE) {
        mem_give(bpe, sizeof *bpe);
        return NULL;
    }
    return bpe;
}

void bpe_free(struct bpe *bpe)
{
    if (bpe != NULL) {
        ranks_fini(&bpe->ranks);
        mem_give(bpe, sizeof *bpe);
    }
}

const char *bpe_family_name(enum bpe_family family)
{
    return families[family].name;
}

bool bpe_is_published(const struct bpe *bpe)
{
    return bpe->ranks.count == families[bpe->family].count;
}

struct bpe_room *bpe_room_new(void)
{
    return mem_take_zero(sizeof(struct bpe_room));
}

void bpe_room_free(struct bpe_room *room)
{
    mem_give(room, sizeof *room);
}

uint64_t bpe_room_cuts(const struct bpe_room *room)
{
    return room->cuts;
}

/* The ids of a merged piece: each of its parts is a token. */
static void put_ids(const struct ranks *ranks, struct span piece, const struct merge_room *merge,
                    uint64_t count, struct ids ids)
{
    for (size_t from = 0; from < piece.len; from = merge->next[from]) {
        if (count >= ids.max) {
            return;
        }
        ids.at[count++] = ranks_find(ranks, piece.at + from, merge->next[from] - from);
    }
}

/* `count` grows by the tokens of a piece that is no token as a whole. */
static uint64_t count_merged(const struct bpe *bpe, struct bpe_room *room, struct span piece,
                             uint64_t count, struct ids ids)
{
    while (piece.len > 0) {
        struct span part = piece;

        if (part.len > MERGE_LONG_MAX) {
            part.len = MERGE_LONG_MAX;
            room->cuts++;
        }
        piece = span_from(piece, part.len);
        {
            uint32_t more = merge_piece(&bpe->ranks, part, &room->merge);

            if (count < ids.max) {
                put_ids(&bpe->ranks, part, &room->merge, count, ids);
            }
            count += more;
        }
    }
    return count;
}

static uint64_t walk(const struct bpe *bpe, struct bpe_room *room, struct span text, struct ids ids)
{
    enum split_pattern pattern = families[bpe->family].pattern;
    const char *end = NULL;
    uint64_t count = 0;

    if (text.len == 0) {
        return 0;
    }
    end = text.at + text.len;
    for (const char *p = text.at; p < end;) {
        struct span piece = span_make(p, split_next(pattern, p, end));
        uint32_t rank = ranks_find(&bpe->ranks, piece.at, piece.len);

        p += piece.len;
        if (rank == RANK_NONE) {
            count = count_merged(bpe, room, piece, count, ids);
        } else {
            if (count < ids.max) {
                ids.at[count] = rank;
            }
            count++;
        }
    }
    return count;
}

uint64_t bpe_count(const struct bpe *bpe, struct bpe_room *room, struct span text)
{
    return walk(bpe, room, text, (struct ids){NULL, 0});
}

uint64_t bpe_encode(const struct bpe *bpe, struct bpe_room *room, struct span text, uint32_t *ids,
                    size_t max)
{
    return walk(bpe, room, text, (struct ids){ids, max});
}
