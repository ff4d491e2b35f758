/* SPDX-License-Identifier: Apache-2.0 */
/* A request for Converse out of the hub: what the hub says after the fit, in the words of this grammar (bedrock.md 3;
 * wire/fit.h). The model and whether it is a stream stand in the path. What only Claude knows goes into
 * additionalModelRequestFields, as Anthropic calls it. */
#include "wire/dialects/bedrock_converse.h"

#include "base/must.h"
#include "wire/json_walk.h"

/* A block of its own, behind what is to be cached. */
static void put_cache(struct json_out *out, enum chat_cache cache)
{
    if (cache == CHAT_CACHE_NONE) {
        return;
    }
    json_open_object(out);
    json_key(out, "cachePoint");
    json_open_object(out);
    json_member_text(out, "type", "default");
    if (cache == CHAT_CACHE_LONG) {
        json_member_text(out, "ttl", "1h");
    }
    json_close_object(out);
    json_close_object(out);
}

/* ---- blocks ---- */

/* How Converse calls a kind of picture or file; the fit has let no others through (fit_media.c). */
static struct span format_of(struct span media)
{
    static const struct {
        struct span media;
        struct span format;
    } known[] = {
        {SPAN("image/jpeg"), SPAN("jpeg")},
        {SPAN("image/png"), SPAN("png")},
        {SPAN("image/gif"), SPAN("gif")},
        {SPAN("image/webp"), SPAN("webp")},
        {SPAN("application/pdf"), SPAN("pdf")},
        {SPAN("text/csv"), SPAN("csv")},
        {SPAN("text/html"), SPAN("html")},
        {SPAN("text/markdown"), SPAN("md")},
        {SPAN("application/msword"), SPAN("doc")},
        {SPAN("application/vnd.openxmlformats-officedocument.wordprocessingml.document"), SPAN("docx")},
        {SPAN("application/vnd.ms-excel"), SPAN("xls")},
        {SPAN("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), SPAN("xlsx")},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(known); i++) {
        if (span_equal_nocase(media, known[i].media)) {
            return known[i].format;
        }
    }
    return SPAN_OF("txt");
}

static bool is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '(' ||
           c == ')' || c == '[' || c == ']';
}

/* Names of files are letters, digits, blanks, hyphens and brackets, no two blanks in a row, no two names alike: each
 * has its number behind it. */
static void put_name(struct json_out *out, struct span string, unsigned number)
{
    enum { NAME_MAX_BYTES = 100 };
    struct span name = chat_inside(string);
    size_t from = 0;

    json_key(out, "name");
    json_raw(out, SPAN_OF("\""));
    from = out->buf->len;
    for (size_t i = 0; i < name.len && out->buf->len - from < NAME_MAX_BYTES; i++) {
        bool is_first = out->buf->len == from || out->buf->at[out->buf->len - 1] == ' ';

        if (is_of_name(name.at[i])) {
            buf_put_char(out->buf, name.at[i]);
        } else if (!is_first) {
            buf_put_char(out->buf, ' ');
        }
    }
    if (out->buf->len == from) {
        buf_put_text(out->buf, "document");
    }
    buf_put_text(out->buf, span_ends(buf_span(out->buf), SPAN_OF(" ")) ? "" : " ");
    buf_put_u64(out->buf, number);
    buf_put_char(out->buf, '"');
}

static void put_media(struct json_out *out, const struct chat_part *part, unsigned *documents)
{
    json_key(out, part->kind == CHAT_IMAGE ? "image" : "document");
    json_open_object(out);
    json_member_inside(out, "format", format_of(part->media));
    if (part->kind == CHAT_DOCUMENT) {
        put_name(out, part->name, ++*documents);
    }
    json_key(out, "source");
    json_open_object(out);
    json_member_inside(out, "bytes", part->data);
    json_close_object(out);
    json_close_object(out);
}

/* The kinds that stand in a turn as well as in a result. */
static void put_part(struct json_out *out, const struct chat_part *part, unsigned *documents)
{
    if (part->kind != CHAT_TEXT && part->kind != CHAT_IMAGE && part->kind != CHAT_DOCUMENT) {
        return; /* sound: the fit lets none through */
    }
    json_open_object(out);
    if (part->kind == CHAT_TEXT) {
        json_member(out, "text", part->text);
    } else {
        put_media(out, part, documents);
    }
    json_close_object(out);
}

static void put_call(struct json_out *out, const struct chat_part *part)
{
    json_open_object(out);
    json_key(out, "toolUse");
    json_open_object(out);
    json_member(out, "toolUseId", part->id);
    json_member(out, "name", part->name);
    json_member(out, "input", part->input.len > 0 ? part->input : SPAN_OF("{}"));
    json_close_object(out);
    json_close_object(out);
}

static void put_result(struct json_out *out, const struct chat_part *part, unsigned *documents)
{
    json_open_object(out);
    json_key(out, "toolResult");
    json_open_object(out);
    json_member(out, "toolUseId", part->id);
    json_key(out, "content");
    json_open_array(out);
    for (const struct chat_part *inner = part->inner; inner != NULL; inner = inner->next) {
        put_part(out, inner, documents);
    }
    json_close_array(out);
    if (part->is_error) {
        json_member_text(out, "status", "error");
    }
    json_close_object(out);
    json_close_object(out);
}

/* Inside of a result no cache can end: it ends behind it. */
static enum chat_cache cache_of(const struct chat_part *part)
{
    enum chat_cache cache = part->cache;

