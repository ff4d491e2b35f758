/* SPDX-License-Identifier: Apache-2.0 */
/* router/notice.h: something an operator should know of, as data: the core produces it, the shell
 * writes and counts it. Rows: notices.def. */
#ifndef ROUTER_NOTICE_H
#define ROUTER_NOTICE_H

#include <stdint.h>

#include "base/span.h"
#include "breaker/breaker.h"
#include "breaker/park.h"
#include "router/outcome.h"

enum notice_kind {
#define NOTICE(name, event, level, text) NOTICE_##name,
#include "router/notices.def"
#undef NOTICE
};

enum notice_level { NOTICE_LEVEL_ERROR, NOTICE_LEVEL_WARN, NOTICE_LEVEL_INFO };

struct notice {
    enum notice_kind kind;
    struct span provider;
    struct span model;       /* empty: of the endpoint or the credential as a whole */
    const char *scope;       /* "endpoint", "deployment", "credential", "target" */
    const char *old_state;   /* of a breaker; NULL otherwise */
    const char *new_state;
    enum outcome outcome;    /* what it was about; OK: nothing */
    enum park_reason reason;
    uint64_t ms;             /* how long it stays so; 0: not known */
};

struct notice_row {
    const char *event;
    enum notice_level level;
    const char *text;
};
const struct notice_row *notice_row(enum notice_kind kind);

#endif
