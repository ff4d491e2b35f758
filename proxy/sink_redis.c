/* SPDX-License-Identifier: Apache-2.0 */
/* A sink of kind redis: a batch is one transaction that adds each line to a stream and moves a
 * mark, a key of this sink's own, to the place behind the last of them. The mark is watched: what
 * an earlier connection still has on its way, answered or not, either moved it before (then its
 * lines are known) or will not happen any more. So a line stands in the stream once, also after a
 * lost answer, and many headgates can share a stream (docs/decisions/0018-sinks.md).
 *
 *   DOWN --dial, AUTH, SELECT--> ASKING --TYPE, WATCH, GET--> READY --MULTI ... EXEC, WATCH-->
 * READY
 */
#include "base/mem.h"
#include "base/text.h"
#include "conf/sink_redis.h"
#include "proxy/redis_link.h"
#include "proxy/sink.h"

enum {
    REPLY_MS = 15000,
    MARK_MAX = 512,
    NUMBER_MAX = 64,
    MARK_SECONDS = 60 * 24 * 3600 /* longer than any journal is kept */
};

enum state { DOWN, OPENING, ASKING, READY, SENDING, UNDOING };

struct sink_redis {
    const struct sink_frame *frame;
    const struct sink_redis_settings *settings;
    struct redis_link *redis;
    const struct sink_batch *batch; /* NULL: none is to be delivered */
    size_t count;
    size_t known; /* lines of it that are in the stream already */
    enum state state;
    size_t replies;            /* heard in this state */
    struct journal_place mark; /* lines before it are in the stream */
    struct why why;            /* the first error among the replies */
    struct buf key;            /* of the mark */
};

/* ---- ends ---- */

static void answer_as(struct sink_redis *sink, enum sink_end how)
{
    struct sink_answer answer = {.how = how, .known = sink->known, .why = sink->why};

    sink->batch = NULL;
    sink->frame->done(sink->frame->to, &answer);
}

/* The connection is given up; the next delivery makes another. */
static void fail(struct sink_redis *sink)
{
    redis_link_close(sink->redis);
    sink->state = DOWN;
    if (sink->batch != NULL) {
        sink->known = 0;
        answer_as(sink, SINK_FAILED);
    }
}

static void note_error(struct sink_redis *sink, const struct redisReply *reply)
{
    if (redis_reply_is_error(reply) && sink->why.text[0] == '\0') {
        why_set(&sink->why, "%.*s", SPAN_ARGS(redis_reply_text(reply)));
    }
}

/* ---- sending ---- */

static void put_number(struct redis_link *redis, unsigned long long number)
{
    struct buf text;

    buf_init(&text, NUMBER_MAX);
    buf_put_u64(&text, number);
    redis_link_put(redis, buf_span(&text));
    buf_fini(&text);
}

static void put_mark(struct sink_redis *sink, struct journal_place place)
{
    struct buf text;

    buf_init(&text, NUMBER_MAX);
    buf_put_format(&text, "%llu-%llu", (unsigned long long)place.segment,
                   (unsigned long long)place.offset);
    redis_link_begin(sink->redis, 5);
    redis_link_put(sink->redis, SPAN_OF("SET"));
    redis_link_put(sink->redis, buf_span(&sink->key));
    redis_link_put(sink->redis, buf_span(&text));
    redis_link_put(sink->redis, SPAN_OF("EX"));
    put_number(sink->redis, MARK_SECONDS);
    buf_fini(&text);
}

static void put_word(struct sink_redis *sink, const char *command)
{
    redis_link_begin(sink->redis, 1);
    redis_link_put(sink->redis, span_of(command));
}

static void put_about(struct sink_redis *sink, const char *command, struct span key)
{
    redis_link_begin(sink->redis, 2);
    redis_link_put(sink->redis, span_of(command));
    redis_link_put(sink->redis, key);
}

static void put_line(struct sink_redis *sink, struct span line)
{
    bool is_cut = sink->settings->length > 0;

    redis_link_begin(sink->redis, is_cut ? 10 : 7);
    redis_link_put(sink->redis, SPAN_OF("XADD"));
    redis_link_put(sink->redis, sink->settings->stream);
    if (is_cut) {
        redis_link_put(sink->redis, SPAN_OF("MAXLEN"));
        redis_link_put(sink->redis, SPAN_OF("~"));
        put_number(sink->redis, sink->settings->length);
    }
    redis_link_put(sink->redis, SPAN_OF("*"));
    redis_link_put(sink->redis, SPAN_OF("record_id"));
    redis_link_put(sink->redis, sink_line_id(line));
    redis_link_put(sink->redis, SPAN_OF("record"));
    redis_link_put(sink->redis, span_make(line.at, line.len - 1));
}

static void send_batch(struct sink_redis *sink)
{
    const struct sink_batch *batch = sink->batch;

    sink->known = 0;
    while (sink->known < sink->count &&
           journal_place_compare(batch->lines[sink->known].at, sink->mark) < 0) {
        sink->known++;
    }
    if (sink->known == sink->count) {
        answer_as(sink, SINK_DELIVERED);
        return;
    }
    sink->state = SENDING;
    sink->replies = 0;
    put_word(sink, "MULTI");
    for (size_t i = sink->known; i < sink->count; i++) {
        put_line(sink, sink_batch_line(batch, i));
    }
    put_mark(sink, batch->lines[sink->count - 1].next);
    put_word(sink, "EXEC");
    put_about(sink, "WATCH", buf_span(&sink->key)); /* for the next one */
    redis_link_send(sink->redis, REPLY_MS);
}

/* ---- replies ---- */

