/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: what comes out of them, what is said of bad ones, what stands without one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/conf/world.h"
#include "wire/habits.h"

#define FIXTURE "version: 1\nproviders: { a: { kind: fixtures } }\n"

static void load__golden_complaints_of_a_file_with_many_faults(void **state)
{
    static const char text[] = "version: 1\n"
                               "listen: 0.0.0.0:8402\n"
                               "lmits: { calls: 5 }\n"
                               "drain: { timeout: 90 }\n"
                               "providers:\n"
                               "  openai:\n"
                               "    kind: opnai\n"
                               "    credential: sk-test-0123456789\n"
                               "  local: { kind: compatible, base_url: http://10.0.0.5:8000/v1 }\n"
                               "  openai: { kind: openai }\n"
                               "routes:\n"
                               "  smart:\n"
                               "    targets:\n"
                               "      - { provider: opena, model: gpt-5.4 }\n"
                               "    retrys: { attempts: 3 }\n";

    (void)state;
    REFUSE(
        text,
        "test.yaml:2:9: error: listen: 0.0.0.0:8402 can be reached by others, who could then use "
        "your providers' keys\n"
        "  2 | listen: 0.0.0.0:8402\n"
        "    |         ^~~~~~~~~~~~\n"
        "  help: give callers keys (headgate key create); or listen on 127.0.0.1:8402 or unix:/path; or write open: true if everyone who "
        "reaches it may use it\n"
        "test.yaml:3:1: error: unknown key \"lmits\"\n"
        "  3 | lmits: { calls: 5 }\n"
        "    | ^~~~~\n"
        "  help: did you mean \"limits\"? keys here: version, environment, strict_models, "
        "response_headers, listen, open, allowed_hosts, admin, egress, limits, drain, log, "
        "state_dir, journal, providers, routes, tasks, key_secret, keys, teams, prices, ledger, budgets, budget_status, rates, sinks\n"
        "test.yaml:4:19: error: drain.timeout must be a duration\n"
        "  4 | drain: { timeout: 90 }\n"
        "    |                   ^~\n"
        "  help: durations are written like 250ms, 90s, 5m or 7d\n"
        "test.yaml:7:11: error: providers.openai.kind is no known kind of provider\n"
        "  7 |     kind: opnai\n"
        "    |           ^~~~~\n"
        "  help: did you mean \"openai\"?\n"
        "test.yaml:9:3: error: providers.local has no credential\n"
        "  9 |   local: { kind: compatible, base_url: http://10.0.0.5:8000/v1 }\n"
        "    |   ^~~~~\n"
        "  help: credential: \"${NAME}\", passthrough (the app's own key goes on) or none\n"
        "test.yaml:9:40: error: providers.local.base_url is http:// beyond loopback\n"
        "  9 |   local: { kind: compatible, base_url: http://10.0.0.5:8000/v1 }\n"
        "    |                                        ^~~~~~~~~~~~~~~~~~~~~~~\n"
        "  help: write https://, or allow the network it is in: egress: { allow: "
        "[10.0.0.0/8] }\n"
        "test.yaml:10:3: error: duplicate key \"openai\"\n"
        "  10 |   openai: { kind: openai }\n"
        "     |   ^~~~~~\n"
        "  help: it is first given in line 6, column 3\n"
        "test.yaml:14:21: error: routes.smart.targets[0].provider is no provider of this file\n"
        "  14 |       - { provider: opena, model: gpt-5.4 }\n"
        "     |                     ^~~~~\n"
        "  help: did you mean \"openai\"?\n"
        "test.yaml:15:5: error: unknown key \"retrys\" in routes.smart\n"
        "  15 |     retrys: { attempts: 3 }\n"
        "     |     ^~~~~~\n"
        "  help: did you mean \"retry\"? keys here: match, strategy, targets, retry, timeouts, "
        "commit, early_head, sticky, resume, hedge, default_max_output, panic, translate, slow\n");
}

