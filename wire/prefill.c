/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/prefill.h"

#include <stddef.h>

#include "base/must.h"

enum prefill_name {
#define PREFILL_WAY(name, message, root, mark, is_trimmed) PREFILL_##name,
#define PREFILL(kind, at, model, way)
#include "wire/prefill.def"
#undef PREFILL_WAY
#undef PREFILL
};

static const struct prefill_way ways[] = {
#define PREFILL_WAY(name, message, root, mark, is_trimmed)                                         \
    {SPAN(message), SPAN(root), PREFILL_MARK_##mark, is_trimmed},
#define PREFILL(kind, at, model, way)
#include "wire/prefill.def"
#undef PREFILL_WAY
#undef PREFILL
};

static const struct {
    const char *kind;
    const char *at;
    const char *model;
    enum prefill_name way;
} rows[] = {
#define PREFILL_WAY(name, message, root, mark, is_trimmed)
#define PREFILL(kind, at, model, way) {kind, at, model, PREFILL_##way},
#include "wire/prefill.def"
#undef PREFILL_WAY
#undef PREFILL
};

enum { AT_MAX = 512 };

/* Host and path side by side, as the rows have them. False: too long for any row. */
static bool join(const struct prefill_ask *ask, char text[AT_MAX], struct span *at)
{
    if (ask->host.len + ask->path.len > AT_MAX) {
        return false;
    }
    if (ask->host.len > 0) {
        memcpy(text, ask->host.at, ask->host.len);
    }
    if (ask->path.len > 0) {
        memcpy(text + ask->host.len, ask->path.at, ask->path.len);
    }
    *at = span_make(text, ask->host.len + ask->path.len);
    return true;
}

const struct prefill_way *prefill_taken(const struct prefill_ask *ask)
{
    char text[AT_MAX];
    struct span at = {0};

    if (!join(ask, text, &at)) {
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (span_equal(span_of(rows[i].kind), ask->kind) && span_fits(at, span_of(rows[i].at)) &&
            span_fits(ask->model, span_of(rows[i].model))) {
            return &ways[rows[i].way];
        }
    }
    return NULL;
}
