/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/admin_estimate.h: POST /admin/v1/estimate, what a request would cost. Nothing is sent and nothing
 * is remembered. Called by admin_mount.c. */
#ifndef PROXY_ADMIN_ESTIMATE_H
#define PROXY_ADMIN_ESTIMATE_H

#include <stdbool.h>

#include "base/span.h"

struct call;

#define ADMIN_ESTIMATE_PATH SPAN_OF("/admin/v1/estimate")

/* The head has been judged; the question is read when its body is whole. False: it was answered (a no), the
 * call is closed. `query` is kept. */
bool admin_estimate_open(struct call *call, struct span query);

#endif
