/* SPDX-License-Identifier: Apache-2.0 */
/* Anthropic itself (anthropic.md 1). Keys may travel in either header; x-api-key is the one that
 * every API version and every compatible server takes. */
#include "wire/provider.h"

static void dress(struct buf *out, struct span key)
{
    buf_put_text(out, "x-api-key: ");
    buf_put(out, key);
    buf_put_text(out, "\r\n");
}

const struct provider_kind provider_anthropic = {
    .name = "anthropic",
    .dialect = &dialect_anthropic,
    .base_url = "https://api.anthropic.com/v1",
    .key_variable = "ANTHROPIC_API_KEY",
    .dress = dress,
};
