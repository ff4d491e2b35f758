/* SPDX-License-Identifier: Apache-2.0 */
/* Repeated calls: who runs, who waits, who is given what was kept, and what is forgotten when. The last
 * test compares the book with a list that is searched. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"
#include "enforcement/idempotency.h"

#define DAY UINT64_C(86400000)

static const uint64_t secret[4] = {1, 2, 3, 4};

static void begin(struct idempotency *book, size_t bytes_max)
{
    idempotency_init(book, secret, bytes_max);
}

static void end(struct idempotency *book)
{
    idempotency_fini(book);
    idempotency_fini(book);
    assert_int_equal(mem_held(), 0);
}

static struct idempotency_digest of(const struct idempotency *book, const char *text)
{
    struct span part = span_of(text);

    return idempotency_digest(book, &part, 1);
}

static enum idempotency_verdict ask(struct idempotency *book, const char *who, const char *what,
                                    mono_ms now, struct idempotency_entry **entry)
{
    struct idempotency_digest a = of(book, who);
    struct idempotency_digest b = of(book, what);

    return idempotency_ask(book, &a, &b, now, entry);
}

static void keep(struct idempotency *book, struct idempotency_entry *entry, const char *body,
                 mono_ms now)
{
    assert_true(idempotency_note_type(entry, SPAN_OF("text/x")));
    idempotency_keep(book, entry, 201, span_of(body), now);
}

static void idempotency__judges_each_key(void **state)
{
    static const struct {
        const char *key;
        bool is_good;
    } rows[] = {{"", false},       {"a", true},        {"a b", false},  {" a", false},
                {"a\t", false},    {"\"8e03978e-40d5\"", true}, {"~!", true}, {"\x7f", false},
                {"\xc3\xa9", false}, {"a\x01", false}};
    char longest[257];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(idempotency_key_is_good(span_of(rows[i].key)), rows[i].is_good);
    }
    memset(longest, 'k', sizeof longest);
    assert_true(idempotency_key_is_good(span_make(longest, 255)));
    assert_false(idempotency_key_is_good(span_make(longest, 256)));
    assert_false(idempotency_key_is_good(span_make("a\0b", 3)));
}

static void idempotency__a_digest_is_of_its_parts_in_their_order(void **state)
{
    struct idempotency book;
    struct idempotency other;
    const uint64_t others[4] = {1, 2, 3, 5};
    const struct span lists[][3] = {
        {SPAN("ab"), SPAN("c"), SPAN("")}, {SPAN("a"), SPAN("bc"), SPAN("")},
        {SPAN("abc"), SPAN(""), SPAN("")}, {SPAN(""), SPAN("ab"), SPAN("c")},
        {SPAN("c"), SPAN("ab"), SPAN("")}};

    (void)state;
    begin(&book, 1000);
    idempotency_init(&other, others, 1000);
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        struct idempotency_digest a = idempotency_digest(&book, lists[i], 3);
        struct idempotency_digest again = idempotency_digest(&book, lists[i], 3);
        struct idempotency_digest shorter = idempotency_digest(&book, lists[i], 2);
        struct idempotency_digest foreign = idempotency_digest(&other, lists[i], 3);
        assert_memory_equal(&a, &again, sizeof a);
        assert_memory_not_equal(&a, &shorter, sizeof a);
        assert_int_equal(a.words[0], foreign.words[0]); /* each half has a seed of its own */
        assert_int_not_equal(a.words[1], foreign.words[1]);
        assert_int_not_equal(a.words[0], a.words[1]);
        for (size_t k = 0; k < i; k++) {
            struct idempotency_digest b = idempotency_digest(&book, lists[k], 3);
            assert_int_not_equal(a.words[0], b.words[0]);
            assert_int_not_equal(a.words[1], b.words[1]);
        }
    }
    idempotency_fini(&other);
    end(&book);
}

