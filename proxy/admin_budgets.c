/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever asked may have left when the ledger answers; what the answer is made of is therefore the
 * question's own, the settings as well. */
#include "proxy/admin_budgets.h"

#include "admin/budget_out.h"
#include "base/mem.h"
#include "proxy/admin_ask.h"
#include "proxy/budgets.h"
#include "proxy/call_parts.h"
#include "proxy/keys.h"
#include "proxy/policy.h"

enum {
    TEXTS_MAX = 64 * 1024,
    ANSWER_MAX = 4 * 1024 * 1024, /* BUDGET_ROWS_MAX of the longest rows */
    NAMES_SHOWN_MAX = 256         /* of a refusal's detail more is not shown */
};

struct budgets_page {
    struct admin_ask ask; /* first, so that it leads here */
    struct budget_ask asked;
    struct snapshot *snapshot; /* whose budgets hold when it is asked */
    struct buf texts;         /* of the question */
    struct subject subject;   /* of BUDGET_ASK_LIMITS */
    struct buf subject_texts;
    bool is_good;           /* the ledger answered, or obeyed */
    struct why why;         /* it did not obey */
    struct ledger_order order;
    struct ledger_report report;
    struct budget_rows rows;
};

static void page_free(struct admin_ask *ask)
{
    struct budgets_page *page = (struct budgets_page *)ask;

    budget_rows_fini(&page->rows);
    buf_fini(&page->texts);
    buf_fini(&page->subject_texts);
    snapshot_give(page->snapshot);
    mem_give(page, sizeof *page);
}

/* ---- asking ---- */

static void on_row(struct ledger_report *report, const struct ledger_row *row)
{
    budget_rows_add(&LIST_OWNER(report, struct budgets_page, report)->rows, row);
}

static void on_report(struct ledger_report *report, bool is_whole)
{
    struct budgets_page *page = LIST_OWNER(report, struct budgets_page, report);

    page->is_good = is_whole;
    if (is_whole) {
        budget_rows_close(&page->rows, report->subject, report->now);
    }
    admin_ask_answered(&page->ask);
}

static void on_order(struct ledger_order *order, bool is_done, const char *why)
{
    struct budgets_page *page = LIST_OWNER(order, struct budgets_page, order);

    page->is_good = is_done;
    if (!is_done) {
        why_set(&page->why, "%s", why);
    }
    admin_ask_answered(&page->ask);
}

static void start_order(struct budgets_page *page)
{
    const struct budget_ask *asked = &page->asked;

    page->order = (struct ledger_order){
        .kind = asked->order,
        .budget = asked->has_name ? asked->name : span_make("", 0),
        .value = asked->value,
        .has_value = asked->has_value,
        .now = loop_wall(page->ask.env->loop),
        .done = on_order,
    };
    budgets_order(page->ask.env, &page->order);
}

static void start(struct admin_ask *ask)
{
    struct budgets_page *page = (struct budgets_page *)ask;
    const struct ports *ports = ask->env->ports;

    if (page->asked.kind == BUDGET_ASK_ORDER) {
        start_order(page);
        return;
    }
    page->report = (struct ledger_report){
        .subject = page->asked.kind == BUDGET_ASK_LIMITS ? &page->subject : NULL,
        .budgets = &page->snapshot->budgets,
        .now = loop_wall(ask->env->loop),
        .row = on_row,
        .done = on_report,
    };
    ports->ledger_ops->report(ports->ledger, &page->report);
}

/* ---- answering ---- */

static void tell_order(const struct budgets_page *page, const struct call *call)
{
    struct log *log = page->ask.env->log;
    const struct budget_ask *asked = &page->asked;

    log_begin(log, LOG_INFO, "budget_order", "an operator's order about budgets was obeyed");
    if (call != NULL) {
        log_field(log, "call_id", span_make(call->call_id, CALL_ID_LENGTH));
    }
    log_field(log, "order", span_of(budget_order_word(asked->order)));
    if (asked->has_name) {
        log_field(log, "budget", asked->name);
    }
    if (asked->has_value) {
        log_field(log, asked->order == ORDER_VOID ? "proxy" : "of", asked->value);
    }
    log_number(log, "count", (long long)page->order.touched);
    log_end(log);
}

static void put_name(struct json_out *json, const char *name, struct span text)
{
    json_key(json, name);
    if (text.len > 0) {
        json_string(json, text);
    } else {
        json_null(json);
    }
}

