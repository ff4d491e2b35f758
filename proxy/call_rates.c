/* SPDX-License-Identifier: Apache-2.0 */
/* How fast calls come: the rates of the settings are asked once for each, and corrected when it is
 * over. What apps are told of them stands in the fields in which providers tell of theirs; where both
 * have a limit, the one that has less left is told (conventions.md, 2). */
#include "proxy/call_parts.h"

#include "base/text.h"
#include "enforcement/roster.h"
#include "wire/dialects/anthropic.h"
#include "wire/reported.h"

/* Of RATE_CONCURRENT nobody tells anything. */
enum { TOLD_UNITS = RATE_TOKENS + 1 };

/* ---- asking ---- */

static uint64_t tokens_of(const struct call *call)
{
    const struct operation *operation = call->match.operation;
    const struct estimate *estimate = &call->plan.estimate;
    bool has_output = operation->unfold != NULL || operation->read_event != NULL;

    if (operation->kind != OPERATION_CALL) {
        return 0; /* nothing is told of it afterwards, or it costs nothing */
    }
    return estimate->input_tokens + (has_output ? estimate->output_tokens : 0);
}

static struct refusal refusal_by(struct call *call, const struct rate *rate)
{
    static const enum refusal_kind kinds[RATE_UNITS] = {
        REFUSAL_RATE_REQUESTS, REFUSAL_RATE_TOKENS, REFUSAL_RATE_CONCURRENT};
    uint64_t wait_ms = roster_wait_ms(call->rates);
    uint64_t seconds = wait_ms / 1000 + (wait_ms % 1000 > 0);
    struct buf *text = &call->wire_head;

    call->facts.denied_by = rate;
    buf_clear(text);
    buf_put(text, rate->name);
    buf_put(text, SPAN_OF("; try again in "));
    buf_put_u64(text, seconds);
    buf_put_text(text, seconds == 1 ? " second" : " seconds");
    return (struct refusal){
        .kind = kinds[rate->unit], .wait_ms = wait_ms, .detail = buf_span(text)};
}

static struct refusal ask_roster(struct call *call, uint64_t tokens, bool is_trial)
{
    struct subject subject;
    struct roster_ask ask = {.rates = &call->snapshot->rates,
                             .subject = &subject,
                             .tokens = tokens,
                             .now = loop_now(call->env->loop),
                             .is_trial = is_trial};
    struct refusal none = {.kind = REFUSAL_NONE};

    if (call->match.operation->kind == OPERATION_MODELS) {
        return none;
    }
    call_subject(call, &subject);
    switch (roster_ask(call->env->ports->roster, &ask, &call->rates)) {
    case ROSTER_FREE:
    case ROSTER_PASSED: break;
    case ROSTER_DENIED: return refusal_by(call, roster_denied(call->rates));
    case ROSTER_FULL: return (struct refusal){.kind = REFUSAL_OVERLOADED};
    }
    return none;
}

struct refusal call_rates_ask(struct call *call)
{
    return ask_roster(call, tokens_of(call), false);
}

struct refusal call_rates_look(struct call *call)
{
    uint64_t least_tokens = call->match.operation->kind == OPERATION_CALL;

    return ask_roster(call, least_tokens, true);
}

void call_rates_used(struct call *call, const struct amounts *booked)
{
    if (call->rates != NULL && booked->of[UNIT_TOKENS] > 0) {
        roster_used(call->rates, (uint64_t)booked->of[UNIT_TOKENS]);
    }
}

void call_rates_leave(struct call *call)
{
    if (call->rates != NULL) {
        roster_leave(call->env->ports->roster, call->rates, loop_now(call->env->loop));
        call->rates = NULL;
    }
}

/* ---- telling ---- */

static bool figures_of(const struct call *call, size_t unit, struct rate_figures *figures)
{
    return roster_figures(call->rates, (enum rate_unit)unit, loop_now(call->env->loop), figures);
}

