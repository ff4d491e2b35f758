/* SPDX-License-Identifier: Apache-2.0 */
#include "base/field.h"

#include <string.h>

#include "base/suggest.h"
#include "base/text.h"

/* FIELD_WORD writes an index into an enum's storage. */
enum any_enum { ANY_ENUM };
_Static_assert(sizeof(enum any_enum) == sizeof(uint32_t), "enums have 32 bits");

const struct field *field_find(const struct field_table *table, struct span name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (span_equal(span_of(table->fields[i].name), name)) {
            return &table->fields[i];
        }
    }
    return NULL;
}

const struct field *field_nearest(const struct field_table *table, struct span name)
{
    struct span names[FIELDS_MAX];
    int nearest = -1;

    must(table->count <= FIELDS_MAX);
    for (size_t i = 0; i < table->count; i++) {
        names[i] = span_of(table->fields[i].name);
    }
    nearest = suggest_nearest(name, names, table->count);
    return nearest < 0 ? NULL : &table->fields[nearest];
}

void field_list(const struct field_table *table, struct buf *out)
{
    for (size_t i = 0; i < table->count; i++) {
        buf_put_text(out, i == 0 ? "" : ", ");
        buf_put_text(out, table->fields[i].name);
    }
}

/* ---- reading ---- */

static enum err read_percent(struct span text, uint64_t *number)
{
    unsigned percent = 0;
    enum err err = text_read_percent(text, &percent);

    *number = percent;
    return err;
}

static enum err read_number(const struct field *field, struct span text, uint64_t *number)
{
    switch ((enum field_type)field->type) {
    case FIELD_U32:
    case FIELD_U64: return text_read_u64(text, number);
    case FIELD_DURATION: return text_read_duration(text, number);
    case FIELD_SIZE: return text_read_size(text, number);
    case FIELD_PERCENT: return read_percent(text, number);
    case FIELD_BOOL:
    case FIELD_WORD:
    case FIELD_SWITCH:
    case FIELD_TEXT:
    case FIELD_MAP:
    case FIELD_CUSTOM: break;
    }
    UNREACHABLE();
}

static uint64_t limit_of(const struct field *field, const char *text)
{
    uint64_t limit = 0;

    must(text != NULL && read_number(field, span_of(text), &limit) == ERR_NONE);
    return limit;
}

static void store_number(const struct field *field, uint64_t number, void *object)
{
    char *at = (char *)object + field->place;
    uint32_t small = (uint32_t)number;

    if (field->type == FIELD_U64 || field->type == FIELD_SIZE) {
        memcpy(at, &number, sizeof number);
        return;
    }
    must(number <= UINT32_MAX);
    memcpy(at, &small, sizeof small);
}

static const char *shape_fault(const struct field *field)
{
    switch ((enum field_type)field->type) {
    case FIELD_BOOL: return "must be true or false";
    case FIELD_U32:
    case FIELD_U64: return "must be a whole number";
    case FIELD_DURATION:
        return field->may_be_off ? "must be a duration or off" : "must be a duration";
    case FIELD_SIZE: return "must be a size";
    case FIELD_PERCENT: return "must be a percentage";
    case FIELD_WORD:
    case FIELD_SWITCH:
    case FIELD_TEXT:
    case FIELD_MAP:
    case FIELD_CUSTOM: break;
    }
    UNREACHABLE();
}

static enum err read_measure(const struct field *field, struct span text, void *object,
                             struct why *why)
{
    uint64_t number = 0;
    enum err err = ERR_NONE;

    if (field->may_be_off && span_equal(text, SPAN_OF("off"))) {
        store_number(field, 0, object);
        return ERR_NONE;
    }
    err = read_number(field, text, &number);
    if (err == ERR_FORMAT) {
        why_set(why, "%s", shape_fault(field));
        return ERR_FORMAT;
    }
    if (err != ERR_NONE || number < limit_of(field, field->min) ||
        number > limit_of(field, field->max)) {
        why_set(why, "must be %s to %s%s", field->min, field->max,
                field->may_be_off ? ", or off" : "");
        return ERR_RANGE;
    }
    store_number(field, number, object);
    return ERR_NONE;
}

static enum err read_bool(const struct field *field, struct span text, void *object,
                          struct why *why)
{
    bool is_true = span_equal(text, SPAN_OF("true"));

    if (!is_true && !span_equal(text, SPAN_OF("false"))) {
        why_set(why, "%s", shape_fault(field));
        return ERR_FORMAT;
    }
    memcpy((char *)object + field->place, &is_true, sizeof is_true);
    return ERR_NONE;
}

