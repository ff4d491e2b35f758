/* SPDX-License-Identifier: Apache-2.0 */
/* Who speaks when (translation.md 3): instructions, blank texts, the first turn and the last. */
#include "wire/fit_parts.h"

#include "wire/json_text.h"

static bool is_blank(const struct chat_part *part)
{
    return part->kind == CHAT_TEXT && chat_is_blank(part->text);
}

/* A list of parts without blank texts; its last one. */
static struct chat_part *without_blanks(struct chat_part **first)
{
    struct chat_part **at = first;
    struct chat_part *last = NULL;

    while (*at != NULL) {
        if (is_blank(*at)) {
            *at = (*at)->next;
            continue;
        }
        if ((*at)->kind == CHAT_RESULT) {
            (*at)->inner_last = without_blanks(&(*at)->inner);
        }
        last = *at;
        at = &last->next;
    }
    return last;
}

/* Instructions that stand where the target takes none speak with the user's voice there. */
static void instructions(struct fit *fit)
{
    bool is_first = true;

    for (struct chat_turn *turn = fit->chat->turns; turn != NULL; turn = turn->next) {
        bool stays = is_first ? !fit_cannot(fit, MODEL_NO_SYSTEM)
                              : !fit_cannot(fit, MODEL_NO_LATER_SYSTEM);

        is_first = is_first && turn->role == CHAT_SYSTEM;
        if (turn->role == CHAT_SYSTEM && !stays) {
            fit_change(fit, FEATURE_LATER_SYSTEM);
            turn->role = CHAT_USER;
        }
    }
}

static void append(struct chat_turn *turn, struct chat_turn *more)
{
    turn->last->next = more->parts;
    turn->last = more->last;
    turn->calls += more->calls;
}

/* Turns without parts go, neighbours of one role become one. */
static void join(struct fit *fit)
{
    struct chat *chat = fit->chat;
    struct chat_turn *next = chat->turns;

    chat->turns = NULL;
    chat->last = NULL;
    chat->before_last = NULL;
    while (next != NULL) {
        struct chat_turn *turn = next;

        next = turn->next;
        turn->next = NULL;
        if (turn->parts == NULL) {
            continue;
        }
        if (chat->last != NULL && chat->last->role == turn->role) {
            append(chat->last, turn);
            continue;
        }
        *(chat->last == NULL ? &chat->turns : &chat->last->next) = turn;
        chat->before_last = chat->last;
        chat->last = turn;
    }
}

/* A turn of the user that says next to nothing, behind `after`; NULL: in front of all. */
static void insert_user(struct fit *fit, struct chat_turn *after)
{
    struct chat *chat = fit->chat;
    struct chat_turn *turn = arena_take(chat->arena, sizeof *turn);

    if (turn == NULL) {
        return;
    }
    turn->role = CHAT_USER;
    turn->next = after == NULL ? chat->turns : after->next;
    *(after == NULL ? &chat->turns : &after->next) = turn;
    chat_add_text(chat, turn, SPAN_OF("\"(The conversation begins.)\""));
    join(fit);
}

static void first_turn(struct fit *fit)
{
    struct chat_turn *before = NULL;
    struct chat_turn *turn = fit->chat->turns;

    if (turn == NULL) {
        fit_refuse(fit, FEATURE_FIRST_TURN, "There is nothing to answer");
        return;
    }
    while (turn != NULL && turn->role == CHAT_SYSTEM) {
        before = turn;
        turn = turn->next;
    }
    if (fit_mark(fit, FEATURE_FIRST_TURN) != CHAT_CARRIED && (turn == NULL || turn->role == CHAT_MODEL)) {
        fit_change(fit, FEATURE_FIRST_TURN);
        insert_user(fit, before);
    }
}

/* Without white space at its end, which Anthropic refuses in a begun answer. */
static struct span trimmed(struct span string)
{
    struct span rest = chat_inside(string);
    const char *end = rest.at;

    while (rest.len > 0) {
        char out[4] = {*rest.at};
        size_t len = 1;

        if (*rest.at == '\\') {
            len = json_text_unescape(&rest, out);
        } else {
            rest = span_from(rest, 1);
        }
        if (len != 1 || (out[0] != ' ' && out[0] != '\t' && out[0] != '\n' && out[0] != '\r')) {
            end = rest.at;
        }
    }
    return span_make(string.at, (size_t)(end - string.at));
}

static void trim(struct chat *chat, struct chat_part *part)
{
    struct span kept = trimmed(part->text);
    char *at = kept.len + 1 == part->text.len ? NULL : arena_take(chat->arena, kept.len + 1);

    if (at != NULL) {
        memcpy(at, kept.at, kept.len);
        at[kept.len] = '"';
        part->text = span_make(at, kept.len + 1);
    }
}

static bool goes_on(enum fit_grammar grammar)
{
    return fit_is_anthropic(grammar) || grammar == FIT_GENERATE;
}

/* Anthropic and Gemini go on with a last turn of the model, OpenAI begins anew. */
static void last_turn(struct fit *fit)
{
    struct chat_turn *turn = fit->chat->last;

    if (turn == NULL || turn->role != CHAT_MODEL || turn->last->kind == CHAT_CALL) {
        return;
    }
    if (fit_cannot(fit, MODEL_NO_PREFILL) || (fit_is_anthropic(fit->to) && fit->is_thinking)) {
        fit_refuse(fit, FEATURE_LAST_TURN, NULL);
        return;
    }
    if (goes_on(fit->from) != goes_on(fit->to)) {
        fit_change(fit, FEATURE_LAST_TURN);
    }
    if (fit_is_anthropic(fit->to) && turn->last->kind == CHAT_TEXT) {
        trim(fit->chat, turn->last);
    }
}

void fit_order(struct fit *fit)
{
    if (fit_mark(fit, FEATURE_BLANK_TEXT) != CHAT_CARRIED) {
        for (struct chat_turn *turn = fit->chat->turns; turn != NULL; turn = turn->next) {
            turn->last = without_blanks(&turn->parts);
        }
    }
    instructions(fit);
    join(fit);
    first_turn(fit);
    last_turn(fit);
}
