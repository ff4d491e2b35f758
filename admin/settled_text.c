/* SPDX-License-Identifier: Apache-2.0 */
/* The sums as lines of words with single blanks between, in this order:
 *
 *   headgate budgets 1
 *   journal <segment> <offset>
 *   budget <name> <mark> <first seen> <since>
 *   reset <name> <at> all|=<value>
 *   sum <name> <unit> <scope> <begin> <end> <until> <last> <settled> <overrun> =<value>
 *   crc <eight hexadecimal digits: the CRC-32C of all bytes before this line>
 *
 * Times are milliseconds since 1970. In values every byte but letters, digits and ".-_" is written as %XX.
 */
#include "admin/settled_parts.h"
#include "base/crc32c.h"
#include "base/text.h"

enum { CRC_LINE = sizeof "crc 00000000\n" - 1, CRC_DIGITS = 8 };

/* ---- writing ---- */

static void put_number(struct buf *out, int64_t number)
{
    buf_put_char(out, ' ');
    buf_put_u64(out, number < 0 ? 0 : (uint64_t)number);
}

static void put_value(struct buf *out, struct span value)
{
    buf_put_text(out, " =");
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';

        if (is_plain) {
            buf_put_char(out, c);
        } else {
            buf_put_format(out, "%%%02X", (unsigned)(unsigned char)c);
        }
    }
}

static void put_budget(struct buf *out, const struct settled_budget *seen)
{
    buf_put_text(out, "budget ");
    buf_put(out, span_make(seen->name, seen->len));
    put_number(out, seen->mark);
    put_number(out, seen->first_seen);
    put_number(out, seen->since);
    buf_put_char(out, '\n');
}

static void put_reset(struct buf *out, const struct settled_reset *reset)
{
    buf_put_text(out, "reset ");
    buf_put(out, span_make(reset->budget, reset->budget_len));
    put_number(out, reset->at);
    if (reset->has_value) {
        put_value(out, span_make(reset->value, reset->value_len));
    } else {
        buf_put_text(out, " all");
    }
    buf_put_char(out, '\n');
}

static void put_sum(struct buf *out, const struct settled_sum *sum)
{
    buf_put_text(out, "sum ");
    buf_put(out, sum->budget);
    buf_put_char(out, ' ');
    buf_put_text(out, budget_unit_word(sum->unit));
    buf_put_char(out, ' ');
    buf_put_text(out, scope_word(sum->scope));
    put_number(out, sum->window.begin);
    put_number(out, sum->window.end);
    put_number(out, sum->until);
    put_number(out, sum->last_at);
    put_number(out, sum->settled);
    put_number(out, sum->overrun);
    put_value(out, sum->value);
    buf_put_char(out, '\n');
}

void settled_put(const struct settled *settled, const uint64_t place[2], struct buf *out)
{
    size_t from = out->len;

    buf_put_text(out, "headgate budgets 1\njournal ");
    buf_put_u64(out, place[0]);
    buf_put_char(out, ' ');
    buf_put_u64(out, place[1]);
    buf_put_char(out, '\n');
    for (size_t i = 0; i < settled->seen_count; i++) {
        put_budget(out, &settled->seen[i]);
    }
    for (struct link *at = settled->resets.next; at != &settled->resets; at = at->next) {
        put_reset(out, LIST_OWNER(at, struct settled_reset, link));
    }
    for (struct link *at = settled->all.next; at != &settled->all; at = at->next) {
        put_sum(out, LIST_OWNER(at, struct settled_sum, link));
    }
    if (!out->failed) {
        buf_put_format(out, "crc %08lx\n",
                       (unsigned long)crc32c(span_make(out->at + from, out->len - from)));
    }
}

/* ---- reading ---- */

/* The words of one line, taken one after the other. */
struct words {
    struct span rest;
    bool is_bad;
};

static struct span take_word(struct words *words)
{
    struct span word = span_cut(&words->rest, ' ');

    words->is_bad = words->is_bad || word.len == 0;
    return word;
}

static int64_t take_number(struct words *words)
{
    uint64_t number = 0;

    words->is_bad = text_read_u64(take_word(words), &number) != ERR_NONE || number > INT64_MAX ||
                    words->is_bad;
    return (int64_t)number;
}

static struct span take_name(struct words *words)
{
    struct span name = take_word(words);

    words->is_bad = words->is_bad || name.len > BUDGET_NAME_MAX;
    return name;
}

/* Decoded into `text`, and borrowed from there. */
static struct span take_value(struct words *words, struct buf *text)
{
    struct span word = take_word(words);

    buf_clear(text);
    words->is_bad = words->is_bad || word.at[0] != '=' ||
                    !text_put_url_decoded(text, span_from(word, 1)) || text->failed ||
                    text->len > SCOPE_VALUE_MAX;
    return span_make(text->len > 0 ? text->at : "", text->len);
}

