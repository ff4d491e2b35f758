/* SPDX-License-Identifier: Apache-2.0 */
/* Signature Version 4, step by step as bedrock.md 2 counts them. Secrets and keys made from them are
 * wiped before the memory is given back. */
#include "wire/sigv4.h"

#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "base/secret.h"
#include "base/text.h"

enum { DAY = 8, CANONICAL_MAX = 64 * 1024 };

static const char algorithm[] = "AWS4-HMAC-SHA256";
static const char scope_end[] = "aws4_request";

void sigv4_time(wall_ms at, char time[SIGV4_TIME])
{
    struct buf text;
    char room[64];
    size_t len = 0;

    text = (struct buf){.at = room, .cap = sizeof room, .max = sizeof room};
    text_put_rfc3339(&text, at); /* "2026-11-20T12:00:00.000Z" */
    for (size_t i = 0; i < text.len && text.at[i] != '.' && len < SIGV4_TIME - 1; i++) {
        if (text.at[i] != '-' && text.at[i] != ':') {
            time[len++] = text.at[i];
        }
    }
    must(len == SIGV4_TIME - 1);
    time[len] = 'Z';
}

/* ---- encoding ---- */

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static void put_encoded(struct buf *out, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";

    if (is_unreserved((char)byte)) {
        buf_put_char(out, (char)byte);
        return;
    }
    buf_put_char(out, '%');
    buf_put_char(out, digits[byte >> 4]);
    buf_put_char(out, digits[byte & 15U]);
}

static void put_hex(struct buf *out, const struct digest *digest)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        buf_put_char(out, digits[digest->bytes[i] >> 4]);
        buf_put_char(out, digits[digest->bytes[i] & 15U]);
    }
}

/* ---- path ---- */

static bool is_dots(struct span segment)
{
    return span_equal(segment, SPAN_OF(".")) || span_equal(segment, SPAN_OF(".."));
}

/* Each segment is encoded once more, percent signs too. Empty segments are dropped; those of dots as
 * well: who sends them is not understood, so the signature fails rather than means another path. */
static void put_path(struct buf *out, struct span path)
{
    bool ends_in_slash = span_ends(path, SPAN_OF("/"));
    size_t from = out->len;

    while (path.len > 0) {
        struct span segment = span_cut(&path, '/');

        if (segment.len == 0 || is_dots(segment)) {
            continue;
        }
        buf_put_char(out, '/');
        for (size_t i = 0; i < segment.len; i++) {
            put_encoded(out, (unsigned char)segment.at[i]);
        }
    }
    if (ends_in_slash || out->len == from) {
        buf_put_char(out, '/');
    }
}

/* ---- query ---- */

struct pair {
    struct span name;
    struct span value;
};

/* Decoded and encoded again, so that one spelling is left. */
static bool put_again(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = 0;
        int low = 0;

        if (text.at[i] != '%') {
            put_encoded(out, (unsigned char)text.at[i]);
            continue;
        }
        if (text.len - i < 3) {
            return false;
        }
        high = text_hex_digit(text.at[i + 1]);
        low = text_hex_digit(text.at[i + 2]);
        if (high < 0 || low < 0) {
            return false;
        }
        put_encoded(out, (unsigned char)(high * 16 + low));
        i += 2;
    }
    return true;
}

