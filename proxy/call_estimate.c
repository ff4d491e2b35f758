/* SPDX-License-Identifier: Apache-2.0 */
/* count_tokens where no target of the route counts in this dialect: answered here, with an estimate for the target
 * that would be asked, and a header that says so. Costs nothing and asks nobody. */
#include "proxy/call_translate.h"

#include "proxy/ranks.h"
#include "wire/head.h"

/* The first target that conversations of this dialect go to. NULL: none, or not translated. */
static const struct target *target_of(const struct call *call)
{
    const struct plan *plan = &call->plan;
    const struct operation *chat = call->match.dialect->operations;
    size_t count = plan->targets == NULL ? 0 : plan->route != NULL ? plan->route->targets_count : 1;

    while (chat->name != NULL && chat->translator == NULL) {
        chat++;
    }
    for (size_t i = 0; i < count && chat->name != NULL; i++) {
        if (plan_serves(&plan->targets[i], plan->rules, call->match.dialect, chat)) {
            return &plan->targets[i];
        }
    }
    return NULL;
}

bool call_can_estimate(const struct call *call)
{
    return call->match.operation->write_count != NULL && target_of(call) != NULL;
}

static int64_t tokens_of(struct call *call, const struct target *target)
{
    const struct ports *ports = call->env->ports;
    struct span model = target->model.len > 0 ? target->model : buf_span(&call->model);
    uint64_t key = guesses_key(ports->guesses, target->provider->name, model);
    struct guess ratio = guesses_tokens(ports->guesses, key, GUESS_INPUT, call->body.len);
    struct chat_count count;

    if (call->body.len <= RANKS_BODY_MAX &&
        ranks_count(ports->ranks, call->match.dialect->operations->name, model, buf_span(&call->body), &count) &&
        count.media == 0 && quote_count_is_better(&count, &ratio)) {
        return (int64_t)count.tokens;
    }
    return ratio.tokens;
}

void call_estimate(struct call *call)
{
    int64_t tokens = tokens_of(call, target_of(call));
    struct buf *body = &call->wire_head;

    buf_clear(body);
    call->match.operation->write_count(body, tokens);
    if (call->snapshot->response_headers) {
        head_put(&call->relay.head, SPAN_OF("x-headgate-estimated"), SPAN_OF("input_tokens"));
    }
    reply_whole(call, 200, SPAN_OF("application/json"), buf_span(body));
}
