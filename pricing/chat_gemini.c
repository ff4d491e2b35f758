/* SPDX-License-Identifier: Apache-2.0 */
/* Contents of Gemini, to be answered or embedded (gemini.md 3). No vocabulary is public: texts are
 * counted by another one and multiplied, so nothing here is exact. Members have two spellings. */
#include "base/must.h"
#include "pricing/chat_parts.h"
#include "wire/json_walk.h"

enum {
    MESSAGE = 2,
    CALL = 6, /* the frame of a call, a result or a definition */

    SLACK_MESSAGE = 2,
    SLACK_CALL = 8,
    SLACK_HOSTED = 500, /* a tool of the provider's own */
    DEPTH_MAX = 2       /* a result may bring media of its own */
};

static void count_parts(struct counting *counting, struct span parts, unsigned depth);

/* The first of two spellings that is there. */
static struct span either(struct span one, struct span other)
{
    return one.len > 0 ? one : other;
}

/* {mimeType, data | fileUri} */
static void count_media(struct counting *counting, struct span media)
{
    struct span type = either(json_walk_find(media, "mimeType"), json_walk_find(media, "mime_type"));

    if (span_starts(type, SPAN_OF("\"image/"))) {
        struct span data = json_walk_find(media, "data");

        counting_picture(counting, json_is_string(data) ? data : span_make(NULL, 0));
    } else {
        counting->media++;
    }
}

static void count_call(struct counting *counting, struct span call, unsigned depth)
{
    counting_json(counting, call);
    counting->frame += CALL;
    counting->slack += SLACK_CALL;
    count_parts(counting, json_walk_find(call, "parts"), depth);
}

enum part_kind { PART_TEXT, PART_MEDIA, PART_CALL, PART_SEALED, PART_QUIET };

/* What nobody knows yet is counted as JSON. */
static enum part_kind kind_of(struct span name)
{
    static const struct {
        const char *name;
        enum part_kind kind;
    } rows[] = {
        {"text", PART_TEXT},
        {"inlineData", PART_MEDIA},
        {"inline_data", PART_MEDIA},
        {"fileData", PART_MEDIA},
        {"file_data", PART_MEDIA},
        {"thoughtSignature", PART_SEALED},
        {"thought_signature", PART_SEALED},
        {"thought", PART_QUIET},
        {"videoMetadata", PART_QUIET},
        {"video_metadata", PART_QUIET},
        {"mediaResolution", PART_QUIET},
        {"media_resolution", PART_QUIET},
        {"partMetadata", PART_QUIET},
        {"part_metadata", PART_QUIET},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (json_is_text(name, rows[i].name)) {
            return rows[i].kind;
        }
    }
    return PART_CALL;
}

static void count_parts(struct counting *counting, struct span parts, unsigned depth)
{
    struct json_walk walk = json_walk_of(parts);
    struct span part;

    while (json_is_array(parts) && depth < DEPTH_MAX && json_walk_item(&walk, &part)) {
        struct json_walk members = json_walk_of(part);
        struct span name;
        struct span value;

        while (json_is_object(part) && json_walk_member(&members, &name, &value)) {
            switch (kind_of(name)) {
            case PART_TEXT: counting_string(counting, value, ""); break;
            case PART_MEDIA: count_media(counting, value); break;
            case PART_CALL: count_call(counting, value, depth + 1); break;
            case PART_SEALED: counting_sealed(counting, value); break;
            case PART_QUIET: break;
            }
        }
    }
}

static void count_turn(struct counting *counting, struct span content)
{
    if (json_is_object(content)) {
        count_parts(counting, json_walk_find(content, "parts"), 0);
        counting->frame += MESSAGE;
        counting->slack += SLACK_MESSAGE;
    }
}

static void count_contents(struct counting *counting, struct span contents)
{
    struct json_walk walk = json_walk_of(contents);
    struct span content;

    while (json_is_array(contents) && json_walk_item(&walk, &content)) {
        count_turn(counting, content);
    }
}

static void count_tool(struct counting *counting, struct span tool)
{
    struct span list = either(json_walk_find(tool, "functionDeclarations"),
                              json_walk_find(tool, "function_declarations"));
    struct json_walk walk = json_walk_of(list);
    struct span declaration;

    counting->slack += json_is_array(list) ? 0 : SLACK_HOSTED;
    while (json_is_array(list) && json_walk_item(&walk, &declaration)) {
        counting_json(counting, declaration);
        counting->frame += CALL;
        counting->slack += SLACK_CALL;
    }
}

void count_generate(struct counting *counting, struct span body)
{
    enum { CONTENTS, SYSTEM, SYSTEM_TOO, TOOLS, CACHED, CACHED_TOO, TOKEN, TOKEN_TOO, MEMBERS };
    static const char *const members[MEMBERS] = {
        "contents",      "systemInstruction", "system_instruction", "tools",
        "cachedContent", "cached_content",    "continuationToken",  "continuation_token"};
    struct span values[MEMBERS];
    struct span wrapped = json_walk_find(body, "generateContentRequest"); /* as countTokens may have it */
    struct json_walk walk;
    struct span tool;

    json_walk_pick(json_is_object(wrapped) ? wrapped : body, members, MEMBERS, values);
    count_contents(counting, values[CONTENTS]);
    count_turn(counting, either(values[SYSTEM], values[SYSTEM_TOO]));
    walk = json_walk_of(values[TOOLS]);
    while (json_is_array(values[TOOLS]) && json_walk_item(&walk, &tool)) {
        count_tool(counting, tool);
    }
    counting->is_elsewhere =
        counting->is_elsewhere || json_is_string(either(values[CACHED], values[CACHED_TOO])) ||
        json_is_string(either(values[TOKEN], values[TOKEN_TOO]));
}

void count_embed(struct counting *counting, struct span body)
{
    struct span requests = json_walk_find(body, "requests");
    struct json_walk walk = json_walk_of(requests);
    struct span request;

    count_turn(counting, json_walk_find(body, "content"));
    while (json_is_array(requests) && json_walk_item(&walk, &request)) {
        count_turn(counting, json_walk_find(request, "content"));
    }
}
