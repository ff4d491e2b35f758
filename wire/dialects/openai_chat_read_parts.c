/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the content of a message: a string, or parts, each by its type (openai.md 3; translation.md 4). */
#include "wire/dialects/openai_chat.h"

#include "base/must.h"
#include "wire/json_walk.h"

enum part_field {
#define PART_FIELD(NAME, name, mark, why) PART_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    PART_FIELDS
};
enum image_field {
#define IMAGE_FIELD(NAME, name, mark, why) IMAGE_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    IMAGE_FIELDS
};
enum audio_field {
#define AUDIO_FIELD(NAME, name, mark, why) AUDIO_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    AUDIO_FIELDS
};
enum file_field {
#define FILE_FIELD(NAME, name, mark, why) FILE_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    FILE_FIELDS
};

static const struct chat_field part_list[] = {
#define PART_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field image_list[] = {
#define IMAGE_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field audio_list[] = {
#define AUDIO_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field file_list[] = {
#define FILE_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};

static const struct chat_fields part_fields = {"messages[].content[].", part_list, PART_FIELDS};
static const struct chat_fields image_fields = {"messages[].content[].image_url.", image_list, IMAGE_FIELDS};
static const struct chat_fields audio_fields = {"messages[].content[].input_audio.", audio_list, AUDIO_FIELDS};
static const struct chat_fields file_fields = {"messages[].content[].file.", file_list, FILE_FIELDS};

static bool is_filled(struct span value)
{
    return json_is_string(value) && value.len > 2;
}

static struct chat_part *add_part(const struct openai_chat_place *place, enum chat_part_kind kind)
{
    return place->result != NULL ? chat_add_inner(place->chat, place->result, kind)
                                 : chat_add_part(place->chat, place->turn, kind);
}

static struct chat_part *add_text(const struct openai_chat_place *place, struct span text)
{
    struct chat_part *part = is_filled(text) ? add_part(place, CHAT_TEXT) : NULL;

    if (part != NULL) {
        part->text = text;
    }
    return part;
}

static struct chat_part *read_string(const struct openai_chat_place *place, struct span text)
{
    if (!json_is_string(text)) {
        chat_refuse(place->chat, "messages[].content[]", "A part of a message has no text that is a string");
    }
    return add_text(place, text);
}

static struct chat_part *read_text(const struct openai_chat_place *place, const struct span *values)
{
    return read_string(place, values[PART_TEXT]);
}

static struct chat_part *read_refused(const struct openai_chat_place *place, const struct span *values)
{
    return read_string(place, values[PART_REFUSAL]);
}

/* What another model has thought is of no use to the target. */
static struct chat_part *read_thinking(const struct openai_chat_place *place, const struct span *values)
{
    (void)place;
    (void)values;
    return NULL;
}

static bool is_web_url(struct span string)
{
    struct span text = chat_inside(string);

    return span_starts_nocase(text, SPAN_OF("https:")) || span_starts_nocase(text, SPAN_OF("http:"));
}

/* Some apps put the URL where its object should be. */
static struct chat_part *read_image(const struct openai_chat_place *place, const struct span *values)
{
    struct chat_part found = {0};
    struct chat_part *part = NULL;
    struct span url = values[PART_IMAGE_URL];
    struct span said[IMAGE_FIELDS];

    if (json_is_object(url)) {
        chat_take(place->chat, &image_fields, url, said);
        url = said[IMAGE_URL];
    }
    if (!json_is_string(url) || (!chat_data_url(place->chat, url, &found.media, &found.data) && !is_web_url(url))) {
        chat_refuse(place->chat, "messages[].content[].image_url",
                    "An image is neither a base64 data URL nor an http URL");
        return NULL;
    }
    part = add_part(place, CHAT_IMAGE);
    if (part != NULL) {
        part->media = found.media;
        part->data = found.data;
        part->url = found.data.len > 0 ? span_make(NULL, 0) : url;
    }
    return part;
}

/* openai.md 3 has the first two. */
static struct span media_of_sound(struct span format)
{
    static const struct {
        const char *word;
        struct span media;
    } rows[] = {{"wav", SPAN("audio/wav")}, {"mp3", SPAN("audio/mp3")}, {"flac", SPAN("audio/flac")},
                {"ogg", SPAN("audio/ogg")}, {"aac", SPAN("audio/aac")}, {"aiff", SPAN("audio/aiff")}};

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (json_is_text(format, rows[i].word)) {
            return rows[i].media;
        }
    }
    return span_make(NULL, 0);
}

static struct chat_part *read_sound(const struct openai_chat_place *place, const struct span *values)
{
    struct span said[AUDIO_FIELDS] = {{NULL, 0}};
    struct chat_part *part = NULL;

