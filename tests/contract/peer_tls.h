/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/peer_tls.h: TLS for the peer: certificates made on the spot, a server's
 * handshake. */
#ifndef TESTS_CONTRACT_PEER_TLS_H
#define TESTS_CONTRACT_PEER_TLS_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/contract/peer.h"

/* What a server shows. Dates are days from now. */
struct show {
    const char *host;   /* an address, or a name */
    long from_days;
    long to_days;
    bool is_tls12;      /* no newer than TLS 1.2 */
    bool has_other_ca;  /* signed by somebody the client was not told of */
};

/* Makes the two authorities and writes the known one's certificate to `path`. */
void tls_make_authority(const char *path);
/* In a script, before all else: the handshake. False when the client would not. */
bool peer_tls_accept(struct peer *peer, const struct show *show);
ssize_t peer_tls_read(struct peer *peer, char *at, size_t size);
ssize_t peer_tls_write(struct peer *peer, const char *at, size_t size);
/* With close_notify. */
void peer_tls_close(struct peer *peer);

#endif
