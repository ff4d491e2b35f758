/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of POST /responses, into the hub and out of it. What is written is compared with the streams in
 * tests/data/translate; each of them is also read again, cut at every byte, and tells what was written. */
#include "responses_rig.h"

#include "base/mem.h"
#include "tests/lib/bytes.h"
#include "wire/json_value.h"
#include "wire/json_walk.h"

#define TEXT(words) {.kind = CHAT_EVENT_TEXT, .text = SPAN(words)}
#define REASON(words) {.kind = CHAT_EVENT_REASON, .text = SPAN(words)}
#define REFUSAL(words) {.kind = CHAT_EVENT_REFUSAL, .text = SPAN(words)}
#define CALL(n, string, function) \
    {.kind = CHAT_EVENT_CALL, .call = n, .id = SPAN("\"" string "\""), .name = SPAN("\"" function "\"")}
#define ARGUMENTS(n, words) {.kind = CHAT_EVENT_ARGUMENTS, .call = n, .text = SPAN(words)}
#define CALL_END(n) {.kind = CHAT_EVENT_CALL_END, .call = n}
#define FINISH(why) {.kind = CHAT_EVENT_FINISH, .finish = CHAT_FINISH_##why}
#define START {.kind = CHAT_EVENT_START, .id = SPAN("\"msg_1\""), .name = SPAN("\"claude\"")}
#define END {.kind = CHAT_EVENT_END}

enum { EVENTS_MAX = 16 };

struct story {
    const char *file; /* what an app gets */
    const char *told; /* and what is read from that again */
    bool shows_thinking;
    struct chat_event events[EVENTS_MAX]; /* ends in END */
};

static const struct story stories[] = {
    {"translate/responses-text.sse",
     "start 'resp_msg_1' 'claude'\ntext Hel\ntext lo \\u00e9\nfinish 1\nend\n",
     true,
     {START, TEXT("Hel"), TEXT(""), TEXT("lo \\u00e9"), FINISH(STOP), END}},
    {"translate/responses-calls.sse",
     "start 'resp_msg_1' 'claude'\ntext Look:\ncall 0 'call_a' 'f'\narguments 0 {\\'x\ncall 1 'call_b' 'g'\n"
     "arguments 1 {}\narguments 0 \\':1}\ncall_end 0\ncall_end 1\ntext Done.\nfinish 5\nend\n",
     true,
     {START, TEXT("Look:"), CALL(0, "call_a", "f"), ARGUMENTS(0, "{\\\"x"), CALL(1, "call_b", "g"),
      ARGUMENTS(1, "{}"), ARGUMENTS(0, "\\\":1}"), CALL_END(1), CALL_END(0), TEXT("Done."), FINISH(STOP), END}},
    {"translate/responses-reasoning.sse",
     "start 'resp_msg_1' 'claude'\nreason First\nreason , then\ntext So.\nfinish 1\nend\n",
     true,
     {START, REASON("First"), REASON(", then"), TEXT("So."), FINISH(STOP), END}},
    {"translate/responses-quiet.sse",
     "start 'resp_msg_1' 'claude'\ntext So.\nfinish 1\nend\n",
     false,
     {START, REASON("First"), TEXT("So."), FINISH(STOP), END}},
    {"translate/responses-refusal.sse",
     "start 'resp_msg_1' 'claude'\ntext Well\nrefusal I will not.\nfinish 6\nend\n",
     false,
     {START, TEXT("Well"), REFUSAL("I will not."), FINISH(FILTERED), END}},
    {"translate/responses-cut.sse",
     "start 'resp_msg_1' 'claude'\ncall 0 'call_a' 'f'\narguments 0 {\\'x\ncall_end 0\nfinish 3\nend\n",
     false,
     {START, CALL(0, "call_a", "f"), ARGUMENTS(0, "{\\\"x"), CALL_END(0), FINISH(LENGTH), END}},
    {"translate/responses-empty.sse",
     "start 'resp_0123456789abcdef' 'smart'\nfinish 1\nend\n",
     false,
     {FINISH(STOP), END}},
};

