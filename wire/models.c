/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/models.h"

#include <string.h>

#include "base/must.h"
#include "base/span.h"
#include "wire/chat.h"

/* The words of models.def. */
enum {
    NONE = 1 << CHAT_EFFORT_NONE,
    MINIMAL = 1 << CHAT_EFFORT_MINIMAL,
    LOW = 1 << CHAT_EFFORT_LOW,
    MEDIUM = 1 << CHAT_EFFORT_MEDIUM,
    HIGH = 1 << CHAT_EFFORT_HIGH,
    XHIGH = 1 << CHAT_EFFORT_XHIGH,
    MAX = 1 << CHAT_EFFORT_MAX,
    LOW_TO_HIGH = LOW | MEDIUM | HIGH,
    MINIMAL_TO_HIGH = MINIMAL | LOW_TO_HIGH,
    LOW_TO_MAX = LOW_TO_HIGH | XHIGH | MAX
};

enum {
    EFFORT = MODEL_THINKS_EFFORT,
    BUDGET = MODEL_THINKS_BUDGET,
    ALWAYS = MODEL_THINKS_ALWAYS,
    BY_DEFAULT = MODEL_THINKS_BY_DEFAULT,
    ADAPTIVE = MODEL_THINKS_ADAPTIVE | EFFORT,
    ADAPTIVE_BY_DEFAULT = ADAPTIVE | BY_DEFAULT,
    ADAPTIVE_ALWAYS = ADAPTIVE_BY_DEFAULT | ALWAYS,
    LEVELS = EFFORT | ALWAYS | BY_DEFAULT /* Gemini from 3 on */
};

enum {
    NO_FORCED_CHOICE = MODEL_NO_FORCED_CHOICE,
    NO_SCHEMA = MODEL_NO_SCHEMA,
    NO_IMAGES = MODEL_NO_IMAGES,
    NO_DOCUMENTS = MODEL_NO_DOCUMENTS,
    NO_TOOLS = MODEL_NO_TOOLS,
    NO_STOP = MODEL_NO_STOP,
    NO_PENALTIES = MODEL_NO_PENALTIES,
    NO_LATER_SYSTEM = MODEL_NO_LATER_SYSTEM,
    NO_TOOLS_WITH_EFFORT = MODEL_NO_TOOLS_WITH_EFFORT,
    NO_SYSTEM = MODEL_NO_SYSTEM,
    NO_CHAT = MODEL_NO_CHAT,
    NO_AUDIO = MODEL_NO_AUDIO,
    NO_CACHE_MARKS = MODEL_NO_CACHE_MARKS,
    NO_TOP_K = MODEL_NO_TOP_K,
    /* What a family has in common. */
    NEW_CLAUDE = MODEL_NO_PREFILL | NO_AUDIO | MODEL_ONE_DRAW,
    OLD_CLAUDE = NO_LATER_SYSTEM | NO_AUDIO | MODEL_ONE_DRAW,
    STRANGER = MODEL_ONE_DRAW | NO_LATER_SYSTEM | NO_SCHEMA | NO_DOCUMENTS | NO_AUDIO,
    NEW_GEMINI = NO_LATER_SYSTEM | NO_CACHE_MARKS,
    OLD_GEMINI = NEW_GEMINI | MODEL_NO_SCHEMA_WITH_TOOLS | MODEL_NO_RESULT_IMAGES | NO_PENALTIES,
    REASONS = NO_STOP | NO_PENALTIES | NO_AUDIO,
    PLAIN = NO_DOCUMENTS | NO_CACHE_MARKS | NO_AUDIO,
    /* Behind Converse: what not all of them take. */
    CONVERSES = MODEL_NO_PREFILL | NO_TOP_K | MODEL_NO_RESULT_IMAGES | NO_FORCED_CHOICE | NO_LATER_SYSTEM | NO_SCHEMA |
                NO_CACHE_MARKS | NO_AUDIO
};

struct model_row {
    const char *dialect;
    const char *name;
    struct model_facts facts;
};