/* TYPE, WATCH, GET. A key that is no stream would take the mark and not the lines. */
static void hear_asking(struct sink_redis *sink, const struct redisReply *reply)
{
    struct span text = redis_reply_text(reply);
    struct span mark = redis_reply_bytes(reply);

    note_error(sink, reply);
    if (sink->replies == 1 && sink->why.text[0] == '\0' && !span_equal(text, SPAN_OF("none")) &&
        !span_equal(text, SPAN_OF("stream"))) {
        why_set(&sink->why, "the key %.*s is no stream", SPAN_ARGS(sink->settings->stream));
    }
    if (sink->replies < 3) {
        return;
    }
    sink->mark = (struct journal_place){0, 0};
    if (mark.at != NULL) {
        struct span segment = span_cut(&mark, '-');

        if (text_read_u64(segment, &sink->mark.segment) != ERR_NONE || mark.at == NULL ||
            text_read_u64(mark, &sink->mark.offset) != ERR_NONE) {
            why_set(&sink->why, "its mark %.*s is damaged", SPAN_ARGS(buf_span(&sink->key)));
        }
    }
    if (sink->why.text[0] != '\0') {
        fail(sink);
        return;
    }
    sink->state = READY;
    if (sink->batch != NULL) {
        send_batch(sink);
    }
}

/* Redis takes nothing back: where one command of a transaction failed, the others have happened.
 * The mark goes back to where it was, so that all lines are sent again. */
static void undo(struct sink_redis *sink)
{
    sink->state = UNDOING;
    sink->replies = 0;
    put_mark(sink, sink->mark);
    redis_link_send(sink->redis, REPLY_MS);
}

static void hear_exec(struct sink_redis *sink, const struct redisReply *reply)
{
    if (redis_reply_is_nil(reply)) {
        why_set(&sink->why, "another connection has moved its mark");
    } else if (!redis_reply_is_error(reply) &&
               redis_reply_count(reply) != sink->count - sink->known + 1) {
        why_set(&sink->why, "it answers a transaction in part");
    }
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        note_error(sink, redis_reply_at(reply, i));
    }
}

/* MULTI, then the lines and the mark, then EXEC, then WATCH. */
static void hear_sending(struct sink_redis *sink, const struct redisReply *reply)
{
    size_t exec = sink->count - sink->known + 3;

    note_error(sink, reply);
    if (sink->replies == exec) {
        bool had_error = sink->why.text[0] != '\0';

        hear_exec(sink, reply);
        /* Told apart by hand: an error before EXEC means that nothing has happened. */
        if (!had_error && sink->why.text[0] != '\0' && redis_reply_count(reply) > 0) {
            sink->state = UNDOING;
        }
        return;
    }
    if (sink->replies < exec) {
        return;
    }
    if (sink->why.text[0] != '\0') {
        fail(sink);
        return;
    }
    sink->mark = sink->batch->lines[sink->count - 1].next;
    sink->state = READY;
    answer_as(sink, SINK_DELIVERED);
}

static void on_reply(void *to, const struct redisReply *reply)
{
    struct sink_redis *sink = to;

    sink->replies++;
    switch (sink->state) {
    case ASKING: hear_asking(sink, reply); break;
    case SENDING: hear_sending(sink, reply); break;
    case UNDOING:
        /* First the reply to the WATCH that was sent with the transaction, then the mark's. */
        if (sink->replies > 1) {
            undo(sink);
        } else {
            fail(sink);
        }
        break;
    case DOWN:
    case OPENING:
    case READY: UNREACHABLE();
    }
}

static void on_ready(void *to)
{
    struct sink_redis *sink = to;

    sink->state = ASKING;
    sink->replies = 0;
    put_about(sink, "TYPE", sink->settings->stream);
    put_about(sink, "WATCH", buf_span(&sink->key));
    put_about(sink, "GET", buf_span(&sink->key));
    redis_link_send(sink->redis, REPLY_MS);
}

/* Between deliveries nobody cares: the next one makes a connection. */
static void on_down(void *to, const struct why *why)
{
    struct sink_redis *sink = to;

    if (sink->why.text[0] == '\0') {
        sink->why = *why;
    }
    fail(sink);
}

/* ---- the row ---- */

static void deliver(void *to, const struct sink_batch *batch, size_t count)
{
    struct sink_redis *sink = to;

    sink->batch = batch;
    sink->count = count;
    sink->known = 0;
    why_set(&sink->why, "%s", "");
    if (sink->state == READY) {
        send_batch(sink);
    } else {
        sink->state = OPENING;
        redis_link_open(sink->redis);
    }
}

static void free_sink(void *to)
{
    struct sink_redis *sink = to;

    if (sink != NULL) {
        redis_link_free(sink->redis);
        buf_fini(&sink->key);
        mem_give(sink, sizeof *sink);
    }
}

static void *open_sink(const struct sink_frame *frame)
{
    struct sink_redis *sink = mem_take_zero(sizeof *sink);
    struct redis_link_ears ears = {
        .to = sink, .on_ready = on_ready, .on_reply = on_reply, .on_down = on_down};

    if (sink == NULL) {
        return NULL;
    }
    sink->frame = frame;
    sink->settings = (const struct sink_redis_settings *)(const void *)frame->settings;
    buf_init(&sink->key, MARK_MAX);
    buf_put(&sink->key, sink->settings->stream);
    buf_put_text(&sink->key, ":headgate:");
    buf_put_text(&sink->key, frame->id);
    sink->redis = redis_link_new(frame->loop, frame->fetcher, &sink->settings->url, &ears);
    if (sink->redis == NULL || sink->key.failed) {
        free_sink(sink);
        return NULL;
    }
    return sink;
}

const struct sink_ops sink_ops_redis = {.open = open_sink, .deliver = deliver, .free = free_sink};
