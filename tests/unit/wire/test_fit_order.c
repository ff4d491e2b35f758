/* SPDX-License-Identifier: Apache-2.0 */
/* Who speaks when, and what was called and answered. */
#include "tests/unit/wire/fit_rig.h"

#include <stdio.h>

#include "base/buf.h"

static void later_instructions__become_text_of_the_user(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig_say(&rig, CHAT_SYSTEM, "\"be brief\"");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    rig_say(&rig, CHAT_MODEL, "\"hello\"");
    rig_say(&rig, CHAT_SYSTEM, "\"now be long\"");
    rig_say(&rig, CHAT_USER, "\"go on\"");
    rig_fit(&rig, "messages[].role=changed");
    assert_string_equal(rig_turns(&rig), "system: be brief; user: hi; model: hello; user: now be long, go on");
    rig_fini(&rig);
    rig_init(&rig, CHAT, MESSAGES, "claude-opus-5");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    rig_say(&rig, CHAT_SYSTEM, "\"now be long\"");
    rig_say(&rig, CHAT_USER, "\"go on\"");
    rig_fit(&rig, "");
    assert_string_equal(rig_turns(&rig), "user: hi; system: now be long; user: go on");
    rig_fini(&rig);
    rig_init(&rig, RESPONSES, GENERATE, "gemini-3.5-flash");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    rig_say(&rig, CHAT_SYSTEM, "\"now be long\"");
    rig_fit(&rig, "input[].role=changed");
    assert_string_equal(rig_turns(&rig), "user: hi, now be long");
    rig_fini(&rig);
}

static void gemma__takes_no_instructions_at_all(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, CHAT, GENERATE, "gemma-3-27b-it");
    rig_say(&rig, CHAT_SYSTEM, "\"be brief\"");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    rig_fit(&rig, "messages[].role=changed");
    assert_string_equal(rig_turns(&rig), "user: be brief, hi");
    rig_fini(&rig);
}

static void blank_texts__go_where_they_are_refused(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, CHAT, MESSAGES, "claude-opus-5");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    rig_say(&rig, CHAT_MODEL, "\" \\n\\u0020\"");
    rig_say(&rig, CHAT_USER, "\"there\"");
    rig_say(&rig, CHAT_USER, "\"\\t\"");
    rig_fit(&rig, "");
    assert_string_equal(rig_turns(&rig), "user: hi, there");
    assert_ptr_equal(rig.chat.last, rig.chat.turns);
    rig_fini(&rig);
    rig_init(&rig, MESSAGES, CHAT, "gpt-4.1");
    rig_say(&rig, CHAT_USER, "\" \"");
    rig_fit(&rig, "");
    assert_string_equal(rig_turns(&rig), "user:  ");
    rig_fini(&rig);
    rig_init(&rig, CHAT, GENERATE, "gemini-3.5-flash");
    rig_say(&rig, CHAT_USER, "\" \"");
    rig_fit(&rig, "refused messages");
    rig_fini(&rig);
}

static void conversations__begin_with_the_user(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, CHAT, MESSAGES, "claude-opus-5");
    rig_say(&rig, CHAT_SYSTEM, "\"be brief\"");
    rig_say(&rig, CHAT_MODEL, "\"hello\"");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    rig_fit(&rig, "messages=changed");
    assert_string_equal(rig_turns(&rig),
                        "system: be brief; user: (The conversation begins.); model: hello; user: hi");
    rig_fini(&rig);
    rig_init(&rig, CHAT, GENERATE, "gemini-3.5-flash");
    rig_say(&rig, CHAT_SYSTEM, "\"be brief\"");
    rig_fit(&rig, "messages=changed");
    assert_string_equal(rig_turns(&rig), "system: be brief; user: (The conversation begins.)");
    rig_fini(&rig);
    rig_init(&rig, MESSAGES, CHAT, "gpt-4.1");
    rig_say(&rig, CHAT_MODEL, "\"hello\"");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    rig_fit(&rig, "");
    assert_string_equal(rig_turns(&rig), "model: hello; user: hi");
    rig_fini(&rig);
}

