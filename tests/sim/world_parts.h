/* SPDX-License-Identifier: Apache-2.0 */
/* tests/sim/world_parts.h: a call and its transfers; between world.c and world_target.c. */
#ifndef TESTS_SIM_WORLD_PARTS_H
#define TESTS_SIM_WORLD_PARTS_H

#include "tests/sim/world.h"

enum { CALL_EVENTS_MAX = 8, TRANSFERS_MAX = 2, WAKES_AT_ONCE_MAX = 64 };

/* What a target is about to do with an attempt. */
enum next { NEXT_CONNECTED, NEXT_WRITTEN, NEXT_HEAD, NEXT_CONTENT, NEXT_TERMINAL, NEXT_END };

struct transfer {
    uint8_t number; /* of the attempt; 0: none */
    uint8_t place;
    enum next next;
    uint8_t pieces; /* sent so far */
    bool is_reused;
    mono_ms began_at;
    struct manner manner;
    struct reported reported;
};

struct world_call {
    struct world *world;
    uint32_t slot;
    uint32_t next_free;
    bool is_closed;
    bool is_begun;
    struct plan plan;
    struct dispatch dispatch;
    struct {
        struct event_in list[CALL_EVENTS_MAX];
        uint8_t count;
        uint8_t next;
        bool is_stepping;
    } events;
    struct transfer transfers[TRANSFERS_MAX];
    mono_ms wake_at;      /* asked for; MONO_NEVER */
    uint32_t wake_number; /* of the appointment that counts */
    mono_ms woken_at;
    uint32_t wakes_at_once;
    struct sight sight;
};

/* world.c */
void appoint(struct world_call *call, mono_ms at, enum due due, uint32_t number);
struct event_in event_of(enum event_kind kind, uint8_t attempt, enum outcome outcome);
void call_event(struct world_call *call, struct event_in event);

/* world_target.c */
struct transfer *transfer_find(struct world_call *call, uint32_t number);
/* How the attempt goes on from here, and when. A transfer has one appointment at most: its events come
 * in order. */
void transfer_appoint(struct world_call *call, struct transfer *transfer);
void transfer_end(struct world_call *call, struct transfer *transfer);
void transfer_next(struct world_call *call, struct transfer *transfer);

#endif
