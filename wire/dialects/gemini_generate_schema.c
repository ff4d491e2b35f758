/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas of tools and answers. Google's `parameters` and `responseSchema` are a subset of OpenAPI 3.0
 * with types in capitals and `nullable`; its `...JsonSchema` members take JSON Schema, all but `const`
 * (gemini.md 3, translation.md 5). Both rewritings are one walk over the schema with a stack of its own:
 * what a member means depends on where it stands, since `properties` may have one that is called `type`. */
#include "wire/dialects/gemini_generate.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/must.h"

enum { SURVEY_MAX = 64 * 1024 * 1024 }; /* marks of as many objects as a document may have */

/* What a value is. Of the ways to write one, RAW: as it stands. */
enum place { RAW, SCHEMA, SCHEMAS_BY_NAME, SCHEMAS };

/* What must be known of a schema before its members are written. */
enum trait { NULLABLE = 1, TYPED = 2, CONSTANT = 4 };

struct frame {
    struct json_walk walk;
    enum place place;
    unsigned traits;   /* of a SCHEMA */
    bool adds_null;    /* SCHEMAS: one more at the end, for null */
};

/* How the members of a schema are said that hold no schemas: writes key and value, or leaves both out. */
typedef void member_fn(struct json_out *out, const struct frame *frame, struct span name, struct span value);
struct rules {
    member_fn *member;
    struct span (*key)(struct span name); /* the spelling of the others */
};

/* `first`: of the value. Older drafts have a list of schemas under `items`. */
static enum place place_of(struct span name, char first)
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

    for (size_t i = 0; i < ARRAY_LENGTH(words) && (first == '{' || first == '['); i++) {
        if (span_equal(words[i].name, name)) {
            if (first == '[') {
                return words[i].place == SCHEMAS_BY_NAME ? RAW : SCHEMAS;
            }
            return words[i].place != SCHEMAS ? words[i].place : RAW;
        }
    }
    return RAW;
}

/* ---- traits, in one pass of their own ---- */

/* Of each object in the schema, in their order. To look for the traits where they are needed would be to go over
 * everything below once more on each level. */
struct mark {
    size_t at; /* from the schema's beginning */
    unsigned traits;
};
struct survey {
    const char *from;
    struct buf marks;
    size_t next; /* bytes of `marks` that are behind the writer */
};

static unsigned trait_of(struct span name, struct span value)
{
    if (json_is_name(name, "nullable")) {
        return span_equal(value, SPAN_OF("true")) ? NULLABLE : 0;
    }
    if (json_is_name(name, "type")) {
        return json_is_text(value, "TYPE_UNSPECIFIED") ? 0 : TYPED;
    }
    return json_is_name(name, "const") ? CONSTANT : 0;
}

static void add_traits(struct survey *survey, size_t mark, unsigned traits)
{
    struct mark found;

    memcpy(&found, survey->marks.at + mark, sizeof found);
    found.traits |= traits;
    memcpy(survey->marks.at + mark, &found, sizeof found);
}

struct level {
    struct json_walk walk;
    size_t mark; /* where its own stands */
    bool is_list;
};

static struct level open_level(struct survey *survey, struct json_walk walk, char bracket)
{
    const struct mark mark = {.at = (size_t)(walk.at - 1 - survey->from)};
    const struct level level = {.walk = walk, .mark = survey->marks.len, .is_list = bracket == '['};

    if (!level.is_list) {
        buf_put(&survey->marks, span_make((const char *)&mark, sizeof mark));
    }
    return level;
}

