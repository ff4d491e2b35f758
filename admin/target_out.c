/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/target_out.h"

#include "base/must.h"
#include "base/text.h"

enum { PERMILLE_FULL = 1000, NAME_MAX_BYTES = 64 + 1 + TARGET_MODEL_SHOWN };

/* ---- words ---- */

static const char *breaker_word(enum breaker_state state)
{
    switch (state) {
    case BREAKER_CLOSED: return "closed";
    case BREAKER_OPEN: return "open";
    case BREAKER_HALF_OPEN: return "half_open";
    }
    UNREACHABLE();
}

static uint64_t seconds_of(uint64_t ms)
{
    return ms / 1000 + (ms % 1000 != 0 ? 1 : 0);
}

void target_put_name(struct buf *out, const struct target_view *target)
{
    buf_put(out, target->provider);
    if (target->model.len > 0) {
        buf_put_char(out, '/');
        text_put_printable(out, target->model, TARGET_MODEL_SHOWN);
    }
}

static bool is_parked(const struct target_view *target)
{
    return target->credential.reason != PARK_NONE || target->target.reason != PARK_NONE;
}

static bool has_breaker(const struct target_view *target, enum breaker_state state)
{
    return target->endpoint.state == state || target->deployment.state == state;
}

const char *target_state(const struct target_view *target)
{
    if (target->is_held) {
        return "held";
    }
    if (is_parked(target)) {
        return "parked";
    }
    if (target->cooldown.reason != PARK_NONE) {
        return "cooldown";
    }
    if (has_breaker(target, BREAKER_OPEN)) {
        return "open";
    }
    if (has_breaker(target, BREAKER_HALF_OPEN)) {
        return "half_open";
    }
    if (!target->is_eligible) {
        return "out";
    }
    return target->ramp_permille < PERMILLE_FULL ? "slow_start" : "ok";
}

/* ---- why ---- */

static void put_reason(struct buf *out, size_t from, const char *text)
{
    if (out->len > from) {
        buf_put_text(out, "; ");
    }
    buf_put_text(out, text);
}

static void put_wait(struct buf *out, uint64_t ms)
{
    buf_put_u64(out, seconds_of(ms));
    buf_put_text(out, " s");
}

static void put_park(struct buf *out, size_t from, const char *what, const struct park_view *park)
{
    if (park->reason != PARK_NONE) {
        put_reason(out, from, what);
        buf_put_text(out, park_word(park->reason));
        buf_put_text(out, ", ");
        put_wait(out, park->left_ms);
        buf_put_text(out, " left");
    }
}

static void put_breaker(struct buf *out, size_t from, const char *what,
                        const struct breaker_view *breaker)
{
    switch (breaker->state) {
    case BREAKER_CLOSED: return;
    case BREAKER_HALF_OPEN:
        put_reason(out, from, what);
        buf_put_text(out, " half open, being tried");
        return;
    case BREAKER_OPEN:
        put_reason(out, from, what);
        buf_put_text(out, " open, ");
        if (breaker->reopen_ms == 0) {
            buf_put_text(out, "the next call tries it");
        } else {
            buf_put_text(out, "tried again in ");
            put_wait(out, breaker->reopen_ms);
        }
        return;
    }
}

static void put_used_up(struct buf *out, size_t from, const char *what,
                        const struct limit_view *limit)
{
    if (limit->left == 0) {
        put_reason(out, from, "none left of the reported ");
        buf_put_text(out, what);
        if (limit->reset_ms > 0) {
            buf_put_text(out, ", reset in ");
            put_wait(out, (uint64_t)limit->reset_ms);
        }
    }
}

void target_put_why(struct buf *out, const struct target_view *target)
{
    size_t from = out->len;

    if (target->is_held) {
        put_reason(out, from, "parked by an operator");
    }
    put_park(out, from, "its credential is out: ", &target->credential);
    put_park(out, from, "refused: ", &target->target);
    put_park(out, from, "cooling down: ", &target->cooldown);
    put_breaker(out, from, "breaker of the endpoint", &target->endpoint);
    put_breaker(out, from, "breaker", &target->deployment);
    put_used_up(out, from, "requests", &target->requests);
    put_used_up(out, from, "tokens", &target->tokens);
    if (target->is_eligible && target->ramp_permille < PERMILLE_FULL) {
        put_reason(out, from, "slow start with ");
        buf_put_u64(out, target->ramp_permille / 10);
        buf_put_text(out, "% of its share");
    }
}

