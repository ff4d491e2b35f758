/* SPDX-License-Identifier: Apache-2.0 */
/* headgate budget: what the running headgate's budgets have left, and orders about them. */
#include <stdio.h>
#include <string.h>

#include "admin/budget_ask.h"
#include "cli/ask.h"

enum { PATH_MAX_BYTES = 8192 };

/* What stands behind the command's name. */
struct words {
    const char *verb;
    const char *name;  /* NULL: none */
    const char *budget;
    const char *of;
    const char *proxy;
    bool wants_json;
};

static int misused(const char *text, const char *what)
{
    (void)fprintf(stderr, "headgate: budget: %s%s; see headgate budget --help\n", text, what);
    return EXIT_CODE_USAGE;
}

/* ---- the words ---- */

/* Where the option's value belongs; NULL: there is no such option. */
static const char **place_of(struct words *words, struct span name)
{
    if (span_equal(name, SPAN_OF("budget"))) {
        return &words->budget;
    }
    if (span_equal(name, SPAN_OF("of"))) {
        return &words->of;
    }
    return span_equal(name, SPAN_OF("proxy")) ? &words->proxy : NULL;
}

/* "--of VALUE" or "--of=VALUE". */
static int take_option(struct words *words, char *const *list, int count, int *at)
{
    struct span rest = span_of(list[*at] + 2);
    struct span name = span_cut(&rest, '=');
    const char **place = place_of(words, name);

    if (span_equal(name, SPAN_OF("json")) && rest.at == NULL) {
        words->wants_json = true;
        return EXIT_CODE_GOOD;
    }
    if (place == NULL) {
        return misused("no such option: ", list[*at]);
    }
    if (rest.at == NULL && *at + 1 == count) {
        return misused(list[*at], " needs a value");
    }
    if (*place != NULL) {
        return misused(list[*at], " stands there twice");
    }
    *place = rest.at != NULL ? rest.at : list[++*at];
    return EXIT_CODE_GOOD;
}

static int read_words(struct words *words, char *const *list, int count)
{
    int code = EXIT_CODE_GOOD;

    for (int i = 0; i < count && code == EXIT_CODE_GOOD; i++) {
        if (list[i][0] == '-' && list[i][1] == '-' && list[i][2] != '\0') {
            code = take_option(words, list, count, &i);
        } else if (words->verb == NULL) {
            words->verb = list[i];
        } else if (words->name == NULL && list[i][0] != '-' && list[i][0] != '\0') {
            words->name = list[i];
        } else {
            code = misused("one word too many: ", list[i]);
        }
    }
    return code;
}

/* ---- the path ---- */

static void put_parameter(struct buf *path, const char *name, const char *value)
{
    if (value != NULL) {
        buf_put_char(path, span_find(buf_span(path), SPAN_OF("?")) == NULL ? '?' : '&');
        buf_put_text(path, name);
        buf_put_char(path, '=');
        ask_put_escaped(path, span_of(value));
    }
}

static int put_list(struct buf *path, const struct words *words)
{
    if (words->name != NULL || words->proxy != NULL) {
        return misused("list takes --budget and --of", "");
    }
    buf_put_text(path, words->wants_json ? "/admin/v1/budgets" : "/admin/v1/budgets.txt");
    put_parameter(path, "budget", words->budget);
    put_parameter(path, "of", words->of);
    return EXIT_CODE_GOOD;
}

static int put_order(struct buf *path, const struct words *words, enum ledger_order_kind order)
{
    if (words->budget != NULL) {
        return misused("--budget is for list", "");
    }
    if (order == ORDER_RESET && words->name == NULL) {
        return misused("reset needs the NAME of a budget", "");
    }
    if (order == ORDER_VOID ? words->name != NULL || words->proxy == NULL : words->proxy != NULL) {
        return misused("void takes --proxy NAME, and nothing else does", "");
    }
    if (order != ORDER_RESET && words->of != NULL) {
        return misused("--of is for list and reset", "");
    }
    buf_put_text(path, "/admin/v1/budgets/");
    if (words->name != NULL) {
        ask_put_escaped(path, span_of(words->name));
        buf_put_char(path, '/');
    }
    buf_put_text(path, budget_order_word(order));
    put_parameter(path, "of", words->of);
    put_parameter(path, "proxy", words->proxy);
    return EXIT_CODE_GOOD;
}