/* The figures of the provider come before its end. */
static void tell_story(struct rig_pipe *rig, const struct story *story)
{
    const struct chat_event *event = story->events;

    rig->pipe.usage.tokens[TOKENS_INPUT] = 9;
    rig->pipe.usage.tokens[TOKENS_OUTPUT] = 5;
    do {
        chat_tell(&rig->pipe, event);
    } while (event++->kind != CHAT_EVENT_END);
    assert_true(rig->pipe.has_ended);
    assert_false(rig->out.failed);
}

static void responses__streams_are_written_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(stories); i++) {
        struct rig_pipe rig;
        struct buf golden = data_read(stories[i].file);

        rig_pipe_begin(&rig, rig_translator(), stories[i].shows_thinking);
        tell_story(&rig, &stories[i]);
        if (!span_equal(buf_span(&rig.out), buf_span(&golden))) {
            fail_msg("%s: it is\n%.*s", stories[i].file, SPAN_ARGS(buf_span(&rig.out)));
        }
        buf_fini(&golden);
        rig_pipe_end(&rig);
    }
}

/* Each event is one line of JSON with its own name and the next number, and the meter that the relay uses
 * finds the same figures. */
static void responses__events_are_numbered_and_metered(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(stories); i++) {
        struct buf golden = data_read(stories[i].file);
        struct span rest = buf_span(&golden);
        struct stream stream;
        struct walk walk = walk_file(stories[i].file, operation_named(&dialect_openai, "responses"), false, &stream);
        struct sse sse;
        struct sse_event event;
        int64_t next = 0;
        int64_t number = -1;

        assert_int_equal(walk.errors, 0);
        assert_true(walk.is_terminal_last);
        assert_int_equal(walk.usage.tokens[TOKENS_INPUT], 9);
        assert_int_equal(walk.usage.tokens[TOKENS_OUTPUT], 5);
        sse_init(&sse, RIG_TEXT, RIG_TEXT);
        for (; sse_feed(&sse, &rest, &event) == SSE_EVENT; next++) {
            struct span value = json_walk_find(event.data, "sequence_number");

            assert_int_equal(json_integer(value, &number), ERR_NONE);
            assert_int_equal(number, next);
            value = json_walk_find(event.data, "type");
            assert_true(span_equal(chat_inside(value), event.name));
        }
        assert_int_equal(next, walk.events);
        sse_fini(&sse);
        buf_fini(&golden);
    }
}

static void trace(const struct bytes_split *split, struct buf *text, void *context)
{
    struct rig_pipe rig;
    struct sse sse;

    (void)context;
    sse_init(&sse, RIG_TEXT, RIG_TEXT);
    rig_pipe_begin(&rig, &rig_noting, false);
    for (size_t i = 0; i < split->count; i++) {
        rig_feed_sse(&rig, &sse, bytes_piece(split, i));
    }
    rig_translator()->read_end(rig.reader, &rig.pipe);
    buf_put(text, buf_span(&rig.out));
    sse_fini(&sse);
    rig_pipe_end(&rig);
}

static void assert_read(const char *file, const char *told)
{
    struct buf golden = data_read(file);
    struct buf seen;

    buf_init(&seen, RIG_TEXT);
    bytes_same_for_each_split(buf_span(&golden), trace, NULL, &seen);
    rig_assert_text(buf_span(&seen), told);
    buf_fini(&seen);
    buf_fini(&golden);
}

static void responses__streams_are_read_as_they_were_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(stories); i++) {
        assert_read(stories[i].file, stories[i].told);
    }
    assert_read("upstream/openai-responses.sse",
                "start 'resp_lab1' 'lab-model'\ntext Hello \ntext world\nfinish 1\nend\n");
    assert_read("upstream/openai-responses-failed.sse", "start 'resp_lab1' 'lab-model'\ntext Hello \n");
}

/* ---- providers that tell it another way ---- */

