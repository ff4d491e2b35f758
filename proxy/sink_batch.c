/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of lines, and how long to pause: no sockets, no files. */
#include "base/mem.h"
#include "base/sip.h"
#include "proxy/sink.h"
#include "usage/record.h"

enum { PAUSE_LEAST_MS = 1000, PAUSE_MOST_MS = 60000, PAUSE_DOUBLINGS = 6 };

enum err sink_batch_init(struct sink_batch *batch, size_t room)
{
    buf_init(&batch->bytes, SINK_BATCH_BYTES);
    batch->count = 0;
    batch->room = room;
    batch->lines = mem_take(room * sizeof *batch->lines);
    return batch->lines == NULL ? ERR_MEMORY : ERR_NONE;
}

void sink_batch_fini(struct sink_batch *batch)
{
    buf_fini(&batch->bytes);
    mem_give(batch->lines, batch->room * sizeof *batch->lines);
    *batch = (struct sink_batch){.room = 0};
}

void sink_batch_clear(struct sink_batch *batch)
{
    buf_clear(&batch->bytes);
    batch->count = 0;
}

bool sink_batch_add(struct sink_batch *batch, struct span line, struct journal_place at,
                    struct journal_place next)
{
    size_t from = batch->bytes.len;

    if (batch->count == batch->room) {
        return false;
    }
    buf_put(&batch->bytes, line);
    buf_put_char(&batch->bytes, '\n');
    if (batch->bytes.failed) {
        batch->bytes.failed = false;
        buf_truncate(&batch->bytes, from);
        return false;
    }
    batch->lines[batch->count++] =
        (struct sink_line){.from = from, .len = line.len + 1, .at = at, .next = next};
    return true;
}

struct span sink_batch_line(const struct sink_batch *batch, size_t i)
{
    return span_make(batch->bytes.at + batch->lines[i].from, batch->lines[i].len);
}

struct span sink_line_id(struct span line)
{
    if (line.len > 0 && line.at[line.len - 1] == '\n') {
        line.len--;
    }
    return record_line_id(line);
}

/* What tells a line from all others. */
static struct span identity(const struct sink_batch *batch, size_t i)
{
    struct span line = sink_batch_line(batch, i);
    struct span id = sink_line_id(line);

    return id.len > 0 ? id : line;
}

void sink_batch_id(const struct sink_batch *batch, size_t count, char id[SINK_BATCH_ID + 1])
{
    static const char digits[] = "0123456789abcdef";
    struct span first = identity(batch, 0);
    struct span last = identity(batch, count - 1);
    uint64_t seed[2] = {first.len, last.len};
    uint64_t hash[2] = {sip_hash(seed, first), 0};

    /* Each half depends on both. */
    seed[0] = hash[0];
    hash[1] = sip_hash(seed, last);
    seed[1] = hash[1];
    hash[0] = sip_hash(seed, first);
    for (size_t i = 0; i < SINK_BATCH_ID; i++) {
        id[i] = digits[hash[i / 16] >> 60];
        hash[i / 16] <<= 4;
    }
    id[SINK_BATCH_ID] = '\0';
}

uint32_t sink_pause_ms(struct rng *rng, unsigned failures)
{
    unsigned doublings = failures < PAUSE_DOUBLINGS ? failures : PAUSE_DOUBLINGS;
    uint64_t most = (uint64_t)PAUSE_LEAST_MS << doublings;

    if (most > PAUSE_MOST_MS) {
        most = PAUSE_MOST_MS;
    }
    return (uint32_t)(PAUSE_LEAST_MS + rng_below(rng, most - PAUSE_LEAST_MS + 1));
}
