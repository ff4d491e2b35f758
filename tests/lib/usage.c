/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing usage. */
#include "tests/lib/usage.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

void assert_usage(const struct usage *got, const struct brief_usage *expected)
{
    assert_int_equal(got->tokens[TOKENS_INPUT], expected->input);
    assert_int_equal(got->tokens[TOKENS_CACHE_READ], expected->cache_read);
    assert_int_equal(usage_cache_write(got), expected->cache_write);
    assert_int_equal(got->tokens[TOKENS_OUTPUT], expected->output);
    assert_int_equal(got->reasoning, expected->reasoning);
    assert_int_equal(got->is_anomalous, expected->is_anomalous);
    assert_int_equal(got->tokens[TOKENS_AUDIO_INPUT], -1);
    assert_int_equal(got->tokens[TOKENS_AUDIO_OUTPUT], -1);
}
