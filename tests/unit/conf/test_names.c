/* SPDX-License-Identifier: Apache-2.0 */
/* What may be a name. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/must.h"
#include "conf/names.h"

static void names__of_providers_are_plain(void **state)
{
    static const char *const good[] = {"a", "0", "open-ai", "a.b_c-d9"};
    static const char *const bad[] = {"", "A", "-a", ".a", "_a", "a b", "a/b", "\xc3\xa4"};
    char longest[65];

    (void)state;
    memset(longest, 'a', sizeof longest);
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        assert_true(name_is_plain(span_of(good[i])));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_false(name_is_plain(span_of(bad[i])));
    }
    assert_true(name_is_plain(span_make(longest, 64)));
    assert_false(name_is_plain(span_make(longest, 65)));
}

static void names__of_models_are_printable_without_blanks(void **state)
{
    char longest[257];

    (void)state;
    memset(longest, '~', sizeof longest);
    assert_true(name_is_model(SPAN_OF("openai/gpt-5.4:free@x!*")));
    assert_true(name_is_model(span_make(longest, 256)));
    assert_false(name_is_model(span_make(longest, 257)));
    assert_false(name_is_model(SPAN_OF("")));
    assert_false(name_is_model(SPAN_OF("a b")));
    assert_false(name_is_model(SPAN_OF("a\x7f")));
    assert_false(name_is_model(SPAN_OF("\xc3\xa4")));
    assert_false(name_is_model(SPAN_OF("a\n")));
}

static void names__of_headers_are_tokens(void **state)
{
    (void)state;
    assert_true(name_is_header(SPAN_OF("X-Title")));
    assert_true(name_is_header(SPAN_OF("a!#$%&'*+-.^_`|~9")));
    assert_false(name_is_header(SPAN_OF("")));
    assert_false(name_is_header(SPAN_OF("a b")));
    assert_false(name_is_header(SPAN_OF("a:")));
    assert_false(name_is_header(SPAN_OF("a\0b")));
    assert_false(name_is_header(SPAN_OF("\xc3\xa4")));
}

static void names__of_headers_that_never_pass(void **state)
{
    static const char *const managed[] = {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "accept-encoding",
        "authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "proxy-authorization",
        "proxy-connection",
        "x-headgate-route",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(managed); i++) {
        assert_true(name_is_managed_header(span_of(managed[i])));
    }
    assert_false(name_is_managed_header(SPAN_OF("x-title")));
    assert_false(name_is_managed_header(SPAN_OF("hosts")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names__of_providers_are_plain),
        cmocka_unit_test(names__of_models_are_printable_without_blanks),
        cmocka_unit_test(names__of_headers_are_tokens),
        cmocka_unit_test(names__of_headers_that_never_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
