/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAI dialect: bodies judged and edited, answers and streams read, errors written. */
#include "data.h"

#include "tests/lib/usage.h"

#include "wire/answer.h"

static const struct operation *op(const char *name)
{
    return operation_named(&dialect_openai, name);
}

/* ---- requests ---- */

#define M "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"
#define GOOD "\"model\":\"m\"," M

struct request_row {
    const char *operation;
    const char *body;
    enum refusal_kind kind;
    const char *param;
};

static const struct request_row request_rows[] = {
    {"chat", "{" GOOD "}", REFUSAL_NONE, NULL},
    {"chat", " \r\n{" GOOD "} \n", REFUSAL_NONE, NULL},
    {"chat", "{" GOOD ",\"temperature\":-1,\"unknown\":{\"a\":[1e400]}}", REFUSAL_NONE, NULL},
    /* syntax */
    {"chat", "", REFUSAL_INVALID_JSON, NULL},
    {"chat", "  ", REFUSAL_INVALID_JSON, NULL},
    {"chat", "{" GOOD ",}", REFUSAL_INVALID_JSON, NULL},
    {"chat", "{" GOOD "}{}", REFUSAL_INVALID_JSON, NULL},
    {"chat", "null", REFUSAL_NOT_OBJECT, NULL},
    {"chat", "[]", REFUSAL_NOT_OBJECT, NULL},
    {"chat", "\"x\"", REFUSAL_NOT_OBJECT, NULL},
    {"chat", " 1", REFUSAL_NOT_OBJECT, NULL},
    {"chat", "{\"model\":\"\xff\"," M "}", REFUSAL_INVALID_UTF8, NULL},
    {"chat", "{" GOOD ",\"model\":\"dear\"}", REFUSAL_DUPLICATE_KEY, "model"},
    {"chat", "{" GOOD ",\"stream\":true,\"stream\":false}", REFUSAL_DUPLICATE_KEY, "stream"},
    {"chat", "{" GOOD ",\"max_tokens\":1,\"max_tokens\":9}", REFUSAL_DUPLICATE_KEY,
     "max_tokens"},
    {"chat", "{" GOOD ",\"mod\\u0065l\":\"dear\"}", REFUSAL_DUPLICATE_KEY, NULL},
    {"chat", "{" GOOD ",\"x\":1,\"x\":1}", REFUSAL_DUPLICATE_KEY, NULL},
    {"chat", "{" GOOD ",\"Model\":\"other\"}", REFUSAL_NONE, NULL},
    /* model */
    {"chat", "{" M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":null," M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":7," M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":[\"m\"]," M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":\"\"," M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":\"a\\nb\"," M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":\"a\\u0000\"," M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":\"a\\u000d\"," M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":\"\xc3\xa4\"," M "}", REFUSAL_NONE, NULL},
    {"chat", "{\"model\":\"\\u00e4\"," M "}", REFUSAL_NONE, NULL},
    {"chat", "{\"model\":\"\\u0085\"," M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":\"a/../b\"," M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":\"a\\/..\\/b\"," M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":\"a/\\u002e.\"," M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":\"..\"," M "}", REFUSAL_INVALID_MODEL, "model"},
    {"chat", "{\"model\":\"accounts/f/models/a..b\"," M "}", REFUSAL_NONE, NULL},
    {"chat", "{\"model\":\"\\u0061\\/b\"," M "}", REFUSAL_NONE, NULL},
    /* messages */
    {"chat", "{\"model\":\"m\"}", REFUSAL_INVALID_MESSAGES, "messages"},
    {"chat", "{\"model\":\"m\",\"messages\":[]}", REFUSAL_INVALID_MESSAGES, "messages"},
    {"chat", "{\"model\":\"m\",\"messages\":{}}", REFUSAL_INVALID_MESSAGES, "messages"},
    {"chat", "{\"model\":\"m\",\"messages\":null}", REFUSAL_INVALID_MESSAGES, "messages"},
    {"chat", "{\"model\":\"m\",\"messages\":[{}]}", REFUSAL_NONE, NULL},
    /* stream and its options */
    {"chat", "{" GOOD ",\"stream\":null}", REFUSAL_NONE, NULL},
    {"chat", "{" GOOD ",\"stream\":\"true\"}", REFUSAL_INVALID_VALUE, "stream"},
    {"chat", "{" GOOD ",\"stream\":1}", REFUSAL_INVALID_VALUE, "stream"},
    {"chat", "{" GOOD ",\"stream_options\":{}}", REFUSAL_INVALID_VALUE, "stream_options"},
    {"chat", "{" GOOD ",\"stream\":false,\"stream_options\":{}}", REFUSAL_INVALID_VALUE,
     "stream_options"},
    {"chat", "{" GOOD ",\"stream_options\":null}", REFUSAL_NONE, NULL},
    {"chat", "{" GOOD ",\"stream_options\":{},\"stream\":true}", REFUSAL_NONE, NULL},
    {"chat", "{" GOOD ",\"stream\":true,\"stream_options\":[]}", REFUSAL_INVALID_VALUE,
     "stream_options"},
    {"chat", "{" GOOD ",\"stream\":true,\"stream_options\":{\"include_usage\":1}}",
     REFUSAL_INVALID_VALUE, "stream_options.include_usage"},
    /* numbers */
    {"chat", "{" GOOD ",\"n\":1}", REFUSAL_NONE, NULL},
    {"chat", "{" GOOD ",\"n\":128}", REFUSAL_NONE, NULL},
    {"chat", "{" GOOD ",\"n\":null}", REFUSAL_NONE, NULL},
    {"chat", "{" GOOD ",\"n\":0}", REFUSAL_INVALID_VALUE, "n"},
    {"chat", "{" GOOD ",\"n\":-1}", REFUSAL_INVALID_VALUE, "n"},
    {"chat", "{" GOOD ",\"n\":129}", REFUSAL_INVALID_VALUE, "n"},
    {"chat", "{" GOOD ",\"n\":1000000000}", REFUSAL_INVALID_VALUE, "n"},
    {"chat", "{" GOOD ",\"max_tokens\":0}", REFUSAL_INVALID_VALUE, "max_tokens"},
    {"chat", "{" GOOD ",\"max_tokens\":-1}", REFUSAL_INVALID_VALUE, "max_tokens"},
    {"chat", "{" GOOD ",\"max_tokens\":1.5}", REFUSAL_INVALID_VALUE, "max_tokens"},
    {"chat", "{" GOOD ",\"max_tokens\":\"10\"}", REFUSAL_INVALID_VALUE, "max_tokens"},
    {"chat", "{" GOOD ",\"max_tokens\":1e3}", REFUSAL_INVALID_VALUE, "max_tokens"},
    {"chat", "{" GOOD ",\"max_tokens\":9223372036854775808}", REFUSAL_INVALID_VALUE,
     "max_tokens"},
    {"chat", "{" GOOD ",\"max_tokens\":9223372036854775807}", REFUSAL_NONE, NULL},
    {"chat", "{" GOOD ",\"max_tokens\":null}", REFUSAL_NONE, NULL},
    {"chat", "{" GOOD ",\"max_completion_tokens\":0}", REFUSAL_INVALID_VALUE,
     "max_completion_tokens"},
    /* bodies of other APIs */
    {"chat", "{" GOOD ",\"max_tokens\":9,\"system\":\"s\"}", REFUSAL_DIALECT_MISMATCH, "system"},
    {"chat", "{" GOOD ",\"tools\":[{\"name\":\"f\",\"input_schema\":{}}]}",
     REFUSAL_DIALECT_MISMATCH, "tools"},
    {"chat", "{\"model\":\"m\",\"input\":\"x\"}", REFUSAL_DIALECT_MISMATCH, "input"},
    {"chat", "{\"contents\":[]}", REFUSAL_DIALECT_MISMATCH, "contents"},
    {"chat", "{" GOOD ",\"input\":\"x\"}", REFUSAL_NONE, NULL},
    /* responses */
    {"responses", "{\"model\":\"m\",\"input\":\"x\"}", REFUSAL_NONE, NULL},
    {"responses", "{\"model\":\"m\",\"prompt\":{\"id\":\"p\"}}", REFUSAL_NONE, NULL},
    {"responses", "{\"input\":\"x\"}", REFUSAL_INVALID_MODEL, "model"},
    {"responses", "{\"model\":\"m\",\"input\":\"x\",\"max_output_tokens\":0}",
     REFUSAL_INVALID_VALUE, "max_output_tokens"},
    {"responses", "{" GOOD "}", REFUSAL_DIALECT_MISMATCH, "messages"},
    /* completions */
    {"completions", "{\"model\":\"m\",\"prompt\":\"x\"}", REFUSAL_NONE, NULL},
    {"completions", "{\"model\":\"m\"}", REFUSAL_NONE, NULL},
    {"completions", "{" GOOD "}", REFUSAL_DIALECT_MISMATCH, "messages"},
    {"completions", "{\"model\":\"m\",\"prompt\":\"x\",\"n\":0}", REFUSAL_INVALID_VALUE, "n"},
    /* embeddings */
    {"embeddings", "{\"model\":\"m\",\"input\":[1,2]}", REFUSAL_NONE, NULL},
    {"embeddings", "{\"model\":\"m\"}", REFUSAL_INVALID_VALUE, "input"},
    {"embeddings", "{\"model\":\"m\",\"input\":null}", REFUSAL_INVALID_VALUE, "input"},
    {"embeddings", "{\"input\":\"x\"}", REFUSAL_INVALID_MODEL, "model"},
};

