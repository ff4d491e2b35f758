/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/jansson_judge.h: what jansson says about a document. On its own, because its
 * header and ours use the same names. */
#ifndef TESTS_UNIT_WIRE_JANSSON_JUDGE_H
#define TESTS_UNIT_WIRE_JANSSON_JUDGE_H

#include <stddef.h>

enum jansson_verdict {
    JANSSON_GOOD,
    JANSSON_BAD,
    JANSSON_NARROWER /* refused, for a reason of its own: it proves nothing */
};

/* `why`: its own words, valid until the next call. */
enum jansson_verdict jansson_judge(const char *at, size_t len, const char **why);

#endif
