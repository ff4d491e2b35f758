/* SPDX-License-Identifier: Apache-2.0 */
/* What a quote reads in a request of Gemini, whose members stand elsewhere than those of others. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/must.h"
#include "router/quote.h"

static struct quote_request quoted_of(const char *body)
{
    struct json_scan *scan = json_scan_new();
    struct request request = {.dialect = &dialect_gemini,
                              .operation = &dialect_gemini.operations[0]};
    struct quote_request quoted;

    assert_int_equal(request.operation->read_request(scan, 1, span_of(body), &request).kind,
                     REFUSAL_NONE);
    request.dialect = &dialect_gemini;
    request.operation = &dialect_gemini.operations[0];
    quote_read(span_of(body), &request, &quoted);
    json_scan_free(scan);
    return quoted;
}

static void quote__reads_caps_and_candidates_of_gemini(void **state)
{
    struct quote_request quoted =
        quoted_of("{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":9,"
                  "\"candidateCount\":3,\"responseModalities\":[\"AUDIO\"]},"
                  "\"serviceTier\":\"flex\"}");

    (void)state;
    assert_int_equal(quoted.output_cap, 9);
    assert_int_equal(quoted.answers, 3);
    assert_true(quoted.has_output);
    assert_true(quoted.may_speak);
    assert_false(quoted.has_tools);
    assert_true(span_equal(usage_word_span(&quoted.tier), SPAN_OF("flex")));
    quoted = quoted_of("{\"contents\":[{}]}");
    assert_int_equal(quoted.output_cap, -1);
    assert_int_equal(quoted.answers, 1);
    assert_false(quoted.may_speak);
}

static void quote__tells_tools_of_google_from_those_of_the_app(void **state)
{
    static const struct {
        const char *tools;
        bool has;
        bool runs;
    } rows[] = {
        {"[]", true, false},
        {"[{\"functionDeclarations\":[{\"name\":\"f\"}]}]", true, false},
        {"[{\"function_declarations\":[]}]", true, false},
        {"[{\"functionDeclarations\":[],\"googleSearch\":{}}]", true, true},
        {"[{\"urlContext\":{}}]", true, true},
        {"[7,\"x\"]", true, false},
        {"{\"googleSearch\":{}}", false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buf body;
        struct quote_request quoted;

        buf_init(&body, 512);
        buf_put_format(&body, "{\"contents\":[{}],\"tools\":%s}", rows[i].tools);
        buf_put_char(&body, '\0');
        quoted = quoted_of(body.at);
        print_message("%s\n", rows[i].tools);
        assert_int_equal(quoted.has_tools, rows[i].has);
        assert_int_equal(quoted.runs_tools, rows[i].runs);
        buf_fini(&body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quote__reads_caps_and_candidates_of_gemini),
        cmocka_unit_test(quote__tells_tools_of_google_from_those_of_the_app),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
