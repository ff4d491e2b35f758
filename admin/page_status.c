/* SPDX-License-Identifier: Apache-2.0 */
/* /admin/v1/status: facts about the process, and every target. Always 200: it is read, not
 * probed. */
#include "admin/health.h"
#include "admin/target_out.h"

static void put_process(struct json_out *out, const struct view *view)
{
    json_key(out, "process");
    json_open_object(out);
    json_key(out, "version");
    json_string(out, view->version);
    json_key(out, "uptime_s");
    json_i64(out, (int64_t)(view->uptime_ms / 1000));
    json_key(out, "calls_in_flight");
    json_i64(out, view->calls);
    json_key(out, "draining");
    json_bool(out, view->is_draining);
    json_close_object(out);
}

static unsigned write_page(const struct view *view, struct span query, struct buf *out)
{
    struct health health = health_of(view);
    struct json_out json;

    (void)query;
    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "status");
    json_text(&json, health_word(health.state));
    put_process(&json, view);
    json_key(&json, "targets");
    target_put_list(&json, view->targets, view->targets_count);
    json_close_object(&json);
    buf_put_char(out, '\n');
    return 200;
}

const struct page page_status = {
    .name = "status",
    .path = SPAN("/admin/v1/status"),
    .wants_targets = true,
    .content_type = "application/json",
    .write = write_page,
};
