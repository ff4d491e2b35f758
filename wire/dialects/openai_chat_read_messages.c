/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of a chat completion request into the hub (openai.md 3; translation.md 3, 4):
 *
 *   system, developer   a SYSTEM turn, wherever they stand
 *   user                parts of a USER turn
 *   assistant           TEXT (a refusal too) and CALL parts of a MODEL turn
 *   tool, function      a RESULT of a USER turn, in front of what the user says in it
 *
 * Ids that are missing are made up: a call's from its place, a result's from the oldest call that has none. */
#include "wire/dialects/openai_chat.h"

#include "base/must.h"
#include "wire/json_walk.h"

enum message_field {
#define MESSAGE_FIELD(NAME, name, mark, why) MESSAGE_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    MESSAGE_FIELDS
};
enum call_field {
#define CALL_FIELD(NAME, name, mark, why) CALL_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    CALL_FIELDS
};
enum called_field {
#define CALLED_FIELD(NAME, name, mark, why) CALLED_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    CALLED_FIELDS
};
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

static const struct chat_field message_list[] = {
#define MESSAGE_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field call_list[] = {
#define CALL_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field called_list[] = {
#define CALLED_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
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

static const struct chat_fields message_fields = {"messages[].", message_list, MESSAGE_FIELDS};
static const struct chat_fields call_fields = {"messages[].tool_calls[].", call_list, CALL_FIELDS};
static const struct chat_fields called_fields = {"messages[].tool_calls[].function.", called_list,
                                                 CALLED_FIELDS};
static const struct chat_fields part_fields = {"messages[].content[].", part_list, PART_FIELDS};
static const struct chat_fields image_fields = {"messages[].content[].image_url.", image_list, IMAGE_FIELDS};
static const struct chat_fields audio_fields = {"messages[].content[].input_audio.", audio_list, AUDIO_FIELDS};
static const struct chat_fields file_fields = {"messages[].content[].file.", file_list, FILE_FIELDS};

struct reader {
    struct chat *chat;
    const struct chat_turn *asked; /* the last turn of the model */
    const struct chat_part *open;  /* its first call that has no result yet */
    uint32_t made_ids;
};

static bool is_filled(struct span value)
{
    return json_is_string(value) && value.len > 2;
}

/* ---- parts of a content ---- */

/* Where a content's parts go, and which kinds may stand there. */
struct place {
    struct chat *chat;
    struct chat_turn *turn;
    struct chat_part *result; /* NULL: the turn itself */
    unsigned kinds;           /* bits of 1 << enum chat_part_kind */
};

static struct chat_part *add_part(const struct place *place, enum chat_part_kind kind)
{
    return place->result != NULL ? chat_add_inner(place->chat, place->result, kind)
                                 : chat_add_part(place->chat, place->turn, kind);
}

static struct chat_part *add_text(const struct place *place, struct span text)
{
    struct chat_part *part = is_filled(text) ? add_part(place, CHAT_TEXT) : NULL;

    if (part != NULL) {
        part->text = text;
    }
    return part;
}

static struct chat_part *read_string(const struct place *place, struct span text)
{
    if (!json_is_string(text)) {
        chat_refuse(place->chat, "messages[].content[]", "A part of a message has no text that is a string");
    }
    return add_text(place, text);
}

static struct chat_part *read_text(const struct place *place, const struct span *values)
{
    return read_string(place, values[PART_TEXT]);
}

static struct chat_part *read_refused(const struct place *place, const struct span *values)
{
    return read_string(place, values[PART_REFUSAL]);
}

/* What another model has thought is of no use to the target. */
static struct chat_part *read_thinking(const struct place *place, const struct span *values)
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
static struct chat_part *read_image(const struct place *place, const struct span *values)
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

static struct chat_part *read_sound(const struct place *place, const struct span *values)
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

static struct chat_part *read_file(const struct place *place, const struct span *values)
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
    }
    return part;
}

enum {
    TEXTS = 1 << CHAT_TEXT,
    SAID_BY_TOOL = TEXTS | 1 << CHAT_IMAGE | 1 << CHAT_DOCUMENT,
    SAID_BY_USER = SAID_BY_TOOL | 1 << CHAT_AUDIO,
    SAID_BY_MODEL = TEXTS | 1 << CHAT_CALL
};

/* Which kinds a place must allow for a part of that type. */
static const struct part_row {
    const char *type;
    unsigned kinds;
    struct chat_part *(*read)(const struct place *place, const struct span *values);
} part_rows[] = {
    {"text", TEXTS, read_text},
    {"image_url", 1 << CHAT_IMAGE, read_image},
    {"input_audio", 1 << CHAT_AUDIO, read_sound},
    {"file", 1 << CHAT_DOCUMENT, read_file},
    {"refusal", SAID_BY_MODEL, read_refused},
    {"thinking", SAID_BY_MODEL, read_thinking},
};

