/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of a chat completion request into the hub (openai.md 3; translation.md 3):
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

static const struct chat_fields message_fields = {"messages[].", message_list, MESSAGE_FIELDS};
static const struct chat_fields call_fields = {"messages[].tool_calls[].", call_list, CALL_FIELDS};
static const struct chat_fields called_fields = {"messages[].tool_calls[].function.", called_list,
                                                 CALLED_FIELDS};

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

/* The name of who speaks has no place elsewhere. */
static void read_said(struct reader *reader, enum chat_role role, const struct span *values)
{
    struct openai_chat_place place = {reader->chat, chat_turn(reader->chat, role), NULL, role == CHAT_USER ? OPENAI_CHAT_BY_USER : OPENAI_CHAT_TEXTS};

    if (place.turn == NULL) {
        return;
    }
    if (values[MESSAGE_NAME].len > 0) {
        chat_drop(reader->chat, "messages[].name");
    }
    openai_chat_take_content(&place, values[MESSAGE_CONTENT]);
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
    struct span said[CALL_FIELDS];

    if (calls.len > 0 && !json_is_array(calls)) {
        chat_refuse(reader->chat, "messages[].tool_calls", "The calls of a message are no list");
        return;
    }
    while (!chat_is_refused(reader->chat) && chat_take_next(reader->chat, &call_fields, &walk, said)) {
        if (said[CALL_TYPE].len > 0 && !json_is_text(said[CALL_TYPE], "function")) {
            chat_refuse_one(reader->chat, "messages[].tool_calls[].type", "Only calls of functions are known to other dialects",
                            said[CALL_TYPE]);
            return;
        }
        read_called(reader, turn, said[CALL_ID], said[CALL_FUNCTION]);
    }
}

static void read_assistant(struct reader *reader, const struct span *values)
{
    struct chat_turn *turn = chat_turn(reader->chat, CHAT_MODEL);
    struct openai_chat_place place = {reader->chat, turn, NULL, OPENAI_CHAT_BY_MODEL};

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
    openai_chat_take_content(&place, values[MESSAGE_CONTENT]);
    chat_add_text(reader->chat, turn, values[MESSAGE_REFUSAL]);
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
    struct openai_chat_place place = {reader->chat, chat_turn(reader->chat, CHAT_USER), NULL, OPENAI_CHAT_BY_TOOL};

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
    openai_chat_take_content(&place, values[MESSAGE_CONTENT]);
}

/* What each may have besides its role and its content. Who speaks, `name`, is looked at where it is read. */
enum {
    SAID = 1 << MESSAGE_ROLE | 1 << MESSAGE_CONTENT | 1 << MESSAGE_NAME,
    ANSWERED = SAID | 1 << MESSAGE_REFUSAL | 1 << MESSAGE_TOOL_CALLS | 1 << MESSAGE_FUNCTION_CALL,
    RETURNED = SAID | 1 << MESSAGE_TOOL_CALL_ID
};
static const struct {
    const char *role;
    void (*read)(struct reader *reader, const struct span *values);
    uint32_t members;
} roles[] = {
    {"user", read_user, SAID},         {"assistant", read_assistant, ANSWERED},
    {"tool", read_result, RETURNED},   {"system", read_system, SAID},
    {"developer", read_system, SAID},  {"function", read_result, RETURNED},
};

static void read_message(struct reader *reader, struct span *values)
{
    static const struct chat_expected expected[] = {{MESSAGE_REFUSAL, CHAT_IS_STRING}};

    chat_expect(reader->chat, &message_fields, values, expected, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(roles); i++) {
        if (json_is_text(values[MESSAGE_ROLE], roles[i].role)) {
            roles[i].read(reader, values);
            chat_spare(reader->chat, &message_fields, values, roles[i].members);
            return;
        }
    }
    chat_refuse_one(reader->chat, "messages[].role", "A message has no role that is known", values[MESSAGE_ROLE]);
}

void openai_chat_take_messages(struct chat *chat, struct span messages)
{
    struct json_walk walk = json_walk_of(messages);
    struct reader reader = {.chat = chat};
    struct span values[MESSAGE_FIELDS];

    if (!json_is_array(messages)) {
        chat_refuse(chat, "messages", "The messages are no list");
        return;
    }
    while (!chat_is_refused(chat) && chat_take_next(chat, &message_fields, &walk, values)) {
        read_message(&reader, values);
    }
    chat_put_results_first(chat);
}
