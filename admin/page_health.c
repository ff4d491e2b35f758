/* SPDX-License-Identifier: Apache-2.0 */
/* /health: how the house is, in one word, one sentence and two numbers. For load balancers and
 * whoever is woken at night; says nothing of the build or the host. */
#include "admin/health.h"

static unsigned write_page(const struct view *view, struct span query, struct buf *out)
{
    struct health health = health_of(view);
    struct json_out json;

    (void)query;
    json_out_init(&json, out);
    json_open_object(&json);
    health_put_members(&json, &health);
    json_close_object(&json);
    buf_put_char(out, '\n');
    return health_status(health.state);
}

const struct page page_health = {
    .name = "health",
    .path = SPAN("/health"),
    .is_public = true,
    .wants_targets = true,
    .content_type = "application/json",
    .write = write_page,
};
