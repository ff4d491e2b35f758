/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of POST /responses as they come into the hub and out of it: golden pairs of a request and what
 * it becomes for another provider's /responses, what is named, what is refused, and hostile ones. */
#include "responses_rig.h"

#include "base/mem.h"

struct golden {
    const char *in;
    const char *out;     /* behind {"model":"m", */
    const char *dropped;
};

static const struct golden goldens[] = {
    {"{'model':'gpt-4o-mini','input':'Say hello.'}",
     "'input':[{'type':'message','role':'user','content':[{'type':'input_text','text':'Say hello.'}]}],"
     "'store':false}",
     ""},
    {"{'input':[{'role':'user','content':[{'type':'input_text','text':'hi'}]}],'stream':true,'text':{}}",
     "'input':[{'type':'message','role':'user','content':[{'type':'input_text','text':'hi'}]}],"
     "'store':false,'stream':true}",
     ""},
    /* The system first and later, the assistant's words, and a text that must not be touched. */
    {"{'instructions':'be \\u0062rief','input':[{'role':'developer','content':'really'},"
     "{'type':'message','role':'user','content':'a\\nb','id':'msg_1','status':'completed'},"
     "{'role':'assistant','content':[{'type':'output_text','text':'yes','annotations':[]},"
     "{'type':'refusal','refusal':'no'}],'phase':'commentary'},"
     "{'role':'system','content':'now in French'},{'role':'user','content':''},{'role':'user','content':'go'}]}",
     "'instructions':'be \\u0062rief\\n\\nreally','input':["
     "{'type':'message','role':'user','content':[{'type':'input_text','text':'a\\nb'}]},"
     "{'type':'message','role':'assistant','content':[{'type':'output_text','text':'yes'},"
     "{'type':'output_text','text':'no'}]},"
     "{'type':'message','role':'developer','content':[{'type':'input_text','text':'now in French'}]},"
     "{'type':'message','role':'user','content':[{'type':'input_text','text':'go'}]}],'store':false}",
     ""},
    /* Calls and their results, with reasoning between them that nobody else can read. */
    {"{'input':[{'role':'user','content':'w?'},{'type':'reasoning','id':'rs_1','summary':[],"
     "'encrypted_content':'AAAA'},"
     "{'type':'function_call','id':'fc_1','call_id':'call_1','name':'f','arguments':'{\\'a\\': 1.50}'},"
     "{'type':'function_call','call_id':'call_2','name':'g','arguments':''},"
     "{'type':'function_call_output','call_id':'call_1','output':'42'},"
     "{'type':'function_call_output','call_id':'call_2','output':[{'type':'input_text','text':'x'},"
     "{'type':'input_image','image_url':'data:image/png;base64,AA=='}]}]}",
     "'input':[{'type':'message','role':'user','content':[{'type':'input_text','text':'w?'}]},"
     "{'type':'function_call','call_id':'call_1','name':'f','arguments':'{\\'a\\': 1.50}'},"
     "{'type':'function_call','call_id':'call_2','name':'g','arguments':'{}'},"
     "{'type':'function_call_output','call_id':'call_1','output':'42'},"
     "{'type':'function_call_output','call_id':'call_2','output':[{'type':'input_text','text':'x'},"
     "{'type':'input_image','image_url':'data:image/png;base64,AA=='}]}],'store':false}",
     ""},
    {"{'input':[{'type':'function_call','call_id':'c','name':'f','arguments':'not JSON'},"
     "{'type':'function_call_output','call_id':'c','output':''}]}",
     "'input':[{'type':'function_call','call_id':'c','name':'f','arguments':'{\\'arguments\\':\\'not JSON\\'}'},"
     "{'type':'function_call_output','call_id':'c','output':''}],'store':false}",
     "input[].arguments=changed"},
    /* Media. */
    {"{'input':[{'role':'user','content':[{'type':'input_image','image_url':'https://a/b.png','detail':'high'},"
     "{'type':'input_file','filename':'a.pdf','file_data':'data:application/pdf;base64,QUJD'},"
     "{'type':'input_file','file_url':'https://a/b.pdf','file_id':null}]}]}",
     "'input':[{'type':'message','role':'user','content':["
     "{'type':'input_image','image_url':'https://a/b.png'},"
     "{'type':'input_file','filename':'a.pdf','file_data':'data:application/pdf;base64,QUJD'},"
     "{'type':'input_file','file_url':'https://a/b.pdf'}]}],'store':false}",
     ""},
    /* Tools. */
    {"{'input':'x','tools':[{'type':'function','name':'f','description':'d','strict':true,"
     "'parameters':{'type':'object','properties':{}, 'required':[]}},{'type':'function','name':'g',"
     "'parameters':{},'defer_loading':true}],'tool_choice':{'type':'function','name':'f'},"
     "'parallel_tool_calls':false}",
     "'input':[{'type':'message','role':'user','content':[{'type':'input_text','text':'x'}]}],"
     "'tools':[{'type':'function','name':'f','description':'d',"
     "'parameters':{'type':'object','properties':{}, 'required':[]},'strict':true},"
     "{'type':'function','name':'g','parameters':{'type':'object','properties':{}},'strict':false}],"
     "'tool_choice':{'type':'function','name':'f'},'parallel_tool_calls':false,'store':false}",
     "tools[].defer_loading"},
    {"{'input':'x','tools':[{'type':'function','name':'f'}],'tool_choice':{'type':'allowed_tools',"
     "'mode':'required','tools':[{'type':'function','name':'f'}]}}",
     "'input':[{'type':'message','role':'user','content':[{'type':'input_text','text':'x'}]}],"
     "'tools':[{'type':'function','name':'f','parameters':{'type':'object','properties':{}},'strict':false}],"
     "'tool_choice':{'type':'allowed_tools','mode':'required','tools':[{'type':'function','name':'f'}]},"
     "'store':false}",
     ""},
    {"{'input':'x','tool_choice':'required','parallel_tool_calls':true}",
     "'input':[{'type':'message','role':'user','content':[{'type':'input_text','text':'x'}]}],"
     "'tool_choice':'required','parallel_tool_calls':true,'store':false}",
     ""},
    /* Everything else that has a place. */
    {"{'input':'x','max_output_tokens':64,'temperature':0.20,'top_p':1e-1,'reasoning':{'effort':'xhigh',"
     "'summary':'detailed','context':'auto','mode':'standard'},'text':{'verbosity':'low','format':"
     "{'type':'json_schema','name':'n','schema':{'type':'object'},'strict':true}},'user':'u',"
     "'safety_identifier':'s','metadata':{'a':'b'},'prompt_cache_key':'k','service_tier':'flex',"
     "'include':['reasoning.encrypted_content'],'store':false,'truncation':'disabled','background':false,"
     "'prompt_cache_options':{'mode':'implicit'},'prompt_cache_retention':'24h','context_management':[],"
     "'stream':true,'stream_options':{'include_obfuscation':false},'client_metadata':{'turn_id':'t'}}",
     "'input':[{'type':'message','role':'user','content':[{'type':'input_text','text':'x'}]}],"
     "'max_output_tokens':64,'temperature':0.20,'top_p':1e-1,"
     "'reasoning':{'effort':'xhigh','summary':'auto'},"
     "'text':{'format':{'type':'json_schema','name':'n','schema':{'type':'object'},'strict':true},"
     "'verbosity':'low'},'safety_identifier':'s','metadata':{'a':'b'},'prompt_cache_key':'k',"
     "'service_tier':'flex','store':false,'stream':true}",
     ""},
    {"{'input':'x','text':{'format':{'type':'json_object'}},'reasoning':{'effort':'none'},'user':'u'}",
     "'input':[{'type':'message','role':'user','content':[{'type':'input_text','text':'x'}]}],"
     "'reasoning':{'effort':'none'},"
     "'text':{'format':{'type':'json_object'}},'safety_identifier':'u','store':false}",
     ""},
    /* What is left out and named. */
    {"{'input':[{'role':'user','content':'x','name':'n'}],'max_tool_calls':3,'truncation':'auto','store':true,"
     "'include':['web_search_call.results'],'image':{'context_compression':'on'},'access_programs':{'cyber':1},"
     "'reasoning':{'effort':'huge','mode':'pro','deep':1},'text':{'format':{'type':'text','description':'d'},"
     "'tone':'dry'},'moderation':{'model':'m','policy':{'input':{'mode':'score'}}},'stream_options':{'pace':1},"
     "'invented':1,'seed':null}",
     "'input':[{'type':'message','role':'user','content':[{'type':'input_text','text':'x'}]}],'store':false}",
     "max_tool_calls, image, access_programs, invented, store, truncation, moderation, stream_options.pace, "
     "include, reasoning.deep, reasoning.effort, reasoning.mode, text.tone, text.format.description, "
     "input[].name"},
};

