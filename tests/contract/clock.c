/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/clock.c: see clock.h. The program's own clock_gettime comes before the C library's, also for
 * libevent. */
#define _GNU_SOURCE /* syscall */
#include "tests/contract/clock.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t skipped_ms;

void clock_skip(uint64_t ms)
{
    skipped_ms += ms;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    int rc = (int)syscall(SYS_clock_gettime, clock == CLOCK_MONOTONIC_COARSE ? CLOCK_MONOTONIC : clock, at);

    if (rc == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)) {
        at->tv_sec += (time_t)(skipped_ms / 1000);
        at->tv_nsec += (long)(skipped_ms % 1000) * 1000000;
        if (at->tv_nsec >= 1000000000) {
            at->tv_sec++;
            at->tv_nsec -= 1000000000;
        }
    }
    return rc;
}

uint64_t clock_real_ms(void)
{
    struct timespec at;

    (void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}
