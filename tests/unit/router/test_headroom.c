/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of reported limits, in virtual time: by hand, against a log that is read from its
 * beginning each time, and against a provider whose answers overtake each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"
#include "router/headroom.h"

#define NONE                                                                                       \
    {                                                                                              \
        -1, -1, -1                                                                                 \
    }
#define BIG ((int64_t)1 << 53)

static const mono_ms t0 = 1000000;

static void report_tokens(struct headroom *headroom, int64_t limit, int64_t remaining,
                          int64_t reset_ms, mono_ms now)
{
    struct reported reported = {NONE, {limit, remaining, reset_ms}, NONE, NONE, true};

    headroom_report(headroom, &reported, now);
}

static int64_t tokens_left(const struct headroom *headroom, mono_ms now)
{
    struct limit_view requests;
    struct limit_view tokens;

    headroom_view(headroom, now, &requests, &tokens);
    return tokens.left;
}

static bool covers(const struct headroom *headroom, uint64_t tokens, mono_ms now)
{
    mono_ms until = 0;
    bool is_covered = headroom_covers(headroom, tokens, 0, now, &until);

    assert_true(is_covered ? until == 0 : until > now);
    return is_covered;
}

static void headroom__covers_everything_while_nothing_is_known(void **state)
{
    struct headroom headroom;
    struct reported nothing = {NONE, NONE, NONE, NONE, false};
    struct limit_view requests;
    struct limit_view tokens;

    (void)state;
    headroom_init(&headroom);
    headroom_report(&headroom, &nothing, t0);
    headroom_start(&headroom, UINT64_MAX, UINT64_MAX, t0);
    assert_true(covers(&headroom, UINT64_MAX, t0));
    assert_int_equal(headroom_permille(&headroom, t0), 1000);
    headroom_view(&headroom, t0, &requests, &tokens);
    assert_int_equal(requests.limit, -1);
    assert_int_equal(requests.left, -1);
    assert_int_equal(requests.reset_ms, -1);
    assert_int_equal(tokens.left, -1);
}

static void headroom__takes_estimates_off_until_the_reset(void **state)
{
    struct headroom headroom;
    mono_ms until = 0;

    (void)state;
    headroom_init(&headroom);
    report_tokens(&headroom, 1000, 500, 6000, t0);
    assert_true(covers(&headroom, 500, t0));
    headroom_start(&headroom, 100, 200, t0 + 1);
    assert_int_equal(tokens_left(&headroom, t0 + 1), 200);
    assert_true(covers(&headroom, 200, t0 + 1));
    assert_false(headroom_covers(&headroom, 150, 51, t0 + 1, &until));
    assert_true(until == t0 + 6000);
    assert_false(covers(&headroom, 201, t0 + 5999));
    assert_true(covers(&headroom, 201, t0 + 6000));
    assert_int_equal(tokens_left(&headroom, t0 + 6000), 1000);
    headroom_start(&headroom, 900, 0, t0 + 6000); /* nobody knows what that comes off */
    assert_int_equal(tokens_left(&headroom, t0 + 6000), 1000);
    report_tokens(&headroom, 1000, 50, 6000, t0 + 6001);
    assert_int_equal(tokens_left(&headroom, t0 + 6001), 50);
    headroom_start(&headroom, 60, 0, t0 + 6002);
    assert_int_equal(tokens_left(&headroom, t0 + 6002), 0);
}

static void headroom__every_limit_can_say_no(void **state)
{
    static const struct {
        struct reported reported;
        bool small, long_in, long_out;
        mono_ms until;
    } rows[] = {
        {{{9, 0, 500}, NONE, NONE, NONE, true}, false, false, false, 500},
        {{{9, 1, 500}, NONE, NONE, NONE, true}, true, true, true, 500},
        {{NONE, {9000, 120, 700}, NONE, NONE, true}, true, false, false, 700},
        {{NONE, NONE, {9000, 99, 800}, NONE, true}, true, false, true, 800},
        {{NONE, NONE, NONE, {9000, 99, 900}, true}, true, true, false, 900},
        /* the last of those that say no */
        {{{9, 0, 500}, NONE, {9000, 0, 1900}, {9000, 0, 900}, true}, false, false, false, 1900},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct headroom headroom;
        mono_ms until = t0 + rows[i].until;

        headroom_init(&headroom);
        headroom_report(&headroom, &rows[i].reported, t0);
        assert_int_equal(headroom_covers(&headroom, 10, 10, t0, &until), rows[i].small);
        assert_int_equal(headroom_covers(&headroom, 100, 30, t0, &until), rows[i].long_in);
        assert_int_equal(headroom_covers(&headroom, 30, 100, t0, &until), rows[i].long_out);
        assert_true(until == t0 + rows[i].until);
        assert_true(headroom_covers(&headroom, 100, 100, until, &until));
    }
}

