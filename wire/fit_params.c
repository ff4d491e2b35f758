/* SPDX-License-Identifier: Apache-2.0 */
/* How the answer is drawn, and what else is said about the request (translation.md 6). */
#include "wire/fit_parts.h"

#include "wire/json_walk.h"

/* ---- numbers ---- */

/* The place of the first digit that is not 0, seen from the point: 1 for 5, 2 for 50, 0 for 0.5; and what stands
 * there. No digit but 0: leading is '0'. */
struct number {
    int64_t order;
    char leading;
    bool is_negative;
    bool has_more; /* further digits that are not 0 */
};

enum { ORDER_MAX = 1000000 };

static int64_t exponent(struct span digits)
{
    bool is_negative = digits.len > 0 && *digits.at == '-';
    int64_t value = 0;

    for (size_t i = 0; i < digits.len && value < ORDER_MAX; i++) {
        if (digits.at[i] >= '0' && digits.at[i] <= '9') {
            value = value * 10 + (digits.at[i] - '0');
        }
    }
    return is_negative ? -value : value;
}

static struct number number_of(struct span text)
{
    struct number number = {.leading = '0', .is_negative = text.len > 0 && *text.at == '-'};
    bool is_whole = true; /* in front of the point */

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == 'e' || c == 'E') {
            number.order += exponent(span_from(text, i + 1));
            break;
        }
        is_whole = is_whole && c != '.';
        if (c < '0' || c > '9') {
            continue;
        }
        if (number.leading != '0') {
            number.has_more = number.has_more || c != '0';
            number.order += is_whole;
        } else if (c != '0') {
            number.leading = c;
            number.order += is_whole;
        } else if (!is_whole) {
            number.order--;
        }
    }
    return number;
}

bool fit_is_zero(struct span number)
{
    return number_of(number).leading == '0';
}

bool fit_is_one(struct span text)
{
    struct number number = number_of(text);

    return !number.is_negative && number.leading == '1' && number.order == 1 && !number.has_more;
}

bool fit_is_above_one(struct span text)
{
    struct number number = number_of(text);

    return !number.is_negative && number.leading != '0' && number.order >= 1 && !fit_is_one(text);
}

/* ---- drawing ---- */

static void sampled(struct fit *fit, enum feature feature, struct span *value, bool is_lost)
{
    /* Neither says more than the default does: nothing is lost with it. */
    bool says_nothing = is_lost && feature != FEATURE_TOP_K && fit_is_one(*value);

    if (value->len > 0 && (says_nothing || !fit_keeps(fit, feature, is_lost))) {
        *value = span_make(NULL, 0);
    }
}

static bool samples(const struct fit *fit)
{
    switch ((enum model_sampling)fit->model->sampling) {
    case MODEL_SAMPLES: break;
    case MODEL_SAMPLES_WITHOUT_EFFORT: return fit->chat->params.effort == CHAT_EFFORT_NONE;
    case MODEL_NEVER_SAMPLES: return false;
    }
    /* Older Claude models draw at 1 while they think. */
    return !fit_is_anthropic(fit->to) || !fit->is_thinking;
}

static void sampling(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;
    bool is_lost = !samples(fit);

    sampled(fit, FEATURE_TEMPERATURE, &params->temperature, is_lost);
    /* Claude 4 refuses the two together. */
    sampled(fit, FEATURE_TOP_P, &params->top_p,
            is_lost || (fit_cannot(fit, MODEL_ONE_DRAW) && params->temperature.len > 0));
    sampled(fit, FEATURE_TOP_K, &params->top_k, is_lost || fit_cannot(fit, MODEL_NO_TOP_K));
    if (fit_is_anthropic(fit->to) && fit_is_above_one(params->temperature)) {
        fit_change(fit, FEATURE_TEMPERATURE);
        params->temperature = SPAN_OF("1");
    }
}

static void penalty(struct fit *fit, enum feature feature, struct span *value)
{
    bool is_lost = fit_cannot(fit, MODEL_NO_PENALTIES);
    bool says_nothing = (is_lost || fit_mark(fit, feature) != CHAT_CARRIED) && fit_is_zero(*value);

    if (value->len > 0 && (says_nothing || !fit_keeps(fit, feature, is_lost))) {
        *value = span_make(NULL, 0);
    }
}

/* Claude refuses strings of white space; it would stop at the first blank, which nobody can mean. */
static void stop_blanks(struct fit *fit, struct chat_words *stop)
{
    struct chat_words kept = {0};

    for (struct chat_word *word = stop->first; word != NULL; word = word->next) {
        if (chat_is_blank(word->text)) {
            chat_drop(fit->chat, fit_name(fit, FEATURE_STOP));
            continue;
        }
        *(kept.last == NULL ? &kept.first : &kept.last->next) = word;
        kept.last = word;
        kept.count++;
    }
    if (kept.last != NULL) {
        kept.last->next = NULL;
    }
    *stop = kept;
}

