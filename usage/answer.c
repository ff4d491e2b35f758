/* SPDX-License-Identifier: Apache-2.0 */
/* usage/answer.c: the three forms of summary, history and daily. */
#include "usage/answer.h"

#include "base/money.h"
#include "base/text.h"
#include "usage/answer_parts.h"
#include "wire/json_out.h"

const struct span provenance_names[PROVENANCES] = {SPAN("provider"), SPAN("estimated"),
                                                   SPAN("partial"), SPAN("unpriced"),
                                                   SPAN("reported")};

void answer_put_time(struct json_out *out, const char *key, wall_ms at)
{
    char bytes[32];
    struct buf text = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};

    text_put_rfc3339(&text, at);
    json_key(out, key);
    json_string(out, buf_span(&text));
}

void answer_put_usd(struct json_out *out, const char *key, int64_t nano)
{
    json_key(out, key);
    out->wants_comma = true;
    buf_put_char(out->buf, '"');
    money_put_nano(out->buf, nano);
    buf_put_char(out->buf, '"');
}

void answer_put_cost(struct json_out *out, const char *key, const struct sums *sums)
{
    json_key(out, key);
    out->wants_comma = true;
    buf_put_char(out->buf, '"');
    sums_put_cost(out->buf, sums);
    buf_put_char(out->buf, '"');
}

static void put_numbers(struct json_out *out, const struct sums *sums, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        json_key_plain(out, sum_names[i]);
        json_i64(out, sums->of[i]);
    }
}

static void put_figures(struct json_out *out, const struct answer_group *group)
{
    put_numbers(out, &group->sums, 0, SUM_TOKENS_INPUT);
    answer_put_usd(out, "charged_usd", group->sums.of[SUM_CHARGED]);
    answer_put_cost(out, "cost_usd", &group->sums);
    json_key(out, "tokens");
    json_open_object(out);
    put_numbers(out, &group->sums, SUM_TOKENS_INPUT, SUM_TOKENS_INPUT + TOKEN_CLASSES);
    json_close_object(out);
    json_key(out, "fees");
    json_open_object(out);
    put_numbers(out, &group->sums, SUM_TOKENS_INPUT + TOKEN_CLASSES, SUM_COST_USD);
    json_close_object(out);
    json_key(out, "provenance");
    json_open_object(out);
    for (size_t i = 0; i < PROVENANCES; i++) {
        json_key_plain(out, provenance_names[i]);
        json_i64(out, group->provenances[i]);
    }
    json_close_object(out);
}

/* "2026-11-20": the local day that begins then. */
static void put_day(struct buf *out, const struct zone *zone, wall_ms begin)
{
    text_put_day(out, zone_day_of(zone, begin / 1000) * INT64_C(86400000));
}

static void put_json_group(struct json_out *out, const struct answer_rows *answer,
                           const struct answer_group *group)
{
    json_open_object(out);
    if (answer->query->kind == QUERY_DAILY) {
        json_key(out, "day");
        out->wants_comma = true;
        buf_put_char(out->buf, '"');
        put_day(out->buf, answer->zone, group->begin);
        buf_put_char(out->buf, '"');
    }
    if (answer->query->kind != QUERY_SUMMARY) {
        answer_put_time(out, "from", group->begin);
        answer_put_time(out, "to", group->end);
    }
    for (size_t i = 0; i < answer->query->by_count; i++) {
        json_key_plain(out, dimension_names[answer->query->by[i]]);
        json_string(out, group->names[i]);
    }
    put_figures(out, group);
    json_close_object(out);
}

static const char *groups_name(const struct query *query)
{
    return query->kind == QUERY_HISTORY ? "hours" : query->kind == QUERY_DAILY ? "days" : "groups";
}

