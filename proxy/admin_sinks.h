/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/admin_sinks.h: how the sinks do, on the operators' listener; they tell it on the store thread
 * (admin_ask.h). Called by admin_mount.c. */
#ifndef PROXY_ADMIN_SINKS_H
#define PROXY_ADMIN_SINKS_H

#include <stdbool.h>

#include "base/span.h"

struct call;

/* Whether the path (without its query) is one of these pages. */
bool admin_sinks_is(struct span path);
/* Asked when the request is whole. False: it was answered (a no), the call is closed. */
bool admin_sinks_open(struct call *call, struct span path);

#endif
