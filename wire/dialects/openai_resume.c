/* SPDX-License-Identifier: Apache-2.0 */
/* A chat stream that goes on elsewhere. Each of its chunks carries id, created and model; programs
 * take them for one answer by its id, so those of the first stream stay. Chunks that bring nothing
 * (the role) are dropped until the first text, and no chunk repeats the role: SDKs add up what
 * deltas bring. Responses are not continued: what its last event repeats is the whole answer, and a
 * last item of the assistant is history there, not a begun turn. Nor are legacy completions: the
 * table of who takes a begun turn speaks of chat. */
#include "wire/dialects/openai.h"
#include "wire/resume_parts.h"

/* ---- the request ---- */

enum {
    REQUEST_N = RESUME_PLACES,
    REQUEST_LOGPROBS,
    REQUEST_FORMAT,
    REQUEST_FORMAT_TYPE,
    REQUEST_AUDIO,
    REQUEST_ECHO,
    REQUEST_PLACES
};
static const struct json_path request_paths[REQUEST_PLACES] = {
    RESUME_REQUEST_PATHS,
    JSON_PATH1("n"),
    JSON_PATH1("logprobs"),
    JSON_PATH1("response_format"),
    JSON_PATH2("response_format", "type"),
    JSON_PATH1("audio"),
    JSON_PATH1("echo"),
};

static bool is_unset(const struct json_hit *hit)
{
    return hit->kind == JSON_ABSENT || hit->kind == JSON_NULL || hit->kind == JSON_FALSE;
}

/* One choice, and nothing beside its text. A format that is enforced begins anew with each answer.
 */
static bool may(const struct json_hit *hits, struct span body)
{
    const struct json_hit *n = &hits[REQUEST_N];
    const struct json_hit *format = &hits[REQUEST_FORMAT];

    return (is_unset(n) || span_equal(json_hit_span(n, body), SPAN_OF("1"))) &&
           is_unset(&hits[REQUEST_LOGPROBS]) && is_unset(&hits[REQUEST_AUDIO]) &&
           is_unset(&hits[REQUEST_ECHO]) &&
           (is_unset(format) ||
            span_equal(answer_text(&hits[REQUEST_FORMAT_TYPE], body), SPAN_OF("text")));
}

/* ---- chunks ---- */

enum {
    CHUNK_ID, /* in the order of RESUME_ID, RESUME_CREATED, RESUME_MODEL */
    CHUNK_CREATED,
    CHUNK_MODEL,
    CHUNK_CHOICES,
    CHUNK_INDEX,
    CHUNK_FINISH,
    CHUNK_LOGPROBS,
    CHUNK_DELTA,
    CHUNK_ROLE, /* from here on: what a delta is known to hold */
#define DELTA(name, member) CHUNK_##name,
#include "wire/dialects/openai_deltas.def"
#undef DELTA
    CHUNK_FIGURES,
    CHUNK_PLACES = CHUNK_FIGURES + 9,
    CHUNK_OTHERS = CHUNK_CONTENT + 1 /* from here on: what is not text */
};
static const struct json_path chunk_paths[CHUNK_PLACES] = {
    JSON_PATH1("id"),
    JSON_PATH1("created"),
    JSON_PATH1("model"),
    JSON_PATH1("choices"),
    JSON_PATH3("choices", "[]", "index"),
    JSON_PATH3("choices", "[]", "finish_reason"),
    JSON_PATH3("choices", "[]", "logprobs"),
    JSON_PATH3("choices", "[]", "delta"),
    JSON_PATH4("choices", "[]", "delta", "role"),
#define DELTA(name, member) JSON_PATH4("choices", "[]", "delta", member),
#include "wire/dialects/openai_deltas.def"
#undef DELTA
    JSON_PATH2("usage", "prompt_tokens"),
    JSON_PATH2("usage", "completion_tokens"),
    JSON_PATH3("usage", "prompt_tokens_details", "cached_tokens"),
    JSON_PATH3("usage", "prompt_tokens_details", "cache_write_tokens"),
    JSON_PATH3("usage", "completion_tokens_details", "reasoning_tokens"),
    JSON_PATH2("usage", "total_tokens"),
    JSON_PATH2("usage", "prompt_cache_hit_tokens"),
    JSON_PATH3("usage", "prompt_tokens_details", "audio_tokens"),
    JSON_PATH3("usage", "prompt_tokens_details", "image_tokens"),
};
/* Which figure stands at each place from CHUNK_FIGURES on. */
static const uint8_t chunk_figures[] = {
    USAGE_INPUT, USAGE_OUTPUT,     USAGE_CACHE_READ,  USAGE_CACHE_WRITE, USAGE_REASONING,
    USAGE_TOTAL, USAGE_CACHE_READ, USAGE_AUDIO_INPUT, USAGE_IMAGE_INPUT,
};
_Static_assert(CHUNK_FIGURES + ARRAY_LENGTH(chunk_figures) == CHUNK_PLACES, "a figure per place");
_Static_assert((size_t)CHUNK_PLACES <= (size_t)JSON_PATHS_MAX, "one scan finds all of them");

