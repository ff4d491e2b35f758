/* SPDX-License-Identifier: Apache-2.0 */
/* headgate env: the exports that point SDKs at this headgate; for eval in a shell. */
#include <stdio.h>

#include "cli/command.h"

static int run(const struct command_line *line)
{
    struct snapshot *snapshot = NULL;
    struct buf path;
    int code = settings_load(line, &snapshot, &path);

    buf_fini(&path);
    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    for (size_t i = 0; i < snapshot->listens_count; i++) {
        struct span address = snapshot->listens[i].text;
        if (snapshot->listens[i].unix_path.len > 0) {
            continue;
        }
        (void)printf("export OPENAI_BASE_URL=http://%.*s/v1\n", SPAN_ARGS(address));
        (void)printf("export ANTHROPIC_BASE_URL=http://%.*s\n", SPAN_ARGS(address));
        (void)printf("export GOOGLE_GEMINI_BASE_URL=http://%.*s\n", SPAN_ARGS(address));
        snapshot_give(snapshot);
        return EXIT_CODE_GOOD;
    }
    (void)fprintf(stderr,
                  "headgate: no TCP listener is configured; SDKs cannot name a Unix socket\n");
    snapshot_give(snapshot);
    return EXIT_CODE_CONFIG;
}

const struct command command_env = {
    .name = "env",
    .help = "print the exports that point SDKs here: eval \"$(headgate env)\"",
    .run = run,
};
