/* SPDX-License-Identifier: Apache-2.0 */
/* conf/complaint.h: everything wrong with a settings file, not only the first. Kept sorted by
 * place; at most 20, the rest are counted. Never shows a secret: the places of secrets are told by
 * complaint_hide, and text that looks like a key is masked besides. */
#ifndef CONF_COMPLAINT_H
#define CONF_COMPLAINT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/span.h"

enum { COMPLAINTS_MAX = 20, COMPLAINT_TEXT = 384, HIDDEN_MAX = 64, QUOTE_SIZE = 72 };

struct complaint {
    uint32_t line;   /* from 1; 0: about the file as a whole */
    uint32_t column; /* from 1 */
    uint32_t width;  /* characters to underline, at least 1 */
    char text[COMPLAINT_TEXT];
    char help[COMPLAINT_TEXT]; /* empty: none */
};

/* From the first place up to, not including, the second. */
struct hidden {
    uint32_t line;
    uint32_t column;
    uint32_t end_line;
    uint32_t end_column;
};

struct complaints {
    size_t count; /* kept */
    size_t more;  /* beyond the kept ones */
    struct complaint list[COMPLAINTS_MAX];
    bool is_cautious; /* nothing is known about the file's structure: mask on suspicion */
    bool hides_lines; /* more secrets than can be kept: no line is shown */
    size_t hidden_count;
    struct hidden hidden[HIDDEN_MAX];
};

void complaints_init(struct complaints *complaints);
/* Returns the complaint so that help can be added with complaint_help at once (the next one may
 * move it), or NULL past the limit. The same text at the same place is kept once. */
struct complaint *complaint_add(struct complaints *complaints, uint32_t line, uint32_t column,
                                uint32_t width, const char *format, ...) PRINTF_LIKE(5, 6);
/* NULL is allowed. */
void complaint_help(struct complaint *complaint, const char *format, ...) PRINTF_LIKE(2, 3);
/* "did you mean ...?" with the name nearest to the word; false when none is near. The complaint may
 * be NULL. */
bool complaint_suggest(struct complaint *complaint, struct span word, const struct span *names,
                       size_t count);
/* This part of the file is never shown. */
void complaint_hide(struct complaints *complaints, struct hidden place);
/* Does a key of this name hold a secret? Also when it is a little misspelt. */
bool complaint_is_secret(struct span key);
/* Foreign bytes made fit for a message: cut, controls replaced, a key masked. Returns `out`. */
const char *complaint_quote(struct span text, char out[QUOTE_SIZE]);

/* All of them: place, fault, the line shown with a caret, way out. `text` is the file's content, for
 * the shown lines; lines that hold a secret are shown with it masked. An empty name is left out. */
void complaints_print(const struct complaints *complaints, struct span name, struct span text,
                      struct buf *out);

#endif