static void load__counts_complaints_beyond_twenty(void **state)
{
    char text[1024] = FIXTURE;

    (void)state;
    for (int i = 0; i < 23; i++) {
        size_t len = strlen(text);

        text[len] = 'a';
        text[len + 1] = (char)('a' + i);
        memcpy(text + len + 2, ": 1\n", 5);
    }
    REFUSE(text, "unknown key \"at\"", "\nand 3 more\n");
}

static void load__defaults_are_those_of_the_manual(void **state)
{
    struct snapshot *snapshot = load_good("version: 1\nproviders: { openai: { kind: openai } }\n");
    const struct provider *provider = &snapshot->routing.providers[0];

    (void)state;
    assert_true(snapshot->has_file);
    assert_false(snapshot->is_production);
    assert_false(snapshot->is_open);
    assert_false(snapshot->routing.strict_models);
    assert_true(snapshot->response_headers);
    assert_int_equal(snapshot->references, 1);
    assert_int_equal(snapshot->listens_count, 1);
    assert_span(snapshot->listens[0].text, "127.0.0.1:8402");
    assert_span(snapshot->listens[0].host, "127.0.0.1");
    assert_int_equal(snapshot->listens[0].port, 8402);
    assert_true(snapshot->listens[0].is_loopback);
    assert_span(snapshot->admin.text, "127.0.0.1:8403");
    assert_int_equal(snapshot->admin.port, 8403);
    assert_false(snapshot->admin_off);
    assert_int_equal(snapshot->admin_token.len, 0);
    assert_int_equal(snapshot->allowed_hosts_count, 0);
    assert_int_equal(snapshot->egress_proxy.len, 0);
    assert_int_equal(snapshot->egress_allow_count, 0);
    assert_int_equal(snapshot->limits.calls, 10000);
    assert_int_equal(snapshot->limits.body, 32 * 1024 * 1024);
    assert_int_equal(snapshot->limits.response, 64 * 1024 * 1024);
    assert_int_equal(snapshot->limits.memory, 512 * 1024 * 1024);
    assert_int_equal(snapshot->drain_delay_ms, 0);
    assert_int_equal(snapshot->drain_timeout_ms, 60000);
    assert_int_equal(snapshot->log_level, LOG_INFO);
    assert_int_equal(snapshot->log_format, LOG_BY_TERMINAL);
    assert_int_equal(snapshot->routing.defaults.timeouts.connect_ms, 5000);
    assert_int_equal(snapshot->routing.defaults.timeouts.write_ms, 30000);
    assert_int_equal(snapshot->routing.defaults.timeouts.head_ms, 300000);
    assert_int_equal(snapshot->routing.defaults.timeouts.first_content_ms, 60000);
    assert_int_equal(snapshot->routing.defaults.timeouts.idle_ms, 90000);
    assert_int_equal(snapshot->routing.defaults.timeouts.content_idle_ms, 300000);
    assert_int_equal(snapshot->routing.defaults.timeouts.total_ms, 600000);
    assert_int_equal(snapshot->routing.defaults.timeouts.stream_total_ms, 3600000);
    assert_int_equal(snapshot->routing.defaults.timeouts.early_head_ms, 120000);
    assert_int_equal(snapshot->routing.providers_count, 1);
    assert_int_equal(snapshot->endpoints_count, 1);
    assert_span(provider->name, "openai");
    assert_string_equal(provider->kind->name, "openai");
    assert_string_equal(provider->dialect->name, "openai");
    assert_int_equal(provider->credential_mode, CREDENTIAL_SECRET);
    assert_span(provider->credential, "sk-test-openai-0001");
    assert_span(provider->endpoint.host, "api.openai.com");
    assert_span(provider->endpoint.authority, "api.openai.com");
    assert_span(provider->endpoint.path, "/v1");
    assert_int_equal(provider->endpoint.port, 443);
    assert_true(provider->endpoint.is_tls);
    assert_int_equal(provider->pool_idle, 64);
    assert_int_equal(provider->pool_idle_ms, 20000);
    assert_int_equal(provider->pool_life_ms, 300000);
    assert_null(provider->fixtures);
    snapshot_give(snapshot);
    assert_int_equal(mem_held(), 0);
}

