/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/upstream_fixtures.c: the built-in provider behind the upstream port. What is answered is
 * made in start by wire/fixtures, while the request is there to be read; here it is paced,
 * delivered, and broken where the settings say so.
 *
 * state    waits for                           goes on with
 * QUEUED   its own task                        WAITING, or its end (a scripted reset)
 * WAITING  the latency, and a scripted hang    BODY
 * BODY     the next word's time, or a resume   its end
 *
 * Every call of an ear may cancel the play: it is dead then, but its memory lives until the ear has
 * returned. The functions here that return bool say with false that the play is gone. */
#include "proxy/upstream.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/slots.h"
#include "proxy/loop.h"
#include "wire/fixtures.h"

enum {
    PLAYS_MAX = 1 << 20,
    BODY_MAX = 256 * 1024 * 1024, /* of a request that comes in pieces; its reader allows less */
    BODY_KEPT = 64 * 1024,
    PIECE_MAX = 16 * 1024, /* of an answer, for one call of the ear */
    PIECES_PER_TURN = 4    /* then others have their turn */
};

struct upstream {
    struct loop *loop;
    struct json_scan *scan;
    struct slots slots;
    struct link plays; /* all, to end them when this ends; never searched */
    struct buf body;   /* scratch for requests in several pieces */
    uint64_t *counts;  /* requests so far, by the provider's index */
    size_t counts_len;
    struct http1_head head; /* scratch */
};

/* How the answer goes out. */
struct script {
    bool is_reset;       /* no byte at all */
    uint32_t wait_ms;    /* before the head */
    uint32_t per_second; /* words; 0: no pacing */
    size_t stop;         /* bytes of payload that are delivered */
    enum outcome how;    /* told after them */
};

/* How far it has gone. */
struct pace {
    mono_ms began;  /* when the head went out */
    uint64_t words; /* that have had their time */
    size_t next;    /* the event that waits for its time */
    size_t ready;   /* bytes of payload whose time has come */
    size_t sent;
};

enum play_state { PLAY_QUEUED, PLAY_WAITING, PLAY_BODY };

struct play {
    struct link link; /* in upstream->plays */
    struct upstream *upstream;
    uint64_t handle;
    uint64_t id;
    struct upstream_ears ears;
    struct loop_task task;
    struct loop_timer timer;
    struct script script;
    struct fixture fixture;
    struct pace pace;
    enum play_state state;
    bool is_head_method;
    bool is_paused;
    bool in_ear;
    bool is_dead;
};

static void play_free(struct play *play)
{
    fixture_fini(&play->fixture);
    mem_give(play, sizeof *play);
}

/* Lets go of everything but the memory. */
static void play_release(struct play *play)
{
    loop_task_cancel(&play->task);
    loop_timer_fini(&play->timer);
    list_remove(&play->link);
    (void)slots_remove(&play->upstream->slots, play->handle);
}

static void play_end(struct play *play, enum outcome how)
{
    must(!play->in_ear);
    struct upstream_ears ears = play->ears;
    uint64_t id = play->id;
    play_release(play);
    play_free(play);
    ears.on_end(ears.to, id, how);
}

static bool play_leave_ear(struct play *play)
{
    play->in_ear = false;
    if (play->is_dead) {
        play_free(play);
        return false;
    }
    return true;
}

/* ---- delivering ---- */

/* Moves `ready` over every event whose time has come. Returns the time of the first one that must
 * wait; MONO_NEVER: there is none. */
static mono_ms pace_advance(struct play *play, mono_ms now)
{
    struct pace *pace = &play->pace;
    size_t count = fixture_events(&play->fixture);

    for (; pace->next < count; pace->next++) {
        struct fixture_event event = fixture_event_at(&play->fixture, pace->next);
        if (event.is_word && play->script.per_second > 0) {
            mono_ms due = mono_add(pace->began, pace->words * 1000 / play->script.per_second);
            if (due > now) {
                return due;
            }
            pace->words++;
        }
        pace->ready = event.end;
    }
    return MONO_NEVER;
}

static void play_body(struct play *play)
{
    struct pace *pace = &play->pace;

    for (unsigned i = 0; i < PIECES_PER_TURN; i++) {
        mono_ms due = pace_advance(play, loop_now(play->upstream->loop));
        size_t until = pace->ready < play->script.stop ? pace->ready : play->script.stop;
        size_t count = until - pace->sent < PIECE_MAX ? until - pace->sent : PIECE_MAX;
        struct span piece = span_from(buf_span(&play->fixture.payload), pace->sent);

        if (pace->sent == play->script.stop) {
            play_end(play, play->script.how);
            return;
        }
        if (play->is_paused) {
            return; /* resume comes back here */
        }
        if (count == 0) {
            loop_timer_set(&play->timer, due);
            return;
        }
        pace->sent += count;
        play->in_ear = true;
        play->ears.on_bytes(play->ears.to, play->id, span_make(piece.at, count));
        if (!play_leave_ear(play)) {
            return;
        }
    }
    loop_task_queue_later(play->upstream->loop, &play->task);
}

