/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider of kind fixtures plays: its mapping and its scripted failures. */
#include "conf/fixture_fields.h"

#include "base/suggest.h"
#include "wire/dialect.h"

enum { DIALECTS_MAX = 16 };

/* The settings and, beside them, what belongs to the provider. Lives in the snapshot. */
struct fixture_draft {
    struct fixture_settings settings;
    const struct dialect *dialect;
};

/* ---- dialect ---- */

static void read_dialect(struct reader *reader, const struct node *node, void *object)
{
    struct fixture_draft *draft = object;
    struct span names[DIALECTS_MAX];
    struct span text = {NULL, 0};
    size_t count = 0;
    int near = -1;
    const struct dialect *dialect = NULL;

    if (!reader_text(reader, node, &text)) {
        return;
    }
    dialect = dialect_by_name(text);
    if (dialect != NULL) {
        draft->dialect = dialect;
        return;
    }
    for (; count < DIALECTS_MAX && dialect_at(count) != NULL; count++) {
        names[count] = span_of(dialect_at(count)->name);
    }
    near = suggest_nearest(text, names, count);
    complaint_help(reader_complain(reader, node->place, "must be the name of a dialect"),
                   "did you mean \"%.*s\"?", SPAN_ARGS(names[near < 0 ? 0 : near]));
}

/* ---- fail ---- */

/* One item as it is written; exactly one of the first four is there. */
struct failure_draft {
    uint32_t status;
    uint32_t cut;
    uint32_t hang_ms;
    bool reset;
    uint32_t every;
    uint32_t at;
};

static const struct field failure_rows[] = {
    {.name = "status",
     .type = FIELD_U32,
     .place = offsetof(struct failure_draft, status),
     .min = "400",
     .max = "599",
     .help = "answer with this status"},
    {.name = "cut",
     .type = FIELD_U32,
     .place = offsetof(struct failure_draft, cut),
     .min = "0",
     .max = "1000000",
     .help = "break off after so many events"},
    {.name = "hang",
     .type = FIELD_DURATION,
     .place = offsetof(struct failure_draft, hang_ms),
     .min = "1ms",
     .max = "1d",
     .help = "say nothing for so long"},
    {.name = "reset",
     .type = FIELD_BOOL,
     .place = offsetof(struct failure_draft, reset),
     .help = "true: reset the connection"},
    {.name = "every",
     .type = FIELD_U32,
     .place = offsetof(struct failure_draft, every),
     .initial = "1",
     .min = "1",
     .max = "1000000",
     .help = "the n-th, 2n-th, ... request fails so"},
    {.name = "at",
     .type = FIELD_U32,
     .place = offsetof(struct failure_draft, at),
     .min = "1",
     .max = "1000000",
     .help = "not the last but this one of every n requests fails so"},
};

static const struct field_table failure_fields = FIELD_TABLE(failure_rows);

/* The rows of failure_rows in the order of enum fixture_fault. */
static const struct span fault_names[] = {SPAN("status"), SPAN("cut"), SPAN("hang"), SPAN("reset")};

_Static_assert(FIXTURE_STATUS == 0 && FIXTURE_RESET == 3, "names follow the enum");

static void check_turn(struct reader *reader, const struct node *node,
                       const struct failure_draft *draft)
{
    if (draft->at > draft->every) {
        complaint_help(reader_complain(reader, node_child(node, SPAN_OF("at"))->place,
                                       "has an at above its every"),
                       "{ every: 4, at: 1 } fails the 1st, 5th, 9th, ... request");
    }
}

static bool read_failure(struct reader *reader, const struct node *node,
                         struct fixture_failure *failure)
{
    struct failure_draft draft = {.status = 0};
    size_t told = reader->complaints->count + reader->complaints->more;
    size_t faults = 0;

    field_defaults(&failure_fields, &draft);
    reader_map(reader, node, &failure_fields, &draft);
    for (size_t i = 0; i < ARRAY_LENGTH(fault_names); i++) {
        if (node_child(node, fault_names[i]) != NULL) {
            failure->fault = (enum fixture_fault)i;
            faults++;
        }
    }
    if (node->kind != NODE_MAP) {
        return false;
    }
    if (faults != 1) {
        reader_complain(reader, node->place, "must have one of status, cut, hang and reset");
        return false;
    }
    switch (failure->fault) {
    case FIXTURE_STATUS: failure->value = draft.status; break;
    case FIXTURE_CUT: failure->value = draft.cut; break;
    case FIXTURE_HANG: failure->value = draft.hang_ms; break;
    case FIXTURE_RESET: failure->value = 0; break;
    }
    failure->every = draft.every;
    failure->at = draft.at;
    /* A value that was refused is still the default, and nobody meant that. */
    if (told == reader->complaints->count + reader->complaints->more) {
        check_turn(reader, node, &draft);
    }
    if (failure->fault == FIXTURE_RESET && !draft.reset) {
        const struct node *value = node_child(node, SPAN_OF("reset"));

        /* A word that is no boolean has been complained about already. */
        if (value->kind == NODE_TEXT && span_equal(value->text, SPAN_OF("false"))) {
            reader_complain(reader, value->place, "can only have reset: true");
        }
    }
    return true;
}

static void read_fail(struct reader *reader, const struct node *node, void *object)
{
    struct fixture_draft *draft = object;
    struct fixture_failure *failures = NULL;
    size_t index = 0;

    if (!reader_expects(reader, node, NODE_LIST) || node->count == 0) {
        return;
    }
    failures = reader_take(reader, node->count * sizeof *failures);
    if (failures == NULL) {
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct path path;

        reader_enter(reader, &path, span_make(NULL, 0), index++);
        if (read_failure(reader, child, &failures[draft->settings.failures_count])) {
            draft->settings.failures_count++;
        }
        reader_leave(reader);
    }
    draft->settings.failures = failures;
}

/* ---- the mapping ---- */

static const struct field rows[] = {
    {.name = "dialect",
     .type = FIELD_CUSTOM,
     .read = read_dialect,
     .initial = "openai",
     .help = "openai, anthropic or gemini"},
    {.name = "latency",
     .type = FIELD_DURATION,
     .place = offsetof(struct fixture_draft, settings.latency_ms),
     .initial = "0ms",
     .min = "0ms",
     .max = "10m",
     .help = "before the first byte"},
    {.name = "tokens_per_second",
     .type = FIELD_U32,
     .place = offsetof(struct fixture_draft, settings.tokens_per_second),
     .initial = "0",
     .min = "0",
     .max = "1000000",
     .help = "how fast a stream runs; 0: all at once"},
    {.name = "seed",
     .type = FIELD_U64,
     .place = offsetof(struct fixture_draft, settings.seed),
     .initial = "1",
     .min = "0",
     .max = "18446744073709551615",
     .help = "the same request and seed give the same answer"},
    {.name = "fail",
     .type = FIELD_CUSTOM,
     .read = read_fail,
     .help = "scripted failures: one of status, cut, hang, reset, and every, at"},
};

static const struct field_table fixture_fields = FIELD_TABLE(rows);

void fixtures_init(struct reader *reader, struct provider *provider)
{
    fixtures_read(reader, NULL, provider);
}

void fixtures_read(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;
    struct fixture_draft *draft = reader_take(reader, sizeof *draft);

    if (draft == NULL) {
        return;
    }
    draft->dialect = dialect_by_name(SPAN_OF("openai"));
    field_defaults(&fixture_fields, draft);
    if (node != NULL) {
        reader_map(reader, node, &fixture_fields, draft);
    }
    provider->dialect = draft->dialect;
    provider->fixtures = &draft->settings;
}
