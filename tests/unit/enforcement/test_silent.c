/* SPDX-License-Identifier: Apache-2.0 */
/* The book of silent connections: who gives way, that others are left alone, and that it holds
 * nothing when nobody is silent. The last test compares it with a list that is searched. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"
#include "enforcement/silent.h"

static const uint64_t seed[2] = {7, 11};

static struct silent_name from(uint8_t last)
{
    return silent_name_ipv4((const uint8_t[4]){192, 0, 2, last});
}

static void enter(struct silent *silent, uint8_t who, struct silent_place *place)
{
    struct silent_name name = from(who);

    *place = (struct silent_place){.peer = NULL};
    assert_int_equal(silent_enter(silent, &name, place), ERR_NONE);
}

static void begin(struct silent *silent, uint32_t most_per_peer, uint32_t most)
{
    silent_init(silent, seed);
    silent->most_per_peer = most_per_peer;
    silent->most = most;
}

static void end(struct silent *silent)
{
    silent_fini(silent);
    silent_fini(silent);
    assert_int_equal(mem_held(), 0);
}

static void silent__the_oldest_of_an_address_gives_way(void **state)
{
    struct silent silent;
    struct silent_place places[5];

    (void)state;
    begin(&silent, 3, 100);
    for (size_t i = 0; i < 3; i++) {
        enter(&silent, 1, &places[i]);
        assert_null(silent_surplus(&silent, &places[i]));
    }
    enter(&silent, 1, &places[3]);
    assert_true(silent_is_crowded(&silent, &places[3]));
    assert_ptr_equal(silent_surplus(&silent, &places[3]), &places[0]);
    silent_leave(&silent, &places[0]);
    assert_null(silent_surplus(&silent, &places[3]));
    silent_leave(&silent, &places[1]); /* has spoken: there is room again */
    enter(&silent, 1, &places[4]);
    assert_null(silent_surplus(&silent, &places[4]));
    for (size_t i = 0; i < 5; i++) {
        silent_leave(&silent, &places[i]);
    }
    end(&silent);
}

static void silent__other_addresses_are_left_alone(void **state)
{
    struct silent silent;
    struct silent_place quiet;
    struct silent_place flood[50];

    (void)state;
    begin(&silent, 4, 100);
    enter(&silent, 1, &quiet);
    for (size_t i = 0; i < 50; i++) {
        struct silent_place *surplus = NULL;
        enter(&silent, 2, &flood[i]);
        surplus = silent_surplus(&silent, &flood[i]);
        assert_ptr_equal(surplus, i < 4 ? NULL : &flood[i - 4]);
        if (surplus != NULL) {
            silent_leave(&silent, surplus);
        }
    }
    assert_int_equal(silent.count, 5);
    assert_non_null(quiet.peer);
    for (size_t i = 0; i < 50; i++) {
        silent_leave(&silent, &flood[i]);
    }
    silent_leave(&silent, &quiet);
    end(&silent);
}

static void silent__all_addresses_together_have_a_ceiling_too(void **state)
{
    struct silent silent;
    struct silent_place places[6];

    (void)state;
    begin(&silent, 3, 5);
    for (uint8_t i = 0; i < 5; i++) {
        enter(&silent, i, &places[i]);
        assert_null(silent_surplus(&silent, &places[i]));
    }
    enter(&silent, 9, &places[5]);
    assert_false(silent_is_crowded(&silent, &places[5]));
    assert_ptr_equal(silent_surplus(&silent, &places[5]), &places[0]);
    for (size_t i = 0; i < 6; i++) {
        silent_leave(&silent, &places[i]);
    }
    end(&silent);
}

static void silent__leaving_twice_or_without_entering_does_nothing(void **state)
{
    struct silent silent;
    struct silent_place never = {.peer = NULL};
    struct silent_place place;

    (void)state;
    begin(&silent, 3, 5);
    enter(&silent, 1, &place);
    silent_leave(&silent, &never);
    assert_int_equal(silent.count, 1);
    silent_leave(&silent, &place);
    silent_leave(&silent, &place);
    assert_int_equal(silent.count, 0);
    end(&silent);
}

static void silent__names_say_who_shares_a_ceiling(void **state)
{
    uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 1};
    uint8_t here[16] = {0x20, 0x01, 0x0d, 0xb8, [7] = 1, [15] = 1};
    uint8_t neighbour[16] = {0x20, 0x01, 0x0d, 0xb8, [7] = 1, [8] = 0xfe, [15] = 2};
    uint8_t elsewhere[16] = {0x20, 0x01, 0x0d, 0xb8, [7] = 2, [15] = 1};
    uint8_t loopback[16] = {[15] = 1};
    struct silent_name names[] = {from(1), from(2), silent_name_ipv6(here),
                                  silent_name_ipv6(elsewhere), silent_name_ipv6(loopback),
                                  silent_name_unix()};
    struct silent_name same = silent_name_ipv6(mapped);

    (void)state;
    assert_memory_equal(&same, &names[0], sizeof same);
    same = silent_name_ipv6(neighbour);
    assert_memory_equal(&same, &names[2], sizeof same);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(&names[i], &names[j], sizeof names[i]);
        }
    }
}

