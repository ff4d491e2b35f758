/* SPDX-License-Identifier: Apache-2.0 */
/* What operators order of budgets, and what a reload changes, concerns both threads: the ledger, which is
 * the main loop's, and the sums of the records, which are the store thread's.
 *
 *   reset    announced there -> done in the ledger here, which says when -> applied and saved there
 *   rebuild  counted there, in turns -> put right in the ledger here -> let go there
 */
#include "proxy/budgets.h"

#include "base/mem.h"
#include "base/text.h"
#include "enforcement/ledger_memory.h"
#include "proxy/call_hold.h"
#include "proxy/settled_follow.h"
#include "proxy/store.h"

enum { TOLD_MAX = 32 /* lines of one rebuild */ };

enum stage { ANNOUNCING, APPLYING, COUNTING, ENDING };

struct budgets_ask {
    struct store_question question; /* first, so that it leads here */
    struct env *env;
    struct settled_follow *settled;
    struct ledger_order *order;
    struct ledger_order inner;      /* what the ledger is told */
    struct settled_change change;
    struct settled_counting counting;
    enum stage stage;
    enum settled_again again;
    uint64_t written;               /* lines, when it was asked */
    uint64_t resets;                /* there had been, when counting began */
    bool counts_again;
    bool is_good;
    struct why why;
};

/* ---- on the store thread ---- */

static void run(struct store_question *question, struct journal_place end)
{
    struct budgets_ask *ask = (struct budgets_ask *)question;
    struct why why;

    switch (ask->stage) {
    case ANNOUNCING:
        ask->is_good = settled_follow_announce(ask->settled, &ask->change);
        why_set(&ask->why, "too many single counters were reset; reset the whole budget");
        return;
    case APPLYING:
        settled_follow_apply(ask->settled);
        ask->is_good = settled_follow_save(ask->settled, &why);
        if (!ask->is_good) {
            why_set(&ask->why, "it is done, but could not be written down yet: %s", why.text);
        }
        return;
    case COUNTING:
        ask->counting.end = end;
        ask->again = settled_follow_again(ask->settled, &ask->counting, &ask->why);
        ask->is_good = ask->again != AGAIN_FAILED;
        return;
    case ENDING: settled_follow_again_end(ask->settled); return;
    }
}

/* ---- on the main loop ---- */

static void end(struct budgets_ask *ask, const char *why)
{
    struct ledger_order *order = ask->order;

    order->done(order, why == NULL, why);
    mem_give(ask, sizeof *ask);
}

static void go_on(struct budgets_ask *ask, enum stage stage)
{
    ask->stage = stage;
    ask->written = store_state(ask->env->ports->store).written;
    if (!store_ask(ask->env->ports->store, &ask->question)) {
        end(ask, "too much is asked at once: try again");
    }
}

static void on_reset(struct ledger_order *inner, bool is_done, const char *why)
{
    struct budgets_ask *ask = LIST_OWNER(inner, struct budgets_ask, inner);

    ask->order->touched = inner->touched;
    ask->order->now = inner->now;
    why_set(&ask->why, "%s", is_done ? "" : why);
    atomic_store(&ask->change.from, is_done ? inner->now : -1);
}

static void reset(struct budgets_ask *ask)
{
    ask->env->ports->budget_resets++;
    ask->inner = *ask->order;
    ask->inner.done = on_reset;
    ask->env->ports->ledger_ops->order(ask->env->ports->ledger, &ask->inner);
    go_on(ask, APPLYING);
}

/* Nothing is under way that the ledger knows and the journal does not. */
static bool is_at_rest(const struct budgets_ask *ask)
{
    struct store_state state = store_state(ask->env->ports->store);

    return ask->env->calls->budgets_out == 0 && state.waiting == 0 &&
           state.written == ask->written;
}

static void tell_difference(struct budgets_ask *ask, const struct settled_sum *sum, int64_t was,
                            int64_t is)
{
    struct log *log = ask->env->log;
    struct buf *text = &ask->env->scratch->text;

    if (++ask->order->touched > TOLD_MAX) {
        return;
    }
    log_begin(log, LOG_WARN, "budget_rebuilt", "the records say otherwise than the ledger did");
    log_field(log, "budget", sum->budget);
    log_field(log, "of", sum->value);
    buf_clear(text);
    budget_put_amount(text, sum->unit, was);
    log_field(log, "was", buf_span(text));
    buf_clear(text);
    budget_put_amount(text, sum->unit, is);
    log_field(log, "is", buf_span(text));
    log_end(log);
}

