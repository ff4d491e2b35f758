/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_value.h: values out of the bytes of a document that json_scan has accepted. */
#ifndef WIRE_JSON_VALUE_H
#define WIRE_JSON_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* The text of a string value (quotes included in `raw`), unescaped, put at the end of `out`. `raw`
 * comes from an accepted document. A lone surrogate escape becomes U+FFFD. Sets out->failed. */
void json_string_decode(struct span raw, struct buf *out);
/* Whether a string value (raw, with quotes) has no escapes: its text is then raw without quotes. */
bool json_string_is_plain(struct span raw);
/* An integer in plain digits ("-0", "1.0", "1e3" are refused). ERR_FORMAT or ERR_RANGE. */
MUST_CHECK enum err json_integer(struct span raw, int64_t *number);

#endif
