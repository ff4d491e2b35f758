/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of our own, each in one send: refusals, failures, whole answers. */
#include "proxy/call_hold.h"
#include "proxy/call_translate.h"

#include "base/text.h"
#include "wire/head.h"
#include "wire/hint.h"

struct status_text {
    unsigned status;
    const char *text;
};

static const struct status_text statuses[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {529, "Overloaded"},
};

void reply_status(struct buf *out, unsigned status)
{
    const char *text = "Status";

    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++) {
        if (statuses[i].status == status) {
            text = statuses[i].text;
            break;
        }
    }
    buf_put(out, SPAN_OF("HTTP/1.1 "));
    buf_put_u64(out, status);
    buf_put_char(out, ' ');
    buf_put_text(out, text);
    buf_put(out, SPAN_OF("\r\n"));
}

static void put_duration(struct buf *out, uint64_t micros)
{
    char text[BUF_DIGITS_MAX + 4];
    char *end = buf_digits(text, micros / 1000);
    unsigned rest = (unsigned)(micros % 1000);

    *end++ = '.';
    *end++ = (char)('0' + rest / 100);
    *end++ = (char)('0' + rest / 10 % 10);
    *end++ = (char)('0' + rest % 10);
    buf_put(out, span_make(text, (size_t)(end - text)));
}

/* Ours is all the time in which we did not wait for the provider. */
static void put_times(struct buf *out, const struct call *call)
{
    const struct call_facts *facts = &call->facts;
    uint64_t now = loop_micros(call->env->loop);
    uint64_t all = now - facts->began_us;
    uint64_t upstream = facts->told_us > facts->attempt_us ? facts->told_us - facts->attempt_us : 0;
    uint64_t own = all > upstream ? all - upstream : 0;

    if (call->snapshot->response_headers) {
        buf_put(out, SPAN_OF("x-headgate-overhead-ms: "));
        put_duration(out, own);
        buf_put(out, SPAN_OF("\r\n"));
    }
    buf_put(out, SPAN_OF("server-timing: proxy;dur="));
    put_duration(out, own);
    buf_put(out, SPAN_OF(", upstream;dur="));
    put_duration(out, upstream);
    buf_put(out, SPAN_OF("\r\n"));
}

static void put_target(struct buf *out, const struct call *call)
{
    const struct target *target = call_target(call);
    struct span model = target->model.len > 0 ? target->model : buf_span(&call->model);

    buf_put(out, SPAN_OF("x-headgate-target: "));
    buf_put(out, target->provider->name);
    if (model.len > 0) {
        buf_put_char(out, '/');
        text_put_printable(out, model, model.len); /* the app chose it: never raw into a header */
    }
    buf_put(out, SPAN_OF("\r\nx-headgate-attempts: "));
    buf_put_u64(out, call->dispatch.attempts);
    buf_put(out, SPAN_OF("\r\n"));
    call_translate_put_fields(out, call);
    if (dispatch_switched(&call->dispatch) != OUTCOME_OK) {
        head_put(out, SPAN_OF("x-headgate-failover"),
                 span_of(outcome_word(dispatch_switched(&call->dispatch))));
    }
}

/* Known before the head of whole answers alone. */
static void put_cost(struct buf *out, const struct call *call)
{
    size_t from = out->len;

    if (!call->facts.is_cost_final) {
        return;
    }
    buf_put(out, SPAN_OF("x-headgate-cost-usd: "));
    if (call_record_cost(call, out)) {
        buf_put(out, SPAN_OF("\r\n"));
    } else {
        buf_truncate(out, from);
    }
}

void reply_own_fields(struct buf *out, const struct call *call)
{
    struct span id = span_make(call->call_id, CALL_ID_LENGTH);
    struct span app_id = call_head_span(&call->head, call->head.request_id);

    app_id = app_id.len > 0 ? app_id : id;
    head_put(out, SPAN_OF("x-request-id"), app_id);
    if (call->match.dialect != NULL && call->match.dialect->request_id_header != NULL) {
        head_put(out, span_of(call->match.dialect->request_id_header), app_id);
    }
    if (call->snapshot->response_headers) {
        head_put(out, SPAN_OF("x-headgate-call-id"), id);
        if (call->plan.route != NULL) {
            head_put(out, SPAN_OF("x-headgate-route"), call->plan.route->name);
        }
        if (call->facts.has_attempt && !call->relay.is_early) {
            put_target(out, call);
        }
        put_cost(out, call);
        if (call->facts.is_replayed) {
            head_put(out, SPAN_OF("x-headgate-replayed"), SPAN_OF("true"));
        }
        if (call->budget != NULL) {
            call_budget_put_fields(out, call);
        }
    }
    if (call->rates != NULL) {
        call_rates_put_fields(out, call);
    }
    if (call->facts.has_attempt && !call->relay.is_early) {
        put_times(out, call);
    }
}

