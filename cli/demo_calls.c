/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo_calls.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/fetch_curl.h"
#include "wire/json_scan.h"

enum {
    ADDRESS_MAX = 256,
    URL_MAX = 512,
    BODY_MAX = 1024 * 1024,
    CONNECT_MS = 5000,
    TOTAL_MS = 30000
};

/* ---- the calls ---- */

#define CHAT     "/v1/chat/completions"
#define MESSAGES "/v1/messages"
#define HELLO(model, more)                                                                         \
    SPAN("{\"model\":\"" model "\",\"max_tokens\":20,"                                             \
         "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]" more "}")
#define CHATS(more)    {CHAT, HELLO("demo", more)}
#define MESSAGED(more) {MESSAGES, HELLO("demo-claude", more)}
#define STREAM         ",\"stream\":true"

/* Two of each kind: the first of a path meets the first failure of its provider, and so on. */
static const struct demo_call {
    const char *path;
    struct span json;
} demo_calls[] = {CHATS(STREAM), MESSAGED(STREAM), CHATS(STREAM), MESSAGED(STREAM),
                  CHATS(""),     MESSAGED(""),     CHATS(""),     MESSAGED("")};

static bool is_whole_json(struct span body)
{
    struct json_scan_options options = {.paths_count = 0};
    struct json_scan *scan = json_scan_new();
    struct json_hit none;
    bool is_whole = scan != NULL && json_scan_whole(scan, &options, body, &none);

    json_scan_free(scan);
    return is_whole;
}

/* The end of the dialect's stream is there, and no error. */
static bool is_whole_stream(struct span body)
{
    return span_find(body, SPAN_OF("\"error\"")) == NULL &&
           (span_find(body, SPAN_OF("data: [DONE]")) != NULL ||
            span_find(body, SPAN_OF("event: message_stop")) != NULL);
}

static bool make_call(const struct demo_call *call, struct span address)
{
    struct fetch_request request = {.is_post = true,
                                    .json = call->json,
                                    .connect_ms = CONNECT_MS,
                                    .total_ms = TOTAL_MS};
    struct why why = {.text = ""};
    struct buf url;
    struct buf body;
    unsigned status = 0;
    enum err err = ERR_NONE;

    buf_init(&url, URL_MAX);
    buf_init(&body, BODY_MAX);
    buf_put_text(&url, "http://");
    buf_put(&url, address);
    buf_put_text(&url, call->path);
    request.url = buf_span(&url);
    err = fetch(&request, &status, &body, &why);
    bool is_whole =
        err == ERR_NONE && status == 200 &&
        (span_find(call->json, SPAN_OF(STREAM)) != NULL ? is_whole_stream(buf_span(&body))
                                                         : is_whole_json(buf_span(&body)));
    buf_fini(&body);
    buf_fini(&url);
    return is_whole;
}

/* ---- the child ---- */

/* Until the other end is closed. */
static size_t read_all(int from, char *at, size_t most)
{
    size_t len = 0;
    ssize_t count = 0;

    while (len < most && (count = read(from, at + len, most - len)) > 0) {
        len += (size_t)count;
    }
    return len;
}

static _Noreturn void be_the_app(int from, int to)
{
    char address[ADDRESS_MAX];
    size_t len = read_all(from, address, sizeof address);
    struct demo_seen seen = {.calls = 0};

    for (size_t i = 0; i < ARRAY_LENGTH(demo_calls) && len > 0; i++) {
        seen.calls++;
        seen.whole += make_call(&demo_calls[i], span_make(address, len)) ? 1 : 0;
    }
    _exit(write(to, &seen, sizeof seen) == (ssize_t)sizeof seen ? 0 : 1);
}

/* ---- its parent ---- */

static void close_once(int *descriptor)
{
    if (*descriptor >= 0) {
        (void)close(*descriptor);
        *descriptor = -1;
    }
}

bool demo_calls_init(struct demo_calls *calls)
{
    int address[2] = {-1, -1};
    int seen[2] = {-1, -1};
    bool is_good = pipe(address) == 0 && pipe(seen) == 0;

    *calls = (struct demo_calls){.child = -1, .address = -1, .seen = -1};
    (void)fflush(NULL);
    calls->child = is_good ? fork() : -1;
    if (calls->child == 0) {
        (void)close(address[1]);
        (void)close(seen[0]);
        be_the_app(address[0], seen[1]);
    }
    close_once(&address[0]);
    close_once(&seen[1]);
    if (calls->child < 0) {
        close_once(&address[1]);
        close_once(&seen[0]);
        return false;
    }
    calls->address = address[1];
    calls->seen = seen[0];
    return true;
}

void demo_calls_go(struct demo_calls *calls, struct span address)
{
    if (write(calls->address, address.at, address.len) != (ssize_t)address.len) {
        (void)fprintf(stderr, "headgate: the demo's app is gone\n");
    }
    close_once(&calls->address);
}

struct demo_seen demo_calls_fini(struct demo_calls *calls)
{
    struct demo_seen seen = {.calls = 0};

    close_once(&calls->address);
    if (read_all(calls->seen, (char *)&seen, sizeof seen) != sizeof seen) {
        seen = (struct demo_seen){.calls = 0};
    }
    close_once(&calls->seen);
    (void)waitpid(calls->child, NULL, 0);
    return seen;
}
