/* SPDX-License-Identifier: Apache-2.0 */
/* Counters as this process sees them: which window is open, what the server told of it last, the loan on it,
 * and what this process itself has booked there. The book is the server's; this is what is needed to
 * ask it, and to bring back our share if it forgets. */
#include <string.h>

#include "base/mem.h"
#include "proxy/ledger_redis_parts.h"

enum { KEY_MAX = sizeof(void *) + sizeof(uint32_t) + BUDGET_NAME_MAX + 1 + SCOPE_VALUE_MAX,
       SWEEP = 64, ROOM_SWEEP = 1000 };

bool win_is_newest(const struct win *win)
{
    return win->counter->newest == win;
}

void win_let_go(struct win *win)
{
    must(win->refs > 0);
    win->refs--;
}

/* ---- keys ---- */

size_t win_keys(const struct win *win)
{
    return win->counter->part_ms > 0 ? WINDOW_PARTS + 1 : 1;
}

static const char *unit_code(const struct win *win)
{
    static const char *const codes[] = {"0", "1", "2"};

    return codes[win->counter->unit];
}

/* hg:{root}:w:scope:budget:mark:generation:begin:value, behind `a` and `b`. Only the value may have any
 * bytes, and it stands last. */
static void key_to(const struct win *win, wall_ms begin, const char *a, const char *b)
{
    const struct counter *counter = win->counter;
    struct buf *key = &counter->root->ledger->scratch;

    buf_clear(key);
    buf_put_text(key, a);
    buf_put_text(key, b);
    buf_put_text(key, "hg:{");
    buf_put(key, counter->root->name);
    buf_put_text(key, "}:w:");
    buf_put_text(key, scope_word(counter->scope));
    buf_put_char(key, ':');
    buf_put(key, counter->budget);
    buf_put_format(key, ":%u:%u:%lld:", counter->mark, (unsigned)win->generation, (long long)begin);
    buf_put(key, counter->value);
}

void put_win_key(const struct win *win)
{
    struct root *root = win->counter->root;

    key_to(win, win->window.begin, "", "");
    put_text(root->node, buf_span(&root->ledger->scratch));
}

void put_lease_id(const struct win *win)
{
    struct root *root = win->counter->root;

    key_to(win, win->window.begin, "L", root->ledger->owner);
    put_text(root->node, buf_span(&root->ledger->scratch));
}

void put_win_keys(struct win *win)
{
    struct root *root = win->counter->root;

    put_win_key(win);
    for (size_t i = 1; i < win_keys(win); i++) {
        key_to(win, win->window.begin - (wall_ms)i * win->counter->part_ms, "", "");
        put_text(root->node, buf_span(&root->ledger->scratch));
    }
}

/* INT64_MAX: never. */
wall_ms win_expires(const struct win *win)
{
    const struct counter *counter = win->counter;

    if (counter->scope == SCOPE_TRACE) {
        return ledger_now(counter->root->ledger) + TRACE_MS + AFTER_WINDOW_MS;
    }
    if (win->window.end == INT64_MAX) {
        return INT64_MAX;
    }
    return win->window.end + counter->part_ms * WINDOW_PARTS + AFTER_WINDOW_MS;
}

void put_win_birth(const struct win *win)
{
    struct node *node = win->counter->root->node;
    wall_ms expires = win_expires(win);

    put_text(node, span_of(unit_code(win)));
    put_number(node, win->window.end == INT64_MAX ? BUDGET_MONEY_MAX : win->window.end);
    put_number(node, expires == INT64_MAX ? 0 : expires);
}

/* ---- windows ---- */

static struct win *win_new(struct counter *counter, const struct window *window,
                           uint32_t generation)
{
    struct win *win = mem_take_zero(sizeof *win);

    if (win != NULL) {
        win->counter = counter;
        win->window = *window;
        win->generation = generation;
        list_init(&win->lent);
    }
    return win;
}

static void win_free(struct win *win)
{
    list_remove(&win->lent);
    mem_give(win, sizeof *win);
}

void win_see(struct win *win, int64_t settled, int64_t used)
{
    win->settled = settled;
    win->used = used;
    win->seen_at = loop_now(win->counter->root->ledger->loop);
}

static struct win *shaped(struct win *win, const struct budget *budget)
{
    if (win != NULL) {
        win->limit = budget->limit;
        win->releases = budget->on_expiry == EXPIRY_RELEASE;
    }
    return win;
}

static bool is_needed(const struct win *win, wall_ms now)
{
    const struct counter *counter = win->counter;

    return win->refs > 0 || !list_is_empty(&win->lent) ||
           (counter->part_ms > 0 &&
            now < win->window.end + counter->part_ms * WINDOW_PARTS);
}

static void drop_unneeded(struct counter *counter, wall_ms now)
{
    struct win **at = &counter->newest->older;

    while (*at != NULL) {
        struct win *win = *at;

        if (is_needed(win, now)) {
            at = &win->older;
        } else {
            *at = win->older;
            win_free(win);
        }
    }
}

