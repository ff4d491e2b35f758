/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of proxy/call.c with other ports: events go into the call's queue, the dispatch decides,
 * call_act obeys after the step has returned.
 *
 *   agenda --call, leaving, shutdown--> call_begin, call_app_gone ---+
 *          --wake---------------------> call_wake -------------------+--> call_event
 *          --upstream, ledger---------> transfer_next, ledger_next --+        |
 *                                                              dispatch_step (pure)
 *   agenda <--- transfers, holds, wake-ups --- call_act <--------------------+ */
#include "tests/sim/world_parts.h"

#include "base/mem.h"
#include "wire/hint.h"

enum { SLOT_NONE = 0x7fffffff };

/* ---- slots ---- */

static struct world_call *slot_take(struct world *world)
{
    struct world_call *call = NULL;

    if (world->free_slot != SLOT_NONE) {
        call = world->calls[world->free_slot];
        world->free_slot = call->next_free;
    } else {
        if (world->calls_count == world->calls_room) {
            size_t room = world->calls_room == 0 ? 16 : world->calls_room * 2;
            world->calls = mem_resize(world->calls, world->calls_room * sizeof(struct world_call *),
                                      room * sizeof(struct world_call *));
            must(world->calls != NULL);
            world->calls_room = room;
        }
        call = mem_take_zero(sizeof *call);
        must(call != NULL);
        call->slot = (uint32_t)world->calls_count;
        world->calls[world->calls_count++] = call;
    }
    return call;
}

static void slot_give(struct world_call *call)
{
    call->sight.serial = 0;
    call->next_free = call->world->free_slot;
    call->world->free_slot = call->slot;
}

/* A stale appointment finds nobody. */
static struct world_call *slot_find(struct world *world, const struct appointment *appointment)
{
    struct world_call *call =
        appointment->slot < world->calls_count ? world->calls[appointment->slot] : NULL;

    return call != NULL && call->sight.serial == appointment->serial ? call : NULL;
}

void appoint(struct world_call *call, mono_ms at, enum due due, uint32_t number)
{
    agenda_put(&call->world->agenda, (struct appointment){.at = at,
                                                          .due = due,
                                                          .slot = call->slot,
                                                          .serial = call->sight.serial,
                                                          .number = number});
}

/* ---- the queue and the step ---- */

static void call_act(struct world_call *call, const struct event_in *event,
                     const struct action *action);

static uint64_t digest(uint64_t sights, uint64_t word)
{
    for (int i = 0; i < 8; i++) {
        sights = (sights ^ (word >> (8 * i) & 0xff)) * UINT64_C(0x100000001b3);
    }
    return sights;
}

static void note_action(struct world *world, const struct sight *sight, const struct action *action)
{
    uint64_t word = (uint64_t)action->kind << 32 | (uint64_t)action->attempt << 24 |
                    (uint64_t)action->place << 16 | (uint64_t)action->outcome << 1 |
                    (action->is_fresh ? 1 : 0);

    world->sights = digest(world->sights, world->now);
    world->sights = digest(world->sights, sight->serial);
    world->sights = digest(world->sights, word);
    world->sights = digest(world->sights, action->wait_ms);
}

static void tell_notices(struct world *world, const struct sight *sight)
{
    struct notice notice;

    while (fleet_next_notice(world->house.fleet, &notice)) {
        laws_notice(&world->laws, sight, &notice, world->now);
        if (world->watch.on_notice != NULL) {
            world->watch.on_notice(world->watch.to, &notice, world->now);
        }
    }
}

static void wake_call(struct world_call *call, mono_ms at)
{
    if (at == call->wake_at) {
        return;
    }
    call->wake_at = at;
    call->wake_number++;
    if (at != MONO_NEVER) {
        appoint(call, at > call->world->now ? at : call->world->now, DUE_WAKE, call->wake_number);
    }
}

