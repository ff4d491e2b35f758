/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from the environment: keys, values in place of ${...}, and all of it when there is no
 * file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf/world.h"

#define OPENAI "version: 1\nproviders: { a: { kind: openai } }\n"

static struct snapshot *load_with_key(const char *name, const char *value)
{
    struct fake_world fakes = {.variables = {{name, value}}};

    return load_in(&fakes, OPENAI);
}

static void environment__key_comes_from_the_variable_of_the_kind(void **state)
{
    struct fake_world files = {.variables = {{"OPENAI_API_KEY_FILE", "/run/key"}},
                               .files = {{"/run/key", SPAN("sk-test-file\n")}}};
    struct fake_world none = {.files = {{NULL, SPAN("")}}};
    struct fake_world empty = {.variables = {{"OPENAI_API_KEY", ""}}};
    struct fake_world gone = {.variables = {{"OPENAI_API_KEY_FILE", "/gone"}}};
    struct snapshot *snapshot = load_with_key("OPENAI_API_KEY", "sk-test-1");

    (void)state;
    assert_span(snapshot->routing.providers[0].credential, "sk-test-1");
    snapshot_give(snapshot);
    snapshot = load_in(&files, OPENAI);
    assert_span(snapshot->routing.providers[0].credential, "sk-test-file");
    assert_int_equal(snapshot->routing.providers[0].credential_mode, CREDENTIAL_SECRET);
    snapshot_give(snapshot);
    REFUSE_IN(&none, OPENAI,
              "providers.a has no credential, and the variable OPENAI_API_KEY is not set\n",
              "help: set OPENAI_API_KEY, or write credential: passthrough");
    REFUSE_IN(&empty, OPENAI, "the variable OPENAI_API_KEY is not set");
    REFUSE_IN(&gone, OPENAI,
              "providers.a takes OPENAI_API_KEY_FILE, but cannot read \"/gone\": no such file");
    REFUSE_IN(&none, "version: 1\nproviders: { a: { kind: anthropic } }\n", "ANTHROPIC_API_KEY");
}

static void environment__keys_with_odd_ends_are_refused_and_never_trimmed(void **state)
{
    static const char *const bad[] = {"sk-test-1\n", " sk-test-1",    "sk-test-1 ",
                                      "\tsk-test-1", "sk-test-1\r\n", "sk-test-1\r",
                                      "sk test 1",   "sk\x7ftest",    "sk-\xc3\xa4"};
    static const struct span bad_files[] = {SPAN("key\n\n"), SPAN("key\0"),  SPAN("\0key"),
                                            SPAN(" key\n"),  SPAN("key \n"), SPAN("k\0y")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct fake_world fakes = {.variables = {{"OPENAI_API_KEY", bad[i]}}};

        REFUSE_IN(&fakes, OPENAI, "providers.a takes OPENAI_API_KEY, which ", "nothing is trimmed");
        REFUSE_IN(
            &fakes,
            "version: 1\nproviders: { a: { kind: openai, credential: \"${OPENAI_API_KEY}\" } }",
            "providers.a.credential ", "nothing is trimmed");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad_files); i++) {
        struct fake_world fakes = {.files = {{"/key", bad_files[i]}}};

        REFUSE_IN(&fakes,
                  "version: 1\nproviders: { a: { kind: openai, credential: \"${file:/key}\" } }",
                  "providers.a.credential ", "nothing is trimmed");
    }
}

static void environment__compatible_needs_address_and_credential(void **state)
{
    (void)state;
    REFUSE("version: 1\nproviders: { a: { kind: compatible, credential: none } }\n",
           "providers.a has no base_url");
    REFUSE("version: 1\nproviders: { a: { kind: compatible, base_url: \"https://x.example\" } }\n",
           "providers.a has no credential");
}

static void environment__unset_variables_are_named_with_their_place(void **state)
{
    (void)state;
    REFUSE("version: 1\nproviders:\n  a: { kind: openai, credential: \"${OPENAI_KEY}\" }\n",
           "test.yaml:3:34: error: providers.a.credential names the variable OPENAI_KEY, which is "
           "not set",
           "help: set OPENAI_KEY, or give a default: ${OPENAI_KEY:-default}");
}

