/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end: socket addresses to names, and names to what log lines say. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "proxy/peer.h"

static struct sockaddr_storage address_of(int family, const char *text)
{
    struct sockaddr_storage storage = {.ss_family = (sa_family_t)family};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(4242)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(4242)};

    if (family == AF_INET) {
        assert_int_equal(inet_pton(AF_INET, text, &v4.sin_addr), 1);
        memcpy(&storage, &v4, sizeof v4);
    } else if (family == AF_INET6) {
        assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
        memcpy(&storage, &v6, sizeof v6);
    }
    return storage;
}

static void peer__is_told_as_people_write_addresses(void **state)
{
    static const struct {
        int family;
        const char *address;
        const char *text;
    } rows[] = {{AF_INET, "127.0.0.1", "127.0.0.1"},
                {AF_INET, "203.0.113.250", "203.0.113.250"},
                {AF_INET6, "::ffff:203.0.113.250", "203.0.113.250"},
                {AF_INET6, "::1", "::/64"},
                {AF_INET6, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
                {AF_INET6, "2001:1db8:1111:2222:3:4:5:6", "2001:1db8:1111:2222::/64"},
                {AF_UNIX, "", "unix"},
                {AF_UNSPEC, "", "unix"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct sockaddr_storage address = address_of(rows[i].family, rows[i].address);
        struct silent_name name = peer_name(&address);
        char text[PEER_TEXT_BYTES];
        assert_true(span_equal(peer_text(&name, text), span_of(rows[i].text)));
    }
}

static void peer__is_local_by_loopback_and_unix_sockets_only(void **state)
{
    static const struct {
        int family;
        const char *address;
        bool is_local;
    } rows[] = {{AF_INET, "127.0.0.1", true},
                {AF_INET, "127.255.255.254", true},
                {AF_INET, "128.0.0.1", false},
                {AF_INET, "10.0.0.1", false},
                {AF_INET, "0.0.0.0", false},
                {AF_INET6, "::1", true},
                {AF_INET6, "::ffff:127.0.0.1", true},
                {AF_INET6, "::", false},
                {AF_INET6, "::2", false},
                {AF_INET6, "::ffff:10.0.0.1", false},
                {AF_INET6, "2001:db8::1", false},
                {AF_UNIX, "", true},
                {AF_UNSPEC, "", false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct sockaddr_storage address = address_of(rows[i].family, rows[i].address);
        if (peer_is_local(&address) != rows[i].is_local) {
            fail_msg("%s", rows[i].address);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peer__is_told_as_people_write_addresses),
        cmocka_unit_test(peer__is_local_by_loopback_and_unix_sockets_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
