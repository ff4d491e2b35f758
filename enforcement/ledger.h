/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/ledger.h: the port to the book of money set aside. A hold is answered exactly once,
 * granted or denied, unless it is cancelled; every granted hold is settled exactly once. The answer
 * never comes from inside hold. Implementation today: ledger_memory.c, which knows no budget yet
 * and grants at once. */
#ifndef ENFORCEMENT_LEDGER_H
#define ENFORCEMENT_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

struct ledger; /* an implementation's own state */

struct hold_request {
    uint64_t call_id;
    uint8_t attempt;
};

enum hold_verdict { HOLD_GRANTED, HOLD_DENIED };

struct hold_answer {
    uint64_t call_id;
    uint8_t attempt;
    enum hold_verdict verdict;
};

struct ledger_ops {
    /* Asks for a hold. True: the answer is in *answer already (an embedded ledger), false: it comes
     * later through the ear given when the ledger was made. */
    bool (*hold)(struct ledger *ledger, const struct hold_request *request,
                 struct hold_answer *answer);
    /* Ends a granted hold. */
    void (*settle)(struct ledger *ledger, uint64_t call_id, uint8_t attempt);
};

#endif
