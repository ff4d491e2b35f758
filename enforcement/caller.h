/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/caller.h: whose call it is. Plain data; borrows from the keys it was made of. */
#ifndef ENFORCEMENT_CALLER_H
#define ENFORCEMENT_CALLER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "base/tick.h"

struct caller {
    struct span name; /* of the key; empty: there are no keys, everybody may call */
    struct span team; /* never empty: `default` where nothing else is said */
    struct span user; /* empty: none */
    struct span tags; /* with commas between, no blanks */
    bool user_is_from_request;
};

#endif
