/* SPDX-License-Identifier: Apache-2.0 */
/* The file of the index: what is deleted, damaged or killed comes back the same, and what is read
 * twice counts once. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/rng.h"
#include "proxy/loop.h"
#include "tests/contract/index_world.h"

/* ---- what happens to the file ---- */

static void dump_table(sqlite3 *base, const char *table, struct buf *out)
{
    char sql[128];
    sqlite3_stmt *statement = NULL;

    (void)snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1,2,3,4,5,6", table);
    if (strcmp(table, "names") == 0) {
        (void)snprintf(sql, sizeof sql, "SELECT * FROM names ORDER BY 1");
    }
    if (strcmp(table, "rollups") == 0) {
        (void)snprintf(sql, sizeof sql, "SELECT hex(\"key\"),hex(sums) FROM rollups ORDER BY 1");
    }
    if (strcmp(table, "units") == 0 || strcmp(table, "reported") == 0) {
        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1,2", table);
    }
    if (strcmp(table, "state") == 0) {
        (void)snprintf(sql, sizeof sql, "SELECT * FROM state");
    }
    assert_int_equal(sqlite3_prepare_v2(base, sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        buf_put_text(out, table);
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            buf_put_char(out, ' ');
            buf_put_text(out, (const char *)sqlite3_column_text(statement, i));
        }
        buf_put_char(out, '\n');
    }
    (void)sqlite3_finalize(statement);
}

static void dump(struct buf *out)
{
    static const char *const tables[] = {"names",    "rollups", "units",
                                         "reported", "batches", "state"};
    char path[128];
    sqlite3 *base = NULL;

    (void)snprintf(path, sizeof path, "%s/usage.sqlite", folder);
    buf_init(out, 256 << 20);
    assert_int_equal(sqlite3_open(path, &base), SQLITE_OK);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        size_t before = out->len;

        dump_table(base, tables[i], out);
        assert_true(out->len > before);
    }
    assert_int_equal(sqlite3_close(base), SQLITE_OK);
}

static void expect_same(struct buf *a, struct buf *b)
{
    assert_false(a->failed || b->failed);
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->at, b->at, a->len);
}

static void index__built_again_is_the_same(void **state)
{
    struct buf before, after;
    struct index *index = NULL;

    (void)state;
    /* In pieces, each with its own batches. */
    for (uint64_t i = 0; i < RECORDS; i += 500) {
        append(i, 500);
        index = followed();
        index_free(index);
    }
    dump(&before);
    shell("rm \"$D\"/usage.sqlite*");
    index_free(followed());
    dump(&after);
    expect_same(&before, &after);
    buf_fini(&before);
    buf_fini(&after);
}

static void damaged_index__is_set_aside_and_built_again(void **state)
{
    static const char *const damages[] = {
        "echo this is no database, however long one looks at it > \"$D/usage.sqlite\"",
        "printf 'xxxxxxxxxxxx' | dd of=\"$D/usage.sqlite\" bs=1 seek=10 conv=notrunc 2>/dev/null",
        "head -c 20000 /dev/urandom | dd of=\"$D/usage.sqlite\" bs=4096 seek=0 conv=notrunc "
        "2>/dev/null",
        "rm \"$D\"/journal/*", /* the index is ahead then */
    };
    struct buf before, after;
    struct why why;

    (void)state;
    append(0, 3000);
    index_free(followed());
    dump(&before);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        struct index *index = NULL;
        char aside[128];

        shell(damages[i]);
        if (i == 3) {
            append(0, 10);
        }
        index = open_index(&why);
        assert_string_not_equal(why.text, "");
        catch_up(index);
        index_free(index);
        (void)snprintf(aside, sizeof aside, "%s/usage.sqlite.aside", folder);
        assert_int_equal(access(aside, F_OK), 0);
        if (i < 3) {
            dump(&after);
            expect_same(&before, &after);
            buf_fini(&after);
        }
    }
    buf_fini(&before);
}

