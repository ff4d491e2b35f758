/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/index_world.h: a state folder with a journal of made-up records, and the index
 * that follows it. Included once per program, behind the headers of cmocka. */
#ifndef TESTS_CONTRACT_INDEX_WORLD_H
#define TESTS_CONTRACT_INDEX_WORLD_H

#include "proxy/index.h"
#include "tests/lib/usage_seed.h"
#include "usage/answer.h"

enum { RECORDS = 6000, STEP_MS = 60000, OUT_MAX = 64 << 20 };

#define NOW         (SEED_T0 + INT64_C(6000) * STEP_MS)
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

extern char folder[64];
extern char journal_folder[96];
extern struct seeded *all; /* RECORDS of them */

/* The folder and the records; no journal yet. */
int set_up(void **state);
int tear_down(void **state);
/* The state folder is $D. */
void shell(const char *command);
/* Puts records of `all` into the journal. */
void append(uint64_t first, uint64_t count);
/* Fails the test where it cannot be opened; `why` tells what was built again. */
struct index *open_index(struct why *why);
/* Reads all there is. */
void catch_up(struct index *index);
/* Opened, and has read all there is. */
struct index *followed(void);
/* The answer at NOW, of a question as a URL has it. */
enum err ask(struct index *index, enum query_kind kind, const char *url, struct buf *out,
             struct why *why);
bool contains(struct buf *out, const char *text);

#endif
