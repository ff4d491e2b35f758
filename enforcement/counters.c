/* SPDX-License-Identifier: Apache-2.0 */
#include "enforcement/counters.h"

#include "base/mem.h"
#include "enforcement/rolling.h"

/* Each use looks at so many others, whether they can go: more than one, so that there are never many
 * dead ones among the living. */
enum { SWEEP = 2, KEY_MAX = BUDGET_NAME_MAX + 1 + SCOPE_VALUE_MAX };

void counters_init(struct counters *counters, const uint64_t seed[2])
{
    map_init(&counters->map, COUNTERS_MAX, seed);
    list_init(&counters->all);
    counters->hand = &counters->all;
    counters->latest = INT64_MIN;
}

static void give_tally(struct tally *tally)
{
    mem_give(tally, sizeof *tally);
}

static void give_counter(struct counters *counters, struct counter *counter)
{
    struct tally *older = NULL;

    if (counters->hand == &counter->link) {
        counters->hand = counter->link.next;
    }
    list_remove(&counter->link);
    map_remove(&counters->map, &counter->entry);
    for (struct tally *at = counter->newest; at != NULL; at = older) {
        older = at->older;
        give_tally(at);
    }
    mem_give(counter, counter->size);
}

void counters_fini(struct counters *counters)
{
    if (counters->all.next == NULL) {
        return;
    }
    while (!list_is_empty(&counters->all)) {
        give_counter(counters, LIST_OWNER(counters->all.next, struct counter, link));
    }
    map_fini(&counters->map);
}

wall_ms counters_now(struct counters *counters, wall_ms now)
{
    if (now > counters->latest) {
        counters->latest = now;
    }
    return counters->latest;
}

/* ---- tallies ---- */

static bool is_rolling(const struct counter *counter)
{
    return counter->rule.kind == WINDOW_ROLLING;
}

static int64_t part_ms(const struct counter *counter)
{
    return (int64_t)(counter->rule.length_ms / WINDOW_PARTS);
}

/* Whether anybody still asks for what stands in an older tally. */
static bool is_needed(const struct counter *counter, const struct tally *tally, wall_ms now)
{
    if (tally->holds > 0) {
        return true;
    }
    return is_rolling(counter) && tally->generation == counter->generation &&
           rolling_share(1, tally->window.begin, part_ms(counter), now) > 0;
}

static void drop_unneeded(struct counter *counter, wall_ms now)
{
    struct tally **at = &counter->newest->older;

    while (*at != NULL) {
        struct tally *tally = *at;

        if (is_needed(counter, tally, now)) {
            at = &tally->older;
        } else {
            *at = tally->older;
            give_tally(tally);
        }
    }
}

static void begin_tally(struct tally *tally, const struct window *window, uint32_t generation)
{
    *tally =
        (struct tally){.older = tally->older, .window = *window, .generation = generation};
}

static bool push_tally(struct counter *counter, const struct window *window)
{
    struct tally *tally = mem_take(sizeof *tally);

    if (tally == NULL) {
        return false;
    }
    tally->older = counter->newest;
    begin_tally(tally, window, counter->generation);
    counter->newest = tally;
    return true;
}

static bool is_same(const struct window_rule *a, const struct window_rule *b)
{
    return a->kind == b->kind && a->length_ms == b->length_ms && a->zone_mark == b->zone_mark &&
           a->week_begins == b->week_begins;
}

/* Zones die with their settings, and counters outlive these. */
static void keep_rule(struct counter *counter, const struct window_rule *rule)
{
    counter->rule = *rule;
    counter->rule.zone = NULL;
}

/* A tally for the window of now. Never an earlier one than there is: a clock that went back opens no
 * window twice. Settings read again may have given the budget another window. */
static bool roll(struct counter *counter, const struct window_rule *rule, wall_ms now)
{
    struct tally *newest = counter->newest;
    bool is_new_rule = !is_same(&counter->rule, rule);
    struct window window;

    if (now < newest->window.end && !is_new_rule) {
        return true;
    }
    window_at(rule, now, &window);
    keep_rule(counter, rule);
    if (window.begin == newest->window.begin && window.end == newest->window.end) {
        return true;
    }
    if (newest->holds == 0 && !is_rolling(counter)) {
        begin_tally(newest, &window, counter->generation);
    } else if (!push_tally(counter, &window)) {
        return false;
    }
    drop_unneeded(counter, now);
    return true;
}

struct tally *counter_tally(struct counter *counter, const struct window *window)
{
    struct tally **at = &counter->newest;
    struct tally *tally = NULL;

    while (*at != NULL && (*at)->window.begin > window->begin) {
        at = &(*at)->older;
    }
    if (*at != NULL && (*at)->window.begin == window->begin) {
        return *at;
    }
    tally = mem_take(sizeof *tally);
    if (tally != NULL) {
        tally->older = *at;
        begin_tally(tally, window, counter->generation);
        *at = tally;
    }
    return tally;
}

/* ---- counters ---- */

