/* SPDX-License-Identifier: Apache-2.0 */
/* usage/answer_parts.h: what the writers of answers share. Seen by answer*.c and unit.c only. */
#ifndef USAGE_ANSWER_PARTS_H
#define USAGE_ANSWER_PARTS_H

#include "usage/sums.h"
#include "wire/json_out.h"

void answer_put_time(struct json_out *out, const char *key, wall_ms at);
/* Nanodollars as text in USD. */
void answer_put_usd(struct json_out *out, const char *key, int64_t nano);
void answer_put_cost(struct json_out *out, const char *key, const struct sums *sums);
/* One cell of CSV, in quotes where it must be. */
void answer_put_cell(struct buf *out, struct span text);
/* A record as one object: its own line without the sum of its bytes, with the money as text. */
void answer_put_record(struct buf *out, struct span line, const struct record *record);
void answer_put_record_csv_head(struct buf *out);
void answer_put_record_csv(struct buf *out, const struct record *record);
void answer_put_record_row(struct buf *out, const struct record *record);

#endif