static void stop(struct fit *fit)
{
    enum { CHAT_STOPS_MAX = 4, GENERATE_STOPS_MAX = 5 };
    struct chat_words *stop = &fit->chat->params.stop;

    if (stop->first == NULL) {
        return;
    }
    if (!fit_keeps(fit, FEATURE_STOP, fit_cannot(fit, MODEL_NO_STOP))) {
        *stop = (struct chat_words){0};
    } else if (fit_is_anthropic(fit->to)) {
        stop_blanks(fit, stop);
    } else if (fit->to == FIT_CHAT && stop->count > CHAT_STOPS_MAX) {
        fit_refuse(fit, FEATURE_STOP, "The target takes four stop strings at most");
    } else if (stop->count > GENERATE_STOPS_MAX) {
        fit_refuse(fit, FEATURE_STOP, "The target takes five stop strings at most");
    }
}

/* ---- about the request ---- */

static void span_param(struct fit *fit, enum feature feature, struct span *value, bool is_lost)
{
    if (value->len > 0 && !fit_keeps(fit, feature, is_lost)) {
        *value = span_make(NULL, 0);
    }
}

/* What the target would do by itself. */
static bool is_usual_tier(struct span tier)
{
    static const char *const usual[] = {"auto", "default", "standard", "standard_only", "on_demand",
                                        "service_tier_unspecified"};

    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (span_equal_nocase(chat_inside(tier), span_of(usual[i]))) {
            return true;
        }
    }
    return false;
}

static void tier(struct fit *fit)
{
    struct span *tier = &fit->chat->params.tier;
    bool is_lost = !fit_is_openai(fit->from) || fit_has_habit(fit, HABIT_NO_TIER);

    if (fit_mark(fit, FEATURE_TIER) == CHAT_CARRIED && !is_lost) {
        return;
    }
    if (tier->len > 0 && !is_usual_tier(*tier)) {
        (void)fit_keeps(fit, FEATURE_TIER, is_lost);
    }
    *tier = span_make(NULL, 0);
}

static void store(struct fit *fit)
{
    struct span *store = &fit->chat->params.store;
    bool is_lost = fit_has_habit(fit, HABIT_NO_METADATA);
    bool says_nothing = !span_equal(*store, SPAN_OF("true"));

    if (fit_mark(fit, FEATURE_STORE) != CHAT_CARRIED || is_lost) {
        if (!says_nothing) {
            (void)fit_keeps(fit, FEATURE_STORE, is_lost);
        }
        *store = span_make(NULL, 0);
    } else if (fit->to == FIT_RESPONSES && fit->from != FIT_RESPONSES && store->len == 0) {
        *store = SPAN_OF("false"); /* Responses keep answers unless they are told not to (openai.md 7) */
    }
}

static void about(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;
    bool has_no_metadata = fit_has_habit(fit, HABIT_NO_METADATA);

    span_param(fit, FEATURE_VERBOSITY, &params->verbosity, fit_has_habit(fit, HABIT_NO_VERBOSITY));
    span_param(fit, FEATURE_USER, &params->user, fit_has_habit(fit, HABIT_NO_USER));
    span_param(fit, FEATURE_METADATA, &params->metadata, has_no_metadata);
    span_param(fit, FEATURE_CACHE_KEY, &params->cache_key, has_no_metadata);
    span_param(fit, FEATURE_SAFETY, &params->safety, false);
    tier(fit);
    store(fit);
    if (params->wants_cache) {
        params->wants_cache = fit_keeps(fit, FEATURE_CACHE_WHOLE,
                                        fit->to == FIT_CONVERSE && fit_cannot(fit, MODEL_NO_CACHE_MARKS));
    }
}

void fit_params(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;

    if (params->answers > 1) {
        (void)fit_keeps(fit, FEATURE_ANSWERS, fit_has_habit(fit, HABIT_ONE_ANSWER));
    }
    span_param(fit, FEATURE_LOGPROBS, &params->top_logprobs, fit_has_habit(fit, HABIT_NO_LOGPROBS));
    span_param(fit, FEATURE_LOGIT_BIAS, &params->logit_bias, fit_has_habit(fit, HABIT_NO_BIAS));
    sampling(fit);
    span_param(fit, FEATURE_SEED, &params->seed, false);
    penalty(fit, FEATURE_FREQUENCY_PENALTY, &params->frequency_penalty);
    penalty(fit, FEATURE_PRESENCE_PENALTY, &params->presence_penalty);
    stop(fit);
    about(fit);
}
