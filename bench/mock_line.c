/* SPDX-License-Identifier: Apache-2.0 */
/* bench/mock_line.c: output is written at once; only what the kernel refuses is kept, and only
 * then is the socket watched for output, so that the usual answer costs one call. */
#define _GNU_SOURCE
#include "bench/mock_line.h"
#include <errno.h>
#include <openssl/err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG_MAX = 320 * 1024 /* unsent bytes after which a line is given up */ };

static void watch(struct line *line, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = line->owner};
    epoll_ctl(line->epoll, operation, line->fd, &event);
}

void line_open(struct line *line, int fd, int epoll, SSL_CTX *tls, void *owner)
{
    line->fd = fd;
    line->epoll = epoll;
    line->owner = owner;
    if (tls) {
        line->tls = SSL_new(tls);
        SSL_set_fd(line->tls, fd);
        SSL_set_accept_state(line->tls);
    }
    watch(line, EPOLL_CTL_ADD, EPOLLIN);
}

/* The result of an OpenSSL call in the words of recv and send. */
static ssize_t tls_result(const struct line *line, int n)
{
    if (n > 0) {
        return n;
    }
    int error = SSL_get_error(line->tls, n);
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

ssize_t line_read(struct line *line, char *to, size_t size)
{
    if (!line->tls) {
        return recv(line->fd, to, size, 0);
    }
    ERR_clear_error();
    return tls_result(line, SSL_read(line->tls, to, (int)size));
}

static ssize_t line_write(struct line *line, const char *data, size_t size)
{
    if (!line->tls) {
        return send(line->fd, data, size, MSG_NOSIGNAL);
    }
    ERR_clear_error();
    return tls_result(line, SSL_write(line->tls, data, (int)size));
}

bool line_send(struct line *line, const char *data, size_t size)
{
    size_t sent = 0;
    if (!line->out) {
        ssize_t n = line_write(line, data, size);
        if (n < 0 && errno != EAGAIN) {
            return false;
        }
        sent = n > 0 ? (size_t)n : 0;
    }
    if (sent == size) {
        return true;
    }
    size_t left = size - sent;
    char *grown =
        left > BACKLOG_MAX - line->out_size ? NULL : realloc(line->out, line->out_size + left);
    if (!grown) {
        return false;
    }
    memcpy(grown + line->out_size, data + sent, left);
    if (!line->out) {
        watch(line, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    line->out = grown;
    line->out_size += left;
    return true;
}

bool line_flush(struct line *line)
{
    while (line->out && line->out_sent < line->out_size) {
        ssize_t n = line_write(line, line->out + line->out_sent, line->out_size - line->out_sent);
        if (n < 0) {
            return errno == EAGAIN;
        }
        line->out_sent += (size_t)n;
    }
    free(line->out);
    line->out = NULL;
    line->out_size = line->out_sent = 0;
    watch(line, EPOLL_CTL_MOD, EPOLLIN);
    return true;
}

void line_close(struct line *line)
{
    SSL_free(line->tls);
    close(line->fd);
    free(line->out);
}
