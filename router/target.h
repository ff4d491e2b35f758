/* SPDX-License-Identifier: Apache-2.0 */
/* router/target.h: what the settings say about providers, targets and routes. Plain data that dies
 * with the snapshot; written by conf/ only. */
#ifndef ROUTER_TARGET_H
#define ROUTER_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "wire/provider.h"

enum credential_mode { CREDENTIAL_SECRET, CREDENTIAL_PASSTHROUGH, CREDENTIAL_NONE };

/* Where a provider is: scheme, host, port and the path in front of the operation's. */
struct endpoint {
    bool is_tls;
    bool host_is_literal; /* an address or localhost: allowed as written by the egress rule */
    bool host_is_v6;      /* brackets in Host and URL */
    uint16_t port;
    uint16_t index; /* 0.. over the snapshot; same scheme+host+port+ca_file = same index */
    struct span host;
    struct span authority; /* what the Host header says: port only when not the default */
    struct span path;      /* "/v1", no slash at the end; "" when there is none */
};

enum fixture_fault { FIXTURE_STATUS, FIXTURE_CUT, FIXTURE_HANG, FIXTURE_RESET };
struct fixture_failure {
    enum fixture_fault fault;
    uint32_t value; /* status; events before the cut; ms of silence */
    uint32_t every; /* the n-th, 2n-th, ... request of this provider; 1: each */
};

struct fixture_settings {
    uint32_t latency_ms;        /* before the first byte */
    uint32_t tokens_per_second; /* 0: all at once */
    uint64_t seed;
    size_t failures_count;
    const struct fixture_failure *failures;
};

struct provider {
    struct span name;
    const struct provider_kind *kind;
    const struct dialect *dialect;
    struct endpoint endpoint;
    enum credential_mode credential_mode;
    struct span credential; /* the secret's bytes; wiped when the snapshot dies */
    struct span ca_file;    /* empty: the system's trust */
    uint32_t pool_idle;     /* connections */
    uint32_t pool_idle_ms;
    uint32_t pool_life_ms;
    const struct span *forward_headers; /* lower case */
    size_t forward_headers_count;
    const struct fixture_settings *fixtures; /* kind fixtures only */
    uint16_t index;
};

struct timeouts {
    uint32_t connect_ms;
    uint32_t write_ms;
    uint32_t head_ms;
    uint32_t first_content_ms;
    uint32_t idle_ms;
    uint32_t content_idle_ms;
    uint32_t total_ms;
    uint32_t stream_total_ms;
    uint32_t early_head_ms; /* 0: off */
};

struct target {
    const struct provider *provider;
    struct span model; /* empty: the name the app sent */
};

struct route {
    struct span name;
    const struct span *match_models; /* further names, '*' stands for any run of characters */
    size_t match_models_count;
    const struct target *targets;
    size_t targets_count;
    struct timeouts timeouts;
};

/* All that decides where a model name leads. */
struct routing {
    const struct provider *providers; /* in the order of the settings */
    size_t providers_count;
    const struct route *routes;
    size_t routes_count;
    struct timeouts timeouts; /* for calls without a route */
    bool strict_models;
};

#endif
