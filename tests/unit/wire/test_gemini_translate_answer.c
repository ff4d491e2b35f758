/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of generateContent read into the hub, and answers of the hub written as Google's: whole ones and
 * streams (gemini.md 4 to 6, translation.md 9 to 12). */
#include "gemini_hub.h"

#include "tests/lib/bytes.h"

static const struct chat_terms usual_terms = {.model = SPAN("\"app-model\""), .seed = 0xabc};

/* ---- whole answers ---- */

static const char *finish_name(enum chat_finish finish)
{
    static const char *const names[] = {"none",  "stop",     "stop text", "length",  "window",
                                        "calls", "filtered", "paused",    "unknown", "fault"};

    return names[finish];
}

/* What a whole answer is in the hub; "no answer" where it is none. */
static void answers(const char *body, const char *expected)
{
    struct hub hub;
    struct chat_answer answer = {0};
    struct buf *out = &hub.text;

    hub_init(&hub);
    answer.arena = &hub.arena;
    usage_init(&answer.usage);
    hub_must_accept(&hub, span_of(body));
    if (gemini_generate_translator.read_answer(&hub.chat, &answer, span_of(body))) {
        hub_put(out, "id", answer.id);
        hub_put(out, "model", answer.model);
        hub_put(out, "reasoning", answer.reasoning);
        buf_put_text(out, "\n");
        for (const struct chat_part *part = answer.turn.parts; part != NULL; part = part->next) {
            hub_put_part(out, part);
        }
        buf_put_text(out, finish_name(answer.finish));
        hub_put(out, "word", answer.finish_word);
    } else {
        buf_put_text(out, "no answer");
    }
    assert_text(buf_span(out), expected);
    hub_fini(&hub);
}

static void answer__walks_all_parts(void **state)
{
    (void)state;
    answers("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hello from the mock.\"}],\"role\":\"model\"},"
            "\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":9},"
            "\"modelVersion\":\"lab-gemini\",\"responseId\":\"g1\"}",
            " id=\"g1\" model=\"lab-gemini\"\ntext text=\"Hello from the mock.\"\nstop word=STOP");
    answers("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a \",\"thought\":true},{\"text\":\"b\\n\","
            "\"thought\":true},{\"text\":\"one\"},{\"functionCall\":{\"name\":\"f\",\"args\":{\"x\":1.0}}},"
            "{\"text\":\"two\"},{\"functionCall\":{\"id\":\"own\",\"name\":\"g\"},\"thoughtSignature\":\"s\"},"
            "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AA\"}},{\"text\":\"\"}]},"
            "\"finishReason\":\"STOP\"},{\"content\":{\"parts\":[{\"text\":\"other\"}]}}],"
            "\"responseId\":\"g1\"}",
            " id=\"g1\" reasoning=\"a b\\n\"\ntext text=\"one\"\n"
            "call id=\"call_bea53fc84ee7d661_0\" name=\"f\" input={\"x\":1.0}\ntext text=\"two\"\n"
            "call id=\"own\" name=\"g\" input={}\ncalls word=STOP");
}

