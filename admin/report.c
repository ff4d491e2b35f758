/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a reported record, as a table: what each takes, and where it goes. Numbers are read
 * from their digits and money from its text, so that neither ever is a floating point number. */
#include "admin/report.h"

#include "base/date.h"
#include "base/money.h"
#include "base/must.h"
#include "base/suggest.h"
#include "base/text.h"
#include "usage/sums.h"
#include "wire/json_value.h"
#include "wire/json_walk.h"

#define COUNT_MAX    (INT64_C(1) << 40) /* as usage/sums.c adds up */
#define DAY_MS       INT64_C(86400000)
#define COST_MAX_USD 1000000

enum {
    NAME_MAX = 64,
    NAME_SHOWN = 64,
    ID_MAX = 128,
    MODEL_MAX = 256,
    TAGS_MAX = 16,
    WORD_MAX = 14
};

enum check {
    CHECK_NAME, /* letters, digits, . _ - */
    CHECK_TEXT,
    CHECK_TAGS,
    CHECK_OUTCOME,
    CHECK_PROVENANCE,
    CHECK_TIME,
    CHECK_TRUTH,
    CHECK_COST,
    CHECK_COUNT,
    CHECK_TOKENS,
    CHECK_FEE
};

struct field {
    struct span name;
    uint8_t check; /* which array of the record it goes to follows from it */
    uint8_t index;
    bool is_needed;
    int64_t least;
    int64_t most; /* bytes of a text */
};

#define ROW(name, check, index, least, most)                                                       \
    {                                                                                              \
        SPAN(name), check, (uint8_t)(index), false, least, most                                    \
    }
#define NEEDED(name, check, index, most)                                                           \
    {                                                                                              \
        SPAN(name), check, (uint8_t)(index), true, 1, most                                         \
    }

static const struct field fields[] = {
    NEEDED("source", CHECK_NAME, RECORD_SOURCE, NAME_MAX),
    NEEDED("call_id", CHECK_TEXT, RECORD_CALL, ID_MAX),
    NEEDED("at", CHECK_TIME, RECORD_AT, 0),
    NEEDED("provider", CHECK_NAME, RECORD_PROVIDER, NAME_MAX),
    NEEDED("model", CHECK_TEXT, RECORD_MODEL, MODEL_MAX),
    ROW("model_answered", CHECK_TEXT, RECORD_MODEL_ANSWERED, 1, MODEL_MAX),
    ROW("request_id", CHECK_NAME, RECORD_REQUEST, 1, ID_MAX),
    ROW("trace", CHECK_NAME, RECORD_TRACE, 1, ID_MAX),
    ROW("task", CHECK_TEXT, RECORD_TASK, 1, REPORT_TEXT_MAX),
    ROW("key", CHECK_TEXT, RECORD_KEY, 1, REPORT_TEXT_MAX),
    ROW("team", CHECK_TEXT, RECORD_TEAM, 1, REPORT_TEXT_MAX),
    ROW("user", CHECK_TEXT, RECORD_USER, 1, REPORT_TEXT_MAX),
    ROW("tags", CHECK_TAGS, RECORD_TAGS, 1, NAME_MAX),
    ROW("route", CHECK_TEXT, RECORD_ROUTE, 1, REPORT_TEXT_MAX),
    ROW("operation", CHECK_NAME, RECORD_OPERATION, 1, NAME_MAX),
    ROW("stream", CHECK_TRUTH, RECORD_STREAM, 0, 1),
    ROW("status", CHECK_COUNT, RECORD_STATUS, 100, 599),
    ROW("outcome", CHECK_OUTCOME, RECORD_OUTCOME, 1, NAME_MAX),
    ROW("provenance", CHECK_PROVENANCE, RECORD_PROVENANCE, 1, NAME_MAX),
    ROW("cost_usd", CHECK_COST, RECORD_COST, 0, COST_MAX_USD),
    ROW("reasoning", CHECK_COUNT, RECORD_REASONING, 0, COUNT_MAX),
    ROW("tier", CHECK_NAME, RECORD_TIER, 1, WORD_MAX),
    ROW("region", CHECK_NAME, RECORD_REGION, 1, WORD_MAX),
    ROW("bytes_in", CHECK_COUNT, RECORD_BYTES_IN, 0, COUNT_MAX),
    ROW("bytes_out", CHECK_COUNT, RECORD_BYTES_OUT, 0, COUNT_MAX),
    ROW("ttfb_us", CHECK_COUNT, RECORD_TTFB_US, 0, COUNT_MAX),
    ROW("ttfc_us", CHECK_COUNT, RECORD_TTFC_US, 0, COUNT_MAX),
    ROW("total_us", CHECK_COUNT, RECORD_TOTAL_US, 0, COUNT_MAX),
#define TOKENS(NAME, name, help) ROW(#name, CHECK_TOKENS, TOKENS_##NAME, 0, COUNT_MAX),
#include "wire/tokens.def"
#undef TOKENS
#define FEE(NAME, name, help) ROW(#name, CHECK_FEE, FEE_##NAME, 0, COUNT_MAX),
#include "wire/fees.def"
#undef FEE
};
_Static_assert(ARRAY_LENGTH(fields) <= 64, "a bit for each");

