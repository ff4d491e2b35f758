/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/admin_page.h"

#include "base/mem.h"
#include "proxy/call_parts.h"

void admin_page_free(struct admin_page *page)
{
    buf_fini(&page->out);
    page->free(page);
}

void admin_page_refuse(struct call *call, const struct admin_page *page)
{
    struct refusal refusal = {.kind = REFUSAL_BAD_QUESTION, .detail = span_of(page->why.text)};

    switch (page->err) {
    case ERR_MISSING: refusal = (struct refusal){.kind = REFUSAL_TRACE_UNKNOWN}; break;
    case ERR_FORMAT: break;
    default: refusal = (struct refusal){.kind = REFUSAL_OVERLOADED}; break;
    }
    admin_ask_refuse(call, &refusal);
}

/* On the store thread. */
static void run(struct admin_ask *ask, struct journal_place end)
{
    struct admin_page *page = (struct admin_page *)ask;

    page->make(page, end);
    if (page->err == ERR_NONE && page->out.failed) {
        page->err = ERR_MEMORY;
    }
    mem_hand_over(page->out.cap);
}

static void answer(struct admin_ask *ask, struct call *call)
{
    const struct admin_page *page = (struct admin_page *)ask;

    mem_take_over(page->out.cap);
    if (call == NULL) {
        return;
    }
    if (page->err != ERR_NONE) {
        admin_page_refuse(call, page);
        return;
    }
    reply_whole(call, 200, page->type, buf_span(&page->out));
    call_close(call, false); /* as all pages: they may be asked for every second */
}

static void give(struct admin_ask *ask)
{
    admin_page_free((struct admin_page *)ask);
}

void admin_page_open(struct admin_page *page, struct call *call, size_t out_max)
{
    static const struct admin_ask_ops ops = {.run = run, .answer = answer, .free = give};

    buf_init(&page->out, out_max);
    admin_ask_open(&page->ask, &ops, call);
}
