/* SPDX-License-Identifier: Apache-2.0 */
/* A stream of messages that goes on elsewhere. The app's message has its message_start and perhaps
 * an open block of text: those of the continuing stream are dropped, its first text goes on in the
 * open block, and every further block gets the next index of the app's message. A stream that
 * begins with anything but text closes the open block first. */
#include "wire/dialects/anthropic.h"
#include "wire/resume_parts.h"

/* ---- the request ---- */

enum {
    REQUEST_THINKING = RESUME_PLACES,
    REQUEST_THINKING_TYPE,
    REQUEST_FORMAT,
    REQUEST_OUTPUT_FORMAT,
    REQUEST_PLACES
};
static const struct json_path request_paths[REQUEST_PLACES] = {
    RESUME_REQUEST_PATHS,           JSON_PATH1("thinking"),
    JSON_PATH2("thinking", "type"), JSON_PATH2("output_config", "format"),
    JSON_PATH1("output_format"),
};

static bool is_unset(const struct json_hit *hit)
{
    return hit->kind == JSON_ABSENT || hit->kind == JSON_NULL;
}

/* A begun turn is refused beside thinking and beside an enforced format. */
static bool may(const struct json_hit *hits, struct span body)
{
    return (is_unset(&hits[REQUEST_THINKING]) ||
            span_equal(answer_text(&hits[REQUEST_THINKING_TYPE], body), SPAN_OF("disabled"))) &&
           is_unset(&hits[REQUEST_FORMAT]) && is_unset(&hits[REQUEST_OUTPUT_FORMAT]);
}

/* ---- events ---- */

enum {
    EVENT_TYPE,
    EVENT_INDEX,
    EVENT_CONTENT,
    EVENT_BLOCK_TYPE,
    EVENT_BLOCK_TEXT,
    EVENT_DELTA_TYPE,
    EVENT_DELTA_TEXT,
    EVENT_USAGE,
    EVENT_FIGURES,
    EVENT_PLACES = EVENT_FIGURES + 6
};
static const struct json_path event_paths[EVENT_PLACES] = {
    JSON_PATH1("type"),
    JSON_PATH1("index"),
    JSON_PATH2("message", "content"),
    JSON_PATH2("content_block", "type"),
    JSON_PATH2("content_block", "text"),
    JSON_PATH2("delta", "type"),
    JSON_PATH2("delta", "text"),
    JSON_PATH1("usage"),
    JSON_PATH2("usage", "input_tokens"),
    JSON_PATH2("usage", "output_tokens"),
    JSON_PATH2("usage", "cache_read_input_tokens"),
    JSON_PATH2("usage", "cache_creation_input_tokens"),
    JSON_PATH3("usage", "output_tokens_details", "thinking_tokens"),
    JSON_PATH3("usage", "server_tool_use", "web_search_requests"),
};
/* Which figure stands at each place from EVENT_FIGURES on. */
static const uint8_t event_figures[] = {
    USAGE_INPUT,       USAGE_OUTPUT,    USAGE_CACHE_READ,
    USAGE_CACHE_WRITE, USAGE_REASONING, USAGE_WEB_SEARCH,
};
_Static_assert(EVENT_FIGURES + ARRAY_LENGTH(event_figures) == EVENT_PLACES, "a figure per place");

/* An event while it is looked at. */
struct look {
    struct resume *resume;
    const struct sse_event *event;
    const struct meter *meter;
    const struct json_hit *hits;
    struct buf *out;
    struct resume_changes changes;
};

static struct span text_at(const struct look *look, size_t place)
{
    return look->hits[place].kind == JSON_STRING
               ? answer_text(&look->hits[place], look->event->data)
               : span_make(NULL, 0);
}

static bool is_text(const struct look *look, size_t place, const char *word)
{
    return span_equal(text_at(look, place), span_of(word));
}

static int64_t index_of(const struct look *look)
{
    int64_t index = 0;

    return look->hits[EVENT_INDEX].kind == JSON_NUMBER &&
                   json_integer(json_hit_span(&look->hits[EVENT_INDEX], look->event->data),
                                &index) == ERR_NONE &&
                   index >= 0 && index < INT32_MAX
               ? index
               : -1;
}

