/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_prices_import.c: any bytes as a foreign price map. What is taken must read back
 * as a price file of ours, row for row. */
#include <stdint.h>
#include <stdlib.h>

#include "base/must.h"
#include "conf/prices.h"
#include "pricing/import.h"
#include "pricing/price_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct taken {
    struct buf file;
    size_t rows;
    size_t refused;
};

static void take_row(void *to, const struct price *price)
{
    struct taken *taken = to;

    must(price->counts.cases > 0 && price->counts.cases <= PRICE_CASES_MAX);
    must(price->cases[0].over == PRICE_ANY_PROMPT && price->cases[0].tier == 0);
    price_put_row(&taken->file, price);
    taken->rows++;
}

static void take_note(void *to, enum import_note note, struct span entry, struct span key)
{
    struct taken *taken = to;

    (void)entry;
    (void)key;
    taken->refused += import_note_is_refusal(note) ? 1 : 0;
}

static void read_back(const struct taken *taken)
{
    static struct complaints complaints;
    struct price_table table;
    struct arena arena;
    struct buf again;

    arena_init(&arena, PRICES_ARENA_MAX);
    buf_init(&again, SIZE_MAX / 4);
    if (prices_read(buf_span(&taken->file), &arena, &complaints, &table) == ERR_NONE) {
        must(table.prices_count == taken->rows);
        buf_put_text(&again, "version: 1\nprices:\n");
        for (size_t i = 0; i < table.prices_count; i++) {
            price_put_row(&again, &table.prices[i]);
        }
        must(span_equal(buf_span(&again), buf_span(&taken->file)));
    } else {
        /* Nothing but its size may be wrong with it. */
        must(taken->rows == 0 || taken->file.len > 4 * 1024 * 1024 || taken->rows > 1000);
    }
    buf_fini(&again);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct taken taken = {.rows = 0};
    const struct import_hooks hooks = {.row = take_row, .note = take_note, .to = &taken};
    struct import_terms terms = {
        .from = 86400000, .as_of = SPAN("2026-11-20"), .source = SPAN("fuzz")};
    struct span text = span_make(size == 0 ? "" : (const char *)data, size);

    /* A first byte that begins no JSON chooses the provider. */
    if (size > 0 && data[0] == 'a') {
        terms.only = SPAN_OF("azure");
        text = span_from(text, 1);
    }
    buf_init(&taken.file, SIZE_MAX / 4);
    buf_put_text(&taken.file, "version: 1\nprices:\n");
    if (import_litellm(text, &terms, &hooks) == ERR_NONE) {
        must(!taken.file.failed);
        read_back(&taken);
    } else {
        must(taken.rows == 0 && taken.refused == 0);
    }
    buf_fini(&taken.file);
    return 0;
}
