/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/budget_ask.h"

#include "admin/budget_rows.h"
#include "base/text.h"
#include "wire/json_out.h"

static const char *const words[] = {"reset", "void", "rebuild"};

const char *budget_order_word(enum ledger_order_kind order)
{
    return words[order];
}

/* ---- the path ---- */

static bool is_word(struct span text, enum ledger_order_kind order)
{
    return span_equal(text, span_of(words[order]));
}

/* "{name}/reset", "{name}/rebuild", "rebuild", "void". */
static enum budget_ask_kind order_of(struct span rest, struct budget_ask *ask)
{
    struct span name = span_cut(&rest, '/');

    ask->has_name = rest.at != NULL;
    ask->name = name;
    if (!ask->has_name) {
        ask->order = is_word(name, ORDER_VOID) ? ORDER_VOID : ORDER_REBUILD;
        return is_word(name, ask->order) ? BUDGET_ASK_ORDER : BUDGET_ASK_NONE;
    }
    ask->order = is_word(rest, ORDER_RESET) ? ORDER_RESET : ORDER_REBUILD;
    return is_word(rest, ask->order) ? BUDGET_ASK_ORDER : BUDGET_ASK_NONE;
}

enum budget_ask_kind budget_ask_path(struct span path, struct budget_ask *ask)
{
    static const struct span budgets = SPAN("/admin/v1/budgets");
    static const struct span limits = SPAN("/admin/v1/limits/");
    static const struct span usage = SPAN("/admin/v1/usage/");
    static const struct span current = SPAN("/current");
    struct span rest = span_from(path, budgets.len);

    *ask = (struct budget_ask){.kind = BUDGET_ASK_NONE, .limit = BUDGET_ROWS_MAX};
    if (span_starts(path, budgets)) {
        if (rest.len == 0) {
            ask->kind = BUDGET_ASK_LIST;
        } else if (span_equal(rest, SPAN_OF(".txt"))) {
            ask->kind = BUDGET_ASK_TABLE;
        } else if (rest.at[0] == '/') {
            ask->kind = order_of(span_from(rest, 1), ask);
        }
    } else if (span_starts(path, limits)) {
        ask->kind = BUDGET_ASK_LIMITS;
        ask->has_name = true;
        ask->name = span_from(path, limits.len);
    } else if (span_starts(path, usage) && span_ends(path, current) &&
               path.len > usage.len + current.len) {
        ask->kind = BUDGET_ASK_LIMITS;
        ask->has_name = true;
        ask->name = span_make(path.at + usage.len, path.len - usage.len - current.len);
    }
    return ask->kind;
}

/* ---- the query ---- */

/* No name and no value has a byte that could move a terminal. */
static bool is_plain(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f) {
            return false;
        }
    }
    return text.len <= SCOPE_VALUE_MAX;
}

static bool decode(struct span text, struct buf *texts, struct span *result)
{
    size_t from = texts->len;
    bool is_good = text_put_url_decoded(texts, text);

    *result = span_make(texts->at + from, texts->len - from);
    return is_good && is_plain(*result);
}

static bool takes(const struct budget_ask *ask, struct span name)
{
    if (ask->kind == BUDGET_ASK_LIST || ask->kind == BUDGET_ASK_TABLE) {
        return span_equal(name, SPAN_OF("budget")) || span_equal(name, SPAN_OF("of")) ||
               span_equal(name, SPAN_OF("limit"));
    }
    if (ask->kind != BUDGET_ASK_ORDER || ask->order == ORDER_REBUILD) {
        return false;
    }
    return span_equal(name, ask->order == ORDER_RESET ? SPAN_OF("of") : SPAN_OF("proxy"));
}

static enum err set(struct budget_ask *ask, struct span name, struct span value, struct why *why)
{
    uint64_t number = 0;

    if (!takes(ask, name)) {
        why_set(why, "this path does not take that parameter");
        return ERR_FORMAT;
    }
    if (span_equal(name, SPAN_OF("limit"))) {
        if (text_read_u64(value, &number) != ERR_NONE || number < 1 || number > BUDGET_ROWS_MAX) {
            why_set(why, "limit takes a number from 1 to %d", BUDGET_ROWS_MAX);
            return ERR_FORMAT;
        }
        ask->limit = (size_t)number;
        return ERR_NONE;
    }
    if (span_equal(name, SPAN_OF("budget"))) {
        ask->has_budget = true;
        ask->budget = value;
        return ERR_NONE;
    }
    if (ask->has_value) { /* nobody knows which of them is meant */
        why_set(why, "one value, not two");
        return ERR_FORMAT;
    }
    ask->has_value = true;
    ask->value = value;
    return ERR_NONE;
}

/* "name=value", or nothing between two "&". */
static enum err read_parameter(struct budget_ask *ask, struct span value, struct buf *texts,
                               struct why *why)
{
    struct span name = span_cut(&value, '=');

    if (name.len == 0 && value.at == NULL) {
        return ERR_NONE;
    }
    if (!decode(name, texts, &name) ||
        !decode(value.at == NULL ? span_make("", 0) : value, texts, &value)) {
        why_set(why, "a parameter has up to %d bytes and no control characters", SCOPE_VALUE_MAX);
        return ERR_FORMAT;
    }
    return set(ask, name, value, why);
}

enum err budget_ask_read(struct budget_ask *ask, struct span query, struct buf *texts,
                         struct why *why)
{
    if (buf_reserve(texts, ask->name.len + query.len + 1) != ERR_NONE) {
        why_set(why, "the question is too long");
        return ERR_MEMORY;
    }
    if (!decode(ask->name, texts, &ask->name)) {
        why_set(why, "the name in the path");
        return ERR_FORMAT;
    }
    while (query.at != NULL && query.len > 0) {
        if (read_parameter(ask, span_cut(&query, '&'), texts, why) != ERR_NONE) {
            return ERR_FORMAT;
        }
    }
    if (ask->kind == BUDGET_ASK_ORDER && ask->order == ORDER_VOID && ask->value.len == 0) {
        why_set(why, "void needs proxy=, the name of the headgate that is gone");
        return ERR_FORMAT;
    }
    return ERR_NONE;
}

/* ---- the answer ---- */

static void put_text(struct json_out *out, const char *name, bool has, struct span text)
{
    json_key(out, name);
    if (has) {
        json_string(out, text);
    } else {
        json_null(out);
    }
}

void budget_put_done(struct buf *out, const struct budget_ask *ask, uint64_t count)
{
    struct json_out json;

    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "order");
    json_text(&json, budget_order_word(ask->order));
    put_text(&json, "budget", ask->has_name, ask->name);
    put_text(&json, ask->order == ORDER_VOID ? "proxy" : "of", ask->has_value, ask->value);
    json_key(&json, "count");
    json_i64(&json, count > INT64_MAX ? INT64_MAX : (int64_t)count);
    json_close_object(&json);
    buf_put_char(out, '\n');
}
