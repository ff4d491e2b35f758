/* SPDX-License-Identifier: Apache-2.0 */
/* The Anthropic dialect: bodies judged and edited, answers and streams read, errors written. */
#include "data.h"

static const struct operation *op(const char *name)
{
    return operation_named(&dialect_anthropic, name);
}

#define M "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"
#define GOOD "\"model\":\"m\"," M

static const struct {
    const char *operation;
    const char *body;
    enum refusal_kind kind;
    const char *param;
} request_rows[] = {
    {"messages", "{" GOOD ",\"max_tokens\":9,\"system\":\"s\"}", REFUSAL_NONE, NULL},
    {"messages", "{" GOOD "}", REFUSAL_NONE, NULL},
    {"messages", "{" GOOD ",\"max_tokens\":0}", REFUSAL_NONE, NULL},
    {"messages", "{" GOOD ",\"max_tokens\":-1}", REFUSAL_INVALID_VALUE, "max_tokens"},
    {"messages", "{" GOOD ",\"max_tokens\":1e3}", REFUSAL_INVALID_VALUE, "max_tokens"},
    {"messages", "{" GOOD ",\"max_tokens\":9223372036854775808}", REFUSAL_INVALID_VALUE,
     "max_tokens"},
    {"messages", "{" GOOD ",\"stream\":\"true\"}", REFUSAL_INVALID_VALUE, "stream"},
    {"messages", "{" GOOD ",\"stream\":null}", REFUSAL_NONE, NULL},
    {"messages", "{\"model\":\"m\"}", REFUSAL_INVALID_MESSAGES, "messages"},
    {"messages", "{\"model\":\"m\",\"messages\":[]}", REFUSAL_INVALID_MESSAGES, "messages"},
    {"messages", "{" M "}", REFUSAL_INVALID_MODEL, "model"},
    {"messages", "{" GOOD ",\"messages\":[]}", REFUSAL_DUPLICATE_KEY, "messages"},
    {"messages", "{" GOOD "", REFUSAL_INVALID_JSON, NULL},
    {"messages", "[]", REFUSAL_NOT_OBJECT, NULL},
    {"messages", "{" GOOD ",\"max_completion_tokens\":9}", REFUSAL_DIALECT_MISMATCH,
     "max_completion_tokens"},
    {"messages", "{" GOOD ",\"stream\":true,\"stream_options\":{}}", REFUSAL_DIALECT_MISMATCH,
     "stream_options"},
    {"messages", "{" GOOD ",\"tools\":[{\"type\":\"function\",\"function\":{}}]}",
     REFUSAL_DIALECT_MISMATCH, "tools"},
    {"messages", "{\"model\":\"m\",\"input\":\"x\"}", REFUSAL_DIALECT_MISMATCH, "input"},
    {"messages", "{" GOOD ",\"tools\":[{\"name\":\"f\",\"input_schema\":{}}]}", REFUSAL_NONE,
     NULL},
    {"count_tokens", "{" GOOD "}", REFUSAL_NONE, NULL},
    {"count_tokens", "{\"model\":\"m\"}", REFUSAL_INVALID_MESSAGES, "messages"},
    {"count_tokens", "{" M "}", REFUSAL_INVALID_MODEL, "model"},
};

static void anthropic__judges_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(request_rows); i++) {
        struct request request;
        struct refusal refusal =
            judge(op(request_rows[i].operation), span_of(request_rows[i].body), &request);

        print_message("%s %s\n", request_rows[i].operation, request_rows[i].body);
        assert_int_equal(refusal.kind, request_rows[i].kind);
        if (request_rows[i].param == NULL) {
            assert_null(refusal.param);
        } else {
            assert_non_null(refusal.param);
            assert_string_equal(refusal.param, request_rows[i].param);
        }
    }
}

