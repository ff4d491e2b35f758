/* SPDX-License-Identifier: Apache-2.0 */
/* The Gemini dialect: bodies judged, answers and streams read, usage in its classes, edits, errors. */
#include "data.h"

#include "wire/path_model.h"
#include "wire/request.h"

static const struct operation *operation_at(const char *path)
{
    for (const struct operation *o = dialect_gemini.operations; o->name != NULL; o++) {
        if (span_equal(o->path, span_of(path))) {
            return o;
        }
    }
    fail_msg("no operation %s", path);
    UNREACHABLE();
}

static const struct operation *generate(void)
{
    return operation_at(":generateContent");
}

static const struct operation *streaming(void)
{
    return operation_at(":streamGenerateContent");
}

/* ---- requests ---- */

static void gemini__judges_bodies(void **state)
{
    static const struct {
        const char *body;
        enum refusal_kind kind;
        const char *param;
    } rows[] = {
        {"{\"contents\":[{\"parts\":[{\"text\":\"a\"}]}]}", REFUSAL_NONE, NULL},
        {"{\"contents\":[{}],\"model\":\"models/m\"}", REFUSAL_NONE, NULL},
        {"{\"contents\":[{}],\"model\":null,\"generationConfig\":null}", REFUSAL_NONE, NULL},
        {"{}", REFUSAL_INVALID_MESSAGES, "contents"},
        {"{\"contents\":[]}", REFUSAL_INVALID_MESSAGES, "contents"},
        {"{\"contents\":{}}", REFUSAL_INVALID_MESSAGES, "contents"},
        {"[]", REFUSAL_NOT_OBJECT, NULL},
        {"{\"messages\":[{}]}", REFUSAL_DIALECT_MISMATCH, "messages"},
        {"{\"contents\":[{}],\"model\":7}", REFUSAL_INVALID_MODEL, "model"},
        {"{\"contents\":[{}],\"model\":\"models/../x\"}", REFUSAL_INVALID_MODEL, "model"},
        {"{\"contents\":[{}],\"generationConfig\":[]}", REFUSAL_INVALID_VALUE, "generationConfig"},
        {"{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":\"9\"}}",
         REFUSAL_INVALID_VALUE, "generationConfig.maxOutputTokens"},
        {"{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":1e3}}",
         REFUSAL_INVALID_VALUE, "generationConfig.maxOutputTokens"},
        {"{\"contents\":[{}],\"generation_config\":{\"max_output_tokens\":0}}",
         REFUSAL_INVALID_VALUE, "generation_config.max_output_tokens"},
        {"{\"contents\":[{}],\"generationConfig\":{\"candidateCount\":1000}}",
         REFUSAL_INVALID_VALUE, "generationConfig.candidateCount"},
        {"{\"contents\":[{}],\"contents\":[{}]}", REFUSAL_DUPLICATE_KEY, "contents"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct request request;
        struct refusal refusal = judge(generate(), span_of(rows[i].body), &request);

        print_message("%s\n", rows[i].body);
        assert_int_equal(refusal.kind, rows[i].kind);
        if (rows[i].param == NULL) {
            assert_null(refusal.param);
        } else {
            assert_string_equal(refusal.param, rows[i].param);
        }
    }
}

static void gemini__knows_caps_and_counts_in_both_spellings(void **state)
{
    struct request request;

    (void)state;
    (void)judge(generate(),
                SPAN_OF("{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":5,"
                        "\"max_output_tokens\":9,\"candidateCount\":3}}"),
                &request);
    assert_int_equal(request.output_cap, 9);
    assert_int_equal(request.caps_count, 2);
    assert_int_equal(request.answers, 3);
    (void)judge(generate(), SPAN_OF("{\"contents\":[{}]}"), &request);
    assert_int_equal(request.output_cap, -1);
    assert_int_equal(request.answers, 1);
    assert_false(request.is_stream || request.is_bound);
    (void)judge(generate(), SPAN_OF("{\"contents\":[{}],\"continuationToken\":\"t\"}"), &request);
    assert_true(request.is_bound);
}

