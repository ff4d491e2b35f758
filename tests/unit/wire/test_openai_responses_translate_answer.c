/* SPDX-License-Identifier: Apache-2.0 */
/* Whole answers of POST /responses, into the hub and out of it: what a provider answered as an app of
 * another dialect would get it (here: of /responses again), and what is no answer. */
#include "responses_rig.h"

#define HEAD(id, status) \
    "{'id':'" id "','object':'response','created_at':1700000000,'status':'" status "','background':false,'error':null,"
#define TAIL                                                                                                       \
    ",'instructions':null,'max_output_tokens':null,'max_tool_calls':null,'metadata':{},'parallel_tool_calls':true," \
    "'previous_response_id':null,'reasoning':{'effort':null,'summary':null},'service_tier':null,'store':false,"     \
    "'temperature':null,'text':{'format':{'type':'text'}},'tool_choice':'auto','top_logprobs':0,'top_p':null,"      \
    "'truncation':'disabled','user':null,'tools':[{'type':'function', 'name':'f'}],'usage':"
#define NO_USAGE                                                                                             \
    "{'input_tokens':7,'input_tokens_details':{'cached_tokens':0,'cache_write_tokens':0},'output_tokens':0," \
    "'output_tokens_details':{'reasoning_tokens':0},'total_tokens':7}}"
#define ITEM(prefix, index) "{'id':'" prefix "_0123456789abcdef_" index "',"

struct golden {
    const char *in;
    const char *out;
    enum chat_finish finish;
    bool shows_thinking;
};

static const struct golden goldens[] = {
    {"{'id':'resp_lab1','model':'lab-model','status':'completed','output':[{'type':'message','id':'msg_1',"
     "'content':[{'type':'output_text','text':'Hello '},{'type':'output_text','text':'you\\u0021'}]}]}",
     HEAD("resp_lab1", "completed") "'incomplete_details':null,'model':'lab-model','output':["
     ITEM("msg", "0") "'type':'message','status':'completed','role':'assistant','content':[{'type':'output_text',"
     "'text':'Hello you\\u0021','annotations':[],'logprobs':[]}]}]" TAIL NO_USAGE,
     CHAT_FINISH_STOP, true},
    /* Parts in order, two calls; reasoning that is not wanted. */
    {"{'id':'r','model':null,'output':[{'type':'reasoning','summary':[{'type':'summary_text','text':'hm'}]},"
     "{'type':'message','content':[{'type':'output_text','text':'a'}]},"
     "{'type':'function_call','id':'fc_1','call_id':'call_1','name':'f','arguments':'{ \\'x\\':1.0}'},"
     "{'type':'function_call','id':'fc_2','name':'g','arguments':''}]}",
     HEAD("resp_r", "completed") "'incomplete_details':null,'model':'smart','output':["
     ITEM("msg", "0") "'type':'message','status':'completed','role':'assistant','content':[{'type':'output_text',"
     "'text':'a','annotations':[],'logprobs':[]}]},"
     ITEM("fc", "1") "'type':'function_call','status':'completed','call_id':'call_1','name':'f',"
     "'arguments':'{ \\'x\\':1.0}'},"
     ITEM("fc", "2") "'type':'function_call','status':'completed','call_id':'fc_2','name':'g','arguments':'{}'}]"
     TAIL NO_USAGE,
     CHAT_FINISH_CALLS, false},
    /* Reasoning that is; cut in the middle of the text. */
    {"{'id':'not plain','status':'incomplete','incomplete_details':{'reason':'max_output_tokens'},'output':["
     "{'type':'reasoning','summary':[{'type':'summary_text','text':'one'},{'type':'summary_text','text':''},"
     "{'type':'summary_text','text':'two'}]},{'type':'reasoning','content':[{'type':'reasoning_text',"
     "'text':'three'}]},{'type':'message','content':[{'type':'output_text','text':'cu'}]}]}",
     HEAD("resp_0123456789abcdef", "incomplete") "'incomplete_details':{'reason':'max_output_tokens'},"
     "'model':'smart','output':["
     ITEM("rs", "0") "'type':'reasoning','status':'completed','summary':[{'type':'summary_text',"
     "'text':'one\\n\\ntwo\\n\\nthree'}]},"
     ITEM("msg", "1") "'type':'message','status':'incomplete','role':'assistant','content':[{'type':'output_text',"
     "'text':'cu','annotations':[],'logprobs':[]}]}]" TAIL NO_USAGE,
     CHAT_FINISH_LENGTH, true},
    {"{'output':[{'type':'message','content':[{'type':'refusal','refusal':'I will not.'}]}]}",
     HEAD("resp_0123456789abcdef", "incomplete") "'incomplete_details':{'reason':'content_filter'},"
     "'model':'smart','output':["
     ITEM("msg", "0") "'type':'message','status':'incomplete','role':'assistant','content':[{'type':'refusal',"
     "'refusal':'I will not.'}]}]" TAIL NO_USAGE,
     CHAT_FINISH_FILTERED, false},
    {"{'output':[],'status':'incomplete','incomplete_details':{'reason':'steered'}}",
     HEAD("resp_0123456789abcdef", "completed") "'incomplete_details':null,'model':'smart','output':[]" TAIL NO_USAGE,
     CHAT_FINISH_UNKNOWN, false},
    {"{'output':[],'status':'incomplete','incomplete_details':{'reason':'content_filter'}}",
     HEAD("resp_0123456789abcdef", "incomplete")
     "'incomplete_details':{'reason':'content_filter'},'model':'smart','output':[]" TAIL NO_USAGE,
     CHAT_FINISH_FILTERED, false},
};

