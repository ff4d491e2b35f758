/* SPDX-License-Identifier: Apache-2.0 */
/* A sink of kind http: a batch is one POST of JSON Lines. The same lines have the same batch id, so
 * a receiver can tell a batch that it has taken although we did not hear so. */
#include "conf/sink_http.h"

#include "base/mem.h"
#include "base/secret.h"
#include "proxy/sink.h"

enum {
    CONNECT_MS = 10000,
    FIELDS_MAX_OURS = 40, /* 32 of the settings and ours */
    FIELD_MAX = 16 * 1024,
    PAUSE_MOST_S = 600 /* a longer retry-after is not waited for to its end */
};

struct sink_http {
    const struct sink_frame *frame;
    const struct sink_http_settings *settings;
    struct fetching *fetching; /* NULL: nothing is in flight */
    struct loop_task late;     /* says so when it could not even begin */
    struct buf ours;           /* the lines of this batch's header */
};

/* ---- the answer ---- */

static enum sink_end read_status(unsigned status)
{
    if (status >= 200 && status < 300) {
        return SINK_DELIVERED;
    }
    if (status == 413) {
        return SINK_TOO_LARGE;
    }
    return status == 0 || status == 408 || status == 425 || status == 429 || status >= 500
               ? SINK_FAILED
               : SINK_REFUSED;
}

static void answered(void *to, const struct fetch_answer *heard)
{
    struct sink_http *sink = to;
    struct sink_answer answer = {.how = read_status(heard->status), .why = heard->why};
    uint32_t seconds = heard->retry_after_s < PAUSE_MOST_S ? heard->retry_after_s : PAUSE_MOST_S;

    sink->fetching = NULL;
    if (heard->status != 0) {
        why_set(&answer.why, "it answers %u%s", heard->status,
                heard->status / 100 == 3 ? "; redirects are not followed" : "");
    }
    answer.pause_ms = seconds * 1000;
    sink->frame->done(sink->frame->to, &answer);
}

static void late_run(struct loop_task *task)
{
    struct fetch_answer heard = {.why = {""}};

    why_set(&heard.why, "%s", err_text(ERR_MEMORY));
    answered(LIST_OWNER(task, struct sink_http, late), &heard);
}

/* ---- the request ---- */

static void begin(struct sink_http *sink, struct span body, const struct span *fields, size_t count)
{
    struct fetch_post post = {
        .url = sink->settings->url,
        .body = body,
        .fields = fields,
        .fields_count = count,
        .ca_file = sink->settings->ca_file,
        .connect_ms =
            CONNECT_MS < sink->settings->timeout_ms ? CONNECT_MS : sink->settings->timeout_ms,
        .total_ms = sink->settings->timeout_ms,
    };

    sink->fetching =
        sink->ours.failed ? NULL : fetcher_post(sink->frame->fetcher, &post, answered, sink);
    if (sink->fetching == NULL) {
        loop_task_queue(sink->frame->loop, &sink->late);
    }
}

/* All header lines in one buffer, then cut into lines: none holds a line feed. */
static void put_fields(struct sink_http *sink, const struct sink_batch *batch, size_t count)
{
    const struct sink_http_settings *settings = sink->settings;
    char id[SINK_BATCH_ID + 1];

    sink_batch_id(batch, count, id);
    buf_clear(&sink->ours);
    buf_put_text(&sink->ours, "content-type: application/x-ndjson\nuser-agent: headgate\n");
    buf_put_format(&sink->ours, "idempotency-key: %s\nx-headgate-batch-id: %s\n", id, id);
    for (size_t i = 0; i < settings->headers_count; i++) {
        buf_put(&sink->ours, settings->headers[i].name);
        buf_put_text(&sink->ours, ": ");
        buf_put(&sink->ours, settings->headers[i].value);
        buf_put_char(&sink->ours, '\n');
    }
}

static void deliver(void *to, const struct sink_batch *batch, size_t count)
{
    struct sink_http *sink = to;
    const struct sink_line *last = &batch->lines[count - 1];
    struct span fields[FIELDS_MAX_OURS];
    size_t fields_count = 0;
    struct span rest;

    put_fields(sink, batch, count);
    rest = buf_span(&sink->ours);
    while (rest.at != NULL && rest.len > 0 && fields_count < FIELDS_MAX_OURS) {
        fields[fields_count++] = span_cut(&rest, '\n');
    }
    begin(sink, span_make(batch->bytes.at, last->from + last->len), fields, fields_count);
}

static void *open_sink(const struct sink_frame *frame)
{
    struct sink_http *sink = mem_take_zero(sizeof *sink);

    if (sink != NULL) {
        sink->frame = frame;
        sink->settings = (const struct sink_http_settings *)(const void *)frame->settings;
        buf_init(&sink->ours, (size_t)FIELDS_MAX_OURS * FIELD_MAX);
        loop_task_init(&sink->late, late_run);
    }
    return sink;
}

static void free_sink(void *to)
{
    struct sink_http *sink = to;

    if (sink != NULL) {
        fetcher_cancel(sink->fetching);
        loop_task_cancel(&sink->late);
        secret_buf_fini(&sink->ours);
        mem_give(sink, sizeof *sink);
    }
}

const struct sink_ops sink_ops_http = {.open = open_sink, .deliver = deliver, .free = free_sink};
