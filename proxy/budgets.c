/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/budgets.h"

#include "base/text.h"
#include "enforcement/exposure.h"
#include "enforcement/ledger_memory.h"
#include "proxy/call.h"
#include "proxy/call_hold.h"

static void on_warning(void *to, const struct ledger_warning *warning)
{
    struct calls *calls = to;
    struct log *log = calls->env->log;
    struct buf *text = &calls->env->scratch->text;

    log_begin(log, warning->mode == BUDGET_SHADOW ? LOG_INFO : LOG_WARN, "budget",
              warning->percent >= 100 ? "a budget is used up" : "a budget has passed a threshold");
    log_field(log, "budget", warning->budget);
    log_field(log, "of", warning->value);
    log_field(log, "mode", span_of(budget_mode_word(warning->mode)));
    log_number(log, "percent", warning->percent);
    buf_clear(text);
    budget_put_amount(text, warning->unit, warning->settled);
    log_field(log, "settled", buf_span(text));
    buf_clear(text);
    budget_put_amount(text, warning->unit, warning->limit);
    log_field(log, "limit", buf_span(text));
    if (warning->window_end != INT64_MAX) {
        buf_clear(text);
        text_put_rfc3339(text, warning->window_end);
        log_field(log, "until", buf_span(text));
    }
    log_end(log);
}

bool budgets_begin(struct env *env)
{
    struct ledger_ears ears = {
        .to = env->calls, .on_answer = call_hold_on_answer, .on_warning = on_warning};
    uint64_t seed[2];

    loop_entropy(env->loop, seed, sizeof seed);
    env->ports->ledger_ops = &ledger_memory_ops;
    env->ports->ledger = ledger_memory_new(&ears, seed);
    env->ports->exposures = exposures_new(seed);
    return env->ports->ledger != NULL && env->ports->exposures != NULL;
}

void budgets_end(struct env *env)
{
    exposures_free(env->ports->exposures);
    env->ports->exposures = NULL;
    if (env->ports->ledger != NULL) {
        must(ledger_memory_open(env->ports->ledger) == 0);
        ledger_memory_free(env->ports->ledger);
        env->ports->ledger = NULL;
    }
}