static void anthropic__edits_the_model_alone(void **state)
{
    struct request request;

    (void)state;
    (void)judge(op("messages"), SPAN_OF("{" GOOD ",\"stream\":true,\"max_tokens\":64}"), &request);
    assert_true(request.is_stream);
    assert_int_equal(request.output_cap, 64);
    struct buf text = edited(&request, SPAN_OF("\"other\""), true);
    assert_text(buf_span(&text),
                "{\"model\":\"other\"," M ",\"stream\":true,\"max_tokens\":64}");
    buf_fini(&text);
    text = edited(&request, span_make(NULL, 0), true);
    assert_text(buf_span(&text), "{" GOOD ",\"stream\":true,\"max_tokens\":64}");
    buf_fini(&text);
}

static void anthropic__reads_whole_answers(void **state)
{
    struct usage usage;

    (void)state;
    struct buf text = data_read("upstream/anthropic-message.json");
    struct answer answer = answer_of(op("messages"), buf_span(&text), &usage);
    assert_true(answer.is_json && answer.has_result);
    assert_false(answer.error.is_present);
    assert_text(answer.model, "lab-claude");
    assert_int_equal(usage.tokens[TOKENS_INPUT], 9);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 5);
    buf_fini(&text);
    text = data_read("upstream/error-anthropic-529.json");
    answer = answer_of(op("messages"), buf_span(&text), &usage);
    assert_true(answer.is_json && !answer.has_result && answer.error.is_present);
    assert_text(answer.error.type, "overloaded_error");
    assert_text(answer.error.message, "Overloaded");
    buf_fini(&text);
    text = data_read("upstream/error-openai-quota-429.json");
    answer = answer_of(op("messages"), buf_span(&text), &usage);
    assert_text(answer.error.code, "insufficient_quota");
    buf_fini(&text);
    text = data_read("upstream/error-502.html");
    answer = answer_of(op("messages"), buf_span(&text), &usage);
    assert_false(answer.is_json || answer.error.is_present);
    buf_fini(&text);
    answer = answer_of(op("messages"),
                       SPAN_OF("{\"content\":[],\"usage\":{\"input_tokens\":1,"
                               "\"cache_read_input_tokens\":900,\"cache_creation_input_tokens\":20,"
                               "\"output_tokens\":4,\"output_tokens_details\":"
                               "{\"thinking_tokens\":3}}}"),
                       &usage);
    assert_true(answer.has_result);
    assert_int_equal(usage.tokens[TOKENS_INPUT], 1);
    assert_int_equal(usage.tokens[TOKENS_CACHE_READ], 900);
    assert_int_equal(usage.tokens[TOKENS_CACHE_WRITE_5M], 20);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 4);
    assert_int_equal(usage.reasoning, 3);
    assert_int_equal(usage_input_all(&usage), 921);
}

static void anthropic__counting_costs_nothing(void **state)
{
    struct usage usage;

    (void)state;
    struct answer answer = answer_of(op("count_tokens"), SPAN_OF("{\"input_tokens\":12}"), &usage);
    assert_true(answer.is_json && answer.has_result);
    assert_int_equal(usage.tokens[TOKENS_INPUT], -1);
    answer = answer_of(op("count_tokens"), SPAN_OF("{\"input_tokens\":null}"), &usage);
    assert_false(answer.has_result);
}

static void anthropic__reads_captured_streams(void **state)
{
    struct stream stream;

    (void)state;
    struct walk walk = walk_file("upstream/anthropic-message.sse", op("messages"), true, &stream);
    assert_int_equal(walk.events, 10);
    assert_int_equal(walk.opened_by, 3);
    assert_int_equal(walk.contents, 4);
    assert_int_equal(walk.hidden + walk.errors, 0);
    assert_true(walk.is_terminal_last && stream.saw_finish && stream.saw_terminal);
    assert_int_equal(walk.usage.tokens[TOKENS_INPUT], 9);
    assert_int_equal(walk.usage.tokens[TOKENS_OUTPUT], 5);
    assert_false(walk.usage.is_anomalous);
    walk = walk_file("upstream/anthropic-error-in-stream.sse", op("messages"), true, &stream);
    assert_int_equal(walk.errors, 1);
    assert_string_equal(walk.error_type, "overloaded_error");
    assert_false(stream.saw_finish || stream.saw_terminal);
    assert_int_equal(walk.usage.tokens[TOKENS_OUTPUT], 1);
}

