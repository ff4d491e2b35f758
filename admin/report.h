/* SPDX-License-Identifier: Apache-2.0 */
/* admin/report.h: one usage record as an app reports it, for a call that did not pass through here:
 * which fields there are, and what each takes (docs/usage.md). Pure. */
#ifndef ADMIN_REPORT_H
#define ADMIN_REPORT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/tick.h"
#include "usage/record.h"

enum {
    REPORT_AGE_DAYS = 396, /* older calls are in no sums any more */
    REPORT_TEXT_MAX = 128,
    REPORT_FAULT_MAX = 1024
};

/* Who hears of faults. field: as it was sent, cut and printable; empty: of the record as a whole. */
struct report_ears {
    void *to;
    void (*on_fault)(void *to, struct span field, struct span text);
};

/* Reads `object`, the bytes of an object in a document that json_scan has accepted. Every fault is
 * told; false: there was one, or no memory (text->failed). Texts are put into `text`, which the record
 * borrows from and which must not be used meanwhile. Without a price: a cost is only there when
 * the app tells it. record_id is left out. */
bool report_read(struct span object, wall_ms now, struct buf *text, struct record *record,
                 const struct report_ears *ears);

#endif