static struct span key_of(struct span budget, struct span value, char room[KEY_MAX])
{
    must(budget.len <= BUDGET_NAME_MAX && value.len <= SCOPE_VALUE_MAX);
    memcpy(room, budget.at, budget.len);
    room[budget.len] = '\0'; /* no name has one */
    if (value.len > 0) {
        memcpy(room + budget.len + 1, value.at, value.len);
    }
    return span_make(room, budget.len + 1 + value.len);
}

bool counter_is_dead(const struct counter *counter, wall_ms now)
{
    const struct tally *newest = counter->newest;

    if (newest->holds > 0 || newest->older != NULL) {
        return false;
    }
    if (counter->scope == SCOPE_TRACE) {
        return now - counter->last_at > COUNTERS_TRACE_MS;
    }
    return is_rolling(counter)
               ? rolling_share(1, newest->window.begin, part_ms(counter), now) == 0
               : now >= newest->window.end;
}

static void sweep(struct counters *counters, wall_ms now)
{
    for (int i = 0; i < SWEEP && !list_is_empty(&counters->all); i++) {
        struct link *at = counters->hand;

        counters->hand = at->next;
        if (at != &counters->all) {
            struct counter *counter = LIST_OWNER(at, struct counter, link);

            if (is_rolling(counter)) {
                drop_unneeded(counter, now);
            }
            if (counter_is_dead(counter, now)) {
                give_counter(counters, counter);
            }
        }
    }
}

static struct counter *make(struct counters *counters, const struct budget *budget,
                            struct span value, struct span key, wall_ms now)
{
    size_t size = sizeof(struct counter) + key.len;
    struct counter *counter = mem_take(size);
    struct tally *tally = mem_take_zero(sizeof *tally);
    char *text = NULL;

    if (counter == NULL || tally == NULL) {
        mem_give(counter, size);
        mem_give(tally, sizeof *tally);
        return NULL;
    }
    text = (char *)(counter + 1);
    memcpy(text, key.at, key.len);
    *counter = (struct counter){
        .budget = span_make(text, budget->name.len),
        .value = span_make(text + budget->name.len + 1, value.len),
        .scope = budget->scope.kind,
        .unit = budget->unit,
        .reset_at = INT64_MIN,
        .newest = tally,
        .size = size,
    };
    keep_rule(counter, &budget->window);
    window_at(&budget->window, now, &tally->window);
    if (map_add(&counters->map, &counter->entry, span_make(text, key.len)) != ERR_NONE) {
        mem_give(counter, size);
        give_tally(tally);
        return NULL;
    }
    list_push_back(&counters->all, &counter->link);
    return counter;
}

/* Settings read again may count something else under the same name: that begins at zero. */
static bool is_of(struct counter *counter, const struct budget *budget, wall_ms now)
{
    if (counter->unit == budget->unit && counter->scope == budget->scope.kind) {
        return true;
    }
    counter->unit = budget->unit;
    counter->scope = budget->scope.kind;
    return counter_reset(counter, now);
}

struct counter *counters_find(const struct counters *counters, struct span budget,
                              struct span value)
{
    char room[KEY_MAX];
    struct map_entry *entry = map_find(&counters->map, key_of(budget, value, room));

    return entry == NULL ? NULL : LIST_OWNER(entry, struct counter, entry);
}

struct counter *counters_take(struct counters *counters, const struct budget *budget,
                              struct span value, wall_ms now)
{
    char room[KEY_MAX];
    struct span key = key_of(budget->name, value, room);
    struct map_entry *entry = NULL;
    struct counter *counter = NULL;

    sweep(counters, now);
    entry = map_find(&counters->map, key);
    counter = entry != NULL ? LIST_OWNER(entry, struct counter, entry)
                            : make(counters, budget, value, key, now);
    if (counter == NULL || !is_of(counter, budget, now) || !roll(counter, &budget->window, now)) {
        return NULL;
    }
    counter->last_at = now;
    return counter;
}

/* ---- sums ---- */

void counter_sum(const struct counter *counter, wall_ms now, struct tally *sum)
{
    *sum = *counter->newest;
    if (!is_rolling(counter)) {
        return;
    }
    sum->settled = 0;
    sum->held = 0;
    sum->overrun = 0;
    for (const struct tally *at = counter->newest; at != NULL; at = at->older) {
        if (at->generation == counter->generation) {
            wall_ms begin = at->window.begin;

            sum->settled += rolling_share(at->settled, begin, part_ms(counter), now);
            sum->held += rolling_share(at->held, begin, part_ms(counter), now);
            sum->overrun += rolling_share(at->overrun, begin, part_ms(counter), now);
        }
    }
    if (now >= sum->window.end) {
        window_at(&counter->rule, now, &sum->window);
    }
    sum->window.begin = now - part_ms(counter) * WINDOW_PARTS;
}

bool counter_reset(struct counter *counter, wall_ms at)
{
    struct window window = counter->newest->window;

    if (!push_tally(counter, &window)) {
        return false;
    }
    counter->generation++;
    counter->newest->generation = counter->generation;
    counter->reset_at = at;
    drop_unneeded(counter, at);
    return true;
}

void counter_release(struct counter *counter, struct tally *tally)
{
    must(tally->holds > 0);
    tally->holds--;
    if (tally->holds == 0 && tally != counter->newest) {
        drop_unneeded(counter, counter->last_at);
    }
}
