/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas of tools and answers. Google's `parameters` and `responseSchema` are a subset of OpenAPI 3.0
 * with types in capitals and `nullable`; its `...JsonSchema` members take JSON Schema, all but `const`
 * (gemini.md 3, translation.md 5). */
#include "wire/dialects/gemini_generate.h"

#include "base/must.h"
#include "wire/schema.h"

/* ---- OpenAPI to JSON Schema ---- */

/* The spelling of JSON Schema for what Google also reads with underscores. */
static struct span usual_name(struct span name)
{
    static const struct {
        struct span snake;
        struct span camel;
    } names[] = {
        {SPAN("any_of"), SPAN("anyOf")},
        {SPAN("min_items"), SPAN("minItems")},
        {SPAN("max_items"), SPAN("maxItems")},
        {SPAN("min_length"), SPAN("minLength")},
        {SPAN("max_length"), SPAN("maxLength")},
        {SPAN("min_properties"), SPAN("minProperties")},
        {SPAN("max_properties"), SPAN("maxProperties")},
        {SPAN("property_ordering"), SPAN("propertyOrdering")},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (span_equal(names[i].snake, name)) {
            return names[i].camel;
        }
    }
    return name;
}

static void write_type(struct json_out *out, const struct schema_level *level, struct span type)
{
    static const struct span types[] = {SPAN("string"),  SPAN("number"), SPAN("integer"),
                                        SPAN("boolean"), SPAN("array"),  SPAN("object"),
                                        SPAN("null")};
    struct span inside = chat_inside(type);

    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        if (span_equal_nocase(inside, types[i])) {
            inside = types[i];
        }
    }
    json_key(out, "type");
    if (!json_is_string(type)) {
        json_raw(out, type); /* JSON Schema's own list of types */
        return;
    }
    if ((level->traits & SCHEMA_NULLABLE) != 0) {
        json_open_array(out);
    }
    /* The bytes come from a string: they need no escapes that are not there. */
    json_raw(out, SPAN_OF("\""));
    buf_put(out->buf, inside);
    buf_put_char(out->buf, '"');
    if ((level->traits & SCHEMA_NULLABLE) != 0) {
        json_text(out, "null");
        json_close_array(out);
    }
}

/* What may be null needs null among the values it may have. */
static void write_enum(struct json_out *out, struct span list)
{
    struct json_walk walk = json_walk_of(list);
    struct span item;
    bool has_null = false;

    json_key(out, "enum");
    json_open_array(out);
    while (json_walk_item(&walk, &item)) {
        has_null = has_null || span_equal(item, SPAN_OF("null"));
        json_raw(out, item);
    }
    if (!has_null) {
        json_null(out);
    }
    json_close_array(out);
}

/* Google's JSON has 64-bit integers in quotes: "minItems": "1". */
static struct span bare_number(struct span name, struct span value)
{
    struct span digits = chat_inside(value);
    bool is_count = span_starts(name, SPAN_OF("min")) || span_starts(name, SPAN_OF("max"));

    for (size_t i = 0; is_count && i < digits.len; i++) {
        is_count = digits.at[i] >= '0' && digits.at[i] <= '9';
    }
    return is_count && digits.len > 0 && (digits.len == 1 || *digits.at != '0') ? digits : value;
}

static bool is_google_only(struct span name, struct span value)
{
    return span_equal(name, SPAN_OF("nullable")) || span_equal(name, SPAN_OF("propertyOrdering")) ||
           span_equal(name, SPAN_OF("example")) ||
           (span_equal(name, SPAN_OF("format")) && json_is_text(value, "enum")) ||
           (span_equal(name, SPAN_OF("type")) && json_is_text(value, "TYPE_UNSPECIFIED"));
}

static void member_to_json(struct json_out *out, const struct schema_level *level, struct span name, struct span value)
{
    if (is_google_only(name, value) || span_equal(value, SPAN_OF("null"))) {
        return;
    }
    if (span_equal(name, SPAN_OF("type"))) {
        write_type(out, level, value);
    } else if (span_equal(name, SPAN_OF("enum")) && (level->traits & SCHEMA_NULLABLE) != 0 && json_is_array(value)) {
        write_enum(out, value);
    } else {
        json_key_plain(out, name);
        json_raw(out, bare_number(name, value));
    }
}

struct span gemini_generate_schema_read(struct chat *chat, struct span schema)
{
    static const struct schema_rules rules = {.member = member_to_json, .key = usual_name, .adds_null = true};

    return schema_respelled(chat->arena, schema, &rules, NULL);
}

/* ---- JSON Schema for Google ---- */

static void member_to_google(struct json_out *out, const struct schema_level *level, struct span name, struct span value)
{
    if (span_equal(name, SPAN_OF("const"))) {
        json_key(out, "enum");
        json_open_array(out);
        json_raw(out, value);
        json_close_array(out);
    } else if (!span_equal(name, SPAN_OF("enum")) || (level->traits & SCHEMA_CONSTANT) == 0) {
        /* Beside a constant: it is one of these values, or nothing would fit. */
        json_key_plain(out, name);
        json_raw(out, value);
    }
}

void gemini_generate_schema_write(struct json_out *out, struct span schema)
{
    static const struct schema_rules rules = {.member = member_to_google};

    if (json_is_object(schema) && schema_has(schema, SCHEMA_CONSTANT)) {
        schema_rewrite(out, schema, &rules, NULL);
    } else {
        json_raw(out, schema);
    }
}

bool gemini_generate_schema_is_empty(struct span schema)
{
    static const struct span idle[] = {SPAN("type"), SPAN("required"), SPAN("title"),
                                       SPAN("description"), SPAN("$schema")};
    struct json_walk walk = json_walk_of(schema);
    struct span name;
    struct span value;

    while (json_is_object(schema) && json_walk_member(&walk, &name, &value)) {
        char room[JSON_NAME_MAX];
        struct span plain = json_walk_name(name, room);
        struct json_walk inner = json_walk_of(value);
        struct span first;
        size_t i = 0;
        bool is_bare = (span_equal(plain, SPAN_OF("properties")) && json_is_object(value) &&
                        !json_walk_item(&inner, &first)) ||
                       (span_equal(plain, SPAN_OF("additionalProperties")) &&
                        span_equal(value, SPAN_OF("false")));

        while (i < ARRAY_LENGTH(idle) && !span_equal(plain, idle[i])) {
            i++;
        }
        if (i == ARRAY_LENGTH(idle) && !is_bare) {
            return false;
        }
    }
    return true;
}
