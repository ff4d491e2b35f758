/* SPDX-License-Identifier: Apache-2.0 */
/* What an app sees of its call: one head, one end, in time, and never a guess in place of an
 * answer. */
#include "tests/sim/laws.h"

enum { DRAIN_MOST_MS = 120000 };

static void app_gets(struct laws *laws, struct sight *sight, enum ended ended,
                     const struct action *action, mono_ms now)
{
    if (sight->ended != ENDED_NOT) {
        laws_break(laws, sight, now, "a call ended twice");
    }
    sight->ended = ended;
    sight->ended_at = now;
    sight->outcome = action->outcome;
    sight->wait_ms = action->wait_ms;
}

/* That nobody can be told what is asked is the answer where it is so, and nowhere else: an app does not ask
 * again after it. */
static void untold(struct laws *laws, const struct sight *sight, enum outcome outcome, mono_ms now)
{
    bool is_all = sight->count > 0;

    for (uint8_t i = 0; i < sight->count; i++) {
        is_all = is_all && sight->untold[sight->order[i]];
    }
    if (outcome == OUTCOME_UNTRANSLATABLE && !is_all) {
        laws_break(laws, sight, now, "told that nobody understands, though somebody may");
    }
    if (is_all && outcome != OUTCOME_UNTRANSLATABLE && outcome != OUTCOME_SHUTDOWN && outcome != OUTCOME_DEADLINE) {
        laws_break(laws, sight, now, "nobody understands, and something else was told");
    }
}

static void on_commit(struct laws *laws, struct sight *sight, const struct action *action,
                      mono_ms now)
{
    if (sight->has_committed || sight->ended != ENDED_NOT) {
        laws_break(laws, sight, now, "a commit after another one, or after the end");
    }
    if (!sight_attempt(sight, action->attempt)->is_running) {
        laws_break(laws, sight, now, "a commit to an attempt that does not run");
    }
    sight->has_committed = true;
    sight->committed = action->attempt;
    sight->committed_at = now;
    sight->end = sight->deadline;
}

void laws_app_action(struct laws *laws, struct sight *sight, const struct action *action,
                     mono_ms now)
{
    bool has_head = sight->has_committed || sight->has_early_head;

    switch (action->kind) {
    case ACTION_COMMIT: on_commit(laws, sight, action, now); return;
    case ACTION_EARLY_HEAD:
        if (has_head || sight->ended != ENDED_NOT || !sight->ask.is_stream) {
            laws_break(laws, sight, now, "an early head that was not to be");
        }
        sight->has_early_head = true;
        sight->end = sight->deadline;
        return;
    case ACTION_KEEP_ALIVE:
        if (!has_head || sight->ended != ENDED_NOT || !sight->ask.is_stream) {
            laws_break(laws, sight, now, "a comment where no stream is");
        }
        return;
    case ACTION_FINISH:
        if (!sight->has_committed || sight_attempt(sight, action->attempt)->outcome != OUTCOME_OK ||
            !sight_attempt(sight, action->attempt)->is_told) {
            laws_break(laws, sight, now, "a good end without a good answer");
        }
        app_gets(laws, sight, ENDED_FINISH, action, now);
        return;
    case ACTION_CUT:
        if (!has_head) {
            laws_break(laws, sight, now, "cut before anything was out");
        }
        if (!sight->has_committed) {
            laws_places_given_up(laws, sight, action->outcome, now);
            untold(laws, sight, action->outcome, now);
        }
        app_gets(laws, sight, ENDED_CUT, action, now);
        return;
    case ACTION_FAIL:
        if (has_head) {
            laws_break(laws, sight, now, "an error after the head was out");
        }
        laws_places_given_up(laws, sight, action->outcome, now);
        untold(laws, sight, action->outcome, now);
        app_gets(laws, sight, ENDED_FAIL, action, now);
        return;
    case ACTION_HOLD:
    case ACTION_RELEASE:
    case ACTION_ATTEMPT:
    case ACTION_ABANDON:
    case ACTION_DRAIN:
    case ACTION_SETTLE:
    case ACTION_CLOSE: return;
    }
}

void laws_app_close(struct laws *laws, struct sight *sight, mono_ms now)
{
    if (sight->is_done) {
        laws_break(laws, sight, now, "closed twice");
    }
    sight->is_done = true;
    if (sight->wants_drain && !sight->is_draining) {
        laws_break(laws, sight, now, "the app left and what is paid for was thrown away");
    }
    if (sight->ended == ENDED_NOT) {
        laws_break(laws, sight, now, "a call closed and its app was told nothing");
    }
    for (uint8_t i = 1; i <= sight->numbers; i++) {
        const struct seen_attempt *attempt = &sight->attempts[i];

        if (attempt->is_running) {
            laws_break(laws, sight, now, "a call closed while an attempt runs");
        }
        if (attempt->is_granted && !attempt->is_given_back) {
            laws_break(laws, sight, now, "money held and never given back");
        }
    }
}

/* Once more content came than the commit waits for, or it waited long enough. */
static void gate(struct laws *laws, const struct sight *sight, mono_ms now)
{
    const struct commit_rule *rule = &laws->house->route.commit;

    for (uint8_t i = 1; i <= sight->numbers && !sight->has_committed; i++) {
        const struct seen_attempt *attempt = &sight->attempts[i];

        if (!attempt->is_running || !attempt->has_content) {
            continue;
        }
        if (rule->mode == COMMIT_FIRST_CONTENT ||
            (rule->mode == COMMIT_AFTER && now > attempt->content_at + rule->value)) {
            laws_break(laws, sight, now, "content came and the gate stays shut");
        }
    }
}

/* Whoever still waits for an answer leaves only for another one. */
static void leaves_for_something(struct laws *laws, const struct sight *sight,
                                 const struct actions *actions, mono_ms now)
{
    bool leaves = false;
    bool ends = false;

    for (uint8_t i = 0; i < actions->count; i++) {
        const struct action *action = &actions->list[i];

        leaves = leaves || (action->kind == ACTION_ABANDON && action->outcome == OUTCOME_SILENT);
        ends = ends || action->kind == ACTION_CLOSE;
    }
    if (leaves && ends) {
        laws_break(laws, sight, now, "left a silent target for nothing");
    }
}

void laws_stepped(struct laws *laws, struct sight *sight, const struct actions *actions,
                  mono_ms now)
{
    leaves_for_something(laws, sight, actions, now);
    if (sight->is_done) {
        if (actions->wake_at != MONO_NEVER) {
            laws_break(laws, sight, now, "a closed call wants to be woken");
        }
        if (sight->ended != ENDED_LEFT && sight->ended_at > sight->end) {
            laws_break(laws, sight, now, "an app waited past its deadline or its patience");
        }
        return;
    }
    if (sight->is_draining) {
        if (sight->in_flight != 1) {
            laws_break(laws, sight, now, "read on other than one attempt");
        }
        if (actions->wake_at > sight->ended_at + DRAIN_MOST_MS) {
            laws_break(laws, sight, now, "nothing wakes a call that is only read on");
        }
        return;
    }
    if (sight->ended == ENDED_LEFT) {
        laws_break(laws, sight, now, "the app left and the call goes on");
    }
    if (sight->ended != ENDED_NOT) {
        laws_break(laws, sight, now, "the app was told the end and the call goes on");
    }
    if (actions->wake_at > sight->end) {
        laws_break(laws, sight, now, "nothing wakes the call when its time is over");
    }
    gate(laws, sight, now);
}
