/* SPDX-License-Identifier: Apache-2.0 */
/* Pages and orders onto their listener. */
#include "proxy/admin_mount.h"

#include "proxy/budgets_shared.h"

#include "admin/guard.h"
#include "admin/order.h"
#include "admin/page.h"
#include "admin/target_out.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "headgate_version.h"
#include "proxy/admin_budgets.h"
#include "proxy/admin_estimate.h"
#include "proxy/admin_fleet.h"
#include "proxy/admin_report.h"
#include "proxy/admin_sinks.h"
#include "proxy/admin_usage.h"
#include "proxy/call_parts.h"
#include "wire/json_out.h"

enum { NAME_SHOWN = 128, NAMES_SHOWN_MAX = 2048 };

/* ---- refusals ---- */

/* For the line of a request that is refused. */
static void note_path(struct call *call, struct span target)
{
    struct buf *text = &call->env->scratch->text;

    buf_clear(text);
    text_put_printable(text, span_cut(&target, '?'), NAME_SHOWN);
    call->head.shown_path = call_head_keep(&call->head, buf_span(text));
}

static void refuse_fully(struct call *call, const struct refusal *refusal, const char *allow)
{
    const struct dialect *dialect = call->match.dialect;

    conn_refusing(call->conn);
    reply_refusal(call, dialect != NULL ? dialect : dialect_at(0), refusal, allow);
    call_leave(call);
    call_close(call, true);
}

static void refuse(struct call *call, enum refusal_kind kind, const char *allow)
{
    struct refusal refusal = {.kind = kind};

    refuse_fully(call, &refusal, allow);
}

/* ---- the view ---- */

static bool view_fill(const struct call *call, bool wants_targets, struct view *view,
                      struct target_view **targets)
{
    const struct env *env = call->env;
    unsigned calls = calls_count(env->calls);

    *targets = NULL;
    *view = (struct view){
        .is_draining = conns_is_draining(env->conns),
        .awaits_ledger = env->ports->shared != NULL && env->snapshot->budgets.enforces &&
                         !budgets_shared_was_up(env->ports->shared),
        .providers = call->snapshot->routing.providers_count,
        .targets_count = wants_targets ? admin_fleet_count(env) : 0,
        .uptime_ms = loop_now(env->loop) - env->calls->admin.began,
        .calls = calls > 0 ? calls - 1 : 0, /* without the one that asks */
        .version = SPAN_OF(HEADGATE_VERSION),
    };
    if (view->targets_count == 0) {
        return true;
    }
    *targets = mem_take(view->targets_count * sizeof **targets);
    if (*targets == NULL) {
        return false;
    }
    admin_fleet_fill(env, *targets, view->targets_count);
    view->targets = *targets;
    return true;
}

static void view_drop(const struct view *view, struct target_view *targets)
{
    mem_give(targets, view->targets_count * sizeof *targets);
}

/* ---- pages ---- */

static bool is_read(struct span method)
{
    return span_equal(method, SPAN_OF("GET")) || span_equal(method, SPAN_OF("HEAD"));
}

static void answer_page(struct call *call, const struct page *page, struct span method,
                        struct span query)
{
    struct buf *body = &call->env->scratch->text;
    struct target_view *targets = NULL;
    struct view view;
    unsigned status = 0;

    if (!is_read(method)) {
        refuse(call, REFUSAL_METHOD, "GET, HEAD");
        return;
    }
    if (!view_fill(call, page->wants_targets, &view, &targets)) {
        refuse(call, REFUSAL_OVERLOADED, NULL);
        return;
    }
    buf_clear(body);
    status = page->write(&view, query, body);
    view_drop(&view, targets);
    if (body->failed) {
        refuse(call, REFUSAL_OVERLOADED, NULL);
        return;
    }
    reply_whole(call, status, span_of(page->content_type), buf_span(body));
    call_close(call, false); /* health checks leave no line: they come every second */
}

bool admin_page_answers(struct call *call, struct span method, struct span target)
{
    struct span query = target;
    const struct page *page = page_find(span_cut(&query, '?'));

    if (page == NULL || !page->is_on_data) {
        return false;
    }
    answer_page(call, page, method, query);
    return true;
}

