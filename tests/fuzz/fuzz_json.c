/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_json.c: the first byte says how to cut the rest and whether duplicates are
 * allowed. The document is scanned whole and in pieces: verdict, fault, offset and hits must be
 * equal, and what an accepted document's hits say must hold for its bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "base/must.h"
#include "wire/json_out.h"
#include "wire/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_path paths[] = {
    {.steps = 0},
    JSON_PATH1("model"),
    JSON_PATH1("a"),
    JSON_PATH1("[]"),
    JSON_PATH2("a", "b"),
    JSON_PATH3("choices", "[]", "delta"),
    JSON_PATH4("choices", "[]", "delta", "content"),
    JSON_PATH3("messages", "[]", "content"),
    JSON_PATH4("[]", "[]", "[]", "[]"),
};

enum { PATHS = ARRAY_LENGTH(paths) };

struct result {
    bool is_good;
    enum json_fault fault;
    uint64_t at;
    struct json_hit hits[PATHS];
};

static void finish(struct json_scan *scan, bool is_good, struct result *result)
{
    result->is_good = is_good && json_scan_end(scan);
    result->fault = json_scan_fault(scan);
    result->at = json_scan_offset(scan);
    must(result->is_good == (result->fault == JSON_FAULT_NONE));
}

/* Pieces of 1 to 8 bytes, or of `stride` bytes; each in a block of its own size. */
static bool feed_pieces(struct json_scan *scan, struct span document, size_t stride)
{
    uint32_t chance = (uint32_t)stride * 2654435761U + 1;
    bool is_good = true;

    while (document.len > 0 && is_good) {
        size_t count = stride > 8 ? stride : 1 + (chance >> 24) % 8;
        char *copy = NULL;

        chance = chance * 1664525U + 1013904223U;
        count = count > document.len ? document.len : count;
        copy = malloc(count);
        must(copy != NULL);
        memcpy(copy, document.at, count);
        is_good = json_scan_feed(scan, span_make(copy, count));
        free(copy);
        document = span_from(document, count);
    }
    return is_good;
}

static void check_value(const struct json_hit *hit, struct span document)
{
    struct span raw = json_hit_span(hit, document);
    struct buf text;
    struct buf again;
    struct json_out out;
    int64_t number = 0;

    if (hit->kind == JSON_NUMBER && json_integer(raw, &number) == ERR_NONE) {
        buf_init(&again, 64);
        json_out_init(&out, &again);
        json_i64(&out, number);
        must(span_equal(buf_span(&again), raw));
        buf_fini(&again);
    }
    if (hit->kind == JSON_STRING) {
        buf_init(&text, SIZE_MAX / 4);
        buf_init(&again, SIZE_MAX / 4);
        json_string_decode(raw, &text);
        json_out_init(&out, &again);
        json_string(&out, buf_span(&text));
        buf_clear(&text);
        json_string_decode(buf_span(&again), &text);
        must(!text.failed && !again.failed && again.len >= 2);
        buf_fini(&text);
        buf_fini(&again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_scan *scan = json_scan_new();
    struct json_scan_options options = {.paths = paths, .paths_count = PATHS};
    struct result whole;
    struct result split;
    struct span document = {"", 0};

    must(scan != NULL);
    if (size > 0) {
        options.allow_duplicates = (data[0] & 1) != 0;
        options.seed = data[0];
        document = span_make((const char *)data + 1, size - 1);
    }
    json_scan_begin(scan, &options, whole.hits);
    finish(scan, json_scan_feed(scan, document), &whole);
    json_scan_begin(scan, &options, split.hits);
    finish(scan, feed_pieces(scan, document, size > 0 ? data[0] : 1), &split);
    must(whole.is_good == split.is_good && whole.fault == split.fault && whole.at == split.at);
    for (size_t i = 0; i < PATHS; i++) {
        must(whole.hits[i].kind == split.hits[i].kind &&
             whole.hits[i].count == split.hits[i].count);
        must(whole.hits[i].at == split.hits[i].at && whole.hits[i].len == split.hits[i].len);
        if (whole.is_good) {
            check_value(&whole.hits[i], document);
        }
    }
    /* Every value of a good document is a good document. */
    if (whole.is_good && whole.hits[PATHS - 1].kind != JSON_ABSENT) {
        must(json_scan_whole(scan, &options, json_hit_span(&whole.hits[PATHS - 1], document),
                             split.hits));
    }
    json_scan_free(scan);
    return 0;
}
