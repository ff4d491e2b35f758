/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/admin_ask.h"

#include "base/mem.h"
#include "proxy/call_parts.h"

void admin_page_init(struct admin_page *page, const struct call *call, size_t out_max)
{
    page->env = call->env;
    page->call_id = call->id;
    buf_init(&page->out, out_max);
}

void admin_page_free(struct admin_page *page)
{
    buf_fini(&page->out);
    page->free(page);
}

static void refuse(struct call *call, const struct refusal *refusal)
{
    conn_refusing(call->conn);
    reply_refusal(call, dialect_at(0), refusal, NULL);
    call_leave(call);
    call_close(call, true);
}

void admin_page_refuse(struct call *call, const struct admin_page *page)
{
    struct refusal refusal = {.kind = REFUSAL_BAD_QUESTION, .detail = span_of(page->why.text)};

    switch (page->err) {
    case ERR_MISSING: refusal = (struct refusal){.kind = REFUSAL_TRACE_UNKNOWN}; break;
    case ERR_FORMAT: break;
    default: refusal = (struct refusal){.kind = REFUSAL_OVERLOADED}; break;
    }
    refuse(call, &refusal);
}

/* ---- on the store thread ---- */

static void run(struct store_question *question, struct journal_place end)
{
    struct admin_page *page = (struct admin_page *)question;

    page->make(page, end);
    if (page->err == ERR_NONE && page->out.failed) {
        page->err = ERR_MEMORY;
    }
    mem_hand_over(page->out.cap);
}

/* ---- on the loop again ---- */

static void done(struct store_question *question)
{
    struct admin_page *page = (struct admin_page *)question;
    struct call *call = slots_find(&page->env->calls->slots, page->call_id);

    mem_take_over(page->out.cap);
    if (call != NULL && !call->is_closed && call->conn != NULL) {
        call->page = NULL;
        if (page->err != ERR_NONE) {
            admin_page_refuse(call, page);
        } else {
            reply_whole(call, 200, page->type, buf_span(&page->out));
            call_close(call, false); /* as all pages: they may be asked for every second */
        }
    }
    admin_page_free(page);
}

void admin_page_ask(struct call *call)
{
    struct admin_page *page = call->page;

    page->question = (struct store_question){.run = run, .done = done};
    if (!store_ask(call->env->ports->store, &page->question)) {
        call->page = NULL;
        admin_page_free(page);
        refuse(call, &(struct refusal){.kind = REFUSAL_OVERLOADED});
        return;
    }
    call->has_asked = true;
}

void admin_page_forget(struct call *call)
{
    if (call->page != NULL && !call->has_asked) {
        admin_page_free(call->page);
    }
    call->page = NULL;
}
