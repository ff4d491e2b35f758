/* SPDX-License-Identifier: Apache-2.0 */
/* tokens FOLDER [megabytes]: how fast tokens are counted, with the rank files of FOLDER
 * (scripts/install-ranks). MB of text per second of the processor's time on one core, the best of
 * many batches, for each kind of text and for a mixture of them; and how long a table takes to
 * read. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "tests/lib/vocabulary.h"

enum { BATCHES = 12, MEGABYTES_DEFAULT = 4, WORDS = 16 };

struct kind {
    const char *name;
    const char *words[WORDS];
};

static const struct kind kinds[] = {
    {"prose",
     {"The ", "provider ", "answers ", "with ", "a ", "stream ", "of ", "events, ", "which ",
      "nobody's ", "router ", "had ", "expected; ", "yesterday. ", "However ", "considerable\n"}},
    {"german",
     {"Die ", "Anbieterin ", "h\u00e4lt ", "die ", "Verbindung ", "l\u00e4nger ", "offen, ", "als ",
      "es ", "\u00fcblich ", "ist. ", "Stra\u00dfenbahn ", "Verzeichnisse ", "sind ",
      "gro\u00df.\n", "Zwischenspeicher "}},
    {"russian",
     {"\u041c\u043e\u0434\u0435\u043b\u044c ", "\u043e\u0442\u0432\u0435\u0447\u0430\u0435\u0442 ",
      "\u043d\u0430 ", "\u0437\u0430\u043f\u0440\u043e\u0441, ",
      "\u043a\u043e\u0442\u043e\u0440\u044b\u0439 ", "\u043f\u0440\u0438\u0448\u0451\u043b. ",
      "\u0413\u043e\u0440\u043e\u0434 ", "\u0438 ", "\u0440\u0435\u043a\u0430\n",
      "\u0434\u0435\u043d\u044c ", "\u043d\u043e\u0447\u044c ", "\u0432 ",
      "\u0441\u043b\u043e\u0432\u0435 ", "\u0435\u0441\u0442\u044c ", "\u0441\u0432\u0435\u0442 ",
      "\u0441\u043c\u044b\u0441\u043b "}},
    {"japanese",
     {"\u65e5\u672c\u8a9e\u306e", "\u30c6\u30ad\u30b9\u30c8", "\u3092", "\u6570\u3048\u308b",
      "\u3002", "\u4eca\u65e5\u306f", "\u6771\u4eac\u3067", "\u96e8\u304c", "\u964d\u308b\u3002",
      "\u300c\u306f\u3044\u300d\u3068", "\u8a00\u3063\u305f", "\u3002\n", "\u4f1a\u8b70\u306f",
      "\u4e09\u6642\u304b\u3089", "\u59cb\u307e\u308b", "\u3067\u3059"}},
    {"source",
     {"function ", "handleRequest(", "req, ", "res) {\n", "    const ", "value = ", "await ",
      "fetchJson(url);\n", "    if (value !== ", "null) {\n", "        return ",
      "value.items[0];\n", "    }\n", "}\n\n", "// one more try\n", "export default "}},
    {"json",
     {"{\"role\":\"user\",", "\"content\":", "\"hello\"},", "{\"id\":", "17,", "\"price\":12.50,",
      "\"tags\":[\"a\",", "\"b\"],", "null,", "true}", ",{\"x\":", "-3.5e7,",
      "\"created_at\":", "\"2026-11-20T15:04:05Z\"},", "[1,2,3],", "\"k\":{}}"}},
    {"digits",
     {"1", "22", "333", "4444", "55555", "666666 ", "7", "88", "999", "0 ", "31415926", "27182818",
      "16180339", "14142135 ", "0000", "12"}},
    {"emoji",
     {"\U0001f680", "\U0001f469\u200d\U0001f4bb", "\u2764\ufe0f", " \U0001f389", "!", "\U0001f44d",
      "\U0001f1e9\U0001f1ea", "\U0001f600", " ok ", "\U0001f64f\U0001f3fd", "\U0001f525", "\n",
      "\u2728", "\U0001f4a1", "\U0001f914", "\u2705"}},
};

enum { KINDS = sizeof kinds / sizeof *kinds, MIXED = KINDS, BASE64, ROWS };

/* Words by chance; in a mixture a paragraph of one kind follows one of another. */
static void fill(char *text, size_t size, size_t row)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct rng rng;
    size_t len = 0;
    size_t kind = row;

    rng_init(&rng, 7, row);
    while (len < size) {
        const char *word = NULL;
        size_t more = 0;

        if (row == BASE64) {
            text[len++] = digits[rng_below(&rng, 64)];
            continue;
        }
        if (row == MIXED && (len == 0 || rng_below(&rng, 100) == 0)) {
            kind = (size_t)rng_below(&rng, KINDS);
        }
        word = kinds[kind].words[rng_below(&rng, WORDS)];
        more = strlen(word);
        more = more < size - len ? more : size - len;
        memcpy(text + len, word, more);
        len += more;
    }
}

static uint64_t clock_ns(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

/* A line: MB/s and bytes per token, of the best batch. */
static void measure(const struct bpe *bpe, struct bpe_room *room, struct span text)
{
    uint64_t best = UINT64_MAX;
    uint64_t count = 1;

    for (int batch = 0; batch < BATCHES; batch++) {
        uint64_t from = clock_ns();

        count = bpe_count(bpe, room, text);
        from = clock_ns() - from;
        best = from < best ? from : best;
    }
    printf(" %9" PRIu64 " %7" PRIu64 ".%02" PRIu64, text.len * 1000 / best, text.len / count,
           text.len * 100 / count % 100);
}

int main(int argc, char **argv)
{
    static const char *const others[] = {"mixed", "base64"};
    size_t size = (argc > 2 ? strtoul(argv[2], NULL, 10) : MEGABYTES_DEFAULT) * 1000000;
    struct bpe *tables[2];
    struct bpe_room *room = bpe_room_new();
    char *text = malloc(size + 1);

    if (argc < 2 || size == 0 || text == NULL || room == NULL) {
        return 2;
    }
    for (int family = BPE_CL100K; family <= BPE_O200K; family++) {
        uint64_t from = clock_ns();

        tables[family] = vocabulary(argv[1], (enum bpe_family)family);
        printf("%s read in %" PRIu64 " ms\n", bpe_family_name((enum bpe_family)family),
               (clock_ns() - from) / 1000000);
    }
    printf("%-10s %9s %10s %9s %10s\n", "", "o200k MB/s", "bytes/token", "cl100k", "bytes/token");
    for (size_t row = 0; row < ROWS; row++) {
        fill(text, size, row);
        printf("%-10s", row < KINDS ? kinds[row].name : others[row - KINDS]);
        measure(tables[BPE_O200K], room, span_make(text, size));
        measure(tables[BPE_CL100K], room, span_make(text, size));
        printf("\n");
    }
    return 0;
}
