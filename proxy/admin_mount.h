/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/admin_mount.h: pages and orders onto their listener. Fills the view that pages see, asks
 * the guard, obeys, answers. Called by call_open.c. */
#ifndef PROXY_ADMIN_MOUNT_H
#define PROXY_ADMIN_MOUNT_H

#include <stdbool.h>

#include "enforcement/lockout.h"
#include "wire/http1.h"

struct call;

/* What operators' requests leave behind; in struct calls. */
struct admin_mount {
    mono_ms began;          /* the loop's time at the start */
    struct lockout lockout; /* who sent wrong tokens */
};

/* A request of an app for one of the pages that apps may see: answered. False: it is something
 * else. */
bool admin_page_answers(struct call *call, struct span method, struct span target);
/* Any request on the operators' listener. True: it is a question that is asked when the request is
 * whole; false: it is answered, the call is closed. */
bool admin_answers(struct call *call, const struct http1_head *head, const char *base);

#endif
