/* SPDX-License-Identifier: Apache-2.0 */
/* Who pays: every row of budgets.md, 11, that an attempt by itself can be in (row 13, failover, is
 * that each attempt is in one of them; row 15, a refusal, is a whole answer). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/must.h"
#include "usage/charge.h"

enum { IN = 70, SEEN = 30, CHUNK = 4 }; /* the estimates */
enum { N = -1 };

struct row {
    const char *story;
    enum charge_end end;
    enum charge_phase phase;
    int64_t told_input;
    int64_t told_output;
    enum charge_case what;
    int64_t input;
    int64_t output;
    enum provenance provenance;
};

#define UNSENT  CHARGE_PHASE_UNSENT
#define SENT    CHARGE_PHASE_SENT
#define HEADED  CHARGE_PHASE_HEADED
#define CONTENT CHARGE_PHASE_CONTENT
#define TOLD    PROVENANCE_PROVIDER
#define GUESSED PROVENANCE_ESTIMATED
#define PARTLY  PROVENANCE_PARTIAL

static const struct row rows[] = {
    /* 1, 15 */
    {"whole, usage told", CHARGE_END_GOOD, CONTENT, 9, 5, CHARGE_COMPLETE, 9, 5, TOLD},
    {"whole, all zero", CHARGE_END_GOOD, CONTENT, 0, 0, CHARGE_COMPLETE, 0, 0, TOLD},
    /* 2 */
    {"whole, nothing told", CHARGE_END_GOOD, CONTENT, N, N, CHARGE_COMPLETE_UNTOLD, IN, SEEN,
     GUESSED},
    {"whole, no output told", CHARGE_END_GOOD, CONTENT, 9, N, CHARGE_COMPLETE_UNTOLD, 9, SEEN,
     PARTLY},
    {"whole, no input told", CHARGE_END_GOOD, CONTENT, N, 5, CHARGE_COMPLETE_UNTOLD, IN, 5, PARTLY},
    {"whole, without content", CHARGE_END_GOOD, HEADED, 9, 0, CHARGE_COMPLETE, 9, 0, TOLD},
    /* 3 */
    {"app left mid-stream", CHARGE_END_CANCELLED, CONTENT, N, N, CHARGE_CANCELLED, IN, SEEN + CHUNK,
     GUESSED},
    {"app left mid-stream, input told", CHARGE_END_CANCELLED, CONTENT, 9, 1, CHARGE_CANCELLED, 9,
     SEEN + CHUNK, PARTLY},
    {"app left while the model was reading", CHARGE_END_CANCELLED, SENT, N, N, CHARGE_CANCELLED, IN,
     SEEN + CHUNK, GUESSED},
    {"more told than seen", CHARGE_END_CANCELLED, CONTENT, 9, 99, CHARGE_CANCELLED, 9, 99, PARTLY},
    /* 5, 6 */
    {"app left before all was sent", CHARGE_END_CANCELLED, UNSENT, N, N, CHARGE_UNSENT, N, N, TOLD},
    {"not reached", CHARGE_END_BROKEN, UNSENT, N, N, CHARGE_UNSENT, N, N, TOLD},
    {"an error", CHARGE_END_NO, HEADED, N, N, CHARGE_REFUSED, N, N, TOLD},
    {"an error before the body was sent", CHARGE_END_NO, UNSENT, N, N, CHARGE_REFUSED, N, N, TOLD},
    /* 7 */
    {"an error with usage", CHARGE_END_NO, HEADED, 9, 0, CHARGE_REFUSED_TOLD, 9, 0, TOLD},
    {"no answer, with usage", CHARGE_END_NO, HEADED, 9, 5, CHARGE_REFUSED_TOLD, 9, 5, TOLD},
    /* 8 */
    {"reset after all was sent", CHARGE_END_BROKEN, SENT, N, N, CHARGE_AMBIGUOUS, N, N, TOLD},
    {"a head and nothing more", CHARGE_END_BROKEN, HEADED, N, N, CHARGE_AMBIGUOUS, N, N, TOLD},
    {"a head and an input figure", CHARGE_END_BROKEN, HEADED, 9, 1, CHARGE_BROKEN, 9, SEEN, PARTLY},
    /* 9 */
    {"died while it ran", CHARGE_END_CRASH, CONTENT, N, N, CHARGE_CRASHED, IN, SEEN, GUESSED},
    {"died before it was sent", CHARGE_END_CRASH, UNSENT, N, N, CHARGE_UNSENT, N, N, TOLD},
    /* 10 */
    {"broke off", CHARGE_END_BROKEN, CONTENT, N, N, CHARGE_BROKEN, IN, SEEN, GUESSED},
    {"broke off, input told", CHARGE_END_BROKEN, CONTENT, 9, 1, CHARGE_BROKEN, 9, SEEN, PARTLY},
    /* 11 */
    {"lost to a hedge", CHARGE_END_HEDGE, SENT, N, N, CHARGE_HEDGE_LOST, IN, SEEN + CHUNK, GUESSED},
    {"lost before it was sent", CHARGE_END_HEDGE, UNSENT, N, N, CHARGE_UNSENT, N, N, TOLD},
    /* 12 */
    {"no money left", CHARGE_END_BUDGET, CONTENT, 9, 1, CHARGE_CUT, 9, SEEN, PARTLY},
    /* 14 */
    {"given again", CHARGE_END_REPLAY, UNSENT, N, N, CHARGE_REPLAYED, N, N, TOLD},
};

