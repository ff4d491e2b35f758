/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_scan.c: the structure of a document. The state says what the next byte may be; the
 * frames say which containers are open. A token may be cut anywhere by the end of a piece, so every
 * reader below can stop at any byte and be called again for the same token.
 *
 *   state        waits for                                  then
 *   VALUE        a value (the root, or behind ':')          TEXT NUMBER LITERAL FIRST_* AFTER
 *   ITEM         a value (behind ',' in an array)           the same
 *   FIRST_ITEM   a value or ']'                             the same
 *   KEY          '"' (behind ',' in an object)              KEY_TEXT
 *   FIRST_KEY    '"' or '}'                                 KEY_TEXT AFTER
 *   KEY_TEXT     the rest of a key                          COLON
 *   COLON        ':'                                        VALUE
 *   TEXT, NUMBER, LITERAL   the rest of that token          AFTER
 *   AFTER        ',' or the closing bracket; white space    KEY ITEM AFTER
 *                only, when no container is open
 *
 * What a frame does not hold, it leaves to others: json_text, json_key and json_number read tokens,
 * json_watch follows the paths, json_dup remembers names. */
#include "wire/json_scan.h"

#include "base/mem.h"
#include "wire/json_dup.h"
#include "wire/json_key.h"
#include "wire/json_number.h"
#include "wire/json_text.h"
#include "wire/json_watch.h"

enum state {
    STATE_VALUE = 0,
    STATE_ITEM,
    STATE_FIRST_ITEM,
    STATE_KEY,
    STATE_FIRST_KEY,
    STATE_KEY_TEXT,
    STATE_COLON,
    STATE_TEXT,
    STATE_NUMBER,
    STATE_LITERAL,
    STATE_AFTER
};

/* Lists of paths that stay: of each dialect's requests, answers, usage and events. */
enum { PLANS = 16 };

/* Bytes that a short cut must have before it: of a value (a literal, and a byte behind it), of a
 * name of one block with its quote and colon and a value, of a member with its first quote. */
enum { VALUE_ROOM = 6, NAME_ROOM = BLOCK_BYTES + 2 + VALUE_ROOM, MEMBER_ROOM = 1 + NAME_ROOM };

/* An open container. */
struct frame {
    uint64_t at;
    uint32_t ending;  /* paths that end at it */
    uint32_t through; /* paths that go on inside: of an array, with its items */
    uint32_t count;
    bool is_object;
    struct json_dup_object names;
};

struct json_scan {
    const char *piece; /* the present one, and the offset of its first byte */
    uint64_t base;
    uint64_t token_at; /* where the present string, number or literal began */
    uint64_t fault_at;
    enum json_fault fault;
    enum state state;
    bool allow_duplicates;
    uint32_t match;   /* paths that lead to the coming value */
    uint32_t members; /* of the whole document so far */
    size_t depth;     /* open containers */
    union {
        struct json_text text;
        struct json_number number;
        struct {
            const char *left; /* of its spelling */
            enum json_kind kind;
        } literal;
    } token;
    struct json_key key;
    struct json_watch watch;
    struct json_plan plan;         /* of paths that do not stay */
    struct json_plan plans[PLANS]; /* of those that do, by their address */
    struct json_dup dup;
    struct frame frames[LIMIT_JSON_DEPTH];
};

struct json_scan *json_scan_new(void)
{
    return mem_take_zero(sizeof(struct json_scan));
}

void json_scan_free(struct json_scan *scan)
{
    if (scan != NULL) {
        json_dup_fini(&scan->dup);
        mem_give(scan, sizeof *scan);
    }
}

static const struct json_plan *plan_of(struct json_scan *scan,
                                       const struct json_scan_options *options)
{
    struct json_plan *plan = &scan->plan;

    if (options->paths_stay) {
        plan = &scan->plans[(uintptr_t)options->paths / sizeof *options->paths % PLANS];
        if (plan->paths == options->paths && plan->count == options->paths_count) {
            return plan;
        }
    }
    json_plan_make(plan, options->paths, options->paths_count);
    return plan;
}

