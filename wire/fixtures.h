/* SPDX-License-Identifier: Apache-2.0 */
/* wire/fixtures.h: what the built-in provider answers. Pure: the answer is a function of the
 * request's bytes and a seed; when its parts go out is the shell's business
 * (proxy/upstream_fixtures.c). Serves chat, completions, responses, embeddings and the model list
 * of OpenAI, messages, count_tokens and the model list of Anthropic, generateContent, countTokens and
 * the model list of Gemini; any other path is a 404 of the dialect. */
#ifndef WIRE_FIXTURES_H
#define WIRE_FIXTURES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "wire/dialect.h"

/* One request. Borrowed while fixture_write runs. */
struct fixture_order {
    const struct dialect *dialect; /* the only one that is served */
    uint64_t seed;
    uint64_t number;  /* the n-th request of its provider: goes into the request id alone */
    unsigned status;  /* 0: answer; else fail with this status, 400..599 */
    struct span head; /* the request's head; only its first line is read */
    struct span body;
};

/* The answer. The payload has no framing; the head says which one it would have had on a wire. */
struct fixture {
    struct buf head;
    struct buf payload;
    struct buf marks; /* where events end: fixture_event */
    bool is_stream;
};

/* An event of a stream with its blank line; a whole answer is one event. */
struct fixture_event {
    size_t end;   /* offset in the payload */
    bool is_word; /* brings one token: the next one may be made to wait */
};

/* Takes no memory yet. */
void fixture_init(struct fixture *fixture);
/* Gives the memory back. Safe on a zeroed one, and twice. */
void fixture_fini(struct fixture *fixture);
/* Fills a fresh fixture. `scan` is scratch. A bad request is answered, too (4xx). ERR_MEMORY: no
 * memory; then nothing in it is to be used. */
MUST_CHECK enum err fixture_write(struct fixture *fixture, struct json_scan *scan,
                                  const struct fixture_order *order);
size_t fixture_events(const struct fixture *fixture);
/* i < fixture_events. */
struct fixture_event fixture_event_at(const struct fixture *fixture, size_t i);

#endif