static void play_head(struct play *play)
{
    struct http1_head *head = &play->upstream->head;
    struct span bytes = buf_span(&play->fixture.head);

    http1_head_init(head, HTTP1_RESPONSE);
    must(http1_head_feed(head, bytes) == HTTP1_DONE);
    if (play->is_head_method) {
        http1_head_no_body(head);
    }
    play->state = PLAY_BODY;
    play->pace.began = loop_now(play->upstream->loop);
    play->in_ear = true;
    play->ears.on_head(play->ears.to, play->id, head, bytes.at);
    if (play_leave_ear(play)) {
        play_body(play);
    }
}

static void play_begin(struct play *play)
{
    struct loop *loop = play->upstream->loop;

    play->in_ear = true;
    play->ears.on_connected(play->ears.to, play->id, false);
    if (!play->is_dead) {
        play->ears.on_written(play->ears.to, play->id);
    }
    if (!play_leave_ear(play)) {
        return;
    }
    if (play->script.is_reset) {
        play_end(play, OUTCOME_RESET);
        return;
    }
    play->state = PLAY_WAITING;
    if (play->script.wait_ms == 0) {
        play_head(play);
    } else {
        loop_timer_set(&play->timer, mono_add(loop_now(loop), play->script.wait_ms));
    }
}

static void play_run(struct loop_task *task)
{
    struct play *play = LIST_OWNER(task, struct play, task);

    switch (play->state) {
    case PLAY_QUEUED: play_begin(play); return;
    case PLAY_WAITING: return;
    case PLAY_BODY: play_body(play); return;
    }
}

static void play_timer(struct loop_timer *timer, mono_ms now)
{
    struct play *play = LIST_OWNER(timer, struct play, timer);

    (void)now;
    switch (play->state) {
    case PLAY_QUEUED: return;
    case PLAY_WAITING: play_head(play); return;
    case PLAY_BODY: play_body(play); return;
    }
}

/* ---- the script ---- */

/* The number of this request of its provider, from 1; 0 without memory. */
static uint64_t count_request(struct upstream *upstream, size_t index)
{
    if (index >= upstream->counts_len) {
        size_t len = index + 1;
        uint64_t *counts = mem_resize(upstream->counts, upstream->counts_len * sizeof *counts,
                                      len * sizeof *counts);
        if (counts == NULL) {
            return 0;
        }
        memset(counts + upstream->counts_len, 0, (len - upstream->counts_len) * sizeof *counts);
        upstream->counts = counts;
        upstream->counts_len = len;
    }
    return ++upstream->counts[index];
}

static const struct fixture_failure *find_failure(const struct fixture_settings *settings,
                                                  uint64_t number)
{
    for (size_t i = 0; i < settings->failures_count; i++) {
        const struct fixture_failure *failure = &settings->failures[i];
        if (number % failure->every == failure->at % failure->every) {
            return failure;
        }
    }
    return NULL;
}

static void script_cut(struct script *script, const struct fixture *fixture, uint32_t events)
{
    if (!fixture->is_stream) {
        script->stop = fixture->payload.len / 2;
        script->how = OUTCOME_TRUNCATED;
    } else if (events < fixture_events(fixture)) {
        script->stop = events == 0 ? 0 : fixture_event_at(fixture, events - 1).end;
        script->how = OUTCOME_RESET;
    }
}

static void script_write(struct play *play, const struct fixture_settings *settings,
                         const struct fixture_failure *failure)
{
    struct script *script = &play->script;

    *script = (struct script){
        .wait_ms = settings->latency_ms,
        .per_second = play->fixture.is_stream ? settings->tokens_per_second : 0,
        .stop = play->is_head_method ? 0 : play->fixture.payload.len,
        .how = OUTCOME_OK,
    };
    if (failure == NULL) {
        return;
    }
    switch (failure->fault) {
    case FIXTURE_STATUS: return;
    case FIXTURE_RESET: script->is_reset = true; return;
    case FIXTURE_HANG:
        script->wait_ms = failure->value > UINT32_MAX - script->wait_ms
                              ? UINT32_MAX
                              : script->wait_ms + failure->value;
        return;
    case FIXTURE_CUT:
        if (!play->is_head_method) {
            script_cut(script, &play->fixture, failure->value);
        }
        return;
    }
}

/* ---- starting ---- */

