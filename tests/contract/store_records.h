/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/store_records.h: the records that tests of the store keep: numbered from 0. */
#ifndef TESTS_CONTRACT_STORE_RECORDS_H
#define TESTS_CONTRACT_STORE_RECORDS_H

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "usage/record.h"

/* Its texts borrow from `id`. */
static inline struct record record_of(char id[32], uint64_t n)
{
    struct record record;

    (void)snprintf(id, 32, "call%llu-1", (unsigned long long)n);
    record_init(&record);
    record.texts[RECORD_ID] = span_make(id, strlen(id));
    record.numbers[RECORD_ATTEMPT] = (int64_t)n;
    record.numbers[RECORD_AT] = (int64_t)time(NULL) * 1000 - 1000;
    return record;
}

#endif
