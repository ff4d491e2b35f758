/* SPDX-License-Identifier: Apache-2.0 */
/* How complaints are kept and shown, and that no secret is shown with them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf/world.h"

static void complaint__is_printed_with_place_line_and_way_out(void **state)
{
    struct complaints complaints;

    (void)state;
    complaints_init(&complaints);
    complaint_help(complaint_add(&complaints, 2, 3, 6, "unknown key \"%s\"", "retrys"),
                   "did you mean \"%s\"?", "retry");
    complaint_add(&complaints, 0, 0, 1, "the file is odd");
    assert_string_equal(printed(&complaints, "a: 1\n  retrys: 2\r\n"),
                        "test.yaml: error: the file is odd\n"
                        "test.yaml:2:3: error: unknown key \"retrys\"\n"
                        "  2 |   retrys: 2\n"
                        "    |   ^~~~~~\n"
                        "  help: did you mean \"retry\"?\n");
}

static void complaint__order_is_by_place(void **state)
{
    struct complaints complaints;

    (void)state;
    complaints_init(&complaints);
    complaint_add(&complaints, 9, 1, 1, "e");
    complaint_add(&complaints, 2, 7, 1, "c");
    complaint_add(&complaints, 2, 3, 1, "b");
    complaint_add(&complaints, 3, 1, 1, "d");
    complaint_add(&complaints, 0, 0, 1, "a");
    assert_int_equal(complaints.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(complaints.list[i].text[0], "abcde"[i]);
    }
}

static void complaint__said_twice_is_kept_once(void **state)
{
    struct complaints complaints;

    (void)state;
    complaints_init(&complaints);
    assert_non_null(complaint_add(&complaints, 1, 1, 1, "same"));
    assert_null(complaint_add(&complaints, 1, 1, 1, "same"));
    assert_non_null(complaint_add(&complaints, 1, 1, 1, "other"));
    assert_non_null(complaint_add(&complaints, 1, 2, 1, "same"));
    assert_int_equal(complaints.count, 3);
    assert_int_equal(complaints.more, 0);
}

static void complaint__keeps_the_first_twenty_places_and_counts_the_rest(void **state)
{
    struct complaints complaints;

    (void)state;
    complaints_init(&complaints);
    for (uint32_t line = 25; line > 0; line--) {
        complaint_add(&complaints, line, 1, 1, "line %u", (unsigned)line);
    }
    assert_null(complaint_add(&complaints, 26, 1, 1, "later"));
    assert_int_equal(complaints.count, COMPLAINTS_MAX);
    assert_int_equal(complaints.more, 6);
    assert_int_equal(complaints.list[0].line, 1);
    assert_int_equal(complaints.list[19].line, 20);
    assert_non_null(strstr(printed(&complaints, ""), "\nand 6 more\n"));
}

static void complaint__shows_a_window_of_a_long_line(void **state)
{
    static char text[5000];
    struct complaints complaints;
    const char *shown = NULL;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[2999] = 'Y';
    complaints_init(&complaints);
    complaint_add(&complaints, 1, 3000, 4000, "here");
    shown = printed(&complaints, text);
    assert_true(strlen(shown) < 350);
    assert_non_null(strstr(shown, "  1 | ...xxxx"));
    assert_non_null(strstr(shown, "xxxx...\n"));
    /* The caret stands below the Y. */
    assert_int_equal(strcspn(strchr(shown, '\n') + 1, "Y"), strcspn(strrchr(shown, '|') - 4, "^"));
}

static void complaint__is_cut_and_never_overrun(void **state)
{
    static char text[1000];
    struct complaints complaints;
    struct complaint *complaint = NULL;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    complaints_init(&complaints);
    complaint = complaint_add(&complaints, 1, 1, 1, "%s", text);
    complaint_help(complaint, "%s", text);
    assert_int_equal(strlen(complaint->text), COMPLAINT_TEXT - 1);
    assert_string_equal(complaint->text + COMPLAINT_TEXT - 5, "x...");
    assert_string_equal(complaint->help + COMPLAINT_TEXT - 5, "x...");
}

static void complaint__quotes_foreign_bytes_safely(void **state)
{
    char out[QUOTE_SIZE];
    char longest[100];

    (void)state;
    memset(longest, 'x', sizeof longest);
    assert_string_equal(complaint_quote(SPAN_OF("a\x1b[31m\n\x7f"), out), "a?[31m??");
    assert_string_equal(complaint_quote(SPAN_OF(""), out), "");
    assert_string_equal(complaint_quote(SPAN_OF("sk-test-abc"), out), "sk-****");
    assert_string_equal(complaint_quote(SPAN_OF("token:abc"), out), "token:");
    assert_string_equal(complaint_quote(SPAN_OF("qwen3:8b"), out), "qwen3:8b");
    assert_int_equal(strlen(complaint_quote(span_make(longest, 68), out)), 68);
    assert_int_equal(strlen(complaint_quote(span_make(longest, 69), out)), 71);
    memcpy(longest + 67, "\xe2\x82\xac", 3);
    assert_int_equal(strlen(complaint_quote(span_make(longest, 100), out)), 70);
}

