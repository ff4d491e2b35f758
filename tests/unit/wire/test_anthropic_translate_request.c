/* SPDX-License-Identifier: Apache-2.0 */
/* A messages request into the hub and out of it again: what is carried comes back in this grammar's own words, what is
 * lost is named, what cannot be told is refused. Between the two nothing is fitted. */
#include "anthropic_translate_rig.h"

static const struct translator *const grammar = &anthropic_messages_translator;
static const struct model_facts facts = {.output_max = 4096};
static const struct chat_target target = {.model = &facts};

#define HEAD "{'model':'claude-x','max_tokens':64,"
#define HI "'messages':[{'role':'user','content':'hi'}]}"
#define HI_OUT "'messages':[{'role':'user','content':[{'type':'text','text':'hi'}]}]}"

static void read_into(struct rig *rig, const char *request, bool is_strict)
{
    rig_begin(rig, is_strict);
    struct span body = rig_quote(&rig->in, request);
    assert_true(rig_accepts(rig, body));
    grammar->read_request(&rig->chat, body);
    assert_false(rig->arena.failed);
}

static struct span written(struct rig *rig)
{
    struct json_out json;

    rig->chat.model = SPAN_OF("\"claude-x\"");
    rig->chat.target = &target;
    json_out_init(&json, &rig->out);
    grammar->write_request(&rig->chat, &json);
    assert_false(rig->out.failed);
    assert_true(rig_accepts(rig, buf_span(&rig->out)));
    return buf_span(&rig->out);
}

static void told(const struct chat *chat, struct buf *out)
{
    for (const struct chat_dropped *one = chat->dropped; one != NULL; one = one->next) {
        buf_put_text(out, out->len > 0 ? " " : "");
        buf_put(out, one->name);
        buf_put_text(out, one->is_changed ? "=changed" : "");
    }
}

struct pair {
    const char *in;
    const char *out;
    const char *dropped; /* NULL: nothing */
};

static void check_pair(const struct pair *pair)
{
    struct rig rig;
    struct buf dropped;

    read_into(&rig, pair->in, false);
    if (chat_is_refused(&rig.chat)) {
        fail_msg("%s\n  refused for %s", pair->in, rig.chat.refused.param);
    }
    rig_same(written(&rig), pair->out);
    buf_init(&dropped, 4096);
    told(&rig.chat, &dropped);
    rig_same(buf_span(&dropped), pair->dropped == NULL ? "" : pair->dropped);
    buf_fini(&dropped);
    rig_end(&rig);
}

static void check_pairs(const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_pair(&pairs[i]);
    }
}

static void request__keeps_the_params(void **state)
{
    static const struct pair pairs[] = {
        {HEAD HI, HEAD HI_OUT, NULL},
        {HEAD "'temperature':0.10,'top_p':1e0,'top_k':5,'stop_sequences':['END','\\n',7],'stream':true,"
              "'metadata':{'user_id':'u1'},'cache_control':{'type':'ephemeral'},'service_tier':'standard_only'," HI,
         HEAD "'temperature':0.10,'top_p':1e0,'top_k':5,'stop_sequences':['END','\\n'],"
              "'service_tier':'standard_only','metadata':{'user_id':'u1'},'cache_control':{'type':'ephemeral'},"
              "'stream':true," HI_OUT,
         NULL},
        {HEAD "'temperature':null,'stream':false,'tools':null,'thinking':null,'speed':'standard','mcp_servers':[]," HI,
         HEAD HI_OUT, NULL},
        /* A cap that is none: that of the model. */
        {"{'model':'claude-x','max_tokens':'many'," HI, "{'model':'claude-x','max_tokens':4096," HI_OUT, NULL},
    };

    (void)state;
    check_pairs(pairs, ARRAY_LENGTH(pairs));
}

