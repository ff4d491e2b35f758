/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/curl_loop.c: the multi interface of libcurl on libevent. libcurl says which sockets it
 * wants watched and when it wants to be called; what is done is collected after it has returned,
 * because a handle may not be removed from inside its callbacks. */
#include "proxy/curl_loop.h"

#include "base/mem.h"
#include "base/must.h"

struct curl_loop {
    CURLM *multi;
    struct loop *loop;
    struct loop_timer timer;
    struct link socks;
    curl_loop_done *on_done;
    void *to;
};

/* One socket that libcurl wants watched. */
struct curl_sock {
    struct event event;
    struct link link;
    struct curl_loop *owner;
};

/* More handles than this are never done at once: a multi holds far fewer. */
enum { DONE_MAX = 100000 };

static void tell_done(struct curl_loop *curl_loop)
{
    for (unsigned i = 0; i < DONE_MAX; i++) {
        int left = 0;
        const CURLMsg *message = curl_multi_info_read(curl_loop->multi, &left);
        if (message == NULL) {
            return;
        }
        /* The message dies with its handle, so it is copied first. */
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        if (message->msg == CURLMSG_DONE) {
            curl_loop->on_done(curl_loop->to, easy, code);
        }
    }
}

static void sock_cb(evutil_socket_t fd, short what, void *to)
{
    struct curl_loop *curl_loop = ((struct curl_sock *)to)->owner;
    int seen = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
               ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
    int running = 0;
    curl_multi_socket_action(curl_loop->multi, fd, seen, &running);
    tell_done(curl_loop);
}

static void timer_fire(struct loop_timer *timer, mono_ms now)
{
    (void)now;
    struct curl_loop *curl_loop = LIST_OWNER(timer, struct curl_loop, timer);
    int running = 0;
    curl_multi_socket_action(curl_loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    tell_done(curl_loop);
}

static void sock_drop(struct curl_sock *sock)
{
    event_del(&sock->event);
    list_remove(&sock->link);
    mem_give(sock, sizeof *sock);
}

/* A failure told here would end the whole multi for good (libcurl calls it dead); a socket that is
 * not watched is only slow, because curl_loop_poke looks at all of them. */
static int socket_cb(CURL *easy, curl_socket_t fd, int what, void *to, void *known)
{
    (void)easy;
    struct curl_loop *curl_loop = to;
    struct curl_sock *sock = known;
    if (what == CURL_POLL_REMOVE) {
        if (sock != NULL) {
            sock_drop(sock);
            curl_multi_assign(curl_loop->multi, fd, NULL);
        }
        return 0;
    }
    if (sock == NULL) {
        sock = mem_take(sizeof *sock);
        if (sock == NULL) {
            return 0;
        }
        sock->owner = curl_loop;
        list_init(&sock->link);
        list_push_back(&curl_loop->socks, &sock->link);
        curl_multi_assign(curl_loop->multi, fd, sock);
    } else {
        event_del(&sock->event);
    }
    short wanted = (short)(((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                           ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0) | EV_PERSIST);
    must(event_assign(&sock->event, loop_base(curl_loop->loop), fd, wanted, sock_cb, sock) == 0);
    (void)event_add(&sock->event, NULL);
    return 0;
}

static int timer_cb(CURLM *multi, long ms, void *to)
{
    (void)multi;
    struct curl_loop *curl_loop = to;
    loop_timer_set(&curl_loop->timer,
                   ms < 0 ? MONO_NEVER : mono_add(loop_now(curl_loop->loop), (uint64_t)ms));
    return 0;
}

struct curl_loop *curl_loop_new(struct loop *loop, curl_loop_done *on_done, void *to)
{
    struct curl_loop *curl_loop = mem_take_zero(sizeof *curl_loop);
    if (curl_loop == NULL) {
        return NULL;
    }
    curl_loop->multi = curl_multi_init();
    if (curl_loop->multi == NULL) {
        mem_give(curl_loop, sizeof *curl_loop);
        return NULL;
    }
    curl_loop->loop = loop;
    curl_loop->on_done = on_done;
    curl_loop->to = to;
    list_init(&curl_loop->socks);
    loop_timer_init(&curl_loop->timer, loop, timer_fire);
    curl_multi_setopt(curl_loop->multi, CURLMOPT_SOCKETFUNCTION, socket_cb);
    curl_multi_setopt(curl_loop->multi, CURLMOPT_SOCKETDATA, curl_loop);
    curl_multi_setopt(curl_loop->multi, CURLMOPT_TIMERFUNCTION, timer_cb);
    curl_multi_setopt(curl_loop->multi, CURLMOPT_TIMERDATA, curl_loop);
    return curl_loop;
}

void curl_loop_free(struct curl_loop *curl_loop)
{
    if (curl_loop == NULL) {
        return;
    }
    curl_multi_cleanup(curl_loop->multi);
    while (!list_is_empty(&curl_loop->socks)) {
        sock_drop(LIST_OWNER(curl_loop->socks.next, struct curl_sock, link));
    }
    loop_timer_fini(&curl_loop->timer);
    mem_give(curl_loop, sizeof *curl_loop);
}

enum err curl_loop_add(struct curl_loop *curl_loop, CURL *easy)
{
    return curl_multi_add_handle(curl_loop->multi, easy) == CURLM_OK ? ERR_NONE : ERR_MEMORY;
}

void curl_loop_remove(struct curl_loop *curl_loop, CURL *easy)
{
    curl_multi_remove_handle(curl_loop->multi, easy);
}

void curl_loop_poke(struct curl_loop *curl_loop)
{
    int running = 0;
    curl_multi_socket_all(curl_loop->multi, &running);
    tell_done(curl_loop);
}
