/* SPDX-License-Identifier: Apache-2.0 */
/* base/must.h: assertions that stay on in production, and the wrapped compiler attributes.
 * A failed must() is our bug: the process says where and stops. It is never used for bad input,
 * for want of memory or for what a provider did. */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))
#define FALLTHROUGH __attribute__((fallthrough))
#define NORETURN __attribute__((noreturn))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define PREFETCH(at) __builtin_prefetch(at)
#define PREFETCH_TO_WRITE(at) __builtin_prefetch(at, 1)

/* Stops the process with the text of the broken claim and its place. Never returns. */
NORETURN void must_fail(const char *claim, const char *file, int line);
/* The shipped program keeps the places alone, which lead to the claims: these would be 10 KB. */
NORETURN void must_fail_at(const char *file, int line);

#ifdef MUST_TELLS_PLACES
#define must(claim) (LIKELY(claim) ? (void)0 : must_fail_at(__FILE__, __LINE__))
#define UNREACHABLE() must_fail_at(__FILE__, __LINE__)
#else
#define must(claim) (LIKELY(claim) ? (void)0 : must_fail(#claim, __FILE__, __LINE__))
#define UNREACHABLE() must_fail("unreachable", __FILE__, __LINE__)
#endif

/* The number of elements of an array (not of a pointer). */
#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
