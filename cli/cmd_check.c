/* SPDX-License-Identifier: Apache-2.0 */
/* headgate check: read the settings, tell every fault, serve nothing. */
#include <stdio.h>

#include "cli/command.h"

static int run(const struct command_line *line)
{
    struct snapshot *snapshot = NULL;
    struct buf path;
    int code = settings_load(line, &snapshot, &path);

    if (code == EXIT_CODE_GOOD) {
        if (path.len > 0) {
            (void)printf("configuration OK: %.*s\n", SPAN_ARGS(buf_span(&path)));
        } else {
            (void)printf("configuration OK: no file, built-in defaults\n");
        }
        snapshot_give(snapshot);
    }
    buf_fini(&path);
    return code;
}

const struct command command_check = {
    .name = "check",
    .help = "read the configuration, show every fault in it, exit 0 or 78 (also: -t)",
    .run = run,
};
