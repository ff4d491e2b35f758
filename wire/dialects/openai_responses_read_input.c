/* SPDX-License-Identifier: Apache-2.0 */
/* The input of a request of POST /responses: a text, or items that stand side by side, calls and their
 * results too, without turns around them (openai.md 7; translation.md 14). */
#include "wire/dialects/openai_responses.h"

#include "base/must.h"
#include "wire/json_walk.h"

#define OWN_TOOL "It belongs to a tool that its provider runs"
#define FREE_TEXT "Tools that take free text have no counterpart in other dialects"
#define UNKNOWN "Items of this type have no counterpart in other dialects"

enum message_place {
#define MESSAGE_FIELD(NAME, name, mark, why) MESSAGE_##NAME,
#include "wire/dialects/openai_responses_fields.def"
    MESSAGE_PLACES
};
enum call_place {
#define CALL_FIELD(NAME, name, mark, why) CALL_##NAME,
#include "wire/dialects/openai_responses_fields.def"
    CALL_PLACES
};
enum result_place {
#define RESULT_FIELD(NAME, name, mark, why) RESULT_##NAME,
#include "wire/dialects/openai_responses_fields.def"
    RESULT_PLACES
};
enum part_place {
#define PART_FIELD(NAME, name, mark, why) PART_##NAME,
#include "wire/dialects/openai_responses_fields.def"
    PART_PLACES
};

static const struct chat_field message_list[MESSAGE_PLACES] = {
#define MESSAGE_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_responses_fields.def"
};
static const struct chat_field call_list[CALL_PLACES] = {
#define CALL_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_responses_fields.def"
};
static const struct chat_field result_list[RESULT_PLACES] = {
#define RESULT_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_responses_fields.def"
};
static const struct chat_field part_list[PART_PLACES] = {
#define PART_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_responses_fields.def"
};
static const struct chat_fields message_fields = {"input[].", message_list, MESSAGE_PLACES};
static const struct chat_fields call_fields = {"input[].", call_list, CALL_PLACES};
static const struct chat_fields result_fields = {"input[].", result_list, RESULT_PLACES};
static const struct chat_fields part_fields = {"input[].content[].", part_list, PART_PLACES};

/* ---- parts ---- */

/* Where parts go: a turn, or the result of a call. */
struct place {
    struct chat_turn *turn;
    struct chat_part *result;
    bool takes_media;
};

static struct chat_part *add(struct chat *chat, const struct place *place, enum chat_part_kind kind)
{
    return place->result != NULL ? chat_add_inner(chat, place->result, kind)
                                 : chat_add_part(chat, place->turn, kind);
}

static void add_text(struct chat *chat, const struct place *place, struct span text, enum chat_cache cache)
{
    struct chat_part *part = NULL;

    if (!json_is_string(text)) {
        chat_refuse(chat, "input[].content[].text", "A part has no text that is a string");
    } else if (chat_inside(text).len > 0 && (part = add(chat, place, CHAT_TEXT)) != NULL) {
        part->text = text;
        part->cache = cache;
    }
}

/* A data URL taken apart, or one of the web; neither: false. */
static bool set_source(struct chat *chat, struct chat_part *part, struct span url)
{
    if (chat_data_url(chat, url, &part->media, &part->data)) {
        return true;
    }
    part->url = url;
    return span_starts_nocase(chat_inside(url), SPAN_OF("http://")) ||
           span_starts_nocase(chat_inside(url), SPAN_OF("https://")) ||
           span_starts_nocase(chat_inside(url), SPAN_OF("http:\\/\\/")) ||
           span_starts_nocase(chat_inside(url), SPAN_OF("https:\\/\\/"));
}

static void add_media(struct chat *chat, const struct place *place, const struct span *values,
                      enum chat_cache cache)
{
    bool is_image = json_is_text(values[PART_TYPE], "input_image");
    struct span url = values[is_image ? PART_IMAGE_URL : PART_FILE_DATA];
    struct chat_part *part = NULL;

    if (!place->takes_media) {
        chat_refuse(chat, "input[].content", "Only users and functions have images and files here");
        return;
    }
    part = add(chat, place, is_image ? CHAT_IMAGE : CHAT_DOCUMENT);
    if (part == NULL) {
        return;
    }
    part->cache = cache;
    if (!is_image && json_is_string(values[PART_FILENAME])) {
        part->name = values[PART_FILENAME];
    }
    if (!is_image && url.len == 0) {
        url = values[PART_FILE_URL];
    }
    if (!json_is_string(url) || !set_source(chat, part, url)) {
        chat_refuse(chat, is_image ? "input[].content[].image_url" : "input[].content[].file_data",
                    "It is neither a data URL with base64 nor one of the web");
    }
}

