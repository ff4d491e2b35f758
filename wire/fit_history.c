/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of tools and what they said (translation.md 3): every call has its result in the next turn, first and in the
 * order of the calls; no result is without its call. All vendors answer 400 to anything else. */
#include "wire/fit_parts.h"

/* Where the call of this id stands among those of a turn; `count`: nowhere. A turn has few calls (CHAT_CALLS_MAX). */
static size_t place_of(struct span id, const struct chat_part *const *calls, size_t count)
{
    size_t i = 0;

    while (i < count && !span_equal(calls[i]->id, id)) {
        i++;
    }
    return i;
}

/* The calls of a turn; false: there are too many, or two of them have one id. */
static bool calls_of(struct fit *fit, const struct chat_turn *turn, const struct chat_part **calls, size_t *count)
{
    for (const struct chat_part *part = turn == NULL ? NULL : turn->parts; part != NULL; part = part->next) {
        if (part->kind != CHAT_CALL) {
            continue;
        }
        if (*count == CHAT_CALLS_MAX) {
            fit_refuse(fit, FEATURE_HISTORY, "One turn has more than 128 calls of tools");
            return false;
        }
        if (place_of(part->id, calls, *count) < *count) {
            fit_refuse_one(fit, FEATURE_HISTORY, "Two calls of one turn have this id", part->id);
            return false;
        }
        calls[(*count)++] = part;
    }
    return true;
}

/* Takes the results out of a turn, each to the place of its call; false: one is stray or comes twice. */
static bool take_results(struct fit *fit, struct chat_turn *turn, const struct chat_part *const *calls,
                         size_t count, struct chat_part **results)
{
    struct chat_part **at = turn == NULL ? NULL : &turn->parts;
    struct chat_part *last = NULL;

    while (at != NULL && *at != NULL) {
        struct chat_part *part = *at;
        size_t place = count;

        if (part->kind != CHAT_RESULT) {
            last = part;
            at = &part->next;
            continue;
        }
        place = place_of(part->id, calls, count);
        if (place == count || results[place] != NULL) {
            fit_refuse_one(fit, FEATURE_HISTORY,
                           place == count ? "The turn before has no call of this id" : "The call of this id has two results",
                           part->id);
            return false;
        }
        results[place] = part;
        *at = part->next;
    }
    if (turn != NULL) {
        turn->last = last;
    }
    return true;
}

/* And puts them in front. */
static void put_results(struct chat_turn *turn, struct chat_part *const *results, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        results[i - 1]->next = turn->parts;
        turn->parts = results[i - 1];
        turn->last = turn->last == NULL ? results[i - 1] : turn->last;
    }
}

/* A turn and the one in front of it, which may hold calls; false: they do not belong together. */
static bool answers(struct fit *fit, const struct chat_turn *before, struct chat_turn *turn)
{
    const struct chat_part *calls[CHAT_CALLS_MAX];
    struct chat_part *results[CHAT_CALLS_MAX];
    size_t count = 0;

    if (!calls_of(fit, before, calls, &count)) {
        return false;
    }
    memset(results, 0, count * sizeof *results);
    if (!take_results(fit, turn, calls, count, results)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (results[i] == NULL) {
            fit_refuse_one(fit, FEATURE_HISTORY, "The call of this id has no result in the next turn", calls[i]->id);
            return false;
        }
    }
    if (count > 0) {
        put_results(turn, results, count);
    }
    return true;
}

void fit_history(struct fit *fit)
{
    struct chat_turn *before = NULL;
    struct chat_turn *turn = fit->chat->turns;

    while ((turn != NULL || before != NULL) && answers(fit, before, turn)) {
        before = turn;
        turn = turn == NULL ? NULL : turn->next;
    }
}
