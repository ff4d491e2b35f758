/* SPDX-License-Identifier: Apache-2.0 */
/* From a path and its query to an answer of the index. The page outlives its call: whoever asked
 * may have left by the time the answer is there. */
#include "proxy/admin_usage.h"

#include "base/mem.h"
#include "proxy/call_parts.h"
#include "proxy/index.h"
#include "proxy/store.h"
#include "usage/query.h"

enum { DECODED_MAX = 64 * 1024 };

struct usage_page {
    struct store_question question; /* first, so that it leads here */
    struct env *env;
    uint64_t call_id; /* in calls */
    struct query query;
    struct buf texts; /* of the question */
    struct buf trace;
    struct buf out;   /* made on the store thread */
    wall_ms now;
    enum err err;
    struct why why;
};

static const struct span prefix = SPAN("/admin/v1/usage/");

static bool find_kind(struct span path, enum query_kind *kind, struct span *rest)
{
    struct span name = span_from(path, prefix.len);

    if (!span_starts(path, prefix)) {
        return false;
    }
    *rest = name;
    name = span_cut(rest, '/');
    for (size_t i = 0; i < QUERY_KINDS; i++) {
        if (span_equal(name, query_kind_names[i])) {
            *kind = (enum query_kind)i;
            return (*kind == QUERY_TRACE) == (rest->at != NULL && rest->len > 0);
        }
    }
    return false;
}

bool admin_usage_is(struct span path)
{
    enum query_kind kind = QUERY_SUMMARY;
    struct span rest;

    return find_kind(path, &kind, &rest);
}

static void page_free(struct usage_page *page)
{
    buf_fini(&page->texts);
    buf_fini(&page->trace);
    buf_fini(&page->out);
    mem_give(page, sizeof *page);
}

static void refuse(struct call *call, const struct refusal *refusal)
{
    conn_refusing(call->conn);
    reply_refusal(call, dialect_at(0), refusal, NULL);
    call_leave(call);
    call_close(call, true);
}

static void refuse_question(struct call *call, const struct usage_page *page)
{
    struct refusal refusal = {.kind = REFUSAL_BAD_QUESTION, .detail = span_of(page->why.text)};

    switch (page->err) {
    case ERR_MISSING: refusal = (struct refusal){.kind = REFUSAL_TRACE_UNKNOWN}; break;
    case ERR_FORMAT: break;
    default: refusal = (struct refusal){.kind = REFUSAL_OVERLOADED}; break;
    }
    refuse(call, &refusal);
}

bool admin_usage_open(struct call *call, struct span path, struct span query)
{
    struct usage_page *page = mem_take_zero(sizeof *page);
    enum query_kind kind = QUERY_SUMMARY;
    struct span rest;

    if (page == NULL) {
        refuse(call, &(struct refusal){.kind = REFUSAL_OVERLOADED});
        return false;
    }
    must(find_kind(path, &kind, &rest));
    page->env = call->env;
    page->call_id = call->id;
    page->now = loop_wall(call->env->loop);
    buf_init(&page->texts, DECODED_MAX);
    buf_init(&page->trace, DECODED_MAX);
    buf_init(&page->out, INDEX_ANSWER_MAX);
    query_init(&page->query, kind);
    if (kind == QUERY_TRACE) { /* as a path may have it: ids have no letter that needs a code */
        buf_put(&page->trace, rest);
        page->err = page->trace.failed ? ERR_MEMORY
                                       : query_set(&page->query, SPAN_OF("id"),
                                                   buf_span(&page->trace), &page->why);
    }
    if (page->err == ERR_NONE) {
        page->err = query_read_url(&page->query, query, &page->texts, &page->why);
    }
    if (page->err != ERR_NONE) {
        refuse_question(call, page);
        page_free(page);
        return false;
    }
    call->page = page;
    return true;
}

/* ---- on the store thread ---- */

static void run(struct store_question *question, struct journal_place end)
{
    struct usage_page *page = (struct usage_page *)question;
    struct index *index = page->env->ports->index;

    (void)end;
    if (index == NULL) {
        page->err = ERR_SYSTEM;
        return;
    }
    page->err = usage_answer(index, &page->query, page->now, &page->out, &page->why);
    mem_hand_over(page->out.cap);
}

/* ---- on the loop again ---- */

static struct span type_of(enum query_format format)
{
    switch (format) {
    case QUERY_JSON: return SPAN_OF("application/json");
    case QUERY_CSV: return SPAN_OF("text/csv; charset=utf-8");
    case QUERY_TABLE: return SPAN_OF("text/plain; charset=utf-8");
    }
    return SPAN_OF("application/json");
}

static void done(struct store_question *question)
{
    struct usage_page *page = (struct usage_page *)question;
    struct call *call = slots_find(&page->env->calls->slots, page->call_id);

    mem_take_over(page->out.cap);
    if (call != NULL && !call->is_closed && call->conn != NULL) {
        call->page = NULL;
        if (page->err != ERR_NONE) {
            refuse_question(call, page);
        } else {
            reply_whole(call, 200, type_of(page->query.format), buf_span(&page->out));
            call_close(call, false); /* as all pages: they may be asked for every second */
        }
    }
    page_free(page);
}

void admin_usage_ask(struct call *call)
{
    struct usage_page *page = call->page;

    page->question = (struct store_question){.run = run, .done = done};
    if (!store_ask(call->env->ports->store, &page->question)) {
        call->page = NULL;
        page_free(page);
        refuse(call, &(struct refusal){.kind = REFUSAL_OVERLOADED});
        return;
    }
    call->has_asked = true;
}

void admin_usage_forget(struct call *call)
{
    if (call->page != NULL && !call->has_asked) {
        page_free(call->page);
    }
    call->page = NULL;
}