/* What is being read. */
struct reading {
    wall_ms now;
    struct buf *text;
    struct record *record;
    const struct report_ears *ears;
    uint64_t seen; /* bits of `fields` that have a value */
    bool has_figures;
    bool is_bad;
};

/* ---- faults ---- */

static void fault(struct reading *reading, struct span field, struct span text)
{
    reading->is_bad = true;
    reading->ears->on_fault(reading->ears->to, field, text);
}

static void fault_of(struct reading *reading, const struct field *field)
{
    static const struct {
        const char *head;
        const char *tail; /* NULL: without the field's `most` between */
    } takes[] = {
        [CHECK_NAME] = {"takes a text of 1 to ", " of A-Z a-z 0-9 . _ -"},
        [CHECK_TEXT] = {"takes a text of 1 to ", " bytes without control characters"},
        [CHECK_TAGS] = {"takes an array of up to 16 names, each a text of 1 to ",
                        " of A-Z a-z 0-9 . _ -"},
        [CHECK_OUTCOME] = {"takes ok or another word of the outcomes in docs/on-call.md", NULL},
        [CHECK_PROVENANCE] = {"takes provider, estimated or partial", NULL},
        [CHECK_TIME] = {"takes a time like 2026-11-20T15:00:00Z, at most a day ahead and at most "
                        "396 days ago",
                        NULL},
        [CHECK_TRUTH] = {"takes true or false", NULL},
        [CHECK_COST] = {"takes US dollars as a text like \"0.0123\": at most 12 decimals, at most ",
                        ""},
    };
    char bytes[REPORT_FAULT_MAX];
    struct buf text = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};

    if (field->check >= CHECK_COUNT) {
        buf_put_format(&text, "takes a whole number from %lld to %lld", (long long)field->least,
                       (long long)field->most);
    } else {
        buf_put_text(&text, takes[field->check].head);
        if (takes[field->check].tail != NULL) {
            buf_put_u64(&text, (unsigned long long)field->most);
            buf_put_text(&text, takes[field->check].tail);
        }
    }
    fault(reading, field->name, buf_span(&text));
}

static void fault_unknown(struct reading *reading, struct span name)
{
    char bytes[REPORT_FAULT_MAX];
    char shown[NAME_SHOWN];
    struct buf text = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    struct buf field = {.at = shown, .cap = sizeof shown, .max = sizeof shown};
    struct span names[ARRAY_LENGTH(fields)];
    int near = -1;

    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        names[i] = fields[i].name;
    }
    near = suggest_nearest(name, names, ARRAY_LENGTH(fields));
    text_put_printable(&field, name, sizeof shown);
    buf_put_text(&text, "there is no such field");
    if (near >= 0) {
        buf_put_format(&text, "; did you mean %.*s?", SPAN_ARGS(names[near]));
    } else {
        for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
            buf_put_text(&text, i == 0 ? "; there are " : ", ");
            buf_put(&text, names[i]);
        }
    }
    fault(reading, buf_span(&field), buf_span(&text));
}