static void responses__requests_are_told_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(goldens); i++) {
        struct rig rig;
        struct buf expected;

        rig_begin(&rig, goldens[i].in, RIG_ARENA, false);
        rig_read(&rig);
        if (chat_is_refused(&rig.chat)) {
            fail_msg("%zu: %s: %s", i, rig.chat.refused.param, rig.chat.refused.why);
        }
        rig_write(&rig, "\"m\"");
        buf_init(&expected, RIG_TEXT);
        buf_put_text(&expected, "{'model':'m',");
        buf_put_text(&expected, goldens[i].out);
        buf_put_char(&expected, '\0');
        rig_assert_text(buf_span(&rig.out), expected.at);
        rig_assert_dropped(&rig.chat, goldens[i].dropped);
        buf_fini(&expected);
        rig_end(&rig);
    }
}

/* What was written for a provider is read as it was. */
static void responses__what_was_written_is_read_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(goldens); i++) {
        struct rig first;
        struct rig second;
        struct buf text;

        rig_begin(&first, goldens[i].in, RIG_ARENA, false);
        rig_read(&first);
        rig_write(&first, "\"m\"");
        buf_init(&text, RIG_TEXT);
        buf_put(&text, buf_span(&first.out));
        buf_put_char(&text, '\0');
        rig_begin(&second, text.at, RIG_ARENA, true);
        rig_read(&second);
        assert_false(chat_is_refused(&second.chat));
        rig_write(&second, "\"m\"");
        assert_text(buf_span(&second.out), text.at);
        buf_fini(&text);
        rig_end(&first);
        rig_end(&second);
    }
}

