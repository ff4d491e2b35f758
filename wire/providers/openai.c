/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAI itself (openai.md 1). */
#include "wire/provider.h"
#include "wire/providers/bearer.h"

const struct provider_kind provider_openai = {
    .name = "openai",
    .dialect = &dialect_openai,
    .base_url = "https://api.openai.com/v1",
    .key_variable = "OPENAI_API_KEY",
    .dress = bearer_dress,
};
