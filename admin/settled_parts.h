/* SPDX-License-Identifier: Apache-2.0 */
/* admin/settled_parts.h: between settled.c (the sums) and settled_text.c (their text). */
#ifndef ADMIN_SETTLED_PARTS_H
#define ADMIN_SETTLED_PARTS_H

#include "admin/settled.h"

struct settled_reset {
    struct link link;
    char budget[BUDGET_NAME_MAX];
    size_t budget_len;
    bool has_value;
    char value[SCOPE_VALUE_MAX];
    size_t value_len;
    wall_ms at;
};
bool settled_reset_is_of(const struct settled_reset *reset, struct span budget, struct span value);

/* The sum with this key; one that is not there yet becomes a copy of `like`. */
enum err settled_sum(struct settled *settled, const struct settled_sum *like,
                     struct settled_sum **sum);
/* Only remembered; sums are left alone. */
enum err settled_note_reset(struct settled *settled, struct span budget, struct span value,
                            wall_ms at);
/* One of a name that is not among them yet; another one that none of `budgets` is called goes for it. */
void settled_remember(struct settled *settled, const struct budgets *budgets,
                      const struct settled_budget *seen);

#endif
