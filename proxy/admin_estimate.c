/* SPDX-License-Identifier: Apache-2.0 */
/* Read on the loop, counted on the store thread, answered on the loop. */
#include "proxy/admin_estimate.h"

#include "base/limits.h"
#include "base/mem.h"
#include "proxy/admin_ask.h"
#include "proxy/call_parts.h"
#include "proxy/ranks.h"

struct estimate_page {
    struct admin_ask ask; /* first, so that it leads here */
    struct quoting *quoting;
    struct buf query;
    struct ranks_found found;
};

static void page_free(struct admin_ask *ask)
{
    struct estimate_page *page = (struct estimate_page *)ask;

    quoting_free(page->quoting);
    buf_fini(&page->query);
    mem_give(page, sizeof *page);
}

static struct refusal begin(struct admin_ask *ask, struct call *call)
{
    struct estimate_page *page = (struct estimate_page *)ask;
    const struct env *env = call->env;
    struct quoting_world world = {.snapshot = call->snapshot,
                                  .fleet = env->fleet,
                                  .guesses = env->ports->guesses,
                                  .scan = env->scratch->scan,
                                  .seed = env->scratch->seed,
                                  .now = loop_now(env->loop),
                                  .at = loop_wall(env->loop)};

    page->quoting = quoting_new(call->snapshot);
    if (page->quoting == NULL) {
        return (struct refusal){.kind = REFUSAL_OVERLOADED};
    }
    return quoting_read(page->quoting, &world, buf_span(&page->query), buf_span(&call->body));
}

static void run(struct admin_ask *ask, struct journal_place end)
{
    struct estimate_page *page = (struct estimate_page *)ask;

    (void)end;
    ranks_quote(ask->env->ports->ranks, page->quoting, &page->found);
}

static void answer(struct admin_ask *ask, struct call *call)
{
    struct estimate_page *page = (struct estimate_page *)ask;
    struct buf *out = &ask->env->scratch->text;

    ranks_heard(ask->env->ports->ranks, &page->found, ask->env->log);
    if (call == NULL) {
        return;
    }
    buf_clear(out);
    quoting_write(page->quoting, out);
    reply_whole(call, 200,
                quoting_wants_table(page->quoting) ? SPAN_OF("text/plain; charset=utf-8")
                                                   : SPAN_OF("application/json"),
                buf_span(out));
    call_close(call, false);
}

bool admin_estimate_open(struct call *call, struct span query)
{
    static const struct admin_ask_ops ops = {
        .takes_body = true, .begin = begin, .run = run, .answer = answer, .free = page_free};
    struct estimate_page *page = mem_take_zero(sizeof *page);

    if (page == NULL) {
        admin_ask_refuse(call, &(struct refusal){.kind = REFUSAL_OVERLOADED});
        return false;
    }
    buf_init(&page->query, LIMIT_TARGET);
    buf_put(&page->query, query);
    admin_ask_open(&page->ask, &ops, call);
    return true;
}
