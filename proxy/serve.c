/* SPDX-License-Identifier: Apache-2.0 */
/* Boot and shutdown in order; signals and the drain. */
#include "proxy/serve.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "enforcement/roster.h"
#include "proxy/budgets.h"
#include "proxy/call.h"
#include "proxy/env.h"
#include "proxy/keys.h"
#include "proxy/listener.h"
#include "proxy/models.h"
#include "pricing/guess.h"
#include "proxy/bill.h"
#include "proxy/policy.h"
#include "proxy/probes.h"
#include "proxy/ranks.h"
#include "proxy/reload.h"
#include "proxy/replays.h"
#include "proxy/serve_records.h"
#include "proxy/store.h"
#include "router/fleet.h"

enum {
    EXIT_GOOD = 0,
    EXIT_RUNTIME = 1,
    EXIT_CANNOT_CREATE = 73,
    EXIT_PERMISSION = 77,
    LISTENERS_MAX = 17, /* the 16 of listen, and admin */
    DESCRIPTORS_WANTED = 65536,
    DESCRIPTORS_RESERVE = 64,
    SECOND_SIGNAL_MS = 5000,
    SCRATCH_OUT_MAX = 64 * 1024 * 1024
};

struct server {
    struct env env;
    struct ports ports;
    struct scratch scratch;
    struct listener *listeners[LISTENERS_MAX];
    size_t listeners_count;
    struct event signals[8];
    size_t signals_count;
    struct loop_timer drain;
    struct probes *probes;
    struct serve_records records;
    struct reload *reload;
    const struct serve_options *options;
    bool is_draining;
    bool has_closed;  /* the listeners */
    bool has_shut;    /* the drain's time was over */
    bool has_hurried; /* a second signal came */
    int exit_code;
};

/* ---- drain ---- */

/* Operators may ask until the end; apps get no new connection. */
static void close_listeners(struct server *server, bool also_admin)
{
    size_t kept = 0;

    for (size_t i = 0; i < server->listeners_count; i++) {
        if (also_admin || listener_side(server->listeners[i]) == CONN_DATA) {
            listener_close(server->listeners[i]);
        } else {
            server->listeners[kept++] = server->listeners[i];
        }
    }
    server->listeners_count = kept;
    server->has_closed = true;
}

static void stop_if_quiet(struct server *server)
{
    if (server->has_closed && conns_count(server->env.conns, CONN_DATA) == 0) {
        loop_stop(server->env.loop);
    }
}

static void on_conn_end(void *to)
{
    struct server *server = to;

    for (size_t i = 0; i < server->listeners_count; i++) {
        listener_try_again(server->listeners[i]);
    }
    if (server->is_draining) {
        stop_if_quiet(server);
    }
}

static void drain_fire(struct loop_timer *timer, mono_ms now)
{
    struct server *server = LIST_OWNER(timer, struct server, drain);
    uint32_t timeout_ms = server->env.snapshot->drain_timeout_ms;

    if (!server->has_closed) {
        close_listeners(server, false);
        conns_drain(server->env.conns);
        loop_timer_set(&server->drain, mono_add(now, timeout_ms));
        stop_if_quiet(server);
        return;
    }
    if (!server->has_shut) {
        server->has_shut = true;
        log_say(server->env.log, LOG_WARN, "drain_timeout", "%u calls cut at the end of the drain",
                calls_count(server->env.calls));
        calls_shut_down(server->env.calls);
        /* The last bytes get a moment to leave. */
        loop_timer_set(&server->drain, mono_add(now, SECOND_SIGNAL_MS));
        stop_if_quiet(server);
        return;
    }
    loop_stop(server->env.loop);
}

