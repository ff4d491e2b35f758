/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas of tools and answers. Google's `parameters` and `responseSchema` are a subset of OpenAPI 3.0
 * with types in capitals and `nullable`; its `...JsonSchema` members take JSON Schema, all but `const`
 * (gemini.md 3, translation.md 5). Both rewritings are one walk over the schema with a stack of its own:
 * what a member means depends on where it stands, since `properties` may have one that is called `type`. */
#include "wire/dialects/gemini_generate.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/must.h"

/* What a value is. Of the ways to write one, RAW: as it stands; WRITTEN: it has been, or is left out. */
enum place { WRITTEN, RAW, SCHEMA, SCHEMAS_BY_NAME, SCHEMAS };

struct frame {
    struct json_walk walk;
    enum place place;
    bool is_nullable;  /* of a SCHEMA */
    bool has_type;
    bool has_constant;
    bool adds_null;    /* SCHEMAS: one more at the end, for null */
};

/* One member of a schema: writes the key unless it is WRITTEN then. */
typedef enum place member_fn(struct json_out *out, const struct frame *frame, struct span name,
                             struct span value);

static enum place place_of(struct span name, struct span value)
{
    static const struct {
        struct span name;
        enum place place;
    } words[] = {
        {SPAN("items"), SCHEMA},
        {SPAN("additionalProperties"), SCHEMA},
        {SPAN("additionalItems"), SCHEMA},
        {SPAN("not"), SCHEMA},
        {SPAN("if"), SCHEMA},
        {SPAN("then"), SCHEMA},
        {SPAN("else"), SCHEMA},
        {SPAN("contains"), SCHEMA},
        {SPAN("propertyNames"), SCHEMA},
        {SPAN("unevaluatedItems"), SCHEMA},
        {SPAN("unevaluatedProperties"), SCHEMA},
        {SPAN("properties"), SCHEMAS_BY_NAME},
        {SPAN("patternProperties"), SCHEMAS_BY_NAME},
        {SPAN("dependentSchemas"), SCHEMAS_BY_NAME},
        {SPAN("$defs"), SCHEMAS_BY_NAME},
        {SPAN("definitions"), SCHEMAS_BY_NAME},
        {SPAN("anyOf"), SCHEMAS},
        {SPAN("oneOf"), SCHEMAS},
        {SPAN("allOf"), SCHEMAS},
        {SPAN("prefixItems"), SCHEMAS},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (span_equal(words[i].name, name)) {
            /* Older drafts have a list of schemas under `items`. */
            if (json_is_array(value)) {
                return words[i].place == SCHEMAS_BY_NAME ? RAW : SCHEMAS;
            }
            return json_is_object(value) && words[i].place != SCHEMAS ? words[i].place : RAW;
        }
    }
    return RAW;
}

/* ---- the walk ---- */

static void open_frame(struct json_out *out, struct frame *frame, enum place place,
                       struct span value)
{
    static const char *const names[] = {"nullable", "type", "const"};
    struct span values[ARRAY_LENGTH(names)];

    *frame = (struct frame){.walk = json_walk_of(value), .place = place};
    if (place == SCHEMAS) {
        json_open_array(out);
        return;
    }
    json_open_object(out);
    if (place == SCHEMA) {
        json_walk_pick(value, names, ARRAY_LENGTH(names), values);
        frame->is_nullable = span_equal(values[0], SPAN_OF("true"));
        frame->has_type = values[1].len > 0 && !json_is_text(values[1], "TYPE_UNSPECIFIED");
        frame->has_constant = values[2].len > 0;
    }
}

static void close_frame(struct json_out *out, const struct frame *frame)
{
    if (frame->adds_null) {
        json_raw(out, SPAN_OF("{\"type\":\"null\"}"));
    }
    if (frame->place == SCHEMAS) {
        json_close_array(out);
    } else {
        json_close_object(out);
    }
}

struct item {
    enum place place;
    struct span name; /* with its quotes; of a list's item empty */
    struct span value;
};

