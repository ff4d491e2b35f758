/* SPDX-License-Identifier: Apache-2.0 */
/* wire/path_hint.h: what probably went wrong when a path is not served, as a fixed sentence without
 * its full stop. */
#ifndef WIRE_PATH_HINT_H
#define WIRE_PATH_HINT_H

#include <stdbool.h>

#include "base/span.h"

/* The guess, NULL when there is none. `path` is without its query. */
const char *path_hint(struct span path);

/* What is told behind it: the served routes. */
extern const char path_served[];

/* Whether the path, versions cut off, calls a method of the Gemini API. It may be one of those that are
 * only passed through: without a header that speaks for it, it would otherwise be one of OpenAI's. */
bool path_calls_gemini(struct span path);

#endif
