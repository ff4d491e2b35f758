/* SPDX-License-Identifier: Apache-2.0 */
/* sinks[] of kind redis: url, stream, length. */
#include "conf/sink_redis.h"

#include "base/must.h"
#include "conf/reader.h"

enum { STREAM_MAX = 256, DESTINATION_MAX = 1024 };

static void read_url(struct reader *reader, const struct node *node, void *object)
{
    struct sink_redis_settings *settings = object;

    (void)redis_url_take(reader, node, &settings->url);
}

static void read_stream(struct reader *reader, const struct node *node, void *object)
{
    struct sink_redis_settings *settings = object;

    if (reader_text(reader, node, &settings->stream) && settings->stream.len > STREAM_MAX) {
        reader_complain(reader, node->place, "must have at most 256 bytes");
    }
}

static const struct field rows[] = {
    SINK_ROWS("500", "1s"),
    {.name = "url",
     .type = FIELD_CUSTOM,
     .read = read_url,
     .is_required = true,
     .is_secret = true,
     .help = "redis://[[user]:password@]host[:port][/database]"},
    {.name = "stream",
     .type = FIELD_CUSTOM,
     .read = read_stream,
     .initial = "headgate:usage",
     .help = "the key of the stream that records are added to"},
    {.name = "length",
     .type = FIELD_U64,
     .place = offsetof(struct sink_redis_settings, length),
     .initial = "0",
     .min = "0",
     .max = "1000000000000",
     .help = "about so many entries are kept, the oldest go; 0: all"},
};

static const struct field_table fields = FIELD_TABLE(rows);

/* "redis.internal:6379/0 headgate:usage" */
static void check(struct reader *reader, const struct node *node, struct sink_settings *settings)
{
    struct sink_redis_settings *redis = (struct sink_redis_settings *)settings;
    struct buf text;

    if (node_child(node, SPAN_OF("stream")) == NULL) {
        redis->stream = SPAN_OF("headgate:usage");
    }
    buf_init(&text, DESTINATION_MAX);
    buf_put_format(&text, "%.*s:%u/%u ", SPAN_ARGS(redis->url.host), (unsigned)redis->url.port,
                   (unsigned)redis->url.database);
    buf_put(&text, redis->stream);
    settings->destination = arena_copy(&reader->snapshot->arena, buf_span(&text));
    reader->has_no_memory = reader->has_no_memory || text.failed;
    buf_fini(&text);
}

const struct sink_kind sink_kind_redis = {
    .name = "redis",
    .help = "entries of a Redis stream",
    .fields = &fields,
    .size = sizeof(struct sink_redis_settings),
    .check = check,
};