/* ---- orders ---- */

/* The known targets' names, as many as are read with pleasure. */
static void put_known(struct buf *out, const struct view *view)
{
    buf_clear(out);
    for (size_t i = 0; i < view->targets_count; i++) {
        if (out->len > NAMES_SHOWN_MAX) {
            buf_put_format(out, " and %zu more", view->targets_count - i);
            return;
        }
        buf_put_text(out, i == 0 ? "" : ", ");
        target_put_name(out, &view->targets[i]);
    }
    if (view->targets_count == 0) {
        buf_put_text(out, "none");
    }
}

static void refuse_name(struct call *call)
{
    struct refusal refusal = {.kind = REFUSAL_TARGET_UNKNOWN};
    struct target_view *targets = NULL;
    struct view view;

    if (view_fill(call, true, &view, &targets)) {
        put_known(&call->wire_head, &view);
        view_drop(&view, targets);
        refusal.detail = buf_span(&call->wire_head);
    }
    refuse_fully(call, &refusal, NULL);
}

static void tell_order(const struct call *call, const struct order *order, size_t count)
{
    struct log *log = call->env->log;

    log_begin(log, LOG_INFO, "target_order", "an operator's order was obeyed");
    log_field(log, "call_id", span_make(call->call_id, CALL_ID_LENGTH));
    log_field(log, "order", span_of(order_word(order->what)));
    log_field(log, "target", order_name(order));
    log_number(log, "count", (long long)count);
    log_end(log);
}

static void obey(struct call *call, const struct order *order)
{
    struct buf *body = &call->env->scratch->text;
    struct json_out out;
    size_t count = admin_fleet_obey(call->env, order_name(order), order->what);

    if (count == 0) {
        refuse_name(call);
        return;
    }
    tell_order(call, order, count);
    buf_clear(body);
    json_out_init(&out, body);
    json_open_object(&out);
    json_key(&out, "target");
    json_string(&out, order_name(order));
    json_key(&out, "order");
    json_text(&out, order_word(order->what));
    json_key(&out, "targets");
    json_i64(&out, (int64_t)count);
    json_close_object(&out);
    buf_put_char(body, '\n');
    conn_refusing(call->conn); /* a body too long to be dropped is not waited for */
    reply_whole(call, 200, SPAN_OF("application/json"), buf_span(body));
    call_close(call, false); /* the order's own line is its line */
}

/* ---- the guard ---- */

static enum refusal_kind refusal_of(enum guard_verdict verdict)
{
    switch (verdict) {
    case GUARD_PASS: return REFUSAL_NONE;
    case GUARD_HOST: return REFUSAL_HOST_NOT_SERVED;
    case GUARD_BROWSER: return REFUSAL_NO_BROWSER;
    case GUARD_CLOSED: return REFUSAL_ADMIN_CLOSED;
    case GUARD_REMOTE: return REFUSAL_ADMIN_REMOTE;
    case GUARD_NO_TOKEN:
    case GUARD_WRONG_TOKEN: return REFUSAL_ADMIN_TOKEN;
    case GUARD_LOCKED_OUT: return REFUSAL_ADMIN_LOCKED_OUT;
    }
    UNREACHABLE();
}

/* facts: what the path alone says is filled in already. True: it may be answered. */
static bool passes(struct call *call, const struct http1_head *head, const char *base,
                   struct guard_facts *facts)
{
    struct guard_rules rules = {.token = call->snapshot->admin_token,
                                .hosts = call->snapshot->allowed_hosts,
                                .hosts_count = call->snapshot->allowed_hosts_count};
    struct lockout *lockout = &call->env->calls->admin.lockout;
    mono_ms now = loop_now(call->env->loop);
    struct silent_name peer;
    enum guard_verdict verdict = GUARD_PASS;

    guard_see(head, base, facts);
    facts->is_local = conn_peer(call->conn, &peer);
    facts->is_locked_out = lockout_is_on(lockout, &peer, now);
    verdict = guard_judge(&rules, facts);
    if (verdict == GUARD_PASS) {
        return true;
    }
    if (verdict == GUARD_WRONG_TOKEN) {
        lockout_wrong(lockout, &peer, now);
    }
    if (verdict == GUARD_HOST) {
        conn_close_after(call->conn);
    }
    if (verdict == GUARD_NO_TOKEN || verdict == GUARD_WRONG_TOKEN) {
        buf_put_text(&call->relay.head, "www-authenticate: Bearer\r\n");
    }
    refuse(call, refusal_of(verdict), NULL);
    return false;
}

