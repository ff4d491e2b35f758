/* SPDX-License-Identifier: Apache-2.0 */
/* wire/estimate.h: how many tokens a request may take, guessed before anybody counts them: for what
 * is left of a provider's limits and for sharing out load. Never for money, and no bound. Pure. */
#ifndef WIRE_ESTIMATE_H
#define WIRE_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

/* Tokens of the whole body, markup included. */
uint64_t estimate_input(size_t body_bytes);
/* Tokens of the answer. `output_cap` as asked for; negative when nothing was asked. */
uint64_t estimate_output(int64_t output_cap);

#endif
