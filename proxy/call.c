/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a call. Events go into its queue, the dispatch decides, call_act obeys:
 *
 *   conn.c --head, body--> call_open, call_body, call_ready --START--+
 *   upstream --ears------> relay_on_head, relay_on_bytes -----------+--> call_event
 *   conn.c --wake, gone--> call_wake, call_app_gone ----------------+        |
 *                                                                    dispatch_step (pure)
 *   ledger, upstream, relay, reply <-------------- call_act <----------------+
 *
 * Ends in one place: ACTION_CLOSE logs the call and puts it on the reap list. */
#include "proxy/call_parts.h"

#include "admin/page.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "proxy/models.h"
#include "wire/head.h"

enum {
    CALLS_SLOTS_MAX = 1 << 20,
    BODY_FIRST = 64 * 1024,
    NAME_SHOWN = 128,
    SPARES_MAX = 128,       /* closed calls kept for the next ones */
    SPARE_BUFFER_MAX = 4096 /* and the largest of their buffers that stays */
};

struct calls {
    struct env *env;
    struct slots slots;
    struct link open;    /* calls that are not closed */
    struct link spare;   /* closed ones, to be used again */
    unsigned spare_count;
    bool has_told_two_keys;
    uint64_t id_high;    /* of call ids: drawn once, then counted on */
    uint64_t id_low;
};

struct calls *calls_new(struct env *env)
{
    struct calls *calls = mem_take_zero(sizeof *calls);

    if (calls != NULL) {
        calls->env = env;
        slots_init(&calls->slots, CALLS_SLOTS_MAX);
        list_init(&calls->open);
        list_init(&calls->spare);
        loop_entropy(env->loop, &calls->id_high, sizeof calls->id_high);
        loop_entropy(env->loop, &calls->id_low, sizeof calls->id_low);
    }
    return calls;
}

unsigned calls_count(const struct calls *calls)
{
    return calls->slots.count;
}

/* 48 bits of time and 80 of chance in 26 letters that sort by time. */
static void put_call_id(struct calls *calls, char text[CALL_ID_LENGTH])
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint64_t time = (uint64_t)loop_wall(calls->env->loop);
    uint64_t low = calls->id_low;
    uint64_t high = calls->id_high;

    /* Odd steps walk through all values before one comes again. */
    calls->id_low += UINT64_C(0x9e3779b97f4a7c15);
    calls->id_high += UINT64_C(0xda942042e4dd58b5);
    for (int i = 9; i >= 0; i--) {
        text[i] = letters[time % 32];
        time /= 32;
    }
    for (int i = 17; i >= 10; i--) {
        text[i] = letters[low % 32];
        low /= 32;
    }
    for (int i = 25; i >= 18; i--) {
        text[i] = letters[high % 32];
        high /= 32;
    }
}

/* ---- small things ---- */

const struct target *call_target(const struct call *call)
{
    return &call->plan.candidates[0];
}

const struct upstream_ops *call_upstream(const struct call *call, struct upstream **upstream)
{
    const struct ports *ports = call->env->ports;

    if (call_target(call)->provider->kind->is_builtin) {
        *upstream = ports->fixtures;
        return &upstream_fixtures_ops;
    }
    *upstream = ports->network;
    return &upstream_http1_ops;
}

void call_leave(struct call *call)
{
    struct conn *conn = call->conn;

    call->conn = NULL;
    call->facts.bytes_out = conn_sent(conn);
    conn_wake_call(conn, MONO_NEVER);
    conn_answered(conn);
}

/* ---- memory: calls are used again, with the small buffers they have ---- */

static void keep_small(struct buf *buf)
{
    if (buf->cap > SPARE_BUFFER_MAX) {
        buf_fini(buf);
    } else {
        buf_clear(buf);
    }
}

static void destroy(struct call *call)
{
    buf_fini(&call->head.text);
    buf_fini(&call->body);
    buf_fini(&call->model);
    buf_fini(&call->wire_head);
    relay_fini(&call->relay);
    mem_give(call, sizeof *call);
}

