/* SPDX-License-Identifier: Apache-2.0 */
/* sim [--worlds N] [--seed S] [--verbose]: random worlds, each from a seed of its own. The first
 * law that does not hold ends it, with the command that shows the same world again. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/sim/draw.h"

#define REPEAT "repeat it: %s --worlds 1 --seed %" PRIu64 " --verbose\n"

enum { WORLDS_DEFAULT = 20000, TWICE_EVERY = 8 };

static const char *program = "sim";
static uint64_t seed_now;

/* A claim of the code under test broke (must): the seed is what is wanted then. */
static void on_abort_cb(int number)
{
    char text[160];
    int len = snprintf(text, sizeof text, "\n" REPEAT, program, seed_now);

    (void)number;
    if (len > 0 && write(STDERR_FILENO, text, (size_t)len) < 0) {
        _exit(3);
    }
    _exit(2);
}

static bool run_one(uint64_t seed, bool is_verbose, struct tally_of_worlds *tally)
{
    static struct world world;
    uint64_t sights = 0;
    bool is_good = true;

    draw_world(&world, seed, is_verbose);
    is_good = world_run_out(&world);
    sights = world.sights;
    draw_count(&world, tally);
    if (!is_good) {
        fprintf(stderr, "%s (call %" PRIu64 ", at %" PRIu64 " ms)\n" REPEAT, world_broken(&world),
                world.laws.broken_call, world.laws.broken_at, program, seed);
    }
    world_close(&world);
    if (is_good && seed % TWICE_EVERY == 0) {
        draw_world(&world, seed, false);
        is_good = world_run_out(&world) && world.sights == sights;
        world_close(&world);
        if (!is_good) {
            fprintf(stderr, "seed %" PRIu64 " does not give the same actions twice\n", seed);
        }
    }
    return is_good;
}

static bool read_number(const char *text, uint64_t *number)
{
    return text != NULL && text_read_u64(span_make(text, strlen(text)), number) == ERR_NONE;
}

int main(int argc, char **argv)
{
    uint64_t worlds = WORLDS_DEFAULT;
    uint64_t seed = 1;
    bool is_verbose = false;
    struct tally_of_worlds tally = {.worlds = 0};

    program = argv[0];
    for (int i = 1; i < argc; i++) {
        bool is_read = false;

        if (strcmp(argv[i], "--verbose") == 0) {
            is_verbose = true;
            is_read = true;
        } else if (strcmp(argv[i], "--worlds") == 0 && i + 1 < argc) {
            is_read = read_number(argv[++i], &worlds);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            is_read = read_number(argv[++i], &seed);
        }
        if (!is_read) {
            fprintf(stderr, "sim [--worlds N] [--seed S] [--verbose]\n");
            return 2;
        }
    }
    signal(SIGABRT, on_abort_cb);
    for (uint64_t i = 0; i < worlds; i++) {
        seed_now = seed + i;
        if (!run_one(seed_now, is_verbose, &tally)) {
            return 1;
        }
    }
    draw_tell(&tally);
    return 0;
}
