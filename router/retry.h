/* SPDX-License-Identifier: Apache-2.0 */
/* router/retry.h: what to do after a failed attempt: stop, ask another target, ask the same again,
 * and after how long. One pure function; the dispatch gathers the facts. */
#ifndef ROUTER_RETRY_H
#define ROUTER_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/tick.h"
#include "router/outcome.h"
#include "router/storm.h"
#include "router/target.h"

enum retry_choice { RETRY_STOP, RETRY_SAME, RETRY_NEXT };

/* Why a call goes on or stops; the words of its log line. */
enum retry_why {
#define RETRY_WHY(name, word) RETRY_##name,
#include "router/retry_whys.def"
#undef RETRY_WHY
};
const char *retry_why_word(enum retry_why why);

/* An attempt is not begun with less than this left of the call's deadline. */
enum { RETRY_ATTEMPT_MIN_MS = 2000 };
/* A hint up to this is waited for when no other target can help. */
enum { RETRY_HINT_MAX_MS = 10000 };
/* The longest hint that is waited for: after a throttle at least as long as the route's `wait`. */
uint32_t retry_hint_max_ms(const struct retry_rule *rule, enum outcome outcome);

struct retry_facts {
    enum outcome outcome;
    const struct retry_rule *rule;
    uint8_t attempts;        /* of this call so far */
    uint8_t attempts_max;    /* of this call */
    uint8_t attempts_here;   /* at this target */
    uint8_t fresh;           /* how often it was repeated on a new connection */
    uint8_t ambiguous;       /* earlier attempts of this call that may have run */
    bool is_ambiguous;       /* this one may have run */
    bool is_money_out;       /* what may be paid for twice has reached its limit */
    bool has_next;           /* another eligible target */
    bool is_next_again;      /* which was tried before: not without a pause */
    bool may_same;           /* this one may still be asked, */
    uint32_t same_ready_ms;  /* after so long */
    enum storm_no same_storm; /* the budgets of this endpoint, */
    enum storm_no next_storm; /* and of the next target's */
    int64_t hint_ms;         /* how long the provider asked to wait; HINT_NONE */
    int8_t should_retry;     /* x-should-retry: 1, 0, -1 not told; binds only the same target */
    uint8_t waits;           /* pauses of this call so far */
    uint32_t last_wait_ms;   /* the latest of them */
    uint64_t left_ms;        /* of the call's deadline */
    bool is_resume;          /* it was to continue what another one began */
};

struct retry_decision {
    enum retry_choice choice;
    enum retry_why why;
    uint32_t wait_ms;
};

/* The row's remedy, but for what it says of a request that continues another one's answer. */
enum remedy retry_remedy(enum outcome outcome, bool is_resume);
struct retry_decision retry_decide(const struct retry_facts *facts, struct rng *rng);

/* The pause before the k-th repetition (k from 1): full jitter or decorrelated, by the rule;
 * is_throttled: base 1 s, cap 20 s in place of the rule's. */
uint32_t retry_pause_ms(const struct retry_rule *rule, uint32_t k, uint32_t last_ms,
                        bool is_throttled, struct rng *rng);
/* A hint as a pause: at least the hint, up to a tenth (1 s at most) more. */
uint32_t retry_hint_ms(int64_t hint_ms, struct rng *rng);

#endif
