/* SPDX-License-Identifier: Apache-2.0 */
/* wire/refusal.h: a no to the app. Codes, statuses and texts are rows of refusals.def; how one looks
 * on the wire is the dialect's business (dialect.h). */
#ifndef WIRE_REFUSAL_H
#define WIRE_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "wire/http1.h"
#include "wire/json_scan.h"

enum refusal_kind {
    REFUSAL_NONE = 0,
#define REFUSAL(name, status, code, openai, anthropic, wait, text) REFUSAL_##name,
#include "wire/refusals.def"
#undef REFUSAL
};

struct refusal {
    enum refusal_kind kind;
    const char *param;   /* the member or header at fault, a fixed text; NULL when none */
    struct span detail;  /* a cut, printable name to show (model or path), or empty; borrowed */
    struct span which;   /* of many that the detail names: one, by the app's own name; or empty; borrowed */
    const char *hint;    /* one more fixed sentence, or NULL */
    const char *served;  /* and another one */
    struct span nearest; /* a configured name that may have been meant, or empty; borrowed */
    struct span said;    /* by the provider: in place of our text; empty: ours. Borrowed */
    unsigned status;     /* in place of the row's; 0: the row's */
    uint64_t wait_ms;    /* in place of the row's; 0: the row's */
    uint64_t offset;     /* of the byte in the body that proved it */
    bool has_offset;
};

struct refusal_row {
    uint16_t status;
    uint16_t wait_s;
    const char *code;
    const char *openai_type;
    const char *anthropic_type;
    const char *text;
};
const struct refusal_row *refusal_row(enum refusal_kind kind);

/* What a fault of the scanners means towards the app. */
enum refusal_kind refusal_of_http1(enum http1_fault fault);
enum refusal_kind refusal_of_json(enum json_fault fault);

/* The whole message: "headgate: <text>[: <detail>][ \"<which>\"][ (byte N)][. <hint>][. <served>]", or what the provider said, put at the end
 * of `out`. */
void refusal_message(const struct refusal *refusal, struct buf *out);

#endif