static bool has_other_than_text(const struct json_hit *hits, struct span data)
{
    uint32_t known = 0;
    const struct json_hit *index = &hits[CHUNK_INDEX];
    const struct json_hit *content = &hits[CHUNK_CONTENT];

    for (size_t i = CHUNK_ROLE; i < CHUNK_FIGURES; i++) {
        known += hits[i].kind != JSON_ABSENT;
        if (i >= CHUNK_OTHERS && answer_is_filled(&hits[i])) {
            return true;
        }
    }
    return hits[CHUNK_CHOICES].count > 1 || hits[CHUNK_DELTA].count > known ||
           answer_is_filled(&hits[CHUNK_LOGPROBS]) ||
           (content->kind != JSON_STRING && !is_unset(content)) ||
           (index->kind != JSON_ABSENT && !span_equal(json_hit_span(index, data), SPAN_OF("0")));
}

static void keep_names(struct resume *resume, const struct json_hit *hits, struct span data)
{
    struct buf *text = &resume->names_text;

    if (text->len > 0 || hits[CHUNK_CHOICES].count == 0) {
        return; /* Azure's first chunk has no choice and an empty id */
    }
    if (buf_reserve(text, (size_t)(hits[CHUNK_ID].len + hits[CHUNK_CREATED].len +
                                   hits[CHUNK_MODEL].len)) != ERR_NONE) {
        resume_give_up(resume);
        return;
    }
    for (size_t i = 0; i < RESUME_NAMES; i++) {
        size_t from = text->len;

        if (hits[i].kind != JSON_ABSENT) {
            buf_put(text, json_hit_span(&hits[i], data));
            resume->names[i] = span_make(text->at + from, text->len - from);
        }
    }
}

static struct span content_of(const struct json_hit *hits, struct span data)
{
    return hits[CHUNK_CONTENT].kind == JSON_STRING ? answer_text(&hits[CHUNK_CONTENT], data)
                                                   : span_make(NULL, 0);
}

static void change_names(struct resume *resume, const struct json_hit *hits, struct span data,
                         struct resume_changes *changes)
{
    for (size_t i = 0; i < RESUME_NAMES; i++) {
        if (hits[i].kind != JSON_ABSENT && resume->names[i].len > 0 &&
            !span_equal(json_hit_span(&hits[i], data), resume->names[i])) {
            resume_replace(changes, &hits[i], resume->names[i]);
        }
    }
}

static void change_usage(const struct resume *resume, const struct meter *meter,
                         const struct json_hit *hits, struct resume_changes *changes)
{
    for (size_t i = 0; i < ARRAY_LENGTH(chunk_figures); i++) {
        enum usage_figure figure = (enum usage_figure)chunk_figures[i];

        if (hits[CHUNK_FIGURES + i].kind == JSON_NUMBER && resume->past[figure] > 0) {
            resume_replace_number(changes, &hits[CHUNK_FIGURES + i],
                                  resume_sum(resume, meter, figure));
        }
    }
}

/* A chunk without choices is usage, or nothing. */
static bool brings_nothing(const struct resume *resume, const struct json_hit *hits, bool is_other,
                           struct span came, struct span fresh)
{
    bool has_usage = answer_has_number(hits + CHUNK_FIGURES, ARRAY_LENGTH(chunk_figures));

    if (is_other || fresh.len > 0 || answer_is_filled(&hits[CHUNK_FINISH]) ||
        (has_usage && hits[CHUNK_CHOICES].count == 0)) {
        return false;
    }
    return !resume->now.is_joined || came.len > 0;
}

static enum resume_step follow_on(struct resume *resume, const struct resume_look *look,
                                  const struct json_hit *hits, bool is_other)
{
    const struct sse_event *event = look->event;
    struct resume_changes changes = {.count = 0};
    struct span came = content_of(hits, event->data);
    struct span fresh = resume_new_text(resume, came);

    if (brings_nothing(resume, hits, is_other, came, fresh)) {
        return RESUME_DROP;
    }
    resume->now.is_joined = true;
    change_names(resume, hits, event->data, &changes);
    if (hits[CHUNK_ROLE].kind != JSON_ABSENT) {
        resume_cut_member(&changes, event->data, &hits[CHUNK_ROLE], SPAN_OF("role"));
    }
    if (fresh.len != came.len) {
        struct json_hit repeated = {.at = hits[CHUNK_CONTENT].at + 1, .len = came.len - fresh.len};
        resume_replace(&changes, &repeated, span_make(NULL, 0));
    }
    change_usage(resume, &look->stream->meter, hits, &changes);
    resume_take_text(resume, fresh);
    return resume_write(look->out, event, &changes);
}

static enum resume_step event(struct resume *resume, const struct resume_look *look)
{
    struct json_hit hits[CHUNK_PLACES];
    struct span data = look->event->data;
    bool is_other = false;

    if (span_equal(span_trim(data), SPAN_OF("[DONE]"))) {
        return RESUME_PASS;
    }
    if (!answer_scan(look->scan, chunk_paths, CHUNK_PLACES, data, hits)) {
        resume_give_up(resume);
        return resume->is_continuing ? RESUME_BROKEN : RESUME_PASS;
    }
    is_other = has_other_than_text(hits, data);
    if (is_other) {
        resume_give_up(resume);
    }
    if (resume->is_continuing) {
        return follow_on(resume, look, hits, is_other);
    }
    keep_names(resume, hits, data);
    resume_take_text(resume, content_of(hits, data));
    return RESUME_PASS;
}

const struct resume_row openai_chat_resume = {
    .paths = request_paths,
    .paths_count = REQUEST_PLACES,
    .may = may,
    .event = event,
};
