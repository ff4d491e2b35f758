/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/clock.h: a test that links clock.c has a monotonic clock that can be put forward: for itself
 * and for its libraries, so that timers which would wait are due at once. The wall clock stays true. */
#ifndef TESTS_CONTRACT_CLOCK_H
#define TESTS_CONTRACT_CLOCK_H

#include <stdint.h>

/* Puts it forward. */
void clock_skip(uint64_t ms);
/* Of the clock that is never put forward. */
uint64_t clock_real_ms(void);

#endif
