/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/admin_sinks.h"

#include "admin/sinks_out.h"
#include "base/mem.h"
#include "proxy/admin_page.h"
#include "proxy/call_parts.h"
#include "proxy/sinks.h"

enum { ANSWER_MAX = 256 * 1024, SINKS_SHOWN_MAX = 16 };

struct sinks_page {
    struct admin_page page; /* first, so that it leads here */
    bool is_table;
};

static const struct span path_json = SPAN("/admin/v1/sinks");
static const struct span path_table = SPAN("/admin/v1/sinks.txt");

bool admin_sinks_is(struct span path)
{
    return span_equal(path, path_json) || span_equal(path, path_table);
}

static struct sink_view view_of(const struct sinks *sinks, size_t i, struct journal_place end)
{
    struct sink_state state = sinks_state(sinks, i);

    return (struct sink_view){.name = state.name,
                              .kind = span_of(state.kind),
                              .delivered = state.delivered,
                              .failures = state.failures,
                              .damaged = state.damaged,
                              .waiting_bytes = sinks_waiting(sinks, state.cursor, end),
                              .is_down = state.is_down,
                              .down_ms = state.down_ms,
                              .reason = span_of(state.reason)};
}

/* On the store thread. */
static void make(struct admin_page *page, struct journal_place end)
{
    const struct sinks *sinks = page->ask.env->ports->sinks;
    struct sink_view views[SINKS_SHOWN_MAX];
    size_t count = 0;

    while (count < SINKS_SHOWN_MAX && count < sinks_count(sinks)) {
        views[count] = view_of(sinks, count, end);
        count++;
    }
    if (((struct sinks_page *)page)->is_table) {
        sinks_put_table(&page->out, views, count);
    } else {
        sinks_put_json(&page->out, views, count);
    }
}

static void give(struct admin_page *page)
{
    mem_give(page, sizeof(struct sinks_page));
}

bool admin_sinks_open(struct call *call, struct span path)
{
    struct sinks_page *sinks = mem_take_zero(sizeof *sinks);

    if (sinks == NULL) {
        admin_page_refuse(call, &(struct admin_page){.err = ERR_MEMORY});
        return false;
    }
    sinks->is_table = span_equal(path, path_table);
    sinks->page.type =
        sinks->is_table ? SPAN_OF("text/plain; charset=utf-8") : SPAN_OF("application/json");
    sinks->page.make = make;
    sinks->page.free = give;
    admin_page_open(&sinks->page, call, ANSWER_MAX);
    return true;
}
