/* SPDX-License-Identifier: Apache-2.0 */
/* Tools, choices and ids of calls; pictures, files and sound; marks of caches. */
#include "tests/unit/wire/fit_rig.h"

static void start(struct rig *rig, int from, int to, const char *model)
{
    rig_init(rig, from, to, model);
    rig_say(rig, CHAT_USER, "\"hi\"");
    (void)rig_tool(rig, "\"f\"");
}

static void forced_choice__becomes_free_where_it_is_refused(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-sonnet-5-5");
    rig.chat.choice = CHAT_CHOICE_ONE;
    rig.chat.choice_name = SPAN_OF("\"f\"");
    rig_fit(&rig, "tool_choice=changed");
    assert_int_equal(rig.chat.choice, CHAT_CHOICE_AUTO);
    assert_int_equal(rig.chat.choice_name.len, 0);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-opus-5");
    rig.chat.choice = CHAT_CHOICE_ANY;
    rig.chat.params.effort = CHAT_EFFORT_HIGH;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.choice, CHAT_CHOICE_ANY);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-sonnet-4-5");
    rig.chat.choice = CHAT_CHOICE_ANY;
    rig.chat.params.effort = CHAT_EFFORT_HIGH;
    rig_fit(&rig, "tool_choice=changed");
    assert_int_equal(rig.chat.choice, CHAT_CHOICE_AUTO);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-sonnet-5-5");
    rig.chat.is_strict = true;
    rig.chat.choice = CHAT_CHOICE_ANY;
    rig_fit(&rig, "refused tool_choice");
    rig_fini(&rig);
}

static void allowed_tools__are_the_only_ones_where_there_is_no_such_list(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, MESSAGES, "claude-opus-5");
    (void)rig_tool(&rig, "\"g\"");
    (void)rig_tool(&rig, "\"h\"");
    rig.chat.choice = CHAT_CHOICE_AUTO;
    chat_add_word(&rig.chat, &rig.chat.choice_of, SPAN_OF("\"g\""));
    rig_fit(&rig, "");
    assert_span_equal(rig.chat.tools->name, "\"g\"");
    assert_null(rig.chat.tools->next);
    assert_ptr_equal(rig.chat.tools_last, rig.chat.tools);
    assert_null(rig.chat.choice_of.first);
    rig_fini(&rig);
    start(&rig, CHAT, GENERATE, "gemini-3.5-flash");
    rig.chat.choice = CHAT_CHOICE_ANY;
    chat_add_word(&rig.chat, &rig.chat.choice_of, SPAN_OF("\"f\""));
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.choice_of.count, 1);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-opus-5");
    rig.chat.choice = CHAT_CHOICE_ANY;
    chat_add_word(&rig.chat, &rig.chat.choice_of, SPAN_OF("\"x\""));
    rig_fit(&rig, "refused tool_choice.allowed_tools");
    rig_fini(&rig);
}

static void one_call_at_a_time__is_named_where_it_cannot_be_had(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, GENERATE, "gemini-3.5-flash");
    rig.chat.parallel = 0;
    rig_fit(&rig, "parallel_tool_calls");
    assert_int_equal(rig.chat.parallel, -1);
    rig_fini(&rig);
    start(&rig, CHAT, GENERATE, "gemini-3.5-flash");
    rig.chat.parallel = 1;
    rig_fit(&rig, "");
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-opus-5");
    rig.chat.parallel = 0;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.parallel, 0);
    rig_fini(&rig);
}

static void strict_tools__are_named_where_there_is_no_such_thing(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig, CHAT, GENERATE, "gemini-3.5-flash");
    rig.chat.tools->strict = 1;
    rig_fit(&rig, "tools[].function.strict");
    assert_int_equal(rig.chat.tools->strict, -1);
    rig_fini(&rig);
    start(&rig, CHAT, MESSAGES, "claude-opus-4-20250514");
    rig.chat.tools->strict = 0;
    rig_fit(&rig, "");
    rig_fini(&rig);
    start(&rig, CHAT, RESPONSES, "gpt-5.4");
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.tools->strict, 0);
    rig_fini(&rig);
}

