/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/peer.h: a provider with a script, in a process of its own. Each connection gets a
 * process too, so a script is plain blocking code; what it saw is counted in shared memory. */
#ifndef TESTS_CONTRACT_PEER_H
#define TESTS_CONTRACT_PEER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What both sides see. */
struct shared {
    atomic_uint connections;
    atomic_uint requests;  /* whole ones */
    atomic_uint ends;      /* connections whose end the script has seen */
    atomic_uint open;      /* connections now */
    atomic_uint open_max;
    atomic_uint signal;    /* for scripts and tests to wait for each other */
    atomic_uint resumed;   /* TLS sessions */
    atomic_uint offers;    /* protocols that clients offered (ALPN), "http/1.1" not counted */
    _Atomic uint64_t body; /* bytes of the last request's body */
};

struct peer {
    int fd;
    unsigned nth;          /* which connection this is, from 0 */
    struct shared *shared;
    const void *with;      /* what server_start was given */
    void *tls;             /* an SSL, or NULL */
    char unread[70000];    /* of the request after this one */
    size_t unread_len;
};

typedef void peer_script(struct peer *peer);

struct server {
    uint16_t port;
    pid_t pid;
    struct shared *shared;
};

/* Before each connection's script; NULL: none. */
struct server server_start(peer_script *script, const void *with);
void server_stop(struct server *server);
/* Listens on another loopback address at the same port. */
struct server server_start_at(const char *address, uint16_t port, peer_script *script,
                              const void *with);

/* Reads one request with its body (Content-Length). False at the end of the connection. */
bool peer_take(struct peer *peer);
/* Reads only a head. */
bool peer_take_head(struct peer *peer);
void peer_say(struct peer *peer, const char *text);
void peer_send(struct peer *peer, const char *bytes, size_t count);
/* Ends the connection with a RST. */
void peer_reset(struct peer *peer);
/* Waits for the other side's end, counts it. */
void peer_wait_end(struct peer *peer);
/* Waits until shared->signal is at least `value`. */
void shared_wait(struct shared *shared, unsigned value);

ssize_t peer_read(struct peer *peer, char *at, size_t size);

#endif
