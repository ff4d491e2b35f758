/* SPDX-License-Identifier: Apache-2.0 */
/* A provider's whole response, read for an app of another dialect (openai.md 7). HTTP 200 may hold a
 * failed one, and one that is still at work: neither is an answer. */
#include "wire/dialects/openai_responses.h"

#include "wire/json_walk.h"

enum { SEPARATED = 2 }; /* a text and what stands in front of it */

static struct chat_event finish_of(struct span status, struct span details, bool has_refused)
{
    struct chat_event event = {.kind = CHAT_EVENT_FINISH, .finish = CHAT_FINISH_STOP};
    struct span reason = json_is_object(details) ? json_walk_find(details, "reason") : details;

    if (json_is_text(status, "incomplete")) {
        event.finish = json_is_text(reason, "max_output_tokens") ? CHAT_FINISH_LENGTH
                       : json_is_text(reason, "content_filter")  ? CHAT_FINISH_FILTERED
                                                                 : CHAT_FINISH_UNKNOWN;
        event.text = chat_inside(reason);
    } else if (has_refused) {
        event.finish = CHAT_FINISH_FILTERED; /* translation.md 12, reader O */
    }
    return event;
}

struct chat_event openai_responses_finish(struct span response, bool has_refused)
{
    return finish_of(json_walk_find(response, "status"), json_walk_find(response, "incomplete_details"), has_refused);
}

struct span openai_responses_string(struct span object, const char *name)
{
    struct span value = json_walk_find(object, name);

    return json_is_string(value) ? value : span_make(NULL, 0);
}

struct span openai_responses_call_id(struct span item)
{
    struct span id = json_walk_find(item, "call_id");

    return chat_inside(id).len > 0 ? id : json_walk_find(item, "id");
}

/* An item of the output, in one pass. */
enum { ITEM_TYPE, ITEM_CONTENT, ITEM_SUMMARY, ITEM_CALL_ID, ITEM_ID, ITEM_NAME, ITEM_ARGUMENTS, ITEM_PLACES };
static const char *const item_names[ITEM_PLACES] = {"type", "content", "summary", "call_id", "id", "name", "arguments"};

static void read_message(struct chat *chat, struct chat_answer *answer, const struct span *item)
{
    static const char *const names[] = {"type", "text", "refusal"};
    struct json_walk walk = json_walk_of(item[ITEM_CONTENT]);
    struct span part[sizeof names / sizeof *names];

    while (json_walk_pick_next(&walk, names, sizeof names / sizeof *names, part)) {
        if (json_is_text(part[0], "output_text")) {
            chat_add_text(chat, &answer->turn, part[1]);
        } else if (json_is_text(part[0], "refusal") && answer->refusal.len == 0) {
            answer->refusal = part[2];
        }
    }
    if (chat_inside(answer->refusal).len == 0) {
        answer->refusal = span_make(NULL, 0);
    }
}

static bool read_call(struct chat *chat, struct chat_answer *answer, const struct span *item)
{
    struct span id = chat_inside(item[ITEM_CALL_ID]).len > 0 ? item[ITEM_CALL_ID] : item[ITEM_ID];
    struct span name = item[ITEM_NAME];
    struct chat_part *part = NULL;

    if (chat_inside(id).len == 0 || chat_inside(name).len == 0) {
        return false;
    }
    part = chat_add_part(chat, &answer->turn, CHAT_CALL);
    if (part != NULL) {
        part->id = id;
        part->name = name;
        chat_tell_arguments(chat, part, item[ITEM_ARGUMENTS]);
    }
    return true;
}

/* The summary, in several parts as a rule, or what a server that keeps no secret tells as content. */
static void read_reasoning(struct chat *chat, struct chat_words *thoughts, const struct span *item)
{
    struct json_walk walk = json_walk_of(item[ITEM_SUMMARY]);
    struct span part;

    if (!json_walk_item(&walk, &part)) {
        walk = json_walk_of(item[ITEM_CONTENT]);
    } else {
        walk = json_walk_of(item[ITEM_SUMMARY]);
    }
    while (json_walk_item(&walk, &part)) {
        struct span text = json_is_object(part) ? json_walk_find(part, "text") : span_make(NULL, 0);

        if (chat_inside(text).len > 0) {
            chat_add_word(chat, thoughts, text);
        }
    }
}

/* Those of all items, joined at once: each anew with what was there would be as many copies as items. */
static struct span joined(struct chat *chat, const struct chat_words *thoughts)
{
    struct span *texts = thoughts->count > 0 ? arena_take(chat->arena, thoughts->count * SEPARATED * sizeof *texts) : NULL;
    size_t count = 0;

    for (const struct chat_word *word = thoughts->first; texts != NULL && word != NULL; word = word->next) {
        texts[count] = SPAN_OF("\"\\n\\n\"");
        count += count > 0;
        texts[count++] = word->text;
    }
    return count > 0 ? chat_join(chat, texts, count) : span_make(NULL, 0);
}

static bool read_items(struct chat *chat, struct chat_answer *answer, struct span output)
{
    struct json_walk walk = json_walk_of(output);
    struct chat_words thoughts = {0};
    struct span item[ITEM_PLACES];
    bool is_good = true;

    while (is_good && json_walk_pick_next(&walk, item_names, ITEM_PLACES, item)) {
        if (json_is_text(item[ITEM_TYPE], "message")) {
            read_message(chat, answer, item);
        } else if (json_is_text(item[ITEM_TYPE], "function_call")) {
            is_good = read_call(chat, answer, item);
        } else if (json_is_text(item[ITEM_TYPE], "reasoning")) {
            read_reasoning(chat, &thoughts, item);
        }
    }
    answer->reasoning = joined(chat, &thoughts);
    return is_good;
}

bool openai_responses_read_whole(struct chat *chat, struct chat_answer *answer, struct span body)
{
    enum { STATUS, OUTPUT, ID, MODEL, DETAILS, PLACES };
    static const char *const names[PLACES] = {"status", "output", "id", "model", "incomplete_details"};
    struct span got[PLACES];
    struct chat_event finish;

    json_walk_pick(json_walk_document(body), names, PLACES, got);
    if (!json_is_array(got[OUTPUT]) || (json_is_string(got[STATUS]) && !json_is_text(got[STATUS], "completed") &&
                                        !json_is_text(got[STATUS], "incomplete"))) {
        return false;
    }
    answer->id = json_is_string(got[ID]) ? got[ID] : span_make(NULL, 0);
    answer->model = json_is_string(got[MODEL]) ? got[MODEL] : span_make(NULL, 0);
    answer->turn.role = CHAT_MODEL;
    if (!read_items(chat, answer, got[OUTPUT])) {
        return false;
    }
    finish = finish_of(got[STATUS], got[DETAILS], answer->refusal.len > 0);
    answer->finish = finish.finish == CHAT_FINISH_STOP && answer->turn.calls > 0 ? CHAT_FINISH_CALLS : finish.finish;
    answer->finish_word = finish.text;
    return !chat_is_refused(chat);
}
