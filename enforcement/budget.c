/* SPDX-License-Identifier: Apache-2.0 */
#include "enforcement/budget.h"

#include "base/crc32c.h"
#include "base/must.h"
#include "enforcement/counters.h"
#include "wire/usage.h"

const char *budget_unit_word(enum budget_unit unit)
{
    static const char *const words[] = {"USD", "tokens", "requests"};

    return words[unit];
}

const char *budget_mode_word(enum budget_mode mode)
{
    static const char *const words[] = {"enforce", "warn", "shadow"};

    return words[mode];
}

bool budget_is_past(const struct budget *budget, uint8_t percent, int64_t settled)
{
    /* A limit is below 2^53, so a hundred times as much is below 2^63. */
    return settled >= budget->limit || settled * 100 >= budget->limit * percent;
}

uint8_t budget_threshold(const struct budget *budget, int64_t settled)
{
    uint8_t percent = 0;

    for (uint8_t i = 0; i < budget->warn_count; i++) { /* ascending */
        percent = budget_is_past(budget, budget->warn_at[i], settled) ? budget->warn_at[i] : percent;
    }
    return percent;
}

uint32_t budget_mark(const struct budget *budget)
{
    const uint64_t words[] = {(uint64_t)budget->unit,         (uint64_t)budget->scope.kind,
                              (uint64_t)budget->window.kind,  budget->window.week_begins,
                              budget->window.length_ms,       budget->window.zone_mark};

    return crc32c_more(crc32c(span_make((const char *)words, sizeof words)), budget->scope.value);
}

wall_ms budget_open_since(const struct budget *budget, wall_ms now)
{
    struct window window;

    if (budget->scope.kind == SCOPE_TRACE) {
        return now - COUNTERS_TRACE_MS;
    }
    window_at(&budget->window, now, &window);
    return budget->window.kind == WINDOW_ROLLING
               ? window.begin - (int64_t)budget->window.length_ms
               : window.begin;
}

void amounts_book(struct amounts *amounts, int64_t charged, const int64_t *tokens, bool is_sent)
{
    amounts->of[UNIT_MONEY] = charged > 0 ? charged : 0;
    amounts->of[UNIT_TOKENS] = tokens_sum(tokens);
    amounts->of[UNIT_REQUESTS] = is_sent;
}

static void add(struct chain *chain, const struct budget *budget, struct span value)
{
    bool is_guard = budget->scope.kind == SCOPE_CALL;

    if (is_guard ? chain->guards_count == GUARDS_MAX : chain->count == CHAIN_MAX) {
        chain->has_overflowed = true;
        return;
    }
    if (is_guard) {
        chain->guards[chain->guards_count++] = budget;
    } else {
        chain->list[chain->count++] = (struct chain_link){.budget = budget, .value = value};
    }
    if (budget->mode == BUDGET_ENFORCE) {
        chain->enforces = true;
        chain->enforces_money = chain->enforces_money || budget->unit == UNIT_MONEY;
    }
}

void chain_make(const struct budgets *budgets, const struct subject *subject, struct chain *chain)
{
    chain->count = 0;
    chain->guards_count = 0;
    chain->has_overflowed = false;
    chain->enforces = false;
    chain->enforces_money = false;
    for (size_t i = 0; i < budgets->count; i++) {
        const struct budget *budget = &budgets->list[i];
        struct span value = {NULL, 0};
        size_t at = 0;

        while (scope_next(&budget->scope, subject, &at, &value)) {
            add(chain, budget, scope_own(budget->scope.kind, subject, value, &chain->room));
        }
    }
}