/* The index in the app's message. False: there is none to be changed. */
static bool shift_index(struct look *look)
{
    int64_t index = index_of(look);
    int64_t shifted = index + look->resume->now.shift;

    if (index < 0 || shifted < 0) {
        return false;
    }
    if (shifted != index) {
        resume_replace_number(&look->changes, &look->hits[EVENT_INDEX], shifted);
    }
    return true;
}

/* ---- the first stream ---- */

static void follow_block(struct look *look)
{
    struct resume_state *now = &look->resume->now;

    if (now->block_is_open || index_of(look) != (int64_t)now->blocks ||
        !is_text(look, EVENT_BLOCK_TYPE, "text")) {
        resume_give_up(look->resume);
        return;
    }
    now->blocks++;
    now->block_is_open = true;
    resume_take_text(look->resume, text_at(look, EVENT_BLOCK_TEXT));
}

static enum resume_step follow(struct look *look, struct span type)
{
    struct resume *resume = look->resume;

    if (span_equal(type, SPAN_OF("content_block_start"))) {
        follow_block(look);
    } else if (span_equal(type, SPAN_OF("content_block_delta"))) {
        if (is_text(look, EVENT_DELTA_TYPE, "text_delta") && resume->now.block_is_open) {
            resume_take_text(resume, text_at(look, EVENT_DELTA_TEXT));
        } else {
            resume_give_up(resume);
        }
    } else if (span_equal(type, SPAN_OF("content_block_stop"))) {
        resume->now.block_is_open = false;
    } else if (span_equal(type, SPAN_OF("message_start"))) {
        if (answer_is_filled(&look->hits[EVENT_CONTENT])) {
            resume_give_up(resume);
        }
    } else if (!span_equal(type, SPAN_OF("ping")) && !span_equal(type, SPAN_OF("message_delta")) &&
               !span_equal(type, SPAN_OF("message_stop"))) {
        resume_give_up(resume); /* of a later version: nobody knows what it began */
    }
    return RESUME_PASS;
}

/* ---- the continuing stream ---- */

static void put_stop(struct look *look)
{
    struct resume_state *now = &look->resume->now;

    buf_put(look->out, SPAN_OF("event: content_block_stop\n"
                               "data: {\"type\":\"content_block_stop\",\"index\":"));
    buf_put_u64(look->out, now->blocks - 1);
    buf_put(look->out, SPAN_OF("}\n\n"));
    now->block_is_open = false;
}

/* The event, behind what was put in front of it. */
static enum resume_step put_behind(struct look *look)
{
    if (resume_write(look->out, look->event, &look->changes) == RESUME_PASS) {
        buf_put(look->out, look->event->raw);
    }
    return RESUME_PUT;
}

/* Most servers begin a block empty; one that does not has brought a delta. */
static enum resume_step join_block(struct look *look)
{
    struct resume *resume = look->resume;
    struct span text = resume_new_text(resume, text_at(look, EVENT_BLOCK_TEXT));

    resume->now.shift = (int64_t)resume->now.blocks - 1 - index_of(look);
    if (text.len == 0) {
        return RESUME_DROP;
    }
    buf_put(look->out, SPAN_OF("event: content_block_delta\n"
                               "data: {\"type\":\"content_block_delta\",\"index\":"));
    buf_put_u64(look->out, resume->now.blocks - 1);
    buf_put(look->out, SPAN_OF(",\"delta\":{\"type\":\"text_delta\",\"text\":\""));
    buf_put(look->out, text);
    buf_put(look->out, SPAN_OF("\"}}\n\n"));
    resume_take_text(resume, text);
    return RESUME_PUT;
}

static enum resume_step go_on_block(struct look *look)
{
    struct resume_state *now = &look->resume->now;
    bool is_first = !now->is_joined;
    bool is_plain = is_text(look, EVENT_BLOCK_TYPE, "text");
    bool closes = now->block_is_open;

    if (index_of(look) < 0) {
        return RESUME_BROKEN;
    }
    now->is_joined = true;
    if (is_first && is_plain && now->block_is_open) {
        return join_block(look);
    }
    if (closes) {
        put_stop(look);
    }
    if (is_first) {
        now->shift = (int64_t)now->blocks - index_of(look);
    }
    if (!is_plain) {
        resume_give_up(look->resume);
    }
    now->blocks++;
    now->block_is_open = true;
    resume_take_text(look->resume, text_at(look, EVENT_BLOCK_TEXT));
    if (!shift_index(look)) {
        return RESUME_BROKEN;
    }
    return closes ? put_behind(look) : resume_write(look->out, look->event, &look->changes);
}

