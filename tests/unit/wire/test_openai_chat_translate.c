/* SPDX-License-Identifier: Apache-2.0 */
/* Chat completion requests into the hub form and out of it. Most are read and written again: what comes out is what
 * a provider of the same grammar would be asked. */
#include "openai_chat_rig.h"

/* in -> hub -> out; what was lost on the way. */
struct golden {
    const char *in;
    const char *out;
    const char *lost;
    unsigned habits;
    bool wants_developer;
};

static void check_all(const struct golden *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct rig rig;

        rig_init(&rig);
        read_request(&rig, rows[i].in);
        if (chat_is_refused(&rig.chat)) {
            fail_msg("%s: %s", rig.chat.refused.param, rig.chat.refused.why);
        }
        assert_json(&rig, write_request(&rig, rows[i].habits, rows[i].wants_developer), rows[i].out);
        assert_json(&rig, dropped(&rig), rows[i].lost == NULL ? "" : rows[i].lost);
        rig_fini(&rig);
    }
}

/* ---- what clients send (captures of openai-node, LangChain, the AI SDK) ---- */

static void requests__of_measured_clients_come_through(void **state)
{
    static const struct golden rows[] = {
        {.in = "{'model':'gpt-4o-mini','messages':[{'role':'user','content':'Say hello.'}]}",
         .out = "{'model':'gpt-4o-mini','messages':[{'role':'user','content':'Say hello.'}]}"},
        {.in = "{'model':'m','messages':[{'role':'user','content':'Say hello.'}],'temperature':0.2,"
               "'max_completion_tokens':64,'user':'u1','metadata':{'a':'b'},'tools':[{'type':'function','function':"
               "{'name':'get_weather','description':'d','parameters':{'type':'object','properties':{'city':{'type':"
               "'string'}},'required':['city']}}}],'tool_choice':'auto','response_format':{'type':'json_object'}}",
         .out = "{'model':'m','messages':[{'role':'user','content':'Say hello.'}],'tools':[{'type':'function',"
                "'function':{'name':'get_weather','description':'d','parameters':{'type':'object','properties':{'city':"
                "{'type':'string'}},'required':['city']}}}],'tool_choice':'auto','max_completion_tokens':64,"
                "'temperature':0.2,'response_format':{'type':'json_object'},'user':'u1','metadata':{'a':'b'}}"},
        {.in = "{'model':'m','messages':[{'role':'system','content':'s'},{'role':'user','content':[{'type':'text',"
               "'text':'what'},{'type':'image_url','image_url':{'url':'data:image/png;base64,AAAA','detail':'low'}}]},"
               "{'role':'assistant','content':null,'tool_calls':[{'id':'call_1','type':'function','function':{'name':"
               "'f','arguments':'{\\'a\\':1}'}}]},{'role':'tool','tool_call_id':'call_1','content':'42'}]}",
         .out = "{'model':'m','messages':[{'role':'system','content':'s'},{'role':'user','content':[{'type':'text',"
                "'text':'what'},{'type':'image_url','image_url':{'url':'data:image/png;base64,AAAA'}}]},"
                "{'role':'assistant','content':null,'tool_calls':[{'id':'call_1','type':'function','function':{'name':"
                "'f','arguments':'{\\'a\\':1}'}}]},{'role':'tool','tool_call_id':'call_1','content':'42'}]}"},
        {.in = "{'model':'m','stream':true,'stream_options':{'include_usage':true},'messages':[{'role':'user',"
               "'content':'Say hello.'}]}",
         .out = "{'model':'m','messages':[{'role':'user','content':'Say hello.'}],'stream':true,'stream_options':"
                "{'include_usage':true}}"},
    };

    (void)state;
    check_all(rows, ARRAY_LENGTH(rows));
}

/* ---- messages ---- */

