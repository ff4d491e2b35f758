/* SPDX-License-Identifier: Apache-2.0 */
/* A sink of kind stdout. The descriptor is shared with whoever started us, so it is not made
 * non-blocking: it is asked whether it takes bytes, and gets no more at once than a pipe that says
 * so takes. Nobody waits for a reader who is slow: the batch stays, and the journal grows. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "proxy/sink.h"

enum { SLICE = 4096 /* POSIX */, LOOK_FIRST_MS = 2, LOOK_LAST_MS = 256 };

struct sink_stdout {
    const struct sink_frame *frame;
    struct loop_timer timer; /* looks again whether there is room */
    uint32_t look_ms;
    struct span left; /* of the batch */
    int file;
    bool is_file; /* never full for a moment: takes all or fails */
};

static void answer_as(struct sink_stdout *sink, enum sink_end how, const char *why)
{
    struct sink_answer answer = {.how = how, .why = {""}};

    why_set(&answer.why, "%s", why);
    sink->left = span_make(NULL, 0);
    loop_timer_set(&sink->timer, MONO_NEVER);
    sink->frame->done(sink->frame->to, &answer);
}

static bool has_room(const struct sink_stdout *sink)
{
    struct pollfd at = {.fd = sink->file, .events = POLLOUT};

    return sink->is_file || (poll(&at, 1, 0) == 1 && at.revents != 0);
}

static void push(struct sink_stdout *sink)
{
    while (sink->left.len > 0 && has_room(sink)) {
        size_t size = sink->is_file || sink->left.len < SLICE ? sink->left.len : SLICE;
        ssize_t count = write(sink->file, sink->left.at, size);

        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            break;
        }
        if (count < 0 && errno != EINTR) {
            answer_as(sink, SINK_FAILED, errno == EPIPE ? "nobody reads it" : strerror(errno));
            return;
        }
        sink->left = span_from(sink->left, count > 0 ? (size_t)count : 0);
        sink->look_ms = LOOK_FIRST_MS;
    }
    if (sink->left.len == 0) {
        answer_as(sink, SINK_DELIVERED, "");
        return;
    }
    loop_timer_set(&sink->timer, mono_add(loop_now(sink->frame->loop), sink->look_ms));
    sink->look_ms = sink->look_ms * 2 < LOOK_LAST_MS ? sink->look_ms * 2 : LOOK_LAST_MS;
}

static void timer_fire(struct loop_timer *timer, mono_ms now)
{
    (void)now;
    push(LIST_OWNER(timer, struct sink_stdout, timer));
}

static void deliver(void *to, const struct sink_batch *batch, size_t count)
{
    struct sink_stdout *sink = to;
    const struct sink_line *last = &batch->lines[count - 1];

    sink->left = span_make(batch->bytes.at, last->from + last->len);
    sink->look_ms = LOOK_FIRST_MS;
    push(sink);
}

static void *open_sink(const struct sink_frame *frame)
{
    struct sink_stdout *sink = mem_take_zero(sizeof *sink);
    struct stat status;

    if (sink != NULL) {
        sink->frame = frame;
        sink->file = STDOUT_FILENO;
        sink->is_file = fstat(sink->file, &status) == 0 && S_ISREG(status.st_mode);
        loop_timer_init(&sink->timer, frame->loop, timer_fire);
    }
    return sink;
}

static void free_sink(void *to)
{
    struct sink_stdout *sink = to;

    if (sink != NULL) {
        loop_timer_fini(&sink->timer);
        mem_give(sink, sizeof *sink);
    }
}

const struct sink_ops sink_ops_stdout = {.open = open_sink, .deliver = deliver, .free = free_sink};
