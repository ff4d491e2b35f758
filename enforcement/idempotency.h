/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/idempotency.h: repeated calls of an app (Idempotency-Key): the first one runs, a repeat
 * waits, is refused, or is given the kept answer. It owns the kept answers and nothing of the calls.
 * Who asks and what is asked are known by digests under a secret of this process alone, so no key and
 * no request is kept. Bounded in entries and in bytes: the answer that was kept first goes first. Pure;
 * one thread. */
#ifndef ENFORCEMENT_IDEMPOTENCY_H
#define ENFORCEMENT_IDEMPOTENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "base/tick.h"

/* 128 bits of a keyed hash: without the secret nobody can find two texts with the same. */
struct idempotency_digest {
    uint64_t words[2];
};

struct idempotency_answer {
    unsigned status;
    struct span type; /* content-type */
    struct span body;
};

enum { IDEMPOTENCY_TYPE_MAX = 80 };

struct idempotency_entry {
    struct map_entry entry;
    struct link link; /* of kept ones, the oldest first */
    struct idempotency_digest who;
    struct idempotency_digest what;
    bool is_kept;     /* else its call runs */
    mono_ms until;    /* it is kept */
    struct idempotency_answer answer; /* the type is in `type`, the body has a block of its own */
    char *block;
    char type[IDEMPOTENCY_TYPE_MAX];
};

struct idempotency {
    struct map map;
    struct link kept;
    uint64_t secret[4];
    size_t bytes;     /* of all entries and their answers */
    size_t bytes_max;
    uint32_t running; /* entries whose call runs */
};

/* secret: four words of chance. bytes_max: of kept answers. */
void idempotency_init(struct idempotency *book, const uint64_t secret[4], size_t bytes_max);
/* Gives all kept answers back; no call may run any more. Safe on a zeroed one, and twice. */
void idempotency_fini(struct idempotency *book);

/* 1 to 255 printable ASCII characters, no blanks. */
bool idempotency_key_is_good(struct span key);

enum { IDEMPOTENCY_PARTS_MAX = 8 };
/* Of these texts in this order: moving a byte from one to the next makes another one. */
struct idempotency_digest idempotency_digest(const struct idempotency *book,
                                             const struct span *parts, size_t count);

enum idempotency_verdict {
    IDEMPOTENCY_RUN,      /* the first: *entry is its own until kept or forgotten */
    IDEMPOTENCY_BUSY,     /* the first still runs */
    IDEMPOTENCY_MISMATCH, /* who asked before asked for something else */
    IDEMPOTENCY_REPLAY,   /* *entry has the answer, until the book is asked again */
    IDEMPOTENCY_FULL      /* no memory, or nothing but calls that run */
};
/* who: the caller and its key; what: the request. */
enum idempotency_verdict idempotency_ask(struct idempotency *book,
                                         const struct idempotency_digest *who,
                                         const struct idempotency_digest *what, mono_ms now,
                                         struct idempotency_entry **entry);

/* The answer of an entry that runs is of this type, which is copied. False: too long a type to be kept. */
bool idempotency_note_type(struct idempotency_entry *entry, struct span type);
/* The call of an entry that runs has this answer, of the type that was noted; the body is copied. One that
 * is too large, or for which there is no memory, is not kept: a repeat runs again. */
void idempotency_keep(struct idempotency *book, struct idempotency_entry *entry, unsigned status,
                      struct span body, mono_ms now);
/* The call of an entry that runs has none: a repeat runs again. */
void idempotency_forget(struct idempotency *book, struct idempotency_entry *entry);

/* Lets go of what is too old. Returns when to come again; MONO_NEVER: nothing is kept. */
mono_ms idempotency_sweep(struct idempotency *book, mono_ms now);

#endif
