/* SPDX-License-Identifier: Apache-2.0 */
#include "pricing/family.h"

#include "base/must.h"

enum { PERMILLE = 1000, ERROR_UNKNOWN = 300, IMAGE_UNKNOWN = 50000 };

enum frame { FRAME_GUESSED, FRAME_CHECKED };

static const struct {
    struct span prefix;
    struct family family;
} rows[] = {
#define FAMILY(prefix, vocabulary, permille, error_permille, frame, image_tokens)                  \
    {SPAN(prefix),                                                                                 \
     {BPE_##vocabulary, permille, error_permille, true, FRAME_##frame == FRAME_CHECKED,            \
      image_tokens}},
#include "pricing/families.def"
#undef FAMILY
};

static const struct family unknown = {BPE_O200K, PERMILLE, ERROR_UNKNOWN, false, false,
                                     IMAGE_UNKNOWN};

/* A row that is exact is so for its own models: gpt-50 is no gpt-5. */
static bool fits(struct span name, struct span prefix, const struct family *family)
{
    unsigned char next = 0;

    if (!span_starts_nocase(name, prefix)) {
        return false;
    }
    if (family->error_permille > 0 || name.len == prefix.len || prefix.at[prefix.len - 1] == '-') {
        return true;
    }
    next = (unsigned char)name.at[prefix.len];
    return !((next >= '0' && next <= '9') || (next >= 'a' && next <= 'z') ||
             (next >= 'A' && next <= 'Z'));
}

static const struct family *find(struct span name)
{
    const struct family *family = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (rows[i].prefix.len > longest && fits(name, rows[i].prefix, &rows[i].family)) {
            family = &rows[i].family;
            longest = rows[i].prefix.len;
        }
    }
    return family;
}

/* What stands behind the last `separator`, or all. */
static struct span behind_last(struct span name, char separator)
{
    for (size_t i = name.len; i > 0; i--) {
        if (name.at[i - 1] == separator) {
            return span_from(name, i);
        }
    }
    return name;
}

struct family family_of(struct span model)
{
    struct span name = behind_last(model, '/');
    const struct family *family = NULL;

    if (span_starts_nocase(name, SPAN_OF("ft:"))) {
        name = span_from(name, 3);
    }
    /* Region and vendor stand in front with a dot each; a dot may as well be part of a version. */
    for (family = find(name); family == NULL && name.len > 0; family = find(name)) {
        (void)span_cut(&name, '.');
    }
    return family == NULL ? unknown : *family;
}

uint64_t family_tokens(const struct family *family, uint64_t count)
{
    uint64_t whole = count / PERMILLE;
    uint64_t rest = (count % PERMILLE * family->permille + PERMILLE - 1) / PERMILLE;

    if (whole > (UINT64_MAX - rest) / family->permille) {
        return UINT64_MAX;
    }
    return whole * family->permille + rest;
}
