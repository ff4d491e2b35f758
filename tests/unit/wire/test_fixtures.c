/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in provider's answers, read by the readers that judge real providers. */
#include "data.h"

#include <stdlib.h>

#include "base/mem.h"
#include "wire/fixtures.h"

#define TOOL_CHAT                                                                                  \
    "{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"parameters\":"                \
    "{\"type\":\"object\",\"required\":[\"city\", \"unit\",\"days\"],\"properties\":{"             \
    "\"city\":{\"type\":\"string\"},\"unit\":{\"type\":\"string\",\"enum\":[\"c\",\"f\"]},"        \
    "\"days\":{\"type\":\"integer\"},\"more\":{\"type\":\"string\"}}}}}"
#define OTHER_CHAT     "{\"type\":\"function\",\"function\":{\"name\":\"other\"}}"
#define ARGUMENTS_TEXT "{\\\"city\\\":\\\"fixture\\\",\\\"unit\\\":\\\"f\\\",\\\"days\\\":1}"
#define USER           "{\"role\":\"user\",\"content\":\"Hello there, how are you?\"}"

static struct fixture_order order_of(const struct dialect *dialect, const char *line,
                                     const char *body)
{
    return (struct fixture_order){
        .dialect = dialect, .seed = 1, .number = 3, .head = span_of(line), .body = span_of(body)};
}

static void write_order(struct fixture *fixture, const struct fixture_order *order)
{
    struct json_scan *scan = json_scan_new();

    fixture_init(fixture);
    assert_int_equal(fixture_write(fixture, scan, order), ERR_NONE);
    json_scan_free(scan);
}

static void openai(struct fixture *fixture, const char *path, const char *body)
{
    char line[128];

    (void)snprintf(line, sizeof line, "POST %s HTTP/1.1\r\n\r\n", path);
    struct fixture_order order = order_of(&dialect_openai, line, body);
    write_order(fixture, &order);
}

static void anthropic(struct fixture *fixture, const char *path, const char *body)
{
    char line[128];

    (void)snprintf(line, sizeof line, "POST %s HTTP/1.1\r\n\r\n", path);
    struct fixture_order order = order_of(&dialect_anthropic, line, body);
    write_order(fixture, &order);
}

/* The head as the scanner of responses reads it; its framing must fit the payload. */
static unsigned status_of(const struct fixture *fixture)
{
    struct http1_head *head = calloc(1, sizeof *head);
    unsigned status = 0;

    http1_head_init(head, HTTP1_RESPONSE);
    assert_int_equal(http1_head_feed(head, buf_span(&fixture->head)), HTTP1_DONE);
    assert_int_equal(head->size, fixture->head.len);
    if (fixture->is_stream) {
        assert_int_equal(head->framing, HTTP1_BODY_CHUNKED);
    } else {
        assert_int_equal(head->framing, HTTP1_BODY_LENGTH);
        assert_int_equal(head->length, fixture->payload.len);
    }
    status = head->status;
    free(head);
    return status;
}

static bool has(const struct fixture *fixture, const char *text)
{
    return span_find(buf_span(&fixture->payload), span_of(text)) != NULL;
}

static void assert_has(const struct fixture *fixture, const char *text)
{
    if (!has(fixture, text)) {
        fail_msg("'%s' is not in '%.*s'", text, SPAN_ARGS(buf_span(&fixture->payload)));
    }
}

/* Every data of the stream is valid JSON without doubled names, or [DONE]. */
static void assert_events_are_json(const struct fixture *fixture)
{
    struct json_scan *scan = json_scan_new();
    struct json_scan_options options = {.seed = 1};
    struct span text = buf_span(&fixture->payload);
    struct sse sse;
    struct sse_event event;
    size_t count = 0;

    sse_init(&sse, (size_t)1 << 20, (size_t)1 << 22);
    while (sse_feed(&sse, &text, &event) == SSE_EVENT) {
        size_t end = fixture_event_at(fixture, count).end;
        assert_ptr_equal(event.raw.at + event.raw.len, fixture->payload.at + end);
        if (!span_equal(event.data, SPAN_OF("[DONE]"))) {
            assert_true(json_scan_whole(scan, &options, event.data, NULL));
        }
        count++;
    }
    assert_int_equal(count, fixture_events(fixture));
    sse_fini(&sse);
    json_scan_free(scan);
}

static struct walk walk_fixture(const struct fixture *fixture, const struct dialect *dialect,
                                const char *operation)
{
    struct json_scan *scan = json_scan_new();
    struct stream stream;

    assert_true(fixture->is_stream);
    assert_int_equal(status_of(fixture), 200);
    assert_events_are_json(fixture);
    stream_init(&stream, operation_named(dialect, operation), false);
    struct walk walk = walk_stream(&stream, scan, buf_span(&fixture->payload));
    assert_true(stream.saw_finish);
    assert_true(stream.saw_terminal);
    assert_true(walk.is_terminal_last);
    assert_int_equal(walk.errors, 0);
    json_scan_free(scan);
    return walk;
}

