/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/upstream_write.c: how a request is written, once. Plain: the pieces as they lie, in one
 * call. TLS: slices of 16 KiB, because libcurl wants the same place and length again after "full",
 * and because one great write would tell nothing until all of it was gone. */
#include "proxy/upstream_attempt.h"

#include "base/mem.h"
#include "base/must.h"

enum {
    SENDS_PER_TURN = 4, /* plain: a megabyte; TLS: 64 KiB, whose sealing costs as much */
    SENDINGS_KEPT = 256
};

static void stall_fire(struct loop_timer *timer, mono_ms now)
{
    (void)now;
    struct sending *sending = LIST_OWNER(timer, struct sending, stall);
    if (sending->attempt != NULL) {
        attempt_end(sending->attempt, OUTCOME_WRITE_TIMEOUT);
    }
}

static void writable_cb(evutil_socket_t fd, short what, void *to)
{
    (void)fd;
    (void)what;
    struct sending *sending = to;
    (void)attempt_write_on(sending->attempt);
}

struct sending *sending_take(struct upstream *upstream, const struct upstream_request *request)
{
    struct sending *sending = upstream->free;
    if (sending != NULL) {
        upstream->free = sending->next_free;
        upstream->free_count--;
    } else {
        sending = mem_take(sizeof *sending);
        if (sending == NULL) {
            return NULL;
        }
        sending->upstream = upstream;
        loop_timer_init(&sending->stall, upstream->loop, stall_fire);
    }
    must(request->pieces_count > 0 && request->pieces_count <= UPSTREAM_PIECES_MAX);
    for (size_t i = 0; i < request->pieces_count; i++) {
        sending->pieces[i] = request->pieces[i];
    }
    sending->count = request->pieces_count;
    sending->next = 0;
    sending->has_event = false;
    sending->has_sent = false;
    sending->slice = NULL;
    sending->slice_len = 0;
    sending->slice_at = 0;
    return sending;
}

static void sending_free(struct sending *sending)
{
    loop_timer_fini(&sending->stall);
    mem_give(sending, sizeof *sending);
}

void sending_give(struct sending *sending)
{
    struct upstream *upstream = sending->upstream;
    if (sending->has_event) {
        event_del(&sending->writable);
    }
    loop_timer_set(&sending->stall, MONO_NEVER);
    if (sending->slice != NULL) {
        mem_give(sending->slice, LIMIT_UPSTREAM_SLICE);
        sending->slice = NULL;
    }
    sending->attempt = NULL;
    if (upstream->free_count >= SENDINGS_KEPT) {
        sending_free(sending);
        return;
    }
    sending->next_free = upstream->free;
    upstream->free = sending;
    upstream->free_count++;
}

void sending_free_all(struct upstream *upstream)
{
    while (upstream->free != NULL) {
        struct sending *sending = upstream->free;
        upstream->free = sending->next_free;
        sending_free(sending);
    }
    upstream->free_count = 0;
}

enum err sending_prepare_tls(struct sending *sending)
{
    if (sending->slice == NULL) {
        sending->slice = mem_take(LIMIT_UPSTREAM_SLICE);
    }
    return sending->slice == NULL ? ERR_MEMORY : ERR_NONE;
}

/* Takes `count` bytes off what is left. */
static void pieces_advance(struct sending *sending, size_t count)
{
    while (sending->next < sending->count) {
        struct span *piece = &sending->pieces[sending->next];
        if (count < piece->len) {
            *piece = span_from(*piece, count);
            return;
        }
        count -= piece->len;
        sending->next++;
    }
}

static bool is_empty(const struct sending *sending)
{
    return sending->next == sending->count && sending->slice_at == sending->slice_len;
}

static enum dial_step send_plain(struct sending *sending, struct line *line)
{
    size_t count = 0;
    enum dial_step step = line_send_pieces(line, &sending->pieces[sending->next],
                                           (size_t)(sending->count - sending->next), &count);
    pieces_advance(sending, count);
    return step;
}

static void slice_fill(struct sending *sending)
{
    sending->slice_at = 0;
    sending->slice_len = 0;
    while (sending->next < sending->count && sending->slice_len < LIMIT_UPSTREAM_SLICE) {
        struct span piece = sending->pieces[sending->next];
        size_t room = LIMIT_UPSTREAM_SLICE - sending->slice_len;
        size_t count = piece.len < room ? piece.len : room;
        if (count > 0) {
            memcpy(sending->slice + sending->slice_len, piece.at, count);
        }
        sending->slice_len += count;
        pieces_advance(sending, count);
    }
}

static enum dial_step send_tls(struct sending *sending, struct line *line)
{
    if (sending->slice_at == sending->slice_len) {
        slice_fill(sending);
    }
    size_t count = 0;
    enum dial_step step = dial_tls_send(line->tls, sending->slice + sending->slice_at,
                                        sending->slice_len - sending->slice_at, &count);
    sending->slice_at += step == DIAL_MOVED ? count : 0;
    return step;
}

/* The socket is full: the clock of the stall starts, anew after each byte that was taken. */
static void wait_writable(struct attempt *attempt, bool has_moved)
{
    struct sending *sending = attempt->sending;
    struct loop *loop = attempt->upstream->loop;
    if (!sending->has_event) {
        must(event_assign(&sending->writable, loop_base(loop), attempt->line->fd, EV_WRITE,
                          writable_cb, sending) == 0);
        sending->has_event = true;
        has_moved = true;
    }
    must(event_add(&sending->writable, NULL) == 0);
    if (has_moved) {
        loop_timer_set(&sending->stall, mono_add(loop_now(loop), attempt->write_ms));
    }
}

enum write_step attempt_write(struct attempt *attempt)
{
    struct sending *sending = attempt->sending;
    struct line *line = attempt->line;
    bool has_moved = false;
    sending->attempt = attempt;
    for (unsigned i = 0; i < SENDS_PER_TURN; i++) {
        enum dial_step step =
            line->tls != NULL ? send_tls(sending, line) : send_plain(sending, line);
        if (step == DIAL_RESET || step == DIAL_CLOSED) {
            return WRITE_BROKEN;
        }
        if (step == DIAL_AGAIN) {
            break;
        }
        has_moved = true;
        sending->has_sent = true;
        if (is_empty(sending)) {
            return WRITE_DONE;
        }
    }
    wait_writable(attempt, has_moved);
    return WRITE_BLOCKED;
}

bool attempt_write_on(struct attempt *attempt)
{
    switch (attempt_write(attempt)) {
    case WRITE_BLOCKED: return true;
    case WRITE_BROKEN:
        /* An answer that came before the break is still in the socket; reading finds it, or the
         * break. */
        attempt->has_broken = true;
        sending_give(attempt->sending);
        attempt->sending = NULL;
        return true;
    case WRITE_DONE: break;
    }
    sending_give(attempt->sending);
    attempt->sending = NULL;
    attempt->is_written = true;
    attempt->in_ear = true;
    attempt->ears.on_written(attempt->ears.to, attempt->id);
    return attempt_leave_ear(attempt);
}
