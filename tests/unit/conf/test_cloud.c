/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of azure_openai and bedrock: what is taken, what follows from it, what is said. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf/world.h"

#define TOP   "version: 1\nproviders:\n"
#define AZURE TOP "  a: { kind: azure_openai, base_url: https://own.openai.azure.com"

static const struct fake_world cloud_world = {
    .variables = {{"AZURE_OPENAI_API_KEY", "test-azure-0001"},
                  {"AWS_BEARER_TOKEN_BEDROCK", "test-bedrock-0002"},
                  {"AWS_REGION", "eu-central-1"},
                  {"OPENAI_API_KEY", "test-openai-0003"}},
};

static void cloud__reads_azure(void **state)
{
    struct snapshot *snapshot =
        load_in(&cloud_world, TOP "  now: { kind: azure_openai, base_url: https://Own.openai.azure.com }\n"
                                  "  dated:\n"
                                  "    deployments: { fast: gpt-5.4-mini, Large.1: gpt-5.4 }\n"
                                  "    base_url: https://own.openai.azure.com/openai/v1/\n"
                                  "    api_version: 2025-04-01-preview\n"
                                  "    kind: azure_openai\n");
    const struct provider *now = &snapshot->routing.providers[0];
    const struct provider *dated = &snapshot->routing.providers[1];

    (void)state;
    assert_string_equal(now->dialect->name, "openai");
    assert_span(now->endpoint.host, "own.openai.azure.com");
    assert_span(now->endpoint.path, "/openai/v1");
    assert_int_equal(now->api_version.len, 0);
    assert_int_equal(now->deployments_count, 0);
    assert_int_equal(now->credential_mode, CREDENTIAL_SECRET);
    assert_span(now->credential, "test-azure-0001");
    assert_false(now->drains);
    assert_span(now->prices.list, "openai");
    assert_span(dated->endpoint.path, "/openai");
    assert_span(dated->api_version, "2025-04-01-preview");
    assert_int_equal(dated->deployments_count, 2);
    assert_span(dated->deployments[0].deployment, "fast");
    assert_span(dated->deployments[0].model, "gpt-5.4-mini");
    assert_span(dated->deployments[1].deployment, "Large.1");
    assert_span(dated->deployments[1].model, "gpt-5.4");
    snapshot_give(snapshot);
}

static void cloud__says_what_is_wrong_with_azure(void **state)
{
    (void)state;
    REFUSE_IN(&cloud_world, TOP "  a: { kind: azure_openai }\n",
              "providers.a has no base_url",
              "kind azure_openai has no address of its own: https://<resource>.openai.azure.com");
    REFUSE(AZURE " }\n", "the variable AZURE_OPENAI_API_KEY is not set");
    REFUSE_IN(&cloud_world, AZURE ", api_version: latest }\n",
              "providers.a.api_version must be v1, preview or a date", "2024-10-21");
    REFUSE_IN(&cloud_world, AZURE ", api_version: 2024-1-21 }\n", "must be v1, preview or a date");
    REFUSE_IN(&cloud_world, AZURE ", api_version: \"2024-10-21&x=1\" }\n", "preview or a date");
    REFUSE_IN(&cloud_world, AZURE ", api_version: 2024-10-21-beta }\n", "preview or a date");
    REFUSE_IN(&cloud_world, AZURE ", api_version: 2024-06-01 }\n",
              "providers.a.api_version must be 2024-09-01 or later", "how many tokens");
    REFUSE_IN(&cloud_world, AZURE ", api_version: [v1] }\n", "must be text, not a list");
    REFUSE_IN(&cloud_world, AZURE ", deployments: [x] }\n", "must be a mapping, not a list");
    REFUSE_IN(&cloud_world, AZURE ", deployments: { \"a b\": x } }\n", "without blanks");
    REFUSE_IN(&cloud_world, AZURE ", deployments: { a: \"\" } }\n", "a.deployments.a ");
    REFUSE_IN(&cloud_world, AZURE ", region: us-east-1 }\n",
              "providers.a.region is no setting of kind azure_openai", "only of kind bedrock");
    REFUSE_IN(&cloud_world, TOP "  o: { kind: openai, api_version: v1, deployments: {} }\n",
              "providers.o.api_version is no setting of kind openai", "only of kind azure_openai",
              "providers.o.deployments is no setting of kind openai");
    /* Of an unknown kind nothing is said that may be wrong. */
    REFUSE_IN(&cloud_world, TOP "  o: { kind: azure_opnai, api_version: v1 }\n",
              "did you mean \"azure_openai\"?");
}