static bool read_answer(struct rig *rig, struct chat_answer *answer)
{
    *answer = (struct chat_answer){.arena = &rig->arena};
    usage_init(&answer->usage);
    assert_true(rig_is_json(rig, buf_span(&rig->in)));
    return rig_translator()->read_answer(&rig->chat, answer, buf_span(&rig->in));
}

static void write_answer(struct rig *rig, const struct chat_answer *answer, bool shows_thinking)
{
    struct chat_terms terms = rig_terms(shows_thinking);
    struct json_out json;

    buf_clear(&rig->out);
    json_out_init(&json, &rig->out);
    rig_translator()->write_answer(answer, &terms, &json);
    if (!rig->out.failed && !rig_is_json(rig, buf_span(&rig->out))) {
        fail_msg("no JSON: %.*s", SPAN_ARGS(buf_span(&rig->out)));
    }
}

static void responses__answers_are_told_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(goldens); i++) {
        struct rig rig;
        struct chat_answer answer;

        rig_begin(&rig, goldens[i].in, RIG_ARENA, false);
        assert_true(read_answer(&rig, &answer));
        assert_int_equal(answer.finish, goldens[i].finish);
        write_answer(&rig, &answer, goldens[i].shows_thinking);
        rig_assert_text(buf_span(&rig.out), goldens[i].out);
        rig_end(&rig);
    }
}

static void responses__usage_is_told_whole(void **state)
{
    struct rig rig;
    struct chat_answer answer;

    (void)state;
    rig_begin(&rig, "{'output':[]}", RIG_ARENA, false);
    assert_true(read_answer(&rig, &answer));
    answer.usage.tokens[TOKENS_INPUT] = 10;
    answer.usage.tokens[TOKENS_CACHE_READ] = 900;
    answer.usage.tokens[TOKENS_CACHE_WRITE_5M] = 50;
    answer.usage.tokens[TOKENS_OUTPUT] = 40;
    answer.usage.reasoning = 25;
    write_answer(&rig, &answer, false);
    /* The example of translation.md 11. */
    assert_non_null(span_find(buf_span(&rig.out),
                              SPAN_OF("\"usage\":{\"input_tokens\":960,\"input_tokens_details\":{\"cached_tokens\":900,"
                                      "\"cache_write_tokens\":50},\"output_tokens\":40,\"output_tokens_details\":"
                                      "{\"reasoning_tokens\":25},\"total_tokens\":1000}}")));
    rig_end(&rig);
}

