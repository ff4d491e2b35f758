/* SPDX-License-Identifier: Apache-2.0 */
/* The sinks live on the store thread, so they change there, and what they used before goes when
 * they say that they do not need it any more. Budgets change between two holds, at a moment of the ledger's
 * clock; who counts the records is told beforehand that they will, and asked afterwards whether it needs the
 * old ones no more.
 *
 *   idle --SIGHUP, and the file is good--> asking --all have changed--> idle
 *                                          asking <--some deliver: again a little later
 */
#include "proxy/reload.h"

#include "base/mem.h"
#include "enforcement/ledger_memory.h"
#include "proxy/keys.h"
#include "proxy/ledger_redis.h"
#include "proxy/policy.h"
#include "proxy/settled_follow.h"
#include "proxy/sinks.h"
#include "proxy/store.h"

enum { AGAIN_MS = 100 };

struct reload {
    struct store_question question; /* first, so that it leads here */
    struct env *env;
    enum err (*load)(void *to, struct snapshot **snapshot, struct why *why);
    void *to;
    struct snapshot *used; /* by the sinks; NULL: the one of the start */
    struct snapshot *next; /* NULL: nothing changes */
    struct policy *policy; /* of that, until it is in force */
    struct settled_change change;
    struct settled_follow *settled;
    struct loop_timer timer;
    struct why why; /* what failed in the last try, on the store thread */
    bool is_changed;     /* the sinks */
    bool is_in_force;    /* the budgets, for calls */
    bool is_in_force_there; /* and for records */
    bool has_told; /* why */
    bool wants_again;
    bool is_over;
};

/* ---- on the store thread ---- */

static void run(struct store_question *question, struct journal_place end)
{
    struct reload *reload = (struct reload *)question;

    if (reload->settled == NULL) {
        reload->is_in_force_there = true;
    } else if (reload->is_in_force) {
        settled_follow_apply(reload->settled);
        reload->is_in_force_there = true;
    } else {
        (void)settled_follow_announce(reload->settled, &reload->change);
    }
    reload->is_changed = reload->is_changed ||
                         sinks_change(reload->env->ports->sinks, reload->next, end, &reload->why);
}

/* ---- on the main loop ---- */

static void refuse(const struct reload *reload, const char *why)
{
    log_say(reload->env->log, LOG_WARN, "reload_refused",
            "SIGHUP: the configuration stays as it is: %s", why);
}

/* Holds from here on are those of the new budgets. */
static void put_in_force(struct reload *reload)
{
    struct env *env = reload->env;

    if (reload->settled != NULL) {
        atomic_store(&reload->change.from,
                     ledger_memory_turn(env->ports->ledger, loop_wall(env->loop)));
    }
    policy_replace(&env->policy, reload->policy);
    if (env->ports->shared != NULL) {
        ledger_redis_budgets(env->ports->ledger, &env->policy->snapshot->budgets);
    }
    reload->policy = NULL;
    reload->is_in_force = true;
}

static void ask(struct reload *reload)
{
    if (!store_ask(reload->env->ports->store, &reload->question)) {
        loop_timer_set(&reload->timer, mono_add(loop_now(reload->env->loop), AGAIN_MS));
    }
}

static void done(struct store_question *question)
{
    struct reload *reload = (struct reload *)question;
    struct log *log = reload->env->log;

    if (reload->is_over) {
        return;
    }
    if (!reload->is_in_force) {
        put_in_force(reload);
    }
    if (reload->is_changed && !reload->is_in_force_there) {
        ask(reload);
        return;
    }
    if (!reload->is_changed) {
        if (reload->why.text[0] != '\0' && !reload->has_told) {
            reload->has_told = true;
            log_say(log, LOG_ERROR, "reload_waits", "sinks cannot change yet: %s",
                    reload->why.text);
        }
        loop_timer_set(&reload->timer, mono_add(loop_now(reload->env->loop), AGAIN_MS));
        return;
    }
    log_begin(log, LOG_INFO, "reloaded",
              "sinks, keys and budgets are as the configuration says now; other sections change "
              "with a restart");
    log_number(log, "sinks", (long long)reload->next->sinks_count);
    log_number(log, "budgets", (long long)reload->next->budgets.count);
    log_end(log);
    snapshot_give(reload->used);
    reload->used = reload->next;
    reload->next = NULL;
    if (reload->wants_again) {
        reload_begin(reload);
    }
}

static void timer_fire(struct loop_timer *timer, mono_ms now)
{
    struct reload *reload = LIST_OWNER(timer, struct reload, timer);

    (void)now;
    if (!reload->is_over) {
        ask(reload);
    }
}

void reload_begin(struct reload *reload)
{
    struct why why = {.text = ""};

    reload->wants_again = reload->next != NULL;
    if (reload->wants_again || reload->is_over) {
        return;
    }
    if (reload->load == NULL) {
        refuse(reload, "there is no file to read");
        return;
    }
    if (reload->load(reload->to, &reload->next, &why) != ERR_NONE) {
        reload->next = NULL;
        refuse(reload, why.text);
        return;
    }
    reload->question = (struct store_question){.run = run, .done = done};
    reload->settled = reload->env->ports->settled;
    reload->policy = policy_new(reload->next);
    if (reload->policy == NULL) {
        snapshot_give(reload->next);
        reload->next = NULL;
        refuse(reload, "out of memory");
        return;
    }
    keys_adopt(reload->env->keys, reload->next);
    atomic_init(&reload->change.from, INT64_MAX);
    reload->change.budgets = &reload->next->budgets;
    reload->is_changed = false;
    reload->is_in_force = false;
    reload->is_in_force_there = false;
    reload->has_told = false;
    ask(reload);
}

/* ---- begin and end ---- */

struct reload *reload_new(struct env *env,
                          enum err (*load)(void *to, struct snapshot **snapshot, struct why *why),
                          void *to)
{
    struct reload *reload = mem_take_zero(sizeof *reload);

    if (reload != NULL) {
        reload->env = env;
        reload->load = load;
        reload->to = to;
        loop_timer_init(&reload->timer, env->loop, timer_fire);
    }
    return reload;
}

void reload_stop(struct reload *reload)
{
    if (reload != NULL) {
        reload->is_over = true;
    }
}

void reload_free(struct reload *reload)
{
    if (reload != NULL) {
        loop_timer_fini(&reload->timer);
        policy_give(reload->policy);
        snapshot_give(reload->used);
        snapshot_give(reload->next);
        mem_give(reload, sizeof *reload);
    }
}
