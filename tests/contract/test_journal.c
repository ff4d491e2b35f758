/* SPDX-License-Identifier: Apache-2.0 */
/* The journal on a real disk: what was appended is read, once and in order, whatever happens to the
 * writer, to its last line, or to the disk. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rng.h"
#include "proxy/journal_parts.h"
#include "usage/record.h"
#include "tests/contract/folder.h"

#define T0 INT64_C(1795000000000)

static const struct journal_rules usual = {.retention_ms = 3600000};

static struct journal *journal_at(const struct journal_rules *rules,
                                  const struct journal_disk *disk)
{
    struct journal *journal = NULL;
    struct why why;

    assert_int_equal(journal_open(span_of(folder), rules, disk, &journal, &why), ERR_NONE);
    return journal;
}

/* The line of record `n`. */
static void put_line(struct buf *out, uint64_t n)
{
    struct record record;
    char id[32];

    (void)snprintf(id, sizeof id, "r%llu-1", (unsigned long long)n);
    record_init(&record);
    record.texts[RECORD_ID] = span_of(id);
    record.numbers[RECORD_ATTEMPT] = (int64_t)n;
    record_put_line(out, &record);
}

static bool append(struct journal *journal, uint64_t first, uint64_t count, wall_ms now)
{
    struct journal_place at;
    struct why why;
    struct buf lines;
    bool is_good = false;

    buf_init(&lines, 16 << 20);
    for (uint64_t i = 0; i < count; i++) {
        put_line(&lines, first + i);
    }
    is_good = journal_append(journal, buf_span(&lines), now, &at, &why);
    buf_fini(&lines);
    return is_good;
}

/* Reads on from where it is; each whole record must be the next number. Returns how many came. */
struct follower {
    struct journal_reader *reader;
    struct json_scan *scan;
    struct buf text;
    uint64_t next;
    struct journal_place place;
    unsigned broken;
    uint64_t most; /* to be read at once; 0: all there are */
};

static struct follower follow(uint64_t first)
{
    struct follower follower = {
        .reader = journal_reader_new(span_of(folder)), .scan = json_scan_new(), .next = first};

    assert_non_null(follower.reader);
    buf_init(&follower.text, 1 << 16);
    return follower;
}

static void follow_end(struct follower *follower)
{
    journal_reader_free(follower->reader);
    json_scan_free(follower->scan);
    buf_fini(&follower->text);
}

static uint64_t read_on(struct follower *f)
{
    struct span line;
    struct journal_place at, next;
    struct record record;
    struct why why;
    uint64_t count = 0;

    while (journal_reader_next(f->reader, &line, &at, &next, &why)) {
        assert_true(journal_place_compare(at, next) < 0);
        assert_true(journal_place_compare(f->place, at) <= 0);
        f->place = next;
        buf_clear(&f->text);
        if (record_read_line(f->scan, line, &f->text, &record) != ERR_NONE) {
            f->broken++;
            continue;
        }
        assert_int_equal(record.numbers[RECORD_ATTEMPT], f->next);
        f->next++;
        count++;
        if (count == f->most) {
            return count;
        }
    }
    assert_string_equal(why.text, "");
    return count;
}

static uint64_t read_all(void)
{
    struct follower f = follow(0);
    uint64_t count = read_on(&f);

    assert_int_equal(f.broken, 0);
    follow_end(&f);
    return count;
}

static unsigned files(void)
{
    struct segments segments = {.list = NULL};
    struct why why;
    unsigned count = 0;

    assert_true(segments_list(folder, &segments, &why));
    count = (unsigned)segments.count;
    segments_fini(&segments);
    return count;
}

/* ---- stories ---- */

