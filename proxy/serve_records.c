/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/serve_records.h"

#include <stdio.h>

#include "proxy/bill.h"
#include "proxy/budgets_shared.h"
#include "proxy/index.h"
#include "proxy/settled_follow.h"
#include "proxy/sinks.h"
#include "proxy/store.h"

/* On the store thread, before store_new returns: the settings do not change. */
static void settle_crash(void *to, struct buf *text, struct record *record)
{
    const struct serve_records *records = to;

    bill_crash(records->env->snapshot, text, record);
    if (records->env->ports->shared != NULL) {
        budgets_shared_crash(records->env->ports->shared, record);
    }
}

static void tell_of(void *to, const struct log_news *news)
{
    store_tell(to, news);
}

/* On the store thread. Without its sinks nothing is served: nobody would miss the records in
 * time. */
static void make_sinks(struct serve_records *records, struct store *store, struct loop *store_loop)
{
    struct sinks_options options = {.loop = store_loop,
                                    .snapshot = records->env->snapshot,
                                    .journal = span_of(records->journal),
                                    .state_dir = span_of(records->state_dir.path),
                                    .tell = tell_of,
                                    .to = store};

    loop_entropy(store_loop, &options.seed, sizeof options.seed);
    records->made_err = sinks_new(&options, &records->ports->sinks, &records->made_why);
}

/* On the store thread. Without what was settled nobody knows what is left of a budget. */
static void make_settled(struct serve_records *records, struct store *store,
                         struct loop *store_loop)
{
    const struct snapshot *snapshot = records->env->snapshot;
    struct settled_options options = {.folder = span_of(records->state_dir.path),
                                      .loop = store_loop,
                                      .budgets = &snapshot->budgets,
                                      .tell = tell_of,
                                      .to = store};

    if (snapshot->ledger.kind == LEDGER_MEMORY) {
        loop_entropy(store_loop, options.seed, sizeof options.seed);
        records->made_err =
            settled_follow_new(&options, &records->ports->settled, &records->made_why);
    }
}

/* On the store thread. Without an index everything else goes on: the journal has all for another. */
static void make_index(struct serve_records *records, struct loop *store_loop)
{
    struct index_options options = {.folder = span_of(records->state_dir.path),
                                    .journal = span_of(records->journal),
                                    .loop = store_loop};

    loop_entropy(store_loop, options.seed, sizeof options.seed);
    if (index_open(&options, &records->ports->index, &records->index_why) != ERR_NONE) {
        records->ports->index = NULL;
    } /* else it may say that it is built again */
}

static size_t make_followers(void *to, struct store *store, struct loop *store_loop,
                             struct follower *followers)
{
    struct serve_records *records = to;
    size_t count = 0;

    make_index(records, store_loop);
    make_sinks(records, store, store_loop);
    if (records->made_err == ERR_NONE) {
        make_settled(records, store, store_loop);
    }
    if (records->ports->settled != NULL) { /* first, and it reads little */
        followers[count++] = settled_follower(records->ports->settled);
    }
    if (records->ports->index != NULL) {
        followers[count++] = index_follower(records->ports->index);
    }
    if (records->ports->sinks != NULL) {
        followers[count++] = sinks_follower(records->ports->sinks);
    }
    return count;
}

enum err serve_records_open(struct serve_records *records, struct env *env, struct ports *ports,
                            struct why *why)
{
    const struct snapshot *snapshot = env->snapshot;
    struct store_options options = {
        .loop = env->loop,
        .log = env->log,
        .calls = snapshot->limits.calls,
        .seed = env->scratch->seed,
        .degrades = snapshot->journal.degrades,
        .is_power = snapshot->journal.durability == DURABILITY_POWER,
        .journal = {.retention_ms = snapshot->journal.retention_ms, .max = snapshot->journal.max},
        .settle_crash = settle_crash,
        .make_followers = make_followers,
        .to = records,
    };
    enum err err = ERR_NONE;

    records->env = env;
    records->ports = ports;
    ports->is_power = options.is_power;
    err = state_dir_find(snapshot, &records->state_dir, why);
    if (err == ERR_NONE) {
        err = state_dir_open(&records->state_dir, why);
    }
    if (err == ERR_NONE) {
        options.state_dir = span_of(records->state_dir.path);
        (void)snprintf(records->journal, sizeof records->journal, "%s/journal",
                       records->state_dir.path);
        if (snapshot->ledger.kind == LEDGER_REDIS) {
            err = budgets_shared_begin(env, options.state_dir, why);
        }
    }
    if (err == ERR_NONE) {
        err = store_new(&options, &ports->store, why);
    }
    if (err == ERR_NONE && records->made_err != ERR_NONE) {
        *why = records->made_why;
        err = records->made_err;
    }
    if (err == ERR_NONE && ports->settled != NULL &&
        !settled_follow_load(ports->settled, ports->ledger)) {
        why_set(why, "out of memory");
        err = ERR_MEMORY;
    }
    if (err == ERR_NONE && ports->shared != NULL) {
        err = budgets_shared_tell(ports->shared, span_of(records->journal), why);
    }
    return err;
}
