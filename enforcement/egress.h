/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/egress.h: which addresses may be called at all (egress.allow). Asked by the
 * dialer for each address before it is opened. Pure; knows bytes of addresses, no sockets. */
#ifndef ENFORCEMENT_EGRESS_H
#define ENFORCEMENT_EGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/* An address as 16 bytes, IPv4 mapped into ::ffff:0:0/96. */
struct egress_address {
    uint8_t bytes[16];
};

struct egress_range {
    struct egress_address base;
    uint8_t bits; /* 0..128, of the mapped form */
};

/* "10.0.0.0/8", "fc00::/7", "127.0.0.1". ERR_FORMAT. */
MUST_CHECK enum err egress_range_read(struct span text, struct egress_range *range);
/* A literal address without brackets or zone. False when it is a name. */
bool egress_address_read(struct span text, struct egress_address *address);

enum egress_verdict { EGRESS_ALLOWED, EGRESS_DENIED };

/* host_is_literal: base_url names this very address or `localhost`, so it is allowed as written.
 * The metadata addresses never are (egress_is_metadata), in no spelling and by no range. */
enum egress_verdict egress_judge(const struct egress_address *address, bool host_is_literal,
                                 const struct egress_range *allowed, size_t count);
/* Loopback (127/8, ::1). */
bool egress_is_loopback(const struct egress_address *address);
/* Loopback, private, link-local, unspecified, multicast, reserved: what a name may not resolve to
 * unless allowed. */
bool egress_is_private(const struct egress_address *address);
/* Where clouds answer with credentials: 169.254.169.254, 169.254.170.2, 169.254.170.23,
 * 100.100.100.200, 192.0.0.192, 168.63.129.16, fd00:ec2::254, fd00:ec2::23, fd20:ce::254; also
 * written as IPv4-mapped, NAT64 (64:ff9b::/96) or 6to4 addresses. */
bool egress_is_metadata(const struct egress_address *address);
/* Inside one of the ranges, compared as written (an embedded IPv4 address does not count). */
bool egress_in_ranges(const struct egress_address *address, const struct egress_range *ranges,
                      size_t count);
/* May a provider's key go there without TLS? Loopback or an allowed range, never metadata. Asked
 * for each address of an http:// endpoint, beside egress_judge. */
bool egress_may_be_plain(const struct egress_address *address, const struct egress_range *allowed,
                         size_t count);

#endif
