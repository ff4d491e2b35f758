/* SPDX-License-Identifier: Apache-2.0 */
/* headgate top: what the running headgate is used for, drawn anew each second. Whatever ends it,
 * the terminal is given back as it was. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/top.h"
#include "usage/query.h"

enum {
    QUERY_ROOM = 4096,
    DRAWN_MAX = 1024 * 1024,
    HOUR_S = 3600,
    BEFORE_S = 60, /* long calls come late into what is over */
    EVERY_MAX_MS = 3600 * 1000,
    STATUS_SERVER = 500
};

struct top {
    struct snapshot *snapshot; /* the settings that name the listener */
    struct top_table *table;
    struct buf filters; /* as of a URL, each with an & in front */
    struct buf by;
    struct buf path;
    struct buf body;
    struct buf drawn;
    uint32_t every_ms;
    bool is_once;
    bool is_good;             /* the table is that of this turn */
    bool has_screen;          /* stdout is a terminal, and it is ours */
    sigset_t outside;         /* the signals that were blocked before */
    struct ask_answer answer; /* the last one */
};

#define SCREEN_TAKE "\033[?1049h\033[?25l"
#define SCREEN_GIVE "\033[?25h\033[?1049l"

/* For the signals that end it, which may come while an answer is awaited. */
static volatile sig_atomic_t is_screen_taken;
/* What came while it waited for the next turn. */
static volatile sig_atomic_t wants_to_stop;
static volatile sig_atomic_t has_other_size;

/* ---- the command line ---- */

static int misused(const char *text)
{
    (void)fprintf(stderr, "headgate: top: %s; see headgate top --help\n", text);
    return EXIT_CODE_USAGE;
}

static void put_encoded(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        buf_put_format(out, "%%%02x", (unsigned)(unsigned char)text.at[i]);
    }
}

static bool take_every(struct top *top, struct span value, struct why *why)
{
    uint64_t ms = 0;

    why_set(why, "--every takes a duration from 1s to 1h");
    if (text_read_duration(value, &ms) != ERR_NONE || ms < 1000 || ms > EVERY_MAX_MS) {
        return false;
    }
    top->every_ms = (uint32_t)ms;
    return true;
}

/* A filter, or `by`: whatever the question takes that is no time. */
static bool take_parameter(struct top *top, struct query *query, struct span name,
                           struct span value, struct why *why)
{
    bool is_known = span_equal(name, SPAN_OF("by"));

    for (size_t i = 0; i < DIMENSIONS; i++) {
        is_known = is_known || span_equal(name, dimension_names[i]);
    }
    if (!is_known) {
        why_set(why, "there is no --%.*s", SPAN_ARGS(name));
        return false;
    }
    if (query_set(query, name, value, why) != ERR_NONE) {
        return false;
    }
    if (!span_equal(name, SPAN_OF("by"))) {
        buf_put_char(&top->filters, '&');
        buf_put(&top->filters, name);
        buf_put_char(&top->filters, '=');
        put_encoded(&top->filters, value);
    }
    return true;
}

static bool take_word(struct top *top, struct query *query, char *const *words, int *at,
                      struct why *why)
{
    struct span rest = span_of(words[*at]);
    struct span name;

    if (span_equal(rest, SPAN_OF("--once"))) {
        top->is_once = true;
        return true;
    }
    if (!span_starts(rest, SPAN_OF("--"))) {
        why_set(why, "one word too many: %s", words[*at]);
        return false;
    }
    rest = span_from(rest, 2);
    name = span_cut(&rest, '=');
    if (rest.at == NULL) {
        rest = span_of(words[++*at]); /* behind the last word is NULL */
    }
    if (rest.at == NULL) {
        why_set(why, "--%.*s needs a value", SPAN_ARGS(name));
        return false;
    }
    return span_equal(name, SPAN_OF("every")) ? take_every(top, rest, why)
                                              : take_parameter(top, query, name, rest, why);
}

