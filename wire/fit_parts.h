/* SPDX-License-Identifier: Apache-2.0 */
/* wire/fit_parts.h: what the files fit*.c share. Nobody else includes this. */
#ifndef WIRE_FIT_PARTS_H
#define WIRE_FIT_PARTS_H

#include "wire/fit.h"
#include "wire/habits.h"
#include "wire/models.h"

/* The grammars that conversations are told in. Converse is a target's alone: no app speaks it. */
enum fit_grammar { FIT_CHAT, FIT_RESPONSES, FIT_MESSAGES, FIT_GENERATE, FIT_CONVERSE };

enum feature {
#define FEATURE(name, chat, responses, messages, generate, to_chat, to_responses, to_messages, to_generate, otherwise, \
                why)                                                                                                   \
    FEATURE_##name,
#define FEATURE_CONVERSE(name, mark)
#include "wire/features.def"
#undef FEATURE
#undef FEATURE_CONVERSE
};

struct fit {
    struct chat *chat;
    const struct fit_terms *terms;
    const struct model_facts *model;
    unsigned habits;
    enum fit_grammar from;
    enum fit_grammar to;
    bool is_thinking; /* the target will think, since it is asked to (fit_thinking) */
};

/* ---- features ---- */

enum chat_mark fit_mark(const struct fit *fit, enum feature feature);
/* As the app's dialect spells it. */
const char *fit_name(const struct fit *fit, enum feature feature);
/* Whether the target's grammar has it and nothing `is_lost` at this provider and model. If not, it is told by its mark:
 * the caller takes it away. */
bool fit_keeps(struct fit *fit, enum feature feature, bool is_lost);
void fit_change(struct fit *fit, enum feature feature);
/* With the row's reason, or another one. */
void fit_refuse(struct fit *fit, enum feature feature, const char *why);
void fit_refuse_one(struct fit *fit, enum feature feature, const char *why, struct span which);

bool fit_cannot(const struct fit *fit, enum model_cannot what);
bool fit_has_habit(const struct fit *fit, enum habit habit);
/* OpenAI's two grammars have one vocabulary. */
bool fit_is_openai(enum fit_grammar grammar);
/* So have Anthropic's own and Converse, in other words: what the one is strict about the other is, too. */
bool fit_is_anthropic(enum fit_grammar grammar);

/* ---- the themes, in the order in which they are called ---- */

void fit_order(struct fit *fit);    /* fit_order.c: turns, and texts among them */
void fit_history(struct fit *fit);  /* fit_history.c: calls and their results */
void fit_media(struct fit *fit);    /* fit_media.c */
void fit_tools(struct fit *fit);    /* fit_tools.c: tools and who chooses */
void fit_thinking(struct fit *fit); /* fit_thinking.c: cap, effort, budget */
void fit_params(struct fit *fit);   /* fit_params.c: all others */
void fit_format(struct fit *fit);   /* fit_format.c: structured output */
void fit_cache(struct fit *fit);    /* fit_cache.c: where prompt caches end */
void fit_ids(struct fit *fit);      /* fit_ids.c: ids of calls, the user */

/* A schema that answers or calls are held to, as Claude takes it (fit_schema.c). What is lost is told by `feature`. */
struct span fit_schema(struct fit *fit, enum feature feature, struct span schema);

/* ---- numbers as JSON has them ---- */

bool fit_is_zero(struct span number);
bool fit_is_one(struct span number);
bool fit_is_above_one(struct span number);

#endif
