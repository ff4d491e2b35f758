/* SPDX-License-Identifier: Apache-2.0 */
/* The form (tokenizers.md 8), one function:
 *
 *   namespace functions {
 *
 *   // description
 *   type NAME = (_: {
 *   // description of a property, on the first level only
 *   name: type,
 *   other?: "a" | "b",
 *   nested: {
 *     name: string[],
 *   },
 *   }) => any;
 *
 *   } // namespace functions
 *
 * Schemas come from anybody: below DEPTH_MAX a type is `any`, and after LOOKS_MAX looks into lists
 * of required names every property passes for required, which is one sign less. */
#include "pricing/definitions.h"

#include "base/must.h"
#include "wire/json_walk.h"
#include "wire/json_value.h"

enum { DEPTH_MAX = 16, LOOKS_MAX = 100000, INDENT = 2 };

/* The words of a schema that matter. */
enum { TYPE, DESCRIPTION, ENUM, ITEMS, PROPERTIES, REQUIRED, WORDS };
static const char *const words[WORDS] = {"type",  "description", "enum",
                                         "items", "properties",  "required"};

static void put_type(struct definitions *definitions, const struct span *schema, unsigned indent);

static void put_string(struct buf *out, struct span raw)
{
    if (json_is_string(raw)) {
        json_string_decode(raw, out);
    }
}

static void put_blanks(struct buf *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        buf_put_char(out, ' ');
    }
}

static bool is_required(struct definitions *definitions, struct span required, struct span name)
{
    struct json_walk walk = json_walk_of(required);
    struct span item;

    while (definitions->looks > 0 && json_walk_item(&walk, &item)) {
        definitions->looks--;
        if (span_equal(item, name)) {
            return true;
        }
    }
    return definitions->looks == 0;
}

/* One line each, with a line break between them. */
static void put_properties(struct definitions *definitions, const struct span *schema,
                           unsigned indent)
{
    struct json_walk walk = json_walk_of(schema[PROPERTIES]);
    struct buf *out = definitions->out;
    struct span name;
    struct span value;
    bool is_first = true;

    while (json_walk_member(&walk, &name, &value) && !out->failed) {
        struct span inner[WORDS];

        json_walk_pick(value, words, WORDS, inner);
        buf_put_text(out, is_first ? "" : "\n");
        is_first = false;
        if (json_is_string(inner[DESCRIPTION]) && inner[DESCRIPTION].len > 2 && indent < INDENT) {
            put_blanks(out, indent);
            buf_put_text(out, "// ");
            put_string(out, inner[DESCRIPTION]);
            buf_put_char(out, '\n');
        }
        put_blanks(out, indent);
        put_string(out, name);
        buf_put_text(out, is_required(definitions, schema[REQUIRED], name) ? ": " : "?: ");
        put_type(definitions, inner, indent);
        buf_put_char(out, ',');
    }
}

static void put_enum(struct buf *out, struct span values)
{
    struct json_walk walk = json_walk_of(values);
    struct span value;
    bool is_first = true;

    while (json_walk_item(&walk, &value)) {
        buf_put_text(out, is_first ? "" : " | ");
        buf_put(out, value);
        is_first = false;
    }
}

static void put_array(struct definitions *definitions, struct span items, unsigned indent)
{
    struct span inner[WORDS];

    json_walk_pick(items, words, WORDS, inner);
    put_type(definitions, inner, indent);
    buf_put_text(definitions->out, "[]");
}

static void put_object(struct definitions *definitions, const struct span *schema, unsigned indent)
{
    buf_put_text(definitions->out, "{\n");
    put_properties(definitions, schema, indent + INDENT);
    buf_put_char(definitions->out, '\n');
    put_blanks(definitions->out, indent);
    buf_put_char(definitions->out, '}');
}

/* A type of one word, or with its values listed; false when it is an object or a list. */
static bool put_simple(struct buf *out, const struct span *schema)
{
    struct span type = schema[TYPE];
    bool is_number = json_is_text(type, "number") || json_is_text(type, "integer");

    if ((is_number || json_is_text(type, "string")) && json_is_array(schema[ENUM])) {
        put_enum(out, schema[ENUM]);
    } else if (is_number) {
        buf_put_text(out, "number");
    } else if (json_is_text(type, "string") || json_is_text(type, "boolean") ||
               json_is_text(type, "null")) {
        put_string(out, type);
    } else {
        return false;
    }
    return true;
}

static void put_type(struct definitions *definitions, const struct span *schema, unsigned indent)
{
    bool is_array = json_is_text(schema[TYPE], "array");

    if (put_simple(definitions->out, schema)) {
        return;
    }
    definitions->depth++;
    if (definitions->depth > DEPTH_MAX) {
        buf_put_text(definitions->out, "any");
    } else if (is_array && json_is_object(schema[ITEMS])) {
        put_array(definitions, schema[ITEMS], indent);
    } else if (json_is_text(schema[TYPE], "object")) {
        put_object(definitions, schema, indent);
    } else {
        buf_put_text(definitions->out, is_array ? "any[]" : "any");
    }
    definitions->depth--;
}

void definitions_begin(struct definitions *definitions, struct buf *out)
{
    *definitions = (struct definitions){.out = out, .looks = LOOKS_MAX};
    buf_put_text(out, "namespace functions {\n\n");
}

void definitions_put(struct definitions *definitions, struct span function)
{
    static const char *const members[] = {"name", "description", "parameters"};
    struct span parts[ARRAY_LENGTH(members)];
    struct span schema[WORDS];
    struct buf *out = definitions->out;
    struct json_walk properties;
    struct span name;
    struct span value;

    json_walk_pick(function, members, ARRAY_LENGTH(members), parts);
    json_walk_pick(parts[2], words, WORDS, schema);
    properties = json_walk_of(schema[PROPERTIES]);
    definitions->count++;
    if (json_is_string(parts[1]) && parts[1].len > 2) {
        buf_put_text(out, "// ");
        put_string(out, parts[1]);
        buf_put_char(out, '\n');
    }
    buf_put_text(out, "type ");
    put_string(out, parts[0]);
    if (json_walk_member(&properties, &name, &value)) {
        buf_put_text(out, " = (_: {\n");
        put_properties(definitions, schema, 0);
        buf_put_text(out, "\n}) => any;\n\n");
    } else {
        buf_put_text(out, " = () => any;\n\n");
    }
}

void definitions_end(struct definitions *definitions)
{
    buf_put_text(definitions->out, "} // namespace functions");
}