/* What is lent for a window that is over goes back. */
static void retire(struct win *win)
{
    struct op *op = NULL;
    int64_t free = 0;

    if (win->lease.free == 0) {
        return;
    }
    op = op_new(1);
    if (op == NULL || sequence_reserve(&win->counter->root->sequence,
                                       win->counter->root->open + 1) != ERR_NONE) {
        op_free(NULL, op);
        return; /* the others presume it, after a minute */
    }
    free = lease_give_back(&win->lease);
    op_add(op, win, 0, free, 0);
    (void)root_push(win->counter->root, op);
}

static struct win *win_from(struct win *win, wall_ms begin, uint32_t generation)
{
    while (win != NULL && (win->window.begin != begin || win->generation != generation)) {
        win = win->older;
    }
    return win;
}

/* Whoever waits with a window that our own clock had the idea of keeps it; for others it is as if it were not
 * there. NULL: no memory. */
static struct win *behind(struct win *idea, const struct window *window, uint32_t generation)
{
    struct win *older = idea->older;
    struct win *win = win_from(older, window->begin, generation);

    if (win != NULL) {
        return win;
    }
    if (older != NULL && older->generation == generation && older->window.begin > window->begin) {
        return older; /* a clock that goes back opens no window twice */
    }
    win = win_new(idea->counter, window, generation);
    if (win != NULL) {
        win->older = older;
        idea->older = win;
    }
    return win;
}

static struct win *roll(struct counter *counter, const struct budget *budget, wall_ms now)
{
    struct win *newest = counter->newest;
    uint32_t generation = root_generation(counter->root, counter->budget, counter->value);
    struct window window = {0, 0};
    struct win *win = NULL;

    /* One that no server has confirmed was our own clock's idea. */
    bool is_idea = newest != NULL && newest->seen_at == 0 && newest->mine == 0 &&
                   newest->lease.total == 0;

    if (newest != NULL && now < newest->window.end && generation == newest->generation &&
        counter->kind == budget->window.kind && (!is_idea || now >= newest->window.begin)) {
        return newest;
    }
    window_at(&budget->window, now, &window);
    if (is_idea && newest->refs == 0 && counter->kind == budget->window.kind) {
        if (newest->older != NULL && newest->older->window.begin >= window.begin) {
            counter->newest = newest->older;
            win_free(newest);
            return roll(counter, budget, now);
        }
        newest->window = window;
        newest->generation = generation;
        return newest;
    }
    if (is_idea && counter->kind == budget->window.kind && window.begin < newest->window.begin) {
        return behind(newest, &window, generation);
    }
    /* A clock that goes back opens no window twice. */
    if (newest != NULL && !is_idea && generation == newest->generation &&
        counter->kind == budget->window.kind && window.begin <= newest->window.begin) {
        return newest;
    }
    win = win_new(counter, &window, generation);
    if (win == NULL) {
        return NULL;
    }
    counter->kind = budget->window.kind;
    counter->part_ms = budget->window.kind == WINDOW_ROLLING
                           ? (int64_t)(budget->window.length_ms / WINDOW_PARTS)
                           : 0;
    win->lease.usual = newest == NULL ? 0 : newest->lease.usual;
    win->older = newest;
    counter->newest = win;
    if (newest != NULL) {
        retire(newest);
        drop_unneeded(counter, now);
    }
    return win;
}

struct win *counter_at(struct root *root, const struct budget *budget, struct span value, wall_ms at)
{
    struct win *newest = counter_take(root, budget, value, at);
    struct win **place = NULL;
    struct win *win = NULL;
    struct window window;

    if (newest == NULL) {
        return NULL;
    }
    window_at(&budget->window, at, &window);
    place = &newest->counter->newest;
    while (*place != NULL && (*place)->window.begin > window.begin) {
        place = &(*place)->older;
    }
    if (*place != NULL && (*place)->window.begin == window.begin) {
        return *place;
    }
    win = win_new(newest->counter, &window,
                  root_generation(root, newest->counter->budget, newest->counter->value));
    if (win != NULL) {
        win->older = *place;
        *place = win;
    }
    return win;
}

/* ---- counters ---- */

enum { KEY_HEAD = sizeof(void *) + sizeof(uint32_t) };

/* A budget that counts something else under an old name is another one. */
static struct span key_of(const struct root *root, const struct budget *budget, uint32_t mark,
                          struct span value, char room[KEY_MAX])
{
    size_t len = KEY_HEAD;

    must(budget->name.len <= BUDGET_NAME_MAX && value.len <= SCOPE_VALUE_MAX);
    memcpy(room, &root, sizeof root);
    memcpy(room + sizeof root, &mark, sizeof mark);
    memcpy(room + len, budget->name.at, budget->name.len);
    len += budget->name.len;
    room[len++] = '\0'; /* no name has one */
    if (value.len > 0) {
        memcpy(room + len, value.at, value.len);
    }
    return span_make(room, len + value.len);
}

