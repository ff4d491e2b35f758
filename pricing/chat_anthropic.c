/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of Anthropic. No vocabulary is public: texts are counted by another one and multiplied,
 * and the frame is what one user message was seen to cost, so nothing here is exact. */
#include "base/must.h"
#include "pricing/chat_parts.h"
#include "wire/json_walk.h"

enum {
    FRAME = 3, /* of a request; with one message: 7 */
    MESSAGE = 4,
    TOOLS = 346, /* what the vendor says that tools add before the first of them */
    TOOL = 12,   /* the frame of a definition, a call or a result */

    SLACK_FRAME = 4,
    SLACK_MESSAGE = 2,
    SLACK_TOOLS = 100,
    SLACK_TOOL = 8,
    SLACK_HOSTED = 500, /* a tool of the provider's own */
    DEPTH_MAX = 4       /* a result holds a document that holds blocks */
};

static void count_blocks(struct counting *counting, struct span content, unsigned depth);

/* A document whose text is in the request; a picture; any other is media. */
static void count_source(struct counting *counting, struct span source, bool is_picture,
                         unsigned depth)
{
    static const char *const members[] = {"type", "data", "content"};
    struct span values[ARRAY_LENGTH(members)];

    json_walk_pick(source, members, ARRAY_LENGTH(members), values);
    if (json_is_text(values[0], "text")) {
        counting_string(counting, values[1], "");
    } else if (json_is_text(values[0], "content")) {
        count_blocks(counting, values[2], depth);
    } else if (is_picture) {
        counting_picture(counting, json_is_text(values[0], "base64") && json_is_string(values[1])
                                       ? values[1]
                                       : span_make(NULL, 0));
    } else {
        counting->media++;
    }
}

static void count_block(struct counting *counting, struct span block, unsigned depth)
{
    enum {
        TEXT,
        THINKING,
        NAME,
        INPUT,
        CONTENT,
        SOURCE,
        TITLE,
        CONTEXT,
        TYPE,
        SIGNATURE,
        DATA,
        MEMBERS
    };
    static const char *const members[MEMBERS] = {
        "text",  "thinking", "name", "input",     "content", "source",
        "title", "context",  "type", "signature", "data"};
    struct span values[MEMBERS];

    json_walk_pick(block, members, MEMBERS, values);
    counting_string(counting, values[TEXT], "");
    counting_string(counting, values[THINKING], "");
    counting_string(counting, values[TITLE], "");
    counting_string(counting, values[CONTEXT], "");
    if (json_is_object(values[INPUT])) {
        counting_string(counting, values[NAME], "");
        counting_text(counting, values[INPUT]);
        counting->frame += TOOL;
        counting->slack += SLACK_TOOL;
    }
    if (json_is_text(values[TYPE], "tool_result") || values[CONTENT].len > 0) {
        count_blocks(counting, values[CONTENT], depth);
        counting->frame += TOOL;
        counting->slack += SLACK_TOOL;
    }
    if (json_is_object(values[SOURCE])) {
        count_source(counting, values[SOURCE], json_is_text(values[TYPE], "image"), depth);
    }
    counting_sealed(counting, values[SIGNATURE]);
    counting_sealed(counting, values[DATA]);
}

/* A string or a list of blocks. */
static void count_blocks(struct counting *counting, struct span content, unsigned depth)
{
    struct json_walk walk = json_walk_of(content);
    struct span block;

    counting_string(counting, content, "");
    while (json_is_array(content) && depth < DEPTH_MAX && json_walk_item(&walk, &block)) {
        count_block(counting, block, depth + 1);
    }
}

static void count_definitions(struct counting *counting, struct span tools)
{
    enum { NAME, DESCRIPTION, SCHEMA, MEMBERS };
    static const char *const members[MEMBERS] = {"name", "description", "input_schema"};
    struct json_walk walk = json_walk_of(tools);
    struct span values[MEMBERS];
    struct span tool;
    bool has_any = false;

    while (json_is_array(tools) && json_walk_item(&walk, &tool)) {
        json_walk_pick(tool, members, MEMBERS, values);
        counting_string(counting, values[NAME], "");
        counting_string(counting, values[DESCRIPTION], "");
        counting_json(counting, values[SCHEMA]);
        counting->frame += TOOL;
        counting->slack += values[SCHEMA].len > 0 ? SLACK_TOOL : SLACK_HOSTED;
        has_any = true;
    }
    counting->frame += has_any ? TOOLS : 0;
    counting->slack += has_any ? SLACK_TOOLS : 0;
}

void count_messages(struct counting *counting, struct span body)
{
    enum { SYSTEM, MESSAGES, DEFINITIONS, CONTAINER, MEMBERS };
    static const char *const members[MEMBERS] = {"system", "messages", "tools", "container"};
    struct span values[MEMBERS];
    struct json_walk walk;
    struct span message;

    json_walk_pick(body, members, MEMBERS, values);
    count_blocks(counting, values[SYSTEM], 0);
    count_definitions(counting, values[DEFINITIONS]);
    walk = json_walk_of(values[MESSAGES]);
    while (json_is_array(values[MESSAGES]) && json_walk_item(&walk, &message)) {
        count_blocks(counting, json_walk_find(message, "content"), 0);
        counting->frame += MESSAGE;
        counting->slack += SLACK_MESSAGE;
    }
    counting->frame += FRAME;
    counting->slack += SLACK_FRAME;
}
