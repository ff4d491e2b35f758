/* SPDX-License-Identifier: Apache-2.0 */
/* What is drawn, counted and said about a request, as another dialect, model or provider takes it. */
#include "tests/unit/wire/fit_rig.h"

static void start(struct rig *rig, int from, int to, const char *model)
{
    rig_init(rig, from, to, model);
    rig_say(rig, CHAT_USER, "\"hi\"");
}

static void sampling__is_clamped_where_claude_draws(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.temperature = SPAN_OF("1.7");
    rig.chat.params.top_p = SPAN_OF("0.9");
    rig_fit(&rig, "top_p, temperature=changed");
    assert_span_equal(rig.chat.params.temperature, "1");
    assert_int_equal(rig.chat.params.top_p.len, 0);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.top_p = SPAN_OF("0.9");
    rig_fit(&rig, "");
    assert_span_equal(rig.chat.params.top_p, "0.9");
    rig_fini(&rig);
}

static void sampling__goes_where_the_model_never_draws(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-opus-5");
    rig.chat.params.temperature = SPAN_OF("0.2");
    rig.chat.params.top_p = SPAN_OF("1.0");
    rig_fit(&rig, "temperature");
    assert_int_equal(rig.chat.params.temperature.len, 0);
    assert_int_equal(rig.chat.params.top_p.len, 0);
    rig_fini(&rig);
    start(&rig, GENERATE, CHAT, "gpt-5-mini");
    rig.chat.params.temperature = SPAN_OF("0.2");
    rig.chat.params.top_k = SPAN_OF("40");
    rig_fit(&rig, "generationConfig.temperature, generationConfig.topK");
    rig_fini(&rig);
}

static void sampling__depends_on_the_effort(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, MESSAGES, CHAT, "gpt-5.4");
    rig.chat.params.temperature = SPAN_OF("0.2");
    rig.chat.params.effort = CHAT_EFFORT_NONE;
    rig_fit(&rig, "");
    assert_span_equal(rig.chat.params.temperature, "0.2");
    rig_fini(&rig);
    start(&rig, MESSAGES, CHAT, "gpt-5.4");
    rig.chat.params.temperature = SPAN_OF("0.2");
    rig_fit(&rig, "temperature");
    rig_fini(&rig);
}

static void sampling__stays_with_plain_models(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, MESSAGES, CHAT, "qwen3");
    rig.target.habits = habits_of("compatible", SPAN_OF("127.0.0.1:11434/v1"), SPAN_OF("qwen3"));
    rig.chat.params.temperature = SPAN_OF("0.2");
    rig.chat.params.top_p = SPAN_OF("0.5");
    rig.chat.params.cap = 1000000;
    rig_fit(&rig, "");
    assert_span_equal(rig.chat.params.top_p, "0.5");
    assert_int_equal(rig.chat.params.cap, 1000000);
    rig_fini(&rig);
}

