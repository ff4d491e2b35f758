/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for the disk (journal.durability: power): nobody is told before what it waits for is
 * synced, many share one sync, a disk that fails is told, and a power cut at any moment costs no
 * record. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rng.h"
#include "proxy/store.h"
#include "tests/contract/folder.h"
#include "tests/contract/store_records.h"

enum {
    CALLS = 100,
    NUMBERS = 4096,
    TABLE_MAX = 16 * 1024 * 1024,
    TABLE_USED = 2 * 1024 * 1024,
    PAGE = 4096
};

/* ---- a disk of which is known what it holds ---- */

static struct {
    pthread_mutex_t lock;   /* of the three below: what has reached the disk */
    char table[TABLE_USED]; /* slot 1 is given first, and the last one given back again */
    uint64_t journal;       /* bytes of its only segment */
    uint64_t lines;         /* and how many lines that is */
    size_t size;
    atomic_int syncs;
    atomic_int table_syncs;
    atomic_int fail_sync;
    atomic_int fail_table;
    atomic_int fail_write;
    atomic_int naps;      /* that a sync takes, before and after */
    atomic_bool is_stuck; /* the next sync waits until it is not */
    atomic_bool is_waiting;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void nap(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

static void take_time(void)
{
    for (int i = atomic_load(&disk.naps); i > 0; i--) {
        nap();
    }
}

static uint64_t lines_of(int file, uint64_t bytes)
{
    static char text[1 << 20];
    ssize_t count = pread(file, text, sizeof text, 0);
    uint64_t lines = 0;

    assert_true(count >= 0 && (uint64_t)count >= bytes && bytes < sizeof text);
    for (uint64_t i = 0; i < bytes; i++) {
        lines += text[i] == '\n';
    }
    return lines;
}

static int disk_sync(int file)
{
    struct stat status;
    int code = atomic_load(&disk.fail_sync);

    while (atomic_load(&disk.is_stuck)) {
        atomic_store(&disk.is_waiting, true);
        nap();
    }
    if (code != 0) {
        errno = code;
        return -1;
    }
    take_time();
    assert_int_equal(fstat(file, &status), 0);
    assert_int_equal(pthread_mutex_lock(&disk.lock), 0);
    disk.journal = (uint64_t)status.st_size;
    disk.lines = lines_of(file, disk.journal);
    assert_int_equal(pthread_mutex_unlock(&disk.lock), 0);
    take_time();
    atomic_fetch_add(&disk.syncs, 1);
    return 0;
}

/* What the system has of the table at this moment. */
static void read_table(char *to)
{
    char path[96];
    int file = -1;

    (void)snprintf(path, sizeof path, "%s/inflight", folder);
    file = open(path, O_RDONLY);
    assert_true(file >= 0);
    assert_int_equal(pread(file, to, TABLE_USED, 0), TABLE_USED);
    (void)close(file);
}

static int disk_sync_table(void *memory, size_t size)
{
    int code = atomic_load(&disk.fail_table);

    (void)memory;
    if (code != 0) {
        errno = code;
        return -1;
    }
    assert_true(size <= TABLE_MAX && size > TABLE_USED);
    take_time();
    assert_int_equal(pthread_mutex_lock(&disk.lock), 0);
    disk.size = size;
    read_table(disk.table);
    assert_int_equal(pthread_mutex_unlock(&disk.lock), 0);
    take_time();
    atomic_fetch_add(&disk.table_syncs, 1);
    return 0;
}

static long disk_write(int file, const void *bytes, size_t count)
{
    int code = atomic_load(&disk.fail_write);

    if (code != 0) {
        errno = code;
        return -1;
    }
    return (long)write(file, bytes, count);
}

static const struct journal_disk known_disk = {
    .write = disk_write, .sync = disk_sync, .sync_table = disk_sync_table};

/* ---- the rig ---- */

struct rig {
    struct loop *loop;
    struct store_options options;
    struct store *store;
};

static void rig_begin(struct rig *rig, bool is_power)
{
    struct why why = {.text = ""};

    rig->loop = loop_new(NULL);
    rig->options =
        (struct store_options){.loop = rig->loop,
                               .log = log_new(rig->loop, STDERR_FILENO, LOG_ERROR, LOG_TEXT),
                               .state_dir = span_of(folder),
                               .calls = CALLS,
                               .seed = 5,
                               .is_power = is_power,
                               .journal = {.retention_ms = 3600000},
                               .disk = &known_disk};
    atomic_store(&disk.syncs, 0);
    atomic_store(&disk.table_syncs, 0);
    atomic_store(&disk.fail_sync, 0);
    atomic_store(&disk.fail_table, 0);
    atomic_store(&disk.fail_write, 0);
    atomic_store(&disk.naps, 0);
    atomic_store(&disk.is_stuck, false);
    atomic_store(&disk.is_waiting, false);
    disk.journal = 0;
    disk.lines = 0;
    if (store_new(&rig->options, &rig->store, &why) != ERR_NONE) {
        fail_msg("%s", why.text);
    }
}

static void rig_end(struct rig *rig)
{
    store_free(rig->store, 5000);
    log_free(rig->options.log);
    loop_free(rig->loop);
}

static bool has_table(void)
{
    char path[96];

    (void)snprintf(path, sizeof path, "%s/inflight", folder);
    return access(path, F_OK) == 0;
}

static uint32_t open_one(struct rig *rig, uint64_t n)
{
    char id[32];
    struct record record = record_of(id, n);
    uint32_t slot = 0;

    assert_true(store_open(rig->store, &record, &slot));
    assert_int_not_equal(slot, 0);
    return slot;
}

static void finish_one(struct rig *rig, uint32_t slot, uint64_t n)
{
    char id[32];
    struct record record = record_of(id, n);

    store_finish(rig->store, slot, &record);
}

/* ---- who waits ---- */

struct waiter {
    struct store_wait wait;
    int told;
    bool is_synced;
    uint64_t lines; /* that the disk had by then */
    uint32_t slot;  /* looked at in the disk's table, when not 0 */
    enum inflight_state slot_state;
};

static enum inflight_state state_on_disk(uint32_t slot)
{
    uint32_t word = 0;

    memcpy(&word, disk.table + INFLIGHT_HEAD + (size_t)(slot - 1) * INFLIGHT_SLOT, sizeof word);
    return (enum inflight_state)word;
}

static void on_synced(struct store_wait *wait, bool is_synced)
{
    struct waiter *waiter = LIST_OWNER(wait, struct waiter, wait);

    waiter->told++;
    waiter->is_synced = is_synced;
    assert_int_equal(pthread_mutex_lock(&disk.lock), 0);
    waiter->lines = disk.lines;
    waiter->slot_state = waiter->slot != 0 ? state_on_disk(waiter->slot) : INFLIGHT_FREE;
    assert_int_equal(pthread_mutex_unlock(&disk.lock), 0);
}

static void wait_for(struct rig *rig, struct waiter *waiter, uint32_t slot)
{
    *waiter = (struct waiter){.slot = slot};
    store_wait_init(&waiter->wait, on_synced);
    store_when_synced(rig->store, &waiter->wait);
    assert_int_equal(waiter->told, 0); /* never at once */
}

static void turn_until_told(struct rig *rig, const struct waiter *waiter)
{
    for (int i = 0; i < 1000 && waiter->told == 0; i++) {
        (void)loop_turn(rig->loop, 10);
    }
    assert_int_equal(waiter->told, 1);
}

static void turn_until_stuck(struct rig *rig)
{
    for (int i = 0; i < 5000 && !atomic_load(&disk.is_waiting); i++) {
        (void)loop_turn(rig->loop, 1);
    }
    assert_true(atomic_load(&disk.is_waiting));
}

/* ---- stories ---- */

static void store_sync__tells_of_an_open_slot_when_the_disk_has_it(void **state)
{
    struct rig rig;
    struct waiter waiter;
    uint32_t slot = 0;

    (void)state;
    rig_begin(&rig, true);
    for (uint64_t n = 0; n < 50; n++) {
        slot = open_one(&rig, n);
        wait_for(&rig, &waiter, slot);
        turn_until_told(&rig, &waiter);
        assert_true(waiter.is_synced);
        assert_int_equal(waiter.slot_state, INFLIGHT_OPEN);
        store_drop(rig.store, slot);
    }
    rig_end(&rig);
    assert_int_equal(disk.lines, 0); /* nothing of what was not sent */
    assert_false(has_table());
}

static void store_sync__tells_of_a_record_when_the_disk_has_its_line(void **state)
{
    struct rig rig;
    struct waiter waiter;

    (void)state;
    rig_begin(&rig, true);
    for (uint64_t n = 0; n < 50; n++) {
        finish_one(&rig, open_one(&rig, n), n);
        wait_for(&rig, &waiter, 0);
        turn_until_told(&rig, &waiter);
        assert_true(waiter.is_synced);
        assert_int_equal(waiter.lines, n + 1);
    }
    rig_end(&rig);
    assert_false(has_table());
}

static void store_sync__covers_what_ends_later_in_the_same_turn(void **state)
{
    struct rig rig;
    struct waiter waiter;
    uint32_t slot = 0;

    (void)state;
    rig_begin(&rig, true);
    slot = open_one(&rig, 1);
    wait_for(&rig, &waiter, 0);
    finish_one(&rig, slot, 1);
    turn_until_told(&rig, &waiter);
    assert_int_equal(waiter.lines, 1);
    rig_end(&rig);
}

static void store_sync__serves_all_who_wait_with_one(void **state)
{
    enum { MANY = 60 };
    struct rig rig;
    struct waiter first;
    struct waiter rest[MANY];
    int before = 0;

    (void)state;
    rig_begin(&rig, true);
    finish_one(&rig, open_one(&rig, 0), 0);
    atomic_store(&disk.is_stuck, true);
    wait_for(&rig, &first, 0);
    turn_until_stuck(&rig);
    before = atomic_load(&disk.table_syncs);
    for (uint64_t n = 0; n < MANY; n++) {
        finish_one(&rig, open_one(&rig, n + 1), n + 1);
        wait_for(&rig, &rest[n], 0);
        (void)loop_turn(rig.loop, 0);
    }
    assert_int_equal(first.told, 0);
    atomic_store(&disk.is_stuck, false);
    turn_until_told(&rig, &first);
    turn_until_told(&rig, &rest[MANY - 1]);
    assert_int_equal(atomic_load(&disk.syncs), 2);
    assert_int_equal(atomic_load(&disk.table_syncs), before + 1);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(rest[i].told, 1);
        assert_int_equal(rest[i].lines, MANY + 1);
    }
    rig_end(&rig);
}

static void store_sync__leaves_the_table_alone_where_nothing_was_opened(void **state)
{
    struct rig rig;
    struct waiter waiter;
    uint32_t slot = 0;
    int before = 0;

    (void)state;
    rig_begin(&rig, true);
    slot = open_one(&rig, 0);
    wait_for(&rig, &waiter, slot);
    turn_until_told(&rig, &waiter);
    before = atomic_load(&disk.table_syncs);
    assert_int_equal(atomic_load(&disk.syncs), 0); /* no line, no sync of lines */
    finish_one(&rig, slot, 0);
    wait_for(&rig, &waiter, 0);
    turn_until_told(&rig, &waiter);
    assert_int_equal(atomic_load(&disk.table_syncs), before);
    assert_int_equal(atomic_load(&disk.syncs), 1);
    rig_end(&rig);
}

static void store_sync__forgets_who_goes(void **state)
{
    struct rig rig;
    struct waiter gone[2];
    struct waiter stays;

    (void)state;
    rig_begin(&rig, true);
    finish_one(&rig, open_one(&rig, 0), 0);
    atomic_store(&disk.is_stuck, true);
    wait_for(&rig, &gone[0], 0);
    turn_until_stuck(&rig);
    wait_for(&rig, &gone[1], 0);
    wait_for(&rig, &stays, 0);
    store_wait_cancel(&gone[0].wait); /* rides on the one that runs */
    store_wait_cancel(&gone[1].wait); /* is with the next one */
    store_wait_cancel(&gone[1].wait);
    atomic_store(&disk.is_stuck, false);
    turn_until_told(&rig, &stays);
    assert_int_equal(gone[0].told + gone[1].told, 0);
    rig_end(&rig);
}

/* Nobody hangs, nothing is lost, and when it works again calls are served without anything to
 * append. */
static void fails_and_comes_back(atomic_int *switched, int code)
{
    struct rig rig;
    struct waiter opened;
    struct waiter finished;
    char id[32];
    struct record record = record_of(id, 9);
    uint32_t slot = 0;
    uint32_t other = 0;

    rig_begin(&rig, true);
    slot = open_one(&rig, 1);
    other = open_one(&rig, 2);
    atomic_store(switched, code);
    finish_one(&rig, slot, 1);
    wait_for(&rig, &finished, 0);
    wait_for(&rig, &opened, other);
    turn_until_told(&rig, &finished);
    turn_until_told(&rig, &opened);
    assert_false(finished.is_synced);
    assert_false(opened.is_synced);
    assert_true(store_state(rig.store).is_failing);
    assert_false(store_open(rig.store, &record, &slot));
    store_drop(rig.store, other);
    atomic_store(switched, 0);
    for (int i = 0; i < 500 && store_state(rig.store).is_failing; i++) {
        (void)loop_turn(rig.loop, 10);
    }
    assert_false(store_state(rig.store).is_failing);
    assert_true(store_open(rig.store, &record, &slot));
    finish_one(&rig, slot, 9);
    wait_for(&rig, &finished, 0);
    turn_until_told(&rig, &finished);
    assert_true(finished.is_synced);
    assert_int_equal(finished.lines, 2);
    rig_end(&rig);
    assert_false(has_table());
}

static void store_sync__of_the_journal_fails(void **state)
{
    (void)state;
    fails_and_comes_back(&disk.fail_sync, EIO);
}

static void store_sync__of_the_table_fails(void **state)
{
    (void)state;
    fails_and_comes_back(&disk.fail_table, EIO);
}

static void store_sync__on_a_full_disk_fails(void **state)
{
    (void)state;
    fails_and_comes_back(&disk.fail_write, ENOSPC);
}

static void store_sync__at_the_stop_tells_everyone(void **state)
{
    struct rig rig;
    struct waiter riding;
    struct waiter gathering;

    (void)state;
    rig_begin(&rig, true);
    finish_one(&rig, open_one(&rig, 1), 1);
    atomic_store(&disk.is_stuck, true);
    wait_for(&rig, &riding, 0);
    turn_until_stuck(&rig);
    finish_one(&rig, open_one(&rig, 2), 2);
    wait_for(&rig, &gathering, 0);
    atomic_store(&disk.is_stuck, false);
    rig_end(&rig);
    assert_int_equal(riding.told, 1);
    assert_int_equal(gathering.told, 1);
    assert_true(riding.is_synced && gathering.is_synced);
    assert_int_equal(gathering.lines, 2);
    assert_false(has_table());
}

static void store_sync__at_the_stop_keeps_what_the_disk_did_not_take(void **state)
{
    struct rig rig;
    struct waiter waiter;

    (void)state;
    rig_begin(&rig, true);
    finish_one(&rig, open_one(&rig, 1), 1);
    atomic_store(&disk.fail_sync, EIO);
    wait_for(&rig, &waiter, 0);
    rig_end(&rig);
    assert_int_equal(waiter.told, 1);
    assert_false(waiter.is_synced);
    assert_true(has_table()); /* its line may not be there after a power cut */
}

static void store_sync__does_nothing_where_only_the_process_may_die(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, false);
    for (uint64_t n = 0; n < 20; n++) {
        finish_one(&rig, open_one(&rig, n), n);
        (void)loop_turn(rig.loop, 1);
    }
    for (int i = 0; i < 200 && store_state(rig.store).written < 20; i++) {
        (void)loop_turn(rig.loop, 10);
    }
    assert_int_equal(atomic_load(&disk.table_syncs), 0);
    assert_true(atomic_load(&disk.syncs) <= 2);
    rig_end(&rig);
    assert_int_equal(atomic_load(&disk.table_syncs), 0);
}

