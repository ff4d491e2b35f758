/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/fake_redis.c: see fake_redis.h. */
#include "tests/contract/fake_redis.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOM = 256 * 1024 };

struct fake_peer {
    struct fake_peer *next;
    struct fake_redis *fake;
    struct event event;
    int fd;
    size_t len;
    char bytes[ROOM];
};

static const char info[] =
    "# Server\r\nrun_id:0123456789012345678901234567890123456789\r\nrole:master\r\n"
    "maxmemory_policy:noeviction\r\naof_enabled:1\r\n";

static void say(struct fake_peer *peer, const char *text)
{
    (void)!write(peer->fd, text, strlen(text));
}

static void answer(struct fake_peer *peer, const char *name, size_t len)
{
    struct fake_redis *fake = peer->fake;
    char room[1024];

    if (len == 7 && memcmp(name, "EVALSHA", 7) == 0) {
        fake->scripts++;
        if (fake->on_script != NULL) {
            say(peer, fake->on_script);
        }
    } else if (memcmp(name, "INFO", 4) == 0) {
        (void)snprintf(room, sizeof room, "$%zu\r\n%s\r\n", sizeof info - 1, info);
        say(peer, fake->on_info == NULL ? room : fake->on_info);
    } else if (memcmp(name, "CONFIG", 6) == 0) {
        say(peer, fake->on_config == NULL ? "*2\r\n$4\r\nsave\r\n$0\r\n\r\n" : fake->on_config);
    } else if (memcmp(name, "SCRIPT", 6) == 0) {
        say(peer, "$40\r\n0123456789012345678901234567890123456789\r\n");
    } else if (memcmp(name, "SELECT", 6) == 0) {
        say(peer, fake->on_hello == NULL ? "+OK\r\n" : fake->on_hello);
    } else {
        say(peer, "$-1\r\n");
    }
}

/* Bytes of one whole command at the begin; 0: it is not all there. */
static size_t command(struct fake_peer *peer, const char **name, size_t *name_len)
{
    char *at = peer->bytes;
    char *end = peer->bytes + peer->len;
    long count = 0;

    if (memchr(at, '\n', peer->len) == NULL) {
        return 0;
    }
    count = strtol(at + 1, &at, 10);
    at += 2;
    for (long i = 0; i < count; i++) {
        long len = 0;

        if (at >= end || memchr(at, '\n', (size_t)(end - at)) == NULL) {
            return 0;
        }
        len = strtol(at + 1, &at, 10);
        at += 2;
        if (end - at < len + 2) {
            return 0;
        }
        if (i == 0) {
            *name = at;
            *name_len = (size_t)len;
        }
        at += len + 2;
    }
    return (size_t)(at - peer->bytes);
}

static void read_cb(evutil_socket_t fd, short what, void *to)
{
    struct fake_peer *peer = to;
    ssize_t count = read(fd, peer->bytes + peer->len, ROOM - 1 - peer->len);
    const char *name = NULL;
    size_t name_len = 0;
    size_t size = 0;

    (void)what;
    if (count <= 0) {
        (void)event_del(&peer->event);
        return;
    }
    peer->len += (size_t)count;
    peer->bytes[peer->len] = '\0';
    while (peer->len > 0 && (size = command(peer, &name, &name_len)) > 0) {
        answer(peer, name, name_len);
        memmove(peer->bytes, peer->bytes + size, peer->len - size);
        peer->len -= size;
        peer->bytes[peer->len] = '\0';
    }
}

static void accept_cb(evutil_socket_t fd, short what, void *to)
{
    struct fake_redis *fake = to;
    struct fake_peer *peer = malloc(sizeof *peer);

    (void)what;
    assert_non_null(peer);
    memset(peer, 0, offsetof(struct fake_peer, bytes));
    peer->fake = fake;
    peer->fd = accept(fd, NULL, NULL);
    assert_true(peer->fd >= 0);
    (void)fcntl(peer->fd, F_SETFL, O_NONBLOCK);
    peer->next = fake->peers;
    fake->peers = peer;
    fake->connections++;
    (void)event_assign(&peer->event, loop_base(fake->loop), peer->fd, EV_READ | EV_PERSIST, read_cb,
                       peer);
    (void)event_add(&peer->event, NULL);
}

void fake_redis_start(struct fake_redis *fake, struct loop *loop)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    memset(fake, 0, sizeof *fake);
    fake->loop = loop;
    fake->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fake->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fake->fd, 64), 0);
    assert_int_equal(getsockname(fake->fd, (struct sockaddr *)&address, &size), 0);
    fake->port = ntohs(address.sin_port);
    (void)event_assign(&fake->event, loop_base(loop), fake->fd, EV_READ | EV_PERSIST, accept_cb,
                       fake);
    (void)event_add(&fake->event, NULL);
}

void fake_redis_stop(struct fake_redis *fake)
{
    while (fake->peers != NULL) {
        struct fake_peer *peer = fake->peers;

        fake->peers = peer->next;
        (void)event_del(&peer->event);
        (void)close(peer->fd);
        free(peer);
    }
    (void)event_del(&fake->event);
    (void)close(fake->fd);
}
