/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider answers in messages, into the hub, and the hub's answers as messages: whole ones, and streams event
 * by event. Where both ends speak this grammar, what comes out is the answer itself in our own spelling. */
#include "anthropic_translate_rig.h"

#include <stdlib.h>

#include "tests/lib/bytes.h"

static const struct translator *const grammar = &anthropic_messages_translator;

static const struct chat_terms terms = {.model = SPAN("\"alias\""), .seed = 0xabc, .input_estimate = 12};

static struct usage nothing_told(void)
{
    struct usage usage;

    usage_init(&usage);
    return usage;
}

#define TIER "'server_tool_use':null,'service_tier':'standard'}"
#define NO_CACHE                                                                                                       \
    "'cache_creation_input_tokens':0,'cache_read_input_tokens':0,'cache_creation':{'ephemeral_5m_input_tokens':0,"     \
    "'ephemeral_1h_input_tokens':0},"
#define ESTIMATE "'usage':{'input_tokens':12," NO_CACHE "'output_tokens':0," TIER

/* ---- whole answers ---- */

static bool read_whole(struct rig *rig, const char *body, struct chat_answer *answer)
{
    rig_begin(rig, false);
    *answer = (struct chat_answer){.arena = &rig->arena, .turn = {.role = CHAT_MODEL}, .usage = nothing_told()};
    struct span json = rig_quote(&rig->in, body);
    assert_true(rig_accepts(rig, json));
    return grammar->read_answer(&rig->chat, answer, json);
}

static struct span write_whole(struct rig *rig, const struct chat_answer *answer)
{
    struct json_out json;

    json_out_init(&json, &rig->out);
    grammar->write_answer(answer, &terms, &json);
    assert_false(rig->out.failed);
    assert_true(rig_accepts(rig, buf_span(&rig->out)));
    return buf_span(&rig->out);
}

#define MESSAGE(id, content, stop)                                                                                     \
    "{'id':'" id "','type':'message','role':'assistant','model':'m','content':[" content "],'stop_reason':'" stop "',"
#define SENT(content, stop) MESSAGE("msg_1", content, stop) "'usage':{'input_tokens':1}}"
#define GOT(content, stop) MESSAGE("msg_1", content, stop) "'stop_sequence':null," ESTIMATE "}"

