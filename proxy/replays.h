/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/replays.h: the answers kept for apps that repeat a call with its Idempotency-Key. In memory, of
 * this process alone: a restart forgets them. What happens to a call is in call_parts.h. */
#ifndef PROXY_REPLAYS_H
#define PROXY_REPLAYS_H

#include "proxy/env.h"

struct replays *replays_new(struct env *env);
/* When all calls are closed. */
void replays_free(struct replays *replays);

#endif