static void put_json(struct buf *buf, const struct answer_rows *answer)
{
    const struct query *query = answer->query;
    struct json_out out;

    json_out_init(&out, buf);
    json_open_object(&out);
    json_key(&out, "kind");
    json_string(&out, query_kind_names[query->kind]);
    answer_put_time(&out, "from", query->from);
    answer_put_time(&out, "to", query->to);
    json_key(&out, "zone");
    json_string(&out, query->zone.len > 0 ? query->zone : SPAN_OF("UTC"));
    json_key(&out, "by");
    json_open_array(&out);
    for (size_t i = 0; i < query->by_count; i++) {
        json_string(&out, dimension_names[query->by[i]]);
    }
    json_close_array(&out);
    json_key(&out, "total");
    json_open_object(&out);
    put_figures(&out, answer->total);
    json_close_object(&out);
    json_key(&out, groups_name(query));
    json_open_array(&out);
    for (size_t i = 0; i < answer->count; i++) {
        put_json_group(&out, answer, &answer->groups[i]);
    }
    json_close_array(&out);
    json_key(&out, "left_out");
    json_i64(&out, (int64_t)answer->left_out);
    json_close_object(&out);
    buf_put_char(buf, '\n');
}

/* ---- CSV ---- */

void answer_put_cell(struct buf *out, struct span text)
{
    bool is_plain = true;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        is_plain = is_plain && c != '"' && c != ',' && c != '\n' && c != '\r';
    }
    /* What a spreadsheet would take for a formula is made text. */
    if (text.len > 0 && memchr("=+-@\t", text.at[0], 5) != NULL) {
        is_plain = false;
    }
    if (is_plain) {
        buf_put(out, text);
        return;
    }
    buf_put_char(out, '"');
    if (memchr("=+-@\t", text.at[0], 5) != NULL) {
        buf_put_char(out, '\'');
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"') {
            buf_put_char(out, '"');
        }
        buf_put_char(out, text.at[i]);
    }
    buf_put_char(out, '"');
}

static void put_csv_head(struct buf *out, const struct query *query)
{
    if (query->kind == QUERY_DAILY) {
        buf_put_text(out, "day,");
    }
    if (query->kind != QUERY_SUMMARY) {
        buf_put_text(out, "from,to,");
    }
    for (size_t i = 0; i < query->by_count; i++) {
        buf_put_format(out, "%.*s,", SPAN_ARGS(dimension_names[query->by[i]]));
    }
    for (size_t i = 0; i < SUM_COST_USD; i++) {
        buf_put_format(out, "%.*s,", SPAN_ARGS(sum_names[i]));
    }
    for (size_t i = 0; i < PROVENANCES; i++) {
        buf_put_format(out, "provenance_%.*s,", SPAN_ARGS(provenance_names[i]));
    }
    buf_put_text(out, "charged_usd,cost_usd\n");
}

static void put_csv_group(struct buf *out, const struct answer_rows *answer,
                          const struct answer_group *group)
{
    const struct query *query = answer->query;

    if (query->kind == QUERY_DAILY) {
        put_day(out, answer->zone, group->begin);
        buf_put_char(out, ',');
    }
    if (query->kind != QUERY_SUMMARY) {
        text_put_rfc3339(out, group->begin);
        buf_put_char(out, ',');
        text_put_rfc3339(out, group->end);
        buf_put_char(out, ',');
    }
    for (size_t i = 0; i < query->by_count; i++) {
        answer_put_cell(out, group->names[i]);
        buf_put_char(out, ',');
    }
    for (size_t i = 0; i < SUM_COST_USD; i++) {
        buf_put_format(out, "%lld,", (long long)group->sums.of[i]);
    }
    for (size_t i = 0; i < PROVENANCES; i++) {
        buf_put_format(out, "%lld,", (long long)group->provenances[i]);
    }
    money_put_nano(out, group->sums.of[SUM_CHARGED]);
    buf_put_char(out, ',');
    sums_put_cost(out, &group->sums);
    buf_put_char(out, '\n');
}

/* ---- for people ---- */

enum { NAME_WIDTH = 22, LABEL_MAX = 160 };

