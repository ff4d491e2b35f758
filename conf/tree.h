/* SPDX-License-Identifier: Apache-2.0 */
/* conf/tree.h: the text of a settings file -> a tree of nodes that know their line and column.
 * Strict: one document, UTF-8, no tabs, no duplicate keys, no tags, no merge keys; at most 1 MiB,
 * 32 levels and 10,000 nodes counted as if every alias were written out (price files: 4 MiB and
 * 200,000). The only user of libyaml.
 */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "conf/complaint.h"

enum { TREE_BYTES_MAX = 1024 * 1024, TREE_DEPTH_MAX = 32, TREE_NODES_MAX = 10000 };
/* Room for nodes and texts of the largest file. */
enum { TREE_ARENA_MAX = 8 * 1024 * 1024 };
enum {
    TREE_PRICES_BYTES_MAX = 4 * 1024 * 1024,
    TREE_PRICES_NODES_MAX = 200000,
    TREE_PRICES_ARENA_MAX = 128 * 1024 * 1024
};

enum node_kind { NODE_TEXT, NODE_MAP, NODE_LIST };

/* Line and column count from 1, in characters; width is what to underline. */
struct place {
    uint32_t line;
    uint32_t column;
    uint32_t width;
};

struct node {
    enum node_kind kind;
    struct place place;             /* of the value; of an alias: where the alias stands */
    struct place key_place;         /* of the key, in a mapping; else the same as place */
    struct span key;                /* in a mapping */
    struct span text;               /* NODE_TEXT: as written, nothing expanded */
    struct hidden extent;           /* from the value's first character to behind its last */
    const struct node *first;       /* of its children, in file order */
    const struct node *next;        /* the next one beside it */
    const struct node *made_before; /* every node of the tree, latest first; see struct tree */
    size_t count;                   /* of its children */
    size_t size;                    /* nodes in it, itself and keys included, aliases written out */
    uint32_t key_hash;
};

struct tree {
    const struct node *root;
    const struct node *latest; /* follow made_before to visit each node once */
};

/* Complains and goes on where that makes sense (a duplicate key); ERR_CONFIG when there is no whole
 * tree. ERR_NONE with complaints is possible. ERR_MEMORY. Everything lives in `arena`. */
MUST_CHECK enum err tree_read(struct span text, struct arena *arena, struct complaints *complaints,
                              struct tree *tree);
/* The same of a price file: more bytes and nodes, and an arena of TREE_PRICES_ARENA_MAX. */
MUST_CHECK enum err tree_read_prices(struct span text, struct arena *arena,
                                     struct complaints *complaints, struct tree *tree);
/* The child of this key, or NULL. */
const struct node *node_child(const struct node *node, struct span key);
/* "text", "a list", "a mapping". */
const char *node_kind_text(enum node_kind kind);

#endif
