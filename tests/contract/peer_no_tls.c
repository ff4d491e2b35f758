/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/peer_no_tls.c: for suites without TLS, which need no OpenSSL. */
#include "base/must.h"
#include "tests/contract/peer_tls.h"

ssize_t peer_tls_read(struct peer *peer, char *at, size_t size)
{
    (void)peer;
    (void)at;
    (void)size;
    UNREACHABLE();
}

ssize_t peer_tls_write(struct peer *peer, const char *at, size_t size)
{
    (void)peer;
    (void)at;
    (void)size;
    UNREACHABLE();
}

void peer_tls_close(struct peer *peer)
{
    (void)peer;
    UNREACHABLE();
}
