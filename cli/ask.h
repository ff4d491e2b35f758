/* SPDX-License-Identifier: Apache-2.0 */
/* cli/ask.h: asks the headgate that runs, over the operators' listener that the settings name and
 * with their token. Used by the commands that look at it or order it about. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "cli/command.h"
#include "wire/json_scan.h"

enum { ASK_BODY_MAX = 16 * 1024 * 1024 };

/* GET, or POST without a body. The answer's body is put into `body`, which the caller has begun with
 * ASK_BODY_MAX. Returns an exit code; every one but EXIT_CODE_GOOD has been explained on stderr. */
int ask(const struct command_line *line, bool is_post, struct span path, struct buf *body);
/* The same for a POST of JSON with settings that are loaded. EXIT_CODE_UNREACHABLE alone is not
 * explained: there may be another way. */
int ask_json(const struct snapshot *snapshot, struct span path, struct span json, struct buf *body);
/* What a status other than 200 makes of the command. */
int ask_code(unsigned status);

/* The same in parts, for who asks again and again. The settings, which are the caller's on
 * EXIT_CODE_GOOD. */
int ask_open(const struct command_line *line, struct snapshot **snapshot);
struct ask_answer {
    struct buf *body; /* the caller's */
    unsigned status;
    enum err err; /* there is no answer; `why` tells */
    struct why why;
};
/* A GET, and nothing said. The body is cleared first. False: no answer, or none with status 200. */
bool ask_quietly(const struct snapshot *snapshot, struct span path, struct ask_answer *answer);
/* Says on stderr what came of it, and returns the exit code. */
int ask_tell(const struct snapshot *snapshot, const struct ask_answer *answer);

/* A name as one segment of a path, or as a value of a query. */
void ask_put_escaped(struct buf *out, struct span text);
/* The whole number at this place of an answer; 0 when it does not say. */
int64_t ask_count(struct span body, const struct json_path *path);

/* Every line of a text, without what could move a terminal. */
void ask_print(struct span text);

#endif
