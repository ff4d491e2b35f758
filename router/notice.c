/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of notices.def. */
#include "router/notice.h"

#include "base/must.h"

static const struct notice_row rows[] = {
#define NOTICE(name, event, level, text) {event, NOTICE_LEVEL_##level, text},
#include "router/notices.def"
#undef NOTICE
};

const struct notice_row *notice_row(enum notice_kind kind)
{
    must((size_t)kind < ARRAY_LENGTH(rows));
    return &rows[kind];
}
