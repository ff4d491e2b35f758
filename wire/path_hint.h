/* SPDX-License-Identifier: Apache-2.0 */
/* wire/path_hint.h: what probably went wrong when a path is not served, as a fixed sentence. */
#ifndef WIRE_PATH_HINT_H
#define WIRE_PATH_HINT_H

#include <stdbool.h>

#include "base/span.h"

/* The guess and the list of served routes; never NULL. `path` is without its query. */
const char *path_hint(struct span path);

/* Whether the path is one of the Gemini API. Some of them would otherwise pass as /models/{id}. */
bool path_is_of_gemini(struct span path);

#endif
