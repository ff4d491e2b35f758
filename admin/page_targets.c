/* SPDX-License-Identifier: Apache-2.0 */
/* /admin/v1/targets: every target, those of the settings first. */
#include "admin/page.h"
#include "admin/target_out.h"

static unsigned write_page(const struct view *view, struct span query, struct buf *out)
{
    struct json_out json;

    (void)query;
    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "targets");
    target_put_list(&json, view->targets, view->targets_count);
    json_close_object(&json);
    buf_put_char(out, '\n');
    return 200;
}

const struct page page_targets = {
    .name = "targets",
    .path = SPAN("/admin/v1/targets"),
    .wants_targets = true,
    .content_type = "application/json",
    .write = write_page,
};
