/* SPDX-License-Identifier: Apache-2.0 */
/* Who is there. Everything the settings name stands from the start;
 * models that only apps name come and go within a ceiling: one that was not used and has nothing to
 * remember gives way. */
#include "router/fleet_parts.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

enum { KEY_HEAD = 3, ROOM_FIRST = 64, HAND_STEPS = 64, HEDGE_WINDOW_MS = 60000 };

/* ---- finding ---- */

struct live_endpoint *fleet_endpoint(const struct fleet *fleet, struct member member)
{
    must(member.endpoint < fleet->endpoints_count);
    return &fleet->endpoints[member.endpoint];
}

struct live_credential *fleet_credential(const struct fleet *fleet, struct member member)
{
    must(member.credential < fleet->credentials_count);
    return &fleet->credentials[member.credential];
}

struct live_deployment *fleet_deployment(const struct fleet *fleet, struct member member)
{
    must(member.deployment < fleet->deployments_count);
    return fleet->deployments[member.deployment];
}

static uint16_t first_builtin_endpoint(const struct routing *routing)
{
    uint16_t next = 0;

    for (size_t i = 0; i < routing->providers_count; i++) {
        const struct provider *provider = &routing->providers[i];
        if (!provider->kind->is_builtin && provider->endpoint.index >= next) {
            next = (uint16_t)(provider->endpoint.index + 1);
        }
    }
    return next;
}

uint16_t fleet_endpoint_index(const struct fleet *fleet, const struct provider *provider)
{
    size_t builtin = fleet->endpoints_count - fleet->routing->providers_count;

    return provider->kind->is_builtin ? (uint16_t)(builtin + provider->index)
                                      : provider->endpoint.index;
}

/* ---- deployments ---- */

static size_t put_key(char key[KEY_HEAD + LIMIT_MODEL_NAME], const struct provider *provider,
                      struct span model)
{
    size_t len = model.len < LIMIT_MODEL_NAME ? model.len : LIMIT_MODEL_NAME;

    key[0] = (char)(provider->index & 0xff);
    key[1] = (char)(provider->index >> 8);
    key[2] = '/';
    if (len > 0) {
        memcpy(key + KEY_HEAD, model.at, len);
    }
    return KEY_HEAD + len;
}

static void init_deployment(struct live_deployment *live, const struct provider *provider)
{
    live->provider = provider;
    live->model = span_make(live->key + KEY_HEAD, live->key_len - (size_t)KEY_HEAD);
    breaker_init(&live->breaker, &provider->breaker);
    score_init(&live->score);
    headroom_init(&live->headroom);
}

static struct live_deployment *new_deployment(const struct provider *provider, struct span key)
{
    struct live_deployment *live = mem_take_zero(sizeof *live + key.len);

    if (live != NULL) {
        memcpy(live->key, key.at, key.len);
        live->key_len = (uint16_t)key.len;
        init_deployment(live, provider);
    }
    return live;
}

static void free_deployment(struct live_deployment *live)
{
    mem_give(live, sizeof *live + live->key_len);
}

/* The provider's own place, where it is known as a whole. */
static struct live_deployment *own_of(const struct fleet *fleet, const struct provider *provider)
{
    return fleet->deployments[provider->index];
}

/* What it would be made anew as is not worth remembering: an operator's order to the whole
 * provider, a stay that is over. */
static bool may_go(const struct fleet *fleet, const struct live_deployment *live)
{
    return !live->is_configured && live->in_flight == 0 &&
           live->is_held == own_of(fleet, live->provider)->is_held &&
           live->breaker.state == BREAKER_CLOSED && !park_is_out(&live->park, fleet->now) &&
           !park_is_out(&live->cooldown, fleet->now);
}

static void evict(struct fleet *fleet, size_t at)
{
    struct live_deployment *live = fleet->deployments[at];

    for (size_t i = 0; i < fleet->notices.count; i++) { /* they borrow its name */
        struct notice *notice = &fleet->notices.list[(fleet->notices.first + i) % NOTICES_MAX];

        if (notice->model.at == live->model.at) {
            notice->model = span_make("", 0);
        }
    }
    map_remove(&fleet->by_key, &live->entry);
    if (fleet->last == live) {
        fleet->last = NULL;
    }
    own_of(fleet, live->provider)->models--;
    free_deployment(live);
    fleet->deployments[at] = NULL;
}

/* A place that is free, or becomes free. -1: none near. */
static long find_room(struct fleet *fleet)
{
    if (fleet->deployments_count < fleet->deployments_room) {
        return (long)fleet->deployments_count++;
    }
    for (int i = 0; i < HAND_STEPS; i++) {
        size_t at = fleet->hand++ % fleet->deployments_count;
        if (may_go(fleet, fleet->deployments[at])) {
            evict(fleet, at);
            return (long)at;
        }
    }
    return -1;
}

