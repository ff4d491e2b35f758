/* SPDX-License-Identifier: Apache-2.0 */
/* base/digest.h: SHA-256 and HMAC-SHA-256 (RFC 2104) of bytes that are at hand. The only user of
 * mbedTLS in the core; no heap. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>

#include "base/span.h"

enum { DIGEST_BYTES = 32, DIGEST_STATE_BYTES = 128 };

struct digest {
    unsigned char bytes[DIGEST_BYTES];
};

/* A key whose two pads were taken in already: half of the work of a short text's HMAC. It is worth as
 * much as the key itself: wipe it. */
struct digest_key {
    unsigned char inner[DIGEST_STATE_BYTES];
    unsigned char outer[DIGEST_STATE_BYTES];
};

void digest_sha256(struct span bytes, struct digest *digest);
/* Of bytes that lie in pieces, one behind the other. */
void digest_sha256_pieces(const struct span *pieces, size_t count, struct digest *digest);
void digest_key_init(struct digest_key *key, struct span secret);
void digest_hmac(const struct digest_key *key, struct span bytes, struct digest *digest);
/* In the same time wherever they differ. */
bool digest_equal(const struct digest *a, const struct digest *b);

#endif
