/* SPDX-License-Identifier: Apache-2.0 */
/* Finding, making and locking the state folder. The lock is one of POSIX, which ends with its
 * process however that ends. */
#include "proxy/state_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/files.h"

enum { DIR_MODE = 0700, FILE_MODE = 0600, PATH_LENGTH_MAX = 4096 };

static struct span variable(const char *name)
{
    return files_world().variable(NULL, span_of(name));
}

static enum err set_path(struct state_dir *dir, struct span base, const char *rest, struct why *why)
{
    int len = snprintf(dir->path, sizeof dir->path, "%.*s%s", SPAN_ARGS(base), rest);

    if (len < 0 || (size_t)len >= sizeof dir->path) {
        why_set(why, "the path of the state folder is too long");
        return ERR_RANGE;
    }
    return ERR_NONE;
}

/* Built-in providers cost nothing, and whoever tries headgate out wants to find nothing left. */
static bool is_all_builtin(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->routing.providers_count; i++) {
        if (!snapshot->routing.providers[i].kind->is_builtin) {
            return false;
        }
    }
    return true;
}

enum err state_dir_find(const struct snapshot *snapshot, struct state_dir *dir, struct why *why)
{
    struct span given = variable("STATE_DIRECTORY");

    *dir = (struct state_dir){.lock = -1};
    if (snapshot->state_dir.len > 0) {
        return set_path(dir, snapshot->state_dir, "", why);
    }
    if (is_all_builtin(snapshot)) {
        struct span base = variable("TMPDIR");
        dir->is_temporary = true;
        return set_path(dir, base.len > 0 ? base : SPAN_OF("/tmp"), "/headgate-XXXXXX", why);
    }
    if (given.len > 0) {
        return set_path(dir, span_cut(&given, ':'), "", why); /* of several the first is ours */
    }
    if (geteuid() == 0) {
        return set_path(dir, SPAN_OF("/var/lib/headgate"), "", why);
    }
    given = variable("XDG_STATE_HOME");
    if (given.len > 0 && given.at[0] == '/') {
        return set_path(dir, given, "/headgate", why);
    }
    given = variable("HOME");
    if (given.len > 0) {
        return set_path(dir, given, "/.local/state/headgate", why);
    }
    why_set(why, "no folder for usage records: write state_dir: /path into the configuration, or "
                 "set STATE_DIRECTORY");
    return ERR_MISSING;
}

static enum err fail(const struct state_dir *dir, struct why *why)
{
    int code = errno;

    why_set(why,
            "the state folder %s cannot be used: %s; make it writable for this user, or write "
            "another one into the configuration: state_dir: /path",
            dir->path, strerror(code));
    return code == EACCES || code == EPERM || code == EROFS ? ERR_PERMISSION : ERR_SYSTEM;
}

/* With the folders above it. */
static bool make(const char *path)
{
    char part[PATH_LENGTH_MAX];
    size_t len = strlen(path);

    memcpy(part, path, len + 1);
    for (size_t i = 1; i < len; i++) {
        if (part[i] == '/') {
            part[i] = '\0';
            if (mkdir(part, DIR_MODE) != 0 && errno != EEXIST && errno != EROFS &&
                errno != EACCES) { /* an upper one that is there may be anybody's */
                return false;
            }
            part[i] = '/';
        }
    }
    return mkdir(path, DIR_MODE) == 0 || errno == EEXIST;
}

static struct flock whole_lock(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

static enum err take_lock(struct state_dir *dir, struct why *why)
{
    char path[PATH_LENGTH_MAX];
    struct flock lock = whole_lock();

    (void)snprintf(path, sizeof path, "%s/lock", dir->path);
    dir->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (dir->lock < 0) {
        return fail(dir, why);
    }
    if (fcntl(dir->lock, F_SETLK, &lock) == 0) {
        return ERR_NONE;
    }
    if (errno != EACCES && errno != EAGAIN) {
        return fail(dir, why);
    }
    why_set(why,
            "the state folder %s belongs to the running process %ld; stop that one, or give this "
            "one a folder of its own: state_dir: /path in the configuration",
            dir->path, state_dir_holder(dir));
    return ERR_IN_USE;
}

enum err state_dir_open(struct state_dir *dir, struct why *why)
{
    enum err err = ERR_NONE;

    if (dir->is_temporary ? mkdtemp(dir->path) == NULL : !make(dir->path)) {
        return fail(dir, why);
    }
    if (access(dir->path, R_OK | W_OK | X_OK) != 0) {
        return fail(dir, why);
    }
    err = take_lock(dir, why);
    if (err != ERR_NONE && dir->lock >= 0) {
        (void)close(dir->lock);
        dir->lock = -1;
    }
    return err;
}

/* Files, and folders of files. */
static void remove_files(const char *path, bool also_folders)
{
    DIR *folder = opendir(path);
    const struct dirent *entry = NULL;
    char name[PATH_LENGTH_MAX];

    if (folder == NULL) {
        return;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name) >= (int)sizeof name) {
            continue;
        }
        if (unlink(name) != 0 && also_folders) {
            remove_files(name, false);
            (void)rmdir(name);
        }
    }
    (void)closedir(folder);
}

void state_dir_close(struct state_dir *dir)
{
    if (dir->lock < 0) {
        return;
    }
    if (dir->is_temporary) {
        remove_files(dir->path, true);
        (void)rmdir(dir->path);
    }
    (void)close(dir->lock);
    dir->lock = -1;
}

long state_dir_holder(const struct state_dir *dir)
{
    char path[PATH_LENGTH_MAX];
    struct flock lock = whole_lock();
    int file = -1;
    long holder = 0;

    (void)snprintf(path, sizeof path, "%s/lock", dir->path);
    file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) {
        return 0;
    }
    if (fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK) {
        holder = (long)lock.l_pid;
    }
    (void)close(file);
    return holder;
}
