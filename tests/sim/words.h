/* SPDX-License-Identifier: Apache-2.0 */
/* tests/sim/words.h: the words of one line of a story, read one after the other. What does not read is
 * complained of (scenario_complain), and something harmless comes back. */
#ifndef TESTS_SIM_WORDS_H
#define TESTS_SIM_WORDS_H

#include "tests/sim/scenario.h"

/* The words of one line, and how far they have been read. */
struct words {
    struct scenario *scenario;
    struct span list[WORDS_MAX];
    size_t count;
    size_t at;
};

bool word_is(struct span word, const char *text);
struct span words_next(struct words *words);
/* Only if it is this one. */
bool words_take(struct words *words, const char *text);
uint64_t words_number(struct words *words);
uint32_t words_number32(struct words *words);
/* A time with its unit; `end` is MONO_NEVER. */
uint64_t words_ms(struct words *words);
uint32_t words_ms32(struct words *words);
/* The index of the word in `names`, each of NAME_MAX_LEN bytes; `count`: it is not there. */
size_t words_find_name(char (*names)[NAME_MAX_LEN], size_t count, struct span word);
void words_keep_name(struct scenario *scenario, char *name, struct span word);
/* A target's place, by its name. */
uint8_t words_target(struct words *words);
bool words_outcome(struct span word, enum outcome *outcome);

/* scenario_setting.c: the lines on targets, the route, the doors, the ledger, behind their first word. */
void setting_target(struct words *words);
void setting_target_line(struct words *words, size_t place);
void setting_route(struct words *words);
void setting_breaker(struct words *words);
void setting_ledger(struct words *words);

#endif
