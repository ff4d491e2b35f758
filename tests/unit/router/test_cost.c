/* SPDX-License-Identifier: Apache-2.0 */
/* Which price row a target has: by the name it is asked for, or by the model behind a deployment. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "router/cost.h"

enum { ROOM = 1 << 20 };

static const struct price_case column = {
    0, 0, false, PRICE_ANY_PROMPT, {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, PRICE_ABSENT}};

#define ROW(name)                                                                                  \
    {                                                                                              \
        .list = SPAN("l"), .model = SPAN(name), .from = INT64_MIN, .until = INT64_MAX,             \
        .context = -1, .output_max = -1, .fees = {-1}, .cases = &column, .counts = {               \
            .cases = 1                                                                             \
        }                                                                                          \
    }

static const struct price shown = ROW("gpt-x");
static const struct price other = ROW("fast");

static const struct deployment_model deployments[] = {{SPAN("fast"), SPAN("gpt-x")},
                                                      {SPAN("gpt-x"), SPAN("unknown")}};

static void cost__takes_the_price_of_the_model_behind_a_deployment(void **state)
{
    struct provider plain = {.prices = {.list = SPAN("l")}};
    struct provider mapped = {.prices = {.list = SPAN("l")},
                              .deployments = deployments,
                              .deployments_count = 2};
    struct target by_name = {.provider = &mapped, .model = SPAN("fast")};
    struct target by_app = {.provider = &mapped};
    struct target unmapped = {.provider = &plain, .model = SPAN("fast")};
    struct arena arena;
    struct book book;

    (void)state;
    arena_init(&arena, ROOM);
    book_init(&book, &arena);
    book_add(&book, &shown);
    book_add(&book, &other);
    assert_true(book_close(&book));
    assert_ptr_equal(cost_price(&book, &by_name, SPAN_OF("route"), 0), &shown);
    assert_ptr_equal(cost_price(&book, &by_app, SPAN_OF("fast"), 0), &shown);
    assert_ptr_equal(cost_price(&book, &unmapped, SPAN_OF("route"), 0), &other);
    /* One step: the name behind a deployment is a model's, not another deployment's. */
    assert_null(cost_price(&book, &by_app, SPAN_OF("gpt-x"), 0));
    assert_true(span_equal(cost_model(&mapped, SPAN_OF("fast")), SPAN_OF("gpt-x")));
    assert_true(span_equal(cost_model(&mapped, SPAN_OF("nobody")), SPAN_OF("nobody")));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cost__takes_the_price_of_the_model_behind_a_deployment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
