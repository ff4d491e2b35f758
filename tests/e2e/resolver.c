/* SPDX-License-Identifier: Apache-2.0 */
/* tests/e2e/resolver.c: what a headgate under test asks for names, in place of the C library's: it
 * is loaded before that one (LD_PRELOAD), so no test asks a real server. HEADGATE_TEST_NAMES is a
 * file that is read anew at each lookup; the words of a line are a name and its addresses in order,
 * or none    there is no such name fails   the server cannot say silent  the server says nothing
 * for 30 s A name that stands nowhere does not exist. Each lookup leaves its name in the file with
 * .asked behind. The C library's own freeaddrinfo takes what is made here: one block for each
 * entry. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LINE_MAX = 512, SILENCE_MS = 30000 };

struct entry {
    struct addrinfo info; /* first: it is freed as this */
    struct sockaddr_storage address;
};

static bool put_v4(struct entry *entry, const char *word, in_port_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = port};

    if (inet_pton(AF_INET, word, &at.sin_addr) != 1) {
        return false;
    }
    memcpy(&entry->address, &at, sizeof at);
    entry->info.ai_family = AF_INET;
    entry->info.ai_addrlen = sizeof at;
    return true;
}

static bool put_v6(struct entry *entry, const char *word, in_port_t port)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = port};

    if (inet_pton(AF_INET6, word, &at.sin6_addr) != 1) {
        return false;
    }
    memcpy(&entry->address, &at, sizeof at);
    entry->info.ai_family = AF_INET6;
    entry->info.ai_addrlen = sizeof at;
    return true;
}

/* NULL: no address of a family that is asked for. */
static struct addrinfo *entry_of(const char *word, const char *service,
                                 const struct addrinfo *hints)
{
    struct entry *entry = calloc(1, sizeof *entry);
    in_port_t port = htons((in_port_t)(service == NULL ? 0 : strtoul(service, NULL, 10)));
    int family = hints == NULL ? AF_UNSPEC : hints->ai_family;

    if (entry == NULL || (!put_v4(entry, word, port) && !put_v6(entry, word, port)) ||
        (family != AF_UNSPEC && family != entry->info.ai_family)) {
        free(entry);
        return NULL;
    }
    entry->info.ai_socktype =
        hints == NULL || hints->ai_socktype == 0 ? SOCK_STREAM : hints->ai_socktype;
    entry->info.ai_addr = (struct sockaddr *)(void *)&entry->address;
    return &entry->info;
}

static void leave_word(const char *file, const char *name)
{
    char path[LINE_MAX];
    FILE *asked = NULL;

    (void)snprintf(path, sizeof path, "%s.asked", file);
    asked = fopen(path, "a");
    if (asked != NULL) {
        (void)fprintf(asked, "%s\n", name);
        (void)fclose(asked);
    }
}

/* The line of this name, without the name; empty: it stands nowhere. */
static void find_line(const char *file, const char *name, char rest[LINE_MAX])
{
    FILE *names = fopen(file, "r");
    size_t len = strlen(name);

    rest[0] = '\0';
    while (names != NULL && fgets(rest, LINE_MAX, names) != NULL) {
        if (strncmp(rest, name, len) == 0 && rest[len] == ' ') {
            memmove(rest, rest + len, strlen(rest + len) + 1);
            break;
        }
        rest[0] = '\0';
    }
    if (names != NULL) {
        (void)fclose(names);
    }
}

static int look_up(const char *name, const char *service, const struct addrinfo *hints,
                   struct addrinfo **result)
{
    const char *file = getenv("HEADGATE_TEST_NAMES");
    char rest[LINE_MAX];
    char *state = NULL;

    if (file == NULL) {
        return EAI_NONAME;
    }
    leave_word(file, name);
    find_line(file, name, rest);
    for (char *word = strtok_r(rest, " \n", &state); word != NULL;
         word = strtok_r(NULL, " \n", &state)) {
        if (strcmp(word, "fails") == 0) {
            return EAI_AGAIN;
        }
        if (strcmp(word, "silent") == 0) {
            (void)poll(NULL, 0, SILENCE_MS);
            return EAI_AGAIN;
        }
        *result = entry_of(word, service, hints);
        result = *result == NULL ? result : &(*result)->ai_next;
    }
    return 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    int error = 0;

    *result = NULL;
    if (name == NULL) {
        return EAI_NONAME;
    }
    *result = entry_of(name, service, hints); /* a number is itself */
    if (*result == NULL) {
        error = look_up(name, service, hints, result);
    }
    return error == 0 && *result == NULL ? EAI_NONAME : error;
}
