/* SPDX-License-Identifier: Apache-2.0 */
/* base/digest.c: the hash is mbedTLS's, the two pads of HMAC are ours: its own HMAC takes memory and
 * cannot keep them. */
#include "base/digest.h"

#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

#include "base/must.h"
#include "base/secret.h"

/* Version 3 took the name without an ending for the functions that tell of failure. */
#if MBEDTLS_VERSION_MAJOR >= 3
#define sha_starts mbedtls_sha256_starts
#define sha_update mbedtls_sha256_update
#define sha_finish mbedtls_sha256_finish
#else
#define sha_starts mbedtls_sha256_starts_ret
#define sha_update mbedtls_sha256_update_ret
#define sha_finish mbedtls_sha256_finish_ret
#endif

enum { BLOCK = 64 };

_Static_assert(sizeof(mbedtls_sha256_context) <= DIGEST_STATE_BYTES, "it is kept in a digest_key");

static void begin(mbedtls_sha256_context *hash)
{
    mbedtls_sha256_init(hash);
    must(sha_starts(hash, 0) == 0); /* fails only where a device does the work */
}

static void take(mbedtls_sha256_context *hash, const void *bytes, size_t count)
{
    must(sha_update(hash, bytes, count) == 0);
}

static void end(mbedtls_sha256_context *hash, struct digest *digest)
{
    must(sha_finish(hash, digest->bytes) == 0);
    mbedtls_sha256_free(hash); /* and wiped */
}

void digest_sha256_pieces(const struct span *pieces, size_t count, struct digest *digest)
{
    mbedtls_sha256_context hash;

    begin(&hash);
    for (size_t i = 0; i < count; i++) {
        take(&hash, pieces[i].at, pieces[i].len);
    }
    end(&hash, digest);
}

void digest_sha256(struct span bytes, struct digest *digest)
{
    digest_sha256_pieces(&bytes, 1, digest);
}

static void keep_pad(unsigned char state[DIGEST_STATE_BYTES], const unsigned char block[BLOCK],
                     unsigned char with)
{
    mbedtls_sha256_context hash;
    unsigned char pad[BLOCK];

    for (size_t i = 0; i < sizeof pad; i++) {
        pad[i] = block[i] ^ with;
    }
    begin(&hash);
    take(&hash, pad, sizeof pad);
    memcpy(state, &hash, sizeof hash);
    mbedtls_sha256_free(&hash);
    secret_wipe(pad, sizeof pad);
}

void digest_key_init(struct digest_key *key, struct span secret)
{
    unsigned char block[BLOCK] = {0};
    struct digest shorter;

    if (secret.len > sizeof block) {
        digest_sha256(secret, &shorter);
        memcpy(block, shorter.bytes, sizeof shorter.bytes);
        secret_wipe(&shorter, sizeof shorter);
    } else if (secret.len > 0) {
        memcpy(block, secret.at, secret.len);
    }
    keep_pad(key->inner, block, 0x36);
    keep_pad(key->outer, block, 0x5c);
    secret_wipe(block, sizeof block);
}

/* Goes on behind a pad that was taken in. */
static void hash_behind(const unsigned char state[DIGEST_STATE_BYTES], struct span bytes,
                        struct digest *digest)
{
    mbedtls_sha256_context hash;

    memcpy(&hash, state, sizeof hash);
    take(&hash, bytes.at, bytes.len);
    end(&hash, digest);
}

void digest_hmac(const struct digest_key *key, struct span bytes, struct digest *digest)
{
    struct digest inner;

    hash_behind(key->inner, bytes, &inner);
    hash_behind(key->outer, span_make((const char *)inner.bytes, sizeof inner.bytes), digest);
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return secret_equal(span_make((const char *)a->bytes, sizeof a->bytes),
                        span_make((const char *)b->bytes, sizeof b->bytes));
}
