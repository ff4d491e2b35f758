/* SPDX-License-Identifier: Apache-2.0 */
/* admin/settled.h: what the records say that budgets have settled: a sum per budget, whose of it, and
 * window. A record counts where its attempt was held: by the same chain, in the window of the moment of
 * its hold, with the same amounts as the ledger booked; so the sums are the ledger's, and outlive it as a
 * text. Kept for a while after a window's end, and bounded. Owns the sums; borrows the budgets. Pure;
 * used by the one who follows the journal. */
#ifndef ADMIN_SETTLED_H
#define ADMIN_SETTLED_H

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "enforcement/budget.h"
#include "usage/record.h"

enum {
    SETTLED_MAX = 400000, /* sums */
    SETTLED_BUDGETS_MAX = 2 * BUDGETS_MAX, /* whose names are remembered */
    SETTLED_RESETS_MAX = 256,
    SETTLED_TEXT_MAX = 512 * 1024 * 1024
};
/* Sums are kept so long after they count for nobody any more. */
#define SETTLED_KEEP_MS INT64_C(259200000)

struct settled_sum {
    struct map_entry entry;
    struct link link;
    struct span budget; /* both in its own memory */
    struct span value;
    enum budget_unit unit;
    enum scope_kind scope;
    struct window window;
    wall_ms until;      /* from then on it counts for nobody */
    wall_ms last_at;    /* of the latest hold in it */
    int64_t settled;
    int64_t overrun;    /* part of settled: beyond its hold; of money only */
    int64_t before;     /* after settled_correct: what had stood there */
    size_t size;
};

/* A budget that was in the settings once. */
struct settled_budget {
    char name[BUDGET_NAME_MAX];
    size_t len;
    uint32_t mark;      /* of what it counts, and in which windows */
    wall_ms first_seen; /* for its warm-up */
    wall_ms since;      /* holds of before do not count: it was another budget, or none */
};

struct settled {
    struct map map;
    struct link all;    /* sums */
    struct link resets;
    size_t resets_count;
    struct settled_budget seen[SETTLED_BUDGETS_MAX];
    size_t seen_count;
    const struct budgets *budgets;
    struct {
        size_t seen;        /* which of them */
        struct window last; /* the window asked for last: the next record's is often the same */
    } of[BUDGETS_MAX];      /* by their place in the settings */
};

/* NULL: no memory. seed: two words of chance. */
MUST_CHECK struct settled *settled_new(const uint64_t seed[2]);
void settled_free(struct settled *settled);

/* From now on these count. What is new among them, or counts something else than before, begins with
 * holds made at `from` or later; 0: at any time. They are borrowed until the next ones are told. */
void settled_budgets(struct settled *settled, const struct budgets *budgets, wall_ms from);
/* Times that lie ahead become `now`: the clock has been set back, or was not known. */
void settled_clock(struct settled *settled, wall_ms now);
/* NULL: it was never in the settings. */
const struct settled_budget *settled_seen(const struct settled *settled, struct span name);

/* Adds what the record's attempt was charged, if it was held. *has_changed: it counts somewhere.
 * ERR_MEMORY: nothing of it is added. ERR_CEILING: there are too many sums, a part of it is left out. */
MUST_CHECK enum err settled_add(struct settled *settled, const struct record *record,
                                bool *has_changed);
/* Counters of the budget (of `value`, or all: value.at NULL) begin at zero: what was held before `at`
 * does not count any more. ERR_MEMORY, or ERR_CEILING: too many are remembered; then a later rebuild
 * knows nothing of it. */
enum err settled_reset(struct settled *settled, struct span budget, struct span value, wall_ms at);
/* Drops what nobody asks for any more. */
void settled_tidy(struct settled *settled, wall_ms now);

/* Records of attempts held before this moment count in no open window. */
wall_ms settled_needed(const struct settled *settled, wall_ms now);
/* The budget of the settings whose open windows the sum counts in; NULL: none. */
const struct budget *settled_open(const struct settled *settled, const struct settled_sum *sum,
                                  wall_ms now);

/* `fresh` has counted all records again since `from` (0: since ever). *settled becomes what it says of this
 * budget (empty: of all), but for sums of windows that began before `from`: those never become less. In
 * `fresh` stand all sums of both then, with what had stood there before. ERR_MEMORY: nothing has changed. */
MUST_CHECK enum err settled_correct(struct settled *settled, struct settled *fresh,
                                    struct span budget, wall_ms from);
/* Knows the budgets, resets and times of `settled`, and no sums. NULL: no memory. */
MUST_CHECK struct settled *settled_again(const struct settled *settled);

/* Both ways between the sums and a text that ends in its CRC; the two numbers are the place up to
 * which records are counted. ERR_FORMAT: no such text, or damaged; ERR_MEMORY: then only settled_free may
 * be asked. */
void settled_put(const struct settled *settled, const uint64_t place[2], struct buf *out);
MUST_CHECK enum err settled_take(struct settled *settled, struct span text, uint64_t place[2]);

/* Whom the attempt of a record counted for: what was said of its call. Borrows from the record. */
void settled_subject(const struct record *record, struct subject *subject);
/* Whether a hold was made for it. Apps report records too, and may write into them what they like. */
bool settled_is_held(const struct record *record);

#endif