void json_scan_begin(struct json_scan *scan, const struct json_scan_options *options,
                     struct json_hit *hits)
{
    scan->base = 0;
    scan->fault = JSON_FAULT_NONE;
    scan->fault_at = 0;
    scan->state = STATE_VALUE;
    scan->allow_duplicates = options->allow_duplicates;
    scan->match = json_watch_begin(&scan->watch, plan_of(scan, options), hits);
    scan->members = 0;
    scan->depth = 0;
    if (options->allow_duplicates) {
        json_dup_fini(&scan->dup);
    } else {
        json_dup_begin(&scan->dup, options->seed);
    }
}

static uint64_t offset(const struct json_scan *scan, const char *p)
{
    return scan->base + (uint64_t)(p - scan->piece);
}

/* Readers return where to go on; a fault returns its own place, and the loop of feed ends. */
static const char *fail(struct json_scan *scan, const char *p, enum json_fault fault)
{
    scan->fault = fault;
    scan->fault_at = offset(scan, p);
    return p;
}

/* Mostly there is none. */
static inline const char *skip_space(const char *p, const char *end)
{
    return p < end && (unsigned char)*p > ' ' ? p : json_text_skip_space(p, end);
}

/* A string, number or literal is over. */
static inline void end_scalar(struct json_scan *scan, enum json_kind kind, const char *p)
{
    uint32_t ending = json_watch_ends(&scan->watch, scan->match, scan->depth);

    scan->state = STATE_AFTER;
    if (ending != 0) {
        uint64_t end = offset(scan, p);
        struct json_hit hit = {.kind = kind, .at = scan->token_at, .len = end - scan->token_at};

        json_watch_record(&scan->watch, ending, hit);
    }
}

static const char *read_text(struct json_scan *scan, const char *p, const char *end)
{
    enum json_text_end how = JSON_TEXT_MORE;

    p = json_text_read(&scan->token.text, p, end, &how);
    switch (how) {
    case JSON_TEXT_MORE: return p;
    case JSON_TEXT_CLOSED: end_scalar(scan, JSON_STRING, p + 1); return p + 1;
    case JSON_TEXT_BAD_SYNTAX: return fail(scan, p, JSON_FAULT_SYNTAX);
    case JSON_TEXT_BAD_UTF8: return fail(scan, p, JSON_FAULT_UTF8);
    }
    UNREACHABLE();
}

static const char *read_number(struct json_scan *scan, const char *p, const char *end)
{
    enum json_number_end how = JSON_NUMBER_MORE;

    p = json_number_read(&scan->token.number, p, end, &how);
    switch (how) {
    case JSON_NUMBER_MORE: return p;
    case JSON_NUMBER_CLOSED: end_scalar(scan, JSON_NUMBER, p); return p;
    case JSON_NUMBER_BAD: return fail(scan, p, JSON_FAULT_SYNTAX);
    case JSON_NUMBER_LONG: return fail(scan, p, JSON_FAULT_NUMBER_LONG);
    }
    UNREACHABLE();
}

static const char *begin_number(struct json_scan *scan, const char *p, const char *end)
{
    const char *q = json_number_skip_whole(p, end);

    if (LIKELY(q > p)) {
        end_scalar(scan, JSON_NUMBER, q);
        return q;
    }
    json_number_init(&scan->token.number);
    scan->state = STATE_NUMBER;
    return read_number(scan, p, end);
}

static const char *read_literal(struct json_scan *scan, const char *p, const char *end)
{
    const char *left = scan->token.literal.left;

    while (p < end && *left != '\0') {
        if (*p != *left) {
            return fail(scan, p, JSON_FAULT_SYNTAX);
        }
        p++;
        left++;
    }
    scan->token.literal.left = left;
    if (*left == '\0') {
        end_scalar(scan, scan->token.literal.kind, p);
    }
    return p;
}

static const char *begin_text(struct json_scan *scan, const char *p, const char *end)
{
    const char *q = json_text_skip_plain(p, end);

    if (LIKELY(q < end && *q == '"')) {
        end_scalar(scan, JSON_STRING, q + 1);
        return q + 1;
    }
    json_text_init(&scan->token.text);
    scan->state = STATE_TEXT;
    return read_text(scan, q, end);
}

static const char *begin_literal(struct json_scan *scan, const char *p, const char *end,
                                 enum json_kind kind, const char *spelling)
{
    scan->token.literal.left = spelling;
    scan->token.literal.kind = kind;
    scan->state = STATE_LITERAL;
    return read_literal(scan, p, end);
}

