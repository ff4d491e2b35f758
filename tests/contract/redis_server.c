/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/redis_server.c: see redis_server.h. */
#include "tests/contract/redis_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/contract/patience.h"

enum { TRIES = 400, TRY_MS = 25 };

static const char *program(void)
{
    const char *named = getenv("HEADGATE_TEST_REDIS");

    return named == NULL ? "redis-server" : named;
}

bool redis_server_exists(void)
{
    const char *path = getenv("PATH");
    char whole[512];

    if (program()[0] == '/') {
        return access(program(), X_OK) == 0;
    }
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");

        (void)snprintf(whole, sizeof whole, "%.*s/%s", (int)len, path, program());
        if (access(whole, X_OK) == 0) {
            return true;
        }
        path += len + (path[len] == ':');
    }
    return false;
}

static uint16_t any_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

/* A node of a cluster opens a second one, 10,000 above. */
uint16_t free_port(void)
{
    uint16_t port = 0;

    for (int i = 0; i < 1000; i++) {
        port = any_free_port();
        if (port <= UINT16_MAX - 10000) {
            return port;
        }
    }
    fail_msg("no port below 55,536 is free");
    return 0;
}

static void run(struct redis_server *server)
{
    const char *args[48];
    size_t count = 0;
    char port[8];
    char config[96];

    (void)snprintf(port, sizeof port, "%u", (unsigned)server->port);
    (void)snprintf(config, sizeof config, "%s/sentinel.conf", server->folder);
    args[count++] = program();
    if (server->is_sentinel) {
        args[count++] = config;
        args[count++] = "--sentinel";
    }
    args[count++] = "--port";
    args[count++] = port;
    args[count++] = "--bind";
    args[count++] = "127.0.0.1";
    args[count++] = "--dir";
    args[count++] = server->folder;
    if (!server->is_sentinel) {
        args[count++] = "--save";
        args[count++] = "";
    }
    for (size_t i = 0; i < server->options_count; i++) {
        args[count++] = server->options[i];
    }
    args[count] = NULL;
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        char log[96];
        int fd = -1;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when the test is killed */
        (void)snprintf(log, sizeof log, "%s/log", server->folder);
        fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        (void)dup2(fd, 1);
        (void)dup2(fd, 2);
        for (int i = 3; i < 256; i++) {
            (void)close(i);
        }
        (void)execvp(args[0], (char *const *)(const void *)args);
        _exit(127);
    }
}

static void leave(struct redis_server *server)
{
    if (server->context != NULL) {
        redisFree(server->context);
        server->context = NULL;
    }
}

static bool is_ready(struct redis_server *server)
{
    struct timeval limit = {.tv_sec = (time_t)patient(5)};
    redisReply *reply = NULL;
    bool is_pong = false;

    leave(server);
    server->context = redisConnectWithTimeout("127.0.0.1", server->port, limit);
    if (server->context == NULL || server->context->err != 0) {
        return false;
    }
    (void)redisSetTimeout(server->context, limit);
    reply = redisCommand(server->context, "PING");
    is_pong = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    return is_pong;
}

static void await(struct redis_server *server)
{
    for (uint32_t i = 0; !is_ready(server); i++) {
        assert_true(i < patient(TRIES));
        (void)poll(NULL, 0, TRY_MS);
    }
}

void redis_server_start(struct redis_server *server, const char *const *options)
{
    *server = (struct redis_server){.is_sentinel = server->is_sentinel, .port = free_port()};
    while (options != NULL && options[server->options_count] != NULL) {
        assert_true(server->options_count < 24);
        server->options[server->options_count] = options[server->options_count];
        server->options_count++;
    }
    (void)snprintf(server->folder, sizeof server->folder, "/tmp/headgate-redis-XXXXXX");
    assert_non_null(mkdtemp(server->folder));
    if (server->is_sentinel) {
        char path[96];
        FILE *file = NULL;

        (void)snprintf(path, sizeof path, "%s/sentinel.conf", server->folder);
        file = fopen(path, "w");
        assert_non_null(file);
        (void)fclose(file);
    }
    run(server);
    await(server);
}

void redis_server_restart(struct redis_server *server)
{
    assert_int_equal(server->pid, 0);
    run(server);
    await(server);
}

void redis_server_kill(struct redis_server *server)
{
    leave(server);
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}

void redis_server_freeze(struct redis_server *server)
{
    (void)kill(server->pid, SIGSTOP);
}

void redis_server_thaw(struct redis_server *server)
{
    (void)kill(server->pid, SIGCONT);
}

void redis_server_remove(struct redis_server *server)
{
    char command[128];

    redis_server_kill(server);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", server->folder);
    assert_int_equal(system(command), 0);
}

static redisReply *ask(struct redis_server *server, const char *format, va_list list)
{
    redisReply *reply = NULL;

    if (server->context == NULL || server->context->err != 0) {
        await(server);
    }
    reply = redisvCommand(server->context, format, list);
    assert_non_null(reply);
    return reply;
}

redisReply *redis_server_ask(struct redis_server *server, const char *format, ...)
{
    va_list list;
    redisReply *reply = NULL;

    va_start(list, format);
    reply = ask(server, format, list);
    va_end(list);
    return reply;
}

void redis_server_tell(struct redis_server *server, const char *format, ...)
{
    va_list list;
    redisReply *reply = NULL;

    va_start(list, format);
    reply = ask(server, format, list);
    va_end(list);
    if (reply->type == REDIS_REPLY_ERROR) {
        fail_msg("%s: %s", format, reply->str);
    }
    freeReplyObject(reply);
}

long long redis_server_number(struct redis_server *server, const char *format, ...)
{
    va_list list;
    redisReply *reply = NULL;
    long long number = 0;

    va_start(list, format);
    reply = ask(server, format, list);
    va_end(list);
    number = reply->type == REDIS_REPLY_INTEGER ? reply->integer
             : reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10)
                                                 : 0;
    freeReplyObject(reply);
    return number;
}

void redis_server_season(struct redis_server *server)
{
    redisReply *reply = redis_server_ask(server, "INFO server");
    char fence[64];
    const char *run_id = strstr(reply->str, "run_id:");

    assert_non_null(run_id);
    (void)snprintf(fence, sizeof fence, "%.40s 1", run_id + 7);
    redis_server_tell(server, "HSET hg:{ledger}:born born 1 f %s", fence);
    freeReplyObject(reply);
}