static void load__reads_every_key_into_its_place(void **state)
{
    struct snapshot *snapshot = load_good(
        "version: 1\n"
        "x-shared: &slow { first_content: 180s, total: 20m }\n"
        "environment: production\n"
        "listen: [127.0.0.1:9000, \"unix:/run/h.sock\"]\n"
        "open: true\n"
        "allowed_hosts: [Api.Local]\n"
        "strict_models: true\n"
        "response_headers: false\n"
        "admin: { listen: off, token: \"${ANTHROPIC_API_KEY}\" }\n"
        "egress: { proxy: \"http://proxy:3128\", allow: [10.0.0.0/8] }\n"
        "limits: { calls: 7, body: 2KiB, response: 3KiB, memory: 4MiB }\n"
        "drain: { delay: 5s, timeout: 10s }\n"
        "log: { level: debug, format: logfmt }\n"
        "providers:\n"
        "  own:\n"
        "    kind: anthropic\n"
        "    base_url: https://Gateway.Example/anthropic\n"
        "    credential: passthrough\n"
        "    pool: { idle: 3, idle_time: 4s, life: 5s }\n"
        "    ca_file: /etc/own.pem\n"
        "    forward_headers: [X-Title]\n"
        "  near: { kind: compatible, base_url: http://vllm.internal:8000, credential: none }\n"
        "routes:\n"
        "  smart:\n"
        "    match: { models: [\"gpt-*\", other] }\n"
        "    targets: [ { provider: near, model: \"qwen3:8b\" }, { provider: own } ]\n"
        "    timeouts: *slow\n"
        "    early_head: off\n"
        "  plain: { targets: [ { provider: own, model: claude } ] }\n");
    const struct provider *own = &snapshot->routing.providers[0];
    const struct provider *near = &snapshot->routing.providers[1];
    const struct route *route = &snapshot->routing.routes[0];

    (void)state;
    assert_true(snapshot->is_production && snapshot->is_open && snapshot->routing.strict_models);
    assert_false(snapshot->response_headers);
    assert_int_equal(snapshot->listens_count, 2);
    assert_span(snapshot->listens[1].unix_path, "/run/h.sock");
    assert_int_equal(snapshot->allowed_hosts_count, 1);
    assert_span(snapshot->allowed_hosts[0], "api.local");
    assert_true(snapshot->admin_off);
    assert_span(snapshot->admin_token, "sk-test-anthropic-0002");
    assert_span(snapshot->egress_proxy, "http://proxy:3128");
    assert_int_equal(snapshot->egress_allow_count, 1);
    assert_int_equal(snapshot->egress_allow[0].bits, 104);
    assert_int_equal(snapshot->limits.calls, 7);
    assert_int_equal(snapshot->limits.body, 2048);
    assert_int_equal(snapshot->limits.response, 3072);
    assert_int_equal(snapshot->limits.memory, 4194304);
    assert_int_equal(snapshot->drain_delay_ms, 5000);
    assert_int_equal(snapshot->drain_timeout_ms, 10000);
    assert_int_equal(snapshot->log_level, LOG_DEBUG);
    assert_int_equal(snapshot->log_format, LOG_LOGFMT);
    assert_int_equal(own->index, 0);
    assert_string_equal(own->dialect->name, "anthropic");
    assert_int_equal(own->credential_mode, CREDENTIAL_PASSTHROUGH);
    assert_span(own->endpoint.host, "gateway.example");
    assert_span(own->endpoint.path, "/anthropic/v1");
    assert_int_equal(own->pool_idle, 3);
    assert_int_equal(own->pool_idle_ms, 4000);
    assert_int_equal(own->pool_life_ms, 5000);
    assert_span(own->ca_file, "/etc/own.pem");
    assert_int_equal(own->forward_headers_count, 1);
    assert_span(own->forward_headers[0], "x-title");
    assert_int_equal(near->index, 1);
    assert_int_equal(near->credential_mode, CREDENTIAL_NONE);
    assert_false(near->endpoint.is_tls);
    assert_span(near->endpoint.authority, "vllm.internal:8000");
    assert_span(near->endpoint.path, "/v1");
    assert_int_equal(snapshot->routing.routes_count, 2);
    assert_span(route->name, "smart");
    assert_int_equal(route->match_models_count, 2);
    assert_span(route->match_models[0], "gpt-*");
    assert_int_equal(route->targets_count, 2);
    assert_ptr_equal(route->targets[0].provider, near);
    assert_span(route->targets[0].model, "qwen3:8b");
    assert_ptr_equal(route->targets[1].provider, own);
    assert_int_equal(route->targets[1].model.len, 0);
    assert_int_equal(route->timeouts.first_content_ms, 180000);
    assert_int_equal(route->timeouts.total_ms, 1200000);
    assert_int_equal(route->timeouts.connect_ms, 5000);
    assert_int_equal(route->timeouts.early_head_ms, 0);
    assert_int_equal(snapshot->routing.routes[1].timeouts.early_head_ms, 120000);
    assert_int_equal(snapshot->routing.defaults.timeouts.first_content_ms, 60000);
    snapshot_give(snapshot);
}