static void openai__judges_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(request_rows); i++) {
        const struct request_row *row = &request_rows[i];
        struct request request;
        struct refusal refusal = judge(op(row->operation), span_of(row->body), &request);

        print_message("%s %s\n", row->operation, row->body);
        assert_int_equal(refusal.kind, row->kind);
        if (row->param == NULL) {
            assert_null(refusal.param);
        } else {
            assert_non_null(refusal.param);
            assert_string_equal(refusal.param, row->param);
        }
    }
}

static void openai__bounds_model_metadata_and_messages(void **state)
{
    struct buf body;
    struct request request;

    (void)state;
    for (size_t len = 256; len <= 257; len++) {
        buf_init(&body, (size_t)1 << 20);
        buf_put_text(&body, "{" M ",\"model\":\"");
        for (size_t i = 0; i < len; i++) {
            buf_put_text(&body, "m");
        }
        buf_put_text(&body, "\"}");
        assert_int_equal(judge(op("chat"), buf_span(&body), &request).kind,
                         len == 256 ? REFUSAL_NONE : REFUSAL_INVALID_MODEL);
        buf_fini(&body);
    }
    for (size_t len = 16384 - 8; len <= 16384 - 7; len++) {
        buf_init(&body, (size_t)1 << 20);
        buf_put_text(&body, "{" GOOD ",\"metadata\":{\"a\":\"");
        for (size_t i = 0; i < len; i++) {
            buf_put_text(&body, "x");
        }
        buf_put_text(&body, "\"}}");
        struct refusal refusal = judge(op("chat"), buf_span(&body), &request);
        assert_int_equal(refusal.kind,
                         len == 16384 - 8 ? REFUSAL_NONE : REFUSAL_INVALID_VALUE);
        buf_fini(&body);
    }
    for (size_t count = 100000; count <= 100001; count++) {
        buf_init(&body, (size_t)1 << 20);
        buf_put_text(&body, "{\"model\":\"m\",\"messages\":[1");
        for (size_t i = 1; i < count; i++) {
            buf_put_text(&body, ",1");
        }
        buf_put_text(&body, "]}");
        assert_int_equal(judge(op("chat"), buf_span(&body), &request).kind,
                         count == 100000 ? REFUSAL_NONE : REFUSAL_INVALID_MESSAGES);
        buf_fini(&body);
    }
}

