/* SPDX-License-Identifier: Apache-2.0 */
/* The store on a real disk: every finished record is in the journal exactly once, every open one
 * has its record of the crash, whenever the process is killed and however the disk fails. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rng.h"
#include "proxy/inflight_map.h"
#include "proxy/state_dir.h"
#include "proxy/store.h"
#include "tests/contract/folder.h"
#include "tests/contract/store_records.h"

static void settle_crash(void *to, struct buf *text, struct record *record)
{
    (void)to;
    (void)text;
    record->texts[RECORD_CHARGE] = SPAN_OF("crashed");
}

static struct store_options options_of(struct loop *loop)
{
    return (struct store_options){.loop = loop,
                                  .log = log_new(loop, STDERR_FILENO, LOG_ERROR, LOG_TEXT),
                                  .state_dir = span_of(folder),
                                  .calls = 100,
                                  .seed = 5,
                                  .settle_crash = settle_crash,
                                  .journal = {.retention_ms = 3600000}};
}

struct rig {
    struct loop *loop;
    struct store_options options;
    struct store *store;
};

static void begin(struct rig *rig)
{
    struct why why;
    enum err err = store_new(&rig->options, &rig->store, &why);

    if (err != ERR_NONE) {
        print_message("%s\n", why.text);
    }
    assert_int_equal(err, ERR_NONE);
}

static void rig_begin(struct rig *rig)
{
    rig->loop = loop_new(NULL);
    rig->options = options_of(rig->loop);
    begin(rig);
}

static void rig_end(struct rig *rig)
{
    store_free(rig->store, 5000);
    log_free(rig->options.log);
    loop_free(rig->loop);
}

/* ---- what the journal holds ---- */

enum { NUMBERS = 400000 };
struct counted {
    uint8_t finished[NUMBERS];
    uint8_t crashed[NUMBERS];
    uint64_t lines;
};

static void count_journal(struct counted *counted)
{
    char path[96];
    struct journal_reader *reader = NULL;
    struct json_scan *scan = json_scan_new();
    struct journal_place at, next;
    struct record record;
    struct span line;
    struct buf text;
    struct why why;

    memset(counted, 0, sizeof *counted);
    buf_init(&text, 1 << 16);
    (void)snprintf(path, sizeof path, "%s/journal", folder);
    reader = journal_reader_new(span_of(path));
    while (journal_reader_next(reader, &line, &at, &next, &why)) {
        uint64_t n = 0;

        buf_clear(&text);
        assert_int_equal(record_read_line(scan, line, &text, &record), ERR_NONE);
        n = (uint64_t)record.numbers[RECORD_ATTEMPT];
        assert_true(n < NUMBERS);
        if (record_has(&record, RECORD_FLAG_PROXY_CRASH)) {
            assert_true(span_equal(record.texts[RECORD_CHARGE], SPAN_OF("crashed")));
            counted->crashed[n]++;
        } else {
            counted->finished[n]++;
        }
        counted->lines++;
    }
    assert_string_equal(why.text, "");
    journal_reader_free(reader);
    json_scan_free(scan);
    buf_fini(&text);
}

static struct counted counted;

/* ---- stories ---- */

static void store__brings_records_into_the_journal(void **state)
{
    struct rig rig;
    char id[32];
    uint32_t slots[3];

    (void)state;
    rig_begin(&rig);
    for (uint64_t n = 0; n < 3; n++) {
        struct record record = record_of(id, n);
        assert_true(store_open(rig.store, &record, &slots[n]));
        assert_int_not_equal(slots[n], 0);
    }
    for (uint64_t n = 0; n < 2; n++) {
        struct record record = record_of(id, n);
        store_finish(rig.store, slots[n], &record);
    }
    for (int i = 0; i < 500 && store_state(rig.store).written < 2; i++) {
        (void)loop_turn(rig.loop, 10);
    }
    assert_int_equal(store_state(rig.store).written, 2);
    rig_end(&rig); /* with one open: as after a crash, though the process lives */
    count_journal(&counted);
    assert_int_equal(counted.lines, 2);
    rig_begin(&rig);
    rig_end(&rig);
    count_journal(&counted);
    assert_int_equal(counted.lines, 3);
    assert_int_equal(counted.crashed[2], 1);
}

