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

static void image(struct fit *fit, const struct chat_part *part)
{
    static const char *const claude[] = {"image/jpeg", "image/png", "image/gif", "image/webp"};
    bool is_url = part->url.len > 0;

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

/* What stands in a result. */
static void inner(struct fit *fit, struct chat_part *result)
{
    for (struct chat_part *part = result->inner; part != NULL; part = part->next) {
        if (part->kind == CHAT_IMAGE) {
            image(fit, part);
        } else if (part->kind == CHAT_DOCUMENT) {
            document(fit, part);
        } else {
            continue;
        }
        if (fit_cannot(fit, MODEL_NO_RESULT_IMAGES)) {
            fit_refuse(fit, FEATURE_RESULT_MEDIA, "The model takes no pictures in results of tools");
        } else if (fit_mark(fit, FEATURE_RESULT_MEDIA) != CHAT_CARRIED) {
            fit_change(fit, FEATURE_RESULT_MEDIA); /* the writer puts them behind */
        }
    }
}

static void one(struct fit *fit, const struct chat_turn *turn, struct chat_part *part)
{
    switch (part->kind) {
    case CHAT_TEXT:
    case CHAT_CALL: return;
    case CHAT_RESULT: inner(fit, part); return;
    case CHAT_IMAGE: image(fit, part); break;
    case CHAT_DOCUMENT: document(fit, part); break;
    case CHAT_AUDIO: audio(fit, part); break;
    }
    if (turn->role != CHAT_USER && fit->to != FIT_GENERATE) {
        fit_refuse(fit, FEATURE_IMAGE, "The target takes pictures, files and sound from the user alone");
    }
}

void fit_media(struct fit *fit)
{
    for (struct chat_turn *turn = fit->chat->turns; turn != NULL; turn = turn->next) {
        for (struct chat_part *part = turn->parts; part != NULL; part = part->next) {
            one(fit, turn, part);
        }
    }
}