static void read_budget(struct settled *settled, struct words *words)
{
    struct span name = take_name(words);
    int64_t mark = take_number(words);
    struct settled_budget seen = {.len = name.len, .mark = (uint32_t)mark};

    seen.first_seen = take_number(words);
    seen.since = take_number(words);
    words->is_bad = words->is_bad || mark > UINT32_MAX || settled_seen(settled, name) != NULL ||
                    settled->seen_count == SETTLED_BUDGETS_MAX;
    if (!words->is_bad) {
        memcpy(seen.name, name.at, name.len);
        settled_remember(settled, settled->budgets, &seen);
    }
}

static enum err read_reset(struct settled *settled, struct words *words, struct buf *text)
{
    struct span name = take_name(words);
    wall_ms at = take_number(words);
    struct span value = {NULL, 0};
    enum err err = ERR_NONE;

    if (span_equal(words->rest, SPAN_OF("all"))) {
        (void)take_word(words);
    } else {
        value = take_value(words, text);
    }
    if (!words->is_bad) {
        err = settled_note_reset(settled, name, value, at);
    }
    words->is_bad = words->is_bad || err == ERR_CEILING;
    return err;
}

static size_t which_word(struct words *words, const char *(*word_of)(size_t i), size_t count)
{
    struct span word = take_word(words);
    size_t i = 0;

    while (i < count && !span_equal(span_of(word_of(i)), word)) {
        i++;
    }
    words->is_bad = words->is_bad || i == count;
    return i;
}

static const char *unit_at(size_t i)
{
    return budget_unit_word((enum budget_unit)i);
}

static const char *scope_at(size_t i)
{
    return scope_word((enum scope_kind)i);
}

static enum err read_sum(struct settled *settled, struct words *words, struct buf *text)
{
    struct settled_sum like = {.settled = 0};
    struct settled_sum *sum = NULL;

    like.budget = take_name(words);
    like.unit = (enum budget_unit)which_word(words, unit_at, BUDGET_UNITS);
    like.scope = (enum scope_kind)which_word(words, scope_at, SCOPE_KINDS);
    like.window.begin = take_number(words);
    like.window.end = take_number(words);
    like.until = take_number(words);
    like.last_at = take_number(words);
    like.settled = take_number(words);
    like.overrun = take_number(words);
    like.value = take_value(words, text);
    words->is_bad = words->is_bad || like.window.end <= like.window.begin ||
                    like.until < like.window.end || like.overrun > like.settled;
    return words->is_bad ? ERR_NONE : settled_sum(settled, &like, &sum);
}

static enum err read_line(struct settled *settled, struct span line, struct buf *text)
{
    struct words words = {.rest = line};
    struct span word = take_word(&words);
    enum err err = ERR_NONE;

    if (span_equal(word, SPAN_OF("budget"))) {
        read_budget(settled, &words);
    } else if (span_equal(word, SPAN_OF("reset"))) {
        err = read_reset(settled, &words, text);
    } else if (span_equal(word, SPAN_OF("sum"))) {
        err = read_sum(settled, &words, text);
    } else {
        words.is_bad = true;
    }
    return words.is_bad || words.rest.len > 0 || err == ERR_CEILING ? ERR_FORMAT : err;
}

/* Whether the last line is the sum of what stands before it, which *text is then. */
static bool is_whole(struct span *text)
{
    struct span line = {NULL, 0};
    uint32_t crc = 0;

    if (text->len <= CRC_LINE) {
        return false;
    }
    line = span_from(*text, text->len - CRC_LINE);
    text->len -= CRC_LINE;
    for (size_t i = 0; i < CRC_DIGITS; i++) {
        int digit = text_hex_digit(line.at[CRC_LINE - 1 - CRC_DIGITS + i]);

        if (digit < 0) {
            return false;
        }
        crc = crc << 4 | (uint32_t)digit;
    }
    return span_starts(line, SPAN_OF("crc ")) && line.at[CRC_LINE - 1] == '\n' &&
           text->at[text->len - 1] == '\n' && crc32c(*text) == crc;
}

enum err settled_take(struct settled *settled, struct span text, uint64_t place[2])
{
    struct words words = {.is_bad = false};
    struct buf value;
    enum err err = ERR_NONE;

    if (!is_whole(&text) || !span_equal(span_cut(&text, '\n'), SPAN_OF("headgate budgets 1"))) {
        return ERR_FORMAT;
    }
    words.rest = span_cut(&text, '\n');
    words.is_bad = !span_equal(take_word(&words), SPAN_OF("journal"));
    place[0] = (uint64_t)take_number(&words);
    place[1] = (uint64_t)take_number(&words);
    if (words.is_bad || words.rest.len > 0) {
        return ERR_FORMAT;
    }
    buf_init(&value, SCOPE_VALUE_MAX * 4);
    while (text.len > 0 && err == ERR_NONE) {
        err = read_line(settled, span_cut(&text, '\n'), &value);
    }
    buf_fini(&value);
    return err;
}
