/* SPDX-License-Identifier: Apache-2.0 */
/* From a question to what is known of each target. A request goes the way of a call: the same
 * judgement of its body, the same route, the same order; only that nobody remembers it. */
#include "admin/quoting.h"

#include "admin/quoting_parts.h"
#include "base/mem.h"
#include "base/text.h"
#include "wire/json_walk.h"
#include "wire/json_out.h"
#include "wire/json_splice.h"

enum { TEXTS_MAX = 16 * 1024, ADDED_MAX = 4 * 1024, SPOKEN_MAX = 200 };

struct quoting *quoting_new(struct snapshot *snapshot)
{
    struct quoting *quoting = mem_take_zero(sizeof *quoting);

    if (quoting == NULL) {
        return NULL;
    }
    quoting->snapshot = snapshot_take(snapshot);
    buf_init(&quoting->texts, TEXTS_MAX);
    buf_init(&quoting->body, (size_t)snapshot->limits.body + ADDED_MAX);
    return quoting;
}

void quoting_free(struct quoting *quoting)
{
    if (quoting == NULL) {
        return;
    }
    for (size_t i = 0; i < TARGETS_MAX; i++) {
        translation_free(quoting->places[i].translation);
    }
    buf_fini(&quoting->texts);
    buf_fini(&quoting->body);
    snapshot_give(quoting->snapshot);
    mem_give(quoting, sizeof *quoting);
}

/* ---- what is wrong ---- */

static struct refusal no(enum refusal_kind kind)
{
    return (struct refusal){.kind = kind};
}

static struct refusal wrong(struct span what)
{
    return (struct refusal){.kind = REFUSAL_BAD_QUESTION, .detail = what};
}

/* "<name>: <text>", the name being the asker's. */
static struct refusal wrong_name(struct quoting *quoting, struct span name, const char *text)
{
    size_t from = quoting->texts.len;

    text_put_printable(&quoting->texts, name, SPOKEN_MAX);
    buf_put_text(&quoting->texts, text);
    return wrong(span_from(buf_span(&quoting->texts), from));
}

/* ---- the words ---- */

static struct span *word_of(struct quoting_words *words, struct span name)
{
    const struct {
        struct span name;
        struct span *word;
    } rows[] = {
        {SPAN("path"), &words->path},   {SPAN("dialect"), &words->dialect},
        {SPAN("model"), &words->model}, {SPAN("task"), &words->task},
        {SPAN("route"), &words->route}, {SPAN("format"), &words->format},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (span_equal(rows[i].name, name)) {
            return rows[i].word;
        }
    }
    return NULL;
}

static struct refusal read_query(struct quoting *quoting, struct span query)
{
    struct buf *texts = &quoting->texts;

    for (struct span rest = query; rest.at != NULL && rest.len > 0;) {
        struct span value = span_cut(&rest, '&');
        struct span name = span_cut(&value, '=');
        struct span *word = word_of(&quoting->words, name);
        size_t from = texts->len;

        if (word == NULL) {
            return wrong_name(
                quoting, name,
                ": no such parameter; known are path, dialect, model, task, route, format");
        }
        if (value.at == NULL || !text_put_url_decoded(texts, value)) {
            return wrong_name(quoting, name,
                              ": a value is missing, or a % has no two digits behind it");
        }
        *word = span_from(buf_span(texts), from);
    }
    return no(REFUSAL_NONE);
}

/* {"request": {...}, "path": ..., ...} */
static struct refusal read_envelope(struct quoting *quoting, struct span document,
                                    struct span *request)
{
    struct json_walk walk = json_walk_of(document);
    struct buf *texts = &quoting->texts;
    struct span name;
    struct span value;

    *request = span_make("", 0);
    while (json_walk_member(&walk, &name, &value)) {
        struct span bare = span_make(name.at + 1, name.len - 2);
        struct span *word = word_of(&quoting->words, bare);
        size_t from = texts->len;

        if (span_equal(bare, SPAN_OF("request"))) {
            *request = value;
        } else if (word == NULL) {
            return wrong_name(quoting, bare,
                              ": no such member; known are request, path, dialect, model, task, "
                              "route, format (a bare request needs ?path=/v1/...)");
        } else if (json_is_string(value)) {
            json_string_decode(value, texts);
            *word = span_from(buf_span(texts), from);
        } else if (!span_equal(value, SPAN_OF("null"))) {
            return wrong_name(quoting, bare, ": takes a string");
        }
    }
    return json_is_object(*request) ? no(REFUSAL_NONE)
                                    : wrong(SPAN_OF("request: takes the request's object"));
}

/* The whole body is JSON, and which part of it is the request. */
static struct refusal find_request(struct quoting *quoting, const struct quoting_world *world,
                                   struct span body, struct span *request)
{
    struct json_scan_options options = {.seed = world->seed};
    bool is_bare = quoting->words.path.len > 0 || quoting->words.dialect.len > 0;

