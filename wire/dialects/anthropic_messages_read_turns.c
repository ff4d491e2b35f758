/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation of a messages request into the hub: the instructions, and the turns with their blocks
 * (anthropic.md 3, 4; translation.md 3). */
#include "wire/dialects/anthropic_messages.h"

#include "base/must.h"
#include "wire/json_walk.h"

/* Claude Code says in its first line which client asks. That changes from request to request and would defeat the
 * caches of others (translation.md 3). What follows on further lines stays. */
static struct span without_attribution(struct chat *chat, struct span text)
{
    static const struct span line_end = SPAN("\\n");
    struct span rest = chat_inside(text);
    const char *end = span_find(rest, line_end);
    char *kept = NULL;

    if (!span_starts(rest, SPAN_OF("x-anthropic-billing-header:"))) {
        return text;
    }
    rest = end == NULL ? span_make("", 0) : span_from(rest, (size_t)(end - rest.at) + line_end.len);
    kept = rest.len > 0 ? arena_take(chat->arena, rest.len + 2) : NULL;
    if (kept == NULL) {
        return span_make("", 0);
    }
    kept[0] = '"';
    memcpy(kept + 1, rest.at, rest.len);
    kept[rest.len + 1] = '"';
    return span_make(kept, rest.len + 2);
}

static void read_system_block(struct chat *chat, struct chat_turn *turn, struct span block, bool is_first)
{
    struct span got[SYSTEM_FIELDS];
    struct chat_part *part = NULL;
    struct span text;

    messages_take(chat, MESSAGES_SYSTEM, block, got);
    if (!json_is_text(got[SYSTEM_TYPE], "text")) {
        chat_refuse_one(chat, "system[].type", "Instructions are text", got[SYSTEM_TYPE]);
        return;
    }
    text = is_first ? without_attribution(chat, got[SYSTEM_TEXT]) : got[SYSTEM_TEXT];
    part = chat_inside(text).len > 0 ? chat_add_part(chat, turn, CHAT_TEXT) : NULL;
    if (part != NULL) {
        part->text = text;
        part->cache = messages_cache(chat, got[SYSTEM_CACHE]);
    }
}

void messages_read_system(struct chat *chat, struct span value)
{
    struct json_walk walk = json_walk_of(json_is_array(value) ? value : span_make("", 0));
    struct chat_turn *turn = chat_turn(chat, CHAT_SYSTEM);
    struct span block;
    bool is_first = true;

    if (json_is_string(value)) {
        chat_add_text(chat, turn, without_attribution(chat, value));
    }
    while (!chat_is_refused(chat) && json_walk_item(&walk, &block)) {
        read_system_block(chat, turn, block, is_first);
        is_first = false;
    }
}

/* ---- turns ---- */

static void read_call(const struct messages_place *place, struct json_walk *walk)
{
    struct span got[CALL_FIELDS];
    struct chat_part *part = NULL;

    messages_take_next(place->chat, MESSAGES_CALL, walk, got);
    if (chat_inside(got[CALL_ID]).len == 0 || chat_inside(got[CALL_NAME]).len == 0 ||
        !json_is_object(got[CALL_INPUT])) {
        chat_refuse(place->chat, "messages[].content[].tool_use", "A call has an id, a name and an object as its input");
        return;
    }
    part = chat_add_part(place->chat, place->turn, CHAT_CALL);
    if (part != NULL) {
        part->id = got[CALL_ID];
        part->name = got[CALL_NAME];
        part->input = got[CALL_INPUT];
        part->cache = messages_cache(place->chat, got[CALL_CACHE]);
    }
}

/* What a tool said. */
static void read_inner(const struct messages_place *place, struct span content)
{
    struct json_walk walk = json_walk_of(json_is_array(content) ? content : span_make("", 0));
    struct chat_part *part = NULL;
    char first = 0;

    if (chat_inside(content).len > 0) {
        part = chat_add_inner(place->chat, place->result, CHAT_TEXT);
        if (part != NULL) {
            part->text = content;
        }
    }
    while (!chat_is_refused(place->chat) && json_walk_stop(&walk, NULL, &first)) {
        messages_read_part(place, json_walk_ahead(&walk, "type"), &walk);
    }
}