/* {mode: "explicit", ttl: "30m" | "12h"}: both are longer than the five minutes that are SHORT. */
static enum chat_cache cache_of(struct span breakpoint)
{
    return json_is_object(breakpoint) ? CHAT_CACHE_LONG : CHAT_CACHE_NONE;
}

static void read_part(struct chat *chat, const struct place *place, struct span *values)
{
    static const struct chat_expected expected[] = {{PART_FILENAME, CHAT_IS_STRING}, {PART_BREAKPOINT, CHAT_IS_OBJECT}};
    uint32_t used = 1U << PART_TYPE | 1U << PART_BREAKPOINT;
    struct span type = values[PART_TYPE];
    enum chat_cache cache = CHAT_CACHE_NONE;

    chat_expect(chat, &part_fields, values, expected, ARRAY_LENGTH(expected));
    cache = cache_of(values[PART_BREAKPOINT]);
    if (json_is_text(type, "input_text") || json_is_text(type, "output_text") || json_is_text(type, "text")) {
        add_text(chat, place, values[PART_TEXT], cache);
        used |= 1U << PART_TEXT;
    } else if (json_is_text(type, "refusal")) {
        add_text(chat, place, values[PART_REFUSAL], cache);
        used |= 1U << PART_REFUSAL;
    } else if (json_is_text(type, "input_image")) {
        add_media(chat, place, values, cache);
        used |= 1U << PART_IMAGE_URL;
    } else if (json_is_text(type, "input_file")) {
        add_media(chat, place, values, cache);
        used |= 1U << PART_FILE_DATA | 1U << PART_FILENAME | (values[PART_FILE_DATA].len > 0 ? 0 : 1U << PART_FILE_URL);
    } else {
        chat_refuse_one(chat, "input[].content[].type", "Parts of this type have no counterpart in other dialects", type);
    }
    chat_spare(chat, &part_fields, values, used);
}

/* A text, or parts, or nothing. */
static void read_content(struct chat *chat, const struct place *place, struct span content)
{
    struct json_walk walk = json_walk_of(content);
    struct span values[PART_PLACES];

    if (json_is_string(content)) {
        add_text(chat, place, content, CHAT_CACHE_NONE);
    } else if (content.len > 0 && !json_is_array(content)) {
        chat_refuse(chat, place->result != NULL ? "input[].output" : "input[].content",
                    "It is neither a text nor a list of parts");
    }
    while (json_is_array(content) && chat_take_next(chat, &part_fields, &walk, values)) {
        read_part(chat, place, values);
    }
}

/* ---- items ---- */

static void read_message(struct chat *chat, struct json_walk *walk)
{
    static const struct {
        const char *name;
        enum chat_role role;
    } roles[] = {
        {"user", CHAT_USER}, {"assistant", CHAT_MODEL}, {"system", CHAT_SYSTEM}, {"developer", CHAT_SYSTEM}};
    static const struct chat_expected expected[] = {{MESSAGE_TYPE, CHAT_IS_STRING}};
    struct span values[MESSAGE_PLACES];
    struct place place = {0};
    size_t i = 0;

    (void)chat_take_next(chat, &message_fields, walk, values);
    chat_expect(chat, &message_fields, values, expected, ARRAY_LENGTH(expected));
    while (i < ARRAY_LENGTH(roles) && !json_is_text(values[MESSAGE_ROLE], roles[i].name)) {
        i++;
    }
    if (i == ARRAY_LENGTH(roles)) {
        chat_refuse_one(chat, "input[].role", "This role has no counterpart in other dialects", values[MESSAGE_ROLE]);
        return;
    }
    place.turn = chat_turn(chat, roles[i].role);
    place.takes_media = roles[i].role == CHAT_USER;
    read_content(chat, &place, values[MESSAGE_CONTENT]);
}

static void read_call(struct chat *chat, struct json_walk *walk)
{
    struct span values[CALL_PLACES];
    struct chat_part *part = NULL;
    bool is_good = false;

    (void)chat_take_next(chat, &call_fields, walk, values);
    if (chat_inside(values[CALL_CALL_ID]).len == 0 || chat_inside(values[CALL_NAME]).len == 0) {
        chat_refuse(chat, "input[].call_id", "A call of a function lacks its id or its name");
        return;
    }
    part = chat_add_part(chat, chat_turn(chat, CHAT_MODEL), CHAT_CALL);
    if (part == NULL) {
        return;
    }
    if (values[CALL_ARGUMENTS].len > 0 && !json_is_string(values[CALL_ARGUMENTS])) {
        chat_refuse(chat, "input[].arguments", "The arguments of a call are no string");
    }
    part->id = values[CALL_CALL_ID];
    part->name = values[CALL_NAME];
    part->input = chat_arguments(chat, values[CALL_ARGUMENTS], &is_good);
    if (!is_good) {
        chat_change(chat, "input[].arguments");
    }
}

