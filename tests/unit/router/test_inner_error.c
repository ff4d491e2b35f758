/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "router/inner_error.h"

static void inner_error__prefers_the_number_then_the_code_then_the_type(void **state)
{
    static const struct {
        int64_t number;
        struct span code, type;
        unsigned status;
    } rows[] = {
        {503, SPAN("rate_limit_exceeded"), SPAN("server_error"), 503},
        {0, SPAN("rate_limit_exceeded"), SPAN("server_error"), 429},
        {0, SPAN(""), SPAN("overloaded_error"), 529},
        {0, SPAN("insufficient_quota"), SPAN("invalid_request_error"), 429},
        {0, SPAN("nobody_knows"), SPAN("invalid_request_error"), 400},
        {0, SPAN(""), SPAN(""), 502},
        {200, SPAN(""), SPAN(""), 502},
        {99999, SPAN(""), SPAN("api_error"), 500},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct provider_error error = {.is_present = true,
                                       .status = rows[i].number,
                                       .code = rows[i].code,
                                       .type = rows[i].type};
        assert_int_equal(inner_error_status(&error), rows[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inner_error__prefers_the_number_then_the_code_then_the_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