/* Numbers are judged by their digits. */
static void temperature__is_above_one_however_it_is_spelled(void **state)
{
    static const struct {
        const char *number;
        bool is_above;
    } rows[] = {
        {"1", false},    {"1.0", false},   {"1.000", false}, {"10e-1", false}, {"0.1e1", false},  {"0", false},
        {"0.0", false},  {"0.999", false}, {"9e-1", false},  {"-2", false},    {"100e-3", false}, {"0e99", false},
        {"1.01", true},  {"2", true},      {"1.9", true},    {"10", true},     {"0.2e1", true},   {"11e-1", true},
        {"1e1", true},   {"1E+2", true},   {"1e9999999999999999999999", true}, {"1e-9999999999999999999999", false},
        {"0.00015e4", true}, {"0.0001e4", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig rig;

        print_message("%s\n", rows[i].number);
        start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
        rig.chat.params.temperature = span_of(rows[i].number);
        rig_fit(&rig, rows[i].is_above ? "temperature=changed" : "");
        assert_span_equal(rig.chat.params.temperature, rows[i].is_above ? "1" : rows[i].number);
        rig_fini(&rig);
    }
}

static void penalties__of_zero_say_nothing(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.frequency_penalty = SPAN_OF("0.0");
    rig.chat.params.presence_penalty = SPAN_OF("-0.5");
    rig_fit(&rig, "presence_penalty");
    assert_int_equal(rig.chat.params.frequency_penalty.len, 0);
    rig_fini(&rig);
    start(&rig, CHAT, GENERATE, "gemini-3.5-flash");
    rig.chat.params.frequency_penalty = SPAN_OF("0.5");
    rig_fit(&rig, "");
    assert_span_equal(rig.chat.params.frequency_penalty, "0.5");
    rig_fini(&rig);
    start(&rig, CHAT, GENERATE, "gemini-2.5-flash");
    rig.chat.params.frequency_penalty = SPAN_OF("0.5");
    rig_fit(&rig, "frequency_penalty");
    rig_fini(&rig);
}

static void a_bias_and_more_answers_and_log_probabilities__are_refused(void **state)
{
    struct rig rig;

    (void)state;
    for (int to = RESPONSES; to <= GENERATE; to++) {
        start(&rig, CHAT, to, to == RESPONSES ? "gpt-4.1" : "m");
        rig.chat.params.logit_bias = SPAN_OF("{\"50256\":-100}");
        rig_fit(&rig, "refused logit_bias");
        rig_fini(&rig);
    }
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.answers = 2;
    rig_fit(&rig, "refused n");
    rig_fini(&rig);
    start(&rig, GENERATE, CHAT, "gpt-4.1");
    rig.chat.params.top_logprobs = SPAN_OF("3");
    rig_fit(&rig, "refused generationConfig.responseLogprobs");
    rig_fini(&rig);
}

static void seed__is_named_where_there_is_none(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.seed = SPAN_OF("7");
    rig.chat.params.verbosity = SPAN_OF("\"low\"");
    rig_fit(&rig, "seed, verbosity");
    rig_fini(&rig);
    start(&rig, CHAT, GENERATE, "gemini-2.5-flash");
    rig.chat.params.seed = SPAN_OF("7");
    rig_fit(&rig, "");
    assert_span_equal(rig.chat.params.seed, "7");
    rig_fini(&rig);
}

static void metadata_and_cache_keys__go_in_silence(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.metadata = SPAN_OF("{\"a\":\"b\"}");
    rig.chat.params.cache_key = SPAN_OF("\"k\"");
    rig.chat.params.store = SPAN_OF("false");
    rig.chat.params.tier = SPAN_OF("\"auto\"");
    rig.chat.params.user = SPAN_OF("\"u1\"");
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.metadata.len, 0);
    assert_int_equal(rig.chat.params.store.len, 0);
    assert_int_equal(rig.chat.params.tier.len, 0);
    assert_span_equal(rig.chat.params.user, "\"u1\"");
    rig_fini(&rig);
}

static void dearer_tiers__do_not_cross(void **state)
{
    static const char *const tiers[] = {"\"priority\"", "\"fast\"", "\"flex\"", "\"what\""};
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < sizeof tiers / sizeof tiers[0]; i++) {
        start(&rig, CHAT, GENERATE, "gemini-3.5-flash");
        rig.chat.params.tier = span_of(tiers[i]);
        rig_fit(&rig, "service_tier");
        assert_int_equal(rig.chat.params.tier.len, 0);
        rig_fini(&rig);
    }
    start(&rig, MESSAGES, CHAT, "gpt-5.4");
    rig.chat.params.tier = SPAN_OF("\"standard_only\"");
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.tier.len, 0);
    rig_fini(&rig);
    start(&rig, GENERATE, RESPONSES, "gpt-5.4");
    rig.chat.params.tier = SPAN_OF("\"PRIORITY\"");
    rig_fit(&rig, "serviceTier");
    rig_fini(&rig);
    /* The same maker's two grammars. */
    start(&rig, CHAT, RESPONSES, "gpt-5.4");
    rig.chat.params.tier = SPAN_OF("\"priority\"");
    rig_fit(&rig, "");
    assert_span_equal(rig.chat.params.tier, "\"priority\"");
    rig_fini(&rig);
}

