/* SPDX-License-Identifier: Apache-2.0 */
/* What one section says about another: who is served, what may be called, which names are taken. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf/world.h"

#define FAKE        "providers: { a: { kind: fixtures }, b: { kind: fixtures } }\n"
#define TOP(inside) "version: 1\n" FAKE inside "\n"
#define AT(url)                                                                                    \
    "version: 1\nproviders: { a: { kind: compatible, base_url: \"" url "\", credential: none } "   \
                                                                       "}\n"

static void take(const char *text)
{
    snapshot_give(load_good(text));
}

static void cross__only_loopback_is_served_unless_open(void **state)
{
    static const char *const shut[] = {"0.0.0.0:8402", "\"[::]:8402\"", "10.0.0.1:80",
                                       "\"[2606:4700::1]:80\"", "[127.0.0.1:1, 192.168.0.1:2]"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(shut); i++) {
        char text[256] = "version: 1\n" FAKE "listen: ";

        memcpy(text + strlen(text), shut[i], strlen(shut[i]) + 1);
        REFUSE(text, "can be reached by others, who could then use your providers' keys",
               "listen on 127.0.0.1:", "or write open: true if everyone who reaches it may use it");
        memcpy(text + strlen(text), "\nopen: true\n", sizeof "\nopen: true\n");
        take(text);
    }
    take(TOP("listen: [127.0.0.1:1, localhost:2, \"[::1]:3\", \"unix:/run/h\"]"));
    REFUSE(TOP("listen: 0.0.0.0:9000"), "test.yaml:3:9: error: listen: 0.0.0.0:9000 can be",
           "listen on 127.0.0.1:9000");
}

static void cross__admin_beyond_loopback_needs_a_token(void **state)
{
    (void)state;
    REFUSE(TOP("admin: { listen: 0.0.0.0:8403 }"),
           "test.yaml:3:18: error: admin.listen: 0.0.0.0:8403 can be reached by others and has no "
           "token");
    REFUSE(TOP("admin: { listen: 10.0.0.1:1, token: \"${NONE:-}\" }"), "has no token");
    take(TOP("admin: { listen: 0.0.0.0:8403, token: abc }"));
    take(TOP("admin: { listen: \"unix:/run/admin\" }"));
    take(TOP("admin: { listen: off }"));
}

static void cross__listeners_differ(void **state)
{
    static const char *const clashes[] = {
        TOP("listen: [127.0.0.1:1, 127.0.0.1:1]"),
        TOP("listen: [127.0.0.1:1, localhost:1]"),
        TOP("listen: [\"[::1]:1\", \"[0:0::1]:1\"]"),
        TOP("listen: [\"unix:/a\", \"unix:/a\"]"),
        TOP("listen: [127.0.0.1:1, 0.0.0.0:1]\nopen: true"),
        TOP("listen: [\"[::]:1\", \"[::1]:1\"]\nopen: true"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(clashes); i++) {
        REFUSE(clashes[i], "is taken by");
    }
    take(TOP(
        "listen: [127.0.0.1:0, 127.0.0.1:0, \"unix:/a\", \"unix:/b\", 127.0.0.1:1, \"[::1]:1\"]"));
    take(TOP("listen: [0.0.0.0:1, \"[::]:1\"]\nopen: true"));
}

static void cross__admin_and_data_listener_differ(void **state)
{
    (void)state;
    REFUSE(TOP("admin: { listen: 127.0.0.1:8402 }"),
           "test.yaml:3:18: error: admin.listen and listen are both 127.0.0.1:8402");
    REFUSE(TOP("listen: 127.0.0.1:8403"),
           "test.yaml:3:9: error: admin.listen and listen are both 127.0.0.1:8403");
    REFUSE(TOP("listen: 0.0.0.0:8403\nopen: true"), "admin.listen and listen are both");
    take(TOP("listen: 127.0.0.1:8403\nadmin: { listen: off }"));
}

static void cross__production_refuses_fixtures(void **state)
{
    (void)state;
    REFUSE("version: 1\nenvironment: production\nproviders:\n  o: { kind: openai }\n"
           "  a: { kind: fixtures }\n",
           "test.yaml:5:14: error: providers.a is of kind fixtures, which production refuses\n",
           "its answers are made up");
    take("version: 1\nenvironment: production\nproviders: { o: { kind: openai } }\n");
    take("version: 1\nenvironment: development\nproviders: { a: { kind: fixtures } }\n");
}

static void cross__plain_http_goes_to_loopback_and_allowed_ranges_only(void **state)
{
    static const char *const near[] = {
        AT("http://127.0.0.1:1"),
        AT("http://localhost:1"),
        AT("http://LOCALHOST"),
        AT("http://[::1]:1/v1"),
        AT("http://10.1.2.3") "egress: { allow: [10.0.0.0/8] }\n",
        AT("http://vllm") "egress: { allow: [10.0.0.0/8] }\n",
        AT("http://[fd00::1]") "egress: { allow: [fc00::/7] }\n",
        AT("https://10.1.2.3"),
        AT("https://8.8.8.8"),
        AT("https://x.example"),
    };
    static const char *const far[] = {
        AT("http://10.1.2.3"),          AT("http://vllm"),
        AT("http://api.openai.com"),    AT("http://8.8.8.8"),
        AT("http://[fd00::1]"),         AT("http://0.0.0.0:1"),
        AT("http://localhost.example"), AT("http://11.1.2.3") "egress: { allow: [10.0.0.0/8] }\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(near); i++) {
        take(near[i]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(far); i++) {
        REFUSE(far[i], "test.yaml:2:", "providers.a.base_url is http:// beyond loopback",
               "write https://, or allow the network");
    }
}

static void cross__names_belong_to_one_route(void **state)
{
    (void)state;
    REFUSE(TOP("routes:\n  m: { targets: [ { provider: a } ] }\n"
               "  n: { targets: [ { provider: a } ], match: { models: [x, m] } }\n"),
           "routes.n: the name \"m\" already belongs to routes.m");
    REFUSE(TOP("routes:\n  m: { targets: [ { provider: a } ], match: { models: [x] } }\n"
               "  n: { targets: [ { provider: a } ], match: { models: [x] } }\n"),
           "routes.n: the name \"x\" already belongs to routes.m");
    REFUSE(TOP("routes:\n  m: { targets: [ { provider: a } ], match: { models: [n] } }\n"
               "  n: { targets: [ { provider: a } ] }\n"),
           "routes.n: the name \"n\" already belongs to routes.m");
    REFUSE(TOP("routes:\n  m: { targets: [ { provider: a } ], match: { models: [\"g*\", \"g*\"] } "
               "}\n"),
           "routes.m: the pattern \"g*\" already belongs to routes.m");
    REFUSE(TOP("routes:\n  m: { targets: [ { provider: a } ], match: { models: [m] } }\n"),
           "routes.m: the name \"m\" already belongs to routes.m");
    take(TOP("routes:\n  m: { targets: [ { provider: a } ], match: { models: [\"g*\"] } }\n"
             "  gpt: { targets: [ { provider: a } ], match: { models: [\"gp*\"] } }\n"));
}

static void cross__the_same_provider_may_stand_twice_with_other_models(void **state)
{
    (void)state;
    take(TOP("routes: { m: { targets: [ { provider: a }, { provider: a, model: x }, "
             "{ provider: b }, { provider: a, model: y } ] } }"));
    REFUSE(TOP("routes: { m: { targets: [ { provider: a, model: x }, { provider: b }, "
               "{ provider: a, model: x } ] } }"),
           "routes.m.targets[2] is the same target as targets[0]");
}

static void cross__endpoints_at_the_same_place_share_an_index(void **state)
{
    struct snapshot *snapshot = load_good(
        "version: 1\nproviders:\n"
        "  a: { kind: compatible, credential: none, base_url: \"https://x.example/v1\" }\n"
        "  f: { kind: fixtures }\n"
        "  b: { kind: compatible, credential: none, base_url: \"https://X.example:443/other\" }\n"
        "  c: { kind: compatible, credential: none, base_url: \"https://x.example:444\" }\n"
        "  d: { kind: compatible, credential: none, base_url: \"https://x.example\", ca_file: /c "
        "}\n"
        "  e: { kind: compatible, credential: none, base_url: \"https://y.example\" }\n"
        "  g: { kind: compatible, credential: none, base_url: \"https://x.example\", ca_file: /c "
        "}\n");
    static const uint16_t expected[] = {0, 0, 0, 1, 2, 3, 2};

    (void)state;
    assert_int_equal(snapshot->endpoints_count, 4);
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        assert_int_equal(snapshot->routing.providers[i].index, i);
        assert_int_equal(snapshot->routing.providers[i].endpoint.index, expected[i]);
    }
    snapshot_give(snapshot);
}

static void cross__the_same_key_at_the_same_place_is_one_credential(void **state)
{
    struct snapshot *snapshot =
        load_good("version: 1\nproviders:\n"
                  "  a: { kind: compatible, credential: k1, base_url: \"https://x.example\" }\n"
                  "  f: { kind: fixtures }\n"
                  "  b: { kind: compatible, credential: k2, base_url: \"https://x.example\" }\n"
                  "  c: { kind: compatible, credential: k1, base_url: \"https://X.example/o\" }\n"
                  "  d: { kind: compatible, credential: k1, base_url: \"https://y.example\" }\n"
                  "  e: { kind: compatible, credential: none, base_url: \"https://x.example\" }\n"
                  "  g: { kind: compatible, credential: none, base_url: \"https://x.example\" }\n"
                  "  h: { kind: compatible, credential: passthrough, base_url: "
                  "\"https://x.example\" }\n"
                  "  i: { kind: compatible, credential: passthrough, base_url: "
                  "\"https://x.example\" }\n"
                  "  j: { kind: fixtures }\n"
                  "  k: { kind: openai, base_url: \"https://y.example\", credential: k1 }\n"
                  "  l: { kind: compatible, credential: k11, base_url: \"https://x.example\" }\n");
    static const uint16_t expected[] = {0, 1, 2, 0, 3, 4, 5, 6, 7, 8, 3, 9};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        assert_int_equal(snapshot->routing.providers[i].credential_index, expected[i]);
    }
    snapshot_give(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cross__only_loopback_is_served_unless_open),
        cmocka_unit_test(cross__admin_beyond_loopback_needs_a_token),
        cmocka_unit_test(cross__listeners_differ),
        cmocka_unit_test(cross__admin_and_data_listener_differ),
        cmocka_unit_test(cross__production_refuses_fixtures),
        cmocka_unit_test(cross__plain_http_goes_to_loopback_and_allowed_ranges_only),
        cmocka_unit_test(cross__names_belong_to_one_route),
        cmocka_unit_test(cross__the_same_provider_may_stand_twice_with_other_models),
        cmocka_unit_test(cross__endpoints_at_the_same_place_share_an_index),
        cmocka_unit_test(cross__the_same_key_at_the_same_place_is_one_credential),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
