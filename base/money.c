/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal text to whole picodollars and back: digits are shifted, nothing is divided but by ten. */
#include "base/money.h"

enum { PER_MILLION_PLACES = 6, PER_THOUSAND_PLACES = 9, EACH_PLACES = 12, EXPONENT_MAX = 1000 };

/* A decimal number taken apart: digits * 10^-places. */
struct decimal {
    int64_t digits;
    int places; /* behind the point */
    bool is_negative;
};

static bool is_digit(struct span text)
{
    return text.len > 0 && text.at[0] >= '0' && text.at[0] <= '9';
}

/* Appends a digit; false when there is no room. */
static bool push_digit(int64_t *number, int digit)
{
    if (*number > (INT64_MAX - digit) / 10) {
        return false;
    }
    *number = *number * 10 + digit;
    return true;
}

/* Digits off the front of `text`, each times `places` counted. A zero at the end of a fraction says
 * nothing, so zeros are kept back until another digit follows. */
static enum err take_digits(struct span *text, struct decimal *decimal, bool is_fraction)
{
    int zeros = 0;

    if (!is_digit(*text)) {
        return ERR_FORMAT;
    }
    for (; is_digit(*text); *text = span_from(*text, 1)) {
        if (is_fraction && text->at[0] == '0') {
            zeros++;
            continue;
        }
        for (; zeros > 0; zeros--) {
            if (!push_digit(&decimal->digits, 0)) {
                return ERR_RANGE;
            }
            decimal->places++;
        }
        if (!push_digit(&decimal->digits, text->at[0] - '0')) {
            return ERR_RANGE;
        }
        decimal->places += is_fraction ? 1 : 0;
    }
    return ERR_NONE;
}

static enum err take_exponent(struct span *text, struct decimal *decimal)
{
    int exponent = 0;
    bool is_down = false;

    *text = span_from(*text, 1);
    if (text->len > 0 && (text->at[0] == '-' || text->at[0] == '+')) {
        is_down = text->at[0] == '-';
        *text = span_from(*text, 1);
    }
    if (!is_digit(*text)) {
        return ERR_FORMAT;
    }
    for (; is_digit(*text); *text = span_from(*text, 1)) {
        exponent = exponent > EXPONENT_MAX ? exponent : exponent * 10 + (text->at[0] - '0');
    }
    decimal->places += is_down ? exponent : -exponent;
    return ERR_NONE;
}

/* Without exponents also without a sign: those are for numbers of JSON. */
static enum err read_decimal(struct span text, bool is_json, struct decimal *decimal)
{
    enum err err = ERR_NONE;

    *decimal = (struct decimal){.digits = 0};
    if (is_json && text.len > 0 && text.at[0] == '-') {
        decimal->is_negative = true;
        text = span_from(text, 1);
    }
    err = take_digits(&text, decimal, false);
    if (err == ERR_NONE && text.len > 0 && text.at[0] == '.') {
        text = span_from(text, 1);
        err = take_digits(&text, decimal, true);
    }
    if (err == ERR_NONE && is_json && text.len > 0 && (text.at[0] == 'e' || text.at[0] == 'E')) {
        err = take_exponent(&text, decimal);
    }
    return err == ERR_NONE && text.len > 0 ? ERR_FORMAT : err;
}

/* The number times 10^places, which must be whole. */
static enum err scale(struct decimal decimal, int places, int64_t *number)
{
    int shift = places - decimal.places;

    if (decimal.digits == 0) {
        *number = 0;
        return ERR_NONE;
    }
    for (; shift < 0 && decimal.digits % 10 == 0; shift++) {
        decimal.digits /= 10;
    }
    if (shift < 0 || decimal.is_negative) {
        return ERR_RANGE;
    }
    for (; shift > 0; shift--) {
        if (!push_digit(&decimal.digits, 0)) {
            return ERR_RANGE;
        }
    }
    *number = decimal.digits;
    return ERR_NONE;
}

static enum err read_scaled(struct span text, bool is_json, int places, int64_t *number)
{
    struct decimal decimal;
    enum err err = read_decimal(text, is_json, &decimal);

    return err == ERR_NONE ? scale(decimal, places, number) : err;
}

enum err money_read_per_million(struct span text, int64_t *pico)
{
    return read_scaled(text, false, PER_MILLION_PLACES, pico);
}

enum err money_read_per_thousand(struct span text, int64_t *pico)
{
    return read_scaled(text, false, PER_THOUSAND_PLACES, pico);
}

enum err money_read_nano(struct span text, int64_t *nano)
{
    return read_scaled(text, false, PER_THOUSAND_PLACES, nano);
}

enum err money_read_each(struct span text, int64_t *pico)
{
    return read_scaled(text, true, EACH_PLACES, pico);
}

/* ---- printing ---- */

static void put_scaled(struct buf *out, int64_t number, int places, int places_least)
{
    char fraction[EACH_PLACES];
    size_t length = (size_t)places;

    must(number >= 0 && places <= EACH_PLACES);
    for (int i = places; i > 0; i--) {
        fraction[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    while (length > (size_t)places_least && fraction[length - 1] == '0') {
        length--;
    }
    buf_put_u64(out, (uint64_t)number);
    if (length > 0) {
        buf_put_char(out, '.');
        buf_put(out, span_make(fraction, length));
    }
}

void money_put_per_million(struct buf *out, int64_t pico)
{
    put_scaled(out, pico, PER_MILLION_PLACES, 2);
}

void money_put_per_thousand(struct buf *out, int64_t pico)
{
    put_scaled(out, pico, PER_THOUSAND_PLACES, 2);
}

void money_put_pico(struct buf *out, int64_t pico)
{
    put_scaled(out, pico, EACH_PLACES, 0);
}

void money_put_nano(struct buf *out, int64_t nano)
{
    put_scaled(out, nano, PER_THOUSAND_PLACES, 0);
}

/* ---- sums ---- */

int64_t money_nano_up(int64_t pico)
{
    must(pico >= 0);
    return pico / 1000 + (pico % 1000 > 0 ? 1 : 0);
}

bool money_add(int64_t *total, int64_t count, int64_t price)
{
    must(*total >= 0 && count >= 0 && price >= 0);
    if (price > 0 && count > (INT64_MAX - *total) / price) {
        *total = INT64_MAX;
        return false;
    }
    *total += count * price;
    return true;
}

int64_t money_share(int64_t amount, int64_t part, int64_t whole)
{
    int64_t share = 0;
    int64_t rest = amount % whole;

    must(amount >= 0 && part >= 0 && whole > 0);
    if (!money_add(&share, part, amount / whole)) {
        return INT64_MAX;
    }
    /* Digits that the product has no room for are below a millionth of the whole: rounded up. */
    while (rest > 0 && part > INT64_MAX / rest - whole / rest - 1) {
        rest = rest / 2 + 1;
        whole = whole / 2;
    }
    rest = rest > 0 ? (rest * part + whole - 1) / whole : 0;
    return rest > INT64_MAX - share ? INT64_MAX : share + rest;
}
