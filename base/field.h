/* SPDX-License-Identifier: Apache-2.0 */
/* base/field.h: tables of typed settings. One row per key drives reading, ranges, defaults, the
 * nearest right word, printing and the manual. Defaults and limits are written as a user writes
 * them ("5s", "64MiB"), so that messages and manual show the same words. */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum field_type {
    FIELD_BOOL,     /* bool: true or false */
    FIELD_U32,      /* uint32_t */
    FIELD_U64,      /* uint64_t */
    FIELD_DURATION, /* uint32_t, milliseconds */
    FIELD_SIZE,     /* uint64_t, bytes */
    FIELD_PERCENT,  /* uint32_t, whole percents */
    FIELD_WORD,     /* an enum: the index of the word; past the last one: no word was given */
    FIELD_SWITCH,   /* bool: the first of two words is false, the second true */
    FIELD_TEXT,     /* struct span: the text itself, not copied */
    FIELD_MAP,      /* a struct inside, with a table of its own */
    FIELD_CUSTOM    /* whatever `read` makes of it */
};

/* The form a key's value has is known to whoever reads the file; here both are only passed on. */
struct reader;
struct node;
typedef void field_reader(struct reader *reader, const struct node *node, void *object);

struct field_table;

/* 48 bytes: there are hundreds. */
struct field {
    const char *name;
    const char *initial; /* default as written; NULL: none (the object's zero stays); of
                          * FIELD_CUSTOM: for the manual only */
    const char *help;    /* one sentence for the manual */
    union {
        struct {
            const char *min; /* of numbers, durations, sizes, percents: always given, both */
            const char *max;
        };
        struct {
            const struct span *words; /* FIELD_WORD, FIELD_SWITCH */
            size_t words_count;
        };
        const struct field_table *inner; /* FIELD_MAP */
        field_reader *read;              /* FIELD_CUSTOM */
    };
    uint32_t place;   /* offset in the object; of FIELD_CUSTOM: unused */
    uint8_t type;     /* enum field_type */
    bool is_required;
    bool may_be_off;  /* FIELD_DURATION: the word `off` is zero */
    bool is_secret;   /* never printed */
};

enum { FIELDS_MAX = 48 };

struct field_table {
    const struct field *fields;
    size_t count; /* at most FIELDS_MAX */
};

#define FIELD_TABLE(array)                                                                         \
    {                                                                                              \
        (array), ARRAY_LENGTH(array)                                                               \
    }

/* The row of this name, or NULL. */
const struct field *field_find(const struct field_table *table, struct span name);
/* The row whose name is nearest, or NULL when none is near. */
const struct field *field_nearest(const struct field_table *table, struct span name);
/* "a, b, c": the names in the table's order. */
void field_list(const struct field_table *table, struct buf *out);

/* Reads a scalar's text into its place in `object`. Not for FIELD_MAP and FIELD_CUSTOM. On
 * ERR_FORMAT and ERR_RANGE the object is unchanged and `why` holds words that follow the key's
 * name: "must be 1ms to 10m". */
MUST_CHECK enum err field_read(const struct field *field, struct span text, void *object,
                               struct why *why);
/* Whether it is one of words: FIELD_WORD, FIELD_SWITCH. */
static inline bool field_has_words(const struct field *field)
{
    return field->type == FIELD_WORD || field->type == FIELD_SWITCH;
}
/* How a good value looks, for help texts; NULL when `why` has said it. */
const char *field_form(const struct field *field);
/* Every default of the table and of the tables inside, but those of FIELD_CUSTOM. */
void field_defaults(const struct field_table *table, void *object);
/* The value as a user would write it; of a secret only whether there is one. Not for FIELD_MAP and
 * FIELD_CUSTOM. */
void field_print(const struct field *field, const void *object, struct buf *out);

#endif
