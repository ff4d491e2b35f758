/* SPDX-License-Identifier: Apache-2.0 */
/* A whole answer told as a stream: read as the relay reads streams, it is whole, has its text once
 * and its usage; what cannot be told so is refused. */
#include "data.h"

#include <string.h>

static struct walk unfolded(const struct operation *operation, struct span body, struct buf *events)
{
    struct json_scan *scan = json_scan_new();
    struct stream stream;

    buf_init(events, (size_t)1 << 20);
    assert_true(operation->unfold(scan, body, events));
    stream_init(&stream, operation, false);
    struct walk walk = walk_stream(&stream, scan, buf_span(events));
    assert_true(stream.saw_finish);
    json_scan_free(scan);
    return walk;
}

static void unfold__tells_a_chat_completion_as_a_stream(void **state)
{
    const struct operation *operation = operation_named(&dialect_openai, "chat");
    struct buf body = data_read("upstream/openai-chat.json");
    struct buf events;
    struct walk walk = unfolded(operation, buf_span(&body), &events);

    (void)state;
    assert_int_equal(walk.contents, 1);
    assert_int_equal(walk.errors, 0);
    assert_true(walk.is_terminal_last);
    assert_true(walk.usage.tokens[TOKENS_OUTPUT] > 0);
    assert_non_null(span_find(buf_span(&events), SPAN_OF("data: [DONE]\n\n")));
    buf_fini(&events);
    buf_fini(&body);
}

static void unfold__tells_a_message_as_a_stream(void **state)
{
    const struct operation *operation = operation_named(&dialect_anthropic, "messages");
    struct buf body = data_read("upstream/anthropic-message.json");
    struct buf events;
    struct walk walk = unfolded(operation, buf_span(&body), &events);

    (void)state;
    assert_int_equal(walk.contents, 1);
    assert_int_equal(walk.errors, 0);
    assert_true(walk.is_terminal_last);
    assert_true(walk.usage.tokens[TOKENS_OUTPUT] > 0);
    buf_fini(&events);
    buf_fini(&body);
}

static void unfold__keeps_every_event_on_one_line(void **state)
{
    static const struct span body = SPAN(
        "{\r\n \"id\": \"a\",\n \"choices\": [\n  {\"message\": {\n   \"role\": \"assistant\",\n"
        "   \"content\": \"two\\nlines\"\n  },\n  \"finish_reason\": \"stop\"}\n ]\n}\n");
    struct buf events;
    struct walk walk = unfolded(operation_named(&dialect_openai, "chat"), body, &events);

    (void)state;
    assert_int_equal(walk.events, 3);
    assert_int_equal(walk.contents, 1);
    assert_non_null(span_find(buf_span(&events), SPAN_OF("two\\nlines")));
    buf_fini(&events);
}

static void unfold__refuses_what_a_stream_would_tell_otherwise(void **state)
{
    static const char *const chats[] = {
        "{\"choices\":[]}",
        "{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"},"
        "{\"message\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}",
        "{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{\"id\":\"t\"}]},"
        "\"finish_reason\":\"tool_calls\"}]}",
        "{\"choices\":[{\"message\":{\"content\":\"a\",\"tool_calls\":[{\"id\":\"t\"}]},"
        "\"finish_reason\":\"tool_calls\"}]}",
        "{\"choices\":[{\"message\":{\"content\":\"a\",\"function_call\":{}},"
        "\"finish_reason\":\"function_call\"}]}",
        "{\"choices\":[{\"message\":{\"content\":\"a\"},\"logprobs\":{\"content\":[]},"
        "\"finish_reason\":\"stop\"}]}",
        "{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":null}]}",
        "{\"choices\":[{\"message\":{\"content\":\"a\"}",
    };
    static const char *const messages[] = {
        "{\"content\":[],\"stop_reason\":\"end_turn\",\"usage\":{}}",
        "{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"tool_use\",\"id\":\"t\"}],"
        "\"stop_reason\":\"tool_use\",\"usage\":{}}",
        "{\"content\":[{\"type\":\"thinking\",\"text\":\"a\"}],\"stop_reason\":\"end_turn\","
        "\"usage\":{}}",
        "{\"content\":[{\"type\":\"text\",\"text\":\"a\"}],\"stop_reason\":null,\"usage\":{}}",
        "{\"content\":[{\"type\":\"text\",\"text\":\"a\"}],\"stop_reason\":\"end_turn\"}",
    };
    struct json_scan *scan = json_scan_new();
    struct buf events;

    (void)state;
    buf_init(&events, 4096);
    for (size_t i = 0; i < ARRAY_LENGTH(chats); i++) {
        assert_false(
            operation_named(&dialect_openai, "chat")->unfold(scan, span_of(chats[i]), &events));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(messages); i++) {
        assert_false(operation_named(&dialect_anthropic, "messages")
                         ->unfold(scan, span_of(messages[i]), &events));
    }
    assert_int_equal(events.len, 0);
    buf_fini(&events);
    json_scan_free(scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unfold__tells_a_chat_completion_as_a_stream),
        cmocka_unit_test(unfold__tells_a_message_as_a_stream),
        cmocka_unit_test(unfold__keeps_every_event_on_one_line),
        cmocka_unit_test(unfold__refuses_what_a_stream_would_tell_otherwise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
