/* SPDX-License-Identifier: Apache-2.0 */
/* Spellings, all in any case:
 *   x-ratelimit-{limit,remaining,reset}-<kind>       OpenAI and those that speak like it
 *   anthropic-ratelimit-<kind>-{limit,remaining,reset}
 *   ratelimitbysize-{limit,remaining,reset}          Mistral (openai-compatible.md 3): tokens
 * A reset is a duration of Go ("6m0s": openai.md 11; "2m59.56s": Groq), plain seconds
 * (azure-openai.md 2, Mistral) or a moment of RFC 3339 (anthropic.md 8). */
#include "wire/reported.h"

#include "base/must.h"
#include "base/text.h"
#include "wire/hint.h"

#define NUMBER_MAX ((uint64_t)1 << 53)

/* A limit as one spelling tells of it; several may be about the same limit. */
enum source {
    SOURCE_REQUESTS,
    SOURCE_REQUESTS_PROJECT,
    SOURCE_REQUESTS_WINDOW,
    SOURCE_TOKENS,
    SOURCE_TOKENS_PROJECT,
    SOURCE_TOKENS_USAGE,
    SOURCE_TOKENS_WINDOW,
    SOURCE_TOKENS_SIZE,
    SOURCE_INPUT,
    SOURCE_OUTPUT,
    SOURCES
};

enum member { MEMBER_LIMIT, MEMBER_REMAINING, MEMBER_RESET, MEMBERS };

struct kind {
    struct span name;
    enum source source;
};

static const struct kind plain_kinds[] = {
    {SPAN("requests"), SOURCE_REQUESTS},                 /* openai.md 11, azure-openai.md 2 */
    {SPAN("tokens"), SOURCE_TOKENS},                     /* the same */
    {SPAN("project-requests"), SOURCE_REQUESTS_PROJECT}, /* openai.md 11 (live) */
    {SPAN("project-tokens"), SOURCE_TOKENS_PROJECT},     /* the same */
    {SPAN("tokens_usage_based"), SOURCE_TOKENS_USAGE},   /* the same */
    {SPAN("tokens-minute"), SOURCE_TOKENS_WINDOW},       /* openai-compatible.md 3: Mistral */
    {SPAN("req-minute"), SOURCE_REQUESTS_WINDOW},        /* Mistral, beside tokens-minute (live) */
    {SPAN("requests-day"), SOURCE_REQUESTS_WINDOW},      /* Cerebras, beside tokens-minute (live) */
    {SPAN("tokens-prompt"), SOURCE_INPUT},               /* Fireworks (live) */
    {SPAN("tokens-generated"), SOURCE_OUTPUT},           /* Fireworks (live) */
};

static const struct kind anthropic_kinds[] = {
    /* anthropic.md 8 */
    {SPAN("requests"), SOURCE_REQUESTS},
    {SPAN("tokens"), SOURCE_TOKENS},
    {SPAN("input-tokens"), SOURCE_INPUT},
    {SPAN("output-tokens"), SOURCE_OUTPUT},
};

static const struct kind size_kinds[] = {{SPAN(""), SOURCE_TOKENS_SIZE}};

/* In the order of enum member. */
static const struct span member_names[MEMBERS] = {SPAN("limit"), SPAN("remaining"), SPAN("reset")};

static const struct reported_limit untold = {-1, -1, -1};

/* Takes the member's name off the front, and the hyphen that follows it. */
static bool cut_front(struct span *name, enum member *member)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        struct span rest = span_from(*name, member_names[i].len);
        if (span_starts_nocase(*name, member_names[i]) && (rest.len == 0 || rest.at[0] == '-')) {
            *name = span_from(rest, 1);
            *member = (enum member)i;
            return true;
        }
    }
    return false;
}

/* Takes the member's name off the end, and the hyphen before it. */
static bool cut_end(struct span *name, enum member *member)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        size_t len = member_names[i].len;
        if (name->len > len && name->at[name->len - len - 1] == '-' &&
            span_equal_nocase(span_from(*name, name->len - len), member_names[i])) {
            name->len -= len + 1;
            *member = (enum member)i;
            return true;
        }
    }
    return false;
}

