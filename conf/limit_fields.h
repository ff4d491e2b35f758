/* SPDX-License-Identifier: Apache-2.0 */
/* conf/limit_fields.h: what budgets and rates are written with: a name, a scope, and a number with
 * its unit, in a list. Each complains in their words. */
#ifndef CONF_LIMIT_FIELDS_H
#define CONF_LIMIT_FIELDS_H

#include "conf/reader.h"
#include "enforcement/scope.h"

/* `what`: "budget". */
void limit_read_name(struct reader *reader, const struct node *node, const char *what,
                     struct span *name);

struct limit_scopes {
    bool (*has)(enum scope_kind kind);
    const char *no;    /* "is no scope" */
    const char *alone; /* of those that take no value: "global, trace and call" */
};
/* Names of providers, routes and tasks must stand in the file: a misspelt one would count for
 * nobody. */
void limit_read_scope(struct reader *reader, const struct node *node,
                      const struct limit_scopes *scopes, struct scope *scope);

struct limit_unit {
    struct span word;
    bool is_money;     /* decimal, as nanodollars */
    int64_t max;
    const char *range; /* "at least 1 and at most ..." */
};
struct limit_units {
    const struct limit_unit *list;
    size_t count;
    const char *form;  /* "write it like ..." */
};
/* "25 USD": the number, at least 1 of its unit's smallest part, and the unit's place in the list.
 * False after a complaint. */
bool limit_read_amount(struct reader *reader, const struct node *node,
                       const struct limit_units *units, size_t *unit, int64_t *amount);

struct limit_list {
    const char *word; /* "budgets" */
    size_t size;      /* of an item, which begins with its name */
    size_t max;
    /* Item number `index`; complains of what is wrong with it. */
    void (*read)(struct reader *reader, const struct node *node, size_t index, void *item,
                 void *to);
};
/* A list of them; no name, if there is one, stands in it twice. How many there are, in the reader's
 * arena; 0 also after a complaint about the list itself. */
size_t limit_read_list(struct reader *reader, const struct node *node,
                       const struct limit_list *kind, void *to, void **items);
/* About a key of the item, whether it is written or not. */
void limit_complain_at(struct reader *reader, const struct node *node, const char *key,
                       const char *words, const char *help);

#endif
