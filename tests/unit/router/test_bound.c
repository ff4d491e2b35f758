/* SPDX-License-Identifier: Apache-2.0 */
/* The most that an attempt can come to, with the program's own prices. gpt-4o: 2.50 USD per million in,
 * 1.25 cached, 10 out, at most 16,384 tokens. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "router/bound.h"
#include "tests/unit/conf/world.h"

#define SETTINGS                                                                                   \
    "version: 1\n"                                                                                 \
    "providers:\n"                                                                                 \
    "  openai: { kind: openai }\n"                                                                 \
    "  own: { kind: compatible, base_url: http://127.0.0.1:9/v1, credential: none }\n"             \
    "  claude: { kind: anthropic }\n"                                                              \
    "routes:\n"                                                                                    \
    "  m: { targets: [ { provider: openai, model: gpt-4o }, { provider: own, model: qwen },\n" \
    "      { provider: claude, model: claude-sonnet-4-5 } ] }\n"

#define AT 1795824000000 /* 2026-11-28 */

struct scene {
    struct snapshot *snapshot;
    struct json_scan *scan;
    struct buf body;
    struct request request;
    struct quote_request quoted;
    struct bound_ask ask;
    struct bound bound;
};

static void open_scene(struct scene *scene, size_t target)
{
    scene->snapshot = load_good(SETTINGS);
    scene->scan = json_scan_new();
    scene->quoted = (struct quote_request){
        .bytes = 1000, .output_cap = 100, .answers = 1, .has_output = true};
    scene->ask = (struct bound_ask){.quote = {.request = &scene->quoted,
                                              .prices = &scene->snapshot->prices,
                                              .model = SPAN("m"),
                                              .at = AT},
                                    .target = &scene->snapshot->routing.routes[0].targets[target],
                                    .counts = {.ratio = {.tokens = 250, .error_permille = 1000}},
                                    .is_strict = true};
}

static void close_scene(struct scene *scene)
{
    json_scan_free(scene->scan);
    snapshot_give(scene->snapshot);
}

static void bound__is_every_byte_a_token_and_the_whole_cap(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, 0);
    bound_make(&scene.ask, &scene.bound);
    assert_int_equal(scene.bound.input, 1000);
    assert_int_equal(scene.bound.output, 100);
    assert_int_equal(scene.bound.nano, 1000 * 2500 + 100 * 10000);
    assert_false(scene.bound.writes_cap);
    assert_true(scene.bound.is_priced);
    assert_int_equal(scene.bound.open, QUOTE_BOUNDED);
    scene.quoted.answers = 3;
    bound_make(&scene.ask, &scene.bound);
    assert_int_equal(scene.bound.output, 300);
    close_scene(&scene);
}

static void bound__writes_a_cap_where_the_request_has_none(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, 0);
    scene.quoted.output_cap = -1;
    bound_make(&scene.ask, &scene.bound);
    assert_int_equal(scene.bound.cap, 16384); /* the model's maximum */
    assert_true(scene.bound.writes_cap);
    scene.ask.default_output = 700;
    bound_make(&scene.ask, &scene.bound);
    assert_int_equal(scene.bound.cap, 700);
    scene.ask.default_output = 99999;
    bound_make(&scene.ask, &scene.bound);
    assert_int_equal(scene.bound.cap, 16384);
    scene.quoted.output_cap = 50000; /* it would be refused, or shortened, anyway */
    bound_make(&scene.ask, &scene.bound);
    assert_int_equal(scene.bound.cap, 16384);
    assert_true(scene.bound.writes_cap);
    close_scene(&scene);
}

static void bound__of_a_model_that_nobody_knows_is_open(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, 1);
    scene.quoted.output_cap = -1;
    bound_make(&scene.ask, &scene.bound);
    assert_int_equal(scene.bound.open, QUOTE_OPEN_OUTPUT);
    assert_false(scene.bound.is_priced);
    scene.ask.is_strict = false;
    bound_make(&scene.ask, &scene.bound);
    assert_true(scene.bound.output > 0); /* reckoned with, ... */
    assert_false(scene.bound.writes_cap); /* ... but no reason to shorten an answer */
    scene.ask.is_strict = true;
    scene.ask.default_output = 700;
    bound_make(&scene.ask, &scene.bound);
    assert_int_equal(scene.bound.open, QUOTE_BOUNDED);
    assert_true(scene.bound.writes_cap);
    close_scene(&scene);
}

static void bound__as_learned_has_room_to_spare(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, 0);
    scene.ask.is_strict = false;
    bound_make(&scene.ask, &scene.bound);
    assert_true(scene.bound.input >= 1000); /* nothing is learned yet */
    scene.ask.counts.ratio = (struct guess){.tokens = 250, .error_permille = 100, .is_learned = true};
    bound_make(&scene.ask, &scene.bound);
    assert_true(scene.bound.input > 325 && scene.bound.input < 500);
    scene.ask.counts.ratio.tokens = 10; /* a strange teacher */
    bound_make(&scene.ask, &scene.bound);
    assert_true(scene.bound.input >= 350);
    close_scene(&scene);
}