/* Calls are refused then, so that no append can tell that the disk works again. */
static void store_sync__by_the_clock_fails_and_comes_back(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, false);
    atomic_store(&disk.fail_sync, EIO);
    finish_one(&rig, open_one(&rig, 1), 1);
    for (int i = 0; i < 500 && !store_state(rig.store).is_failing; i++) {
        (void)loop_turn(rig.loop, 10);
    }
    assert_true(store_state(rig.store).is_failing);
    atomic_store(&disk.fail_sync, 0);
    for (int i = 0; i < 500 && store_state(rig.store).is_failing; i++) {
        (void)loop_turn(rig.loop, 10);
    }
    assert_false(store_state(rig.store).is_failing);
    finish_one(&rig, open_one(&rig, 2), 2);
    rig_end(&rig);
    assert_int_equal(disk.lines, 2);
}

/* ---- power cuts ---- */

/* An attempt of the run: which of its two waits were told, so that it may have been sent, and
 * answered. */
static struct attempt {
    struct waiter opened;
    struct waiter ended;
    uint32_t slot;
    bool is_finished;
} attempts[NUMBERS];

/* One turn of a busy loop: some begin, of those that may be sent some end, some say how far they
 * are. */
static uint64_t run_turn(struct rig *rig, struct rng *rng, uint64_t count)
{
    for (uint64_t n = count < 60 ? 0 : count - 60; n < count; n++) {
        struct attempt *attempt = &attempts[n];

        if (attempt->opened.told == 0 || attempt->is_finished || rng_below(rng, 3) != 0) {
            continue;
        }
        attempt->is_finished = true;
        finish_one(rig, attempt->slot, n);
        wait_for(rig, &attempt->ended, 0);
    }
    for (uint64_t i = rng_below(rng, 6); i > 0 && count < NUMBERS; i--, count++) {
        attempts[count] = (struct attempt){.slot = open_one(rig, count)};
        wait_for(rig, &attempts[count].opened, attempts[count].slot);
    }
    (void)loop_turn(rig->loop, (uint32_t)rng_below(rng, 2));
    return count;
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, size), size);
    assert_int_equal(close(file), 0);
}