/* At rest the ledger's sum is that of the records; else what it had too little or too much. */
static bool put_right(struct budgets_ask *ask, const struct settled_sum *sum, wall_ms now,
                      bool is_at_rest)
{
    struct ledger *ledger = ask->env->ports->ledger;
    const struct budget *budget = settled_open(ask->counting.fresh, sum, now);
    int64_t *settled = NULL;
    int64_t was = 0;
    int64_t is = 0;
    struct ledger_sum missing;

    if (budget == NULL || (ask->counting.budget.len > 0 &&
                           !span_equal(ask->counting.budget, sum->budget))) {
        return true;
    }
    settled = ledger_memory_sum(ledger, sum->budget, sum->value, sum->window.begin);
    was = settled != NULL ? *settled : 0;
    is = is_at_rest ? sum->settled : was + (sum->settled - sum->before);
    is = is > 0 ? is : 0;
    if (is == was) {
        return true;
    }
    tell_difference(ask, sum, was, is);
    if (settled != NULL) {
        *settled = is;
        return true;
    }
    missing = (struct ledger_sum){.budget = budget,
                                  .value = sum->value,
                                  .window = sum->window,
                                  .settled = is,
                                  .reset_at = INT64_MIN};
    return ledger_memory_load(ledger, &missing, now);
}

static void put_all_right(struct budgets_ask *ask)
{
    wall_ms now = loop_wall(ask->env->loop);
    bool is_quiet = is_at_rest(ask);
    bool is_good = true;

    for (struct link *at = ask->counting.fresh->all.next; at != &ask->counting.fresh->all && is_good;
         at = at->next) {
        is_good = put_right(ask, LIST_OWNER(at, struct settled_sum, link), now, is_quiet);
    }
    ask->is_good = is_good;
    why_set(&ask->why, "out of memory");
    go_on(ask, ENDING);
}

static void done(struct store_question *question)
{
    struct budgets_ask *ask = (struct budgets_ask *)question;

    if (ask->env->ports->settled == NULL) {
        end(ask, "headgate stops");
        return;
    }
    if (!ask->is_good && ask->stage != ENDING) {
        end(ask, ask->why.text);
        return;
    }
    switch (ask->stage) {
    case ANNOUNCING: reset(ask); return;
    case APPLYING: end(ask, ask->why.text[0] == '\0' ? NULL : ask->why.text); return;
    case COUNTING:
        if (ask->again == AGAIN_MORE) {
            go_on(ask, COUNTING);
        } else if (ask->resets != ask->env->ports->budget_resets) {
            ask->counts_again = true; /* what was counted may be of before a reset */
            go_on(ask, ENDING);
        } else {
            put_all_right(ask);
        }
        return;
    case ENDING:
        if (ask->counts_again) {
            ask->counts_again = false;
            ask->resets = ask->env->ports->budget_resets;
            go_on(ask, COUNTING);
            return;
        }
        end(ask, ask->is_good ? NULL : ask->why.text);
        return;
    }
}

void budgets_order(struct env *env, struct ledger_order *order)
{
    struct budgets_ask *ask = NULL;

    if (env->ports->settled == NULL || order->kind == ORDER_VOID) {
        env->ports->ledger_ops->order(env->ports->ledger, order);
        return;
    }
    order->touched = 0;
    if (order->budget.len > BUDGET_NAME_MAX || order->value.len > SCOPE_VALUE_MAX) {
        order->done(order, true, NULL); /* nobody is called so */
        return;
    }
    ask = mem_take_zero(sizeof *ask);
    if (ask == NULL) {
        order->done(order, false, "out of memory");
        return;
    }
    ask->question = (struct store_question){.run = run, .done = done};
    ask->env = env;
    ask->settled = env->ports->settled;
    ask->order = order;
    ask->counting.by = ask;
    ask->resets = env->ports->budget_resets;
    ask->counting.budget = order->budget;
    ask->change.budget = order->budget;
    ask->change.value = order->has_value ? span_make(order->value.len > 0 ? order->value.at : "",
                                                     order->value.len)
                                         : span_make(NULL, 0);
    atomic_init(&ask->change.from, INT64_MAX);
    go_on(ask, order->kind == ORDER_RESET ? ANNOUNCING : COUNTING);
}