static bool grow(struct fleet *fleet)
{
    size_t room = fleet->deployments_room * 2;
    struct live_deployment **more = NULL;

    if (fleet->deployments_count < fleet->deployments_room || room > FLEET_DEPLOYMENTS_MAX) {
        return true;
    }
    more = mem_take_zero(room * sizeof(struct live_deployment *));
    if (more == NULL) {
        return false;
    }
    memcpy(more, fleet->deployments, fleet->deployments_count * sizeof(struct live_deployment *));
    mem_give(fleet->deployments, fleet->deployments_room * sizeof(struct live_deployment *));
    fleet->deployments = more;
    fleet->deployments_room = room;
    return true;
}

/* Enters it into the table and gives it a place. False: there is none. */
static bool settle_in(struct fleet *fleet, struct live_deployment *live)
{
    long at = -1;

    if (map_add(&fleet->by_key, &live->entry, span_make(live->key, live->key_len)) != ERR_NONE) {
        return false;
    }
    at = find_room(fleet);
    if (at < 0) {
        map_remove(&fleet->by_key, &live->entry);
        return false;
    }
    live->index = (uint32_t)at;
    fleet->deployments[at] = live;
    if (live->model.len > 0) {
        own_of(fleet, live->provider)->models++;
        live->is_held = own_of(fleet, live->provider)->is_held;
    }
    return true;
}

/* Found, or made where it may be; NULL when there is none. */
static struct live_deployment *obtain(struct fleet *fleet, const struct provider *provider,
                                      struct span model, bool may_make)
{
    char bytes[KEY_HEAD + LIMIT_MODEL_NAME];
    struct span key = span_make(bytes, put_key(bytes, provider, model));
    struct map_entry *entry = NULL;
    struct live_deployment *live = fleet->last;

    /* One call asks for the same one several times. */
    if (live != NULL && span_equal(span_make(live->key, live->key_len), key)) {
        return live;
    }
    entry = map_find(&fleet->by_key, key);
    if (entry != NULL) {
        fleet->last = LIST_OWNER(entry, struct live_deployment, entry);
        return fleet->last;
    }
    if (!may_make || !grow(fleet)) {
        return NULL;
    }
    live = new_deployment(provider, key);
    if (live != NULL && !settle_in(fleet, live)) {
        free_deployment(live);
        live = NULL;
    }
    return live;
}

/* Of a model for which there is no room, or which may not be made, that of the provider itself. */
static struct member member_of(struct fleet *fleet, const struct target *target, struct span model,
                               bool may_make)
{
    const struct provider *provider = target->provider;
    const struct live_deployment *live = NULL;
    struct member member = {.endpoint = fleet_endpoint_index(fleet, provider),
                            .credential = provider->credential_index,
                            .deployment = provider->index};

    if (target->model.len > 0 && target->number != TARGET_UNLISTED) {
        member.deployment = fleet->by_target[target->number];
        return member;
    }
    live = obtain(fleet, provider, target->model.len > 0 ? target->model : model, may_make);
    if (live != NULL) {
        member.deployment = live->index;
    }
    return member;
}

struct member fleet_member(struct fleet *fleet, const struct target *target, struct span model)
{
    return member_of(fleet, target, model, true);
}

struct member fleet_look_up(struct fleet *fleet, const struct target *target, struct span model)
{
    return member_of(fleet, target, model, false);
}

/* ---- birth and death ---- */

static bool place_target(struct fleet *fleet, const struct target *target)
{
    struct live_deployment *live = obtain(fleet, target->provider, target->model, true);

    if (live == NULL) {
        return false;
    }
    live->is_configured = true;
    fleet->by_target[target->number] = live->index;
    return true;
}

static bool place_all(struct fleet *fleet)
{
    const struct routing *routing = fleet->routing;

    for (size_t i = 0; i < routing->providers_count; i++) {
        struct live_deployment *live = obtain(fleet, &routing->providers[i], span_make("", 0), true);

        if (live == NULL) {
            return false;
        }
        must(live->index == i);
        live->is_configured = true;
    }
    for (size_t i = 0; i < routing->routes_count; i++) {
        for (size_t k = 0; k < routing->routes[i].targets_count; k++) {
            const struct target *target = &routing->routes[i].targets[k];

            if (target->model.len > 0 && !place_target(fleet, target)) {
                return false;
            }
        }
    }
    return true;
}

static size_t credentials_of(const struct routing *routing)
{
    size_t count = 0;

    for (size_t i = 0; i < routing->providers_count; i++) {
        if (routing->providers[i].credential_index >= count) {
            count = routing->providers[i].credential_index + (size_t)1;
        }
    }
    return count;
}

