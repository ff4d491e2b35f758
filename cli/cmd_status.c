/* SPDX-License-Identifier: Apache-2.0 */
/* headgate status: what the running headgate says of its targets and sinks. */
#include <stdio.h>

#include "cli/ask.h"

/* Nothing where there are none. */
static int show_sinks(const struct command_line *line, struct buf *body)
{
    int code = EXIT_CODE_GOOD;

    buf_clear(body);
    code = ask(line, false, SPAN_OF("/admin/v1/sinks.txt"), body);
    if (code == EXIT_CODE_GOOD && body->len > 0) {
        (void)putchar('\n');
        ask_print(buf_span(body));
    }
    return code;
}

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
        code = show_sinks(line, &body);
    }
    buf_fini(&body);
    return code;
}

const struct command command_status = {
    .name = "status",
    .help = "show the targets of the running headgate (state, why, score, in flight) and its sinks",
    .has_json = true,
    .run = run,
};
