/* SPDX-License-Identifier: Apache-2.0 */
/* The quick look at a line sees what the reader of lines sees, or says that it does not know. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/rng.h"
#include "tests/lib/usage_seed.h"

enum { RECORDS = 3000, MUTANTS = 60000 };

static const enum record_text texts[] = {RECORD_SOURCE, RECORD_CALL, RECORD_TRACE, RECORD_TASK,
                                         RECORD_KEY,    RECORD_TEAM, RECORD_USER,  RECORD_TAGS,
                                         RECORD_ROUTE,  RECORD_PROVIDER, RECORD_MODEL, RECORD_PHASE};
static const enum record_number numbers[] = {RECORD_CHARGED,  RECORD_HELD,     RECORD_HELD_AT,     RECORD_AT,
                                             RECORD_BEGAN_US, RECORD_TOTAL_US, RECORD_LEDGER_EPOCH};

static void same(const struct record *a, const struct record *b)
{
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        assert_true(span_equal(a->texts[texts[i]], b->texts[texts[i]]));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        assert_int_equal(a->numbers[numbers[i]], b->numbers[numbers[i]]);
    }
    assert_memory_equal(a->tokens, b->tokens, sizeof a->tokens);
    assert_int_equal(a->flags, b->flags);
}

struct world {
    struct json_scan *scan;
    struct buf one;
    struct buf other;
    unsigned known;
};

static void begin(struct world *world)
{
    *world = (struct world){.scan = json_scan_new()};
    buf_init(&world->one, 64 * 1024);
    buf_init(&world->other, 64 * 1024);
}

static void end(struct world *world)
{
    json_scan_free(world->scan);
    buf_fini(&world->one);
    buf_fini(&world->other);
}

/* Whatever it takes, the reader takes, and sees the same. */
static void look(struct world *world, struct span line)
{
    struct record glanced;
    struct record read;

    buf_clear(&world->one);
    buf_clear(&world->other);
    if (!record_glance(line, &world->one, &glanced)) {
        return;
    }
    world->known++;
    assert_int_equal(record_read_line(world->scan, line, &world->other, &read), ERR_NONE);
    same(&glanced, &read);
}

static void put(struct buf *line, uint64_t n, struct rng *rng)
{
    struct seeded seeded;

    seed_record(&seeded, n, 1000);
    if (rng_below(rng, 4) > 0) {
        seeded.record.numbers[RECORD_HELD_AT] = SEED_T0 + (int64_t)n;
        seeded.record.numbers[RECORD_HELD] = (int64_t)rng_below(rng, 1000000);
    }
    if (rng_below(rng, 3) == 0) {
        seeded.record.texts[RECORD_TAGS] = SPAN_OF("a,b,c");
    }
    if (rng_below(rng, 5) == 0) {
        seeded.record.texts[RECORD_MODEL] = SPAN_OF("quoted \"model\"");
    }
    if (rng_below(rng, 3) == 0) {
        seeded.record.raw = SPAN_OF("{\"prompt_tokens\":1,\"held_at\":{\"a\":[1,2]}}");
    }
    buf_clear(line);
    (void)record_put_line(line, &seeded.record);
    buf_truncate(line, line->len - 1);
}

static void glance__sees_what_the_reader_sees(void **state)
{
    struct world world;
    struct buf line;
    struct rng rng;

    (void)state;
    begin(&world);
    rng_init(&rng, 1, 1);
    buf_init(&line, RECORD_LINE_MAX + 64);
    for (uint64_t n = 0; n < RECORDS; n++) {
        put(&line, n, &rng);
        look(&world, buf_span(&line));
    }
    assert_in_range(world.known, RECORDS / 2, RECORDS - 1);
    buf_fini(&line);
    end(&world);
}

/* Bytes changed anywhere, under a sum that fits. */
static void glance__believes_nothing_but_the_sum(void **state)
{
    struct world world;
    struct buf line;
    struct rng rng;

    (void)state;
    begin(&world);
    rng_init(&rng, 2, 2);
    buf_init(&line, RECORD_LINE_MAX + 64);
    for (uint64_t n = 0; n < MUTANTS; n++) {
        static const char marks[] = "\"\":,{}[]\\0a";
        size_t body = 0;
        char *copy = NULL;

        put(&line, n % 50, &rng);
        body = line.len - (sizeof ",\"crc\":\"00000000\"}" - 1);
        for (uint32_t i = 0; i <= rng_below(&rng, 2); i++) {
            line.at[rng_below(&rng, (uint32_t)body)] = marks[rng_below(&rng, sizeof marks - 1)];
        }
        if (rng_below(&rng, 4) == 0) {
            body = rng_below(&rng, (uint32_t)body);
        }
        buf_truncate(&line, body);
        buf_put_format(&line, ",\"crc\":\"%08lx\"}", (unsigned long)crc32c(buf_span(&line)));
        copy = mem_take(line.len); /* not a byte more, for the sanitizers */
        memcpy(copy, line.at, line.len);
        {
            struct record record;

            buf_clear(&world.one);
            world.known += record_glance(span_make(copy, line.len), &world.one, &record);
        }
        mem_give(copy, line.len);
    }
    buf_fini(&line);
    end(&world);
    assert_int_equal(mem_held(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glance__sees_what_the_reader_sees),
        cmocka_unit_test(glance__believes_nothing_but_the_sum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
