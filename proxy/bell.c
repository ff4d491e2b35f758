/* SPDX-License-Identifier: Apache-2.0 */
/* A pipe whose read end the loop watches; a flag saves the writing while nobody has heard it yet.
 */
#include "proxy/bell.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"

struct bell {
    struct event event;
    void (*on_ring)(void *to);
    void *to;
    atomic_bool is_rung;
    int ends[2];
};

static void on_read_cb(evutil_socket_t file, short what, void *to)
{
    struct bell *bell = to;
    char bytes[64];

    (void)what;
    while (read(file, bytes, sizeof bytes) == (ssize_t)sizeof bytes) {
    }
    atomic_store(&bell->is_rung, false); /* before what there is to do is looked at */
    bell->on_ring(bell->to);
}

static bool set_up(int file)
{
    return fcntl(file, F_SETFL, O_NONBLOCK) == 0 && fcntl(file, F_SETFD, FD_CLOEXEC) == 0;
}

struct bell *bell_new(struct loop *loop, void (*on_ring)(void *to), void *to)
{
    struct bell *bell = mem_take_zero(sizeof *bell);

    if (bell == NULL) {
        return NULL;
    }
    bell->on_ring = on_ring;
    bell->to = to;
    if (pipe(bell->ends) != 0) {
        mem_give(bell, sizeof *bell);
        return NULL;
    }
    must(event_assign(&bell->event, loop_base(loop), bell->ends[0], EV_READ | EV_PERSIST,
                      on_read_cb, bell) == 0);
    if (!set_up(bell->ends[0]) || !set_up(bell->ends[1]) || event_add(&bell->event, NULL) != 0) {
        bell_free(bell);
        return NULL;
    }
    return bell;
}

void bell_free(struct bell *bell)
{
    if (bell != NULL) {
        (void)event_del(&bell->event);
        (void)close(bell->ends[0]);
        (void)close(bell->ends[1]);
        mem_give(bell, sizeof *bell);
    }
}

void bell_ring(struct bell *bell)
{
    if (!atomic_exchange(&bell->is_rung, true)) {
        ssize_t ignored = write(bell->ends[1], "", 1); /* a full pipe is heard as well */
        (void)ignored;
    }
}