static void request__keeps_how_much_is_thought(void **state)
{
    static const struct pair pairs[] = {
        {HEAD "'thinking':{'type':'disabled'}," HI, HEAD "'thinking':{'type':'disabled'}," HI_OUT, NULL},
        {HEAD "'thinking':{'type':'adaptive','display':'summarized'},'output_config':{'effort':'xhigh'}," HI,
         HEAD "'thinking':{'type':'adaptive','display':'summarized'},'output_config':{'effort':'xhigh'}," HI_OUT, NULL},
        {HEAD "'thinking':{'type':'enabled','budget_tokens':2047}," HI,
         HEAD "'thinking':{'type':'enabled','budget_tokens':2047},'output_config':{'effort':'low'}," HI_OUT, NULL},
        {HEAD "'thinking':{'type':'enabled','budget_tokens':8191,'display':'omitted'}," HI,
         HEAD "'thinking':{'type':'enabled','budget_tokens':8191},'output_config':{'effort':'medium'}," HI_OUT, NULL},
        {HEAD "'thinking':{'type':'enabled','budget_tokens':24575}," HI,
         HEAD "'thinking':{'type':'enabled','budget_tokens':24575},'output_config':{'effort':'high'}," HI_OUT, NULL},
        {HEAD "'thinking':{'type':'enabled','budget_tokens':24576}," HI,
         HEAD "'thinking':{'type':'enabled','budget_tokens':24576},'output_config':{'effort':'xhigh'}," HI_OUT, NULL},
        {HEAD "'thinking':{'type':'enabled'}," HI, HEAD "'thinking':{'type':'adaptive'}," HI_OUT, NULL},
        {HEAD "'thinking':{'type':'between_tools'}," HI, HEAD "'output_config':{'effort':'low'}," HI_OUT,
         "thinking.type=changed"},
        {HEAD "'thinking':{'type':'dreaming'}," HI, HEAD HI_OUT, "thinking.type"},
        {HEAD "'thinking':{'type':'disabled'},'output_config':{'effort':'high'}," HI,
         HEAD "'thinking':{'type':'disabled'}," HI_OUT, "output_config.effort"},
        {HEAD "'output_config':{'effort':'max','task_budget':{'type':'tokens','total':9}}," HI,
         HEAD "'output_config':{'effort':'max'}," HI_OUT, "output_config.task_budget"},
    };

    (void)state;
    check_pairs(pairs, ARRAY_LENGTH(pairs));
}

static void request__keeps_the_form_of_the_answer(void **state)
{
    static const struct pair pairs[] = {
        {HEAD "'output_config':{'format':{'type':'json_schema','schema':{'type':'object'}}}," HI,
         HEAD "'output_config':{'format':{'type':'json_schema','schema':{'type':'object'}}}," HI_OUT, NULL},
        {HEAD "'output_format':{'type':'json_schema','schema':{ 'type' : 'object' }}," HI,
         HEAD "'output_config':{'format':{'type':'json_schema','schema':{ 'type' : 'object' }}}," HI_OUT, NULL},
    };

    (void)state;
    check_pairs(pairs, ARRAY_LENGTH(pairs));
}

static void request__keeps_the_tools(void **state)
{
    static const struct pair pairs[] = {
        {HEAD "'tools':[{'name':'f','description':'d','input_schema':{'type':'object','properties':{'a':{}}},"
              "'strict':true,'cache_control':{'type':'ephemeral','ttl':'1h'}},{'type':'custom','name':'g',"
              "'strict':false,'eager_input_streaming':true,'defer_loading':false,'allowed_callers':['direct']}],"
              "'tool_choice':{'type':'tool','name':'f','disable_parallel_tool_use':true}," HI,
         HEAD "'tools':[{'name':'f','description':'d','input_schema':{'type':'object','properties':{'a':{}}},"
              "'strict':true,'cache_control':{'type':'ephemeral','ttl':'1h'}},{'name':'g',"
              "'input_schema':{'type':'object','properties':{}},'strict':false}],"
              "'tool_choice':{'type':'tool','name':'f','disable_parallel_tool_use':true}," HI_OUT,
         NULL},
        {HEAD "'tools':[{'name':'f','input_schema':{}},{'name':'g','input_schema':{'properties':{'a':{'type':'x'}},"
              "'required':['a']}},{'name':'h','input_schema':{'$defs':{},'type':['object','null']}}],"
              "'tool_choice':{'type':'any'}," HI,
         HEAD "'tools':[{'name':'f','input_schema':{'type':'object','properties':{}}},"
              "{'name':'g','input_schema':{'type':'object','properties':{'a':{'type':'x'}},'required':['a']}},"
              "{'name':'h','input_schema':{'type':'object','$defs':{}}}],'tool_choice':{'type':'any'}," HI_OUT,
         NULL},
        {HEAD "'tools':[{'name':'f','input_examples':[{}],'flavour':1}],'tool_choice':{'type':'none'}," HI,
         HEAD "'tools':[{'name':'f','input_schema':{'type':'object','properties':{}}}],"
              "'tool_choice':{'type':'none'}," HI_OUT,
         "tools[].input_examples tools[].flavour"},
        {HEAD "'tools':[{'name':'f'}],'tool_choice':{'type':'auto','disable_parallel_tool_use':false}," HI,
         HEAD "'tools':[{'name':'f','input_schema':{'type':'object','properties':{}}}],"
              "'tool_choice':{'type':'auto'}," HI_OUT,
         NULL},
    };

    (void)state;
    check_pairs(pairs, ARRAY_LENGTH(pairs));
}

