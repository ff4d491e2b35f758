/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/keys.h"
#include "proxy/files.h"

enum { PATH_BYTES = PATH_MAX, LOCK_TRIES = 100, LOCK_PAUSE_MS = 50, LINKS_MAX = 8, OWN_MODE = 0600 };

static enum err fail(struct why *why, const char *what, const char *path)
{
    int code = errno;

    why_set(why, "cannot %s %s: %s", what, path, strerror(code));
    return code == EACCES || code == EPERM || code == EROFS ? ERR_PERMISSION : ERR_SYSTEM;
}

/* The path of what the link at file->path stands for. False: it is no link. */
static bool follow(struct key_file *file)
{
    char behind[PATH_BYTES];
    ssize_t count = readlink(file->path.at, behind, sizeof behind - 1);

    if (count <= 0) {
        return false;
    }
    if (behind[0] == '/') {
        file->path.len = 0;
    }
    while (file->path.len > 0 && file->path.at[file->path.len - 1] != '/') {
        file->path.len--;
    }
    buf_put(&file->path, span_make(behind, (size_t)count));
    return true;
}

/* What stands behind the path: a link stays a link. */
static enum err find(struct key_file *file, struct span path, struct why *why)
{
    int links = 0;

    buf_put(&file->path, path);
    do {
        buf_put_char(&file->path, '\0');
        if (file->path.failed || links++ == LINKS_MAX) {
            why_set(why, "the path is too long");
            return ERR_RANGE;
        }
        file->path.len--;
    } while (follow(file));
    return ERR_NONE;
}

static const char *name_of(const struct key_file *file)
{
    return file->path.at;
}

static int open_folder(const struct key_file *file, char folder[PATH_BYTES])
{
    size_t len = file->path.len;

    while (len > 0 && file->path.at[len - 1] != '/') {
        len--;
    }
    if (len >= PATH_BYTES) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(folder, len == 0 ? "." : file->path.at, len == 0 ? 1 : len);
    folder[len == 0 ? 1 : len] = '\0';
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The folder is locked, since the file is another one after each change. */
static enum err lock(struct key_file *file, struct why *why)
{
    char folder[PATH_BYTES] = "";
    int tries = 0;

    file->lock = open_folder(file, folder);
    if (file->lock < 0) {
        return fail(why, "open the folder", folder);
    }
    while (flock(file->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK || ++tries == LOCK_TRIES) {
            return fail(why, "have alone the folder", folder);
        }
        (void)poll(NULL, 0, LOCK_PAUSE_MS);
    }
    return ERR_NONE;
}

static enum err judge(struct key_file *file, struct why *why)
{
    struct stat status;

    if (stat(name_of(file), &status) != 0) {
        return fail(why, "read", name_of(file));
    }
    if ((status.st_mode & S_IWOTH) != 0) {
        why_set(why, "%s may be written by anyone, who could make keys: chmod o-w it",
                name_of(file));
        return ERR_PERMISSION;
    }
    file->mode = status.st_mode & 07777;
    file->owner = status.st_uid;
    file->group = status.st_gid;
    return ERR_NONE;
}

enum err key_file_open(struct key_file *file, struct span path, bool wants_lock, struct why *why)
{
    enum err err = ERR_NONE;

    *file = (struct key_file){.lock = -1, .mode = OWN_MODE};
    buf_init(&file->path, PATH_BYTES + 1);
    buf_init(&file->text, KEYS_FILE_MAX);
    err = find(file, path, why);
    if (err == ERR_NONE && wants_lock) {
        err = lock(file, why);
    }
    /* Somebody may have made it while we waited. */
    file->is_there = err == ERR_NONE && access(name_of(file), F_OK) == 0;
    if (err == ERR_NONE && file->is_there) {
        err = judge(file, why);
    }
    if (err == ERR_NONE && file->is_there) {
        err = files_read(buf_span(&file->path), &file->text, why);
    }
    return err;
}

static enum err fill(const struct key_file *file, int fd, const char *path, struct span text,
                     struct why *why)
{
    if (file->is_there && file->owner != geteuid() && fchown(fd, file->owner, file->group) != 0) {
        return fail(why, "give its owner", path);
    }
    if (fchmod(fd, file->mode) != 0 || !files_write(fd, text) || fsync(fd) != 0) {
        return fail(why, "write", path);
    }
    return ERR_NONE;
}

enum err key_file_replace(const struct key_file *file, struct span text, struct why *why)
{
    enum err err = ERR_NONE;
    struct buf fresh;
    int fd = -1;

    buf_init(&fresh, PATH_BYTES + 16);
    buf_put(&fresh, buf_span(&file->path));
    buf_put(&fresh, span_make(".new", sizeof ".new")); /* with its NUL */
    if (fresh.failed) {
        why_set(why, "out of memory");
        buf_fini(&fresh);
        return ERR_MEMORY;
    }
    (void)unlink(fresh.at); /* of one that was killed: nobody else is here */
    fd = open(fresh.at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, OWN_MODE);
    if (fd < 0) {
        err = fail(why, "make", fresh.at);
    } else {
        err = fill(file, fd, fresh.at, text, why);
        (void)close(fd);
        if (err == ERR_NONE && rename(fresh.at, name_of(file)) != 0) {
            err = fail(why, "replace", name_of(file));
        }
        if (err != ERR_NONE) {
            (void)unlink(fresh.at);
        } else if (file->lock >= 0) {
            (void)fsync(file->lock);
        }
    }
    buf_fini(&fresh);
    return err;
}

void key_file_close(struct key_file *file)
{
    if (file->lock >= 0) {
        (void)close(file->lock);
        file->lock = -1;
    }
    buf_fini(&file->text);
    buf_fini(&file->path);
}
