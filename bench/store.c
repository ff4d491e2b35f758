/* SPDX-License-Identifier: Apache-2.0 */
/* store [records [folder]]; store restart [folder]. The first: what keeping the usage record of one
 * attempt costs the main loop (open, 20 progresses, finish; and the turns in which it hears of the
 * other side), what it costs the store thread, and a line alone. ns of each thread's own processor
 * time per record; the best of some batches counts for the main loop, the mean for the store
 * thread. The folder is one to be written into, /tmp by default. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "proxy/store.h"

enum {
    RECORDS_DEFAULT = 200000,
    BATCH = 256,
    PROGRESSES = 20,
    LINES = 2000,
    OPEN = 100000,
    WRITTEN = 1000000
};

static struct record usual(void)
{
    struct record record;

    record_init(&record);
    record.texts[RECORD_ID] = SPAN_OF("019ac1d0-7c1e-7a3b-9f51-2b6f2f1f0a11-1");
    record.texts[RECORD_SOURCE] = SPAN_OF("headgate");
    record.texts[RECORD_CALL] = SPAN_OF("019ac1d0-7c1e-7a3b-9f51-2b6f2f1f0a11");
    record.texts[RECORD_REQUEST] = SPAN_OF("req-8c1d2e3f4a5b");
    record.texts[RECORD_TRACE] = SPAN_OF("checkout-4711");
    record.numbers[RECORD_AT] = INT64_C(1795187045123);
    record.texts[RECORD_KEY] = SPAN_OF("ci");
    record.texts[RECORD_TEAM] = SPAN_OF("growth");
    record.texts[RECORD_USER] = SPAN_OF("build");
    record.texts[RECORD_TAGS] = SPAN_OF("batch,nightly");
    record.texts[RECORD_ROUTE] = SPAN_OF("smart");
    record.texts[RECORD_PROVIDER] = SPAN_OF("anthropic");
    record.texts[RECORD_MODEL] = SPAN_OF("claude-sonnet-4-5");
    record.texts[RECORD_MODEL_ASKED] = SPAN_OF("smart");
    record.texts[RECORD_DIALECT] = SPAN_OF("anthropic");
    record.texts[RECORD_OPERATION] = SPAN_OF("messages");
    record.numbers[RECORD_STREAM] = 1;
    record.numbers[RECORD_ATTEMPT] = 1;
    record.numbers[RECORD_INPUT_ESTIMATE] = 1180;
    record.numbers[RECORD_BYTES_IN] = 4711;
    return record;
}

static void finish(struct record *record)
{
    record->texts[RECORD_OUTCOME] = SPAN_OF("ok");
    record->texts[RECORD_PHASE] = SPAN_OF("complete");
    record->texts[RECORD_CHARGE] = SPAN_OF("usage");
    record->texts[RECORD_PROVENANCE] = SPAN_OF("provider");
    record->texts[RECORD_PRICE] = SPAN_OF("anthropic/claude-sonnet-4-5@2026-09-29");
    record->texts[RECORD_PRICES] = SPAN_OF("2026-11-20.1");
    record->numbers[RECORD_STATUS] = 200;
    record->numbers[RECORD_UPSTREAM_STATUS] = 200;
    record->numbers[RECORD_OUTPUT_SEEN] = 402;
    record->numbers[RECORD_COST] = INT64_C(9612000000);
    record->numbers[RECORD_CHARGED] = 9612000;
    record->numbers[RECORD_BYTES_OUT] = 19234;
    record->numbers[RECORD_TOTAL_US] = 3411902;
    record->numbers[RECORD_TTFB_US] = 411902;
    record->tokens[TOKENS_INPUT] = 1204;
    record->tokens[TOKENS_OUTPUT] = 400;
    record->raw = SPAN_OF("{\"input_tokens\":1204,\"output_tokens\":400}");
}

static uint64_t clock_ns(clockid_t id)
{
    struct timespec at;

    (void)clock_gettime(id, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

/* ---- a line ---- */

static void measure_line(const struct record *record)
{
    uint64_t best = UINT64_MAX;
    uint64_t sum_best = UINT64_MAX;
    uint32_t sink = 0;
    struct buf out;

    buf_init(&out, 1 << 20);
    for (int batch = 0; batch < 50; batch++) {
        uint64_t from = clock_ns(CLOCK_THREAD_CPUTIME_ID);

        for (int i = 0; i < LINES; i++) {
            buf_clear(&out);
            record_put_line(&out, record);
        }
        from = clock_ns(CLOCK_THREAD_CPUTIME_ID) - from;
        best = from < best ? from : best;
        from = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < LINES; i++) {
            sink += crc32c(buf_span(&out));
        }
        from = clock_ns(CLOCK_THREAD_CPUTIME_ID) - from;
        sum_best = from < sum_best ? from : sum_best;
    }
    printf("a line of %zu bytes %22" PRIu64 " ns, %" PRIu64 " of them its CRC%s\n", out.len,
           best / LINES, sum_best / LINES, sink == 1 ? "!" : "");
    buf_fini(&out);
}

/* ---- the store ---- */

struct sums {
    uint64_t calls_best; /* of a batch */
    uint64_t calls;
    uint64_t turns;
    uint64_t waits; /* turns that waited for the other thread */
};

