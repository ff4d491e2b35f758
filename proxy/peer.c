/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses to names and names to text. */
#include "proxy/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "enforcement/egress.h"

struct silent_name peer_name(const struct sockaddr_storage *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    uint8_t bytes[4];

    if (address->ss_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        memcpy(bytes, &v4.sin_addr, sizeof bytes);
        return silent_name_ipv4(bytes);
    }
    if (address->ss_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        return silent_name_ipv6(v6.sin6_addr.s6_addr);
    }
    return silent_name_unix();
}

bool peer_is_local(const struct sockaddr_storage *address)
{
    struct egress_address own = {{[10] = 0xff, [11] = 0xff}};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->ss_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        memcpy(own.bytes + 12, &v4.sin_addr, 4);
        return egress_is_loopback(&own);
    }
    if (address->ss_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        memcpy(own.bytes, v6.sin6_addr.s6_addr, sizeof own.bytes);
        return egress_is_loopback(&own);
    }
    return address->ss_family == AF_UNIX;
}

struct span peer_text(const struct silent_name *name, char text[PEER_TEXT_BYTES])
{
    struct silent_name local = silent_name_unix();
    struct silent_name v4 = silent_name_ipv4(name->bytes + 12);

    text[0] = '\0';
    if (memcmp(name, &local, sizeof local) == 0) {
        return SPAN_OF("unix");
    }
    if (memcmp(name, &v4, sizeof v4) == 0) {
        (void)inet_ntop(AF_INET, name->bytes + 12, text, PEER_TEXT_BYTES);
    } else {
        (void)inet_ntop(AF_INET6, name->bytes, text, INET6_ADDRSTRLEN);
        memcpy(text + strlen(text), "/64", sizeof "/64");
    }
    return span_of(text);
}
