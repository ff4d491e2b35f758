/* SPDX-License-Identifier: Apache-2.0 */
/* wire/providers/bearer.h: the dress that most providers want. */
#ifndef WIRE_PROVIDERS_BEARER_H
#define WIRE_PROVIDERS_BEARER_H

#include "base/buf.h"

static inline void bearer_dress(struct buf *out, struct span key)
{
    buf_put_text(out, "authorization: Bearer ");
    buf_put(out, key);
    buf_put_text(out, "\r\n");
}

#endif
