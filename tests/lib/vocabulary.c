/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/vocabulary.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX = 64 * 1024 * 1024 };

struct span vocabulary_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = 0;
    char *bytes = NULL;

    if (file == NULL) {
        return span_make(NULL, 0);
    }
    if (fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
    }
    if (size > 0 && size <= FILE_MAX && fseek(file, 0, SEEK_SET) == 0) {
        bytes = malloc((size_t)size);
    }
    if (bytes != NULL && fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        free(bytes);
        bytes = NULL;
    }
    (void)fclose(file);
    return span_make(bytes, bytes == NULL ? 0 : (size_t)size);
}

struct bpe *vocabulary(const char *folder, enum bpe_family family)
{
    char path[512];
    struct why why = {""};
    struct span file;
    struct bpe *bpe = NULL;

    (void)snprintf(path, sizeof path, "%s/%s.tiktoken", folder, bpe_family_name(family));
    file = vocabulary_file(path);
    if (file.len == 0) {
        (void)fprintf(stderr, "%s is missing: scripts/install-ranks --into build/ranks\n", path);
        exit(1);
    }
    bpe = bpe_new(file, family, &why);
    free((void *)(uintptr_t)file.at);
    if (bpe == NULL || !bpe_is_published(bpe)) {
        (void)fprintf(stderr, "%s is not the published one: %s\n", path, why.text);
        exit(1);
    }
    return bpe;
}
