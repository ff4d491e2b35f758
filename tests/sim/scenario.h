/* SPDX-License-Identifier: Apache-2.0 */
/* tests/sim/scenario.h: a story from a file (tests/scenarios/README.md) in the simulated world. The
 * reader is strict: a line that it does not know is an error, with its number. */
#ifndef TESTS_SIM_SCENARIO_H
#define TESTS_SIM_SCENARIO_H

#include "tests/sim/world.h"

enum {
    NAME_MAX_LEN = 32,
    EXPECTS_MAX = 32,
    GROUPS_MAX = 16,
    WORDS_MAX = 40,
    RESULTS_MAX = 20000,
    MADE_MAX = 4 * RESULTS_MAX,
    PLACE_NONE = 0xff
};

/* How a call went. */
struct result {
    uint32_t group;
    mono_ms asked_at;
    mono_ms ended_at;
    enum ended ended;
    enum outcome outcome;
    uint8_t attempts;
    uint8_t committed; /* place; 0xff: none */
};

struct made {
    uint8_t place;
    enum outcome outcome;
    mono_ms at;
};

enum expect_kind { EXPECT_CALLS, EXPECT_ATTEMPTS, EXPECT_STATE };
enum state_word { STATE_OPEN, STATE_CLOSED, STATE_COOLING, STATE_PARKED, STATE_ELIGIBLE };

struct expect {
    enum expect_kind kind;
    size_t line;
    uint32_t group;       /* CALLS */
    uint8_t place;        /* ATTEMPTS, STATE; CALLS: where it was answered, 0xff: anywhere */
    enum ended ended;     /* CALLS */
    bool has_outcome;
    enum outcome outcome;
    uint64_t attempts_least;
    uint64_t attempts_most;
    uint64_t within_ms;   /* CALLS: from the question to the end */
    uint32_t percent;     /* CALLS: so many of them at least */
    enum state_word state;
    mono_ms from;         /* STATE: the moment */
    mono_ms until;
};

struct scenario {
    struct world world;
    char names[HOUSE_TARGETS_MAX][NAME_MAX_LEN];
    size_t targets;
    char groups[GROUPS_MAX][NAME_MAX_LEN];
    size_t groups_count;
    struct expect expects[EXPECTS_MAX];
    size_t expects_count;
    struct ask *asks;
    size_t asks_count;
    mono_ms shutdown_at;
    struct result *results;
    size_t results_count;
    struct made *made;
    size_t made_count;
    size_t line;
    char complaint[160]; /* empty: none */
};

/* Reads the text; false: see `complaint`. */
bool scenario_read(struct scenario *scenario, struct span text);
/* Plays it and compares; false: see `complaint`. */
bool scenario_play(struct scenario *scenario);
void scenario_fini(struct scenario *scenario);

/* For both: notes the first complaint, with the line; returns false. */
bool scenario_complain(struct scenario *scenario, const char *what, struct span word);
bool scenario_is_fine(const struct scenario *scenario);

#endif