static void environment__variables_of_secrets_need_braces(void **state)
{
    static const char *const bad[] = {
        "version: 1\nproviders: { a: { kind: openai, credential: $NO_BRACES } }\n",
        "version: 1\nproviders: { a: { kind: bedrock, region: x, access_key_id: $NO_BRACES, secret_access_key: s } }\n",
        "version: 1\nproviders: { a: { kind: bedrock, region: x, access_key_id: a, secret_access_key: $NO_BRACES } }\n",
        OPENAI "admin: { token: $NO_BRACES }\n",
    };
    struct fake_world fakes = {.variables = {{"OPENAI_API_KEY", "$NO_BRACES"}}};
    struct snapshot *snapshot = load_in(&fakes, "version: 1\nproviders: { a: { kind: openai, credential: \"${OPENAI_API_KEY}\" } }\n");

    (void)state;
    assert_span(snapshot->routing.providers[0].credential, "$NO_BRACES");
    snapshot_give(snapshot);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct conf_world world = world_of(&usual_world);
        struct complaints complaints;

        REFUSE(bad[i], " is a variable without braces\n", "help: write \"${NAME}\"", "****");
        assert_int_equal(conf_load(SPAN_OF("x"), span_of(bad[i]), &world, &complaints, &snapshot), ERR_CONFIG);
        assert_null(strstr(printed(&complaints, bad[i]), "NO_BRACES"));
    }
}

static void environment__values_are_expanded_after_parsing(void **state)
{
    struct fake_world fakes = {.variables = {{"M", "x: [1"},
                                             {"URL", "https://x.example"},
                                             {"MODEL", "evil, provider: b"}}};
    struct snapshot *snapshot =
        load_in(&fakes, "version: 1\nproviders: { a: { kind: compatible, base_url: \"${URL}/v1\", "
                        "credential: none } }\nx-unused: ${NEVER_SET}\n");

    (void)state;
    assert_span(snapshot->routing.providers[0].endpoint.host, "x.example");
    snapshot_give(snapshot);
    REFUSE_IN(&fakes,
              "version: 1\nproviders: { a: { kind: fixtures } }\nroutes: { m: { targets: [ { "
              "provider: a, model: \"${MODEL}\" } ] } }\n",
              "targets[0].model must be 1 to 256 printable");
}

static void environment__values_have_a_ceiling_in_all(void **state)
{
    static char big[60 * 1024];
    static char text[64 * 1024] =
        "version: 1\nproviders: { a: { kind: fixtures } }\negress: { allow: [";
    struct fake_world fakes = {.files = {{"/big", {big, sizeof big}}}};

    (void)state;
    memset(big, 'x', sizeof big);
    for (int i = 0; i < 100; i++) {
        memcpy(text + strlen(text), "\"${file:/big}\",", 16);
    }
    memcpy(text + strlen(text), "] }\n", 5);
    REFUSE_IN(&fakes, text, "more\n");
}

/* ---- without a file ---- */

static void environment__without_a_file_keys_come_from_the_environment_or_the_app(void **state)
{
    struct fake_world fakes = {.variables = {{"OPENAI_API_KEY", "sk-test-1"}}};
    struct conf_world world = world_of(&fakes);
    struct complaints complaints;
    struct snapshot *snapshot = NULL;

    (void)state;
    assert_int_equal(conf_default(&world, &complaints, &snapshot), ERR_NONE);
    assert_false(snapshot->has_file);
    assert_int_equal(snapshot->routing.providers_count, 3);
    assert_span(snapshot->routing.providers[0].name, "openai");
    assert_int_equal(snapshot->routing.providers[0].credential_mode, CREDENTIAL_SECRET);
    assert_span(snapshot->routing.providers[1].name, "anthropic");
    assert_int_equal(snapshot->routing.providers[1].credential_mode, CREDENTIAL_PASSTHROUGH);
    assert_span(snapshot->routing.providers[2].name, "gemini");
    assert_int_equal(snapshot->routing.providers[2].credential_mode, CREDENTIAL_PASSTHROUGH);
    assert_span(snapshot->routing.providers[2].endpoint.path, "");
    assert_int_equal(snapshot->endpoints_count, 3);
    assert_int_equal(snapshot->listens[0].port, 8402);
    snapshot_give(snapshot);
    assert_int_equal(mem_held(), 0);
}

