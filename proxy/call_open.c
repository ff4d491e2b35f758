/* SPDX-License-Identifier: Apache-2.0 */
/* From an app's request to a call that is dispatched: what the head alone decides, then what the
 * body does. Every no on the way is answered and logged here. */
#include "proxy/call_translate.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "proxy/admin_ask.h"
#include "proxy/admin_budgets.h"
#include "proxy/admin_mount.h"
#include "proxy/keys.h"
#include "router/foreign.h"
#include "router/quote.h"
#include "wire/head.h"
#include "wire/path_hint.h"

enum { BODY_FIRST = 64 * 1024, NAME_SHOWN = 128 };

/* ---- refusals ---- */

void call_refuse_bytes(struct conn *conn, struct span target, enum refusal_kind kind)
{
    struct env *env = conn_env(conn);
    struct refusal refusal = {.kind = kind};
    char id[CALL_ID_LENGTH];

    calls_put_id(env->calls, id);
    conn_close_after(conn);
    reply_refusal_bytes(conn, span_make(id, sizeof id), dialect_for_error(target, NULL), &refusal);
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
static bool host_is_served(const struct call *call, struct span host)
{
    const struct snapshot *snapshot = call->snapshot;
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
    return snapshot->is_open || keys_are_wanted(call->env->keys) || host.len == 0 || span_equal_nocase(name, SPAN_OF("localhost")) ||
           egress_address_read(name, &address);
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

static struct refusal judge_path(struct call *call, const struct http1_head *head, const char *base,
                                 const char **allow)
{
    struct span method = http1_part_span(head->method, base);
    struct span target = http1_part_span(head->target, base);
    struct span path = target;
    const struct dialect *spoken = dialect_spoken(head, base);
    struct refusal refusal = {.kind = REFUSAL_NONE};

    path = span_cut(&path, '?');
    if (span_equal(method, SPAN_OF("GET")) && wants_websocket(head, base) &&
        (span_ends(path, SPAN_OF("/responses")) || span_ends(path, SPAN_OF("/realtime")))) {
        call->match.dialect = dialect_for_error(target, spoken);
        refusal.kind = REFUSAL_WEBSOCKET;
        return refusal;
    }
    if (own_limits_match(method, path, spoken, &call->match) ||
        dialect_match(method, target, spoken, &call->match)) {
        if (call->match.method_is_wrong) {
            *allow = call->match.allow;
            refusal.kind = REFUSAL_METHOD;
        } else if (call->match.query_is_wrong) {
            refusal.kind = REFUSAL_QUERY;
            refusal.hint = call->match.hint;
        }
        return refusal;
    }
    call->match.dialect = dialect_for_error(target, spoken);
    call->match.operation = NULL;
    refusal.kind = REFUSAL_NOT_FOUND;
    refusal.hint = call->match.hint;
    refusal.served = path_served;
    refusal.detail = shown(call, path);
    return refusal;
}

static bool is_full(const struct env *env)
{
    const struct settings_limits *limits = &env->snapshot->limits;

    return env->calls->slots.count > limits->calls || mem_held() > limits->memory / 100 * 95;
}

static struct refusal judge_head(struct call *call, const struct http1_head *head, const char *base,
                                 const char **allow)
{
    struct refusal refusal = {.kind = REFUSAL_NONE};
    struct refusal stranger = {.kind = REFUSAL_NONE};
    bool wants_call = false;

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
    if (refusal.kind == REFUSAL_AUTHORIZATION_TWICE || refusal.kind == REFUSAL_OVERLOADED) {
        conn_close_after(call->conn);
        return refusal;
    }
    stranger = call_admit(call); /* who is none of ours learns nothing else */
    if (stranger.kind != REFUSAL_NONE) {
        return stranger;
    }
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

static struct call *expect_body(struct call *call, const struct http1_head *head)
{
    if (head->framing == HTTP1_BODY_LENGTH && head->length > 0) {
        uint64_t first = head->length < BODY_FIRST ? head->length : BODY_FIRST;
        buf_hint(&call->body, (size_t)first);
    }
    if (head->expects_continue && !conn_is_http10(call->conn)) {
        struct span go_on = SPAN_OF("HTTP/1.1 100 Continue\r\n\r\n");
        conn_send(call->conn, &go_on, 1);
    }
    return call;
}

struct call *call_open(struct conn *conn, const struct http1_head *head, const char *base)
{
    struct call *call = call_make(conn);
    struct refusal refusal = {.kind = REFUSAL_NONE};
    const char *allow = NULL;

    if (call == NULL) {
        call_refuse_bytes(conn, span_make(NULL, 0), REFUSAL_OVERLOADED);
        return NULL;
    }
    call->head.text.max = HEAD_TEXT_MAX;
    call->head.is_head_method = span_equal(http1_part_span(head->method, base), SPAN_OF("HEAD"));
    if (conn_side(conn) == CONN_ADMIN) {
        return admin_answers(call, head, base) ? expect_body(call, head) : NULL;
    }
    if (!host_is_served(call, http1_part_span(head->host, base))) {
        refusal.kind = REFUSAL_HOST_NOT_SERVED;
        call->match.dialect =
            dialect_for_error(http1_part_span(head->target, base), dialect_spoken(head, base));
        conn_close_after(conn);
    } else if (admin_page_answers(call, http1_part_span(head->method, base),
                                  http1_part_span(head->target, base))) {
        return NULL;
    } else {
        refusal = judge_head(call, head, base, &allow);
        if (refusal.kind == REFUSAL_NONE && head->expects_continue && !conn_is_http10(conn)) {
            refusal = call_look_ahead(call);
        }
    }
    if (refusal.kind != REFUSAL_NONE) {
        note_path(call, http1_part_span(head->target, base));
        refuse(call, &refusal, allow);
        return NULL;
    }
    tell_two_keys(call);
    if (own_limits_is(&call->match) && !own_limits_open(call)) {
        return NULL;
    }
    return expect_body(call, head);
}

bool call_body(struct call *call, struct span bytes)
{
    call->facts.bytes_in += bytes.len;
    if (call->ask != NULL && !call->ask->ops->takes_body) {
        return true; /* a question has no body that matters */
    }
    if (call->ask == NULL && call->match.operation->kind == OPERATION_MODELS) {
        return true; /* read and dropped; its length was judged with the head */
    }
    buf_put(&call->body, bytes);
    if (!call->body.failed) {
        return true;
    }
    conn_close_after(call->conn);
    if (call->body.len + bytes.len <= call->body.max) {
        call_refuse(call, REFUSAL_OVERLOADED);
    } else {
        call_refuse(call, call->ask != NULL && call->ask->ops->too_large != REFUSAL_NONE
                              ? call->ask->ops->too_large
                              : REFUSAL_BODY_LARGE);
    }
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
    call->request.is_stream = call->request.is_stream || operation->is_stream;
    if (refusal.kind == REFUSAL_NONE && call->request.model_raw.len > 0 && call->model.len == 0) {
        json_string_decode(call->request.model_raw, &call->model);
    }
    return refusal;
}

/* What was asked for and is not there, and the name that may have been meant. */
static struct refusal not_found(struct call *call, enum way_found found, const struct wish *wish)
{
    struct refusal refusal = route_refusal(&call->snapshot->routing, found, wish);

    refusal.detail = shown(call, refusal.detail);
    return refusal;
}

static struct plan_ask ask_of(const struct call *call)
{
    const struct call_head *head = &call->head;
    struct span name = call->caller->name;

    return (struct plan_ask){
        .dialect = call->match.dialect,
        .operation = call->match.operation,
        .model = buf_span(&call->model),
        .session =
            head->session.len > 0 ? call_head_span(head, head->session) : call->request.session,
        .caller = name.len > 0 ? name : call_head_span(head, head->key),
        .prices = &call->snapshot->prices,
        .at = call->facts.began_at,
        .estimate = quote_estimate(call->body.len, call->request.output_cap),
    };
}

/* What the caller may not have is not there for it. */
static enum way_found found_by(const struct call *call, const struct wish *wish,
                               const struct way *way)
{
    struct span route = way->route != NULL ? way->route->name : span_make("", 0);

    if (caller_may_call(call->caller, route, wish->model)) {
        return WAY_FOUND;
    }
    return wish->route.len > 0 ? WAY_NO_ROUTE : wish->task.len > 0 ? WAY_NO_TASK : WAY_NO_MODEL;
}

static struct refusal choose(struct call *call)
{
    struct refusal refusal = {.kind = REFUSAL_NONE};
    const struct dialect *dialect = call->match.dialect;
    const struct routing *routing = &call->snapshot->routing;
    struct wish wish = {.route = call_head_span(&call->head, call->head.route),
                        .task = call_head_span(&call->head, call->head.task),
                        .model = buf_span(&call->model),
                        .sees = call_admit_sees,
                        .to = call->caller};
    struct plan_ask ask = ask_of(call);
    struct way way;
    enum way_found found = WAY_FOUND;

    if (call->model.len > 0) {
        found = route_find(routing, dialect, &wish, &way);
        found = found == WAY_FOUND ? found_by(call, &wish, &way) : found;
    } else if (!route_of_dialect(routing, dialect, &way)) {
        found = WAY_NO_MODEL;
    }
    if (found != WAY_FOUND) {
        return not_found(call, found, &wish);
    }
    if (way.rules->strategy->uses_costs) {
        ask.length = quote_length(call->env->ports->guesses, &way, &ask, call->request.output_cap);
    }
    plan_make(&call->plan, call->env->fleet, &way, &ask, loop_now(call->env->loop));
    if (call->plan.count == 0) {
        refusal.kind = REFUSAL_DIALECT_NOT_SERVED;
        refusal.hint = foreign_hint(&call->plan, call->match.operation);
        if (call->plan.route != NULL) {
            refusal.detail = call->plan.route->name;
        }
        return refusal;
    }
    call->place = call->plan.order[0];
    return refusal;
}

/* A whole answer that cannot be long may be asked for twice, like a stream. */
enum { SHORT_ANSWER_TOKENS = 1024 };

static void begin(struct call *call)
{
    struct dispatch_rules rules = {
        .patience_ms = call->head.patience_ms,
        .deadline_ms = call->head.deadline_ms,
        .is_stream = call->request.is_stream,
        .no_failover = call->head.no_failover || call->request.is_bound,
        /* Of a path that is only passed through nobody knows what sending it twice would do. */
        .runs_once = call->match.operation->kind == OPERATION_PASS &&
                     !span_equal(call_head_span(&call->head, call->head.method), SPAN_OF("GET")),
        .is_short =
            call->request.output_cap >= 0 && call->request.output_cap <= SHORT_ANSWER_TOKENS,
    };

    dispatch_init(&call->dispatch, &call->plan, call->env->fleet, &rules,
                  loop_now(call->env->loop));
    stream_init(&call->relay.stream, call->match.operation, false);
    call_resume_begin(call);
    call_event(call, EVENT_START, OUTCOME_OK);
}

void call_ready(struct call *call)
{
    loop_task_queue(call->env->loop, &call->task);
}

/* What only reads may be asked for as often as one likes. */
static bool can_repeat(const struct call *call)
{
    return call->head.idempotency.len > 0 &&
           !span_equal(call_head_span(&call->head, call->head.method), SPAN_OF("GET")) &&
           !call->head.is_head_method;
}

void call_take_up(struct call *call)
{
    struct refusal refusal;
    bool is_models = false;
    bool is_estimated = false;

    if (call->ask != NULL) {
        admin_ask_go(call);
        return;
    }
    is_models = call->match.operation->kind == OPERATION_MODELS;

    if (is_models && models_reply_cached(call)) {
        call_close(call, true);
        return;
    }
    refusal = read_request(call);
    if (refusal.kind == REFUSAL_NONE) {
        refusal = call_admit_user(call);
    }
    if (refusal.kind == REFUSAL_NONE) {
        refusal = call_admit_tier(call);
    }
    if (refusal.kind == REFUSAL_NONE && can_repeat(call) && call_replay(call, &refusal)) {
        return;
    }
    if (refusal.kind == REFUSAL_NONE) {
        refusal = choose(call);
    }
    is_estimated = refusal.kind == REFUSAL_DIALECT_NOT_SERVED && call_can_estimate(call);
    refusal.kind = is_estimated ? REFUSAL_NONE : refusal.kind;
    if (refusal.kind == REFUSAL_NONE && call->snapshot->rates.count > 0) {
        refusal = call_rates_ask(call);
    }
    if (refusal.kind == REFUSAL_NONE && is_estimated) {
        call_estimate(call);
        call_close(call, true);
        return;
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