static void begin_drain(struct server *server, const char *name)
{
    mono_ms now = loop_now(server->env.loop);

    if (server->is_draining) {
        log_say(server->env.log, LOG_WARN, "signal", "%s again: at most 5 seconds are left", name);
        if (server->has_hurried) {
            return; /* the 5 seconds run already */
        }
        server->has_hurried = true;
        server->has_shut = false;
        close_listeners(server, false);
        loop_timer_set(&server->drain, MONO_NEVER);
        drain_fire(&server->drain, now);
        return;
    }
    server->is_draining = true;
    log_say(server->env.log, LOG_INFO, "drain", "%s: draining, %u calls in flight", name,
            calls_count(server->env.calls));
    conns_not_ready(server->env.conns);
    loop_timer_set(&server->drain, mono_add(now, server->env.snapshot->drain_delay_ms));
}

/* ---- signals ---- */

static void tell_status(struct server *server)
{
    log_begin(server->env.log, LOG_INFO, "status", "status asked for by signal");
    log_number(server->env.log, "calls", calls_count(server->env.calls));
    log_number(server->env.log, "connections",
               conns_count(server->env.conns, CONN_DATA) +
                   conns_count(server->env.conns, CONN_ADMIN));
    log_number(server->env.log, "upstream_idle", upstream_http1_idle(server->ports.network));
    log_number(server->env.log, "bytes_held", (long long)mem_held());
    log_number(server->env.log, "log_dropped", (long long)log_dropped(server->env.log));
    log_end(server->env.log);
}

static void on_signal_cb(evutil_socket_t number, short what, void *to)
{
    struct server *server = to;

    (void)what;
    switch (number) {
    case SIGTERM: begin_drain(server, "SIGTERM"); return;
    case SIGINT: begin_drain(server, "SIGINT"); return;
    case SIGCHLD:
        if (!server->is_draining) {
            begin_drain(server, "SIGCHLD");
        }
        return;
    case SIGQUIT:
        log_say(server->env.log, LOG_WARN, "signal", "SIGQUIT: stopping now");
        loop_stop(server->env.loop);
        return;
    case SIGHUP: reload_begin(server->reload); return;
    case SIGUSR2: tell_status(server); return;
    default: return; /* SIGUSR1: the log goes to stderr, there is no file to reopen */
    }
}

static void watch_signals(struct server *server)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD};
    size_t count = ARRAY_LENGTH(numbers) - (server->options->ends_with_child ? 0 : 1);

    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < count; i++) {
        struct event *event = &server->signals[server->signals_count++];
        (void)event_assign(event, loop_base(server->env.loop), numbers[i], EV_SIGNAL | EV_PERSIST,
                           on_signal_cb, server);
        (void)event_add(event, NULL);
    }
}

/* ---- boot ---- */

/* As many descriptors as the system gives; calls are limited to what they carry. */
static void fit_descriptors(struct server *server)
{
    struct rlimit limit;
    struct snapshot *snapshot = server->env.snapshot;
    uint32_t carried = 0;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur > DESCRIPTORS_RESERVE + 2 && limit.rlim_cur < DESCRIPTORS_WANTED * 16) {
        carried = (uint32_t)(limit.rlim_cur - DESCRIPTORS_RESERVE) / 2;
        if (carried < snapshot->limits.calls) {
            log_say(server->env.log, LOG_INFO, "descriptors",
                    "limits.calls lowered from %u to %u: the process may open %llu files",
                    snapshot->limits.calls, carried, (unsigned long long)limit.rlim_cur);
            snapshot->limits.calls = carried;
        }
    }
}

