/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_text.c: one machine, byte by byte, decides (read_rest); the rest are short cuts for
 * what is common and whole: plain ASCII by words, whole escapes, whole characters. A short cut that
 * does not fit leaves the byte to the machine, so that faults have one source. */
#include "wire/json_text.h"

#include "base/must.h"

static bool is_special(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x80;
}

const char *json_text_skip_plain(const char *p, const char *end)
{
    while (end - p >= BLOCK_BYTES) {
        unsigned plain = json_text_plain_block(p);

        p += plain;
        if (plain < BLOCK_BYTES) {
            return p;
        }
    }
    if (end - p >= 8) {
        uint64_t marks = json_word_special(json_word_load(p));

        if (marks == 0) {
            p = end - 8; /* the rest, together with bytes that are known to be plain */
            marks = json_word_special(json_word_load(p));
        }
        return marks == 0 ? end : p + json_word_first(marks);
    }
    while (p < end && !is_special((unsigned char)*p)) {
        p++;
    }
    return p;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

const char *json_text_skip_space(const char *p, const char *end)
{
    while (p < end && is_space(*p)) {
        p++;
        /* Indented documents have long runs of blanks. */
        while (end - p >= 8 && memcmp(p, "        ", 8) == 0) {
            p += 8;
        }
    }
    return p;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_simple_escape(char c)
{
    static const bool simple[256] = {['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true,
                                     ['f'] = true, ['n'] = true,  ['r'] = true, ['t'] = true};

    return simple[(unsigned char)c];
}

/* Sets what must follow a lead byte (RFC 3629, 4). False: this byte never begins a character. */
static bool begin_character(struct json_text *text, unsigned char lead)
{
    if (lead < 0xc2 || lead > 0xf4) {
        return false;
    }
    text->lower = 0x80;
    text->upper = 0xbf;
    text->left = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    text->place = JSON_TEXT_UTF8;
    if (lead == 0xe0) {
        text->lower = 0xa0; /* lower ones would be overlong */
    } else if (lead == 0xed) {
        text->upper = 0x9f; /* higher ones would be surrogates */
    } else if (lead == 0xf0) {
        text->lower = 0x90;
    } else if (lead == 0xf4) {
        text->upper = 0x8f; /* higher ones would be past U+10FFFF */
    }
    return true;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t json_text_character(const char *p, const char *end)
{
    unsigned char lead = 0;
    unsigned char second = 0;
    struct json_text text;

    if (end - p < 2) {
        return 0;
    }
    lead = (unsigned char)p[0];
    second = (unsigned char)p[1];
    if (!begin_character(&text, lead) || second < text.lower || second > text.upper ||
        end - p <= text.left) {
        return 0;
    }
    for (size_t i = 2; i <= text.left; i++) {
        if (!is_continuation(p[i])) {
            return 0;
        }
    }
    return 1U + text.left;
}

/* Runs of characters of several bytes: most text that is not in a Latin script. */
static const char *skip_characters(const char *p, const char *end)
{
    while (end - p >= 3 && (unsigned char)*p >= 0xe1 && (unsigned char)*p <= 0xec &&
           is_continuation(p[1]) && is_continuation(p[2])) {
        p += 3;
    }
    while (p < end && (unsigned char)*p >= 0x80) {
        size_t length = json_text_character(p, end);

        if (length == 0) {
            break;
        }
        p += length;
    }
    return p;
}

/* Whole escapes one behind the other. */
static const char *skip_escapes(const char *p, const char *end)
{
    while (end - p >= 2 && *p == '\\') {
        if (is_simple_escape(p[1])) {
            p += 2;
        } else if (p[1] == 'u' && end - p >= 6 && is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4]) &&
                   is_hex(p[5])) {
            p += 6;
        } else {
            break;
        }
    }
    return p;
}

void json_text_init(struct json_text *text)
{
    *text = (struct json_text){.place = JSON_TEXT_PLAIN};
}

/* One byte of the machine that decides. */
static enum json_text_end read_byte(struct json_text *text, unsigned char c)
{
    switch (text->place) {
    case JSON_TEXT_PLAIN:
        if (c == '"') {
            return JSON_TEXT_CLOSED;
        }
        if (c == '\\') {
            text->place = JSON_TEXT_ESCAPE;
            text->has_escape = true;
            return JSON_TEXT_MORE;
        }
        if (c >= 0x80) {
            return begin_character(text, c) ? JSON_TEXT_MORE : JSON_TEXT_BAD_UTF8;
        }
        return c < 0x20 ? JSON_TEXT_BAD_SYNTAX : JSON_TEXT_MORE;
    case JSON_TEXT_ESCAPE:
        text->place = c == 'u' ? JSON_TEXT_HEX : JSON_TEXT_PLAIN;
        text->left = 4;
        return c == 'u' || is_simple_escape((char)c) ? JSON_TEXT_MORE : JSON_TEXT_BAD_SYNTAX;
    case JSON_TEXT_HEX:
        text->left--;
        text->place = text->left > 0 ? JSON_TEXT_HEX : JSON_TEXT_PLAIN;
        return is_hex((char)c) ? JSON_TEXT_MORE : JSON_TEXT_BAD_SYNTAX;
    case JSON_TEXT_UTF8:
        if (c < text->lower || c > text->upper) {
            return JSON_TEXT_BAD_UTF8;
        }
        text->lower = 0x80;
        text->upper = 0xbf;
        text->left--;
        text->place = text->left > 0 ? JSON_TEXT_UTF8 : JSON_TEXT_PLAIN;
        return JSON_TEXT_MORE;
    }
    UNREACHABLE();
}

const char *json_text_read(struct json_text *text, const char *p, const char *end,
                           enum json_text_end *how)
{
    *how = JSON_TEXT_MORE;
    while (p < end) {
        if (text->place == JSON_TEXT_PLAIN) {
            const char *from = p = json_text_skip_short(p, end);

            if (p < end && *p == '\\') {
                text->has_escape = true;
                p = skip_escapes(p, end);
            } else if (p < end && (unsigned char)*p >= 0x80) {
                p = skip_characters(p, end);
            }
            if (p != from || p == end) {
                continue;
            }
        }
        *how = read_byte(text, (unsigned char)*p);
        if (*how != JSON_TEXT_MORE) {
            return p;
        }
        p++;
    }
    return p;
}

static unsigned hex_value(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static unsigned hex4(const char *p)
{
    return hex_value(p[0]) << 12 | hex_value(p[1]) << 8 | hex_value(p[2]) << 4 | hex_value(p[3]);
}

static size_t put_character(unsigned code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

static char simple_value(char c)
{
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;
    }
}

size_t json_text_unescape(struct span *raw, char out[4])
{
    const char *p = raw->at;
    unsigned code = 0;
    unsigned low = 0;
    size_t taken = 6;

    must(raw->len >= 2);
    if (p[1] != 'u') {
        out[0] = simple_value(p[1]);
        *raw = span_from(*raw, 2);
        return 1;
    }
    must(raw->len >= 6);
    code = hex4(p + 2);
    if (code >= 0xd800 && code < 0xdc00 && raw->len >= 12 && p[6] == '\\' && p[7] == 'u') {
        low = hex4(p + 8);
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            taken = 12;
        }
    }
    *raw = span_from(*raw, taken);
    return put_character(code, out);
}
