/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/bell.h: wakes a loop from another thread. Many rings before it is heard are one. */
#ifndef PROXY_BELL_H
#define PROXY_BELL_H

#include "proxy/loop.h"

struct bell;
/* on_ring runs on the loop's thread. NULL: no memory or no descriptors. */
struct bell *bell_new(struct loop *loop, void (*on_ring)(void *to), void *to);
/* On the loop's thread, when nobody rings any more. */
void bell_free(struct bell *bell);
/* From any thread. */
void bell_ring(struct bell *bell);

#endif