static void answer__knows_every_reason(void **state)
{
    static const struct {
        const char *word;
        const char *expected;
    } rows[] = {
        {"STOP", "stop"},
        {"MAX_TOKENS", "length"},
        {"CONTINUATION", "length"},
        {"SAFETY", "filtered"},
        {"RECITATION", "filtered"},
        {"LANGUAGE", "filtered"},
        {"BLOCKLIST", "filtered"},
        {"PROHIBITED_CONTENT", "filtered"},
        {"SPII", "filtered"},
        {"IMAGE_SAFETY", "filtered"},
        {"NO_IMAGE", "filtered"},
        {"NEW_REASON", "unknown"},
        {"MALFORMED_FUNCTION_CALL", NULL},
        {"MALFORMED_RESPONSE", NULL},
        {"UNEXPECTED_TOOL_CALL", NULL},
        {"TOO_MANY_TOOL_CALLS", NULL},
        {"OTHER", NULL},
        {"FINISH_REASON_UNSPECIFIED", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char body[256];
        char expected[128] = "no answer";

        (void)snprintf(body, sizeof body, "{\"candidates\":[{\"finishReason\":\"%s\"}]}", rows[i].word);
        if (rows[i].expected != NULL) {
            (void)snprintf(expected, sizeof expected, "\n%s word=%s", rows[i].expected, rows[i].word);
        }
        answers(body, expected);
    }
}

static void answer__tells_a_blocked_prompt_from_no_answer(void **state)
{
    (void)state;
    answers("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"usageMetadata\":{}}",
            "\nfiltered word=SAFETY");
    answers("{\"candidates\":[],\"promptFeedback\":{\"blockReason\":\"OTHER\"}}",
            "\nfiltered word=OTHER");
    answers("{\"candidates\":[]}", "no answer");
    answers("{\"usageMetadata\":{}}", "no answer");
    answers("{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{}}]},\"finishReason\":\"STOP\"}]}",
            "no answer");
    answers("{\"candidates\":[{\"content\":{\"role\":\"model\"},\"finishReason\":\"MAX_TOKENS\"}]}",
            "\nlength word=MAX_TOKENS");
}

/* A whole answer of Google's written as one again, with these figures. */
static void rewritten(const char *body, const struct chat_terms *terms, const struct usage *usage,
                      const char *expected)
{
    struct hub hub;
    struct chat_answer answer = {0};
    struct json_out out;

    hub_init(&hub);
    answer.arena = &hub.arena;
    answer.usage = *usage;
    hub_must_accept(&hub, span_of(body));
    assert_true(gemini_generate_translator.read_answer(&hub.chat, &answer, span_of(body)));
    json_out_init(&out, &hub.text);
    gemini_generate_translator.write_answer(&answer, terms, &out);
    hub_must_accept(&hub, buf_span(&hub.text));
    assert_text(buf_span(&hub.text), expected);
    hub_fini(&hub);
}

static void answer__is_written_as_googles(void **state)
{
    struct chat_terms shown = usual_terms;
    struct usage usage;

    (void)state;
    shown.shows_thinking = true;
    usage_init(&usage);
    rewritten("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"why\",\"thought\":true},{\"text\":\"t\"},"
              "{\"functionCall\":{\"id\":\"i\",\"name\":\"f\",\"args\":{\n\"x\": \"\\n\"}}}]},"
              "\"finishReason\":\"STOP\"}],\"modelVersion\":\"m\",\"responseId\":\"r\"}",
              &shown, &usage,
              "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"why\",\"thought\":true},{\"text\":\"t\"},"
              "{\"functionCall\":{\"id\":\"i\",\"name\":\"f\",\"args\":{ \"x\": \"\\n\"}}}],\"role\":\"model\"},"
              "\"finishReason\":\"STOP\",\"index\":0}],\"modelVersion\":\"m\",\"responseId\":\"r\"}");
    rewritten("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", &usual_terms, &usage,
              "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},"
              "\"finishReason\":\"SAFETY\",\"index\":0}],\"modelVersion\":\"app-model\","
              "\"responseId\":\"0000000000000abc\"}");
}

/* translation.md 11 has the first row as its example. */
static void answer__tells_usage_in_googles_terms(void **state)
{
    static const struct {
        int64_t input;
        int64_t read;
        int64_t written;
        int64_t output;
        int64_t reasoning;
        const char *expected;
    } rows[] = {
        {10, 900, 50, 40, 25,
         ",\"usageMetadata\":{\"promptTokenCount\":960,\"cachedContentTokenCount\":900,"
         "\"candidatesTokenCount\":15,\"thoughtsTokenCount\":25,\"totalTokenCount\":1000}"},
        {9, -1, -1, 5, -1,
         ",\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":5,\"totalTokenCount\":14}"},
        {9, 0, 0, 5, 7,
         ",\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":0,\"thoughtsTokenCount\":5,"
         "\"totalTokenCount\":14}"},
        {9, -1, -1, -1, -1, ",\"usageMetadata\":{\"promptTokenCount\":9,\"totalTokenCount\":9}"},
        {-1, -1, -1, -1, -1, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct usage usage;
        char expected[512];

        usage_init(&usage);
        usage.tokens[TOKENS_INPUT] = rows[i].input;
        usage.tokens[TOKENS_CACHE_READ] = rows[i].read;
        usage.tokens[TOKENS_CACHE_WRITE_5M] = rows[i].written;
        usage.tokens[TOKENS_OUTPUT] = rows[i].output;
        usage.reasoning = rows[i].reasoning;
        (void)snprintf(expected, sizeof expected,
                       "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"t\"}],\"role\":\"model\"},"
                       "\"finishReason\":\"MAX_TOKENS\",\"index\":0}]%s,\"modelVersion\":\"m\","
                       "\"responseId\":\"r\"}",
                       rows[i].expected);
        rewritten("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"t\"}]},\"finishReason\":"
                  "\"CONTINUATION\"}],\"modelVersion\":\"m\",\"responseId\":\"r\"}",
                  &usual_terms, &usage, expected);
    }
}

/* ---- streams ---- */

struct line {
    struct chat_pipe pipe;
    struct gemini_generate_reader reader;
    struct gemini_generate_writer writer;
    struct buf out;
    struct buf scratch;
};

static void line_init(struct line *line, const struct translator *row, const struct chat_terms *terms)
{
    *line = (struct line){.pipe = {.writer_row = row, .terms = terms}};
    buf_init(&line->out, (size_t)1 << 24);
    buf_init(&line->scratch, (size_t)1 << 24);
    line->pipe.writer = &line->writer;
    line->pipe.out = &line->out;
    line->pipe.scratch = &line->scratch;
    usage_init(&line->pipe.usage);
}

static void line_fini(struct line *line)
{
    gemini_generate_translator.end_writer(&line->writer);
    buf_fini(&line->out);
    buf_fini(&line->scratch);
}

static void trace_event(void *writer, const struct chat_event *event, struct chat_pipe *pipe)
{
    static const char *const names[] = {"start", "text", "refusal", "reason", "call",
                                        "arguments", "call end", "finish", "end", "fail"};
    struct buf *out = pipe->out;

    (void)writer;
    buf_put_text(out, names[event->kind]);
    if (event->kind >= CHAT_EVENT_CALL && event->kind <= CHAT_EVENT_CALL_END) {
        buf_put_format(out, " %u", event->call);
    }
    hub_put(out, "id", event->id);
    hub_put(out, "name", event->name);
    hub_put(out, "text", event->text);
    if (event->kind == CHAT_EVENT_FINISH) {
        hub_put(out, "as", span_of(finish_name(event->finish)));
    }
    buf_put_char(out, '\n');
}

static const struct translator tracer = {.write_event = trace_event};

/* A stream in pieces, told to `row`; at its end what became of it. */
static void run_stream(const struct bytes_split *split, struct buf *trace, const struct translator *row)
{
    struct line line;
    struct sse sse;
    struct sse_event event;

    line_init(&line, row, &usual_terms);
    sse_init(&sse, (size_t)1 << 20, (size_t)1 << 22);
    for (size_t i = 0; i < split->count; i++) {
        struct span piece = bytes_piece(split, i);

        while (sse_feed(&sse, &piece, &event) == SSE_EVENT) {
            if (event.has_data) {
                gemini_generate_translator.read_event(&line.reader, event.data, &line.pipe);
            }
        }
    }
    gemini_generate_translator.read_end(&line.reader, &line.pipe);
    buf_put(trace, buf_span(&line.out));
    buf_put_text(trace, line.pipe.has_failed ? "FAILED" : line.pipe.has_ended ? "" : "CUT");
    sse_fini(&sse);
    line_fini(&line);
}

static void run_traced(const struct bytes_split *split, struct buf *trace, void *context)
{
    (void)context;
    run_stream(split, trace, &tracer);
}

static void run_written(const struct bytes_split *split, struct buf *trace, void *context)
{
    (void)context;
    run_stream(split, trace, &gemini_generate_translator);
}

static void streams(const char *stream, bytes_trace_fn *run, const char *expected)
{
    struct buf seen;

    buf_init(&seen, (size_t)1 << 20);
    bytes_same_for_each_split(span_of(stream), run, NULL, &seen);
    assert_text(buf_span(&seen), expected);
    buf_fini(&seen);
    assert_int_equal(mem_held(), 0);
}

static const char tools_stream[] =
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hm\",\"thought\":true}],\"role\":\"model\"},"
    "\"index\":0}],\"modelVersion\":\"m1\",\"responseId\":\"r1\"}\r\n\r\n"
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"So \\\"\"},{\"functionCall\":{\"name\":\"f\","
    "\"args\":{\"a\":\"\\\"x\\n\"}}},{\"text\":\"!\"},{\"functionCall\":{\"id\":\"c9\",\"name\":\"g\"}}]},"
    "\"index\":0}],\"responseId\":\"r1\"}\r\n\r\n"
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\",\"thoughtSignature\":\"s\"}]},"
    "\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":9}}\r\n\r\n";

