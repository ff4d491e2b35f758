/* SPDX-License-Identifier: Apache-2.0 */
/* A messages request out of the hub, for a target of this dialect: what the hub says after the fit, in the words of
 * this grammar (anthropic.md 3, 4; wire/fit.h). */
#include "wire/dialects/anthropic_messages.h"

#include "wire/json_walk.h"
#include "wire/models.h"

enum { SUBSET_MAX = 128 }; /* tools of a choice among some; a longer list is no narrowing worth the search */

static void put_cache(struct json_out *out, enum chat_cache cache)
{
    if (cache == CHAT_CACHE_NONE) {
        return;
    }
    json_key(out, "cache_control");
    json_open_object(out);
    json_member_text(out, "type", "ephemeral");
    if (cache == CHAT_CACHE_LONG) {
        json_member_text(out, "ttl", "1h");
    }
    json_close_object(out);
}

/* ---- blocks ---- */

static void put_source(struct json_out *out, const struct chat_part *part)
{
    json_key(out, "source");
    json_open_object(out);
    if (part->url.len > 0) {
        json_member_text(out, "type", "url");
        json_member(out, "url", part->url);
    } else {
        json_member_text(out, "type", "base64");
        json_member_inside(out, "media_type", part->media);
        json_member_inside(out, "data", part->data);
    }
    json_close_object(out);
}

/* The kinds that stand in a turn as well as in a result. */
static void put_part(struct json_out *out, const struct chat_part *part)
{
    bool is_text = part->kind == CHAT_TEXT;

    if (!is_text && part->kind != CHAT_IMAGE && part->kind != CHAT_DOCUMENT) {
        return; /* audio: no target of this dialect is asked with it */
    }
    json_open_object(out);
    json_member_text(out, "type", is_text ? "text" : part->kind == CHAT_IMAGE ? "image" : "document");
    if (is_text) {
        json_member(out, "text", part->text);
    } else {
        put_source(out, part);
    }
    if (part->kind == CHAT_DOCUMENT) {
        json_member(out, "title", part->name);
    }
    put_cache(out, part->cache);
    json_close_object(out);
}

static void put_call(struct json_out *out, const struct chat_part *part)
{
    json_open_object(out);
    json_member_text(out, "type", "tool_use");
    json_member(out, "id", part->id);
    json_member(out, "name", part->name);
    json_member(out, "input", part->input.len > 0 ? part->input : SPAN_OF("{}"));
    put_cache(out, part->cache);
    json_close_object(out);
}

static void put_result(struct json_out *out, const struct chat_part *part)
{
    const struct chat_part *inner = part->inner;

    json_open_object(out);
    json_member_text(out, "type", "tool_result");
    json_member(out, "tool_use_id", part->id);
    if (inner != NULL && inner->next == NULL && inner->kind == CHAT_TEXT && inner->cache == CHAT_CACHE_NONE) {
        json_member(out, "content", inner->text);
    } else if (inner != NULL) {
        json_key(out, "content");
        json_open_array(out);
        for (; inner != NULL; inner = inner->next) {
            put_part(out, inner);
        }
        json_close_array(out);
    }
    if (part->is_error) {
        json_key(out, "is_error");
        json_bool(out, true);
    }
    put_cache(out, part->cache);
    json_close_object(out);
}

static void put_blocks(struct json_out *out, const struct chat_turn *turn)
{
    json_open_array(out);
    /* Results must be the first blocks of their turn (anthropic.md 4). */
    for (const struct chat_part *part = turn->parts; part != NULL; part = part->next) {
        if (part->kind == CHAT_RESULT) {
            put_result(out, part);
        }
    }
    for (const struct chat_part *part = turn->parts; part != NULL; part = part->next) {
        if (part->kind == CHAT_CALL) {
            put_call(out, part);
        } else if (part->kind != CHAT_RESULT) {
            put_part(out, part);
        }
    }
    json_close_array(out);
}

static void put_turns(struct json_out *out, const struct chat_turn *turn)
{
    static const char *const roles[] = {[CHAT_SYSTEM] = "system", [CHAT_USER] = "user", [CHAT_MODEL] = "assistant"};

    if (turn != NULL && turn->role == CHAT_SYSTEM) {
        json_key(out, "system");
        put_blocks(out, turn);
        turn = turn->next;
    }
    json_key(out, "messages");
    json_open_array(out);
    for (; turn != NULL; turn = turn->next) {
        json_open_object(out);
        json_member_text(out, "role", roles[turn->role]);
        json_key(out, "content");
        put_blocks(out, turn);
        json_close_object(out);
    }
    json_close_array(out);
}

/* ---- tools ---- */

/* The root's type must be said, and be an object (anthropic.md 4). */
static void put_schema(struct json_out *out, struct span schema)
{
    struct json_walk walk = json_walk_of(schema);
    struct span type = json_walk_find(schema, "type");
    struct span name;
    struct span value;

    json_key(out, "input_schema");
    if (json_is_text(type, "object")) {
        json_raw(out, schema);
        return;
    }
    json_open_object(out);
    json_member_text(out, "type", "object");
    if (!json_walk_member(&walk, &name, &value)) {
        json_key(out, "properties");
        json_raw(out, SPAN_OF("{}"));
        json_close_object(out);
        return;
    }
    do {
        if (value.at != type.at) {
            json_raw(out, name);
            buf_put_char(out->buf, ':');
            buf_put(out->buf, value);
        }
    } while (json_walk_member(&walk, &name, &value));
    json_close_object(out);
}

