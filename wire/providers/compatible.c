/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever serves the OpenAI dialect plainly (openai-compatible.md): the address must be given, and
 * the key is written in the settings, because no variable belongs to all of them. */
#include "wire/provider.h"
#include "wire/providers/bearer.h"

const struct provider_kind provider_compatible = {
    .name = "compatible",
    .dialect = &dialect_openai,
    .dress = bearer_dress,
};
