/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/peer.h: who is at the other end of an accepted connection: the system's socket address as
 * the name that enforcement counts by, and that name as text for log lines. */
#ifndef PROXY_PEER_H
#define PROXY_PEER_H

#include <sys/socket.h>

#include "enforcement/silent.h"

enum { PEER_TEXT_BYTES = 64 }; /* an address in IPv6 has at most 45, its length three more */

/* Of what accept() told; families without addresses of their own count as Unix sockets. */
struct silent_name peer_name(const struct sockaddr_storage *address);
/* Whether that is a process of this machine: 127.0.0.0/8, ::1, or a Unix socket. */
bool peer_is_local(const struct sockaddr_storage *address);
/* "127.0.0.1", "2001:db8:0:1::/64" or "unix"; valid as long as `text`. */
struct span peer_text(const struct silent_name *name, char text[PEER_TEXT_BYTES]);

#endif