static void answers__are_kept_only_where_that_was_asked_for(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.params.store = SPAN_OF("true");
    rig_fit(&rig, "store");
    rig_fini(&rig);
    start(&rig, MESSAGES, RESPONSES, "gpt-5.4");
    rig_fit(&rig, "");
    assert_span_equal(rig.chat.params.store, "false");
    rig_fini(&rig);
    start(&rig, CHAT, RESPONSES, "gpt-5.4");
    rig.chat.params.store = SPAN_OF("true");
    rig_fit(&rig, "");
    assert_span_equal(rig.chat.params.store, "true");
    rig_fini(&rig);
}

static void stop_strings__are_such_as_the_target_takes(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-opus-5");
    chat_add_word(&rig.chat, &rig.chat.params.stop, SPAN_OF("\"\\n\\n\""));
    chat_add_word(&rig.chat, &rig.chat.params.stop, SPAN_OF("\"END\""));
    rig_fit(&rig, "stop");
    assert_int_equal(rig.chat.params.stop.count, 1);
    assert_span_equal(rig.chat.params.stop.first->text, "\"END\"");
    assert_null(rig.chat.params.stop.first->next);
    rig_fini(&rig);
    start(&rig, MESSAGES, CHAT, "gpt-5.4");
    chat_add_word(&rig.chat, &rig.chat.params.stop, SPAN_OF("\"END\""));
    rig_fit(&rig, "refused stop_sequences");
    rig_fini(&rig);
    start(&rig, CHAT, RESPONSES, "gpt-4.1");
    chat_add_word(&rig.chat, &rig.chat.params.stop, SPAN_OF("\"END\""));
    rig_fit(&rig, "refused stop");
    rig_fini(&rig);
    start(&rig, MESSAGES, CHAT, "gpt-4.1");
    for (int i = 0; i < 5; i++) {
        chat_add_word(&rig.chat, &rig.chat.params.stop, SPAN_OF("\"END\""));
    }
    rig_fit(&rig, "refused stop_sequences");
    rig_fini(&rig);
}

static void a_long_user__becomes_a_hash_of_itself(void **state)
{
    struct rig rig;
    char name[128];
    struct span first;

    (void)state;
    memset(name, 'u', sizeof name);
    name[0] = '"';
    name[99] = '"';
    start(&rig, MESSAGES, CHAT, "gpt-5.4");
    rig.chat.params.user = span_make(name, 100);
    rig_fit(&rig, "");
    assert_int_equal(chat_inside(rig.chat.params.user).len, 23);
    assert_memory_equal(rig.chat.params.user.at, "\"user_", 6);
    first = rig.chat.params.user;
    {
        struct rig again;

        start(&again, MESSAGES, RESPONSES, "gpt-4.1");
        again.chat.params.user = span_make(name, 100);
        rig_fit(&again, "");
        assert_true(span_equal(again.chat.params.user, first));
        rig_fini(&again);
    }
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-opus-5");
    rig.chat.params.user = span_make(name, 100);
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.user.len, 100);
    rig_fini(&rig);
}

static void habits__take_away_what_the_provider_does_not_know(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, RESPONSES, CHAT, "mistral-large-latest");
    rig.target.habits = habits_of("compatible", SPAN_OF("api.mistral.ai/v1"), SPAN_OF("mistral-large-latest"));
    rig.chat.params.user = SPAN_OF("\"u\"");
    rig.chat.params.metadata = SPAN_OF("{\"a\":\"b\"}");
    rig.chat.params.store = SPAN_OF("true");
    rig.chat.params.tier = SPAN_OF("\"priority\"");
    rig.chat.params.verbosity = SPAN_OF("\"low\"");
    rig_fit(&rig, "text.verbosity, service_tier, store");
    assert_int_equal(rig.chat.params.user.len, 0);
    assert_int_equal(rig.chat.params.metadata.len, 0);
    rig_fini(&rig);
}

