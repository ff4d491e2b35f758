/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/peer.c: see peer.h. Every process here ends by itself after two minutes, whatever
 * becomes of the test. */
/* Shared anonymous memory is no part of POSIX. */
#define _DEFAULT_SOURCE 1

#include "tests/contract/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"
#include "tests/contract/patience.h"
#include "tests/contract/peer_tls.h"

enum { LIFETIME_S = 120, ACCEPTS_MAX = 100000, PARENT_CHECK_MS = 100 };

static void run_connection(int fd, unsigned nth, struct shared *shared, peer_script *script,
                           const void *with)
{
    static struct peer peer;
    alarm(patient(LIFETIME_S));
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    peer = (struct peer){.fd = fd, .nth = nth, .shared = shared, .with = with};
    script(&peer);
    if (peer.tls != NULL) {
        peer_tls_close(&peer);
    }
    if (peer.fd >= 0) {
        (void)close(peer.fd);
    }
    atomic_fetch_sub(&shared->open, 1);
    _exit(0);
}

/* A test that failed leaves its server behind: that must not hold the test's output open, and goes
 * as soon as the test has gone. */
static void leave_output(void)
{
    int nowhere = open("/dev/null", O_RDWR);
    must(nowhere >= 0);
    (void)dup2(nowhere, STDOUT_FILENO);
    (void)dup2(nowhere, STDERR_FILENO);
}

static void serve(int listener, struct shared *shared, peer_script *script, const void *with)
{
    pid_t test = getppid();
    struct pollfd watched = {.fd = listener, .events = POLLIN};
    leave_output();
    (void)setpgid(0, 0);
    (void)signal(SIGCHLD, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    alarm(patient(LIFETIME_S));
    for (unsigned i = 0; i < ACCEPTS_MAX && getppid() == test; i++) {
        if (poll(&watched, 1, PARENT_CHECK_MS) != 1) {
            continue;
        }
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            continue;
        }
        unsigned nth = atomic_fetch_add(&shared->connections, 1);
        unsigned open = atomic_fetch_add(&shared->open, 1) + 1;
        if (open > atomic_load(&shared->open_max)) {
            atomic_store(&shared->open_max, open);
        }
        if (fork() == 0) {
            (void)close(listener);
            run_connection(fd, nth, shared, script, with);
        }
        (void)close(fd);
    }
    _exit(0);
}

struct server server_start_at(const char *address, uint16_t port, peer_script *script,
                              const void *with)
{
    struct server server = {0};
    server.shared = mmap(NULL, sizeof *server.shared, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(server.shared != MAP_FAILED);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    must(inet_pton(AF_INET, address, &at.sin_addr) == 1);
    int on = 1;
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    must(bind(listener, (struct sockaddr *)(void *)&at, sizeof at) == 0);
    must(listen(listener, 512) == 0);
    socklen_t size = sizeof at;
    must(getsockname(listener, (struct sockaddr *)(void *)&at, &size) == 0);
    server.port = ntohs(at.sin_port);
    server.pid = fork();
    must(server.pid >= 0);
    if (server.pid == 0) {
        serve(listener, server.shared, script, with);
    }
    (void)setpgid(server.pid, server.pid);
    (void)close(listener);
    return server;
}

struct server server_start(peer_script *script, const void *with)
{
    return server_start_at("127.0.0.1", 0, script, with);
}

void server_stop(struct server *server)
{
    if (server->pid > 0) {
        (void)kill(-server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
        (void)munmap(server->shared, sizeof *server->shared);
        server->pid = 0;
    }
}

ssize_t peer_read(struct peer *peer, char *at, size_t size)
{
    return peer->tls != NULL ? peer_tls_read(peer, at, size) : recv(peer->fd, at, size, 0);
}

void peer_send(struct peer *peer, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = peer->tls != NULL ? peer_tls_write(peer, bytes, count)
                                         : send(peer->fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        bytes += sent;
        count -= (size_t)sent;
    }
}

void peer_say(struct peer *peer, const char *text)
{
    peer_send(peer, text, strlen(text));
}

static char *find_blank_line(struct peer *peer)
{
    for (size_t i = 0; i + 4 <= peer->unread_len; i++) {
        if (memcmp(peer->unread + i, "\r\n\r\n", 4) == 0) {
            return peer->unread + i + 4;
        }
    }
    return NULL;
}

static uint64_t content_length(const char *head, size_t len)
{
    static const char name[] = "content-length: ";
    for (size_t i = 0; i + sizeof name < len; i++) {
        if (memcmp(head + i, name, sizeof name - 1) == 0) {
            return strtoull(head + i + sizeof name - 1, NULL, 10);
        }
    }
    return 0;
}

/* Takes a head off what was read; its length, 0 at the end of the connection. */
static size_t read_head(struct peer *peer, uint64_t *body)
{
    char *end;
    while ((end = find_blank_line(peer)) == NULL) {
        if (peer->unread_len == sizeof peer->unread) {
            return 0;
        }
        ssize_t got = peer_read(peer, peer->unread + peer->unread_len,
                                sizeof peer->unread - peer->unread_len);
        if (got <= 0) {
            return 0;
        }
        peer->unread_len += (size_t)got;
    }
    size_t len = (size_t)(end - peer->unread);
    *body = content_length(peer->unread, len);
    memmove(peer->unread, end, peer->unread_len - len);
    peer->unread_len -= len;
    return len;
}

bool peer_take_head(struct peer *peer)
{
    uint64_t body = 0;
    return read_head(peer, &body) > 0;
}

bool peer_take(struct peer *peer)
{
    uint64_t body = 0;
    if (read_head(peer, &body) == 0) {
        atomic_fetch_add(&peer->shared->ends, 1);
        return false;
    }
    uint64_t left = body;
    size_t first = peer->unread_len < left ? peer->unread_len : (size_t)left;
    memmove(peer->unread, peer->unread + first, peer->unread_len - first);
    peer->unread_len -= first;
    left -= first;
    static char sink[65536];
    while (left > 0) {
        ssize_t got = peer_read(peer, sink, left < sizeof sink ? (size_t)left : sizeof sink);
        if (got <= 0) {
            atomic_fetch_add(&peer->shared->ends, 1);
            return false;
        }
        left -= (uint64_t)got;
    }
    atomic_store(&peer->shared->body, body);
    atomic_fetch_add(&peer->shared->requests, 1);
    return true;
}

void peer_reset(struct peer *peer)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    (void)close(peer->fd);
    peer->fd = -1;
}

void peer_wait_end(struct peer *peer)
{
    static char sink[65536];
    while (peer_read(peer, sink, sizeof sink) > 0) {
    }
    atomic_fetch_add(&peer->shared->ends, 1);
}

void shared_wait(struct shared *shared, unsigned value)
{
    uint32_t turns = patient(20000);
    for (uint32_t i = 0; i < turns && atomic_load(&shared->signal) < value; i++) {
        (void)poll(NULL, 0, 1);
    }
    must(atomic_load(&shared->signal) >= value);
}