    for (const struct chat_part *inner = part->inner; inner != NULL; inner = inner->next) {
        cache = inner->cache > cache ? inner->cache : cache;
    }
    return cache;
}

static void put_blocks(struct json_out *out, const struct chat_turn *turn, unsigned *documents)
{
    /* Results come first in their turn, as fit_history has put them. */
    for (const struct chat_part *part = turn->parts; part != NULL; part = part->next) {
        if (part->kind == CHAT_RESULT) {
            put_result(out, part, documents);
        } else if (part->kind == CHAT_CALL) {
            put_call(out, part);
        } else {
            put_part(out, part, documents);
        }
        put_cache(out, cache_of(part));
    }
}

/* Behind what it says a cache of the whole request ends: a begun answer is none of it. */
static const struct chat_turn *last_of_user(const struct chat *chat)
{
    const struct chat_turn *last = NULL;

    for (const struct chat_turn *turn = chat->turns; turn != NULL; turn = turn->next) {
        last = turn->role == CHAT_USER ? turn : last;
    }
    return last;
}

static void put_turns(struct json_out *out, const struct chat *chat)
{
    static const char *const roles[] = {[CHAT_SYSTEM] = "system", [CHAT_USER] = "user", [CHAT_MODEL] = "assistant"};
    const struct chat_turn *turn = chat->turns;
    const struct chat_turn *cached = chat->params.wants_cache ? last_of_user(chat) : NULL;
    unsigned documents = 0;

    if (turn != NULL && turn->role == CHAT_SYSTEM) {
        json_key(out, "system");
        json_open_array(out);
        put_blocks(out, turn, &documents);
        json_close_array(out);
        turn = turn->next;
    }
    json_key(out, "messages");
    json_open_array(out);
    for (; turn != NULL; turn = turn->next) {
        json_open_object(out);
        json_member_text(out, "role", roles[turn->role]);
        json_key(out, "content");
        json_open_array(out);
        put_blocks(out, turn, &documents);
        if (turn == cached) {
            put_cache(out, CHAT_CACHE_SHORT);
        }
        json_close_array(out);
        json_close_object(out);
    }
    json_close_array(out);
}

/* ---- tools ---- */

static void put_tool(struct json_out *out, const struct chat_tool *tool)
{
    json_open_object(out);
    json_key(out, "toolSpec");
    json_open_object(out);
    json_member(out, "name", tool->name);
    if (chat_inside(tool->description).len > 0) {
        json_member(out, "description", tool->description); /* an empty one is refused */
    }
    json_key(out, "inputSchema");
    json_open_object(out);
    json_member(out, "json", tool->schema.len > 0 ? tool->schema : SPAN_OF("{\"type\":\"object\",\"properties\":{}}"));
    json_close_object(out);
    if (tool->strict >= 0) {
        json_key(out, "strict");
        json_bool(out, tool->strict > 0);
    }
    json_close_object(out);
    json_close_object(out);
    put_cache(out, tool->cache);
}

/* Left to the model where nothing is said. There is no word for "none": the fit has taken the tools away. */
static void put_choice(struct json_out *out, const struct chat *chat)
{
    if (chat->choice == CHAT_CHOICE_UNSAID || chat->choice == CHAT_CHOICE_NONE) {
        return;
    }
    json_key(out, "toolChoice");
    json_open_object(out);
    json_key(out, chat->choice == CHAT_CHOICE_AUTO ? "auto" : chat->choice == CHAT_CHOICE_ANY ? "any" : "tool");
    json_open_object(out);
    if (chat->choice == CHAT_CHOICE_ONE) {
        json_member(out, "name", chat->choice_name);
    }
    json_close_object(out);
    json_close_object(out);
}

static void put_tools(struct json_out *out, const struct chat *chat)
{
    if (chat->tools == NULL) {
        return;
    }
    json_key(out, "toolConfig");
    json_open_object(out);
    json_key(out, "tools");
    json_open_array(out);
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next) {
        put_tool(out, tool);
    }
    json_close_array(out);
    put_choice(out, chat);
    json_close_object(out);
}

