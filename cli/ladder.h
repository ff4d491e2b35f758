/* SPDX-License-Identifier: Apache-2.0 */
/* cli/ladder.h: shows calls on stdout while they run: a head line, one rung for each attempt when
 * it is over, and what became of the call when that is not good. An observer of serve. A reader of
 * stdout that stops reading stops the program, so this is for demo alone. */
#ifndef CLI_LADDER_H
#define CLI_LADDER_H

#include "proxy/observer.h"

struct ladder {
    bool has_color;
    uint32_t shown; /* the call whose rungs come now; 0: none */
    /* All so far: */
    unsigned calls;
    unsigned attempts;
    unsigned failed;  /* of the attempts */
    unsigned rescued; /* calls that ended well though an attempt of theirs had failed */
};

void ladder_init(struct ladder *ladder, bool has_color);
/* Borrows the ladder. */
struct observer ladder_observer(struct ladder *ladder);

#endif
