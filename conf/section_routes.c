/* SPDX-License-Identifier: Apache-2.0 */
/* routes.<model name>: which targets serve it. Providers have been read before. */
#include "conf/section.h"

#include "conf/failover_fields.h"
#include "conf/names.h"
#include "conf/target_fields.h"

enum { NAMES_MAX = 256 };

const struct route *route_named(struct reader *reader, const struct node *node, struct span name)
{
    const struct routing *routing = &reader->snapshot->routing;
    struct span names[NAMES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < routing->routes_count; i++) {
        if (span_equal(routing->routes[i].name, name)) {
            return &routing->routes[i];
        }
        if (count < NAMES_MAX) {
            names[count++] = routing->routes[i].name;
        }
    }
    (void)complaint_suggest(reader_complain(reader, node->place, "is no route of this file"), name,
                            names, count);
    return NULL;
}

/* ---- timeouts ---- */

#define TIMEOUT(key, member, default_text, max_text, help_text)                                    \
    {                                                                                              \
        .name = key, .type = FIELD_DURATION, .place = offsetof(struct timeouts, member),           \
        .initial = default_text, .min = "1ms", .max = max_text, .help = help_text                  \
    }

static const struct field timeout_rows[] = {
    TIMEOUT("connect", connect_ms, "5s", "10m", "for TCP, and again for TLS"),
    TIMEOUT("write", write_ms, "30s", "1h", "while the provider takes no byte of the request"),
    TIMEOUT("head", head_ms, "300s", "1d", "from the request's end to the answer's head"),
    TIMEOUT("first_content", first_content_ms, "60s", "1d", "to the first content of a stream"),
    TIMEOUT("idle", idle_ms, "90s", "1d", "between two bytes of an answer"),
    TIMEOUT("content_idle", content_idle_ms, "300s", "1d", "between two pieces of content"),
    TIMEOUT("total", total_ms, "600s", "1d", "of the whole call"),
    TIMEOUT("stream_total", stream_total_ms, "3600s", "7d", "of the whole call when it streams"),
};

static const struct field_table timeout_fields = FIELD_TABLE(timeout_rows);

/* ---- match ---- */

static bool read_model_name(struct reader *reader, const struct node *node, struct span text,
                            void *item)
{
    struct span *name = item;

    if (!name_is_model(text)) {
        reader_complain(reader, node->place, "%s", name_model_rule);
        return false;
    }
    *name = text;
    return true;
}

static void read_models(struct reader *reader, const struct node *node, void *object)
{
    struct route *route = object;
    void *items = NULL;

    reader_items(reader, node, read_model_name, sizeof(struct span), &items,
                 &route->match_models_count);
    route->match_models = items;
}

static const struct field match_rows[] = {
    {.name = "models",
     .type = FIELD_CUSTOM,
     .read = read_models,
     .help = "further names; \"*\" stands for any run of characters"},
};

static const struct field_table match_fields = FIELD_TABLE(match_rows);

/* ---- routes ---- */

static const struct span sticky_words[] = {SPAN("off"), SPAN("session")};
static const struct span resume_words[] = {SPAN("off"), SPAN("prefill")};
static const struct span translate_words[] = {SPAN("off"), SPAN("strict"), SPAN("lenient")};
static const struct span panic_words[] = {SPAN("off"), SPAN("try_least_bad")};

