/* SPDX-License-Identifier: Apache-2.0 */
/* bench/streams.c: opens event streams through a proxy, keeps them open and measures how late the
 * events arrive (bench/mock.c writes the time of sending into each). Protocol with bench/run, on
 * standard output:
 *
 *   ready                            every stream has had its first event; the window begins
 *   events=.. seconds=.. ...         the window is over; with --seconds 0 this never comes: the
 *                                    streams are held until the program is told to end
 *
 * Exit 1: a stream was not opened in time, or was answered with something else than 200. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BUCKET_US = 5,
    BUCKETS = 40000, /* lags up to 200 ms; what is later stands in the last one */
    BATCH = 256,
    SCRATCH = 64 * 1024,
    OPEN_LIMIT_S = 30,
    SETTLE_MS = 500
};

struct stream {
    int fd;
    bool has_answer, has_event, in_stamp;
    uint64_t stamp;
};

struct client {
    int epoll;
    uint16_t port;
    size_t count, opened, begun, lost;
    uint64_t open_rate;
    bool in_window;
    uint64_t events, torn;
    uint64_t lags[BUCKETS];
    char request[2048];
    size_t request_size;
    struct stream *streams;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void give_up(const char *what)
{
    fprintf(stderr, "streams: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The request as the OpenAI SDK for Node sends it. */
static void compose_request(struct client *client, uint64_t rate)
{
    char body[512];
    int body_size = snprintf(
        body, sizeof body,
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Tell me about the gate.\"}],"
        "\"model\":\"bench-model\",\"metadata\":{\"rate\":\"%" PRIu64 "\",\"events\":\"1000000\"},"
        "\"max_tokens\":4096,\"stream\":true}",
        rate);
    int size = snprintf(
        client->request, sizeof client->request,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%u\r\nconnection: keep-alive\r\n"
        "accept: application/json\r\nuser-agent: OpenAI/JS 7.55.0\r\nx-stainless-retry-count: 0\r\n"
        "x-stainless-lang: js\r\nx-stainless-package-version: 7.55.0\r\nx-stainless-os: Linux\r\n"
        "x-stainless-arch: x64\r\nx-stainless-runtime: node\r\n"
        "x-stainless-runtime-version: v20.20.2\r\nauthorization: Bearer sk-test-bench\r\n"
        "content-type: application/json\r\naccept-language: *\r\nsec-fetch-mode: cors\r\n"
        "accept-encoding: gzip, deflate\r\ncontent-length: %d\r\n\r\n%s",
        (unsigned)client->port, body_size, body);
    client->request_size = (size_t)size;
}

static void stream_open(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(client->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct stream *stream = &client->streams[client->opened];
    stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* A reset in place of a close leaves no socket waiting, so that rounds do not use up ports. */
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (stream->fd < 0 ||
        setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) < 0 ||
        connect(stream->fd, (struct sockaddr *)&address, sizeof address) < 0) {
        give_up("connect");
    }
    setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    ssize_t n = send(stream->fd, client->request, client->request_size, MSG_NOSIGNAL);
    if (n != (ssize_t)client->request_size) {
        give_up("send");
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = stream};
    epoll_ctl(client->epoll, EPOLL_CTL_ADD, stream->fd, &event);
    client->opened++;
}

static void stream_lose(struct client *client, struct stream *stream, const char *why)
{
    if (client->lost == 0) {
        fprintf(stderr, "streams: first stream lost: %s\n", why);
    }
    client->lost++;
    close(stream->fd);
    stream->fd = -1;
}

static void record(struct client *client, struct stream *stream, uint64_t now)
{
    if (!stream->has_event) {
        stream->has_event = true;
        client->begun++;
    }
    if (client->in_window) {
        uint64_t lag_us = now > stream->stamp ? (now - stream->stamp) / 1000 : 0;
        uint64_t bucket = lag_us / BUCKET_US;
        client->lags[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
        client->events++;
    }
}

/* Finds the stamps (~digits~), which a read may have split. */
static void scan(struct client *client, struct stream *stream, const char *at, const char *end)
{
    uint64_t now = now_ns();
    while (at < end) {
        if (!stream->in_stamp) {
            at = memchr(at, '~', (size_t)(end - at));
            if (!at) {
                return;
            }
            at++;
            stream->in_stamp = true;
            stream->stamp = 0;
            continue;
        }
        char byte = *at++;
        if (byte >= '0' && byte <= '9') {
            stream->stamp = stream->stamp * 10 + (uint64_t)(byte - '0');
            continue;
        }
        stream->in_stamp = false;
        if (byte == '~') {
            record(client, stream, now);
        } else {
            client->torn++; /* A proxy has put a chunk border into the stamp. */
        }
    }
}

static void stream_readable(struct client *client, struct stream *stream, char *scratch)
{
    ssize_t n = recv(stream->fd, scratch, SCRATCH, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        stream_lose(client, stream, n == 0 ? "closed by the proxy" : strerror(errno));
        return;
    }
    if (!stream->has_answer) {
        stream->has_answer = true;
        if (n < 12 || memcmp(scratch, "HTTP/1.1 200", 12) != 0) {
            scratch[n < 200 ? n : 200] = 0;
            stream_lose(client, stream, scratch);
            return;
        }
    }
    scan(client, stream, scratch, scratch + n);
}

static void turn(struct client *client)
{
    char scratch[SCRATCH];
    struct epoll_event events[BATCH];
    int n = epoll_wait(client->epoll, events, BATCH, 1);
    for (int i = 0; i < n; i++) {
        stream_readable(client, events[i].data.ptr, scratch);
    }
}

static void run_until(struct client *client, uint64_t end_ns)
{
    while (now_ns() < end_ns) {
        turn(client);
    }
}

/* Opens the streams at the given pace and waits for the first event of each. */
static void open_all(struct client *client)
{
    uint64_t start = now_ns();
    while (client->begun < client->count) {
        uint64_t passed = now_ns() - start;
        uint64_t wanted = 1 + passed / 1000 * client->open_rate / 1000000;
        for (int i = 0; i < 64 && client->opened < client->count && client->opened < wanted; i++) {
            stream_open(client);
        }
        turn(client);
        if (client->lost > 0 || passed > OPEN_LIMIT_S * 1000000000ull) {
            fprintf(stderr, "streams: %zu of %zu begun, %zu lost\n", client->begun, client->count,
                    client->lost);
            exit(1);
        }
    }
}

static uint64_t percentile(const struct client *client, uint64_t per_thousand)
{
    uint64_t wanted = (client->events * per_thousand + 999) / 1000, seen = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        seen += client->lags[i];
        if (seen >= wanted) {
            return (i + 1) * BUCKET_US;
        }
    }
    return (uint64_t)BUCKETS * BUCKET_US;
}

static void measure(struct client *client, uint64_t seconds)
{
    uint64_t start = now_ns();
    client->in_window = true;
    run_until(client, start + seconds * 1000000000u);
    double passed = (double)(now_ns() - start) / 1e9;
    printf("events=%" PRIu64 " seconds=%.3f rate=%.0f p50=%" PRIu64 " p99=%" PRIu64
           " lost=%zu torn=%" PRIu64 "\n",
           client->events, passed, (double)client->events / passed, percentile(client, 500),
           percentile(client, 990), client->lost, client->torn);
    fflush(stdout);
}

static const char usage[] = "usage: streams --port N --streams N [--rate EVENTS_PER_SECOND]\n"
                            "               [--seconds S (0: hold)] [--open-rate PER_SECOND]"
                            " [--life SECONDS]\n";

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", 1, NULL, 'p'},      {"streams", 1, NULL, 'n'},
                                            {"rate", 1, NULL, 'r'},      {"seconds", 1, NULL, 's'},
                                            {"open-rate", 1, NULL, 'o'}, {"life", 1, NULL, 'l'},
                                            {NULL, 0, NULL, 0}};
    uint64_t rate = 20, seconds = 5, life = 300;
    struct client *client = calloc(1, sizeof *client);
    if (!client) {
        give_up("memory");
    }
    client->open_rate = 2000;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'p': client->port = (uint16_t)strtoul(optarg, NULL, 10); break;
        case 'n': client->count = strtoul(optarg, NULL, 10); break;
        case 'r': rate = strtoull(optarg, NULL, 10); break;
        case 's': seconds = strtoull(optarg, NULL, 10); break;
        case 'o': client->open_rate = strtoull(optarg, NULL, 10); break;
        case 'l': life = strtoull(optarg, NULL, 10); break;
        default: fputs(usage, stderr); return 64;
        }
    }
    client->streams = calloc(client->count + 1, sizeof *client->streams);
    if (client->port == 0 || client->count == 0 || !client->streams) {
        fputs(usage, stderr);
        return 64;
    }
    uint64_t end_ns = now_ns() + life * 1000000000u;
    client->epoll = epoll_create1(EPOLL_CLOEXEC);
    compose_request(client, rate);
    open_all(client);
    run_until(client, now_ns() + SETTLE_MS * 1000000ull);
    puts("ready");
    fflush(stdout);
    if (seconds > 0) {
        measure(client, seconds);
    } else {
        run_until(client, end_ns);
    }
    return 0;
}
