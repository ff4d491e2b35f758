/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ladder.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"

enum { LINE_MAX_BYTES = 4096, SHOWN_MAX = 256, WHAT_MAX = 128, STATUS_ERRORS = 400 };

/* ---- words ---- */

struct words {
    int of;
    const char *text;
};

static const char *find(const struct words *rows, size_t count, int of)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].of == of) {
            return rows[i].text;
        }
    }
    return NULL;
}

/* Outcomes whose word in the log says too little to someone who sees it for the first time. */
static void put_outcome(struct buf *out, enum outcome outcome)
{
    static const struct words rows[] = {
        {OUTCOME_RESET, "cut off"},        {OUTCOME_TRUNCATED, "broke off"},
        {OUTCOME_HEAD_TIMEOUT, "silence"}, {OUTCOME_FIRST_CONTENT_TIMEOUT, "silence"},
        {OUTCOME_IDLE, "fell silent"},     {OUTCOME_APP_GONE, "the app left"},
    };
    const char *text = find(rows, ARRAY_LENGTH(rows), (int)outcome);

    for (const char *at = text != NULL ? text : outcome_word(outcome); *at != '\0'; at++) {
        buf_put_char(out, *at == '_' ? ' ' : *at);
    }
}

/* What follows an attempt. */
static void put_next(struct buf *out, enum retry_why why)
{
    static const struct words rows[] = {
        {RETRY_DONE, ""},
        {RETRY_OTHER_TARGET, "asks another target"},
        {RETRY_SAME_TARGET, "asks the same again"},
        {RETRY_FRESH_CONNECTION, "asks again on a new connection"},
        {RETRY_WAITED_HINT, "waits as told and asks again"},
        {RETRY_LARGER_TARGET, "asks one that reads more"},
        {RETRY_FINAL, "final"},
        {RETRY_ATTEMPTS, "no attempt is left"},
        {RETRY_NO_TARGET, "no other target is left"},
        {RETRY_NO_TIME, "no time is left"},
        {RETRY_AMBIGUOUS, "may have run, so it is not sent again"},
        {RETRY_STORM_CONCURRENCY, "too many retries are in flight"},
        {RETRY_STORM_TOKENS, "the budget of retries is used up"},
        {RETRY_STORM_MONEY, "it may be paid for twice, and enough of that was"},
        {RETRY_PROVIDER_SAYS_NO, "the provider wants no retry"},
        {RETRY_HINT_LONG, "the provider wants too long a wait"},
        {RETRY_COMMITTED, "the app has its beginning already"},
        {RETRY_APP_SAYS_NO, "the app wants no retry"},
    };
    const char *text = find(rows, ARRAY_LENGTH(rows), (int)why);

    for (const char *at = text != NULL ? text : retry_why_word(why); *at != '\0'; at++) {
        buf_put_char(out, *at == '_' ? ' ' : *at);
    }
}

static void put_seconds(struct buf *out, uint64_t ms)
{
    buf_put_format(out, "%4llu.%02u s", (unsigned long long)(ms / 1000),
                   (unsigned)(ms % 1000 / 10));
}

/* ---- lines ---- */

enum color { COLOR_GOOD = 32, COLOR_BAD = 31, COLOR_NOTE = 33, COLOR_HEAD = 1 };

static void begin_color(const struct ladder *ladder, struct buf *out, enum color color)
{
    if (ladder->has_color) {
        buf_put_format(out, "\x1b[%dm", (int)color);
    }
}

static void end_color(const struct ladder *ladder, struct buf *out)
{
    if (ladder->has_color) {
        buf_put_text(out, "\x1b[0m");
    }
}

/* The line's end, without blanks before it, and out with it. */
static void say(struct buf *line)
{
    while (line->len > 0 && line->at[line->len - 1] == ' ') {
        line->len--;
    }
    buf_put_char(line, '\n');
    (void)fwrite(line->at, 1, line->len, stdout);
    (void)fflush(stdout);
    buf_fini(line);
}

