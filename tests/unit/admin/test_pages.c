/* SPDX-License-Identifier: Apache-2.0 */
/* Pages byte by byte, out of views that are written down here. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "admin/health.h"
#include "admin/page.h"
#include "admin/target_out.h"
#include "base/mem.h"

static const struct limit_view untold = {.limit = -1, .left = -1, .reset_ms = -1};

static struct target_view target(const char *provider, const char *model)
{
    return (struct target_view){.provider = span_of(provider),
                                .model = span_of(model),
                                .is_eligible = true,
                                .ramp_permille = 1000,
                                .requests = untold,
                                .tokens = untold};
}

/* Three targets of two providers: well, ill in every way, and never called. */
static size_t fill(struct target_view targets[3])
{
    targets[0] = target("openai", "gpt-5.4-mini");
    targets[0].score_permille = 985;
    targets[0].in_flight = 2;
    targets[0].ttfc_ms = 420;
    targets[0].requests = (struct limit_view){.limit = 500, .left = 120, .reset_ms = 11001};
    targets[0].tokens = (struct limit_view){.limit = 40000, .left = 39000, .reset_ms = -1};
    targets[1] = target("anthropic", "claude-sonnet-5");
    targets[1].is_eligible = false;
    targets[1].is_held = true;
    targets[1].endpoint = (struct breaker_view){BREAKER_OPEN, 11500, 3};
    targets[1].deployment = (struct breaker_view){BREAKER_HALF_OPEN, 0, 1};
    targets[1].credential = (struct park_view){PARK_AUTH, 299001};
    targets[1].target = (struct park_view){PARK_MODEL, 1};
    targets[1].cooldown = (struct park_view){PARK_THROTTLED, 2000};
    targets[1].score_permille = 7;
    targets[1].ramp_permille = 250;
    targets[1].tokens = (struct limit_view){.limit = -1, .left = 0, .reset_ms = 500};
    targets[2] = target("openai", "");
    return 3;
}

static void expect_page(const struct page *page, const struct view *view, unsigned status,
                        const char *wanted)
{
    struct buf out;

    buf_init(&out, 65536);
    assert_int_equal(page->write(view, SPAN_OF(""), &out), status);
    assert_false(out.failed);
    if (!span_equal(buf_span(&out), span_of(wanted))) {
        fail_msg("<%.*s> instead of <%s>", SPAN_ARGS(buf_span(&out)), wanted);
    }
    buf_fini(&out);
    assert_int_equal(mem_held(), 0);
}

#define WELL                                                                                       \
    "{\"target\":\"openai/gpt-5.4-mini\",\"provider\":\"openai\",\"model\":\"gpt-5.4-mini\","      \
    "\"state\":\"ok\",\"why\":\"\",\"eligible\":true,\"held\":false,"                              \
    "\"endpoint\":{\"breaker\":\"closed\",\"reopen_in_s\":null,\"trips\":0},"                      \
    "\"deployment\":{\"breaker\":\"closed\",\"reopen_in_s\":null,\"trips\":0},"                    \
    "\"parks\":[],\"cooldown\":null,\"score_permille\":985,\"share_permille\":1000,"               \
    "\"in_flight\":2,\"ttfc_ms\":420,"                                                             \
    "\"requests\":{\"limit\":500,\"left\":120,\"reset_in_s\":12},"                                 \
    "\"tokens\":{\"limit\":40000,\"left\":39000,\"reset_in_s\":null}}"
#define ILL_WHY                                                                                    \
    "parked by an operator; its credential is out: auth, 300 s left; refused: model, 1 s left; "   \
    "cooling down: throttled, 2 s left; breaker of the endpoint open, tried again in 12 s; "       \
    "breaker half open, being tried; none left of the reported tokens, reset in 1 s"
#define ILL                                                                                        \
    "{\"target\":\"anthropic/claude-sonnet-5\",\"provider\":\"anthropic\","                        \
    "\"model\":\"claude-sonnet-5\",\"state\":\"held\",\"why\":\"" ILL_WHY "\","                    \
    "\"eligible\":false,\"held\":true,"                                                            \
    "\"endpoint\":{\"breaker\":\"open\",\"reopen_in_s\":12,\"trips\":3},"                          \
    "\"deployment\":{\"breaker\":\"half_open\",\"reopen_in_s\":null,\"trips\":1},"                 \
    "\"parks\":[{\"scope\":\"credential\",\"reason\":\"auth\",\"left_s\":300},"                    \
    "{\"scope\":\"target\",\"reason\":\"model\",\"left_s\":1}],"                                   \
    "\"cooldown\":{\"reason\":\"throttled\",\"left_s\":2},"                                        \
    "\"score_permille\":7,\"share_permille\":250,\"in_flight\":0,\"ttfc_ms\":null,"                \
    "\"requests\":null,\"tokens\":{\"limit\":null,\"left\":0,\"reset_in_s\":1}}"
