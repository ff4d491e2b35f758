/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/journal.h: the append-only journal of usage records: segments of JSON Lines in a folder,
 * each named by its start (milliseconds since 1970, 13 digits) and its number, `1795000000000-
 * 00000001.jsonl`. The journal is the truth; whoever wants to know more follows it. One writer (the
 * store thread), any number of readers, in this process or another. */
#ifndef PROXY_JOURNAL_H
#define PROXY_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/must.h"
#include "base/span.h"

/* Where a line begins; places grow with time. Segment numbers begin with 1 and never come again;
 * {0, 0} is before the first line. */
struct journal_place {
    uint64_t segment;
    uint64_t offset;
};
/* Negative, zero or positive, as memcmp. */
int journal_place_compare(struct journal_place a, struct journal_place b);

/* ---- reading ---- */

struct journal_reader;
/* NULL without memory. The folder need not exist yet. Nothing of it is changed. */
struct journal_reader *journal_reader_new(struct span folder);
void journal_reader_free(struct journal_reader *reader);
/* Goes on with the first line at or after `place`; a segment that is gone is passed over. */
void journal_reader_seek(struct journal_reader *reader, struct journal_place place);
/* The next whole line, without its line feed, valid until the next call; *at is where it begins,
 * *next the place after it. False: there is none yet (ask again later), or `why` tells what failed
 * (it is empty otherwise). Lines are not judged: the reader of records checks the CRC. */
bool journal_reader_next(struct journal_reader *reader, struct span *line,
                         struct journal_place *at, struct journal_place *next, struct why *why);

#endif
