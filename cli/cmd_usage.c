/* SPDX-License-Identifier: Apache-2.0 */
/* headgate usage: what was used and what it cost, by the records of this machine's headgate. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/usage.h"

enum { HELP_MAX = 8192 };

static int misused(const char *text)
{
    (void)fprintf(stderr, "headgate: usage: %s; see headgate usage --help\n", text);
    return EXIT_CODE_USAGE;
}

static bool find_kind(const char *word, enum query_kind *kind)
{
    for (size_t i = 0; i < QUERY_KINDS; i++) {
        if (span_equal(span_of(word), query_kind_names[i])) {
            *kind = (enum query_kind)i;
            return true;
        }
    }
    return false;
}

/* "--name value" or "--name=value". False: there is no value. */
static bool take_option(char *const *words, int count, int *at, struct span *name,
                        struct span *value)
{
    struct span rest = span_of(words[*at] + 2);

    *name = span_cut(&rest, '=');
    *value = rest;
    if (rest.at != NULL) {
        return true;
    }
    if (*at + 1 >= count) {
        return false;
    }
    *value = span_of(words[++*at]);
    return true;
}

static bool is_word(const char *word, const char *a)
{
    return strcmp(word, a) == 0;
}

/* One word behind the subcommand's name. False: `why` tells. */
static bool take_word(struct usage_line *line, char *const *words, int count, int *at,
                      struct why *why)
{
    const char *word = words[*at];
    struct span name;
    struct span value;

    if (is_word(word, "--json") || is_word(word, "--csv")) {
        return query_set(&line->query, SPAN_OF("format"), span_of(word + 2), why) == ERR_NONE;
    }
    if (strncmp(word, "--", 2) != 0 || word[2] == '\0') {
        if (line->query.kind != QUERY_TRACE || word[0] == '-' || line->query.trace.len > 0) {
            why_set(why, "one word too many: %s", word);
            return false;
        }
        return query_set(&line->query, SPAN_OF("id"), span_of(word), why) == ERR_NONE;
    }
    if (!take_option(words, count, at, &name, &value)) {
        why_set(why, "--%.*s needs a value", SPAN_ARGS(name));
        return false;
    }
    if (span_equal(name, SPAN_OF("state-dir"))) {
        line->state_dir = value.at;
        return true;
    }
    return query_set(&line->query, name, value, why) == ERR_NONE;
}

static int run(const struct command_line *command_line)
{
    struct usage_line line = {.line = command_line};
    enum query_kind kind = QUERY_SUMMARY;
    char *const *words = command_line->operands;
    int count = command_line->operands_count;
    struct why why;

    if (count == 0 || !find_kind(words[0], &kind)) {
        return misused("say summary, history, daily, calls or trace");
    }
    query_init(&line.query, kind);
    line.query.format = command_line->wants_json ? QUERY_JSON : QUERY_TABLE;
    for (int i = 1; i < count; i++) {
        if (!take_word(&line, words, count, &i, &why)) {
            return misused(why.text);
        }
    }
    if (kind == QUERY_TRACE && line.query.trace.len == 0) {
        return misused("trace needs the id that was sent in x-headgate-trace");
    }
    return usage_ask(&line, ((wall_ms)time(NULL) + 1) * 1000); /* this second is not over */
}

const struct command command_usage = {
    .name = "usage",
    .help = "what was used and what it cost: by key, team, user, tag, model, day, unit of work",
    .operands = "summary|history|daily|calls|trace ...",
    .parses_itself = true,
    .has_json = true,
    .details =
        "  summary            sums of this month\n"
        "  history            a row per hour, of the last 24\n"
        "  daily              a row per day, of the last 30\n"
        "  calls              records, newest first\n"
        "  trace ID           the calls of one x-headgate-trace, and what draft and repair cost\n\n"
        "  --by LIST          a row each: key, team, user, tag, provider, model, route, task,\n"
        "                     source, operation, provenance; up to four, with commas\n"
        "  --key NAME ...     only these; so for each word of --by; several times: any of them\n"
        "  --from, --to WHEN  a time (2026-11-20T15:00:00Z), a day, 24h, 7d, today, yesterday,\n"
        "                     this_month\n"
        "  --zone NAME        in which days and hours are told, like Europe/Berlin; else UTC\n"
        "  --limit N          so many rows\n"
        "  --cursor PLACE     of calls: go on where the last answer ended\n"
        "  --json, --csv      for programs\n"
        "  --state-dir DIR    where the records are; else as the configuration says\n",
    .run = run,
};
