/* SPDX-License-Identifier: Apache-2.0 */
/* A slot:
 *
 *   0   state        u32, written last with release order
 *   4   next         u32, number of the slot that goes on; 0: none
 *   8   length       u32, of the packed record (first slot only)
 *   12  sum          u32, of the packed record's bytes (a power cut may keep one page and not the
 * next) 16  output_seen, bytes, phase: progress 40  payload
 *
 * A packed record is which of its figures are there (numbers, tokens, fees; a bit each), its flags,
 * those figures, then each text that is there: which, two bytes of length, the bytes. Slots are
 * what a busy process has most of in its caches, so nothing is kept for what is not there. */
#include "usage/inflight.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

enum {
    AT_NEXT = 4,
    AT_LENGTH = 8,
    AT_SUM = 12,
    AT_SEEN = 16,
    AT_BYTES = 24,
    AT_PHASE = 32,
    AT_PAYLOAD = 40,
    USUAL = 768, /* what a record takes of its slot, mostly */
    PAYLOAD = INFLIGHT_SLOT - AT_PAYLOAD,
    TEXT_HEAD = 3,
    WHICH_RAW = 0xff,
    AT_COUNT = 16,
    AT_LAYOUT = 8
};

static const char magic[8] = "hgflight";

/* Of a table that another version wrote the numbers would be taken for others. */
#define LAYOUT                                                                                     \
    ((uint32_t)3 << 28 | (uint32_t)RECORD_TEXTS << 20 | (uint32_t)RECORD_NUMBERS << 12 |           \
     (uint32_t)TOKEN_CLASSES << 6 | (uint32_t)FEE_KINDS << 2)

enum { FIGURES = RECORD_NUMBERS + TOKEN_CLASSES + FEE_KINDS };

/* What each packed record begins with. */
struct front {
    uint64_t told; /* which of the figures follow */
    uint32_t flags;
    uint32_t unused;
};

_Static_assert((int)FIGURES <= 64, "a figure has a bit");
_Static_assert(sizeof(struct front) + FIGURES * sizeof(int64_t) < PAYLOAD,
               "front and figures fit into the first slot");
_Static_assert((int)RECORD_TEXTS < (int)WHICH_RAW, "a text's number is one byte");

static char *slot_at(const struct inflight *table, uint32_t slot)
{
    must(slot >= 1 && slot <= table->count);
    return table->memory + INFLIGHT_HEAD + (size_t)(slot - 1) * INFLIGHT_SLOT;
}

static uint32_t get_u32(const char *at)
{
    uint32_t number = 0;

    memcpy(&number, at, sizeof number);
    return number;
}

static void put_u32(char *at, uint32_t number)
{
    memcpy(at, &number, sizeof number);
}

static void put_u64(char *at, uint64_t number)
{
    memcpy(at, &number, sizeof number);
}

static uint64_t get_u64(const char *at)
{
    uint64_t number = 0;

    memcpy(&number, at, sizeof number);
    return number;
}

/* Slots lie at multiples of their size, so that the state word is aligned. */
static _Atomic uint32_t *state_of(char *slot)
{
    return (_Atomic uint32_t *)(void *)slot;
}

static void set_state(char *slot, enum inflight_state state)
{
    atomic_store_explicit(state_of(slot), (uint32_t)state, memory_order_release);
}

/* ---- the table ---- */

size_t inflight_size(uint32_t count)
{
    return INFLIGHT_HEAD + (size_t)count * INFLIGHT_SLOT;
}

void inflight_format(char *memory, uint32_t count)
{
    put_u32(memory + AT_LAYOUT, LAYOUT);
    put_u32(memory + AT_COUNT, count);
    memcpy(memory, magic, sizeof magic);
}

bool inflight_is_ours(const char *memory, size_t size, uint32_t *count)
{
    if (size < INFLIGHT_HEAD || memcmp(memory, magic, sizeof magic) != 0 ||
        get_u32(memory + AT_LAYOUT) != LAYOUT) {
        return false;
    }
    *count = get_u32(memory + AT_COUNT);
    return *count > 0 && inflight_size(*count) <= size;
}

void inflight_init(struct inflight *table, char *memory, uint32_t count, uint32_t *free)
{
    *table = (struct inflight){.memory = memory, .count = count, .free = free};
    for (uint32_t i = count; i > 0; i--) { /* slot 1 is given first: few pages are touched */
        free[table->free_count++] = i;
    }
}