static void stream__is_read_part_by_part(void **state)
{
    (void)state;
    streams(tools_stream, run_traced,
            "start id=\"r1\" name=\"m1\"\nreason text=hm\ntext text=So \\\"\n"
            "call 0 id=\"call_0000000000000abc_0\" name=\"f\"\n"
            "arguments 0 text={\\\"a\\\":\\\"\\\\\\\"x\\\\n\\\"}\ncall end 0\ntext text=!\n"
            "call 1 id=\"c9\" name=\"g\"\narguments 1 text={}\ncall end 1\nfinish as=calls\nend\n");
}

static void stream__takes_the_last_reason(void **state)
{
    (void)state;
    streams("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}\n\n"
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"b\"}]},\"finishReason\":\"STOP\"}]}\n\n"
            "data: {\"candidates\":[{\"finishReason\":\"MAX_TOKENS\"}]}\n\ndata: {\"usageMetadata\":{}}\n\n",
            run_traced, "start\ntext text=a\ntext text=b\nfinish as=length\nend\n");
    streams("data: {\"candidates\":[{\"finishReason\":\"SOMETHING\"}]}\n\n", run_traced,
            "start\nfinish text=SOMETHING as=unknown\nend\n");
    streams("data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n", run_traced,
            "start\nfinish as=filtered\nend\n");
    streams("data: {\"candidates\":[{\"finishReason\":\"AN_UNKNOWN_REASON_THAT_GOES_ON_AND_ON\"}]}\n\n", run_traced,
            "start\nfinish text=AN_UNKNOWN_REASON_THAT_GOES_ON_A as=unknown\nend\n");
}