static void bound__of_a_picture_is_the_models_ceiling(void **state)
{
    struct scene scene;

    (void)state;
    for (int inline_bytes = 0; inline_bytes <= 1000000; inline_bytes += 1000000) {
        open_scene(&scene, 0);
        scene.quoted.bytes = 1000 + (uint64_t)inline_bytes;
        scene.ask.counts.count = (struct chat_count){
            .media = 2, .pictures = 2, .picture_bytes = (uint64_t)inline_bytes};
        bound_make(&scene.ask, &scene.bound);
        assert_int_equal(scene.bound.input, 1000 + 2 * 2000);
        assert_int_equal(scene.bound.open, QUOTE_BOUNDED);
        assert_int_equal(scene.bound.nano, 5000 * 2500 + 100 * 10000);
        scene.ask.is_strict = false;
        scene.ask.counts.ratio =
            (struct guess){.tokens = 250, .error_permille = 100, .is_learned = true};
        bound_make(&scene.ask, &scene.bound);
        assert_in_range(scene.bound.input, 350 + 4000, 500 + 4000);
        close_scene(&scene);
    }
    open_scene(&scene, 1); /* a model that nobody knows, and without a price */
    scene.ask.counts.count = (struct chat_count){.media = 1, .pictures = 1};
    bound_make(&scene.ask, &scene.bound);
    assert_int_equal(scene.bound.input, 1000 + 50000);
    scene.ask.counts.count.picture_bytes = 2000; /* more than there is */
    bound_make(&scene.ask, &scene.bound);
    assert_in_range(scene.bound.input, 50000, 50250);
    close_scene(&scene);
}

static void bound__of_what_nobody_can_see_is_the_models_context(void **state)
{
    static const struct chat_count rows[] = {
        {.media = 1}, {.media = 3, .pictures = 2}, {.is_elsewhere = true}};
    struct scene scene;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        open_scene(&scene, 0);
        scene.quoted.bytes = 2000000;
        scene.ask.counts.count = rows[i];
        scene.ask.counts.ratio.tokens = 500000;
        bound_make(&scene.ask, &scene.bound);
        assert_int_equal(scene.bound.input, 128000);
        assert_int_equal(scene.bound.open, QUOTE_BOUNDED);
        scene.ask.is_strict = false;
        bound_make(&scene.ask, &scene.bound);
        assert_int_equal(scene.bound.input, 128000);
        close_scene(&scene);
        open_scene(&scene, 1); /* nobody knows it */
        scene.ask.counts.count = rows[i];
        bound_make(&scene.ask, &scene.bound);
        assert_int_equal(scene.bound.open,
                         rows[i].is_elsewhere ? QUOTE_OPEN_ELSEWHERE : QUOTE_OPEN_MEDIA);
        close_scene(&scene);
        open_scene(&scene, 2); /* there is a way to more than its usual context */
        scene.ask.counts.count = rows[i];
        bound_make(&scene.ask, &scene.bound);
        assert_int_not_equal(scene.bound.open, QUOTE_BOUNDED);
        close_scene(&scene);
    }
}

static void bound__fits_into_what_is_left_and_not_a_token_less(void **state)
{
    struct scene scene;
    int64_t needs = 0;

    (void)state;
    open_scene(&scene, 0);
    scene.quoted.output_cap = 4000;
    for (int64_t cap = 256; cap < 4000; cap += 373) {
        bound_make(&scene.ask, &scene.bound);
        needs = 1000 * 2500 + cap * 10000;
        assert_true(bound_fit(&scene.ask, &scene.bound, needs, INT64_MAX));
        assert_int_equal(scene.bound.cap, cap);
        assert_int_equal(scene.bound.nano, needs);
        assert_true(scene.bound.writes_cap);
        bound_make(&scene.ask, &scene.bound);
        assert_true(bound_fit(&scene.ask, &scene.bound, INT64_MAX, 1000 + cap));
        assert_int_equal(scene.bound.cap, cap);
    }
    bound_make(&scene.ask, &scene.bound);
    assert_false(bound_fit(&scene.ask, &scene.bound, 1000 * 2500 + 256 * 10000 - 1, INT64_MAX));
    assert_int_equal(scene.bound.cap, 4000);
    assert_false(bound_fit(&scene.ask, &scene.bound, INT64_MAX, 1255));
    scene.quoted.output_cap = 255;
    bound_make(&scene.ask, &scene.bound);
    assert_false(bound_fit(&scene.ask, &scene.bound, 1000 * 2500 + 254 * 10000, INT64_MAX));
    close_scene(&scene);
}

