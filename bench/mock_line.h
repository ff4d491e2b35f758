/* SPDX-License-Identifier: Apache-2.0 */
/* bench/mock_line.h: one accepted connection of the mock as bytes in and out, plain or TLS. */
#ifndef BENCH_MOCK_LINE_H
#define BENCH_MOCK_LINE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* All zero before line_open. */
struct line {
    int fd, epoll;
    void *owner; /* what epoll reports */
    SSL *tls;    /* NULL on a plain connection */
    char *out;   /* unsent bytes, owned; NULL when there are none */
    size_t out_size, out_sent;
};

/* Takes the non-blocking socket and watches it for input. tls == NULL: plain. */
void line_open(struct line *line, int fd, int epoll, SSL_CTX *tls, void *owner);

/* Like recv: 0 at the end, -1 with EAGAIN when there is nothing yet. */
ssize_t line_read(struct line *line, char *to, size_t size);

/* Sends, and keeps what the socket does not take now. False: the line is of no more use. */
bool line_send(struct line *line, const char *data, size_t size);

/* To be called when the socket is writable. False as above. */
bool line_flush(struct line *line);

void line_close(struct line *line);

#endif
