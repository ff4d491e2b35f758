/* SPDX-License-Identifier: Apache-2.0 */
/* Amazon Bedrock, which has two interfaces (bedrock.md 1): one in OpenAI's form, with a key of Bedrock's own and
 * ordinary SSE, and Converse, for all of its models, which takes AWS's signatures too. Of the first, models that are
 * served at /v1 instead of /openai/v1 need a base_url. A stream that nobody reads goes on and is billed
 * (budgets.md 11), so it is read to its figures. */
#include "wire/provider.h"
#include "wire/providers/bearer.h"

/* Bytes of a model's name, which may be an ARN, are escaped but for those that never are. */
static void put_model(struct buf *out, struct span model)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < model.len; i++) {
        unsigned char c = (unsigned char)model.at[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
            c == '.' || c == '~') {
            buf_put_char(out, (char)c);
        } else {
            buf_put_char(out, '%');
            buf_put_char(out, digits[c >> 4]);
            buf_put_char(out, digits[c & 15U]);
        }
    }
}

/* A name of dots alone would be another path: it is left out, and the path is none. */
static void put_target(struct buf *out, const struct provider_where *where)
{
    buf_put(out, where->base);
    if (where->model.len > 0 && !span_equal(where->model, SPAN_OF(".")) && !span_equal(where->model, SPAN_OF(".."))) {
        buf_put_text(out, "/model/");
        put_model(out, where->model);
    }
    buf_put(out, where->path);
}

static const struct provider_kind converse = {
    .name = "bedrock",
    .api = "converse",
    .dialect = &dialect_bedrock,
    .base_url = "https://bedrock-runtime.{region}.amazonaws.com",
    .key_variable = "AWS_BEARER_TOKEN_BEDROCK",
    .signs_for = "bedrock",
    .has_region = true,
    .drains = true,
    .dress = bearer_dress,
    .put_target = put_target,
};

const struct provider_kind provider_bedrock = {
    .name = "bedrock",
    .api = "openai",
    .other_api = &converse,
    .dialect = &dialect_openai,
    .base_url = "https://bedrock-mantle.{region}.api.aws/openai/v1",
    .key_variable = "AWS_BEARER_TOKEN_BEDROCK",
    .has_region = true,
    .drains = true,
    .dress = bearer_dress,
};
