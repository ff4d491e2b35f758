/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and the target that served them last: remembered, forgotten after idleness, never
 * mistaken for one another. The last test compares the table with what was noted. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "router/sticky.h"

static const uint64_t seed[2] = {7, 11};

static struct sticky *begin(void)
{
    struct sticky *sticky = sticky_new(seed);

    assert_non_null(sticky);
    return sticky;
}

static void end(struct sticky *sticky)
{
    sticky_free(sticky);
    assert_int_equal(mem_held(), 0);
}

static void sticky__remembers_the_last_target(void **state)
{
    struct sticky *sticky = begin();
    uint64_t hash = sticky_hash(sticky, SPAN_OF("smart"), SPAN_OF("session-1"));

    (void)state;
    assert_int_equal(sticky_find(sticky, hash, 0), -1);
    sticky_note(sticky, hash, 0, 0);
    assert_int_equal(sticky_find(sticky, hash, 1), 0);
    sticky_note(sticky, hash, 31, 2);
    assert_int_equal(sticky_find(sticky, hash, 3), 31);
    end(sticky);
}

static void sticky__knows_nothing_at_first_not_even_hash_zero(void **state)
{
    struct sticky *sticky = begin();

    (void)state;
    for (uint64_t hash = 0; hash < STICKY_ENTRIES; hash++) {
        assert_int_equal(sticky_find(sticky, hash, 0), -1);
    }
    end(sticky);
}

static void sticky__forgets_after_five_idle_minutes(void **state)
{
    struct sticky *sticky = begin();

    (void)state;
    sticky_note(sticky, 5, 2, 1000);
    assert_int_equal(sticky_find(sticky, 5, 300999), 2);
    assert_int_equal(sticky_find(sticky, 5, 301000), -1);
    sticky_note(sticky, 5, 2, 300999); /* was served in time: five minutes more */
    assert_int_equal(sticky_find(sticky, 5, 600998), 2);
    assert_int_equal(sticky_find(sticky, 5, 600999), -1);
    end(sticky);
}

static void sticky__a_newer_session_takes_the_entry(void **state)
{
    struct sticky *sticky = begin();

    (void)state;
    sticky_note(sticky, 9, 1, 0);
    sticky_note(sticky, 9 + STICKY_ENTRIES, 2, 1);
    assert_int_equal(sticky_find(sticky, 9, 2), -1);
    assert_int_equal(sticky_find(sticky, 9 + STICKY_ENTRIES, 2), 2);
    end(sticky);
}

static void sticky__hashes_route_and_session_apart(void **state)
{
    struct sticky *sticky = begin();
    static const uint64_t other_seed[2] = {7, 12};
    struct sticky *other = sticky_new(other_seed);
    uint64_t hash = sticky_hash(sticky, SPAN_OF("ab"), SPAN_OF("cd"));

    (void)state;
    assert_non_null(other);
    assert_true(hash == sticky_hash(sticky, SPAN_OF("ab"), SPAN_OF("cd")));
    assert_true(hash != sticky_hash(sticky, SPAN_OF("abc"), SPAN_OF("d")));
    assert_true(hash != sticky_hash(sticky, SPAN_OF("a"), SPAN_OF("bcd")));
    assert_true(hash != sticky_hash(sticky, SPAN_OF("cd"), SPAN_OF("ab")));
    assert_true(hash != sticky_hash(sticky, SPAN_OF("ab"), SPAN_OF("ce")));
    assert_true(hash != sticky_hash(sticky, SPAN_OF("ax"), SPAN_OF("cd")));
    assert_true(hash != sticky_hash(other, SPAN_OF("ab"), SPAN_OF("cd")));
    sticky_free(other);
    end(sticky);
}

static void sticky__without_memory_there_is_none(void **state)
{
    (void)state;
    mem_fail_at(1);
    assert_null(sticky_new(seed));
    mem_fail_at(0);
    assert_int_equal(mem_held(), 0);
}

/* What was noted last for each of these is all that may ever be found; and most are found. */
static void sticky__never_tells_of_another_session(void **state)
{
    enum { SESSIONS = 1000, STEPS = 20000 };
    struct {
        uint64_t hash;
        mono_ms at;
        uint8_t place;
    } noted[SESSIONS] = {{0}};
    struct sticky *sticky = begin();
    struct rng rng;
    unsigned found = 0;

    (void)state;
    rng_init(&rng, 1, 0);
    for (size_t i = 0; i < SESSIONS; i++) {
        noted[i].hash = rng_u64(&rng);
    }
    for (mono_ms now = 1; now <= STEPS * 100; now += 100) {
        size_t i = rng_below(&rng, SESSIONS);
        size_t j = rng_below(&rng, SESSIONS);
        int place = sticky_find(sticky, noted[j].hash, now);
        if (place >= 0) {
            assert_int_equal(place, noted[j].place);
            assert_true(noted[j].at != 0 && now - noted[j].at < STICKY_IDLE_MS);
            found++;
        }
        noted[i].at = now;
        noted[i].place = (uint8_t)rng_below(&rng, 32);
        sticky_note(sticky, noted[i].hash, noted[i].place, now);
    }
    assert_true(found > STEPS / 2);
    end(sticky);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sticky__remembers_the_last_target),
        cmocka_unit_test(sticky__knows_nothing_at_first_not_even_hash_zero),
        cmocka_unit_test(sticky__forgets_after_five_idle_minutes),
        cmocka_unit_test(sticky__a_newer_session_takes_the_entry),
        cmocka_unit_test(sticky__hashes_route_and_session_apart),
        cmocka_unit_test(sticky__without_memory_there_is_none),
        cmocka_unit_test(sticky__never_tells_of_another_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
