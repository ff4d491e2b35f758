/* SPDX-License-Identifier: Apache-2.0 */
/* What a stream keeps for an estimate: how much content came, in all and since the output was told;
 * and where the usage that was told stands. */
#include "data.h"

static const struct operation *op(const char *name)
{
    return operation_named(span_equal(span_of(name), SPAN_OF("messages")) ? &dialect_anthropic
                                                                          : &dialect_openai,
                           name);
}

struct row {
    const char *operation;
    const char *name;
    const char *data;
    size_t events; /* counted by then */
    size_t untold;
};

#define CONTENT "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}"
#define FIGURE                                                                                     \
    "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}],\"usage\":{\"completion_tokens\":" \
    "1}}"
#define DELTA                                                                                      \
    "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}"

static const struct row rows[] = {
    {"chat", "", "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}", 0, 0},
    {"chat", "", CONTENT, 1, 1},
    {"chat", "", CONTENT, 2, 2},
    {"chat", "", FIGURE, 3, 0}, /* what comes in the same event is told */
    {"chat", "", CONTENT, 4, 1},
    {"chat", "", "{\"choices\":[],\"usage\":{\"prompt_tokens\":9}}", 4, 1}, /* not the output */
    {"chat", "", "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":-4}}", 4, 1},
    {"chat", "", NULL, 4, 1},
    {"chat", "", "[DONE]", 4, 1},
    {"responses", "response.created", "{\"response\":{\"usage\":null}}", 0, 0},
    {"responses", "response.output_text.delta", "{\"delta\":\"x\"}", 1, 1},
    {"responses", "response.output_text.delta", "{\"delta\":\"x\"}", 2, 2},
    {"responses", "response.output_text.done", "{\"text\":\"xx\"}", 2, 2},
    {"responses", "response.completed", "{\"response\":{\"usage\":{\"output_tokens\":2}}}", 2, 0},
    {"messages", "message_start", "{\"message\":{\"usage\":{\"output_tokens\":1}}}", 0, 0},
    {"messages", "content_block_delta", DELTA, 1, 1},
    {"messages", "ping", "{}", 1, 1},
    {"messages", "content_block_delta", DELTA, 2, 2},
    {"messages", "message_delta", "{\"delta\":{},\"usage\":{\"output_tokens\":1}}", 2, 0},
    {"messages", "content_block_delta", DELTA, 3, 1},
    {"messages", "message_delta", "{\"delta\":{},\"usage\":{\"output_tokens\":null}}", 3, 1},
};

static void untold__is_what_came_since_the_output_was_told(void **state)
{
    struct stream stream = {.operation = NULL};
    uint64_t bytes = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (stream.operation != op(rows[i].operation)) {
            stream_init(&stream, op(rows[i].operation), false);
            bytes = 0;
        }
        size_t before = stream.content_events;
        print_message("%s %s\n", rows[i].operation, rows[i].data == NULL ? "-" : rows[i].data);
        (void)view_of(&stream, rows[i].name, rows[i].data);
        assert_int_equal(stream.content_events, rows[i].events);
        assert_int_equal(stream_events_untold(&stream), rows[i].untold);
        assert_int_equal(stream_bytes_untold(&stream) > 0, rows[i].untold > 0);
        bytes += stream.content_events > before ? strlen(rows[i].data) : 0;
        assert_int_equal(stream.content_bytes, bytes);
    }
}

/* An oversized event is one, of all its bytes; the last event of a response repeats the answer. */
static void untold__counts_events_in_pieces(void **state)
{
    static const struct {
        const char *operation;
        const char *first;
        size_t events;
        uint64_t bytes;
    } cases[] = {
        {"chat", "data: {\"choices\"", 1, 16 + 4},
        {"messages", "data: {\"delta\":1", 1, 16 + 4},
        {"responses", "event: response.output_text.delta\n", 1, 34 + 4},
        {"responses", "event: response.completed\n", 0, 0},
    };
    struct json_scan *scan = json_scan_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct sse_event piece = {.raw = span_of(cases[i].first), .is_piece = true};
        struct event_view view;
        struct stream stream;

        stream_init(&stream, op(cases[i].operation), false);
        stream.operation->read_event(&stream, scan, &piece, &view);
        assert_int_equal(stream.content_events, 0);
        piece =
            (struct sse_event){.raw = SPAN_OF("yz\n\n"), .is_piece = true, .is_last_piece = true};
        stream.operation->read_event(&stream, scan, &piece, &view);
        assert_int_equal(stream.content_events, cases[i].events);
        assert_int_equal(stream.content_bytes, cases[i].bytes);
    }
    json_scan_free(scan);
}

/* The raw text is that of the object that brought the figures, wherever it stands. */
static void usage__is_found_where_it_stands(void **state)
{
    static const struct {
        const char *operation;
        const char *body;
        const char *usage;
    } cases[] = {
        {"chat", "{\"choices\":[],\"usage\":{\"prompt_tokens\":1, \"x\":[2]}}",
         "{\"prompt_tokens\":1, \"x\":[2]}"},
        {"chat", "{\"usage\":{},\"x_groq\":{\"usage\":{\"prompt_tokens\":1}}}",
         "{\"prompt_tokens\":1}"},
        {"chat", "{\"choices\":[{\"usage\":{\"prompt_tokens\":1}}]}", "{\"prompt_tokens\":1}"},
        {"chat", "{\"choices\":[],\"timings\":{\"prompt_n\":1}}", "{\"prompt_n\":1}"},
        {"chat", "{\"choices\":[],\"usage\":{\"prompt_tokens\":\"1\"}}", ""},
        {"chat", "{\"choices\":[],\"usage\":null}", ""},
        {"chat", "{\"choices\":[]", ""},
        {"embeddings", "{\"data\":[],\"usage\":{\"total_tokens\":1}}", "{\"total_tokens\":1}"},
        {"responses", "{\"output\":[],\"usage\":{\"input_tokens\":1}}", "{\"input_tokens\":1}"},
        {"messages", "{\"content\":[],\"usage\":{\"input_tokens\":1}}", "{\"input_tokens\":1}"},
        {"messages", "{\"content\":[],\"usage\":{\"speed\":\"fast\"}}", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct usage usage;
        struct answer answer = answer_of(op(cases[i].operation), span_of(cases[i].body), &usage);

        assert_text(answer.usage, cases[i].usage);
    }
}

static void cost__is_kept_as_it_was_spelled(void **state)
{
    struct usage usage;

    (void)state;
    (void)answer_of(op("chat"), SPAN_OF("{\"usage\":{\"prompt_tokens\":1,\"cost\":1.40e-05}}"),
                    &usage);
    assert_text(usage_cost_span(&usage.cost), "1.40e-05");
    assert_false(usage.cost.is_ticks);
    (void)answer_of(op("responses"),
                    SPAN_OF("{\"usage\":{\"input_tokens\":1,\"cost_in_usd_ticks\":37756000}}"),
                    &usage);
    assert_text(usage_cost_span(&usage.cost), "37756000");
    assert_true(usage.cost.is_ticks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(untold__is_what_came_since_the_output_was_told),
        cmocka_unit_test(untold__counts_events_in_pieces),
        cmocka_unit_test(usage__is_found_where_it_stands),
        cmocka_unit_test(cost__is_kept_as_it_was_spelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