static void put_label(struct buf *out, const struct answer_rows *answer,
                      const struct answer_group *group)
{
    const struct query *query = answer->query;

    if (query->kind == QUERY_DAILY) {
        put_day(out, answer->zone, group->begin);
    } else if (query->kind == QUERY_HISTORY) {
        wall_ms local =
            group->begin + INT64_C(1000) * zone_at(answer->zone, group->begin / 1000).offset_s;
        char bytes[32];
        struct buf text = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};

        text_put_rfc3339(&text, local);
        buf_put_format(out, "%.10s %.5s", bytes, bytes + 11);
    }
    for (size_t i = 0; i < query->by_count; i++) {
        if (i > 0 || query->kind != QUERY_SUMMARY) {
            buf_put_text(out, "  ");
        }
        if (group->names[i].len == 0) {
            buf_put_char(out, '-');
        } else {
            text_put_printable(out, group->names[i], 32);
        }
    }
}

static int64_t sum_output(const struct sums *sums)
{
    return sums->of[SUM_TOKENS_OUTPUT] + sums->of[SUM_TOKENS_AUDIO_OUTPUT];
}

static void put_row(struct buf *out, struct span label, const struct answer_group *group)
{
    const struct sums *sums = &group->sums;
    char money[64];
    struct buf cost = {.at = money, .cap = sizeof money, .max = sizeof money};

    sums_put_cost(&cost, sums);
    buf_put_format(out, "%-*.*s %9lld %9lld %7lld %12lld %12lld %12lld %16.*s", NAME_WIDTH,
                   SPAN_ARGS(label), (long long)sums->of[SUM_CALLS],
                   (long long)sums->of[SUM_ATTEMPTS], (long long)sums->of[SUM_FAILED_ATTEMPTS],
                   (long long)sums_input(sums), (long long)sums->of[SUM_TOKENS_CACHE_READ],
                   (long long)sum_output(sums), SPAN_ARGS(buf_span(&cost)));
    if (sums->of[SUM_UNPRICED] > 0) {
        buf_put_format(out, "  %lld unpriced", (long long)sums->of[SUM_UNPRICED]);
    }
    if (sums->of[SUM_ESTIMATED] > 0) {
        buf_put_format(out, "  %lld estimated", (long long)sums->of[SUM_ESTIMATED]);
    }
    buf_put_char(out, '\n');
}

static void put_table(struct buf *out, const struct answer_rows *answer)
{
    char bytes[LABEL_MAX];

    buf_put_text(out, "from ");
    text_put_rfc3339(out, answer->query->from);
    buf_put_text(out, " to ");
    text_put_rfc3339(out, answer->query->to);
    buf_put_text(out, "\n\n");
    buf_put_format(out, "%-*s %9s %9s %7s %12s %12s %12s %16s\n", NAME_WIDTH, "", "calls",
                   "attempts", "failed", "input", "of it cached", "output", "USD");
    for (size_t i = 0; i < answer->count; i++) {
        struct buf label = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};

        put_label(&label, answer, &answer->groups[i]);
        put_row(out, buf_span(&label), &answer->groups[i]);
    }
    if (answer->left_out > 0) {
        buf_put_format(out, "(%zu more; --limit)\n", answer->left_out);
    }
    put_row(out, SPAN_OF("total"), answer->total);
}

void answer_put(struct buf *out, const struct answer_rows *answer)
{
    const struct query *query = answer->query;

    if (query->format == QUERY_JSON) {
        put_json(out, answer);
    } else if (query->format == QUERY_TABLE) {
        put_table(out, answer);
    } else {
        put_csv_head(out, query);
        for (size_t i = 0; i < answer->count; i++) {
            put_csv_group(out, answer, &answer->groups[i]);
        }
        if (query->kind == QUERY_SUMMARY && query->by_count == 0) {
            put_csv_group(out, answer, answer->total);
        }
    }
}
