/* SPDX-License-Identifier: Apache-2.0 */
/* A body is prose or source code (5.4 to 5.5 bytes a token) inside JSON (2.7), see tokenizers.md 7.
 * Four bytes a token is above what a chat of western text takes, about right for tools and
 * Japanese, and below it only for digits and base64, which providers count by rules of their own
 * when they are images. Reading the body to know better would cost more than a wrong guess does:
 * the next answer reports what is left. */
#include "wire/estimate.h"

enum { BYTES_PER_TOKEN = 4, OUTPUT_DEFAULT = 1024 };

uint64_t estimate_input(size_t body_bytes)
{
    return body_bytes / BYTES_PER_TOKEN + (body_bytes % BYTES_PER_TOKEN != 0);
}

uint64_t estimate_output(int64_t output_cap)
{
    return output_cap < 0 ? OUTPUT_DEFAULT : (uint64_t)output_cap;
}
