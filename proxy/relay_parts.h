/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/relay_parts.h: between the files that are the relay. */
#ifndef PROXY_RELAY_PARTS_H
#define PROXY_RELAY_PARTS_H

#include "proxy/call_parts.h"

/* relay.c */
/* A stream begins. */
void relay_begin_events(struct relay *relay, bool is_framed);
/* Bytes of a stream, as they come from the provider or are made of its whole answer. */
void relay_stream_bytes(struct call *call, struct span bytes);
/* The provider's own words, for the record. Copied; longer ones than RECORD_RAW_MAX are left out. */
void relay_keep_usage(struct relay *relay, struct span usage);

/* relay_whole.c */
/* A whole answer is through, or broke off (`how`): what came of the attempt. What the app gets is relay.held. */
enum outcome relay_end_of_whole(struct call *call, enum outcome how);

/* relay_error.c */
/* What the provider's no means, by the status it has or stands for (relay.status). */
enum outcome relay_judge(struct call *call, const struct provider_error *error);
/* A failure told inside the stream before anything was shown is a failure with a real status: ends the attempt.
 * `data`: of the event that `view` was read from. */
void relay_failed_early(struct call *call, const struct event_view *view, struct span data);
/* The body of an error is through, as far as it is read. */
enum outcome relay_end_of_error(struct call *call);

#endif
