/* SPDX-License-Identifier: Apache-2.0 */
/* router/target.h: what the settings say about providers, targets and routes. Plain data that dies
 * with the snapshot; written by conf/ only. */
#ifndef ROUTER_TARGET_H
#define ROUTER_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "breaker/trip.h"
#include "pricing/book.h"
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
    uint32_t every; /* of so many requests of this provider in a row, one; 1: each */
    uint32_t at;    /* which of them; 0: the last */
};

struct fixture_settings {
    uint32_t latency_ms;        /* before the first byte */
    uint32_t tokens_per_second; /* 0: all at once */
    uint64_t seed;
    size_t failures_count;
    const struct fixture_failure *failures;
};

/* Which model a deployment is of (kind azure_openai). */
struct deployment_model {
    struct span deployment;
    struct span model;
};

struct provider {
    struct span name;
    const struct provider_kind *kind;
    const struct dialect *dialect;
    struct endpoint endpoint;
    enum credential_mode credential_mode;
    struct span credential; /* the secret's bytes; wiped when the snapshot dies */
    struct span access_key_id; /* not empty: requests are signed, with `credential` as the secret key */
    struct span session_token; /* that goes with them; empty: none */
    const char *credential_variable; /* where it was found when nobody wrote it; else NULL */
    struct span ca_file;    /* empty: the system's trust */
    uint32_t pool_idle;     /* connections */
    uint32_t pool_idle_ms;
    uint32_t pool_life_ms;
    const struct span *forward_headers; /* lower case */
    size_t forward_headers_count;
    const struct fixture_settings *fixtures; /* kind fixtures only */
    bool has_api;           /* which of its kind's interfaces it is has been settled */
    struct span api_version; /* kind azure_openai; empty: none */
    struct span region;      /* kind bedrock; empty: base_url says where it is */
    const struct deployment_model *deployments; /* kind azure_openai */
    size_t deployments_count;
    bool lacks_responses;     /* of OpenAI's operations that one is told in chat completions */
    bool lacks_stream_options; /* refuses them; its streams tell their usage unasked */
    bool drains;              /* on_abort: what an app has left is read to its end */
    struct trip_rule breaker; /* of its endpoint and of its deployments */
    struct price_place prices; /* whose price list holds for it */
    uint16_t index;
    uint16_t credential_index; /* same secret at the same endpoint = same index */
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
    struct span model;       /* empty: the name the app sent */
    uint32_t tier;           /* lower ones first */
    uint32_t weight;
    uint32_t share_percent;  /* of the callers or sessions that may come here at all */
    uint64_t context;        /* tokens it can read; 0: unknown */
    bool is_enabled;
    uint16_t number;         /* 0.. over all targets of all routes; TARGET_UNLISTED: of no route */
};
enum { TARGET_UNLISTED = 0xffff };

enum jitter { JITTER_FULL, JITTER_DECORRELATED };
/* May a request that a provider may have run already be sent again? */
enum ambiguous_rule { AMBIGUOUS_NEVER, AMBIGUOUS_ONCE, AMBIGUOUS_ALWAYS };

struct retry_rule {
    uint32_t attempts;            /* of one call, all targets together: 1..5 */
    uint32_t attempts_per_target;
    uint32_t base_ms;
    uint32_t cap_ms;
    enum jitter jitter;
    enum ambiguous_rule ambiguous;
    uint32_t wait_ms;             /* a throttled target that names a wait this short is waited for */
};

enum commit_mode { COMMIT_FIRST_CONTENT, COMMIT_TOKENS, COMMIT_AFTER, COMMIT_COMPLETE };
struct commit_rule {
    enum commit_mode mode;
    uint32_t value; /* TOKENS: output tokens; AFTER: ms after the first content */
};

/* What a route does with targets of another dialect than the app's. */
enum translate_rule {
    TRANSLATE_OFF,     /* they are not eligible */
    TRANSLATE_STRICT,  /* they are, for what can be said there without loss */
    TRANSLATE_LENIENT  /* and what is lost is named */
};

struct strategy; /* router/strategy.h */

struct route {
    struct span name;
    const struct span *match_models; /* further names, '*' stands for any run of characters */
    size_t match_models_count;
    const struct strategy *strategy;
    const struct target *targets; /* in the order of the settings */
    size_t targets_count;         /* 1..TARGETS_MAX */
    struct retry_rule retry;
    struct timeouts timeouts;
    struct commit_rule commit;
    uint32_t slow_ms;        /* time to first content above which a success is slow; 0: off */
    uint32_t hedge_after_ms; /* 0: off */
    uint32_t default_max_output; /* of requests that name no cap, where one is needed; 0: the model's */
    enum translate_rule translate;
    bool is_sticky;          /* sessions stay with their target */
    bool panics;             /* with nothing eligible the least bad one is tried */
    bool resumes;            /* a stream cut after the commit is continued elsewhere */
    uint16_t index;          /* in the settings; routing.routes_count: the defaults' */
};

enum { TARGETS_MAX = 32 };

/* A name that apps may say in x-headgate-task, or as a model. */
struct task {
    struct span name;
    const struct route *route;
};

/* All that decides where a model name leads. */
struct routing {
    const struct provider *providers; /* in the order of the settings */
    size_t providers_count;
    const struct route *routes;
    size_t routes_count;
    const struct task *tasks;
    size_t tasks_count;
    size_t targets_count;  /* of all routes together */
    struct route defaults; /* for calls without a route; it has no targets */
    bool strict_models;
};

#endif
