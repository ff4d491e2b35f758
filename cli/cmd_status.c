/* SPDX-License-Identifier: Apache-2.0 */
/* headgate status: what the running headgate says of its targets. */
#include <stdio.h>

#include "cli/ask.h"

static int run(const struct command_line *line)
{
    struct span path =
        line->wants_json ? SPAN_OF("/admin/v1/status") : SPAN_OF("/admin/v1/status.txt");
    struct buf body;
    int code = EXIT_CODE_GOOD;

    buf_init(&body, ASK_BODY_MAX);
    code = ask(line, false, path, &body);
    if (code == EXIT_CODE_GOOD && line->wants_json) {
        (void)fwrite(body.at, 1, body.len, stdout);
    } else if (code == EXIT_CODE_GOOD) {
        ask_print(buf_span(&body));
    }
    buf_fini(&body);
    return code;
}

const struct command command_status = {
    .name = "status",
    .help = "show the targets of the running headgate: state, why, score, in flight",
    .has_json = true,
    .run = run,
};
