/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask.h"

#include <stdio.h>

#include "base/text.h"
#include "proxy/fetch_curl.h"
#include "wire/json_scan.h"

enum {
    CONNECT_MS = 3000,
    TOTAL_MS = 15000,
    URL_MAX = 8192,
    MESSAGE_MAX = 16 * 1024,
    STATUS_UNAUTHORIZED = 401,
    STATUS_FORBIDDEN = 403,
    STATUS_NOT_FOUND = 404,
    STATUS_MISDIRECTED = 421,
    STATUS_TOO_MANY = 429
};

/* ---- where ---- */

/* Why it cannot be asked; NULL: it can. */
static const char *cannot(const struct snapshot *snapshot)
{
    const char *why = NULL;

    if (snapshot->admin_off) {
        why = "admin.listen is off in the configuration, so a running headgate cannot be asked";
    } else if (snapshot->admin.unix_path.len > 0) {
        why = "admin.listen is a Unix socket; ask it with curl --unix-socket, or give it a port";
    } else if (snapshot->admin.port == 0) {
        why = "admin.listen has port 0 in the configuration; give it a port that can be asked";
    }
    return why;
}

/* A listener on all addresses is asked on this machine's own. */
static void put_url(struct buf *out, const struct listen_address *address, struct span path)
{
    struct span host = address->host;

    if (host.len == 0 || span_equal(host, SPAN_OF("0.0.0.0"))) {
        host = SPAN_OF("127.0.0.1");
    } else if (span_equal(host, SPAN_OF("::"))) {
        host = SPAN_OF("::1");
    }
    buf_put_text(out, span_find(host, SPAN_OF(":")) != NULL ? "http://[" : "http://");
    buf_put(out, host);
    buf_put_text(out, span_find(host, SPAN_OF(":")) != NULL ? "]:" : ":");
    buf_put_u64(out, address->port);
    buf_put(out, path);
}

/* ---- what came back ---- */

void ask_print(struct span text)
{
    struct buf shown;

    buf_init(&shown, ASK_BODY_MAX);
    for (struct span rest = text; rest.len > 0;) {
        struct span line = span_cut(&rest, '\n');
        text_put_printable(&shown, line, line.len);
        buf_put_char(&shown, '\n');
    }
    (void)fwrite(shown.at, 1, shown.len, stdout);
    buf_fini(&shown);
}

/* The message of an error in our form; nothing when the body is something else. */
static void put_message(struct buf *out, struct span body)
{
    static const struct json_path paths[] = {JSON_PATH2("error", "message")};
    struct json_scan_options options = {.paths = paths, .paths_count = 1};
    struct json_scan *scan = json_scan_new();
    struct json_hit hit;
    struct buf text;

    buf_init(&text, MESSAGE_MAX);
    if (scan != NULL && json_scan_whole(scan, &options, body, &hit) && hit.kind == JSON_STRING) {
        json_string_decode(json_hit_span(&hit, body), &text);
        text_put_printable(out, buf_span(&text), text.len);
    }
    buf_fini(&text);
    json_scan_free(scan);
}

int ask_code(unsigned status)
{
    switch (status) {
    case 200: return EXIT_CODE_GOOD;
    case STATUS_NOT_FOUND: return EXIT_CODE_FOUND;
    case STATUS_UNAUTHORIZED:
    case STATUS_FORBIDDEN:
    case STATUS_MISDIRECTED:
    case STATUS_TOO_MANY: return EXIT_CODE_PERMISSION;
    default: return EXIT_CODE_RUNTIME;
    }
}

static void tell_no(unsigned status, struct span body)
{
    struct buf message;

    buf_init(&message, MESSAGE_MAX);
    put_message(&message, body);
    if (message.len > 0) {
        (void)fprintf(stderr, "%.*s\n", SPAN_ARGS(buf_span(&message)));
    } else {
        (void)fprintf(stderr,
                      "headgate: an answer with status %u and without a word; is it a headgate of "
                      "this version that listens there?\n",
                      status);
    }
    buf_fini(&message);
}