/* ---- values ---- */

static bool is_name(struct span text, int64_t max)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-')) {
            return false;
        }
    }
    return text.len > 0 && (int64_t)text.len <= max;
}

static bool is_text(struct span text, int64_t max)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c < 0x20 || c == 0x7f) {
            return false;
        }
    }
    return text.len > 0 && (int64_t)text.len <= max;
}

static bool is_outcome(struct span text)
{
    static const struct span words[] = {
#define OUTCOME(name, word, refusal, endpoint, deployment, mark, remedy) SPAN(word),
#include "router/outcomes.def"
#undef OUTCOME
    };

    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (span_equal(text, words[i])) {
            return true;
        }
    }
    return false;
}

static bool is_provenance(struct span text)
{
    return span_equal(text, SPAN_OF("provider")) || span_equal(text, SPAN_OF("estimated")) ||
           span_equal(text, SPAN_OF("partial"));
}

/* The text of a string; the room was made for the whole object, so nothing moves. False: it is
 * none. */
static bool decode(struct reading *reading, struct span value, struct span *text)
{
    size_t from = reading->text->len;

    if (value.at[0] != '"') {
        return false;
    }
    json_string_decode(value, reading->text);
    *text = span_make(reading->text->at + from, reading->text->len - from);
    return true;
}

static bool read_tags(struct reading *reading, const struct field *field, struct span value)
{
    struct json_walk walk = json_walk_of(value);
    size_t from = reading->text->len;
    size_t count = 0;
    struct span item;
    struct span tag;

    if (!json_is_array(value)) {
        return false;
    }
    while (json_walk_item(&walk, &item)) {
        if (count > 0) {
            buf_put_char(reading->text, ',');
        }
        if (!decode(reading, item, &tag) || !is_name(tag, field->most) || ++count > TAGS_MAX) {
            return false;
        }
    }
    reading->record->texts[RECORD_TAGS] =
        span_make(reading->text->at + from, reading->text->len - from);
    return reading->text->len - from <= RECORD_TAGS_MAX;
}

static bool read_text(struct reading *reading, const struct field *field, struct span value)
{
    struct span *text = &reading->record->texts[field->index];

    if (!decode(reading, value, text)) {
        return false;
    }
    switch ((enum check)field->check) {
    case CHECK_NAME: return is_name(*text, field->most);
    case CHECK_OUTCOME: return is_outcome(*text);
    case CHECK_PROVENANCE: return is_provenance(*text);
    default: return is_text(*text, field->most);
    }
}

static bool read_time(struct reading *reading, struct span value)
{
    struct span text;
    wall_ms at = 0;

    if (!decode(reading, value, &text) || date_read_time(text, &at) != ERR_NONE || at < 0 ||
        at > reading->now + DAY_MS || at < reading->now - REPORT_AGE_DAYS * DAY_MS) {
        return false;
    }
    reading->record->numbers[RECORD_AT] = at;
    return true;
}

/* Text alone: what came through a floating point number on its way has lost its exact value. */
static bool read_cost(struct reading *reading, struct span value)
{
    int64_t pico = 0;
    struct span text;

    if (!decode(reading, value, &text) || text.len == 0 || text.at[0] < '0' || text.at[0] > '9' ||
        span_find(text, SPAN_OF("e")) != NULL || span_find(text, SPAN_OF("E")) != NULL ||
        money_read_each(text, &pico) != ERR_NONE || pico > COST_MAX_USD * PICO_PER_USD) {
        return false;
    }
    reading->record->numbers[RECORD_COST] = pico;
    reading->record->numbers[RECORD_CHARGED] = money_nano_up(pico);
    return true;
}

static bool read_count(const struct field *field, struct span value, int64_t *number)
{
    return json_integer(value, number) == ERR_NONE && *number >= field->least &&
           *number <= field->most;
}

