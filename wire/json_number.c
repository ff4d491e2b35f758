/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_number.c: the grammar of RFC 8259, section 6, as a table. */
#include "wire/json_number.h"

#include <stdint.h>

#include "base/limits.h"
#include "base/must.h"

/* What a byte is to a number. */
enum sort { SORT_OTHER = 0, SORT_ZERO, SORT_DIGIT, SORT_POINT, SORT_E, SORT_PLUS, SORT_MINUS };

/* [place][sort]: the next place. JSON_NUMBER_START (0), where nothing leads, says that the byte
 * does not belong to the number. */
static const uint8_t follow[][SORT_MINUS + 1] = {
    [JSON_NUMBER_START] = {[SORT_ZERO] = JSON_NUMBER_ZERO,
                           [SORT_DIGIT] = JSON_NUMBER_WHOLE,
                           [SORT_MINUS] = JSON_NUMBER_MINUS},
    [JSON_NUMBER_MINUS] = {[SORT_ZERO] = JSON_NUMBER_ZERO, [SORT_DIGIT] = JSON_NUMBER_WHOLE},
    [JSON_NUMBER_ZERO] = {[SORT_POINT] = JSON_NUMBER_POINT, [SORT_E] = JSON_NUMBER_E},
    [JSON_NUMBER_WHOLE] = {[SORT_ZERO] = JSON_NUMBER_WHOLE,
                           [SORT_DIGIT] = JSON_NUMBER_WHOLE,
                           [SORT_POINT] = JSON_NUMBER_POINT,
                           [SORT_E] = JSON_NUMBER_E},
    [JSON_NUMBER_POINT] = {[SORT_ZERO] = JSON_NUMBER_FRACTION, [SORT_DIGIT] = JSON_NUMBER_FRACTION},
    [JSON_NUMBER_FRACTION] = {[SORT_ZERO] = JSON_NUMBER_FRACTION,
                              [SORT_DIGIT] = JSON_NUMBER_FRACTION,
                              [SORT_E] = JSON_NUMBER_E},
    [JSON_NUMBER_E] = {[SORT_ZERO] = JSON_NUMBER_EXPONENT,
                       [SORT_DIGIT] = JSON_NUMBER_EXPONENT,
                       [SORT_PLUS] = JSON_NUMBER_SIGN,
                       [SORT_MINUS] = JSON_NUMBER_SIGN},
    [JSON_NUMBER_SIGN] = {[SORT_ZERO] = JSON_NUMBER_EXPONENT, [SORT_DIGIT] = JSON_NUMBER_EXPONENT},
    [JSON_NUMBER_EXPONENT] =
        {[SORT_ZERO] = JSON_NUMBER_EXPONENT, [SORT_DIGIT] = JSON_NUMBER_EXPONENT},
};

void json_number_init(struct json_number *number)
{
    *number = (struct json_number){.place = JSON_NUMBER_START};
}

bool json_number_is_whole(const struct json_number *number)
{
    switch (number->place) {
    case JSON_NUMBER_ZERO:
    case JSON_NUMBER_WHOLE:
    case JSON_NUMBER_FRACTION:
    case JSON_NUMBER_EXPONENT: return true;
    case JSON_NUMBER_START:
    case JSON_NUMBER_MINUS:
    case JSON_NUMBER_POINT:
    case JSON_NUMBER_E:
    case JSON_NUMBER_SIGN: return false;
    }
    UNREACHABLE();
}

static const uint8_t sorts[256] = {
    ['0'] = SORT_ZERO,  ['1'] = SORT_DIGIT, ['2'] = SORT_DIGIT, ['3'] = SORT_DIGIT,
    ['4'] = SORT_DIGIT, ['5'] = SORT_DIGIT, ['6'] = SORT_DIGIT, ['7'] = SORT_DIGIT,
    ['8'] = SORT_DIGIT, ['9'] = SORT_DIGIT, ['.'] = SORT_POINT, ['e'] = SORT_E,
    ['E'] = SORT_E,     ['+'] = SORT_PLUS,  ['-'] = SORT_MINUS,
};

/* Digits are most of every number; they leave the place as it is where any may follow. */
static const char *skip_digits(struct json_number *number, const char *p, const char *end)
{
    const char *from = p;
    size_t room = LIMIT_JSON_NUMBER - number->length;

    if ((size_t)(end - p) > room) {
        end = p + room;
    }
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    number->length += (size_t)(p - from);
    return p;
}

const char *json_number_skip_whole(const char *p, const char *end)
{
    const char *q = p;

    while (q < end && *q >= '0' && *q <= '9') {
        q++;
    }
    if (q == end || q - p > LIMIT_JSON_NUMBER || (*p == '0' && q - p > 1) || *q == '.' ||
        (*q | 0x20) == 'e') {
        return p;
    }
    return q;
}

static bool takes_digits(enum json_number_place place)
{
    return place == JSON_NUMBER_WHOLE || place == JSON_NUMBER_FRACTION ||
           place == JSON_NUMBER_EXPONENT;
}

const char *json_number_read(struct json_number *number, const char *p, const char *end,
                             enum json_number_end *how)
{
    *how = JSON_NUMBER_MORE;
    while (p < end) {
        enum json_number_place next = follow[number->place][sorts[(unsigned char)*p]];

        if (next == JSON_NUMBER_START) {
            *how = json_number_is_whole(number) ? JSON_NUMBER_CLOSED : JSON_NUMBER_BAD;
            return p;
        }
        if (number->length == LIMIT_JSON_NUMBER) {
            *how = JSON_NUMBER_LONG;
            return p;
        }
        number->place = next;
        number->length++;
        p++;
        if (takes_digits(next)) {
            p = skip_digits(number, p, end);
        }
    }
    return p;
}