#define NEVER                                                                                      \
    "{\"target\":\"openai\",\"provider\":\"openai\",\"model\":null,\"state\":\"ok\",\"why\":\"\"," \
    "\"eligible\":true,\"held\":false,"                                                            \
    "\"endpoint\":{\"breaker\":\"closed\",\"reopen_in_s\":null,\"trips\":0},"                      \
    "\"deployment\":{\"breaker\":\"closed\",\"reopen_in_s\":null,\"trips\":0},"                    \
    "\"parks\":[],\"cooldown\":null,\"score_permille\":null,\"share_permille\":1000,"              \
    "\"in_flight\":0,\"ttfc_ms\":null,\"requests\":null,\"tokens\":null}"

static void health__is_one_word_one_sentence_two_numbers(void **state)
{
    struct target_view targets[3];
    struct view view = {.providers = 2, .targets = targets, .targets_count = fill(targets)};

    (void)state;
    expect_page(&page_health, &view, 200,
                "{\"status\":\"degraded\",\"message\":\"2 of 3 targets take calls\","
                "\"targets\":{\"total\":3,\"eligible\":2}}\n");
    view.is_draining = true;
    expect_page(&page_health, &view, 503,
                "{\"status\":\"draining\",\"message\":\"draining; 2 of 3 targets take calls\","
                "\"targets\":{\"total\":3,\"eligible\":2}}\n");
}

static void health__knows_well_and_down(void **state)
{
    struct target_view targets[3];
    struct view view = {.providers = 2, .targets = targets, .targets_count = 1};

    (void)state;
    (void)fill(targets);
    expect_page(&page_health, &view, 200,
                "{\"status\":\"ok\",\"message\":\"1 of 1 target takes calls\","
                "\"targets\":{\"total\":1,\"eligible\":1}}\n");
    targets[0].is_eligible = false;
    expect_page(&page_health, &view, 503,
                "{\"status\":\"down\",\"message\":\"0 of 1 target takes calls\","
                "\"targets\":{\"total\":1,\"eligible\":0}}\n");
    view.targets_count = 0;
    expect_page(&page_health, &view, 200,
                "{\"status\":\"ok\",\"message\":\"no target is known yet\","
                "\"targets\":{\"total\":0,\"eligible\":0}}\n");
    view.providers = 0;
    expect_page(&page_health, &view, 503,
                "{\"status\":\"down\",\"message\":\"there is no provider\","
                "\"targets\":{\"total\":0,\"eligible\":0}}\n");
}

static void providers__have_their_targets_in_order(void **state)
{
    struct target_view targets[3];
    struct view view = {.providers = 2, .targets = targets, .targets_count = fill(targets)};

    (void)state;
    expect_page(&page_providers, &view, 200,
                "{\"status\":\"degraded\",\"message\":\"2 of 3 targets take calls\","
                "\"targets\":{\"total\":3,\"eligible\":2},\"providers\":["
                "{\"provider\":\"openai\",\"targets\":[" WELL "," NEVER "],\"total\":2,"
                "\"eligible\":2},"
                "{\"provider\":\"anthropic\",\"targets\":[" ILL "],\"total\":1,\"eligible\":0}"
                "]}\n");
}

static void status__has_the_process_and_every_target(void **state)
{
    struct target_view targets[3];
    struct view view = {.providers = 2,
                        .targets = targets,
                        .targets_count = fill(targets),
                        .uptime_ms = 3723999,
                        .calls = 4,
                        .version = SPAN("1.2.3")};

    (void)state;
    expect_page(&page_status, &view, 200,
                "{\"status\":\"degraded\",\"process\":{\"version\":\"1.2.3\",\"uptime_s\":3723,"
                "\"calls_in_flight\":4,\"draining\":false},\"targets\":[" WELL "," ILL "," NEVER
                "]}\n");
    expect_page(&page_targets, &view, 200, "{\"targets\":[" WELL "," ILL "," NEVER "]}\n");
    view.targets_count = 0;
    expect_page(&page_targets, &view, 200, "{\"targets\":[]}\n");
}

