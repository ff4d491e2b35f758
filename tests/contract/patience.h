/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/patience.h: time limits on slow machines. */
#ifndef TESTS_CONTRACT_PATIENCE_H
#define TESTS_CONTRACT_PATIENCE_H

#include <stdint.h>

/* So many milliseconds or seconds, times HEADGATE_TEST_PATIENCE: 1 unless sanitizers or valgrind make
 * everything slower. */
uint32_t patient(uint32_t time);

#endif