static void idempotency__the_first_runs_and_repeats_wait_for_it(void **state)
{
    struct idempotency book;
    struct idempotency_entry *first = NULL;
    struct idempotency_entry *entry = NULL;

    (void)state;
    begin(&book, 10000);
    assert_int_equal(ask(&book, "a", "x", 5, &first), IDEMPOTENCY_RUN);
    assert_int_equal(ask(&book, "a", "x", 5, &entry), IDEMPOTENCY_BUSY);
    assert_int_equal(ask(&book, "a", "y", 5, &entry), IDEMPOTENCY_MISMATCH);
    assert_int_equal(ask(&book, "a", "x", 5 + 2 * DAY, &entry), IDEMPOTENCY_BUSY); /* it runs long */
    keep(&book, first, "whole", 6);
    assert_int_equal(ask(&book, "a", "x", 7, &entry), IDEMPOTENCY_REPLAY);
    assert_int_equal(entry->answer.status, 201);
    assert_true(span_equal(entry->answer.type, SPAN_OF("text/x")));
    assert_true(span_equal(entry->answer.body, SPAN_OF("whole")));
    assert_int_equal(ask(&book, "a", "y", 7, &entry), IDEMPOTENCY_MISMATCH);
    end(&book);
}

static void idempotency__callers_share_nothing(void **state)
{
    struct idempotency book;
    struct idempotency_entry *first = NULL;
    struct idempotency_entry *second = NULL;

    (void)state;
    begin(&book, 10000);
    assert_int_equal(ask(&book, "a", "x", 0, &first), IDEMPOTENCY_RUN);
    assert_int_equal(ask(&book, "b", "x", 0, &second), IDEMPOTENCY_RUN);
    keep(&book, first, "of a", 0);
    assert_int_equal(ask(&book, "b", "x", 0, &first), IDEMPOTENCY_BUSY);
    idempotency_forget(&book, second);
    end(&book);
}

static void idempotency__what_failed_runs_again(void **state)
{
    struct idempotency book;
    struct idempotency_entry *entry = NULL;

    (void)state;
    begin(&book, 10000);
    assert_int_equal(ask(&book, "a", "x", 0, &entry), IDEMPOTENCY_RUN);
    idempotency_forget(&book, entry);
    assert_int_equal(ask(&book, "a", "y", 0, &entry), IDEMPOTENCY_RUN); /* and may be another one */
    idempotency_forget(&book, entry);
    end(&book);
}

static void idempotency__an_answer_is_kept_for_a_day(void **state)
{
    struct idempotency book;
    struct idempotency_entry *entry = NULL;

    (void)state;
    begin(&book, 10000);
    assert_int_equal(idempotency_sweep(&book, 0), MONO_NEVER);
    assert_int_equal(ask(&book, "a", "x", 0, &entry), IDEMPOTENCY_RUN);
    keep(&book, entry, "1", 100);
    assert_int_equal(ask(&book, "b", "x", 0, &entry), IDEMPOTENCY_RUN);
    keep(&book, entry, "2", 200);
    assert_int_equal(idempotency_sweep(&book, 200), 100 + DAY);
    assert_int_equal(ask(&book, "a", "x", 99 + DAY, &entry), IDEMPOTENCY_REPLAY);
    assert_int_equal(ask(&book, "a", "x", 100 + DAY, &entry), IDEMPOTENCY_RUN);
    idempotency_forget(&book, entry);
    assert_int_equal(idempotency_sweep(&book, 199 + DAY), 200 + DAY);
    assert_int_equal(book.map.count, 1);
    assert_int_equal(idempotency_sweep(&book, 200 + DAY), MONO_NEVER);
    assert_int_equal(book.bytes, 0);
    assert_int_equal(book.map.count, 0);
    end(&book);
}

