/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/admin_budgets.h: questions about budgets and orders to them, put to the ledger, which may answer at
 * once or later. Operators ask about all (admin_mount.c), an app about its own (call_open.c). */
#ifndef PROXY_ADMIN_BUDGETS_H
#define PROXY_ADMIN_BUDGETS_H

#include "admin/budget_ask.h"

struct call;
struct dialect;
struct path_match;

/* An operator's, whose path and method are judged already; asked when the request is whole. False: it was
 * answered (a no), the call is closed. */
bool admin_budgets_open(struct call *call, const struct budget_ask *asked, struct span query);

/* GET /headgate/v1/limits: true, and the match is filled, when the path is that one. */
bool own_limits_match(struct span method, struct span path, const struct dialect *spoken,
                      struct path_match *match);
bool own_limits_is(const struct path_match *match);
/* The head has been judged and the caller is known. As above. */
bool own_limits_open(struct call *call);

#endif
