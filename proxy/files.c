/* SPDX-License-Identifier: Apache-2.0 */
/* Reading files whole, and the world that conf_load asks for variables and files. */
#include "proxy/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_STEP = 16384 };

static enum err fail(struct why *why, const char *path)
{
    int code = errno;

    why_set(why, "%s: %s", path, strerror(code));
    if (code == ENOENT || code == ENOTDIR) {
        return ERR_MISSING;
    }
    return code == EACCES || code == EPERM ? ERR_PERMISSION : ERR_SYSTEM;
}

static enum err read_all(int fd, const char *path, struct buf *out, struct why *why)
{
    for (;;) {
        char step[READ_STEP];
        ssize_t count = read(fd, step, sizeof step);

        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return fail(why, path);
        }
        if (count == 0) {
            return ERR_NONE;
        }
        buf_put(out, span_make(step, (size_t)count));
        if (out->failed) {
            why_set(why, "%s: larger than the %zu bytes allowed", path, out->max);
            return ERR_CEILING;
        }
    }
}

enum err files_read(struct span path, struct buf *out, struct why *why)
{
    char name[FILES_PATH_MAX];
    struct stat status;
    enum err err = ERR_NONE;
    int fd = -1;

    if (path.len >= sizeof name) {
        why_set(why, "the path is too long");
        return ERR_RANGE;
    }
    (void)snprintf(name, sizeof name, "%.*s", SPAN_ARGS(path));
    fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return fail(why, name);
    }
    if (fstat(fd, &status) != 0) {
        err = fail(why, name);
    } else if (!S_ISREG(status.st_mode)) {
        why_set(why, "%s: not a regular file", name);
        err = ERR_FORMAT;
    } else {
        err = read_all(fd, name, out, why);
    }
    (void)close(fd);
    return err;
}

bool files_path(char path[FILES_PATH_MAX], struct span folder, const char *name)
{
    int len = snprintf(path, FILES_PATH_MAX, "%.*s/%s", SPAN_ARGS(folder), name);

    return len > 0 && len < FILES_PATH_MAX;
}

bool files_write(int file, struct span text)
{
    while (text.len > 0) {
        ssize_t count = write(file, text.at, text.len);

        if (count < 0 && errno != EINTR) {
            return false;
        }
        text = span_from(text, count < 0 ? 0 : (size_t)count);
    }
    return true;
}

bool files_replace(const char *path, const char *other, struct span text)
{
    int file = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_good = file >= 0 && files_write(file, text) && fdatasync(file) == 0;

    if (file >= 0) {
        is_good = close(file) == 0 && is_good;
    }
    return is_good && rename(other, path) == 0;
}

static struct span variable(void *to, struct span name)
{
    char text[256];

    (void)to;
    if (name.len >= sizeof text) {
        return span_make(NULL, 0);
    }
    (void)snprintf(text, sizeof text, "%.*s", SPAN_ARGS(name));
    return span_of(getenv(text));
}

static enum err file(void *to, struct span path, struct buf *out, struct why *why)
{
    (void)to;
    return files_read(path, out, why);
}

struct conf_world files_world(void)
{
    return (struct conf_world){.variable = variable, .file = file, .to = NULL};
}
