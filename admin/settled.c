/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/settled.h"

#include "admin/settled_parts.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "enforcement/counters.h"

enum {
    KEY_HEAD = sizeof(wall_ms) + 2,
    KEY_MAX = KEY_HEAD + BUDGET_NAME_MAX + 1 + SCOPE_VALUE_MAX
};

_Static_assert((int)SETTLED_MAX >= (int)COUNTERS_MAX, "all that the ledger has can be kept");

/* ---- memory ---- */

struct settled *settled_new(const uint64_t seed[2])
{
    static const struct budgets none;
    struct settled *settled = mem_take_zero(sizeof *settled);

    if (settled != NULL) {
        map_init(&settled->map, SETTLED_MAX, seed);
        list_init(&settled->all);
        list_init(&settled->resets);
        settled->budgets = &none;
    }
    return settled;
}

static void give_sum(struct settled *settled, struct settled_sum *sum)
{
    list_remove(&sum->link);
    map_remove(&settled->map, &sum->entry);
    mem_give(sum, sum->size);
}

static void give_reset(struct settled *settled, struct settled_reset *reset)
{
    list_remove(&reset->link);
    settled->resets_count--;
    mem_give(reset, sizeof *reset);
}

void settled_free(struct settled *settled)
{
    if (settled == NULL) {
        return;
    }
    while (!list_is_empty(&settled->all)) {
        give_sum(settled, LIST_OWNER(settled->all.next, struct settled_sum, link));
    }
    while (!list_is_empty(&settled->resets)) {
        give_reset(settled, LIST_OWNER(settled->resets.next, struct settled_reset, link));
    }
    map_fini(&settled->map);
    mem_give(settled, sizeof *settled);
}

/* ---- budgets ---- */

static struct span name_of(const struct settled_budget *seen)
{
    return span_make(seen->name, seen->len);
}

static size_t find_seen(const struct settled *settled, struct span name)
{
    size_t i = 0;

    while (i < settled->seen_count && !span_equal(name_of(&settled->seen[i]), name)) {
        i++;
    }
    return i;
}

const struct settled_budget *settled_seen(const struct settled *settled, struct span name)
{
    size_t i = find_seen(settled, name);

    return i < settled->seen_count ? &settled->seen[i] : NULL;
}

static const struct budget *budget_named(const struct budgets *budgets, struct span name)
{
    for (size_t i = 0; i < budgets->count; i++) {
        if (span_equal(budgets->list[i].name, name)) {
            return &budgets->list[i];
        }
    }
    return NULL;
}

/* Of twice as many names as the settings can have one is not in them. */
static size_t place_for(struct settled *settled, const struct budgets *budgets)
{
    size_t i = 0;

    if (settled->seen_count < SETTLED_BUDGETS_MAX) {
        return settled->seen_count++;
    }
    while (budget_named(budgets, name_of(&settled->seen[i])) != NULL) {
        i++;
    }
    return i;
}

void settled_remember(struct settled *settled, const struct budgets *budgets,
                      const struct settled_budget *seen)
{
    settled->seen[place_for(settled, budgets)] = *seen;
}

void settled_budgets(struct settled *settled, const struct budgets *budgets, wall_ms from)
{
    settled->budgets = budgets;
    for (size_t i = 0; i < budgets->count; i++) {
        const struct budget *budget = &budgets->list[i];
        uint32_t mark = budget_mark(budget);
        size_t at = find_seen(settled, budget->name);

        if (at == settled->seen_count) {
            /* Since ever: its first record will tell. */
            struct settled_budget seen = {.len = budget->name.len,
                                          .mark = mark,
                                          .since = from,
                                          .first_seen = from > 0 ? from : INT64_MAX};

            memcpy(seen.name, budget->name.at, budget->name.len);
            settled_remember(settled, budgets, &seen);
            at = find_seen(settled, budget->name);
        } else if (settled->seen[at].mark != mark) {
            settled->seen[at].mark = mark;
            settled->seen[at].since = from;
        }
        settled->of[i].seen = at;
        settled->of[i].last = (struct window){0, 0};
    }
}

static void not_ahead(wall_ms *at, wall_ms now)
{
    *at = *at > now ? now : *at;
}

void settled_clock(struct settled *settled, wall_ms now)
{
    for (size_t i = 0; i < settled->seen_count; i++) {
        not_ahead(&settled->seen[i].first_seen, now);
        not_ahead(&settled->seen[i].since, now);
    }
    for (struct link *at = settled->resets.next; at != &settled->resets; at = at->next) {
        not_ahead(&LIST_OWNER(at, struct settled_reset, link)->at, now);
    }
}

