/* SPDX-License-Identifier: Apache-2.0 */
/* Which file the settings are in, and what is printed when they are wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "conf/load.h"
#include "proxy/files.h"

enum { SETTINGS_MAX = 1024 * 1024 + 1, PATH_MAX_BYTES = 4096, COMPLAINTS_TEXT_MAX = 1024 * 1024 };

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool take_if_there(struct buf *path, const char *format, const char *folder)
{
    buf_clear(path);
    if (folder == NULL || folder[0] == '\0') {
        return false;
    }
    buf_put_text(path, folder);
    buf_put_text(path, format);
    buf_put_char(path, '\0');
    if (!path->failed && exists(path->at)) {
        path->len--;
        return true;
    }
    buf_clear(path);
    return false;
}

/* The first of the usual places; a file that was asked for is taken even when it is not there, so
 * that the complaint names it. */
static void find_file(const struct command_line *line, struct buf *path)
{
    const char *asked = line->config != NULL ? line->config : getenv("HEADGATE_CONFIG");
    const char *home = getenv("XDG_CONFIG_HOME");

    if (asked != NULL && asked[0] != '\0') {
        buf_put_text(path, asked);
        return;
    }
    if (take_if_there(path, "/headgate.yaml", ".")) {
        return;
    }
    if (home != NULL && home[0] != '\0') {
        if (take_if_there(path, "/headgate/headgate.yaml", home)) {
            return;
        }
    } else if (take_if_there(path, "/.config/headgate/headgate.yaml", getenv("HOME"))) {
        return;
    }
    (void)take_if_there(path, "/headgate/headgate.yaml", "/etc");
}

void settings_show(const struct complaints *complaints, struct span name, struct span text)
{
    struct buf out;

    buf_init(&out, COMPLAINTS_TEXT_MAX);
    complaints_print(complaints, name, text, &out);
    (void)fwrite(out.at, 1, out.len, stderr);
    buf_fini(&out);
}

/* An option stands above the environment, which stands above the file: so it becomes the former. */
void settings_apply(const struct command_line *line)
{
    if (line->listen != NULL) {
        (void)setenv("HEADGATE_LISTEN", line->listen, 1);
    }
}

bool settings_color(const struct command_line *line)
{
    const char *no_color = getenv("NO_COLOR");

    return !line->has_no_color && (no_color == NULL || no_color[0] == '\0') &&
           isatty(STDOUT_FILENO) == 1;
}

const char *settings_option(char *const *words, int count, int *at, const char *name)
{
    size_t length = strlen(name);

    if (strncmp(words[*at], name, length) != 0) {
        return NULL;
    }
    if (words[*at][length] == '=') {
        return words[*at] + length + 1;
    }
    if (words[*at][length] != '\0') {
        return NULL;
    }
    return *at + 1 < count ? words[++*at] : "";
}

static enum err load_file(struct span path, const struct conf_world *world, struct buf *text,
                          struct complaints *complaints, struct snapshot **snapshot)
{
    struct why why = {.text = ""};
    enum err err = files_read(path, text, &why);

    if (err != ERR_NONE) {
        (void)fprintf(stderr, "headgate: error: cannot read the configuration: %s\n", why.text);
        return ERR_CONFIG;
    }
    err = conf_load(path, buf_span(text), world, complaints, snapshot);
    if (err == ERR_CONFIG) {
        settings_show(complaints, path, buf_span(text));
    }
    return err;
}

static int load(const struct command_line *line, const struct conf_world *world,
                struct snapshot **snapshot, struct buf *path)
{
    struct complaints complaints;
    struct buf text;
    enum err err = ERR_NONE;

    buf_init(&text, SETTINGS_MAX);
    buf_init(path, PATH_MAX_BYTES);
    *snapshot = NULL;
    settings_apply(line);
    find_file(line, path);
    if (path->len > 0) {
        err = load_file(buf_span(path), world, &text, &complaints, snapshot);
    } else {
        err = conf_default(world, &complaints, snapshot);
        if (err == ERR_CONFIG) {
            settings_show(&complaints, SPAN_OF("environment"), span_make("", 0));
        }
    }
    buf_fini(&text);
    if (err == ERR_MEMORY) {
        (void)fprintf(stderr, "headgate: out of memory\n");
        return EXIT_CODE_RUNTIME;
    }
    return err == ERR_NONE ? EXIT_CODE_GOOD : EXIT_CODE_CONFIG;
}

int settings_load(const struct command_line *line, struct snapshot **snapshot, struct buf *path)
{
    struct conf_world world = files_world();

    return load(line, &world, snapshot, path);
}

int settings_load_without_keys(const struct command_line *line, struct snapshot **snapshot,
                               struct buf *path)
{
    struct conf_world world = files_world();

    world.edits_keys = true;
    return load(line, &world, snapshot, path);
}

static void tell_first(const struct complaints *complaints, struct span path, struct why *why)
{
    const struct complaint *first = &complaints->list[0];
    size_t more = complaints->count - 1 + complaints->more;

    why_set(why, "%.*s:%u:%u: %s%s", SPAN_ARGS(path), first->line, first->column, first->text,
            more > 0 ? " (and more: headgate check)" : "");
}

enum err settings_load_again(struct span path, struct snapshot **snapshot, struct why *why)
{
    struct conf_world world = files_world();
    struct complaints complaints;
    struct buf text;
    enum err err = ERR_NONE;

    buf_init(&text, SETTINGS_MAX);
    err = files_read(path, &text, why);
    if (err == ERR_NONE) {
        err = conf_load(path, buf_span(&text), &world, &complaints, snapshot);
        if (err == ERR_CONFIG) {
            tell_first(&complaints, path, why);
        } else if (err != ERR_NONE) {
            why_set(why, "%s", err_text(err));
        }
    }
    buf_fini(&text);
    return err;
}