static void openai__reads_what_a_call_wants(void **state)
{
    struct request request;

    (void)state;
    (void)judge(op("chat"),
                SPAN_OF("{\"model\":\"a/b\"," M ",\"stream\":true,\"max_tokens\":5,"
                        "\"max_completion_tokens\":9,\"stream_options\":{\"include_usage\":true}}"),
                &request);
    assert_text(request.model_raw, "\"a/b\"");
    assert_true(request.is_stream);
    assert_true(request.app_wants_usage);
    assert_int_equal(request.output_cap, 9);
    (void)judge(op("chat"), SPAN_OF("{" GOOD ",\"max_tokens\":9,\"max_completion_tokens\":5}"),
                &request);
    assert_int_equal(request.output_cap, 9);
    (void)judge(op("responses"), SPAN_OF("{\"model\":\"m\",\"max_output_tokens\":7}"), &request);
    assert_int_equal(request.output_cap, 7);
    assert_false(request.is_stream);
    (void)judge(op("chat"), SPAN_OF("{" GOOD "}"), &request);
    assert_int_equal(request.output_cap, -1);
}

/* ---- edits ---- */

static const struct {
    const char *operation;
    const char *body;
    const char *model;
    bool asks_usage;
    const char *expected;
} edit_rows[] = {
    {"chat", "{" GOOD "}", "", true, "{" GOOD "}"},
    {"chat", "{" GOOD "}", "\"other\"", true, "{\"model\":\"other\"," M "}"},
    {"chat", "{" GOOD ",\"stream\":true}", "", false, "{" GOOD ",\"stream\":true}"},
    {"chat", "{" GOOD ",\"stream\":true}", "", true,
     "{" GOOD ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"},
    {"chat", "{" GOOD ",\"stream\":true }\n", "\"o\"", true,
     "{\"model\":\"o\"," M ",\"stream\":true ,\"stream_options\":{\"include_usage\":true}}\n"},
    {"chat", "{\"stream_options\":null,\"stream\":true," GOOD "}", "\"o\"", true,
     "{\"stream_options\":{\"include_usage\":true},\"stream\":true,\"model\":\"o\"," M "}"},
    {"chat", "{" GOOD ",\"stream\":true,\"stream_options\":{}}", "", true,
     "{" GOOD ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"},
    {"chat", "{" GOOD ",\"stream\":true,\"stream_options\":{ \"include_obfuscation\":false}}", "",
     true,
     "{" GOOD ",\"stream\":true,\"stream_options\":{\"include_usage\":true, "
     "\"include_obfuscation\":false}}"},
    {"chat", "{" GOOD ",\"stream\":true,\"stream_options\":{\"include_usage\":false}}", "", true,
     "{" GOOD ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"},
    {"chat", "{" GOOD ",\"stream\":true,\"stream_options\":{\"include_usage\":null}}", "", true,
     "{" GOOD ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"},
    {"chat", "{" GOOD ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}", "", true,
     "{" GOOD ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"},
    {"completions", "{\"model\":\"m\",\"stream\":true}", "", true,
     "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"},
    {"responses", "{\"model\":\"m\",\"stream\":true}", "\"o\"", true,
     "{\"model\":\"o\",\"stream\":true}"},
    {"embeddings", "{\"input\":\"x\",\"model\":\"m\"}", "\"o\"", true,
     "{\"input\":\"x\",\"model\":\"o\"}"},
};

static void openai__edits_only_the_spans_that_must_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(edit_rows); i++) {
        struct request request;

        assert_int_equal(
            judge(op(edit_rows[i].operation), span_of(edit_rows[i].body), &request).kind,
            REFUSAL_NONE);
        struct buf text =
            edited(&request, span_of(edit_rows[i].model), edit_rows[i].asks_usage);
        assert_text(buf_span(&text), edit_rows[i].expected);
        buf_fini(&text);
    }
}

/* ---- answers ---- */

/* Who answered is a name that prices know too: it is told without its escapes. */
static void openai__reads_escaped_models(void **state)
{
    static const char *const rows[][2] = {
        {"v\\/big", "v/big"},
        {"gpt\\u002d5", "gpt-5"},
        {"\\u00e9", "\xc3\xa9"},
        /* longer than any: as it stands */
        {"a\\/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "a\\/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct usage usage;
        struct buf text;
        struct answer answer;

        buf_init(&text, 1024);
        buf_put_format(&text, "{\"model\":\"%s\",\"choices\":[]}", rows[i][0]);
        answer = answer_of(op("chat"), buf_span(&text), &usage);
        if (answer.model.at >= text.at && answer.model.at < text.at + text.len) {
            assert_text(answer.model, rows[i][1]);
        } else { /* in the answer's own room, of which this one is a copy */
            assert_text(span_make(answer.model_room, answer.model.len), rows[i][1]);
        }
        buf_fini(&text);
    }
}

static void openai__reads_captured_answers(void **state)
{
    struct usage usage;

    (void)state;
    struct buf text = data_read("upstream/openai-chat.json");
    struct answer answer = answer_of(op("chat"), buf_span(&text), &usage);
    assert_true(answer.is_json && answer.has_result && !answer.is_failed);
    assert_false(answer.error.is_present);
    assert_text(answer.model, "lab-model");
    assert_int_equal(usage.tokens[TOKENS_INPUT], 9);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 5);
    assert_false(usage.is_anomalous);
    buf_fini(&text);
    text = data_read("upstream/openai-responses.json");
    answer = answer_of(op("responses"), buf_span(&text), &usage);
    assert_true(answer.is_json && answer.has_result && !answer.is_failed);
    assert_false(answer.error.is_present);
    assert_int_equal(usage.tokens[TOKENS_INPUT], 9);
    assert_int_equal(usage.tokens[TOKENS_CACHE_READ], 0);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 5);
    assert_int_equal(usage.reasoning, 0);
    assert_false(usage.is_anomalous);
    buf_fini(&text);
}

struct error_row {
    const char *operation;
    const char *body;
    const char *type;
    const char *code;
    const char *message;
    int64_t status;
};

static const struct error_row error_rows[] = {
    {"chat", "{\"error\":{\"message\":\"m\",\"type\":\"t\",\"param\":null,\"code\":null}}", "t", "",
     "m", 0},
    {"chat", "{\"error\":{\"code\":502,\"message\":\"m\"}}", "", "502", "m", 502},
    {"chat", "{\"error\":{\"code\":\"429\",\"message\":\"m\"}}", "", "429", "m", 429},
    {"chat", "{\"error\":{\"code\":429,\"message\":\"m\",\"status\":\"RESOURCE_EXHAUSTED\"}}",
     "RESOURCE_EXHAUSTED", "429", "m", 429},
    {"chat",
     "{\"error\":{\"code\":503,\"message\":\"m\",\"metadata\":{\"error_type\":\"provider_"
     "overloaded\"}}}",
     "provider_overloaded", "503", "m", 503},
    {"chat", "{\"error\":\"no such model\"}", "", "", "no such model", 0},
    {"chat", "{\"code\":\"c\",\"error\":\"m\"}", "", "c", "m", 0},
    {"chat", "{\"message\":\"Unauthorized\",\"request_id\":\"r\"}", "", "", "Unauthorized", 0},
    {"chat", "{\"object\":\"error\",\"message\":\"m\",\"type\":\"t\",\"code\":400}", "t", "400",
     "m", 400},
    {"chat", "{\"detail\":\"Unauthorized\"}", "", "", "Unauthorized", 0},
    {"chat", "{\"detail\":[{\"loc\":[],\"msg\":\"x\"}]}", "", "", "", 0},
    {"responses",
     "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"m\","
     "\"details\":{\"error_code\":\"ramp_limit_exceeded\"}},\"request_id\":\"r\"}",
     "rate_limit_error", "ramp_limit_exceeded", "m", 0},
    {"embeddings", "{\"error\":{\"message\":\"m\",\"type\":\"t\"}}", "t", "", "m", 0},
};

static void openai__understands_errors_in_every_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(error_rows); i++) {
        const struct error_row *row = &error_rows[i];
        struct usage usage;
        struct answer answer = answer_of(op(row->operation), span_of(row->body), &usage);

        print_message("%s\n", row->body);
        assert_true(answer.is_json);
        assert_false(answer.has_result);
        assert_true(answer.error.is_present);
        assert_text(answer.error.type, row->type);
        assert_text(answer.error.code, row->code);
        assert_text(answer.error.message, row->message);
        assert_int_equal(answer.error.status, row->status);
    }
}

