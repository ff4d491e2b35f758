/* SPDX-License-Identifier: Apache-2.0 */
/* How long the answer may be and how much of it is thought (translation.md 6, 7): an effort where the model knows
 * efforts, a budget where it knows budgets. All targets count thinking into the cap. */
#include "wire/fit_parts.h"

enum { RESPONSES_LEAST = 16 }; /* tokens that an answer must be allowed */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool thinks(const struct fit *fit, enum model_thinking how)
{
    return (fit->model->thinking & (unsigned)how) != 0;
}

/* ---- the cap ---- */

/* Where one is written that the app did not name. */
static int64_t own_cap(const struct fit *fit)
{
    int64_t wanted = fit->terms->default_cap;

    return wanted > 0 ? least(wanted, fit->model->output_max) : fit->model->output_max;
}

static void cap(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;
    int64_t output_max = fit->model->output_max;

    if (params->cap < 0) {
        /* Anthropic alone must be told one (anthropic.md 13). */
        params->cap = fit->to == FIT_MESSAGES ? own_cap(fit) : -1;
    } else if (params->cap == 0) {
        fit_refuse(fit, FEATURE_CAP, "A cap of 0 asks for no answer");
    } else if (params->cap > output_max && fit->model->is_known) {
        fit_change(fit, FEATURE_CAP);
        params->cap = output_max;
    } else if (fit->to == FIT_RESPONSES && params->cap < RESPONSES_LEAST) {
        fit_change(fit, FEATURE_CAP); /* a lower one is refused with 400 */
        params->cap = RESPONSES_LEAST;
    }
}

/* ---- efforts ---- */

/* The nearest one that the model knows: the next lower one, then the next higher one. To think little is not to
 * think not at all, so NONE is nobody's lower one. The model knows one at least. */
static enum chat_effort nearest(unsigned efforts, enum chat_effort wanted)
{
    for (unsigned i = wanted; i > CHAT_EFFORT_NONE; i--) {
        if ((efforts & 1u << i) != 0) {
            return (enum chat_effort)i;
        }
    }
    for (unsigned i = wanted; i <= CHAT_EFFORT_MAX; i++) {
        if ((efforts & 1u << i) != 0) {
            return (enum chat_effort)i;
        }
    }
    return CHAT_EFFORT_UNSAID;
}

static void take_effort(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;
    enum chat_effort wanted = params->effort;

    if (wanted == CHAT_EFFORT_UNSAID) {
        return;
    }
    params->effort = nearest(fit->model->efforts, wanted);
    /* The lowest is still some, and Gemini's highest stands for three: told. Elsewhere the names are near
     * enough. */
    if (params->effort != wanted && (wanted == CHAT_EFFORT_NONE ||
                                     (fit->to == FIT_GENERATE && wanted > CHAT_EFFORT_HIGH))) {
        fit_change(fit, FEATURE_EFFORT);
    }
}

static void lose_effort(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;

    if (params->effort > CHAT_EFFORT_NONE) {
        (void)fit_keeps(fit, FEATURE_EFFORT, true);
    }
    params->effort = CHAT_EFFORT_UNSAID;
    params->thinking_budget = -1;
}

/* ---- budgets ---- */

static int64_t percent_of(enum chat_effort effort)
{
    static const unsigned char percent[] = {
        [CHAT_EFFORT_MINIMAL] = 2, [CHAT_EFFORT_LOW] = 10,   [CHAT_EFFORT_MEDIUM] = 30,
        [CHAT_EFFORT_HIGH] = 60,   [CHAT_EFFORT_XHIGH] = 90, [CHAT_EFFORT_MAX] = 95,
    };

    return percent[effort];
}

/* The tokens that an effort stands for, of `room` in all. */
static int64_t share_of(const struct fit *fit, enum chat_effort effort, int64_t room)
{
    if (fit->to == FIT_GENERATE && effort >= CHAT_EFFORT_XHIGH) {
        return fit->model->budget_max;
    }
    if (fit_is_anthropic(fit->to) && effort == CHAT_EFFORT_MINIMAL) {
        return fit->model->budget_min;
    }
    return room / 100 * percent_of(effort) + room % 100 * percent_of(effort) / 100;
}

/* The app's own budget, or the share of its effort; within what the model allows, and below the cap: of which it is
 * the share where that of the model's most would fill it. */
