/* SPDX-License-Identifier: Apache-2.0 */
/* wire/provider.h: someone who serves a dialect: default address, how a credential is worn, which
 * variable holds the key. A kind is a file in providers/ and a row in providers.def. */
#ifndef WIRE_PROVIDER_H
#define WIRE_PROVIDER_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/dialect.h"

/* Where a request is to go, before the kind has its say. */
struct provider_where {
    struct span base;    /* the path in front of every operation's: "/v1" */
    struct span version; /* the settings' api_version; empty: none */
    struct span lead;    /* the version in front of the path, "/v1beta", where the base has none; may be empty */
    struct span path;    /* the operation's: "/chat/completions", or the method behind a model's name */
    struct span model;   /* as the provider knows it; empty: the request tells none */
    struct span query;   /* the app's, without '?'; may be empty */
};

struct provider_kind {
    const char *name;                  /* the config's `kind` */
    const struct dialect *dialect;     /* NULL: the section says (fixtures) */
    const char *base_url;              /* default; NULL: must be given, or none is needed (fixtures) */
    const char *base_url_form;         /* how one looks, for messages; NULL: they can look like any */
    const char *key_variable;          /* "OPENAI_API_KEY"; NULL: credential must be written */
    const char *key_variable_first;    /* another one that wins where it is set; NULL: none */
    bool is_builtin;                   /* answers in process, needs no address (fixtures) */
    bool has_deployments;              /* takes the settings api_version and deployments */
    bool has_region;                   /* takes region, which "{region}" in base_url stands for */
    bool drains;                       /* on_abort when nobody says: it goes on and bills */
    const char *api;                   /* of a kind with several interfaces, which this is (the setting api) */
    const struct provider_kind *other_api; /* and the next of them; NULL: there is none */
    const char *signs_for;             /* takes AWS's signatures for this service; NULL: keys alone */
    /* Puts the header lines that carry this key ("authorization: Bearer ...\r\n"). */
    void (*dress)(struct buf *out, struct span key);
    /* Puts the path in front of every operation's, for the path that base_url has (no slash at its
     * end) and the api_version. NULL: the path itself, /v1 in place of an empty one. */
    void (*put_base)(struct buf *out, struct span path, struct span version);
    /* Puts path and query of a request. NULL: base, path, and the app's query. */
    void (*put_target)(struct buf *out, const struct provider_where *where);
};

/* The kind of this name, or NULL. */
const struct provider_kind *provider_by_name(struct span name);
const struct provider_kind *provider_at(size_t i);
/* Path and query of a request, as this kind wants them: at most PROVIDER_TARGET_ROOM bytes more than
 * those of `where`, its model counted three times. */
void provider_put_target(const struct provider_kind *kind, struct buf *out,
                         const struct provider_where *where);
enum { PROVIDER_TARGET_ROOM = 64 };

#define PROVIDER(name) extern const struct provider_kind provider_##name;
#include "wire/providers.def"
#undef PROVIDER

#endif
