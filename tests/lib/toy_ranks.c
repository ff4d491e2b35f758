/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/toy_ranks.h"

#include "base/must.h"

static const uint32_t none = UINT32_MAX;

void toy_init(struct toy *toy, uint8_t seed)
{
    toy->count = 256;
    for (uint32_t i = 0; i < toy->count; i++) {
        toy->len[i] = 1;
        toy->bytes[i][0] = (char)(unsigned char)(i * 7 + seed);
    }
}

static uint32_t find(const struct toy *toy, const char *at, size_t len)
{
    for (uint32_t i = 0; i < toy->count; i++) {
        if (toy->len[i] == len && memcmp(toy->bytes[i], at, len) == 0) {
            return i;
        }
    }
    return none;
}

void toy_join(struct toy *toy, uint32_t left, uint32_t right)
{
    char joined[2 * TOY_TOKEN_MAX];
    size_t len = 0;

    left %= toy->count;
    right %= toy->count;
    len = (size_t)toy->len[left] + toy->len[right];
    memcpy(joined, toy->bytes[left], toy->len[left]);
    memcpy(joined + toy->len[left], toy->bytes[right], toy->len[right]);
    if (len <= TOY_TOKEN_MAX && toy->count < TOY_TOKENS_MAX && find(toy, joined, len) == none) {
        memcpy(toy->bytes[toy->count], joined, len);
        toy->len[toy->count++] = (uint8_t)len;
    }
}

static void put_base64(struct buf *out, const char *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = 0;

        for (size_t k = 0; k < 3; k++) {
            bits = bits << 8 | (i + k < len ? (unsigned char)bytes[i + k] : 0U);
        }
        for (size_t k = 0; k < 4; k++) {
            buf_put_char(out, i + k <= len ? digits[bits >> (18 - 6 * k) & 63] : '=');
        }
    }
}

void toy_write(const struct toy *toy, struct buf *out)
{
    for (uint32_t i = 0; i < toy->count; i++) {
        put_base64(out, toy->bytes[i], toy->len[i]);
        buf_put_format(out, " %u\n", (unsigned)i);
    }
}

uint64_t toy_encode(const struct toy *toy, struct span piece, uint32_t *ids)
{
    uint64_t count = piece.len;

    for (size_t i = 0; i < piece.len; i++) {
        ids[i] = find(toy, piece.at + i, 1);
        must(ids[i] != none);
    }
    for (;;) {
        uint64_t best_at = 0;
        uint32_t best = none;
        size_t from = 0;

        for (uint64_t i = 0; i + 1 < count; i++) {
            size_t len = (size_t)toy->len[ids[i]] + toy->len[ids[i + 1]];
            uint32_t rank = find(toy, piece.at + from, len);

            if (rank < best) {
                best = rank;
                best_at = i;
            }
            from += toy->len[ids[i]];
        }
        if (best == none) {
            return count;
        }
        ids[best_at] = best;
        memmove(ids + best_at + 1, ids + best_at + 2, (size_t)(count - best_at - 2) * sizeof *ids);
        count--;
    }
}