static void reap_run(struct loop_task *task)
{
    struct call *call = LIST_OWNER(task, struct call, reap);
    struct calls *calls = call->env->calls;

    snapshot_give(call->snapshot);
    relay_end(&call->relay);
    if (calls->spare_count == SPARES_MAX) {
        destroy(call);
        return;
    }
    keep_small(&call->head.text);
    keep_small(&call->body);
    keep_small(&call->model);
    keep_small(&call->wire_head);
    keep_small(&call->relay.head);
    keep_small(&call->relay.held);
    calls->spare_count++;
    list_push_front(&calls->spare, &call->link);
}

/* A call with nothing in it but, perhaps, room. NULL without memory. */
static struct call *take_blank(struct calls *calls)
{
    struct call *call = NULL;
    struct call used;

    if (calls->spare_count == 0) {
        return mem_take_zero(sizeof *call);
    }
    call = LIST_OWNER(calls->spare.next, struct call, link);
    list_remove(&call->link);
    calls->spare_count--;
    used = *call;
    *call = (struct call){
        .head = {.text = used.head.text},
        .body = used.body,
        .model = used.model,
        .wire_head = used.wire_head,
        .relay = {.head = used.relay.head, .held = used.relay.held},
    };
    return call;
}

static void give_blank(struct calls *calls, struct call *call)
{
    if (call != NULL) {
        calls->spare_count++;
        list_push_front(&calls->spare, &call->link);
    }
}

void calls_free(struct calls *calls)
{
    if (calls != NULL) {
        must(calls->slots.count == 0);
        while (!list_is_empty(&calls->spare)) {
            struct call *call = LIST_OWNER(calls->spare.next, struct call, link);
            list_remove(&call->link);
            destroy(call);
        }
        slots_fini(&calls->slots);
        mem_give(calls, sizeof *calls);
    }
}

/* The one door out. */
static void call_close(struct call *call, bool is_told)
{
    if (call->is_closed) {
        return;
    }
    call->is_closed = true;
    (void)slots_remove(&call->env->calls->slots, call->id);
    list_remove(&call->link);
    if (is_told) {
        call_log(call);
    }
    loop_task_queue(call->env->loop, &call->reap);
}

/* ---- refusals ---- */

void call_refuse_bytes(struct conn *conn, struct span target, enum refusal_kind kind)
{
    struct env *env = conn_env(conn);
    struct refusal refusal = {.kind = kind};
    char id[CALL_ID_LENGTH];

    put_call_id(env->calls, id);
    conn_close_after(conn);
    reply_refusal_bytes(conn, span_make(id, sizeof id), dialect_for_error(target, false), &refusal);
    call_log_refused(env, kind, span_make(id, sizeof id), target);
    conn_answered(conn);
}

/* The call's answer is this refusal; what is left of its body is the connection's business. */
static void refuse(struct call *call, const struct refusal *refusal, const char *allow)
{
    const struct dialect *dialect = call->match.dialect;

    if (call->conn != NULL) {
        conn_refusing(call->conn);
        reply_refusal(call, dialect != NULL ? dialect : dialect_at(0), refusal, allow);
        call_leave(call);
    }
    call_close(call, true);
}

void call_refuse(struct call *call, enum refusal_kind kind)
{
    struct refusal refusal = {.kind = kind};

    refuse(call, &refusal, NULL);
}

/* ---- open: what the head alone decides ---- */

static struct span host_name(struct span host)
{
    if (host.len > 0 && host.at[0] == '[') {
        const char *end = memchr(host.at, ']', host.len);
        return end == NULL ? host : span_make(host.at + 1, (size_t)(end - host.at) - 1);
    }
    return span_cut(&host, ':');
}