static void read_part(const struct place *place, struct span item)
{
    struct span values[PART_FIELDS] = {{NULL, 0}};

    if (json_is_object(item)) {
        chat_take(place->chat, &part_fields, item, values);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(part_rows); i++) {
        const struct part_row *row = &part_rows[i];

        if (json_is_text(values[PART_TYPE], row->type) && (row->kinds & ~place->kinds) == 0) {
            struct chat_part *part = row->read(place, values);

            if (part != NULL) {
                part->cache = openai_chat_cache(values[PART_PROMPT_CACHE_BREAKPOINT], values[PART_CACHE_CONTROL]);
            }
            return;
        }
    }
    chat_refuse(place->chat, "messages[].content[].type", "A part of a message is of a type that no other dialect has");
}

static void read_content(const struct place *place, struct span content)
{
    struct json_walk walk = json_walk_of(content);
    struct span item;

    if (json_is_array(content)) {
        while (json_walk_item(&walk, &item) && !chat_is_refused(place->chat)) {
            read_part(place, item);
        }
    } else if (json_is_string(content)) {
        (void)add_text(place, content);
    } else if (content.len > 0) {
        chat_refuse(place->chat, "messages[].content", "A message's content is neither a string nor a list");
    }
}

/* ---- messages ---- */

/* The name of who speaks has no place elsewhere. */
static void read_said(struct reader *reader, enum chat_role role, const struct span *values)
{
    struct place place = {reader->chat, chat_turn(reader->chat, role), NULL, role == CHAT_USER ? SAID_BY_USER : TEXTS};

    if (place.turn == NULL) {
        return;
    }
    if (values[MESSAGE_NAME].len > 0) {
        chat_drop(reader->chat, "messages[].name");
    }
    read_content(&place, values[MESSAGE_CONTENT]);
}

static void read_system(struct reader *reader, const struct span *values)
{
    read_said(reader, CHAT_SYSTEM, values);
}

static void read_user(struct reader *reader, const struct span *values)
{
    read_said(reader, CHAT_USER, values);
}

/* "call_at_3": the same in every request that repeats the conversation, so that prompt caches hold. */
static struct span make_id(struct reader *reader)
{
    char digits[BUF_DIGITS_MAX];
    const char *end = buf_digits(digits, reader->made_ids++);
    struct span parts[] = {SPAN("\"call_at_\""), {NULL, 0}};

    parts[1] = chat_string(reader->chat, span_make(digits, (size_t)(end - digits)));
    return chat_join(reader->chat, parts, ARRAY_LENGTH(parts));
}

static struct span read_arguments(struct chat *chat, struct span value)
{
    bool is_good = true;

    if (json_is_object(value)) {
        return value;
    }
    if (value.len == 0) {
        return SPAN_OF("{}");
    }
    if (!json_is_string(value)) {
        chat_refuse(chat, "messages[].tool_calls[].function.arguments", "The arguments of a call are no string");
        return SPAN_OF("{}");
    }
    value = chat_arguments(chat, value, &is_good);
    if (!is_good) {
        chat_change(chat, "messages[].tool_calls[].function.arguments");
    }
    return value;
}

static void read_called(struct reader *reader, struct chat_turn *turn, struct span id, struct span function)
{
    struct span said[CALLED_FIELDS] = {{NULL, 0}};
    struct chat_part *part = NULL;

    if (json_is_object(function)) {
        chat_take(reader->chat, &called_fields, function, said);
    }
    if (!is_filled(said[CALLED_NAME])) {
        chat_refuse(reader->chat, "messages[].tool_calls[].function.name", "A call of a tool has no name");
        return;
    }
    part = chat_add_part(reader->chat, turn, CHAT_CALL);
    if (part == NULL) {
        return;
    }
    part->id = is_filled(id) ? id : make_id(reader);
    part->name = said[CALLED_NAME];
    part->input = read_arguments(reader->chat, said[CALLED_ARGUMENTS]);
    reader->open = reader->open == NULL ? part : reader->open;
}

static void read_calls(struct reader *reader, struct chat_turn *turn, struct span calls)
{
    struct json_walk walk = json_walk_of(calls);
    struct span item;

    if (calls.len > 0 && !json_is_array(calls)) {
        chat_refuse(reader->chat, "messages[].tool_calls", "The calls of a message are no list");
        return;
    }
    while (json_walk_item(&walk, &item) && !chat_is_refused(reader->chat)) {
        struct span said[CALL_FIELDS] = {{NULL, 0}};

        if (json_is_object(item)) {
            chat_take(reader->chat, &call_fields, item, said);
        }
        if (said[CALL_TYPE].len > 0 && !json_is_text(said[CALL_TYPE], "function")) {
            chat_refuse(reader->chat, "messages[].tool_calls[].type", "Only calls of functions are known to other dialects");
            return;
        }
        read_called(reader, turn, said[CALL_ID], said[CALL_FUNCTION]);
    }
}

