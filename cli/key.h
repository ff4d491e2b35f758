/* SPDX-License-Identifier: Apache-2.0 */
/* cli/key.h: the parts of `headgate key`. */
#ifndef CLI_KEY_H
#define CLI_KEY_H

#include "cli/command.h"

/* What the ring holds, as a table or as JSON, into `out`. Never a digest. */
void key_list_put(const struct keyring *ring, wall_ms now, bool wants_json, struct buf *out);

#endif