/* ---- params ---- */

static void put_stop(struct json_out *out, const struct chat_words *stop)
{
    if (stop->first == NULL) {
        return;
    }
    json_key(out, "stopSequences");
    json_open_array(out);
    for (const struct chat_word *word = stop->first; word != NULL; word = word->next) {
        json_raw(out, word->text);
    }
    json_close_array(out);
}

static void put_inference(struct json_out *out, const struct chat_params *params)
{
    if (params->cap < 0 && params->temperature.len == 0 && params->top_p.len == 0 && params->stop.first == NULL) {
        return;
    }
    json_key(out, "inferenceConfig");
    json_open_object(out);
    if (params->cap >= 0) {
        json_key(out, "maxTokens");
        json_i64(out, params->cap);
    }
    json_member(out, "temperature", params->temperature);
    json_member(out, "topP", params->top_p);
    put_stop(out, &params->stop);
    json_close_object(out);
}

static void put_thinking(struct json_out *out, const struct chat_params *params)
{
    bool is_off = params->effort == CHAT_EFFORT_NONE;
    bool has_budget = !is_off && params->thinking_budget >= 0;

    json_key(out, "thinking");
    json_open_object(out);
    json_member_text(out, "type", is_off ? "disabled" : has_budget ? "enabled" : "adaptive");
    if (has_budget) {
        json_key(out, "budget_tokens");
        json_i64(out, params->thinking_budget);
    }
    if (!is_off && params->shows_thinking) {
        json_member_text(out, "display", "summarized");
    }
    json_close_object(out);
}

static void put_additional(struct json_out *out, const struct chat_params *params)
{
    bool has_thinking =
        params->effort == CHAT_EFFORT_NONE || params->thinking_budget >= 0 || params->is_thinking_adaptive;

    if (!has_thinking && params->top_k.len == 0) {
        return;
    }
    json_key(out, "additionalModelRequestFields");
    json_open_object(out);
    json_member(out, "top_k", params->top_k);
    if (has_thinking) {
        put_thinking(out, params);
    }
    json_close_object(out);
}

static struct span effort_word(enum chat_effort effort)
{
    static const struct span words[] = {
        [CHAT_EFFORT_MINIMAL] = SPAN("low"), [CHAT_EFFORT_LOW] = SPAN("low"),     [CHAT_EFFORT_MEDIUM] = SPAN("medium"),
        [CHAT_EFFORT_HIGH] = SPAN("high"),   [CHAT_EFFORT_XHIGH] = SPAN("xhigh"), [CHAT_EFFORT_MAX] = SPAN("max"),
    };

    return effort <= CHAT_EFFORT_NONE ? span_make("", 0) : words[effort];
}

/* The schema is a string that holds JSON. */
static void put_format(struct json_out *out, struct chat *chat)
{
    json_key(out, "textFormat");
    json_open_object(out);
    json_member_text(out, "type", "json_schema");
    json_key(out, "structure");
    json_open_object(out);
    json_key(out, "jsonSchema");
    json_open_object(out);
    json_member_inside(out, "schema", chat_escaped(chat, chat->params.format_schema));
    json_member(out, "name", chat->params.format_name);
    json_member(out, "description", chat->params.format_description);
    json_close_object(out);
    json_close_object(out);
    json_close_object(out);
}

static void put_output(struct json_out *out, struct chat *chat)
{
    struct span effort = effort_word(chat->params.effort);
    bool has_schema = chat->params.format == CHAT_FORMAT_SCHEMA;

    if (effort.len == 0 && !has_schema) {
        return;
    }
    json_key(out, "outputConfig");
    json_open_object(out);
    if (effort.len > 0) {
        json_member_inside(out, "effort", effort);
    }
    if (has_schema) {
        put_format(out, chat);
    }
    json_close_object(out);
}

void converse_write_request(struct chat *chat, struct json_out *out)
{
    json_open_object(out);
    put_inference(out, &chat->params);
    put_output(out, chat);
    put_additional(out, &chat->params);
    put_tools(out, chat);
    put_turns(out, chat);
    json_close_object(out);
}
