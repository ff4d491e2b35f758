/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "enforcement/ledger_memory.h"

static void ledger_memory__counts_what_is_open(void **state)
{
    struct ledger *ledger = ledger_memory_new();
    struct hold_request request = {.call_id = 7, .attempt = 1};
    struct hold_answer answer;

    (void)state;
    assert_non_null(ledger);
    assert_true(ledger_memory_ops.hold(ledger, &request, &answer));
    assert_int_equal(answer.verdict, HOLD_GRANTED);
    assert_int_equal(answer.call_id, 7);
    assert_int_equal(answer.attempt, 1);
    assert_int_equal(ledger_memory_open(ledger), 1);
    ledger_memory_ops.settle(ledger, 7, 1);
    assert_int_equal(ledger_memory_open(ledger), 0);
    ledger_memory_free(ledger);
    assert_int_equal(mem_held(), 0);
}

static void ledger_memory__copes_without_memory(void **state)
{
    (void)state;
    mem_fail_at(1);
    assert_null(ledger_memory_new());
    mem_fail_at(0);
    ledger_memory_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger_memory__counts_what_is_open),
        cmocka_unit_test(ledger_memory__copes_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