static void responses__what_only_its_provider_can_do_is_refused(void **state)
{
    static const struct {
        const char *in;
        const char *param;
    } rows[] = {
        {"{'input':'x','previous_response_id':'resp_1'}", "previous_response_id"},
        {"{'input':'x','conversation':{'id':'conv_1'}}", "conversation"},
        {"{'prompt':{'id':'p'}}", "prompt"},
        {"{'input':'x','background':true}", "background"},
        {"{'input':'x','include':['message.output_text.logprobs']}", "include"},
        {"{'input':'x','context_management':[{'type':'compaction'}]}", "context_management"},
        {"{'input':'x','prompt_cache_options':{'prewarm':true}}", "prompt_cache_options.prewarm"},
        {"{'input':'x','moderation':{'policy':{'output':{'mode':'block'}}}}", "moderation"},
        {"{'model':'m'}", "input"},
        {"{'input':{'role':'user'}}", "input"},
        {"{'input':[{'type':'item_reference','id':'msg_1'}]}", "input[].type"},
        {"{'input':[{'type':'custom_tool_call','call_id':'c','name':'n','input':'x'}]}", "input[].type"},
        {"{'input':[{'type':'custom_tool_call_output','call_id':'c','output':'x'}]}", "input[].type"},
        {"{'input':[{'type':'local_shell_call'}]}", "input[].type"},
        {"{'input':[{'type':'apply_patch_call'}]}", "input[].type"},
        {"{'input':[{'type':'web_search_call'}]}", "input[].type"},
        {"{'input':[{'type':'mcp_call'}]}", "input[].type"},
        {"{'input':[{'type':'compaction'}]}", "input[].type"},
        {"{'input':[{'type':'invented'}]}", "input[].type"},
        {"{'input':['x']}", "input[].type"},
        {"{'input':[{'role':'tool','content':'x'}]}", "input[].role"},
        {"{'input':[{'type':'function_call','name':'f','arguments':'{}'}]}", "input[].call_id"},
        {"{'input':[{'type':'function_call','call_id':'c','arguments':'{}'}]}", "input[].call_id"},
        {"{'input':[{'type':'function_call_output','output':'x'}]}", "input[].call_id"},
        {"{'input':[{'role':'user','content':[{'type':'input_image','file_id':'f'}]}]}",
         "input[].content[].file_id"},
        {"{'input':[{'role':'user','content':[{'type':'input_image','image_url':'ftp://a'}]}]}",
         "input[].content[].image_url"},
        {"{'input':[{'role':'user','content':[{'type':'input_file','filename':'a'}]}]}",
         "input[].content[].file_data"},
        {"{'input':[{'role':'system','content':[{'type':'input_image','image_url':'https://a'}]}]}",
         "input[].content"},
        {"{'input':[{'role':'user','content':[{'type':'input_audio'}]}]}", "input[].content[].type"},
        {"{'input':'x','tools':[{'type':'web_search'}]}", "tools"},
        {"{'input':'x','tools':[{'type':'custom','name':'n'}]}", "tools"},
        {"{'input':'x','tools':[{'type':'namespace','name':'n'}]}", "tools"},
        {"{'input':'x','tools':[{'type':'mcp'}]}", "tools"},
        {"{'input':'x','tools':[{'type':'local_shell'}]}", "tools"},
        {"{'input':'x','tools':[{'name':'n'}]}", "tools"},
        {"{'input':'x','tools':[{'type':'function'}]}", "tools[].name"},
        {"{'input':'x','tool_choice':{'type':'web_search'}}", "tool_choice"},
        {"{'input':'x','tool_choice':'sometimes'}", "tool_choice"},
        {"{'input':'x','tool_choice':{'type':'allowed_tools','mode':'auto','tools':[{'type':'mcp'}]}}",
         "tool_choice.tools"},
        {"{'input':'x','tool_choice':{'type':'allowed_tools','mode':'auto'}}", "tool_choice.tools"},
        {"{'input':'x','instructions':['x']}", "instructions"},
        {"{'input':'x','tools':{'type':'function','name':'f'}}", "tools"},
        {"{'input':[{'role':'user','content':{'type':'input_text','text':'x'}}]}", "input[].content"},
        {"{'input':[{'role':'user','content':[{'type':'input_text'}]}]}", "input[].content[].text"},
        {"{'input':[{'type':'function_call','call_id':'c','name':'f','arguments':{}}]}", "input[].arguments"},
        {"{'input':[{'type':'function_call_output','call_id':'c','output':{}}]}", "input[].output"},
        {"{'input':'x','text':{'format':{'type':'grammar'}}}", "text.format.type"},
        {"{'input':'x','text':{'format':{'type':'json_schema','name':'n'}}}", "text.format.schema"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct rig rig;

        rig_begin(&rig, rows[i].in, RIG_ARENA, false);
        rig_read(&rig);
        if (!chat_is_refused(&rig.chat) || strcmp(rig.chat.refused.param, rows[i].param) != 0) {
            fail_msg("%s: %s", rows[i].in, chat_is_refused(&rig.chat) ? rig.chat.refused.param : "taken");
        }
        assert_non_null(rig.chat.refused.why);
        rig_end(&rig);
    }
}

static void responses__strict_refuses_what_would_be_named(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, "{'input':'x','max_tool_calls':1}", RIG_ARENA, true);
    rig_read(&rig);
    assert_string_equal(rig.chat.refused.param, "max_tool_calls");
    rig_end(&rig);
}