static bool read_value(struct reading *reading, const struct field *field, struct span value)
{
    struct record *record = reading->record;

    switch ((enum check)field->check) {
    case CHECK_NAME:
    case CHECK_TEXT:
    case CHECK_OUTCOME:
    case CHECK_PROVENANCE: return read_text(reading, field, value);
    case CHECK_TAGS: return read_tags(reading, field, value);
    case CHECK_TIME: return read_time(reading, value);
    case CHECK_COST: return read_cost(reading, value);
    case CHECK_TRUTH:
        record->numbers[field->index] = value.at[0] == 't';
        return value.at[0] == 't' || value.at[0] == 'f';
    case CHECK_COUNT: return read_count(field, value, &record->numbers[field->index]);
    case CHECK_TOKENS: return read_count(field, value, &record->tokens[field->index]);
    case CHECK_FEE: return read_count(field, value, &record->fees[field->index]);
    }
    UNREACHABLE();
}

static void read_member(struct reading *reading, struct span key, struct span value)
{
    struct span name;

    (void)decode(reading, key, &name);
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        if (!span_equal(name, fields[i].name)) {
            continue;
        }
        if (value.at[0] != 'n') { /* null: not known */
            reading->seen |= UINT64_C(1) << i;
            reading->has_figures |= fields[i].check == CHECK_COST ||
                                    fields[i].check == CHECK_TOKENS || fields[i].check == CHECK_FEE;
            if (!read_value(reading, &fields[i], value)) {
                fault_of(reading, &fields[i]);
            }
        }
        return;
    }
    fault_unknown(reading, name);
}

/* ---- the record as a whole ---- */

static void judge(struct reading *reading)
{
    struct record *record = reading->record;
    bool has_outcome = record->texts[RECORD_OUTCOME].len > 0;

    if (span_equal_nocase(record->texts[RECORD_SOURCE], SPAN_OF("headgate"))) {
        fault(reading, SPAN_OF("source"),
              SPAN_OF("headgate is the source of records that are written here; take another"));
    }
    if (record->numbers[RECORD_REASONING] > 0 &&
        record->numbers[RECORD_REASONING] > record->tokens[TOKENS_OUTPUT]) {
        fault(reading, SPAN_OF("reasoning"),
              SPAN_OF("is part of output, so it cannot be more than that"));
    }
    if (record->texts[RECORD_PROVENANCE].len > 0 && record->numbers[RECORD_COST] >= 0) {
        fault(reading, SPAN_OF("provenance"),
              SPAN_OF("is not taken beside cost_usd: such a record's provenance is reported"));
    }
    if (!has_outcome && record->numbers[RECORD_STATUS] >= 400 &&
        record->numbers[RECORD_STATUS] < 600) {
        fault(reading, SPAN_OF("outcome"), SPAN_OF("is needed beside a status of 400 or more"));
    } else if (!has_outcome) {
        record->texts[RECORD_OUTCOME] = SPAN_OF("ok");
    }
    if (span_equal(record->texts[RECORD_OUTCOME], SPAN_OF("ok")) && !reading->has_figures) {
        fault(reading, SPAN_OF("input"),
              SPAN_OF("tokens of one class at least, a fee or cost_usd is needed where the outcome "
                      "is ok"));
    }
}

bool report_read(struct span object, wall_ms now, struct buf *text, struct record *record,
                 const struct report_ears *ears)
{
    struct reading reading = {.now = now, .text = text, .record = record, .ears = ears};
    struct json_walk walk = json_walk_of(object);
    struct span value;
    struct span key;

    record_init(record);
    buf_clear(text);
    /* Nothing is longer decoded than written. */
    if (buf_reserve(text, object.len) != ERR_NONE) {
        return false;
    }
    if (!json_is_object(object)) {
        fault(&reading, span_make("", 0), SPAN_OF("a record is an object of JSON"));
        return false;
    }
    while (json_walk_member(&walk, &key, &value)) {
        read_member(&reading, key, value);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        if (fields[i].is_needed && (reading.seen >> i & 1u) == 0) {
            fault(&reading, fields[i].name, SPAN_OF("is missing, and is needed"));
        }
    }
    judge(&reading);
    return !reading.is_bad;
}
