/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/schema.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/must.h"

enum {
    SURVEY_MAX = 64 * 1024 * 1024, /* marks of as many objects as a document may have */
    RESPELLED_MAX = 64 * 1024 * 1024,
    TYPES_SEEN = 128 /* bytes of a list of types that are looked at */
};

/* What a value is. Of the ways to write one, RAW: as it stands. */
enum place { RAW, SCHEMA, SCHEMAS_BY_NAME, SCHEMAS };

struct frame {
    struct json_walk walk;
    struct schema_level level; /* of a SCHEMA */
    enum place place;
    bool adds_null;            /* SCHEMAS: one more at the end, for null */
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

/* `value`: of a list or an object no more than its beginning. */
static unsigned trait_of(struct span name, struct span value)
{
    if (json_is_name(name, "nullable")) {
        return span_equal(value, SPAN_OF("true")) ? SCHEMA_NULLABLE : 0;
    }
    if (json_is_name(name, "type")) {
        return json_is_text(value, "TYPE_UNSPECIFIED")                ? 0
               : span_find(value, SPAN_OF("\"object\"")) != NULL ? SCHEMA_TYPED | SCHEMA_OBJECT
                                                                      : SCHEMA_TYPED;
    }
    if (json_is_name(name, "properties")) {
        return SCHEMA_OBJECT;
    }
    return json_is_name(name, "const") ? SCHEMA_CONSTANT : 0;
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

/* The list of types that the walk stands at; in its own words it is short. */
static struct span types_at(const struct json_walk *walk)
{
    size_t len = (size_t)(walk->end - walk->at);
    const char *end = memchr(walk->at, ']', len < TYPES_SEEN ? len : TYPES_SEEN);

    return span_make(walk->at, end == NULL ? 1 : (size_t)(end - walk->at));
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
                add_traits(survey, top->mark, trait_of(name, types_at(&top->walk)));
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

bool schema_has(struct span schema, enum schema_trait trait)
{
    struct survey survey;
    struct mark mark;
    unsigned found = 0;

    take_survey(&survey, schema);
    for (; survey.next < survey.marks.len; survey.next += sizeof mark) {
        memcpy(&mark, survey.marks.at + survey.next, sizeof mark);
        found |= mark.traits;
    }
    found |= survey.marks.failed ? trait : 0;
    buf_fini(&survey.marks);
    return (found & trait) != 0;
}

/* ---- the walk ---- */

struct rewrite {
    struct json_out *out;
    const struct schema_rules *rules;
    struct survey survey;
    bool *is_changed;
};

static void open_frame(struct rewrite *rewrite, struct frame *frame, enum place place, struct json_walk walk)
{
    *frame = (struct frame){.walk = walk, .place = place, .level.is_changed = rewrite->is_changed};
    if (place == SCHEMAS) {
        json_open_array(rewrite->out);
        return;
    }
    json_open_object(rewrite->out);
    if (place == SCHEMA) {
        frame->level.traits = traits_at(&rewrite->survey, walk.at - 1);
    }
}

static void close_frame(struct rewrite *rewrite, const struct frame *frame)
{
    struct json_out *out = rewrite->out;

    if (frame->adds_null) {
        json_raw(out, SPAN_OF("{\"type\":\"null\"}"));
    }
    if (frame->place == SCHEMA && rewrite->rules->closes_objects && (frame->level.traits & SCHEMA_OBJECT) != 0) {
        json_key_plain(out, SPAN_OF("additionalProperties"));
        json_raw(out, SPAN_OF("false"));
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
            return span_make(raw.at + 1, raw.len - 2);
        }
    }
    return plain.len > 0 ? plain : span_make(raw.at + 1, raw.len - 2);
}

static bool is_left_out(const struct schema_rules *rules, struct span name)
{
    for (size_t i = 0; i < rules->left_out_count; i++) {
        if (span_equal(rules->left_out[i], name)) {
            return true;
        }
    }
    return false;
}

/* A member of a schema that is no schema itself, or has no place in the other grammar. */
static void put_member(struct rewrite *rewrite, struct frame *frame, struct span name)
{
    struct span value = json_walk_skip(&frame->walk);

    if (is_left_out(rewrite->rules, name)) {
        *rewrite->is_changed |= !span_equal(value, SPAN_OF("false")); /* as good as absent, for all of them */
    } else if (rewrite->rules->member != NULL) {
        rewrite->rules->member(rewrite->out, &frame->level, name, value);
    } else {
        json_key_plain(rewrite->out, name);
        json_raw(rewrite->out, value);
    }
}

/* The next value of the frame: written if it is RAW, else with its key written and still to be gone into. False: there
 * is none. */
static bool step(struct rewrite *rewrite, struct frame *frame, bool is_deepest, struct item *item)
{
    struct span raw = SPAN_OF("\"\"");
    char first = 0;

    if (!json_walk_stop(&frame->walk, frame->place == SCHEMAS ? NULL : &raw, &first)) {
        return false;
    }
    item->name = span_make(raw.at + 1, raw.len - 2);
    item->place = first == '{' ? SCHEMA : RAW;
    if (frame->place == SCHEMA) {
        item->name = plain_name(raw, item->room);
        if (rewrite->rules->key != NULL) {
            item->name = rewrite->rules->key(item->name);
        }
        item->place = place_of(item->name, first);
        if (item->place == RAW || is_left_out(rewrite->rules, item->name)) {
            item->place = RAW;
            put_member(rewrite, frame, item->name);
            return true;
        }
    }
    if (frame->place != SCHEMAS) {
        json_key_plain(rewrite->out, item->name);
    }
    item->place = is_deepest ? RAW : item->place;
    if (item->place == RAW) {
        json_raw(rewrite->out, json_walk_skip(&frame->walk));
    }
    return true;
}

/* Of alternatives without a type of their own beside them null is one more. */
static bool adds_null(const struct rewrite *rewrite, const struct frame *frame, const struct item *item)
{
    return rewrite->rules->adds_null && frame->place == SCHEMA && item->place == SCHEMAS &&
           (frame->level.traits & (SCHEMA_NULLABLE | SCHEMA_TYPED)) == SCHEMA_NULLABLE &&
           span_equal(item->name, SPAN_OF("anyOf"));
}

void schema_rewrite(struct json_out *out, struct span schema, const struct schema_rules *rules, bool *is_changed)
{
    struct frame stack[LIMIT_JSON_DEPTH];
    bool nobody_asks = false;
    struct rewrite rewrite = {.out = out, .rules = rules, .is_changed = is_changed == NULL ? &nobody_asks : is_changed};
    size_t depth = 1;

    take_survey(&rewrite.survey, schema);
    open_frame(&rewrite, &stack[0], SCHEMA, json_walk_of(schema));
    while (depth > 0) {
        struct frame *top = &stack[depth - 1];
        struct item item;

        if (!step(&rewrite, top, depth == ARRAY_LENGTH(stack), &item)) {
            close_frame(&rewrite, top);
            depth--;
            if (depth > 0) {
                json_walk_leave(&stack[depth - 1].walk, &top->walk);
            }
        } else if (item.place != RAW) {
            open_frame(&rewrite, &stack[depth], item.place, json_walk_into(&top->walk));
            stack[depth].adds_null = adds_null(&rewrite, top, &item);
            depth++;
        }
    }
    out->buf->failed |= rewrite.survey.marks.failed;
    buf_fini(&rewrite.survey.marks);
}

struct span schema_respelled(struct arena *arena, struct span schema, const struct schema_rules *rules,
                             bool *is_changed)
{
    struct json_out out;
    struct buf buf;
    struct span kept = span_make(NULL, 0);

    buf_init(&buf, RESPELLED_MAX);
    json_out_init(&out, &buf);
    schema_rewrite(&out, schema, rules, is_changed);
    if (buf.failed) {
        arena->failed = true;
    } else {
        kept = arena_copy(arena, buf_span(&buf));
    }
    buf_fini(&buf);
    return kept;
}
