/* SPDX-License-Identifier: Apache-2.0 */
/* router/quote.h: what a request would take and cost at one target, before it is sent: what is likely,
 * and the most that it can come to. For whoever asks beforehand; the likely cost is made as the one
 * by which `cheapest` orders. Pure. */
#ifndef ROUTER_QUOTE_H
#define ROUTER_QUOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "pricing/chat_count.h"
#include "pricing/guess.h"
#include "router/cost.h"
#include "router/fleet.h"
#include "router/plan.h"
#include "wire/dialect.h"

/* ---- the request ---- */

struct quote_request {
    uint64_t bytes;          /* of its body */
    int64_t output_cap;      /* of one answer; -1: none is asked for */
    int64_t answers;         /* that are written, at least one */
    bool has_output;         /* false: embeddings */
    bool has_tools;          /* definitions of functions: the provider adds text of its own */
    bool runs_tools;         /* the provider runs tools: it reads and charges what nobody can foresee */
    bool may_write_cache;
    bool may_speak;
    bool may_be_faster;      /* it leaves the tier to the provider */
    struct usage_word tier;  /* asked for; empty: the standard one */
};

/* `body` is a request that read_request has accepted as `request`. */
void quote_read(struct span body, const struct request *request, struct quote_request *quoted);

/* The same of a request that is_plain, without a look at its members. */
void quote_read_plain(struct span body, const struct request *request,
                      struct quote_request *quoted);

/* What strategies and reported limits reckon with, whoever is asked: cheap to make, and rough. */
struct estimate quote_estimate(size_t body_bytes, int64_t output_cap);

/* How long answers usually are on this way, in tokens: the mean of those models of which it was learned, so
 * that nobody is cheap because he was never asked. 0: not known, or not below the cap. `cap` -1: none. */
int64_t quote_length(const struct guesses *guesses, const struct way *way,
                     const struct plan_ask *ask, int64_t cap);

/* ---- one target ---- */

enum quote_how {
    QUOTE_EXACT,     /* input: counted, to the token */
    QUOTE_ESTIMATED, /* input: counted, may be off */
    QUOTE_RATIO,     /* input: from bytes, by the ratio learned for the model */
    QUOTE_ASSUMED,   /* input: four bytes a token; output: a usual length */
    QUOTE_LEARNED,   /* output: as long as earlier answers */
    QUOTE_CAP,       /* output: as long as it may be */
    QUOTE_NONE       /* there is no output */
};
const char *quote_how_word(enum quote_how how);

/* Why there is no "at most". */
enum quote_open {
    QUOTE_BOUNDED,
    QUOTE_OPEN_MEDIA,     /* what sound and files take, at a model whose context is not known */
    QUOTE_OPEN_ELSEWHERE, /* part of the conversation is kept by the provider */
    QUOTE_OPEN_TOOLS,     /* tools that the provider runs */
    QUOTE_OPEN_OUTPUT     /* no cap in the request, and the model's own is not known */
};
/* One word for programs, a few for people. */
const char *quote_open_word(enum quote_open open);
const char *quote_open_text(enum quote_open open);

struct quote_tokens {
    int64_t likely;
    int64_t most;            /* -1: no bound is known */
    uint32_t error_permille; /* of an input: how far `likely` may be off; 1000: not known */
    enum quote_how how;
};

/* What is known of the request at this target. */
struct quote_counts {
    struct guess ratio;      /* its bytes as tokens, without those of pictures */
    struct chat_count count;
    bool is_counted;         /* false: of the count only what chat_count says */
};

struct quote_ask {
    const struct quote_request *request;
    const struct book *prices;
    struct span model; /* as the app names it */
    wall_ms at;
    int64_t length;    /* of quote_length */
};

struct quote {
    struct quote_tokens input;
    struct quote_tokens output; /* of all answers together */
    enum quote_open open;
    uint32_t media;
    int64_t pictures;           /* tokens that its pictures take at most: in `most`, not in `likely` */
    const struct price *price;  /* NULL: unpriced, and no cost below counts */
    struct cost likely;
    struct cost most;           /* of QUOTE_BOUNDED */
};

void quote_make(const struct quote_ask *ask, const struct target *target,
                const struct quote_counts *counts, struct quote *quote);

/* The bytes of the body that are no picture. */
uint64_t quote_bytes(uint64_t bytes, const struct chat_count *count);

/* Which of the two figures for the input is nearer to the truth: true, if the count is. */
bool quote_count_is_better(const struct chat_count *count, const struct guess *ratio);

#endif