static void store__gives_slots_back_for_ever(void **state)
{
    struct rig rig;
    char id[32];

    (void)state;
    rig_begin(&rig);
    for (uint64_t n = 0; n < 100000; n++) {
        struct record record = record_of(id, n);
        uint32_t slot = 0;

        if (!store_open(rig.store, &record, &slot)) {
            (void)loop_turn(rig.loop, 1); /* the other thread is behind */
            n--;
            continue;
        }
        store_finish(rig.store, slot, &record);
    }
    rig_end(&rig);
    count_journal(&counted);
    assert_int_equal(counted.lines, 100000);
    for (uint64_t n = 0; n < 100000; n++) {
        assert_int_equal(counted.finished[n], 1);
    }
}

static void store__keeps_what_was_open_up_to_its_limit(void **state)
{
    struct rig rig;
    char id[32];
    uint64_t n = 0;
    uint32_t slot = 0;

    (void)state;
    rig.loop = loop_new(NULL);
    rig.options = options_of(rig.loop);
    rig.options.calls = 20000;
    begin(&rig);
    for (;; n++) {
        struct record record = record_of(id, n);
        if (!store_open(rig.store, &record, &slot)) {
            break;
        }
    }
    assert_true(n >= 20000); /* as many as calls may be open, and more */
    rig_end(&rig);
    rig_begin(&rig);
    rig_end(&rig);
    count_journal(&counted);
    assert_int_equal(counted.lines, n);
    for (uint64_t i = 0; i < n; i++) {
        assert_int_equal(counted.crashed[i], 1);
    }
}

/* ---- a disk that fails ---- */

static atomic_int fail_with;

static long failing_write(int file, const void *bytes, size_t count)
{
    int code = atomic_load(&fail_with);

    if (code != 0) {
        errno = code;
        return -1;
    }
    return (long)write(file, bytes, count);
}

static const struct journal_disk failing_disk = {.write = failing_write};

static void finish_one(struct rig *rig, uint64_t n)
{
    char id[32];
    struct record record = record_of(id, n);

    store_put(rig->store, &record);
}

static void wait_until_failing(struct rig *rig, bool is_failing)
{
    for (int i = 0; i < 500 && store_state(rig->store).is_failing != is_failing; i++) {
        (void)loop_turn(rig->loop, 10);
    }
    assert_int_equal(store_state(rig->store).is_failing, is_failing);
}

static void store__refuses_while_the_disk_is_full_and_loses_nothing(void **state)
{
    struct rig rig = {.loop = loop_new(NULL)};
    char id[32];
    struct record record = record_of(id, 9);
    uint32_t slot = 0;

    (void)state;
    rig.options = options_of(rig.loop);
    rig.options.disk = &failing_disk;
    atomic_store(&fail_with, 0);
    begin(&rig);
    assert_true(store_open(rig.store, &record, &slot));
    atomic_store(&fail_with, ENOSPC);
    finish_one(&rig, 1);
    wait_until_failing(&rig, true);
    store_finish(rig.store, slot, &record); /* what runs ends well */
    assert_false(store_open(rig.store, &record, &slot));
    assert_int_equal(store_state(rig.store).waiting, 2);
    atomic_store(&fail_with, 0);
    wait_until_failing(&rig, false);
    assert_true(store_open(rig.store, &record, &slot));
    store_finish(rig.store, slot, &record);
    rig_end(&rig);
    count_journal(&counted);
    assert_int_equal(counted.lines, 3);
    assert_int_equal(counted.finished[1], 1);
    assert_int_equal(counted.finished[9], 2); /* two calls of one number */
}

static void store__keeps_for_the_next_start_what_could_not_be_written(void **state)
{
    struct rig rig = {.loop = loop_new(NULL)};
    struct why why = {.text = ""};

    (void)state;
    rig.options = options_of(rig.loop);
    rig.options.disk = &failing_disk;
    atomic_store(&fail_with, 0);
    begin(&rig);
    atomic_store(&fail_with, EIO);
    finish_one(&rig, 1);
    finish_one(&rig, 2);
    rig_end(&rig);
    count_journal(&counted);
    assert_int_equal(counted.lines, 0);
    /* While it cannot be written there is no start either, and the reason is told. */
    rig.loop = loop_new(NULL);
    rig.options = options_of(rig.loop);
    rig.options.disk = &failing_disk;
    atomic_store(&fail_with, ENOSPC);
    assert_int_equal(store_new(&rig.options, &rig.store, &why), ERR_SYSTEM);
    assert_non_null(strstr(why.text, strerror(ENOSPC)));
    assert_non_null(strstr(why.text, "start again"));
    log_free(rig.options.log);
    loop_free(rig.loop);
    rig_begin(&rig);
    rig_end(&rig);
    count_journal(&counted);
    assert_int_equal(counted.finished[1] + counted.finished[2], 2);
    assert_int_equal(counted.lines, 2);
}

