/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/translate.h"

#include "base/limits.h"
#include "base/mem.h"
#include "wire/fit.h"
#include "wire/habits.h"
#include "wire/json_scan.h"
#include "wire/json_walk.h"
#include "wire/models.h"

enum {
    /* What the hub takes for the largest request. Measured: 76 MiB for half a million of the smallest parts (as many as
     * LIMIT_JSON_MEMBERS lets in), 104 MiB together with the body; and a text that is respelled lies there once more,
     * twice for a schema. */
    ARENA_MAX = 192 * 1024 * 1024,
    KEPT_MAX = 64 * 1024,
    BODY_MAX = 128 * 1024 * 1024, /* of 32 MiB: quotes get a backslash, the smallest parts more words (twice and a half) */
    USUAL_BODY = 32 * 1024 * 1024, /* limits.body, unless it is set */
    BODY_SHARE = 8, /* of the app's: so much more a target's words mostly take at the most */
    DROPPED_MAX = 4096,
    SCRATCH_MAX = 64 * 1024 * 1024,
};

/* `most` is for bodies of the usual size; a larger one that the operator lets in may take more by as much. */
static size_t ceiling(size_t most, struct span body)
{
    return body.len > USUAL_BODY ? most / USUAL_BODY * body.len : most;
}

struct translation {
    const struct operation *from;
    const struct operation *to;
    struct json_scan *scan;       /* borrowed */
    struct arena kept;            /* what lives as long as the translation */
    struct buf body;
    struct buf dropped;
    struct buf scratch;
    struct chat_refused refused;
    struct chat_terms terms;
    struct chat_pipe pipe;
    char *state;                  /* the reader's, then the writer's */
    size_t state_size;
    bool has_begun;
};

/* ---- which operation ---- */

static bool has_operation(const struct dialect *dialect, const struct operation *operation)
{
    for (const struct operation *one = dialect->operations; one->name != NULL; one++) {
        if (one == operation) {
            return true;
        }
    }
    return operation == &dialect->pass;
}

static bool is_responses(const struct operation *operation)
{
    return span_equal(span_of(operation->name), SPAN_OF("responses"));
}

static bool is_avoided(const struct operation *operation, unsigned habits, const struct model_facts *model)
{
    return is_responses(operation) ? (habits & HABIT_NO_RESPONSES) != 0 : (model->cannot & MODEL_NO_CHAT) != 0;
}

const struct operation *translate_operation(const struct translate_choice *choice)
{
    const struct operation *from = choice->from;
    bool is_own = has_operation(choice->to, from);
    const struct operation *found = NULL;

    if (from->translator == NULL || (is_own && !is_avoided(from, choice->habits, choice->model))) {
        return is_own ? from : NULL;
    }
    for (const struct operation *one = choice->to->operations; one->name != NULL; one++) {
        bool fits = one->translator != NULL && !is_avoided(one, choice->habits, choice->model);

        if (fits && (found == NULL || (one->translator == found->translator && one->is_stream == choice->is_stream))) {
            found = one;
        }
    }
    return found == NULL && is_own ? from : found;
}

/* ---- the request ---- */

static void put_dropped(struct buf *out, const struct chat *chat)
{
    for (const struct chat_dropped *one = chat->dropped; one != NULL; one = one->next) {
        if (out->len > 0) {
            buf_put(out, SPAN_OF(", "));
        }
        buf_put(out, one->name);
        if (one->is_changed) {
            buf_put(out, SPAN_OF("=changed"));
        }
    }
    if (chat->dropped_more) {
        buf_put(out, SPAN_OF(", ..."));
    }
}

/* Fixed texts and names in the arena of the request, which is gone by the time they are told. */
static void keep_refused(struct translation *t, const struct chat_refused *refused)
{
    t->refused = *refused;
    if (refused->param != NULL) {
        struct span param = arena_copy(&t->kept, span_of(refused->param));

        t->refused.param = param.at != NULL ? param.at : "";
        t->refused.which = arena_copy(&t->kept, refused->which);
    }
}

