/* SPDX-License-Identifier: Apache-2.0 */
/* ledger [calls]: what budgets cost a call, without sockets: its chain, hold and settle in the embedded
 * ledger, and the bound of what it may cost. ns of the processor's time per call; the clock is read
 * around a batch of calls, and the best of many batches counts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "enforcement/ledger_memory.h"
#include "pricing/chat_count.h"
#include "router/bound.h"
#include "wire/provider.h"

enum { BATCHES = 50, CALLS_DEFAULT = 5000, KEYS_MAX = 10000, NAME_ROOM = 16 };

struct bench {
    struct ledger *ledger;
    struct budget list[8];
    struct budgets budgets;
    uint32_t keys;
    char names[KEYS_MAX][NAME_ROOM];
    wall_ms now;
    uint64_t n;
    uint64_t sink;
    struct buf body;
    struct request request;
    struct book book;
    struct provider provider;
    struct target target;
};

typedef void bench_fn(struct bench *bench);

static void hold_and_settle(struct bench *bench)
{
    const char *key = bench->names[bench->n++ % bench->keys];
    struct subject subject = {.values = {[SCOPE_TEAM] = SPAN("growth"),
                                         [SCOPE_KEY] = span_of(key),
                                         [SCOPE_MODEL] = SPAN("gpt-5.4-mini"),
                                         [SCOPE_PROVIDER] = SPAN("openai"),
                                         [SCOPE_ROUTE] = SPAN("smart")}};
    struct chain chain;
    struct hold_request request = {.call_id = bench->n,
                                   .attempt = 1,
                                   .record_id = SPAN_OF("01jdbench00000000000000000-1"),
                                   .team = SPAN_OF("growth"),
                                   .chain = &chain,
                                   .amounts = {{5000, 1500, 1}},
                                   .now = bench->now};
    struct amounts actual = {{1000, 400, 1}};
    struct hold_answer answer;
    uint64_t ticket = 0;

    chain_make(&bench->budgets, &subject, &chain);
    if (ledger_memory_ops.hold(bench->ledger, &request, &ticket, &answer) && ticket != 0) {
        ledger_memory_ops.settle(bench->ledger, ticket, &actual);
    }
    bench->sink += ticket;
}

static void bound(struct bench *bench)
{
    struct quote_request quoted;
    struct chat_counter counter;
    struct chat_count count = {.tokens = 0};
    struct bound_ask ask = {.quote = {.request = &quoted,
                                      .prices = &bench->book,
                                      .model = SPAN("gpt-5.4-mini"),
                                      .at = bench->now},
                            .target = &bench->target,
                            .is_strict = true};
    struct bound bound;

    if (bench->request.is_plain) {
        quote_read_plain(buf_span(&bench->body), &bench->request, &quoted);
        bound_make(&ask, &bound);
        bench->sink += (uint64_t)bound.output;
        return;
    }
    quote_read(buf_span(&bench->body), &bench->request, &quoted);
    chat_counter_init(&counter, NULL, NULL, NULL);
    bench->sink += chat_count(&counter, COUNT_CHAT, SPAN_OF("gpt-5.4-mini"),
                              buf_span(&bench->body), &count) == ERR_NONE;
    chat_counter_fini(&counter);
    ask.counts.count = count;
    bound_make(&ask, &bound);
    bench->sink += (uint64_t)bound.output;
}

static uint64_t nanos(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t measure(struct bench *bench, bench_fn *fn, uint64_t calls)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < BATCHES; i++) {
        uint64_t from = nanos();
        for (uint64_t n = 0; n < calls; n++) {
            fn(bench);
        }
        from = (nanos() - from) / calls;
        best = from < best ? from : best;
        bench->now++;
    }
    return best;
}

static void open_ledger(struct bench *bench, size_t links, bool is_rolling)
{
    static const enum scope_kind kinds[] = {SCOPE_KEY,   SCOPE_TEAM,     SCOPE_GLOBAL, SCOPE_MODEL,
                                            SCOPE_ROUTE, SCOPE_PROVIDER, SCOPE_KEY,    SCOPE_TEAM};
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    static const uint64_t seed[2] = {1, 2};
    struct ledger_ears ears = {.to = NULL};

    for (size_t i = 0; i < links; i++) {
        bench->list[i] = (struct budget){
            .name = span_of(names[i]),
            .scope = {.kind = kinds[i]},
            .limit = BUDGET_MONEY_MAX,
            .window = {.kind = is_rolling ? WINDOW_ROLLING : i < 6 ? WINDOW_DAY : WINDOW_MONTH,
                       .length_ms = 86400000}};
    }
    bench->budgets = (struct budgets){.list = bench->list, .count = links, .enforces = true};
    bench->ledger = ledger_memory_new(&ears, seed);
    if (bench->ledger == NULL) {
        exit(1);
    }
}

static void make_body(struct bench *bench, size_t size)
{
    buf_init(&bench->body, size + 512);
    buf_put_text(&bench->body, "{\"model\":\"gpt-5.4-mini\",\"max_tokens\":500,\"messages\":["
                               "{\"role\":\"system\",\"content\":\"You are brief.\"},"
                               "{\"role\":\"user\",\"content\":\"");
    while (bench->body.len < size) {
        buf_put_text(&bench->body, "Tell me something about canals and their gates. ");
    }
    buf_put_text(&bench->body, "\"}]}");
    bench->request = (struct request){
        .dialect = dialect_by_name(SPAN_OF("openai")), .output_cap = 500, .answers = 1};
    bench->request.operation = bench->request.dialect->operations;
}

int main(int argc, char **argv)
{
    static struct bench bench = {.now = 1795953600000};
    static const size_t links[] = {1, 3, 8};
    static const size_t sizes[] = {1000, 64000};
    uint64_t calls = argc > 1 ? strtoull(argv[1], NULL, 10) : CALLS_DEFAULT;

    for (uint32_t i = 0; i < KEYS_MAX; i++) {
        (void)snprintf(bench.names[i], NAME_ROOM, "key-%u", i);
    }
    printf("ns per call      budgets      1 key   10000 keys    rolling\n");
    for (size_t i = 0; i < sizeof links / sizeof *links && calls > 0; i++) {
        uint64_t ns[3];

        for (int row = 0; row < 3; row++) {
            bench.keys = row == 1 ? KEYS_MAX : 1;
            open_ledger(&bench, links[i], row == 2);
            ns[row] = measure(&bench, hold_and_settle, calls);
            ledger_memory_free(bench.ledger);
        }
        printf("hold and settle  %7zu %10" PRIu64 " %12" PRIu64 " %10" PRIu64 "\n", links[i], ns[0],
               ns[1], ns[2]);
    }
    bench.target.provider = &bench.provider;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        make_body(&bench, sizes[i]);
        for (int plain = 1; plain >= 0; plain--) {
            bench.request.is_plain = plain == 1;
            printf("bound of %5zu bytes, %-10s %10" PRIu64 "\n", sizes[i],
                   plain == 1 ? "plain" : "looked at", measure(&bench, bound, calls / (i * 20 + 1)));
        }
        buf_fini(&bench.body);
    }
    return bench.sink == 0 ? 1 : 0;
}
