/* SPDX-License-Identifier: Apache-2.0 */
/* The answer, target by target in the order in which they would be tried. */
#include "admin/quoting.h"

#include "admin/quoting_parts.h"
#include "base/money.h"
#include "base/text.h"
#include "router/strategy.h"
#include "wire/json_out.h"

enum { NAME_SHOWN = 256, NAME_WIDTH_MAX = 48, MONEY_MAX = 64, PERMILLE = 1000 };

/* ---- each target ---- */

static void quote_at(const struct quoting *quoting, uint8_t place, struct quote *quote)
{
    const struct quoting_place *at = &quoting->places[place];
    struct quote_ask ask = {.request = at->translation != NULL ? &at->request : &quoting->request,
                            .prices = &quoting->snapshot->prices,
                            .model = quoting->model,
                            .at = quoting->at,
                            .length = quoting->length};

    quote_make(&ask, plan_target(&quoting->plan, place), &at->counts, quote);
    if (at->translation != NULL && quoting->request.output_cap < 0) { /* a cap that the target wants fills nobody's answer */
        struct quote_request uncapped = at->request;
        struct quote likely;

        uncapped.output_cap = -1;
        ask.request = &uncapped;
        quote_make(&ask, plan_target(&quoting->plan, place), &at->counts, &likely);
        quote->output.likely = likely.output.likely;
        quote->output.how = likely.output.how;
        quote->likely = likely.likely;
    }
}

static bool is_eligible(const struct quoting_place *place)
{
    return place->left_out == QUOTING_TAKEN &&
           (place->standing.what == ELIGIBLE || place->standing.what == ELIGIBLE_PROBE);
}

/* The words of `headgate status`, and why some are not even looked at. */
static const char *state_of(const struct quoting_place *place)
{
    static const char *const words[] = {"", "disabled", "dialect", "share", "untranslatable"};

    if (place->left_out != QUOTING_TAKEN) {
        return words[place->left_out];
    }
    switch (place->standing.what) {
    case ELIGIBLE: return "ok";
    case ELIGIBLE_PROBE: return "half_open";
    case OUT_OPEN: return "open";
    case OUT_COOLING: return "cooldown";
    case OUT_PARKED: return place->standing.until == MONO_NEVER ? "held" : "parked";
    }
    return "";
}

static struct span model_at(const struct quoting *quoting, uint8_t place)
{
    const struct target *target = plan_target(&quoting->plan, place);

    return target->model.len > 0 ? target->model : quoting->model;
}

/* ---- JSON ---- */

static void put_money(struct json_out *json, const char *key, int64_t pico)
{
    struct buf text;

    buf_init(&text, MONEY_MAX);
    money_put_pico(&text, pico);
    json_key(json, key);
    json_string(json, buf_span(&text));
    buf_fini(&text);
}

static void put_tokens(struct json_out *json, const char *key, const struct quote_tokens *tokens)
{
    json_key(json, key);
    json_open_object(json);
    json_key(json, "likely");
    json_i64(json, tokens->likely);
    if (tokens->most >= 0) {
        json_key(json, "at_most");
        json_i64(json, tokens->most);
    }
    json_key(json, "how");
    json_text(json, quote_how_word(tokens->how));
    if (tokens->how == QUOTE_EXACT || tokens->how == QUOTE_ESTIMATED ||
        tokens->how == QUOTE_RATIO) {
        json_key(json, "error_permille");
        json_i64(json, tokens->error_permille);
    }
    json_close_object(json);
}

static bool has_most(const struct quote *quote)
{
    return quote->open == QUOTE_BOUNDED && !quote->most.saturated;
}

static void put_cost(struct json_out *json, const struct quote *quote)
{
    struct buf name;

    if (quote->price == NULL) {
        json_key(json, "unpriced");
        json_bool(json, true);
        return;
    }
    buf_init(&name, 2 * NAME_SHOWN);
    book_put_row_name(&name, quote->price);
    json_key(json, "price");
    json_string(json, buf_span(&name));
    buf_fini(&name);
    if (quote->likely.tier_unpriced) {
        json_key(json, "tier_unpriced");
        json_bool(json, true);
    }
    json_key(json, "cost_usd");
    json_open_object(json);
    put_money(json, "likely", quote->likely.pico);
    if (has_most(quote)) {
        put_money(json, "at_most", quote->most.pico);
    }
    json_close_object(json);
}

static void put_target(struct json_out *json, const struct quoting *quoting, uint8_t at)
{
    const struct quoting_place *place = &quoting->places[at];
    mono_ms until = place->standing.until;
    struct quote quote;

    quote_at(quoting, at, &quote);
    json_open_object(json);
    json_key(json, "provider");
    json_string(json, plan_target(&quoting->plan, at)->provider->name);
    json_key(json, "model");
    json_string(json, model_at(quoting, at));
    json_key(json, "eligible");
    json_bool(json, is_eligible(place));
    json_key(json, "state");
    json_text(json, state_of(place));
    if (place->left_out == QUOTING_TAKEN && !is_eligible(place) && until != MONO_NEVER) {
        json_key(json, "back_in_ms");
        json_i64(json, (int64_t)mono_until(quoting->now, until));
    }
    put_tokens(json, "input", &quote.input);
    if (quote.media > 0) {
        json_key(json, "media");
        json_i64(json, quote.media);
    }
    put_tokens(json, "output", &quote.output);
    put_cost(json, &quote);
    if (quote.open != QUOTE_BOUNDED) {
        json_key(json, "open");
        json_text(json, quote_open_word(quote.open));
    }
    json_close_object(json);
}

