/* SPDX-License-Identifier: Apache-2.0 */
/* tests/sim/draw.h: a world drawn from a seed: targets and what ails them, a route's rules, a
 * ledger, apps. One in ten is of plain weather, in one of four panic is allowed. */
#ifndef TESTS_SIM_DRAW_H
#define TESTS_SIM_DRAW_H

#include "tests/sim/world.h"

/* What the worlds were like, so that a run shows that something happened in it. */
struct tally_of_worlds {
    uint64_t worlds;
    uint64_t steps;
    uint64_t calls;
    uint64_t opened; /* doors */
    uint64_t unsure;
};

/* Opened, with its calls asked. is_verbose: every step is printed. */
void draw_world(struct world *world, uint64_t seed, bool is_verbose);
void draw_count(const struct world *world, struct tally_of_worlds *tally);
void draw_tell(const struct tally_of_worlds *tally);

#endif