static void responses__calls_make_one_turn_and_results_know_their_function(void **state)
{
    struct rig rig;
    const struct chat_turn *turn = NULL;

    (void)state;
    rig_begin(&rig,
              "{'input':[{'role':'user','content':[{'type':'input_text','text':'a','prompt_cache_breakpoint':"
              "{'mode':'explicit','ttl':'12h'}},{'type':'input_text','text':'b','prompt_cache_breakpoint':"
              "{'mode':'explicit'}}]},"
              "{'type':'function_call','call_id':'1','name':'f','arguments':'{}'},"
              "{'type':'reasoning','summary':[]},"
              "{'type':'function_call','call_id':'2','name':'g','arguments':'{}'},"
              "{'type':'function_call_output','call_id':'2','output':'x'},"
              "{'role':'user','content':'and?'}]}",
              RIG_ARENA, false);
    rig_read(&rig);
    turn = rig.chat.turns;
    assert_int_equal(turn->parts->cache, CHAT_CACHE_LONG);
    assert_int_equal(turn->parts->next->cache, CHAT_CACHE_LONG);
    turn = turn->next;
    assert_int_equal(turn->role, CHAT_MODEL);
    assert_int_equal(turn->calls, 2);
    turn = turn->next;
    assert_int_equal(turn->role, CHAT_USER);
    assert_int_equal(turn->parts->kind, CHAT_RESULT);
    rig_assert_text(turn->parts->name, "'g'");
    assert_int_equal(turn->parts->next->kind, CHAT_TEXT);
    assert_null(turn->next);
    rig_end(&rig);
}

