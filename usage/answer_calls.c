/* SPDX-License-Identifier: Apache-2.0 */
/* usage/answer_calls.c: records in the three forms. In JSON they are what the journal has. */
#include "base/money.h"
#include "base/text.h"
#include "usage/answer.h"
#include "usage/answer_parts.h"
#include "usage/record_members.h"

void answer_put_record(struct buf *out, struct span line, const struct record *record)
{
    struct span body = span_make(line.at, line.len - RECORD_TAIL);
    int64_t cost = record->numbers[RECORD_COST];
    int64_t charged = record->numbers[RECORD_CHARGED];

    /* The bytes in front of the last member, which is the sum; its comma goes with it. */
    if (body.at[body.len - 1] == ',') {
        body.len--;
    }
    buf_put(out, body);
    buf_put_text(out, body.len > 1 ? ",\"cost_usd\":" : "\"cost_usd\":");
    if (cost < 0) {
        buf_put_text(out, "null");
    } else {
        buf_put_char(out, '"');
        money_put_pico(out, cost);
        buf_put_char(out, '"');
    }
    buf_put_text(out, ",\"charged_usd\":");
    if (charged < 0) {
        buf_put_text(out, "null}");
    } else {
        buf_put_char(out, '"');
        money_put_nano(out, charged);
        buf_put_text(out, "\"}");
    }
}

static const struct {
    const char *name;
    enum record_text text;
} texts[] = {
    {"record_id", RECORD_ID},        {"call_id", RECORD_CALL},
    {"trace", RECORD_TRACE},         {"key", RECORD_KEY},
    {"team", RECORD_TEAM},           {"user", RECORD_USER},
    {"tags", RECORD_TAGS},           {"route", RECORD_ROUTE},
    {"task", RECORD_TASK},           {"source", RECORD_SOURCE},
    {"provider", RECORD_PROVIDER},   {"model", RECORD_MODEL},
    {"operation", RECORD_OPERATION}, {"outcome", RECORD_OUTCOME},
    {"charge", RECORD_CHARGE},       {"provenance", RECORD_PROVENANCE},
};

static const struct {
    const char *name;
    enum record_number number;
} numbers[] = {
    {"attempt", RECORD_ATTEMPT},     {"status", RECORD_STATUS},
    {"total_us", RECORD_TOTAL_US},   {"bytes_in", RECORD_BYTES_IN},
    {"bytes_out", RECORD_BYTES_OUT}, {"charged_nusd", RECORD_CHARGED},
};

void answer_put_record_csv_head(struct buf *out)
{
    buf_put_text(out, "at,");
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        buf_put_format(out, "%s,", texts[i].name);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        buf_put_format(out, "%s,", numbers[i].name);
    }
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        buf_put_format(out, "%.*s,", SPAN_ARGS(sum_names[SUM_TOKENS_INPUT + i]));
    }
    buf_put_text(out, "cost_usd\n");
}

static void put_number_cell(struct buf *out, int64_t number)
{
    if (number >= 0) {
        buf_put_u64(out, (unsigned long long)number);
    }
    buf_put_char(out, ',');
}

void answer_put_record_csv(struct buf *out, const struct record *record)
{
    if (record->numbers[RECORD_AT] >= 0) {
        text_put_rfc3339(out, record->numbers[RECORD_AT]);
    }
    buf_put_char(out, ',');
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        answer_put_cell(out, record->texts[texts[i].text]);
        buf_put_char(out, ',');
    }
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        put_number_cell(out, record->numbers[numbers[i].number]);
    }
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        put_number_cell(out, record->tokens[i]);
    }
    if (record->numbers[RECORD_COST] >= 0) {
        money_put_pico(out, record->numbers[RECORD_COST]);
    }
    buf_put_char(out, '\n');
}

static void put_column(struct buf *out, struct span text, int width)
{
    char bytes[64];
    struct buf shown = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};

    text_put_printable(&shown, text, (size_t)width);
    buf_put_format(out, "%-*.*s ", width, SPAN_ARGS(buf_span(&shown)));
}

static int64_t known(int64_t number)
{
    return number < 0 ? 0 : number;
}

void answer_put_record_row(struct buf *out, const struct record *record)
{
    int64_t input = 0;

    for (size_t i = TOKENS_INPUT; i <= TOKENS_IMAGE_INPUT; i++) {
        input += known(record->tokens[i]);
    }
    text_put_rfc3339(out, known(record->numbers[RECORD_AT]));
    buf_put_char(out, ' ');
    put_column(out, record->texts[RECORD_KEY], 12);
    put_column(out, record->texts[RECORD_PROVIDER], 12);
    put_column(out, record->texts[RECORD_MODEL], 22);
    put_column(out, record->texts[RECORD_OUTCOME], 16);
    buf_put_format(out, "%8lld %8lld ", (long long)input,
                   (long long)known(record->tokens[TOKENS_OUTPUT]));
    if (record->numbers[RECORD_COST] >= 0) {
        money_put_pico(out, record->numbers[RECORD_COST]);
    } else {
        buf_put_text(out, "unpriced");
    }
    buf_put_text(out, "  ");
    text_put_printable(out, record->texts[RECORD_ID], 48);
    buf_put_char(out, '\n');
}

void answer_calls_begin(struct buf *out, const struct query *query)
{
    if (query->format == QUERY_JSON) {
        buf_put_text(out, "{\"kind\":\"calls\",\"calls\":[");
    } else if (query->format == QUERY_CSV) {
        answer_put_record_csv_head(out);
    } else {
        buf_put_format(out, "%-24s %-12s %-12s %-22s %-16s %8s %8s USD\n", "at", "key", "provider",
                       "model", "outcome", "input", "output");
    }
}

void answer_record(struct buf *out, const struct query *query, struct span line,
                   const struct record *record, bool is_first)
{
    if (query->format == QUERY_JSON) {
        buf_put_text(out, is_first ? "\n" : ",\n");
        answer_put_record(out, line, record);
    } else if (query->format == QUERY_CSV) {
        answer_put_record_csv(out, record);
    } else {
        answer_put_record_row(out, record);
    }
}

void answer_calls_end(struct buf *out, const struct query *query, const struct query_cursor *next)
{
    if (query->format == QUERY_JSON && next == NULL) {
        buf_put_text(out, "],\"next\":null}\n");
    } else if (query->format == QUERY_JSON) {
        buf_put_format(out, "],\"next\":\"%llu-%llu\"}\n", (unsigned long long)next->segment,
                       (unsigned long long)next->offset);
    } else if (query->format == QUERY_TABLE && next != NULL) {
        buf_put_format(out, "(older ones: --cursor %llu-%llu)\n", (unsigned long long)next->segment,
                       (unsigned long long)next->offset);
    }
}