static const struct {
    bool saw_content;
    const char *name;
    const char *data;
    bool content;
    bool finish;
    bool terminal;
    bool error;
    bool usage;
} event_rows[] = {
    {false, "ping", "{\"type\":\"ping\"}", 0, 0, 0, 0, 0},
    {true, "ping", "{\"type\":\"ping\"}", 0, 0, 0, 0, 0},
    {false, "", NULL, 0, 0, 0, 0, 0},
    {false, "message_start", "{\"message\":{\"usage\":{\"input_tokens\":1}}}", 0, 0, 0, 0, 1},
    {false, "content_block_start", "{\"content_block\":{\"type\":\"text\",\"text\":\"\"}}", 0, 0, 0,
     0, 0},
    {false, "content_block_start",
     "{\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}", 0, 0, 0, 0,
     0},
    {false, "content_block_start", "{\"content_block\":{\"type\":\"tool_use\",\"input\":{}}}", 1, 0,
     0, 0, 0},
    {false, "content_block_start",
     "{\"content_block\":{\"type\":\"redacted_thinking\",\"data\":\"x\"}}", 1, 0, 0, 0, 0},
    {false, "content_block_start", "{\"content_block\":{\"type\":\"text\",\"text\":\"x\"}}", 1, 0,
     0, 0, 0},
    {false, "content_block_delta", "{\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}", 1, 0, 0,
     0, 0},
    {false, "content_block_delta", "{\"delta\":{\"type\":\"text_delta\",\"text\":\"\"}}", 0, 0, 0,
     0, 0},
    {false, "content_block_delta",
     "{\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\"}}", 1, 0, 0, 0, 0},
    {false, "content_block_delta", "{\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"x\"}}",
     1, 0, 0, 0, 0},
    {false, "content_block_delta",
     "{\"delta\":{\"type\":\"signature_delta\",\"signature\":\"x\"}}", 1, 0, 0, 0, 0},
    {false, "", "{\"type\":\"content_block_delta\",\"delta\":{\"text\":\"x\"}}", 1, 0, 0, 0, 0},
    {true, "content_block_delta", "not even JSON", 1, 0, 0, 0, 0},
    {false, "content_block_delta", "not even JSON", 0, 0, 0, 0, 0},
    {true, "content_block_stop", "{}", 0, 0, 0, 0, 0},
    {true, "message_delta",
     "{\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":5}}", 0, 1, 0, 0, 1},
    {true, "message_delta", "{\"delta\":{\"stop_reason\":null},\"usage\":{\"output_tokens\":5}}", 0,
     0, 0, 0, 1},
    {true, "message_stop", "{\"type\":\"message_stop\"}", 0, 0, 1, 0, 0},
    {true, "message_stop", "broken", 0, 0, 1, 0, 0},
    {true, "", "{\"type\":\"message_stop\"}", 0, 0, 1, 0, 0},
    {true, "error", "{\"type\":\"error\",\"error\":{\"type\":\"api_error\"}}", 0, 0, 0, 1, 0},
    {false, "error", "broken", 0, 0, 0, 1, 0},
    {false, "", "{\"error\":{\"message\":\"m\"}}", 0, 0, 0, 1, 0},
    {false, "brand_new", "{}", 0, 0, 0, 0, 0},
};

static void anthropic__knows_what_an_event_means(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(event_rows); i++) {
        struct stream stream;

        print_message("%s %s\n", event_rows[i].name,
                      event_rows[i].data == NULL ? "-" : event_rows[i].data);
        stream_init(&stream, op("messages"), false);
        stream.saw_content = event_rows[i].saw_content;
        struct event_view view = view_of(&stream, event_rows[i].name, event_rows[i].data);
        assert_int_equal(view.is_content, event_rows[i].content);
        assert_int_equal(view.is_finish, event_rows[i].finish);
        assert_int_equal(view.is_terminal, event_rows[i].terminal);
        assert_int_equal(view.is_error, event_rows[i].error);
        assert_int_equal(view.is_usage, event_rows[i].usage);
        assert_false(view.hide);
    }
}