static void put_limits(const struct budgets_page *page, struct json_out *json)
{
    const struct env *env = page->ask.env;
    struct span key = page->subject.values[SCOPE_KEY];
    struct rate_sight sights[ROSTER_CLAIMS_MAX];
    size_t count = roster_look(env->ports->roster, &env->snapshot->rates, &page->subject,
                               loop_now(env->loop), sights);

    put_name(json, "key", key);
    put_name(json, "team", page->subject.values[SCOPE_TEAM]);
    put_name(json, "user", page->subject.values[SCOPE_USER]);
    budget_put_limits(json, &page->rows);
    /* Without keys there is one caller: nobody else's are among them, as with x-ratelimit-*. */
    rates_put_limits(json, sights, count, page->rows.filter.is_for_app && key.len > 0,
                     loop_wall(env->loop));
}

static void put_answer(const struct budgets_page *page, struct buf *out)
{
    struct json_out json;

    if (page->asked.kind == BUDGET_ASK_ORDER) {
        budget_put_done(out, &page->asked, page->order.touched);
        return;
    }
    if (page->asked.kind == BUDGET_ASK_TABLE) {
        budget_put_table(out, &page->rows);
        return;
    }
    json_out_init(&json, out);
    json_open_object(&json);
    if (page->asked.kind == BUDGET_ASK_LIMITS) {
        put_limits(page, &json);
    } else {
        budget_put_counters(&json, &page->rows);
    }
    json_close_object(&json);
    buf_put_char(out, '\n');
}

static void reply(struct budgets_page *page, struct call *call)
{
    struct buf out;

    buf_init(&out, ANSWER_MAX);
    put_answer(page, &out);
    if (out.failed || page->rows.failed) {
        admin_ask_refuse(call, &(struct refusal){.kind = REFUSAL_OVERLOADED});
    } else {
        reply_whole(call, 200,
                    page->asked.kind == BUDGET_ASK_TABLE ? SPAN_OF("text/plain; charset=utf-8")
                                                         : SPAN_OF("application/json"),
                    buf_span(&out));
        call_close(call, false); /* as all pages; an order has its own line */
    }
    buf_fini(&out);
}

static void answer(struct admin_ask *ask, struct call *call)
{
    struct budgets_page *page = (struct budgets_page *)ask;
    bool is_order = page->asked.kind == BUDGET_ASK_ORDER;

    if (is_order && page->is_good) {
        tell_order(page, call);
    }
    if (call == NULL) {
        return;
    }
    if (page->is_good) {
        reply(page, call);
    } else {
        admin_ask_refuse(call, &(struct refusal){.kind = is_order ? REFUSAL_ORDER_NOT_OBEYED
                                                                  : REFUSAL_LEDGER_SILENT,
                                                 .detail = span_of(page->why.text)});
    }
}

/* ---- the head ---- */

static bool refuse(struct call *call, struct budgets_page *page, const struct refusal *refusal)
{
    admin_ask_refuse(call, refusal);
    if (page != NULL) {
        page_free(&page->ask);
    }
    return false;
}

static struct budgets_page *page_new(struct call *call, const struct budget_ask *asked)
{
    struct budgets_page *page = mem_take_zero(sizeof *page);

    if (page != NULL) {
        page->asked = *asked;
        page->snapshot = snapshot_take(call->env->policy->snapshot);
        buf_init(&page->texts, TEXTS_MAX);
        buf_init(&page->subject_texts, TEXTS_MAX);
    }
    return page;
}

static bool page_open(struct budgets_page *page, struct call *call, bool is_for_app)
{
    static const struct admin_ask_ops ops = {.start = start, .answer = answer, .free = page_free};
    const struct budget_ask *asked = &page->asked;
    struct budget_filter filter = {.is_for_app = is_for_app};

    if (asked->kind != BUDGET_ASK_LIMITS) {
        filter = (struct budget_filter){.has_budget = asked->has_budget,
                                        .has_value = asked->has_value,
                                        .budget = asked->budget,
                                        .value = asked->value};
    }
    budget_rows_init(&page->rows, &page->snapshot->budgets, &filter, asked->limit);
    admin_ask_open(&page->ask, &ops, call);
    return true;
}

/* The subject's texts become the question's own. False: no memory. */
static bool keep_subject(struct budgets_page *page, const struct subject *subject)
{
    size_t len = 0;

    for (size_t i = 0; i < SCOPE_KINDS; i++) {
        len += subject->values[i].len;
    }
    if (buf_reserve(&page->subject_texts, len) != ERR_NONE) {
        return false;
    }
    for (size_t i = 0; i < SCOPE_KINDS; i++) {
        size_t from = page->subject_texts.len;

        buf_put(&page->subject_texts, subject->values[i]);
        page->subject.values[i] =
            span_make(page->subject_texts.at + from, subject->values[i].len);
    }
    return true;
}