static void journal__gives_back_what_was_appended(void **state)
{
    struct journal *journal = journal_at(&usual, NULL);
    struct follower f = follow(0);
    struct why why;

    (void)state;
    assert_int_equal(read_on(&f), 0); /* nothing there yet */
    assert_int_equal(journal_end(journal).segment, 0);
    assert_true(append(journal, 0, 3, T0));
    assert_int_equal(read_on(&f), 3);
    assert_int_equal(read_on(&f), 0);
    assert_true(append(journal, 3, 5000, T0 + 5)); /* more than one read */
    assert_true(journal_sync(journal, &why));
    assert_int_equal(read_on(&f), 5000);
    assert_int_equal(journal_place_compare(f.place, journal_end(journal)), 0);
    journal_close(journal);
    journal = journal_at(&usual, NULL); /* goes on in the same segment */
    assert_true(append(journal, 5003, 1, T0 + 10));
    assert_int_equal(journal_end(journal).segment, 1);
    assert_int_equal(read_on(&f), 1);
    journal_close(journal);
    follow_end(&f);
    assert_int_equal(read_all(), 5004);
}

static void journal__begins_segments_by_size_and_by_time(void **state)
{
    struct journal_rules rules = {
        .retention_ms = 3600000, .segment_bytes = 200, .segment_ms = 60000};
    struct journal *journal = journal_at(&rules, NULL);
    struct follower f = follow(0);

    (void)state;
    assert_true(append(journal, 0, 1, T0));
    assert_true(append(journal, 1, 1, T0 + 59999));
    assert_int_equal(files(), 1);
    assert_true(append(journal, 2, 1, T0 + 60000));
    assert_int_equal(files(), 2);
    assert_true(append(journal, 3, 10, T0 + 60001));
    assert_int_equal(files(), 2);
    assert_true(append(journal, 13, 1, T0 + 60002));
    assert_int_equal(files(), 3);
    assert_true(append(journal, 14, 1, T0 - 900000)); /* the clock went back */
    assert_int_equal(read_on(&f), 15);
    assert_int_equal(journal_end(journal).segment, 3);
    journal_close(journal);
    follow_end(&f);
}

static void journal__keeps_what_is_needed_and_young(void **state)
{
    struct journal_rules rules = {.retention_ms = 1000, .segment_bytes = 1, .segment_ms = 3600000};
    struct journal *journal = journal_at(&rules, NULL);
    struct follower f = follow(0);

    (void)state;
    for (uint64_t i = 0; i < 5; i++) {
        assert_true(append(journal, i, 1, T0 + (wall_ms)i * 100));
    }
    assert_true(journal_tidy(journal, (struct journal_place){9, 0}, T0 + 1099) > 0);
    assert_int_equal(files(), 5);
    (void)journal_tidy(journal, (struct journal_place){2, 0}, T0 + 9000);
    assert_int_equal(files(), 4); /* somebody has not passed the second one */
    (void)journal_tidy(journal, (struct journal_place){9, 0}, T0 + 1200);
    assert_int_equal(files(), 3);
    (void)journal_tidy(journal, (struct journal_place){9, 0}, T0 + 90000);
    assert_int_equal(files(), 1); /* the last one stays: its number never comes again */
    f.next = 4;                   /* a reader that was behind goes on with what is there */
    assert_int_equal(read_on(&f), 1);
    journal_close(journal);
    journal = journal_at(&rules, NULL);
    assert_true(append(journal, 5, 1, T0 + 90000));
    assert_int_equal(journal_end(journal).segment, 6);
    assert_int_equal(read_on(&f), 1);
    journal_close(journal);
    follow_end(&f);
}

static off_t size_of_segment(int change)
{
    char path[JOURNAL_PATH_MAX];
    struct stat status;

    assert_true(segment_path(path, folder, T0, 1));
    assert_int_equal(stat(path, &status), 0);
    if (change != 0) {
        assert_int_equal(truncate(path, status.st_size + change), 0);
    }
    return status.st_size;
}

/* A reader that saw a part of a line, which was cut off and written otherwise. */
static void journal__is_read_anew_behind_a_cut(void **state)
{
    struct journal *journal = journal_at(&usual, NULL);
    struct follower f = follow(0);

    (void)state;
    assert_true(append(journal, 0, 9, T0));
    journal_close(journal);
    (void)size_of_segment(-10);
    assert_int_equal(read_on(&f), 8);
    journal = journal_at(&usual, NULL);
    f.next = 1000;
    assert_true(append(journal, 1000, 2, T0));
    assert_int_equal(read_on(&f), 2);
    assert_int_equal(f.broken, 0);
    journal_close(journal);
    follow_end(&f);
}