static void messages__keep_their_places_and_their_bytes(void **state)
{
    static const struct golden rows[] = {
        /* System messages anywhere; the role that a reasoning model knows. */
        {.in = "{'messages':[{'role':'developer','content':'a'},{'role':'system','content':[{'type':'text','text':"
               "'b'}]},{'role':'user','content':'c'},{'role':'system','content':'d'}]}",
         .out = "{'messages':[{'role':'developer','content':[{'type':'text','text':'a'},{'type':'text','text':'b'}]},"
                "{'role':'user','content':'c'},{'role':'developer','content':'d'}]}",
         .wants_developer = true},
        {.in = "{'messages':[{'role':'developer','content':'a'}]}",
         .out = "{'messages':[{'role':'system','content':'a'}]}",
         .wants_developer = true,
         .habits = HABIT_SYSTEM_ROLE},
        /* Escapes are nobody's business; empty texts say nothing, and neighbours of one role are one turn. */
        {.in = "{'messages':[{'role':'user','content':'\\u00e9\\n\\/'},{'role':'assistant','content':''},"
               "{'role':'user','content':[{'type':'text','text':''},{'type':'text','text':'x'}]}]}",
         .out = "{'messages':[{'role':'user','content':[{'type':'text','text':'\\u00e9\\n\\/'},{'type':'text','text':"
                "'x'}]}]}"},
        /* What the model said and refused is one text. */
        {.in = "{'messages':[{'role':'assistant','content':[{'type':'text','text':'a'},{'type':'refusal','refusal':"
               "'b'},{'type':'thinking','thinking':[{'type':'text','text':'t'}]}],'refusal':'c','reasoning_content':'r',"
               "'reasoning':'r','audio':null,'annotations':[]}]}",
         .out = "{'messages':[{'role':'assistant','content':'abc'}]}"},
        /* Names of speakers are lost. */
        {.in = "{'messages':[{'role':'user','name':'bob','content':'a'},{'role':'user','name':'eve','content':'b'}]}",
         .out = "{'messages':[{'role':'user','content':[{'type':'text','text':'a'},{'type':'text','text':'b'}]}]}",
         .lost = "messages[].name"},
        {.in = "{'messages':[{'role':'user','content':'a','mood':'good'}],'invented':1}",
         .out = "{'messages':[{'role':'user','content':'a'}]}",
         .lost = "invented, messages[].mood"},
    };

    (void)state;
    check_all(rows, ARRAY_LENGTH(rows));
}

static void results__come_first_in_one_turn(void **state)
{
    struct rig rig;
    const struct chat_part *part = NULL;

    (void)state;
    rig_init(&rig);
    read_request(&rig, "{'messages':[{'role':'assistant','tool_calls':[{'id':'a','function':{'name':'f'}},"
                       "{'id':'b','function':{'name':'g','arguments':'{}'}}]},{'role':'user','content':'first'},"
                       "{'role':'tool','tool_call_id':'b','content':[{'type':'text','text':'2'}]},"
                       "{'role':'tool','tool_call_id':'a','content':'1','name':'f'},{'role':'user','content':'last'}]}");
    assert_int_equal(rig.chat.turns->role, CHAT_MODEL);
    assert_ptr_equal(rig.chat.turns->next, rig.chat.last);
    part = rig.chat.last->parts;
    assert_int_equal(part->kind, CHAT_RESULT);
    assert_json(&rig, part->id, "'b'");
    assert_json(&rig, part->name, "'g'");
    assert_json(&rig, part->inner->text, "'2'");
    part = part->next;
    assert_json(&rig, part->id, "'a'");
    assert_json(&rig, part->name, "'f'");
    assert_json(&rig, part->next->text, "'first'");
    assert_json(&rig, part->next->next->text, "'last'");
    assert_null(part->next->next->next);
    assert_ptr_equal(rig.chat.last->last, part->next->next);
    assert_json(&rig, dropped(&rig), "");
    rig_fini(&rig);
}