static void headroom__ignores_an_answer_from_before_the_last(void **state)
{
    struct headroom headroom;

    (void)state;
    headroom_init(&headroom);
    report_tokens(&headroom, 1000, 200, 8000, t0);
    headroom_start(&headroom, 50, 0, t0 + 100);
    report_tokens(&headroom, 1000, 700, 3000, t0 + 1000); /* 300 can be there */
    assert_int_equal(tokens_left(&headroom, t0 + 1000), 150);
    assert_int_equal(tokens_left(&headroom, t0 + 7999), 150);
    report_tokens(&headroom, 1000, 300, 7000, t0 + 1000); /* as much as can be there */
    assert_int_equal(tokens_left(&headroom, t0 + 1000), 300);
    report_tokens(&headroom, 1000, 301, 7000, t0 + 1000);
    assert_int_equal(tokens_left(&headroom, t0 + 1000), 300);
    report_tokens(&headroom, 1000, 10, 9000, t0 + 1000); /* less is always believed */
    assert_int_equal(tokens_left(&headroom, t0 + 1000), 10);
    report_tokens(&headroom, 2000, 1900, 9000, t0 + 1000); /* a new limit as well */
    assert_int_equal(tokens_left(&headroom, t0 + 1000), 1900);
    report_tokens(&headroom, 2000, 5, 10, t0 + 1000);
    report_tokens(&headroom, 2000, 2000, -1, t0 + 1010); /* after the reset all is new */
    assert_int_equal(tokens_left(&headroom, t0 + 1010), 2000);
}

static void headroom__does_not_shut_out_what_is_larger_than_the_limit(void **state)
{
    struct headroom headroom;

    (void)state;
    headroom_init(&headroom);
    report_tokens(&headroom, 1000, 1000, 60000, t0);
    assert_true(covers(&headroom, 5000, t0));
    headroom_start(&headroom, 1, 0, t0);
    assert_false(covers(&headroom, 5000, t0));
    assert_true(covers(&headroom, 999, t0));
    assert_true(covers(&headroom, 5000, t0 + 60000));
    /* More left than the limit is no more than the limit. */
    report_tokens(&headroom, 1000, 5000, 60000, t0 + 60000);
    assert_int_equal(tokens_left(&headroom, t0 + 60000), 1000);
}

static void headroom__says_no_only_by_a_reset_that_was_told(void **state)
{
    struct headroom headroom;

    (void)state;
    headroom_init(&headroom);
    report_tokens(&headroom, 1000, 0, -1, t0);
    assert_true(covers(&headroom, 100, t0));
    assert_int_equal(headroom_permille(&headroom, t0), 100);
    assert_int_equal(headroom_permille(&headroom, t0 + 59999), 100);
    assert_int_equal(headroom_permille(&headroom, t0 + 60000), 1000);
    /* 0 alone, or of a limit of 0, is no proof. */
    headroom_init(&headroom);
    report_tokens(&headroom, -1, 0, 60000, t0);
    assert_true(covers(&headroom, 100, t0));
    report_tokens(&headroom, 0, 0, 60000, t0);
    assert_true(covers(&headroom, 100, t0));
    assert_int_equal(headroom_permille(&headroom, t0), 1000);
    report_tokens(&headroom, 1000, -1, 60000, t0);
    assert_true(covers(&headroom, 100, t0));
    /* What is left without its limit counts, and a limit told earlier stays. */
    report_tokens(&headroom, -1, 50, 60000, t0);
    assert_false(covers(&headroom, 100, t0));
    assert_int_equal(headroom_permille(&headroom, t0), 1000);
    report_tokens(&headroom, 1000, 50, 60000, t0);
    report_tokens(&headroom, -1, 40, 60000, t0);
    assert_int_equal(headroom_permille(&headroom, t0), 200);
}