static void idempotency__a_large_answer_is_not_kept(void **state)
{
    static char large[LIMIT_REPLAY + 1];
    struct idempotency book;
    struct idempotency_entry *entry = NULL;

    (void)state;
    begin(&book, (size_t)LIMIT_REPLAY * 4);
    assert_int_equal(ask(&book, "a", "x", 0, &entry), IDEMPOTENCY_RUN);
    idempotency_keep(&book, entry, 200, span_make(large, LIMIT_REPLAY + 1), 0);
    assert_int_equal(ask(&book, "a", "x", 0, &entry), IDEMPOTENCY_RUN);
    idempotency_keep(&book, entry, 200, span_make(large, LIMIT_REPLAY), 0);
    assert_int_equal(ask(&book, "a", "x", 0, &entry), IDEMPOTENCY_REPLAY);
    assert_int_equal(book.running, 0);
    end(&book);
}

static void idempotency__an_answer_may_be_empty_but_not_of_any_type(void **state)
{
    struct idempotency book;
    struct idempotency_entry *entry = NULL;
    char type[IDEMPOTENCY_TYPE_MAX + 1];

    (void)state;
    memset(type, 't', sizeof type);
    begin(&book, 10000);
    assert_int_equal(ask(&book, "a", "x", 0, &entry), IDEMPOTENCY_RUN);
    assert_false(idempotency_note_type(entry, span_make(type, sizeof type)));
    assert_true(idempotency_note_type(entry, span_make(type, sizeof type - 1)));
    idempotency_keep(&book, entry, 200, span_make(NULL, 0), 0);
    assert_int_equal(ask(&book, "a", "x", 0, &entry), IDEMPOTENCY_REPLAY);
    assert_int_equal(entry->answer.body.len, 0);
    assert_true(span_equal(entry->answer.type, span_make(type, sizeof type - 1)));
    end(&book);
}

static void idempotency__the_oldest_answer_makes_room(void **state)
{
    struct idempotency book;
    struct idempotency_entry *a = NULL;
    struct idempotency_entry *entry = NULL;
    size_t each = sizeof *a + 100;
    char body[101];

    (void)state;
    memset(body, 'b', 100);
    body[100] = '\0';
    begin(&book, 3 * each);
    for (size_t i = 0; i < 3; i++) {
        const char who[2] = {(char)('1' + i), '\0'};
        assert_int_equal(ask(&book, who, "x", 0, &entry), IDEMPOTENCY_RUN);
        keep(&book, entry, body, 0);
    }
    assert_int_equal(book.bytes, 3 * each);
    assert_true(mem_held() > book.bytes);
    assert_int_equal(ask(&book, "4", "x", 0, &a), IDEMPOTENCY_RUN);
    assert_int_equal(ask(&book, "1", "x", 0, &entry), IDEMPOTENCY_REPLAY); /* not before it is kept */
    keep(&book, a, body, 0);
    assert_int_equal(ask(&book, "2", "x", 0, &entry), IDEMPOTENCY_REPLAY);
    assert_int_equal(ask(&book, "4", "x", 0, &entry), IDEMPOTENCY_REPLAY);
    assert_int_equal(ask(&book, "1", "x", 0, &entry), IDEMPOTENCY_RUN);
    idempotency_forget(&book, entry);
    end(&book);
}

