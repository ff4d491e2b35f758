/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/agenda.h"

#include "base/mem.h"

enum { ROOM_FIRST = 64 };

void agenda_init(struct agenda *agenda, uint64_t seed)
{
    *agenda = (struct agenda){.count = 0};
    rng_init(&agenda->rng, seed, 11);
}

void agenda_fini(struct agenda *agenda)
{
    mem_give(agenda->heap, agenda->room * sizeof *agenda->heap);
    agenda->heap = NULL;
    agenda->room = 0;
    agenda->count = 0;
}

static bool is_before(const struct appointment *a, const struct appointment *b)
{
    return a->at != b->at ? a->at < b->at : a->tie < b->tie;
}

static void swap(struct agenda *agenda, size_t i, size_t k)
{
    struct appointment kept = agenda->heap[i];

    agenda->heap[i] = agenda->heap[k];
    agenda->heap[k] = kept;
}

void agenda_put(struct agenda *agenda, struct appointment appointment)
{
    size_t at = agenda->count;

    if (agenda->count == agenda->room) {
        size_t room = agenda->room == 0 ? ROOM_FIRST : agenda->room * 2;
        agenda->heap = mem_resize(agenda->heap, agenda->room * sizeof *agenda->heap,
                                  room * sizeof *agenda->heap);
        must(agenda->heap != NULL);
        agenda->room = room;
    }
    appointment.tie = rng_u64(&agenda->rng);
    agenda->heap[agenda->count++] = appointment;
    while (at > 0 && is_before(&agenda->heap[at], &agenda->heap[(at - 1) / 2])) {
        swap(agenda, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

mono_ms agenda_next_at(const struct agenda *agenda)
{
    return agenda->count == 0 ? MONO_NEVER : agenda->heap[0].at;
}

struct appointment agenda_take(struct agenda *agenda)
{
    struct appointment first;
    size_t at = 0;

    must(agenda->count > 0);
    first = agenda->heap[0];
    agenda->heap[0] = agenda->heap[--agenda->count];
    for (;;) {
        size_t least = at;

        for (size_t k = 2 * at + 1; k <= 2 * at + 2 && k < agenda->count; k++) {
            least = is_before(&agenda->heap[k], &agenda->heap[least]) ? k : least;
        }
        if (least == at) {
            return first;
        }
        swap(agenda, at, least);
        at = least;
    }
}
