/* SPDX-License-Identifier: Apache-2.0 */
#include "base/must.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/span.h"

/* write(2) and not a stream: the heap or the stream may be what is broken. */
static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, span_of(text).len);
    (void)ignored;
}

NORETURN static void stop_at(const char *file, int line)
{
    char digits[12];
    size_t at = sizeof digits;
    unsigned left = line < 0 ? 0 : (unsigned)line;

    digits[--at] = '\0';
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0 && at > 0);
    say(" at ");
    say(file);
    say(":");
    say(digits + at);
    say("\n");
    abort();
}

void must_fail(const char *claim, const char *file, int line)
{
    say("headgate: bug: ");
    say(claim);
    stop_at(file, line);
}

void must_fail_at(const char *file, int line)
{
    say("headgate: bug");
    stop_at(file, line);
}
