/* SPDX-License-Identifier: Apache-2.0 */
/* base_url, listeners, and the endpoints they mean (bad-input BC08, BC09). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "conf/url.h"

static void url__reads_what_providers_write(void **state)
{
    static const struct {
        const char *text;
        const char *host;
        uint16_t port;
        const char *path;
        bool is_tls;
        bool is_literal;
        bool is_v6;
    } rows[] = {
        {"https://api.openai.com/v1", "api.openai.com", 443, "/v1", true, false, false},
        {"https://api.openai.com/v1/", "api.openai.com", 443, "/v1", true, false, false},
        {"https://api.anthropic.com", "api.anthropic.com", 443, "", true, false, false},
        {"https://api.anthropic.com/", "api.anthropic.com", 443, "", true, false, false},
        {"HTTPS://Host:8443/a/b", "Host", 8443, "/a/b", true, false, false},
        {"http://127.0.0.1:11434/v1", "127.0.0.1", 11434, "/v1", false, true, false},
        {"http://localhost:1234", "localhost", 1234, "", false, true, false},
        {"http://[::1]:8080/v1", "::1", 8080, "/v1", false, true, true},
        {"https://[2606:4700::1]", "2606:4700::1", 443, "", true, true, true},
        {"https://gateway.ai/v1/acc-1/gw_2/openai", "gateway.ai", 443, "/v1/acc-1/gw_2/openai",
         true, false, false},
        {"https://xn--mnchen-3ya.example", "xn--mnchen-3ya.example", 443, "", true, false, false},
        {"http://my_container:80", "my_container", 80, "", false, false, false},
        {"https://1.example.com", "1.example.com", 443, "", true, false, false},
        {"https://good/evil@x", "good", 443, "/evil@x", true, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct url url;
        struct why why = {""};

        if (url_read(span_of(rows[i].text), &url, &why) != ERR_NONE ||
            !span_equal(url.host, span_of(rows[i].host)) || url.port != rows[i].port ||
            !span_equal(url.path, span_of(rows[i].path)) || url.is_tls != rows[i].is_tls ||
            url.host_is_literal != rows[i].is_literal || url.host_is_v6 != rows[i].is_v6) {
            fail_msg("%s: %s", rows[i].text, why.text);
        }
    }
}

static void url__refuses_what_two_programs_read_differently(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"file:///etc/passwd", "https://"},
        {"gopher://host/", "https://"},
        {"ftp://host/", "https://"},
        {"//host/", "https://"},
        {"host/v1", "https://"},
        {"https:/host", "https://"},
        {"https:host", "https://"},
        {"https://", "no host"},
        {"https:///v1", "no host"},
        {"https://:443/", "no host"},
        {"https://user@host", "user or password"},
        {"https://user:pw@host", "user or password"},
        {"https://good@evil/", "user or password"},
        {"https://good\\.evil", "backslash"},
        {"https://good\\@evil", "backslash"},
        {"https://host/v1?x=1", "query"},
        {"https://host?x", "query"},
        {"https://host#f", "fragment"},
        {"https://host/v1#", "fragment"},
        {"https://ho st/", "blank"},
        {"https://host/\n", "blank or control"},
        {" https://host", "blank"},
        {"https://host ", "blank"},
        {"https://0x7f.1/", "number"},
        {"https://0x7f000001", "number"},
        {"https://2130706433", "number"},
        {"https://017700000001", "number"},
        {"https://127.1", "number"},
        {"https://127.0.0.01", "number"},
        {"https://1.2.3.4.5", "number"},
        {"https://256.1.1.1", "number"},
        {"https://example.0x1", "number"},
        {"https://0x", "number"},
        {"https://host.", "ends with a dot"},
        {"https://127.0.0.1.", "ends with a dot"},
        {"https://a..b", "empty part"},
        {"https://.a", "empty part"},
        {"https://-a.b", "\"-\""},
        {"https://a-.b", "\"-\""},
        {"https://ex\xc3\xa4mple.com", "beyond ASCII"},
        {"https://\xd0\xb0pi.openai.com", "beyond ASCII"},
        {"https://a%2eb", "no name has"},
        {"https://a,b", "no name has"},
        {"https://*.b", "no name has"},
        {"https://a;b", "no name has"},
        {"https://host:0", "1 to 65535"},
        {"https://host:65536", "1 to 65535"},
        {"https://host:", "1 to 65535"},
        {"https://host:080", "1 to 65535"},
        {"https://host:+80", "1 to 65535"},
        {"https://host:8a", "1 to 65535"},
        {"https://host:1:2", "more than one \":\""},
        {"https://::1/", "more than one \":\""},
        {"https://[::1", "without \"]\""},
        {"https://[::1]x", "odd behind"},
        {"https://[::1]:", "1 to 65535"},
        {"https://[127.0.0.1]", "brackets"},
        {"https://[host]", "brackets"},
        {"https://[]", "brackets"},
        {"https://[fe80::1%25eth0]", "zone"},
        {"https://[fe80::1%eth0]", "zone"},
        {"https://host/a//b", "\"//\""},
        {"https://host//", "\"//\""},
        {"https://host/../v1", "\"..\""},
        {"https://host/./v1", "\"..\""},
        {"https://host/v1/..", "\"..\""},
        {"https://host/%2e%2e", "not plain"},
        {"https://host/a%2fb", "not plain"},
        {"https://host/\xc3\xa4", "not plain"},
        {"https://host/a\"b", "not plain"},
        {"https://host/{x}", "not plain"},
        {"http://169.254.169.254/", "metadata"},
        {"https://169.254.170.2", "metadata"},
        {"https://100.100.100.200", "metadata"},
        {"https://[fd00:ec2::254]", "metadata"},
        {"https://[::ffff:169.254.169.254]", "metadata"},
        {"https://[::ffff:a9fe:a9fe]/", "metadata"},
        {"http://metadata.google.internal", "metadata"},
        {"http://METADATA.google.internal", "metadata"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct url url;
        struct why why = {""};

        if (url_read(span_of(rows[i].text), &url, &why) != ERR_FORMAT ||
            strstr(why.text, rows[i].words) == NULL) {
            fail_msg("%s said: %s", rows[i].text, why.text);
        }
    }
}

static void url__refuses_lengths_beyond_the_limits(void **state)
{
    static char text[3000];
    struct url url;
    struct why why = {""};

    (void)state;
    memcpy(text, "https://", 8);
    memset(text + 8, 'a', 63);
    assert_int_equal(url_read(span_make(text, 8 + 63), &url, &why), ERR_NONE);
    text[8 + 63] = 'a';
    assert_int_equal(url_read(span_make(text, 8 + 64), &url, &why), ERR_FORMAT);
    for (size_t i = 0; i < 256; i++) {
        text[8 + i] = i % 50 == 49 ? '.' : 'a';
    }
    assert_int_equal(url_read(span_make(text, 8 + 253), &url, &why), ERR_NONE);
    assert_int_equal(url_read(span_make(text, 8 + 254), &url, &why), ERR_FORMAT);
    memset(text + 8, 'a', 2992);
    text[9] = '/';
    assert_int_equal(url_read(span_make(text, 2048), &url, &why), ERR_NONE);
    assert_int_equal(url_read(span_make(text, 2049), &url, &why), ERR_FORMAT);
}

static void url__makes_the_path_that_stands_before_the_operations(void **state)
{
    static const struct {
        const char *text;
        enum url_version version;
        const char *path;
        const char *authority;
    } rows[] = {
        {"https://api.openai.com/v1", URL_VERSION_ALONE, "/v1", "api.openai.com"},
        {"https://api.openai.com/v1/", URL_VERSION_ALONE, "/v1", "api.openai.com"},
        {"https://api.openai.com", URL_VERSION_ALONE, "/v1", "api.openai.com"},
        {"https://openrouter.ai/api/v1", URL_VERSION_ALONE, "/api/v1", "openrouter.ai"},
        {"https://host/v1beta/openai/", URL_VERSION_ALONE, "/v1beta/openai", "host"},
        {"https://api.anthropic.com", URL_VERSION_ALWAYS, "/v1", "api.anthropic.com"},
        {"https://api.anthropic.com/", URL_VERSION_ALWAYS, "/v1", "api.anthropic.com"},
        {"https://api.anthropic.com/v1", URL_VERSION_ALWAYS, "/v1", "api.anthropic.com"},
        {"https://api.moonshot.ai/anthropic", URL_VERSION_ALWAYS, "/anthropic/v1", "api.moonshot.ai"},
        {"https://HOST:443", URL_VERSION_ALONE, "/v1", "host"},
        {"https://host:80", URL_VERSION_ALONE, "/v1", "host:80"},
        {"http://localhost:80", URL_VERSION_ALONE, "/v1", "localhost"},
        {"http://localhost:443", URL_VERSION_ALONE, "/v1", "localhost:443"},
        {"http://[::1]:65535/x", URL_VERSION_ALONE, "/x", "[::1]:65535"},
        {"http://[::1]", URL_VERSION_ALONE, "/v1", "[::1]"},
        {"https://generativelanguage.googleapis.com", URL_VERSION_NEVER, "", "generativelanguage.googleapis.com"},
        {"https://host/gemini/", URL_VERSION_NEVER, "/gemini", "host"},
        {"https://host/v1beta", URL_VERSION_NEVER, "/v1beta", "host"},
    };
    struct arena arena;

    (void)state;
    arena_init(&arena, 65536);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct url url;
        struct why why;
        struct endpoint endpoint;

        assert_int_equal(url_read(span_of(rows[i].text), &url, &why), ERR_NONE);
        assert_int_equal(url_make_endpoint(&url, rows[i].version, &arena, &endpoint),
                         ERR_NONE);
        if (!span_equal(endpoint.path, span_of(rows[i].path)) ||
            !span_equal(endpoint.authority, span_of(rows[i].authority))) {
            fail_msg("%s: %.*s %.*s", rows[i].text, SPAN_ARGS(endpoint.path),
                     SPAN_ARGS(endpoint.authority));
        }
    }
    arena_fini(&arena);
}

static void url__reads_listeners(void **state)
{
    static const struct {
        const char *text;
        const char *host;
        int port;
        const char *unix_path;
        bool is_loopback;
    } rows[] = {
        {"127.0.0.1:8402", "127.0.0.1", 8402, "", true},
        {"127.1.2.3:0", "127.1.2.3", 0, "", true},
        {"localhost:1", "localhost", 1, "", true},
        {"[::1]:8402", "::1", 8402, "", true},
        {"[::ffff:127.0.0.1]:1", "::ffff:127.0.0.1", 1, "", true},
        {"0.0.0.0:8402", "0.0.0.0", 8402, "", false},
        {"[::]:8402", "::", 8402, "", false},
        {"10.0.0.1:65535", "10.0.0.1", 65535, "", false},
        {"unix:/run/headgate.sock", "", 0, "/run/headgate.sock", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct listen_address address;
        struct why why = {""};

        if (url_read_listen(span_of(rows[i].text), &address, &why) != ERR_NONE ||
            !span_equal(address.host, span_of(rows[i].host)) || address.port != rows[i].port ||
            !span_equal(address.unix_path, span_of(rows[i].unix_path)) ||
            address.is_loopback != rows[i].is_loopback) {
            fail_msg("%s: %s", rows[i].text, why.text);
        }
    }
}

static void url__refuses_listeners_that_cannot_be_bound(void **state)
{
    static const char *const bad[] = {
        "",
        "8402",
        ":8402",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:http",
        "example.com:80",
        "*:8402",
        "::1:8402",
        "[::1]",
        "[::1]8402",
        "[localhost]:1",
        "[fe80::1%eth0]:1",
        "unix:",
        "unix:relative",
        "unix:/",
        "http://127.0.0.1:1",
        "127.0.0.1:8402/",
        "0x7f.1:80",
        "127.1:80",
    };
    char longest[5 + 104] = "unix:/";
    struct listen_address unix_address;
    struct why unix_why = {""};

    (void)state;
    memset(longest + 6, 'a', sizeof longest - 6);
    assert_int_equal(url_read_listen(span_make(longest, 5 + 103), &unix_address, &unix_why),
                     ERR_NONE);
    assert_int_equal(url_read_listen(span_make(longest, 5 + 104), &unix_address, &unix_why),
                     ERR_FORMAT);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct listen_address address;
        struct why why = {""};

        if (url_read_listen(span_of(bad[i]), &address, &why) != ERR_FORMAT || why.text[0] == '\0') {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url__reads_what_providers_write),
        cmocka_unit_test(url__refuses_what_two_programs_read_differently),
        cmocka_unit_test(url__refuses_lengths_beyond_the_limits),
        cmocka_unit_test(url__makes_the_path_that_stands_before_the_operations),
        cmocka_unit_test(url__reads_listeners),
        cmocka_unit_test(url__refuses_listeners_that_cannot_be_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
