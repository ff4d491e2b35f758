/* SPDX-License-Identifier: Apache-2.0 */
/* Ratios that are learned: what they come to, how sure they are, who gives way. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/rng.h"
#include "pricing/guess.h"

#define P SPAN_OF("openai")
#define M SPAN_OF("gpt-5.4")

static struct guess ask(const struct guesses *guesses, uint64_t bytes)
{
    return guesses_tokens(guesses, guesses_key(guesses, P, M), GUESS_INPUT, bytes);
}

static void guess__is_a_default_until_something_is_told(void **state)
{
    struct guesses *guesses = guesses_new(7);

    (void)state;
    assert_int_equal(ask(guesses, 400).tokens, 100);
    assert_int_equal(ask(guesses, 400).error_permille, 1000);
    assert_int_equal(ask(guesses, 0).tokens, 0);
    assert_int_equal(ask(guesses, 1).tokens, 1);
    guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, 600, 100);
    assert_in_range(ask(guesses, 6000).tokens, 999, 1001);
    assert_int_equal(ask(guesses, 6000).error_permille, 1000); /* of one answer nothing is sure */
    guesses_free(guesses);
}

static void guess__keeps_kinds_models_and_providers_apart(void **state)
{
    struct guesses *guesses = guesses_new(7);

    (void)state;
    guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, 1000, 1000);
    assert_int_equal(ask(guesses, 100).tokens, 100);
    assert_int_equal(guesses_tokens(guesses, guesses_key(guesses, P, M), GUESS_STREAM, 1600).tokens,
                     10);
    assert_int_equal(
        guesses_tokens(guesses, guesses_key(guesses, P, SPAN_OF("gpt-5")), GUESS_INPUT, 100).tokens,
        25);
    assert_int_equal(
        guesses_tokens(guesses, guesses_key(guesses, SPAN_OF("azure"), M), GUESS_INPUT, 100).tokens,
        25);
    /* "openai" + "gpt" is not "openaigpt" + "" */
    assert_int_equal(guesses_tokens(guesses,
                                    guesses_key(guesses, SPAN_OF("openaigpt-5.4"), SPAN_OF("")),
                                    GUESS_INPUT, 100)
                         .tokens,
                     25);
    guesses_free(guesses);
}

static void guess__forgets_what_was_long_ago(void **state)
{
    struct guesses *guesses = guesses_new(7);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, 1000, 100);
    }
    assert_in_range(ask(guesses, 10000).tokens, 999, 1001);
    for (int i = 0; i < 300; i++) {
        guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, 1000, 500);
    }
    assert_in_range(ask(guesses, 10000).tokens, 4990, 5001);
    guesses_free(guesses);
}

static void guess__learns_nothing_from_nonsense(void **state)
{
    struct guesses *guesses = guesses_new(7);

    (void)state;
    guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, 0, 100);
    guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, 100, 0);
    guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, 100, -1);
    guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, 1,
                  1000); /* a kept prompt that was not sent again */
    guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, UINT64_MAX, 5);
    guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, 5, INT64_MAX);
    assert_int_equal(ask(guesses, 400).tokens, 100);
    assert_true(ask(guesses, UINT64_MAX).tokens > 0);
    guesses_free(guesses);
}

/* The promise of error_permille: of answers whose ratio differs by chance, 9 of 10 at least lie
 * within the error that was told just before each. */
static void guess__tells_how_far_it_may_be_off(void **state)
{
    static const uint32_t spreads[] = {0, 5, 20, 45};
    struct rng rng;

    (void)state;
    rng_init(&rng, 42, 0);
    for (size_t s = 0; s < sizeof spreads / sizeof *spreads; s++) {
        struct guesses *guesses = guesses_new(s);
        unsigned within = 0;

        for (unsigned i = 0; i < 2000; i++) {
            int64_t percent =
                100 - (int64_t)spreads[s] + (int64_t)rng_below(&rng, 2 * (uint64_t)spreads[s] + 1);
            int64_t tokens = 1000 * percent / 100;
            struct guess guess = ask(guesses, 4000);
            int64_t off = guess.tokens > tokens ? guess.tokens - tokens : tokens - guess.tokens;

            within += off * 1000 <= guess.tokens * (int64_t)guess.error_permille;
            guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, 4000, tokens);
        }
        print_message("+-%u %%: %u of 2000 within, error %u\n", spreads[s], within,
                      ask(guesses, 4000).error_permille);
        assert_true(within >= 1800);
        assert_true(ask(guesses, 4000).error_permille <= spreads[s] * 10 * 2 + 20);
        guesses_free(guesses);
    }
}

static void guess__gives_the_oldest_away_and_keeps_who_is_used(void **state)
{
    struct guesses *guesses = guesses_new(7);
    char name[16];

    (void)state;
    guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, 1000, 1000);
    for (unsigned i = 0; i < 100000; i++) {
        (void)snprintf(name, sizeof name, "m%u", i);
        guesses_learn(guesses, guesses_key(guesses, P, span_of(name)), GUESS_INPUT, 1000, 500);
        guesses_learn(guesses, guesses_key(guesses, P, M), GUESS_INPUT, 1000, 1000);
    }
    assert_int_equal(ask(guesses, 100).tokens, 100);
    assert_int_equal(
        guesses_tokens(guesses, guesses_key(guesses, P, SPAN_OF("m0")), GUESS_INPUT, 100).tokens,
        25);
    assert_int_equal(
        guesses_tokens(guesses, guesses_key(guesses, P, SPAN_OF("m99999")), GUESS_INPUT, 100)
            .tokens,
        50);
    guesses_free(guesses);
}

static void guess__knows_how_long_answers_are(void **state)
{
    struct guesses *guesses = guesses_new(7);
    uint64_t key = guesses_key(guesses, P, M);
    struct guess guess = guesses_tokens(guesses, key, GUESS_LENGTH, GUESS_ONE_ANSWER);

    (void)state;
    assert_int_equal(guess.tokens, 1024);
    assert_false(guess.is_learned);
    for (int i = 0; i < 3; i++) {
        assert_false(guesses_tokens(guesses, key, GUESS_LENGTH, GUESS_ONE_ANSWER).is_learned);
        guesses_learn(guesses, key, GUESS_LENGTH, GUESS_ONE_ANSWER, 200 + 100 * i);
    }
    guess = guesses_tokens(guesses, key, GUESS_LENGTH, GUESS_ONE_ANSWER);
    assert_true(guess.is_learned);
    assert_int_equal(guess.tokens, 300);
    guesses_learn(guesses, key, GUESS_LENGTH, GUESS_ONE_ANSWER, 128000);
    assert_int_equal(guesses_tokens(guesses, key, GUESS_LENGTH, GUESS_ONE_ANSWER).tokens, 32225);
    assert_false(guesses_tokens(guesses, key, GUESS_INPUT, 4).is_learned);
    guesses_free(guesses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guess__is_a_default_until_something_is_told),
        cmocka_unit_test(guess__keeps_kinds_models_and_providers_apart),
        cmocka_unit_test(guess__forgets_what_was_long_ago),
        cmocka_unit_test(guess__learns_nothing_from_nonsense),
        cmocka_unit_test(guess__tells_how_far_it_may_be_off),
        cmocka_unit_test(guess__gives_the_oldest_away_and_keeps_who_is_used),
        cmocka_unit_test(guess__knows_how_long_answers_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