static void take_budget(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;
    int64_t output_max = fit->model->output_max;
    int64_t room = params->cap > 0 ? least(params->cap, output_max) : output_max;
    int64_t budget = params->thinking_budget;

    if (budget < 0) {
        budget = share_of(fit, params->effort, output_max);
    }
    if (budget >= room && params->effort != CHAT_EFFORT_UNSAID) {
        budget = share_of(fit, params->effort, room);
    }
    budget = least(budget, least(fit->model->budget_max, room - 1));
    params->thinking_budget = most(budget, fit->model->budget_min);
    params->effort = CHAT_EFFORT_UNSAID;
}

/* ---- towards each dialect ---- */

static void openai(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;
    bool was_said = params->effort > CHAT_EFFORT_NONE;

    params->is_thinking_adaptive = false; /* what the model does by itself */
    params->thinking_budget = -1;         /* the effort stands for it */
    if (fit->model->efforts == 0) {
        lose_effort(fit);
        return;
    }
    take_effort(fit);
    if (fit->to == FIT_CHAT && fit_cannot(fit, MODEL_NO_TOOLS_WITH_EFFORT) && fit->chat->tools != NULL) {
        if (was_said) {
            fit_change(fit, FEATURE_EFFORT);
        }
        params->effort = CHAT_EFFORT_NONE;
    }
}

static void claude_rests(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;

    params->is_thinking_adaptive = false;
    params->thinking_budget = -1;
    if (thinks(fit, MODEL_THINKS_ALWAYS)) {
        take_effort(fit);
    } else if (!thinks(fit, MODEL_THINKS_BY_DEFAULT)) {
        params->effort = CHAT_EFFORT_UNSAID; /* it does not think unless it is told to */
    }
}

static void claude_by_budget(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;

    params->is_thinking_adaptive = false;
    if (params->effort == CHAT_EFFORT_UNSAID && params->thinking_budget < 0) {
        return;
    }
    if (params->cap < 0) {
        params->cap = own_cap(fit); /* Converse: the budget is seen against one */
    }
    if (params->cap <= fit->model->budget_min) {
        lose_effort(fit); /* the budget must lie below the cap */
        return;
    }
    take_budget(fit);
    fit->is_thinking = true;
}

static void claude(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;

    if (fit->model->thinking == 0) {
        params->is_thinking_adaptive = false;
        lose_effort(fit);
    } else if (params->effort == CHAT_EFFORT_NONE) {
        claude_rests(fit);
    } else if (!thinks(fit, MODEL_THINKS_ADAPTIVE)) {
        claude_by_budget(fit);
    } else if (params->effort != CHAT_EFFORT_UNSAID || params->is_thinking_adaptive) {
        params->thinking_budget = -1;
        params->is_thinking_adaptive = true;
        take_effort(fit);
        fit->is_thinking = true;
    }
}

static void gemini(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;

    params->is_thinking_adaptive = false; /* what the model does by itself */
    if (fit->model->thinking == 0) {
        lose_effort(fit);
    } else if (thinks(fit, MODEL_THINKS_EFFORT)) {
        params->thinking_budget = -1;
        take_effort(fit);
    } else if (params->effort == CHAT_EFFORT_NONE) {
        if (thinks(fit, MODEL_THINKS_ALWAYS)) {
            fit_change(fit, FEATURE_EFFORT);
        }
        params->effort = CHAT_EFFORT_UNSAID;
        params->thinking_budget = fit->model->budget_min;
    } else if (params->effort != CHAT_EFFORT_UNSAID || params->thinking_budget >= 0) {
        take_budget(fit);
    }
}

/* Whether thoughts will be there to be shown. */
static bool has_thoughts(const struct fit *fit)
{
    if (fit_is_anthropic(fit->to)) {
        return fit->is_thinking ||
               (thinks(fit, MODEL_THINKS_BY_DEFAULT) && fit->chat->params.effort != CHAT_EFFORT_NONE);
    }
    return fit->model->thinking != 0;
}

void fit_thinking(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;

    cap(fit);
    switch (fit->to) {
    case FIT_CHAT:
    case FIT_RESPONSES: openai(fit); break;
    case FIT_MESSAGES:
    case FIT_CONVERSE: claude(fit); break;
    case FIT_GENERATE: gemini(fit); break;
    }
    if (params->shows_thinking) {
        params->shows_thinking = fit_keeps(fit, FEATURE_SUMMARIES, !has_thoughts(fit));
    }
    if (params->shows_thinking && fit_is_anthropic(fit->to) && !fit->is_thinking) {
        params->is_thinking_adaptive = thinks(fit, MODEL_THINKS_ADAPTIVE); /* its default, said to ask for words */
    }
}
