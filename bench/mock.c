/* SPDX-License-Identifier: Apache-2.0 */
/* bench/mock.c: the provider of the benchmarks. One thread, one epoll set. It answers every request
 * with one chat completion, or, when the body says "stream":true, with a paced event stream:
 *
 *   head + role chunk + first event, at once
 *   one event per interval, each with the monotonic time (ns) at which it was sent: ~123456789~
 *   finish chunk, usage chunk if the body says "include_usage":true, [DONE], last chunk
 *
 * At /v1/messages it answers one message of Anthropic's, of the same size (never a stream).
 *
 * Pace and length come from the flags; a body may set its own: "rate":"20" (events per second, 0:
 * no further event until the connection closes), "events":"400". A timing wheel holds the streams.
 * Requests above KEEP bytes are read and counted but not searched: they get the completion. */
#define _GNU_SOURCE
#include "bench/mock_line.h"
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    KEEP = 8192,          /* bytes of a request that are kept for the search */
    SCRATCH = 256 * 1024, /* one read */
    READS_MAX = 64,       /* reads of one connection per loop turn */
    BATCH = 256,
    SLOTS = 8192, /* with TICK_NS a horizon of two seconds, so one event per second fits */
    TICK_NS = 250 * 1000,
    ANSWER_MAX = 60 * 1024
};

struct conn {
    struct line line;
    bool has_head;
    size_t in_used;
    uint64_t body_left;
    bool is_streaming, wants_usage;
    uint64_t events_left, interval_ns, due_ns;
    struct conn *next, *previous; /* neighbours in the slot of the wheel */
    char in[KEEP + 1];
};