static void store__that_degrades_counts_what_it_loses(void **state)
{
    struct rig rig = {.loop = loop_new(NULL)};
    uint64_t n = 0;

    (void)state;
    rig.options = options_of(rig.loop);
    rig.options.disk = &failing_disk;
    rig.options.degrades = true;
    atomic_store(&fail_with, 0);
    begin(&rig);
    atomic_store(&fail_with, EROFS);
    for (; n < 20000; n++) {
        char id[32];
        struct record record = record_of(id, n);
        uint32_t slot = 0;
        assert_true(store_open(rig.store, &record, &slot));
        store_finish(rig.store, slot, &record);
    }
    assert_true(store_state(rig.store).lost > 0);
    uint64_t lost = store_state(rig.store).lost;
    atomic_store(&fail_with, 0);
    rig_end(&rig);
    count_journal(&counted);
    assert_int_equal(counted.lines + lost, n);
}

/* As long as a record can be: it takes a dozen slots. */
static void store__has_a_slot_to_finish_in_behind_the_longest_records(void **state)
{
    static char filler[RECORD_RAW_MAX];
    struct rig rig = {.loop = loop_new(NULL)};
    struct record record;
    uint32_t slots[2];
    char id[32];

    (void)state;
    memset(filler, '7', sizeof filler);
    filler[0] = filler[sizeof filler - 1] = '"';
    rig.options = options_of(rig.loop);
    rig.options.disk = &failing_disk;
    rig.options.degrades = true;
    atomic_store(&fail_with, 0);
    begin(&rig);
    for (uint64_t n = 0; n < 2; n++) {
        record = record_of(id, n);
        assert_true(store_open(rig.store, &record, &slots[n]));
    }
    atomic_store(&fail_with, EROFS);
    for (uint64_t n = 2; store_state(rig.store).lost == 0; n++) {
        record = record_of(id, n);
        for (size_t i = 0; i < RECORD_TEXTS; i++) {
            if (i != RECORD_ID) {
                record.texts[i] = span_make(filler, sizeof filler);
            }
        }
        record.raw = span_make(filler, sizeof filler);
        store_put(rig.store, &record);
    }
    for (uint64_t n = 0; n < 2; n++) {
        record = record_of(id, n);
        store_finish(rig.store, slots[n], &record);
    }
    atomic_store(&fail_with, 0);
    rig_end(&rig);
    count_journal(&counted);
    assert_int_equal(counted.finished[0], 1);
    assert_int_equal(counted.finished[1], 1);
}

/* ---- who follows ---- */

/* Reads each line and compares what it was told of it. */
struct reader {
    struct json_scan *scan;
    struct buf text;
    uint64_t same;
    uint64_t other;
};

static void reader_take(void *to, const struct follower_news *news)
{
    struct reader *reader = to;
    struct record read;
    bool is_same = false;

    buf_clear(&reader->text);
    is_same = record_read_line(reader->scan, news->line, &reader->text, &read) == ERR_NONE &&
              span_equal(read.raw, news->record->raw) &&
              memcmp(read.numbers, news->record->numbers, sizeof read.numbers) == 0;
    for (size_t i = 0; is_same && i < RECORD_TEXTS; i++) {
        is_same = span_equal(read.texts[i], news->record->texts[i]);
    }
    reader->same += is_same;
    reader->other += !is_same;
}

static bool reader_step(void *to, struct journal_place end)
{
    (void)to;
    (void)end;
    return false;
}

static struct journal_place reader_cursor(const void *to)
{
    (void)to;
    return (struct journal_place){UINT64_MAX, 0};
}

static void reader_finish(void *to, uint32_t ms)
{
    (void)to;
    (void)ms;
}

static void reader_free(void *to)
{
    struct reader *reader = to;

    json_scan_free(reader->scan);
    buf_fini(&reader->text);
}

static bool reader_trouble(void *to, struct why *why)
{
    (void)to;
    (void)why;
    return false;
}

static size_t make_reader(void *to, struct store *store, struct loop *loop,
                          struct follower *followers)
{
    static const struct follower_ops ops = {.take = reader_take,
                                            .step = reader_step,
                                            .cursor = reader_cursor,
                                            .finish = reader_finish,
                                            .free = reader_free,
                                            .trouble = reader_trouble};

    struct reader *reader = to;