static void step(struct world_call *call, const struct event_in *event)
{
    struct world *world = call->world;
    struct actions actions;

    world->steps++;
    laws_event(&world->laws, &call->sight, event);
    dispatch_step(&call->dispatch, event, &actions);
    tell_notices(world, &call->sight);
    for (uint8_t i = 0; i < actions.count; i++) {
        note_action(world, &call->sight, &actions.list[i]);
        call_act(call, event, &actions.list[i]);
    }
    world->sights = digest(world->sights, actions.wake_at);
    laws_stepped(&world->laws, &call->sight, &actions, world->now);
    if (world->watch.on_step != NULL) {
        world->watch.on_step(world->watch.to, &call->sight, event, &actions);
    }
    wake_call(call, actions.wake_at);
}

void call_event(struct world_call *call, struct event_in event)
{
    if (call->is_closed) {
        return;
    }
    if (call->events.count == CALL_EVENTS_MAX) { /* as in the shell */
        call->events.count = (uint8_t)(call->events.count - call->events.next);
        memmove(call->events.list, call->events.list + call->events.next,
                call->events.count * sizeof *call->events.list);
        call->events.next = 0;
    }
    must(call->events.count < CALL_EVENTS_MAX);
    event.now = call->world->now;
    call->events.list[call->events.count++] = event;
    if (call->events.is_stepping) {
        return;
    }
    call->events.is_stepping = true;
    while (call->events.next < call->events.count && !call->is_closed) {
        struct event_in next = call->events.list[call->events.next++];
        step(call, &next);
    }
    call->events.count = 0;
    call->events.next = 0;
    call->events.is_stepping = false;
    if (call->is_closed) {
        slot_give(call);
    }
}

struct event_in event_of(enum event_kind kind, uint8_t attempt, enum outcome outcome)
{
    return (struct event_in){.kind = kind,
                             .attempt = attempt,
                             .outcome = outcome,
                             .should_retry = -1,
                             .hint_ms = HINT_NONE};
}

/* ---- obeying ---- */

static bool by_chance(struct world *world, uint32_t percent)
{
    return percent > 0 && rng_below(&world->rng, 100) < percent;
}

static void ledger_answer(struct world_call *call, uint8_t number, bool is_granted)
{
    call_event(call, event_of(is_granted ? EVENT_HELD : EVENT_DENIED, number, OUTCOME_OK));
}

enum { DENIED_FLAG = 0x100 };

