/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/replay_main.c: a main for fuzz targets without libFuzzer. Runs the target over every
 * file of the folders given, so that what a fuzzer once found stays found. A fault aborts. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 8 * 1024 * 1024 };

/* The bytes are moved to a block of their exact size, so that a sanitizer sees a read past them. */
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = 0;
    uint8_t *data = NULL;
    int failed = 1;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        goto out;
    }
    size = ftell(file);
    if (size < 0 || size > INPUT_MAX || fseek(file, 0, SEEK_SET) != 0) {
        goto out;
    }
    data = malloc(size == 0 ? 1 : (size_t)size);
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
        goto out;
    }
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    failed = 0;
out:
    if (failed) {
        (void)fprintf(stderr, "cannot read %s\n", path);
    }
    free(data);
    if (file != NULL) {
        (void)fclose(file);
    }
    return failed;
}

static int replay_folder(const char *folder, unsigned *count)
{
    DIR *dir = opendir(folder);
    int failed = 0;

    if (dir == NULL) {
        (void)fprintf(stderr, "cannot open %s\n", folder);
        return 1;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[4096];

        if (entry->d_name[0] == '.') {
            continue;
        }
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path) {
            failed = 1;
            continue;
        }
        failed |= replay_file(path);
        (*count)++;
    }
    (void)closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    int failed = argc < 2;

    for (int i = 1; i < argc; i++) {
        failed |= replay_folder(argv[i], &count);
    }
    (void)printf("%u inputs replayed\n", count);
    return failed || count == 0;
}