static struct usage read_whole(const struct fixture *fixture, const struct dialect *dialect,
                               const char *operation)
{
    struct json_scan *scan = json_scan_new();
    struct json_scan_options options = {.seed = 1};
    struct usage usage;

    assert_false(fixture->is_stream);
    assert_int_equal(status_of(fixture), 200);
    assert_int_equal(fixture_events(fixture), 1);
    assert_true(json_scan_whole(scan, &options, buf_span(&fixture->payload), NULL));
    json_scan_free(scan);
    struct answer answer =
        answer_of(operation_named(dialect, operation), buf_span(&fixture->payload), &usage);
    assert_true(answer.is_json);
    assert_true(answer.has_result);
    assert_false(answer.is_failed);
    assert_false(answer.error.is_present);
    assert_false(usage.is_anomalous);
    return usage;
}

/* ---- whole and streamed ---- */

static void fixtures__answer_every_text_operation_whole_and_streamed_alike(void **state)
{
    static const struct {
        const struct dialect *dialect;
        const char *operation;
        const char *path;
        const char *input;
    } rows[] = {
        {&dialect_openai, "chat", "/chat/completions", "\"messages\":[" USER "]"},
        {&dialect_openai, "responses", "/v1/responses", "\"input\":\"Hello there\""},
        {&dialect_openai, "completions", "/completions", "\"prompt\":\"Hello there\""},
        {&dialect_anthropic, "messages", "/v1/messages?beta=true",
         "\"max_tokens\":1024,\"messages\":[" USER "]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct fixture whole;
        struct fixture streamed;
        char body[512];
        bool is_anthropic = rows[i].dialect == &dialect_anthropic;

        (void)snprintf(body, sizeof body, "{\"model\":\"m-1\",%s}", rows[i].input);
        (is_anthropic ? anthropic : openai)(&whole, rows[i].path, body);
        struct usage usage = read_whole(&whole, rows[i].dialect, rows[i].operation);
        assert_has(&whole, "provider, answering as m-1. The ");
        assert_has(&whole, "\"model\":\"m-1\"");
        assert_true(usage.tokens[TOKENS_INPUT] > 0);
        assert_in_range(usage.tokens[TOKENS_OUTPUT], 20, 60);

        (void)snprintf(body, sizeof body,
                       "{\"model\":\"m-1\",\"stream\":true,"
                       "\"stream_options\":{\"include_usage\":true},%s}",
                       rows[i].input);
        (is_anthropic ? anthropic : openai)(&streamed, rows[i].path, body);
        struct walk walk = walk_fixture(&streamed, rows[i].dialect, rows[i].operation);
        assert_true(walk.contents >= (size_t)usage.tokens[TOKENS_OUTPUT]);
        assert_int_equal(walk.usage.tokens[TOKENS_INPUT], usage.tokens[TOKENS_INPUT]);
        assert_int_equal(walk.usage.tokens[TOKENS_OUTPUT], usage.tokens[TOKENS_OUTPUT]);
        assert_false(walk.usage.is_anomalous);
        fixture_fini(&whole);
        fixture_fini(&streamed);
    }
}

static void fixtures__stream_a_word_per_event(void **state)
{
    struct fixture fixture;
    size_t words = 0;

    (void)state;
    openai(&fixture, "/chat/completions",
           "{\"model\":\"m\",\"max_tokens\":5,\"stream\":true,\"messages\":[" USER "]}");
    assert_has(&fixture, "\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}");
    assert_has(&fixture, "\"delta\":{\"content\":\"This\"}");
    assert_has(&fixture, "\"delta\":{\"content\":\" is\"}");
    for (size_t i = 0; i < fixture_events(&fixture); i++) {
        words += fixture_event_at(&fixture, i).is_word;
    }
    assert_int_equal(words, 5);
    assert_int_equal(fixture_events(&fixture), 1 + 5 + 1 + 1);
    fixture_fini(&fixture);
}

static void fixtures__tell_chat_usage_only_when_asked(void **state)
{
    struct fixture fixture;

    (void)state;
    openai(&fixture, "/chat/completions",
           "{\"model\":\"m\",\"stream\":true,\"messages\":[" USER "]}");
    assert_false(has(&fixture, "usage"));
    fixture_fini(&fixture);
    openai(&fixture, "/chat/completions",
           "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
           "\"messages\":[" USER "]}");
    assert_has(&fixture, "\"finish_reason\":\"stop\"}],\"usage\":null}");
    assert_has(&fixture, "\"choices\":[],\"usage\":{\"prompt_tokens\":");
    fixture_fini(&fixture);
}

static void fixtures__give_every_choice_its_own_text(void **state)
{
    struct fixture fixture;

    (void)state;
    openai(&fixture, "/chat/completions", "{\"model\":\"m\",\"n\":3,\"messages\":[" USER "]}");
    struct usage usage = read_whole(&fixture, &dialect_openai, "chat");
    assert_in_range(usage.tokens[TOKENS_OUTPUT], 60, 180);
    assert_has(&fixture, "\"index\":2,");
    fixture_fini(&fixture);
    openai(&fixture, "/completions", "{\"model\":\"m\",\"n\":2,\"prompt\":[\"a\",\"b\"]}");
    assert_has(&fixture, "\"index\":3,");
    assert_false(has(&fixture, "\"index\":4,"));
    fixture_fini(&fixture);
}

static void fixtures__number_the_events_of_responses(void **state)
{
    struct fixture fixture;
    char text[64];

    (void)state;
    openai(&fixture, "/responses", "{\"model\":\"m\",\"stream\":true,\"input\":\"hi\"}");
    for (size_t i = 0; i < fixture_events(&fixture); i++) {
        (void)snprintf(text, sizeof text, "\"sequence_number\":%zu,", i);
        assert_has(&fixture, text);
    }
    assert_has(&fixture, "event: response.created\ndata: {\"type\":\"response.created\",");
    assert_has(&fixture, "event: response.in_progress\n");
    assert_has(&fixture, "event: response.output_item.added\n");
    assert_has(&fixture, "event: response.content_part.added\n");
    assert_has(&fixture, "event: response.output_text.done\n");
    assert_has(&fixture, "event: response.content_part.done\n");
    assert_has(&fixture, "event: response.output_item.done\n");
    assert_has(&fixture, "event: response.completed\n");
    fixture_fini(&fixture);
}

/* ---- the same request, the same answer ---- */

static void fixtures__depend_on_request_and_seed_alone(void **state)
{
    static const char body[] = "{\"model\":\"m\",\"messages\":[" USER "]}";
    struct fixture_order order = order_of(&dialect_openai, "POST /chat/completions HTTP/1.1", body);
    struct fixture first;
    struct fixture other;

    (void)state;
    write_order(&first, &order);
    order.number = 4;
    write_order(&other, &order);
    assert_true(span_equal(buf_span(&first.payload), buf_span(&other.payload)));
    assert_false(span_equal(buf_span(&first.head), buf_span(&other.head)));
    fixture_fini(&other);
    order.seed = 2;
    write_order(&other, &order);
    assert_false(span_equal(buf_span(&first.payload), buf_span(&other.payload)));
    fixture_fini(&other);
    order.seed = 1;
    order.body = SPAN_OF("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");
    write_order(&other, &order);
    assert_false(span_equal(buf_span(&first.payload), buf_span(&other.payload)));
    fixture_fini(&other);
    fixture_fini(&first);
}

/* ---- caps ---- */

static void fixtures__stop_at_the_output_cap(void **state)
{
    static const struct {
        const char *operation;
        const char *path;
        const char *body;
        const char *reason;
    } rows[] = {
        {"chat", "/chat/completions",
         "{\"model\":\"m\",\"max_completion_tokens\":4,\"messages\":[" USER "]}",
         "\"finish_reason\":\"length\""},
        {"completions", "/completions", "{\"model\":\"m\",\"max_tokens\":4,\"prompt\":\"x\"}",
         "\"finish_reason\":\"length\""},
        {"responses", "/responses", "{\"model\":\"m\",\"max_output_tokens\":4,\"input\":\"x\"}",
         "\"incomplete_details\":{\"reason\":\"max_output_tokens\"}"},
        {"messages", "/messages", "{\"model\":\"m\",\"max_tokens\":4,\"messages\":[" USER "]}",
         "\"stop_reason\":\"max_tokens\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct fixture fixture;
        bool is_anthropic = span_equal(span_of(rows[i].operation), SPAN_OF("messages"));
        const struct dialect *dialect = is_anthropic ? &dialect_anthropic : &dialect_openai;

        (is_anthropic ? anthropic : openai)(&fixture, rows[i].path, rows[i].body);
        struct usage usage = read_whole(&fixture, dialect, rows[i].operation);
        assert_int_equal(usage.tokens[TOKENS_OUTPUT], 4);
        assert_has(&fixture, "\"This is headgate's fixtures\"");
        assert_has(&fixture, rows[i].reason);
        fixture_fini(&fixture);
    }
}

static void fixtures__end_a_cut_response_stream_as_incomplete(void **state)
{
    struct fixture fixture;

    (void)state;
    openai(&fixture, "/responses",
           "{\"model\":\"m\",\"max_output_tokens\":4,\"stream\":true,\"input\":\"x\"}");
    struct walk walk = walk_fixture(&fixture, &dialect_openai, "responses");
    assert_int_equal(walk.usage.tokens[TOKENS_OUTPUT], 4);
    assert_has(&fixture, "event: response.incomplete\n");
    fixture_fini(&fixture);
}

static void fixtures__answer_a_cap_of_zero_without_a_block(void **state)
{
    struct fixture fixture;

    (void)state;
    anthropic(&fixture, "/messages",
              "{\"model\":\"m\",\"max_tokens\":0,\"stream\":true,\"messages\":[" USER "]}");
    struct walk walk = walk_fixture(&fixture, &dialect_anthropic, "messages");
    assert_int_equal(walk.usage.tokens[TOKENS_OUTPUT], 0);
    assert_int_equal(fixture_events(&fixture), 3);
    fixture_fini(&fixture);
}

/* ---- tools ---- */

static void fixtures__call_the_first_tool_in_chat(void **state)
{
    struct fixture fixture;

    (void)state;
    openai(&fixture, "/chat/completions",
           "{\"model\":\"m\",\"messages\":[" USER "],\"tools\":[ " TOOL_CHAT " , " OTHER_CHAT "]}");
    (void)read_whole(&fixture, &dialect_openai, "chat");
    assert_has(&fixture, "\"type\":\"function\",\"function\":{\"name\":\"get_weather\","
                         "\"arguments\":\"" ARGUMENTS_TEXT "\"}}]");
    assert_has(&fixture, "\"finish_reason\":\"tool_calls\"");
    fixture_fini(&fixture);

    openai(&fixture, "/chat/completions",
           "{\"model\":\"m\",\"stream\":true,\"messages\":[" USER "],\"tools\":[" TOOL_CHAT "]}");
    (void)walk_fixture(&fixture, &dialect_openai, "chat");
    assert_has(&fixture, "\"name\":\"get_weather\",\"arguments\":\"\"}}]");
    assert_has(&fixture,
               "\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\"}}]}");
    assert_has(&fixture, "\"finish_reason\":\"tool_calls\"");
    fixture_fini(&fixture);
}

static void fixtures__call_the_tool_that_is_chosen(void **state)
{
    struct fixture fixture;

    (void)state;
    openai(&fixture, "/chat/completions",
           "{\"model\":\"m\",\"messages\":[" USER "],\"tools\":[" TOOL_CHAT "," OTHER_CHAT "],"
           "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"other\"}}}");
    assert_has(&fixture, "{\"name\":\"other\",\"arguments\":\"{}\"}");
    fixture_fini(&fixture);
    openai(&fixture, "/chat/completions",
           "{\"model\":\"m\",\"messages\":[" USER "],\"tools\":[" TOOL_CHAT "],"
           "\"tool_choice\":\"none\"}");
    assert_false(has(&fixture, "tool_calls"));
    fixture_fini(&fixture);
}

static void fixtures__call_a_function_in_responses(void **state)
{
    static const char tools[] =
        "\"tools\":[{\"type\":\"web_search\"},{\"type\":\"function\",\"name\":\"get_weather\","
        "\"parameters\":{\"required\":[\"city\"],"
        "\"properties\":{\"city\":{\"type\":\"string\"}}}}]";
    struct fixture fixture;
    char body[512];

    (void)state;
    (void)snprintf(body, sizeof body, "{\"model\":\"m\",\"input\":\"x\",%s}", tools);
    openai(&fixture, "/responses", body);
    (void)read_whole(&fixture, &dialect_openai, "responses");
    assert_has(&fixture, "\"type\":\"function_call\",\"status\":\"completed\",\"call_id\":\"call_");
    assert_has(&fixture, "\"arguments\":\"{\\\"city\\\":\\\"fixture\\\"}\"");
    fixture_fini(&fixture);

    (void)snprintf(body, sizeof body, "{\"model\":\"m\",\"stream\":true,\"input\":\"x\",%s}",
                   tools);
    openai(&fixture, "/responses", body);
    (void)walk_fixture(&fixture, &dialect_openai, "responses");
    assert_has(&fixture, "event: response.function_call_arguments.delta\n");
    assert_has(&fixture, "event: response.function_call_arguments.done\n");
    assert_false(has(&fixture, "output_text"));
    fixture_fini(&fixture);
}

static void fixtures__use_a_tool_in_messages(void **state)
{
    static const char tools[] =
        "\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\"},"
        "{\"name\":\"get_weather\",\"input_schema\":{\"type\":\"object\",\"required\":[\"city\"],"
        "\"properties\":{\"city\":{\"type\":\"string\"}}}}]";
    struct fixture fixture;
    char body[512];

    (void)state;
    (void)snprintf(body, sizeof body, "{\"model\":\"m\",\"max_tokens\":99,\"messages\":[%s],%s}",
                   USER, tools);
    anthropic(&fixture, "/messages", body);
    (void)read_whole(&fixture, &dialect_anthropic, "messages");
    assert_has(&fixture, "\"name\":\"get_weather\",\"input\":{\"city\":\"fixture\"}}");
    assert_has(&fixture, "\"stop_reason\":\"tool_use\"");
    fixture_fini(&fixture);

    (void)snprintf(body, sizeof body,
                   "{\"model\":\"m\",\"max_tokens\":99,\"stream\":true,\"messages\":[%s],%s}", USER,
                   tools);
    anthropic(&fixture, "/messages", body);
    (void)walk_fixture(&fixture, &dialect_anthropic, "messages");
    assert_has(&fixture, "\"name\":\"get_weather\",\"input\":{}}");
    assert_has(&fixture, "{\"type\":\"input_json_delta\",\"partial_json\":\"\\\"city\\\":\"}");
    assert_has(&fixture, "event: ping\ndata: {\"type\":\"ping\"}\n\n");
    fixture_fini(&fixture);
}

static void fixtures__answer_in_words_after_a_tool_result(void **state)
{
    static const char chat[] =
        "{\"model\":\"m\",\"tools\":[" TOOL_CHAT "],\"messages\":[" USER ",{\"role\":\"tool\","
        "\"tool_call_id\":\"call_1\",\"content\":\"rain\"}]}";
    static const char responses[] =
        "{\"model\":\"m\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}],\"input\":[" USER ","
        "{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":\"rain\"}]}";
    static const char asked_again[] =
        "{\"model\":\"m\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}],\"input\":["
        "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"rain\"}," USER "]}";
    static const char messages[] =
        "{\"model\":\"m\",\"max_tokens\":99,\"tools\":[{\"name\":\"f\",\"input_schema\":{}}],"
        "\"messages\":[" USER ",{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
        "\"tool_use_id\":\"t\",\"content\":\"rain\"},{\"type\":\"text\",\"text\":\"note\"}]}]}";
    struct fixture fixture;

    (void)state;
    openai(&fixture, "/chat/completions", chat);
    assert_has(&fixture, "\"finish_reason\":\"stop\"");
    fixture_fini(&fixture);
    openai(&fixture, "/responses", responses);
    assert_false(has(&fixture, "function_call"));
    fixture_fini(&fixture);
    openai(&fixture, "/responses", asked_again);
    assert_has(&fixture, "function_call");
    fixture_fini(&fixture);
    anthropic(&fixture, "/messages", messages);
    assert_has(&fixture, "\"stop_reason\":\"end_turn\"");
    fixture_fini(&fixture);
}

static void fixtures__cut_a_tool_call_at_the_cap(void **state)
{
    struct fixture fixture;

    (void)state;
    openai(&fixture, "/chat/completions",
           "{\"model\":\"m\",\"max_tokens\":3,\"messages\":[" USER "],\"tools\":[" TOOL_CHAT "]}");
    struct usage usage = read_whole(&fixture, &dialect_openai, "chat");
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 3);
    assert_has(&fixture, "\"finish_reason\":\"length\"");
    fixture_fini(&fixture);
    anthropic(&fixture, "/messages",
              "{\"model\":\"m\",\"max_tokens\":2,\"messages\":[" USER "],\"tools\":[{\"name\":"
              "\"f\",\"input_schema\":{}}]}");
    (void)read_whole(&fixture, &dialect_anthropic, "messages");
    assert_has(&fixture, "\"input\":{}");
    assert_has(&fixture, "\"stop_reason\":\"max_tokens\"");
    fixture_fini(&fixture);
}

static void fixtures__fill_only_what_a_schema_requires_once(void **state)
{
    struct fixture fixture;

    (void)state;
    openai(&fixture, "/responses",
           "{\"model\":\"m\",\"input\":\"x\",\"tools\":[{\"type\":\"function\",\"name\":\"f\","
           "\"parameters\":{\"required\":[\"a\",\"a\",\"b\\\"c\",7,\"z\"],"
           "\"properties\":{\"a\":{\"type\":\"boolean\"}}}}]}");
    assert_has(&fixture, "\"arguments\":\"{\\\"a\\\":true,\\\"z\\\":\\\"fixture\\\"}\"");
    fixture_fini(&fixture);
}

/* ---- embeddings ---- */

static int letter_value(char c)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(letters, c);

    return at == NULL || c == '\0' ? 0 : (int)(at - letters);
}

