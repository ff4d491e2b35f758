/* SPDX-License-Identifier: Apache-2.0 */
/* conf/names.h: what may be a name in the settings. */
#ifndef CONF_NAMES_H
#define CONF_NAMES_H

#include <stdbool.h>

#include "base/span.h"

/* Of a provider: [a-z0-9][a-z0-9._-]{0,63}. */
bool name_is_plain(struct span name);
extern const char name_plain_rule[];
/* Of a model or a route: 1 to 256 printable ASCII characters without blanks. */
bool name_is_model(struct span name);
/* How to say so: "must be ...". */
extern const char name_model_rule[];
/* Of a header (token of RFC 9110, 5.6.2), at most 128 characters. */
bool name_is_header(struct span name);
/* Headers that we set ourselves, that end at this hop, or that carry credentials: never forwarded
 * because a file says so. Lower case. */
bool name_is_managed_header(struct span name);

#endif