    if (!json_scan_whole(world->scan, &options, body, NULL)) {
        enum json_fault fault = json_scan_fault(world->scan);

        return (struct refusal){.kind = refusal_of_json(fault),
                                .offset = json_scan_offset(world->scan),
                                .has_offset = fault != JSON_FAULT_MEMORY};
    }
    *request = json_walk_document(body);
    if (!json_is_object(*request)) {
        return no(REFUSAL_NOT_OBJECT);
    }
    return is_bare ? no(REFUSAL_NONE) : read_envelope(quoting, *request, request);
}

/* ---- the request ---- */

/* Where no path is named, the usual one of the dialect for a body of this form. */
static struct span usual_path(const struct quoting_words *words, struct span request)
{
    enum { INPUT, PROMPT, MEMBERS };
    static const char *const names[MEMBERS] = {"input", "prompt"};
    struct span values[MEMBERS];

    if (span_equal(words->dialect, SPAN_OF("anthropic"))) {
        return SPAN_OF("/v1/messages");
    }
    if (span_equal(words->dialect, SPAN_OF("gemini"))) { /* the model is named beside it */
        return SPAN_OF("/v1beta/models/model:generateContent");
    }
    json_walk_pick(request, names, MEMBERS, values);
    return values[INPUT].len > 0    ? SPAN_OF("/v1/responses")
           : values[PROMPT].len > 0 ? SPAN_OF("/v1/completions")
                                    : SPAN_OF("/v1/chat/completions");
}

static struct refusal match_path(struct quoting *quoting, struct span request)
{
    struct quoting_words *words = &quoting->words;
    const struct path_match *match = &quoting->match;

    if (words->path.len == 0 && words->model.len == 0 &&
        span_equal(words->dialect, SPAN_OF("gemini"))) {
        return wrong_name(quoting, SPAN_OF("model"),
                          ": is needed, as a body of this dialect names none");
    }
    if (words->path.len == 0) {
        words->path = usual_path(words, request);
    }
    if (!dialect_match(SPAN_OF("POST"), words->path, NULL, &quoting->match) ||
        match->method_is_wrong || match->operation->kind != OPERATION_CALL) {
        return wrong_name(quoting, words->path, ": no call has this path");
    }
    if (words->dialect.len > 0 && !span_equal(words->dialect, span_of(match->dialect->name))) {
        return wrong_name(quoting, words->dialect, ": not the dialect of this path");
    }
    return no(REFUSAL_NONE);
}

/* The request, with the model that the question names in place of its own. */
static void put_request(struct quoting *quoting, struct span request)
{
    struct span pieces[JSON_PIECES_MAX];
    struct span own = json_walk_find(request, "model");
    struct json_edit edit = {.at = 1};
    struct json_out json;
    struct buf value;
    size_t count = 0;

    if (quoting->words.model.len == 0 || quoting->match.model.len > 0) {
        buf_put(&quoting->body, request);
        return;
    }
    buf_init(&value, ADDED_MAX);
    json_out_init(&json, &value);
    if (own.len > 0) {
        edit.at = (uint64_t)(own.at - request.at);
        edit.cut = own.len;
    } else {
        json_key(&json, "model");
    }
    json_string(&json, quoting->words.model);
    if (own.len == 0 && json_walk_of(request).at != json_walk_of(request).end) {
        buf_put_char(&value, ',');
    }
    edit.put = buf_span(&value);
    count = json_splice(request, &edit, 1, pieces);
    for (size_t i = 0; i < count; i++) {
        buf_put(&quoting->body, pieces[i]);
    }
    quoting->body.failed = quoting->body.failed || value.failed;
    buf_fini(&value);
}

static struct refusal judge_request(struct quoting *quoting, const struct quoting_world *world,
                                    struct request *request)
{
    struct span body = buf_span(&quoting->body);
    size_t from = quoting->texts.len;
    struct refusal refusal;

    *request = (struct request){.output_cap = -1};
    refusal = quoting->match.operation->read_request(world->scan, world->seed, body, request);
    if (refusal.kind != REFUSAL_NONE) {
        return refusal;
    }
    request->dialect = quoting->match.dialect;
    request->operation = quoting->match.operation;
    request->is_stream = request->is_stream || request->operation->is_stream;
    if (quoting->match.model.len == 0) {
        json_string_decode(request->model_raw, &quoting->texts);
    } else { /* the path names it; a question may ask for another one */
        buf_put(&quoting->texts, quoting->words.model.len > 0 ? quoting->words.model
                                                               : quoting->match.model);
    }
    quoting->model = span_from(buf_span(&quoting->texts), from);
    quote_read(body, request, &quoting->request);
    return quoting->texts.failed ? wrong(SPAN_OF("its names are too long")) : no(REFUSAL_NONE);
}

/* ---- the targets ---- */

static enum quoting_left_out left_out(const struct quoting *quoting, const struct target *target)
{
    return !target->is_enabled                                   ? QUOTING_DISABLED
           : target->provider->dialect != quoting->match.dialect ? QUOTING_DIALECT
                                                                 : QUOTING_SHARE;
}

