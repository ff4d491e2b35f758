/* SPDX-License-Identifier: Apache-2.0 */
/* The one line of each call. */
#include "proxy/call_translate.h"

#include "base/text.h"

static void put_count(struct log *log, const char *name, int64_t value)
{
    if (value >= 0) {
        log_number(log, name, value);
    }
}

static void put_target_name(struct buf *text, const struct call *call, const struct target *target)
{
    struct span model = target->model.len > 0 ? target->model : buf_span(&call->model);

    buf_put(text, target->provider->name);
    if (model.len > 0) {
        buf_put_char(text, '/');
        buf_put(text, model);
    }
}

/* "a/m1 overloaded 120ms, other_target; b/m2 ok 900ms": each attempt, how it ended and after how
 * long, and what followed: another attempt (after a pause), or why there was none. */
static void put_tries(struct log *log, const struct call *call)
{
    struct buf *text = &call->env->scratch->text;
    const struct dispatch *dispatch = &call->dispatch;

    if (dispatch->notes_count < 2 && dispatch->notes[0].why == RETRY_DONE) {
        return; /* one attempt, and it was good */
    }
    buf_clear(text);
    for (uint8_t i = 0; i < dispatch->notes_count; i++) {
        const struct attempt_note *note = &dispatch->notes[i];

        buf_put_text(text, i > 0 ? "; " : "");
        put_target_name(text, call, plan_target(&call->plan, note->place));
        buf_put_format(text, " %s %ums", outcome_word((enum outcome)note->outcome), note->took_ms);
        if (note->why != RETRY_DONE) {
            buf_put_format(text, ", %s", retry_why_word((enum retry_why)note->why));
        }
        if (note->wait_ms > 0) {
            buf_put_format(text, " after %ums", note->wait_ms);
        }
    }
    log_field(log, "tries", buf_span(text));
}

static void put_target(struct log *log, const struct call *call)
{
    struct buf *text = &call->env->scratch->text;

    buf_clear(text);
    put_target_name(text, call, call_target(call));
    log_field(log, "target", buf_span(text));
    log_number(log, "attempts", call->dispatch.attempts);
    log_field(log, "outcome", span_of(outcome_word(call->facts.outcome)));
    log_bool(log, "reused", call->facts.is_reused);
}

static void put_usage(struct log *log, const struct call *call)
{
    struct usage usage = call_usage(call);

    put_count(log, "in_tokens", usage_input_all(&usage));
    put_count(log, "out_tokens", usage.tokens[TOKENS_OUTPUT]);
    put_count(log, "cache_read_tokens", usage.tokens[TOKENS_CACHE_READ]);
    put_count(log, "cache_write_tokens", usage.tokens[TOKENS_CACHE_WRITE_5M]);
    put_count(log, "reasoning_tokens", usage.reasoning);
    buf_clear(&call->env->scratch->text);
    if (call_record_cost(call, &call->env->scratch->text)) {
        log_field(log, "cost_usd", buf_span(&call->env->scratch->text));
    }
    if (usage.is_anomalous) {
        log_bool(log, "usage_anomaly", true);
    }
}

static void put_times(struct log *log, const struct call *call)
{
    const struct call_facts *facts = &call->facts;

    log_seconds(log, "dur_s", loop_micros(call->env->loop) - facts->began_us);
    if (call->first_us != 0) {
        log_seconds(log, "ttfb_s", call->first_us - facts->began_us);
    }
    if (facts->head_us != 0) {
        log_seconds(log, "upstream_ttfb_s", facts->head_us - facts->attempt_us);
    }
}

/* A call that a provider spoiled is worth a look: it is told even where only warnings are. */
static enum log_level level_of(const struct call_facts *facts)
{
    if (!facts->has_attempt) {
        return LOG_INFO;
    }
    if (outcome_refusal(facts->outcome) == REFUSAL_NONE) {
        return facts->outcome == OUTCOME_PROVIDER_ERROR || facts->outcome == OUTCOME_THROTTLED
                   ? LOG_WARN
                   : LOG_INFO;
    }
    return facts->outcome == OUTCOME_SHUTDOWN ? LOG_INFO : LOG_WARN;
}

/* By name; of a credential that was refused what stands for it, and what is wrong with it. */
static void put_caller(struct log *log, const struct call *call)
{
    struct buf *text = &call->env->scratch->text;

    if (call->keyring != NULL) {
        log_field(log, "key", call->caller->name);
        log_field(log, "team", call->caller->team);
        log_field(log, "user", call_user(call));
    }
    if (call->key_verdict != KEY_GOOD) {
        buf_clear(text);
        call_admit_put_credential(call, text);
        log_field(log, "credential", buf_span(text));
        log_field(log, "key_fault",
                  span_of(key_verdict_word((enum key_verdict)call->key_verdict)));
    }
}

static void put_what(struct log *log, const struct call *call)
{
    const struct call_head *head = &call->head;
    const struct operation *operation = call->match.operation;

    log_field(log, "call_id", span_make(call->call_id, CALL_ID_LENGTH));
    log_field(log, "request_id", call_head_span(head, head->request_id));
    put_caller(log, call);
    log_field(log, "trace", call_head_span(head, head->trace));
    log_field(log, "tags", call_head_span(head, head->tags));
    log_field(log, "trace_id", call_head_span(head, head->trace_id));
    if (call->match.dialect != NULL) {
        log_field(log, "dialect", span_of(call->match.dialect->name));
    }
    if (operation != NULL) {
        log_field(log, "operation", span_of(operation->name));
    }
    if (head->shown_path.len > 0) {
        log_field(log, "path", call_head_span(head, head->shown_path));
    } else if (operation != NULL && operation->kind == OPERATION_PASS) {
        log_field(log, "path", call_head_span(head, head->path));
    }
    if (call->plan.route != NULL) {
        log_field(log, "route", call->plan.route->name);
    }
    log_field(log, "task", call_head_span(head, head->task));
    log_field(log, "model", buf_span(&call->model));
}

