/* SPDX-License-Identifier: Apache-2.0 */
/* What is judged before YAML is parsed: encoding, control characters, tabs. */
#include "conf/tree_bytes.h"

/* Line breaks that libyaml knows and editors do not: with them lines would be counted differently.
 */
static size_t odd_break(struct span rest)
{
    static const struct span breaks[] = {SPAN("\xc2\x85"), SPAN("\xe2\x80\xa8"),
                                         SPAN("\xe2\x80\xa9")};

    for (size_t i = 0; i < ARRAY_LENGTH(breaks); i++) {
        if (span_starts(rest, breaks[i])) {
            return breaks[i].len;
        }
    }
    return 0;
}

static const char *byte_fault(struct span rest)
{
    unsigned char c = (unsigned char)rest.at[0];

    if (c == '\t') {
        return "a tab";
    }
    if (c == '\r') {
        return rest.len > 1 && rest.at[1] == '\n' ? NULL : "a carriage return without a line feed";
    }
    if ((c < 0x20 && c != '\n') || c == 0x7f) {
        return "a control character";
    }
    return c >= 0x80 && odd_break(rest) > 0 ? "a line break that is no line feed" : NULL;
}

/* The length of the UTF-8 character at the front; 0 when it is none. */
static size_t character_length(struct span rest)
{
    unsigned char c = (unsigned char)rest.at[0];
    size_t len = c < 0x80 ? 1 : (c & 0xe0) == 0xc0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : 4;
    uint32_t value = c & (0xffU >> (len == 1 ? 1 : len + 1));
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || rest.len < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        unsigned char next = (unsigned char)rest.at[i];

        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        value = (value << 6) | (next & 0x3f);
    }
    return value < least[len] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000) ? 0 : len;
}

/* At most one complaint a line, so that a file indented with tabs is told of once per line. */
enum err tree_bytes_check(struct span text, struct complaints *complaints)
{
    uint32_t line = 1;
    uint32_t column = 1;
    uint32_t line_told = 0;
    enum err err = ERR_NONE;

    for (size_t at = 0; at < text.len;) {
        struct span rest = span_from(text, at);
        size_t len = character_length(rest);
        const char *fault = len == 0 ? "not UTF-8" : byte_fault(rest);

        if (fault != NULL) {
            err = ERR_CONFIG;
        }
        if (fault != NULL && line != line_told) {
            struct complaint *complaint = complaint_add(complaints, line, column, 1, "%s", fault);

            line_told = line;
            complaint_help(complaint, "%s",
                           text.at[at] == '\t'
                               ? "indent and separate with blanks"
                               : "save the file as UTF-8 text with plain line ends");
        }
        if (len == 0) {
            return err;
        }
        at += len;
        column++;
        if (rest.at[0] == '\n') {
            line++;
            column = 1;
        }
    }
    return err;
}
