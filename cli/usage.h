/* SPDX-License-Identifier: Apache-2.0 */
/* cli/usage.h: the parts of `headgate usage`. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include "base/tick.h"
#include "cli/command.h"
#include "usage/query.h"

/* What stands behind the subcommand's name. */
struct usage_line {
    const struct command_line *line;
    const char *state_dir; /* --state-dir DIR; NULL: as the settings say */
    struct query query;
};

/* Finds the index, brings it up to date unless a headgate runs that does, asks and prints. Returns an
 * exit code. */
int usage_ask(struct usage_line *line, wall_ms now);

#endif
