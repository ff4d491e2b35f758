/* SPDX-License-Identifier: Apache-2.0 */
/* usage/sums.h: sums over records, by quarters of an hour and by dimensions. Days and hours of every
 * zone begin with a quarter. Money is exact: whole dollars, and picodollars below one. Plain data. */
#ifndef USAGE_SUMS_H
#define USAGE_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/tick.h"
#include "usage/record.h"

enum dimension {
#define DIMENSION(NAME, name, TEXT, help) DIMENSION_##NAME,
#include "usage/dimensions.def"
#undef DIMENSION
    DIMENSIONS
};

enum sum {
#define SUM(NAME, name, help) SUM_##NAME,
#include "usage/sums.def"
#undef SUM
#define TOKENS(NAME, name, help) SUM_TOKENS_##NAME,
#include "wire/tokens.def"
#undef TOKENS
#define FEE(NAME, name, help) SUM_FEE_##NAME,
#include "wire/fees.def"
#undef FEE
    SUM_COST_USD,  /* exact cost: whole dollars, */
    SUM_COST_PICO, /* and picodollars, less than a dollar */
    SUMS
};

enum { QUARTER_MS = 15 * 60 * 1000, QUARTERS_PER_HOUR = 4 };
#define PICO_PER_USD INT64_C(1000000000000)

struct sums {
    int64_t of[SUMS];
};

extern const struct span dimension_names[DIMENSIONS];
extern const struct span sum_names[SUMS];

/* In which quarter since 1970 a record is counted; one without a time is in the first. */
int64_t sums_quarter(const struct record *record);
/* What the record counts under; the tags are one text, as in the record. */
struct span sums_dimension(const struct record *record, enum dimension dimension);
/* Whether an app reported it. */
bool sums_is_reported(const struct record *record);
/* The sums of one record. */
void sums_of(const struct record *record, struct sums *sums);
/* None goes beyond what it can hold: it stays there. */
void sums_add(struct sums *to, const struct sums *sums);
/* Takes away what was added before. */
void sums_take(struct sums *from, const struct sums *sums);
/* The same as bytes, for storing: which of them are not zero, then those. Returns how many bytes. */
enum { SUMS_PACKED_MAX = 4 + SUMS * 10 };
size_t sums_pack(unsigned char bytes[SUMS_PACKED_MAX], const struct sums *sums);
/* False: these are no such bytes. */
MUST_CHECK bool sums_unpack(struct span bytes, struct sums *sums);
/* All input tokens. */
int64_t sums_input(const struct sums *sums);
/* The exact cost as decimal text in USD, and the charged sum. */
void sums_put_cost(struct buf *out, const struct sums *sums);

#endif
