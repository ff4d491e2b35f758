/* SPDX-License-Identifier: Apache-2.0 */
/* What no section can judge alone: clashing listeners, plain http, names said twice. */
#include "conf/cross.h"

#include <string.h>

#include "conf/url.h"

/* ---- listeners ---- */

static struct egress_address address_of(struct span host)
{
    struct egress_address address = {{0}};

    /* Which of the loopback addresses localhost will be is up to the machine: this one mostly. */
    if (!egress_address_read(host, &address)) {
        must(egress_address_read(SPAN_OF("127.0.0.1"), &address));
    }
    return address;
}

static bool is_wildcard(struct span host)
{
    return span_equal(host, SPAN_OF("0.0.0.0")) || span_equal(host, SPAN_OF("::"));
}

static bool is_v6(struct span host)
{
    return host.len > 0 && memchr(host.at, ':', host.len) != NULL;
}

/* Would the second one find its place taken? Port 0 is always another one. */
static bool clash(const struct listen_address *a, const struct listen_address *b)
{
    struct egress_address a_address;
    struct egress_address b_address;

    if (a->unix_path.len > 0 || b->unix_path.len > 0) {
        return span_equal(a->unix_path, b->unix_path);
    }
    if (a->port != b->port || a->port == 0) {
        return false;
    }
    if ((is_wildcard(a->host) || is_wildcard(b->host)) && is_v6(a->host) == is_v6(b->host)) {
        return true;
    }
    a_address = address_of(a->host);
    b_address = address_of(b->host);
    return memcmp(a_address.bytes, b_address.bytes, sizeof a_address.bytes) == 0;
}

static void check_open(struct reader *reader, size_t index)
{
    const struct listen_address *listen = &reader->snapshot->listens[index];
    struct complaint *complaint = NULL;

    if (listen->is_loopback || reader->snapshot->is_open || reader->snapshot->keys.ring != NULL) {
        return;
    }
    complaint = reader_complain(reader, reader->places.listens[index],
                                "listen: %.*s can be reached by others, who could then use "
                                "your providers' keys",
                                SPAN_ARGS(listen->text));
    complaint_help(complaint,
                   "give callers keys (headgate key create); or listen on 127.0.0.1:%u or unix:/path; "
                   "or write open: true if everyone who reaches it may use it",
                   listen->port == 0 ? 8402U : (unsigned)listen->port);
}

static void check_listens(struct reader *reader)
{
    const struct snapshot *snapshot = reader->snapshot;

    for (size_t i = 0; i < snapshot->listens_count; i++) {
        check_open(reader, i);
        for (size_t j = 0; j < i; j++) {
            if (clash(&snapshot->listens[i], &snapshot->listens[j])) {
                reader_complain(reader, reader->places.listens[i], "listen: %.*s is taken by %.*s",
                                SPAN_ARGS(snapshot->listens[i].text),
                                SPAN_ARGS(snapshot->listens[j].text));
                break;
            }
        }
    }
}

static void check_admin(struct reader *reader)
{
    const struct snapshot *snapshot = reader->snapshot;

    if (snapshot->admin_off || snapshot->admin.text.len == 0) {
        return;
    }
    for (size_t i = 0; i < snapshot->listens_count; i++) {
        if (clash(&snapshot->admin, &snapshot->listens[i])) {
            bool is_default = reader->places.admin.line == 0;

            reader_complain(reader, is_default ? reader->places.listens[i] : reader->places.admin,
                            "admin.listen and listen are both %.*s",
                            SPAN_ARGS(snapshot->admin.text));
            break;
        }
    }
    if (!snapshot->admin.is_loopback && snapshot->admin_token.len == 0) {
        complaint_help(
            reader_complain(reader, reader->places.admin,
                            "admin.listen: %.*s can be reached by others and has no token",
                            SPAN_ARGS(snapshot->admin.text)),
            "write admin.token or set HEADGATE_ADMIN_TOKEN, or listen on 127.0.0.1:8403");
    }
}

/* ---- providers ---- */

/* http:// carries the key in the clear: loopback and allowed ranges only. A name is judged again by
 * each address it turns out to have (egress_may_be_plain). */
static void check_plain(struct reader *reader, const struct provider *provider)
{
    const struct snapshot *snapshot = reader->snapshot;
    const struct endpoint *endpoint = &provider->endpoint;
    struct egress_address address;
    bool is_good = false;

    if (endpoint->host.len == 0 || endpoint->is_tls) {
        return;
    }
    if (egress_address_read(endpoint->host, &address)) {
        is_good =
            egress_may_be_plain(&address, snapshot->egress_allow, snapshot->egress_allow_count);
    } else {
        is_good = endpoint->host_is_literal || snapshot->egress_allow_count > 0;
    }
    if (!is_good) {
        complaint_help(reader_complain(reader, reader->places.base_urls[provider->index],
                                       "providers.%.*s.base_url is http:// beyond loopback",
                                       SPAN_ARGS(provider->name)),
                       "write https://, or allow the network it is in: egress: { allow: "
                       "[10.0.0.0/8] }");
    }
}

static bool is_same_endpoint(const struct provider *a, const struct provider *b)
{
    return a->endpoint.is_tls == b->endpoint.is_tls && a->endpoint.port == b->endpoint.port &&
           span_equal(a->endpoint.host, b->endpoint.host) && span_equal(a->ca_file, b->ca_file);
}

