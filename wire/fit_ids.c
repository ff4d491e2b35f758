/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the app's own that the target wants shorter or of other characters: ids of calls, and whom the request
 * serves. A name that does not do becomes a hash of itself: the same one in every request, for a call and its
 * result alike. */
#include "wire/fit_parts.h"

#include "base/sip.h"

/* What ids look like (translation.md 3, openai-compatible.md 3). */
struct id_form {
    size_t least;
    size_t most;
    bool is_plain; /* letters and digits alone */
};

enum { NAME_ROOM = 24 };

static struct id_form form_of(const struct fit *fit)
{
    enum { MISTRAL = 9, OPENAI_MAX = 40, CLAUDE_MAX = 64 };

    if (fit_has_habit(fit, HABIT_NINE_IDS)) {
        return (struct id_form){MISTRAL, MISTRAL, true};
    }
    return (struct id_form){1, fit_is_openai(fit->to) ? OPENAI_MAX : CLAUDE_MAX, false};
}

static bool is_fitting(struct span id, const struct id_form *form)
{
    if (id.len < form->least || id.len > form->most) {
        return false;
    }
    for (size_t i = 0; i < id.len; i++) {
        char c = id.at[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!is_plain && (form->is_plain || (c != '_' && c != '-'))) {
            return false;
        }
    }
    return true;
}

/* Behind `prefix` (short) `digits` letters and digits (nine, or twice that) of the name's hash: a JSON string. */
static struct span hashed(struct chat *chat, struct span name, struct span prefix, size_t digits)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    /* Not a secret: only the same everywhere. */
    static const uint64_t seed[2] = {0x6864676174652d69u, 0x642d6f662d63616cu};
    enum { PER_WORD = 9 }; /* 62^9 is less than 2^54 */
    uint64_t hash[2];
    char room[NAME_ROOM + 2];
    size_t len = 0;

    sip_hash_wide(seed, name, hash);
    room[len++] = '"';
    memcpy(room + len, prefix.at, prefix.len);
    len += prefix.len;
    for (size_t i = 0; i < digits; i++) {
        uint64_t *word = &hash[i / PER_WORD];

        room[len++] = letters[*word % (sizeof letters - 1)];
        *word /= sizeof letters - 1;
    }
    room[len++] = '"';
    return arena_copy(chat->arena, span_make(room, len));
}

static void id(struct chat *chat, struct span *string, const struct id_form *form)
{
    struct span prefix = SPAN("call_");

    if (is_fitting(chat_inside(*string), form)) {
        return;
    }
    *string = form->is_plain ? hashed(chat, chat_inside(*string), SPAN_OF(""), 9)
                             : hashed(chat, chat_inside(*string), prefix, 18);
}

/* OpenAI takes 64 characters, Anthropic 256 (translation.md 6); a string has no more of them than bytes. */
static void user(struct fit *fit)
{
    struct span *user = &fit->chat->params.user;
    size_t most = fit_is_openai(fit->to) ? 64 : 256;
    struct span prefix = SPAN("user_");

    if (user->len > 0 && chat_inside(*user).len > most) {
        *user = hashed(fit->chat, chat_inside(*user), prefix, 18);
    }
}

void fit_ids(struct fit *fit)
{
    struct id_form form = form_of(fit);

    user(fit);
    if (fit->to == FIT_GENERATE) {
        return; /* ids are only names there, of any kind */
    }
    for (struct chat_turn *turn = fit->chat->turns; turn != NULL; turn = turn->next) {
        for (struct chat_part *part = turn->parts; part != NULL; part = part->next) {
            if (part->kind == CHAT_CALL || part->kind == CHAT_RESULT) {
                id(fit->chat, &part->id, &form);
            }
        }
    }
}