static void journal__cuts_off_a_torn_last_line(void **state)
{
    struct journal *journal = journal_at(&usual, NULL);
    off_t before = 0, after = 0;

    (void)state;
    assert_true(append(journal, 0, 2, T0));
    before = size_of_segment(0);
    assert_true(append(journal, 2, 1, T0));
    after = size_of_segment(0);
    journal_close(journal);
    for (off_t cut = 1; cut <= after - before; cut++) {
        (void)size_of_segment((int)(after - cut - size_of_segment(0)));
        journal = journal_at(&usual, NULL);
        assert_int_equal(size_of_segment(0), before);
        assert_true(append(journal, 2, 1, T0));
        journal_close(journal);
        assert_int_equal(read_all(), 3);
    }
}

static void journal__cuts_off_what_a_power_cut_left(void **state)
{
    static const size_t zeros[] = {1, 512, 65536, 65537, 200000};
    char path[JOURNAL_PATH_MAX];
    struct journal *journal = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        int file = -1;

        journal = journal_at(&usual, NULL);
        assert_true(append(journal, i, 1, T0));
        journal_close(journal);
        assert_true(segment_path(path, folder, T0, 1));
        file = open(path, O_WRONLY | O_APPEND);
        for (size_t k = 0; k < zeros[i]; k++) {
            assert_int_equal(write(file, k % 7 == 0 ? "\n" : "\0", 1), 1);
        }
        (void)close(file);
    }
    journal_close(journal_at(&usual, NULL));
    assert_int_equal(read_all(), sizeof zeros / sizeof *zeros);
}

/* ---- a disk that fails ---- */

static int fail_with;   /* 0: it does not */
static long write_most; /* bytes that go through before that */

static long failing_write(int file, const void *bytes, size_t count)
{
    if (fail_with == 0) {
        return (long)write(file, bytes, count);
    }
    if (write_most > 0) {
        size_t some = count < (size_t)write_most ? count : (size_t)write_most;
        write_most -= (long)some;
        return (long)write(file, bytes, some);
    }
    errno = fail_with;
    return -1;
}

static int failing_open(const char *path, int flags, unsigned mode)
{
    if (fail_with != 0) {
        errno = fail_with;
        return -1;
    }
    return open(path, flags, mode);
}

static int failing_sync(int file)
{
    if (fail_with != 0) {
        errno = fail_with;
        return -1;
    }
    return fdatasync(file);
}

static void journal__survives_a_disk_that_is_full_or_broken(void **state)
{
    static const int errors[] = {ENOSPC, EROFS, EIO, EDQUOT};
    static const struct journal_disk disk = {
        .open = failing_open, .write = failing_write, .sync = failing_sync};
    struct journal_rules rules = {.retention_ms = 1, .segment_bytes = 1000};
    struct journal *journal = NULL;
    struct follower f = follow(0);
    struct why why;
    uint64_t n = 0;

    (void)state;
    fail_with = 0;
    journal = journal_at(&rules, &disk);
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++) {
        for (long most = 0; most < 230; most += 7) {
            fail_with = errors[e];
            write_most = most;
            assert_false(append(journal, n, 5, T0));
            assert_int_equal(read_on(&f), 0); /* half a batch is no batch */
            if (e == 1) {                     /* a process that dies now leaves the same */
                fail_with = 0;
                journal_close(journal);
                journal = journal_at(&rules, &disk);
            }
            fail_with = 0;
            assert_true(append(journal, n, 5, T0));
            n += 5;
            assert_int_equal(read_on(&f), 5);
        }
        fail_with = errors[e];
        assert_false(journal_sync(journal, &why));
        assert_non_null(strstr(why.text, folder));
        fail_with = 0;
        assert_true(journal_sync(journal, &why));
    }
    journal_close(journal);
    follow_end(&f);
    assert_int_equal(read_all(), n);
}