static void give(struct counter *counter)
{
    struct win *older = NULL;

    for (struct win *win = counter->newest; win != NULL; win = older) {
        older = win->older;
        win_free(win);
    }
    list_remove(&counter->link);
    map_remove(&counter->root->ledger->counters, &counter->entry);
    mem_give(counter, counter->size);
}

/* At the ceiling one goes that nobody used for long, if nothing is held or lent there, and nothing would be
 * missed on a server that forgot. (Of a trace something may be: apps make as many of them as they like.) */
static bool drop_idle(struct root *root, int *left)
{
    for (struct link *at = root->counters.next; at != &root->counters && *left > 0;
         at = at->next, --*left) {
        struct counter *counter = LIST_OWNER(at, struct counter, link);
        const struct win *win = counter->newest;

        if (win->older == NULL && win->refs == 0 && list_is_empty(&win->lent) &&
            (win->mine == 0 || counter->scope == SCOPE_TRACE)) {
            give(counter);
            return true;
        }
    }
    return false;
}

static bool make_room(struct ledger *ledger)
{
    int left = ROOM_SWEEP;

    for (struct link *at = ledger->all_roots.next; at != &ledger->all_roots; at = at->next) {
        if (drop_idle(LIST_OWNER(at, struct root, link), &left)) {
            return true;
        }
    }
    return false;
}

static bool enter(struct counter *counter, struct span key)
{
    struct map *counters = &counter->root->ledger->counters;
    enum err err = map_add(counters, &counter->entry, key);

    if (err == ERR_CEILING && make_room(counter->root->ledger)) {
        err = map_add(counters, &counter->entry, key);
    }
    return err == ERR_NONE;
}

struct win *counter_take(struct root *root, const struct budget *budget, struct span value,
                         wall_ms now)
{
    char room[KEY_MAX];
    uint32_t mark = budget_mark(budget);
    struct span key = key_of(root, budget, mark, value, room);
    struct ledger *ledger = root->ledger;
    struct map_entry *entry = map_find(&ledger->counters, key);
    struct counter *counter = NULL;
    struct win *win = NULL;

    if (entry != NULL) {
        counter = LIST_OWNER(entry, struct counter, entry);
        /* The one used last stands last: the sweep begins with those that nobody uses. */
        list_remove(&counter->link);
        list_push_back(&root->counters, &counter->link);
        counter->last_at = loop_now(ledger->loop);
        return shaped(roll(counter, budget, now), budget);
    }
    counter = mem_take_zero(sizeof *counter + key.len);
    if (counter == NULL) {
        return NULL;
    }
    counter->size = sizeof *counter + key.len;
    memcpy(counter + 1, key.at, key.len);
    key.at = (char *)(counter + 1);
    counter->budget = span_make(key.at + KEY_HEAD, budget->name.len);
    counter->value = span_make(counter->budget.at + budget->name.len + 1, value.len);
    counter->root = root;
    counter->scope = budget->scope.kind;
    counter->unit = budget->unit;
    counter->kind = budget->window.kind;
    counter->mark = mark;
    counter->last_at = loop_now(ledger->loop);
    list_init(&counter->link);
    win = roll(counter, budget, now);
    if (win == NULL || !enter(counter, key)) {
        mem_give(win, sizeof *win);
        mem_give(counter, counter->size);
        return NULL;
    }
    list_push_back(&root->counters, &counter->link);
    return shaped(win, budget);
}

/* Nothing is lent, held or told, and its window is over (or its unit of work forgotten). */
static bool is_dead(const struct counter *counter, wall_ms now)
{
    const struct win *win = counter->newest;
    mono_ms idle = loop_now(counter->root->ledger->loop) - counter->last_at;

    if (win->older != NULL || win->refs > 0 || !list_is_empty(&win->lent)) {
        return false;
    }
    return counter->scope == SCOPE_TRACE
               ? idle > (mono_ms)TRACE_MS
               : now >= win->window.end && !is_needed(win, now);
}

void counters_renew(struct root *root)
{
    for (struct link *at = root->counters.next; at != &root->counters; at = at->next) {
        struct counter *counter = LIST_OWNER(at, struct counter, link);

        for (struct win *win = counter->newest; win != NULL; win = win->older) {
            if (win->seen_at == 0) {
                win->generation = root_generation(root, counter->budget, counter->value);
            }
        }
    }
}

void counters_sweep(struct root *root, wall_ms now)
{
    struct link *next = NULL;
    int left = SWEEP;

    for (struct link *at = root->counters.next; at != &root->counters && left > 0;
         at = next, left--) {
        struct counter *counter = LIST_OWNER(at, struct counter, link);

        next = at->next;
        drop_unneeded(counter, now);
        if (is_dead(counter, now)) {
            give(counter);
        } else {
            list_remove(at);
            list_push_back(&root->counters, at);
        }
    }
}

void counters_free(struct root *root)
{
    while (!list_is_empty(&root->counters)) {
        give(LIST_OWNER(root->counters.next, struct counter, link));
    }
}
