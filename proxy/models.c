/* SPDX-License-Identifier: Apache-2.0 */
/* The model list: routes first, then what the provider lists, kept for five minutes. */
#include "proxy/models.h"

#include "base/mem.h"
#include "proxy/call_parts.h"
#include "wire/json_walk.h"

enum { MODELS_KEPT_MS = 5 * 60 * 1000, MODELS_PROVIDERS = 64, MODELS_LIST_MAX = 4 * 1024 * 1024 };

struct kept {
    struct buf items; /* the inside of the provider's data array */
    mono_ms until;    /* 0: nothing kept */
};

struct models {
    struct env *env;
    struct kept kept[MODELS_PROVIDERS]; /* by provider index */
};

struct models *models_new(struct env *env)
{
    struct models *models = mem_take_zero(sizeof *models);

    if (models == NULL) {
        return NULL;
    }
    models->env = env;
    for (size_t i = 0; i < MODELS_PROVIDERS; i++) {
        buf_init(&models->kept[i].items, MODELS_LIST_MAX);
    }
    return models;
}

void models_free(struct models *models)
{
    if (models == NULL) {
        return;
    }
    for (size_t i = 0; i < MODELS_PROVIDERS; i++) {
        buf_fini(&models->kept[i].items);
    }
    mem_give(models, sizeof *models);
}

/* Where this provider's list is kept, NULL when it must not be. */
static struct kept *place(struct models *models, const struct provider *provider)
{
    if (provider == NULL || provider->credential_mode == CREDENTIAL_PASSTHROUGH ||
        provider->index >= MODELS_PROVIDERS) {
        return NULL;
    }
    return &models->kept[provider->index];
}

/* The inside of "data": [ ... ] of a list (Gemini: "models"), empty when there is none. */
static struct span items_of(struct call *call, struct span body)
{
    struct span member = span_of(call->match.dialect->models_member);
    struct json_path path = {.steps = 1, .len = {(uint8_t)member.len}, .name = {member.at}};
    struct json_scan_options options = {.paths = &path, .paths_count = 1, .allow_duplicates = true};
    struct json_hit hit;

    if (body.len == 0 || !json_scan_whole(call->env->scratch->scan, &options, body, &hit) ||
        hit.kind != JSON_ARRAY || hit.count == 0) {
        return span_make("", 0);
    }
    return span_make(body.at + hit.at + 1, (size_t)hit.len - 2);
}

/* A listed name without its quotes, and without Google's collection in front. */
static struct span name_in(struct span id)
{
    struct span name = span_make(id.at + 1, id.len - 2);

    return span_starts(name, SPAN_OF("models/")) ? span_from(name, 7) : name;
}

/* Of what the provider lists only what the caller may name, as far as that can be read. */
static struct span allowed_items(struct call *call, struct span items)
{
    struct json_walk walk = {items.at, items.at + items.len};
    struct buf *out = &call->env->scratch->text;
    struct span item;

    if (caller_may_name_all(call->caller) || items.len == 0) {
        return items; /* it may name everything */
    }
    buf_clear(out);
    while (json_walk_item(&walk, &item)) {
        struct span id = json_walk_find(item, call->match.dialect->model_member);

        if (json_is_string(id) && caller_may_call(call->caller, span_make("", 0), name_in(id))) {
            buf_put_text(out, out->len > 0 ? "," : "");
            buf_put(out, item);
        }
    }
    return out->failed ? span_make("", 0) : buf_span(out);
}

/* The routes that have a target of this dialect and are the caller's to use, as names. */
static void reply_items(struct call *call, struct span items)
{
    const struct snapshot *snapshot = call->snapshot;
    struct span names[256];
    struct buf *body = &call->wire_head;
    size_t count = 0;

    for (size_t i = 0; i < snapshot->routing.routes_count && count < ARRAY_LENGTH(names); i++) {
        if (plan_speaks(&snapshot->routing.routes[i], call->match.dialect) &&
            call_admit_sees(call->caller, &snapshot->routing.routes[i])) {
            names[count++] = snapshot->routing.routes[i].name;
        }
    }
    buf_clear(body);
    call->match.dialect->write_models(body, names, count,
                                       allowed_items(call, items));
    reply_whole(call, 200, SPAN_OF("application/json"), buf_span(body));
}

void models_reply(struct call *call, struct span listed)
{
    struct kept *kept = NULL;
    struct span items = items_of(call, listed);

    if (call->plan.count > 0) {
        kept = place(call->env->models, call_target(call)->provider);
    }
    if (kept != NULL && listed.len > 0) {
        buf_clear(&kept->items);
        buf_put(&kept->items, items);
        kept->until = kept->items.failed ? 0 : mono_add(loop_now(call->env->loop), MODELS_KEPT_MS);
    }
    reply_items(call, items);
}

bool models_reply_cached(struct call *call)
{
    struct way way;
    const struct kept *kept = NULL;

    if (call->snapshot->routing.strict_models) {
        reply_items(call, span_make("", 0));
        return true;
    }
    if (!route_of_dialect(&call->snapshot->routing, call->match.dialect, &way)) {
        return false;
    }
    kept = place(call->env->models, way.direct.provider);
    if (kept == NULL || kept->until <= loop_now(call->env->loop)) {
        return false;
    }
    reply_items(call, buf_span(&kept->items));
    return true;
}