void call_rates_compare(struct call *call, const struct reported *reported)
{
    const struct reported_limit *theirs[TOLD_UNITS] = {&reported->requests, &reported->tokens};
    struct rate_figures ours;

    call->relay.tighter = 0;
    for (size_t i = 0; i < TOLD_UNITS; i++) {
        if (!figures_of(call, i, &ours) ||
            (theirs[i]->remaining >= 0 && (uint64_t)theirs[i]->remaining <= ours.remaining)) {
            call->relay.tighter |= (uint8_t)(1u << i);
        }
    }
}

static const struct span members[] = {SPAN("limit"), SPAN("remaining"), SPAN("reset")};

static bool is_member(struct span word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
        if (span_equal_nocase(members[i], word)) {
            return true;
        }
    }
    return false;
}

bool call_rates_replace(const struct call *call, struct span name)
{
    static const struct span plain = SPAN("x-ratelimit-");
    static const struct span anthropic = SPAN("anthropic-ratelimit-");
    bool is_plain = span_starts_nocase(name, plain);
    struct span first = span_from(name, is_plain ? plain.len : anthropic.len);
    struct span second = first;

    if (!is_plain && !span_starts_nocase(name, anthropic)) {
        return false;
    }
    first = span_cut(&second, '-');
    for (size_t i = 0; i < TOLD_UNITS; i++) {
        if (span_equal_nocase(is_plain ? second : first,
                              span_of(rate_unit_word((enum rate_unit)i)))) {
            return (call->relay.tighter & 1u << i) == 0 && is_member(is_plain ? first : second);
        }
    }
    return false;
}

/* As OpenAI writes it: 12ms, 1s, 6m0s, 1h0m0s. */
static void put_reset(struct buf *out, uint64_t ms)
{
    uint64_t seconds = ms / 1000;
    unsigned rest = (unsigned)(ms % 1000);

    if (seconds == 0 && rest > 0) {
        buf_put_format(out, "%ums", rest);
        return;
    }
    if (seconds >= 3600) {
        buf_put_format(out, "%lluh", (unsigned long long)(seconds / 3600));
    }
    if (seconds >= 60) {
        buf_put_format(out, "%um", (unsigned)(seconds / 60 % 60));
    }
    buf_put_format(out, "%u", (unsigned)(seconds % 60));
    if (rest > 0) {
        buf_put_format(out, ".%03u", rest);
        while (out->len > 0 && out->at[out->len - 1] == '0') {
            buf_truncate(out, out->len - 1);
        }
    }
    buf_put_char(out, 's');
}

static void put_name(struct buf *out, bool is_anthropic, struct span unit, struct span member)
{
    buf_put_text(out, is_anthropic ? "anthropic-ratelimit-" : "x-ratelimit-");
    buf_put(out, is_anthropic ? unit : member);
    buf_put_char(out, '-');
    buf_put(out, is_anthropic ? member : unit);
    buf_put(out, SPAN_OF(": "));
}

static void put_unit(struct buf *out, const struct call *call, struct span unit,
                     const struct rate_figures *figures)
{
    const uint64_t values[] = {figures->limit, figures->remaining};
    bool is_anthropic = call->match.dialect == &dialect_anthropic;

    for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
        put_name(out, is_anthropic, unit, members[i]);
        if (i < ARRAY_LENGTH(values)) {
            buf_put_u64(out, values[i]);
        } else if (is_anthropic) {
            text_put_rfc3339(out, loop_wall(call->env->loop) + (wall_ms)figures->reset_ms);
        } else {
            put_reset(out, figures->reset_ms);
        }
        buf_put(out, SPAN_OF("\r\n"));
    }
}

void call_rates_put_fields(struct buf *out, const struct call *call)
{
    struct rate_figures figures;

    for (size_t i = 0; i < TOLD_UNITS; i++) {
        if ((call->relay.tighter & 1u << i) == 0 && figures_of(call, i, &figures)) {
            put_unit(out, call, span_of(rate_unit_word((enum rate_unit)i)), &figures);
        }
    }
}
