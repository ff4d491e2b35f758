/* SPDX-License-Identifier: Apache-2.0 */
/* tests/lib/usage.h: the figures that most answers tell, in one line of a table. */
#ifndef TESTS_LIB_USAGE_H
#define TESTS_LIB_USAGE_H

#include "wire/usage.h"

/* -1: not told. All other classes of tokens are expected not to be told. */
struct brief_usage {
    int64_t input;
    int64_t cache_read;
    int64_t cache_write;
    int64_t output;
    int64_t reasoning;
    bool is_anomalous;
};
void assert_usage(const struct usage *got, const struct brief_usage *expected);

#endif
