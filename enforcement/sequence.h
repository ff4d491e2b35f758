/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/sequence.h: what one process tells one part of a shared ledger, numbered 1, 2, 3, ... An
 * operation stands for one number or for several that follow one another. The ledger remembers the
 * last number that it has applied and applies nothing twice; this side remembers what it said: what is
 * not acknowledged, all of it; what is, for a minute, because a ledger that failed over may have
 * forgotten its newest. Pure; owns its list, and hands each operation to `drop` when it lets go. */
#ifndef ENFORCEMENT_SEQUENCE_H
#define ENFORCEMENT_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/must.h"
#include "base/tick.h"

enum {
    SEQUENCE_KEPT_MAX = 10240, /* acknowledged ones, for */
    SEQUENCE_KEPT_MS = 60000,
    SEQUENCE_MAX = 1024 * 1024 /* all of them: never as many as there may be open holds */
};

struct sequence_entry {
    uint64_t first;
    uint64_t last;
    mono_ms acked_at; /* MONO_NEVER: not acknowledged */
    void *what;
};

struct sequence {
    struct sequence_entry *list; /* a ring; cap is a power of two, or 0 */
    size_t cap;
    size_t head;
    size_t count;
    size_t acked_count; /* of them, from the head on */
    uint64_t next;      /* number */
    uint64_t acked;     /* last number acknowledged */
    void (*drop)(void *to, void *what);
    void *to;
};

void sequence_init(struct sequence *sequence, void (*drop)(void *to, void *what), void *to);
/* Drops all. Twice is allowed. */
void sequence_fini(struct sequence *sequence);

/* The ledger had applied so many before this side said anything. */
void sequence_begin_after(struct sequence *sequence, uint64_t last);
/* Room for so many operations more, so that sequence_push cannot fail. */
MUST_CHECK enum err sequence_reserve(struct sequence *sequence, size_t more);
/* An operation that stands for the next `numbers` (> 0) numbers; room was reserved. */
void sequence_push(struct sequence *sequence, uint64_t numbers, void *what);
/* The newest operation, if it was not said yet: it is not among the first `said` unacknowledged ones.
 * NULL: there is none. */
void *sequence_tail(const struct sequence *sequence, size_t said);
/* That one stands for the next number too. */
void sequence_join(struct sequence *sequence);

/* The ledger says that it has applied all up to `last`. Lower than what it had acknowledged: it has
 * forgotten, and what it forgot is unacknowledged again as far as it is still here. */
void sequence_hear(struct sequence *sequence, uint64_t last, mono_ms now);
/* Drops what need not be kept any more. */
void sequence_trim(struct sequence *sequence, mono_ms now);

/* The n-th operation that is not acknowledged; NULL: there are no more. */
const struct sequence_entry *sequence_unsaid(const struct sequence *sequence, size_t n);
/* How many of them. */
size_t sequence_unsaid_count(const struct sequence *sequence);
/* The first of them does not follow on what the ledger has: what lies between was dropped, or never
 * came to be. */
bool sequence_has_gap(const struct sequence *sequence);

#endif