static void load__reads_fixtures(void **state)
{
    struct snapshot *snapshot =
        load_good("version: 1\nproviders:\n  plain: { kind: fixtures }\n"
                  "  full: { kind: fixtures, fixtures: { dialect: anthropic, latency: 20ms, "
                  "tokens_per_second: 40, seed: 9, fail: [ { status: 503, every: 10 }, { cut: 5 }, "
                  "{ hang: 30s }, { reset: true, every: 2, at: 1 } ] } }\n");
    const struct provider *plain = &snapshot->routing.providers[0];
    const struct fixture_settings *full = snapshot->routing.providers[1].fixtures;

    (void)state;
    assert_string_equal(plain->dialect->name, "openai");
    assert_int_equal(plain->credential_mode, CREDENTIAL_NONE);
    assert_int_equal(plain->endpoint.host.len, 0);
    assert_int_equal(snapshot->endpoints_count, 0);
    assert_int_equal(plain->fixtures->latency_ms, 0);
    assert_int_equal(plain->fixtures->seed, 1);
    assert_int_equal(plain->fixtures->failures_count, 0);
    assert_string_equal(snapshot->routing.providers[1].dialect->name, "anthropic");
    assert_int_equal(full->latency_ms, 20);
    assert_int_equal(full->tokens_per_second, 40);
    assert_int_equal(full->seed, 9);
    assert_int_equal(full->failures_count, 4);
    assert_int_equal(full->failures[0].fault, FIXTURE_STATUS);
    assert_int_equal(full->failures[0].value, 503);
    assert_int_equal(full->failures[0].every, 10);
    assert_int_equal(full->failures[1].fault, FIXTURE_CUT);
    assert_int_equal(full->failures[1].value, 5);
    assert_int_equal(full->failures[1].every, 1);
    assert_int_equal(full->failures[2].fault, FIXTURE_HANG);
    assert_int_equal(full->failures[2].value, 30000);
    assert_int_equal(full->failures[3].fault, FIXTURE_RESET);
    assert_int_equal(full->failures[3].every, 2);
    assert_int_equal(full->failures[3].at, 1);
    assert_int_equal(full->failures[0].at, 0);
    snapshot_give(snapshot);
}

/* ---- version and form ---- */