/* ---- what came of it ---- */

static void print_done(const struct words *words, struct span body, enum ledger_order_kind order)
{
    static const struct json_path path = JSON_PATH1("count");
    long long count = (long long)ask_count(body, &path);
    const char *thing = order == ORDER_VOID ? "hold" : "counter";

    (void)printf("%s: %s%s%s, %lld %s%s\n", words->verb,
                 words->name != NULL    ? words->name
                 : words->proxy != NULL ? words->proxy
                                        : "all budgets",
                 words->of != NULL ? " of " : "", words->of != NULL ? words->of : "", count, thing,
                 count == 1 ? "" : "s");
}

static void print_list(struct span body)
{
    if (body.len > 0) {
        ask_print(body);
    } else {
        (void)printf("no budget of this description counts anything\n");
    }
}

static bool find_order(const char *verb, enum ledger_order_kind *order)
{
    for (int i = ORDER_RESET; i <= ORDER_REBUILD; i++) {
        *order = (enum ledger_order_kind)i;
        if (strcmp(verb, budget_order_word(*order)) == 0) {
            return true;
        }
    }
    return false;
}

static int obey(const struct command_line *line, const struct words *words, struct buf *path,
                struct buf *body)
{
    enum ledger_order_kind order = ORDER_RESET;
    bool is_list = strcmp(words->verb, "list") == 0;
    int code = EXIT_CODE_GOOD;

    if (!is_list && !find_order(words->verb, &order)) {
        return misused("say list, reset, rebuild or void, not ", words->verb);
    }
    code = is_list ? put_list(path, words) : put_order(path, words, order);
    if (code == EXIT_CODE_GOOD) {
        code = path->failed ? misused("too long a name", "")
                            : ask(line, !is_list, buf_span(path), body);
    }
    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    if (words->wants_json) {
        (void)fwrite(body->at, 1, body->len, stdout);
    } else if (is_list) {
        print_list(buf_span(body));
    } else {
        print_done(words, buf_span(body), order);
    }
    return EXIT_CODE_GOOD;
}

static int run(const struct command_line *line)
{
    struct words words = {.wants_json = line->wants_json};
    struct buf path;
    struct buf body;
    int code = read_words(&words, line->operands, line->operands_count);

    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    if (words.verb == NULL) {
        return misused("say list, reset, rebuild or void", "");
    }
    buf_init(&path, PATH_MAX_BYTES);
    buf_init(&body, ASK_BODY_MAX);
    code = obey(line, &words, &path, &body);
    buf_fini(&body);
    buf_fini(&path);
    return code;
}

const struct command command_budget = {
    .name = "budget",
    .help = "what budgets have left, at the running headgate; reset, rebuild, void",
    .operands = "list|reset|rebuild|void ...",
    .parses_itself = true,
    .has_json = true,
    .details =
        "  list                the fullest first; --budget NAME and --of VALUE choose\n"
        "  reset NAME          the budget's counters begin at zero, now; --of VALUE: that one's\n"
        "                      only. Calls that run count on what was before\n"
        "  rebuild [NAME]      what was spent in the windows of now is summed up anew from the\n"
        "                      usage records; without NAME, and with Redis, of all budgets\n"
        "  void --proxy NAME   what is presumed spent by a headgate that will not come back is\n"
        "                      given back. Only when its calls are known not to have run\n\n"
        "VALUE is whose counter it is: a team, a user, a tag, as the list shows it under OF.\n"
        "All but list need admin.token (or HEADGATE_ADMIN_TOKEN), here and where headgate runs.\n"
        "Exit code 1: it was not done; 2: no budget has this name; 69: no headgate answers;\n"
        "77: refused.\n",
    .run = run,
};
