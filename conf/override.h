/* SPDX-License-Identifier: Apache-2.0 */
/* conf/override.h: what the environment says stands above the file:
 * HEADGATE_LISTEN (a comma list), HEADGATE_LOG_LEVEL, HEADGATE_LOG_FORMAT, HEADGATE_ADMIN_TOKEN (or
 * HEADGATE_ADMIN_TOKEN_FILE), HEADGATE_KEY_SECRET (or HEADGATE_KEY_SECRET_FILE). A variable that is set to nothing counts as not set. */
#ifndef CONF_OVERRIDE_H
#define CONF_OVERRIDE_H

#include "conf/reader.h"

/* Complaints stand at line 0 and name the variable. */
void override_apply(struct reader *reader);

#endif