static void load__version_comes_first_and_is_1(void **state)
{
    (void)state;
    REFUSE("providers: { a: { kind: fixtures } }\n", "\"version\" is missing\n");
    REFUSE("providers: { a: { kind: fixtures } }\nversion: 1\n",
           "test.yaml:2:1: error: version must be the first key");
    REFUSE("version: 2\nnot_known: 1\n", "test.yaml:1:10: error: version must be 1\n");
    REFUSE("version: [1]\n", "version must be 1");
    REFUSE("version: ${ONE}\n", "version must be 1");
    REFUSE("version: 1\n", "\"providers\" is missing\n");
    REFUSE("- version: 1\n", "must be a mapping, not a list");
    REFUSE("version\n", "must be a mapping, not text");
    REFUSE("", "test.yaml: error: the file is empty\n");
}

static void load__takes_json(void **state)
{
    struct snapshot *snapshot = load_good(
        "{\"version\": 1, \"open\": true, \"providers\": {\"a\": {\"kind\": \"fixtures\"}}}");

    (void)state;
    assert_true(snapshot->is_open);
    snapshot_give(snapshot);
}

static void load__any_half_of_a_file_is_taken_or_refused_with_words(void **state)
{
    static const char text[] =
        "version: 1\nproviders:\n  a: { kind: fixtures, fixtures: { seed: 3 } }\n"
        "  \"b\": { kind: openai, credential: \"${OPENAI_API_KEY}\" }\n"
        "routes:\n  smart:\n    targets:\n      - { provider: a, model: 'x' }\n"
        "    timeouts: { idle: 30s }\n";
    struct conf_world world = world_of(&usual_world);
    size_t refused = 0;

    (void)state;
    for (size_t len = 0; len < sizeof text; len++) {
        struct complaints complaints;
        struct snapshot *snapshot = NULL;
        enum err err =
            conf_load(SPAN_OF("f"), span_make(text, len), &world, &complaints, &snapshot);

        if (err == ERR_CONFIG) {
            assert_true(complaints.count > 0);
            assert_null(snapshot);
            refused++;
        } else {
            assert_int_equal(err, ERR_NONE);
            assert_int_equal(complaints.count, 0);
        }
        snapshot_give(snapshot);
        assert_int_equal(mem_held(), 0);
    }
    /* Only cuts between two whole parts can go unnoticed. */
    assert_true(refused > sizeof text * 3 / 4);
}

static void load__survives_every_failed_allocation(void **state)
{
    static const char text[] =
        "version: 1\nlisten: [127.0.0.1:1]\nadmin: { token: \"${OPENAI_API_KEY}\" }\n"
        "providers: { a: { kind: openai, forward_headers: [x-a] }, b: { kind: fixtures, fixtures: "
        "{ fail: [ { cut: 1 } ] } } }\n"
        "routes: { r: { targets: [ { provider: a, model: \"${file:/m}\" } ], match: { models: [x] "
        "}, strategy: weighted, retry: { attempts: 1 } } }\ntasks: { t: r }\n";
    struct fake_world fakes = usual_world;
    struct conf_world world;
    enum err err = ERR_MEMORY;
    uint64_t nth = 0;

    (void)state;
    fakes.files[0].path = "/m";
    fakes.files[0].content = SPAN_OF("model-from-a-file\n");
    world = world_of(&fakes);
    while (err != ERR_NONE) {
        struct complaints complaints;
        struct snapshot *snapshot = NULL;

        mem_fail_at(++nth);
        err = conf_load(SPAN_OF("f"), span_of(text), &world, &complaints, &snapshot);
        mem_fail_at(0);
        assert_true(err == ERR_MEMORY || (err == ERR_NONE && snapshot != NULL));
        assert_true(nth < 1000);
        snapshot_give(snapshot);
        assert_int_equal(mem_held(), 0);
    }
    assert_true(nth > 10);
}

/* ---- the files we ship ---- */