static void put_text(struct json_out *json, const char *key, struct span text)
{
    json_key(json, key);
    json_string(json, text);
}

static void write_json(const struct quoting *quoting, struct buf *out)
{
    const struct plan *plan = &quoting->plan;
    struct json_out json;

    json_out_init(&json, out);
    json_open_object(&json);
    if (plan->route != NULL) {
        put_text(&json, "route", plan->route->name);
        put_text(&json, "strategy", plan->rules->strategy->name);
    }
    put_text(&json, "model", quoting->model);
    put_text(&json, "dialect", span_of(quoting->match.dialect->name));
    put_text(&json, "operation", span_of(quoting->match.operation->name));
    json_key(&json, "bytes");
    json_i64(&json, (int64_t)quoting->body.len);
    put_text(&json, "prices", book_version(&quoting->snapshot->prices));
    json_key(&json, "targets");
    json_open_array(&json);
    for (uint8_t i = 0; i < quoting->count; i++) {
        put_target(&json, quoting, quoting->order[i]);
    }
    json_close_array(&json);
    json_close_object(&json);
    buf_put_char(out, '\n');
}

/* ---- a table ---- */

static void pad(struct buf *out, size_t from, size_t width)
{
    for (size_t len = out->len - from; len < width; len++) {
        buf_put_char(out, ' ');
    }
}

static void put_name(struct buf *out, const struct quoting *quoting, uint8_t at)
{
    buf_put(out, plan_target(&quoting->plan, at)->provider->name);
    buf_put_char(out, '/');
    text_put_printable(out, model_at(quoting, at), NAME_SHOWN);
}

static size_t name_width(const struct quoting *quoting, struct buf *scratch)
{
    size_t width = sizeof "TARGET" - 1;

    for (uint8_t i = 0; i < quoting->count; i++) {
        size_t from = scratch->len;

        put_name(scratch, quoting, quoting->order[i]);
        width = scratch->len - from > width ? scratch->len - from : width;
        scratch->len = from;
    }
    return width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
}

static void put_how(struct buf *out, const struct quote_tokens *tokens)
{
    size_t from = out->len;

    buf_put_char(out, ' ');
    buf_put_text(out, quote_how_word(tokens->how));
    if ((tokens->how == QUOTE_ESTIMATED || tokens->how == QUOTE_RATIO) &&
        tokens->error_permille < PERMILLE) {
        buf_put_format(out, " +-%u%%", (tokens->error_permille + 9) / 10);
    }
    pad(out, from, sizeof " estimated +-99%");
}

static void put_usd(struct buf *out, bool is_known, int64_t pico)
{
    struct buf text;

    buf_init(&text, MONEY_MAX);
    if (is_known) {
        money_put_pico(&text, pico);
    } else {
        buf_put_char(&text, '-');
    }
    buf_put_char(out, ' ');
    for (size_t len = text.len; len < sizeof "0.000000000000" - 1; len++) {
        buf_put_char(out, ' ');
    }
    buf_put(out, buf_span(&text));
    buf_fini(&text);
}

static void put_row(struct buf *out, const struct quoting *quoting, uint8_t at, size_t width)
{
    struct quote quote;
    size_t from = out->len;

    quote_at(quoting, at, &quote);
    put_name(out, quoting, at);
    pad(out, from, width);
    buf_put_format(out, "  %-9s %9lld", state_of(&quoting->places[at]),
                   (long long)quote.input.likely);
    put_how(out, &quote.input);
    buf_put_format(out, "%9lld", (long long)quote.output.likely);
    put_how(out, &quote.output);
    put_usd(out, quote.price != NULL, quote.likely.pico);
    put_usd(out, quote.price != NULL && has_most(&quote), quote.most.pico);
    if (quote.price == NULL) {
        buf_put_text(out, "  unpriced");
    } else if (quote.open != QUOTE_BOUNDED) {
        buf_put_format(out, "  %s", quote_open_text(quote.open));
    }
    buf_put_char(out, '\n');
}

static void write_table(const struct quoting *quoting, struct buf *out)
{
    const struct plan *plan = &quoting->plan;
    size_t width = name_width(quoting, out);
    size_t from = 0;

    if (plan->route != NULL) {
        buf_put_text(out, "route ");
        text_put_printable(out, plan->route->name, NAME_SHOWN);
        buf_put_format(out, ", %.*s; ", SPAN_ARGS(plan->rules->strategy->name));
    }
    buf_put_format(out, "%s, %zu bytes; prices %.*s\n\n", quoting->match.operation->name,
                   quoting->body.len, SPAN_ARGS(book_version(&quoting->snapshot->prices)));
    from = out->len;
    buf_put_text(out, "TARGET");
    pad(out, from, width);
    buf_put_format(out, "  %-9s %9s %-16s%9s %-16s %14s %14s\n", "STATE", "INPUT", "HOW", "OUTPUT",
                   "HOW", "LIKELY, USD", "AT MOST, USD");
    for (uint8_t i = 0; i < quoting->count; i++) {
        put_row(out, quoting, quoting->order[i], width);
    }
}

void quoting_write(const struct quoting *quoting, struct buf *out)
{
    if (quoting_wants_table(quoting)) {
        write_table(quoting, out);
    } else {
        write_json(quoting, out);
    }
}
