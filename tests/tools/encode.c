/* SPDX-License-Identifier: Apache-2.0 */
/* encode FAMILY RANKS [ids|counts|classes]: a tool of the tests. Reads chunks of text on standard
 * input, each as a line with its length in bytes followed by the bytes, and answers each with a
 * line of its own: the ids of its tokens, or only their number. `classes` reads nothing and prints,
 * for each code point that has one, the class that the split patterns go by. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pricing/bpe.h"
#include "pricing/unicode_table.h"

enum { CHUNK_MAX = 64 * 1024 * 1024, CODES = 0x110000 };

static void give_up(const char *what)
{
    (void)fprintf(stderr, "encode: %s\n", what);
    exit(1);
}

static struct span read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(CHUNK_MAX);
    size_t len = 0;

    if (file == NULL || bytes == NULL) {
        give_up(path);
    }
    len = fread(bytes, 1, CHUNK_MAX, file);
    (void)fclose(file);
    return span_make(bytes, len);
}

static void answer(const struct bpe *bpe, struct bpe_room *room, struct span text, bool wants_ids)
{
    uint32_t *ids = malloc((text.len + 1) * sizeof *ids);
    uint64_t count = 0;

    if (ids == NULL) {
        give_up("out of memory");
    }
    if (wants_ids) {
        count = bpe_encode(bpe, room, text, ids, text.len);
        for (uint64_t i = 0; i < count; i++) {
            (void)printf("%s%" PRIu32, i == 0 ? "" : " ", ids[i]);
        }
    } else {
        count = bpe_count(bpe, room, text);
        (void)printf("%" PRIu64, count);
    }
    (void)printf("\n");
    free(ids);
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

int main(int argc, char **argv)
{
    struct why why = {""};
    char *text = malloc(CHUNK_MAX);
    char line[32];
    struct bpe *bpe = NULL;
    struct bpe_room *room = bpe_room_new();

    if (argc == 2 && strcmp(argv[1], "classes") == 0) {
        return print_classes();
    }
    if (argc != 4 || text == NULL || room == NULL) {
        give_up("usage: encode cl100k_base|o200k_base RANKS ids|counts; encode classes");
    }
    bpe = bpe_new(read_file(argv[2]), strcmp(argv[1], "cl100k_base") == 0 ? BPE_CL100K : BPE_O200K,
                  &why);
    if (bpe == NULL || !bpe_is_published(bpe)) {
        give_up(why.text);
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        unsigned long len = strtoul(line, NULL, 10);

        if (len > CHUNK_MAX || fread(text, 1, len, stdin) != len) {
            give_up("a chunk is shorter than it says");
        }
        answer(bpe, room, span_make(text, len), strcmp(argv[3], "ids") == 0);
    }
    return 0;
}
