/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/call_parts.h: what a call is made of; seen only by the files that are the call: call.c (its
 * life), calls.c (all of them), call_open.c (its begin), call_head.c (what the app's head says),
 * call_admit.c (whose call it is), call_subject.c (whom it counts for), call_rates.c (how fast calls
 * come), call_look.c (before the body), call_hold*.c, call_guards.c and call_budget.c (money set aside
 * and booked: call_hold.h), call_exposure.c (what may be paid for twice), call_dress.c (what the
 * provider is sent), call_translate.c (what another dialect is sent, and says), call_estimate.c (tokens
 * counted here for an app that asks), relay*.c (bytes back), reply.c (answers of our own), models.c,
 * replays.c (what a repeat gets), call_hedge.c (two attempts in flight), call_resume.c (a stream that
 * goes on elsewhere), call_drain.c (read on without its app), call_count.c (tokens that nobody told),
 * call_record.c (its usage records), call_wait.c (what waits for the disk), call_log.c (its line),
 * call_tell.c (its observer); and by pages of operators, which are calls too (admin_*.c). Composition;
 * each part is written by its own file. */
#ifndef PROXY_CALL_PARTS_H
#define PROXY_CALL_PARTS_H

#include <stddef.h>

#include "base/slots.h"
#include "enforcement/budget.h"
#include "enforcement/keyring.h"
#include "proxy/admin_mount.h"
#include "pricing/chat_count.h"
#include "pricing/guess.h"
#include "proxy/bill.h"
#include "proxy/call.h"
#include "proxy/store.h"
#include "router/dispatch.h"
#include "router/plan.h"
#include "wire/dialect.h"
#include "wire/events.h"
#include "wire/resume.h"

enum {
    HEAD_TEXT_MAX = 128 * 1024, /* what of an app's head is kept: its 32 KiB and what is read out */
    CALL_ID_LENGTH = 26,
    CALL_EVENTS_MAX = 8,
    UPSTREAM_ID_MAX = 128
};

/* What the app's head said, kept while the call lives. Spans are places in `text`, which may move
 * only while it is written. */
struct call_head {
    struct buf text;             /* all of the below, one after the other */
    struct http1_part passes;    /* header lines for a provider of the same dialect */
    struct http1_part optional;  /* lines that pass only to some providers */
    struct http1_part key;       /* the app's credential without its scheme */
    struct http1_part bearer;    /* the Authorization value as it came, when that carried the key */
    struct http1_part version;   /* in front of the upstream path; empty where base URLs hold it */
    struct http1_part path;      /* upstream path */
    struct http1_part query;     /* without key= */
    struct http1_part request_id;
    struct http1_part trace;
    struct http1_part tags;      /* with commas between them, no blanks; the key's first */
    uint32_t patience_ms;        /* 0: not told */
    uint32_t deadline_ms;        /* 0: not told */
    struct http1_part method;
    struct http1_part shown_path; /* of a refused request: cut, printable, for its line */
    struct http1_part upstream_id; /* the provider's own id for the attempt */
    struct http1_part trace_id;  /* of traceparent */
    struct http1_part session;   /* conversation key */
    struct http1_part task;      /* x-headgate-task */
    struct http1_part route;     /* x-headgate-route */
    struct http1_part idempotency; /* Idempotency-Key */
    struct http1_part user;      /* whom the body names, where the key says so */
    bool no_failover;            /* one attempt and no more */
    bool is_head_method;         /* HEAD: answers have no body */
    bool has_body;               /* even an empty one */
    bool has_two_keys;           /* Authorization and another carrier */
};

enum relay_mode {
    RELAY_NOTHING, /* no head yet */
    RELAY_WHOLE,   /* a JSON answer, held whole */
    RELAY_STREAM,  /* events, held until the first content */
    RELAY_PASS,    /* bytes, not looked into */
    RELAY_ERROR    /* a provider's error, read up to LIMIT_ERROR_BODY */
};

struct call_translation; /* call_translate.h */

/* The answer of the attempt in flight. */
struct relay {
    enum relay_mode mode;
    bool has_length;
    bool has_no_body;            /* RELAY_PASS: 204, 304, HEAD */
    bool is_open;                /* the gate */
    bool is_paused;
    bool saw_event;
    bool in_piece;               /* an oversized event is half out */
    bool is_followed;            /* each event passes through call->resume */
    bool has_error;              /* `held` is the error that ended the stream, not told yet */
    bool is_json;                /* content-type */
    bool has_wait;               /* hint_ms is for the app to know, too */
    unsigned status;             /* of the provider; later the one for the app */
    struct events events;
    struct stream stream;
    struct call_translation *translation; /* NULL: it is in the app's own dialect */
    struct buf held;             /* body behind the gate */
    struct buf head;             /* header lines for the app */
    struct answer answer;        /* of a whole answer or an error, once read */
    size_t whole_len;            /* of a whole answer that was translated: as the provider sent it */
    enum refusal_kind told;      /* of an error in a translated stream that has begun */
    struct usage usage;
    struct buf usage_raw;        /* the usage object that a stream told last */
    uint64_t length;             /* RELAY_PASS: Content-Length, when has_length */
    char failure[48];            /* its name, where a head tells one; ends with a zero */
    int64_t hint_ms;             /* how long the provider asked to wait; HINT_NONE */
    uint64_t quota_ms;           /* when its quota comes back; 0: not known */
    int8_t should_retry;         /* x-should-retry: 1, 0; -1 not told */
    bool is_foreign;             /* not of the type that was asked for: no answer at all */
    bool has_content;            /* the dispatch has heard of it */
    bool is_copied;              /* RELAY_PASS: `held` gets what the app gets, to be kept */
    uint8_t tighter;             /* units of rates, by their bits, of which ours are not told */
    bool is_early;               /* its head goes out before anybody knows who will answer */
};

/* For the call's line. Times in microseconds of loop_micros. */
struct call_facts {
    uint64_t began_us;
    wall_ms began_at;
    uint64_t attempt_us;     /* the attempt was started */
    uint64_t head_us;        /* the provider's head came */
    uint64_t content_us;     /* the first content of its stream */
    uint64_t told_us;        /* the provider last told us something that decided */
    mono_ms told_at;         /* the same, in the loop's time */
    unsigned upstream_status; /* as the provider sent it; 0: none came */
    uint64_t bytes_in;
    uint64_t bytes_out;
    unsigned status;         /* told to the app; 0: none yet */
    enum refusal_kind refusal;
    const struct rate *denied_by; /* NULL: no rate refused it */
    enum outcome outcome;
    bool has_attempt;
    bool is_reused;
    bool is_cost_final;      /* nothing is added to it any more */
    bool is_unpriced;        /* part of it has no price */
    bool is_replayed;        /* its answer is one that was kept */
    uint8_t billed;          /* attempts that are in the cost, by their numbers' bits */
    int64_t cost_pico;       /* of all attempts so far */
    uint32_t told;           /* its number for the observer; 0: not told of yet */
};

/* What a call has while its provider is read on without its app. */
struct call_drain {
    struct loop_timer timer;
    struct call *call;
    uint64_t bytes;          /* read since */
};

/* The second attempt of a call while two are in flight (a hedge): what the call keeps of the one
 * that is not being looked at. An event or action of its own brings it into view (call_look). */
struct call_aside {
    uint64_t upstream;
    uint8_t number;
    uint8_t place;
    uint8_t lane;
    struct relay relay;
    struct http1_part upstream_id;
    uint64_t attempt_us;
    uint64_t head_us;
    uint64_t content_us;
    uint32_t slot;
    uint64_t guess_key;
    struct guess input_guess;
    unsigned upstream_status;
    bool is_reused;
};

/* Whose ears an attempt has: two of one call can be in flight. */
enum { LANES = 2 };

/* The piece of a stream of which it is known how many tokens it has. */
enum { SEEN_BYTES = 1 << 16 };

/* An attempt that is not sent before its slot is on the disk (journal.durability: power). */
struct call_wait {
    struct store_wait sync;
    struct call *call;
    uint8_t number; /* of the attempt; 0: none waits */
    bool is_fresh;  /* it is to go out on a new connection */
};
/* An attempt that was settled in this step: its record is written when it is known whether the call is
 * over. */
struct call_settled {
    uint8_t number;
    uint8_t outcome;
    uint8_t phase;
};

/* An event on its way to the dispatch; what it tells besides is looked up when its turn comes. */
struct call_queued {
    uint8_t kind;
    uint8_t attempt;
    uint8_t outcome;
};

struct call {
    /* What every event of a stream touches stands together, up to CALL_HOT: thousands of streams
     * share a cache. */
    struct env *env;
    struct conn *conn;           /* NULL: the app has left */
    uint64_t upstream;           /* handle of the attempt; 0: none */
    uint8_t number;              /* of the attempt whose answer `relay` holds; 0: none yet */
    uint8_t place;               /* of its target in the plan */
    uint8_t lane;                /* of its ears */
    uint32_t slot;               /* of its record in the store; 0: none */
    uint64_t guess_key;          /* whose ratios of bytes and tokens hold for its target */
    struct guess input_guess;
    uint64_t first_us;           /* first byte of the answer given to the connection, of loop_micros; 0: none */
    struct call_drain *drain;    /* NULL: its app is there */
    int64_t seen_next;           /* output at which more money is asked for; 0: it is not watched */
    uint32_t seen_ratio;         /* tokens of SEEN_BYTES of its stream */
    bool is_closed;
    bool is_told;                /* closed: with its line */
    struct dispatch dispatch;
    struct relay relay;
    /* From here on what only a call's steps touch. */
    struct path_match match;     /* path and query point into head.text once captured */
    struct call_facts facts;
    uint64_t id;                 /* in calls */
    struct snapshot *snapshot;
    const struct caller *caller; /* never NULL */
    struct keyring *keyring;     /* whose the caller is: a reference; NULL: nobody's */
    uint8_t key_verdict;         /* enum key_verdict */
    struct call_head head;
    struct buf body;
    struct request request;
    struct buf model;            /* the app's model name, decoded */
    struct plan plan;
    struct idempotency_entry *repeats; /* it runs for whoever repeats it; NULL: for itself */
    struct call_translation *translations; /* NULL: no target of another dialect was asked */
    struct resume *resume;       /* NULL: its stream is never continued elsewhere */
    struct admin_ask *ask;       /* NULL: no question of an operator */
    bool has_asked;              /* and the store has it */
    uint32_t kept;               /* bytes of the request that are kept beyond its use; 0: none */
    struct call_wait *waits;     /* LANES of them; NULL: none ever waited for the disk */
    struct call_budget *budget;  /* NULL: no budget counts it, as yet */
    struct roster_pass *rates;   /* NULL: no rate counts it */
    struct call_aside *aside;    /* NULL: one attempt at a time, as nearly always */
    struct {
        struct call_queued list[CALL_EVENTS_MAX];
        uint8_t count;
        uint8_t next;            /* those before it have been stepped */
        bool is_stepping;
    } events;
    struct call_settled settled[LANES];
    uint8_t settled_count;
    struct link link;            /* in calls */
    struct loop_task task;       /* takes its request up; once closed tells of it and gives its memory back */
    struct buf wire_head;        /* the request head as sent, and the spliced model text */
    char call_id[CALL_ID_LENGTH];
};

/* Bytes of a call's beginning: as far as the flags of its stream. */
enum { CALL_HOT = offsetof(struct call, relay.stream.meter) };

struct call_budget; /* proxy/call_hold.h */
struct roster_pass; /* enforcement/roster.h */
struct reported;    /* wire/reported.h */

struct lane {
    struct calls *calls;
    uint8_t number;
};

/* An attempt and what it is charged, as last made: asked for twice or three times in a row. */
struct made {
    uint64_t call_id;    /* 0: none */
    struct call_settled of;
    struct bill bill;
    struct bill_terms terms;
    bool is_counted;     /* the input's estimate is a count, */
    uint32_t count_error; /* which may be off by so many permille */
    struct usage told;
    struct charge_facts facts;
};

/* What operators are told at most once a minute, and when that was; 0: never. */
struct budget_alarms {
    mono_ms overrun[BUDGETS_MAX];
    mono_ms unasked;
    mono_ms disbelieved;
    uint32_t unasked_calls; /* since */
};

/* calls.c */
struct calls {
    struct env *env;
    struct lane lanes[LANES];
    struct slots slots;
    struct link open;    /* calls that are not closed */
    struct link spare;   /* closed ones, to be used again */
    unsigned spare_count;
    bool has_told_two_keys;
    uint32_t told;       /* calls that the observer was told of */
    uint32_t drains;     /* calls without their app */
    uint32_t kept;       /* bytes of requests that all calls keep */
    struct made made;
    struct call_budget *budgets_spare;
    unsigned budgets_spare_count;
    unsigned budgets_out;      /* that calls have */
    struct budget_alarms alarms;
    struct admin_mount admin;
    uint64_t id_high;    /* of call ids: drawn once, then counted on */
    uint64_t id_low;
};

/* A call on this connection with an id and a snapshot. NULL without memory or room. */
struct call *call_make(struct conn *conn);
/* The one door out; is_told: with its line. That is written, and the memory goes, at the end of the turn: in
 * rows, as all that every call does, so that the code for it stays in the cache (decision 0007). */
void call_close(struct call *call, bool is_told);
/* 48 bits of time and 80 of chance in 26 letters that sort by time. */
void calls_put_id(struct calls *calls, char text[CALL_ID_LENGTH]);

/* call.c */
/* Queues an event for the dispatch and, unless a step is running, steps until none is left. */
void call_event(struct call *call, enum event_kind kind, enum outcome outcome);
/* The same about an attempt that need not be in view. */
void call_event_of(struct call *call, uint8_t attempt, enum event_kind kind, enum outcome outcome);
/* The answer is complete: lets go of the connection, which goes on to its next request. */
void call_leave(struct call *call);
/* Sends the attempt in view, whose record is open. */
void call_start(struct call *call, bool is_fresh);
const struct target *call_target(const struct call *call);
const struct upstream_ops *call_upstream(const struct call *call, struct upstream **upstream);

/* call_open.c */
/* The request is whole: reads it, chooses a target, and begins; or refuses. */
void call_take_up(struct call *call);

/* call_hedge.c */
/* Brings the attempt of this lane into view. False: the call has none there any more. */
bool call_look_at_lane(struct call *call, uint8_t lane);
/* The same by the attempt's number; without effect when it is in view or gone. */
void call_look_at(struct call *call, uint8_t number);
/* Room for a new attempt beside the one in flight. False: no memory. */
bool call_set_aside(struct call *call);
/* The attempt that is not in view is of no more use. */
void call_drop_aside(struct call *call);

/* call_drain.c */
/* Whether one more may be read on without its app. */
bool call_can_drain(const struct call *call);
/* ACTION_DRAIN. */
void call_drain_begin(struct call *call);
void call_drain_end(struct call *call);
/* Bytes came. False: enough, the attempt is to be given up. */
bool call_drain_takes(struct call *call, size_t bytes);

/* call_wait.c: durability power; none of these is called without it (call->env->ports->is_power). */
/* The attempt in view is sent when its slot is on the disk. */
void call_wait_for_slot(struct call *call, bool is_fresh);
/* The attempt in view is not sent any more. */
void call_wait_cancel(struct call *call);
/* What is about to be sent ends the answer: it leaves when the records of the attempts that end with it are
 * on the disk. */
void call_wait_for_record(struct call *call, enum outcome outcome);
/* The same of what may be the last that the app looks at, though its attempt ends a little later: a
 * stream's last event, */
void call_wait_for_end(struct call *call);
/* and so many bytes of a body, unread, whose length is told. */
void call_wait_at_length(struct call *call, size_t bytes);
void call_wait_forget(struct call *call);

/* call_resume.c */
/* With the plan made: takes memory where the route wants its streams continued. */
void call_resume_begin(struct call *call);
void call_resume_end(struct call *call);
/* Whether the stream in view, were it to end now, could be continued. */
bool call_can_resume(const struct call *call);
/* At the commit: what was held goes out and is followed from here on. */
void call_resume_follow(struct call *call, struct span held);
/* An event on its way to the app (relay.is_followed); see resume_event. */
enum resume_step call_resume_event(struct call *call, const struct sse_event *event,
                                   const struct event_view *view, struct buf *out);
/* The attempt in view gives way to one that continues its stream. */
void call_resume_next(struct call *call);
bool call_resume_edits(struct call *call, const struct json_edit *own, size_t own_count,
                       struct json_edit edits[JSON_EDITS_MAX], size_t *count);
/* Of the whole call: of all streams that make up its answer. */
struct usage call_usage(const struct call *call);

/* call_admit.c */
/* Whose call it is, by its head. A refusal when that one may not make it. */
struct refusal call_admit(struct call *call);
/* Whom the body names, where that counts. */
struct refusal call_admit_user(struct call *call);
/* Whether the body names a service tier, or a speed, that is not for the key. */
struct refusal call_admit_tier(const struct call *call);
/* "sha256:" and 8 digits that stand for the credential where it must not be shown. */
void call_admit_put_credential(const struct call *call, struct buf *out);
/* Empty: nobody is named. */
struct span call_user(const struct call *call);
/* Whether the caller (to) may know of a route. */
bool call_admit_sees(const void *to, const struct route *route);

/* call_head.c */
/* Reads the head's fields into call->head. A refusal when one of them is not acceptable. */
struct refusal call_head_capture(struct call *call, const struct http1_head *head,
                                 const char *base);
struct span call_head_span(const struct call_head *head, struct http1_part part);
/* Puts bytes into head->text to be kept as long as the call. */
struct http1_part call_head_keep(struct call_head *head, struct span bytes);
/* call_dress.c: puts the upstream request together in call->wire_head and lists its pieces. False: no memory. */
bool call_head_dress(struct call *call, const struct target *target,
                     struct upstream_request *request);

/* relay.c */
/* A zeroed relay, perhaps with room in its buffers, made ready. */
void relay_begin(struct relay *relay);
/* Gives back what only this answer needed; head and held keep their room. */
void relay_end(struct relay *relay);
/* Ready for the answer of another attempt; what the last one brought is forgotten. */
void relay_again(struct call *call);
/* Gives everything back. */
void relay_fini(struct relay *relay);
/* relay_head.c: the provider's head. OUTCOME_OK: go on. */
enum outcome relay_on_head(struct call *call, const struct http1_head *head, const char *base);
/* How long an error's body asks to wait, where its head did not say. */
void relay_told_wait(struct call *call, const struct provider_error *error);
/* Payload. May raise CONTENT, TERMINAL or ENDED through call_event. */
void relay_on_bytes(struct call *call, struct span bytes);
/* The framing's end. What the attempt came to; what the last bytes brought may have ended it already. */
enum outcome relay_on_end(struct call *call, enum outcome how);
/* relay_out.c */
/* `head` (may be empty) and the body's bytes in the app's framing, in one send. */
enum { RELAY_PIECES_MAX = 12 };
void relay_send(struct call *call, struct span head, const struct span *body, size_t count);
/* ACTION_COMMIT, FINISH, CUT, EARLY_HEAD, KEEP_ALIVE. */
void relay_commit(struct call *call);
void relay_finish(struct call *call);
void relay_cut(struct call *call, enum outcome outcome);
void relay_early_head(struct call *call);
void relay_keep_alive(struct call *call);
/* No other target will be asked: the request is given back. */
void relay_forget_request(struct call *call);

/* reply.c */
/* The header fields of ours that every answer carries; `call` may be NULL. */
void reply_own_fields(struct buf *out, const struct call *call);
/* Status line. */
void reply_status(struct buf *out, unsigned status);
/* A refusal as the call's answer, in the dialect's form. `allow`: the field's value, or NULL. The
 * call still has its connection afterwards. */
void reply_refusal(struct call *call, const struct dialect *dialect,
                   const struct refusal *refusal, const char *allow);
/* The same to something that never became a call; `id` is the call id it would have had. */
void reply_refusal_bytes(struct conn *conn, struct span id, const struct dialect *dialect,
                         const struct refusal *refusal);
/* The failure as the answer: the provider's own error, or ours with what it told beside it; with the
 * time until something may be asked again (action->wait_ms), where that is known. */
void reply_failure(struct call *call, const struct action *action);
/* Every known secret of the attempt that the provider's text repeats is covered up. */
void reply_cover(const struct call *call, struct buf *body);
/* A whole answer with this body. */
void reply_whole(struct call *call, unsigned status, struct span content_type, struct span body);

/* models.c */
/* The model list as the answer; `listed` is the provider's own body, empty when it has none. */
void models_reply(struct call *call, struct span listed);
/* True: answered from what the provider listed lately. */
bool models_reply_cached(struct call *call);

/* replays.c: calls with an Idempotency-Key, once their request is read. */
/* True: it was answered with what was kept, and is closed. Else it runs, or is refused. */
bool call_replay(struct call *call, struct refusal *refusal);
/* What passes through a call that runs for its repeats (call->repeats) is copied into relay.held, to be
 * kept with this content-type. False: it cannot be. */
bool call_replay_copies(struct call *call, struct span type);
/* An attempt of such a call is over: its answer is kept if it is good. */
void call_replay_keep(struct call *call, enum outcome outcome);
/* Such a call is over without one. */
void call_replay_end(struct call *call);

/* call_record.c: what is kept of each attempt. */
/* Before the request leaves. False: its record cannot be kept. */
bool call_record_open(struct call *call);
/* Its id, record_id: written into `id`. */
enum { CALL_RECORD_ID_ROOM = CALL_ID_LENGTH + 8 };
struct span call_record_id(const struct call *call, uint8_t number, char id[CALL_RECORD_ID_ROOM]);
/* What the attempt that is settled now is booked with. */
struct amounts call_record_booked(struct call *call, const struct action *action);
/* The request is fully written. */
void call_record_sent(struct call *call);
/* As more of the answer comes. */
void call_record_progress(struct call *call);
/* The attempt in view is over: what it is charged counts for the call. */
void call_record_settle(struct call *call, const struct action *action);
/* An attempt's charge counts for the call from now on, if it does not yet. */
void call_record_bill(struct call *call, enum outcome outcome, enum attempt_phase phase);
/* The step is over: the records of attempts settled in it are written. */
void call_record_flush(struct call *call);
/* A call that made no attempt. */
void call_record_none(struct call *call);
/* What the whole call cost so far, as decimal text of USD. False: part of it is not priced. */
bool call_record_cost(const struct call *call, struct buf *out);

/* call_subject.c: whom a call counts for. Everything borrows from the call, as long as it lives. */
/* Route, model and provider are empty until there is a plan and a target. */
void call_subject(const struct call *call, struct subject *subject);
/* The same subject's attempt at this target. */
void call_subject_target(const struct call *call, const struct target *target,
                         struct subject *subject);

/* call_exposure.c: what may be paid for twice. */
/* Whether no more of it may be had, for an event that could lead to some. */
bool call_exposure_is_out(const struct call *call, enum event_kind kind, enum outcome outcome);
/* The dispatch as it was before a step that may have decided so. */
struct exposed_before {
    uint8_t ambiguous;
    bool is_hedging;
};
void call_exposure_note(const struct call *call, const struct exposed_before *before);
void call_exposure_settled(const struct call *call, int64_t nano);
/* call_rates.c: how fast calls come. */
/* With the route chosen: asks all rates of the settings at once. A refusal when one of them says no. */
struct refusal call_rates_ask(struct call *call);
/* Whether any call of this caller would be refused now; takes nothing, and what the body will say is not known. */
struct refusal call_rates_look(struct call *call);
/* An attempt is over, and was booked with so many tokens. */
void call_rates_used(struct call *call, const struct amounts *booked);
/* The call is over, however it came to that. */
void call_rates_leave(struct call *call);
/* Which of our rates leave less than the provider says it has left. */
void call_rates_compare(struct call *call, const struct reported *reported);
/* This field of the provider gives way to ours. */
bool call_rates_replace(const struct call *call, struct span name);
/* x-ratelimit-* of our own. */
void call_rates_put_fields(struct buf *out, const struct call *call);

/* call_look.c: before the body. */
/* What any call of this caller would be refused for, by a rate or a budget; the record says so.
 * OVERLOADED: no memory. */
struct refusal call_look_ahead(struct call *call);

/* call_count.c: the tokens of a request, counted here. */
/* False: it cannot be counted, not yet, or the ratio of bytes is nearer to the truth. */
bool call_count_input(struct call *call, struct span model, struct chat_count *count);
/* Of no more use for its answer. True: it is kept for a count all the same. */
bool call_keep_request(struct call *call);
/* Its memory is given back. */
void call_forget_kept(struct call *call);

/* call_log.c */
/* One line per attempt, at debug. */
void call_log_attempt(const struct call *call, enum outcome outcome);
void call_log(const struct call *call);
/* The line of a request that never became a call. */
void call_log_refused(struct env *env, enum refusal_kind kind, struct span call_id,
                      struct span path);

/* call_tell.c: the observer. */
/* The attempt of this number is over, and what follows is decided. */
void call_tell_attempt(struct call *call, uint8_t number);
void call_tell(struct call *call);

#endif
