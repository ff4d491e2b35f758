/* SPDX-License-Identifier: Apache-2.0 */
/* Records that apps report: read, looked up in the index and appended to the journal on the store
 * thread, which does one thing after the other. So nothing comes between the look and the line, and
 * who is answered 200 has a line. */
#include "proxy/admin_report.h"

#include "admin/reports.h"
#include "base/mem.h"
#include "proxy/admin_ask.h"
#include "proxy/call_parts.h"
#include "proxy/index.h"

_Static_assert((int)REPORT_AGE_DAYS <= (int)INDEX_ROLLUP_DAYS, "what is taken is in the sums");

struct usage_report {
    struct admin_ask ask; /* first, so that it leads here */
    struct snapshot *snapshot;
    wall_ms now;
    uint64_t seed[2];
    bool is_lines;
    struct buf body;
    struct buf answer; /* made on the store thread */
    struct reports_sum sum;
};

bool admin_report_is(struct span path)
{
    return span_equal(path, SPAN_OF("/admin/v1/usage/records"));
}

static void report_free(struct admin_ask *ask)
{
    struct usage_report *report = (struct usage_report *)ask;

    snapshot_give(report->snapshot);
    buf_fini(&report->body);
    buf_fini(&report->answer);
    mem_give(report, sizeof *report);
}

/* The request is whole. */
static struct refusal report_begin(struct admin_ask *ask, struct call *call)
{
    struct usage_report *report = (struct usage_report *)ask;

    report->body = call->body;
    buf_init(&call->body, report->body.max);
    return (struct refusal){.kind = REFUSAL_NONE};
}

/* ---- on the store thread ---- */

static bool is_known(void *to, struct span source, struct span id)
{
    return index_has_reported(to, source, id);
}

static void report_run(struct admin_ask *ask, struct journal_place end)
{
    struct usage_report *report = (struct usage_report *)ask;
    struct index *index = ask->env->ports->index;
    struct reports_terms terms = {.snapshot = report->snapshot,
                                  .now = report->now,
                                  .seed = {report->seed[0], report->seed[1]},
                                  .is_lines = report->is_lines,
                                  .is_known = is_known,
                                  .to = index};
    struct buf lines;

    if (index == NULL || !index_catch_up(index, end)) {
        report->sum.refusal = REFUSAL_REPORT_EARLY;
        return;
    }
    buf_init(&lines, REPORTS_LINES_MAX);
    reports_read(&terms, buf_span(&report->body), &lines, &report->answer, &report->sum);
    if (report->sum.refusal == REFUSAL_NONE && lines.len > 0 &&
        !store_append(ask->env->ports->store, buf_span(&lines), &end)) {
        report->sum.refusal = REFUSAL_JOURNAL_FULL;
    }
    buf_fini(&lines);
    mem_hand_over(report->answer.cap);
}

/* ---- on the loop again ---- */

static void tell(const struct usage_report *report, const struct call *call)
{
    struct log *log = report->ask.env->log;

    log_begin(log, LOG_INFO, "usage_reported", "an app has reported usage records");
    if (call != NULL) {
        log_field(log, "call_id", span_make(call->call_id, CALL_ID_LENGTH));
    }
    log_number(log, "accepted", (long long)report->sum.accepted);
    log_number(log, "duplicates", (long long)report->sum.duplicates);
    log_end(log);
}

static void report_answer(struct admin_ask *ask, struct call *call)
{
    struct usage_report *report = (struct usage_report *)ask;
    enum refusal_kind refusal = report->sum.refusal;
    bool has_faults = refusal == REFUSAL_INVALID_REPORT;

    mem_take_over(report->answer.cap);
    if (refusal == REFUSAL_NONE) {
        tell(report, call);
    }
    if (call == NULL) {
        return;
    }
    if (refusal != REFUSAL_NONE && !has_faults) {
        admin_ask_refuse(call, &(struct refusal){.kind = refusal});
        return;
    }
    call->facts.refusal = refusal;
    reply_whole(call, has_faults ? refusal_row(refusal)->status : 200, SPAN_OF("application/json"),
                buf_span(&report->answer));
    call_close(call, has_faults); /* else the report's own line is its line */
}

/* ---- the head ---- */

static struct span field_of(const struct http1_head *head, const char *base, struct span name)
{
    int i = http1_find(head, base, name, 0);

    return i < 0 ? span_make("", 0) : http1_value(head, base, (size_t)i);
}

/* False: it is no type of ours. */
static bool read_type(struct span type, bool *is_lines)
{
    static const struct span lines[] = {SPAN("application/x-ndjson"), SPAN("application/jsonl"),
                                        SPAN("application/x-jsonlines")};
    struct span name = span_trim(span_cut(&type, ';'));

    *is_lines = false;
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        *is_lines = *is_lines || span_equal_nocase(name, lines[i]);
    }
    return *is_lines || span_equal_nocase(name, SPAN_OF("application/json"));
}

static enum refusal_kind judge(struct call *call, const struct http1_head *head, const char *base,
                               bool *is_lines)
{
    struct span encoding = field_of(head, base, SPAN_OF("content-encoding"));

    if (!read_type(field_of(head, base, SPAN_OF("content-type")), is_lines)) {
        return REFUSAL_MEDIA_TYPE;
    }
    if (encoding.len > 0 && !span_equal_nocase(encoding, SPAN_OF("identity"))) {
        return REFUSAL_ENCODING;
    }
    if (head->framing == HTTP1_BODY_NONE) {
        return REFUSAL_BODY_REQUIRED;
    }
    if (head->framing == HTTP1_BODY_LENGTH && head->length > REPORTS_BODY_MAX) {
        conn_close_after(call->conn);
        return REFUSAL_REPORT_LARGE;
    }
    return REFUSAL_NONE;
}

bool admin_report_open(struct call *call, const struct http1_head *head, const char *base)
{
    static const struct admin_ask_ops ops = {.takes_body = true,
                                             .too_large = REFUSAL_REPORT_LARGE,
                                             .begin = report_begin,
                                             .run = report_run,
                                             .answer = report_answer,
                                             .free = report_free};
    bool is_lines = false;
    enum refusal_kind refusal = judge(call, head, base, &is_lines);
    struct usage_report *report = NULL;

    if (refusal == REFUSAL_NONE) {
        report = mem_take_zero(sizeof *report);
        refusal = report == NULL ? REFUSAL_OVERLOADED : REFUSAL_NONE;
    }
    if (refusal != REFUSAL_NONE) {
        admin_ask_refuse(call, &(struct refusal){.kind = refusal});
        return false;
    }
    report->snapshot = snapshot_take(call->snapshot);
    report->now = loop_wall(call->env->loop);
    loop_entropy(call->env->loop, report->seed, sizeof report->seed);
    report->is_lines = is_lines;
    buf_init(&report->answer, REPORTS_ANSWER_MAX);
    call->body.max = REPORTS_BODY_MAX;
    admin_ask_open(&report->ask, &ops, call);
    return true;
}