static void put_provider_says(struct log *log, const struct call *call)
{
    const struct call_facts *facts = &call->facts;

    if (facts->upstream_status != 0 && facts->upstream_status != facts->status) {
        log_number(log, "upstream_status", (long long)facts->upstream_status);
    }
    log_field(log, "upstream_request_id", call_head_span(&call->head, call->head.upstream_id));
}

void call_log(const struct call *call)
{
    struct log *log = call->env->log;
    const struct call_facts *facts = &call->facts;
    bool has_left = facts->outcome == OUTCOME_APP_GONE;
    enum log_level level = level_of(facts);

    if (!log_wants(log, level)) {
        return;
    }
    log_begin(log, level, "call", "call");
    put_what(log, call);
    if (facts->has_attempt) {
        put_target(log, call);
        put_tries(log, call);
    }
    log_number(log, "status", has_left && facts->status == 0 ? 499 : (long long)facts->status);
    put_provider_says(log, call);
    log_bool(log, "stream", call->request.is_stream);
    call_translate_log(log, call);
    if (facts->is_replayed) {
        log_bool(log, "replayed", true);
    }
    put_usage(log, call);
    put_times(log, call);
    log_number(log, "bytes_in", (long long)facts->bytes_in);
    log_number(log, "bytes_out", (long long)facts->bytes_out);
    if (facts->refusal != REFUSAL_NONE) {
        log_field(log, "reason", span_of(refusal_row(facts->refusal)->code));
        if (facts->denied_by != NULL) {
            log_field(log, "rate", facts->denied_by->name);
        }
    } else if (has_left) {
        log_field(log, "reason", SPAN_OF("app_gone"));
    }
    log_end(log);
}

void call_log_attempt(const struct call *call, enum outcome outcome)
{
    struct log *log = call->env->log;

    if (!log_wants(log, LOG_DEBUG) || !call->facts.has_attempt) {
        return;
    }
    log_begin(log, LOG_DEBUG, "attempt", "attempt");
    log_field(log, "call_id", span_make(call->call_id, CALL_ID_LENGTH));
    log_number(log, "attempt", call->number);
    log_field(log, "provider", call_target(call)->provider->name);
    log_field(log, "outcome", span_of(outcome_word(outcome)));
    log_bool(log, "reused", call->facts.is_reused);
    put_provider_says(log, call);
    log_seconds(log, "dur_s", loop_micros(call->env->loop) - call->facts.attempt_us);
    log_end(log);
}

void call_log_refused(struct env *env, enum refusal_kind kind, struct span call_id,
                      struct span path)
{
    struct log *log = env->log;
    struct buf *text = &env->scratch->text;

    if (!log_wants(log, LOG_INFO)) {
        return;
    }
    buf_clear(text);
    text_put_printable(text, span_cut(&path, '?'), 128);
    log_begin(log, LOG_INFO, "call", "call");
    log_field(log, "call_id", call_id);
    log_field(log, "path", buf_span(text));
    log_number(log, "status", (long long)refusal_row(kind)->status);
    log_field(log, "reason", span_of(refusal_row(kind)->code));
    log_end(log);
}

/* ---- notices ---- */

static enum log_level level_of_notice(enum notice_level level)
{
    switch (level) {
    case NOTICE_LEVEL_ERROR: return LOG_ERROR;
    case NOTICE_LEVEL_WARN: return LOG_WARN;
    case NOTICE_LEVEL_INFO: return LOG_INFO;
    }
    return LOG_INFO;
}

static void log_notice(struct env *env, const struct notice *notice)
{
    const struct notice_row *row = notice_row(notice->kind);
    struct log *log = env->log;
    struct buf *text = &env->scratch->text;

    if (!log_wants(log, level_of_notice(row->level))) {
        return;
    }
    log_begin(log, level_of_notice(row->level), row->event, row->text);
    buf_clear(text);
    buf_put(text, notice->provider);
    if (notice->model.len > 0) {
        buf_put_char(text, '/');
        buf_put(text, notice->model);
    }
    log_field(log, "target", buf_span(text));
    log_field(log, "scope", span_of(notice->scope));
    if (notice->old_state != NULL) {
        log_field(log, "from", span_of(notice->old_state));
    }
    if (notice->new_state != NULL) {
        log_field(log, "to", span_of(notice->new_state));
    }
    log_field(log, "reason",
              span_of(notice->reason != PARK_NONE     ? park_word(notice->reason)
                      : notice->outcome != OUTCOME_OK ? outcome_word(notice->outcome)
                                                      : ""));
    if (notice->ms > 0) {
        log_seconds(log, "for_s", notice->ms * 1000);
    }
    log_end(log);
}

void call_log_notices(struct env *env)
{
    struct notice notice;

    while (fleet_next_notice(env->fleet, &notice)) {
        log_notice(env, &notice);
        if (env->ports->observer != NULL) {
            env->ports->observer->on_notice(env->ports->observer->to, &notice);
        }
    }
}