/* What lies in the middle of the file is only found when it is needed. */
static void damage_inside__is_found_and_built_again(void **state)
{
    struct buf before, after, out;
    struct index *index = NULL;
    struct why why;

    (void)state;
    append(0, 3000);
    index_free(followed());
    dump(&before);
    shell("head -c 400000 /dev/urandom | dd of=\"$D/usage.sqlite\" bs=4096 seek=8 conv=notrunc "
          "2>/dev/null");
    index = open_index(&why);
    buf_init(&out, OUT_MAX);
    assert_int_equal(ask(index, QUERY_SUMMARY, "from=2026-01-01", &out, &why), ERR_SYSTEM);
    while (index_step(index, (struct journal_place){UINT64_MAX, UINT64_MAX})) {
    }
    assert_true(index_trouble(index, &why)); /* that it was set aside */
    index_free(index);
    dump(&after);
    expect_same(&before, &after);
    buf_fini(&before);
    buf_fini(&after);
    buf_fini(&out);
}

/* ---- on a loop ---- */

/* It is opened a little later, so that the process begins sooner. */
static struct index *begun_on(struct loop *loop)
{
    struct index_options options = {.folder = span_of(folder),
                                    .journal = span_of(journal_folder),
                                    .loop = loop,
                                    .seed = {1, 2}};
    struct index *index = NULL;
    struct why why;

    assert_int_equal(index_open(&options, &index, &why), ERR_NONE);
    return index;
}

static struct index *on_loop(struct loop *loop)
{
    struct index *index = begun_on(loop);

    for (int i = 0; i < 500 && !index_is_open(index); i++) {
        (void)index_step(index, (struct journal_place){1, 0});
        (void)loop_turn(loop, 5);
    }
    assert_true(index_is_open(index));
    return index;
}

static bool has_committed(struct loop *loop, struct follower *follower)
{
    for (int i = 0; i < 500; i++) {
        if (follower->ops->cursor(follower->to).segment > 0) {
            return true;
        }
        (void)loop_turn(loop, 20);
    }
    return false;
}

static const struct journal_place everything = {UINT64_MAX, UINT64_MAX};

static void batch__waits_for_more_and_not_for_ever(void **state)
{
    struct loop *loop = loop_new(NULL);
    struct follower follower;

    (void)state;
    append(0, 100);
    follower = index_follower(on_loop(loop));
    assert_false(follower.ops->step(follower.to, everything));
    assert_int_equal(follower.ops->cursor(follower.to).segment, 0);
    assert_true(has_committed(loop, &follower));
    append(100, 5000); /* more than a batch: the first one does not wait */
    while (follower.ops->step(follower.to, everything)) {
    }
    assert_true(follower.ops->cursor(follower.to).offset > 1000000);
    follower.ops->finish(follower.to, 100);
    assert_int_equal(
        journal_place_compare(follower.ops->cursor(follower.to), index_place(follower.to)), 0);
    follower.ops->free(follower.to);
    loop_free(loop);
}

