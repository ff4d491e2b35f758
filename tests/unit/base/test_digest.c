/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 and HMAC against published vectors (FIPS 180-4; RFC 4231). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/digest.h"
#include "base/must.h"

static void expect(const struct digest *digest, const char *hex)
{
    char got[2 * DIGEST_BYTES + 1] = "";

    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        (void)snprintf(got + 2 * i, 3, "%02x", digest->bytes[i]);
    }
    assert_string_equal(got, hex);
}

static void digest__gives_the_published_hashes(void **state)
{
    struct digest digest;

    (void)state;
    digest_sha256(SPAN_OF("abc"), &digest);
    expect(&digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256(span_make(NULL, 0), &digest);
    expect(&digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_sha256(SPAN_OF("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), &digest);
    expect(&digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void digest__is_the_same_in_pieces(void **state)
{
    static const struct span pieces[] = {SPAN("abcdbcdecdefdefgefghfghighijhijk"), {NULL, 0}, SPAN("i"),
                                         SPAN("jkljklmklmnlmnomnopnopq")};
    struct digest digest;

    (void)state;
    digest_sha256_pieces(pieces, sizeof pieces / sizeof pieces[0], &digest);
    expect(&digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    digest_sha256_pieces(NULL, 0, &digest);
    expect(&digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void digest__gives_the_published_hmacs(void **state)
{
    char long_key[131];
    struct digest_key key;
    struct digest digest;

    (void)state;
    digest_key_init(&key, SPAN_OF("Jefe"));
    digest_hmac(&key, SPAN_OF("what do ya want for nothing?"), &digest);
    expect(&digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    /* A key longer than a block is hashed first. */
    memset(long_key, 0xaa, sizeof long_key);
    digest_key_init(&key, span_make(long_key, sizeof long_key));
    digest_hmac(&key, SPAN_OF("Test Using Larger Than Block-Size Key - Hash Key First"), &digest);
    expect(&digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    /* The pads serve again. */
    digest_hmac(&key,
                SPAN_OF("This is a test using a larger than block-size key and a larger than "
                        "block-size data. The key needs to be hashed before being used by the "
                        "HMAC algorithm."),
                &digest);
    expect(&digest, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

static void digest__compares_whole(void **state)
{
    struct digest a;
    struct digest b;

    (void)state;
    digest_sha256(SPAN_OF("a"), &a);
    b = a;
    assert_true(digest_equal(&a, &b));
    b.bytes[DIGEST_BYTES - 1] ^= 1;
    assert_false(digest_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest__gives_the_published_hashes),
        cmocka_unit_test(digest__is_the_same_in_pieces),
        cmocka_unit_test(digest__gives_the_published_hmacs),
        cmocka_unit_test(digest__compares_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
