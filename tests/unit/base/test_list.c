/* SPDX-License-Identifier: Apache-2.0 */
/* The intrusive ring. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/list.h"

struct item {
    int number;
    struct link link;
};

static void check(const struct link *head, const int *numbers, size_t count)
{
    const struct link *at = head->next;

    for (size_t i = 0; i < count; i++, at = at->next) {
        assert_ptr_not_equal(at, head);
        assert_int_equal(LIST_OWNER(at, struct item, link)->number, numbers[i]);
        assert_ptr_equal(at->next->prev, at);
    }
    assert_ptr_equal(at, head);
}

static void list__keeps_the_order_of_pushing(void **state)
{
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    struct link head;

    (void)state;
    list_init(&head);
    assert_true(list_is_empty(&head));
    list_push_back(&head, &items[1].link);
    list_push_back(&head, &items[2].link);
    list_push_front(&head, &items[0].link);
    assert_false(list_is_empty(&head));
    check(&head, (int[]){1, 2, 3}, 3);
}

static void list__removes_from_anywhere_and_twice(void **state)
{
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    struct link head;

    (void)state;
    list_init(&head);
    for (unsigned i = 0; i < 3; i++) {
        list_push_back(&head, &items[i].link);
    }
    list_remove(&items[1].link);
    list_remove(&items[1].link);
    check(&head, (int[]){1, 3}, 2);
    list_remove(&items[0].link);
    list_remove(&items[2].link);
    assert_true(list_is_empty(&head));
    assert_true(list_is_empty(&items[1].link));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list__keeps_the_order_of_pushing),
        cmocka_unit_test(list__removes_from_anywhere_and_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
