/* SPDX-License-Identifier: Apache-2.0 */
/* headgate target: orders about targets, to the running headgate. */
#include <stdio.h>

#include "admin/order.h"
#include "cli/ask.h"
#include "wire/json_scan.h"

enum { PATH_MAX_BYTES = 8192 };

static void print_done(const struct command_line *line, struct span body)
{
    static const struct json_path path = JSON_PATH1("targets");
    int64_t count = 0;

    if (line->wants_json) {
        (void)fwrite(body.at, 1, body.len, stdout);
        return;
    }
    count = ask_count(body, &path);
    (void)printf("%s: %s, %lld target%s\n", line->operands[0], line->operands[1], (long long)count,
                 count == 1 ? "" : "s");
}

static int run(const struct command_line *line)
{
    enum fleet_order what = FLEET_PARK;
    struct span name = span_of(line->operands[1]);
    struct buf path;
    struct buf body;
    int code = EXIT_CODE_USAGE;

    if (!order_of_word(span_of(line->operands[0]), &what) || name.len == 0 ||
        name.len > ORDER_NAME_MAX) {
        (void)fprintf(stderr, "headgate: target takes park, unpark or reset, and a name; see "
                              "headgate target --help\n");
        return code;
    }
    buf_init(&path, PATH_MAX_BYTES);
    buf_init(&body, ASK_BODY_MAX);
    buf_put_text(&path, "/admin/v1/targets/");
    ask_put_escaped(&path, name);
    buf_put_char(&path, '/');
    buf_put_text(&path, order_word(what));
    code = ask(line, true, buf_span(&path), &body);
    if (code == EXIT_CODE_GOOD) {
        print_done(line, buf_span(&body));
    }
    buf_fini(&body);
    buf_fini(&path);
    return code;
}

const struct command command_target = {
    .name = "target",
    .help = "park, unpark or reset a target of the running headgate",
    .operands = "park|unpark|reset NAME",
    .operands_count = 2,
    .details =
        "NAME is provider/model, provider for all of its targets, or '*' for all there are.\n"
        "  park    no new calls go there, until unpark or reset; those that run go on\n"
        "  unpark  calls go there again, also if the provider had refused or slowed us\n"
        "  reset   the same, and what is remembered of its failures is forgotten\n"
        "The configuration needs admin.token (or HEADGATE_ADMIN_TOKEN), here and where headgate\n"
        "runs. Exit code 2: no target has this name; 69: no headgate answers; 77: refused.\n",
    .has_json = true,
    .run = run,
};