/* Nobody else's lock costs a line or a long wait. */
static void commit_that_fails__is_made_again(void **state)
{
    struct loop *loop = loop_new(NULL);
    struct follower follower;
    struct buf before, after;
    sqlite3 *base = NULL;
    struct why why;
    char path[128];

    (void)state;
    append(0, 4500);
    follower = index_follower(on_loop(loop));
    (void)snprintf(path, sizeof path, "%s/usage.sqlite", folder);
    assert_int_equal(sqlite3_open(path, &base), SQLITE_OK);
    assert_int_equal(sqlite3_exec(base, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    while (follower.ops->step(follower.to, everything)) {
    }
    assert_int_equal(follower.ops->cursor(follower.to).segment, 0);
    assert_true(index_trouble(follower.to, &why));
    assert_non_null(strstr(why.text, "locked"));
    assert_int_equal(sqlite3_close(base), SQLITE_OK);
    assert_true(has_committed(loop, &follower));
    follower.ops->finish(follower.to, 100);
    follower.ops->free(follower.to);
    loop_free(loop);
    index_free(followed());
    dump(&before);
    shell("rm \"$D\"/usage.sqlite*");
    index_free(followed());
    dump(&after);
    expect_same(&before, &after);
    buf_fini(&before);
    buf_fini(&after);
}

static wall_ms wall_later;
static mono_ms mono_later;

static mono_ms mono_of(void *to)
{
    (void)to;
    return mono_later += 10;
}

static wall_ms wall_of(void *to)
{
    (void)to;
    return wall_later;
}

static void entropy_none(void *to, void *bytes, size_t count)
{
    (void)to;
    memset(bytes, 7, count);
}

static void old_rows__are_deleted(void **state)
{
    static const struct {
        int days;
        bool has_unit;
        bool has_sums;
    } cases[] = {{80, true, true}, {100, false, true}, {410, false, false}};
    const struct loop_world world = {mono_of, wall_of, entropy_none, NULL};
    struct buf out;
    struct why why;

    (void)state;
    append(0, 500);
    buf_init(&out, OUT_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loop *loop = NULL;
        struct index *index = NULL;

        wall_later = SEED_T0 + INT64_C(86400000) * cases[i].days;
        loop = loop_new(&world);
        index = on_loop(loop);
        while (index_step(index, everything)) {
        }
        assert_true(index_commit(index, &why));
        buf_clear(&out);
        assert_int_equal(ask(index, QUERY_TRACE, "id=unit-1", &out, &why),
                         cases[i].has_unit ? ERR_NONE : ERR_MISSING);
        assert_int_equal(ask(index, QUERY_SUMMARY, "from=2026-01-01", &out, &why), ERR_NONE);
        assert_int_equal(contains(&out, "\"total\":{\"records\":500,"), cases[i].has_sums);
        assert_int_equal(contains(&out, "\"total\":{\"records\":0,"), !cases[i].has_sums);
        index_free(index);
        loop_free(loop);
        shell("rm \"$D\"/usage.sqlite*");
    }
    buf_fini(&out);
}

/* Two that follow at once do not count twice. */
static void two_followers__count_once(void **state)
{
    struct buf before, after;
    struct index *one = NULL;
    struct index *other = NULL;
    struct why why;

    (void)state;
    append(0, 50);
    one = followed();
    other = followed();
    append(50, 5000);
    catch_up(one);
    while (index_step(other, (struct journal_place){UINT64_MAX, UINT64_MAX})) {
    }
    assert_true(index_trouble(other, &why));
    catch_up(other);
    append(5050, 900);
    catch_up(other);
    index_free(one);
    index_free(other);
    dump(&before);
    shell("rm \"$D\"/usage.sqlite*");
    index_free(followed());
    dump(&after);
    expect_same(&before, &after);
    buf_fini(&before);
    buf_fini(&after);
}

static void bad_lines__are_counted_and_passed_over(void **state)
{
    struct journal_place last;
    struct index *index = NULL;
    struct buf out;
    struct why why;

    (void)state;
    append(0, 5);
    shell("for f in \"$D\"/journal/*; do sed -i '3s/key-/kex-/' $f; "
          "echo '{\"half\":' >> $f; done");
    append(5, 5);
    index = followed();
    assert_true(index_broken(index, &last) >= 1);
    buf_init(&out, OUT_MAX);
    assert_int_equal(ask(index, QUERY_SUMMARY, "from=2026-01-01", &out, &why), ERR_NONE);
    assert_true(contains(&out, "\"total\":{\"records\":9,"));
    buf_fini(&out);
    index_free(index);
}

static void reported_records__count_once(void **state)
{
    struct index *index = NULL;
    struct buf out;
    struct why why;

    (void)state;
    all[0].record.texts[RECORD_SOURCE] = SPAN_OF("night-job");
    all[0].record.texts[RECORD_ID] = SPAN_OF("job-1");
    append(0, 1);
    append(0, 1);
    index = followed();
    append(0, 1);
    assert_true(index_catch_up(index, (struct journal_place){UINT64_MAX, UINT64_MAX}));
    assert_true(index_has_reported(index, SPAN_OF("night-job"), SPAN_OF("job-1")));
    assert_false(index_has_reported(index, SPAN_OF("night-job"), SPAN_OF("job-2")));
    assert_false(index_has_reported(index, SPAN_OF("other"), SPAN_OF("job-1")));
    buf_init(&out, OUT_MAX);
    assert_int_equal(ask(index, QUERY_SUMMARY, "from=2026-01-01", &out, &why), ERR_NONE);
    assert_true(contains(&out, "\"total\":{\"records\":1,"));
    buf_fini(&out);
    index_free(index);
    seed_record(&all[0], 0, STEP_MS);
}

/* A process that follows all there is. */
static pid_t follow_apart(void)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        index_free(followed());
        _exit(0);
    }
    return child;
}

