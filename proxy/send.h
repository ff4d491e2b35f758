/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/send.h: one gathered send to a socket, the cheap way for its size. */
#ifndef PROXY_SEND_H
#define PROXY_SEND_H

#include <stddef.h>
#include <sys/types.h>

#include "base/span.h"

enum { SEND_PIECES_MAX = 16 };

/* Sends what the socket takes of the pieces in order, at most `max` bytes of them in this one call, so
 * that a great body does not hold the loop. count <= SEND_PIECES_MAX. Like send(2): the bytes taken,
 * or -1 and errno; never EINTR, never a signal. */
ssize_t send_spans(int fd, const struct span *pieces, size_t count, size_t max);

#endif