static void headroom__the_factor_falls_below_a_fifth(void **state)
{
    static const struct {
        int64_t limit, remaining;
        uint32_t permille;
    } rows[] = {
        {1000, 1000, 1000},  {1000, 200, 1000},        {1000, 199, 995},     {1000, 100, 500},
        {1000, 20, 100},     {1000, 0, 100},           {3, 1, 1000},         {4, 0, 100},
        {BIG, BIG / 5, 999}, {BIG, BIG / 5 + 1, 1000}, {BIG, BIG / 50, 100},
    };
    struct headroom headroom;
    struct reported tight = {{1000, 100, 9}, {1000, 500, 9}, {1000, 40, 9}, {1000, 60, 9}, true};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        headroom_init(&headroom);
        report_tokens(&headroom, rows[i].limit, rows[i].remaining, 60000, t0);
        assert_int_equal(headroom_permille(&headroom, t0), rows[i].permille);
    }
    headroom_init(&headroom);
    headroom_report(&headroom, &tight, t0);
    assert_int_equal(headroom_permille(&headroom, t0), 200); /* the tightest */
}

static void headroom__shows_the_common_limit_or_the_tighter(void **state)
{
    struct headroom headroom;
    struct limit_view requests;
    struct limit_view tokens;
    struct reported both = {{50, 49, 1200}, {100, 90, 5}, {70, 60, 6}, {80, 1, 7}, true};
    struct reported parts = {NONE, NONE, {70, 60, 6}, {80, 1, 7}, true};

    (void)state;
    headroom_init(&headroom);
    headroom_report(&headroom, &both, t0);
    headroom_start(&headroom, 3, 4, t0);
    headroom_view(&headroom, t0 + 2, &requests, &tokens);
    assert_int_equal(requests.limit, 50);
    assert_int_equal(requests.left, 48);
    assert_int_equal(requests.reset_ms, 1198);
    assert_int_equal(tokens.limit, 100);
    assert_int_equal(tokens.left, 83);
    assert_int_equal(tokens.reset_ms, 3);
    headroom_view(&headroom, t0 + 5, &requests, &tokens);
    assert_int_equal(tokens.left, 100);
    assert_int_equal(tokens.reset_ms, -1);
    headroom_init(&headroom);
    headroom_report(&headroom, &parts, t0);
    headroom_view(&headroom, t0, &requests, &tokens);
    assert_int_equal(requests.left, -1);
    assert_int_equal(tokens.limit, 80);
}

/* ---- against a log ---- */

struct note {
    mono_ms at;
    bool is_report;
    int64_t remaining, reset_ms; /* report */
    uint64_t need;               /* start */
};

enum { NOTES = 60, RUNS = 1000, MODEL_LIMIT = 600 };

/* What the log says is left. */
static int64_t model_left(const struct note *notes, size_t count, mono_ms now, mono_ms *full_at)
{
    const struct note *last = NULL;
    int64_t started = 0;

    *full_at = 0;
    for (size_t i = 0; i < count; i++) {
        const struct note *note = &notes[i];
        bool is_live = last != NULL && note->at < *full_at;
        if (!note->is_report) {
            started += is_live ? (int64_t)note->need : 0;
        } else if (!is_live ||
                   note->remaining <= last->remaining + (MODEL_LIMIT - last->remaining) *
                                                            (int64_t)(note->at - last->at) /
                                                            last->reset_ms) {
            last = note;
            started = 0;
            *full_at = note->at + (uint64_t)note->reset_ms;
        }
    }
    if (last == NULL) {
        return -1;
    }
    if (now >= *full_at) {
        return MODEL_LIMIT;
    }
    return last->remaining > started ? last->remaining - started : 0;
}

