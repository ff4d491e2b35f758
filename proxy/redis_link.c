/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/redis_link.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "base/mem.h"
#include "base/secret.h"

enum {
    OUT_MAX = 8 * 1024 * 1024,     /* a batch with its framing */
    REPLIES_MAX = 4 * 1024 * 1024, /* bytes of all replies to what was sent at once */
    ITEMS_MAX = 256 * 1024,        /* of an array */
    DIAL_MS = 10000,
    GREET_MS = 10000
};

struct redis_link {
    struct loop *loop;
    struct fetcher *fetcher;
    const struct redis_url *url;
    struct redis_link_ears ears;
    struct fetching *dial;
    struct loop_task late; /* says that it could not even begin */
    struct loop_timer timer;
    struct event event;
    short watched;
    int fd; /* -1: closed */
    redisReader *reader;
    struct buf out;
    size_t sent;        /* of out */
    size_t due;         /* replies */
    unsigned greetings; /* of them, to AUTH and SELECT */
    size_t heard;       /* bytes since the last send */
    bool is_bare;
    redisReplyObjectFunctions functions; /* the reader's own, but for arrays */
    const redisReplyObjectFunctions *own;
};

#if HIREDIS_MAJOR >= 1
typedef size_t array_count;
#else
typedef int array_count;
#endif

/* hiredis takes the memory for as many items as the server says there will be, and looks at each of them
 * when it gives it back. */
static void *create_array(const redisReadTask *task, array_count count)
{
    const struct redis_link *redis = task->privdata;

    return count > ITEMS_MAX ? NULL : redis->own->createArray(task, count);
}

/* ---- closing ---- */

void redis_link_close(struct redis_link *redis)
{
    fetcher_cancel(redis->dial);
    redis->dial = NULL;
    loop_task_cancel(&redis->late);
    loop_timer_set(&redis->timer, MONO_NEVER);
    if (redis->fd >= 0) {
        (void)event_del(&redis->event);
        (void)close(redis->fd);
        redis->fd = -1;
    }
    if (redis->reader != NULL) {
        redisReaderFree(redis->reader);
        redis->reader = NULL;
    }
    secret_buf_fini(&redis->out);
    redis->sent = 0;
    redis->due = 0;
    redis->greetings = 0;
}

static void go_down(struct redis_link *redis, const char *text)
{
    struct redis_link_ears ears = redis->ears;
    struct why why;

    why_set(&why, "%s", text);
    redis_link_close(redis);
    ears.on_down(ears.to, &why);
}

static void timer_fire(struct loop_timer *timer, mono_ms now)
{
    (void)now;
    go_down(LIST_OWNER(timer, struct redis_link, timer), "it does not answer in time");
}

/* ---- replies ---- */

/* AUTH and SELECT. False: it is down. */
static bool hear_greeting(struct redis_link *redis, const redisReply *reply)
{
    struct why why;

    if (reply->type == REDIS_REPLY_ERROR) {
        why_set(&why, "%.*s", (int)reply->len, reply->str);
        go_down(redis, why.text);
        return false;
    }
    redis->greetings--;
    if (redis->greetings == 0) {
        loop_timer_set(&redis->timer, MONO_NEVER);
        redis->ears.on_ready(redis->ears.to);
    }
    return redis->fd >= 0;
}

/* False: it is down or closed. */
static bool hear(struct redis_link *redis, const redisReply *reply)
{
    if (redis->due == 0) {
        go_down(redis, "it says what nobody asked");
        return false;
    }
    redis->due--;
    if (redis->greetings > 0) {
        return hear_greeting(redis, reply);
    }
    if (redis->due == 0) {
        loop_timer_set(&redis->timer, MONO_NEVER);
    }
    redis->ears.on_reply(redis->ears.to, reply);
    return redis->fd >= 0;
}

/* The reader may be gone after each reply, and another one there. */
static void hear_all(struct redis_link *redis)
{
    redisReader *reader = redis->reader;

    for (;;) {
        void *reply = NULL;
        bool goes_on = false;

        if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
            go_down(redis, "it speaks no Redis protocol");
            return;
        }
        if (reply == NULL) {
            return;
        }
        goes_on = hear(redis, reply) && redis->reader == reader;
        freeReplyObject(reply);
        if (!goes_on) {
            return;
        }
    }
}

/* ---- the socket ---- */

static void watch(struct redis_link *redis, short wanted);

static void read_bytes(struct redis_link *redis)
{
    char *at = loop_recv_buffer(redis->loop);
    ssize_t count = recv(redis->fd, at, LIMIT_RECV, 0);

    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return;
    }
    if (count <= 0) {
        go_down(redis, count == 0 ? "it closed the connection" : strerror(errno));
        return;
    }
    redis->heard += (size_t)count;
    if (redis->heard > REPLIES_MAX) {
        go_down(redis, "it answers too much");
        return;
    }
    if (redisReaderFeed(redis->reader, at, (size_t)count) != REDIS_OK) {
        go_down(redis, "it speaks no Redis protocol");
        return;
    }
    hear_all(redis);
}

static void write_bytes(struct redis_link *redis)
{
    while (redis->sent < redis->out.len) {
        ssize_t count = send(redis->fd, redis->out.at + redis->sent, redis->out.len - redis->sent,
                             MSG_NOSIGNAL);

        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            watch(redis, EV_READ | EV_WRITE);
            return;
        }
        if (count < 0) {
            go_down(redis, strerror(errno));
            return;
        }
        redis->sent += (size_t)count;
    }
    buf_clear(&redis->out);
    redis->sent = 0;
    watch(redis, EV_READ);
}

