/* SPDX-License-Identifier: Apache-2.0 */
/* Record by record: read, looked up, priced, put as a line. What has a fault is only looked through
 * from then on, so that all of them are named. */
#include "admin/reports.h"

#include <string.h>

#include "base/map.h"
#include "router/cost.h"
#include "usage/charge.h"
#include "wire/json_out.h"
#include "wire/json_text.h"
#include "wire/json_walk.h"

enum { SHOWN_MAX = 192, PRICE_NAME_MAX = 1024, SEEN_MAX = REPORTS_MAX * 512 };

struct batch {
    const struct reports_terms *terms;
    struct json_scan *scan;
    struct buf text;       /* of the record in hand */
    struct buf price_name; /* the same */
    struct arena arena;    /* what `seen` has */
    struct map seen;       /* record ids of this batch */
    struct buf *lines;
    struct buf faults;   /* an array */
    struct json_out out; /* onto `faults` */
    size_t count;        /* of records, the one in hand not among them */
    struct reports_sum *sum;
    bool is_of_body;       /* the fault that is told is no record's */
    char first[SHOWN_MAX]; /* the first fault, for the message */
};

/* ---- faults ---- */

static void on_fault(void *to, struct span field, struct span text)
{
    struct batch *batch = to;
    struct json_out *out = &batch->out;
    struct buf first = {.at = batch->first, .cap = SHOWN_MAX, .max = SHOWN_MAX};

    if (batch->sum->faults++ == 0) {
        if (!batch->is_of_body) {
            buf_put_format(&first, "record %zu: ", batch->count);
        }
        buf_put(&first, field);
        buf_put_text(&first, field.len > 0 ? ": " : "");
        buf_put(&first, span_make(text.at, text.len < SHOWN_MAX / 2 ? text.len : SHOWN_MAX / 2));
        buf_put_char(&first, '\0');
    }
    if (batch->sum->faults > REPORTS_FAULTS_MAX) {
        return;
    }
    json_open_object(out);
    json_key(out, "record");
    if (batch->is_of_body) {
        json_null(out);
    } else {
        json_i64(out, (int64_t)batch->count);
    }
    json_key(out, "field");
    json_string(out, field);
    json_key(out, "message");
    json_string(out, text);
    json_close_object(out);
}

static void fault_body(struct batch *batch, struct span field, struct span text)
{
    batch->is_of_body = true;
    on_fault(batch, field, text);
    batch->is_of_body = false;
}

static void fault_json(struct batch *batch)
{
    char bytes[SHOWN_MAX];
    struct buf text = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};

    buf_put_format(&text, "%s, at byte %llu", json_fault_code(json_scan_fault(batch->scan)),
                   (unsigned long long)json_scan_offset(batch->scan));
    if (batch->terms->is_lines) {
        on_fault(batch, span_make("", 0), buf_span(&text));
    } else {
        fault_body(batch, span_make("", 0), buf_span(&text));
    }
}

/* ---- prices ---- */

/* Whose prices hold, and of which model. */
static struct price_place place_of(const struct snapshot *snapshot, struct span provider,
                                   struct span *model)
{
    for (size_t i = 0; i < snapshot->routing.providers_count; i++) {
        const struct provider *known = &snapshot->routing.providers[i];

        if (span_equal(known->name, provider)) {
            *model = cost_model(known, *model);
            return known->prices;
        }
    }
    return book_place(&snapshot->prices, provider, span_make("", 0), span_make("", 0));
}

static void put_cost(struct record *record, const struct cost *cost)
{
    record->numbers[RECORD_COST] = cost->pico;
    record->numbers[RECORD_CHARGED] = cost->nano;
    record->flags |= (uint32_t)cost->tier_unpriced << RECORD_FLAG_TIER_UNPRICED |
                     (uint32_t)cost->class_unpriced << RECORD_FLAG_CLASS_UNPRICED |
                     (uint32_t)cost->saturated << RECORD_FLAG_SATURATED;
}

