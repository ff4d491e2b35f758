/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in provider in the Gemini dialect, read by the readers that judge real ones. */
#include "data.h"

#include "wire/fixtures.h"

#define USER  "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hello there\"}]}]"
#define TOOLS "\"tools\":[{\"functionDeclarations\":[{\"name\":\"get_weather\",\"parametersJsonSchema\":" \
              "{\"type\":\"object\",\"required\":[\"city\"],\"properties\":{\"city\":{\"type\":\"string\"}}}}]}]"

static void ask(struct fixture *fixture, const char *line, const char *body)
{
    struct json_scan *scan = json_scan_new();
    struct fixture_order order = {.dialect = &dialect_gemini,
                                  .seed = 1,
                                  .number = 3,
                                  .head = span_of(line),
                                  .body = span_of(body)};

    fixture_init(fixture);
    assert_int_equal(fixture_write(fixture, scan, &order), ERR_NONE);
    json_scan_free(scan);
}

static void assert_has(const struct fixture *fixture, const char *text)
{
    if (span_find(buf_span(&fixture->payload), span_of(text)) == NULL) {
        fail_msg("'%s' is not in '%.*s'", text, SPAN_ARGS(buf_span(&fixture->payload)));
    }
}

static struct walk walk_it(const struct fixture *fixture, struct stream *stream)
{
    struct json_scan *scan = json_scan_new();

    assert_true(fixture->is_stream);
    stream_init(stream, operation_named(&dialect_gemini, "generate_content"), false);
    struct walk walk = walk_stream(stream, scan, buf_span(&fixture->payload));
    assert_int_equal(walk.events, fixture_events(fixture));
    assert_int_equal(walk.errors, 0);
    assert_true(stream->saw_finish);
    assert_false(stream->saw_terminal);
    json_scan_free(scan);
    return walk;
}

static void fixtures_gemini__answer_whole_and_streamed_alike(void **state)
{
    struct fixture whole;
    struct fixture streamed;
    struct stream stream;
    struct usage usage;

    (void)state;
    ask(&whole, "POST /v1beta/models/m-1:generateContent HTTP/1.1\r\n\r\n", "{" USER "}");
    struct answer answer = answer_of(operation_named(&dialect_gemini, "generate_content"),
                                     buf_span(&whole.payload), &usage);
    assert_true(answer.has_result);
    assert_has(&whole, "answering as m-1. The ");
    assert_text(answer.model, "m-1");
    ask(&streamed, "POST /v1/models/m-1:streamGenerateContent?alt=sse HTTP/1.1\r\n\r\n",
        "{" USER "}");
    struct walk walk = walk_it(&streamed, &stream);
    assert_int_equal(walk.contents, usage.tokens[TOKENS_OUTPUT]);
    assert_int_equal(walk.usage.tokens[TOKENS_OUTPUT], usage.tokens[TOKENS_OUTPUT]);
    assert_int_equal(walk.usage.tokens[TOKENS_INPUT], usage.tokens[TOKENS_INPUT]);
    assert_false(walk.usage.is_anomalous || usage.is_anomalous);
    assert_text(stream_model(&stream), "m-1");
    fixture_fini(&whole);
    fixture_fini(&streamed);
}

static void fixtures_gemini__stop_at_the_cap(void **state)
{
    struct fixture fixture;
    struct stream stream;

    (void)state;
    ask(&fixture, "POST /models/m:streamGenerateContent HTTP/1.1\r\n\r\n",
        "{" USER ",\"generationConfig\":{\"maxOutputTokens\":3}}");
    assert_int_equal(walk_it(&fixture, &stream).contents, 3);
    assert_has(&fixture, "\"finishReason\":\"MAX_TOKENS\"");
    fixture_fini(&fixture);
}

static void fixtures_gemini__give_each_candidate_its_own_text(void **state)
{
    struct fixture fixture;

    (void)state;
    ask(&fixture, "POST /models/m:generateContent HTTP/1.1\r\n\r\n",
        "{" USER ",\"generationConfig\":{\"candidateCount\":2}}");
    assert_has(&fixture, "\"index\":1");
    fixture_fini(&fixture);
}

static void fixtures_gemini__call_a_function_and_then_answer(void **state)
{
    struct fixture fixture;
    struct stream stream;

    (void)state;
    ask(&fixture, "POST /models/m:streamGenerateContent HTTP/1.1\r\n\r\n", "{" USER "," TOOLS "}");
    assert_int_equal(walk_it(&fixture, &stream).contents, 1);
    assert_has(&fixture, "{\"functionCall\":{\"name\":\"get_weather\",\"args\":{\"city\":");
    fixture_fini(&fixture);
    ask(&fixture, "POST /models/m:generateContent HTTP/1.1\r\n\r\n",
        "{\"contents\":[{\"parts\":[{\"functionResponse\":{\"name\":\"get_weather\"}}]}]," TOOLS
        "}");
    assert_has(&fixture, "{\"text\":\"");
    fixture_fini(&fixture);
    ask(&fixture, "POST /models/m:generateContent HTTP/1.1\r\n\r\n",
        "{" USER "," TOOLS ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"NONE\"}}}");
    assert_has(&fixture, "{\"text\":\"");
    fixture_fini(&fixture);
}

static void fixtures_gemini__serve_no_other_paths(void **state)
{
    static const struct {
        const char *line;
        const char *body;
        const char *says;
    } rows[] = {
        {"POST /v1/models/m:countTokens HTTP/1.1\r\n\r\n", "{" USER "}", "{\"totalTokens\":"},
        {"GET /v1beta/models?pageSize=1000 HTTP/1.1\r\n\r\n", "", "\"name\":\"models/demo\""},
        {"GET /v1beta/models/m:generateContent HTTP/1.1\r\n\r\n", "{}", "{\"error\":{\"code\":405,"},
        {"POST /v1beta/models/m:embedContent HTTP/1.1\r\n\r\n", "{}",
         "\"status\":\"NOT_FOUND\""},
        {"POST /v1beta/models/:generateContent HTTP/1.1\r\n\r\n", "{}", "\"code\":404"},
        {"POST /v1/models/m:generateContent HTTP/1.1\r\n\r\n", "[",
         "\"status\":\"INVALID_ARGUMENT\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct fixture fixture;

        ask(&fixture, rows[i].line, rows[i].body);
        assert_false(fixture.is_stream);
        assert_has(&fixture, rows[i].says);
        fixture_fini(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixtures_gemini__answer_whole_and_streamed_alike),
        cmocka_unit_test(fixtures_gemini__stop_at_the_cap),
        cmocka_unit_test(fixtures_gemini__give_each_candidate_its_own_text),
        cmocka_unit_test(fixtures_gemini__call_a_function_and_then_answer),
        cmocka_unit_test(fixtures_gemini__serve_no_other_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