static void run_batch(struct store *store, const struct record *begun, const struct record *done)
{
    struct inflight_progress progress = {.phase = 1};

    for (int i = 0; i < BATCH; i++) {
        uint32_t slot = 0;

        if (!store_open(store, begun, &slot)) {
            abort();
        }
        for (int event = 0; event < PROGRESSES; event++) {
            progress.output_seen++;
            store_progress(store, slot, &progress);
        }
        store_finish(store, slot, done);
    }
}

static void measure_store(struct loop *loop, struct store *store, uint64_t batches)
{
    struct record begun = usual();
    struct record done = usual();
    struct sums sums = {.calls_best = UINT64_MAX};
    uint64_t all = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t mine = clock_ns(CLOCK_THREAD_CPUTIME_ID);

    finish(&done);
    for (uint64_t i = 0; i < batches; i++) {
        uint64_t from = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        uint64_t until = 0;

        run_batch(store, &begun, &done);
        until = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        sums.calls += until - from;
        sums.calls_best = until - from < sums.calls_best ? until - from : sums.calls_best;
        (void)loop_turn(loop, 0);
        sums.turns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - until;
        while (store_state(store).waiting > 16 * BATCH) {
            (void)loop_turn(loop, 1);
            sums.waits++;
        }
    }
    while (store_state(store).written < batches * BATCH) {
        (void)loop_turn(loop, 1);
    }
    mine = clock_ns(CLOCK_THREAD_CPUTIME_ID) - mine;
    all = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - all;
    printf("main loop, best batch %20" PRIu64 " ns a record\n", sums.calls_best / BATCH);
    printf("main loop, mean %26" PRIu64 " ns, and %" PRIu64 " of its turns\n",
           sums.calls / (batches * BATCH), sums.turns / (batches * BATCH));
    printf("store thread, mean %23" PRIu64 " ns (%" PRIu64 " waits for it)\n",
           (all - mine) / (batches * BATCH), sums.waits);
}

/* ---- a start behind a kill ---- */

static void put_id(struct record *record, char id[48], uint64_t number)
{
    int len = snprintf(id, 48, "019ac1d0-7c1e-7a3b-9f51-%012" PRIu64 "-1", number);

    record->texts[RECORD_ID] = span_make(id, (size_t)len);
}

/* In a process of its own, which dies without a word. */
static void leave_a_mess(struct store_options options)
{
    struct loop *loop = loop_new(NULL);
    struct record record = usual();
    struct store *store = NULL;
    struct why why;
    char id[48];
    uint32_t slot = 0;

    options.loop = loop;
    options.log = log_new(loop, 2, LOG_ERROR, LOG_TEXT);
    if (store_new(&options, &store, &why) != ERR_NONE) {
        _exit(1);
    }
    for (uint64_t i = 0; i < OPEN; i++) {
        put_id(&record, id, i);
        if (!store_open(store, &record, &slot)) {
            _exit(1);
        }
    }
    finish(&record);
    for (uint64_t i = 0; i < WRITTEN; i++) {
        put_id(&record, id, OPEN + i);
        store_put(store, &record);
        while (store_state(store).waiting > 4096) {
            (void)loop_turn(loop, 1);
        }
    }
    while (store_state(store).written < WRITTEN) {
        (void)loop_turn(loop, 1);
    }
    _exit(store_state(store).lost > 0 ? 1 : 0);
}

static uint64_t wall_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static int measure_restart(struct store_options *options)
{
    struct store *store = NULL;
    struct why why;
    int status = 0;
    uint64_t from = 0;
    pid_t child = 0;

    options->calls = OPEN;
    child = fork();
    if (child == 0) {
        leave_a_mess(*options);
    }
    if (waitpid(child, &status, 0) != child || status != 0) {
        return 1;
    }
    for (int start = 0; start < 2; start++) {
        from = wall_ns();
        if (store_new(options, &store, &why) != ERR_NONE) {
            fprintf(stderr, "%s\n", why.text);
            return 1;
        }
        printf("%s %22" PRIu64 " ms\n", start == 0 ? "start behind a kill" : "the next start     ",
               (wall_ns() - from) / 1000000);
        store_free(store, 10000);
    }
    return 0;
}

int main(int argc, char **argv)
{
    bool is_restart = argc > 1 && strcmp(argv[1], "restart") == 0;
    uint64_t records = argc > 1 && !is_restart ? strtoull(argv[1], NULL, 10) : RECORDS_DEFAULT;
    char folder[256];
    struct loop *loop = loop_new(NULL);
    struct store_options options = {.loop = loop, .calls = 10000, .seed = 1};
    struct record record = usual();
    struct store *store = NULL;
    struct why why;
    char command[300];
    uint64_t from = 0;
    int code = 0;

    (void)snprintf(folder, sizeof folder, "%s/headgate-bench-XXXXXX", argc > 2 ? argv[2] : "/tmp");
    if (mkdtemp(folder) == NULL) {
        return 2;
    }
    options.log = log_new(loop, 2, LOG_WARN, LOG_TEXT);
    options.state_dir = span_of(folder);
    options.journal.retention_ms = 3600000;
    from = wall_ns();
    if (is_restart) {
        code = measure_restart(&options);
    } else if (store_new(&options, &store, &why) == ERR_NONE) {
        printf("an empty start %27" PRIu64 " us\n", (wall_ns() - from) / 1000);
        finish(&record);
        measure_line(&record);
        measure_store(loop, store, records / BATCH + 1);
        store_free(store, 10000);
    } else {
        fprintf(stderr, "%s\n", why.text);
        code = 1;
    }
    log_free(options.log);
    loop_free(loop);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0 || code != 0;
}
