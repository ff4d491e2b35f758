/* SPDX-License-Identifier: Apache-2.0 */
/* /health/providers: the targets of each provider, and why some take no calls. Providers come in
 * the order in which their first targets do. */
#include "admin/health.h"
#include "admin/target_out.h"

static bool is_first_of_provider(const struct view *view, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (span_equal(view->targets[k].provider, view->targets[i].provider)) {
            return false;
        }
    }
    return true;
}

static void put_provider(struct json_out *out, const struct view *view, size_t first)
{
    struct span name = view->targets[first].provider;
    int64_t total = 0;
    int64_t eligible = 0;

    json_open_object(out);
    json_key(out, "provider");
    json_string(out, name);
    json_key(out, "targets");
    json_open_array(out);
    for (size_t i = first; i < view->targets_count; i++) {
        if (span_equal(view->targets[i].provider, name)) {
            total++;
            eligible += view->targets[i].is_eligible ? 1 : 0;
            target_put_json(out, &view->targets[i]);
        }
    }
    json_close_array(out);
    json_key(out, "total");
    json_i64(out, total);
    json_key(out, "eligible");
    json_i64(out, eligible);
    json_close_object(out);
}

static unsigned write_page(const struct view *view, struct span query, struct buf *out)
{
    struct health health = health_of(view);
    struct json_out json;

    (void)query;
    json_out_init(&json, out);
    json_open_object(&json);
    health_put_members(&json, &health);
    json_key(&json, "providers");
    json_open_array(&json);
    for (size_t i = 0; i < view->targets_count; i++) {
        if (is_first_of_provider(view, i)) {
            put_provider(&json, view, i);
        }
    }
    json_close_array(&json);
    json_close_object(&json);
    buf_put_char(out, '\n');
    return health_status(health.state);
}

const struct page page_providers = {
    .name = "providers",
    .path = SPAN("/health/providers"),
    .is_public = true,
    .wants_targets = true,
    .content_type = "application/json",
    .write = write_page,
};