#define CREATED "{'type':'response.created','response':{'id':'r','model':'m'}}\n"

static const struct {
    const char *events; /* a line each */
    const char *told;
    bool has_failed;
} variants[] = {
    /* Nothing but the end. */
    {"{'type':'response.completed','response':{'id':'r','model':'m','status':'completed','output':[{'type':'reasoning',"
     "'summary':[{'type':'summary_text','text':'hm'}]},{'type':'message','content':[{'type':'output_text','text':'a'},"
     "{'type':'refusal','refusal':'b'}]},{'type':'function_call','call_id':'c','name':'f','arguments':'{}'}]}}",
     "start 'r' 'm'\nreason hm\ntext a\nrefusal b\ncall 0 'c' 'f'\narguments 0 {}\ncall_end 0\nfinish 6\nend\n",
     false},
    /* Items without deltas; arguments that only the last of three events has; none at all. */
    {CREATED "{'type':'response.output_item.done','output_index':0,'item':{'type':'message','content':["
             "{'type':'output_text','text':'a'}]}}\n"
             "{'type':'response.output_item.added','output_index':1,'item':{'type':'function_call','call_id':'c',"
             "'name':'f','arguments':''}}\n"
             "{'type':'response.function_call_arguments.done','output_index':1,'arguments':'{\\'a\\':1}'}\n"
             "{'type':'response.output_item.done','output_index':1,'item':{'type':'function_call','call_id':'c',"
             "'name':'f','arguments':'{\\'a\\':1}'}}\n"
             "{'type':'response.output_item.done','output_index':2,'item':{'type':'function_call','id':'d',"
             "'name':'g'}}\n"
             "{'type':'response.completed','response':{'status':'completed','output':[{'type':'message','content':["
             "{'type':'output_text','text':'a'}]}]}}",
     "start 'r' 'm'\ntext a\ncall 0 'c' 'f'\narguments 0 {\\'a\\':1}\ncall_end 0\n"
     "call 1 'd' 'g'\narguments 1 {}\ncall_end 1\nfinish 5\nend\n",
     false},
    /* Without indices, and a call that nobody closed. */
    {CREATED "{'type':'response.output_text.delta','delta':'a'}\n"
             "{'type':'response.output_item.done','item':{'type':'message','content':["
             "{'type':'output_text','text':'a'}]}}\n"
             "{'type':'response.output_item.added','item':{'type':'function_call','call_id':'c','name':'f'}}\n"
             "{'type':'response.function_call_arguments.delta','delta':'{}'}\n"
             "{'type':'response.completed','response':{}}",
     "start 'r' 'm'\ntext a\ncall 0 'c' 'f'\narguments 0 {}\ncall_end 0\nfinish 5\nend\n",
     false},
    /* Two parts of a summary, and events that nobody knows. */
    {CREATED "{'type':'response.queued'}\n{'type':'response.reasoning_summary_part.added','summary_index':0}\n"
             "{'type':'response.reasoning_summary_text.delta','delta':'a'}\n"
             "{'type':'response.reasoning_summary_part.added','summary_index':1}\n"
             "{'type':'response.reasoning_summary_text.delta','delta':'b'}\n{'type':'response.invented','delta':'c'}\n"
             "{'type':'response.incomplete','response':{'status':'incomplete','incomplete_details':"
             "{'reason':'content_filter'}}}",
     "start 'r' 'm'\nreason a\nreason \\n\\n\nreason b\nfinish 6\nend\n",
     false},
    /* The second end does not count, nor what comes behind. */
    {"{'type':'response.completed','response':{'id':'r'}}\n{'type':'response.output_text.delta','delta':'a'}\n"
     "{'type':'response.completed','response':{'id':'r'}}",
     "start 'r'\nfinish 1\nend\n",
     false},
    {CREATED "{'type':'error','code':'x'}\n{'type':'response.completed','response':{}}", "start 'r' 'm'\n", true},
    {CREATED "{'type':'response.completed','response':{'status':'failed'}}", "start 'r' 'm'\n", true},
    {CREATED "{'type':'response.output_item.added','output_index':0,'item':{'type':'function_call','name':'f'}}",
     "start 'r' 'm'\n", true},
    {CREATED "{'type':'response.function_call_arguments.delta','output_index':3,'delta':'{'}", "start 'r' 'm'\n", false},
};

