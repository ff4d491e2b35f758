/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing of a request is lost in silence when it is told in another dialect: each member of the requests that real
 * clients sent, and of the request tables of the providers' pages, is carried, named, refused, or stands on a list of
 * what has no effect. A member or a type that nobody has heard of is told in every place. */
#include "translate_members.h"
#include "translate_silence.h"

#include <stdlib.h>

#include "base/must.h"

enum { BLESSED_MAX = 1 << 18 };

/* Whom each request is told to: what one of the two models of a grammar has no word for the other may have. */
static const struct target {
    const char *side;
    const char *model;
} targets[] = {
    {"chat", "gpt-4.1"},
    {"chat", "gpt-5.6-sol"},
    {"responses", "gpt-4.1"},
    {"responses", "gpt-5.1"},
    {"messages", "claude-sonnet-4-5"},
    {"messages", "claude-opus-5"},
    {"generate", "gemini-2.5-flash"},
    {"generate", "gemini-4-argon"},
};
enum { TARGETS = ARRAY_LENGTH(targets) };

/* ---- the question ---- */

struct probe {
    const char *title;
    struct rig_side from;
    struct json_scan *scan;
    struct span body;
    struct translation *with[TARGETS];
    struct buf other;
    struct buf third;
    const char *const *names; /* of all grammars */
    size_t names_count;
    bool asks_once;
    const char *below;  /* only members from this path on; NULL: all */
    unsigned wrong;
};

/* What readers judge is the same for both models of a grammar. */
static bool is_asked(const struct probe *probe, size_t i)
{
    return strcmp(targets[i].side, probe->from.name) != 0 && (!probe->asks_once || i % 2 == 0);
}

static struct translation *translate(const struct probe *probe, size_t i, bool is_strict, struct span body)
{
    struct rig_side to = rig_side_of(targets[i].side);

    return rig_translate(&probe->from, &to, targets[i].model, NULL, is_strict, probe->scan, body);
}

static void probe_begin(struct probe *probe, const char *title, const char *side, struct span body)
{
    *probe = (struct probe){.title = title, .from = rig_side_of(side), .scan = json_scan_new(), .body = body};
    buf_init(&probe->other, MEMBER_BODY_MAX);
    buf_init(&probe->third, MEMBER_BODY_MAX);
    for (size_t i = 0; i < TARGETS; i++) {
        probe->with[i] = is_asked(probe, i) ? translate(probe, i, false, body) : NULL;
    }
}

static void probe_end(struct probe *probe)
{
    for (size_t i = 0; i < TARGETS; i++) {
        translation_free(probe->with[i]);
    }
    buf_fini(&probe->other);
    buf_fini(&probe->third);
    json_scan_free(probe->scan);
}

/* The first member of that path. */
struct lookup {
    const char *path;
    struct member found;
};

static bool is_that(void *context, const struct member *member)
{
    struct lookup *lookup = context;

    if (member->name.len > 0 && lookup->found.name.len == 0 && strcmp(member->path, lookup->path) == 0) {
        lookup->found = *member;
    }
    return lookup->found.name.len == 0;
}

/* Without all members of that path: what is told once may be told for another one. */
static void all_out(struct probe *probe, const char *path)
{
    char kept[MEMBER_PATH_MAX];
    struct lookup lookup = {.path = kept};

    (void)snprintf(kept, sizeof kept, "%s", path);
    buf_clear(&probe->third);
    buf_put(&probe->third, probe->body);
    for (size_t i = 0; i < 100; i++) {
        lookup.found = (struct member){0};
        member_each(buf_span(&probe->third), is_that, &lookup);
        if (lookup.found.name.len == 0) {
            break;
        }
        member_out(&probe->other, buf_span(&probe->third), &lookup.found);
        buf_clear(&probe->third);
        buf_put(&probe->third, buf_span(&probe->other));
    }
}

/* Another value of the same type. */
static struct span another(struct span value)
{
    switch (*value.at) {
    case '"': return SPAN_OF("\"zz\"");
    case '[': return SPAN_OF("[]");
    case '{': return SPAN_OF("{}");
    case 't': return SPAN_OF("false");
    case 'f': return SPAN_OF("true");
    default: return SPAN_OF("3");
    }
}