/* The same for each attempt of a call there. */
static bool is_untold(const struct world_call *call, uint8_t place)
{
    uint64_t drawn = (call->sight.serial * TARGETS_MAX + place + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return (drawn >> 32) % 100 < call->world->scripts[place].untold_percent;
}

static void act_hold(struct world_call *call, const struct action *action)
{
    struct world *world = call->world;
    bool is_denied = by_chance(world, world->ledger.deny_percent);
    uint32_t step_ms = world->ledger.step_ms == 0 ? 1 : world->ledger.step_ms;
    uint64_t steps = world->ledger.late_ms / step_ms;

    if (is_untold(call, action->place)) { /* found out before anybody is asked for money */
        struct event_in event = event_of(EVENT_DENIED, action->attempt, OUTCOME_UNTRANSLATABLE);

        event.may_elsewhere = true;
        call_event(call, event);
        return;
    }
    if (by_chance(world, world->ledger.late_percent)) {
        appoint(call, mono_add(world->now, step_ms * rng_below(&world->rng, steps + 1)), DUE_LEDGER,
                action->attempt | (is_denied ? DENIED_FLAG : 0U));
        return;
    }
    ledger_answer(call, action->attempt, !is_denied);
}

static void act_attempt(struct world_call *call, const struct action *action)
{
    struct world *world = call->world;
    struct transfer *transfer =
        call->transfers[0].number == 0 ? &call->transfers[0] : &call->transfers[1];
    const struct script *script = &world->scripts[action->place];

    must(transfer->number == 0);
    *transfer = (struct transfer){.number = action->attempt,
                                  .place = action->place,
                                  .next = NEXT_CONNECTED,
                                  .began_at = world->now};
    transfer->is_reused = !action->is_fresh && by_chance(world, script->reuse_percent);
    transfer->manner = script_play(script, &world->quotas[action->place], transfer->is_reused,
                                   world->now, &world->rng, &transfer->reported);
    if (transfer->manner.outcome == OUTCOME_LOCAL) { /* it cannot even be started */
        transfer_end(call, transfer);
        return;
    }
    transfer_appoint(call, transfer);
}

static void act_abandon(struct world_call *call, const struct action *action)
{
    struct transfer *transfer = transfer_find(call, action->attempt);

    if (transfer != NULL) {
        transfer->number = 0; /* its appointment finds nobody */
    }
}

static void call_close(struct world_call *call)
{
    struct world *world = call->world;

    must(!call->is_closed);
    call->is_closed = true;
    world->open--;
    if (world->watch.on_done != NULL) {
        world->watch.on_done(world->watch.to, &call->sight);
    }
}

static void call_act(struct world_call *call, const struct event_in *event,
                     const struct action *action)
{
    struct world *world = call->world;

    laws_action(&world->laws, &call->sight, event, action);
    switch (action->kind) {
    case ACTION_HOLD: act_hold(call, action); break;
    case ACTION_ATTEMPT:
        if (world->watch.on_attempt != NULL && action->attempt < SIGHT_ATTEMPTS_MAX) {
            world->watch.on_attempt(world->watch.to, &call->sight,
                                    &call->sight.attempts[action->attempt]);
        }
        act_attempt(call, action);
        break;
    case ACTION_ABANDON: act_abandon(call, action); break;
    case ACTION_COMMIT:
    case ACTION_EARLY_HEAD:
    case ACTION_KEEP_ALIVE:
    case ACTION_FINISH:
    case ACTION_CUT:
    case ACTION_FAIL:
    case ACTION_DRAIN:
    case ACTION_SETTLE:
    case ACTION_RELEASE: break; /* the laws keep the book */
    case ACTION_CLOSE: call_close(call); break;
    }
}

/* ---- the agenda ---- */

static void call_begin(struct world_call *call)
{
    struct world *world = call->world;
    const struct ask *ask = &call->sight.ask;
    struct way way = {.route = &world->house.route, .rules = &world->house.route};
    struct plan_ask wants = {.dialect = &dialect_openai,
                             .model = SPAN_OF("m"),
                             .session = ask->session,
                             .caller = SPAN_OF("app"),
                             .estimate = {.input_tokens = 100, .output_tokens = 100}};
    struct dispatch_rules rules = {.patience_ms = ask->patience_ms,
                                   .deadline_ms = ask->deadline_ms,
                                   .is_stream = ask->is_stream,
                                   .no_failover = ask->no_failover,
                                   .is_short = ask->is_short,
                                   .runs_once = ask->runs_once};

    call->is_begun = true;
    plan_make(&call->plan, world->house.fleet, &way, &wants, world->now);
    dispatch_init(&call->dispatch, &call->plan, world->house.fleet, &rules, world->now);
    laws_call(&world->laws, &call->sight, ask, &call->plan, world->now);
    call->wake_at = MONO_NEVER;
    if (ask->leaves_ms != 0) {
        appoint(call, mono_add(world->now, ask->leaves_ms), DUE_LEAVING, 0);
    }
    call_event(call, event_of(EVENT_START, 0, OUTCOME_OK));
}

static void call_wake(struct world_call *call)
{
    struct world *world = call->world;

    call->wakes_at_once = call->woken_at == world->now ? call->wakes_at_once + 1 : 0;
    call->woken_at = world->now;
    call->wake_at = MONO_NEVER;
    if (call->wakes_at_once > WAKES_AT_ONCE_MAX) {
        laws_break(&world->laws, &call->sight, world->now, "a call wakes again and again");
        return;
    }
    call_event(call, event_of(EVENT_WAKE, 0, OUTCOME_OK));
}

static void shut_down(struct world *world)
{
    world->is_shut_down = true;
    for (size_t i = 0; i < world->calls_count; i++) {
        struct world_call *call = world->calls[i];

        if (call->sight.serial != 0 && call->is_begun && !call->is_closed) {
            call_event(call, event_of(EVENT_SHUTDOWN, 0, OUTCOME_SHUTDOWN));
        }
    }
}

/* The port's promise: after the call has let go of a hold, the answer reaches nobody; what was
 * granted is taken back by the ledger itself (enforcement/ledger.h). */
static void ledger_next(struct world *world, const struct appointment *appointment)
{
    struct world_call *call = slot_find(world, appointment);
    bool is_granted = (appointment->number & DENIED_FLAG) == 0;

    if (call != NULL) {
        ledger_answer(call, (uint8_t)appointment->number, is_granted);
    }
}

static void call_leave(struct world_call *call)
{
    struct event_in event = event_of(EVENT_APP_GONE, 0, OUTCOME_APP_GONE);

    event.can_drain = true;
    call_event(call, event);
}

static void come(struct world *world, const struct appointment *appointment)
{
    struct world_call *call = slot_find(world, appointment);
    struct transfer *transfer = NULL;

    if (appointment->due == DUE_SHUTDOWN) {
        shut_down(world);
        return;
    }
    if (call == NULL) {
        return;
    }
    switch (appointment->due) {
    case DUE_CALL:
        if (world->is_shut_down) {
            world->open--;
            slot_give(call);
            return;
        }
        call_begin(call);
        return;
    case DUE_WAKE:
        if (appointment->number == call->wake_number) {
            call_wake(call);
        }
        return;
    case DUE_UPSTREAM:
        transfer = transfer_find(call, appointment->number);
        if (transfer != NULL) {
            transfer_next(call, transfer);
        }
        return;
    case DUE_LEDGER: ledger_next(world, appointment); return;
    case DUE_LEAVING: call_leave(call); return;
    case DUE_SHUTDOWN: return;
    }
}

/* ---- the world ---- */

void world_init(struct world *world, size_t targets, uint64_t seed)
{
    *world = (struct world){.free_slot = SLOT_NONE, .sights = UINT64_C(0xcbf29ce484222325)};
    house_init(&world->house, targets);
    for (size_t i = 0; i < targets; i++) {
        script_init(&world->scripts[i]);
    }
    agenda_init(&world->agenda, seed);
    rng_init(&world->rng, seed, 12);
}

void world_open(struct world *world)
{
    house_open(&world->house, rng_u64(&world->rng));
    laws_init(&world->laws, &world->house);
}

void world_close(struct world *world)
{
    for (size_t i = 0; i < world->calls_count; i++) {
        mem_give(world->calls[i], sizeof *world->calls[i]);
    }
    mem_give(world->calls, world->calls_room * sizeof(struct world_call *));
    agenda_fini(&world->agenda);
    laws_fini(&world->laws);
    house_close(&world->house);
}

void world_ask(struct world *world, const struct ask *ask)
{
    struct world_call *call = slot_take(world);
    uint32_t slot = call->slot;

    *call = (struct world_call){.world = world, .slot = slot, .wake_at = MONO_NEVER};
    call->sight.serial = ++world->serial;
    call->sight.ask = *ask;
    world->open++;
    appoint(call, ask->at, DUE_CALL, 0);
}

void world_shut_down_at(struct world *world, mono_ms at)
{
    agenda_put(&world->agenda, (struct appointment){.at = at, .due = DUE_SHUTDOWN});
}

bool world_run(struct world *world, mono_ms until)
{
    while (world->laws.broken == NULL && agenda_next_at(&world->agenda) < until) {
        struct appointment next = agenda_take(&world->agenda);

        must(next.at >= world->now);
        world->now = next.at;
        come(world, &next);
    }
    return world->laws.broken == NULL;
}

bool world_run_out(struct world *world)
{
    if (!world_run(world, MONO_NEVER)) {
        return false;
    }
    laws_end(&world->laws, world->house.fleet, world->now);
    if (world->open != 0 && world->laws.broken == NULL) {
        laws_break(&world->laws, NULL, world->now, "a call never ends");
    }
    return world->laws.broken == NULL;
}

const char *world_broken(const struct world *world)
{
    return world->laws.broken;
}