static void stream__is_cut_or_failed(void **state)
{
    (void)state;
    streams("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\n\n", run_traced,
            "start\ntext text=a\nCUT");
    streams("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},"
            "\"finishReason\":\"MALFORMED_FUNCTION_CALL\"}]}\n\n"
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"b\"}]},\"finishReason\":\"STOP\"}]}\n\n",
            run_traced, "start\ntext text=a\nFAILED");
    streams("data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"args\":{}}}]}}]}\n\n",
            run_traced, "start\nFAILED");
    streams("", run_traced, "CUT");
}

static void stream__is_written_as_googles(void **state)
{
    (void)state;
    streams(tools_stream, run_written,
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"So \\\"\"}],\"role\":\"model\"},"
            "\"index\":0}],\"modelVersion\":\"m1\",\"responseId\":\"r1\"}\n\n"
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"id\":\"call_0000000000000abc_0\","
            "\"name\":\"f\",\"args\":{\"a\":\"\\\"x\\n\"}}}],\"role\":\"model\"},\"index\":0}],"
            "\"modelVersion\":\"m1\",\"responseId\":\"r1\"}\n\n"
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"!\"}],\"role\":\"model\"},"
            "\"index\":0}],\"modelVersion\":\"m1\",\"responseId\":\"r1\"}\n\n"
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"id\":\"c9\",\"name\":\"g\","
            "\"args\":{}}}],\"role\":\"model\"},\"index\":0}],\"modelVersion\":\"m1\",\"responseId\":\"r1\"}\n\n"
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},"
            "\"finishReason\":\"STOP\",\"index\":0}],\"modelVersion\":\"m1\",\"responseId\":\"r1\"}\n\n");
}

