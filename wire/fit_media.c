/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures, files and sound: who takes which kind of them, and where (translation.md 4). */
#include "wire/fit_parts.h"

#include "base/must.h"

static bool is_one_of(struct span media, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal_nocase(media, span_of(list[i]))) {
            return true;
        }
    }
    return false;
}

/* In the words of all providers: in small letters, and `jpg` is no type. */
static void spell(struct chat_part *part)
{
    static const struct {
        struct span said, meant;
    } rows[] = {
        {SPAN("image/jpg"), SPAN("image/jpeg")}, {SPAN("image/jpeg"), SPAN("image/jpeg")}, {SPAN("image/png"), SPAN("image/png")},
        {SPAN("image/gif"), SPAN("image/gif")},  {SPAN("image/webp"), SPAN("image/webp")},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (span_equal_nocase(part->media, rows[i].said)) {
            part->media = rows[i].meant;
        }
    }
}

static void image(struct fit *fit, struct chat_part *part)
{
    static const char *const claude[] = {"image/jpeg", "image/png", "image/gif", "image/webp"};
    bool is_url = part->url.len > 0;

    spell(part);

    if (is_url && !fit_keeps(fit, FEATURE_IMAGE_URL, fit_has_habit(fit, HABIT_NO_IMAGE_URLS))) {
        return;
    }
    (void)fit_keeps(fit, FEATURE_IMAGE,
                    fit_cannot(fit, MODEL_NO_IMAGES) ||
                        (fit_is_anthropic(fit->to) && !is_url &&
                         !is_one_of(part->media, claude, ARRAY_LENGTH(claude))));
}

/* Converse has a word for each of a few kinds (bedrock.md 3), the others take PDF. */
static bool takes_file(const struct fit *fit, struct span media)
{
    static const char *const kinds[] = {
        "application/pdf",
        "text/plain",
        "text/csv",
        "text/html",
        "text/markdown",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"};

    return fit->to == FIT_GENERATE || is_one_of(media, kinds, fit->to == FIT_CONVERSE ? ARRAY_LENGTH(kinds) : 1);
}

/* Responses have no word for the name of what lies at an address. */
static void document(struct fit *fit, struct chat_part *part)
{
    bool is_url = part->url.len > 0;

    if (is_url && !fit_keeps(fit, FEATURE_DOCUMENT_URL, false)) {
        return;
    }
    (void)fit_keeps(fit, FEATURE_DOCUMENT,
                    fit_cannot(fit, MODEL_NO_DOCUMENTS) ||
                        (!is_url && !takes_file(fit, part->media)));
    if (part->name.len > 0 && !fit_keeps(fit, FEATURE_DOCUMENT_NAME, is_url && fit->to == FIT_RESPONSES)) {
        part->name = span_make(NULL, 0);
    }
}

static void audio(struct fit *fit, const struct chat_part *part)
{
    static const char *const openai[] = {"audio/wav", "audio/x-wav", "audio/mp3", "audio/mpeg"};

    (void)fit_keeps(fit, FEATURE_AUDIO,
                    fit_cannot(fit, MODEL_NO_AUDIO) || part->data.len == 0 ||
                        (fit->to == FIT_CHAT && !is_one_of(part->media, openai, ARRAY_LENGTH(openai))));
}

/* Behind all that is in the turn, as parts of the user's own, which are looked at when their turn comes. */
static void move_behind(struct chat_turn *turn, struct chat_part *result)
{
    struct chat_part *inner = result->inner;

    result->inner = result->inner_last = NULL;
    while (inner != NULL) {
        struct chat_part *part = inner;
        struct chat_part **last = part->kind == CHAT_TEXT ? &result->inner_last : &turn->last;

        inner = part->next;
        part->next = NULL;
        if (*last == NULL) {
            result->inner = part;
        } else {
            (*last)->next = part;
        }
        *last = part;
    }
}

/* What stands in a result. */
static void inner(struct fit *fit, struct chat_turn *turn, struct chat_part *result)
{
    bool has_media = false;

    for (const struct chat_part *part = result->inner; part != NULL; part = part->next) {
        has_media = has_media || part->kind != CHAT_TEXT;
    }
    if (has_media && (fit_cannot(fit, MODEL_NO_RESULT_IMAGES) || fit_mark(fit, FEATURE_RESULT_MEDIA) != CHAT_CARRIED)) {
        fit_change(fit, FEATURE_RESULT_MEDIA);
    }
    if (has_media && fit_cannot(fit, MODEL_NO_RESULT_IMAGES)) {
        move_behind(turn, result);
        return;
    }
    for (struct chat_part *part = result->inner; part != NULL; part = part->next) {
        if (part->kind == CHAT_IMAGE) {
            image(fit, part);
        } else if (part->kind == CHAT_DOCUMENT) {
            document(fit, part);
        }
    }
}

static void one(struct fit *fit, struct chat_turn *turn, struct chat_part *part)
{
    switch (part->kind) {
    case CHAT_TEXT:
    case CHAT_CALL: return;
    case CHAT_RESULT: inner(fit, turn, part); return;
    case CHAT_IMAGE: image(fit, part); break;
    case CHAT_DOCUMENT: document(fit, part); break;
    case CHAT_AUDIO: audio(fit, part); break;
    }
    if (turn->role != CHAT_USER && fit->to != FIT_GENERATE) {
        fit_refuse(fit, FEATURE_IMAGE, "The target takes pictures, files and sound from the user alone");
    }
}

/* Converse takes no file without a word beside it. */
static void put_words(struct fit *fit, struct chat_turn *turn)
{
    bool has_file = false;
    bool has_text = false;

    for (const struct chat_part *part = turn->parts; part != NULL; part = part->next) {
        has_file = has_file || part->kind == CHAT_DOCUMENT;
        has_text = has_text || part->kind == CHAT_TEXT;
    }
    if (has_file && !has_text) {
        chat_add_text(fit->chat, turn, SPAN_OF("\"The file is attached.\""));
        fit_change(fit, FEATURE_DOCUMENT);
    }
}

void fit_media(struct fit *fit)
{
    for (struct chat_turn *turn = fit->chat->turns; turn != NULL; turn = turn->next) {
        for (struct chat_part *part = turn->parts; part != NULL; part = part->next) {
            one(fit, turn, part);
        }
        if (fit->to == FIT_CONVERSE) {
            put_words(fit, turn);
        }
    }
}
