/* SPDX-License-Identifier: Apache-2.0 */
/* Binding and accepting. Out of descriptors it pauses, says so, and tries again later. */
#include "proxy/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "proxy/peer.h"

enum {
    BACKLOG = 1024,
    ACCEPTS_PER_TURN = 64, /* so that a flood of connects does not starve the calls */
    PAUSE_MS = 100,
    TELL_AGAIN_MS = 60000
};

struct listener {
    struct event event;
    struct loop_timer pause;
    struct env *env;
    int fd;
    enum conn_side side;
    bool is_paused;
    mono_ms told_at; /* 0: never */
    char address[160];
    char unix_path[108];
};

static enum err fail(struct why *why, const struct listen_address *address)
{
    int code = errno;

    if (code == EADDRINUSE) {
        why_set(why,
                "cannot listen on %.*s: it is already in use; stop the other program or choose "
                "another port with listen: in the configuration",
                SPAN_ARGS(address->text));
        return ERR_IN_USE;
    }
    why_set(why, "cannot listen on %.*s: %s", SPAN_ARGS(address->text), strerror(code));
    return code == EACCES || code == EPERM ? ERR_PERMISSION : ERR_SYSTEM;
}

static int set_up(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        return -1;
    }
    return 0;
}

/* ---- binding ---- */

static int bind_tcp(const struct listen_address *address)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[256];
    char port[8];
    int fd = -1;
    int one = 1;

    (void)snprintf(host, sizeof host, "%.*s", SPAN_ARGS(address->host));
    (void)snprintf(port, sizeof port, "%u", (unsigned)address->port);
    if (getaddrinfo(host[0] == '\0' ? NULL : host, port, &hints, &found) != 0 || found == NULL) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, found->ai_addr, found->ai_addrlen) < 0) {
            int code = errno;
            (void)close(fd);
            errno = code;
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

/* A socket file that nobody listens on any more is left over from a crash and may go. */
static void remove_stale(const struct sockaddr_un *name)
{
    struct stat status;
    int fd = -1;

    if (lstat(name->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return;
    }
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)name, sizeof *name) < 0 &&
        errno == ECONNREFUSED) {
        (void)unlink(name->sun_path);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static int bind_unix(const struct listen_address *address, char path[108])
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    mode_t mask = 0;
    int fd = -1;
    int failed = 0;

    if (address->unix_path.len >= sizeof name.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name.sun_path, address->unix_path.at, address->unix_path.len);
    remove_stale(&name);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) {
        return -1;
    }
    mask = umask(0077); /* the socket is ours alone; who else may call is the operator's chmod */
    failed = bind(fd, (const struct sockaddr *)&name, sizeof name);
    (void)umask(mask);
    if (failed != 0) {
        int code = errno;
        (void)close(fd);
        errno = code;
        return -1;
    }
    memcpy(path, name.sun_path, sizeof name.sun_path);
    return fd;
}

static void note_address(struct listener *listener, const struct listen_address *address)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    unsigned port = address->port;

    if (listener->unix_path[0] != '\0') {
        (void)snprintf(listener->address, sizeof listener->address, "unix:%s", listener->unix_path);
        return;
    }
    if (getsockname(listener->fd, (struct sockaddr *)&bound, &length) == 0) {
        if (bound.ss_family == AF_INET) {
            port = ntohs(((const struct sockaddr_in *)(const void *)&bound)->sin_port);
        } else if (bound.ss_family == AF_INET6) {
            port = ntohs(((const struct sockaddr_in6 *)(const void *)&bound)->sin6_port);
        }
    }
    (void)snprintf(listener->address, sizeof listener->address,
                   span_find(address->host, SPAN_OF(":")) != NULL ? "[%.*s]:%u" : "%.*s:%u",
                   SPAN_ARGS(address->host), port);
}

/* ---- accepting ---- */

static void pause_accepting(struct listener *listener)
{
    mono_ms now = loop_now(listener->env->loop);

    if (!listener->is_paused) {
        listener->is_paused = true;
        (void)event_del(&listener->event);
    }
    if (listener->told_at == 0 || now >= mono_add(listener->told_at, TELL_AGAIN_MS)) {
        listener->told_at = now;
        log_say(listener->env->log, LOG_ERROR, "accept_paused",
                "out of file descriptors: new connections wait; raise the limit (ulimit -n) or "
                "lower limits.calls");
    }
    loop_timer_set(&listener->pause, mono_add(now, PAUSE_MS));
}

void listener_try_again(struct listener *listener)
{
    if (listener->is_paused) {
        listener->is_paused = false;
        (void)event_add(&listener->event, NULL);
    }
}

static void pause_fire(struct loop_timer *timer, mono_ms now)
{
    (void)now;
    listener_try_again(LIST_OWNER(timer, struct listener, pause));
}

static void accept_one(struct listener *listener, int fd, const struct sockaddr_storage *from)
{
    struct silent_name peer = peer_name(from);
    int one = 1;

    if (set_up(fd) < 0) {
        (void)close(fd);
        return;
    }
    if (listener->unix_path[0] == '\0') {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    conn_open(listener->env, fd, listener->side, &peer);
}

static void on_accept_cb(evutil_socket_t listening, short what, void *to)
{
    struct listener *listener = to;

    (void)what;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t length = sizeof from;
        int fd = accept(listening, (struct sockaddr *)&from, &length);
        if (fd >= 0) {
            accept_one(listener, fd, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(listener);
        }
        if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* The limit on open files is final when the first listener opens. */
static void fit_silent(struct conns *conns)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        conns_fit(conns, limit.rlim_cur);
    }
}

enum err listener_open(struct env *env, const struct listen_address *address, enum conn_side side,
                       struct listener **out, struct why *why)
{
    struct listener *listener = mem_take_zero(sizeof *listener);

    *out = NULL;
    if (listener == NULL) {
        return ERR_MEMORY;
    }
    listener->env = env;
    listener->side = side;
    listener->fd =
        address->unix_path.len > 0 ? bind_unix(address, listener->unix_path) : bind_tcp(address);
    if (listener->fd < 0 || set_up(listener->fd) < 0 || listen(listener->fd, BACKLOG) < 0) {
        enum err err = fail(why, address);
        if (listener->fd >= 0) {
            (void)close(listener->fd);
        }
        mem_give(listener, sizeof *listener);
        return err;
    }
    note_address(listener, address);
    fit_silent(env->conns);
    loop_timer_init(&listener->pause, env->loop, pause_fire);
    (void)event_assign(&listener->event, loop_base(env->loop), listener->fd, EV_READ | EV_PERSIST,
                       on_accept_cb, listener);
    (void)event_add(&listener->event, NULL);
    *out = listener;
    return ERR_NONE;
}

void listener_close(struct listener *listener)
{
    if (listener == NULL) {
        return;
    }
    (void)event_del(&listener->event);
    loop_timer_fini(&listener->pause);
    (void)close(listener->fd);
    if (listener->unix_path[0] != '\0') {
        (void)unlink(listener->unix_path);
    }
    mem_give(listener, sizeof *listener);
}

enum conn_side listener_side(const struct listener *listener)
{
    return listener->side;
}

struct span listener_address(const struct listener *listener)
{
    return span_of(listener->address);
}