/* conventions.md 5: Google's SDKs know both names, and the first one wins. */
static void environment__a_kind_may_have_two_variables(void **state)
{
    static const struct {
        struct fake_world fakes;
        const char *credential;
        const char *variable;
    } rows[] = {
        {{.variables = {{"GEMINI_API_KEY", "test-1"}}}, "test-1", "GEMINI_API_KEY"},
        {{.variables = {{"GEMINI_API_KEY", "test-1"}, {"GOOGLE_API_KEY", "test-2"}}},
         "test-2",
         "GOOGLE_API_KEY"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct conf_world world = world_of(&rows[i].fakes);
        struct complaints complaints;
        struct snapshot *snapshot = NULL;

        assert_int_equal(conf_default(&world, &complaints, &snapshot), ERR_NONE);
        assert_span(snapshot->routing.providers[2].credential, rows[i].credential);
        assert_string_equal(snapshot->routing.providers[2].credential_variable, rows[i].variable);
        snapshot_give(snapshot);
    }
    assert_int_equal(mem_held(), 0);
}

static void environment__without_a_file_complaints_have_no_place(void **state)
{
    struct fake_world fakes = {
        .variables = {{"OPENAI_API_KEY", "sk-test-1\n"}, {"HEADGATE_LISTEN", "0.0.0.0:80"}}};
    struct conf_world world = world_of(&fakes);
    struct complaints complaints;
    struct snapshot *snapshot = NULL;

    (void)state;
    assert_int_equal(conf_default(&world, &complaints, &snapshot), ERR_CONFIG);
    assert_null(snapshot);
    assert_int_equal(complaints.count, 2);
    for (size_t i = 0; i < complaints.count; i++) {
        assert_int_equal(complaints.list[i].line, 0);
    }
    assert_non_null(
        strstr(printed(&complaints, ""), "providers.openai takes OPENAI_API_KEY, which"));
    assert_int_equal(mem_held(), 0);
}

static void environment__demo_needs_nothing(void **state)
{
    struct fake_world fakes = {.variables = {{"HEADGATE_LISTEN", "127.0.0.1:0"}}};
    struct conf_world world = world_of(&fakes);
    struct complaints complaints;
    struct snapshot *snapshot = NULL;

    (void)state;
    assert_int_equal(conf_demo(&world, &complaints, &snapshot), ERR_NONE);
    assert_int_equal(snapshot->listens[0].port, 0);
    assert_true(snapshot->admin_off);
    assert_int_equal(snapshot->routing.providers_count, 6);
    /* Of each dialect a route: the one that fails, one of another dialect, one of its own. */
    assert_int_equal(snapshot->routing.routes_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(snapshot->routing.routes[i].targets_count, 3);
    }
    for (size_t i = 0; i < 6; i++) {
        const struct provider *provider = &snapshot->routing.providers[i];

        assert_ptr_equal(provider->dialect, dialect_at(i % 3));
        assert_int_equal(provider->fixtures->failures_count, i < 3 ? 0 : 3);
        assert_int_equal(provider->fixtures->latency_ms, 200);
        assert_int_equal(provider->fixtures->tokens_per_second, 40);
    }
    assert_int_equal(snapshot->endpoints_count, 0);
    snapshot_give(snapshot);
    assert_int_equal(mem_held(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environment__key_comes_from_the_variable_of_the_kind),
        cmocka_unit_test(environment__keys_with_odd_ends_are_refused_and_never_trimmed),
        cmocka_unit_test(environment__compatible_needs_address_and_credential),
        cmocka_unit_test(environment__unset_variables_are_named_with_their_place),
        cmocka_unit_test(environment__variables_of_secrets_need_braces),
        cmocka_unit_test(environment__values_are_expanded_after_parsing),
        cmocka_unit_test(environment__values_have_a_ceiling_in_all),
        cmocka_unit_test(environment__without_a_file_keys_come_from_the_environment_or_the_app),
        cmocka_unit_test(environment__a_kind_may_have_two_variables),
        cmocka_unit_test(environment__without_a_file_complaints_have_no_place),
        cmocka_unit_test(environment__demo_needs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