static void cloud__reads_bedrock(void **state)
{
    struct snapshot *snapshot = load_in(
        &cloud_world,
        TOP "  here: { kind: bedrock, region: \"${AWS_REGION}\" }\n"
            "  there: { kind: bedrock, base_url: https://bedrock-mantle.us-east-1.api.aws/v1, "
            "on_abort: cancel, credential: none }\n");
    const struct provider *here = &snapshot->routing.providers[0];
    const struct provider *there = &snapshot->routing.providers[1];

    (void)state;
    assert_string_equal(here->dialect->name, "openai");
    assert_true(here->endpoint.is_tls);
    assert_span(here->endpoint.authority, "bedrock-mantle.eu-central-1.api.aws");
    assert_span(here->endpoint.path, "/openai/v1");
    assert_span(here->region, "eu-central-1");
    assert_span(here->credential, "test-bedrock-0002");
    assert_true(here->drains);
    assert_span(here->prices.list, "bedrock");
    assert_span(there->endpoint.authority, "bedrock-mantle.us-east-1.api.aws");
    assert_span(there->endpoint.path, "/v1");
    assert_false(there->drains);
    snapshot_give(snapshot);
}

static const struct fake_world keys_world = {
    .variables = {{"AWS_ACCESS_KEY_ID", "AKIDTEST"},
                  {"AWS_SECRET_ACCESS_KEY", "test-secret-0004"},
                  {"AWS_SESSION_TOKEN", "test-session-0005"},
                  {"AWS_REGION", "eu-central-1"}},
};

static void cloud__reads_access_keys(void **state)
{
    struct snapshot *snapshot = load_in(
        &cloud_world, TOP "  written: { kind: bedrock, region: us-east-1, access_key_id: AKIDTEST, "
                          "secret_access_key: test-secret-0004 }\n"
                          "  there: { base_url: http://127.0.0.1:1/, region: us-east-1, session_token: t, "
                          "access_key_id: AKIDTEST, secret_access_key: s, kind: bedrock }\n"
                          "  bearer: { kind: bedrock, region: us-east-1, api: converse }\n"
                          "  none: { kind: bedrock, api: converse, base_url: http://127.0.0.1:1/v1, credential: none }\n");
    const struct provider *written = &snapshot->routing.providers[0];
    const struct provider *there = &snapshot->routing.providers[1];
    const struct provider *bearer = &snapshot->routing.providers[2];
    const struct provider *none = &snapshot->routing.providers[3];

    (void)state;
    assert_ptr_equal(written->dialect, &dialect_bedrock);
    assert_string_equal(written->kind->api, "converse");
    assert_string_equal(written->kind->signs_for, "bedrock");
    assert_span(written->endpoint.authority, "bedrock-runtime.us-east-1.amazonaws.com");
    assert_span(written->endpoint.path, "");
    assert_span(written->access_key_id, "AKIDTEST");
    assert_span(written->credential, "test-secret-0004");
    assert_int_equal(written->session_token.len, 0);
    assert_int_equal(written->credential_mode, CREDENTIAL_SECRET);
    assert_true(written->drains);
    assert_span(written->prices.list, "bedrock");
    assert_ptr_equal(there->dialect, &dialect_bedrock);
    assert_span(there->endpoint.path, "");
    assert_span(there->region, "us-east-1");
    assert_span(there->session_token, "t");
    assert_ptr_equal(bearer->dialect, &dialect_bedrock);
    assert_int_equal(bearer->access_key_id.len, 0);
    assert_span(bearer->credential, "test-bedrock-0002");
    assert_span(none->endpoint.path, "/v1");
    assert_int_equal(none->credential_mode, CREDENTIAL_NONE);
    snapshot_give(snapshot);
}

static void cloud__takes_access_keys_from_the_environment(void **state)
{
    struct snapshot *snapshot = load_in(
        &keys_world, TOP "  keys: { kind: bedrock, region: \"${AWS_REGION}\" }\n"
                         "  there: { kind: bedrock, region: \"${AWS_REGION}\", base_url: http://127.0.0.1:1 }\n"
                         "  mantle: { kind: bedrock, region: us-east-1, credential: k }\n");
    const struct provider *keys = &snapshot->routing.providers[0];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_ptr_equal(keys[i].dialect, &dialect_bedrock);
        assert_span(keys[i].access_key_id, "AKIDTEST");
        assert_span(keys[i].credential, "test-secret-0004");
        assert_span(keys[i].session_token, "test-session-0005");
        assert_string_equal(keys[i].credential_variable, "AWS_ACCESS_KEY_ID");
    }
    assert_span(keys[0].endpoint.authority, "bedrock-runtime.eu-central-1.amazonaws.com");
    assert_span(keys[1].endpoint.path, "");
    assert_string_equal(keys[2].dialect->name, "openai");
    assert_span(keys[2].credential, "k");
    snapshot_give(snapshot);
}

#define BEDROCK TOP "  b: { kind: bedrock, region: us-east-1, "