static const char *open_container(struct json_scan *scan, const char *p, bool is_object)
{
    struct frame *frame = &scan->frames[scan->depth];
    uint32_t ending = json_watch_ends(&scan->watch, scan->match, scan->depth);

    if (scan->depth == LIMIT_JSON_DEPTH) {
        return fail(scan, p, JSON_FAULT_DEEP);
    }
    *frame = (struct frame){
        .at = scan->token_at,
        .ending = ending,
        .through = scan->match & ~ending,
        .is_object = is_object,
        .names = json_dup_open(&scan->dup),
    };
    if (frame->through != 0 && !is_object) {
        frame->through = json_watch_items(&scan->watch, frame->through, scan->depth);
    }
    scan->depth++;
    scan->state = is_object ? STATE_FIRST_KEY : STATE_FIRST_ITEM;
    return p + 1;
}

static const char *close_container(struct json_scan *scan, const char *p)
{
    struct frame *frame = &scan->frames[--scan->depth];

    if (frame->ending != 0) {
        struct json_hit hit = {
            .kind = frame->is_object ? JSON_OBJECT : JSON_ARRAY,
            .count = frame->count,
            .at = frame->at,
            .len = offset(scan, p) + 1 - frame->at,
        };

        json_watch_record(&scan->watch, frame->ending, hit);
    }
    if (!scan->allow_duplicates) {
        json_dup_close(&scan->dup, &frame->names);
    }
    scan->state = STATE_AFTER;
    return p + 1;
}

/* One more member or item of the innermost container. */
static bool count_member(struct json_scan *scan)
{
    scan->frames[scan->depth - 1].count++;
    scan->members++;
    return scan->members <= LIMIT_JSON_MEMBERS;
}

static const char *begin_value(struct json_scan *scan, const char *p, const char *end)
{
    scan->token_at = offset(scan, p);
    if (*p == '"') {
        return begin_text(scan, p + 1, end);
    }
    if ((*p >= '0' && *p <= '9') || *p == '-') {
        return begin_number(scan, p, end);
    }
    switch (*p) {
    case '{': return open_container(scan, p, true);
    case '[': return open_container(scan, p, false);
    case 't': return begin_literal(scan, p, end, JSON_TRUE, "true");
    case 'f': return begin_literal(scan, p, end, JSON_FALSE, "false");
    case 'n': return begin_literal(scan, p, end, JSON_NULL, "null");
    default: return fail(scan, p, JSON_FAULT_SYNTAX);
    }
}

static const char *read_item(struct json_scan *scan, const char *p, const char *end)
{
    p = skip_space(p, end);
    if (p == end) {
        return p;
    }
    if (*p == ']' && scan->state == STATE_FIRST_ITEM) {
        return close_container(scan, p);
    }
    if (!count_member(scan)) {
        return fail(scan, p, JSON_FAULT_LARGE);
    }
    scan->match = scan->frames[scan->depth - 1].through;
    return begin_value(scan, p, end);
}

static const char *read_colon(struct json_scan *scan, const char *p, const char *end)
{
    p = skip_space(p, end);
    if (p == end) {
        return p;
    }
    if (*p != ':') {
        return fail(scan, p, JSON_FAULT_SYNTAX);
    }
    scan->state = STATE_VALUE;
    return p + 1;
}

/* The name of a member, whose closing quote is `p`. False: a fault. */
static inline bool take_name(struct json_scan *scan, struct frame *frame, const char *p,
                             struct span name)
{
    if (!scan->allow_duplicates) {
        switch (json_dup_add(&scan->dup, &frame->names, scan->depth, name)) {
        case JSON_DUP_NEW: break;
        case JSON_DUP_SEEN: (void)fail(scan, p, JSON_FAULT_DUPLICATE); return false;
        case JSON_DUP_NO_MEMORY: (void)fail(scan, p, JSON_FAULT_MEMORY); return false;
        }
    }
    scan->match = 0;
    if (frame->through != 0) {
        scan->match = json_watch_name(&scan->watch, frame->through, scan->depth - 1, name);
    }
    return true;
}