/* ---- the sum ---- */

static uint64_t rotated(uint64_t word, unsigned by)
{
    return word << by | word >> (64 - by);
}

/* Of one piece of a record, behind that of the pieces before it. Every attempt pays for two of them
 * on the main loop, so four lanes of multiplications do what a CRC would take ten times as long
 * for. */
static uint64_t sum_more(uint64_t sum, const char *at, size_t len)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t lanes[4] = {sum, ~sum, rotated(sum, 17), rotated(sum, 43) + len};
    char tail[sizeof lanes] = {0};
    size_t left = len;

    while (left > 0) {
        uint64_t words[4];
        size_t some = left < sizeof words ? left : sizeof words;

        if (some < sizeof words) {
            memcpy(tail, at, some);
            at = tail;
        }
        memcpy(words, at, sizeof words);
        for (size_t i = 0; i < 4; i++) {
            lanes[i] = rotated((lanes[i] ^ words[i]) * odd, 29) + odd;
        }
        at += some;
        left -= some;
    }
    for (size_t i = 0; i < 4; i++) {
        sum = (rotated(sum, 27) ^ lanes[i]) * odd;
    }
    return sum ^ sum >> 32;
}

/* ---- packing ---- */

/* Where packing stands: bytes go into the chain of slots one after the other. */
struct packer {
    struct inflight *table;
    char *slot; /* being filled */
    size_t at;  /* in its payload */
    uint32_t taken[INFLIGHT_CHAIN_MAX];
    size_t taken_count;
    uint32_t length;
    uint64_t sum; /* of the slots before this one */
};

static size_t room_of(const struct packer *packer)
{
    size_t left = INFLIGHT_CHAIN_MAX - packer->taken_count;
    size_t slots = packer->table->free_count < left ? packer->table->free_count : left;

    return PAYLOAD - packer->at + slots * PAYLOAD;
}

static void next_slot(struct packer *packer)
{
    struct inflight *table = packer->table;
    uint32_t number = table->free[--table->free_count];

    packer->sum = sum_more(packer->sum, packer->slot + AT_PAYLOAD, packer->at);
    put_u32(packer->slot + AT_NEXT, number);
    packer->taken[packer->taken_count++] = number;
    packer->slot = slot_at(table, number);
    packer->at = 0;
    put_u32(packer->slot + AT_NEXT, 0);
    set_state(packer->slot, INFLIGHT_MORE);
}

static void put_bytes(struct packer *packer, const void *bytes, size_t len)
{
    const char *from = bytes;

    packer->length += (uint32_t)len;
    while (len > 0) {
        size_t some = PAYLOAD - packer->at < len ? PAYLOAD - packer->at : len;

        memcpy(packer->slot + AT_PAYLOAD + packer->at, from, some);
        packer->at += some;
        from += some;
        len -= some;
        if (len > 0) {
            next_slot(packer);
        }
    }
}

/* Left out where there is no room. */
static void put_text(struct packer *packer, uint8_t which, struct span text)
{
    const unsigned char head[TEXT_HEAD] = {which, (unsigned char)(text.len & 0xff),
                                           (unsigned char)(text.len >> 8)};
    char *at = packer->slot + AT_PAYLOAD + packer->at;

    if (text.len == 0) {
        return;
    }
    if (LIKELY(TEXT_HEAD + text.len <= PAYLOAD - packer->at)) { /* in this slot, as nearly always */
        memcpy(at, head, TEXT_HEAD);
        memcpy(at + TEXT_HEAD, text.at, text.len);
        packer->at += TEXT_HEAD + text.len;
        packer->length += (uint32_t)(TEXT_HEAD + text.len);
    } else if (room_of(packer) >= TEXT_HEAD + text.len) {
        put_bytes(packer, head, sizeof head);
        put_bytes(packer, text.at, text.len);
    }
}

/* Figures that are told go to `at`, one behind the other; returns the place behind them. The first
 * of them has bit `first` in `told`. */
static char *put_figures(char *at, const int64_t *figures, size_t count, size_t first,
                         uint64_t *told)
{
    uint64_t bit = UINT64_C(1) << first;
    uint64_t bits = 0;

    for (size_t i = 0; i < count; i++) {
        if (figures[i] != -1) {
            memcpy(at, &figures[i], sizeof *figures);
            at += sizeof *figures;
            bits |= bit;
        }
        bit <<= 1;
    }
    *told |= bits;
    return at;
}

