/* SPDX-License-Identifier: Apache-2.0 */
/* wire/path_model.h: paths that name the model and what it is to do, as Google writes them
 * (gemini.md 2): "/models/gemini-2.5-pro:generateContent". A model that was tuned has a collection of
 * its own, which stays part of its name: "tunedModels/mine". */
#ifndef WIRE_PATH_MODEL_H
#define WIRE_PATH_MODEL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"

/* Whether the path of an operation is a method behind a model's name: ":generateContent". */
bool path_model_is_method(struct span path);
/* Whether `path` asks a model for this method, and which one; it borrows. Names with a percent escape
 * are none. */
bool path_model_find(struct span path, struct span method, struct span *model);
/* Puts the path that asks this model for it. `model` is a name as in the settings, with or without
 * "models/" in front; bytes that would end a path are escaped. */
void path_model_put(struct buf *out, struct span method, struct span model);
/* At most so many bytes. */
size_t path_model_room(struct span method, struct span model);

#endif
