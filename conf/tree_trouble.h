/* SPDX-License-Identifier: Apache-2.0 */
/* conf/tree_trouble.h: what libyaml cannot read, in words that help. */
#ifndef CONF_TREE_TROUBLE_H
#define CONF_TREE_TROUBLE_H

#include "conf/complaint.h"
#include "conf/tree.h"

/* Complains of `problem` (libyaml's words), which was noticed at one place, in a thing that began
 * at another (the same, when that is not known). */
void tree_trouble(struct complaints *complaints, const char *problem, struct place noticed,
                  struct place began);

#endif
