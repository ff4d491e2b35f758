/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/guard.h"

#include "base/must.h"
#include "base/secret.h"
#include "enforcement/egress.h"

/* The field's value, when the head has exactly one of it. *count: how many, up to two. */
static struct span only_field(const struct http1_head *head, const char *base, struct span name,
                              int *count)
{
    int i = http1_find(head, base, name, 0);

    *count = 0;
    if (i < 0) {
        return span_make("", 0);
    }
    *count = http1_find(head, base, name, (size_t)i + 1) < 0 ? 1 : 2;
    return *count == 1 ? http1_value(head, base, (size_t)i) : span_make("", 0);
}

static struct span bearer_of(struct span value)
{
    struct span scheme = SPAN_OF("Bearer ");

    return span_starts_nocase(value, scheme) ? span_from(value, scheme.len) : span_make("", 0);
}

static bool is_form(struct span type)
{
    static const struct span types[] = {SPAN("application/x-www-form-urlencoded"),
                                        SPAN("multipart/form-data"), SPAN("text/plain")};

    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        if (span_starts_nocase(type, types[i])) {
            return true;
        }
    }
    return false;
}

void guard_see(const struct http1_head *head, const char *base, struct guard_facts *facts)
{
    int count = 0;

    facts->host = http1_part_span(head->host, base);
    facts->origin = only_field(head, base, SPAN_OF("origin"), &count);
    facts->has_origin = count > 0;
    facts->token = bearer_of(only_field(head, base, SPAN_OF("authorization"), &count));
    facts->has_token = count > 0;
    facts->is_form = is_form(only_field(head, base, SPAN_OF("content-type"), &count)) || count > 1;
}

/* Without port, and without the brackets of an address in IPv6. */
static struct span name_of(struct span host)
{
    if (host.len > 0 && host.at[0] == '[') {
        const char *end = memchr(host.at, ']', host.len);
        return end == NULL ? host : span_make(host.at + 1, (size_t)(end - host.at) - 1);
    }
    return span_cut(&host, ':');
}

static bool host_is_good(const struct guard_rules *rules, struct span host)
{
    struct span name = name_of(host);
    struct egress_address address;

    for (size_t i = 0; i < rules->hosts_count; i++) {
        if (span_equal_nocase(rules->hosts[i], name) || span_equal_nocase(rules->hosts[i], host)) {
            return true;
        }
    }
    return host.len == 0 || span_equal_nocase(name, SPAN_OF("localhost")) ||
           egress_address_read(name, &address);
}

/* Our own page's origin is our Host behind a scheme; TLS may end in front of us. */
static bool origin_is_own(struct span origin, struct span host)
{
    static const struct span schemes[] = {SPAN("http://"), SPAN("https://")};

    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
        if (span_starts_nocase(origin, schemes[i]) && host.len > 0 &&
            span_equal_nocase(span_from(origin, schemes[i].len), host)) {
            return true;
        }
    }
    return false;
}

static enum guard_verdict judge_token(const struct guard_rules *rules,
                                      const struct guard_facts *facts)
{
    if (!facts->has_token) {
        return GUARD_NO_TOKEN;
    }
    if (facts->is_locked_out) {
        return GUARD_LOCKED_OUT; /* before the look: a right guess must not show either */
    }
    return secret_equal(facts->token, rules->token) ? GUARD_PASS : GUARD_WRONG_TOKEN;
}

enum guard_verdict guard_judge(const struct guard_rules *rules, const struct guard_facts *facts)
{
    if (!host_is_good(rules, facts->host)) {
        return GUARD_HOST;
    }
    if ((facts->is_change && facts->is_form) ||
        ((facts->is_change || facts->is_work) && facts->has_origin &&
         !origin_is_own(facts->origin, facts->host))) {
        return GUARD_BROWSER;
    }
    if (facts->is_public && !facts->is_change) {
        return GUARD_PASS;
    }
    if (rules->token.len > 0) {
        return judge_token(rules, facts);
    }
    if (facts->is_change) {
        return GUARD_CLOSED;
    }
    return facts->is_local ? GUARD_PASS : GUARD_REMOTE;
}
