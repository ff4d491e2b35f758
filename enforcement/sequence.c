/* SPDX-License-Identifier: Apache-2.0 */
#include "enforcement/sequence.h"

#include "base/mem.h"

enum { FIRST_CAP = 16 };

void sequence_init(struct sequence *sequence, void (*drop)(void *to, void *what), void *to)
{
    *sequence = (struct sequence){.next = 1, .drop = drop, .to = to};
}

static struct sequence_entry *entry_at(const struct sequence *sequence, size_t n)
{
    return &sequence->list[(sequence->head + n) & (sequence->cap - 1)];
}

static void drop_first(struct sequence *sequence)
{
    void *what = entry_at(sequence, 0)->what;

    sequence->head = (sequence->head + 1) & (sequence->cap - 1);
    sequence->count--;
    if (sequence->acked_count > 0) {
        sequence->acked_count--;
    }
    sequence->drop(sequence->to, what);
}

void sequence_fini(struct sequence *sequence)
{
    while (sequence->count > 0) {
        drop_first(sequence);
    }
    mem_give(sequence->list, sequence->cap * sizeof *sequence->list);
    sequence->list = NULL;
    sequence->cap = 0;
}

void sequence_begin_after(struct sequence *sequence, uint64_t last)
{
    must(sequence->count == 0);
    sequence->next = last + 1;
    sequence->acked = last;
}

enum err sequence_reserve(struct sequence *sequence, size_t more)
{
    size_t cap = sequence->cap == 0 ? FIRST_CAP : sequence->cap;
    struct sequence_entry *list = NULL;

    while (cap < sequence->count + more) {
        cap *= 2;
    }
    if (cap == sequence->cap) {
        return ERR_NONE;
    }
    if (cap > SEQUENCE_MAX) {
        return ERR_CEILING;
    }
    list = mem_take(cap * sizeof *list);
    if (list == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < sequence->count; i++) {
        list[i] = *entry_at(sequence, i);
    }
    mem_give(sequence->list, sequence->cap * sizeof *list);
    sequence->list = list;
    sequence->cap = cap;
    sequence->head = 0;
    return ERR_NONE;
}

void sequence_push(struct sequence *sequence, uint64_t numbers, void *what)
{
    must(sequence->count < sequence->cap && numbers > 0);
    *entry_at(sequence, sequence->count) =
        (struct sequence_entry){.first = sequence->next,
                                .last = sequence->next + numbers - 1,
                                .acked_at = MONO_NEVER,
                                .what = what};
    sequence->count++;
    sequence->next += numbers;
}

void *sequence_tail(const struct sequence *sequence, size_t said)
{
    return sequence_unsaid_count(sequence) > said ? entry_at(sequence, sequence->count - 1)->what
                                                  : NULL;
}

void sequence_join(struct sequence *sequence)
{
    must(sequence->count > sequence->acked_count);
    entry_at(sequence, sequence->count - 1)->last++;
    sequence->next++;
}

void sequence_hear(struct sequence *sequence, uint64_t last, mono_ms now)
{
    if (last >= sequence->next) {
        last = sequence->next - 1; /* nothing of ours: somebody else's word for it is none */
    }
    while (sequence->acked_count > 0 && entry_at(sequence, sequence->acked_count - 1)->last > last) {
        sequence->acked_count--;
        entry_at(sequence, sequence->acked_count)->acked_at = MONO_NEVER;
    }
    while (sequence->acked_count < sequence->count &&
           entry_at(sequence, sequence->acked_count)->last <= last) {
        entry_at(sequence, sequence->acked_count)->acked_at = now;
        sequence->acked_count++;
    }
    sequence->acked = last;
}

void sequence_trim(struct sequence *sequence, mono_ms now)
{
    while (sequence->acked_count > 0 &&
           (sequence->acked_count > SEQUENCE_KEPT_MAX ||
            mono_add(entry_at(sequence, 0)->acked_at, SEQUENCE_KEPT_MS) <= now)) {
        drop_first(sequence);
    }
}

const struct sequence_entry *sequence_unsaid(const struct sequence *sequence, size_t n)
{
    return n < sequence->count - sequence->acked_count
               ? entry_at(sequence, sequence->acked_count + n)
               : NULL;
}

size_t sequence_unsaid_count(const struct sequence *sequence)
{
    return sequence->count - sequence->acked_count;
}

bool sequence_has_gap(const struct sequence *sequence)
{
    return sequence->acked_count < sequence->count &&
           entry_at(sequence, sequence->acked_count)->first > sequence->acked + 1;
}