/* The numbers of the first vector of a base64 answer. */
static size_t decode_vector(const struct fixture *fixture, float *numbers, size_t max)
{
    const char *at = span_find(buf_span(&fixture->payload), SPAN_OF("\"embedding\":\""));
    unsigned char bytes[16384];
    size_t count = 0;

    assert_non_null(at);
    for (at += 13; *at != '"'; at += 4) {
        int group = letter_value(at[0]) << 18 | letter_value(at[1]) << 12 |
                    letter_value(at[2]) << 6 | letter_value(at[3]);
        bytes[count++] = (unsigned char)(group >> 16 & 255);
        bytes[count++] = (unsigned char)(group >> 8 & 255);
        bytes[count++] = (unsigned char)(group & 255);
        if (at[2] == '=') {
            count--;
        }
        if (at[3] == '=') {
            count--;
        }
    }
    assert_int_equal(count % 4, 0);
    assert_true(count / 4 <= max);
    for (size_t i = 0; i < count / 4; i++) {
        uint32_t bits = (uint32_t)bytes[4 * i] | (uint32_t)bytes[4 * i + 1] << 8 |
                        (uint32_t)bytes[4 * i + 2] << 16 | (uint32_t)bytes[4 * i + 3] << 24;
        memcpy(&numbers[i], &bits, sizeof bits);
    }
    return count / 4;
}