#define TURNS(list) HEAD "'messages':[" list "]}"
#define SAID_HI "{'role':'user','content':[{'type':'text','text':'hi'}]}"

static void request__keeps_the_instructions(void **state)
{
    static const struct pair pairs[] = {
        {HEAD "'system':'be brief'," HI, HEAD "'system':[{'type':'text','text':'be brief'}]," HI_OUT, NULL},
        {HEAD "'system':''," HI, HEAD HI_OUT, NULL},
        {HEAD "'system':[{'type':'text','text':'a','cache_control':{'type':'ephemeral'}},"
              "{'type':'text','text':'b','citations':[]}]," HI,
         HEAD "'system':[{'type':'text','text':'a','cache_control':{'type':'ephemeral'}},"
              "{'type':'text','text':'b'}]," HI_OUT,
         NULL},
        /* Claude Code says first who asks; elsewhere in the text the same words are the app's own. */
        {HEAD "'system':[{'type':'text','text':'x-anthropic-billing-header: cc_version=2.1.329.abc;'},"
              "{'type':'text','text':'You are'},{'type':'text','text':'x-anthropic-billing-header: mine'}]," HI,
         HEAD "'system':[{'type':'text','text':'You are'},"
              "{'type':'text','text':'x-anthropic-billing-header: mine'}]," HI_OUT,
         NULL},
        {HEAD "'system':'x-anthropic-billing-header: cc_version=2;\\nYou\\nare'," HI,
         HEAD "'system':[{'type':'text','text':'You\\nare'}]," HI_OUT, NULL},
        {HEAD "'system':'x-anthropic-billing-header: cc_version=2;\\n'," HI, HEAD HI_OUT, NULL},
        {TURNS("{'role':'user','content':'hi'},{'role':'system','content':'now be brief'},"
               "{'role':'user','content':'ho'}"),
         TURNS(SAID_HI ",{'role':'system','content':[{'type':'text','text':'now be brief'}]},"
                       "{'role':'user','content':[{'type':'text','text':'ho'}]}"),
         NULL},
    };

    (void)state;
    check_pairs(pairs, ARRAY_LENGTH(pairs));
}

static void request__keeps_calls_and_results(void **state)
{
    static const struct pair pairs[] = {
        {TURNS("{'role':'user','content':'hi'},{'role':'assistant','content':[{'type':'thinking','thinking':'t',"
               "'signature':'s'},{'type':'redacted_thinking','data':'r'},{'type':'text','text':'wait'},"
               "{'type':'tool_use','id':'toolu_1','name':'f','input':{ 'a' : 1.50 },'caller':{'type':'direct'}},"
               "{'type':'tool_use','id':'toolu_2','name':'g','input':{}}]},"
               "{'role':'user','content':[{'type':'text','text':'go on'},"
               "{'type':'tool_result','tool_use_id':'toolu_1','content':'42'},"
               "{'type':'tool_result','tool_use_id':'toolu_2','is_error':true,'content':[{'type':'text','text':'no'},"
               "{'type':'image','source':{'type':'base64','media_type':'image/png','data':'AAAA'}}],"
               "'cache_control':{'type':'ephemeral','ttl':'5m'}},"
               "{'type':'tool_result','tool_use_id':'toolu_3'}]}"),
         TURNS(SAID_HI ",{'role':'assistant','content':[{'type':'text','text':'wait'},"
                       "{'type':'tool_use','id':'toolu_1','name':'f','input':{ 'a' : 1.50 }},"
                       "{'type':'tool_use','id':'toolu_2','name':'g','input':{}}]},"
                       "{'role':'user','content':[{'type':'tool_result','tool_use_id':'toolu_1','content':'42'},"
                       "{'type':'tool_result','tool_use_id':'toolu_2','content':[{'type':'text','text':'no'},"
                       "{'type':'image','source':{'type':'base64','media_type':'image/png','data':'AAAA'}}],"
                       "'is_error':true,'cache_control':{'type':'ephemeral'}},"
                       "{'type':'tool_result','tool_use_id':'toolu_3'},{'type':'text','text':'go on'}]}"),
         NULL},
        /* Neighbours of one role are one turn. */
        {TURNS("{'role':'user','content':'a'},{'role':'user','content':[{'type':'text','text':'b'}]}"),
         TURNS("{'role':'user','content':[{'type':'text','text':'a'},{'type':'text','text':'b'}]}"), NULL},
        {TURNS("{'role':'user','content':'hi'},{'role':'assistant','content':''},{'role':'user','content':[]}"),
         TURNS(SAID_HI), NULL},
    };

    (void)state;
    check_pairs(pairs, ARRAY_LENGTH(pairs));
}