/* Into the first slot, where they have room. */
static void put_front(struct packer *packer, const struct record *record)
{
    struct front front = {.flags = record->flags};
    char *begin = packer->slot + AT_PAYLOAD;
    char *at = begin + sizeof front;

    at = put_figures(at, record->numbers, RECORD_NUMBERS, 0, &front.told);
    at = put_figures(at, record->tokens, TOKEN_CLASSES, RECORD_NUMBERS, &front.told);
    at = put_figures(at, record->fees, FEE_KINDS, RECORD_NUMBERS + TOKEN_CLASSES, &front.told);
    memcpy(begin, &front, sizeof front);
    packer->at = (size_t)(at - begin);
    packer->length = (uint32_t)packer->at;
}

static void pack(struct packer *packer, const struct record *record)
{
    put_front(packer, record);
    for (size_t i = 0; i < RECORD_TEXTS; i++) {
        size_t len = record->texts[i].len;

        if (LIKELY(len <= RECORD_TEXT_MAX)) {
            put_text(packer, (uint8_t)i, record->texts[i]);
        } else {
            put_text(packer, (uint8_t)i, record_text_cut(record, i, RECORD_TEXT_MAX));
        }
    }
    if (record->raw.len <= RECORD_RAW_MAX) {
        put_text(packer, WHICH_RAW, record->raw);
    }
}

/* Gives back the slots behind the first one. */
static void drop_chain(struct inflight *table, char *first)
{
    uint32_t number = get_u32(first + AT_NEXT);

    put_u32(first + AT_NEXT, 0);
    while (number != 0) {
        char *slot = slot_at(table, number);
        uint32_t next = get_u32(slot + AT_NEXT);

        set_state(slot, INFLIGHT_FREE);
        must(table->free_count < table->count);
        table->free[table->free_count++] = number;
        number = next;
    }
}

static void fill(struct inflight *table, char *slot, const struct record *record)
{
    struct packer packer = {.table = table, .slot = slot};

    put_u32(slot + AT_NEXT, 0);
    pack(&packer, record);
    put_u32(slot + AT_LENGTH, packer.length);
    packer.sum = sum_more(packer.sum, packer.slot + AT_PAYLOAD, packer.at);
    put_u32(slot + AT_SUM, (uint32_t)packer.sum);
}

uint32_t inflight_put(struct inflight *table, const struct record *record,
                      enum inflight_state state)
{
    uint32_t number = 0;
    char *slot = NULL;

    if (table->free_count == 0) {
        return 0;
    }
    number = table->free[--table->free_count];
    slot = slot_at(table, number);
    memset(slot + AT_SEEN, 0, AT_PAYLOAD - AT_SEEN);
    fill(table, slot, record);
    set_state(slot, state);
    return number;
}

/* The slot that the next finished record takes, mostly, and one as long as this: it is the other thread
 * that touched it last, perhaps on another core. */
static void warm_next(const struct inflight *table, const char *like)
{
    size_t size = AT_PAYLOAD + get_u32(like + AT_LENGTH);

    if (table->free_count > 0) {
        mem_warm_to_write(slot_at(table, table->free[table->free_count - 1]),
                          size < INFLIGHT_SLOT ? size : INFLIGHT_SLOT);
    }
}

uint32_t inflight_finish(struct inflight *table, uint32_t slot, const struct record *record)
{
    uint32_t finished = inflight_put(table, record, INFLIGHT_FINISHED);

    must(finished != 0);
    warm_next(table, slot_at(table, finished));
    inflight_free(table, slot);
    return finished;
}

void inflight_progress(struct inflight *table, uint32_t slot,
                       const struct inflight_progress *progress)
{
    char *at = slot_at(table, slot);

    put_u64(at + AT_SEEN, progress->output_seen);
    put_u64(at + AT_BYTES, progress->bytes);
    put_u32(at + AT_PHASE, progress->phase);
}

struct span inflight_place(const struct inflight *table, uint32_t slot)
{
    return span_make(slot_at(table, slot) + AT_SEEN, AT_PAYLOAD - AT_SEEN);
}

void inflight_free(struct inflight *table, uint32_t slot)
{
    char *at = slot_at(table, slot);

    drop_chain(table, at);
    set_state(at, INFLIGHT_FREE);
    must(table->free_count < table->count);
    table->free[table->free_count++] = slot;
}