static void fixtures__tell_the_same_vector_in_both_encodings(void **state)
{
    static const unsigned dimensions[] = {1, 2, 3, 64, 1000, 3072};

    (void)state;
    for (size_t d = 0; d < ARRAY_LENGTH(dimensions); d++) {
        struct fixture plain;
        struct fixture encoded;
        static float numbers[3072];
        char body[256];

        (void)snprintf(body, sizeof body, "{\"model\":\"m\",\"input\":\"hello\",\"dimensions\":%u}",
                       dimensions[d]);
        openai(&plain, "/embeddings", body);
        (void)snprintf(body, sizeof body,
                       "{\"model\":\"m\",\"input\":\"hello\",\"dimensions\":%u,"
                       "\"encoding_format\":\"base64\"}",
                       dimensions[d]);
        openai(&encoded, "/embeddings", body);
        assert_true(read_whole(&plain, &dialect_openai, "embeddings").tokens[TOKENS_INPUT] > 0);
        (void)read_whole(&encoded, &dialect_openai, "embeddings");
        assert_int_equal(decode_vector(&encoded, numbers, 3072), dimensions[d]);
        char *at =
            (char *)(uintptr_t)span_find(buf_span(&plain.payload), SPAN_OF("\"embedding\":["));
        assert_non_null(at);
        at += 12;
        for (unsigned i = 0; i < dimensions[d]; i++) {
            float number = strtof(at + 1, &at);
            assert_true(number == numbers[i]);
            assert_true(number > -1 && number < 1);
        }
        assert_true(*at == ']');
        fixture_fini(&plain);
        fixture_fini(&encoded);
    }
}