/* ---- sums ---- */

static struct span key_of(const struct settled_sum *of, char room[KEY_MAX])
{
    size_t len = sizeof of->window.begin;

    memcpy(room, &of->window.begin, len);
    room[len++] = (char)of->unit;
    room[len++] = (char)of->scope;
    memcpy(room + len, of->budget.at, of->budget.len);
    len += of->budget.len;
    room[len++] = '\0'; /* no name has one */
    if (of->value.len > 0) {
        memcpy(room + len, of->value.at, of->value.len);
    }
    return span_make(room, len + of->value.len);
}

enum err settled_sum(struct settled *settled, const struct settled_sum *like,
                     struct settled_sum **sum)
{
    char room[KEY_MAX];
    struct span key = key_of(like, room);
    struct map_entry *entry = map_find(&settled->map, key);
    size_t size = sizeof **sum + key.len;
    char *text = NULL;
    enum err err = ERR_NONE;

    *sum = entry != NULL ? LIST_OWNER(entry, struct settled_sum, entry) : NULL;
    if (*sum != NULL) {
        return ERR_NONE;
    }
    *sum = mem_take(size);
    if (*sum == NULL) {
        return ERR_MEMORY;
    }
    text = (char *)(*sum + 1);
    memcpy(text, key.at, key.len);
    **sum = *like;
    (*sum)->budget.at = text + KEY_HEAD;
    (*sum)->value.at = text + KEY_HEAD + like->budget.len + 1;
    (*sum)->size = size;
    err = map_add(&settled->map, &(*sum)->entry, span_make(text, key.len));
    if (err != ERR_NONE) {
        mem_give(*sum, size);
        return err;
    }
    list_push_back(&settled->all, &(*sum)->link);
    return ERR_NONE;
}

static wall_ms add_ms(wall_ms at, uint64_t ms)
{
    return at > INT64_MAX - (int64_t)ms ? INT64_MAX : at + (int64_t)ms;
}

static int64_t add_up(int64_t a, int64_t b)
{
    return b > INT64_MAX - a ? INT64_MAX : a + b;
}

static const struct window *window_of(struct settled *settled, size_t i, wall_ms at)
{
    struct window *last = &settled->of[i].last;

    if (at < last->begin || at >= last->end) {
        window_at(&settled->budgets->list[i].window, at, last);
    }
    return last;
}

static bool was_reset(const struct settled *settled, const struct chain_link *link, wall_ms at)
{
    for (struct link *each = settled->resets.next; each != &settled->resets; each = each->next) {
        const struct settled_reset *reset = LIST_OWNER(each, struct settled_reset, link);

        if (at < reset->at && settled_reset_is_of(reset, link->budget->name, link->value)) {
            return true;
        }
    }
    return false;
}

/* Whose of the chain the attempt counts for; NULL: not for this link. */
static enum err sum_for(struct settled *settled, const struct chain_link *link, wall_ms at,
                        struct settled_sum **sum)
{
    size_t i = (size_t)(link->budget - settled->budgets->list);
    struct settled_budget *seen = &settled->seen[settled->of[i].seen];
    struct settled_sum like = {.budget = link->budget->name,
                               .value = link->value,
                               .unit = link->budget->unit,
                               .scope = link->budget->scope.kind};

    *sum = NULL;
    if (at < seen->since || link->value.len > SCOPE_VALUE_MAX || was_reset(settled, link, at)) {
        return ERR_NONE;
    }
    if (seen->since == 0 && at < seen->first_seen) {
        seen->first_seen = at;
    }
    like.window = *window_of(settled, i, at);
    like.until = link->budget->window.kind == WINDOW_ROLLING
                     ? add_ms(like.window.end, link->budget->window.length_ms)
                     : like.window.end;
    return settled_sum(settled, &like, sum);
}

void settled_subject(const struct record *record, struct subject *subject)
{
    const struct span *texts = record->texts;

    *subject = (struct subject){
        .values = {
            [SCOPE_TEAM] = texts[RECORD_TEAM].len > 0 ? texts[RECORD_TEAM] : SPAN_OF("default"),
            [SCOPE_USER] = texts[RECORD_USER],
            [SCOPE_KEY] = texts[RECORD_KEY],
            [SCOPE_TAG] = texts[RECORD_TAGS],
            [SCOPE_MODEL] = texts[RECORD_MODEL],
            [SCOPE_PROVIDER] = texts[RECORD_PROVIDER],
            [SCOPE_ROUTE] = texts[RECORD_ROUTE],
            [SCOPE_TASK] = texts[RECORD_TASK],
            [SCOPE_TRACE] = texts[RECORD_TRACE],
            [SCOPE_CALL] = texts[RECORD_CALL],
        }};
}

