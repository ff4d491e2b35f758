/* SPDX-License-Identifier: Apache-2.0 */
/* headgate demo: serve with two built-in fixtures providers, so that the first call needs no key.
 */
#include <stdio.h>

#include "cli/command.h"
#include "conf/load.h"
#include "proxy/files.h"
#include "proxy/serve.h"

static void tell(void *to, struct span address)
{
    (void)to;
    (void)printf(
        "\nheadgate demo: two built-in providers answer, no key is needed. Try it:\n\n"
        "  curl http://%.*s/v1/chat/completions -H 'content-type: application/json' \\\n"
        "    -d '{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n\n"
        "  curl -N http://%.*s/v1/messages -H 'content-type: application/json' \\\n"
        "    -H 'anthropic-version: 2023-06-01' \\\n"
        "    -d '{\"model\":\"demo\",\"max_tokens\":64,\"stream\":true,"
        "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n\n"
        "An OpenAI SDK: OPENAI_BASE_URL=http://%.*s/v1   an Anthropic SDK: "
        "ANTHROPIC_BASE_URL=http://%.*s\nStop with Ctrl-C.\n\n",
        SPAN_ARGS(address), SPAN_ARGS(address), SPAN_ARGS(address), SPAN_ARGS(address));
    (void)fflush(stdout);
}

static int run(const struct command_line *line)
{
    struct serve_options options = {.on_ready = tell};
    struct conf_world world = files_world();
    struct complaints complaints;
    enum err err = ERR_NONE;

    settings_apply(line);
    err = conf_demo(&world, &complaints, &options.snapshot);
    if (err == ERR_CONFIG) {
        settings_show(&complaints, SPAN_OF("environment"), span_make("", 0));
        return EXIT_CODE_CONFIG;
    }
    return err == ERR_NONE ? serve(&options) : EXIT_CODE_RUNTIME;
}

const struct command command_demo = {
    .name = "demo",
    .help = "serve with two built-in providers: no key, no configuration",
    .run = run,
};
