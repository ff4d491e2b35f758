/* SPDX-License-Identifier: Apache-2.0 */
/* Answers in the form of JSON (translation.md 8): by a schema, or just any. */
#include "wire/fit_parts.h"

#include "wire/json_walk.h"

/* In front of the conversation, behind the app's own instructions. What of the turns is not right afterwards
 * fit_order mends. */
static void instruct(struct fit *fit, struct span text)
{
    struct chat *chat = fit->chat;
    struct chat_turn *turn = chat->turns;

    if (turn == NULL || turn->role != CHAT_SYSTEM) {
        turn = arena_take(chat->arena, sizeof *turn);
        if (turn == NULL) {
            return;
        }
        *turn = (struct chat_turn){.role = CHAT_SYSTEM, .next = chat->turns};
        chat->turns = turn;
    }
    chat_add_text(chat, turn, text);
}

static void ask_in_words(struct fit *fit)
{
    fit_change(fit, FEATURE_JSON_MODE);
    instruct(fit, SPAN_OF("\"Answer with one valid JSON object and nothing else.\""));
}

static void json_mode(struct fit *fit, bool is_lost)
{
    if (fit_mark(fit, FEATURE_JSON_MODE) != CHAT_CARRIED || is_lost) {
        ask_in_words(fit);
        fit->chat->params.format = CHAT_FORMAT_TEXT;
    } else if (fit_is_openai(fit->to) && !fit_is_openai(fit->from)) {
        ask_in_words(fit); /* OpenAI wants the word JSON in the conversation, too */
    }
}

static void by_schema(struct fit *fit, bool is_lost)
{
    struct chat_params *params = &fit->chat->params;
    struct span type = json_walk_find(params->format_schema, "type");

    if (fit_cannot(fit, MODEL_NO_SCHEMA)) {
        fit_refuse(fit, FEATURE_FORMAT, NULL);
    } else if (is_lost) {
        fit_refuse(fit, FEATURE_FORMAT, "The model does not take a schema together with tools");
    } else if (fit_is_openai(fit->to) && !fit_is_openai(fit->from) && type.len > 0 && !json_is_text(type, "object")) {
        fit_refuse(fit, FEATURE_FORMAT, "The target wants an object at the root of a schema");
    } else {
        params->format_schema = fit_schema(fit, FEATURE_FORMAT, params->format_schema);
    }
    if (params->format_description.len > 0 && !fit_keeps(fit, FEATURE_FORMAT_DESCRIPTION, false)) {
        params->format_description = span_make(NULL, 0);
    }
    if (!fit_is_openai(fit->to)) {
        params->format_strict = -1;
        if (fit_mark(fit, FEATURE_FORMAT_NAME) != CHAT_CARRIED) {
            params->format_name = span_make(NULL, 0);
        }
    } else if (params->format_name.len == 0) {
        params->format_name = SPAN_OF("\"output\""); /* must be there */
    }
}

void fit_format(struct fit *fit)
{
    struct chat_params *params = &fit->chat->params;
    bool is_lost = fit->chat->tools != NULL && fit_cannot(fit, MODEL_NO_SCHEMA_WITH_TOOLS);

    if (params->format == CHAT_FORMAT_SCHEMA && params->format_schema.len == 0) {
        params->format = CHAT_FORMAT_JSON;
    }
    switch (params->format) {
    case CHAT_FORMAT_TEXT: break;
    case CHAT_FORMAT_JSON: json_mode(fit, is_lost); break;
    case CHAT_FORMAT_SCHEMA: by_schema(fit, is_lost); break;
    }
}
