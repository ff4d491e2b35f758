/* SPDX-License-Identifier: Apache-2.0 */
/* base/crc32c.c: sixteen bytes per step over sixteen tables ("slicing by sixteen"). A CRC is
 * linear: the entry of a byte is the sum (exclusive or) of the entries of its bits, so that the
 * compiler builds the tables from eight numbers each and nothing is computed at the start. */
#include "base/crc32c.h"

#include <stddef.h>

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
static const uint32_t tables[16][256] = {
    TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc,
          0x82f63b78),
    TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604,
          0xfbc3faf9),
    TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9,
          0x8b277743),
    TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7,
          0x52a0c93f),
    TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae,
          0x6ea2d55c),
    TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb,
          0x1c08b7d6),
    TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a,
          0xf56e0ef4),
    TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32,
          0x34019664),
    TABLE(0xf43ed648, 0xed91da61, 0xdecfc233, 0xb873f297, 0x750b93df, 0xea1727be, 0xd1c2398d,
          0xa66805eb),
    TABLE(0xcb567ba5, 0x934081bb, 0x236d7587, 0x46daeb0e, 0x8db5d61c, 0x1e87dac9, 0x3d0fb592,
          0x7a1f6b24),
    TABLE(0x9771f7c1, 0x2b0f9973, 0x561f32e6, 0xac3e65cc, 0x5d90bd69, 0xbb217ad2, 0x73ae8355,
          0xe75d06aa),
    TABLE(0x3171d430, 0x62e3a860, 0xc5c750c0, 0x8e62d771, 0x1929d813, 0x3253b026, 0x64a7604c,
          0xc94ec098),
    TABLE(0x30d23865, 0x61a470ca, 0xc348e194, 0x837db5d9, 0x03171d43, 0x062e3a86, 0x0c5c750c,
          0x18b8ea18),
    TABLE(0x54075546, 0xa80eaa8c, 0x55f123e9, 0xabe247d2, 0x5228f955, 0xa451f2aa, 0x4d4f93a5,
          0x9a9f274a),
    TABLE(0x678efd01, 0xcf1dfa02, 0x9bd782f5, 0x3243731b, 0x6486e636, 0xc90dcc6c, 0x97f7ee29,
          0x2a03aaa3),
    TABLE(0xf20c0dfe, 0xe1f46d0d, 0xc604aceb, 0x89e52f27, 0x162628bf, 0x2c4c517e, 0x5898a2fc,
          0xb13145f8),
};

/* Eight bytes as two numbers, the first byte lowest, on every machine. */
static uint32_t load(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* What four bytes become when `behind` bytes of the step follow them. */
static uint32_t carry(uint32_t word, unsigned behind)
{
    return tables[behind + 3][word & 0xff] ^ tables[behind + 2][word >> 8 & 0xff] ^
           tables[behind + 1][word >> 16 & 0xff] ^ tables[behind][word >> 24];
}

uint32_t crc32c_more(uint32_t crc, struct span bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    size_t left = bytes.len;
    uint32_t sum = ~crc;

    for (; left >= 16; at += 16, left -= 16) {
        sum = carry(load(at) ^ sum, 12) ^ carry(load(at + 4), 8) ^ carry(load(at + 8), 4) ^
              carry(load(at + 12), 0);
    }
    for (; left > 0; at++, left--) {
        sum = sum >> 8 ^ tables[0][(sum ^ *at) & 0xff];
    }
    return ~sum;
}

uint32_t crc32c(struct span bytes)
{
    return crc32c_more(0, bytes);
}