static void openai__tells_results_from_what_is_none(void **state)
{
    static const struct {
        const char *operation;
        const char *body;
        bool is_json;
        bool has_result;
        bool is_failed;
        bool has_error;
    } rows[] = {
        {"chat", "", false, false, false, false},
        {"chat", "<html>", false, false, false, false},
        {"chat", "[]", false, false, false, false},
        {"chat", "{\"choices\":", false, false, false, false},
        {"chat", "{}", true, false, false, false},
        {"chat", "{\"choices\":null}", true, false, false, false},
        {"chat", "\n\n{\"choices\":[{}],\"error\":null}", true, true, false, false},
        {"chat", "{\"choices\":[{}],\"message\":\"hi\"}", true, true, false, false},
        {"chat", "{\"choices\":[{}],\"choices\":[{}]}", true, true, false, false},
        {"responses", "{\"output\":[],\"status\":\"queued\",\"error\":null}", true, true, false,
         false},
        {"responses",
         "{\"output\":[],\"status\":\"failed\",\"error\":{\"code\":\"server_error\","
         "\"message\":\"m\"}}",
         true, true, true, true},
        {"embeddings", "{\"data\":[{}]}", true, true, false, false},
        {"embeddings", "{\"data\":{}}", true, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct usage usage;
        struct answer answer = answer_of(op(rows[i].operation), span_of(rows[i].body), &usage);

        print_message("%s\n", rows[i].body);
        assert_int_equal(answer.is_json, rows[i].is_json);
        assert_int_equal(answer.has_result, rows[i].has_result);
        assert_int_equal(answer.is_failed, rows[i].is_failed);
        assert_int_equal(answer.error.is_present, rows[i].has_error);
    }
}

static void openai__reads_usage_of_servers_that_differ(void **state)
{
    static const struct {
        const char *body;
        struct brief_usage expected;
    } rows[] = {
        {"{\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":7,"
         "\"prompt_tokens_details\":{\"cached_tokens\":60,\"cache_write_tokens\":10},"
         "\"completion_tokens_details\":{\"reasoning_tokens\":3},\"total_tokens\":107}}",
         {30, 60, 10, 7, 3, false}},
        {"{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":2,\"prompt_cache_hit_tokens\":4}}",
         {6, 4, -1, 2, -1, false}},
        {"{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":2,\"cached_tokens\":4}}",
         {6, 4, -1, 2, -1, false}},
        {"{\"x_groq\":{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":2}}}",
         {10, -1, -1, 2, -1, false}},
        {"{\"choices\":[{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":2}}]}",
         {10, -1, -1, 2, -1, false}},
        {"{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1},\"x_groq\":{\"usage\":"
         "{\"prompt_tokens\":10,\"completion_tokens\":2}}}",
         {5, -1, -1, 1, -1, false}},
        {"{\"usage\":null}", {-1, -1, -1, -1, -1, false}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct usage usage;

        print_message("%s\n", rows[i].body);
        (void)answer_of(op("chat"), span_of(rows[i].body), &usage);
        assert_usage(&usage, &rows[i].expected);
    }
}

