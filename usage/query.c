/* SPDX-License-Identifier: Apache-2.0 */
/* usage/query.c: the table of parameters and what each takes. */
#include "usage/query.h"

#include "base/suggest.h"
#include "base/text.h"

enum { VALUE_SHOWN = 64, NAMES_ROOM = 512 };

enum {
    FOR_SUMMARY = 1 << QUERY_SUMMARY,
    FOR_HISTORY = 1 << QUERY_HISTORY,
    FOR_DAILY = 1 << QUERY_DAILY,
    FOR_CALLS = 1 << QUERY_CALLS,
    FOR_TRACE = 1 << QUERY_TRACE,
    FOR_SUMS = FOR_SUMMARY | FOR_HISTORY | FOR_DAILY,
    FOR_TIMES = FOR_SUMS | FOR_CALLS,
    FOR_ALL = FOR_TIMES | FOR_TRACE
};

const struct span query_kind_names[QUERY_KINDS] = {SPAN("summary"), SPAN("history"), SPAN("daily"),
                                                   SPAN("calls"), SPAN("trace")};

struct parameter {
    struct span name;
    unsigned kinds; /* bits FOR_ */
    /* ERR_FORMAT without `why`: the value is not as `takes` says. */
    enum err (*set)(struct query *query, const struct parameter *parameter, struct span value);
    unsigned index;
    const char *takes;
};

static enum err set_filter(struct query *query, const struct parameter *parameter,
                           struct span value)
{
    if (query->filters_count == QUERY_FILTERS_MAX) {
        return ERR_CEILING;
    }
    query->filters[query->filters_count++] =
        (struct query_filter){.dimension = (enum dimension)parameter->index, .value = value};
    return ERR_NONE;
}

static bool find_dimension(struct span name, enum dimension *dimension)
{
    for (size_t i = 0; i < DIMENSIONS; i++) {
        if (span_equal(name, dimension_names[i])) {
            *dimension = (enum dimension)i;
            return true;
        }
    }
    return false;
}

static enum err set_by(struct query *query, const struct parameter *parameter, struct span value)
{
    struct span rest = value;

    (void)parameter;
    while (rest.at != NULL) {
        enum dimension dimension = DIMENSION_KEY;

        if (!find_dimension(span_cut(&rest, ','), &dimension)) {
            return ERR_FORMAT;
        }
        if (query_is_by(query, dimension)) {
            continue;
        }
        if (query->by_count == QUERY_BY_MAX) {
            return ERR_CEILING;
        }
        query->by[query->by_count++] = dimension;
    }
    return ERR_NONE;
}

static enum err set_time(struct query *query, const struct parameter *parameter, struct span value)
{
    if (value.len == 0) {
        return ERR_FORMAT;
    }
    *(parameter->index == 0 ? &query->from_text : &query->to_text) = value;
    return ERR_NONE;
}

static enum err set_zone(struct query *query, const struct parameter *parameter, struct span value)
{
    (void)parameter;
    if (!zone_name_is_good(value)) {
        return ERR_FORMAT;
    }
    query->zone = value;
    return ERR_NONE;
}

static enum err set_limit(struct query *query, const struct parameter *parameter, struct span value)
{
    uint64_t number = 0;

    (void)parameter;
    if (text_read_u64(value, &number) != ERR_NONE || number < 1 || number > QUERY_LIMIT_MAX) {
        return ERR_FORMAT;
    }
    query->limit = (uint32_t)number;
    return ERR_NONE;
}

static enum err set_cursor(struct query *query, const struct parameter *parameter,
                           struct span value)
{
    struct span rest = value;
    struct span segment = span_cut(&rest, '-');

    (void)parameter;
    query->has_cursor = true;
    if (rest.at == NULL || text_read_u64(segment, &query->cursor.segment) != ERR_NONE ||
        text_read_u64(rest, &query->cursor.offset) != ERR_NONE) {
        return ERR_FORMAT;
    }
    return ERR_NONE;
}

static enum err set_trace(struct query *query, const struct parameter *parameter, struct span value)
{
    (void)parameter;
    query->trace = value;
    return value.len > 0 ? ERR_NONE : ERR_FORMAT;
}

static enum err set_format(struct query *query, const struct parameter *parameter,
                           struct span value)
{
    static const struct span names[] = {SPAN("json"), SPAN("csv"), SPAN("table")};

    (void)parameter;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (span_equal(value, names[i])) {
            query->format = (enum query_format)i;
            return ERR_NONE;
        }
    }
    return ERR_FORMAT;
}

#define TIME_TAKES                                                                                 \
    "a time (2026-11-20T15:00:00Z), a day (2026-11-20), a duration before now (24h, 7d), today, "  \
    "yesterday or this_month"

