/* SPDX-License-Identifier: Apache-2.0 */
/* /readyz: whether new calls should come here. ?verbose lists the checks as lines. */
#include "admin/page.h"

static void line(struct buf *out, const char *name, bool is_good)
{
    buf_put_text(out, is_good ? "[+]" : "[-]");
    buf_put_text(out, name);
    buf_put_text(out, is_good ? " ok\n" : " failed\n");
}

static unsigned write_page(const struct view *view, struct span query, struct buf *out)
{
    bool has_provider = view->providers > 0;
    bool is_ready = has_provider && !view->is_draining && !view->awaits_ledger;

    if (span_equal(query, SPAN_OF("verbose")) || span_equal(query, SPAN_OF("verbose=1"))) {
        line(out, "config", true);
        line(out, "provider", has_provider);
        line(out, "not draining", !view->is_draining);
        line(out, "ledger", !view->awaits_ledger);
    } else {
        buf_put_text(out, is_ready ? "ok\n" : "not ready\n");
    }
    return is_ready ? 200 : 503;
}

const struct page page_readyz = {
    .name = "readyz",
    .path = SPAN("/readyz"),
    .is_on_data = true,
    .is_public = true,
    .content_type = "text/plain; charset=utf-8",
    .write = write_page,
};
