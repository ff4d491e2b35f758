/* SPDX-License-Identifier: Apache-2.0 */
/* routes.<model name>: which targets serve it. Providers have been read before. */
#include "conf/section.h"

#include "base/suggest.h"
#include "conf/names.h"

enum { NAMES_MAX = 256 };

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
        reader_complain(reader, node->place,
                        "must be 1 to 256 printable ASCII characters without blanks");
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

/* ---- targets ---- */

static const struct provider *find_provider(const struct snapshot *snapshot, struct span name)
{
    for (size_t i = 0; i < snapshot->routing.providers_count; i++) {
        if (span_equal(snapshot->routing.providers[i].name, name)) {
            return &snapshot->routing.providers[i];
        }
    }
    return NULL;
}

static void complain_of_provider(struct reader *reader, const struct node *node, struct span name)
{
    const struct snapshot *snapshot = reader->snapshot;
    struct complaint *complaint =
        reader_complain(reader, node->place, "is no provider of this file");
    struct span names[NAMES_MAX];
    size_t count = snapshot->routing.providers_count < NAMES_MAX ? snapshot->routing.providers_count : NAMES_MAX;
    int near = -1;

    if (complaint == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = snapshot->routing.providers[i].name;
    }
    near = suggest_nearest(name, names, count);
    if (near >= 0) {
        complaint_help(complaint, "did you mean \"%.*s\"?", SPAN_ARGS(names[near]));
    }
}

static void read_target_provider(struct reader *reader, const struct node *node, void *object)
{
    struct target *target = object;
    struct span name = {NULL, 0};

    if (!reader_text(reader, node, &name)) {
        return;
    }
    target->provider = find_provider(reader->snapshot, name);
    if (target->provider == NULL) {
        complain_of_provider(reader, node, name);
    }
}

static void read_target_model(struct reader *reader, const struct node *node, void *object)
{
    struct target *target = object;
    struct span name = {NULL, 0};

    if (reader_text(reader, node, &name)) {
        (void)read_model_name(reader, node, name, &target->model);
    }
}

static const struct field target_rows[] = {
    {.name = "provider",
     .type = FIELD_CUSTOM,
     .read = read_target_provider,
     .is_required = true,
     .help = "a name under providers"},
    {.name = "model",
     .type = FIELD_CUSTOM,
     .read = read_target_model,
     .help = "its model; without it the name that the app sent"},
};

static const struct field_table target_fields = FIELD_TABLE(target_rows);

/* The same provider with the same model would be asked again when it has just failed. */
static void check_twice(struct reader *reader, const struct node *node,
                        const struct target *targets, size_t index)
{
    for (size_t i = 0; i < index && targets[index].provider != NULL; i++) {
        if (targets[i].provider == targets[index].provider &&
            span_equal(targets[i].model, targets[index].model)) {
            reader_complain(reader, node->place, "is the same target as targets[%u]", (unsigned)i);
            return;
        }
    }
}

static void read_targets(struct reader *reader, const struct node *node, void *object)
{
    struct route *route = object;
    struct target *targets = NULL;
    size_t index = 0;

    if (!reader_expects(reader, node, NODE_LIST)) {
        return;
    }
    if (node->count == 0 || node->count > TARGETS_MAX) {
        reader_complain(reader, node->place, "must have 1 to 32 targets");
        return;
    }
    targets = reader_take(reader, node->count * sizeof *targets);
    if (targets == NULL) {
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct path path;

        reader_enter(reader, &path, span_make(NULL, 0), index);
        reader_map(reader, child, &target_fields, &targets[index]);
        check_twice(reader, child, targets, index);
        reader_leave(reader);
        index++;
    }
    route->targets = targets;
    route->targets_count = index;
}

/* ---- routes ---- */

static const struct field route_rows[] = {
    {.name = "match",
     .type = FIELD_MAP,
     .inner = &match_fields,
     .help = "further names of this route"},
    {.name = "targets",
     .type = FIELD_CUSTOM,
     .read = read_targets,
     .is_required = true,
     .help = "a list: [ { provider: openai, model: gpt-5.4 } ]"},
    {.name = "timeouts",
     .type = FIELD_MAP,
     .place = offsetof(struct route, timeouts),
     .inner = &timeout_fields,
     .help = "how long each part of a call may take"},
    {.name = "early_head",
     .type = FIELD_DURATION,
     .place = offsetof(struct route, timeouts.early_head_ms),
     .initial = "120s",
     .min = "1ms",
     .max = "1d",
     .may_be_off = true,
     .help = "after this wait a stream gets its head and comments; off"},
};

const struct field_table route_fields = FIELD_TABLE(route_rows);

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
        struct path path;

        routes[index].name = arena_copy(&snapshot->arena, child->key);
        reader->places.routes[index] = child->key_place;
        reader_enter(reader, &path, child->key, 0);
        if (!name_is_model(child->key)) {
            reader_complain(reader, child->key_place,
                            "must be 1 to 256 printable ASCII characters without blanks");
        }
        field_defaults(&route_fields, &routes[index]);
        reader_map(reader, child, &route_fields, &routes[index]);
        reader_leave(reader);
        index++;
    }
    snapshot->routing.routes = routes;
    snapshot->routing.routes_count = index;
}

static const struct field fields[] = {
    {.name = "routes",
     .type = FIELD_CUSTOM,
     .read = read_routes,
     .help = "model names of ours, and which targets serve them"},
};

const struct field_table section_routes = FIELD_TABLE(fields);
