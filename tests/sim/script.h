/* SPDX-License-Identifier: Apache-2.0 */
/* tests/sim/script.h: what a target does with the attempts that come to it, over time: its usual
 * manner, spells in which it has another one, and a true limit of its own. */
#ifndef TESTS_SIM_SCRIPT_H
#define TESTS_SIM_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/tick.h"
#include "router/outcome.h"
#include "wire/reported.h"

/* How far an attempt comes before it ends as `outcome` says. */
enum stage {
    STAGE_CONNECT, /* no connection */
    STAGE_WRITE,   /* the request was not fully written */
    STAGE_HEAD,    /* written, and no head came */
    STAGE_BODY,    /* a head came (of an error too), and nothing that counts after it */
    STAGE_STREAM   /* after so many pieces of content */
};

struct manner {
    enum outcome outcome; /* as the shell would judge it; OK: a good answer */
    enum stage stage;     /* unless OK */
    bool hangs;           /* silent for ever from there on */
    bool if_reused;       /* only on a connection that was used before; else the usual manner */
    bool floods;          /* a prelude so long that the gate opens before any content */
    bool never_ends;      /* a stream whose framing stays open after its last event */
    uint8_t pieces;       /* of content; of a stream */
    uint32_t connect_ms;
    uint32_t head_ms;     /* from written to the head */
    uint32_t content_ms;  /* from the head to the first content, or to the end */
    uint32_t gap_ms;      /* between two pieces */
    int64_t hint_ms;      /* told with a failure; HINT_NONE */
    int8_t should_retry;  /* the same; -1: not told */
    uint64_t quota_ms;
};

/* From `from` to before `until`; of each period_ms (0: all of it) the first on_ms; percent of the
 * attempts. The first spell that fits counts. */
struct spell {
    mono_ms from;
    mono_ms until;
    uint32_t period_ms;
    uint32_t on_ms;
    uint32_t percent;
    struct manner manner;
};

/* So many attempts in each window; more are throttled. */
struct quota {
    uint32_t count; /* 0: no limit */
    uint32_t window_ms;
    uint32_t offset_ms; /* when the first window ends */
    bool tells_hint;    /* how long until the next window, with each 429 */
    bool tells_left;    /* what remains, with each head */
};

enum { SPELLS_MAX = 8 };

struct script {
    struct manner usual;
    struct spell spells[SPELLS_MAX];
    uint8_t spells_count;
    uint8_t untold_percent; /* of calls: cannot be told what they ask */
    uint8_t reuse_percent; /* of attempts not asked to be fresh: on a used connection */
    struct quota quota;
};

/* A healthy target: connects at once, a head after 50 ms, content after 50 ms more. */
void script_init(struct script *script);
struct spell *script_add(struct script *script, mono_ms from, mono_ms until,
                         const struct manner *manner);
/* A manner that ends so, at the stage where such an end is met. */
struct manner manner_of(enum outcome outcome);
/* Where a failure of this kind is met first. */
enum stage stage_of(enum outcome outcome);

/* What a target remembers of its own limit. */
struct meter_of_quota {
    uint64_t window; /* the number of the current one, */
    uint32_t used;   /* and what was used of it */
};

/* How this attempt is treated. `reported` is what its head will tell. */
struct manner script_play(const struct script *script, struct meter_of_quota *meter,
                          bool is_reused, mono_ms now, struct rng *rng,
                          struct reported *reported);

#endif
