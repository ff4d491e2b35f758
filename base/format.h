/* SPDX-License-Identifier: Apache-2.0 */
/* base/format.h: printf into a fixed place, for modules above base that take a format and
 * arguments. Cut, never overrun. */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

#include "base/must.h"

/* Writes at most `size` bytes with the final NUL (size > 0). A text that does not fit is cut in
 * front of a UTF-8 character and ends in "...", where there is room for that. */
void format_cut(char *at, size_t size, const char *format, va_list args) PRINTF_LIKE(3, 0);

#endif
