/* SPDX-License-Identifier: Apache-2.0 */
/* Strict readers of base URLs and listen addresses: one way to write each, all else is a fault. */
#include "conf/url.h"

#include <string.h>

#include "enforcement/egress.h"

enum { HOST_MAX = 253, LABEL_MAX = 63, URL_MAX = 2048, UNIX_PATH_MAX_BYTES = 103 };

/* Names under which clouds serve credentials; no range allows them. */
static const struct span metadata_names[] = {
    SPAN("metadata"),      SPAN("metadata.google.internal"),   SPAN("metadata.goog"),
    SPAN("instance-data"), SPAN("instance-data.ec2.internal"),
};

static enum err refuse(struct why *why, const char *text)
{
    why_set(why, "%s", text);
    return ERR_FORMAT;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_localhost(struct span host)
{
    return span_equal_nocase(host, SPAN_OF("localhost"));
}

/* ---- hosts and ports ---- */

bool url_read_port(struct span text, uint16_t *port)
{
    unsigned value = 0;

    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.at[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.at[i])) {
            return false;
        }
        value = value * 10 + (unsigned)(text.at[i] - '0');
    }
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

/* A last label that is a number, in any base, makes libraries read the whole host as an IPv4
 * address
 * ("0x7f.1", "2130706433", "127.1"). */
static bool is_number(struct span label)
{
    bool is_hexadecimal = label.len >= 2 && label.at[0] == '0' && (label.at[1] | 0x20) == 'x';

    for (size_t i = is_hexadecimal ? 2 : 0; i < label.len; i++) {
        if (is_hexadecimal ? !is_hex(label.at[i]) : !is_digit(label.at[i])) {
            return false;
        }
    }
    return label.len > 0;
}

static enum err check_label(struct span label, struct why *why)
{
    if (label.len == 0) {
        return refuse(why, "has a host with an empty part (a dot too many)");
    }
    if (label.len > LABEL_MAX) {
        return refuse(why, "has a host with a part longer than 63 characters");
    }
    if (label.at[0] == '-' || label.at[label.len - 1] == '-') {
        return refuse(why, "has a host with a part that begins or ends with \"-\"");
    }
    for (size_t i = 0; i < label.len; i++) {
        if (((unsigned char)label.at[i] & 0x80U) != 0) {
            return refuse(why, "has a host with letters beyond ASCII; write its xn-- form");
        }
        /* The underscore is in no standard, but in many names of containers. */
        if (!is_alnum(label.at[i]) && label.at[i] != '-' && label.at[i] != '_') {
            return refuse(why, "has a host with a character that no name has");
        }
    }
    return ERR_NONE;
}

static enum err check_name(struct span host, struct why *why)
{
    struct span label = {NULL, 0};

    if (host.len == 0) {
        return refuse(why, "has no host");
    }
    if (host.len > HOST_MAX) {
        return refuse(why, "has a host longer than 253 characters");
    }
    if (host.at[host.len - 1] == '.') {
        return refuse(why, "has a host that ends with a dot");
    }
    for (struct span rest = host; rest.at != NULL;) {
        enum err err = ERR_NONE;

        label = span_cut(&rest, '.');
        err = check_label(label, why);
        if (err != ERR_NONE) {
            return err;
        }
    }
    if (is_number(label)) {
        return refuse(why, "has a host that is a number but no plain IPv4 address");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(metadata_names); i++) {
        if (span_equal_nocase(host, metadata_names[i])) {
            return refuse(why, "names a metadata service; none may ever be called");
        }
    }
    return ERR_NONE;
}

/* Good to call or to listen on as far as its form goes; which ranges are allowed is asked later. */
static enum err check_address(const struct egress_address *address, struct why *why)
{
    if (egress_is_metadata(address)) {
        return refuse(why, "names a metadata service; none may ever be called");
    }
    return ERR_NONE;
}

enum err url_check_host(struct span host, struct why *why)
{
    struct egress_address address;

    return egress_address_read(host, &address) ? check_address(&address, why)
                                               : check_name(host, why);
}

/* "host", "host:port", "[v6]", "[v6]:port" into its parts; `port` is empty with at == NULL when
 * there is no colon. */
static enum err split_authority(struct span text, struct span *host, struct span *port, bool *is_v6,
                                struct why *why)
{
    const char *end = NULL;
    struct egress_address address;

