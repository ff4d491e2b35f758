/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json_walk.h"

#include "wire/json_text.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p)) {
        p++;
    }
    return p;
}

/* `p` is behind the opening quote; the result behind the closing one, or `end`. */
static const char *skip_string(const char *p, const char *end)
{
    const char *from = p;

    for (;;) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *slash = quote;

        if (quote == NULL) {
            return end;
        }
        while (slash > from && slash[-1] == '\\') {
            slash--;
        }
        if ((quote - slash) % 2 == 0) {
            return quote + 1;
        }
        p = from = quote + 1;
    }
}

static const char *skip_container(const char *p, const char *end)
{
    size_t depth = 0;

    while (p < end) {
        char c = *p++;

        if (c == '"') {
            p = skip_string(p, end);
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return p;
        }
    }
    return end;
}

static const char *skip_value(const char *p, const char *end)
{
    if (p < end && *p == '"') {
        return skip_string(p + 1, end);
    }
    if (p < end && (*p == '{' || *p == '[')) {
        return skip_container(p, end);
    }
    while (p < end && !is_blank(*p) && *p != ',' && *p != ':' && *p != '}' && *p != ']') {
        p++;
    }
    return p;
}

struct span json_walk_document(struct span text)
{
    while (text.len > 0 && is_blank(text.at[text.len - 1])) {
        text.len--;
    }
    while (text.len > 0 && is_blank(*text.at)) {
        text = span_from(text, 1);
    }
    return text;
}

struct json_walk json_walk_of(struct span container)
{
    if (!json_is_object(container) && !json_is_array(container)) {
        return (struct json_walk){NULL, NULL};
    }
    return (struct json_walk){container.at + 1, container.at + container.len - 1};
}

static bool next(struct json_walk *walk, char separator, struct span *value)
{
    const char *p = NULL;

    if (walk->at == NULL) {
        return false;
    }
    p = skip_blanks(walk->at, walk->end);
    if (p < walk->end && *p == separator) {
        p = skip_blanks(p + 1, walk->end);
    }
    walk->at = skip_value(p, walk->end);
    *value = span_make(p, (size_t)(walk->at - p));
    return value->len > 0;
}

bool json_walk_item(struct json_walk *walk, struct span *value)
{
    return next(walk, ',', value);
}

bool json_walk_member(struct json_walk *walk, struct span *name, struct span *value)
{
    return next(walk, ',', name) && json_is_string(*name) && next(walk, ':', value);
}

bool json_walk_stop(struct json_walk *walk, struct span *name, char *first)
{
    if (name != NULL && (!next(walk, ',', name) || !json_is_string(*name))) {
        return false;
    }
    walk->at = skip_blanks(walk->at, walk->end);
    if (walk->at < walk->end && *walk->at == (name != NULL ? ':' : ',')) {
        walk->at = skip_blanks(walk->at + 1, walk->end);
    }
    *first = walk->at < walk->end ? *walk->at : ']';
    /* A colon: an object that is gone over like a list. */
    return *first != ']' && *first != '}' && *first != ':' && *first != ',';
}

struct span json_walk_skip(struct json_walk *walk)
{
    const char *from = walk->at;

    walk->at = skip_value(from, walk->end);
    return span_make(from, (size_t)(walk->at - from));
}

struct json_walk json_walk_into(const struct json_walk *walk)
{
    return (struct json_walk){walk->at + 1, walk->end};
}

void json_walk_leave(struct json_walk *walk, const struct json_walk *inner)
{
    if (inner->at != NULL) {
        walk->at = inner->at < inner->end ? inner->at + 1 : inner->end;
    }
}

bool json_walk_enter(struct json_walk *walk, struct json_walk *inner)
{
    char first = 0;

    *inner = (struct json_walk){NULL, NULL};
    if (!json_walk_stop(walk, NULL, &first)) {
        return false;
    }
    if (first == '{') {
        *inner = json_walk_into(walk);
    } else {
        (void)json_walk_skip(walk);
    }
    return true;
}

struct span json_walk_name(struct span raw, char room[JSON_NAME_MAX])
{
    struct span rest = span_make(raw.at + 1, raw.len - 2);
    size_t len = 0;

    if (rest.len == 0 || memchr(rest.at, '\\', rest.len) == NULL) {
        return rest;
    }
    while (rest.len > 0 && len + 4 <= JSON_NAME_MAX) {
        if (*rest.at == '\\') {
            len += json_text_unescape(&rest, room + len);
        } else {
            room[len++] = *rest.at;
            rest = span_from(rest, 1);
        }
    }
    return span_make(room, rest.len > 0 ? 0 : len);
}

static void pick(struct json_walk *walk, const char *const *names, size_t count, struct span *values)
{
    struct span name;
    struct span value;

    while (json_walk_member(walk, &name, &value)) {
        char room[JSON_NAME_MAX];
        struct span plain = json_walk_name(name, room);

        for (size_t i = 0; i < count; i++) {
            if (span_equal(plain, span_of(names[i]))) {
                values[i] = value;
            }
        }
    }
}

static void clear(struct span *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = span_make(NULL, 0);
    }
}

void json_walk_pick(struct span object, const char *const *names, size_t count, struct span *values)
{
    struct json_walk walk = json_walk_of(object);

    clear(values, count);
    if (json_is_object(object)) {
        pick(&walk, names, count, values);
    }
}

bool json_walk_pick_next(struct json_walk *walk, const char *const *names, size_t count, struct span *values)
{
    struct json_walk inner;

    clear(values, count);
    if (!json_walk_enter(walk, &inner)) {
        return false;
    }
    pick(&inner, names, count, values);
    json_walk_leave(walk, &inner);
    return true;
}

struct span json_walk_ahead(const struct json_walk *walk, const char *name)
{
    struct json_walk inner = *walk;
    struct span raw;
    struct span value;
    char first = 0;

    if (!json_walk_stop(&inner, NULL, &first) || first != '{') {
        return span_make(NULL, 0);
    }
    inner = json_walk_into(&inner);
    while (json_walk_member(&inner, &raw, &value)) {
        if (json_is_name(raw, name)) {
            return value;
        }
    }
    return span_make(NULL, 0);
}

struct span json_walk_find(struct span object, const char *name)
{
    struct span value;

    json_walk_pick(object, &name, 1, &value);
    return value;
}

bool json_is_string(struct span value)
{
    return value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"';
}

bool json_is_object(struct span value)
{
    return value.len >= 2 && value.at[0] == '{';
}

bool json_is_array(struct span value)
{
    return value.len >= 2 && value.at[0] == '[';
}

bool json_is_text(struct span value, const char *text)
{
    return json_is_string(value) &&
           span_equal(span_make(value.at + 1, value.len - 2), span_of(text));
}

bool json_is_name(struct span raw, const char *name)
{
    char room[JSON_NAME_MAX];

    return span_equal(json_walk_name(raw, room), span_of(name));
}
