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

/* The key is over at its closing quote `p`. */
static const char *end_key(struct json_scan *scan, const char *p, struct span name)
{
    struct frame *frame = &scan->frames[scan->depth - 1];

    if (!scan->allow_duplicates) {
        switch (json_dup_add(&scan->dup, &frame->names, scan->depth, name)) {
        case JSON_DUP_NEW: break;
        case JSON_DUP_SEEN: return fail(scan, p, JSON_FAULT_DUPLICATE);
        case JSON_DUP_NO_MEMORY: return fail(scan, p, JSON_FAULT_MEMORY);
        }
    }
    scan->match = 0;
    if (frame->through != 0) {
        scan->match = json_watch_name(&scan->watch, frame->through, scan->depth - 1, name);
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
    switch (scan->state) {
    case STATE_AFTER:
        p = read_after(scan, p, end);
        if (scan->state != STATE_KEY || p == end) {
            return p;
        }
        FALLTHROUGH;
    case STATE_KEY:
    case STATE_FIRST_KEY:
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
