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
    static const struct chat_expected expected[] = {{CALL_ID, CHAT_IS_STRING}, {CALL_ARGS, CHAT_IS_OBJECT}};
    struct span values[2 * CALL_FIELDS];
    struct chat_turn *turn = NULL;
    struct chat_part *part = NULL;
    struct span id;

    gemini_generate_take(chat, &call_fields, object, values);
    gemini_generate_expect(chat, &call_fields, values, expected, ARRAY_LENGTH(expected));
    if (chat_inside(gemini_generate_said(values, CALL_NAME)).len == 0) {
        chat_refuse(chat, "contents[].parts[].functionCall.name", "A call needs a name");
        return;
    }
    turn = chat_turn(chat, CHAT_MODEL);
    part = chat_add_part(chat, turn, CHAT_CALL);
    if (part == NULL) {
        return;
    }
    id = gemini_generate_said(values, CALL_ID);
    part->id = chat_inside(id).len > 0 ? id : made_id(history);
    part->name = gemini_generate_said(values, CALL_NAME);
    part->input = gemini_generate_said(values, CALL_ARGS);
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
        *is_error = json_is_name(name, "error");
        if (*is_error || json_is_name(name, "output")) {
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
    const struct gemini_generate_place place = {.result = result,
                                .param = "contents[].parts[].functionResponse.parts"};
    struct gemini_generate_items items = gemini_generate_items_of(parts);
    struct span item;

    while (gemini_generate_next(&items, &item)) {
        struct span values[2 * PART_FIELDS];

        if (!json_is_object(item)) {
            chat_refuse(chat, place.param, "A part must be an object");
            return;
        }
        gemini_generate_take(chat, &part_fields, item, values);
        for (size_t i = 0; i < PART_FIELDS; i++) {
            if (i != PART_BLOB && i != PART_FILE && gemini_generate_said(values, i).len > 0) {
                chat_drop(chat, place.param); /* only media stand there */
            }
        }
        if (gemini_generate_said(values, PART_BLOB).len > 0) {
            result->is_json = false;
            gemini_generate_read_blob(chat, &place, gemini_generate_said(values, PART_BLOB));
        }
        if (gemini_generate_said(values, PART_FILE).len > 0) {
            result->is_json = false;
            gemini_generate_read_file(chat, &place, gemini_generate_said(values, PART_FILE));
        }
    }
}

static void read_result(struct history *history, struct span object)
{
    struct chat *chat = history->chat;
    static const struct chat_expected expected[] = {{RESULT_ID, CHAT_IS_STRING},
                                                    {RESULT_PARTS, CHAT_IS_ARRAY | CHAT_IS_OBJECT}};
    struct span values[2 * RESULT_FIELDS];
    const struct chat_part *call = NULL;
    struct chat_part *part = NULL;
    struct span id;

    gemini_generate_take(chat, &result_fields, object, values);
    gemini_generate_expect(chat, &result_fields, values, expected, ARRAY_LENGTH(expected));
    id = gemini_generate_said(values, RESULT_ID);
    call = answered(history, id, gemini_generate_said(values, RESULT_NAME));
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
    read_response(chat, part, gemini_generate_said(values, RESULT_RESPONSE));
    read_result_parts(chat, part, gemini_generate_said(values, RESULT_PARTS));
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
        if (gemini_generate_said(values, parts[i].field).len > 0) {
            chat_drop(history->chat, parts[i].param);
            history->is_server_last = true;
        }
    }
}

static void read_media(struct history *history, const struct span *values)
{
    struct chat *chat = history->chat;
    struct span blob = gemini_generate_said(values, PART_BLOB);
    struct span file = gemini_generate_said(values, PART_FILE);
    struct gemini_generate_place place = {.param = "contents[].parts[].inlineData"};

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
        gemini_generate_read_blob(chat, &place, blob);
    }
    if (file.len > 0) {
        place.param = "contents[].parts[].fileData";
        gemini_generate_read_file(chat, &place, file);
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

/* A call or a result is no thought, whatever its part says. */
static bool is_deed(const struct span *values)
{
    return gemini_generate_said(values, PART_CALL).len > 0 || gemini_generate_said(values, PART_RESULT).len > 0;
}

static void read_part(struct history *history, struct span *values)
{
    static const struct chat_expected expected[] = {
        {PART_THOUGHT, CHAT_IS_BOOL}, {PART_CALL, CHAT_IS_OBJECT}, {PART_RESULT, CHAT_IS_OBJECT}};

    gemini_generate_expect(history->chat, &part_fields, values, expected, ARRAY_LENGTH(expected));
    if (span_equal(gemini_generate_said(values, PART_THOUGHT), SPAN_OF("true")) && !is_deed(values)) {
        return;
    }
    read_text(history->chat, history->role, gemini_generate_said(values, PART_TEXT));
    read_media(history, values);
    if (gemini_generate_said(values, PART_CALL).len > 0) {
        read_call(history, gemini_generate_said(values, PART_CALL));
    }
    if (gemini_generate_said(values, PART_RESULT).len > 0) {
        read_result(history, gemini_generate_said(values, PART_RESULT));
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

void gemini_generate_read_contents(struct chat *chat, struct span contents)
{
    struct history history = {.chat = chat};
    struct gemini_generate_items items = gemini_generate_items_of(contents);
    struct span values[2 * CONTENT_FIELDS];

    while (gemini_generate_take_next(chat, &items, &content_fields, values)) {
        struct gemini_generate_items parts;
        struct span part[2 * PART_FIELDS];

        if (items.is_odd) {
            chat_refuse(chat, "contents[]", "A content must be an object");
            return;
        }
        read_role(&history, gemini_generate_said(values, CONTENT_ROLE));
        history.is_server_last = false;
        parts = gemini_generate_items_of(gemini_generate_said(values, CONTENT_PARTS));
        while (gemini_generate_take_next(chat, &parts, &part_fields, part)) {
            if (parts.is_odd) {
                chat_refuse(chat, "contents[].parts[]", "A part must be an object");
            } else {
                read_part(&history, part);
            }
        }
    }
    if (history.is_server_last) {
        chat_refuse(chat, "contents[].parts[]",
                    "The last turn depends on what a tool of Google's did");
    }
}

void gemini_generate_read_system(struct chat *chat, struct span instruction)
{
    struct span values[2 * CONTENT_FIELDS];
    struct gemini_generate_items parts;
    struct span part;

    if (instruction.len > 0 && !json_is_object(instruction)) {
        chat_refuse(chat, "systemInstruction", "Instructions must be an object");
        return;
    }
    gemini_generate_take(chat, &system_fields, instruction, values);
    parts = gemini_generate_items_of(gemini_generate_said(values, CONTENT_PARTS));
    while (gemini_generate_next(&parts, &part)) {
        static const struct chat_expected expected = {PART_THOUGHT, CHAT_IS_BOOL};
        struct span said[2 * PART_FIELDS];

        gemini_generate_take(chat, &system_part_fields, part, said);
        gemini_generate_expect(chat, &system_part_fields, said, &expected, 1);
        read_text(chat, CHAT_SYSTEM, gemini_generate_said(said, PART_TEXT));
        for (size_t i = PART_BLOB; i <= PART_SERVER_RESULT; i++) {
            if (i != PART_THOUGHT && gemini_generate_said(said, i).len > 0) {
                chat_refuse(chat, "systemInstruction.parts[]", "Instructions are text");
            }
        }
    }
}
