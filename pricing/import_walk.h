/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/import_walk.h: steps over the members of an object that json_scan has accepted. */
#ifndef PRICING_IMPORT_WALK_H
#define PRICING_IMPORT_WALK_H

#include <stdbool.h>

#include "base/span.h"

struct import_member {
    struct span key; /* between its quotes, as written */
    struct span value;
};

/* Takes the next member off `rest`, which begins as the object with its brackets. False: there is no
 * further one, or it is no object. */
bool import_next(struct span *rest, struct import_member *member);
/* The member of this name, the last one if there are several; an empty value without. */
struct span import_member_of(struct span object, struct span key);
/* The text of a plain string value; false for any other. */
bool import_text(struct span value, struct span *text);

#endif
