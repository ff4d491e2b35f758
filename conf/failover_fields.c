/* SPDX-License-Identifier: Apache-2.0 */
/* How a route goes on after a failure: the keys whose form no single row of a table can tell. */
#include "conf/failover_fields.h"

#include "router/strategy.h"

enum { STRATEGIES_MAX = 16 };

/* ---- strategy ---- */

void strategy_read(struct reader *reader, const struct node *node, void *object)
{
    struct route *route = object;
    const struct strategy *strategy = NULL;
    struct span names[STRATEGIES_MAX];
    struct span text = {NULL, 0};
    struct buf list;
    size_t count = 0;

    if (!reader_text(reader, node, &text)) {
        return;
    }
    strategy = strategy_by_name(text);
    if (strategy != NULL) {
        route->strategy = strategy;
        return;
    }
    buf_init(&list, COMPLAINT_TEXT);
    for (; count < STRATEGIES_MAX && strategy_at(count) != NULL; count++) {
        names[count] = strategy_at(count)->name;
        buf_put_text(&list, count == 0 ? "" : ", ");
        buf_put(&list, names[count]);
    }
    (void)complaint_suggest(reader_complain(reader, node->place, "must be one of %.*s",
                                            (int)list.len, list.len == 0 ? "" : list.at),
                            text, names, count);
    buf_fini(&list);
}

/* ---- retry ---- */

static const struct span jitters[] = {SPAN("full"), SPAN("decorrelated")};
static const struct span ambiguities[] = {SPAN("never"), SPAN("once"), SPAN("always")};

_Static_assert(JITTER_FULL == 0 && JITTER_DECORRELATED == 1, "words follow the enum");
_Static_assert(AMBIGUOUS_NEVER == 0 && AMBIGUOUS_ALWAYS == 2, "words follow the enum");

static const struct field retry_rows[] = {
    {.name = "attempts",
     .type = FIELD_U32,
     .place = offsetof(struct retry_rule, attempts),
     .initial = "3",
     .min = "1",
     .max = "5",
     .help = "of one call, all targets together"},
    {.name = "attempts_per_target",
     .type = FIELD_U32,
     .place = offsetof(struct retry_rule, attempts_per_target),
     .initial = "2",
     .min = "1",
     .max = "5",
     .help = "of one call at one target"},
    {.name = "base",
     .type = FIELD_DURATION,
     .place = offsetof(struct retry_rule, base_ms),
     .initial = "250ms",
     .min = "1ms",
     .max = "1m",
     .help = "the most that the first pause takes; doubled with each further one"},
    {.name = "cap",
     .type = FIELD_DURATION,
     .place = offsetof(struct retry_rule, cap_ms),
     .initial = "8s",
     .min = "1ms",
     .max = "10m",
     .help = "the most that any pause takes"},
    {.name = "jitter",
     .type = FIELD_WORD,
     .place = offsetof(struct retry_rule, jitter),
     .initial = "full",
     .words = jitters,
     .words_count = ARRAY_LENGTH(jitters),
     .help = "how chance makes the pause: full or decorrelated"},
    {.name = "ambiguous",
     .type = FIELD_WORD,
     .place = offsetof(struct retry_rule, ambiguous),
     .initial = "once",
     .words = ambiguities,
     .words_count = ARRAY_LENGTH(ambiguities),
     .help = "send again what a provider may have run already: never, once or always"},
    {.name = "wait",
     .type = FIELD_DURATION,
     .place = offsetof(struct retry_rule, wait_ms),
     .initial = "0s",
     .min = "0s",
     .max = "10m",
     .help = "a throttled target that names a wait this short is waited for"},
};

static const struct field_table retry_fields = FIELD_TABLE(retry_rows);