static void losses__are_refusals_under_strict(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-opus-5");
    rig.chat.is_strict = true;
    rig.chat.params.seed = SPAN_OF("7");
    rig_fit(&rig, "refused seed");
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-opus-5");
    rig.chat.is_strict = true;
    rig.chat.params.metadata = SPAN_OF("{\"a\":\"b\"}");
    rig.chat.params.temperature = SPAN_OF("1");
    rig_fit(&rig, "");
    rig_fini(&rig);
}

static void models_of_responses_alone__are_refused_to_chat(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, MESSAGES, CHAT, "gpt-5-pro");
    rig_fit(&rig, "refused model");
    rig_fini(&rig);
    start(&rig, MESSAGES, RESPONSES, "gpt-5-pro");
    rig_fit(&rig, "");
    rig_fini(&rig);
}

static void json__is_asked_for_in_words_where_there_is_no_mode(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-opus-5");
    rig.chat.params.format = CHAT_FORMAT_JSON;
    rig_fit(&rig, "response_format=changed");
    assert_int_equal(rig.chat.params.format, CHAT_FORMAT_TEXT);
    assert_string_equal(rig_turns(&rig), "system: Answer with one valid JSON object and nothing else.; user: hi");
    rig_fini(&rig);
    start(&rig, CHAT, GENERATE, "gemini-2.5-flash");
    rig.chat.params.format = CHAT_FORMAT_JSON;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.params.format, CHAT_FORMAT_JSON);
    rig_fini(&rig);
}

static void schemas__are_kept_to_or_refused(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-20250514");
    rig.chat.params.format = CHAT_FORMAT_SCHEMA;
    rig.chat.params.format_schema = SPAN_OF("{}");
    rig_fit(&rig, "refused response_format");
    rig_fini(&rig);
    start(&rig, CHAT, GENERATE, "gemini-2.5-flash");
    rig.chat.params.format = CHAT_FORMAT_SCHEMA;
    rig.chat.params.format_schema = SPAN_OF("{}");
    (void)rig_tool(&rig, "\"f\"");
    rig_fit(&rig, "refused response_format");
    rig_fini(&rig);
    start(&rig, MESSAGES, CHAT, "gpt-5.4");
    rig.chat.params.format = CHAT_FORMAT_SCHEMA;
    rig.chat.params.format_schema = SPAN_OF("{}");
    rig_fit(&rig, "");
    assert_span_equal(rig.chat.params.format_name, "\"output\"");
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sampling__is_clamped_where_claude_draws),
        cmocka_unit_test(sampling__goes_where_the_model_never_draws),
        cmocka_unit_test(sampling__depends_on_the_effort),
        cmocka_unit_test(sampling__stays_with_plain_models),
        cmocka_unit_test(temperature__is_above_one_however_it_is_spelled),
        cmocka_unit_test(penalties__of_zero_say_nothing),
        cmocka_unit_test(a_bias_and_more_answers_and_log_probabilities__are_refused),
        cmocka_unit_test(seed__is_named_where_there_is_none),
        cmocka_unit_test(metadata_and_cache_keys__go_in_silence),
        cmocka_unit_test(dearer_tiers__do_not_cross),
        cmocka_unit_test(answers__are_kept_only_where_that_was_asked_for),
        cmocka_unit_test(stop_strings__are_such_as_the_target_takes),
        cmocka_unit_test(a_long_user__becomes_a_hash_of_itself),
        cmocka_unit_test(habits__take_away_what_the_provider_does_not_know),
        cmocka_unit_test(losses__are_refusals_under_strict),
        cmocka_unit_test(models_of_responses_alone__are_refused_to_chat),
        cmocka_unit_test(json__is_asked_for_in_words_where_there_is_no_mode),
        cmocka_unit_test(schemas__are_kept_to_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