static void check_against(const struct note *notes, size_t count, mono_ms now,
                          const struct headroom *headroom, uint64_t need)
{
    mono_ms full_at = 0;
    mono_ms until = 0;
    int64_t left = model_left(notes, count, now, &full_at);
    bool fits = left < 0 || now >= full_at || need <= (uint64_t)left ||
                (need > MODEL_LIMIT && left == MODEL_LIMIT);
    int64_t permille = left < 0 ? 1000 : left * 1000 * 5 / MODEL_LIMIT;

    permille = permille > 1000 ? 1000 : permille < 100 ? 100 : permille;
    assert_int_equal(tokens_left(headroom, now), left);
    assert_int_equal(headroom_permille(headroom, now), permille);
    assert_int_equal(headroom_covers(headroom, need, 0, now, &until), fits);
    assert_true(fits || until == full_at);
}

static void headroom__agrees_with_a_log_read_from_its_beginning(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct note notes[NOTES];
        struct headroom headroom;
        struct rng rng;
        mono_ms now = t0;

        rng_init(&rng, seed, 1);
        headroom_init(&headroom);
        for (size_t i = 0; i < NOTES; i++) {
            now += rng_below(&rng, 400);
            notes[i] = (struct note){.at = now,
                                     .is_report = rng_below(&rng, 2) == 0,
                                     .remaining = (int64_t)rng_below(&rng, MODEL_LIMIT + 1),
                                     .reset_ms = (int64_t)rng_below(&rng, 3000) + 1,
                                     .need = rng_below(&rng, 200)};
            if (notes[i].is_report) {
                report_tokens(&headroom, MODEL_LIMIT, notes[i].remaining, notes[i].reset_ms, now);
            } else {
                headroom_start(&headroom, notes[i].need, 0, now);
            }
            check_against(notes, i + 1, now + rng_below(&rng, 200), &headroom,
                          rng_below(&rng, MODEL_LIMIT * 2));
        }
    }
}

/* ---- against a provider ---- */

/* A bucket that refills one token a ms, and answers that take their time. */
struct reply {
    mono_ms due; /* 0: none under way */
    int64_t remaining;
};

enum { REPLIES = 8, BUCKET = 5000 };

static void headroom__never_believes_more_than_any_answer_allows(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct reply replies[REPLIES] = {{0, 0}};
        struct headroom headroom;
        struct rng rng;
        int64_t level = BUCKET;
        int64_t most = BUCKET; /* what the answers that came allow, refill included */

        rng_init(&rng, seed, 2);
        headroom_init(&headroom);
        for (mono_ms now = t0; now < t0 + 4000; now++) {
            struct reply *reply = &replies[rng_below(&rng, REPLIES)];
            uint64_t size = rng_below(&rng, 400) + 1;

            level += level < BUCKET;
            most += most < BUCKET;
            for (size_t i = 0; i < REPLIES; i++) {
                if (replies[i].due == now) {
                    int64_t reset = BUCKET - replies[i].remaining;
                    report_tokens(&headroom, BUCKET, replies[i].remaining, reset, now);
                    most = replies[i].remaining < most ? replies[i].remaining : most;
                }
            }
            if (reply->due <= now && level > (int64_t)size && rng_below(&rng, 50) == 0) {
                level -= (int64_t)size;
                headroom_start(&headroom, size, 0, now);
                *reply = (struct reply){now + 1 + rng_below(&rng, 900), level};
            }
            /* Full again by its own reckoning: from there on everything may be tried. */
            if (headroom.tokens.told >= 0 && now < headroom.tokens.full_at) {
                assert_true(tokens_left(&headroom, now) <= most);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headroom__covers_everything_while_nothing_is_known),
        cmocka_unit_test(headroom__takes_estimates_off_until_the_reset),
        cmocka_unit_test(headroom__every_limit_can_say_no),
        cmocka_unit_test(headroom__ignores_an_answer_from_before_the_last),
        cmocka_unit_test(headroom__does_not_shut_out_what_is_larger_than_the_limit),
        cmocka_unit_test(headroom__says_no_only_by_a_reset_that_was_told),
        cmocka_unit_test(headroom__the_factor_falls_below_a_fifth),
        cmocka_unit_test(headroom__shows_the_common_limit_or_the_tighter),
        cmocka_unit_test(headroom__agrees_with_a_log_read_from_its_beginning),
        cmocka_unit_test(headroom__never_believes_more_than_any_answer_allows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
