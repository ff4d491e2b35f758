/* SPDX-License-Identifier: Apache-2.0 */
/* All records of the journal are counted once more, beside those that come meanwhile, up to the very
 * place up to which the sums are counted: there the two are compared. */
#include "base/mem.h"
#include "proxy/settled_parts.h"

enum { LINES_PER_TURN = 4096 };

void settled_follow_again_end(struct settled_follow *follow)
{
    settled_reading_fini(&follow->again);
    settled_free(follow->fresh);
    follow->fresh = NULL;
    follow->is_again_done = false;
}

static bool begin(struct settled_follow *follow, struct why *why)
{
    struct journal_place place;

    why_set(why, "out of memory");
    follow->fresh = settled_again(follow->sums);
    if (follow->fresh == NULL ||
        !settled_reading_init(&follow->again, span_of(follow->journal)) ||
        !settled_begin(follow, &place, &follow->again_from, why)) {
        settled_follow_again_end(follow);
        return false;
    }
    follow->again.at = place;
    journal_reader_seek(follow->again.reader, place);
    return true;
}

enum settled_again settled_follow_again(struct settled_follow *follow,
                                        struct settled_counting *counting, struct why *why)
{
    size_t most = LINES_PER_TURN;

    settled_follow_apply(follow);
    if (follow->fresh != NULL && follow->again_by != counting->by) {
        why_set(why, "budgets are being rebuilt already");
        return AGAIN_FAILED;
    }
    follow->again_by = counting->by;
    if (follow->fresh == NULL && !begin(follow, why)) {
        return AGAIN_FAILED;
    }
    if (!settled_read(follow, &follow->again, follow->fresh, follow->reading.at, &most, why)) {
        settled_follow_again_end(follow);
        return AGAIN_FAILED;
    }
    if (most == 0 || journal_place_compare(follow->reading.at, counting->end) < 0) {
        return AGAIN_MORE;
    }
    why_set(why, "out of memory");
    if (settled_correct(follow->sums, follow->fresh, counting->budget, follow->again_from) !=
            ERR_NONE ||
        !settled_follow_save(follow, why)) {
        settled_follow_again_end(follow);
        return AGAIN_FAILED;
    }
    follow->is_again_done = true;
    counting->fresh = follow->fresh;
    return AGAIN_DONE;
}
