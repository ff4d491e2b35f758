/* SPDX-License-Identifier: Apache-2.0 */
/* Two passes over the table: first the finished ones, then the open ones that did not come up as
 * finished. Ids are kept as hashes of 64 bits with a seed that nobody outside knows: of a million
 * records two share one once in thirty million restarts. */
#include "usage/replay.h"

#include "base/mem.h"
#include "base/sip.h"
#include "usage/charge.h"

enum { ROOM_FIRST = 4096 };

struct replay {
    uint64_t seed[2];
    uint64_t *ids; /* open addressing; 0: empty */
    size_t room;   /* a power of two */
    size_t count;
};

struct replay *replay_new(uint64_t seed)
{
    struct replay *replay = mem_take_zero(sizeof *replay);

    if (replay != NULL) {
        replay->seed[0] = seed;
    }
    return replay;
}

void replay_free(struct replay *replay)
{
    if (replay != NULL) {
        mem_give(replay->ids, replay->room * sizeof *replay->ids);
        mem_give(replay, sizeof *replay);
    }
}

static uint64_t hash_of(const struct replay *replay, struct span id)
{
    uint64_t hash = sip_hash(replay->seed, id);

    return hash == 0 ? 1 : hash;
}

static uint64_t *place_of(uint64_t *ids, size_t room, uint64_t hash)
{
    size_t i = hash & (room - 1);

    while (ids[i] != 0 && ids[i] != hash) {
        i = (i + 1) & (room - 1);
    }
    return &ids[i];
}

static bool grow(struct replay *replay)
{
    size_t room = replay->room == 0 ? ROOM_FIRST : replay->room * 2;
    uint64_t *ids = mem_take_zero(room * sizeof *ids);

    if (ids == NULL) {
        return false;
    }
    for (size_t i = 0; i < replay->room; i++) {
        if (replay->ids[i] != 0) {
            *place_of(ids, room, replay->ids[i]) = replay->ids[i];
        }
    }
    mem_give(replay->ids, replay->room * sizeof *replay->ids);
    replay->ids = ids;
    replay->room = room;
    return true;
}

bool replay_saw(struct replay *replay, struct span record_id)
{
    uint64_t hash = hash_of(replay, record_id);
    uint64_t *place = NULL;

    if (replay->count * 2 >= replay->room && !grow(replay)) {
        return false;
    }
    place = place_of(replay->ids, replay->room, hash);
    replay->count += *place == 0;
    *place = hash;
    return true;
}

static bool has_seen(const struct replay *replay, struct span record_id)
{
    return replay->room > 0 &&
           *place_of(replay->ids, replay->room, hash_of(replay, record_id)) != 0;
}

int64_t replay_oldest(const struct inflight *table, struct buf *text)
{
    int64_t oldest = INT64_MAX;

    for (uint32_t slot = 1; slot <= table->count; slot++) {
        struct inflight_progress progress;
        enum inflight_state state = INFLIGHT_FREE;
        struct record record;

        buf_clear(text);
        if (inflight_read(table, slot, text, &record, &progress, &state) &&
            (state == INFLIGHT_OPEN || state == INFLIGHT_FINISHED) &&
            record.numbers[RECORD_AT] < oldest) {
            oldest = record.numbers[RECORD_AT] < 0 ? 0 : record.numbers[RECORD_AT];
        }
    }
    return oldest == INT64_MAX ? -1 : oldest;
}

/* What is known of an attempt that was open. */
static void make_crash(struct record *record, const struct inflight_progress *progress)
{
    record_flag(record, RECORD_FLAG_PROXY_CRASH);
    record_flag(record, RECORD_FLAG_ESTIMATED);
    record->texts[RECORD_OUTCOME] = SPAN_OF("proxy_crash");
    record->texts[RECORD_PHASE] = span_of(charge_phase_word(progress->phase <= CHARGE_PHASE_CONTENT
                                                                ? (enum charge_phase)progress->phase
                                                                : CHARGE_PHASE_UNSENT,
                                                            false));
    record->numbers[RECORD_OUTPUT_SEEN] = (int64_t)(progress->output_seen & INT64_MAX);
}

struct pass {
    struct replay *replay;
    const struct inflight *table;
    struct buf *text;
    const struct replay_ears *ears;
    struct replay_sum *sum;
    enum inflight_state wanted;
};

static bool tell(struct pass *pass, struct record *record, const struct inflight_progress *progress)
{
    bool is_crash = pass->wanted == INFLIGHT_OPEN;

    if (has_seen(pass->replay, record->texts[RECORD_ID])) {
        return true;
    }
    if (!replay_saw(pass->replay, record->texts[RECORD_ID])) {
        return false;
    }
    if (is_crash) {
        make_crash(record, progress);
    }
    pass->sum->crashed += is_crash;
    pass->sum->finished += !is_crash;
    return pass->ears->on_record(pass->ears->to, record, is_crash);
}

static bool run_pass(struct pass *pass)
{
    for (uint32_t slot = 1; slot <= pass->table->count; slot++) {
        struct inflight_progress progress;
        enum inflight_state state = INFLIGHT_FREE;
        struct record record;

        buf_clear(pass->text);
        if (!inflight_read(pass->table, slot, pass->text, &record, &progress, &state)) {
            pass->sum->damaged += state == pass->wanted;
            continue;
        }
        if (state == pass->wanted && !tell(pass, &record, &progress)) {
            return false;
        }
    }
    return true;
}

bool replay_tell(struct replay *replay, const struct inflight *table, struct buf *text,
                 const struct replay_ears *ears, struct replay_sum *sum)
{
    struct pass pass = {replay, table, text, ears, sum, INFLIGHT_FINISHED};

    *sum = (struct replay_sum){0};
    if (!run_pass(&pass)) {
        return false;
    }
    pass.wanted = INFLIGHT_OPEN;
    return run_pass(&pass);
}