static void responses__what_a_tool_failed_with_is_told_as_text(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, "{'input':[{'type':'function_call_output','call_id':'1','output':'gone'}]}", RIG_ARENA, false);
    rig_read(&rig);
    rig.chat.turns->parts->is_error = true;
    rig_write(&rig, "\"m\"");
    rig_assert_text(buf_span(&rig.out), "{'model':'m','input':[{'type':'function_call_output','call_id':'1',"
                                        "'output':'Error: gone'}],'store':false}");
    rig_end(&rig);
}

/* ---- hostile ---- */

static const char *const values[] = {"null", "true",  "0",    "-1e999", "''",     "'x'", "[]",
                                     "{}",   "[[]]",  "[null]", "[{}]", "['x']",  "{'type':1}",
                                     "{'':''}", "[{'type':'message','role':[]}]", "'\\ud800'"};

static const char *const places[] = {
    "{'input':%,'x':1}",
    "{'input':'x','instructions':%}",
    "{'input':'x','stream':%,'stream_options':%,'max_output_tokens':%,'temperature':%,'top_p':%}",
    "{'input':'x','tools':%,'tool_choice':%,'parallel_tool_calls':%,'reasoning':%,'text':%,'include':%}",
    "{'input':'x','truncation':%,'store':%,'background':%,'context_management':%,'service_tier':%}",
    "{'input':'x','user':%,'safety_identifier':%,'metadata':%,'prompt_cache_key':%,'moderation':%}",
    "{'input':'x','prompt_cache_options':%,'top_logprobs':%,'previous_response_id':%}",
    "{'input':'x','text':{'format':%,'verbosity':%},'reasoning':{'effort':%,'summary':%,'mode':%}}",
    "{'input':'x','text':{'format':{'type':'json_schema','name':%,'schema':{},'strict':%}}}",
    "{'input':'x','text':{'format':{'type':%}},'moderation':{'policy':{'input':%}}}",
    "{'input':'x','tools':[{'type':'function','name':'f','description':%,'parameters':%,'strict':%}]}",
    "{'input':'x','tools':[{'type':%,'name':%}]}",
    "{'input':'x','tool_choice':{'type':'allowed_tools','mode':%,'tools':%}}",
    "{'input':'x','tool_choice':{'type':'function','name':%}}",
    "{'input':[{'role':'user','content':%}]}",
    "{'input':[{'type':%,'role':'user','content':'x'}]}",
    "{'input':[{'role':'user','content':[{'type':'input_text','text':%,'prompt_cache_breakpoint':%}]}]}",
    "{'input':[{'role':'user','content':[{'type':'input_image','image_url':%,'file_id':%}]}]}",
    "{'input':[{'role':'user','content':[{'type':'input_file','file_data':%,'file_url':%,'filename':%}]}]}",
    "{'input':[{'type':'function_call','call_id':%,'name':'f','arguments':%}]}",
    "{'input':[{'type':'function_call','call_id':'c','name':%,'arguments':'{}'}]}",
    "{'input':[{'type':'function_call_output','call_id':%,'output':'x'}]}",
    "{'input':[{'type':'function_call_output','call_id':'c','output':%}]}",
};

