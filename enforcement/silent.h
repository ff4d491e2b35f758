/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/silent.h: the book of silent connections: those that have not brought a whole request
 * head yet. Each address may have so many, and all addresses together so many; beyond that the
 * oldest gives way, so that a newcomer always gets in, and an app that speaks at once is never
 * touched, also when a hundred apps share one address. It says who gives way and closes nothing:
 * the owner of the connections asks when it enters one. Pure; no clock, no socket: old is who
 * entered first. */
#ifndef ENFORCEMENT_SILENT_H
#define ENFORCEMENT_SILENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"

/* Who is counted as one: an IPv4 address, an IPv6 network of 64 bits (what one subscriber has), or
 * all peers of Unix sockets. */
struct silent_name {
    uint8_t bytes[16];
};

struct silent_name silent_name_ipv4(const uint8_t bytes[4]);
/* A mapped IPv4 address (::ffff:0:0/96) is the same as that address. */
struct silent_name silent_name_ipv6(const uint8_t bytes[16]);
struct silent_name silent_name_unix(void);

struct silent_peer;

/* Embedded in the connection. Zero: not in the book. */
struct silent_place {
    struct silent_peer *peer; /* NULL: not in the book */
    struct link of_peer;
    struct link of_all;
};

struct silent {
    struct map peers;
    struct link all; /* of places, the oldest first */
    uint32_t count;
    uint32_t most;          /* of all addresses together */
    uint32_t most_per_peer; /* of one address */
};

/* seed: two words that nobody outside knows. The ceilings are those of limits.h. */
void silent_init(struct silent *silent, const uint64_t seed[2]);
/* Nothing may stand in the book. Safe on a zeroed one, and twice. */
void silent_fini(struct silent *silent);
/* Lowers the ceilings to what suits a process that may open so many files. */
void silent_fit(struct silent *silent, uint64_t descriptors);

/* Enters a place that is not in the book, as the youngest. ERR_MEMORY or ERR_CEILING: it is not
 * entered. */
MUST_CHECK enum err silent_enter(struct silent *silent, const struct silent_name *name,
                                 struct silent_place *place);
/* Takes a place out; one that is not in the book stays so. */
void silent_leave(struct silent *silent, struct silent_place *place);
/* Asked after `newest` has entered: who has to leave for it, its own address's oldest or the oldest
 * of all; NULL when nobody has. Never `newest` itself. */
struct silent_place *silent_surplus(const struct silent *silent, const struct silent_place *newest);
/* Whose place it is; it must be in the book. */
const struct silent_name *silent_name(const struct silent_place *place);
/* Whether that address is past its own ceiling (else it is only the oldest of too many). */
bool silent_is_crowded(const struct silent *silent, const struct silent_place *place);

#endif
