/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/line.c: sockets of providers, read and written. A read event that is never taken off while
 * all goes well costs no system call per request. */
#include "proxy/line.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"
#include "proxy/send.h"

/* One call of the kernel copies no more than this, so that a great body does not hold the loop. */
enum { SEND_MAX = 256 * 1024 };

static void readable_cb(evutil_socket_t fd, short what, void *to)
{
    (void)fd;
    (void)what;
    struct line *line = to;
    line->on_readable(line);
}

static void close_connection(int fd, struct dial_tls *tls)
{
    if (tls != NULL) {
        dial_tls_close(tls);
    } else {
        (void)close(fd);
    }
}

struct line *line_new(struct loop *loop, struct dial_line from)
{
    struct line *line = mem_take_zero(sizeof *line);
    if (line == NULL) {
        close_connection(from.fd, from.tls);
        return NULL;
    }
    list_init(&line->link);
    ahead_place_init(&line->place);
    line->fd = from.fd;
    line->tls = from.tls;
    line->born = loop_now(loop);
    must(event_assign(&line->readable, loop_base(loop), from.fd, EV_READ | EV_PERSIST, readable_cb,
                      line) == 0);
    line_watch(line, true);
    return line;
}

void line_free(struct line *line)
{
    line_watch(line, false);
    list_remove(&line->link);
    ahead_take_out(&line->place);
    close_connection(line->fd, line->tls);
    mem_give(line, sizeof *line);
}

void line_watch(struct line *line, bool is_wanted)
{
    if (is_wanted == line->is_watched) {
        return;
    }
    line->is_watched = is_wanted;
    if (is_wanted) {
        must(event_add(&line->readable, NULL) == 0);
    } else {
        event_del(&line->readable);
    }
}

static bool is_again(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

enum dial_step line_recv(struct line *line, char *at, size_t size, size_t *count)
{
    *count = 0;
    if (line->tls != NULL) {
        return dial_tls_recv(line->tls, at, size, count);
    }
    ssize_t got = recv(line->fd, at, size, 0);
    if (got < 0) {
        return is_again(errno) ? DIAL_AGAIN : DIAL_RESET;
    }
    *count = (size_t)got;
    return got == 0 ? DIAL_CLOSED : DIAL_MOVED;
}

void line_warm(const struct line *line)
{
    for (size_t i = 0; i < LINE_WARM_MAX; i++) {
        mem_warm(line->warm[i].at, line->warm[i].len);
    }
}

static struct heard hear_now(struct line *line, char *at, size_t size)
{
    size_t count = 0;
    enum dial_step step = line_recv(line, at, size, &count);
    return (struct heard){.step = step, .is_full = count == size, .bytes = span_make(at, count)};
}

void line_read_ahead(struct line *line, char *at, size_t room)
{
    must(!line->has_ahead);
    line->ahead = hear_now(line, at, room);
    line->has_ahead = true;
}

struct heard line_hear(struct line *line, char *buffer, size_t size)
{
    if (line->has_ahead) {
        line->has_ahead = false;
        return line->ahead;
    }
    return hear_now(line, buffer, size);
}

enum dial_step line_send_pieces(struct line *line, const struct span *pieces, size_t pieces_count,
                                size_t *count)
{
    *count = 0;
    ssize_t sent = send_spans(line->fd, pieces, pieces_count, SEND_MAX);
    if (sent < 0) {
        return is_again(errno) ? DIAL_AGAIN : DIAL_RESET;
    }
    *count = (size_t)sent;
    return DIAL_MOVED;
}
