/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/names.c: see names.h. */
#include "tests/contract/names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/must.h"

struct names names;

void names_clear(void)
{
    memset(names.addresses, 0, sizeof names.addresses);
    atomic_store(&names.delay_ms, 0);
    atomic_store(&names.lookups, 0);
}

static struct addrinfo *entry_make(const char *address, const char *service)
{
    struct addrinfo *made = calloc(1, sizeof *made);
    struct sockaddr_in *at = calloc(1, sizeof *at);
    must(made != NULL && at != NULL);
    at->sin_family = AF_INET;
    at->sin_port = htons((uint16_t)(service == NULL ? 0 : strtoul(service, NULL, 10)));
    must(inet_pton(AF_INET, address, &at->sin_addr) == 1);
    made->ai_family = AF_INET;
    made->ai_socktype = SOCK_STREAM;
    made->ai_addr = (struct sockaddr *)(void *)at;
    made->ai_addrlen = sizeof *at;
    return made;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    (void)name;
    (void)hints;
    atomic_fetch_add(&names.lookups, 1);
    (void)poll(NULL, 0, (int)atomic_load(&names.delay_ms));
    struct addrinfo **end = result;
    *result = NULL;
    for (unsigned i = 0; i < NAME_ADDRESSES && names.addresses[i] != NULL; i++) {
        *end = entry_make(names.addresses[i], service);
        end = &(*end)->ai_next;
    }
    return *result == NULL ? EAI_NONAME : 0;
}

void freeaddrinfo(struct addrinfo *entry)
{
    while (entry != NULL) {
        struct addrinfo *next = entry->ai_next;
        free(entry->ai_addr);
        free(entry);
        entry = next;
    }
}
