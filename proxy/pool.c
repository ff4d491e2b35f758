/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/pool.c: see pool.h. Every operation on the path of a request is O(1): lists are pushed and
 * popped at their ends, and the connections in use stand in none. */
#include "proxy/pool.h"

#include "base/mem.h"
#include "base/must.h"

/* One endpoint's connections. The front of `idle` is the one used last, its back the oldest. */
struct home {
    struct pool *pool;
    struct link idle;
    struct link waiting;
    struct loop_timer sweep; /* closes what has been idle for too long */
    uint32_t idle_count;
    uint32_t waiting_count;
    uint32_t dials;
};

struct pool {
    struct loop *loop;
    struct dialer *dialer;
    struct home **homes; /* by the endpoint's index; made when first used */
    size_t homes_count;
    unsigned idle_count;
};

static void line_close(struct home *home, struct line *line)
{
    if (!list_is_empty(&line->link)) {
        home->idle_count--;
        home->pool->idle_count--;
    }
    line_free(line);
}

/* Whatever an idle connection has to say, it is the end; except that TLS may have had tickets to
 * store and nothing for us. */
static void idle_readable(struct line *line)
{
    char byte;
    size_t count = 0;
    if (line_recv(line, &byte, sizeof byte, &count) != DIAL_AGAIN) {
        line_close(line->home, line);
    }
}

static void sweep_fire(struct loop_timer *timer, mono_ms now)
{
    struct home *home = LIST_OWNER(timer, struct home, sweep);
    while (!list_is_empty(&home->idle)) {
        struct line *line = LIST_OWNER(home->idle.prev, struct line, link);
        if (line->idle_until > now) {
            loop_timer_set(timer, line->idle_until);
            return;
        }
        line_close(home, line);
    }
}

/* NULL without memory. */
static struct home *home_of(struct pool *pool, const struct provider *provider)
{
    size_t index = provider->endpoint.index;
    must(index < pool->homes_count);
    struct home *home = pool->homes[index];
    if (home == NULL) {
        home = mem_take_zero(sizeof *home);
        if (home == NULL) {
            return NULL;
        }
        home->pool = pool;
        list_init(&home->idle);
        list_init(&home->waiting);
        loop_timer_init(&home->sweep, pool->loop, sweep_fire);
        pool->homes[index] = home;
    }
    return home;
}

static struct pool_user *first_waiting(struct home *home)
{
    return LIST_OWNER(home->waiting.next, struct pool_user, link);
}

static void call_user(struct home *home, struct pool_user *user)
{
    list_remove(&user->link);
    home->waiting_count--;
    loop_task_queue(home->pool->loop, user->task);
}

static void fail_user(struct home *home, struct pool_user *user, enum outcome how)
{
    user->has_failed = true;
    user->failure = how;
    call_user(home, user);
}

/* Taken, but its user has not run yet; that happens in this very turn, and he will look. */
static void unclaimed_readable(struct line *line)
{
    line_watch(line, false);
}

static void keep(struct home *home, struct line *line, const struct provider *provider)
{
    mono_ms now = loop_now(home->pool->loop);
    line->idle_until = mono_add(now, provider->pool_idle_ms);
    if (provider->pool_idle == 0 || now - line->born >= provider->pool_life_ms) {
        line_close(home, line);
        return;
    }
    if (home->idle_count >= provider->pool_idle) {
        line_close(home, LIST_OWNER(home->idle.prev, struct line, link));
    }
    line->is_kept = true;
    line->on_readable = idle_readable;
    line_watch(line, true);
    list_push_front(&home->idle, &line->link);
    home->idle_count++;
    home->pool->idle_count++;
    if (home->sweep.wanted == MONO_NEVER) {
        loop_timer_set(&home->sweep, line->idle_until);
    }
}

/* The one who waits longest and takes this connection, or NULL. */
static struct pool_user *taker_of(const struct home *home, const struct line *line)
{
    for (struct link *at = home->waiting.next; at != &home->waiting; at = at->next) {
        struct pool_user *user = LIST_OWNER(at, struct pool_user, link);
        if (!line->is_kept || !user->is_fresh) {
            return user;
        }
    }
    return NULL;
}

/* To the one who waits longest, else among the idle. */
static void place(struct home *home, struct line *line, const struct provider *provider)
{
    struct pool_user *user = taker_of(home, line);
    if (user == NULL) {
        keep(home, line, provider);
        return;
    }
    line->on_readable = unclaimed_readable;
    user->line = line;
    call_user(home, user);
}

static void dial_more(struct home *home);

/* Which dial brings which connection does not matter; the id only says whose pool settings hold. */
static const struct provider *provider_of(uint64_t id)
{
    return (const struct provider *)(uintptr_t)id;
}

