/* SPDX-License-Identifier: Apache-2.0 */
/* base/money.h: prices and sums of US dollars as whole numbers, and their text. A picodollar is
 * 10^-12 USD: a price of X USD per million tokens is X * 10^6 picodollars a token. A nanodollar is
 * 10^-9 USD, what budgets count. Decimal text never passes through a floating point number. */
#ifndef BASE_MONEY_H
#define BASE_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/must.h"
#include "base/span.h"

/* USD per million tokens, like "2.50", with at most six decimals, to picodollars a token. ERR_FORMAT:
 * no plain decimal number (no sign, no exponent, a digit on both sides of the point). ERR_RANGE: more
 * decimals, or beyond 64 bits. */
MUST_CHECK enum err money_read_per_million(struct span text, int64_t *pico);
/* USD per thousand uses, with at most nine decimals, to picodollars a use. Errors as above. */
MUST_CHECK enum err money_read_per_thousand(struct span text, int64_t *pico);
/* USD with at most nine decimals, to nanodollars. Errors as above. */
MUST_CHECK enum err money_read_nano(struct span text, int64_t *nano);
/* USD each, like "2.5e-06" or "0.01" (a number of JSON), to picodollars. ERR_FORMAT: no such number.
 * ERR_RANGE: negative, beyond 64 bits, or no whole number of picodollars. */
MUST_CHECK enum err money_read_each(struct span text, int64_t *pico);

/* The shortest exact decimal text of USD per million tokens with at least two decimals: "2.50",
 * "0.0375". pico >= 0, as in all of these. */
void money_put_per_million(struct buf *out, int64_t pico);
/* The same of USD per thousand uses. */
void money_put_per_thousand(struct buf *out, int64_t pico);
/* Exact USD without needless zeros: "0.0000025", "12", "0". */
void money_put_pico(struct buf *out, int64_t pico);
void money_put_nano(struct buf *out, int64_t nano);

/* The one rounding there is: up, to whole nanodollars. */
int64_t money_nano_up(int64_t pico);
/* total + count * price. False: it is beyond 64 bits; *total is then INT64_MAX. None is negative. */
bool money_add(int64_t *total, int64_t count, int64_t price);

/* What of `amount` falls to `part` of `whole`, rounded up; INT64_MAX: beyond 64 bits. None is negative,
 * whole > 0. */
int64_t money_share(int64_t amount, int64_t part, int64_t whole);

#endif
