/* SPDX-License-Identifier: Apache-2.0 */
/* Media of a generateContent request into the hub: inline ones, and URLs that others can fetch too (gemini.md 3,
 * translation.md 4). Types and data lose their quotes in the hub, so they are looked at byte by byte. */
#include "wire/dialects/gemini_generate.h"

#include <string.h>

#include "base/must.h"

enum blob_field {
#define GENERATE_BLOB(NAME, camel, snake, mark, why) BLOB_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    BLOB_FIELDS
};
enum file_field {
#define GENERATE_FILE(NAME, camel, snake, mark, why) FILE_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    FILE_FIELDS
};

static const struct chat_field blob_rows[] = {
#define GENERATE_BLOB GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};
static const struct chat_field file_rows[] = {
#define GENERATE_FILE GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};

static const struct chat_fields blob_fields = {"contents[].parts[].inlineData.", blob_rows,
                                               ARRAY_LENGTH(blob_rows)};
static const struct chat_fields file_fields = {"contents[].parts[].fileData.", file_rows,
                                               ARRAY_LENGTH(file_rows)};

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_one_of(char c, const char *others)
{
    return is_letter_or_digit(c) || (c != '\0' && strchr(others, c) != NULL);
}

/* A media type goes on without its quotes: nothing may stand in it that would need them. */
static struct span media_of(struct chat *chat, struct span string)
{
    struct span media = chat_plain(chat, string);

    for (size_t i = 0; i < media.len; i++) {
        if (!is_one_of(media.at[i], "/+-._;= ")) {
            return span_make(NULL, 0);
        }
    }
    return media;
}

/* Google reads the alphabet for URLs too (RFC 4648, 5); others do not. */
static struct span usual_base64(struct chat *chat, struct span data)
{
    char *at = arena_take(chat->arena, data.len);

    for (size_t i = 0; at != NULL && i < data.len; i++) {
        at[i] = (char)(data.at[i] == '-' ? '+' : data.at[i] == '_' ? '/' : data.at[i]);
    }
    return span_make(at, at == NULL ? 0 : data.len);
}

/* The data of a blob, or nothing when it is no base64. */
static struct span data_of(struct chat *chat, struct span string)
{
    struct span data = chat_plain(chat, string);
    bool is_usual = true;

    for (size_t i = 0; i < data.len; i++) {
        bool is_other = data.at[i] == '-' || data.at[i] == '_';

        if (!is_other && !is_one_of(data.at[i], "+/=")) {
            return span_make(NULL, 0);
        }
        is_usual = is_usual && !is_other;
    }
    return is_usual ? data : usual_base64(chat, data);
}

static struct chat_part *add_media(struct chat *chat, const struct gemini_generate_place *place, struct span media)
{
    enum chat_part_kind kind = CHAT_DOCUMENT;
    struct chat_part *part = NULL;

    if (span_starts_nocase(media, SPAN_OF("image/"))) {
        kind = CHAT_IMAGE;
    } else if (span_starts_nocase(media, SPAN_OF("audio/"))) {
        kind = CHAT_AUDIO;
    }
    if (media.len == 0 || span_starts_nocase(media, SPAN_OF("video/")) ||
        (kind == CHAT_AUDIO && place->result != NULL)) {
        chat_refuse(chat, place->param, "Media of this type have no counterpart elsewhere");
        return NULL;
    }
    part = place->result != NULL ? chat_add_inner(chat, place->result, kind)
                                 : chat_add_part(chat, place->turn, kind);
    if (part != NULL) {
        part->media = media;
    }
    return part;
}

/* Only documents have a name elsewhere. */
static void name_document(struct chat *chat, struct chat_part *part, struct span name, const char *param)
{
    if (part->kind == CHAT_DOCUMENT && chat_inside(name).len > 0) {
        part->name = name;
    } else if (name.len > 0) {
        chat_drop(chat, param);
    }
}

void gemini_generate_read_blob(struct chat *chat, const struct gemini_generate_place *place, struct span blob)
{
    struct span values[2 * BLOB_FIELDS];
    struct chat_part *part = NULL;
    struct span data;

    gemini_generate_take(chat, &blob_fields, blob, values);
    data = data_of(chat, gemini_generate_said(values, BLOB_DATA));
    if (data.len == 0) {
        chat_refuse(chat, place->param, "The data must be base64");
        return;
    }
    part = add_media(chat, place, media_of(chat, gemini_generate_said(values, BLOB_MIME)));
    if (part != NULL) {
        part->data = data;
        name_document(chat, part, gemini_generate_said(values, BLOB_NAME), "contents[].parts[].inlineData.displayName");
    }
}

/* Files that were sent to Google before stay there; buckets are Google's too. */
static bool is_foreign_url(struct span url)
{
    return (span_starts_nocase(url, SPAN_OF("https://")) ||
            span_starts_nocase(url, SPAN_OF("http://"))) &&
           !span_starts_nocase(url, SPAN_OF("https://generativelanguage.googleapis.com/"));
}

void gemini_generate_read_file(struct chat *chat, const struct gemini_generate_place *place, struct span file)
{
    struct span values[2 * FILE_FIELDS];
    struct chat_part *part = NULL;
    struct span uri;

    gemini_generate_take(chat, &file_fields, file, values);
    uri = gemini_generate_said(values, FILE_URI);
    if (!is_foreign_url(chat_plain(chat, uri))) {
        chat_refuse(chat, place->param, "The file belongs to one account at Google");
        return;
    }
    part = add_media(chat, place, media_of(chat, gemini_generate_said(values, FILE_MIME)));
    if (part != NULL) {
        part->url = uri;
        name_document(chat, part, gemini_generate_said(values, FILE_NAME), "contents[].parts[].fileData.displayName");
    }
}