static int compare(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.at, b.at, len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_pairs(const struct pair *a, const struct pair *b)
{
    int order = compare(a->name, b->name);

    return order != 0 ? order : compare(a->value, b->value);
}

static void insert(struct pair *pairs, size_t count, struct pair pair)
{
    for (; count > 0 && compare_pairs(&pairs[count - 1], &pair) > 0; count--) {
        pairs[count] = pairs[count - 1];
    }
    pairs[count] = pair;
}

/* `room` holds the encoded names and values; it may not move while pairs point into it. */
static enum err read_pairs(struct span query, struct buf *room, struct pair *pairs, size_t *count)
{
    *count = 0;
    if (buf_reserve(room, 3 * query.len) != ERR_NONE) {
        return ERR_MEMORY;
    }
    while (query.len > 0) {
        struct span value = span_cut(&query, '&');
        struct span name = span_cut(&value, '=');
        size_t at = room->len;
        size_t middle = 0;

        if (*count == SIGV4_PAIRS_MAX) {
            return ERR_CEILING;
        }
        if (!put_again(room, name)) {
            return ERR_FORMAT;
        }
        middle = room->len;
        if (!put_again(room, value)) {
            return ERR_FORMAT;
        }
        insert(pairs, (*count)++,
               (struct pair){span_make(room->at + at, middle - at),
                             span_make(room->at + middle, room->len - middle)});
    }
    return ERR_NONE;
}

static enum err put_query(struct buf *out, struct span query)
{
    struct pair pairs[SIGV4_PAIRS_MAX];
    size_t count = 0;
    struct buf room;
    enum err err = ERR_NONE;

    buf_init(&room, CANONICAL_MAX);
    err = query.len == 0 ? ERR_NONE : read_pairs(query, &room, pairs, &count);
    for (size_t i = 0; err == ERR_NONE && i < count; i++) {
        buf_put_text(out, i == 0 ? "" : "&");
        buf_put(out, pairs[i].name);
        buf_put_char(out, '=');
        buf_put(out, pairs[i].value);
    }
    buf_fini(&room);
    return err;
}

/* ---- canonical request ---- */

/* "name:value\n": blanks at both ends are taken off, runs of them become one. */
static void put_header(struct buf *out, const char *name, struct span value)
{
    bool is_blank = false;

    value = span_trim(value);
    buf_put_text(out, name);
    buf_put_char(out, ':');
    for (size_t i = 0; i < value.len; i++) {
        bool was_blank = is_blank;

        is_blank = value.at[i] == ' ' || value.at[i] == '\t';
        if (!is_blank || !was_blank) {
            buf_put_char(out, is_blank ? ' ' : value.at[i]);
        }
    }
    buf_put_char(out, '\n');
}

/* In the order of their names. */
static void put_signed_names(struct buf *out, bool has_type, bool has_token)
{
    buf_put_text(out, has_type ? "content-type;" : "");
    buf_put_text(out, "host;x-amz-content-sha256;x-amz-date");
    buf_put_text(out, has_token ? ";x-amz-security-token" : "");
}

static void put_signed_headers(struct buf *out, const struct sigv4_request *request,
                               struct span token, const char time[SIGV4_TIME])
{
    if (request->content_type.len > 0) {
        put_header(out, "content-type", request->content_type);
    }
    put_header(out, "host", request->host);
    buf_put_text(out, "x-amz-content-sha256:");
    put_hex(out, &request->body);
    buf_put_char(out, '\n');
    put_header(out, "x-amz-date", span_make(time, SIGV4_TIME));
    if (token.len > 0) {
        put_header(out, "x-amz-security-token", token);
    }
}

enum err sigv4_put_canonical(struct buf *out, const struct sigv4_request *request,
                             struct span token, const char time[SIGV4_TIME])
{
    enum err err = ERR_NONE;

    buf_put(out, request->method);
    buf_put_char(out, '\n');
    put_path(out, request->path);
    buf_put_char(out, '\n');
    err = put_query(out, request->query);
    if (err != ERR_NONE) {
        return err;
    }
    buf_put_char(out, '\n');
    put_signed_headers(out, request, token, time);
    buf_put_char(out, '\n');
    put_signed_names(out, request->content_type.len > 0, token.len > 0);
    buf_put_char(out, '\n');
    put_hex(out, &request->body);
    return out->failed ? ERR_MEMORY : ERR_NONE;
}

/* ---- key and signature ---- */

static struct span digest_span(const struct digest *digest)
{
    return span_make((const char *)digest->bytes, DIGEST_BYTES);
}

static void hmac(struct span secret, struct span bytes, struct digest *digest)
{
    struct digest_key key;

    digest_key_init(&key, secret);
    digest_hmac(&key, bytes, digest);
    secret_wipe(&key, sizeof key);
}

enum err sigv4_key(struct span secret, const struct sigv4_scope *scope,
                   const char time[SIGV4_TIME], struct digest *key)
{
    char first[4 + SIGV4_SECRET_MAX] = "AWS4";
    const struct span steps[] = {scope->region, scope->service, span_of(scope_end)};

    if (secret.len > SIGV4_SECRET_MAX) {
        return ERR_CEILING;
    }
    if (secret.len > 0) {
        memcpy(first + 4, secret.at, secret.len);
    }
    hmac(span_make(first, 4 + secret.len), span_make(time, DAY), key);
    for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
        struct digest before = *key;

        hmac(digest_span(&before), steps[i], key);
        secret_wipe(&before, sizeof before);
    }
    secret_wipe(first, sizeof first);
    return ERR_NONE;
}