/* The index of the word, or -1 with the list of good ones as `why`. */
static int find_word(const struct field *field, struct span text, struct why *why)
{
    char list[128];
    size_t used = 0;

    for (size_t i = 0; i < field->words_count; i++) {
        struct span word = field->words[i];

        if (span_equal(word, text)) {
            return (int)i;
        }
        if (used + word.len + 2 <= sizeof list) {
            memcpy(list + used, ", ", i == 0 ? 0 : 2);
            used += i == 0 ? 0 : 2;
            memcpy(list + used, word.at, word.len);
            used += word.len;
        }
    }
    why_set(why, "must be one of %.*s", (int)used, list);
    return -1;
}

static enum err read_word(const struct field *field, struct span text, void *object,
                          struct why *why)
{
    char *at = (char *)object + field->place;
    int found = find_word(field, text, why);
    uint32_t index = (uint32_t)found;
    bool is_second = found == 1;

    if (found < 0) {
        return ERR_FORMAT;
    }
    if (field->type == FIELD_SWITCH) {
        memcpy(at, &is_second, sizeof is_second);
    } else {
        memcpy(at, &index, sizeof index);
    }
    return ERR_NONE;
}

enum err field_read(const struct field *field, struct span text, void *object, struct why *why)
{
    switch ((enum field_type)field->type) {
    case FIELD_BOOL: return read_bool(field, text, object, why);
    case FIELD_U32:
    case FIELD_U64:
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_PERCENT: return read_measure(field, text, object, why);
    case FIELD_WORD:
    case FIELD_SWITCH: return read_word(field, text, object, why);
    case FIELD_TEXT: memcpy((char *)object + field->place, &text, sizeof text); return ERR_NONE;
    case FIELD_MAP:
    case FIELD_CUSTOM: break;
    }
    UNREACHABLE();
}

const char *field_form(const struct field *field)
{
    switch ((enum field_type)field->type) {
    case FIELD_DURATION: return "durations are written like 250ms, 90s, 5m or 7d";
    case FIELD_SIZE: return "sizes are written like 512B, 64KiB, 32MiB or 1GiB";
    case FIELD_PERCENT: return "percentages are written like 50%";
    case FIELD_BOOL:
    case FIELD_U32:
    case FIELD_U64:
    case FIELD_WORD:
    case FIELD_SWITCH:
    case FIELD_TEXT:
    case FIELD_MAP:
    case FIELD_CUSTOM: break;
    }
    return NULL;
}

void field_defaults(const struct field_table *table, void *object)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];

        if (field->type == FIELD_MAP) {
            /* As deep as the tables are, not as deep as any input. */
            field_defaults(field->inner, (char *)object + field->place);
        } else if (field->initial != NULL && field->type != FIELD_CUSTOM) {
            enum err err = field_read(field, span_of(field->initial), object, NULL);

            must(err == ERR_NONE);
        }
    }
}

/* ---- printing ---- */

static void print_duration(const struct field *field, uint32_t ms, struct buf *out)
{
    if (field->may_be_off && ms == 0) {
        buf_put_text(out, "off");
        return;
    }
    text_put_duration(out, ms);
}

static void print_text(const struct field *field, struct span text, struct buf *out)
{
    if (field->is_secret) {
        buf_put_text(out, text.len == 0 ? "(none)" : "(hidden)");
        return;
    }
    buf_put(out, text);
}

void field_print(const struct field *field, const void *object, struct buf *out)
{
    const char *at = (const char *)object + field->place;
    struct span text = {NULL, 0};
    uint32_t small = 0;
    uint64_t large = 0;
    bool is_true = false;

    switch ((enum field_type)field->type) {
    case FIELD_BOOL:
        memcpy(&is_true, at, sizeof is_true);
        buf_put_text(out, is_true ? "true" : "false");
        return;
    case FIELD_SWITCH:
        memcpy(&is_true, at, sizeof is_true);
        buf_put(out, field->words[is_true ? 1 : 0]);
        return;
    case FIELD_U32:
    case FIELD_DURATION:
    case FIELD_PERCENT:
    case FIELD_WORD: memcpy(&small, at, sizeof small); break;
    case FIELD_U64:
    case FIELD_SIZE: memcpy(&large, at, sizeof large); break;
    case FIELD_TEXT:
        memcpy(&text, at, sizeof text);
        print_text(field, text, out);
        return;
    case FIELD_MAP:
    case FIELD_CUSTOM: UNREACHABLE();
    }
    if (field->type == FIELD_DURATION) {
        print_duration(field, small, out);
    } else if (field->type == FIELD_WORD) {
        /* A default that depends on the place (a terminal) is an index past the words. */
        buf_put(out, small < field->words_count ? field->words[small] : SPAN_OF("(default)"));
    } else if (field->type == FIELD_SIZE) {
        text_put_size(out, large);
    } else {
        buf_put_u64(out, field->type == FIELD_U64 ? large : small);
        buf_put_text(out, field->type == FIELD_PERCENT ? "%" : "");
    }
}