static void calls__without_an_id_get_one_and_results_the_same(void **state)
{
    static const struct golden rows[] = {
        {.in = "{'messages':[{'role':'assistant','tool_calls':[{'function':{'name':'f'}},{'id':'','function':{'name':"
               "'g','arguments':''}}]},{'role':'tool','content':'1'},{'role':'tool','content':'2'}]}",
         .out = "{'messages':[{'role':'assistant','content':null,'tool_calls':[{'id':'call_at_0','type':'function',"
                "'function':{'name':'f','arguments':'{}'}},{'id':'call_at_1','type':'function','function':{'name':'g',"
                "'arguments':'{}'}}]},{'role':'tool','tool_call_id':'call_at_0','content':'1'},{'role':'tool',"
                "'tool_call_id':'call_at_1','content':'2'}]}"},
        /* The older form, twice. */
        {.in = "{'messages':[{'role':'assistant','content':'x','function_call':{'name':'f','arguments':'{\\'a\\':1.50}'"
               "}},{'role':'function','name':'f','content':'r1'},{'role':'assistant','function_call':{'name':'f',"
               "'arguments':'{}'}},{'role':'function','name':'f','content':'r2'}]}",
         .out = "{'messages':[{'role':'assistant','content':'x','tool_calls':[{'id':'call_at_0','type':'function',"
                "'function':{'name':'f','arguments':'{\\'a\\':1.50}'}}]},{'role':'tool','tool_call_id':'call_at_0',"
                "'content':'r1'},{'role':'assistant','content':null,'tool_calls':[{'id':'call_at_1','type':'function',"
                "'function':{'name':'f','arguments':'{}'}}]},{'role':'tool','tool_call_id':'call_at_1','content':'r2'}]"
                "}"},
        /* Arguments that are an object, or no JSON at all. */
        {.in = "{'messages':[{'role':'assistant','tool_calls':[{'id':'a','index':0,'type':'function','function':{"
               "'name':'f','arguments':{'a':[1]}}},{'id':'b','function':{'name':'f','arguments':'{\\'a\\':'}}]}]}",
         .out = "{'messages':[{'role':'assistant','content':'','reasoning_content':'','tool_calls':[{'id':'a','type':"
                "'function','function':{'name':'f','arguments':'{\\'a\\':[1]}'}},{'id':'b','type':'function',"
                "'function':{'name':'f','arguments':'{\\'arguments\\':\\'{\\\\\\'a\\\\\\':\\'}'}}]}]}",
         .lost = "messages[].tool_calls[].function.arguments=changed",
         .habits = HABIT_EMPTY_CONTENT | HABIT_EMPTY_REASONING},
    };

    (void)state;
    check_all(rows, ARRAY_LENGTH(rows));
}

