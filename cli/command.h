/* SPDX-License-Identifier: Apache-2.0 */
/* cli/command.h: a command is a file and a row in commands.def. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "conf/complaint.h"
#include "conf/snapshot.h"

enum {
    EXIT_CODE_GOOD = 0,
    EXIT_CODE_RUNTIME = 1,
    EXIT_CODE_FOUND = 2,        /* the command works and did not like what it found */
    EXIT_CODE_USAGE = 64,
    EXIT_CODE_UNREACHABLE = 69,
    EXIT_CODE_PERMISSION = 77,
    EXIT_CODE_CONFIG = 78
};

/* What the command line said before and after the command's name. */
struct command_line {
    const char *config; /* -c FILE; NULL: looked for */
    const char *listen; /* --listen ADDRESS; NULL: as the settings say */
    bool wants_help;    /* --help */
    bool wants_json;    /* --json */
    bool wants_once;    /* --once */
    bool has_no_color;  /* --color=never */
    char *const *operands; /* as many as the command takes; all words behind it if it parses itself */
    int operands_count;
};

struct command {
    const char *name;
    const char *help;      /* one line */
    const char *operands;  /* as in the usage line; NULL or empty: none */
    int operands_count;    /* exactly so many, or at least so many with operands_max */
    int operands_max;      /* more than operands_count: up to so many; 0: exactly operands_count */
    bool parses_itself;    /* all words behind its name are its own business, options too (but -h
                            * and --help); operands_count and operands_max are not looked at */
    const char *details;   /* lines of its own --help; NULL: none */
    bool has_json;         /* takes --json */
    bool has_once;         /* takes --once */
    /* The exit code. */
    int (*run)(const struct command_line *line);
};

#define COMMAND(name) extern const struct command command_##name;
#include "cli/commands.def"
#undef COMMAND

/* Finds and reads the settings (docs/configuration.md), and prints every complaint to stderr.
 * On success *snapshot is the caller's and `path` has the file's name, empty when there was none.
 * Returns an exit code. */
int settings_load(const struct command_line *line, struct snapshot **snapshot, struct buf *path);

/* The same for who reads and writes the file of keys itself: it may be missing, or broken. */
int settings_load_without_keys(const struct command_line *line, struct snapshot **snapshot,
                               struct buf *path);

/* The file of this name once more, for a program that runs. Else `why` tells the first complaint. */
MUST_CHECK enum err settings_load_again(struct span path, struct snapshot **snapshot,
                                        struct why *why);

/* Puts the options that override settings where the settings look for them. */
void settings_apply(const struct command_line *line);
/* Whether stdout takes colour: a terminal, and neither --color=never nor NO_COLOR. */
bool settings_color(const struct command_line *line);
/* The value of an option that is written "--name value" or "--name=value", empty when it lacks one; *at is
 * the word looked at. NULL: another word. */
const char *settings_option(char *const *words, int count, int *at, const char *name);
/* Prints complaints to stderr; `text` is the file's content. */
void settings_show(const struct complaints *complaints, struct span name, struct span text);

#endif