    *is_v6 = text.len > 0 && text.at[0] == '[';
    if (!*is_v6) {
        *port = text;
        *host = span_cut(port, ':');
        if (port->at != NULL && memchr(port->at, ':', port->len) != NULL) {
            return refuse(why, "has more than one \":\"; an IPv6 address stands in brackets");
        }
        return ERR_NONE;
    }
    end = memchr(text.at, ']', text.len);
    if (end == NULL) {
        return refuse(why, "has a \"[\" without \"]\"");
    }
    *host = span_make(text.at + 1, (size_t)(end - text.at) - 1);
    *port = span_from(text, host->len + 2);
    if (memchr(host->at, '%', host->len) != NULL) {
        return refuse(why, "has an address with a zone");
    }
    if (memchr(host->at, ':', host->len) == NULL || !egress_address_read(*host, &address)) {
        return refuse(why, "has brackets around something else than an IPv6 address");
    }
    if (port->len > 0 && port->at[0] != ':') {
        return refuse(why, "has something odd behind the \"]\"");
    }
    *port = port->len == 0 ? span_make(NULL, 0) : span_make(port->at + 1, port->len - 1);
    return ERR_NONE;
}

/* ---- paths ---- */

static bool is_path_char(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@", c) != NULL);
}

static enum err check_segment(struct span segment, struct why *why)
{
    if (segment.len == 0) {
        return refuse(why, "has \"//\" in its path");
    }
    if (span_equal(segment, SPAN_OF(".")) || span_equal(segment, SPAN_OF(".."))) {
        return refuse(why, "has \".\" or \"..\" in its path");
    }
    for (size_t i = 0; i < segment.len; i++) {
        if (!is_path_char(segment.at[i])) {
            return refuse(why, "has a path with a character that is not plain");
        }
    }
    return ERR_NONE;
}

static enum err read_path(struct span path, struct url *url, struct why *why)
{
    if (path.len > 0 && path.at[path.len - 1] == '/') {
        path.len--;
    }
    url->path = path;
    if (path.len == 0) {
        return ERR_NONE;
    }
    for (struct span rest = span_from(path, 1); rest.at != NULL;) {
        enum err err = check_segment(span_cut(&rest, '/'), why);

        if (err != ERR_NONE) {
            return err;
        }
    }
    return ERR_NONE;
}

/* ---- the whole ---- */

bool url_has_userinfo(struct span text)
{
    return text.len > 0 && memchr(text.at, '@', text.len) != NULL;
}

static enum err check_characters(struct span text, struct why *why)
{
    if (text.len > URL_MAX) {
        return refuse(why, "is longer than 2048 characters");
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '\\') {
            return refuse(why, "has a backslash");
        }
        if (c == '?') {
            return refuse(why, "has a query; only scheme, host, port and path stand here");
        }
        if (c == '#') {
            return refuse(why, "has a fragment; only scheme, host, port and path stand here");
        }
        if ((unsigned char)c <= ' ' || c == 0x7f) {
            return refuse(why, "has a blank or control character");
        }
    }
    return ERR_NONE;
}

static enum err read_scheme(struct span *text, struct url *url, struct why *why)
{
    if (span_starts_nocase(*text, SPAN_OF("https://"))) {
        url->is_tls = true;
        *text = span_from(*text, 8);
        return ERR_NONE;
    }
    if (span_starts_nocase(*text, SPAN_OF("http://"))) {
        *text = span_from(*text, 7);
        return ERR_NONE;
    }
    return refuse(why, "must begin with https:// (or http:// for hosts near by)");
}

static enum err read_authority(struct span authority, struct url *url, struct why *why)
{
    struct span port = {NULL, 0};
    struct egress_address address;
    enum err err = ERR_NONE;

    if (memchr(authority.at, '@', authority.len) != NULL) {
        return refuse(why, "has a user or password in it");
    }
    err = split_authority(authority, &url->host, &port, &url->host_is_v6, why);
    if (err == ERR_NONE) {
        err = url_check_host(url->host, why);
    }
    if (err != ERR_NONE) {
        return err;
    }
    url->host_is_literal = is_localhost(url->host) || egress_address_read(url->host, &address);
    url->has_port = port.at != NULL;
    url->port = url->is_tls ? 443 : 80;
    if (url->has_port && (!url_read_port(port, &url->port) || url->port == 0)) {
        return refuse(why, "has a port that is not 1 to 65535");
    }
    return ERR_NONE;
}

enum err url_read(struct span text, struct url *url, struct why *why)
{
    struct span authority;
    const char *slash = NULL;
    enum err err = check_characters(text, why);

