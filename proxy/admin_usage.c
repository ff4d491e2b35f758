/* SPDX-License-Identifier: Apache-2.0 */
/* From a path and its query to an answer of the index. */
#include "proxy/admin_usage.h"

#include "base/mem.h"
#include "proxy/admin_page.h"
#include "proxy/call_parts.h"
#include "proxy/index.h"
#include "usage/query.h"

enum { DECODED_MAX = 64 * 1024 };

struct usage_page {
    struct admin_page page; /* first, so that it leads here */
    struct query query;
    struct buf texts; /* of the question */
    struct buf trace;
    wall_ms now;
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

static void give(struct admin_page *page)
{
    struct usage_page *usage = (struct usage_page *)page;

    buf_fini(&usage->texts);
    buf_fini(&usage->trace);
    mem_give(usage, sizeof *usage);
}

/* On the store thread. */
static void make(struct admin_page *page, struct journal_place end)
{
    struct usage_page *usage = (struct usage_page *)page;
    struct index *index = page->ask.env->ports->index;

    (void)end;
    page->err = index == NULL
                    ? ERR_SYSTEM
                    : usage_answer(index, &usage->query, usage->now, &page->out, &page->why);
}

static struct span type_of(enum query_format format)
{
    switch (format) {
    case QUERY_JSON: return SPAN_OF("application/json");
    case QUERY_CSV: return SPAN_OF("text/csv; charset=utf-8");
    case QUERY_TABLE: return SPAN_OF("text/plain; charset=utf-8");
    }
    return SPAN_OF("application/json");
}

static void read_question(struct usage_page *usage, struct span rest, struct span query)
{
    struct admin_page *page = &usage->page;

    if (usage->query.kind ==
        QUERY_TRACE) { /* as a path may have it: ids have no letter that needs a code */
        buf_put(&usage->trace, rest);
        page->err = usage->trace.failed ? ERR_MEMORY
                                        : query_set(&usage->query, SPAN_OF("id"),
                                                    buf_span(&usage->trace), &page->why);
    }
    if (page->err == ERR_NONE) {
        page->err = query_read_url(&usage->query, query, &usage->texts, &page->why);
    }
    page->type = type_of(usage->query.format);
}

bool admin_usage_open(struct call *call, struct span path, struct span query)
{
    struct usage_page *usage = mem_take_zero(sizeof *usage);
    enum query_kind kind = QUERY_SUMMARY;
    struct span rest;

    must(find_kind(path, &kind, &rest));
    if (usage == NULL) {
        admin_page_refuse(call, &(struct admin_page){.err = ERR_MEMORY});
        return false;
    }
    usage->page.make = make;
    usage->page.free = give;
    usage->now = loop_wall(call->env->loop);
    buf_init(&usage->texts, DECODED_MAX);
    buf_init(&usage->trace, DECODED_MAX);
    query_init(&usage->query, kind);
    read_question(usage, rest, query);
    if (usage->page.err != ERR_NONE) {
        admin_page_refuse(call, &usage->page);
        admin_page_free(&usage->page);
        return false;
    }
    admin_page_open(&usage->page, call, INDEX_ANSWER_MAX);
    return true;
}
