/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json_out.h"

#include <string.h>

#include "base/must.h"
#include "wire/json_text.h"

enum {
    KEY_FRAME = 4, /* a comma, two quotes, a colon */
    SHORT = 64     /* bytes of a text that is looked through before it is put */
};

void json_out_init(struct json_out *out, struct buf *buf)
{
    *out = (struct json_out){.buf = buf};
}

/* In front of every value and key: the comma that the one before asked for. */
static void begin(struct json_out *out)
{
    if (out->wants_comma) {
        buf_put_char(out->buf, ',');
    }
    out->wants_comma = true;
}

static void open_container(struct json_out *out, char bracket)
{
    begin(out);
    buf_put_char(out->buf, bracket);
    out->wants_comma = false;
}

static void close_container(struct json_out *out, char bracket)
{
    buf_put_char(out->buf, bracket);
    out->wants_comma = true;
}

void json_open_object(struct json_out *out)
{
    open_container(out, '{');
}

void json_close_object(struct json_out *out)
{
    close_container(out, '}');
}

void json_open_array(struct json_out *out)
{
    open_container(out, '[');
}

void json_close_array(struct json_out *out)
{
    close_container(out, ']');
}

/* A text without escapes, and behind a key its colon: the room is looked for once. */
static void put_plain(struct json_out *out, struct span text, bool is_key)
{
    struct buf *buf = out->buf;
    char *at = NULL;

    if (buf_reserve(buf, text.len + KEY_FRAME) != ERR_NONE || buf->failed) {
        return;
    }
    at = buf->at + buf->len;
    *at = ',';
    at += out->wants_comma;
    *at++ = '"';
    memcpy(at, text.at, text.len);
    at += text.len;
    *at++ = '"';
    *at = ':';
    at += is_key;
    buf->len = (size_t)(at - buf->at);
    out->wants_comma = !is_key;
}

/* Keys, ids and words: nearly all of them are. */
static bool is_plain(struct span text)
{
    return text.len > 0 && text.len <= SHORT && json_text_skip_short(text.at, text.at + text.len) == text.at + text.len;
}

void json_key_plain(struct json_out *out, struct span key)
{
    put_plain(out, key, true);
}

void json_key(struct json_out *out, const char *key)
{
    struct span text = span_of(key);

    if (is_plain(text)) {
        put_plain(out, text, true);
        return;
    }
    json_string(out, text);
    buf_put_char(out->buf, ':');
    out->wants_comma = false;
}

void json_string(struct json_out *out, struct span text)
{
    if (is_plain(text)) {
        put_plain(out, text, false);
        return;
    }
    begin(out);
    buf_put_char(out->buf, '"');
    json_escape(out->buf, text);
    buf_put_char(out->buf, '"');
}

void json_text(struct json_out *out, const char *text)
{
    json_string(out, span_of(text));
}

void json_i64(struct json_out *out, int64_t number)
{
    begin(out);
    if (number < 0) {
        buf_put_char(out->buf, '-');
    }
    /* Through unsigned, because the lowest number has no positive counterpart. */
    buf_put_u64(out->buf, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void json_bool(struct json_out *out, bool value)
{
    begin(out);
    buf_put_text(out->buf, value ? "true" : "false");
}

void json_null(struct json_out *out)
{
    begin(out);
    buf_put_text(out->buf, "null");
}

void json_raw(struct json_out *out, struct span json)
{
    begin(out);
    buf_put(out->buf, json);
}

static void escape_ascii(struct buf *buf, char c)
{
    static const char digits[] = "0123456789abcdef";

    switch (c) {
    case '"': buf_put_text(buf, "\\\""); return;
    case '\\': buf_put_text(buf, "\\\\"); return;
    case '\n': buf_put_text(buf, "\\n"); return;
    case '\r': buf_put_text(buf, "\\r"); return;
    case '\t': buf_put_text(buf, "\\t"); return;
    default:
        buf_put_text(buf, "\\u00");
        buf_put_char(buf, digits[(unsigned char)c >> 4]);
        buf_put_char(buf, digits[(unsigned char)c & 15]);
        return;
    }
}

void json_escape(struct buf *buf, struct span text)
{
    const char *p = text.at;
    const char *end = NULL;

    if (text.len == 0) {
        return;
    }
    end = p + text.len;
    while (p < end) {
        const char *stop = json_text_skip_short(p, end);
        size_t length = 1;

        buf_put(buf, span_make(p, (size_t)(stop - p)));
        if (stop == end) {
            return;
        }
        if ((unsigned char)*stop < 0x80) {
            escape_ascii(buf, *stop);
        } else if ((length = json_text_character(stop, end)) > 0) {
            buf_put(buf, span_make(stop, length));
        } else {
            buf_put_text(buf, "\xef\xbf\xbd");
            length = 1;
        }
        p = stop + length;
    }
}

void json_member(struct json_out *out, const char *key, struct span json)
{
    if (json.len > 0) {
        json_key(out, key);
        json_raw(out, json);
    }
}

void json_member_text(struct json_out *out, const char *key, const char *text)
{
    json_key(out, key);
    json_text(out, text);
}

void json_member_inside(struct json_out *out, const char *key, struct span inside)
{
    json_key(out, key);
    json_raw(out, SPAN_OF("\""));
    buf_put(out->buf, inside);
    buf_put_char(out->buf, '"');
}