void retry_read(struct reader *reader, const struct node *node, void *object)
{
    struct route *route = object;
    size_t faults = reader->complaints->count + reader->complaints->more;
    const struct node *written = NULL;

    reader_map(reader, node, &retry_fields, &route->retry);
    /* A value that was refused is still the default, and nobody meant that. */
    if (faults != reader->complaints->count + reader->complaints->more ||
        route->retry.cap_ms >= route->retry.base_ms) {
        return;
    }
    written = node_child(node, SPAN_OF("cap"));
    if (written == NULL) {
        written = node_child(node, SPAN_OF("base"));
    }
    complaint_help(reader_complain(reader, written->place, "has a cap below its base"),
                   "cap bounds what grows from base; it is 8s when it is not written");
}

/* ---- commit ---- */

/* The mapping as it is written; exactly one of the two is there. */
struct commit_draft {
    uint32_t tokens;
    uint32_t after_ms;
};

static const struct field commit_rows[] = {
    {.name = "tokens",
     .type = FIELD_U32,
     .place = offsetof(struct commit_draft, tokens),
     .min = "1",
     .max = "1000000",
     .help = "after so many tokens of the answer"},
    {.name = "after",
     .type = FIELD_DURATION,
     .place = offsetof(struct commit_draft, after_ms),
     .min = "1ms",
     .max = "10m",
     .help = "so long after the first content"},
};

static const struct field_table commit_fields = FIELD_TABLE(commit_rows);

static void read_commit_map(struct reader *reader, const struct node *node,
                            struct commit_rule *commit)
{
    struct commit_draft draft = {.tokens = 0};
    bool has_tokens = node_child(node, SPAN_OF("tokens")) != NULL;
    bool has_after = node_child(node, SPAN_OF("after")) != NULL;

    reader_map(reader, node, &commit_fields, &draft);
    if (node->count == 0 || (has_tokens && has_after)) {
        reader_complain(reader, node->place, "must have one of tokens and after");
    } else if (has_tokens) {
        *commit = (struct commit_rule){COMMIT_TOKENS, draft.tokens};
    } else if (has_after) {
        *commit = (struct commit_rule){COMMIT_AFTER, draft.after_ms};
    }
}

void commit_read(struct reader *reader, const struct node *node, void *object)
{
    static const struct span words[] = {SPAN("first_content"), SPAN("complete")};
    struct route *route = object;
    struct complaint *complaint = NULL;
    struct span text = {NULL, 0};

    if (node->kind == NODE_MAP) {
        read_commit_map(reader, node, &route->commit);
    } else if (node->kind == NODE_TEXT && !reader_text(reader, node, &text)) {
        return;
    } else if (span_equal(text, words[0])) {
        route->commit = (struct commit_rule){COMMIT_FIRST_CONTENT, 0};
    } else if (span_equal(text, words[1])) {
        route->commit = (struct commit_rule){COMMIT_COMPLETE, 0};
    } else {
        complaint = reader_complain(reader, node->place,
                                    "must be first_content, complete, { tokens: N } or "
                                    "{ after: 2s }");
        (void)complaint_suggest(complaint, text, words, ARRAY_LENGTH(words));
    }
}

/* ---- hedge ---- */

static const struct field hedge_rows[] = {
    {.name = "after",
     .type = FIELD_DURATION,
     .place = offsetof(struct route, hedge_after_ms),
     .min = "100ms",
     .max = "10m",
     .is_required = true,
     .help = "how long the first attempt may be silent"},
};

static const struct field_table hedge_fields = FIELD_TABLE(hedge_rows);

void hedge_read(struct reader *reader, const struct node *node, void *object)
{
    struct route *route = object;
    struct span text = {NULL, 0};

    if (node->kind == NODE_MAP) {
        reader_map(reader, node, &hedge_fields, route);
    } else if (node->kind == NODE_TEXT && !reader_text(reader, node, &text)) {
        return;
    } else if (span_equal(text, SPAN_OF("off"))) {
        route->hedge_after_ms = 0;
    } else {
        reader_complain(reader, node->place, "must be off or { after: 2s }");
    }
}

/* ---- defaults ---- */

void failover_defaults(struct route *route)
{
    route->strategy = &strategy_priority;
    route->commit = (struct commit_rule){COMMIT_FIRST_CONTENT, 0};
    route->hedge_after_ms = 0;
    field_defaults(&retry_fields, &route->retry);
}