/* Each text is refused for some reason; what is shown must not hold the secret. */
static void complaint__never_shows_a_secret(void **state)
{
    static const char *const texts[] = {
        "version: 1\nproviders:\n  a: { kind: x, credential: SECRETvalue }\n",
        "version: 1\nproviders:\n  a: { kind: x, credential: \"SECRETvalue\" }\n",
        "version: 1\nproviders:\n  a: { credential: 'SECRETvalue', kind: openai, x: 1 }\n",
        "version: 1\nproviders:\n  a:\n    kind: openai\n    credential: |\n      SECRETvalue\n",
        "version: 1\nproviders:\n  a: { kind: openai, credential: { k: SECRETvalue } }\n",
        "version: 1\nproviders:\n  a: { kind: openai, credential: [ SECRETvalue ] }\n",
        "version: 1\nproviders:\n  a: { kind: openai, credentail: SECRETvalue }\n",
        "version: 1\nproviders:\n  a: { kind: openai, api_key: SECRETvalue }\n",
        "version: 1\nproviders:\n  a: { kind: openai, password: SECRETvalue }\n",
        "version: 1\nproviders:\n  a: { kind: openai, credential: \"SECRETvalue \" }\n",
        "version: 1\nproviders:\n  a: { kind: openai, credential: \"${NONE:-SECRETvalue}\", x: 1 "
        "}\n",
        "version: 1\nproviders:\n  a: { kind: openai, credential: \"SECRETvalue${NONE}\" }\n",
        "version: 1\nx-k: &k SECRETvalue\nproviders: { a: { kind: openai, credential: *k, x: 1 } "
        "}\n",
        "version: 1\nproviders: { a: { kind: openai, credential: &k SECRETvalue, ca_file: *k, y: 1 "
        "} }",
        "version: 1\nadmin: { token: SECRETvalue, x: 1 }\n",
        "version: 1\nadmin: { tokne: SECRETvalue }\n",
        "version: 1\nadmin: { token:SECRETvalue }\n",
        "version: 1\nproviders: { a: { kind: openai, credential:SECRETvalue } }\n",
        "version: 1\nproviders: { a: { kind: openai, crudentials_of_mine: SECRETvalue } }\n",
        "version: 1\nproviders: { a: { kind: openai, pw: SECRETvalue } }\n",
        "version: 1\nproviders: { a: { kind: openai, base_url: \"https://u:SECRETvalue@host\" } "
        "}\n",
        "version: 1\negress: { proxy: \"http://u:SECRETvalue@host:1\", x: 1 }\n",
        "version: 1\nkeys: sk-test-SECRETvalue\n",
        "version: 1\nsk-test-SECRETvalue: 1\n",
        "version: 1\nproviders:\n  a: { kind: openai, credential: SECRETvalue\n",
        "version: 1\nproviders:\n  a:\n    credential: \"SECRETvalue\n",
        "version: 1\nproviders:\n  a:\n    credential: SECRETvalue: 2\n",
        "version: 1\nproviders:\n  a:\n\t  credential: SECRETvalue\n",
        "version: 1\nproviders:\n  a: [ abcdefSECRETvalue0123, \"\n",
        "version: 1\nproviders:\n  a: { kind: openai, credential: SECRETvalue, credential: "
        "SECRETvalue }",
        "{\"version\":1,\"admin\":{\"token\":\"SECRETvalue\"},\"x\":1}",
        "{\"version\":1,\"providers\":{\"a\":{\"kind\":1,\"credential\":\"SECRETvalue\"}}}",
    };
    struct conf_world world = world_of(&usual_world);

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct complaints complaints;
        struct snapshot *snapshot = NULL;
        enum err err = conf_load(SPAN_OF("f"), span_of(texts[i]), &world, &complaints, &snapshot);

        assert_int_equal(err, ERR_CONFIG);
        if (strstr(printed(&complaints, texts[i]), "SECRET") != NULL) {
            fail_msg("shown:\n%s", printed(&complaints, texts[i]));
        }
    }
}

static void complaint__shows_references_in_place_of_secrets(void **state)
{
    (void)state;
    REFUSE(
        "version: 1\nproviders: { a: { kind: openai, x: 1, credential: \"${OPENAI_API_KEY}\" } }",
        "credential: \"${OPENAI_API_KEY}\"");
    REFUSE("version: 1\nproviders: { a: { kind: openai, x: 1, credential: passthrough } }",
           "credential: passthrough");
}

static void complaint__hides_all_lines_when_there_are_too_many_secrets(void **state)
{
    struct complaints complaints;

    (void)state;
    complaints_init(&complaints);
    for (uint32_t line = 1; line <= HIDDEN_MAX + 1; line++) {
        complaint_hide(&complaints, (struct hidden){line, 1, line, 9});
    }
    complaint_add(&complaints, HIDDEN_MAX + 1, 1, 1, "text");
    assert_null(strchr(printed(&complaints, "a\n"), '|'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complaint__is_printed_with_place_line_and_way_out),
        cmocka_unit_test(complaint__order_is_by_place),
        cmocka_unit_test(complaint__said_twice_is_kept_once),
        cmocka_unit_test(complaint__keeps_the_first_twenty_places_and_counts_the_rest),
        cmocka_unit_test(complaint__shows_a_window_of_a_long_line),
        cmocka_unit_test(complaint__is_cut_and_never_overrun),
        cmocka_unit_test(complaint__quotes_foreign_bytes_safely),
        cmocka_unit_test(complaint__never_shows_a_secret),
        cmocka_unit_test(complaint__shows_references_in_place_of_secrets),
        cmocka_unit_test(complaint__hides_all_lines_when_there_are_too_many_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