    (void)store;
    (void)loop;
    reader->scan = json_scan_new(); /* what the store thread uses it takes and gives itself */
    buf_init(&reader->text, 1 << 16);
    followers[0] = (struct follower){.name = "reader", .ops = &ops, .to = to};
    return 1;
}

/* In batches of records that stand in their slots and such as go over several. */
static void store__tells_followers_what_the_lines_say(void **state)
{
    enum { COUNT = 3000 };
    char filler[RECORD_TEXT_MAX];
    struct rig rig = {.loop = loop_new(NULL)};
    struct reader reader = {.scan = NULL};
    char id[32];

    (void)state;
    rig.options = options_of(rig.loop);
    rig.options.calls = COUNT;
    rig.options.make_followers = make_reader;
    rig.options.to = &reader;
    begin(&rig);
    for (uint64_t n = 0; n < COUNT; n++) {
        struct record record = record_of(id, n);

        memset(filler, (int)('a' + n % 26), sizeof filler);
        for (size_t i = 0; n % 3 != 0 && i < 4 + n % 7; i++) {
            record.texts[RECORD_TEXTS - 1 - i] = span_make(filler, sizeof filler);
        }
        store_put(rig.store, &record);
    }
    rig_end(&rig);
    assert_int_equal(reader.other, 0);
    assert_int_equal(reader.same, COUNT);
}

static uint32_t slots_in_use(void)
{
    struct inflight_map map;
    struct buf text;
    char path[96];
    bool is_foreign = false;
    uint32_t in_use = 0;
    struct why why;

    buf_init(&text, 1 << 16);
    (void)snprintf(path, sizeof path, "%s/inflight", folder);
    assert_int_equal(inflight_map_old(path, &map, &is_foreign, &why), ERR_NONE);
    struct inflight table = {.memory = map.memory, .count = map.count};
    for (uint32_t slot = 1; slot <= table.count; slot++) {
        struct inflight_progress progress;
        enum inflight_state slot_state = INFLIGHT_FREE;
        struct record record;

        buf_clear(&text);
        (void)inflight_read(&table, slot, &text, &record, &progress, &slot_state);
        in_use += slot_state != INFLIGHT_FREE;
    }
    inflight_map_close(&map);
    buf_fini(&text);
    return in_use;
}

/* Else a kill days later would have it looked for in a journal that may be gone by then. */
static void store__that_is_idle_leaves_nothing_in_its_slots(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    finish_one(&rig, 1);
    for (int i = 0; i < 500 && slots_in_use() > 0; i++) {
        (void)loop_turn(rig.loop, 10);
    }
    assert_int_equal(slots_in_use(), 0);
    assert_int_equal(store_state(rig.store).written, 1);
    assert_int_equal(store_state(rig.store).waiting, 0);
    rig_end(&rig);
}

static bool has_table(void)
{
    char path[96];

    (void)snprintf(path, sizeof path, "%s/inflight", folder);
    return access(path, F_OK) == 0;
}

static void store__leaves_a_table_only_where_something_is_in_it(void **state)
{
    struct rig rig;
    char id[32];
    uint32_t slot = 0;
    struct record record = record_of(id, 1);

    (void)state;
    rig_begin(&rig);
    finish_one(&rig, 0);
    rig_end(&rig);
    assert_false(has_table());
    rig_begin(&rig);
    assert_true(has_table());
    assert_true(store_open(rig.store, &record, &slot));
    rig_end(&rig);
    assert_true(has_table());
}

/* ---- kill -9 ---- */

/* What the child says it has done, seen by the parent after its death. */
struct told {
    _Atomic uint64_t opened; /* numbers below were opened, or were about to be: none comes again */
    _Atomic uint8_t is_open[NUMBERS];
    _Atomic uint8_t finished[NUMBERS];
};

static struct told *told_new(void)
{
    char path[96];
    int file = -1;
    void *at = NULL;

