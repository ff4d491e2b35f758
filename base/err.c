/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *err_text(enum err err)
{
    switch (err) {
    case ERR_NONE: return "no error";
#define ERR(name, text) \
    case ERR_##name: return text;
#include "base/err.def"
#undef ERR
    }
    UNREACHABLE();
}

void why_set(struct why *why, const char *format, ...)
{
    va_list args;

    if (why == NULL) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
}

void why_prefix(struct why *why, const char *format, ...)
{
    char old[sizeof why->text];
    va_list args;
    size_t used = 0;

    if (why == NULL) {
        return;
    }
    memcpy(old, why->text, sizeof old);
    va_start(args, format);
    (void)vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    used = strlen(why->text);
    (void)snprintf(why->text + used, sizeof why->text - used, ": %.*s", (int)(sizeof old - 1), old);
}