static void read_result(const struct messages_place *place, struct json_walk *walk)
{
    static const struct chat_expected expected[] = {{RESULT_IS_ERROR, CHAT_IS_BOOL},
                                                    {RESULT_CONTENT, CHAT_IS_STRING | CHAT_IS_ARRAY}};
    struct span got[RESULT_FIELDS];
    struct messages_place inside = *place;
    const struct chat_part *call = NULL;

    messages_take_next(place->chat, MESSAGES_RESULT, walk, got);
    messages_expect(place->chat, MESSAGES_RESULT, got, expected, ARRAY_LENGTH(expected));
    if (chat_inside(got[RESULT_ID]).len == 0) {
        chat_refuse(place->chat, "messages[].content[].tool_use_id", "A result names its call");
        return;
    }
    call = chat_call_of(place->chat, got[RESULT_ID]);
    inside.result = chat_add_part(place->chat, place->turn, CHAT_RESULT);
    if (inside.result == NULL) {
        return;
    }
    inside.result->id = got[RESULT_ID];
    inside.result->name = call == NULL ? span_make("", 0) : call->name;
    inside.result->is_error = span_equal(got[RESULT_IS_ERROR], SPAN_OF("true"));
    inside.result->cache = messages_cache(place->chat, got[RESULT_CACHE]);
    read_inner(&inside, got[RESULT_CONTENT]);
}

/* Whether a block of this kind may stand in a turn of this role (anthropic.md 4); of the kinds that are lost in any
 * case it may. */
static bool is_misplaced(enum chat_role role, struct span type)
{
    static const char *const of_user[] = {"image", "document", "search_result", "tool_result"};

    if (role == CHAT_USER) {
        return json_is_text(type, "tool_use");
    }
    for (size_t i = 0; i < sizeof of_user / sizeof *of_user; i++) {
        if (json_is_text(type, of_user[i])) {
            return true;
        }
    }
    return role == CHAT_SYSTEM && !json_is_text(type, "text");
}

static void read_block(const struct messages_place *place, struct span type, struct json_walk *walk)
{
    if (is_misplaced(place->turn->role, type)) {
        chat_refuse_one(place->chat, "messages[].content[].type", "This kind of block cannot stand in a turn of this role", type);
    } else if (json_is_text(type, "tool_use")) {
        read_call(place, walk);
    } else if (json_is_text(type, "tool_result")) {
        read_result(place, walk);
    } else {
        messages_read_part(place, type, walk);
    }
}

static void read_blocks(const struct messages_place *place, struct span content)
{
    struct json_walk walk = json_walk_of(json_is_array(content) ? content : span_make("", 0));
    char first = 0;

    while (!chat_is_refused(place->chat) && json_walk_stop(&walk, NULL, &first)) {
        read_block(place, json_walk_ahead(&walk, "type"), &walk);
    }
}

static bool role_of(struct span value, enum chat_role *role)
{
    if (json_is_text(value, "user")) {
        *role = CHAT_USER;
    } else if (json_is_text(value, "assistant")) {
        *role = CHAT_MODEL;
    } else if (json_is_text(value, "system")) {
        *role = CHAT_SYSTEM;
    } else {
        return false;
    }
    return true;
}

static void read_message(struct chat *chat, const struct span *got, bool is_last)
{
    struct messages_place place = {.chat = chat, .is_last = is_last};
    enum chat_role role = CHAT_USER;

    if (!role_of(got[MESSAGE_ROLE], &role)) {
        chat_refuse_one(chat, "messages[].role", "It is none of user, assistant and system", got[MESSAGE_ROLE]);
        return;
    }
    place.turn = chat_turn(chat, role);
    if (place.turn == NULL) {
        return;
    }
    if (json_is_string(got[MESSAGE_CONTENT])) {
        chat_add_text(chat, place.turn, got[MESSAGE_CONTENT]);
    }
    read_blocks(&place, got[MESSAGE_CONTENT]);
}

void messages_read_turns(struct chat *chat, struct span value)
{
    struct json_walk walk = json_walk_of(json_is_array(value) ? value : span_make("", 0));
    char first = 0;
    bool is_more = json_walk_stop(&walk, NULL, &first);

    while (is_more && !chat_is_refused(chat)) {
        struct span message[MESSAGE_FIELDS];

        messages_take_next(chat, MESSAGES_MESSAGE, &walk, message);
        is_more = json_walk_stop(&walk, NULL, &first);
        read_message(chat, message, !is_more);
    }
    chat_put_results_first(chat);
}