static struct charge_facts facts_of(const struct row *row, struct usage *told)
{
    usage_init(told);
    told->tokens[TOKENS_INPUT] = row->told_input;
    told->tokens[TOKENS_OUTPUT] = row->told_output;
    return (struct charge_facts){.end = row->end,
                                 .phase = row->phase,
                                 .has_output = true,
                                 .told = told,
                                 .input_estimate = IN,
                                 .output_seen = SEEN,
                                 .chunk = CHUNK};
}

static void charge__is_decided_by_how_the_attempt_ended(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const struct row *row = &rows[i];
        struct usage told;
        struct charge_facts facts = facts_of(row, &told);
        struct charge charge;

        print_message("%s\n", row->story);
        charge_of(&facts, &charge);
        assert_string_equal(charge_word(charge.what), charge_word(row->what));
        assert_int_equal(charge.usage.tokens[TOKENS_INPUT], row->input);
        assert_int_equal(charge.usage.tokens[TOKENS_OUTPUT], row->output);
        assert_int_equal(charge.provenance, row->provenance);
        assert_int_equal(charge.is_estimated, row->provenance != TOLD);
        assert_int_equal(charge.is_untold, row->what == CHARGE_COMPLETE_UNTOLD);
    }
}

/* Row 4: what was read to its end after the app had left is charged as told; without a figure it is
 * as any whole answer without one. */
static void charge__of_a_drained_one_is_what_it_told(void **state)
{
    static const struct row row = {
        .end = CHARGE_END_GOOD, .phase = CONTENT, .told_input = 9, .told_output = 50};
    struct usage told;
    struct charge_facts facts = facts_of(&row, &told);
    struct charge charge;

    (void)state;
    facts.is_drained = true;
    charge_of(&facts, &charge);
    assert_int_equal(charge.what, CHARGE_DRAINED);
    assert_int_equal(charge.usage.tokens[TOKENS_OUTPUT], 50);
    usage_init(&told);
    charge_of(&facts, &charge);
    assert_int_equal(charge.what, CHARGE_COMPLETE_UNTOLD);
}

static void charge__of_an_ambiguous_one_is_as_chosen(void **state)
{
    static const struct row row = {
        .end = CHARGE_END_BROKEN, .phase = SENT, .told_input = N, .told_output = N};
    struct usage told;
    struct charge_facts facts = facts_of(&row, &told);
    struct charge charge;

    (void)state;
    charge_of(&facts, &charge);
    assert_int_equal(charge.usage.tokens[TOKENS_INPUT], N);
    assert_int_equal(charge.exposed.tokens[TOKENS_INPUT], IN);
    facts.ambiguous = CHARGE_AMBIGUOUS_INPUT;
    charge_of(&facts, &charge);
    assert_int_equal(charge.what, CHARGE_AMBIGUOUS);
    assert_int_equal(charge.usage.tokens[TOKENS_INPUT], IN);
    assert_int_equal(charge.exposed.tokens[TOKENS_INPUT], N);
    assert_true(charge.is_estimated);
}

static void charge__knows_operations_without_output_without_price_and_unread(void **state)
{
    static const struct row row = {
        .end = CHARGE_END_GOOD, .phase = CONTENT, .told_input = 9, .told_output = N};
    struct usage told;
    struct charge_facts facts = facts_of(&row, &told);
    struct charge charge;

    (void)state;
    facts.has_output = false;
    charge_of(&facts, &charge);
    assert_int_equal(charge.what, CHARGE_COMPLETE);
    assert_int_equal(charge.usage.tokens[TOKENS_OUTPUT], N);
    usage_init(&told);
    charge_of(&facts, &charge);
    assert_int_equal(charge.what, CHARGE_COMPLETE_UNTOLD);
    assert_int_equal(charge.usage.tokens[TOKENS_INPUT], IN);
    assert_int_equal(charge.usage.tokens[TOKENS_OUTPUT], N);
    facts.operation = CHARGE_COSTS_NOTHING;
    charge_of(&facts, &charge);
    assert_int_equal(charge.what, CHARGE_FREE);
    assert_int_equal(charge.usage.tokens[TOKENS_INPUT], N);
    facts.operation = CHARGE_NOT_READ;
    charge_of(&facts, &charge);
    assert_int_equal(charge.what, CHARGE_UNREAD);
}

/* The figures that are told stay as they are beside the estimate. */
static void charge__keeps_what_was_told_beside_the_estimate(void **state)
{
    static const struct row row = {
        .end = CHARGE_END_BROKEN, .phase = CONTENT, .told_input = 9, .told_output = 1};
    struct usage told;
    struct charge_facts facts = facts_of(&row, &told);
    struct charge charge;

    (void)state;
    told.tokens[TOKENS_CACHE_READ] = 900;
    told.tokens[TOKENS_AUDIO_OUTPUT] = 12;
    told.fees[FEE_WEB_SEARCH] = 2;
    charge_of(&facts, &charge);
    assert_int_equal(charge.usage.tokens[TOKENS_CACHE_READ], 900);
    assert_int_equal(charge.usage.tokens[TOKENS_AUDIO_OUTPUT], 12);
    assert_int_equal(charge.usage.tokens[TOKENS_OUTPUT], SEEN - 12);
    assert_int_equal(charge.usage.fees[FEE_WEB_SEARCH], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charge__is_decided_by_how_the_attempt_ended),
        cmocka_unit_test(charge__of_a_drained_one_is_what_it_told),
        cmocka_unit_test(charge__of_an_ambiguous_one_is_as_chosen),
        cmocka_unit_test(charge__knows_operations_without_output_without_price_and_unread),
        cmocka_unit_test(charge__keeps_what_was_told_beside_the_estimate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