static void parts__of_all_kinds_come_through(void **state)
{
    static const struct golden rows[] = {
        {.in = "{'messages':[{'role':'user','content':[{'type':'image_url','image_url':{'url':'https://e.org/a.png'}},"
               "{'type':'image_url','image_url':'http:\\/\\/e.org/b'},{'type':'input_audio','input_audio':{'data':"
               "'AA==','format':'mp3'}},{'type':'file','file':{'file_data':'data:application/pdf;base64,BB\\/=',"
               "'filename':'a.pdf'}},{'type':'file','file':{'file_data':'CC==','filename':'b.PDF'}},{'type':'file',"
               "'file':{'file_data':'data:image/gif;base64,DD'}}]}]}",
         .out = "{'messages':[{'role':'user','content':[{'type':'image_url','image_url':{'url':'https://e.org/a.png'}},"
                "{'type':'image_url','image_url':{'url':'http:\\/\\/e.org/b'}},{'type':'input_audio','input_audio':{"
                "'data':'AA==','format':'mp3'}},{'type':'file','file':{'filename':'a.pdf','file_data':"
                "'data:application/pdf;base64,BB\\/='}},{'type':'file','file':{'filename':'b.PDF','file_data':"
                "'data:application/pdf;base64,CC=='}},{'type':'image_url','image_url':{'url':"
                "'data:image/gif;base64,DD'}}]}]}"},
        /* Marks of prompt caches, of both vendors. */
        {.in = "{'messages':[{'role':'system','content':[{'type':'text','text':'a','prompt_cache_breakpoint':{'mode':"
               "'explicit'}}]},{'role':'user','content':[{'type':'text','text':'b','cache_control':{'type':'ephemeral'"
               "}}]}]}",
         .out = "{'messages':[{'role':'system','content':[{'type':'text','text':'a','prompt_cache_breakpoint':{'mode':"
                "'explicit','ttl':'30m'}}]},{'role':'user','content':[{'type':'text','text':'b',"
                "'prompt_cache_breakpoint':{'mode':'explicit','ttl':'30m'}}]}]}"},
        /* What a tool shows goes with what the user says next. */
        {.in = "{'messages':[{'role':'assistant','tool_calls':[{'id':'a','function':{'name':'f'}}]},{'role':'tool',"
               "'tool_call_id':'a','content':[{'type':'text','text':'x'},{'type':'image_url','image_url':{'url':"
               "'data:image/png;base64,AA'}},{'type':'text','text':'y'}]},{'role':'user','content':'z'}]}",
         .out = "{'messages':[{'role':'assistant','content':null,'tool_calls':[{'id':'a','type':'function','function':"
                "{'name':'f','arguments':'{}'}}]},{'role':'tool','tool_call_id':'a','content':'x\\ny'},{'role':'user',"
                "'content':[{'type':'image_url','image_url':{'url':'data:image/png;base64,AA'}},{'type':'text','text':"
                "'z'}]}]}"},
    };

    (void)state;
    check_all(rows, ARRAY_LENGTH(rows));
}

static void marks__of_caches_tell_how_long(void **state)
{
    struct rig rig;
    const struct chat_part *part = NULL;

    (void)state;
    rig_init(&rig);
    read_request(&rig, "{'tools':[{'type':'function','function':{'name':'f'},'cache_control':{'type':'ephemeral','ttl':"
                       "'1h'}}],'messages':[{'role':'user','content':[{'type':'text','text':'a',"
                       "'prompt_cache_breakpoint':{'mode':'explicit','ttl':'30m'}},{'type':'text','text':'b',"
                       "'prompt_cache_breakpoint':{'mode':'explicit'}},{'type':'text','text':'c','cache_control':{'type'"
                       ":'ephemeral','ttl':'5m'}},{'type':'text','text':'d'}]}]}");
    assert_int_equal(rig.chat.tools->cache, CHAT_CACHE_LONG);
    part = rig.chat.turns->parts;
    assert_int_equal(part->cache, CHAT_CACHE_LONG);
    assert_int_equal(part->next->cache, CHAT_CACHE_LONG);
    assert_int_equal(part->next->next->cache, CHAT_CACHE_SHORT);
    assert_int_equal(part->next->next->next->cache, CHAT_CACHE_NONE);
    rig_fini(&rig);
}

/* What only other dialects have: errors of tools, no name of a document, sound by its other names. */
static void writer__tells_what_only_others_can_say(void **state)
{
    struct rig rig;
    struct chat *chat = &rig.chat;
    struct chat_part *part = NULL;

    (void)state;
    rig_init(&rig);
    part = chat_add_part(chat, chat_turn(chat, CHAT_USER), CHAT_RESULT);
    part->id = SPAN_OF("\"a\"");
    part->is_error = true;
    chat_add_inner(chat, part, CHAT_TEXT)->text = SPAN_OF("\"no \\\"x\\\"\"");
    part = chat_add_part(chat, chat_turn(chat, CHAT_USER), CHAT_RESULT);
    part->id = SPAN_OF("\"b\"");
    part = chat_add_part(chat, chat_turn(chat, CHAT_USER), CHAT_DOCUMENT);
    part->media = SPAN_OF("application/pdf");
    part->data = SPAN_OF("AA");
    part = chat_add_part(chat, chat_turn(chat, CHAT_USER), CHAT_AUDIO);
    part->media = SPAN_OF("audio/x-wav");
    part->data = SPAN_OF("BB");
    assert_json(&rig, write_request(&rig, 0, false),
                "{'messages':[{'role':'tool','tool_call_id':'a','content':'Error: no \\'x\\''},{'role':'tool',"
                "'tool_call_id':'b','content':''},{'role':'user','content':[{'type':'file','file':{'filename':"
                "'document.pdf','file_data':'data:application/pdf;base64,AA'}},{'type':'input_audio','input_audio':{"
                "'data':'BB','format':'wav'}}]}]}");
    rig_fini(&rig);
}