static void request__names_the_tool_of_a_result(void **state)
{
    struct rig rig;

    (void)state;
    read_into(&rig,
              TURNS("{'role':'assistant','content':[{'type':'tool_use','id':'t1','name':'f','input':{}}]},"
                    "{'role':'user','content':[{'type':'tool_result','tool_use_id':'t1'},"
                    "{'type':'tool_result','tool_use_id':'t2'}]}"),
              false);
    const struct chat_part *result = rig.chat.turns->next->parts;
    rig_same(result->name, "'f'");
    assert_int_equal(result->next->name.len, 0);
    rig_end(&rig);
}

#define USER(blocks) TURNS("{'role':'user','content':[" blocks "]}")

static void request__keeps_media(void **state)
{
    static const struct pair pairs[] = {
        {USER("{'type':'image','source':{'type':'url','url':'https:\\/\\/example.com\\/a.png'},"
              "'cache_control':{'type':'ephemeral','ttl':'1h'}}"),
         USER("{'type':'image','source':{'type':'url','url':'https:\\/\\/example.com\\/a.png'},"
              "'cache_control':{'type':'ephemeral','ttl':'1h'}}"),
         NULL},
        {USER("{'type':'image','source':{'type':'base64','media_type':'image\\/png','data':'A\\/=='}}"),
         USER("{'type':'image','source':{'type':'base64','media_type':'image/png','data':'A\\/=='}}"), NULL},
        {USER("{'type':'image','source':{'type':'url','url':'data:image/gif;base64,R0'},'transformations':{}}"),
         USER("{'type':'image','source':{'type':'base64','media_type':'image/gif','data':'R0'}}"),
         "messages[].content[].transformations"},
        {USER("{'type':'document','title':'a.pdf','context':'c','citations':{'enabled':true},"
              "'source':{'type':'base64','media_type':'application/pdf','data':'JVBE'}}"),
         USER("{'type':'document','source':{'type':'base64','media_type':'application/pdf','data':'JVBE'},"
              "'title':'a.pdf'}"),
         "messages[].content[].context messages[].content[].citations"},
        {USER("{'type':'document','source':{'type':'url','url':'https://example.com/a.pdf'}}"),
         USER("{'type':'document','source':{'type':'url','url':'https://example.com/a.pdf'}}"), NULL},
        {USER("{'type':'document','citations':{'enabled':false},'title':'t',"
              "'source':{'type':'text','media_type':'text/plain','data':'body'}}"),
         USER("{'type':'text','text':'body'}"), "messages[].content[].title"},
        {USER("{'type':'document','source':{'type':'content','content':[{'type':'text','text':'a'},"
              "{'type':'image','source':{'type':'base64','media_type':'image/webp','data':'UklG'}}]},"
              "'cache_control':{'type':'ephemeral'}},"
              "{'type':'document','source':{'type':'content','content':'b'}}"),
         USER("{'type':'text','text':'a'},{'type':'image','source':{'type':'base64','media_type':'image/webp',"
              "'data':'UklG'},'cache_control':{'type':'ephemeral'}},{'type':'text','text':'b'}"),
         NULL},
        {USER("{'type':'search_result','source':'https://example.com','title':'T','content':["
              "{'type':'text','text':'a'},{'type':'text','text':'b'}],'citations':{'enabled':true}}"),
         USER("{'type':'text','text':'T\\nhttps://example.com\\na\\nb'}"),
         "messages[].content[].search_result=changed"},
    };

    (void)state;
    check_pairs(pairs, ARRAY_LENGTH(pairs));
}

