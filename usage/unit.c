/* SPDX-License-Identifier: Apache-2.0 */
#include "usage/unit.h"

#include "base/money.h"
#include "base/text.h"
#include "usage/answer_parts.h"

static const struct span part_names[UNIT_PARTS] = {SPAN("draft"), SPAN("repair")};

void unit_init(struct unit *unit)
{
    memset(unit, 0, sizeof *unit);
}

static void name_set(struct unit_name *name, struct span text)
{
    name->len = text.len < RECORD_TEXT_MAX ? text.len : RECORD_TEXT_MAX;
    if (name->len > 0) {
        memcpy(name->text, text.at, name->len);
    }
}

static struct span name_span(const struct unit_name *name)
{
    return span_make(name->text, name->len);
}

/* An app that reports a record tells no outcome of ours: what it reports was answered. */
static bool has_answered(const struct record *record)
{
    struct span outcome = record->texts[RECORD_OUTCOME];

    return record->numbers[RECORD_ATTEMPT] != 0 && record->texts[RECORD_PROVIDER].len > 0 &&
           (span_equal(outcome, SPAN_OF("ok")) || (outcome.len == 0 && sums_is_reported(record)));
}

static void add_part(struct unit *unit, enum unit_part part, const struct record *record,
                     const struct sums *sums)
{
    if (!span_equal(record->texts[RECORD_TASK], part_names[part])) {
        return;
    }
    sums_add(&unit->parts[part], sums);
    if (has_answered(record)) {
        name_set(&unit->sources[part], record->texts[RECORD_PROVIDER]);
        name_set(&unit->models[part], record->texts[RECORD_MODEL]);
    }
}

void unit_add(struct unit *unit, const struct record *record)
{
    struct span provider = record->texts[RECORD_PROVIDER];
    struct sums sums;

    sums_of(record, &sums);
    sums_add(&unit->total, &sums);
    add_part(unit, UNIT_DRAFT, record, &sums);
    add_part(unit, UNIT_REPAIR, record, &sums);
    if (!has_answered(record)) {
        return;
    }
    if (unit->answered_by.len == 0) {
        name_set(&unit->answered_by, provider);
    }
    unit->has_mixed = unit->has_mixed || !span_equal(name_span(&unit->answered_by), provider);
}

void unit_put_begin(struct buf *out, const struct query *query)
{
    struct json_out json;

    if (query->format == QUERY_JSON) {
        buf_put_text(out, "{\"kind\":\"trace\",\"trace\":");
        json_out_init(&json, out);
        json_string(&json, query->trace);
        buf_put_text(out, ",\"calls\":[");
    } else if (query->format == QUERY_CSV) {
        answer_put_record_csv_head(out);
    }
}

/* Whether a sum of money says anything: something was asked, and not all of it is unpriced. */
static bool has_cost(const struct sums *sums)
{
    return sums->of[SUM_ATTEMPTS] > sums->of[SUM_UNPRICED];
}

static void put_name(struct json_out *out, const char *format, struct span part, struct span text)
{
    char bytes[32];
    struct buf key = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};

    buf_put(&key, part);
    buf_put_text(&key, format);
    json_key_plain(out, buf_span(&key));
    if (text.len > 0) {
        json_string(out, text);
    } else {
        json_null(out);
    }
}

static void put_money(struct json_out *out, struct span prefix, const struct sums *sums)
{
    char bytes[64];
    struct buf cost = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    char name[32];
    struct buf key = {.at = name, .cap = sizeof name, .max = sizeof name};

    if (has_cost(sums)) {
        sums_put_cost(&cost, sums);
    }
    put_name(out, "cost_usd", prefix, buf_span(&cost));
    buf_put(&key, prefix);
    buf_put_text(&key, "charged_nusd");
    json_key_plain(out, buf_span(&key));
    if (has_cost(sums)) {
        json_i64(out, sums->of[SUM_CHARGED]);
    } else {
        json_null(out);
    }
    buf_clear(&key);
    buf_put(&key, prefix);
    buf_put_text(&key, "unpriced");
    json_key_plain(out, buf_span(&key));
    json_i64(out, sums->of[SUM_UNPRICED]);
}

static void put_json_end(struct buf *buf, const struct unit *unit)
{
    static const struct span prefixes[UNIT_PARTS] = {SPAN("draft_"), SPAN("repair_")};
    struct json_out out;

    buf_put_text(buf, "],\"unit\":");
    json_out_init(&out, buf);
    json_open_object(&out);
    json_key(&out, "records");
    json_i64(&out, unit->total.of[SUM_RECORDS]);
    for (size_t i = 0; i < UNIT_PARTS; i++) {
        put_name(&out, "source", prefixes[i], name_span(&unit->sources[i]));
        put_name(&out, "model", prefixes[i], name_span(&unit->models[i]));
        put_money(&out, prefixes[i], &unit->parts[i]);
    }
    put_money(&out, SPAN_OF(""), &unit->total);
    json_key(&out, "estimated");
    json_i64(&out, unit->total.of[SUM_ESTIMATED]);
    json_key(&out, "mixed_providers");
    json_bool(&out, unit->has_mixed);
    json_key(&out, "prompt_cache_hit");
    json_bool(&out, unit->total.of[SUM_TOKENS_CACHE_READ] > 0);
    json_close_object(&out);
    buf_put_text(buf, "}\n");
}

static void put_line(struct buf *out, const char *name, const struct unit_name *source,
                     const struct unit_name *model, const struct sums *sums)
{
    buf_put_format(out, "%-7s", name);
    if (has_cost(sums)) {
        sums_put_cost(out, sums);
        buf_put_text(out, " USD");
    } else {
        buf_put_text(out, sums->of[SUM_ATTEMPTS] > 0 ? "unpriced" : "none");
    }
    if (has_cost(sums) && sums->of[SUM_UNPRICED] > 0) {
        buf_put_format(out, ", and %lld unpriced", (long long)sums->of[SUM_UNPRICED]);
    }
    if (source != NULL && source->len > 0) {
        buf_put_text(out, "  ");
        text_put_printable(out, name_span(source), RECORD_TEXT_MAX);
        buf_put_char(out, '/');
        text_put_printable(out, name_span(model), RECORD_TEXT_MAX);
    }
    buf_put_char(out, '\n');
}

void unit_put_end(struct buf *out, const struct query *query, const struct unit *unit)
{
    if (query->format == QUERY_JSON) {
        put_json_end(out, unit);
    } else if (query->format == QUERY_TABLE) {
        buf_put_char(out, '\n');
        put_line(out, "draft", &unit->sources[UNIT_DRAFT], &unit->models[UNIT_DRAFT],
                 &unit->parts[UNIT_DRAFT]);
        put_line(out, "repair", &unit->sources[UNIT_REPAIR], &unit->models[UNIT_REPAIR],
                 &unit->parts[UNIT_REPAIR]);
        put_line(out, "total", NULL, NULL, &unit->total);
        buf_put_format(out, "mixed providers: %s, prompt cache hit: %s\n",
                       unit->has_mixed ? "yes" : "no",
                       unit->total.of[SUM_TOKENS_CACHE_READ] > 0 ? "yes" : "no");
    }
}
