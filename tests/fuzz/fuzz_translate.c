/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_translate.c: three bytes pick the pair and its circumstances; then the app's request, a line "=", a
 * whole answer of the provider, a line "=", a stream. Parts may be missing.
 *
 *   0: the app's grammar (3), the provider's (12; the same one stands for Converse), a strict route (16), how the bytes
 *      are cut (224)
 *   1: the target's model (7), its provider (56), how the app wants its answer (192)
 *   2: the translation's allocation of this number fails; 0: none does
 *
 * Whatever the bytes hold: a request that is translated is one that the provider's grammar takes, and the same when it
 * is translated again; under strict nothing is lost; a told answer is JSON that the app's grammar reads, a told stream
 * is events of JSON that end at most once, and the same however the bytes came; names of answers and models are
 * strings; no memory is kept. */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/must.h"
#include "wire/habits.h"
#include "wire/json_walk.h"
#include "wire/models.h"
#include "wire/translate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { APPS = 4, CONVERSE = APPS, SIDES, CHOICES = 8, WISHES = 4 };

/* Models with one way each to think, to draw and to refuse; what apps ask, and in what form: the plain request, the
 * same of a call that wants its figures, the oldest form of calls, the model's thoughts. */
static const struct {
    struct span dialect, operation;
    struct span models[CHOICES];
    struct span plain[WISHES];
} sides[SIDES] = {
    {SPAN("openai"),
     SPAN("chat"),
     {SPAN("gpt-4.1"), SPAN("gpt-5"), SPAN("gpt-5.1"), SPAN("gpt-5.6"), SPAN("gpt-5-pro"), SPAN("chatgpt-4o-latest"),
      SPAN("deepseek-v4"), SPAN("gpt-6-sol")},
     {SPAN("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":true}"),
      SPAN("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":true,"
           "\"stream_options\":{\"include_usage\":true}}"),
      SPAN("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":true,"
           "\"functions\":[{\"name\":\"f\"}],\"function_call\":\"auto\"}"),
      SPAN("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":true,"
           "\"reasoning_effort\":\"high\"}")}},
    {SPAN("openai"),
     SPAN("responses"),
     {SPAN("gpt-5-pro"), SPAN("gpt-4.1"), SPAN("gpt-5"), SPAN("gpt-5.2-codex"), SPAN("o3-mini"), SPAN("gpt-oss-120b"),
      SPAN("gpt-6-astra"), SPAN("llama")},
     {SPAN("{\"model\":\"m\",\"input\":\"x\",\"stream\":true}"),
      SPAN("{\"model\":\"m\",\"input\":\"x\",\"stream\":true,\"store\":false}"),
      SPAN("{\"model\":\"m\",\"input\":\"x\",\"stream\":true,\"tools\":[{\"type\":\"function\",\"name\":\"f\","
           "\"parameters\":{}}]}"),
      SPAN("{\"model\":\"m\",\"input\":\"x\",\"stream\":true,\"reasoning\":{\"effort\":\"high\",\"summary\":\"auto\"}}")}},
    {SPAN("anthropic"),
     SPAN("messages"),
     {SPAN("claude-sonnet-4-5"), SPAN("claude-sonnet-5-5"), SPAN("claude-opus-5"), SPAN("claude-opus-4-6"),
      SPAN("claude-3-haiku"), SPAN("claude-opus-4-8"), SPAN("claude-sonnet-4"), SPAN("kimi-k3")},
     {SPAN("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":true}"),
      SPAN("{\"model\":\"m\",\"max_tokens\":9000,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
           "\"stream\":true,\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000}}"),
      SPAN("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":true,"
           "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]}"),
      SPAN("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":true,"
           "\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"}}")}},
    {SPAN("gemini"),
     SPAN("generate_content"),
     {SPAN("gemini-4-argon"), SPAN("gemini-2.5-pro"), SPAN("gemini-2.5-flash"), SPAN("gemini-3-flash"),
      SPAN("gemini-2.0-flash"), SPAN("gemma-3"), SPAN("gemini-4-hydrogen"), SPAN("gemini-2.5-flash-lite")},
     {SPAN("{\"contents\":[{\"parts\":[{\"text\":\"x\"}]}]}"),
      SPAN("{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"x\"}]}],\"generationConfig\":{\"maxOutputTokens\":9}}"),
      SPAN("{\"contents\":[{\"parts\":[{\"text\":\"x\"}]}],\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\"}]}]}"),
      SPAN("{\"contents\":[{\"parts\":[{\"text\":\"x\"}]}],\"generationConfig\":{\"thinkingConfig\":"
           "{\"includeThoughts\":true}}}")}},
    {SPAN("bedrock"),
     SPAN("converse"),
     {SPAN("us.anthropic.claude-sonnet-4-5-20250929-v1:0"), SPAN("us.anthropic.claude-opus-4-8-v1:0"),
      SPAN("amazon.nova-pro-v1:0"), SPAN("meta.llama4-scout-17b-instruct-v1:0"), SPAN("mistral.mistral-large-2407-v1:0"),
      SPAN("anthropic.claude-3-haiku-20240307-v1:0"), SPAN("us.anthropic.claude-opus-5-v1:0"), SPAN("deepseek.r1-v1:0")},
     {{NULL, 0}}}}; /* no app speaks it */

/* Each a row of habits.def of its own; the first is the vendor itself. */
static const struct span providers[CHOICES] = {
    SPAN(""),           SPAN("api.mistral.ai/v1"), SPAN("api.deepseek.com/v1"), SPAN("localhost:11434/v1"),
    SPAN("api.groq.com/v1"), SPAN("api.x.ai/v1"), SPAN("api.cohere.com/v2"), SPAN("else.example/v1")};

struct run {
    unsigned from, to, model, provider, wish;
    bool is_strict;
    size_t cut;
    uint64_t fault; /* allocations until one fails; 0: none will */
    struct json_scan *scan;
};

static const struct dialect *dialect_of(unsigned side)
{
    return side == CONVERSE ? &dialect_bedrock : dialect_by_name(sides[side].dialect);
}

/* Gemini's two forms have a name in common: streams have the second. */
static const struct operation *operation_of(unsigned side, bool is_stream)
{
    const struct dialect *dialect = dialect_of(side);
    const struct operation *found = NULL;

    for (const struct operation *one = dialect->operations; one->name != NULL; one++) {
        if (span_equal(span_of(one->name), sides[side].operation) && (found == NULL || is_stream)) {
            found = one;
        }
    }
    must(found != NULL);
    return found;
}

/* Memory runs out in the translation alone: what feeds it holds. */
static void arm(const struct run *run)
{
    mem_fail_at(run->fault);
}

static void disarm(struct run *run)
{
    uint64_t taken = mem_taken();

    mem_fail_at(0);
    run->fault = run->fault > taken ? run->fault - taken : 0;
}

static const struct model_facts *facts_of(const struct run *run)
{
    return model_facts_of(dialect_of(run->to)->name, sides[run->to].models[run->model]);
}

static unsigned habits(const struct run *run)
{
    struct span at = run->to == CONVERSE ? SPAN_OF("") : providers[run->provider];
    const char *vendor = dialect_of(run->to)->name;

    return at.len == 0 ? habits_of(vendor, span_of(vendor), sides[run->to].models[run->model])
                       : habits_of("compatible", at, sides[run->to].models[run->model]);
}

/* NULL only without memory. */
static struct translation *translate(struct run *run, struct span body, bool is_stream)
{
    struct translate_ask ask = {.from = operation_of(run->from, is_stream),
                                .to = operation_of(run->to, is_stream),
                                .scan = run->scan,
                                .model = sides[run->to].models[run->model],
                                .app_model = SPAN_OF("m"),
                                .body = body,
                                .facts = facts_of(run),
                                .habits = habits(run),
                                .default_cap = run->wish == 1 ? 500 : 0,
                                .input_estimate = 7,
                                .now_s = 1,
                                .seed = 1,
                                .is_stream = is_stream,
                                .is_strict = run->is_strict};
    bool may_fail = run->fault > 0;
    struct translation *translation = NULL;

    arm(run);
    translation = translation_new(&ask);
    disarm(run);
    must(translation != NULL || may_fail);
    return translation;
}

/* The app's circumstances alone: its answer is to be translated. */
static struct translation *plain(struct run *run, bool is_stream)
{
    struct run lenient = *run;
    struct translation *translation = NULL;

    lenient.is_strict = false;
    translation = translate(&lenient, sides[run->from].plain[run->wish], is_stream);
    run->fault = lenient.fault;
    return translation;
}

static bool begin(struct run *run, struct translation *translation)
{
    bool may_fail = run->fault > 0;
    bool has_begun = false;

    arm(run);
    has_begun = translation_begin(translation);
    disarm(run);
    must(has_begun || may_fail);
    return has_begun;
}

static bool is_json(struct run *run, struct span text)
{
    struct json_scan_options options = {.allow_duplicates = true};

    return json_scan_whole(run->scan, &options, text, NULL);
}

/* What clients take for strings is one, wherever it came from. */
static void check_names(struct span document)
{
    static const char *const names[] = {"id", "model", "modelVersion", "responseId"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct span value = json_walk_find(json_walk_document(document), names[i]);

        must(value.len == 0 || json_is_string(value));
    }
}

static void check_dropped(const struct run *run, const struct translation *translation)
{
    struct span dropped = translation_dropped(translation);

    must(!run->is_strict || dropped.len == 0);
    for (size_t i = 0; i < dropped.len; i++) {
        must(dropped.at[i] >= ' ' && dropped.at[i] < 0x7f);
    }
}

static void check_request(struct run *run, const struct translation *translation)
{
    struct request request = {.output_cap = -1};
    struct span body = translation_body(translation);
    struct refusal refusal = operation_of(run->to, false)->read_request(run->scan, 1, body, &request);

    /* Only what no grammar can mend: as deep or as large as the app's own, and a little more. */
    must(refusal.kind == REFUSAL_NONE || refusal.kind == REFUSAL_JSON_DEEP || refusal.kind == REFUSAL_JSON_LARGE ||
         refusal.kind == REFUSAL_INVALID_MESSAGES);
    must(refusal.kind != REFUSAL_NONE || is_json(run, body));
}

static void try_request(struct run *run, struct span body)
{
    struct request request = {.output_cap = -1};
    struct translation *translation = NULL;
    struct translation *again = NULL;

    if (operation_of(run->from, false)->read_request(run->scan, 1, body, &request).kind != REFUSAL_NONE) {
        return;
    }
    translation = translate(run, body, run->wish == 3);
    if (translation == NULL) {
        return;
    }
    if (translation_refused(translation)->param == NULL) {
        check_request(run, translation);
        again = translate(run, body, run->wish == 3);
        must(again == NULL || span_equal(translation_body(again), translation_body(translation)));
        translation_free(again);
    }
    check_dropped(run, translation);
    translation_free(translation);
}

static void try_answer(struct run *run, struct span body)
{
    struct translation *translation = plain(run, false);
    struct answer answer;
    struct meter meter;
    struct usage usage;
    struct buf out;
    bool is_told = false;

    if (translation == NULL || !begin(run, translation)) {
        translation_free(translation);
        return;
    }
    buf_init(&out, LIMIT_EVENT);
    meter_init(&meter);
    operation_of(run->to, false)->read_answer(run->scan, body, &answer, &meter);
    meter_usage(&meter, operation_of(run->to, false)->input_holds_cache, &usage);
    if (answer.is_json && answer.has_result) {
        arm(run);
        is_told = translation_whole(translation, body, &usage, &out) == TRANSLATE_OK;
        disarm(run);
    }
    if (is_told) {
        meter_init(&meter);
        operation_of(run->from, false)->read_answer(run->scan, buf_span(&out), &answer, &meter);
        must(answer.is_json && answer.has_result && !answer.error.is_present);
        check_names(buf_span(&out));
    }
    buf_fini(&out);
    translation_free(translation);
}

/* The events that an app gets, read back as it reads them. */
static void check_told(struct run *run, struct span text, bool has_ended)
{
    struct stream stream;
    struct sse sse;
    struct sse_event event;
    struct event_view view;
    unsigned ends = 0;

    stream_init(&stream, operation_of(run->from, true), false);
    sse_init(&sse, LIMIT_EVENT_HELD, LIMIT_EVENT);
    while (sse_feed(&sse, &text, &event) == SSE_EVENT) {
        must(event.has_data);
        must(span_equal(event.data, SPAN_OF("[DONE]")) || is_json(run, event.data));
        check_names(event.data);
        operation_of(run->from, true)->read_event(&stream, run->scan, &event, &view);
        must(!view.is_error);
        ends += view.is_terminal;
    }
    must(sse.tail.len == 0 && ends <= 1);
    must(!has_ended || stream.saw_finish);
    sse_fini(&sse);
}

struct feed {
    struct translation *translation;
    struct stream stream;
    struct buf *out;
};

static bool tell(struct run *run, struct feed *feed, const struct sse_event *event)
{
    struct event_view view = {0};
    struct usage usage;
    bool is_good = false;

    if (event->is_piece) {
        return true;
    }
    feed->stream.operation->read_event(&feed->stream, run->scan, event, &view);
    meter_usage(&feed->stream.meter, feed->stream.operation->input_holds_cache, &usage);
    if (view.is_error) {
        return false;
    }
    arm(run);
    is_good = translation_event(feed->translation, event, &usage, feed->out) == TRANSLATE_OK;
    disarm(run);
    return is_good;
}

static bool end(struct run *run, struct feed *feed)
{
    struct usage usage;
    bool is_good = true;

    if ((feed->stream.saw_finish || feed->stream.saw_terminal) && !translation_has_ended(feed->translation)) {
        meter_usage(&feed->stream.meter, feed->stream.operation->input_holds_cache, &usage);
        arm(run);
        is_good = translation_end(feed->translation, &usage, feed->out) == TRANSLATE_OK;
        disarm(run);
    }
    return is_good;
}

static void run_stream(struct run *run, struct span text, size_t step, struct buf *out)
{
    struct feed feed = {.translation = plain(run, true), .out = out};
    struct sse sse;
    struct sse_event event;
    bool is_good = true;

    if (feed.translation == NULL || !begin(run, feed.translation)) {
        translation_free(feed.translation);
        return;
    }
    stream_init(&feed.stream, operation_of(run->to, true), false);
    sse_init(&sse, LIMIT_EVENT_HELD, LIMIT_EVENT);
    while (text.len > 0 && is_good) {
        struct span piece = span_make(text.at, step < text.len ? step : text.len);

        text = span_from(text, piece.len);
        while (is_good && sse_feed(&sse, &piece, &event) == SSE_EVENT) {
            is_good = tell(run, &feed, &event);
        }
    }
    is_good = is_good && end(run, &feed);
    if (is_good) {
        check_told(run, buf_span(out), translation_has_ended(feed.translation));
    }
    buf_put_text(out, is_good ? "good" : "bad");
    sse_fini(&sse);
    translation_free(feed.translation);
}

static void try_stream(struct run *run, struct span text)
{
    struct buf whole;
    struct buf pieces;
    bool is_whole = run->fault == 0;

    buf_init(&whole, LIMIT_EVENT);
    buf_init(&pieces, LIMIT_EVENT);
    run_stream(run, text, SIZE_MAX, &whole);
    run_stream(run, text, run->cut + 1, &pieces);
    must(!is_whole || span_equal(buf_span(&whole), buf_span(&pieces)));
    buf_fini(&whole);
    buf_fini(&pieces);
}

static struct span cut_part(struct span *rest)
{
    const char *line = rest->at == NULL ? NULL : span_find(*rest, SPAN_OF("\n=\n"));
    struct span part = *rest;

    if (line == NULL) {
        *rest = span_make(NULL, 0);
        return part;
    }
    part.len = (size_t)(line - part.at);
    *rest = span_from(*rest, part.len + 3);
    return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEAD = 3 };
    struct span rest = span_make((const char *)data, size);
    size_t held = mem_held();
    struct run run;
    struct span part;

    if (size < HEAD) {
        return 0;
    }
    run = (struct run){.from = data[0] & 3U,
                       .to = (data[0] >> 2) & 3U,
                       .is_strict = (data[0] & 16) != 0,
                       .cut = data[0] >> 5,
                       .model = data[1] & 7U,
                       .provider = (data[1] >> 3) & 7U,
                       .wish = data[1] >> 6,
                       .fault = data[2],
                       .scan = json_scan_new()};
    must(run.scan != NULL);
    rest = span_from(rest, HEAD);
    run.to = run.to == run.from ? CONVERSE : run.to;
    part = cut_part(&rest);
    try_request(&run, part);
    part = cut_part(&rest);
    try_answer(&run, part);
    part = cut_part(&rest);
    try_stream(&run, part.at == NULL ? span_make("", 0) : part);
    json_scan_free(run.scan);
    must(mem_held() == held);
    return 0;
}
