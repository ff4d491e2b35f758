/* SPDX-License-Identifier: Apache-2.0 */
/* rates: a list of limits, each with whom it counts for: calls or tokens per period, or calls at a
 * time. What they name has been read before. */
#include "conf/section.h"

#include "base/text.h"
#include "conf/limit_fields.h"

enum { RATE_NAME_ROOM = 16 };

static const struct span periods[] = {SPAN("second"), SPAN("minute"), SPAN("hour"), SPAN("day")};
static const uint64_t periods_ms[] = {1000, 60000, 3600000, 86400000};

struct draft {
    struct rate rate;
    uint32_t per;   /* index of periods; past them: none was given */
    uint64_t burst; /* 0: none was given */
};

static void read_name(struct reader *reader, const struct node *node, void *object)
{
    limit_read_name(reader, node, "rate", &((struct draft *)object)->rate.name);
}

static void read_scope(struct reader *reader, const struct node *node, void *object)
{
    static const struct limit_scopes scopes = {
        rate_has_scope,
        "is no scope of a rate, which is asked once for a call, before a provider is chosen",
        "global and trace"};

    limit_read_scope(reader, node, &scopes, &((struct draft *)object)->rate.scope);
}

static void read_limit(struct reader *reader, const struct node *node, void *object)
{
#define COUNTS .max = (int64_t)GCRA_LIMIT_MAX, .range = "at least 1 and at most 1000000000000"
    static const struct limit_unit list[RATE_UNITS] = {
        [RATE_REQUESTS] = {.word = SPAN("requests"), COUNTS},
        [RATE_TOKENS] = {.word = SPAN("tokens"), COUNTS},
        [RATE_CONCURRENT] = {.word = SPAN("concurrent"),
                             .max = RATE_CONCURRENT_MAX,
                             .range = "at least 1 and at most 1000000"},
    };
#undef COUNTS
    static const struct limit_units units = {
        list, RATE_UNITS, "write it like 60 requests, 100000 tokens or 8 concurrent"};
    struct draft *draft = object;
    size_t unit = 0;
    int64_t limit = 0;

    if (limit_read_amount(reader, node, &units, &unit, &limit)) {
        draft->rate.unit = (enum rate_unit)unit;
        draft->rate.limit = (uint64_t)limit;
    }
}

static void read_burst(struct reader *reader, const struct node *node, void *object)
{
    struct draft *draft = object;
    struct span text = {NULL, 0};

    if (!reader_text(reader, node, &text)) {
        return;
    }
    if (text_read_u64(text, &draft->burst) != ERR_NONE || draft->burst < 1) {
        complaint_help(reader_complain(reader, node->place, "must be a whole number, at least 1"),
                       "of what the limit counts: burst: 10");
    }
}

static const struct field rows[] = {
    {.name = "name",
     .type = FIELD_CUSTOM,
     .read = read_name,
     .help = "what logs and refusals call it; else its place: rates[0]"},
    {.name = "scope",
     .type = FIELD_CUSTOM,
     .read = read_scope,
     .is_required = true,
     .help = "whom it counts for: team, each one apart; team:growth, that one only"},
    {.name = "limit",
     .type = FIELD_CUSTOM,
     .read = read_limit,
     .is_required = true,
     .help = "60 requests, 100000 tokens or 8 concurrent"},
    {.name = "per",
     .type = FIELD_WORD,
     .place = offsetof(struct draft, per),
     .words = periods,
     .words_count = ARRAY_LENGTH(periods),
     .help = "the time in which so many may come; none for a limit of concurrent calls"},
    {.name = "burst",
     .type = FIELD_CUSTOM,
     .read = read_burst,
     .help = "how many of them may come at once; the limit itself when it is not given"},
};

static const struct field_table rate_fields = FIELD_TABLE(rows);

/* A key that would do nothing is one that somebody thinks does something. */
static void check_concurrent(struct reader *reader, const struct node *node)
{
    static const char *const keys[] = {"per", "burst"};

    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        if (node_child(node, span_of(keys[i])) != NULL) {
            limit_complain_at(reader, node, keys[i], "does nothing here",
                              "so many calls at a time is all there is to say");
        }
    }
}

static void make_rule(struct reader *reader, const struct node *node, struct draft *draft)
{
    uint64_t limit = draft->rate.limit;

    if (draft->per >= ARRAY_LENGTH(periods)) {
        limit_complain_at(reader, node, "per", "is missing",
                          "per: minute; also second, hour, day");
    } else if (limit / periods_ms[draft->per] > GCRA_LIMIT_MAX_MS) {
        limit_complain_at(reader, node, "limit", "must be at most 1000000000 a second",
                          "without a limit, leave the rate out");
    } else if (draft->burst > limit) {
        limit_complain_at(reader, node, "burst", "must not be above the limit",
                          "left out, it is the limit itself");
    } else {
        draft->rate.per = periods[draft->per];
        gcra_rule_make(&draft->rate.rule, limit, periods_ms[draft->per],
                       draft->burst > 0 ? draft->burst : limit);
    }
}

/* One that has no name is called by its place. */
static void name_by_place(struct reader *reader, struct rate *rate)
{
    struct buf text;

    if (rate->name.len > 0) {
        return;
    }
    buf_init(&text, RATE_NAME_ROOM);
    buf_put_text(&text, "rates[");
    buf_put_u64(&text, rate->index);
    buf_put_char(&text, ']');
    rate->name = arena_copy(reader->arena, buf_span(&text));
    reader->has_no_memory = reader->has_no_memory || text.failed || reader->arena->failed;
    buf_fini(&text);
}

static void read_rate(struct reader *reader, const struct node *node, size_t index, void *item,
                      void *to)
{
    struct draft draft = {.rate = {.index = (uint16_t)index}, .per = ARRAY_LENGTH(periods)};
    size_t before = reader->complaints->count;

    (void)to;
    reader_map(reader, node, &rate_fields, &draft);
    if (node->kind == NODE_MAP && reader->complaints->count == before) {
        if (draft.rate.unit == RATE_CONCURRENT) {
            check_concurrent(reader, node);
        } else {
            make_rule(reader, node, &draft);
        }
    }
    name_by_place(reader, &draft.rate);
    *(struct rate *)item = draft.rate;
}

static void read_rates(struct reader *reader, const struct node *node, void *object)
{
    static const struct limit_list kind = {"rates", sizeof(struct rate), RATES_MAX, read_rate};
    struct rates *rates = &((struct snapshot *)object)->rates;
    void *items = NULL;

    rates->count = limit_read_list(reader, node, &kind, NULL, &items);
    rates->list = items;
}

static const struct field fields[] = {
    {.name = "rates",
     .type = FIELD_CUSTOM,
     .read = read_rates,
     .help = "how fast: [ { scope: team, limit: 60 requests, per: minute }, { scope: team, limit: "
             "8 concurrent } ]"},
};

const struct field_table section_rates = FIELD_TABLE(fields);
