/* SPDX-License-Identifier: Apache-2.0 */
/* base/suggest.h: the nearest right word, for "did you mean". */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

#include "base/span.h"

/* The index of the name nearest to `word`, or -1 when none is near. Distance counts letters put in,
 * left out, replaced, or swapped with their neighbour; case does not count. Near means one mistake
 * in short words, up to three in long ones. The first of equally near names wins. */
int suggest_nearest(struct span word, const struct span *names, size_t count);

#endif
