/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_http1.c: the scanner of HTTP/1.1 sees the same in any split. The first byte says
 * what the rest is (request head, response head, body and its framing), the second seeds the
 * split. The input is read whole and in pieces, and both must agree; so must what the scanner
 * promises of every head that it accepts. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/rng.h"
#include "wire/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIECE_MAX = 40 };

/* Every place of an accepted head lies inside it, and its framing cannot be read in two ways. */
static void check_head(const struct http1_head *head, const char *base)
{
    struct span whole = span_make(base, head->size);
    int length = http1_find(head, base, SPAN_OF("content-length"), 0);
    int coding = http1_find(head, base, SPAN_OF("transfer-encoding"), 0);

    must(span_ends(whole, SPAN_OF("\r\n\r\n")));
    must(length < 0 || coding < 0);
    must(head->framing != HTTP1_BODY_LENGTH || length >= 0);
    must(head->framing != HTTP1_BODY_CHUNKED || (coding >= 0 && head->minor == 1));
    must(head->kind == HTTP1_RESPONSE || head->framing != HTTP1_BODY_UNTIL_CLOSE);
    must(head->kind == HTTP1_RESPONSE || (length < 0) == (head->framing != HTTP1_BODY_LENGTH));
    must(head->target.at + head->target.len <= head->size);
    must(head->kind == HTTP1_RESPONSE || base[head->target.at] == '/');
    for (size_t i = 0; i < head->count; i++) {
        const struct http1_field *field = &head->fields[i];

        must(field->name_len > 0 && base[field->name_at + field->name_len] == ':');
        must(field->value_at + field->value_len + (size_t)2 <= head->size);
        must(memchr(base + field->value_at, '\n', field->value_len) == NULL);
        must(memchr(base + field->value_at, '\r', field->value_len) == NULL);
        must(memchr(base + field->value_at, '\0', field->value_len) == NULL);
    }
}

static void fuzz_head(enum http1_kind kind, struct span in, struct rng *rng)
{
    struct http1_head whole;
    struct http1_head pieces;
    enum http1_step whole_step = HTTP1_MORE;
    enum http1_step step = HTTP1_MORE;
    size_t end = 0;

    memset(&whole, 0, sizeof whole);
    memset(&pieces, 0, sizeof pieces);
    http1_head_init(&whole, kind);
    http1_head_init(&pieces, kind);
    whole_step = http1_head_feed(&whole, in);
    while (step == HTTP1_MORE && end < in.len) {
        size_t more = (size_t)rng_below(rng, PIECE_MAX);

        end = in.len - end < more ? in.len : end + more;
        step = http1_head_feed(&pieces, span_make(in.at, end));
    }
    must(step == whole_step);
    must(whole.fault == pieces.fault);
    must((step == HTTP1_BAD) == (whole.fault != HTTP1_FAULT_NONE));
    if (step == HTTP1_DONE) {
        must(memcmp(&whole, &pieces, sizeof whole) == 0);
        check_head(&whole, in.at);
    }
}

/* What a body came to: the bytes handed out, and a sum over them. */
struct result {
    enum http1_step step;
    size_t rest;
    uint64_t count;
    uint64_t sum;
};

static void feed_piece(struct http1_body *body, struct span in, struct result *result)
{
    struct span out = {0};

    do {
        result->step = http1_body_feed(body, &in, &out);
        must(result->step != HTTP1_BAD || out.len == 0);
        for (size_t i = 0; i < out.len; i++) {
            result->sum = result->sum * 31 + (unsigned char)out.at[i];
        }
        result->count += out.len;
    } while (result->step == HTTP1_MORE && in.len > 0);
    result->rest = in.len;
}

static void fuzz_body(enum http1_framing framing, struct span in, struct rng *rng)
{
    uint64_t length = rng_below(rng, 2 * (uint64_t)in.len + 1);
    struct http1_body body;
    struct result whole = {0};
    struct result pieces = {0};
    size_t end = 0;

    http1_body_init(&body, framing, length);
    feed_piece(&body, in, &whole);
    must(body.payload == whole.count || framing == HTTP1_BODY_NONE);
    must(whole.count <= in.len);
    must(framing != HTTP1_BODY_UNTIL_CLOSE || whole.step == HTTP1_MORE);
    http1_body_init(&body, framing, length);
    do {
        size_t more = (size_t)rng_below(rng, PIECE_MAX);
        size_t from = end;

        end = in.len - end < more ? in.len : end + more;
        feed_piece(&body, span_make(in.at + from, end - from), &pieces);
    } while (pieces.step == HTTP1_MORE && end < in.len);
    must(pieces.step == whole.step);
    must(pieces.count == whole.count && pieces.sum == whole.sum);
    must(pieces.step == HTTP1_MORE || in.len - end + pieces.rest == whole.rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = {0};
    struct rng rng;

    if (size < 2) {
        return 0;
    }
    in = span_make((const char *)data + 2, size - 2);
    rng_init(&rng, data[1], size);
    switch (data[0] % 6) {
    case 0: fuzz_head(HTTP1_REQUEST, in, &rng); break;
    case 1: fuzz_head(HTTP1_RESPONSE, in, &rng); break;
    case 2: fuzz_body(HTTP1_BODY_CHUNKED, in, &rng); break;
    case 3: fuzz_body(HTTP1_BODY_LENGTH, in, &rng); break;
    case 4: fuzz_body(HTTP1_BODY_UNTIL_CLOSE, in, &rng); break;
    default: fuzz_body(HTTP1_BODY_NONE, in, &rng); break;
    }
    return 0;
}