static void tell_failure(enum err err, const struct listen_address *address, const struct why *why)
{
    (void)fprintf(stderr,
                  err == ERR_MISSING
                      ? "headgate: no headgate answers at %.*s (%s); is it running, with this "
                        "configuration?\n"
                      : "headgate: asking %.*s failed: %s\n",
                  SPAN_ARGS(address->text), why->text);
}

/* All but letters, digits and "-._~" (RFC 3986, 2.3). */
void ask_put_escaped(struct buf *out, struct span text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
                        byte == '~';
        if (!is_plain) {
            buf_put_char(out, '%');
            buf_put_char(out, digits[byte >> 4]);
        }
        buf_put_char(out, is_plain ? (char)byte : digits[byte & 15]);
    }
}

int64_t ask_count(struct span body, const struct json_path *path)
{
    struct json_scan_options options = {.paths = path, .paths_count = 1};
    struct json_scan *scan = json_scan_new();
    struct json_hit hit;
    int64_t count = 0;

    if (scan == NULL || !json_scan_whole(scan, &options, body, &hit) || hit.kind != JSON_NUMBER ||
        json_integer(json_hit_span(&hit, body), &count) != ERR_NONE) {
        count = 0;
    }
    json_scan_free(scan);
    return count;
}

/* ---- asking ---- */

static enum err ask_with(const struct snapshot *snapshot, const struct fetch_request *what,
                         struct span path, struct ask_answer *answer)
{
    struct fetch_request request = *what;
    struct buf url;

    answer->why.text[0] = '\0';
    answer->status = 0;
    request.bearer = snapshot->admin_token;
    request.connect_ms = CONNECT_MS;
    request.total_ms = TOTAL_MS;
    buf_init(&url, URL_MAX);
    put_url(&url, &snapshot->admin, path);
    request.url = buf_span(&url);
    answer->err = fetch(&request, &answer->status, answer->body, &answer->why);
    buf_fini(&url);
    return answer->err;
}

bool ask_quietly(const struct snapshot *snapshot, struct span path, struct ask_answer *answer)
{
    struct fetch_request request = {.is_post = false};

    buf_clear(answer->body);
    return ask_with(snapshot, &request, path, answer) == ERR_NONE && answer->status == 200;
}

int ask_tell(const struct snapshot *snapshot, const struct ask_answer *answer)
{
    if (answer->err != ERR_NONE) {
        tell_failure(answer->err, &snapshot->admin, &answer->why);
        return answer->err == ERR_MISSING ? EXIT_CODE_UNREACHABLE : EXIT_CODE_RUNTIME;
    }
    if (answer->status != 200) {
        tell_no(answer->status, buf_span(answer->body));
    }
    return ask_code(answer->status);
}

int ask_json(const struct snapshot *snapshot, struct span path, struct span json, struct buf *body)
{
    struct fetch_request request = {.is_post = true, .json = json};
    struct ask_answer answer = {.body = body};

    if (cannot(snapshot) != NULL || ask_with(snapshot, &request, path, &answer) == ERR_MISSING) {
        return EXIT_CODE_UNREACHABLE;
    }
    return ask_tell(snapshot, &answer);
}

int ask_open(const struct command_line *line, struct snapshot **snapshot)
{
    struct buf file;
    int code = settings_load(line, snapshot, &file);

    buf_fini(&file);
    if (code == EXIT_CODE_GOOD && cannot(*snapshot) != NULL) {
        (void)fprintf(stderr, "headgate: %s\n", cannot(*snapshot));
        snapshot_give(*snapshot);
        *snapshot = NULL;
        code = EXIT_CODE_CONFIG;
    }
    return code;
}

int ask(const struct command_line *line, bool is_post, struct span path, struct buf *body)
{
    struct fetch_request request = {.is_post = is_post};
    struct ask_answer answer = {.body = body};
    struct snapshot *snapshot = NULL;
    int code = ask_open(line, &snapshot);

    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    (void)ask_with(snapshot, &request, path, &answer);
    code = ask_tell(snapshot, &answer);
    snapshot_give(snapshot);
    return code;
}
