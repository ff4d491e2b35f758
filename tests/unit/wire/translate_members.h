/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/translate_members.h: the members of a request one by one, at every depth; put into it, taken out of
 * it; and what becomes of them in a translation. Bodies are JSON that the scanner takes. */
#ifndef TESTS_UNIT_WIRE_TRANSLATE_MEMBERS_H
#define TESTS_UNIT_WIRE_TRANSLATE_MEMBERS_H

#include "translate_rig.h"

#include "wire/json_walk.h"

enum { MEMBER_PATH_MAX = 512, MEMBER_DEPTH_MAX = 32, MEMBER_BODY_MAX = 1 << 20 };

/* ---- places ---- */

/* A member, or an object (name and value are it, then: empty name). The path has no numbers: "messages[].content[].text". */
struct member {
    const char *path;
    struct span name;      /* with its quotes */
    struct span value;
    struct span object;    /* that it stands in */
};
/* False: no deeper. */
typedef bool member_fn(void *context, const struct member *member);

struct member_walk {
    member_fn *visit;
    void *context;
    char path[MEMBER_PATH_MAX];
};

static inline void member_walk_value(struct member_walk *walk, struct span value, size_t len, unsigned depth)
{
    struct json_walk json = json_walk_of(value);
    struct member member = {.path = walk->path, .value = value};
    struct span item;

    assert_true(depth < MEMBER_DEPTH_MAX);
    if (json_is_array(value)) {
        (void)snprintf(walk->path + len, sizeof walk->path - len, "[]");
        while (json_walk_item(&json, &item)) {
            member_walk_value(walk, item, len + 2, depth + 1);
            walk->path[len + 2] = '\0';
        }
    }
    if (!json_is_object(value) || !walk->visit(walk->context, &member)) {
        return;
    }
    member.object = value;
    while (json_walk_member(&json, &member.name, &member.value)) {
        int more = snprintf(walk->path + len, sizeof walk->path - len, "%s%.*s", len > 0 ? "." : "",
                            (int)member.name.len - 2, member.name.at + 1);

        assert_true(more > 0 && (size_t)more < sizeof walk->path - len - 2);
        if (walk->visit(walk->context, &member)) {
            member_walk_value(walk, member.value, len + (size_t)more, depth + 1);
        }
    }
}

static inline void member_each(struct span body, member_fn *visit, void *context)
{
    struct member_walk walk = {.visit = visit, .context = context};

    member_walk_value(&walk, json_walk_document(body), 0, 0);
}

/* What stands at "messages[1].content[0]"; "": the whole. */
static inline struct span member_at(struct span body, const char *place)
{
    struct span value = json_walk_document(body);
    struct span rest = span_of(place);

    while (rest.at != NULL && rest.len > 0) {
        struct span step = span_cut(&rest, '.');
        struct span name = span_cut(&step, '[');
        char plain[64];

        (void)snprintf(plain, sizeof plain, "%.*s", SPAN_ARGS(name));
        value = json_walk_find(value, plain);
        while (step.at != NULL && step.len > 0) {
            struct json_walk walk = json_walk_of(value);

            for (char left = *step.at; left >= '0'; left--) { /* one digit */
                assert_true(json_walk_item(&walk, &value));
            }
            (void)span_cut(&step, '[');
        }
    }
    if (value.len == 0) {
        fail_msg("there is no %s", place);
    }
    return value;
}

/* ---- other bodies ---- */

/* The body with other bytes in the place of `old`, which is a part of it. */
static inline void member_splice(struct buf *out, struct span body, struct span old, struct span bytes)
{
    size_t at = (size_t)(old.at - body.at);

    buf_clear(out);
    buf_put(out, span_make(body.at, at));
    buf_put(out, bytes);
    buf_put(out, span_from(body, at + old.len));
    assert_false(out->failed);
}

static inline bool member_is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The body without a member of it. */
static inline void member_out(struct buf *out, struct span body, const struct member *member)
{
    const char *from = member->name.at;
    const char *to = member->value.at + member->value.len;

    while (member_is_blank(*to)) {
        to++;
    }
    if (*to == ',') {
        to++;
    } else {
        while (member_is_blank(from[-1])) {
            from--;
        }
        from -= from[-1] == ',';
    }
    member_splice(out, body, span_make(from, (size_t)(to - from)), SPAN_OF(""));
}

/* The body with members ("\"a\":1,\"b\":2") at the beginning of an object in it. */
static inline void member_in(struct buf *out, struct span body, struct span object, struct span members)
{
    struct json_walk walk = json_walk_of(object);
    struct span name, value;
    bool is_empty = !json_walk_member(&walk, &name, &value);

    assert_true(json_is_object(object));
    member_splice(out, body, span_make(object.at + 1, 0), members);
    if (!is_empty) {
        struct buf text;
        size_t at = (size_t)(object.at + 1 - body.at) + members.len;

        buf_init(&text, MEMBER_BODY_MAX);
        member_splice(&text, buf_span(out), span_make(out->at + at, 0), SPAN_OF(","));
        buf_fini(out);
        *out = text;
    }
}

/* ---- what becomes of them ---- */

/* From the translations of a request with it and without it:
 *   C  said in the target's words      N  named, whether left out or changed
 *   R  refused                         S  silent: no difference
 *   !  refused for another reason      */
static inline char member_fate(const struct translation *with, const struct translation *without)
{
    const struct chat_refused *refused = translation_refused(with);
    const struct chat_refused *before = translation_refused(without);

    if (refused->param != NULL) {
        bool is_other = before->param != NULL && strcmp(refused->param, before->param) == 0 &&
                        strcmp(refused->why, before->why) == 0;

        return is_other ? '!' : 'R';
    }
    if (before->param != NULL) {
        return 'C';
    }
    if (!span_equal(translation_dropped(with), translation_dropped(without))) {
        return 'N';
    }
    return span_equal(translation_body(with), translation_body(without)) ? 'S' : 'C';
}

#endif