static void put_tool(struct json_out *out, const struct chat_tool *tool)
{
    json_open_object(out);
    json_member(out, "name", tool->name);
    json_member(out, "description", tool->description);
    put_schema(out, tool->schema);
    if (tool->strict >= 0) {
        json_key(out, "strict");
        json_bool(out, tool->strict > 0);
    }
    put_cache(out, tool->cache);
    json_close_object(out);
}

/* A choice among some of the tools is said by leaving out the others (translation.md 5). */
static bool is_offered(const struct chat *chat, const struct chat_tool *tool)
{
    if (chat->choice_of.count == 0 || chat->choice_of.count > SUBSET_MAX) {
        return true;
    }
    for (const struct chat_word *word = chat->choice_of.first; word != NULL; word = word->next) {
        if (span_equal(word->text, tool->name)) {
            return true;
        }
    }
    return false;
}

static void put_choice(struct json_out *out, const struct chat *chat)
{
    static const char *const types[] = {[CHAT_CHOICE_UNSAID] = "auto",
                                        [CHAT_CHOICE_AUTO] = "auto",
                                        [CHAT_CHOICE_NONE] = "none",
                                        [CHAT_CHOICE_ANY] = "any",
                                        [CHAT_CHOICE_ONE] = "tool"};

    if (chat->choice == CHAT_CHOICE_UNSAID && chat->parallel != 0) {
        return;
    }
    json_key(out, "tool_choice");
    json_open_object(out);
    json_member_text(out, "type", types[chat->choice]);
    if (chat->choice == CHAT_CHOICE_ONE) {
        json_member(out, "name", chat->choice_name);
    }
    if (chat->parallel == 0 && chat->choice != CHAT_CHOICE_NONE) {
        json_key(out, "disable_parallel_tool_use");
        json_bool(out, true);
    }
    json_close_object(out);
}

static void put_tools(struct json_out *out, const struct chat *chat)
{
    if (chat->tools == NULL) {
        return;
    }
    json_key(out, "tools");
    json_open_array(out);
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next) {
        if (is_offered(chat, tool)) {
            put_tool(out, tool);
        }
    }
    json_close_array(out);
    put_choice(out, chat);
}

/* ---- params ---- */

static void put_thinking(struct json_out *out, const struct chat_params *params)
{
    bool is_off = params->effort == CHAT_EFFORT_NONE;
    bool has_budget = !is_off && params->thinking_budget >= 0;

    if (!is_off && !has_budget && !params->is_thinking_adaptive) {
        return;
    }
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

static void put_output(struct json_out *out, const struct chat_params *params)
{
    struct span effort = messages_effort_word(params->effort);
    bool has_schema = params->format == CHAT_FORMAT_SCHEMA;

    if (effort.len == 0 && !has_schema) {
        return;
    }
    json_key(out, "output_config");
    json_open_object(out);
    if (effort.len > 0) {
        json_member_inside(out, "effort", effort);
    }
    if (has_schema) {
        json_key(out, "format");
        json_open_object(out);
        json_member_text(out, "type", "json_schema");
        json_member(out, "schema", params->format_schema);
        json_close_object(out);
    }
    json_close_object(out);
}

static void put_stop(struct json_out *out, const struct chat_words *stop)
{
    if (stop->first == NULL) {
        return;
    }
    json_key(out, "stop_sequences");
    json_open_array(out);
    for (const struct chat_word *word = stop->first; word != NULL; word = word->next) {
        json_raw(out, word->text);
    }
    json_close_array(out);
}

static void put_params(struct json_out *out, const struct chat_params *params)
{
    json_member(out, "temperature", params->temperature);
    json_member(out, "top_p", params->top_p);
    json_member(out, "top_k", params->top_k);
    put_stop(out, &params->stop);
    put_thinking(out, params);
    put_output(out, params);
    json_member(out, "service_tier", params->tier);
    if (params->user.len > 0) {
        json_key(out, "metadata");
        json_open_object(out);
        json_member(out, "user_id", params->user);
        json_close_object(out);
    }
    put_cache(out, params->wants_cache ? CHAT_CACHE_SHORT : CHAT_CACHE_NONE);
    if (params->is_stream) {
        json_key(out, "stream");
        json_bool(out, true);
    }
}

void messages_write_request(struct chat *chat, struct json_out *out)
{
    json_open_object(out);
    json_member(out, "model", chat->model);
    json_key(out, "max_tokens"); /* required */
    json_i64(out, chat->params.cap > 0 ? chat->params.cap : chat->target->model->output_max);
    put_params(out, &chat->params);
    put_tools(out, chat);
    put_turns(out, chat->turns);
    json_close_object(out);
}
