/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/folder.h: a folder of its own for each test of a program, removed behind it. Included by
 * one file of a program, behind cmocka. */
#ifndef TESTS_CONTRACT_FOLDER_H
#define TESTS_CONTRACT_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

static char folder[64];

static int folder_set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/headgate-test-XXXXXX");
    return mkdtemp(folder) == NULL;
}

/* Also what a test made read-only. */
static int folder_tear_down(void **state)
{
    char command[256];

    (void)state;
    (void)snprintf(command, sizeof command, "chmod -R u+w '%s'; rm -rf '%s'", folder, folder);
    return system(command);
}

#endif
