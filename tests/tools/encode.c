/* SPDX-License-Identifier: Apache-2.0 */
/* encode FOLDER FAMILY, encode classes: a tool of tests/e2e/tokens.test.mjs. Reads chunks of text
 * on standard input, each behind a line with its length in bytes, and answers each with a line: the
 * ids of its tokens by the rank files of FOLDER. `classes` reads nothing and prints, for each code
 * point that has one, the class that the split patterns go by. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pricing/unicode_table.h"
#include "tests/lib/vocabulary.h"

enum { CHUNK_MAX = 1024 * 1024, CODES = 0x110000 };

static int give_up(const char *what)
{
    (void)fprintf(stderr, "encode: %s\n", what);
    return 1;
}

static int print_classes(void)
{
    for (uint32_t code = 0; code < CODES; code++) {
        if (unicode_class_of(code) != UNICODE_OTHER) {
            (void)printf("%" PRIx32 " %u\n", code, unicode_class_of(code));
        }
    }
    return 0;
}

static int answer_all(const struct bpe *bpe, struct bpe_room *room)
{
    static char text[CHUNK_MAX];
    static uint32_t ids[CHUNK_MAX];
    char line[32];

    while (fgets(line, sizeof line, stdin) != NULL) {
        unsigned long len = strtoul(line, NULL, 10);
        uint64_t count = 0;

        if (len > CHUNK_MAX || fread(text, 1, len, stdin) != len) {
            return give_up("a chunk is shorter than it says, or too long");
        }
        count = bpe_encode(bpe, room, span_make(text, len), ids, CHUNK_MAX);
        for (uint64_t i = 0; i < count; i++) {
            (void)printf("%s%" PRIu32, i == 0 ? "" : " ", ids[i]);
        }
        (void)printf("\n");
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct bpe *bpe = NULL;
    struct bpe_room *room = NULL;
    bool is_o200k = argc == 3 && strcmp(argv[2], "o200k_base") == 0;
    int status = 0;

    if (argc == 2 && strcmp(argv[1], "classes") == 0) {
        return print_classes();
    }
    if (argc != 3 || (!is_o200k && strcmp(argv[2], "cl100k_base") != 0)) {
        return give_up("usage: encode FOLDER cl100k_base|o200k_base, encode classes");
    }
    bpe = vocabulary(argv[1], is_o200k ? BPE_O200K : BPE_CL100K);
    room = bpe_room_new();
    status = room == NULL ? give_up("out of memory") : answer_all(bpe, room);
    bpe_room_free(room);
    bpe_free(bpe);
    return status;
}
