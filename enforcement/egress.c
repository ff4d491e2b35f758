/* SPDX-License-Identifier: Apache-2.0 */
/* The ranges follow the special-purpose registries of IANA (RFC 6890 and its updates). Everything
 * is compared as 16 bytes. An IPv6 address that carries an IPv4 one inside (NAT64, 6to4) is judged
 * by what it carries, because a gateway on the way would send it there. */
#include "enforcement/egress.h"
#include "base/text.h"

#include <string.h>

enum { ADDRESS_BITS = 128, MAPPED_BITS = 96, GROUPS = 8 };

struct block {
    uint8_t bytes[16];
    uint8_t bits;
};

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* ---- reading ---- */

/* One number of a dotted quad: 0 to 255 without leading zeros, which some resolvers read as octal.
 */
static bool read_octet(struct span text, uint8_t *octet)
{
    unsigned value = 0;

    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.at[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
        value = value * 10 + (unsigned)(text.at[i] - '0');
    }
    *octet = (uint8_t)value;
    return value <= 255;
}

static bool read_quad(struct span text, uint8_t quad[4])
{
    for (size_t i = 0; i < 4; i++) {
        struct span octet = span_cut(&text, '.');

        if (!read_octet(octet, &quad[i]) || (text.at == NULL) != (i == 3)) {
            return false;
        }
    }
    return true;
}

static bool read_group(struct span text, uint8_t group[2])
{
    unsigned value = 0;

    if (text.len == 0 || text.len > 4) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        int digit = text_hex_digit(text.at[i]);

        if (digit < 0) {
            return false;
        }
        value = value * 16 + (unsigned)digit;
    }
    group[0] = (uint8_t)(value >> 8);
    group[1] = (uint8_t)(value & 0xff);
    return true;
}

/* Groups between colons into `bytes`; a dotted quad may stand last and counts as two. Returns how
 * many groups there were, or -1. An empty text has none. */
static int read_groups(struct span text, uint8_t bytes[16])
{
    int count = 0;

    if (text.len == 0) {
        return 0;
    }
    for (struct span rest = text; count < GROUPS;) {
        struct span part = span_cut(&rest, ':');
        bool is_last = rest.at == NULL;

        if (is_last && memchr(part.at, '.', part.len) != NULL) {
            return count <= GROUPS - 2 && read_quad(part, bytes + count * 2) ? count + 2 : -1;
        }
        if (!read_group(part, bytes + count * 2)) {
            return -1;
        }
        count++;
        if (is_last) {
            return count;
        }
    }
    return -1;
}

static bool read_v6(struct span text, uint8_t bytes[16])
{
    const char *gap = span_find(text, SPAN_OF("::"));
    uint8_t tail[16] = {0};
    int before = 0;
    int after = 0;

    memset(bytes, 0, 16);
    if (gap == NULL) {
        return read_groups(text, bytes) == GROUPS;
    }
    before = read_groups(span_make(text.at, (size_t)(gap - text.at)), bytes);
    after = read_groups(span_from(text, (size_t)(gap - text.at) + 2), tail);
    /* A quad may stand only at the very end, and the gap stands for at least one group. */
    if (before < 0 || after < 0 || before + after >= GROUPS ||
        memchr(text.at, '.', (size_t)(gap - text.at)) != NULL) {
        return false;
    }
    memcpy(bytes + (GROUPS - after) * 2, tail, (size_t)after * 2);
    return true;
}

bool egress_address_read(struct span text, struct egress_address *address)
{
    if (text.len == 0 || text.len > 45) {
        return false;
    }
    if (memchr(text.at, ':', text.len) != NULL) {
        return read_v6(text, address->bytes);
    }
    memcpy(address->bytes, mapped_prefix, sizeof mapped_prefix);
    return read_quad(text, address->bytes + 12);
}

/* 0 to 128 without leading zeros; false for anything else. */
static bool read_bits(struct span text, unsigned *bits)
{
    uint8_t octet = 0;
    bool is_good = read_octet(text, &octet);

    *bits = octet;
    return is_good && octet <= ADDRESS_BITS;
}

static bool is_inside(const uint8_t bytes[16], const uint8_t base[16], unsigned bits)
{
    unsigned whole = bits / 8;
    uint8_t mask = (uint8_t)(0xff00U >> (bits % 8));

    if (memcmp(bytes, base, whole) != 0) {
        return false;
    }
    return bits % 8 == 0 || ((bytes[whole] ^ base[whole]) & mask) == 0;
}

/* All bits behind the prefix are zero: 10.1.2.3/8 is more likely a mistake than a wish. */
static bool is_prefix(const uint8_t bytes[16], unsigned bits)
{
    for (unsigned i = bits; i < ADDRESS_BITS; i++) {
        if ((bytes[i / 8] & (0x80U >> (i % 8))) != 0) {
            return false;
        }
    }
    return true;
}

enum err egress_range_read(struct span text, struct egress_range *range)
{
    struct span rest = text;
    struct span address = span_cut(&rest, '/');
    bool is_v4 = address.len > 0 && memchr(address.at, ':', address.len) == NULL;
    unsigned bits = is_v4 ? ADDRESS_BITS - MAPPED_BITS : ADDRESS_BITS;