/* Calls may run side by side, so each rung stands under the head of its own call. */
static void show_head(struct ladder *ladder, const struct call_report *call)
{
    struct buf line;

    if (ladder->shown == call->number) {
        return;
    }
    ladder->shown = call->number;
    buf_init(&line, LINE_MAX_BYTES);
    begin_color(ladder, &line, COLOR_HEAD);
    buf_put_format(&line, "call %-3u ", (unsigned)call->number);
    if (call->path.len > 0) {
        text_put_printable(&line, call->method, SHOWN_MAX);
        buf_put_text(&line, " /v1"); /* as all paths of both dialects */
        text_put_printable(&line, call->path, SHOWN_MAX);
    }
    buf_put_text(&line, call->is_stream ? "  stream" : "");
    end_color(ladder, &line);
    say(&line);
}

static void put_answer(struct buf *out, const struct attempt_report *attempt)
{
    if (attempt->status >= STATUS_ERRORS) {
        buf_put_format(out, "%u ", attempt->status);
    }
    put_outcome(out, attempt->outcome);
    if (attempt->outcome == OUTCOME_OK && attempt->tokens >= 0) {
        buf_put_format(out, ", %lld tokens", (long long)attempt->tokens);
    }
}

static void on_attempt(void *to, const struct call_report *call,
                       const struct attempt_report *attempt)
{
    struct ladder *ladder = to;
    bool is_good = attempt->outcome == OUTCOME_OK;
    struct buf what;
    struct buf line;

    ladder->attempts++;
    ladder->failed += is_good ? 0 : 1;
    show_head(ladder, call);
    buf_init(&what, WHAT_MAX);
    buf_init(&line, LINE_MAX_BYTES);
    put_answer(&what, attempt);
    buf_put_format(&line, "  %-18.*s", SPAN_ARGS(attempt->provider));
    begin_color(ladder, &line, is_good ? COLOR_GOOD : COLOR_BAD);
    buf_put_format(&line, "%-18.*s", SPAN_ARGS(buf_span(&what)));
    end_color(ladder, &line);
    put_seconds(&line, attempt->took_ms);
    buf_put_text(&line, "   ");
    put_next(&line, attempt->why);
    if (attempt->wait_ms > 0) {
        buf_put_text(&line, ", after");
        put_seconds(&line, attempt->wait_ms);
    }
    say(&line);
    buf_fini(&what);
}

static void on_call(void *to, const struct call_report *call)
{
    struct ladder *ladder = to;
    struct buf line;

    ladder->calls++;
    ladder->rescued += call->is_good && call->attempts > 1 ? 1 : 0;
    if (call->is_good || (call->status == 0 && call->attempts > 0)) {
        return; /* the last rung says it */
    }
    show_head(ladder, call);
    buf_init(&line, LINE_MAX_BYTES);
    begin_color(ladder, &line, COLOR_BAD);
    if (call->status == 0) {
        buf_put_text(&line, "  the app left");
    } else {
        buf_put_format(&line, "  the app got %u %s", call->status,
                       call->reason != NULL ? call->reason : "as the provider said it");
    }
    end_color(ladder, &line);
    say(&line);
}

/* A breaker opens or closes with a rung, whose call it stands under. */
static void on_notice(void *to, const struct notice *notice)
{
    struct ladder *ladder = to;
    struct buf line;

    buf_init(&line, LINE_MAX_BYTES);
    begin_color(ladder, &line, COLOR_NOTE);
    buf_put_format(&line, "  %-18.*s%s", SPAN_ARGS(notice->provider),
                   notice_row(notice->kind)->text);
    if (notice->ms > 0) {
        buf_put_format(&line, " (%llu s)", (unsigned long long)((notice->ms + 999) / 1000));
    }
    end_color(ladder, &line);
    say(&line);
}

void ladder_init(struct ladder *ladder, bool has_color)
{
    *ladder = (struct ladder){.has_color = has_color};
}

struct observer ladder_observer(struct ladder *ladder)
{
    return (struct observer){
        .on_attempt = on_attempt, .on_call = on_call, .on_notice = on_notice, .to = ladder};
}