/* The terms' strings, which the app's body holds. */
static void keep_terms(struct translation *t, const struct chat *chat, const struct translate_ask *ask,
                       struct span app_model)
{
    t->terms = (struct chat_terms){.model = arena_copy(&t->kept, app_model),
                                   .created = ask->now_s,
                                   .seed = ask->seed,
                                   .input_estimate = ask->input_estimate,
                                   .wants_usage = chat->params.wants_usage,
                                   .is_legacy = chat->params.is_legacy,
                                   .shows_thinking = chat->params.shows_thinking};
}

static bool write_request(struct translation *t, struct chat *chat, const struct translate_ask *ask)
{
    const struct chat_target target = {.operation = t->to,
                                       .model = ask->facts,
                                       .habits = ask->habits};
    const struct fit_terms terms = {.from = t->from, .default_cap = ask->default_cap};
    struct json_out json;

    chat->target = &target;
    t->from->translator->read_request(chat, ask->body);
    chat_finish(chat);
    chat->params.is_stream = ask->is_stream;
    keep_terms(t, chat, ask, chat_string(chat, ask->app_model));
    chat->model = chat_string(chat, ask->model);
    if (!chat_is_refused(chat)) {
        fit_chat(chat, &terms);
    }
    if (!chat_is_refused(chat)) {
        buf_hint(&t->body, ask->body.len + ask->body.len / BODY_SHARE);
        json_out_init(&json, &t->body);
        t->to->translator->write_request(chat, &json);
    }
    keep_refused(t, &chat->refused);
    put_dropped(&t->dropped, chat);
    chat->target = NULL;
    return !chat->arena->failed && !t->kept.failed && !t->body.failed && !t->dropped.failed;
}

struct translation *translation_new(const struct translate_ask *ask)
{
    struct translation *t = mem_take_zero(sizeof *t);
    struct arena arena;
    struct chat chat;
    bool is_good = false;

    if (t == NULL) {
        return NULL;
    }
    t->from = ask->from;
    t->to = ask->to;
    t->scan = ask->scan;
    arena_init(&t->kept, KEPT_MAX);
    buf_init(&t->body, ceiling(BODY_MAX, ask->body));
    buf_init(&t->dropped, DROPPED_MAX);
    buf_init(&t->scratch, SCRATCH_MAX);
    arena_init(&arena, ceiling(ARENA_MAX, ask->body));
    chat_init(&chat, &arena, ask->scan, ask->is_strict);
    is_good = write_request(t, &chat, ask);
    arena_fini(&arena);
    if (!is_good) {
        translation_free(t);
        return NULL;
    }
    return t;
}

static void end_writer(struct translation *t)
{
    if (t->has_begun && t->from->translator->end_writer != NULL) {
        t->from->translator->end_writer(t->pipe.writer);
    }
    t->has_begun = false;
}

void translation_free(struct translation *t)
{
    if (t == NULL) {
        return;
    }
    end_writer(t);
    arena_fini(&t->kept);
    buf_fini(&t->body);
    buf_fini(&t->dropped);
    buf_fini(&t->scratch);
    mem_give(t->state, t->state_size);
    mem_give(t, sizeof *t);
}

const struct chat_refused *translation_refused(const struct translation *translation)
{
    return &translation->refused;
}

struct span translation_body(const struct translation *translation)
{
    return buf_span(&translation->body);
}

void translation_forget_body(struct translation *translation)
{
    buf_fini(&translation->body);
}

struct span translation_dropped(const struct translation *translation)
{
    return buf_span(&translation->dropped);
}

/* ---- the answer ---- */

