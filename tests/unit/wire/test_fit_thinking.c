/* SPDX-License-Identifier: Apache-2.0 */
/* Caps, efforts and budgets, from one way of saying it to another. */
#include "tests/unit/wire/fit_rig.h"

#define NOTHING CHAT_EFFORT_UNSAID

static void start(struct rig *rig, int from, int to, const char *model)
{
    rig_init(rig, from, to, model);
    rig_say(rig, CHAT_USER, "\"hi\"");
}

/* What an effort becomes. */
static const struct {
    int to;
    const char *model;
    enum chat_effort asked;
    enum chat_effort effort;
    int64_t budget;
    bool is_adaptive;
    const char *lost;
} rows[] = {
    {CHAT, "gpt-5", CHAT_EFFORT_NONE, CHAT_EFFORT_MINIMAL, -1, false, "effort=changed"},
    {CHAT, "gpt-5", CHAT_EFFORT_XHIGH, CHAT_EFFORT_HIGH, -1, false, ""},
    {CHAT, "gpt-5.1", CHAT_EFFORT_MINIMAL, CHAT_EFFORT_LOW, -1, false, ""},
    {CHAT, "gpt-5.4", CHAT_EFFORT_MAX, CHAT_EFFORT_XHIGH, -1, false, ""},
    {CHAT, "gpt-5.4", CHAT_EFFORT_NONE, CHAT_EFFORT_NONE, -1, false, ""},
    {RESPONSES, "gpt-5-pro", CHAT_EFFORT_LOW, CHAT_EFFORT_HIGH, -1, false, ""},
    {CHAT, "gpt-4.1", CHAT_EFFORT_HIGH, NOTHING, -1, false, "effort"},
    {CHAT, "gpt-4.1", CHAT_EFFORT_NONE, NOTHING, -1, false, ""},
    {CHAT, "deepseek-v4-pro", CHAT_EFFORT_MEDIUM, CHAT_EFFORT_HIGH, -1, false, ""},
    {MESSAGES, "claude-opus-5-5", CHAT_EFFORT_NONE, CHAT_EFFORT_LOW, -1, false, "effort=changed"},
    {MESSAGES, "claude-sonnet-5", CHAT_EFFORT_NONE, CHAT_EFFORT_NONE, -1, false, ""},
    {MESSAGES, "claude-opus-4-8", CHAT_EFFORT_NONE, NOTHING, -1, false, ""},
    {MESSAGES, "claude-opus-4-8", CHAT_EFFORT_MINIMAL, CHAT_EFFORT_LOW, -1, true, ""},
    {MESSAGES, "claude-opus-4-6", CHAT_EFFORT_XHIGH, CHAT_EFFORT_HIGH, -1, true, ""},
    {MESSAGES, "claude-opus-5", CHAT_EFFORT_MAX, CHAT_EFFORT_MAX, -1, true, ""},
    {MESSAGES, "claude-sonnet-4-5", CHAT_EFFORT_NONE, NOTHING, -1, false, ""},
    {MESSAGES, "claude-sonnet-4-5", CHAT_EFFORT_MINIMAL, NOTHING, 1024, false, ""},
    {MESSAGES, "claude-sonnet-4-5", CHAT_EFFORT_LOW, NOTHING, 6400, false, ""},
    {MESSAGES, "claude-sonnet-4-5", CHAT_EFFORT_MEDIUM, NOTHING, 19200, false, ""},
    {MESSAGES, "claude-sonnet-4-5", CHAT_EFFORT_HIGH, NOTHING, 38400, false, ""},
    {MESSAGES, "claude-sonnet-4-5", CHAT_EFFORT_XHIGH, NOTHING, 57600, false, ""},
    {MESSAGES, "claude-sonnet-4-5", CHAT_EFFORT_MAX, NOTHING, 60800, false, ""},
    {MESSAGES, "claude-3-haiku", CHAT_EFFORT_HIGH, NOTHING, -1, false, "effort"},
    {GENERATE, "gemini-3.1-pro-preview", CHAT_EFFORT_NONE, CHAT_EFFORT_LOW, -1, false, "effort=changed"},
    {GENERATE, "gemini-3.5-flash", CHAT_EFFORT_NONE, CHAT_EFFORT_MINIMAL, -1, false, "effort=changed"},
    {GENERATE, "gemini-3.5-flash", CHAT_EFFORT_MEDIUM, CHAT_EFFORT_MEDIUM, -1, false, ""},
    {GENERATE, "gemini-3.5-flash", CHAT_EFFORT_XHIGH, CHAT_EFFORT_HIGH, -1, false, "effort=changed"},
    {GENERATE, "gemini-4-hydrogen", CHAT_EFFORT_XHIGH, CHAT_EFFORT_XHIGH, -1, false, ""},
    {GENERATE, "gemini-2.5-flash", CHAT_EFFORT_NONE, NOTHING, 0, false, ""},
    {GENERATE, "gemini-2.5-pro", CHAT_EFFORT_NONE, NOTHING, 128, false, "effort=changed"},
    {GENERATE, "gemini-2.5-flash", CHAT_EFFORT_MINIMAL, NOTHING, 1310, false, ""},
    {GENERATE, "gemini-2.5-flash", CHAT_EFFORT_LOW, NOTHING, 6553, false, ""},
    {GENERATE, "gemini-2.5-flash", CHAT_EFFORT_HIGH, NOTHING, 24576, false, ""},
    {GENERATE, "gemini-2.5-pro", CHAT_EFFORT_MAX, NOTHING, 32768, false, ""},
    {GENERATE, "gemini-2.0-flash", CHAT_EFFORT_LOW, NOTHING, -1, false, "effort"},
};

