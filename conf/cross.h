/* SPDX-License-Identifier: Apache-2.0 */
/* conf/cross.h: checks between sections, after all have been read and the environment has been
 * applied: who is served where, what may be called, which names are said twice. */
#ifndef CONF_CROSS_H
#define CONF_CROSS_H

#include "conf/reader.h"

/* Complains, and gives the endpoints and credentials their index. */
void cross_check(struct reader *reader);

#endif