static const struct field route_rows[] = {
    {.name = "match",
     .type = FIELD_MAP,
     .inner = &match_fields,
     .help = "further names of this route"},
    {.name = "strategy",
     .type = FIELD_CUSTOM,
     .read = strategy_read,
     .initial = "priority",
     .help = "which target of a tier is asked first"},
    {.name = "targets",
     .type = FIELD_CUSTOM,
     .read = targets_read,
     .is_required = true,
     .help = "a list: [ { provider: openai, model: gpt-5.4 } ]"},
    {.name = "retry",
     .type = FIELD_CUSTOM,
     .read = retry_read,
     .help = "how often and how soon a failed call is tried again"},
    {.name = "timeouts",
     .type = FIELD_MAP,
     .place = offsetof(struct route, timeouts),
     .inner = &timeout_fields,
     .help = "how long each part of a call may take"},
    {.name = "commit",
     .type = FIELD_CUSTOM,
     .read = commit_read,
     .initial = "first_content",
     .help = "when an answer begins to go out: first_content, complete, { tokens: N }, "
             "{ after: 2s }"},
    {.name = "early_head",
     .type = FIELD_DURATION,
     .place = offsetof(struct route, timeouts.early_head_ms),
     .initial = "120s",
     .min = "1ms",
     .max = "1d",
     .may_be_off = true,
     .help = "after this wait a stream gets its head and comments; off"},
    {.name = "sticky",
     .type = FIELD_SWITCH,
     .place = offsetof(struct route, is_sticky),
     .initial = "session",
     .words = sticky_words,
     .words_count = ARRAY_LENGTH(sticky_words),
     .help = "session: a conversation stays with its target; off"},
    {.name = "resume",
     .type = FIELD_SWITCH,
     .place = offsetof(struct route, resumes),
     .initial = "off",
     .words = resume_words,
     .words_count = ARRAY_LENGTH(resume_words),
     .help = "prefill: a stream that breaks off is continued by another target; off"},
    {.name = "hedge",
     .type = FIELD_CUSTOM,
     .read = hedge_read,
     .initial = "off",
     .help = "a second attempt beside a silent first one: { after: 2s }; off"},
    {.name = "default_max_output",
     .type = FIELD_U32,
     .place = offsetof(struct route, default_max_output),
     .initial = "0",
     .min = "0",
     .max = "100000000",
     .help = "output tokens written into requests that name no cap, when a budget applies or Anthropic is told; 0: "
             "the model's maximum"},
    {.name = "panic",
     .type = FIELD_SWITCH,
     .place = offsetof(struct route, panics),
     .initial = "try_least_bad",
     .words = panic_words,
     .words_count = ARRAY_LENGTH(panic_words),
     .help = "with no target eligible: try_least_bad, or off"},
    {.name = "translate",
     .type = FIELD_WORD,
     .place = offsetof(struct route, translate),
     .initial = "lenient",
     .words = translate_words,
     .words_count = ARRAY_LENGTH(translate_words),
     .help = "targets of another dialect: lenient (what is lost is named in x-headgate-dropped), strict "
             "(nothing may be lost), off"},
    {.name = "slow",
     .type = FIELD_DURATION,
     .place = offsetof(struct route, slow_ms),
     .initial = "off",
     .min = "1ms",
     .max = "1d",
     .may_be_off = true,
     .help = "a success whose first content takes longer counts as slow; off"},
};

const struct field_table route_fields = FIELD_TABLE(route_rows);

void route_defaults(struct route *route)
{
    field_defaults(&route_fields, route);
    failover_defaults(route);
}

/* Where nothing is translated, apps reach targets of their own dialect alone, and no app has Converse's. */
static void check_translate(struct reader *reader, const struct node *node, const struct route *route)
{
    bool is_vain = false;

    for (size_t i = 0; i < route->targets_count; i++) {
        const struct target *target = &route->targets[i];

        if (target->is_enabled && (target->provider == NULL || target->provider->dialect != &dialect_bedrock)) {
            return;
        }
        is_vain = is_vain || target->is_enabled;
    }
    if (is_vain && route->translate == TRANSLATE_OFF) {
        complaint_help(reader_complain(reader, node_child(node, SPAN_OF("translate"))->place,
                                       "has translate: off, and no app speaks Converse"),
                       "write lenient or strict");
    }
}

static void read_route(struct reader *reader, const struct node *node, struct route *route)
{
    struct path path;

    reader_enter(reader, &path, node->key, 0);
    if (!name_is_model(node->key)) {
        reader_complain(reader, node->key_place, "%s", name_model_rule);
    }
    route_defaults(route);
    reader_map(reader, node, &route_fields, route);
    check_translate(reader, node, route);
    reader_leave(reader);
}

static void read_routes(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;
    struct route *routes = NULL;
    size_t index = 0;

    if (!reader_expects(reader, node, NODE_MAP) || node->count == 0) {
        return;
    }
    routes = reader_take(reader, node->count * sizeof *routes);
    reader->places.routes = reader_take(reader, node->count * sizeof(struct place));
    if (routes == NULL || reader->places.routes == NULL) {
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        routes[index].name = arena_copy(&snapshot->arena, child->key);
        routes[index].index = (uint16_t)index;
        reader->places.routes[index] = child->key_place;
        read_route(reader, child, &routes[index]);
        index++;
    }
    snapshot->routing.routes = routes;
    snapshot->routing.routes_count = index;
    snapshot->routing.defaults.index = (uint16_t)index;
}

static const struct field fields[] = {
    {.name = "routes",
     .type = FIELD_CUSTOM,
     .read = read_routes,
     .help = "model names of ours, and which targets serve them"},
};

const struct field_table section_routes = FIELD_TABLE(fields);