/* "20261120/us-east-1/bedrock/aws4_request" */
static void put_scope(struct buf *out, const struct sigv4_scope *scope,
                      const char time[SIGV4_TIME])
{
    buf_put(out, span_make(time, DAY));
    buf_put_char(out, '/');
    buf_put(out, scope->region);
    buf_put_char(out, '/');
    buf_put(out, scope->service);
    buf_put_char(out, '/');
    buf_put_text(out, scope_end);
}

static enum err sign(const struct sigv4_credential *credential, const struct sigv4_scope *scope,
                     const struct sigv4_request *request, const char time[SIGV4_TIME],
                     struct digest *signature)
{
    struct digest hash;
    struct digest key;
    struct buf text;
    enum err err = ERR_NONE;

    buf_init(&text, CANONICAL_MAX);
    err = sigv4_put_canonical(&text, request, credential->token, time);
    if (err == ERR_NONE) {
        err = sigv4_key(credential->secret, scope, time, &key);
    }
    if (err == ERR_NONE) {
        digest_sha256(buf_span(&text), &hash);
        secret_wipe(text.at, text.len); /* it holds the session's token */
        buf_clear(&text);
        buf_put_text(&text, algorithm);
        buf_put_char(&text, '\n');
        buf_put(&text, span_make(time, SIGV4_TIME));
        buf_put_char(&text, '\n');
        put_scope(&text, scope, time);
        buf_put_char(&text, '\n');
        put_hex(&text, &hash);
        hmac(digest_span(&key), buf_span(&text), signature);
        secret_wipe(&key, sizeof key);
        err = text.failed ? ERR_MEMORY : ERR_NONE;
    }
    secret_buf_fini(&text);
    return err;
}

static void put_authorization(struct buf *out, const struct sigv4_credential *credential,
                              const struct sigv4_scope *scope, bool has_type,
                              const char time[SIGV4_TIME])
{
    buf_put_text(out, "authorization: ");
    buf_put_text(out, algorithm);
    buf_put_text(out, " Credential=");
    buf_put(out, credential->id);
    buf_put_char(out, '/');
    put_scope(out, scope, time);
    buf_put_text(out, ", SignedHeaders=");
    put_signed_names(out, has_type, credential->token.len > 0);
    buf_put_text(out, ", Signature=");
}

enum err sigv4_put_headers(struct buf *out, const struct sigv4_credential *credential,
                           const struct sigv4_scope *scope, const struct sigv4_request *request,
                           wall_ms at)
{
    char time[SIGV4_TIME];
    struct digest signature;
    enum err err = ERR_NONE;

    sigv4_time(at, time);
    err = sign(credential, scope, request, time, &signature);
    if (err != ERR_NONE) {
        return err;
    }
    buf_put_text(out, "x-amz-date: ");
    buf_put(out, span_make(time, SIGV4_TIME));
    buf_put_text(out, "\r\nx-amz-content-sha256: ");
    put_hex(out, &request->body);
    if (credential->token.len > 0) {
        buf_put_text(out, "\r\nx-amz-security-token: ");
        buf_put(out, credential->token);
    }
    buf_put_text(out, "\r\n");
    put_authorization(out, credential, scope, request->content_type.len > 0, time);
    put_hex(out, &signature);
    buf_put_text(out, "\r\n");
    return out->failed ? ERR_MEMORY : ERR_NONE;
}
