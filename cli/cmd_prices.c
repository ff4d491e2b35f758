/* SPDX-License-Identifier: Apache-2.0 */
/* headgate prices: what models cost, as this headgate knows it; and price maps of others. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "cli/prices.h"

enum { WORDS_MAX = 256 };

static const struct subcommand {
    const char *name;
    int (*run)(const struct prices_line *line);
    int words_min;
    int words_max;
    const char *usage;
} subcommands[] = {
    {"list", prices_list, 0, 1, "list [PROVIDER] [--json] [--at DAY]"},
    {"show", prices_show, 1, 1, "show MODEL|PROVIDER/MODEL [--at DAY]"},
    {"check", prices_check, 0, WORDS_MAX, "check [FILE...]"},
    {"import", prices_import, 1, 1, "import FILE [--provider NAME] [--at DAY]"},
};

int prices_write(struct buf *out)
{
    int code = EXIT_CODE_GOOD;

    if (out->failed) {
        (void)fprintf(stderr, "headgate: out of memory\n");
        code = EXIT_CODE_RUNTIME;
    } else if (out->len > 0 &&
               (fwrite(out->at, 1, out->len, stdout) < out->len || fflush(stdout) != 0)) {
        (void)fprintf(stderr, "headgate: cannot write\n");
        code = EXIT_CODE_RUNTIME;
    }
    buf_fini(out);
    return code;
}

static int misused(const char *what, const char *word)
{
    (void)fprintf(stderr, "headgate: prices: %s%s; see headgate prices --help\n", what, word);
    return EXIT_CODE_USAGE;
}

/* One word behind the subcommand's name; false: it is wrong. */
static bool take_word(struct prices_line *line, char *const *words, int count, int *at)
{
    const char *value = NULL;

    if (strcmp(words[*at], "--json") == 0) {
        line->wants_json = true;
        return true;
    }
    value = settings_option(words, count, at, "--provider");
    if (value != NULL) {
        line->provider = value;
        return value[0] != '\0';
    }
    value = settings_option(words, count, at, "--at");
    if (value != NULL) {
        line->has_at = true;
        return text_read_day(span_of(value), &line->at) == ERR_NONE;
    }
    return words[*at][0] != '-';
}

static int run_subcommand(const struct subcommand *subcommand, struct prices_line *line,
                          char *const *words, int count)
{
    char *operands[WORDS_MAX];
    bool is_over = false;

    line->words = operands;
    for (int i = 0; i < count; i++) {
        int before = i;

        if (!is_over && strcmp(words[i], "--") == 0) {
            is_over = true;
            continue;
        }
        if (!is_over && words[i][0] == '-') {
            if (!take_word(line, words, count, &i)) {
                return misused("wrong option or value: ", words[before]);
            }
            continue;
        }
        if (line->words_count == subcommand->words_max || line->words_count == WORDS_MAX) {
            return misused("one word too many: ", words[i]);
        }
        operands[line->words_count++] = words[i];
    }
    if (line->words_count < subcommand->words_min) {
        return misused("usage: headgate prices ", subcommand->usage);
    }
    if (line->wants_json && subcommand->run != prices_list) {
        return misused("there is no --json of ", subcommand->name);
    }
    return subcommand->run(line);
}

static int run(const struct command_line *command_line)
{
    struct prices_line line = {.line = command_line, .wants_json = command_line->wants_json};

    line.at = (wall_ms)time(NULL) * 1000;
    for (size_t i = 0; command_line->operands_count > 0 && i < ARRAY_LENGTH(subcommands); i++) {
        if (strcmp(command_line->operands[0], subcommands[i].name) == 0) {
            return run_subcommand(&subcommands[i], &line, command_line->operands + 1,
                                  command_line->operands_count - 1);
        }
    }
    return misused(command_line->operands_count == 0 ? "say list, show, check or import"
                                                     : "no such word: ",
                   command_line->operands_count == 0 ? "" : command_line->operands[0]);
}

const struct command command_prices = {
    .name = "prices",
    .help = "what models cost: list, show, check price files, import LiteLLM's map",
    .operands = "list|show|check|import ...",
    .parses_itself = true,
    .has_json = true,
    .details =
        "  list [PROVIDER] [--json]        what each model costs now, USD per million tokens\n"
        "  show MODEL|PROVIDER/MODEL       all of its rows, with tiers, regions and history\n"
        "  check [FILE...]                 every fault of price files; without FILE: of those "
        "that\n"
        "                                  the configuration names\n"
        "  import FILE [--provider NAME]   LiteLLM's model_prices_and_context_window.json as a "
        "price\n"
        "                                  file on stdout; what was not taken, and what differs "
        "from\n"
        "                                  ours, on stderr. NAME is a list of ours, or LiteLLM's "
        "word\n"
        "  --at DAY                        on that day, like 2026-11-20, instead of today; of "
        "import:\n"
        "                                  the first day of its rows\n\n"
        "Exit code 2: no such model or provider; 78: faults in a price file.\n",
    .run = run,
};