static void put_wait(struct buf *out, uint64_t wait_ms)
{
    struct hint_told told = hint_tell((int64_t)wait_ms);

    buf_put_format(out, "retry-after: %u\r\nretry-after-ms: %u\r\n", told.seconds, told.ms);
    if (told.is_capped) {
        buf_put(out, SPAN_OF("x-should-retry: false\r\n"));
    }
}

/* How long the app is to wait, in the form SDKs obey, or that it is not to ask again: never
 * neither, or they multiply our own attempts. */
static void put_retry(struct buf *out, uint64_t wait_ms)
{
    if (wait_ms == 0) {
        buf_put(out, SPAN_OF("x-should-retry: false\r\n"));
    } else {
        put_wait(out, wait_ms);
    }
}

/* The end of a head: length, connection, blank line; then head and body leave together. */
static void send_whole(struct conn *conn, struct buf *out, struct span body, bool has_no_body)
{
    struct span pieces[2];

    buf_put(out, SPAN_OF("content-length: "));
    buf_put_u64(out, body.len);
    buf_put_text(out, conn_must_close(conn) ? "\r\nconnection: close\r\n\r\n" : "\r\n\r\n");
    pieces[0] = buf_span(out);
    pieces[1] = has_no_body ? span_make("", 0) : body;
    conn_send(conn, pieces, 2);
}

static bool is_head_method(const struct call *call)
{
    return call != NULL && call->head.is_head_method;
}

/* The ids of an answer to something that never became a call. */
static void put_ids(struct conn *conn, struct buf *out, struct span id,
                    const struct dialect *dialect)
{
    head_put(out, SPAN_OF("x-request-id"), id);
    if (dialect->request_id_header != NULL) {
        head_put(out, span_of(dialect->request_id_header), id);
    }
    if (conn_env(conn)->snapshot->response_headers) {
        head_put(out, SPAN_OF("x-headgate-call-id"), id);
    }
}

static void send_refusal(struct conn *conn, const struct call *call, struct span id,
                         const struct dialect *dialect, const struct refusal *refusal,
                         const char *allow)
{
    struct scratch *scratch = conn_env(conn)->scratch;
    const struct refusal_row *row = refusal_row(refusal->kind);
    struct buf *out = &scratch->out;
    struct buf *body = &scratch->text;

    buf_clear(out);
    buf_clear(body);
    dialect->write_error(body, refusal, id);
    reply_status(out, refusal->status != 0 ? refusal->status : row->status);
    buf_put(out, SPAN_OF("content-type: application/json\r\ncache-control: no-store\r\n"));
    if (allow != NULL) {
        head_put(out, SPAN_OF("allow"), span_of(allow));
    }
    put_retry(out, refusal->wait_ms > 0 ? refusal->wait_ms : row->wait_s * (uint64_t)1000);
    if (call != NULL) {
        buf_put(out, buf_span(&call->relay.head)); /* what the provider told beside its error */
        reply_own_fields(out, call);
    } else {
        put_ids(conn, out, id, dialect);
    }
    send_whole(conn, out, buf_span(body), is_head_method(call));
}

void reply_refusal(struct call *call, const struct dialect *dialect, const struct refusal *refusal,
                   const char *allow)
{
    call->facts.status =
        refusal->status != 0 ? refusal->status : refusal_row(refusal->kind)->status;
    call->facts.refusal = refusal->kind;
    if (call->first_us == 0) {
        call->first_us = loop_micros(call->env->loop);
    }
    send_refusal(call->conn, call, span_make(call->call_id, CALL_ID_LENGTH), dialect, refusal,
                 allow);
}

void reply_refusal_bytes(struct conn *conn, struct span id, const struct dialect *dialect,
                         const struct refusal *refusal)
{
    send_refusal(conn, NULL, id, dialect, refusal, NULL);
}