static void assert_edited(struct span body, const struct json_edit *edits, size_t count,
                          const char *expected)
{
    struct span pieces[JSON_PIECES_MAX];
    struct buf out;

    count = json_splice(body, edits, count, pieces);
    buf_init(&out, 1024);
    for (size_t i = 0; i < count; i++) {
        buf_put(&out, pieces[i]);
    }
    assert_text(buf_span(&out), expected);
    buf_fini(&out);
}

static void gemini__lowers_caps_where_they_stand(void **state)
{
    static const struct {
        const char *body;
        const char *expected;
    } rows[] = {
        {"{\"contents\":[{}]}", "{\"generationConfig\":{\"maxOutputTokens\":7},\"contents\":[{}]}"},
        {"{\"contents\":[{}],\"generationConfig\":{}}",
         "{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":7}}"},
        {"{\"contents\":[{}],\"generation_config\":{\"seed\":1}}",
         "{\"contents\":[{}],\"generation_config\":{\"maxOutputTokens\":7,\"seed\":1}}"},
        {"{\"contents\":[{}],\"generationConfig\":null}",
         "{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":7}}"},
        {"{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":8}}",
         "{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":7}}"},
        {"{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":6}}",
         "{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":6}}"},
        {"{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":null}}",
         "{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":7}}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct json_edit edits[REQUEST_CAPS_MAX];
        struct request request;
        struct buf text;
        size_t count = 0;

        buf_init(&text, 256);
        assert_int_equal(buf_reserve(&text, REQUEST_CAP_ROOM), ERR_NONE);
        assert_int_equal(judge(generate(), span_of(rows[i].body), &request).kind, REFUSAL_NONE);
        count = request_edit_cap(&request, span_of(generate()->cap), generate()->cap_home, 7,
                                 &text, edits);
        assert_true(text.len <= REQUEST_CAP_ROOM);
        assert_edited(request.body, edits, count, rows[i].expected);
        buf_fini(&text);
    }
}