#define ROW(dialect, name, most, samples, thinks, levels, developer, lacks, least, top, known)                         \
    {dialect,                                                                                                          \
     name,                                                                                                             \
     {.output_max = (most),                                                                                            \
      .sampling = MODEL_##samples,                                                                                     \
      .thinking = (thinks),                                                                                            \
      .efforts = (levels),                                                                                             \
      .wants_developer = (developer),                                                                                  \
      .cannot = (lacks),                                                                                               \
      .is_known = (known),                                                                                             \
      .budget_min = (least),                                                                                           \
      .budget_max = (top)}},

static const struct model_row rows[] = {
#define MODEL(dialect, name, most, samples, thinks, levels, developer, lacks, least, top)                              \
    ROW(dialect, name, most, samples, thinks, levels, developer, lacks, least, top, true)
#define MODEL_REST(dialect, name, most, samples, thinks, levels, developer, lacks, least, top)                         \
    ROW(dialect, name, most, samples, thinks, levels, developer, lacks, least, top, false)
#include "wire/models.def"
#undef MODEL
#undef MODEL_REST
};

/* ---- names ---- */

enum { NAME_MAX_BYTES = 128 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_at(struct span name, size_t at)
{
    size_t count = 0;

    while (at + count < name.len && is_digit(name.at[at + count])) {
        count++;
    }
    return count;
}

/* Whether a date begins behind this dash: 20250929, or 2025-09-29. */
static bool is_date(struct span name, size_t at)
{
    size_t count = digits_at(name, at);

    if (at + 2 > name.len || name.at[at] != '2' || name.at[at + 1] != '0') {
        return false;
    }
    return count == 8 || (count == 4 && digits_at(name, at + 5) == 2 && digits_at(name, at + 8) == 2);
}

/* Bedrock's "-v1", where nothing but digits follows. */
static bool is_version(struct span name, size_t at)
{
    return at + 1 < name.len && name.at[at] == 'v' && at + 1 + digits_at(name, at + 1) == name.len;
}

static bool has_dashes(struct span dialect)
{
    return span_equal(dialect, SPAN_OF("anthropic"));
}

/* Without what stands in front: "models/", "anthropic/", "accounts/fireworks/models/", "us.anthropic.", "ft:". */
static struct span without_prefix(struct span name, struct span dialect)
{
    struct span vendor = SPAN("anthropic.");
    const char *found = NULL;
    size_t from = span_starts(name, SPAN_OF("ft:")) ? 3 : 0;

    for (size_t i = from; i < name.len; i++) {
        from = name.at[i] == '/' ? i + 1 : from;
    }
    name = span_from(name, from);
    found = has_dashes(dialect) ? span_find(name, vendor) : NULL;
    return found == NULL ? name : span_from(name, (size_t)(found - name.at) + vendor.len);
}

/* And behind: "@20250929", ":free", "-20250929", Bedrock's "-v1:0". */
static struct span without_suffix(struct span name, struct span dialect)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (c == ':' || c == '@' || (c == '-' && is_date(name, i + 1))) {
            name.len = i;
        }
    }
    for (size_t i = 0; i < name.len && has_dashes(dialect); i++) {
        if (name.at[i] == '-' && is_version(name, i + 1)) {
            name.len = i;
        }
    }
    return name;
}

/* In small letters, Anthropic's with dashes: resellers write "claude-sonnet-4.5". */
static struct span spelled(struct span name, struct span dialect, char room[NAME_MAX_BYTES])
{
    if (name.len > NAME_MAX_BYTES) {
        name.len = 0;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        room[i] = c == '.' && has_dashes(dialect) ? '-' : c;
    }
    return span_make(room, name.len);
}

const struct model_facts *model_facts_of(const char *dialect, struct span model)
{
    char room[NAME_MAX_BYTES];
    struct span spoken = span_of(dialect);
    struct span name;

    /* Claude is what it is, whoever serves it. */
    if (span_equal(spoken, SPAN_OF("bedrock")) && span_find(model, SPAN_OF("anthropic.")) != NULL) {
        spoken = SPAN_OF("anthropic");
    }
    name = spelled(without_suffix(without_prefix(model, spoken), spoken), spoken, room);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (span_equal(span_of(rows[i].dialect), spoken) && span_fits(name, span_of(rows[i].name))) {
            return &rows[i].facts;
        }
    }
    return &rows[ARRAY_LENGTH(rows) - 1].facts;
}
