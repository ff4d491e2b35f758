/* SPDX-License-Identifier: Apache-2.0 */
/* The file is looked at twice a second. One that changed is read when it looks the same a second time: an
 * editor has put it down by then.
 *
 *   same --it looks different--> changed --still the same way--> read --good--> in force
 *                                                                     --bad---> told, the old ones stay
 */
#include "proxy/keys.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/secret.h"
#include "conf/keys.h"
#include "enforcement/lockout.h"
#include "proxy/files.h"

enum { LOOK_MS = 500, LOCKED_MS = 60000, ALARM_MS = 60000, PATH_BYTES = 4096 };

/* What tells one state of a file from another. */
struct look {
    int fault; /* errno; 0: it is there */
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
    struct timespec written;
};

struct keys {
    struct env *env;
    struct snapshot *snapshot; /* whose keys they are: a reference */
    struct key_cache cache;
    struct lockout lockout;
    mono_ms alarm_at;          /* no alarm before */
    struct loop_timer timer;
    struct look read;          /* as it was when it was read last */
    struct look seen;          /* as it was at the last look */
    bool has_read;             /* since the settings were */
};

/* ---- the file ---- */

static struct look look_at(struct span path)
{
    struct look look = {.fault = ENAMETOOLONG};
    char name[PATH_BYTES];
    struct stat status;

    if (path.len >= sizeof name) {
        return look;
    }
    memcpy(name, path.at, path.len);
    name[path.len] = '\0';
    if (stat(name, &status) != 0) {
        look.fault = errno;
        return look;
    }
    look.fault = 0;
    look.device = status.st_dev;
    look.inode = status.st_ino;
    look.size = status.st_size;
    look.changed = status.st_ctim;
    look.written = status.st_mtim;
    return look;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same(const struct look *a, const struct look *b)
{
    return a->fault == b->fault && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && is_same_time(&a->changed, &b->changed) &&
           is_same_time(&a->written, &b->written);
}

static void refuse(const struct keys *keys, const char *why)
{
    log_say(keys->env->log, LOG_ERROR, "keys_refused", "the keys stay as they were: %s", why);
}

static void refuse_file(const struct keys *keys, const struct complaints *complaints)
{
    const struct complaint *first = &complaints->list[0];
    struct why why = {.text = ""};

    why_set(&why, "%.*s:%u:%u: %s%s", SPAN_ARGS(keys->snapshot->keys.file), first->line,
            first->column, first->text,
            complaints->count + complaints->more > 1 ? " (and more: headgate key list)" : "");
    refuse(keys, why.text);
}

static void tell_read(const struct keys *keys)
{
    struct log *log = keys->env->log;

    log_begin(log, LOG_INFO, "keys_read", "the keys are as their file says now");
    log_number(log, "keys", (long long)keys->cache.keyring->count);
    log_field(log, "file", keys->snapshot->keys.file);
    log_end(log);
}

/* Between the settings' look at the file and ours it may have changed: the first one is not told. */
static void take_up(struct keys *keys, struct keyring *ring)
{
    key_cache_use(&keys->cache, ring);
    if (keys->has_read) {
        tell_read(keys);
    }
}

static void read_file(struct keys *keys)
{
    struct complaints *complaints = mem_take(sizeof *complaints);
    struct keyring *ring = NULL;
    struct why why = {.text = ""};
    struct buf text;
    enum err err = ERR_NONE;

    buf_init(&text, KEYS_FILE_MAX);
    err = files_read(keys->snapshot->keys.file, &text, &why);
    if (err != ERR_NONE) {
        refuse(keys, why.text);
    } else if (complaints == NULL) {
        refuse(keys, err_text(ERR_MEMORY));
    } else {
        err = keys_read(buf_span(&text), &keys->snapshot->keys, complaints, &ring);
        if (err == ERR_NONE) {
            take_up(keys, ring);
        } else if (err == ERR_CONFIG) {
            refuse_file(keys, complaints);
        } else {
            refuse(keys, err_text(err));
        }
    }
    keys->has_read = true;
    mem_give(complaints, sizeof *complaints);
    buf_fini(&text);
}

static void look(struct loop_timer *timer, mono_ms now)
{
    struct keys *keys = LIST_OWNER(timer, struct keys, timer);
    struct look is = look_at(keys->snapshot->keys.file);

    if (!is_same(&is, &keys->read) && is_same(&is, &keys->seen)) {
        keys->read = is;
        read_file(keys);
    }
    keys->seen = is;
    loop_timer_set(timer, mono_add(now, LOOK_MS));
}

static void follow(struct keys *keys)
{
    bool has_file = keys->snapshot->keys.file.len > 0;

    keys->has_read = false;
    keys->read = (struct look){.fault = -1};
    keys->seen = keys->read;
    loop_timer_set(&keys->timer,
                   has_file ? mono_add(loop_now(keys->env->loop), LOOK_MS) : MONO_NEVER);
}

/* ---- begin, change, end ---- */

struct keys *keys_new(struct env *env)
{
    struct keys *keys = mem_take_zero(sizeof *keys);

    if (keys == NULL) {
        return NULL;
    }
    keys->env = env;
    keys->snapshot = snapshot_take(env->snapshot);
    keys->lockout.window_ms = LOCKED_MS;
    loop_entropy(env->loop, keys->cache.seed, sizeof keys->cache.seed);
    loop_timer_init(&keys->timer, env->loop, look);
    if (keys->snapshot->keys.ring != NULL) {
        key_cache_use(&keys->cache, keyring_take(keys->snapshot->keys.ring));
        follow(keys);
    }
    return keys;
}

void keys_free(struct keys *keys)
{
    if (keys != NULL) {
        loop_timer_fini(&keys->timer);
        key_cache_use(&keys->cache, NULL);
        snapshot_give(keys->snapshot);
        secret_wipe(&keys->cache, sizeof keys->cache);
        mem_give(keys, sizeof *keys);
    }
}

bool keys_are_wanted(const struct keys *keys)
{
    return keys != NULL && keys->cache.keyring != NULL;
}

void keys_adopt(struct keys *keys, struct snapshot *snapshot)
{
    if (keys == NULL || keys_are_wanted(keys) != (snapshot->keys.ring != NULL)) {
        if (keys != NULL) {
            log_say(keys->env->log, LOG_WARN, "keys_wait",
                    "whether callers need a key changes with a restart");
        }
        return;
    }
    if (!keys_are_wanted(keys)) {
        return;
    }
    (void)snapshot_take(snapshot);
    snapshot_give(keys->snapshot);
    keys->snapshot = snapshot;
    key_cache_use(&keys->cache, keyring_take(snapshot->keys.ring));
    follow(keys);
}

/* ---- questions ---- */

struct keyring *keys_ring(const struct keys *keys)
{
    return keys->cache.keyring;
}

enum key_verdict keys_find(struct keys *keys, struct span credential,
                           const struct key_entry **entry)
{
    return key_cache_find(&keys->cache, credential, loop_wall(keys->env->loop), entry);
}

uint64_t keys_wrong(struct keys *keys, const struct silent_name *peer)
{
    mono_ms now = loop_now(keys->env->loop);
    uint64_t left = lockout_left(&keys->lockout, peer, now);

    if (left == 0) {
        lockout_wrong(&keys->lockout, peer, now);
    }
    return left;
}

bool keys_may_alarm(struct keys *keys)
{
    mono_ms now = loop_now(keys->env->loop);

    if (now < keys->alarm_at) {
        return false;
    }
    keys->alarm_at = mono_add(now, ALARM_MS);
    return true;
}
