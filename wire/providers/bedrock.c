/* SPDX-License-Identifier: Apache-2.0 */
/* Amazon Bedrock by its endpoint in OpenAI's form, with a key of Bedrock's own and ordinary SSE
 * (bedrock.md 1). Models that are served at /v1 instead of /openai/v1 need a base_url. A stream that
 * nobody reads goes on and is billed (budgets.md 11), so it is read to its figures. */
#include "wire/provider.h"
#include "wire/providers/bearer.h"

const struct provider_kind provider_bedrock = {
    .name = "bedrock",
    .dialect = &dialect_openai,
    .base_url = "https://bedrock-mantle.{region}.api.aws/openai/v1",
    .key_variable = "AWS_BEARER_TOKEN_BEDROCK",
    .has_region = true,
    .drains = true,
    .dress = bearer_dress,
};
