/* SPDX-License-Identifier: Apache-2.0 */
/* base/secret.h: what may be done with key material. Compare it without telling where it differs,
 * show the little that may be shown, wipe it. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

/* Takes the same time for all contents of the same lengths. */
bool secret_equal(struct span a, struct span b);
/* Zeroes the bytes, also where the compiler sees that nobody reads them again. */
void secret_wipe(void *at, size_t size);
/* buf_fini for a buffer that held a secret: all of its capacity is wiped first. */
void secret_buf_fini(struct buf *buf);
/* "****" and the last four characters; of a secret with fewer than 16 only "****". */
void secret_put_shown(struct buf *out, struct span secret);

/* May this stand in a header line as a credential? Printable ASCII without blanks, 1 to
 * SECRET_MAX bytes. Nothing is trimmed: a newline that a file or a variable brought along is a
 * fault to tell (bad-input BC11), not to hide. */
enum { SECRET_MAX = 8192 };
enum secret_fault { SECRET_GOOD, SECRET_EMPTY, SECRET_LONG, SECRET_ENDS, SECRET_INSIDE };
enum secret_fault secret_judge(struct span secret);
/* The fault in words that follow a name: "begins or ends with a blank or control character". */
const char *secret_fault_text(enum secret_fault fault);

#endif
