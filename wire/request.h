/* SPDX-License-Identifier: Apache-2.0 */
/* wire/request.h: judging the body of a call. An operation lists the members it looks at as rows;
 * one scan finds them all and the rows are checked in their order, so that the first fault of a
 * body is always the same one. Members without a row are the provider's business. */
#ifndef WIRE_REQUEST_H
#define WIRE_REQUEST_H

#include "wire/dialect.h"

enum request_rule {
    RULE_FOREIGN,         /* belongs to another API: its presence proves a wrong path */
    RULE_FOREIGN_INSTEAD, /* the same, but only when the table's main member is absent */
    RULE_MODEL,
    RULE_MODEL_AGAIN,     /* the path names it already: a string, or nothing */
    RULE_MESSAGES,
    RULE_REQUIRED,        /* any value but null */
    RULE_STREAM,
    RULE_STREAM_OPTIONS,  /* only beside stream: true (place it after RULE_STREAM) */
    RULE_INCLUDE_USAGE,
    RULE_CHOICES,         /* how many answers: 1..128 */
    RULE_CAP,             /* of the output: an integer from 1 */
    RULE_CAP_HOME,        /* the object that holds it */
    RULE_CAP_OR_NONE,     /* the same, or 0 for no output at all */
    RULE_METADATA,
    RULE_SESSION,         /* names the conversation: a string to keep its calls together, or nothing */
    RULE_USER,            /* names who is served: a string, or nothing */
    RULE_BOUND,           /* where it is given, only the provider that gave it can go on */
    RULE_UNUSUAL,         /* where it is given, what the request may cost takes a closer look */
    RULE_NOTED            /* only looked for: the main member where nothing is asked of it */
};

struct request_row {
    enum request_rule rule;
    const char *param; /* how the member is called towards the app */
    const char *hint;  /* for the foreign ones: where the body belongs */
};

/* paths[i] is where the member of rows[i] stands; `main` is the row of messages or input. */
struct request_table {
    const struct json_path *paths;
    const struct request_row *rows;
    size_t count; /* <= JSON_PATHS_MAX */
    size_t main;
};

/* Reads `body` by the table: what struct operation's read_request promises. */
struct refusal request_read(const struct request_table *table, struct json_scan *scan,
                            uint64_t seed, struct span body, struct request *request);

/* Puts the edit that replaces the model, if there is one to put. Returns the number of edits. */
size_t request_edit_model(const struct request *request, struct span model_json,
                          struct json_edit *edit);

/* Puts the edits that lower every output cap of the request to `cap`, or write it where there is none
 * under this name, inside the member `home` where that is not NULL. The new text is put into `text`, which must have room for it and not move
 * (REQUEST_CAP_ROOM). Returns the number of edits. */
enum { REQUEST_CAP_ROOM = 96 };
size_t request_edit_cap(const struct request *request, struct span member, const char *home,
                        int64_t cap, struct buf *text, struct json_edit edits[REQUEST_CAPS_MAX]);

#endif
