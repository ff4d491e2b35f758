/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/wire/jansson_judge.h"

#include <jansson.h>
#include <string.h>

static json_error_t last;

/* Documents that are JSON but more than jansson can hold: U+0000 in a key, numbers out of the range
 * of its types, and surrogates that stand alone or in the wrong order. */
static int is_narrower(void)
{
    enum json_error_code code = json_error_code(&last);

    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
           strncmp(last.text, "invalid Unicode '\\u", strlen("invalid Unicode '\\u")) == 0;
}

enum jansson_verdict jansson_judge(const char *at, size_t len, const char **why)
{
    json_t *tree =
        json_loadb(at, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &last);

    *why = tree == NULL ? last.text : "good";
    if (tree == NULL) {
        return is_narrower() ? JANSSON_NARROWER : JANSSON_BAD;
    }
    json_decref(tree);
    return JANSSON_GOOD;
}