struct server {
    int epoll, listener;
    SSL_CTX *tls;
    uint64_t rate, events; /* the defaults for a stream */
    uint64_t end_ns;
    uint64_t tick, streams, random;
    char answer[ANSWER_MAX + 1024]; /* head and body of the completion */
    size_t answer_size;
    char message[ANSWER_MAX + 1024]; /* the same of Anthropic's */
    size_t message_size;
    struct conn *slots[SLOTS];
    char scratch[SCRATCH];
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Spreads the streams over the interval; chance of any quality does. */
static uint64_t next_random(struct server *server)
{
    server->random = server->random * 6364136223846793005u + 1442695040888963407u;
    return server->random >> 33;
}

/* ---- the wheel ---- */

static void wheel_add(struct server *server, struct conn *conn, uint64_t due_ns)
{
    /* A slot that has been visited would only come round again after the whole horizon. */
    uint64_t earliest_ns = (server->tick + 1) * TICK_NS;
    conn->due_ns = due_ns > earliest_ns ? due_ns : earliest_ns;
    struct conn **slot = &server->slots[conn->due_ns / TICK_NS % SLOTS];
    conn->previous = NULL;
    conn->next = *slot;
    if (conn->next) {
        conn->next->previous = conn;
    }
    *slot = conn;
}

static void wheel_remove(struct server *server, struct conn *conn)
{
    struct conn **slot = &server->slots[conn->due_ns / TICK_NS % SLOTS];
    if (conn->next) {
        conn->next->previous = conn->previous;
    }
    if (conn->previous) {
        conn->previous->next = conn->next;
    } else if (*slot == conn) {
        *slot = conn->next;
    }
    conn->next = conn->previous = NULL;
}

static void conn_close(struct server *server, struct conn *conn)
{
    if (conn->is_streaming) {
        wheel_remove(server, conn);
        server->streams--;
    }
    line_close(&conn->line);
    free(conn);
}

/* ---- answers ---- */

#define CHUNK_START                                                                                \
    "{\"id\":\"chatcmpl-bench000000000000000000\",\"object\":\"chat.completion.chunk\","           \
    "\"created\":1700000000,\"model\":\"bench-model\","

/* Writes one event in chunked framing; `to` has room for it (events are far below 1 KiB). */
__attribute__((format(printf, 2, 3))) static size_t put_event(char *to, const char *format, ...)
{
    char data[768];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(data, sizeof data, format, arguments);
    va_end(arguments);
    int all = sprintf(to, "%x\r\ndata: %s\n\n\r\n", (unsigned)size + 8, data);
    return (size_t)all;
}

static size_t put_content(char *to)
{
    return put_event(to,
                     CHUNK_START "\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                                 "\"~%" PRIu64 "~ and\"},\"finish_reason\":null}]}",
                     now_ns());
}

static bool stream_finish(struct server *server, struct conn *conn)
{
    char out[4096];
    size_t size = put_event(out, CHUNK_START "\"choices\":[{\"index\":0,\"delta\":{},"
                                             "\"finish_reason\":\"stop\"}]}");
    if (conn->wants_usage) {
        size +=
            put_event(out + size, CHUNK_START "\"choices\":[],\"usage\":{\"prompt_tokens\":250,"
                                              "\"completion_tokens\":400,\"total_tokens\":650}}");
    }
    size += put_event(out + size, "[DONE]");
    memcpy(out + size, "0\r\n\r\n", 5);
    conn->is_streaming = false;
    server->streams--;
    return line_send(&conn->line, out, size + 5);
}

/* One turn of a stream that is due and stands in no slot. */
static bool stream_step(struct server *server, struct conn *conn)
{
    if (conn->events_left == 0) {
        return stream_finish(server, conn);
    }
    /* A reader that does not keep up gets its event later, not twice; the client sees it as a
     * lower event rate. */
    if (!conn->line.out) {
        char out[1024];
        conn->events_left--;
        if (!line_send(&conn->line, out, put_content(out))) {
            return false;
        }
    }
    wheel_add(server, conn, conn->due_ns + conn->interval_ns);
    return true;
}

/* The number in "name":"number" of the kept body, else `fallback`. */
static uint64_t body_number(const char *body, const char *name, uint64_t fallback)
{
    const char *at = strstr(body, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : fallback;
}

static bool stream_begin(struct server *server, struct conn *conn, const char *body)
{
    char out[4096];
    int head = sprintf(out, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                            "cache-control: no-cache\r\nx-request-id: req_bench0000000000\r\n"
                            "openai-version: 2020-10-01\r\ntransfer-encoding: chunked\r\n\r\n");
    size_t size = (size_t)head;
    size += put_event(out + size, CHUNK_START "\"choices\":[{\"index\":0,\"delta\":{\"role\":"
                                              "\"assistant\",\"content\":\"\"},"
                                              "\"finish_reason\":null}]}");
    size += put_content(out + size);
    uint64_t rate = body_number(body, "\"rate\":\"", server->rate);
    conn->events_left = body_number(body, "\"events\":\"", server->events);
    conn->wants_usage = strstr(body, "\"include_usage\":true") != NULL;
    conn->is_streaming = true;
    server->streams++;
    conn->next = conn->previous = NULL;
    conn->due_ns = 0;
    if (rate > 0) {
        conn->interval_ns = 1000000000u / (rate > 1000 ? 1000 : rate);
        wheel_add(server, conn, now_ns() + next_random(server) % conn->interval_ns);
    }
    return line_send(&conn->line, out, size);
}

static bool answer(struct server *server, struct conn *conn)
{
    conn->in[conn->in_used] = 0;
    conn->has_head = false;
    if (conn->in_used < KEEP && strstr(conn->in, "\"stream\":true")) {
        bool ok = stream_begin(server, conn, conn->in);
        conn->in_used = 0;
        return ok;
    }
    conn->in_used = 0;
    if (strncmp(conn->in, "POST /v1/messages", sizeof "POST /v1/messages" - 1) == 0) {
        return line_send(&conn->line, server->message, server->message_size);
    }
    return line_send(&conn->line, server->answer, server->answer_size);
}

/* ---- requests ---- */

static uint64_t content_length(const char *head, const char *end)
{
    static const char name[] = "content-length:";
    for (const char *line = head; line && line < end;
         line = memchr(line, '\n', (size_t)(end - line))) {
        line += *line == '\n';
        if (strncasecmp(line, name, sizeof name - 1) == 0) {
            return strtoull(line + sizeof name - 1, NULL, 10);
        }
    }
    return 0;
}

/* Takes bytes until the head is complete; returns how many it used, 0: not a request. */
static size_t take_head(struct conn *conn, const char *data, size_t size)
{
    size_t room = KEEP - conn->in_used;
    size_t take = size < room ? size : room;
    memcpy(conn->in + conn->in_used, data, take);
    conn->in_used += take;
    char *end = memmem(conn->in, conn->in_used, "\r\n\r\n", 4);
    if (!end) {
        return take;
    }
    end += 4;
    conn->has_head = true;
    uint64_t length = content_length(conn->in, end);
    size_t surplus = conn->in_used - (size_t)(end - conn->in);
    if (surplus > length) {
        /* The beginning of the next request: give it back. */
        take -= surplus - (size_t)length;
        conn->in_used -= surplus - (size_t)length;
        surplus = (size_t)length;
    }
    conn->body_left = length - surplus;
    return take;
}

static size_t take_body(struct conn *conn, const char *data, size_t size)
{
    size_t take = size < conn->body_left ? size : (size_t)conn->body_left;
    size_t room = KEEP - conn->in_used;
    size_t kept = take < room ? take : room;
    memcpy(conn->in + conn->in_used, data, kept);
    conn->in_used += kept;
    conn->body_left -= take;
    return take;
}

static bool conn_feed(struct server *server, struct conn *conn, const char *data, size_t size)
{
    while (size > 0) {
        if (conn->is_streaming) {
            return false; /* No client of the bench sends a request behind a running stream. */
        }
        size_t used = conn->has_head ? take_body(conn, data, size) : take_head(conn, data, size);
        if (used == 0) {
            return false;
        }
        data += used;
        size -= used;
        if (conn->has_head && conn->body_left == 0 && !answer(server, conn)) {
            return false;
        }
    }
    return true;
}

static bool conn_readable(struct server *server, struct conn *conn)
{
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t n = line_read(&conn->line, server->scratch, SCRATCH);
        if (n < 0) {
            return errno == EAGAIN;
        }
        if (n == 0 || !conn_feed(server, conn, server->scratch, (size_t)n)) {
            return false;
        }
        if (!conn->line.tls && n < SCRATCH) {
            return true;
        }
    }
    /* Bytes that OpenSSL has already decrypted would wake nobody. */
    return !conn->line.tls || SSL_pending(conn->line.tls) == 0;
}

/* ---- the loop ---- */

static void server_accept(struct server *server)
{
    for (int i = 0; i < BATCH; i++) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct conn *conn = calloc(1, sizeof *conn);
        if (!conn) {
            close(fd);
            return;
        }
        line_open(&conn->line, fd, server->epoll, server->tls, conn);
    }
}