static void request__names_what_is_lost(void **state)
{
    static const struct pair pairs[] = {
        {HEAD "'speed':'fast','fallbacks':'default','diagnostics':{},'made_up':1,'fallback_credit_token':'c',"
              "'metadata':{'user_id':'u','more':1}," HI,
         HEAD "'metadata':{'user_id':'u'}," HI_OUT, "fallbacks diagnostics made_up metadata.more speed"},
        {TURNS("{'role':'user','content':'hi','name':'n'},{'role':'assistant','content':["
               "{'type':'server_tool_use','id':'s','name':'web_search','input':{}},"
               "{'type':'web_search_tool_result','tool_use_id':'s','content':[]},"
               "{'type':'mcp_tool_use'},{'type':'compaction','content':'c'},{'type':'A b\\n'},{'type':'text',"
               "'text':'found','citations':[{}]}]},{'role':'user','content':'ho'}"),
         TURNS(SAID_HI ",{'role':'assistant','content':[{'type':'text','text':'found'}]},"
                       "{'role':'user','content':[{'type':'text','text':'ho'}]}"),
         "messages[].name messages[].content[].server_tool_use messages[].content[].web_search_tool_result "
         "messages[].content[].mcp_tool_use messages[].content[].compaction messages[].content[].??b?n"},
        /* Claude Code's own: thinking is left out anyway. */
        {HEAD "'context_management':{'edits':[{'type':'clear_thinking_20251015','keep':'all'}]}," HI, HEAD HI_OUT,
         NULL},
    };

    (void)state;
    check_pairs(pairs, ARRAY_LENGTH(pairs));
}

