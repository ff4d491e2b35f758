/* SPDX-License-Identifier: Apache-2.0 */
/* The document has been found good, so only the ends of values are looked for; a document that is
 * not would end the walk early, never lead out of it. */
#include "pricing/import_walk.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void skip(struct span *rest, const char *also)
{
    while (rest->len > 0 &&
           (is_space(rest->at[0]) || (also[0] != '\0' && rest->at[0] == also[0]))) {
        *rest = span_from(*rest, 1);
    }
}

/* Bytes of the string at the front, quotes included. */
static size_t string_length(struct span text)
{
    for (size_t i = 1; i < text.len; i++) {
        if (text.at[i] == '\\') {
            i++;
        } else if (text.at[i] == '"') {
            return i + 1;
        }
    }
    return text.len;
}

/* Bytes of the object or array at the front. */
static size_t container_length(struct span text)
{
    size_t depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '"') {
            i += string_length(span_from(text, i)) - 1;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return text.len;
}

static size_t value_length(struct span text)
{
    size_t length = 0;

    if (text.len > 0 && text.at[0] == '"') {
        return string_length(text);
    }
    if (text.len > 0 && (text.at[0] == '{' || text.at[0] == '[')) {
        return container_length(text);
    }
    while (length < text.len && !is_space(text.at[length]) && text.at[length] != ',' &&
           text.at[length] != '}' && text.at[length] != ']') {
        length++;
    }
    return length;
}

static struct span take(struct span *rest, size_t length)
{
    struct span taken = span_make(rest->at, length);

    *rest = span_from(*rest, length);
    return taken;
}

bool import_next(struct span *rest, struct import_member *member)
{
    struct span key = {NULL, 0};

    skip(rest, "");
    if (rest->len > 0 && rest->at[0] == '{') {
        *rest = span_from(*rest, 1);
    }
    skip(rest, ",");
    if (rest->len < 2 || rest->at[0] != '"') {
        return false;
    }
    key = take(rest, string_length(*rest));
    member->key = key.len < 2 ? span_make("", 0) : span_make(key.at + 1, key.len - 2);
    skip(rest, ":");
    member->value = take(rest, value_length(*rest));
    return true;
}

struct span import_member_of(struct span object, struct span key)
{
    struct span found = {NULL, 0};
    struct import_member member;

    if (object.len == 0 || object.at[0] != '{') {
        return found;
    }
    while (import_next(&object, &member)) {
        if (span_equal(member.key, key)) {
            found = member.value;
        }
    }
    return found;
}

bool import_text(struct span value, struct span *text)
{
    if (value.len < 2 || value.at[0] != '"' || memchr(value.at, '\\', value.len) != NULL) {
        return false;
    }
    *text = span_make(value.at + 1, value.len - 2);
    return true;
}
