/* SPDX-License-Identifier: Apache-2.0 */
/* admin/target_out.h: one target in words and as JSON, for every page that shows targets. Pure.
 * Durations are told in whole seconds, rounded up: what is said to be over is over. */
#ifndef ADMIN_TARGET_OUT_H
#define ADMIN_TARGET_OUT_H

#include "base/buf.h"
#include "router/fleet_view.h"
#include "wire/json_out.h"

enum { TARGET_MODEL_SHOWN = 256, TARGET_WHY_MAX = 512 };

/* "provider/model", or "provider" while it has no model. Apps choose names of models, so only what
 * is printable of them is put. */
void target_put_name(struct buf *out, const struct target_view *target);
/* The one word that matters most: held, parked, cooldown, open, half_open, out (nothing is left of
 * what the provider reported), slow_start, ok. */
const char *target_state(const struct target_view *target);
/* Everything that keeps calls away or apart, "; " between; nothing when all is well. */
void target_put_why(struct buf *out, const struct target_view *target);
/* An object as the value that comes next. */
void target_put_json(struct json_out *out, const struct target_view *target);
/* An array of all of them as the value that comes next. */
void target_put_list(struct json_out *out, const struct target_view *targets, size_t count);

#endif