    if (json_is_object(values[PART_INPUT_AUDIO])) {
        chat_take(place->chat, &audio_fields, values[PART_INPUT_AUDIO], said);
    }
    if (!is_filled(said[AUDIO_DATA]) || media_of_sound(said[AUDIO_FORMAT]).len == 0) {
        chat_refuse(place->chat, "messages[].content[].input_audio", "A sound has no data or no known format");
        return NULL;
    }
    part = add_part(place, CHAT_AUDIO);
    if (part != NULL) {
        part->media = media_of_sound(said[AUDIO_FORMAT]);
        part->data = chat_inside(said[AUDIO_DATA]);
    }
    return part;
}

/* The data is a data URL; a bare base64 text is taken too where the name says what it is. */
static bool is_file(struct chat *chat, const struct span *said, struct chat_part *found)
{
    struct span data = said[FILE_FILE_DATA];
    struct span name = chat_inside(said[FILE_FILENAME]);

    if (!is_filled(data)) {
        return false;
    }
    if (chat_data_url(chat, data, &found->media, &found->data)) {
        return true;
    }
    found->media = SPAN_OF("application/pdf");
    found->data = chat_inside(data);
    return name.len >= 4 && span_equal_nocase(span_from(name, name.len - 4), SPAN_OF(".pdf")) &&
           memchr(found->data.at, ':', found->data.len) == NULL;
}

static enum chat_part_kind kind_of_file(struct span media)
{
    if (span_starts_nocase(media, SPAN_OF("image/"))) {
        return CHAT_IMAGE;
    }
    return span_starts_nocase(media, SPAN_OF("audio/")) ? CHAT_AUDIO : CHAT_DOCUMENT;
}

static struct chat_part *read_file(const struct openai_chat_place *place, const struct span *values)
{
    struct span said[FILE_FIELDS] = {{NULL, 0}};
    struct chat_part found = {0};
    struct chat_part *part = NULL;

    if (json_is_object(values[PART_FILE])) {
        chat_take(place->chat, &file_fields, values[PART_FILE], said);
    }
    if (!is_file(place->chat, said, &found) || (place->kinds & 1U << kind_of_file(found.media)) == 0) {
        chat_refuse(place->chat, "messages[].content[].file", "A file's data is not in the request");
        return NULL;
    }
    part = add_part(place, kind_of_file(found.media));
    if (part != NULL) {
        part->media = found.media;
        part->data = found.data;
        part->name = part->kind == CHAT_DOCUMENT && is_filled(said[FILE_FILENAME]) ? said[FILE_FILENAME]
                                                                                   : span_make(NULL, 0);
        if (part->kind != CHAT_DOCUMENT && said[FILE_FILENAME].len > 0) {
            chat_drop(place->chat, "messages[].content[].file.filename");
        }
    }
    return part;
}

/* Which kinds a place must allow for a part of that type, and the member that makes it up. */
static const struct part_row {
    const char *type;
    unsigned kinds;
    enum part_field member;
    struct chat_part *(*read)(const struct openai_chat_place *place, const struct span *values);
} part_rows[] = {
    {"text", OPENAI_CHAT_TEXTS, PART_TEXT, read_text},
    {"image_url", 1 << CHAT_IMAGE, PART_IMAGE_URL, read_image},
    {"input_audio", 1 << CHAT_AUDIO, PART_INPUT_AUDIO, read_sound},
    {"file", 1 << CHAT_DOCUMENT, PART_FILE, read_file},
    {"refusal", OPENAI_CHAT_BY_MODEL, PART_REFUSAL, read_refused},
    {"thinking", OPENAI_CHAT_BY_MODEL, PART_THINKING, read_thinking},
};

static void read_part(const struct openai_chat_place *place, const struct span *values)
{
    for (size_t i = 0; i < ARRAY_LENGTH(part_rows); i++) {
        const struct part_row *row = &part_rows[i];

        if (json_is_text(values[PART_TYPE], row->type) && (row->kinds & ~place->kinds) == 0) {
            struct chat_part *part = row->read(place, values);

            chat_spare(place->chat, &part_fields, values,
                       1U << PART_TYPE | 1U << row->member | 1U << PART_PROMPT_CACHE_BREAKPOINT | 1U << PART_CACHE_CONTROL);
            if (part != NULL) {
                part->cache = openai_chat_cache(values[PART_PROMPT_CACHE_BREAKPOINT], values[PART_CACHE_CONTROL]);
            }
            return;
        }
    }
    chat_refuse_one(place->chat, "messages[].content[].type", "No other dialect has parts of this type in messages of this role",
                    values[PART_TYPE]);
}

void openai_chat_take_content(const struct openai_chat_place *place, struct span content)
{
    struct json_walk walk = json_walk_of(content);
    struct span values[PART_FIELDS];

    if (json_is_array(content)) {
        while (!chat_is_refused(place->chat) && chat_take_next(place->chat, &part_fields, &walk, values)) {
            read_part(place, values);
        }
    } else if (json_is_string(content)) {
        (void)add_text(place, content);
    } else if (content.len > 0) {
        chat_refuse(place->chat, "messages[].content", "A message's content is neither a string nor a list");
    }
}