static void request__refuses_what_cannot_be_told(void **state)
{
    static const struct {
        const char *in;
        const char *param;
    } cases[] = {
        {"{'model':'m','max_tokens':0," HI, "max_tokens"},
        {HEAD "'container':'c'," HI, "container"},
        {HEAD "'inference_geo':'us'," HI, "inference_geo"},
        {HEAD "'mcp_servers':[{'type':'url'}]," HI, "mcp_servers"},
        {HEAD "'context_management':{'edits':[{'type':'clear_tool_uses_20250919'}]}," HI, "context_management"},
        {HEAD "'tools':[{'type':'web_search_20260318','name':'web_search','max_uses':3}]," HI, "tools[].type"},
        {HEAD "'tools':[{'description':'d'}]," HI, "tools[].name"},
        {HEAD "'tools':[{'name':'f','defer_loading':true}]," HI, "tools[].defer_loading"},
        {HEAD "'tools':[{'name':'f','allowed_callers':['direct','code_execution_20260521']}]," HI,
         "tools[].allowed_callers"},
        {HEAD "'tool_choice':{'type':'tool'}," HI, "tool_choice"},
        {HEAD "'tool_choice':'auto'," HI, "tool_choice"},
        {HEAD "'output_format':{'type':'xml'}," HI, "output_config.format"},
        {HEAD "'system':[{'type':'image'}]," HI, "system[].type"},
        {TURNS("{'role':'tool','content':'x'}"), "messages[].role"},
        {USER("{'type':'image','source':{'type':'file','file_id':'file_1'}}"), "messages[].content[].source.file_id"},
        {USER("{'type':'document','source':{'type':'file','file_id':'file_1'}}"),
         "messages[].content[].source.file_id"},
        {USER("{'type':'image','source':{'type':'url','url':'file:///etc/passwd'}}"), "messages[].content[].source"},
        {USER("{'type':'image','source':{'type':'base64','media_type':'image/\\u0022','data':'A'}}"),
         "messages[].content[].source"},
        {USER("{'type':'container_upload','file_id':'f'},{'type':'text','text':'a'}"),
         "messages[].content[].container_upload"},
        {USER("{'type':'tool_use','id':'a','name':'b','input':{}}"), "messages[].content[].type"},
        {TURNS("{'role':'assistant','content':[{'type':'image'}]}"), "messages[].content[].type"},
        {TURNS("{'role':'assistant','content':[{'type':'tool_use','id':'a','name':'b','input':'{}'}]}"),
         "messages[].content[].tool_use"},
        {USER("{'type':'tool_result','content':'x'}"), "messages[].content[].tool_use_id"},
        /* The last message: the answer would be to something else. */
        {TURNS("{'role':'user','content':'hi'},{'role':'assistant','content':[{'type':'server_tool_use'}]}"),
         "messages[].content[].server_tool_use"},
        {USER("{'type':'tool_result','tool_use_id':'t','content':[{'type':'tool_reference'}]}"),
         "messages[].content[].tool_reference"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct rig rig;

        read_into(&rig, cases[i].in, false);
        if (rig.chat.refused.param == NULL || strcmp(rig.chat.refused.param, cases[i].param) != 0) {
            fail_msg("%s\n  refused for %s", cases[i].in, rig.chat.refused.param);
        }
        rig_end(&rig);
    }
}

static void request__refuses_any_loss_under_strict(void **state)
{
    struct rig rig;

    (void)state;
    read_into(&rig, HEAD "'speed':'fast'," HI, true);
    assert_string_equal(rig.chat.refused.param, "speed");
    rig_end(&rig);
}

/* A choice among some tools, which only other grammars can say. */
static void request__offers_only_the_tools_of_the_choice(void **state)
{
    struct rig rig;

    (void)state;
    read_into(&rig, HEAD "'tools':[{'name':'f'},{'name':'g'},{'name':'h'}],'tool_choice':{'type':'any'}," HI, false);
    chat_add_word(&rig.chat, &rig.chat.choice_of, SPAN_OF("\"h\""));
    chat_add_word(&rig.chat, &rig.chat.choice_of, SPAN_OF("\"f\""));
    rig_same(written(&rig), HEAD "'tools':[{'name':'f','input_schema':{'type':'object','properties':{}}},"
                                 "{'name':'h','input_schema':{'type':'object','properties':{}}}],"
                                 "'tool_choice':{'type':'any'}," HI_OUT);
    rig_end(&rig);
}

/* ---- values of any type in any place ---- */

static void survive(struct span document, void *context)
{
    size_t *written_out = context;
    struct rig rig;

    rig_begin(&rig, false);
    if (rig_accepts(&rig, document)) {
        grammar->read_request(&rig.chat, json_walk_document(document));
        if (!chat_is_refused(&rig.chat)) {
            (void)written(&rig);
            ++*written_out;
        }
    }
    rig_end(&rig);
}

static void request__survives_any_type_in_any_place(void **state)
{
    static const char *const request =
        HEAD "'temperature':0.5,'stop_sequences':['a'],'metadata':{'user_id':'u'},'service_tier':'auto',"
             "'thinking':{'type':'enabled','budget_tokens':1024,'display':'omitted'},"
             "'output_config':{'effort':'low','format':{'type':'json_schema','schema':{'type':'object'}}},"
             "'context_management':{'edits':[{'type':'clear_thinking_1'}]},'mcp_servers':[],"
             "'tools':[{'name':'f','description':'d','input_schema':{'type':'object'},'strict':true,"
             "'allowed_callers':['direct'],'cache_control':{'type':'ephemeral','ttl':'1h'}}],"
             "'tool_choice':{'type':'tool','name':'f','disable_parallel_tool_use':true},"
             "'system':[{'type':'text','text':'s','cache_control':{'type':'ephemeral'}}],"
             "'messages':[{'role':'user','content':[{'type':'text','text':'a'},{'type':'image','source':"
             "{'type':'base64','media_type':'image/png','data':'AAAA'}},{'type':'document','title':'t','source':"
             "{'type':'url','url':'https://example.com/'}},{'type':'document','source':{'type':'content',"
             "'content':[{'type':'text','text':'b'}]}},{'type':'search_result','title':'t','source':'s',"
             "'content':[{'type':'text','text':'c'}]}]},{'role':'assistant','content':[{'type':'tool_use','id':'i',"
             "'name':'f','input':{'x':1}}]},{'role':'user','content':[{'type':'tool_result','tool_use_id':'i',"
             "'content':[{'type':'text','text':'r'}],'is_error':true}]},{'role':'system','content':'z'}]}";
    struct buf buf;
    size_t written_out = 0;

    (void)state;
    buf_init(&buf, 1 << 16);
    rig_each_mutation(rig_quote(&buf, request), survive, &written_out);
    assert_true(written_out > 500); /* most of it is taken for not said */
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request__keeps_the_params),
        cmocka_unit_test(request__keeps_how_much_is_thought),
        cmocka_unit_test(request__keeps_the_form_of_the_answer),
        cmocka_unit_test(request__keeps_the_tools),
        cmocka_unit_test(request__keeps_the_instructions),
        cmocka_unit_test(request__keeps_calls_and_results),
        cmocka_unit_test(request__names_the_tool_of_a_result),
        cmocka_unit_test(request__keeps_media),
        cmocka_unit_test(request__names_what_is_lost),
        cmocka_unit_test(request__refuses_what_cannot_be_told),
        cmocka_unit_test(request__refuses_any_loss_under_strict),
        cmocka_unit_test(request__offers_only_the_tools_of_the_choice),
        cmocka_unit_test(request__survives_any_type_in_any_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