/* The key is over at its closing quote `p`. */
static const char *end_key(struct json_scan *scan, const char *p, struct span name)
{
    if (!take_name(scan, &scan->frames[scan->depth - 1], p, name)) {
        return p;
    }
    scan->state = STATE_COLON;
    return p + 1;
}

static const char *read_key_text(struct json_scan *scan, const char *p, const char *end)
{
    enum json_key_end how = JSON_KEY_MORE;
    struct span name = {NULL, 0};

    p = json_key_read(&scan->key, p, end, &how, &name);
    switch (how) {
    case JSON_KEY_MORE: return p;
    case JSON_KEY_CLOSED: return end_key(scan, p, name);
    case JSON_KEY_BAD_SYNTAX: return fail(scan, p, JSON_FAULT_SYNTAX);
    case JSON_KEY_BAD_UTF8: return fail(scan, p, JSON_FAULT_UTF8);
    case JSON_KEY_LONG: return fail(scan, p, JSON_FAULT_LARGE);
    }
    UNREACHABLE();
}

static const char *begin_key(struct json_scan *scan, const char *p, const char *end)
{
    const char *q = json_text_skip_short(p, end);

    if (LIKELY(q < end && *q == '"' && q - p <= LIMIT_JSON_KEY)) {
        return end_key(scan, q, span_make(p, (size_t)(q - p)));
    }
    json_key_init(&scan->key);
    scan->state = STATE_KEY_TEXT;
    return read_key_text(scan, p, end);
}

static const char *read_key(struct json_scan *scan, const char *p, const char *end)
{
    p = skip_space(p, end);
    if (p == end) {
        return p;
    }
    if (*p == '}' && scan->state == STATE_FIRST_KEY) {
        return close_container(scan, p);
    }
    if (*p != '"') {
        return fail(scan, p, JSON_FAULT_SYNTAX);
    }
    if (!count_member(scan)) {
        return fail(scan, p, JSON_FAULT_LARGE);
    }
    return begin_key(scan, p + 1, end);
}

/* ---- plain members ---- */

/* The quote behind a plain name at `p`, which has NAME_ROOM bytes; NULL: it may be anything else.
 */
static inline const char *plain_name_end(const char *p, const char *end)
{
    unsigned length = json_text_plain_block(p);

    if (length == BLOCK_BYTES && end - p >= BLOCK_BYTES + NAME_ROOM) {
        length += json_text_plain_block(p + BLOCK_BYTES);
    }
    return p[length] == '"' && p[length + 1] == ':' ? p + length : NULL;
}

/* The end of a plain value at `p`, which has VALUE_ROOM bytes; `p`: it may be anything else. */
static inline const char *plain_value_end(const char *p, const char *end, enum json_kind *kind)
{
    const char *q = p;

    switch (*p) {
    case '"':
        q = json_text_skip_short(p + 1, end);
        *kind = JSON_STRING;
        return q < end && *q == '"' ? q + 1 : p;
    case 'n': *kind = JSON_NULL; return memcmp(p, "null", 4) == 0 ? p + 4 : p;
    case 't': *kind = JSON_TRUE; return memcmp(p, "true", 4) == 0 ? p + 4 : p;
    case 'f': *kind = JSON_FALSE; return memcmp(p, "false", 5) == 0 ? p + 5 : p;
    case '{':
    case '[': return p;
    default: *kind = JSON_NUMBER; return json_number_skip_whole(p, end);
    }
}

/* A short cut for what most of a document is: members without blanks whose names have no escapes
 * and whose values are plain and no containers, one behind the other. `p` is where a key may begin;
 * the same `p`: nothing was taken, and all is as it was. What is not plain is left to the readers
 * above. */
static const char *read_members(struct json_scan *scan, const char *p, const char *end)
{
    struct frame *frame = &scan->frames[scan->depth - 1];

    while (end - p >= MEMBER_ROOM && *p == '"' && scan->members < LIMIT_JSON_MEMBERS) {
        const char *quote = plain_name_end(p + 1, end);
        const char *value = NULL;
        enum json_kind kind = JSON_ABSENT;

        if (quote == NULL) {
            return p;
        }
        frame->count++;
        scan->members++;
        if (!take_name(scan, frame, quote, span_make(p + 1, (size_t)(quote - p - 1)))) {
            return quote;
        }
        value = quote + 2;
        p = plain_value_end(value, end, &kind);
        if (p == value) {
            scan->state = STATE_VALUE;
            return p;
        }
        scan->token_at = offset(scan, value);
        end_scalar(scan, kind, p);
        if (end - p < MEMBER_ROOM || p[0] != ',' || p[1] != '"') {
            return p;
        }
        scan->state = STATE_KEY;
        p++;
    }
    return p;
}

