/* SPDX-License-Identifier: Apache-2.0 */
/* Random prices and usages against a second reckoning that shares nothing with ours: limbs of nine
 * decimal digits, schoolbook multiplication, the rules written as one table of fallbacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/money.h"
#include "pricing/price.h"

#ifndef PAIRS
#define PAIRS 1000000
#endif

/* ---- numbers of any size ---- */

enum { LIMBS = 6, BASE = 1000000000 };

struct big {
    uint32_t limb[LIMBS]; /* lowest first */
};

static void big_add_product(struct big *sum, uint64_t a, uint64_t b)
{
    uint32_t x[3] = {(uint32_t)(a % BASE), (uint32_t)(a / BASE % BASE),
                     (uint32_t)(a / BASE / BASE)};
    uint32_t y[3] = {(uint32_t)(b % BASE), (uint32_t)(b / BASE % BASE),
                     (uint32_t)(b / BASE / BASE)};

    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            uint64_t carry = (uint64_t)x[i] * y[j];

            for (size_t k = i + j; carry > 0; k++) {
                if (k >= LIMBS) {
                    fail_msg("a sum of more than %d limbs", LIMBS);
                }
                carry += sum->limb[k];
                sum->limb[k] = (uint32_t)(carry % BASE);
                carry /= BASE;
            }
        }
    }
}

static bool big_is(const struct big *big, int64_t number)
{
    uint64_t rest = (uint64_t)number;

    for (size_t i = 0; i < LIMBS; i++) {
        if (big->limb[i] != rest % BASE) {
            return false;
        }
        rest /= BASE;
    }
    return rest == 0;
}

/* Over 2^63 - 1? */
static bool big_is_beyond(const struct big *big)
{
    static const uint32_t most[LIMBS] = {854775807, 223372036, 9, 0, 0, 0};

    for (size_t i = LIMBS; i > 0; i--) {
        if (big->limb[i - 1] != most[i - 1]) {
            return big->limb[i - 1] > most[i - 1];
        }
    }
    return false;
}

/* The number divided by a thousand, upward. */
static struct big big_nano(struct big big)
{
    uint64_t rest = 0;

    for (size_t i = LIMBS; i > 0; i--) {
        uint64_t whole = rest * BASE + big.limb[i - 1];

        big.limb[i - 1] = (uint32_t)(whole / 1000);
        rest = whole % 1000;
    }
    for (size_t i = 0; rest > 0; i++) {
        big.limb[i]++;
        rest = big.limb[i] == BASE ? 1 : 0;
        big.limb[i] = rest > 0 ? 0 : big.limb[i];
    }
    return big;
}

/* ---- chance ---- */

static uint64_t chance_state = 88172645463325252;

static uint64_t chance(void)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return chance_state;
}

static int64_t some_tokens(void)
{
    static const int64_t edges[] = {-1, 0, 1, 999, 1000, 1001, 272000, 272001, 2147483647};
    uint64_t die = chance();

    if (die % 4 == 0) {
        return edges[die / 4 % ARRAY_LENGTH(edges)];
    }
    return (int64_t)(chance() >> (33 + die / 4 % 30)) & 0x7fffffff;
}

static uint32_t some_price(void)
{
    static const uint32_t edges[] = {0, 1, 999, 1000, 1000000000, PRICE_MAX};
    uint64_t die = chance();

    if (die % 4 == 0) {
        return PRICE_ABSENT;
    }
    if (die % 4 == 1) {
        return edges[die / 4 % ARRAY_LENGTH(edges)];
    }
    return (uint32_t)((chance() >> (32 + die / 4 % 31)) % PRICE_MAX);
}

/* ---- the second reckoning ---- */

