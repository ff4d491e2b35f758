/* SPDX-License-Identifier: Apache-2.0 */
/* headgate run: serve with the settings found. */
#include "cli/command.h"
#include "proxy/serve.h"

static enum err load_again(void *to, struct snapshot **snapshot, struct why *why)
{
    return settings_load_again(buf_span(to), snapshot, why);
}

static int run(const struct command_line *line)
{
    struct serve_options options = {.on_ready = NULL};
    struct buf path;
    int code = settings_load(line, &options.snapshot, &path);

    if (code == EXIT_CODE_GOOD) {
        options.settings_file = buf_span(&path);
        options.load_again = path.len > 0 ? load_again : NULL;
        options.to = &path;
        code = serve(&options);
    }
    buf_fini(&path);
    return code;
}

const struct command command_run = {
    .name = "run",
    .help =
        "serve apps (the default); without a file: OpenAI, Anthropic, Gemini, keys from the environment",
    .run = run,
};