static void responses__what_is_no_answer_is_not_taken_for_one(void **state)
{
    static const char *const bodies[] = {
        "{'status':'failed','error':{'code':'server_error','message':'m'},'output':[]}",
        "{'status':'in_progress','output':[]}",
        "{'status':'queued','output':[]}",
        "{'status':'cancelled','output':[]}",
        "{'status':'completed'}",
        "{'output':'x'}",
        "{'output':{}}",
        "[]",
        "{}",
        "'x'",
        "{'output':[{'type':'function_call','name':'f','arguments':'{}'}]}",
        "{'output':[{'type':'function_call','call_id':'c','arguments':'{}'}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct rig rig;
        struct chat_answer answer;

        rig_begin(&rig, bodies[i], RIG_ARENA, false);
        if (read_answer(&rig, &answer)) {
            fail_msg("%s", bodies[i]);
        }
        rig_end(&rig);
    }
}

/* A text whose parts stand apart from others by a call; and arguments that were no object. */
static void responses__calls_part_the_text(void **state)
{
    struct rig rig;
    struct chat_answer answer;

    (void)state;
    rig_begin(&rig,
              "{'output':[{'type':'message','content':[{'type':'output_text','text':'a'}]},"
              "{'type':'function_call','call_id':'c','name':'f','arguments':'[1]'},"
              "{'type':'message','content':[{'type':'output_text','text':'b'}]}]}",
              RIG_ARENA, false);
    assert_true(read_answer(&rig, &answer));
    rig_assert_text(answer.turn.parts->next->input, "{'arguments':'[1]'}");
    write_answer(&rig, &answer, false);
    assert_non_null(span_find(buf_span(&rig.out), SPAN_OF("msg_0123456789abcdef_0")));
    assert_non_null(span_find(buf_span(&rig.out), SPAN_OF("fc_0123456789abcdef_1")));
    assert_non_null(span_find(buf_span(&rig.out), SPAN_OF("msg_0123456789abcdef_2")));
    rig_end(&rig);
}

static void responses__any_type_may_stand_anywhere_in_an_answer(void **state)
{
    static const char *const values[] = {"null", "true", "0", "''", "'x'", "[]", "{}", "[[]]", "[null]", "{'type':1}",
                                         "[{'type':'output_text','text':[]}]", "[{'type':'summary_text','text':0}]"};
    static const char *const places[] = {
        "{'id':%,'model':%,'output':[]}",
        "{'output':[%]}",
        "{'output':[],'status':%}",
        "{'output':[],'status':'incomplete','incomplete_details':%}",
        "{'output':[],'status':'incomplete','incomplete_details':{'reason':%}}",
        "{'output':[{'type':'message','content':%}]}",
        "{'output':[{'type':'message','content':[{'type':'output_text','text':%},{'type':'refusal','refusal':%}]}]}",
        "{'output':[{'type':'reasoning','summary':%,'content':%}]}",
        "{'output':[{'type':'function_call','call_id':%,'name':'f','arguments':%}]}",
        "{'output':[{'type':'function_call','call_id':'c','name':%}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(places) * ARRAY_LENGTH(values); i++) {
        struct rig rig;
        struct chat_answer answer;
        struct buf text;

        buf_init(&text, RIG_TEXT);
        for (const char *at = places[i / ARRAY_LENGTH(values)]; *at != '\0'; at++) {
            buf_put(&text, *at == '%' ? span_of(values[i % ARRAY_LENGTH(values)]) : span_make(at, 1));
        }
        buf_put_char(&text, '\0');
        rig_begin(&rig, text.at, RIG_ARENA, false);
        if (read_answer(&rig, &answer)) {
            write_answer(&rig, &answer, true);
            assert_false(rig.out.failed);
        }
        buf_fini(&text);
        rig_end(&rig);
    }
}

static void responses__an_answer_without_memory_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(goldens); i++) {
        for (size_t max = 0; max < 4096; max += 16) {
            struct rig rig;
            struct chat_answer answer;

            rig_begin(&rig, goldens[i].in, max, false);
            if (read_answer(&rig, &answer)) {
                write_answer(&rig, &answer, true);
            }
            rig_end(&rig);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses__answers_are_told_again),
        cmocka_unit_test(responses__usage_is_told_whole),
        cmocka_unit_test(responses__what_is_no_answer_is_not_taken_for_one),
        cmocka_unit_test(responses__calls_part_the_text),
        cmocka_unit_test(responses__any_type_may_stand_anywhere_in_an_answer),
        cmocka_unit_test(responses__an_answer_without_memory_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
