/* SPDX-License-Identifier: Apache-2.0 */
/* conf/tree_bytes.h: what is refused before libyaml sees a byte: tabs, control characters, odd line
 * breaks, bytes that are not UTF-8. After it, lines and columns are counted alike by everyone. */
#ifndef CONF_TREE_BYTES_H
#define CONF_TREE_BYTES_H

#include "base/err.h"
#include "base/span.h"
#include "conf/complaint.h"

/* ERR_CONFIG when there were complaints, at most one for each line. */
MUST_CHECK enum err tree_bytes_check(struct span text, struct complaints *complaints);

#endif