static void journal__says_what_it_cannot_open(void **state)
{
    static const struct journal_disk disk = {.open = failing_open};
    struct journal *journal = journal_at(&usual, NULL);
    struct why why;

    (void)state;
    assert_true(append(journal, 0, 1, T0));
    journal_close(journal);
    fail_with = EROFS;
    assert_int_equal(journal_open(span_of(folder), &usual, &disk, &journal, &why), ERR_PERMISSION);
    assert_non_null(strstr(why.text, ".jsonl: "));
    fail_with = 0;
    assert_int_equal(journal_open(SPAN_OF("/proc/headgate/journal"), &usual, NULL, &journal, &why),
                     ERR_SYSTEM);
    assert_non_null(strstr(why.text, "/proc/headgate/journal: "));
}

/* ---- kill -9 ---- */

/* Appends batches of one to nine lines, and tells behind each append how far it is. */
static void write_for_ever(volatile uint64_t *told, uint64_t from, uint64_t seed)
{
    struct journal_rules rules = {.retention_ms = 3600000, .segment_bytes = 20000};
    struct journal *journal = journal_at(&rules, NULL);
    struct rng rng;

    rng_init(&rng, seed, 1);
    for (uint64_t n = from;;) {
        uint64_t count = 1 + rng_below(&rng, 9);
        if (!append(journal, n, count, T0)) {
            _exit(1);
        }
        n += count;
        *told = n;
    }
}

static void pause_us(long us)
{
    struct timespec time = {.tv_sec = 0, .tv_nsec = us * 1000};

    (void)nanosleep(&time, NULL);
}

/* Seen by whoever is forked. */
static volatile uint64_t *shared_number(void)
{
    char path[96];
    int file = -1;
    void *at = NULL;

    (void)snprintf(path, sizeof path, "%s/told", folder);
    file = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(ftruncate(file, 4096), 0);
    at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    assert_true(at != MAP_FAILED);
    (void)close(file);
    return at;
}

static void journal__loses_and_doubles_nothing_when_its_writer_is_killed(void **state)
{
    enum { ROUNDS = 200 };
    volatile uint64_t *told = shared_number();
    struct follower f = follow(0);
    struct rng rng;

    (void)state;
    rng_init(&rng, 9, 0);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        int status = 0;
        pid_t writer = 0;

        /* Who comes after goes on behind what is there, also of a batch that was half told. */
        (void)read_on(&f);
        journal_close(journal_at(&usual, NULL));
        (void)read_on(&f);
        writer = fork();
        if (writer == 0) {
            write_for_ever(told, f.next, round);
        }
        pause_us(300 + (long)rng_below(&rng, 3000));
        f.most = 500; /* the writer may be the faster one */
        (void)read_on(&f);
        f.most = 0;
        assert_int_equal(kill(writer, SIGKILL), 0);
        assert_int_equal(waitpid(writer, &status, 0), writer);
        assert_true(WIFSIGNALED(status));
        (void)read_on(&f);
        assert_true(f.next >= *told); /* what was told as written is there */
    }
    print_message("%llu records, %u parts of lines passed over\n", (unsigned long long)f.next,
                  f.broken);
    assert_true(f.next > ROUNDS);
    follow_end(&f);
    (void)munmap((void *)told, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, folder_set_up, folder_tear_down)
        ON_DISK(journal__gives_back_what_was_appended),
        ON_DISK(journal__begins_segments_by_size_and_by_time),
        ON_DISK(journal__keeps_what_is_needed_and_young),
        ON_DISK(journal__cuts_off_a_torn_last_line),
        ON_DISK(journal__is_read_anew_behind_a_cut),
        ON_DISK(journal__cuts_off_what_a_power_cut_left),
        ON_DISK(journal__survives_a_disk_that_is_full_or_broken),
        ON_DISK(journal__says_what_it_cannot_open),
        ON_DISK(journal__loses_and_doubles_nothing_when_its_writer_is_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
