/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash against the vectors that its authors published: key 00 to 0f, text 00, 00 01, ... */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "base/sip.h"

static const uint64_t seed[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
static const char text[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};

static void sip__gives_the_published_hashes(void **state)
{
    (void)state;
    assert_true(sip_hash(seed, span_make(text, 0)) == UINT64_C(0x726fdb47dd0e0e31));
    assert_true(sip_hash(seed, span_make(text, 15)) == UINT64_C(0xa129ca6149be45e5));
}

static void sip__gives_the_published_wide_hashes(void **state)
{
    uint64_t hash[2] = {0, 0};

    (void)state;
    sip_hash_wide(seed, span_make(text, 0), hash);
    assert_true(hash[0] == UINT64_C(0xe6a825ba047f81a3));
    assert_true(hash[1] == UINT64_C(0x930255c71472f66d));
    sip_hash_wide(seed, span_make(text, 1), hash);
    assert_true(hash[0] == UINT64_C(0x44af996bd8c187da));
    assert_true(hash[1] == UINT64_C(0x45fc229b11597634));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sip__gives_the_published_hashes),
        cmocka_unit_test(sip__gives_the_published_wide_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
