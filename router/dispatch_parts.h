/* SPDX-License-Identifier: Apache-2.0 */
/* router/dispatch_parts.h: between the files that are the dispatch: dispatch.c (states),
 * dispatch_trying.c (the one in which providers are waited for), dispatch_end.c (how attempts and
 * calls end), dispatch_drain.c (reading on for the usage), dispatch_next.c (who is asked next),
 * dispatch_time.c (what wakes it). */
#ifndef ROUTER_DISPATCH_PARTS_H
#define ROUTER_DISPATCH_PARTS_H

#include "router/dispatch.h"

/* After the terminal event the provider's framing normally ends at once; one that does not is not
 * waited for any longer than this. */
enum { TERMINAL_GRACE_MS = 250 };

/* Adds an action and returns it, for what not every action has. */
struct action *dispatch_act(struct actions *actions, enum action_kind kind, uint8_t attempt,
                            enum outcome outcome);
/* This attempt's, or NULL: it is over. */
struct flight *dispatch_flight_of(struct dispatch *d, uint8_t number);
/* The one beside this one, or NULL. */
struct flight *dispatch_other_flight(struct dispatch *d, const struct flight *flight);
/* What is noted of an attempt that was begun. */
struct attempt_note *dispatch_note(struct dispatch *d, uint8_t number);
void dispatch_note_start(struct dispatch *d, const struct flight *f);
/* The number of the latest attempt; 0: there was none. */
uint8_t dispatch_latest(const struct dispatch *d);
/* Whether the provider may have run the request although no answer came. */
bool dispatch_is_ambiguous(const struct flight *f, enum outcome outcome);

/* The flight is over: fleet and note hear of it, its money is settled. */
void dispatch_land(struct dispatch *d, struct flight *f, const struct event_in *event,
                   enum outcome outcome, struct actions *actions);
/* The same of one that is cancelled. */
void dispatch_drop(struct dispatch *d, struct flight *f, const struct event_in *event,
                   enum outcome outcome, struct actions *actions);
/* The call is over. */
void dispatch_close(struct dispatch *d, struct actions *actions, enum outcome outcome);
/* Cancels whatever is in flight, for a reason that is not the providers'. */
void dispatch_drop_all(struct dispatch *d, const struct event_in *event, enum outcome outcome,
                       struct actions *actions);
/* Nothing is in flight and nothing better is left: FAIL or CUT, then CLOSE. */
void dispatch_give_up(struct dispatch *d, struct actions *actions, uint8_t number,
                      enum outcome outcome, uint64_t wait_ms);

/* The answer that is out is whole. */
void dispatch_finish(struct dispatch *d, const struct event_in *event, struct actions *actions);
/* Nobody waits any more (app gone, shutdown), or the time for all of it is up. */
void dispatch_leave(struct dispatch *d, const struct event_in *event, enum outcome outcome,
                    struct actions *actions);

/* dispatch_drain.c */
/* The app has left: reads on what is paid for anyhow. False: nothing in flight is. */
bool dispatch_drain(struct dispatch *d, const struct event_in *event, struct actions *actions);
void dispatch_step_draining(struct dispatch *d, const struct event_in *event,
                            struct actions *actions);

/* dispatch_trying.c */
void dispatch_step_trying(struct dispatch *d, const struct event_in *event,
                          struct actions *actions);

/* A provider is heard of: its breakers learn how long that took. */
void dispatch_heard_head(struct dispatch *d, struct flight *f, mono_ms now);
void dispatch_heard_content(struct dispatch *d, struct flight *f, mono_ms now);

/* dispatch_next.c */
bool dispatch_is_out(struct standing standing);
/* Asks for the money of an attempt at this place. */
void dispatch_hold(struct dispatch *d, uint8_t place, struct actions *actions);
/* The money is there: the attempt at d->next_place begins. */
void dispatch_begin_flight(struct dispatch *d, struct flight *f, mono_ms now,
                           struct actions *actions);
/* The next attempt, wherever it may be made; else waits, tries the least bad, or gives up. */
void dispatch_go_on(struct dispatch *d, const struct event_in *event, struct actions *actions);
/* The money for one more attempt is there, but by now too little time, or too many were repeated at
 * its endpoint meanwhile. True: the money went back and the call is over. */
bool dispatch_is_too_late(struct dispatch *d, mono_ms now, struct actions *actions);
/* An attempt failed before anything of it was shown. */
void dispatch_failed(struct dispatch *d, struct flight *f, const struct event_in *event,
                     enum outcome outcome, struct actions *actions);
/* Whether this attempt, ended so now, would at once be followed by one at another deployment, which
 * was not tried yet. */
bool dispatch_could_leave(const struct dispatch *d, const struct flight *f,
                          const struct event_in *event, enum outcome outcome);
/* The stream that is out broke off and can be continued: by another attempt, or it is cut. */
void dispatch_resume(struct dispatch *d, const struct event_in *event, enum outcome outcome,
                     struct actions *actions);
uint8_t dispatch_attempts_allowed(const struct dispatch *d);
enum storm_no dispatch_storm_at(const struct dispatch *d, uint8_t place, mono_ms now);

/* dispatch_time.c */
mono_ms dispatch_wake_at(const struct dispatch *d);
/* When the app stops waiting: the call's deadline, or its patience for a head. */
mono_ms dispatch_end(const struct dispatch *d);
uint64_t dispatch_left_ms(const struct dispatch *d, mono_ms now);
/* The reason to end this flight now, or OUTCOME_OK when its time is not up. */
enum outcome dispatch_time_is_up(const struct dispatch *d, const struct flight *f, mono_ms now);
/* What a deadline that is over says of the provider. */
enum outcome dispatch_deadline_outcome(const struct dispatch *d);
bool dispatch_may_send_early_head(const struct dispatch *d);
/* Head and comments for an app that waits for a stream, where they are due. */
void dispatch_early_head(struct dispatch *d, mono_ms now, struct actions *actions);
mono_ms dispatch_keep_alive_at(const struct dispatch *d);
mono_ms dispatch_hedge_at(const struct dispatch *d);

#endif
