/* SPDX-License-Identifier: Apache-2.0 */
/* usage/charge.h: who pays for an attempt when it does not end well, and what its figures are
 * (budgets.md, 11). Facts in, usage out; prices are somebody else's. Pure. */
#ifndef USAGE_CHARGE_H
#define USAGE_CHARGE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/usage.h"

/* How far an attempt came. */
enum charge_phase {
    CHARGE_PHASE_UNSENT,  /* not connected, or the request not fully written */
    CHARGE_PHASE_SENT,    /* fully written, nothing came back */
    CHARGE_PHASE_HEADED,  /* the provider's head came, no content */
    CHARGE_PHASE_CONTENT  /* content came */
};
const char *charge_phase_word(enum charge_phase phase, bool is_complete);

/* Who ended it. */
enum charge_end {
    CHARGE_END_GOOD,      /* the provider, with a whole answer */
    CHARGE_END_NO,        /* the provider, with an error or with something that is no answer */
    CHARGE_END_BROKEN,    /* the provider or the network, or our patience with them */
    CHARGE_END_CANCELLED, /* we: the app left, the deadline, a shutdown */
    CHARGE_END_HEDGE,     /* we: another attempt was faster */
    CHARGE_END_BUDGET,    /* we: no money left */
    CHARGE_END_CRASH,     /* we died */
    CHARGE_END_REPLAY     /* nothing was asked */
};

enum charge_case {
#define CHARGE(NAME, word, help) CHARGE_##NAME,
#include "usage/charges.def"
#undef CHARGE
    CHARGE_CASES
};
const char *charge_word(enum charge_case what);

/* What an ambiguous attempt is charged. */
enum charge_ambiguous { CHARGE_AMBIGUOUS_NONE, CHARGE_AMBIGUOUS_INPUT };

enum charge_operation { CHARGE_METERED, CHARGE_COSTS_NOTHING, CHARGE_NOT_READ };

struct charge_facts {
    enum charge_operation operation;
    enum charge_end end;
    enum charge_phase phase;
    enum charge_ambiguous ambiguous;
    bool is_drained;         /* read on after the app had left, to the provider's own end */
    bool has_output;         /* false: an operation whose answers have no output side (embeddings) */
    const struct usage *told;
    int64_t input_estimate;  /* tokens */
    int64_t output_seen;     /* tokens, estimated from what came; with what the provider had told by then */
    int64_t chunk;           /* tokens of one more chunk */
};

enum provenance { PROVENANCE_PROVIDER, PROVENANCE_ESTIMATED, PROVENANCE_PARTIAL };
const char *provenance_word(enum provenance provenance);

struct charge {
    enum charge_case what;
    enum provenance provenance;
    bool is_estimated;       /* a charged figure was not told */
    bool is_untold;          /* the answer is whole, a figure is missing */
    struct usage usage;      /* what is charged */
    struct usage exposed;    /* what may be due besides: of an ambiguous attempt; else nothing told */
};

void charge_of(const struct charge_facts *facts, struct charge *charge);

#endif