static long now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)(now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

/* Where no line was ever written there is no file either, until somebody asks. */
static void no_line__no_file(void **state)
{
    struct loop *loop = loop_new(NULL);
    struct index *index = begun_on(loop);
    struct query query;
    struct buf out;
    struct why why;

    (void)state;
    for (mono_ms until = mono_add(loop_now(loop), 3 * INDEX_OPEN_MS); loop_now(loop) < until;) {
        assert_false(index_step(index, (struct journal_place){0, 0}));
        (void)loop_turn(loop, 5);
    }
    assert_false(index_is_open(index));
    query_init(&query, QUERY_SUMMARY);
    buf_init(&out, 1 << 20);
    assert_int_equal(usage_answer(index, &query, 0, &out, &why), ERR_NONE);
    assert_true(index_is_open(index));
    buf_fini(&out);
    index_free(index);
    loop_free(loop);
}

/* A follower that is killed wherever it stands, again and again, counts each line once. How long it
 * takes differs from machine to machine and from minute to minute, so the wait seeks itself:
 * shorter after one that came too late, a little longer after one that hit. */
static void killed_follower__loses_and_doubles_nothing(void **state)
{
    struct buf before, after;
    struct rng rng;
    long whole = 0;
    int killed = 0;

    (void)state;
    rng_init(&rng, (uint64_t)getpid(), 1);
    for (uint64_t i = 0; i < 200; i++) {
        long began = 0;
        int status = 0;
        pid_t child = 0;

        append(i * 30, 30);
        began = now_us();
        child = follow_apart();
        if (i >= 5) { /* the first ones tell how long it takes */
            long wait = (long)rng_below(&rng, (uint64_t)whole * 1000 + 1);
            const struct timespec pause = {wait / 1000000000, wait % 1000000000};

            (void)nanosleep(&pause, NULL);
            (void)kill(child, SIGKILL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        killed += WIFSIGNALED(status);
        whole = i < 5 ? now_us() - began : whole + (WIFSIGNALED(status) ? whole / 16 : -whole / 8);
    }
    assert_true(killed > 40);
    index_free(followed());
    dump(&before);
    shell("rm \"$D\"/usage.sqlite*");
    index_free(followed());
    dump(&after);
    expect_same(&before, &after);
    buf_fini(&before);
    buf_fini(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(index__built_again_is_the_same),
        STORY(damaged_index__is_set_aside_and_built_again),
        STORY(damage_inside__is_found_and_built_again),
        STORY(batch__waits_for_more_and_not_for_ever),
        STORY(commit_that_fails__is_made_again),
        STORY(old_rows__are_deleted),
        STORY(two_followers__count_once),
        STORY(bad_lines__are_counted_and_passed_over),
        STORY(reported_records__count_once),
        STORY(no_line__no_file),
        STORY(killed_follower__loses_and_doubles_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