/* A page that a browser was lured to may not reach us by a name of its own (DNS rebinding). */
static bool host_is_served(const struct snapshot *snapshot, struct span host)
{
    struct span name = host_name(host);
    struct egress_address address;

    if (snapshot->allowed_hosts_count > 0) {
        for (size_t i = 0; i < snapshot->allowed_hosts_count; i++) {
            if (span_equal_nocase(snapshot->allowed_hosts[i], name) ||
                span_equal_nocase(snapshot->allowed_hosts[i], host)) {
                return true;
            }
        }
        return false;
    }
    return snapshot->is_open || host.len == 0 || span_equal_nocase(name, SPAN_OF("localhost")) ||
           egress_address_read(name, &address);
}

static bool page_answers(struct call *call, struct span method, struct span target)
{
    struct env *env = call->env;
    struct view view = {.is_draining = conns_is_draining(env->conns),
                        .providers = call->snapshot->routing.providers_count};
    struct span query = target;
    const struct page *page = page_find(span_cut(&query, '?'));
    struct buf *body = &env->scratch->text;
    unsigned status = 0;

    if (page == NULL || (conn_side(call->conn) == CONN_DATA && !page->is_on_data)) {
        return false;
    }
    if (!span_equal(method, SPAN_OF("GET")) && !span_equal(method, SPAN_OF("HEAD"))) {
        struct refusal refusal = {.kind = REFUSAL_METHOD};
        refuse(call, &refusal, "GET, HEAD");
        return true;
    }
    buf_clear(body);
    status = page->write(&view, query, body);
    reply_whole(call, status, span_of(page->content_type), buf_span(body));
    call_close(call, false); /* health checks leave no line: they come every second */
    return true;
}

static bool wants_websocket(const struct http1_head *head, const char *base)
{
    int i = head->has_upgrade ? http1_find(head, base, SPAN_OF("upgrade"), 0) : -1;

    return i >= 0 && span_equal_nocase(http1_value(head, base, (size_t)i), SPAN_OF("websocket"));
}

/* What may be repeated of the app's own words: cut, printable. Lives until the call is dressed. */
static struct span shown(struct call *call, struct span text)
{
    buf_clear(&call->wire_head);
    text_put_printable(&call->wire_head, text, NAME_SHOWN);
    return buf_span(&call->wire_head);
}

static struct refusal judge_path(struct call *call, const struct http1_head *head,
                                 const char *base, const char **allow)
{
    struct span method = http1_part_span(head->method, base);
    struct span target = http1_part_span(head->target, base);
    struct span path = target;
    bool has_anthropic = http1_find(head, base, SPAN_OF("anthropic-version"), 0) >= 0;
    struct refusal refusal = {.kind = REFUSAL_NONE};

    path = span_cut(&path, '?');
    if (span_equal(method, SPAN_OF("GET")) && wants_websocket(head, base) &&
        (span_ends(path, SPAN_OF("/responses")) || span_ends(path, SPAN_OF("/realtime")))) {
        call->match.dialect = dialect_for_error(target, has_anthropic);
        refusal.kind = REFUSAL_WEBSOCKET;
        return refusal;
    }
    if (dialect_match(method, target, has_anthropic, &call->match)) {
        if (call->match.method_is_wrong) {
            *allow = call->match.allow;
            refusal.kind = REFUSAL_METHOD;
        }
        return refusal;
    }
    call->match.dialect = dialect_for_error(target, has_anthropic);
    call->match.operation = NULL;
    refusal.kind = REFUSAL_NOT_FOUND;
    refusal.hint = call->match.hint;
    refusal.detail = shown(call, path);
    return refusal;
}

static bool is_full(const struct env *env)
{
    const struct settings_limits *limits = &env->snapshot->limits;

    return env->calls->slots.count > limits->calls ||
           mem_held() > limits->memory / 100 * 95;
}