static void feed_lines(struct rig_pipe *rig, struct span text)
{
    while (text.at != NULL) {
        rig_feed(rig, span_cut(&text, '\n'));
    }
}

static struct buf quoted(const char *text)
{
    struct buf out;

    buf_init(&out, RIG_TEXT);
    for (; *text != '\0'; text++) {
        buf_put_char(&out, *text == '\'' ? '"' : *text);
    }
    return out;
}

static void responses__providers_may_tell_less(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(variants); i++) {
        struct rig_pipe rig;
        struct buf events = quoted(variants[i].events);
        struct buf told = quoted(variants[i].told);

        rig_pipe_begin(&rig, &rig_noting, false);
        feed_lines(&rig, buf_span(&events));
        if (!span_equal(buf_span(&rig.out), buf_span(&told))) {
            fail_msg("%zu: %.*s", i, SPAN_ARGS(buf_span(&rig.out)));
        }
        assert_int_equal(rig.pipe.has_failed, variants[i].has_failed);
        buf_fini(&events);
        buf_fini(&told);
        rig_pipe_end(&rig);
    }
}

static void responses__calls_without_end_fail(void **state)
{
    struct rig_pipe rig;
    struct buf line;

    (void)state;
    buf_init(&line, RIG_TEXT);
    rig_pipe_begin(&rig, &rig_noting, false);
    for (unsigned i = 0; i <= CHAT_CALLS_MAX; i++) {
        assert_false(rig.pipe.has_failed);
        buf_clear(&line);
        buf_put_format(&line,
                       "{\"type\":\"response.output_item.added\",\"output_index\":%u,\"item\":"
                       "{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\"}}",
                       i);
        rig_feed(&rig, buf_span(&line));
    }
    assert_true(rig.pipe.has_failed);
    rig_pipe_end(&rig);
    buf_fini(&line);
}

static void responses__any_type_may_stand_anywhere_in_a_stream(void **state)
{
    static const char *const values[] = {"null", "true", "0",  "-1",  "1e9", "99999999999", "''",
                                         "'x'",  "[]",   "{}", "[[]]", "[null]", "{'type':1}",
                                         "{'type':'message','content':{}}", "[{'type':'function_call'}]"};
    static const char *const places[] = {
        "{'type':%}",
        "%",
        "{'type':'response.created','response':%}",
        "{'type':'response.created','response':{'id':%,'model':%}}",
        "{'type':'response.output_item.added','output_index':%,'item':%}",
        "{'type':'response.output_item.added','item':{'type':'function_call','call_id':%,'name':'f'}}",
        "{'type':'response.output_item.added','item':{'type':'function_call','call_id':'c','name':%}}",
        "{'type':'response.output_item.done','output_index':%,'item':%}",
        "{'type':'response.output_item.done','item':{'type':'reasoning','summary':%}}",
        "{'type':'response.output_item.done','item':{'type':'message','content':%}}",
        "{'type':'response.output_item.done','item':{'type':'function_call','call_id':'c','name':'f','arguments':%}}",
        "{'type':'response.output_text.delta','output_index':%,'delta':%}",
        "{'type':'response.refusal.delta','delta':%}",
        "{'type':'response.reasoning_summary_text.delta','delta':%}",
        "{'type':'response.function_call_arguments.delta','output_index':%,'delta':%}",
        "{'type':'response.function_call_arguments.done','arguments':%}",
        "{'type':'response.completed','response':%}",
        "{'type':'response.completed','response':{'output':%,'status':%}}",
        "{'type':'response.incomplete','response':{'status':'incomplete','incomplete_details':%}}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(places) * ARRAY_LENGTH(values); i++) {
        struct rig_pipe rig;
        struct rig check;
        struct buf line;

        buf_init(&line, RIG_TEXT);
        for (const char *at = places[i / ARRAY_LENGTH(values)]; *at != '\0'; at++) {
            buf_put(&line, *at == '%' ? span_of(values[i % ARRAY_LENGTH(values)]) : span_make(at, 1));
        }
        buf_put_char(&line, '\0');
        rig_begin(&check, line.at, RIG_ARENA, false);
        rig_pipe_begin(&rig, rig_translator(), true);
        assert_true(rig_is_json(&check, buf_span(&check.in)));
        rig_feed(&rig, buf_span(&check.in));
        rig_feed(&rig, SPAN_OF("{\"type\":\"response.completed\",\"response\":{}}"));
        assert_true(rig.pipe.has_ended || rig.pipe.has_failed);
        assert_false(rig.out.failed);
        rig_pipe_end(&rig);
        rig_end(&check);
        buf_fini(&line);
    }
}