/* ---- what other dialects tell ---- */

static void tell(struct line *line, enum chat_event_kind kind, uint32_t call, const char *text)
{
    struct chat_event event = {.kind = kind, .call = call, .text = span_of(text)};

    if (kind == CHAT_EVENT_CALL) {
        event.id = SPAN_OF("\"i\"");
        event.name = SPAN_OF("\"f\"");
    }
    chat_tell(&line->pipe, &event);
}

static void tell_end(struct line *line, enum chat_finish finish)
{
    struct chat_event event = {.kind = CHAT_EVENT_FINISH, .finish = finish};

    chat_tell(&line->pipe, &event);
    tell(line, CHAT_EVENT_END, 0, NULL);
}

#define CHUNK(parts)                                                                               \
    "data: {\"candidates\":[{\"content\":{\"parts\":[" parts "],\"role\":\"model\"},\"index\":0}],"  \
    "\"modelVersion\":\"app-model\",\"responseId\":\"0000000000000abc\"}\n\n"
#define LAST(reason, usage)                                                                        \
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},"          \
    "\"finishReason\":\"" reason "\",\"index\":0}]" usage ",\"modelVersion\":\"app-model\","         \
    "\"responseId\":\"0000000000000abc\"}\n\n"

static void stream__gathers_calls_that_come_in_fragments(void **state)
{
    struct line line;

    (void)state;
    line_init(&line, &gemini_generate_translator, &usual_terms);
    tell(&line, CHAT_EVENT_TEXT, 0, "a");
    tell(&line, CHAT_EVENT_REASON, 0, "hidden");
    tell(&line, CHAT_EVENT_CALL, 0, NULL);
    tell(&line, CHAT_EVENT_CALL, 1, NULL);
    tell(&line, CHAT_EVENT_ARGUMENTS, 0, "{\\n\\\"k\\\"");
    tell(&line, CHAT_EVENT_ARGUMENTS, 1, "{\\\"k\\\":");
    tell(&line, CHAT_EVENT_REFUSAL, 0, "no");
    tell(&line, CHAT_EVENT_ARGUMENTS, 0, ":\\\"\\\\u00e4\\\"}");
    tell(&line, CHAT_EVENT_CALL_END, 1, NULL);
    tell(&line, CHAT_EVENT_CALL_END, 0, NULL);
    tell(&line, CHAT_EVENT_CALL, 2, NULL);
    tell(&line, CHAT_EVENT_CALL_END, 2, NULL);
    line.pipe.usage.tokens[TOKENS_INPUT] = 3;
    line.pipe.usage.tokens[TOKENS_OUTPUT] = 4;
    tell_end(&line, CHAT_FINISH_STOP);
    assert_text(buf_span(&line.out),
                CHUNK("{\"text\":\"a\"}") CHUNK("{\"text\":\"no\"}")
                CHUNK("{\"functionCall\":{\"id\":\"i\",\"name\":\"f\",\"args\":{\"arguments\":\"{\\\"k\\\":\"}}}")
                CHUNK("{\"functionCall\":{\"id\":\"i\",\"name\":\"f\",\"args\":{ \"k\":\"\\u00e4\"}}}")
                CHUNK("{\"functionCall\":{\"id\":\"i\",\"name\":\"f\",\"args\":{}}}")
                LAST("STOP", ",\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":4,"
                             "\"totalTokenCount\":7}"));
    assert_false(line.pipe.has_failed);
    line_fini(&line);
    assert_int_equal(mem_held(), 0);
}

