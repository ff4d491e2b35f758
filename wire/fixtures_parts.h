/* SPDX-License-Identifier: Apache-2.0 */
/* wire/fixtures_parts.h: the inside of wire/fixtures: what a request asks for (wish), what is said
 * (words), and how it is put down (writer). Included by wire/fixtures*.c alone. */
#ifndef WIRE_FIXTURES_PARTS_H
#define WIRE_FIXTURES_PARTS_H

#include "wire/fixtures.h"
#include "wire/json_out.h"

enum {
    FIXTURE_WORDS_MAX = 64,
    FIXTURE_CHOICES_MAX = 128,
    FIXTURE_VECTORS_MAX = 2048, /* inputs of one embeddings request, as the real API has it */
    FIXTURE_DIMENSIONS_MAX = 3072,
    FIXTURE_DIMENSIONS = 64,       /* when nothing is asked */
    FIXTURE_NUMBERS_MAX = 1 << 20, /* of all vectors of an answer */
    FIXTURE_PAYLOAD_MAX = 32 * 1024 * 1024
};

/* What a request asks for. Spans borrow from its body. */
struct fixture_wish {
    uint64_t seed;
    uint64_t hash; /* of the model and the input: the same for whole and streamed */
    int64_t input_tokens;
    int64_t cap;        /* of output tokens, per choice; INT64_MAX: none */
    struct span model;  /* a JSON string, quotes included */
    struct span tool;   /* the name of the tool to call, likewise; empty: text is wanted */
    struct span schema; /* of its arguments, a JSON object; empty: unknown */
    struct span input;  /* embeddings: the value of "input" */
    uint32_t choices;
    uint32_t vectors; /* embeddings: how many */
    uint32_t dimensions;
    bool input_is_list; /* embeddings: `input` has an item per vector */
    bool is_base64;
    bool is_stream;
    bool wants_usage; /* in a stream: the usage chunk */
};

/* Reads the body. NULL when it is understood, else a sentence that says what is wrong with it. */
const char *fixture_wish_read(struct fixture_wish *wish, struct json_scan *scan, uint64_t seed,
                              struct span body);
/* embeddings: whether the figures asked for can be served; as above. */
const char *fixture_wish_judge_vectors(const struct fixture_wish *wish);
/* Mixes the bytes into a number. Starts with any. */
uint64_t fixture_hash(uint64_t from, struct span bytes);

/* The items of an array that a scan has accepted. `rest` begins as the array's own bytes; `hits`
 * are found inside of the item. False when there is none left. */
bool fixture_next_item(struct json_scan *scan, const struct json_scan_options *options,
                       struct span *rest, struct json_hit *hits, struct span *item);

/* An answer in units of one token. */
struct fixture_words {
    struct buf bytes;
    uint32_t ends[FIXTURE_WORDS_MAX];
    uint32_t count;
    bool is_cut; /* the cap left no room for all of it */
};

void fixture_words_init(struct fixture_words *words);
void fixture_words_fini(struct fixture_words *words);
/* Replaces the words by the text for this choice. */
void fixture_words_text(struct fixture_words *words, const struct fixture_wish *wish,
                        uint32_t choice);
/* Replaces the words by the arguments of the tool call, a JSON object (cut where is_cut). */
void fixture_words_arguments(struct fixture_words *words, struct json_scan *scan,
                             const struct fixture_wish *wish);
struct span fixture_word(const struct fixture_words *words, uint32_t i);
struct span fixture_words_all(const struct fixture_words *words);

/* What the operations write with. */
struct fixture_writer {
    struct fixture *fixture;
    struct json_scan *scan;
    const struct fixture_wish *wish;
    struct json_out json;
    struct fixture_words words;
    int64_t output_tokens; /* of the choices made so far */
    int64_t sequence;      /* Responses: the next sequence_number */
};

/* Makes the words of this choice and counts them. True: they are the arguments of a tool call. */
bool fixture_make_words(struct fixture_writer *writer, uint32_t choice);
/* An event around what `json` writes; without a name it has no event: line. */
void fixture_event_begin(struct fixture_writer *writer, const char *name);
void fixture_event_end(struct fixture_writer *writer, bool is_word);
/* "key": value. */
void fixture_put_i64(struct json_out *json, const char *key, int64_t number);
void fixture_put_null(struct json_out *json, const char *key);
/* "key": "prefix0123456789abcdef", the digits being those of the wish and `salt`. */
void fixture_put_id(struct fixture_writer *writer, const char *key, const char *prefix,
                    uint32_t salt);
void fixture_put_model(struct fixture_writer *writer);

/* The same moment for every answer: 2026-01-01T00:00:00Z. */
#define FIXTURE_CREATED INT64_C(1767225600)

/* One function per operation: writes the payload. */
void fixture_openai_chat(struct fixture_writer *writer);
void fixture_openai_completions(struct fixture_writer *writer);
void fixture_openai_responses(struct fixture_writer *writer);
void fixture_openai_embeddings(struct fixture_writer *writer);
void fixture_openai_models(struct fixture_writer *writer);
void fixture_anthropic_messages(struct fixture_writer *writer);
void fixture_anthropic_count(struct fixture_writer *writer);
void fixture_anthropic_models(struct fixture_writer *writer);
void fixture_gemini_generate(struct fixture_writer *writer);
void fixture_gemini_count(struct fixture_writer *writer);
void fixture_gemini_models(struct fixture_writer *writer);

#endif