/* ---- reading ---- */

/* Puts the packed bytes of the chain at the end of `text`. Whatever the slots hold, it ends. */
static bool gather(const struct inflight *table, const char *slot, struct buf *text)
{
    uint32_t told = get_u32(slot + AT_SUM);
    size_t left = get_u32(slot + AT_LENGTH);
    uint64_t sum = 0;

    for (;;) {
        size_t some = left < PAYLOAD ? left : PAYLOAD;
        uint32_t next = get_u32(slot + AT_NEXT);

        sum = table->is_own ? told : sum_more(sum, slot + AT_PAYLOAD, some);
        buf_put(text, span_make(slot + AT_PAYLOAD, some));
        left -= some;
        if (left == 0) {
            return (uint32_t)sum == told && !text->failed;
        }
        if (next == 0 || next > table->count) {
            return false;
        }
        slot = slot_at(table, next);
    }
}

/* The packed bytes: where they lie, if that is one slot, else gathered. False: damaged, or no memory. */
static bool packed_of(const struct inflight *table, const char *slot, struct buf *text,
                      struct span *packed)
{
    size_t len = get_u32(slot + AT_LENGTH);
    size_t from = text->len;

    if (len < sizeof(struct front) || len > INFLIGHT_CHAIN_MAX * PAYLOAD) {
        return false;
    }
    *packed = span_make(slot + AT_PAYLOAD, len);
    if (LIKELY(len <= PAYLOAD)) {
        return table->is_own || (uint32_t)sum_more(0, packed->at, len) == get_u32(slot + AT_SUM);
    }
    if (buf_reserve(text, INFLIGHT_RECORD_MAX) != ERR_NONE || !gather(table, slot, text)) {
        return false;
    }
    *packed = span_from(buf_span(text), from);
    return true;
}

/* Takes the figures that are told off the front. */
static void take_figures(struct span *packed, uint64_t told, int64_t *figures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((told >> i & 1) != 0 && packed->len >= sizeof *figures) {
            memcpy(&figures[i], packed->at, sizeof *figures);
            *packed = span_from(*packed, sizeof *figures);
        }
    }
}

static bool unpack(struct span packed, struct record *record)
{
    struct front front;

    memcpy(&front, packed.at, sizeof front);
    packed = span_from(packed, sizeof front);
    record_init(record);
    record->flags = front.flags;
    take_figures(&packed, front.told, record->numbers, RECORD_NUMBERS);
    take_figures(&packed, front.told >> RECORD_NUMBERS, record->tokens, TOKEN_CLASSES);
    take_figures(&packed, front.told >> (RECORD_NUMBERS + TOKEN_CLASSES), record->fees, FEE_KINDS);
    while (packed.len >= TEXT_HEAD) {
        const unsigned char *head = (const unsigned char *)packed.at;
        size_t len = head[1] | (size_t)head[2] << 8;
        struct span text = span_from(packed, TEXT_HEAD);

        if (len > text.len || (head[0] >= RECORD_TEXTS && head[0] != WHICH_RAW)) {
            return false;
        }
        text.len = len;
        if (head[0] == WHICH_RAW) {
            record->raw = text;
        } else {
            record->texts[head[0]] = text;
        }
        packed = span_from(packed, TEXT_HEAD + len);
    }
    return packed.len == 0;
}

void inflight_warm(const struct inflight *table, uint32_t slot)
{
    if (slot != 0) {
        mem_warm(slot_at(table, slot), USUAL);
    }
}

bool inflight_read(const struct inflight *table, uint32_t slot, struct buf *text,
                   struct record *record, struct inflight_progress *progress,
                   enum inflight_state *state)
{
    char *at = slot_at(table, slot);
    uint32_t word = atomic_load_explicit(state_of(at), memory_order_acquire);
    struct span packed;

    *state = word <= INFLIGHT_MORE ? (enum inflight_state)word : INFLIGHT_FREE;
    if (word > INFLIGHT_MORE) {
        return false;
    }
    if (word == INFLIGHT_FREE || word == INFLIGHT_MORE) {
        return true;
    }
    *progress = (struct inflight_progress){.output_seen = get_u64(at + AT_SEEN),
                                           .bytes = get_u64(at + AT_BYTES),
                                           .phase = get_u32(at + AT_PHASE)};
    return packed_of(table, at, text, &packed) && unpack(packed, record);
}
