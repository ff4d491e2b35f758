/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and answers of hostile shapes: what they cost grows with their size and no faster. The measure is the time
 * that the app's or the provider's grammar takes to read the same bytes once, so that slow machines do not matter. */
#include "translate_rig.h"

#include <stdlib.h>
#include <time.h>

enum {
    BODY = 2 * 1024 * 1024,
    TIMES = 30,       /* as long as the scan; whatever goes over the text once per part takes thousands of times */
    SLACK_US = 30000, /* for small things, and for the clock */
    DEPTH = 57,       /* of objects in objects: two levels each */
    LARGE = 130 * 1024 * 1024 /* what an operator may let in: limits.body goes to 1 GiB */
};

struct sizes {
    struct json_scan *scan;
    struct buf body;
};

static int setup(void **state)
{
    struct sizes *sizes = calloc(1, sizeof *sizes);

    assert_non_null(sizes);
    sizes->scan = json_scan_new();
    assert_non_null(sizes->scan);
    buf_init(&sizes->body, (size_t)LARGE + BODY);
    *state = sizes;
    return 0;
}

static int teardown(void **state)
{
    struct sizes *sizes = *state;

    buf_fini(&sizes->body);
    json_scan_free(sizes->scan);
    free(sizes);
    return 0;
}

static int64_t clock_us(void)
{
    struct timespec at;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at), 0);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void put(struct sizes *sizes, const char *text)
{
    buf_put_text(&sizes->body, text);
}

/* The text again and again, with commas between, until it has filled so many bytes. */
static void fill(struct sizes *sizes, const char *text, size_t bytes)
{
    size_t end = sizes->body.len + bytes;

    put(sizes, text);
    while (sizes->body.len < end) {
        buf_put_char(&sizes->body, ',');
        put(sizes, text);
    }
}

static void repeat(struct sizes *sizes, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        put(sizes, text);
    }
}

static void costs_what_its_size_costs(struct sizes *sizes, const char *from, const char *to)
{
    struct rig_side app = rig_side_of(from);
    struct rig_side target = rig_side_of(to);
    struct translation *translation = NULL;
    int64_t began = clock_us();
    int64_t scanned = 0;
    int64_t translated = 0;

    assert_false(sizes->body.failed);
    assert_true(rig_accepts(&app, sizes->scan, buf_span(&sizes->body)));
    scanned = clock_us();
    translation = rig_translate(&app, &target, target.model, NULL, false, sizes->scan, buf_span(&sizes->body));
    translated = clock_us();
    translation_free(translation);
    if (translated - scanned > TIMES * (scanned - began) + SLACK_US) {
        fail_msg("%s to %s: %lld us, scanned in %lld us", from, to, (long long)(translated - scanned),
                 (long long)(scanned - began));
    }
}

static void answer_costs_what_its_size_costs(struct sizes *sizes, const char *from, const char *to)
{
    struct rig_side app = rig_side_of(from);
    struct rig_side target = rig_side_of(to);
    struct translation *translation = rig_translate(&app, &target, target.model, NULL, false, sizes->scan,
                                                    SPAN_OF("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":"
                                                            "\"user\",\"content\":\"x\"}]}"));
    struct answer answer;
    struct meter meter;
    struct usage usage;
    struct buf out;
    int64_t began = 0;
    int64_t scanned = 0;
    int64_t translated = 0;

    buf_init(&out, (size_t)256 << 20);
    meter_init(&meter);
    usage_init(&usage);
    assert_true(translation_begin(translation));
    began = clock_us();
    target.operation->read_answer(sizes->scan, buf_span(&sizes->body), &answer, &meter);
    scanned = clock_us();
    assert_true(answer.has_result);
    assert_int_equal(translation_whole(translation, buf_span(&sizes->body), &usage, &out), TRANSLATE_OK);
    translated = clock_us();
    buf_fini(&out);
    translation_free(translation);
    if (translated - scanned > TIMES * (scanned - began) + SLACK_US) {
        fail_msg("%s to %s: %lld us, scanned in %lld us", to, from, (long long)(translated - scanned),
                 (long long)(scanned - began));
    }
}

/* ---- requests ---- */