static void put_order(struct quoting *quoting)
{
    const struct plan *plan = &quoting->plan;
    size_t targets = plan->route != NULL ? plan->route->targets_count : plan->count;
    bool is_taken[TARGETS_MAX] = {false};

    for (uint8_t i = 0; i < plan->count; i++) {
        is_taken[plan->order[i]] = true;
        if (quoting->places[plan->order[i]].left_out == QUOTING_TAKEN) {
            quoting->order[quoting->count++] = plan->order[i];
        }
    }
    for (uint8_t i = 0; i < targets; i++) {
        struct quoting_place *place = &quoting->places[i];

        if (!is_taken[i]) {
            place->left_out = left_out(quoting, plan_target(plan, i));
        }
        if (place->left_out != QUOTING_TAKEN) {
            quoting->order[quoting->count++] = i;
        }
    }
}

static struct span model_at(const struct quoting *quoting, uint8_t place)
{
    const struct target *target = plan_target(&quoting->plan, place);

    return target->model.len > 0 ? target->model : quoting->model;
}

/* Four bytes a token where nothing is known, as everywhere. */
static struct guess ratio_of(uint64_t bytes, const struct guesses *guesses,
                             uint64_t key)
{
    return guesses != NULL ? guesses_tokens(guesses, key, GUESS_INPUT, bytes)
                           : (struct guess){.tokens = (int64_t)(bytes / 4 + (bytes % 4 != 0)),
                                            .error_permille = 1000};
}

static void look_at_targets(struct quoting *quoting, const struct quoting_world *world)
{
    const struct guesses *guesses = world->guesses;

    for (uint8_t i = 0; i < quoting->count; i++) {
        uint8_t at = quoting->order[i];
        struct quoting_place *place = &quoting->places[at];
        struct span provider = plan_target(&quoting->plan, at)->provider->name;
        uint64_t key = guesses == NULL ? 0 : guesses_key(guesses, provider, model_at(quoting, at));

        place->standing = plan_standing(&quoting->plan, world->fleet, at, world->now);
        place->bytes = place->bytes > 0 ? place->bytes : quoting->body.len; /* of one that is left out */
        place->counts.ratio = ratio_of(place->bytes, guesses, key);
    }
}

static struct refusal choose(struct quoting *quoting, const struct quoting_world *world,
                             const struct request *request)
{
    const struct routing *routing = &quoting->snapshot->routing;
    struct wish wish = {
        .route = quoting->words.route, .task = quoting->words.task, .model = quoting->model};
    struct plan_ask ask = {
        .dialect = quoting->match.dialect,
        .operation = quoting->match.operation,
        .model = quoting->model,
        .session = request->session,
        .prices = &quoting->snapshot->prices,
        .at = world->at,
        .estimate = quote_estimate(quoting->body.len, request->output_cap),
        .is_preview = true,
    };
    struct way way;
    enum way_found found = route_find(routing, ask.dialect, &wish, &way);

    if (found != WAY_FOUND) {
        return route_refusal(routing, found, &wish);
    }
    quoting->length = quote_length(world->guesses, &way, &ask, request->output_cap);
    ask.length = quoting->length;
    plan_make(&quoting->plan, world->fleet, &way, &ask, world->now);
    if (quoting->plan.count == 0) {
        return (struct refusal){.kind = REFUSAL_DIALECT_NOT_SERVED,
                                .detail = quoting->plan.route != NULL ? quoting->plan.route->name
                                                                      : span_make("", 0)};
    }
    quoting->is_stream = request->is_stream;
    if (!quoting_tell(quoting, world)) {
        return no(REFUSAL_OVERLOADED);
    }
    put_order(quoting);
    look_at_targets(quoting, world);
    return no(REFUSAL_NONE);
}

/* ---- all of it ---- */

static bool is_format(struct span word)
{
    return word.len == 0 || span_equal(word, SPAN_OF("json")) || span_equal(word, SPAN_OF("table"));
}

struct refusal quoting_read(struct quoting *quoting, const struct quoting_world *world,
                            struct span query, struct span body)
{
    struct span document = span_make("", 0);
    struct request request;
    struct refusal refusal;

    quoting->now = world->now;
    quoting->at = world->at;
    if (buf_reserve(&quoting->texts, TEXTS_MAX) != ERR_NONE) {
        return no(REFUSAL_OVERLOADED);
    }
    refusal = read_query(quoting, query);
    if (refusal.kind == REFUSAL_NONE) {
        refusal = find_request(quoting, world, body, &document);
    }
    if (refusal.kind == REFUSAL_NONE && !is_format(quoting->words.format)) {
        refusal = wrong(SPAN_OF("format: takes json or table"));
    }
    if (refusal.kind == REFUSAL_NONE) {
        refusal = match_path(quoting, document);
    }
    if (refusal.kind != REFUSAL_NONE) {
        return refusal;
    }
    put_request(quoting, document);
    if (quoting->body.failed) {
        return no(REFUSAL_OVERLOADED);
    }
    refusal = judge_request(quoting, world, &request);
    return refusal.kind == REFUSAL_NONE ? choose(quoting, world, &request) : refusal;
}

bool quoting_wants_table(const struct quoting *quoting)
{
    return span_equal(quoting->words.format, SPAN_OF("table"));
}

bool quoting_lacks(const struct quoting *quoting)
{
    return quoting->lacks_table;
}
