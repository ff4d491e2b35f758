/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the in-flight table: the one of an earlier process, and the one of this. */
#include "proxy/inflight_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_LENGTH_MAX = 4096, FILE_MODE = 0600 };

static enum err fail(const char *path, int code, struct why *why)
{
    why_set(why, "%s: %s", path, strerror(code));
    return code == EACCES || code == EPERM || code == EROFS ? ERR_PERMISSION : ERR_SYSTEM;
}

void inflight_map_close(struct inflight_map *map)
{
    if (map->memory != NULL) {
        (void)munmap(map->memory, map->size);
    }
    *map = (struct inflight_map){.memory = NULL};
}

static enum err map_file(int file, size_t size, const char *path, struct inflight_map *map,
                         struct why *why)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

    if (at == MAP_FAILED) {
        return fail(path, errno, why);
    }
    *map = (struct inflight_map){.memory = at, .size = size};
    return ERR_NONE;
}

enum err inflight_map_old(const char *path, struct inflight_map *map, bool *is_foreign,
                          struct why *why)
{
    char aside[PATH_LENGTH_MAX];
    struct stat status;
    int file = open(path, O_RDWR | O_CLOEXEC);
    enum err err = ERR_NONE;

    *map = (struct inflight_map){.memory = NULL};
    *is_foreign = false;
    if (file < 0) {
        return errno == ENOENT ? ERR_NONE : fail(path, errno, why);
    }
    if (fstat(file, &status) != 0) {
        err = fail(path, errno, why);
    } else if (status.st_size >= INFLIGHT_HEAD) {
        err = map_file(file, (size_t)status.st_size, path, map, why);
    }
    (void)close(file);
    if (err != ERR_NONE || map->memory == NULL ||
        inflight_is_ours(map->memory, map->size, &map->count)) {
        return err;
    }
    inflight_map_close(map);
    (void)snprintf(aside, sizeof aside, "%s.unreadable", path);
    *is_foreign = true;
    return rename(path, aside) == 0 ? ERR_NONE : fail(path, errno, why);
}

enum err inflight_map_new(const char *path, uint32_t count, struct inflight_map *map,
                          struct why *why)
{
    char fresh[PATH_LENGTH_MAX];
    size_t size = inflight_size(count);
    enum err err = ERR_NONE;
    int code = 0;
    int file = -1;

    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    file = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (file < 0) {
        return fail(fresh, errno, why);
    }
    code = posix_fallocate(file, 0, (off_t)size);
    err = code != 0 ? fail(fresh, code, why) : map_file(file, size, fresh, map, why);
    (void)close(file);
    if (err != ERR_NONE) {
        return err;
    }
    map->count = count;
    inflight_format(map->memory, count);
    if (rename(fresh, path) != 0) {
        err = fail(path, errno, why);
        inflight_map_close(map);
    }
    return err;
}

void inflight_map_remove(const char *folder)
{
    char path[PATH_LENGTH_MAX];
    int len = snprintf(path, sizeof path, "%s/inflight", folder);

    if (len > 0 && (size_t)len < sizeof path) {
        (void)unlink(path);
    }
}