/* ---- JSON ---- */

static void member_number(struct json_out *out, const char *key, uint64_t number)
{
    json_key(out, key);
    json_i64(out, (int64_t)number);
}

/* is_known false: null. */
static void member_perhaps(struct json_out *out, const char *key, bool is_known, int64_t number)
{
    json_key(out, key);
    if (is_known) {
        json_i64(out, number);
    } else {
        json_null(out);
    }
}

static void member_breaker(struct json_out *out, const char *key,
                           const struct breaker_view *breaker)
{
    bool is_open = breaker->state == BREAKER_OPEN;

    json_key(out, key);
    json_open_object(out);
    json_key(out, "breaker");
    json_text(out, breaker_word(breaker->state));
    member_perhaps(out, "reopen_in_s", is_open, (int64_t)seconds_of(breaker->reopen_ms));
    member_number(out, "trips", breaker->trips);
    json_close_object(out);
}

/* `scope`: what is out, or NULL where the key has said it. */
static void put_stay(struct json_out *out, const char *scope, const struct park_view *park)
{
    json_open_object(out);
    if (scope != NULL) {
        json_key(out, "scope");
        json_text(out, scope);
    }
    json_key(out, "reason");
    json_text(out, park_word(park->reason));
    member_number(out, "left_s", seconds_of(park->left_ms));
    json_close_object(out);
}

static void member_parks(struct json_out *out, const struct target_view *target)
{
    json_key(out, "parks");
    json_open_array(out);
    if (target->credential.reason != PARK_NONE) {
        put_stay(out, "credential", &target->credential);
    }
    if (target->target.reason != PARK_NONE) {
        put_stay(out, "target", &target->target);
    }
    json_close_array(out);
    json_key(out, "cooldown");
    if (target->cooldown.reason != PARK_NONE) {
        put_stay(out, NULL, &target->cooldown);
    } else {
        json_null(out);
    }
}

static void member_limit(struct json_out *out, const char *key, const struct limit_view *limit)
{
    bool has_reset = limit->reset_ms >= 0;

    json_key(out, key);
    if (limit->limit < 0 && limit->left < 0) {
        json_null(out);
        return;
    }
    json_open_object(out);
    member_perhaps(out, "limit", limit->limit >= 0, limit->limit);
    member_perhaps(out, "left", limit->left >= 0, limit->left);
    member_perhaps(out, "reset_in_s", has_reset,
                   has_reset ? (int64_t)seconds_of((uint64_t)limit->reset_ms) : 0);
    json_close_object(out);
}

static void members_named(struct json_out *out, const struct target_view *target)
{
    struct buf text;

    buf_init(&text, NAME_MAX_BYTES + TARGET_WHY_MAX);
    target_put_name(&text, target);
    json_key(out, "target");
    json_string(out, buf_span(&text));
    json_key(out, "provider");
    json_string(out, target->provider);
    json_key(out, "model");
    if (target->model.len > 0) {
        json_string(out, target->model);
    } else {
        json_null(out);
    }
    json_key(out, "state");
    json_text(out, target_state(target));
    buf_clear(&text);
    target_put_why(&text, target);
    json_key(out, "why");
    json_string(out, buf_span(&text));
    buf_fini(&text);
}

void target_put_json(struct json_out *out, const struct target_view *target)
{
    json_open_object(out);
    members_named(out, target);
    json_key(out, "eligible");
    json_bool(out, target->is_eligible);
    json_key(out, "held");
    json_bool(out, target->is_held);
    member_breaker(out, "endpoint", &target->endpoint);
    member_breaker(out, "deployment", &target->deployment);
    member_parks(out, target);
    member_perhaps(out, "score_permille", target->score_permille > 0, target->score_permille);
    member_number(out, "share_permille", target->ramp_permille);
    member_number(out, "in_flight", target->in_flight);
    member_perhaps(out, "ttfc_ms", target->ttfc_ms > 0, target->ttfc_ms);
    member_limit(out, "requests", &target->requests);
    member_limit(out, "tokens", &target->tokens);
    json_close_object(out);
}

void target_put_list(struct json_out *out, const struct target_view *targets, size_t count)
{
    json_open_array(out);
    for (size_t i = 0; i < count; i++) {
        target_put_json(out, &targets[i]);
    }
    json_close_array(out);
}
