/* SPDX-License-Identifier: Apache-2.0 */
/* conf/url.h: addresses as settings write them. Strict, because a URL that two programs read
 * differently sends keys to the wrong place: http and https only, no userinfo, query, fragment,
 * backslash or dot segments, hosts that mean one thing only. */
#ifndef CONF_URL_H
#define CONF_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "conf/snapshot.h"

/* Borrows from the text. */
struct url {
    bool is_tls;
    bool host_is_v6;
    bool host_is_literal; /* an address or localhost */
    bool has_port;
    uint16_t port;    /* 443 or 80 when none is written */
    struct span host; /* without brackets */
    struct span path; /* as written, without a slash at the end */
};

/* ERR_FORMAT: `why` holds words that follow the key's name. */
MUST_CHECK enum err url_read(struct span text, struct url *url, struct why *why);
/* True when a password may stand in it, well-formed or not: then the text is not shown. */
bool url_has_userinfo(struct span text);

/* "host:port", "[::1]:port" or "unix:/path". Names other than localhost are refused: a listener
 * binds an address. Borrows from the text. */
MUST_CHECK enum err url_read_listen(struct span text, struct listen_address *address,
                                    struct why *why);
/* A host as it may stand in a URL or a Host header: an address, or a name with no odd numbers. */
MUST_CHECK enum err url_check_host(struct span host, struct why *why);
/* Without sign, blanks or leading zeros; 0 to 65535. */
bool url_read_port(struct span text, uint16_t *port);

/* Where /v1 belongs into an address. */
enum url_version {
    URL_VERSION_ALONE,  /* for an empty path only */
    URL_VERSION_ALWAYS, /* the dialect's paths begin with it whatever base_url says (Anthropic) */
    URL_VERSION_NEVER   /* paths bring their own (Gemini) */
};
/* The endpoint that a provider's base_url means. Index is 0. */
MUST_CHECK enum err url_make_endpoint(const struct url *url, enum url_version version, struct arena *arena,
                                      struct endpoint *endpoint);

#endif
