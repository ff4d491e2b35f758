/* SPDX-License-Identifier: Apache-2.0 */
/* The table of ids: stale ids find nothing, the ceiling holds, a failed growth changes nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/slots.h"

static void slots__finds_what_was_added(void **state)
{
    struct slots slots;
    int objects[100];
    uint64_t ids[100];

    (void)state;
    slots_init(&slots, 100);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(slots_add(&slots, &objects[i], &ids[i]), ERR_NONE);
        assert_true(ids[i] != 0);
    }
    for (unsigned i = 0; i < 100; i++) {
        assert_ptr_equal(slots_find(&slots, ids[i]), &objects[i]);
    }
    assert_int_equal(slots.count, 100);
    slots_fini(&slots);
    slots_fini(&slots);
    assert_int_equal(mem_held(), 0);
}

static void slots__stale_ids_find_nothing(void **state)
{
    struct slots slots;
    int first = 0;
    int second = 0;
    uint64_t old_id = 0;
    uint64_t new_id = 0;

    (void)state;
    slots_init(&slots, 1);
    assert_int_equal(slots_add(&slots, &first, &old_id), ERR_NONE);
    assert_ptr_equal(slots_remove(&slots, old_id), &first);
    assert_null(slots_find(&slots, old_id));
    assert_null(slots_remove(&slots, old_id));
    assert_int_equal(slots_add(&slots, &second, &new_id), ERR_NONE);
    assert_true(new_id != old_id);
    assert_null(slots_find(&slots, old_id));
    assert_null(slots_remove(&slots, old_id));
    assert_ptr_equal(slots_find(&slots, new_id), &second);
    assert_int_equal(slots.count, 1);
    slots_fini(&slots);
}

/* As far as it is for warming: the place of each id is its own, and inside the table. */
static void slots__each_id_has_its_place(void **state)
{
    struct slots slots;
    int objects[20];
    uint64_t ids[20];

    (void)state;
    slots_init(&slots, 20);
    assert_int_equal(slots_place(&slots, 7).len, 0);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(slots_add(&slots, &objects[i], &ids[i]), ERR_NONE);
    }
    for (unsigned i = 0; i < 20; i++) {
        struct span place = slots_place(&slots, ids[i]);

        assert_true(place.len > 0);
        assert_ptr_equal(place.at, slots_place(&slots, ids[0]).at + i * place.len);
    }
    slots_fini(&slots);
}

static void slots__foreign_ids_find_nothing(void **state)
{
    struct slots slots;
    int object = 0;
    uint64_t id = 0;

    (void)state;
    slots_init(&slots, 10);
    assert_null(slots_find(&slots, 0));
    assert_null(slots_find(&slots, UINT64_C(1) << 32));
    assert_int_equal(slots_add(&slots, &object, &id), ERR_NONE);
    assert_null(slots_find(&slots, 0));
    assert_null(slots_find(&slots, id + 1));
    assert_null(slots_find(&slots, id & UINT32_MAX));
    assert_null(slots_find(&slots, UINT64_MAX));
    slots_fini(&slots);
}

static void slots__refuses_more_than_its_ceiling(void **state)
{
    struct slots slots;
    int object = 0;
    uint64_t ids[19];
    uint64_t more = 5;

    (void)state;
    slots_init(&slots, 19);
    for (unsigned i = 0; i < 19; i++) {
        assert_int_equal(slots_add(&slots, &object, &ids[i]), ERR_NONE);
    }
    assert_int_equal(slots_add(&slots, &object, &more), ERR_CEILING);
    assert_int_equal(more, 5);
    assert_ptr_equal(slots_remove(&slots, ids[7]), &object);
    assert_int_equal(slots_add(&slots, &object, &more), ERR_NONE);
    slots_fini(&slots);
    slots_init(&slots, 0);
    assert_int_equal(slots_add(&slots, &object, &more), ERR_CEILING);
    slots_fini(&slots);
}

static void slots__failed_growth_changes_nothing(void **state)
{
    struct slots slots;
    int object = 0;
    uint64_t id = 0;
    uint64_t more = 0;

    (void)state;
    slots_init(&slots, 100);
    assert_int_equal(slots_add(&slots, &object, &id), ERR_NONE);
    for (unsigned i = 1; i < 16; i++) {
        assert_int_equal(slots_add(&slots, &object, &more), ERR_NONE);
    }
    mem_fail_at(1);
    assert_int_equal(slots_add(&slots, &object, &more), ERR_MEMORY);
    mem_fail_at(0);
    assert_int_equal(slots.count, 16);
    assert_ptr_equal(slots_find(&slots, id), &object);
    assert_int_equal(slots_add(&slots, &object, &more), ERR_NONE);
    assert_ptr_equal(slots_find(&slots, id), &object);
    slots_fini(&slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots__finds_what_was_added),
        cmocka_unit_test(slots__stale_ids_find_nothing),
        cmocka_unit_test(slots__each_id_has_its_place),
        cmocka_unit_test(slots__foreign_ids_find_nothing),
        cmocka_unit_test(slots__refuses_more_than_its_ceiling),
        cmocka_unit_test(slots__failed_growth_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
