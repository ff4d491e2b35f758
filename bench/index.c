/* SPDX-License-Identifier: Apache-2.0 */
/* bench_index [RECORDS [FOLDER]]: what the index of the journal costs per record, and how long its
 * answers take. The records are spread over 30 days, 50 keys, 9 users each, 3 providers, 4 models.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/rng.h"
#include "proxy/index.h"
#include "usage/record.h"

#define T0     INT64_C(1793000000000)
#define DAYS30 INT64_C(2592000000)

static long long wall_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static long long cpu_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_index: %s: %s\n", what, why);
    exit(1);
}

static void make_record(struct record *record, unsigned long long n, unsigned long long count)
{
    static char id[48], call[48], key[16], user[16];
    static const char *const providers[] = {"openai", "anthropic", "local"};
    static const char *const models[] = {"gpt-5.4", "gpt-5.4-mini", "claude-sonnet-4-5", "qwen3"};
    struct rng rng;
    unsigned k = 0;

    rng_init(&rng, 3, n);
    record_init(record);
    k = (unsigned)rng_below(&rng, 50);
    (void)snprintf(call, sizeof call, "01979d5e-0000-7000-8000-%012llu", n);
    (void)snprintf(id, sizeof id, "%s-1", call);
    (void)snprintf(key, sizeof key, "key-%u", k);
    (void)snprintf(user, sizeof user, "user-%u-%u", k, (unsigned)rng_below(&rng, 9));
    record->texts[RECORD_ID] = span_of(id);
    record->texts[RECORD_CALL] = span_of(call);
    record->texts[RECORD_SOURCE] = SPAN_OF("headgate");
    record->texts[RECORD_KEY] = span_of(n == count / 2 ? "rare" : key);
    record->texts[RECORD_TEAM] = k % 2 == 0 ? SPAN_OF("growth") : SPAN_OF("core");
    record->texts[RECORD_USER] = span_of(user);
    record->texts[RECORD_ROUTE] = SPAN_OF("smart");
    record->texts[RECORD_PROVIDER] = span_of(providers[rng_below(&rng, 3)]);
    record->texts[RECORD_MODEL] = span_of(models[rng_below(&rng, 4)]);
    record->texts[RECORD_DIALECT] = SPAN_OF("openai");
    record->texts[RECORD_OPERATION] = SPAN_OF("chat");
    record->texts[RECORD_OUTCOME] = SPAN_OF("ok");
    record->texts[RECORD_PHASE] = SPAN_OF("complete");
    record->texts[RECORD_CHARGE] = SPAN_OF("complete");
    record->texts[RECORD_PROVENANCE] = SPAN_OF("provider");
    record->texts[RECORD_PRICE] = SPAN_OF("openai/gpt-5.4@2026-01-01");
    record->numbers[RECORD_AT] = T0 + (int64_t)(n * (unsigned long long)DAYS30 / count);
    record->numbers[RECORD_ATTEMPT] = 1;
    record->numbers[RECORD_STATUS] = 200;
    record->numbers[RECORD_UPSTREAM_STATUS] = 200;
    record->numbers[RECORD_COST] = (int64_t)rng_below(&rng, 90000000000);
    record->numbers[RECORD_CHARGED] = (record->numbers[RECORD_COST] + 999) / 1000;
    record->numbers[RECORD_BYTES_IN] = 1800;
    record->numbers[RECORD_BYTES_OUT] = 2500;
    record->numbers[RECORD_TOTAL_US] = (int64_t)rng_below(&rng, 3000000);
    record->tokens[TOKENS_INPUT] = (int64_t)rng_below(&rng, 5000);
    record->tokens[TOKENS_CACHE_READ] = 1024;
    record->tokens[TOKENS_OUTPUT] = (int64_t)rng_below(&rng, 900);
}

static void write_journal(const char *folder, unsigned long long count)
{
    struct journal_rules rules = {.retention_ms = 1000000000000};
    struct journal *journal = NULL;
    struct journal_place at;
    struct record record;
    struct buf lines;
    struct why why;

    buf_init(&lines, 4 << 20);
    if (journal_open(span_of(folder), &rules, NULL, &journal, &why) != ERR_NONE) {
        fail("journal", why.text);
    }
    for (unsigned long long n = 0; n < count; n++) {
        make_record(&record, n, count);
        record_put_line(&lines, &record);
        if (lines.len > 1 << 20 || n + 1 == count) {
            if (!journal_append(journal, buf_span(&lines), T0, &at, &why)) {
                fail("append", why.text);
            }
            buf_clear(&lines);
        }
    }
    journal_close(journal);
    buf_fini(&lines);
}

static void ask(struct index *index, enum query_kind kind, const char *url)
{
    long long wall = wall_us();
    long long cpu = cpu_us();
    struct query query;
    struct buf decoded;
    struct buf out;
    struct why why;

    buf_init(&decoded, 4096);
    buf_init(&out, INDEX_ANSWER_MAX);
    query_init(&query, kind);
    if (query_read_url(&query, span_of(url), &decoded, &why) != ERR_NONE ||
        usage_answer(index, &query, T0 + DAYS30, &out, &why) != ERR_NONE) {
        fail(url, why.text);
    }
    (void)printf("%-8.*s %-34s %8lld ms wall %8lld ms cpu  %zu bytes\n",
                 SPAN_ARGS(query_kind_names[kind]), url, (wall_us() - wall) / 1000,
                 (cpu_us() - cpu) / 1000, out.len);
    buf_fini(&out);
    buf_fini(&decoded);
}

int main(int argc, char **argv)
{
    unsigned long long count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    char folder[256] = "/tmp/headgate-bench-XXXXXX";
    char journal[300];
    char path[300];
    struct index *index = NULL;
    struct rusage usage;
    struct stat file;
    struct why why;
    long long wall = 0;
    long long cpu = 0;

    if (argc > 2) {
        (void)snprintf(folder, sizeof folder, "%s", argv[2]);
    } else if (mkdtemp(folder) == NULL) {
        fail("folder", "cannot be made");
    }
    (void)snprintf(journal, sizeof journal, "%s/journal", folder);
    (void)snprintf(path, sizeof path, "%s/usage.sqlite", folder);
    if (access(journal, F_OK) != 0) {
        write_journal(journal, count);
    }
    (void)unlink(path);
    struct index_options options = {
        .folder = span_of(folder), .journal = span_of(journal), .seed = {1, 2}};
    wall = wall_us();
    cpu = cpu_us();
    if (index_open(&options, &index, &why) != ERR_NONE) {
        fail("open", why.text);
    }
    while (index_step(index, (struct journal_place){UINT64_MAX, UINT64_MAX})) {
    }
    if (index_trouble(index, &why)) {
        fail("follow", why.text);
    }
    cpu = cpu_us() - cpu;
    wall = wall_us() - wall;
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)stat(path, &file);
    (void)printf("%llu records in %lld ms, cpu %lld.%02lld us each, file %lld KiB, rss %ld KiB\n",
                 count, wall / 1000, cpu / (long long)count, cpu * 100 / (long long)count % 100,
                 (long long)file.st_size / 1024, usage.ru_maxrss);
    ask(index, QUERY_DAILY, "from=30d");
    ask(index, QUERY_DAILY, "from=30d&zone=Europe/Berlin");
    ask(index, QUERY_DAILY, "from=30d&by=key");
    ask(index, QUERY_SUMMARY, "from=30d&by=key");
    ask(index, QUERY_SUMMARY, "from=30d&by=user,model");
    ask(index, QUERY_HISTORY, "from=24h");
    ask(index, QUERY_CALLS, "");
    ask(index, QUERY_CALLS, "key=rare");
    ask(index, QUERY_CALLS, "user=user-7-3&model=qwen3");
    ask(index, QUERY_CALLS, "provenance=estimated");
    index_free(index);
    if (argc <= 2) {
        char command[320];

        (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
        return system(command);
    }
    return 0;
}
