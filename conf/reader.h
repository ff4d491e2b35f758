/* SPDX-License-Identifier: Apache-2.0 */
/* conf/reader.h: walks the tree by the tables of base/field and complains with path and place. One
 * reader lives for one load; what it reads goes into its arena. */
#ifndef CONF_READER_H
#define CONF_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/field.h"
#include "conf/complaint.h"
#include "conf/load.h"
#include "conf/snapshot.h"
#include "conf/tree.h"

/* Where the reader stands: "routes.smart.targets[0]". Lives on the stack of who went down. */
struct path {
    const struct path *up;
    struct span name; /* at == NULL: an item of a list */
    size_t index;
};

/* The places that checks between sections speak of, beside the snapshot's own arrays. */
struct places {
    const struct place *listens; /* line 0: from the environment */
    struct place admin;
    struct place *providers; /* of the name */
    struct place *kinds;     /* of the kind's value, else of the name */
    struct place *base_urls; /* of the value, else of the name */
    struct place *routes;    /* of the name */
    struct place enforcing;  /* of the first budget that enforces */
    struct place keys;       /* line 0: there are none */
    struct place key_secret; /* of the value; line 0: from the environment, or none */
};

struct reader {
    struct complaints *complaints;
    const struct conf_world *world;
    struct snapshot *snapshot; /* NULL while a file of prices or keys is read */
    struct arena *arena;       /* where values go: the snapshot's */
    struct span file_name;     /* of the settings; empty: there is none */
    const struct path *path;
    struct places places;
    struct provider *providers; /* the snapshot's, still changeable */
    size_t expanded;            /* bytes that values have taken so far */
    bool has_no_file;           /* a start without a file: a missing credential means passthrough */
    bool has_no_memory;
};

/* The path in front of the words: "routes.smart.early_head must be ...". NULL past the limit. */
struct complaint *reader_complain(struct reader *reader, struct place place, const char *format,
                                  ...) PRINTF_LIKE(3, 4);
/* The value is never shown (it turned out to hold a password). */
void reader_hide(struct reader *reader, const struct node *node);

/* A mapping by its table, rows in the table's order, whatever the order in the file: unknown keys
 * get the nearest right word, missing ones are told. Defaults are the caller's business. */
void reader_map(struct reader *reader, const struct node *node, const struct field_table *table,
                void *object);
/* Complains and returns false when the node is of another kind. */
bool reader_expects(struct reader *reader, const struct node *node, enum node_kind kind);
/* A scalar by its row into its place in `object`, with complaints. */
void reader_value(struct reader *reader, const struct node *node, const struct field *field,
                  void *object);
/* A value with its references expanded, in the arena. False after a complaint. */
bool reader_text(struct reader *reader, const struct node *node, struct span *text);
/* The same for a secret: may be empty; otherwise it must be fit for a header line, and no "$NAME". */
bool reader_secret(struct reader *reader, const struct node *node, struct span *secret);
/* Puts one value of a list into `item`; false after a complaint. */
typedef bool reader_item(struct reader *reader, const struct node *node, struct span text,
                         void *item);
/* Reads each item of a list of texts into an array of `size`-byte objects in the arena. Items that
 * `read` refuses are left out. *items is NULL when there are none. */
void reader_items(struct reader *reader, const struct node *node, reader_item *read, size_t size,
                  void **items, size_t *count);

/* Down into a child and up again. */
void reader_enter(struct reader *reader, struct path *path, struct span name, size_t index);
void reader_leave(struct reader *reader);

/* A secret from the variable `name`, else from the file that `name`_FILE names. Empty when neither
 * is set; false after a complaint at `place`. */
bool reader_variable_secret(struct reader *reader, struct place place, const char *name,
                            struct span *secret);

/* Bytes from the reader's arena, or NULL: then the load ends with ERR_MEMORY. */
void *reader_take(struct reader *reader, size_t size);

#endif