/* ---- tools and parameters ---- */

static void tools__and_choices_come_through(void **state)
{
    static const struct golden rows[] = {
        {.in = "{'messages':[],'tools':[{'type':'function','function':{'name':'f','strict':true,'parameters':{}}},"
               "{'function':{'name':'g','strict':false,'description':''}}],'tool_choice':{'type':'function','function':"
               "{'name':'g'}},'parallel_tool_calls':false}",
         .out = "{'messages':[],'tools':[{'type':'function','function':{'name':'f','parameters':{},'strict':true}},"
                "{'type':'function','function':{'name':'g','strict':false}}],'tool_choice':{'type':'function',"
                "'function':{'name':'g'}},'parallel_tool_calls':false}"},
        {.in = "{'messages':[],'tool_choice':{'type':'allowed_tools','allowed_tools':{'mode':'required','tools':["
               "{'type':'function','function':{'name':'f'}},{'type':'function','name':'g'}]}}}",
         .out = "{'messages':[],'tool_choice':{'type':'allowed_tools','allowed_tools':{'mode':'required','tools':["
                "{'type':'function','function':{'name':'f'}},{'type':'function','function':{'name':'g'}}]}}}"},
        {.in = "{'messages':[],'tool_choice':'any'}", .out = "{'messages':[],'tool_choice':'required'}"},
        {.in = "{'messages':[],'tool_choice':'none'}", .out = "{'messages':[],'tool_choice':'none'}"},
        {.in = "{'messages':[],'tools':null,'tool_choice':null,'functions':[{'name':'f','parameters':{}}],"
               "'function_call':{'name':'f'}}",
         .out = "{'messages':[],'tools':[{'type':'function','function':{'name':'f','parameters':{}}}],'tool_choice':"
                "{'type':'function','function':{'name':'f'}}}"},
    };

    (void)state;
    check_all(rows, ARRAY_LENGTH(rows));
}