/* ---- streams ---- */

static void openai__reads_captured_chat_streams(void **state)
{
    struct stream stream;

    (void)state;
    struct walk walk = walk_file("upstream/openai-chat.sse", op("chat"), true, &stream);
    assert_int_equal(walk.events, 7);
    assert_int_equal(walk.opened_by, 1);
    assert_true(walk.is_terminal_last && stream.saw_finish && stream.saw_terminal);
    assert_int_equal(walk.hidden + walk.errors, 0);
    assert_int_equal(walk.usage.tokens[TOKENS_INPUT], -1);
    walk = walk_file("upstream/openai-chat-usage.sse", op("chat"), true, &stream);
    assert_int_equal(walk.hidden, 1);
    assert_int_equal(walk.usage.tokens[TOKENS_INPUT], 9);
    assert_int_equal(walk.usage.tokens[TOKENS_OUTPUT], 4);
    assert_true(walk.is_terminal_last && stream.saw_finish);
    walk = walk_file("upstream/openai-chat-usage.sse", op("chat"), false, &stream);
    assert_int_equal(walk.hidden, 0);
    assert_int_equal(walk.usage.tokens[TOKENS_OUTPUT], 4);
    walk = walk_file("upstream/openai-chat-error-in-stream.sse", op("chat"), true, &stream);
    assert_int_equal(walk.errors, 1);
    assert_string_equal(walk.error_type, "server_error");
    assert_false(stream.saw_finish);
    assert_false(stream.saw_terminal);
}

static void openai__reads_captured_response_streams(void **state)
{
    struct stream stream;

    (void)state;
    struct walk walk = walk_file("upstream/openai-responses.sse", op("responses"), true, &stream);
    assert_int_equal(walk.opened_by, 4);
    assert_true(walk.is_terminal_last && stream.saw_finish && stream.saw_terminal);
    assert_int_equal(walk.hidden + walk.errors, 0);
    assert_int_equal(walk.usage.tokens[TOKENS_INPUT], 9);
    assert_int_equal(walk.usage.tokens[TOKENS_CACHE_READ], 0);
    assert_int_equal(walk.usage.tokens[TOKENS_OUTPUT], 5);
    assert_int_equal(stream.sequence, 10);
    assert_text(span_make(stream.id, stream.id_len), "resp_lab1");
    walk = walk_file("upstream/openai-responses-failed.sse", op("responses"), true, &stream);
    assert_int_equal(walk.errors, 1);
    assert_true(walk.is_terminal_last);
    assert_false(stream.saw_finish);
}

struct event_row {
    const char *operation;
    bool saw_content; /* the gate is open already */
    const char *name;
    const char *data;
    bool content;
    bool finish;
    bool terminal;
    bool error;
    bool hide;
    bool usage;
};

#define CHUNK(delta) "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":" delta                    \
                     ",\"finish_reason\":null}],\"usage\":null}"
#define USAGE "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}"