    if (!egress_address_read(address, &range->base)) {
        return ERR_FORMAT;
    }
    if (address.len < text.len && !read_bits(rest, &bits)) {
        return ERR_FORMAT;
    }
    if (is_v4) {
        bits += MAPPED_BITS;
    }
    if (bits > ADDRESS_BITS || !is_prefix(range->base.bytes, bits)) {
        return ERR_FORMAT;
    }
    range->bits = (uint8_t)bits;
    return ERR_NONE;
}

/* ---- judging ---- */

#define V4(a, b, c, d, size)                                                                       \
    {                                                                                              \
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, 96 + (size)                        \
    }

/* Not for the public internet, and why it stands here. */
static const struct block private_v4[] = {
    V4(0, 0, 0, 0, 8),       /* this network; 0.0.0.0 is the host itself on Linux */
    V4(10, 0, 0, 0, 8),      /* private */
    V4(100, 64, 0, 0, 10),   /* shared by carriers */
    V4(127, 0, 0, 0, 8),     /* loopback */
    V4(169, 254, 0, 0, 16),  /* link-local */
    V4(172, 16, 0, 0, 12),   /* private */
    V4(192, 0, 0, 0, 24),    /* protocol assignments */
    V4(192, 0, 2, 0, 24),    /* documentation */
    V4(192, 88, 99, 0, 24),  /* 6to4 relays, withdrawn */
    V4(192, 168, 0, 0, 16),  /* private */
    V4(198, 18, 0, 0, 15),   /* benchmarks */
    V4(198, 51, 100, 0, 24), /* documentation */
    V4(203, 0, 113, 0, 24),  /* documentation */
    V4(224, 0, 0, 0, 4),     /* multicast */
    V4(240, 0, 0, 0, 4),     /* reserved, broadcast */
};

/* Of IPv6 only 2000::/3 is handed out; these parts of it are special. */
static const struct block global_v6 = {{0x20}, 3};
static const struct block private_v6[] = {
    {{0x20, 0x01}, 23},             /* protocol assignments: Teredo, ORCHID, benchmarks */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff}, 20},             /* documentation */
};

static const struct block metadata[] = {
    V4(169, 254, 169, 254, 32), /* most clouds */
    V4(169, 254, 170, 2, 32),   /* container credentials */
    V4(169, 254, 170, 23, 32),  /* pod credentials */
    V4(100, 100, 100, 200, 32), /* Alibaba */
    V4(192, 0, 0, 192, 32),     /* Oracle */
    V4(168, 63, 129, 16, 32),   /* Azure's host agent */
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128},
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x23}, 128},
    {{0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128},
};

static const struct block loopback_v4 = V4(127, 0, 0, 0, 8);
static const struct block loopback_v6 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128};
static const struct block mapped = V4(0, 0, 0, 0, 0);
static const struct block nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};
static const struct block six_to_four = {{0x20, 0x02}, 16};

static bool in_block(const struct egress_address *address, const struct block *block)
{
    return is_inside(address->bytes, block->bytes, block->bits);
}

static bool in_blocks(const struct egress_address *address, const struct block *blocks,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (in_block(address, &blocks[i])) {
            return true;
        }
    }
    return false;
}

/* The IPv4 address inside a NAT64 or 6to4 one, as a mapped address; any other as it is. */
static struct egress_address carried(const struct egress_address *address)
{
    struct egress_address inner = *address;
    size_t at = 0;

    if (in_block(address, &nat64)) {
        at = 12;
    } else if (in_block(address, &six_to_four)) {
        at = 2;
    } else {
        return inner;
    }
    memcpy(inner.bytes, mapped_prefix, sizeof mapped_prefix);
    memcpy(inner.bytes + 12, address->bytes + at, 4);
    return inner;
}

bool egress_is_loopback(const struct egress_address *address)
{
    return in_block(address, &loopback_v4) || in_block(address, &loopback_v6);
}

bool egress_is_private(const struct egress_address *address)
{
    struct egress_address inner = carried(address);

    if (in_block(&inner, &mapped)) {
        return in_blocks(&inner, private_v4, ARRAY_LENGTH(private_v4));
    }
    return !in_block(&inner, &global_v6) || in_blocks(&inner, private_v6, ARRAY_LENGTH(private_v6));
}

bool egress_is_metadata(const struct egress_address *address)
{
    struct egress_address inner = carried(address);

    return in_blocks(&inner, metadata, ARRAY_LENGTH(metadata));
}

bool egress_in_ranges(const struct egress_address *address, const struct egress_range *ranges,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_inside(address->bytes, ranges[i].base.bytes, ranges[i].bits)) {
            return true;
        }
    }
    return false;
}

bool egress_may_be_plain(const struct egress_address *address, const struct egress_range *allowed,
                         size_t count)
{
    return !egress_is_metadata(address) &&
           (egress_is_loopback(address) || egress_in_ranges(address, allowed, count));
}

enum egress_verdict egress_judge(const struct egress_address *address, bool host_is_literal,
                                 const struct egress_range *allowed, size_t count)
{
    if (egress_is_metadata(address)) {
        return EGRESS_DENIED;
    }
    if (host_is_literal || !egress_is_private(address)) {
        return EGRESS_ALLOWED;
    }
    return egress_in_ranges(address, allowed, count) ? EGRESS_ALLOWED : EGRESS_DENIED;
}
