/* SPDX-License-Identifier: Apache-2.0 */
#include "base/format.h"

#include <stdio.h>
#include <string.h>

/* The last place at or before `at` where a UTF-8 character begins. */
static size_t character_start(const char *text, size_t at)
{
    while (at > 0 && ((unsigned char)text[at] & 0xc0U) == 0x80U) {
        at--;
    }
    return at;
}

void format_cut(char *at, size_t size, const char *format, va_list args)
{
    static const char dots[] = "...";
    int length = 0;

    must(size > 0);
    length = vsnprintf(at, size, format, args);
    if (length < 0) {
        at[0] = '\0';
        return;
    }
    if ((size_t)length >= size && size > sizeof dots) {
        memcpy(at + character_start(at, size - sizeof dots), dots, sizeof dots);
    }
}
