/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/models.h: what the providers' own model lists said lately, so that GET /v1/models asks a
 * provider at most every five minutes. Lists fetched with an app's own key are not kept: they may
 * differ from app to app. */
#ifndef PROXY_MODELS_H
#define PROXY_MODELS_H

#include "proxy/env.h"

struct models *models_new(struct env *env);
void models_free(struct models *models);

#endif
