/* SPDX-License-Identifier: Apache-2.0 */
/* Letter by letter; no locale, no patterns. */
#include "conf/names.h"

#include <string.h>

#include "base/limits.h"
#include "base/must.h"

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool name_is_plain(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!is_lower_alnum(c) && (i == 0 || (c != '.' && c != '_' && c != '-'))) {
            return false;
        }
    }
    return name.len >= 1 && name.len <= 64;
}

const char name_plain_rule[] =
    "1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\", beginning with a letter or digit";

const char name_model_rule[] =
    "must be 1 to 256 printable ASCII characters without blanks";

bool name_is_model(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] <= ' ' || name.at[i] >= 0x7f) {
            return false;
        }
    }
    return name.len >= 1 && name.len <= LIMIT_MODEL_NAME;
}

bool name_is_header(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool is_alnum = is_lower_alnum(c) || (c >= 'A' && c <= 'Z');

        if (!is_alnum && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
            return false;
        }
    }
    return name.len >= 1 && name.len <= 128;
}

bool name_is_managed_header(struct span name)
{
    static const struct span managed[] = {
        SPAN("host"),
        SPAN("content-length"),
        SPAN("transfer-encoding"),
        SPAN("connection"),
        SPAN("keep-alive"),
        SPAN("te"),
        SPAN("trailer"),
        SPAN("upgrade"),
        SPAN("expect"),
        SPAN("accept-encoding"),
        SPAN("authorization"),
        SPAN("x-api-key"),
        SPAN("api-key"),
        SPAN("x-goog-api-key"),
    };

    for (size_t i = 0; i < ARRAY_LENGTH(managed); i++) {
        if (span_equal(name, managed[i])) {
            return true;
        }
    }
    return span_starts(name, SPAN_OF("proxy-")) || span_starts(name, SPAN_OF("x-headgate-"));
}