static bool take_words(struct top *top, const struct command_line *line, struct why *why)
{
    struct query query;

    query_init(&query, QUERY_SUMMARY);
    for (int i = 0; i < line->operands_count; i++) {
        if (!take_word(top, &query, line->operands, &i, why)) {
            return false;
        }
    }
    if (query.by_count == 0 &&
        query_set(&query, SPAN_OF("by"), SPAN_OF("provider,model"), why) != ERR_NONE) {
        return false;
    }
    memcpy(top->table->by, query.by, sizeof top->table->by);
    top->table->by_count = query.by_count;
    for (size_t i = 0; i < query.by_count; i++) {
        buf_put_text(&top->by, i > 0 ? "," : "&by=");
        buf_put(&top->by, dimension_names[query.by[i]]);
    }
    why_set(why, "the filters are too long");
    return !top->filters.failed && !top->by.failed;
}

/* ---- asking ---- */

static void put_time(struct buf *out, const char *name, int64_t at)
{
    buf_put_text(out, name);
    text_put_rfc3339(out, at * 1000);
}

/* What stands in `path`, which has room for all that the command line takes. False: no answer that
 * is of use. */
static bool ask_path(struct top *top)
{
    return ask_quietly(top->snapshot, buf_span(&top->path), &top->answer);
}

static bool ask_status(struct top *top, bool *is_new)
{
    buf_clear(&top->path);
    buf_put_text(&top->path, "/admin/v1/status");
    return ask_path(top) && top_take_status(top->table, buf_span(&top->body), is_new);
}

static void begin_sums(struct top *top, int64_t from)
{
    buf_clear(&top->path);
    put_time(&top->path, "/admin/v1/usage/summary?limit=250&from=", from);
    buf_put(&top->path, buf_span(&top->filters));
    buf_put(&top->path, buf_span(&top->by));
}

static bool ask_hour(struct top *top)
{
    begin_sums(top, top->table->hour);
    return ask_path(top) && top_take_sums(top->table, TOP_HOUR, 1, buf_span(&top->body));
}

/* What lies between the begin of the hour and the start, whichever was first: together the two are
 * the sums since the start, and nothing that is added meanwhile is in both, or in none. */
static bool ask_before(struct top *top)
{
    struct top_table *table = top->table;
    int64_t quarter = QUARTER_MS / 1000;
    int64_t start = (table->start - 1) / quarter * quarter; /* told in whole seconds */
    bool is_less = start > table->hour;

    if (start == table->hour) {
        top_clear(table, TOP_BEFORE);
        return true;
    }
    begin_sums(top, is_less ? table->hour : start);
    put_time(&top->path, "&to=", is_less ? start : table->hour);
    return ask_path(top) &&
           top_take_sums(table, TOP_BEFORE, is_less ? -1 : 1, buf_span(&top->body));
}

/* Calls have no `by`. */
static bool ask_calls(struct top *top)
{
    buf_clear(&top->path);
    put_time(&top->path, "/admin/v1/usage/calls?limit=2000&from=", top->table->now - TOP_MINUTE_S);
    buf_put(&top->path, buf_span(&top->filters));
    return ask_path(top) && top_take_calls(top->table, buf_span(&top->body));
}

/* What is over is asked for once a minute only: it may be much. False: what is there stays, and is
 * asked for again. */
static bool ask_all(struct top *top)
{
    struct top_table *table = top->table;
    int64_t quarter = QUARTER_MS / 1000;
    int64_t hour = 0;
    bool is_new = false;

    top->is_good = false;
    table->now = (int64_t)time(NULL);
    hour = (table->now - HOUR_S) / quarter * quarter;
    if (!ask_status(top, &is_new)) {
        return false;
    }
    if (is_new) {
        table->pictures_count = 0;
    }
    if (is_new || hour != table->hour || table->now - table->before_at >= BEFORE_S) {
        table->hour = hour;
        table->before_at = ask_before(top) ? table->now : 0;
    }
    if (table->before_at == 0 || !ask_hour(top)) {
        return false;
    }
    top_add_up(table);
    if (top_wants_calls(table) && !ask_calls(top)) {
        return false;
    }
    top_turn(table);
    top->is_good = true;
    return true;
}