static void read_result(struct chat *chat, struct json_walk *walk)
{
    struct span values[RESULT_PLACES];
    struct place place = {.takes_media = true};
    const struct chat_part *call = NULL;

    (void)chat_take_next(chat, &result_fields, walk, values);
    if (chat_inside(values[RESULT_CALL_ID]).len == 0) {
        chat_refuse(chat, "input[].call_id", "The output of a function does not say of which call");
        return;
    }
    call = chat_call_of(chat, values[RESULT_CALL_ID]);
    place.result = chat_add_part(chat, chat_turn(chat, CHAT_USER), CHAT_RESULT);
    if (place.result == NULL) {
        return;
    }
    place.result->id = values[RESULT_CALL_ID];
    if (call != NULL) {
        place.result->name = call->name;
    }
    read_content(chat, &place, values[RESULT_OUTPUT]);
}

/* Signed for its maker, and of no use elsewhere. */
static void read_nothing(struct chat *chat, struct json_walk *walk)
{
    (void)chat;
    (void)json_walk_skip(walk);
}

/* The next item, which is there. */
static void read_item(struct chat *chat, struct json_walk *walk)
{
    static const struct {
        const char *type;
        void (*read)(struct chat *chat, struct json_walk *walk); /* NULL: refused */
        const char *why;
    } rows[] = {
        {"message", read_message, NULL},
        {"function_call", read_call, NULL},
        {"function_call_output", read_result, NULL},
        {"reasoning", read_nothing, NULL},
        {"item_reference", NULL, OPENAI_RESPONSES_KEPT},
        {"compaction", NULL, OPENAI_RESPONSES_KEPT},
        {"compaction_trigger", NULL, OPENAI_RESPONSES_KEPT},
        {"custom_tool_call", NULL, FREE_TEXT},
        {"custom_tool_call_output", NULL, FREE_TEXT},
        {"file_search_call", NULL, OWN_TOOL},
        {"web_search_call", NULL, OWN_TOOL},
        {"computer_call", NULL, OWN_TOOL},
        {"computer_call_output", NULL, OWN_TOOL},
        {"code_interpreter_call", NULL, OWN_TOOL},
        {"image_generation_call", NULL, OWN_TOOL},
        {"local_shell_call", NULL, OWN_TOOL},
        {"local_shell_call_output", NULL, OWN_TOOL},
        {"shell_call", NULL, OWN_TOOL},
        {"shell_call_output", NULL, OWN_TOOL},
        {"apply_patch_call", NULL, OWN_TOOL},
        {"apply_patch_call_output", NULL, OWN_TOOL},
        {"mcp_list_tools", NULL, OWN_TOOL},
        {"mcp_call", NULL, OWN_TOOL},
        {"mcp_approval_request", NULL, OWN_TOOL},
        {"mcp_approval_response", NULL, OWN_TOOL},
    };
    struct span type = json_walk_ahead(walk, "type");
    size_t i = 0;

    if (!json_is_string(type) && json_is_string(json_walk_ahead(walk, "role"))) {
        read_message(chat, walk); /* messages need not say that they are */
        return;
    }
    while (i < ARRAY_LENGTH(rows) && !json_is_text(type, rows[i].type)) {
        i++;
    }
    if (i < ARRAY_LENGTH(rows) && rows[i].read != NULL) {
        rows[i].read(chat, walk);
    } else {
        (void)json_walk_skip(walk);
        chat_refuse_one(chat, "input[].type", i < ARRAY_LENGTH(rows) ? rows[i].why : UNKNOWN, type);
    }
}

void openai_responses_read_input(struct chat *chat, struct span input)
{
    struct json_walk walk = json_walk_of(input);
    char first = 0;

    if (json_is_string(input)) {
        chat_add_text(chat, chat_turn(chat, CHAT_USER), input);
    } else if (!json_is_array(input)) {
        chat_refuse(chat, "input", "It is neither a text nor a list of items");
    }
    while (json_is_array(input) && json_walk_stop(&walk, NULL, &first)) {
        read_item(chat, &walk);
    }
}