static void parameters__keep_the_digits_that_were_sent(void **state)
{
    static const struct golden rows[] = {
        {.in = "{'messages':[],'max_tokens':9,'n':2,'temperature':0.10,'top_p':1e-1,'top_k':40,'seed':"
               "12345678901234567890,'frequency_penalty':-0.50,'presence_penalty':0,'logit_bias':{'1':-100},'logprobs':"
               "true,'top_logprobs':5,'stop':'END','reasoning_effort':'minimal','verbosity':'low','safety_identifier':"
               "'s','user':'u','store':false,'prompt_cache_key':'k','service_tier':'flex'}",
         .out = "{'messages':[],'max_completion_tokens':9,'n':2,'temperature':0.10,'top_p':1e-1,'top_k':40,'seed':"
                "12345678901234567890,'frequency_penalty':-0.50,'presence_penalty':0,'logit_bias':{'1':-100},"
                "'logprobs':true,'top_logprobs':5,'stop':['END'],'reasoning_effort':'minimal','verbosity':'low','user':"
                "'s','store':false,'prompt_cache_key':'k','service_tier':'flex'}"},
        {.in = "{'messages':[],'max_tokens':9,'max_completion_tokens':8,'seed':7,'stop':['a','','b'],'stream':true,"
               "'logprobs':true,'logit_bias':{}}",
         .out = "{'messages':[],'max_tokens':8,'random_seed':7,'logprobs':true,'stop':['a','b'],'stream':true}",
         .habits = HABIT_MAX_TOKENS | HABIT_RANDOM_SEED | HABIT_NO_STREAM_OPTIONS},
        {.in = "{'messages':[],'response_format':{'type':'json_schema','json_schema':{'name':'n','description':'d',"
               "'strict':true,'schema':{'type':'object'}}}}",
         .out = "{'messages':[],'response_format':{'type':'json_schema','json_schema':{'name':'n','description':'d',"
                "'schema':{'type':'object'},'strict':true}}}"},
        {.in = "{'messages':[],'response_format':{'type':'json_schema','json_schema':{'schema':{}}}}",
         .out = "{'messages':[],'response_format':{'type':'json_schema','json_schema':{'name':'output','schema':{}}}}"},
        {.in = "{'messages':[],'response_format':{'type':'text'},'modalities':['text'],'prediction':{'type':'content',"
               "'content':'x'},'prompt_cache_options':{'mode':'implicit'},'prompt_cache_retention':'24h',"
               "'stream_options':{'include_obfuscation':false},'audio':null,'web_search_options':null,'top_logprobs':0}",
         .out = "{'messages':[]}"},
        /* What has the wrong type was not said, and is named. */
        {.in = "{'messages':[],'temperature':'hot','user':7,'metadata':[],'store':'x','max_tokens':'many','n':0,"
               "'reasoning_effort':'default','moderation':{'model':'m'},'parallel_tool_calls':'x'}",
         .out = "{'messages':[]}",
         .lost = "max_tokens, temperature, reasoning_effort, user, metadata, store, parallel_tool_calls, moderation"},
    };

    (void)state;
    check_all(rows, ARRAY_LENGTH(rows));
}

static void parameters__that_are_no_words_of_the_grammar_are_in_the_hub(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    read_request(&rig, "{'messages':[],'stream':true,'stream_options':{'include_usage':true},'functions':[{'name':'f'}],"
                       "'function_call':'auto','n':3}");
    assert_true(rig.chat.params.is_stream);
    assert_true(rig.chat.params.wants_usage);
    assert_true(rig.chat.params.is_legacy);
    assert_int_equal(rig.chat.choice, CHAT_CHOICE_AUTO);
    assert_int_equal(rig.chat.params.answers, 3);
    assert_int_equal(rig.chat.params.cap, -1);
    assert_int_equal(rig.chat.parallel, -1);
    rig_fini(&rig);
}

/* ---- refusals ---- */