static const struct event_row event_rows[] = {
    {"chat", false, "", NULL, 0, 0, 0, 0, 0, 0},
    {"chat", false, "", CHUNK("{\"role\":\"assistant\",\"content\":\"\"}"), 0, 0, 0, 0, 0, 0},
    {"chat", false, "", CHUNK("{\"role\":\"assistant\",\"refusal\":null}"), 0, 0, 0, 0, 0, 0},
    {"chat", false, "", CHUNK("{\"content\":\"x\"}"), 1, 0, 0, 0, 0, 0},
    {"chat", false, "", CHUNK("{\"content\":[{\"type\":\"text\"}]}"), 1, 0, 0, 0, 0, 0},
    {"chat", false, "", CHUNK("{\"refusal\":\"x\"}"), 1, 0, 0, 0, 0, 0},
    {"chat", false, "", CHUNK("{\"tool_calls\":[{\"index\":0}]}"), 1, 0, 0, 0, 0, 0},
    {"chat", false, "", CHUNK("{\"tool_calls\":[]}"), 0, 0, 0, 0, 0, 0},
    {"chat", false, "", CHUNK("{\"reasoning_content\":\"x\"}"), 1, 0, 0, 0, 0, 0},
    {"chat", false, "", CHUNK("{\"reasoning\":\"x\"}"), 1, 0, 0, 0, 0, 0},
    {"chat", false, "", CHUNK("{\"audio\":{\"data\":\"x\"}}"), 1, 0, 0, 0, 0, 0},
    {"chat", true, "", CHUNK("{\"content\":\"x\"}"), 1, 0, 0, 0, 0, 0},
    {"chat", true, "", CHUNK("{\"content\":\"\\\"error\\\":1, \\\"usage\\\":{\"}"), 1, 0, 0, 0, 0,
     0},
    {"chat", false, "", "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}", 0, 1, 0, 0, 0,
     0},
    {"chat", true, "", "{\"choices\":[{\"delta\":{},\"finish_reason\" : \"stop\"}]}", 0, 1, 0, 0,
     0, 0},
    {"chat", true, "", "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]," USAGE "}", 0, 1,
     0, 0, 0, 1},
    {"chat", true, "", "{\"choices\":[]," USAGE "}", 0, 0, 0, 0, 1, 1},
    {"chat", false, "", "{\"choices\":[]," USAGE "}", 0, 0, 0, 0, 1, 1},
    {"chat", false, "", "{\"choices\":[],\"prompt_filter_results\":[]}", 0, 0, 0, 0, 0, 0},
    {"chat", true, "", "{\"choices\":[],\"x_groq\":{" USAGE "}}", 0, 0, 0, 0, 1, 1},
    {"chat", true, "", "{\"error\":{\"message\":\"m\"}}", 0, 0, 0, 1, 0, 0},
    /* However a name is spelled. */
    {"chat", true, "", "{\"choices\":[],\"us\\u0061ge\":{\"completion_tokens\":1}}", 0, 0, 0, 0, 1, 1},
    {"chat", true, "", "{\"err\\u006fr\":{\"message\":\"m\"}}", 0, 0, 0, 1, 0, 0},
    {"chat", true, "", "{\"choices\":[{\"f\\u0069nish_reaso\\u006E\":\"stop\"}]}", 0, 1, 0, 0, 0, 0},
    /* Errors without a member `error` have no choices either, or are Groq's. */
    {"chat", true, "", "{\"object\":\"error\",\"message\":\"m\",\"code\":500}", 0, 0, 0, 1, 0, 0},
    {"chat", true, "", "{\"detail\":\"m\"}", 0, 0, 0, 1, 0, 0},
    {"chat", true, "", "{\"choices\":[{\"delta\":{}}],\"x_groq\":{\"error\":\"m\"}}", 0, 0, 0, 1, 0, 0},
    {"chat", false, "", "{\"choices\":[{\"delta\":{}}],\"x_groq\":{\"error\":\"m\"}}", 0, 0, 0, 1, 0, 0},
    {"chat", true, "", "{\"choices\":[{\"delta\":{}}],\"x_groq\":{\"error\":null,\"id\":\"x\"}}", 1, 0, 0, 0, 0, 0},
    {"chat", true, "", "{\"timings\":{}}", 0, 0, 0, 0, 0, 0},
    {"chat", false, "", "{\"error\":\"text\"}", 0, 0, 0, 1, 0, 0},
    {"chat", false, "", "{\"choices\":[],\"error\":null}", 0, 0, 0, 0, 0, 0},
    {"chat", false, "error", "{\"detail\":\"x\"}", 0, 0, 0, 1, 0, 0},
    {"chat", false, "error", "broken", 0, 0, 0, 1, 0, 0},
    {"chat", true, "error", "{\"x\":1}", 0, 0, 0, 1, 0, 0},
    {"chat", false, "", "[DONE]", 0, 0, 1, 0, 0, 0},
    {"chat", true, "", "[DONE]", 0, 0, 1, 0, 0, 0},
    {"chat", false, "", "{\"choices\":[{\"delta\":", 0, 0, 0, 0, 0, 0},
    {"completions", false, "", "{\"choices\":[{\"text\":\"x\",\"finish_reason\":null}]}", 1, 0, 0,
     0, 0, 0},
    {"completions", false, "", "{\"choices\":[{\"text\":\"\",\"finish_reason\":\"length\"}]}", 0, 1,
     0, 0, 0, 0},
    {"responses", false, "response.created", "{\"response\":{\"id\":\"r\"}}", 0, 0, 0, 0, 0, 0},
    {"responses", false, "response.queued", "{}", 0, 0, 0, 0, 0, 0},
    {"responses", false, "response.output_item.added", "{\"item\":{}}", 0, 0, 0, 0, 0, 0},
    {"responses", false, "response.content_part.added", "{}", 0, 0, 0, 0, 0, 0},
    {"responses", false, "response.output_text.delta", "{\"delta\":\"x\"}", 1, 0, 0, 0, 0, 0},
    {"responses", false, "", "{\"type\":\"response.output_text.delta\"}", 1, 0, 0, 0, 0, 0},
    {"responses", false, "", "{\"type\":\"response.in_progress\"}", 0, 0, 0, 0, 0, 0},
    {"responses", false, "response.new_thing", "{}", 1, 0, 0, 0, 0, 0},
    {"responses", true, "response.output_text.delta", "{\"delta\":\"x\"}", 1, 0, 0, 0, 0, 0},
    {"responses", true, "response.completed",
     "{\"response\":{\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}", 0, 1, 1, 0, 0, 1},
    {"responses", true, "response.incomplete", "{\"response\":{}}", 0, 1, 1, 0, 0, 0},
    {"responses", true, "", "{\"type\":\"response.completed\"}", 0, 1, 1, 0, 0, 0},
    {"responses", true, "response.failed",
     "{\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"m\"}}}", 0, 0, 1, 1, 0, 0},
    {"responses", false, "error", "{\"type\":\"error\",\"code\":\"c\",\"message\":\"m\"}", 0, 0, 0,
     1, 0, 0},
    {"responses", false, "", "{\"error\":{\"message\":\"m\"}}", 0, 0, 0, 1, 0, 0},
    {"responses", false, "response.failed", "broken", 0, 0, 1, 1, 0, 0},
    {"responses", false, "", "[DONE]", 0, 0, 0, 0, 0, 0},
};

static void openai__knows_what_an_event_means(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(event_rows); i++) {
        const struct event_row *row = &event_rows[i];
        struct stream stream;

        print_message("%s %s %s\n", row->operation, row->name,
                      row->data == NULL ? "-" : row->data);
        stream_init(&stream, op(row->operation), true);
        stream.saw_content = row->saw_content;
        struct event_view view = view_of(&stream, row->name, row->data);
        assert_int_equal(view.is_content, row->content);
        assert_int_equal(view.is_finish, row->finish);
        assert_int_equal(view.is_terminal, row->terminal);
        assert_int_equal(view.is_error, row->error);
        assert_int_equal(view.hide, row->hide);
        assert_int_equal(view.is_usage, row->usage);
        assert_int_equal(stream.saw_terminal, row->terminal);
        assert_int_equal(stream.saw_finish, row->finish);
    }
}

/* Deltas are not scanned once the answer is under way: their number goes on by counting. */
static void openai__counts_the_events_of_a_response(void **state)
{
    struct stream stream;

    (void)state;
    stream_init(&stream, op("responses"), false);
    (void)view_of(&stream, "response.created", "{\"sequence_number\":0}");
    (void)view_of(&stream, "response.output_text.delta", "{\"sequence_number\":1}");
    (void)view_of(&stream, "response.output_text.delta", "{\"sequence_number\":2}");
    (void)view_of(&stream, "response.output_text.delta", "{\"sequence_number\":3}");
    assert_int_equal(stream.sequence, 4);
}