static struct snapshot *load_example(const char *name)
{
    static const struct fake_world world = {
        .variables = {{"OPENAI_API_KEY", "sk-test-1"},      {"ANTHROPIC_API_KEY", "sk-test-2"},
                      {"GEMINI_API_KEY", "sk-test-3"},      {"AZURE_OPENAI_API_KEY", "sk-test-4"},
                      {"AWS_BEARER_TOKEN_BEDROCK", "sk-test-5"}, {"MISTRAL_API_KEY", "sk-test-6"},
                      {"GROQ_API_KEY", "sk-test-7"},        {"DEEPSEEK_API_KEY", "sk-test-8"},
                      {"XAI_API_KEY", "sk-test-9"},         {"OPENROUTER_API_KEY", "sk-test-10"},
                      {"TOGETHER_API_KEY", "sk-test-11"},   {"FIREWORKS_API_KEY", "sk-test-12"},
                      {"COHERE_API_KEY", "sk-test-13"},     {"PERPLEXITY_API_KEY", "sk-test-14"},
                      {"MOONSHOT_API_KEY", "sk-test-15"},   {"CEREBRAS_API_KEY", "sk-test-16"},
                      {"LLM_API_KEY", "sk-test-17"},        {"HEADGATE_KEY_SECRET", "0123456789abcdef"}},
        .files = {{"./keys.yaml", SPAN("version: 1\nkeys: []\n")}}};
    char text[8192];
    FILE *file = fopen(name, "rb");
    size_t len = 0;

    if (file == NULL) {
        fail_msg("cannot read %s", name);
    }
    len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    return load_in(&world, text);
}

static void load__examples_are_good(void **state)
{
    static const char *const names[] = {
        "conf/examples/minimal.yaml",
        "conf/examples/two-providers.yaml",
        "conf/examples/local.yaml",
        "conf/examples/fixtures.yaml",
        "conf/examples/failover.yaml",
        "conf/examples/tasks.yaml",
        "conf/examples/local-first.yaml",
        "conf/examples/team-budgets.yaml",
        "conf/examples/translate.yaml",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        snapshot_give(load_example(names[i]));
    }
    assert_int_equal(mem_held(), 0);
}

/* Their lines are those of docs/providers.md. By its address each is known, and asked in its own way: only `another`
 * is asked as whom nobody knows. */
static void load__each_provider_of_the_examples_is_known(void **state)
{
    struct snapshot *snapshot = load_example("conf/examples/providers.yaml");
    unsigned unknown = habits_of("compatible", SPAN_OF("llm.example.com/v1"), SPAN_OF("m"));

    (void)state;
    assert_int_equal(snapshot->routing.providers_count, 21);
    for (size_t i = 0; i < snapshot->routing.providers_count; i++) {
        const struct provider *provider = &snapshot->routing.providers[i];
        struct span at = provider->endpoint.authority;
        char address[128];

        (void)snprintf(address, sizeof address, "%.*s%.*s", SPAN_ARGS(at), SPAN_ARGS(provider->endpoint.path));
        if (strcmp(provider->kind->name, "compatible") == 0 &&
            (habits_of("compatible", span_of(address), SPAN_OF("m")) == unknown) !=
                span_equal(provider->name, SPAN_OF("another"))) {
            fail_msg("%s", address);
        }
    }
    snapshot_give(snapshot);
    assert_int_equal(mem_held(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load__golden_complaints_of_a_file_with_many_faults),
        cmocka_unit_test(load__counts_complaints_beyond_twenty),
        cmocka_unit_test(load__defaults_are_those_of_the_manual),
        cmocka_unit_test(load__reads_every_key_into_its_place),
        cmocka_unit_test(load__reads_fixtures),
        cmocka_unit_test(load__version_comes_first_and_is_1),
        cmocka_unit_test(load__takes_json),
        cmocka_unit_test(load__any_half_of_a_file_is_taken_or_refused_with_words),
        cmocka_unit_test(load__survives_every_failed_allocation),
        cmocka_unit_test(load__examples_are_good),
        cmocka_unit_test(load__each_provider_of_the_examples_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
