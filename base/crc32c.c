/* SPDX-License-Identifier: Apache-2.0 */
/* base/crc32c.c: by the instruction for it where the processor has one: each record's line is
 * summed, and tables would take the cache from others. Elsewhere four bytes per step over four
 * tables ("slicing"). A CRC is linear: the entry of a byte is the sum (exclusive or) of the entries
 * of its bits, so that the compiler builds the tables from eight numbers each and nothing is
 * computed at the start. */
#include "base/crc32c.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#if defined(__x86_64__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 33)
#include <sys/platform/x86.h>
#endif
#endif

#define BIT(i, bit, entry) ((((unsigned)(i) >> (bit)) & 1u) != 0 ? (entry) : 0u)
#define ENTRY(i, a, b, c, d, e, f, g, h)                                                           \
    (BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^ BIT(i, 4, e) ^ BIT(i, 5, f) ^     \
     BIT(i, 6, g) ^ BIT(i, 7, h))
#define ENTRIES4(i, ...)                                                                           \
    ENTRY(i, __VA_ARGS__), ENTRY((i) + 1, __VA_ARGS__), ENTRY((i) + 2, __VA_ARGS__),               \
        ENTRY((i) + 3, __VA_ARGS__)
#define ENTRIES16(i, ...)                                                                          \
    ENTRIES4(i, __VA_ARGS__), ENTRIES4((i) + 4, __VA_ARGS__), ENTRIES4((i) + 8, __VA_ARGS__),      \
        ENTRIES4((i) + 12, __VA_ARGS__)
#define ENTRIES64(i, ...)                                                                          \
    ENTRIES16(i, __VA_ARGS__), ENTRIES16((i) + 16, __VA_ARGS__), ENTRIES16((i) + 32, __VA_ARGS__), \
        ENTRIES16((i) + 48, __VA_ARGS__)
#define TABLE(...)                                                                                 \
    {                                                                                              \
        ENTRIES64(0, __VA_ARGS__), ENTRIES64(64, __VA_ARGS__), ENTRIES64(128, __VA_ARGS__),        \
            ENTRIES64(192, __VA_ARGS__)                                                            \
    }

/* tables[k]: what a byte with one bit set has become k bytes later; the polynomial is 0x82f63b78,
 * the Castagnoli one with its bits in the order in which they come (RFC 3720, 12.1). */
static const uint32_t tables[4][256] = {
    TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc,
          0x82f63b78),
    TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604,
          0xfbc3faf9),
    TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9,
          0x8b277743),
    TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7,
          0x52a0c93f),
};

/* Four bytes as a number, the first one lowest, on every machine. */
static uint32_t load(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t by_tables(uint32_t sum, const unsigned char *at, size_t left)
{
    for (; left >= 4; at += 4, left -= 4) {
        uint32_t word = load(at) ^ sum;

        sum = tables[3][word & 0xff] ^ tables[2][word >> 8 & 0xff] ^ tables[1][word >> 16 & 0xff] ^
              tables[0][word >> 24];
    }
    for (; left > 0; at++, left--) {
        sum = sum >> 8 ^ tables[0][(sum ^ *at) & 0xff];
    }
    return sum;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_processor(uint32_t sum,
                                                               const unsigned char *at, size_t left)
{
    uint64_t wide = sum;

    for (; left >= sizeof wide; at += sizeof wide, left -= sizeof wide) {
        uint64_t word = 0;

        memcpy(&word, at, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    sum = (uint32_t)wide;
    for (; left > 0; at++, left--) {
        sum = __builtin_ia32_crc32qi(sum, *at);
    }
    return sum;
}

static bool has_instruction(void)
{
#ifdef CPU_FEATURE_ACTIVE
    return CPU_FEATURE_ACTIVE(SSE4_2); /* the C library has looked; the compiler's own look is 4 KB of code */
#else
    return __builtin_cpu_supports("sse4.2") != 0;
#endif
}
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
static uint32_t by_processor(uint32_t sum, const unsigned char *at, size_t left)
{
    for (; left >= sizeof(uint64_t); at += sizeof(uint64_t), left -= sizeof(uint64_t)) {
        uint64_t word = 0;

        memcpy(&word, at, sizeof word);
        sum = __builtin_aarch64_crc32cx(sum, word);
    }
    for (; left > 0; at++, left--) {
        sum = __builtin_aarch64_crc32cb(sum, *at);
    }
    return sum;
}

static bool has_instruction(void)
{
    return true;
}
#else
#define by_processor by_tables
static bool has_instruction(void)
{
    return false;
}
#endif

uint32_t crc32c_more(uint32_t crc, struct span bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.at;

    return ~(has_instruction() ? by_processor(~crc, at, bytes.len)
                               : by_tables(~crc, at, bytes.len));
}

uint32_t crc32c_tables(struct span bytes)
{
    return ~by_tables(UINT32_MAX, (const unsigned char *)bytes.at, bytes.len);
}

uint32_t crc32c(struct span bytes)
{
    return crc32c_more(0, bytes);
}
