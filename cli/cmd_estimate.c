/* SPDX-License-Identifier: Apache-2.0 */
/* headgate estimate: what a request would cost. The headgate that runs knows who is well and how
 * long answers are; where none answers, the configuration, the prices and the vocabularies are
 * enough. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "admin/quoting.h"
#include "base/text.h"
#include "cli/ask.h"
#include "proxy/ranks.h"
#include "wire/json_out.h"

enum { REQUEST_MAX = 64 * 1024 * 1024, ENVELOPE_MAX = REQUEST_MAX + 64 * 1024, STEP = 65536 };

/* ---- the command line ---- */

struct estimate_line {
    const char *model;
    const char *task;
    const char *route;
    const char *path;
    const char *dialect;
    const char *file;
    bool wants_json;
};

static int misused(const char *what, const char *word)
{
    (void)fprintf(stderr, "headgate: estimate: %s%s; see headgate estimate --help\n", what, word);
    return EXIT_CODE_USAGE;
}

/* "--name value" or "--name=value". False: it is no option of ours, or has no value. */
static bool take_option(struct estimate_line *line, char *const *words, int count, int *at)
{
    const struct {
        const char *name;
        const char **value;
    } rows[] = {{"--model", &line->model},
                {"--task", &line->task},
                {"--route", &line->route},
                {"--path", &line->path},
                {"--dialect", &line->dialect}};

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        size_t length = strlen(rows[i].name);

        if (strncmp(words[*at], rows[i].name, length) != 0) {
            continue;
        }
        if (words[*at][length] == '=') {
            *rows[i].value = words[*at] + length + 1;
            return true;
        }
        if (words[*at][length] == '\0' && *at + 1 < count) {
            *rows[i].value = words[++*at];
            return true;
        }
    }
    return false;
}

static int read_words(struct estimate_line *line, char *const *words, int count)
{
    bool is_over = false;

    for (int i = 0; i < count; i++) {
        const char *word = words[i];

        if (!is_over && strcmp(word, "--") == 0) {
            is_over = true;
        } else if (!is_over && strcmp(word, "--json") == 0) {
            line->wants_json = true;
        } else if (!is_over && word[0] == '-' && word[1] != '\0') {
            if (!take_option(line, words, count, &i)) {
                return misused("wrong option or no value: ", word);
            }
        } else if (line->file != NULL) {
            return misused("one word too many: ", word);
        } else {
            line->file = word;
        }
    }
    return line->file != NULL ? EXIT_CODE_GOOD
                              : misused("which request? FILE, or - for standard input", "");
}

/* ---- the request ---- */

static int read_request(const struct estimate_line *line, struct buf *request)
{
    bool is_stdin = strcmp(line->file, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(line->file, "rb");
    char step[STEP];
    size_t count = 0;
    bool is_bad = file == NULL;

    while (!is_bad && !request->failed && (count = fread(step, 1, sizeof step, file)) > 0) {
        buf_put(request, span_make(step, count));
    }
    is_bad = is_bad || ferror(file) != 0;
    if (is_bad) {
        (void)fprintf(stderr, "headgate: estimate: %s: %s\n", line->file, strerror(errno));
    } else if (request->failed) {
        (void)fprintf(stderr, "headgate: estimate: %s: too large\n", line->file);
    }
    if (file != NULL && !is_stdin) {
        (void)fclose(file);
    }
    return is_bad || request->failed ? EXIT_CODE_RUNTIME : EXIT_CODE_GOOD;
}

/* Here, where the file's own bytes are counted. */
static int check_request(const struct estimate_line *line, struct json_scan *scan,
                         struct span request)
{
    struct json_scan_options options = {.paths_count = 0};

    if (json_scan_whole(scan, &options, request, NULL)) {
        return EXIT_CODE_GOOD;
    }
    (void)fprintf(stderr, "headgate: estimate: %s is not the JSON of a request: %s at byte %llu\n",
                  line->file, json_fault_code(json_scan_fault(scan)),
                  (unsigned long long)json_scan_offset(scan));
    return EXIT_CODE_RUNTIME;
}

static void put_envelope(const struct estimate_line *line, struct span request, struct buf *out)
{
    const struct {
        const char *name;
        const char *value;
    } rows[] = {{"model", line->model},     {"task", line->task},
                {"route", line->route},     {"path", line->path},
                {"dialect", line->dialect}, {"format", line->wants_json ? "json" : "table"}};
    struct json_out json;

    json_out_init(&json, out);
    json_open_object(&json);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (rows[i].value != NULL) {
            json_key(&json, rows[i].name);
            json_text(&json, rows[i].value);
        }
    }
    json_key(&json, "request");
    json_raw(&json, request);
    json_close_object(&json);
}

/* ---- without a headgate ---- */

static int quote(const struct quoting_world *world, struct ranks *ranks, struct span envelope,
                 struct buf *out)
{
    struct quoting *quoting = quoting_new(world->snapshot);
    struct refusal refusal = {.kind = REFUSAL_OVERLOADED};
    struct ranks_found found;
    struct buf text;

