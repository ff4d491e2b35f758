/* SPDX-License-Identifier: Apache-2.0 */
#include "enforcement/rate.h"

#include "base/must.h"

const char *rate_unit_word(enum rate_unit unit)
{
    static const char *const words[] = {"requests", "tokens", "concurrent"};

    _Static_assert(ARRAY_LENGTH(words) == RATE_UNITS, "a word per unit");
    return words[unit];
}

bool rate_has_scope(enum scope_kind kind)
{
    return kind != SCOPE_MODEL && kind != SCOPE_PROVIDER && kind != SCOPE_CALL;
}