static void gemini__renames_the_model_in_bodies_that_name_it(void **state)
{
    static const struct {
        const char *operation;
        const char *body;
        const char *model;
        const char *expected;
    } rows[] = {
        {":generateContent", "{\"contents\":[{}]}", "\"b\"", "{\"contents\":[{}]}"},
        {":generateContent", "{\"contents\":[{}],\"model\":\"models/a\"}", "\"b\"",
         "{\"contents\":[{}],\"model\":\"models/b\"}"},
        {":generateContent", "{\"contents\":[{}],\"model\":\"models/a\"}", "",
         "{\"contents\":[{}],\"model\":\"models/a\"}"},
        {":generateContent", "{\"contents\":[{}],\"model\":\"a\"}", "\"b\"",
         "{\"contents\":[{}],\"model\":\"b\"}"},
        {":embedContent", "{\"content\":{},\"model\":\"models/a\"}", "\"tunedModels/b\"",
         "{\"content\":{},\"model\":\"tunedModels/b\"}"},
        {":batchEmbedContents", "{\"requests\":[{\"model\":\"models/a\"}]}", "\"b\"",
         "{\"requests\":[{\"model\":\"models/b\"}]}"},
        {":batchEmbedContents",
         "{\"requests\":[{\"model\":\"models/a\"},{},7,{\"model\":\"models/b\"},{\"model\":\"c\"}]}",
         "\"b\"",
         "{\"requests\":[{\"model\":\"models/b\"},{},7,{\"model\":\"models/b\"},{\"model\":\"b\"}]}"},
        {":batchEmbedContents", "{\"requests\":[{\"model\":\"models/a\"}]}", "",
         "{\"requests\":[{\"model\":\"models/a\"}]}"},
        {":countTokens", "{\"generateContentRequest\":{\"model\":\"models/a\"}}", "\"b\"",
         "{\"generateContentRequest\":{\"model\":\"models/b\"}}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const struct operation *operation = operation_at(rows[i].operation);
        struct json_edit edits[JSON_EDITS_MAX];
        struct request request;

        assert_int_equal(judge(operation, span_of(rows[i].body), &request).kind, REFUSAL_NONE);
        assert_edited(request.body, edits,
                      operation->edits(&request, span_of(rows[i].model), true, edits),
                      rows[i].expected);
    }
}

static void path_model__writes_paths_that_end_where_they_should(void **state)
{
    static const struct {
        const char *model;
        const char *expected;
    } rows[] = {
        {"gemini-2.5-pro", "/models/gemini-2.5-pro:generateContent"},
        {"models/m", "/models/m:generateContent"},
        {"tunedModels/m", "/tunedModels/m:generateContent"},
        {"openai/gpt", "/models/openai/gpt:generateContent"},
        {"a?b#c%d\"\\", "/models/a%3Fb%23c%25d%22%5C:generateContent"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buf out;

        buf_init(&out, 256);
        path_model_put(&out, SPAN_OF(":generateContent"), span_of(rows[i].model));
        assert_text(buf_span(&out), rows[i].expected);
        assert_true(out.len <=
                    path_model_room(SPAN_OF(":generateContent"), span_of(rows[i].model)));
        buf_fini(&out);
    }
}

/* ---- usage ---- */

static void gemini__puts_each_token_in_one_class(void **state)
{
    struct usage usage;

    (void)state;
    (void)answer_of(generate(),
                    SPAN_OF("{\"candidates\":[{}],\"usageMetadata\":{\"promptTokenCount\":100,"
                            "\"cachedContentTokenCount\":40,\"toolUsePromptTokenCount\":7,"
                            "\"candidatesTokenCount\":20,\"thoughtsTokenCount\":30,"
                            "\"totalTokenCount\":157,\"serviceTier\":\"flex\","
                            "\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":60},"
                            "{\"modality\":\"AUDIO\",\"tokenCount\":30},"
                            "{\"modality\":\"IMAGE\",\"tokenCount\":10}],"
                            "\"cacheTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":25}],"
                            "\"candidatesTokensDetails\":[{\"modality\":\"AUDIO\","
                            "\"tokenCount\":4}]}}"),
                    &usage);
    assert_int_equal(usage.tokens[TOKENS_CACHE_READ], 40);
    assert_int_equal(usage.tokens[TOKENS_AUDIO_INPUT], 5);
    assert_int_equal(usage.tokens[TOKENS_IMAGE_INPUT], 10);
    assert_int_equal(usage.tokens[TOKENS_INPUT], 100 - 40 - 5 - 10 + 7);
    assert_int_equal(usage.tokens[TOKENS_AUDIO_OUTPUT], 4);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 46);
    assert_int_equal(usage.reasoning, 30);
    assert_text(usage_word_span(&usage.tier), "flex");
    assert_false(usage.is_anomalous);
}

