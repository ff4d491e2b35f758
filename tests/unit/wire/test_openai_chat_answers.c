/* SPDX-License-Identifier: Apache-2.0 */
/* Chat completions as answers: whole ones and streams, read from any compatible server and written for an app. Most
 * are read and written again: what comes out is what the app would get. */
#include "openai_chat_rig.h"

#include "tests/lib/bytes.h"

static struct chat_terms terms_of(bool wants_usage)
{
    return (struct chat_terms){
        .model = SPAN("\"alias\""), .created = 1795000000, .seed = 42, .wants_usage = wants_usage};
}

/* ---- whole answers ---- */

#define HEAD "{'id':'chatcmpl-1','object':'chat.completion','created':1795000000,'model':'m','choices':[{'index':0,"

struct whole {
    const char *in;
    const char *out; /* NULL: it is no answer */
    bool is_legacy;
    bool shows_thinking;
};

static void check_whole(const struct whole *row)
{
    struct chat_terms terms = terms_of(false);
    struct chat_answer answer = {.turn = {.role = CHAT_MODEL}};
    struct json_scan_options options = {0};
    struct json_out out;
    struct rig rig;

    rig_init(&rig);
    usage_init(&answer.usage);
    answer.arena = &rig.arena;
    terms.is_legacy = row->is_legacy;
    terms.shows_thinking = row->shows_thinking;
    if (openai_chat_translator.read_answer(&rig.chat, &answer, accepted(&rig, row->in)) != (row->out != NULL)) {
        fail_msg("%s", row->in);
    }
    if (row->out != NULL) {
        json_out_init(&out, &rig.out);
        openai_chat_translator.write_answer(&answer, &terms, &out);
        assert_json(&rig, buf_span(&rig.out), row->out);
        assert_true(json_scan_whole(rig.scan, &options, buf_span(&rig.out), NULL));
    }
    rig_fini(&rig);
}

