/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/rig.h: a loop, a snapshot with one provider or more, and the upstream port over
 * them; and calls that write down what their ears hear. All times here are multiplied, the limits of
 * the calls too, when tests are slow: patience.h. */
#ifndef TESTS_CONTRACT_RIG_H
#define TESTS_CONTRACT_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/snapshot.h"
#include "proxy/loop.h"
#include "proxy/upstream.h"

enum { RIG_PROVIDERS = 4 };

struct rig {
    struct loop *loop;
    struct snapshot snapshot;
    struct provider providers[RIG_PROVIDERS];
    struct egress_range allowed[2];
    struct upstream *upstream;
    size_t held_before;
};

/* In which ear a call does something. */
enum ear { EAR_NONE, EAR_CONNECTED, EAR_WRITTEN, EAR_HEAD, EAR_BYTES };

struct call {
    struct rig *rig;
    uint64_t handle;
    char heard[16];         /* c w h b e; a run of b is one */
    bool is_reused;
    bool has_ended;
    enum outcome outcome;
    unsigned status;
    char header[64];        /* the value of x-test */
    uint64_t bytes;
    unsigned pieces;
    uint64_t sum;           /* of the bytes */
    char body[256];         /* its beginning */
    enum ear cancel_in;
    enum ear pause_in;
    void (*on_end)(struct call *call);
    void *with;
    struct upstream_request request;
    char head[128];
};

/* Provider 0 is http://127.0.0.1:port. The rest are switched on by rig_provider. Then rig_open. */
void rig_init(struct rig *rig, uint16_t port);
struct provider *rig_provider(struct rig *rig, size_t i, const char *host, uint16_t port);
void rig_open(struct rig *rig);
/* Checks that all memory came back. */
void rig_close(struct rig *rig);

/* A POST of provider 0 with this body. */
void call_init(struct call *call, struct rig *rig, const char *body, size_t size);
void call_start(struct call *call);
/* Turns the loop until it ends; fails after 20 s. */
void call_wait(struct call *call);
/* All of it: a small POST, started, waited for. */
void call_make(struct call *call, struct rig *rig);
/* Turns the loop for so long. */
void rig_run(struct rig *rig, uint32_t ms);
/* Turns the loop until *value is at least `wanted`; fails after 20 s. */
void rig_until(struct rig *rig, const unsigned *value, unsigned wanted);

#endif
