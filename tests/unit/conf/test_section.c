/* SPDX-License-Identifier: Apache-2.0 */
/* Every key: taken at both ends of its range, refused beyond them, and its unknown neighbours. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/section.h"
#include "tests/unit/conf/world.h"

#define HEAD             "version: 1\n"
#define PROVIDERS        "providers: { a: { kind: openai }, f: { kind: fixtures } }\n"
#define ROUTE(inside) \
    HEAD PROVIDERS "routes: { m: { targets: [ { provider: a } ], " inside " } }\n"
#define PROVIDER(inside) HEAD "providers: { a: { kind: openai, " inside " } }\n"
#define FIXTURES(inside) HEAD "providers: { a: { kind: fixtures, fixtures: { " inside " } } }\n"
#define TOP(inside)      HEAD PROVIDERS inside "\n"

static void section__keys_are_taken_at_the_ends_of_their_ranges(void **state)
{
    static const char *const texts[] = {
        TOP("environment: development"),
        TOP("environment: development # comment"),
        TOP("strict_models: true"),
        TOP("strict_models: \"false\""),
        TOP("response_headers: false"),
        TOP("open: true"),
        TOP("listen: \"[::1]:8402\""),
        TOP("listen: [127.0.0.1:1, unix:/a, localhost:65535]"),
        TOP("allowed_hosts: [api.local, 127.0.0.1, \"[::1]:80\", Upper.Case]"),
        TOP("allowed_hosts: []"),
        TOP("admin: { listen: off }"),
        TOP("admin: { listen: unix:/run/admin }"),
        TOP("admin: { token: \"\" }"),
        TOP("admin: { token: abc }"),
        TOP("admin: {}"),
        TOP("egress: { proxy: none }"),
        TOP("egress: { proxy: environment }"),
        TOP("egress: { proxy: \"http://proxy.local:3128\" }"),
        TOP("egress: { allow: [] }"),
        TOP("egress: { allow: [10.0.0.0/8, fc00::/7, 192.168.1.1] }"),
        TOP("limits: { calls: 1, body: 1KiB, response: 1KiB, memory: 1MiB }"),
        TOP("limits: { calls: 1000000, body: 1GiB, response: 1024MiB, memory: 1024GiB }"),
        TOP("drain: { delay: 0s, timeout: 0ms }"),
        TOP("drain: { delay: 1h, timeout: 1d }"),
        TOP("log: { level: error, format: json }"),
        TOP("log: { level: debug, format: logfmt }"),
        TOP("log: { level: warn, format: text }"),
        TOP("state_dir: /var/lib/headgate"),
        TOP("journal: {}"),
        TOP("journal: { durability: process, retention: 1m, max: 16MiB, on_full: reject }"),
        TOP("journal: { durability: power }"),
        TOP("journal: { retention: 45d, max: 1024GiB, on_full: degrade }"),
        TOP("x-anything: { goes: [here, { a: b }] }"),
        TOP("routes: {}"),
        TOP("key_secret: 0123456789abcdef"),
        TOP("key_secret: 0123456789abcdef\nkeys: []"),
        TOP("teams: {}"),
        PROVIDER("pool: { idle: 0, idle_time: 1s, life: 1s }"),
        PROVIDER("pool: { idle: 10000, idle_time: 1h, life: 1d }"),
        PROVIDER("base_url: https://proxy.example/openai"),
        PROVIDER("credential: none"),
        PROVIDER("credential: passthrough"),
        PROVIDER("credential: sk-test-1"),
        PROVIDER("ca_file: /etc/ca.pem"),
        PROVIDER("on_abort: cancel"),
        PROVIDER("on_abort: drain"),
        PROVIDER("forward_headers: [X-Title, http-referer]"),
        FIXTURES("dialect: openai"),
        FIXTURES("dialect: anthropic"),
        FIXTURES("latency: 0ms, tokens_per_second: 0, seed: 0"),
        FIXTURES("latency: 10m, tokens_per_second: 1000000, seed: 18446744073709551615"),
        FIXTURES("fail: []"),
        FIXTURES("fail: [ { status: 400 }, { status: 599, every: 1000000 } ]"),
        FIXTURES("fail: [ { cut: 0 }, { cut: 1000000, every: 1 } ]"),
        FIXTURES("fail: [ { cut: 0, at: 1 }, { cut: 1, every: 1000000, at: 1000000 } ]"),
        FIXTURES("fail: [ { hang: 1ms }, { hang: 1d }, { reset: true } ]"),
        ROUTE("match: { models: [\"*\", \"gpt-*\", a/b:c] }"),
        ROUTE("match: {}"),
        ROUTE("timeouts: { connect: 1ms, write: 1ms, head: 1ms, first_content: 1ms, idle: 1ms, "
              "content_idle: 1ms, total: 1ms, stream_total: 1ms }"),
        ROUTE("timeouts: { connect: 10m, write: 1h, head: 1d, first_content: 1d, idle: 1d, "
              "content_idle: 1d, total: 1d, stream_total: 7d }"),
        ROUTE("early_head: off"),
        ROUTE("early_head: 1ms"),
        ROUTE("early_head: 1d"),
        HEAD PROVIDERS "routes: { a/b:c*d: { targets: [ { provider: a, model: x/y } ] } }\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        snapshot_give(load_good(texts[i]));
        assert_int_equal(mem_held(), 0);
    }
}

static void section__keys_are_refused_beyond_their_ranges(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {TOP("environment: prod"), "environment must be one of development, production"},
        {TOP("environment: [production]"), "environment must be text, not a list"},
        {TOP("strict_models: yes"), "strict_models must be true or false"},
        {TOP("strict_models: True"), "strict_models must be true or false"},
        {TOP("strict_models:"), "strict_models is empty"},
        {TOP("response_headers: 1"), "response_headers must be true or false"},
        {TOP("open: no"), "open must be true or false"},
        {TOP("listen: 8402"), "listen has no port"},
        {TOP("listen: []"), "listen must have 1 to 16 addresses"},
        {TOP("listen: "
             "[a:1,a:2,a:3,a:4,a:5,a:6,a:7,a:8,a:9,a:10,a:11,a:12,a:13,a:14,a:15,a:16,a:17]"),
         "listen must have 1 to 16 addresses"},
        {TOP("listen: { host: x }"), "listen must be text, not a mapping"},
        {TOP("listen: [127.0.0.1:1, [127.0.0.1:2]]"), "listen[1] must be text, not a list"},
        {TOP("allowed_hosts: a.local"), "allowed_hosts must be a list, not text"},
        {TOP("allowed_hosts: [\"http://a.local\"]"), "allowed_hosts[0] must be a host"},
        {TOP("allowed_hosts: [\"*.local\"]"), "allowed_hosts[0] must be a host"},
        {TOP("admin: off"), "admin must be a mapping, not text"},
        {TOP("admin: { listen: 8403 }"), "admin.listen has no port"},
        {TOP("admin: { token: \"a b\" }"), "admin.token holds a blank"},
        {TOP("egress: { proxy: proxy.local:3128 }"), "egress.proxy must begin with"},
        {TOP("egress: { proxy: \"https://proxy.local:3128\" }"), "egress.proxy must be none"},
        {TOP("egress: { proxy: \"http://proxy.local\" }"), "egress.proxy must be none"},
        {TOP("egress: { proxy: \"http://proxy.local:1/x\" }"), "egress.proxy must be none"},
        {TOP("egress: { proxy: \"http://u:p@proxy.local:1\" }"), "egress.proxy has a user"},
        {TOP("egress: { allow: 10.0.0.0/8 }"), "egress.allow must be a list, not text"},
        {TOP("egress: { allow: [10.0.0.1/8] }"), "egress.allow[0] must be a range"},
        {TOP("egress: { allow: [10.0.0.0/8, local] }"), "egress.allow[1] must be a range"},
        {TOP("limits: { calls: 0 }"), "limits.calls must be 1 to 1000000"},
        {TOP("limits: { calls: 1000001 }"), "limits.calls must be 1 to 1000000"},
        {TOP("limits: { calls: 99999999999999999999 }"), "limits.calls must be 1 to 1000000"},
        {TOP("limits: { calls: -1 }"), "limits.calls must be a whole number"},
        {TOP("limits: { calls: 1e3 }"), "limits.calls must be a whole number"},
        {TOP("limits: { calls: 10.0 }"), "limits.calls must be a whole number"},
        {TOP("limits: { body: 1023B }"), "limits.body must be 1KiB to 1GiB"},
        {TOP("limits: { body: 1025MiB }"), "limits.body must be 1KiB to 1GiB"},
        {TOP("limits: { body: 1048576 }"), "limits.body must be a size"},
        {TOP("limits: { body: 32MB }"), "limits.body must be a size"},
        {TOP("limits: { response: 1B }"), "limits.response must be 1KiB to 1GiB"},
        {TOP("limits: { response: 2GiB }"), "limits.response must be 1KiB to 1GiB"},
        {TOP("limits: { memory: 1023KiB }"), "limits.memory must be 1MiB to 1024GiB"},
        {TOP("limits: { memory: 1025GiB }"), "limits.memory must be 1MiB to 1024GiB"},
        {TOP("drain: { delay: 3601s }"), "drain.delay must be 0s to 1h"},
        {TOP("drain: { delay: 5 }"), "drain.delay must be a duration"},
        {TOP("drain: { delay: -1s }"), "drain.delay must be a duration"},
        {TOP("drain: { timeout: 25h }"), "drain.timeout must be 0s to 1d"},
        {TOP("drain: { timeout: off }"), "drain.timeout must be a duration"},
        {TOP("log: { level: trace }"), "log.level must be one of error, warn, info, debug"},
        {TOP("log: { level: wran }"), "did you mean \"warn\"?"},
        {TOP("log: { format: xml }"), "log.format must be one of json, text, logfmt"},
        {TOP("x: 1"), "unknown key \"x\""},
        {TOP("routes: []"), "routes must be a mapping, not a list"},
        {HEAD "providers: {}\n", "providers must name at least one provider"},
        {HEAD "providers: [a]\n", "providers must be a mapping, not a list"},
        {HEAD "providers: { a: openai }\n", "providers.a must be a mapping, not text"},
        {HEAD "providers: { a: {} }\n", "\"kind\" is missing in providers.a"},
        {HEAD "providers: { a: { kind: opena } }\n", "did you mean \"openai\"?"},
        {HEAD "providers: { a: { kind: groq } }\n", "compatible for all others"},
        {HEAD "providers: { A: { kind: openai } }\n", "providers.A is no name of a provider"},
        {HEAD "providers: { a/b: { kind: openai } }\n", "providers.a/b is no name of a provider"},
        {HEAD "providers: { -a: { kind: openai } }\n", "is no name of a provider"},
        {PROVIDER("pool: { idle: 10001 }"), "providers.a.pool.idle must be 0 to 10000"},
        {PROVIDER("pool: { idle_time: 999ms }"), "providers.a.pool.idle_time must be 1s to 1h"},
        {PROVIDER("pool: { idle_time: 61m }"), "providers.a.pool.idle_time must be 1s to 1h"},
        {PROVIDER("pool: { life: 999ms }"), "providers.a.pool.life must be 1s to 1d"},
        {PROVIDER("pool: { life: 2d }"), "providers.a.pool.life must be 1s to 1d"},
        {PROVIDER("base_url: ftp://host"), "providers.a.base_url must begin with https://"},
        {PROVIDER("base_url: \"\""), "providers.a.base_url is empty"},
        {PROVIDER("credential: \"\""), "providers.a.credential is empty"},
        {PROVIDER("credential: [a]"), "providers.a.credential must be text, not a list"},
        {PROVIDER("ca_file: \"\""), "providers.a.ca_file is empty"},
        {PROVIDER("ca_file: \"a\\0b\""),
         "providers.a.ca_file holds a line break or another control"},
        {TOP("state_dir: \"\""), "state_dir is empty"},
        {TOP("state_dir: [a]"), "state_dir must be text, not a list"},
        {TOP("journal: { retention: 59s }"), "journal.retention must be 1m to 45d"},
        {TOP("journal: { retention: 46d }"), "journal.retention must be 1m to 45d"},
        {TOP("journal: { max: 15MiB }"), "journal.max must be 16MiB to 1024GiB"},
        {TOP("journal: { durability: disk }"), "journal.durability must be one of process, power"},
        {TOP("journal: { on_full: drop }"), "journal.on_full must be one of reject, degrade"},
        {PROVIDER("on_abort: wait"), "on_abort must be one of cancel, drain"},
        {PROVIDER("forward_headers: x-title"), "forward_headers must be a list, not text"},
        {PROVIDER("forward_headers: [\"a b\"]"), "forward_headers[0] must be the name of a header"},
        {PROVIDER("forward_headers: [\"a:b\"]"), "forward_headers[0] must be the name of a header"},
        {PROVIDER("forward_headers: [\"a\\r\\nb\"]"), "forward_headers[0] holds a line break"},
        {PROVIDER("forward_headers: [Host]"), "forward_headers[0] is a header that never passes"},
        {PROVIDER("forward_headers: [content-length]"), "is a header that never passes"},
        {PROVIDER("forward_headers: [ok, Authorization]"),
         "forward_headers[1] is a header that never"},
        {PROVIDER("fixtures: {}"), "unknown key \"fixtures\" in providers.a"},
        {HEAD "providers: { a: { kind: fixtures, base_url: \"https://x\" } }\n",
         "unknown key \"base_url\" in providers.a"},
        {FIXTURES("dialect: cohere"), "providers.a.fixtures.dialect must be the name of a dialect"},
        {FIXTURES("latency: 5"), "fixtures.latency must be a duration"},
        {FIXTURES("latency: 11m"), "fixtures.latency must be 0ms to 10m"},
        {FIXTURES("tokens_per_second: 1000001"), "tokens_per_second must be 0 to 1000000"},
        {FIXTURES("seed: -1"), "fixtures.seed must be a whole number"},
        {FIXTURES("seed: 18446744073709551616"), "fixtures.seed must be 0 to 18446744073709551615"},
        {FIXTURES("fail: { status: 503 }"), "fixtures.fail must be a list, not a mapping"},
        {FIXTURES("fail: [503]"), "fixtures.fail[0] must be a mapping, not text"},
        {FIXTURES("fail: [{}]"), "fail[0] must have one of status, cut, hang and reset"},
        {FIXTURES("fail: [{ every: 2 }]"), "fail[0] must have one of status, cut, hang and reset"},
        {FIXTURES("fail: [{ status: 503, cut: 1 }]"), "fail[0] must have one of"},
        {FIXTURES("fail: [{ status: 399 }]"), "fail[0].status must be 400 to 599"},
        {FIXTURES("fail: [{ status: 600 }]"), "fail[0].status must be 400 to 599"},
        {FIXTURES("fail: [{ cut: 1000001 }]"), "fail[0].cut must be 0 to 1000000"},
        {FIXTURES("fail: [{ hang: 0ms }]"), "fail[0].hang must be 1ms to 1d"},
        {FIXTURES("fail: [{ hang: 25h }]"), "fail[0].hang must be 1ms to 1d"},
        {FIXTURES("fail: [{ reset: false }]"), "fail[0] can only have reset: true"},
        {FIXTURES("fail: [{ reset: 1 }]"), "fail[0].reset must be true or false"},
        {FIXTURES("fail: [{ status: 500, every: 0 }]"), "fail[0].every must be 1 to 1000000"},
        {FIXTURES("fail: [{ status: 500, every: 1000001 }]"), "fail[0].every must be 1 to 1000000"},
        {FIXTURES("fail: [{ status: 500, at: 0 }]"), "fail[0].at must be 1 to 1000000"},
        {FIXTURES("fail: [{ status: 500, every: 3, at: 4 }]"),
         "fail[0] has an at above its every"},
        {FIXTURES("fail: [{ status: 500, at: 2 }]"), "fail[0] has an at above its every"},
        {HEAD PROVIDERS "routes: { m: {} }\n", "\"targets\" is missing in routes.m"},
        {HEAD PROVIDERS "routes: { m: { targets: [] } }\n", "targets must have 1 to 32 targets"},
        {HEAD PROVIDERS "routes: { m: { targets: a } }\n", "targets must be a list, not text"},
        {HEAD PROVIDERS "routes: { m: { targets: [a] } }\n",
         "targets[0] must be a mapping, not text"},
        {HEAD PROVIDERS "routes: { m: { targets: [{}] } }\n", "\"provider\" is missing in"},
        {HEAD PROVIDERS "routes: { m: { targets: [{ provider: b }] } }\n",
         "routes.m.targets[0].provider is no provider of this file"},
        {HEAD PROVIDERS "routes: { m: { targets: [{ provider: a, model: \"\" }] } }\n",
         "targets[0].model is empty"},
        {HEAD PROVIDERS "routes: { m: { targets: [{ provider: a }, { provider: a }] } }\n",
         "routes.m.targets[1] is the same target as targets[0]"},
        {HEAD PROVIDERS "routes: { m: { targets: [{ provider: a, model: x y }] } }\n",
         "targets[0].model must be 1 to 256 printable"},
        {HEAD PROVIDERS "routes: { \"a b\": { targets: [{ provider: a }] } }\n",
         "routes.a b must be 1 to 256 printable"},
        {HEAD PROVIDERS "routes: { \"\": { targets: [{ provider: a }] } }\n",
         "must be 1 to 256 printable"},
        {ROUTE("match: { models: x }"), "routes.m.match.models must be a list, not text"},
        {ROUTE("match: { models: [\"a b\"] }"), "routes.m.match.models[0] must be 1 to 256"},
        {ROUTE("timeouts: { connect: 0ms }"), "timeouts.connect must be 1ms to 10m"},
        {ROUTE("timeouts: { connect: 11m }"), "timeouts.connect must be 1ms to 10m"},
        {ROUTE("timeouts: { write: 0s }"), "timeouts.write must be 1ms to 1h"},
        {ROUTE("timeouts: { write: 2h }"), "timeouts.write must be 1ms to 1h"},
        {ROUTE("timeouts: { head: 0s }"), "timeouts.head must be 1ms to 1d"},
        {ROUTE("timeouts: { head: 25h }"), "timeouts.head must be 1ms to 1d"},
        {ROUTE("timeouts: { first_content: 0s }"), "timeouts.first_content must be 1ms to 1d"},
        {ROUTE("timeouts: { first_content: 25h }"), "timeouts.first_content must be 1ms to 1d"},
        {ROUTE("timeouts: { idle: 0s }"), "timeouts.idle must be 1ms to 1d"},
        {ROUTE("timeouts: { idle: 25h }"), "timeouts.idle must be 1ms to 1d"},
        {ROUTE("timeouts: { content_idle: 0s }"), "timeouts.content_idle must be 1ms to 1d"},
        {ROUTE("timeouts: { content_idle: 25h }"), "timeouts.content_idle must be 1ms to 1d"},
        {ROUTE("timeouts: { total: 0s }"), "timeouts.total must be 1ms to 1d"},
        {ROUTE("timeouts: { total: 25h }"), "timeouts.total must be 1ms to 1d"},
        {ROUTE("timeouts: { stream_total: 0s }"), "timeouts.stream_total must be 1ms to 7d"},
        {ROUTE("timeouts: { stream_total: 8d }"), "timeouts.stream_total must be 1ms to 7d"},
        {ROUTE("timeouts: { idle: off }"), "timeouts.idle must be a duration"},
        {ROUTE("early_head: 0s"), "routes.m.early_head must be 1ms to 1d, or off"},
        {ROUTE("early_head: 25h"), "routes.m.early_head must be 1ms to 1d, or off"},
        {ROUTE("early_head: never"), "routes.m.early_head must be a duration or off"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        REFUSE(rows[i].text, rows[i].words);
    }
}

static void section__unknown_keys_get_the_nearest_word_and_the_list(void **state)
{
    static const struct {
        const char *text;
        const char *words[3];
    } rows[] = {
        {TOP("lsiten: 127.0.0.1:1"),
         {"test.yaml:3:1: error: unknown key \"lsiten\"\n", "did you mean \"listen\"?",
          "keys here: version, environment, strict_models, response_headers, listen, open, "
          "allowed_hosts, admin, egress, limits, drain, log, state_dir, journal, "
          "providers, routes, tasks, key_secret, keys, teams, prices, ledger, budgets, budget_status, rates, sinks\n"}},
        {TOP("admin: { tokn: a }"),
         {"unknown key \"tokn\" in admin", "did you mean \"token\"?",
          "keys here: listen, token\n"}},
        {TOP("egress: { allowed: [] }"),
         {"unknown key \"allowed\" in egress", "did you mean \"allow\"?",
          "keys here: proxy, allow\n"}},
        {TOP("limits: { memroy: 1GiB }"),
         {"unknown key \"memroy\" in limits", "did you mean \"memory\"?",
          "keys here: calls, body, response, memory\n"}},
        {TOP("drain: { delays: 1s }"),
         {"unknown key \"delays\" in drain", "did you mean \"delay\"?",
          "keys here: delay, timeout\n"}},
        {TOP("log: { lvel: info }"),
         {"unknown key \"lvel\" in log", "did you mean \"level\"?", "keys here: level, format\n"}},
        {PROVIDER("baseurl: x"),
         {"unknown key \"baseurl\" in providers.a", "did you mean \"base_url\"?",
          "keys here: kind, api_version, deployments, region, api, access_key_id, secret_access_key, session_token, "
          "credential, base_url, breaker, pool, ca_file, on_abort, forward_headers\n"}},
        {PROVIDER("pool: { idel: 3 }"),
         {"unknown key \"idel\" in providers.a.pool", "did you mean \"idle\"?",
          "keys here: idle, idle_time, life\n"}},
        {FIXTURES("dialekt: openai"),
         {"unknown key \"dialekt\" in providers.a.fixtures", "did you mean \"dialect\"?",
          "keys here: dialect, latency, tokens_per_second, seed, fail\n"}},
        {FIXTURES("fail: [ { status: 500, evry: 2 } ]"),
         {"unknown key \"evry\" in providers.a.fixtures.fail[0]", "did you mean \"every\"?",
          "keys here: status, cut, hang, reset, every, at\n"}},
        {ROUTE("timeout: { idle: 1s }"),
         {"unknown key \"timeout\" in routes.m", "did you mean \"timeouts\"?",
          "keys here: match, strategy, targets, retry, timeouts, commit, early_head, sticky, "
          "resume, hedge, default_max_output, panic, translate, slow\n"}},
        {ROUTE("match: { model: [x] }"),
         {"unknown key \"model\" in routes.m.match", "did you mean \"models\"?",
          "keys here: models\n"}},
        {ROUTE("timeouts: { idel: 1s }"),
         {"unknown key \"idel\" in routes.m.timeouts", "did you mean \"idle\"?",
          "keys here: connect, write, head, first_content, idle, content_idle, total, "
          "stream_total\n"}},
        {HEAD PROVIDERS "routes: { m: { targets: [ { provider: a, modle: b } ] } }\n",
         {"unknown key \"modle\" in routes.m.targets[0]", "did you mean \"model\"?",
          "keys here: provider, model, tier, weight, share, context, enabled\n"}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        REFUSE(rows[i].text, rows[i].words[0], rows[i].words[1], rows[i].words[2]);
    }
}

static void section__what_people_write_instead_gets_help(void **state)
{
    static const struct {
        const char *text;
        const char *help;
    } rows[] = {
        {PROVIDER("base_url: \"https://x.example?api-version=2024-10-21\""), "help: the version is the setting api_version"},
        {HEAD PROVIDERS "routes: { m: { targets: [a/gpt-5.4] } }\n", "help: like { provider: openai, model: gpt-5.4 }"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        REFUSE(rows[i].text, rows[i].help);
    }
    REFUSE(HEAD PROVIDERS "routes: { m: { targets: [~] } }\n", "targets[0] ");
}

static void section__keys_of_later_versions_are_unknown_today(void **state)
{
    static const char *const texts[] = {
        TOP("trusted_proxies: []"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        REFUSE(texts[i], "error: unknown key \"");
    }
}

/* Rows are data: a default outside its own range would stop every start. */
static void check_table(const struct field_table *table)
{
    assert_true(table->count > 0 && table->count <= FIELDS_MAX);
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        union {
            struct span text;
            uint64_t number;
        } object[4] = {{{NULL, 0}}};
        struct field row = *field;

        assert_non_null(field->help);
        assert_ptr_equal(field_find(table, span_of(field->name)), field);
        if (field->type == FIELD_MAP) {
            check_table(field->inner);
        }
        row.place = 0;
        if (field->type == FIELD_U32 || field->type == FIELD_U64 || field->type == FIELD_SIZE ||
            field->type == FIELD_DURATION || field->type == FIELD_PERCENT) {
            assert_int_equal(field_read(&row, span_of(field->min), object, NULL), ERR_NONE);
            assert_int_equal(field_read(&row, span_of(field->max), object, NULL), ERR_NONE);
        }
        if (field->initial != NULL && field->type != FIELD_CUSTOM) {
            assert_int_equal(field_read(&row, span_of(field->initial), object, NULL), ERR_NONE);
        }
    }
}

static void section__tables_are_sound(void **state)
{
    struct field rows[FIELDS_MAX];
    struct field_table keys = section_keys(rows);

    (void)state;
    check_table(&keys);
    check_table(&route_fields);
    check_table(&log_fields);
    check_table(&ledger_fields);
    for (size_t i = 0; section_at(i) != NULL; i++) {
        check_table(section_at(i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(section__keys_are_taken_at_the_ends_of_their_ranges),
        cmocka_unit_test(section__keys_are_refused_beyond_their_ranges),
        cmocka_unit_test(section__unknown_keys_get_the_nearest_word_and_the_list),
        cmocka_unit_test(section__what_people_write_instead_gets_help),
        cmocka_unit_test(section__keys_of_later_versions_are_unknown_today),
        cmocka_unit_test(section__tables_are_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