    if (quoting != NULL) {
        refusal = quoting_read(quoting, world, span_make("", 0), envelope);
    }
    if (refusal.kind == REFUSAL_NONE) {
        ranks_quote(ranks, quoting, &found);
        ranks_heard(ranks, &found, NULL);
        if (found.why.text[0] != '\0') {
            (void)fprintf(stderr, "headgate: %s\n", found.why.text);
        }
        quoting_write(quoting, out);
        if (quoting_lacks(quoting)) {
            (void)fprintf(stderr, "headgate: tokens are guessed from bytes: no vocabularies are "
                                  "installed (scripts/install-ranks)\n");
        }
        quoting_free(quoting);
        return EXIT_CODE_GOOD;
    }
    buf_init(&text, 64 * 1024);
    refusal_message(&refusal, &text);
    (void)fprintf(stderr, "%.*s\n", SPAN_ARGS(buf_span(&text)));
    buf_fini(&text);
    quoting_free(quoting);
    return ask_code(refusal_row(refusal.kind)->status);
}

static int quote_here(struct snapshot *snapshot, struct json_scan *scan, struct span envelope,
                      struct buf *out)
{
    struct fleet *fleet = fleet_new(&snapshot->routing, 1);
    struct ranks *ranks = ranks_new();
    struct quoting_world world = {.snapshot = snapshot,
                                  .fleet = fleet,
                                  .scan = scan,
                                  .seed = 1,
                                  .at = (wall_ms)time(NULL) * 1000};
    int code = EXIT_CODE_RUNTIME;

    (void)fprintf(stderr, "headgate: no headgate %s%.*s: by the configuration alone\n",
                  snapshot->admin_off ? "can be asked" : "answers at ",
                  SPAN_ARGS(snapshot->admin_off ? span_make("", 0) : snapshot->admin.text));
    if (fleet != NULL && ranks != NULL) {
        code = quote(&world, ranks, envelope, out);
    } else {
        (void)fprintf(stderr, "headgate: out of memory\n");
    }
    ranks_free(ranks);
    fleet_free(fleet);
    return code;
}

/* ---- all of it ---- */

static int estimate(const struct estimate_line *line, struct snapshot *snapshot,
                    struct json_scan *scan, struct buf *out)
{
    struct buf request;
    struct buf envelope;
    int code = EXIT_CODE_GOOD;

    buf_init(&request, REQUEST_MAX);
    buf_init(&envelope, ENVELOPE_MAX);
    code = read_request(line, &request);
    if (code == EXIT_CODE_GOOD) {
        code = check_request(line, scan, buf_span(&request));
    }
    if (code == EXIT_CODE_GOOD) {
        put_envelope(line, buf_span(&request), &envelope);
        code = ask_json(snapshot, SPAN_OF("/admin/v1/estimate"), buf_span(&envelope), out);
        if (code == EXIT_CODE_UNREACHABLE) {
            buf_clear(out);
            code = quote_here(snapshot, scan, buf_span(&envelope), out);
        } else if (code == EXIT_CODE_GOOD) {
            (void)fprintf(stderr, "headgate: as the headgate at %.*s says\n",
                          SPAN_ARGS(snapshot->admin.text));
        }
    }
    buf_fini(&request);
    buf_fini(&envelope);
    return code;
}

static int run(const struct command_line *command_line)
{
    struct estimate_line line = {.wants_json = command_line->wants_json};
    struct snapshot *snapshot = NULL;
    struct json_scan *scan = NULL;
    struct buf file;
    struct buf out;
    int code = read_words(&line, command_line->operands, command_line->operands_count);

    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    buf_init(&out, ASK_BODY_MAX);
    code = settings_load(command_line, &snapshot, &file);
    buf_fini(&file);
    scan = json_scan_new();
    if (code == EXIT_CODE_GOOD && scan != NULL) {
        code = estimate(&line, snapshot, scan, &out);
    }
    if (code == EXIT_CODE_GOOD && line.wants_json) {
        (void)fwrite(out.at, 1, out.len, stdout);
    } else if (code == EXIT_CODE_GOOD) {
        ask_print(buf_span(&out));
    }
    json_scan_free(scan);
    snapshot_give(snapshot);
    buf_fini(&out);
    return code;
}

const struct command command_estimate = {
    .name = "estimate",
    .help = "what a request would cost at each target: likely, and at most",
    .operands = "FILE|-",
    .parses_itself = true,
    .has_json = true,
    .details =
        "  FILE             the request as an app would send it; -: standard input\n"
        "  --model NAME     in place of the request's own\n"
        "  --task NAME      as x-headgate-task would say\n"
        "  --route NAME     as x-headgate-route would say\n"
        "  --path PATH      where the request would go, like /v1/messages; else\n"
        "                   /v1/chat/completions, or /v1/responses when it has an input\n"
        "  --dialect NAME   of the usual path: openai, anthropic, or gemini with --model\n"
        "  --json           for programs\n\n"
        "Asks the headgate that runs; without one the configuration alone is looked at. Nothing\n"
        "is sent to a provider. Exit code 2: no such model, route or task.\n",
    .run = run,
};