/* As an attempt of our own that used so much (proxy/bill.c). */
static void price_record(struct batch *batch, struct record *record)
{
    const struct snapshot *snapshot = batch->terms->snapshot;
    struct span model = record->texts[RECORD_MODEL];
    struct price_place place = place_of(snapshot, record->texts[RECORD_PROVIDER], &model);
    wall_ms at = record->numbers[RECORD_AT];
    const struct price *price = NULL;
    struct price_terms terms;
    struct usage usage;
    struct cost cost;

    usage_init(&usage);
    memcpy(usage.tokens, record->tokens, sizeof usage.tokens);
    memcpy(usage.fees, record->fees, sizeof usage.fees);
    usage.reasoning = record->numbers[RECORD_REASONING];
    usage_word_set(&usage.tier, record->texts[RECORD_TIER]);
    usage_word_set(&usage.region, record->texts[RECORD_REGION]);
    if (place.list.len > 0) {
        price =
            book_find_either(&snapshot->prices, place.list, record->texts[RECORD_MODEL_ANSWERED],
                             model, at);
    }
    if (price == NULL) {
        record->texts[RECORD_PROVENANCE] = SPAN_OF("unpriced");
        return;
    }
    terms = price_terms_of(&usage, place.region, at);
    price_cost(price, &usage, &terms, &cost);
    put_cost(record, &cost);
    buf_clear(&batch->price_name);
    book_put_row_name(&batch->price_name, price);
    record->texts[RECORD_PRICE] = buf_span(&batch->price_name);
    record->texts[RECORD_PRICES] = book_version(&snapshot->prices);
}

static void settle(struct batch *batch, struct record *record)
{
    struct span *provenance = &record->texts[RECORD_PROVENANCE];

    record->texts[RECORD_CHARGE] = span_of(charge_word(CHARGE_REPORTED));
    record->numbers[RECORD_ATTEMPT] = 1;
    if (record->numbers[RECORD_COST] >= 0) {
        *provenance = SPAN_OF("reported");
        return;
    }
    if (provenance->len == 0) {
        *provenance = SPAN_OF("provider");
    } else if (!span_equal(*provenance, SPAN_OF("provider"))) {
        record_flag(record, RECORD_FLAG_ESTIMATED);
    }
    price_record(batch, record);
}

/* ---- records ---- */

/* "source/call_id": no record of ours has a slash in its id, and no two sources share one. NULL:
 * no memory. */
static struct map_entry *name_record(struct batch *batch, const struct record *record)
{
    struct span source = record->texts[RECORD_SOURCE];
    struct span call = record->texts[RECORD_CALL];
    struct map_entry *entry = arena_take(&batch->arena, sizeof *entry);
    char *id = arena_take(&batch->arena, source.len + 1 + call.len);

    if (entry == NULL || id == NULL) {
        return NULL;
    }
    memcpy(id, source.at, source.len);
    id[source.len] = '/';
    memcpy(id + source.len + 1, call.at, call.len);
    entry->key = span_make(id, source.len + 1 + call.len);
    return entry;
}

/* False: no memory. */
static bool keep(struct batch *batch, struct record *record)
{
    struct map_entry *entry = name_record(batch, record);

    if (entry == NULL) {
        return false;
    }
    if (map_find(&batch->seen, entry->key) != NULL ||
        batch->terms->is_known(batch->terms->to, record->texts[RECORD_SOURCE], entry->key)) {
        batch->sum->duplicates++;
        return true;
    }
    if (map_add(&batch->seen, entry, entry->key) != ERR_NONE) {
        return false;
    }
    record->texts[RECORD_ID] = entry->key;
    settle(batch, record);
    record_put_line(batch->lines, record);
    batch->sum->accepted++;
    return !batch->lines->failed && !batch->price_name.failed;
}

/* False: nothing more is to be read. */
static bool take(struct batch *batch, struct span object)
{
    const struct report_ears ears = {.to = batch, .on_fault = on_fault};
    struct record record;

    if (batch->count == REPORTS_MAX) {
        batch->sum->refusal = REFUSAL_REPORT_LARGE;
        return false;
    }
    bool is_good = report_read(object, batch->terms->now, &batch->text, &record, &ears);
    if (batch->text.failed || (is_good && batch->sum->faults == 0 && !keep(batch, &record))) {
        batch->sum->refusal = REFUSAL_OVERLOADED;
        return false;
    }
    batch->count++;
    return true;
}

static bool scan(struct batch *batch, struct span document, struct json_hit *hit)
{
    static const struct json_path paths[] = {JSON_PATH1("records")};
    struct json_scan_options options = {
        .paths = paths, .paths_count = 1, .seed = batch->terms->seed[0]};

    if (json_scan_whole(batch->scan, &options, document, hit)) {
        return true;
    }
    fault_json(batch);
    return false;
}

static void read_lines(struct batch *batch, struct span body)
{
    struct json_hit hit;

    for (struct span rest = body; rest.len > 0;) {
        struct span line = span_trim(span_cut(&rest, '\n'));

        if (span_ends(line, SPAN_OF("\r"))) {
            line.len--;
        }
        if (line.len == 0) {
            continue;
        }
        if (!scan(batch, line, &hit)) {
            batch->count++;
        } else if (!take(batch, line)) {
            return;
        }
    }
}