/* What is_plain promises: who looks finds nothing that would make a difference. */
static void bound__of_a_plain_request_needs_no_look(void **state)
{
    static const struct {
        const char *dialect;
        size_t operation;
        enum count_shape shape;
        const char *body;
        bool is_plain;
    } rows[] = {
        {"openai", 0, COUNT_CHAT, "{\"model\":\"m\",\"n\":3,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", true},
        {"openai", 0, COUNT_CHAT, "{\"model\":\"m\",\"tools\":null,\"messages\":[{\"role\":\"user\",\"content\":null}]}", true},
        {"openai", 0, COUNT_CHAT, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"x\"}}]},{\"role\":\"user\",\"content\":\"hi\"}]}", false},
        {"openai", 0, COUNT_CHAT, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"conte\\u006et\":[{\"type\":\"image_url\"}]}]}", false},
        {"openai", 0, COUNT_CHAT, "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"audio\":{\"id\":\"a\"}}]}", false},
        {"openai", 0, COUNT_CHAT, "{\"model\":\"m\",\"service_tier\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", false},
        {"openai", 0, COUNT_CHAT, "{\"model\":\"m\",\"tools\":[{\"type\":\"function\"}],\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", false},
        {"openai", 1, COUNT_RESPONSES, "{\"model\":\"m\",\"input\":\"hi\"}", true},
        {"openai", 1, COUNT_RESPONSES, "{\"model\":\"m\",\"input\":\"hi\",\"previous_response_id\":\"r\"}", false},
        {"openai", 1, COUNT_RESPONSES, "{\"model\":\"m\",\"input\":[{\"type\":\"message\",\"content\":[{\"type\":\"input_image\"}]}]}", false},
        {"openai", 2, COUNT_COMPLETIONS, "{\"model\":\"m\",\"prompt\":\"hi\",\"n\":2}", true},
        {"openai", 2, COUNT_COMPLETIONS, "{\"model\":\"m\",\"prompt\":\"hi\",\"best_of\":5}", false},
        {"anthropic", 0, COUNT_MESSAGES, "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", true},
        {"anthropic", 0, COUNT_MESSAGES, "{\"model\":\"m\",\"max_tokens\":9,\"speed\":\"fast\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", false},
        {"anthropic", 0, COUNT_MESSAGES, "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"source\":{\"type\":\"url\"}}]}]}", false},
    };
    struct scene scene;

    (void)state;
    open_scene(&scene, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const struct dialect *dialect = dialect_by_name(span_of(rows[i].dialect));
        const struct operation *operation = &dialect->operations[rows[i].operation];
        struct span body = span_of(rows[i].body);
        struct quote_request looked;
        struct quote_request plain;
        struct chat_counter counter;
        struct chat_count count = {.tokens = 0};

        assert_int_equal(
            operation->read_request(scene.scan, 7, body, &scene.request).kind, REFUSAL_NONE);
        scene.request.dialect = dialect;
        scene.request.operation = operation;
        assert_int_equal(scene.request.is_plain, rows[i].is_plain);
        if (rows[i].is_plain) {
            memset(&looked, 0, sizeof looked);
            memset(&plain, 0, sizeof plain);
            quote_read(body, &scene.request, &looked);
            quote_read_plain(body, &scene.request, &plain);
            assert_int_equal(looked.bytes, plain.bytes);
            assert_int_equal(looked.answers, plain.answers);
            assert_int_equal(looked.output_cap, plain.output_cap);
            assert_int_equal(looked.may_write_cache, plain.may_write_cache);
            assert_int_equal(looked.has_output, plain.has_output);
            assert_false(looked.has_tools || looked.runs_tools || looked.may_speak ||
                         looked.may_be_faster || looked.tier.len > 0);
            chat_counter_init(&counter, NULL, NULL, NULL);
            assert_int_not_equal(chat_count(&counter, rows[i].shape, SPAN_OF("m"), body, &count),
                                 ERR_MEMORY);
            chat_counter_fini(&counter);
            assert_false(count.media > 0 || count.is_elsewhere);
        }
    }
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bound__is_every_byte_a_token_and_the_whole_cap),
        cmocka_unit_test(bound__writes_a_cap_where_the_request_has_none),
        cmocka_unit_test(bound__of_a_model_that_nobody_knows_is_open),
        cmocka_unit_test(bound__as_learned_has_room_to_spare),
        cmocka_unit_test(bound__of_a_picture_is_the_models_ceiling),
        cmocka_unit_test(bound__of_what_nobody_can_see_is_the_models_context),
        cmocka_unit_test(bound__fits_into_what_is_left_and_not_a_token_less),
        cmocka_unit_test(bound__of_a_plain_request_needs_no_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