static size_t count_of(const struct fixture *fixture, const char *text)
{
    struct span rest = buf_span(&fixture->payload);
    size_t count = 0;

    for (const char *at = span_find(rest, span_of(text)); at != NULL;
         at = span_find(rest, span_of(text))) {
        rest = span_from(rest, (size_t)(at - rest.at) + 1);
        count++;
    }
    return count;
}

static void fixtures__make_a_vector_per_input(void **state)
{
    static const struct {
        const char *input;
        size_t count;
    } rows[] = {
        {"\"one\"", 1},      {"[\"one\", \"two\" ,\"three\"]", 3},
        {"[1,2,3]", 1},      {"[[1,2], [3],[4 ]]", 3},
        {"[ \"a,]b\" ]", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct fixture fixture;
        char body[128];

        (void)snprintf(body, sizeof body, "{\"model\":\"m\",\"input\":%s}", rows[i].input);
        openai(&fixture, "/embeddings", body);
        (void)read_whole(&fixture, &dialect_openai, "embeddings");
        assert_int_equal(count_of(&fixture, "\"object\":\"embedding\""), rows[i].count);
        fixture_fini(&fixture);
    }
}

static void fixtures__give_equal_inputs_equal_vectors(void **state)
{
    struct fixture fixture;
    static float first[64];
    static float second[64];

    (void)state;
    openai(&fixture, "/embeddings",
           "{\"model\":\"m\",\"encoding_format\":\"base64\",\"input\":[\"a\",\"b\"]}");
    (void)decode_vector(&fixture, first, 64);
    fixture_fini(&fixture);
    openai(&fixture, "/embeddings",
           "{\"model\":\"n\",\"encoding_format\":\"base64\",\"input\":\"a\"}");
    (void)decode_vector(&fixture, second, 64);
    assert_memory_equal(first, second, sizeof first);
    fixture_fini(&fixture);
    openai(&fixture, "/embeddings",
           "{\"model\":\"n\",\"encoding_format\":\"base64\",\"input\":\"b\"}");
    (void)decode_vector(&fixture, second, 64);
    assert_memory_not_equal(first, second, sizeof first);
    fixture_fini(&fixture);
}

static void fixtures__refuse_vectors_beyond_their_bounds(void **state)
{
    static const char *const bad[] = {
        "{\"model\":\"m\"}",
        "{\"model\":\"m\",\"input\":[]}",
        "{\"model\":\"m\",\"input\":\"x\",\"dimensions\":0}",
        "{\"model\":\"m\",\"input\":\"x\",\"dimensions\":3073}",
        "{\"model\":\"m\",\"input\":\"x\",\"dimensions\":-5}",
    };
    struct fixture fixture;
    struct buf body;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        openai(&fixture, "/embeddings", bad[i]);
        assert_int_equal(status_of(&fixture), 400);
        fixture_fini(&fixture);
    }
    buf_init(&body, 1 << 20);
    buf_put_text(&body, "{\"model\":\"m\",\"dimensions\":1,\"input\":[\"x\"");
    for (int i = 0; i < 2048; i++) {
        buf_put_text(&body, ",\"x\"");
    }
    buf_put_text(&body, "]}");
    buf_put_char(&body, '\0');
    openai(&fixture, "/embeddings", body.at);
    assert_int_equal(status_of(&fixture), 400);
    fixture_fini(&fixture);
    buf_fini(&body);
}