static const char *spelled(const char *lost)
{
    return strcmp(lost, "effort") == 0           ? "reasoning_effort"
           : strcmp(lost, "effort=changed") == 0 ? "reasoning_effort=changed"
                                                 : lost;
}

static void efforts__become_what_the_model_takes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig rig;

        print_message("%s, effort %d\n", rows[i].model, (int)rows[i].asked);
        start(&rig, CHAT, rows[i].to, rows[i].model);
        rig.chat.params.effort = rows[i].asked;
        rig_fit(&rig, spelled(rows[i].lost));
        assert_int_equal(rig.chat.params.effort, rows[i].effort);
        assert_int_equal(rig.chat.params.thinking_budget, rows[i].budget);
        assert_int_equal(rig.chat.params.is_thinking_adaptive, rows[i].is_adaptive);
        rig_fini(&rig);
    }
}

static void nothing_said__stays_nothing(void **state)
{
    static const char *const models[] = {"gpt-5", "gpt-5", "claude-opus-5", "gemini-2.5-pro"};

    (void)state;
    for (int to = CHAT; to <= GENERATE; to++) {
        struct rig rig;

        start(&rig, CHAT, to, models[to]);
        rig_fit(&rig, "");
        assert_int_equal(rig.chat.params.effort, CHAT_EFFORT_UNSAID);
        assert_int_equal(rig.chat.params.thinking_budget, -1);
        assert_false(rig.chat.params.is_thinking_adaptive);
        rig_fini(&rig);
    }
}

static void adaptive__is_nothing_elsewhere(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, MESSAGES, CHAT, "gpt-5.4");
    rig.chat.params.is_thinking_adaptive = true;
    rig_fit(&rig, "");
    assert_false(rig.chat.params.is_thinking_adaptive);
    assert_int_equal(rig.chat.params.effort, CHAT_EFFORT_UNSAID);
    rig_fini(&rig);
}

