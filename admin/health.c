/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/health.h"

#include "base/must.h"

enum { SENTENCE_MAX = 128 };

struct health health_of(const struct view *view)
{
    struct health health = {.state = HEALTH_OK, .total = view->targets_count};

    for (size_t i = 0; i < view->targets_count; i++) {
        health.eligible += view->targets[i].is_eligible ? 1 : 0;
    }
    if (view->is_draining) {
        health.state = HEALTH_DRAINING;
    } else if (view->providers == 0 || (health.total > 0 && health.eligible == 0)) {
        health.state = HEALTH_DOWN;
    } else if (health.eligible < health.total) {
        health.state = HEALTH_DEGRADED;
    }
    return health;
}

const char *health_word(enum health_state state)
{
    switch (state) {
    case HEALTH_OK: return "ok";
    case HEALTH_DEGRADED: return "degraded";
    case HEALTH_DOWN: return "down";
    case HEALTH_DRAINING: return "draining";
    }
    UNREACHABLE();
}

unsigned health_status(enum health_state state)
{
    return state == HEALTH_OK || state == HEALTH_DEGRADED ? 200 : 503;
}

void health_put_text(struct buf *out, const struct health *health)
{
    if (health->state == HEALTH_DRAINING) {
        buf_put_text(out, "draining; ");
    }
    if (health->total == 0) {
        buf_put_text(out, health->state == HEALTH_DOWN ? "there is no provider"
                                                       : "no target is known yet");
        return;
    }
    buf_put_u64(out, health->eligible);
    buf_put_text(out, " of ");
    buf_put_u64(out, health->total);
    buf_put_text(out, health->total == 1 ? " target " : " targets ");
    buf_put_text(out, health->eligible == 1 || health->total == 1 ? "takes calls" : "take calls");
}

void health_put_members(struct json_out *out, const struct health *health)
{
    struct buf text;

    buf_init(&text, SENTENCE_MAX);
    health_put_text(&text, health);
    json_key(out, "status");
    json_text(out, health_word(health->state));
    json_key(out, "message");
    json_string(out, buf_span(&text));
    json_key(out, "targets");
    json_open_object(out);
    json_key(out, "total");
    json_i64(out, (int64_t)health->total);
    json_key(out, "eligible");
    json_i64(out, (int64_t)health->eligible);
    json_close_object(out);
    buf_fini(&text);
}