static void idempotency__what_runs_is_never_dropped_for_room(void **state)
{
    struct idempotency book;
    struct idempotency_entry *kept = NULL;
    struct idempotency_entry *running[3];
    struct idempotency_entry *entry = NULL;

    (void)state;
    begin(&book, sizeof *entry);
    book.map.max = 3;
    assert_int_equal(ask(&book, "1", "x", 0, &running[0]), IDEMPOTENCY_RUN);
    keep(&book, running[0], "does not fit", 0);
    assert_int_equal(ask(&book, "1", "x", 0, &running[0]), IDEMPOTENCY_RUN);
    book.bytes_max = 10000;
    assert_int_equal(ask(&book, "2", "x", 0, &kept), IDEMPOTENCY_RUN);
    keep(&book, kept, "kept", 0);
    assert_int_equal(ask(&book, "3", "x", 0, &running[1]), IDEMPOTENCY_RUN);
    assert_int_equal(ask(&book, "4", "x", 0, &running[2]), IDEMPOTENCY_RUN); /* for the kept one */
    assert_int_equal(ask(&book, "5", "x", 0, &entry), IDEMPOTENCY_FULL);
    assert_int_equal(ask(&book, "1", "x", 0, &entry), IDEMPOTENCY_BUSY);
    for (size_t i = 0; i < 3; i++) {
        idempotency_forget(&book, running[i]);
    }
    assert_int_equal(ask(&book, "2", "x", 0, &entry), IDEMPOTENCY_RUN);
    idempotency_forget(&book, entry);
    end(&book);
}

static void idempotency__without_memory_nothing_is_promised(void **state)
{
    struct idempotency book;
    struct idempotency_entry *entry = NULL;

    (void)state;
    begin(&book, 10000);
    for (uint64_t nth = 1; nth <= 2; nth++) { /* the entry, the table */
        mem_fail_at(nth);
        assert_int_equal(ask(&book, "a", "x", 0, &entry), IDEMPOTENCY_FULL);
    }
    mem_fail_at(0);
    assert_int_equal(ask(&book, "a", "x", 0, &entry), IDEMPOTENCY_RUN);
    mem_fail_at(1);
    keep(&book, entry, "no room", 0);
    mem_fail_at(0);
    assert_int_equal(ask(&book, "a", "x", 0, &entry), IDEMPOTENCY_RUN);
    idempotency_forget(&book, entry);
    end(&book);
}

/* ---- against a list that is searched ---- */

enum { MODEL_KEYS = 12, MODEL_STEPS = 400, MODEL_SEEDS = 1000, MODEL_BYTES = 3000, MODEL_MAX = 8 };

struct model {
    struct {
        bool is_there;
        bool is_kept;
        char what;
        uint64_t order;
        mono_ms until;
        size_t len;
        struct idempotency_entry *entry;
    } of[MODEL_KEYS];
    uint64_t order;
};

static size_t model_bytes(const struct model *model, size_t *count)
{
    size_t bytes = 0;

    *count = 0;
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        if (model->of[i].is_there) {
            *count += 1;
            bytes += sizeof(struct idempotency_entry) +
                     (model->of[i].is_kept ? model->of[i].len : 0);
        }
    }
    return bytes;
}

static bool model_drop_oldest(struct model *model)
{
    size_t oldest = MODEL_KEYS;

    for (size_t i = 0; i < MODEL_KEYS; i++) {
        if (model->of[i].is_there && model->of[i].is_kept &&
            (oldest == MODEL_KEYS || model->of[i].order < model->of[oldest].order)) {
            oldest = i;
        }
    }
    if (oldest < MODEL_KEYS) {
        model->of[oldest].is_there = false;
    }
    return oldest < MODEL_KEYS;
}

static void model_ask(struct model *model, struct idempotency *book, size_t i, char what,
                      mono_ms now)
{
    const char who[2] = {(char)('A' + i), '\0'};
    const char whats[2] = {what, '\0'};
    enum idempotency_verdict wanted = IDEMPOTENCY_RUN;
    struct idempotency_entry *entry = NULL;
    size_t count = 0;

    for (size_t k = 0; k < MODEL_KEYS; k++) {
        if (model->of[k].is_kept && model->of[k].until <= now) {
            model->of[k].is_there = false;
        }
    }
    (void)model_bytes(model, &count);
    if (!model->of[i].is_there) {
        wanted = count < MODEL_MAX || model_drop_oldest(model) ? IDEMPOTENCY_RUN
                                                               : IDEMPOTENCY_FULL;
    } else if (model->of[i].what != what) {
        wanted = IDEMPOTENCY_MISMATCH;
    } else {
        wanted = model->of[i].is_kept ? IDEMPOTENCY_REPLAY : IDEMPOTENCY_BUSY;
    }
    assert_int_equal(ask(book, who, whats, now, &entry), wanted);
    if (wanted == IDEMPOTENCY_RUN) {
        model->of[i].is_there = true;
        model->of[i].is_kept = false;
        model->of[i].what = what;
        model->of[i].entry = entry;
    } else if (wanted == IDEMPOTENCY_REPLAY) {
        assert_int_equal(entry->answer.body.len, model->of[i].len);
        assert_int_equal(entry->answer.body.at[0], who[0]); /* its own */
    }
}