static void anthropic__takes_the_last_figure_that_is_not_null(void **state)
{
    struct stream stream;
    struct usage usage;

    (void)state;
    stream_init(&stream, op("messages"), false);
    (void)view_of(&stream, "message_start",
                  "{\"message\":{\"usage\":{\"input_tokens\":10,\"cache_read_input_tokens\":900,"
                  "\"cache_creation_input_tokens\":null,\"output_tokens\":1}}}");
    for (int i = 0; i < 4; i++) {
        (void)view_of(&stream, "message_delta",
                      "{\"delta\":{},\"usage\":{\"output_tokens\":7,\"input_tokens\":null}}");
    }
    (void)view_of(&stream, "message_delta",
                  "{\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":12,"
                  "\"input_tokens\":15}}");
    meter_usage(&stream.meter, false, &usage);
    assert_int_equal(usage.tokens[TOKENS_INPUT], 15);
    assert_int_equal(usage.tokens[TOKENS_CACHE_READ], 900);
    assert_int_equal(usage.tokens[TOKENS_CACHE_WRITE_5M], -1);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 12);
    assert_false(usage.is_anomalous);
}

static void anthropic__writes_errors_in_its_own_form(void **state)
{
    static const struct refusal refusal = {.kind = REFUSAL_UPSTREAM_IDLE};
    struct stream stream;
    struct buf out;

    (void)state;
    buf_init(&out, 65536);
    dialect_anthropic.write_error(&out, &refusal, SPAN_OF("req-1"));
    assert_text(buf_span(&out),
                "{\"type\":\"error\",\"error\":{\"type\":\"timeout_error\",\"message\":\"headgate: "
                "the provider stopped sending\"},\"request_id\":\"req-1\"}");
    buf_clear(&out);
    stream_init(&stream, op("messages"), false);
    dialect_anthropic.write_stream_error(&out, &stream, &refusal);
    assert_text(buf_span(&out),
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"timeout_error\","
                "\"message\":\"headgate: the provider stopped sending\"}}\n\n");
    buf_clear(&out);
    dialect_anthropic.write_stream_end(&out, &stream);
    assert_text(buf_span(&out), "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    buf_fini(&out);
    assert_text(dialect_anthropic.keep_alive, "event: ping\ndata: {\"type\":\"ping\"}\n\n");
}

static void anthropic__writes_the_model_list(void **state)
{
    static const struct span routes[] = {SPAN("claude-a"), SPAN("claude-b")};
    struct buf out;

    (void)state;
    buf_init(&out, 65536);
    dialect_anthropic.write_models(&out, routes, 2, span_make(NULL, 0));
    assert_text(buf_span(&out),
                "{\"data\":[{\"type\":\"model\",\"id\":\"claude-a\",\"display_name\":\"claude-a\","
                "\"created_at\":\"1970-01-01T00:00:00Z\"},{\"type\":\"model\",\"id\":\"claude-b\","
                "\"display_name\":\"claude-b\",\"created_at\":\"1970-01-01T00:00:00Z\"}],"
                "\"has_more\":false,\"first_id\":\"claude-a\",\"last_id\":\"claude-b\"}");
    buf_clear(&out);
    dialect_anthropic.write_models(&out, NULL, 0, SPAN_OF("{\"id\":\"x\"}"));
    assert_text(buf_span(&out), "{\"data\":[{\"id\":\"x\"}],\"has_more\":false,\"first_id\":null,"
                                "\"last_id\":null}");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anthropic__judges_bodies),
        cmocka_unit_test(anthropic__edits_the_model_alone),
        cmocka_unit_test(anthropic__reads_whole_answers),
        cmocka_unit_test(anthropic__counting_costs_nothing),
        cmocka_unit_test(anthropic__reads_captured_streams),
        cmocka_unit_test(anthropic__knows_what_an_event_means),
        cmocka_unit_test(anthropic__takes_the_last_figure_that_is_not_null),
        cmocka_unit_test(anthropic__writes_errors_in_its_own_form),
        cmocka_unit_test(anthropic__writes_the_model_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