static void silent__ceilings_are_shares_of_the_descriptors(void **state)
{
    static const struct {
        uint64_t descriptors;
        uint32_t per_peer;
        uint32_t all;
    } rows[] = {{0, 1, 1},
                {3, 1, 1},
                {1024, 256, 512},
                {20000, 5000, 10000},
                {65536, LIMIT_SILENT_PER_PEER, LIMIT_SILENT},
                {1048576, LIMIT_SILENT_PER_PEER, LIMIT_SILENT},
                {UINT64_MAX, LIMIT_SILENT_PER_PEER, LIMIT_SILENT}};
    struct silent silent;

    (void)state;
    silent_init(&silent, seed);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        silent_fit(&silent, rows[i].descriptors);
        assert_int_equal(silent.most_per_peer, rows[i].per_peer);
        assert_int_equal(silent.most, rows[i].all);
    }
    silent_fini(&silent);
}

static void silent__without_memory_nobody_is_entered(void **state)
{
    struct silent silent;
    struct silent_name name = from(1);
    struct silent_place place = {.peer = NULL};

    (void)state;
    begin(&silent, 3, 5);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        mem_fail_at(nth);
        assert_int_equal(silent_enter(&silent, &name, &place), ERR_MEMORY);
        mem_fail_at(0);
        assert_null(place.peer);
        assert_int_equal(silent.count, 0);
    }
    assert_int_equal(silent_enter(&silent, &name, &place), ERR_NONE);
    silent_leave(&silent, &place);
    end(&silent);
}

/* ---- against a list that is searched ---- */

enum { PLACES = 200, STEPS = 20000, PEERS = 8, PER_PEER = 20, ALL = 90 };

struct model {
    struct silent_place place;
    uint64_t since; /* 0: not in the book */
    uint8_t who;
};

/* The one of `who` (or of all, with who PEERS) that entered first, and how many there are. */
static struct model *oldest(struct model *models, uint8_t who, unsigned *count)
{
    struct model *found = NULL;

    *count = 0;
    for (size_t i = 0; i < PLACES; i++) {
        struct model *model = &models[i];
        if (model->since == 0 || (who != PEERS && model->who != who)) {
            continue;
        }
        (*count)++;
        if (found == NULL || model->since < found->since) {
            found = model;
        }
    }
    return found;
}

static struct model *surplus(struct model *models, uint8_t who)
{
    unsigned count = 0;
    struct model *first = oldest(models, who, &count);

    if (count > PER_PEER) {
        return first;
    }
    first = oldest(models, PEERS, &count);
    return count > ALL ? first : NULL;
}

static void silent__agrees_with_a_list_that_is_searched(void **state)
{
    static struct model models[PLACES];
    struct silent silent;
    struct rng rng;

    (void)state;
    memset(models, 0, sizeof models);
    begin(&silent, PER_PEER, ALL);
    rng_init(&rng, 3, 4);
    for (uint64_t step = 1; step <= STEPS; step++) {
        struct model *model = &models[rng_below(&rng, PLACES)];
        struct model *wanted = NULL;
        if (model->since != 0) {
            silent_leave(&silent, &model->place);
            model->since = 0;
            continue;
        }
        /* One address floods, the others come now and then. */
        model->who = rng_below(&rng, 3) > 0 ? 0 : (uint8_t)rng_below(&rng, PEERS);
        model->since = step;
        enter(&silent, model->who, &model->place);
        wanted = surplus(models, model->who);
        assert_ptr_equal(silent_surplus(&silent, &model->place),
                         wanted == NULL ? NULL : &wanted->place);
        if (wanted != NULL) {
            assert_ptr_not_equal(wanted, model);
            silent_leave(&silent, &wanted->place);
            wanted->since = 0;
        }
    }
    for (size_t i = 0; i < PLACES; i++) {
        silent_leave(&silent, &models[i].place);
    }
    end(&silent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent__the_oldest_of_an_address_gives_way),
        cmocka_unit_test(silent__other_addresses_are_left_alone),
        cmocka_unit_test(silent__all_addresses_together_have_a_ceiling_too),
        cmocka_unit_test(silent__leaving_twice_or_without_entering_does_nothing),
        cmocka_unit_test(silent__names_say_who_shares_a_ceiling),
        cmocka_unit_test(silent__ceilings_are_shares_of_the_descriptors),
        cmocka_unit_test(silent__without_memory_nobody_is_entered),
        cmocka_unit_test(silent__agrees_with_a_list_that_is_searched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