static void cloud__says_what_is_wrong_with_access_keys(void **state)
{
    static const struct fake_world half = {.variables = {{"AWS_ACCESS_KEY_ID", "AKIDTEST"}}};

    (void)state;
    REFUSE_IN(&cloud_world, BEDROCK "api: mantle }\n", "providers.b.api must be converse or openai", "converse serves");
    REFUSE_IN(&cloud_world, AZURE ", api: converse }\n", "providers.a.api is no setting of kind azure_openai",
              "only of kind bedrock");
    REFUSE_IN(&cloud_world, AZURE ", access_key_id: AKIDTEST }\n",
              "providers.a.access_key_id is no setting of kind azure_openai");
    REFUSE_IN(&cloud_world, BEDROCK "access_key_id: AKIDTEST }\n",
              "providers.b has an access key and no secret_access_key", "write secret_access_key");
    REFUSE_IN(&cloud_world, BEDROCK "secret_access_key: s }\n", "providers.b has no access_key_id");
    REFUSE_IN(&cloud_world, BEDROCK "session_token: s }\n", "providers.b has no access_key_id");
    REFUSE_IN(&cloud_world, BEDROCK "access_key_id: \"\" }\n", "providers.b.access_key_id is empty");
    REFUSE_IN(&cloud_world, BEDROCK "access_key_id: AKIDTEST, secret_access_key: s, credential: k }\n",
              "providers.b has a credential beside access keys", "leave one of them out");
    REFUSE_IN(&cloud_world, BEDROCK "api: openai, access_key_id: AKIDTEST, secret_access_key: s }\n",
              "providers.b cannot sign for this api", "api: converse takes access keys");
    REFUSE_IN(&cloud_world, BEDROCK "api: converse, credential: passthrough }\n",
              "providers.b has credential: passthrough and api: converse", "no app speaks Converse");
    REFUSE_IN(&cloud_world,
              TOP "  b: { kind: bedrock, base_url: http://127.0.0.1:1, access_key_id: AKIDTEST, secret_access_key: s }\n",
              "providers.b has no region", "requests are signed for one");
    REFUSE_IN(&cloud_world,
              BEDROCK "access_key_id: AKIDTEST, secret_access_key: "
                      "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
                      "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss }\n",
              "has a secret_access_key of more than 128 bytes");
    REFUSE_IN(&half, TOP "  b: { kind: bedrock, region: us-east-1 }\n",
              "providers.b has an access key and no secret_access_key");
}

static void cloud__says_what_is_wrong_with_bedrock(void **state)
{
    (void)state;
    REFUSE_IN(&cloud_world, TOP "  b: { kind: bedrock }\n", "providers.b has no region",
              "us-east-1");
    REFUSE_IN(&cloud_world, TOP "  b: { kind: bedrock, region: evil.example/ }\n",
              "providers.b.region is no region", "us-east-1");
    REFUSE_IN(&cloud_world, TOP "  b: { kind: bedrock, region: US-EAST-1 }\n", "is no region");
    REFUSE_IN(&cloud_world, TOP "  b: { kind: bedrock, region: -x }\n", "is no region");
    REFUSE_IN(&cloud_world, TOP "  b: { kind: bedrock, region: \"\" }\n", "is empty");
    REFUSE_IN(&cloud_world,
              TOP "  b: { kind: bedrock, region: us-east-1, base_url: https://x.example/v1 }\n",
              "providers.b has a region beside a base_url", "leave one of them out");
    /* What is advised is what the next check takes. */
    REFUSE(TOP "  b: { kind: bedrock, region: us-east-1 }\n",
           "the variable AWS_BEARER_TOKEN_BEDROCK is not set",
           "help: set AWS_BEARER_TOKEN_BEDROCK, or write access_key_id and secret_access_key, or credential: passthrough "
           "(the app's own key goes on) or none\n");
    REFUSE(BEDROCK "api: converse }\n", "help: set AWS_BEARER_TOKEN_BEDROCK, or write access_key_id and "
                                        "secret_access_key, or credential: none\n");
    REFUSE(BEDROCK "api: openai }\n",
           "help: set AWS_BEARER_TOKEN_BEDROCK, or write credential: passthrough (the app's own key goes on) or none\n");
}

#define TARGET(api, model)                                                                                             \
    BEDROCK api " }\nroutes: { m: { targets: [ { provider: b, model: \"" model "\" } ] } }\n"