/* The next value of the frame, with its key written. False: there is none. */
static bool step(struct json_out *out, struct frame *frame, member_fn *member, struct item *item)
{
    *item = (struct item){.place = RAW};
    if (frame->place == SCHEMAS) {
        if (!json_walk_item(&frame->walk, &item->value)) {
            return false;
        }
        item->place = json_is_object(item->value) ? SCHEMA : RAW;
        return true;
    }
    if (!json_walk_member(&frame->walk, &item->name, &item->value)) {
        return false;
    }
    if (frame->place == SCHEMA) {
        item->place = member(out, frame, chat_inside(item->name), item->value);
        return true;
    }
    json_key_plain(out, chat_inside(item->name));
    item->place = json_is_object(item->value) ? SCHEMA : RAW;
    return true;
}

/* Of alternatives without a type of their own beside them null is one more. */
static bool adds_null(const struct frame *frame, const struct item *item)
{
    return frame->place == SCHEMA && item->place == SCHEMAS && frame->is_nullable &&
           !frame->has_type &&
           (json_is_text(item->name, "anyOf") || json_is_text(item->name, "any_of"));
}

/* As deep as documents may be; what is deeper stays as it is. */
static void rewrite(struct json_out *out, struct span schema, member_fn *member)
{
    struct frame stack[LIMIT_JSON_DEPTH];
    size_t depth = 1;

    open_frame(out, &stack[0], SCHEMA, schema);
    while (depth > 0) {
        struct frame *top = &stack[depth - 1];
        struct item item;

        if (!step(out, top, member, &item)) {
            close_frame(out, top);
            depth--;
        } else if (item.place == RAW || (item.place != WRITTEN && depth == ARRAY_LENGTH(stack))) {
            json_raw(out, item.value);
        } else if (item.place != WRITTEN) {
            open_frame(out, &stack[depth], item.place, item.value);
            stack[depth].adds_null = adds_null(top, &item);
            depth++;
        }
    }
}

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

static void write_type(struct json_out *out, const struct frame *frame, struct span type)
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
    if (frame->is_nullable) {
        json_open_array(out);
    }
    /* The bytes come from a string: they need no escapes that are not there. */
    json_raw(out, SPAN_OF("\""));
    buf_put(out->buf, inside);
    buf_put_char(out->buf, '"');
    if (frame->is_nullable) {
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

static enum place member_to_json(struct json_out *out, const struct frame *frame, struct span name,
                                 struct span value)
{
    enum place place = RAW;

    name = usual_name(name);
    if (is_google_only(name, value) || span_equal(value, SPAN_OF("null"))) {
        return WRITTEN;
    }
    if (span_equal(name, SPAN_OF("type"))) {
        write_type(out, frame, value);
        return WRITTEN;
    }
    if (span_equal(name, SPAN_OF("enum")) && frame->is_nullable && json_is_array(value)) {
        write_enum(out, value);
        return WRITTEN;
    }
    json_key_plain(out, name);
    place = place_of(name, value);
    if (place == RAW) {
        json_raw(out, bare_number(name, value));
        return WRITTEN;
    }
    return place;
}

struct span gemini_generate_schema_read(struct chat *chat, struct span schema)
{
    struct json_out out;
    struct buf buf;
    struct span kept = span_make(NULL, 0);

    buf_init(&buf, CHAT_STRING_MAX);
    json_out_init(&out, &buf);
    rewrite(&out, schema, member_to_json);
    if (buf.failed) {
        chat->arena->failed = true;
    } else {
        kept = arena_copy(chat->arena, buf_span(&buf));
    }
    buf_fini(&buf);
    return kept;
}

/* ---- JSON Schema for Google ---- */

static enum place member_to_google(struct json_out *out, const struct frame *frame,
                                   struct span name, struct span value)
{
    if (span_equal(name, SPAN_OF("const"))) {
        json_key(out, "enum");
        json_open_array(out);
        json_raw(out, value);
        json_close_array(out);
        return WRITTEN;
    }
    if (span_equal(name, SPAN_OF("enum")) && frame->has_constant) {
        return WRITTEN; /* the constant is one of its values, or nothing would fit */
    }
    json_key_plain(out, name);
    return place_of(name, value);
}

void gemini_generate_schema_write(struct json_out *out, struct span schema)
{
    if (!json_is_object(schema) || span_find(schema, SPAN_OF("\"const\"")) == NULL) {
        json_raw(out, schema);
    } else {
        rewrite(out, schema, member_to_google);
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
        struct span plain = chat_inside(name);
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