/* The body as one run of bytes; copied only when it comes in pieces. False: no memory. */
static bool gather_body(struct upstream *upstream, const struct upstream_request *request,
                        struct span *body)
{
    size_t count = (size_t)request->pieces_count - request->head_pieces;

    *body = count == 1 ? request->pieces[request->head_pieces] : span_make(NULL, 0);
    if (count <= 1) {
        return true;
    }
    buf_clear(&upstream->body);
    for (size_t i = request->head_pieces; i < request->pieces_count; i++) {
        buf_put(&upstream->body, request->pieces[i]);
    }
    *body = buf_span(&upstream->body);
    return !upstream->body.failed;
}

static bool play_write(struct play *play, const struct upstream_request *request)
{
    static const struct fixture_settings plain = {.seed = 1};
    struct upstream *upstream = play->upstream;
    const struct provider *provider = request->provider;
    const struct fixture_settings *settings =
        provider->fixtures != NULL ? provider->fixtures : &plain;
    const struct fixture_failure *failure = NULL;
    struct fixture_order order = {.dialect = provider->dialect,
                                  .seed = settings->seed,
                                  .number = count_request(upstream, provider->index),
                                  .head = request->pieces[0]};
    bool is_good = order.number > 0 && gather_body(upstream, request, &order.body);

    if (is_good) {
        failure = find_failure(settings, order.number);
        if (failure != NULL && failure->fault == FIXTURE_STATUS) {
            order.status = failure->value;
        }
        is_good = fixture_write(&play->fixture, upstream->scan, &order) == ERR_NONE;
    }
    if (is_good) {
        script_write(play, settings, failure);
    }
    if (upstream->body.cap > BODY_KEPT) {
        buf_fini(&upstream->body);
    }
    return is_good;
}

static uint64_t fixtures_start(struct upstream *upstream, const struct upstream_request *request,
                               const struct upstream_ears *ears, uint64_t id)
{
    struct play *play = mem_take_zero(sizeof *play);

    if (play == NULL) {
        return 0;
    }
    play->upstream = upstream;
    play->ears = *ears;
    play->id = id;
    play->is_head_method = request->is_head_method;
    fixture_init(&play->fixture);
    if (!play_write(play, request) ||
        slots_add(&upstream->slots, play, &play->handle) != ERR_NONE) {
        play_free(play);
        return 0;
    }
    list_push_back(&upstream->plays, &play->link);
    loop_timer_init(&play->timer, upstream->loop, play_timer);
    loop_task_init(&play->task, play_run);
    loop_task_queue(upstream->loop, &play->task);
    return play->handle;
}

static void fixtures_pause(struct upstream *upstream, uint64_t handle)
{
    struct play *play = slots_find(&upstream->slots, handle);

    if (play != NULL) {
        play->is_paused = true;
    }
}

static void fixtures_resume(struct upstream *upstream, uint64_t handle)
{
    struct play *play = slots_find(&upstream->slots, handle);

    if (play == NULL || !play->is_paused) {
        return;
    }
    play->is_paused = false;
    if (play->state == PLAY_BODY && !play->in_ear) {
        loop_task_queue(upstream->loop, &play->task);
    }
}

static void fixtures_cancel(struct upstream *upstream, uint64_t handle)
{
    struct play *play = slots_find(&upstream->slots, handle);

    if (play == NULL) {
        return;
    }
    play_release(play);
    if (play->in_ear) {
        play->is_dead = true;
    } else {
        play_free(play);
    }
}

const struct upstream_ops upstream_fixtures_ops = {
    .start = fixtures_start,
    .pause = fixtures_pause,
    .resume = fixtures_resume,
    .cancel = fixtures_cancel,
};

struct upstream *upstream_fixtures_new(struct loop *loop)
{
    struct upstream *upstream = mem_take_zero(sizeof *upstream);

    if (upstream == NULL) {
        return NULL;
    }
    upstream->loop = loop;
    upstream->scan = json_scan_new();
    if (upstream->scan == NULL) {
        mem_give(upstream, sizeof *upstream);
        return NULL;
    }
    slots_init(&upstream->slots, PLAYS_MAX);
    list_init(&upstream->plays);
    buf_init(&upstream->body, BODY_MAX);
    return upstream;
}

void upstream_fixtures_free(struct upstream *upstream)
{
    if (upstream == NULL) {
        return;
    }
    while (!list_is_empty(&upstream->plays)) {
        struct play *play = LIST_OWNER(upstream->plays.next, struct play, link);
        must(!play->in_ear);
        play_release(play);
        play_free(play);
    }
    json_scan_free(upstream->scan);
    slots_fini(&upstream->slots);
    buf_fini(&upstream->body);
    mem_give(upstream->counts, upstream->counts_len * sizeof *upstream->counts);
    mem_give(upstream, sizeof *upstream);
}