/* Which classes are asked in turn for a price; the first is the class itself. -1 ends the list. */
static uint32_t second_rate(const struct price_rates *rates, size_t class)
{
    static const int fallbacks[TOKEN_CLASSES][3] = {
        [TOKENS_INPUT] = {TOKENS_INPUT, -1},
        [TOKENS_CACHE_READ] = {TOKENS_CACHE_READ, TOKENS_INPUT, -1},
        [TOKENS_AUDIO_INPUT] = {TOKENS_AUDIO_INPUT, TOKENS_INPUT, -1},
        [TOKENS_IMAGE_INPUT] = {TOKENS_IMAGE_INPUT, TOKENS_INPUT, -1},
        [TOKENS_OUTPUT] = {TOKENS_OUTPUT, TOKENS_INPUT, -1},
        [TOKENS_AUDIO_OUTPUT] = {TOKENS_AUDIO_OUTPUT, TOKENS_OUTPUT, TOKENS_INPUT},
    };
    bool is_write = class >= TOKENS_CACHE_WRITE_5M && class <= TOKENS_CACHE_WRITE_12H;
    uint32_t found = PRICE_ABSENT;

    if (is_write) {
        bool has_any = false;

        if (rates->token[class] != PRICE_ABSENT) {
            return rates->token[class];
        }
        for (size_t i = TOKENS_CACHE_WRITE_5M; i <= TOKENS_CACHE_WRITE_12H; i++) {
            if (rates->token[i] != PRICE_ABSENT && (!has_any || rates->token[i] > found)) {
                found = rates->token[i];
                has_any = true;
            }
        }
        return has_any ? found : rates->token[TOKENS_INPUT];
    }
    for (size_t i = 0; i < 3 && fallbacks[class][i] >= 0 && found == PRICE_ABSENT; i++) {
        found = rates->token[fallbacks[class][i]];
    }
    return found;
}

static struct big second_cost(const struct price *price, const struct usage *usage)
{
    const struct price_rates *rates = &price->cases[0].rates;
    struct big sum = {{0}};
    int64_t prompt = 0;

    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        if (i != TOKENS_OUTPUT && i != TOKENS_AUDIO_OUTPUT && usage->tokens[i] > 0) {
            prompt += usage->tokens[i];
        }
    }
    if (prompt > price->cases[1].over) {
        rates = &price->cases[1].rates;
    }
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        int64_t count = usage->tokens[i] < 0 ? 0 : usage->tokens[i];
        int64_t thought = usage->reasoning < 0 ? 0 : usage->reasoning;

        if (i == TOKENS_OUTPUT && rates->reasoning != PRICE_ABSENT) {
            thought = thought > count ? count : thought;
            big_add_product(&sum, (uint64_t)thought, rates->reasoning);
            count -= thought;
        }
        big_add_product(&sum, (uint64_t)count, second_rate(rates, i));
    }
    for (size_t i = 0; i < FEE_KINDS; i++) {
        if (usage->fees[i] > 0 && price->fees[i] >= 0) {
            big_add_product(&sum, (uint64_t)usage->fees[i], (uint64_t)price->fees[i]);
        }
    }
    return sum;
}

static void compare(const struct price *price, const struct usage *usage)
{
    const struct price_terms terms = {.at = 0};
    struct big expected = second_cost(price, usage);
    struct big nano = big_nano(expected);
    struct cost cost;

    price_cost(price, usage, &terms, &cost);
    if (big_is_beyond(&expected)) {
        assert_true(cost.saturated);
        assert_int_equal(cost.pico, INT64_MAX);
        return;
    }
    assert_false(cost.saturated);
    assert_true(big_is(&expected, cost.pico));
    assert_true(big_is(&nano, cost.nano));
}

