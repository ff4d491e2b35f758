/* SPDX-License-Identifier: Apache-2.0 */
/* /livez: the loop turns, since it answered. */
#include "admin/page.h"

static unsigned write_page(const struct view *view, struct span query, struct buf *out)
{
    (void)view;
    (void)query;
    buf_put_text(out, "ok\n");
    return 200;
}

const struct page page_livez = {
    .name = "livez",
    .path = SPAN("/livez"),
    .alias = SPAN("/healthz"),
    .is_on_data = true,
    .is_public = true,
    .content_type = "text/plain; charset=utf-8",
    .write = write_page,
};