/* {"records": [...]} has no other member. */
static void read_list(struct batch *batch, struct span body, const struct json_hit *hit)
{
    struct span list = json_hit_span(hit, body);
    struct json_walk items = json_walk_of(list);
    struct json_walk outer = json_walk_of(body);
    struct span value;
    struct span key;

    while (json_walk_member(&outer, &key, &value)) {
        if (value.at != list.at) {
            key = span_make(key.at + 1, key.len - 2);
            fault_body(batch, key, SPAN_OF("there is no such member beside records"));
        }
    }
    while (json_walk_item(&items, &value)) {
        if (!take(batch, value)) {
            return;
        }
    }
}

static void read_body(struct batch *batch, struct span body)
{
    const char *at = json_text_skip_space(body.at, body.at + body.len);
    struct json_hit hit;

    body = span_from(body, (size_t)(at - body.at));
    if (batch->terms->is_lines) {
        read_lines(batch, body);
    } else if (scan(batch, body, &hit)) {
        if (hit.kind == JSON_ARRAY) {
            read_list(batch, body, &hit);
        } else {
            (void)take(batch, body);
        }
    }
    if (batch->count == 0 && batch->sum->faults == 0 && batch->sum->refusal == REFUSAL_NONE) {
        fault_body(batch, span_make("", 0), SPAN_OF("there is no record in the body"));
    }
}

/* ---- the answer ---- */

static void put_number(struct json_out *out, const char *key, size_t number)
{
    json_key(out, key);
    json_i64(out, (int64_t)number);
}

static void put_no(struct batch *batch, struct json_out *out)
{
    struct refusal refusal = {.kind = REFUSAL_INVALID_REPORT, .detail = span_of(batch->first)};
    const struct refusal_row *row = refusal_row(refusal.kind);
    size_t faults = batch->sum->faults;

    buf_clear(&batch->text);
    refusal_message(&refusal, &batch->text);
    json_key(out, "error");
    json_open_object(out);
    json_key(out, "message");
    json_string(out, buf_span(&batch->text));
    json_key(out, "type");
    json_text(out, row->openai_type);
    json_key(out, "param");
    json_null(out);
    json_key(out, "code");
    json_text(out, row->code);
    json_close_object(out);
    json_key(out, "faults");
    json_raw(out, buf_span(&batch->faults));
    put_number(out, "left_out", faults > REPORTS_FAULTS_MAX ? faults - REPORTS_FAULTS_MAX : 0);
}

static void put_answer(struct batch *batch, struct buf *answer)
{
    struct json_out out;

    json_close_array(&batch->out);
    json_out_init(&out, answer);
    json_open_object(&out);
    if (batch->sum->faults > 0) {
        batch->sum->refusal = REFUSAL_INVALID_REPORT;
        put_no(batch, &out);
    } else {
        put_number(&out, "accepted", batch->sum->accepted);
        put_number(&out, "duplicates", batch->sum->duplicates);
    }
    json_close_object(&out);
    buf_put_char(answer, '\n');
    if (answer->failed || batch->text.failed || batch->faults.failed) {
        batch->sum->refusal = REFUSAL_OVERLOADED;
    }
}

void reports_read(const struct reports_terms *terms, struct span body, struct buf *lines,
                  struct buf *answer, struct reports_sum *sum)
{
    struct batch batch = {.terms = terms, .lines = lines, .sum = sum};

    *sum = (struct reports_sum){.refusal = REFUSAL_NONE};
    batch.scan = json_scan_new();
    buf_init(&batch.text, REPORTS_BODY_MAX + SHOWN_MAX);
    buf_init(&batch.price_name, PRICE_NAME_MAX);
    buf_init(&batch.faults, REPORTS_ANSWER_MAX / 2);
    arena_init(&batch.arena, SEEN_MAX);
    map_init(&batch.seen, REPORTS_MAX, terms->seed);
    json_out_init(&batch.out, &batch.faults);
    json_open_array(&batch.out);
    if (batch.scan == NULL) {
        sum->refusal = REFUSAL_OVERLOADED;
    } else {
        read_body(&batch, body);
    }
    if (sum->refusal == REFUSAL_NONE) {
        put_answer(&batch, answer);
    }
    if (sum->refusal != REFUSAL_NONE) {
        buf_fini(lines);
    }
    json_scan_free(batch.scan);
    map_fini(&batch.seen);
    arena_fini(&batch.arena);
    buf_fini(&batch.faults);
    buf_fini(&batch.price_name);
    buf_fini(&batch.text);
}