static void a_last_turn_of_the_model__is_refused_or_told(void **state)
{
    static const struct {
        int from;
        int to;
        const char *model;
        const char *lost;
    } ends[] = {
        {CHAT, MESSAGES, "claude-opus-5", "refused messages"},
        {CHAT, MESSAGES, "claude-sonnet-4-5", "messages=changed"},
        {GENERATE, MESSAGES, "claude-sonnet-4-5", ""},
        {MESSAGES, CHAT, "gpt-4.1", "messages=changed"},
        {RESPONSES, CHAT, "gpt-4.1", ""},
        {CHAT, GENERATE, "gemini-3.5-flash", "messages=changed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct rig rig;

        print_message("%d to %s\n", ends[i].from, ends[i].model);
        rig_init(&rig, ends[i].from, ends[i].to, ends[i].model);
        rig_say(&rig, CHAT_USER, "\"hi\"");
        rig_say(&rig, CHAT_MODEL, "\"{ \\n\"");
        rig_fit(&rig, ends[i].lost);
        if (!chat_is_refused(&rig.chat)) {
            assert_string_equal(rig_turns(&rig),
                                ends[i].to == MESSAGES ? "user: hi; model: {" : "user: hi; model: { \\n");
        }
        rig_fini(&rig);
    }
}

static void begun_answers__lose_the_white_space_at_their_end(void **state)
{
    static const char *const texts[][2] = {
        {"\"a\"", "a"},           {"\"a \"", "a"},         {"\"a\\t\\u000a \"", "a"}, {"\"a\\\\ \"", "a\\\\"},
        {"\"a\\\\n\"", "a\\\\n"}, {"\"a\\\" \"", "a\\\""}, {"\" a b\"", " a b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct rig rig;

        rig_init(&rig, GENERATE, MESSAGES, "claude-sonnet-4-5");
        rig_say(&rig, CHAT_USER, "\"hi\"");
        rig_say(&rig, CHAT_MODEL, texts[i][0]);
        rig_fit(&rig, "");
        assert_span_equal(chat_inside(rig.chat.last->last->text), texts[i][1]);
        rig_fini(&rig);
    }
}

static void results__stand_first_and_in_the_order_of_their_calls(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, CHAT, MESSAGES, "claude-opus-5");
    (void)rig_tool(&rig, "\"f\"");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    rig_call(&rig, "\"1\"", "\"f\"");
    rig_call(&rig, "\"2\"", "\"f\"");
    rig_call(&rig, "\"3\"", "\"f\"");
    rig_say(&rig, CHAT_USER, "\"by the way\"");
    (void)rig_result(&rig, "\"3\"", "\"c\"");
    (void)rig_result(&rig, "\"1\"", "\"a\"");
    rig_say(&rig, CHAT_USER, "\"and\"");
    (void)rig_result(&rig, "\"2\"", "\"b\"");
    rig_fit(&rig, "");
    assert_string_equal(rig_turns(&rig), "user: hi; model: call 1, call 2, call 3; "
                                         "user: result 1 a, result 2 b, result 3 c, by the way, and");
    assert_null(rig.chat.last->last->next);
    rig_fini(&rig);
}

static void instructions__follow_the_results_they_were_put_before(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, CHAT, GENERATE, "gemini-3.5-flash");
    (void)rig_tool(&rig, "\"f\"");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    rig_call(&rig, "\"1\"", "\"f\"");
    rig_say(&rig, CHAT_SYSTEM, "\"hurry\"");
    (void)rig_result(&rig, "\"1\"", "\"a\"");
    rig_fit(&rig, "messages[].role=changed");
    assert_string_equal(rig_turns(&rig), "user: hi; model: call 1; user: result 1 a, hurry");
    assert_int_equal(rig.chat.last->last->kind, CHAT_TEXT);
    rig_fini(&rig);
}

enum tale { NO_RESULT, NO_NEXT, NO_CALL, TWICE, LATE, SAME_ID, FIRST };