static void fill(struct fleet *fleet)
{
    const struct routing *routing = fleet->routing;

    for (size_t i = 0; i <= routing->routes_count; i++) {
        tally_init(&fleet->routes[i].calls, HEDGE_WINDOW_MS);
    }
    for (size_t i = 0; i < routing->providers_count; i++) {
        const struct provider *provider = &routing->providers[i];
        struct live_endpoint *endpoint = &fleet->endpoints[fleet_endpoint_index(fleet, provider)];
        struct live_credential *credential = &fleet->credentials[provider->credential_index];

        if (endpoint->provider == NULL) {
            endpoint->provider = provider;
            breaker_init(&endpoint->breaker, &provider->breaker);
            storm_init(&endpoint->storm);
        }
        if (credential->provider == NULL) {
            credential->provider = provider;
        }
    }
}

static bool take_parts(struct fleet *fleet, const uint64_t seed[2])
{
    const struct routing *routing = fleet->routing;

    fleet->endpoints_count = first_builtin_endpoint(routing) + routing->providers_count;
    fleet->credentials_count = credentials_of(routing);
    fleet->deployments_room = ROOM_FIRST;
    while (fleet->deployments_room < routing->providers_count + routing->targets_count + 1) {
        fleet->deployments_room *= 2;
    }
    fleet->endpoints = mem_take_zero((fleet->endpoints_count + 1) * sizeof *fleet->endpoints);
    fleet->credentials = mem_take_zero((fleet->credentials_count + 1) * sizeof *fleet->credentials);
    fleet->deployments = mem_take_zero(fleet->deployments_room * sizeof(struct live_deployment *));
    fleet->by_target = mem_take_zero((routing->targets_count + 1) * sizeof *fleet->by_target);
    fleet->routes = mem_take_zero((routing->routes_count + 1) * sizeof *fleet->routes);
    fleet->sticky = sticky_new(seed);
    return fleet->endpoints != NULL && fleet->credentials != NULL && fleet->deployments != NULL &&
           fleet->by_target != NULL && fleet->routes != NULL && fleet->sticky != NULL;
}

struct fleet *fleet_new(const struct routing *routing, uint64_t seed)
{
    struct fleet *fleet = mem_take_zero(sizeof *fleet);
    uint64_t words[2];

    if (fleet == NULL) {
        return NULL;
    }
    fleet->routing = routing;
    rng_init(&fleet->rng, seed, 1);
    words[0] = rng_u64(&fleet->rng);
    words[1] = rng_u64(&fleet->rng);
    if (!take_parts(fleet, words)) {
        fleet_free(fleet);
        return NULL;
    }
    /* One more than stay: who gives way leaves after the next one has come. */
    map_init(&fleet->by_key,
             fleet->deployments_room > FLEET_DEPLOYMENTS_MAX ? fleet->deployments_room + 1
                                                             : (size_t)FLEET_DEPLOYMENTS_MAX + 1,
             words);
    fill(fleet);
    if (!place_all(fleet)) {
        fleet_free(fleet);
        return NULL;
    }
    return fleet;
}

static void give(void *memory, size_t size)
{
    if (memory != NULL) {
        mem_give(memory, size);
    }
}

void fleet_free(struct fleet *fleet)
{
    if (fleet == NULL) {
        return;
    }
    for (size_t i = 0; i < fleet->deployments_count; i++) {
        free_deployment(fleet->deployments[i]);
    }
    map_fini(&fleet->by_key);
    give(fleet->endpoints, (fleet->endpoints_count + 1) * sizeof *fleet->endpoints);
    give(fleet->credentials, (fleet->credentials_count + 1) * sizeof *fleet->credentials);
    give(fleet->deployments, fleet->deployments_room * sizeof(struct live_deployment *));
    give(fleet->by_target, (fleet->routing->targets_count + 1) * sizeof *fleet->by_target);
    give(fleet->routes, (fleet->routing->routes_count + 1) * sizeof *fleet->routes);
    sticky_free(fleet->sticky);
    mem_give(fleet, sizeof *fleet);
}

/* ---- small things ---- */

uint32_t fleet_p95_ms(const struct fleet *fleet, struct member member, bool is_stream)
{
    const struct score *score = &fleet_deployment(fleet, member)->score;

    return score_p95_ms(is_stream ? &score->contents : &score->heads);
}

struct strategy_memory *fleet_memory(struct fleet *fleet, const struct route *route)
{
    must(route->index <= fleet->routing->routes_count);
    return &fleet->routes[route->index].memory;
}

struct sticky *fleet_sticky(struct fleet *fleet)
{
    return fleet->sticky;
}

struct rng *fleet_rng(struct fleet *fleet)
{
    return &fleet->rng;
}
