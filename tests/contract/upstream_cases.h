/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/upstream_cases.h: what the upstream port promises over plain connections and TLS
 * alike. A case takes a rig that is open, whose provider plays what the case asks for; the plays
 * take a connection that is ready for HTTP. */
#ifndef TESTS_CONTRACT_UPSTREAM_CASES_H
#define TESTS_CONTRACT_UPSTREAM_CASES_H

#include "tests/contract/peer.h"
#include "tests/contract/rig.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define OK_HELLO OK_HEAD "content-length: 5\r\nx-test: yes\r\n\r\nhello"

/* More than the kernel's buffers of both sides take. */
enum { TOO_GREAT = 40 << 20 };

/* Answers each request with what it has with it, or else OK_HELLO. */
void play_answers(struct peer *peer);
/* Answers one, and closes. */
void play_answer_and_close(struct peer *peer);
/* Answers each request, a byte each millisecond. */
void play_byte_by_byte(struct peer *peer);
/* Answers each request with 10 MiB. */
void play_great_body(struct peer *peer);
/* Says 413 when it has a head, and reads no body. */
void play_early_refusal(struct peer *peer);

/* The provider plays a great body, which is paused in every ear that hears it. */
void case_pause_and_resume(struct rig *rig);
/* The provider answers what it has read whole, again and again. */
void case_large_request(struct rig *rig, const struct shared *shared);
/* The provider plays an early refusal. */
void case_answer_before_written(struct rig *rig);
/* The provider reads nothing. */
void case_write_stalls(struct rig *rig);
/* The provider answers, in more than one piece. */
void case_cancel_in_any_ear(struct rig *rig);

#endif
