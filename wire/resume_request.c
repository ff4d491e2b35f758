/* SPDX-License-Identifier: Apache-2.0 */
/* The request that asks another provider to go on: the app's own bytes, the text so far as a begun
 * turn of the assistant, and less of the output cap. */
#include "wire/resume_parts.h"

#include "base/must.h"
#include "wire/answer.h"

enum own_turn { TURN_NEW, TURN_OWN, TURN_NONE };

/* What is looked at and put together; what is put in stands in `turn`. */
struct putting {
    const struct resume_ask *ask;
    const struct json_hit *hits; /* of the request */
    struct buf *turn;
    struct json_edit *edits;
    size_t count;
};

/* Where text is added to the last item of the app's own turn: in front of the closing quote. */
static enum own_turn end_of_item(const struct putting *p, uint64_t item_at, struct json_hit item,
                                 uint64_t *at)
{
    static const struct json_path paths[] = {JSON_PATH1("type"), JSON_PATH1("text")};
    struct json_hit hits[ARRAY_LENGTH(paths)];
    struct span text = span_make(p->ask->request->body.at + item_at, (size_t)item.len);

    if (item.kind != JSON_OBJECT ||
        !answer_scan(p->ask->scan, paths, ARRAY_LENGTH(paths), text, hits) ||
        !span_equal(answer_text(&hits[0], text), SPAN_OF("text")) || hits[1].kind != JSON_STRING) {
        return TURN_NONE;
    }
    *at = item_at + hits[1].at + hits[1].len - 1;
    return TURN_OWN;
}

static bool is_begun(const struct putting *p, struct span role, const struct json_hit *prefix)
{
    if (!span_equal(role, SPAN_OF("assistant"))) {
        return false;
    }
    switch (p->ask->way->mark) {
    case PREFILL_MARK_ROLE: return true;
    case PREFILL_MARK_PREFIX: return prefix->kind == JSON_TRUE;
    case PREFILL_MARK_FLAG: return p->hits[RESUME_CONTINUES].kind == JSON_TRUE;
    }
    UNREACHABLE();
}

/* Whether the app's last message is a begun turn already, which the text then belongs to. */
static enum own_turn find_own(const struct putting *p, uint64_t *at)
{
    enum { ROLE, CONTENT, ITEM, PREFIX, TOOLS, PLACES };
    static const struct json_path paths[PLACES] = {JSON_PATH1("role"), JSON_PATH1("content"),
                                                   JSON_PATH2("content", "[]"),
                                                   JSON_PATH1("prefix"), JSON_PATH1("tool_calls")};
    struct json_hit own[PLACES];
    const struct json_hit *message = &p->hits[RESUME_LAST];
    struct span last = json_hit_span(message, p->ask->request->body);

    if (message->kind != JSON_OBJECT || !answer_scan(p->ask->scan, paths, PLACES, last, own)) {
        return TURN_NONE;
    }
    if (!is_begun(p, answer_text(&own[ROLE], last), &own[PREFIX])) {
        return TURN_NEW;
    }
    if (answer_is_filled(&own[TOOLS])) {
        return TURN_NONE;
    }
    if (own[CONTENT].kind == JSON_ARRAY) {
        return end_of_item(p, message->at + own[ITEM].at, own[ITEM], at);
    }
    *at = message->at + own[CONTENT].at + own[CONTENT].len - 1;
    return own[CONTENT].kind == JSON_STRING ? TURN_OWN : TURN_NONE;
}

/* Puts in what `turn` holds from `from` on. */
static void put_edit(struct putting *p, uint64_t at, uint64_t cut, size_t from)
{
    must(p->count < JSON_EDITS_MAX);
    p->edits[p->count++] = (struct json_edit){
        .at = at, .cut = cut, .put = span_make(p->turn->at + from, p->turn->len - from)};
}

static void put_turn(struct putting *p, struct span text)
{
    size_t from = p->turn->len;
    const struct json_hit *messages = &p->hits[RESUME_MESSAGES];

    buf_put(p->turn, SPAN_OF(",{\"role\":\"assistant\",\"content\":\""));
    buf_put(p->turn, text);
    buf_put_char(p->turn, '"');
    buf_put(p->turn, p->ask->way->message);
    buf_put_char(p->turn, '}');
    put_edit(p, messages->at + messages->len - 1, 0, from);
    if (p->ask->way->root.len > 0) {
        from = p->turn->len;
        buf_put(p->turn, p->ask->way->root);
        put_edit(p, messages->at + messages->len, 0, from);
    }
}

/* A cap is of the whole answer; at least one token stays, so that the request is valid. */
static void put_cap(struct putting *p, const struct json_hit *cap, int64_t used)
{
    int64_t asked = 0;
    size_t from = p->turn->len;

    if (cap->kind != JSON_NUMBER || used <= 0 ||
        json_integer(json_hit_span(cap, p->ask->request->body), &asked) != ERR_NONE || asked < 1) {
        return;
    }
    buf_put_u64(p->turn, asked > used ? (unsigned long long)(asked - used) : 1);
    put_edit(p, cap->at, cap->len, from);
}

static bool put_text(struct putting *p, struct span text)
{
    uint64_t at = 0;
    size_t from = p->turn->len;
    enum own_turn own = find_own(p, &at);
    bool app_says = p->hits[RESUME_CONTINUES].kind != JSON_ABSENT ||
                    p->hits[RESUME_GENERATES].kind != JSON_ABSENT;

    if (own == TURN_NONE || (own == TURN_NEW && p->ask->way->root.len > 0 && app_says)) {
        return false;
    }
    if (text.len == 0) {
        return true; /* an empty turn is refused (translation.md 3); the answer begins anew */
    }
    if (own == TURN_OWN) {
        buf_put(p->turn, text);
        put_edit(p, at, 0, from);
    } else {
        put_turn(p, text);
    }
    return true;
}

bool resume_edits(struct resume *resume, const struct resume_ask *ask,
                  struct json_edit edits[JSON_EDITS_MAX], size_t *count)
{
    enum { NUMBERS = 128 };
    struct json_hit hits[JSON_PATHS_MAX];
    const struct resume_row *row = resume->row;
    struct putting putting = {
        .ask = ask, .hits = hits, .turn = &resume->turn, .edits = edits, .count = ask->own_count};
    struct span text = resume_turn_text(resume, ask->way->is_trimmed);

    must(row != NULL && resume->is_continuing && ask->own_count <= 2);
    memcpy(edits, ask->own, ask->own_count * sizeof edits[0]);
    buf_clear(&resume->turn);
    /* All at once: the edits point into it. */
    if (buf_reserve(&resume->turn,
                    text.len + ask->way->message.len + ask->way->root.len + NUMBERS) != ERR_NONE ||
        !answer_scan(ask->scan, row->paths, row->paths_count, ask->request->body, hits) ||
        !put_text(&putting, text)) {
        return false;
    }
    put_cap(&putting, &hits[RESUME_CAP], resume->past[USAGE_OUTPUT]);
    put_cap(&putting, &hits[RESUME_CAP_NEW], resume->past[USAGE_OUTPUT]);
    must(!resume->turn.failed);
    resume_sort(edits, putting.count);
    *count = putting.count;
    return true;
}