static void answer__finds_members_that_are_not_null_without_a_scan(void **state)
{
    static const struct span names[] = {SPAN("usage"), SPAN("error"), SPAN("reason")};
    static const struct {
        const char *document;
        unsigned found;
    } rows[] = {
        {"", 0},
        {"{\"usage\":{}}", 1},
        {"{\"usage\" : 1}", 1},
        {"{\"a\":1,\"error\":\"x\"}", 2},
        {"{\"usage\":null,\"error\": 0}", 2},
        {"{\"reason\":1,\"error\":{\"usage\":1}}", 7},
        {"{\"usage\":null,\"error\": null}", 0},
        {"{\"a\":\"usage\"}", 0},
        {"{\"a\":\"\\\"usage\\\":{\"}", 0},
        {"{\"a\":\"\\\"us\\u0061ge\\\":{\"}", 0},
        {"{\"my_usage\":1}", 0},
        {"{\"usages\":1}", 0},
        {"{\"us\\u0061ge\":1,\"error\":1}", ANSWER_ESCAPED | 2},
        {"{\"\\u0075sage\" :1}", ANSWER_ESCAPED},
        {"{\"usag\\u0065\":1}", ANSWER_ESCAPED},
        {"{\"erro\\u0072\":1}", ANSWER_ESCAPED},
        {"{\"reaso\\u006e\":1}", ANSWER_ESCAPED},
        {"{\"reaso\\u006E\":1}", ANSWER_ESCAPED},
        {"{\"us\\u0061ge\":null}", 0},
        {"\"usage\":", 0},
        {":", 0},
        {"\":1", 0},
        {"\"\":1", 0},
        {"usage\":1", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        print_message("%s\n", rows[i].document);
        assert_int_equal(answer_members(span_of(rows[i].document), names, 3), rows[i].found);
    }
}

/* Wherever the eight bytes that are looked at together end. */
static void openai__finds_members_at_any_place(void **state)
{
    static const struct span names[] = {SPAN("usage")};
    char text[128];

    (void)state;
    for (int pad = 0; pad < 40; pad++) {
        int size = snprintf(text, sizeof text, "{\"%.*s\":1,\"usage\":1}", pad,
                            "::::::::::::::::::::::::::::::::::::::::");
        struct span document = span_make(text, (size_t)size);

        assert_int_equal(answer_members(document, names, 1), 1);
        document.len -= 3; /* without `:1}` */
        assert_int_equal(answer_members(document, names, 1), 0);
    }
}

static void openai__shows_usage_to_an_app_that_asked(void **state)
{
    struct stream stream;

    (void)state;
    stream_init(&stream, op("chat"), false);
    struct event_view view = view_of(&stream, "", "{\"choices\":[]," USAGE "}");
    assert_true(view.is_usage);
    assert_false(view.hide);
}

static void openai__lets_the_last_usage_of_a_stream_win(void **state)
{
    struct stream stream;
    struct usage usage;

    (void)state;
    stream_init(&stream, op("chat"), true);
    (void)view_of(&stream, "",
                  "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":8}}");
    (void)view_of(&stream, "",
                  "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":5}}");
    meter_usage(&stream.meter, true, &usage);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 5);
    assert_true(usage.is_anomalous);
}

static void openai__sees_the_end_of_a_terminal_event_too_large_to_hold(void **state)
{
    struct json_scan *scan = json_scan_new();
    struct stream stream;
    struct event_view view;
    struct sse_event piece = {.raw = SPAN_OF("event: response.completed\ndata: {\"x"),
                              .is_piece = true};

    (void)state;
    stream_init(&stream, op("responses"), false);
    stream.operation->read_event(&stream, scan, &piece, &view);
    assert_true(view.is_content);
    assert_false(view.is_terminal);
    piece.raw = SPAN_OF("y\"}\n\n");
    piece.is_last_piece = true;
    stream.operation->read_event(&stream, scan, &piece, &view);
    assert_true(view.is_terminal && view.is_finish);
    piece.raw = SPAN_OF("event: response.image\n");
    stream.operation->read_event(&stream, scan, &piece, &view);
    assert_false(view.is_terminal);
    json_scan_free(scan);
}

/* An image in the answer makes its terminal event larger than what is held; what was used is told there
 * alone. */
static void openai__finds_the_usage_at_the_end_of_a_large_event(void **state)
{
    struct json_scan *scan = json_scan_new();
    struct stream stream;
    struct usage usage;
    struct event_view view = {0};
    struct sse_event event;
    struct sse sse;
    struct buf bytes;
    struct span rest;

    (void)state;
    buf_init(&bytes, 1 << 22);
    buf_put_text(&bytes, "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":"
                         "{\"output\":[{\"usage\":{\"input_tokens\":1},\"result\":\"");
    for (size_t i = 0; i < 1500000; i++) {
        buf_put_char(&bytes, (char)('a' + i % 26));
    }
    buf_put_text(&bytes,
                 "\"}],\"text\":\"\\\"usage\\\":{\",\"service_tier\":\"flex\",\"usage\" : {\"input_tokens\":71,"
                 "\"input_tokens_details\":{\"cached_tokens\":11},\"output_tokens\":1029,"
                 "\"output_tokens_details\":{\"reasoning_tokens\":5},\"total_tokens\":1100},"
                 "\"user\":\"\\\"usage\\\":{}\",\"metadata\":{}}}\n\n");
    stream_init(&stream, op("responses"), false);
    sse_init(&sse, 1 << 20, 1 << 25);
    rest = buf_span(&bytes);
    while (rest.len > 0) {
        struct span piece = span_make(rest.at, rest.len < 9000 ? rest.len : 9000);

        rest = span_from(rest, piece.len);
        while (sse_feed(&sse, &piece, &event) == SSE_EVENT) {
            stream.operation->read_event(&stream, scan, &event, &view);
            assert_int_equal(view.is_usage, event.is_last_piece);
        }
    }
    assert_true(view.is_terminal && stream.saw_terminal);
    meter_usage(&stream.meter, true, &usage);
    assert_int_equal(usage.tokens[TOKENS_INPUT], 60);
    assert_int_equal(usage.tokens[TOKENS_CACHE_READ], 11);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 1029);
    assert_int_equal(usage.reasoning, 5);
    assert_false(usage.is_anomalous);
    assert_true(span_equal(usage_word_span(&usage.tier), SPAN_OF("flex")));
    sse_fini(&sse);
    buf_fini(&bytes);
    json_scan_free(scan);
}

