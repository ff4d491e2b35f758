/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/usage_seed.h"

#include <stdio.h>

#include "base/rng.h"

static void set(struct seeded *seeded, enum record_text which, const char *before,
                unsigned long long number)
{
    (void)snprintf(seeded->texts[which], sizeof seeded->texts[which], "%s%llu%s", before, number,
                   which == RECORD_ID ? "-1" : "");
    seeded->record.texts[which] = span_of(seeded->texts[which]);
}

static void pick(struct seeded *seeded, enum record_text which, const char *const *words,
                 size_t count, struct rng *rng)
{
    seeded->record.texts[which] = span_of(words[rng_below(rng, count)]);
}

#define PICK(which, ...)                                                                           \
    do {                                                                                           \
        static const char *const words[] = {__VA_ARGS__};                                          \
        pick(seeded, which, words, sizeof words / sizeof words[0], &rng);                          \
    } while (0)

void seed_record(struct seeded *seeded, uint64_t n, uint64_t step_ms)
{
    struct record *record = &seeded->record;
    struct rng rng;
    unsigned attempt = 0;

    rng_init(&rng, 7, n);
    record_init(record);
    attempt = (unsigned)rng_below(&rng, 12) == 0 ? 0 : 1 + (unsigned)rng_below(&rng, 2);
    set(seeded, RECORD_ID, "0197-", n);
    set(seeded, RECORD_CALL, "0197-", n);
    record->texts[RECORD_SOURCE] = SPAN_OF("headgate");
    record->numbers[RECORD_AT] =
        SEED_T0 + (int64_t)(n * step_ms) - (int64_t)rng_below(&rng, 5 * step_ms + 1);
    set(seeded, RECORD_KEY, "key-", rng_below(&rng, 6));
    PICK(RECORD_TEAM, "growth", "core", "");
    set(seeded, RECORD_USER, "user-", rng_below(&rng, 9));
    PICK(RECORD_TAGS, "", "", "", "batch", "night", "batch,night", "night,batch", "web,web");
    PICK(RECORD_ROUTE, "smart", "cheap", "");
    PICK(RECORD_TASK, "", "draft", "repair", "draft");
    PICK(RECORD_OPERATION, "chat", "messages");
    record->numbers[RECORD_ATTEMPT] = attempt;
    if (rng_below(&rng, 3) > 0) {
        record->numbers[RECORD_STATUS] = 200;
    }
    if (rng_below(&rng, 5) == 0) {
        set(seeded, RECORD_TRACE, "unit-", n / 40);
    }
    if (attempt == 0) {
        record->numbers[RECORD_STATUS] = 402;
        return;
    }
    PICK(RECORD_PROVIDER, "openai", "anthropic", "local");
    PICK(RECORD_MODEL, "gpt-5.4-mini", "claude-sonnet-4-5", "qwen3");
    PICK(RECORD_OUTCOME, "ok", "ok", "ok", "throttled", "reset");
    PICK(RECORD_PROVENANCE, "provider", "provider", "estimated", "partial", "unpriced");
    record->tokens[TOKENS_INPUT] = (int64_t)rng_below(&rng, 5000);
    record->tokens[TOKENS_CACHE_READ] = (int64_t)rng_below(&rng, 3) * 1000;
    record->tokens[TOKENS_OUTPUT] = (int64_t)rng_below(&rng, 900);
    record->numbers[RECORD_REASONING] = (int64_t)rng_below(&rng, 100);
    record->numbers[RECORD_BYTES_IN] = (int64_t)rng_below(&rng, 9000);
    record->numbers[RECORD_BYTES_OUT] = (int64_t)rng_below(&rng, 9000);
    record->numbers[RECORD_TOTAL_US] = (int64_t)rng_below(&rng, 3000000);
    if (!span_equal(record->texts[RECORD_PROVENANCE], SPAN_OF("unpriced"))) {
        /* Now and then more than a dollar, so that something is carried. */
        record->numbers[RECORD_COST] =
            (int64_t)rng_below(&rng, rng_below(&rng, 9) == 0 ? 3000000000000 : 90000000000);
        record->numbers[RECORD_CHARGED] = (record->numbers[RECORD_COST] + 999) / 1000;
    }
    if (span_equal(record->texts[RECORD_PROVENANCE], SPAN_OF("estimated"))) {
        record_flag(record, RECORD_FLAG_ESTIMATED);
    }
    if (rng_below(&rng, 20) == 0) {
        record->texts[RECORD_SOURCE] = SPAN_OF("batch-app");
        record->texts[RECORD_OUTCOME] = SPAN_OF("");
    }
}