static void requests__that_would_lose_their_meaning_are_refused(void **state)
{
    static const struct {
        const char *in, *param;
    } rows[] = {
        {"{'messages':7}", "messages"},
        {"{}", "messages"},
        {"{'messages':[7]}", "messages[].role"},
        {"{'messages':[{'role':'judge','content':'x'}]}", "messages[].role"},
        {"{'messages':[{'role':7,'content':'x'}]}", "messages[].role"},
        {"{'messages':[{'role':'user','content':7}]}", "messages[].content"},
        {"{'messages':[{'role':'user','content':{}}]}", "messages[].content"},
        {"{'messages':[{'role':'user','content':['x']}]}", "messages[].content[].type"},
        {"{'messages':[{'role':'user','content':[{'type':'text','text':7}]}]}", "messages[].content[]"},
        {"{'messages':[{'role':'user','content':[{'type':'text'}]}]}", "messages[].content[]"},
        {"{'messages':[{'role':'user','content':[{'type':'refusal','refusal':'x'}]}]}", "messages[].content[].type"},
        {"{'messages':[{'role':'system','content':[{'type':'image_url','image_url':{'url':'https://e.org'}}]}]}",
         "messages[].content[].type"},
        {"{'messages':[{'role':'user','content':[{'type':'image_url','image_url':{'url':'file:///x'}}]}]}",
         "messages[].content[].image_url"},
        {"{'messages':[{'role':'user','content':[{'type':'image_url','image_url':[]}]}]}",
         "messages[].content[].image_url"},
        {"{'messages':[{'role':'user','content':[{'type':'image_url','image_url':{'url':'data:,x'}}]}]}",
         "messages[].content[].image_url"},
        {"{'messages':[{'role':'user','content':[{'type':'input_audio','input_audio':{'data':'AA'}}]}]}",
         "messages[].content[].input_audio"},
        {"{'messages':[{'role':'user','content':[{'type':'file','file':{'file_id':'file-1'}}]}]}",
         "messages[].content[].file.file_id"},
        {"{'messages':[{'role':'user','content':[{'type':'file','file':{'file_data':'AA','filename':'a.txt'}}]}]}",
         "messages[].content[].file"},
        {"{'messages':[{'role':'user','content':[{'type':'file'}]}]}", "messages[].content[].file"},
        {"{'messages':[{'role':'tool','content':[{'type':'file','file':{'file_data':'data:audio/wav;base64,A'}}]}]}",
         "messages[].content[].file"},
        {"{'messages':[{'role':'assistant','audio':{'id':'a'}}]}", "messages[].audio"},
        {"{'messages':[{'role':'assistant','tool_calls':{}}]}", "messages[].tool_calls"},
        {"{'messages':[{'role':'assistant','tool_calls':[7]}]}", "messages[].tool_calls[].function.name"},
        {"{'messages':[{'role':'assistant','tool_calls':[{'type':'custom','custom':{}}]}]}",
         "messages[].tool_calls[].type"},
        {"{'messages':[{'role':'assistant','tool_calls':[{'function':{'name':'f','arguments':7}}]}]}",
         "messages[].tool_calls[].function.arguments"},
        {"{'messages':[{'role':'assistant','function_call':'f'}]}", "messages[].tool_calls[].function.name"},
        {"{'messages':[],'tools':7}", "tools"},
        {"{'messages':[],'tools':['f']}", "tools[].function.name"},
        {"{'messages':[],'tools':[{'type':'custom','custom':{'name':'f'}}]}", "tools[].type"},
        {"{'messages':[],'tools':[{'type':'function','function':{'name':'f','parameters':'x'}}]}",
         "tools[].function.parameters"},
        {"{'messages':[],'functions':'f'}", "functions"},
        {"{'messages':[],'tool_choice':'some'}", "tool_choice"},
        {"{'messages':[],'tool_choice':[]}", "tool_choice"},
        {"{'messages':[],'tool_choice':{'type':'custom','custom':{'name':'f'}}}", "tool_choice"},
        {"{'messages':[],'tool_choice':{'type':'custom','name':'f'}}", "tool_choice"},
        {"{'messages':[],'tool_choice':{'type':'allowed_tools'}}", "tool_choice"},
        {"{'messages':[],'tool_choice':{'type':'allowed_tools','mode':'auto','tools':[7]}}", "tool_choice"},
        {"{'messages':[],'stop':7}", "stop"},
        {"{'messages':[],'stop':[7]}", "stop"},
        {"{'messages':[],'logit_bias':'x'}", "logit_bias"},
        {"{'messages':[],'response_format':'json'}", "response_format"},
        {"{'messages':[],'response_format':{'type':'grammar'}}", "response_format"},
        {"{'messages':[],'response_format':{'type':'json_schema','json_schema':{'schema':7}}}",
         "response_format.json_schema.schema"},
        {"{'messages':[],'modalities':['text','audio']}", "modalities"},
        {"{'messages':[],'audio':{'voice':'x'}}", "audio"},
        {"{'messages':[],'web_search_options':{}}", "web_search_options"},
        {"{'messages':[],'moderation':{'model':'m','policy':{'output':{'mode':'block'}}}}", "moderation"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct rig rig;

        rig_init(&rig);
        read_request(&rig, rows[i].in);
        if (!chat_is_refused(&rig.chat)) {
            fail_msg("not refused: %s", rows[i].in);
        }
        assert_string_equal(rig.chat.refused.param, rows[i].param);
        rig_fini(&rig);
    }
}

/* Any member may be of any type: nothing breaks, and what is written is JSON. */
static void requests__of_any_types_break_nothing(void **state)
{
    static const char *const names[] = {
        "model", "max_tokens", "max_completion_tokens", "n", "temperature", "seed", "logprobs", "top_logprobs", "stop",
        "stream", "stream_options", "tools", "tool_choice", "functions", "function_call", "response_format",
        "reasoning_effort", "verbosity", "user", "metadata", "store", "service_tier", "modalities", "moderation",
        "logit_bias", "prediction", "parallel_tool_calls", "messages", "\\u0061udio", ""};
    static const char *const values[] = {
        "null", "true", "7", "-1", "1e999", "99999999999999999999", "''", "'x'", "[]", "[[]]", "[null]", "[7]", "{}",
        "{'type':7}", "{'type':'function','function':7}", "[{'type':'function','function':[]}]", "{'':{}}",
        "[{'role':'user','content':[[]]}]", "[{'role':'assistant','tool_calls':[{'function':{'name':{}}}]}]",
        "{'type':'json_schema','json_schema':[]}", "{'type':'allowed_tools','allowed_tools':{'mode':'auto','tools':{}}}",
        "[{'role':'tool','tool_call_id':[],'content':null},{'role':'tool'}]", "{'policy':[]}"};
    char text[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        for (size_t j = 0; j < ARRAY_LENGTH(values); j++) {
            struct rig rig;

            rig_init(&rig);
            (void)snprintf(text, sizeof text, "{'messages':[{'role':'user','content':'x'}],'%s':%s}", names[i],
                           values[j]);
            read_request(&rig, text);
            if (!chat_is_refused(&rig.chat)) {
                (void)write_request(&rig, 0, true);
            }
            rig_fini(&rig);
        }
    }
}

/* However little memory there is: it is noticed at the end, and nothing breaks on the way. */
static void requests__without_memory_break_nothing(void **state)
{
    static const char text[] =
        "{'messages':[{'role':'system','content':'s'},{'role':'user','content':[{'type':'text','text':'a'},{'type':"
        "'image_url','image_url':{'url':'data:image/png;base64,AA'}},{'type':'input_audio','input_audio':{'data':'A',"
        "'format':'wav'}},{'type':'file','file':{'file_data':'data:application/pdf;base64,AA'}}]},{'role':'assistant',"
        "'tool_calls':[{'function':{'name':'f','arguments':'{\\'a\\':1}'}}]},{'role':'tool','content':'r'}],'tools':[{"
        "'function':{'name':'f'}}],'tool_choice':{'type':'allowed_tools','mode':'auto','tools':[{'name':'f'}]},'stop':["
        "'a','b'],'seed':'x','odd':1}";
    bool is_enough = false;

    (void)state;
    for (size_t max = 0; !is_enough; max += 16) {
        struct rig rig;
        struct arena small;

        rig_init(&rig);
        arena_init(&small, max);
        rig.chat.arena = &small;
        read_request(&rig, text);
        is_enough = !small.failed;
        assert_true(max < 100000);
        arena_fini(&small);
        rig_fini(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests__of_measured_clients_come_through),
        cmocka_unit_test(messages__keep_their_places_and_their_bytes),
        cmocka_unit_test(results__come_first_in_one_turn),
        cmocka_unit_test(calls__without_an_id_get_one_and_results_the_same),
        cmocka_unit_test(parts__of_all_kinds_come_through),
        cmocka_unit_test(marks__of_caches_tell_how_long),
        cmocka_unit_test(writer__tells_what_only_others_can_say),
        cmocka_unit_test(tools__and_choices_come_through),
        cmocka_unit_test(parameters__keep_the_digits_that_were_sent),
        cmocka_unit_test(parameters__that_are_no_words_of_the_grammar_are_in_the_hub),
        cmocka_unit_test(requests__that_would_lose_their_meaning_are_refused),
        cmocka_unit_test(requests__of_any_types_break_nothing),
        cmocka_unit_test(requests__without_memory_break_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