    *url = (struct url){.port = 0};
    if (err == ERR_NONE) {
        err = read_scheme(&text, url, why);
    }
    if (err != ERR_NONE) {
        return err;
    }
    slash = text.len == 0 ? NULL : memchr(text.at, '/', text.len);
    authority = slash == NULL ? text : span_make(text.at, (size_t)(slash - text.at));
    if (authority.len == 0) {
        return refuse(why, "has no host");
    }
    err = read_authority(authority, url, why);
    return err != ERR_NONE ? err : read_path(span_from(text, authority.len), url, why);
}

/* ---- listeners ---- */

static enum err read_unix(struct span path, struct listen_address *address, struct why *why)
{
    if (path.len < 2 || path.at[0] != '/') {
        return refuse(why, "must be an absolute path behind \"unix:\"");
    }
    if (path.len > UNIX_PATH_MAX_BYTES) {
        return refuse(why, "has a socket path longer than 103 bytes");
    }
    address->unix_path = path;
    address->is_loopback = true;
    return ERR_NONE;
}

enum err url_read_listen(struct span text, struct listen_address *address, struct why *why)
{
    struct span port = {NULL, 0};
    struct egress_address bytes;
    bool is_v6 = false;
    enum err err = ERR_NONE;

    *address = (struct listen_address){.text = text};
    if (span_starts(text, SPAN_OF("unix:"))) {
        return read_unix(span_from(text, 5), address, why);
    }
    err = split_authority(text, &address->host, &port, &is_v6, why);
    if (err != ERR_NONE) {
        return err;
    }
    if (port.at == NULL) {
        return refuse(why, "has no port; write it like 127.0.0.1:8402");
    }
    if (!url_read_port(port, &address->port)) {
        return refuse(why, "has a port that is not 0 to 65535");
    }
    if (is_localhost(address->host)) {
        address->is_loopback = true;
        return ERR_NONE;
    }
    if (!egress_address_read(address->host, &bytes)) {
        return refuse(why, "must be an address or localhost, like 127.0.0.1:8402 or 0.0.0.0:8402");
    }
    address->is_loopback = egress_is_loopback(&bytes);
    return ERR_NONE;
}

/* ---- endpoints ---- */

static size_t put(char *out, struct span text)
{
    if (text.len > 0) {
        memcpy(out, text.at, text.len);
    }
    return text.len;
}

static struct span lower(struct arena *arena, struct span text)
{
    char *copy = arena_take(arena, text.len + 1);

    if (copy == NULL) {
        return span_make(NULL, 0);
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        copy[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return span_make(copy, text.len);
}

/* What the Host header says: brackets around IPv6, the port only when it is not the scheme's own.
 */
static struct span make_authority(const struct endpoint *endpoint, struct arena *arena)
{
    char digits[6];
    size_t at = sizeof digits;
    unsigned port = endpoint->port;
    char *out = arena_take(arena, endpoint->host.len + 9);
    size_t len = 0;

    if (out == NULL) {
        return span_make(NULL, 0);
    }
    len += put(out + len, endpoint->host_is_v6 ? SPAN_OF("[") : SPAN_OF(""));
    len += put(out + len, endpoint->host);
    len += put(out + len, endpoint->host_is_v6 ? SPAN_OF("]") : SPAN_OF(""));
    if (port != (endpoint->is_tls ? 443U : 80U)) {
        while (port > 0) {
            digits[--at] = (char)('0' + port % 10);
            port /= 10;
        }
        digits[--at] = ':';
        len += put(out + len, span_make(digits + at, sizeof digits - at));
    }
    return span_make(out, len);
}

enum err url_make_endpoint(const struct url *url, enum url_version version, struct arena *arena,
                           struct endpoint *endpoint)
{
    bool has_version = span_ends(url->path, SPAN_OF("/v1"));
    bool adds_version = (version == URL_VERSION_ALWAYS && !has_version) ||
                        (version == URL_VERSION_ALONE && url->path.len == 0);
    char *path = arena_take(arena, url->path.len + 4);
    size_t len = 0;

    *endpoint = (struct endpoint){
        .is_tls = url->is_tls,
        .host_is_literal = url->host_is_literal,
        .host_is_v6 = url->host_is_v6,
        .port = url->port,
        .host = lower(arena, url->host),
    };
    endpoint->authority = make_authority(endpoint, arena);
    if (path != NULL) {
        len += put(path, url->path);
        len += put(path + len, adds_version ? SPAN_OF("/v1") : SPAN_OF(""));
        endpoint->path = span_make(path, len);
    }
    return arena->failed ? ERR_MEMORY : ERR_NONE;
}