/* ---- a stream that breaks off ---- */

static void responses__a_broken_stream_is_told_of_as_it_began(void **state)
{
    static const struct chat_event start = START;
    static const struct chat_event text = TEXT("Hel");
    struct rig_pipe rig;
    struct stream stream = {0};

    (void)state;
    rig_pipe_begin(&rig, rig_translator(), true);
    rig_translator()->tell_stream(rig.pipe.writer, rig.pipe.terms, &stream);
    assert_true(span_equal(span_make(stream.id, stream.id_len), SPAN_OF("resp_0123456789abcdef")));
    assert_int_equal(stream.sequence, 0);
    chat_tell(&rig.pipe, &start);
    chat_tell(&rig.pipe, &text);
    rig_translator()->tell_stream(rig.pipe.writer, rig.pipe.terms, &stream);
    assert_true(span_equal(span_make(stream.id, stream.id_len), SPAN_OF("resp_msg_1")));
    assert_int_equal(stream.sequence, 5); /* created, in_progress, item, part, delta */
    rig_pipe_end(&rig);
}

/* ---- ceilings ---- */

static void responses__too_many_items_fail(void **state)
{
    struct rig_pipe rig;
    uint32_t items = 0;

    (void)state;
    rig_pipe_begin(&rig, rig_translator(), true);
    for (; !rig.out.failed && items < 100000; items++) {
        static const struct chat_event texts[] = {TEXT("a"), REASON("b")};

        chat_tell(&rig.pipe, &texts[items % 2]);
    }
    assert_int_equal(items, 513);
    rig_pipe_end(&rig);
}

static void responses__without_memory_a_stream_fails(void **state)
{
    size_t held = mem_held();

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(stories); i++) {
        bool has_failed = true;

        for (uint64_t nth = 1; has_failed; nth++) {
            struct rig_pipe rig;
            const struct chat_event *event = stories[i].events;

            rig_pipe_begin(&rig, rig_translator(), stories[i].shows_thinking);
            mem_fail_at(nth);
            do {
                chat_tell(&rig.pipe, event);
            } while (event++->kind != CHAT_EVENT_END);
            mem_fail_at(0);
            has_failed = rig.out.failed;
            rig_pipe_end(&rig);
            assert_int_equal(mem_held(), held);
            assert_true(nth < 1000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses__streams_are_written_whole),
        cmocka_unit_test(responses__events_are_numbered_and_metered),
        cmocka_unit_test(responses__streams_are_read_as_they_were_told),
        cmocka_unit_test(responses__providers_may_tell_less),
        cmocka_unit_test(responses__calls_without_end_fail),
        cmocka_unit_test(responses__any_type_may_stand_anywhere_in_a_stream),
        cmocka_unit_test(responses__a_broken_stream_is_told_of_as_it_began),
        cmocka_unit_test(responses__too_many_items_fail),
        cmocka_unit_test(responses__without_memory_a_stream_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