static void whole__is_read_and_written(void **state)
{
    static const struct {
        const char *in;
        const char *out;
    } pairs[] = {
        {SENT("{'type':'text','text':'a\\u00e9','citations':null},{'type':'text','text':'b'}", "end_turn"),
         GOT("{'type':'text','text':'a\\u00e9'},{'type':'text','text':'b'}", "end_turn")},
        {SENT("{'type':'thinking','thinking':'t','signature':'s'},{'type':'redacted_thinking','data':'x'},"
              "{'type':'server_tool_use','id':'s','name':'web_search','input':{}},"
              "{'type':'web_search_tool_result','tool_use_id':'s','content':[]},{'type':'text','text':''},"
              "{'type':'tool_use','id':'toolu_A','name':'f','input':{'a':1.0}},"
              "{'type':'tool_use','name':'g','input':null},{'type':'tool_use','id':'nameless'}",
              "tool_use"),
         GOT("{'type':'tool_use','id':'toolu_A','name':'f','input':{'a':1.0}},"
             "{'type':'tool_use','id':'toolu_1','name':'g','input':{}}",
             "tool_use")},
        {SENT("{'type':'text','text':'a'}", "max_tokens"), GOT("{'type':'text','text':'a'}", "max_tokens")},
        {SENT("{'type':'text','text':'a'}", "stop_sequence"), GOT("{'type':'text','text':'a'}", "stop_sequence")},
        {SENT("", "model_context_window_exceeded"),
         GOT("{'type':'text','text':''}", "model_context_window_exceeded")},
        {SENT("{'type':'text','text':'a'}", "pause_turn"), GOT("{'type':'text','text':'a'}", "pause_turn")},
        {SENT("{'type':'text','text':'a'}", "compaction"), GOT("{'type':'text','text':'a'}", "pause_turn")},
        {SENT("{'type':'text','text':'a'}", "tired"), GOT("{'type':'text','text':'a'}", "end_turn")},
        {"{'content':[],'stop_reason':'refusal','stop_details':{'type':'refusal','explanation':'no'}}",
         "{'id':'msg_0000000000000abc','type':'message','role':'assistant','model':'alias','content':["
         "{'type':'text','text':'no'}],'stop_reason':'refusal','stop_sequence':null," ESTIMATE "}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        struct chat_answer answer;
        struct rig rig;

        assert_true(read_whole(&rig, pairs[i].in, &answer));
        rig_same(write_whole(&rig, &answer), pairs[i].out);
        rig_end(&rig);
    }
}

static void whole__tells_the_hub_everything(void **state)
{
    struct chat_answer answer;
    struct rig rig;

    (void)state;
    assert_true(read_whole(&rig,
                           SENT("{'type':'thinking','thinking':'a\\n'},{'type':'text','text':'x'},"
                                "{'type':'thinking','thinking':'b'}",
                                "tired"),
                           &answer));
    rig_same(answer.id, "'msg_1'");
    rig_same(answer.model, "'m'");
    rig_same(answer.reasoning, "'a\\nb'");
    rig_same(answer.finish_word, "tired");
    assert_int_equal(answer.finish, CHAT_FINISH_UNKNOWN);
    assert_int_equal(answer.refusal.len, 0);
    rig_end(&rig);
}

static void whole__is_no_answer_without_content(void **state)
{
    static const char *const bodies[] = {"{}", "[]", "{'content':'text'}", "{'type':'error','error':{}}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct chat_answer answer;
        struct rig rig;

        assert_false(read_whole(&rig, bodies[i], &answer));
        rig_end(&rig);
    }
}

/* Ids of other providers, of any bytes and length. */
static void whole__has_ids_that_the_grammar_takes(void **state)
{
    static const struct {
        const char *id;
        const char *message;
        const char *call;
    } cases[] = {
        {"'chatcmpl-A_1'", "'id':'msg_chatcmpl-A_1'", "'id':'chatcmpl-A_1'"},
        {"'msg_9'", "'id':'msg_9'", "'id':'msg_9'"},
        {"''", "'id':'msg_0000000000000abc'", "'id':'toolu_0000000000000abc'"},
        {"'a:b'", "'id':'msg_ea9270e09309c087'", "'id':'toolu_ea9270e09309c087'"},
        {"'a\\u0022'", "'id':'msg_14611e9ffa25a910'", "'id':'toolu_14611e9ffa25a910'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct rig rig;

        rig_begin(&rig, false);
        struct span id = rig_quote(&rig.in, cases[i].id);
        struct chat_part call = {.kind = CHAT_CALL, .id = id, .name = SPAN("\"f\"")};
        const struct chat_answer answer = {.id = id, .turn = {.parts = &call, .calls = 1}, .usage = nothing_told()};
        struct span out = write_whole(&rig, &answer);
        struct buf wanted;
        buf_init(&wanted, 4096);
        if (span_find(out, rig_quote(&wanted, cases[i].message)) == NULL ||
            span_find(out, rig_quote(&wanted, cases[i].call)) == NULL) {
            fail_msg("%.*s", SPAN_ARGS(out));
        }
        buf_fini(&wanted);
        rig_end(&rig);
    }
}

static void usage__is_told_by_the_grammars_own_rules(void **state)
{
    struct chat_answer answer = {.usage = nothing_told()};
    struct usage *usage = &answer.usage;
    struct rig rig;

    (void)state;
    usage->tokens[TOKENS_INPUT] = 10;
    usage->tokens[TOKENS_AUDIO_INPUT] = 2;
    usage->tokens[TOKENS_IMAGE_INPUT] = 3;
    usage->tokens[TOKENS_CACHE_READ] = 900;
    usage->tokens[TOKENS_CACHE_WRITE_5M] = 20;
    usage->tokens[TOKENS_CACHE_WRITE_30M] = 1;
    usage->tokens[TOKENS_CACHE_WRITE_1H] = 25;
    usage->tokens[TOKENS_CACHE_WRITE_12H] = 4;
    usage->tokens[TOKENS_OUTPUT] = 40;
    usage->reasoning = 25;
    rig_begin(&rig, false);
    rig_same(write_whole(&rig, &answer),
             "{'id':'msg_0000000000000abc','type':'message','role':'assistant','model':'alias','content':["
             "{'type':'text','text':''}],'stop_reason':'end_turn','stop_sequence':null,'usage':{'input_tokens':15,"
             "'cache_creation_input_tokens':50,'cache_read_input_tokens':900,'cache_creation':{"
             "'ephemeral_5m_input_tokens':21,'ephemeral_1h_input_tokens':29},'output_tokens':40,"
             "'output_tokens_details':{'thinking_tokens':25}," TIER "}");
    rig_end(&rig);
}

/* ---- a stream out of the hub ---- */

struct stream_rig {
    struct rig rig;
    struct chat_pipe pipe;
    struct buf scratch;
    void *reader;
    void *writer;
};

static void stream_begin(struct stream_rig *s, const struct translator *writer)
{
    rig_begin(&s->rig, false);
    buf_init(&s->scratch, 1 << 20);
    s->reader = calloc(1, grammar->reader_size);
    s->writer = calloc(1, grammar->writer_size);
    s->pipe = (struct chat_pipe){.writer_row = writer,
                                 .writer = s->writer,
                                 .terms = &terms,
                                 .usage = nothing_told(),
                                 .out = &s->rig.out,
                                 .scratch = &s->scratch};
}

static void stream_end(struct stream_rig *s)
{
    grammar->end_writer(s->writer);
    free(s->reader);
    free(s->writer);
    buf_fini(&s->scratch);
    rig_end(&s->rig);
}

/* Each event of what was written is named as its data is, and has a document of one line. */
static void check_events(struct stream_rig *s)
{
    struct span text = buf_span(&s->rig.out);
    struct sse_event event;
    struct sse sse;

    sse_init(&sse, (size_t)1 << 20, (size_t)1 << 22);
    while (sse_feed(&sse, &text, &event) == SSE_EVENT) {
        assert_true(rig_accepts(&s->rig, event.data));
        assert_true(span_equal(event.name, chat_inside(json_walk_find(event.data, "type"))));
        assert_null(memchr(event.data.at, '\n', event.data.len));
    }
    assert_false(sse_finish(&sse, &event));
    sse_fini(&sse);
}

static void say(struct stream_rig *s, struct chat_event event)
{
    chat_tell(&s->pipe, &event);
}

static void say_text(struct stream_rig *s, const char *text)
{
    say(s, (struct chat_event){.kind = CHAT_EVENT_TEXT, .text = span_of(text)});
}

static void say_call(struct stream_rig *s, uint32_t call, const char *id, const char *name)
{
    say(s, (struct chat_event){.kind = CHAT_EVENT_CALL, .call = call, .id = span_of(id), .name = span_of(name)});
}

static void say_arguments(struct stream_rig *s, uint32_t call, const char *text)
{
    say(s, (struct chat_event){.kind = CHAT_EVENT_ARGUMENTS, .call = call, .text = span_of(text)});
}

static void say_call_end(struct stream_rig *s, uint32_t call)
{
    say(s, (struct chat_event){.kind = CHAT_EVENT_CALL_END, .call = call});
}

static void say_end(struct stream_rig *s, enum chat_finish finish)
{
    say(s, (struct chat_event){.kind = CHAT_EVENT_FINISH, .finish = finish});
    say(s, (struct chat_event){.kind = CHAT_EVENT_END});
}

#define EVENT(name, members) "event: " name "\ndata: {'type':'" name "'" members "}\n\n"
#define START(id, model)                                                                                               \
    EVENT("message_start", ",'message':{'id':'" id "','type':'message','role':'assistant','model':'" model             \
                           "','content':[],'stop_reason':null,'stop_sequence':null," ESTIMATE "}")
#define STARTED START("msg_0000000000000abc", "alias")
#define TEXT_BLOCK(n) EVENT("content_block_start", ",'index':" n ",'content_block':{'type':'text','text':''}")
#define TEXT(n, text) EVENT("content_block_delta", ",'index':" n ",'delta':{'type':'text_delta','text':'" text "'}")
#define TOOL_BLOCK(n, id, name)                                                                                        \
    EVENT("content_block_start", ",'index':" n ",'content_block':{'type':'tool_use','id':'" id "','name':'" name       \
                                 "','input':{}}")
#define ARGUMENTS(n, json)                                                                                             \
    EVENT("content_block_delta", ",'index':" n ",'delta':{'type':'input_json_delta','partial_json':'" json "'}")
#define STOP(n) EVENT("content_block_stop", ",'index':" n)
#define FINISH(reason, usage)                                                                                          \
    EVENT("message_delta", ",'delta':{'stop_reason':'" reason "','stop_sequence':null}," usage)                        \
    EVENT("message_stop", "")

static void writer__tells_text(void **state)
{
    struct stream_rig s;

    (void)state;
    stream_begin(&s, grammar);
    say(&s, (struct chat_event){.kind = CHAT_EVENT_START, .id = SPAN_OF("\"c-1\""), .name = SPAN_OF("\"m\"")});
    say(&s, (struct chat_event){.kind = CHAT_EVENT_REASON, .text = SPAN_OF("hm")});
    say_text(&s, "Hel");
    say_text(&s, "");
    say_text(&s, "lo\\n");
    s.pipe.usage.tokens[TOKENS_INPUT] = 7;
    s.pipe.usage.tokens[TOKENS_OUTPUT] = 3;
    say_end(&s, CHAT_FINISH_LENGTH);
    rig_same(buf_span(&s.rig.out), START("msg_c-1", "m") TEXT_BLOCK("0") TEXT("0", "Hel") TEXT("0", "lo\\n") STOP("0")
                                       FINISH("max_tokens", "'usage':{'input_tokens':7," NO_CACHE
                                                            "'output_tokens':3," TIER));
    check_events(&s);
    stream_end(&s);
}

static void writer__tells_of_nothing_as_an_empty_text(void **state)
{
    struct stream_rig s;

    (void)state;
    stream_begin(&s, grammar);
    say_end(&s, CHAT_FINISH_STOP);
    rig_same(buf_span(&s.rig.out), STARTED TEXT_BLOCK("0") STOP("0") FINISH("end_turn", ESTIMATE));
    stream_end(&s);
}

static void writer__tells_a_refusal_as_text(void **state)
{
    struct stream_rig s;

    (void)state;
    stream_begin(&s, grammar);
    say(&s, (struct chat_event){.kind = CHAT_EVENT_REFUSAL, .text = SPAN_OF("no")});
    say_end(&s, CHAT_FINISH_STOP);
    rig_same(buf_span(&s.rig.out), STARTED TEXT_BLOCK("0") TEXT("0", "no") STOP("0") FINISH("refusal", ESTIMATE));
    stream_end(&s);
}

static void writer__tells_calls_one_behind_the_other(void **state)
{
    struct stream_rig s;

    (void)state;
    stream_begin(&s, grammar);
    say_text(&s, "a");
    say_call(&s, 0, "\"c0\"", "\"f\"");
    say_arguments(&s, 0, "{\\\"x\\\":");
    say_call(&s, 1, "\"c 1\"", "\"g\"");
    say_arguments(&s, 1, "{\\\"y\\\"");
    say_text(&s, "b");
    say_call(&s, 2, "", "\"h\"");
    say_arguments(&s, 0, "1}");
    say_arguments(&s, 2, "{}");
    say_arguments(&s, 1, ":2}");
    say_call_end(&s, 2);
    say_text(&s, "c");
    say_call_end(&s, 0);
    say_arguments(&s, 1, " ");
    say_arguments(&s, 0, "too late");
    say_call_end(&s, 1);
    say_end(&s, CHAT_FINISH_STOP);
    rig_same(buf_span(&s.rig.out),
             STARTED TEXT_BLOCK("0") TEXT("0", "a") STOP("0") TOOL_BLOCK("1", "c0", "f") ARGUMENTS("1", "{\\\"x\\\":")
                 ARGUMENTS("1", "1}") STOP("1") TEXT_BLOCK("2") TEXT("2", "bc") STOP("2")
                     TOOL_BLOCK("3", "toolu_b58e90716ae9594b", "g") ARGUMENTS("3", "{\\\"y\\\"") ARGUMENTS("3", ":2}")
                         ARGUMENTS("3", " ") STOP("3") TOOL_BLOCK("4", "toolu_0000000000000abe", "h")
                             ARGUMENTS("4", "{}") STOP("4") FINISH("tool_use", ESTIMATE));
    check_events(&s);
    stream_end(&s);
}

static void writer__ends_calls_that_nobody_ended(void **state)
{
    struct stream_rig s;

    (void)state;
    stream_begin(&s, grammar);
    say_call(&s, 0, "\"a\"", "\"f\"");
    say_call(&s, 1, "\"b\"", "\"f\"");
    say_call(&s, 2, "\"c\"", "\"f\"");
    say_arguments(&s, 2, "{}");
    say_text(&s, "t");
    say_end(&s, CHAT_FINISH_CALLS);
    rig_same(buf_span(&s.rig.out), STARTED TOOL_BLOCK("0", "a", "f") STOP("0") TEXT_BLOCK("1") TEXT("1", "t") STOP("1")
                                       TOOL_BLOCK("2", "b", "f") STOP("2") TOOL_BLOCK("3", "c", "f")
                                           ARGUMENTS("3", "{}") STOP("3") FINISH("tool_use", ESTIMATE));
    stream_end(&s);
}

/* ---- a stream through reader and writer ---- */

static void read_stream(struct stream_rig *s, const struct bytes_split *split)
{
    struct sse_event event;
    struct sse sse;

    sse_init(&sse, (size_t)1 << 20, (size_t)1 << 22);
    for (size_t i = 0; i < split->count; i++) {
        struct span piece = bytes_piece(split, i);

        while (sse_feed(&sse, &piece, &event) == SSE_EVENT) {
            if (event.has_data) {
                assert_true(rig_accepts(&s->rig, event.data));
                grammar->read_event(s->reader, event.data, &s->pipe);
            }
        }
    }
    grammar->read_end(s->reader, &s->pipe);
    sse_fini(&sse);
}

static void trace_stream(const struct bytes_split *split, struct buf *trace, void *context)
{
    struct stream_rig s;

    (void)context;
    stream_begin(&s, grammar);
    read_stream(&s, split);
    buf_put(trace, buf_span(&s.rig.out));
    buf_put_text(trace, s.pipe.has_failed ? "failed\n" : s.pipe.has_ended ? "" : "not ended\n");
    check_events(&s);
    stream_end(&s);
}

static void check_stream(struct span in, const char *expected)
{
    struct buf trace;

    buf_init(&trace, 1 << 20);
    bytes_same_for_each_split(in, trace_stream, NULL, &trace);
    rig_same(buf_span(&trace), expected);
    buf_fini(&trace);
}

static void check_quoted(const char *in, const char *expected)
{
    struct buf buf;

    buf_init(&buf, 1 << 20);
    check_stream(rig_quote(&buf, in), expected);
    buf_fini(&buf);
}

#define IN_START EVENT("message_start", ",'message':{'id':'msg_1','model':'m','content':[],'usage':{'input_tokens':3}}")
#define IN_FINISH(reason) EVENT("message_delta", ",'delta':{'stop_reason':'" reason "'},'usage':{'output_tokens':2}")
#define IN_STOP EVENT("message_stop", "")
#define PING EVENT("ping", "")
#define OUT_START START("msg_1", "m")

static void stream__passes_text(void **state)
{
    struct buf body = data_read("upstream/anthropic-message.sse");

    (void)state;
    check_stream(buf_span(&body), START("msg_lab1", "lab-claude") TEXT_BLOCK("0") TEXT("0", "Hel") TEXT("0", "lo")
                                      TEXT("0", " wor") TEXT("0", "ld") STOP("0") FINISH("end_turn", ESTIMATE));
    buf_fini(&body);
}

static void stream__passes_calls(void **state)
{
    (void)state;
    check_quoted(
        IN_START EVENT("content_block_start", ",'index':0,'content_block':{'type':'thinking','thinking':''}")
            EVENT("content_block_delta", ",'index':0,'delta':{'type':'thinking_delta','thinking':'hm'}")
                EVENT("content_block_delta", ",'index':0,'delta':{'type':'signature_delta','signature':'s'}") STOP("0")
                    EVENT("content_block_start", ",'index':1,'content_block':{'type':'text','text':'to'}")
                        TEXT("1", "ols") STOP("1") TOOL_BLOCK("2", "toolu_1", "f") PING ARGUMENTS("2", "")
                            ARGUMENTS("2", "{\\\"a\\\":") ARGUMENTS("2", "\\\"\\\\u00e9\\\"}") STOP("2")
                                /* without a fragment: {} */
        TOOL_BLOCK("3", "toolu_B", "g") STOP("3")
        /* whole, with the beginning, and the stop is missing */
        EVENT("content_block_start",
              ",'index':4,'content_block':{'type':'tool_use','name':'h','input':{'k': ['v']}}")
            IN_FINISH("end_turn") IN_STOP,
        OUT_START TEXT_BLOCK("0") TEXT("0", "to") TEXT("0", "ols") STOP("0") TOOL_BLOCK("1", "toolu_1", "f")
            ARGUMENTS("1", "{\\\"a\\\":") ARGUMENTS("1", "\\\"\\\\u00e9\\\"}") STOP("1")
                TOOL_BLOCK("2", "toolu_B", "g") ARGUMENTS("2", "{}") STOP("2") TOOL_BLOCK("3", "toolu_2", "h")
                    ARGUMENTS("3", "{\\'k\\': [\\'v\\']}") STOP("3") FINISH("tool_use", ESTIMATE));
}

static void stream__leaves_out_the_vendors_own_tools(void **state)
{
    (void)state;
    check_quoted(IN_START EVENT("content_block_start",
                                ",'index':0,'content_block':{'type':'server_tool_use','id':'s','name':'w','input':{}}")
                     ARGUMENTS("0", "{}") STOP("0")
                         EVENT("content_block_start", ",'index':1,'content_block':{'type':'web_search_tool_result',"
                                                      "'tool_use_id':'s','content':[{'url':'u'}]}") STOP("1")
                             TEXT_BLOCK("2") TEXT("2", "x")
                                 EVENT("content_block_delta", ",'index':2,'delta':{'type':'citations_delta',"
                                                              "'citation':{}}") STOP("2")
                                     IN_FINISH("pause_turn") IN_STOP,
                 OUT_START TEXT_BLOCK("0") TEXT("0", "x") STOP("0") FINISH("pause_turn", ESTIMATE));
}

static void stream__tells_a_refusal(void **state)
{
    (void)state;
    check_quoted(IN_START EVENT("message_delta", ",'delta':{'stop_reason':'refusal','stop_details':{'type':'refusal',"
                                                 "'category':null,'explanation':'not this'}},'usage':{}") IN_STOP,
                 OUT_START TEXT_BLOCK("0") TEXT("0", "not this") STOP("0") FINISH("refusal", ESTIMATE));
}

/* Names of events may be missing, and so may the last one; what lacks its reason is not whole. */
static void stream__ends_once_or_not_at_all(void **state)
{
    (void)state;
    check_quoted("data: {'type':'message_start','message':{'id':'msg_1','model':'m'}}\n\n"
                 "data: {'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':'a'}}\n\n"
                 "data: {'type':'message_delta','delta':{'stop_reason':'end_turn'}}\n\n",
                 OUT_START TEXT_BLOCK("0") TEXT("0", "a") STOP("0") FINISH("end_turn", ESTIMATE));
    check_quoted(IN_START IN_FINISH("end_turn") IN_STOP IN_STOP TEXT("0", "late"),
                 OUT_START TEXT_BLOCK("0") STOP("0") FINISH("end_turn", ESTIMATE));
    check_quoted(IN_START TEXT_BLOCK("0") TEXT("0", "cut"), OUT_START TEXT_BLOCK("0") TEXT("0", "cut") "not ended\n");
    check_quoted(IN_START IN_STOP, OUT_START TEXT_BLOCK("0") STOP("0") FINISH("end_turn", ESTIMATE));
}

/* Arguments that belong to no open call, or an error: no answer is better than another one. */
static void stream__fails_rather_than_mix_calls(void **state)
{
    (void)state;
    check_quoted(IN_START TOOL_BLOCK("0", "a", "f") TOOL_BLOCK("1", "b", "f") ARGUMENTS("0", "{}") IN_STOP,
                 OUT_START TOOL_BLOCK("0", "a", "f") ARGUMENTS("0", "{}") STOP("0") TOOL_BLOCK("1", "b", "f")
                 "failed\n");
    check_quoted(IN_START ARGUMENTS("0", "{}"), OUT_START "failed\n");
    check_quoted(IN_START EVENT("error", ",'error':{'type':'overloaded_error'}"), OUT_START "failed\n");
}

static void stream__notes_an_unknown_reason(void **state)
{
    struct stream_rig s;
    struct buf buf;

    (void)state;
    buf_init(&buf, 4096);
    stream_begin(&s, grammar);
    struct span in = rig_quote(&buf, IN_START IN_FINISH("tired") IN_STOP);
    size_t end = in.len;
    read_stream(&s, &(struct bytes_split){.whole = in, .ends = &end, .count = 1});
    assert_text(s.pipe.unknown, "tired");
    assert_true(s.pipe.has_ended);
    stream_end(&s);
    buf_fini(&buf);
}

/* ---- values of any type in any place ---- */

static void survive_whole(struct span document, void *context)
{
    size_t *answers = context;
    struct rig rig;
    struct chat_answer answer = {.turn = {.role = CHAT_MODEL}, .usage = nothing_told()};

    rig_begin(&rig, false);
    answer.arena = &rig.arena;
    if (rig_accepts(&rig, document) && grammar->read_answer(&rig.chat, &answer, document)) {
        (void)write_whole(&rig, &answer);
        ++*answers;
    }
    rig_end(&rig);
}

static void whole__survives_any_type_in_any_place(void **state)
{
    struct buf buf;
    size_t answers = 0;

    (void)state;
    buf_init(&buf, 1 << 16);
    struct span body = rig_quote(
        &buf, "{'id':'msg_1','type':'message','role':'assistant','model':'m','content':[{'type':'thinking',"
              "'thinking':'t'},{'type':'text','text':'a'},{'type':'tool_use','id':'i','name':'f','input':{'a':1}}],"
              "'stop_reason':'refusal','stop_details':{'type':'refusal','explanation':'e'},'usage':{}}");
    rig_each_mutation(body, survive_whole, &answers);
    assert_true(answers > 200);
    buf_fini(&buf);
}

/* The events of a stream, one of which is another one than usual. */
struct odd_stream {
    struct span events[16];
    size_t count;
    size_t odd;
};

static void survive_stream(struct span document, void *context)
{
    const struct odd_stream *odd = context;
    struct stream_rig s;

    stream_begin(&s, grammar);
    for (size_t i = 0; i < odd->count; i++) {
        struct span data = i == odd->odd ? document : odd->events[i];

        if (json_is_object(data) && rig_accepts(&s.rig, data)) {
            grammar->read_event(s.reader, data, &s.pipe);
        }
    }
    grammar->read_end(s.reader, &s.pipe);
    assert_false(s.rig.out.failed);
    check_events(&s);
    stream_end(&s);
}

static void stream__survives_any_type_in_any_place(void **state)
{
    static const char *const events[] = {
        "{'type':'message_start','message':{'id':'msg_1','model':'m','content':[]}}",
        "{'type':'content_block_start','index':0,'content_block':{'type':'text','text':'a'}}",
        "{'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':'b'}}",
        "{'type':'content_block_stop','index':0}",
        "{'type':'content_block_start','index':1,'content_block':{'type':'tool_use','id':'i','name':'f','input':{}}}",
        "{'type':'content_block_delta','index':1,'delta':{'type':'input_json_delta','partial_json':'{}'}}",
        "{'type':'content_block_stop','index':1}",
        "{'type':'content_block_start','index':2,'content_block':{'type':'tool_use','id':'i','name':'f',"
        "'input':{'a':1}}}",
        "{'type':'content_block_stop','index':2}",
        "{'type':'message_delta','delta':{'stop_reason':'refusal','stop_details':{'explanation':'e'}}}",
        "{'type':'message_stop'}",
    };
    struct odd_stream odd = {.count = ARRAY_LENGTH(events)};
    struct buf buf;

    (void)state;
    buf_init(&buf, 1 << 16);
    assert_int_equal(buf_reserve(&buf, 1 << 15), ERR_NONE); /* so that the views stay */
    for (size_t i = 0; i < odd.count; i++) {
        odd.events[i] = rig_quote(&buf, events[i]);
    }
    for (odd.odd = 0; odd.odd < odd.count; odd.odd++) {
        rig_each_mutation(odd.events[odd.odd], survive_stream, &odd);
    }
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole__is_read_and_written),
        cmocka_unit_test(whole__tells_the_hub_everything),
        cmocka_unit_test(whole__is_no_answer_without_content),
        cmocka_unit_test(whole__has_ids_that_the_grammar_takes),
        cmocka_unit_test(usage__is_told_by_the_grammars_own_rules),
        cmocka_unit_test(writer__tells_text),
        cmocka_unit_test(writer__tells_of_nothing_as_an_empty_text),
        cmocka_unit_test(writer__tells_a_refusal_as_text),
        cmocka_unit_test(writer__tells_calls_one_behind_the_other),
        cmocka_unit_test(writer__ends_calls_that_nobody_ended),
        cmocka_unit_test(stream__passes_text),
        cmocka_unit_test(stream__passes_calls),
        cmocka_unit_test(stream__leaves_out_the_vendors_own_tools),
        cmocka_unit_test(stream__tells_a_refusal),
        cmocka_unit_test(stream__ends_once_or_not_at_all),
        cmocka_unit_test(stream__fails_rather_than_mix_calls),
        cmocka_unit_test(stream__notes_an_unknown_reason),
        cmocka_unit_test(whole__survives_any_type_in_any_place),
        cmocka_unit_test(stream__survives_any_type_in_any_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