/* ---- any request ---- */

static bool is_longer(const struct http1_head *head, uint64_t most)
{
    return head->framing == HTTP1_BODY_LENGTH && head->length > most;
}

static bool estimate_opens(struct call *call, const struct http1_head *head, struct span method,
                           struct span query)
{
    if (!span_equal(method, SPAN_OF("POST"))) {
        refuse(call, REFUSAL_METHOD, "POST");
        return false;
    }
    if (is_longer(head, call->snapshot->limits.body)) {
        conn_close_after(call->conn);
        refuse(call, REFUSAL_BODY_LARGE, NULL);
        return false;
    }
    return admin_estimate_open(call, query);
}

static bool budgets_opens(struct call *call, const struct http1_head *head, struct span method,
                          const struct budget_ask *asked, struct span query)
{
    bool is_order = asked->kind == BUDGET_ASK_ORDER;

    if (is_order ? !span_equal(method, SPAN_OF("POST")) : !is_read(method)) {
        refuse(call, REFUSAL_METHOD, is_order ? "POST" : "GET, HEAD");
        return false;
    }
    if (is_longer(head, LIMIT_DROPPED_BODY)) {
        conn_close_after(call->conn);
        refuse(call, REFUSAL_BODY_LARGE, NULL);
        return false;
    }
    return admin_budgets_open(call, asked, query);
}

bool admin_answers(struct call *call, const struct http1_head *head, const char *base)
{
    struct span method = http1_part_span(head->method, base);
    struct span target = http1_part_span(head->target, base);
    struct span query = target;
    struct span path = span_cut(&query, '?');
    const struct page *page = page_find(path);
    struct order order;
    struct budget_ask asked;
    enum order_reading reading = order_read(method, target, &order);
    bool is_report = admin_report_is(path) && span_equal(method, SPAN_OF("POST"));
    bool is_budget_order = budget_ask_path(path, &asked) == BUDGET_ASK_ORDER &&
                           span_equal(method, SPAN_OF("POST"));
    struct guard_facts facts = {.is_change = reading == ORDER_GOOD || reading == ORDER_NAME ||
                                             is_report || is_budget_order,
                                .is_public = page != NULL && page->is_public,
                                .is_work = span_equal(path, ADMIN_ESTIMATE_PATH)};

    call->match.dialect =
        dialect_for_error(target, dialect_spoken(head, base));
    note_path(call, target);
    if (!passes(call, head, base, &facts)) {
        return false;
    }
    if (admin_usage_is(path) || admin_sinks_is(path)) {
        if (!is_read(method)) {
            refuse(call, REFUSAL_METHOD, "GET, HEAD");
            return false;
        }
        return admin_sinks_is(path) ? admin_sinks_open(call, path)
                                    : admin_usage_open(call, path, query);
    }
    if (asked.kind != BUDGET_ASK_NONE) {
        return budgets_opens(call, head, method, &asked, query);
    }
    if (is_report) {
        return admin_report_open(call, head, base);
    }
    if (facts.is_work) {
        return estimate_opens(call, head, method, query);
    }
    if (page != NULL) {
        answer_page(call, page, method, query);
        return false;
    }
    if (admin_report_is(path)) {
        reading = ORDER_METHOD;
    }
    switch (reading) {
    case ORDER_NONE: refuse(call, REFUSAL_NOT_FOUND, NULL); return false;
    case ORDER_METHOD: refuse(call, REFUSAL_METHOD, "POST"); return false;
    case ORDER_NAME: refuse_name(call); return false;
    case ORDER_GOOD: break;
    }
    if (is_longer(head, LIMIT_DROPPED_BODY)) {
        conn_close_after(call->conn);
        refuse(call, REFUSAL_BODY_LARGE, NULL);
        return false;
    }
    obey(call, &order);
    return false;
}
