/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_reports.c: any bytes as a report of usage records. What is taken must read back
 * as records of another's, nothing of it cut; what is not must leave no line; both answers are
 * JSON. */
#include <stdint.h>
#include <stdlib.h>

#include "admin/reports.h"
#include "base/must.h"
#include "pricing/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every third is told again. */
static bool is_known(void *to, struct span source, struct span id)
{
    unsigned *asked = to;

    must(source.len > 0 && source.len < id.len && id.at[source.len] == '/');
    return ++*asked % 3 == 0;
}

static void read_back(struct json_scan *scan, struct span lines, size_t count)
{
    struct record record;
    struct buf text;
    size_t seen = 0;

    buf_init(&text, SIZE_MAX / 4);
    while (lines.len > 0) {
        struct span line = span_cut(&lines, '\n');

        buf_clear(&text);
        must(record_read_line(scan, line, &text, &record) == ERR_NONE);
        must(!span_equal_nocase(record.texts[RECORD_SOURCE], SPAN_OF("headgate")));
        must(span_find(record.texts[RECORD_ID], SPAN_OF("/")) != NULL);
        must(span_ends(record.texts[RECORD_ID], record.texts[RECORD_CALL]));
        must(record.numbers[RECORD_AT] >= 0 && record.numbers[RECORD_ATTEMPT] == 1);
        must((record.numbers[RECORD_COST] < 0) == (record.numbers[RECORD_CHARGED] < 0));
        must((record.numbers[RECORD_COST] < 0) ==
             span_equal(record.texts[RECORD_PROVENANCE], SPAN_OF("unpriced")));
        seen++;
    }
    must(seen == count);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct snapshot snapshot;
    static struct arena arena;
    static struct price_table table;
    struct json_scan_options options = {.seed = 5};
    struct json_scan *scan = json_scan_new();
    struct span body = span_make(size == 0 ? "" : (const char *)data, size);
    unsigned asked = 0;
    struct reports_terms terms = {
        .snapshot = &snapshot, .now = INT64_C(1795187045123), .is_known = is_known, .to = &asked};
    struct reports_sum sum;
    struct buf lines;
    struct buf answer;

    must(scan != NULL);
    if (snapshot.prices.arena == NULL) {
        arena_init(&arena, SIZE_MAX / 4);
        book_init(&snapshot.prices, &arena);
        must(price_unpack(&price_builtin, &arena, &table));
        book_add_table(&snapshot.prices, &table);
        must(book_close(&snapshot.prices));
    }
    if (size > REPORTS_BODY_MAX) {
        json_scan_free(scan);
        return 0;
    }
    /* A first byte that begins no JSON makes lines of it. */
    if (size > 0 && data[0] == '#') {
        terms.is_lines = true;
        body = span_from(body, 1);
    }
    buf_init(&lines, REPORTS_LINES_MAX);
    buf_init(&answer, REPORTS_ANSWER_MAX);
    reports_read(&terms, body, &lines, &answer, &sum);
    must(sum.refusal != REFUSAL_OVERLOADED);
    must((sum.refusal == REFUSAL_INVALID_REPORT) == (sum.faults > 0));
    if (sum.refusal == REFUSAL_NONE) {
        read_back(scan, buf_span(&lines), sum.accepted);
    } else {
        must(lines.len == 0);
    }
    if (sum.refusal != REFUSAL_REPORT_LARGE) {
        must(json_scan_whole(scan, &options, buf_span(&answer), NULL));
    }
    buf_fini(&answer);
    buf_fini(&lines);
    json_scan_free(scan);
    return 0;
}