static struct refusal judge_head(struct call *call, const struct http1_head *head,
                                 const char *base, const char **allow)
{
    struct refusal refusal = {.kind = REFUSAL_NONE};
    bool wants_call = false;

    if (conn_side(call->conn) == CONN_ADMIN) {
        refusal.kind = REFUSAL_NOT_FOUND;
        return refusal;
    }
    refusal = judge_path(call, head, base, allow);
    if (refusal.kind != REFUSAL_NONE) {
        return refusal;
    }
    wants_call = call->match.operation->kind != OPERATION_MODELS;
    if (is_full(call->env)) {
        refusal.kind = REFUSAL_OVERLOADED;
        return refusal;
    }
    refusal = call_head_capture(call, head, base);
    if (refusal.kind != REFUSAL_NONE) {
        return refusal;
    }
    if (head->framing == HTTP1_BODY_LENGTH &&
        head->length > (wants_call ? call->snapshot->limits.body : LIMIT_DROPPED_BODY)) {
        refusal.kind = REFUSAL_BODY_LARGE;
        conn_close_after(call->conn);
    }
    return refusal;
}

static struct call *make(struct conn *conn)
{
    struct env *env = conn_env(conn);
    struct call *call = take_blank(env->calls);

    if (call == NULL || slots_add(&env->calls->slots, call, &call->id) != ERR_NONE) {
        give_blank(env->calls, call);
        return NULL;
    }
    call->env = env;
    call->conn = conn;
    call->snapshot = snapshot_take(env->snapshot);
    call->facts.began_us = loop_micros(env->loop);
    call->body.max = (size_t)env->snapshot->limits.body;
    call->model.max = (size_t)LIMIT_MODEL_NAME * 4;
    call->wire_head.max = LIMIT_WIRE_HEAD;
    relay_begin(&call->relay);
    loop_task_init(&call->reap, reap_run);
    list_push_back(&env->calls->open, &call->link);
    put_call_id(env->calls, call->call_id);
    return call;
}

/* For the line of a request that is refused by its head. */
static void note_path(struct call *call, struct span target)
{
    struct buf *text = &call->env->scratch->text;

    buf_clear(text);
    text_put_printable(text, span_cut(&target, '?'), NAME_SHOWN);
    call->head.shown_path = call_head_keep(&call->head, buf_span(text));
}

/* Agents send two credentials as a habit; once is enough to know. */
static void tell_two_keys(struct call *call)
{
    struct calls *calls = call->env->calls;

    if (call->head.has_two_keys && !calls->has_told_two_keys) {
        calls->has_told_two_keys = true;
        log_say(call->env->log, LOG_WARN, "two_credentials",
                "an app sends Authorization and another credential: Authorization counts");
    }
}

struct call *call_open(struct conn *conn, const struct http1_head *head, const char *base)
{
    struct call *call = make(conn);
    struct refusal refusal = {.kind = REFUSAL_NONE};
    const char *allow = NULL;

    if (call == NULL) {
        call_refuse_bytes(conn, span_make(NULL, 0), REFUSAL_OVERLOADED);
        return NULL;
    }
    call->head.text.max = HEAD_TEXT_MAX;
    call->head.is_head_method =
        span_equal(http1_part_span(head->method, base), SPAN_OF("HEAD"));
    if (!host_is_served(call->snapshot, http1_part_span(head->host, base))) {
        refusal.kind = REFUSAL_HOST_NOT_SERVED;
        call->match.dialect =
            dialect_for_error(http1_part_span(head->target, base),
                              http1_find(head, base, SPAN_OF("anthropic-version"), 0) >= 0);
        conn_close_after(conn);
    } else if (page_answers(call, http1_part_span(head->method, base),
                            http1_part_span(head->target, base))) {
        return NULL;
    } else {
        refusal = judge_head(call, head, base, &allow);
    }
    if (refusal.kind != REFUSAL_NONE) {
        note_path(call, http1_part_span(head->target, base));
        refuse(call, &refusal, allow);
        return NULL;
    }
    tell_two_keys(call);
    if (head->framing == HTTP1_BODY_LENGTH && head->length > 0) {
        uint64_t first = head->length < BODY_FIRST ? head->length : BODY_FIRST;
        buf_hint(&call->body, (size_t)first);
    }
    if (head->expects_continue && !conn_is_http10(conn)) {
        struct span go_on = SPAN_OF("HTTP/1.1 100 Continue\r\n\r\n");
        conn_send(conn, &go_on, 1);
    }
    return call;
}

