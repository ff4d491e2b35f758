/* SPDX-License-Identifier: Apache-2.0 */
/* Tools, and who chooses among them (translation.md 5). */
#include "wire/fit_parts.h"

#include "wire/json_walk.h"

/* ---- names ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

#define FORM_OF(most) most, "The target takes names of 1 to " #most " of A-Za-z0-9_-"
static const struct {
    size_t longest;
    const char *why;
} forms[] = {[FIT_CHAT] = {FORM_OF(64)},
             [FIT_RESPONSES] = {FORM_OF(64)},
             [FIT_MESSAGES] = {FORM_OF(128)},
             [FIT_GENERATE] = {FORM_OF(128) ".:, of which a letter or _ comes first"},
             [FIT_CONVERSE] = {FORM_OF(64)}};

static bool is_name(const struct fit *fit, struct span string)
{
    struct span name = chat_inside(string);
    bool is_gemini = fit->to == FIT_GENERATE;

    if (name.len == 0 || name.len > forms[fit->to].longest || (is_gemini && !is_letter(*name.at))) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '-' && !(is_gemini && (c == '.' || c == ':'))) {
            return false;
        }
    }
    return true;
}

/* Answers come with the name that the target was given, so it cannot be another one. */
static void judge_name(struct fit *fit, struct span string)
{
    if (!is_name(fit, string)) {
        fit_refuse_one(fit, FEATURE_TOOL_NAME, forms[fit->to].why, string);
    }
}

static void names(struct fit *fit)
{
    for (const struct chat_tool *tool = fit->chat->tools; tool != NULL; tool = tool->next) {
        judge_name(fit, tool->name);
    }
    for (const struct chat_turn *turn = fit->chat->turns; turn != NULL; turn = turn->next) {
        for (const struct chat_part *part = turn->parts; part != NULL; part = part->next) {
            if (part->kind == CHAT_CALL) {
                judge_name(fit, part->name);
            }
        }
    }
}

/* ---- schemas ---- */

/* {"type":"object", ...}: an object's members with the type in front. */
static struct span typed(struct chat *chat, struct span schema)
{
    struct span start = SPAN("{\"type\":\"object\",");
    char *at = arena_take(chat->arena, start.len + schema.len - 1);

    if (at == NULL) {
        return schema;
    }
    memcpy(at, start.at, start.len);
    memcpy(at + start.len, schema.at + 1, schema.len - 1);
    return span_make(at, start.len + schema.len - 1);
}

/* Anthropic wants a root of type object and no alternatives beside it. */
static void schema(struct fit *fit, struct chat_tool *tool)
{
    enum { TYPE, ANY_OF, ONE_OF, ALL_OF, NAMES };
    static const char *const names[NAMES] = {"type", "anyOf", "oneOf", "allOf"};
    struct json_walk walk = json_walk_of(tool->schema);
    struct span values[NAMES];
    struct span name;
    struct span value;

    if (!json_is_object(tool->schema) || !json_walk_member(&walk, &name, &value)) {
        tool->schema = span_make(NULL, 0); /* {} takes nothing */
        return;
    }
    json_walk_pick(tool->schema, names, NAMES, values);
    if (values[ANY_OF].len > 0 || values[ONE_OF].len > 0 || values[ALL_OF].len > 0 ||
        (values[TYPE].len > 0 && !json_is_text(values[TYPE], "object"))) {
        fit_refuse_one(fit, FEATURE_TOOL_SCHEMA, NULL, tool->name);
    } else if (values[TYPE].len == 0) {
        tool->schema = typed(fit->chat, tool->schema);
    }
}

static void strictness(struct fit *fit, struct chat_tool *tool)
{
    bool is_lost = fit_has_habit(fit, HABIT_NO_STRICT) || fit_cannot(fit, MODEL_NO_SCHEMA);

    if (fit_mark(fit, FEATURE_STRICT_TOOLS) != CHAT_CARRIED || is_lost) {
        if (tool->strict == 1) {
            (void)fit_keeps(fit, FEATURE_STRICT_TOOLS, is_lost);
        }
        tool->strict = -1;
    } else if (fit->to == FIT_RESPONSES && fit->from != FIT_RESPONSES && tool->strict < 0) {
        tool->strict = 0; /* Responses are strict unless they are told not to be */
    } else if (tool->strict == 1) {
        tool->schema = fit_schema(fit, FEATURE_TOOL_SCHEMA, tool->schema);
    }
}

/* ---- history without tools ---- */

static struct chat_tool *tool_named(const struct chat *chat, struct span name)
{
    struct chat_tool *tool = chat->tools;

    while (tool != NULL && !span_equal(tool->name, name)) {
        tool = tool->next;
    }
    return tool;
}

/* Anthropic refuses calls in the history of a request without tools: they are declared again, to be known, not to
 * be called. */
