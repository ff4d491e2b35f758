/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of features: a table (features.def), and the order in which the themes are gone through. */
#include "wire/fit_parts.h"

#include <string.h>

#include "base/must.h"
#include "wire/dialect.h"

static const struct {
    const char *names[FIT_GENERATE + 1]; /* by the app's grammar */
    unsigned char marks[FIT_GENERATE + 1]; /* by the target's */
    unsigned char otherwise;
    const char *why;
} rows[] = {
#define FEATURE(name, chat, responses, messages, generate, to_chat, to_responses, to_messages, to_generate, otherwise, \
                why)                                                                                                   \
    {{chat, responses, messages, generate},                                                                            \
     {CHAT_##to_chat, CHAT_##to_responses, CHAT_##to_messages, CHAT_##to_generate},                                    \
     CHAT_##otherwise,                                                                                                 \
     why},
#define FEATURE_CONVERSE(name, mark)
#include "wire/features.def"
#undef FEATURE
#undef FEATURE_CONVERSE
};

/* Where Converse is not like Messages. */
static const struct {
    enum feature feature;
    enum chat_mark mark;
} converse_rows[] = {
#define FEATURE(...)
#define FEATURE_CONVERSE(name, mark) {FEATURE_##name, CHAT_##mark},
#include "wire/features.def"
#undef FEATURE
#undef FEATURE_CONVERSE
};

static enum chat_mark converse_mark(enum feature feature)
{
    for (size_t i = 0; i < ARRAY_LENGTH(converse_rows); i++) {
        if (converse_rows[i].feature == feature) {
            return converse_rows[i].mark;
        }
    }
    return (enum chat_mark)rows[feature].marks[FIT_MESSAGES];
}

enum chat_mark fit_mark(const struct fit *fit, enum feature feature)
{
    return fit->to == FIT_CONVERSE ? converse_mark(feature) : (enum chat_mark)rows[feature].marks[fit->to];
}

const char *fit_name(const struct fit *fit, enum feature feature)
{
    bool is_old = feature == FEATURE_CAP && fit->chat->params.is_old_cap;

    return rows[feature].names[is_old ? FIT_MESSAGES : fit->from]; /* OpenAI's old word is Anthropic's, too */
}

bool fit_keeps(struct fit *fit, enum feature feature, bool is_lost)
{
    enum chat_mark mark = fit_mark(fit, feature);

    if (mark == CHAT_CARRIED && is_lost) {
        mark = (enum chat_mark)rows[feature].otherwise;
    }
    switch (mark) {
    case CHAT_CARRIED: return true;
    case CHAT_QUIET: break;
    case CHAT_NAMED: chat_drop(fit->chat, fit_name(fit, feature)); break;
    case CHAT_REFUSED: fit_refuse(fit, feature, NULL); break;
    }
    return false;
}

void fit_change(struct fit *fit, enum feature feature)
{
    chat_change(fit->chat, fit_name(fit, feature));
}

void fit_refuse_one(struct fit *fit, enum feature feature, const char *why, struct span which)
{
    chat_refuse_one(fit->chat, fit_name(fit, feature), why == NULL ? rows[feature].why : why, which);
}

void fit_refuse(struct fit *fit, enum feature feature, const char *why)
{
    fit_refuse_one(fit, feature, why, span_make(NULL, 0));
}

bool fit_cannot(const struct fit *fit, enum model_cannot what)
{
    return (fit->model->cannot & (unsigned)what) != 0;
}

bool fit_has_habit(const struct fit *fit, enum habit habit)
{
    return (fit->habits & (unsigned)habit) != 0;
}

bool fit_is_openai(enum fit_grammar grammar)
{
    return grammar == FIT_CHAT || grammar == FIT_RESPONSES;
}

bool fit_is_anthropic(enum fit_grammar grammar)
{
    return grammar == FIT_MESSAGES || grammar == FIT_CONVERSE;
}

/* By the operation's name; Gemini has two, for whole answers and for streams. */
static enum fit_grammar grammar_of(const struct operation *operation)
{
    static const struct {
        const char *name;
        enum fit_grammar grammar;
    } known[] = {{"chat", FIT_CHAT}, {"responses", FIT_RESPONSES}, {"messages", FIT_MESSAGES},
                 {"converse", FIT_CONVERSE}};

    for (size_t i = 0; i < ARRAY_LENGTH(known); i++) {
        if (strcmp(operation->name, known[i].name) == 0) {
            return known[i].grammar;
        }
    }
    return FIT_GENERATE;
}

void fit_chat(struct chat *chat, const struct fit_terms *terms)
{
    /* Later ones rest on what earlier ones have settled: no turn comes or goes behind the history, thinking
     * decides over sampling and over forced calls. */
    static void (*const themes[])(struct fit *) = {fit_thinking, fit_params, fit_tools, fit_format, fit_order,
                                                   fit_history,  fit_media,  fit_cache, fit_ids};
    struct fit fit = {.chat = chat,
                      .terms = terms,
                      .model = chat->target->model,
                      .habits = chat->target->habits,
                      .from = grammar_of(terms->from),
                      .to = grammar_of(chat->target->operation)};

    if (fit.to == FIT_CHAT && fit_cannot(&fit, MODEL_NO_CHAT)) {
        chat_refuse(chat, "model", "The model is served by Responses alone");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(themes) && !chat_is_refused(chat) && !chat->arena->failed; i++) {
        themes[i](&fit);
    }
}