static bool make_parts(struct server *server)
{
    struct env *env = &server->env;
    struct snapshot *snapshot = server->options->snapshot;
    uint64_t seed[2];

    env->snapshot = snapshot;
    env->policy = policy_new(snapshot);
    env->ports = &server->ports;
    env->scratch = &server->scratch;
    env->loop = loop_new(NULL);
    if (env->loop == NULL) {
        return false;
    }
    env->log = log_new(env->loop, STDERR_FILENO, snapshot->log_level, snapshot->log_format);
    server->scratch.scan = json_scan_new();
    buf_init(&server->scratch.out, SCRATCH_OUT_MAX);
    buf_init(&server->scratch.text, SCRATCH_OUT_MAX);
    buf_init(&server->scratch.events, SCRATCH_OUT_MAX);
    loop_entropy(env->loop, &server->scratch.seed, sizeof server->scratch.seed);
    server->ports.observer = server->options->observer;
    server->ports.guesses = guesses_new(server->scratch.seed);
    server->ports.ranks = ranks_new();
    server->ports.replays = replays_new(env);
    loop_entropy(env->loop, seed, sizeof seed);
    server->ports.roster = roster_new(seed);
    server->ports.network = upstream_http1_new(env->loop, snapshot);
    server->ports.fixtures = upstream_fixtures_new(env->loop);
    env->conns = conns_new(env);
    env->calls = calls_new(env);
    env->models = models_new(env);
    env->keys = keys_new(env);
    env->fleet = fleet_new(&snapshot->routing, server->scratch.seed);
    loop_timer_init(&server->drain, env->loop, drain_fire);
    server->probes = probes_new(env);
    server->reload = reload_new(env, server->options->load_again, server->options->to);
    return env->log != NULL && env->policy != NULL && server->ports.guesses != NULL && server->ports.ranks != NULL &&
           server->ports.replays != NULL && server->ports.roster != NULL &&
           server->scratch.scan != NULL && server->ports.network != NULL && server->ports.fixtures != NULL && env->conns != NULL &&
           env->calls != NULL && env->models != NULL && env->keys != NULL && env->fleet != NULL &&
           server->probes != NULL && server->reload != NULL && budgets_begin(env);
}

static void free_parts(struct server *server)
{
    struct env *env = &server->env;

    close_listeners(server, true);
    if (env->calls != NULL) {
        calls_shut_down(env->calls);
    }
    conns_free(env->conns);
    probes_free(server->probes);
    if (env->loop != NULL) {
        loop_run_tasks(env->loop); /* closed calls */
    }
    reload_stop(server->reload);
    server->ports.settled = NULL; /* the store thread's, and it ends */
    store_free(server->ports.store, SECOND_SIGNAL_MS); /* whose answers look for their calls */
    reload_free(server->reload);
    budgets_end(env);
    calls_free(env->calls);
    replays_free(server->ports.replays);
    roster_free(server->ports.roster);
    keys_free(env->keys);
    models_free(env->models);
    fleet_free(env->fleet);
    upstream_fixtures_free(server->ports.fixtures);
    upstream_http1_free(server->ports.network);
    state_dir_close(&server->records.state_dir);
    guesses_free(server->ports.guesses);
    ranks_free(server->ports.ranks);
    json_scan_free(server->scratch.scan);
    buf_fini(&server->scratch.out);
    buf_fini(&server->scratch.text);
    buf_fini(&server->scratch.events);
    for (size_t i = 0; i < server->signals_count; i++) {
        (void)event_del(&server->signals[i]);
    }
    if (env->loop != NULL) {
        loop_timer_fini(&server->drain);
    }
    log_free(env->log);
    loop_free(env->loop);
    policy_give(env->policy);
    snapshot_give(env->snapshot);
}

static int exit_code_of(enum err err)
{
    switch (err) {
    case ERR_PERMISSION: return EXIT_PERMISSION;
    case ERR_IN_USE:
    case ERR_SYSTEM:
    case ERR_MISSING: return EXIT_CANNOT_CREATE;
    case ERR_NONE:
    case ERR_MEMORY:
    case ERR_CEILING:
    case ERR_FORMAT:
    case ERR_RANGE:
    case ERR_CONFIG: return EXIT_RUNTIME;
    }
    return EXIT_RUNTIME;
}

static enum err listen_on(struct server *server, const struct listen_address *address,
                          enum conn_side side, struct why *why)
{
    must(server->listeners_count < LISTENERS_MAX);
    enum err err = listener_open(&server->env, address, side,
                                 &server->listeners[server->listeners_count], why);
    if (err == ERR_NONE) {
        server->listeners_count++;
    }
    return err;
}

static enum err listen_all(struct server *server, struct why *why)
{
    const struct snapshot *snapshot = server->env.snapshot;
    enum err err = ERR_NONE;

