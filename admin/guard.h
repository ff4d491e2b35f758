/* SPDX-License-Identifier: Apache-2.0 */
/* admin/guard.h: may this request on the operators' listener be answered? Pure; who is at the other
 * end and whether it guessed too often are the caller's to know.
 *
 *   Host      an address, localhost, or one of allowed_hosts (against DNS rebinding)
 *   changes   not from another site's page or a form; only with a token in the settings, and it
 *   reads     with a token in the settings that token, else this machine only
 *   work      as reads, but not from another site's page either
 *   public    health pages: whoever reaches the listener */
#ifndef ADMIN_GUARD_H
#define ADMIN_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "wire/http1.h"

struct guard_rules {
    struct span token; /* empty: there is none */
    const struct span *hosts;
    size_t hosts_count;
};

/* What a request says for itself. */
struct guard_facts {
    bool is_change;
    bool is_public;
    bool is_work;       /* a read that takes a body and some time */
    bool is_local;      /* its peer is this machine */
    bool is_locked_out; /* its peer sent too many wrong tokens */
    bool has_origin;
    bool has_token;     /* an Authorization field, whatever is in it */
    bool is_form;       /* the media types that a page can send anywhere without being asked */
    struct span host;
    struct span origin;
    struct span token;  /* of Authorization: Bearer; empty when it is anything else */
};

enum guard_verdict {
    GUARD_PASS,
    GUARD_HOST,
    GUARD_BROWSER,     /* a change or work asked for by a page of another site */
    GUARD_CLOSED,      /* a change, and the settings have no token */
    GUARD_REMOTE,      /* a read from elsewhere, and the settings have no token */
    GUARD_NO_TOKEN,
    GUARD_WRONG_TOKEN,
    GUARD_LOCKED_OUT
};

/* Takes host, origin, token and is_form off the head; the other members stay. Spans borrow from
 * `base`. */
void guard_see(const struct http1_head *head, const char *base, struct guard_facts *facts);
enum guard_verdict guard_judge(const struct guard_rules *rules, const struct guard_facts *facts);

#endif
