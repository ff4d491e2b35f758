/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/admin_usage.h: questions about usage on the operators' listener, answered by the index on the
 * store thread (admin_page.h). Called by admin_mount.c. */
#ifndef PROXY_ADMIN_USAGE_H
#define PROXY_ADMIN_USAGE_H

#include <stdbool.h>

#include "base/span.h"

struct call;

/* Whether the path (without its query) is a question's. */
bool admin_usage_is(struct span path);
/* Reads the question; it is asked when the request is whole. False: it was answered (a no), the call is
 * closed. */
bool admin_usage_open(struct call *call, struct span path, struct span query);

#endif