static void answers__of_all_servers_come_through(void **state)
{
    static const struct whole rows[] = {
        {.in = "{'id':'chatcmpl-1','object':'chat.completion','created':1,'model':'m','choices':[{'index':0,"
               "'finish_reason':'stop','logprobs':null,'message':{'role':'assistant','content':'he\\u006cl\\no',"
               "'refusal':null,'annotations':[]}}],'usage':{}}",
         .out = HEAD "'message':{'role':'assistant','content':'he\\u006cl\\no','refusal':null,'annotations':[]},"
                     "'logprobs':null,'finish_reason':'stop'}]}"},
        /* Two calls beside a text, one without an id, arguments in all forms. */
        {.in = "{'id':'1','model':'m','choices':[{'finish_reason':'tool_calls','message':{'content':'x','tool_calls':["
               "{'id':'a','type':'function','function':{'name':'f','arguments':'{\\'a\\': 1}'}},{'id':'b','function':{"
               "'name':'g','arguments':{'b':2}}},{'id':'c','function':{'name':'h'}}]}}]}",
         .out = HEAD "'message':{'role':'assistant','content':'x','refusal':null,'tool_calls':[{'id':'a','type':"
                     "'function','function':{'name':'f','arguments':'{\\'a\\': 1}'}},{'id':'b','type':'function',"
                     "'function':{'name':'g','arguments':'{\\'b\\':2}'}},{'id':'c','type':'function','function':{"
                     "'name':'h','arguments':'{}'}}],'annotations':[]},'logprobs':null,'finish_reason':'tool_calls'}]}"},
        {.in = "{'id':'1','model':'m','choices':[{'finish_reason':'function_call','message':{'content':null,"
               "'tool_calls':[{'id':'a','function':{'name':'f','arguments':'{}'}}]}}]}",
         .out = HEAD "'message':{'role':'assistant','content':null,'refusal':null,'function_call':{'name':'f',"
                     "'arguments':'{}'},'annotations':[]},'logprobs':null,'finish_reason':'function_call'}]}",
         .is_legacy = true},
        /* Mistral: a list, and thoughts. */
        {.in = "{'id':'1','model':'m','choices':[{'finish_reason':'model_length','message':{'content':[{'type':"
               "'thinking','thinking':[{'type':'text','text':'t1'},{'type':'text','text':'t2'}]},{'type':'text','text':"
               "'a'},7,{'type':'text','text':'b'}]}}]}",
         .out = HEAD "'message':{'role':'assistant','content':'ab','refusal':null,'reasoning_content':'t1t2',"
                     "'annotations':[]},'logprobs':null,'finish_reason':'length'}]}",
         .shows_thinking = true},
        {.in = "{'id':'1','model':'m','choices':[{'finish_reason':'eos','message':{'content':'a','reasoning':'r'}}]}",
         .out = HEAD "'message':{'role':'assistant','content':'a','refusal':null,'annotations':[]},'logprobs':null,"
                     "'finish_reason':'stop'}]}"},
        {.in = "{'id':'1','model':'m','choices':[{'finish_reason':'stop','message':{'content':null,'refusal':'no'}}]}",
         .out = HEAD "'message':{'role':'assistant','content':null,'refusal':'no','annotations':[]},'logprobs':null,"
                     "'finish_reason':'content_filter'}]}"},
        /* The first choice is the one with the index 0; an answer may be empty; a strange word is a normal end. */
        {.in = "{'id':'1','model':'m','choices':[{'index':1,'message':{'content':'b'}},{'index':0,'finish_reason':"
               "'tired','message':{'content':''}}]}",
         .out = HEAD "'message':{'role':'assistant','content':'','refusal':null,'annotations':[]},'logprobs':null,"
                     "'finish_reason':'stop'}]}"},
        {.in = "{'choices':[{'message':{}}]}",
         .out = "{'id':'chatcmpl-42','object':'chat.completion','created':1795000000,'model':'alias','choices':[{"
                "'index':0,'message':{'role':'assistant','content':'','refusal':null,'annotations':[]},'logprobs':null,"
                "'finish_reason':'stop'}]}"},
        {.in = "{'choices':[]}"},
        {.in = "{'choices':[{'message':null}]}"},
        {.in = "{'choices':{'message':{}}}"},
        {.in = "{}"},
        {.in = "{'choices':[{'finish_reason':'error','message':{'content':'x'}}]}"},
        {.in = "{'choices':[{'finish_reason':'insufficient_system_resource','message':{'content':'x'}}]}"},
        /* Of wrong types nothing was said. */
        {.in = "{'id':7,'model':[],'choices':[{'finish_reason':7,'message':{'content':7,'refusal':[],'tool_calls':{},"
               "'function_call':7}}]}",
         .out = "{'id':'chatcmpl-42','object':'chat.completion','created':1795000000,'model':'alias','choices':[{"
                "'index':0,'message':{'role':'assistant','content':'','refusal':null,'annotations':[]},'logprobs':null,"
                "'finish_reason':'stop'}]}"},
        {.in = "{'id':'1','model':'m','choices':[{'finish_reason':'stop','message':{'tool_calls':[7,{},{'function':{"
               "'name':7}}],'content':[[],{'type':'thinking','thinking':7}]}}]}",
         .out = HEAD "'message':{'role':'assistant','content':'','refusal':null,'annotations':[]},'logprobs':null,"
                     "'finish_reason':'stop'}]}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        check_whole(&rows[i]);
    }
}

static void answers__give_calls_ids_that_no_other_answer_has(void **state)
{
    static const char *const bodies[] = {
        "{'choices':[{'message':{'tool_calls':[{'function':{'name':'f'}},{'function':{'name':'f'}}]}}]}",
        "{'choices':[{'message':{'tool_calls':[{'function':{'name':'f'}},{'function':{'name':'g'}}]}}]}"};
    struct span ids[4];
    struct rig rig;

    (void)state;
    rig_init(&rig);
    for (size_t i = 0; i < 2; i++) {
        struct chat_answer answer = {.arena = &rig.arena};

        assert_true(openai_chat_translator.read_answer(&rig.chat, &answer, accepted(&rig, bodies[i])));
        ids[2 * i] = answer.turn.parts->id;
        ids[2 * i + 1] = answer.turn.parts->next->id;
    }
    for (size_t i = 0; i < 4; i++) {
        assert_true(span_starts(ids[i], SPAN_OF("\"call_")));
        for (size_t j = 0; j < i; j++) {
            assert_false(span_equal(ids[i], ids[j]));
        }
    }
    rig_fini(&rig);
}

static void ids__hold_harmless_letters_alone_and_not_many(void **state)
{
    static const struct {
        const char *told, *made;
    } rows[] = {
        {"'msg_01-A'", "chatcmpl-msg_01-A"},
        {"'a\\u000ab \\'<script>'", "chatcmpl-au000abscript"},
        {"''", "chatcmpl-42"},
        {"'\\/'", "chatcmpl-42"},
        {"'chatcmpl-'", "chatcmpl-42"},
        {"'0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789'",
         "chatcmpl-01234567890123456789012345678901234567890123456789012345678901234567890"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct chat_terms terms = terms_of(false);
        struct chat_answer answer = {.finish = CHAT_FINISH_STOP};
        struct json_out out;
        struct rig rig;

        rig_init(&rig);
        usage_init(&answer.usage);
        answer.id = json(&rig, rows[i].told);
        json_out_init(&out, &rig.out);
        openai_chat_translator.write_answer(&answer, &terms, &out);
        assert_true(span_starts(span_from(buf_span(&rig.out), sizeof "{\"id\":\"" - 1), span_of(rows[i].made)));
        rig_fini(&rig);
    }
}

/* translation.md 11 has this example. */
static void usage__is_told_as_openai_counts(void **state)
{
    struct rig rig;
    struct json_out out;
    struct usage usage;

    (void)state;
    rig_init(&rig);
    usage_init(&usage);
    assert_false(openai_has_usage(&usage));
    usage.tokens[TOKENS_INPUT] = 10;
    usage.tokens[TOKENS_CACHE_READ] = 900;
    usage.tokens[TOKENS_CACHE_WRITE_5M] = 20;
    usage.tokens[TOKENS_CACHE_WRITE_1H] = 30;
    usage.tokens[TOKENS_OUTPUT] = 40;
    usage.reasoning = 25;
    assert_true(openai_has_usage(&usage));
    json_out_init(&out, &rig.out);
    openai_put_usage(&out, &usage);
    assert_json(&rig, buf_span(&rig.out),
                "{'prompt_tokens':960,'completion_tokens':40,'total_tokens':1000,'prompt_tokens_details':{"
                "'cached_tokens':900,'cache_write_tokens':50},'completion_tokens_details':{'reasoning_tokens':25}}");
    usage_init(&usage);
    usage.tokens[TOKENS_AUDIO_INPUT] = 3;
    usage.tokens[TOKENS_AUDIO_OUTPUT] = 4;
    buf_clear(&rig.out);
    json_out_init(&out, &rig.out);
    openai_put_usage(&out, &usage);
    assert_json(&rig, buf_span(&rig.out),
                "{'prompt_tokens':3,'completion_tokens':4,'total_tokens':7,'prompt_tokens_details':{'cached_tokens':0,"
                "'audio_tokens':3},'completion_tokens_details':{'reasoning_tokens':0,'audio_tokens':4}}");
    rig_fini(&rig);
}

/* ---- streams ---- */

struct told {
    const char *in;  /* one chunk a line; what stands in front of "data: " is left out */
    const char *out; /* deltas alone, one a line: see delta_of */
    bool wants_usage;
    bool is_legacy;
    bool shows_thinking;
    bool has_failed;
    bool is_cut; /* not told to be complete */
};

struct run {
    struct rig *rig;
    const struct told *row;
    bool is_whole_frame; /* the chunks as they are, not their deltas alone */
};

/* Lines of JSON as a stream of events. */
static void put_stream(struct rig *rig, struct buf *stream, const char *lines)
{
    struct span rest = json(rig, lines);

    while (rest.len > 0) {
        buf_put_text(stream, "data: ");
        buf_put(stream, span_cut(&rest, '\n'));
        buf_put_text(stream, "\n\n");
    }
}

/* What differs between chunks: from "delta" on. */
static void put_deltas(struct buf *trace, struct span stream)
{
    struct sse sse;
    struct sse_event event;

    sse_init(&sse, (size_t)1 << 20, (size_t)1 << 22);
    while (sse_feed(&sse, &stream, &event) == SSE_EVENT) {
        const char *at = span_find(event.data, SPAN_OF("\"delta\":"));
        struct span data = at == NULL ? event.data : span_from(event.data, (size_t)(at - event.data.at) + 8);

        buf_put(trace, data);
        buf_put_char(trace, '\n');
    }
    assert_int_equal(stream.len, 0);
    sse_fini(&sse);
}

static void tell_event(struct run *run, void *reader, struct span data, struct chat_pipe *pipe)
{
    struct json_scan_options options = {.allow_duplicates = true};

    if (!span_equal(data, SPAN_OF("[DONE]"))) {
        assert_true(json_scan_whole(run->rig->scan, &options, data, NULL));
    }
    openai_chat_translator.read_event(reader, data, pipe);
}

/* A stream that comes in these pieces, through the hub form to an app. */
static void trace_stream(const struct bytes_split *split, struct buf *trace, void *context)
{
    struct run *run = context;
    struct chat_terms terms = terms_of(run->row->wants_usage);
    void *reader = test_calloc(1, openai_chat_translator.reader_size);
    void *writer = test_calloc(1, openai_chat_translator.writer_size);
    struct buf out;
    struct buf scratch;
    struct chat_pipe pipe = {.writer_row = &openai_chat_translator, .writer = writer, .terms = &terms, .out = &out,
                             .scratch = &scratch};
    struct sse sse;
    struct sse_event event;

    terms.is_legacy = run->row->is_legacy;
    terms.shows_thinking = run->row->shows_thinking;
    usage_init(&pipe.usage);
    pipe.usage.tokens[TOKENS_INPUT] = 12;
    pipe.usage.tokens[TOKENS_OUTPUT] = 3;
    buf_init(&out, (size_t)1 << 20);
    buf_init(&scratch, (size_t)1 << 20);
    sse_init(&sse, (size_t)1 << 20, (size_t)1 << 22);
    for (size_t i = 0; i < split->count; i++) {
        struct span piece = bytes_piece(split, i);

        while (sse_feed(&sse, &piece, &event) == SSE_EVENT) {
            tell_event(run, reader, event.data, &pipe);
        }
    }
    openai_chat_translator.read_end(reader, &pipe);
    assert_int_equal(pipe.has_failed, run->row->has_failed);
    assert_int_equal(pipe.has_ended, !run->row->has_failed && !run->row->is_cut);
    if (run->is_whole_frame) {
        buf_put(trace, buf_span(&out));
    } else {
        put_deltas(trace, buf_span(&out));
    }
    assert_false(out.failed || scratch.failed);
    sse_fini(&sse);
    buf_fini(&out);
    buf_fini(&scratch);
    test_free(reader);
    test_free(writer);
}

static void check_stream(const struct told *row, bool is_whole_frame)
{
    struct rig rig;
    struct run run = {&rig, row, is_whole_frame};
    struct buf stream;
    struct buf trace;

    rig_init(&rig);
    buf_init(&stream, (size_t)1 << 20);
    buf_init(&trace, (size_t)1 << 20);
    put_stream(&rig, &stream, row->in);
    bytes_same_for_each_split(buf_span(&stream), trace_stream, &run, &trace);
    assert_json(&rig, buf_span(&trace), row->out);
    buf_fini(&stream);
    buf_fini(&trace);
    rig_fini(&rig);
}

#define CHUNK(delta) "{'id':'1','model':'m','choices':[{'index':0,'delta':" delta "}]}\n"
#define ENDED(word) "{'id':'1','model':'m','choices':[{'index':0,'delta':{},'finish_reason':" word "}]}\n"
#define BEGUN "{'role':'assistant','content':''},'finish_reason':null}]}\n"
#define TOLD(delta) delta ",'finish_reason':null}]}\n"
#define OVER(word) "{},'finish_reason':'" word "'}]}\n[DONE]\n"
#define FRAME "data: {'id':'chatcmpl-1','object':'chat.completion.chunk','created':1795000000,'model':'m','choices':["

static void streams__have_the_frame_that_clients_ask_for(void **state)
{
    static const struct told plain = {
        .in = CHUNK("{'role':'assistant','content':''}") CHUNK("{'content':'he\\u006c'}") ENDED("'stop'") "[DONE]",
        .out = FRAME "{'index':0,'delta':{'role':'assistant','content':''},'finish_reason':null}]}\n\n" FRAME
                     "{'index':0,'delta':{'content':'he\\u006c'},'finish_reason':null}]}\n\n" FRAME
                     "{'index':0,'delta':{},'finish_reason':'stop'}]}\n\ndata: [DONE]\n\n"};
    static const struct told metered = {
        .in = CHUNK("{'content':'x'}") ENDED("'stop'") "{'id':'1','choices':[],'usage':{}}\n[DONE]",
        .out = FRAME "{'index':0,'delta':{'role':'assistant','content':''},'finish_reason':null}],'usage':null}\n\n" FRAME
                     "{'index':0,'delta':{'content':'x'},'finish_reason':null}],'usage':null}\n\n" FRAME
                     "{'index':0,'delta':{},'finish_reason':'stop'}],'usage':null}\n\n" FRAME
                     "],'usage':{'prompt_tokens':12,'completion_tokens':3,'total_tokens':15,'prompt_tokens_details':{"
                     "'cached_tokens':0},'completion_tokens_details':{'reasoning_tokens':0}}}\n\ndata: [DONE]\n\n",
        .wants_usage = true};

    (void)state;
    check_stream(&plain, true);
    check_stream(&metered, true);
}

static void streams__of_all_servers_come_through(void **state)
{
    static const struct told rows[] = {
        /* Text and a call in one delta; fragments; two calls at once. */
        {.in = CHUNK("{'content':'x','tool_calls':[{'index':0,'id':'a','type':'function','function':{'name':'f',"
                     "'arguments':''}}]}") CHUNK("{'tool_calls':[{'index':0,'function':{'arguments':'{\\'a'}}]}")
                   CHUNK("{'tool_calls':[{'index':0,'function':{'arguments':'\\':1}'}},{'index':1,'id':'b','function':{"
                         "'name':'g'}}]}") ENDED("'tool_calls'") "[DONE]",
         .out = BEGUN TOLD("{'content':'x'}") TOLD("{'tool_calls':[{'index':0,'id':'a','type':'function','function':{"
                                                   "'name':'f','arguments':''}}]}")
             TOLD("{'tool_calls':[{'index':0,'function':{'arguments':'{\\'a'}}]}")
                 TOLD("{'tool_calls':[{'index':0,'function':{'arguments':'\\':1}'}}]}")
                     TOLD("{'tool_calls':[{'index':1,'id':'b','type':'function','function':{'name':'g','arguments':''}}]}")
                         TOLD("{'tool_calls':[{'index':1,'function':{'arguments':'{}'}}]}") OVER("tool_calls")},
        /* All with index 0: another id is another call. */
        {.in = CHUNK("{'tool_calls':[{'index':0,'id':'a','function':{'name':'f','arguments':'{}'}},{'index':0,'id':'b',"
                     "'function':{'name':'g','arguments':'{}'}}]}") ENDED("'stop'") "[DONE]",
         .out = BEGUN TOLD("{'tool_calls':[{'index':0,'id':'a','type':'function','function':{'name':'f','arguments':''"
                           "}}]}") TOLD("{'tool_calls':[{'index':0,'function':{'arguments':'{}'}}]}")
             TOLD("{'tool_calls':[{'index':1,'id':'b','type':'function','function':{'name':'g','arguments':''}}]}")
                 TOLD("{'tool_calls':[{'index':1,'function':{'arguments':'{}'}}]}") OVER("tool_calls")},
        /* No index (Mistral), an object as arguments, no id. */
        {.in = CHUNK("{'tool_calls':[{'id':'a','function':{'name':'f','arguments':{'k':'v'}}},{'function':{'name':'g',"
                     "'arguments':'{'}}]}") CHUNK("{'tool_calls':[{'function':{'arguments':'}'}}]}")
                   ENDED("'tool_calls'") "[DONE]",
         .out = BEGUN TOLD("{'tool_calls':[{'index':0,'id':'a','type':'function','function':{'name':'f','arguments':''"
                           "}}]}") TOLD("{'tool_calls':[{'index':0,'function':{'arguments':'{\\'k\\':\\'v\\'}'}}]}")
             TOLD("{'tool_calls':[{'index':1,'id':'call_42_1','type':'function','function':{'name':'g','arguments':''}"
                  "}]}") TOLD("{'tool_calls':[{'index':1,'function':{'arguments':'{'}}]}")
                 TOLD("{'tool_calls':[{'index':1,'function':{'arguments':'}'}}]}") OVER("tool_calls")},
        /* The name comes late; ids come with each fragment, the same or made up anew. */
        {.in = CHUNK("{'tool_calls':[{'index':3,'id':'a'}]}") CHUNK("{'tool_calls':[{'index':3,'id':'a','function':{"
                                                                    "'name':'f'}}]}")
             CHUNK("{'tool_calls':[{'index':3,'id':'z','function':{'arguments':'{}'}}]}") ENDED("'tool_calls'") "[DONE]",
         .out = BEGUN TOLD("{'tool_calls':[{'index':0,'id':'a','type':'function','function':{'name':'f','arguments':''"
                           "}}]}") TOLD("{'tool_calls':[{'index':0,'function':{'arguments':'{}'}}]}")
             OVER("tool_calls")},
        {.in = CHUNK("{'tool_calls':[{'index':0,'id':'a','function':{}}]}") CHUNK("{'tool_calls':[{'index':0,"
                                                                                 "'function':{'name':'f'}}]}")
                   ENDED("'tool_calls'") "[DONE]",
         .out = BEGUN TOLD("{'tool_calls':[{'index':0,'id':'a','type':'function','function':{'name':'f','arguments':''"
                           "}}]}") TOLD("{'tool_calls':[{'index':0,'function':{'arguments':'{}'}}]}")
             OVER("tool_calls")},
        /* The older form, on both sides. */
        {.in = CHUNK("{'function_call':{'name':'f','arguments':''}}") CHUNK("{'function_call':{'arguments':'{}'}}")
                   ENDED("'function_call'") "[DONE]",
         .out = BEGUN TOLD("{'function_call':{'name':'f','arguments':''}}") TOLD("{'function_call':{'arguments':'{}'}}")
             OVER("function_call"),
         .is_legacy = true},
        /* Reasoning by both names; told where it is wanted. */
        {.in = CHUNK("{'reasoning':'a'}") CHUNK("{'reasoning_content':'b','reasoning':'b'}")
                   CHUNK("{'content':[{'type':'thinking','thinking':[{'type':'text','text':'c'}]},{'type':'text','text':"
                         "'d'}]}") ENDED("'eos'") "[DONE]",
         .out = BEGUN TOLD("{'reasoning_content':'a'}") TOLD("{'reasoning_content':'b'}") TOLD(
             "{'reasoning_content':'c'}") TOLD("{'content':'d'}") OVER("stop"),
         .shows_thinking = true},
        {.in = CHUNK("{'reasoning':'a'}") CHUNK("{'content':'b'}") ENDED("'model_length'") "[DONE]",
         .out = BEGUN TOLD("{'content':'b'}") OVER("length")},
        {.in = CHUNK("{'refusal':'no'}") ENDED("'stop'") "[DONE]",
         .out = BEGUN TOLD("{'refusal':'no'}") OVER("content_filter")},
        /* Azure's filters come first and begin nothing; other choices are nobody's; the first reason counts; an end
         * without [DONE]; what comes behind it. */
        {.in = "{'id':'','model':'','choices':[],'prompt_filter_results':[]}\n"
               "{'id':'','model':'','choices':[{'index':0,'content_filter_results':{},'finish_reason':null}]}\n" CHUNK(
                   "{'content':'x'}") "{'choices':[{'index':1,'delta':{'content':'y'}}]}\n" ENDED("'length'")
                   ENDED("'stop'"),
         .out = BEGUN TOLD("{'content':'x'}") OVER("length")},
        {.in = CHUNK("{'content':'x'}") ENDED("'stop'") "[DONE]\n" CHUNK("{'content':'y'}") "[DONE]",
         .out = BEGUN TOLD("{'content':'x'}") OVER("stop")},
        /* Strange words, and an empty one, which is none. */
        {.in = CHUNK("{'content':'x'}") ENDED("''") ENDED("'tired'") "[DONE]",
         .out = BEGUN TOLD("{'content':'x'}") OVER("stop")},
        /* Cut, or failed: nothing tells an end. */
        {.in = CHUNK("{'content':'x'}"), .out = BEGUN TOLD("{'content':'x'}"), .is_cut = true},
        {.in = "[DONE]", .out = "", .has_failed = true},
        {.in = CHUNK("{'content':'x'}") "[DONE]", .out = BEGUN TOLD("{'content':'x'}"), .has_failed = true},
        {.in = CHUNK("{'tool_calls':[{'index':0,'id':'a','function':{'name':'f'}}]}") ENDED("''") "[DONE]",
         .out = BEGUN TOLD("{'tool_calls':[{'index':0,'id':'a','type':'function','function':{'name':'f','arguments':''"
                           "}}]}"), .has_failed = true},
        {.in = CHUNK("{'content':'x'}") ENDED("'error'") "[DONE]", .out = BEGUN TOLD("{'content':'x'}"),
         .has_failed = true},
        {.in = CHUNK("{'content':'x'}") ENDED("'insufficient_system_resource'"), .out = BEGUN TOLD("{'content':'x'}"),
         .has_failed = true},
        {.in = CHUNK("{'tool_calls':[{'index':0,'id':'a','function':{'arguments':'{}'}}]}"), .out = BEGUN,
         .has_failed = true},
        {.in = CHUNK("{'content':'x','tool_calls':[{'index':0,'id':'a'}]}") "[DONE]",
         .out = BEGUN TOLD("{'content':'x'}"), .has_failed = true},
        /* Of wrong types nothing was said. */
        {.in = "{'choices':7}\n{'choices':[7]}\n{'choices':[{'delta':7}]}\n"
               "{'id':7,'model':7,'choices':[{'delta':{'content':7,'refusal':7,'reasoning':[],'tool_calls':7}}]}\n" CHUNK(
                   "{'tool_calls':[7,{},{'index':'x','id':[],'function':7}]}") ENDED("7")
                   CHUNK("{'content':[7,{'type':'text','text':7},{'type':'thinking','thinking':7}]}"),
         .out = BEGUN, .is_cut = true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        check_stream(&rows[i], false);
    }
}

/* Servers that count all calls as 0 give them ids, or names alone, or the same id. */
static void streams__have_as_many_calls_as_were_meant(void **state)
{
#define PART(members, function) CHUNK("{'tool_calls':[{" members "'function':{" function "}}]}")
#define BEGINS(number, id, name)                                                                                       \
    TOLD("{'tool_calls':[{'index':" number ",'id':'" id "','type':'function','function':{'name':'" name               \
         "','arguments':''}}]}")
#define GOES_ON(number, arguments) TOLD("{'tool_calls':[{'index':" number ",'function':{'arguments':'" arguments "'}}]}")
#define F "'name':'f','arguments':"
    static const struct told rows[] = {
        /* Another name; the same name with other arguments, as a string and as an object. */
        {.in = PART("'index':0,", F "'{\\'a\\':1}'") PART("'index':0,", "'name':'g','arguments':'{}'")
                   PART("'index':0,'id':'',", F "'{}'") PART("'index':0,", F "{}") ENDED("'stop'"),
         .out = BEGUN BEGINS("0", "call_42_0", "f") GOES_ON("0", "{\\'a\\':1}") BEGINS("1", "call_42_1", "g")
             GOES_ON("1", "{}") BEGINS("2", "call_42_2", "f") GOES_ON("2", "{}") BEGINS("3", "call_42_3", "f")
                 GOES_ON("3", "{}") OVER("tool_calls")},
        /* In fragments; a name that comes back begins a call, whatever is said then. */
        {.in = PART("'index':0,", F "''") PART("'index':0,", "'arguments':'{}'") PART("'index':0,", "'name':'g'")
                   PART("'index':0,", "'arguments':'{\\'a'") PART("'index':0,", "'arguments':'\\':1}'")
                       PART("'index':0,", F "''") PART("'index':0,", "'arguments':'{}'") ENDED("'stop'"),
         .out = BEGUN BEGINS("0", "call_42_0", "f") GOES_ON("0", "{}") BEGINS("1", "call_42_1", "g")
             GOES_ON("1", "{\\'a") GOES_ON("1", "\\':1}") BEGINS("2", "call_42_2", "f") GOES_ON("2", "{}")
                 OVER("tool_calls")},
        /* One call: its name comes with each fragment, its id late. */
        {.in = PART("'index':0,", F "''") PART("'index':0,", F "'{\\'a\\':'") PART("'index':0,", F "'{\\'b\\':{}'")
                   PART("'index':0,", F "'}'") PART("'index':0,'id':'a',", F "'}'") PART("'index':0,'id':'a',", F "''")
                       ENDED("'stop'"),
         .out = BEGUN BEGINS("0", "call_42_0", "f") GOES_ON("0", "{\\'a\\':") GOES_ON("0", "{\\'b\\':{}") GOES_ON("0", "}")
             GOES_ON("0", "}") OVER("tool_calls")},
        /* One id for all: by another index or another name. No two calls of an answer have one id. */
        {.in = PART("'index':0,'id':'a',", F "''") PART("'index':0,'id':'a',", "'arguments':'{}'")
                   PART("'index':1,'id':'a',", F "'{'") PART("'index':1,'id':'a',", "'arguments':'}'")
                       PART("'index':1,'id':'a',", "'name':'g','arguments':'{}'") ENDED("'stop'"),
         .out = BEGUN BEGINS("0", "a", "f") GOES_ON("0", "{}") BEGINS("1", "call_42_1", "f") GOES_ON("1", "{")
             GOES_ON("1", "}") BEGINS("2", "call_42_2", "g") GOES_ON("2", "{}") OVER("tool_calls")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        check_stream(&rows[i], false);
    }
}

/* As many calls as are told apart, and one more. */
static void streams__of_too_many_calls_fail(void **state)
{
    struct chat_terms terms = terms_of(false);
    void *reader = test_calloc(1, openai_chat_translator.reader_size);
    void *writer = test_calloc(1, openai_chat_translator.writer_size);
    struct buf scratch;
    char text[256];
    struct rig rig;
    struct chat_pipe pipe = {.writer_row = &openai_chat_translator, .writer = writer, .terms = &terms, .out = &rig.out,
                             .scratch = &scratch};

    (void)state;
    rig_init(&rig);
    buf_init(&scratch, 64);
    for (int i = 0; i < 128; i++) {
        (void)snprintf(text, sizeof text,
                       "{'choices':[{'delta':{'tool_calls':[{'index':%d,'function':{'name':'f'}}]}}]}", i);
        openai_chat_translator.read_event(reader, accepted(&rig, text), &pipe);
        assert_false(pipe.has_failed);
    }
    openai_chat_translator.read_event(
        reader, accepted(&rig, "{'choices':[{'delta':{'tool_calls':[{'index':128,'function':{'name':'f'}}]}}]}"), &pipe);
    assert_true(pipe.has_failed);
    buf_fini(&scratch);
    test_free(reader);
    test_free(writer);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers__of_all_servers_come_through),
        cmocka_unit_test(answers__give_calls_ids_that_no_other_answer_has),
        cmocka_unit_test(ids__hold_harmless_letters_alone_and_not_many),
        cmocka_unit_test(usage__is_told_as_openai_counts),
        cmocka_unit_test(streams__have_the_frame_that_clients_ask_for),
        cmocka_unit_test(streams__of_all_servers_come_through),
        cmocka_unit_test(streams__have_as_many_calls_as_were_meant),
        cmocka_unit_test(streams__of_too_many_calls_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