static void stream__shows_thoughts_when_they_are_wanted(void **state)
{
    struct chat_terms terms = usual_terms;
    struct line line;

    (void)state;
    terms.shows_thinking = true;
    line_init(&line, &gemini_generate_translator, &terms);
    tell(&line, CHAT_EVENT_REASON, 0, "so");
    tell_end(&line, CHAT_FINISH_LENGTH);
    assert_text(buf_span(&line.out), CHUNK("{\"text\":\"so\",\"thought\":true}") LAST("MAX_TOKENS", ""));
    line_fini(&line);
}

static void stream__gives_calls_back_that_never_end(void **state)
{
    struct line line;

    (void)state;
    line_init(&line, &gemini_generate_translator, &usual_terms);
    tell(&line, CHAT_EVENT_CALL, 0, NULL);
    tell(&line, CHAT_EVENT_ARGUMENTS, 0, "{");
    tell(&line, CHAT_EVENT_CALL, 7, NULL);
    tell(&line, CHAT_EVENT_ARGUMENTS, 5, "of nobody");
    tell(&line, CHAT_EVENT_CALL_END, 5, NULL);
    assert_int_equal(line.out.len, 0);
    line_fini(&line);
    line_fini(&line);
    assert_int_equal(mem_held(), 0);
}

static void stream__fails_where_it_cannot_hold_a_call(void **state)
{
    static char much[LIMIT_EVENT_HELD / 2 + 1];
    struct line line;

    (void)state;
    memset(much, 'x', sizeof much - 1);
    line_init(&line, &gemini_generate_translator, &usual_terms);
    tell(&line, CHAT_EVENT_CALL, 0, NULL);
    tell(&line, CHAT_EVENT_CALL, 1, NULL);
    tell(&line, CHAT_EVENT_ARGUMENTS, 0, much);
    assert_false(line.pipe.has_failed);
    tell(&line, CHAT_EVENT_ARGUMENTS, 1, much);
    assert_true(line.pipe.has_failed); /* together they hold too much */
    line_fini(&line);

    line_init(&line, &gemini_generate_translator, &usual_terms);
    for (uint32_t i = 0; i < CHAT_CALLS_MAX; i++) {
        tell(&line, CHAT_EVENT_CALL, i, NULL);
    }
    assert_false(line.pipe.has_failed);
    tell(&line, CHAT_EVENT_CALL, CHAT_CALLS_MAX, NULL);
    assert_true(line.pipe.has_failed);
    line_fini(&line);
    assert_int_equal(mem_held(), 0);
}

static void stream__leaves_long_names_out(void **state)
{
    char name[GENERATE_ID_MAX + 2] = "\"";
    struct line line;

    (void)state;
    memset(name + 1, 'n', GENERATE_ID_MAX - 1);
    name[GENERATE_ID_MAX] = '"';
    line_init(&line, &gemini_generate_translator, &usual_terms);
    chat_tell(&line.pipe, &(struct chat_event){
                              .kind = CHAT_EVENT_START, .id = span_of(name), .name = span_of(name)});
    tell_end(&line, CHAT_FINISH_STOP);
    assert_text(buf_span(&line.out), LAST("STOP", ""));
    line_fini(&line);
}

/* ---- hostile ---- */

static const struct span everything = SPAN(
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\",\"thought\":true},{\"text\":\"b\"},"
    "{\"functionCall\":{\"id\":\"i\",\"name\":\"f\",\"args\":{\"a\":1}}}],\"role\":\"model\"},"
    "\"finishReason\":\"STOP\",\"index\":0}],\"promptFeedback\":{\"blockReason\":\"SAFETY\"},"
    "\"usageMetadata\":{\"promptTokenCount\":1},\"modelVersion\":\"m\",\"responseId\":\"r\"}");

