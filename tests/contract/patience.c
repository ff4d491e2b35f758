/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/patience.c: see patience.h. */
#include "tests/contract/patience.h"

#include <stddef.h>
#include <stdlib.h>

enum { PATIENCE_MAX = 100 };

uint32_t patient(uint32_t time)
{
    const char *told = getenv("HEADGATE_TEST_PATIENCE");
    unsigned long factor = told == NULL ? 1 : strtoul(told, NULL, 10);
    return time * (uint32_t)(factor < 1 ? 1 : factor > PATIENCE_MAX ? PATIENCE_MAX : factor);
}