static void draw_price(struct price *price, struct price_case cases[2])
{
    for (size_t c = 0; c < 2; c++) {
        for (size_t i = 0; i < TOKEN_CLASSES; i++) {
            cases[c].rates.token[i] = some_price();
        }
        cases[c].rates.reasoning = some_price();
        if (cases[c].rates.token[TOKENS_INPUT] == PRICE_ABSENT) {
            cases[c].rates.token[TOKENS_INPUT] = 1000000;
        }
    }
    cases[0].over = PRICE_ANY_PROMPT;
    cases[1].over = (int32_t)(chance() % 400000);
    *price = (struct price){.cases = cases, .counts = {.cases = 2}};
    for (size_t i = 0; i < FEE_KINDS; i++) {
        price->fees[i] = chance() % 3 == 0 ? -1 : (int64_t)(chance() % 100000000000);
    }
}

static void draw_usage(struct usage *usage)
{
    usage_init(usage);
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        usage->tokens[i] = chance() % 4 == 0 ? -1 : some_tokens();
    }
    usage->reasoning = some_tokens();
    for (size_t i = 0; i < FEE_KINDS; i++) {
        usage->fees[i] = chance() % 2 == 0 ? -1 : (int64_t)(chance() % 1000);
    }
}

static void costs_are_those_of_big_integers(void **state)
{
    struct price_case cases[2] = {{.over = 0}};
    struct price price;
    struct usage usage;

    (void)state;
    for (size_t i = 0; i < PAIRS; i++) {
        if (i % 4 == 0) { /* four usages meet each price */
            draw_price(&price, cases);
        }
        draw_usage(&usage);
        compare(&price, &usage);
    }
}

/* 1,000 USD per million tokens, and every boundary in every class. */
static void boundaries_are_exact(void **state)
{
    static const int64_t counts[] = {0, 1, 999, 1000, 2147483647};
    static const uint32_t prices[] = {0, 1, 999, 1000, 1001, 1000000000, PRICE_MAX};
    struct price_case cases[2] = {{.over = PRICE_ANY_PROMPT}, {.over = INT32_MAX}};
    struct price price = {.cases = cases, .counts = {.cases = 2}, .fees = {-1}};
    struct usage usage;

    (void)state;
    for (size_t class = 0; class < TOKEN_CLASSES; class ++) {
        for (size_t i = 0; i < ARRAY_LENGTH(counts) * ARRAY_LENGTH(prices); i++) {
            for (size_t j = 0; j < TOKEN_CLASSES; j++) {
                cases[0].rates.token[j] = PRICE_ABSENT;
            }
            cases[0].rates.reasoning = PRICE_ABSENT;
            cases[0].rates.token[TOKENS_INPUT] = 7;
            cases[0].rates.token[class] = prices[i / ARRAY_LENGTH(counts)];
            cases[1].rates = cases[0].rates;
            usage_init(&usage);
            usage.tokens[class] = counts[i % ARRAY_LENGTH(counts)];
            compare(&price, &usage);
        }
    }
}

static void the_largest_call_of_1000_usd_is_exact(void **state)
{
    struct price_case one = {.over = PRICE_ANY_PROMPT};
    struct price price = {.cases = &one, .counts = {.cases = 1}, .fees = {-1}};
    const struct price_terms terms = {.at = 0};
    struct usage usage;
    struct cost cost;

    (void)state;
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        one.rates.token[i] = PRICE_ABSENT;
    }
    one.rates.reasoning = PRICE_ABSENT;
    one.rates.token[TOKENS_INPUT] = 1000000000;
    usage_init(&usage);
    usage.tokens[TOKENS_INPUT] = 2147483647;
    price_cost(&price, &usage, &terms, &cost);
    assert_false(cost.saturated);
    assert_int_equal(cost.pico, INT64_C(2147483647000000000));
    assert_int_equal(cost.nano, INT64_C(2147483647000000));
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        usage.tokens[i] = 2147483647;
    }
    price_cost(&price, &usage, &terms, &cost);
    assert_true(cost.saturated);
    assert_int_equal(cost.pico, INT64_MAX);
    assert_int_equal(cost.nano, INT64_MAX / 1000 + 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_are_those_of_big_integers),
        cmocka_unit_test(boundaries_are_exact),
        cmocka_unit_test(the_largest_call_of_1000_usd_is_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