static void socket_cb(evutil_socket_t fd, short what, void *to)
{
    struct redis_link *redis = to;

    (void)fd;
    if ((what & EV_WRITE) != 0) {
        write_bytes(redis);
    }
    if ((what & EV_READ) != 0 && redis->fd >= 0) {
        read_bytes(redis);
    }
}

static void watch(struct redis_link *redis, short wanted)
{
    if (redis->watched != wanted) {
        (void)event_del(&redis->event);
        must(event_assign(&redis->event, loop_base(redis->loop), redis->fd,
                          (short)(wanted | EV_PERSIST), socket_cb, redis) == 0);
        redis->watched = wanted;
        (void)event_add(&redis->event, NULL);
    }
}

/* ---- opening ---- */

static void greet(struct redis_link *redis)
{
    const struct redis_url *url = redis->url;
    bool has_user = url->user.len > 0;

    if (url->password.len > 0) {
        redis_link_begin(redis, has_user ? 3 : 2);
        redis_link_put(redis, SPAN_OF("AUTH"));
        if (has_user) {
            redis_link_put(redis, url->user);
        }
        redis_link_put(redis, url->password);
    }
    /* Always, so that there is an answer which says that this is Redis. */
    redis_link_begin(redis, 2);
    redis_link_put(redis, SPAN_OF("SELECT"));
    {
        char digits[16];
        struct buf number;

        buf_init(&number, sizeof digits);
        buf_put_u64(&number, url->database);
        redis_link_put(redis, buf_span(&number));
        buf_fini(&number);
    }
    redis->greetings = url->password.len > 0 ? 2 : 1;
    redis_link_send(redis, GREET_MS);
}

static void dialed(void *to, int fd, const struct why *why)
{
    struct redis_link *redis = to;

    redis->dial = NULL;
    if (fd < 0) {
        go_down(redis, why->text);
        return;
    }
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    redis->fd = fd;
    redis->reader = redisReaderCreate();
    if (redis->reader == NULL) {
        go_down(redis, err_text(ERR_MEMORY));
        return;
    }
    redis->own = redis->reader->fn;
    redis->functions = *redis->own;
    redis->functions.createArray = create_array;
    redis->reader->fn = &redis->functions;
    redis->reader->privdata = redis;
    redis->watched = 0;
    must(event_assign(&redis->event, loop_base(redis->loop), fd, EV_READ | EV_PERSIST, socket_cb,
                      redis) == 0);
    if (redis->is_bare) {
        watch(redis, EV_READ);
        redis->ears.on_ready(redis->ears.to);
    } else {
        greet(redis);
    }
}

void redis_link_be_bare(struct redis_link *redis)
{
    redis->is_bare = true;
}

static void late_run(struct loop_task *task)
{
    go_down(LIST_OWNER(task, struct redis_link, late), err_text(ERR_MEMORY));
}

void redis_link_open(struct redis_link *redis)
{
    must(redis->fd < 0 && redis->dial == NULL);
    redis->dial =
        fetcher_dial(redis->fetcher, redis->url->host, redis->url->port, DIAL_MS, dialed, redis);
    if (redis->dial == NULL) {
        loop_task_queue(redis->loop, &redis->late);
    }
}

/* ---- commands ---- */

static void put_head(struct redis_link *redis, char kind, size_t number)
{
    buf_put_char(&redis->out, kind);
    buf_put_u64(&redis->out, number);
    buf_put(&redis->out, SPAN_OF("\r\n"));
}

void redis_link_begin(struct redis_link *redis, size_t count)
{
    put_head(redis, '*', count);
    redis->due++;
}

void redis_link_put(struct redis_link *redis, struct span text)
{
    put_head(redis, '$', text.len);
    buf_put(&redis->out, text);
    buf_put(&redis->out, SPAN_OF("\r\n"));
}

void redis_link_send(struct redis_link *redis, uint32_t ms)
{
    redis->heard = 0;
    if (redis->out.failed) {
        loop_task_queue(redis->loop, &redis->late);
        return;
    }
    loop_timer_set(&redis->timer, mono_add(loop_now(redis->loop), ms));
    /* Written by the socket's own event, so that nobody hears of an end from inside of here. */
    watch(redis, EV_READ | EV_WRITE);
}

/* ---- the whole ---- */

struct redis_link *redis_link_new(struct loop *loop, struct fetcher *fetcher,
                                  const struct redis_url *url, const struct redis_link_ears *ears)
{
    struct redis_link *redis = mem_take_zero(sizeof *redis);

    if (redis != NULL) {
        redis->loop = loop;
        redis->fetcher = fetcher;
        redis->url = url;
        redis->ears = *ears;
        redis->fd = -1;
        buf_init(&redis->out, OUT_MAX);
        loop_task_init(&redis->late, late_run);
        loop_timer_init(&redis->timer, loop, timer_fire);
    }
    return redis;
}

void redis_link_free(struct redis_link *redis)
{
    if (redis != NULL) {
        redis_link_close(redis);
        loop_timer_fini(&redis->timer);
        mem_give(redis, sizeof *redis);
    }
}

/* ---- what replies say ---- */

struct span redis_reply_text(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR || reply->type == REDIS_REPLY_STATUS
               ? span_make(reply->str, (size_t)reply->len)
               : span_make("", 0);
}

bool redis_reply_is_error(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR;
}

bool redis_reply_is_nil(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_NIL;
}

struct span redis_reply_bytes(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING ? span_make(reply->str, (size_t)reply->len)
                                             : span_make(NULL, 0);
}

bool redis_reply_number(const struct redisReply *reply, int64_t *number)
{
    *number = reply->integer;
    return reply->type == REDIS_REPLY_INTEGER;
}

size_t redis_reply_count(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
}

const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t i)
{
    return reply->element[i];
}
