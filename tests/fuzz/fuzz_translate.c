/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_translate.c: the first byte picks the app's dialect (3), the provider's (12; the same one stands for Converse), a strict
 * route (16) and how the bytes are cut (224); then the app's request, a line "=", a whole answer of the provider, a line "=", a stream.
 * Parts may be missing. Whatever they hold: a request that is translated is one that the provider's grammar takes, a
 * told answer is JSON that the app's grammar reads, a told stream is events of JSON that end at most once, and the same
 * however the bytes came. */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/must.h"
#include "wire/habits.h"
#include "wire/models.h"
#include "wire/translate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { APPS = 4, CONVERSE = APPS, SIDES };

static const struct {
    struct span dialect, operation, model, plain;
} sides[SIDES] = {
    {SPAN("openai"), SPAN("chat"), SPAN("gpt-4.1"),
     SPAN("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":true}")},
    {SPAN("openai"), SPAN("responses"), SPAN("gpt-5-pro"), SPAN("{\"model\":\"m\",\"input\":\"x\",\"stream\":true}")},
    {SPAN("anthropic"), SPAN("messages"), SPAN("claude-sonnet-4-5"),
     SPAN("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":true}")},
    {SPAN("gemini"), SPAN("generate_content"), SPAN("gemini-4-argon"), SPAN("{\"contents\":[{\"parts\":[{\"text\":\"x\"}]}]}")},
    {SPAN("bedrock"), SPAN("converse"), SPAN("us.anthropic.claude-sonnet-4-5-v1:0"), SPAN("")}};

static const struct operation *operation_of(unsigned side)
{
    const struct dialect *dialect = side == CONVERSE ? &dialect_bedrock : dialect_by_name(sides[side].dialect);

    for (const struct operation *one = dialect->operations; one->name != NULL; one++) {
        if (span_equal(span_of(one->name), sides[side].operation)) {
            return one;
        }
    }
    UNREACHABLE();
}

struct run {
    unsigned from, to;
    bool is_strict;
    size_t cut;
    struct json_scan *scan;
};

static struct translation *translate(struct run *run, struct span body)
{
    struct translate_ask ask = {.from = operation_of(run->from),
                                .to = operation_of(run->to),
                                .scan = run->scan,
                                .model = sides[run->to].model,
                                .app_model = SPAN_OF("m"),
                                .body = body,
                                .facts = model_facts_of(sides[run->to].dialect.at, sides[run->to].model),
                                .habits = run->cut == 3 ? habits_of("compatible", SPAN_OF("api.mistral.ai/v1"), SPAN_OF("m")) : 0,
                                .now_s = 1,
                                .seed = 1,
                                .is_strict = run->is_strict};
    struct translation *translation = translation_new(&ask);

    must(translation != NULL);
    return translation;
}

static bool is_json(struct run *run, struct span text)
{
    struct json_scan_options options = {.allow_duplicates = true};

    return json_scan_whole(run->scan, &options, text, NULL);
}

static void try_request(struct run *run, struct span body)
{
    struct request request = {.output_cap = -1};
    struct translation *translation = NULL;

    if (operation_of(run->from)->read_request(run->scan, 1, body, &request).kind != REFUSAL_NONE) {
        return;
    }
    translation = translate(run, body);
    if (translation_refused(translation)->param == NULL) {
        struct refusal refusal = operation_of(run->to)->read_request(run->scan, 1, translation_body(translation), &request);

        /* Only what no grammar can mend: as deep or as large as the app's own, and a little more. */
        must(refusal.kind == REFUSAL_NONE || refusal.kind == REFUSAL_JSON_DEEP || refusal.kind == REFUSAL_JSON_LARGE ||
             refusal.kind == REFUSAL_INVALID_MESSAGES);
        must(refusal.kind != REFUSAL_NONE || is_json(run, translation_body(translation)));
    }
    for (size_t i = 0; i < translation_dropped(translation).len; i++) {
        char c = translation_dropped(translation).at[i];

        must(c >= ' ' && c < 0x7f);
    }
    translation_free(translation);
}

static void try_answer(struct run *run, struct span body)
{
    struct translation *translation = translate(run, sides[run->from].plain);
    struct answer answer;
    struct meter meter;
    struct usage usage;
    struct buf out;

    buf_init(&out, LIMIT_EVENT);
    meter_init(&meter);
    operation_of(run->to)->read_answer(run->scan, body, &answer, &meter);
    meter_usage(&meter, operation_of(run->to)->input_holds_cache, &usage);
    must(translation_begin(translation));
    if (answer.is_json && answer.has_result && translation_whole(translation, body, &usage, &out) == TRANSLATE_OK) {
        operation_of(run->from)->read_answer(run->scan, buf_span(&out), &answer, &meter);
        must(answer.is_json && answer.has_result && !answer.error.is_present);
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

    stream_init(&stream, operation_of(run->from), false);
    sse_init(&sse, LIMIT_EVENT_HELD, LIMIT_EVENT);
    while (sse_feed(&sse, &text, &event) == SSE_EVENT) {
        must(event.has_data);
        must(span_equal(event.data, SPAN_OF("[DONE]")) || is_json(run, event.data));
        operation_of(run->from)->read_event(&stream, run->scan, &event, &view);
        must(!view.is_error);
        ends += view.is_terminal;
    }
    must(sse.tail.len == 0 && ends <= 1);
    must(!has_ended || stream.saw_finish);
    sse_fini(&sse);
}

static void run_stream(struct run *run, struct span text, size_t step, struct buf *out)
{
    struct translation *translation = translate(run, sides[run->from].plain);
    struct stream stream;
    struct sse sse;
    struct sse_event event;
    bool is_good = true;
    struct usage usage;

    must(translation_begin(translation));
    stream_init(&stream, operation_of(run->to), false);
    sse_init(&sse, LIMIT_EVENT_HELD, LIMIT_EVENT);
    while (text.len > 0 && is_good) {
        struct span piece = span_make(text.at, step < text.len ? step : text.len);

        text = span_from(text, piece.len);
        while (is_good && sse_feed(&sse, &piece, &event) == SSE_EVENT) {
            struct event_view view = {0};

            if (event.has_data && !event.is_piece) {
                stream.operation->read_event(&stream, run->scan, &event, &view);
                meter_usage(&stream.meter, stream.operation->input_holds_cache, &usage);
                is_good = !view.is_error && translation_event(translation, event.data, &usage, out) == TRANSLATE_OK;
            }
        }
    }
    if (is_good && (stream.saw_finish || stream.saw_terminal) && !translation_has_ended(translation)) {
        meter_usage(&stream.meter, stream.operation->input_holds_cache, &usage);
        is_good = translation_end(translation, &usage, out) == TRANSLATE_OK;
    }
    check_told(run, buf_span(out), is_good && translation_has_ended(translation));
    buf_put_text(out, is_good ? "good" : "bad");
    sse_fini(&sse);
    translation_free(translation);
}

static void try_stream(struct run *run, struct span text)
{
    struct buf whole;
    struct buf pieces;

    buf_init(&whole, LIMIT_EVENT);
    buf_init(&pieces, LIMIT_EVENT);
    run_stream(run, text, SIZE_MAX, &whole);
    run_stream(run, text, run->cut + 1, &pieces);
    must(span_equal(buf_span(&whole), buf_span(&pieces)));
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
    struct span rest = span_make((const char *)data, size);
    struct run run;
    struct span part;

    if (size == 0) {
        return 0;
    }
    run = (struct run){.from = data[0] & 3U,
                       .to = (data[0] >> 2) & 3U,
                       .is_strict = (data[0] & 16) != 0,
                       .cut = data[0] >> 5,
                       .scan = json_scan_new()};
    must(run.scan != NULL);
    rest = span_from(rest, 1);
    run.to = run.to == run.from ? CONVERSE : run.to;
    part = cut_part(&rest);
    try_request(&run, part);
    part = cut_part(&rest);
    try_answer(&run, part);
    part = cut_part(&rest);
    try_stream(&run, part.at == NULL ? span_make("", 0) : part);
    json_scan_free(run.scan);
    return 0;
}