static const struct kind *kind_of(struct span name, const struct kind *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal_nocase(name, kinds[i].name)) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* Which limit and which of its members a field's name means; NULL: none. */
static const struct kind *read_name(struct span name, enum member *member)
{
    static const struct span plain = SPAN("x-ratelimit-");
    static const struct span anthropic = SPAN("anthropic-ratelimit-");
    static const struct span size = SPAN("ratelimitbysize-");

    if (span_starts_nocase(name, plain)) {
        name = span_from(name, plain.len);
        return cut_front(&name, member) ? kind_of(name, plain_kinds, ARRAY_LENGTH(plain_kinds))
                                        : NULL;
    }
    if (span_starts_nocase(name, anthropic)) {
        name = span_from(name, anthropic.len);
        return cut_end(&name, member)
                   ? kind_of(name, anthropic_kinds, ARRAY_LENGTH(anthropic_kinds))
                   : NULL;
    }
    if (span_starts_nocase(name, size)) {
        name = span_from(name, size.len);
        return cut_front(&name, member) ? kind_of(name, size_kinds, ARRAY_LENGTH(size_kinds))
                                        : NULL;
    }
    return NULL;
}

static int64_t read_number(struct span text)
{
    uint64_t number = 0;

    return text_read_u64(text, &number) == ERR_NONE && number <= NUMBER_MAX ? (int64_t)number : -1;
}

static int64_t read_reset(struct span text, wall_ms now)
{
    int64_t wait = hint_of_duration(text);

    if (wait == HINT_NONE) {
        wait = hint_of_seconds(text);
    }
    return wait != HINT_NONE ? wait : hint_of_moment(text, now);
}

/* The first of a name counts. */
static void keep(struct reported_limit *limit, enum member member, struct span text, wall_ms now)
{
    int64_t *place = NULL;

    switch (member) {
    case MEMBER_LIMIT: place = &limit->limit; break;
    case MEMBER_REMAINING: place = &limit->remaining; break;
    case MEMBER_RESET: place = &limit->reset_ms; break;
    case MEMBERS: UNREACHABLE();
    }
    must(place != NULL);
    if (*place < 0) {
        *place = member == MEMBER_RESET ? read_reset(text, now) : read_number(text);
    }
}

/* The tighter of two tellings: of what remains, the least; one that tells what remains comes before
 * one that does not; of limits alone, the least. */
static void tighten(struct reported_limit *limit, const struct reported_limit *other)
{
    bool is_tighter = false;

    if (other->remaining >= 0 || limit->remaining >= 0) {
        is_tighter =
            other->remaining >= 0 && (limit->remaining < 0 || other->remaining < limit->remaining);
    } else if (other->limit >= 0 || limit->limit >= 0) {
        is_tighter = other->limit >= 0 && (limit->limit < 0 || other->limit < limit->limit);
    } else {
        is_tighter = limit->reset_ms < 0;
    }
    if (is_tighter) {
        *limit = *other;
    }
}

static void merge(const struct reported_limit *sources, struct reported *out)
{
    for (size_t i = 0; i < SOURCES; i++) {
        const struct reported_limit *told = &sources[i];
        tighten(i < SOURCE_TOKENS   ? &out->requests
                : i < SOURCE_INPUT  ? &out->tokens
                : i < SOURCE_OUTPUT ? &out->input
                                    : &out->output,
                told);
        out->is_any |= told->limit >= 0 || told->remaining >= 0 || told->reset_ms >= 0;
    }
}

/* Almost every field ends here, so it is asked without looking at more than its length and first
 * letter. Shortest: ratelimitbysize-limit; longest: anthropic-ratelimit-output-tokens-remaining. */
static bool may_be(const struct http1_field *field, const char *base)
{
    enum { SHORTEST = 21, LONGEST = 43 };

    if (field->name_len < SHORTEST || field->name_len > LONGEST) {
        return false;
    }
    switch (base[field->name_at]) {
    case 'x':
    case 'X':
    case 'a':
    case 'A':
    case 'r':
    case 'R': return true;
    default: return false;
    }
}

void reported_read(const struct http1_head *head, const char *base, wall_ms now,
                   struct reported *out)
{
    struct reported_limit sources[SOURCES];
    bool is_begun = false;

    *out = (struct reported){untold, untold, untold, untold, false};
    for (size_t i = 0; i < head->count; i++) {
        const struct kind *kind = NULL;
        enum member member = MEMBERS;

        if (!may_be(&head->fields[i], base)) {
            continue;
        }
        kind = read_name(http1_name(head, base, i), &member);
        if (kind == NULL) {
            continue;
        }
        for (size_t s = 0; s < SOURCES && !is_begun; s++) {
            sources[s] = untold;
        }
        is_begun = true;
        keep(&sources[kind->source], member, http1_value(head, base, i), now);
    }
    if (is_begun) {
        merge(sources, out);
    }
}
