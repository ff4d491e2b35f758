/* SPDX-License-Identifier: Apache-2.0 */
/* admin/order.h: what an operator orders, out of a request line:
 *
 *   POST /admin/v1/targets/{name}/{park|unpark|reset}
 *
 * {name} is "provider/model", "provider" or "*", percent-encoded; a slash in it may stand as it is.
 * Pure; whether there is such a target is the fleet's to say. A value. */
#ifndef ADMIN_ORDER_H
#define ADMIN_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/span.h"
#include "router/fleet_view.h"

enum { ORDER_NAME_MAX = 64 + 1 + LIMIT_MODEL_NAME * 4 }; /* provider, slash, model in UTF-8 */

struct order {
    enum fleet_order what;
    size_t name_len;
    char name[ORDER_NAME_MAX]; /* decoded; not ended by a zero byte */
};

enum order_reading {
    ORDER_NONE,   /* not the path of an order */
    ORDER_GOOD,
    ORDER_METHOD, /* its path, another method: only POST orders */
    ORDER_NAME    /* its path with a name that cannot be read, or that no target can have */
};

/* `target` as in the request line; a query is not looked at. *order is written when ORDER_GOOD. */
enum order_reading order_read(struct span method, struct span target, struct order *order);
struct span order_name(const struct order *order);
/* "park", "unpark", "reset". */
const char *order_word(enum fleet_order what);
/* The order of this word; false: there is none. */
bool order_of_word(struct span word, enum fleet_order *what);

#endif
