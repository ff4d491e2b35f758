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