static void budgets__are_carried_to_those_that_know_them(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, MESSAGES, GENERATE, "gemini-2.5-flash");
    rig.chat.params.thinking_budget = 5000;
    rig.chat.params.effort = CHAT_EFFORT_MEDIUM;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.thinking_budget, 5000);
    assert_int_equal(rig.chat.params.effort, CHAT_EFFORT_UNSAID);
    rig_fini(&rig);
    start(&rig, MESSAGES, GENERATE, "gemini-2.5-flash");
    rig.chat.params.thinking_budget = 60000;
    rig.chat.params.effort = CHAT_EFFORT_XHIGH;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.thinking_budget, 24576);
    rig_fini(&rig);
    start(&rig, GENERATE, MESSAGES, "claude-haiku-4-5");
    rig.chat.params.thinking_budget = 200;
    rig.chat.params.effort = CHAT_EFFORT_LOW;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.thinking_budget, 1024);
    rig_fini(&rig);
    start(&rig, MESSAGES, CHAT, "gpt-5.4");
    rig.chat.params.thinking_budget = 5000;
    rig.chat.params.effort = CHAT_EFFORT_MEDIUM;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.thinking_budget, -1);
    assert_int_equal(rig.chat.params.effort, CHAT_EFFORT_MEDIUM);
    rig_fini(&rig);
}

static void budgets__lie_below_the_cap(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.cap = 40000;
    rig.chat.params.effort = CHAT_EFFORT_LOW;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.thinking_budget, 6400);
    rig_fini(&rig);
    start(&rig, CHAT, GENERATE, "gemini-2.5-flash");
    rig.chat.params.cap = 500;
    rig.chat.params.effort = CHAT_EFFORT_LOW;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.thinking_budget, 50);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.cap = 4000;
    rig.chat.params.effort = CHAT_EFFORT_HIGH;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.thinking_budget, 2400);
    assert_int_equal(rig.chat.params.cap, 4000);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.cap = 1025;
    rig.chat.params.effort = CHAT_EFFORT_LOW;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.thinking_budget, 1024);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.cap = 1024;
    rig.chat.params.effort = CHAT_EFFORT_LOW;
    rig_fit(&rig, "reasoning_effort");
    assert_int_equal(rig.chat.params.thinking_budget, -1);
    rig_fini(&rig);
    start(&rig, GENERATE, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.cap = 8000;
    rig.chat.params.thinking_budget = 20000;
    rig.chat.params.effort = CHAT_EFFORT_HIGH;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.thinking_budget, 4800);
    rig_fini(&rig);
}

static void thinking__keeps_older_claude_from_drawing(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.effort = CHAT_EFFORT_LOW;
    rig.chat.params.temperature = SPAN_OF("0.2");
    rig_fit(&rig, "temperature");
    rig_fini(&rig);
}

static void caps__are_there_where_they_must_be(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.cap, 64000);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.terms.default_cap = 4096;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.cap, 4096);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-3-haiku");
    rig.terms.default_cap = 100000;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.cap, 4096);
    rig_fini(&rig);
    start(&rig, MESSAGES, CHAT, "gpt-4o");
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.cap, -1);
    rig_fini(&rig);
}

static void caps__are_clamped_where_the_model_is_known(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, MESSAGES, CHAT, "gpt-4o");
    rig.chat.params.cap = 64000;
    rig_fit(&rig, "max_tokens=changed");
    assert_int_equal(rig.chat.params.cap, 16384);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-sonnet-9");
    rig.chat.params.cap = 1000000;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.cap, 1000000);
    rig_fini(&rig);
    start(&rig, MESSAGES, CHAT, "gpt-4o");
    rig.chat.params.cap = 0;
    rig_fit(&rig, "refused max_tokens");
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.cap = INT64_MAX;
    rig.chat.params.effort = CHAT_EFFORT_MAX;
    rig_fit(&rig, "max_completion_tokens=changed");
    assert_int_equal(rig.chat.params.cap, 64000);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.cap = INT64_MAX;
    rig.chat.params.is_old_cap = true;
    rig_fit(&rig, "max_tokens=changed");
    rig_fini(&rig);
}