/* ---- the terminal ---- */

static void write_text(const char *text)
{
    (void)fwrite(text, 1, strlen(text), stdout);
    (void)fflush(stdout);
}

static void end_cb(int signal)
{
    ssize_t ignored = 0;

    (void)signal;
    if (is_screen_taken != 0) {
        ignored = write(STDOUT_FILENO, SCREEN_GIVE, sizeof SCREEN_GIVE - 1);
    }
    (void)ignored;
    _exit(EXIT_CODE_GOOD);
}

static void stop_cb(int signal)
{
    (void)signal;
    wants_to_stop = 1;
}

static void size_cb(int signal)
{
    (void)signal;
    has_other_size = 1;
}

static void take_signal(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    (void)sigfillset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

/* Those that end it do so at once, the others come where it waits. */
static void take_signals(struct top *top)
{
    sigset_t waiting;

    take_signal(SIGINT, end_cb);
    take_signal(SIGTERM, end_cb);
    take_signal(SIGHUP, end_cb);
    take_signal(SIGQUIT, end_cb);
    take_signal(SIGTSTP, stop_cb);
    take_signal(SIGWINCH, size_cb);
    (void)sigemptyset(&waiting);
    (void)sigaddset(&waiting, SIGTSTP);
    (void)sigaddset(&waiting, SIGWINCH);
    (void)sigprocmask(SIG_BLOCK, &waiting, &top->outside);
}

static void take_screen(struct top *top)
{
    const char *kind = getenv("TERM");

    top->has_screen = isatty(STDOUT_FILENO) == 1 && kind != NULL && strcmp(kind, "dumb") != 0;
    if (top->has_screen) {
        is_screen_taken = 1;
        write_text(SCREEN_TAKE);
    }
}

static void give_screen(struct top *top)
{
    if (top->has_screen) {
        write_text(SCREEN_GIVE);
        is_screen_taken = 0;
    }
    top->has_screen = false;
}

/* Each line ends where the last picture's may go on, and so does the whole. */
static void put_on_screen(const struct top *top)
{
    struct span rest = buf_span(&top->drawn);

    (void)fwrite("\033[H", 1, 3, stdout);
    while (rest.len > 0) {
        struct span line = span_cut(&rest, '\n');

        (void)fwrite(line.at, 1, line.len, stdout);
        (void)fwrite("\033[K\r\n", 1, rest.len > 0 ? 5 : 3, stdout);
    }
    write_text("\033[J");
}

static void put_note(const struct top *top, struct buf *note)
{
    if (top->answer.err != ERR_NONE) {
        buf_put_format(note, "no headgate answers at %.*s (%s); trying again",
                       SPAN_ARGS(top->snapshot->admin.text), top->answer.why.text);
    } else if (top->answer.status != 200) {
        buf_put_format(note, "the answer has status %u; trying again", top->answer.status);
    } else if (!top->is_good) {
        buf_put_text(note, "the answer is none of a headgate of this version; trying again");
    }
}

static void draw(struct top *top)
{
    char bytes[512];
    struct buf note = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    struct winsize size = {.ws_row = 0};

    put_note(top, &note);
    if (top->has_screen) {
        (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    }
    buf_clear(&top->drawn);
    top_draw(top->table, size.ws_col, size.ws_row, buf_span(&note), &top->drawn);
    if (top->has_screen) {
        put_on_screen(top);
        return;
    }
    buf_put_text(&top->drawn, top->is_once ? "" : "\n");
    (void)fwrite(top->drawn.at, 1, top->drawn.len, stdout);
    (void)fflush(stdout);
}

/* ---- turns ---- */

static void wait_for_turn(struct top *top)
{
    struct timespec wait = {.tv_sec = top->every_ms / 1000,
                            .tv_nsec = (long)(top->every_ms % 1000) * 1000000};

    while (pselect(0, NULL, NULL, NULL, &wait, &top->outside) == -1 && errno == EINTR) {
        if (wants_to_stop != 0) {
            wants_to_stop = 0;
            give_screen(top);
            (void)raise(SIGSTOP);
            take_screen(top);
            has_other_size = 1;
        }
        if (has_other_size != 0 && top->has_screen) {
            has_other_size = 0;
            draw(top);
        }
    }
}

/* Why there is no table, and the exit code. */
static int tell(const struct top *top)
{
    int code = ask_tell(top->snapshot, &top->answer);

    if (code == EXIT_CODE_GOOD) {
        (void)fprintf(stderr,
                      "headgate: top: what answers at %.*s is no headgate of this version\n",
                      SPAN_ARGS(top->snapshot->admin.text));
        code = EXIT_CODE_RUNTIME;
    }
    return code;
}

/* A no will stay one; whoever is not there any more, or busy, may come back. */
static bool may_come_back(const struct top *top)
{
    return top->answer.err != ERR_NONE || top->answer.status == 200 ||
           top->answer.status >= STATUS_SERVER;
}

static int turn_on(struct top *top)
{
    bool is_first = true;

    while (ask_all(top) || (!is_first && may_come_back(top))) {
        if (is_first && !top->is_once) {
            take_signals(top);
            take_screen(top);
        }
        is_first = false;
        draw(top);
        if (ferror(stdout) != 0 || top->is_once) {
            give_screen(top);
            return ferror(stdout) != 0 ? EXIT_CODE_RUNTIME : EXIT_CODE_GOOD;
        }
        wait_for_turn(top);
    }
    give_screen(top);
    return tell(top);
}

static int run(const struct command_line *line)
{
    struct top top = {.every_ms = 1000, .is_once = line->wants_once};
    struct why why = {.text = ""};
    int code = EXIT_CODE_RUNTIME;

    buf_init(&top.filters, QUERY_ROOM);
    buf_init(&top.by, QUERY_ROOM);
    buf_init(&top.path, 2 * QUERY_ROOM);
    buf_init(&top.body, ASK_BODY_MAX);
    top.answer.body = &top.body;
    buf_init(&top.drawn, DRAWN_MAX);
    top.table = mem_take_zero(sizeof *top.table);
    if (top.table == NULL) {
        (void)fprintf(stderr, "headgate: out of memory\n");
    } else if (!take_words(&top, line, &why)) {
        code = misused(why.text);
    } else {
        code = ask_open(line, &top.snapshot);
    }
    if (top.snapshot != NULL && code == EXIT_CODE_GOOD) {
        code = turn_on(&top);
        snapshot_give(top.snapshot);
    }
    mem_give(top.table, sizeof *top.table);
    buf_fini(&top.filters);
    buf_fini(&top.by);
    buf_fini(&top.path);
    buf_fini(&top.body);
    buf_fini(&top.drawn);
    return code;
}

const struct command command_top = {
    .name = "top",
    .help = "what the running headgate is used for: calls, errors, tokens, cost, each second",
    .operands = "[--by LIST] [--every TIME] [--key NAME ...]",
    .parses_itself = true,
    .has_once = true,
    .details =
        "Asks the headgate that the configuration names, over its operators' listener. Sums of "
        "the\n"
        "last minute, of the hour, and since it started, as far as there is room. Ends with "
        "Ctrl-C.\n\n"
        "  --once          one table, and no more\n"
        "  --every TIME    how often it is drawn, 1s to 1h; else each second. Where stdout is no\n"
        "                  terminal one table follows the other, with an empty line between\n"
        "  --by LIST       a row each: up to four of key, team, user, tag, provider, model, "
        "route,\n"
        "                  task, source, operation, provenance; else provider,model\n"
        "  --key NAME ...  only these; so for each word of --by\n",
    .run = run,
};
