/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/order.h"

#include "base/must.h"
#include "base/text.h"

static const struct {
    enum fleet_order what;
    const char *word;
} words[] = {{FLEET_PARK, "park"}, {FLEET_UNPARK, "unpark"}, {FLEET_RESET, "reset"}};

const char *order_word(enum fleet_order what)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (words[i].what == what) {
            return words[i].word;
        }
    }
    UNREACHABLE();
}

bool order_of_word(struct span word, enum fleet_order *what)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (span_equal(word, span_of(words[i].word))) {
            *what = words[i].what;
            return true;
        }
    }
    return false;
}

struct span order_name(const struct order *order)
{
    return span_make(order->name, order->name_len);
}

/* The byte that begins at text.at[i], and how many characters it took; false: a broken escape. */
static bool take_byte(struct span text, size_t *i, char *byte)
{
    int high = 0;
    int low = 0;

    if (text.at[*i] != '%') {
        *byte = text.at[(*i)++];
        return true;
    }
    if (text.len - *i < 3) {
        return false;
    }
    high = text_hex_digit(text.at[*i + 1]);
    low = text_hex_digit(text.at[*i + 2]);
    *i += 3;
    *byte = (char)(high * 16 + low);
    return high >= 0 && low >= 0;
}

/* "provider" or "provider/model", neither of them empty. */
static bool has_parts(struct span name)
{
    struct span rest = name;
    struct span provider = span_cut(&rest, '/');

    return provider.len > 0 && (provider.len == name.len || rest.len > 0);
}

/* Names of targets have no control bytes: with one it is an attempt on a log or a terminal. */
static bool read_name(struct span text, struct order *order)
{
    order->name_len = 0;
    for (size_t i = 0; i < text.len;) {
        char byte = '\0';

        if (order->name_len == ORDER_NAME_MAX || !take_byte(text, &i, &byte) ||
            (unsigned char)byte < 0x20 || byte == 0x7f) {
            return false;
        }
        order->name[order->name_len++] = byte;
    }
    return has_parts(order_name(order));
}

/* The last segment is the order, what stands before it the name. */
static bool cut_order(struct span path, struct span *name, enum fleet_order *what)
{
    struct span prefix = SPAN_OF("/admin/v1/targets/");
    size_t slash = 0;

    if (!span_starts(path, prefix)) {
        return false;
    }
    *name = span_from(path, prefix.len);
    for (slash = name->len; slash > 0 && name->at[slash - 1] != '/'; slash--) {
    }
    if (slash == 0 || !order_of_word(span_from(*name, slash), what)) {
        return false;
    }
    name->len = slash - 1;
    return true;
}

enum order_reading order_read(struct span method, struct span target, struct order *order)
{
    struct span path = target;
    struct span name = {NULL, 0};
    enum fleet_order what = FLEET_PARK;

    path = span_cut(&path, '?');
    if (!cut_order(path, &name, &what)) {
        return ORDER_NONE;
    }
    if (!span_equal(method, SPAN_OF("POST"))) {
        return ORDER_METHOD;
    }
    if (!read_name(name, order)) {
        return ORDER_NAME;
    }
    order->what = what;
    return ORDER_GOOD;
}