bool settled_is_held(const struct record *record)
{
    return record->numbers[RECORD_HELD_AT] >= 0 &&
           span_equal(record->texts[RECORD_SOURCE], SPAN_OF("headgate"));
}

static void add(struct settled_sum *sum, const struct amounts *amounts, int64_t held, wall_ms at)
{
    int64_t amount = amounts->of[sum->unit];

    sum->settled = add_up(sum->settled, amount);
    if (sum->unit == UNIT_MONEY && held >= 0 && amount > held) {
        sum->overrun = add_up(sum->overrun, amount - held);
    }
    sum->last_at = at > sum->last_at ? at : sum->last_at;
}

enum err settled_add(struct settled *settled, const struct record *record, bool *has_changed)
{
    wall_ms at = record->numbers[RECORD_HELD_AT];
    struct settled_sum *sums[CHAIN_MAX];
    struct subject subject;
    struct amounts amounts;
    struct chain chain;
    enum err told = ERR_NONE;

    *has_changed = false;
    if (settled->budgets->count == 0 || !settled_is_held(record)) {
        return ERR_NONE;
    }
    settled_subject(record, &subject);
    chain_make(settled->budgets, &subject, &chain);
    for (uint8_t i = 0; i < chain.count; i++) {
        enum err err = sum_for(settled, &chain.list[i], at, &sums[i]);

        if (err == ERR_MEMORY) {
            return err;
        }
        if (err != ERR_NONE) {
            sums[i] = NULL;
            told = err;
        }
    }
    amounts_book(&amounts, record->numbers[RECORD_CHARGED], record->tokens,
                 !span_equal(record->texts[RECORD_PHASE], SPAN_OF("unsent")));
    for (uint8_t i = 0; i < chain.count; i++) {
        if (sums[i] != NULL) {
            add(sums[i], &amounts, record->numbers[RECORD_HELD], at);
            *has_changed = true;
        }
    }
    return told;
}

/* ---- resets ---- */

bool settled_reset_is_of(const struct settled_reset *reset, struct span budget, struct span value)
{
    return span_equal(span_make(reset->budget, reset->budget_len), budget) &&
           (!reset->has_value || span_equal(span_make(reset->value, reset->value_len), value));
}

/* One that an earlier one is part of takes its place. */
static struct settled_reset *take_reset(struct settled *settled, struct span budget,
                                        struct span value)
{
    struct settled_reset *reset = NULL;
    struct link *next = NULL;

    for (struct link *at = settled->resets.next; at != &settled->resets; at = next) {
        struct settled_reset *old = LIST_OWNER(at, struct settled_reset, link);
        bool is_same = old->has_value == (value.at != NULL);

        next = at->next;
        if (span_equal(span_make(old->budget, old->budget_len), budget) &&
            (value.at == NULL || (is_same && settled_reset_is_of(old, budget, value)))) {
            give_reset(settled, old);
        }
    }
    reset = mem_take_zero(sizeof *reset);
    if (reset != NULL) {
        list_push_back(&settled->resets, &reset->link);
        settled->resets_count++;
    }
    return reset;
}

enum err settled_note_reset(struct settled *settled, struct span budget, struct span value,
                            wall_ms at)
{
    struct settled_reset *reset = NULL;

    must(budget.len <= BUDGET_NAME_MAX && value.len <= SCOPE_VALUE_MAX);
    if (settled->resets_count >= SETTLED_RESETS_MAX && value.at != NULL) {
        return ERR_CEILING;
    }
    reset = take_reset(settled, budget, value);
    if (reset == NULL) {
        return ERR_MEMORY;
    }
    reset->at = at;
    reset->budget_len = budget.len;
    memcpy(reset->budget, budget.at, budget.len);
    reset->has_value = value.at != NULL;
    reset->value_len = value.len;
    if (value.len > 0) {
        memcpy(reset->value, value.at, value.len);
    }
    return ERR_NONE;
}

enum err settled_reset(struct settled *settled, struct span budget, struct span value, wall_ms at)
{
    for (struct link *each = settled->all.next; each != &settled->all; each = each->next) {
        struct settled_sum *sum = LIST_OWNER(each, struct settled_sum, link);

        if (span_equal(sum->budget, budget) &&
            (value.at == NULL || span_equal(sum->value, value))) {
            sum->settled = 0;
            sum->overrun = 0;
        }
    }
    return settled_note_reset(settled, budget, value, at);
}

/* ---- time ---- */

