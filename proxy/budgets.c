/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/budgets.h"

#include "base/text.h"
#include "enforcement/exposure.h"
#include "enforcement/ledger_memory.h"
#include "proxy/budgets_shared.h"
#include "proxy/call.h"
#include "proxy/call_hold.h"

/* What Redis was not told by then it is told at the next start. */
enum { DRAIN_MS = 3000, TELL_AGAIN_MS = 60000 };

/* ---- what operators are told ---- */

static void put_amount(struct env *env, const char *key, enum budget_unit unit, int64_t amount)
{
    struct buf *text = &env->scratch->text;

    buf_clear(text);
    budget_put_amount(text, unit, amount);
    log_field(env->log, key, buf_span(text));
}

static void on_warning(void *to, const struct ledger_warning *warning)
{
    struct calls *calls = to;
    struct env *env = calls->env;
    struct log *log = env->log;

    log_begin(log, warning->mode == BUDGET_SHADOW ? LOG_INFO : LOG_WARN, "budget",
              warning->percent >= 100 ? "a budget is used up" : "a budget has passed a threshold");
    log_field(log, "budget", warning->budget);
    log_field(log, "of", warning->value);
    log_field(log, "mode", span_of(budget_mode_word(warning->mode)));
    log_number(log, "percent", warning->percent);
    put_amount(env, "settled", warning->unit, warning->settled);
    put_amount(env, "limit", warning->unit, warning->limit);
    if (warning->window_end != INT64_MAX) {
        buf_clear(&env->scratch->text);
        text_put_rfc3339(&env->scratch->text, warning->window_end);
        log_field(log, "window_end", buf_span(&env->scratch->text));
    }
    log_end(log);
}

void budgets_tell_shadow(struct env *env, const struct budget *budget, struct span call_id,
                         int64_t asked)
{
    log_begin(env->log, LOG_INFO, "budget", "a call does not fit");
    log_field(env->log, "budget", budget->name);
    log_field(env->log, "of", call_id);
    log_field(env->log, "mode", span_of(budget_mode_word(budget->mode)));
    put_amount(env, "asked", budget->unit, asked);
    put_amount(env, "limit", budget->unit, budget->limit);
    log_end(env->log);
}

static bool is_due(struct env *env, mono_ms *told_at)
{
    mono_ms now = loop_now(env->loop);

    if (*told_at != 0 && now < mono_add(*told_at, TELL_AGAIN_MS)) {
        return false;
    }
    *told_at = now;
    return true;
}

void budgets_tell_unasked(struct env *env)
{
    struct budget_alarms *alarms = &env->calls->alarms;

    alarms->unasked_calls++;
    if (is_due(env, &alarms->unasked)) {
        log_begin(env->log, LOG_ERROR, "budget_unasked",
                  "calls are let through unasked, as on_failure says");
        log_number(env->log, "calls", alarms->unasked_calls);
        log_end(env->log);
        alarms->unasked_calls = 0;
    }
}

void budgets_tell_overrun(struct env *env, const struct budget *budget, int64_t held,
                          int64_t booked)
{
    if (is_due(env, &env->calls->alarms.overrun[budget->index % BUDGETS_MAX])) {
        log_begin(env->log, LOG_WARN, "budget_overrun", "a call cost more than was set aside");
        log_field(env->log, "budget", budget->name);
        put_amount(env, "held", budget->unit, held);
        put_amount(env, "booked", budget->unit, booked);
        log_end(env->log);
    }
}

void budgets_tell_disbelieved(struct env *env, struct span provider, struct span model)
{
    if (is_due(env, &env->calls->alarms.disbelieved)) {
        log_begin(env->log, LOG_ERROR, "usage_disbelieved",
                  "a usage is not believed: the hold is charged");
        log_field(env->log, "provider", provider);
        log_field(env->log, "model", model);
        log_end(env->log);
    }
}

struct ledger_ears budgets_ears(struct env *env)
{
    return (struct ledger_ears){
        .to = env->calls, .on_answer = call_hold_on_answer, .on_warning = on_warning};
}

/* A shared ledger is opened with the state folder, which knows this process' name there. */
bool budgets_begin(struct env *env)
{
    struct ledger_ears ears = budgets_ears(env);
    bool is_own = env->snapshot->ledger.kind == LEDGER_MEMORY;
    uint64_t seed[2];

    loop_entropy(env->loop, seed, sizeof seed);
    if (is_own) {
        env->ports->ledger_ops = &ledger_memory_ops;
        env->ports->ledger = ledger_memory_new(&ears, seed);
    }
    env->ports->exposures = exposures_new(seed);
    return env->ports->exposures != NULL && (!is_own || env->ports->ledger != NULL);
}

void budgets_end(struct env *env)
{
    exposures_free(env->ports->exposures);
    env->ports->exposures = NULL;
    if (env->ports->shared != NULL) {
        budgets_shared_end(env->ports->shared, DRAIN_MS);
        env->ports->shared = NULL;
        env->ports->ledger = NULL;
    }
    if (env->ports->ledger != NULL) {
        must(ledger_memory_open(env->ports->ledger) == 0);
        ledger_memory_free(env->ports->ledger);
        env->ports->ledger = NULL;
    }
}