static void tell(struct rig *rig, enum tale tale)
{
    (void)rig_tool(rig, "\"f\"");
    if (tale == FIRST) {
        (void)rig_result(rig, "\"1\"", "\"a\"");
        return;
    }
    rig_say(rig, CHAT_USER, "\"hi\"");
    if (tale != NO_CALL) {
        rig_call(rig, "\"1\"", "\"f\"");
        rig_call(rig, tale == SAME_ID ? "\"1\"" : "\"2\"", "\"f\"");
    } else {
        rig_say(rig, CHAT_MODEL, "\"hello\"");
    }
    if (tale == NO_NEXT) {
        return;
    }
    if (tale == LATE) {
        rig_say(rig, CHAT_USER, "\"wait\"");
        rig_say(rig, CHAT_MODEL, "\"yes\"");
    }
    (void)rig_result(rig, "\"1\"", "\"a\"");
    if (tale != NO_RESULT) {
        (void)rig_result(rig, tale == TWICE ? "\"1\"" : "\"2\"", "\"b\"");
    }
}

static void history__in_which_calls_and_results_do_not_meet_is_refused(void **state)
{
    (void)state;
    for (int tale = NO_RESULT; tale <= FIRST; tale++) {
        for (int to = CHAT; to <= GENERATE; to++) {
            struct rig rig;

            print_message("tale %d to %d\n", tale, to);
            rig_init(&rig, to == MESSAGES ? CHAT : MESSAGES, to,
                     to == GENERATE ? "gemini-3.5-flash" : to == MESSAGES ? "claude-opus-5" : "gpt-5.4");
            tell(&rig, (enum tale)tale);
            rig_fit(&rig, "refused messages");
            rig_fini(&rig);
        }
    }
}

/* A long history costs by its length, not by its square. */
static void long_history__is_gone_through_once(void **state)
{
    enum { STEPS = 100000 };
    struct rig rig;

    (void)state;
    rig_init(&rig, MESSAGES, CHAT, "gpt-5.4");
    rig.arena.max = SIZE_MAX / 2;
    (void)rig_tool(&rig, "\"f\"");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    for (int i = 0; i < STEPS; i++) {
        rig_call(&rig, "\"toolu_1\"", "\"f\"");
        (void)rig_result(&rig, "\"toolu_1\"", "\"ok\"");
    }
    rig_fit(&rig, "");
    rig_fini(&rig);
    rig_init(&rig, MESSAGES, CHAT, "gpt-5.4");
    rig.arena.max = SIZE_MAX / 2;
    rig_say(&rig, CHAT_USER, "\"hi\"");
    rig_call(&rig, "\"toolu_1\"", "\"f\"");
    for (int i = 0; i < STEPS; i++) {
        (void)rig_result(&rig, "\"toolu_1\"", "\"ok\"");
    }
    rig_fit(&rig, "refused messages");
    rig_fini(&rig);
}

static void too_many_calls_in_one_turn__are_refused(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, MESSAGES, GENERATE, "gemini-3.5-flash");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    for (int i = 0; i < CHAT_CALLS_MAX; i++) {
        rig_call(&rig, "\"1\"", "\"f\"");
    }
    rig_say(&rig, CHAT_USER, "\" \""); /* blank: the turns around it become one */
    rig_call(&rig, "\"2\"", "\"f\"");
    rig_say(&rig, CHAT_USER, "\"ho\"");
    rig_fit(&rig, "refused messages");
    rig_fini(&rig);
    rig_init(&rig, RESPONSES, MESSAGES, "claude-opus-5");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    for (int i = 0; i <= CHAT_CALLS_MAX; i++) {
        static char ids[CHAT_CALLS_MAX + 1][8];

        (void)snprintf(ids[i], sizeof ids[i], "\"%d\"", i);
        rig_call(&rig, ids[i], "\"f\"");
    }
    rig_fit(&rig, "refused input");
    assert_string_equal(rig.chat.refused.why, "One turn has more than 128 calls of tools");
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_instructions__become_text_of_the_user),
        cmocka_unit_test(gemma__takes_no_instructions_at_all),
        cmocka_unit_test(blank_texts__go_where_they_are_refused),
        cmocka_unit_test(conversations__begin_with_the_user),
        cmocka_unit_test(a_last_turn_of_the_model__is_refused_or_told),
        cmocka_unit_test(begun_answers__lose_the_white_space_at_their_end),
        cmocka_unit_test(results__stand_first_and_in_the_order_of_their_calls),
        cmocka_unit_test(instructions__follow_the_results_they_were_put_before),
        cmocka_unit_test(history__in_which_calls_and_results_do_not_meet_is_refused),
        cmocka_unit_test(long_history__is_gone_through_once),
        cmocka_unit_test(too_many_calls_in_one_turn__are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
