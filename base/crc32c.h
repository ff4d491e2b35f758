/* SPDX-License-Identifier: Apache-2.0 */
/* base/crc32c.h: CRC-32C (Castagnoli; RFC 3720, 12.1): tells damaged bytes from whole ones. Not against
 * people: whoever changes bytes can change the sum too. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stdint.h>

#include "base/span.h"

uint32_t crc32c(struct span bytes);
/* The same for bytes in pieces: begin with 0, go on with what came back. */
uint32_t crc32c_more(uint32_t crc, struct span bytes);
/* The same as crc32c as a processor without an instruction for it works it out; for tests. */
uint32_t crc32c_tables(struct span bytes);

#endif