void reply_whole(struct call *call, unsigned status, struct span content_type, struct span body)
{
    struct buf *out = &call->env->scratch->out;
    struct conn *conn = call->conn;

    if (conn == NULL) {
        return;
    }
    call->facts.status = status;
    call->first_us = loop_micros(call->env->loop);
    buf_clear(out);
    reply_status(out, status);
    head_put(out, SPAN_OF("content-type"), content_type);
    buf_put(out, SPAN_OF("cache-control: no-store\r\n"));
    buf_put(out, buf_span(&call->relay.head));
    reply_own_fields(out, call);
    send_whole(conn, out, body, is_head_method(call));
    call_leave(call);
}

static void cover(struct buf *body, struct span secret)
{
    struct span rest = buf_span(body);
    const char *at = NULL;

    if (secret.len < 8) {
        return; /* too short to be a key, and covering it would maim the text */
    }
    while ((at = span_find(rest, secret)) != NULL) {
        memset(body->at + (at - body->at), '*', secret.len);
        rest = span_from(rest, (size_t)(at - rest.at) + secret.len);
    }
}

void reply_cover(const struct call *call, struct buf *body)
{
    const struct provider *provider = call_target(call)->provider;

    cover(body, provider->credential);
    cover(body, provider->session_token);
    cover(body, provider->access_key_id);
    cover(body, call_head_span(&call->head, call->head.key));
}

/* A provider that limits the rate and does not say for how long. */
enum { THROTTLED_WAIT_MS = 1000 };

/* How long the app is to wait before it asks again: until something can be asked, else what the
 * provider asked for. An account without credit is not back that soon, whatever its hint. */
static uint64_t wait_of(const struct call *call, const struct action *action)
{
    const struct relay *relay = &call->relay;

    if (action->wait_ms > 0) {
        return action->wait_ms;
    }
    if (relay->has_wait && outcome_refusal(action->outcome) != REFUSAL_UPSTREAM_QUOTA) {
        return (uint64_t)relay->hint_ms;
    }
    return action->outcome == OUTCOME_THROTTLED ? THROTTLED_WAIT_MS : 0;
}

/* What is told when the provider's own answer would go back but is not JSON: its status, our words.
 */
static struct refusal without_body(const struct relay *relay, enum outcome outcome)
{
    struct refusal refusal = {.kind = REFUSAL_UPSTREAM_ERROR};

    if (outcome == OUTCOME_THROTTLED) {
        refusal.kind = REFUSAL_UPSTREAM_THROTTLED;
    } else if (outcome == OUTCOME_REQUEST && relay->status >= 400) {
        refusal.status = relay->status;
    }
    return refusal;
}

/* The provider's own refusal as it stands. Statuses that SDKs ask again for by themselves say how
 * long to wait, or not to. */
static void reply_provider_error(struct call *call, uint64_t wait_ms)
{
    struct relay *relay = &call->relay;
    bool asks_again = relay->status == 408 || relay->status == 409 || relay->status == 429 ||
                      relay->status >= 500;

    call->facts.is_cost_final = true;
    reply_cover(call, &relay->held);
    if (asks_again) {
        put_retry(&relay->head, wait_ms);
    }
    /* 529 is Anthropic's own; other clients take an unknown status for what it is not. */
    reply_whole(call, relay->status == 529 ? call->match.dialect->overloaded_status : relay->status,
                SPAN_OF("application/json"), buf_span(&relay->held));
}

void reply_failure(struct call *call, const struct action *action)
{
    enum outcome outcome = action->outcome;
    struct refusal refusal = {.kind = outcome_refusal(outcome)};
    struct relay *relay = &call->relay;

    if (call->conn == NULL) {
        return;
    }
    if (call->match.operation->kind == OPERATION_MODELS) {
        models_reply(call, span_make(NULL, 0));
        return;
    }
    if (refusal.kind == REFUSAL_NONE && relay->translation != NULL) {
        refusal = call_translate_error(call, outcome);
    }
    if (refusal.kind == REFUSAL_NONE && relay->answer.is_json && relay->held.len > 0 &&
        relay->status >= 400) {
        reply_provider_error(call, wait_of(call, action));
        return;
    }
    if (refusal.kind == REFUSAL_NONE) {
        refusal = without_body(relay, outcome);
    }
    call_budget_refusal(call, &refusal);
    call_translate_refusal(call, &refusal);
    refusal.wait_ms = wait_of(call, action);
    call->facts.is_cost_final = true;
    if (refusal.kind == REFUSAL_UPSTREAM_OVERLOADED) {
        refusal.status = call->match.dialect->overloaded_status;
    }
    reply_refusal(call, call->match.dialect, &refusal, NULL);
    call_leave(call);
}
