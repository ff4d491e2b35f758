/* SPDX-License-Identifier: Apache-2.0 */
/* Google's Developer API (gemini.md 1). Its paths begin with the version, which the app chooses. */
#include "wire/provider.h"

static void dress(struct buf *out, struct span key)
{
    buf_put_text(out, "x-goog-api-key: ");
    buf_put(out, key);
    buf_put_text(out, "\r\n");
}

const struct provider_kind provider_gemini = {
    .name = "gemini",
    .dialect = &dialect_gemini,
    .base_url = "https://generativelanguage.googleapis.com",
    .key_variable = "GEMINI_API_KEY",
    .key_variable_first = "GOOGLE_API_KEY",
    .dress = dress,
};