/* The one segment of so short a run. False: there is none yet. */
static bool find_segment(char path[512])
{
    DIR *names = NULL;
    const struct dirent *name = NULL;

    (void)snprintf(path, 512, "%s/journal", folder);
    names = opendir(path);
    assert_non_null(names);
    while ((name = readdir(names)) != NULL && name->d_name[0] == '.') {
    }
    if (name != NULL) {
        (void)snprintf(path, 512, "%s/journal/%s", folder, name->d_name);
    }
    (void)closedir(names);
    return name != NULL;
}

/* What a disk may hold when the power goes now: of each page of the table what was synced last, or
 * what is there; of the journal what was synced, or some more. */
static void cut_power(struct rng *rng, const char *to)
{
    static char table[TABLE_MAX];
    static char lines[1 << 20];
    char command[256];
    char path[512];
    ssize_t len = 0;

    (void)snprintf(command, sizeof command, "mkdir -p '%s/journal'", to);
    assert_int_equal(system(command), 0);
    assert_int_equal(pthread_mutex_lock(&disk.lock), 0);
    read_table(table);
    for (size_t at = 0; at < TABLE_USED; at += PAGE) {
        if (rng_below(rng, 2) == 0) {
            memcpy(table + at, disk.table + at, PAGE);
        }
    }
    if (find_segment(path)) {
        int file = open(path, O_RDONLY);

        len = pread(file, lines, sizeof lines, 0);
        assert_true(len >= (ssize_t)disk.journal);
        (void)close(file);
        len = (ssize_t)(disk.journal + rng_below(rng, (uint64_t)len - disk.journal + 1));
        (void)snprintf(command, sizeof command, "%s/journal/%s", to, strrchr(path, '/') + 1);
        write_file(command, lines, (size_t)len);
    }
    assert_int_equal(pthread_mutex_unlock(&disk.lock), 0);
    (void)snprintf(command, sizeof command, "%s/inflight", to);
    write_file(command, table, disk.size);
}

