/* SPDX-License-Identifier: Apache-2.0 */
/* Grants every hold at once: there are no budgets in the settings yet that could say no. What it
 * does hold to is the port's promise: settles match grants. */
#include "enforcement/ledger_memory.h"

#include "base/mem.h"

struct ledger {
    uint64_t granted;
    uint64_t settled;
};

struct ledger *ledger_memory_new(void)
{
    return mem_take_zero(sizeof(struct ledger));
}

void ledger_memory_free(struct ledger *ledger)
{
    mem_give(ledger, sizeof *ledger);
}

static bool hold(struct ledger *ledger, const struct hold_request *request,
                 struct hold_answer *answer)
{
    ledger->granted++;
    *answer = (struct hold_answer){
        .call_id = request->call_id, .attempt = request->attempt, .verdict = HOLD_GRANTED};
    return true;
}

static void settle(struct ledger *ledger, uint64_t call_id, uint8_t attempt)
{
    (void)call_id;
    (void)attempt;
    ledger->settled++;
    must(ledger->settled <= ledger->granted);
}

const struct ledger_ops ledger_memory_ops = {.hold = hold, .settle = settle};

uint64_t ledger_memory_open(const struct ledger *ledger)
{
    return ledger->granted - ledger->settled;
}
