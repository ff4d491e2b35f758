/* SPDX-License-Identifier: Apache-2.0 */
/* What the built-in provider says: a sentence about itself and a few about the landscape, or the
 * arguments of a tool call that its schema would accept. */
#include "wire/fixtures_parts.h"

#include "base/must.h"
#include "base/rng.h"

enum {
    WORDS_BYTES_MAX = 64 * 1024,
    SENTENCES_MIN = 2,
    SENTENCES_MORE = 5,
    NAMES_MAX = 8, /* required arguments that are filled */
    NAME_BYTES_MAX = 256,
    VALUE_BYTES_MAX = 1024,
    PATHS_PER_NAME = 2
};

void fixture_words_init(struct fixture_words *words)
{
    words->count = 0;
    words->is_cut = false;
    buf_init(&words->bytes, WORDS_BYTES_MAX);
}

void fixture_words_fini(struct fixture_words *words)
{
    buf_fini(&words->bytes);
}

struct span fixture_word(const struct fixture_words *words, uint32_t i)
{
    uint32_t from = i == 0 ? 0 : words->ends[i - 1];

    return span_make(words->bytes.at + from, words->ends[i] - from);
}

struct span fixture_words_all(const struct fixture_words *words)
{
    return span_make(words->bytes.at, words->count == 0 ? 0 : words->ends[words->count - 1]);
}

/* What was put since the last call is one unit. */
static void end_unit(struct fixture_words *words)
{
    must(words->count < FIXTURE_WORDS_MAX);
    words->ends[words->count++] = (uint32_t)words->bytes.len;
}

static void clear(struct fixture_words *words)
{
    bool has_failed = words->bytes.failed;

    buf_clear(&words->bytes);
    words->bytes.failed = has_failed;
    words->count = 0;
    words->is_cut = false;
}

static void cut(struct fixture_words *words, int64_t cap)
{
    if ((int64_t)words->count > cap) {
        words->count = cap < 0 ? 0 : (uint32_t)cap;
        words->is_cut = true;
    }
}

/* ---- text ---- */

static void put_word(struct fixture_words *words, struct span word)
{
    if (words->count > 0) {
        buf_put_char(&words->bytes, ' ');
    }
    buf_put(&words->bytes, word);
    end_unit(words);
}

/* A full stop belongs to the word before it. */
static void put_stop(struct fixture_words *words)
{
    words->count--;
    buf_put_char(&words->bytes, '.');
    end_unit(words);
}

static void put_introduction(struct fixture_words *words, const struct fixture_wish *wish)
{
    static const struct span start[] = {SPAN("This"),     SPAN("is"),        SPAN("headgate's"),
                                        SPAN("fixtures"), SPAN("provider,"), SPAN("answering"),
                                        SPAN("as")};

    for (size_t i = 0; i < ARRAY_LENGTH(start); i++) {
        put_word(words, start[i]);
    }
    buf_put_char(&words->bytes, ' ');
    json_string_decode(wish->model, &words->bytes);
    end_unit(words);
    put_stop(words);
}

enum { CHOICES_OF_WORD = 8 };

static void put_one_of(struct fixture_words *words, struct rng *rng, const struct span *list)
{
    put_word(words, list[rng_below(rng, CHOICES_OF_WORD)]);
}

static void put_sentence(struct fixture_words *words, struct rng *rng)
{
    static const struct span adjectives[CHOICES_OF_WORD] = {
        SPAN("quiet"), SPAN("bright"), SPAN("gentle"), SPAN("patient"),
        SPAN("green"), SPAN("early"),  SPAN("steady"), SPAN("clear")};
    static const struct span nouns[CHOICES_OF_WORD] = {
        SPAN("river"), SPAN("gate"),    SPAN("meadow"), SPAN("garden"),
        SPAN("heron"), SPAN("harbour"), SPAN("mill"),   SPAN("lantern")};
    static const struct span adverbs[CHOICES_OF_WORD] = {
        SPAN("gladly"), SPAN("always"), SPAN("softly"), SPAN("often"),
        SPAN("warmly"), SPAN("slowly"), SPAN("still"),  SPAN("surely")};
    static const struct span verbs[CHOICES_OF_WORD] = {
        SPAN("greets"), SPAN("follows"), SPAN("watches"), SPAN("remembers"),
        SPAN("meets"),  SPAN("guides"),  SPAN("knows"),   SPAN("welcomes")};

    put_word(words, SPAN_OF("The"));
    put_one_of(words, rng, adjectives);
    put_one_of(words, rng, nouns);
    put_one_of(words, rng, adverbs);
    put_one_of(words, rng, verbs);
    put_word(words, SPAN_OF("the"));
    put_one_of(words, rng, adjectives);
    put_one_of(words, rng, nouns);
    put_stop(words);
}

