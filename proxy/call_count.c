/* SPDX-License-Identifier: Apache-2.0 */
/* Counting a request whose provider told no usage. Nobody knows that before the end, and a stream
 * has given its request back by then: so once somebody was in need of it, short ones are kept, as
 * long as all of them together take little. */
#include "proxy/call_parts.h"

#include "proxy/ranks.h"
#include "router/quote.h"

enum { KEPT_MAX = 1024 * 1024 };

bool call_count_input(struct call *call, struct span model, struct chat_count *count)
{
    const struct env *env = call->env;
    struct ranks *ranks = env->ports->ranks;

    if (call->facts.bytes_in > RANKS_BODY_MAX) {
        return false;
    }
    if (!ranks_count(ranks, call->match.operation->name, model, buf_span(&call->body), count)) {
        ranks_want(ranks, env->ports->store, env->log, loop_now(env->loop));
        return false;
    }
    return count->media == 0 && quote_count_is_better(count, &call->input_guess);
}

bool call_keep_request(struct call *call)
{
    uint32_t *kept = &call->env->calls->kept;

    if (call->kept == 0 && call->body.len <= RANKS_BODY_MAX &&
        ranks_are_used(call->env->ports->ranks) && call->body.cap <= KEPT_MAX - *kept) {
        call->kept = (uint32_t)call->body.cap;
        *kept += call->kept;
    }
    return call->kept > 0;
}

void call_forget_kept(struct call *call)
{
    call->env->calls->kept -= call->kept;
    call->kept = 0;
}
