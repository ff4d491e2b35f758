/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/upstream_read.c: how an answer is read: from the socket into the loop's one buffer, through
 * the scanner, to the ears. Only a head that does not come whole is copied. */
#include "proxy/upstream_attempt.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"

/* Then others have their turn. */
enum { READS_PER_TURN = 4 };

static enum outcome outcome_of_fault(enum http1_fault fault)
{
    switch (fault) {
    case HTTP1_FAULT_FIELD:
    case HTTP1_FAULT_LINE_END:
    case HTTP1_FAULT_HEAD_LONG: return OUTCOME_HEADER;
    case HTTP1_FAULT_FRAMING:
    case HTTP1_FAULT_CODING:
    case HTTP1_FAULT_CHUNK:
    case HTTP1_FAULT_CHUNK_OVERHEAD:
    case HTTP1_FAULT_TRAILERS_LONG: return OUTCOME_FRAMING;
    case HTTP1_FAULT_NONE:
    case HTTP1_FAULT_REQUEST_LINE:
    case HTTP1_FAULT_METHOD:
    case HTTP1_FAULT_VERSION:
    case HTTP1_FAULT_TARGET:
    case HTTP1_FAULT_TARGET_LONG:
    case HTTP1_FAULT_STATUS_LINE:
    case HTTP1_FAULT_HOST:
    case HTTP1_FAULT_HOST_MISMATCH:
    case HTTP1_FAULT_EXPECT: break;
    }
    return OUTCOME_PROTOCOL;
}

/* Whether TLS has nothing more to say: bytes inside it do not make the socket readable. */
static bool is_drained(struct line *line)
{
    char byte;
    size_t count = 0;
    return line->tls == NULL || line_recv(line, &byte, sizeof byte, &count) == DIAL_AGAIN;
}

/* The body is whole. Bytes behind it, or a request not fully written, spoil the connection. */
static void answer_complete(struct attempt *attempt, bool is_exact)
{
    struct line *line = attempt->line;
    if (is_exact && attempt->can_keep && attempt->is_written && is_drained(line)) {
        attempt->line = NULL;
        /* It may stand in the row of this turn, when a task of the attempt was there before. */
        ahead_take_out(&line->place);
        pool_give(attempt->upstream->pool, line, attempt->user.provider);
    }
    attempt_end(attempt, OUTCOME_OK);
}

/* Takes what one read brought: the pieces of payload are moved together over the framing between
 * them (the bytes are ours), so that a burst of chunks goes on as one. */
static struct span gather(struct http1_body *body, struct span *in, enum http1_step *step)
{
    struct span all = {NULL, 0};
    do {
        struct span out = {NULL, 0};
        *step = http1_body_feed(body, in, &out);
        if (all.len == 0) {
            all = out;
        } else if (out.len > 0) {
            memmove((char *)(uintptr_t)all.at + all.len, out.at, out.len);
            all.len += out.len;
        }
    } while (*step == HTTP1_MORE && in->len > 0);
    return all;
}

static bool body_feed(struct attempt *attempt, struct span in)
{
    enum http1_step step = HTTP1_MORE;
    struct span all = gather(&attempt->body, &in, &step);
    if (all.len > 0) {
        attempt->in_ear = true;
        attempt->ears.on_bytes(attempt->ears.to, attempt->id, all);
        if (!attempt_leave_ear(attempt)) {
            return false;
        }
    }
    switch (step) {
    case HTTP1_MORE: return true;
    case HTTP1_BAD: attempt_end(attempt, outcome_of_fault(attempt->body.fault)); return false;
    case HTTP1_DONE: answer_complete(attempt, in.len == 0); return false;
    }
    UNREACHABLE();
}

static bool final_head(struct attempt *attempt, struct http1_head *head, const char *base)
{
    if (attempt->is_head_method) {
        http1_head_no_body(head);
    }
    attempt->state = ATTEMPT_BODY;
    attempt->can_keep = head->keep_alive && head->framing != HTTP1_BODY_UNTIL_CLOSE;
    http1_body_init(&attempt->body, head->framing, head->length);
    if (attempt->sending != NULL && head->status >= 400) {
        /* It has made up its mind; the rest of the request is of no use to it. */
        sending_give(attempt->sending);
        attempt->sending = NULL;
    }
    attempt->in_ear = true;
    attempt->ears.on_head(attempt->ears.to, attempt->id, head, base);
    return attempt_leave_ear(attempt);
}

static void partial_free(struct attempt *attempt)
{
    if (attempt->partial != NULL) {
        buf_fini(&attempt->partial->bytes);
        mem_give(attempt->partial, sizeof *attempt->partial);
        attempt->partial = NULL;
    }
}

/* Keeps the beginning of a head, with the scanner's place in it. */
static bool partial_begin(struct attempt *attempt, const struct http1_head *head, struct span bytes)
{
    struct partial *partial = mem_take(sizeof *partial);
    if (partial == NULL) {
        attempt_end(attempt, OUTCOME_LOCAL);
        return false;
    }
    partial->head = *head;
    buf_init(&partial->bytes, LIMIT_RESPONSE_HEAD + LIMIT_RECV);
    buf_put(&partial->bytes, bytes);
    attempt->partial = partial;
    if (partial->bytes.failed) {
        attempt_end(attempt, OUTCOME_LOCAL);
        return false;
    }
    return true;
}