bool call_body(struct call *call, struct span bytes)
{
    call->facts.bytes_in += bytes.len;
    if (call->match.operation->kind == OPERATION_MODELS) {
        return true; /* read and dropped; its length was judged with the head */
    }
    buf_put(&call->body, bytes);
    if (!call->body.failed) {
        return true;
    }
    conn_close_after(call->conn);
    call_refuse(call, call->body.len + bytes.len > call->body.max ? REFUSAL_BODY_LARGE
                                                                  : REFUSAL_OVERLOADED);
    return false;
}

/* ---- ready: what the body decides ---- */

static struct refusal read_request(struct call *call)
{
    const struct operation *operation = call->match.operation;
    struct scratch *scratch = call->env->scratch;
    struct refusal refusal = {.kind = REFUSAL_NONE};

    call->request = (struct request){.output_cap = -1};
    if (operation->read_request != NULL) {
        refusal = operation->read_request(scratch->scan, scratch->seed, buf_span(&call->body),
                                          &call->request);
    }
    call->request.dialect = call->match.dialect;
    call->request.operation = operation;
    if (refusal.kind == REFUSAL_NONE && call->request.model_raw.len > 0) {
        json_string_decode(call->request.model_raw, &call->model);
    }
    return refusal;
}

static struct refusal choose(struct call *call)
{
    struct refusal refusal = {.kind = REFUSAL_NONE};
    const struct dialect *dialect = call->match.dialect;
    struct way way;
    bool is_found = call->model.len > 0
                        ? route_find(&call->snapshot->routing, dialect, buf_span(&call->model), &way)
                        : route_of_dialect(&call->snapshot->routing, dialect, &way);

    if (!is_found) {
        refusal.kind = call->model.len > 0 ? REFUSAL_MODEL_NOT_FOUND : REFUSAL_DIALECT_NOT_SERVED;
        refusal.param = call->model.len > 0 ? "model" : NULL;
        refusal.detail = shown(call, buf_span(&call->model));
        return refusal;
    }
    plan_make(&call->plan, &way, dialect);
    if (call->plan.count == 0) {
        refusal.kind = REFUSAL_DIALECT_NOT_SERVED;
        if (call->plan.route != NULL) {
            refusal.detail = call->plan.route->name;
        }
    }
    return refusal;
}

static void begin(struct call *call)
{
    struct dispatch_rules rules = {
        .timeouts = call->plan.timeouts,
        .patience_ms = call->head.patience_ms,
        .deadline_ms = call->head.deadline_ms,
        .is_stream = call->request.is_stream,
    };

    dispatch_init(&call->dispatch, &rules, loop_now(call->env->loop));
    stream_init(&call->relay.stream, call->match.operation, false);
    call_event(call, EVENT_START, OUTCOME_OK);
}

void call_ready(struct call *call)
{
    struct refusal refusal;
    bool is_models = call->match.operation->kind == OPERATION_MODELS;

    if (is_models && models_reply_cached(call)) {
        call_close(call, true);
        return;
    }
    refusal = read_request(call);
    if (refusal.kind == REFUSAL_NONE) {
        refusal = choose(call);
    }
    if (refusal.kind == REFUSAL_NONE) {
        begin(call);
        return;
    }
    if (is_models) {
        models_reply(call, span_make(NULL, 0)); /* no provider of this dialect: the routes alone */
        call_close(call, true);
        return;
    }
    refuse(call, &refusal, NULL);
}

/* ---- the ears of the attempt ---- */

static struct call *call_of(void *to, uint64_t id)
{
    struct calls *calls = to;
    struct call *call = slots_find(&calls->slots, id);