static void model_end(struct model *model, struct idempotency *book, size_t i, size_t len,
                      mono_ms now)
{
    char body[1024] = {0};
    size_t running = 0;
    size_t count = 0;
    bool fits = true;

    if (!model->of[i].is_there || model->of[i].is_kept) {
        return;
    }
    if (len == 0) {
        idempotency_forget(book, model->of[i].entry);
        model->of[i].is_there = false;
        return;
    }
    memset(body, (char)('A' + i), sizeof body);
    idempotency_keep(book, model->of[i].entry, 200, span_make(body, len), now);
    for (size_t k = 0; k < MODEL_KEYS; k++) {
        running += model->of[k].is_there && !model->of[k].is_kept;
    }
    fits = running * sizeof(struct idempotency_entry) + len <= MODEL_BYTES;
    while (fits && model_bytes(model, &count) + len > MODEL_BYTES) {
        fits = model_drop_oldest(model);
    }
    model->of[i].is_there = fits;
    model->of[i].is_kept = fits;
    model->of[i].len = len;
    model->of[i].until = now + DAY;
    model->of[i].order = ++model->order;
}

static void idempotency__does_what_a_searched_list_does(void **state)
{
    (void)state;
    for (uint64_t run = 0; run < MODEL_SEEDS; run++) {
        struct idempotency book;
        struct model model = {.order = 0};
        struct rng rng;
        mono_ms now = 0;
        size_t count = 0;

        rng_init(&rng, run, 1);
        begin(&book, MODEL_BYTES);
        book.map.max = MODEL_MAX;
        for (int step = 0; step < MODEL_STEPS; step++) {
            size_t i = (size_t)rng_below(&rng, MODEL_KEYS);
            now += rng_below(&rng, 40) == 0 ? rng_below(&rng, DAY) : 1;
            if (rng_below(&rng, 3) == 0) {
                model_end(&model, &book, i, (size_t)rng_below(&rng, 1000), now);
            } else {
                model_ask(&model, &book, i, rng_below(&rng, 8) == 0 ? 'y' : 'x', now);
            }
            assert_int_equal(book.bytes, model_bytes(&model, &count));
            assert_int_equal(book.map.count, count);
        }
        for (size_t i = 0; i < MODEL_KEYS; i++) {
            model_end(&model, &book, i, 0, now);
        }
        end(&book);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idempotency__judges_each_key),
        cmocka_unit_test(idempotency__a_digest_is_of_its_parts_in_their_order),
        cmocka_unit_test(idempotency__the_first_runs_and_repeats_wait_for_it),
        cmocka_unit_test(idempotency__callers_share_nothing),
        cmocka_unit_test(idempotency__what_failed_runs_again),
        cmocka_unit_test(idempotency__an_answer_is_kept_for_a_day),
        cmocka_unit_test(idempotency__a_large_answer_is_not_kept),
        cmocka_unit_test(idempotency__an_answer_may_be_empty_but_not_of_any_type),
        cmocka_unit_test(idempotency__the_oldest_answer_makes_room),
        cmocka_unit_test(idempotency__what_runs_is_never_dropped_for_room),
        cmocka_unit_test(idempotency__without_memory_nothing_is_promised),
        cmocka_unit_test(idempotency__does_what_a_searched_list_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