static enum resume_step go_on_delta(struct look *look)
{
    struct resume *resume = look->resume;
    const struct json_hit *text = &look->hits[EVENT_DELTA_TEXT];
    struct span came = text_at(look, EVENT_DELTA_TEXT);
    struct span fresh = came;

    if (!resume->now.block_is_open || !shift_index(look)) {
        return RESUME_BROKEN;
    }
    if (!is_text(look, EVENT_DELTA_TYPE, "text_delta")) {
        resume_give_up(resume);
    }
    fresh = resume_new_text(resume, came);
    if (fresh.len == 0 && came.len > 0) {
        return RESUME_DROP;
    }
    if (fresh.len != came.len) {
        struct json_hit repeated = {.at = text->at + 1, .len = came.len - fresh.len};
        resume_replace(&look->changes, &repeated, span_make(NULL, 0));
    }
    resume_take_text(resume, fresh);
    return resume_write(look->out, look->event, &look->changes);
}

/* Input figures of the continuing stream came in its message_start, which the app has not seen: the
 * last event tells it all of them. */
static void change_usage(struct look *look)
{
    static const struct span names[] = {SPAN("input_tokens"), SPAN("output_tokens"),
                                        SPAN("cache_read_input_tokens"),
                                        SPAN("cache_creation_input_tokens")};
    const struct json_hit *usage = &look->hits[EVENT_USAGE];

    if (usage->kind != JSON_OBJECT) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(event_figures); i++) {
        const struct json_hit *hit = &look->hits[EVENT_FIGURES + i];
        int64_t sum =
            resume_sum(look->resume, look->meter, (enum usage_figure)event_figures[i]);

        if (sum < 0) {
            continue;
        }
        if (hit->kind == JSON_NUMBER || hit->kind == JSON_NULL) {
            resume_replace_number(&look->changes, hit, sum);
        } else if (hit->kind == JSON_ABSENT && i < ARRAY_LENGTH(names) && usage->count > 0) {
            resume_insert_number(&look->changes, usage, names[i], sum);
        }
    }
}

static enum resume_step go_on_end(struct look *look)
{
    bool closes = look->resume->now.block_is_open;

    /* The answer was whole already: a message without any block. */
    if (closes) {
        put_stop(look);
    }
    look->resume->now.is_joined = true;
    change_usage(look);
    return closes ? put_behind(look) : resume_write(look->out, look->event, &look->changes);
}

static enum resume_step go_on(struct look *look, struct span type)
{
    struct resume_state *now = &look->resume->now;

    if (span_equal(type, SPAN_OF("message_start"))) {
        return now->is_joined ? RESUME_BROKEN : RESUME_DROP;
    }
    if (span_equal(type, SPAN_OF("content_block_start"))) {
        return go_on_block(look);
    }
    if (span_equal(type, SPAN_OF("content_block_delta"))) {
        return go_on_delta(look);
    }
    if (span_equal(type, SPAN_OF("content_block_stop"))) {
        now->block_is_open = false;
        return shift_index(look) ? resume_write(look->out, look->event, &look->changes)
                                 : RESUME_BROKEN;
    }
    if (span_equal(type, SPAN_OF("message_delta"))) {
        return go_on_end(look);
    }
    return now->is_joined || span_equal(type, SPAN_OF("message_stop")) ? RESUME_PASS : RESUME_DROP;
}

static enum resume_step event(struct resume *resume, const struct resume_look *given)
{
    struct json_hit hits[EVENT_PLACES];
    struct look look = {.resume = resume,
                        .event = given->event,
                        .meter = &given->stream->meter,
                        .hits = hits,
                        .out = given->out};
    struct span type = given->event->name;

    if (!answer_scan(given->scan, event_paths, EVENT_PLACES, given->event->data, hits)) {
        resume_give_up(resume);
        return resume->is_continuing ? RESUME_BROKEN : RESUME_PASS;
    }
    if (type.len == 0) {
        type = text_at(&look, EVENT_TYPE);
    }
    return resume->is_continuing ? go_on(&look, type) : follow(&look, type);
}

const struct resume_row anthropic_messages_resume = {
    .paths = request_paths,
    .paths_count = REQUEST_PLACES,
    .may = may,
    .event = event,
};