static void whole_is_borne(struct span document, void *context)
{
    struct hub hub;
    struct chat_answer answer = {0};
    struct json_out out;

    hub_init(&hub);
    answer.arena = &hub.arena;
    usage_init(&answer.usage);
    json_out_init(&out, &hub.text);
    if (gemini_generate_translator.read_answer(&hub.chat, &answer, document)) {
        gemini_generate_translator.write_answer(&answer, &usual_terms, &out);
        hub_must_accept(&hub, buf_span(&hub.text));
        ++*(size_t *)context;
    }
    hub_fini(&hub);
}

/* Every chunk that is written is JSON on one line. */
static void chunks_are_json(struct hub *hub, struct span text)
{
    while (text.len > 0) {
        struct span line = span_cut(&text, '\n');

        if (line.len > 0) {
            assert_true(span_starts(line, SPAN_OF("data: ")));
            hub_must_accept(hub, span_from(line, 6));
        }
    }
}

static void chunk_is_borne(struct span document, void *context)
{
    struct hub hub;
    struct line line;

    hub_init(&hub);
    line_init(&line, &gemini_generate_translator, &usual_terms);
    gemini_generate_translator.read_event(&line.reader, document, &line.pipe);
    gemini_generate_translator.read_end(&line.reader, &line.pipe);
    chunks_are_json(&hub, buf_span(&line.out));
    *(size_t *)context += line.pipe.has_ended;
    line_fini(&line);
    hub_fini(&hub);
}

static void answer__bears_every_type_everywhere(void **state)
{
    size_t whole = 0;
    size_t ended = 0;

    (void)state;
    hub_each_change(everything, everything, whole_is_borne, &whole);
    hub_each_change(everything, everything, chunk_is_borne, &ended);
    assert_true(whole > 100);
    assert_true(ended > 100);
}

static void answer__needs_memory(void **state)
{
    static const struct span body = SPAN(
        "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":\"\\n\"}}},"
        "{\"text\":\"t\"}]},\"finishReason\":\"STOP\"}]}");
    bool has_ended = false;

    (void)state;
    for (uint64_t n = 1; !has_ended; n++) {
        struct line line;

        line_init(&line, &gemini_generate_translator, &usual_terms);
        mem_fail_at(n);
        gemini_generate_translator.read_event(&line.reader, body, &line.pipe);
        gemini_generate_translator.read_end(&line.reader, &line.pipe);
        mem_fail_at(0);
        has_ended = line.pipe.has_ended && !line.out.failed;
        assert_true(has_ended || line.pipe.has_failed || line.out.failed);
        assert_true(n < 100);
        line_fini(&line);
        assert_int_equal(mem_held(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer__walks_all_parts),
        cmocka_unit_test(answer__knows_every_reason),
        cmocka_unit_test(answer__tells_a_blocked_prompt_from_no_answer),
        cmocka_unit_test(answer__is_written_as_googles),
        cmocka_unit_test(answer__tells_usage_in_googles_terms),
        cmocka_unit_test(stream__is_read_part_by_part),
        cmocka_unit_test(stream__takes_the_last_reason),
        cmocka_unit_test(stream__is_cut_or_failed),
        cmocka_unit_test(stream__is_written_as_googles),
        cmocka_unit_test(stream__gathers_calls_that_come_in_fragments),
        cmocka_unit_test(stream__shows_thoughts_when_they_are_wanted),
        cmocka_unit_test(stream__gives_calls_back_that_never_end),
        cmocka_unit_test(stream__fails_where_it_cannot_hold_a_call),
        cmocka_unit_test(stream__leaves_long_names_out),
        cmocka_unit_test(answer__bears_every_type_everywhere),
        cmocka_unit_test(answer__needs_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
