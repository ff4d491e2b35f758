/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/translate_golden.h: the golden files of tests/data/translate as rows of blocks (test_translate.c says
 * what they mean). */
#ifndef TESTS_UNIT_WIRE_TRANSLATE_GOLDEN_H
#define TESTS_UNIT_WIRE_TRANSLATE_GOLDEN_H

#include "translate_rig.h"

#include <dirent.h>
#include <stdlib.h>

enum { BLOCKS_MAX = 200, FILES_MAX = 100 };

struct block {
    struct span head; /* without "## " */
    struct span text; /* without the last line break */
};

static inline size_t read_blocks(struct span text, struct block blocks[BLOCKS_MAX])
{
    size_t count = 0;

    while (text.len > 0) {
        const char *next = NULL;

        assert_true(span_starts(text, SPAN_OF("## ")));
        assert_true(count < BLOCKS_MAX);
        text = span_from(text, 3);
        blocks[count].head = span_cut(&text, '\n');
        next = span_starts(text, SPAN_OF("## ")) ? text.at : span_find(text, SPAN_OF("\n## "));
        blocks[count].text = next == NULL ? text : span_make(text.at, (size_t)(next - text.at));
        if (blocks[count].text.len > 0 && blocks[count].text.at[blocks[count].text.len - 1] == '\n') {
            blocks[count].text.len--;
        }
        text = next == NULL ? span_make(NULL, 0) : span_from(text, (size_t)(next - text.at) + (*next == '\n'));
        count++;
    }
    return count;
}

/* The word in front, which ends at a blank. */
static inline void word_of(struct span *rest, char *out, size_t size)
{
    struct span word = span_cut(rest, ' ');

    assert_true(word.len < size);
    memcpy(out, word.at == NULL ? "" : word.at, word.len);
    out[word.len] = '\0';
}

/* Whether a block is headed by this word, which is taken off. */
static inline bool is_headed(struct span *head, const char *word)
{
    struct span rest = *head;

    if (!span_equal(span_cut(&rest, ' '), span_of(word))) {
        return false;
    }
    *head = rest;
    return true;
}

static inline struct rig_side side_named(struct span rest)
{
    char name[32];

    word_of(&rest, name, sizeof name);
    return rig_side_of(name);
}

static inline int golden_by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All files, or the one called `only`, in the order of their names. */
static inline void golden_each(const char *only, void (*check)(const char *name))
{
    char *names[FILES_MAX];
    size_t count = 0;
    DIR *folder = opendir("tests/data/translate");

    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (span_ends(span_of(entry->d_name), SPAN_OF(".golden")) && count < FILES_MAX) {
            names[count++] = strdup(entry->d_name);
        }
    }
    (void)closedir(folder);
    assert_true(count > 0);
    qsort(names, count, sizeof *names, golden_by_name);
    for (size_t i = 0; i < count; i++) {
        if (only == NULL || strcmp(only, names[i]) == 0) {
            check(names[i]);
        }
        free(names[i]);
    }
}

#endif
