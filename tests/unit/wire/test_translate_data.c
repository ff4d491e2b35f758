/* SPDX-License-Identifier: Apache-2.0 */
/* The app's own data in a translation: schemas, arguments and labels go on byte for byte. */
#include "translate_members.h"

/* Numbers that no double holds, names in no order, escapes and blanks as nobody would write them. */
#define ODD                                                                                                            \
    "{ \"type\" : \"object\",\"z\":1.0,\"a\":1E+5 ,\"big\":123456789012345678901234567890,\"tiny\":0.10000000000000000000001," \
    "\"neg\":-0,\"\\u006bey\":\"\\u00e9\\/\xc3\xa9\\ud83d\\ude00\",\"n\":null,\"deep\":{\"z\":[1.50,[],{ }],\"a\":false}}"

static struct span in_string(struct buf *out, const char *text)
{
    buf_clear(out);
    json_escape(out, span_of(text));
    return buf_span(out);
}

/* A request that has it as the schema of a tool, as that of the answer, and as what a tool was called with. */
static void put_odd(struct buf *out, const char *side)
{
    struct buf escaped;
    struct span arguments;

    buf_init(&escaped, MEMBER_BODY_MAX);
    arguments = in_string(&escaped, ODD);
    if (strcmp(side, "chat") == 0) {
        buf_put_format(out,
                       "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":null,"
                       "\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"%.*s\"}}]},"
                       "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"b\"}],\"tools\":[{\"type\":\"function\",\"function\":"
                       "{\"name\":\"f\",\"parameters\":%s}}],\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
                       "\"o\",\"schema\":%s}},\"metadata\":%s}",
                       SPAN_ARGS(arguments), ODD, ODD, ODD);
    } else if (strcmp(side, "responses") == 0) {
        buf_put_format(out,
                       "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"a\"},{\"type\":\"function_call\",\"call_id\":"
                       "\"call_1\",\"name\":\"f\",\"arguments\":\"%.*s\"},{\"type\":\"function_call_output\",\"call_id\":\"call_1\","
                       "\"output\":\"b\"}],\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":%s}],\"text\":{\"format\":"
                       "{\"type\":\"json_schema\",\"name\":\"o\",\"schema\":%s}},\"metadata\":%s}",
                       SPAN_ARGS(arguments), ODD, ODD, ODD);
    } else if (strcmp(side, "messages") == 0) {
        buf_put_format(out,
                       "{\"model\":\"m\",\"max_tokens\":2000,\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\","
                       "\"content\":[{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":%s}]},{\"role\":\"user\","
                       "\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_1\",\"content\":\"b\"}]}],\"tools\":[{\"name\":"
                       "\"f\",\"input_schema\":%s}],\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":%s}}}",
                       ODD, ODD, ODD);
    } else {
        buf_put_format(out,
                       "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"}]},{\"role\":\"model\",\"parts\":[{"
                       "\"functionCall\":{\"name\":\"f\",\"args\":%s}}]},{\"role\":\"user\",\"parts\":[{\"functionResponse\":{"
                       "\"name\":\"f\",\"response\":{\"output\":\"b\"}}}]}],\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\","
                       "\"parametersJsonSchema\":%s}]}],\"generationConfig\":{\"responseMimeType\":\"application/json\","
                       "\"responseJsonSchema\":%s}}",
                       ODD, ODD, ODD);
    }
    buf_fini(&escaped);
}

static unsigned count_of(struct span text, struct span needle)
{
    unsigned count = 0;

    for (const char *at = span_find(text, needle); at != NULL; at = span_find(text, needle)) {
        text = span_from(text, (size_t)(at - text.at) + needle.len);
        count++;
    }
    return count;
}

static void data__of_the_app_is_carried_byte_for_byte(void **state)
{
    static const char *const models[] = {"gpt-4.1", "gpt-4.1", "claude-sonnet-4-5", "gemini-4-argon"};
    static const char *const sides[] = {"chat", "responses", "messages", "generate"};
    struct json_scan *scan = json_scan_new();
    struct buf body;
    struct buf escaped;

    (void)state;
    buf_init(&body, MEMBER_BODY_MAX);
    buf_init(&escaped, MEMBER_BODY_MAX);
    for (size_t i = 0; i < 16; i++) {
        struct rig_side from = rig_side_of(sides[i / 4]);
        struct rig_side to = rig_side_of(sides[i % 4]);
        bool is_text = i % 4 < 2; /* what tools are called with is a string there */
        struct translation *translation = NULL;

        if (i / 4 == i % 4) {
            continue;
        }
        buf_clear(&body);
        put_odd(&body, from.name);
        assert_true(rig_accepts(&from, scan, buf_span(&body)));
        translation = rig_translate(&from, &to, models[i % 4], NULL, false, scan, buf_span(&body));
        print_message("%s to %s\n", from.name, to.name);
        assert_null(translation_refused(translation)->param);
        /* Both schemas, and the arguments or, between OpenAI's two, the labels. That of the answer Claude takes closed. */
        assert_int_equal(count_of(translation_body(translation), SPAN_OF(ODD)), is_text ? 2 + (i / 4 < 2) : i % 4 == 2 ? 2 : 3);
        assert_int_equal(count_of(translation_body(translation), in_string(&escaped, ODD)), is_text);
        translation_free(translation);
    }
    buf_fini(&body);
    buf_fini(&escaped);
    json_scan_free(scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data__of_the_app_is_carried_byte_for_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
