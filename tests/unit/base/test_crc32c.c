/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C: the published values, and the same as the definition bit by bit. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/crc32c.h"
#include "base/must.h"
#include "base/rng.h"

static uint32_t by_definition(struct span bytes)
{
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < bytes.len; i++) {
        sum ^= (unsigned char)bytes.at[i];
        for (int bit = 0; bit < 8; bit++) {
            sum = sum >> 1 ^ ((sum & 1) != 0 ? 0x82f63b78u : 0);
        }
    }
    return ~sum;
}

/* RFC 3720, B.4, and the check value that every catalogue of CRCs gives. */
static void crc__gives_the_published_values(void **state)
{
    char bytes[32];

    (void)state;
    assert_int_equal(crc32c(SPAN_OF("123456789")), 0xe3069283);
    assert_int_equal(crc32c(SPAN_OF("")), 0);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(span_make(bytes, sizeof bytes)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(span_make(bytes, sizeof bytes)), 0x62a8ab43);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)i;
    }
    assert_int_equal(crc32c(span_make(bytes, sizeof bytes)), 0x46dd794e);
}

static void crc__is_the_definition_whole_and_in_pieces(void **state)
{
    char bytes[300];
    struct rng rng;

    (void)state;
    rng_init(&rng, 3, 5);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)rng_u64(&rng);
    }
    for (size_t from = 0; from < 9; from++) {
        for (size_t len = 0; from + len <= sizeof bytes; len += 7) {
            struct span whole = span_make(bytes + from, len);
            size_t cut = len / 3;
            uint32_t first = crc32c(span_make(whole.at, cut));

            assert_int_equal(crc32c(whole), by_definition(whole));
            assert_int_equal(crc32c_tables(whole), by_definition(whole));
            assert_int_equal(crc32c_more(first, span_from(whole, cut)), crc32c(whole));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc__gives_the_published_values),
        cmocka_unit_test(crc__is_the_definition_whole_and_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