static void names_of_tools__are_such_as_the_target_allows(void **state)
{
    static const struct {
        int to;
        const char *name;
        bool is_good;
    } names[] = {
        {CHAT, "\"get_weather-2\"", true}, {CHAT, "\"a.b\"", false},      {CHAT, "\"\"", false},
        {CHAT, "\"a\\u0062\"", false},     {MESSAGES, "\"a:b\"", false},  {GENERATE, "\"a.b:c\"", true},
        {GENERATE, "\"1a\"", false},       {GENERATE, "\"-a\"", false},   {MESSAGES, "\"1a\"", true},
        {MESSAGES, "7", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct rig rig;

        print_message("%s\n", names[i].name);
        rig_init(&rig, MESSAGES, names[i].to, names[i].to == MESSAGES ? "claude-opus-5" : "m");
        rig_say(&rig, CHAT_USER, "\"hi\"");
        (void)rig_tool(&rig, names[i].name);
        rig_fit(&rig, names[i].is_good ? "" : "refused tools[].name");
        rig_fini(&rig);
    }
}

static void schemas__have_an_object_at_their_root(void **state)
{
    static const struct {
        const char *schema;
        const char *written; /* NULL: refused */
    } schemas[] = {
        {"{}", ""},
        {"{ }", ""},
        {"", ""},
        {"[1]", ""},
        {"{\"type\":\"object\"}", "{\"type\":\"object\"}"},
        {"{\"properties\":{\"a\":{}}}", "{\"type\":\"object\",\"properties\":{\"a\":{}}}"},
        {"{\"type\":\"string\"}", NULL},
        {"{\"type\":\"object\",\"anyOf\":[]}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        struct rig rig;

        print_message("%s\n", schemas[i].schema);
        start(&rig, CHAT, MESSAGES, "claude-opus-5");
        rig.chat.tools->schema = span_of(schemas[i].schema);
        rig_fit(&rig, schemas[i].written == NULL ? "refused tools[].function.parameters" : "");
        if (schemas[i].written != NULL) {
            assert_span_equal(rig.chat.tools->schema, schemas[i].written);
        }
        rig_fini(&rig);
    }
}

static void called(struct rig *rig, int from, int to, const char *model, const char *id)
{
    rig_init(rig, from, to, model);
    rig_say(rig, CHAT_USER, "\"hi\"");
    rig_call(rig, id, "\"f\"");
    (void)rig_result(rig, id, "\"ok\"");
}

static void tools_of_the_history__are_declared_again(void **state)
{
    struct rig rig;

    (void)state;
    called(&rig, CHAT, MESSAGES, "claude-opus-5", "\"c1\"");
    rig_call(&rig, "\"c2\"", "\"g\"");
    rig_call(&rig, "\"c3\"", "\"f\"");
    (void)rig_result(&rig, "\"c2\"", "\"ok\"");
    (void)rig_result(&rig, "\"c3\"", "\"ok\"");
    rig_fit(&rig, "tools=changed");
    assert_span_equal(rig.chat.tools->name, "\"f\"");
    assert_int_equal(rig.chat.tools->schema.len, 0);
    assert_span_equal(rig.chat.tools->next->name, "\"g\"");
    assert_null(rig.chat.tools->next->next);
    assert_int_equal(rig.chat.choice, CHAT_CHOICE_NONE);
    rig_fini(&rig);
    called(&rig, MESSAGES, CHAT, "gpt-5.4", "\"c1\"");
    rig_fit(&rig, "");
    assert_null(rig.chat.tools);
    rig_fini(&rig);
}

static void words_about_tools__go_where_there_are_none(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, CHAT, MESSAGES, "claude-opus-5");
    rig_say(&rig, CHAT_USER, "\"hi\"");
    rig.chat.choice = CHAT_CHOICE_AUTO;
    rig.chat.parallel = 0;
    rig_fit(&rig, "");
    assert_int_equal(rig.chat.choice, CHAT_CHOICE_UNSAID);
    assert_int_equal(rig.chat.parallel, -1);
    rig_fini(&rig);
}

static void ids__are_such_as_the_target_takes(void **state)
{
    static const struct {
        int to;
        const char *id;
        unsigned habits;
        size_t len; /* 0: as it was */
    } ids[] = {
        {MESSAGES, "\"call_Ab-9\"", 0, 0},
        {MESSAGES, "\"call:9\"", 0, 23},
        {MESSAGES, "\"call\\u00e9\"", 0, 23},
        {MESSAGES, "\"0123456789012345678901234567890123456789012345678901234567890123\"", 0, 0},
        {MESSAGES, "\"01234567890123456789012345678901234567890123456789012345678901234\"", 0, 23},
        {CHAT, "\"0123456789012345678901234567890123456789\"", 0, 0},
        {CHAT, "\"01234567890123456789012345678901234567890\"", 0, 23},
        {CHAT, "\"toolu_01\"", HABIT_NINE_IDS, 9},
        {CHAT, "\"toolu0123\"", HABIT_NINE_IDS, 0},
        {GENERATE, "\"a b\"", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct rig rig;
        struct span id;

        print_message("%s\n", ids[i].id);
        called(&rig, GENERATE, ids[i].to, ids[i].to == MESSAGES ? "claude-sonnet-4-5" : "m", ids[i].id);
        (void)rig_tool(&rig, "\"f\"");
        rig.target.habits = ids[i].habits;
        rig_fit(&rig, "");
        id = rig.chat.turns->next->parts->id;
        assert_true(span_equal(id, rig.chat.last->parts->id));
        if (ids[i].len == 0) {
            assert_span_equal(id, ids[i].id);
        } else {
            assert_int_equal(chat_inside(id).len, ids[i].len);
        }
        rig_fini(&rig);
    }
}

static struct chat_part *medium(struct rig *rig, enum chat_part_kind kind, const char *media, const char *url)
{
    struct chat_part *part = chat_add_part(&rig->chat, chat_turn(&rig->chat, CHAT_USER), kind);

    part->media = span_of(media);
    if (url != NULL) {
        part->url = span_of(url);
    } else {
        part->data = SPAN_OF("AAAA");
    }
    return part;
}

static void media__are_such_as_the_target_takes(void **state)
{
    static const char *const url = "\"https://example.com/x\"";
    static const struct {
        int to;
        const char *model;
        enum chat_part_kind kind;
        const char *media;
        bool has_url;
        bool is_good;
    } rows[] = {
        {MESSAGES, "claude-opus-5", CHAT_IMAGE, "image/png", false, true},
        {MESSAGES, "claude-opus-5", CHAT_IMAGE, "image/heic", false, false},
        {MESSAGES, "claude-opus-5", CHAT_IMAGE, "", true, true},
        {MESSAGES, "claude-opus-5", CHAT_DOCUMENT, "application/pdf", false, true},
        {MESSAGES, "claude-opus-5", CHAT_DOCUMENT, "text/csv", false, false},
        {MESSAGES, "claude-opus-5", CHAT_DOCUMENT, "", true, true},
        {MESSAGES, "claude-3-haiku", CHAT_DOCUMENT, "application/pdf", false, false},
        {MESSAGES, "claude-opus-5", CHAT_AUDIO, "audio/wav", false, false},
        {GENERATE, "gemini-3.5-flash", CHAT_IMAGE, "image/heic", false, true},
        {GENERATE, "gemini-3.5-flash", CHAT_IMAGE, "", true, false},
        {GENERATE, "gemini-3.5-flash", CHAT_DOCUMENT, "application/pdf", true, false},
        {GENERATE, "gemini-3.5-flash", CHAT_DOCUMENT, "text/csv", false, true},
        {GENERATE, "gemini-3.5-flash", CHAT_AUDIO, "audio/ogg", false, true},
        {CHAT, "gpt-5.4", CHAT_IMAGE, "", true, true},
        {CHAT, "gpt-5.4", CHAT_DOCUMENT, "application/pdf", false, true},
        {CHAT, "gpt-5.4", CHAT_DOCUMENT, "", true, false},
        {CHAT, "gpt-5.4", CHAT_AUDIO, "audio/wav", false, false},
        {CHAT, "gpt-audio", CHAT_AUDIO, "audio/wav", false, true},
        {CHAT, "gpt-audio", CHAT_AUDIO, "audio/ogg", false, false},
        {CHAT, "gpt-3.5-turbo", CHAT_IMAGE, "image/png", false, false},
        {RESPONSES, "gpt-audio", CHAT_AUDIO, "audio/wav", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig rig;

        print_message("%s %d %s\n", rows[i].model, (int)rows[i].kind, rows[i].media);
        rig_init(&rig, rows[i].to == GENERATE ? CHAT : GENERATE, rows[i].to, rows[i].model);
        (void)medium(&rig, rows[i].kind, rows[i].media, rows[i].has_url ? url : NULL);
        chat_finish(&rig.chat);
        fit_chat(&rig.chat, &rig.terms);
        assert_int_equal(chat_is_refused(&rig.chat), !rows[i].is_good);
        rig_fini(&rig);
    }
}

static void pictures__are_taken_from_the_user_alone(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, GENERATE, CHAT, "gpt-5.4");
    rig_say(&rig, CHAT_USER, "\"draw\"");
    chat_add_part(&rig.chat, chat_turn(&rig.chat, CHAT_MODEL), CHAT_IMAGE)->data = SPAN_OF("AAAA");
    rig_say(&rig, CHAT_USER, "\"again\"");
    rig_fit(&rig, "refused contents[].parts[].inlineData");
    rig_fini(&rig);
}

static void pictures_by_address__are_refused_where_only_data_is_taken(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, MESSAGES, CHAT, "llava");
    rig.target.habits = habits_of("compatible", SPAN_OF("127.0.0.1:11434/v1"), SPAN_OF("llava"));
    (void)medium(&rig, CHAT_IMAGE, "", "\"https://example.com/x\"");
    rig_fit(&rig, "refused messages[].content[].image");
    rig_fini(&rig);
}

static void pictured(struct rig *rig, int from, int to, const char *model)
{
    struct chat_part *part = NULL;

    start(rig, from, to, model);
    rig_call(rig, "\"1\"", "\"f\"");
    part = rig_result(rig, "\"1\"", "\"see\"");
    part = chat_add_inner(&rig->chat, part, CHAT_IMAGE);
    part->media = SPAN_OF("image/png");
    part->data = SPAN_OF("AAAA");
}

static void pictures_in_results__move_where_they_have_no_place(void **state)
{
    struct rig rig;

    (void)state;
    pictured(&rig, MESSAGES, CHAT, "gpt-5.4");
    rig_fit(&rig, "messages[].content[].tool_result=changed");
    rig_fini(&rig);
    pictured(&rig, MESSAGES, GENERATE, "gemini-3.5-flash");
    rig_fit(&rig, "");
    rig_fini(&rig);
    pictured(&rig, MESSAGES, GENERATE, "gemini-2.5-flash");
    rig_fit(&rig, "messages[].content[].tool_result=changed");
    rig_fini(&rig);
}

/* Marks on a tool, on instructions, and on five texts of the user. */
static void marked(struct rig *rig, int from, int to, const char *model)
{
    start(rig, from, to, model);
    rig->chat.tools->cache = CHAT_CACHE_LONG;
    for (int i = 0; i < 4; i++) {
        rig_say(rig, CHAT_USER, "\"x\"");
    }
    for (struct chat_part *part = rig->chat.turns->parts; part != NULL; part = part->next) {
        part->cache = CHAT_CACHE_SHORT;
    }
}

static int marks(const struct rig *rig)
{
    int count = rig->chat.tools->cache != CHAT_CACHE_NONE ? 100 : 0;

    for (const struct chat_part *part = rig->chat.turns->parts; part != NULL; part = part->next) {
        count += part->cache == CHAT_CACHE_LONG ? 10 : part->cache == CHAT_CACHE_SHORT ? 1 : 0;
    }
    return count;
}

static void marks_of_caches__are_carried_where_they_are_known(void **state)
{
    static const struct {
        int from;
        int to;
        const char *model;
        int left;
    } rows[] = {
        {MESSAGES, CHAT, "gpt-5.6-sol", 4},          {MESSAGES, CHAT, "gpt-5.4", 0},
        {MESSAGES, RESPONSES, "gpt-5.6-sol", 0},
        {CHAT, MESSAGES, "claude-opus-5", 4},        {CHAT, GENERATE, "gemini-3.5-flash", 0},
        {GENERATE, MESSAGES, "claude-sonnet-4-5", 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig rig;

        print_message("%s\n", rows[i].model);
        marked(&rig, rows[i].from, rows[i].to, rows[i].model);
        rig_fit(&rig, "");
        assert_int_equal(marks(&rig), rows[i].left);
        rig_fini(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forced_choice__becomes_free_where_it_is_refused),
        cmocka_unit_test(allowed_tools__are_the_only_ones_where_there_is_no_such_list),
        cmocka_unit_test(one_call_at_a_time__is_named_where_it_cannot_be_had),
        cmocka_unit_test(strict_tools__are_named_where_there_is_no_such_thing),
        cmocka_unit_test(names_of_tools__are_such_as_the_target_allows),
        cmocka_unit_test(schemas__have_an_object_at_their_root),
        cmocka_unit_test(tools_of_the_history__are_declared_again),
        cmocka_unit_test(words_about_tools__go_where_there_are_none),
        cmocka_unit_test(ids__are_such_as_the_target_takes),
        cmocka_unit_test(media__are_such_as_the_target_takes),
        cmocka_unit_test(pictures__are_taken_from_the_user_alone),
        cmocka_unit_test(pictures_by_address__are_refused_where_only_data_is_taken),
        cmocka_unit_test(pictures_in_results__move_where_they_have_no_place),
        cmocka_unit_test(marks_of_caches__are_carried_where_they_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
