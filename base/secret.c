/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

enum { SHOWN = 4, SHOWN_FROM = 16 };

bool secret_equal(struct span a, struct span b)
{
    volatile unsigned char differs = a.len == b.len ? 0 : 1;

    for (size_t i = 0; i < a.len; i++) {
        /* With other lengths `a` is compared with itself, so that the time depends on `a` only. */
        char other = a.len == b.len ? b.at[i] : a.at[i];

        differs = (unsigned char)(differs | (unsigned char)(a.at[i] ^ other));
    }
    return differs == 0;
}

void secret_wipe(void *at, size_t size)
{
    volatile unsigned char *bytes = at;

    for (size_t i = 0; i < size; i++) {
        bytes[i] = 0;
    }
}

void secret_buf_fini(struct buf *buf)
{
    secret_wipe(buf->at, buf->cap);
    buf_fini(buf);
}

void secret_put_shown(struct buf *out, struct span secret)
{
    buf_put_text(out, "****");
    if (secret.len >= SHOWN_FROM) {
        buf_put(out, span_from(secret, secret.len - SHOWN));
    }
}

static bool is_printable(char c)
{
    return c > ' ' && c < 0x7f;
}

enum secret_fault secret_judge(struct span secret)
{
    if (secret.len == 0) {
        return SECRET_EMPTY;
    }
    if (secret.len > SECRET_MAX) {
        return SECRET_LONG;
    }
    if (!is_printable(secret.at[0]) || !is_printable(secret.at[secret.len - 1])) {
        return SECRET_ENDS;
    }
    for (size_t i = 0; i < secret.len; i++) {
        if (!is_printable(secret.at[i])) {
            return SECRET_INSIDE;
        }
    }
    return SECRET_GOOD;
}

const char *secret_fault_text(enum secret_fault fault)
{
    switch (fault) {
    case SECRET_GOOD: return "is good";
    case SECRET_EMPTY: return "is empty";
    case SECRET_LONG: return "is longer than 8192 bytes";
    case SECRET_ENDS: return "begins or ends with a blank, a line break or another odd character";
    case SECRET_INSIDE: return "holds a blank, a line break or another odd character";
    }
    UNREACHABLE();
}
