/* SPDX-License-Identifier: Apache-2.0 */
/* base/err.h: why we ourselves failed. Not for our bugs (must.h), not for a no to the app
 * (wire/refusal.h), not for what a target did (router/outcome.h). Zero is good. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/must.h"

enum err {
    ERR_NONE = 0,
#define ERR(name, text) ERR_##name,
#include "base/err.def"
#undef ERR
};

/* The sentence of err.def; "no error" for zero. Static, never freed. */
const char *err_text(enum err err);

/* The text for people of one failure. Filled where the failure is known; each floor on the way up
 * puts its own context in front. Cut, never overrun, at its size. */
struct why {
    char text[256];
};

/* Replaces the text. */
void why_set(struct why *why, const char *format, ...) PRINTF_LIKE(2, 3);
/* Puts "context: " in front of the text. */
void why_prefix(struct why *why, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
