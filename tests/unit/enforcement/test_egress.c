/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses may be called: every special range, every spelling that hides one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "enforcement/egress.h"

static struct egress_address address_of(const char *text)
{
    struct egress_address address = {{0}};

    if (!egress_address_read(span_of(text), &address)) {
        fail_msg("not read: %s", text);
    }
    return address;
}

static void egress__denies_names_that_resolve_to_special_addresses(void **state)
{
    static const char *const denied[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.0",
        "192.0.0.255",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.0",
        "239.255.255.255",
        "240.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        "::2",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:a00:1",
        "::ffff:0:8.8.8.8",
        "64:ff9b::10.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "64:ff9b:1::8.8.8.8",
        "100::1",
        "2001::1",
        "2001:0:4136:e378::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "2002:a00:1::1",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
        "3fff::1",
        "3fff:fff:ffff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fdff:ffff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "ffff::1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(denied); i++) {
        struct egress_address address = address_of(denied[i]);

        if (!egress_is_private(&address) ||
            egress_judge(&address, false, NULL, 0) != EGRESS_DENIED) {
            fail_msg("allowed: %s", denied[i]);
        }
    }
}

static void egress__allows_the_neighbours_of_special_ranges(void **state)
{
    static const char *const allowed[] = {
        "1.0.0.0",         "9.255.255.255",   "11.0.0.0",       "100.63.255.255",
        "100.128.0.0",     "126.255.255.255", "128.0.0.1",      "169.253.255.255",
        "169.255.0.0",     "172.15.255.255",  "172.32.0.0",     "191.255.255.255",
        "192.0.1.0",       "192.0.3.0",       "192.88.98.1",    "192.88.100.1",
        "192.167.255.255", "192.169.0.0",     "198.17.255.255", "198.20.0.0",
        "198.51.99.1",     "198.51.101.1",    "203.0.112.1",    "203.0.114.1",
        "223.255.255.255", "8.8.8.8",         "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
        "2002:808:808::1", "2001:200::1",     "2001:db7::1",    "2001:db9::1",
        "2606:4700::1111", "2a00:1450::1",    "3fff:1000::1",   "3ffe::1",
        "2000::1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(allowed); i++) {
        struct egress_address address = address_of(allowed[i]);

        if (egress_judge(&address, false, NULL, 0) != EGRESS_ALLOWED) {
            fail_msg("denied: %s", allowed[i]);
        }
    }
}

static void egress__never_allows_metadata_addresses(void **state)
{
    static const char *const metadata[] = {
        "169.254.169.254",         "169.254.170.2",     "169.254.170.23",
        "100.100.100.200",         "192.0.0.192",       "168.63.129.16",
        "::ffff:169.254.169.254",  "::ffff:a9fe:a9fe",  "64:ff9b::169.254.169.254",
        "64:ff9b::a9fe:a9fe",      "2002:a9fe:a9fe::1", "fd00:ec2::254",
        "FD00:0EC2:0:0:0:0:0:254", "fd00:ec2::23",      "fd20:ce::254",
    };
    struct egress_range everything[2];

    (void)state;
    assert_int_equal(egress_range_read(span_of("0.0.0.0/0"), &everything[0]), ERR_NONE);
    assert_int_equal(egress_range_read(span_of("::/0"), &everything[1]), ERR_NONE);
    for (size_t i = 0; i < ARRAY_LENGTH(metadata); i++) {
        struct egress_address address = address_of(metadata[i]);

        if (egress_judge(&address, true, everything, 2) != EGRESS_DENIED ||
            egress_judge(&address, false, everything, 2) != EGRESS_DENIED ||
            egress_may_be_plain(&address, everything, 2)) {
            fail_msg("allowed: %s", metadata[i]);
        }
    }
}

static void egress__allows_literal_hosts_as_written(void **state)
{
    struct egress_address address = address_of("10.1.2.3");

    (void)state;
    assert_int_equal(egress_judge(&address, true, NULL, 0), EGRESS_ALLOWED);
    address = address_of("::1");
    assert_int_equal(egress_judge(&address, true, NULL, 0), EGRESS_ALLOWED);
}

static void egress__allows_names_inside_allowed_ranges_only(void **state)
{
    struct egress_range ranges[2];
    struct egress_address address = address_of("10.1.2.3");

    (void)state;
    assert_int_equal(egress_range_read(span_of("10.1.0.0/16"), &ranges[0]), ERR_NONE);
    assert_int_equal(egress_range_read(span_of("fc00::/7"), &ranges[1]), ERR_NONE);
    assert_int_equal(egress_judge(&address, false, ranges, 2), EGRESS_ALLOWED);
    address = address_of("10.2.0.0");
    assert_int_equal(egress_judge(&address, false, ranges, 2), EGRESS_DENIED);
    address = address_of("fd12::1");
    assert_int_equal(egress_judge(&address, false, ranges, 2), EGRESS_ALLOWED);
    address = address_of("fe80::1");
    assert_int_equal(egress_judge(&address, false, ranges, 2), EGRESS_DENIED);
    address = address_of("64:ff9b::10.1.2.3");
    assert_int_equal(egress_judge(&address, false, ranges, 2), EGRESS_DENIED);
}

