/* SPDX-License-Identifier: Apache-2.0 */
/* cli/prices.h: the parts of `headgate prices`. Each returns an exit code. */
#ifndef CLI_PRICES_H
#define CLI_PRICES_H

#include "base/tick.h"
#include "cli/command.h"

/* What stands behind the subcommand's name. */
struct prices_line {
    const struct command_line *line;
    char *const *words; /* without the options */
    int words_count;
    bool wants_json;
    const char *provider; /* --provider NAME, or NULL */
    wall_ms at;           /* --at DAY, else now */
    bool has_at;
};

int prices_list(const struct prices_line *line);
int prices_show(const struct prices_line *line);
int prices_check(const struct prices_line *line);
int prices_import(const struct prices_line *line);

/* Writes what was put together; EXIT_CODE_RUNTIME when there was no memory for it. Ends the buffer. */
int prices_write(struct buf *out);

#endif