static void tools__end_the_effort_where_chat_refuses_both(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, MESSAGES, CHAT, "gpt-5.6-sol");
    (void)rig_tool(&rig, "\"f\"");
    rig.chat.params.effort = CHAT_EFFORT_HIGH;
    rig_fit(&rig, "thinking=changed");
    assert_int_equal(rig.chat.params.effort, CHAT_EFFORT_NONE);
    rig_fini(&rig);
    start(&rig, MESSAGES, RESPONSES, "gpt-5.6-sol");
    (void)rig_tool(&rig, "\"f\"");
    rig.chat.params.effort = CHAT_EFFORT_HIGH;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.effort, CHAT_EFFORT_HIGH);
    rig_fini(&rig);
}

static void summaries__are_asked_for_where_thoughts_can_be_shown(void **state)
{
    static const struct {
        int to;
        const char *model;
        enum chat_effort effort;
        bool is_shown;
    } shows[] = {
        {CHAT, "gpt-5", CHAT_EFFORT_HIGH, false},         {RESPONSES, "gpt-5", CHAT_EFFORT_HIGH, true},
        {RESPONSES, "gpt-4.1", CHAT_EFFORT_UNSAID, false}, {MESSAGES, "claude-sonnet-4-5", CHAT_EFFORT_UNSAID, false},
        {MESSAGES, "claude-sonnet-4-5", CHAT_EFFORT_LOW, true}, {GENERATE, "gemini-2.5-pro", CHAT_EFFORT_UNSAID, true},
        {MESSAGES, "claude-opus-5", CHAT_EFFORT_UNSAID, true}, {MESSAGES, "claude-opus-5", CHAT_EFFORT_NONE, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof shows / sizeof shows[0]; i++) {
        struct rig rig;

        start(&rig, GENERATE, shows[i].to, shows[i].model);
        rig.chat.params.shows_thinking = true;
        rig.chat.params.effort = shows[i].effort;
        rig_fit(&rig, "");
        assert_int_equal(rig.chat.params.shows_thinking, shows[i].is_shown);
        if (shows[i].to == MESSAGES && shows[i].is_shown) { /* asked for where thinking is asked for */
            assert_true(rig.chat.params.is_thinking_adaptive || rig.chat.params.thinking_budget > 0);
        }
        rig_fini(&rig);
    }
}

/* Responses refuse less than 16. */
static void caps__are_not_below_the_least_that_is_taken(void **state)
{
    static const struct {
        int to;
        int64_t asked;
        int64_t cap;
        const char *lost;
    } caps[] = {
        {RESPONSES, 1, 16, "max_completion_tokens=changed"},
        {RESPONSES, 15, 16, "max_completion_tokens=changed"},
        {RESPONSES, 16, 16, ""},
        {GENERATE, 1, 1, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
        struct rig rig;

        start(&rig, CHAT, caps[i].to, caps[i].to == GENERATE ? "gemini-2.5-flash" : "gpt-5.1");
        rig.chat.params.cap = caps[i].asked;
        rig_fit(&rig, caps[i].lost);
        assert_int_equal(rig.chat.params.cap, caps[i].cap);
        rig_fini(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caps__are_not_below_the_least_that_is_taken),
        cmocka_unit_test(efforts__become_what_the_model_takes),
        cmocka_unit_test(nothing_said__stays_nothing),
        cmocka_unit_test(adaptive__is_nothing_elsewhere),
        cmocka_unit_test(budgets__are_carried_to_those_that_know_them),
        cmocka_unit_test(budgets__lie_below_the_cap),
        cmocka_unit_test(thinking__keeps_older_claude_from_drawing),
        cmocka_unit_test(caps__are_there_where_they_must_be),
        cmocka_unit_test(caps__are_clamped_where_the_model_is_known),
        cmocka_unit_test(tools__end_the_effort_where_chat_refuses_both),
        cmocka_unit_test(summaries__are_asked_for_where_thoughts_can_be_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
