/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_bpe.c: a vocabulary of a few tokens made from the first bytes, then text. Its
 * pieces must cover it, merge as the plainest way says, and give in bpe_encode what they give one
 * by one. With the first byte odd the rest is a rank file instead: read or refused, and when read,
 * whole. With the second byte odd it is a request, if it is JSON: counted in every shape. */
#include <stdint.h>
#include <stdlib.h>

#include "base/must.h"
#include "pricing/chat_count.h"
#include "pricing/ranks.h"
#include "pricing/split.h"
#include "tests/lib/toy_ranks.h"
#include "wire/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 3, TEXT_MAX = 2048 };

static void run_file(struct span file)
{
    struct ranks ranks;
    struct why why = {""};

    if (ranks_read(&ranks, file, &why) != ERR_NONE) {
        must(why.text[0] != '\0');
        return;
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        char c = (char)(unsigned char)byte;

        must(ranks_find(&ranks, &c, 1) < ranks.count);
    }
    ranks_fini(&ranks);
}

/* A table from pairs of bytes, each of which joins two tokens. */
static struct bpe *make(struct toy *toy, uint8_t seed, struct span joins, enum bpe_family family)
{
    struct buf file;
    struct bpe *bpe = NULL;

    toy_init(toy, seed);
    for (size_t i = 0; i + 1 < joins.len; i += 2) {
        /* Counted from the end, so that young tokens grow. */
        toy_join(toy, toy->count + 255 - (unsigned char)joins.at[i],
                 toy->count + 255 - (unsigned char)joins.at[i + 1]);
    }
    buf_init(&file, 1024 * 1024);
    toy_write(toy, &file);
    must(!file.failed);
    bpe = bpe_new(buf_span(&file), family, NULL);
    must(bpe != NULL);
    buf_fini(&file);
    return bpe;
}

static void run_text(const struct toy *toy, const struct bpe *bpe, struct bpe_room *room,
                     struct span text, enum split_pattern pattern)
{
    static uint32_t want[TEXT_MAX];
    static uint32_t has[TEXT_MAX];
    uint64_t count = 0;

    for (struct span rest = text; rest.len > 0;) {
        size_t len = split_next(pattern, rest.at, rest.at + rest.len);
        struct span piece = span_make(rest.at, len);

        must(len > 0 && len <= rest.len);
        count += toy_encode(toy, piece, want + count);
        rest = span_from(rest, len);
    }
    must(bpe_count(bpe, room, text) == count);
    must(bpe_encode(bpe, room, text, has, TEXT_MAX) == count);
    must(memcmp(has, want, (size_t)count * sizeof *has) == 0);
    must(bpe_room_cuts(room) == 0);
}

static void run_request(const struct bpe *bpe, struct bpe_room *room, struct span body)
{
    static const struct span models[] = {SPAN("gpt-4o"), SPAN("gpt-4"), SPAN("claude-opus-5")};
    struct json_scan_options options = {.seed = 7};
    struct json_scan *scan = json_scan_new();
    struct chat_counter counter;

    must(scan != NULL);
    chat_counter_init(&counter, bpe, bpe, room);
    if (json_scan_whole(scan, &options, body, NULL)) {
        for (int shape = COUNT_CHAT; shape <= COUNT_MESSAGES; shape++) {
            for (size_t i = 0; i < ARRAY_LENGTH(models); i++) {
                struct chat_count count;

                must(chat_count(&counter, (enum count_shape)shape, models[i], body, &count) ==
                     ERR_NONE);
                must(!count.is_exact || (count.error_permille == 0 && count.media == 0));
                must(count.tokens <= 64 * body.len + 4096);
            }
        }
    }
    chat_counter_fini(&counter);
    json_scan_free(scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct toy toy;
    struct span rest = {"", 0};
    struct bpe_room *room = NULL;
    struct bpe *bpe = NULL;
    size_t joins = 0;

    if (size < HEAD) {
        return 0;
    }
    rest = span_make((const char *)data + HEAD, size - HEAD);
    if (data[0] % 2 == 1) {
        run_file(rest);
        return 0;
    }
    joins = data[2] < rest.len ? data[2] : rest.len;
    bpe = make(&toy, data[0], span_make(rest.at, joins), data[1] & 2 ? BPE_CL100K : BPE_O200K);
    rest = span_from(rest, joins);
    room = bpe_room_new();
    must(room != NULL);
    if (data[1] % 2 == 1) {
        run_request(bpe, room, rest);
    } else {
        rest.len = rest.len > TEXT_MAX ? TEXT_MAX : rest.len;
        run_text(&toy, bpe, room, rest, data[1] & 2 ? SPLIT_CL100K : SPLIT_O200K);
    }
    bpe_room_free(room);
    bpe_free(bpe);
    return 0;
}