static const char *read_after(struct json_scan *scan, const char *p, const char *end)
{
    bool is_object = false;

    p = skip_space(p, end);
    if (p == end) {
        return p;
    }
    if (scan->depth == 0) {
        return fail(scan, p, JSON_FAULT_SYNTAX);
    }
    is_object = scan->frames[scan->depth - 1].is_object;
    if (*p == ',') {
        scan->state = is_object ? STATE_KEY : STATE_ITEM;
        return p + 1;
    }
    return *p == (is_object ? '}' : ']') ? close_container(scan, p)
                                         : fail(scan, p, JSON_FAULT_SYNTAX);
}

/* The first four cases are in the order of a member: one that is all there comes by here once. */
static inline const char *read_next(struct json_scan *scan, const char *p, const char *end)
{
    const char *q = NULL;

    switch (scan->state) {
    case STATE_AFTER:
        p = read_after(scan, p, end);
        if (scan->state != STATE_KEY || p == end) {
            return p;
        }
        FALLTHROUGH;
    case STATE_KEY:
    case STATE_FIRST_KEY:
        q = read_members(scan, p, end);
        if (q != p) {
            return q;
        }
        p = read_key(scan, p, end);
        if (scan->state != STATE_COLON || p == end) {
            return p;
        }
        FALLTHROUGH;
    case STATE_COLON:
        p = read_colon(scan, p, end);
        if (scan->state != STATE_VALUE || p == end) {
            return p;
        }
        FALLTHROUGH;
    case STATE_VALUE: p = skip_space(p, end); return p == end ? p : begin_value(scan, p, end);
    case STATE_ITEM:
    case STATE_FIRST_ITEM: return read_item(scan, p, end);
    case STATE_KEY_TEXT: return read_key_text(scan, p, end);
    case STATE_TEXT: return read_text(scan, p, end);
    case STATE_NUMBER: return read_number(scan, p, end);
    case STATE_LITERAL: return read_literal(scan, p, end);
    }
    UNREACHABLE();
}

bool json_scan_feed(struct json_scan *scan, struct span piece)
{
    const char *p = piece.at;
    const char *end = NULL;

    if (piece.len == 0 || scan->fault != JSON_FAULT_NONE) {
        return scan->fault == JSON_FAULT_NONE;
    }
    end = p + piece.len;
    scan->piece = p;
    while (p < end && scan->fault == JSON_FAULT_NONE) {
        p = read_next(scan, p, end);
    }
    scan->base += piece.len;
    if (scan->fault != JSON_FAULT_NONE) {
        json_dup_fini(&scan->dup);
        return false;
    }
    return true;
}

bool json_scan_end(struct json_scan *scan)
{
    if (scan->state == STATE_NUMBER && json_number_is_whole(&scan->token.number)) {
        scan->piece = NULL; /* nothing is left of it: its end is at `base` */
        end_scalar(scan, JSON_NUMBER, scan->piece);
    }
    if (scan->fault == JSON_FAULT_NONE && !json_scan_is_complete(scan)) {
        scan->fault = JSON_FAULT_SYNTAX;
        scan->fault_at = scan->base;
    }
    json_dup_fini(&scan->dup);
    return scan->fault == JSON_FAULT_NONE;
}

enum json_fault json_scan_fault(const struct json_scan *scan)
{
    return scan->fault;
}

uint64_t json_scan_offset(const struct json_scan *scan)
{
    return scan->fault_at;
}

bool json_scan_is_complete(const struct json_scan *scan)
{
    return scan->fault == JSON_FAULT_NONE && scan->state == STATE_AFTER && scan->depth == 0;
}

bool json_scan_whole(struct json_scan *scan, const struct json_scan_options *options,
                     struct span document, struct json_hit *hits)
{
    json_scan_begin(scan, options, hits);
    return json_scan_feed(scan, document) && json_scan_end(scan);
}