/* An interim head is forgotten, unless it is one too many or switches protocols unasked. */
static bool interim_head(struct attempt *attempt, const struct http1_head *head)
{
    if (head->status == 101) {
        attempt_end(attempt, OUTCOME_SWITCHED);
        return false;
    }
    attempt->interims++;
    if (attempt->interims > LIMIT_INTERIM_RESPONSES) {
        attempt_end(attempt, OUTCOME_PROTOCOL);
        return false;
    }
    return true;
}

/* A frame's length (below 2^24 and in fact below 2^14), or the preface of a client: somebody speaks
 * HTTP/2 here (RFC 9113, 3.4 and 4.1). */
static bool is_http2(struct span bytes)
{
    return bytes.len > 0 && (bytes.at[0] == '\0' || span_starts(bytes, SPAN_OF("PRI * HTTP/2")));
}

/* Scans the heads in bytes that lie still for as long as this takes. */
static bool heads_feed(struct attempt *attempt, struct http1_head *head, struct span bytes,
                       bool is_partial)
{
    for (unsigned i = 0; i <= LIMIT_INTERIM_RESPONSES; i++) {
        switch (http1_head_feed(head, bytes)) {
        case HTTP1_BAD:
            attempt_end(attempt, is_http2(bytes) ? OUTCOME_SWITCHED : outcome_of_fault(head->fault));
            return false;
        case HTTP1_MORE:
            if (!is_partial) {
                return partial_begin(attempt, head, bytes);
            }
            buf_drop_front(&attempt->partial->bytes, attempt->partial->bytes.len - bytes.len);
            return true;
        case HTTP1_DONE: break;
        }
        struct span rest = span_from(bytes, head->size);
        if (head->status >= 200) {
            return final_head(attempt, head, bytes.at) && body_feed(attempt, rest);
        }
        if (!interim_head(attempt, head)) {
            return false;
        }
        http1_head_init(head, HTTP1_RESPONSE);
        if (rest.len == 0) {
            partial_free(attempt);
            return true;
        }
        bytes = rest;
    }
    UNREACHABLE();
}

static bool head_feed(struct attempt *attempt, struct span bytes)
{
    struct partial *partial = attempt->partial;
    if (partial == NULL) {
        http1_head_init(&attempt->upstream->head, HTTP1_RESPONSE);
        return heads_feed(attempt, &attempt->upstream->head, bytes, false);
    }
    buf_put(&partial->bytes, bytes);
    if (partial->bytes.failed) {
        attempt_end(attempt, OUTCOME_LOCAL);
        return false;
    }
    bool is_alive = heads_feed(attempt, &partial->head, buf_span(&partial->bytes), true);
    if (is_alive && attempt->state == ATTEMPT_BODY) {
        partial_free(attempt);
    }
    return is_alive;
}

/* The other side is gone. What that means depends on what it owed us. */
static void answer_cut(struct attempt *attempt, enum dial_step how)
{
    if (attempt->state == ATTEMPT_BODY) {
        bool is_end = how == DIAL_CLOSED && attempt->body.framing == HTTP1_BODY_UNTIL_CLOSE;
        attempt_end(attempt, is_end ? OUTCOME_OK : OUTCOME_TRUNCATED);
    } else if (attempt->partial != NULL) {
        attempt_end(attempt, OUTCOME_TRUNCATED);
    } else {
        bool is_reset = how == DIAL_RESET || attempt->has_broken;
        attempt_end(attempt, is_reset ? OUTCOME_RESET : OUTCOME_CLOSED);
    }
}

void attempt_read(struct attempt *attempt)
{
    struct loop *loop = attempt->upstream->loop;
    for (unsigned i = 0; i < READS_PER_TURN; i++) {
        if (attempt->is_paused && !attempt->line->has_ahead) {
            /* The event is level-triggered: left on, it would come back for ever. Taken off only
             * when it does come, a short pause costs nothing. */
            if (i == 0) {
                line_watch(attempt->line, false);
            }
            return;
        }
        struct heard heard = line_hear(attempt->line, loop_recv_buffer(loop), LIMIT_RECV);
        if (heard.step == DIAL_AGAIN) {
            /* TLS may have needed this read in order to write. */
            if (attempt->sending != NULL && attempt->line->tls != NULL) {
                (void)attempt_write_on(attempt);
            }
            return;
        }
        if (heard.step != DIAL_MOVED) {
            answer_cut(attempt, heard.step);
            return;
        }
        bool is_alive = attempt->state == ATTEMPT_HEAD ? head_feed(attempt, heard.bytes)
                                                       : body_feed(attempt, heard.bytes);
        if (!is_alive || (attempt->line->tls == NULL && !heard.is_full)) {
            return;
        }
    }
    if (attempt->line->tls != NULL) {
        /* What is inside TLS makes no event: come back without one. */
        loop_task_queue_later(loop, &attempt->task);
    }
}

static size_t read_line_ahead(struct ahead_place *place, char *at, size_t room)
{
    struct line *line = LIST_OWNER(place, struct line, place);
    if (line->is_paused) {
        return 0;
    }
    line_read_ahead(line, at, room);
    return line->ahead.bytes.len;
}

static void pass_line(struct ahead_place *place)
{
    attempt_read(LIST_OWNER(place, struct line, place)->user);
}

const struct ahead_ears attempt_ahead_ears = {.read = read_line_ahead, .pass = pass_line};
