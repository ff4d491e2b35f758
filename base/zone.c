/* SPDX-License-Identifier: Apache-2.0 */
/* base/zone.c: the file is a table of moments and, at its end, a rule as in POSIX's TZ for the time
 * after them ("CET-1CEST,M3.5.0,M10.5.0/3"). The rule's reader is zone_rule.c. */
#include "base/zone.h"

#include "base/date.h"
#include "base/zone_rule.h"

enum {
    HEADER = 44,
    TIMES_MAX = 4096,
    TYPES_MAX = 256,
    NAMES_MAX = 4096,
    MARKS_MAX = 256,
    TYPE_SIZE = 6,
    OFFSET_MAX_S = 26 * 3600 - 1, /* RFC 9636, 3.2 recommends -89999 to 93599 */
    STRETCHES_MAX = 64            /* within two days; real zones have two */
};

/* The six counts of a header, in its order. */
struct counts {
    uint32_t marks_utc;
    uint32_t marks_standard;
    uint32_t leaps;
    uint32_t times;
    uint32_t types;
    uint32_t names;
};

static uint32_t read_u32(const char *at)
{
    uint32_t number = 0;

    for (size_t i = 0; i < 4; i++) {
        number = number << 8 | (unsigned char)at[i];
    }
    return number;
}

static int32_t read_i32(const char *at)
{
    uint32_t number = read_u32(at);

    return number <= INT32_MAX ? (int32_t)number : -(int32_t)(UINT32_MAX - number) - 1;
}

static int64_t read_i64(const char *at)
{
    uint64_t number = (uint64_t)read_u32(at) << 32 | read_u32(at + 4);

    return number <= INT64_MAX ? (int64_t)number : -(int64_t)(UINT64_MAX - number) - 1;
}

static bool read_header(struct span file, struct counts *counts)
{
    if (file.len < HEADER || memcmp(file.at, "TZif", 4) != 0 || file.at[4] < '2') {
        return false;
    }
    *counts = (struct counts){.marks_utc = read_u32(file.at + 20),
                              .marks_standard = read_u32(file.at + 24),
                              .leaps = read_u32(file.at + 28),
                              .times = read_u32(file.at + 32),
                              .types = read_u32(file.at + 36),
                              .names = read_u32(file.at + 40)};
    return counts->times <= TIMES_MAX && counts->types >= 1 && counts->types <= TYPES_MAX &&
           counts->names <= NAMES_MAX && counts->marks_utc <= MARKS_MAX &&
           counts->marks_standard <= MARKS_MAX && counts->leaps == 0;
}

static size_t body_length(const struct counts *counts, size_t time_size)
{
    return counts->times * (time_size + 1) + (size_t)counts->types * TYPE_SIZE + counts->names +
           counts->marks_utc + counts->marks_standard;
}

static bool table_is_good(const struct zone *zone)
{
    size_t types = zone->types.len / TYPE_SIZE;

    for (size_t i = 0; i < types; i++) {
        int32_t offset = read_i32(zone->types.at + i * TYPE_SIZE);

        if (offset < -OFFSET_MAX_S || offset > OFFSET_MAX_S) {
            return false;
        }
    }
    for (size_t i = 0; i < zone->kinds.len; i++) {
        const char *at = zone->times.at + i * 8;

        if ((unsigned char)zone->kinds.at[i] >= types ||
            (i > 0 && read_i64(at) <= read_i64(at - 8))) {
            return false;
        }
    }
    return true;
}

/* The second header and what follows it. */
static bool read_second(struct zone *zone, struct span file)
{
    struct counts counts;
    size_t length = 0;

    if (!read_header(file, &counts)) {
        return false;
    }
    file = span_from(file, HEADER);
    length = body_length(&counts, 8);
    if (file.len < length + 2 || file.at[length] != '\n' || file.at[file.len - 1] != '\n') {
        return false;
    }
    zone->times = span_make(file.at, (size_t)counts.times * 8);
    zone->kinds = span_make(file.at + zone->times.len, counts.times);
    zone->types = span_make(zone->kinds.at + zone->kinds.len, (size_t)counts.types * TYPE_SIZE);
    if (!table_is_good(zone)) {
        return false;
    }
    file = span_make(file.at + length + 1, file.len - length - 2);
    return file.len == 0 || zone_rule_read(zone, file);
}

void zone_init(struct zone *zone)
{
    *zone = (struct zone){.has_rule = true};
}

enum err zone_read(struct zone *zone, struct span file)
{
    struct counts counts;
    size_t first = 0;

    *zone = (struct zone){.has_rule = false};
    if (file.len <= ZONE_FILE_MAX && read_header(file, &counts)) {
        first = HEADER + body_length(&counts, 4);
        if (first < file.len && read_second(zone, span_from(file, first))) {
            return ERR_NONE;
        }
    }
    zone_init(zone);
    return ERR_FORMAT;
}

bool zone_name_is_good(struct span name)
{
    char last = '/';

    if (name.len == 0 || name.len > ZONE_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!is_word && (last == '/' || (c != '_' && c != '+' && c != '-' && c != '/'))) {
            return false;
        }
        last = c;
    }
    return last != '/';
}

/* ---- asking ---- */

static int64_t time_of(const struct zone *zone, size_t i)
{
    return read_i64(zone->times.at + i * 8);
}

static int32_t offset_of(const struct zone *zone, size_t type)
{
    return read_i32(zone->types.at + type * TYPE_SIZE);
}

struct zone_stretch zone_at(const struct zone *zone, int64_t at)
{
    size_t low = 0; /* how many of the times are at or before `at` */
    size_t high = zone->kinds.len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (time_of(zone, middle) <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == zone->kinds.len && zone->has_rule) {
        return zone_rule_at(zone, at);
    }
    return (struct zone_stretch){
        .until = low == zone->kinds.len ? INT64_MAX : time_of(zone, low),
        .offset_s = offset_of(zone, low == 0 ? 0 : (unsigned char)zone->kinds.at[low - 1])};
}

int64_t zone_first(const struct zone *zone, int64_t local)
{
    /* No clock is ahead by more, so it shows less than `local` here. */
    int64_t at = local - OFFSET_MAX_S - 1;

    for (int i = 0; i < STRETCHES_MAX; i++) {
        struct zone_stretch stretch = zone_at(zone, at);
        int64_t found = local - stretch.offset_s > at ? local - stretch.offset_s : at;

        if (found < stretch.until) {
            return found;
        }
        at = stretch.until;
    }
    return at; /* a hostile file; real ones never come here */
}

int64_t zone_day_of(const struct zone *zone, int64_t at)
{
    return date_floor(at + zone_at(zone, at).offset_s, DATE_DAY_S);
}

int64_t zone_day_begin(const struct zone *zone, int64_t day)
{
    return zone_first(zone, day * DATE_DAY_S);
}