static void read_assistant(struct reader *reader, const struct span *values)
{
    struct chat_turn *turn = chat_turn(reader->chat, CHAT_MODEL);
    struct place place = {reader->chat, turn, NULL, SAID_BY_MODEL};

    if (turn == NULL) {
        return;
    }
    if (turn != reader->asked) {
        reader->asked = turn;
        reader->open = NULL;
    }
    if (values[MESSAGE_NAME].len > 0) {
        chat_drop(reader->chat, "messages[].name");
    }
    read_content(&place, values[MESSAGE_CONTENT]);
    (void)add_text(&place, values[MESSAGE_REFUSAL]);
    read_calls(reader, turn, values[MESSAGE_TOOL_CALLS]);
    if (values[MESSAGE_FUNCTION_CALL].len > 0) {
        read_called(reader, turn, span_make(NULL, 0), values[MESSAGE_FUNCTION_CALL]);
    }
}

/* The call that a result belongs to. In the common order it is the oldest open one, which is then found at
 * once; results without an id are in that order. */
static const struct chat_part *take_call(struct reader *reader, struct span id)
{
    const struct chat_part *call = reader->open;

    if (is_filled(id) && (call == NULL || !span_equal(call->id, id))) {
        return chat_call_of(reader->chat, id);
    }
    while (reader->open != NULL) {
        reader->open = reader->open->next;
        if (reader->open != NULL && reader->open->kind == CHAT_CALL) {
            break;
        }
    }
    return call;
}

static void read_result(struct reader *reader, const struct span *values)
{
    struct span id = values[MESSAGE_TOOL_CALL_ID];
    const struct chat_part *call = take_call(reader, id);
    struct place place = {reader->chat, chat_turn(reader->chat, CHAT_USER), NULL, SAID_BY_TOOL};

    place.result = place.turn == NULL ? NULL : chat_add_part(reader->chat, place.turn, CHAT_RESULT);
    if (place.result == NULL) {
        return;
    }
    if (is_filled(id)) {
        place.result->id = id;
    } else {
        place.result->id = call != NULL ? call->id : make_id(reader);
    }
    place.result->name = call != NULL ? call->name : span_make(NULL, 0);
    read_content(&place, values[MESSAGE_CONTENT]);
}

static const struct {
    const char *role;
    void (*read)(struct reader *reader, const struct span *values);
} roles[] = {
    {"user", read_user},     {"assistant", read_assistant}, {"tool", read_result},
    {"system", read_system}, {"developer", read_system},    {"function", read_result},
};

static void read_message(struct reader *reader, struct span item)
{
    struct span values[MESSAGE_FIELDS] = {{NULL, 0}};

    if (json_is_object(item)) {
        chat_take(reader->chat, &message_fields, item, values);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(roles); i++) {
        if (json_is_text(values[MESSAGE_ROLE], roles[i].role)) {
            roles[i].read(reader, values);
            return;
        }
    }
    chat_refuse(reader->chat, "messages[].role", "A message has no role that is known");
}

/* Results come first in their turn, whatever order the messages had: the other dialects ask for it
 * (translation.md 3). */
static void put_results_first(struct chat_turn *turn)
{
    struct chat_part *results = NULL;
    struct chat_part *others = NULL;
    struct chat_part **result = &results;
    struct chat_part **other = &others;
    struct chat_part *last_other = NULL;

    for (struct chat_part *part = turn->parts; part != NULL; part = part->next) {
        if (part->kind == CHAT_RESULT) {
            *result = turn->last = part;
            result = &part->next;
        } else {
            *other = last_other = part;
            other = &part->next;
        }
    }
    *other = NULL;
    *result = others;
    turn->parts = results;
    turn->last = last_other != NULL ? last_other : turn->last;
}

void openai_chat_take_messages(struct chat *chat, struct span messages)
{
    struct json_walk walk = json_walk_of(messages);
    struct reader reader = {.chat = chat};
    struct span item;

    if (!json_is_array(messages)) {
        chat_refuse(chat, "messages", "The messages are no list");
        return;
    }
    while (json_walk_item(&walk, &item) && !chat_is_refused(chat)) {
        read_message(&reader, item);
    }
    for (struct chat_turn *turn = chat->turns; turn != NULL; turn = turn->next) {
        if (turn->role == CHAT_USER) {
            put_results_first(turn);
        }
    }
}