    (void)snprintf(path, sizeof path, "%s/told", folder);
    file = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(ftruncate(file, sizeof(struct told)), 0);
    at = mmap(NULL, sizeof(struct told), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    assert_true(at != MAP_FAILED);
    (void)close(file);
    return at;
}

enum { ROUNDS = 200, NUMBERS_A_ROUND = NUMBERS / ROUNDS };

/* Takes up to NUMBERS_A_ROUND numbers, so that a fast machine leaves some for the rounds to come;
 * then only the store goes on, with what is open left open. */
static void run_for_ever(struct told *told, uint64_t seed)
{
    enum { OPEN_MAX_HERE = 50 };
    struct {
        uint32_t slot;
        uint64_t n;
    } open[OPEN_MAX_HERE];
    size_t count = 0;
    struct rig rig;
    struct rng rng;
    char id[32];
    uint64_t end = atomic_load(&told->opened) + NUMBERS_A_ROUND;

    rng_init(&rng, seed, 2);
    rig_begin(&rig);
    for (;;) {
        uint64_t n = atomic_load(&told->opened);

        if (n == end) {
            (void)loop_turn(rig.loop, 1);
            continue;
        }
        if (count < OPEN_MAX_HERE && rng_below(&rng, 2) == 0) {
            struct record record = record_of(id, n);
            uint32_t slot = 0;
            atomic_store(&told->opened, n + 1);
            if (store_open(rig.store, &record, &slot)) {
                open[count].slot = slot;
                open[count++].n = n;
                atomic_store(&told->is_open[n], 1);
            }
        } else if (count > 0) {
            size_t i = rng_below(&rng, count);
            struct record record = record_of(id, open[i].n);
            store_finish(rig.store, open[i].slot, &record);
            atomic_store(&told->finished[open[i].n], 1);
            open[i] = open[--count];
        }
        if (rng_below(&rng, 16) == 0) {
            (void)loop_turn(rig.loop, 0);
        }
    }
}

static void store__survives_being_killed_at_any_moment(void **state)
{
    struct told *told = told_new();
    struct rng rng;
    uint64_t crashed = 0;

    (void)state;
    rng_init(&rng, 77, 0);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct timespec time = {.tv_nsec = 1000000 + (long)rng_below(&rng, 12000000)};
        int status = 0;
        uint64_t before = atomic_load(&told->opened);
        pid_t child = fork();

        if (child == 0) {
            run_for_ever(told, round);
        }
        while (round % 4 != 0 &&
               atomic_load(&told->opened) == before) { /* the others while it starts */
            (void)sched_yield();
        }
        (void)nanosleep(&time, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
    }
    struct rig rig;
    rig_begin(&rig);
    rig_end(&rig);
    count_journal(&counted);
    for (uint64_t n = 0; n < atomic_load(&told->opened); n++) {
        int records = counted.finished[n] + counted.crashed[n];

        assert_in_range(records, atomic_load(&told->is_open[n]), 1);
        if (atomic_load(&told->finished[n]) != 0) {
            assert_int_equal(counted.finished[n], 1);
        }
        crashed += counted.crashed[n];
    }
    print_message("%llu records, %llu of them of a crash, %d kills\n",
                  (unsigned long long)counted.lines, (unsigned long long)crashed, ROUNDS);
    assert_true(crashed > ROUNDS / 2);
    (void)munmap(told, sizeof *told);
}

/* ---- questions ---- */

struct asked {
    struct store_question question;
    struct rig *rig;
    bool is_good;
    bool is_done;
};

static void run(struct store_question *question, struct journal_place end)
{
    struct asked *asked = (struct asked *)question;
    struct buf line;
    char id[32];
    struct record record = record_of(id, 5);

    (void)end;
    buf_init(&line, RECORD_LINE_MAX);
    record_put_line(&line, &record);
    asked->is_good = store_append(asked->rig->store, buf_span(&line), &end);
    buf_fini(&line);
}

static void done(struct store_question *question)
{
    ((struct asked *)question)->is_done = true;
}

static void store__answers_questions_on_its_thread_and_tells_on_ours(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    struct asked asked[QUESTIONS_MAX + 1];
    for (size_t i = 0; i <= QUESTIONS_MAX; i++) {
        asked[i] = (struct asked){.question = {.run = run, .done = done}, .rig = &rig};
        if (i < QUESTIONS_MAX) {
            assert_true(store_ask(rig.store, &asked[i].question));
        } else {
            assert_false(store_ask(rig.store, &asked[i].question));
        }
    }
    for (int i = 0; i < 500 && !asked[QUESTIONS_MAX - 1].is_done; i++) {
        (void)loop_turn(rig.loop, 10);
    }
    for (size_t i = 0; i < QUESTIONS_MAX; i++) {
        assert_true(asked[i].is_good && asked[i].is_done);
    }
    rig_end(&rig);
    count_journal(&counted);
    assert_int_equal(counted.finished[5], QUESTIONS_MAX);
}

/* ---- the folder ---- */

static void state_dir__belongs_to_one_process(void **state)
{
    struct state_dir dir = {.lock = -1};
    struct why why;
    int ends[2];
    char byte = 0;
    pid_t child = 0;

    (void)state;
    (void)snprintf(dir.path, sizeof dir.path, "%s/a/b/c", folder);
    assert_int_equal(state_dir_holder(&dir), 0);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        if (state_dir_open(&dir, &why) == ERR_NONE) {
            (void)!write(ends[1], "x", 1);
        }
        for (;;) {
            (void)pause();
        }
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(state_dir_holder(&dir), child);
    assert_int_equal(state_dir_open(&dir, &why), ERR_IN_USE);
    assert_non_null(strstr(why.text, dir.path));
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    assert_int_equal(state_dir_open(&dir, &why), ERR_NONE); /* whatever became of the other one */
    state_dir_close(&dir);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void state_dir__says_what_is_wrong_with_it(void **state)
{
    struct state_dir dir = {.lock = -1};
    struct why why;

    (void)state;
    (void)snprintf(dir.path, sizeof dir.path, "/proc/headgate");
    assert_int_not_equal(state_dir_open(&dir, &why), ERR_NONE);
    assert_non_null(strstr(why.text, "/proc/headgate"));
    assert_non_null(strstr(why.text, "state_dir:"));
}

static void state_dir__that_is_temporary_leaves_nothing(void **state)
{
    struct state_dir dir = {.is_temporary = true, .lock = -1};
    struct rig rig;
    struct why why;

    (void)state;
    (void)snprintf(dir.path, sizeof dir.path, "%s/tmp-XXXXXX", folder);
    assert_int_equal(state_dir_open(&dir, &why), ERR_NONE);
    rig.loop = loop_new(NULL);
    rig.options = options_of(rig.loop);
    rig.options.state_dir = span_of(dir.path);
    begin(&rig);
    finish_one(&rig, 1);
    rig_end(&rig);
    assert_int_equal(access(dir.path, F_OK), 0);
    state_dir_close(&dir);
    assert_int_not_equal(access(dir.path, F_OK), 0);
}

static uint64_t small_size(const char *path)
{
    assert_non_null(strstr(path, "/journal"));
    return 5000;
}

/* At half of what it may have, which a small disk makes less than the settings say. */
static void store__says_when_the_journal_is_large(void **state)
{
    static const struct journal_disk small_disk = {.size = small_size};
    char said[4096] = {0};
    struct rig rig;
    int log = -1;

    (void)state;
    for (int round = 0; round < 3; round++) {
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        log = ends[1];
        rig.loop = loop_new(NULL);
        rig.options = options_of(rig.loop);
        log_free(rig.options.log);
        rig.options.log = log_new(rig.loop, log, LOG_INFO, LOG_TEXT);
        rig.options.journal.max = round == 2 ? 100000000 : 1000000;
        rig.options.disk = round == 2 ? NULL : &small_disk;
        begin(&rig); /* the first time there is nothing yet */
        for (uint64_t i = 0; i < 10; i++) {
            finish_one(&rig, i);
        }
        rig_end(&rig);
        (void)close(log);
        memset(said, 0, sizeof said);
        assert_true(read(ends[0], said, sizeof said - 1) >= 0);
        (void)close(ends[0]);
        assert_int_equal(strstr(said, "may have") != NULL, round == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, folder_set_up, folder_tear_down)
        ON_DISK(store__brings_records_into_the_journal),
        ON_DISK(store__gives_slots_back_for_ever),
        ON_DISK(store__keeps_what_was_open_up_to_its_limit),
        ON_DISK(store__refuses_while_the_disk_is_full_and_loses_nothing),
        ON_DISK(store__keeps_for_the_next_start_what_could_not_be_written),
        ON_DISK(store__that_degrades_counts_what_it_loses),
        ON_DISK(store__survives_being_killed_at_any_moment),
        ON_DISK(store__answers_questions_on_its_thread_and_tells_on_ours),
        ON_DISK(store__has_a_slot_to_finish_in_behind_the_longest_records),
        ON_DISK(store__tells_followers_what_the_lines_say),
        ON_DISK(store__leaves_a_table_only_where_something_is_in_it),
        ON_DISK(store__that_is_idle_leaves_nothing_in_its_slots),
        ON_DISK(store__says_when_the_journal_is_large),
        ON_DISK(state_dir__belongs_to_one_process),
        ON_DISK(state_dir__says_what_is_wrong_with_it),
        ON_DISK(state_dir__that_is_temporary_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
