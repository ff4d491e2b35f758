/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/sinks_out.h"

#include "base/text.h"
#include "wire/json_out.h"

static void put_number(struct json_out *out, const char *name, uint64_t number)
{
    json_key(out, name);
    json_i64(out, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

static void put_text(struct json_out *out, const char *name, struct span text)
{
    json_key(out, name);
    json_string(out, text);
}

static const char *state_of(const struct sink_view *sink)
{
    return sink->is_down ? "down" : "ok";
}

void sinks_put_json(struct buf *out, const struct sink_view *sinks, size_t count)
{
    struct json_out json;

    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "sinks");
    json_open_array(&json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(&json);
        put_text(&json, "sink", sinks[i].name);
        put_text(&json, "kind", sinks[i].kind);
        put_text(&json, "state", span_of(state_of(&sinks[i])));
        put_text(&json, "why", sinks[i].reason);
        put_number(&json, "down_s", (sinks[i].down_ms + 999) / 1000);
        put_number(&json, "delivered", sinks[i].delivered);
        put_number(&json, "waiting_bytes", sinks[i].waiting_bytes);
        put_number(&json, "failures", sinks[i].failures);
        put_number(&json, "damaged", sinks[i].damaged);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    buf_put_char(out, '\n');
}

void sinks_put_table(struct buf *out, const struct sink_view *sinks, size_t count)
{
    if (count > 0) {
        buf_put_text(out, "STATE   DELIVERED  WAITING KiB  SINK\n");
    }
    for (size_t i = 0; i < count; i++) {
        buf_put_format(out, "%-5s  %10llu  %11llu  ", state_of(&sinks[i]),
                       (unsigned long long)sinks[i].delivered,
                       (unsigned long long)((sinks[i].waiting_bytes + 1023) / 1024));
        buf_put(out, sinks[i].name);
        if (sinks[i].is_down) {
            buf_put_text(out, ", for ");
            text_put_duration(out, (sinks[i].down_ms + 999) / 1000 * 1000);
            buf_put_text(out, ": ");
            buf_put(out, sinks[i].reason);
        }
        buf_put_char(out, '\n');
    }
}