static void take_survey(struct survey *survey, struct span schema)
{
    struct level stack[LIMIT_JSON_DEPTH];
    size_t depth = 1;

    *survey = (struct survey){.from = schema.at};
    buf_init(&survey->marks, SURVEY_MAX);
    stack[0] = open_level(survey, json_walk_of(schema), '{');
    while (depth > 0 && !survey->marks.failed) {
        struct level *top = &stack[depth - 1];
        struct span name = SPAN_OF("");
        char first = 0;

        if (!json_walk_stop(&top->walk, top->is_list ? NULL : &name, &first)) {
            depth--;
            if (depth > 0) {
                json_walk_leave(&stack[depth - 1].walk, &top->walk);
            }
        } else if ((first == '{' || first == '[') && depth < ARRAY_LENGTH(stack)) {
            if (!top->is_list) {
                add_traits(survey, top->mark, trait_of(name, SPAN_OF("{}")));
            }
            stack[depth++] = open_level(survey, json_walk_into(&top->walk), first);
        } else {
            struct span value = json_walk_skip(&top->walk);

            if (!top->is_list) {
                add_traits(survey, top->mark, trait_of(name, value));
            }
        }
    }
}

/* Those of the object at this place: each is asked for once at most, from the first one on. */
static unsigned traits_at(struct survey *survey, const char *at)
{
    struct mark mark = {.at = 0};

    while (survey->next < survey->marks.len) {
        memcpy(&mark, survey->marks.at + survey->next, sizeof mark);
        survey->next += sizeof mark;
        if (mark.at == (size_t)(at - survey->from)) {
            return mark.traits;
        }
    }
    return 0;
}

/* ---- the walk ---- */

static void open_frame(struct json_out *out, struct survey *survey, struct frame *frame, enum place place,
                       struct json_walk walk)
{
    *frame = (struct frame){.walk = walk, .place = place};
    if (place == SCHEMAS) {
        json_open_array(out);
        return;
    }
    json_open_object(out);
    if (place == SCHEMA) {
        frame->traits = traits_at(survey, walk.at - 1);
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
    struct span name; /* of a list's item empty */
    char room[JSON_NAME_MAX];
};

/* The name without its quotes, and without escapes unless it needs some; those that do mean nothing to us. */
static struct span plain_name(struct span raw, char room[JSON_NAME_MAX])
{
    struct span plain = json_walk_name(raw, room);