/* ---- the rest ---- */

static void fixtures__count_tokens_as_messages_does(void **state)
{
    static const char body[] = "{\"model\":\"m\",\"max_tokens\":99,\"system\":\"Be kind.\","
                               "\"messages\":[" USER "]}";
    struct fixture fixture;
    char expected[64];

    (void)state;
    anthropic(&fixture, "/messages", body);
    struct usage usage = read_whole(&fixture, &dialect_anthropic, "messages");
    /* A token per four bytes of the two values. */
    assert_int_equal(usage.tokens[TOKENS_INPUT], (strlen("\"Be kind.\"") + strlen("[" USER "]") + 3) / 4);
    fixture_fini(&fixture);
    anthropic(&fixture, "/messages/count_tokens", body);
    (void)read_whole(&fixture, &dialect_anthropic, "count_tokens");
    (void)snprintf(expected, sizeof expected, "{\"input_tokens\":%d}", (int)usage.tokens[TOKENS_INPUT]);
    assert_text(buf_span(&fixture.payload), expected);
    fixture_fini(&fixture);
}

static void fixtures__list_two_models(void **state)
{
    struct fixture_order order = order_of(&dialect_openai, "GET /models HTTP/1.1\r\n\r\n", "");
    struct fixture fixture;

    (void)state;
    write_order(&fixture, &order);
    assert_int_equal(status_of(&fixture), 200);
    assert_int_equal(count_of(&fixture, "\"object\":\"model\""), 2);
    fixture_fini(&fixture);
    order.dialect = &dialect_anthropic;
    order.head = SPAN_OF("GET /v1/models?limit=20 HTTP/1.1\r\n\r\n");
    write_order(&fixture, &order);
    assert_int_equal(status_of(&fixture), 200);
    assert_int_equal(count_of(&fixture, "\"type\":\"model\""), 2);
    assert_has(&fixture, "\"has_more\":false");
    fixture_fini(&fixture);
}

