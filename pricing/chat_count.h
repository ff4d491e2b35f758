/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/chat_count.h: the input tokens of a whole request, counted here: its texts by the model's
 * vocabulary, and what the provider adds around them. Media (images, sound, files) are no text: they
 * are only counted, and priced by rules of their own. What only the provider can read (encrypted
 * reasoning) has at most a token for each of its bytes. Pure. */
#ifndef PRICING_CHAT_COUNT_H
#define PRICING_CHAT_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/must.h"
#include "pricing/bpe.h"

enum count_shape {
    COUNT_CHAT,        /* OpenAI: chat completions */
    COUNT_RESPONSES,   /* OpenAI: responses */
    COUNT_COMPLETIONS, /* OpenAI: completions of old */
    COUNT_EMBEDDINGS,  /* OpenAI */
    COUNT_MESSAGES,    /* Anthropic */
    COUNT_GENERATE,    /* Gemini */
    COUNT_EMBED        /* Gemini: one content, or requests with one each */
};
/* By the name of an operation: "chat", ... False: it is none that is counted. */
bool count_shape_of(const char *operation, enum count_shape *shape);

/* What counting needs; one for each thread. */
struct chat_counter {
    const struct bpe *tables[2]; /* by enum bpe_family; NULL: not installed. Borrowed. */
    struct bpe_room *room;       /* borrowed; NULL only without tables */
    struct buf scratch;
};

struct chat_count {
    uint64_t tokens;         /* without media */
    uint32_t error_permille; /* how far `tokens` may be off; 1000: as far as you like */
    uint32_t media;          /* parts that are no text, */
    uint32_t pictures;       /* of them: what they take has a ceiling (struct family) */
    uint64_t picture_bytes;  /* of the body, which are a picture in base64 */
    bool is_exact;           /* what the provider will report, to the token */
    bool is_elsewhere;       /* part of the input is kept by the provider: nobody here sees it */
};

void chat_counter_init(struct chat_counter *counter, const struct bpe *cl100k,
                       const struct bpe *o200k, struct bpe_room *room);
void chat_counter_fini(struct chat_counter *counter);

/* `body` is a document that json_scan has accepted; what is not of the shape in it counts nothing.
 * ERR_MISSING: the model's vocabulary is not installed; then only media, pictures and is_elsewhere are told.
 * ERR_MEMORY. Takes some 40 ms for a MB of text. */
MUST_CHECK enum err chat_count(struct chat_counter *counter, enum count_shape shape,
                               struct span model, struct span body, struct chat_count *count);

#endif
