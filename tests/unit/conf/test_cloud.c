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
    REFUSE(TOP "  b: { kind: bedrock, region: us-east-1 }\n",
           "the variable AWS_BEARER_TOKEN_BEDROCK is not set");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cloud__reads_azure),
        cmocka_unit_test(cloud__says_what_is_wrong_with_azure),
        cmocka_unit_test(cloud__reads_bedrock),
        cmocka_unit_test(cloud__says_what_is_wrong_with_bedrock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
