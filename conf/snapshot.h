/* SPDX-License-Identifier: Apache-2.0 */
/* conf/snapshot.h: the immutable result of reading the settings. Counted: a running call keeps the
 * snapshot it began with. Everything it points to dies with it. */
#ifndef CONF_SNAPSHOT_H
#define CONF_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "conf/redis_url.h"
#include "enforcement/budget.h"
#include "enforcement/egress.h"
#include "enforcement/rate.h"
#include "enforcement/keyring.h"
#include "pricing/book.h"
#include "router/target.h"

/* host:port, or a Unix socket's path. */
struct listen_address {
    struct span text;        /* as written */
    struct span host;        /* without brackets; empty for a Unix socket */
    uint16_t port;           /* 0: any free one (the start tells which) */
    struct span unix_path;   /* empty unless "unix:/path" */
    bool is_loopback;        /* literal loopback, localhost, or a Unix socket */
};

struct sink_settings; /* conf/sink.h */

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_JSON, LOG_TEXT, LOG_LOGFMT, LOG_BY_TERMINAL };

struct settings_limits {
    uint32_t calls;
    uint64_t body;
    uint64_t response;
    uint64_t memory;
};

enum { STATE_DIR_MAX = 3800 }; /* with names of ours behind it, still a path */

enum durability { DURABILITY_PROCESS, DURABILITY_POWER };
struct settings_journal {
    uint32_t durability; /* enum durability */
    uint32_t retention_ms;
    uint64_t max;        /* bytes */
    bool degrades;       /* a failing disk costs records, not calls */
};
/* What becomes of calls whose model has no price, where an enforcing money budget applies. */
enum unpriced_rule { UNPRICED_REFUSE, UNPRICED_ALLOW };

enum ledger_kind { LEDGER_MEMORY, LEDGER_REDIS };
struct settings_ledger {
    enum ledger_kind kind;
    const struct redis_url *urls;   /* LEDGER_REDIS: at least one */
    size_t urls_count;
    struct span sentinel;           /* the name that the urls are sentinels of; empty: they are not */
    bool is_cluster;                /* the urls are nodes of one */
    bool accepts_volatile;          /* a Redis that may forget on a restart */
    uint32_t replicas;              /* headgates that run with these settings */
    enum budget_failure on_failure; /* as written; a budget has its own answer */
};

/* What teams are told besides by who owns keys. */
struct team {
    struct span name;
    bool is_disabled;
};
struct teams {
    const struct team *list;
    size_t count;
};

struct settings_keys {
    struct keyring *ring;    /* one reference; NULL: no keys, whoever can connect may call */
    struct span secret;
    struct span file;        /* the ring's; empty: its keys stand in the settings */
    struct teams teams;
};

struct snapshot {
    struct arena arena;      /* owns all of the below */
    uint32_t references;
    bool is_production;
    bool is_open;
    bool response_headers;
    bool has_file;           /* false: the settings of a start without a file */
    const struct listen_address *listens;
    size_t listens_count;
    struct listen_address admin;
    bool admin_off;
    struct span admin_token;
    const struct span *allowed_hosts;
    size_t allowed_hosts_count;
    struct span egress_proxy;         /* "http://host:port", "environment" or "" for none */
    const struct egress_range *egress_allow;
    size_t egress_allow_count;
    struct settings_limits limits;
    uint32_t drain_delay_ms;
    uint32_t drain_timeout_ms;
    struct span state_dir;            /* empty: by the environment */
    struct settings_journal journal;
    enum log_level log_level;
    enum log_format log_format;
    struct book prices;               /* the program's own rows and those of prices.files */
    enum unpriced_rule unpriced;
    struct routing routing;
    struct settings_ledger ledger;
    struct budgets budgets;
    struct rates rates;
    uint32_t budget_status;           /* of a call that a budget refuses: 402 or 429 */
    size_t endpoints_count;
    const struct sink_settings *const *sinks;
    size_t sinks_count;
    struct settings_keys keys;
};

struct snapshot *snapshot_take(struct snapshot *snapshot);
/* The last one gives the memory back and wipes secrets. NULL is allowed. */
void snapshot_give(struct snapshot *snapshot);

#endif