    return call == NULL || call->is_closed ? NULL : call;
}

static void on_connected(void *to, uint64_t id, bool is_reused)
{
    struct call *call = call_of(to, id);

    if (call != NULL) {
        call->facts.is_reused = is_reused;
    }
}

static void on_written(void *to, uint64_t id)
{
    struct call *call = call_of(to, id);

    if (call != NULL) {
        call_event(call, EVENT_WRITTEN, OUTCOME_OK);
    }
}

static void on_head(void *to, uint64_t id, const struct http1_head *head, const char *base)
{
    struct call *call = call_of(to, id);
    enum outcome outcome = OUTCOME_OK;

    if (call == NULL) {
        return;
    }
    call->facts.head_us = loop_micros(call->env->loop);
    outcome = relay_on_head(call, head, base);
    if (outcome != OUTCOME_OK) {
        call_event(call, EVENT_ENDED, outcome);
        return;
    }
    call_event(call, EVENT_HEAD, OUTCOME_OK);
    if (call->relay.mode == RELAY_PASS) {
        call_event(call, EVENT_CONTENT, OUTCOME_OK);
    }
}

static void on_bytes(void *to, uint64_t id, struct span bytes)
{
    struct call *call = call_of(to, id);

    if (call != NULL) {
        relay_on_bytes(call, bytes);
    }
}

static void on_end(void *to, uint64_t id, enum outcome how)
{
    struct call *call = call_of(to, id);

    if (call == NULL) {
        return;
    }
    call->upstream = 0;
    call_event(call, EVENT_ENDED, relay_on_end(call, how));
}

/* ---- obeying ---- */

static void act_hold(struct call *call)
{
    const struct ports *ports = call->env->ports;
    struct hold_request request = {.call_id = call->id, .attempt = call->dispatch.attempt};
    struct hold_answer answer;

    if (ports->ledger_ops->hold(ports->ledger, &request, &answer)) {
        call_event(call, answer.verdict == HOLD_GRANTED ? EVENT_HELD : EVENT_DENIED, OUTCOME_OK);
    }
}

static void act_attempt(struct call *call)
{
    const struct target *target = call_target(call);
    struct upstream_request request = {
        .provider = target->provider,
        .connect_ms = call->plan.timeouts->connect_ms,
        .write_ms = call->plan.timeouts->write_ms,
    };
    struct upstream_ears ears = {.to = call->env->calls,
                                 .on_connected = on_connected,
                                 .on_written = on_written,
                                 .on_head = on_head,
                                 .on_bytes = on_bytes,
                                 .on_end = on_end};
    struct upstream *upstream = NULL;
    const struct upstream_ops *ops = call_upstream(call, &upstream);

    call->facts.has_attempt = true;
    call->facts.attempt_us = loop_micros(call->env->loop);
    if (call_head_dress(call, target, &request)) {
        call->upstream = ops->start(upstream, &request, &ears, call->id);
    }
    if (call->upstream == 0) {
        call_event(call, EVENT_ENDED, OUTCOME_LOCAL);
    }
}

/* The attempt's connection is let go, whether or not the dispatch still thought it alive: an answer
 * that was judged bad half-way is not read on. */
static void act_abandon(struct call *call)
{
    struct upstream *upstream = NULL;
    const struct upstream_ops *ops = NULL;

    if (call->upstream != 0) {
        ops = call_upstream(call, &upstream);
        ops->cancel(upstream, call->upstream);
        call->upstream = 0;
    }
}

static void act_settle(struct call *call, const struct action *action)
{
    const struct ports *ports = call->env->ports;

    call->facts.outcome = action->outcome;
    act_abandon(call);
    call_log_attempt(call, action->outcome);
    ports->ledger_ops->settle(ports->ledger, call->id, action->attempt);
}