/* With a key of Bedrock's own the api is openai, when nobody says it. */
static void cloud__claude_is_not_in_openais_form(void **state)
{
    (void)state;
    REFUSE_IN(&cloud_world, TARGET("credential: k", "us.anthropic.claude-opus-4-8-v1:0"),
              "test.yaml:4:49: error: routes.m.targets[0] has a model that is not served by api: openai",
              "help: write api: converse at its provider\n");
    REFUSE_IN(&cloud_world, TARGET("api: openai", "anthropic.claude-opus-4-8-v1:0"), "not served by api: openai");
    snapshot_give(load_in(&cloud_world, TARGET("api: converse", "us.anthropic.claude-opus-4-8-v1:0")));
    snapshot_give(load_in(&cloud_world, TARGET("credential: k", "openai.gpt-5.4")));
    snapshot_give(load_in(&cloud_world, BEDROCK "credential: k }\nroutes: { m: { targets: [ { provider: b } ] } }\n"));
    snapshot_give(load_in(&cloud_world, TOP "  b: { kind: bedrock, base_url: https://x.example/v1 }\n"
                                            "routes: { m: { targets: [ { provider: b, model: anthropic.claude-x } ] } }\n"));
}

#define OFF(targets)                                                                                                   \
    BEDROCK "api: converse }\n  o: { kind: openai }\nroutes: { m: { translate: off, targets: [ " targets " ] } }\n"

/* Each call would be a 400. */
static void cloud__converse_needs_translation(void **state)
{
    (void)state;
    REFUSE_IN(&cloud_world, OFF("{ provider: b }, { provider: o, enabled: false }"),
              "test.yaml:5:27: error: routes.m has translate: off, and no app speaks Converse",
              "write lenient or strict");
    snapshot_give(load_in(&cloud_world, OFF("{ provider: b }, { provider: o }")));
    snapshot_give(load_in(&cloud_world, OFF("{ provider: o }, { provider: b, enabled: false }")));
}

/* With it each call would be for a path that nobody serves. */
static void cloud__says_where_a_base_url_goes_too_far(void **state)
{
    static const struct {
        const char *provider;
        const char *right;
    } far[] = {
        {"azure_openai, base_url: https://x.example/openai/deployments/my-dep", "https://<resource>.openai.azure.com\n"},
        {"azure_openai, base_url: https://x.example/openai/deployments/a/chat/completions", "https://<resource>.openai"},
        {"bedrock, base_url: https://x.example/model/m/converse, api: converse", "https://bedrock-runtime.{region}."},
        {"bedrock, base_url: https://x.example/openai/v1/responses", "https://bedrock-mantle.{region}."},
        {"gemini, base_url: https://x.example/v1beta/openai/", "https://generativelanguage.googleapis.com\n"},
        {"gemini, base_url: https://x.example/v1beta/models", "https://generativelanguage.googleapis.com\n"},
        {"gemini, base_url: https://x.example/v1beta/models/m:generateContent", "https://generativelanguage."},
        {"anthropic, base_url: https://x.example/v1/messages", "https://api.anthropic.com/v1\n"},
        {"openai, base_url: https://x.example/v1/responses", "https://api.openai.com/v1\n"},
        {"compatible, base_url: https://x.example/v1/chat/completions/", "https://host/v1\n"},
        {"compatible, base_url: https://x.example/v1/completions", "https://host/v1\n"},
        {"compatible, base_url: https://x.example/v1/embeddings", "https://host/v1\n"},
    };
    static const char *const good[] = {
        "azure_openai, base_url: https://deployments.example/openai", "compatible, base_url: https://x.example/v1beta/openai",
        "bedrock, base_url: https://model.example/v1",                 "compatible, base_url: https://x.example/models/m/v1",
        "gemini, base_url: https://models.example/v1beta",             "anthropic, base_url: https://x.example/v1",
        "compatible, base_url: https://x.services.example/models",
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(far); i++) {
        (void)snprintf(text, sizeof text, TOP "  a: { credential: none, kind: %s }\n", far[i].provider);
        REFUSE(text, "providers.a.base_url goes too far: what is asked for comes behind it",
               "help: write it like ", far[i].right);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        (void)snprintf(text, sizeof text, TOP "  a: { credential: none, kind: %s }\n", good[i]);
        snapshot_give(load_good(text));
    }
    REFUSE(AZURE "/deployments/d }\n", "test.yaml:3:38: error: ", "    |                                      ^~~~");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cloud__reads_azure),
        cmocka_unit_test(cloud__says_what_is_wrong_with_azure),
        cmocka_unit_test(cloud__reads_bedrock),
        cmocka_unit_test(cloud__says_what_is_wrong_with_bedrock),
        cmocka_unit_test(cloud__reads_access_keys),
        cmocka_unit_test(cloud__takes_access_keys_from_the_environment),
        cmocka_unit_test(cloud__says_what_is_wrong_with_access_keys),
        cmocka_unit_test(cloud__claude_is_not_in_openais_form),
        cmocka_unit_test(cloud__converse_needs_translation),
        cmocka_unit_test(cloud__says_where_a_base_url_goes_too_far),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
