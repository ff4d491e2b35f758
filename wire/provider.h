/* SPDX-License-Identifier: Apache-2.0 */
/* wire/provider.h: someone who serves a dialect: default address, how a credential is worn, which
 * variable holds the key. A kind is a file in providers/ and a row in providers.def. */
#ifndef WIRE_PROVIDER_H
#define WIRE_PROVIDER_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/dialect.h"

struct provider_kind {
    const char *name;                  /* the config's `kind` */
    const struct dialect *dialect;     /* NULL: the section says (fixtures) */
    const char *base_url;              /* default; NULL: must be given, or none is needed (fixtures) */
    const char *key_variable;          /* "OPENAI_API_KEY"; NULL: credential must be written */
    const char *key_variable_first;    /* another one that wins where it is set; NULL: none */
    bool is_builtin;                   /* answers in process, needs no address (fixtures) */
    /* Puts the header lines that carry this key ("authorization: Bearer ...\r\n"). */
    void (*dress)(struct buf *out, struct span key);
};

/* The kind of this name, or NULL. */
const struct provider_kind *provider_by_name(struct span name);
const struct provider_kind *provider_at(size_t i);

#define PROVIDER(name) extern const struct provider_kind provider_##name;
#include "wire/providers.def"
#undef PROVIDER

#endif