/* What reader and writer remember, both in one piece of memory. */
bool translation_begin(struct translation *t)
{
    size_t reader = (t->to->translator->reader_size + 15) / 16 * 16;
    size_t size = reader + t->from->translator->writer_size;

    end_writer(t);
    if (t->state == NULL) {
        t->state = mem_take(size > 0 ? size : 1);
        if (t->state == NULL) {
            return false;
        }
        t->state_size = size > 0 ? size : 1;
    }
    memset(t->state, 0, size);
    t->pipe = (struct chat_pipe){.writer_row = t->from->translator,
                                 .writer = t->state + reader,
                                 .terms = &t->terms,
                                 .scratch = &t->scratch};
    usage_init(&t->pipe.usage);
    t->has_begun = true;
    return true;
}

static enum translate_step step_of(const struct translation *t, const struct buf *out)
{
    return t->pipe.has_failed || out->failed || t->scratch.failed ? TRANSLATE_FAILED : TRANSLATE_OK;
}

/* Readers walk through what the scanner has accepted, and nothing else. */
static bool is_readable(struct translation *t, struct span data)
{
    struct json_scan_options options = {.allow_duplicates = true};

    return span_equal(span_trim(data), SPAN_OF("[DONE]")) ||
           (json_is_object(json_walk_document(data)) && json_scan_whole(t->scan, &options, data, NULL));
}

/* Of an event that cannot be read: whether it need not be. */
static bool is_keep_alive(const struct sse_event *event)
{
    return json_walk_document(event->data).len == 0 || span_equal(event->name, SPAN_OF("ping")) ||
           span_equal(event->name, SPAN_OF("keepalive"));
}

enum translate_step translation_event(struct translation *t, const struct sse_event *event, const struct usage *usage,
                                      struct buf *out)
{
    t->pipe.out = out;
    t->pipe.usage = *usage;
    if (!is_readable(t, event->data)) {
        return is_keep_alive(event) ? TRANSLATE_OK : TRANSLATE_FAILED;
    }
    t->to->translator->read_event(t->state, json_walk_document(event->data), &t->pipe);
    return step_of(t, out);
}

enum translate_step translation_end(struct translation *t, const struct usage *usage, struct buf *out)
{
    t->pipe.out = out;
    t->pipe.usage = *usage;
    t->to->translator->read_end(t->state, &t->pipe);
    if (!t->pipe.has_ended) { /* it said why it ends, and no more */
        chat_tell(&t->pipe, &(struct chat_event){.kind = CHAT_EVENT_END});
    }
    return step_of(t, out);
}

void translation_tell_stream(const struct translation *t, struct stream *stream)
{
    if (t->has_begun && t->from->translator->tell_stream != NULL) {
        t->from->translator->tell_stream(t->pipe.writer, &t->terms, stream);
    }
}

bool translation_has_ended(const struct translation *translation)
{
    return translation->pipe.has_ended;
}

enum translate_step translation_whole(struct translation *t, struct span body, const struct usage *usage,
                                      struct buf *out)
{
    struct chat_answer answer = {.turn = {.role = CHAT_MODEL}, .usage = *usage};
    struct arena arena;
    struct chat chat;
    struct json_out json;
    bool is_good = false;

    arena_init(&arena, ceiling(ARENA_MAX, body));
    chat_init(&chat, &arena, t->scan, false);
    answer.arena = &arena;
    is_good = t->to->translator->read_answer(&chat, &answer, json_walk_document(body)) &&
              answer.finish != CHAT_FINISH_FAULT;
    if (is_good) {
        if (answer.finish == CHAT_FINISH_UNKNOWN) {
            chat_note_unknown(&t->pipe, answer.finish_word);
        }
        answer.finish = chat_settle_finish(answer.finish, answer.turn.calls > 0);
        json_out_init(&json, out);
        t->from->translator->write_answer(&answer, &t->terms, &json);
    }
    t->pipe.has_ended = is_good && !arena.failed && !out->failed;
    arena_fini(&arena);
    return t->pipe.has_ended ? TRANSLATE_OK : TRANSLATE_FAILED;
}

struct span translation_unknown_finish(const struct translation *translation)
{
    return translation->pipe.has_ended ? translation->pipe.unknown : span_make(NULL, 0);
}