static void table__is_for_people(void **state)
{
    struct target_view targets[3];
    struct view view = {.providers = 2,
                        .targets = targets,
                        .targets_count = fill(targets),
                        .uptime_ms = 7200500,
                        .calls = 4,
                        .version = SPAN("1.2.3")};

    (void)state;
    targets[0].score_permille = 1000;
    targets[1].in_flight = 4294967295u;
    expect_page(&page_table, &view, 200,
                "headgate 1.2.3: degraded, up 2h, 4 calls in flight; 2 of 3 targets take calls\n\n"
                "TARGET                     STATE        SCORE  IN FLIGHT  WHY\n"
                "openai/gpt-5.4-mini        ok          100.0%          2\n"
                "anthropic/claude-sonnet-5  held          0.7%  4294967295  " ILL_WHY "\n"
                "openai                     ok               -          0\n");
}

static void table__shows_nothing_that_moves_a_terminal(void **state)
{
    struct target_view targets[1] = {target("openai", "a\x1b[2Jb\nc")};
    struct view view = {.providers = 1, .targets = targets, .targets_count = 1};
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    (void)page_table.write(&view, SPAN_OF(""), &out);
    assert_null(span_find(buf_span(&out), SPAN_OF("\x1b")));
    assert_non_null(span_find(buf_span(&out), SPAN_OF("openai/a[2Jbc ")));
    buf_fini(&out);
}

static void state__tells_what_matters_most(void **state)
{
    struct target_view view = target("p", "m");

    (void)state;
    view.ramp_permille = 300;
    assert_string_equal(target_state(&view), "slow_start");
    view.is_eligible = false;
    assert_string_equal(target_state(&view), "out");
    view.deployment.state = BREAKER_HALF_OPEN;
    assert_string_equal(target_state(&view), "half_open");
    view.endpoint.state = BREAKER_OPEN;
    assert_string_equal(target_state(&view), "open");
    view.cooldown.reason = PARK_OVERLOADED;
    assert_string_equal(target_state(&view), "cooldown");
    view.target.reason = PARK_BILLING;
    assert_string_equal(target_state(&view), "parked");
    view.is_held = true;
    assert_string_equal(target_state(&view), "held");
}

static void why__fits_however_much_is_wrong(void **state)
{
    struct target_view view = target("p", "m");
    struct buf out;

    (void)state;
    view.is_held = true;
    view.credential = (struct park_view){PARK_PERMISSION, UINT64_MAX};
    view.target = (struct park_view){PARK_OVERLOADED, UINT64_MAX};
    view.cooldown = (struct park_view){PARK_OVERLOADED, UINT64_MAX};
    view.endpoint = (struct breaker_view){BREAKER_OPEN, UINT64_MAX, 9};
    view.deployment = (struct breaker_view){BREAKER_OPEN, UINT64_MAX, 9};
    view.requests = (struct limit_view){0, 0, INT64_MAX};
    view.tokens = (struct limit_view){0, 0, INT64_MAX};
    view.ramp_permille = 1;
    buf_init(&out, TARGET_WHY_MAX);
    target_put_why(&out, &view);
    assert_false(out.failed);
    buf_fini(&out);
}

static void pages__only_health_is_public_and_none_of_it_names_the_build(void **state)
{
    struct target_view targets[3];
    struct view view = {.providers = 2,
                        .targets = targets,
                        .targets_count = fill(targets),
                        .version = SPAN("9.8.7-marker")};
    static const char *const paths[] = {"/livez", "/healthz", "/readyz", "/health",
                                        "/health/providers"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        const struct page *page = page_find(span_of(paths[i]));
        struct buf out;

        assert_non_null(page);
        assert_true(page->is_public);
        buf_init(&out, 65536);
        (void)page->write(&view, SPAN_OF(""), &out);
        assert_null(span_find(buf_span(&out), SPAN_OF("9.8.7")));
        buf_fini(&out);
    }
    assert_false(page_status.is_public || page_targets.is_public || page_table.is_public);
    assert_false(page_health.is_on_data || page_providers.is_on_data || page_status.is_on_data ||
                 page_targets.is_on_data || page_table.is_on_data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health__is_one_word_one_sentence_two_numbers),
        cmocka_unit_test(health__knows_well_and_down),
        cmocka_unit_test(providers__have_their_targets_in_order),
        cmocka_unit_test(status__has_the_process_and_every_target),
        cmocka_unit_test(table__is_for_people),
        cmocka_unit_test(table__shows_nothing_that_moves_a_terminal),
        cmocka_unit_test(state__tells_what_matters_most),
        cmocka_unit_test(why__fits_however_much_is_wrong),
        cmocka_unit_test(pages__only_health_is_public_and_none_of_it_names_the_build),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
