/* SPDX-License-Identifier: Apache-2.0 */
/* The turns of a generateContent request into the hub (gemini.md 3, translation.md 3 and 4). Calls may
 * come without an id, and results are then matched by name: the oldest call of that name that is still
 * open. The ids that are made up count from the beginning of the conversation, so that they are the same
 * in every later request of it. */
#include "wire/dialects/gemini_generate.h"

#include "base/buf.h"
#include "base/must.h"

enum content_field {
#define GENERATE_CONTENT(NAME, camel, snake, mark, why) CONTENT_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    CONTENT_FIELDS
};
enum part_field {
#define GENERATE_PART(NAME, camel, snake, mark, why) PART_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    PART_FIELDS
};
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
enum call_field {
#define GENERATE_CALL(NAME, camel, snake, mark, why) CALL_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    CALL_FIELDS
};
enum result_field {
#define GENERATE_RESULT(NAME, camel, snake, mark, why) RESULT_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    RESULT_FIELDS
};

static const struct chat_field content_rows[] = {
#define GENERATE_CONTENT GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};
static const struct chat_field part_rows[] = {
#define GENERATE_PART GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};
static const struct chat_field blob_rows[] = {
#define GENERATE_BLOB GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};
static const struct chat_field file_rows[] = {
#define GENERATE_FILE GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};
static const struct chat_field call_rows[] = {
#define GENERATE_CALL GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};
static const struct chat_field result_rows[] = {
#define GENERATE_RESULT GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};

static const struct chat_fields content_fields = {"contents[].", content_rows,
                                                  ARRAY_LENGTH(content_rows)};
static const struct chat_fields system_fields = {"systemInstruction.", content_rows,
                                                 ARRAY_LENGTH(content_rows)};
static const struct chat_fields part_fields = {"contents[].parts[].", part_rows,
                                               ARRAY_LENGTH(part_rows)};
static const struct chat_fields system_part_fields = {"systemInstruction.parts[].", part_rows,
                                                      ARRAY_LENGTH(part_rows)};
static const struct chat_fields blob_fields = {"contents[].parts[].inlineData.", blob_rows,
                                               ARRAY_LENGTH(blob_rows)};
static const struct chat_fields file_fields = {"contents[].parts[].fileData.", file_rows,
                                               ARRAY_LENGTH(file_rows)};
static const struct chat_fields call_fields = {"contents[].parts[].functionCall.", call_rows,
                                               ARRAY_LENGTH(call_rows)};
static const struct chat_fields result_fields = {"contents[].parts[].functionResponse.",
                                                 result_rows, ARRAY_LENGTH(result_rows)};

/* What is remembered from part to part. */
struct history {
    struct chat *chat;
    enum chat_role role;          /* of the content that is read */
    const struct chat_turn *step; /* whose calls stand below */
    const struct chat_part *calls[CHAT_CALLS_MAX];
    bool is_answered[CHAT_CALLS_MAX];
    size_t calls_count;
    uint32_t made_up;             /* ids */
    bool is_server_last;          /* the content has parts that only Google understands */
};

/* ---- media ---- */

/* Where a part goes: into a turn, or into the result of a tool. */
struct place {
    struct chat_turn *turn;
    struct chat_part *result;
    const char *param;
};

static bool is_media_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '+' || c == '-' || c == '.' || c == '_' || c == ';' || c == '=' || c == ' ';
}

/* A media type goes on without its quotes: nothing may stand in it that would need them. */
static struct span media_of(struct chat *chat, struct span string)
{
    struct span media = chat_plain(chat, string);

    for (size_t i = 0; i < media.len; i++) {
        if (!is_media_byte(media.at[i])) {
            return span_make(NULL, 0);
        }
    }
    return media;
}

static bool is_base64(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
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

        if (!is_other && !is_base64(data.at[i])) {
            return span_make(NULL, 0);
        }
        is_usual = is_usual && !is_other;
    }
    return is_usual ? data : usual_base64(chat, data);
}

static struct chat_part *add_media(struct chat *chat, const struct place *place, struct span media)
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

static void name_document(struct chat_part *part, struct span name)
{
    if (part->kind == CHAT_DOCUMENT && chat_inside(name).len > 0) {
        part->name = name;
    }
}

static void read_blob(struct chat *chat, const struct place *place, struct span blob)
{
    struct span values[2 * BLOB_FIELDS];
    struct chat_part *part = NULL;
    struct span data;

    chat_take(chat, &blob_fields, blob, values);
    data = data_of(chat, generate_said(values, BLOB_DATA));
    if (data.len == 0) {
        chat_refuse(chat, place->param, "The data must be base64");
        return;
    }
    part = add_media(chat, place, media_of(chat, generate_said(values, BLOB_MIME)));
    if (part != NULL) {
        part->data = data;
        name_document(part, generate_said(values, BLOB_NAME));
    }
}

/* Files that were sent to Google before stay there; buckets are Google's too. */
static bool is_foreign_url(struct span url)
{
    return (span_starts_nocase(url, SPAN_OF("https://")) ||
            span_starts_nocase(url, SPAN_OF("http://"))) &&
           !span_starts_nocase(url, SPAN_OF("https://generativelanguage.googleapis.com/"));
}

static void read_file(struct chat *chat, const struct place *place, struct span file)
{
    struct span values[2 * FILE_FIELDS];
    struct chat_part *part = NULL;
    struct span uri;

    chat_take(chat, &file_fields, file, values);
    uri = generate_said(values, FILE_URI);
    if (!is_foreign_url(chat_plain(chat, uri))) {
        chat_refuse(chat, place->param, "The file belongs to one account at Google");
        return;
    }
    part = add_media(chat, place, media_of(chat, generate_said(values, FILE_MIME)));
    if (part != NULL) {
        part->url = uri;
        name_document(part, generate_said(values, FILE_NAME));
    }
}

/* ---- calls and their results ---- */

static struct span made_id(struct history *history)
{
    char room[8 + BUF_DIGITS_MAX] = "\"call_g";
    char *end = buf_digits(room + 7, ++history->made_up);

    *end++ = '"';
    return arena_copy(history->chat->arena, span_make(room, (size_t)(end - room)));
}

static void remember(struct history *history, const struct chat_turn *turn,
                     const struct chat_part *call)
{
    if (turn != history->step) {
        history->step = turn;
        history->calls_count = 0;
    }
    if (history->calls_count < CHAT_CALLS_MAX) {
        history->is_answered[history->calls_count] = false;
        history->calls[history->calls_count++] = call;
    }
}

static void read_call(struct history *history, struct span object)
{
    struct chat *chat = history->chat;
    struct span values[2 * CALL_FIELDS];
    struct chat_turn *turn = NULL;
    struct chat_part *part = NULL;
    struct span id;

    chat_take(chat, &call_fields, object, values);
    if (chat_inside(generate_said(values, CALL_NAME)).len == 0) {
        chat_refuse(chat, "contents[].parts[].functionCall.name", "A call needs a name");
        return;
    }
    turn = chat_turn(chat, CHAT_MODEL);
    part = chat_add_part(chat, turn, CHAT_CALL);
    if (part == NULL) {
        return;
    }
    id = generate_said(values, CALL_ID);
    part->id = chat_inside(id).len > 0 ? id : made_id(history);
    part->name = generate_said(values, CALL_NAME);
    part->input = generate_said(values, CALL_ARGS);
    if (!json_is_object(part->input)) {
        part->input = SPAN_OF("{}");
    }
    remember(history, turn, part);
}

/* The call that a result answers: by its id, else by its name. NULL: there is none. */
static const struct chat_part *answered(struct history *history, struct span id, struct span name)
{
    size_t found = history->calls_count;

    for (size_t i = history->calls_count; i > 0; i--) {
        const struct chat_part *call = history->calls[i - 1];

        if (!history->is_answered[i - 1] && chat_inside(id).len > 0 && span_equal(call->id, id)) {
            found = i - 1;
            break;
        }
        if (!history->is_answered[i - 1] && span_equal(call->name, name)) {
            found = i - 1;
        }
    }
    if (found == history->calls_count) {
        return NULL;
    }
    history->is_answered[found] = true;
    return history->calls[found];
}

/* What stands alone under `output` or `error`, the two names that have a meaning (gemini.md 3). */
static struct span unwrapped(struct span response, bool *is_error)
{
    struct json_walk walk = json_walk_of(response);
    struct span name;
    struct span value;
    struct span more;

    if (json_is_object(response) && json_walk_member(&walk, &name, &value) &&
        !json_walk_member(&walk, &more, &more)) {
        *is_error = json_is_text(name, "error");
        if (*is_error || json_is_text(name, "output")) {
            return value;
        }
    }
    return response;
}

static void read_response(struct chat *chat, struct chat_part *result, struct span response)
{
    struct span value = unwrapped(response, &result->is_error);
    struct chat_part *part = NULL;

    if (value.len == 0 || (json_is_string(value) && chat_inside(value).len == 0)) {
        return;
    }
    part = chat_add_inner(chat, result, CHAT_TEXT);
    if (part == NULL) {
        return;
    }
    part->text = json_is_string(value) ? value : chat_string(chat, value);
    result->is_json = json_is_object(value);
}

static void read_result_parts(struct chat *chat, struct chat_part *result, struct span parts)
{
    const struct place place = {.result = result,
                                .param = "contents[].parts[].functionResponse.parts"};
    struct generate_items items = generate_items_of(parts);
    struct span item;

    while (generate_next(&items, &item)) {
        struct span values[2 * PART_FIELDS];

        chat_take(chat, &part_fields, item, values);
        if (generate_said(values, PART_BLOB).len > 0) {
            result->is_json = false;
            read_blob(chat, &place, generate_said(values, PART_BLOB));
        } else if (generate_said(values, PART_FILE).len > 0) {
            result->is_json = false;
            read_file(chat, &place, generate_said(values, PART_FILE));
        }
    }
}

static void read_result(struct history *history, struct span object)
{
    struct chat *chat = history->chat;
    struct span values[2 * RESULT_FIELDS];
    const struct chat_part *call = NULL;
    struct chat_part *part = NULL;
    struct span id;

    chat_take(chat, &result_fields, object, values);
    id = generate_said(values, RESULT_ID);
    call = answered(history, id, generate_said(values, RESULT_NAME));
    part = chat_add_part(chat, chat_turn(chat, CHAT_USER), CHAT_RESULT);
    if (part == NULL) {
        return;
    }
    if (call != NULL) {
        part->id = call->id;
        part->name = call->name;
    } else {
        part->id = chat_inside(id).len > 0 ? id : made_id(history);
    }
    read_response(chat, part, generate_said(values, RESULT_RESPONSE));
    read_result_parts(chat, part, generate_said(values, RESULT_PARTS));
}

/* ---- parts and turns ---- */

/* What Google's own tools did. A summary as text is not possible: in what lies behind it is left out and
 * named, in the last turn the answer depends on it (translation.md 3). */
static void note_server_part(struct history *history, const struct span *values)
{
    static const struct {
        enum part_field field;
        const char *param;
    } parts[] = {
        {PART_CODE, "contents[].parts[].executableCode"},
        {PART_CODE_RESULT, "contents[].parts[].codeExecutionResult"},
        {PART_SERVER_CALL, "contents[].parts[].toolCall"},
        {PART_SERVER_RESULT, "contents[].parts[].toolResponse"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        if (generate_said(values, parts[i].field).len > 0) {
            chat_drop(history->chat, parts[i].param);
            history->is_server_last = true;
        }
    }
}

static void read_media(struct history *history, const struct span *values)
{
    struct chat *chat = history->chat;
    struct span blob = generate_said(values, PART_BLOB);
    struct span file = generate_said(values, PART_FILE);
    struct place place = {.param = "contents[].parts[].inlineData"};

    if (blob.len == 0 && file.len == 0) {
        return;
    }
    if (history->role == CHAT_MODEL) {
        /* An image that the model made: no other dialect has such turns. */
        chat_drop(chat, blob.len > 0 ? place.param : "contents[].parts[].fileData");
        return;
    }
    place.turn = chat_turn(chat, history->role);
    if (blob.len > 0) {
        read_blob(chat, &place, blob);
    } else {
        place.param = "contents[].parts[].fileData";
        read_file(chat, &place, file);
    }
}

static void read_text(struct chat *chat, enum chat_role role, struct span text)
{
    if (json_is_string(text)) {
        chat_add_text(chat, chat_turn(chat, role), text);
    } else if (text.len > 0) {
        chat_refuse(chat, role == CHAT_SYSTEM ? "systemInstruction.parts[].text"
                                              : "contents[].parts[].text",
                    "A text must be a string");
    }
}

static void read_part(struct history *history, struct span part)
{
    struct span values[2 * PART_FIELDS];

    if (!json_is_object(part)) {
        chat_refuse(history->chat, "contents[].parts[]", "A part must be an object");
        return;
    }
    chat_take(history->chat, &part_fields, part, values);
    if (span_equal(generate_said(values, PART_THOUGHT), SPAN_OF("true"))) {
        return;
    }
    read_text(history->chat, history->role, generate_said(values, PART_TEXT));
    read_media(history, values);
    if (generate_said(values, PART_CALL).len > 0) {
        read_call(history, generate_said(values, PART_CALL));
    }
    if (generate_said(values, PART_RESULT).len > 0) {
        read_result(history, generate_said(values, PART_RESULT));
    }
    note_server_part(history, values);
}

/* "function" is what results came with in older versions. */
static void read_role(struct history *history, struct span role)
{
    history->role = CHAT_USER;
    if (json_is_text(role, "model")) {
        history->role = CHAT_MODEL;
    } else if (chat_inside(role).len > 0 && !json_is_text(role, "user") &&
               !json_is_text(role, "function")) {
        chat_refuse(history->chat, "contents[].role", "A role is user or model");
    }
}

void generate_read_contents(struct chat *chat, struct span contents)
{
    struct history history = {.chat = chat};
    struct generate_items items = generate_items_of(contents);
    struct span content;

    while (generate_next(&items, &content)) {
        struct span values[2 * CONTENT_FIELDS];
        struct generate_items parts;
        struct span part;

        if (!json_is_object(content)) {
            chat_refuse(chat, "contents[]", "A content must be an object");
            return;
        }
        chat_take(chat, &content_fields, content, values);
        read_role(&history, generate_said(values, CONTENT_ROLE));
        history.is_server_last = false;
        parts = generate_items_of(generate_said(values, CONTENT_PARTS));
        while (generate_next(&parts, &part)) {
            read_part(&history, part);
        }
    }
    if (history.is_server_last) {
        chat_refuse(chat, "contents[].parts[]",
                    "The last turn depends on what a tool of Google's did");
    }
}

void generate_read_system(struct chat *chat, struct span instruction)
{
    struct span values[2 * CONTENT_FIELDS];
    struct generate_items parts;
    struct span part;

    if (instruction.len > 0 && !json_is_object(instruction)) {
        chat_refuse(chat, "systemInstruction", "Instructions must be an object");
        return;
    }
    chat_take(chat, &system_fields, instruction, values);
    parts = generate_items_of(generate_said(values, CONTENT_PARTS));
    while (generate_next(&parts, &part)) {
        struct span said[2 * PART_FIELDS];

        chat_take(chat, &system_part_fields, part, said);
        read_text(chat, CHAT_SYSTEM, generate_said(said, PART_TEXT));
        for (size_t i = PART_BLOB; i <= PART_SERVER_RESULT; i++) {
            if (i != PART_THOUGHT && generate_said(said, i).len > 0) {
                chat_refuse(chat, "systemInstruction.parts[]", "Instructions are text");
            }
        }
    }
}
