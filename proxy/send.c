/* SPDX-License-Identifier: Apache-2.0 */
/* Small things are put together first: a plain send costs the kernel less than a list of pieces. */
#include "proxy/send.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/must.h"

enum { SMALL_MAX = 4096 };

static ssize_t send_small(int fd, const struct span *pieces, size_t count)
{
    char bytes[SMALL_MAX];
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        if (pieces[i].len > 0) {
            memcpy(bytes + len, pieces[i].at, pieces[i].len);
            len += pieces[i].len;
        }
    }
    return send(fd, bytes, len, MSG_NOSIGNAL);
}

static ssize_t send_large(int fd, const struct span *pieces, size_t count, size_t max)
{
    struct iovec vector[SEND_PIECES_MAX];
    struct msghdr message = {.msg_iov = vector};
    size_t used = 0;

    for (; used < count && max > 0; used++) {
        /* sendmsg only reads, but its type does not say so. */
        vector[used].iov_base = (void *)(uintptr_t)pieces[used].at;
        vector[used].iov_len = pieces[used].len < max ? pieces[used].len : max;
        max -= vector[used].iov_len;
    }
    message.msg_iovlen = used;
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static ssize_t send_once(int fd, const struct span *pieces, size_t count, size_t total, size_t max)
{
    if (total > max || (total > SMALL_MAX && count > 1)) {
        return send_large(fd, pieces, count, max);
    }
    return count == 1 ? send(fd, pieces[0].at, total, MSG_NOSIGNAL)
                      : send_small(fd, pieces, count);
}

ssize_t send_spans(int fd, const struct span *pieces, size_t count, size_t max)
{
    size_t total = 0;
    ssize_t sent = 0;

    must(count <= SEND_PIECES_MAX);
    for (size_t i = 0; i < count; i++) {
        total += pieces[i].len;
    }
    do {
        sent = send_once(fd, pieces, count, total, max);
    } while (sent < 0 && errno == EINTR);
    return sent;
}
