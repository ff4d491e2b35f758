/* SPDX-License-Identifier: Apache-2.0 */
/* The targets of one route, each a provider with a model of it. */
#include "conf/target_fields.h"

#include "conf/names.h"

enum { NAMES_MAX = 256 };

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
    const struct routing *routing = &reader->snapshot->routing;
    struct span names[NAMES_MAX];
    size_t count = 0;

    for (; count < NAMES_MAX && count < routing->providers_count; count++) {
        names[count] = routing->providers[count].name;
    }
    (void)complaint_suggest(reader_complain(reader, node->place, "is no provider of this file"),
                            name, names, count);
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

    if (!reader_text(reader, node, &name)) {
        return;
    }
    target->model = name;
    if (!name_is_model(name)) {
        reader_complain(reader, node->place, "%s", name_model_rule);
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
    {.name = "tier",
     .type = FIELD_U32,
     .place = offsetof(struct target, tier),
     .initial = "1",
     .min = "1",
     .max = "100",
     .help = "lower ones are asked first"},
    {.name = "weight",
     .type = FIELD_U32,
     .place = offsetof(struct target, weight),
     .initial = "1",
     .min = "1",
     .max = "1000",
     .help = "its part of the calls, beside the others of its tier"},
    {.name = "share",
     .type = FIELD_PERCENT,
     .place = offsetof(struct target, share_percent),
     .initial = "100%",
     .min = "1%",
     .max = "100%",
     .help = "of the callers or sessions that may come here at all"},
    {.name = "context",
     .type = FIELD_U64,
     .place = offsetof(struct target, context),
     .min = "1",
     .max = "100000000",
     .help = "tokens it can read; unknown without it"},
    {.name = "enabled",
     .type = FIELD_BOOL,
     .place = offsetof(struct target, is_enabled),
     .initial = "true",
     .help = "false: never asked"},
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

static void check_enabled(struct reader *reader, const struct node *node,
                          const struct target *targets)
{
    for (size_t i = 0; i < node->count; i++) {
        if (targets[i].is_enabled) {
            return;
        }
    }
    complaint_help(reader_complain(reader, node->key_place, "has no target that is enabled"),
                   "enable one, or take the route out");
}

/* At Bedrock's own address in OpenAI's form there is no Claude (bedrock.md 1); what another address has, who wrote it
 * knows. */
static void check_form(struct reader *reader, const struct node *node, const struct target *target)
{
    if (target->provider != NULL && target->provider->kind == &provider_bedrock &&
        target->provider->region.len > 0 && span_find(target->model, SPAN_OF("anthropic.claude")) != NULL) {
        complaint_help(reader_complain(reader, node_child(node, SPAN_OF("model"))->place,
                                       "has a model that is not served by api: openai"),
                       "write api: converse at its provider");
    }
}

void targets_read(struct reader *reader, const struct node *node, void *object)
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
        targets[index].number = (uint16_t)reader->snapshot->routing.targets_count++;
        field_defaults(&target_fields, &targets[index]);
        if (child->kind == NODE_TEXT && child->text.len > 0) {
            complaint_help(reader_complain(reader, child->place, "must be a mapping, not text"),
                           "like { provider: openai, model: gpt-5.4 }");
        } else {
            reader_map(reader, child, &target_fields, &targets[index]);
        }
        check_twice(reader, child, targets, index);
        check_form(reader, child, &targets[index]);
        reader_leave(reader);
        index++;
    }
    check_enabled(reader, node, targets);
    route->targets = targets;
    route->targets_count = index;
}
