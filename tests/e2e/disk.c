/* SPDX-License-Identifier: Apache-2.0 */
/* tests/e2e/disk.c: the disk of a headgate under test, in place of the system's: it is loaded
 * before the C library (LD_PRELOAD). HEADGATE_TEST_DISK is a file that is read anew at each sync; a
 * line of it is a function, how many milliseconds it takes longer, and the errno it fails with, or
 * 0. Each sync that was good leaves the function's name in the file with .done behind. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX = 128 };

/* The errno to fail with, after the time that it takes. */
static int play(const char *function)
{
    const char *path = getenv("HEADGATE_TEST_DISK");
    FILE *file = path == NULL ? NULL : fopen(path, "re");
    char line[LINE_MAX];
    char name[LINE_MAX];
    long ms = 0;
    int code = 0;
    int found = 0;

    while (file != NULL && found == 0 && fgets(line, sizeof line, file) != NULL) {
        found = sscanf(line, "%127s %ld %d", name, &ms, &code) == 3 && strcmp(name, function) == 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (found == 0) {
        return 0;
    }
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
    return code;
}

static void note(const char *function)
{
    const char *path = getenv("HEADGATE_TEST_DISK");
    char done[4096];
    FILE *file = NULL;

    if (path == NULL || snprintf(done, sizeof done, "%s.done", path) >= (int)sizeof done) {
        return;
    }
    file = fopen(done, "ae");
    if (file != NULL) {
        (void)fprintf(file, "%s\n", function);
        (void)fclose(file);
    }
}

int fdatasync(int file)
{
    int code = play("fdatasync");

    if (code != 0) {
        errno = code;
        return -1;
    }
    if (fsync(file) != 0) {
        return -1;
    }
    note("fdatasync");
    return 0;
}

/* No test pulls a plug, so that what is mapped may stay in the cache. */
int msync(void *memory, size_t size, int flags)
{
    int code = play("msync");

    (void)memory;
    (void)size;
    (void)flags;
    if (code != 0) {
        errno = code;
        return -1;
    }
    note("msync");
    return 0;
}