/* Providers at the same place share connections, so they share an index. */
static void number_endpoint(struct snapshot *snapshot, struct provider *providers, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (providers[i].endpoint.host.len > 0 &&
            is_same_endpoint(&providers[i], &providers[index])) {
            providers[index].endpoint.index = providers[i].endpoint.index;
            return;
        }
    }
    providers[index].endpoint.index = (uint16_t)snapshot->endpoints_count++;
}

/* The same key at the same place is one account: what it is refused holds for all who use it. */
static bool is_same_credential(const struct provider *a, const struct provider *b)
{
    return a->credential_mode == CREDENTIAL_SECRET && b->credential_mode == CREDENTIAL_SECRET &&
           a->endpoint.index == b->endpoint.index && span_equal(a->credential, b->credential);
}

/* After number_endpoint. Gives the number of the next one. */
static uint16_t number_credential(struct provider *providers, size_t index, uint16_t next)
{
    for (size_t i = 0; i < index; i++) {
        if (is_same_credential(&providers[i], &providers[index])) {
            providers[index].credential_index = providers[i].credential_index;
            return next;
        }
    }
    providers[index].credential_index = next;
    return (uint16_t)(next + 1);
}

/* An app has room for one credential, and that is its key of ours then. */
static void check_passthrough(struct reader *reader, size_t index)
{
    const struct provider *provider = &reader->snapshot->routing.providers[index];

    if (reader->snapshot->keys.ring == NULL ||
        provider->credential_mode != CREDENTIAL_PASSTHROUGH) {
        return;
    }
    complaint_help(reader_complain(reader, reader->places.providers[index],
                                   "providers.%.*s: credential: passthrough would send callers' "
                                   "keys of ours to it",
                                   SPAN_ARGS(provider->name)),
                   "give it a credential of yours; or take out keys");
}

static void check_providers(struct reader *reader)
{
    struct snapshot *snapshot = reader->snapshot;
    uint16_t credentials = 0;

    for (size_t i = 0; i < snapshot->routing.providers_count; i++) {
        const struct provider *provider = &snapshot->routing.providers[i];

        if (snapshot->is_production && provider->kind != NULL && provider->kind->is_builtin) {
            complaint_help(reader_complain(reader, reader->places.kinds[i],
                                           "providers.%.*s is of kind %s, which production refuses",
                                           SPAN_ARGS(provider->name), provider->kind->name),
                           "its answers are made up: take it out, or write environment: "
                           "development");
        }
        check_plain(reader, provider);
        check_passthrough(reader, i);
        if (provider->endpoint.host.len > 0) {
            number_endpoint(snapshot, reader->providers, i);
        }
        credentials = number_credential(reader->providers, i, credentials);
    }
}

/* ---- routes ---- */

static bool is_pattern(struct span name)
{
    return name.len > 0 && memchr(name.at, '*', name.len) != NULL;
}

/* The i-th name of a route: its own, then its further ones. */
static struct span name_at(const struct route *route, size_t i)
{
    return i == 0 ? route->name : route->match_models[i - 1];
}

/* Is this name said by an earlier route, or earlier by this one? Gives that route's index or -1. */
static long find_earlier(const struct snapshot *snapshot, size_t route, size_t name)
{
    struct span wanted = name_at(&snapshot->routing.routes[route], name);

    for (size_t i = 0; i <= route; i++) {
        size_t count = i == route ? name : snapshot->routing.routes[i].match_models_count + 1;

        for (size_t j = 0; j < count; j++) {
            if (span_equal(name_at(&snapshot->routing.routes[i], j), wanted)) {
                return (long)i;
            }
        }
    }
    return -1;
}

static void check_routes(struct reader *reader)
{
    const struct snapshot *snapshot = reader->snapshot;

    for (size_t i = 0; i < snapshot->routing.routes_count; i++) {
        for (size_t j = 0; j <= snapshot->routing.routes[i].match_models_count; j++) {
            struct span name = name_at(&snapshot->routing.routes[i], j);
            long earlier = find_earlier(snapshot, i, j);
            char quoted[QUOTE_SIZE];
            char own[QUOTE_SIZE];
            char other[QUOTE_SIZE];

            if (earlier >= 0) {
                reader_complain(reader, reader->places.routes[i],
                                "routes.%s: the %s \"%s\" already belongs to routes.%s",
                                complaint_quote(snapshot->routing.routes[i].name, own),
                                is_pattern(name) ? "pattern" : "name",
                                complaint_quote(name, quoted),
                                complaint_quote(snapshot->routing.routes[earlier].name, other));
            }
        }
    }
}

/* ---- budgets ---- */

static void check_budgets(struct reader *reader)
{
    const struct snapshot *snapshot = reader->snapshot;
    const struct settings_ledger *ledger = &snapshot->ledger;

    if (!snapshot->budgets.enforces) {
        return;
    }
    if (ledger->kind == LEDGER_MEMORY && ledger->replicas > 1) {
        complaint_help(reader_complain(reader, reader->places.enforcing,
                                       "this budget would be spent %u times: so many are "
                                       "ledger.replicas, and each has a ledger of its own",
                                       (unsigned)ledger->replicas),
                       "share one: ledger: { kind: redis, url: ... }, or write mode: warn");
    }
    if (snapshot->journal.degrades) {
        complaint_help(reader_complain(reader, reader->places.enforcing,
                                       "this budget needs every record to be enforced, and "
                                       "journal.on_full: degrade may lose some"),
                       "write on_full: reject, or mode: warn");
    }
}

void cross_check(struct reader *reader)
{
    check_listens(reader);
    check_admin(reader);
    check_providers(reader);
    check_routes(reader);
    check_budgets(reader);
}