static struct {
    uint8_t finished[NUMBERS];
    uint8_t crashed[NUMBERS];
} counted;

static void count_journal(void)
{
    char path[96];
    struct json_scan *scan = json_scan_new();
    struct journal_reader *reader = NULL;
    struct journal_place at, next;
    struct record record;
    struct span line;
    struct buf text;
    struct why why;

    memset(&counted, 0, sizeof counted);
    buf_init(&text, 1 << 16);
    (void)snprintf(path, sizeof path, "%s/journal", folder);
    reader = journal_reader_new(span_of(path));
    while (journal_reader_next(reader, &line, &at, &next, &why)) {
        buf_clear(&text);
        assert_int_equal(record_read_line(scan, line, &text, &record), ERR_NONE);
        assert_true((uint64_t)record.numbers[RECORD_ATTEMPT] < NUMBERS);
        (record_has(&record, RECORD_FLAG_PROXY_CRASH)
             ? counted.crashed
             : counted.finished)[record.numbers[RECORD_ATTEMPT]]++;
    }
    journal_reader_free(reader);
    json_scan_free(scan);
    buf_fini(&text);
}

static void assert_nothing_is_lost(uint64_t count, uint64_t seed)
{
    for (uint64_t n = 0; n < count; n++) {
        const struct attempt *attempt = &attempts[n];
        int records = counted.finished[n] + counted.crashed[n];

        if (records > 1 || (attempt->opened.told != 0 && records != 1) ||
            (attempt->is_finished && attempt->ended.told != 0 && counted.finished[n] != 1)) {
            fail_msg("seed %llu, attempt %llu: %d records, finished %d", (unsigned long long)seed,
                     (unsigned long long)n, records, counted.finished[n]);
        }
    }
}