static void fill(struct buf *out, const char *place, const char *value)
{
    buf_clear(out);
    for (; *place != '\0'; place++) {
        if (*place == '%') {
            buf_put_text(out, value);
        } else {
            buf_put_char(out, *place);
        }
    }
    buf_put_char(out, '\0');
}

/* Whatever stands there, the request is refused or what is written is JSON. */
static void responses__any_type_may_stand_anywhere(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, RIG_TEXT);
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        for (size_t j = 0; j < ARRAY_LENGTH(values); j++) {
            struct rig rig;

            fill(&text, places[i], values[j]);
            rig_begin(&rig, text.at, RIG_ARENA, false);
            rig_read(&rig);
            rig_write(&rig, "\"m\"");
            assert_false(rig.out.failed);
            rig_end(&rig);
        }
    }
    buf_fini(&text);
}

/* What is of the wrong type says nothing, where the request means the same without it. */
static void responses__a_wrong_type_says_nothing(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig,
              "{'input':'x','max_output_tokens':1.5,'temperature':'hot','top_p':[],'user':{},"
              "'metadata':[],'prompt_cache_key':1,'service_tier':1,'parallel_tool_calls':'no','stream':1,"
              "'include':'x','text':'x','reasoning':[],'top_logprobs':'x','store':0}",
              RIG_ARENA, false);
    rig_read(&rig);
    assert_false(chat_is_refused(&rig.chat));
    rig_write(&rig, "\"m\"");
    rig_assert_text(buf_span(&rig.out), "{'model':'m','input':[{'type':'message','role':'user','content':["
                                        "{'type':'input_text','text':'x'}]}],'store':false}");
    rig_end(&rig);
}

static void responses__without_memory_it_says_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(goldens); i++) {
        bool has_failed = true;

        for (size_t max = 0; has_failed && max < RIG_ARENA; max += 64) {
            struct rig rig;

            rig_begin(&rig, goldens[i].in, max, false);
            rig_read(&rig);
            rig_write(&rig, "\"m\"");
            has_failed = rig.arena.failed;
            rig_end(&rig);
        }
        assert_false(has_failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses__requests_are_told_again),
        cmocka_unit_test(responses__what_was_written_is_read_as_it_was),
        cmocka_unit_test(responses__what_only_its_provider_can_do_is_refused),
        cmocka_unit_test(responses__strict_refuses_what_would_be_named),
        cmocka_unit_test(responses__calls_make_one_turn_and_results_know_their_function),
        cmocka_unit_test(responses__what_a_tool_failed_with_is_told_as_text),
        cmocka_unit_test(responses__any_type_may_stand_anywhere),
        cmocka_unit_test(responses__a_wrong_type_says_nothing),
        cmocka_unit_test(responses__without_memory_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
