/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/listener.h: bind, accept, and stop accepting when descriptors run out. */
#ifndef PROXY_LISTENER_H
#define PROXY_LISTENER_H

#include "base/err.h"
#include "proxy/conn.h"

struct listener;

/* Binds and listens. ERR_IN_USE, ERR_PERMISSION, ERR_SYSTEM with `why` filled. */
MUST_CHECK enum err listener_open(struct env *env, const struct listen_address *address,
                                  enum conn_side side, struct listener **listener,
                                  struct why *why);
/* Stops accepting and closes; a Unix socket's file is removed. NULL is allowed. */
void listener_close(struct listener *listener);
enum conn_side listener_side(const struct listener *listener);
/* "127.0.0.1:8402" as really bound (port 0 resolved). Valid while the listener lives. */
struct span listener_address(const struct listener *listener);
/* Descriptors came back: accept again if it was paused. */
void listener_try_again(struct listener *listener);

#endif
