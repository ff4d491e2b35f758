/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the index from outside. A headgate that runs keeps it up to date within a second; where
 * none runs, what the journal has more is read first. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/usage.h"
#include "proxy/index.h"
#include "proxy/state_dir.h"

enum { STEPS_PER_WORD = 40, NOW_FOLLOWED = -1 };

static int fail(const char *text, int code)
{
    (void)fprintf(stderr, "headgate: %s\n", text);
    return code;
}

static int find_folder(const struct usage_line *line, struct state_dir *dir)
{
    struct snapshot *snapshot = NULL;
    struct buf path;
    struct why why;
    int code = EXIT_CODE_GOOD;

    *dir = (struct state_dir){.lock = -1};
    if (line->state_dir != NULL) {
        int len = snprintf(dir->path, sizeof dir->path, "%s", line->state_dir);

        return len > 0 && (size_t)len < sizeof dir->path
                   ? EXIT_CODE_GOOD
                   : fail("usage: --state-dir needs a folder", EXIT_CODE_USAGE);
    }
    code = settings_load(line->line, &snapshot, &path);
    if (code == EXIT_CODE_GOOD && state_dir_find(snapshot, dir, &why) != ERR_NONE) {
        code = fail(why.text, EXIT_CODE_CONFIG);
    }
    if (code == EXIT_CODE_GOOD && dir->is_temporary) {
        code =
            fail("usage: with this configuration only built-in providers serve, and their records "
                 "are not kept; --state-dir names another folder",
                 EXIT_CODE_CONFIG);
    }
    buf_fini(&path);
    if (snapshot != NULL) {
        snapshot_give(snapshot);
    }
    return code;
}

/* False: `why` tells. */
static bool catch_up(struct index *index, struct why *why)
{
    bool shows = isatty(STDERR_FILENO) == 1;
    unsigned long steps = 0;

    while (index_step(index, (struct journal_place){UINT64_MAX, UINT64_MAX})) {
        if (shows && ++steps % STEPS_PER_WORD == 0) {
            struct journal_place place = index_place(index);

            (void)fprintf(stderr, "\rreading the journal: segment %llu, %llu MiB ",
                          (unsigned long long)place.segment,
                          (unsigned long long)(place.offset >> 20));
        }
    }
    if (shows && steps >= STEPS_PER_WORD) {
        (void)fprintf(stderr, "\r%60s\r", "");
    }
    return !index_trouble(index, why);
}

static int code_of(enum err err)
{
    switch (err) {
    case ERR_FORMAT: return EXIT_CODE_USAGE;
    case ERR_MISSING: return EXIT_CODE_FOUND;
    default: return EXIT_CODE_RUNTIME;
    }
}

static int ask(struct index *index, struct usage_line *line, wall_ms now)
{
    struct buf out;
    struct why why;
    enum err err = ERR_NONE;
    int code = EXIT_CODE_GOOD;

    buf_init(&out, INDEX_ANSWER_MAX);
    err = usage_answer(index, &line->query, now, &out, &why);
    if (err != ERR_NONE) {
        (void)fprintf(stderr, "headgate: usage: %s%s\n", err == ERR_FORMAT ? "--" : "", why.text);
        code = code_of(err);
    } else if (fwrite(out.at, 1, out.len, stdout) < out.len || fflush(stdout) != 0) {
        code = fail("cannot write", EXIT_CODE_RUNTIME);
    }
    buf_fini(&out);
    return code;
}

static int read_and_ask(struct usage_line *line, const struct state_dir *dir, wall_ms now,
                        bool is_read_only)
{
    char journal[sizeof dir->path + 16];
    struct index_options options = {.folder = span_of(dir->path),
                                    .seed = {(uint64_t)now, (uint64_t)getpid()},
                                    .is_read_only = is_read_only};
    struct index *index = NULL;
    struct why why;
    int code = EXIT_CODE_GOOD;

    (void)snprintf(journal, sizeof journal, "%s/journal", dir->path);
    options.journal = span_of(journal);
    if (index_open(&options, &index, &why) != ERR_NONE) {
        return fail(why.text, EXIT_CODE_RUNTIME);
    }
    if (why.text[0] != '\0') {
        (void)fprintf(stderr, "headgate: %s\n", why.text);
    }
    if (is_read_only || catch_up(index, &why)) {
        code = ask(index, line, now);
    } else if (state_dir_holder(dir) != 0) {
        code = NOW_FOLLOWED;
    } else {
        code = fail(why.text, EXIT_CODE_RUNTIME);
    }
    index_free(index);
    return code;
}

int usage_ask(struct usage_line *line, wall_ms now)
{
    struct state_dir dir;
    int code = find_folder(line, &dir);

    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    if (access(dir.path, F_OK) != 0) {
        (void)fprintf(stderr, "headgate: usage: there is no %s: no headgate has run with it yet\n",
                      dir.path);
        return EXIT_CODE_RUNTIME;
    }
    code = read_and_ask(line, &dir, now, state_dir_holder(&dir) != 0);
    /* A headgate began meanwhile, and goes on from where this one came. */
    return code == NOW_FOLLOWED ? read_and_ask(line, &dir, now, true) : code;
}