/* ---- writing ---- */

static void openai__writes_errors_in_its_own_form(void **state)
{
    static const struct refusal refusal = {
        .kind = REFUSAL_INVALID_VALUE, .param = "n", .hint = "say \"n\""};
    struct stream stream;
    struct buf out;

    (void)state;
    buf_init(&out, 65536);
    dialect_openai.write_error(&out, &refusal, SPAN_OF("req-1"));
    assert_text(buf_span(&out),
                "{\"error\":{\"message\":\"headgate: a member has a value that is not allowed. "
                "say \\\"n\\\"\",\"type\":\"invalid_request_error\",\"param\":\"n\","
                "\"code\":\"invalid_value\"}}");
    buf_clear(&out);
    stream_init(&stream, op("chat"), false);
    dialect_openai.write_stream_error(&out, &stream,
                                      &(struct refusal){.kind = REFUSAL_UPSTREAM_IDLE});
    assert_text(buf_span(&out),
                "data: {\"error\":{\"message\":\"headgate: the provider stopped sending\","
                "\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_idle\"}}\n\n");
    buf_clear(&out);
    dialect_openai.write_stream_end(&out, &stream);
    assert_text(buf_span(&out), "data: [DONE]\n\n");
    buf_fini(&out);
}

static void openai__writes_response_failed_with_the_id_in_use(void **state)
{
    struct json_scan *scan = json_scan_new();
    struct stream stream;
    struct stream reader;
    struct buf out;

    (void)state;
    buf_init(&out, 65536);
    stream_init(&stream, op("responses"), false);
    (void)view_of(&stream, "response.created",
                  "{\"sequence_number\":3,\"response\":{\"id\":\"resp_1\"}}");
    dialect_openai.write_stream_error(&out, &stream,
                                      &(struct refusal){.kind = REFUSAL_UPSTREAM_IDLE});
    assert_text(buf_span(&out),
                "event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":4,"
                "\"response\":{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"failed\","
                "\"error\":{\"code\":\"upstream_idle\",\"message\":\"headgate: the provider "
                "stopped sending\"},\"incomplete_details\":null,\"output\":[],"
                "\"usage\":null}}\n\n");
    stream_init(&reader, op("responses"), false);
    struct walk walk = walk_stream(&reader, scan, buf_span(&out));
    assert_int_equal(walk.errors, 1);
    assert_true(walk.is_terminal_last);
    buf_clear(&out);
    dialect_openai.write_stream_end(&out, &stream);
    assert_int_equal(out.len, 0);
    buf_fini(&out);
    json_scan_free(scan);
}

static void openai__writes_the_model_list(void **state)
{
    static const struct span routes[] = {SPAN("smart"), SPAN("a\"b")};
    struct buf out;

    (void)state;
    buf_init(&out, 65536);
    dialect_openai.write_models(&out, routes, 2, SPAN_OF("{\"id\":\"x\"},{\"id\":\"y\"}"));
    assert_text(buf_span(&out),
                "{\"object\":\"list\",\"data\":["
                "{\"id\":\"smart\",\"object\":\"model\",\"created\":0,\"owned_by\":\"headgate\"},"
                "{\"id\":\"a\\\"b\",\"object\":\"model\",\"created\":0,\"owned_by\":\"headgate\"},"
                "{\"id\":\"x\"},{\"id\":\"y\"}]}");
    buf_clear(&out);
    dialect_openai.write_models(&out, NULL, 0, span_make(NULL, 0));
    assert_text(buf_span(&out), "{\"object\":\"list\",\"data\":[]}");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openai__judges_bodies),
        cmocka_unit_test(openai__bounds_model_metadata_and_messages),
        cmocka_unit_test(openai__reads_what_a_call_wants),
        cmocka_unit_test(openai__edits_only_the_spans_that_must_change),
        cmocka_unit_test(openai__reads_escaped_models),
        cmocka_unit_test(openai__reads_captured_answers),
        cmocka_unit_test(openai__understands_errors_in_every_spelling),
        cmocka_unit_test(openai__tells_results_from_what_is_none),
        cmocka_unit_test(openai__reads_usage_of_servers_that_differ),
        cmocka_unit_test(openai__reads_captured_chat_streams),
        cmocka_unit_test(openai__reads_captured_response_streams),
        cmocka_unit_test(openai__knows_what_an_event_means),
        cmocka_unit_test(openai__counts_the_events_of_a_response),
        cmocka_unit_test(answer__finds_members_that_are_not_null_without_a_scan),
        cmocka_unit_test(openai__finds_members_at_any_place),
        cmocka_unit_test(openai__shows_usage_to_an_app_that_asked),
        cmocka_unit_test(openai__lets_the_last_usage_of_a_stream_win),
        cmocka_unit_test(openai__sees_the_end_of_a_terminal_event_too_large_to_hold),
        cmocka_unit_test(openai__finds_the_usage_at_the_end_of_a_large_event),
        cmocka_unit_test(openai__writes_errors_in_its_own_form),
        cmocka_unit_test(openai__writes_response_failed_with_the_id_in_use),
        cmocka_unit_test(openai__writes_the_model_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
