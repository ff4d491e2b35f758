/* SPDX-License-Identifier: Apache-2.0 */
#include "router/foreign.h"

#include "router/cost.h"
#include "wire/habits.h"
#include "wire/models.h"

enum { ADDRESS_MAX = 8192 };

bool foreign_is_own(const struct target *target, const struct route *rules, const struct dialect *dialect,
                    const struct operation *operation)
{
    return target->provider->dialect == dialect &&
           (operation->translator == NULL || !target->provider->lacks_responses || operation->sends_done ||
            rules->translate == TRANSLATE_OFF);
}

/* Providers differ in what they take; their address tells them apart. */
static unsigned habits(const struct provider *provider, struct span model)
{
    struct buf text;
    unsigned habits = 0;

    buf_init(&text, ADDRESS_MAX);
    buf_put(&text, provider->endpoint.authority);
    buf_put(&text, provider->endpoint.path);
    habits = habits_of(provider->kind->name, buf_span(&text), model);
    buf_fini(&text);
    return habits;
}

void foreign_fill(struct translate_ask *ask, const struct target *target)
{
    const struct provider *provider = target->provider;
    struct span counted;

    ask->model = target->model.len > 0 ? target->model : ask->app_model;
    counted = cost_model(provider, ask->model);
    ask->facts = model_facts_of(provider->dialect->name, counted);
    ask->habits = habits(provider, counted);
    ask->to = translate_operation(&(struct translate_choice){.to = provider->dialect,
                                                             .from = ask->from,
                                                             .habits = ask->habits,
                                                             .model = ask->facts,
                                                             .is_stream = ask->is_stream});
}

const char *foreign_hint(const struct plan *plan, const struct operation *operation)
{
    size_t count = plan->targets == NULL ? 0 : plan->route != NULL ? plan->route->targets_count : 1;

    for (size_t i = 0; i < count; i++) {
        const struct target *target = &plan->targets[i];

        if (!target->is_enabled || target->provider->dialect == plan->dialect) {
            continue;
        }
        return operation->translator == NULL ? "only conversations are told to providers of other dialects"
               : plan->rules->translate == TRANSLATE_OFF
                   ? "translate: off keeps it from targets of other dialects"
               : target->provider->credential_mode == CREDENTIAL_PASSTHROUGH
                   ? "an app's own key goes to no provider of another dialect: give that one a credential"
                   : NULL;
    }
    return NULL;
}

bool foreign_read(const struct translate_ask *ask, const struct target *target, const struct translation *translation,
                  struct request *request, struct quote_request *quoted)
{
    struct span body = translation_body(translation);
    struct refusal refusal;

    *request = (struct request){.output_cap = -1};
    refusal = ask->to->read_request(ask->scan, ask->seed, body, request);
    request->dialect = target->provider->dialect;
    request->operation = ask->to;
    request->is_stream = ask->is_stream;
    request->app_wants_usage = true; /* it is asked for already */
    quote_read(body, request, quoted);
    return refusal.kind == REFUSAL_NONE;
}