static const struct parameter parameters[] = {
    {SPAN("from"), FOR_TIMES, set_time, 0, TIME_TAKES},
    {SPAN("to"), FOR_TIMES, set_time, 1, TIME_TAKES},
    {SPAN("zone"), FOR_TIMES, set_zone, 0, "the name of a time zone, like Europe/Berlin"},
    {SPAN("by"), FOR_SUMS, set_by, 0,
     "up to four of key, team, user, tag, provider, model, route, task, source, operation, "
     "provenance, with commas"},
#define DIMENSION(NAME, name, TEXT, help)                                                          \
    {SPAN(#name), FOR_TIMES, set_filter, DIMENSION_##NAME, "a value; several: any of them"},
#include "usage/dimensions.def"
#undef DIMENSION
    {SPAN("limit"), FOR_SUMS | FOR_CALLS, set_limit, 0, "a number from 1 to 10000"},
    {SPAN("cursor"), FOR_CALLS, set_cursor, 0, "what `next` of an answer said"},
    {SPAN("id"), FOR_TRACE, set_trace, 0, "an id as sent in x-headgate-trace"},
    {SPAN("format"), FOR_ALL, set_format, 0, "json, csv or table"},
};

void query_init(struct query *query, enum query_kind kind)
{
    memset(query, 0, sizeof *query);
    query->kind = kind;
}

static void complain_unknown(const struct query *query, struct span name, struct why *why)
{
    char names[NAMES_ROOM];
    size_t len = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(parameters); i++) {
        const struct parameter *known = &parameters[i];

        if ((known->kinds >> query->kind & 1u) != 0 && len + known->name.len + 2 < NAMES_ROOM) {
            memcpy(names + len, known->name.at, known->name.len);
            len += known->name.len;
            memcpy(names + len, ", ", 2);
            len += 2;
        }
    }
    why_set(why, "%.*s: there is no such parameter of %.*s; there are %.*s",
            name.len < VALUE_SHOWN ? (int)name.len : VALUE_SHOWN, name.at,
            SPAN_ARGS(query_kind_names[query->kind]), len < 2 ? 0 : (int)len - 2, names);
}

enum err query_set(struct query *query, struct span name, struct span value, struct why *why)
{
    for (size_t i = 0; i < ARRAY_LENGTH(parameters); i++) {
        const struct parameter *known = &parameters[i];
        enum err err = ERR_NONE;

        if ((known->kinds >> query->kind & 1u) == 0 || !span_equal(name, known->name)) {
            continue;
        }
        err = known->set(query, known, value);
        if (err == ERR_CEILING) {
            why_set(why, "%.*s: too many; ask in two questions", SPAN_ARGS(name));
        } else if (err != ERR_NONE) {
            why_set(why, "%.*s: takes %s", SPAN_ARGS(name), known->takes);
        }
        return err == ERR_NONE ? ERR_NONE : ERR_FORMAT;
    }
    complain_unknown(query, name, why);
    return ERR_FORMAT;
}

/* Percent-decodes at the end of `decoded`, which has the room. */
static bool decode(struct span text, struct buf *decoded, struct span *result)
{
    size_t from = decoded->len;
    bool is_good = text_put_url_decoded(decoded, text);

    *result = span_make(decoded->at + from, decoded->len - from);
    return is_good;
}

enum err query_read_url(struct query *query, struct span text, struct buf *decoded, struct why *why)
{
    struct span rest = text;

    if (buf_reserve(decoded, text.len + 1) != ERR_NONE) {
        why_set(why, "the question is too long");
        return ERR_MEMORY;
    }
    while (rest.at != NULL && rest.len > 0) {
        struct span value = span_cut(&rest, '&');
        struct span name = span_cut(&value, '=');
        struct span names[2];

        if (name.len == 0 && value.at == NULL) {
            continue;
        }
        if (!decode(name, decoded, &names[0]) ||
            !decode(value.at == NULL ? span_make("", 0) : value, decoded, &names[1])) {
            why_set(why, "%% must be followed by two hexadecimal digits");
            return ERR_FORMAT;
        }
        if (query_set(query, names[0], names[1], why) != ERR_NONE) {
            return ERR_FORMAT;
        }
    }
    return ERR_NONE;
}

void query_put_help(struct buf *out, enum query_kind kind)
{
    for (size_t i = 0; i < ARRAY_LENGTH(parameters); i++) {
        if ((parameters[i].kinds >> kind & 1u) != 0) {
            buf_put_format(out, "  --%-11.*s %s\n", SPAN_ARGS(parameters[i].name),
                           parameters[i].takes);
        }
    }
}

bool query_has_filter(const struct query *query, enum dimension dimension)
{
    for (size_t i = 0; i < query->filters_count; i++) {
        if (query->filters[i].dimension == dimension) {
            return true;
        }
    }
    return false;
}

bool query_is_by(const struct query *query, enum dimension dimension)
{
    for (size_t i = 0; i < query->by_count; i++) {
        if (query->by[i] == dimension) {
            return true;
        }
    }
    return false;
}

bool query_list_has(struct span list, struct span value)
{
    struct span rest = list;

    if (list.len == 0) {
        return value.len == 0;
    }
    while (rest.at != NULL) {
        if (span_equal(span_cut(&rest, ','), value)) {
            return true;
        }
    }
    return false;
}

static bool fits_dimension(const struct query *query, const struct record *record,
                           enum dimension dimension)
{
    struct span text = sums_dimension(record, dimension);
    bool is_asked = false;

    for (size_t i = 0; i < query->filters_count; i++) {
        struct span value = query->filters[i].value;

        if (query->filters[i].dimension != dimension) {
            continue;
        }
        is_asked = true;
        if (dimension == DIMENSION_TAG ? query_list_has(text, value) : span_equal(text, value)) {
            return true;
        }
    }
    return !is_asked;
}

bool query_fits(const struct query *query, const struct record *record)
{
    int64_t at = record->numbers[RECORD_AT] < 0 ? 0 : record->numbers[RECORD_AT];

    if (at < query->from || at >= query->to) {
        return false;
    }
    for (size_t i = 0; i < DIMENSIONS && query->filters_count > 0; i++) {
        if (!fits_dimension(query, record, (enum dimension)i)) {
            return false;
        }
    }
    return true;
}
