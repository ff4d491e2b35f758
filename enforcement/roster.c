/* SPDX-License-Identifier: Apache-2.0 */
#include "enforcement/roster.h"

#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

/* Each use looks at so many others, whether they can go: more than one, so that there are never
 * many dead ones among the living. */
enum { SWEEP = 2, INDEX_BYTES = sizeof(uint16_t), KEY_MAX = INDEX_BYTES + SCOPE_VALUE_MAX };

/* One rate, and whose of it. Its key stands behind it. */
struct seat {
    struct map_entry entry;
    struct link link;        /* of all */
    struct gcra gcra;
    mono_ms free_at;         /* from then on as if it were new */
    uint32_t inside;         /* RATE_CONCURRENT: calls that are not over */
    uint32_t passes;         /* that point here */
    size_t size;             /* bytes of its memory */
};

struct claim {
    struct seat *seat;
    const struct rate *rate;
};

struct roster_pass {
    const struct rate *denied_by;
    uint64_t wait_ms;
    uint64_t charged; /* tokens */
    uint64_t used;
    uint8_t count;
    bool has_key;
    struct claim claims[];
};

struct roster {
    struct map map;
    struct link all;
    struct link *hand; /* where the next look for dead ones begins */
    size_t passes;
};

struct roster *roster_new(const uint64_t seed[2])
{
    struct roster *roster = mem_take_zero(sizeof *roster);

    if (roster != NULL) {
        map_init(&roster->map, ROSTER_MAX, seed);
        list_init(&roster->all);
        roster->hand = &roster->all;
    }
    return roster;
}

size_t roster_seats(const struct roster *roster)
{
    return roster->map.count;
}

size_t roster_passes(const struct roster *roster)
{
    return roster->passes;
}

/* ---- seats ---- */

static void give_seat(struct roster *roster, struct seat *seat)
{
    if (roster->hand == &seat->link) {
        roster->hand = seat->link.next;
    }
    list_remove(&seat->link);
    map_remove(&roster->map, &seat->entry);
    mem_give(seat, seat->size);
}

void roster_free(struct roster *roster)
{
    if (roster == NULL) {
        return;
    }
    must(roster->passes == 0);
    while (!list_is_empty(&roster->all)) {
        give_seat(roster, LIST_OWNER(roster->all.next, struct seat, link));
    }
    map_fini(&roster->map);
    mem_give(roster, sizeof *roster);
}

/* It would be the same if it were made anew: also nobody is inside who has no pass. */
static bool is_dead(const struct seat *seat, mono_ms now)
{
    return seat->passes == 0 && now >= seat->free_at;
}

static void sweep(struct roster *roster, mono_ms now)
{
    for (int i = 0; i < SWEEP && !list_is_empty(&roster->all); i++) {
        struct link *at = roster->hand;

        roster->hand = at->next;
        if (at != &roster->all && is_dead(LIST_OWNER(at, struct seat, link), now)) {
            give_seat(roster, LIST_OWNER(at, struct seat, link));
        }
    }
}

static struct span key_of(const struct rate *rate, struct span value, char room[KEY_MAX])
{
    must(value.len <= SCOPE_VALUE_MAX);
    memcpy(room, &rate->index, INDEX_BYTES);
    if (value.len > 0) {
        memcpy(room + INDEX_BYTES, value.at, value.len);
    }
    return span_make(room, INDEX_BYTES + value.len);
}

/* NULL: no memory, or too many. */
static struct seat *make_seat(struct roster *roster, struct span key)
{
    size_t size = sizeof(struct seat) + key.len;
    struct seat *seat = mem_take(size);

    if (seat == NULL) {
        return NULL;
    }
    *seat = (struct seat){.size = size};
    memcpy(seat + 1, key.at, key.len);
    if (map_add(&roster->map, &seat->entry, span_make((const char *)(seat + 1), key.len)) !=
        ERR_NONE) {
        mem_give(seat, size);
        return NULL;
    }
    list_push_back(&roster->all, &seat->link);
    return seat;
}

static struct seat *take_seat(struct roster *roster, const struct rate *rate, struct span value)
{
    char room[KEY_MAX];
    struct span key = key_of(rate, value, room);
    struct map_entry *entry = map_find(&roster->map, key);