    for (size_t i = 0; i < plain.len; i++) {
        if (plain.at[i] < ' ' || plain.at[i] == '"' || plain.at[i] == '\\') {
            return chat_inside(raw);
        }
    }
    return plain.len > 0 ? plain : chat_inside(raw);
}

/* The next value of the frame: written if it is RAW, else with its key written and still to be gone into. False: there
 * is none. */
static bool step(struct json_out *out, struct frame *frame, const struct rules *rules, bool is_deepest, struct item *item)
{
    char first = 0;

    item->name = SPAN_OF("");
    if (!json_walk_stop(&frame->walk, frame->place == SCHEMAS ? NULL : &item->name, &first)) {
        return false;
    }
    item->name = frame->place == SCHEMA ? plain_name(item->name, item->room) : chat_inside(item->name);
    item->place = first == '{' ? SCHEMA : RAW;
    if (frame->place == SCHEMA) {
        item->name = rules->key(item->name);
        item->place = place_of(item->name, first);
        if (item->place == RAW) {
            rules->member(out, frame, item->name, json_walk_skip(&frame->walk));
            return true;
        }
    }
    if (frame->place != SCHEMAS) {
        json_key_plain(out, item->name);
    }
    item->place = is_deepest ? RAW : item->place;
    if (item->place == RAW) {
        json_raw(out, json_walk_skip(&frame->walk));
    }
    return true;
}

/* Of alternatives without a type of their own beside them null is one more. */
static bool adds_null(const struct frame *frame, const struct item *item)
{
    return frame->place == SCHEMA && item->place == SCHEMAS && (frame->traits & NULLABLE) != 0 &&
           (frame->traits & TYPED) == 0 && span_equal(item->name, SPAN_OF("anyOf"));
}

/* As deep as documents may be; what is deeper stays as it is. Each byte is passed over once. */
static void rewrite(struct json_out *out, struct span schema, const struct rules *rules)
{
    struct frame stack[LIMIT_JSON_DEPTH];
    struct survey survey;
    size_t depth = 1;

    take_survey(&survey, schema);
    open_frame(out, &survey, &stack[0], SCHEMA, json_walk_of(schema));
    while (depth > 0) {
        struct frame *top = &stack[depth - 1];
        struct item item;

        if (!step(out, top, rules, depth == ARRAY_LENGTH(stack), &item)) {
            close_frame(out, top);
            depth--;
            if (depth > 0) {
                json_walk_leave(&stack[depth - 1].walk, &top->walk);
            }
        } else if (item.place != RAW) {
            open_frame(out, &survey, &stack[depth], item.place, json_walk_into(&top->walk));
            stack[depth].adds_null = adds_null(top, &item);
            depth++;
        }
    }
    out->buf->failed |= survey.marks.failed;
    buf_fini(&survey.marks);
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
    if ((frame->traits & NULLABLE) != 0) {
        json_open_array(out);
    }
    /* The bytes come from a string: they need no escapes that are not there. */
    json_raw(out, SPAN_OF("\""));
    buf_put(out->buf, inside);
    buf_put_char(out->buf, '"');
    if ((frame->traits & NULLABLE) != 0) {
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

static void member_to_json(struct json_out *out, const struct frame *frame, struct span name, struct span value)
{
    if (is_google_only(name, value) || span_equal(value, SPAN_OF("null"))) {
        return;
    }
    if (span_equal(name, SPAN_OF("type"))) {
        write_type(out, frame, value);
    } else if (span_equal(name, SPAN_OF("enum")) && (frame->traits & NULLABLE) != 0 && json_is_array(value)) {
        write_enum(out, value);
    } else {
        json_key_plain(out, name);
        json_raw(out, bare_number(name, value));
    }
}

struct span gemini_generate_schema_read(struct chat *chat, struct span schema)
{
    static const struct rules rules = {member_to_json, usual_name};
    struct json_out out;
    struct buf buf;
    struct span kept = span_make(NULL, 0);

    buf_init(&buf, CHAT_STRING_MAX);
    json_out_init(&out, &buf);
    rewrite(&out, schema, &rules);
    if (buf.failed) {
        chat->arena->failed = true;
    } else {
        kept = arena_copy(chat->arena, buf_span(&buf));
    }
    buf_fini(&buf);
    return kept;
}

/* ---- JSON Schema for Google ---- */

static void member_to_google(struct json_out *out, const struct frame *frame, struct span name, struct span value)
{
    if (span_equal(name, SPAN_OF("const"))) {
        json_key(out, "enum");
        json_open_array(out);
        json_raw(out, value);
        json_close_array(out);
    } else if (!span_equal(name, SPAN_OF("enum")) || (frame->traits & CONSTANT) == 0) {
        /* Beside a constant: it is one of these values, or nothing would fit. */
        json_key_plain(out, name);
        json_raw(out, value);
    }
}

static struct span same_name(struct span name)
{
    return name;
}

/* Whether anything would change. What does not stays as it is, byte for byte. */
static bool has_constant(struct span schema)
{
    struct survey survey;
    unsigned found = 0;

    if (span_find(schema, SPAN_OF("\"const\"")) != NULL) {
        return true;
    }
    if (span_find(schema, SPAN_OF("\\u00")) == NULL) {
        return false; /* nor is one spelled with escapes */
    }
    take_survey(&survey, schema);
    for (struct mark mark = {.at = 0}; survey.next < survey.marks.len; survey.next += sizeof mark) {
        memcpy(&mark, survey.marks.at + survey.next, sizeof mark);
        found |= mark.traits;
    }
    found |= survey.marks.failed ? CONSTANT : 0; /* rewriting it fails as well, and tells */
    buf_fini(&survey.marks);
    return (found & CONSTANT) != 0;
}

void gemini_generate_schema_write(struct json_out *out, struct span schema)
{
    if (!json_is_object(schema) || !has_constant(schema)) {
        json_raw(out, schema);
    } else {
        static const struct rules rules = {member_to_google, same_name};

        rewrite(out, schema, &rules);
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