static bool is_known(const struct budgets *budgets, struct span name)
{
    for (size_t i = 0; i < budgets->count; i++) {
        if (span_equal(budgets->list[i].name, name)) {
            return true;
        }
    }
    return false;
}

static struct span known_names(struct buf *out, const struct budgets *budgets)
{
    buf_clear(out);
    for (size_t i = 0; i < budgets->count && out->len < NAMES_SHOWN_MAX; i++) {
        buf_put_text(out, i == 0 ? "" : ", ");
        buf_put(out, budgets->list[i].name);
    }
    if (budgets->count == 0) {
        buf_put_text(out, "none");
    }
    return buf_span(out);
}

static const struct caller *find_key(const struct keys *keys, struct span name)
{
    const struct keyring *ring = keys_are_wanted(keys) ? keys_ring(keys) : NULL;

    for (size_t i = 0; ring != NULL && i < ring->count; i++) {
        if (span_equal(ring->keys[i].caller.name, name)) {
            return &ring->keys[i].caller;
        }
    }
    return NULL;
}

/* Whom the calls with a key count for, whatever else they say. False: there is no such key. */
static bool key_subject(const struct call *call, struct span name, struct subject *subject)
{
    const struct caller *caller = find_key(call->env->keys, name);

    if (caller == NULL) {
        return false;
    }
    *subject =
        (struct subject){.values = {[SCOPE_TEAM] = caller->team,
                                    [SCOPE_USER] = caller->user,
                                    [SCOPE_KEY] = caller->name,
                                    [SCOPE_TAG] = caller->tags,
                                    [SCOPE_CALL] = span_make(call->call_id, CALL_ID_LENGTH)}};
    return true;
}

static struct refusal judge(struct budgets_page *page, struct call *call, struct span query)
{
    const struct budgets *budgets = &page->snapshot->budgets;
    struct budget_ask *asked = &page->asked;
    struct subject subject;
    enum err err = budget_ask_read(asked, query, &page->texts, &page->why);

    if (err == ERR_MEMORY) {
        return (struct refusal){.kind = REFUSAL_OVERLOADED};
    }
    if (err != ERR_NONE) {
        return (struct refusal){.kind = REFUSAL_BAD_QUESTION, .detail = span_of(page->why.text)};
    }
    if (asked->kind == BUDGET_ASK_ORDER && asked->has_name && !is_known(budgets, asked->name)) {
        return (struct refusal){.kind = REFUSAL_BUDGET_UNKNOWN,
                                .detail = known_names(&call->wire_head, budgets)};
    }
    if (asked->kind == BUDGET_ASK_LIMITS && !key_subject(call, asked->name, &subject)) {
        return (struct refusal){.kind = REFUSAL_KEY_UNKNOWN};
    }
    if (asked->kind == BUDGET_ASK_LIMITS && !keep_subject(page, &subject)) {
        return (struct refusal){.kind = REFUSAL_OVERLOADED};
    }
    return (struct refusal){.kind = REFUSAL_NONE};
}

bool admin_budgets_open(struct call *call, const struct budget_ask *asked, struct span query)
{
    struct budgets_page *page = page_new(call, asked);
    struct refusal refusal = {.kind = REFUSAL_OVERLOADED};

    if (page != NULL) {
        refusal = judge(page, call, query);
    }
    return refusal.kind == REFUSAL_NONE ? page_open(page, call, false)
                                        : refuse(call, page, &refusal);
}

/* ---- an app's own ---- */

static const struct operation own_limits = {.name = "limits", .kind = OPERATION_MODELS};

bool own_limits_match(struct span method, struct span path, const struct dialect *spoken,
                      struct path_match *match)
{
    if (!span_equal(path, SPAN_OF("/headgate/v1/limits"))) {
        return false;
    }
    *match = (struct path_match){
        .dialect = dialect_for_error(path, spoken),
        .operation = &own_limits,
        .method_is_wrong =
            !span_equal(method, SPAN_OF("GET")) && !span_equal(method, SPAN_OF("HEAD")),
        .allow = "GET, HEAD",
    };
    return true;
}

bool own_limits_is(const struct path_match *match)
{
    return match->operation == &own_limits;
}

bool own_limits_open(struct call *call)
{
    static const struct budget_ask asked = {.kind = BUDGET_ASK_LIMITS, .limit = BUDGET_ROWS_MAX};
    struct budgets_page *page = page_new(call, &asked);
    struct subject subject;

    call_subject(call, &subject);
    if (page == NULL || !keep_subject(page, &subject)) {
        return refuse(call, page, &(struct refusal){.kind = REFUSAL_OVERLOADED});
    }
    return page_open(page, call, true);
}
