/* SPDX-License-Identifier: Apache-2.0 */
/* wire/prefill.h: which models continue an answer that is already begun, and in which form they want
 * the begun turn. Pure: a table, prefill.def. Asked by the router (who may continue a broken stream)
 * and by resume.h (how). */
#ifndef WIRE_PREFILL_H
#define WIRE_PREFILL_H

#include <stdbool.h>

#include "base/span.h"

/* What tells that the app's own last turn is a begun one, too. */
enum prefill_mark { PREFILL_MARK_ROLE, PREFILL_MARK_PREFIX, PREFILL_MARK_FLAG };

struct prefill_way {
    struct span message; /* members of the begun turn, each with its comma in front */
    struct span root;    /* members of the request, likewise */
    enum prefill_mark mark;
    bool is_trimmed; /* the turn may not end in white space */
};

/* Whom one would ask. */
struct prefill_ask {
    struct span kind;  /* of the provider */
    struct span host;  /* with its port, where that is not the default */
    struct span path;  /* in front of the operation's */
    struct span model; /* as the provider knows it */
};

/* How this one takes a begun answer; NULL: not at all, or not known to. */
const struct prefill_way *prefill_taken(const struct prefill_ask *ask);

#endif
