/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of provider kinds. */
#include "wire/provider.h"

#include "base/must.h"
#include "wire/path_model.h"

static const struct provider_kind *const kinds[] = {
#define PROVIDER(name) &provider_##name,
#include "wire/providers.def"
#undef PROVIDER
};

const struct provider_kind *provider_at(size_t i)
{
    return i < ARRAY_LENGTH(kinds) ? kinds[i] : NULL;
}

const struct provider_kind *provider_by_name(struct span name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (span_equal(name, span_of(kinds[i]->name))) {
            return kinds[i];
        }
    }
    return NULL;
}

void provider_put_target(const struct provider_kind *kind, struct buf *out,
                         const struct provider_where *where)
{
    if (kind->put_target != NULL) {
        kind->put_target(out, where);
        return;
    }
    buf_put(out, where->base);
    if (where->lead.len > 0 && !dialect_has_version(where->base)) {
        buf_put(out, where->lead);
    }
    if (path_model_is_method(where->path)) {
        path_model_put(out, where->path, where->model);
    } else {
        buf_put(out, where->path);
    }
    if (where->query.len > 0) {
        buf_put_char(out, '?');
        buf_put(out, where->query);
    }
}
