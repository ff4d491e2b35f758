/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/names.h: the resolver of a test program. It takes the place of getaddrinfo for the
 * whole program, libcurl's lookup threads included, so no test asks a real server. */
#ifndef TESTS_CONTRACT_NAMES_H
#define TESTS_CONTRACT_NAMES_H

#include <stdatomic.h>

enum { NAME_ADDRESSES = 4 };

/* What every lookup answers now. Without addresses it fails. */
struct names {
    const char *addresses[NAME_ADDRESSES]; /* IPv4 */
    atomic_uint delay_ms;
    atomic_uint lookups;
};

extern struct names names;

/* Fails from now on, at once. */
void names_clear(void);

#endif