static void egress__sends_keys_without_tls_only_to_loopback_and_allowed_ranges(void **state)
{
    struct egress_range range;
    struct egress_address address = address_of("127.0.0.1");

    (void)state;
    assert_int_equal(egress_range_read(span_of("10.0.0.0/8"), &range), ERR_NONE);
    assert_true(egress_may_be_plain(&address, NULL, 0));
    address = address_of("10.0.0.1");
    assert_false(egress_may_be_plain(&address, NULL, 0));
    assert_true(egress_may_be_plain(&address, &range, 1));
    address = address_of("8.8.8.8");
    assert_false(egress_may_be_plain(&address, &range, 1));
}

static void egress__knows_loopback(void **state)
{
    static const struct {
        const char *text;
        bool is_loopback;
    } rows[] = {
        {"127.0.0.1", true},
        {"127.9.9.9", true},
        {"::1", true},
        {"0:0:0:0:0:0:0:1", true},
        {"::ffff:127.0.0.1", true},
        {"128.0.0.1", false},
        {"::2", false},
        {"0.0.0.0", false},
        {"::", false},
        {"64:ff9b::127.0.0.1", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct egress_address address = address_of(rows[i].text);

        if (egress_is_loopback(&address) != rows[i].is_loopback) {
            fail_msg("wrong: %s", rows[i].text);
        }
    }
}

static void egress__reads_addresses(void **state)
{
    static const struct {
        const char *text;
        uint8_t bytes[16];
    } rows[] = {
        {"1.2.3.4", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4}},
        {"::", {0}},
        {"1::", {0, 1}},
        {"::1:2", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2}},
        {"1:2:3:4:5:6:7::", {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0}},
        {"::2:3:4:5:6:7:8", {0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}},
        {"1:2:3:4:5:6:7:8", {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}},
        {"1:2:3:4:5:6:1.2.3.4", {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1, 2, 3, 4}},
        {"aBcD::F", {0xab, 0xcd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct egress_address address = address_of(rows[i].text);

        assert_memory_equal(address.bytes, rows[i].bytes, 16);
    }
}

static void egress__refuses_what_is_no_address(void **state)
{
    static const char *const bad[] = {
        "",
        "localhost",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.04",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "0x7f.0.0.1",
        "2130706433",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.-4",
        "1.2.3.4/8",
        ":",
        ":::",
        "1:",
        ":1",
        "1:2",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8",
        "12345::",
        "g::",
        "[::1]",
        "::1%eth0",
        "fe80::1%1",
        "::1.2.3",
        "1.2.3.4::",
        "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::ffff:1.2.3.4.5",
        "1:2:3:4:5:6:7:8:",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
    };
    struct egress_address address;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        if (egress_address_read(span_of(bad[i]), &address)) {
            fail_msg("read: %s", bad[i]);
        }
    }
}

static void egress__reads_ranges(void **state)
{
    static const struct {
        const char *text;
        int bits;
    } rows[] = {
        {"10.0.0.0/8", 104},
        {"127.0.0.1", 128},
        {"0.0.0.0/0", 96},
        {"1.2.3.4/32", 128},
        {"fc00::/7", 7},
        {"::/0", 0},
        {"::1", 128},
        {"::1/128", 128},
        {"::ffff:10.0.0.0/104", 104},
        {"10.0.0.0/33", -1},
        {"10.0.0.0/", -1},
        {"10.0.0.0/08", -1},
        {"10.0.0.1/8", -1},
        {"10.0.0.0/8/8", -1},
        {"10.0.0.0/-1", -1},
        {"10.0.0.0/ 8", -1},
        {"::/129", -1},
        {"fc00::1/7", -1},
        {"fe80::%eth0/10", -1},
        {"/8", -1},
        {"", -1},
        {"example.com", -1},
        {"10.0.0.0-10.0.0.9", -1},
        {"10.*", -1},
        {"::/999", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct egress_range range = {{{0}}, 0};
        enum err err = egress_range_read(span_of(rows[i].text), &range);

        if ((rows[i].bits < 0) != (err == ERR_FORMAT) ||
            (err == ERR_NONE && range.bits != rows[i].bits)) {
            fail_msg("wrong: %s", rows[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(egress__denies_names_that_resolve_to_special_addresses),
        cmocka_unit_test(egress__allows_the_neighbours_of_special_ranges),
        cmocka_unit_test(egress__never_allows_metadata_addresses),
        cmocka_unit_test(egress__allows_literal_hosts_as_written),
        cmocka_unit_test(egress__allows_names_inside_allowed_ranges_only),
        cmocka_unit_test(egress__sends_keys_without_tls_only_to_loopback_and_allowed_ranges),
        cmocka_unit_test(egress__knows_loopback),
        cmocka_unit_test(egress__reads_addresses),
        cmocka_unit_test(egress__refuses_what_is_no_address),
        cmocka_unit_test(egress__reads_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
