/* SPDX-License-Identifier: Apache-2.0 */
/* The program's face: options, then a command. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "base/must.h"
#include "cli/command.h"
#include "headgate_version.h"

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cli/commands.def"
#undef COMMAND
};

static void print_help(void)
{
    (void)printf(
        "usage: headgate [-c FILE] [--listen ADDRESS] [COMMAND]\n\n"
        "A proxy between apps and LLM providers. Apps keep their OpenAI, Anthropic or Google SDK\n"
        "and change its base URL to this address.\n\ncommands:\n");
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        (void)printf("  %-8s %s\n", commands[i]->name, commands[i]->help);
    }
    (void)printf(
        "\noptions:\n"
        "  -c, --config FILE     the configuration; else HEADGATE_CONFIG, ./headgate.yaml,\n"
        "                        ~/.config/headgate/headgate.yaml, /etc/headgate/headgate.yaml\n"
        "  -l, --listen ADDRESS  listen here instead (127.0.0.1:8402 by default)\n"
        "  -t, --test            as the command check\n"
        "      --json            of status, target and budget: for programs\n"
        "      --once            of demo: makes calls of its own, then ends; of top: one table\n"
        "      --color WHEN      auto, or never; so does NO_COLOR in the environment\n"
        "  -V, --version         version of this program and of its libraries\n"
        "  -h, --help            this text, or that of the command\n\n"
        "exit codes: 0 good, 1 failure, 2 no such name, 64 wrong usage, 69 no headgate answers,\n"
        "73 cannot listen, 77 no permission, 78 configuration\n");
}

static void print_help_of(const struct command *command)
{
    bool has_operands = command->operands != NULL;

    (void)printf("usage: headgate [-c FILE] %s%s%s%s%s\n\n%s\n", command->name,
                 command->has_json ? " [--json]" : "", command->has_once ? " [--once]" : "",
                 has_operands ? " " : "", has_operands ? command->operands : "", command->help);
    if (command->details != NULL) {
        (void)printf("\n%s", command->details);
    }
}

static void print_version(void)
{
    (void)printf("headgate %s\nrevision %s\nlibevent %s\n%s\n", HEADGATE_VERSION, HEADGATE_REVISION,
                 event_get_version(), curl_version());
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static int misused(const char *text, const char *what)
{
    (void)fprintf(stderr, "headgate: %s%s; see headgate --help\n", text, what);
    return EXIT_CODE_USAGE;
}

/* How many operands there are must be right. */
static int check_operands(const struct command *command, const struct command_line *line)
{
    int max = command->operands_max > command->operands_count ? command->operands_max
                                                              : command->operands_count;

    if (line->operands_count > max) {
        return misused("one word too many: ", line->operands[max]);
    }
    if (line->operands_count < command->operands_count) {
        (void)fprintf(stderr, "headgate: usage: headgate %s %s\n", command->name,
                      command->operands);
        return EXIT_CODE_USAGE;
    }
    return EXIT_CODE_GOOD;
}

static int run_command(const struct command *command, const struct command_line *line)
{
    int code = EXIT_CODE_GOOD;

    if (line->wants_help) {
        if (command == NULL) {
            print_help();
        } else {
            print_help_of(command);
        }
        return EXIT_CODE_GOOD;
    }
    command = command != NULL ? command : &command_run;
    if (!command->parses_itself) {
        code = check_operands(command, line);
    }
    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    if (line->wants_json && !command->has_json) {
        return misused("there is no --json of ", command->name);
    }
    if (line->wants_once && !command->has_once) {
        return misused("there is no --once of ", command->name);
    }
    return command->run(line);
}

/* Takes one option; an exit code, or -1 to go on. */
static int take_option(int letter, struct command_line *line, const struct command **command)
{
    switch (letter) {
    case 'c': line->config = optarg; return -1;
    case 'l': line->listen = optarg; return -1;
    case 't': *command = &command_check; return -1;
    case 'V': print_version(); return EXIT_CODE_GOOD;
    case 'h': line->wants_help = true; return -1;
    case 'j': line->wants_json = true; return -1;
    case 'o': line->wants_once = true; return -1;
    case 'C':
        line->has_no_color = strcmp(optarg, "never") == 0;
        if (!line->has_no_color && strcmp(optarg, "auto") != 0) {
            return misused("--color takes auto or never, not ", optarg);
        }
        return -1;
    default: return misused("wrong option", "");
    }
}

static bool asks_for_help(char *const *words, int count)
{
    for (int i = 0; i < count && strcmp(words[i], "--") != 0; i++) {
        if (strcmp(words[i], "-h") == 0 || strcmp(words[i], "--help") == 0) {
            return true;
        }
    }
    return false;
}

/* Options may stand before and behind the command's name and its operands, but a command that
 * parses itself gets all that stands behind its name. Operands are gathered behind the program's
 * name, where what was read already makes room. */
static int read_line(int count, char **values, struct command_line *line,
                     const struct command **command)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"listen", required_argument, NULL, 'l'},
                                            {"test", no_argument, NULL, 't'},
                                            {"version", no_argument, NULL, 'V'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"once", no_argument, NULL, 'o'},
                                            {"color", required_argument, NULL, 'C'},
                                            {NULL, 0, NULL, 0}};
    bool is_over = false;

    line->operands = values + 1;
    while (optind < count) {
        int letter = is_over ? -1 : getopt_long(count, values, "+c:l:tVh", options, NULL);
        int code = letter == -1 ? -1 : take_option(letter, line, command);

        if (code != -1) {
            return code;
        }
        if (letter != -1 || optind == count) {
            continue;
        }
        is_over = is_over || strcmp(values[optind - 1], "--") == 0;
        if (*command != NULL) {
            values[1 + line->operands_count++] = values[optind++];
            continue;
        }
        *command = find(values[optind++]);
        if (*command == NULL) {
            return misused("no such command: ", values[optind - 1]);
        }
        if ((*command)->parses_itself) {
            line->operands = values + optind;
            line->operands_count = count - optind;
            line->wants_help = line->wants_help || asks_for_help(line->operands, count - optind);
            return -1;
        }
    }
    return -1;
}

int main(int count, char **values)
{
    struct command_line line = {.config = NULL};
    const struct command *command = NULL;
    int code = read_line(count, values, &line, &command);

    return code != -1 ? code : run_command(command, &line);
}