static void dial_opened(void *to, uint64_t id, struct dial_line from)
{
    struct home *home = to;
    home->dials--;
    struct line *line = line_new(home->pool->loop, from);
    if (line != NULL) {
        line->home = home;
        place(home, line, provider_of(id));
    } else if (!list_is_empty(&home->waiting)) {
        fail_user(home, first_waiting(home), OUTCOME_LOCAL);
    }
    dial_more(home);
}

/* Whoever has waited for the whole of a dial that ran out of time has had his time too. */
static bool is_slow(enum outcome how)
{
    return how == OUTCOME_CONNECT_TIMEOUT || how == OUTCOME_TLS_TIMEOUT || how == OUTCOME_DNS ||
           how == OUTCOME_EGRESS_PROXY;
}

static void dial_failed(void *to, uint64_t id, enum outcome how, mono_ms began)
{
    (void)id;
    struct home *home = to;
    home->dials--;
    bool goes_on = true;
    while (goes_on && !list_is_empty(&home->waiting)) {
        fail_user(home, first_waiting(home), how);
        goes_on = is_slow(how) && !list_is_empty(&home->waiting) &&
                  first_waiting(home)->since <= began;
    }
    dial_more(home);
}

static void dial_more(struct home *home)
{
    struct pool *pool = home->pool;
    static const struct dial_ears ears = {.on_open = dial_opened, .on_failed = dial_failed};
    while (home->dials < home->waiting_count) {
        const struct pool_user *user = first_waiting(home);
        if (home->dials >= dialer_limit(pool->dialer, user->provider)) {
            return;
        }
        struct dial_ears own = ears;
        own.to = home;
        if (dial_start(pool->dialer, user->provider, user->connect_ms, &own,
                       (uint64_t)(uintptr_t)user->provider) == 0) {
            fail_user(home, first_waiting(home), OUTCOME_LOCAL);
        } else {
            home->dials++;
        }
    }
}

struct pool *pool_new(struct loop *loop, const struct snapshot *snapshot)
{
    struct pool *pool = mem_take_zero(sizeof *pool);
    if (pool == NULL) {
        return NULL;
    }
    pool->loop = loop;
    pool->homes_count = snapshot->endpoints_count;
    pool->homes = mem_take_zero((pool->homes_count + 1) * sizeof *pool->homes);
    pool->dialer = dialer_new(loop, snapshot);
    if (pool->homes == NULL || pool->dialer == NULL) {
        pool_free(pool);
        return NULL;
    }
    return pool;
}

static void home_free(struct home *home)
{
    while (!list_is_empty(&home->idle)) {
        line_close(home, LIST_OWNER(home->idle.next, struct line, link));
    }
    loop_timer_fini(&home->sweep);
    mem_give(home, sizeof *home);
}

void pool_free(struct pool *pool)
{
    if (pool == NULL) {
        return;
    }
    for (size_t i = 0; pool->homes != NULL && i < pool->homes_count; i++) {
        if (pool->homes[i] != NULL) {
            home_free(pool->homes[i]);
        }
    }
    dialer_free(pool->dialer);
    if (pool->homes != NULL) {
        mem_give(pool->homes, (pool->homes_count + 1) * sizeof *pool->homes);
    }
    mem_give(pool, sizeof *pool);
}

struct line *pool_take(struct pool *pool, const struct provider *provider)
{
    struct home *home = pool->homes[provider->endpoint.index];
    if (home == NULL) {
        return NULL;
    }
    mono_ms now = loop_now(pool->loop);
    while (!list_is_empty(&home->idle)) {
        struct line *line = LIST_OWNER(home->idle.next, struct line, link);
        if (line->idle_until <= now || now - line->born >= provider->pool_life_ms) {
            line_close(home, line);
            continue;
        }
        list_remove(&line->link);
        home->idle_count--;
        pool->idle_count--;
        line->on_readable = unclaimed_readable;
        return line;
    }
    return NULL;
}

void pool_wait(struct pool *pool, struct pool_user *user)
{
    struct home *home = home_of(pool, user->provider);
    list_init(&user->link);
    user->line = NULL;
    user->has_failed = false;
    if (home == NULL) {
        user->has_failed = true;
        user->failure = OUTCOME_LOCAL;
        loop_task_queue(pool->loop, user->task);
        return;
    }
    user->since = loop_now(pool->loop);
    list_push_back(&home->waiting, &user->link);
    home->waiting_count++;
    dial_more(home);
}

void pool_leave(struct pool *pool, struct pool_user *user)
{
    if (!list_is_empty(&user->link)) {
        list_remove(&user->link);
        pool->homes[user->provider->endpoint.index]->waiting_count--;
    }
    if (user->line != NULL) {
        place(user->line->home, user->line, user->provider);
        user->line = NULL;
    }
}

void pool_give(struct pool *pool, struct line *line, const struct provider *provider)
{
    (void)pool;
    line->is_kept = true;
    place(line->home, line, provider);
}

void pool_drop(struct pool *pool, struct line *line)
{
    (void)pool;
    line_close(line->home, line);
}

unsigned pool_idle(const struct pool *pool)
{
    return pool->idle_count;
}