static void wheel_run(struct server *server)
{
    uint64_t last = now_ns() / TICK_NS;
    if (server->streams == 0) {
        server->tick = last;
    }
    while (server->tick < last) {
        server->tick++;
        struct conn **slot = &server->slots[server->tick % SLOTS];
        for (struct conn *conn = *slot; conn; conn = *slot) {
            wheel_remove(server, conn);
            if (!stream_step(server, conn)) {
                conn_close(server, conn);
            }
        }
    }
}

static void server_turn(struct server *server)
{
    struct epoll_event events[BATCH];
    struct timespec wait = {.tv_nsec = server->streams ? TICK_NS : 100 * 1000 * 1000};
    int n = epoll_pwait2(server->epoll, events, BATCH, &wait, NULL);
    for (int i = 0; i < n; i++) {
        struct conn *conn = events[i].data.ptr;
        if (!conn) {
            server_accept(server);
            continue;
        }
        bool ok = true;
        if (events[i].events & EPOLLOUT) {
            ok = line_flush(&conn->line);
        }
        if (ok && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
            ok = conn_readable(server, conn);
        }
        if (!ok) {
            conn_close(server, conn);
        }
    }
    wheel_run(server);
}

/* ---- start ---- */

static void give_up(const char *what)
{
    fprintf(stderr, "mock: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Head and body, of `size` bytes of body where the frame leaves room. Returns how many bytes in all. */
static size_t compose(char *at, const char *start, const char *end, size_t size)
{
    static const char words[] = "The gate decides how much water flows, and where it goes. ";
    size_t frame = strlen(start) + strlen(end);
    size_t fill = size > frame ? size - frame : 0;
    int head = sprintf(at,
                       "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu"
                       "\r\nx-request-id: req_bench0000000000\r\nopenai-processing-ms: 1\r\n"
                       "openai-version: 2020-10-01\r\n\r\n",
                       frame + fill);
    char *to = stpcpy(at + head, start);

    for (size_t i = 0; i < fill; i++) {
        *to++ = words[i % (sizeof words - 1)];
    }
    to = stpcpy(to, end);
    return (size_t)(to - at);
}

static void compose_answers(struct server *server, size_t size)
{
    server->answer_size = compose(
        server->answer,
        "{\"id\":\"chatcmpl-bench000000000000000000\",\"object\":\"chat.completion\","
        "\"created\":1700000000,\"model\":\"bench-model\",\"choices\":[{\"index\":0,\"message\":"
        "{\"role\":\"assistant\",\"content\":\"",
        "\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":250,\"completion_tokens\":60,\"total_tokens\":310,"
        "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0}},"
        "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_bench\"}",
        size);
    server->message_size = compose(
        server->message,
        "{\"id\":\"msg_bench000000000000000000\",\"type\":\"message\",\"role\":\"assistant\","
        "\"model\":\"claude-sonnet-4-5\",\"content\":[{\"type\":\"text\",\"text\":\"",
        "\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":250,"
        "\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":60,"
        "\"service_tier\":\"standard\"}}",
        size);
}

static void server_listen(struct server *server, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(server->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(server->listener, 4096) < 0) {
        give_up("listen");
    }
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (server->epoll < 0 ||
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event) < 0) {
        give_up("epoll");
    }
}

static void server_tls(struct server *server, const char *certificate, const char *key)
{
    server->tls = SSL_CTX_new(TLS_server_method());
    if (!server->tls || SSL_CTX_use_certificate_chain_file(server->tls, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(server->tls, key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    SSL_CTX_set_mode(server->tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
}

static const char usage[] =
    "usage: mock --port N [--rate EVENTS_PER_SECOND] [--events N] [--answer BYTES]\n"
    "            [--cert FILE --key FILE] [--life SECONDS]\n";

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", 1, NULL, 'p'},   {"rate", 1, NULL, 'r'},
                                            {"events", 1, NULL, 'n'}, {"answer", 1, NULL, 'a'},
                                            {"cert", 1, NULL, 'c'},   {"key", 1, NULL, 'k'},
                                            {"life", 1, NULL, 'l'},   {NULL, 0, NULL, 0}};
    unsigned long port = 0, life = 600, size = 679;
    const char *certificate = NULL, *key = NULL;
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        give_up("memory");
    }
    server->rate = 20;
    server->events = 400;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'p': port = strtoul(optarg, NULL, 10); break;
        case 'r': server->rate = strtoull(optarg, NULL, 10); break;
        case 'n': server->events = strtoull(optarg, NULL, 10); break;
        case 'a': size = strtoul(optarg, NULL, 10); break;
        case 'c': certificate = optarg; break;
        case 'k': key = optarg; break;
        case 'l': life = strtoul(optarg, NULL, 10); break;
        default: fputs(usage, stderr); return 64;
        }
    }
    if (port == 0 || port > 65535 || size > ANSWER_MAX || !certificate != !key) {
        fputs(usage, stderr);
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    if (certificate) {
        server_tls(server, certificate, key);
    }
    compose_answers(server, size);
    server_listen(server, (uint16_t)port);
    server->end_ns = now_ns() + life * 1000000000u;
    while (now_ns() < server->end_ns) {
        server_turn(server);
    }
    return 0; /* The system takes back what the connections held. */
}