static struct provider_error error_of(const struct fixture *fixture, const struct dialect *dialect)
{
    struct usage usage;
    struct answer answer = answer_of(&dialect->operations[0], buf_span(&fixture->payload), &usage);

    assert_false(fixture->is_stream);
    assert_true(answer.is_json);
    assert_true(answer.error.is_present);
    assert_true(answer.error.message.len > 0);
    return answer.error;
}

static void fixtures__tell_failures_as_the_dialect_does(void **state)
{
    static const struct {
        unsigned status;
        const char *openai;
        const char *anthropic;
    } rows[] = {
        {400, "invalid_request_error", "invalid_request_error"},
        {401, "authentication_error", "authentication_error"},
        {402, "insufficient_quota", "billing_error"},
        {403, "permission_error", "permission_error"},
        {429, "requests", "rate_limit_error"},
        {500, "server_error", "api_error"},
        {503, "server_error", "api_error"},
        {529, "server_error", "overloaded_error"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct fixture_order order = order_of(
            &dialect_openai, "POST /chat/completions HTTP/1.1\r\n\r\n", "{\"stream\":true}");
        struct fixture fixture;

        order.status = rows[i].status;
        write_order(&fixture, &order);
        assert_int_equal(status_of(&fixture), rows[i].status);
        assert_text(error_of(&fixture, &dialect_openai).type, rows[i].openai);
        assert_int_equal(span_find(buf_span(&fixture.head), SPAN_OF("\r\nretry-after: 1\r\n")) !=
                             NULL,
                         rows[i].status == 429);
        assert_non_null(
            span_find(buf_span(&fixture.head), SPAN_OF("\r\nx-request-id: req_fixture_3\r\n")));
        fixture_fini(&fixture);
        order.dialect = &dialect_anthropic;
        write_order(&fixture, &order);
        assert_int_equal(status_of(&fixture), rows[i].status);
        assert_text(error_of(&fixture, &dialect_anthropic).type, rows[i].anthropic);
        assert_non_null(
            span_find(buf_span(&fixture.head), SPAN_OF("\r\nrequest-id: req_fixture_3\r\n")));
        assert_has(&fixture, "\"request_id\":\"req_fixture_3\"");
        fixture_fini(&fixture);
    }
}

static void fixtures__refuse_what_is_not_served(void **state)
{
    static const struct {
        const char *line;
        const char *body;
        unsigned status;
    } rows[] = {
        {"GET /files HTTP/1.1\r\n\r\n", "", 404},
        {"POST /messages HTTP/1.1\r\n\r\n", "{}", 404},
        {"GET /chat/completions HTTP/1.1\r\n\r\n", "", 405},
        {"POST /models HTTP/1.1\r\n\r\n", "{}", 405},
        {"", "", 404},
        {"POST /chat/completions HTTP/1.1\r\n\r\n", "{\"model\":", 400},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct fixture_order order = order_of(&dialect_openai, rows[i].line, rows[i].body);
        struct fixture fixture;

        write_order(&fixture, &order);
        assert_int_equal(status_of(&fixture), rows[i].status);
        (void)error_of(&fixture, &dialect_openai);
        fixture_fini(&fixture);
    }
}

static void fixtures__repeat_a_model_name_as_it_was_written(void **state)
{
    struct fixture fixture;

    (void)state;
    openai(&fixture, "/chat/completions",
           "{\"model\":\"a\\\"\\u00e9\\\\b\",\"messages\":[" USER "]}");
    (void)read_whole(&fixture, &dialect_openai, "chat");
    assert_has(&fixture, "\"model\":\"a\\\"\\u00e9\\\\b\"");
    assert_has(&fixture, "answering as a\\\"\xc3\xa9\\\\b. The ");
    fixture_fini(&fixture);
}

static void fixtures__survive_a_failing_heap(void **state)
{
    static const char body[] =
        "{\"model\":\"m\",\"stream\":true,\"messages\":[" USER "],\"tools\":[" TOOL_CHAT "]}";
    struct fixture_order order = order_of(&dialect_openai, "POST /chat/completions HTTP/1.1", body);
    struct json_scan *scan = json_scan_new();
    bool has_passed = false;

    (void)state;
    for (uint64_t n = 1; !has_passed && n < 1000; n++) {
        struct fixture fixture;
        fixture_init(&fixture);
        mem_fail_at(n);
        has_passed = fixture_write(&fixture, scan, &order) == ERR_NONE;
        mem_fail_at(0);
        if (has_passed) {
            assert_true(n > 1);
            assert_int_equal(status_of(&fixture), 200);
        }
        fixture_fini(&fixture);
    }
    assert_true(has_passed);
    json_scan_free(scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixtures__answer_every_text_operation_whole_and_streamed_alike),
        cmocka_unit_test(fixtures__stream_a_word_per_event),
        cmocka_unit_test(fixtures__tell_chat_usage_only_when_asked),
        cmocka_unit_test(fixtures__give_every_choice_its_own_text),
        cmocka_unit_test(fixtures__number_the_events_of_responses),
        cmocka_unit_test(fixtures__depend_on_request_and_seed_alone),
        cmocka_unit_test(fixtures__stop_at_the_output_cap),
        cmocka_unit_test(fixtures__end_a_cut_response_stream_as_incomplete),
        cmocka_unit_test(fixtures__answer_a_cap_of_zero_without_a_block),
        cmocka_unit_test(fixtures__call_the_first_tool_in_chat),
        cmocka_unit_test(fixtures__call_the_tool_that_is_chosen),
        cmocka_unit_test(fixtures__call_a_function_in_responses),
        cmocka_unit_test(fixtures__use_a_tool_in_messages),
        cmocka_unit_test(fixtures__answer_in_words_after_a_tool_result),
        cmocka_unit_test(fixtures__cut_a_tool_call_at_the_cap),
        cmocka_unit_test(fixtures__fill_only_what_a_schema_requires_once),
        cmocka_unit_test(fixtures__tell_the_same_vector_in_both_encodings),
        cmocka_unit_test(fixtures__make_a_vector_per_input),
        cmocka_unit_test(fixtures__give_equal_inputs_equal_vectors),
        cmocka_unit_test(fixtures__refuse_vectors_beyond_their_bounds),
        cmocka_unit_test(fixtures__count_tokens_as_messages_does),
        cmocka_unit_test(fixtures__list_two_models),
        cmocka_unit_test(fixtures__tell_failures_as_the_dialect_does),
        cmocka_unit_test(fixtures__refuse_what_is_not_served),
        cmocka_unit_test(fixtures__repeat_a_model_name_as_it_was_written),
        cmocka_unit_test(fixtures__survive_a_failing_heap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
