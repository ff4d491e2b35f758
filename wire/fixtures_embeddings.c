/* SPDX-License-Identifier: Apache-2.0 */
/* Embeddings (openai.md 9): the vector of an input is a function of its bytes. Its numbers are
 * whole 1024ths between -1 and 1, because those are exact in ten decimals and in 32 bits alike, so
 * that both encodings tell the same vector without floating point. */
#include "wire/fixtures_parts.h"

#include "base/rng.h"

enum {
    PARTS = 1024, /* of one */
    PARTS_BITS = 10,
    DRAW_BITS = PARTS_BITS + 1,
    DECIMALS = 10,
    DECIMALS_OF_PART = 9765625, /* 10^10 / 1024 */
    FLOAT_BIAS = 127,
    FLOAT_BITS = 23
};

struct draw {
    struct rng rng;
    uint64_t bits;
    unsigned left; /* draws in `bits` */
};

/* -1023 .. 1023. */
static int next_parts(struct draw *draw)
{
    int parts = 0;

    if (draw->left == 0) {
        draw->bits = rng_u64(&draw->rng);
        draw->left = 64 / DRAW_BITS;
    }
    parts = (int)(draw->bits % (2 * PARTS)) - PARTS;
    draw->bits >>= DRAW_BITS;
    draw->left--;
    return parts == -PARTS ? 0 : parts;
}

static void put_decimal(struct buf *out, int parts)
{
    char text[DECIMALS + 3] = "-0.";
    uint64_t digits = (uint64_t)(parts < 0 ? -parts : parts) * DECIMALS_OF_PART;

    for (size_t i = sizeof text; i > 3; i--) {
        text[i - 1] = (char)('0' + digits % 10);
        digits /= 10;
    }
    buf_put(out, parts < 0 ? span_make(text, sizeof text) : span_make(text + 1, sizeof text - 1));
}

static void put_list(struct json_out *json, struct draw *draw, uint32_t dimensions)
{
    json_open_array(json);
    for (uint32_t i = 0; i < dimensions; i++) {
        if (i > 0) {
            buf_put_char(json->buf, ',');
        }
        put_decimal(json->buf, next_parts(draw));
    }
    json_close_array(json);
}

/* The 32 bits of IEEE 754 for parts / 1024. */
static uint32_t float_bits(int parts)
{
    uint32_t rest = (uint32_t)(parts < 0 ? -parts : parts);
    uint32_t high = 0;

    if (rest == 0) {
        return 0;
    }
    while (rest >> (high + 1) != 0) {
        high++;
    }
    return (parts < 0 ? UINT32_C(1) << 31 : 0) | (FLOAT_BIAS - PARTS_BITS + high) << FLOAT_BITS |
           (rest << (FLOAT_BITS - high) & ((UINT32_C(1) << FLOAT_BITS) - 1));
}

/* Three bytes, or what is left of them, in four letters. */
static void put_base64(struct buf *out, const unsigned char *bytes, size_t count)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t group = (uint32_t)bytes[0] << 16 | (count > 1 ? (uint32_t)bytes[1] << 8 : 0) |
                     (count > 2 ? (uint32_t)bytes[2] : 0);
    char text[4] = {letters[group >> 18], letters[group >> 12 & 63],
                    count > 1 ? letters[group >> 6 & 63] : '=',
                    count > 2 ? letters[group & 63] : '='};

    buf_put(out, span_make(text, sizeof text));
}

static void put_encoded(struct json_out *json, struct draw *draw, uint32_t dimensions)
{
    unsigned char group[3] = {0};
    size_t count = 0;

    json_raw(json, SPAN_OF("\""));
    for (uint32_t i = 0; i < dimensions; i++) {
        uint32_t bits = float_bits(next_parts(draw));
        for (unsigned shift = 0; shift < 32; shift += 8) {
            group[count++] = (unsigned char)(bits >> shift & 0xff);
            if (count == sizeof group) {
                put_base64(json->buf, group, count);
                count = 0;
            }
        }
    }
    if (count > 0) {
        put_base64(json->buf, group, count);
    }
    buf_put_char(json->buf, '"');
}

static void put_vector(struct fixture_writer *writer, uint32_t index, struct span input)
{
    struct json_out *json = &writer->json;
    struct draw draw = {.left = 0};

    rng_init(&draw.rng, writer->wish->seed, fixture_hash(0, input));
    json_open_object(json);
    json_member_text(json, "object", "embedding");
    fixture_put_i64(json, "index", index);
    json_key(json, "embedding");
    if (writer->wish->is_base64) {
        put_encoded(json, &draw, writer->wish->dimensions);
    } else {
        put_list(json, &draw, writer->wish->dimensions);
    }
    json_close_object(json);
}

static void put_vectors(struct fixture_writer *writer)
{
    const struct fixture_wish *wish = writer->wish;
    struct json_scan_options options = {.allow_duplicates = true};
    struct json_hit none;
    struct span rest = wish->input;
    struct span item;

    if (!wish->input_is_list) {
        put_vector(writer, 0, wish->input);
        return;
    }
    for (uint32_t i = 0; fixture_next_item(writer->scan, &options, &rest, &none, &item); i++) {
        put_vector(writer, i, item);
    }
}

void fixture_openai_embeddings(struct fixture_writer *writer)
{
    struct json_out *json = &writer->json;

    json_open_object(json);
    json_member_text(json, "object", "list");
    json_key(json, "data");
    json_open_array(json);
    put_vectors(writer);
    json_close_array(json);
    fixture_put_model(writer);
    json_key(json, "usage");
    json_open_object(json);
    fixture_put_i64(json, "prompt_tokens", writer->wish->input_tokens);
    fixture_put_i64(json, "total_tokens", writer->wish->input_tokens);
    json_close_object(json);
    json_close_object(json);
}
