/* SPDX-License-Identifier: Apache-2.0 */
/* Where prompt caches end (translation.md 4): marks of the app, on parts and on tools. Anthropic takes four of them,
 * OpenAI as many, on what the user says alone. */
#include "wire/fit_parts.h"

enum { MARKS_MAX = 4 };

static bool keeps(const struct fit *fit, const struct chat_turn *turn, const struct chat_part *part)
{
    if (fit_mark(fit, FEATURE_CACHE_MARKS) != CHAT_CARRIED || fit_cannot(fit, MODEL_NO_CACHE_MARKS)) {
        return false;
    }
    return fit_is_anthropic(fit->to) || (turn->role == CHAT_USER && part->kind != CHAT_RESULT);
}

/* One mark: counted, or dropped. */
static void mark(enum chat_cache *cache, bool stays, size_t *count)
{
    if (*cache == CHAT_CACHE_NONE) {
        return;
    }
    if (!stays) {
        *cache = CHAT_CACHE_NONE;
        return;
    }
    (*count)++;
}

/* The first ones go: what a later mark covers they cover too. */
static void thin(struct chat_part *part, size_t *surplus)
{
    for (; part != NULL && *surplus > 0; part = part->next) {
        if (part->cache != CHAT_CACHE_NONE) {
            part->cache = CHAT_CACHE_NONE;
            (*surplus)--;
        }
        for (struct chat_part *in = part->inner; in != NULL && *surplus > 0; in = in->next) {
            if (in->cache != CHAT_CACHE_NONE) {
                in->cache = CHAT_CACHE_NONE;
                (*surplus)--;
            }
        }
    }
}

static void thin_out(struct fit *fit, size_t count)
{
    size_t surplus = count > MARKS_MAX ? count - MARKS_MAX : 0;

    for (struct chat_tool *tool = fit->chat->tools; tool != NULL && surplus > 0; tool = tool->next) {
        if (tool->cache != CHAT_CACHE_NONE) {
            tool->cache = CHAT_CACHE_NONE;
            surplus--;
        }
    }
    for (struct chat_turn *turn = fit->chat->turns; turn != NULL && surplus > 0; turn = turn->next) {
        thin(turn->parts, &surplus);
    }
}

void fit_cache(struct fit *fit)
{
    bool is_anthropic = fit->to == FIT_MESSAGES || (fit->to == FIT_CONVERSE && !fit_cannot(fit, MODEL_NO_CACHE_MARKS));
    size_t count = fit->chat->params.wants_cache ? 1 : 0;

    for (struct chat_tool *tool = fit->chat->tools; tool != NULL; tool = tool->next) {
        mark(&tool->cache, is_anthropic, &count);
    }
    for (struct chat_turn *turn = fit->chat->turns; turn != NULL; turn = turn->next) {
        for (struct chat_part *part = turn->parts; part != NULL; part = part->next) {
            mark(&part->cache, keeps(fit, turn, part), &count);
            for (struct chat_part *in = part->inner; in != NULL; in = in->next) {
                mark(&in->cache, is_anthropic, &count);
            }
        }
    }
    thin_out(fit, count);
}