static void gemini__takes_odd_figures_as_they_are(void **state)
{
    static const struct {
        const char *usage;
        int64_t input;
        int64_t output;
        bool is_anomalous;
    } rows[] = {
        {"{}", -1, -1, false},
        {"{\"promptTokenCount\":4,\"totalTokenCount\":4}", 4, -1, false},
        {"{\"promptTokenCount\":4,\"thoughtsTokenCount\":3,\"totalTokenCount\":7}", 4, 3, false},
        {"{\"promptTokenCount\":4,\"candidatesTokenCount\":3,\"totalTokenCount\":9}", 4, 3, true},
        {"{\"promptTokenCount\":-4,\"candidatesTokenCount\":3}", -1, 3, true},
        {"{\"promptTokenCount\":\"4\",\"candidatesTokenCount\":3}", -1, 3, true},
        {"{\"promptTokenCount\":4,\"cachedContentTokenCount\":9,\"candidatesTokenCount\":3}", 0, 3,
         true},
        {"{\"promptTokenCount\":4,\"promptTokensDetails\":[7,{\"modality\":7},"
         "{\"modality\":\"AUDIO\"},{\"modality\":\"AUDIO\",\"tokenCount\":\"x\"}]}",
         4, -1, false},
        {"[]", -1, -1, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct usage usage;
        struct buf body;

        buf_init(&body, 1024);
        buf_put_format(&body, "{\"candidates\":[{}],\"usageMetadata\":%s}", rows[i].usage);
        (void)answer_of(generate(), buf_span(&body), &usage);
        print_message("%s\n", rows[i].usage);
        assert_int_equal(usage.tokens[TOKENS_INPUT], rows[i].input);
        assert_int_equal(usage.tokens[TOKENS_OUTPUT], rows[i].output);
        assert_int_equal(usage.is_anomalous, rows[i].is_anomalous);
        buf_fini(&body);
    }
}

/* ---- answers ---- */

static void gemini__reads_answers_and_errors(void **state)
{
    static const struct {
        const char *body;
        bool is_json;
        bool has_result;
        const char *type; /* of the error; NULL: there is none */
        const char *code;
        int64_t status;
        const char *delay;
    } rows[] = {
        {"{\"candidates\":[{\"finishReason\":\"STOP\"}]}", true, true, NULL, NULL, 0, NULL},
        {"{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", true, true, NULL, NULL, 0, NULL},
        {"{\"candidates\":[],\"promptFeedback\":{\"blockReason\":\"OTHER\"}}", true, true, NULL,
         NULL, 0, NULL},
        {"{\"candidates\":[]}", true, false, NULL, NULL, 0, NULL},
        {"{}", true, false, NULL, NULL, 0, NULL},
        {"nonsense", false, false, NULL, NULL, 0, NULL},
        {"[]", false, false, NULL, NULL, 0, NULL},
        {"[7]", false, false, NULL, NULL, 0, NULL},
        {"{\"error\":{\"code\":429,\"message\":\"m\",\"status\":\"RESOURCE_EXHAUSTED\","
         "\"details\":[{\"@type\":\"x\",\"retryDelay\":\"17s\"}]}}",
         true, false, "RESOURCE_EXHAUSTED", "429", 429, "17s"},
        {" [{\"error\":{\"code\":400,\"message\":\"m\",\"status\":\"INVALID_ARGUMENT\","
         "\"details\":[7,{\"reason\":\"API_KEY_INVALID\"}]}}] ",
         true, false, "INVALID_ARGUMENT", "API_KEY_INVALID", 400, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct usage usage;
        struct answer answer = answer_of(generate(), span_of(rows[i].body), &usage);

        print_message("%s\n", rows[i].body);
        assert_int_equal(answer.is_json, rows[i].is_json);
        assert_int_equal(answer.has_result, rows[i].has_result);
        assert_int_equal(answer.error.is_present, rows[i].type != NULL);
        if (rows[i].type != NULL) {
            assert_text(answer.error.type, rows[i].type);
            assert_text(answer.error.code, rows[i].code);
            assert_int_equal(answer.error.status, rows[i].status);
            assert_text(answer.error.retry_delay, rows[i].delay);
        }
    }
}

static void gemini__reads_what_else_is_asked(void **state)
{
    static const struct {
        const char *operation;
        const char *body;
        bool has_result;
    } rows[] = {
        {":countTokens", "{\"totalTokens\":7}", true},
        {":countTokens", "{}", true},
        {":countTokens", "{\"error\":{\"code\":400}}", false},
        {":embedContent", "{\"embedding\":{\"values\":[1]}}", true},
        {":embedContent", "{}", false},
        {":batchEmbedContents", "{\"embeddings\":[]}", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const struct operation *operation = operation_at(rows[i].operation);
        struct usage usage;

        assert_int_equal(answer_of(operation, span_of(rows[i].body), &usage).has_result,
                         rows[i].has_result);
        assert_int_equal(usage.tokens[TOKENS_OUTPUT], -1);
    }
}

/* ---- streams ---- */

static void gemini__reads_a_stream_to_its_last_figures(void **state)
{
    struct stream stream;
    struct walk walk =
        walk_file("upstream/gemini-stream.sse", streaming(),
                  false, &stream);

    (void)state;
    assert_int_equal(walk.events, 3);
    assert_int_equal(walk.contents, 3);
    assert_int_equal(walk.opened_by, 0);
    assert_true(stream.saw_finish);
    assert_false(stream.saw_terminal);
    assert_int_equal(walk.usage.tokens[TOKENS_INPUT], 9);
    assert_int_equal(walk.usage.tokens[TOKENS_OUTPUT], 5);
    assert_text(stream_model(&stream), "lab-gemini");
}

static void gemini__reads_an_error_in_a_stream(void **state)
{
    struct stream stream;
    struct walk walk = walk_file("upstream/gemini-error-in-stream.sse",
                                 streaming(), false,
                                 &stream);

    (void)state;
    assert_int_equal(walk.errors, 1);
    assert_string_equal(walk.error_type, "UNAVAILABLE");
}

static void gemini__opens_the_gate_with_content_alone(void **state)
{
    static const struct {
        const char *parts;
        bool is_content;
    } rows[] = {
        {"[]", false},
        {"[{}]", false},
        {"[{\"text\":\"\"}]", false},
        {"[{\"text\":\"\",\"thoughtSignature\":\"c2ln\"}]", false},
        {"[{\"text\":\"a\"}]", true},
        {"[{\"thought\":true,\"text\":\"a\"}]", true},
        {"[{\"text\":\"\"},{\"functionCall\":{\"name\":\"f\"}}]", true},
        {"[{\"inlineData\":{\"data\":\"AA==\"}}]", true},
        {"[{\"executableCode\":{}}]", true},
        {"[{\"somethingNew\":{}}]", true},
        {"[7,\"x\",null,[]]", false},
        {"{\"text\":\"a\"}", false},
        {"7", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct stream stream;
        struct event_view view;
        struct buf data;

        stream_init(&stream, streaming(), false);
        buf_init(&data, 512);
        buf_put_format(&data, "{\"candidates\":[{\"content\":{\"parts\":%s}}]}", rows[i].parts);
        buf_put_char(&data, '\0');
        view = view_of(&stream, "", data.at);
        print_message("%s\n", rows[i].parts);
        assert_int_equal(view.is_content, rows[i].is_content);
        assert_int_equal(stream.saw_content, rows[i].is_content);
        assert_false(view.is_finish || view.is_terminal || view.is_error);
        buf_fini(&data);
    }
}

static void gemini__ends_with_a_reason_and_never_with_a_word(void **state)
{
    static const struct {
        const char *data;
        bool is_finish;
    } rows[] = {
        {"{\"candidates\":[{\"finishReason\":\"STOP\"}]}", true},
        {"{\"candidates\":[{\"finishReason\":\"CONTINUATION\",\"continuationToken\":\"c\"}]}", true},
        {"{\"candidates\":[{\"continuationToken\":\"c\"}]}", false},
        {"{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", true},
        {"{\"candidates\":[{}],\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", false},
        {"{\"usageMetadata\":{\"promptTokenCount\":1}}", false},
        {"[DONE]", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct stream stream;
        struct event_view view;

        stream_init(&stream, streaming(), false);
        view = view_of(&stream, "", rows[i].data);
        assert_int_equal(view.is_finish, rows[i].is_finish);
        assert_int_equal(stream.saw_finish, rows[i].is_finish);
        assert_false(view.is_terminal || view.is_content);
    }
}

/* An image may be larger than what is held: the end of its event still tells why and how much. */
static void gemini__reads_the_end_of_an_event_in_pieces(void **state)
{
    struct json_scan *scan = json_scan_new();
    struct sse_event event = {
        .raw = SPAN_OF("AAAA"),
        .is_piece = true,
        .is_last_piece = true,
        .end = SPAN_OF("AAAA\"}}]},\"finishReason\": \"STOP\"}],\"usageMetadata\": "
                       "{\"promptTokenCount\":3,\"candidatesTokenCount\":1290},\"responseId\":\"r\"}"),
    };
    struct stream stream;
    struct event_view view;

    (void)state;
    stream_init(&stream, streaming(), false);
    stream.operation->read_event(&stream, scan, &event, &view);
    assert_true(view.is_content && view.is_finish && view.is_usage);
    assert_int_equal(stream.meter.told[USAGE_OUTPUT], 1290);
    json_scan_free(scan);
}

static void gemini__tells_a_whole_answer_as_one_event(void **state)
{
    struct json_scan *scan = json_scan_new();
    const struct operation *operation = streaming();
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    assert_true(operation->unfold(
        scan, SPAN_OF("{\"candidates\":[\n{\"finishReason\":\"STOP\"}]}\n"), &out));
    assert_text(buf_span(&out), "data: {\"candidates\":[ {\"finishReason\":\"STOP\"}]}\r\n\r\n");
    buf_clear(&out);
    assert_false(operation->unfold(scan, SPAN_OF("{\"candidates\":[{}]}"), &out));
    assert_false(operation->unfold(scan, SPAN_OF("[{\"candidates\":[{}]}]"), &out));
    buf_fini(&out);
    json_scan_free(scan);
}

/* ---- out ---- */

static void gemini__says_no_in_googles_form(void **state)
{
    static const struct refusal refusal = {.kind = REFUSAL_BODY_REQUIRED};
    struct stream stream;
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    dialect_gemini.write_error(&out, &refusal, SPAN_OF("id"));
    assert_text(buf_span(&out),
                "{\"error\":{\"code\":400,\"message\":\"headgate: this path needs a JSON body with a "
                "Content-Length\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"@type\":"
                "\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"body_required\","
                "\"domain\":\"headgate\"}]}}");
    buf_clear(&out);
    stream_init(&stream, generate(), false);
    dialect_gemini.write_stream_end(&out, &stream);
    assert_int_equal(out.len, 0);
    dialect_gemini.write_stream_error(&out, &stream, &refusal);
    assert_true(span_starts(buf_span(&out), SPAN_OF("data: {\"error\":{\"code\":400")));
    assert_true(span_ends(buf_span(&out), SPAN_OF("}}\r\n\r\n")));
    buf_fini(&out);
}

static void gemini__lists_models(void **state)
{
    static const struct span names[] = {SPAN("a"), SPAN("b\"")};
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    dialect_gemini.write_models(&out, names, 2, SPAN_OF("{\"name\":\"models/c\"}"));
    assert_text(buf_span(&out),
                "{\"models\":[{\"name\":\"models/a\",\"displayName\":\"a\","
                "\"supportedGenerationMethods\":[\"generateContent\",\"countTokens\"]},"
                "{\"name\":\"models/b\\\"\",\"displayName\":\"b\\\"\","
                "\"supportedGenerationMethods\":[\"generateContent\",\"countTokens\"]},"
                "{\"name\":\"models/c\"}]}");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemini__judges_bodies),
        cmocka_unit_test(gemini__knows_caps_and_counts_in_both_spellings),
        cmocka_unit_test(gemini__lowers_caps_where_they_stand),
        cmocka_unit_test(gemini__renames_the_model_in_bodies_that_name_it),
        cmocka_unit_test(path_model__writes_paths_that_end_where_they_should),
        cmocka_unit_test(gemini__puts_each_token_in_one_class),
        cmocka_unit_test(gemini__takes_odd_figures_as_they_are),
        cmocka_unit_test(gemini__reads_answers_and_errors),
        cmocka_unit_test(gemini__reads_what_else_is_asked),
        cmocka_unit_test(gemini__reads_a_stream_to_its_last_figures),
        cmocka_unit_test(gemini__reads_an_error_in_a_stream),
        cmocka_unit_test(gemini__opens_the_gate_with_content_alone),
        cmocka_unit_test(gemini__ends_with_a_reason_and_never_with_a_word),
        cmocka_unit_test(gemini__reads_the_end_of_an_event_in_pieces),
        cmocka_unit_test(gemini__tells_a_whole_answer_as_one_event),
        cmocka_unit_test(gemini__says_no_in_googles_form),
        cmocka_unit_test(gemini__lists_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
