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
        "A proxy between apps and LLM providers. Apps keep their OpenAI or Anthropic SDK and\n"
        "change its base URL to this address.\n\ncommands:\n");
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        (void)printf("  %-8s %s\n", commands[i]->name, commands[i]->help);
    }
    (void)printf(
        "\noptions:\n"
        "  -c, --config FILE     the configuration; else HEADGATE_CONFIG, ./headgate.yaml,\n"
        "                        ~/.config/headgate/headgate.yaml, /etc/headgate/headgate.yaml\n"
        "  -l, --listen ADDRESS  listen here instead (127.0.0.1:8402 by default)\n"
        "  -t, --test            as the command check\n"
        "      --json            of status and target: for programs\n"
        "      --once            of demo: makes calls of its own, then ends\n"
        "      --color WHEN      auto, or never; so does NO_COLOR in the environment\n"
        "  -V, --version         version of this program and of its libraries\n"
        "  -h, --help            this text, or that of the command\n\n"
        "exit codes: 0 good, 1 failure, 2 no such target, 64 wrong usage, 69 no headgate answers,\n"
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

/* The words after the options: a command (unless an option was one already) and its operands. */
static int run_command(const struct command *command, struct command_line *line, char **words,
                       int count)
{
    if (count > 0 && command == NULL) {
        command = find(words[0]);
        if (command == NULL) {
            return misused("no such command: ", words[0]);
        }
        words++;
        count--;
        if (line->wants_help) {
            print_help_of(command);
            return EXIT_CODE_GOOD;
        }
    }
    if (line->wants_help) {
        print_help();
        return EXIT_CODE_GOOD;
    }
    command = command != NULL ? command : &command_run;
    if (count > command->operands_count) {
        return misused("one word too many: ", words[command->operands_count]);
    }
    if (count < command->operands_count) {
        (void)fprintf(stderr, "headgate: usage: headgate %s %s\n", command->name,
                      command->operands);
        return EXIT_CODE_USAGE;
    }
    if (line->wants_json && !command->has_json) {
        return misused("there is no --json of ", command->name);
    }
    if (line->wants_once && !command->has_once) {
        return misused("there is no --once of ", command->name);
    }
    line->operands = words;
    return command->run(line);
}

int main(int count, char **values)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"listen", required_argument, NULL, 'l'},
        {"test", no_argument, NULL, 't'},         {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},         {"json", no_argument, NULL, 'j'},
        {"once", no_argument, NULL, 'o'},         {"color", required_argument, NULL, 'C'},
        {NULL, 0, NULL, 0}};
    struct command_line line = {.config = NULL};
    const struct command *command = NULL;
    int letter = 0;

    while ((letter = getopt_long(count, values, "c:l:tVh", options, NULL)) != -1) {
        switch (letter) {
        case 'c': line.config = optarg; break;
        case 'l': line.listen = optarg; break;
        case 't': command = &command_check; break;
        case 'V': print_version(); return EXIT_CODE_GOOD;
        case 'h': line.wants_help = true; break;
        case 'j': line.wants_json = true; break;
        case 'o': line.wants_once = true; break;
        case 'C':
            line.has_no_color = strcmp(optarg, "never") == 0;
            if (!line.has_no_color && strcmp(optarg, "auto") != 0) {
                return misused("--color takes auto or never, not ", optarg);
            }
            break;
        default: return misused("wrong option", "");
        }
    }
    return run_command(command, &line, values + optind, count - optind);
}
