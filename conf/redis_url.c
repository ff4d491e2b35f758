/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/redis_url.h"

#include <string.h>

#include "base/text.h"
#include "conf/reader.h"
#include "conf/url.h"

enum { PORT_USUAL = 6379, DATABASE_MAX = 65535 };

static const char form[] = "must be redis://[[user]:password@]host[:port][/database]";

/* %41 is A: passwords may hold what a URL may not. */
static enum err decode(struct span text, struct arena *arena, struct span *out, struct why *why)
{
    char *at = text.len == 0 ? NULL : arena_take(arena, text.len);
    size_t length = 0;

    *out = span_make(NULL, 0);
    if (at == NULL) {
        return text.len == 0 ? ERR_NONE : ERR_MEMORY;
    }
    for (size_t i = 0; i < text.len; i++) {
        int high = i + 2 < text.len ? text_hex_digit(text.at[i + 1]) : -1;
        int low = i + 2 < text.len ? text_hex_digit(text.at[i + 2]) : -1;

        if (text.at[i] != '%') {
            at[length++] = text.at[i];
            continue;
        }
        if (high < 0 || low < 0 || high * 16 + low == 0) {
            why_set(why, "has a \"%%\" in its user or password that is no %%41: write %%25 for it");
            return ERR_FORMAT;
        }
        at[length++] = (char)(high * 16 + low);
        i += 2;
    }
    *out = span_make(at, length);
    return ERR_NONE;
}

static enum err read_userinfo(struct span text, struct arena *arena, struct redis_url *url,
                              struct why *why)
{
    struct span rest = text;
    struct span user = span_cut(&rest, ':');
    enum err err = ERR_NONE;

    if (rest.at == NULL || rest.len == 0) {
        why_set(why, "%s", form);
        return ERR_FORMAT;
    }
    err = decode(user, arena, &url->user, why);
    return err != ERR_NONE ? err : decode(rest, arena, &url->password, why);
}

/* The last "@" ends it: a password may hold one, too. */
static const char *find_at(struct span text)
{
    for (size_t i = text.len; i > 0; i--) {
        if (text.at[i - 1] == '@') {
            return text.at + i - 1;
        }
    }
    return NULL;
}

static enum err read_place(struct span text, struct redis_url *url, struct why *why)
{
    struct span host = text;
    struct span port = {NULL, 0};
    const char *end = NULL;

    if (text.len > 0 && text.at[0] == '[') {
        end = memchr(text.at, ']', text.len);
        host = end == NULL ? text : span_make(text.at + 1, (size_t)(end - text.at) - 1);
        port = end == NULL ? port : span_from(text, (size_t)(end - text.at) + 1);
    } else {
        host = span_cut(&text, ':');
        port = text.at == NULL ? port : span_make(text.at - 1, text.len + 1);
    }
    if (host.len == 0 || (port.len > 0 && port.at[0] != ':') || (port.len == 1)) {
        why_set(why, "%s", form);
        return ERR_FORMAT;
    }
    if (port.len > 0 && (!url_read_port(span_from(port, 1), &url->port) || url->port == 0)) {
        why_set(why, "has no port from 1 to 65535");
        return ERR_FORMAT;
    }
    if (end != NULL && memchr(host.at, ':', host.len) == NULL) {
        why_set(why, "has brackets around what is no IPv6 address");
        return ERR_FORMAT;
    }
    url->host = host;
    return url_check_host(host, why);
}

static enum err read_database(struct span text, struct redis_url *url, struct why *why)
{
    uint64_t number = 0;

    if (text.len == 0) {
        return ERR_NONE;
    }
    if (text_read_u64(text, &number) != ERR_NONE || number > DATABASE_MAX) {
        why_set(why, "has no number of a database behind its \"/\"");
        return ERR_FORMAT;
    }
    url->database = (uint32_t)number;
    return ERR_NONE;
}

enum err redis_url_read(struct span text, struct arena *arena, struct redis_url *url,
                        struct why *why)
{
    struct span rest = span_from(text, sizeof "redis://" - 1);
    const char *at = NULL;
    struct span place = {NULL, 0};
    enum err err = ERR_NONE;

    *url = (struct redis_url){.port = PORT_USUAL};
    if (span_starts_nocase(text, SPAN_OF("rediss://"))) {
        why_set(why, "asks for TLS, which is not spoken to Redis: put stunnel in between");
        return ERR_FORMAT;
    }
    if (!span_starts(text, SPAN_OF("redis://"))) {
        why_set(why, "%s", form);
        return ERR_FORMAT;
    }
    at = find_at(rest);
    if (at != NULL) {
        err = read_userinfo(span_make(rest.at, (size_t)(at - rest.at)), arena, url, why);
        rest = span_from(rest, (size_t)(at - rest.at) + 1);
    }
    place = span_cut(&rest, '/');
    if (err == ERR_NONE) {
        err = read_place(place, url, why);
    }
    return err != ERR_NONE ? err : read_database(rest, url, why);
}

bool redis_url_take(struct reader *reader, const struct node *node, struct redis_url *url)
{
    struct span text = {NULL, 0};
    struct why why = {""};
    enum err err = ERR_NONE;

    if (!reader_text(reader, node, &text)) {
        return false;
    }
    err = redis_url_read(text, &reader->snapshot->arena, url, &why);
    if (err == ERR_MEMORY) {
        reader->has_no_memory = true;
    } else if (err != ERR_NONE) {
        reader_complain(reader, node->place, "%s", why.text);
    }
    return err == ERR_NONE;
}