    return entry != NULL ? LIST_OWNER(entry, struct seat, entry) : make_seat(roster, key);
}

/* ---- asking ---- */

/* False: one of them has no seat, or there are too many. */
static bool find_claims(struct roster *roster, const struct roster_ask *ask,
                        struct claim claims[ROSTER_CLAIMS_MAX], uint8_t *count)
{
    for (size_t i = 0; i < ask->rates->count; i++) {
        const struct rate *rate = &ask->rates->list[i];
        struct scope_room own;
        struct span value;
        size_t at = 0;

        while (scope_next(&rate->scope, ask->subject, &at, &value)) {
            struct span whose = scope_own(rate->scope.kind, ask->subject, value, &own);
            struct seat *seat =
                *count < ROSTER_CLAIMS_MAX ? take_seat(roster, rate, whose) : NULL;

            if (seat == NULL) {
                return false;
            }
            claims[(*count)++] = (struct claim){.seat = seat, .rate = rate};
        }
    }
    return true;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* 0: it may come now; else after how many milliseconds. */
static uint64_t wait_of(const struct claim *claim, const struct roster_ask *ask)
{
    const struct rate *rate = claim->rate;

    if (rate->unit == RATE_CONCURRENT) {
        return claim->seat->inside < rate->limit ? 0 : ROSTER_WAIT_CONCURRENT_MS;
    }
    return gcra_ask(&claim->seat->gcra, &rate->rule, ask->now,
                    rate->unit == RATE_REQUESTS ? 1 : least(ask->tokens, rate->rule.burst));
}

static void take(const struct claim *claim, uint64_t amount, mono_ms now)
{
    struct seat *seat = claim->seat;

    gcra_take(&seat->gcra, &claim->rate->rule, now, amount);
    seat->free_at = mono_add(now, gcra_reset_ms(&seat->gcra, &claim->rate->rule, now));
}

static void enter(const struct claim *claim, const struct roster_ask *ask)
{
    switch (claim->rate->unit) {
    case RATE_REQUESTS: take(claim, 1, ask->now); break;
    case RATE_TOKENS: take(claim, ask->tokens, ask->now); break;
    case RATE_CONCURRENT: claim->seat->inside++; break;
    case RATE_UNITS: UNREACHABLE();
    }
}

/* All of them, or none. */
static void judge(struct roster_pass *pass, const struct roster_ask *ask)
{
    for (uint8_t i = 0; i < pass->count; i++) {
        uint64_t wait_ms = wait_of(&pass->claims[i], ask);

        if (wait_ms > pass->wait_ms) {
            pass->wait_ms = wait_ms;
            pass->denied_by = pass->claims[i].rate;
        }
    }
    for (uint8_t i = 0; !ask->is_trial && pass->denied_by == NULL && i < pass->count; i++) {
        enter(&pass->claims[i], ask);
    }
}

static size_t pass_size(uint8_t count)
{
    return sizeof(struct roster_pass) + count * sizeof(struct claim);
}

static void drop(struct roster *roster, struct roster_pass *pass)
{
    for (uint8_t i = 0; i < pass->count; i++) {
        pass->claims[i].seat->passes--;
    }
    must(roster->passes > 0);
    roster->passes--;
    mem_give(pass, pass_size(pass->count));
}

enum roster_verdict roster_ask(struct roster *roster, const struct roster_ask *ask,
                               struct roster_pass **pass)
{
    struct claim claims[ROSTER_CLAIMS_MAX];
    uint8_t count = 0;

