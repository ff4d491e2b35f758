/* SPDX-License-Identifier: Apache-2.0 */
/* scenario FILE...: plays each story and says what did not come as told. */
#include <stdio.h>

#include "base/must.h"
#include "tests/sim/scenario.h"

enum { FILE_MAX = 65536 };

static bool play(const char *path)
{
    static char text[FILE_MAX];
    static struct scenario scenario;
    FILE *file = fopen(path, "rb");
    size_t len = 0;
    bool is_good = false;

    if (file == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return false;
    }
    len = fread(text, 1, sizeof text, file);
    fclose(file);
    must(len < sizeof text);
    is_good = scenario_read(&scenario, span_make(text, len)) && scenario_play(&scenario);
    if (!is_good) {
        fprintf(stderr, "%s: %s\n", path, scenario.complaint);
    }
    scenario_fini(&scenario);
    return is_good;
}

int main(int argc, char **argv)
{
    bool is_good = argc > 1;

    for (int i = 1; i < argc; i++) {
        is_good = play(argv[i]) && is_good;
    }
    return is_good ? 0 : 1;
}
