/* SPDX-License-Identifier: Apache-2.0 */
/* base/sip.h: a seeded hash of bytes that strangers choose: SipHash-2-4. Whoever does not know the
 * seed can neither foresee a hash nor choose keys that collide. Not for signatures. */
#ifndef BASE_SIP_H
#define BASE_SIP_H

#include <stdint.h>

#include "base/span.h"

/* The same on every machine. seed: two words of chance. */
uint64_t sip_hash(const uint64_t seed[2], struct span key);
/* The variant with 128 bits: wide enough to stand for the key itself. */
void sip_hash_wide(const uint64_t seed[2], struct span key, uint64_t hash[2]);

#endif