    *pass = NULL;
    sweep(roster, ask->now);
    if (!find_claims(roster, ask, claims, &count)) {
        return ROSTER_FULL;
    }
    if (count == 0) {
        return ROSTER_FREE;
    }
    *pass = mem_take(pass_size(count));
    if (*pass == NULL) {
        return ROSTER_FULL;
    }
    **pass = (struct roster_pass){.charged = ask->tokens,
                                  .count = count,
                                  .has_key = ask->subject->values[SCOPE_KEY].len > 0};
    memcpy((*pass)->claims, claims, count * sizeof *claims);
    for (uint8_t i = 0; i < count; i++) {
        claims[i].seat->passes++;
    }
    roster->passes++;
    judge(*pass, ask);
    if (ask->is_trial && (*pass)->denied_by == NULL) {
        drop(roster, *pass);
        *pass = NULL;
        return ROSTER_PASSED;
    }
    return (*pass)->denied_by == NULL ? ROSTER_PASSED : ROSTER_DENIED;
}

const struct rate *roster_denied(const struct roster_pass *pass)
{
    return pass->denied_by;
}

uint64_t roster_wait_ms(const struct roster_pass *pass)
{
    return pass->wait_ms;
}

/* ---- the end ---- */

void roster_used(struct roster_pass *pass, uint64_t tokens)
{
    pass->used = least(pass->used, ROSTER_TOKENS_MAX) + least(tokens, ROSTER_TOKENS_MAX);
}

static void correct(const struct claim *claim, const struct roster_pass *pass, mono_ms now)
{
    if (pass->used > pass->charged) {
        take(claim, pass->used - pass->charged, now);
        return;
    }
    gcra_refund(&claim->seat->gcra, &claim->rate->rule, now, pass->charged - pass->used);
    take(claim, 0, now); /* it is free earlier now */
}

static void leave(const struct claim *claim, const struct roster_pass *pass, mono_ms now)
{
    if (pass->denied_by != NULL) {
        return;
    }
    switch (claim->rate->unit) {
    case RATE_REQUESTS: break;
    case RATE_TOKENS: correct(claim, pass, now); break;
    case RATE_CONCURRENT:
        must(claim->seat->inside > 0);
        claim->seat->inside--;
        break;
    case RATE_UNITS: UNREACHABLE();
    }
}

void roster_leave(struct roster *roster, struct roster_pass *pass, mono_ms now)
{
    for (uint8_t i = 0; i < pass->count; i++) {
        leave(&pass->claims[i], pass, now);
    }
    drop(roster, pass);
}

/* ---- telling ---- */

bool roster_figures(const struct roster_pass *pass, enum rate_unit unit, mono_ms now,
                    struct rate_figures *figures)
{
    bool has_any = false;

    for (uint8_t i = 0; i < pass->count; i++) {
        const struct rate *rate = pass->claims[i].rate;
        const struct gcra *gcra = &pass->claims[i].seat->gcra;
        uint64_t remaining = 0;

        if (rate->unit != unit || (pass->has_key && scope_is_shared(rate->scope.kind))) {
            continue;
        }
        remaining = gcra_remaining(gcra, &rate->rule, now);
        if (!has_any || remaining < figures->remaining) {
            has_any = true;
            *figures = (struct rate_figures){.limit = rate->limit,
                                             .remaining = remaining,
                                             .reset_ms = gcra_reset_ms(gcra, &rate->rule, now)};
        }
    }
    return has_any;
}

/* NULL: nobody sits there, so all is free. */
static struct rate_figures look(const struct seat *seat, const struct rate *rate, mono_ms now)
{
    static const struct seat nobody;

    if (seat == NULL) {
        seat = &nobody;
    }
    if (rate->unit == RATE_CONCURRENT) {
        return (struct rate_figures){
            .limit = rate->limit,
            .remaining = seat->inside < rate->limit ? rate->limit - seat->inside : 0};
    }
    return (struct rate_figures){.limit = rate->limit,
                                 .remaining = gcra_remaining(&seat->gcra, &rate->rule, now),
                                 .reset_ms = gcra_reset_ms(&seat->gcra, &rate->rule, now)};
}

size_t roster_look(const struct roster *roster, const struct rates *rates,
                   const struct subject *subject, mono_ms now,
                   struct rate_sight sights[ROSTER_CLAIMS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < rates->count; i++) {
        const struct rate *rate = &rates->list[i];
        struct span value = {NULL, 0};
        size_t at = 0;

        while (count < ROSTER_CLAIMS_MAX && scope_next(&rate->scope, subject, &at, &value)) {
            char room[KEY_MAX];
            struct scope_room own;
            struct span whose = scope_own(rate->scope.kind, subject, value, &own);
            struct map_entry *entry = map_find(&roster->map, key_of(rate, whose, room));
            struct seat *seat = entry == NULL ? NULL : LIST_OWNER(entry, struct seat, entry);

            sights[count++] = (struct rate_sight){
                .rate = rate, .value = value, .figures = look(seat, rate, now)};
        }
    }
    return count;
}
