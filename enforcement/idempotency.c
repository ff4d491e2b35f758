/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/idempotency.c: one entry per caller and key (budgets.md, 10.6):
 *
 *   unknown --ask--> runs --keep--> kept --24 h, or room is needed--> unknown
 *                     |                                                 ^
 *                     +---------------------forget----------------------+
 *
 * All entries stand in one table, found by digest; kept ones also in a list in the order in which they
 * were kept, which is that of their end. */
#include "enforcement/idempotency.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/sip.h"

enum { KEY_MAX = 255 };
#define KEPT_MS UINT64_C(86400000)

void idempotency_init(struct idempotency *book, const uint64_t secret[4], size_t bytes_max)
{
    *book = (struct idempotency){.bytes_max = bytes_max};
    memcpy(book->secret, secret, sizeof book->secret);
    map_init(&book->map, LIMIT_REPLAYS, secret);
    list_init(&book->kept);
}

static void drop(struct idempotency *book, struct idempotency_entry *entry)
{
    size_t size = entry->answer.body.len;

    map_remove(&book->map, &entry->entry);
    list_remove(&entry->link);
    book->bytes -= sizeof *entry + size;
    book->running -= !entry->is_kept;
    mem_give(entry->block, size);
    mem_give(entry, sizeof *entry);
}

static bool drop_oldest(struct idempotency *book)
{
    if (list_is_empty(&book->kept)) {
        return false;
    }
    drop(book, LIST_OWNER(book->kept.next, struct idempotency_entry, link));
    return true;
}

void idempotency_fini(struct idempotency *book)
{
    must(book->running == 0);
    while (book->kept.next != NULL && drop_oldest(book)) {
    }
    map_fini(&book->map);
}

bool idempotency_key_is_good(struct span key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.at[i] <= ' ' || key.at[i] > '~') {
            return false;
        }
    }
    return key.len > 0 && key.len <= KEY_MAX;
}

/* Each half is a keyed hash of the parts' keyed hashes, under a seed of its own: to meet a text in both
 * takes 2^128 tries or so, each of them a call, since no half is ever seen outside. */
struct idempotency_digest idempotency_digest(const struct idempotency *book,
                                             const struct span *parts, size_t count)
{
    struct idempotency_digest digest;
    uint64_t hashes[IDEMPOTENCY_PARTS_MAX];

    must(count <= IDEMPOTENCY_PARTS_MAX);
    for (size_t half = 0; half < 2; half++) {
        for (size_t i = 0; i < count; i++) {
            hashes[i] = sip_hash(book->secret + 2 * half, parts[i]);
        }
        digest.words[half] = sip_hash(book->secret + 2 * half,
                                      span_make((const char *)hashes, count * sizeof *hashes));
    }
    return digest;
}

static struct span key_of(const struct idempotency_digest *who)
{
    return span_make((const char *)who->words, sizeof who->words);
}

static enum idempotency_verdict enter(struct idempotency *book,
                                      const struct idempotency_digest *who,
                                      const struct idempotency_digest *what,
                                      struct idempotency_entry **out)
{
    struct idempotency_entry *entry = NULL;

    if (book->map.count == book->map.max && !drop_oldest(book)) {
        return IDEMPOTENCY_FULL;
    }
    entry = mem_take_zero(sizeof *entry);
    if (entry == NULL) {
        return IDEMPOTENCY_FULL;
    }
    entry->who = *who;
    entry->what = *what;
    list_init(&entry->link);
    if (map_add(&book->map, &entry->entry, key_of(&entry->who)) != ERR_NONE) {
        mem_give(entry, sizeof *entry);
        return IDEMPOTENCY_FULL;
    }
    book->bytes += sizeof *entry;
    book->running++;
    *out = entry;
    return IDEMPOTENCY_RUN;
}

enum idempotency_verdict idempotency_ask(struct idempotency *book,
                                         const struct idempotency_digest *who,
                                         const struct idempotency_digest *what, mono_ms now,
                                         struct idempotency_entry **entry)
{
    struct map_entry *found = NULL;

    (void)idempotency_sweep(book, now);
    found = map_find(&book->map, key_of(who));
    if (found == NULL) {
        return enter(book, who, what, entry);
    }
    *entry = LIST_OWNER(found, struct idempotency_entry, entry);
    if (memcmp(&(*entry)->what, what, sizeof *what) != 0) {
        return IDEMPOTENCY_MISMATCH;
    }
    return (*entry)->is_kept ? IDEMPOTENCY_REPLAY : IDEMPOTENCY_BUSY;
}

/* Room for so many bytes more. False: there is none even if nothing else is kept; then nothing goes. */
static bool make_room(struct idempotency *book, size_t size)
{
    if (book->running * sizeof(struct idempotency_entry) + size > book->bytes_max) {
        return false;
    }
    while (book->bytes + size > book->bytes_max) {
        must(drop_oldest(book));
    }
    return true;
}

bool idempotency_note_type(struct idempotency_entry *entry, struct span type)
{
    if (type.len > sizeof entry->type) {
        return false;
    }
    memcpy(entry->type, type.at, type.len);
    entry->answer.type = span_make(entry->type, type.len);
    return true;
}

/* Room in the book, and a block that is filled. False: it cannot be kept. */
static bool take_body(struct idempotency *book, struct idempotency_entry *entry, struct span body)
{
    if (body.len > LIMIT_REPLAY || !make_room(book, body.len)) {
        return false;
    }
    if (body.len > 0) {
        entry->block = mem_take(body.len);
        if (entry->block == NULL) {
            return false;
        }
        memcpy(entry->block, body.at, body.len);
    }
    entry->answer.body = span_make(entry->block, body.len);
    book->bytes += body.len;
    return true;
}

void idempotency_keep(struct idempotency *book, struct idempotency_entry *entry, unsigned status,
                      struct span body, mono_ms now)
{
    must(!entry->is_kept);
    if (!take_body(book, entry, body)) {
        drop(book, entry);
        return;
    }
    entry->answer.status = status;
    entry->is_kept = true;
    entry->until = mono_add(now, KEPT_MS);
    book->running--;
    list_push_back(&book->kept, &entry->link);
}

void idempotency_forget(struct idempotency *book, struct idempotency_entry *entry)
{
    must(!entry->is_kept);
    drop(book, entry);
}

mono_ms idempotency_sweep(struct idempotency *book, mono_ms now)
{
    while (!list_is_empty(&book->kept)) {
        struct idempotency_entry *oldest =
            LIST_OWNER(book->kept.next, struct idempotency_entry, link);
        if (oldest->until > now) {
            return oldest->until;
        }
        drop(book, oldest);
    }
    return MONO_NEVER;
}
