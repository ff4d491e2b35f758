/* SPDX-License-Identifier: Apache-2.0 */
/* The table of refusals, and how one reads as a sentence. */
#include "wire/refusal.h"

#include <stddef.h>

#include "base/must.h"
#include "base/text.h"

/* Of a name that is shown back: more is cut (bad-input.md, head). */
enum { SAID_MAX = 4096 };
enum { DETAIL_MAX = 256 }; /* as much as a `struct why` holds */

static const struct refusal_row rows[] = {
    {0, 0, "", "", "", ""},
#define REFUSAL(name, status, code, openai, anthropic, wait, text)                                 \
    {status, wait, code, openai, anthropic, text},
#include "wire/refusals.def"
#undef REFUSAL
};

const struct refusal_row *refusal_row(enum refusal_kind kind)
{
    must((size_t)kind < ARRAY_LENGTH(rows));
    return &rows[kind];
}

enum refusal_kind refusal_of_http1(enum http1_fault fault)
{
    switch (fault) {
    case HTTP1_FAULT_NONE: return REFUSAL_NONE;
    case HTTP1_FAULT_REQUEST_LINE: return REFUSAL_BAD_REQUEST_LINE;
    case HTTP1_FAULT_METHOD: return REFUSAL_METHOD;
    case HTTP1_FAULT_VERSION: return REFUSAL_HTTP_VERSION;
    case HTTP1_FAULT_TARGET: return REFUSAL_BAD_TARGET;
    case HTTP1_FAULT_TARGET_LONG: return REFUSAL_TARGET_LONG;
    case HTTP1_FAULT_STATUS_LINE: return REFUSAL_UPSTREAM_PROTOCOL;
    case HTTP1_FAULT_FIELD: return REFUSAL_BAD_HEADER;
    case HTTP1_FAULT_LINE_END: return REFUSAL_BAD_HEADER;
    case HTTP1_FAULT_HEAD_LONG: return REFUSAL_HEADER_LARGE;
    case HTTP1_FAULT_HOST: return REFUSAL_BAD_HOST;
    case HTTP1_FAULT_HOST_MISMATCH: return REFUSAL_HOST_MISMATCH;
    case HTTP1_FAULT_FRAMING: return REFUSAL_BAD_FRAMING;
    case HTTP1_FAULT_CODING: return REFUSAL_TRANSFER_CODING;
    case HTTP1_FAULT_EXPECT: return REFUSAL_EXPECTATION;
    case HTTP1_FAULT_CHUNK: return REFUSAL_BAD_FRAMING;
    case HTTP1_FAULT_CHUNK_OVERHEAD: return REFUSAL_CHUNK_OVERHEAD;
    case HTTP1_FAULT_TRAILERS_LONG: return REFUSAL_HEADER_LARGE;
    }
    UNREACHABLE();
}

enum refusal_kind refusal_of_json(enum json_fault fault)
{
    switch (fault) {
    case JSON_FAULT_NONE: return REFUSAL_NONE;
    case JSON_FAULT_SYNTAX: return REFUSAL_INVALID_JSON;
    case JSON_FAULT_UTF8: return REFUSAL_INVALID_UTF8;
    case JSON_FAULT_DEEP: return REFUSAL_JSON_DEEP;
    case JSON_FAULT_LARGE: return REFUSAL_JSON_LARGE;
    case JSON_FAULT_NUMBER_LONG: return REFUSAL_NUMBER_LONG;
    case JSON_FAULT_DUPLICATE: return REFUSAL_DUPLICATE_KEY;
    case JSON_FAULT_MEMORY: return REFUSAL_OVERLOADED;
    }
    UNREACHABLE();
}

static void put_sentence(struct buf *out, const char *sentence)
{
    if (sentence != NULL) {
        buf_put_text(out, ". ");
        buf_put_text(out, sentence);
    }
}

void refusal_message(const struct refusal *refusal, struct buf *out)
{
    if (refusal->said.len > 0) {
        text_put_printable(out, refusal->said, SAID_MAX);
        return;
    }
    buf_put_text(out, "headgate: ");
    buf_put_text(out, refusal_row(refusal->kind)->text);
    if (refusal->detail.len > 0) {
        buf_put_text(out, ": ");
        text_put_printable(out, refusal->detail, DETAIL_MAX);
    }
    if (refusal->which.len > 0) {
        buf_put_text(out, " \"");
        text_put_printable(out, refusal->which, DETAIL_MAX);
        buf_put_char(out, '"');
    }
    if (refusal->has_offset) {
        buf_put_text(out, " (byte ");
        buf_put_u64(out, refusal->offset);
        buf_put_char(out, ')');
    }
    put_sentence(out, refusal->hint);
    put_sentence(out, refusal->served);
    if (refusal->nearest.len > 0) {
        buf_put_text(out, ". did you mean ");
        text_put_printable(out, refusal->nearest, DETAIL_MAX);
        buf_put_char(out, '?');
    }
}