static void call_act(struct call *call, const struct action *action)
{
    switch (action->kind) {
    case ACTION_HOLD: act_hold(call); break;
    case ACTION_ATTEMPT: act_attempt(call); break;
    case ACTION_ABANDON: act_abandon(call); break;
    case ACTION_COMMIT: relay_commit(call); break;
    case ACTION_EARLY_HEAD: relay_early_head(call); break;
    case ACTION_KEEP_ALIVE: relay_keep_alive(call); break;
    case ACTION_FINISH: relay_finish(call); break;
    case ACTION_CUT: relay_cut(call, action->outcome); break;
    case ACTION_FAIL: reply_failure(call, action->outcome); break;
    case ACTION_SETTLE: act_settle(call, action); break;
    case ACTION_CLOSE: call_close(call, true); break;
    }
}

static void step(struct call *call, const struct event_in *event)
{
    struct actions actions;

    dispatch_step(&call->dispatch, event, &actions);
    for (uint8_t i = 0; i < actions.count; i++) {
        call_act(call, &actions.list[i]);
    }
    if (call->conn != NULL) {
        conn_wake_call(call->conn, actions.wake_at);
    }
}

/* When the provider last told us something that decided; the clock is read once for what came in
 * one millisecond. */
static void note_time(struct call *call, enum event_kind kind)
{
    mono_ms now = loop_now(call->env->loop);

    if (kind == EVENT_HEAD) {
        call->facts.told_us = call->facts.head_us;
        call->facts.told_at = now;
    } else if ((kind == EVENT_CONTENT || kind == EVENT_ENDED) && now != call->facts.told_at) {
        call->facts.told_us = loop_micros(call->env->loop);
        call->facts.told_at = now;
    }
}

void call_event(struct call *call, enum event_kind kind, enum outcome outcome)
{
    if (call->is_closed) {
        return;
    }
    note_time(call, kind);
    must(call->events.count < CALL_EVENTS_MAX);
    call->events.list[call->events.count++] = (struct event_in){
        .kind = kind,
        .attempt = call->dispatch.attempt,
        .outcome = outcome,
        .now = loop_now(call->env->loop),
    };
    if (call->events.is_stepping) {
        return;
    }
    call->events.is_stepping = true;
    for (uint8_t i = 0; i < call->events.count && call->dispatch.state != DISPATCH_CLOSED; i++) {
        struct event_in event = call->events.list[i];
        step(call, &event);
    }
    call->events.count = 0;
    call->events.is_stepping = false;
}

void call_app_gone(struct call *call)
{
    call->conn = NULL;
    if (call->is_closed) {
        return;
    }
    if (call->dispatch.timeouts == NULL) { /* not begun: the request was still coming in */
        call->facts.outcome = OUTCOME_APP_GONE;
        call_close(call, true);
        return;
    }
    call_event(call, EVENT_APP_GONE, OUTCOME_APP_GONE);
}

void call_writable(struct call *call)
{
    struct upstream *upstream = NULL;
    const struct upstream_ops *ops = NULL;

    if (call->relay.is_paused && call->upstream != 0) {
        call->relay.is_paused = false;
        dispatch_paused(&call->dispatch, false, loop_now(call->env->loop));
        ops = call_upstream(call, &upstream);
        ops->resume(upstream, call->upstream);
        call_event(call, EVENT_WAKE, OUTCOME_OK); /* its idle time runs again: asks for the wake-up */
    }
}

void call_wake(struct call *call)
{
    call_event(call, EVENT_WAKE, OUTCOME_OK);
}

void calls_shut_down(struct calls *calls)
{
    struct link *next = NULL;

    for (struct link *at = calls->open.next; at != &calls->open; at = next) {
        struct call *call = LIST_OWNER(at, struct call, link);
        next = at->next;
        if (call->dispatch.timeouts == NULL) { /* its body is still coming in */
            conn_close_after(call->conn);
            call_refuse(call, REFUSAL_SHUTDOWN);
        } else {
            call_event(call, EVENT_SHUTDOWN, OUTCOME_SHUTDOWN);
        }
    }
}