static void store_sync__outlives_a_power_cut_at_any_moment(void **state)
{
    static struct attempt then[NUMBERS];
    uint64_t seed = (uint64_t)time(NULL);
    struct rng rng;
    char running[sizeof folder];
    char cut[sizeof folder];
    char command[192];

    (void)state;
    rng_init(&rng, seed, 0);
    memcpy(running, folder, sizeof running);
    (void)snprintf(cut, sizeof cut, "%.40s-cut", folder);
    for (int round = 0; round < 40; round++) {
        struct rig rig;
        struct rig next;
        uint64_t count = 0;
        uint64_t turns = 20 + rng_below(&rng, 60);

        rig_begin(&rig, true);
        atomic_store(&disk.naps, (int)rng_below(&rng, 8));
        for (uint64_t i = 0; i < turns; i++) {
            count = run_turn(&rig, &rng, count);
        }
        cut_power(&rng, cut);
        memcpy(then, attempts, count * sizeof *attempts);
        rig_end(&rig); /* which tells those who still waited */
        memcpy(attempts, then, count * sizeof *attempts);
        memcpy(folder, cut, sizeof folder);
        rig_begin(&next, true);
        rig_end(&next);
        count_journal();
        assert_nothing_is_lost(count, seed);
        memcpy(folder, running, sizeof folder);
        (void)snprintf(command, sizeof command, "rm -rf '%s' '%s'/*", cut, folder);
        assert_int_equal(system(command), 0);
    }
}

#define ON_DISK(story) cmocka_unit_test_setup_teardown(story, folder_set_up, folder_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_DISK(store_sync__tells_of_an_open_slot_when_the_disk_has_it),
        ON_DISK(store_sync__tells_of_a_record_when_the_disk_has_its_line),
        ON_DISK(store_sync__covers_what_ends_later_in_the_same_turn),
        ON_DISK(store_sync__serves_all_who_wait_with_one),
        ON_DISK(store_sync__leaves_the_table_alone_where_nothing_was_opened),
        ON_DISK(store_sync__forgets_who_goes),
        ON_DISK(store_sync__of_the_journal_fails),
        ON_DISK(store_sync__of_the_table_fails),
        ON_DISK(store_sync__on_a_full_disk_fails),
        ON_DISK(store_sync__at_the_stop_tells_everyone),
        ON_DISK(store_sync__at_the_stop_keeps_what_the_disk_did_not_take),
        ON_DISK(store_sync__does_nothing_where_only_the_process_may_die),
        ON_DISK(store_sync__by_the_clock_fails_and_comes_back),
        ON_DISK(store_sync__outlives_a_power_cut_at_any_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