    for (size_t i = 0; i < snapshot->listens_count && err == ERR_NONE; i++) {
        err = listen_on(server, &snapshot->listens[i], CONN_DATA, why);
    }
    if (err == ERR_NONE && !snapshot->admin_off) {
        err = listen_on(server, &snapshot->admin, CONN_ADMIN, why);
    }
    return err;
}

/* is_default: nobody wrote where the key comes from, so it is told. */
static void tell_provider(struct log *log, const struct provider *provider, bool is_default)
{
    static const char *const modes[] = {"configured", "passthrough", "none"};

    log_begin(log, LOG_INFO, "provider", "provider ready");
    log_field(log, "provider", provider->name);
    log_field(log, "kind", span_of(provider->kind->name));
    log_field(log, "dialect", span_of(provider->dialect->name));
    if (!provider->kind->is_builtin) {
        log_field(log, "host", provider->endpoint.authority);
        log_field(log, "credential", span_of(modes[provider->credential_mode]));
        if (is_default && provider->credential_mode == CREDENTIAL_SECRET) {
            log_field(log, "variable", span_of(provider->credential_variable));
        }
    }
    log_end(log);
}

static void tell_start(struct server *server)
{
    struct log *log = server->env.log;
    const struct snapshot *snapshot = server->env.snapshot;

    if (!log_wants(log, LOG_INFO)) {
        return;
    }
    for (size_t i = 0; i < snapshot->routing.providers_count; i++) {
        tell_provider(log, &snapshot->routing.providers[i], !snapshot->has_file);
    }
    for (size_t i = 0; i < server->listeners_count; i++) {
        bool is_admin = !snapshot->admin_off && i + 1 == server->listeners_count;
        log_begin(log, LOG_INFO, "listening",
                  is_admin ? "listening for operators" : "listening for apps");
        log_field(log, "address", listener_address(server->listeners[i]));
        log_field(log, "config",
                  server->options->settings_file.len > 0 ? server->options->settings_file
                                                         : SPAN_OF("none"));
        log_end(log);
    }
    if (snapshot->keys.ring != NULL) {
        log_begin(log, LOG_INFO, "keys", "callers need a key");
        log_number(log, "keys", (long long)snapshot->keys.ring->count);
        log_field(log, "file", snapshot->keys.file);
        log_end(log);
    } else if (!snapshot->is_open) {
        log_say(
            log, LOG_INFO, "open_loopback",
            "no caller keys: whoever can reach the loopback listener may use the providers' keys");
    }
}

int serve(const struct serve_options *options)
{
    struct server *server = mem_take_zero(sizeof *server);
    struct why why = {.text = ""};
    enum err err = ERR_NONE;
    int code = EXIT_RUNTIME;

    if (server == NULL) {
        return EXIT_RUNTIME;
    }
    server->options = options;
    server->records.state_dir.lock = -1;
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    if (make_parts(server)) {
        fit_descriptors(server);
        err = serve_records_open(&server->records, &server->env, &server->ports, &why);
        bool has_store = err == ERR_NONE;
        if (server->records.index_why.text[0] != '\0') {
            log_say(server->env.log, LOG_WARN, "usage_index", "%s", server->records.index_why.text);
        }
        if (has_store) {
            err = listen_all(server, &why);
        }
        if (err == ERR_NONE) {
            watch_signals(server);
            conns_on_end(server->env.conns, on_conn_end, server);
            tell_start(server);
            if (options->on_ready != NULL) {
                options->on_ready(options->to, listener_address(server->listeners[0]));
            }
            loop_run(server->env.loop);
            log_say(server->env.log, LOG_INFO, "stopped", "stopped");
            code = EXIT_GOOD;
        } else {
            log_say(server->env.log, LOG_ERROR, has_store ? "listen_failed" : "state_failed", "%s",
                    why.text);
            code = exit_code_of(err);
        }
        conns_on_end(server->env.conns, NULL, NULL);
    }
    free_parts(server);
    mem_give(server, sizeof *server);
    curl_global_cleanup();
    return code;
}