static bool is_over(const struct settled_sum *sum, wall_ms now, int64_t grace_ms)
{
    wall_ms until = sum->scope == SCOPE_TRACE ? add_ms(sum->last_at, (uint64_t)COUNTERS_TRACE_MS)
                                              : sum->until;

    return until < now - grace_ms;
}

static bool is_old_reset(const struct settled *settled, const struct settled_reset *reset,
                         wall_ms now)
{
    const struct budget *budget =
        budget_named(settled->budgets, span_make(reset->budget, reset->budget_len));

    return budget != NULL && reset->at < budget_open_since(budget, now) - SETTLED_KEEP_MS;
}

void settled_tidy(struct settled *settled, wall_ms now)
{
    struct link *next = NULL;

    for (struct link *at = settled->all.next; at != &settled->all; at = next) {
        struct settled_sum *sum = LIST_OWNER(at, struct settled_sum, link);

        next = at->next;
        if (is_over(sum, now, SETTLED_KEEP_MS)) {
            give_sum(settled, sum);
        }
    }
    for (struct link *at = settled->resets.next; at != &settled->resets; at = next) {
        struct settled_reset *reset = LIST_OWNER(at, struct settled_reset, link);

        next = at->next;
        if (is_old_reset(settled, reset, now)) {
            give_reset(settled, reset);
        }
    }
}

wall_ms settled_needed(const struct settled *settled, wall_ms now)
{
    wall_ms needed = now;

    for (size_t i = 0; i < settled->budgets->count; i++) {
        wall_ms begin = budget_open_since(&settled->budgets->list[i], now);

        needed = begin < needed ? begin : needed;
    }
    return needed;
}

const struct budget *settled_open(const struct settled *settled, const struct settled_sum *sum,
                                  wall_ms now)
{
    const struct budget *budget = budget_named(settled->budgets, sum->budget);
    struct window window;

    /* Windows that begin a little ahead are those of before the clock was set back: they are not
     * counted twice. */
    if (budget == NULL || budget->unit != sum->unit || budget->scope.kind != sum->scope ||
        is_over(sum, now, -1) || sum->window.begin > add_ms(now, (uint64_t)SETTLED_KEEP_MS)) {
        return NULL;
    }
    window_at(&budget->window, sum->window.begin, &window);
    return window.begin == sum->window.begin && window.end == sum->window.end ? budget : NULL;
}

/* ---- again ---- */

struct settled *settled_again(const struct settled *settled)
{
    struct settled *fresh = settled_new(settled->map.seed);

    if (fresh == NULL) {
        return NULL;
    }
    memcpy(fresh->seen, settled->seen, sizeof fresh->seen);
    fresh->seen_count = settled->seen_count;
    settled_budgets(fresh, settled->budgets, 0);
    for (struct link *at = settled->resets.next; at != &settled->resets; at = at->next) {
        const struct settled_reset *reset = LIST_OWNER(at, struct settled_reset, link);
        struct span value = span_make(reset->has_value ? reset->value : NULL, reset->value_len);

        if (settled_note_reset(fresh, span_make(reset->budget, reset->budget_len), value,
                               reset->at) != ERR_NONE) {
            settled_free(fresh);
            return NULL;
        }
    }
    return fresh;
}

/* Every sum of the one is in the other as well, with nothing settled where it was not. */
static enum err level(const struct settled *from, struct settled *to)
{
    for (struct link *at = from->all.next; at != &from->all; at = at->next) {
        struct settled_sum like = *LIST_OWNER(at, struct settled_sum, link);
        struct settled_sum *sum = NULL;
        enum err err = ERR_NONE;

        like.settled = 0;
        like.overrun = 0;
        err = settled_sum(to, &like, &sum);
        if (err != ERR_NONE) {
            return ERR_MEMORY;
        }
    }
    return ERR_NONE;
}

enum err settled_correct(struct settled *settled, struct settled *fresh, struct span budget,
                         wall_ms from)
{
    if (level(settled, fresh) != ERR_NONE || level(fresh, settled) != ERR_NONE) {
        return ERR_MEMORY;
    }
    for (struct link *at = fresh->all.next; at != &fresh->all; at = at->next) {
        struct settled_sum *sum = LIST_OWNER(at, struct settled_sum, link);
        struct settled_sum *old = NULL;

        (void)settled_sum(settled, sum, &old); /* it is there */
        sum->before = old->settled;
        if ((budget.len > 0 && !span_equal(budget, sum->budget)) ||
            (sum->window.begin < from && sum->settled < old->settled)) {
            sum->settled = old->settled;
            sum->overrun = old->overrun;
        }
        old->settled = sum->settled;
        old->overrun = sum->overrun;
    }
    return ERR_NONE;
}