void fixture_words_text(struct fixture_words *words, const struct fixture_wish *wish,
                        uint32_t choice)
{
    struct rng rng;
    uint64_t sentences = 0;

    clear(words);
    rng_init(&rng, wish->seed, wish->hash + choice);
    put_introduction(words, wish);
    sentences = SENTENCES_MIN + rng_below(&rng, SENTENCES_MORE);
    for (uint64_t i = 0; i < sentences; i++) {
        put_sentence(words, &rng);
    }
    cut(words, wish->cap);
}

/* ---- arguments ---- */

static bool is_among(struct span name, const struct span *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* The names that a schema requires; those that need unescaping are left out. */
static size_t required_names(struct json_scan *scan, struct span list, struct span names[NAMES_MAX])
{
    struct json_scan_options options = {.allow_duplicates = true};
    struct json_hit none;
    struct span name;
    size_t count = 0;

    while (count < NAMES_MAX && fixture_next_item(scan, &options, &list, &none, &name)) {
        struct span inner = span_make(name.at + 1, name.len < 2 ? 0 : name.len - 2);

        if (name.at[0] == '"' && name.len <= NAME_BYTES_MAX && json_string_is_plain(name) &&
            !is_among(inner, names, count)) {
            names[count++] = inner;
        }
    }
    return count;
}

/* The last one that the schema allows, else a plain one of its type. */
static struct span value_for(const struct json_hit *type, const struct json_hit *allowed,
                             struct span properties)
{
    static const struct {
        struct span type;
        struct span value;
    } plain[] = {{SPAN("\"string\""), SPAN("\"fixture\"")}, {SPAN("\"integer\""), SPAN("1")},
                 {SPAN("\"number\""), SPAN("1")},           {SPAN("\"boolean\""), SPAN("true")},
                 {SPAN("\"array\""), SPAN("[]")},           {SPAN("\"object\""), SPAN("{}")},
                 {SPAN("\"null\""), SPAN("null")}};

    if (allowed->kind != JSON_ABSENT && allowed->len <= VALUE_BYTES_MAX) {
        return json_hit_span(allowed, properties);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(plain); i++) {
        if (type->kind != JSON_ABSENT &&
            span_equal(json_hit_span(type, properties), plain[i].type)) {
            return plain[i].value;
        }
    }
    return plain[0].value;
}

static void put_members(struct fixture_words *words, struct json_scan *scan, struct span properties,
                        const struct span *names, size_t count)
{
    struct json_path paths[NAMES_MAX * PATHS_PER_NAME];
    struct json_hit hits[NAMES_MAX * PATHS_PER_NAME];
    struct json_scan_options options = {
        .paths = paths, .paths_count = count * PATHS_PER_NAME, .allow_duplicates = true};

    for (size_t i = 0; i < count; i++) {
        paths[2 * i] = (struct json_path)JSON_PATH2("", "type");
        paths[2 * i + 1] = (struct json_path)JSON_PATH3("", "enum", "[]");
        for (size_t j = 2 * i; j <= 2 * i + 1; j++) {
            paths[j].name[0] = names[i].at;
            paths[j].len[0] = (uint8_t)names[i].len; /* NAME_BYTES_MAX */
        }
    }
    if (!json_scan_whole(scan, &options, properties, hits)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        buf_put_text(&words->bytes, i == 0 ? "\"" : ",\"");
        buf_put(&words->bytes, names[i]);
        buf_put_text(&words->bytes, "\":");
        end_unit(words);
        buf_put(&words->bytes, value_for(&hits[2 * i], &hits[2 * i + 1], properties));
        end_unit(words);
    }
}

void fixture_words_arguments(struct fixture_words *words, struct json_scan *scan,
                             const struct fixture_wish *wish)
{
    static const struct json_path paths[] = {JSON_PATH1("required"), JSON_PATH1("properties")};
    struct json_scan_options options = {
        .paths = paths, .paths_count = ARRAY_LENGTH(paths), .allow_duplicates = true};
    struct json_hit hits[ARRAY_LENGTH(paths)];
    struct span names[NAMES_MAX];
    size_t count = 0;

    clear(words);
    buf_put_char(&words->bytes, '{');
    end_unit(words);
    if (wish->schema.len > 0 && json_scan_whole(scan, &options, wish->schema, hits) &&
        hits[0].kind == JSON_ARRAY && hits[1].kind == JSON_OBJECT) {
        count = required_names(scan, json_hit_span(&hits[0], wish->schema), names);
    }
    if (count > 0) {
        put_members(words, scan, json_hit_span(&hits[1], wish->schema), names, count);
    }
    buf_put_char(&words->bytes, '}');
    end_unit(words);
    cut(words, wish->cap - 1); /* the name is a token, too */
}