/* What may be clear without: told in silence if any other value is. */
static bool is_kind(const struct member *member)
{
    static const char *const names[] = {"type", "role", "tool_call_id", "responseMimeType"};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (json_is_text(member->name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_same(const struct probe *probe, size_t i, const struct buf *body)
{
    struct translation *other = translate(probe, i, false, buf_span(body));
    bool is_same = member_fate(probe->with[i], other) == 'S';

    translation_free(other);
    return is_same;
}

/* Two bodies to compare with: `other` without the member, `third` with another value; empty: its own grammar does not
 * take that. */
static void prepare(struct probe *probe, const struct member *member)
{
    member_out(&probe->other, probe->body, member);
    member_splice(&probe->third, probe->body, member->value, another(member->value));
    if (!rig_accepts(&probe->from, probe->scan, buf_span(&probe->other))) {
        buf_clear(&probe->other);
    }
    if (!rig_accepts(&probe->from, probe->scan, buf_span(&probe->third))) {
        buf_clear(&probe->third);
    }
}

static bool is_silent(struct probe *probe, size_t i, const struct member *member)
{
    if (probe->other.len > 0 && (!is_same(probe, i, &probe->other) || !is_kind(member))) {
        return is_same(probe, i, &probe->other);
    }
    return probe->third.len > 0 && is_same(probe, i, &probe->third);
}

static bool is_told_once(struct probe *probe, size_t i, const struct member *member)
{
    struct translation *without = NULL;
    bool is_told = false;

    all_out(probe, member->path);
    without = translate(probe, i, false, buf_span(&probe->third));
    is_told = member_fate(probe->with[i], without) == 'N';
    translation_free(without);
    prepare(probe, member);
    return is_told;
}

/* An object with members, or a list of such. */
static bool holds_objects(struct span value)
{
    struct json_walk walk = json_walk_of(value);
    struct span name;
    struct span item;

    if (json_is_object(value)) {
        return json_walk_member(&walk, &name, &item);
    }
    return json_is_array(value) && json_walk_item(&walk, &item) && json_is_object(item);
}

static bool is_below(const struct probe *probe, const struct member *member)
{
    return probe->below == NULL || strncmp(member->path, probe->below, strlen(probe->below)) == 0;
}

static bool ask(void *context, const struct member *member)
{
    struct probe *probe = context;
    if (member->name.len == 0 || !is_below(probe, member) || holds_objects(member->value)) {
        return true; /* its members are asked for */
    }
    prepare(probe, member);
    for (size_t i = 0; i < TARGETS; i++) {
        if (!is_asked(probe, i) || translation_refused(probe->with[i])->param != NULL) {
            continue;
        }
        if (is_silent(probe, i, member) &&
            !is_accounted_for(probe->from.name, targets[i].side, member, translation_dropped(probe->with[i])) &&
            !is_told_once(probe, i, member)) {
            print_error("%s to %s %s: %s: %.*s is lost in silence\n", probe->title, targets[i].side, targets[i].model,
                        member->path, (int)(member->value.len < 100 ? member->value.len : 100), member->value.at);
            probe->wrong++;
        }
    }
    return true;
}

/* ---- requests as clients sent them ---- */

static const char *side_of_target(struct span target)
{
    static const char *const sides[][2] = {{"/chat/completions", "chat"},
                                           {"/responses", "responses"},
                                           {"/messages", "messages"},
                                           {":generateContent", "generate"},
                                           {":streamGenerateContent", "generate"}};
    struct span path = span_cut(&target, '?');

    for (size_t i = 0; i < ARRAY_LENGTH(sides); i++) {
        if (span_ends(path, span_of(sides[i][0]))) {
            return sides[i][1];
        }
    }
    return NULL;
}

typedef void request_fn(const char *title, const char *side, struct span body, unsigned *wrong);

static void each_captured(request_fn *with, unsigned *wrong)
{
    static const char *const files[] = {"ai-sdk-7.0.173",       "anthropic-node-0.137.0", "anthropic-node-1.11.0",
                                        "cli-bodies",           "google-genai-node-3.1.0", "langchain-openai-1.6.0",
                                        "openai-node-4.104.0",  "openai-node-6.49.0",     "openai-node-7.55.0"};
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        char name[128];
        struct buf text;
        struct json_walk walk;
        struct span request;

        (void)snprintf(name, sizeof name, "requests/%s.json", files[i]);
        text = data_read(name);
        walk = json_walk_of(json_walk_find(json_walk_document(buf_span(&text)), "requests"));
        while (json_walk_item(&walk, &request)) {
            struct span body = json_walk_find(request, "body");
            struct span target = chat_inside(json_walk_find(request, "target"));
            struct span title = chat_inside(json_walk_find(request, "name"));

            if (side_of_target(target) != NULL && json_is_object(body)) {
                (void)snprintf(name, sizeof name, "%s %.*s", files[i], SPAN_ARGS(title));
                with(name, side_of_target(target), body, wrong);
                count++;
            }
        }
        buf_fini(&text);
    }
    assert_true(count > 40);
}

/* What those targets truly have not. */
static bool is_beyond(const char *param)
{
    static const char *const params[] = {"stop_sequences"};

    for (size_t i = 0; i < ARRAY_LENGTH(params); i++) {
        if (strcmp(param, params[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void lose_nothing(const char *title, const char *side, struct span body, unsigned *wrong)
{
    struct probe probe;

    probe_begin(&probe, title, side, body);
    for (size_t i = 0; i < TARGETS; i++) {
        const struct chat_refused *refused = is_asked(&probe, i) ? translation_refused(probe.with[i]) : NULL;

        if (refused != NULL && refused->param != NULL && !is_beyond(refused->param)) {
            print_error("%s to %s %s: refused: %s: %s\n", title, targets[i].side, targets[i].model, refused->param,
                        refused->why);
            probe.wrong++;
        }
    }
    member_each(body, ask, &probe);
    *wrong += probe.wrong;
    probe_end(&probe);
}

static void captured__requests_go_through_and_lose_nothing_in_silence(void **state)
{
    unsigned wrong = 0;

    (void)state;
    each_captured(lose_nothing, &wrong);
    assert_int_equal(wrong, 0);
}

/* ---- the tables of the providers' pages ---- */

struct line {
    struct span fates; /* "CC NN -- RS" */
    struct span place;
    struct span members;
};

static struct line line_of(struct span text)
{
    struct line line = {.fates = span_make(text.at, 11)};

    assert_true(text.len > 13);
    text = span_from(text, 13);
    line.place = span_cut(&text, ' ');
    line.members = span_trim(text);
    return line;
}

/* Of the member that the line is about, without numbers. */
static void path_of(const struct line *line, char path[MEMBER_PATH_MAX])
{
    struct span name = span_from(line->members, 1);
    size_t len = 0;

    for (size_t i = 0; i < line->place.len && line->place.len > 1; i++) {
        if (line->place.at[i] < '0' || line->place.at[i] > '9') {
            path[len++] = line->place.at[i];
        }
    }
    name = span_cut(&name, '"');
    (void)snprintf(path + len, MEMBER_PATH_MAX - len, *line->members.at == '{' ? "[]" : "%s%.*s", len > 0 ? "." : "",
                   SPAN_ARGS(name));
}

/* `with` and `without`: the base request with all that the line says, and without the member that it is about. */
static void put_line(const struct line *line, struct span base, struct buf *with, struct buf *without)
{
    struct span object;
    char place[128];

    (void)snprintf(place, sizeof place, "%.*s", SPAN_ARGS(line->place));
    object = member_at(base, strcmp(place, ".") == 0 ? "" : place);
    if (!json_is_array(object) && !json_is_object(object)) {
        fail_msg("%s holds no members", place);
    }
    if (json_is_array(object)) {
        member_splice(with, base, span_make(object.at + object.len - 1, 0), SPAN_OF(","));
        member_splice(without, buf_span(with), span_make(with->at + (object.at - base.at) + object.len, 0), line->members);
        buf_clear(with);
        buf_put(with, buf_span(without));
        buf_clear(without);
        buf_put(without, base);
    } else {
        struct json_walk walk;
        struct member member = {0};

        member_in(with, base, object, line->members);
        object = span_make(with->at + (object.at - base.at), with->len - (size_t)(object.at - base.at));
        walk = json_walk_of(object);
        assert_true(json_walk_member(&walk, &member.name, &member.value));
        member_out(without, buf_span(with), &member);
    }
}

static void check_line(const char *side, struct span base, const struct line *line, char fates[12], unsigned *wrong)
{
    struct probe probe;
    struct buf with, without;
    char title[128], below[MEMBER_PATH_MAX];

    buf_init(&with, MEMBER_BODY_MAX);
    buf_init(&without, MEMBER_BODY_MAX);
    put_line(line, base, &with, &without);
    (void)snprintf(title, sizeof title, "%s %.*s %.*s", side, SPAN_ARGS(line->place),
                   (int)(line->members.len < 60 ? line->members.len : 60), line->members.at);
    probe_begin(&probe, title, side, buf_span(&with));
    path_of(line, below);
    probe.below = below;
    if (!rig_accepts(&probe.from, probe.scan, buf_span(&with))) {
        fail_msg("%s is not taken", title);
    }
    memcpy(fates, "-- -- -- --", 12);
    for (size_t i = 0; i < TARGETS; i++) {
        if (is_asked(&probe, i)) {
            struct translation *less = translate(&probe, i, false, buf_span(&without));

            fates[i / 2 * 3 + i % 2] = member_fate(probe.with[i], less);
            translation_free(less);
        }
    }
    member_each(buf_span(&with), ask, &probe);
    *wrong += probe.wrong;
    probe_end(&probe);
    buf_fini(&with);
    buf_fini(&without);
}

/* `text` is empty for the base itself. */
typedef void line_fn(const char *side, struct span base, struct span text, struct buf *out, unsigned *wrong);

static void each_line(line_fn *with, struct buf *out, unsigned *wrong)
{
    struct buf file = data_read("translate/members.fates");
    struct span rest = buf_span(&file);
    struct span base = span_make(NULL, 0);
    char side[16] = "";

    while (rest.at != NULL && rest.len > 0) {
        struct span text = span_cut(&rest, '\n');
        struct span line = text;

        if (span_starts(text, SPAN_OF("## "))) {
            struct span name;

            base = span_from(text, 3);
            name = span_cut(&base, ' ');
            (void)snprintf(side, sizeof side, "%.*s", SPAN_ARGS(name));
            with(side, base, span_make(NULL, 0), out, wrong);
        }
        if (line.len == 0 || *line.at == '#') {
            buf_put_format(out, "%.*s\n", SPAN_ARGS(text));
        } else {
            with(side, base, text, out, wrong);
        }
    }
    buf_fini(&file);
}

static void check_fates(const char *side, struct span base, struct span text, struct buf *out, unsigned *wrong)
{
    struct line line;
    char fates[12];

    if (text.len == 0) {
        lose_nothing("base", side, base, wrong);
        return;
    }
    line = line_of(text);
    check_line(side, base, &line, fates, wrong);
    buf_put_format(out, "%s%.*s\n", fates, SPAN_ARGS(span_from(text, 11)));
    if (!span_equal(line.fates, span_of(fates)) && getenv("HEADGATE_BLESS") == NULL) {
        print_error("%s %.*s: %s instead of %.*s\n", side, SPAN_ARGS(span_from(text, 13)), fates, SPAN_ARGS(line.fates));
        (*wrong)++;
    }
}

static void members__of_the_tables_have_the_fates_that_are_written_down(void **state)
{
    struct buf out;
    unsigned wrong = 0;

    (void)state;
    buf_init(&out, BLESSED_MAX);
    each_line(check_fates, &out, &wrong);
    if (getenv("HEADGATE_BLESS") != NULL) {
        FILE *file = fopen("tests/data/translate/members.fates", "wb");

        assert_non_null(file);
        assert_int_equal(fwrite(out.at, 1, out.len, file), out.len);
        assert_int_equal(fclose(file), 0);
    }
    buf_fini(&out);
    assert_int_equal(wrong, 0);
}

/* ---- what nobody has heard of ---- */

/* Objects of the app's own, which go on as they are. */
static bool is_own_data(const char *side, const char *path)
{
    static const char *const rows[][2] = {
        {"chat", "tools[].function.parameters*"},
        {"chat", "functions[].parameters*"},
        {"chat", "response_format.json_schema.schema*"},
        {"chat", "metadata"},
        {"chat", "logit_bias"},
        {"responses", "tools[].parameters*"},
        {"responses", "text.format.schema*"},
        {"responses", "metadata"},
        {"messages", "tools[].input_schema*"},
        {"messages", "output_*format.schema*"},
        {"messages", "messages[].content[].input*"},
        {"generate", "tools[].functionDeclarations[].parameters*"},
        {"generate", "generationConfig.response*Schema*"},
        {"generate", "contents[].parts[].functionCall.args*"},
        {"generate", "contents[].parts[].functionResponse.response*"},
        {"generate", "labels"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (strcmp(rows[i][0], side) == 0 && span_fits(span_of(path), span_of(rows[i][1]))) {
            return true;
        }
    }
    return false;
}

static void complain(struct probe *probe, size_t i, const char *path, const char *what, char fate)
{
    print_error("%s to %s %s: %s in %s: %c\n", probe->title, targets[i].side, targets[i].model, what, path, fate);
    probe->wrong++;
}

static bool is_refused_when_strict(const struct probe *probe, size_t i)
{
    struct translation *strict = translate(probe, i, true, buf_span(&probe->other));
    bool is_refused = translation_refused(strict)->param != NULL;

    translation_free(strict);
    return is_refused;
}

/* Whether it, or what it stands in, was named as a whole. */
static bool is_told_as_a_whole(struct span dropped, const struct member *member)
{
    struct span path = span_of(member->path);

    for (size_t len = 1; len <= path.len; len++) {
        if ((len == path.len || path.at[len] == '.' || path.at[len] == '[') && tells(dropped, span_make(path.at, len))) {
            return true;
        }
    }
    return false;
}

/* Into this object: named by its name, and nothing else changes; in the app's own data it goes along. */
static void invent_there(struct probe *probe, size_t i, const struct member *object)
{
    struct translation *with = translate(probe, i, false, buf_span(&probe->other));
    struct span dropped = translation_dropped(with);
    bool is_own = is_own_data(probe->from.name, object->path);
    char fate = member_fate(with, probe->with[i]);
    bool is_good = false;

    if (fate == 'N') {
        is_good = span_find(dropped, SPAN_OF("x_new")) != NULL && is_refused_when_strict(probe, i) &&
                  span_equal(translation_body(with), translation_body(probe->with[i]));
    } else if (fate == 'C') {
        is_good = is_own && span_find(translation_body(with), SPAN_OF("x_new")) != NULL;
    } else {
        is_good = fate == 'R' || is_accounted_for(probe->from.name, targets[i].side, object, dropped);
    }
    if (!is_good) {
        complain(probe, i, object->path, "x_new", fate);
    }
    translation_free(with);
}

static bool invent_member(void *context, const struct member *object)
{
    struct probe *probe = context;

    if (object->name.len > 0 || !is_below(probe, object)) {
        return true;
    }
    member_in(&probe->other, probe->body, object->value, SPAN_OF("\"x_new\":1"));
    for (size_t i = 0; i < TARGETS; i++) {
        if (is_asked(probe, i) && translation_refused(probe->with[i])->param == NULL) {
            invent_there(probe, i, object);
        }
    }
    return true;
}

/* A type or a role that is none. */
static bool invent_type(void *context, const struct member *member)
{
    struct probe *probe = context;

    if (is_own_data(probe->from.name, member->path) ||
        (member->name.len > 0 && is_quiet_row(probe->from.name, span_of(member->path)) && !is_kind(member))) {
        return false;
    }
    if (member->name.len == 0 || !is_kind(member) || !json_is_string(member->value) ||
        span_fits(span_of(member->path), SPAN_OF("*cache_control.type"))) {
        return true;
    }
    member_splice(&probe->other, probe->body, member->value, SPAN_OF("\"x_new\""));
    if (!rig_accepts(&probe->from, probe->scan, buf_span(&probe->other)) || !is_below(probe, member)) {
        return true;
    }
    for (size_t i = 0; i < TARGETS; i++) {
        struct translation *with = NULL;
        char fate = '-';

        if (!is_asked(probe, i) || translation_refused(probe->with[i])->param != NULL) {
            continue;
        }
        with = translate(probe, i, false, buf_span(&probe->other));
        fate = member_fate(with, probe->with[i]);
        if (fate != 'R' && (fate != 'N' || !is_refused_when_strict(probe, i)) &&
            !is_told_as_a_whole(translation_dropped(with), member) && !says_nothing(probe->from.name, member)) {
            complain(probe, i, member->path, "the value x_new", fate);
        }
        translation_free(with);
    }
    return true;
}

static void invent_below(const char *title, const char *side, struct span body, const char *below, unsigned *wrong)
{
    struct probe probe;

    probe_begin(&probe, title, side, body);
    probe.asks_once = true;
    probe.below = below;
    member_each(body, invent_member, &probe);
    member_each(body, invent_type, &probe);
    *wrong += probe.wrong;
    probe_end(&probe);
}

static void invent_in(const char *title, const char *side, struct span body, unsigned *wrong)
{
    invent_below(title, side, body, NULL, wrong);
}

static void invent_in_line(const char *side, struct span base, struct span text, struct buf *out, unsigned *wrong)
{
    struct line line;
    struct buf with;
    struct buf without;
    char title[128];
    char below[MEMBER_PATH_MAX];

    (void)out;
    if (text.len == 0) {
        invent_in("base", side, base, wrong);
        return;
    }
    line = line_of(text);
    buf_init(&with, MEMBER_BODY_MAX);
    buf_init(&without, MEMBER_BODY_MAX);
    put_line(&line, base, &with, &without);
    (void)snprintf(title, sizeof title, "%s %.*s", side, (int)(line.members.len < 60 ? line.members.len : 60),
                   line.members.at);
    path_of(&line, below);
    invent_below(title, side, buf_span(&with), below, wrong);
    buf_fini(&with);
    buf_fini(&without);
}

static void invented__members_and_types_are_told_in_every_place(void **state)
{
    struct buf out;
    unsigned wrong = 0;

    (void)state;
    buf_init(&out, BLESSED_MAX);
    each_captured(invent_in, &wrong);
    each_line(invent_in_line, &out, &wrong);
    buf_fini(&out);
    assert_int_equal(wrong, 0);
}

/* ---- members of other objects and dialects ---- */

/* All names of all grammars, each once. */
static size_t all_names(const char *names[])
{
    size_t rows = ARRAY_LENGTH(field_rows) + ARRAY_LENGTH(messages_rows);
    size_t count = 0;

    for (size_t i = 0; i < rows; i++) {
        const char *name = i < ARRAY_LENGTH(field_rows) ? field_rows[i].name
                                                        : messages_rows[i - ARRAY_LENGTH(field_rows)].name;
        size_t at = 0;

        while (at < count && strcmp(names[at], name) != 0) {
            at++;
        }
        if (at == count) {
            names[count++] = name;
        }
    }
    return count;
}

static bool is_row_of(const char *side, const char *path, const char *name)
{
    char whole[MEMBER_PATH_MAX];

    (void)snprintf(whole, sizeof whole, "%s%s%s", path, *path != '\0' ? "." : "", name);
    for (size_t i = 0; i < ARRAY_LENGTH(field_rows); i++) {
        if (strcmp(field_rows[i].side, side) == 0 && strcmp(field_rows[i].name, name) == 0 &&
            is_member(span_of(whole), field_rows[i].where, name)) {
            return true;
        }
    }
    for (size_t i = 0; strcmp(side, "messages") == 0 && i < ARRAY_LENGTH(messages_rows); i++) {
        if (strcmp(messages_rows[i].name, name) == 0 &&
            is_member(span_of(whole), messages_wheres[messages_rows[i].group], name)) {
            return true;
        }
    }
    return false;
}

/* A member of this grammar in an object where one may look for it, of a type that it should not have as well. */
static void put_own(struct probe *probe, const struct member *object, const char *name, const char *value)
{
    char text[128], path[MEMBER_PATH_MAX];
    struct member member = {.path = path, .object = object->value};

    (void)snprintf(text, sizeof text, "\"%s\":%s", name, value);
    (void)snprintf(path, sizeof path, "%s%s%s", object->path, *object->path != '\0' ? "." : "", name);
    member_in(&probe->other, probe->body, object->value, span_of(text));
    member.name = span_make(text, strlen(name) + 2);
    member.value = span_of(value);
    if (!rig_accepts(&probe->from, probe->scan, buf_span(&probe->other))) {
        return;
    }
    for (size_t i = 0; i < TARGETS; i++) {
        struct translation *with = is_asked(probe, i) ? translate(probe, i, false, buf_span(&probe->other)) : NULL;

        if (with != NULL && member_fate(with, probe->with[i]) == 'S' &&
            !is_accounted_for(probe->from.name, targets[i].side, &member, translation_dropped(with))) {
            complain(probe, i, path, value, 'S');
        }
        translation_free(with);
    }
}

/* "messages[].source" and "source", not "resource". */
static bool tells_last(struct span dropped, const char *name)
{
    while (dropped.at != NULL && dropped.len > 0) {
        struct span item = span_trim(span_cut(&dropped, ','));
        size_t len = strlen(name);

        if (span_ends(item, span_of(name)) && (item.len == len || item.at[item.len - len - 1] == '.')) {
            return true;
        }
    }
    return false;
}

/* Members of other grammars: as many at once as are told. */
static void put_strangers(struct probe *probe, const struct member *object, const char *const *names, size_t count)
{
    struct buf text;

    buf_init(&text, MEMBER_BODY_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_put_format(&text, "%s\"%s\":\"zz\"", i > 0 ? "," : "", names[i]);
    }
    member_in(&probe->other, probe->body, object->value, buf_span(&text));
    buf_fini(&text);
    if (!rig_accepts(&probe->from, probe->scan, buf_span(&probe->other))) {
        for (size_t i = 0; i < count && count > 1; i++) {
            put_strangers(probe, object, &names[i], 1); /* one of them is refused by its own grammar */
        }
        return;
    }
    for (size_t i = 0; i < TARGETS; i++) {
        struct translation *with = is_asked(probe, i) ? translate(probe, i, false, buf_span(&probe->other)) : NULL;

        for (size_t k = 0; with != NULL && translation_refused(with)->param == NULL && k < count; k++) {
            if (!tells_last(translation_dropped(with), names[k])) {
                complain(probe, i, object->path, names[k], 'S');
            }
        }
        if (with != NULL && translation_refused(with)->param == NULL &&
            !span_equal(translation_body(with), translation_body(probe->with[i]))) {
            complain(probe, i, object->path, names[0], 'C');
        }
        translation_free(with);
    }
}

enum { NAMES_MAX = 512, AT_ONCE = 24 };

static bool put_foreign(void *context, const struct member *object)
{
    static const char *const values[] = {"\"zz\"", "{\"zz\":1}", "[\"zz\"]", "3", "true"};
    struct probe *probe = context;
    const char *strange[AT_ONCE];
    size_t strangers = 0;

    if (object->name.len > 0 || is_own_data(probe->from.name, object->path)) {
        return !is_own_data(probe->from.name, object->path);
    }
    for (size_t i = 0; i < probe->names_count; i++) {
        const char *name = probe->names[i];
        bool is_own = is_row_of(probe->from.name, object->path, name);
        bool is_there = json_walk_find(object->value, name).len > 0;

        for (size_t k = 0; is_own && !is_there && k < ARRAY_LENGTH(values); k++) {
            put_own(probe, object, name, values[k]);
        }
        if (!is_own && !is_there) {
            strange[strangers++] = name;
        }
        if (strangers == AT_ONCE || (i + 1 == probe->names_count && strangers > 0)) {
            put_strangers(probe, object, strange, strangers);
            strangers = 0;
        }
    }
    return true;
}

static void put_into_base(const char *side, struct span base, struct span text, struct buf *out, unsigned *wrong)
{
    struct probe probe;
    const char *names[NAMES_MAX];

    (void)out;
    if (text.len == 0) {
        probe_begin(&probe, "base", side, base);
        probe.names_count = all_names(names);
        probe.names = names;
        probe.asks_once = true;
        member_each(base, put_foreign, &probe);
        *wrong += probe.wrong;
        probe_end(&probe);
    }
}

static void foreign__members_are_told(void **state)
{
    struct buf out;
    unsigned wrong = 0;

    (void)state;
    buf_init(&out, BLESSED_MAX);
    each_line(put_into_base, &out, &wrong);
    buf_fini(&out);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign__members_are_told),
        cmocka_unit_test(invented__members_and_types_are_told_in_every_place),
        cmocka_unit_test(captured__requests_go_through_and_lose_nothing_in_silence),
        cmocka_unit_test(members__of_the_tables_have_the_fates_that_are_written_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
