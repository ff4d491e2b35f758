/* SPDX-License-Identifier: Apache-2.0 */
/* headgate demo: serve with built-in providers that fail by a script, so that the first call needs
 * no key and failover can be seen. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/demo_calls.h"
#include "cli/ladder.h"
#include "conf/load.h"
#include "proxy/files.h"
#include "proxy/serve.h"

static void tell(void *to, struct span address)
{
    (void)to;
    (void)printf(
        "\nheadgate demo: built-in providers answer, no key is needed. The first one of each\n"
        "dialect fails three times of four; how calls are rescued is shown here. Try it:\n\n"
        "  curl http://%.*s/v1/chat/completions -H 'content-type: application/json' \\\n"
        "    -d '{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n\n"
        "  curl -N http://%.*s/v1/messages -H 'content-type: application/json' \\\n"
        "    -H 'anthropic-version: 2023-06-01' \\\n"
        "    -d '{\"model\":\"demo-claude\",\"max_tokens\":64,\"stream\":true,"
        "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n\n"
        "An OpenAI SDK: OPENAI_BASE_URL=http://%.*s/v1   an Anthropic SDK: "
        "ANTHROPIC_BASE_URL=http://%.*s\nGoogle's: GOOGLE_GEMINI_BASE_URL=http://%.*s\nStop with Ctrl-C.\n\n",
        SPAN_ARGS(address), SPAN_ARGS(address), SPAN_ARGS(address), SPAN_ARGS(address), SPAN_ARGS(address));
    (void)fflush(stdout);
}

static int begin(const struct command_line *line, struct snapshot **snapshot)
{
    struct conf_world world = files_world();
    struct complaints complaints;
    enum err err = ERR_NONE;

    settings_apply(line);
    err = conf_demo(&world, &complaints, snapshot);
    if (err == ERR_CONFIG) {
        settings_show(&complaints, SPAN_OF("environment"), span_make("", 0));
        return EXIT_CODE_CONFIG;
    }
    return err == ERR_NONE ? EXIT_CODE_GOOD : EXIT_CODE_RUNTIME;
}

static int run_on(const struct command_line *line)
{
    struct ladder ladder;
    struct serve_options options = {.on_ready = tell};
    int code = begin(line, &options.snapshot);

    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    ladder_init(&ladder, settings_color(line));
    struct observer observer = ladder_observer(&ladder);
    options.observer = &observer;
    return serve(&options);
}

/* ---- once ---- */

static void go(void *to, struct span address)
{
    demo_calls_go(to, address);
}

static void sum_up(const struct ladder *ladder, const struct demo_seen *seen)
{
    (void)printf("\n%u calls, %u attempts, %u of them failed, %u calls rescued by another target\n"
                 "the app saw %u whole answers and %u errors\n",
                 ladder->calls, ladder->attempts, ladder->failed, ladder->rescued, seen->whole,
                 seen->calls - seen->whole);
    (void)fflush(stdout);
}

static int serve_once(const struct command_line *line, struct serve_options *options)
{
    struct ladder ladder;
    struct demo_calls calls;
    struct demo_seen seen;
    int code = EXIT_CODE_RUNTIME;

    if (!demo_calls_init(&calls)) {
        (void)fprintf(stderr, "headgate: the system gives no second process for the demo's app\n");
        snapshot_give(options->snapshot);
        return code;
    }
    ladder_init(&ladder, settings_color(line));
    struct observer observer = ladder_observer(&ladder);
    options->observer = &observer;
    options->on_ready = go;
    options->to = &calls;
    options->ends_with_child = true;
    code = serve(options);
    seen = demo_calls_fini(&calls);
    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    sum_up(&ladder, &seen);
    return seen.calls > 0 && seen.whole == seen.calls ? EXIT_CODE_GOOD : EXIT_CODE_RUNTIME;
}

/* Wherever there is room, unless an address was asked for: the default one may be taken. */
static int run_once(const struct command_line *line)
{
    struct command_line own = *line;
    struct serve_options options = {.on_ready = NULL};
    int code = EXIT_CODE_GOOD;

    own.listen = line->listen != NULL ? line->listen : "127.0.0.1:0";
    code = begin(&own, &options.snapshot);
    if (code == EXIT_CODE_GOOD && options.snapshot->listens[0].unix_path.len > 0) {
        (void)fprintf(stderr, "headgate: demo --once listens on a TCP port, not a Unix socket\n");
        snapshot_give(options.snapshot);
        code = EXIT_CODE_USAGE;
    }
    return code == EXIT_CODE_GOOD ? serve_once(&own, &options) : code;
}

static int run(const struct command_line *line)
{
    return line->wants_once ? run_once(line) : run_on(line);
}

const struct command command_demo = {
    .name = "demo",
    .help = "serve with built-in providers that fail, and show how calls are rescued; no key",
    .details =
        "For each dialect there are two built-in providers. The first one plays a script again\n"
        "and again: 503, an answer that is cut off, silence, a good answer. Each call is shown\n"
        "with its attempts, their times and what followed. With --once headgate is its own app:\n"
        "it makes eight calls on a free port, shows them and ends; exit code 0 when all answers\n"
        "were whole.\n",
    .has_once = true,
    .run = run,
};
