/* SPDX-License-Identifier: Apache-2.0 */
/* bench_store [RECORDS]: what a usage record costs the loop that serves calls (open, three steps of
 * progress, finish), and what it costs the store thread to bring it into the journal and the index.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "proxy/index.h"
#include "proxy/store.h"

enum { RECORDS = 300000, OPEN_MAX = 64 };

static long long nanos(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void fill(struct record *record, char id[48], unsigned long long n)
{
    record_init(record);
    (void)snprintf(id, 48, "01kb5v2y0k3m5n7p9q%08llu-1", n);
    record->texts[RECORD_ID] = span_of(id);
    record->texts[RECORD_CALL] = span_make(id, strlen(id) - 2);
    record->texts[RECORD_SOURCE] = SPAN_OF("headgate");
    record->texts[RECORD_REQUEST] = SPAN_OF("req-5d1c0240");
    record->texts[RECORD_TASK] = SPAN_OF("draft");
    record->texts[RECORD_ROUTE] = SPAN_OF("smart");
    record->texts[RECORD_PROVIDER] = SPAN_OF("openai");
    record->texts[RECORD_MODEL] = SPAN_OF("gpt-5.4-mini");
    record->texts[RECORD_DIALECT] = SPAN_OF("openai");
    record->texts[RECORD_OPERATION] = SPAN_OF("chat");
    record->numbers[RECORD_AT] = 1795000000000 + (int64_t)(n / 100);
    record->numbers[RECORD_STREAM] = 1;
    record->numbers[RECORD_ATTEMPT] = 1;
    record->numbers[RECORD_BYTES_IN] = 1024;
    record->numbers[RECORD_INPUT_ESTIMATE] = 256;
}

static void finish(struct record *record)
{
    record->texts[RECORD_OUTCOME] = SPAN_OF("ok");
    record->texts[RECORD_PHASE] = SPAN_OF("complete");
    record->texts[RECORD_CHARGE] = SPAN_OF("complete");
    record->texts[RECORD_PROVENANCE] = SPAN_OF("provider");
    record->texts[RECORD_PRICE] = SPAN_OF("openai/gpt-5.4-mini@");
    record->texts[RECORD_PRICES] = SPAN_OF("2026-11-20+538c1fae3666");
    record->numbers[RECORD_STATUS] = 200;
    record->numbers[RECORD_UPSTREAM_STATUS] = 200;
    record->numbers[RECORD_COST] = 742500000;
    record->numbers[RECORD_CHARGED] = 742500;
    record->numbers[RECORD_TOTAL_US] = 1234567;
    record->tokens[TOKENS_INPUT] = 240;
    record->tokens[TOKENS_OUTPUT] = 480;
}

static struct index *index_made;
static char journal_path[4200];
static char state[] = "/tmp/headgate-bench-XXXXXX";

static size_t make_followers(void *to, struct loop *store_loop, struct follower *followers)
{
    struct index_options options = {.folder = span_of(state),
                                    .journal = span_of(journal_path),
                                    .loop = store_loop,
                                    .seed = {1, 2}};
    struct why why;

    (void)to;
    if (index_open(&options, &index_made, &why) != ERR_NONE) {
        return 0;
    }
    followers[0] = index_follower(index_made);
    return 1;
}

int main(int argc, char **argv)
{
    unsigned long long records = argc > 1 ? strtoull(argv[1], NULL, 10) : RECORDS;
    struct loop *loop = loop_new(NULL);
    struct store_options options = {.loop = loop,
                                    .log = log_new(loop, STDERR_FILENO, LOG_ERROR, LOG_TEXT),
                                    .calls = 10000,
                                    .seed = 3,
                                    .journal = {.retention_ms = 3600000},
                                    .make_followers = make_followers};
    struct store *store = NULL;
    struct why why;
    long long loop_ns = 0;
    long long all_ns = 0;
    char command[128];

    if (mkdtemp(state) == NULL) {
        return 1;
    }
    (void)snprintf(journal_path, sizeof journal_path, "%s/journal", state);
    options.state_dir = span_of(state);
    if (store_new(&options, &store, &why) != ERR_NONE) {
        (void)fprintf(stderr, "bench_store: %s\n", why.text);
        return 1;
    }
    long long own_ns = nanos(CLOCK_THREAD_CPUTIME_ID);
    all_ns = nanos(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned long long n = 0; n < records;) {
        char ids[OPEN_MAX][48];
        struct record made[OPEN_MAX];
        uint32_t slots[OPEN_MAX];
        size_t count = 0;
        long long from = 0;

        for (; count < OPEN_MAX; count++) {
            fill(&made[count], ids[count], n + count);
        }
        from = nanos(CLOCK_THREAD_CPUTIME_ID);
        for (count = 0; count < OPEN_MAX; count++) {
            if (!store_open(store, &made[count], &slots[count])) {
                break; /* the other thread is behind */
            }
            for (unsigned step = 1; step <= 3; step++) {
                struct inflight_progress progress = {.output_seen = step, .bytes = step * 200};
                store_progress(store, slots[count], &progress);
            }
        }
        loop_ns += nanos(CLOCK_THREAD_CPUTIME_ID) - from;
        for (size_t i = 0; i < count; i++) {
            finish(&made[i]);
        }
        from = nanos(CLOCK_THREAD_CPUTIME_ID);
        for (size_t i = 0; i < count; i++) {
            store_finish(store, slots[i], &made[i]);
        }
        loop_ns += nanos(CLOCK_THREAD_CPUTIME_ID) - from;
        n += count;
        if (count < OPEN_MAX) {
            (void)loop_turn(loop, 1);
        }
    }
    own_ns = nanos(CLOCK_THREAD_CPUTIME_ID) - own_ns;
    store_free(store, 60000);
    all_ns = nanos(CLOCK_PROCESS_CPUTIME_ID) - all_ns;
    printf("loop: %lld ns a record\nstore thread, journal and index: %lld ns a record\n",
           loop_ns / (long long)records, (all_ns - own_ns) / (long long)records);
    log_free(options.log);
    loop_free(loop);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", state);
    return system(command);
}