static void declare_again(struct fit *fit)
{
    enum { TOOLS_MAX = 128 }; /* as many as OpenAI takes */
    struct chat *chat = fit->chat;
    size_t count = 0;

    for (const struct chat_turn *turn = chat->turns; turn != NULL; turn = turn->next) {
        for (const struct chat_part *part = turn->parts; part != NULL; part = part->next) {
            struct chat_tool *tool = NULL;

            if (part->kind != CHAT_CALL || tool_named(chat, part->name) != NULL) {
                continue;
            }
            if (count++ == TOOLS_MAX) {
                fit_refuse(fit, FEATURE_TOOLS_AGAIN, "The history calls more than 128 tools, of which none is declared");
                return;
            }
            tool = chat_add_tool(chat);
            if (tool == NULL) {
                return;
            }
            tool->name = part->name;
        }
    }
    fit_change(fit, FEATURE_TOOLS_AGAIN);
    chat->choice = CHAT_CHOICE_NONE;
}

/* ---- choice ---- */

static bool is_among(const struct chat_words *words, struct span name)
{
    for (const struct chat_word *word = words->first; word != NULL; word = word->next) {
        if (span_equal(word->text, name)) {
            return true;
        }
    }
    return false;
}

/* Where a list of allowed tools is not known, only those are declared. */
static void choose_among(struct fit *fit)
{
    enum { ALLOWED_MAX = 128 };
    struct chat *chat = fit->chat;
    struct chat_tool *kept = NULL;

    if (chat->choice_of.count > ALLOWED_MAX) {
        fit_refuse(fit, FEATURE_CHOICE_OF, "More than 128 tools may be called");
        return;
    }
    chat->tools_last = NULL;
    for (struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next) {
        if (is_among(&chat->choice_of, tool->name)) {
            if (kept == NULL) {
                kept = tool;
            } else {
                chat->tools_last->next = tool;
            }
            chat->tools_last = tool;
        }
    }
    if (kept == NULL) {
        fit_refuse(fit, FEATURE_CHOICE_OF, NULL);
        return;
    }
    chat->tools_last->next = NULL;
    chat->tools = kept;
    chat->choice_of = (struct chat_words){0};
}

/* Converse has no word for it. Without tools none is called; where the history holds calls they must be declared, and
 * the model is left to know that they are over. */
static void choose_none(struct fit *fit)
{
    struct chat *chat = fit->chat;

    if (chat_has(chat, CHAT_CALL) || chat_has(chat, CHAT_RESULT)) {
        fit_change(fit, FEATURE_CHOICE);
        chat->choice = CHAT_CHOICE_AUTO;
        return;
    }
    chat->tools = NULL;
    chat->tools_last = NULL;
    chat->choice = CHAT_CHOICE_UNSAID;
}

static void choice(struct fit *fit)
{
    struct chat *chat = fit->chat;
    bool is_forced = chat->choice == CHAT_CHOICE_ANY || chat->choice == CHAT_CHOICE_ONE;
    /* Claude models that draw cannot be forced while they think. */
    bool is_lost = fit_cannot(fit, MODEL_NO_FORCED_CHOICE) ||
                   (fit->is_thinking && fit->model->sampling == MODEL_SAMPLES);

    if (chat->choice_of.first != NULL && (fit_is_anthropic(fit->to) || fit_has_habit(fit, HABIT_SYSTEM_ROLE))) {
        choose_among(fit);
    }
    if (is_forced && is_lost) {
        fit_change(fit, FEATURE_CHOICE);
        chat->choice = CHAT_CHOICE_AUTO;
        chat->choice_name = span_make(NULL, 0);
    }
    if (chat->choice == CHAT_CHOICE_NONE && fit->to == FIT_CONVERSE) {
        choose_none(fit);
    }
}

static void parallel(struct fit *fit)
{
    struct chat *chat = fit->chat;
    bool is_lost = fit_has_habit(fit, HABIT_NO_PARALLEL);

    if (fit_mark(fit, FEATURE_PARALLEL) != CHAT_CARRIED || is_lost) {
        if (chat->parallel == 0) {
            (void)fit_keeps(fit, FEATURE_PARALLEL, is_lost);
        }
        chat->parallel = -1;
    }
}

void fit_tools(struct fit *fit)
{
    struct chat *chat = fit->chat;

    if (chat->tools == NULL) {
        /* Words about tools that are not there are refused by all. */
        chat->choice = CHAT_CHOICE_UNSAID;
        chat->choice_of = (struct chat_words){0};
        chat->parallel = -1;
        if (!chat_has(chat, CHAT_CALL)) {
            return;
        }
        if (fit_is_anthropic(fit->to)) {
            declare_again(fit);
        }
    }
    if (fit_cannot(fit, MODEL_NO_TOOLS)) {
        fit_refuse(fit, FEATURE_TOOLS, NULL);
        return;
    }
    names(fit);
    choice(fit);
    parallel(fit);
    for (struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next) {
        strictness(fit, tool);
        if (fit_is_anthropic(fit->to)) {
            schema(fit, tool);
        }
    }
}
