/* SPDX-License-Identifier: Apache-2.0 */
/* tests/lib/usage_seed.h: records by number: the same number is always the same record. */
#ifndef TESTS_LIB_USAGE_SEED_H
#define TESTS_LIB_USAGE_SEED_H

#include "usage/record.h"

#define SEED_T0 INT64_C(1795000000000) /* 2026-11-18T11:06:40Z */

struct seeded {
    struct record record;
    char texts[RECORD_TEXTS][64];
};

/* step_ms: how far two records' times are from each other, about. */
void seed_record(struct seeded *seeded, uint64_t n, uint64_t step_ms);

#endif