/* Results look for their calls among the parts in front of them: here there are many, and no call. */
static void request__with_results_behind_many_parts(void **state)
{
    struct sizes *sizes = *state;

    put(sizes, "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":[");
    fill(sizes, "{\"type\":\"text\",\"text\":\"a\"}", BODY / 2);
    put(sizes, "]},");
    fill(sizes, "{\"role\":\"tool\",\"tool_call_id\":\"y\",\"content\":\"\"}", BODY / 2);
    put(sizes, "]}");
    costs_what_its_size_costs(sizes, "chat", "messages");
    buf_clear(&sizes->body);
    put(sizes, "{\"model\":\"m\",\"input\":[{\"role\":\"assistant\",\"content\":[");
    fill(sizes, "{\"type\":\"text\",\"text\":\"a\"}", BODY / 2);
    put(sizes, "]},");
    fill(sizes, "{\"type\":\"function_call_output\",\"call_id\":\"y\",\"output\":\"\"}", BODY / 2);
    put(sizes, "]}");
    costs_what_its_size_costs(sizes, "responses", "chat");
    buf_clear(&sizes->body);
    put(sizes, "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"assistant\",\"content\":[");
    fill(sizes, "{\"type\":\"text\",\"text\":\"a\"}", BODY / 2);
    put(sizes, "]},{\"role\":\"user\",\"content\":[");
    fill(sizes, "{\"type\":\"tool_result\",\"tool_use_id\":\"y\"}", BODY / 2);
    put(sizes, "]}]}");
    costs_what_its_size_costs(sizes, "messages", "chat");
}

/* What is deep down in a schema is not passed over once per level. */
static void request__with_a_large_schema_deep_down(void **state)
{
    struct sizes *sizes = *state;

    put(sizes, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":[{\"type\":\"function\","
               "\"function\":{\"name\":\"f\",\"parameters\":{\"const\":1,\"properties\":{\"a\":");
    repeat(sizes, "{\"properties\":{\"a\":", DEPTH);
    put(sizes, "{\"enum\":[");
    repeat(sizes, "        ", BODY / 16);
    put(sizes, "1]}");
    repeat(sizes, "}}", DEPTH);
    put(sizes, "}}}}]}");
    costs_what_its_size_costs(sizes, "chat", "generate");
    buf_clear(&sizes->body);
    put(sizes, "{\"contents\":[{\"parts\":[{\"text\":\"a\"}]}],\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\","
               "\"parameters\":{\"type\":\"OBJECT\",\"properties\":{\"a\":");
    repeat(sizes, "{\"properties\":{\"a\":", DEPTH);
    put(sizes, "{\"enum\":[");
    repeat(sizes, "        ", BODY / 16);
    put(sizes, "1]}");
    repeat(sizes, "}}", DEPTH);
    put(sizes, "}}}]}]}");
    costs_what_its_size_costs(sizes, "generate", "chat");
}

/* Where the operator lets in larger bodies, translations are larger too. */
static void request__larger_than_usual(void **state)
{
    struct sizes *sizes = *state;

    put(sizes, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"");
    repeat(sizes, "abcdefghijklmnopqrstuvwxyz012345abcdefghijklmnopqrstuvwxyz012345", LARGE / 64);
    put(sizes, "\"}]}");
    costs_what_its_size_costs(sizes, "chat", "messages");
}

/* ---- answers ---- */

static void answer__with_many_calls_that_have_no_id(void **state)
{
    struct sizes *sizes = *state;

    put(sizes, "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"tool_calls\":[");
    fill(sizes, "{\"function\":{\"name\":\"f\"}}", BODY / 4);
    put(sizes, "]},\"finish_reason\":\"stop\"}]}");
    answer_costs_what_its_size_costs(sizes, "messages", "chat");
}

static void answer__with_many_pieces_of_reasoning(void **state)
{
    struct sizes *sizes = *state;

    put(sizes, "{\"status\":\"completed\",\"output\":[");
    fill(sizes, "{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"a\"}]}", BODY);
    put(sizes, "]}");
    answer_costs_what_its_size_costs(sizes, "messages", "responses");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(request__with_results_behind_many_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(request__with_a_large_schema_deep_down, setup, teardown),
        cmocka_unit_test_setup_teardown(request__larger_than_usual, setup, teardown),
        cmocka_unit_test_setup_teardown(answer__with_many_calls_that_have_no_id, setup, teardown),
        cmocka_unit_test_setup_teardown(answer__with_many_pieces_of_reasoning, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
