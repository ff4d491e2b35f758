/* SPDX-License-Identifier: Apache-2.0 */
/* wire/resume_parts.h: what the rows of resume.h share (dialects/ *_resume.c): text that is taken in,
 * white space that is not repeated, and events written anew with a few places changed. */
#ifndef WIRE_RESUME_PARTS_H
#define WIRE_RESUME_PARTS_H

#include "wire/resume.h"

/* Edits of one event, in any order; replaced numbers are kept here. */
enum { RESUME_CHANGES_MAX = 16, RESUME_DIGITS_MAX = 48 };
struct resume_changes {
    struct json_edit list[RESUME_CHANGES_MAX];
    char digits[RESUME_CHANGES_MAX][RESUME_DIGITS_MAX];
    size_t count;
};

/* By place; stable: what is put at one place stays in its order. */
void resume_sort(struct json_edit *edits, size_t count);
void resume_replace(struct resume_changes *changes, const struct json_hit *hit, struct span put);
void resume_replace_number(struct resume_changes *changes, const struct json_hit *hit,
                           int64_t number);
void resume_insert(struct resume_changes *changes, uint64_t at, struct span put);
/* In front of the first member of an object that has one; `name` is short and plain. */
void resume_insert_number(struct resume_changes *changes, const struct json_hit *object,
                          struct span name, int64_t number);
/* Takes a member with this plain name and this value out of its object. */
void resume_cut_member(struct resume_changes *changes, struct span document,
                       const struct json_hit *value, struct span name);
/* Writes the event anew. RESUME_PASS when there is nothing to change. */
enum resume_step resume_write(struct buf *out, const struct sse_event *event,
                              struct resume_changes *changes);

/* No more than text from now on. */
void resume_give_up(struct resume *resume);
/* Text that is new to the app (a raw JSON string without quotes). */
void resume_take_text(struct resume *resume, struct span raw);
/* The begun turn. is_trimmed: without the white space at its end, which the continuation may then
 * begin with. */
struct span resume_turn_text(struct resume *resume, bool is_trimmed);
/* What of `raw` is new to the app: the white space it has already is taken off. */
struct span resume_new_text(struct resume *resume, struct span raw);
/* This figure of all streams together; -1 when none has told it. */
int64_t resume_sum(const struct resume *resume, const struct meter *meter, enum usage_figure figure);

#endif
